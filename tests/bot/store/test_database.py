from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store import Store
from bot.store import database as database_module
from bot.store.database import Database, Transaction
from bot.store.migrations import Migration
from tests.bot.store.world import ALICE, CHANNEL, GUILD, NOW, start

PAIRS = [
    Migration(1, "0001_pairs.sql", "CREATE TABLE pairs (number INTEGER, half TEXT, UNIQUE (number, half)) STRICT;")
]


async def write_pair(database: Database, number: int, rng: random.Random | None = None) -> None:
    """Both halves or none; waits in between, so that others get their chance to break in."""
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO pairs VALUES (?, 'first')", number)
        await asyncio.sleep(0 if rng is None else rng.choice((0, 0, 0.0005)))
        await tx.execute("INSERT INTO pairs VALUES (?, 'second')", number)


async def halves(database: Database) -> list[tuple[int, int]]:
    found = await database.fetch_all("SELECT number, count(*) AS halves FROM pairs GROUP BY number")
    return [(row["number"], row["halves"]) for row in found]


@pytest.mark.parametrize("seed", range(5))
async def test_many_cancelled_writers_leave_no_half_and_no_stuck_lock(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    database = await Database.open(path, PAIRS)
    writers = [asyncio.create_task(write_pair(database, number, rng)) for number in range(400)]
    cancelled = rng.sample(range(400), 150)
    for number in cancelled:
        # Some before they began, some while they wait for the lock, some in the middle, some at the COMMIT.
        await asyncio.sleep(rng.choice((0, 0, 0, 0.0003, 0.001)))
        writers[number].cancel()
    results = await asyncio.wait_for(asyncio.gather(*writers, return_exceptions=True), timeout=60)
    await asyncio.wait_for(write_pair(database, 1_000), timeout=10)

    written = dict(await halves(database))
    assert set(written.values()) == {2}, "a half transaction was committed"
    finished = {number for number, result in enumerate(results) if result is None}
    assert finished | {1_000} <= set(written), "an acknowledged transaction is missing"
    assert {type(result) for result in results if result is not None} == {asyncio.CancelledError}
    await database.close()


async def test_a_wait_for_begin_that_is_cancelled_leaves_no_transaction_open(path: Path) -> None:
    """BEGIN waits in the thread for another process; whoever asked for it is cancelled meanwhile."""
    database = await Database.open(path, PAIRS)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(write_pair(database, 1))
    await asyncio.sleep(0)
    assert database._lock.locked()
    waiting.cancel()
    await asyncio.sleep(0)
    waiting.cancel()  # even the wait for ROLLBACK
    with pytest.raises(asyncio.CancelledError):
        await waiting
    other.execute("ROLLBACK")
    other.close()
    await write_pair(database, 2)
    assert await halves(database) == [(2, 2)]
    await database.close()


async def test_an_error_inside_undoes_everything_and_goes_up_as_it_is(path: Path) -> None:
    database = await Database.open(path, PAIRS)

    async def divide() -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO pairs VALUES (1, 'first')")
            raise ZeroDivisionError

    async def repeat() -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO pairs VALUES (1, 'first')")
            await tx.execute("INSERT INTO pairs VALUES (1, 'first')")

    with pytest.raises(ZeroDivisionError):
        await divide()
    with pytest.raises(StoreError) as refusal:
        await repeat()
    assert isinstance(refusal.value.__cause__, sqlite3.IntegrityError)
    assert await halves(database) == []
    await write_pair(database, 1)
    await database.close()


async def test_a_commit_that_fails_is_undone(path: Path) -> None:
    tables = """CREATE TABLE parents (id INTEGER PRIMARY KEY);
        CREATE TABLE children (id REFERENCES parents DEFERRABLE INITIALLY DEFERRED);"""
    database = await Database.open(path, [Migration(1, "0001_family.sql", tables)])
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO children VALUES (1)")
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO parents VALUES (1)")
    assert await database.fetch_all("SELECT * FROM children") == []
    assert len(await database.fetch_all("SELECT * FROM parents")) == 1
    await database.close()


async def test_readers_see_what_is_committed_while_somebody_writes(path: Path) -> None:
    database = await Database.open(path, PAIRS)
    await write_pair(database, 1)
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO pairs VALUES (2, 'first')")
        assert await halves(database) == [(1, 2)]
        assert await tx.fetch_one("SELECT count(*) AS n FROM pairs WHERE number = 2") is not None
        await tx.execute("INSERT INTO pairs VALUES (2, 'second')")
    assert await halves(database) == [(1, 2), (2, 2)]
    await database.close()


async def test_the_reading_connection_can_not_write(path: Path) -> None:
    database = await Database.open(path, PAIRS)
    with pytest.raises(StoreError, match="readonly"):
        await database.fetch_all("INSERT INTO pairs VALUES (1, 'first') RETURNING 1")
    await database.close()


async def test_a_row_that_should_have_been_written_and_was_not_is_an_error(path: Path) -> None:
    database = await Database.open(path, PAIRS)
    with pytest.raises(StoreError, match="was not there"):
        async with database.transaction() as tx:
            await tx.write_one("UPDATE pairs SET half = 'x' WHERE number = 7 RETURNING *")
    await database.close()


async def test_closing_waits_for_the_write_under_way_and_refuses_what_comes_later(path: Path) -> None:
    database = await Database.open(path, PAIRS)
    writing = asyncio.create_task(write_pair(database, 1))
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    late = asyncio.create_task(write_pair(database, 2))
    await asyncio.gather(writing, closing)
    with pytest.raises(StoreError, match="closed"):
        await late
    with pytest.raises(StoreError, match="closed"):
        await database.fetch_all("SELECT 1")
    await database.close()

    again = await Database.open(path, PAIRS)
    assert await halves(again) == [(1, 2)]
    await again.close()


async def test_two_stores_on_one_file_take_turns(path: Path) -> None:
    async with Store.open(path) as one, Store.open(path) as two:
        await asyncio.gather(
            *(start(store, channel_id=number * 2 + who) for who, store in enumerate((one, two)) for number in range(30))
        )
        assert len(await one.stories_of_guild(GUILD, limit=100)) == 60


async def test_a_store_is_awaited_or_entered(path: Path) -> None:
    store = await Store.open(path)
    story = await start(store)
    await store.close()
    await store.close()
    async with Store.open(path) as again:
        assert await again.running_story(CHANNEL) == story
    with pytest.raises(StoreError, match="closed"):
        await again.running_story(CHANNEL)


def modes_beside(path: Path) -> dict[str, int]:
    """The modes of the database's files by the endings of their names."""
    files = sorted(path.parent.iterdir())
    return {file.name.removeprefix(path.name): stat.S_IMODE(file.stat().st_mode) for file in files}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
async def test_only_the_owner_may_read_the_file_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "talewright.sqlite3"
    earlier = os.umask(umask)
    try:
        async with Store.open(path) as store:
            await start(store)
            assert modes_beside(path) == {"": 0o600, "-shm": 0o600, "-wal": 0o600}
    finally:
        os.umask(earlier)


async def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    async with Store.open(path):
        pass
    leave_open_to_all(path)
    assert modes_beside(path) == {"": 0o666, "-wal": 0o666}
    async with Store.open(path):
        assert modes_beside(path) == {"": 0o600, "-shm": 0o600, "-wal": 0o600}


def leave_open_to_all(path: Path) -> None:
    for file in (path, path.with_name(path.name + "-wal")):
        file.touch()
        file.chmod(0o666)


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("My notes. " * 100)
    with pytest.raises(StoreError, match=r"notes\.txt cannot be used: file is not a database"):
        await Store.open(path)
    assert path.read_text() == "My notes. " * 100


async def test_a_folder_or_a_place_that_can_not_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it is a folder"):
        await Store.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        await Store.open(tmp_path / "file" / "below.sqlite3")


async def test_a_start_that_fails_leaves_no_thread_behind(path: Path) -> None:
    """A connection's thread would keep the process from ending."""
    before = set(threading.enumerate())
    with pytest.raises(StoreError):
        await Database.open(path, [Migration(1, "0001_wrong.sql", "CREATE NONSENSE;")])
    for thread in _connection_threads() - before:
        thread.join(timeout=30)
    assert _connection_threads() <= before


async def test_an_old_sqlite_is_refused_with_both_versions(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(database_module.sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StoreError, match=r"SQLite 3\.38\.0 or newer .* has 3\.34\.1"):
        await Database.open(path)
    assert not os.path.exists(path.parent)  # noqa: PTH110, ASYNC240 - one look at a local folder


async def test_a_rollback_that_fails_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database = await Database.open(path, PAIRS)

    async def broken(self: Transaction, sql: str, *params: object) -> None:
        raise StoreError("disk I/O error")

    async with database.transaction():
        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "execute", broken)
            await database._roll_back()
    assert "could not roll back: disk I/O error" in caplog.text
    await write_pair(database, 1)
    await database.close()


async def test_a_whole_copy_can_be_made_while_the_bot_runs(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    async with Store.open(path) as store:
        story = await start(store)
        source, target = sqlite3.connect(path), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
    async with Store.open(copy) as restored:
        assert await restored.story(story.id) == story
        await restored.end_story(story.id, ALICE, NOW)


def _connection_threads() -> set[threading.Thread]:
    """Without the loop's own pool, which may grow by itself."""
    return {thread for thread in threading.enumerate() if "asyncio_" not in thread.name}
