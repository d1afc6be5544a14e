"""What a filter is: text of some kind in, a verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

FILTER_ERROR = "filter error"
"""The category of a text that was refused because a filter failed on it."""


class TextKind(StrEnum):
    """Where a text comes from and what it is for; a rule may be for some kinds only."""

    HINT = "hint"
    INSTRUCTION = "instruction"
    TITLE = "title"
    PREMISE = "premise"
    STYLE = "style"
    PASSAGE = "passage"
    CANDIDATE = "candidate"
    NAME = "name"
    REASON = "reason"


class Action(StrEnum):
    """What a rule does with a text that it finds something in.

    An ALLOW hit is an exception: hits of other rules within it do not count. Of the others the strongest decides.
    """

    ALLOW = "allow"
    FLAG = "flag"  # shown as it is, and reported to moderators
    MASK = "mask"  # shown with the place covered
    BLOCK = "block"  # not shown

    @property
    def strength(self) -> int:
        """BLOCK beats MASK beats FLAG."""
        return _STRENGTHS[self]


_STRENGTHS = {action: strength for strength, action in enumerate(Action)}


class Mode(StrEnum):
    """Whether a rule acts. In the shadow it finds and reports, so that it can be tried on real texts first."""

    OFF = "off"
    SHADOW = "shadow"
    ON = "on"


@dataclass(frozen=True)
class Hit:
    """What one rule found: `start` and `end` are code points of the original text, as a slice.

    A hit on the text as a whole is (0, len(text)). `term` is the pattern or listed word, for moderators only.
    """

    rule: str
    rule_id: int | None
    category: str
    action: Action
    start: int
    end: int
    mode: Mode
    score: float | None = None
    term: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What was decided. A refusal names its category (told to the writer) and its rule (for moderators).

    `start` and `end` say where in the original text, in code points, as a slice; None where no place can be named.
    These five tell of the hit that decided, which may be a mere FLAG; `hits` has all that counted, and those of rules
    in the shadow, which change nothing else here. A verdict of MASK is allowed and must be shown as `masked`.
    """

    allowed: bool
    category: str | None = None
    rule: str | None = None
    start: int | None = None
    end: int | None = None
    action: Action | None = None
    hits: tuple[Hit, ...] = ()
    masked: str | None = None

    @classmethod
    def refuse(cls, category: str, rule: str, start: int | None = None, end: int | None = None) -> Verdict:
        return cls(False, category, rule, start, end, Action.BLOCK)


ALLOWED = Verdict(True)


class Filter(Protocol):
    """Anything that can judge a text. Runs on the event loop, so its time must be linear in the text's length."""

    def check(self, text: str, kind: TextKind) -> Verdict: ...
