"""What is written into ``manifest.json``: what made a dataset, and nothing that differs between two equal runs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models.train.data.files import CHUNK, OLD_TEXT
from models.train.data.output import write_durably
from models.train.data.readers.log import Credit, SourceLog
from models.train.data.reading import FORMAT, MANIFEST, VERSION
from models.train.data.settings import DataSettings, SourceSettings

SOFTWARE = ("talewright", "datasketch", "ftfy", "lingua-language-detector", "datasets", "nltk", "numpy")
ATTRIBUTION = "ATTRIBUTION.tsv"


def describe_source(source: SourceSettings, log: SourceLog, counts: Mapping[str, Any]) -> dict[str, Any]:
    """A source's entry: where from, under what licence, which files, what came of it."""
    files = [
        {
            "name": file.name,
            "num_bytes": file.num_bytes,
            "sha256": file.sha256,
            "encoding": "windows-1252" if file.encoding == OLD_TEXT else file.encoding,
        }
        for file in log.files
    ]
    return {
        "name": source.label,
        "kind": source.kind,
        "place": source.place,
        "licence": source.licence,
        "attribution": source.attribution,
        **log.details,
        "files": files,
        "notes": dict(sorted(log.notes.items())),
        **counts,
    }


def write_manifest(folder: Path, settings: DataSettings, body: Mapping[str, Any]) -> None:
    """Writes the manifest with the hash of the whole dataset, which covers every file's hash and all other entries."""
    record = {
        "format": FORMAT,
        "version": VERSION,
        "software": {name: version(name) for name in SOFTWARE},
        "settings": settings.model_dump(mode="json", by_alias=True),
        **body,
    }
    record["sha256"] = dataset_hash(record)
    write_durably(folder / MANIFEST, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def dataset_hash(record: Mapping[str, Any]) -> str:
    """SHA-256 of the manifest in canonical form, without its own hash."""
    canonical = json.dumps({k: v for k, v in record.items() if k != "sha256"}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file, a megabyte at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_attribution(folder: Path, credits: Iterable[Credit]) -> dict[str, Any] | None:
    """Writes ATTRIBUTION.tsv where there is anyone to name; returns its entry for the manifest."""
    rows = list(dict.fromkeys(credits))
    if not rows:
        return None
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\n")
    table.writerow(["source", "work", "author", "licence", "note"])
    table.writerows([" ".join(part.split()) for part in (c.source, c.work, c.author, c.licence, c.note)] for c in rows)
    write_durably(folder / ATTRIBUTION, text.getvalue())
    return {"file": ATTRIBUTION, "rows": len(rows), "sha256": file_hash(folder / ATTRIBUTION)}
