from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import BadInput, RoundOver, StoreError
from bot.store import HeldText, Store
from bot.story.model import Candidate, Draft, RoundKind, RoundSettings, RoundState, Source
from tests.bot.store.world import (
    ALICE,
    BOB,
    CAROL,
    LATER,
    NOW,
    PROVENANCE,
    begin,
    model_drafts,
    open_ballot,
    play,
    start,
)


async def test_a_ballot_opens_with_its_drafts_in_their_order(store: Store) -> None:
    round_ = await begin(store, await start(store))
    opened, candidates = await store.open_ballot(round_.id, model_drafts(), 2, LATER, NOW)

    assert (opened.state, opened.deadline_at, opened.withheld) == (RoundState.OPEN, LATER, 2)
    assert [(c.position, c.letter, c.text) for c in candidates] == [
        (0, "A", "Text 0."),
        (1, "B", "Text 1."),
        (2, "C", "Text 2."),
    ]
    assert await store.candidates(round_.id) == candidates
    assert await store.round(round_.id) == opened


async def test_provenance_comes_back_whole(store: Store) -> None:
    """Seeds may be larger than SQLite's integers, so a JSON number keeps them."""
    round_ = await begin(store, await start(store))
    drafts = [Draft("With.", Source.MODEL, provenance=PROVENANCE), Draft("Without.", Source.MODEL)]
    await store.open_ballot(round_.id, drafts, 0, LATER, NOW)
    assert [c.provenance for c in await store.candidates(round_.id)] == [PROVENANCE, None]


async def test_a_ballot_opens_once(store: Store) -> None:
    round_, candidates = await open_ballot(store, await start(store))
    with pytest.raises(RoundOver):
        await store.open_ballot(round_.id, model_drafts(1), 0, LATER, NOW)
    assert await store.candidates(round_.id) == candidates


async def test_a_ballot_of_nothing_of_nine_or_without_time_does_not_open(store: Store) -> None:
    round_ = await begin(store, await start(store))
    for drafts, deadline in (([], LATER), (model_drafts(9), LATER), (model_drafts(), NOW)):
        with pytest.raises(StoreError):
            await store.open_ballot(round_.id, drafts, 0, deadline, NOW)
    assert (await store.round(round_.id)).state is RoundState.GENERATING
    assert await store.candidates(round_.id) == []


async def test_held_texts_join_where_the_order_puts_them_and_late_ones_at_the_end(store: Store) -> None:
    round_ = await begin(store, await start(store))
    held = await store.add_text(round_.id, BOB, "Bob's.", NOW)
    assert held == HeldText(round_.id, BOB, "Bob's.", NOW)
    await store.add_text(round_.id, ALICE, "Alice's.", NOW + timedelta(seconds=1))
    assert [text.user_id for text in await store.held_texts(round_.id)] == [BOB, ALICE]

    drafts = [Draft("Bob's.", Source.MEMBER, BOB), *model_drafts(2)]
    _, candidates = await store.open_ballot(round_.id, drafts, 0, LATER, NOW)
    assert [c.text for c in candidates] == ["Bob's.", "Text 0.", "Text 1.", "Alice's."]
    assert [c.author_user_id for c in candidates] == [BOB, None, None, ALICE]
    assert await store.held_texts(round_.id) == []


async def test_held_texts_alone_make_a_ballot(store: Store) -> None:
    round_ = await begin(store, await start(store))
    await store.add_text(round_.id, BOB, "Bob's.", NOW)
    _, candidates = await store.open_ballot(round_.id, [], 0, LATER, NOW)
    assert [c.text for c in candidates] == ["Bob's."]


@pytest.mark.parametrize("kind", RoundKind)
async def test_members_leave_the_models_places_free(store: Store, kind: RoundKind) -> None:
    story = await start(store)
    await play(store, story)
    round_ = await begin(store, story, kind, RoundSettings(candidates=5))
    room = 8 - 5 - (kind is RoundKind.REWRITE)
    for user_id in range(room):
        await store.add_text(round_.id, user_id, "Mine.", NOW)
    with pytest.raises(BadInput, match="8 candidates at most") as refusal:
        await store.add_text(round_.id, 50, "Mine too.", NOW)
    assert refusal.value.text == "Mine too."


