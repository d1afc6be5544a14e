"""Adapters over a base: each row is as if its adapter were merged into the weights, whoever runs beside it."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from models.engine.adapter import WEIGHTS, Adapter, AdapterError, Update, load_adapter
from models.engine.batching import batch_of
from models.engine.checkpoint import Checkpoint
from models.engine.events import Event
from models.engine.families import build_network
from models.engine.growth import Result
from models.engine.linear import Int8Linear, Quantize
from models.engine.network import Batch, KeyValues, Network, Span
from models.engine.params import BeamParams, ContrastiveParams, SamplingParams
from models.engine.projection import Builder, Piece, Projection, lay_over
from models.engine.request import Request
from models.engine.serial import SerialEngine
from models.engine.slots import MIN_COPIED
from models.engine.weaving import WeavingEngine
from tests.models.engine.families import CONTEXT, make_model
from tests.models.lora import make_adapter, merged, products, targets_of
from tests.models.tiny import drain, encode, texts, token_ids

NAMES = [f"a{number}" for number in range(8)]
BASE = "Once upon a time there was a dragon who lived on a hill of gold, and the dragon was lonely. "
SCALE = 2.0  # `make_adapter`'s lora_alpha is twice its rank


class Watched:
    """A network that notes the spans of every step and how many rows it computed."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.shape, self.projections = network.shape, network.projections
        self.spans: list[tuple[Span, ...]] = []
        self.sizes: list[int] = []

    def head(self, hidden: torch.Tensor) -> torch.Tensor:
        return self._network.head(hidden)

    def forward(self, batch: Batch, cache: list[KeyValues]) -> torch.Tensor:
        self.spans.append(batch.spans)
        self.sizes.append(len(batch.ids))
        return self._network.forward(batch, cache)


