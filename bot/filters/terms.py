"""A term of a word list, and the index in which all terms are looked up at once."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from bot.filters.levels import Severity
from bot.filters.normalise import normalise

MAX_GAP = 3
"""Between the words of a phrase: blanks and punctuation, this many characters at most, and no end of a sentence."""
MAX_TERM = 100
LEAST_STEM = 2
"""Beside a `*`: one letter would find most words."""
MAX_REMEMBERED = 50_000
"""Terms that are not read anew when rules are compiled again: those of the two largest servers, some 20 MB."""
_LETTERS_AND_DIGITS = re.compile(r"[^\W_]+")
_MAY_HAVE_MARKS = re.compile("[^\x00-\u02ff\u2000-\u206f]")
"""Beyond Latin and typographic punctuation: where marks may be."""
_MARKS_FROM, _MARKS_TO = 0x300, 0x20000
"""Where Unicode has them, but for variation selectors, which are folded away."""


@dataclass(frozen=True)
class Term:
    """A word or phrase as it is listed. `words` are its folded words.

    A prefix matches any ending of its last word, a suffix any beginning of its first.
    """

    category: str
    written: str
    words: tuple[str, ...]
    is_prefix: bool
    is_suffix: bool = False
    severity: Severity = Severity.STRONG
    is_listed: bool = False
    """Of a ready-made list, so all that is known of disguises holds for it, and it has been tried on innocent words."""
    is_core: bool = False
    """Bad enough to be looked for by its sound, with vowels left out and letters missing, and inside of other words."""
    is_ambiguous: bool = False
    """Innocent in a story: counts only where it is disguised, or is all of the text."""


class Word(NamedTuple):
    """A run of letters, digits and marks in a folded text, and where it is there."""

    text: str
    start: int
    end: int


def parse_term(category: str, written: str, severity: Severity = Severity.STRONG) -> Term:
    """Reads `word`, `word*`, `*word`, `*word*` or `several words`. Raises ValueError saying what is wanted.

    What was read lately is remembered: a change of one rule has all words of the server compiled.
    """
    return _parse_term(category, written, severity)


@lru_cache(maxsize=MAX_REMEMBERED)
def _parse_term(category: str, written: str, severity: Severity) -> Term:
    is_suffix, is_prefix = written.startswith("*"), written.endswith("*") and len(written) > 1
    stem = written[is_suffix : len(written) - is_prefix]
    if "*" in stem:
        raise ValueError("a * only at the very beginning or end")
    if (is_prefix and not (stem and is_of_word(stem[-1]))) or (is_suffix and not (stem and is_of_word(stem[0]))):
        raise ValueError("a letter or digit beside the *")
    words = tuple(word.text for word in split_words(normalise(stem).text))
    if not words:
        raise ValueError("at least one letter or digit")
    if len(written) > MAX_TERM:
        raise ValueError(f"at most {MAX_TERM} characters")
    if (is_prefix and len(words[-1]) < LEAST_STEM) or (is_suffix and len(words[0]) < LEAST_STEM):
        raise ValueError(f"at least {LEAST_STEM} letters beside the *")
    return Term(category, written, words, is_prefix, is_suffix, severity)


def may_have_marks(text: str) -> bool:
    """Whether marks may be in the words of a text, so that they have to be split letter by letter."""
    return _MAY_HAVE_MARKS.search(text) is not None


def split_words(text: str) -> list[Word]:
    """The words of a folded text, in order."""
    words = _words_with_marks() if _MAY_HAVE_MARKS.search(text) else _LETTERS_AND_DIGITS
    return [Word(run[0], run.start(), run.end()) for run in words.finditer(text)]


@lru_cache(maxsize=1)
def _words_with_marks() -> re.Pattern[str]:
    """Words of any script: regular expressions know no marks, which belong to the words they stand in."""
    marks = "".join(
        re.escape(mark) for mark in map(chr, range(_MARKS_FROM, _MARKS_TO)) if is_of_word(mark) and not mark.isalnum()
    )
    return re.compile(f"(?:[^\\W_]|[{marks}])+")


def is_of_word(character: str) -> bool:
    """Letters, digits, and the marks that belong to the letters of their script."""
    return character.isalnum() or unicodedata.category(character) in ("Mn", "Mc")
