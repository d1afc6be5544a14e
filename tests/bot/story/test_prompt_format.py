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
        ({"version": 2}, "version 2"),
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


def test_a_missing_field_is_refused():
    with pytest.raises(WorkerBroken) as refused:
        PromptFormat.from_announced({name: value for name, value in ANNOUNCED.items() if name != "hint"})
    assert "hint" in refused.value.detail


def test_braces_in_a_members_text_are_text():
    assert fill("<|title|>{text}", "A {text} and {0}") == "<|title|>A {text} and {0}"
