"""Requests that end badly, clients that leave, models that fail: every request ends, and the worker goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
import torch

from models.engine.events import Event
from models.engine.serial import SerialEngine
from models.serve.loaded import Loaded
from models.serve.ticket import Ticket
from tests.models.serve.conftest import WAIT_S, Worker, load, sent, serve, until

ASK: dict[str, Any] = {"model": "tiny-llama", "prompt": "Once upon a time", "temperature": 0, "max_tokens": 120}
SHORT: dict[str, Any] = {**ASK, "max_tokens": 2}


class Gate:
    """Lets the model pass only as many forward passes as `allow` says; `open` lets it run."""

    def __init__(self, worker: Worker) -> None:
        self.num_arrived = 0
        self._permits = threading.Semaphore(0)
        self._is_open = False
        model = worker.runner.loaded().checkpoint.model
        self._handle = model.register_forward_pre_hook(self._wait)

    def _wait(self, _module: Any, _args: Any) -> None:
        self.num_arrived += 1
        if not self._is_open:
            assert self._permits.acquire(timeout=WAIT_S)

    def allow(self, passes: int) -> None:
        self._permits.release(passes)

    def open(self) -> None:
        self._is_open = True
        self._handle.remove()
        self._permits.release(1000)


@contextmanager
def gated(folder: Path, **settings: Any) -> Iterator[tuple[Worker, Gate]]:
    with serve(lambda: load(folder), **settings) as worker:
        gate = Gate(worker)
        try:
            yield worker, gate
        finally:
            gate.open()


@contextmanager
def exploding(worker: Worker, error: Exception, *, num_rows: int = 2) -> Iterator[None]:
    """Makes every step with so many rows fail."""

    def explode(_module: Any, _args: Any, kwargs: dict[str, torch.Tensor]) -> None:
        if kwargs["input_ids"].shape[0] == num_rows:
            raise error

    handle = worker.runner.loaded().checkpoint.model.register_forward_pre_hook(explode, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def cancel_noticed(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the runner has been asked to cancel something."""
    noticed = threading.Event()
    cancel = worker.runner.cancel

    def cancel_and_tell(ticket: Ticket) -> None:
        cancel(ticket)
        noticed.set()

    monkeypatch.setattr(worker.runner, "cancel", cancel_and_tell)
    return noticed


