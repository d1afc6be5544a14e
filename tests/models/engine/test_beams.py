"""Beam search, token by token what transformers' `generate` finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.engine.budget import WRITTEN_COLUMNS
from models.engine.checkpoint import Checkpoint
from models.engine.events import Done, Failed, FinishReason, Prefilled
from models.engine.families import build_network
from models.engine.interface import Engine
from models.engine.params import MAX_BEAM_TOKENS, BadSampling, BeamParams, SamplingParams
from models.engine.request import Request
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from tests.models.engine.families import CONFIGS, make_model
from tests.models.tiny import drain, finished, token_ids

PROMPT = tuple(range(20, 80, 3))  # longer than the windows of those that have one
ENDS = frozenset(range(3, 300, 40))
SETTINGS = [
    BeamParams(4),
    BeamParams(2, length_penalty=0.0),
    BeamParams(5, length_penalty=2.0, early_stopping=True),
    BeamParams(3, length_penalty=-1.0, early_stopping="never"),
    BeamParams(4, length_penalty=1.5, early_stopping="never"),
]


def reference(checkpoint: Checkpoint, request: Request, **more: Any) -> list[list[int]]:
    """What `generate` returns, as far as each text goes."""
    beams = request.beams
    assert beams is not None
    ids = torch.tensor([request.prompt_ids])
    found = checkpoint.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=request.max_tokens,
        do_sample=False,
        num_beams=beams.width,
        num_return_sequences=request.n,
        length_penalty=beams.length_penalty,
        early_stopping=beams.early_stopping,
        eos_token_id=sorted(checkpoint.end_ids) or None,
        pad_token_id=0,
        **more,
    )
    texts = []
    for row in found[:, ids.shape[1] :].tolist():
        end = next((i + 1 for i, token in enumerate(row) if token in checkpoint.end_ids), len(row))
        texts.append(row[:end])
    return texts


def check(engine: Engine, checkpoint: Checkpoint, request: Request, **more: Any) -> None:
    events = drain(engine, request)
    expected = reference(checkpoint, request, **more)
    assert [finished(events)[i].num_tokens for i in range(request.n)] == [len(text) for text in expected]
    for index, text in enumerate(expected):
        is_ended = text[-1] in checkpoint.end_ids
        assert token_ids(events, index) == (text[:-1] if is_ended else text)
        assert finished(events)[index].reason is (FinishReason.STOP if is_ended else FinishReason.LENGTH)
    assert isinstance(events[0], Prefilled)
    assert isinstance(events[-1], Done)


def engines(checkpoint: Checkpoint) -> list[Engine]:
    return [WeavingEngine(checkpoint, build_network(checkpoint), 1, 400, max_read=9), SerialEngine(checkpoint)]


@pytest.mark.parametrize("name", CONFIGS)
def test_beams_are_those_of_transformers_for_every_family(name: str, llama: Checkpoint) -> None:
    checkpoint = make_model(name, llama)
    checkpoint = replace(checkpoint, end_ids=ENDS)
    for engine in engines(checkpoint):
        for beams in (BeamParams(4), BeamParams(3, length_penalty=0.3)):
            check(engine, checkpoint, Request("r", PROMPT, 1, n=3, max_tokens=16, beams=beams))


@pytest.mark.parametrize("beams", SETTINGS)
@pytest.mark.parametrize("ends", [ENDS, frozenset(range(0, 300, 12)), frozenset[int]()])
def test_lengths_and_early_stopping_count_as_they_do_there(
    beams: BeamParams, ends: frozenset[int], llama: Checkpoint
) -> None:
    checkpoint = replace(make_model("llama", llama), end_ids=ends)
    for engine in engines(checkpoint):
        for max_tokens in (1, 2, 25):
            request = Request("r", PROMPT, 1, n=beams.width, max_tokens=max_tokens, beams=beams)
            check(engine, checkpoint, request)


def test_the_tests_see_texts_of_many_lengths(llama: Checkpoint) -> None:
    lengths = set()
    for ends in (ENDS, frozenset(range(0, 300, 12))):
        checkpoint = replace(make_model("llama", llama), end_ids=ends)
        for beams in SETTINGS:
            request = Request("r", PROMPT, 1, n=beams.width, max_tokens=25, beams=beams)
            lengths |= {len(text) for text in reference(checkpoint, request)}
    assert len(lengths) > 4


def test_what_the_worker_lets_in_has_room_in_a_slot() -> None:
    assert MAX_BEAM_TOKENS <= WRITTEN_COLUMNS


def test_a_repetition_penalty_counts(llama: Checkpoint) -> None:
    checkpoint = make_model("qwen2", llama)
    request = Request("r", PROMPT, 1, n=2, max_tokens=20, beams=BeamParams(3))
    plain = reference(checkpoint, request)
    request = replace(request, sampling=SamplingParams(repetition_penalty=1.4))
    assert reference(checkpoint, request, repetition_penalty=1.4) != plain
    for engine in engines(checkpoint):
        check(engine, checkpoint, request, repetition_penalty=1.4)


def test_a_slot_that_was_searched_in_serves_the_next_turn(llama: Checkpoint) -> None:
    checkpoint = make_model("llama", llama)
    engine = engines(checkpoint)[0]
    first = Request("r", PROMPT, 1, n=2, max_tokens=12, beams=BeamParams(4))
    answer = token_ids(drain(engine, first), 1)
    check(engine, checkpoint, replace(first, id="again"))
    check(engine, checkpoint, replace(first, id="on", prompt_ids=(*PROMPT, *answer, 5)))


def test_nothing_asked_is_nothing_written(llama: Checkpoint) -> None:
    for engine in engines(llama):
        events = drain(engine, Request("r", PROMPT, 1, n=2, max_tokens=0, beams=BeamParams(3)))
        assert [row.num_tokens for row in finished(events).values()] == [0, 0]


def test_a_search_that_does_not_fit_fails_alone(llama: Checkpoint) -> None:
    engine = WeavingEngine(llama, build_network(llama), 1, 40)
    events = drain(engine, Request("r", PROMPT, 1, max_tokens=20, beams=BeamParams(4)))
    assert [type(e) for e in events] == [Failed]
    assert engine.pool.num_free == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ((1,), "beam_width"),
        ((17,), "beam_width"),
        ((2, float("nan")), "length_penalty"),
        ((2, 1.0, "soon"), "early_stopping"),
    ],
)
def test_values_out_of_bounds_are_refused(values: tuple[Any, ...], field: str) -> None:
    with pytest.raises(BadSampling, match=field):
        BeamParams(*values)
