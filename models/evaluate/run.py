"""The whole of an evaluation: every subject through every measure, one subject in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.evaluate.cases import Case, CaseOptions, NoCases, draw_cases, first_chars, read_texts
from models.evaluate.header import describe_machine, make_header
from models.evaluate.masked import MaskedSubject
from models.evaluate.measures import generation, hints, infilling, likelihood, rewriting, speed
from models.evaluate.measures.generation import Arm
from models.evaluate.numbers import Bootstrap
from models.evaluate.opening import Opening, is_url, open_all
from models.evaluate.report.whole import Report
from models.evaluate.section import Row, Section
from models.evaluate.subject import Subject
from models.evaluate.writing import WritingOptions
from models.train.sources import NoTextError, Story

BITS, GENERATION, HINTS, INFILLING, SPEED = "bits", "generation", "hints", "infilling", "speed"
MEASURES = (BITS, GENERATION, HINTS, INFILLING, SPEED)
_NEED_CASES = (GENERATION, HINTS, INFILLING, SPEED)
TITLE = "Evaluation of story models"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to evaluate on what. With `max_chars` only the first characters of each file count, for every measure."""

    models: tuple[str, ...]
    texts: tuple[Path, ...]
    measures: tuple[str, ...] = MEASURES
    modes: tuple[str, ...] = likelihood.MODES
    max_chars: int | None = None
    cases: CaseOptions = field(default_factory=CaseOptions)
    writing: WritingOptions = field(default_factory=WritingOptions)
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    opening: Opening = field(default_factory=Opening)


@dataclass
class Found:
    """What the subjects have said so far; filled by `_measure`, read once at the end."""

    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    bits: list[Row] = field(default_factory=list)
    arms: dict[str, Arm] = field(default_factory=dict)
    hint_arms: dict[str, dict[str, Arm]] = field(default_factory=dict)
    infilling: list[Row] = field(default_factory=list)
    rewriting: list[Row] = field(default_factory=list)
    speed: list[Row] = field(default_factory=list)


def evaluate(plan: Plan, argv: Sequence[str], say: Say) -> Report:
    """`say` gets a line for whoever watches, `argv` goes into the header.

    Raises `CannotOpen` for a subject, `OSError` and `UnicodeDecodeError` for a text.
    """
    stories, cases, left_out = _read(plan)
    if left_out:
        say(left_out)
    found = Found()
    for subject in open_all(plan.models, plan.opening):
        if subject.label in found.models:
            raise NameTwice(f"two models are called {subject.label}: evaluate them apart and use --with")
        found.models[subject.label] = subject.describe()
        _measure(subject, plan, stories, cases, found, say)
    settings: dict[str, Any] = {"measures": list(plan.measures), "seed": plan.cases.seed}
    header = make_header(argv, found.models, plan.texts, settings | ({"left_out": left_out} if left_out else {}))
    return Report(TITLE, header, tuple(_sections(plan, cases, found)), {"scores": found.scores} if found.scores else {})


class NameTwice(ValueError):
    """Two subjects have one name, so a report could not tell them apart."""


def _read(plan: Plan) -> tuple[dict[str, list[Story]], list[Case], str]:
    """Stories by file, the cases drawn from all of them, and what had to be left out for want of any."""
    stories: dict[str, list[Story]] = {}
    named: list[tuple[str, Story]] = []
    for path in plan.texts:
        likelihood.file_text(path, plan.max_chars)  # a file that can't be read is to show now
        try:
            found = first_chars(read_texts([path]), plan.max_chars)
        except NoTextError:
            found = []
        stories[path.name] = [story for _, story in found]
        named += found
    if not set(_NEED_CASES) & set(plan.measures):
        return stories, [], ""
    try:
        return stories, draw_cases(named, plan.cases), ""
    except NoCases as error:
        left_out = [measure for measure in plan.measures if measure in _NEED_CASES]
        return stories, [], f"left out: {', '.join(left_out)}: {error}"


def _measure(
    subject: Subject, plan: Plan, stories: dict[str, list[Story]], cases: list[Case], found: Found, say: Say
) -> None:
    if BITS in plan.measures:
        _measure_bits(subject, plan, stories, found, say)
    if not cases:
        return
    if GENERATION in plan.measures or HINTS in plan.measures:
        arm = hints.written(subject, cases, plan.writing)
        found.arms[subject.label] = arm
        if HINTS in plan.measures:
            found.hint_arms[subject.label] = hints.write_hint_arms(subject, cases, plan.writing, arm)
    if INFILLING in plan.measures:
        score = subject.middle_nats if isinstance(subject, MaskedSubject) else infilling.causal_scorer(subject)
        found.infilling += infilling.infilling_rows(subject.label, cases, score, plan.bootstrap)
        if any(map(is_url, plan.models)):
            found.rewriting += rewriting.rewriting_rows(subject, cases, plan.writing, plan.bootstrap)
    if SPEED in plan.measures:
        found.speed.append(speed.speed_row(subject, cases, plan.writing, plan.bootstrap))


def _measure_bits(subject: Subject, plan: Plan, stories: dict[str, list[Story]], found: Found, say: Say) -> None:
    if likelihood.FILE in plan.modes:
        rows = likelihood.score_files(subject, plan.texts, plan.max_chars, plan.bootstrap)
        found.bits += rows
        texts = {path.name: row.details["score"] for path, row in zip(plan.texts, rows, strict=False) if row.details}
        for name, score in texts.items():
            say(f"{subject.label}: {name}: {score['bits_per_byte']:.3f} bits per byte")
        if len(texts) == len(plan.texts):
            mean = sum(float(score["bits_per_byte"]) for score in texts.values()) / len(texts)
            say(f"{subject.label}: mean: {mean:.3f} bits per byte")
            found.scores[subject.label] = {"texts": texts, "mean_bits_per_byte": round(mean, 4)}
    if likelihood.DOCUMENTS in plan.modes:
        for name, documents in stories.items():
            found.bits.append(likelihood.score_documents(subject, name, documents, plan.bootstrap))


def _sections(plan: Plan, cases: list[Case], found: Found) -> list[Section]:
    made: list[Section] = []
    if found.bits:
        made.append(likelihood.likelihood_section(found.bits, plan.modes, plan.max_chars, plan.bootstrap))
    common = (plan.cases, plan.writing, plan.bootstrap)
    if found.arms and GENERATION in plan.measures:
        made.append(generation.generation_section(cases, found.arms, *common))
    if found.hint_arms:
        made.append(hints.hints_section(cases, found.hint_arms, *common))
    if found.infilling:
        made.append(infilling.infilling_section(found.infilling, plan.cases, plan.bootstrap))
    if found.rewriting:
        made.append(rewriting.rewriting_section(found.rewriting, *common))
    if found.speed:
        made.append(speed.speed_section(found.speed, *common, describe_machine()))
    return made
