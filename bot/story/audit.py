"""What the audit log holds: deeds of moderators, and of the bot by itself, that members may ask about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Deed(StrEnum):
    """What was done. Stored by its value, so a value is never given another meaning."""

    RULE_ADDED = "rule added"
    RULE_CHANGED = "rule changed"
    RULE_REMOVED = "rule removed"
    RULES_IMPORTED = "rules imported"
    RULES_RESTORED = "rules restored"
    LEVEL_CHANGED = "filter level changed"
    REASON_GIVEN = "reason given"
    ROUND_CLOSED = "round closed early"
    ROUND_CANCELLED = "round cancelled"
    PASSAGE_REMOVED = "passage removed"
    CANDIDATE_REMOVED = "candidate removed"
    TEXT_REDACTED = "text redacted"
    TEXT_RESTORED = "text restored"
    REPORT_DISMISSED = "report dismissed"
    MEMBER_WARNED = "member warned"
    MEMBER_BARRED = "member barred"
    BAR_LIFTED = "bar lifted"
    STOPPED = "bot stopped"
    RESUMED = "bot resumed"
    LIMIT_CHANGED = "limit changed"
    SETTING_CHANGED = "setting changed"
    LOG_CHANGED = "log channel changed"


@dataclass(frozen=True)
class AuditEntry:
    """One line, before or after it is stored (`id` is None before).

    `actor_id` None is the bot by itself, `channel_id` None the whole server. `subject` names what it was done to in a
    few words ("passage 12"), `detail` holds what a reader may want beside it: texts stay out of it.
    """

    guild_id: int
    channel_id: int | None
    at: datetime
    actor_id: int | None
    deed: Deed
    subject: str = ""
    reason: str = ""
    detail: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    id: int | None = None
