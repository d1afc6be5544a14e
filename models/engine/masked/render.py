"""From drawn words back to text. What was not drawn is cut out of the original, so it stays byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

from models.engine.masked.lexicon import MARKS
from models.engine.masked.plan import Plan, Slot, follows_space, needs_space
from models.engine.masked.words import begins_sentence

_LOOK = 60  # characters of the text before a gap that decide how it begins

HOLE = "\0"
"""Stands for a slot that is not written yet; no text has it."""


def splice(middle: str, written: Sequence[tuple[Slot, str | None]]) -> tuple[str, list[tuple[int, int]]]:
    """`middle` with the words of `written`, in order of their places, and where each of them stands now.

    None leaves what was there.
    """
    parts, spans, done, length = [], [], 0, 0
    for slot, word in written:
        gap = middle[done : slot.begin]
        new = middle[slot.begin : slot.end] if word is None else word
        parts += [gap, new]
        begin = length + len(gap)
        length = begin + len(new)
        spans.append((begin, length))
        done = slot.end
    return "".join(parts) + middle[done:], spans


def in_place_of(old: str, word: str) -> str:
    """A drawn word spelled for the place of `old`: with a capital where that had one."""
    return capital(word) if old[:1].isupper() else _as_said(word)


def fill(plan: Plan, items: Sequence[str | None]) -> str:
    """The text of a gap with these words and marks; None is a hole.

    Spaces stand where English has them, at the ends of the gap too; sentences begin with a capital.
    """
    text = before = plan.before[-_LOOK:]
    for item in items:
        if item is None or item in MARKS:
            text += HOLE if item is None else item
            continue
        if follows_space(text) and not text[-1:].isspace():
            text += " "
        text += capital(item) if begins_sentence(text, len(text)) else _as_said(item)
    return text[len(before) :] + (" " if needs_space(plan.after) else "")


def capital(word: str) -> str:
    """With a capital first letter, where that is one letter too."""
    first = word[0].upper()
    return first + word[1:] if len(first) == 1 else word


def _as_said(word: str) -> str:
    return "I" if word == "i" else word
