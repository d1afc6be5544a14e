from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import NoStory, RoundRunning, StoreError, StoryRunning
from bot.store import Store
from bot.story.model import RoundKind, Source
from tests.bot.store.world import ALICE, BOB, CHANNEL, GUILD, LATER, NOW, begin, close, open_ballot, play, start


async def test_a_story_is_read_back_as_it_was_written(store: Store) -> None:
    story = await store.start_story(GUILD, CHANNEL, "Der Hügel 🦊", "", ALICE, NOW)

    assert (story.title, story.premise, story.head_id, story.started_by) == ("Der Hügel 🦊", "", None, ALICE)
    assert (story.started_at, story.ended_at, story.is_running) == (NOW, None, True)
    assert await store.story(story.id) == story == await store.running_story(CHANNEL)


async def test_a_style_is_kept_with_its_story(store: Store) -> None:
    story = await store.start_story(GUILD, CHANNEL, "The Hill", "", ALICE, NOW, style="old tale")
    assert story.style == "old tale"
    assert (await store.story(story.id)).style == "old tale"
    [line] = await store.stories_of_guild(GUILD, 10)
    assert line.story.style == "old tale"


async def test_a_channel_has_one_running_story_and_the_refusal_names_it(store: Store) -> None:
    await start(store)
    with pytest.raises(StoryRunning, match="The Hill"):
        await start(store, title="Another")
    assert (await start(store, channel_id=CHANNEL + 1)).title == "The Hill"


async def test_an_ended_story_makes_room_and_keeps_its_canon(store: Store) -> None:
    story = await start(store)
    closed = await play(store, story)
    ended = await store.end_story(story.id, BOB, LATER)

    assert (ended.ended_at, ended.is_running) == (LATER, False)
    assert await store.running_story(CHANNEL) is None
    assert await store.canon(story.id) == [closed.passage]
    assert (await start(store, title="The Next")).id != story.id


async def test_a_story_ends_once_and_not_under_a_round(store: Store) -> None:
    story = await start(store)
    round_ = await begin(store, story)
    await store.set_message(round_.id, 99)
    with pytest.raises(RoundRunning) as refusal:
        await store.end_story(story.id, ALICE, NOW)
    assert (refusal.value.channel_id, refusal.value.message_id) == (CHANNEL, 99)

    await store.cancel_round(round_.id, ALICE, NOW)
    await store.end_story(story.id, ALICE, NOW)
    with pytest.raises(NoStory, match="has ended"):
        await store.end_story(story.id, ALICE, NOW)


@pytest.mark.parametrize("story_id", [0, 1, -1])
async def test_an_unknown_story_is_refused(store: Store, story_id: int) -> None:
    with pytest.raises(NoStory):
        await store.story(story_id)
    with pytest.raises(NoStory):
        await store.end_story(story_id, ALICE, NOW)
    assert await store.canon(story_id) == []


async def test_the_list_of_a_server_counts_canon_and_not_the_branches_beside_it(store: Store) -> None:
    first = await start(store, title="First")
    await play(store, first)
    await play(store, first)
    await play(store, first, kind=RoundKind.REWRITE)  # a third passage, beside the second
    await store.end_story(first.id, ALICE, NOW)
    await start(store, title="Second")
    await start(store, guild_id=GUILD + 1, channel_id=CHANNEL + 1, title="Elsewhere")

    lines = await store.stories_of_guild(GUILD, limit=10)
    assert [(line.story.title, line.num_passages) for line in lines] == [("Second", 0), ("First", 2)]
    assert await store.stories_of_guild(GUILD, limit=1, offset=1) == lines[1:]
    assert await store.stories_of_guild(GUILD, limit=1, offset=2) == []


async def test_a_rewrite_stands_beside_the_old_passage_which_stays(store: Store) -> None:
    story = await start(store)
    first, second = (await play(store, story)).passage, (await play(store, story, winner=1)).passage
    assert first is not None
    assert second is not None
    rewritten = (await play(store, story, winner=2, kind=RoundKind.REWRITE)).passage

    assert rewritten is not None
    assert (rewritten.parent_id, rewritten.source, rewritten.created_at) == (first.id, Source.MODEL, LATER)
    assert await store.canon(story.id) == [first, rewritten]
    assert await store.passage(second.id) == second


