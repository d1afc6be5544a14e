"""`complete` against servers that fail, in each of the ways that servers do: one error of ours for each."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx2
import openai
import pytest
from aiohttp import web

from bot.errors import WorkerBroken, WorkerBusy, WorkerDown, WorkerError, WorkerRefused, WorkerSlow
from bot.worker import CompletionRequest, WorkerClient
from bot.worker.translation import translate
from tests.bot.worker.standin import StandIn, answers, chunk, refusal, sse, streams, usage_chunk

REQUEST = CompletionRequest("Once", n=2, max_tokens=8, temperature=1.0, top_p=1.0, seed=1)
DATE = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({}, 5.0),
        ({"Retry-After": "soon"}, 5.0),
        ({"Retry-After": "nan"}, 5.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "999999999"}, 3600.0),
        ({"Date": DATE, "Retry-After": "Sun, 22 Nov 2026 10:00:30 GMT"}, 30.0),
        ({"Date": DATE, "Retry-After": "Sun, 22 Nov 2026 09:00:00 GMT"}, 0.0),
    ],
)
async def test_a_full_queue_says_when_to_come_back(
    server: StandIn, client: WorkerClient, headers: dict[str, str], seconds: float
) -> None:
    server.handlers["/v1/completions"] = answers(lambda: refusal(429, "queue full", headers))
    with pytest.raises(WorkerBusy) as caught:
        await client.complete(REQUEST)
    assert caught.value.retry_after_s == seconds
    assert len(server.bodies()) == 1, "asking again is not the client's decision"


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("Loading model", "model is loading"),
        ("the model is still loading", "model is loading"),
        ("loading failed: out of memory", "could not load its model"),
        ("shutting down", "not reachable"),
        ("engine overloaded", "not reachable"),
    ],
)
async def test_503_says_whether_it_loads_or_has_failed(
    server: StandIn, client: WorkerClient, message: str, sentence: str
) -> None:
    server.handlers["/v1/completions"] = answers(lambda: refusal(503, message))
    with pytest.raises(WorkerDown, match=sentence):
        await client.complete(REQUEST)


Make = Callable[[], web.Response]
STATUSES: list[tuple[Make, type[WorkerError], str]] = [
    (lambda: refusal(500, "CUDA out of memory"), WorkerBroken, "CUDA out of memory"),
    (lambda: web.Response(status=500, text="<html><h1>Oops</h1></html>"), WorkerBroken, "Oops"),
    (lambda: web.Response(status=502, text="Bad Gateway"), WorkerBroken, "502"),
    (lambda: web.Response(status=302, headers={"Location": "/elsewhere"}), WorkerBroken, "302"),
    (lambda: refusal(400, "prompt of 99 tokens, 64 fit"), WorkerRefused, "99 tokens"),
    (lambda: refusal(401, "wrong key"), WorkerRefused, "wrong key"),
    (lambda: refusal(404, "no such model"), WorkerRefused, "no such model"),
    (lambda: refusal(422, "bad field"), WorkerRefused, "bad field"),
    (lambda: web.Response(status=413, text="too large"), WorkerRefused, "too large"),
]


@pytest.mark.parametrize(("make", "error", "detail"), STATUSES)
async def test_a_status_becomes_an_error_with_its_detail(
    server: StandIn, client: WorkerClient, make: Make, error: type[WorkerError], detail: str
) -> None:
    server.handlers["/v1/completions"] = answers(make)
    with pytest.raises(error) as caught:
        await client.complete(REQUEST)
    assert detail in caught.value.detail  # type: ignore[attr-defined]
    assert detail not in str(caught.value), "members read a sentence, not the server's words"
    assert len(server.bodies()) == 1


async def test_a_long_detail_is_shortened(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/completions"] = answers(lambda: web.Response(status=500, text="x\n" * 10_000))
    with pytest.raises(WorkerBroken) as caught:
        await client.complete(REQUEST)
    assert len(caught.value.detail) == 500


def _row(index: object, text: object, finish: object = None) -> dict[str, object]:
    return {"choices": [{"index": index, "text": text, "finish_reason": finish}]}


NONSENSE = {
    "an index that was not asked for": sse(chunk(0, "a", "stop"), chunk(2, "b", "stop")),
    "a negative index": sse(chunk(-1, "a", "stop")),
    "an index that is no number": sse(_row("0", "a", "stop")),
    "an index that is false": sse(_row(False, "a", "stop"), chunk(1, "b", "stop")),
    "no choices": sse({"id": "x", "object": "text_completion"}),
    "choices that are null": sse({"choices": None}),
    "a choice that is a string": sse({"choices": ["a"]}),
    "no text": sse({"choices": [{"index": 0, "finish_reason": "stop"}]}),
    "a text that is null": sse(_row(0, None, "stop")),
    "a finish that is no word": sse(_row(0, "a", 3)),
    "a row that was aborted": sse(chunk(0, "a", "abort")),
    "text after the finish": sse(chunk(0, "a", "stop"), chunk(0, "b")),
    "one row unfinished": sse(chunk(0, "a", "stop"), chunk(1, "b")),
    "an end before any answer": sse(),
    "an empty body": b"",
    "usage alone": sse(usage_chunk(1, 0)),
    "an event cut in the middle": sse(chunk(0, "a", "stop"), chunk(1, "b"), chunk(1, "", "stop"), done=False)[:-30],
    "an error in the stream": sse(chunk(0, "a"), {"error": {"message": "out of memory", "type": "server_error"}}),
    "JSON that is none": b"data: {'index': 0}\n\n",
    "bytes that are no UTF-8": b'data: {"choices": "\xff\xfe"}\n\n',
    "a list for a chunk": sse("[1, 2]"),
    "a null for a chunk": sse("null"),
    "a number for a chunk": sse("7"),
    "a web page": b"<!doctype html>\n<html><body>data: hello</body></html>",
    "an answer that is not streamed": b'{"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}',
    "a text without end": sse(chunk(0, "ab" * 1024), chunk(0, "!", "stop")),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_what_is_not_the_protocol_is_a_broken_answer(server: StandIn, client: WorkerClient, body: bytes) -> None:
    server.handlers["/v1/completions"] = streams(body)
    with pytest.raises(WorkerBroken):
        await client.complete(REQUEST)


async def test_a_page_instead_of_a_stream_is_a_broken_answer(server: StandIn, client: WorkerClient) -> None:
    page = "<html><body>Welcome to the router</body></html>"
    server.handlers["/v1/completions"] = answers(lambda: web.Response(text=page, content_type="text/html"))
    with pytest.raises(WorkerBroken):
        await client.complete(REQUEST)


async def test_a_connection_lost_in_the_middle_is_a_broken_answer(server: StandIn, client: WorkerClient) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(sse(chunk(0, "Half"), done=False))
        assert request.transport is not None
        request.transport.close()
        return response

    server.handlers["/v1/completions"] = cut
    with pytest.raises(WorkerBroken):
        await client.complete(REQUEST)


async def test_nobody_at_the_address_is_down() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nothing else can answer there
        worker = WorkerClient(f"http://127.0.0.1:{taken.getsockname()[1]}", None, None, timeout_s=20)
        with pytest.raises(WorkerDown, match="not reachable"):
            await worker.complete(REQUEST)
        await worker.close()


async def test_a_server_that_stops_is_down_and_one_that_comes_back_is_not(
    server: StandIn, client: WorkerClient
) -> None:
    server.handlers["/v1/completions"] = streams(sse(chunk(0, "a", "stop"), chunk(1, "b", "stop")))
    assert len(await client.complete(REQUEST)) == 2
    await server.stop()
    with pytest.raises(WorkerDown):
        await client.complete(REQUEST)


async def test_a_server_that_hangs_up_without_a_word_is_down(server: StandIn, client: WorkerClient) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    server.handlers["/v1/completions"] = hang_up
    with pytest.raises(WorkerDown):
        await client.complete(REQUEST)


class Endless:
    """Begins a stream (or does not even that) and never ends it; notes when the client has gone."""

    def __init__(self, *, begins: bool) -> None:
        self.begins = begins
        self.asked = asyncio.Event()
        self.gone = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if self.begins:
            await response.prepare(request)
            await response.write(sse(chunk(0, "Once and"), done=False))
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.gone.set()
        return response


@asynccontextmanager
async def _impatient(server: StandIn) -> AsyncIterator[WorkerClient]:
    worker = WorkerClient(server.url, None, "teller", timeout_s=0.2)
    yield worker
    await worker.close()


@pytest.mark.parametrize("begins", [True, False])
async def test_an_answer_that_never_ends_is_slow_and_its_stream_is_closed(server: StandIn, begins: bool) -> None:
    server.handlers["/v1/completions"] = endless = Endless(begins=begins)
    async with _impatient(server) as worker:
        with pytest.raises(WorkerSlow):
            await worker.complete(REQUEST)
    await endless.gone.wait()


async def test_a_stream_that_drips_for_ever_is_slow(server: StandIn) -> None:
    """Each delta is in time, the whole is not: only one deadline over everything ends it."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while True:
            await response.write(b": still here\n\n")
            await asyncio.sleep(0.01)

    server.handlers["/v1/completions"] = drip
    async with _impatient(server) as worker:
        with pytest.raises(WorkerSlow):
            await worker.complete(REQUEST)


