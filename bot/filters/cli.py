"""`talewright filters …`: judge lines, say why, measure; no database and no Discord are needed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from bot.errors import ConfigError, RuleError
from bot.filters.base import Action, Hit, Mode, TextKind, Verdict
from bot.filters.build import compile_rules
from bot.filters.levels import LISTED, Level, Levels, Tier
from bot.filters.rules import Rule, RuleKind
from bot.filters.ruleset import RuleSet, Trace
from bot.filters.words import load_words

FIELDS = ("name", "kind", "patterns", "category", "action", "mode", "text_kinds", "tiers", "options")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command with its parts."""
    parser = subparsers.add_parser(
        "filters", help="judge lines with the filters, and measure them", description=__doc__
    )
    parts = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    check = parts.add_parser(
        "check",
        help="one JSON verdict per line of standard input",
        description="Reads lines and writes one JSON object for each, in order, also for empty ones. Places are code "
        "points of the line, as a slice.",
    )
    _add_choices(check)
    check.add_argument("--explain", action="store_true", help="with every reading and every hit")
    check.set_defaults(run=run_check)
    report = parts.add_parser("report", help="recall and false alarms on lists and books, with plots")
    report.add_argument("--lists", type=Path, required=True, metavar="FOLDER", help="with test_positive.txt and so on")
    report.add_argument("--books", type=Path, metavar="FOLDER", help="of innocent texts, a paragraph a line")
    report.add_argument("--report", type=Path, required=True, metavar="FOLDER", help="where it is written")
    report.add_argument("--tier", choices=[tier.value for tier in Tier], default=Tier.GENERAL.value)
    report.set_defaults(run=run_report)
    bench = parts.add_parser("bench", help="what one check costs")
    bench.add_argument("--texts", type=Path, required=True, metavar="FOLDER", help="of texts, whose parts are checked")
    bench.add_argument("--out", type=Path, metavar="FILE", help="the figures as JSON")
    bench.set_defaults(run=run_bench)


def run_check(args: argparse.Namespace) -> int:
    """Exit code 0, or 2 where a rule, a list or an option cannot be used."""
    try:
        rules = _compile(args)
    except (RuleError, ConfigError, OSError, ValueError) as error:
        print(f"talewright filters: {error}", file=sys.stderr)
        return 2
    try:
        check_lines(sys.stdin.buffer, sys.stdout, rules, TextKind(args.kind), explain=args.explain)
    except BrokenPipeError:
        return 0  # whoever reads has seen enough
    return 0


def check_lines(lines: BinaryIO, out: TextIO, rules: RuleSet, kind: TextKind, *, explain: bool = False) -> None:
    """One verdict per line, as it comes. Bytes that are not UTF-8 count as one unknown character each."""
    for raw in lines:
        text = raw.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
        if explain:
            record = {**verdict_record(rules.check(text, kind)), "explained": trace_record(rules.explain(text, kind))}
        else:
            record = verdict_record(rules.check(text, kind))
        out.write(json.dumps(record) + "\n")
        out.flush()


def verdict_record(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it is written."""
    return {
        "allowed": verdict.allowed,
        "action": None if verdict.action is None else verdict.action.value,
        "rule": verdict.rule,
        "category": verdict.category,
        "start": verdict.start,
        "end": verdict.end,
        "hits": [_hit_record(hit) for hit in verdict.hits],
        **({} if verdict.masked is None else {"masked": verdict.masked}),
    }


def trace_record(trace: Trace) -> dict[str, Any]:
    """The steps to a verdict as they are written."""
    readings = [{"name": one.name, "text": one.text, "changed": list(one.changed)} for one in trace.readings]
    hits = [{**_hit_record(one.hit), "counts": one.counts, "why": one.why} for one in trace.judged]
    return {"readings": readings, "hits": hits}


def _hit_record(hit: Hit) -> dict[str, Any]:
    return {
        "rule": hit.rule,
        "term": hit.term,
        "category": hit.category,
        "action": hit.action.value,
        "mode": hit.mode.value,
        "start": hit.start,
        "end": hit.end,
    }


def _add_choices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tier", choices=[tier.value for tier in Tier], default=Tier.GENERAL.value)
    parser.add_argument("--kind", choices=[kind.value for kind in TextKind], default=TextKind.PASSAGE.value)
    parser.add_argument(
        "--level",
        action="append",
        default=[],
        metavar="CATEGORY=LEVEL",
        help=f"another level for a list: {', '.join(LISTED)}; {', '.join(Level)}",
    )
    parser.add_argument("--rules", type=Path, metavar="FILE", help=f"JSON: a list of objects with {', '.join(FIELDS)}")
    parser.add_argument("--words", type=Path, action="append", default=[], metavar="FILE", help="as in FILTER_WORDS")


def _compile(args: argparse.Namespace) -> RuleSet:
    tier = Tier(args.tier)
    levels = Levels.of_tier(tier)
    for choice in args.level:
        category, _, level = choice.partition("=")
        if category not in LISTED or level not in list(Level):
            raise ConfigError("--level", repr(choice), f"one of {', '.join(LISTED)}, =, and one of {', '.join(Level)}")
        levels = levels.with_level(category, Level(level))
    rules = [] if args.rules is None else rules_from(json.loads(args.rules.read_text(encoding="utf-8")))
    return compile_rules(rules, tier, levels, [term for path in args.words for term in load_words(path)])


def rules_from(records: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """Rules from JSON. Raises ConfigError where an object is not one."""
    return [_rule_from(number, record) for number, record in enumerate(records, start=1)]


def _rule_from(number: int, record: Mapping[str, Any]) -> Rule:
    unknown = set(record) - set(FIELDS)
    if unknown or not {"name", "kind"} <= set(record):
        raise ConfigError("--rules", f"{sorted(record)} in rule {number}", f"name, kind and others of {FIELDS}")
    try:
        return Rule(
            str(record["name"]),
            RuleKind(record["kind"]),
            tuple(record.get("patterns", ())),
            record.get("category", "custom"),
            Action(record.get("action", Action.BLOCK)),
            Mode(record.get("mode", Mode.ON)),
            frozenset(map(TextKind, record.get("text_kinds", ()))),
            tiers=frozenset(map(Tier, record.get("tiers", ()))),
            options=dict(record.get("options", {})),
        )
    except (TypeError, ValueError) as error:
        raise ConfigError("--rules", f"rule {number}", f"known values ({error})") from error


def run_report(args: argparse.Namespace) -> int:
    """Writes the report; the other libraries are measured where they are installed."""
    from bot.filters.measure.report import write_report

    write_report(args.lists, args.books, Tier(args.tier), args.report)
    print(f"{args.report}: written", file=sys.stderr)
    return 0


def run_bench(args: argparse.Namespace) -> int:
    """Prints the figures, and writes them where asked."""
    from bot.filters.measure.bench import measure

    figures = measure(args.texts)
    text = json.dumps(figures, indent=2)
    print(text)
    if args.out is not None:
        args.out.write_text(text + "\n", encoding="utf-8")
    return 0
