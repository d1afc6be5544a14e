"""Members' own texts on the ballot."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import BadInput, Filtered, NoStory, RoundOver, WorkerRefused
from bot.service.views import BallotView, WriteResult
from bot.story.model import RoundKind, RoundState, Source
from tests.bot.service.far_end import status
from tests.bot.service.world import ANNA, BEN, CARA, CHANNEL, FORBIDDEN, GUILD, World

TEXT = "A lighthouse keeper counted the stars, and one was missing."


async def write(world: World, user_id: int = BEN, text: str = TEXT) -> WriteResult:
    return await world.services.rounds.write(GUILD, CHANNEL, user_id, text, next(world.interactions))


def authors(view: BallotView) -> list[int]:
    return [c.author_user_id for c in view.candidates if c.source is Source.MEMBER and c.author_user_id]


async def test_a_text_begins_a_round_and_stands_among_the_models(world: World) -> None:
    await world.story()
    written = await write(world)
    assert (written.joined, written.must_generate) == (False, True)
    assert written.round.kind is RoundKind.CONTINUE
    view = await world.services.rounds.generate(written.round.id)
    assert len(view.candidates) == 4
    assert authors(view) == [BEN]
    assert view.notices == ()


async def test_a_text_that_comes_while_the_model_writes_is_in_the_ballot_when_it_opens(world: World) -> None:
    await world.story()
    world.far.gate.clear()
    round_ = await world.begin()
    generating = asyncio.create_task(world.services.rounds.generate(round_.id))
    await world.far.arrival()
    written = await write(world)
    assert (written.joined, written.must_generate, written.round.id) == (True, False, round_.id)
    world.far.gate.set()
    view = await generating
    assert authors(view) == [BEN]
    assert [candidate.position for candidate in view.candidates] == [0, 1, 2, 3]


async def test_a_text_joins_an_open_ballot_and_can_win_with_its_author(world: World) -> None:
    await world.story()
    view = await world.open()
    assert (await write(world)).joined
    redrawn = await world.services.rounds.view(view.round.id)
    own = redrawn.candidates[-1]
    assert (own.text, own.source) == (TEXT, Source.MEMBER)
    await world.vote(view, ANNA, own)
    result = await world.settle(view, forced_by=ANNA)
    assert result.passage is not None
    assert (result.passage.source, result.passage.author_user_id) == (Source.MEMBER, BEN)


async def test_one_text_per_member_and_round_and_the_second_comes_back(world: World) -> None:
    await world.story()
    await world.open()
    await write(world)
    with pytest.raises(BadInput) as refused:
        await write(world, text="Another text of mine.")
    assert refused.value.text == "Another text of mine."
    assert (await write(world, CARA, "A different hand wrote this line.")).joined


async def test_a_filtered_text_comes_back_and_begins_nothing(world: World) -> None:
    await world.story()
    text = f"Then came the {FORBIDDEN}."
    with pytest.raises(Filtered) as refused:
        await write(world, text=text)
    assert (refused.value.text, refused.value.category) == (text, "rude")
    assert await world.services.rounds.unfinished_in(CHANNEL) is None


async def test_an_empty_text_and_one_over_the_limit_come_back(world: World) -> None:
    await world.story()
    for text in ("   ", "word " * 900):
        with pytest.raises(BadInput) as refused:
            await write(world, text=text)
        assert refused.value.text == text


async def test_a_text_after_the_deadline_comes_back(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.pass_deadline(view)
    world.clock.advance(seconds=1)
    with pytest.raises(RoundOver) as refused:
        await write(world)
    assert refused.value.text == TEXT


async def test_without_a_story_there_is_nothing_to_write_for(world: World) -> None:
    with pytest.raises(NoStory):
        await write(world)


async def test_two_texts_at_once_begin_one_round_that_holds_both(world: World) -> None:
    await world.story()
    one, two = await asyncio.gather(write(world, BEN), write(world, CARA, "The tailor sewed a door into the wall."))
    assert one.round.id == two.round.id
    assert sorted((one.must_generate, two.must_generate)) == [False, True]
    view = await world.services.rounds.generate(one.round.id)
    assert sorted(authors(view)) == [BEN, CARA]


async def test_a_text_delivered_twice_stands_once(world: World) -> None:
    await world.story()
    rounds = world.services.rounds
    first = await rounds.write(GUILD, CHANNEL, BEN, TEXT, 42)
    again = await rounds.write(GUILD, CHANNEL, BEN, TEXT, 42)
    assert first.round.id == again.round.id
    assert authors(await rounds.generate(first.round.id)) == [BEN]


async def test_a_members_text_outlives_a_worker_that_fails(world: World) -> None:
    await world.story()
    world.far.then(status(500), status(500))
    written = await write(world)
    view = await world.services.rounds.generate(written.round.id)
    assert view.round.state is RoundState.OPEN
    assert [candidate.text for candidate in view.candidates] == [TEXT]
    assert any("only members' texts" in notice for notice in view.notices)


async def test_a_ballot_has_at_most_eight_candidates(world: World) -> None:
    await world.story()
    await world.set(candidates=5)
    written = await write(world, 200, "Text of member zero, about a ship.")
    for number in range(1, 3):
        await write(world, 200 + number, f"Member {number} tells of {'rain ' * number}and leaves.")
    view = await world.services.rounds.generate(written.round.id)
    assert len(view.candidates) == 8
    assert len(authors(view)) == 3
    with pytest.raises(BadInput) as refused:
        await write(world)
    assert refused.value.text == TEXT


async def test_a_text_that_comes_while_its_round_fails_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.story()
    world.far.then(status(400))
    round_ = await world.begin()
    fail_round, late = world.store.fail_round, []

    async def fail_while_somebody_writes(*how: object) -> object:
        late.append(asyncio.create_task(write(world)))
        await asyncio.wait(late, timeout=0.3)  # the text has every chance to slip in
        return await fail_round(*how)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "fail_round", fail_while_somebody_writes)
    with pytest.raises(WorkerRefused):
        await world.services.rounds.generate(round_.id)
    with pytest.raises(RoundOver) as refused:
        await late[0]
    assert refused.value.text == TEXT
