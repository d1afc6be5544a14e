"""When Discord does not do what it should: messages that are gone, tokens that ran out, permissions, faults."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord
import pytest

from bot.discord_app.redraws import FIRST_RETRY_S, MAX_RETRIES
from tests.bot.discord_app.stage import Stage

FIFTEEN_MINUTES = 15 * 60


async def test_a_ballot_that_comes_after_the_token_has_run_out_still_replaces_the_placeholder(stage: Stage) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    stage.env.settle_timeout = 1
    result = await stage.ask()
    stage.env.backend.clock.advance(FIFTEEN_MINUTES)
    stage.far.gate.set()
    await stage.until(lambda: bool(stage.buttons(stage.messages[-1])))
    assert stage.ballot.id == result.response.id
    assert len(stage.messages) == 2


async def test_a_ballot_whose_placeholder_was_deleted_is_posted_anew(stage: Stage) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    result = await stage.ask()
    placeholder = result.response.id
    await stage.mod.delete(stage.messages[-1])
    stage.far.gate.set()
    await stage.until(lambda: bool(stage.buttons(stage.messages[-1])))
    assert stage.ballot.id != placeholder
    await stage.win()
    assert "goes on" in stage.messages[-1].content
    assert "chosen" in stage.text(stage.messages[-2])


async def test_a_deleted_ballot_stays_deleted_and_its_result_is_told(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "A")
    await stage.mod.delete(stage.ballot)
    await stage.mod.slash(stage.channel, "round close")
    assert "goes on" in stage.messages[-1].content
    assert len(stage.messages) == 2


async def test_a_drawing_that_fails_is_tried_again_later(stage: Stage) -> None:
    await stage.story()
    stage.env.inject_error("PATCH", "/webhooks/*", status=500)
    await stage.ask()
    assert "Writing" in stage.text(stage.messages[-1])
    await stage.env.advance_time(FIRST_RETRY_S + 1)
    assert stage.ballot


async def test_an_announcement_that_fails_is_tried_again_and_told_once(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    stage.env.inject_error("POST", "/channels/*/messages", status=500, times=2)
    await stage.win()
    assert not any("goes on" in m.content for m in stage.messages)
    await stage.env.advance_time(FIRST_RETRY_S + 1)
    assert not any("goes on" in m.content for m in stage.messages)
    await stage.env.advance_time(2 * FIRST_RETRY_S + 1)
    assert sum("goes on" in m.content for m in stage.messages) == 1
    await stage.env.advance_time(3600)
    assert sum("goes on" in m.content for m in stage.messages) == 1


async def test_a_drawing_that_never_works_is_given_up_and_said_so(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.settings(minutes=600)
    await stage.story()
    stage.env.inject_error("PATCH", "*", status=500, times=None)
    await stage.ask()
    before = len(stage.env.http_requests)
    await stage.env.advance_time(FIRST_RETRY_S * 2**MAX_RETRIES)
    assert "not drawn any more" in caplog.text
    assert 5 < len(stage.env.http_requests) - before < 30
    stage.env.backend.faults.clear()


async def test_a_permission_taken_away_meanwhile_is_named(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    result = await stage.ask()
    await stage.mod.delete(stage.messages[-1])
    stage.forbid_bot("send_messages")
    stage.far.gate.set()
    await stage.until(lambda: bool(result.followups))
    (private,) = result.followups
    assert private.ephemeral
    assert f"“Send Messages” in <#{stage.channel.id}>" in private.content
    assert "Send Messages" in caplog.text


async def test_a_vote_in_an_archived_thread_is_drawn_in_a_new_message(stage: Stage) -> None:
    thread = await stage.open_thread()
    await stage.ada.slash(thread, "story start", title="In a thread")
    result = await stage.ada.slash(thread, "continue")
    stage.env.inject_error("PATCH", f"/channels/{thread.id}/messages/*", status=400, code=50083)
    await stage.ben.click(result.response, label="Vote A")
    newest = max(thread.history(), key=lambda message: message.id)
    assert newest.id != result.response.id
    assert "1 member has voted" in stage.text(newest)


@pytest.mark.parametrize(("status", "code"), [(404, 10062), (400, 40060), (500, 0)])
async def test_a_command_whose_answer_fails_still_gets_its_ballot(stage: Stage, status: int, code: int) -> None:
    await stage.story()
    stage.env.inject_error("POST", "/interactions/*/callback", status=status, code=code)
    await stage.ask()
    assert stage.ballot.id == stage.messages[-1].id
    assert len(stage.messages) == 2


async def test_failed_followups_do_not_stop_a_round(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await stage.story()
    await stage.replace_worker("http://127.0.0.1:9")
    stage.env.inject_error("POST", "/webhooks/*", status=401, code=50027)
    await stage.ask()
    assert "This round has no candidates" in stage.text(stage.messages[-1])
    assert "could not be told" in caplog.text


async def test_nothing_that_the_bot_sends_wakes_anybody(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    await stage.win()
    silent = discord.MessageFlags(suppress_notifications=True).value
    posts = [r for r in stage.env.http_requests if r.method == "POST" and r.path.endswith("/messages")]
    assert posts
    assert all(int(r.json["flags"]) & silent for r in posts)


async def test_a_redraw_that_comes_after_the_close_tells_nothing_again(stage: Stage) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "A")
    await stage.vote(stage.ben, "A")  # this one is drawn a little later
    await stage.mod.slash(stage.channel, "round close")
    await stage.env.advance_time(60)
    posts = [r for r in stage.env.http_requests if r.method == "POST" and r.path.endswith("/messages")]
    assert len(posts) == 1
    assert "goes on" in posts[0].json["content"]


async def test_a_slow_drawing_never_overwrites_a_newer_one(stage: Stage) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "A")
    (round_,) = await stage.services.rounds.unfinished()
    conductor, publisher = stage.bot.conductor, stage.bot.conductor._publisher
    draw, may_go_on, has_begun = publisher.draw, asyncio.Event(), asyncio.Event()

    async def slowly(*args: Any, **options: Any) -> int | None:
        if not has_begun.is_set():
            has_begun.set()
            await may_go_on.wait()
        return await draw(*args, **options)

    publisher.draw = slowly  # type: ignore[method-assign]
    older = asyncio.create_task(conductor.show(round_.id))
    await has_begun.wait()
    await stage.services.rounds.settle(round_.id, forced_by=stage.mod.id)
    newer = asyncio.create_task(conductor.show(round_.id))
    for _ in range(50):  # time enough for the newer drawing to overtake, if it could
        await asyncio.sleep(0.001)
    may_go_on.set()
    await asyncio.gather(older, newer)
    assert "Voting is closed" in "\n".join(stage.text(message) for message in stage.messages)
    labels = [label for message in stage.messages for label in stage.buttons(message)]
    assert labels == ["Report…"] * 2, "under the closed ballot and the new canon"
