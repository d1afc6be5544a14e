"""The index in which all phrases are looked up at once."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.filters.terms import MAX_GAP, Term, Word, may_have_marks, split_words

_WORDS = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"[.!?].*\s", re.DOTALL)


@dataclass
class _Node:
    """A place inside phrases: which words may follow, and which terms end with the next word."""

    children: dict[str, _Node] = field(default_factory=dict)
    whole: dict[str, list[int]] = field(default_factory=dict)
    prefixes: dict[str, list[int]] = field(default_factory=dict)
    prefix_lengths: tuple[int, ...] = ()

    def ends_with(self, word: str) -> bool:
        return word in self.whole or any(word[:length] in self.prefixes for length in self.prefix_lengths)

    def ending_with(self, word: str) -> Iterator[int]:
        if word in self.whole:
            yield from self.whole[word]
        for length in self.prefix_lengths:
            if len(word) >= length:
                yield from self.prefixes.get(word[:length], ())


class PhraseIndex:
    """All terms of several words, compiled once. A word costs a look-up however many terms there are."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._root = _Node()
        self._by_ending: dict[int, _Node] = {}
        self._longest = max((len(term.words) for term in terms), default=0)
        for number, term in enumerate(terms):
            if len(term.words) > 1:
                self._add(number, term)
        self._suffix_lengths = tuple(self._by_ending)

    def all_in(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Number, start and end of each term in a folded text."""
        if not self._root.children and not self._by_ending:
            return
        if not self._by_ending and not self._may_be_in(text):
            return
        words = split_words(text)
        starts = self._root.children
        for first, word in enumerate(words):
            node = starts.get(word.text)
            if node is not None:
                yield from self._phrases_from(text, words, first, node)
            for length in self._suffix_lengths:
                node = self._by_ending[length].children.get(word.text[-length:])
                if node is not None:
                    yield from self._phrases_from(text, words, first, node)

    def _may_be_in(self, text: str) -> bool:
        """Whether the words of a phrase stand in a row: quick, and true for few texts."""
        if may_have_marks(text):
            return True
        words = _WORDS.findall(text)
        starts = self._root.children
        for first, (word, following) in enumerate(itertools.pairwise(words)):
            node = starts.get(word)
            if node is None:
                continue
            if following in node.whole or (node.prefix_lengths and node.ends_with(following)):
                return True
            if following in node.children and self._ends_from(words, first + 2, node.children[following]):
                return True
        return False

    def _ends_from(self, words: list[str], first: int, after: _Node) -> bool:
        node: _Node | None = after
        for word in words[first : first + self._longest]:
            if node is None:
                return False
            if node.ends_with(word):
                return True
            node = node.children.get(word)
        return False

    def _add(self, number: int, term: Term) -> None:
        first, *between, last = term.words
        root = self._by_ending.setdefault(len(first), _Node()) if term.is_suffix else self._root
        node = root.children.setdefault(first, _Node())
        for word in between:
            node = node.children.setdefault(word, _Node())
        (node.prefixes if term.is_prefix else node.whole).setdefault(last, []).append(number)
        if term.is_prefix and len(last) not in node.prefix_lengths:
            node.prefix_lengths = (*node.prefix_lengths, len(last))

    def _phrases_from(self, text: str, words: list[Word], first: int, after: _Node) -> Iterator[tuple[int, int, int]]:
        node: _Node | None = after
        for last in range(first + 1, len(words)):
            if node is None or not _joins(text[words[last - 1].end : words[last].start]):
                return
            for number in node.ending_with(words[last].text):
                yield number, words[first].start, words[last].end
            node = node.children.get(words[last].text)


def _joins(gap: str) -> bool:
    """Whether words with this between them can be of one phrase."""
    return len(gap) <= MAX_GAP and not _SENTENCE_END.search(gap)
