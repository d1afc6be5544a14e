"""Votes, and how rounds end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import BadInput, NoRound, RoundOver
from bot.service.sampling import MAX_REROLLS
from bot.service.views import BallotView, Extended, ResultView
from bot.story.election import Result, Rule
from bot.story.model import NONE_OF_THESE, RoundState
from tests.bot.service.world import ANNA, BEN, CARA, CHANNEL, DORA, World


async def click(
    world: World, view: BallotView, user_id: int, choice: int, after_s: float, interaction: int = 0
) -> bool:
    """A click `after_s` after the clock's time; whether it was taken for half of a double click."""
    at = world.clock() + timedelta(seconds=after_s)
    number = interaction or next(world.interactions)
    return (await world.services.rounds.vote(view.round.id, user_id, choice, number, at)).unchanged


async def choices_of(world: World, view: BallotView, user_id: int) -> frozenset[int]:
    ballot = await world.store.ballot_of(view.round.id, user_id)
    return frozenset() if ballot is None else ballot.choices


async def test_a_member_may_choose_several_and_take_back(world: World) -> None:
    await world.story()
    view = await world.open()
    a, b, _ = view.candidates
    assert (await world.vote(view, ANNA, a)).choices == {a.id}
    assert (await world.vote(view, ANNA, b)).choices == {a.id, b.id}
    assert (await world.vote(view, ANNA, NONE_OF_THESE)).choices == {NONE_OF_THESE}
    assert (await world.vote(view, ANNA, a)).choices == {a.id}
    assert (await world.vote(view, ANNA, a)).choices == frozenset()
    assert (await world.services.rounds.view(view.round.id)).num_ballots == 0


async def test_in_plurality_a_choice_replaces_the_last(world: World) -> None:
    await world.story()
    await world.set(method="plurality")
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    assert (await world.vote(view, ANNA, view.candidates[1])).choices == {view.candidates[1].id}


async def test_a_double_click_is_one_vote_and_two_clicks_take_it_back(world: World) -> None:
    await world.story()
    view = await world.open()
    choice = view.candidates[0].id
    assert not await click(world, view, ANNA, choice, 0)
    assert await click(world, view, ANNA, choice, 0.3)
    assert await choices_of(world, view, ANNA) == {choice}
    await world.services.rounds.confirm_vote(view.round.id, ANNA, choice)
    assert not await click(world, view, ANNA, choice, 2)
    assert await choices_of(world, view, ANNA) == frozenset()


async def test_fast_clicks_on_two_candidates_are_two_votes(world: World) -> None:
    await world.story()
    view = await world.open()
    a, b, _ = (candidate.id for candidate in view.candidates)
    await asyncio.gather(click(world, view, ANNA, a, 0), click(world, view, ANNA, b, 0.1))
    assert await choices_of(world, view, ANNA) == {a, b}


async def test_a_click_that_is_delivered_again_changes_nothing(world: World) -> None:
    await world.story()
    view = await world.open()
    choice = view.candidates[0].id
    await click(world, view, ANNA, choice, 0, interaction=5)
    await world.restart()
    await click(world, view, ANNA, choice, 0, interaction=5)
    assert await choices_of(world, view, ANNA) == {choice}


async def test_a_vote_that_nobody_confirmed_is_not_taken_back_by_a_second_try(world: World) -> None:
    await world.story()
    view = await world.open()
    choice = view.candidates[0].id
    await click(world, view, ANNA, choice, 0)
    await world.restart()  # the process died before it could answer
    await click(world, view, ANNA, choice, 60)
    assert await choices_of(world, view, ANNA) == {choice}
    await world.services.rounds.confirm_vote(view.round.id, ANNA, choice)
    await click(world, view, ANNA, choice, 120)
    assert await choices_of(world, view, ANNA) == frozenset()


async def test_a_choice_that_is_not_on_this_ballot_is_refused(world: World) -> None:
    await world.story()
    view = await world.open()
    with pytest.raises(BadInput):
        await world.vote(view, ANNA, 4711)


