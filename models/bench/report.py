"""Measures everything that was asked for, and writes it down: as a record, and as a table for people."""

from __future__ import annotations

import gc
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
import transformers

from models.bench.machine import Machine, measure, roofline_s
from models.bench.shapes import make_checkpoint
from models.bench.subjects import EngineSubject, GenerateSubject, Subject, Timing
from models.bench.workloads import make, make_arrivals
from models.engine.budget import plan_slots
from models.engine.checkpoint import Checkpoint
from models.engine.families import NoNetwork, build_network
from models.engine.gpu.check import choose_decoder
from models.engine.linear import Quantize
from models.engine.network import Network
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine

CACHE_BYTES = 3 << 30
BASELINE = "generate, a call a candidate"
NUM_CHANNELS = 64
GOAL_S = 10.0
"""A ballot is on time within so many seconds."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Conditions:
    """What to measure."""

    models: tuple[str, ...]
    workloads: tuple[str, ...]
    quantize: tuple[str, ...]
    has_peers: bool
    runs: int
    device: str
    dtype: str
    seconds: float
    rate: float


def measure_all(conditions: Conditions, bundled: str, say: Callable[[str], None]) -> Record:
    """The record of a whole run; `say` gets a line for everything that is done."""
    rows: list[Record] = []
    machine: Machine | None = None
    for name in conditions.models:
        checkpoint = make_checkpoint(name, bundled, conditions.device, conditions.dtype)
        machine = machine or measure(checkpoint.device)
        rows += _measure_model(conditions, checkpoint, machine, say)
        del checkpoint
        gc.collect()
    return {
        "conditions": asdict(conditions),
        "machine": asdict(machine) if machine else None,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "rows": rows,
    }


def _measure_model(
    conditions: Conditions, checkpoint: Checkpoint, machine: Machine, say: Callable[[str], None]
) -> list[Record]:
    num_params = sum(p.numel() for p in checkpoint.model.parameters())
    exact = build_network(checkpoint)
    rows = []
    for subject in _subjects(conditions, checkpoint, exact):
        for name in conditions.workloads:
            if name == "W4":
                if isinstance(subject, EngineSubject):
                    rows.append(_arrivals_row(conditions, checkpoint, subject))
                    say(_line(rows[-1]))
                continue
            roof_s = roofline_s(machine, checkpoint, exact.shape, _workload(name, checkpoint), num_params)
            timings = [subject.run(_workload(name, checkpoint)) for _ in range(conditions.runs)]
            rows.append(_row(checkpoint, subject, name, min(timings, key=lambda timing: timing.total_s), roof_s))
            say(_line(rows[-1]))
    return rows


def _workload(name: str, checkpoint: Checkpoint) -> Any:
    """A new one each time: it remembers the turn that it is at."""
    return make(name, checkpoint.vocab_size, checkpoint.context_tokens)


def _subjects(conditions: Conditions, checkpoint: Checkpoint, exact: Network) -> Iterator[Subject]:
    for quantize in conditions.quantize:
        try:
            network = exact if quantize == "none" else build_network(checkpoint, Quantize(quantize))
        except NoNetwork as reason:
            print(f"{quantize} is left out: {reason}", file=sys.stderr)
            continue
        budget = plan_slots(network.shape, checkpoint.context_tokens, CACHE_BYTES)
        slots = (budget.num_slots, budget.num_columns)
        engine = WeavingEngine(checkpoint, network, *slots, decoder=choose_decoder(checkpoint, network, *slots))
        yield EngineSubject("engine" if quantize == "none" else f"engine, {quantize}", engine)
        del network, engine
        gc.collect()
    if conditions.has_peers:
        yield EngineSubject("generic path", SerialEngine(checkpoint))
        yield GenerateSubject("generate, num_return_sequences", checkpoint, is_together=True)
        yield GenerateSubject(BASELINE, checkpoint, is_together=False)


def _row(checkpoint: Checkpoint, subject: Subject, workload: str, timing: Timing, roof_s: float) -> Record:
    later = timing.first_s[1:] if workload == "W3" else timing.first_s
    return {
        "model": checkpoint.name,
        "workload": workload,
        "subject": subject.name,
        "total_s": round(timing.total_s, 3),
        "first_token_s": round(statistics.median(later), 4),
        "tokens_s": round(timing.num_tokens / timing.total_s, 1),
        "roofline_s": round(roof_s, 3),
    }


def _arrivals_row(conditions: Conditions, checkpoint: Checkpoint, subject: EngineSubject) -> Record:
    arrivals = make_arrivals(
        checkpoint.vocab_size, checkpoint.context_tokens, NUM_CHANNELS, conditions.seconds, conditions.rate
    )
    timing = subject.run_arrivals(arrivals)
    done = sorted(timing.done_s)
    return {
        "model": checkpoint.name,
        "workload": "W4",
        "subject": subject.name,
        "requests": len(done),
        "total_s": round(timing.total_s, 3),
        "tokens_s": round(timing.num_tokens / timing.total_s, 1),
        "first_token_s": round(statistics.median(timing.first_s), 4),
        "ballot_p50_s": round(_quantile(done, 0.5), 3),
        "ballot_p95_s": round(_quantile(done, 0.95), 3),
        "on_time": round(sum(seconds <= GOAL_S for seconds in done) / len(done), 3),
    }


def _quantile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def _line(row: Record) -> str:
    return f"{row['model']} {row['workload']} {row['subject']}: {row['total_s']:.2f} s, {row['tokens_s']:.0f} tokens/s"


def show(record: Record) -> str:
    """Tables in Markdown, one for each model and workload, with ratios to the tutorial's way."""
    parts = []
    groups: dict[tuple[str, str], list[Record]] = {}
    for row in record["rows"]:
        groups.setdefault((row["model"], row["workload"]), []).append(row)
    for (model, workload), rows in groups.items():
        columns = _arrival_columns() if workload == "W4" else _columns(rows)
        head = ["way", *(name for name, _ in columns)]
        lines = [head, ["---"] * len(head)]
        lines += [[row["subject"], *(cell(row) for _, cell in columns)] for row in rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        parts.append(f"**{model}, {workload}**\n\n{table}")
    return "\n\n".join(parts)


def _columns(rows: list[Record]) -> list[tuple[str, Callable[[Record], str]]]:
    base = next((row["total_s"] for row in rows if row["subject"] == BASELINE), None)
    return [
        ("first token, s", lambda row: f"{row['first_token_s']:.3f}"),
        ("all candidates, s", lambda row: f"{row['total_s']:.2f}"),
        ("tokens/s", lambda row: f"{row['tokens_s']:.0f}"),
        ("times the tutorial's speed", lambda row: "" if base is None else f"{base / row['total_s']:.1f}"),
        ("of the float32 roofline", lambda row: f"{row['roofline_s'] / row['total_s']:.0%}"),
    ]


def _arrival_columns() -> list[tuple[str, Callable[[Record], str]]]:
    return [
        ("requests", lambda row: str(row["requests"])),
        ("first token p50, s", lambda row: f"{row['first_token_s']:.2f}"),
        ("ballot p50, s", lambda row: f"{row['ballot_p50_s']:.2f}"),
        ("ballot p95, s", lambda row: f"{row['ballot_p95_s']:.2f}"),
        ("within 10 s", lambda row: f"{row['on_time']:.0%}"),
        ("tokens/s", lambda row: f"{row['tokens_s']:.0f}"),
    ]
