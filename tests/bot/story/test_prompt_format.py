"""Formats: what a worker may announce, and that its announcements are refused by name where they are wrong."""

from dataclasses import asdict

import pytest

from bot.errors import WorkerBroken
from bot.story.prompt import PromptFormat
from bot.story.prompt_format import fill
from models.engine.story_format import StoryFormat

ANNOUNCED = {
    "version": 1,
    "start": "<|story|>",
    "title": "<|title|>{text}",
    "premise": "<|premise|>{text}",
    "body": "<|text|>",
    "passage_end": "<|end|>",
    "hint": "<|hint|>{text}<|text|>",
}


def test_what_training_writes_into_a_checkpoint_is_a_known_format():
    fmt = PromptFormat.from_announced(asdict(StoryFormat()))
    assert fmt.stop == ("<|end|>",)
    assert set(StoryFormat().special_tokens) <= set(fmt.markers)


def test_the_markers_are_the_literal_pieces_of_the_templates():
    assert set(PromptFormat.from_announced(ANNOUNCED).markers) == {
        "<|story|>",
        "<|title|>",
        "<|premise|>",
        "<|text|>",
        "<|end|>",
        "<|hint|>",
    }
    assert PromptFormat.plain().markers == ("[Next:",)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": 3}, "version 3"),
        ({"version": True}, "version True"),
        ({"suffix": "<|after|>{text}"}, "unknown fields suffix"),
        ({"stop": ["<|end|>"]}, "unknown fields stop"),
        ({"hint": ""}, "hint has 0 places"),
        ({"version": None}, "version None"),
        ({"title": None}, "title is NoneType"),
        ({"body": ["<|text|>"]}, "body is list"),
        ({"premise": "<|premise|>"}, "premise has 0 places"),
        ({"hint": "{text}{text}"}, "hint has 2 places"),
        ({"start": "<|story|>{text}"}, "start has 1 places"),
        ({"passage_end": ""}, "passage_end is empty"),
        ({"memory": "<|memory|>{text}"}, "unknown fields memory"),
    ],
)
def test_a_wrong_announcement_is_refused_with_the_field_in_the_detail(change, named):
    with pytest.raises(WorkerBroken) as refused:
        PromptFormat.from_announced(ANNOUNCED | change)
    assert named in refused.value.detail


SECOND = ANNOUNCED | {
    "version": 2,
    "tags": "<|tags|>{text}",
    "suffix": "<|after|>{text}<|text|>",
    "answer": "",
    "stop": ["<|end|>"],
}
CHAT = {
    "version": 2,
    "start": "<|im_start|>system\nYou tell stories.<|im_end|>\n<|im_start|>user\n",
    "title": "Title: {text}\n",
    "premise": "",
    "tags": "",
    "body": "The story so far:\n",
    "passage_end": "\n\n",
    "hint": "Next: {text}\n",
    "suffix": "It goes on with: {text}\n",
    "answer": "<|im_end|>\n<|im_start|>assistant\n",
    "stop": ["<|im_end|>", "<|im_start|>"],
}


def test_the_second_version_knows_tags_what_comes_after_and_what_ends_a_generation():
    fmt = PromptFormat.from_announced(SECOND)
    assert (fmt.tags, fmt.suffix, fmt.answer) == ("<|tags|>{text}", "<|after|>{text}<|text|>", "")
    assert (fmt.stop, fmt.max_hint_words) == (("<|end|>",), 6)
    assert {"<|after|>", "<|tags|>"} <= set(fmt.markers)


def test_a_chat_models_format_takes_hints_as_they_are_and_stops_where_it_says():
    fmt = PromptFormat.from_announced(CHAT)
    assert (fmt.max_hint_words, fmt.premise, fmt.stop) == (None, "", ("<|im_end|>", "<|im_start|>"))
    assert PromptFormat.from_announced(CHAT | {"stop": []}).stop == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"stop": "<|end|>"}, "stop is not a list"),
        ({"stop": [""]}, "stop is not a list"),
        ({"stop": None}, "stop is not a list"),
        ({"suffix": "<|after|>"}, "suffix has 0 places"),
        ({"answer": "{text}"}, "answer has 1 places"),
        ({"answer": None}, "answer is NoneType"),
        ({"memory": ""}, "unknown fields memory"),
    ],
)
def test_a_wrong_announcement_of_the_second_version_is_refused_too(change, named):
    with pytest.raises(WorkerBroken) as refused:
        PromptFormat.from_announced(SECOND | change)
    assert named in refused.value.detail


def test_a_missing_field_is_refused():
    with pytest.raises(WorkerBroken) as refused:
        PromptFormat.from_announced({name: value for name, value in ANNOUNCED.items() if name != "hint"})
    assert "hint" in refused.value.detail


def test_braces_in_a_members_text_are_text():
    assert fill("<|title|>{text}", "A {text} and {0}") == "<|title|>A {text} and {0}"
