"""Which passages of canon go into a prompt that cannot hold them all.

The worker keeps the keys and values of a prompt's beginning, so consecutive prompts should begin alike. Dropping the
oldest passage each turn would change the beginning each turn; here, when the room is full, the oldest go until a third
of it is free, and then nothing moves until it is full again. The opening stays, for a story that forgets how it began
becomes another story.

All of this follows from the passages and the room alone: the window of a story is found by letting the story grow
from its beginning once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Window:
    """Passages `start` and later are in the prompt, and the opening before them where `has_opening`.

    `last_fits` is false where even the last passage alone is larger than the room: it must be cut, or left out.
    """

    start: int
    has_opening: bool
    last_fits: bool


def choose_window(costs: Sequence[int], steady_room: int, room: int) -> Window:
    """The window for passages of `costs` tokens each (oldest first).

    `steady_room` is what a prompt with an ordinary hint leaves, and decides where the window begins; `room` is what
    this prompt leaves. A hint that is larger than usual moves the window for its own prompt only.
    """
    sums = list(accumulate(costs, initial=0))
    start = 0
    for end in range(1, len(costs) + 1):
        start = _advance(sums, start, end, steady_room)
    least_room = min(steady_room, room)
    if room < steady_room:
        start = _advance(sums, start, len(costs), room)
    kept = sums[-1] - sums[start]
    return Window(
        start=start,
        has_opening=start > 0 and 0 < _opening(sums, least_room) <= least_room - kept,
        last_fits=kept <= room,
    )


def _advance(sums: Sequence[int], start: int, end: int, room: int) -> int:
    """Where the window begins after the passage `end - 1` joined: unmoved while it fits, else far enough to last."""
    kept = sums[end] - sums[start]
    opening = _opening(sums, room)
    if kept + (opening if start else 0) <= room:
        return start
    target = (room - opening) * 2 // 3
    while start < end - 1 and (start == 0 or sums[end] - sums[start] > target):
        start += 1
    return start


def _opening(sums: Sequence[int], room: int) -> int:
    """What the opening takes in a window that has moved; 0 where it is too large to stay: the present comes first."""
    cost = sums[1] if len(sums) > 1 else 0
    return cost if cost <= room // 2 else 0
