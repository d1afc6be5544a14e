"""Choosing a passage by its number or its words."""

import pytest

from bot.story.finding import find_passages

TOLD = [f"Passage of {word}." for word in ("Wind", "rain", "snow\nand ice", "rain again")] + ["Calm."] * 8


@pytest.mark.parametrize(
    ("typed", "limit", "numbers"),
    [
        ("", 3, [12, 11, 10]),
        ("  ", 99, list(range(12, 0, -1))),
        ("1", 99, [1, 10, 11, 12]),
        ("12", 99, [12]),
        ("13", 99, []),
        ("0", 99, []),
        ("RAIN", 99, [4, 2]),
        ("rain", 1, [4]),
        ("snow and", 99, [3]),
        ("dragon", 99, []),
        ("²", 99, []),
    ],
)
def test_the_likeliest_passages_come_first(typed, limit, numbers):
    assert find_passages(TOLD, typed, limit) == numbers


def test_a_story_without_passages_offers_none():
    assert find_passages([], "", 25) == find_passages([], "1", 25) == []
