"""A worker that is down, busy, slow, refuses, breaks or talks nonsense; rounds that are cancelled under it."""

from __future__ import annotations

import asyncio
import random

import pytest

from bot.errors import (
    BadInput,
    NoRound,
    RoundOver,
    RoundRunning,
    WorkerBroken,
    WorkerBusy,
    WorkerDown,
    WorkerError,
    WorkerRefused,
    WorkerSlow,
)
from bot.filters import RuleSet
from bot.service.build import build_services
from bot.story.model import RoundState
from tests.bot.service.far_end import Answer, cut_off, nonsense, status
from tests.bot.service.world import ANNA, BEN, CHANNEL, World


async def assert_failed(world: World, error: type[WorkerError]) -> None:
    """The round fails with the sentence that its member gets, and the channel is free for the next one."""
    round_ = await world.begin()
    with pytest.raises(error) as failed:
        await world.services.rounds.generate(round_.id)
    ended = (await world.services.rounds.view(round_.id)).round
    assert (ended.state, ended.failure) == (RoundState.FAILED, str(failed.value))
    assert await world.services.rounds.unfinished() == []
    assert [one.id for one in await world.services.rounds.unannounced()] == [round_.id]
    world.far.script.clear()
    assert (await world.open()).round.state is RoundState.OPEN


async def test_a_worker_that_is_down_fails_the_round_at_once(world: World) -> None:
    await world.story()
    world.url = "http://127.0.0.1:9"  # the discard port: nobody listens there
    await world.restart()
    round_ = await world.begin()
    with pytest.raises(WorkerDown):
        await world.services.rounds.generate(round_.id)
    assert (await world.store.round(round_.id)).state is RoundState.FAILED


async def test_a_worker_that_is_still_loading_fails_the_round(world: World) -> None:
    await world.story()
    world.far.then(status(503, "loading"))
    await assert_failed(world, WorkerDown)


async def test_a_busy_worker_is_asked_again_when_it_said(world: World) -> None:
    await world.story()
    world.far.then(status(429, retry_after_s=3), status(429, retry_after_s=4))
    view = await world.open()
    assert len(view.candidates) == 3
    assert world.slept == [3, 4]


async def test_a_worker_that_stays_busy_is_given_up_within_the_bound(world: World) -> None:
    await world.story()
    world.far.then(*[status(429, retry_after_s=9)] * 9)
    await assert_failed(world, WorkerBusy)
    assert world.slept == [9, 9, 9]


async def test_a_worker_that_says_come_back_at_once_is_not_asked_without_end(world: World) -> None:
    await world.story()
    world.far.then(*[status(429, retry_after_s=0)] * 200)
    await assert_failed(world, WorkerBusy)
    assert sum(world.slept) <= 30


@pytest.mark.parametrize("fault", [status(500), cut_off, nonsense])
async def test_a_broken_answer_is_asked_for_once_more(world: World, fault: Answer) -> None:
    await world.story()
    world.far.then(fault)
    assert len((await world.open()).candidates) == 3
    assert len(world.far.asked) == 2


@pytest.mark.parametrize("fault", [status(500), cut_off, nonsense])
async def test_a_worker_that_stays_broken_fails_the_round(world: World, fault: Answer) -> None:
    await world.story()
    world.far.then(*[fault] * 3)
    await assert_failed(world, WorkerBroken)


async def test_a_refused_request_is_not_repeated(world: World) -> None:
    await world.story()
    world.far.then(status(400, "the prompt is too long"))
    round_ = await world.begin()
    with pytest.raises(WorkerRefused, match="storyteller") as failed:
        await world.services.rounds.generate(round_.id)
    assert "too long" in failed.value.detail
    assert len(world.far.asked) == 1


async def test_a_slow_worker_fails_the_round_and_is_told_to_stop(world: World) -> None:
    world.timeout_s = 1.5
    await world.restart()
    await world.story()
    world.far.gate.clear()
    round_ = await world.begin()
    with pytest.raises(WorkerSlow):
        await world.services.rounds.generate(round_.id)
    await world.far.hung_up.wait()
    assert (await world.store.round(round_.id)).state is RoundState.FAILED


