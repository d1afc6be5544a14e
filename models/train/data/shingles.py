"""Words of a text and the hashes of their runs: what near-duplicates and leakage are found by.

Words are compared in lower case and without punctuation, so that another edition's commas hide nothing.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any

import numpy as np

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_WORD = re.compile(r"[^\W_]+")
_FACTOR = 0x9E3779B97F4A7C15
"""An odd 64-bit constant (2^64 divided by the golden ratio, Knuth's multiplicative hashing, TAOCP vol. 3, 6.4)."""
_WORDS_REMEMBERED = 1 << 16


def words_of(text: str) -> list[str]:
    """Runs of letters and digits in lower case."""
    return _WORD.findall(text.casefold())


def text_digest(text: str) -> bytes:
    """16 bytes that are equal for texts with the same words in the same order."""
    return hashlib.blake2b(" ".join(words_of(text)).encode(), digest_size=16).digest()


def shingle_hashes(text: str, size: int) -> Hashes:
    """Distinct 64-bit hashes of all runs of `size` words, sorted; a shorter text is one run. Shape [at most words].

    Two different runs share a hash with a chance of about 2^-64.
    """
    words = words_of(text)
    if not words:
        return np.zeros(0, dtype=np.uint64)
    each = np.array([_hash_word(word) for word in words], dtype=np.uint64)
    size = min(size, len(words))
    mixed = np.zeros(len(words) - size + 1, dtype=np.uint64)
    for offset in range(size):
        mixed = mixed * np.uint64(_FACTOR) + each[offset : offset + len(mixed)]
    return np.unique(mixed)


@lru_cache(maxsize=_WORDS_REMEMBERED)
def _hash_word(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
