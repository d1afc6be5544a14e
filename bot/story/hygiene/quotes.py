"""Quotation marks that a cut, or the model, left open."""

from __future__ import annotations

from dataclasses import dataclass

_CLOSING = {"“": "”", "„": "“", "«": "»", "「": "」", "『": "』"}
_OPENERS_BEFORE = frozenset("([{—–-“‘'*_„«「『")
_STRAIGHT = '"'


@dataclass(frozen=True)
class _Open:
    closing: str
    at: int


def balance_quotes(text: str) -> str:
    """Closes each quotation at the end of the paragraph that it began in, and drops marks that close nothing.

    Speech that runs over several paragraphs, each beginning with its mark, is left as it is but for the last one.
    Single marks are apostrophes too often to be balanced.
    """
    pending: list[_Open] = []
    stray: list[int] = []
    for at, char in enumerate(text):
        closes = _find(pending, char)
        if char == _STRAIGHT and _looks_opening(text, at):
            pending = [quote for quote in pending if quote.closing != _STRAIGHT] + [_Open(_STRAIGHT, at)]
        elif closes is not None:
            pending = pending[:closes]
        elif char in _CLOSING:
            pending = [q for q in pending if q.closing != _CLOSING[char] or not _begins_paragraph(text, at)]
            pending.append(_Open(_CLOSING[char], at))
        elif char == _STRAIGHT or char in "”»」』":
            stray.append(at)
    return _apply(text, pending, stray)


def _find(pending: list[_Open], char: str) -> int | None:
    return next((i for i in range(len(pending) - 1, -1, -1) if pending[i].closing == char), None)


def _looks_opening(text: str, at: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    return (not before or before.isspace() or before in _OPENERS_BEFORE) and bool(after) and not after.isspace()


def _begins_paragraph(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def _apply(text: str, pending: list[_Open], stray: list[int]) -> str:
    missing: dict[int, str] = {}
    for quote in reversed(pending):
        paragraph_end = text.find("\n\n", quote.at)
        end = paragraph_end if paragraph_end >= 0 else len(text)
        missing[end] = missing.get(end, "") + quote.closing
    dropped = frozenset(stray)
    pieces = [missing.get(at, "") + ("" if at in dropped else char) for at, char in enumerate(text)]
    return "".join(pieces) + missing.get(len(text), "")
