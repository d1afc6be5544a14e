"""Tokens in the order of falling probability, without sorting the vocabulary.

Probabilities are positive floats, whose bit patterns order as they do. Their upper 16 bits (sign, exponent and seven
bits of the fraction) put the vocabulary into bins less than 1 % wide; two histograms over the bins, of tokens and of
probability, answer most of any question about ranks, and only the one or two bins that are left get sorted. That is
exact, and takes a few passes over the vocabulary where a sort takes seventeen.
"""

from __future__ import annotations

import torch

_SHIFT = 16


class Ranking:
    """Over `probs` [vocab], float32 and not negative. Tokens of equal probability stand in the order of their ids.

    Ranks count from 0. A token of probability 0 has none.
    """

    def __init__(self, probs: torch.Tensor) -> None:
        self._probs = probs
        self._bins = probs.view(torch.int32) >> _SHIFT
        counts = torch.bincount(self._bins).flip(0)
        counts[-1] -= (probs == 0).sum()  # the last bin is that of zero and of the smallest numbers
        masses = torch.bincount(self._bins, weights=probs.double()).flip(0)
        self._last_bin = len(counts) - 1
        self._counts, self._masses = (
            counts.cumsum(0),
            masses.cumsum(0),
        )  # up to and including a bin, the likeliest first
        self.num_positive = int(self._counts[-1])

    def mass_of(self, count: int) -> float:
        """The probability of the `count` likeliest tokens together."""
        if count <= 0:
            return 0.0
        place = self._place(self._counts, count - 1)
        inside = count - self._before(self._counts, place)
        return float(self._before(self._masses, place) + self._sorted(place)[0][: int(inside)].sum())

    def rank_at(self, mass: float) -> int:
        """The rank of the first token at which the cumulative probability is above `mass`, or the last rank."""
        place = self._place(self._masses, mass)
        values, _ = self._sorted(place)
        inside = torch.searchsorted(values.cumsum(0), mass - self._before(self._masses, place), right=True)
        return int(self._before(self._counts, place)) + min(int(inside), len(values) - 1)

    def token_at(self, rank: int) -> int:
        """The token of this rank."""
        place = self._place(self._counts, rank)
        return int(self._sorted(place)[1][rank - int(self._before(self._counts, place))])

    def _place(self, cumulative: torch.Tensor, amount: float) -> int:
        """The first bin whose cumulative number is above `amount`; where rounding leaves none, the last that counts."""
        found = int(torch.searchsorted(cumulative, torch.tensor(amount, dtype=cumulative.dtype), right=True))
        if found <= self._last_bin:
            return found
        return int(torch.searchsorted(self._counts, self._counts[-1]))

    @staticmethod
    def _before(cumulative: torch.Tensor, place: int) -> float:
        return float(cumulative[place - 1]) if place else 0.0

    def _sorted(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The bin's probabilities, falling, as float64, and their tokens."""
        ids = (self._bins == self._last_bin - place).nonzero()[:, 0]
        values, order = torch.sort(self._probs[ids], descending=True, stable=True)
        if place == self._last_bin:
            values, order = values[values > 0], order[values > 0]
        return values.double(), ids[order]
