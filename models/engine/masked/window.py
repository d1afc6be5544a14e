"""How much of what stands around a passage fits into the model's window."""

from __future__ import annotations

from collections.abc import Sequence


class TooLong(ValueError):
    """The passage alone has more tokens than the window; `limit` says how many it may have."""

    def __init__(self, found: int, limit: int) -> None:
        self.limit = limit
        super().__init__(f"it has {found} tokens, and this model reads at most {limit} at a time")


def fit(num_before: int, num_middle: int, num_after: int, limit: int) -> tuple[int, int]:
    """How many tokens before and after the middle are read: half of the room each, or more where the other needs less.

    Raises `TooLong`.
    """
    room = limit - num_middle
    if room < 0:
        raise TooLong(num_middle, limit)
    after = min(num_after, max(room // 2, room - num_before))
    return min(num_before, room - after), after


def span_of(offsets: Sequence[tuple[int, int]], begin: int, end: int) -> tuple[int, int]:
    """The tokens [first, last) that stand for a character of [begin, end), and any of no width between them."""
    inside = [i for i, (first, last) in enumerate(offsets) if first < end and last > begin]
    if not inside:
        place = next((i for i, (first, _) in enumerate(offsets) if first >= end), len(offsets))
        return place, place
    return inside[0], inside[-1] + 1
