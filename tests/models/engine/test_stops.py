"""Stop strings: found wherever the pieces are cut, held back while they may still come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.stops import StopFinder


def run(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    finder, shown = StopFinder(stops), ""
    for piece in pieces:
        scan = finder.push(piece)
        shown += scan.text
        if scan.is_stopped:
            return shown, True
    return shown + finder.flush(), False


@pytest.mark.parametrize(
    ("stops", "pieces", "shown"),
    [
        (["aab"], ["aaa", "b"], "a"),
        (["aab"], ["a", "a", "a", "b"], "a"),
        (["END"], ["the E", "ND", " more"], "the "),
        (["END"], ["xENDy"], "x"),
        (["b", "abc"], ["ab", "c"], "a"),
        (["b", "abc"], ["abc"], "a"),
        (["ab", "b"], ["ab"], ""),
        (["\n"], ["one", "\n", "two"], "one"),
    ],
)
def test_stop_strings_cut_the_text(stops: list[str], pieces: list[str], shown: str) -> None:
    assert run(stops, pieces) == (shown, True)


def test_nothing_is_lost_without_a_stop() -> None:
    assert run(["aab"], ["aa", "ca", "a"]) == ("aacaa", False)
    assert run([], ["abc"]) == ("abc", False)


def test_only_what_may_become_a_stop_is_held() -> None:
    finder = StopFinder(["END", "dragon"])
    assert finder.push("a dr").text == "a "
    assert finder.push("ess E").text == "dress "
    assert finder.push("Nd").text == "EN"
    assert finder.flush() == "d"


@given(st.lists(st.text("ab", min_size=1, max_size=4), max_size=3), st.lists(st.text("ab", max_size=3), max_size=12))
def test_the_pieces_do_not_matter(stops: list[str], pieces: list[str]) -> None:
    text = "".join(pieces)
    assert run(stops, pieces) == run(stops, list(text)) == run(stops, [text])
    shown, is_stopped = run(stops, pieces)
    assert not any(stop in shown for stop in stops)
    assert is_stopped == any(stop in text for stop in stops)
    assert text.startswith(shown)
