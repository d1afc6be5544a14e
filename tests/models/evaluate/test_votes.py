"""Votes whose truth is known: made by members who choose by strengths, and, where planted, by positions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.cli import main
from models.evaluate.numbers import Bootstrap
from models.evaluate.section import Section
from models.evaluate.votes import tally
from models.evaluate.votes.export import BadExport, Entry, Round, read_export
from models.evaluate.votes.positions import check_positions
from models.evaluate.votes.sections import votes_report
from models.evaluate.votes.strengths import comparisons_of, strengths, strengths_with_positions

TRUTH = {"a": 0.7, "b": 0.0, "c": -0.7}
EXPORT = Path("export.json")


def make_export(num_rounds: int, *, bias: float = 0.0, seed: int = 0, kind: str = "chosen") -> dict[str, Any]:
    """Members with Gumbel-noisy tastes (so choices follow Luce's rule); `bias` is what the first position gains."""
    rng = np.random.default_rng(seed)
    rounds = []
    for number in range(num_rounds):
        names = rng.permutation(list(TRUTH)).tolist()
        utility = np.array([TRUTH[name] for name in names]) + bias * (np.arange(3) == 0)
        ballots = []
        for taste in utility + rng.gumbel(size=(5, 3)):
            order = [names[i] for i in np.argsort(-taste)]
            ballots.append({"ranked": order} if kind == "ranked" else {"chosen": order[0]})
        candidates = [{"id": name, "author": "model", "model": name, "position": i} for i, name in enumerate(names, 1)]
        rounds.append({"id": str(number), "kind": "continue", "candidates": candidates, "ballots": ballots})
    return {"version": 1, "rounds": rounds}


def read(tmp_path: Path, said: Mapping[str, Any]) -> list[Round]:
    (tmp_path / EXPORT).write_text(json.dumps(said))
    return read_export(tmp_path / EXPORT)


def sections(tmp_path: Path, said: Mapping[str, Any]) -> tuple[Section, ...]:
    rounds = read(tmp_path, said)
    return votes_report(rounds, tmp_path / EXPORT, 0.01, Bootstrap(60), ["evaluate"]).sections


@pytest.mark.parametrize("kind", ["chosen", "ranked"])
def test_strengths_are_recovered_within_their_intervals(tmp_path: Path, kind: str) -> None:
    found, _ = sections(tmp_path, make_export(150, kind=kind))
    assert [row.model for row in found.rows] == ["a", "b", "c"]
    for row in found.rows:
        for key in ("strength", "adjusted"):
            number = row.numbers[key]
            assert number is not None
            assert number.low is not None
            assert number.high is not None
            assert number.low - 0.1 <= TRUTH[row.model] <= number.high + 0.1
            assert number.value == pytest.approx(TRUTH[row.model], abs=0.25)


def test_a_planted_position_bias_is_detected_and_taken_out(tmp_path: Path) -> None:
    said = make_export(200, bias=1.0)
    assert check_positions([o for each in read(tmp_path, said) if (o := tally.outcome_of(each))]).is_biased
    # Model c is shown first far more often than chance, so plain strengths flatter it.
    said["rounds"] = [r for r in said["rounds"] if r["candidates"][0]["id"] == "c" or int(r["id"]) % 3 == 0]
    rounds = read(tmp_path, said)
    names = tally.competitors_of(rounds)
    plain = strengths(np.sum([tally.win_matrix(each, names) for each in rounds], axis=0), 0.01)
    adjusted, positions = strengths_with_positions(comparisons_of(rounds, names))
    assert abs(adjusted[2] - TRUTH["c"]) < abs(plain[2] - TRUTH["c"])
    assert adjusted[2] == pytest.approx(TRUTH["c"], abs=0.2)
    assert positions[0] - positions[1:].mean() == pytest.approx(1.0, abs=0.25)


def test_no_bias_is_not_called_one(tmp_path: Path) -> None:
    cries = 0
    for seed in range(10):
        rounds = read(tmp_path, make_export(150, seed=seed))
        cries += check_positions([o for each in rounds if (o := tally.outcome_of(each))]).is_biased
    assert cries <= 1


def test_the_report_says_which_it_is(tmp_path: Path) -> None:
    _, fair = sections(tmp_path, make_export(60))
    _, biased = sections(tmp_path, make_export(60, bias=1.5))
    assert "No position bias was found" in fair.about
    assert "A position bias is likely" in biased.about
    assert biased.settings["is_biased"] is True


def test_two_competitors_have_the_log_odds_of_their_wins() -> None:
    found = strengths(np.array([[0.0, 30.0], [10.0, 0.0]]), 1e-6)
    assert found[0] - found[1] == pytest.approx(np.log(3), rel=1e-3)


def test_who_always_wins_stays_finite() -> None:
    found = strengths(np.array([[0.0, 5.0], [0.0, 0.0]]), 0.01)
    assert np.isfinite(found).all()
    assert found[0] > found[1]


def small(*ballots: Mapping[str, Any]) -> dict[str, Any]:
    candidates = [
        {"id": "x", "author": "model", "model": "m", "revision": "1", "sampling": "warm", "position": 2},
        {"id": "y", "author": "member", "position": 1},
        {"id": "z", "author": "model", "model": "m", "revision": "1", "sampling": "warm", "position": 3},
    ]
    return {"version": 1, "rounds": [{"id": "1", "kind": "rewrite", "candidates": candidates, "ballots": [*ballots]}]}


def pairs(tmp_path: Path, ballot: Mapping[str, Any]) -> set[tuple[str, str]]:
    [found] = read(tmp_path, small(ballot))
    return {(better.id, worse.id) for better, worse in tally.beaten(found)}


def test_every_kind_of_ballot_compares_what_it_says(tmp_path: Path) -> None:
    assert pairs(tmp_path, {"chosen": "x"}) == {("x", "y"), ("x", "z")}
    assert pairs(tmp_path, {"approved": ["x", "y"]}) == {("x", "z"), ("y", "z")}
    assert pairs(tmp_path, {"ranked": ["y", "x"]}) == {("y", "x"), ("y", "z"), ("x", "z")}
    assert pairs(tmp_path, {"approved": []}) == pairs(tmp_path, {"approved": ["x", "y", "z"]}) == set()


def test_candidates_of_one_competitor_do_not_compare(tmp_path: Path) -> None:
    [found] = read(tmp_path, small({"chosen": "x"}))
    names = tally.competitors_of([found])
    assert names == ["m@1, warm", "members"]
    assert tally.win_matrix(found, names).tolist() == [[0, 1], [0, 0]]


def test_a_tied_round_has_several_winners_and_no_position(tmp_path: Path) -> None:
    [found] = read(tmp_path, small({"chosen": "x"}, {"chosen": "y"}, {"approved": []}))
    outcome = tally.outcome_of(found)
    assert outcome is not None
    assert {entry.id for entry in outcome.winners} == {"x", "y"}
    test = check_positions([outcome])
    assert (test.num_tied, test.num_rounds, test.is_biased) == (1, 0, False)


def test_rounds_of_several_sizes_are_tested_by_size() -> None:
    def outcome(size: int, winner: int) -> tally.Outcome:
        entries = tuple(Entry(str(i), "m", i) for i in range(1, size + 1))
        return tally.Outcome((entries[winner - 1],), entries)

    test = check_positions([outcome(2, 1)] * 6 + [outcome(2, 2)] * 2 + [outcome(3, 3)] * 3)
    assert test.wins == (6, 2, 3)
    assert test.expected == (4 + 1, 4 + 1, 1)
    assert test.statistic == pytest.approx((4 + 4) / 4 + (1 + 1 + 4) / 1)
    assert test.degrees == 3


def broken(**change: Any) -> dict[str, Any]:
    said = small({"chosen": "x"})
    said["rounds"][0] |= change
    return said


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"version": 2, "rounds": []}, "version 1"),
        ({"version": 1, "rounds": []}, "no round"),
        (broken(votes=[]), "unknown field votes"),
        (broken(kind="undo"), "kind is 'undo'"),
        (broken(ballots=[{"chosen": "w"}]), "ids of its candidates"),
        (broken(ballots=[{"chosen": "x", "user": 7}]), "and nothing else"),
        (broken(ballots=[{"ranked": ["x", "x"]}]), "each once at most"),
        (broken(candidates=[{"id": "x", "author": "member", "position": 1}]), "at least 2 candidates"),
        (
            broken(candidates=[{"id": i, "author": "member", "position": 1} for i in "xy"]),
            "positions must be 1 to 2",
        ),
        (
            broken(candidates=[{"id": i, "author": "bot", "position": p} for p, i in enumerate("xy", 1)]),
            "author is 'bot'",
        ),
    ],
)
def test_an_export_that_is_not_as_described_is_refused(tmp_path: Path, said: dict[str, Any], message: str) -> None:
    with pytest.raises(BadExport, match=message):
        read(tmp_path, said)


def test_the_command_writes_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / EXPORT).write_text(json.dumps(make_export(20)))
    out = tmp_path / "out.json"
    words = ["evaluate", "votes", str(tmp_path / EXPORT), "--json", str(out), "--resamples", "20"]
    assert main(words) == 0
    said = json.loads(out.read_text())
    assert [section["key"] for section in said["sections"]] == ["strengths", "positions"]
    assert said["header"]["argv"] == words
    assert main(["evaluate", "votes", str(tmp_path / EXPORT), "--alpha", "0"]) == 2
    assert "alpha is 0" in capsys.readouterr().err
