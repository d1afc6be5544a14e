"""Starting, showing, listing and ending stories."""

from __future__ import annotations

import pytest

from bot.errors import BadInput, Filtered, NoStory, RoundRunning, StoryRunning
from bot.service.stories import PAGE_SIZE
from tests.bot.service.world import ANNA, BEN, CHANNEL, FORBIDDEN, GUILD, World


async def test_a_started_story_is_shown_with_its_canon_and_its_unfinished_round(world: World) -> None:
    story = await world.story()
    assert (story.title, story.premise, story.started_by) == ("The Glass Key", "A key that opens any door.", ANNA)
    first = await world.play()
    view = await world.open()
    shown = await world.services.stories.show(CHANNEL)
    assert shown.story.id == story.id
    assert [passage.text for passage in shown.passages] == [first.passage.text if first.passage else None]
    assert shown.unfinished is not None
    assert shown.unfinished.id == view.round.id


async def test_a_blank_premise_is_fine_and_a_blank_title_is_not(world: World) -> None:
    with pytest.raises(BadInput):
        await world.services.stories.start(GUILD, CHANNEL, ANNA, "  ", "A premise.")
    story = await world.services.stories.start(GUILD, CHANNEL, ANNA, "Title", "  ", "  ")
    assert (story.premise, story.style) == ("", "")


async def test_a_style_over_its_limit_or_filtered_comes_back_and_starts_nothing(world: World) -> None:
    start = world.services.stories.start
    with pytest.raises(BadInput, match="at most 60") as refused:
        await start(GUILD, CHANNEL, ANNA, "Title", "", "s" * 61)
    assert refused.value.text == "s" * 61
    with pytest.raises(Filtered, match="Your style"):
        await start(GUILD, CHANNEL, ANNA, "Title", "", FORBIDDEN)
    with pytest.raises(NoStory):
        await world.services.stories.show(CHANNEL)
    assert (await start(GUILD, CHANNEL, ANNA, "Title", "", "s" * 60)).style == "s" * 60


async def test_a_title_over_its_limit_is_refused_with_the_limit_and_comes_back(world: World) -> None:
    title = "long " * 30
    with pytest.raises(BadInput, match="100") as refused:
        await world.services.stories.start(GUILD, CHANNEL, ANNA, title, "")
    assert refused.value.text == title


@pytest.mark.parametrize(("title", "premise"), [(f"The {FORBIDDEN}", "fine"), ("Fine", f"Some {FORBIDDEN} here")])
async def test_a_filtered_title_or_premise_comes_back_and_starts_nothing(
    world: World, title: str, premise: str
) -> None:
    with pytest.raises(Filtered) as refused:
        await world.services.stories.start(GUILD, CHANNEL, ANNA, title, premise)
    assert refused.value.category == "rude"
    assert refused.value.text in (title, premise)
    with pytest.raises(NoStory):
        await world.services.stories.show(CHANNEL)


async def test_a_channel_tells_one_story_at_a_time(world: World) -> None:
    await world.story()
    with pytest.raises(StoryRunning) as refused:
        await world.story(title="Another")
    assert refused.value.title == "The Glass Key"
    await world.services.stories.end(CHANNEL, BEN)
    assert (await world.story(title="Another")).title == "Another"


async def test_a_story_does_not_end_under_an_unfinished_round(world: World) -> None:
    await world.story()
    await world.open()
    with pytest.raises(RoundRunning):
        await world.services.stories.end(CHANNEL, ANNA)
    await world.services.rounds.cancel(CHANNEL, ANNA)
    assert not (await world.services.stories.end(CHANNEL, ANNA)).is_running


async def test_the_list_is_paged_newest_first_and_says_whether_there_is_more(world: World) -> None:
    for number in range(PAGE_SIZE + 2):
        await world.story(channel_id=1000 + number, title=f"Story {number}")
        world.clock.advance(seconds=1)
    first = await world.services.stories.list(GUILD, 0)
    second = await world.services.stories.list(GUILD, 1)
    assert [line.story.title for line in first.lines][:2] == [f"Story {PAGE_SIZE + 1}", f"Story {PAGE_SIZE}"]
    assert first.has_more
    assert [line.story.title for line in second.lines] == ["Story 1", "Story 0"]
    assert not second.has_more
    assert (await world.services.stories.list(GUILD, 5)).lines == ()


async def test_the_list_counts_the_passages_of_canon(world: World) -> None:
    await world.story()
    await world.play()
    await world.play()
    (line,) = (await world.services.stories.list(GUILD)).lines
    assert line.num_passages == 2
