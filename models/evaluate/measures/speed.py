"""How fast a subject writes here: the same prompts one after the other, with nothing else asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from models.evaluate.cases import Case, CaseOptions
from models.evaluate.numbers import Bootstrap, Floats, Number
from models.evaluate.progress import progress
from models.evaluate.section import Better, Column, Row, Section
from models.evaluate.subject import Ask, NotAvailable, Subject, Timing
from models.evaluate.writing import SEED_STEP, WritingOptions, fitting_prompt

MAX_PROMPTS = 10
COLUMNS = (
    Column("first_token_s", "seconds to the first token", Better.LOWER, is_plotted=True),
    Column("tokens_s", "tokens a second", Better.HIGHER, 1, is_plotted=True),
    Column("ballot_s", "seconds to all candidates", Better.LOWER, 2),
)
ABOUT = (
    "Each prompt is asked alone, with all its candidates; medians over prompts. Tokens a second count all candidates' "
    "tokens over the whole answer, the reading of the prompt included. These are numbers of this machine in the state "
    "that it was in, and compare with nothing measured elsewhere."
)


def speed_row(subject: Subject, cases: Sequence[Case], options: WritingOptions, bootstrap: Bootstrap) -> Row:
    """The first of the cases; another prompt before them, which is not counted, warms up."""
    try:
        timings = _timings(subject, cases[:MAX_PROMPTS], options)
    except NotAvailable as error:
        return Row(subject.label, "", note=f"not available: {error}")
    numbers = {
        "first_token_s": _median([timing.first_token_s for timing in timings], bootstrap),
        "tokens_s": _median([timing.tokens_s for timing in timings], bootstrap),
        "ballot_s": _median([timing.total_s for timing in timings], bootstrap),
    }
    return Row(subject.label, f"n = {options.n}", numbers)


def speed_section(
    rows: Sequence[Row],
    case_options: CaseOptions,
    options: WritingOptions,
    bootstrap: Bootstrap,
    machine: dict[str, object],
) -> Section:
    """From the rows of all subjects."""
    return Section(
        key="speed",
        title="Speed on this machine",
        about=ABOUT,
        settings={
            "machine": machine,
            "cases": {**case_options.to_json(), "prompts": min(case_options.prompts, MAX_PROMPTS)},
            "writing": options.to_json(),
            "bootstrap": bootstrap.about,
        },
        unit="prompts",
        columns=COLUMNS,
        rows=tuple(rows),
        is_here_only=True,
    )


def _timings(subject: Subject, cases: Sequence[Case], options: WritingOptions) -> list[Timing]:
    def ask(place: int, case: Case) -> Ask:
        prompt = fitting_prompt(subject, case, options.max_tokens)
        seed = options.seed + SEED_STEP * place
        return Ask(prompt, options.n, options.max_tokens, seed, options.sampling, subject.templates.stop)

    # With words of its own, so that no prompt that counts was read before.
    subject.time(ask(0, replace(cases[0], before=(cases[0].passage,))))
    timings = []
    with progress(f"{subject.label}: timing", len(cases)) as tick:
        for place, case in enumerate(cases):
            timings.append(subject.time(ask(place, case)))
            tick()
    return timings


def _median(values: Sequence[float], bootstrap: Bootstrap) -> Number:
    """Prompts drawn; the median of a draw is that of the values repeated as often as they were drawn."""
    known = np.array(values)

    def of_weights(weights: Floats) -> float:
        return float(median(np.repeat(known, weights.astype(int))))

    return bootstrap.whole(len(known), of_weights)
