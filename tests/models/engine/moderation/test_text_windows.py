"""Long texts as windows."""

from __future__ import annotations

from itertools import pairwise

import pytest

from models.engine.moderation.windows import windows_of


@pytest.mark.parametrize("length", [0, 1, 7, 8])
def test_a_text_that_fits_is_one_window(length: int) -> None:
    assert windows_of(range(length), 8) == [tuple(range(length))]


@pytest.mark.parametrize("size", [1, 2, 8, 50])
@pytest.mark.parametrize("length", [51, 97, 120])
def test_windows_are_whole_lose_nothing_and_share_a_quarter(size: int, length: int) -> None:
    found = windows_of(range(length), size)
    assert {len(window) for window in found} == {size}
    assert [window[0] for window in found] == sorted({window[0] for window in found})
    assert {i for window in found for i in window} == set(range(length))
    assert found[-1][-1] == length - 1
    for first, second in pairwise(found):
        assert len(set(first) & set(second)) >= size // 4
