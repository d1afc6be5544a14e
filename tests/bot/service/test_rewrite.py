"""Rounds of `/rewrite`: the last passage stands on the ballot beside its new versions."""

from __future__ import annotations

import pytest

from bot.errors import BadInput, Filtered
from bot.service.views import BallotView
from bot.story.model import NONE_OF_THESE, Candidate, PromptRecord, RoundKind, Source, Style
from tests.bot.service.far_end import MASKED, fresh_text
from tests.bot.service.world import ANNA, BEN, CHANNEL, FORBIDDEN, World


def incumbent_of(view: BallotView) -> Candidate:
    (found,) = [candidate for candidate in view.candidates if candidate.source is Source.INCUMBENT]
    assert view.incumbent_id == found.id
    return found


async def test_the_incumbent_stands_beside_the_new_versions_which_follow_what_it_followed(world: World) -> None:
    await world.story()
    first, second = await world.play(), await world.play()
    assert first.passage is not None
    assert second.passage is not None
    view = await world.open(RoundKind.REWRITE, hint="make it darker")
    incumbent = incumbent_of(view)
    assert (incumbent.text, incumbent.passage_id) == (second.passage.text, second.passage.id)
    assert sum(candidate.source is Source.MODEL for candidate in view.candidates) == 3
    assert view.round.parent_id == first.passage.id
    prompt = world.far.asked[-1]["prompt"]
    assert first.passage.text in prompt
    assert second.passage.text not in prompt
    assert "darker" in prompt


async def test_an_incumbent_that_wins_stays_and_nothing_is_added(world: World) -> None:
    await world.story()
    played = await world.play()
    view = await world.open(RoundKind.REWRITE)
    await world.vote(view, ANNA, incumbent_of(view))
    result = await world.settle(view, forced_by=BEN)
    assert result.winner == incumbent_of(view)
    assert result.passage == played.passage
    shown = await world.services.stories.show(CHANNEL)
    assert shown.passages == (played.passage,)


async def test_an_incumbent_that_loses_leaves_canon_but_is_not_overwritten(world: World) -> None:
    await world.story()
    first, second = await world.play(), await world.play()
    third = await world.play(RoundKind.REWRITE)
    assert first.passage is not None
    assert second.passage is not None
    assert third.passage is not None
    shown = await world.services.stories.show(CHANNEL)
    assert [passage.id for passage in shown.passages] == [first.passage.id, third.passage.id]
    assert (await world.store.passage(second.passage.id)).text == second.passage.text
    assert third.passage.parent_id == first.passage.id


async def test_the_first_passage_can_be_rewritten_too(world: World) -> None:
    await world.story()
    await world.play()
    result = await world.play(RoundKind.REWRITE)
    assert result.passage is not None
    assert result.passage.parent_id is None
    assert (await world.services.stories.show(CHANNEL)).passages == (result.passage,)


async def test_new_versions_differ_from_the_incumbent(world: World) -> None:
    await world.story()
    played = await world.play()
    assert played.passage is not None
    world.far.then([played.passage.text] * 4)
    view = await world.open(RoundKind.REWRITE)
    assert sum(candidate.text == played.passage.text for candidate in view.candidates) == 1
    assert len(view.candidates) == 4
    assert len(world.far.asked) == 3  # one for the passage, one that only repeated it, one more


async def test_without_a_passage_there_is_nothing_to_rewrite_and_the_instruction_comes_back(world: World) -> None:
    await world.story()
    with pytest.raises(BadInput) as refused:
        await world.begin(RoundKind.REWRITE, hint="make it darker")
    assert refused.value.text == "make it darker"


async def test_an_instruction_is_filtered_like_a_hint(world: World) -> None:
    await world.story()
    await world.play()
    with pytest.raises(Filtered, match="instruction"):
        await world.begin(RoundKind.REWRITE, hint=f"more {FORBIDDEN}")


async def tell(world: World, length: int = 4) -> list[str]:
    await world.story()
    for _ in range(length):
        await world.play()
    return await canon_of(world)


async def canon_of(world: World) -> list[str]:
    return [passage.text for passage in (await world.services.stories.show(CHANNEL)).passages]


def records_of(view: BallotView) -> list[PromptRecord]:
    return [candidate.provenance.prompt for candidate in view.candidates if candidate.provenance is not None]


