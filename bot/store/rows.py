"""The border between rows and values: times, enums, booleans and JSON are converted here and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from sqlite3 import Row
from typing import Any

from bot.store.values import HeldText, HitFigure, PastText, Revision, SettingChange, StoredRule, WithheldText
from bot.story.audit import AuditEntry, Deed
from bot.story.cases import Act, Case, CaseAct, CaseVoice, Voice
from bot.story.limits import Bar, LogChannel, Stop
from bot.story.marks import NOTICES, Mark
from bot.story.model import (
    Ballot,
    Candidate,
    Hints,
    Method,
    Passage,
    PromptRecord,
    Provenance,
    Round,
    RoundKind,
    RoundSettings,
    RoundState,
    Source,
    Story,
    Style,
    Tally,
)


def stamp(time: datetime) -> str:
    """A time as text that sorts by time. Raises ValueError for a naive one: nobody could say when that was."""
    if time.tzinfo is None:
        raise ValueError(f"a time without a time zone: {time.isoformat()}")
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def time_of(text: str) -> datetime:
    """The aware UTC time of a stamp."""
    return datetime.fromisoformat(text)


def time_or_none(text: str | None) -> datetime | None:
    """Likewise, None for no stamp."""
    return None if text is None else time_of(text)


def mark_or_none(text: str | None) -> Mark | None:
    """A mark of the moderators, None for none."""
    return None if text is None else Mark(text)


def settings_text(settings: RoundSettings) -> str:
    """A round's settings as JSON."""
    return json.dumps(asdict(settings))


def settings_of(text: str) -> RoundSettings:
    """The settings of a stored round. One that is younger than the round has its default."""
    fields = json.loads(text)
    converted = {"method": Method(fields["method"]), "tally": Tally(fields["tally"])}
    if "hints" in fields:
        converted["hints"] = Hints(fields["hints"])
    return RoundSettings(**fields | converted)


def provenance_text(provenance: Provenance | None) -> str | None:
    """Provenance as JSON; numbers of any size keep their value, which SQLite's integers would not."""
    if provenance is None:
        return None
    fields = vars(provenance) | {"sampling": dict(provenance.sampling), "prompt": asdict(provenance.prompt)}
    return json.dumps(fields, ensure_ascii=False)


def provenance_of(text: str | None) -> Provenance | None:
    """The provenance of a stored candidate."""
    if text is None:
        return None
    fields = json.loads(text)
    prompt: dict[str, Any] = fields["prompt"]
    prompt |= {name: tuple(value) for name, value in prompt.items() if isinstance(value, list)}
    return Provenance(**fields | {"prompt": PromptRecord(**prompt)})


def story_of(row: Row) -> Story:
    """A row of `stories`."""
    return Story(
        id=row["id"],
        guild_id=row["guild_id"],
        channel_id=row["channel_id"],
        title=row["title"],
        premise=row["premise"],
        head_id=row["head_id"],
        started_by=row["started_by"],
        started_at=time_of(row["started_at"]),
        ended_at=time_or_none(row["ended_at"]),
        style=row["style"],
    )


def passage_of(row: Row) -> Passage:
    """A row of `shown_passages`: where there is a mark, its notice stands for the text."""
    converted: dict[str, Any] = {"source": Source(row["source"]), "created_at": time_of(row["created_at"])}
    if row["mark"] is not None:
        converted |= {"token_count": None}
    return Passage(**_fields(row) | converted | _marked(row))


def round_of(row: Row) -> Round:
    """A row of `rounds`; what only the store needs of it stays behind."""
    fields = _fields(row)
    del fields["interaction_id"], fields["announced_at"]
    converted = {
        "kind": RoundKind(row["kind"]),
        "state": RoundState(row["state"]),
        "style": Style(row["style"]),
        "settings": settings_of(row["settings"]),
        "opened_at": time_of(row["opened_at"]),
        "deadline_at": time_or_none(row["deadline_at"]),
        "extended": bool(row["extended"]),
        "closed_at": time_or_none(row["closed_at"]),
    }
    return Round(**fields | converted)


