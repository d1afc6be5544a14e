"""The index in which all terms are looked up at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.filters.terms import MAX_GAP, Term, Word, split_words

_SENTENCE_END = re.compile(r"[.!?].*\s", re.DOTALL)


@dataclass
class _Node:
    """A place inside phrases: which words may follow, and which terms end with the next word."""

    children: dict[str, _Node] = field(default_factory=dict)
    whole: dict[str, list[int]] = field(default_factory=dict)
    prefixes: dict[str, list[int]] = field(default_factory=dict)
    prefix_lengths: tuple[int, ...] = ()

    def ending_with(self, word: str) -> Iterator[int]:
        yield from self.whole.get(word, ())
        for length in self.prefix_lengths:
            if len(word) >= length:
                yield from self.prefixes.get(word[:length], ())


class TermIndex:
    """All terms, compiled once. A word costs a few look-ups however many terms there are."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._root = _Node()
        self._inside: list[tuple[str, bool, int]] = []
        for number, term in enumerate(terms):
            self._add(number, term)

    def all_in(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Number, start and end of each term in a folded text."""
        words = split_words(text)
        for first, word in enumerate(words):
            for number, last in self._phrases_from(text, words, first):
                yield number, word.start, words[last].end
            for stem, is_prefix, number in self._inside:
                if stem in word.text if is_prefix else word.text.endswith(stem):
                    yield number, word.start, word.end

    def _add(self, number: int, term: Term) -> None:
        if term.is_suffix and len(term.words) == 1:
            self._inside.append((term.words[0], term.is_prefix, number))
            return
        node = self._root
        for word in term.words[:-1]:
            node = node.children.setdefault(word, _Node())
        last = term.words[-1]
        (node.prefixes if term.is_prefix else node.whole).setdefault(last, []).append(number)
        if term.is_prefix and len(last) not in node.prefix_lengths:
            node.prefix_lengths = (*node.prefix_lengths, len(last))

    def _phrases_from(self, text: str, words: list[Word], first: int) -> Iterator[tuple[int, int]]:
        node: _Node | None = self._root
        for last in range(first, len(words)):
            if node is None or (last > first and not _joins(text[words[last - 1].end : words[last].start])):
                return
            for number in node.ending_with(words[last].text):
                yield number, last
            node = node.children.get(words[last].text)


def _joins(gap: str) -> bool:
    """Whether words with this between them can be of one phrase."""
    return len(gap) <= MAX_GAP and not _SENTENCE_END.search(gap)
