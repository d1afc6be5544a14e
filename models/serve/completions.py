"""``POST /v1/completions``: from a checked order to an answer, with the request given up when its client goes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse, Response

from models.engine.events import Cancelled, Done, End, Event, Failed
from models.serve.answers import Writer
from models.serve.errors import ApiError, NotReady
from models.serve.runner import Runner
from models.serve.stream import DONE, EventStream, Watch, sse
from models.serve.ticket import Ticket
from models.serve.validate import Order


async def answer(http: HttpRequest, order: Order, runner: Runner) -> Response:
    """Submits the order. The status is decided by its first event, so a request that fails early is no empty stream.

    Raises `ApiError`.
    """
    ticket = runner.submit(order.request)
    writer = Writer(order, int(time.time()))
    watch = Watch(http.receive, lambda: runner.cancel(ticket))

    async def close() -> None:
        runner.cancel(ticket)  # nothing happens where it is over
        await watch.stop()

    is_handed_on = False
    try:
        first = checked(await ticket.next())
        if order.is_streamed:
            is_handed_on = True
            return EventStream(_chunks(first, ticket, writer), close)
        return JSONResponse(writer.whole(await rest_of(first, ticket)))
    finally:
        if not is_handed_on:
            await close()


async def rest_of(first: Event, ticket: Ticket) -> list[Event]:
    """All events to the end. Raises `ApiError` where that is none."""
    events = [first]
    while not isinstance(events[-1], End):
        events.append(checked(await ticket.next()))
    return events


async def _chunks(first: Event, ticket: Ticket, writer: Writer) -> AsyncIterator[bytes]:
    """A stream that fails ends with an error event and without ``[DONE]``."""
    event = first
    try:
        while not isinstance(event, Done):
            for piece in writer.pieces(event):
                yield sse(writer.chunk(piece))
            event = checked(await ticket.next())
    except ApiError as error:
        yield sse(error.to_json())
        return
    if (counts := writer.last_chunk(event)) is not None:
        yield sse(counts)
    yield DONE


def checked(event: Event) -> Event:
    """The event, unless it says that there will be no answer: then an `ApiError`."""
    match event:
        case Failed():
            raise ApiError(event.message, code=event.kind.value)
        case Cancelled():
            # Nobody reads this after a disconnect; on a shutdown the client does.
            raise NotReady("the request was given up because the worker is shutting down", code="cancelled")
        case _:
            return event
