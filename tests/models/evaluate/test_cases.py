from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.evaluate.cases import CaseOptions, NoCases, cut_passages, draw_cases, read_texts
from models.evaluate.words import count_words
from models.train.sources import Story

OPTIONS = CaseOptions(prompts=5, passage_words=20, before_words=45, seed=3)


def test_a_case_is_the_story_s_own_text_in_order(stories: Path) -> None:
    named = read_texts([stories])
    texts = {name: story.text for name, story in named}
    for case in draw_cases(named, OPTIONS):
        text = texts[case.id.partition(",")[0]]
        places = [text.index(part) for part in (*case.before, case.passage, case.after)]
        assert places == sorted(places)
        assert case.hint
        assert all(word in case.passage.lower() for word in case.hint)


def test_what_came_before_is_bounded_and_never_empty(stories: Path) -> None:
    for case in draw_cases(read_texts([stories]), OPTIONS):
        assert case.before
        assert sum(map(count_words, case.before)) <= 45
    short = draw_cases(read_texts([stories]), replace(OPTIONS, before_words=5))
    assert all(len(case.before) == 1 for case in short)


def test_the_seed_decides(stories: Path) -> None:
    named = read_texts([stories])
    assert draw_cases(named, OPTIONS) == draw_cases(named, OPTIONS)
    assert draw_cases(named, OPTIONS) != draw_cases(named, replace(OPTIONS, seed=4))


def test_more_prompts_keep_the_first_ones(stories: Path) -> None:
    named = read_texts([stories])
    assert draw_cases(named, replace(OPTIONS, prompts=2)) == draw_cases(named, OPTIONS)[:2]


def test_each_story_gives_one_case_at_most(stories: Path) -> None:
    cases = draw_cases(read_texts([stories]), replace(OPTIONS, prompts=100))
    assert len({case.id.partition(",")[0] for case in cases}) == len(cases) == 8


def test_passages_end_with_sentences_and_keep_paragraphs() -> None:
    text = "One two three. Four five six. Seven eight nine.\n\nTen eleven twelve. Last."
    assert cut_passages(text, 5) == ["One two three. Four five six.", "Seven eight nine.\n\nTen eleven twelve."]


def test_stories_that_are_too_short_are_named() -> None:
    with pytest.raises(NoCases, match="two passages of about 20 words"):
        draw_cases([("a", Story("Too short."))], OPTIONS)


def test_options_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="prompts is 0"):
        CaseOptions(prompts=0)
