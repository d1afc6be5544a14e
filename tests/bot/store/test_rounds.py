from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import BadInput, NoRound, NoStory, RoundOver, RoundRunning, StoreError
from bot.store import Store
from bot.store.endings import CANON_MOVED
from bot.story.model import Draft, Round, RoundKind, RoundState, Source
from tests.bot.store.world import (
    ALICE,
    BOB,
    CAROL,
    CHANNEL,
    GUILD,
    LATER,
    NOW,
    OTHER_SETTINGS,
    begin,
    close,
    model_drafts,
    open_ballot,
    play,
    start,
    toggled,
)


async def test_a_round_keeps_what_it_began_with(store: Store) -> None:
    story = await start(store)
    round_ = await store.begin_round(
        *(story.id, RoundKind.CONTINUE, OTHER_SETTINGS),
        hint="a dragon",
        opened_by=BOB,
        guild_id=GUILD,
        channel_id=CHANNEL,
        seed=2**63 - 1,
        reroll=2,
        now=NOW,
    )
    expected = Round(
        *(round_.id, story.id, RoundKind.CONTINUE, RoundState.GENERATING, OTHER_SETTINGS, "a dragon", BOB),
        *(GUILD, CHANNEL, None, None, None, 2**63 - 1, 2, NOW, None),
        extended=False,
    )
    assert round_ == expected
    assert await store.round(round_.id) == expected == await store.unfinished_round(story.id)


async def test_one_round_at_a_time_and_the_refusal_says_where_it_is(store: Store) -> None:
    story = await start(store)
    round_ = await begin(store, story)
    with pytest.raises(RoundRunning) as early:
        await begin(store, story)
    assert early.value.message_id is None
    await store.set_message(round_.id, 4242)
    with pytest.raises(RoundRunning) as late:
        await begin(store, story, RoundKind.REWRITE)
    assert (late.value.channel_id, late.value.message_id) == (CHANNEL, 4242)


async def test_of_many_who_ask_at_once_one_begins_a_round(store: Store) -> None:
    story = await start(store)
    results = await asyncio.gather(*(begin(store, story) for _ in range(30)), return_exceptions=True)
    assert sum(isinstance(result, Round) for result in results) == 1
    assert sum(isinstance(result, RoundRunning) for result in results) == 29


async def test_the_same_interaction_begins_one_round_and_finds_it_again_in_any_state(store: Store) -> None:
    story = await start(store)
    first = await begin(store, story, interaction_id=900)
    assert await begin(store, story, interaction_id=900) == first
    cancelled = await store.cancel_round(first.id, ALICE, NOW)
    assert await begin(store, story, interaction_id=900) == cancelled
    assert (await begin(store, story, interaction_id=901)).id != first.id


async def test_rounds_begin_only_in_running_stories(store: Store) -> None:
    story = await start(store)
    await store.end_story(story.id, ALICE, NOW)
    with pytest.raises(NoStory):
        await begin(store, story)


async def test_a_rewrite_needs_a_passage_and_the_refusal_carries_the_text_back(store: Store) -> None:
    story = await start(store)
    with pytest.raises(BadInput) as refusal:
        await begin(store, story, RoundKind.REWRITE, hint="more rain")
    assert refusal.value.text == "more rain"
    assert await store.unfinished_round(story.id) is None


async def test_what_a_winner_will_follow_is_fixed_when_the_round_begins(store: Store) -> None:
    story = await start(store)
    first = (await play(store, story)).passage
    second = (await play(store, story)).passage
    assert first is not None
    assert second is not None
    continued = await begin(store, story)
    assert (continued.parent_id, continued.base_head_id) == (second.id, second.id)
    await store.cancel_round(continued.id, ALICE, NOW)
    rewritten = await begin(store, story, RoundKind.REWRITE)
    assert (rewritten.parent_id, rewritten.base_head_id) == (first.id, second.id)


async def test_deadlines_are_found_in_time_order(store: Store) -> None:
    assert await store.next_deadline() is None
    deadlines = [LATER + timedelta(seconds=seconds) for seconds in (30, 10, 20)]
    rounds = []
    for number, deadline in enumerate(deadlines):
        story = await start(store, channel_id=number)
        round_ = await begin(store, story)
        rounds.append((await store.open_ballot(round_.id, model_drafts(), 0, deadline, NOW))[0])
    generating = await begin(store, await start(store, channel_id=50))

    assert await store.next_deadline() == deadlines[1]
    assert await store.due_rounds(deadlines[1] - timedelta(microseconds=1)) == []
    assert await store.due_rounds(deadlines[2]) == [rounds[1], rounds[2]]
    assert await store.unfinished_rounds() == [*rounds, generating]

    await close(store, rounds[1], None)
    assert await store.next_deadline() == deadlines[2]
    assert await store.due_rounds(deadlines[0]) == [rounds[2], rounds[0]]


