"""Whether a hint is obeyed: content words of the true passage are given as the hint, and looked for in what comes.

Some words come anyway, so the same prompts with the same seeds are written without the hint too; and once with the
hint and the engine's `must_include`, which bends the drawing itself towards the words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.evaluate.cases import Case, CaseOptions
from models.evaluate.measures.generation import Arm, mean_of
from models.evaluate.numbers import Bootstrap, Number
from models.evaluate.section import Better, Column, Row, Sample, Section
from models.evaluate.subject import NotAvailable, Subject
from models.evaluate.words import STEM_RULE, stem, stems_of
from models.evaluate.writing import Answers, WritingOptions, write_arm

WITHOUT, WITH, MUST = "without the hint", "with the hint", "with the hint and must_include"
COLUMNS = (
    Column("words", "hint words taken up", Better.HIGHER, is_share=True, is_plotted=True),
    Column("one", "candidates with at least one", Better.HIGHER, is_share=True),
    Column("all", "candidates with all", Better.HIGHER, is_share=True, is_plotted=True),
    Column("ballot", "prompts with all in some candidate", Better.HIGHER, is_share=True),
)
ABOUT = (
    "The hint are one to four content words of the passage that truly follows, where possible such as were not told "
    "before. A word counts as taken up where the candidate has a word of the same stem. The three arms have the same "
    "prompts and seeds."
)


def write_hint_arms(subject: Subject, cases: Sequence[Case], options: WritingOptions, without: Arm) -> dict[str, Arm]:
    """All three; `without` was written already."""
    return {
        WITHOUT: without,
        WITH: written(subject, cases, options, has_hint=True),
        MUST: written(subject, cases, options, has_hint=True, must=True),
    }


def written(
    subject: Subject, cases: Sequence[Case], options: WritingOptions, *, has_hint: bool = False, must: bool = False
) -> Arm:
    """An arm, or why there is none."""
    try:
        return write_arm(subject, cases, options, has_hint=has_hint, must=must)
    except NotAvailable as error:
        return error


def hints_section(
    cases: Sequence[Case],
    arms: Mapping[str, Mapping[str, Arm]],
    case_options: CaseOptions,
    options: WritingOptions,
    bootstrap: Bootstrap,
) -> Section:
    """`arms` by label and arm. Cases without any content word are left out."""
    rows = [_row(label, name, cases, arm, bootstrap) for label, of in arms.items() for name, arm in of.items()]
    return Section(
        key="hints",
        title="Hints",
        about=ABOUT,
        settings={
            "cases": case_options.to_json(),
            "writing": options.to_json(),
            "match": STEM_RULE,
            "bootstrap": bootstrap.about,
        },
        unit="prompts",
        columns=COLUMNS,
        rows=tuple(rows),
        samples=_samples(cases, arms),
    )


def taken_up(text: str, hint: Sequence[str]) -> list[bool]:
    """For each word of the hint, whether the text has it, by `STEM_RULE`."""
    stems = stems_of(text)
    return [stem(word) in stems for word in hint]


def hint_numbers(cases: Sequence[Case], arm: Sequence[Answers], bootstrap: Bootstrap) -> dict[str, Number | None]:
    """Every column. A prompt counts once, whatever number of words its hint has."""
    found = [
        [taken_up(candidate.text, case.hint) for candidate in answers]
        for case, answers in zip(cases, arm, strict=True)
        if case.hint
    ]
    return {
        "words": mean_of([_mean([sum(f) / len(f) for f in of]) for of in found], bootstrap),
        "one": mean_of([_mean([float(any(f)) for f in of]) for of in found], bootstrap),
        "all": mean_of([_mean([float(all(f)) for f in of]) for of in found], bootstrap),
        "ballot": mean_of([float(any(all(f) for f in of)) for of in found], bootstrap),
    }


def _row(label: str, name: str, cases: Sequence[Case], arm: Arm, bootstrap: Bootstrap) -> Row:
    if isinstance(arm, NotAvailable):
        return Row(label, name, note=f"not available: {arm}")
    return Row(label, name, hint_numbers(cases, arm, bootstrap))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _samples(cases: Sequence[Case], arms: Mapping[str, Mapping[str, Arm]]) -> tuple[Sample, ...]:
    """The first prompt, every subject's first candidate in each arm: not chosen."""
    texts = [("truly follows", cases[0].passage)]
    for label, of in arms.items():
        texts += [(f"{label}, {name}", a[0][0].text) for name, a in of.items() if not isinstance(a, NotAvailable)]
    return (Sample(f"{cases[0].id}, hint: {', '.join(cases[0].hint)}", tuple(texts)),)
