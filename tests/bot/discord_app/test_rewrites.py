"""`/rewrite` as members see it: which passage, in which style, and what comes of it."""

from __future__ import annotations

import pytest

from tests.bot.discord_app.stage import FORBIDDEN, Stage
from tests.bot.service.far_end import MASKED, fresh_text

TOLD = ["The fox found a door in the hill.", "A bell rang under the silver river.", "Nobody saw the old king leave."]


@pytest.fixture
async def told(stage: Stage) -> Stage:
    """A story of three passages."""
    await stage.story()
    for number, text in enumerate(TOLD):
        stage.far.then([text, fresh_text(500 + 2 * number), fresh_text(501 + 2 * number)])
        await stage.ask()
        await stage.win(stage.letter_of(text))
    return stage


async def rewrite(stage: Stage, **options: str) -> str:
    """Asks, and gives what stands on the ballot."""
    result = await stage.ada.slash(stage.channel, "rewrite", **options)
    assert not result.ephemeral, stage.told(result)
    return stage.text(stage.ballot)


async def story_of(stage: Stage) -> str:
    return stage.text((await stage.ada.slash(stage.channel, "story show")).response)


async def test_a_passage_in_the_middle_is_named_rewritten_and_followed_by_what_followed(told: Stage) -> None:
    told.far.then([fresh_text(41), fresh_text(42), fresh_text(43)])
    said = await rewrite(told, passage="2")
    assert "Another version of passage 2?" in said
    assert f"as it stands now\n{TOLD[1]}" in said
    assert "could not see what comes after" in said
    await told.win(told.letter_of(fresh_text(41)))
    announced = told.messages[-1].content
    assert "**The Glass Key**, passage 2 told anew:" in announced
    assert fresh_text(41) in announced
    assert "What comes after it stands as it did." in announced
    shown = await story_of(told)
    places = [shown.index(text) for text in (TOLD[0], fresh_text(41), TOLD[2])]
    assert places == sorted(places)
    assert TOLD[1] not in shown
    assert "3 passages" in shown


async def test_while_it_is_written_the_channel_is_told_what_is(told: Stage) -> None:
    told.far.others.append(MASKED)
    told.leave_the_worker_out()
    told.far.gate.clear()
    await told.ada.slash(told.channel, "rewrite", passage="1", style="light")
    assert "Writing 3 other wordings of passage 1…" in told.text(told.messages[-1])
    told.far.gate.set()
    await told.until(lambda: "Vote A" in told.buttons(told.messages[-1]))


async def test_the_last_passage_is_the_one_that_is_meant_without_a_number(told: Stage) -> None:
    said = await rewrite(told)
    assert "Tell the last passage anew?" in said
    assert f"as it stands now\n{TOLD[2]}" in said
    assert "could not see" not in said


async def test_a_light_rewrite_shows_what_it_changes_and_stores_plain_text(told: Stage) -> None:
    told.far.others.append(MASKED)
    told.far.then(["A bell sang under the silver river.", "A bell rang below the silver river.", "A bell rang."])
    said = await rewrite(told, passage="2", style="light", instruction="keep “Bell” and “river”")
    assert told.far.asked[-1]["keep"] == ["bell", "river"]
    assert "Other words for passage 2?" in said
    assert "A bell **sang** under the silver river." in said
    assert f"as it stands now\n{TOLD[1]}" in said
    assert "Changed words are bold" in said
    assert "Must stay: keep “Bell” and “river”" in said
    ballot = told.ballot
    await told.win(told.letter_of("A bell **sang**"))
    closed = told.text(next(message for message in told.messages if message.id == ballot.id))
    assert "A bell **sang** under the silver river." in closed
    assert closed.count("written by AI (rewriter)") == 3
    announced = told.messages[-1].content
    assert "passage 2 in other words:\nA bell sang under the silver river." in announced
    assert f"{TOLD[0]}\n\nA bell sang under the silver river.\n\n{TOLD[2]}" in await story_of(told)


async def test_where_nothing_makes_light_rewrites_the_member_is_told_privately(told: Stage) -> None:
    before = len(told.messages)
    result = await told.ada.slash(told.channel, "rewrite", style="light", instruction="keep “king”")
    said = told.told(result)
    assert "Light rewrites are not available here" in said
    assert "keep “king”" in said
    assert len(told.messages) == before
    assert "Vote A" in told.buttons((await told.ask()).response)  # nothing was begun


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"passage": "4"}, "no passage 4: this story's are numbered from 1 to 3"),
        ({"passage": "0"}, "no passage 0"),
        ({"passage": "the one with @everyone"}, "“the one with ＠everyone” is neither the number of a passage nor"),
        ({"passage": "²"}, "is neither the number"),
        ({"passage": "the"}, "nor words that one of them alone has"),
        ({"style": "light", "instruction": "make it darker"}, "in quotation marks"),
        ({"style": "light", "instruction": "“dragon”"}, "“dragon” does not stand in that passage"),
        ({"passage": "2", "instruction": f"more {FORBIDDEN}"}, "not accepted here"),
    ],
)
async def test_what_cannot_be_done_is_refused_privately_and_what_was_typed_comes_back(
    told: Stage, options: dict[str, str], sentence: str
) -> None:
    told.far.others.append(MASKED)
    before = len(told.messages)
    said = told.told(await told.ada.slash(told.channel, "rewrite", **options))
    assert sentence in said
    assert options.get("instruction", "") in said
    assert len(told.messages) == before


async def offered(stage: Stage, typed: str) -> list[tuple[str, str]]:
    choices = await stage.ben.autocomplete(stage.channel, "rewrite", "passage", typed)
    return [(choice["name"], choice["value"]) for choice in choices]


async def test_passages_are_offered_by_number_and_by_their_words(told: Stage) -> None:
    first, second, last = (f"1: {TOLD[0]}", "1"), (f"2: {TOLD[1]}", "2"), (f"3 (the last one): {TOLD[2]}", "3")
    assert await offered(told, "") == [last, second, first]
    assert await offered(told, "2") == [second]
    assert await offered(told, "OLD KING") == [last]
    assert await offered(told, "dragon") == []
    said = await rewrite(told, passage=(await offered(told, "bell"))[0][1])
    assert "passage 2" in said


async def test_words_that_were_typed_and_not_chosen_mean_the_one_passage_that_has_them(told: Stage) -> None:
    assert "Another version of passage 1?" in await rewrite(told, passage="FOX found")


async def test_only_what_everybody_has_read_is_offered(told: Stage) -> None:
    await told.ask()
    await told.write(told.ben, "A secret passage of Ben.")
    assert await offered(told, "secret") == []
    assert await told.ada.autocomplete(told.other, "rewrite", "passage", "") == []


async def test_long_passages_of_long_stories_are_offered_within_discords_limits(stage: Stage) -> None:
    await stage.story()
    for number in range(3):
        await stage.write(stage.ben, f"Part {number} 🦊\n\n" + "🦊 and on " * 60 + "the end.")
        await stage.win(stage.letter_of(f"Part {number}"))
    choices = await offered(stage, "")
    assert len(choices) == 3
    for name, _ in choices:
        assert len(name.encode("utf-16-le")) // 2 <= 100
        assert name.endswith(" …")
        assert "\n" not in name
