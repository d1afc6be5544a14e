"""The client against the project's own worker: a tiny random model behind real HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.errors import WorkerBusy, WorkerDown, WorkerRefused
from bot.worker import CompletionRequest, WorkerClient

pytest.importorskip("torch", reason="the worker's extra is not installed")
pytest.importorskip("fastapi", reason="the worker's extra is not installed")

import uvicorn

if TYPE_CHECKING:
    from fastapi import FastAPI

REQUEST = CompletionRequest(
    prompt="<|story|><|text|>Once upon a time",
    n=3,
    max_tokens=24,
    temperature=1.0,
    top_p=0.95,
    seed=1234,
    stop=("<|end|>",),
    extra={"min_p": 0.01, "top_k": 50, "repetition_penalty": 1.05},
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.models import tiny

    return tiny.make_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


def build(model: Path, **settings: Any) -> FastAPI:
    from models.serve.cli import build_app
    from models.serve.config import load_config

    return build_app(load_config(env_file=None, model=str(model), device="cpu", **settings))


@asynccontextmanager
async def serve(app: FastAPI) -> AsyncIterator[str]:
    """The application on a free port of loopback, in a thread of its own, as another process would be."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join)
        listener.close()


@asynccontextmanager
async def connect(url: str, key: str | None = None) -> AsyncIterator[WorkerClient]:
    worker = WorkerClient(url, key, None, timeout_s=60)
    try:
        yield worker
    finally:
        await worker.close()


async def until_settled(worker: WorkerClient) -> None:
    """Waits while the model loads; returns when it is ready, raises when it is not going to be."""
    while True:
        try:
            return await worker.check_ready()
        except WorkerDown as error:
            if "loading" not in str(error):
                raise
        await asyncio.sleep(0.05)


async def until_metric(url: str, line: str) -> None:
    """Waits until the worker's metrics have this line; the test's own timeout bounds it."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{url}/metrics") as response:
                if line in (await response.text()).splitlines():
                    return
            await asyncio.sleep(0.01)


RUNNING, IDLE = "talewright_requests_running 1.0", "talewright_requests_running 0.0"
NUM_SLOTS = 2  # what one megabyte holds of the tiny model


@pytest.fixture
async def url(folder: Path) -> AsyncIterator[str]:
    async with serve(build(folder, queue_size=0, cache_mb=1)) as address:
        yield address


@pytest.fixture
async def worker(url: str) -> AsyncIterator[WorkerClient]:
    async with connect(url) as client:
        await until_settled(client)
        yield client


async def test_the_card_says_all_that_prompts_need(worker: WorkerClient) -> None:
    card = await worker.describe()
    assert (card.id, card.context_tokens) == ("tiny-llama", 192)
    assert card.revision
    assert card.story_format is not None
    assert card.story_format["passage_end"] == "<|end|>"


async def test_tokens_are_counted_by_the_models_own_tokenizer(worker: WorkerClient) -> None:
    assert await worker.count_tokens("") == 0
    assert await worker.count_tokens("<|story|>") == 1
    one, two = await worker.count_tokens("dragon 😀"), await worker.count_tokens("dragon 😀 dragon 😀")
    assert one is not None
    assert two is not None
    assert 0 < one < two


async def test_every_row_can_be_written_again_alone_from_its_own_seed(worker: WorkerClient) -> None:
    rows = await worker.complete(REQUEST)
    assert [row.index for row in rows] == [0, 1, 2]
    assert rows[0].seed == REQUEST.seed
    assert len({row.seed for row in rows}) == len({row.text for row in rows}) == 3
    assert {row.prompt_tokens for row in rows} == {await worker.count_tokens(REQUEST.prompt)}
    assert all(row.finish_reason in ("stop", "length") for row in rows)
    for row in rows:
        [again] = await worker.complete(replace(REQUEST, n=1, seed=row.seed))
        assert (again.text, again.seed) == (row.text, row.seed)
        assert again.tokens is not None
        assert 0 < again.tokens <= REQUEST.max_tokens


async def test_a_stop_string_ends_the_text_before_it(worker: WorkerClient) -> None:
    free = (await worker.complete(replace(REQUEST, n=1, stop=())))[0].text
    middle = free[len(free) // 2]
    [cut] = await worker.complete(replace(REQUEST, n=1, stop=(middle,)))
    assert (cut.text, cut.finish_reason) == (free[: free.index(middle)], "stop")


async def test_a_prompt_that_does_not_fit_is_refused_with_the_limit(worker: WorkerClient) -> None:
    with pytest.raises(WorkerRefused, match="could not work with this request") as caught:
        await worker.complete(replace(REQUEST, prompt="dragon " * 400))
    assert "192" in caught.value.detail
    assert len(await worker.complete(REQUEST)) == 3, "and the worker lives"


async def test_a_field_that_the_worker_does_not_know_is_left_out(worker: WorkerClient) -> None:
    rows = await worker.complete(replace(REQUEST, extra={"mirostat": 2}))
    assert [row.text for row in rows] == [row.text for row in await worker.complete(replace(REQUEST, extra={}))]


async def test_words_that_should_appear_are_asked_for(worker: WorkerClient) -> None:
    asked = replace(REQUEST, max_tokens=60, stop=(), must_include=("dragon",))
    assert all("dragon" in row.text.lower() for row in await worker.complete(asked))
    with pytest.raises(WorkerRefused) as caught:
        await worker.complete(replace(asked, must_include=("x" * 41,)))
    assert "40" in caught.value.detail, "the limit that the bot keeps to"


async def test_more_rows_than_the_worker_takes_at_once_come_one_by_one(folder: Path) -> None:
    async with serve(build(folder, max_n=2)) as url, connect(url) as worker:
        await until_settled(worker)
        rows = await worker.complete(REQUEST)
    assert [(row.index, row.seed) for row in rows] == [(0, 1234), (1, 1235), (2, 1236)]


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of the model takes a moment, so that a long request is still running when it is looked at."""
    from models.engine.llama import LlamaNetwork

    forward = LlamaNetwork.forward

    def slow_forward(network: LlamaNetwork, batch: Any, cache: Any) -> Any:
        time.sleep(0.02)
        return forward(network, batch, cache)

    monkeypatch.setattr(LlamaNetwork, "forward", slow_forward)


