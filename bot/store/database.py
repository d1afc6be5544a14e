"""One SQLite file with two connections: a writer behind a lock, and a reader beside it.

Backups: the newest changes may still stand in the ``-wal`` file, so copying only the main file of a running bot loses
them. ``sqlite3 FILE ".backup COPY"`` (or ``VACUUM INTO``) gives a whole copy at any time; with the bot stopped there is
only one file left, and copying it is enough.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol, Self

import aiosqlite

from bot.errors import StoreError
from bot.store import migrations
from bot.store.migrations import Migration

log = logging.getLogger(__name__)

Value = str | int | float | None
"""What a parameter may be; `rows` converts everything else."""

OLDEST_SQLITE = (3, 38, 0)
"""RETURNING came with 3.35, STRICT tables with 3.37, JSON without an extension with 3.38."""
BUSY_TIMEOUT_S = 5.0
"""How long a statement waits for another process on the same file (a backup, a curious host with a shell)."""
OWNER_ONLY = 0o600
"""The file's mode: it holds what members wrote."""


class Reader(Protocol):
    """Whatever rows can be read from: the database as it is now, or a transaction."""

    async def fetch_all(self, sql: str, *params: Value) -> list[sqlite3.Row]:
        """All rows, in the order the statement gives them."""
        ...

    async def fetch_one(self, sql: str, *params: Value) -> sqlite3.Row | None:
        """The first row, None where there is none."""
        ...


class Connection:
    """An aiosqlite connection whose errors are `StoreError`s. A statement and its rows are one step of its thread."""

    def __init__(self, raw: aiosqlite.Connection) -> None:
        self._raw = raw

    async def fetch_all(self, sql: str, *params: Value) -> list[sqlite3.Row]:
        with _translated():
            return list(await self._raw.execute_fetchall(sql, params))

    async def fetch_one(self, sql: str, *params: Value) -> sqlite3.Row | None:
        rows = await self.fetch_all(sql, *params)
        return rows[0] if rows else None

    async def execute(self, sql: str, *params: Value) -> None:
        await self.fetch_all(sql, *params)

    async def close(self) -> None:
        with _translated():
            await self._raw.close()


class Transaction(Connection):
    """The writing connection while its lock is held. It ends with the `async with` that gave it."""

    async def write_one(self, sql: str, *params: Value) -> sqlite3.Row:
        """The row that an INSERT or UPDATE … RETURNING wrote. Raises StoreError where it wrote none."""
        row = await self.fetch_one(sql, *params)
        if row is None:
            raise StoreError("The database could not do it: the row to change was not there.")
        return row


