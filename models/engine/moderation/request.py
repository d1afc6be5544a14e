"""What is asked of a classifier: texts, as the windows that it reads of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.engine.moderation.checkpoint import ClassifierCheckpoint

Ids = tuple[int, ...]


@dataclass(frozen=True)
class ModerationRequest:
    """`texts` hold the windows of each text, one or more."""

    id: str
    texts: tuple[tuple[Ids, ...], ...]

    @property
    def num_tokens(self) -> int:
        """What is read for it, special tokens and overlaps counted."""
        return sum(len(window) for windows in self.texts for window in windows)


def request_for(checkpoint: ClassifierCheckpoint, request_id: str, texts: Sequence[str]) -> ModerationRequest:
    """Tokenizes, so it may take a while for long texts."""
    return ModerationRequest(request_id, tuple(checkpoint.windows(text) for text in texts))
