"""What somebody said of each case: with scores, or only whether the text may stand."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


class BadVerdicts(Exception):
    """A file of verdicts can't be used; the message says where and why."""


@dataclass(frozen=True)
class Verdicts:
    """Of one judge, in the order of the cases. `reasons` are the categories, where it names them.

    `scores` are the highest of the categories that count; None for a judge that gives none, whose threshold can't be
    moved.
    """

    label: str
    flags: tuple[bool, ...]
    scores: tuple[float, ...] | None = None
    reasons: tuple[str | None, ...] = ()

    def at(self, threshold: float) -> tuple[bool, ...]:
        """What would be flagged from another threshold on."""
        assert self.scores is not None  # noqa: S101  # the caller has looked
        return tuple(score >= threshold for score in self.scores)


class NoSuchCategory(Exception):
    """Categories that were asked for are nobody's."""


def from_scores(
    label: str, found: Sequence[Mapping[str, float]], threshold: float, wanted: Collection[str] | None
) -> Verdicts:
    """A text is flagged where one of the `wanted` categories (None: any) reaches the threshold.

    Raises `NoSuchCategory` where the judge has none of them.
    """
    counting = [{name: s for name, s in scores.items() if wanted is None or name in wanted} for scores in found]
    if not all(counting):
        raise NoSuchCategory(f"{label} has none of the categories that count; it has {', '.join(sorted(found[0]))}")
    best = [max((score, name) for name, score in scores.items()) for scores in counting]
    return Verdicts(
        label,
        flags=tuple(score >= threshold for score, _ in best),
        scores=tuple(score for score, _ in best),
        reasons=tuple(name if score >= threshold else None for score, name in best),
    )


def only(verdicts: Verdicts, wanted: Collection[str] | None) -> Verdicts:
    """A refusal for a category that does not count is none."""
    if wanted is None:
        return verdicts
    pairs = [(flag and reason in wanted, reason) for flag, reason in zip(verdicts.flags, verdicts.reasons, strict=True)]
    return replace(
        verdicts,
        flags=tuple(flag for flag, _ in pairs),
        reasons=tuple(reason if flag else None for flag, reason in pairs),
    )


def read_verdicts(path: Path, num_cases: int) -> Verdicts:
    """JSON lines, one for each case in order: ``{"allowed": false, "category": "slurs"}``; more fields may be there.

    Raises `BadVerdicts` and `OSError`.
    """
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(lines) != num_cases:
        raise BadVerdicts(f"{path} has {len(lines)} verdicts, and the suite has {num_cases} cases")
    said = [_verdict(line, number, path) for number, line in enumerate(lines, 1)]
    return Verdicts(
        path.stem,
        flags=tuple(not each["allowed"] for each in said),
        reasons=tuple(None if each["allowed"] else each.get("category") for each in said),
    )


def _verdict(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError as error:
        raise BadVerdicts(f"{path}, line {number} is not JSON: {error}") from error
    if not isinstance(said, dict) or not isinstance(said.get("allowed"), bool):
        raise BadVerdicts(f'{path}, line {number}: wanted an object with "allowed": true or false')
    if not isinstance(said.get("category"), str | None):
        raise BadVerdicts(f"{path}, line {number}: category is no name")
    return said
