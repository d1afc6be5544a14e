"""What the service hands to whoever draws: frozen snapshots of the store's state, read in one go.

A view is true at the moment it was read. Drawing it again later means asking for it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.store import Acted, StoryLine
from bot.story.audit import AuditEntry, Deed
from bot.story.cases import Act, Case, CaseAct, CaseVoice, Subject
from bot.story.election import Outcome
from bot.story.limits import Bar, LogChannel
from bot.story.model import Candidate, Passage, Round, Story

__all__ = [
    "Acted",
    "BallotView",
    "BarPage",
    "BarReceipt",
    "CasePage",
    "CaseView",
    "Extended",
    "LogPage",
    "MessagePlace",
    "PassageLine",
    "Reported",
    "ResultView",
    "SettingLine",
    "StoryLine",
    "StoryPage",
    "StoryView",
    "VoteReceipt",
    "WriteResult",
]


@dataclass(frozen=True)
class BallotView:
    """A round and what may be shown of it, in any state.

    `candidates` stand in ballot order. `tally` maps a candidate's id (or NONE_OF_THESE) to its votes; it is None while
    the round is not closed and its settings keep the tally hidden. `num_ballots` counts members who have voted.
    `incumbent_id` is the candidate that stands in canon already, in a rewrite; `passage_number` says which passage of
    the story that is, counted from 1, and is None in a `continue`. `notices` are whole sentences to print under the
    ballot; they are derived from the stored round, so every redraw has the same ones.
    """

    round: Round
    story: Story
    candidates: tuple[Candidate, ...]
    num_ballots: int
    tally: Mapping[int, int] | None
    incumbent_id: int | None
    notices: tuple[str, ...] = ()
    passage_number: int | None = None

    def candidate(self, candidate_id: int) -> Candidate | None:
        """The candidate with this id, None where the round has no such candidate."""
        return next((c for c in self.candidates if c.id == candidate_id), None)


@dataclass(frozen=True)
class ResultView:
    """A closed round: who won, by which rule, and what canon looks like now.

    `ballot.candidates` may now be shown with their authors. `passage` is the passage of canon that this round made or
    kept (in a rewrite that the incumbent won: the old passage); None when nobody won. `next_round` is the
    round that "none of these" led to, in state `generating`: the caller runs `RoundService.generate` on it. Only
    `settle` and `conclude` give it; it is None in every later redraw.
    """

    ballot: BallotView
    outcome: Outcome
    passage: Passage | None
    winner: Candidate | None
    next_round: Round | None = None


@dataclass(frozen=True)
class Extended:
    """The deadline came and too few had voted: the round goes on, once, until `view.round.deadline_at`."""

    view: BallotView


@dataclass(frozen=True)
class VoteReceipt:
    """What a click did. `choices` is the member's ballot now; empty means that the ballot was taken back.

    `unchanged` is true where the click was the second half of a double click: nothing was counted anew and the
    earlier ballot stands. `closes_now` asks the caller to `settle` the round.
    """

    round: Round
    choices: frozenset[int]
    candidates: tuple[Candidate, ...]
    closes_now: bool
    unchanged: bool = False


@dataclass(frozen=True)
class WriteResult:
    """A member's own text was taken.

    `joined` is true where a round was already under way: while it is open the ballot must be redrawn, while it is
    generating the text will stand in the ballot when it opens. Otherwise the text began `round`, and with
    `must_generate` the caller runs `RoundService.generate` on it.
    """

    round: Round
    joined: bool
    must_generate: bool


@dataclass(frozen=True)
class StoryView:
    """A running story: canon from the first passage to the last, and its unfinished round, if there is one."""

    story: Story
    passages: tuple[Passage, ...]
    unfinished: Round | None


@dataclass(frozen=True)
class PassageLine:
    """One passage to choose from: its number in the story, counted from 1, and its text."""

    number: int
    text: str
    is_last: bool


@dataclass(frozen=True)
class StoryPage:
    """One page of a server's stories, newest first. `number` counts from 0."""

    lines: tuple[StoryLine, ...]
    number: int
    has_more: bool


@dataclass(frozen=True)
class BarReceipt:
    """A bar that was laid, and the one that it took the place of, None where there was none."""

    bar: Bar
    earlier: Bar | None


@dataclass(frozen=True)
class BarPage:
    """One page of a server's bars, those that end first first. `number` counts from 0."""

    bars: tuple[Bar, ...]
    number: int
    has_more: bool


@dataclass(frozen=True)
class LogPage:
    """One page of a server's audit log, newest first, with what it was asked for.

    `top` is the id of the first page's first line (0 for an empty log), `channel` where new lines are posted.
    """

    entries: tuple[AuditEntry, ...]
    number: int
    has_more: bool
    top: int
    member_id: int | None
    deed: Deed | None
    channel: LogChannel | None


@dataclass(frozen=True)
class SettingLine:
    """One setting as it holds in a channel: `origin` is "channel", "server" or "default"; values are as typed."""

    name: str
    value: str
    origin: str
    default: str
    bounds: str
    help: str


@dataclass(frozen=True)
class MessagePlace:
    """Where a message stands."""

    guild_id: int
    channel_id: int
    message_id: int


@dataclass(frozen=True)
class Reported:
    """A voice was heard. `is_new` is False where the same was said before; `has_channel`: a channel shows the card."""

    case: Case
    is_new: bool
    has_channel: bool


@dataclass(frozen=True)
class CaseView:
    """A case as moderators see it: what it is about (the original text), who spoke, what was done, what can be done.

    `shown_at` is the message where members read the text, None for a text that nobody has read. `is_blind`: its author
    is not told before the vote closes.
    """

    case: Case
    subject: Subject
    voices: tuple[CaseVoice, ...]
    acts: tuple[CaseAct, ...]
    possible: tuple[Act, ...]
    shown_at: MessagePlace | None
    is_blind: bool


@dataclass(frozen=True)
class CasePage:
    """One page of a server's open cases, the oldest first. `number` counts from 0."""

    cases: tuple[CaseView, ...]
    number: int
    has_more: bool
