"""One plain spelling for the many ways of writing the same letters, with the way back to the original kept.

Every code point is folded on its own (decomposed, marks and invisible characters dropped, look-alikes replaced, case
folded), so the cost is linear and each folded character knows which original one it came from.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.filters.confusables import LOOK_ALIKES
from bot.filters.tables import CharacterTable

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
    origins: Sequence[int]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]`, which must not be empty, stands in the original, as a slice.

        Marks and invisible characters that follow the last letter are part of it.
        """
        last = self.origins[end - 1] + 1
        while last < len(self.original) and not fold_character(self.original[last]):
            last += 1
        return self.origins[start], last


def normalise(text: str) -> Normalised:
    """The folded text. Digits and symbols are left as they are."""
    folded = text.translate(_FOLDS)
    # As long as every character is folded to one, places stay; ASCII always is, but for controls.
    if all(len(_FOLDS[ord(character)]) == 1 for character in set(text)):
        return Normalised(text, folded, range(len(text)))
    origins: list[int] = []
    for position, character in enumerate(text):
        origins.extend([position] * len(_FOLDS[ord(character)]))
    return Normalised(text, folded, origins)


def fold_character(character: str) -> str:
    """What one code point folds to: mostly one character; none where it is invisible; several for ligatures."""
    return _FOLDS[ord(character)]


def _fold(character: str) -> str:
    if _is_dropped(character):
        return ""
    folded = unicodedata.normalize("NFKD", character).translate(LOOK_ALIKES).casefold()
    folded = unicodedata.normalize("NFKD", folded).translate(LOOK_ALIKES).casefold()
    return "".join(_digit(part) for part in folded if not _is_dropped(part))


def _digit(character: str) -> str:
    """Digits of all scripts as those of ASCII."""
    value = None if character.isascii() else unicodedata.decimal(character, None)
    return character if value is None else str(value)


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


_FOLDS = CharacterTable(_fold)
