"""`moderate` against the worker, and against another server in its stead, that answer well or badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.app import open_worker
from bot.config import load_config
from bot.errors import WorkerBroken, WorkerBusy, WorkerDown, WorkerError, WorkerRefused, WorkerSlow
from bot.worker import ModelCard, ModerationBackend, WorkerClient
from bot.worker.moderations import MAX_CHARS, MAX_TEXTS
from bot.worker.values import Kind
from tests.bot.worker.standin import Handler, StandIn, answers, models, refusal

PATH = "/v1/moderations"
TELLER = {"id": "teller", "kind": "causal"}
GUARD = {"id": "guard", "kind": "moderation", "revision": "g1", "max_model_len": 512, "categories": ["hate", "a/b"]}
GUARD_CARD = ModelCard("guard", "g1", 512, kind=Kind.MODERATION, categories=("hate", "a/b"))


def scoring(score: Callable[[str], dict[str, Any]], model: str = "guard") -> Handler:
    """Answers as OpenAI's API does."""

    async def answer(request: web.Request) -> web.Response:
        texts = (await request.json())["input"]
        results = [{"flagged": False, "categories": {}, "category_scores": score(text)} for text in texts]
        return web.json_response({"id": "modr-1", "model": model, "results": results})

    return answer


def by_length(text: str) -> dict[str, Any]:
    return {"hate": len(text) / 100_000, "hate/threatening": 0}


@pytest.fixture
def guarded(server: StandIn) -> StandIn:
    server.handlers["/v1/models"] = models(TELLER, GUARD)
    server.handlers[PATH] = scoring(by_length)
    return server


@pytest.fixture
async def other() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    await stand_in.start()
    stand_in.handlers[PATH] = scoring(by_length, "omni")
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def hosted(server: StandIn, other: StandIn) -> AsyncIterator[WorkerClient]:
    """A client that has texts scored elsewhere."""
    backend = ModerationBackend(f"{other.url}/v1", "the-key", "omni")
    worker = WorkerClient(server.url, "own-key", None, timeout_s=20, moderation=backend)
    yield worker
    await worker.close()


async def test_the_card_names_who_scores_texts(guarded: StandIn, client: WorkerClient) -> None:
    assert await client.describe() == ModelCard("teller", moderator=GUARD_CARD)
    assert await client.can_moderate()


@pytest.mark.parametrize("categories", ["hate", [1], {}])
async def test_categories_of_another_shape_are_a_broken_answer(
    server: StandIn, client: WorkerClient, categories: Any
) -> None:
    server.handlers["/v1/models"] = models(TELLER, {**GUARD, "categories": categories})
    with pytest.raises(WorkerBroken, match="problem"):
        await client.describe()


