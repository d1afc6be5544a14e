"""How well a model sees where a passage leads: bits per byte of the true middle, with and without what comes after it.

A causal model is told what comes after by its story format's suffix. A masked model reads both sides anyway; what it
has is a pseudo-likelihood, each token given all others (Salazar et al. 2020, https://aclanthology.org/2020.acl-main.240),
so its bits are lower by nature: its two arms compare with each other, not with a causal model's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from models.evaluate.cases import Case, CaseOptions
from models.evaluate.numbers import Bootstrap, Number
from models.evaluate.progress import progress
from models.evaluate.section import Better, Column, Row, Section
from models.evaluate.subject import NotAvailable, Subject
from models.evaluate.writing import fit_before

WITHOUT, WITH, GAIN = "without what follows", "with what follows", "gain"
COLUMNS = (
    Column("bits_per_byte", "bits per byte of the middle", Better.LOWER, is_plotted=True),
    Column("helped", "middles made likelier", Better.HIGHER, is_share=True),
)
ABOUT = (
    "The true middle passage is scored after what was told before it: once without, and once with the passage that "
    "comes after it. A model that looks ahead needs fewer bits with it; the gain is drawn over the same prompts."
)

ScorePair = tuple[float, float, int]
"""Nats without and with what follows, and the middle's bytes."""


class MiddleScorer(Protocol):
    """What both kinds of model can be asked: nats of the middle between two texts; `after` None leaves it out."""

    def __call__(self, case: Case, after: str | None) -> float: ...


def causal_scorer(subject: Subject) -> MiddleScorer:
    """Through the story format's suffix."""

    def score(case: Case, after: str | None) -> float:
        if not subject.templates.suffix:
            raise NotAvailable("the model's story format has no suffix, so it can't be told what comes after")
        room = subject.num_tokens(case.passage) or 0
        # Both arms see as much of what was told: as much as fits beside the suffix.
        before = fit_before(subject, case, room, suffix=case.after)
        given = subject.templates.prompt(case.title, before, suffix=after or "")
        return subject.score(given, case.passage).nats

    return score


def score_middles(cases: Sequence[Case], score: MiddleScorer, label: str) -> tuple[list[ScorePair], str]:
    """Of those cases that something follows; and a note on those that the model could not take.

    Raises `NotAvailable` where none is left.
    """
    followed = [case for case in cases if case.after]
    if not followed:
        raise NotAvailable("no story is long enough to have something after the middle")
    pairs: list[ScorePair] = []
    refusals: list[NotAvailable] = []
    with progress(f"{label}: infilling", len(followed)) as tick:
        for case in followed:
            try:
                pairs.append((score(case, None), score(case, case.after), len(case.passage.encode())))
            except NotAvailable as error:
                refusals.append(error)
            tick()
    if not pairs:
        raise refusals[0]
    return pairs, left_out(refusals, len(followed))


def left_out(refusals: Sequence[NotAvailable], num_asked: int) -> str:
    """A note on what was not available among many; empty where everything was."""
    return f"{len(refusals)} of {num_asked} left out: {refusals[0]}" if refusals else ""


def infilling_rows(label: str, cases: Sequence[Case], score: MiddleScorer, bootstrap: Bootstrap) -> list[Row]:
    """Both arms and the gain; one row that says why where there are none."""
    try:
        pairs, note = score_middles(cases, score, label)
    except NotAvailable as error:
        return [Row(label, "", note=f"not available: {error}")]
    without, with_it, sizes = ([float(x) for x in xs] for xs in zip(*pairs, strict=True))
    gains = [a - b for a, b in zip(without, with_it, strict=True)]

    def bits(nats: Sequence[float]) -> dict[str, Number | None]:
        return {"bits_per_byte": bootstrap.ratio([n / math.log(2) for n in nats], sizes)}

    helped = {"helped": bootstrap.mean([float(gain > 0) for gain in gains])}
    return [
        Row(label, WITHOUT, bits(without), note),
        Row(label, WITH, bits(with_it), note),
        Row(label, GAIN, bits(gains) | helped, note),
    ]


def infilling_section(rows: Sequence[Row], case_options: CaseOptions, bootstrap: Bootstrap) -> Section:
    """From the rows of all subjects."""
    return Section(
        key="infilling",
        title="Infilling",
        about=ABOUT,
        settings={"cases": case_options.to_json(), "bootstrap": bootstrap.about},
        unit="prompts",
        columns=COLUMNS,
        rows=tuple(rows),
    )
