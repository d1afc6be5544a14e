"""The window over canon: within its room, steady over a growing story, and with the opening in it."""

from hypothesis import given
from hypothesis import strategies as st

from bot.story.canon_window import Window, choose_window

costs_of_passages = st.lists(st.integers(1, 400), max_size=60)
rooms = st.integers(0, 3000)


def kept_tokens(costs: list[int], window: Window) -> int:
    return sum(costs[window.start :]) + (costs[0] if window.has_opening else 0)


def test_a_story_that_fits_is_kept_whole():
    assert choose_window([100, 100, 100], 300, 300) == Window(start=0, has_opening=False, last_fits=True)


def test_when_the_room_is_full_the_middle_goes_until_a_third_is_free():
    # 10 passages of 100 beside an opening of 100 leave 900; at the eleventh, 600 of those 900 are kept.
    assert choose_window([100] * 10, 1000, 1000).start == 0
    assert choose_window([100] * 11, 1000, 1000) == Window(start=5, has_opening=True, last_fits=True)
    assert choose_window([100] * 14, 1000, 1000).start == 5
    assert choose_window([100] * 15, 1000, 1000).start == 9


def test_an_opening_larger_than_half_of_the_room_does_not_push_the_present_out():
    window = choose_window([600, 100, 100, 100, 200], 1000, 1000)
    assert (window.start, window.has_opening) == (1, False)


def test_the_last_passage_stands_before_the_opening():
    assert choose_window([400, 100, 700], 1000, 1000) == Window(start=2, has_opening=False, last_fits=True)


def test_a_last_passage_larger_than_the_room_is_reported():
    assert not choose_window([100, 1001], 1000, 1000).last_fits
    assert not choose_window([5], 0, 0).last_fits


def test_a_hint_larger_than_usual_moves_the_window_for_its_own_prompt_only():
    costs = [100] * 8
    assert choose_window(costs, 1000, 500).start > 0
    assert choose_window([*costs, 100], 1000, 1000).start == 0


@given(costs_of_passages, rooms, rooms)
def test_what_is_kept_fits_unless_the_last_passage_alone_does_not(costs, steady_room, room):
    window = choose_window(costs, steady_room, room)
    if window.last_fits:
        assert kept_tokens(costs, window) <= room
    else:
        assert window.start == len(costs) - 1
        assert costs[-1] > room
    assert 0 <= window.start <= max(0, len(costs) - 1)
    assert not (window.has_opening and window.start == 0)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(800, 3000))
def test_the_opening_stays_wherever_it_is_not_too_large(costs, room):
    window = choose_window(costs, room, room)
    if costs[0] <= room // 2 and costs[0] + costs[-1] <= room:
        assert window.start == 0 or window.has_opening


@given(st.lists(st.integers(1, 200), min_size=2, max_size=200), st.integers(1000, 3000))
def test_over_a_growing_story_the_window_moves_rarely_and_far(costs, room):
    """Between two moves at least a third of the window fills up again, less one passage."""
    space = room - (costs[0] if costs[0] <= room // 2 else 0)
    joined = space // 3  # nothing had to be waited for before the first move
    last_start = 0
    for end in range(1, len(costs) + 1):
        joined += costs[end - 1]
        start = choose_window(costs[:end], room, room).start
        assert start >= last_start
        if start != last_start:
            assert joined >= space // 3
            joined, last_start = 0, start
