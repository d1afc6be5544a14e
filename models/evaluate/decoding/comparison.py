"""The comparison page: each way writes on for the same stories, and is judged by likelihood, overlap and variety."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.evaluate.cases import Case, CaseOptions, draw_cases, first_chars, read_texts
from models.evaluate.decoding.strategies import BANNED, Strategy, chosen
from models.evaluate.header import make_header
from models.evaluate.measures.generation import COLUMNS as WRITTEN
from models.evaluate.measures.generation import TRUTH, generation_numbers, mean_of, own_numbers
from models.evaluate.measures.hints import taken_up
from models.evaluate.numbers import Bootstrap, Number
from models.evaluate.opening import Opening, open_subject
from models.evaluate.progress import progress
from models.evaluate.report.whole import Report
from models.evaluate.section import Better, Column, Row, Sample, Section
from models.evaluate.subject import Candidate, NotAvailable, Subject
from models.evaluate.words import WORD_RULE
from models.evaluate.writing import Answers, WritingOptions, fitting_prompt, write_arm

_WANTED = "bleu rougeL repetition whole words distinct1 distinct2 distinct3 self_bleu apart".split()
COLUMNS = (
    Column("own", "perplexity, the model itself", Better.LOWER, 2),
    Column("judged", "perplexity, the judge", Better.LOWER, 2),
    *(column for column in WRITTEN if column.key in _WANTED),
    Column("hint", "hint words in it", Better.NEITHER, is_share=True),
    Column("banned", "with a banned phrase", Better.NEITHER, is_share=True),
)
ABOUT = (
    "Every way writes on for the same held-out stories with the same seeds. Perplexity is that of what was written, "
    "after its prompt: low means likely, which past a point means dull, and whoever repeats himself is very likely. So "
    "quality is to be read against variety: distinct-n and self-BLEU among the candidates of one prompt, which ways "
    "with a single answer do not have. The stories themselves are the last row; what reads like them is good."
)
NUM_SAMPLES = 3


@dataclass(frozen=True)
class Judges:
    """Who scores what was written; `other` may be the model itself."""

    own: Subject
    other: Subject


@dataclass(frozen=True)
class Plan:
    """What to compare on what. `judge` None: the model itself. `only` are names of ways; None takes all."""

    model: str
    judge: str | None
    texts: tuple[Path, ...]
    max_chars: int | None
    only: tuple[str, ...] | None
    opening: Opening
    cases: CaseOptions
    writing: WritingOptions
    bootstrap: Bootstrap


def compare(plan: Plan, argv: Sequence[str]) -> Report:
    """Raises `CannotOpen`, `UnknownWay`, `NoCases`, `NoTextError`."""
    strategies = chosen(plan.only)
    stories = [story for path in plan.texts for story in first_chars(read_texts([path]), plan.max_chars)]
    cases = draw_cases(stories, plan.cases)
    with ExitStack() as opened:
        subject = opened.enter_context(closing(open_subject(plan.model, plan.opening)))
        judge = opened.enter_context(closing(open_subject(plan.judge, plan.opening))) if plan.judge else subject
        judges = Judges(subject, judge)
        found = [(strategy, _written(subject, cases, strategy, plan.writing)) for strategy in strategies]
        rows = [_row(strategy, cases, arm, judges, plan.bootstrap) for strategy, arm in found]
        rows.append(_truth(cases, judges, plan.bootstrap))
    section = Section(
        key="decoding",
        title="Ways of decoding",
        about=ABOUT,
        settings={
            "ways": {strategy.name: dict(strategy.fields) for strategy in strategies},
            "cases": plan.cases.to_json(),
            "n": plan.writing.n,
            "max_tokens": plan.writing.max_tokens,
            "seed": plan.writing.seed,
            "judge": judge.label,
            "banned": list(BANNED),
            "words": WORD_RULE,
            "bootstrap": plan.bootstrap.about,
        },
        unit="prompts",
        columns=COLUMNS,
        rows=tuple(rows),
        samples=_samples(cases, found),
    )
    models = {each.label: each.describe() for each in (judges.own, judges.other)}
    header = make_header(argv, models, plan.texts, {"seed": plan.writing.seed})
    return Report(f"Ways of decoding: {subject.label}", header, (section,), {})


def _written(
    subject: Subject, cases: Sequence[Case], strategy: Strategy, writing: WritingOptions
) -> list[Answers] | NotAvailable:
    n = writing.n if strategy.max_n is None else min(writing.n, strategy.max_n)
    options = replace(writing, n=n, sampling=dict(strategy.fields))
    try:
        return write_arm(subject, cases, options, must=strategy.has_hint)
    except NotAvailable as error:
        return error


def _row(
    strategy: Strategy, cases: Sequence[Case], arm: list[Answers] | NotAvailable, judges: Judges, bootstrap: Bootstrap
) -> Row:
    label = judges.own.label
    if isinstance(arm, NotAvailable):
        return Row(label, strategy.name, note=f"not available: {arm}")
    texts = [[candidate.text for candidate in answers] for answers in arm]
    numbers = generation_numbers(cases, arm, bootstrap)
    numbers = {key: numbers[key] for key in _WANTED} | _judged(cases, texts, judges, bootstrap)
    note = "" if len(texts[0]) > 1 else "one answer: its variety is that within itself"
    return Row(label, strategy.name, numbers | _words(cases, texts, bootstrap), note)


def _judged(
    cases: Sequence[Case], texts: Sequence[Sequence[str]], judges: Judges, bootstrap: Bootstrap
) -> dict[str, Number | None]:
    own = _perplexity(judges.own, cases, texts, bootstrap)
    if judges.other is judges.own:
        return {"own": own}
    return {"own": own, "judged": _perplexity(judges.other, cases, texts, bootstrap)}


def _perplexity(
    judge: Subject, cases: Sequence[Case], texts: Sequence[Sequence[str]], bootstrap: Bootstrap
) -> Number | None:
    """Per token of the judge, over all candidates; empty ones have nothing to score. None where the judge can't."""
    nats, tokens = [], []
    try:
        with progress(f"{judge.label}: judging", len(cases)) as tick:
            for case, of in zip(cases, texts, strict=True):
                prompt = fitting_prompt(judge, case, max(judge.num_tokens(text) or 0 for text in of))
                scores = [judge.score(prompt, text) for text in of if text]
                nats.append(sum(score.nats for score in scores))
                tokens.append(float(sum(score.num_tokens for score in scores)))
                tick()
    except NotAvailable:
        return None
    mean = bootstrap.ratio(nats, tokens)
    if mean is None:
        return None
    low, high = (None if end is None else math.exp(end) for end in (mean.low, mean.high))
    return Number(math.exp(mean.value), low, high, mean.n)


