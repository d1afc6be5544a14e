"""Light rewrites: small changes of wording by a masked model, served beside the one that writes."""

from __future__ import annotations

import pytest

from bot.errors import BadInput, NoRewriter, NothingUsable, WorkerDown, WorkerRefused
from bot.service.views import BallotView
from bot.story.model import Candidate, RoundKind, RoundState, Source, Style
from tests.bot.service.far_end import MASKED, fresh_text, status
from tests.bot.service.test_rewrite import canon_of, incumbent_of, tell
from tests.bot.service.world import ANNA, BEN, CHANNEL, FORBIDDEN, GUILD, World


async def light(world: World, passage: int | None = None, hint: str | None = None) -> BallotView:
    return await world.open(RoundKind.REWRITE, passage=passage, style=Style.LIGHT, hint=hint)


def new_ones(view: BallotView) -> list[Candidate]:
    return [candidate for candidate in view.candidates if candidate.source is Source.MODEL]


@pytest.fixture
async def told(world: World) -> list[str]:
    """Four passages, told where a masked model is served."""
    world.far.others.append(MASKED)
    return await tell(world)


async def test_the_masked_model_is_asked_for_other_words_of_the_passage_between_what_surrounds_it(
    world: World, told: list[str]
) -> None:
    view = await light(world, passage=2)
    assert world.far.asked[-1] | {"seed": 0} == {
        "model": "rewriter",
        "prompt": told[0],
        "middle": told[1],
        "suffix": f"{told[2]}\n\n{told[3]}",
        "mask_share": 0.25,
        "passes": 8,
        "order": "parallel",
        "temperature": 0.8,
        "n": 4,
        "seed": 0,
        "stream": True,
    }
    assert incumbent_of(view).text == told[1]
    assert len(new_ones(view)) == 3
    assert all(candidate.text != told[1] for candidate in new_ones(view))
    assert view.notices == ()


async def test_each_candidate_records_the_masked_model_and_how_it_was_asked(world: World, told: list[str]) -> None:
    view = await light(world, passage=2, hint=f"keep “{told[1].split()[2]}”")
    request = world.far.asked[-1]
    ids = [passage.id for passage in (await world.services.stories.show(CHANNEL)).passages]
    for candidate in new_ones(view):
        found = candidate.provenance
        assert found is not None
        assert (found.model, found.revision) == ("rewriter", "m1")
        assert found.seed in {request["seed"] * 10 + index for index in range(4)}
        assert found.sampling == {
            "temperature": 0.8,
            "mask_share": 0.25,
            "passes": 8,
            "order": "parallel",
            "keep": [told[1].split()[2]],
        }
        assert found.prompt.parts == ("text before", "passage", "text after")
        assert (found.prompt.passages_used, found.prompt.passages_after) == ((ids[0], ids[1]), (ids[2], ids[3]))
        assert found.prompt.suffix_tokens == 24
        assert found.prompt.prompt_tokens == 48


async def test_the_winner_stands_in_the_middle_and_what_follows_follows(world: World, told: list[str]) -> None:
    result = await world.play(RoundKind.REWRITE, passage=3, style=Style.LIGHT)
    assert result.winner is not None
    assert await canon_of(world) == [*told[:2], result.winner.text, told[3]]


async def test_the_last_passage_has_nothing_after_it_and_the_first_nothing_before(
    world: World, told: list[str]
) -> None:
    view = await light(world)
    assert (world.far.asked[-1]["middle"], world.far.asked[-1]["suffix"]) == (told[3], "")
    (record, *_) = [c.provenance.prompt for c in new_ones(view) if c.provenance]
    assert (record.parts, record.suffix_used) == (("text before", "passage"), None)
    await world.services.rounds.cancel(CHANNEL, ANNA)
    await light(world, passage=1)
    assert world.far.asked[-1]["prompt"] == ""


async def test_what_surrounds_is_cut_to_what_the_model_reads(world: World) -> None:
    world.far.others.append({**MASKED, "max_model_len": 40})
    told = await tell(world)
    view = await light(world, passage=3)
    request = world.far.asked[-1]
    words = sum(len(request[name].split()) for name in ("prompt", "middle", "suffix"))
    assert words <= 40 - 8
    assert told[1].endswith(request["prompt"].removeprefix(told[0]).strip()[-20:])
    assert told[3].startswith(request["suffix"][:10])
    (record, *_) = [c.provenance.prompt for c in new_ones(view) if c.provenance]
    assert record.passages_left_out


async def test_a_passage_that_the_model_cannot_read_fails_the_round_with_the_numbers(world: World) -> None:
    world.far.others.append({**MASKED, "max_model_len": 18})
    await tell(world, 1)
    round_ = await world.begin(RoundKind.REWRITE, style=Style.LIGHT)
    with pytest.raises(BadInput, match=r"takes 12 tokens.* reads 10 at once"):
        await world.services.rounds.generate(round_.id)
    assert (await world.store.round(round_.id)).state is RoundState.FAILED