@pytest.mark.parametrize("begins", [True, False])
async def test_cancelling_closes_the_stream_so_that_the_worker_stops(
    server: StandIn, client: WorkerClient, begins: bool
) -> None:
    server.handlers["/v1/completions"] = endless = Endless(begins=begins)
    asking = asyncio.create_task(client.complete(REQUEST))
    await endless.asked.wait()
    assert not endless.gone.is_set()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await endless.gone.wait()


async def test_a_cancelled_call_leaves_the_client_and_other_calls_working(
    server: StandIn, client: WorkerClient
) -> None:
    server.handlers["/v1/completions"] = endless = Endless(begins=True)
    first = asyncio.create_task(client.complete(REQUEST))
    await endless.asked.wait()
    server.handlers["/v1/completions"] = streams(sse(chunk(0, "a", "stop"), chunk(1, "b", "stop")))
    second = asyncio.create_task(client.complete(REQUEST))
    first.cancel()
    assert [row.text for row in await second] == ["a", "b"]
    assert [row.text for row in await client.complete(REQUEST)] == ["a", "b"]
    with pytest.raises(asyncio.CancelledError):
        await first


@pytest.mark.parametrize(
    ("cause", "wanted"),
    [(httpx2.ConnectTimeout("never taken"), WorkerDown), (httpx2.ReadTimeout("no word"), WorkerSlow)],
)
def test_a_call_that_nobody_takes_is_down_and_one_that_nobody_answers_is_slow(
    cause: Exception, wanted: type[WorkerError]
) -> None:
    error = openai.APITimeoutError(request=httpx2.Request("POST", "http://worker.invalid"))
    error.__cause__ = cause
    assert type(translate(error)) is wanted
