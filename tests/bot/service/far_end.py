"""A completions server on loopback whose words the test writes: real HTTP and SSE, scripted texts, faults on demand."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]

WORDS = (
    "fox river bell village silver harbour oak key glass thunder hill sheep grandmother candle owl council moon bread "
    "oven baker lantern rope winter apple tower soldier song mirror goat tailor feather button island ghost kettle "
    "ladder orchard puddle queen raven saddle thimble umbrella violin whale yarn zebra acorn basket cellar drum engine "
    "forest garden hammer inkwell jacket knight letter meadow needle ocean pepper quilt ribbon snow teapot uncle valley"
).split()


def fresh_text(number: int) -> str:
    """A whole sentence for every number, with no run of words in common with the others."""
    return " ".join(random.Random(number).sample(WORDS, 12)).capitalize() + "."


def reworded(middle: str, number: int) -> str:
    """The passage with one word that is another one, a different one for every number."""
    words = middle.split(" ")
    place = number % len(words)
    words[place] = WORDS[number % len(WORDS)] + ("." if words[place].endswith(".") else "")
    return " ".join(words)


MASKED = {"id": "rewriter", "kind": "masked", "max_model_len": 256, "revision": "m1", "abilities": ["middle", "keep"]}
"""What a worker lists that serves a masked model beside the one that writes."""


@dataclass
class FarEnd:
    """Answers each completion request with the next scripted item, or with fresh texts when the script is empty.

    `others` are models that it lists beside `model`. A request with a `middle` is answered with other wordings of it.
    `script` holds lists of texts (fewer than asked are filled with fresh ones; give exactly n to control all) or
    `Answer` functions. `asked` keeps every request's body. While `gate` is cleared, completions hang after the
    headers; `hung_up` is set when a client goes away meanwhile.
    """

    script: deque[list[str] | Answer] = field(default_factory=deque)
    asked: list[dict[str, Any]] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    model: dict[str, Any] = field(default_factory=lambda: {"id": "scripted", "max_model_len": 2048, "revision": "r1"})
    others: list[dict[str, Any]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrivals: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    announce_seeds: bool = True
    can_count: bool = True

    def __post_init__(self) -> None:
        self.gate.set()

    def then(self, *items: list[str] | Answer) -> None:
        self.script.extend(items)

    async def arrival(self, num: int = 1) -> None:
        """Waits until `num` more completion requests have arrived."""
        for _ in range(num):
            await self.arrivals.get()

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_post("/v1/completions", self._complete)
        return app

    def server(self) -> TestServer:
        return TestServer(self.application())

    async def _models(self, _request: web.Request) -> web.Response:
        entries = [{"object": "model", "owned_by": "test", **entry} for entry in (self.model, *self.others)]
        return web.json_response({"object": "list", "data": entries})

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ready"})

    async def _tokenize(self, request: web.Request) -> web.Response:
        if not self.can_count:
            raise web.HTTPNotFound
        text = (await request.json())["prompt"]
        self.counted.append(text)
        tokens = [len(word) for word in text.split()]
        return web.json_response({"count": len(tokens), "max_model_len": 2048, "tokens": tokens})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        self.arrivals.put_nowait(None)
        item = self.script.popleft() if self.script else []
        if callable(item):
            return await item(request, body)
        texts = item + [self._text(body) for _ in range(body["n"] - len(item))]
        return await self._stream(request, body, texts)

    def _text(self, body: dict[str, Any]) -> str:
        number = next(self.numbers)
        return reworded(body["middle"], number) if "middle" in body else fresh_text(number)

    async def _stream(self, request: web.Request, body: dict[str, Any], texts: list[str]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:  # the test server cancels the handler of a client that hangs up
            self.hung_up.set()
            raise
        for index, text in enumerate(texts[: body["n"]]):
            half = len(text) // 2
            await _send(response, body, index, text[:half])
            await _send(response, body, index, text[half:])
            await _send(response, body, index, "", "stop", self._seed(body, index))
        usage = {"prompt_tokens": len(body["prompt"].split()), "completion_tokens": 5, "total_tokens": 5}
        await response.write(_event({**_head(body), "choices": [], "usage": usage}))
        await response.write(b"data: [DONE]\n\n")
        return response

    def _seed(self, body: dict[str, Any], index: int) -> int | None:
        return int(body["seed"]) * 10 + index if self.announce_seeds else None


def _head(body: dict[str, Any]) -> dict[str, Any]:
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": body["model"]}


def _event(payload: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


async def _send(
    response: web.StreamResponse,
    body: dict[str, Any],
    index: int,
    text: str,
    finish: str | None = None,
    seed: int | None = None,
) -> None:
    choice: dict[str, Any] = {"index": index, "text": text, "finish_reason": finish, "logprobs": None}
    if seed is not None:
        choice["seed"] = seed
    await response.write(_event({**_head(body), "choices": [choice]}))


def status(code: int, message: str = "scripted", *, retry_after_s: float | None = None) -> Answer:
    """A fault: an OpenAI error object with this HTTP status."""

    async def answer(_request: web.Request, _body: dict[str, Any]) -> web.StreamResponse:
        headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
        error = {"message": message, "type": "scripted", "param": None, "code": None}
        return web.json_response({"error": error}, status=code, headers=headers)

    return answer


async def nonsense(_request: web.Request, _body: dict[str, Any]) -> web.StreamResponse:
    """A page where a stream of JSON should be."""
    return web.Response(text="<html>It works!</html>", content_type="text/html")


async def cut_off(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """A stream that ends in the middle of the first candidate."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await _send(response, body, 0, "The fox began to")
    return response
