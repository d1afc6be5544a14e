from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.story_format import StoryFormat
from models.train.config import ExampleOptions
from models.train.examples import (
    content_words,
    first_clause,
    keep_sentences,
    make_documents,
    split_passages,
    split_sentences,
)
from models.train.sources import Story

TEXT = (
    "Once a fox lived on a hill. It had a golden tail.\n\n"
    '"Who are you?" asked the owl. The fox bowed. "I am the keeper of the moon."\n\n'
    "The owl laughed until the branch shook. Then the night grew quiet."
)
SHORT = ExampleOptions(min_passage_words=5, max_passage_words=15)
FMT = StoryFormat()


def options(**chances: float) -> ExampleOptions:
    """Short passages, and nothing by chance but what is asked for."""
    none = {f"{name}_chance": 0.0 for name in ("title", "premise", "tags", "hint", "gap")}
    return ExampleOptions(**{**none, "min_passage_words": 5, "max_passage_words": 15, **chances})  # type: ignore[arg-type]


def flat(text: str) -> str:
    return " ".join(text.split())


@given(seed=st.integers(0, 10_000), hints=st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=60, deadline=None)
def test_taking_the_given_parts_out_gives_the_story_back(seed: int, hints: float) -> None:
    made = make_documents(
        Story(TEXT, "Moon", tags=("tale",)),
        FMT,
        options(title_chance=1, premise_chance=1, tags_chance=1, hint_chance=hints, clause_share=0.5),
        random.Random(seed),
    )
    (document,) = made
    told = re.sub(r"<\|(?:story|title|premise|tags|hint)\|>[^<]*", "", document).replace("<|text|>", "")
    passages = told.split("<|end|>")
    assert passages[-1] == ""
    assert flat(" ".join(passages)) == flat(TEXT)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_gap_stands_between_what_the_document_shows_of_the_story(seed: int) -> None:
    document = make_documents(Story(TEXT), FMT, options(gap_chance=1.0, hint_chance=0.5), random.Random(seed))[1]
    before, _, rest = document.partition("<|after|>")
    after, _, middle = rest.partition("<|text|>")
    told = re.sub(r"<\|hint\|>[^<]*<\|text\|>", "", before).removeprefix("<|story|><|text|>").replace("<|end|>", " ")
    assert flat(f"{told} {middle.removesuffix('<|end|>')} {after}") in flat(TEXT)
    assert middle.endswith("<|end|>")
    assert after


def test_a_story_of_one_passage_has_no_gap() -> None:
    only = ExampleOptions(gap_chance=1.0, min_passage_words=500, max_passage_words=501)
    assert len(make_documents(Story(TEXT), FMT, only, random.Random(1))) == 1


def test_what_stands_after_a_gap_is_short() -> None:
    long = " ".join(f"The fox counted {word} stars." for word in "one two three four five six seven eight".split() * 20)
    cut = ExampleOptions(gap_chance=1.0, max_words_before=40, max_words_after=20)
    for seed in range(20):
        document = make_documents(Story(long), FMT, cut, random.Random(seed))[1]
        after = document.partition("<|after|>")[2].partition("<|text|>")[0]
        assert 15 <= len(after.split()) <= 20
        before = document.partition("<|text|>")[2].partition("<|after|>")[0]
        assert len(re.sub(r"<\|hint\|>[^<]*<\|text\|>", "", before).replace("<|end|>", " ").split()) <= 40


def test_passages_end_with_sentences_and_lose_nothing() -> None:
    passages = split_passages(TEXT, random.Random(3), SHORT)
    assert len(passages) > 2
    assert all(p.rstrip("\"'").endswith((".", "?", "!")) for p in passages)
    assert flat(" ".join(passages)) == flat(TEXT)


def test_a_closing_quote_stays_with_its_sentence() -> None:
    assert split_sentences('"Who are you?" asked the owl. "A fox!" It bowed.') == [
        '"Who are you?" asked the owl.',
        '"A fox!"',
        "It bowed.",
    ]