def _words(cases: Sequence[Case], texts: Sequence[Sequence[str]], bootstrap: Bootstrap) -> dict[str, Number | None]:
    hints = [
        [sum(taken_up(text, case.hint)) / len(case.hint) for text in of]
        for case, of in zip(cases, texts, strict=True)
        if case.hint
    ]
    banned = [[float(any(phrase in text.lower() for phrase in BANNED)) for text in of] for of in texts]
    return {
        "hint": mean_of([sum(of) / len(of) for of in hints], bootstrap),
        "banned": mean_of([sum(of) / len(of) for of in banned], bootstrap),
    }


def _truth(cases: Sequence[Case], judges: Judges, bootstrap: Bootstrap) -> Row:
    texts = [[case.passage] for case in cases]
    arm = [(Candidate(case.passage, True, None, None),) for case in cases]
    own = own_numbers(arm, bootstrap)
    numbers: dict[str, Any] = {key: own[key] for key in ("repetition", "words")}
    return Row(TRUTH, "", numbers | _judged(cases, texts, judges, bootstrap))


def _samples(
    cases: Sequence[Case], found: Sequence[tuple[Strategy, list[Answers] | NotAvailable]]
) -> tuple[Sample, ...]:
    """The first prompts, each way's first answer: not chosen."""
    samples = []
    for i, case in enumerate(cases[:NUM_SAMPLES]):
        texts = [("told so far (its end)", case.before[-1]), ("truly follows", case.passage)]
        for strategy, arm in found:
            if not isinstance(arm, NotAvailable):
                texts.append((f"{strategy.name}, seed {arm[i][0].seed}", arm[i][0].text))
        samples.append(Sample(case.id, tuple(texts)))
    return tuple(samples)
