from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from models.train.sources import Story
from models.train.story_format import (
    FILE_NAME,
    ExampleOptions,
    StoryFormat,
    content_words,
    format_story,
    split_passages,
    split_sentences,
)

TEXT = (
    "Once a fox lived on a hill. It had a golden tail.\n\n"
    '"Who are you?" asked the owl. The fox bowed. "I am the keeper of the moon."\n\n'
    "The owl laughed until the branch shook. Then the night grew quiet."
)
SHORT = ExampleOptions(min_passage_words=5, max_passage_words=15)


def test_taking_the_markers_out_gives_the_story_back() -> None:
    document = format_story(Story(TEXT), StoryFormat(), ExampleOptions(0, 0, 0, 5, 15), random.Random(1))
    body = document.removeprefix("<|story|><|text|>").split("<|end|>")
    assert body[-1] == ""
    assert " ".join(" ".join(body).split()) == " ".join(TEXT.split())


def test_passages_end_with_sentences_and_lose_nothing() -> None:
    passages = split_passages(TEXT, random.Random(3), SHORT)
    assert len(passages) > 2
    assert all(p.rstrip("\"'").endswith((".", "?", "!")) for p in passages)
    assert " ".join(" ".join(passages).split()) == " ".join(TEXT.split())


def test_a_closing_quote_stays_with_its_sentence() -> None:
    assert split_sentences('"Who are you?" asked the owl. "A fox!" It bowed.') == [
        '"Who are you?" asked the owl.',
        '"A fox!"',
        "It bowed.",
    ]


def test_a_hint_names_words_of_the_passage_that_follows_it() -> None:
    document = format_story(Story(TEXT), StoryFormat(), ExampleOptions(0, 0, 1.0, 5, 15), random.Random(2))
    parts = document.split("<|hint|>")[1:]
    assert parts
    for part in parts:
        words, passage = part.split("<|text|>")
        assert all(word in passage.lower() for word in words.split(", "))


def test_a_premise_is_a_sentence_of_the_beginning() -> None:
    document = format_story(Story(TEXT), StoryFormat(), ExampleOptions(0, 1.0, 0, 30, 40), random.Random(5))
    premise = document.split("<|premise|>")[1].split("<|text|>")[0]
    assert premise in TEXT.replace("\n\n", " ")


def test_a_title_is_shown_only_where_there_is_one() -> None:
    options = ExampleOptions(1.0, 0, 0, 30, 40)
    assert "<|title|>Moon<|text|>" in format_story(Story(TEXT, "Moon"), StoryFormat(), options, random.Random(1))
    assert "<|title|>" not in format_story(Story(TEXT), StoryFormat(), options, random.Random(1))


def test_the_same_random_state_gives_the_same_document() -> None:
    first, second = (format_story(Story(TEXT, "Moon"), StoryFormat(), SHORT, random.Random(9)) for _ in range(2))
    assert first == second


def test_common_words_are_no_hints() -> None:
    assert content_words("There was once a dragon who said nothing about gold.") == ["dragon", "gold"]


def test_the_format_in_a_checkpoint_is_what_prompts_are_built_from(tmp_path: Path) -> None:
    StoryFormat().save(tmp_path)
    saved = json.loads((tmp_path / FILE_NAME).read_text())
    assert saved["hint"].format(text="gold") == "<|hint|>gold<|text|>"
    assert set(saved) == {"version", "start", "title", "premise", "body", "passage_end", "hint"}


@pytest.mark.parametrize("marker", ["<|story|>", "<|title|>", "<|premise|>", "<|text|>", "<|end|>", "<|hint|>"])
def test_every_marker_is_a_special_token(marker: str) -> None:
    assert marker in StoryFormat().special_tokens
