"""Bradley-Terry strengths: P(a beats b) = 1 / (1 + exp(s_b - s_a)); by choix, regularised, and once with positions.

Strengths sum to 0 over the competitors. Without positions they are found by I-LSR (Maystre and Grossglauser 2015,
https://papers.nips.cc/paper/2015/hash/2a38a4a9316c49e5a833517c45d31070-Abstract.html). With positions each place on the
ballot has a strength of its own that is added to its candidate's, so that a model is not thought better for having
been shown first more often; that is a logistic regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import choix
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from models.evaluate.numbers import Floats
from models.evaluate.votes.export import Round
from models.evaluate.votes.tally import beaten

RIDGE = 0.1
"""Of the logistic regression: what half a strength's square costs, against the loglikelihood of all comparisons."""


def strengths(wins: Floats, alpha: float) -> Floats:
    """Of summed win matrices [competitors, competitors]. `alpha` above 0 keeps those finite who won all or nothing."""
    return np.asarray(choix.ilsr_pairwise_dense(wins, alpha=alpha), dtype=np.float64)


@dataclass(frozen=True)
class Comparisons:
    """Each row a comparison: which competitor and position won, which lost, and in which round."""

    winner: np.ndarray[tuple[int], np.dtype[np.int64]]
    loser: np.ndarray[tuple[int], np.dtype[np.int64]]
    winner_position: np.ndarray[tuple[int], np.dtype[np.int64]]
    loser_position: np.ndarray[tuple[int], np.dtype[np.int64]]
    round: np.ndarray[tuple[int], np.dtype[np.int64]]
    num_competitors: int
    num_positions: int


def comparisons_of(rounds: Sequence[Round], competitors: Sequence[str]) -> Comparisons:
    """All of them: those between candidates of one competitor tell of positions."""
    places = {name: i for i, name in enumerate(competitors)}
    rows = [
        (places[a.competitor], places[b.competitor], a.position - 1, b.position - 1, i)
        for i, each in enumerate(rounds)
        for a, b in beaten(each)
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    num_positions = max(len(each.entries) for each in rounds)
    winner, loser, winner_position, loser_position, number = columns
    return Comparisons(winner, loser, winner_position, loser_position, number, len(competitors), num_positions)


def strengths_with_positions(found: Comparisons, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Strengths of competitors and of positions, each summing to 0. `weights` [rounds] say how often each counts."""
    counts = np.ones(len(found.round)) if weights is None else weights[found.round]
    k, p = found.num_competitors, found.num_positions

    def loss(values: Floats) -> tuple[float, Floats]:
        own, place = values[:k], values[k:]
        gaps = own[found.winner] - own[found.loser] + place[found.winner_position] - place[found.loser_position]
        slopes = -counts * expit(-gaps)
        gradient = RIDGE * values
        for index, sign in ((found.winner, 1), (found.loser, -1)):
            gradient[:k] += sign * np.bincount(index, slopes, k)
        for index, sign in ((found.winner_position, 1), (found.loser_position, -1)):
            gradient[k:] += sign * np.bincount(index, slopes, p)
        return float(-(counts * log_expit(gaps)).sum() + RIDGE / 2 * values @ values), gradient

    best = minimize(loss, np.zeros(k + p), jac=True, method="L-BFGS-B").x
    return best[:k] - best[:k].mean(), best[k:] - best[k:].mean()
