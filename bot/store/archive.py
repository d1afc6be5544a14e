"""The database as it was at one moment, read beside a bot that may be running: for exports.

Nothing here writes, creates or migrates. Rows are read as they are needed, never a whole table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Self

from bot.errors import StoreError
from bot.store import migrations, rows
from bot.store.ballots import BALLOTS
from bot.store.database import BUSY_TIMEOUT_S, Value
from bot.store.passages import CANON
from bot.story.model import Ballot, Candidate, Passage, Round, Story


class Archive:
    """One read transaction: whatever the bot writes meanwhile is not seen, and the bot does not wait.

    Only its WAL grows while the transaction lasts, since a checkpoint can't pass what is still being read.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Raises StoreError where there is no such database, it can't be read, or its schema is another version."""
        if not path.is_file():
            raise StoreError(f"There is no database {path}.")
        try:
            address = f"{path.resolve().as_uri()}?mode=ro"
            with closing(
                sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S)
            ) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("BEGIN")
                _require_version(connection, path)
                yield cls(connection)
        except sqlite3.Error as error:
            raise StoreError(f"The database {path} cannot be read: {error}") from error

    def knows_guild(self, guild_id: int) -> bool:
        """Whether anything of the server is kept."""
        sql = "SELECT 1 FROM stories WHERE guild_id = ?1 UNION SELECT 1 FROM setting_values WHERE guild_id = ?1"
        return self._one(sql, guild_id) is not None

    def has_left(self, guild_id: int) -> bool:
        """Whether the bot is no longer in the server, whose texts will be deleted."""
        return self._one("SELECT 1 FROM departures WHERE guild_id = ?", guild_id) is not None

    def guild_settings(self, guild_id: int) -> dict[str, str]:
        """What was set for the whole server, by name."""
        found = self._all("SELECT name, value FROM setting_values WHERE guild_id = ? AND channel_id IS NULL", guild_id)
        return {row["name"]: row["value"] for row in found}

    def stories(self, guild_id: int) -> Iterator[Story]:
        """The server's stories, the oldest first, ended ones too."""
        return map(rows.story_of, self._all("SELECT * FROM stories WHERE guild_id = ? ORDER BY id", guild_id))

    def canon(self, story_id: int) -> Iterator[Passage]:
        """The story as it stands, from the first passage to the head."""
        return map(rows.passage_of, self._all(CANON, story_id))

    def closed_rounds(self, guild_id: int | None = None) -> Iterator[Round]:
        """Rounds that were voted to their end, the oldest first; of every server where `guild_id` is None."""
        sql = "SELECT * FROM rounds WHERE state = 'closed' AND (?1 IS NULL OR guild_id = ?1) ORDER BY id"
        return map(rows.round_of, self._all(sql, guild_id))

    def candidates(self, round_id: int) -> list[Candidate]:
        """The candidates that could be voted for to the end, in ballot order."""
        sql = "SELECT * FROM shown_candidates WHERE round_id = ? AND NOT is_withdrawn ORDER BY position"
        return [rows.candidate_of(row) for row in self._all(sql, round_id)]

    def ballots(self, round_id: int) -> list[Ballot]:
        """Every ballot of the round."""
        found = groupby(self._all(f"{BALLOTS} ORDER BY user_id", round_id), key=lambda row: row["user_id"])
        return [rows.ballot_of(list(group)) for _, group in found]

    def passage(self, passage_id: int) -> Passage:
        """Raises StoreError for an unknown id, which the schema's references don't allow."""
        return rows.passage_of(self._need("SELECT * FROM shown_passages WHERE id = ?", passage_id))

    def round(self, round_id: int) -> Round:
        """Likewise."""
        return rows.round_of(self._need("SELECT * FROM rounds WHERE id = ?", round_id))

    def winner(self, round_id: int) -> Candidate | None:
        """The candidate that won the round; None where none did."""
        row = self._one(
            "SELECT * FROM shown_candidates WHERE id = (SELECT winner_id FROM rounds WHERE id = ?)", round_id
        )
        return None if row is None else rows.candidate_of(row)

    def _all(self, sql: str, *params: Value) -> Iterator[sqlite3.Row]:
        return iter(self._connection.execute(sql, params))

    def _one(self, sql: str, *params: Value) -> sqlite3.Row | None:
        return next(self._all(sql, *params), None)

    def _need(self, sql: str, number: int) -> sqlite3.Row:
        row = self._one(sql, number)
        if row is None:
            raise StoreError(f"The database names a row {number} that it does not have.")
        return row


def _require_version(connection: sqlite3.Connection, path: Path) -> None:
    """An older schema is brought up to date by the bot: an export that changed the file would not be one."""
    version, latest = int(connection.execute("PRAGMA user_version").fetchone()[0]), len(migrations.bundled())
    if version > latest:
        raise StoreError(
            f"The database {path} has a schema of version {version}, and this program knows up to {latest}. "
            "Update the program."
        )
    if version < latest:
        raise StoreError(
            f"The database {path} has a schema of version {version}, and this program reads {latest}. "
            "Start the bot once: it brings the file up to date."
        )