def test_a_hint_names_words_of_the_passage_that_follows_it() -> None:
    (document,) = make_documents(Story(TEXT), FMT, options(hint_chance=1.0, clause_share=0.0), random.Random(2))
    parts = document.split("<|hint|>")[1:]
    assert parts
    for part in parts:
        words, passage = part.split("<|text|>")
        assert all(word in passage.lower() for word in words.split(", "))


def test_a_hint_may_be_the_first_clause_of_the_passage() -> None:
    (document,) = make_documents(Story(TEXT), FMT, options(hint_chance=1.0, clause_share=1.0), random.Random(2))
    for part in document.split("<|hint|>")[1:]:
        clause, passage = part.split("<|text|>")
        assert flat(passage).lstrip('"').startswith(clause)


@pytest.mark.parametrize(
    ("passage", "clause"),
    [
        ("When the sun rose, the fox slept.", "When the sun rose"),
        ('"Oh, stop that noise!" cried the owl.', "Oh, stop that noise"),
        ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen", None),
    ],
)
def test_a_clause_ends_at_the_first_mark_and_is_never_long(passage: str, clause: str | None) -> None:
    found = first_clause(passage)
    assert found == (clause or " ".join(passage.split()[:12]))


def test_sentences_are_kept_whole() -> None:
    assert keep_sentences("One two. Three four.\n\nFive six.", 4) == "One two. Three four."
    assert keep_sentences("One two three four five six.", 2) == "One two three four five six.", "at least one"
    assert keep_sentences("One two.\n\nFive six.", 40) == "One two.\n\nFive six."


def test_a_premise_is_a_sentence_of_the_beginning_unless_the_story_has_its_own() -> None:
    shown = options(premise_chance=1.0)
    (document,) = make_documents(Story(TEXT), FMT, shown, random.Random(5))
    assert document.split("<|premise|>")[1].split("<|text|>")[0] in flat(TEXT)
    (document,) = make_documents(Story(TEXT, premise="A fox keeps the moon."), FMT, shown, random.Random(5))
    assert document.startswith("<|story|><|premise|>A fox keeps the moon.<|text|>")


def test_title_and_tags_are_shown_only_where_there_are_any() -> None:
    shown = options(title_chance=1.0, tags_chance=1.0)
    (document,) = make_documents(Story(TEXT, "Moon", tags=("tale", "sad")), FMT, shown, random.Random(1))
    assert document.startswith("<|story|><|title|>Moon<|tags|>tale, sad<|text|>")
    (document,) = make_documents(Story(TEXT), FMT, shown, random.Random(1))
    assert document.startswith("<|story|><|text|>")


def test_a_format_without_a_part_never_shows_it() -> None:
    first = StoryFormat.from_json(
        {
            "version": 1,
            "start": "<|story|>",
            "title": "<|title|>{text}",
            "premise": "<|premise|>{text}",
            "body": "<|text|>",
            "passage_end": "<|end|>",
            "hint": "<|hint|>{text}<|text|>",
        }
    )
    documents = make_documents(
        Story(TEXT, tags=("tale",)), first, options(tags_chance=1.0, gap_chance=1.0), random.Random(1)
    )
    assert len(documents) == 1
    assert "tale<|" not in documents[0]


def test_the_same_random_state_gives_the_same_documents() -> None:
    first, second = (make_documents(Story(TEXT, "Moon"), FMT, SHORT, random.Random(9)) for _ in range(2))
    assert first == second


def test_plain_text_is_the_story_behind_one_marker_with_either_kind_of_line_break() -> None:
    plain = options(plain_chance=1.0, title_chance=1.0, hint_chance=1.0, gap_chance=1.0)
    made = {tuple(make_documents(Story(TEXT, "Moon"), FMT, plain, random.Random(seed))) for seed in range(20)}
    assert made == {(f"<|text|>{TEXT}",), ("<|text|>" + TEXT.replace("\n\n", "\n"),)}


def test_common_words_are_no_hints() -> None:
    assert content_words("There was once a dragon who said nothing about gold.") == ["dragon", "gold"]
