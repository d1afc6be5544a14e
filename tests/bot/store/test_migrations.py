from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store import Store
from bot.store import migrations as migrations_module
from bot.store.database import Database
from bot.store.migrations import Migration, bundled, split_statements
from tests.bot.store.world import play, start

FIRST = Migration(1, "0001_notes.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);")
SECOND = Migration(
    *(2, "0002_more.sql"),
    """ALTER TABLE notes ADD COLUMN mark TEXT; -- a comment; with a semicolon
    UPDATE notes SET mark = 'a;b' || text;
    CREATE TRIGGER notes_stay BEFORE DELETE ON notes BEGIN SELECT RAISE(ABORT, 'x;'); END;
    -- and one at the end""",
)
BROKEN = Migration(3, "0003_broken.sql", "DROP TRIGGER notes_stay; DELETE FROM notes; CREATE TABLE notes (id);")


def shape(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    try:
        return sorted(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
    finally:
        connection.close()


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


async def bring_to(path: Path, history: list[Migration]) -> None:
    await (await Database.open(path, history)).close()


def test_the_bundled_history_has_no_gap() -> None:
    history = bundled()
    assert [step.number for step in history] == list(range(1, len(history) + 1))
    folder = Path(migrations_module.__file__).parent / "schema"
    assert sorted(file.name for file in folder.iterdir()) == [step.name for step in history]


@pytest.mark.parametrize("earlier", range(len(bundled()) + 1))
async def test_every_earlier_version_comes_to_the_same_schema_and_keeps_its_rows(tmp_path: Path, earlier: int) -> None:
    old, new = tmp_path / "old.sqlite3", tmp_path / "new.sqlite3"
    await bring_to(old, list(bundled()[:earlier]))
    assert version(old) == earlier
    if earlier:
        connection = sqlite3.connect(old)
        connection.execute(
            """INSERT INTO stories (guild_id, channel_id, title, premise, started_by, started_at)
            VALUES (1, 2, 'From before', '', 3, '2026-01-31T09:30:00.000000+00:00')"""
        )
        connection.commit()
        connection.close()
    async with Store.open(old) as store, Store.open(new):
        if earlier:
            story = await store.running_story(2)
            assert story is not None
            assert story.title == "From before"
        await play(store, await start(store))
    assert shape(old) == shape(new)
    assert version(old) == version(new) == len(bundled())


async def test_a_newer_file_is_refused_untouched_and_both_versions_are_named(path: Path) -> None:
    await bring_to(path, [FIRST, SECOND])
    before = await asyncio.to_thread(path.read_bytes)
    with pytest.raises(StoreError, match=r"is version 2, and this program knows up to 1\. Update") as refusal:
        await Database.open(path, [FIRST])
    assert str(path) in str(refusal.value)
    assert await asyncio.to_thread(path.read_bytes) == before


async def test_a_migration_happens_whole_or_not_at_all(path: Path) -> None:
    database = await Database.open(path, [FIRST])
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO notes (text) VALUES ('kept')")
    await database.close()

    with pytest.raises(StoreError, match="already exists"):
        await Database.open(path, [FIRST, SECOND, BROKEN])
    assert version(path) == 2
    database = await Database.open(path, [FIRST, SECOND])
    [row] = await database.fetch_all("SELECT * FROM notes")
    assert tuple(row) == (1, "kept", "a;bkept")
    with pytest.raises(StoreError, match="x;"):
        async with database.transaction() as tx:
            await tx.execute("DELETE FROM notes")
    await database.close()


async def test_a_migration_that_leaves_rows_pointing_nowhere_is_undone(path: Path) -> None:
    tree = (
        "CREATE TABLE tree (id INTEGER PRIMARY KEY, parent REFERENCES tree); INSERT INTO tree VALUES (1, NULL), (2, 1);"
    )
    await bring_to(path, [Migration(1, "0001_tree.sql", tree)])
    cut = Migration(2, "0002_cut.sql", "DELETE FROM tree WHERE id = 1;")
    with pytest.raises(StoreError, match=r"0002_cut\.sql would leave rows that point nowhere"):
        await Database.open(path, [Migration(1, "0001_tree.sql", tree), cut])
    assert version(path) == 1


async def test_a_migration_may_rebuild_a_table_that_others_point_to(path: Path) -> None:
    first = """CREATE TABLE parents (id INTEGER PRIMARY KEY); CREATE TABLE children (id REFERENCES parents);
        INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1);"""
    rebuild = """CREATE TABLE parents_new (id INTEGER PRIMARY KEY, note TEXT);
        INSERT INTO parents_new (id) SELECT id FROM parents;
        DROP TABLE parents; ALTER TABLE parents_new RENAME TO parents;"""
    history = [Migration(1, "0001_family.sql", first), Migration(2, "0002_rebuild.sql", rebuild)]
    await bring_to(path, history[:1])
    database = await Database.open(path, history)
    assert len(await database.fetch_all("SELECT note FROM parents JOIN children USING (id)")) == 1
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO children VALUES (9)")
    await database.close()


async def test_starts_at_the_same_time_migrate_once(path: Path) -> None:
    stores = await asyncio.gather(*(Store.open(path)._open() for _ in range(6)))
    await start(stores[0])
    for store in stores:
        assert len(await store.stories_of_guild(700, limit=5)) == 1
        await store.close()


def test_statements_are_split_where_they_end() -> None:
    script = "-- one; two\nSELECT 'a;b';SELECT 1;\n" + SECOND.sql
    statements = list(split_statements(script))
    assert [statement.split()[-1] for statement in statements] == ["'a;b';", "1;", "TEXT;", "text;", "END;"]
    with pytest.raises(StoreError, match="middle of a statement"):
        list(split_statements("SELECT 1; SELECT"))