async def test_a_round_is_extended_once_and_only_while_open(store: Store) -> None:
    story = await start(store)
    round_ = await begin(store, story)
    later_still = LATER + timedelta(minutes=10)
    with pytest.raises(RoundOver):
        await store.extend_round(round_.id, later_still)
    await store.open_ballot(round_.id, model_drafts(), 0, LATER, NOW)

    extended = await store.extend_round(round_.id, later_still)
    assert (extended.extended, extended.deadline_at) == (True, later_still)
    with pytest.raises(RoundOver):
        await store.extend_round(round_.id, later_still + timedelta(minutes=10))
    assert await store.round(round_.id) == extended
    with pytest.raises(NoRound):
        await store.extend_round(404, later_still)


async def test_closing_makes_the_winner_canon(store: Store) -> None:
    story = await start(store)
    round_, candidates = await open_ballot(store, story)
    closed = await store.close_round(round_.id, "lead", candidates[2].id, BOB, LATER)

    assert closed.is_new
    assert closed.round.state is RoundState.CLOSED
    assert (closed.round.rule, closed.round.winner_id, closed.round.closed_by) == ("lead", candidates[2].id, BOB)
    assert closed.round.closed_at == LATER
    assert closed.passage is not None
    assert (closed.passage.text, closed.passage.round_id) == (candidates[2].text, round_.id)
    assert (await store.story(story.id)).head_id == closed.passage.id
    assert await store.unfinished_round(story.id) is None


async def test_a_members_winning_text_keeps_its_author(store: Store) -> None:
    story = await start(store)
    round_, _ = await open_ballot(store, story)
    written = await store.add_text(round_.id, CAROL, "My own.", NOW)
    closed = await store.close_round(round_.id, "lead", written.id, None, LATER)  # type: ignore[union-attr]
    assert closed.passage is not None
    assert (closed.passage.source, closed.passage.author_user_id) == (Source.MEMBER, CAROL)


async def test_closing_twice_appends_one_passage(store: Store) -> None:
    """Also when both come at once, and the second names another winner."""
    story = await start(store)
    round_, candidates = await open_ballot(store, story)
    results = await asyncio.gather(*(close(store, round_, candidates[number % 3]) for number in range(12)))

    [new] = [result for result in results if result.is_new]
    assert all((other.round, other.passage) == (new.round, new.passage) for other in results)
    assert await store.canon(story.id) == [new.passage]


async def test_a_close_without_a_winner_or_for_the_incumbent_leaves_canon_alone(store: Store) -> None:
    story = await start(store)
    canon = [(await play(store, story)).passage]
    round_, candidates = await open_ballot(store, story)
    nobody = await close(store, round_, None)
    assert (nobody.passage, nobody.round.winner_id, nobody.is_new) == (None, None, True)

    round_, candidates = await open_ballot(store, story, RoundKind.REWRITE)
    incumbent = candidates[-1]
    assert incumbent.source is Source.INCUMBENT
    kept = await close(store, round_, incumbent)
    assert (kept.passage, kept.round.winner_id, kept.is_new) == (None, incumbent.id, True)
    assert await store.canon(story.id) == canon


@pytest.mark.parametrize("winner", [0, 3])
async def test_a_winner_is_not_added_where_canon_has_moved(store: Store, winner: int) -> None:
    """Position 3 is the incumbent, which is no longer canon's end then."""
    story = await start(store)
    first = (await play(store, story)).passage
    await play(store, story)
    round_, candidates = await open_ballot(store, story, RoundKind.REWRITE)
    assert first is not None
    async with store._database.transaction() as tx:
        await tx.execute("UPDATE stories SET head_id = ? WHERE id = ?", first.id, story.id)

    closed = await close(store, round_, candidates[winner])
    assert (closed.round.state, closed.round.failure, closed.passage) == (RoundState.CANCELLED, CANON_MOVED, None)
    assert closed.is_new
    assert await store.canon(story.id) == [first]
    again = await close(store, round_, candidates[0])
    assert (again.round, again.is_new) == (closed.round, False)


async def test_a_close_without_winner_does_not_mind_that_canon_moved(store: Store) -> None:
    story = await start(store)
    await play(store, story)
    round_, _ = await open_ballot(store, story)
    async with store._database.transaction() as tx:
        await tx.execute("UPDATE stories SET head_id = NULL WHERE id = ?", story.id)
    assert (await close(store, round_, None)).round.state is RoundState.CLOSED


async def test_a_winner_must_stand_on_the_ballot(store: Store) -> None:
    story, other = await start(store), await start(store, channel_id=CHANNEL + 1)
    round_, _ = await open_ballot(store, story)
    _, elsewhere = await open_ballot(store, other)
    with pytest.raises(StoreError, match="not one of round"):
        await close(store, round_, elsewhere[0])
    assert (await store.round(round_.id)).state is RoundState.OPEN


async def test_a_generating_round_is_cancelled_or_fails_but_never_closes(store: Store) -> None:
    story = await start(store)
    round_ = await begin(store, story)
    with pytest.raises(NoRound, match="still being written"):
        await close(store, round_, None)
    failed = await store.fail_round(round_.id, "the model was down", LATER)
    assert (failed.state, failed.failure, failed.closed_at) == (RoundState.FAILED, "the model was down", LATER)
    with pytest.raises(RoundOver):
        await store.fail_round(round_.id, "again", LATER)
    with pytest.raises(RoundOver):
        await store.cancel_round(round_.id, ALICE, LATER)
    assert await store.round(round_.id) == failed


