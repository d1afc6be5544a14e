"""The first message of a run: what to type, or where the story stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.demo.welcome import RECAP_LIMIT, draw_first_steps, draw_recap, last_passages
from bot.discord_app.buttons import MAX_TEXT
from bot.service.views import StoryView
from bot.story.model import Passage, Round, RoundKind, RoundSettings, RoundState, Source, Story

AT = datetime(2026, 11, 5, tzinfo=UTC)
STORY = Story(1, 10, 20, "The Lantern @everyone", "A girl keeps it.", None, 30, AT)


def passages(*texts: str) -> tuple[Passage, ...]:
    return tuple(
        Passage(n, 1, n - 1 or None, text, Source.MODEL, None, n, None, AT) for n, text in enumerate(texts, start=1)
    )


def open_round() -> Round:
    return Round(
        id=1,
        story_id=1,
        kind=RoundKind.CONTINUE,
        state=RoundState.OPEN,
        settings=RoundSettings(),
        hint=None,
        opened_by=30,
        guild_id=10,
        channel_id=20,
        message_id=None,
        parent_id=None,
        base_head_id=None,
        seed=1,
        reroll=0,
        opened_at=AT,
        deadline_at=AT,
        extended=False,
    )


def test_a_channel_without_a_story_is_told_what_to_type() -> None:
    said = "\n".join(draw_first_steps().texts)
    assert all(command in said for command in ("/story start", "/continue", "/rewrite"))


def test_the_end_of_canon_is_told_and_how_it_goes_on() -> None:
    said = draw_recap(StoryView(STORY, passages("First it rained.", "Then the sun came."), None)).texts
    assert "@everyone" not in said[0]
    assert said[1:3] == ["First it rained.", "Then the sun came."]
    assert "/continue" in said[-1]
    assert "/rewrite" in said[-1]


def test_a_story_without_a_passage_shows_its_premise_and_style() -> None:
    said = "\n".join(draw_recap(StoryView(replace(STORY, style="old tale"), (), None)).texts)
    assert "A girl keeps it." in said
    assert "Style: old tale" in said
    assert "/continue" in said


def test_an_unfinished_round_is_pointed_at() -> None:
    assert "vote below" in draw_recap(StoryView(STORY, passages("It rained."), open_round())).texts[-1]


@pytest.mark.parametrize("length", [10, 500, 2300, 6000])
def test_a_long_story_is_told_from_as_late_as_fits_in_one_message(length: int) -> None:
    canon = passages(*(f"{n} " + "word " * (length // 5) for n in range(1, 9)))
    drawing = draw_recap(StoryView(STORY, canon, None))
    said = "\n".join(drawing.texts)
    assert sum(map(len, drawing.texts)) <= MAX_TEXT
    assert drawing.num_components <= 40
    told = last_passages(canon, RECAP_LIMIT)
    assert told[-1] == canon[-1]
    assert told == canon[len(canon) - len(told) :]
    assert ("before this" in said) == (len(told) < len(canon))
