"""The report of a suite: overall, by functionality, by target, and what other thresholds would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.evaluate.moderation.suite import Case
from models.evaluate.moderation.tally import WILSON, overall, wilson
from models.evaluate.moderation.verdicts import Verdicts
from models.evaluate.numbers import Bootstrap, Number
from models.evaluate.section import Better, Column, Row, Section

THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(1, 20))
OVERALL = (
    Column("macro_f1", "macro F1", Better.HIGHER, is_share=True, is_plotted=True),
    Column("f1", "F1, hateful", Better.HIGHER, is_share=True),
    Column("f1_other", "F1, not hateful", Better.HIGHER, is_share=True),
    Column("recall", "hateful flagged", Better.HIGHER, is_share=True, is_plotted=True),
    Column("passed", "not hateful passed", Better.HIGHER, is_share=True, is_plotted=True),
    Column("precision", "flagged that is hateful", Better.HIGHER, is_share=True),
    Column("accuracy", "right", Better.HIGHER, is_share=True),
)
FUNCTIONALITY = (
    Column("num", "cases", digits=0),
    Column("right", "right", Better.HIGHER, is_share=True, is_plotted=True),
)
TARGET = (
    Column("num", "cases", digits=0),
    Column("right", "right", Better.HIGHER, is_share=True, is_plotted=True),
    Column("recall", "hateful flagged", Better.HIGHER, is_share=True, is_plotted=True),
    Column("passed", "not hateful passed", Better.HIGHER, is_share=True, is_plotted=True),
)
SWEEP = tuple(column for column in OVERALL if column.key in ("macro_f1", "f1", "recall", "passed", "precision"))
ABOUT_OVERALL = (
    "Short cases, each written to test one thing, and hard on purpose: the shares say what a judge can and can't tell "
    "apart, not how often it errs on what members write. A judge that flags everything, and one that flags nothing, "
    "stand below for comparison."
)
ABOUT_FUNCTIONALITY = (
    "What each kind of case is right in; the note says which verdict is right there. Cases of one template differ in a "
    "word, so the intervals, which take them as independent, are too narrow."
)
ABOUT_TARGET = "By the group that a case speaks of; a judge that protects one group less than another shows it here."
ABOUT_SWEEP = (
    "What would be flagged from other thresholds on. The best one is found on the same cases that it is judged by, so "
    "it flatters; for a threshold of one's own, choose on other texts."
)


def sections_of(
    cases: Sequence[Case], judged: Sequence[Verdicts], settings: Mapping[str, Any], bootstrap: Bootstrap
) -> tuple[Section, ...]:
    """Four of them; the last only where some judge gives scores."""
    made = [
        _overall(cases, judged, settings, bootstrap),
        _by_functionality(cases, judged, settings),
        _by_target(cases, judged, settings),
        _sweep(cases, judged, settings, bootstrap),
    ]
    return tuple(section for section in made if section.rows)


def _overall(
    cases: Sequence[Case], judged: Sequence[Verdicts], settings: Mapping[str, Any], bootstrap: Bootstrap
) -> Section:
    rows = [
        Row(each.label, "", overall(cases, each.flags, bootstrap), details=_details(cases, each)) for each in judged
    ]
    for label, flag in (("everything flagged", True), ("nothing flagged", False)):
        rows.append(Row(label, "", overall(cases, [flag] * len(cases), bootstrap), note="for comparison"))
    about = {**settings, "cases": len(cases), "hateful": sum(case.is_hateful for case in cases)}
    return Section(
        key="moderation",
        title="All cases",
        about=ABOUT_OVERALL,
        settings={**about, "bootstrap": bootstrap.about},
        unit="templates of cases",
        columns=OVERALL,
        rows=tuple(rows),
    )


def _details(cases: Sequence[Case], judged: Verdicts) -> dict[str, Any]:
    """For whoever wants to look closer; without the texts, which nobody needs to meet in a report."""
    found: dict[str, Any] = {"case_ids": [case.id for case in cases], "flags": list(judged.flags)}
    if judged.scores is not None:
        found["scores"] = [round(score, 6) for score in judged.scores]
    return found | {"reasons": list(judged.reasons)}


def _by_functionality(cases: Sequence[Case], judged: Sequence[Verdicts], settings: Mapping[str, Any]) -> Section:
    names = list(dict.fromkeys(case.functionality for case in cases))
    gold = {case.functionality: set[bool]() for case in cases}
    for case in cases:
        gold[case.functionality].add(case.is_hateful)
    rows = []
    for each in judged:
        for name in names:
            note = " and ".join("hateful" if value else "not hateful" for value in sorted(gold[name], reverse=True))
            numbers = _right([pair for pair in _pairs(cases, each) if pair[0].functionality == name])
            rows.append(Row(each.label, name, numbers, note=note))
    return Section(
        key="functionalities",
        title="By functionality",
        about=ABOUT_FUNCTIONALITY,
        settings={**settings, "interval": WILSON},
        unit="cases",
        columns=FUNCTIONALITY,
        rows=tuple(rows),
    )


def _by_target(cases: Sequence[Case], judged: Sequence[Verdicts], settings: Mapping[str, Any]) -> Section:
    names = sorted({case.target for case in cases if case.target})
    rows = []
    for each in judged:
        for name in names:
            own = [pair for pair in _pairs(cases, each) if pair[0].target == name]
            hateful, other = ([pair for pair in own if pair[0].is_hateful is kind] for kind in (True, False))
            parts = {"recall": _right(hateful)["right"], "passed": _right(other)["right"]}
            rows.append(Row(each.label, name, _right(own) | parts))
    return Section(
        key="targets",
        title="By target",
        about=ABOUT_TARGET,
        settings={**settings, "interval": WILSON},
        unit="cases",
        columns=TARGET,
        rows=tuple(rows),
    )


def _pairs(cases: Sequence[Case], judged: Verdicts) -> list[tuple[Case, bool]]:
    return list(zip(cases, judged.flags, strict=True))


def _right(pairs: Sequence[tuple[Case, bool]]) -> dict[str, Number | None]:
    """How many cases, and the share that is judged rightly."""
    num_right = sum(flag == case.is_hateful for case, flag in pairs)
    return {"num": Number(len(pairs), None, None, len(pairs)), "right": wilson(num_right, len(pairs))}


def _sweep(
    cases: Sequence[Case], judged: Sequence[Verdicts], settings: Mapping[str, Any], bootstrap: Bootstrap
) -> Section:
    keys = [column.key for column in SWEEP]
    rows = []
    for each in judged:
        if each.scores is None:
            continue
        found = {at: overall(cases, each.at(at), bootstrap, keys) for at in THRESHOLDS}
        best = max(THRESHOLDS, key=lambda at: _value(found[at]["macro_f1"]))
        for at, numbers in found.items():
            note = "highest macro F1 on these very cases" if at == best else ""
            rows.append(Row(each.label, f"from {at:.2f}", numbers, note=note))
    return Section(
        key="thresholds",
        title="Other thresholds",
        about=ABOUT_SWEEP,
        settings={**settings, "thresholds": list(THRESHOLDS), "bootstrap": bootstrap.about},
        unit="templates of cases",
        columns=SWEEP,
        rows=tuple(rows),
    )


def _value(number: Number | None) -> float:
    return float("-inf") if number is None else number.value
