from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from bot.errors import BadInput, RoundOver, StoreError
from bot.store import Store
from bot.story.model import NONE_OF_THESE, Ballot, RoundState
from tests.bot.store.world import ALICE, BOB, CAROL, CHANNEL, LATER, NOW, begin, close, open_ballot, start, toggled


async def test_a_ballot_is_cast_changed_and_withdrawn(store: Store) -> None:
    round_, (a, b, c) = await open_ballot(store, await start(store))
    first = await store.cast(round_.id, ALICE, frozenset({a.id, b.id}), 1, NOW)
    assert first == Ballot(ALICE, frozenset({a.id, b.id}), NOW)
    changed = await store.cast(round_.id, ALICE, frozenset({c.id}), 2, LATER)
    assert changed == Ballot(ALICE, frozenset({c.id}), LATER) == await store.ballot_of(round_.id, ALICE)
    assert await store.cast(round_.id, ALICE, frozenset(), 3, LATER) is None
    assert await store.cast(round_.id, BOB, frozenset(), 4, LATER) is None
    assert await store.ballots(round_.id) == []


async def test_all_ballots_of_a_round_and_of_no_other(store: Store) -> None:
    round_, (a, b, _) = await open_ballot(store, await start(store))
    other, (elsewhere, *_) = await open_ballot(store, await start(store, channel_id=CHANNEL + 1))
    await store.cast(round_.id, CAROL, frozenset({NONE_OF_THESE}), 1, NOW)
    await store.cast(round_.id, BOB, frozenset({b.id}), 2, NOW)
    await store.cast(round_.id, ALICE, frozenset({a.id, b.id}), 3, NOW)
    await store.cast(other.id, ALICE, frozenset({elsewhere.id}), 4, NOW)
    assert await store.ballots(round_.id) == [
        Ballot(ALICE, frozenset({a.id, b.id}), NOW),
        Ballot(BOB, frozenset({b.id}), NOW),
        Ballot(CAROL, frozenset({NONE_OF_THESE}), NOW),
    ]


async def test_a_choice_from_another_ballot_is_refused_and_nothing_is_lost(store: Store) -> None:
    round_, (a, *_) = await open_ballot(store, await start(store))
    _, (elsewhere, *_) = await open_ballot(store, await start(store, channel_id=CHANNEL + 1))
    ballot = await store.cast(round_.id, ALICE, frozenset({a.id}), 1, NOW)
    for wrong in (elsewhere.id, 12345, -1):
        with pytest.raises(BadInput):
            await store.cast(round_.id, ALICE, frozenset({a.id, wrong}), 2, NOW)
        with pytest.raises(BadInput):
            await store.toggle(round_.id, ALICE, wrong, 3, NOW, toggled)
    assert await store.ballots(round_.id) == [ballot]


async def test_a_refused_click_may_come_again(store: Store) -> None:
    """What was refused was not counted, so its interaction is not spent."""
    round_, (a, *_) = await open_ballot(store, await start(store))
    with pytest.raises(BadInput):
        await store.cast(round_.id, ALICE, frozenset({12345}), 1, NOW)
    assert await store.cast(round_.id, ALICE, frozenset({a.id}), 1, NOW) is not None


async def test_none_of_these_stands_alone(store: Store) -> None:
    round_, (a, *_) = await open_ballot(store, await start(store))
    with pytest.raises(StoreError, match="none of these"):
        await store.cast(round_.id, ALICE, frozenset({NONE_OF_THESE, a.id}), 1, NOW)
    assert await store.ballots(round_.id) == []


async def test_a_click_delivered_again_changes_nothing(store: Store) -> None:
    round_, (a, b, _) = await open_ballot(store, await start(store))
    await store.toggle(round_.id, ALICE, a.id, 1, NOW, toggled)
    await store.toggle(round_.id, ALICE, b.id, 2, NOW, toggled)
    ballot = await store.toggle(round_.id, ALICE, a.id, 1, LATER, toggled)
    assert ballot == Ballot(ALICE, frozenset({a.id, b.id}), NOW)
    assert await store.cast(round_.id, ALICE, frozenset(), 2, LATER) == ballot
    await store.confirm_click(round_.id, ALICE, a.id)
    assert await store.toggle(round_.id, ALICE, a.id, 3, NOW, toggled) == Ballot(ALICE, frozenset({b.id}), NOW)


async def test_clicks_without_an_interaction_all_count(store: Store) -> None:
    round_, (a, *_) = await open_ballot(store, await start(store))
    assert await store.toggle(round_.id, ALICE, a.id, None, NOW, toggled) is not None
    await store.confirm_click(round_.id, ALICE, a.id)
    assert await store.toggle(round_.id, ALICE, a.id, None, NOW, toggled) is None


