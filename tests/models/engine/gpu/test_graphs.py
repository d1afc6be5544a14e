"""What is captured when, and that rehearsing leaves no trace; CUDA's part is played by a graph that runs the step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch

from models.engine.checkpoint import Checkpoint
from models.engine.families import build_network
from models.engine.gpu.decoder import Decoder
from models.engine.gpu.graphs import SIZES, Captured, Runner, size_for
from models.engine.gpu.layout import MAX_ROWS_OF_SLOT, Shared, lay_out, num_splits
from models.engine.gpu.ranges import look_plainly
from models.engine.gpu.step import Bucket, Step
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.weaving import WeavingEngine
from tests.models.tiny import drain, texts


class Graph:
    """Replays what ran while it was captured."""

    made: list[Graph]

    def __init__(self) -> None:
        self.num_replays = 0
        self.made.append(self)

    def replay(self) -> None:
        self.num_replays += 1
        self.step(self.bucket)

    @classmethod
    @contextmanager
    def capturing(cls, graph: Graph, **_: object) -> Iterator[None]:
        """Nothing is computed during a capture, so nothing moves."""
        kept = [(tensor, tensor.clone()) for tensor in Noting.last.lanes.state]
        yield
        graph.step, graph.bucket = Noting.last, Noting.last.bucket
        for tensor, old in kept:
            tensor.copy_(old)


class Noting(Step):
    """Notes what it was called for."""

    last: Noting
    fails_at = 0

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.num_calls = 0
        Noting.last = self

    def __call__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.num_calls += 1
        if self.num_calls == self.fails_at:
            raise RuntimeError("operation not permitted when stream is capturing")
        super().__call__(bucket)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    class Stream:
        def wait_stream(self, _: object) -> None: ...

    Graph.made = []
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", Graph.capturing)
    monkeypatch.setattr("models.engine.gpu.decoder.Step", Noting)
    return Graph.made


def written(checkpoint: Checkpoint, runner: type[Runner] | None, *, is_prepared: bool = False) -> list[dict[int, str]]:
    """Texts of requests of all kinds, through an engine whose decoder runs its steps so."""
    network = build_network(checkpoint)
    decoder = Decoder(network, 4, 250, look_plainly, *([runner] if runner else []), most=16)
    if is_prepared:
        decoder.prepare()
    engine = WeavingEngine(checkpoint, network, 4, 250, decoder=decoder)
    kinds = [SamplingParams(top_p=0.8), SamplingParams(top_k=9), SamplingParams(frequency_penalty=0.5)]
    asked = [
        Request(f"{k}", tuple(range(10 + k, 30 + k)), seed=k, n=1 + k % 3, max_tokens=14, sampling=kinds[k % 3])
        for k in range(7)
    ]
    events = drain(engine, *asked)
    return [texts(events, request.id) for request in asked]


@pytest.mark.parametrize("is_prepared", [True, False])
def test_a_bucket_is_captured_once_and_what_it_replays_is_the_step(
    llama: Checkpoint, made: list[Graph], is_prepared: bool
) -> None:
    expected = written(llama, None)
    assert not made
    assert written(llama, Captured, is_prepared=is_prepared) == expected
    buckets = [graph.bucket for graph in made]
    assert len(set(buckets)) == len(buckets) > 3
    assert sum(graph.num_replays for graph in made) > 2 * len(made)
    if is_prepared:
        plain = [Bucket(size) for size in reversed(SIZES) if size <= 16]
        assert buckets[: len(plain)] == plain


def test_where_capturing_fails_the_step_is_run_itself(
    llama: Checkpoint, made: list[Graph], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = written(llama, None)
    monkeypatch.setattr(Noting, "fails_at", 2)  # the first was the rehearsal
    assert written(llama, Captured) == expected
    assert "no graph could be captured for" in caplog.text
    assert made[0].num_replays == 0


def test_the_smallest_bucket_with_room_is_taken() -> None:
    for num_rows in range(1, SIZES[-1] + 1):
        assert 0 <= size_for(num_rows) - num_rows <= size_for(num_rows) / 3
    with pytest.raises(ValueError, match="257 rows are more than 256"):
        size_for(257)


@pytest.mark.parametrize("num_rows", [1, 4, 5, 16, 17, 48, 49])
def test_every_column_of_a_prompt_is_in_one_part_for_each_of_its_rows(num_rows: int) -> None:
    sizes = [min(MAX_ROWS_OF_SLOT, num_rows - first) for first in range(0, num_rows, MAX_ROWS_OF_SLOT)]
    prompts = [Shared(size, 1000 * i, 1 + 37 * i) for i, size in enumerate(sizes)]
    layout = lay_out(prompts, [9000 + row for row in range(num_rows)], [1 + row for row in range(num_rows)])
    assert layout.firsts == sorted(layout.firsts)
    assert layout.firsts[-1] == (num_splits(num_rows) + 1) * num_rows
    assert len(layout.is_hidden) == num_splits(num_rows) + 1
    seen: dict[int, list[int]] = {row: [] for row in range(num_rows)}
    for i, (start, used) in enumerate(zip(layout.starts[:-1], layout.used, strict=True)):
        assert used > 0
        assert start >= 9000 or start % 1000 + used <= max(prompt.num_tokens for prompt in prompts)
        for query in range(layout.firsts[i], layout.firsts[i + 1]):
            part, row = divmod(query, num_rows)
            if not layout.is_hidden[part][row]:
                seen[row] += range(start, start + used)
    row = 0
    for prompt in prompts:
        for _ in range(prompt.num_rows):
            own = range(9000 + row, 9000 + row + 1 + row)
            assert sorted(seen[row]) == [*range(prompt.start, prompt.start + prompt.num_tokens), *own]
            row += 1
