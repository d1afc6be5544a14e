"""Keys under which different spellings of one word meet: stretched, by sound, without vowels, one letter missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

_REPEAT = re.compile(r"(.)\1+", re.DOTALL)
_ODD_PAIR = re.compile(r"([ahjkquvwxy])\1+|(.)\2{2,}")
_PAIRS = {"ph": "f", "ck": "k", "cc": "k", "qu": "k", "vv": "w", "kh": "k", "hk": "k", "uh": "u", "ah": "a"}
_PAIR = re.compile("|".join(_PAIRS))
_SINGLES = str.maketrans("vqczy", "ukksi")
_ENDING = re.compile("(?P<a>er|a|or|ur|ar|u)(?=s?$)|(?:ing|in|en)(?=s?$)")
_MAY_END = ("r", "a", "u", "n", "g", "s")
_VOWELS = re.compile("[aeiouy]")
_COPIES = re.compile(r"(.{1,3})\1*(?=\1)")


def collapse(word: str) -> str:
    """Every run of one letter as a single one."""
    if _REPEAT.search(word) is None:
        return word  # as nearly all are
    return _REPEAT.sub(lambda run: run[1], word)


def without_odd_pairs(word: str) -> str:
    """Without the repeats of letters that are not doubled in English, and those of any letter beyond the second."""
    if _ODD_PAIR.search(word) is None:
        return word
    return _ODD_PAIR.sub(lambda run: run[1] or run[2], word)


def runs(word: str) -> tuple[int, ...]:
    """How long each run is."""
    lengths: list[int] = []
    previous = ""
    for letter in word:
        if letter == previous:
            lengths[-1] += 1
        else:
            lengths.append(1)
        previous = letter
    return tuple(lengths)


def stretches(word: str, listed: str) -> bool:
    """Whether `word`, which collapses to the same, is `listed` with letters repeated."""
    return all(one >= other for one, other in zip(runs(word), runs(listed), strict=True))


def unstutter(word: str) -> str:
    """Without a repeated beginning: `fufufun` is `fun`."""
    copies = _COPIES.match(word)
    return word if copies is None else word[copies.end() :]


def sound(word: str) -> str:
    """What sounds alike or is drawn alike, spelt in one way."""
    if _PAIR.search(word) is not None:
        word = _PAIR.sub(lambda pair: _PAIRS[pair[0]], word)
    word = collapse(word.translate(_SINGLES))
    if not word.endswith(_MAY_END):
        return word
    return _ENDING.sub(lambda ending: "a" if ending["a"] else "in", word, count=1)


def skeleton(word: str) -> str:
    """The consonants, and a vowel that it begins with."""
    return word[:1] + collapse(_VOWELS.sub("", word[1:])) if word[:1] in "aeiouy" else collapse(_VOWELS.sub("", word))


def any_vowels(word: str) -> str:
    """The word with each vowel as a star."""
    return _VOWELS.sub("*", word)


def has_vowels(word: str) -> bool:
    """Whether it can be pronounced."""
    return _VOWELS.search(word) is not None


def one_less(word: str) -> Iterator[str]:
    """The word and all that remain of it without one letter."""
    yield word
    for position in range(len(word)):
        yield word[:position] + word[position + 1 :]


def exchanged(word: str) -> Iterator[str]:
    """The word with two neighbouring letters exchanged, for each place where that is another one."""
    for position in range(len(word) - 1):
        first, second = word[position], word[position + 1]
        if first != second:
            yield word[:position] + second + first + word[position + 2 :]