def candidate_of(row: Row) -> Candidate:
    """A row of `shown_candidates`: where there is a mark, its notice stands for the text."""
    converted = {
        "source": Source(row["source"]),
        "provenance": provenance_of(row["provenance"]),
        "is_withdrawn": bool(row["is_withdrawn"]),
    }
    return Candidate(**_fields(row) | converted | _marked(row))


def held_text_of(row: Row) -> HeldText:
    """A row of `held_texts`."""
    return HeldText(**_fields(row) | {"written_at": time_of(row["written_at"])})


def ballot_of(rows: Sequence[Row]) -> Ballot:
    """One member's ballot joined with its choices: a row for each choice, at least one."""
    return Ballot(rows[0]["user_id"], frozenset(row["choice"] for row in rows), time_of(rows[0]["cast_at"]))


def setting_change_of(row: Row) -> SettingChange:
    """A row of `setting_changes`."""
    fields = _fields(row)
    del fields["id"], fields["guild_id"]
    return SettingChange(**fields | {"changed_at": time_of(row["changed_at"])})


def audit_entry_of(row: Row) -> AuditEntry:
    """A row of `audit_log`."""
    converted = {"at": time_of(row["at"]), "deed": Deed(row["deed"]), "detail": json.loads(row["detail"])}
    return AuditEntry(**_fields(row) | converted)


def bar_of(row: Row) -> Bar:
    """A row of `bars`."""
    return Bar(**_fields(row) | {"until": time_of(row["until"]), "barred_at": time_of(row["barred_at"])})


def stop_of(row: Row) -> Stop:
    """A row of `stops`."""
    return Stop(**_fields(row) | {"stopped_at": time_of(row["stopped_at"])})


def log_channel_of(row: Row) -> LogChannel:
    """A row of `log_channels`; how far it was posted stays behind."""
    return LogChannel(row["guild_id"], row["channel_id"], row["failure"])


def case_of(row: Row) -> Case:
    """A row of `cases`."""
    fields = _fields(row)
    del fields["drawn"]
    outcome = None if row["outcome"] is None else Act(row["outcome"])
    return Case(**fields | {"opened_at": time_of(row["opened_at"]), "outcome": outcome})


def case_voice_of(row: Row) -> CaseVoice:
    """A row of `case_voices`."""
    fields = _fields(row)
    del fields["id"], fields["case_id"]
    return CaseVoice(**fields | {"voice": Voice(row["voice"]), "at": time_of(row["at"])})


def case_act_of(row: Row) -> CaseAct:
    """A row of `case_acts`."""
    fields = _fields(row)
    del fields["case_id"]
    is_told = None if row["is_told"] is None else bool(row["is_told"])
    return CaseAct(**fields | {"act": Act(row["act"]), "at": time_of(row["at"]), "is_told": is_told})


def _marked(row: Row) -> dict[str, Any]:
    mark = mark_or_none(row["mark"])
    return {"mark": mark} if mark is None else {"mark": mark, "text": NOTICES[mark]}


def stored_rule_of(row: Row) -> StoredRule:
    """A row of `filter_rule_versions`, joined with its rule and its revision."""
    return StoredRule(**_fields(row) | {"at": time_of(row["at"])})


def revision_of(row: Row) -> Revision:
    """A row of `filter_revisions` with its counts."""
    return Revision(**_fields(row) | {"at": time_of(row["at"])})


def hit_figure_of(row: Row) -> HitFigure:
    """Rows of `filter_hits`, counted."""
    return HitFigure(**_fields(row) | {"is_shadow": bool(row["is_shadow"]), "last_at": time_of(row["last_at"])})


def withheld_text_of(row: Row) -> WithheldText:
    """A row of `withheld_texts`."""
    fields = _fields(row)
    del fields["id"]
    return WithheldText(**fields | {"at": time_of(row["at"])})


def past_text_of(row: Row) -> PastText:
    """A row of `candidates`, with where it stood."""
    return PastText(**_fields(row) | {"is_canon": bool(row["is_canon"])})


def _fields(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over its values
