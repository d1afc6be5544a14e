"""The bot is killed at each step of a `/rewrite` in the middle of a story, also between the rows of its close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store import Store
from bot.story.model import Draft, Passage, RoundKind, RoundSettings, RoundState, Source
from tests.flow.test_kill import (
    PUBLISHER,
    STORE,
    WORKER,
    Channel,
    begin_story,
    bot_process,
    count,
    standin,
    until_dead,
    worker_url,
)
from tests.wire.members import Member, text_of
from tests.wire.standin import StandIn

__all__ = ["standin", "worker_url"]  # the fixtures

WRITE_ONE = "bot.store.database:Transaction.write_one"
STEPS = [
    f"{STORE}.begin_round:after",
    f"{WORKER}.complete:after",
    f"{STORE}.open_ballot:before",
    f"{STORE}.open_ballot:after",
    f"{STORE}.close_round:before",
    # One row begins the round, four are candidates; then the close: the round's own, the new passage, and the copies.
    f"{WRITE_ONE}:after:6",
    f"{WRITE_ONE}:after:7",
    f"{WRITE_ONE}:after:8",
    f"{STORE}.close_round:after",
    f"{PUBLISHER}.announce:after",
]


class Rewriting(Channel):
    """Members who ask for another first passage."""

    command = "rewrite"
    told = "told anew:"


async def tell_passages(database: Path, story_id: int, member: Member, texts: Sequence[str]) -> list[Passage]:
    """What was told before the test begins, in the store alone; announced, so that no start has anything to say."""
    now, user_id = datetime.now(UTC), int(member.user["id"])
    async with Store.open(database) as store:
        for text in texts:
            round_ = await store.begin_round(
                *(story_id, RoundKind.CONTINUE, RoundSettings()),
                hint=None,
                opened_by=user_id,
                guild_id=member.guild_id,
                channel_id=member.channel_id,
                seed=1,
                now=now,
            )
            drafts = [Draft(text, Source.MODEL)]
            _, (candidate,) = await store.open_ballot(round_.id, drafts, 0, now + timedelta(minutes=1), now)
            await store.close_round(round_.id, "most votes", candidate.id, None, now)
            await store.mark_announced(round_.id, now)
        return await store.canon(story_id)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.partition(":")[2])
async def test_whatever_step_the_bot_dies_at_the_passage_is_rewritten_once_and_the_others_stay(
    step: str, standin: StandIn, worker_url: str, tmp_path: Path
) -> None:
    database = tmp_path / "stories.sqlite3"
    channel = Rewriting(standin, passage="1")
    story_id = await begin_story(database, channel.members[0])
    old = await tell_passages(database, story_id, channel.members[0], ["It began.", "It went on.", "It rained."])

    async with bot_process(standin, database, worker_url, die=step) as process:
        await until_dead(process, channel)
    if WRITE_ONE in step:
        assert count(database, "SELECT count(*) FROM passages") == 3, "nothing of the close is there, not even half"
        assert count(database, "SELECT count(*) FROM rounds WHERE state = 'open'") == 1
    was_announced = [text_of(m) for m in channel.announced]

    async with bot_process(standin, database, worker_url) as process:
        if was_announced:
            await channel.connected()
        else:
            await channel.play(ask=False)
    assert process.returncode == 0

    async with Store.open(database) as store:
        assert await store.unfinished_rounds() == []
        assert await store.unannounced_rounds() == []
        first, *others = await store.canon(story_id)
        round_ = await store.round(first.round_id or 0)
        assert (round_.state, round_.passage_id, round_.base_head_id) == (RoundState.CLOSED, old[0].id, old[-1].id)
        assert [(p.text, p.copy_of) for p in others] == [(p.text, p.id) for p in old[1:]]
        assert [await store.passage(passage.id) for passage in old] == old
        assert first.text in text_of(channel.announced[0])
    assert len(channel.announced) == 1
    assert count(database, "SELECT count(*) FROM passages") == 6
    assert count(database, "SELECT count(*) FROM rounds WHERE kind = 'rewrite'") == 1
