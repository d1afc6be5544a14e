from __future__ import annotations

from typing import Any

import pytest

from models.evaluate.templates import PLAIN, BadFormat, read_templates
from tests.models.babbler import FORMAT

SECOND: dict[str, Any] = {**FORMAT, "version": 2, "suffix": "<|after|>{text}<|text|>"}


def test_a_prompt_has_its_parts_in_order() -> None:
    found = read_templates(FORMAT).prompt("The Fox", ["One.", "Two."], hint="gold, hill")
    assert found == "<|story|><|title|>The Fox<|text|>One.<|end|>Two.<|end|><|hint|>gold, hill<|text|>"


def test_version_2_is_told_what_comes_after() -> None:
    found = read_templates(SECOND).prompt(None, ["One."], suffix="Three {text}.")
    assert found == "<|story|><|text|>One.<|end|><|after|>Three {text}.<|text|>"


def test_version_1_can_not_be_told_what_comes_after() -> None:
    with pytest.raises(BadFormat, match="no suffix"):
        read_templates(FORMAT).prompt(None, ["One."], suffix="Three.")


def test_a_model_without_a_format_is_asked_as_the_bot_asks_it() -> None:
    assert read_templates(None) is PLAIN
    assert PLAIN.prompt("The Fox", ["One."], hint="gold") == "The Fox\n\nOne.\n\n[Next: gold]\n\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 3}, "version 3 is not one of 1, 2"),
        ({"mood": "{text}"}, "unknown fields mood"),
        ({"suffix": "{text}"}, "unknown fields suffix"),
        ({"hint": "no place"}, "hint has 0 places"),
        ({"body": None}, "body is NoneType"),
    ],
)
def test_another_format_is_refused_by_its_field(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadFormat, match=said):
        read_templates({**FORMAT, **change})


def test_version_2_without_its_suffix_is_refused() -> None:
    with pytest.raises(BadFormat, match="suffix is NoneType"):
        read_templates({**FORMAT, "version": 2})
