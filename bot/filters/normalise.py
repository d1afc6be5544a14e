"""One plain spelling for the many ways of writing the same word, with the way back to the original kept.

Every code point is folded on its own (decomposed, marks and invisible characters dropped, look-alikes replaced, case
folded), so the cost is linear and each folded character knows which original one it came from.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from bot.filters.confusables import LETTERS_AS, LOOK_ALIKES, NEVER_LAST

_RUN = re.compile(r"(?P<plain>[\t\n\r -~]+)|.", re.DOTALL)
"""Plain ASCII, which needs only lower case, in one piece; anything else one by one."""
_WORD_WITH_SYMBOLS = re.compile(f"(?:[^\\W_]|[{re.escape(''.join(map(chr, LETTERS_AS)))}])+")

_BLANK_CONTROLS = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85")
# Invisible though Unicode calls them letters or marks: fillers of Hangul, variation selectors and the like.
_INVISIBLE = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2065, 0x3164, 0xFFA0))
) | frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))


@dataclass(frozen=True)
class Normalised:
    """`text` as it is compared; `text[i]` was written by `original[origins[i]]`."""

    original: str
    text: str
    origins: tuple[int, ...]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]`, which must not be empty, stands in the original, as a slice.

        Marks and invisible characters that follow the last letter are part of it.
        """
        last = self.origins[end - 1] + 1
        while last < len(self.original) and not fold_character(self.original[last]):
            last += 1
        return self.origins[start], last


def normalise(text: str) -> Normalised:
    """The folded text. Digits and symbols are left as they are: see `read_symbols_as_letters`."""
    pieces: list[str] = []
    origins: list[int] = []
    for run in _RUN.finditer(text):
        if run["plain"]:
            pieces.append(run[0].lower())
            origins.extend(range(run.start(), run.end()))
        else:
            pieces.append(fold_character(run[0]))
            origins.extend([run.start()] * len(pieces[-1]))
    return Normalised(text, "".join(pieces), tuple(origins))


@lru_cache(maxsize=8192)
def fold_character(character: str) -> str:
    """What one code point folds to: mostly one character; none where it is invisible; several for ligatures."""
    if _is_dropped(character):
        return ""
    folded = unicodedata.normalize("NFKD", character).translate(LOOK_ALIKES).casefold()
    folded = unicodedata.normalize("NFKD", folded).translate(LOOK_ALIKES)
    return "".join(part for part in folded if not _is_dropped(part))


def _is_dropped(character: str) -> bool:
    """Invisible characters, and marks that sit on a letter without making another one of it.

    The classes are the accents over and under, strokes through, and the vowel points of Hebrew and Arabic. The vowel
    signs of Indic scripts and of Thai are letters of their words and stay.
    """
    category = unicodedata.category(character)
    if category in ("Cf", "Me"):
        return True
    if category == "Cc":
        return character not in _BLANK_CONTROLS
    if category == "Mn":
        combining = unicodedata.combining(character)
        if combining == 1 or 10 <= combining <= 36 or combining >= 200:
            return True
    return character in _INVISIBLE


def read_symbols_as_letters(plain: Normalised) -> Normalised:
    """The same text with digits and symbols inside words read as the letters they stand for: `sh1p` is `ship`.

    Only in runs that have a letter too (455 is a number), and not `!` or `+` at the end (`oh!`). Each character
    is replaced by one, so the origins stay. Returns `plain` itself where nothing changes.
    """
    text = _WORD_WITH_SYMBOLS.sub(lambda run: _read_run(run[0]), plain.text)
    return plain if text == plain.text else Normalised(plain.original, text, plain.origins)


def _read_run(run: str) -> str:
    if run.isalpha():
        return run
    body = run.rstrip(NEVER_LAST)
    if not any(character.isalpha() for character in body):
        return run
    return body.translate(LETTERS_AS) + run[len(body) :]