async def test_the_tally_is_hidden_until_the_close_unless_the_channel_wants_it_live(world: World) -> None:
    await world.story()
    hidden = await world.open()
    receipt = await world.vote(hidden, ANNA, hidden.candidates[0])
    assert receipt.round.id == hidden.round.id
    redrawn = await world.services.rounds.view(hidden.round.id)
    assert (redrawn.tally, redrawn.num_ballots) == (None, 1)
    closed = await world.settle(hidden, forced_by=ANNA)
    assert closed.ballot.tally == closed.outcome.tally
    await world.set(tally="live")
    live = await world.open()
    await world.vote(live, ANNA, NONE_OF_THESE)
    tally = (await world.services.rounds.view(live.round.id)).tally
    assert tally is not None
    assert tally[NONE_OF_THESE] == 1


async def test_before_its_time_a_round_is_not_settled(world: World) -> None:
    await world.story()
    await world.set(quorum=3)
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    assert await world.services.rounds.due() == []
    assert await world.services.rounds.settle(view.round.id) is None
    assert (await world.store.round(view.round.id)).state is RoundState.OPEN


async def test_the_deadline_is_stored_and_closes_the_round(world: World) -> None:
    await world.story()
    await world.set(early="off", minutes=3)
    view = await world.open()
    assert view.round.deadline_at == world.clock() + timedelta(minutes=3)
    assert await world.services.rounds.next_deadline() == view.round.deadline_at
    for member in (ANNA, BEN):
        receipt = await world.vote(view, member, view.candidates[2])
        assert not receipt.closes_now
    await world.pass_deadline(view)
    assert await world.services.rounds.due() == [view.round.id]
    result = await world.settle(view)
    assert result.winner == view.candidates[2]
    assert await world.services.rounds.due() == []
    assert await world.services.rounds.next_deadline() is None


async def test_closing_twice_changes_nothing(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    await world.pass_deadline(view)
    settle = world.services.rounds.settle
    outcomes = await asyncio.gather(*(settle(view.round.id, forced_by=CARA) for _ in range(5)))
    (result,) = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(result, ResultView)
    assert len((await world.services.stories.show(CHANNEL)).passages) == 1
    assert await world.services.rounds.result(view.round.id) == result


async def test_a_lead_that_cannot_be_overtaken_closes_early(world: World) -> None:
    await world.story()
    view = await world.open()
    assert not (await world.vote(view, ANNA, view.candidates[0])).closes_now
    receipt = await world.vote(view, BEN, view.candidates[0])
    assert receipt.closes_now
    result = await world.settle(view)
    assert result.outcome.rule is Rule.LEAD
    assert result.ballot.round.closed_at == world.clock()


async def test_members_of_earlier_rounds_are_waited_for(world: World) -> None:
    await world.story()
    earlier = await world.open()
    for member in (ANNA, BEN, CARA, DORA):
        await world.vote(earlier, member, earlier.candidates[0])
    await world.settle(earlier, forced_by=ANNA)
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    assert not (await world.vote(view, BEN, view.candidates[0])).closes_now
    assert (await world.vote(view, CARA, view.candidates[0])).closes_now


async def test_a_missed_quorum_extends_once_and_then_the_votes_cast_decide(world: World) -> None:
    await world.story()
    await world.set(quorum=3, minutes=5)
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[1])
    await world.pass_deadline(view)
    extended = await world.services.rounds.settle(view.round.id)
    assert isinstance(extended, Extended)
    assert extended.view.round.deadline_at == world.clock() + timedelta(minutes=5)
    assert any("moved once" in notice for notice in extended.view.notices)
    assert await world.services.rounds.settle(view.round.id) is None
    await world.pass_deadline(view)
    result = await world.settle(view)
    assert result.outcome.rule is Rule.BELOW_QUORUM
    assert result.winner == view.candidates[1]


