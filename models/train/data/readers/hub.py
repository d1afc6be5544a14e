"""A Hugging Face dataset: by the hub's name, or from a local folder (saved to disk, or files that `datasets` reads)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.train.data.document import Document
from models.train.data.errors import SourceError
from models.train.data.readers.log import SourceLog
from models.train.data.readers.records import read_record
from models.train.data.settings import HubSource


def read_hub(source: HubSource, root: Path, log: SourceLog) -> Iterator[Document]:
    """One document a row. With `streaming` nothing is written to `datasets`' cache; else rows are memory-mapped."""
    dataset = load_rows(source, root)
    _check_columns(source, dataset)
    log.details["subset"], log.details["split"] = source.subset or "", source.split
    fingerprint = getattr(dataset, "_fingerprint", None)
    if fingerprint is not None:
        log.details["fingerprint"] = fingerprint
    for number, row in enumerate(dataset):
        origin = f"{source.path}, row {number}"
        document = read_record(row, source.columns, source.label, source.licence, origin)
        if document is None:
            log.notes["rows without text"] += 1
        else:
            yield document


def load_rows(source: HubSource, root: Path) -> Any:
    """The split that `source` names. Raises `SourceError` in words of ours where `datasets` cannot load it."""
    import datasets

    local = root / source.path
    try:
        if (local / "state.json").is_file() or (local / "dataset_dict.json").is_file():
            return _pick_split(datasets.load_from_disk(str(local)), source)
        return datasets.load_dataset(
            str(local) if local.exists() else source.path,
            source.subset,
            split=source.split,
            revision=source.revision,
            streaming=source.streaming,
            cache_dir=None if source.cache is None else os.fspath(root / source.cache),
        )
    except (ConnectionError, datasets.exceptions.DatasetNotFoundError) as error:
        raise SourceError(
            f"cannot load {source.path!r} from the hub: {error}. Without a network, download the dataset elsewhere "
            "(`datasets.load_dataset(…).save_to_disk(FOLDER)`) and give that folder as `path`"
        ) from error
    except (ValueError, OSError, datasets.exceptions.DatasetsError) as error:
        raise SourceError(f"cannot load {source.path!r}: {error}") from error


def _pick_split(loaded: Any, source: HubSource) -> Any:
    import datasets

    if not isinstance(loaded, datasets.DatasetDict):
        return loaded.to_iterable_dataset() if source.streaming else loaded
    if source.split not in loaded:
        raise SourceError(f"{source.path} has no split {source.split!r}; there are {', '.join(loaded)}")
    chosen = loaded[source.split]
    return chosen.to_iterable_dataset() if source.streaming else chosen


def _check_columns(source: HubSource, dataset: Any) -> None:
    present = dataset.column_names
    if present is None:  # a stream whose columns are known only from its rows
        return
    for part, column in source.columns.model_dump().items():
        if column is not None and column not in present:
            raise SourceError(f"{source.path} has no column {column!r} for the {part}; there are {', '.join(present)}")
