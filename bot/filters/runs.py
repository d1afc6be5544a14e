"""Reads one run of characters without blanks: the words in it, and what they disguise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.filters import drawn
from bot.filters.lexicon import Lexicon, Numbers
from bot.filters.terms import split_words

LONGEST_RUN = 100
"""Characters of a run that is read for disguises across its symbols; the words in it are read however long it is."""
LEAST_EFFORT = 4
_STRANGE = frozenset("+^~|<>=#%&")
"""Separators that no punctuation of prose is."""
_CUT = re.compile(r"(?:^|[.*_|,])[^\W\d_][.*_|,][^\W\d_]{2}|[^\W\d_]{2}[.*_|,][^\W\d_](?=$|[.*_|,])")
_ENDS_COVERED = re.compile(r"[^\W\d_][*•█▒]{3}")
_TAIL = re.compile("['’](?:s|t|d|m|ll|re|ve|em|tis|twas)?$")


class Find(NamedTuple):
    """A term in a run: its number, place, and whether it is disguised there."""

    number: int
    start: int
    end: int
    is_disguised: bool


class Effort:
    """How many letters are looked up for disguises in one text. What is left when they are used up is read plainly."""

    def __init__(self, letters: int) -> None:
        self._left = letters

    def spend(self, reading: str) -> None:
        """One look-up of a reading; the shortest cost something as well."""
        self._left -= max(len(reading), LEAST_EFFORT)

    @property
    def is_left(self) -> bool:
        return self._left > 0


def read_run(run: str, lexicon: Lexicon, effort: Effort) -> tuple[Find, ...]:
    """Everything that is found in a run of a folded text."""
    found: dict[tuple[int, int, int], Find] = {}
    for find in _all_finds(run, lexicon, effort):
        key = (find.number, find.start, find.end)
        if key not in found or not find.is_disguised:  # a word that stands there plainly is not disguised
            found[key] = find
    return tuple(found.values())


def read_plainly(run: str, lexicon: Lexicon) -> tuple[Find, ...]:
    """The listed words in a run that no reading is left for."""
    finds: list[Find] = []
    for word in split_words(run):
        finds += _at(lexicon.whole(word.text), word.start, word.end, is_disguised=False)
    return tuple(finds)


def read_joined(glued: str, lexicon: Lexicon, effort: Effort, *, is_row: bool) -> tuple[int, ...]:
    """Terms that neighbouring runs are when they are read as one.

    A row of single letters may be any disguise. Broken words have to be whole listed ones: "as sheet" is innocent.
    """
    core = glued.strip(drawn.AROUND) or glued
    letters = "".join(drawn.pieces(core))
    readings = [letters, *([] if core.isalpha() else drawn.letter_readings(core))]
    for one in readings if is_row else readings[:1]:  # whole words cost next to nothing
        effort.spend(one)
    if is_row:
        found = next(filter(None, (_disguised(one, lexicon, is_strict=False) for one in readings)), ())
    else:
        found = next(filter(None, map(lexicon.exactly, readings)), ())
    cover = None if found else drawn.masked(core)
    return found if cover is None else lexicon.core_masked(cover.pattern)


def _all_finds(run: str, lexicon: Lexicon, effort: Effort) -> Iterator[Find]:
    words = split_words(run)
    for word in words:
        plain = lexicon.whole(word.text)
        yield from _at(plain, word.start, word.end, is_disguised=False)
        effort.spend(word.text)
        loose = () if plain else lexicon.loosely(word.text)
        yield from _at(loose, word.start, word.end, is_disguised=True)
        if not plain and not loose:
            yield from _at(lexicon.plural_of(word.text), word.start, word.end, is_disguised=False)
    core = _TAIL.sub("", run.strip(drawn.AROUND))
    if len(run) > LONGEST_RUN or (core.isalpha() and not _ENDS_COVERED.search(run)):
        return
    read = {run}  # by the words above
    uncovered: set[tuple[int, int]] = set()
    for start, end, is_strict, readings in _readings(run, core):
        for reading in readings:
            if reading in read:
                continue
            if not is_strict:
                read.add(reading)
            effort.spend(reading)
            # Hyphens between whole words disguise nothing: "red-skins", "queer-looking".
            yield from _at(_disguised(reading, lexicon, is_strict), start, end, is_disguised=not is_strict)
        cover = None if (start, end) in uncovered else drawn.masked(run[start:end])
        uncovered.add((start, end))
        if cover is not None:
            effort.spend(cover.pattern)
            is_doubtful = cover.is_mostly or drawn.has_dashes(run[start:end])
            look = lexicon.core_masked if is_doubtful else lexicon.masked
            yield from _at(look(cover.pattern), start, end, is_disguised=True)


def _readings(run: str, core: str) -> Iterator[tuple[int, int, bool, Sequence[str]]]:
    """Place, whether only whole listed words count, and the words that it may be."""
    tight = run.strip(".,;:?\"'“”‘’„«»{}…—–~`")  # with the signs that a word may begin or end with
    for part in dict.fromkeys((core, tight)):
        if not part or (not any(character.isalnum() for character in part) and len(part) > 8):
            continue
        start = run.index(part)
        parts = drawn.pieces(part)
        if len(parts) > 1:
            are_letters = all(len(piece) <= 2 for piece in parts) or not _STRANGE.isdisjoint(part) or _is_cut(part)
            yield start, start + len(part), not are_letters, ["".join(parts)]
            yield start, start + len(part), True, _unstuttered(parts)
        if any(character.isalpha() for character in part) or set(part) & set("@$"):
            yield start, start + len(part), False, list(drawn.letter_readings(part))
            glued = "".join(parts)
            bare, letters = drawn.without_edge_digits(glued), drawn.without_digits(glued)
            yield start, start + len(part), False, [bare] if bare != glued and bare.isalpha() else []
            yield start, start + len(part), True, [letters] if letters not in (bare, glued) else []


def _is_cut(part: str) -> bool:
    """Whether a dot, a star or a bar cuts one letter off, as no punctuation of prose does: "p.an", but "t-shirt"."""
    return _CUT.search(part) is not None


def _unstuttered(parts: Sequence[str]) -> list[str]:
    """Without pieces that the next one begins with: `w-w-wo-wolf` is `wolf`."""
    kept = [part for part, after in zip(parts, [*parts[1:], ""], strict=True) if not after.startswith(part)]
    return ["".join(kept)] if len(kept) < len(parts) else []


def _disguised(reading: str, lexicon: Lexicon, is_strict: bool) -> Numbers:
    if is_strict:
        return lexicon.exactly(reading) or lexicon.repeated(reading)
    return lexicon.whole(reading) or lexicon.loosely(reading)


def _at(numbers: Numbers, start: int, end: int, *, is_disguised: bool) -> Iterator[Find]:
    for number in numbers:
        yield Find(number, start, end, is_disguised)