async def test_what_comes_back_unchanged_is_asked_for_again_with_more_of_it_hidden(
    world: World, told: list[str]
) -> None:
    old = told[1]
    world.far.then([old, old.upper(), old.replace(".", "!"), old], [old, old, old, old])
    view = await light(world, passage=2)
    assert [request["mask_share"] for request in world.far.asked[-3:]] == [0.25, 0.35, 0.5]
    assert len({candidate.text for candidate in new_ones(view)}) == 3
    assert {c.provenance.sampling["mask_share"] for c in new_ones(view) if c.provenance} == {0.5}


async def test_fewer_other_wordings_are_told_with_the_reason(world: World, told: list[str]) -> None:
    world.far.then([f"{fresh_text(77)}", *[told[1]] * 3], [told[1]] * 3, [told[1]] * 3)
    view = await light(world, passage=2)
    (notice,) = view.notices
    assert notice.startswith("Only 1 of 3 candidates: the others changed no word")


async def test_where_nothing_changes_the_round_fails(world: World, told: list[str]) -> None:
    world.far.then(*[[told[1]] * 4] * 3)
    round_ = await world.begin(RoundKind.REWRITE, passage=2, style=Style.LIGHT)
    with pytest.raises(NothingUsable):
        await world.services.rounds.generate(round_.id)


async def test_other_wordings_are_filtered_like_everything_else(world: World, told: list[str]) -> None:
    world.far.then([f"{told[1]} {FORBIDDEN}"])
    view = await light(world, passage=2)
    assert view.round.withheld == 1
    assert all(FORBIDDEN not in candidate.text for candidate in view.candidates)


async def test_without_a_masked_model_it_is_refused_before_anything_begins(world: World) -> None:
    await tell(world, 2)
    with pytest.raises(NoRewriter, match=r"host.*style:fresh"):
        await light(world)
    assert await world.services.rounds.unfinished_in(CHANNEL) is None
    world.far.others.append(MASKED)  # the host has added one, and nobody has seen the worker fail meanwhile
    assert new_ones(await light(world))


async def test_a_worker_that_lost_its_masked_model_is_noticed_at_once(world: World, told: list[str]) -> None:
    assert new_ones(await light(world))
    await world.services.rounds.cancel(CHANNEL, ANNA)
    world.far.others.clear()
    with pytest.raises(NoRewriter):
        await light(world)


async def test_a_worker_that_does_not_answer_in_time_is_asked_when_the_round_is_written(
    world: World, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*, anew: bool = False) -> object:
        raise WorkerDown

    with monkeypatch.context() as patch:
        patch.setattr(world.worker, "describe", unreachable)
        round_ = await world.begin(RoundKind.REWRITE, style=Style.LIGHT)
    world.far.others.clear()
    await world.worker.describe(anew=True)
    with pytest.raises(NoRewriter):
        await world.services.rounds.generate(round_.id)
    failed = await world.store.round(round_.id)
    assert (failed.state, failed.failure) == (RoundState.FAILED, str(NoRewriter()))


async def test_a_refusal_of_the_masked_model_fails_the_round(world: World, told: list[str]) -> None:
    world.far.then(status(400, "keep holds 17 words; at most 16 are taken"))
    round_ = await world.begin(RoundKind.REWRITE, passage=2, style=Style.LIGHT)
    with pytest.raises(WorkerRefused):
        await world.services.rounds.generate(round_.id)


async def test_words_in_quotation_marks_stay(world: World, told: list[str]) -> None:
    first, second = told[1].split()[:2]
    await light(world, passage=2, hint=f'please keep "{first.lower()}" and „{second.upper()}“')
    assert world.far.asked[-1]["keep"] == [first, second]


async def test_a_masked_model_that_cannot_keep_words_is_not_asked_to(world: World) -> None:
    world.far.others.append({**MASKED, "abilities": ["middle"]})
    told = await tell(world, 1)
    with pytest.raises(NoRewriter, match="can't let chosen words stay"):
        await light(world, hint=f'keep "{told[0].split()[0]}"')
    assert new_ones(await light(world))


@pytest.mark.parametrize(
    ("instruction", "sentence"),
    [("make it darker", "in quotation marks"), ('keep "dragon"', "“dragon” does not stand")],
)
async def test_an_instruction_that_a_light_rewrite_cannot_follow_is_refused_and_comes_back(
    world: World, told: list[str], instruction: str, sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence) as refused:
        await light(world, passage=2, hint=instruction)
    assert refused.value.text == instruction
    assert await world.services.rounds.unfinished_in(CHANNEL) is None


async def test_a_members_own_version_stands_beside_the_others(world: World, told: list[str]) -> None:
    view = await light(world, passage=2)
    await world.services.rounds.write(GUILD, CHANNEL, BEN, "The owl slept.", next(world.interactions))
    view = await world.services.rounds.view(view.round.id)
    mine = next(candidate for candidate in view.candidates if candidate.source is Source.MEMBER)
    await world.vote(view, ANNA, mine)
    await world.settle(view, forced_by=ANNA)
    assert await canon_of(world) == [told[0], "The owl slept.", *told[2:]]


async def test_a_light_round_is_taken_up_again_after_a_restart(world: World, told: list[str]) -> None:
    round_ = await world.begin(RoundKind.REWRITE, passage=2, style=Style.LIGHT)
    await world.restart()
    (found,) = await world.services.rounds.unfinished()
    assert found == round_
    assert incumbent_of(await world.services.rounds.generate(found.id)).text == told[1]
