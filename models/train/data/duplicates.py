"""Copies of a story, exact and near: MinHash signatures and a locality-sensitive index of datasketch's.

The share of equal rows of two signatures of k rows estimates the Jaccard similarity J of their shingle sets with a
standard error of sqrt(J (1 - J) / k) (Broder, "On the resemblance and containment of documents", 1997): 0.035 for
J = 0.8 and k = 128. The index finds a pair of similarity J with the chance 1 - (1 - J^r)^b for b bands of r rows
(Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4); what it finds is compared by signature.

Kept in memory for each story that stays in the index: about 300 bytes for each band. Signatures lie in a file of
4 bytes a row, mapped.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from datasketch import MinHash, MinHashLSH

from models.train.data.settings import DuplicateSettings
from models.train.data.shingles import shingle_hashes

Signature = np.ndarray[Any, np.dtype[np.uint32]]
_WEIGHTS = (0.1, 0.9)
"""False candidates cost a comparison and nothing else, so bands are chosen to miss few: (false positive, negative)."""
_SEED = 1
_BATCH = 4096


class Signer:
    """Makes signatures [permutations], uint32."""

    def __init__(self, settings: DuplicateSettings) -> None:
        self._settings = settings
        self._model = MinHash(num_perm=settings.permutations, seed=_SEED, hashfunc=_as_is)

    def sign(self, text: str) -> Signature:
        """The signature of the text's word shingles."""
        hashes = shingle_hashes(text, self._settings.shingle_words) >> np.uint64(32)
        minhash = MinHash(
            seed=_SEED,
            hashfunc=_as_is,
            num_perm=self._settings.permutations,
            permutations=self._model.permutations,
            scheme=self._model.scheme,
        )
        for at in range(0, len(hashes), _BATCH):  # a batch takes 4 bytes for each hash and row
            minhash.update_batch(hashes[at : at + _BATCH].tolist())
        return np.asarray(minhash.hashvalues, dtype=np.uint32)


def open_signatures(path: Path, permutations: int) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The signatures [stories, permutations] in a file, mapped and not read."""
    if path.stat().st_size == 0:
        return np.zeros((0, permutations), dtype=np.uint32)
    return np.memmap(path, dtype=np.uint32, mode="r").reshape(-1, permutations)


class NearIndex:
    """Finds signatures alike by at least the threshold."""

    def __init__(self, settings: DuplicateSettings) -> None:
        self._settings = settings
        self._lsh = MinHashLSH(
            threshold=settings.threshold, num_perm=settings.permutations, weights=_WEIGHTS, hashfunc=_short
        )
        self._model = MinHash(num_perm=settings.permutations, seed=_SEED, hashfunc=_as_is)

    def add(self, number: int, signature: Signature) -> None:
        """Puts a story's signature in under its number."""
        self._lsh.insert(number, self._wrap(signature), check_duplication=False)

    def find(self, signature: Signature, signatures: np.ndarray[Any, np.dtype[np.uint32]]) -> list[int]:
        """Numbers of the stories in the index that are alike, in ascending order; their rows are in `signatures`."""
        candidates = sorted(self._lsh.query(self._wrap(signature)))
        return [n for n in candidates if float(np.mean(signatures[n] == signature)) >= self._settings.threshold]

    def describe(self) -> dict[str, float | int]:
        """The index's parameters and its errors at the threshold, for the manifest."""
        threshold, rows, bands = self._settings.threshold, self._lsh.r, self._lsh.b
        return {
            "threshold": threshold,
            "permutations": self._settings.permutations,
            "shingle_words": self._settings.shingle_words,
            "bands": bands,
            "rows_per_band": rows,
            "standard_error_at_threshold": round(
                math.sqrt(threshold * (1 - threshold) / self._settings.permutations), 4
            ),
            "chance_to_find_at_threshold": round(1 - (1 - threshold**rows) ** bands, 4),
        }

    def _wrap(self, signature: Signature) -> MinHash:
        return MinHash(
            seed=_SEED, hashvalues=signature, permutations=self._model.permutations, scheme=self._model.scheme
        )


def find_near_duplicates(
    signatures: np.ndarray[Any, np.dtype[np.uint32]], order: Iterable[int], index: NearIndex
) -> frozenset[int]:
    """Numbers of the stories that are alike to one that comes earlier in `order` and stays.

    Likeness does not chain: what is like only to a dropped story stays.
    """
    dropped = set()
    for number in order:
        if index.find(signatures[number], signatures):
            dropped.add(number)
        else:
            index.add(number, signatures[number])
    return frozenset(dropped)


def _as_is(value: int) -> int:
    return value


def _short(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=8).digest()
