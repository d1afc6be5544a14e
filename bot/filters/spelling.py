"""Keys under which different spellings of one word meet: stretched, by sound, without vowels, one letter missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

_REPEAT = re.compile(r"(.)\1+", re.DOTALL)
_PAIRS = {"ph": "f", "ck": "k", "cc": "k", "qu": "k", "vv": "w", "kh": "k", "hk": "k", "uh": "u", "ah": "a"}
_PAIR = re.compile("|".join(_PAIRS))
_SINGLES = str.maketrans("vqczy", "ukksi")
_ENDING = re.compile("(?P<a>er|a|or|ur|ar|u)(?=s?$)|(?:ing|in|en)(?=s?$)")
_VOWELS = re.compile("[aeiouy]")
_COPIES = re.compile(r"^(.{1,3})\1*(?=\1)")


def collapse(word: str) -> str:
    """Every run of one letter as a single one."""
    return _REPEAT.sub(r"\1", word)


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
    return _COPIES.sub("", word)


def sound(word: str) -> str:
    """What sounds alike or is drawn alike, spelt in one way."""
    word = collapse(_PAIR.sub(lambda pair: _PAIRS[pair[0]], word).translate(_SINGLES))
    return _ENDING.sub(lambda ending: "a" if ending["a"] else "in", word, count=1)


def skeleton(word: str) -> str:
    """The consonants."""
    return collapse(_VOWELS.sub("", word))


def has_vowels(word: str) -> bool:
    """Whether it can be pronounced."""
    return _VOWELS.search(word) is not None


def one_less(word: str) -> Iterator[str]:
    """The word and all that remain of it without one letter."""
    yield word
    for position in range(len(word)):
        yield word[:position] + word[position + 1 :]