async def test_the_very_first_passage_can_be_rewritten(store: Store) -> None:
    story = await start(store)
    await play(store, story)
    rewritten = (await play(store, story, kind=RoundKind.REWRITE)).passage
    assert rewritten is not None
    assert rewritten.parent_id is None
    assert await store.canon(story.id) == [rewritten]


async def test_a_token_count_is_filled_in_once(store: Store) -> None:
    story = await start(store)
    passage = (await play(store, story)).passage
    assert passage is not None
    assert passage.token_count is None

    await store.set_token_count(passage.id, 0)
    await store.set_token_count(passage.id, 41)
    assert (await store.passage(passage.id)).token_count == 0
    with pytest.raises(StoreError, match="no passage 12345"):
        await store.passage(12345)


async def test_the_passage_of_a_round_is_there_after_its_close(store: Store) -> None:
    story = await start(store)
    round_, candidates = await open_ballot(store, story)
    assert await store.passage_of_round(round_.id) is None
    closed = await close(store, round_, candidates[1])
    assert closed.passage is not None
    assert closed.passage.text == candidates[1].text
    assert await store.passage_of_round(round_.id) == closed.passage


async def test_canon_of_five_thousand_passages_is_one_quick_read(store: Store, path: Path) -> None:
    """Also after branching: beside each tenth passage stands another that canon does not follow."""
    story = await start(store)
    count = 5_000
    async with store._database.transaction() as tx:
        parent: int | None = None
        for number in range(count):
            row = await tx.write_one(
                """INSERT INTO passages (story_id, parent_id, text, source, created_at)
                VALUES (?, ?, ?, 'model', ?) RETURNING id""",
                *(story.id, parent, f"Passage {number}.", NOW.isoformat()),
            )
            if number % 10 == 0:
                await tx.execute(
                    """INSERT INTO passages (story_id, parent_id, text, source, created_at)
                    VALUES (?, ?, 'A branch.', 'model', ?)""",
                    *(story.id, parent, NOW.isoformat()),
                )
            parent = row["id"]
        await tx.execute("UPDATE stories SET head_id = ? WHERE id = ?", parent, story.id)

    steps = await _num_steps(store, story.id)
    canon = await store.canon(story.id)

    assert [passage.text for passage in canon] == [f"Passage {number}." for number in range(count)]
    assert count < steps < 90 * count, "linear in canon's length, whatever the clock of this machine says"
    [line] = await store.stories_of_guild(GUILD, limit=5)
    assert line.num_passages == count


async def _num_steps(store: Store, story_id: int) -> int:
    """How many steps of SQLite's machine reading canon takes, to the nearest thousand."""
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    reader = store._database._reader._raw
    await reader.set_progress_handler(count, 1_000)
    await store.canon(story_id)
    await reader.set_progress_handler(lambda: None, 0)
    return counted[0] * 1_000


async def test_times_come_back_in_utc_and_naive_ones_are_refused(store: Store) -> None:
    local = datetime.fromisoformat("2026-01-31T10:30:00.000001+01:00")
    story = await store.start_story(GUILD, CHANNEL, "T", "", ALICE, local)
    assert story.started_at == local
    assert story.started_at.isoformat() == "2026-01-31T09:30:00.000001+00:00"
    with pytest.raises(ValueError, match="without a time zone"):
        await store.end_story(story.id, ALICE, local.replace(tzinfo=None))
    assert (await store.story(story.id)).is_running


async def test_values_that_sqlite_cannot_hold_are_store_errors(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.story(2**63)
    with pytest.raises(StoreError):
        await store.start_story(GUILD, CHANNEL, "half a pair: \ud800", "", ALICE, NOW)
    assert await store.running_story(CHANNEL) is None
