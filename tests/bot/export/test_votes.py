"""`talewright export votes`: who was chosen over whom, with no member and no text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.export.votes import sampling_label
from bot.story.model import NONE_OF_THESE, RoundKind, Source, Style
from tests.bot.export.command import export_rounds, talewright, tell_as_member
from tests.bot.service.far_end import MASKED
from tests.bot.service.world import ANNA, BEN, CARA, CHANNEL, DORA, GUILD, World

REWRITE = RoundKind.REWRITE
FRESH = "frequency_penalty=0.3 min_p=0.05 temperature=0.8 top_p=0.95"


async def test_a_round_tells_who_wrote_each_candidate_where_it_stood_and_how_it_was_voted(
    world: World, tmp_path: Path
) -> None:
    await world.story()
    written = await world.services.rounds.write(GUILD, CHANNEL, BEN, "The whale sang.", next(world.interactions))
    view = await world.services.rounds.generate(written.round.id)
    a, b, *_ = view.candidates
    for user, choices in ((ANNA, [a, b]), (BEN, [b]), (CARA, [NONE_OF_THESE])):
        for choice in choices:
            await world.vote(view, user, choice)
    await world.settle(view, forced_by=ANNA)
    (round_,) = export_rounds(world, tmp_path)
    assert (round_["id"], round_["kind"]) == (str(view.round.id), "continue")
    model = {"author": "model", "model": "scripted", "revision": "r1", "sampling": FRESH}
    assert round_["candidates"] == [
        {"id": str(c.id), "position": place, **({"author": "member"} if c.source is Source.MEMBER else model)}
        for place, c in enumerate(view.candidates, start=1)
    ]
    assert sum(candidate["author"] == "member" for candidate in round_["candidates"]) == 1
    assert round_["ballots"] == [{"approved": []}, {"approved": [str(a.id), str(b.id)]}, {"approved": [str(b.id)]}]


async def test_plurality_names_one_choice_and_none_of_these_approves_of_nothing(world: World, tmp_path: Path) -> None:
    await world.set(method="plurality")
    await world.story()
    view = await world.open()
    await world.vote(view, ANNA, view.candidates[1])
    await world.vote(view, BEN, NONE_OF_THESE)
    await world.settle(view, forced_by=ANNA)
    (round_, *_) = export_rounds(world, tmp_path)
    assert round_["ballots"] == [{"approved": []}, {"chosen": str(view.candidates[1].id)}]


async def test_ballots_do_not_tell_which_are_of_the_same_member(world: World, tmp_path: Path) -> None:
    """The store keeps them in the order of members' ids; whoever votes what, the export is the same."""
    await world.story()
    exported = []
    for voters in ((ANNA, BEN, CARA), (CARA, ANNA, BEN)):
        view = await world.open()
        for user, place in zip(voters, (0, 1, 1), strict=True):
            await world.vote(view, user, view.candidates[place])
        await world.settle(view, forced_by=ANNA)
        places = {str(candidate.id): candidate.position for candidate in view.candidates}
        ballots = export_rounds(world, tmp_path)[-1]["ballots"]
        exported.append([[places[number] for number in ballot["approved"]] for ballot in ballots])
    assert exported == [[[0], [1], [1]]] * 2


async def test_an_incumbent_counts_for_whoever_wrote_it_also_as_a_copy(world: World, tmp_path: Path) -> None:
    world.far.others.append(MASKED)
    await world.story()
    await world.play()
    await tell_as_member(world, "The whale sang.")
    await world.play()
    world.far.model["revision"] = "r2"
    await world.worker.describe(anew=True)
    await world.play(REWRITE, passage=1)  # what follows are copies from here on
    expected = []
    for passage in (2, 3):
        view = await world.open(REWRITE, passage=passage, style=Style.LIGHT)
        expected.append(next(str(c.id) for c in view.candidates if c.source is Source.INCUMBENT))
        await world.vote(view, ANNA, view.candidates[0])
        await world.settle(view, forced_by=ANNA)
    *_, second, third = export_rounds(world, tmp_path)
    of_member, of_model = (
        next(c for c in round_["candidates"] if c["id"] == number)
        for round_, number in zip((second, third), expected, strict=True)
    )
    assert {**of_member, "position": 0} == {"id": expected[0], "author": "member", "position": 0}
    assert (of_model["author"], of_model["model"], of_model["revision"]) == ("model", "scripted", "r1")
    others = [c for c in third["candidates"] if c["id"] != expected[1]]
    assert {(c["model"], c["revision"]) for c in others} == {("rewriter", "m1")}
    assert others[0]["sampling"] == "mask_share=0.25 order=parallel passes=8 temperature=0.8"
    assert {round_["kind"] for round_ in (second, third)} == {"rewrite"}


async def test_only_closed_rounds_with_two_candidates_are_written_and_the_others_counted(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.story()
    await world.set(candidates=2)
    world.far.then(*[["The fox ran home."] * 3] * 3)  # one text thrice: a ballot of one
    await world.play()
    await world.play()
    await world.open()
    await world.services.rounds.cancel(CHANNEL, ANNA)
    await world.open()
    assert len(export_rounds(world, tmp_path)) == 1
    assert "rounds: 1, ballots: 2; left out, with fewer than 2 candidates: 1" in capsys.readouterr().err


async def test_one_server_or_all_of_them(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await world.story()
    await world.play()
    await world.services.stories.start(2, 20, ANNA, "Elsewhere", "")
    assert len(export_rounds(world, tmp_path)) == len(export_rounds(world, tmp_path, "--guild", GUILD)) == 1
    assert export_rounds(world, tmp_path, "--guild", 2) == []
    assert talewright("export", "votes", "--out", tmp_path / "x", "--database", world.path, "--guild", 3) == 1
    assert "nothing of a server 3" in capsys.readouterr().err


async def test_no_member_and_no_text_is_in_it(world: World, tmp_path: Path) -> None:
    ben, dora = 223456789012345678, 323456789012345678
    await world.story()
    await tell_as_member(world, "The whale sang.", ben)
    view = await world.open(hint="an old secret")
    await world.vote(view, dora, view.candidates[0])
    await world.settle(view, forced_by=DORA)
    text = json.dumps(export_rounds(world, tmp_path))
    for never in (str(ben), str(dora), "whale", "secret", view.candidates[0].text):
        assert never not in text


def test_the_label_is_of_the_sampling_alone_and_in_one_order() -> None:
    sampling = {"top_p": 0.95, "temperature": 0.80, "max_tokens": 152, "stop": ["<|end|>"], "must_include": ["fox"]}
    label = sampling_label(sampling)
    assert label == "temperature=0.8 top_p=0.95"
    assert sampling_label(dict(reversed(sampling.items()))) == label
    assert sampling_label({"order": "parallel", "passes": 8, "keep": ["Mara"]}) == "order=parallel passes=8"


async def test_the_evaluation_reads_it(world: World, tmp_path: Path) -> None:
    export = pytest.importorskip("models.evaluate.votes.export")
    await world.story()
    await world.play()
    await tell_as_member(world, "The whale sang.")
    await world.play(REWRITE)
    await world.set(method="plurality")
    await world.play()
    export_rounds(world, tmp_path)
    rounds = export.read_export(tmp_path / "votes.json")
    assert [round_.kind for round_ in rounds] == ["continue", "continue", "rewrite", "continue"]
    scripted = f"scripted@r1, {FRESH}"
    assert {entry.competitor for round_ in rounds for entry in round_.entries} == {"members", scripted}
    assert [len(round_.ballots) for round_ in rounds] == [2] * 4
