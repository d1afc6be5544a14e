"""Writes an export record by record: beside its place first, and moved there when it is whole.

So a killed or failed export leaves an earlier file as it was, and nobody ever reads half of one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any


def write_object(path: Path, head: Mapping[str, Any], name: str, records: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object: the fields of `head`, then the records as the list `name`. Raises OSError."""

    def write(file: IO[str]) -> None:
        file.write(_text(head)[:-1] + f", {_text(name)}: [")
        for number, record in enumerate(records):
            file.write((",\n" if number else "\n") + _text(record))
        file.write("\n]}\n")

    _replace(path, write)


def write_lines(path: Path, head: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> None:
    """JSON lines: the head, then a line for each record. Raises OSError."""

    def write(file: IO[str]) -> None:
        file.write(_text(head) + "\n")
        file.writelines(_text(record) + "\n" for record in records)

    _replace(path, write)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _replace(path: Path, write: Callable[[IO[str]], None]) -> None:
    """The temporary file, and so the export, may be read by its owner alone, like the database."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise
