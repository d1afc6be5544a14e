"""Digits and symbols that stand for letters: which words a run of characters without blanks may be read as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, product
from typing import NamedTuple

from bot.filters.confusables import LETTERS_FOR, SEVERAL_FOR_ONE
from bot.filters.normalise import Normalised
from bot.filters.tables import CharacterTable

MAX_READINGS = 16
"""Of one run. `1` alone has two, so a run made of them would have thousands."""
AROUND = ".,;:!?\"'“”‘’„«»()[]{}…—–*_~`|>-"
"""Punctuation and Discord's markup, as it stands around words."""
MASKS = frozenset("*#-_^&%?+=~∥•·█▒2")
"""Signs that cover a letter."""
LEAST_MOSTLY_MASKED = 4
"""Letters of a word of which most are covered; `A**` is a mark that somebody got."""
_STARS = frozenset("*•█▒")
_DASHES = frozenset("-_~=+")
_BETWEEN = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")
_EDGE_DIGITS = re.compile(r"^\d+|\d+$")
_LIKELIEST = {ord(symbol): letters[0] for symbol, letters in LETTERS_FOR.items()}
_WORD_WITH_SYMBOLS = re.compile(f"(?:[^\\W_]|[{re.escape(''.join(LETTERS_FOR))}])+")
_NEVER_LAST = "!+"
_KINDS = CharacterTable(
    lambda character: (
        "!" if character in _NEVER_LAST else "0" if character in LETTERS_FOR else "a" if character.isalpha() else " "
    )
)
_SYMBOL_AT_LETTER = ("0a", "!a", "a0")
"""A symbol before a letter, or one behind a letter that is no mere punctuation there, as `_KINDS` shows them."""
_DRAWN = re.compile("|".join(re.escape(signs) for signs, _ in SEVERAL_FOR_ONE))
_DRAWN_AS = dict(SEVERAL_FOR_ONE)


def pieces(run: str) -> list[str]:
    """The letters and digits between separators."""
    return [piece for piece in _BETWEEN.split(run) if piece]


def without_edge_digits(word: str) -> str:
    """`name99` is `name`."""
    return _EDGE_DIGITS.sub("", word)


def without_digits(word: str) -> str:
    """`w1o2l3f` is `wolf`."""
    return _DIGITS.sub("", word)


def letter_readings(run: str) -> Iterator[str]:
    """Words of letters only that the run may stand for, likeliest first; none where it has nothing to replace."""
    seen = {run}
    if not any(sign in LETTERS_FOR for sign in run) and not _DRAWN.search(run):
        return  # separators alone are no letters
    for drawn in dict.fromkeys((run, _DRAWN.sub(lambda signs: _DRAWN_AS[signs[0]], run))):
        choices = [letter if letter.isalpha() else LETTERS_FOR.get(letter, "") or ("",) for letter in drawn]
        for reading in islice(product(*choices), MAX_READINGS):
            word = "".join(reading)
            if word not in seen and len(word) > 1:
                seen.add(word)
                yield word


def has_dashes(run: str) -> bool:
    """Whether what may cover letters is the punctuation of prose: "see me--a little one"."""
    return not _DASHES.isdisjoint(run)


class Masked(NamedTuple):
    """A run with `*` for every covered letter, and whether those are more than the others."""

    pattern: str
    is_mostly: bool


def masked(run: str) -> Masked | None:
    """The run as a word with covered letters; None where it is none. Only stars and blocks cover most of a word."""
    pattern = "".join("*" if sign in MASKS else sign for sign in run)
    covered = pattern.count("*")
    if not covered or not pattern[0].isalpha() or not pattern.replace("*", "").isalpha():
        return None
    is_mostly = 2 * covered > len(pattern)
    if is_mostly and (len(pattern) < LEAST_MOSTLY_MASKED or any(sign in MASKS - _STARS for sign in run)):
        return None
    return Masked(pattern, is_mostly)


def read_symbols_as_letters(plain: Normalised) -> Normalised:
    """The text with every digit and symbol inside words read as the likeliest letter: `sh1p` is `ship`.

    Only in runs that have a letter too (455 is a number), and not `!` or `+` at the end (`oh!`). Each character
    is replaced by one, so the origins stay. Returns `plain` itself where nothing changes.
    """
    kinds = plain.text.translate(_KINDS)
    if not any(pair in kinds for pair in _SYMBOL_AT_LETTER):
        return plain
    text = _WORD_WITH_SYMBOLS.sub(lambda run: _read_run(run[0]), plain.text)
    return plain if text == plain.text else Normalised(plain.original, text, plain.origins)


def _read_run(run: str) -> str:
    if run.isalpha():
        return run
    body = run.rstrip(_NEVER_LAST)
    if not any(character.isalpha() for character in body):
        return run
    return body.translate(_LIKELIEST) + run[len(body) :]
