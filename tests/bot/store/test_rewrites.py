"""Rewrites in the middle: the new passage stands beside the old one, and what followed follows it too."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.errors import BadInput, StoreError
from bot.store import Store, passages
from bot.store.database import Database
from bot.store.migrations import bundled
from bot.story.model import Draft, Passage, RoundKind, RoundState, Source, Story, Style
from tests.bot.store.world import ALICE, BOB, CHANNEL, LATER, NOW, begin, close, model_drafts, open_ballot, play, start

REWRITE = RoundKind.REWRITE


async def tell(store: Store, length: int) -> tuple[Story, list[Passage]]:
    """A story of so many passages, the second one by a member."""
    story = await start(store)
    for number in range(length):
        round_ = await begin(store, story)
        drafts = [Draft(f"Passage {number + 1}.", Source.MODEL)]
        if number == 1:
            drafts = [Draft("Passage 2.", Source.MEMBER, BOB)]
        _, candidates = await store.open_ballot(round_.id, drafts, 0, LATER, NOW)
        await close(store, round_, candidates[0])
    canon = await store.canon(story.id)
    for passage in canon[:-1]:
        await store.set_token_count(passage.id, passage.id + 100)
    return story, await store.canon(story.id)


def texts(canon: list[Passage]) -> list[str]:
    return [passage.text for passage in canon]


async def move_head(store: Store, story: Story, head_id: int | None) -> None:
    async with store._database.transaction() as tx:
        await tx.execute("UPDATE stories SET head_id = ? WHERE id = ?", head_id, story.id)


async def test_a_round_keeps_which_passage_it_rewrites_and_how(store: Store) -> None:
    story, canon = await tell(store, 3)
    round_ = await begin(store, story, REWRITE, passage_id=canon[1].id, style=Style.LIGHT)
    assert (round_.passage_id, round_.parent_id, round_.base_head_id) == (canon[1].id, canon[0].id, canon[2].id)
    assert round_.style is Style.LIGHT
    assert round_.is_in_the_middle
    assert await store.round(round_.id) == round_


async def test_without_a_passage_named_it_is_the_last_one(store: Store) -> None:
    story, canon = await tell(store, 2)
    round_ = await begin(store, story, REWRITE)
    assert (round_.passage_id, round_.style, round_.is_in_the_middle) == (canon[1].id, Style.FRESH, False)


async def test_a_new_version_in_the_middle_is_followed_by_what_followed_the_old_one(store: Store) -> None:
    story, old = await tell(store, 4)
    closed = await play(store, story, 2, REWRITE, passage_id=old[0].id)
    new = await store.canon(story.id)
    assert texts(new) == ["Text 2.", "Passage 2.", "Passage 3.", "Passage 4."]
    assert closed.passage == new[0]
    assert (new[0].parent_id, new[0].copy_of, new[0].round_id) == (None, None, closed.round.id)
    assert (await store.story(story.id)).head_id == new[-1].id
    for copy, original, parent in zip(new[1:], old[1:], new, strict=False):
        assert (copy.copy_of, copy.copied_in, copy.round_id) == (original.id, closed.round.id, None)
        assert (copy.source, copy.author_user_id) == (original.source, original.author_user_id)
        assert copy.token_count == original.token_count
        assert (copy.parent_id, copy.created_at) == (parent.id, LATER)
    assert [await store.passage_number(passage.id) for passage in new] == [1, 2, 3, 4]


async def test_the_old_branch_stays_whole_and_the_round_tells_the_way_back_and_forth(store: Store) -> None:
    """Undo is the head moved to the round's `base_head_id`, redo the head moved to the last passage that it made."""
    story, old = await tell(store, 4)
    closed = await play(store, story, 0, REWRITE, passage_id=old[1].id)
    new = await store.canon(story.id)

    head = new[-1]
    made_by = head.round_id or head.copied_in
    assert made_by == closed.round.id
    await move_head(store, story, closed.round.base_head_id)
    assert await store.canon(story.id) == old
    await move_head(store, story, head.id)
    assert await store.canon(story.id) == new


async def test_what_the_old_branch_says_can_be_gone_on_with(store: Store) -> None:
    story, old = await tell(store, 3)
    await play(store, story, 0, REWRITE, passage_id=old[0].id)
    await move_head(store, story, old[-1].id)
    await play(store, story)
    assert texts(await store.canon(story.id)) == [*texts(old), "Text 0."]


