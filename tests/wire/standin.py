"""Discord on loopback: one server for gateway and HTTP, and members who use the bot through it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import discord
import pytest
import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.contract.check import SNOWFLAKE, check_requests, typical
from tests.contract.oracle import standard_oracle
from tests.contract.recorded import Recorded
from tests.wire.faults import UNAUTHORIZED, Answer, Faults
from tests.wire.gateway import Gateway
from tests.wire.pulse import Pulse
from tests.wire.rest import Rest
from tests.wire.world import World

API = "/api/v10"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")
PLENTY_LEFT = {
    "X-RateLimit-Limit": "50",
    "X-RateLimit-Remaining": "49",
    "X-RateLimit-Reset-After": "1",
    "X-RateLimit-Bucket": "b" * 32,
}


class StandIn:
    """Listens on a free port of 127.0.0.1. `requests` holds every request with the status that it got."""

    def __init__(self, shard_count: int = 1) -> None:
        self.pulse = Pulse()
        self.world = World(shard_count)
        self.gateway = Gateway(self.world, self.pulse)
        self.faults = Faults()
        self.requests: list[tuple[Recorded, int | None]] = []
        self._gaps: list[str] = []
        self._answers: set[tuple[str, str, int, str]] = set()
        self._rest = Rest(self.world, lambda: self.gateway.url)
        self._runner: web.AppRunner | None = None
        self.base = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_route("*", API + "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}{API}"
        self.gateway.url = f"ws://{host}:{port}/gateway"

    async def stop(self) -> None:
        await self.gateway.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def lead_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Makes discord.py talk to this server, without the pauses that it makes between IDENTIFYs."""

        async def at_once(client: discord.Client, shard_id: int | None, *, initial: bool = False) -> None: ...

        monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)
        monkeypatch.setattr(Route, "BASE", self.base)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(self.gateway.url))

    def check(self) -> None:
        """Fails if the bot sent what Discord would not take, if the stand-in did, or if a fault was never met."""
        check_requests(request for request, _ in self.requests)
        own = [*self._gaps, *self._own_faults()]
        assert not own, "the stand-in is not like Discord:\n  " + "\n  ".join(own)
        assert not self.faults.unused, f"no request has met {self.faults.unused}"

    def forget(self) -> None:
        """Forgets all that was said, after a test that was wrong on purpose."""
        self.requests.clear()
        self._answers.clear()

    def sent(self, method: str, path: Callable[[str], Any]) -> list[tuple[Recorded, int | None]]:
        """The requests of this method whose path fits, with their statuses (None: the connection was reset)."""
        return [(r, status) for r, status in self.requests if r.method == method and path(r.path)]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        recorded = await _record(request)
        fault = self.faults.take(recorded)
        if fault is None:
            answer: Answer | None = self._serve(request, recorded)
        else:
            if fault.is_applied:
                self._serve(request, recorded)
            answer = fault.answer
        self.requests.append((recorded, None if answer is None else answer.status))
        self.pulse.beat()
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)  # goes nowhere: the connection is gone
        if answer.status < 500 and not isinstance(answer.body, str):
            # As text, for the world goes on changing.
            text = _typical(json.dumps(answer.body))
            self._answers.add((recorded.method, typical(recorded.path), answer.status, text))
        return _to_http(answer)

    def _serve(self, request: web.Request, recorded: Recorded) -> Answer:
        # Callbacks and webhooks carry their token in the path; everything else needs the bot's.
        by_path = recorded.path.startswith(("/interactions/", "/webhooks/"))
        if not by_path and request.headers.get("Authorization") != f"Bot {self.world.token}":
            return UNAUTHORIZED
        answer = self._rest.answer(recorded)
        if answer is None:
            self._gaps.append(f"{recorded}: no such route here")
            return Answer(501)
        return answer

    def _own_faults(self) -> Iterator[str]:
        """What Discord's description has against the stand-in's answers."""
        for method, path, status, text in sorted(self._answers):
            yield from (f"{method} {path} -> {status}: {fault}" for fault in _answer_faults(method, path, status, text))


@functools.lru_cache(maxsize=4096)
def _answer_faults(method: str, path: str, status: int, text: str) -> tuple[str, ...]:
    oracle = standard_oracle()
    return () if oracle is None else tuple(oracle.response_faults(method, path, status, json.loads(text)))


def _typical(text: str) -> str:
    """An answer's JSON with one id and one moment for all: its shape does not depend on them."""
    return MOMENT.sub("2024-02-27T19:50:51+00:00", SNOWFLAKE.sub("1", text))


def _to_http(answer: Answer) -> web.Response:
    headers = {**(PLENTY_LEFT if answer.status < 400 else {}), **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    if isinstance(answer.body, str):
        return web.Response(status=answer.status, headers=headers, text=answer.body, content_type="text/html")
    # Exactly this type: discord.py reads JSON only where no charset follows it.
    headers["Content-Type"] = "application/json"
    return web.Response(status=answer.status, headers=headers, body=json.dumps(answer.body).encode())


async def _record(request: web.Request) -> Recorded:
    path = unquote(request.path.removeprefix(API))
    query = dict(request.query)
    reason = request.headers.get("X-Audit-Log-Reason")
    body, files = None, []
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if part.name == "payload_json":
                body = json.loads(await part.read())
            else:
                files.append(part.filename or "")
    elif request.can_read_body:
        body = await request.json()
    return Recorded(request.method, path, query, body, None if reason is None else unquote(reason), tuple(files))