async def test_a_passage_in_the_middle_is_rewritten_and_what_follows_stays(world: World) -> None:
    told = await tell(world)
    view = await world.open(RoundKind.REWRITE, passage=2, hint="with an owl")
    assert incumbent_of(view).text == told[1]
    assert (view.passage_number, view.round.is_in_the_middle) == (2, True)
    prompt = world.far.asked[-1]["prompt"]
    assert told[0] in prompt
    assert not any(text in prompt for text in told[1:])
    winner = next(c for c in view.candidates if c.source is Source.MODEL)
    await world.vote(view, ANNA, winner)
    result = await world.settle(view, forced_by=BEN)
    assert result.passage is not None
    assert result.passage.text == winner.text
    assert await canon_of(world) == [told[0], winner.text, *told[2:]]
    await world.restart()
    assert (await world.services.rounds.result(view.round.id)).passage == result.passage
    await world.open()
    prompt = world.far.asked[-1]["prompt"]
    assert [prompt.index(text) for text in await canon_of(world)] == sorted(
        prompt.index(text) for text in await canon_of(world)
    )


async def test_an_incumbent_in_the_middle_that_wins_leaves_every_passage_where_it_is(world: World) -> None:
    await tell(world, 3)
    before = (await world.services.stories.show(CHANNEL)).passages
    view = await world.open(RoundKind.REWRITE, passage=1)
    await world.vote(view, ANNA, incumbent_of(view))
    result = await world.settle(view, forced_by=BEN)
    assert result.passage == before[0]
    assert (await world.services.stories.show(CHANNEL)).passages == before


async def test_the_last_passage_by_its_number_is_the_last_passage(world: World) -> None:
    await tell(world, 2)
    view = await world.open(RoundKind.REWRITE, passage=2)
    assert not view.round.is_in_the_middle
    assert view.notices == ()


@pytest.mark.parametrize("number", [0, 3, 999])
async def test_a_number_that_no_passage_has_is_refused_with_those_there_are(world: World, number: int) -> None:
    await tell(world, 2)
    with pytest.raises(BadInput, match="numbered from 1 to 2") as refused:
        await world.begin(RoundKind.REWRITE, passage=number, hint="darker")
    assert refused.value.text == "darker"


async def test_copied_passages_are_not_counted_again(world: World) -> None:
    await tell(world, 3)
    await world.open(RoundKind.REWRITE)  # asks for the first two
    await world.services.rounds.cancel(CHANNEL, ANNA)
    await world.play(RoundKind.REWRITE, passage=1)
    counted = len(world.far.counted)
    told = await canon_of(world)
    await world.open()
    assert told[1] not in world.far.counted[counted:]


async def test_new_versions_do_not_tell_what_comes_after(world: World) -> None:
    told = await tell(world)
    world.far.then([told[2], f"{fresh_text(900)} {told[2]}", fresh_text(901), fresh_text(902)], [fresh_text(903)])
    view = await world.open(RoundKind.REWRITE, passage=2)
    new = {candidate.text for candidate in view.candidates if candidate.source is Source.MODEL}
    assert new == {fresh_text(901), fresh_text(902), fresh_text(903)}


async def test_a_model_that_can_is_told_what_comes_after(world: World) -> None:
    world.far.model["abilities"] = ["hint", "suffix", "telepathy"]
    told = await tell(world)
    view = await world.open(RoundKind.REWRITE, passage=2)
    assert world.far.asked[-1]["suffix"] == "\n\n".join(told[2:])
    ids = [passage.id for passage in (await world.services.stories.show(CHANNEL)).passages]
    for record in records_of(view):
        assert record.suffix_used == "\n\n".join(told[2:])
        assert record.suffix_tokens == len(" ".join(told[2:]).split())
        assert (record.passages_used, record.passages_after) == ((ids[0],), (ids[2], ids[3]))
        assert "what comes after" in record.parts
    assert view.notices == ()
    await world.services.rounds.cancel(CHANNEL, ANNA)
    await world.open()
    await world.services.rounds.cancel(CHANNEL, ANNA)
    await world.open(RoundKind.REWRITE)
    assert all("suffix" not in asked for asked in world.far.asked[-2:])


async def test_a_model_that_cannot_is_not_and_the_ballot_says_so(world: World) -> None:
    await tell(world)
    view = await world.open(RoundKind.REWRITE, passage=2)
    assert "suffix" not in world.far.asked[-1]
    assert all(record.suffix_used is None for record in records_of(view))
    (notice,) = view.notices
    assert "could not see what comes after" in notice
    await world.restart()
    assert (await world.services.rounds.view(view.round.id)).notices == (notice,)


async def test_none_of_these_asks_for_the_same_passage_in_the_same_style_again(world: World) -> None:
    world.far.others.append(MASKED)
    await tell(world, 3)
    view = await world.open(RoundKind.REWRITE, passage=2, style=Style.LIGHT)
    await world.vote(view, ANNA, NONE_OF_THESE)
    result = await world.settle(view, forced_by=BEN)
    following = result.next_round
    assert following is not None
    assert (following.passage_id, following.style, following.reroll) == (view.round.passage_id, Style.LIGHT, 1)
