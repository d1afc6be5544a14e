"""A term of a word list, and the index in which all terms are looked up at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.filters.normalise import normalise

MAX_GAP = 3
"""Between the words of a phrase: blanks and punctuation, this many characters at most, and no end of a sentence."""
_SENTENCE_END = re.compile(r"[.!?].*\s", re.DOTALL)


_LETTERS_AND_DIGITS = re.compile(r"[^\W_]+")
_MAY_HAVE_MARKS = re.compile("[^\x00-\u02ff\u2000-\u206f]")
"""Beyond Latin and typographic punctuation: where marks may be."""


@dataclass(frozen=True)
class Term:
    """A word or phrase as it is listed. `words` are its folded words; a prefix matches any ending of the last."""

    category: str
    written: str
    words: tuple[str, ...]
    is_prefix: bool


class Word(NamedTuple):
    """A run of letters, digits and marks in a folded text, and where it is there."""

    text: str
    start: int
    end: int


def parse_term(category: str, written: str) -> Term:
    """Reads `word`, `word*` or `several words`. Raises ValueError saying what is wanted."""
    stem, is_prefix = (written[:-1], True) if written.endswith("*") else (written, False)
    if "*" in stem:
        raise ValueError("a * only at the very end")
    if is_prefix and not (stem and is_of_word(stem[-1])):
        raise ValueError("a letter or digit before the *")
    words = tuple(word.text for word in split_words(normalise(stem).text))
    if not words:
        raise ValueError("at least one letter or digit")
    return Term(category, written, words, is_prefix)


def split_words(text: str) -> list[Word]:
    """The words of a folded text, in order."""
    if _MAY_HAVE_MARKS.search(text):
        return _split_slowly(text)
    return [Word(run[0], run.start(), run.end()) for run in _LETTERS_AND_DIGITS.finditer(text)]


def _split_slowly(text: str) -> list[Word]:
    """Likewise for any script: regular expressions know no marks, which belong to the words they stand in."""
    words: list[Word] = []
    start: int | None = None
    for position, character in enumerate(text):
        if is_of_word(character):
            start = position if start is None else start
        elif start is not None:
            words.append(Word(text[start:position], start, position))
            start = None
    if start is not None:
        words.append(Word(text[start:], start, len(text)))
    return words


def is_of_word(character: str) -> bool:
    """Letters, digits, and the marks that belong to the letters of their script."""
    return character.isalnum() or unicodedata.category(character) in ("Mn", "Mc")


@dataclass
class _Node:
    """A place inside phrases: which words may follow, and which terms end with the next word."""

    children: dict[str, _Node] = field(default_factory=dict)
    whole: dict[str, Term] = field(default_factory=dict)
    prefixes: dict[str, Term] = field(default_factory=dict)
    prefix_lengths: tuple[int, ...] = ()

    def ending_with(self, word: str) -> Term | None:
        term = self.whole.get(word)
        if term is not None:
            return term
        for length in self.prefix_lengths:
            term = self.prefixes.get(word[:length])
            if term is not None:
                return term
        return None


class TermIndex:
    """All terms, compiled once. A word costs a few look-ups however many terms there are."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._root = _Node()
        for term in terms:
            self._add(term)

    def first_in(self, text: str) -> tuple[Term, int, int] | None:
        """The first term in a folded text, and where it starts and ends there."""
        words = split_words(text)
        for first in range(len(words)):
            found = self._phrase_from(text, words, first)
            if found is not None:
                term, last = found
                return term, words[first].start, words[last].end
        return None

    def _add(self, term: Term) -> None:
        node = self._root
        for word in term.words[:-1]:
            node = node.children.setdefault(word, _Node())
        last = term.words[-1]
        (node.prefixes if term.is_prefix else node.whole).setdefault(last, term)
        if term.is_prefix and len(last) not in node.prefix_lengths:
            node.prefix_lengths = (*node.prefix_lengths, len(last))

    def _phrase_from(self, text: str, words: list[Word], first: int) -> tuple[Term, int] | None:
        node: _Node | None = self._root
        for last in range(first, len(words)):
            if node is None or (last > first and not _joins(text[words[last - 1].end : words[last].start])):
                return None
            term = node.ending_with(words[last].text)
            if term is not None:
                return term, last
            node = node.children.get(words[last].text)
        return None


def _joins(gap: str) -> bool:
    """Whether words with this between them can be of one phrase."""
    return len(gap) <= MAX_GAP and not _SENTENCE_END.search(gap)
