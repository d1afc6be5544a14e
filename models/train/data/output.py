"""The dataset's folder: written under another name, given its own in the end, never over another by accident."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.train.data.errors import DatasetError
from models.train.data.reading import is_dataset


def refuse_to_overwrite(out: Path, *, force: bool) -> None:
    """Raises `DatasetError` where `out` may not be written: anything is there that is no dataset, or no `force`."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not is_dataset(out):
        raise DatasetError(f"{out} is there and is no dataset; name another folder")
    if not force:
        raise DatasetError(f"{out} holds a dataset already; --force replaces it")


@contextmanager
def unfinished_folder(out: Path, *, force: bool) -> Iterator[Path]:
    """A hidden folder beside `out` that becomes `out` when the block ends well, and is gone when it does not.

    A killed run leaves the hidden folder behind, never a folder under the name `out`.
    """
    refuse_to_overwrite(out, force=force)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = out.parent / f".{out.name}.unfinished-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        yield folder
        refuse_to_overwrite(out, force=force)
        _put_in_place(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, out: Path) -> None:
    if not out.exists():
        folder.rename(out)
        return
    old = folder.with_name(f"{folder.name}-old")
    out.rename(old)
    try:
        folder.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old)


def write_durably(path: Path, text: str) -> None:
    """Writes a text file and waits until it is on the disk."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
