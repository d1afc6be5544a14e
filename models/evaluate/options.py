"""What the commands below `talewright evaluate` take, and the plans that it becomes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.evaluate.cases import CaseOptions
    from models.evaluate.numbers import Bootstrap
    from models.evaluate.opening import Opening
    from models.evaluate.run import Plan
    from models.evaluate.writing import WritingOptions

MEASURES = ("bits", "generation", "hints", "infilling", "speed")
MODES = ("documents", "file")
BASELINES = ("untrained", "ngram")


class BadOption(ValueError):
    """An option's value is no good; the message names it and the limit."""


def evaluate_parser() -> argparse.ArgumentParser:
    """`talewright evaluate MODEL_OR_URL …`."""
    parser = argparse.ArgumentParser(
        prog="talewright evaluate",
        description="Measures models on held-out stories, side by side, in one report.",
        epilog="also: talewright evaluate decoding (ways of decoding compared), talewright evaluate votes (members' "
        "judgement), talewright evaluate moderation (classifiers of texts). A model whose folder is called so is named "
        "with its path: ./votes.",
    )
    add = parser.add_argument
    add("models", nargs="+", metavar="MODEL_OR_URL", help="checkpoint folder, hub name, or URL[#MODEL] of a server")
    _add_texts(parser)
    add_outputs(parser)
    add("--measures", nargs="+", choices=MEASURES, default=list(MEASURES), help="(all of them)")
    add("--bits-by", nargs="+", choices=MODES, default=list(MODES), help="how bits per byte are taken (both)")
    add("--baseline", nargs="+", choices=BASELINES, default=[], help="also the same architecture untrained; n-grams")
    add("--ngram-text", type=Path, nargs="+", default=[], metavar="FILE", help="what the n-gram baseline counts")
    add("--ngram-order", type=int, default=6, help="of bytes (%(default)s)")
    add("--with", type=Path, nargs="+", default=[], dest="others", metavar="JSON", help="other reports to put beside")
    add("--window", type=int, help="most tokens scored at once (the model's context, at most 1024)")
    add("--api-key-file", type=Path, help="file with the key of the servers")
    _add_cases(parser)
    _add_writing(parser)
    add("--sampling", nargs="+", default=None, metavar="FIELD=VALUE", help="of the completions API (as the bot asks)")
    add_bootstrap(parser)
    return parser


def decoding_parser() -> argparse.ArgumentParser:
    """`talewright evaluate decoding MODEL`."""
    parser = argparse.ArgumentParser(
        prog="talewright evaluate decoding",
        description="Compares every way of decoding over one checkpoint, on the same prompts with the same seeds.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL_OR_URL", help="checkpoint folder, hub name, or URL[#MODEL] of a worker")
    _add_texts(parser)
    add_outputs(parser)
    add("--judge", metavar="MODEL", help="another checkpoint that scores what was written (the model itself)")
    add("--only", nargs="+", metavar="NAME", help="some of the ways, by name (all)")
    add("--api-key-file", type=Path, help="file with the key of the server")
    _add_cases(parser)
    _add_writing(parser)
    add_bootstrap(parser)
    return parser


def votes_parser() -> argparse.ArgumentParser:
    """`talewright evaluate votes`."""
    parser = argparse.ArgumentParser(
        prog="talewright evaluate votes",
        description="Win rates and Bradley-Terry strengths from an export of rounds and ballots.",
    )
    parser.add_argument("export", type=Path, help="see docs/evaluation.md for its fields")
    add_outputs(parser)
    parser.add_argument("--alpha", type=float, default=0.01, help="regularisation of strengths (%(default)s)")
    add_bootstrap(parser)
    return parser


def plan_of(args: argparse.Namespace) -> Plan:
    """Raises `BadOption`."""
    from models.evaluate.run import Plan

    return Plan(
        models=tuple(args.models),
        texts=tuple(args.text),
        measures=tuple(name for name in MEASURES if name in args.measures),
        modes=tuple(name for name in MODES if name in args.bits_by),
        max_chars=args.max_chars,
        cases=cases_of(args),
        writing=writing_of(args, args.sampling),
        bootstrap=bootstrap_of(args),
        opening=_opening_of(args),
    )


def cases_of(args: argparse.Namespace) -> CaseOptions:
    """Raises `BadOption`."""
    from models.evaluate.cases import CaseOptions

    if args.max_chars is not None and args.max_chars < 1:
        raise BadOption(f"--max-chars is {args.max_chars}; it must be at least 1")
    try:
        return CaseOptions(args.prompts, args.passage_words, args.before_words, args.seed)
    except ValueError as error:
        raise BadOption(str(error)) from error


def writing_of(args: argparse.Namespace, sampling: list[str] | None = None) -> WritingOptions:
    """Raises `BadOption`."""
    from models.evaluate.asking import BOT_SAMPLING, BadField, check_fields
    from models.evaluate.writing import WritingOptions

    fields = dict(BOT_SAMPLING) if sampling is None else dict(_field(word) for word in sampling)
    try:
        check_fields(fields)
        return WritingOptions(args.n, args.max_tokens, args.seed, fields)
    except (BadField, ValueError) as error:
        raise BadOption(str(error)) from error


def bootstrap_of(args: argparse.Namespace) -> Bootstrap:
    """Raises `BadOption`."""
    from models.evaluate.numbers import Bootstrap

    try:
        return Bootstrap(args.resamples, args.seed)
    except ValueError as error:
        raise BadOption(str(error)) from error


def api_key_of(args: argparse.Namespace) -> str | None:
    """Raises `BadOption`."""
    if args.api_key_file is None:
        return None
    try:
        return str(args.api_key_file.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise BadOption(f"--api-key-file: {error}") from error


def missing_texts(paths: list[Path]) -> list[str]:
    """Those that are no files."""
    return [str(path) for path in paths if not path.is_file()]


def _opening_of(args: argparse.Namespace) -> Opening:
    from models.evaluate.opening import Opening

    try:
        return Opening(
            device=args.device,
            dtype=args.dtype,
            window=args.window,
            api_key=api_key_of(args),
            baselines=tuple(args.baseline),
            ngram_text=tuple(args.ngram_text),
            ngram_order=args.ngram_order,
            seed=args.seed,
        )
    except ValueError as error:
        raise BadOption(str(error)) from error


def _field(word: str) -> tuple[str, Any]:
    """`name=value`, the value as JSON."""
    name, _, value = word.partition("=")
    try:
        return name, json.loads(value)
    except ValueError as error:
        raise BadOption(f"--sampling {word}: wanted FIELD=VALUE with a number, true, false or a JSON list") from error


def _add_texts(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--text", type=Path, nargs="+", required=True, metavar="FILE", help="held-out text files")
    add("--max-chars", type=int, help="only the first N characters of each file")
    add("--device", default="auto", help="(%(default)s)")
    add("--dtype", default="float32", help="of checkpoints (%(default)s)")


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Where a report goes."""
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the report's JSON here")
    parser.add_argument(
        "--report", type=Path, metavar="FOLDER", help="write report.json, report.md and report.html there"
    )


def _add_cases(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--prompts", type=int, default=50, help="stories that are written on, at most (%(default)s)")
    add("--passage-words", type=int, default=50, help="words of a passage, about (%(default)s)")
    add("--before-words", type=int, default=200, help="words told before it, at most (%(default)s)")


def _add_writing(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--n", type=int, default=3, help="candidates of each prompt (%(default)s)")
    add("--max-tokens", type=int, default=160, help="of each candidate (%(default)s)")


def add_bootstrap(parser: argparse.ArgumentParser) -> None:
    """What is drawn."""
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (%(default)s)")
