"""Contrastive search against the paper's formula on transformers' hidden states, all read anew each time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.engine.checkpoint import Checkpoint
from models.engine.events import Delta, Done, FinishReason
from models.engine.families import build_network
from models.engine.interface import Engine
from models.engine.params import BadSampling, ContrastiveParams, SamplingParams
from models.engine.penalties import penalise_repetition
from models.engine.request import Request
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from tests.models.engine.families import CONFIGS, make_model
from tests.models.tiny import drain, finished, texts, token_ids

PROMPT = tuple(range(20, 80, 3))  # with what is written longer than the windows of the models that have one


def states_of(checkpoint: Checkpoint, ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states [tokens, hidden] of the last layer and logits [vocab] behind the text."""
    with torch.inference_mode():
        output = checkpoint.model(torch.tensor([ids]), output_hidden_states=True)
    return output.hidden_states[-1][0].float(), output.logits[0, -1].clone()


def reference(checkpoint: Checkpoint, request: Request) -> list[int]:
    params = request.contrastive
    assert params is not None
    ids = list(request.prompt_ids)
    for _ in range(request.max_tokens):
        context, logits = states_of(checkpoint, ids)
        penalise_repetition(logits, torch.tensor(sorted(set(ids))), request.sampling.repetition_penalty)
        chances, candidates = torch.softmax(logits, -1).topk(params.top_k)
        best = []
        for chance, token in zip(chances, candidates.tolist(), strict=True):
            state = states_of(checkpoint, [*ids, token])[0][-1]
            likeness = torch.cosine_similarity(context, state[None], dim=-1).max()
            best.append((float((1 - params.alpha) * chance - params.alpha * likeness), token))
        ids.append(max(best)[1])
        if ids[-1] in checkpoint.end_ids:
            break
    return ids[len(request.prompt_ids) :]


def engines(checkpoint: Checkpoint) -> list[Engine]:
    return [WeavingEngine(checkpoint, build_network(checkpoint), 2, 400, max_read=7), SerialEngine(checkpoint)]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_tokens_are_those_of_the_formula_for_every_family(name: str, llama: Checkpoint) -> None:
    checkpoint = make_model(name, llama)
    for params in (ContrastiveParams(0.6, 4), ContrastiveParams(0.9, 3)):
        request = Request("r", PROMPT, 1, max_tokens=16, contrastive=params)
        expected = reference(checkpoint, request)
        for engine in engines(checkpoint):
            events = drain(engine, request)
            assert token_ids(events) == expected
            assert finished(events)[0].reason is FinishReason.LENGTH
            assert isinstance(events[-1], Done)


def test_it_is_neither_greedy_nor_the_same_for_every_alpha(llama: Checkpoint) -> None:
    checkpoint = make_model("llama", llama)
    found = [
        token_ids(drain(SerialEngine(checkpoint), Request("r", PROMPT, 1, max_tokens=16, **how)))  # type: ignore[arg-type]
        for how in (
            {"sampling": SamplingParams(temperature=0)},
            {"contrastive": ContrastiveParams(0.6, 4)},
            {"contrastive": ContrastiveParams(0.95, 4)},
        )
    ]
    assert len({tuple(tokens) for tokens in found}) == 3


def test_ends_penalties_stops_and_logprobs_are_honoured(llama: Checkpoint) -> None:
    checkpoint = make_model("qwen2", llama)
    request = Request("r", PROMPT, 1, max_tokens=20, contrastive=ContrastiveParams(0.6, 4), num_logprobs=2)
    request = replace(request, sampling=SamplingParams(repetition_penalty=1.4))
    expected = reference(checkpoint, request)
    ending = replace(checkpoint, end_ids=frozenset({expected[9]}))
    end = expected.index(expected[9])
    for plain, ended in zip(engines(checkpoint), engines(ending), strict=True):
        events = drain(plain, request)
        assert token_ids(events) == expected
        logprobs = [one.logprob for e in events if isinstance(e, Delta) for one in e.logprobs]
        logits = [states_of(checkpoint, [*PROMPT, *expected[:i]])[1] for i in range(len(expected))]
        wanted = [float(torch.log_softmax(row, -1)[token]) for row, token in zip(logits, expected, strict=True)]
        assert logprobs == pytest.approx(wanted, abs=1e-4)
        events = drain(ended, request)
        assert (token_ids(events), finished(events)[0].reason) == (expected[:end], FinishReason.STOP)


def test_others_move_on_beside_it(llama: Checkpoint) -> None:
    checkpoint = make_model("llama", llama)
    search = Request("c", PROMPT, 1, max_tokens=12, contrastive=ContrastiveParams(0.6, 4))
    other = Request("o", PROMPT[:9], 5, n=3, max_tokens=12)
    events = drain(engines(checkpoint)[0], search, other)
    alone = SerialEngine(checkpoint)
    assert texts(events, "c") == texts(drain(alone, search), "c")
    assert texts(events, "o") == texts(drain(alone, other), "o")


def test_the_slot_serves_the_next_turn(llama: Checkpoint) -> None:
    checkpoint = make_model("llama", llama)
    engine = engines(checkpoint)[0]
    search = Request("c", PROMPT, 1, max_tokens=12, contrastive=ContrastiveParams(0.6, 4))
    written = token_ids(drain(engine, search))
    follow = Request("o", (*PROMPT, *written, 9), 5, n=2, max_tokens=9)
    assert texts(drain(engine, follow), "o") == texts(drain(SerialEngine(checkpoint), follow), "o")
    assert token_ids(drain(engine, search)) == written


def test_nothing_asked_is_nothing_written(llama: Checkpoint) -> None:
    for engine in engines(llama):
        request = Request("r", PROMPT, 1, max_tokens=0, contrastive=ContrastiveParams(0.6, 4))
        assert finished(drain(engine, request))[0].num_tokens == 0


@pytest.mark.parametrize(
    ("alpha", "top_k", "field"), [(0.0, 4, "penalty_alpha"), (1.1, 4, "penalty_alpha"), (0.5, 1, "top_k")]
)
def test_values_out_of_bounds_are_refused(alpha: float, top_k: int, field: str) -> None:
    with pytest.raises(BadSampling, match=field):
        ContrastiveParams(alpha, top_k)
