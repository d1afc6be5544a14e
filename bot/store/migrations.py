"""The schema's history: numbered SQL files, applied in order, each in one transaction. Never edited once released.

The file's ``user_version`` is the number of the last one applied.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from bot.errors import StoreError

if TYPE_CHECKING:
    from bot.store.database import Connection, Transaction

FILE_NAME = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True)
class Migration:
    """One step of the schema. `number` counts from 1 without a gap."""

    number: int
    name: str
    sql: str


def bundled() -> tuple[Migration, ...]:
    """The migrations that ship with the program, in order."""
    folder = files("bot.store") / "schema"
    found = ((match, entry) for entry in folder.iterdir() if (match := FILE_NAME.fullmatch(entry.name)))
    steps = (Migration(int(match[1]), match[0], entry.read_text("utf-8")) for match, entry in found)
    return tuple(sorted(steps, key=lambda step: step.number))


async def check_version(connection: Connection, history: Sequence[Migration]) -> None:
    """Raises StoreError where the file is from a newer program: its schema could be anything."""
    version, latest = await _version(connection), len(history)
    if version > latest:
        raise StoreError(f"its schema is version {version}, and this program knows up to {latest}. Update the program.")


async def apply(tx: Transaction, migration: Migration) -> None:
    """Applies one migration, unless the file has it: another process may have been faster."""
    if await _version(tx) >= migration.number:
        return
    for statement in split_statements(migration.sql):
        await tx.execute(statement)
    if await tx.fetch_one("PRAGMA foreign_key_check") is not None:
        raise StoreError(f"migration {migration.name} would leave rows that point nowhere.")
    await tx.execute(f"PRAGMA user_version = {migration.number}")


def split_statements(script: str) -> Iterator[str]:
    """The script's statements. Semicolons inside a trigger, a comment or a string end none."""
    statement = ""
    for piece in re.split(r"(?<=;)", script):
        statement += piece
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if re.sub(r"--.*", "", statement).strip():
        raise StoreError(f"a migration ends in the middle of a statement: {statement.strip()[:60]!r}")


async def _version(connection: Connection) -> int:
    row = await connection.fetch_one("PRAGMA user_version")
    return 0 if row is None else int(row[0])
