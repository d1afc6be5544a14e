"""Which words are written again in each pass."""

from __future__ import annotations

import pytest

from models.engine.masked.orders import Order, next_slots, num_forwards


def test_mask_predict_masks_linearly_fewer_of_the_least_sure() -> None:
    sure = [0.9, 0.1, 0.5, 0.2, 0.8]
    written = [next_slots(Order.PARALLEL, sure, 5, done) for done in range(6)]
    assert written == [[0, 1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3], [1, 3], [1], []]


def test_few_words_need_few_passes() -> None:
    assert [next_slots(Order.PARALLEL, [0.5, 0.5], 6, done) for done in range(7)] == [[0, 1], [0], [0], [0], [], [], []]
    assert next_slots(Order.PARALLEL, [0.5], 1, 1) == []


def test_left_to_right_goes_through_all_words_once_a_pass() -> None:
    written = [next_slots(Order.LEFT_TO_RIGHT, [0.1, 0.2, 0.3], 2, done) for done in range(7)]
    assert written == [[0], [1], [2], [0], [1], [2], []]


@pytest.mark.parametrize("order", Order)
def test_nothing_to_write_is_over_at_once(order: Order) -> None:
    assert next_slots(order, [], 4, 0) == []


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize(("slots", "passes"), [(1, 1), (3, 6), (12, 4)])
def test_the_number_of_readings_is_known_before(order: Order, slots: int, passes: int) -> None:
    done = 0
    while next_slots(order, [0.5] * slots, passes, done):
        done += 1
    assert done <= num_forwards(order, slots, passes)
    assert order is Order.PARALLEL or done == num_forwards(order, slots, passes)
