"""Rounds of `/rewrite`: the last passage stands on the ballot beside its new versions."""

from __future__ import annotations

import pytest

from bot.errors import BadInput, Filtered
from bot.service.views import BallotView
from bot.story.model import Candidate, RoundKind, Source
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
