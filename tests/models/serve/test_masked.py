"""A masked model beside the causal one over HTTP: configured, listed, chosen by the field `model`."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from models.engine.checkpoint import CheckpointError
from models.engine.events import Event
from models.engine.masked.checkpoint import load_masked
from models.engine.masked.engine import MaskedEngine
from models.engine.masked.plan import plan_rewrite
from models.engine.masked.request import MaskedRequest
from models.serve.config import load_config
from models.serve.loading import load
from tests.models import masked
from tests.models.masked import AFTER, BEFORE, MIDDLE
from tests.models.serve.conftest import Worker, sent, serve, until
from tests.models.tiny import drain, texts

REWRITE: dict[str, Any] = {"model": "tiny-bert", "prompt": BEFORE, "suffix": AFTER, "seed": 3}
EXTRA: dict[str, Any] = {"middle": MIDDLE}


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return masked.make("bert", tmp_path_factory.mktemp("masked") / "tiny-bert")


@pytest.fixture(scope="module")
def both(bert_folder: Path, llama_folder: Path) -> Iterator[Worker]:
    """A worker that was started with both models."""
    config = load_config(None, model=str(llama_folder), masked_model=str(bert_folder), device="cpu", cache_mb="4")
    with serve(lambda: load(config), queue_size=10) as running:
        yield running


@pytest.fixture
def client(both: Worker) -> Iterator[openai.OpenAI]:
    made = both.client()
    yield made
    made.close()


def test_both_models_are_listed_the_causal_one_first(both: Worker, client: openai.OpenAI, bert_folder: Path) -> None:
    first, second = both.get("/v1/models").json()["data"]
    assert (first["id"], first["kind"]) == ("tiny-llama", "causal")
    assert second == {
        "id": "tiny-bert",
        "object": "model",
        "owned_by": "talewright",
        "kind": "masked",
        "max_model_len": masked.CONTEXT,
        "parent": None,
        "story_format": None,
        "abilities": ["suffix", "middle", "keep"],
        "revision": load_masked(str(bert_folder), device="cpu").revision,
        "created": first["created"],
    }
    assert both.get("/v1/models/tiny-bert").json() == second
    assert [model.id for model in client.models.list()] == ["tiny-llama", "tiny-bert"]
    assert both.get("/v1/models/tiny-bart").status_code == 404


def test_a_rewrite_is_what_the_engine_writes(client: openai.OpenAI, bert_folder: Path) -> None:
    answer = client.completions.create(**REWRITE, n=3, extra_body=EXTRA)
    checkpoint = load_masked(str(bert_folder), device="cpu")
    plan = plan_rewrite(checkpoint, BEFORE, MIDDLE, AFTER)
    assert {c.index: c.text for c in answer.choices} == texts(
        drain(MaskedEngine(checkpoint), MaskedRequest("r", plan, 3, n=3))
    )
    assert {c.finish_reason for c in answer.choices} == {"stop"}
    assert all(c.logprobs is None for c in answer.choices)
    assert answer.model == "tiny-bert"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == plan.num_read
    assert answer.usage.completion_tokens == 3 * 4, "four words changed in each of three rows"
    own = answer.choices[1].model_dump()
    again = client.completions.create(**{**REWRITE, "seed": own["seed"]}, extra_body=EXTRA)
    assert again.choices[0].text == own["text"]


def test_without_a_seed_two_answers_differ_and_say_theirs(client: openai.OpenAI) -> None:
    fresh = {name: value for name, value in REWRITE.items() if name != "seed"}
    answers = [client.completions.create(**fresh, extra_body={**EXTRA, "mask_share": 0.9}) for _ in range(2)]
    assert answers[0].choices[0].text != answers[1].choices[0].text
    assert answers[0].choices[0].model_dump()["seed"] != answers[1].choices[0].model_dump()["seed"]


def test_a_stream_has_one_chunk_for_each_row_and_its_end(client: openai.OpenAI) -> None:
    whole = client.completions.create(**REWRITE, n=2, extra_body=EXTRA)
    with client.completions.create(
        **REWRITE, n=2, extra_body=EXTRA, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    said = [(c.choices[0].index, c.choices[0].text, c.choices[0].finish_reason) for c in chunks[:-1]]
    assert said == [part for c in whole.choices for part in ((c.index, c.text, None), (c.index, "", "stop"))]
    assert chunks[-1].usage == whole.usage


def test_a_gap_is_filled_between_prompt_and_suffix_and_at_the_end(client: openai.OpenAI) -> None:
    between = client.completions.create(
        model="tiny-bert", prompt="The cat", suffix="on the hill.", max_tokens=5, seed=1
    )
    assert between.usage is not None
    assert between.usage.completion_tokens == 5
    assert between.choices[0].text.endswith(" ")
    at_the_end = client.completions.create(model="tiny-bert", prompt="The cat", seed=1)
    assert at_the_end.usage is not None
    assert at_the_end.usage.completion_tokens == 16, "OpenAI's default"


def test_requests_of_both_models_move_on_together(both: Worker, client: openai.OpenAI) -> None:
    story = {"model": "tiny-llama", "prompt": "Once upon a time", "seed": 3, "max_tokens": 60, "n": 2}
    alone = client.completions.create(**story), client.completions.create(**REWRITE, extra_body=EXTRA)
    before = both.metric("talewright_engine_steps_total")
    loaded = both.runner.loaded()
    assert loaded.masked is not None
    order: list[str] = []
    gate = threading.Event()

    def watched(step: Any, name: str) -> Any:
        def run() -> list[Event]:
            assert gate.wait(30)
            order.append(name)
            found: list[Event] = step()
            return found

        return run

    causal, other = loaded.engine, loaded.masked.engine
    steps = causal.step, other.step
    causal.step, other.step = watched(steps[0], "causal"), watched(steps[1], "masked")  # type: ignore[method-assign]
    try:
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(client.completions.create, **story)
            second = pool.submit(client.completions.create, **REWRITE, extra_body=EXTRA)
            until(lambda: both.runner.num_waiting + both.runner.num_running == 2, "both have come")
            gate.set()
            assert first.result(60).choices == alone[0].choices
            assert second.result(60).choices == alone[1].choices
    finally:
        causal.step, other.step = steps  # type: ignore[method-assign]
    shared = order[: 2 * order.count("masked") - 1]
    assert shared.count("masked") >= order.count("masked") - 1, order
    assert both.metric("talewright_engine_steps_total") == before + len(order)


def test_a_client_that_leaves_ends_its_rewrite(both: Worker) -> None:
    loaded = both.runner.loaded()
    assert loaded.masked is not None
    engine, step, gate = loaded.masked.engine, loaded.masked.engine.step, threading.Semaphore(0)

    def gated() -> list[Event]:
        assert gate.acquire(timeout=30)
        return step()

    engine.step = gated  # type: ignore[method-assign]
    cancelled = both.metric("talewright_requests_total", outcome="cancelled")
    try:
        with sent(both, {**REWRITE, **EXTRA, "order": "left_to_right"}):
            gate.release(2)
            until(lambda: both.runner.num_running == 1, "it is at work")
        gate.release(1000)
        until(lambda: both.metric("talewright_requests_total", outcome="cancelled") == cancelled + 1, "it is given up")
    finally:
        engine.step = step  # type: ignore[method-assign]


def test_tokens_are_counted_by_the_model_that_is_named(both: Worker) -> None:
    counted = both.post({"prompt": "the cats", "model": "tiny-bert"}, "/tokenize").json()
    assert (counted["count"], counted["max_model_len"]) == (3, masked.CONTEXT)
    assert (
        both.post({"prompt": "the cats", "model": "tiny-bert", "add_special_tokens": True}, "/tokenize").json()["count"]
        == 5
    )
    assert both.post({"prompt": "the cats"}, "/tokenize").json()["max_model_len"] != masked.CONTEXT


def test_a_model_that_is_not_there_is_refused_with_both_names(both: Worker) -> None:
    answer = both.post({**REWRITE, "model": "gpt-5"})
    assert answer.status_code == 404
    assert "'tiny-llama', 'tiny-bert' are" in answer.json()["error"]["message"]


@pytest.mark.parametrize("broken", ["missing", "causal"])
def test_a_masked_model_that_cannot_be_served_stops_the_start_and_health_says_why(
    broken: str, llama_folder: Path, tmp_path: Path
) -> None:
    source = llama_folder if broken == "causal" else tmp_path / "missing"
    source.mkdir(exist_ok=True)
    config = load_config(None, model=str(llama_folder), masked_model=str(source), device="cpu", cache_mb="4")
    with pytest.raises(CheckpointError, match="as a masked language model"):
        load(config)
    with serve(lambda: load(config), is_awaited=False) as worker:
        until(lambda: worker.get("/health").json()["status"] == "failed", "the start fails")
        assert f"cannot load {source} as a masked language model" in worker.get("/health").json()["detail"]


def test_two_models_of_one_name_are_refused(llama_folder: Path, bert_folder: Path, tmp_path: Path) -> None:
    twin = tmp_path / "tiny-llama"
    shutil.copytree(bert_folder, twin)
    with pytest.raises(CheckpointError, match="MASKED_MODEL is named tiny-llama"):
        load(load_config(None, model=str(llama_folder), masked_model=str(twin), device="cpu", cache_mb="4"))
    alone = load(load_config(None, model=str(llama_folder), masked_model="off", device="cpu", cache_mb="4"))
    assert alone.masked is None


def test_a_masked_model_that_cannot_write_fails_the_probe(llama_folder: Path, bert_folder: Path) -> None:
    config = load_config(None, model=str(llama_folder), masked_model=str(bert_folder), device="cpu", cache_mb="4")

    def load_spoilt() -> Any:
        loaded = load(config)
        assert loaded.masked is not None
        last = loaded.masked.checkpoint.model.get_output_embeddings()
        last.register_forward_hook(lambda _module, _args, output: output * float("nan"))
        return loaded

    with serve(load_spoilt, is_awaited=False) as worker:
        until(lambda: worker.get("/health").json()["status"] == "failed", "the start fails")
