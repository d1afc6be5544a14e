"""What editors and scanners left in a text: illustrations, notes, page numbers, marks of type, credits."""

from __future__ import annotations

import re

_NESTED = r"(?:[^\[\]]|\[[^\[\]]*\]){0,4000}"
"""One level of brackets inside; bounded, so that a bracket that was never closed doesn't take a chapter with it."""
_BRACKETS = re.compile(
    rf"\[\s*_?(?:Illustrations?|Transcriber'?s?'?\s+notes?|Transcribed|Footnotes?|Sidenote|Decoration|Frontispiece|"
    rf"Music|Editor'?s?\s+note|Pg\.?\s*\d+|Page\s+\d+|p\.\s*\d+|Blank\s+Page|Handwritten){_NESTED}\]",
    re.IGNORECASE,
)
_FOOTNOTE_MARK = re.compile(r"(?<=\S)\[(?:\d{1,3}|[A-D*†])\]|\{\d{1,4}\}")
_ITALICS = re.compile(r"(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])")
_BOLD = re.compile(r"(?<!\S)=([^=\n]{1,120})=(?!=)")
_CREDIT = re.compile(
    r"^\W*(?:(?:This )?(?:e-?text|e-?book|electronic text|edition) (?:was |is )?(?:prepared|produced|scanned|typed|"
    r"created|transcribed|edited|from)|(?:Produced|Transcribed|Scanned|Prepared|Typed|Proofread|Digitized|HTML version|"
    r"E-?text prepared|Updated editions?|Distributed Proofread\w*)\b.{0,20}\b(?:by|from|at)\b|"
    r"Transcriber'?s?'? notes?\b\W*\w)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"Project Gutenberg|gutenberg\.(?:org|net)|\bE-?texts?\b|www\.pgdp\.net|Internet Archive", re.IGNORECASE
)
SCENE_BREAK = "* * *"
_BREAK = re.compile(r"[\s*_.~•·#=-]+")


def drop_debris(text: str) -> str:
    """The text without bracketed notes, footnote and page marks, and marks of italics."""
    text = _BRACKETS.sub("", text)
    text = _FOOTNOTE_MARK.sub("", text)
    return _ITALICS.sub("", _BOLD.sub(r"\1", text))


def is_credit(paragraph: str) -> bool:
    """Whether a paragraph tells who made the file, or speaks of Project Gutenberg."""
    return _CREDIT.match(paragraph) is not None or _NAMED.search(paragraph) is not None


def is_break(paragraph: str) -> bool:
    """Whether a paragraph is a row of stars or dashes."""
    return _BREAK.fullmatch(paragraph) is not None


def is_ending(paragraph: str) -> bool:
    """``THE END`` and its like."""
    return paragraph.strip(" .!*_-[]").upper() in {"THE END", "FINIS", "END", "FIN"}
