"""Takes Project Gutenberg's licence, credits and marks off a text, in the forms they have had since the 1990s.

What stands around a book changed over the years:

* today: ``*** START OF THE PROJECT GUTENBERG EBOOK … ***`` and the same with END (since about 2005; "THIS" for a while,
  sometimes broken over two lines);
* before: ``*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*`` above the book and ``End of the Project
  Gutenberg Etext of …`` below it;
* the small print below the book instead of above it;
* in NLTK's copies all of it is gone, and the first line is ``[Title by Author Year]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CASELESS = re.IGNORECASE | re.MULTILINE
_START = re.compile(
    r"^[ \t]*\*{3}\s*START OF (?:THE|THIS) PROJECT GUTENBERG E-?(?:BOOK|TEXT)(?:[^*]{0,300}\*{3}|[^*\n]*$)", _CASELESS
)
_SMALL_PRINT_ENDS = re.compile(r"^.*\*\s*END[ *]*THE SMALL PRINT.*$", _CASELESS)
_SMALL_PRINT_BEGINS = re.compile(r"^.*\*\s*START[ *]*THE SMALL PRINT.*$", _CASELESS)
_END = re.compile(
    r"""^[ \t]*(?:
        \*{3}\s*END\ OF\ (?:THE|THIS)\ PROJECT\ GUTENBERG
      | \**\s*(?:This\ is\ the\ )?End\ of\ (?:the\ |this\ )?Project\ Gutenberg
      | \*{3}\s*START:?\ (?:OF\ )?FULL\ LICENSE
      | \**\s*This\ file\ should\ be\ named
      | This\ and\ all\ associated\ files\ of\ various\ formats
    )""",
    _CASELESS | re.VERBOSE,
)
_NLTK = re.compile(r"\A\s*\[(?P<title>.+?),? by (?P<author>[^\]\d]+?)(?: \d{4})?\][ \t]*$", re.MULTILINE)
_OLD_NAME = re.compile(
    r"Project Gutenberg(?:'s)? (?:E-?text|E-?book)?(?: of|,)? ?(?P<title>[^\n*]+?),? by (?P<author>[^\n*]+?)[ *]*$",
    _CASELESS,
)
_FIELD = re.compile(r"^(Title|Author|Language|Translator|Editor|Illustrator): *(.+(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_NUMBER = re.compile(r"\[E-?(?:book|text) *# *(\d+)\]", re.IGNORECASE)
_COPYRIGHTED = re.compile(r"COPYRIGHTED Project Gutenberg|This is a \*?COPYRIGHTED\*? Project Gutenberg", re.IGNORECASE)
_HEAD_CHARS = 40_000
"""The longest small print with a header is about 20,000 characters."""


@dataclass(frozen=True)
class Stripped:
    """The book's own text, and what its header said; `is_copyrighted` books may not be passed on freely."""

    text: str
    title: str | None = None
    author: str | None = None
    language: str | None = None
    number: str | None = None
    is_copyrighted: bool = False


def strip_licence(text: str) -> Stripped:
    """The text between the header and the footer, whichever of them there are."""
    nltk = _NLTK.match(text)
    start = _header_end(text) if nltk is None else nltk.end()
    footers = (pattern.search(text, start) for pattern in (_END, _SMALL_PRINT_BEGINS))
    body = text[start : min((footer.start() for footer in footers if footer is not None), default=len(text))]
    if nltk is not None:
        return Stripped(body, " ".join(nltk["title"].split()), nltk["author"].strip())
    return _described(body, text[:start] or text[:3000])


def _header_end(text: str) -> int:
    """Where the book begins: after the last mark that ends a header."""
    marks = [match.end() for match in _START.finditer(text[:_HEAD_CHARS])]
    marks += [match.end() for match in _SMALL_PRINT_ENDS.finditer(text[:_HEAD_CHARS])]
    footer = _END.search(text)
    # Small print below a short book ends within these characters too, and begins no book.
    marks = [mark for mark in marks if footer is None or mark < footer.start()]
    return max(marks, default=0)


def _described(body: str, header: str) -> Stripped:
    found = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(header)}
    old = _OLD_NAME.search(header)
    number = _NUMBER.search(header)
    return Stripped(
        body,
        found.get("title") or (old["title"].strip() if old else None),
        found.get("author") or (old["author"].strip() if old else None),
        found.get("language"),
        number[1] if number else None,
        _COPYRIGHTED.search(header) is not None,
    )
