"""Finds the words and phrases of all rules and lists in a text, plain or disguised."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from bot.filters.broken import broken_terms
from bot.filters.confusables import LETTERS_FOR
from bot.filters.drawn import AROUND
from bot.filters.finders import Found, Text
from bot.filters.index import PhraseIndex
from bot.filters.lexicon import Lexicon
from bot.filters.rules import Rule
from bot.filters.runs import Effort, Find, read_joined, read_plainly, read_run
from bot.filters.terms import Term, split_words

MAX_MEMORY = 30_000
"""Runs that are remembered; texts repeat their words, so nearly every run has been read before."""
LONGEST_REMEMBERED = 60
"""Characters of a run that is remembered; longer ones are no words that come again."""
MAX_EFFORT = 4000
"""Letters that are looked up for disguises in one text, beside what is remembered. The words of a passage of 4,000
characters are all read, though each be a new one; it is their other readings that run out."""
MAX_JOINS = 100
"""Places in one text where neighbours are read together."""
LONGEST_ROW = 40
"""Single letters that are read together; a longer row is read in parts that overlap by half."""
_RUN = re.compile(r"\S+")
_LETTER = re.compile(r"[^\W_]")
_SHORT_WORDS = frozenset(
    "a i o u ad ah al am an as at aw ax be by da de do dr ed eh el em en er ex fa go ha he hi hm ho id if il im in is "
    "it jo jr la le lo ma me mr ms mt my na ne no nu of og oh ok on op or ow ox oz pa pi re se sh si so st ta te ti "
    "to tv ty uh um un up us vs we wo ya ye yo".split()
)
_USER_NAME = re.compile(r"[^\W_]\w*_\w*[^\W_]")
_POSSESSIVE = re.compile("['’]s\\b")
PUNCTUATION = ".,;:!?\"'“”‘’„«»[]{}…—–-_*~`>|)"
_APOSTROPHES = frozenset("'’")
_NO_JOIN_AFTER = ".,;:?"


class ListedTerm(NamedTuple):
    """A term and the rule that it stands in."""

    term: Term
    rule: Rule


class WordFinder:
    """All words and phrases of all rules. Thread-safe: what it remembers of runs is only ever added or forgotten."""

    def __init__(self, listed: Sequence[ListedTerm], innocent: frozenset[str] = frozenset()) -> None:
        self._listed = tuple(listed)
        terms = [one.term for one in listed]
        self._lexicon = Lexicon(terms, innocent)
        broken = [(number, one) for number, term in enumerate(terms) for one in broken_terms(term, innocent)]
        self._phrases = PhraseIndex([*terms, *(term for _, term in broken)])
        self._broken = [number for number, _ in broken]
        self._read: dict[str, tuple[Find, ...]] = {}
        self._clean: set[str] = set()
        self._fragments: set[str] = set()
        self._read_joined: dict[tuple[str, bool], tuple[int, ...]] = {}

    def find(self, text: Text) -> Iterator[Found]:
        finds = [*self._single(text.folded.text), *self._phrased(text), *self._glued(text.folded.text)]
        finds = _innermost([find for find in finds if self._counts_alone(find)]) + [
            find for find in finds if not self._counts_alone(find)
        ]
        is_all = bool(finds) and (_is_user_name(text.folded.text) or _cover_all(text.folded.text, finds))
        for find in finds:
            one = self._listed[find.number]
            if self._counts(one, find, is_all):
                place = text.folded.original_span(find.start, find.end)
                yield Found(one.rule, *place, one.term.written, one.rule.action)

    def _counts(self, one: ListedTerm, find: Find, is_all: bool) -> bool:
        if find.is_disguised and not one.rule.options.get("disguises", True):
            return False
        return is_all or self._counts_alone(find)

    def _counts_alone(self, find: Find) -> bool:
        """Whether it counts whatever stands around it."""
        return find.is_disguised or not self._listed[find.number].term.is_ambiguous

    def _phrased(self, text: Text) -> Iterator[Find]:
        for number, start, end in self._phrases.all_in(text.folded.text):
            yield self._as_find(number, start, end, is_disguised=False)
        if text.as_letters is not text.folded:
            for number, start, end in self._phrases.all_in(text.as_letters.text):
                if text.as_letters.text[start:end] != text.folded.text[start:end]:
                    yield self._as_find(number, start, end, is_disguised=True)

    def _as_find(self, number: int, start: int, end: int, *, is_disguised: bool) -> Find:
        """Phrases beyond the listed ones are broken words."""
        beyond = number - len(self._listed)
        return Find(number, start, end, is_disguised) if beyond < 0 else Find(self._broken[beyond], start, end, True)

    def _single(self, text: str) -> Iterator[Find]:
        """What stands in single runs, and in neighbouring ones that belong together."""
        runs = _Runs(text)
        clean = self._clean
        if clean.issuperset(runs.texts):
            return  # nothing but runs that have been read before, with nothing in them
        effort = Effort(MAX_EFFORT)
        fragments: list[int] = []
        for position, run in enumerate(runs.texts):
            if run in clean:
                continue
            finds = self._finds_in(run, effort)
            if run in self._fragments:
                fragments.append(position)
            if finds:
                start = runs.starts[position]
                for number, begins, ends, is_disguised in finds:
                    yield Find(number, start + begins, start + ends, is_disguised)
        if fragments:
            yield from self._joined(text, runs, fragments, effort)

    def _glued(self, text: str) -> Iterator[Find]:
        """Two words and nothing else that are a compound when they are glued: an insult with a blank in it."""
        if len(text) > 40:
            return
        words = split_words(text)
        if len(words) == 2 and all(len(word.text) > 1 for word in words):
            for number in self._lexicon.pair(words[0].text, words[1].text):
                yield Find(number, words[0].start, words[1].end, True)

    def _finds_in(self, run: str, effort: Effort) -> tuple[Find, ...]:
        finds = self._read.get(run)
        if finds is None:
            if not effort.is_left:
                return read_plainly(run, self._lexicon)
            finds = read_run(run, self._lexicon, effort)
            self._forget_if_full()
            is_fragment = _is_fragment(run)
            if is_fragment:
                self._fragments.add(run)
            if finds or is_fragment:
                self._read[run] = finds
            elif len(run) <= LONGEST_REMEMBERED:
                self._clean.add(run)
        return finds

    def _forget_if_full(self) -> None:
        if len(self._read) + len(self._clean) + len(self._read_joined) > MAX_MEMORY:
            self._read, self._clean, self._read_joined, self._fragments = {}, set(), {}, set()

    def _joined(self, text: str, runs: _Runs, fragments: list[int], effort: Effort) -> Iterator[Find]:
        """Words that are spaced out or broken: what neighbours are when they are read as one."""
        for first, last in _windows(runs, fragments):
            is_row = runs.are_single(first, last)
            found = self._terms_joined("".join(runs.texts[first : last + 1]), is_row, effort)
            if not found:
                continue
            start, end = runs.starts[first], runs.starts[last] + len(runs.texts[last])
            if end - start > 2 * LONGEST_ROW or ("\n" in text[start:end] and last - first < 2):
                continue
            for number in found:
                if is_row or not self._listed[number].term.is_ambiguous:
                    yield Find(number, start, end, True)

    def _terms_joined(self, glued: str, is_row: bool, effort: Effort) -> tuple[int, ...]:
        found = self._read_joined.get((glued, is_row))
        if found is None:
            if len(glued) > 2 * LONGEST_ROW or not effort.is_left:
                return ()
            found = read_joined(glued, self._lexicon, effort, is_row=is_row)
            self._forget_if_full()
            self._read_joined[glued, is_row] = found
        return found


class _Runs:
    """The runs of a text, with what is asked of few of them worked out when it is asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.texts = text.split()

    @cached_property
    def starts(self) -> list[int]:
        """Where each begins."""
        return [match.start() for match in _RUN.finditer(self._text)]

    def is_single(self, position: int) -> bool:
        """Whether it is one character, but for punctuation."""
        run = self.texts[position]
        return len(run) == 1 or len(run.strip(AROUND) or run) == 1

    def are_single(self, first: int, last: int) -> bool:
        """Likewise of several in a row."""
        return all(map(self.is_single, range(first, last + 1)))

    def row_around(self, position: int) -> tuple[int, int]:
        """First and last of the single ones in a row that this one is of."""
        first = last = position
        while first > 0 and self.is_single(first - 1):
            first -= 1
        while last + 1 < len(self.texts) and self.is_single(last + 1):
            last += 1
        return first, last