async def test_no_votes_extend_once_and_then_leave_canon_as_it_is(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.pass_deadline(view)
    assert isinstance(await world.services.rounds.settle(view.round.id), Extended)
    await world.pass_deadline(view)
    result = await world.settle(view)
    assert (result.outcome.rule, result.winner, result.passage) == (Rule.NO_VOTES, None, None)
    assert result.next_round is None
    assert (await world.services.stories.show(CHANNEL)).passages == ()


async def test_a_moderators_close_counts_what_was_cast_and_does_not_extend(world: World) -> None:
    await world.story()
    await world.set(quorum=5)
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    result = await world.settle(view, forced_by=DORA)
    assert result.winner == view.candidates[0]
    assert result.ballot.round.closed_by == DORA


async def test_a_round_that_is_still_generating_cannot_be_closed(world: World) -> None:
    await world.story()
    round_ = await world.begin()
    with pytest.raises(NoRound, match="still being written"):
        await world.services.rounds.settle(round_.id, forced_by=DORA)
    assert await world.services.rounds.settle(round_.id) is None


async def test_a_tie_is_decided_by_the_rounds_own_lot(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    await world.vote(view, BEN, view.candidates[1])
    result = await world.settle(view, forced_by=ANNA)
    assert result.outcome.rule is Rule.LOT
    assert result.winner in view.candidates[:2]
    assert result.ballot.round.rule == Rule.LOT
    await world.restart()
    assert await world.services.rounds.result(view.round.id) == result


async def test_none_of_these_leads_to_new_candidates_twice_and_then_waits(world: World) -> None:
    await world.story()
    view = await world.open(hint="an owl")
    for reroll in range(1, MAX_REROLLS + 1):
        await world.vote(view, ANNA, NONE_OF_THESE)
        result = await world.settle(view, forced_by=ANNA)
        assert result.outcome.result is Result.NONE_OF_THESE
        following = result.next_round
        assert following is not None
        assert (following.state, following.reroll, following.hint) == (RoundState.GENERATING, reroll, "an owl")
        before = {candidate.text for candidate in view.candidates}
        view = await world.services.rounds.generate(following.id)
        assert before.isdisjoint(candidate.text for candidate in view.candidates)
        assert view.notices[0].startswith("The members wanted none")
    await world.vote(view, ANNA, NONE_OF_THESE)
    last = await world.settle(view, forced_by=ANNA)
    assert last.next_round is None
    assert any("Ask again" in notice for notice in last.ballot.notices)
    assert await world.services.rounds.unfinished_in(CHANNEL) is None


async def test_a_vote_after_the_close_is_refused(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    await world.settle(view, forced_by=ANNA)
    with pytest.raises(RoundOver):
        await world.vote(view, BEN, view.candidates[0])
    assert len(await world.store.ballots(view.round.id)) == 1


async def test_a_vote_is_late_by_the_time_of_its_click_not_of_its_arrival(world: World) -> None:
    await world.story()
    view = await world.open()
    assert view.round.deadline_at is not None
    in_time = view.round.deadline_at + timedelta(seconds=1) - world.clock()
    too_late = view.round.deadline_at + timedelta(seconds=3) - world.clock()
    await click(world, view, ANNA, view.candidates[0].id, in_time.total_seconds())
    with pytest.raises(RoundOver):
        await click(world, view, BEN, view.candidates[0].id, too_late.total_seconds())
    assert [ballot.user_id for ballot in await world.store.ballots(view.round.id)] == [ANNA]


async def test_a_vote_before_the_ballot_is_open_is_refused(world: World) -> None:
    await world.story()
    round_ = await world.begin()
    with pytest.raises(RoundOver, match="still being written"):
        await world.services.rounds.vote(round_.id, ANNA, NONE_OF_THESE, 1, world.clock())


async def test_no_vote_is_confirmed_between_counting_and_closing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.story()
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[0])
    close_round, late = world.store.close_round, []

    async def close_while_somebody_votes(*how: object) -> object:
        late.append(asyncio.create_task(click(world, view, BEN, view.candidates[1].id, 0)))
        await asyncio.wait(late, timeout=0.3)  # the vote has every chance to slip in
        return await close_round(*how)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "close_round", close_while_somebody_votes)
    result = await world.settle(view, forced_by=ANNA)
    with pytest.raises(RoundOver):
        await late[0]
    assert result.outcome.num_voted == len(await world.store.ballots(view.round.id)) == 1
