"""The report of an export: strengths, win rates and the check of positions, each with its intervals over rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.evaluate.header import make_header
from models.evaluate.numbers import LEVEL, Bootstrap, Floats, Number
from models.evaluate.report.whole import Report
from models.evaluate.section import Better, Column, Row, Section
from models.evaluate.votes import tally
from models.evaluate.votes.export import BadExport, Round
from models.evaluate.votes.positions import ALPHA, PositionTest, check_positions
from models.evaluate.votes.strengths import RIDGE, comparisons_of, strengths, strengths_with_positions

STRENGTHS = (
    Column("strength", "Bradley-Terry strength", Better.HIGHER, 2, is_plotted=True),
    Column("adjusted", "strength with positions", Better.HIGHER, 2, is_plotted=True),
    Column("pairs_won", "comparisons won", Better.HIGHER, is_share=True),
    Column("rounds_won", "rounds won", Better.HIGHER, is_share=True, is_plotted=True),
    Column("fair_share", "rounds won by lot", Better.NEITHER, is_share=True),
)
POSITIONS = (
    Column("won", "rounds won", Better.NEITHER, is_share=True, is_plotted=True),
    Column("expected", "by lot", Better.NEITHER, is_share=True),
    Column("strength", "strength of the position", Better.NEITHER, 2, is_plotted=True),
)
ABOUT_STRENGTHS = (
    "In every ballot a candidate beats those in a lower tier; ties compare nothing. P(a beats b) = 1 / (1 + exp(s_b - "
    "s_a)), strengths sum to 0: a difference of 1 is 73 to 27. With positions, what a place on the ballot is worth is "
    "taken out. A tied round is won in equal shares. By lot: what a competitor's share of the candidates alone gives."
)
ABOUT_POSITIONS = (
    "Candidates are shown in shuffled order, so without a bias every place wins equally often, whoever is good. Rounds "
    "are the units; tied ones are left out of the tests."
)


def votes_report(
    rounds: Sequence[Round], path: Path, alpha: float, bootstrap: Bootstrap, argv: Sequence[str]
) -> Report:
    """Raises `BadExport` where no ballot prefers anything, or for an `alpha` out of its limits."""
    if not 0 < alpha <= 10:
        raise BadExport(f"alpha is {alpha}; it must be above 0 and at most 10")
    num_ballots = sum(len(each.ballots) for each in rounds)
    settings = {"rounds": len(rounds), "ballots": num_ballots, "seed": bootstrap.seed}
    sections = (_strengths(rounds, alpha, bootstrap), _positions(rounds, bootstrap))
    return Report("What members chose", make_header(argv, {}, [path], settings), sections, {})


def _strengths(rounds: Sequence[Round], alpha: float, bootstrap: Bootstrap) -> Section:
    names = tally.competitors_of(rounds)
    wins = np.array([tally.win_matrix(each, names) for each in rounds])
    if not wins.any():
        raise BadExport("no ballot prefers one competitor over another")
    plain = _vector(len(rounds), lambda w: strengths(np.tensordot(w, wins, 1), alpha), bootstrap)
    found = comparisons_of(rounds, names)
    adjusted = _vector(len(rounds), lambda w: strengths_with_positions(found, w)[0], bootstrap)
    rows = [
        Row(
            name,
            "",
            {"strength": plain[i], "adjusted": adjusted[i]} | _rates(rounds, wins, name, i, bootstrap),
            note=f"{int(wins[:, i].sum() + wins[:, :, i].sum())} comparisons",
        )
        for i, name in enumerate(names)
    ]
    return Section(
        key="strengths",
        title="Strengths",
        about=ABOUT_STRENGTHS,
        settings={
            "method": "choix.ilsr_pairwise_dense",
            "alpha": alpha,
            "with_positions": f"logistic regression, ridge {RIDGE}",
            "bootstrap": bootstrap.about,
        },
        unit="rounds",
        columns=STRENGTHS,
        rows=tuple(sorted(rows, key=lambda row: -_value(row, "strength"))),
    )


def _rates(
    rounds: Sequence[Round], wins: Floats, name: str, place: int, bootstrap: Bootstrap
) -> dict[str, Number | None]:
    won, compared = wins[:, place].sum(-1), wins[:, place].sum(-1) + wins[:, :, place].sum(-1)
    shares, lots = [], []
    for each in rounds:
        outcome = tally.outcome_of(each)
        own = [entry.competitor == name for entry in each.entries]
        if outcome is not None and any(own):
            shares.append(sum(entry.competitor == name for entry in outcome.winners) / len(outcome.winners))
            lots.append(sum(own) / len(own))
    return {
        "pairs_won": bootstrap.ratio([*won], [*compared]),
        "rounds_won": bootstrap.mean(shares),
        "fair_share": Number(float(np.mean(lots)), None, None, len(lots)) if lots else None,
    }


def _positions(rounds: Sequence[Round], bootstrap: Bootstrap) -> Section:
    outcomes = [outcome for each in rounds if (outcome := tally.outcome_of(each)) is not None]
    test = check_positions(outcomes)
    found = comparisons_of(rounds, tally.competitors_of(rounds))
    worth = _vector(len(rounds), lambda w: strengths_with_positions(found, w)[1], bootstrap)
    single = [o for o in outcomes if len(o.winners) == 1]
    rows = []
    for i in range(len(test.wins)):
        there = [float(o.winners[0].position == i + 1) for o in single if len(o.entries) > i]
        lot = test.expected[i] / len(there)
        numbers = {"won": bootstrap.mean(there), "expected": Number(lot, None, None, len(there)), "strength": worth[i]}
        rows.append(Row(f"position {i + 1}", "", numbers))
    return Section(
        key="positions",
        title="Positions on the ballot",
        about=f"{ABOUT_POSITIONS} {_verdict(test)}",
        settings={
            "test": f"chi-square over positions and binomial for the first, a bias is likely below {ALPHA}",
            "chi_square": test.statistic,
            "degrees": test.degrees,
            "p_chi_square": test.p_chi_square,
            "p_first": test.p_first,
            "rounds": test.num_rounds,
            "tied": test.num_tied,
            "is_biased": test.is_biased,
            "bootstrap": bootstrap.about,
        },
        unit="rounds",
        columns=POSITIONS,
        rows=tuple(rows),
    )


def _verdict(test: PositionTest) -> str:
    if test.p_chi_square is None or test.p_first is None:
        return "No round has a single winner, so nothing can be said."
    numbers = f"chi-square p = {test.p_chi_square:.3g}, first place p = {test.p_first:.3g}, {test.num_rounds} rounds"
    return f"A position bias is likely ({numbers})." if test.is_biased else f"No position bias was found ({numbers})."


def _vector(num_rounds: int, of_weights: Callable[[Floats], Floats], bootstrap: Bootstrap) -> list[Number]:
    """A number for each part of what is a vector."""
    values = of_weights(np.ones(num_rounds))
    drawn = np.array([of_weights(weights) for weights in bootstrap.draws(num_rounds)])
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0)
    return [Number(float(v), float(a), float(b), num_rounds) for v, a, b in zip(values, low, high, strict=True)]


def _value(row: Row, key: str) -> float:
    number = row.numbers[key]
    return number.value if number is not None else float("-inf")
