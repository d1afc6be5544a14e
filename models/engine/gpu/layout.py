"""Which columns a decode step's rows see, as ranges: plain numbers, worked out where rows come or go.

First come the prompts, part by part, then each row's own columns. Queries stand once for each part, so range i of part
k counts its rows from ``k * rows``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_ROWS_OF_SLOT = 16
"""A kernel is launched for so many rows of each prompt, whether they are there or not."""


@dataclass(frozen=True)
class Shared:
    """`num_rows` rows behind a prompt of `num_tokens`, whose columns begin at `start`."""

    num_rows: int
    start: int
    num_tokens: int


@dataclass(frozen=True)
class Layout:
    """See `ranges.Ranges`; of the last `rows` ranges, the rows' own, `used` grows from step to step.

    `is_hidden` says for each part and row whether it has nothing to see there: a range can't be empty.
    """

    firsts: list[int]
    starts: list[int]
    used: list[int]
    is_hidden: list[list[bool]]


def lay_out(prompts: Sequence[Shared], own_starts: Sequence[int], own_used: Sequence[int]) -> Layout:
    """The ranges of rows, prompt after prompt, whose own columns begin at `own_starts`.

    There are as many ranges for a part of the prompts as there are rows, whatever the number of prompts.
    """
    num_rows, firsts, starts, used = len(own_starts), list[int](), list[int](), list[int]()
    is_hidden = list[list[bool]]()
    for part in range(num_splits(num_rows)):
        first, hidden = part * num_rows, list[bool]()
        for prompt in prompts:
            share = -(-prompt.num_tokens // num_splits(num_rows))
            before = min(part * share, prompt.num_tokens - 1)
            firsts.append(first)
            starts.append(prompt.start + before)
            used.append(min(share, prompt.num_tokens - before))
            first += prompt.num_rows
            hidden += [part * share >= prompt.num_tokens] * prompt.num_rows
        nobody = num_rows - len(prompts)
        firsts, starts, used = firsts + [first] * nobody, starts + [0] * nobody, used + [1] * nobody
        is_hidden.append(hidden)
    begin = num_splits(num_rows) * num_rows
    return Layout(
        firsts=[*firsts, *range(begin, begin + num_rows + 1)],
        starts=[*starts, *own_starts, own_starts[-1]],
        used=[*used, *own_used],
        is_hidden=[*is_hidden, [False] * num_rows],
    )


def num_splits(num_rows: int) -> int:
    """In how many parts a prompt is read: more where there are few rows to keep a GPU busy."""
    return next((splits for most, splits in ((4, 8), (16, 4), (48, 2)) if num_rows <= most), 1)
