"""`talewright bench`: the engine's speed beside other ways, on this machine; and its report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.bench.growth import Axis
    from models.bench.launching import Launcher
    from models.bench.record import Record
    from models.bench.whole import Keep, Order

ROOT = Path(__file__).resolve().parents[1]
WORKLOADS = ("W1", "W2", "W3", "W4")
CACHE = Path("~/.cache/talewright/bench")
PRICE = 0.10
"""An hour of a rented machine with two cores, as an example."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; heavy imports wait until it runs."""
    parser = subparsers.add_parser("bench", help="measure how fast the engine is here", description=__doc__)
    whats = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    _add_engine(whats.add_parser("engine", help="rounds as communities play them, beside other engines"))
    _add_speculation(whats.add_parser("speculation", help="what guessing ahead would be worth"))
    report = whats.add_parser("report", help="tables and plots of records that were written")
    report.add_argument("records", type=Path, nargs="+", help="what --json wrote; later ones hold")
    report.add_argument("--report", type=Path, required=True, metavar="DIR", help="where engine.md is")
    report.set_defaults(run=run_report)


def _add_engine(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--workload", nargs="+", choices=(*WORKLOADS, "all"), default=["W1", "W2", "W3"], help="(%(default)s)")
    add("--quantize", choices=["none", "int8", "both"], default="both", help="of the engine (%(default)s)")
    add(
        "--peers",
        nargs="+",
        default=["transformers"],
        help="none, transformers, all, or names: generic, together, tutorial, batching, llama.cpp, openvino, "
        "ctranslate2 (%(default)s)",
    )
    add(
        "--curves",
        nargs="*",
        choices=("context", "candidates", "channels"),
        help="also how time grows with these, or with all three",
    )
    add("--http", action="store_true", help="also what HTTP and streaming cost")
    add("--runs", type=int, default=1, help="of each; the fastest counts (%(default)s)")
    add("--dtype", default="auto")
    add("--seconds", type=float, default=120.0, help="how long W4 goes on (%(default)s)")
    add("--rate", type=float, default=0.5, help="requests a second in W4 (%(default)s)")
    add("--price-per-hour", type=float, default=PRICE, help="of the machine, for the cost of ballots (%(default)s)")
    _add_common(parser)
    parser.set_defaults(run=run_engine)


def _add_speculation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quantize", choices=["none", "int8", "both"], default="both", help="(%(default)s)")
    parser.add_argument("--stories", type=int, default=16, help="of the bundled model's own (%(default)s)")
    _add_common(parser)
    parser.set_defaults(run=run_speculation)


def _add_common(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", nargs="+", default=["bundled"], help="bundled, gpt2, smollm2-135m, qwen2.5-0.5b or all")
    add("--device", default="auto")
    add("--threads", type=int, help="of everyone who is measured (all cores)")
    add("--patience", type=float, default=1800.0, help="seconds that anyone may take for an answer (%(default)s)")
    add("--peer-envs", type=Path, default=CACHE, help="peers' environments, weights and logs (%(default)s)")
    add("--json", type=Path, help="also write the figures here, into what is there")
    add("--report", type=Path, metavar="DIR", help="also bring engine.json, engine.md and its plots there up to date")


class _Refused(Exception):
    """What was asked for can't be done; the message says why."""


def run_engine(args: argparse.Namespace) -> int:
    """Exit code 0, or 2 for a name that is not known or a report that can't be written."""
    from models.bench.measuring import Conditions
    from models.bench.subjects import CHOICES
    from models.bench.whole import measure_engine

    def measure(order: Order, launcher: Launcher, keep: Keep) -> Record:
        _require_known("peer", args.peers, CHOICES)
        workloads = WORKLOADS if "all" in args.workload else tuple(args.workload)
        conditions = Conditions(workloads, args.runs, args.seconds, args.rate, args.patience)
        return measure_engine(
            *(order, conditions, launcher, tuple(args.peers)),
            price_per_hour=args.price_per_hour,
            axes=_axes(args.curves),
            has_http=args.http,
            keep=keep,
        )

    return _run(args, measure)


def _axes(names: Sequence[str] | None) -> tuple[Axis, ...]:
    """None: no curves were asked for; an empty list: all."""
    from models.bench.growth import AXES, AXIS_NAMES

    named = zip(AXIS_NAMES, AXES, strict=True)
    return () if names is None else tuple(axis for name, axis in named if not names or name in names)


def run_speculation(args: argparse.Namespace) -> int:
    """Likewise."""
    from models.bench.whole import measure_speculation

    return _run(args, lambda order, launcher, _keep: measure_speculation(order, launcher, args.stories))


def run_report(args: argparse.Namespace) -> int:
    """Exit code 0, or 2 where a record can't be read or the report not be written."""
    from models.bench.record import RecordError, read_records
    from models.bench.report import write_report

    try:
        print(write_report(read_records(args.records), args.report))
    except RecordError as error:
        return _say(error)
    return 0


def _run(args: argparse.Namespace, measure: Callable[[Order, Launcher, Keep], Record]) -> int:
    from models.bench.record import RecordError
    from models.bench.sections import make_sections

    def keep(record: Record) -> None:
        _keep(record, args.json, args.report)

    try:
        keep({})  # what can't be read or written is to show now, not after an hour
        record = measure(*_order(args), keep)
        keep(record)
    except (_Refused, RecordError) as error:
        return _say(error)
    print("", *make_sections(record).values(), sep="\n\n")
    return 0


def _order(args: argparse.Namespace) -> tuple[Order, Launcher]:
    from models.bench.launching import Launcher
    from models.bench.shapes import NAMES
    from models.bench.whole import Order
    from models.engine.placement import choose_device

    _require_known("model", args.model, (*NAMES, "all"))
    models = NAMES if "all" in args.model else tuple(args.model)
    quantize = {"both": ("none", "int8")}.get(args.quantize, (args.quantize,))
    cache = args.peer_envs.expanduser().resolve()
    cache.mkdir(parents=True, exist_ok=True)
    threads = args.threads or os.cpu_count() or 1
    device = choose_device(args.device).type
    dtype = getattr(args, "dtype", "auto")
    launcher = Launcher(cache, threads, device, dtype, args.patience, lambda line: print(line, flush=True))
    return Order(models, quantize, ROOT / "storyteller", cache), launcher


def _require_known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise _Refused(f"no {what} {', '.join(unknown)}; there are {', '.join(known)}")


def _keep(record: Record, path: Path | None, folder: Path | None) -> None:
    """Writes the record where that was asked for, and the report of all that has been recorded there."""
    from models.bench.record import RECORD, read_records, write_record

    if path is not None:
        write_record(record, path)
    if folder is not None:
        from models.bench.report import write_report  # needs matplotlib

        write_record(record, folder / RECORD)
        write_report(read_records([folder / RECORD]), folder)


def _say(error: Exception) -> int:
    print(f"talewright bench: {error}", file=sys.stderr)
    return 2
