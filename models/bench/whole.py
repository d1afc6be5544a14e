"""A whole run: everything that was asked for, into one record."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import transformers

from models.bench.figures import Row
from models.bench.growth import Axis, measure_growth
from models.bench.http_cost import measure_http, through_worker
from models.bench.launching import Launcher
from models.bench.machine import measure
from models.bench.measuring import Bench, Conditions
from models.bench.record import Record
from models.bench.speculation.experiment import accept, measure_pays
from models.bench.subjects import ENGINES, choose
from models.bench.weights import make_weights


@dataclass(frozen=True)
class Order:
    """What to measure: the models, the engine in these precisions, and for rounds the peers too."""

    models: tuple[str, ...]
    quantize: tuple[str, ...]
    bundled: Path
    cache: Path


Keep = Callable[[Record], None]
"""Gets the record again whenever a model has been measured, so that nothing is lost with a run that is ended."""


def measure_engine(
    order: Order,
    conditions: Conditions,
    launcher: Launcher,
    peers: tuple[str, ...],
    *,
    price_per_hour: float,
    axes: tuple[Axis, ...],
    has_http: bool,
    keep: Keep,
) -> Record:
    """The record of all rounds, and of growth and HTTP where they are asked for."""
    torch.set_num_threads(launcher.threads)
    machine = measure(torch.device(launcher.device))
    rows: list[Row] = []
    record: Record = {
        "conditions": {
            **asdict(conditions),
            "threads": launcher.threads,
            "device": launcher.device,
            "dtype": launcher.dtype,
            "price_per_hour": price_per_hour,
        },
        "machine": asdict(machine),
        "processor": processor_name(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "rows": rows,
    }
    bench = Bench(conditions, machine, launcher)
    for name in order.models:
        weights = make_weights(name, order.bundled, order.cache)
        for subject in choose(order.quantize, peers):
            rows += bench.measure(subject, weights)
        keep(record)
        for quantize in order.quantize if has_http else ():
            engine, worker = ENGINES[quantize], through_worker(quantize)
            record.setdefault("http", []).extend(measure_http(engine, worker, weights, launcher, conditions.runs))
        for quantize in order.quantize if axes else ():
            record.setdefault("growth", []).extend(measure_growth(ENGINES[quantize], weights, launcher, axes))
        keep(record)
    return record


def measure_speculation(order: Order, launcher: Launcher, num_stories: int) -> Record:
    """The record of the experiment: acceptance on the bundled model's stories, costs on every model."""
    acceptance, replays = accept(order.bundled, num_stories, launcher.say)
    record: Record = {"acceptance": acceptance, "steps": [], "speculation": []}
    for weights in (make_weights(name, order.bundled, order.cache) for name in order.models):
        for quantize in order.quantize:
            rows, steps = measure_pays(replays, ENGINES[quantize], weights, launcher)
            record["speculation"] += rows
            record["steps"].append(steps)
    return record


def processor_name() -> str:
    """As the system calls it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
