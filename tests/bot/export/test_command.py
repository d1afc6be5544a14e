"""The command beside a running bot, and where it cannot do what was asked."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from bot.export.output import write_object
from bot.store import Store
from bot.store.archive import Archive
from bot.store.database import Database
from bot.store.migrations import bundled
from tests.bot.export.command import talewright
from tests.bot.service.world import ANNA, CHANNEL, GUILD, Clock, World


async def test_it_reads_what_is_committed_while_the_bot_goes_on_and_writes_nothing(
    world: World, tmp_path: Path
) -> None:
    await world.story()
    with Archive.open(world.path) as archive:
        stories = archive.stories(GUILD)
        await world.play()  # the bot does not wait for the export
        await world.services.stories.start(GUILD, CHANNEL + 1, ANNA, "Later", "")
        assert [story.title for story in stories] == ["The Glass Key"]
        assert list(archive.closed_rounds()) == []
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            archive._connection.execute("DELETE FROM setting_values")
    with Archive.open(world.path) as archive:
        assert len(list(archive.closed_rounds())) == 1


async def test_it_reads_the_file_of_a_bot_that_was_stopped_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "stories.sqlite3"
    async with Store.open(path) as store:
        await store.set_setting(GUILD, None, "quorum", "3", ANNA, Clock().time)

    before = path.read_bytes()
    assert talewright("export", "votes", "--out", tmp_path / "votes.json", "--database", path) == 0
    assert json.loads((tmp_path / "votes.json").read_text()) == {"version": 1, "rounds": []}
    assert path.read_bytes() == before


def test_a_missing_database_is_named_and_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.sqlite3"
    assert talewright("export", "votes", "--out", tmp_path / "votes.json", "--database", path) == 1
    assert capsys.readouterr().err == f"talewright export: There is no database {path}.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "story.txt"
    path.write_text("Once upon a time there was no database at all. " * 50)
    assert talewright("export", "votes", "--out", tmp_path / "votes.json", "--database", path) == 1
    assert f"The database {path} cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(("change", "remedy"), [(-1, "Start the bot once"), (1, "Update the program")])
async def test_a_schema_of_another_version_is_refused_and_never_migrated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: int, remedy: str
) -> None:
    path, version = tmp_path / "stories.sqlite3", len(bundled()) + change
    await (await Database.open(path, bundled()[:version])).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    assert talewright("export", "votes", "--out", tmp_path / "votes.json", "--database", path) == 1
    assert remedy in capsys.readouterr().err
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    connection.close()


async def test_the_configured_database_is_read_where_none_is_named(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.story()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE", str(world.path))
    assert talewright("export", "stories", "--guild", GUILD, "--out", "stories.json") == 0
    assert "stories: 1" in capsys.readouterr().err
    monkeypatch.setenv("WORKER_TIMEOUT_S", "never")
    assert talewright("export", "stories", "--guild", GUILD, "--out", "stories.json") == 2
    assert "talewright export: WORKER_TIMEOUT_S: found 'never'" in capsys.readouterr().err


async def test_a_file_that_cannot_be_written_is_named(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "nowhere" / "votes.json"
    assert talewright("export", "votes", "--out", out, "--database", world.path) == 1
    assert f"{out} cannot be written: No such file or directory" in capsys.readouterr().err


async def test_the_database_itself_is_never_written_over(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    await world.story()
    assert talewright("export", "votes", "--out", world.path, "--database", world.path) == 2
    assert "--out: found the database" in capsys.readouterr().err
    assert (await world.services.stories.show(CHANNEL)).story.title == "The Glass Key"


def test_a_name_that_says_no_format_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert talewright("export", "stories", "--guild", 1, "--out", tmp_path / "stories.txt") == 2
    assert "must end in .json or .jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args", [["votes"], ["stories", "--out", "x.json"], ["votes", "--out", "x", "--guild", "me"], []]
)
def test_a_wrong_command_line_exits_with_2(args: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        talewright("export", *args)
    assert ended.value.code == 2


def test_an_export_that_fails_leaves_the_earlier_one_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "votes.json"
    write_object(out, {"version": 1}, "rounds", [{"id": "1"}, {"id": "ä"}])
    assert json.loads(out.read_text(encoding="utf-8")) == {"version": 1, "rounds": [{"id": "1"}, {"id": "ä"}]}
    assert out.stat().st_mode & 0o777 == 0o600
    before = out.read_bytes()

    def breaks():
        yield {"id": "2"}
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_object(out, {"version": 1}, "rounds", breaks())
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]
