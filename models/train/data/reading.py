"""A dataset folder read by whoever trains on it: its manifest, and the stories of a split one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.train.data.document import story_of
from models.train.data.errors import DatasetError
from models.train.sources import Story

MANIFEST = "manifest.json"
FORMAT = "talewright-dataset"
VERSION = 1


@dataclass(frozen=True)
class SplitFacts:
    """One split's file (a name in the folder) and what is in it."""

    file: str
    stories: int
    groups: int
    words: int
    num_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a dataset says of itself. `sha256` is the whole dataset's; `record` is all of ``manifest.json``."""

    version: int
    sha256: str
    splits: Mapping[str, SplitFacts]
    record: Mapping[str, Any]


def is_dataset(folder: Path) -> bool:
    """Whether the folder holds a finished dataset of any version of this format."""
    try:
        record = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("format") == FORMAT


def read_manifest(folder: Path) -> Manifest:
    """The folder's manifest. Raises `DatasetError` where there is none, or one that this program cannot read."""
    path = folder / MANIFEST
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetError(f"{folder} is no dataset: it has no {MANIFEST}") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise DatasetError(f"{path} is not a {FORMAT}")
    if record.get("version") != VERSION:
        raise DatasetError(f"{path} has version {record.get('version')!r}; this program reads version {VERSION}")
    try:
        splits = {name: SplitFacts(**facts) for name, facts in record["splits"].items()}
        return Manifest(record["version"], record["sha256"], splits, record)
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} is damaged: {error}") from error


def iter_split(folder: Path, split: str) -> Iterator[Story]:
    """The stories of `train`, `validation` or `test`, read as they are asked for.

    Raises `DatasetError` for another format or version, an unknown split, a line that is no story, and, at the end, a
    file with more or fewer stories than the manifest says.
    """
    for record in iter_records(folder, split):
        yield story_of(record)


def iter_records(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    """The lines of a split as they stand, with source, group and licence; raises as `iter_split` does."""
    facts = read_manifest(folder).splits.get(split)
    if facts is None:
        raise DatasetError(f"{folder} has no split {split!r}")
    path, number = folder / facts.file, 0
    try:
        # Only a newline ends a line: a story may hold U+2028, at which str.splitlines would cut.
        with path.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                yield _parse(line, f"{path}, line {number}")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    if number != facts.stories:
        raise DatasetError(f"{path} has {number} stories; the manifest says {facts.stories}")


def _parse(line: str, origin: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line)
        story_of(record)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{origin}: no story: {error}") from error
    return record
