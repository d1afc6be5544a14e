"""The record of what was measured: JSON that a later run adds to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.bench.figures import Row

RECORD = "engine.json"
_ROUND = ("model", "workload", "subject")
LISTS = {
    "rows": _ROUND,
    "growth": _ROUND,
    "http": _ROUND,
    "acceptance": ("sampling", "draft", "k"),
    "steps": ("model", "subject"),
    "speculation": ("sampling", "draft", "k", "n", "model", "subject"),
}
"""The lists of a record, with what a row is known by."""

Record = dict[str, Any]


class RecordError(Exception):
    """A record can't be read, or its report not be written; the message says why."""


def merge(older: Record, newer: Record) -> Record:
    """Both: where they speak of the same, the newer one holds."""
    merged = {**older, **newer}
    for name, keys in LISTS.items():
        rows: dict[tuple[Any, ...], Row] = {}
        for row in (*older.get(name, ()), *newer.get(name, ())):
            rows[tuple(row.get(key) for key in keys)] = row
        if rows:
            merged[name] = list(rows.values())
    return merged


def read_records(paths: Sequence[Path]) -> Record:
    """All of them merged. Raises `RecordError` for one that can't be read."""
    merged: Record = {}
    for path in paths:
        try:
            merged = merge(merged, json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise RecordError(f"{path}: {error}") from error
    return merged


def write_record(record: Record, path: Path) -> None:
    """As JSON, into what is there already."""
    older = read_records([path]) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(merge(older, record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
