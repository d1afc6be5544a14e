"""`talewright export stories`: what is in it, and both sides of every rule of consent."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from bot.story.model import RoundKind, Style
from tests.bot.export.command import export_stories, talewright, tell_as_member
from tests.bot.service.far_end import MASKED, fresh_text
from tests.bot.service.world import ANNA, CHANNEL, GUILD, World

REWRITE = RoundKind.REWRITE
MEMBERS = "Ben saw a slow grey whale under the ice, and nobody believed him."


@pytest.fixture
async def learning(world: World) -> World:
    """A story in a server that has turned learning on, where light rewrites are served."""
    world.far.others.append(MASKED)
    await world.set(training="on")
    await world.story()
    return world


def marks(world: World, folder: Path) -> list[tuple[str, bool]]:
    """Author and mark of each passage of the one story there is."""
    (story,) = export_stories(world, folder)
    return [(passage["author"], passage["training"]) for passage in story["passages"]]


async def test_nothing_is_free_unless_the_server_turned_learning_on(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.story()
    await world.play()
    await tell_as_member(world, MEMBERS)
    assert marks(world, tmp_path) == [("model", False), ("member", False)]
    assert "a backup, nothing to train on: the server's setting “training” is off" in capsys.readouterr().err
    await world.set(training="on")
    assert marks(world, tmp_path) == [("model", True), ("member", False)]
    said = capsys.readouterr().err
    assert "stories: 1, passages: 2, free for training: 1" in said
    assert "backup" not in said


@pytest.mark.parametrize("value", ["off", None])
async def test_learning_turned_off_holds_for_every_later_export(
    learning: World, tmp_path: Path, value: str | None
) -> None:
    await learning.play()
    assert marks(learning, tmp_path) == [("model", True)]
    await learning.services.settings.set(GUILD, None, "training", value, ANNA)
    assert marks(learning, tmp_path) == [("model", False)]


async def test_a_server_that_the_bot_has_left_allows_nothing(
    learning: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await learning.play()
    await learning.store.note_departure(GUILD, learning.clock.time)
    assert marks(learning, tmp_path) == [("model", False)]
    assert "no longer in this server" in capsys.readouterr().err
    await learning.store.forget_departure(GUILD)
    assert marks(learning, tmp_path) == [("model", True)]


async def test_a_light_rewrite_is_as_free_as_what_it_replaced(learning: World, tmp_path: Path) -> None:
    await learning.play()
    await tell_as_member(learning, MEMBERS)
    for passage in (1, 2):
        await learning.play(REWRITE, passage=passage, style=Style.LIGHT)
    assert marks(learning, tmp_path) == [("model", True), ("model", False)]


async def test_a_light_rewrite_of_a_light_rewrite_is_followed_back_to_who_wrote_anew(
    learning: World, tmp_path: Path
) -> None:
    await learning.play()
    await tell_as_member(learning, MEMBERS)
    for passage in (1, 2, 1, 2):  # with copies of passage 2 in between
        await learning.play(REWRITE, passage=passage, style=Style.LIGHT)
    assert marks(learning, tmp_path) == [("model", True), ("model", False)]


async def test_a_fresh_rewrite_of_a_members_passage_is_free_and_so_is_a_light_one_of_it(
    learning: World, tmp_path: Path
) -> None:
    await tell_as_member(learning, MEMBERS)
    await learning.play(REWRITE)
    assert marks(learning, tmp_path) == [("model", True)]
    await learning.play(REWRITE, style=Style.LIGHT)
    assert marks(learning, tmp_path) == [("model", True)]


async def test_a_member_who_rewrites_keeps_their_words(learning: World, tmp_path: Path) -> None:
    await learning.play()
    view = await learning.open(REWRITE)
    await learning.services.rounds.write(GUILD, CHANNEL, ANNA, MEMBERS, next(learning.interactions))
    view = await learning.services.rounds.view(view.round.id)
    await learning.vote(view, ANNA, next(c for c in view.candidates if c.text == MEMBERS))
    await learning.settle(view, forced_by=ANNA)
    assert marks(learning, tmp_path) == [("member", False)]


async def test_copies_are_what_their_originals_are(learning: World, tmp_path: Path) -> None:
    await learning.play()
    await tell_as_member(learning, MEMBERS)
    await learning.play()
    await learning.play(REWRITE, passage=2, style=Style.LIGHT)
    await tell_as_member(learning, "Then the whale sang, and everybody did.")
    await learning.play(REWRITE, passage=1)
    canon = (await learning.services.stories.show(CHANNEL)).passages
    assert [passage.copy_of is not None for passage in canon] == [False, True, True, True]
    assert marks(learning, tmp_path) == [("model", True), ("model", False), ("model", True), ("member", False)]


async def test_what_members_typed_around_the_story_is_never_free(learning: World, tmp_path: Path) -> None:
    await learning.services.stories.end(CHANNEL, ANNA)
    start = learning.services.stories.start
    await start(GUILD, CHANNEL, ANNA, "The Bell", "A bell of ice.", "old tale")
    await learning.play()
    (_, story) = export_stories(learning, tmp_path)
    assert (story["title"], story["premise"], story["tags"]) == ("The Bell", "A bell of ice.", ["old tale"])
    assert [story[f"{part}_training"] for part in ("title", "premise", "tags")] == [False] * 3


async def test_it_is_canon_alone_of_running_and_ended_stories_of_one_server(learning: World, tmp_path: Path) -> None:
    first = (await learning.play()).passage
    assert first is not None
    kept = (await learning.play(REWRITE)).passage
    await learning.services.stories.end(CHANNEL, ANNA)
    await learning.services.stories.start(2, 20, ANNA, "Elsewhere", "")
    await learning.story(title="The Second")
    await learning.open()
    assert kept is not None
    ended, running = export_stories(learning, tmp_path)
    assert [passage["text"] for passage in ended["passages"]] == [kept.text]
    assert first.text not in (tmp_path / "stories.json").read_text(encoding="utf-8")
    assert (running["title"], running["premise"], running["passages"]) == (
        "The Second",
        "A key that opens any door.",
        [],
    )
    assert [story["title"] for story in export_stories(learning, tmp_path, guild=2)] == ["Elsewhere"]
    assert export_stories(learning, tmp_path, guild=2)[0]["premise"] is None


async def test_a_deleted_server_is_unknown(learning: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await learning.play()
    await learning.store.purge_guild(GUILD)
    out = tmp_path / "stories.json"
    assert talewright("export", "stories", "--guild", GUILD, "--out", out, "--database", learning.path) == 1
    assert f"nothing of a server {GUILD}" in capsys.readouterr().err
    assert not out.exists()


async def test_no_member_is_named(world: World, tmp_path: Path) -> None:
    """With ids as long as Discord's, so that none of them stands there by chance."""
    anna, ben = 123456789012345678, 223456789012345678
    await world.services.stories.start(GUILD, CHANNEL, anna, "The Bell", "")
    await tell_as_member(world, MEMBERS, ben)
    text = json.dumps(export_stories(world, tmp_path))
    assert MEMBERS in text
    assert str(anna) not in text
    assert str(ben) not in text


