from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from models.engine.chat_format import chat_format
from models.engine.story_format import FILE_NAME, PLAIN, StoryFormat, StoryFormatError
from tests.models.tiny import make_llama

FIRST = {
    "version": 1,
    "start": "<|story|>",
    "title": "<|title|>{text}",
    "premise": "<|premise|>{text}",
    "body": "<|text|>",
    "passage_end": "<|end|>",
    "hint": "<|hint|>{text}<|text|>",
}
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "[INST] {{ m.content }} [/INST]{% endfor %}"
)


def test_the_format_in_a_checkpoint_is_what_prompts_are_built_from(tmp_path: Path) -> None:
    StoryFormat().save(tmp_path)
    assert StoryFormat.from_json(json.loads((tmp_path / FILE_NAME).read_text())) == StoryFormat()


@pytest.mark.parametrize("marker", "story title premise tags text end hint after".split())
def test_every_marker_is_a_special_token(marker: str) -> None:
    assert f"<|{marker}|>" in StoryFormat().special_tokens


def test_the_first_version_lacks_tags_and_gaps() -> None:
    fmt = StoryFormat.from_json(FIRST)
    assert fmt.abilities == ["title", "premise", "hint"]
    assert fmt.stop == ("<|end|>",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 3}, "version is 3"),
        ({"colour": "red"}, "colour is not a field of version 2"),
        ({"hint": "no place"}, "hint has 0 places"),
        ({"body": "{text}"}, "body has 1 places"),
        ({"suffix": 4}, "suffix is 4"),
        ({"stop": "<|end|>"}, "stop is"),
        ({"stop": [""]}, "stop is"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(StoryFormatError, match=words):
        StoryFormat.from_json({**StoryFormat().to_json(), **change})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(StoryFormatError, match="hint is missing"):
        StoryFormat.from_json({name: value for name, value in FIRST.items() if name != "hint"})


def test_what_follows_a_gap_stands_before_the_answer() -> None:
    assert StoryFormat().with_suffix("a", "b") == "a<|after|>b<|text|>"
    asking = StoryFormat(answer=" Go on:")
    assert asking.with_suffix("a Go on:", "b") == "a<|after|>b<|text|> Go on:"
    assert asking.with_suffix("a", "{text}") == "a<|after|>{text}<|text|>"


def test_a_prompt_holds_its_parts_in_order() -> None:
    asked = StoryFormat(answer=" Go on:").prompt("The Fox", ["One.", "Two."], hint="gold", suffix="Three {text}.")
    assert asked == (
        "<|story|><|title|>The Fox<|text|>One.<|end|>Two.<|end|><|hint|>gold<|text|>"
        "<|after|>Three {text}.<|text|> Go on:"
    )
    assert StoryFormat().prompt(None, []) == StoryFormat().document_start == "<|story|><|text|>"


def test_a_model_that_knows_no_gap_is_not_asked_to_fill_one() -> None:
    with pytest.raises(StoryFormatError, match="gap"):
        PLAIN.prompt(None, ["One."], suffix="Three.")
    assert PLAIN.prompt("The Fox", ["One."], hint="gold") == "The Fox\n\nOne.\n\n[Next: gold]\n\n"


@pytest.fixture
def tokenizer(tmp_path: Path) -> PreTrainedTokenizerBase:
    made: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(make_llama(tmp_path / "m"))
    return made


def test_a_chat_models_format_is_its_templates(tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.chat_template = CHATML
    fmt = chat_format(tokenizer)
    assert fmt is not None
    assert StoryFormat.from_json(fmt.to_json()) == fmt
    assert fmt.start.startswith("<|im_start|>system\nYou write a story together")
    assert fmt.start.endswith("<|im_end|>\n<|im_start|>user\n")
    assert fmt.answer == "Write the next passage of the story.<|im_end|>\n<|im_start|>assistant\n"
    prompt = fmt.start + fmt.body + "A fox." + fmt.passage_end + fmt.answer
    asked = tokenizer.apply_chat_template(
        [
            {"role": "system", "content": fmt.start.partition("system\n")[2].partition("<|im_end|>")[0]},
            {"role": "user", "content": "The story so far:\n\nA fox.\n\nWrite the next passage of the story."},
        ],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert prompt == asked


def test_a_template_without_a_system_role_is_told_in_the_users_turn(tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.chat_template = NO_SYSTEM
    fmt = chat_format(tokenizer)
    assert fmt is not None
    assert fmt.start.startswith("<|story|>[INST] You write a story together")
    assert fmt.answer.endswith(" [/INST]")


def test_without_a_template_there_is_no_format(tokenizer: PreTrainedTokenizerBase) -> None:
    assert chat_format(tokenizer) is None


@pytest.mark.parametrize("broken", ["{{ 1/0 }}", "{{ raise_exception('never') }}", "nothing of it"])
def test_a_template_that_cant_be_used_is_left_alone(broken: str, tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.chat_template = broken
    assert chat_format(tokenizer) is None
