"""What of the model's texts reaches a ballot."""

from __future__ import annotations

import pytest

from bot.errors import NothingUsable
from bot.service.sampling import MAX_ASKS
from bot.story.model import RoundState
from tests.bot.service.far_end import fresh_text, status
from tests.bot.service.world import ANNA, CHANNEL, FORBIDDEN, World

RUDE = f"Then the {FORBIDDEN} came over the hill."
GOOD = [fresh_text(number) for number in range(100, 110)]
LOOP = "The dog ran to the red barn. " * 6


async def test_what_a_filter_refuses_is_never_shown_and_its_number_is_told(world: World) -> None:
    await world.story()
    world.far.then([RUDE, GOOD[0], GOOD[1], RUDE.upper()])
    view = await world.open()
    assert len(view.candidates) == 3
    assert all(FORBIDDEN not in candidate.text.lower() for candidate in view.candidates)
    assert view.round.withheld == 2
    assert view.notices == ("2 candidates were withheld by a filter.",)
    assert (await world.services.rounds.view(view.round.id)).notices == view.notices


async def test_the_filter_sees_the_text_as_it_would_be_shown(world: World) -> None:
    # The forbidden word stands in the unfinished sentence, which is cut off before anybody sees it.
    await world.story()
    world.far.then([f"{GOOD[0]} And then a {FORBIDDEN}", *GOOD[1:4]])
    view = await world.open()
    assert view.round.withheld == 0
    assert GOOD[0] in {candidate.text for candidate in view.candidates}


async def test_near_duplicates_are_dropped_and_the_missing_ones_asked_again(world: World) -> None:
    await world.story()
    world.far.then([GOOD[0]] * 4, [GOOD[1], GOOD[0], GOOD[2]])
    view = await world.open()
    assert {candidate.text for candidate in view.candidates} == set(GOOD[:3])
    assert [request["n"] for request in world.far.asked] == [4, 3]
    assert world.far.asked[0]["seed"] != world.far.asked[1]["seed"]
    assert view.notices == ()


async def test_loops_unfinished_texts_and_repetitions_of_canon_do_not_stand(world: World) -> None:
    await world.story()
    played = await world.play()
    assert played.passage is not None
    world.far.then([LOOP, "and then without any end", played.passage.text, GOOD[0]], GOOD[1:4])
    view = await world.open()
    assert {candidate.text for candidate in view.candidates} == set(GOOD[:3])


async def test_asking_again_is_bounded_and_the_ballot_says_that_there_are_fewer(world: World) -> None:
    await world.story()
    world.far.then(*[[GOOD[0]] * 4] * MAX_ASKS)
    view = await world.open()
    assert len(world.far.asked) == MAX_ASKS
    assert [candidate.text for candidate in view.candidates] == [GOOD[0]]
    (notice,) = view.notices
    assert notice.startswith("Only 1 of 3 candidates")
    await world.restart()
    assert (await world.services.rounds.view(view.round.id)).notices == (notice,)


async def test_when_nothing_can_be_used_the_round_fails_with_that_sentence(world: World) -> None:
    await world.story()
    world.far.then(*[[RUDE] * 4] * MAX_ASKS)
    round_ = await world.begin()
    with pytest.raises(NothingUsable, match="filter") as failed:
        await world.services.rounds.generate(round_.id)
    assert failed.value.withheld == 4 * MAX_ASKS
    ended = (await world.services.rounds.view(round_.id)).round
    assert (ended.state, ended.failure) == (RoundState.FAILED, str(failed.value))
    assert await world.services.rounds.unfinished_in(CHANNEL) is None


async def test_a_worker_that_fails_on_the_second_question_leaves_what_the_first_gave(world: World) -> None:
    await world.story()
    world.far.then([GOOD[0], GOOD[1], GOOD[0], GOOD[1]], status(400))
    view = await world.open()
    assert {candidate.text for candidate in view.candidates} == set(GOOD[:2])
    assert view.notices[0].startswith("Only 2 of 3 candidates")


async def test_candidates_are_cut_to_whole_sentences_within_the_settings_length(world: World) -> None:
    await world.story()
    await world.set(length=20)
    world.far.then([f"{GOOD[0]} {GOOD[1]} {GOOD[2]}", *GOOD[3:6]])
    view = await world.open()
    assert all(len(candidate.text.split()) <= 20 for candidate in view.candidates)
    assert GOOD[0] in {candidate.text for candidate in view.candidates}
    await world.vote(view, ANNA, view.candidates[0])