LONG = replace(REQUEST, max_tokens=160, stop=(), extra={})


@pytest.mark.usefixtures("slow_steps")
async def test_cancelling_a_call_ends_the_workers_work(url: str, worker: WorkerClient) -> None:
    asking = asyncio.create_task(worker.complete(LONG))
    await until_metric(url, RUNNING)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until_metric(url, 'talewright_requests_total{outcome="cancelled"} 1.0')
    await until_metric(url, IDLE)
    assert len(await worker.complete(replace(REQUEST, max_tokens=4))) == 3


@pytest.mark.usefixtures("slow_steps")
async def test_a_full_queue_is_busy_and_says_for_how_long(url: str, worker: WorkerClient) -> None:
    await worker.describe()
    running = [asyncio.create_task(worker.complete(LONG)) for _ in range(NUM_SLOTS)]
    await until_metric(url, f"talewright_requests_running {NUM_SLOTS}.0")
    with pytest.raises(WorkerBusy) as caught:
        await worker.complete(REQUEST)
    assert caught.value.retry_after_s >= 1
    for one in running:
        one.cancel()
    ended = await asyncio.gather(*running, return_exceptions=True)
    assert [type(one) for one in ended] == [asyncio.CancelledError] * NUM_SLOTS


async def test_a_worker_that_loads_says_so_and_then_answers(folder: Path) -> None:
    from models.serve.app import create_app
    from models.serve.config import load_config
    from models.serve.loading import load
    from models.serve.metrics import Metrics
    from models.serve.runner import Runner
    from models.serve.validate import Limits

    may_load = threading.Event()

    def load_later() -> Any:
        may_load.wait()
        return load(load_config(env_file=None, model=str(folder), device="cpu"))

    metrics = Metrics()
    app = create_app(Runner(load_later, 1, metrics), metrics, Limits(max_n=4, max_tokens=64))
    async with serve(app) as url, connect(url) as worker:
        try:
            for question in (worker.check_ready, worker.describe, lambda: worker.complete(REQUEST)):
                with pytest.raises(WorkerDown, match="loading"):
                    await question()
        finally:
            may_load.set()
        await until_settled(worker)
        assert len(await worker.complete(REQUEST)) == 3


async def test_a_worker_that_could_not_load_says_so(tmp_path: Path) -> None:
    async with serve(build(tmp_path / "nothing-here")) as url, connect(url) as worker:
        for question in (lambda: until_settled(worker), worker.check_ready, worker.describe):
            with pytest.raises(WorkerDown, match="could not load"):
                await question()


async def test_a_wrong_key_is_refused_and_the_right_one_is_not(folder: Path) -> None:
    async with serve(build(folder, worker_api_key="open sesame")) as url:
        async with connect(url, "open barley") as worker:
            await until_settled(worker)
            with pytest.raises(WorkerRefused):
                await worker.complete(REQUEST)
        async with connect(url, "open sesame") as worker:
            assert len(await worker.complete(REQUEST)) == 3


async def test_texts_are_scored_by_the_worker_s_moderation_model(folder: Path, tmp_path: Path) -> None:
    from tests.models import classifiers

    guard = classifiers.make("bert", tmp_path / "guard", classifiers.MULTI, "multi_label_classification")
    async with serve(build(folder, cache_mb=1, moderation_model=str(guard))) as address, connect(address) as client:
        await until_settled(client)
        card = (await client.describe()).moderator
        assert card is not None
        assert (card.id, card.categories) == ("guard", classifiers.MULTI)
        scores = await client.moderate([*classifiers.TEXTS, *classifiers.TEXTS] * 5)
        assert len(scores) == 10 * len(classifiers.TEXTS)
        assert all(tuple(each) == classifiers.MULTI for each in scores)
        assert scores[0] == pytest.approx(scores[len(classifiers.TEXTS)], abs=1e-5) != scores[1]


async def test_a_worker_without_a_moderation_model_refuses(worker: WorkerClient) -> None:
    assert not await worker.can_moderate()
    with pytest.raises(WorkerRefused):
        await worker.moderate(["a"])
