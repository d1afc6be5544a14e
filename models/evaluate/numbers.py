"""A measured number with its interval: 95 %, by the bootstrap (Efron 1979, https://doi.org/10.1214/aos/1176344552).

What was drawn independently (documents, prompts, rounds) is drawn again with replacement, and the measure taken anew;
the interval are the 2.5th and 97.5th percentiles of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 1000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """`value` over `n` units; `low` and `high` are None where one unit, or none, leaves nothing to draw from."""

    value: float
    low: float | None
    high: float | None
    n: int

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Number:
        return cls(said["value"], said["low"], said["high"], said["n"])


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are drawn; the same seed gives the same draws for the same number of units."""

    resamples: int = RESAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise ValueError(f"resamples is {self.resamples}; it must be at least 1")

    def mean(self, values: Sequence[float]) -> Number | None:
        """None where there is no value."""
        return self.ratio(values, [1.0] * len(values))

    def ratio(self, parts: Sequence[float], wholes: Sequence[float]) -> Number | None:
        """The sum of `parts` over the sum of `wholes`, pair by pair drawn together; None where that is 0."""
        pairs = np.array([parts, wholes], dtype=np.float64)
        if not pairs.size or pairs[1].sum() == 0:
            return None
        return self.statistic(pairs.T, lambda sums: float(sums[0] / sums[1]) if sums[1] else float("nan"))

    def statistic(self, rows: Floats, of_sums: Callable[[Floats], float]) -> Number:
        """A statistic of the sums over units; `rows` is [units, things that are summed]."""
        return self.whole(len(rows), lambda weights: of_sums(weights @ rows))

    def whole(self, num_units: int, of_weights: Callable[[Floats], float]) -> Number:
        """Any statistic, given how often each unit counts ([units]); undefined draws (NaN) are left out."""
        value = of_weights(np.ones(num_units))
        if num_units < 2:
            return Number(value, None, None, num_units)
        found = np.array([of_weights(weights) for weights in self.draws(num_units)])
        found = found[~np.isnan(found)]
        if not found.size:
            return Number(value, None, None, num_units)
        tail = 100 * (1 - LEVEL) / 2
        low, high = np.percentile(found, [tail, 100 - tail])
        return Number(value, float(low), float(high), num_units)

    def draws(self, num_units: int) -> Floats:
        """How often each unit is drawn in each resample: [resamples, units]."""
        rng = np.random.default_rng(self.seed)
        return rng.multinomial(num_units, np.full(num_units, 1 / num_units), size=self.resamples).astype(np.float64)

    @property
    def about(self) -> dict[str, Any]:
        """For the settings of a report."""
        return {"interval": f"{LEVEL:.0%}, percentile bootstrap", "resamples": self.resamples, "seed": self.seed}
