"""Drawings and symbols that need no letters: organs in ASCII, the finger, swastikas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.filters.levels import Levels, Severity


class Sign(NamedTuple):
    """A drawing by its category, severity and place."""

    category: str
    severity: Severity
    start: int
    end: int


_KINDS = (
    ("sexual", Severity.MODERATE, re.compile(r"(?<![\w=])[83B][=≈]{2,60}[DoO>)3](?![\w=])|🍆\W{0,2}💦|💦\W{0,2}🍑")),
    ("sexual", Severity.MILD, re.compile(r"\([.oO⏝]\)\s?\([.oO⏝]\)|\(‿ˠ‿\)|╰⋃╯|👉\W?👌|[𓂸𓂺𓂹]")),
    ("profanity", Severity.MODERATE, re.compile(r"🖕|凸|(?<![\w_])[_/]\|[_\\](?![\w_])|(?<!\S)_[i1l¦(){}]_(?!\S)")),
    ("slur", Severity.MODERATE, re.compile(r"[卐卍࿕࿖࿗࿘]|ᛋᛋ")),
)


def find_signs(text: str, levels: Levels) -> Iterator[Sign]:
    """Every drawing in the original text that the levels stop."""
    for category, severity, drawing in _KINDS:
        if levels.level(category).stops(severity):
            for match in drawing.finditer(text):
                yield Sign(category, severity, *match.span())