def _windows(runs: _Runs, fragments: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of the neighbours to read together: rows of single letters, and up to three around a fragment."""
    seen: set[tuple[int, int]] = set()
    past = -1
    for position in fragments[:MAX_JOINS]:
        choices: list[tuple[int, int]] = []
        if position > past and runs.is_single(position):
            first, past = runs.row_around(position)
            choices += _parts_of_row(first, past)
        for left, right in ((1, 0), (0, 1), (1, 1), (2, 0), (0, 2)):
            choices.append((position - left, position + right))
        for window in choices:
            if 0 <= window[0] < window[1] < len(runs.texts) and window not in seen and _joins(runs, *window):
                seen.add(window)
                yield window


def _parts_of_row(first: int, last: int) -> list[tuple[int, int]]:
    if last - first < LONGEST_ROW:
        # A row may begin with an article: "a w o l f".
        return [(first, last), (first + 1, last)] if last - first > 1 else [(first, last)]
    step = LONGEST_ROW // 2
    return [(start, min(start + LONGEST_ROW - 1, last)) for start in range(first, last - step + 1, step)]


def _joins(runs: _Runs, first: int, last: int) -> bool:
    """No end of a clause within, unless it is a row of single letters with dots."""
    if all(run[-1] not in _NO_JOIN_AFTER for run in runs.texts[first:last]):
        return True
    return runs.are_single(first, last)


def _is_fragment(run: str) -> bool:
    """Too short for a word, or short and with symbols: what a broken word leaves."""
    if len(run) > 2 and run.isalpha():
        return False
    core = run.strip(AROUND) or run.strip(PUNCTUATION)
    if not core or not any(sign.isalnum() or sign in LETTERS_FOR for sign in core):
        return False
    if len(core) == 1:
        return core not in "aio" and not core.isdigit()
    if len(core) == 2:
        return core not in _SHORT_WORDS and not core.isdigit()
    return len(core) <= 4 and not core.isalnum() and _APOSTROPHES.isdisjoint(core)


def _innermost(finds: Sequence[Find]) -> list[Find]:
    """Without those that contain another of the same term: "**w0lf**" is read with its stars and without."""
    kept: list[Find] = []
    latest: dict[int, int] = {}
    for find in sorted(finds, key=lambda find: (find.end, -find.start)):
        if find.start > latest.get(find.number, -1):
            kept.append(find)
            latest[find.number] = find.start
    return kept


def _is_user_name(text: str) -> bool:
    """Whether it is a name as people choose it for themselves, which is no prose: each word is there on purpose."""
    return "_" in text and _USER_NAME.fullmatch(text.strip()) is not None


def _cover_all(text: str, finds: Sequence[Find]) -> bool:
    """Whether nothing else is said."""
    position = 0
    for find in sorted(finds, key=lambda find: find.start):
        if _LETTER.search(text, position, max(find.start, position)):
            return False
        possessive = _POSSESSIVE.match(text, find.end)
        position = max(position, find.end if possessive is None else possessive.end())
    return not _LETTER.search(text, position)
