"""What HTTP and streaming cost: the same round with the engine alone and through the worker, in turns."""

from __future__ import annotations

import statistics
from dataclasses import replace

from models.bench.environments import CannotPrepare
from models.bench.figures import Row
from models.bench.launching import Launcher
from models.bench.measuring import line_of, play_round, warm_up
from models.bench.process import SubjectFailed
from models.bench.subjects import ENGINES, Subject
from models.bench.weights import Weights
from models.bench.workloads import ROUNDS

MODULE = "models.bench.through_worker"
WORKLOADS = ("W1", "W2")
MIN_PAIRS = 3


def through_worker(quantize: str) -> Subject:
    """The worker with this precision, asked by a client that reads its streams."""
    engine = ENGINES[quantize]
    options = {"quantize": quantize}
    return replace(engine, key=f"{engine.key}-http", name=f"{engine.name}, worker", module=MODULE, options=options)


def measure_http(engine: Subject, worker: Subject, weights: Weights, launcher: Launcher, pairs: int) -> list[Row]:
    """A row for each workload: the median over pairs of runs, one after the other, of what the second takes longer.

    Both processes live all the while, the one that is not asked idle, so that a neighbour meets both alike.
    """
    about: Row = {"model": weights.name, "subject": engine.name}
    patience_s = launcher.patience_s
    rows: list[Row] = []
    try:
        with launcher.start(engine, weights) as alone, launcher.start(worker, weights) as served:
            for process in (alone, served):
                warm_up(process, weights, patience_s)
            for name in WORKLOADS:
                both = [
                    [play_round(process, name, ROUNDS[name], weights, patience_s, run) for process in (alone, served)]
                    for run in range(max(pairs, MIN_PAIRS))
                ]
                row = {**about, "workload": f"{name} over HTTP", **_compare(both)}
                rows.append(row)
                launcher.say(f"{line_of(row)}, {row['http_cost']:+.1%}")
    except (CannotPrepare, SubjectFailed) as error:
        rows.append({**about, "workload": "HTTP", "skipped": str(error)})
        launcher.say(line_of(rows[-1]))
    return rows


def _compare(pairs: list[list[Row]]) -> Row:
    ratios = [served["total_s"] / alone["total_s"] for alone, served in pairs]
    served = min((served for _, served in pairs), key=lambda row: float(row["total_s"]))
    return {
        "total_s": served["total_s"],
        "first_token_s": served["first_token_s"],
        "tokens_s": served["tokens_s"],
        "engine_s": min(alone["total_s"] for alone, _ in pairs),
        "engine_first_token_s": min(alone["first_token_s"] for alone, _ in pairs),
        "http_cost": round(statistics.median(ratios) - 1, 4),
        "pairs": [[alone["total_s"], served["total_s"]] for alone, served in pairs],
    }