async def test_a_moderation_model_tells_no_stories(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/models"] = models(GUARD)
    with pytest.raises(WorkerRefused):
        await client.describe()


async def test_every_text_has_its_scores_under_the_server_s_own_names(guarded: StandIn, client: WorkerClient) -> None:
    assert await client.moderate(["a" * 1000, "", "b" * 500]) == [
        {"hate": 0.01, "hate/threatening": 0.0},
        {"hate": 0.0, "hate/threatening": 0.0},
        {"hate": 0.005, "hate/threatening": 0.0},
    ]
    assert guarded.bodies(PATH) == [{"input": ["a" * 1000, "", "b" * 500]}]


async def test_a_category_without_a_score_is_left_out(guarded: StandIn, client: WorkerClient) -> None:
    guarded.handlers[PATH] = scoring(lambda _: {"hate": 1, "illicit": None})
    assert await client.moderate(["a"]) == [{"hate": 1.0}]


async def test_no_text_asks_nobody(guarded: StandIn, client: WorkerClient) -> None:
    assert await client.moderate([]) == []
    assert guarded.asked == []


async def test_more_texts_than_are_taken_at_once_are_asked_for_in_portions(
    guarded: StandIn, client: WorkerClient
) -> None:
    many = [str(i) * (i + 1) for i in range(2 * MAX_TEXTS + 1)]
    assert await client.moderate(many) == [by_length(text) for text in many]
    assert [len(body["input"]) for body in guarded.bodies(PATH)] == [MAX_TEXTS, MAX_TEXTS, 1]
    guarded.asked.clear()
    long = ["a" * (MAX_CHARS - 1), "b", "c", "d" * (MAX_CHARS + 1), "e"]
    assert await client.moderate(long) == [by_length(text) for text in long]
    assert [body["input"] for body in guarded.bodies(PATH)] == [long[:2], long[2:3], long[3:4], long[4:]]


async def test_a_worker_without_such_a_model_is_asked_again_whether_it_has_one(
    server: StandIn, client: WorkerClient
) -> None:
    assert not await client.can_moderate()
    with pytest.raises(WorkerRefused) as caught:
        await client.moderate(["a"])
    assert "MODERATION_MODEL" in caught.value.detail
    assert server.bodies(PATH) == []
    server.handlers["/v1/models"], server.handlers[PATH] = models(TELLER, GUARD), scoring(by_length)
    assert await client.moderate(["a"]) == [by_length("a")]
    assert await client.can_moderate()


async def test_what_is_known_of_the_worker_is_kept_where_it_has_none(server: StandIn, client: WorkerClient) -> None:
    await client.describe()
    with pytest.raises(WorkerRefused):
        await client.moderate(["a"])
    asked = len(server.asked)
    await client.describe()
    assert len(server.asked) == asked


async def test_a_worker_that_lost_it_is_noticed(guarded: StandIn, client: WorkerClient) -> None:
    await client.moderate(["a"])
    guarded.handlers["/v1/models"] = models(TELLER)
    guarded.handlers[PATH] = answers(lambda: refusal(404, "this worker serves no moderation model"))
    with pytest.raises(WorkerRefused):
        await client.moderate(["a"])
    assert not await client.can_moderate()


async def test_a_worker_with_another_one_is_noticed_and_its_scores_are_taken(
    guarded: StandIn, client: WorkerClient
) -> None:
    await client.moderate(["a"])
    guarded.handlers["/v1/models"] = models(TELLER, {**GUARD, "id": "sentry", "categories": ["hate"]})
    guarded.handlers[PATH] = scoring(by_length, "sentry")
    assert await client.moderate(["a"]) == [by_length("a")]
    moderator = (await client.describe()).moderator
    assert moderator is not None
    assert (moderator.id, moderator.categories) == ("sentry", ("hate",))


RESULT = {"flagged": True, "categories": {"hate": True}, "category_scores": {"hate": 0.9}}


@pytest.mark.parametrize(
    "answer",
    [
        [],
        "x",
        None,
        {},
        {"results": None},
        {"results": []},
        {"results": [RESULT, RESULT]},
        {"results": ["x"]},
        {"results": [{"flagged": True}]},
        {"results": [{**RESULT, "category_scores": {}}]},
        {"results": [{**RESULT, "category_scores": {"hate": None}}]},
        {"results": [{**RESULT, "category_scores": {"hate": "0.9"}}]},
        {"results": [{**RESULT, "category_scores": {"hate": True}}]},
        {"results": [{**RESULT, "category_scores": {"hate": 1.01}}]},
        {"results": [{**RESULT, "category_scores": {"hate": -0.1}}]},
        {"results": [{**RESULT, "category_scores": {"hate": {"threatening": 0.1}}}]},
    ],
)
async def test_an_answer_that_does_not_score_the_text_is_broken_and_no_pass(
    guarded: StandIn, client: WorkerClient, answer: Any
) -> None:
    guarded.handlers[PATH] = answers(lambda: web.json_response(answer))
    with pytest.raises(WorkerBroken):
        await client.moderate(["a"])


@pytest.mark.parametrize("said", ["NaN", "Infinity"])
async def test_a_score_that_is_no_number_is_broken(guarded: StandIn, client: WorkerClient, said: str) -> None:
    text = f'{{"model": "guard", "results": [{{"category_scores": {{"hate": {said}}}}}]}}'
    guarded.handlers[PATH] = answers(lambda: web.Response(text=text, content_type="application/json"))
    with pytest.raises(WorkerBroken):
        await client.moderate(["a"])


FAILURES = [
    (lambda: refusal(429, "queue full", {"Retry-After": "7"}), WorkerBusy),
    (lambda: refusal(503, "Loading model"), WorkerDown),
    (lambda: refusal(400, "input has too many characters"), WorkerRefused),
    (lambda: refusal(401, "no key"), WorkerRefused),
    (lambda: refusal(500, "oops"), WorkerBroken),
    (lambda: web.Response(text="<html>", content_type="text/html"), WorkerBroken),
    (lambda: web.Response(text="{", content_type="application/json"), WorkerBroken),
]


@pytest.mark.parametrize(("make", "wanted"), FAILURES)
@pytest.mark.parametrize("who", ["worker", "backend"])
async def test_failures_are_those_of_every_call(
    guarded: StandIn,
    other: StandIn,
    client: WorkerClient,
    hosted: WorkerClient,
    make: Callable[[], web.Response],
    wanted: type[WorkerError],
    who: str,
) -> None:
    guarded.handlers[PATH] = other.handlers[PATH] = answers(make)
    asking, far = (client, guarded) if who == "worker" else (hosted, other)
    with pytest.raises(WorkerError) as caught:
        await asking.moderate(["a"])
    assert type(caught.value) is wanted
    assert len(far.bodies(PATH)) == 1, "asking again is not the client's decision"


async def test_another_server_is_asked_with_its_own_key_and_model_and_the_worker_is_not(
    server: StandIn, other: StandIn, hosted: WorkerClient
) -> None:
    assert await hosted.can_moderate()
    assert await hosted.moderate(["ab"]) == [by_length("ab")]
    ((path, body, headers),) = other.asked
    assert (path, body) == (PATH, {"input": ["ab"], "model": "omni"})
    assert headers["Authorization"] == "Bearer the-key"
    assert server.asked == []


async def test_a_failing_backend_is_not_the_storyteller_and_changes_nothing_that_is_known_of_it(
    server: StandIn, other: StandIn, hosted: WorkerClient
) -> None:
    await hosted.describe()
    await other.stop()
    with pytest.raises(WorkerDown, match="What checks texts here is not reachable"):
        await hosted.moderate(["a"])
    await hosted.describe()
    assert len(server.asked) == 1


@pytest.mark.parametrize("who", ["worker", "backend"])
async def test_scores_have_a_deadline_of_their_own(guarded: StandIn, other: StandIn, who: str) -> None:
    async def never(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    guarded.handlers[PATH] = other.handlers[PATH] = never
    backend = ModerationBackend(other.url) if who == "backend" else None
    worker = WorkerClient(guarded.url, None, None, 600, moderation=backend, moderation_timeout_s=0.2)
    with pytest.raises(WorkerSlow):
        await worker.moderate(["a"])
    await worker.close()


async def test_the_backend_is_configured_by_its_settings(
    server: StandIn, other: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_URL", server.url)
    monkeypatch.setenv("MODERATION_URL", f"{other.url}/v1/")
    monkeypatch.setenv("MODERATION_API_KEY", "secret-key")
    config = load_config(None)
    worker = open_worker(config)
    assert await worker.moderate(["a"]) == [by_length("a")]
    await worker.close()
    ((_, body, headers),) = other.asked
    assert body == {"input": ["a"]}, "without a model it is the server's choice"
    assert headers["Authorization"] == "Bearer secret-key"
    assert "secret-key" not in repr(ModerationBackend(other.url, "secret-key"))


async def test_without_an_address_the_model_s_name_is_the_worker_s_own_business(
    guarded: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_URL", guarded.url)
    monkeypatch.setenv("MODERATION_URL", "")
    monkeypatch.setenv("MODERATION_MODEL", "folders/guard")
    worker = open_worker(load_config(None))
    await worker.moderate(["a"])
    await worker.close()
    assert guarded.bodies(PATH) == [{"input": ["a"]}]
