"""What a measured process does with requests, and how it times them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from models.bench.runners.runner import (
    SENTENCE_TOKENS,
    AllAtOnce,
    Asked,
    Notes,
    OneByOne,
    forget_peak,
    peak_bytes,
    replay,
)
from tests.models.bench.fake import asked


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_times_count_from_the_moment_at_which_a_request_came() -> None:
    clock = Clock()
    notes = Notes(clock)
    notes.begin(asked(n=2, max_tokens=12), at=1.0)
    for token in range(12):
        clock.at = 2.0 + token
        notes.wrote("a", 0, [token])
    notes.wrote("a", 1, [])
    answer = notes.answers["a"]
    assert (answer.first_s, answer.sentence_s, answer.done_s) == (1.0, 1.0 + SENTENCE_TOKENS - 1, None)
    clock.at = 30.0
    notes.wrote("a", 1, range(12))
    assert answer.done_s == 29.0
    assert answer.rows == [list(range(12)), list(range(12))]


def test_a_candidate_shorter_than_a_sentence_is_one() -> None:
    clock = Clock()
    notes = Notes(clock)
    notes.begin(asked(n=1, max_tokens=3), at=0.0)
    clock.at = 5.0
    notes.wrote("a", 0, [1, 2, 3])
    assert notes.answers["a"].sentence_s == 5.0


def test_a_request_survives_being_written_down() -> None:
    assert Asked.from_json(asked().to_json()) == asked()


def test_one_at_a_time_and_all_at_once() -> None:
    calls: list[list[str]] = []

    def answer(batch: Sequence[Asked], notes: Notes) -> None:
        calls.append([each.id for each in batch])
        for each in batch:
            for row in range(each.n):
                notes.wrote(each.id, row, [0] * each.max_tokens)

    both = [(0.0, asked("a")), (0.0, asked("b"))]
    _, notes = replay(OneByOne(lambda each, notes: answer([each], notes)), both, 10.0)
    assert calls == [["a"], ["b"]]
    assert all(answer.done_s is not None for answer in notes.answers.values())
    calls.clear()
    replay(AllAtOnce(answer), both, 10.0)
    assert calls == [["a", "b"]]


def test_requests_come_at_their_moment_and_patience_ends() -> None:
    slow = OneByOne(lambda each, notes: notes.wrote(each.id, 0, [1]))
    total_s, notes = replay(slow, [(0.0, asked("a", n=1, max_tokens=1)), (0.1, asked("b", n=1, max_tokens=2))], 0.05)
    first, second = notes.answers["a"], notes.answers["b"]
    assert 0.1 <= total_s < 5.0
    assert first.done_s is not None
    assert first.done_s < 0.1
    assert second.first_s is not None  # it came, was begun, and never ended
    assert second.done_s is None


def test_what_never_came_into_play_is_named_too() -> None:
    busy = OneByOne(lambda each, notes: notes.wrote(each.id, 0, [1]))
    _, notes = replay(busy, [(0.0, asked("a", n=1, max_tokens=1)), (0.05, asked("b"))], -0.04)
    assert set(notes.answers) == {"a", "b"}
    assert notes.answers["b"].first_s is None


def test_memory_has_a_peak_that_can_be_forgotten() -> None:
    forget_peak()
    before = peak_bytes()
    block = bytearray(64 << 20)
    block[:: 1 << 12] = b"x" * (len(block) >> 12)
    assert peak_bytes() >= before + (48 << 20)
    del block
    forget_peak()
    if peak_bytes() >= before + (48 << 20):
        pytest.skip("this system can't forget a peak")
