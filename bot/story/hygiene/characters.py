"""Characters that have no place in a story: invisible ones, and heaps of marks on one letter."""

from __future__ import annotations

import re
import unicodedata

MAX_MARKS = 4
"""Combining marks kept on one character. Vietnamese and pointed Hebrew need up to three; heaps cover other lines."""

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Controls, bidi controls and everything without width: it hides text, breaks up words that filters look for, or turns
# the order of a line. Joiners go too, so a family emoji falls apart into its members; English prose loses nothing.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)


def plain_characters(text: str) -> str:
    """The text in NFC with "\\n" as its only line end, without tabs, controls, invisible characters, heaped marks."""
    visible = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text).replace("\t", " "))
    return _cap_marks(unicodedata.normalize("NFC", visible))


def _cap_marks(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            kept.append(char)
    return "".join(kept)