class Database:
    """Reads at any time; writes in `transaction()`, one at a time.

    WAL lets the reader go on while somebody writes; each read sees everything committed before it began.
    ``synchronous=NORMAL``: a commit survives the death of this process at once, and the death of the machine after the
    next checkpoint. The file is never corrupt; a power cut may cost the last votes, which is what a commit without
    an fsync per click costs.
    """

    def __init__(self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._path = path
        self._writer = Transaction(writer)
        self._reader = Connection(reader)
        self._lock = asyncio.Lock()
        self._is_closed = False

    @classmethod
    async def open(cls, path: Path, history: Sequence[Migration] | None = None) -> Self:
        """Opens the file, creating it and its folder where needed, and brings its schema up to date.

        Only the owner may read the file. `history` is the schema's, the bundled one by default. Raises `StoreError`
        that names the file where it is unusable, or was written by a newer program.
        """
        _require_sqlite(sqlite3.sqlite_version_info)
        await asyncio.to_thread(_prepare_file, path)
        try:
            async with _connected(path) as writer, _connected(path) as reader:
                database = cls(path, writer, reader)
                await database._prepare(migrations.bundled() if history is None else history)
                return database
        except StoreError as error:
            raise StoreError(f"The database {path} cannot be used: {error.__cause__ or error}") from error

    async def fetch_all(self, sql: str, *params: Value) -> list[sqlite3.Row]:
        """All rows of one reading statement."""
        self._require_open()
        return await self._reader.fetch_all(sql, *params)

    async def fetch_one(self, sql: str, *params: Value) -> sqlite3.Row | None:
        """The first row of one reading statement, None where there is none."""
        self._require_open()
        return await self._reader.fetch_one(sql, *params)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A writing transaction: all of it happens, or nothing. Await nothing inside but its SQL; don't nest.

        A cancellation that lands on the COMMIT itself may find it done already. So whoever writes guards each UPDATE
        by the state it expects, and never concludes "it raised, so it did not happen".
        """
        async with self._lock:
            self._require_open()
            try:
                # Inside the `try`: a wait for BEGIN that is cancelled still begins a transaction, in the thread.
                await self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                await self._writer.execute("COMMIT")
            except BaseException:
                await self._roll_back()
                raise

    async def flush(self) -> None:
        """Moves everything from the WAL into the main file and empties the WAL, as far as no reader is in the way."""
        async with self._lock:
            self._require_open()
            await self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Waits for the transaction under way, then closes. Closing twice is fine."""
        async with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            await self._reader.close()
            await self._writer.close()

    async def _roll_back(self) -> None:
        # Even where the wait for it is cancelled, ROLLBACK is queued by now, ahead of whoever begins next.
        try:
            await self._writer.execute("ROLLBACK")
        except StoreError as error:
            # BEGIN failed, COMMIT was done already, or SQLite rolled back by itself: nothing is open, as wanted.
            if "no transaction is active" not in str(error):
                log.warning("could not roll back: %s", error)

    async def _prepare(self, history: Sequence[Migration]) -> None:
        await migrations.check_version(self._writer, history)
        mode = await self._writer.fetch_one("PRAGMA journal_mode = WAL")
        if mode is None or mode[0] != "wal":
            raise StoreError("its file system does not support a write-ahead log.")
        await self._writer.execute("PRAGMA synchronous = NORMAL")
        # What was deleted is overwritten, not only unlinked: a purged server's texts are gone from the file.
        await self._writer.execute("PRAGMA secure_delete = ON")
        # Without foreign keys, so that a migration may rebuild a table; it checks all of them before it commits.
        await self._writer.execute("PRAGMA foreign_keys = OFF")
        for migration in history:
            async with self.transaction() as tx:
                await migrations.apply(tx, migration)
        await self._writer.execute("PRAGMA foreign_keys = ON")
        await self._reader.execute("PRAGMA query_only = ON")

    def _require_open(self) -> None:
        if self._is_closed:
            raise StoreError("The database is closed.")


@asynccontextmanager
async def _connected(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """A connection that is closed only where the block fails, so that its thread never outlives a failed start."""
    with _translated():
        # Without an isolation level, Python's driver begins no transactions of its own.
        connection = await aiosqlite.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    except BaseException:
        await connection.close()
        raise


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's errors as ours; so are values that it can't hold (an integer over 64 bits, half a surrogate pair)."""
    try:
        yield
    except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
        raise StoreError(f"The database could not do it: {error}") from error


def _require_sqlite(found: tuple[int, ...]) -> None:
    if found < OLDEST_SQLITE:
        wanted, has = (".".join(map(str, version)) for version in (OLDEST_SQLITE, found))
        raise StoreError(f"SQLite {wanted} or newer is needed, and this Python has {has}.")


def _prepare_file(path: Path) -> None:
    """Creates the folder and the file, readable for the owner only, whatever the umask; SQLite's own follow it."""
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            # Opened only where it is new: closing a second descriptor would drop another connection's locks.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            with suppress(FileNotFoundError):
                if stat.S_IMODE(file.stat().st_mode) != OWNER_ONLY:
                    file.chmod(OWNER_ONLY)
    except OSError as error:
        raise StoreError(f"The database {path} cannot be used: {error.strerror}") from error


class Repository:
    """Base of the parts of the store: one noun each, all over the same database."""

    def __init__(self, database: Database) -> None:
        self._database = database
