"""Server-sent events, and noticing that the client has gone."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

DONE = b"data: [DONE]\n\n"


def sse(value: Mapping[str, Any]) -> bytes:
    """One event. Escaped to ASCII, so that readers which split at U+2028 and its like stay in step."""
    return b"data: " + json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n\n"


class Watch:
    """Calls `on_gone` once if the client disconnects before `stop`. Begin it when the body has been read."""

    def __init__(self, receive: Receive, on_gone: Callable[[], None]) -> None:
        self._task = asyncio.create_task(self._wait(receive, on_gone), name="watch for a disconnect")

    async def _wait(self, receive: Receive, on_gone: Callable[[], None]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        on_gone()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            log.error("watching for a disconnect failed", exc_info=error)


class EventStream(StreamingResponse):
    """Sends `events` and then calls `close`, whatever happens. A disconnect is the watch's business, not its own."""

    def __init__(self, events: AsyncIterator[bytes], close: Callable[[], Any]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.stream_response(send)
        finally:
            await self._close()
