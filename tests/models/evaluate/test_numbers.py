from __future__ import annotations

import numpy as np
import pytest

from models.evaluate.numbers import Bootstrap, Number


def test_a_mean_has_its_value_and_the_interval_of_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(3, 2, size=400)
    found = Bootstrap(2000, seed=1).mean(values)
    assert found is not None
    assert found.value == pytest.approx(values.mean())
    error = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - error, abs=0.04)
    assert found.high == pytest.approx(values.mean() + error, abs=0.04)
    assert found.n == 400


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios() -> None:
    found = Bootstrap(50).ratio([1.0, 10.0], [10.0, 10.0])
    assert found is not None
    assert found.value == pytest.approx(11 / 20)


def test_one_unit_has_no_interval() -> None:
    assert Bootstrap(50).mean([4.0]) == Number(4.0, None, None, 1)


def test_nothing_has_no_number() -> None:
    assert Bootstrap(50).mean([]) is None
    assert Bootstrap(50).ratio([1.0, 2.0], [0.0, 0.0]) is None


def test_the_same_seed_gives_the_same_interval_and_another_seed_does_not() -> None:
    values = [1.0, 2.0, 4.0, 8.0, 16.0]
    assert Bootstrap(200, seed=3).mean(values) == Bootstrap(200, seed=3).mean(values)
    assert Bootstrap(200, seed=3).mean(values) != Bootstrap(200, seed=4).mean(values)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for trial in range(200):
        found = Bootstrap(200, seed=trial).mean(rng.exponential(1.0, size=60))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 1.0 <= found.high
    assert 0.87 <= hits / 200 <= 0.99


def test_no_resamples_are_refused() -> None:
    with pytest.raises(ValueError, match="resamples is 0"):
        Bootstrap(0)
