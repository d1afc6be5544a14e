"""Whether the place on the ballot decides: winners' positions against chance.

Candidates are shown in shuffled order, so without a bias each place of a ballot of k candidates wins with chance 1/k,
whoever is good. Rounds are the units, since ballots of one round share its candidates; rounds with a tie are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest, chi2, chisquare

from models.evaluate.votes.tally import Outcome

ALPHA = 0.01
"""Below this a bias is called likely. The test is run on every report, and one in twenty would cry wolf too often."""


@dataclass(frozen=True)
class PositionTest:
    """`wins` and `expected` by position from 1 on. `p_chi_square` is for any unevenness, `p_first` for the first place.

    `num_tied` rounds were left out. The p-values are None where no round was left.
    """

    wins: tuple[int, ...]
    expected: tuple[float, ...]
    num_rounds: int
    num_tied: int
    statistic: float | None
    degrees: int
    p_chi_square: float | None
    p_first: float | None

    @property
    def is_biased(self) -> bool:
        return any(p is not None and p < ALPHA for p in (self.p_chi_square, self.p_first))


def check_positions(outcomes: Sequence[Outcome]) -> PositionTest:
    """Chi-square over positions, summed over rounds of the same size; binomial for the first position.

    With rounds of several sizes the binomial test takes their mean chance, which errs on the side of no bias.
    """
    single = [(len(o.entries), o.winners[0].position) for o in outcomes if len(o.winners) == 1]
    by_size = Counter(single)
    statistic, degrees = 0.0, 0
    most = max((size for size, _ in single), default=0)
    wins, expected = [0] * most, [0.0] * most
    for size in sorted({size for size, _ in single}):
        observed = [by_size[size, place] for place in range(1, size + 1)]
        statistic += float(chisquare(observed).statistic)
        degrees += size - 1
        for place, count in enumerate(observed):
            wins[place] += count
            expected[place] += sum(observed) / size
    if not single:
        return PositionTest((), (), 0, len(outcomes), None, 0, None, None)
    p_first = float(binomtest(wins[0], len(single), expected[0] / len(single)).pvalue)
    num_tied = len(outcomes) - len(single)
    p_chi_square = float(chi2.sf(statistic, degrees))
    return PositionTest(tuple(wins), tuple(expected), len(single), num_tied, statistic, degrees, p_chi_square, p_first)