async def test_a_click_repeated_before_it_was_confirmed_means_the_same(store: Store) -> None:
    """A bot that died before it answered made its members click again, which took their votes back."""
    round_, (a, b, _) = await open_ballot(store, await start(store))
    voted = await store.toggle(round_.id, ALICE, a.id, 1, NOW, toggled)
    assert await store.toggle(round_.id, ALICE, a.id, 2, LATER, toggled) == voted
    await store.toggle(round_.id, ALICE, b.id, 3, NOW, toggled)
    await store.confirm_click(round_.id, ALICE, b.id)
    both = Ballot(ALICE, frozenset({a.id, b.id}), NOW)
    assert await store.toggle(round_.id, ALICE, a.id, 4, LATER, toggled) == both
    await store.confirm_click(round_.id, ALICE, a.id)
    await store.confirm_click(round_.id, BOB, b.id)
    assert await store.toggle(round_.id, ALICE, a.id, 5, NOW, toggled) == Ballot(ALICE, frozenset({b.id}), NOW)
    assert await store.toggle(round_.id, ALICE, a.id, 6, NOW, toggled) == Ballot(ALICE, frozenset({b.id}), NOW)


async def test_an_unconfirmed_click_that_another_one_undid_counts_anew(store: Store) -> None:
    """In plurality the second choice replaces the first, so a third click on the first is no repetition."""

    def only(_current: frozenset[int], choice: int) -> frozenset[int]:
        return frozenset({choice})

    round_, (a, b, _) = await open_ballot(store, await start(store))
    await store.toggle(round_.id, ALICE, a.id, 1, NOW, only)
    await store.toggle(round_.id, ALICE, b.id, 2, NOW, only)
    assert await store.toggle(round_.id, ALICE, a.id, 3, NOW, only) == Ballot(ALICE, frozenset({a.id}), NOW)


async def test_of_two_fast_clicks_of_one_member_none_is_lost(store: Store) -> None:
    for number in range(30):
        round_, (a, b, c) = await open_ballot(store, await start(store, channel_id=number))
        clicks = (store.toggle(round_.id, ALICE, choice.id, choice.id, NOW, toggled) for choice in (a, b, c))
        await asyncio.gather(*clicks)
        ballot = await store.ballot_of(round_.id, ALICE)
        assert ballot == Ballot(ALICE, frozenset({a.id, b.id, c.id}), NOW)


async def test_many_members_and_many_clicks_at_once_end_as_one_after_the_other(store: Store) -> None:
    rng = random.Random(3)
    round_, candidates = await open_ballot(store, await start(store))
    clicks = [(rng.randrange(8), rng.choice(candidates).id) for _ in range(300)]

    async def click(number: int, user: int, choice: int) -> None:
        await store.toggle(round_.id, user, choice, number, NOW, toggled)
        await store.confirm_click(round_.id, user, choice)

    # A member's own clicks come one after the other, as each waits for the answer to the last.
    async def click_all(user: int) -> None:
        for number, (who, choice) in enumerate(clicks):
            if who == user:
                await click(number, user, choice)

    await asyncio.gather(*(click_all(user) for user in range(8)))
    expected: dict[int, frozenset[int]] = {}
    for user, choice in clicks:
        expected[user] = toggled(expected.get(user, frozenset()), choice)
    cast = {ballot.user_id: ballot.choices for ballot in await store.ballots(round_.id)}
    assert cast == {user: choices for user, choices in expected.items() if choices}


async def test_votes_count_only_while_the_round_is_open(store: Store) -> None:
    story = await start(store)
    generating = await begin(store, story)
    with pytest.raises(RoundOver):
        await store.toggle(generating.id, ALICE, NONE_OF_THESE, 1, NOW, toggled)
    await store.cancel_round(generating.id, ALICE, NOW)
    round_, (a, *_) = await open_ballot(store, story)
    ballot = await store.cast(round_.id, ALICE, frozenset({a.id}), 2, NOW)
    await close(store, round_, a)
    for attempt in (
        store.cast(round_.id, ALICE, frozenset(), 3, LATER),
        store.toggle(round_.id, BOB, a.id, 4, LATER, toggled),
    ):
        with pytest.raises(RoundOver):
            await attempt
    assert await store.ballots(round_.id) == [ballot]


async def test_a_vote_and_a_close_race_and_the_count_is_final(store: Store) -> None:
    for number in range(20):
        round_, (a, b, _) = await open_ballot(store, await start(store, channel_id=number))
        race = [close(store, round_, a), store.cast(round_.id, BOB, frozenset({b.id}), None, NOW)]
        results = await asyncio.gather(*(race if number % 2 else reversed(race)), return_exceptions=True)
        counted = await store.ballots(round_.id)
        assert (await store.round(round_.id)).state is RoundState.CLOSED
        assert len(counted) == (0 if any(isinstance(r, RoundOver) for r in results) else 1)


async def test_a_rule_that_raises_leaves_the_ballot_and_the_lock_alone(store: Store) -> None:
    def broken(current: frozenset[int], choice: int) -> frozenset[int]:
        raise ZeroDivisionError

    round_, (a, *_) = await open_ballot(store, await start(store))
    ballot = await store.cast(round_.id, ALICE, frozenset({a.id}), 1, NOW)
    with pytest.raises(ZeroDivisionError):
        await store.toggle(round_.id, ALICE, a.id, 2, NOW, broken)
    assert await store.ballots(round_.id) == [ballot]
    assert await store.toggle(round_.id, ALICE, a.id, 2, NOW + timedelta(seconds=1), toggled) is None
