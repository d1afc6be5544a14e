"""`talewright evaluate`: models measured on held-out stories, ways of decoding compared, votes and classifiers too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from models.evaluate import options
from models.evaluate.moderation.options import moderation_parser, plan_of

if TYPE_CHECKING:
    from models.evaluate.report.whole import Report

_NOT_A_PREFIX = "\0"


class _Refused(Exception):
    """What was asked for can't be done; the message says why."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; heavy imports wait until it runs.

    Models come first on its line, and so does the name of another command; so its words are taken as they are, options
    too (nothing begins with the prefix given here), and `run` hands them to the parser of the command that is meant.
    """
    parser = subparsers.add_parser(
        "evaluate", help="measure models on held-out stories", add_help=False, prefix_chars=_NOT_A_PREFIX
    )
    parser.add_argument("words", nargs=argparse.REMAINDER)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 0, or 2 where an option is wrong, or a file, a model or a server can't be read."""
    words: list[str] = args.words
    commands: dict[str, tuple[argparse.ArgumentParser, Callable[[argparse.Namespace, Sequence[str]], None]]] = {
        "votes": (options.votes_parser(), _run_votes),
        "decoding": (options.decoding_parser(), _run_decoding),
        "moderation": (moderation_parser(), _run_moderation),
    }
    name = words[0] if words and words[0] in commands else None
    parser, work = commands[name] if name else (options.evaluate_parser(), _run_evaluate)
    parsed = parser.parse_args(words[1:] if name else words)
    try:
        work(parsed, ["evaluate", *words])
    except (_Refused, options.BadOption) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


def _run_evaluate(args: argparse.Namespace, argv: Sequence[str]) -> None:
    from dataclasses import replace

    from models.evaluate.report.whole import BadReport, beside, read_sections
    from models.evaluate.run import NameTwice, evaluate
    from models.evaluate.subject import CannotOpen

    _require_files(args)
    try:
        others = {path.stem if path.stem != "report" else path.parent.name: read_sections(path) for path in args.others}
        report = evaluate(options.plan_of(args), argv, print)
    except (CannotOpen, NameTwice, BadReport, OSError, UnicodeDecodeError) as error:
        raise _Refused(str(error)) from error
    _write(replace(report, sections=beside(report.sections, others)), args)


def _run_decoding(args: argparse.Namespace, argv: Sequence[str]) -> None:
    from models.evaluate.cases import NoCases
    from models.evaluate.decoding.comparison import Plan, compare
    from models.evaluate.decoding.strategies import UnknownWay
    from models.evaluate.opening import Opening
    from models.evaluate.subject import CannotOpen, NotAvailable
    from models.train.sources import NoTextError

    _require_files(args)
    plan = Plan(
        model=args.model,
        judge=args.judge,
        texts=tuple(args.text),
        max_chars=args.max_chars,
        only=None if args.only is None else tuple(args.only),
        opening=Opening(device=args.device, dtype=args.dtype, api_key=options.api_key_of(args)),
        cases=options.cases_of(args),
        writing=options.writing_of(args),
        bootstrap=options.bootstrap_of(args),
    )
    try:
        report = compare(plan, argv)
    except (CannotOpen, NotAvailable, NoCases, NoTextError, UnknownWay, OSError, UnicodeDecodeError) as error:
        raise _Refused(str(error)) from error
    _write(report, args)


def _run_votes(args: argparse.Namespace, argv: Sequence[str]) -> None:
    from models.evaluate.votes.export import BadExport, read_export
    from models.evaluate.votes.sections import votes_report

    try:
        rounds = read_export(args.export)
        report = votes_report(rounds, args.export, args.alpha, options.bootstrap_of(args), argv)
    except (BadExport, OSError) as error:
        raise _Refused(str(error)) from error
    _write(report, args)


def _run_moderation(args: argparse.Namespace, argv: Sequence[str]) -> None:
    from models.evaluate.moderation.judging import LabelTwice, judge_suite
    from models.evaluate.moderation.suite import BadSuite, read_suite, write_texts
    from models.evaluate.moderation.verdicts import BadVerdicts, NoSuchCategory
    from models.evaluate.subject import CannotOpen

    try:
        if args.write_texts is not None:
            write_texts(read_suite(args.cases), args.write_texts)
            return
        report = judge_suite(plan_of(args), argv)
    except (BadSuite, BadVerdicts, NoSuchCategory, LabelTwice, CannotOpen, OSError) as error:
        raise _Refused(str(error)) from error
    _write(report, args)


def _require_files(args: argparse.Namespace) -> None:
    if missing := options.missing_texts(args.text):
        raise _Refused(f"no such file: {', '.join(missing)}")


def _write(report: Report, args: argparse.Namespace) -> None:
    """Where it was asked for; with no place named, the tables go to the screen."""
    from models.evaluate.report.markdown import table
    from models.evaluate.report.whole import write_folder, write_json

    try:
        if args.json:
            write_json(report, args.json)
        if args.report:
            print(write_folder(report, args.report))
    except OSError as error:
        raise _Refused(str(error)) from error
    if not args.json and not args.report:
        for section in report.sections:
            print(f"\n{section.title}\n\n{table(section)}")
