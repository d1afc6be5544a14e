"""A server on loopback that answers as it is told, well or badly, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def chunk(index: int, text: str, finish: str | None = None, **extra: Any) -> dict[str, Any]:
    """One delta of one row, as every server sends it."""
    choice = {"index": index, "text": text, "logprobs": None, "finish_reason": finish, **extra}
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "teller", "choices": [choice]}


def usage_chunk(prompt_tokens: int, completion_tokens: int) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    usage["total_tokens"] = prompt_tokens + completion_tokens
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "teller", "choices": [], "usage": usage}


def sse(*chunks: dict[str, Any] | str, done: bool = True, ascii_only: bool = True) -> bytes:
    """Server-sent events; a string goes out as it is."""
    bodies = [c if isinstance(c, str) else json.dumps(c, ensure_ascii=ascii_only) for c in chunks]
    return "".join(f"data: {body}\n\n" for body in [*bodies, *(["[DONE]"] if done else [])]).encode()


def refusal(status: int, message: str, headers: dict[str, str] | None = None, **fields: Any) -> web.Response:
    """An OpenAI error object."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None, **fields}
    return web.json_response({"error": error}, status=status, headers=headers)


def models(*entries: dict[str, Any]) -> Handler:
    base = {"object": "model", "created": 1, "owned_by": "someone"}

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{**base, **entry} for entry in entries]})

    return answer


def streams(body: bytes, piece: int | None = None) -> Handler:
    """Streams `body`, in writes of `piece` bytes, each its own chunk on the wire."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for start in range(0, len(body), piece or len(body)):
            await response.write(body[start : start + (piece or len(body))])
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    return answer


def answers(make: Callable[[], web.Response]) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        return make()

    return answer


class StandIn:
    """Handlers by path; a path without one answers 404. `asked` holds (path, JSON body or None, headers)."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {"/v1/models": models({"id": "teller"})}
        self.asked: list[tuple[str, Any, dict[str, str]]] = []
        self.url = ""
        self._runner: web.AppRunner | None = None

    def bodies(self, path: str = "/v1/completions") -> list[Any]:
        return [body for asked_path, body, _ in self.asked if asked_path == path]

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.path, body, dict(request.headers)))
        handler = self.handlers.get(request.path)
        return await handler(request) if handler is not None else web.Response(status=404, text="<h1>no</h1>")
