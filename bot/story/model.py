"""The values that everything else passes around: stories, passages, rounds, candidates, ballots.

All are immutable. Ids are the database's integers; Discord ids are named `…_user_id`, `channel_id`, `guild_id`,
`message_id`. Times are aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.story.marks import Mark


class RoundKind(StrEnum):
    """What a round asks of the channel."""

    CONTINUE = "continue"
    REWRITE = "rewrite"


class Style(StrEnum):
    """How a passage is written anew: as new text by the storyteller, or with small changes of its wording."""

    FRESH = "fresh"
    LIGHT = "light"


class RoundState(StrEnum):
    """generating → open → closed; generating|open → cancelled; generating → failed."""

    GENERATING = "generating"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Source(StrEnum):
    """Who wrote a text: the model, a member, or (in a rewrite) the passage that already stands in canon."""

    MODEL = "model"
    MEMBER = "member"
    INCUMBENT = "incumbent"


class Method(StrEnum):
    """How ballots are counted: approval lets a member choose several candidates, plurality exactly one."""

    APPROVAL = "approval"
    PLURALITY = "plurality"


class Tally(StrEnum):
    """Whether the public ballot shows counts while it is open."""

    HIDDEN = "hidden"
    LIVE = "live"


class Hints(StrEnum):
    """Whether the hint's words are asked for while the model writes, or only stand in its prompt."""

    FIRM = "firm"
    LOOSE = "loose"


@dataclass(frozen=True)
class RoundSettings:
    """How a channel's rounds run; bounds and defaults are in `story.settings`. A round keeps the copy it began with."""

    candidates: int = 3
    minutes: float = 10.0
    method: Method = Method.APPROVAL
    quorum: int = 2
    length: int = 80
    tally: Tally = Tally.HIDDEN
    early: bool = True
    hints: Hints = Hints.FIRM


@dataclass(frozen=True)
class Story:
    """A story of one channel or thread. `head_id` is the last passage of canon, None before the first.

    `style` is the genre or mood that its starter named, empty where none was named.
    """

    id: int
    guild_id: int
    channel_id: int
    title: str
    premise: str
    head_id: int | None
    started_by: int
    started_at: datetime
    ended_at: datetime | None = None
    style: str = ""

    @property
    def is_running(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True)
class Passage:
    """One immutable piece of a story's tree. `token_count` is the worker's, None where it could not be asked.

    `round_id` is the round that chose it. A passage that followed one which was rewritten in the middle of the story
    stands in canon as a copy: `copy_of` is its original, never itself a copy, and `copied_in` the round of the rewrite.
    With a `mark` of the moderators, `text` is the notice that stands in its place, and counts no tokens.
    """

    id: int
    story_id: int
    parent_id: int | None
    text: str
    source: Source
    author_user_id: int | None
    round_id: int | None
    token_count: int | None
    created_at: datetime
    copy_of: int | None = None
    copied_in: int | None = None
    mark: Mark | None = None

    @property
    def original_id(self) -> int:
        return self.id if self.copy_of is None else self.copy_of


@dataclass(frozen=True)
class PromptRecord:
    """Which parts a prompt was made of and what had to be left out: the fact behind "why did it write that?".

    `suffix_used` is the text that the model was told comes after, with its `suffix_tokens`; None where it was told
    nothing. `passages_after` are the passages that `suffix_used` was taken from. `parts_left_out` are what the story
    has and the model was not told: it was not taught such a part, or there was no room.
    """

    parts: tuple[str, ...] = ()
    passages_used: tuple[int, ...] = ()
    passages_left_out: tuple[int, ...] = ()
    hint_used: str | None = None
    prompt_tokens: int | None = None
    budget_tokens: int | None = None
    suffix_used: str | None = None
    suffix_tokens: int | None = None
    passages_after: tuple[int, ...] = ()
    parts_left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """Where a model's candidate came from, complete enough to generate it again."""

    model: str
    revision: str | None
    seed: int
    sampling: Mapping[str, float | int | str | list[str]]
    prompt: PromptRecord
    prompt_tokens: int | None
    completion_tokens: int | None
    finish_reason: str


@dataclass(frozen=True)
class Draft:
    """A candidate before it is stored. `passage_id` names the incumbent's passage."""

    text: str
    source: Source
    author_user_id: int | None = None
    passage_id: int | None = None
    provenance: Provenance | None = None


@dataclass(frozen=True)
class Candidate:
    """One answer in a round. `position` (0, 1, …) is its place on the ballot: shuffled once, then stored.

    With a `mark` of the moderators, `text` is the notice that stands in its place. `is_withdrawn`: they took it off the
    ballot while that was open, and votes for it don't count.
    """

    id: int
    round_id: int
    position: int
    text: str
    source: Source
    author_user_id: int | None
    passage_id: int | None
    provenance: Provenance | None
    mark: Mark | None = None
    is_withdrawn: bool = False

    @property
    def letter(self) -> str:
        """The name members see: A, B, C …"""
        return chr(ord("A") + self.position)


@dataclass(frozen=True)
class Round:
    """One question put to the channel.

    `passage_id` is the passage of canon that a `rewrite` would replace. `parent_id` is the passage that a winner will
    follow: the head for `continue`, the parent of `passage_id` for `rewrite`. `base_head_id` is the head when the round
    began; closing is refused if it has moved. `seed` decides the order of candidates and any lot. `reroll` counts how
    many "none of these" results led to this round.
    """

    id: int
    story_id: int
    kind: RoundKind
    state: RoundState
    settings: RoundSettings
    hint: str | None
    opened_by: int
    guild_id: int
    channel_id: int
    message_id: int | None
    parent_id: int | None
    base_head_id: int | None
    seed: int
    reroll: int
    opened_at: datetime
    deadline_at: datetime | None
    extended: bool
    closed_at: datetime | None = None
    closed_by: int | None = None
    rule: str | None = None
    winner_id: int | None = None
    withheld: int = 0
    failure: str | None = None
    passage_id: int | None = None
    style: Style = Style.FRESH

    @property
    def is_in_the_middle(self) -> bool:
        """Whether it rewrites a passage that others follow."""
        return self.passage_id is not None and self.passage_id != self.base_head_id


NONE_OF_THESE = 0
"""The choice that asks for new candidates; never a candidate's id (those begin at 1)."""


@dataclass(frozen=True)
class Ballot:
    """One member's vote: the ids of the chosen candidates, or `{NONE_OF_THESE}`. Never empty."""

    user_id: int
    choices: frozenset[int]
    cast_at: datetime


@dataclass(frozen=True)
class Filled:
    """A prompt ready to send, with the record of how it was made. `suffix` is what comes after it, None for nothing."""

    text: str
    stop: tuple[str, ...]
    max_tokens: int
    record: PromptRecord = field(default_factory=PromptRecord)
    suffix: str | None = None
