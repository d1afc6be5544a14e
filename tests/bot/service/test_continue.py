"""Whole rounds of `/continue`."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import BadInput, Filtered, NoStory, RoundRunning
from bot.story.election import Rule
from bot.story.election import ballot_order as order_of
from bot.story.model import NONE_OF_THESE, RoundKind, RoundState, Source
from tests.bot.service.far_end import fresh_text
from tests.bot.service.world import ANNA, BEN, CARA, CHANNEL, FORBIDDEN, GUILD, World

TAUGHT_STYLES = {
    "version": 2,
    "start": "<|story|>",
    "title": "<|title|>{text}",
    "premise": "<|premise|>{text}",
    "tags": "<|tags|>{text}",
    "body": "<|text|>",
    "passage_end": "<|end|>",
    "hint": "<|hint|>{text}<|text|>",
    "suffix": "",
    "answer": "",
    "stop": ["<|end|>"],
}


async def test_from_the_question_to_canon_and_on_from_there(world: World) -> None:
    await world.story()
    view = await world.open(hint="the fox returns")
    assert view.round.state is RoundState.OPEN
    assert view.tally is None
    assert view.notices == ()
    assert len(view.candidates) == 3
    assert len({candidate.text for candidate in view.candidates}) == 3
    chosen = view.candidates[1]
    receipt = await world.vote(view, ANNA, chosen)
    assert receipt.choices == {chosen.id}
    await world.vote(view, BEN, chosen)
    result = await world.settle(view, forced_by=None)
    assert result.winner == chosen
    assert result.outcome.rule is Rule.LEAD
    assert result.passage is not None
    assert (result.passage.text, result.passage.source, result.passage.round_id) == (
        chosen.text,
        Source.MODEL,
        view.round.id,
    )
    assert result.ballot.tally is not None
    assert result.ballot.tally[chosen.id] == 2
    assert result.next_round is None

    following = await world.open()
    assert chosen.text in world.far.asked[-1]["prompt"]
    assert following.round.parent_id == result.passage.id


async def test_the_premise_and_the_hint_are_in_the_prompt_and_the_hint_is_last(world: World) -> None:
    await world.story()
    await world.open(hint="the fox returns")
    prompt = world.far.asked[0]["prompt"]
    assert 0 <= prompt.index("The Glass Key") < prompt.index("A key that opens any door.") < prompt.index("fox returns")


async def test_a_style_is_told_to_a_model_that_was_taught_styles_and_to_no_other(world: World) -> None:
    await world.services.stories.start(GUILD, CHANNEL, ANNA, "The Glass Key", "", "old tale")
    untold = await world.open()
    await world.services.rounds.cancel(CHANNEL, ANNA)
    world.far.model["story_format"] = TAUGHT_STYLES
    await world.worker.describe(anew=True)
    told = await world.open()
    plain, ours = (request["prompt"] for request in world.far.asked)
    assert "old tale" not in plain
    assert ours == "<|story|><|title|>The Glass Key<|tags|>old tale<|text|>"
    records = [view.candidates[0].provenance.prompt for view in (untold, told) if view.candidates[0].provenance]
    assert [record.parts_left_out for record in records] == [("style",), ()]
    assert "<|tags|>old tale" in world.far.counted


async def test_one_more_candidate_is_asked_for_than_is_shown(world: World) -> None:
    await world.story()
    await world.open()
    (request,) = world.far.asked
    assert request["n"] == 4
    assert (request["temperature"], request["top_p"]) == (0.8, 0.95)
    assert (request["min_p"], request["frequency_penalty"]) == (0.05, 0.3)


async def test_each_candidate_records_where_it_came_from(world: World) -> None:
    await world.story()
    first = await world.play()
    view = await world.open(hint="the fox returns")
    request = world.far.asked[-1]
    seeds = {candidate.provenance.seed for candidate in view.candidates if candidate.provenance}
    assert seeds <= {request["seed"] * 10 + index for index in range(4)}
    assert len(seeds) == 3
    provenance = view.candidates[0].provenance
    assert provenance is not None
    assert (provenance.model, provenance.revision, provenance.finish_reason) == ("scripted", "r1", "stop")
    assert provenance.sampling["temperature"] == 0.8
    assert provenance.sampling["max_tokens"] == request["max_tokens"]
    assert first.passage is not None
    assert provenance.prompt.passages_used == (first.passage.id,)
    assert provenance.prompt_tokens == len(request["prompt"].split())


async def test_without_announced_seeds_row_i_has_the_requests_seed_plus_i(world: World) -> None:
    world.far.announce_seeds = False
    await world.story()
    view = await world.open()
    seed = world.far.asked[0]["seed"]
    assert {c.provenance.seed for c in view.candidates if c.provenance} == {seed, seed + 1, seed + 2}


async def test_every_request_has_a_seed_of_its_own(world: World) -> None:
    await world.story()
    for _ in range(3):
        await world.play()
    assert len({request["seed"] for request in world.far.asked}) == 3


async def test_candidates_stand_in_the_shuffled_order_of_the_rounds_seed_for_ever(world: World) -> None:
    await world.story()
    view = await world.open()
    came = [fresh_text(number) for number in range(3)]
    shuffled = [came[index] for index in order_of(3, view.round.seed)]
    assert [candidate.text for candidate in view.candidates] == shuffled
    await world.restart()
    again = await world.services.rounds.view(view.round.id)
    assert again == view


async def test_a_passages_tokens_are_counted_once(world: World) -> None:
    await world.story()
    result = await world.play()
    assert result.passage is not None
    for _ in range(2):
        await world.play()
    assert world.far.counted.count(result.passage.text) == 1
    stored = await world.store.passage(result.passage.id)
    assert stored.token_count == len(result.passage.text.split())


async def test_a_server_that_cannot_count_is_estimated_for_and_nothing_is_stored(world: World) -> None:
    world.far.can_count = False
    await world.story()
    result = await world.play()
    await world.play()
    assert result.passage is not None
    assert (await world.store.passage(result.passage.id)).token_count is None


async def test_the_prompt_keeps_within_the_models_window(world: World) -> None:
    world.far.model["max_model_len"] = 300
    await world.story()
    await world.set(length=20)
    for _ in range(12):
        await world.play()
    last = world.far.asked[-1]
    assert len(last["prompt"].split()) + last["max_tokens"] <= 300


async def test_a_second_question_in_the_channel_is_told_where_the_ballot_is(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.services.rounds.attach_message(view.round.id, 777)
    with pytest.raises(RoundRunning) as refused:
        await world.begin(user_id=BEN)
    assert (refused.value.channel_id, refused.value.message_id) == (CHANNEL, 777)


async def test_the_same_interaction_delivered_twice_begins_one_round(world: World) -> None:
    await world.story()
    rounds = world.services.rounds
    first = await rounds.begin(RoundKind.CONTINUE, GUILD, CHANNEL, ANNA, None, 42)
    assert (await rounds.begin(RoundKind.CONTINUE, GUILD, CHANNEL, ANNA, None, 42)).id == first.id


async def test_without_a_story_there_is_nothing_to_continue(world: World) -> None:
    with pytest.raises(NoStory):
        await world.begin()


@pytest.mark.parametrize(("hint", "error"), [("x" * 6000, BadInput), (f"a {FORBIDDEN} fox", Filtered)])
async def test_a_hint_that_cannot_be_used_comes_back_and_begins_nothing(
    world: World, hint: str, error: type[BadInput] | type[Filtered]
) -> None:
    await world.story()
    with pytest.raises(error) as refused:
        await world.begin(hint=hint)
    assert refused.value.text == hint
    assert await world.services.rounds.unfinished_in(CHANNEL) is None


async def test_a_blank_hint_is_no_hint(world: World) -> None:
    await world.story()
    assert (await world.begin(hint="   ")).hint is None


async def test_two_channels_go_their_own_ways_at_once(world: World) -> None:
    await world.story(10)
    await world.story(11, title="The Bell")
    world.far.gate.clear()
    one, two = await world.begin(channel_id=10), await world.begin(channel_id=11)
    both = asyncio.gather(world.services.rounds.generate(one.id), world.services.rounds.generate(two.id))
    await world.far.arrival(2)  # both are with the model at the same time
    world.far.gate.set()
    first, second = await both
    await world.vote(first, ANNA, first.candidates[0])
    await world.vote(second, BEN, NONE_OF_THESE)
    assert [ballot.user_id for ballot in await world.store.ballots(first.round.id)] == [ANNA]
    assert [ballot.user_id for ballot in await world.store.ballots(second.round.id)] == [BEN]
    assert {first.story.title, second.story.title} == {"The Glass Key", "The Bell"}


async def test_an_ended_storys_text_stays_out_of_the_next(world: World) -> None:
    await world.story()
    played = await world.play()
    await world.services.stories.end(CHANNEL, CARA)
    await world.story(title="Afresh")
    await world.open()
    assert played.passage is not None
    assert played.passage.text not in world.far.asked[-1]["prompt"]
