"""The page's front door: SimCord's own page, at an address that stays, with one action at a time."""

from __future__ import annotations

import asyncio
import errno
import hmac
import json
import socket
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp
from aiohttp import web
from simcord import ChannelHandle
from simcord.preview import Preview
from yarl import URL

from bot.demo import look

CAPABILITY = "X-Simcord-Capability"
LARGEST_BODY = 27 * 1024 * 1024
"""A little more than SimCord accepts, so that the refusal is SimCord's."""

PASSED_ON = ("Content-Type", "X-Simcord-Context")
KEPT_BACK = {"connection", "content-length", "date", "server", "transfer-encoding"}


class CannotListen(Exception):
    """Something else listens there already, or the address is not this machine's."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes any. Raises CannotListen."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(f"something already listens on {host}:{port}") from error
        raise CannotListen(f"cannot listen on {host}:{port}: {error}") from error


def page_address(listening: socket.socket, key: str) -> str:
    """What to type into a browser on this machine."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return str(URL.build(scheme="http", host=shown, port=port, path="/", fragment=key))


class Shown(Protocol):
    """What the door leads to: a preview of one channel, and the names of those that it can turn to."""

    @property
    def preview(self) -> Preview: ...

    @property
    def channel(self) -> ChannelHandle: ...

    @property
    def channel_names(self) -> tuple[str, ...]: ...

    async def turn_to(self, name: str) -> bool: ...


class FrontDoor:
    """A small HTTP server before the one of SimCord's preview.

    SimCord listens on loopback only, under a new secret address each time, and refuses an action that overlaps
    another one or that was made on a picture half a second old, which a member would see as a click that failed. Here
    actions wait for each other (`gate`, shared with the heartbeat), and an outdated one is told the newest revision,
    as Discord would simply deliver it.

    `key` is the page's only credential: whoever has the address may act as any of the members.
    """

    def __init__(self, screen: Shown, key: str, gate: asyncio.Lock, icon: bytes) -> None:
        self._screen = screen
        self._key = key
        self._gate = gate
        self._icon = icon
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_get("/", self._index)
        app.router.add_get("/talewright.css", self._style)
        app.router.add_get("/talewright.js", self._script)
        app.router.add_get("/favicon.ico", self._favicon)
        app.router.add_post("/talewright/channel/{name}", self._turn)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None)

    async def open(self, listening: socket.socket) -> None:
        """Serves on a socket of `listen`."""
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def close(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _index(self, request: web.Request) -> web.Response:
        status, headers, body = await self._fetch("GET", "/", {}, b"")
        return web.Response(
            status=status, headers=headers, body=look.dress(body.decode("utf-8"), *self._channels()).encode()
        )

    async def _style(self, request: web.Request) -> web.Response:
        return web.Response(text=look.STYLE, content_type="text/css")

    async def _script(self, request: web.Request) -> web.Response:
        return web.Response(text=look.SCRIPT, content_type="text/javascript")

    async def _favicon(self, request: web.Request) -> web.Response:
        return web.Response(body=self._icon, content_type="image/png")

    async def _turn(self, request: web.Request) -> web.Response:
        """The page shows another channel; whoever looks at it loads it anew."""
        self._require_key(request)
        async with self._gate:
            if not await self._screen.turn_to(request.match_info["name"]):
                raise web.HTTPNotFound
        return web.Response(status=204)

    def _channels(self) -> tuple[tuple[str, ...], str]:
        return self._screen.channel_names, self._screen.channel.name or ""

    def _require_key(self, request: web.Request) -> None:
        if not hmac.compare_digest(request.headers.get(CAPABILITY, "").encode(), self._key.encode()):
            raise web.HTTPUnauthorized

    async def _pass_on(self, request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        if CAPABILITY in request.headers:
            self._require_key(request)
            headers[CAPABILITY] = URL(self._screen.preview.url).fragment
        body = await request.read()
        if request.method == "POST" and request.path == "/api/action":
            async with self._gate:
                status, answered, answer = await self._act(request.rel_url.raw_path_qs, headers, body)
        else:
            status, answered, answer = await self._fetch(request.method, request.rel_url.raw_path_qs, headers, body)
        return web.Response(status=status, headers=answered, body=answer)

    async def _act(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Hands an action in; once more with the newest revision where the page was behind."""
        result = await self._fetch("POST", path, headers, body)
        newer = with_newest_revision(body, result[2])
        return result if newer is None else await self._fetch("POST", path, headers, newer)

    async def _fetch(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        url = URL(self._screen.preview.url).with_fragment(None).join(URL(path, encoded=True))
        asked = {**headers, "Accept-Encoding": "identity"}
        try:
            async with self._session.request(method, url, headers=asked, data=body or None) as response:
                answered = {k: v for k, v in response.headers.items() if k.lower() not in KEPT_BACK}
                return response.status, answered, await response.read()
        except aiohttp.ClientConnectionError:
            # The page is turning to another channel, and is loaded anew then.
            return web.HTTPServiceUnavailable.status_code, {}, b""


def with_newest_revision(action: bytes, receipt: bytes) -> bytes | None:
    """The same action with the revision that `receipt` names; None unless it was refused for an older one.

    A refused action was not carried out and its number not used up, so handing it in again cannot do it twice. The
    control it names must still be there and be allowed: SimCord looks that up afresh.
    """
    try:
        refused: Any = json.loads(receipt)
        asked: Any = json.loads(action)
    except ValueError:
        return None  # an upload (multipart), or an error page: passed on as it is
    if not isinstance(refused, dict) or not isinstance(asked, dict) or refused.get("rejected") is not True:
        return None
    if not any(item.get("code") == "stale-revision" for item in refused.get("diagnostics", [])):
        return None
    return json.dumps({**asked, "published_revision": refused["revision"]}).encode()
