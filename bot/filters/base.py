"""What a filter is: text of some kind in, a verdict out; and the chain, where the first refusal wins."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

log = logging.getLogger(__name__)

FILTER_ERROR = "filter error"
"""The category of a text that was refused because a filter failed on it."""


class TextKind(StrEnum):
    """Where a text comes from and what it is for; a filter may treat kinds differently."""

    HINT = "hint"
    INSTRUCTION = "instruction"
    TITLE = "title"
    PREMISE = "premise"
    STYLE = "style"
    PASSAGE = "passage"
    CANDIDATE = "candidate"
    NAME = "name"
    REASON = "reason"


@dataclass(frozen=True)
class Verdict:
    """What a filter decided. A refusal names its category (told to the writer) and its rule (for moderators).

    `start` and `end` say where in the original text, in code points, as a slice; None where no place can be named.
    """

    allowed: bool
    category: str | None = None
    rule: str | None = None
    start: int | None = None
    end: int | None = None

    @classmethod
    def refuse(cls, category: str, rule: str, start: int | None = None, end: int | None = None) -> Verdict:
        return cls(False, category, rule, start, end)


ALLOWED = Verdict(True)


class Filter(Protocol):
    """Anything that can judge a text. Runs on the event loop, so its time must be linear in the text's length."""

    def check(self, text: str, kind: TextKind) -> Verdict: ...


class Chain:
    """Asks its filters in order; the first refusal wins. It fails closed: a filter that raises refuses the text."""

    def __init__(self, filters: Iterable[Filter]) -> None:
        self._filters = tuple(filters)

    def check(self, text: str, kind: TextKind) -> Verdict:
        """The first refusal, or `ALLOWED`. Never raises."""
        for one in self._filters:
            verdict = _ask(one, text, kind)
            if not verdict.allowed:
                return verdict
        return ALLOWED


def _ask(one: Filter, text: str, kind: TextKind) -> Verdict:
    try:
        return one.check(text, kind)
    except Exception:
        # Any failure at all: a text that was not judged is not shown. The text itself stays out of the log.
        log.exception("%s failed on a %s of %d characters, which is refused", type(one).__name__, kind, len(text))
        return Verdict.refuse(FILTER_ERROR, type(one).__name__)
