"""The protocol: verdicts, the chain, and what happens when a filter breaks."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest

from bot.filters import Chain, TextKind, Verdict
from bot.filters.base import ALLOWED


@dataclass
class Refuses:
    """Refuses texts that contain `needle`, and remembers what it was asked."""

    needle: str
    asked: list[tuple[str, TextKind]] = field(default_factory=list)

    def check(self, text: str, kind: TextKind) -> Verdict:
        self.asked.append((text, kind))
        at = text.find(self.needle)
        return ALLOWED if at < 0 else Verdict.refuse("test", self.needle, at, at + len(self.needle))


class Breaks:
    def check(self, text: str, kind: TextKind) -> Verdict:
        raise ZeroDivisionError("in the middle of it")


def test_a_chain_without_filters_allows_everything() -> None:
    assert Chain([]).check("anything", TextKind.HINT) == Verdict(allowed=True)


def test_the_first_refusal_wins_and_ends_the_chain() -> None:
    first, second, third = Refuses("x"), Refuses("wolf"), Refuses("a wolf")
    verdict = Chain([first, second, third]).check("There was a wolf.", TextKind.PASSAGE)
    assert verdict == Verdict(False, "test", "wolf", 12, 16)
    assert first.asked == second.asked == [("There was a wolf.", TextKind.PASSAGE)]
    assert third.asked == []


def test_a_text_that_no_filter_refuses_has_been_seen_by_all() -> None:
    filters = [Refuses("x"), Refuses("y")]
    assert Chain(filters).check("a wolf", TextKind.NAME).allowed
    assert all(one.asked == [("a wolf", TextKind.NAME)] for one in filters)


def test_a_filter_that_breaks_refuses_the_text(caplog: pytest.LogCaptureFixture) -> None:
    """Fails closed: what could not be judged is not shown. The log has the cause, and not the member's text."""
    after = Refuses("x")
    with caplog.at_level(logging.ERROR):
        verdict = Chain([Breaks(), after]).check("a private thought", TextKind.CANDIDATE)
    assert verdict == Verdict(False, "filter error", "Breaks", None, None)
    assert after.asked == []
    assert "ZeroDivisionError" in caplog.text
    assert "private thought" not in caplog.text


def test_a_chain_is_a_filter() -> None:
    inner = Chain([Refuses("wolf")])
    assert not Chain([inner]).check("wolf", TextKind.TITLE).allowed