async def test_a_format_that_we_do_not_know_fails_the_round(world: World) -> None:
    world.far.model["story_format"] = {"version": 99}
    await world.story()
    round_ = await world.begin()
    with pytest.raises(WorkerBroken):
        await world.services.rounds.generate(round_.id)
    assert (await world.store.round(round_.id)).state is RoundState.FAILED


async def test_a_length_that_leaves_the_model_no_room_fails_the_round_with_the_limit(world: World) -> None:
    world.far.model["max_model_len"] = 160
    await world.story()
    round_ = await world.begin()
    with pytest.raises(BadInput, match="160 tokens"):
        await world.services.rounds.generate(round_.id)
    assert (await world.store.round(round_.id)).state is RoundState.FAILED


async def test_an_error_of_our_own_fails_the_round_without_its_details(world: World) -> None:
    def broken_compiler(*_: object) -> RuleSet:
        raise ZeroDivisionError

    await world.story()
    round_ = await world.begin()
    broken = build_services(world.store, world.worker, broken_compiler, world.clock, random.Random(1))
    with pytest.raises(ZeroDivisionError):
        await broken.rounds.generate(round_.id)
    ended = await world.store.round(round_.id)
    assert ended.state is RoundState.FAILED
    assert ended.failure == "Something went wrong inside the bot. The host's log says what."


async def test_cancelling_a_round_stops_the_model_and_its_caller_learns_it(world: World) -> None:
    await world.story()
    world.far.gate.clear()
    round_ = await world.begin()
    generating = asyncio.create_task(world.services.rounds.generate(round_.id))
    await world.far.arrival()
    cancelled = await world.services.rounds.cancel(CHANNEL, BEN)
    assert (cancelled.id, cancelled.state, cancelled.closed_by) == (round_.id, RoundState.CANCELLED, BEN)
    with pytest.raises(RoundOver):
        await generating
    await world.far.hung_up.wait()
    world.far.gate.set()
    assert (await world.store.round(round_.id)).state is RoundState.CANCELLED
    assert (await world.open()).round.state is RoundState.OPEN


async def test_a_round_that_another_hand_cancelled_does_not_open(world: World) -> None:
    await world.story()
    world.far.gate.clear()
    round_ = await world.begin()
    generating = asyncio.create_task(world.services.rounds.generate(round_.id))
    await world.far.arrival()
    await world.store.cancel_round(round_.id, BEN, world.clock())
    world.far.gate.set()
    with pytest.raises(RoundOver):
        await generating


async def test_cancelling_an_open_round_leaves_canon_as_it_was(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    await world.services.rounds.cancel(CHANNEL, BEN)
    assert (await world.services.stories.show(CHANNEL)).passages == ()
    with pytest.raises(NoRound):
        await world.services.rounds.cancel(CHANNEL, BEN)
    with pytest.raises(NoRound):
        await world.services.rounds.result(view.round.id)


async def test_a_shutdown_leaves_the_round_generating(world: World) -> None:
    await world.story()
    world.far.gate.clear()
    round_ = await world.begin()
    generating = asyncio.create_task(world.services.rounds.generate(round_.id))
    await world.far.arrival()
    generating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await generating
    await world.far.hung_up.wait()
    assert (await world.store.round(round_.id)).state is RoundState.GENERATING
    world.far.gate.set()
    assert (await world.services.rounds.generate(round_.id)).round.state is RoundState.OPEN


async def test_one_round_is_generated_once_at_a_time_and_not_again(world: World) -> None:
    await world.story()
    world.far.gate.clear()
    round_ = await world.begin()
    generating = asyncio.create_task(world.services.rounds.generate(round_.id))
    await world.far.arrival()
    with pytest.raises(RoundRunning):
        await world.services.rounds.generate(round_.id)
    world.far.gate.set()
    await generating
    with pytest.raises(RoundOver):
        await world.services.rounds.generate(round_.id)
    assert len(world.far.asked) == 1