async def test_an_open_round_is_cancelled_but_never_fails(store: Store) -> None:
    story = await start(store)
    round_, _ = await open_ballot(store, story)
    with pytest.raises(RoundOver):
        await store.fail_round(round_.id, "late", LATER)
    cancelled = await store.cancel_round(round_.id, BOB, LATER)
    assert (cancelled.state, cancelled.closed_by, cancelled.failure) == (RoundState.CANCELLED, BOB, None)
    assert (await close(store, round_, None)).round == cancelled


async def test_a_cancel_and_an_answer_of_the_model_race_and_one_of_them_wins(store: Store) -> None:
    for number in range(20):
        story = await start(store, channel_id=number)
        round_ = await begin(store, story)
        race = [store.open_ballot(round_.id, model_drafts(), 0, LATER, NOW), store.cancel_round(round_.id, ALICE, NOW)]
        results = await asyncio.gather(*(race if number % 2 else reversed(race)), return_exceptions=True)

        # Cancelling is right in both states; opening a cancelled round is refused, and leaves no candidate.
        assert (await store.round(round_.id)).state is RoundState.CANCELLED
        refused = [result for result in results if isinstance(result, RoundOver)]
        assert len(await store.candidates(round_.id)) == (0 if refused else 3)
        assert len(refused) == (0 if number % 2 else 1)


@pytest.mark.parametrize("round_id", [0, 77])
async def test_an_unknown_round_is_refused_everywhere(store: Store, round_id: int) -> None:
    for attempt in (
        store.round(round_id),
        store.set_message(round_id, 1),
        store.open_ballot(round_id, model_drafts(), 0, LATER, NOW),
        store.extend_round(round_id, LATER),
        store.close_round(round_id, "lead", None, None, NOW),
        store.cancel_round(round_id, ALICE, NOW),
        store.fail_round(round_id, "x", NOW),
        store.add_text(round_id, ALICE, "Hello.", NOW),
        store.cast(round_id, ALICE, frozenset({1}), 1, NOW),
        store.toggle(round_id, ALICE, 1, 2, NOW, toggled),
    ):
        with pytest.raises(NoRound):
            await attempt
    assert await store.candidates(round_id) == []
    assert await store.ballots(round_id) == []


async def test_ends_are_announced_once(store: Store) -> None:
    story = await start(store)
    closed = (await play(store, story)).round
    cancelled = await store.cancel_round((await begin(store, story)).id, ALICE, NOW)
    failed = await store.fail_round((await begin(store, story)).id, "x", NOW)
    open_round, _ = await open_ballot(store, story)
    assert await store.unannounced_rounds() == [closed, cancelled, failed]

    await store.mark_announced(cancelled.id, LATER)
    await store.mark_announced(cancelled.id, LATER)
    await store.mark_announced(open_round.id, LATER)  # it has not ended: nothing to mark
    assert await store.unannounced_rounds() == [closed, failed]
    ended = (await close(store, open_round, None)).round
    assert await store.unannounced_rounds() == [closed, failed, ended]


async def test_participants_are_who_opened_voted_or_wrote_lately(store: Store) -> None:
    story = await start(store)
    long_ago, candidates = await open_ballot(store, story)
    await store.cast(long_ago.id, 100, frozenset({candidates[0].id}), None, NOW)
    await close(store, long_ago, None)
    for number in range(1, 6):
        round_, candidates = await open_ballot(store, story)
        await store.cast(round_.id, 100 + number, frozenset({candidates[0].id}), None, NOW)
        await store.add_text(round_.id, 200 + number, "Mine.", NOW)
        await close(store, round_, None)
    unfinished = await begin(store, story)
    await store.add_text(unfinished.id, 300, "Held.", NOW)
    other, _ = await open_ballot(store, await start(store, channel_id=CHANNEL + 1))
    await store.add_text(other.id, 999, "Elsewhere.", NOW)

    assert await store.participants(story.id) == {ALICE, *range(101, 106), *range(201, 206), 300}
    assert await store.participants(story.id, last_rounds=1) == {ALICE, 105, 205, 300}


async def test_the_incumbents_author_does_not_count_as_a_participant(store: Store) -> None:
    story = await start(store)
    round_, _ = await open_ballot(store, story)
    written = await store.add_text(round_.id, CAROL, "My own.", NOW)
    await store.close_round(round_.id, "lead", written.id, None, LATER)  # type: ignore[union-attr]
    rewrite = await begin(store, story, RoundKind.REWRITE)
    assert rewrite.base_head_id is not None
    incumbent = Draft("My own.", Source.INCUMBENT, CAROL, rewrite.base_head_id)
    await store.open_ballot(rewrite.id, [*model_drafts(), incumbent], 0, LATER, NOW)
    assert CAROL not in await store.participants(story.id, last_rounds=0)
