"""The process ends between any two steps; the next one goes on from the database alone."""

from __future__ import annotations

import asyncio

import pytest

from bot.service.views import ResultView
from bot.story.model import NONE_OF_THESE, RoundState, Source
from tests.bot.service.world import ANNA, BEN, CHANNEL, GUILD, World


async def test_a_round_that_was_begun_is_generated_after_the_restart(world: World) -> None:
    await world.story()
    round_ = await world.begin(hint="an owl")
    await world.restart()
    (found,) = await world.services.rounds.unfinished()
    assert (found.id, found.state, found.hint) == (round_.id, RoundState.GENERATING, "an owl")
    view = await world.services.rounds.generate(found.id)
    assert len(view.candidates) == 3


async def test_a_round_that_was_with_the_model_is_asked_again(world: World) -> None:
    await world.story()
    world.far.gate.clear()
    round_ = await world.begin()
    dying = asyncio.create_task(world.services.rounds.generate(round_.id))
    await world.far.arrival()
    dying.cancel()
    await asyncio.wait([dying])
    world.far.gate.set()
    await world.restart()
    (found,) = await world.services.rounds.unfinished()
    assert (await world.services.rounds.generate(found.id)).round.state is RoundState.OPEN


async def test_a_held_text_is_still_held(world: World) -> None:
    await world.story()
    written = await world.services.rounds.write(GUILD, CHANNEL, BEN, "The owl kept the spare key.", 1)
    await world.restart()
    view = await world.services.rounds.generate(written.round.id)
    assert [c.text for c in view.candidates if c.source is Source.MEMBER] == ["The owl kept the spare key."]


async def test_an_open_ballot_keeps_its_votes_message_and_deadline(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.services.rounds.attach_message(view.round.id, 555)
    await world.vote(view, ANNA, view.candidates[0])
    await world.restart()
    (found,) = await world.services.rounds.unfinished()
    assert (found.state, found.message_id, found.deadline_at) == (RoundState.OPEN, 555, view.round.deadline_at)
    await world.vote(view, BEN, view.candidates[0])
    result = await world.settle(view)
    assert result.outcome.tally[view.candidates[0].id] == 2


async def test_a_deadline_that_passed_while_nobody_ran_is_due(world: World) -> None:
    await world.story()
    view = await world.open()
    for member in (ANNA, BEN):
        await world.vote(view, member, view.candidates[1])
    await world.stop()
    world.clock.advance(days=3)
    await world.start()
    assert await world.services.rounds.due() == [view.round.id]
    result = await world.settle(view)
    assert result.winner == view.candidates[1]


async def test_a_result_that_was_not_announced_is_found_and_stands_once(world: World) -> None:
    await world.story()
    played = await world.play()
    await world.restart()
    rounds = world.services.rounds
    (found,) = await rounds.unannounced()
    assert await rounds.conclude(found.id) == played
    await rounds.mark_announced(found.id)
    assert await rounds.unannounced() == []
    assert (await world.services.stories.show(CHANNEL)).passages == (played.passage,)


@pytest.mark.parametrize("is_begun", [False, True])
async def test_the_round_after_none_of_these_is_begun_once_whether_or_not_it_was_before(
    world: World, is_begun: bool
) -> None:
    await world.story()
    view = await world.open()
    await world.vote(view, ANNA, NONE_OF_THESE)
    if is_begun:
        await world.services.rounds.settle(view.round.id, forced_by=ANNA)
    else:  # as a process leaves it that dies between closing the round and beginning the next
        await world.store.close_round(view.round.id, "none of these led", None, ANNA, world.clock())
    await world.restart()
    rounds = world.services.rounds
    (found,) = await rounds.unannounced()
    first, again = await rounds.conclude(found.id), await rounds.conclude(found.id)
    assert isinstance(first, ResultView)
    assert first.next_round is not None
    assert first == again
    assert [one.id for one in await rounds.unfinished()] == [first.next_round.id]
    await rounds.generate(first.next_round.id)
    assert (await rounds.conclude(found.id)).next_round is None


async def test_cancelled_and_failed_rounds_wait_to_be_announced_too(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.services.rounds.cancel(CHANNEL, ANNA)
    await world.restart()
    (found,) = await world.services.rounds.unannounced()
    assert (found.id, found.state) == (view.round.id, RoundState.CANCELLED)
    assert (await world.services.rounds.view(found.id)).tally is None
