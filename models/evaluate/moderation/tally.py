"""How often verdicts are right, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from models.evaluate.moderation.suite import Case
from models.evaluate.numbers import LEVEL, Bootstrap, Floats, Number

_Z = 1.959963984540054  # two-sided, for LEVEL
WILSON = f"{LEVEL:.0%}, Wilson's score interval, cases taken as independent"


def wilson(num_right: int, num: int) -> Number | None:
    """A share with E. B. Wilson's interval (1927, https://doi.org/10.2307/2276774); None of nothing.

    It holds where all, or none, are right, where drawing again would find nothing else.
    """
    if num == 0:
        return None
    share = num_right / num
    middle = (share + _Z**2 / (2 * num)) / (1 + _Z**2 / num)
    half = _Z / (1 + _Z**2 / num) * math.sqrt(share * (1 - share) / num + _Z**2 / (4 * num**2))
    return Number(share, max(0.0, middle - half), min(1.0, middle + half), num)


def counts_by_template(cases: Sequence[Case], flags: Sequence[bool]) -> Floats:
    """[templates, (hateful and flagged, hateful and passed, other and flagged, other and passed)]."""
    rows: dict[str, list[int]] = {}
    for case, is_flagged in zip(cases, flags, strict=True):
        row = rows.setdefault(case.template, [0, 0, 0, 0])
        row[(0 if case.is_hateful else 2) + (0 if is_flagged else 1)] += 1
    return np.array(list(rows.values()), dtype=np.float64)


def accuracy(sums: Floats) -> float:
    """The share that is right."""
    return _ratio(sums[0] + sums[3], sums.sum())


def precision(sums: Floats) -> float:
    """The share of what is flagged that is hateful."""
    return _ratio(sums[0], sums[0] + sums[2])


def recall(sums: Floats) -> float:
    """The share of what is hateful that is flagged."""
    return _ratio(sums[0], sums[0] + sums[1])


def passed(sums: Floats) -> float:
    """The share of what is not hateful that is let through."""
    return _ratio(sums[3], sums[2] + sums[3])


def f1(sums: Floats) -> float:
    """For hateful texts; 0 where nothing is flagged."""
    return _ratio(2 * sums[0], 2 * sums[0] + sums[1] + sums[2])


def f1_other(sums: Floats) -> float:
    """For texts that are not hateful."""
    return _ratio(2 * sums[3], 2 * sums[3] + sums[1] + sums[2])


def macro_f1(sums: Floats) -> float:
    """The mean of both, so that neither kind outweighs the other."""
    return (f1(sums) + f1_other(sums)) / 2


MEASURES = {
    "accuracy": accuracy,
    "recall": recall,
    "passed": passed,
    "precision": precision,
    "f1": f1,
    "f1_other": f1_other,
    "macro_f1": macro_f1,
}


def overall(
    cases: Sequence[Case], flags: Sequence[bool], bootstrap: Bootstrap, keys: Sequence[str] = tuple(MEASURES)
) -> dict[str, Number | None]:
    """Templates are drawn again, not cases: those of one template stand or fall together."""
    rows = counts_by_template(cases, flags)
    found = {key: bootstrap.statistic(rows, MEASURES[key]) for key in keys}
    return {key: None if math.isnan(number.value) else number for key, number in found.items()}


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan
