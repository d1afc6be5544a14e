"""The report: what was stopped and what went wrong, by list and by disguise, beside other libraries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.filters.levels import Tier
from bot.filters.measure import disguised, report
from bot.filters.measure.sets import Count, count, halves


def test_halves_are_the_same_every_time_and_share_nothing() -> None:
    lines = [f"line {number}" for number in range(11)]
    first, second = halves(lines)
    assert (first, second) == halves(lines)
    assert sorted([*first, *second]) == sorted(lines)


def test_shares_are_of_lines_and_of_words() -> None:
    stopped: list[str] = []
    got = count(["a wolf", "two red foxes", "owl"], lambda line: "fox" in line, stopped.append)
    assert got == Count(lines=3, stopped=1, words=6)
    assert got.share == pytest.approx(1 / 3)
    assert got.per_100_000_words == pytest.approx(1e5 / 6)
    assert stopped == ["two red foxes"]
    assert Count(0, 0, 0).share == Count(0, 0, 0).per_100_000_words == 0


@pytest.mark.parametrize("name", disguised.DISGUISES)
def test_a_disguise_changes_the_word_and_judges_that_see_it_are_told(name: str) -> None:
    example, worst, others = disguised.measure_disguises(lambda line: len(line) > 3)[name]
    assert (example != "wolves") is (name != "as it is")
    assert worst.lines > 50
    assert others.lines == disguised.MAX_OTHERS
    assert worst.stopped > 0


def test_the_report_has_every_set_and_names_the_lines_that_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists, books, out = tmp_path / "lists", tmp_path / "books", tmp_path / "out"
    lists.mkdir()
    books.mkdir()
    (lists / "test_positive.txt").write_text("sh1t\nthe wolf\n", encoding="utf-8")
    (lists / "safe.txt").write_text("owl\nwhat a shithead\n", encoding="utf-8")
    (books / "a.txt").write_text("Once there was an owl.\nShit! it said.\n", encoding="utf-8")
    monkeypatch.setattr(report, "other_judges", lambda: ({"no one 1.0": lambda line: False}, ["x was not measured."]))
    report.write_report(lists, books, Tier.GENERAL, out)
    written = (out / "report.md").read_text(encoding="utf-8")
    assert "| set | lines | talewright | no one 1.0 |" in written
    assert "| books, all | 2 |" in written
    assert "x was not measured." in written
    assert "| all but the ends covered | w****s | 100 % |" in written
    wrong = json.loads((out / "wrong.json").read_text(encoding="utf-8"))
    assert sorted(line for lines in wrong.values() for line in lines) == [
        "Shit! it said.",
        "the wolf",
        "what a shithead",
    ]
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert figures["talewright"]["books, all"]["stopped"] == 1
    assert figures["no one 1.0"]["books, sample"]["stopped"] == 0
    assert {path.name for path in out.glob("*.png")} == {"recall.png", "books.png"}
