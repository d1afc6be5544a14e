"""What `talewright evaluate moderation` takes, and the plan that it becomes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.evaluate.options import BadOption, add_bootstrap, add_outputs, api_key_of, bootstrap_of

if TYPE_CHECKING:
    from models.evaluate.moderation.judging import Plan


def moderation_parser() -> argparse.ArgumentParser:
    """`talewright evaluate moderation MODEL_OR_URL …`."""
    parser = argparse.ArgumentParser(
        prog="talewright evaluate moderation",
        description="Scores judges of texts on a functional suite in HateCheck's columns, side by side.",
    )
    add = parser.add_argument
    add("judges", nargs="*", metavar="MODEL_OR_URL", help="classifier's folder, hub name, or URL[#MODEL] of a server")
    add("--cases", type=Path, required=True, metavar="CSV", help="the suite")
    add("--verdicts", type=Path, nargs="+", default=[], metavar="JSONL", help="verdicts that were made elsewhere")
    add("--write-texts", type=Path, metavar="FILE", help="only write the cases' texts there, a line each")
    add("--categories", nargs="+", metavar="NAME", help="which categories count (all)")
    add("--threshold", type=float, default=0.5, help="from which score on a text is flagged (%(default)s)")
    add("--labels", metavar="JSON", help='what checkpoints\' labels are called: {"LABEL_1": "hate", "LABEL_0": null}')
    add("--device", default="auto", help="(%(default)s)")
    add("--dtype", default="float32", help="of checkpoints (%(default)s)")
    add("--api-key-file", type=Path, help="file with the key of the servers")
    add_outputs(parser)
    add_bootstrap(parser)
    return parser


def plan_of(args: argparse.Namespace) -> Plan:
    """Raises `BadOption`."""
    from models.evaluate.moderation.judging import Plan

    try:
        return Plan(
            suite=args.cases,
            judges=tuple(args.judges),
            verdicts=tuple(args.verdicts),
            categories=None if args.categories is None else tuple(args.categories),
            threshold=args.threshold,
            naming=None if args.labels is None else _naming(args.labels),
            device=args.device,
            dtype=args.dtype,
            api_key=api_key_of(args),
            bootstrap=bootstrap_of(args),
        )
    except ValueError as error:
        raise BadOption(str(error)) from error


def _naming(text: str) -> dict[str, str | None]:
    wanted = '--labels: wanted a JSON object like {"LABEL_1": "hate", "LABEL_0": null}'
    try:
        said: Any = json.loads(text)
    except ValueError as error:
        raise BadOption(wanted) from error
    if not isinstance(said, dict) or not all(isinstance(name, str | None) for name in said.values()):
        raise BadOption(wanted)
    return said