@dataclass
class Library:
    """A base with eight adapters, whose targets and ranks differ; and each of them merged into the weights by hand."""

    base: Checkpoint
    adapters: list[Adapter]
    merged: dict[str | None, Checkpoint]

    def engine(self, network: Network | None = None, num_slots: int = 12) -> WeavingEngine:
        network = self.network() if network is None else network
        return WeavingEngine(self.base, network, num_slots, 192 + 100, max_read=32, adapters=NAMES)

    def network(self, quantize: Quantize = Quantize.NONE) -> Network:
        network = build_network(self.base, quantize)
        for adapter in self.adapters:
            lay_over(adapter, network.projections)
        return network

    def alone(self, request: Request) -> dict[int, str]:
        """What the generic engine writes with the merged weights."""
        plain = replace(request, adapter=None)
        return texts(drain(SerialEngine(self.merged[request.adapter]), plain), request.id)


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Library:
    base: Checkpoint = replace(request.getfixturevalue(request.param), end_ids=frozenset())
    folder, every = tmp_path_factory.mktemp("adapters"), targets_of(base.model)
    found: dict[str | None, Checkpoint] = {None: base}
    for number, name in enumerate(NAMES):
        targets = every if number % 2 == 0 else every[number // 2 % 3 :: 2]
        place = make_adapter(folder / name, base.model, number, targets, rank=2 + number)
        found[name] = merged(base, {k: SCALE * v for k, v in products(load_file(place / WEIGHTS)).items()})
    return Library(base, [load_adapter(name, str(folder / name)) for name in NAMES], found)


def ask(library: Library, name: str | None, **changes: object) -> Request:
    asked: dict[str, object] = {"seed": 7, "n": 2, "max_tokens": 16, "adapter": name, "id": f"{name}", **changes}
    return Request(prompt_ids=encode(library.base, str(asked.pop("prompt", BASE))), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "way",
    [
        {"beams": BeamParams(3)},
        {"contrastive": ContrastiveParams(0.6, 3), "n": 1},
        {"banned_phrases": ("e", " t", "on", "dragon"), "n": 4},
    ],
)
def test_every_way_of_decoding_knows_adapters(library: Library, way: dict[str, Any]) -> None:
    requests = [ask(library, name, **way) for name in (None, "a1", "a2")]
    events = drain(library.engine(), *requests)
    found = [texts(events, request.id) for request in requests]
    assert found == [library.alone(request) for request in requests]
    assert found[0] != found[1] != found[2]


@torch.inference_mode()
def logits_of(checkpoint: Checkpoint, network: Network, ids: Sequence[int], adapter: str | None) -> torch.Tensor:
    """Of every position, read in chunks of 30."""
    engine = WeavingEngine(checkpoint, network, 1, CONTEXT, adapters=NAMES)
    growth = engine.begin(Request("r", tuple(ids), seed=0, max_tokens=0, prompt_logprobs=True, adapter=adapter))
    pieces = []
    while growth.is_reading:
        part = growth.part(30)
        pieces.append(network.forward(batch_of([part], network.shape.device), engine.pool.cache))
        growth.absorb(part, Result(pieces[-1]))
    return torch.cat(pieces)


@torch.inference_mode()
def reference(checkpoint: Checkpoint, ids: Sequence[int]) -> torch.Tensor:
    logits: torch.Tensor = checkpoint.model(torch.tensor([list(ids)])).logits[0]
    return logits


@pytest.mark.parametrize("family", ["llama, biases", "llama, wide heads", "qwen2, window", "qwen3", "gpt2", "gpt_neo"])
def test_logits_are_those_of_the_merged_weights(family: str, llama: Checkpoint, tmp_path: Path) -> None:
    base = make_model(family, llama)
    targets = targets_of(base.model)
    network, ids = build_network(base), random.Random(3).choices(range(300), k=90)
    found = {}
    for name, which in (("a0", targets), ("a1", targets[:1]), ("a2", targets[1:])):
        make_adapter(tmp_path / name, base.model, 11, which)
        lay_over(load_adapter(name, str(tmp_path / name)), network.projections)
        whole = merged(base, {k: SCALE * v for k, v in products(load_file(tmp_path / name / WEIGHTS)).items()})
        found[name] = reference(whole, ids)
    found[None] = reference(base, ids)
    for name, expected in found.items():
        assert torch.allclose(logits_of(base, network, ids, name), expected, atol=1e-4, rtol=1e-4)
        others = [other for key, other in found.items() if key != name]
        assert all(float((expected - other).abs().max()) > 0.05 for other in others), "an adapter that shows"


def test_eight_adapters_and_the_base_in_one_batch_write_what_each_writes_alone(library: Library) -> None:
    network = Watched(library.network())
    requests = [ask(library, name, prompt=BASE[: 30 + 5 * k], n=1 + k % 3) for k, name in enumerate([None, *NAMES])]
    random.Random(2).shuffle(requests)
    events = drain(library.engine(network), *requests)
    for request in requests:
        assert texts(events, request.id) == library.alone(request)
    assert max(len(spans) for spans in network.spans) == 8
    for spans, size in zip(network.spans, network.sizes, strict=True):
        assert len({span.adapter for span in spans}) == len(spans), "the rows of an adapter stand together"
        assert sum(span.count for span in spans) <= size
    full = max(zip(network.spans, network.sizes, strict=True), key=lambda pair: len(pair[0]))
    assert full[1] > sum(span.count for span in full[0]), "the base's rows are in no span"


def test_many_rows_of_one_adapter_are_one_span(library: Library) -> None:
    network = Watched(library.network())
    requests = [ask(library, "a1" if k % 2 else "a2", id=f"{k}", seed=k, prompt=BASE[: 20 + k]) for k in range(6)]
    events = drain(library.engine(network), *requests)
    for request in requests:
        assert texts(events, request.id) == library.alone(request)
    assert {tuple(span.adapter for span in spans) for spans in network.spans} <= {("a1", "a2"), ("a1",), ("a2",)}


def test_what_was_read_with_one_adapter_is_not_taken_for_anothers(library: Library) -> None:
    network = Watched(library.network())
    engine = library.engine(network, num_slots=3)
    request = ask(library, None)
    whole = min(32, len(request.prompt_ids))  # as much of it as a step reads
    assert whole > MIN_COPIED, "long enough to be copied from slot to slot"
    for name, num_new in ((None, whole), ("a0", whole), ("a3", whole), ("a0", 1), (None, 1), ("a3", 1)):
        request = ask(library, name)
        network.sizes.clear()
        assert texts(drain(engine, request), request.id) == library.alone(request)
        assert network.sizes[0] == num_new
    assert sorted(str(slot.adapter) for slot in engine.pool.slots) == ["None", "a0", "a3"]


def test_a_story_goes_on_where_its_own_adapter_left_it(library: Library) -> None:
    network = Watched(library.network())
    engine = library.engine(network, num_slots=2)
    prompts = {name: encode(library.base, BASE) for name in ("a1", "a4")}
    for turn in range(3):
        for name, prompt in prompts.items():
            request = Request(f"{name}.{turn}", prompt, seed=turn, n=3, max_tokens=8, adapter=name)
            network.sizes.clear()
            events = drain(engine, request)
            assert texts(events, request.id) == library.alone(request)
            assert turn == 0 or network.sizes[0] == 3, "the last token that was drawn, and two new ones"
            prompts[name] = (*prompt, *token_ids(events, turn % 3), 7, 8)


def test_whatever_comes_and_goes_every_adapter_keeps_to_its_own(library: Library) -> None:
    """New stories, rerolls and rows gone on with, at random, with more adapters than slots."""
    engine, rng = library.engine(num_slots=3), random.Random(6)
    asked: list[Request] = []
    events: list[Event] = []
    for number in range(24):
        prompt = encode(library.base, BASE[: rng.randint(40, 90)])
        name = rng.choice([None, *NAMES[:4]])
        if asked and rng.random() < 0.6:
            old = rng.choice(asked)
            prompt, name = old.prompt_ids, rng.choice([old.adapter, name])
            if rng.random() < 0.5:
                prompt = (*prompt, *token_ids([e for e in events if e.request_id == old.id], 0), 9)[:100]
        asked.append(Request(f"{number}", prompt, seed=number, n=rng.randint(1, 3), max_tokens=8, adapter=name))
        engine.add(asked[-1])
        for _ in range(rng.randint(0, 10)):
            events += engine.step()
    events += drain(engine)
    for request in asked:
        assert texts(events, request.id) == library.alone(request)
    assert engine.pool.num_free == 3


def test_int8_stays_the_bases_and_the_update_is_exact(library: Library) -> None:
    torch.manual_seed(4)
    weight, bias, x = torch.randn(24, 16), torch.randn(24), torch.randn(9, 16)
    dense = Int8Linear(weight, bias)
    projection = Projection(dense, [Piece("p", 16, 24)], weight.device, weight.dtype)
    update = Update(torch.randn(3, 16), torch.randn(24, 3))
    projection.adapt("a", {"p": update})
    expected = dense(x)
    expected[2:5] += x[2:5] @ (update.up @ update.down).t()
    assert torch.allclose(projection(x, [Span("a", 2, 3), Span("unknown", 5, 2)]), expected, atol=1e-4)

    ids = encode(library.base, BASE)
    network = library.network(Quantize.INT8)
    exact = {name: reference(library.merged[name], ids) for name in (None, "a0", "a2")}
    for name in exact:
        found = logits_of(library.base, network, ids, name)
        distance = {key: float((found - other).norm() / other.norm()) for key, other in exact.items()}
        assert min(distance, key=lambda key: distance[key]) == name
        assert 0 < distance[name] < 0.1 < min(far for key, far in distance.items() if key != name)


def test_half_precision_rounds_the_update_as_it_rounds_the_weights(library: Library) -> None:
    model = library.base.model
    half = replace(library.base, model=type(model)(model.config).eval().bfloat16(), dtype=torch.bfloat16)
    half.model.load_state_dict(model.state_dict())
    network = build_network(half)
    lay_over(library.adapters[0], network.projections)
    ids = encode(library.base, BASE)
    found, expected = logits_of(half, network, ids, "a0").float(), reference(library.merged["a0"], ids)
    assert float((found - expected).norm() / expected.norm()) < 0.05


@pytest.mark.parametrize("biases", [(True, True), (False, False), (True, False)])
def test_joined_layers_are_the_layers_side_by_side(biases: tuple[bool, bool]) -> None:
    torch.manual_seed(3)
    layers = [torch.nn.Linear(8, size, bias=bias) for size, bias in zip((5, 7), biases, strict=True)]
    build, x = Builder(Quantize.NONE, torch.nn.Sequential(*layers)), torch.randn(4, 8)
    projection = build.joined(*layers)
    assert build.projections == [projection]
    assert projection.pieces == (Piece("0", 8, 5), Piece("1", 8, 7))
    update = Update(torch.randn(2, 8), torch.randn(7, 2))
    projection.adapt("a", {"1": update, "elsewhere": update})
    with torch.no_grad():
        expected = torch.cat([layer(x) for layer in layers], -1)
    assert torch.allclose(projection(x), expected, atol=1e-5)
    expected[1:, 5:] += x[1:] @ (update.up @ update.down).t()
    assert torch.allclose(projection(x, [Span("a", 1, 3)]), expected, atol=1e-4)


def test_an_adapter_of_another_model_is_refused_and_leaves_nothing_behind(
    llama: Checkpoint, gpt2: Checkpoint, tmp_path: Path
) -> None:
    network = build_network(llama)
    foreign = load_adapter("foreign", str(make_adapter(tmp_path / "f", gpt2.model, 1)))
    with pytest.raises(AdapterError, match=r"foreign changes transformer\.h\.0\.attn\.c_attn, which is no dense layer"):
        lay_over(foreign, network.projections)
    head = load_adapter("head", str(make_adapter(tmp_path / "h", make_model("llama", llama).model, 1, ["q_proj"])))
    head = replace(head, updates={"lm_head": next(iter(head.updates.values()))})
    with pytest.raises(AdapterError, match="head changes lm_head, which is no dense layer inside a block"):
        lay_over(head, network.projections)
    own = load_adapter("wide", str(make_adapter(tmp_path / "w", llama.model, 1, ["q_proj", "down_proj"])))
    down = own.updates["model.layers.1.mlp.down_proj"]
    wrong = {"model.layers.1.mlp.down_proj": Update(down.down[:, :-1], down.up)}
    with pytest.raises(AdapterError, match=r"down_proj takes 64 numbers and gives 32, .* for 63 and 32"):
        lay_over(replace(own, updates={**own.updates, **wrong}), network.projections)
    ids = encode(llama, BASE)
    engine = WeavingEngine(llama, network, 1, CONTEXT, adapters=["wide"])
    plain, still = Request("r", ids, seed=1), Request("r", ids, seed=1, adapter="wide")
    assert texts(drain(engine, plain)) == texts(drain(engine, still))


def test_the_log_says_what_an_adapter_takes(
    llama: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_adapter(tmp_path / "noir", llama.model, 1, ["down_proj"], rank=50)
    with caplog.at_level(logging.INFO):
        lay_over(load_adapter("noir", str(folder)), build_network(llama).projections)
    num_bytes = sum(matrix.numel() * 4 for matrix in load_file(folder / WEIGHTS).values())
    assert f"noir revision {load_adapter('noir', str(folder)).revision} changes 2 layers" in caplog.text
    assert f"takes {num_bytes / 1e6:.1f} MB" in caplog.text


def test_an_adapter_that_is_not_here_is_refused(library: Library) -> None:
    request = Request("r", (5, 6), seed=1, adapter="nobody", sampling=SamplingParams(temperature=0))
    for engine in (library.engine(), SerialEngine(library.base)):
        with pytest.raises(ValueError, match="no adapter nobody here"):
            engine.add(request)
        assert not engine.has_work
