"""A real worker on loopback: uvicorn in a thread, a tiny model, the official client."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from pydantic import SecretStr

from models.engine.checkpoint import load_checkpoint
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from models.serve.app import create_app
from models.serve.loaded import Loaded
from models.serve.loading import choose_engine
from models.serve.metrics import Metrics
from models.serve.runner import Runner
from models.serve.tokens import PromptTokenizer
from models.serve.validate import Limits

WAIT_S = 60  # far more than anything here takes


@dataclass
class Worker:
    """A running worker; `clients` are closed with it."""

    url: str
    runner: Runner
    clients: list[openai.OpenAI] = field(default_factory=list)

    def client(self, api_key: str = "none") -> openai.OpenAI:
        made = openai.OpenAI(base_url=f"{self.url}/v1", api_key=api_key, max_retries=0)
        self.clients.append(made)
        return made

    def post(self, body: dict[str, Any] | bytes, path: str = "/v1/completions", **headers: str) -> httpx.Response:
        given: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        return httpx.post(f"{self.url}{path}", headers=headers, timeout=WAIT_S, **given)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=WAIT_S)

    def metric(self, name: str, **labels: str) -> float:
        wanted = name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}" if labels else "")
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(wanted + " "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"no metric {wanted}")


def until(condition: Callable[[], bool], what: str) -> None:
    """Polls; fails if it never becomes true."""
    pause = threading.Event()
    for _ in range(WAIT_S * 200):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError(f"never: {what}")


def load(folder: Path) -> Loaded:
    """With the generic engine, which runs the model itself: tests hang hooks on it."""
    checkpoint = load_checkpoint(str(folder), device="cpu")
    return Loaded(checkpoint, SerialEngine(checkpoint), PromptTokenizer(checkpoint))


def load_fast(folder: Path) -> Loaded:
    """With the engine that the worker chooses."""
    checkpoint, engine = choose_engine(load_checkpoint(str(folder), device="cpu"), cache_bytes=4 << 20)
    assert isinstance(engine, WeavingEngine)
    return Loaded(checkpoint, engine, PromptTokenizer(checkpoint))


@contextmanager
def serve(
    loader: Callable[[], Loaded],
    *,
    queue_size: int = 4,
    max_n: int = 4,
    max_tokens: int = 150,
    api_key: str | None = None,
    is_awaited: bool = True,
) -> Iterator[Worker]:
    """Runs a worker for the block. With `is_awaited` the block begins when the model is ready."""
    metrics = Metrics()
    runner = Runner(loader, queue_size, metrics)
    app = create_app(runner, metrics, Limits(max_n, max_tokens), SecretStr(api_key) if api_key else None)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="server")
    thread.start()
    until(lambda: server.started or not thread.is_alive(), "the server starts")
    port = server.servers[0].sockets[0].getsockname()[1]
    worker = Worker(f"http://127.0.0.1:{port}", runner)
    try:
        if is_awaited:
            until(lambda: worker.get("/health").status_code == 200, "the model is ready")
        yield worker
    finally:
        for client in worker.clients:
            client.close()
        server.should_exit = True
        thread.join(WAIT_S)
        assert not thread.is_alive()
        assert not runner.is_alive


@contextmanager
def sent(worker: Worker, body: dict[str, Any], path: str = "/v1/completions") -> Iterator[socket.socket]:
    """A request on a connection of its own, which is closed with the block."""
    content = json.dumps(body).encode()
    host, _, port = worker.url.removeprefix("http://").partition(":")
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + content)
        yield connection


@pytest.fixture(scope="session")
def worker(llama_folder: Path) -> Iterator[Worker]:
    """One worker for all tests that leave it as it was."""
    with serve(lambda: load_fast(llama_folder)) as running:
        yield running


@pytest.fixture
def client(worker: Worker) -> Iterator[openai.OpenAI]:
    made = worker.client()
    yield made
    made.close()
