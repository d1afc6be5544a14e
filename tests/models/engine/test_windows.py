"""What rows see of a slot where a layer looks back over a window only."""

from __future__ import annotations

import pytest
import torch

from models.engine.network import Batch, Segment
from models.engine.windows import column_of, needed, position_of, within

PROMPT, STRIDE = 10, 3  # ten tokens of a prompt, then three rows woven into each other


def reading(first: int, count: int) -> Segment:
    mask = None
    if first > 0 and count > 1:
        mask = torch.full((count, first + count), -torch.inf).triu_(first + 1)
    return Segment(0, count, 0, torch.arange(first, first + count), first + count, mask, True, first + count)


def writing(step: int, places: list[int]) -> Segment:
    columns = torch.tensor([PROMPT + step * STRIDE + place for place in places])
    width = int(columns[-1]) + 1
    mask = torch.zeros(len(places), width)
    behind = torch.arange(width - PROMPT) % STRIDE
    mask[:, PROMPT:].masked_fill_(behind[None] != torch.tensor(places)[:, None], -torch.inf)
    return Segment(0, len(places), 0, columns, width, mask, False, PROMPT, STRIDE)


def seen(segment: Segment) -> list[list[int]]:
    """The columns that each row sees."""
    size = segment.width - segment.begin
    mask = segment.mask
    if mask is None:
        mask = torch.zeros(segment.count, size)
        if segment.count > 1:
            assert segment.count == size, "without a mask rows are one, or those that begin the slot"
            mask = torch.full_like(mask, -torch.inf).triu_(1)
    assert mask.shape == (segment.count, size)
    assert set(mask.unique().tolist()) <= {0.0, -torch.inf}
    return [[segment.begin + int(c) for c in torch.nonzero(row == 0)] for row in mask]


def cut(segment: Segment, window: int | None) -> Segment:
    nothing = torch.tensor([], dtype=torch.long)
    return within(Batch(nothing, nothing, (segment,), nothing), window, torch.float32).segments[0]


def expected(segment: Segment, window: int) -> list[list[int]]:
    """By the words of the definition: what the row saw, as far as it is less than `window` behind."""
    return [
        [c for c in columns if position_of(c, segment) > position_of(int(own), segment) - window]
        for own, columns in zip(segment.columns, seen(segment), strict=True)
    ]


SEGMENTS = {
    "the slot's first": reading(0, 9),
    "a chunk": reading(4, 6),
    "one token": reading(8, 1),
    "all rows": writing(4, [0, 1, 2]),
    "what is left of them": writing(5, [0, 2]),
    "the last of them": writing(2, [1]),
}


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("window", [1, 2, 3, 4, 5, 8, 13, 14, 100])
def test_a_row_sees_what_is_less_than_the_window_behind_it(name: str, window: int) -> None:
    segment = SEGMENTS[name]
    assert seen(cut(segment, window)) == expected(segment, window)


@pytest.mark.parametrize("name", SEGMENTS)
def test_a_text_within_the_window_costs_nothing_and_a_longer_one_is_read_no_further(name: str) -> None:
    segment = SEGMENTS[name]
    length = position_of(segment.width - 1, segment) + 1
    assert cut(segment, length) is segment
    assert cut(segment, None) is segment
    place = 0 if segment.is_reading else int(segment.columns[0] - PROMPT) % STRIDE
    assert cut(segment, 1).begin == int(segment.columns[0]) - place


def test_columns_and_places_in_a_text_belong_to_each_other() -> None:
    segment = writing(4, [0, 1, 2])
    places = [position_of(column, segment) for column in range(segment.width)]
    assert places == [*range(10), 10, 10, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14]
    assert [column_of(place, segment) for place in range(15)] == [*range(10), 10, 13, 16, 19, 22]


def test_a_window_as_long_as_any_text_is_none() -> None:
    assert [needed(size, 100) for size in (None, 99, 100, 4096)] == [None, 99, None, None]
