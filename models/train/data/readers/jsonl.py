"""JSON lines: one object a line with the story's text and perhaps its title, premise and tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.train.data.document import Document
from models.train.data.errors import SourceError
from models.train.data.files import find_files
from models.train.data.readers.log import SourceLog
from models.train.data.readers.records import read_record
from models.train.data.settings import JsonlSource


def read_jsonl(source: JsonlSource, root: Path, log: SourceLog) -> Iterator[Document]:
    """One document a line; a line is in memory at a time."""
    for file in find_files(root / source.path, (".jsonl", ".ndjson")):
        log.files.append(file)
        for number, line in enumerate(file.lines(), start=1):
            if not line.strip():
                continue
            origin = f"{file.path}, line {number}"
            document = read_record(parse_object(line, origin), source.fields_, source.label, source.licence, origin)
            if document is None:
                log.notes["records without text"] += 1
            else:
                yield document


def parse_object(line: str, origin: str) -> dict[str, Any]:
    """The JSON object in a line; raises `SourceError` naming the place."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise SourceError(f"{origin}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise SourceError(f"{origin}: wanted an object, found {type(value).__name__}")
    return value
