"""Which words of a text are not those that stood there before."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Indel


def changed_words(old: Sequence[str], new: Sequence[str]) -> list[int]:
    """Indexes of the words of `new` that are not in `old` at their place, ascending; as few as possible."""
    return [
        index
        for step in Indel.opcodes(list(old), list(new))
        if step.tag in ("insert", "replace")
        for index in range(step.dest_start, step.dest_end)
    ]
