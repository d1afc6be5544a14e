"""From a suite and those who judge it to the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.engine.moderation.labels import Naming
from models.evaluate.header import make_header
from models.evaluate.moderation.judges import Scores, open_judge
from models.evaluate.moderation.sections import sections_of
from models.evaluate.moderation.suite import Case, read_suite
from models.evaluate.moderation.verdicts import NoSuchCategory, Verdicts, from_scores, only, read_verdicts
from models.evaluate.numbers import Bootstrap
from models.evaluate.progress import progress
from models.evaluate.report.whole import Report


class LabelTwice(Exception):
    """Two judges have one name, so their rows could not be told apart."""


@dataclass(frozen=True)
class Plan:
    """`judges` are checkpoints and URLs, `verdicts` files of verdicts. `categories` None: all of them count."""

    suite: Path
    judges: tuple[str, ...]
    verdicts: tuple[Path, ...]
    categories: tuple[str, ...] | None
    threshold: float
    naming: Naming | None
    device: str
    dtype: str
    api_key: str | None
    bootstrap: Bootstrap

    def __post_init__(self) -> None:
        if not self.judges and not self.verdicts:
            raise ValueError("nobody judges: name a model, a URL, or --verdicts")
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}; it must be above 0 and at most 1")


def judge_suite(plan: Plan, argv: Sequence[str]) -> Report:
    """Raises `BadSuite`, `BadVerdicts`, `NoSuchCategory`, `LabelTwice`, `CannotOpen` and `OSError`."""
    cases = read_suite(plan.suite)
    given = [read_verdicts(path, len(cases)) for path in plan.verdicts]
    said: dict[str, Mapping[str, Any]] = {
        each.label: {"kind": "verdicts", "file": path.name} for each, path in zip(given, plan.verdicts, strict=True)
    }
    found: list[tuple[str, list[Scores]]] = []
    for source in plan.judges:
        label, scores, about = _ask(source, cases, plan)
        found.append((label, scores))
        said[label] = about
    labels = [*(each.label for each in given), *(label for label, _ in found)]
    if len(said) < len(labels):
        raise LabelTwice(f"two of these have one name: {', '.join(labels)}")
    _check_categories(plan, given, found)
    judged = [only(each, plan.categories) for each in given]
    judged += [from_scores(label, scores, plan.threshold, plan.categories) for label, scores in found]
    settings = {
        "threshold": plan.threshold if plan.judges else None,
        "categories": "all" if plan.categories is None else list(plan.categories),
    }
    sections = sections_of(cases, judged, settings, plan.bootstrap)
    files = [plan.suite, *plan.verdicts]
    header = make_header(argv, said, files, {**settings, "seed": plan.bootstrap.seed})
    return Report(f"Texts judged: {plan.suite.name}", header, sections, {})


def _ask(source: str, cases: Sequence[Case], plan: Plan) -> tuple[str, list[Scores], dict[str, Any]]:
    with closing(open_judge(source, plan.device, plan.dtype, plan.api_key, plan.naming)) as judge:
        with progress(judge.label, len(cases)) as tick:
            found = judge.score([case.text for case in cases], tick)
        return judge.label, found, judge.describe()


def _check_categories(plan: Plan, given: Sequence[Verdicts], found: Sequence[tuple[str, Sequence[Scores]]]) -> None:
    """Raises `NoSuchCategory` for one that counts and is nobody's."""
    known = {reason for each in given for reason in each.reasons if reason is not None}
    known |= {name for _, scores in found for each in scores for name in each}
    if strangers := sorted(set(plan.categories or ()) - known):
        raise NoSuchCategory(f"nobody has a category {', '.join(strangers)}; there are {', '.join(sorted(known))}")
