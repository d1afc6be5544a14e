"""What is outside of the filters and works with them: who looks at flagged texts, and who scores texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.filters.base import TextKind, Verdict


@dataclass(frozen=True)
class Flagged:
    """A text that is shown, and that a rule wants moderators to look at.

    `user_id` is the member who typed it, None for the model. `candidate_id` is None where it stands on no ballot (yet).
    """

    guild_id: int
    channel_id: int
    kind: TextKind
    text: str
    verdict: Verdict
    user_id: int | None
    round_id: int | None = None
    candidate_id: int | None = None


class Flags(Protocol):
    """Where moderators are told; it is stored before this returns."""

    async def flag(self, flagged: Flagged) -> None: ...


class Classifier(Protocol):
    """Scores texts by category, from 0 to 1: a mapping for each text, in order. Raises a WorkerError."""

    async def moderate(self, texts: Sequence[str]) -> Sequence[Mapping[str, float]]: ...
