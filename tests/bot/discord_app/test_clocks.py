"""What runs by itself: the dispatcher of deadlines, the redraws, and the watch under both."""

from __future__ import annotations

import asyncio

import pytest

from bot.discord_app.sync import Synced, digest_of
from bot.discord_app.watch import LONGEST_NAP_S, RETRY_S, Watch
from bot.errors import StoreError
from tests.bot.discord_app.stage import Parts, Stage, now


async def test_a_watch_survives_any_error_and_says_when_it_last_worked(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    steps: list[int] = []

    async def step() -> float:
        steps.append(len(steps))
        if len(steps) == 2:
            raise ValueError("a bad step")
        return 10.0

    watch = Watch(stage.bot, "test", step, now)
    assert not watch.is_running
    with stage.env._bot_scope():
        watch.start()
        watch.start()
    await stage.env.settle()
    first = watch.last_success
    assert steps == [0]
    assert first is not None
    await stage.env.advance_time(11)
    assert steps == [0, 1]
    assert watch.last_success == first
    assert "a bad step" in caplog.text
    await stage.env.advance_time(RETRY_S + 1)
    assert steps == [0, 1, 2]
    assert watch.last_success > first
    await watch.stop()
    assert not watch.is_running


async def test_a_ring_wakes_a_watch_at_once_and_one_during_a_step_is_not_lost(stage: Stage) -> None:
    steps: list[int] = []

    async def step() -> float:
        steps.append(len(steps))
        if len(steps) == 2:
            watch.ring()
        return 1e9

    watch = Watch(stage.bot, "test", step, now)
    with stage.env._bot_scope():
        watch.start()
    await stage.env.settle()
    assert len(steps) == 1
    watch.ring()
    await stage.env.settle()
    assert len(steps) == 3
    await stage.env.advance_time(LONGEST_NAP_S + 1)
    assert len(steps) == 4  # a clock that was set back can hide a deadline for a nap at most
    await watch.stop()


async def test_naps_leave_no_listeners_behind(stage: Stage) -> None:
    await stage.env.advance_time(20 * LONGEST_NAP_S)
    listeners = [future for found in stage.bot._listeners.values() for future, _ in found]
    watches = [value.watch for value in vars(stage.bot).values() if isinstance(getattr(value, "watch", None), Watch)]
    assert len(watches) == 5
    assert len(listeners) <= len(watches), "one each, for the nap that it is taking"


async def test_the_dispatcher_goes_on_after_a_database_error(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "A")
    await stage.vote(stage.ben, "A")
    settle, failures = stage.services.rounds.settle, [StoreError("disk full"), StoreError("disk full")]

    async def sometimes(round_id: int, *, forced_by: int | None = None) -> object:
        if failures:
            raise failures.pop()
        return await settle(round_id, forced_by=forced_by)

    stage.services.rounds.settle = sometimes  # type: ignore[method-assign,assignment]
    await stage.env.advance_time(601)
    assert "could not be settled" in caplog.text
    assert stage.ballot
    await stage.env.advance_time(3 * RETRY_S)
    assert "goes on" in stage.messages[-1].content
    assert not failures


async def test_one_round_that_cannot_be_settled_does_not_hold_up_another(stage: Stage) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    broken = (await stage.services.rounds.unfinished())[0].id
    await stage.ada.slash(stage.other, "story start", title="Elsewhere")
    result = await stage.ada.slash(stage.other, "continue")
    for member in (stage.ada, stage.ben):
        await member.click(result.response, label="Vote A")
    settle = stage.services.rounds.settle

    async def not_that_one(round_id: int, *, forced_by: int | None = None) -> object:
        if round_id == broken:
            raise StoreError("damaged")
        return await settle(round_id, forced_by=forced_by)

    stage.services.rounds.settle = not_that_one  # type: ignore[method-assign,assignment]
    await stage.env.advance_time(601)
    assert "chosen" in stage.text(result.response)


async def test_the_bot_is_well_while_it_is_connected_and_watching(stage: Stage) -> None:
    await stage.env.settle()
    assert stage.bot.is_well()
    await stage.bot.deadlines.watch.stop()
    await stage.env.advance_time(4 * LONGEST_NAP_S)
    assert not stage.bot.is_well()


async def test_closing_waits_for_a_round_that_is_being_written(stage: Stage) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    await stage.ask()
    closing = asyncio.create_task(stage.bot.close())
    await asyncio.sleep(0)
    assert not closing.done()
    stage.far.gate.set()
    await closing
    assert stage.ballot
    assert stage.bot.work.num_tasks == 0
    await stage.bot.close()  # twice is fine


async def test_closing_gives_up_on_what_takes_too_long_and_a_restart_takes_it_up(stage: Stage) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    await stage.ask()
    await stage.bot.work.drain(0.01)
    assert stage.bot.work.num_tasks == 0
    (round_,) = await stage.services.rounds.unfinished()
    assert round_.state == "generating"
    await stage.restart()
    stage.far.gate.set()
    await stage.until(lambda: bool(stage.buttons(stage.messages[-1])))


async def test_closing_draws_the_votes_that_were_still_to_be_drawn(stage: Stage) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "A")
    await stage.vote(stage.ben, "A")
    assert "1 member has voted" in stage.text(stage.ballot)
    await stage.bot.close()
    assert "2 members have voted" in stage.text(stage.ballot)


async def test_a_bot_that_never_connected_can_be_closed(parts: Parts) -> None:
    await parts.bot.close()
    await parts.close()


async def test_the_digest_of_commands_depends_on_commands_and_application(stage: Stage) -> None:
    digest = digest_of(stage.bot.tree, 1)
    assert digest == digest_of(stage.bot.tree, 1)
    assert digest != digest_of(stage.bot.tree, 2)
    stage.bot.tree.remove_command("about")
    assert digest != digest_of(stage.bot.tree, 1)


def test_what_is_kept_about_commands_survives_its_json() -> None:
    kept = Synced("abc", {"continue": 2**62})
    assert Synced.from_json(kept.to_json()) == kept
