"""A classifier beside the causal model over HTTP: configured, listed, asked at /v1/moderations."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
import torch

from models.engine.checkpoint import CheckpointError
from models.engine.events import Event
from models.engine.moderation.checkpoint import load_classifier
from models.engine.moderation.forward import read_windows
from models.serve.config import load_config
from models.serve.loading import load
from models.serve.moderations import MAX_CHARS, MAX_INPUTS
from tests.models import classifiers, masked
from tests.models.classifiers import MULTI, TEXTS
from tests.models.serve.conftest import Worker, sent, serve, until

PATH = "/v1/moderations"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("moderation") / "tiny-guard"
    return classifiers.make("bert", made, MULTI, "multi_label_classification")


def loaded_with(llama_folder: Path, folder: Path, **more: Any) -> Any:
    given = {"model": str(llama_folder), "moderation_model": str(folder), "device": "cpu", "cache_mb": "4", **more}
    return load(load_config(None, **given))


@pytest.fixture(scope="module")
def both(folder: Path, llama_folder: Path) -> Iterator[Worker]:
    """A worker that was started with both models."""
    with serve(lambda: loaded_with(llama_folder, folder), queue_size=2) as running:
        yield running


@pytest.fixture
def client(both: Worker) -> Iterator[openai.OpenAI]:
    made = both.client()
    yield made
    made.close()


def wanted_scores(folder: Path, text: str) -> dict[str, float]:
    checkpoint = load_classifier(str(folder), device="cpu")
    found = zip(*read_windows(checkpoint, checkpoint.windows(text)), strict=True)
    return dict(zip(MULTI, map(max, found), strict=True))


def test_every_text_is_answered_in_openai_s_shape(both: Worker, folder: Path) -> None:
    answer = both.post({"input": list(TEXTS), "model": "tiny-guard"}, PATH).json()
    assert answer.keys() == {"id", "model", "results"}
    assert answer["id"].startswith("modr-")
    assert answer["model"] == "tiny-guard"
    assert len(answer["results"]) == len(TEXTS)
    for text, result in zip(TEXTS, answer["results"], strict=True):
        assert result["category_scores"] == pytest.approx(wanted_scores(folder, text), abs=1e-5)
        assert result["categories"] == {name: score >= 0.5 for name, score in result["category_scores"].items()}
        assert result["flagged"] is any(result["categories"].values())
        assert result["category_applied_input_types"] == {name: ["text"] for name in MULTI}
    assert {result["flagged"] for result in answer["results"]} == {True, False}


def test_openai_s_client_reads_it_and_needs_no_model(client: openai.OpenAI, folder: Path) -> None:
    answer = client.moderations.create(input=TEXTS[0])
    (result,) = answer.results
    scores = result.category_scores.model_dump(by_alias=True)
    assert {name: scores[name] for name in MULTI} == pytest.approx(wanted_scores(folder, TEXTS[0]), abs=1e-5)
    assert client.moderations.create(input=TEXTS[0]).id != answer.id


def test_a_long_text_has_the_highest_scores_of_its_windows(both: Worker, folder: Path) -> None:
    text = " ".join(masked.WORDS * 4)
    assert len(load_classifier(str(folder), device="cpu").windows(text)) > 3
    result = both.post({"input": text}, PATH).json()["results"][0]
    assert result["category_scores"] == pytest.approx(wanted_scores(folder, text), abs=1e-5)


def test_it_is_listed_last_with_its_categories(both: Worker, client: openai.OpenAI, folder: Path) -> None:
    first, last = both.get("/v1/models").json()["data"]
    assert (first["id"], first["kind"]) == ("tiny-llama", "causal")
    assert last == {
        "id": "tiny-guard",
        "object": "model",
        "owned_by": "talewright",
        "created": first["created"],
        "kind": "moderation",
        "max_model_len": masked.CONTEXT,
        "parent": None,
        "revision": load_classifier(str(folder), device="cpu").revision,
        "story_format": None,
        "abilities": [],
        "categories": list(MULTI),
        "threshold": 0.5,
    }
    assert both.get("/v1/models/tiny-guard").json() == last
    assert [model.id for model in client.models.list()] == ["tiny-llama", "tiny-guard"]


def test_health_and_metrics_include_it(both: Worker) -> None:
    assert both.get("/health").json() == {"status": "ready", "moderation": "ready"}
    names = {"done": {"outcome": "done"}, "refused": {"outcome": "refused"}}
    before = {key: both.metric("talewright_moderation_requests_total", **labels) for key, labels in names.items()}
    texts, flagged = (both.metric(f"talewright_{name}_texts_total") for name in ("moderated", "flagged"))
    completions = both.metric("talewright_requests_total", outcome="done")
    results = both.post({"input": list(TEXTS)}, PATH).json()["results"]
    both.post({"input": []}, PATH)
    after = {key: both.metric("talewright_moderation_requests_total", **labels) for key, labels in names.items()}
    assert after == {key: number + 1 for key, number in before.items()}
    assert both.metric("talewright_moderated_texts_total") == texts + len(TEXTS)
    assert both.metric("talewright_flagged_texts_total") == flagged + sum(r["flagged"] for r in results)
    assert both.metric("talewright_moderation_seconds_count") >= 1
    assert both.metric("talewright_requests_total", outcome="done") == completions


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ({"input": []}, "input", f"between 1 and {MAX_INPUTS}"),
        ({"input": ["a"] * (MAX_INPUTS + 1)}, "input", f"input holds {MAX_INPUTS + 1} texts"),
        ({"input": "a" * (MAX_CHARS + 1)}, "input", f"at most {MAX_CHARS}"),
        ({"input": ["a" * MAX_CHARS, "b"]}, "input", f"has {MAX_CHARS + 1} characters; together at most {MAX_CHARS}"),
        ({}, "input", "the field input is missing"),
        ({"input": 3}, "input", "a string or a list of strings"),
        ({"input": [{"type": "image_url", "image_url": {"url": "x"}}]}, "input", "nothing else is looked at here"),
        ({"input": "a", "user": "me"}, "user", "unknown field user"),
    ],
)
def test_a_body_that_can_not_be_met_is_refused_with_the_limit(
    both: Worker, body: dict[str, Any], param: str, said: str
) -> None:
    answer = both.post(body, PATH)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert said in error["message"]


def test_as_much_as_may_be_is_taken(both: Worker) -> None:
    answer = both.post({"input": ["cat " * 40] * MAX_INPUTS}, PATH).json()
    assert len(answer["results"]) == MAX_INPUTS


@pytest.mark.parametrize("name", ["gpt-5", "tiny-llama"])
def test_another_model_is_refused_with_the_name_of_the_one_that_is_there(both: Worker, name: str) -> None:
    answer = both.post({"input": "a", "model": name}, PATH)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert "'tiny-guard' is" in answer.json()["error"]["message"]


def test_it_writes_nothing(both: Worker) -> None:
    answer = both.post({"model": "tiny-guard", "prompt": "Once"})
    assert answer.status_code == 400
    assert "it is asked at /v1/moderations" in answer.json()["error"]["message"]


def test_its_tokens_are_counted_when_it_is_named(both: Worker) -> None:
    counted = both.post({"prompt": "the cats", "model": "tiny-guard"}, "/tokenize").json()
    assert (counted["count"], counted["max_model_len"]) == (3, masked.CONTEXT)


def test_without_one_it_is_said_that_there_is_none(worker: Worker) -> None:
    answer = worker.post({"input": "a"}, PATH)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "moderation_not_served")
    assert "MODERATION_MODEL" in error["message"]
    assert worker.get("/health").json() == {"status": "ready"}


def test_the_key_guards_it(folder: Path, llama_folder: Path) -> None:
    with serve(lambda: loaded_with(llama_folder, folder), api_key="k") as running:
        assert running.post({"input": "a"}, PATH).status_code == 401
        assert running.post({"input": "a"}, PATH, Authorization="Bearer k").status_code == 200


def test_the_threshold_and_the_names_of_labels_are_the_host_s(llama_folder: Path, folder: Path) -> None:
    labels = '{"hate": "unkind", "violence": null}'
    with serve(
        lambda: loaded_with(llama_folder, folder, moderation_labels=labels, moderation_threshold="0.001")
    ) as running:
        result = running.post({"input": TEXTS[0]}, PATH).json()["results"][0]
        wanted = wanted_scores(folder, TEXTS[0])
        assert result["category_scores"] == pytest.approx(
            {"unkind": wanted["hate"], "sexual/minors": wanted["sexual/minors"]}, abs=1e-5
        )
        assert result["categories"] == {name: score >= 0.001 for name, score in result["category_scores"].items()}
        assert running.get("/v1/models/tiny-guard").json()["threshold"] == 0.001


@contextmanager
def gated(engine: Any) -> Iterator[threading.Semaphore]:
    """Each step of the engine waits until it is let through."""
    step, gate = engine.step, threading.Semaphore(0)

    def run() -> list[Event]:
        assert gate.acquire(timeout=60)
        found: list[Event] = step()
        return found

    engine.step = run
    try:
        yield gate
    finally:
        gate.release(10_000)
        engine.step = step


def test_stories_and_texts_to_score_move_on_together(both: Worker, client: openai.OpenAI) -> None:
    story = {"model": "tiny-llama", "prompt": "Once upon a time", "seed": 3, "max_tokens": 60}
    alone = client.completions.create(**story).choices, both.post({"input": list(TEXTS)}, PATH).json()["results"]
    loaded = both.runner.loaded()
    assert loaded.moderation is not None
    with gated(loaded.engine) as gate, ThreadPoolExecutor(2) as pool:
        writing = pool.submit(client.completions.create, **story)
        gate.release(3)
        until(lambda: both.runner.num_running == 1, "the story is being written")
        scoring = pool.submit(both.post, {"input": list(TEXTS)}, PATH)
        until(lambda: both.runner.num_waiting + both.runner.num_running == 2, "both have come")
        gate.release(2)
        assert scoring.result(60).json()["results"] == alone[1]
        assert not writing.done()
        gate.release(10_000)
        assert writing.result(60).choices == alone[0]


def test_a_queue_full_of_stories_keeps_no_text_from_being_scored(both: Worker) -> None:
    loaded = both.runner.loaded()
    assert loaded.moderation is not None
    body = {"model": "tiny-llama", "prompt": "Once upon a time", "max_tokens": 2}
    with gated(loaded.engine) as gate, ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(both.post, body) for _ in range(loaded.engine.max_running + 2)]
        until(lambda: both.runner.num_waiting + both.runner.num_running == len(waiting), "the queue is full")
        assert both.post(body).status_code == 429
        scoring = pool.submit(both.post, {"input": "a"}, PATH)
        until(lambda: both.runner.num_waiting + both.runner.num_running == len(waiting) + 1, "it is taken")
        gate.release(10_000)
        assert scoring.result(60).status_code == 200
        assert {each.result(60).status_code for each in waiting} == {200}


def test_its_own_queue_is_bounded_and_says_when_to_come_back(both: Worker) -> None:
    loaded = both.runner.loaded()
    assert loaded.moderation is not None
    engine = loaded.moderation.engine
    busy = both.metric("talewright_moderation_requests_total", outcome="busy")
    with gated(engine) as gate, ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(both.post, {"input": "a"}, PATH) for _ in range(engine.max_running + 2)]
        until(lambda: both.runner.num_waiting + both.runner.num_running == len(waiting), "the queue is full")
        refused = both.post({"input": "a"}, PATH)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        gate.release(10_000)
        assert {each.result(60).status_code for each in waiting} == {200}
    assert both.metric("talewright_moderation_requests_total", outcome="busy") == busy + 1


def test_a_client_that_leaves_ends_its_request(both: Worker) -> None:
    loaded = both.runner.loaded()
    assert loaded.moderation is not None
    cancelled = both.metric("talewright_moderation_requests_total", outcome="cancelled")
    with gated(loaded.moderation.engine) as gate:
        body = {"input": [" ".join(masked.WORDS * 10)] * 20}
        with sent(both, body, PATH) as connection:
            gate.release(1)
            until(lambda: both.runner.num_running == 1, "it is at work")
            connection.shutdown(socket.SHUT_RDWR)
        gate.release(1)
        until(
            lambda: (
                gate.release(1) is None
                and both.metric("talewright_moderation_requests_total", outcome="cancelled") == cancelled + 1
            ),
            "it is given up",
        )


def test_a_reading_that_fails_is_an_error_and_the_worker_goes_on(folder: Path, llama_folder: Path) -> None:
    loaded = loaded_with(llama_folder, folder)
    assert loaded.moderation is not None
    model = loaded.moderation.checkpoint.model
    with serve(lambda: loaded) as running:
        handle = model.register_forward_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("no")))
        answer = running.post({"input": "a"}, PATH)
        handle.remove()
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "internal_error"
        until(lambda: running.get("/health").status_code == 200, "it was looked at and is well")
        assert running.post({"input": "a"}, PATH).status_code == 200


@pytest.mark.parametrize("broken", ["missing", "causal", "nameless"])
def test_one_that_cannot_be_served_stops_the_start_and_health_says_why(
    broken: str, llama_folder: Path, tmp_path: Path
) -> None:
    source = {"causal": llama_folder}.get(broken, tmp_path / broken)
    if broken == "nameless":
        classifiers.make("bert", source, ("LABEL_0", "LABEL_1"))
    source.mkdir(exist_ok=True)
    said = {"missing": "as a text classifier", "causal": "its weights lack", "nameless": "LABEL_0, LABEL_1 mean"}
    with pytest.raises(CheckpointError, match=said[broken]):
        loaded_with(llama_folder, source)
    with serve(lambda: loaded_with(llama_folder, source), is_awaited=False) as running:
        until(lambda: running.get("/health").json()["status"] == "failed", "the start fails")
        assert said[broken] in running.get("/health").json()["detail"]


def test_two_models_of_one_name_are_refused(llama_folder: Path, folder: Path, tmp_path: Path) -> None:
    twin = tmp_path / "tiny-llama"
    shutil.copytree(folder, twin)
    with pytest.raises(CheckpointError, match="MODERATION_MODEL is named tiny-llama"):
        loaded_with(llama_folder, twin)
    assert loaded_with(llama_folder, folder, moderation_model="off").moderation is None


def test_one_whose_outputs_are_no_numbers_fails_the_probe(llama_folder: Path, folder: Path) -> None:
    def load_spoilt() -> Any:
        loaded = loaded_with(llama_folder, folder)
        with torch.no_grad():
            loaded.moderation.checkpoint.model.classifier.bias.fill_(float("nan"))
        return loaded

    with serve(load_spoilt, is_awaited=False) as running:
        until(lambda: running.get("/health").json()["status"] == "failed", "the start fails")
