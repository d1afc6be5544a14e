"""Cases: what members or filters brought before the moderators, and what those did about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.story.marks import Mark


class Voice(StrEnum):
    """Who brought it: a member who saw a text, a filter, or a member whose own text was refused."""

    REPORT = "report"
    FLAG = "flag"
    APPEAL = "appeal"


class Act(StrEnum):
    """What a moderator does about a case. Stored by its value, so a value is never given another meaning."""

    REMOVE = "remove"
    REWIND = "rewind"
    REDACT = "redact"
    RESTORE = "restore"
    DISMISS = "dismiss"
    WARN = "warn"
    BAR = "bar"

    @property
    def resolves(self) -> bool:
        """Whether the case is resolved by it; a warned or barred member's text still stands."""
        return self not in (Act.WARN, Act.BAR)


@dataclass(frozen=True)
class Thing:
    """What a voice is about, as whoever speaks knows it: a passage, a candidate, or a text that is neither.

    `kind` names the text's sort ("hint"), `author_user_id` its writer, and `round_id` the round it was written for;
    of the others the database knows all that.
    """

    guild_id: int
    channel_id: int
    passage_id: int | None = None
    candidate_id: int | None = None
    text: str | None = None
    kind: str | None = None
    author_user_id: int | None = None
    round_id: int | None = None


@dataclass(frozen=True)
class CaseVoice:
    """One report, flag or appeal. `user_id` is who reported or appealed; None where a filter did by itself."""

    voice: Voice
    user_id: int | None
    category: str
    rule: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class CaseAct:
    """One thing that was done. `is_told`: whether the member could be told; None where nobody has tried."""

    id: int
    act: Act
    by: int
    at: datetime
    reason: str
    is_told: bool | None = None


@dataclass(frozen=True)
class Case:
    """One thing before a server's moderators: a passage, a candidate, or a text that became neither.

    Exactly one of `passage_id` (the original of its copies), `candidate_id` and `text` is there; `kind` names what sort
    of text the latter is. `author_user_id` is the member who wrote it. `outcome` is the last act that resolved the
    case, None while it is open. `changes` counts what happened to it; where the card shows an earlier state, it is
    drawn again.
    """

    id: int
    guild_id: int
    channel_id: int
    passage_id: int | None
    candidate_id: int | None
    text: str | None
    kind: str | None
    round_id: int | None
    author_user_id: int | None
    opened_at: datetime
    outcome: Act | None
    card_channel_id: int | None
    card_message_id: int | None
    changes: int

    @property
    def is_open(self) -> bool:
        return self.outcome is None


@dataclass(frozen=True)
class Voiced:
    """What a voice did. `is_new` is False where the same was said before: then nothing was changed."""

    case: Case
    is_new: bool


@dataclass(frozen=True)
class Subject:
    """What a case is about, as it stands now.

    `text` is the original, whatever was done to it: for moderators only. `round_id` is the round that it was written
    for, `passage_id` the passage that it became. `number` is its place in the story as it stands, None where it has
    none. `replaced` is the text that it is another version of, `before` what comes before it. `is_on_ballot`: members
    can vote for it now, so its author is nobody's business yet.
    """

    text: str
    kind: str
    story_title: str = ""
    story_id: int | None = None
    author_user_id: int | None = None
    round_id: int | None = None
    passage_id: int | None = None
    letter: str | None = None
    number: int | None = None
    before: str | None = None
    replaced: str | None = None
    mark: Mark | None = None
    is_on_ballot: bool = False


def possible_acts(case: Case, subject: Subject) -> tuple[Act, ...]:
    """What can be done about the case as it stands, in the order in which it is offered."""
    return (*_about_text(case, subject), *_about_member(subject))


def _about_text(case: Case, subject: Subject) -> tuple[Act, ...]:
    if subject.mark is Mark.REDACTED and subject.number is not None:
        return (Act.RESTORE, Act.REMOVE, Act.REWIND)
    if subject.mark is not None:
        return (Act.RESTORE,)
    if not case.is_open:
        return ()
    if subject.number is not None:
        return (Act.REDACT, Act.REMOVE, Act.REWIND, Act.DISMISS)
    if subject.is_on_ballot:
        return (Act.REMOVE, Act.DISMISS)
    return (Act.REDACT, Act.DISMISS) if subject.story_id is not None else (Act.DISMISS,)


def _about_member(subject: Subject) -> tuple[Act, ...]:
    return () if subject.author_user_id is None else (Act.WARN, Act.BAR)
