"""From the times of a workload to the figures of a row."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from models.bench.runners.runner import Answer, Asked
from models.bench.workloads import Arrivals

GOAL_S = 10.0
"""A ballot is on time within so many seconds."""

Row = dict[str, Any]


def quantile(values: Iterable[float], share: float) -> float:
    """The least value that at least this share of all does not exceed (the nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def jain(values: Sequence[float]) -> float:
    """Jain's index of fairness: 1 where all have the same, 1/k where one of k has everything.

    https://arxiv.org/abs/cs/9809099, equation 2.
    """
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def round_row(turns: Sequence[tuple[float, Sequence[Answer]]]) -> Row:
    """Of one run: each turn's seconds with its answers. The first turn of several knows nothing, so it is left out of
    the time to the first token.
    """
    total_s = sum(seconds for seconds, _ in turns)
    later = turns[1:] if len(turns) > 1 else turns
    firsts = [answer.first_s for _, answers in later for answer in answers if answer.first_s is not None]
    num_tokens = sum(len(row) for _, answers in turns for answer in answers for row in answer.rows)
    return {
        "total_s": round(total_s, 4),
        "first_token_s": round(statistics.median(firsts), 4),
        "tokens_s": round(num_tokens / total_s, 1),
        "ballots": sum(len(answers) for _, answers in turns),
    }


def best_of(runs: Sequence[Row]) -> Row:
    """The fastest run, since neighbours only ever slow one down; with the times of all."""
    return {**min(runs, key=lambda row: float(row["total_s"])), "runs_s": [row["total_s"] for row in runs]}


def arrivals_row(arrivals: Arrivals, total_s: float, answers: dict[str, Answer]) -> Row:
    """Of W4. What was not answered when patience ended counts as later than everything that was."""
    asked = {request.id: request for _, request in arrivals.requests}
    done = {name: _late(answer.done_s) for name, answer in answers.items()}
    on_time = sum(seconds <= GOAL_S for seconds in done.values())
    num_tokens = sum(len(row) for answer in answers.values() for row in answer.rows)
    return {
        "total_s": round(total_s, 3),
        "requests": len(done),
        "unanswered": sum(math.isinf(seconds) for seconds in done.values()),
        "tokens_s": round(num_tokens / total_s, 1),
        "first_token_s": _finite(quantile((_late(answer.first_s) for answer in answers.values()), 0.5)),
        "sentence_p50_s": _finite(quantile((_late(answer.sentence_s) for answer in answers.values()), 0.5)),
        "sentence_p95_s": _finite(quantile((_late(answer.sentence_s) for answer in answers.values()), 0.95)),
        "ballot_p50_s": _finite(quantile(done.values(), 0.5)),
        "ballot_p95_s": _finite(quantile(done.values(), 0.95)),
        "on_time": round(on_time / len(done), 3),
        "goodput_per_minute": round(60 * on_time / total_s, 2),
        "fairness": fairness(asked, done, arrivals.channels),
    }


def fairness(asked: dict[str, Asked], done: dict[str, float], channels: dict[str, int]) -> float | None:
    """Jain's index over the channels of their mean seconds to the ballot per token of its length.

    None where a request was not answered, so that its seconds are not known.
    """
    per_channel: dict[int, list[float]] = {}
    for name, seconds in done.items():
        per_channel.setdefault(channels[name], []).append(seconds / asked[name].max_tokens)
    if any(math.isinf(seconds) for seconds in done.values()):
        return None
    return round(jain([statistics.mean(values) for values in per_channel.values()]), 3)


def cost_per_thousand(total_s: float, ballots: int, price_per_hour: float) -> float:
    """Of a thousand ballots on a machine that does nothing else and is never idle."""
    return price_per_hour / 3600 * total_s / ballots * 1000


def _late(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds


def _finite(seconds: float) -> float | None:
    """None for later than the patience, since JSON knows no infinity."""
    return None if math.isinf(seconds) else round(seconds, 4)
