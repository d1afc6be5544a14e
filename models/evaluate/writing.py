"""Candidates for cases: the prompts that a subject is given, and its answers with fixed seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from models.engine.params import SEED_LIMIT
from models.evaluate.asking import BOT_SAMPLING
from models.evaluate.cases import Case
from models.evaluate.progress import progress
from models.evaluate.subject import Ask, Candidate, NotAvailable, Subject

SEED_STEP = 1000
"""Between the seeds of neighbouring prompts: more than there are candidates."""
_LEAST_WORDS = 8  # of what was told, in a prompt that had to be shortened

Answers = tuple[Candidate, ...]


@dataclass(frozen=True)
class WritingOptions:
    """`sampling` are fields of the completions API. Prompt i of a run has the seed ``seed + 1000 i``."""

    n: int = 3
    max_tokens: int = 160
    seed: int = 0
    sampling: dict[str, Any] = field(default_factory=lambda: dict(BOT_SAMPLING))

    def __post_init__(self) -> None:
        if not 1 <= self.n < SEED_STEP:
            raise ValueError(f"n is {self.n}; it must be between 1 and {SEED_STEP - 1}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens is {self.max_tokens}; it must be at least 1")
        if not 0 <= self.seed < SEED_LIMIT // 2:
            raise ValueError(f"seed is {self.seed}; it must be between 0 and {SEED_LIMIT // 2 - 1}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def write_arm(
    subject: Subject, cases: Sequence[Case], options: WritingOptions, *, has_hint: bool = False, must: bool = False
) -> list[Answers]:
    """Answers for each case, in order. With `must` the hint's words go into `must_include` too. Raises `NotAvailable`.

    Seeds do not hang on the arm, so arms differ in what is asked alone.
    """
    asks = []
    for i, case in enumerate(cases):
        hint = ", ".join(case.hint) if has_hint else ""
        asks.append(
            Ask(
                prompt=fitting_prompt(subject, case, options.max_tokens, hint=hint),
                n=options.n,
                max_tokens=options.max_tokens,
                seed=options.seed + SEED_STEP * i,
                fields={**options.sampling, "must_include": case.hint} if must else options.sampling,
                stop=subject.templates.stop,
            )
        )
    with progress(f"{subject.label}: writing", len(asks)) as tick:
        return subject.write(asks, tick)


def fitting_prompt(subject: Subject, case: Case, room: int, *, hint: str = "") -> str:
    """The case's prompt, with `room` tokens left behind it. Raises `NotAvailable` as `fit_before` does."""
    before = fit_before(subject, case, room, hint=hint)
    return subject.templates.prompt(case.title, before, hint=hint)


def fit_before(subject: Subject, case: Case, room: int, *, hint: str = "", suffix: str | None = None) -> list[str]:
    """What was told so far, as much as fits: the oldest passages go first, then the oldest words.

    Raises `NotAvailable` where nothing would be left. A subject that can't count gets the whole.
    """
    before, limit = list(case.before), subject.context_tokens
    while limit is not None:
        used = subject.num_tokens(subject.templates.prompt(case.title, before, hint=hint, suffix=suffix or ""))
        if used is None or used + room < limit:
            break
        before = _shortened(before)
        if not before:
            raise NotAvailable(f"a context of {limit} tokens leaves no room for {case.id} and {room} tokens more")
    return before


def _shortened(before: list[str]) -> list[str]:
    if len(before) > 1:
        return before[1:]
    words = before[0].split()
    return [" ".join(words[len(words) // 2 :])] if len(words) > _LEAST_WORDS else []
