"""Disguises made by rule over listed words, so that each way of hiding a word has a figure of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from bot.filters.levels import LISTED
from bot.filters.measure.libraries import Judge
from bot.filters.measure.sets import SEED, Count, count
from bot.filters.ready import all_terms

MAX_OTHERS = 400
LEAST = 4
Disguise = Callable[[str, random.Random], str]

_SYMBOLS = {"a": "4@", "b": "8", "e": "3", "i": "1!|", "o": "0", "s": "5$", "t": "7+", "g": "9", "l": "1|"}
_CYRILLIC = str.maketrans("aeopcxy", "аеорсху")
_VOWELS = "aeiou"


def _inside(make: Callable[[str, str], str]) -> Disguise:
    """`make` of what stands before a place within the word, and behind it."""

    def disguise(word: str, rng: random.Random) -> str:
        at = rng.randrange(1, len(word) - 1)
        return make(word[:at], word[at:])

    return disguise


def _each(make: Callable[[str, random.Random], str]) -> Disguise:
    return lambda word, rng: "".join(make(letter, rng) for letter in word)


DISGUISES: Mapping[str, Disguise] = {
    "as it is": lambda word, rng: word,
    "digits and symbols": _each(lambda letter, rng: rng.choice(_SYMBOLS.get(letter, letter) + letter)),
    "vowels covered": _each(lambda letter, rng: "*" if letter in _VOWELS else letter),
    "a letter covered by another sign": _inside(lambda before, behind: f"{before}#{behind[1:]}"),
    "all but the ends covered": lambda word, rng: word[0] + "*" * (len(word) - 2) + word[-1],
    "blanks between letters": lambda word, rng: " ".join(word),
    "dots between letters": lambda word, rng: ".".join(word),
    "broken by a dot": _inside(lambda before, behind: f"{before}.{behind}"),
    "broken by a blank": _inside(lambda before, behind: f"{before} {behind}"),
    "broken by a blank, in a sentence": _inside(lambda before, behind: f"the {before} {behind} went home"),
    "an emoji within": _inside(lambda before, behind: f"{before}😀{behind}"),
    "bold or spoiler marks within": _inside(lambda before, behind: f"{before}||{behind}||"),
    "letters stretched": _each(lambda letter, rng: letter * rng.choice((1, 1, 4))),
    "stuttered": lambda word, rng: f"{word[0]}-{word[:2]}-{word}",
    "Cyrillic letters": lambda word, rng: word.translate(_CYRILLIC),
    "mathematical letters": _each(lambda letter, rng: chr(0x1D41A + ord(letter) - ord("a"))),
    "accents on each letter": _each(lambda letter, rng: letter + chr(rng.randrange(0x300, 0x330))),
    "invisible characters": lambda word, rng: "\u200b".join(word),
    "as a user name": lambda word, rng: f"xx_{word}_99",
    "plural": lambda word, rng: word + "s",
    "glued to another word": lambda word, rng: rng.choice(("your", "super", "big")) + word,
    "vowels left out": lambda word, rng: word[0] + "".join(letter for letter in word[1:] if letter not in _VOWELS),
    "two neighbours exchanged": _inside(lambda before, behind: before + behind[1] + behind[0] + behind[2:]),
    "a letter left out": _inside(lambda before, behind: before + behind[1:]),
    "turned round": lambda word, rng: word[::-1],
    "vowels exchanged": _each(lambda letter, rng: rng.choice(_VOWELS) if letter in _VOWELS else letter),
}


def listed_words() -> tuple[list[str], list[str]]:
    """The worst words, and a sample of the others that count wherever they stand; of at least `LEAST` letters."""
    plain = [
        term
        for term in all_terms()
        if len(term.words) == 1 and term.category in LISTED and not term.is_ambiguous and _is_latin(term.words[0])
    ]
    worst = sorted({term.words[0] for term in plain if term.is_core and not term.is_suffix})
    others = sorted({term.words[0] for term in plain if not term.is_core and not term.is_suffix})
    return worst, random.Random(SEED).sample(others, min(MAX_OTHERS, len(others)))


def measure_disguises(judge: Judge) -> dict[str, tuple[str, Count, Count]]:
    """Disguise → an example, how many of the worst words were stopped in it, and of the others."""
    worst, others = listed_words()
    return {name: _measure(make, judge, worst, others) for name, make in DISGUISES.items()}


def _measure(make: Disguise, judge: Judge, worst: Sequence[str], others: Sequence[str]) -> tuple[str, Count, Count]:
    rng = random.Random(SEED)
    example = make("wolves", rng)
    of_worst, of_others = (count([make(word, rng) for word in words], judge) for words in (worst, others))
    return example, of_worst, of_others


def _is_latin(word: str) -> bool:
    return len(word) >= LEAST and word.isascii() and word.isalpha()
