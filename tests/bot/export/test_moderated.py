"""What moderators hid or took out is in no export."""

from __future__ import annotations

from pathlib import Path

from bot.story.cases import Act
from bot.story.marks import NOTICES, Mark
from tests.bot.export.command import export_rounds, export_stories
from tests.bot.service.world import ANNA, BEN, CHANNEL, DORA, GUILD, World


async def act(world: World, what: Act, **thing: int) -> int:
    case = (await world.services.cases.report(GUILD, BEN, "", **thing)).case  # type: ignore[arg-type]
    await world.services.cases.act(GUILD, case.id, what, DORA, "because")
    return case.id


async def test_a_hidden_passage_is_a_gap_that_is_not_free_and_a_removed_one_is_not_there(
    world: World, tmp_path: Path
) -> None:
    await world.set(training="on")
    await world.story()
    texts = [passage.text for _ in range(4) if (passage := (await world.play()).passage) is not None]
    ids = [passage.id for passage in (await world.services.stories.show(CHANNEL)).passages]
    case_id = await act(world, Act.REDACT, passage_id=ids[1])
    await act(world, Act.REMOVE, passage_id=ids[2])
    (story,) = export_stories(world, tmp_path)
    assert [(p["text"], p["training"]) for p in story["passages"]] == [
        (texts[0], True),
        (NOTICES[Mark.REDACTED], False),
        (texts[3], True),
    ]
    await world.services.cases.act(GUILD, case_id, Act.RESTORE, DORA, "because")
    (story,) = export_stories(world, tmp_path)
    assert (story["passages"][1]["text"], story["passages"][1]["training"]) == (texts[1], True)


async def test_a_candidate_that_was_off_the_ballot_was_chosen_over_by_nobody(world: World, tmp_path: Path) -> None:
    await world.set(early="off")
    await world.story()
    view = await world.open()
    bad, good, other = view.candidates
    await world.vote(view, ANNA, bad)
    await world.vote(view, BEN, bad)
    await world.vote(view, BEN, good)
    await act(world, Act.REMOVE, candidate_id=bad.id)
    await world.settle(view, forced_by=DORA)
    (round_,) = export_rounds(world, tmp_path)
    assert [(c["id"], c["position"]) for c in round_["candidates"]] == [(str(good.id), 2), (str(other.id), 3)]
    assert round_["ballots"] == [{"approved": [str(good.id)]}]
