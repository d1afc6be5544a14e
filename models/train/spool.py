"""Texts on disk, read again in any order: shuffling a corpus takes memory for its numbers only."""

from __future__ import annotations

import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO


class Spool:
    """Texts appended to a file that goes away with the spool; a context manager.

    Memory: eight bytes a text. Reading before the last `append` is allowed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] = path.open("w+b")
        self._ends = array.array("q", [0])

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: str) -> None:
        data = text.encode("utf-8", errors="surrogatepass")
        self._file.seek(self._ends[-1])
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __getitem__(self, number: int) -> str:
        begin, end = self._ends[number], self._ends[number + 1]
        self._file.seek(begin)
        return self._file.read(end - begin).decode("utf-8", errors="surrogatepass")

    def read(self, order: Iterable[int]) -> Iterator[str]:
        """The texts with these numbers."""
        return (self[number] for number in order)
