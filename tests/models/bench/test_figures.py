"""From times to figures."""

from __future__ import annotations

import pytest

from models.bench.figures import arrivals_row, best_of, cost_per_thousand, jain, quantile, round_row
from models.bench.runners.runner import Answer
from models.bench.workloads import Arrivals
from tests.models.bench.fake import asked


def test_quantiles_by_nearest_rank() -> None:
    values = [float(i) for i in range(1, 21)]
    assert quantile(values, 0.5) == 10.0
    assert quantile(values, 0.95) == 19.0
    assert quantile(values, 1.0) == 20.0
    assert quantile([3.0], 0.5) == quantile([3.0], 0.0) == 3.0


def test_jains_index_is_one_for_equals_and_one_in_k_for_a_monopoly() -> None:
    assert jain([2.0, 2.0, 2.0]) == pytest.approx(1.0)
    assert jain([0.0, 0.0, 5.0]) == pytest.approx(1 / 3)
    assert jain([1.0, 3.0]) == pytest.approx(16 / 20)


def answer(done_s: float | None, first_s: float | None = 0.5, tokens: int = 4) -> Answer:
    return Answer([[1] * tokens] * 3, first_s, first_s, done_s)


def test_a_turn_that_knew_nothing_is_left_out_of_the_time_to_the_first_token() -> None:
    row = round_row([(2.0, [answer(2.0, 1.5)]), (1.0, [answer(1.0, 0.1)]), (1.0, [answer(1.0, 0.3)])])
    assert row == {"total_s": 4.0, "first_token_s": 0.2, "tokens_s": 9.0, "ballots": 3}
    assert round_row([(2.0, [answer(2.0, 1.5)])])["first_token_s"] == 1.5


def test_the_fastest_run_counts_and_all_are_told() -> None:
    rows = [{"total_s": 3.0, "first_token_s": 1.0}, {"total_s": 2.0, "first_token_s": 1.1}]
    assert best_of(rows) == {"total_s": 2.0, "first_token_s": 1.1, "runs_s": [3.0, 2.0]}


def make_arrivals(*done: float | None) -> tuple[Arrivals, dict[str, Answer]]:
    requests = tuple((float(i), asked(str(i), max_tokens=10)) for i in range(len(done)))
    channels = {request.id: i % 2 for i, (_, request) in enumerate(requests)}
    return Arrivals(requests, channels), {str(i): answer(seconds) for i, seconds in enumerate(done)}


def test_of_many_channels_it_is_told_who_was_on_time_and_how_evenly() -> None:
    arrivals, answers = make_arrivals(2.0, 6.0, 4.0, 12.0)
    row = arrivals_row(arrivals, 30.0, answers)
    assert row["requests"] == 4
    assert (row["ballot_p50_s"], row["ballot_p95_s"]) == (4.0, 12.0)
    assert (row["on_time"], row["goodput_per_minute"]) == (0.75, 6.0)
    assert row["tokens_s"] == 1.6
    # Channel 0 waited 0.2 and 0.4 s a token, channel 1 0.6 and 1.2 s.
    assert row["fairness"] == pytest.approx(jain([0.3, 0.9]), abs=1e-3)


def test_what_was_not_answered_is_later_than_everything_else() -> None:
    arrivals, answers = make_arrivals(2.0, None, 4.0)
    row = arrivals_row(arrivals, 30.0, answers)
    assert row["unanswered"] == 1
    assert (row["ballot_p50_s"], row["ballot_p95_s"], row["fairness"]) == (4.0, None, None)
    assert row["on_time"] == pytest.approx(2 / 3, abs=1e-3)


def test_a_thousand_ballots_cost_what_the_machine_does_in_their_time() -> None:
    assert cost_per_thousand(total_s=18.0, ballots=5, price_per_hour=0.10) == pytest.approx(0.10)
