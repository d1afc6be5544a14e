"""The demo's data folder: where things are in it, and that only one demo uses it at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderUnusable(Exception):
    """Another demo is running on this folder, or it cannot be written to. The message says which."""


class DataFolder:
    """The files of one demo. Everything in it is for its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "talewright.sqlite3"
        self.bot_log = path / "bot.log"
        self.worker_log = path / "worker.log"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Creates the folder and holds it; the system lets go of it when the process ends, however it ends.

        Raises FolderUnusable.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.path / "lock").open("w")
        except OSError as error:
            raise FolderUnusable(f"cannot keep anything in {self.path}: {error}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FolderUnusable(f"another demo is running on {self.path}") from error
            yield

    def page_key(self) -> str:
        """The secret end of the page's address: made once, so that a bookmark stays true."""
        file = self.path / "page-key"
        try:
            key = file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            key = ""
        if not key:
            key = secrets.token_urlsafe(9)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as opened:
                opened.write(key + "\n")
        return key
