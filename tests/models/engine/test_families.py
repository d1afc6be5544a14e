"""Our own forward passes against transformers, in float32."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen3Config

from models.engine.batching import batch_of
from models.engine.checkpoint import Checkpoint
from models.engine.families import NoNetwork, build_network
from models.engine.growth import Result
from models.engine.network import Network
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.serial import SerialEngine
from models.engine.slots import SlotPool
from models.engine.weaving import WeavingEngine
from tests.models.engine.families import CONFIGS, CONTEXT, SHAPE, WINDOWED, make_model
from tests.models.tiny import drain, texts, token_ids


@pytest.fixture(scope="module", params=list(CONFIGS))
def made(request: pytest.FixtureRequest, llama: Checkpoint) -> tuple[Checkpoint, Network]:
    checkpoint = make_model(request.param, llama)
    return checkpoint, build_network(checkpoint)


@torch.inference_mode()
def all_logits(checkpoint: Checkpoint, network: Network, ids: list[int], chunk: int) -> torch.Tensor:
    """Of every position, read in chunks."""
    engine = WeavingEngine(checkpoint, network, 1, CONTEXT)
    growth = engine.begin(Request("r", tuple(ids), seed=0, max_tokens=0, prompt_logprobs=True))
    pieces = []
    while growth.is_reading:
        part = growth.part(chunk)
        pieces.append(network.forward(batch_of([part], network.shape.device), engine.pool.cache))
        growth.absorb(part, Result(pieces[-1]))
    return torch.cat(pieces)


@pytest.mark.parametrize("chunk", [1, 7, 64, 200])
def test_logits_are_those_of_transformers_whatever_the_chunks(made: tuple[Checkpoint, Network], chunk: int) -> None:
    checkpoint, network = made
    ids = random.Random(3).choices(range(300), k=100)
    with torch.inference_mode():
        reference = checkpoint.model(torch.tensor([ids])).logits[0]
    found = all_logits(checkpoint, network, ids, chunk)
    assert reference.std() > 0.1, "a model that says the same of everything shows nothing"
    assert torch.allclose(found, reference, atol=1e-4, rtol=1e-4)


def test_greedy_is_what_transformers_generates(made: tuple[Checkpoint, Network]) -> None:
    checkpoint, network = made
    ids = random.Random(4).choices(range(300), k=40)
    greedy = Request("r", tuple(ids), seed=0, n=2, max_tokens=60, sampling=SamplingParams(temperature=0))
    events = drain(WeavingEngine(checkpoint, network, 1, CONTEXT + 64, max_read=16), greedy)
    tensor = torch.tensor([ids])
    reference = checkpoint.model.generate(
        tensor,
        attention_mask=torch.ones_like(tensor),
        max_new_tokens=60,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=None,
    )[0, 40:].tolist()
    assert len(set(reference)) > 3
    for index in range(2):
        assert token_ids(events, index) == reference


@pytest.mark.parametrize("name", WINDOWED)
def test_windows_hold_whichever_row_a_story_goes_on_with(name: str, llama: Checkpoint) -> None:
    """Three turns, each behind one of the rows before: the first within the window, the others far beyond it."""
    checkpoint = make_model(name, llama)
    engine = WeavingEngine(checkpoint, build_network(checkpoint), 2, CONTEXT + 100, max_read=16)
    prompt: tuple[int, ...] = tuple(random.Random(5).choices(range(300), k=10))
    for turn, (num_rows, num_new, chosen) in enumerate(((3, 12, 1), (1, 30, 0), (5, 40, 4))):
        request = Request(f"t{turn}", prompt, seed=turn, n=num_rows, max_tokens=num_new)
        events = drain(engine, request)
        assert texts(events, request.id) == texts(drain(SerialEngine(checkpoint), request), request.id)
        prompt = (*prompt, *token_ids(events, chosen), *range(turn, turn + 20))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            Qwen3Config(**SHAPE, layer_types=["full_attention", "chunked_attention", "full_attention"]),
            "layers of chunked_attention",
        ),
        (LlamaConfig(**{**SHAPE, "hidden_act": "gelu"}), "activation is gelu"),
        (
            LlamaConfig(**SHAPE, rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}),
            "rotary embedding is dynamic",
        ),
    ],
)
def test_what_our_own_forward_does_not_know_is_refused_with_a_reason(
    config: LlamaConfig, reason: str, llama: Checkpoint
) -> None:
    checkpoint = replace(llama, model=AutoModelForCausalLM.from_config(config).eval(), context_tokens=CONTEXT)
    with pytest.raises(NoNetwork, match=reason):
        build_network(checkpoint)


def test_a_slot_pool_takes_the_memory_that_it_says(made: tuple[Checkpoint, Network]) -> None:
    shape = made[1].shape
    pool = SlotPool(shape, 3, 50)
    taken = sum(t.numel() * t.element_size() for layer in pool.cache for t in (layer.keys, layer.values))
    assert taken == 3 * 50 * shape.bytes_per_column
