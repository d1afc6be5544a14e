"""Documents on disk between two passes, a line each: so that memory holds one at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from models.train.data.document import Document


class Spool:
    """Writes documents to a file and knows how many, how many words and how many bytes; use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.num_stories = 0
        self.num_words = 0
        self.num_bytes = 0
        # Ends of lines are written as they are on every system: the same dataset has the same bytes.
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, document: Document) -> None:
        line = json.dumps(document.to_record(), ensure_ascii=False) + "\n"
        self._file.write(line)
        self.num_stories += 1
        self.num_words += document.num_words
        self.num_bytes += len(line.encode())

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()


def read_spool(path: Path) -> Iterator[Document]:
    """The documents in the order in which they were written."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield Document.from_record(json.loads(line))