async def test_a_copy_can_be_rewritten_and_copies_name_originals_never_copies(store: Store) -> None:
    story, old = await tell(store, 4)
    await play(store, story, 0, REWRITE, passage_id=old[0].id)
    first = await store.canon(story.id)
    closed = await play(store, story, 1, REWRITE, passage_id=first[1].id)
    second = await store.canon(story.id)
    assert texts(second) == ["Text 0.", "Text 1.", "Passage 3.", "Passage 4."]
    assert second[0] == first[0]
    assert [passage.copy_of for passage in second] == [None, None, old[2].id, old[3].id]
    assert {passage.copied_in for passage in second[2:]} == {closed.round.id}
    await play(store, story)
    assert texts(await store.canon(story.id))[-2:] == ["Passage 4.", "Text 0."]


async def test_a_rewrite_of_the_last_passage_copies_nothing(store: Store) -> None:
    story, old = await tell(store, 3)
    await play(store, story, 0, REWRITE, passage_id=old[-1].id)
    assert all(passage.copy_of is None for passage in await store.canon(story.id))


async def test_an_incumbent_that_wins_in_the_middle_changes_nothing(store: Store) -> None:
    story, old = await tell(store, 3)
    closed = await play(store, story, 3, REWRITE, passage_id=old[1].id)
    assert (closed.round.state, closed.passage) == (RoundState.CLOSED, None)
    assert await store.canon(story.id) == old


async def test_a_winner_in_the_middle_is_not_added_where_canon_has_moved(store: Store) -> None:
    story, old = await tell(store, 3)
    round_, candidates = await open_ballot(store, story, REWRITE, passage_id=old[0].id)
    await move_head(store, story, old[1].id)
    closed = await close(store, round_, candidates[0])
    assert closed.round.state is RoundState.CANCELLED
    assert await store.canon(story.id) == old[:2]


async def test_only_what_is_canon_can_be_rewritten(store: Store) -> None:
    story, old = await tell(store, 2)
    await play(store, story, 0, REWRITE, passage_id=old[0].id)
    elsewhere = await start(store, CHANNEL + 1)
    other = (await play(store, elsewhere)).passage
    assert other is not None
    for passage_id in (old[0].id, old[1].id, other.id, 4_000):
        with pytest.raises(BadInput, match="not part of the story") as refused:
            await begin(store, story, REWRITE, hint="more rain", passage_id=passage_id)
        assert refused.value.text == "more rain"
    assert await store.unfinished_round(story.id) is None


async def test_closing_a_rewrite_in_the_middle_twice_copies_once(store: Store) -> None:
    story, old = await tell(store, 3)
    round_, candidates = await open_ballot(store, story, REWRITE, passage_id=old[0].id)
    first, second = await close(store, round_, candidates[0]), await close(store, round_, candidates[1])
    assert (first.is_new, second.is_new, second.passage) == (True, False, first.passage)
    assert texts(await store.canon(story.id)) == ["Text 0.", "Passage 2.", "Passage 3."]


async def test_a_close_that_fails_while_copying_leaves_everything_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, old = await tell(store, 3)
    round_, candidates = await open_ballot(store, story, REWRITE, passage_id=old[0].id)
    with monkeypatch.context() as patch:
        patch.setattr(passages, "COPY_FOLLOWING", passages.COPY_FOLLOWING.replace("original, ?4", "?3, ?4"))
        with pytest.raises(StoreError, match="a copy is made by"):
            await close(store, round_, candidates[0])
    assert (await store.round(round_.id)).state is RoundState.OPEN
    assert await store.canon(story.id) == old
    assert await store.passage_of_round(round_.id) is None
    assert (await close(store, round_, candidates[0])).is_new


async def test_the_list_counts_what_is_told_and_not_what_stands_beside(store: Store) -> None:
    story, old = await tell(store, 4)
    await play(store, story, 0, REWRITE, passage_id=old[0].id)
    [line] = await store.stories_of_guild(story.guild_id, limit=5)
    assert line.num_passages == 4


