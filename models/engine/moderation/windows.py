"""A text that is longer than the model's window, as windows that overlap, so that nothing stands on a border only."""

from __future__ import annotations

from collections.abc import Sequence

OVERLAP = 4
"""Windows share one part in so many of their tokens with the next one."""


def windows_of(ids: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """All of `ids` in runs of at most `size`; the last one ends where the text does, so it is a whole window too."""
    if len(ids) <= size:
        return [tuple(ids)]
    last = len(ids) - size
    step = max(1, size - size // OVERLAP)
    return [tuple(ids[first : first + size]) for first in (*range(0, last, step), last)]