def outcomes(worker: Worker) -> dict[str, float]:
    names = ("done", "error", "cancelled", "refused", "busy", "not_ready")
    return {name: value for name in names if (value := worker.metric("talewright_requests_total", outcome=name))}


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_client_that_goes_away_stops_its_work_within_one_step(
    llama_folder: Path, is_streamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gated(llama_folder) as (worker, gate):
        noticed = cancel_noticed(worker, monkeypatch)
        gate.allow(3)
        with sent(worker, {**ASK, "stream": is_streamed}):
            until(lambda: gate.num_arrived == 4, "the model is in its fourth step, at the gate")
        # and with the end of the block the connection is closed
        assert noticed.wait(WAIT_S)
        gate.allow(100)
        until(lambda: outcomes(worker) == {"cancelled": 1}, "the request is cancelled")
        assert gate.num_arrived == 4, "only the step that had begun was finished"
        assert worker.metric("talewright_generated_tokens_total") == 4
        assert worker.metric("talewright_requests_running") == 0


def test_a_waiting_request_whose_client_goes_away_is_never_begun(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gated(llama_folder) as (worker, gate), ThreadPoolExecutor(2) as pool:
        noticed = cancel_noticed(worker, monkeypatch)
        first = pool.submit(worker.post, SHORT)
        gate.allow(1)
        until(lambda: worker.runner.num_running == 1, "the first request is at work")
        with sent(worker, ASK):
            until(lambda: worker.runner.num_waiting == 1, "the second one waits")
        assert noticed.wait(WAIT_S)
        gate.open()
        assert first.result().status_code == 200
        until(lambda: outcomes(worker) == {"done": 1, "cancelled": 1}, "both have ended")
        assert worker.metric("talewright_prompt_tokens_total") == first.result().json()["usage"]["prompt_tokens"]


def test_a_full_queue_says_when_to_come_back(llama_folder: Path) -> None:
    with gated(llama_folder, queue_size=1) as (worker, gate), ThreadPoolExecutor(2) as pool:
        taken = [pool.submit(worker.post, SHORT) for _ in range(2)]
        until(lambda: worker.runner.num_waiting == 2, "both are queued")
        refused = worker.post(SHORT)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert "at most 2" in refused.json()["error"]["message"]
        with pytest.raises(openai.RateLimitError):
            worker.client().completions.create(**SHORT)
        gate.open()
        assert [answer.result().status_code for answer in taken] == [200, 200]
        assert worker.post(SHORT).status_code == 200
        assert outcomes(worker) == {"done": 3, "busy": 2}


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("error", "code"),
    [(ValueError("secret detail"), "internal_error"), (torch.OutOfMemoryError("secret detail"), "out_of_memory")],
)
def test_a_failing_request_answers_500_and_the_next_one_works(
    llama_folder: Path, error: Exception, code: str, is_streamed: bool
) -> None:
    with serve(lambda: load(llama_folder)) as worker, exploding(worker, error, num_rows=3):
        answer = worker.post({**SHORT, "n": 3, "stream": is_streamed})
        if is_streamed:  # the prompt was read before, so the stream had begun
            assert answer.status_code == 200
            assert f'"code":"{code}"' in answer.text
            assert "[DONE]" not in answer.text
            with pytest.raises(openai.APIError, match="The model"):
                list(worker.client().completions.create(**SHORT, n=3, stream=True))
        else:
            assert answer.status_code == 500
            assert answer.json()["error"]["code"] == code
        assert "secret" not in answer.text
        assert worker.post(SHORT).status_code == 200
        assert worker.get("/health").json() == {"status": "ready"}


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_request_that_fails_at_its_prompt_has_a_status_of_its_own(llama_folder: Path, is_streamed: bool) -> None:
    with serve(lambda: load(llama_folder)) as worker, exploding(worker, torch.OutOfMemoryError("x"), num_rows=1):
        assert worker.post({**SHORT, "stream": is_streamed}).status_code == 500
        assert worker.get("/health").json() == {"status": "ready"}, "a lack of memory passes"


def test_a_model_that_answers_no_more_says_so_and_takes_nothing(llama_folder: Path) -> None:
    with serve(lambda: load(llama_folder)) as worker, exploding(worker, RuntimeError("context lost"), num_rows=1):
        assert worker.post(SHORT).status_code == 500
        until(lambda: worker.get("/health").status_code == 503, "the failure is known")
        assert worker.get("/health").json()["status"] == "failed"
        refused = worker.post(SHORT)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_failed")
        assert outcomes(worker) == {"error": 1, "not_ready": 1}


class BrokenEngine(SerialEngine):
    """Breaks its promise never to raise, once."""

    is_broken = False

    def step(self) -> list[Event]:
        if self.is_broken:
            self.is_broken = False
            raise KeyError("a fault of the engine itself")
        return super().step()


def test_an_engine_that_breaks_ends_every_open_request_and_is_used_again(llama_folder: Path) -> None:
    def loader() -> Loaded:
        loaded = load(llama_folder)
        return Loaded(loaded.checkpoint, BrokenEngine(loaded.checkpoint), loaded.tokenizer)

    with serve(loader) as worker, ThreadPoolExecutor(2) as pool:
        gate = Gate(worker)
        asked = [pool.submit(worker.post, SHORT) for _ in range(2)]
        until(lambda: worker.runner.num_waiting == 2, "both are queued")
        engine = worker.runner.loaded().engine
        assert isinstance(engine, BrokenEngine)
        engine.is_broken = True
        gate.open()
        assert [answer.result().status_code for answer in asked] == [500, 500]
        assert worker.post(SHORT).status_code == 200
        assert outcomes(worker) == {"error": 2, "done": 1}


def test_health_and_completions_say_that_the_model_is_loading(llama_folder: Path) -> None:
    go_on = threading.Event()

    def slowly() -> Loaded:
        assert go_on.wait(WAIT_S)
        return load(llama_folder)

    with serve(slowly, is_awaited=False) as worker:
        try:
            health = worker.get("/health")
            assert (health.status_code, health.json()["status"]) == (503, "loading")
            refused = worker.post(SHORT)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_loading")
            assert int(refused.headers["Retry-After"]) > 0
            assert worker.get("/v1/models").status_code == 503
            assert worker.metric("talewright_model_state", talewright_model_state="loading") == 1
        finally:
            go_on.set()
        until(lambda: worker.get("/health").json() == {"status": "ready"}, "the model is ready")
        assert worker.post(SHORT).status_code == 200


def test_a_model_that_cannot_be_loaded_is_named_in_health(tmp_path: Path) -> None:
    with serve(lambda: load(tmp_path / "nothing"), is_awaited=False) as worker:
        until(lambda: worker.get("/health").json()["status"] == "failed", "the load fails")
        assert "nothing" in worker.get("/health").json()["detail"]
        assert worker.get("/health").status_code == 503
        assert worker.post(SHORT).status_code == 503
        assert worker.metric("talewright_model_state", talewright_model_state="failed") == 1


def test_the_api_key_guards_the_model_and_leaves_health_open(llama_folder: Path) -> None:
    with serve(lambda: load(llama_folder), api_key="s3cret-é") as worker:
        assert worker.get("/health").status_code == 200
        assert worker.get("/metrics").status_code == 200
        for wrong in ({}, {"Authorization": "Bearer nope"}, {"Authorization": "Basic s3cret"}):
            for path in ("/v1/completions", "/tokenize"):
                answer = worker.post(SHORT, path, **wrong)
                assert answer.status_code == 401
                assert answer.json()["error"]["code"] == "invalid_api_key"
        assert worker.get("/v1/models").status_code == 401
        with pytest.raises(openai.AuthenticationError):
            worker.client("nope").completions.create(**SHORT)
    with serve(lambda: load(llama_folder), api_key="s3cret") as worker:
        assert worker.client("s3cret").completions.create(**SHORT).choices[0].text


def test_a_shutdown_ends_running_and_waiting_requests(llama_folder: Path) -> None:
    with gated(llama_folder) as (worker, gate), ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(worker.post, ASK) for _ in range(2)]
        gate.allow(2)
        until(lambda: worker.runner.num_running == 1, "the first request is at work")
        until(lambda: worker.runner.num_waiting == 1, "the second one waits")
        threading.Timer(0.05, gate.open).start()
        worker.runner.close(WAIT_S)
        for answer in (a.result() for a in asked):
            assert answer.status_code == 503
            assert "shutting down" in answer.json()["error"]["message"]
        assert outcomes(worker) == {"cancelled": 2}
        assert worker.post(SHORT).status_code == 503


def test_many_clients_at_once_get_what_each_would_alone(worker: Worker) -> None:
    """Mixed sizes and seeds, more clients than the queue has places: each ends as done or busy, none is mixed up."""
    asks = [{**ASK, "temperature": 1, "seed": i, "n": 1 + i % 3, "max_tokens": 5 + i} for i in range(9)]
    alone = [[c["text"] for c in worker.post(ask).json()["choices"]] for ask in asks]
    with ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(worker.post, asks))
    done = [(answer, texts) for answer, texts in zip(answers, alone, strict=True) if answer.status_code == 200]
    assert len(done) >= 5
    for answer, texts in done:
        assert [c["text"] for c in answer.json()["choices"]] == texts
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert worker.runner.num_waiting == worker.runner.num_running == 0
