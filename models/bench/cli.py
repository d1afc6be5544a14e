"""`talewright bench engine`: the engine's speed beside other ways, on this machine, in one run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

WORKLOADS = ("W1", "W2", "W3", "W4")
ROOT = Path(__file__).resolve().parents[1]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; heavy imports wait until it runs."""
    parser = subparsers.add_parser("bench", help="measure how fast the engine is here", description=__doc__)
    parser.add_argument("what", choices=["engine"])
    parser.add_argument("--workload", nargs="+", choices=WORKLOADS, default=["W1", "W2", "W3"], help="(%(default)s)")
    parser.add_argument("--model", nargs="+", default=["bundled"], help="bundled, gpt2, smollm2-135m or qwen2.5-0.5b")
    parser.add_argument("--quantize", choices=["none", "int8", "both"], default="both", help="(%(default)s)")
    parser.add_argument("--peers", choices=["none", "all"], default="all", help="transformers' own ways (%(default)s)")
    parser.add_argument("--runs", type=int, default=1, help="of each; the fastest counts (%(default)s)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long W4 goes on (%(default)s)")
    parser.add_argument("--rate", type=float, default=0.5, help="requests a second in W4 (%(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 0, or 2 for a model that is not known."""
    from models.bench.report import Conditions, measure_all, show
    from models.bench.shapes import NAMES

    if unknown := sorted(set(args.model) - set(NAMES)):
        print(f"talewright bench: no model {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    conditions = Conditions(
        models=tuple(args.model),
        workloads=tuple(args.workload),
        quantize={"both": ("none", "int8")}.get(args.quantize, (args.quantize,)),
        has_peers=args.peers == "all",
        runs=args.runs,
        device=args.device,
        dtype=args.dtype,
        seconds=args.seconds,
        rate=args.rate,
    )
    record = measure_all(conditions, str(ROOT / "storyteller"), lambda line: print(line, flush=True))
    print()
    print(show(record))
    if args.json is not None:
        args.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0
