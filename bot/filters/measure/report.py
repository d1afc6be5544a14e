"""One report of recall and false alarms, ours beside other libraries, with plots and the lines that went wrong."""

from __future__ import annotations

import json
import random
from pathlib import Path

from bot.filters.base import TextKind
from bot.filters.build import compile_rules
from bot.filters.levels import Tier
from bot.filters.measure.disguised import measure_disguises
from bot.filters.measure.libraries import Judge, other_judges
from bot.filters.measure.sets import INNOCENT, PROFANE, SEED, Count, book_lines, count, halves, read_lines

OURS = "talewright"
SAMPLED_LINES = 1000
SAMPLED_PARAGRAPHS = 100
"""For the other libraries, of which some take a tenth of a second for one line. Halves are shuffled, so the first are
a sample."""


def write_report(lists: Path, books: Path | None, tier: Tier, out: Path) -> None:
    """Writes report.md, figures.json, the lines that went wrong, and two plots."""
    out.mkdir(parents=True, exist_ok=True)
    rules = compile_rules((), tier)
    others, missing = other_judges()
    judges: dict[str, Judge] = {OURS: lambda line: not rules.check(line, TextKind.PASSAGE).allowed, **others}
    sets = {name: read_lines(lists / name) for name in (*PROFANE, *INNOCENT) if (lists / name).exists()}
    wrong: dict[str, list[str]] = {}
    figures: dict[str, dict[str, Count]] = {name: {} for name in judges}
    for set_name, lines in sets.items():
        for part, some in zip(("first half", "second half"), halves(lines), strict=True):
            for name, judge in judges.items():
                stopped: list[str] = []
                judged = some if name == OURS else some[:SAMPLED_LINES]
                figures[name][f"{set_name}, {part}"] = count(judged, judge, stopped.append)
                if name == OURS:
                    bad = sorted(set(some) - set(stopped)) if set_name in PROFANE else stopped
                    wrong[f"{set_name}, {part}"] = bad
    if books is not None:
        _measure_books(book_lines(books), judges, figures, wrong)
    _write(out, tier, figures, [*missing, *_disguises(judges[OURS])], wrong)


def _disguises(judge: Judge) -> list[str]:
    """A table of what our filters see through, by the way of hiding."""
    lines = [
        "",
        "## By disguise",
        "",
        "Disguises made by rule over the listed words: how many of the worst ones are stopped in each, and of a sample "
        "of the others. Words turned round, misspelt or without vowels are looked for among the worst only: of others "
        "too many innocent ones would be hit.",
        "",
        "| disguise | example | worst words | others |",
        "|---|---|---|---|",
    ]
    for name, (example, worst, others) in measure_disguises(judge).items():
        shown = example.replace("|", "\\|")
        lines.append(f"| {name} | {shown} | {100 * worst.share:.0f} % | {100 * others.share:.0f} % |")
    return lines


def _measure_books(
    paragraphs: list[str], judges: dict[str, Judge], figures: dict[str, dict[str, Count]], wrong: dict[str, list[str]]
) -> None:
    stopped: list[str] = []
    figures[OURS]["books, all"] = count(paragraphs, judges[OURS], stopped.append)
    wrong["books, all"] = stopped
    sample = random.Random(SEED).sample(paragraphs, min(SAMPLED_PARAGRAPHS, len(paragraphs)))
    for name, judge in judges.items():
        figures[name]["books, sample"] = count(sample, judge)


def _write(
    out: Path, tier: Tier, figures: dict[str, dict[str, Count]], notes: list[str], wrong: dict[str, list[str]]
) -> None:
    record = {
        name: {one: {**vars(value), "share": value.share} for one, value in of.items()} for name, of in figures.items()
    }
    (out / "figures.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (out / "wrong.json").write_text(json.dumps(wrong, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "report.md").write_text(_report(tier, figures, notes), encoding="utf-8")
    _plot(out, figures)


def _report(tier: Tier, figures: dict[str, dict[str, Count]], notes: list[str]) -> str:
    columns = sorted({column for of in figures.values() for column in of})
    lines = [
        f"# The filters at the tier {tier}",
        "",
        "Share of the lines that were stopped, by the other libraries of a sample. "
        "Books: stopped paragraphs per 100,000 words.",
        "",
        "| set | lines | " + " | ".join(figures) + " |",
        "|---|---|" + "---|" * len(figures),
    ]
    for column in columns:
        sizes = {of[column].lines for of in figures.values() if column in of}
        cells = [_cell(column, of.get(column)) for of in figures.values()]
        lines.append(f"| {column} | {max(sizes):,} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "![Recall and false alarms](recall.png)", "![Books](books.png)", "", *notes, ""])


def _cell(column: str, one: Count | None) -> str:
    if one is None:
        return "–"
    return f"{one.per_100_000_words:.2f}" if column.startswith("books") else f"{100 * one.share:.2f} %"


def _plot(out: Path, figures: dict[str, dict[str, Count]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for name, of in figures.items():
        recall, alarms = _total(of, PROFANE), _total(of, INNOCENT)
        axes.scatter(100 * alarms.share, 100 * recall.share, s=70, label=name)
    axes.set(xlabel="innocent lines stopped, %", ylabel="profane lines stopped, %", ylim=(0, 102))
    axes.set_xlim(left=0)
    axes.legend(loc="center right")
    figure.tight_layout()
    figure.savefig(out / "recall.png", dpi=110)
    pyplot.close(figure)
    figure, axes = pyplot.subplots(figsize=(7, 3))
    names = [name for name, of in figures.items() if "books, sample" in of]
    axes.barh(names, [figures[name]["books, sample"].per_100_000_words for name in names])
    axes.set(xlabel="paragraphs of children's books stopped, per 100,000 words", xscale="symlog")
    figure.tight_layout()
    figure.savefig(out / "books.png", dpi=110)
    pyplot.close(figure)


def _total(of: dict[str, Count], names: tuple[str, ...]) -> Count:
    some = [one for column, one in of.items() if column.split(",")[0] in names]
    return Count(sum(one.lines for one in some), sum(one.stopped for one in some), sum(one.words for one in some))
