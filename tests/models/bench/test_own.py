"""This project's own ways, and transformers' batching, on a tiny model: all of them write what was asked."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.bench import through_worker
from models.bench.own import EngineAnswerer, EngineFailed, make_answerer
from models.bench.runners import with_transformers
from models.bench.runners.runner import Answer, Answerer, Asked, Notes, load_with, peak_bytes, replay
from models.engine.checkpoint import Checkpoint, load_checkpoint
from models.engine.events import Event, Failed, FailureKind
from tests.models.bench.fake import asked
from tests.models.serve.conftest import load_fast, serve

OPTIONS = {"cache_bytes": 4 << 20}
PROMPT = tuple(range(20, 60))


@pytest.fixture
def model(llama_folder: Path) -> Checkpoint:
    """Loaded anew, since the fast engine takes the weights over."""
    return replace(load_checkpoint(str(llama_folder), device="cpu"), end_ids=frozenset())


def test_a_worker_of_its_own_is_started_asked_and_ended(llama_folder: Path, tmp_path: Path) -> None:
    options = {**OPTIONS, "quantize": "none", "threads": 1, "device": "cpu", "worker_log": str(tmp_path / "log")}
    client = through_worker.load(llama_folder, options)
    try:
        answers = run(client, asked(prompt=PROMPT))
        assert [len(row) for row in answers["a"].rows] == [4] * 3
        assert peak_bytes(client.pid) > 100 << 20  # the worker's, in which torch is
    finally:
        client.close()
    with pytest.raises(ProcessLookupError):
        os.kill(client.pid, 0)


def run(answerer: Answerer, *requests: Asked) -> dict[str, Answer]:
    _, notes = replay(answerer, [(0.0, each) for each in requests], 60.0)
    assert all(answer.done_s is not None for answer in notes.answers.values())
    return notes.answers


@pytest.mark.parametrize("way", ["engine", "serial", "together", "tutorial"])
def test_every_way_writes_what_was_asked_and_the_same_where_that_is_certain(
    way: str, model: Checkpoint, llama: Checkpoint
) -> None:
    answerer = make_answerer(model, {**OPTIONS, "way": way})
    sampled = asked("sampled", n=3, max_tokens=12, prompt=PROMPT)
    greedy = replace(sampled, id="greedy", n=1, temperature=0.0, top_p=1.0)
    answers = run(answerer, sampled, greedy)
    rows = answers["sampled"].rows
    assert [len(row) for row in rows] == [12] * 3
    assert len({tuple(row) for row in rows}) == 3
    assert 0 < (answers["sampled"].first_s or 0) < (answers["sampled"].done_s or 0)
    ids = torch.tensor([PROMPT])
    expected: Any = llama.model.generate(  # type: ignore[operator]
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, eos_token_id=None
    )
    assert answers["greedy"].rows == [expected[0, len(PROMPT) :].tolist()]


def test_the_engine_lets_go_of_the_model_as_it_does_in_the_worker(model: Checkpoint) -> None:
    make_answerer(model, {**OPTIONS, "way": "engine", "quantize": "int8"})
    assert sum(parameter.numel() for parameter in model.model.parameters()) == 0


def test_a_request_that_fails_in_the_engine_is_no_answer() -> None:
    class Broken:
        has_work = True
        max_running = 1
        num_steps = 0

        def add(self, request: object) -> None: ...

        def cancel(self, request_id: str) -> None: ...

        def reset(self) -> None: ...

        def step(self) -> list[Event]:
            return [Failed("a", FailureKind.INTERNAL, "it broke")]

    with pytest.raises(EngineFailed, match="it broke"):
        EngineAnswerer(Broken()).step(Notes(lambda: 0.0))


def test_continuous_batching_forks_a_prompt_and_takes_mixed_requests_apart(llama_folder: Path) -> None:
    model = load_checkpoint(str(llama_folder), device="cpu").model
    with closing(with_transformers.Batching(model, num_pages=64)) as batching:
        first = [asked("a", n=3, max_tokens=5, prompt=PROMPT), asked("b", n=3, max_tokens=7, prompt=PROMPT[:9])]
        batching.prepare(first)
        answers = run(batching, *first)
        assert [[len(row) for row in answers[name].rows] for name in "ab"] == [[5] * 3, [7] * 3]
        second = [asked("c", n=2, max_tokens=4, prompt=PROMPT), asked("d", n=1, max_tokens=3, prompt=PROMPT)]
        batching.prepare(second)
        answers = run(batching, *second)
        assert [[len(row) for row in answers[name].rows] for name in "cd"] == [[4] * 2, [3]]
        with pytest.raises(ValueError, match="one temperature"):
            batching.prepare([first[0], replace(first[1], temperature=0.5)])


def test_the_worker_streams_as_many_tokens_and_its_memory_counts(llama_folder: Path) -> None:
    with serve(lambda: load_fast(llama_folder)) as worker:
        host, _, port = worker.url.removeprefix("http://").partition(":")
        client = through_worker.Client((host, int(port)), "tiny-llama", None)
        answers = run(client, asked("a", n=2, max_tokens=5, prompt=PROMPT), asked("b", n=1, max_tokens=2))
        assert [[len(row) for row in answers[name].rows] for name in "ab"] == [[5, 5], [2]]
        assert client.pid is None
        with pytest.raises(through_worker.WorkerFailed, match="404"):
            run(through_worker.Client((host, int(port)), "another", None), asked("c"))


@contextmanager
def pretended(name: str, libraries: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A runner's module with these libraries, which are not installed here."""
    full = f"models.bench.runners.{name}"
    with monkeypatch.context() as patched:
        for library, pretence in libraries.items():
            patched.setitem(sys.modules, library, pretence)
        patched.delitem(sys.modules, full, raising=False)
        yield importlib.import_module(full)
        patched.delitem(sys.modules, full)


Load = Callable[[Path, dict[str, Any]], Answerer]


def test_ctranslate2_has_a_series_beginning_cached_and_batches_by_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []

    class Result:
        def __init__(self, n: int, length: int) -> None:
            self.sequences_ids = [[5] * length] * n

    class Library:
        class Generator:
            def __init__(self, *_where: object, **_how: object) -> None: ...

            def generate_batch(self, prompts: list[list[str]], **how: Any) -> list[Result]:
                calls.append({**how, "prompts": prompts})
                return [Result(how["num_hypotheses"], how["max_length"]) for _ in prompts]

    (tmp_path / "vocabulary.json").write_text(str([f"w{i}" for i in range(100)]).replace("'", '"'))
    with pretended("with_ctranslate2", {"ctranslate2": Library}, monkeypatch) as module:
        load: Load = load_with(module)
        answerer = load(tmp_path, {"threads": 2})
        run(answerer, asked("0", prompt=(1, 2, 3)))
        run(answerer, asked("1", prompt=(1, 2, 3, 4, 5)))
        run(answerer, asked("2", prompt=(9, 8)))
        run(answerer, asked("3"), asked("4"), asked("5", max_tokens=9), asked("6"))
    assert [(call["static_prompt"], call["prompts"]) for call in calls[:3]] == [
        (["w1", "w2"], [["w3"]]),
        (["w1", "w2"], [["w3", "w4", "w5"]]),
        (["w9"], [["w8"]]),
    ]
    assert [(len(call["prompts"]), call["max_length"]) for call in calls[3:]] == [(2, 4), (1, 4), (1, 9)]
    assert all(call["min_length"] == call["max_length"] for call in calls)