async def test_a_long_story_is_rewritten_from_its_first_passage(store: Store) -> None:
    story = await start(store)
    async with store._database.transaction() as tx:
        parent: int | None = None
        for number in range(1_500):
            row = await tx.write_one(
                """INSERT INTO passages (story_id, parent_id, text, source, created_at)
                VALUES (?, ?, ?, 'model', '2026-01-31T09:30:00.000000+00:00') RETURNING id""",
                *(story.id, parent, f"Line {number}."),
            )
            parent = row["id"]
        await tx.execute("UPDATE stories SET head_id = ? WHERE id = ?", parent, story.id)
    old = await store.canon(story.id)
    await play(store, story, 0, REWRITE, passage_id=old[0].id)
    assert texts(await store.canon(story.id)) == ["Text 0.", *texts(old)[1:]]


async def test_ids_go_on_after_copies(store: Store) -> None:
    story, old = await tell(store, 3)
    await play(store, story, 0, REWRITE, passage_id=old[0].id)
    last = (await store.canon(story.id))[-1].id
    played = await play(store, await start(store, CHANNEL + 1))
    assert played.passage is not None
    assert played.passage.id > last


async def test_a_file_from_before_keeps_its_rewrites_and_they_go_on(path: Path) -> None:
    """A rewrite that was open under the earlier schema names the last passage, and is closed under the new one."""
    await (await Database.open(path, bundled()[:4])).close()
    connection = sqlite3.connect(path)
    connection.executescript(EARLIER)
    connection.close()
    async with Store.open(path) as store:
        closed, running = await store.round(1), await store.round(2)
        assert (closed.passage_id, closed.style) == (None, Style.FRESH)
        assert (await store.story(1)).style == ""
        assert (running.passage_id, running.is_in_the_middle) == (2, False)
        [new, old] = await store.candidates(2)
        assert old.source is Source.INCUMBENT
        await store.close_round(2, "lead", new.id, ALICE, LATER)
        canon = await store.canon(1)
        assert texts(canon) == ["p1", "c3"]
        assert canon[0].copy_of is None
        story = await store.story(1)
        await store.open_ballot(
            (await begin(store, story, REWRITE, passage_id=canon[0].id)).id, model_drafts(), 0, LATER, NOW
        )


EARLIER = """
PRAGMA foreign_keys = ON;
INSERT INTO stories (id, guild_id, channel_id, title, premise, started_by, started_at)
    VALUES (1, 700, 800, 'One', '', 1, '2026-01-31T09:30:00.000000+00:00');
INSERT INTO passages (id, story_id, text, source, created_at)
    VALUES (1, 1, 'p1', 'model', '2026-01-31T09:30:00.000000+00:00');
UPDATE stories SET head_id = 1 WHERE id = 1;
INSERT INTO rounds
    (id, story_id, kind, settings, opened_by, guild_id, channel_id, parent_id, base_head_id, seed, opened_at)
    VALUES (1, 1, 'continue', '{"method": "approval", "tally": "hidden"}', 1, 700, 800, 1, 1, 0,
        '2026-01-31T09:30:00.000000+00:00');
UPDATE rounds SET state = 'open', deadline_at = '2026-01-31T09:40:00.000000+00:00' WHERE id = 1;
INSERT INTO candidates (id, round_id, position, text, source) VALUES (1, 1, 0, 'c1', 'model');
UPDATE rounds SET state = 'closed', closed_at = '2026-01-31T09:40:00.000000+00:00', rule = 'lead', winner_id = 1;
INSERT INTO passages (id, story_id, parent_id, text, source, round_id, created_at)
    VALUES (2, 1, 1, 'c1', 'model', 1, '2026-01-31T09:40:00.000000+00:00');
UPDATE stories SET head_id = 2 WHERE id = 1;
INSERT INTO rounds
    (id, story_id, kind, settings, opened_by, guild_id, channel_id, parent_id, base_head_id, seed, opened_at)
    VALUES (2, 1, 'rewrite', '{"method": "approval", "tally": "hidden"}', 1, 700, 800, 1, 2, 0,
        '2026-01-31T09:50:00.000000+00:00');
UPDATE rounds SET state = 'open', deadline_at = '2026-01-31T10:00:00.000000+00:00' WHERE id = 2;
INSERT INTO candidates (id, round_id, position, text, source, passage_id)
    VALUES (2, 2, 0, 'c3', 'model', NULL), (3, 2, 1, 'c1', 'incumbent', 2);
"""