async def test_an_open_ballot_takes_texts_until_it_is_full(store: Store) -> None:
    round_, _ = await open_ballot(store, await start(store), count=6)
    sixth = await store.add_text(round_.id, ALICE, "Alice's.", NOW)
    assert isinstance(sixth, Candidate)
    assert (sixth.position, sixth.source, sixth.author_user_id) == (6, Source.MEMBER, ALICE)
    await store.add_text(round_.id, BOB, "Bob's.", NOW)
    with pytest.raises(BadInput, match="full"):
        await store.add_text(round_.id, CAROL, "Carol's.", NOW)
    assert len(await store.candidates(round_.id)) == 8


async def test_each_member_has_one_text_per_round_also_across_the_opening(store: Store) -> None:
    story = await start(store)
    round_ = await begin(store, story)
    await store.add_text(round_.id, ALICE, "First.", NOW)
    with pytest.raises(BadInput) as held:
        await store.add_text(round_.id, ALICE, "Second.", NOW)
    assert held.value.text == "Second."
    await store.open_ballot(round_.id, model_drafts(), 0, LATER, NOW)
    with pytest.raises(BadInput):
        await store.add_text(round_.id, ALICE, "Third.", NOW)
    await store.cancel_round(round_.id, ALICE, NOW)
    await store.add_text((await begin(store, story)).id, ALICE, "In the next round.", NOW)


async def test_the_same_interaction_adds_one_text(store: Store) -> None:
    round_ = await begin(store, await start(store))
    held = await store.add_text(round_.id, ALICE, "Mine.", NOW, interaction_id=500)
    assert await store.add_text(round_.id, ALICE, "Mine.", NOW, interaction_id=500) == held
    await store.open_ballot(round_.id, model_drafts(), 0, LATER, NOW)
    joined = await store.add_text(round_.id, ALICE, "Mine.", NOW, interaction_id=500)
    assert isinstance(joined, Candidate)
    assert len(await store.candidates(round_.id)) == 4


@pytest.mark.parametrize("state", [RoundState.CLOSED, RoundState.CANCELLED, RoundState.FAILED])
async def test_a_text_for_a_finished_round_is_carried_back(store: Store, state: RoundState) -> None:
    round_ = await begin(store, await start(store))
    if state is RoundState.FAILED:
        await store.fail_round(round_.id, "x", NOW)
    else:
        await store.open_ballot(round_.id, model_drafts(), 0, LATER, NOW)
        if state is RoundState.CLOSED:
            await store.close_round(round_.id, "lead", None, None, NOW)
        else:
            await store.cancel_round(round_.id, ALICE, NOW)
    assert (await store.round(round_.id)).state is state
    with pytest.raises(RoundOver) as refusal:
        await store.add_text(round_.id, BOB, "Too late.", NOW)
    assert refusal.value.text == "Too late."


async def test_what_a_member_wrote_survives_a_round_that_fails(store: Store) -> None:
    round_ = await begin(store, await start(store))
    held = await store.add_text(round_.id, ALICE, "Mine.", NOW)
    await store.fail_round(round_.id, "the model was down", NOW)
    assert await store.held_texts(round_.id) == [held]


async def test_texts_that_arrive_while_the_ballot_opens_are_all_on_it(store: Store) -> None:
    for number in range(10):
        round_ = await begin(store, await start(store, channel_id=number))
        texts = [store.add_text(round_.id, user_id, f"By {user_id}.", NOW) for user_id in range(5)]
        opening = store.open_ballot(round_.id, model_drafts(), 0, LATER, NOW)
        await asyncio.gather(*texts[: number // 2], opening, *texts[number // 2 :])
        candidates = await store.candidates(round_.id)
        assert sorted(c.author_user_id for c in candidates if c.author_user_id is not None) == list(range(5))
        assert [c.position for c in candidates] == list(range(8))
        assert await store.held_texts(round_.id) == []


async def test_an_incumbent_is_the_passage_at_the_head_and_nothing_else(store: Store) -> None:
    story = await start(store)
    first = (await play(store, story)).passage
    await play(store, story)
    round_ = await begin(store, story, RoundKind.REWRITE)
    assert first is not None
    with pytest.raises(StoreError):
        await store.open_ballot(round_.id, [Draft("x", Source.INCUMBENT, None, first.id)], 0, LATER, NOW)
    assert (await store.round(round_.id)).state is RoundState.GENERATING
