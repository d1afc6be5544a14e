"""How much a text repeats itself."""

from __future__ import annotations

from models.evaluate.words import grams, words_of

SIZE = 4


def repeated_share(text: str, size: int = SIZE) -> float | None:
    """The share of n-grams that stood in the text before: seq-rep-n of Welleck et al. 2020
    (https://openreview.net/forum?id=SJeYe0NtvH), on words. None for a text of fewer than `size` words.
    """
    found = grams(words_of(text), size)
    return 1 - len(set(found)) / len(found) if found else None
