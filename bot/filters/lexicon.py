"""All single words that are looked for, under every key by which a disguise may be seen through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import ahocorasick

from bot.filters import spelling
from bot.filters.compounds import Compounds
from bot.filters.drawn import letter_readings
from bot.filters.levels import Severity
from bot.filters.terms import Term

LEAST_CORE = 4
"""Letters of a word that is also looked for backwards, and with two neighbours exchanged."""
LEAST_VOWELS = 7
"""Letters of a word that is also looked for with other vowels: of "bitch", too many others are."""
LEAST_WITH_DIGITS = 8
"""Letters and digits of a listed word that is also looked for with its digits as letters: `4skin` is not "askin'"."""
LEAST_MISSPELT = 7
"""Letters of a word that is also looked for with one letter missing, added or exchanged."""
LONGEST = 40
"""Letters of a word that is looked at for disguises; a longer run is only searched for what it contains."""

_ENDINGS = ("s", "z", "es", "ed", "er", "ers", "ing", "in", "y", "o", "os", "ino", "ie", "ies", "ish")
_FOR_TWO = (("ii", "ll"), ("azz", "ass"))
"""Capitals look like small letters, heII; and jackazz is no other word."""
_SHARP_S = "ss"
"""What ß is folded to. No word begins with it, so there it is drawn for a B."""
LONGEST_STRETCHED = 400
MAX_MASKED = 1
"""Terms that a covered word is said to be: `f**k` fits twenty, and each of them would stop it."""

Numbers = tuple[int, ...]
NOTHING: Numbers = ()


@dataclass
class _Keys:
    """Key → numbers of terms. Filled once."""

    # Tuples of numbers, unlike lists, are nothing that Python's garbage collector looks through: there are 30,000.
    of: dict[str, Numbers] = field(default_factory=dict)

    def add(self, key: str, number: int) -> None:
        numbers = self.of.get(key, NOTHING)
        if number not in numbers:
            self.of[key] = (*numbers, number)

    def get(self, key: str) -> Sequence[int]:
        return self.of.get(key, NOTHING)


class Lexicon:
    """Words → numbers of the terms that they are, or are a disguise of."""

    def __init__(self, terms: Sequence[Term], innocent: frozenset[str]) -> None:
        self._terms = terms
        self._innocent = innocent
        self._exact, self._stretched, self._sounds, self._bones = _Keys(), _Keys(), _Keys(), _Keys()
        self._misspelt, self._masks, self._mistyped, self._other_vowels = _Keys(), _Keys(), _Keys(), _Keys()
        self._first_letters: set[str] = set()
        """Of the words that are also looked for misspelt."""
        self._longest_misspelt = 0
        self._inside = ahocorasick.Automaton()
        stems: dict[str, list[int]] = defaultdict(list)
        for number, term in enumerate(terms):
            self._add(number, term, stems)
        for stem, numbers in stems.items():
            self._inside.add_word(stem, (len(stem), tuple(numbers)))
        if stems:
            self._inside.make_automaton()
        listed = [(number, term) for number, term in enumerate(terms) if term.is_listed and len(term.words) == 1]
        self._compounds = Compounds(
            {term.words[0]: number for number, term in listed},
            [term.words[0] for _, term in listed if term.is_core],
        )

    def exactly(self, word: str) -> Numbers:
        """Terms that are this word as it is listed."""
        return tuple(self._exact.get(word))

    def whole(self, word: str) -> Numbers:
        """Likewise, with what a `*` stands for."""
        return tuple(dict.fromkeys((*self._exact.get(word), *self._with_wildcards(word))))

    def loosely(self, word: str) -> Numbers:
        """Terms of the ready-made lists that this word is a disguise or a compound of. Not for innocent words."""
        if not 3 <= len(word) <= LONGEST or word.isdigit() or self._is_innocent(word):
            return self.repeated(word) if len(word) > LONGEST else NOTHING
        return tuple(
            self._repeated(word)
            or self._stretched_inside(word)
            or self._by_sound(word)
            or self._compounds.find(word)
            or self._inflected(word)
            or self._exchanged(word)
            or self._mistyped.get(word)
            or self._other_vowels.get(spelling.any_vowels(word))
            or self._misspelled(word)
        )

    def pair(self, first: str, second: str) -> Numbers:
        """The term of a root that stands beside a partner, or that both words are together."""
        is_long = min(len(first), len(second)) > 3
        if not is_long and f"{first}+{second}" in self._innocent:
            return NOTHING
        glued = [number for number in self._exact.get(first + second) if self._is_said_by_two(number, is_long)]
        if not glued:
            glued = list(filter(self._is_worst, self._repeated(first + second)))
        return tuple(glued or self._compounds.pair(first, second))

    def _is_said_by_two(self, number: int, is_long: bool) -> bool:
        """Whether two words can be meant for this one: one of the worst, or a bad one of long words. "Cast rate" spells
        a mild one by chance."""
        term = self._terms[number]
        is_bad = term.severity > Severity.MILD and not term.is_ambiguous
        return term.is_listed and (term.is_core or (is_long and is_bad))

    def plural_of(self, word: str) -> Numbers:
        """Terms that this word is the plural of, those with an innocent life too."""
        if len(word) < 4 or word[-1] not in "sz" or self._is_innocent(word):
            return NOTHING
        return tuple(number for number in self._exact.get(word[:-1]) if self._terms[number].is_listed)

    def repeated(self, word: str) -> Numbers:
        """Terms that this word is with letters repeated, or with its beginning stuttered."""
        if len(word) > LONGEST_STRETCHED or self._is_innocent(word):
            return NOTHING
        return tuple(self._repeated(word))

    def masked(self, pattern: str) -> Numbers:
        """Terms that a word with covered letters can be."""
        return tuple(islice(self._masked(pattern), MAX_MASKED))

    def _masked(self, pattern: str) -> Iterator[int]:
        last = pattern[-1] if pattern[-1] != "*" else ""
        known = [(at, letter) for at, letter in enumerate(pattern) if letter != "*"]
        for number in self._masks.get(f"{pattern[0]}{len(pattern)}{last}"):
            word = self._terms[number].words[0]
            if all(word[at] == letter for at, letter in known):
                yield number

    def core_masked(self, pattern: str) -> Numbers:
        """Likewise, of the worst words only."""
        return tuple(islice((number for number in self._masked(pattern) if self._terms[number].is_core), MAX_MASKED))

    def _add(self, number: int, term: Term, stems: dict[str, list[int]]) -> None:
        if len(term.words) > 1 and not term.is_listed:
            return  # a phrase, which the index of phrases has; those that are ready-made are also seen when glued
        word = "".join(term.words)
        if len(term.words) > 1 and word in self._innocent:
            return  # "s word" is no sword
        if (term.is_prefix or term.is_suffix) and len(term.words) == 1:
            stems[word].append(number)
        self._exact.add(word, number)
        if term.is_listed and len(word) >= LEAST_WITH_DIGITS and not word.isalpha():
            for reading in letter_readings(word):  # as its disguises are read
                self._exact.add(reading, number)
        if len(word) > 2:
            self._stretched.add(spelling.collapse(word), number)
        if len(term.words) > 1:
            return
        if term.is_listed and not term.is_ambiguous and len(word) > 3:
            self._masks.add(f"{word[0]}{len(word)}", number)
            self._masks.add(f"{word[0]}{len(word)}{word[-1]}", number)
            if len(word) > 5 and term.severity > Severity.MILD:
                self._sounds.add(spelling.sound(word), number)
        if term.is_core:
            self._add_core(number, word)

    def _add_core(self, number: int, word: str) -> None:
        self._sounds.add(spelling.sound(word), number)
        bones = spelling.skeleton(word)
        if len(bones) > 2:
            self._bones.add(bones, number)
        if len(word) >= LEAST_VOWELS and not self._terms[number].is_ambiguous:
            self._other_vowels.add(spelling.any_vowels(word), number)
        if len(word) >= LEAST_CORE and word[::-1] not in self._innocent:
            self._exact.add(word[::-1], number)
        if LEAST_CORE <= len(word) < LEAST_MISSPELT and not self._terms[number].is_ambiguous:
            for mistyped in spelling.exchanged(word):
                self._mistyped.add(mistyped, number)
        if len(word) >= LEAST_MISSPELT:
            self._first_letters.add(word[0])
            self._longest_misspelt = max(self._longest_misspelt, len(word))
            for shorter in spelling.one_less(word):
                self._misspelt.add(shorter, number)

    def _is_innocent(self, word: str) -> bool:
        return word in self._innocent or (word.endswith("s") and word[:-1] in self._innocent)

    def _with_wildcards(self, word: str) -> Iterator[int]:
        if not len(self._inside):
            return
        for last, (length, numbers) in self._inside.iter(word):
            first = last - length + 1
            for number in numbers:
                term = self._terms[number]
                fits = (term.is_suffix or first == 0) and (term.is_prefix or last == len(word) - 1)
                if fits and not (term.is_listed and term.is_suffix and self._is_innocent(word)):
                    yield number

    def _repeated(self, word: str) -> Sequence[int]:
        for one in dict.fromkeys((word, spelling.unstutter(word))):
            numbers = self._stretched.get(spelling.collapse(one))
            found = [number for number in numbers if self._is_stretched(one, number)]
            if found:
                return found
        return NOTHING

    def _stretched_inside(self, word: str) -> Sequence[int]:
        """One of the worst words, stretched, within another word: letters that no English word has twice say so."""
        shorter = spelling.without_odd_pairs(word)
        if shorter == word or self._is_innocent(shorter):
            return NOTHING
        return [number for number in self._with_wildcards(shorter) if self._terms[number].is_core]

    def _is_stretched(self, word: str, number: int) -> bool:
        term = self._terms[number]
        listed = "".join(term.words)
        if not spelling.stretches(word, listed):
            return False
        # For a moderator's own word, which nobody tried on innocent ones, a letter has to stand there three times.
        is_tried = term.is_listed and len(term.words) == 1
        return is_tried or word == listed or max(spelling.runs(word)) > 2

    def _by_sound(self, word: str) -> Sequence[int]:
        found = [number for number in self._sounds.get(spelling.sound(word)) if self._is_plain(number)]
        if not found and not spelling.has_vowels(word[1:]):
            found = list(self._bones.get(spelling.skeleton(word)) or self._bones.get(spelling.skeleton(word[:-1])))
            if found and word[-1] not in "sz" and not self._bones.get(spelling.skeleton(word)):
                found = []
        return found

    def _inflected(self, word: str) -> Sequence[int]:
        """A listed word with an ending."""
        for stem in _stems(word):
            found = [number for number in self._exact.get(stem) if self._is_plain(number)]
            if found and stem not in self._innocent:
                return found
        return NOTHING

    def _exchanged(self, word: str) -> Sequence[int]:
        """An l for an i, or an x over a vowel."""
        found: Sequence[int] = NOTHING
        if "l" in word and len(word) > 3:
            other = word.replace("l", "i")
            found = self._exact.get(other) or self._repeated(other) or self._by_sound(other)
        if not found and "j" in word[1:]:
            found = self._exact.get(word[0] + word[1:].replace("j", "i"))
        if not found and "x" in word[1:]:
            found = self.core_masked(word[0] + word[1:].replace("x", "*"))
        if not found and word.startswith(_SHARP_S):
            other = "b" + word.removeprefix(_SHARP_S)
            found = self._exact.get(other) or [one for one in self._by_sound(other) if self._terms[one].is_core]
            return list(filter(self._is_plain, found))
        found = list(filter(self._is_worst, found))
        for written, meant in _FOR_TWO:
            if not found and written in word:
                other = word.replace(written, meant)
                found = [number for number in self._exact.get(other) if self._terms[number].is_listed]
                found = found or list(self._compounds.find(other))
        return found

    def _is_worst(self, number: int) -> bool:
        return self._terms[number].is_core and self._is_plain(number)

    def _is_plain(self, number: int) -> bool:
        term = self._terms[number]
        return term.is_listed and not term.is_ambiguous and len(term.words) == 1

    def _misspelled(self, word: str) -> Sequence[int]:
        if not LEAST_MISSPELT - 1 <= len(word) <= self._longest_misspelt + 1 or word[0] not in self._first_letters:
            return NOTHING
        for one in spelling.one_less(word):
            found = [number for number in self._misspelt.get(one) if _differ_in_one(word, self._terms[number])]
            if found:
                return found
        return NOTHING


def _stems(word: str) -> Iterator[str]:
    """What the word may be an inflection of: `hatted`, `hats`, `hated` of `hat` or `hate`."""
    if not word.endswith(_ENDINGS):
        return
    for ending in _ENDINGS:
        if word.endswith(ending):
            stem = word[: -len(ending)]
            if len(stem) > 3 or (len(stem) == 3 and ending in ("s", "z")):
                yield stem
            if len(stem) > 2 and ending[0] in "ei":
                yield stem + "e"
            if len(stem) > 2 and ending == "ies":
                yield stem + "y"
            if len(stem) > 3 and stem[-1] == stem[-2]:
                yield stem[:-1]


def _differ_in_one(word: str, term: Term) -> bool:
    """One letter more, less or other, or two exchanged. The first letter must be right."""
    listed = "".join(term.words)
    if word[0] != listed[0]:
        return False
    if len(word) != len(listed):
        return True  # they met with one letter less of the longer
    wrong = [position for position in range(len(word)) if word[position] != listed[position]]
    if len(wrong) == 1:
        return True
    return len(wrong) == 2 and wrong[1] == wrong[0] + 1 and sorted(word) == sorted(listed)