async def test_lines_say_the_same_as_one_object(learning: World, tmp_path: Path) -> None:
    await learning.play()
    stories = export_stories(learning, tmp_path)
    out = tmp_path / "stories.jsonl"
    assert talewright("export", "stories", "--guild", GUILD, "--out", out, "--database", learning.path) == 0
    head, *lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    whole = json.loads((tmp_path / "stories.json").read_text(encoding="utf-8"))
    assert lines == stories == whole.pop("stories")
    assert head == whole == {"format": "talewright-community-export", "version": 1, "community": "Discord server 1"}


async def test_a_passage_that_no_vote_is_known_of_is_not_free(learning: World, tmp_path: Path) -> None:
    await learning.play()
    await learning.stop()
    connection = sqlite3.connect(learning.path)
    connection.executescript(
        """INSERT INTO passages (id, story_id, parent_id, text, source, created_at)
        SELECT 99, story_id, id, 'Found.', 'model', created_at FROM passages;
        UPDATE stories SET head_id = 99;"""
    )
    connection.close()
    assert marks(learning, tmp_path) == [("model", True), ("model", False)]
    await learning.start()


async def test_training_reads_what_is_free_and_nothing_else(learning: World, tmp_path: Path) -> None:
    community = pytest.importorskip("models.train.data.readers.community")
    settings = pytest.importorskip("models.train.data.settings")
    log = pytest.importorskip("models.train.data.readers.log").SourceLog()
    first = (await learning.play()).passage
    await tell_as_member(learning, MEMBERS)
    last = (await learning.play()).passage
    assert first is not None
    assert last is not None
    for name in ("stories.json", "stories.jsonl"):
        talewright("export", "stories", "--guild", GUILD, "--out", tmp_path / name, "--database", learning.path)
        source = settings.CommunitySource(kind="community", path=name)
        stories = [document.story for document in community.read_community(source, tmp_path, log)]
        assert [(story.text, story.title, story.premise, story.tags) for story in stories] == [
            (first.text, None, None, ()),
            (last.text, None, None, ()),
        ]
    assert log.notes["passages withheld (member)"] == log.notes["titles withheld"] == 2


async def test_memory_does_not_grow_with_the_number_of_stories(world: World, tmp_path: Path) -> None:
    """Records are made as they are written: with one story taken, no later one was read."""
    from bot.export.stories import StoryCounts, learning_of, story_records
    from bot.store.archive import Archive

    for number in range(3):
        await world.services.stories.start(GUILD, CHANNEL + number, ANNA, fresh_text(number), "")
    counts = StoryCounts()
    with Archive.open(world.path) as archive:
        records = story_records(archive, GUILD, learning_of(archive, GUILD), counts)
        next(records)
        assert counts.stories == 1
        assert len(list(records)) == 2
