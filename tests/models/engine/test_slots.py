"""What is kept for the next prompt, and where it goes."""

from __future__ import annotations

import pytest
import torch

from models.engine.network import NetworkShape
from models.engine.slots import MIN_COPIED, Slot, SlotPool, common_length

SHAPE = NetworkShape(1, 1, 1, 1, 100, torch.device("cpu"), torch.float32)


def fill(pool: SlotPool, slot: Slot, tokens: list[int], rows: list[list[int]] | None = None) -> None:
    """Writes as the engine would: the key of a token is the token."""
    slot.tokens, slot.rows, slot.stride = list(tokens), rows or [], max(1, len(rows or []))
    keys = pool.cache[0].keys[slot.index, 0, :, 0]
    for place, token in enumerate(tokens):
        keys[place] = token
    for j, row in enumerate(rows or []):
        for t, token in enumerate(row):
            keys[len(tokens) + t * slot.stride + j] = token


def keys(pool: SlotPool, slot: Slot) -> list[float]:
    return pool.cache[0].keys[slot.index, 0, : len(slot.tokens), 0].tolist()


def taken(pool: SlotPool, prompt: list[int]) -> Slot:
    slot = pool.take(prompt)
    assert slot is not None
    assert keys(pool, slot) == slot.tokens
    return slot


def test_the_common_beginning_is_counted_token_by_token() -> None:
    assert [common_length([1, 2, 3], other) for other in ([], [1], [1, 2, 9], [1, 2, 3, 4], [9])] == [0, 1, 2, 3, 0]


@pytest.mark.parametrize("chosen", [0, 1, 2])
def test_a_prompt_that_goes_on_with_a_row_keeps_its_columns_moved_together(chosen: int) -> None:
    pool = SlotPool(SHAPE, 2, 60)
    slot = taken(pool, [1, 2, 3])
    rows = [[10, 11, 12, 13], [20, 21], [30, 31, 32]]
    fill(pool, slot, [1, 2, 3], rows)
    pool.give_back(slot)
    again = taken(pool, [1, 2, 3, *rows[chosen], 50, 51])
    assert again is slot
    assert again.tokens == [1, 2, 3, *rows[chosen]]
    assert again.rows == []


def test_a_row_is_kept_as_far_as_the_prompt_follows_it() -> None:
    pool = SlotPool(SHAPE, 1, 60)
    slot = taken(pool, [1, 2, 3])
    fill(pool, slot, [1, 2, 3], [[10, 11, 12], [10, 11, 22]])
    pool.give_back(slot)
    assert taken(pool, [1, 2, 3, 10, 11, 22, 9]).tokens == [1, 2, 3, 10, 11, 22]


def test_the_last_token_of_a_prompt_is_always_read_again() -> None:
    pool = SlotPool(SHAPE, 1, 60)
    slot = taken(pool, [1, 2, 3])
    fill(pool, slot, [1, 2, 3], [[10]])
    pool.give_back(slot)
    assert taken(pool, [1, 2, 3]).tokens == [1, 2]


def test_another_story_takes_the_slot_unused_for_longest_and_leaves_the_others() -> None:
    pool = SlotPool(SHAPE, 3, 60)
    stories = [[10, 11, 12], [20, 21, 22], [30, 31, 32]]
    slots = [taken(pool, story) for story in stories]
    for slot, story in zip(slots, stories, strict=True):
        fill(pool, slot, story)
        pool.give_back(slot)
    pool.give_back(taken(pool, [*stories[0], 1]))  # the first story goes on
    assert taken(pool, [40, 41]) is slots[1]
    assert taken(pool, [*stories[2], 1]).tokens == stories[2]


def test_a_shared_beginning_is_copied_and_stays_where_it_was() -> None:
    pool = SlotPool(SHAPE, 2, 60)
    shared = list(range(1, MIN_COPIED + 5))
    first = taken(pool, shared)
    fill(pool, first, shared)
    second = taken(pool, [*shared, 90, 91])  # while the first is still taken
    assert second is not first
    assert second.tokens == shared
    assert keys(pool, first) == shared


def test_a_short_shared_beginning_does_not_cost_another_story_its_slot() -> None:
    pool = SlotPool(SHAPE, 2, 60)
    first = taken(pool, [1, 2, 3, 4, 5])
    fill(pool, first, [1, 2, 3, 4, 5])
    pool.give_back(first)
    other = taken(pool, [1, 9, 9])
    assert other is not first
    assert other.tokens == []


def test_what_was_read_with_another_adapter_is_neither_kept_nor_copied() -> None:
    pool = SlotPool(SHAPE, 2, 60)
    story = list(range(1, MIN_COPIED + 5))
    first = taken(pool, story)
    fill(pool, first, story, [[70, 71]])
    pool.give_back(first)
    assert first.match([*story, 70]) == (len(story) + 1, 0)
    assert first.match([*story, 70], "noir") == (0, None)
    second = pool.take([*story, 9], "noir")
    assert second is not None
    assert (second is first, second.tokens, second.adapter) == (False, [], "noir")
    fill(pool, second, story)
    pool.give_back(second)
    for adapter, slot in (("noir", second), (None, first)):
        again = pool.take([*story, 9], adapter)
        assert again is slot
        assert (again.tokens, again.adapter) == (story, adapter)
        pool.give_back(again)
    other = pool.take([*story, 9], "fable")
    assert other is second
    assert (other.tokens, other.adapter) == ([], "fable")
    pool.wipe(other)
    assert other.adapter is None


def test_a_taken_slot_is_nobody_elses_and_its_rows_are_not_read() -> None:
    pool = SlotPool(SHAPE, 1, 60)
    slot = taken(pool, [1, 2, 3])
    fill(pool, slot, [1, 2, 3], [[10, 11]])
    assert slot.match([1, 2, 3, 10, 11]) == (3, None)
    assert pool.take([1, 2, 3]) is None
    pool.give_back(slot)
    assert slot.match([1, 2, 3, 10, 11]) == (5, 0)


def test_a_fresh_slot_keeps_nothing_and_a_wiped_one_holds_nothing() -> None:
    pool = SlotPool(SHAPE, 1, 60)
    slot = taken(pool, [1, 2, 3])
    fill(pool, slot, [1, 2, 3])
    pool.cache[0].values[slot.index] = float("nan")
    pool.give_back(slot)
    fresh = pool.take([1, 2, 3], is_fresh=True)
    assert fresh is not None
    assert fresh.tokens == []
    pool.wipe(fresh)
    assert not pool.cache[0].keys.any()
    assert not pool.cache[0].values.any()
