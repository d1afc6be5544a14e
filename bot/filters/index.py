"""The index in which all phrases are looked up at once."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.filters.tables import CharacterTable
from bot.filters.terms import MAX_GAP, Term, Word, may_have_marks, split_words

_SENTENCE_END = re.compile(r"[.!?].*\s", re.DOTALL)


_BLANKS = CharacterTable(lambda character: character if character.isalnum() else " ")
"""All but letters and digits as blanks."""


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
        self._pairs: set[tuple[str, str]] = set()
        """Of phrases of two words, both; of those of three that end with a prefix, the first two."""
        self._triples: set[tuple[str, str, str]] = set()
        """Of longer phrases, the first three."""
        self._before_prefixes: set[str] = set()
        """First words of phrases of two of which the second is a prefix."""
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
        """Whether the words of a phrase stand in a row: quick, for it is asked of every text."""
        if may_have_marks(text):
            return True
        words = text.translate(_BLANKS).split()
        firsts = {pair[0] for pair in self._pairs.intersection(itertools.pairwise(words))}
        firsts.update(three[0] for three in self._triples.intersection(zip(words, words[1:], words[2:], strict=False)))
        firsts |= self._before_prefixes.intersection(words)
        if not firsts:
            return False
        starts = self._root.children
        return any(
            word in firsts and self._ends_from(words, position + 1, starts[word]) for position, word in enumerate(words)
        )

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
        if root is self._root:
            self._add_beginning(term)
        for word in between:
            node = node.children.setdefault(word, _Node())
        (node.prefixes if term.is_prefix else node.whole).setdefault(last, []).append(number)
        if term.is_prefix and len(last) not in node.prefix_lengths:
            node.prefix_lengths = (*node.prefix_lengths, len(last))

    def _add_beginning(self, term: Term) -> None:
        first, second, *more = term.words
        if len(more) > 1 or (more and not term.is_prefix):
            self._triples.add((first, second, more[0]))
        elif more or not term.is_prefix:  # of a phrase such as `one two thr*`, two words are sure
            self._pairs.add((first, second))
        else:
            self._before_prefixes.add(first)

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
