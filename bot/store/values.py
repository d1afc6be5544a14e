"""Values that only the store makes, beside those of `bot.story.model`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.story.cases import Case, Subject
from bot.story.model import Passage, Round, Story


@dataclass(frozen=True)
class StoryLine:
    """One line of a server's list: a story and how many passages its canon has."""

    story: Story
    num_passages: int


@dataclass(frozen=True)
class HeldText:
    """A member's text that waits for the ballot of a generating round to open."""

    round_id: int
    user_id: int
    text: str
    written_at: datetime


@dataclass(frozen=True)
class Closed:
    """What closing did. `is_new` is False where the round was over already: then nothing was changed.

    `round.state` is CLOSED, or CANCELLED (`failure` says why) where canon had moved since the round began.
    `passage` is the passage that this round added to canon, None if it added none (nobody won, or the incumbent).
    """

    round: Round
    passage: Passage | None
    is_new: bool


@dataclass(frozen=True)
class Acted:
    """What a moderator's act did. `subject` is the thing as it was before, `cancelled` a round that ended by it."""

    case: Case
    act_id: int
    subject: Subject
    cancelled: Round | None


@dataclass(frozen=True)
class SettingChange:
    """One line of the log of settings. `channel_id` None is the whole server; a value None means unset."""

    channel_id: int | None
    name: str
    old_value: str | None
    new_value: str | None
    changed_by: int
    changed_at: datetime


@dataclass(frozen=True)
class StoredRule:
    """A version of a filter's rule. `body` is what the rule says, as the service writes it; None: it was taken away.

    `channel_id` None is the whole server. `version` counts from 1 within the rule; `revision_id` is the change that
    made it, `at` by `author_id`.
    """

    id: int
    guild_id: int
    channel_id: int | None
    name: str
    body: str | None
    version: int
    revision_id: int
    at: datetime
    author_id: int
    reason: str


@dataclass(frozen=True)
class RuleChange:
    """What becomes of one rule: a new one where `rule_id` is None, taken away where `body` is None.

    `from_version` is the version that the change was made of: where somebody was faster, nothing is changed.
    """

    rule_id: int | None
    channel_id: int | None
    name: str
    body: str | None
    from_version: int | None = None


@dataclass(frozen=True)
class Revision:
    """One change of a server's rules or levels, whatever number of them it touched."""

    id: int
    guild_id: int
    at: datetime
    author_id: int
    reason: str
    num_rules: int
    num_levels: int


@dataclass(frozen=True)
class FilterHit:
    """What a rule found in a text, or would have found in shadow mode. Whose text it was is not kept."""

    guild_id: int
    channel_id: int
    at: datetime
    text_kind: str
    rule: str
    rule_id: int | None
    category: str
    action: str
    is_shadow: bool


@dataclass(frozen=True)
class HitFigure:
    """How often a rule hit: texts of members, and the model's candidates."""

    rule: str
    rule_id: int | None
    action: str
    is_shadow: bool
    num_typed: int
    num_candidates: int
    last_at: datetime


@dataclass(frozen=True)
class WithheldText:
    """A candidate of the model's that a filter kept from the ballot, and what in it was why."""

    round_id: int
    at: datetime
    text: str
    rule: str
    category: str
    start: int | None
    end: int | None


@dataclass(frozen=True)
class PastText:
    """A text that stood on a ballot of the server, the newest having the highest `id`; `is_canon`: it was chosen."""

    id: int
    channel_id: int
    text: str
    is_canon: bool
