"""Hints that are obeyed: their words are asked for while the model writes, where the worker can do that."""

from __future__ import annotations

import pytest

from bot.story.model import RoundKind
from tests.bot.service.world import World

CHAT = {
    "version": 2,
    "start": "<|user|>",
    "title": "",
    "premise": "",
    "tags": "",
    "body": "",
    "passage_end": "\n\n",
    "hint": "Next: {text}\n",
    "suffix": "Then: {text}\n",
    "answer": "<|assistant|>",
    "stop": ["<|user|>"],
}
OURS = CHAT | {"hint": "<|hint|>{text}<|text|>", "answer": "", "passage_end": "<|end|>", "stop": ["<|end|>"]}


@pytest.fixture
def able(world: World) -> World:
    world.far.model |= {"abilities": ["must_include"], "story_format": OURS}
    return world


async def test_the_hints_words_are_asked_for_and_recorded(able: World) -> None:
    await able.story()
    view = await able.open(hint="Let the fox find a golden key")
    request = able.far.asked[-1]
    assert request["must_include"] == ["fox", "find", "golden", "key"]
    assert request["prompt"].endswith("<|hint|>fox, find, golden, key<|text|>")
    for candidate in view.candidates:
        assert candidate.provenance is not None
        assert candidate.provenance.sampling["must_include"] == request["must_include"]


async def test_a_channel_may_want_hints_loose(able: World) -> None:
    await able.set(hints="loose")
    await able.story()
    view = await able.open(hint="a golden key")
    assert "must_include" not in able.far.asked[-1]
    assert "golden, key" in able.far.asked[-1]["prompt"]
    provenance = view.candidates[0].provenance
    assert provenance is not None
    assert "must_include" not in provenance.sampling


async def test_without_the_ability_a_hint_or_content_words_nothing_is_asked_for(able: World) -> None:
    await able.story()
    await able.play()
    await able.play(hint="and then?")
    able.far.model["abilities"] = []
    await able.restart()
    await able.play(hint="a golden key")
    assert all("must_include" not in request for request in able.far.asked)


async def test_an_instruction_is_a_list_of_words_only_for_models_that_were_taught_those(able: World) -> None:
    await able.story()
    await able.play()
    await able.play(RoundKind.REWRITE, hint="with a golden key")
    assert able.far.asked[-1]["must_include"] == ["golden", "key"]
    able.far.model["story_format"] = CHAT
    await able.restart()
    await able.play(RoundKind.REWRITE, hint="make it darker")
    assert "must_include" not in able.far.asked[-1]
    assert able.far.asked[-1]["prompt"].endswith("Next: make it darker\n<|assistant|>")
    await able.play(hint="a golden key appears")
    assert able.far.asked[-1]["must_include"] == ["golden", "key", "appears"]


async def test_a_hint_that_the_model_was_not_taught_is_told_to_be_left_out(able: World) -> None:
    able.far.model["story_format"] = OURS | {"hint": ""}
    await able.story()
    view = await able.open(hint="a golden key")
    assert view.notices == (), "its words were asked for all the same"
    await able.services.rounds.cancel(view.round.channel_id, 1)
    await able.set(hints="loose")
    view = await able.open(hint="a golden key")
    assert view.notices == ("This storyteller could make nothing of the hint, so it was left out.",)
