"""What a text looks like: shouting, repeats, walls of lines, stacked marks, too many emojis."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

FEW_LETTERS = 12
"""Below this many letters, capitals are no shouting: names and initials."""
_RUN = re.compile(r"(\S)\1+", re.DOTALL)

Span = tuple[int, int]


def _caps(text: str, limit: float) -> Iterator[Span]:
    """More than this share of the letters are capitals."""
    cased = [character for character in text if character.isupper() or character.islower()]
    if len(cased) >= FEW_LETTERS and sum(map(str.isupper, cased)) > limit * len(cased):
        yield 0, len(text)


def _repeats(text: str, limit: float) -> Iterator[Span]:
    """One character more often than this in a row."""
    for run in _RUN.finditer(text):
        if run.end() - run.start() > limit:
            yield run.span()


def _newlines(text: str, limit: float) -> Iterator[Span]:
    """More line breaks than this."""
    if text.count("\n") > limit:
        yield 0, len(text)


def _marks(text: str, limit: float) -> Iterator[Span]:
    """More combining marks than this on one letter."""
    start = 0
    for position in _bounded(text):
        if position - start > limit:
            yield max(start - 1, 0), position
        start = position + 1


def _bounded(text: str) -> Iterator[int]:
    """Where a run of marks ends: the positions of everything else, and the end."""
    for position, character in enumerate(text):
        if unicodedata.category(character) not in ("Mn", "Me"):
            yield position
    yield len(text)


def _length(text: str, limit: float) -> Iterator[Span]:
    """More characters than this."""
    if len(text) > limit:
        yield 0, len(text)


def _emojis(text: str, limit: float) -> Iterator[Span]:
    """More emojis than this; flags count twice, being made of two."""
    if sum(1 for character in text if _is_emoji(character)) > limit:
        yield 0, len(text)


def _is_emoji(character: str) -> bool:
    point = ord(character)
    return 0x1F000 <= point <= 0x1FAFF or 0x2600 <= point <= 0x27BF


class Shape(NamedTuple):
    """A shape with the limit that holds where a rule names none."""

    find: Callable[[str, float], Iterator[Span]]
    limit: float


SHAPES: Mapping[str, Shape] = {
    "caps": Shape(_caps, 0.7),
    "repeats": Shape(_repeats, 9),
    "newlines": Shape(_newlines, 20),
    "marks": Shape(_marks, 3),
    "length": Shape(_length, 2000),
    "emojis": Shape(_emojis, 10),
}


def find_shapes(text: str, limits: Mapping[str, float]) -> Iterable[tuple[str, int, int]]:
    """Name and place of each shape whose limit is passed."""
    for name, limit in limits.items():
        for start, end in SHAPES[name].find(text, limit):
            yield name, start, end
