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
