"""Token ids on disk: one flat file that is memory-mapped, and beside it where each document begins.

Ids are ``uint16`` where the vocabulary fits into it and ``uint32`` elsewhere; begins are ``uint64``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from tokenizers import Tokenizer

_BATCH = 256
"""Documents that are encoded together."""

Ids = np.ndarray[Any, np.dtype[Any]]


def id_type(vocab_size: int) -> str:
    """The numpy type that holds every id of a vocabulary."""
    return "uint16" if vocab_size <= 1 << 16 else "uint32"


@dataclass(frozen=True)
class TokenFile:
    """Where ids are and of which type; `starts` holds the place of each document's first id."""

    path: Path
    dtype: str

    @property
    def starts(self) -> Path:
        return self.path.with_suffix(".starts")

    def ids(self) -> Ids:
        """All ids, memory-mapped; [tokens]."""
        return _map(self.path, self.dtype)

    def begins(self) -> Ids:
        """The places of documents' first ids in ascending order, memory-mapped; [documents]."""
        return _map(self.starts, "uint64")

    def digest(self) -> str:
        """SHA-256 of the ids, so that a run's record says what it saw."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _map(path: Path, dtype: str) -> Ids:
    # numpy refuses to map an empty file.
    return np.memmap(path, dtype=dtype, mode="r") if path.stat().st_size else np.zeros(0, dtype=dtype)


def write_tokens(parts: Iterable[Iterable[str]], tokenizer: Tokenizer, file: TokenFile, context: int) -> list[int]:
    """Writes the documents of every part (a phase) anew, and cuts each part to whole blocks of `context` ids.

    Returns the number of blocks of each part. Memory holds a few hundred documents. With `context` 1 nothing is cut.
    """
    counts, place = [], 0
    with file.path.open("wb") as out, file.starts.open("wb") as starts:
        for documents in parts:
            end = place
            for ids in _encode(documents, tokenizer):
                np.asarray([end], dtype=np.uint64).tofile(starts)
                np.asarray(ids, dtype=file.dtype).tofile(out)
                end += len(ids)
            counts.append((end - place) // context)
            place += counts[-1] * context
            _cut(out, place * np.dtype(file.dtype).itemsize)
            _drop_starts(file.starts, starts, place)
    return counts


def _encode(documents: Iterable[str], tokenizer: Tokenizer) -> Iterator[list[int]]:
    each = iter(documents)
    while batch := list(islice(each, _BATCH)):
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            yield encoding.ids


def _cut(out: IO[bytes], num_bytes: int) -> None:
    out.flush()
    out.truncate(num_bytes)
    out.seek(num_bytes)


def _drop_starts(path: Path, out: IO[bytes], place: int) -> None:
    """Forgets documents that begin in what was cut off."""
    out.flush()
    begins = _map(path, "uint64")
    _cut(out, int(np.searchsorted(begins, place)) * 8)
