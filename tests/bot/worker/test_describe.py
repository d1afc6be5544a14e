"""`describe`, `check_ready` and `count_tokens` against the shapes of our worker, vLLM, llama.cpp and plain servers."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from bot.app import describe_model
from bot.errors import WorkerBroken, WorkerDown, WorkerRefused
from bot.worker import Ability, ModelCard, WorkerClient
from bot.worker.values import Kind
from tests.bot.worker.standin import Handler, StandIn, answers, models, refusal

OURS = {"id": "storyteller", "owned_by": "talewright", "max_model_len": 1024, "revision": "a1b2"}
FORMAT = {"version": 1, "start": "<|story|>"}
VLLM = {"id": "org/model", "owned_by": "vllm", "root": "org/model", "parent": None, "max_model_len": 4096}
LLAMA_CPP = {"id": "a.gguf", "owned_by": "llamacpp", "meta": {"vocab_type": 2, "n_vocab": 128, "n_ctx_train": 131072}}


def _json(value: Any, status: int = 200) -> Handler:
    return answers(lambda: web.json_response(value, status=status))


@pytest.mark.parametrize(
    ("entry", "card"),
    [
        ({**OURS, "story_format": FORMAT}, ModelCard("storyteller", "a1b2", 1024, FORMAT)),
        ({**OURS, "story_format": None}, ModelCard("storyteller", "a1b2", 1024, None)),
        (VLLM, ModelCard("org/model", None, 4096, None)),
        ({"id": "hosted"}, ModelCard("hosted")),
    ],
)
async def test_what_servers_say_of_their_model(
    server: StandIn, client: WorkerClient, entry: dict[str, Any], card: ModelCard
) -> None:
    server.handlers["/v1/models"] = models(entry)
    assert await client.describe() == card


async def test_llama_cpp_tells_what_fits_elsewhere(server: StandIn, client: WorkerClient) -> None:
    """What its list names is the length in training: to believe it would overfill the slots."""
    server.handlers["/v1/models"] = models(LLAMA_CPP)
    server.handlers["/props"] = _json({"total_slots": 1, "default_generation_settings": {"n_ctx": 2048}})
    assert await client.describe() == ModelCard("a.gguf", None, 2048, None)


async def test_the_card_is_asked_for_once(server: StandIn, client: WorkerClient) -> None:
    await client.describe()
    await client.describe()
    assert len(server.asked) == 1


async def test_the_named_model_is_picked(server: StandIn) -> None:
    server.handlers["/v1/models"] = models({"id": "first"}, {**VLLM, "id": "second"})
    worker = WorkerClient(server.url, None, "second", timeout_s=20)
    assert (await worker.describe()).context_tokens == 4096
    await worker.close()


MASKED = {"id": "mask", "kind": "masked", "max_model_len": 128, "revision": "m", "abilities": ["middle", "keep"]}
REWRITER = ModelCard("mask", "m", 128, None, Kind.MASKED, frozenset({Ability.KEEP}))


async def test_the_masked_model_beside_it_is_its_rewriter(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/models"] = models(MASKED, {**OURS, "kind": "causal"}, {**MASKED, "id": "other mask"})
    assert await client.describe() == ModelCard("storyteller", "a1b2", 1024, rewriter=REWRITER)


async def test_abilities_are_told_and_unknown_ones_ignored(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/models"] = models({**OURS, "abilities": ["title", "suffix", "keep", "telepathy"]})
    card = await client.describe()
    assert card.abilities == {Ability.SUFFIX, Ability.KEEP}
    assert card.can(Ability.SUFFIX)
    assert not card.can(Ability.MUST_INCLUDE)


async def test_models_of_a_kind_that_is_not_known_are_neither(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/models"] = models({"id": "vectors", "kind": "embedding"}, OURS)
    card = await client.describe()
    assert (card.id, card.rewriter) == ("storyteller", None)


@pytest.mark.parametrize("wanted", [None, "mask"])
async def test_a_masked_model_tells_no_stories(server: StandIn, wanted: str | None) -> None:
    server.handlers["/v1/models"] = models(MASKED)
    worker = WorkerClient(server.url, None, wanted, timeout_s=20)
    with pytest.raises(WorkerRefused) as caught:
        await worker.describe()
    await worker.close()
    assert "writes on from a prompt" in caught.value.detail


async def test_about_names_both_models(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/models"] = models(OURS)
    assert await describe_model(client) == "storyteller (a1b2)"
    server.handlers["/v1/models"] = models(OURS, {**MASKED, "revision": None})
    await client.describe(anew=True)
    assert await describe_model(client) == "storyteller (a1b2); light rewrites by mask"


async def test_asked_anew_it_says_what_is_served_now(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/tokenize"] = _count_characters("prompt", "count")
    server.handlers["/v1/models"] = models(OURS)
    assert (await client.describe()).rewriter is None
    await client.count_tokens("fox")
    server.handlers["/v1/models"] = models(OURS, MASKED)
    assert (await client.describe()).rewriter is None
    assert (await client.describe(anew=True)).rewriter == REWRITER
    assert (await client.describe()).rewriter == REWRITER


async def test_tokens_of_the_masked_model_are_counted_with_its_own_tokenizer(
    server: StandIn, client: WorkerClient
) -> None:
    server.handlers["/v1/models"] = models(OURS, MASKED)
    server.handlers["/tokenize"] = _count_characters("prompt", "count")
    assert await client.count_tokens("fox") == await client.count_tokens("fox", "mask") == 3
    assert [body["model"] for body in server.bodies("/tokenize")] == ["storyteller", "mask"]


async def test_a_model_that_is_not_there_is_refused_with_those_that_are(server: StandIn) -> None:
    worker = WorkerClient(server.url, None, "dreamer", timeout_s=20)
    with pytest.raises(WorkerRefused) as caught:
        await worker.describe()
    await worker.close()
    assert "'dreamer'" in caught.value.detail
    assert "teller" in caught.value.detail


async def test_a_server_without_a_list_needs_a_model_name(server: StandIn, client: WorkerClient) -> None:
    del server.handlers["/v1/models"]
    with pytest.raises(WorkerRefused):
        await client.describe()
    worker = WorkerClient(server.url, None, "hosted", timeout_s=20)
    assert await worker.describe() == ModelCard("hosted")
    await worker.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "list"},
        {"data": []},
        {"data": [{"name": "x"}]},
        {"data": ["x"]},
        [],
        "x",
        None,
        {"data": [{"id": "x", "story_format": "plain"}]},
        {"data": [{"id": "x", "abilities": "hint"}]},
        {"data": [{"id": "x", "abilities": [1]}]},
    ],
)
async def test_a_list_of_another_shape_is_a_broken_answer(server: StandIn, client: WorkerClient, answer: Any) -> None:
    server.handlers["/v1/models"] = _json(answer)
    with pytest.raises(WorkerBroken):
        await client.describe()


@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_a_page_instead_of_a_list_is_a_broken_answer(
    server: StandIn, client: WorkerClient, content_type: str
) -> None:
    server.handlers["/v1/models"] = answers(lambda: web.Response(text="<html>hello</html>", content_type=content_type))
    with pytest.raises(WorkerBroken):
        await client.describe()


@pytest.mark.parametrize("answer", [{"status": "ready"}, {"status": "ok"}, {}])
async def test_a_healthy_server_is_ready(server: StandIn, client: WorkerClient, answer: dict[str, str]) -> None:
    server.handlers["/health"] = _json(answer)
    await client.check_ready()
    assert [path for path, _, _ in server.asked] == ["/health"]


async def test_a_server_without_health_is_ready_when_it_has_a_model(server: StandIn, client: WorkerClient) -> None:
    await client.check_ready()
    server.handlers["/v1/models"] = answers(lambda: refusal(503, "Loading model"))
    worker = WorkerClient(server.url, None, None, timeout_s=20)
    with pytest.raises(WorkerDown, match="loading"):
        await worker.check_ready()
    await worker.close()


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        (503, {"status": "loading", "detail": "reading weights"}, "model is loading"),
        (200, {"status": "loading", "detail": "reading weights"}, "model is loading"),
        (503, {"status": "failed", "detail": "no such file"}, "could not load its model"),
        (200, {"status": "failed", "detail": "no such file"}, "could not load its model"),
        (503, {"error": {"message": "Loading model", "code": 503}}, "model is loading"),
    ],
)
async def test_a_server_that_loads_or_failed_is_down(
    server: StandIn, client: WorkerClient, status: int, answer: dict[str, Any], sentence: str
) -> None:
    server.handlers["/health"] = _json(answer, status)
    with pytest.raises(WorkerDown, match=sentence):
        await client.check_ready()


def _count_characters(request_field: str, answer: str) -> Handler:
    """A tokenizer of single characters in one of the dialects."""

    async def tokenize(request: web.Request) -> web.Response:
        tokens = list(range(len((await request.json()).get(request_field, ""))))
        return web.json_response({"count": len(tokens)} if answer == "count" else {"tokens": tokens})

    return tokenize


@pytest.mark.parametrize(("field", "answer"), [("prompt", "count"), ("content", "tokens")])
async def test_tokens_are_counted_in_the_dialect_of_the_server(
    server: StandIn, client: WorkerClient, field: str, answer: str
) -> None:
    server.handlers["/tokenize"] = _count_characters(field, answer)
    assert [await client.count_tokens(text) for text in ("fox", "", "a\u2028🦊")] == [3, 0, 3]
    assert field in server.bodies("/tokenize")[-1]


async def test_the_bodies_are_the_ones_that_servers_know(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/tokenize"] = _count_characters("content", "tokens")
    await client.count_tokens("fox")
    assert server.bodies("/tokenize") == [
        {"model": "teller", "prompt": "fox", "add_special_tokens": False},
        {"content": "fox", "add_special": False},
    ]


@pytest.mark.parametrize("status", [404, 405, 501, 400, 422])
async def test_a_server_that_cannot_count_says_none_and_is_not_asked_again(
    server: StandIn, client: WorkerClient, status: int
) -> None:
    server.handlers["/tokenize"] = answers(lambda: web.Response(status=status, text="no"))
    assert await client.count_tokens("fox") is None
    asked = len(server.asked)
    assert await client.count_tokens("fox") is None
    assert len(server.asked) == asked


async def test_a_page_at_tokenize_is_no_tokenizer(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/tokenize"] = answers(lambda: web.Response(text="<html>", content_type="text/html"))
    assert await client.count_tokens("fox") is None


async def test_a_tokenizer_that_fails_is_an_error_and_not_absent(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/tokenize"] = answers(lambda: refusal(500, "oh"))
    with pytest.raises(WorkerBroken):
        await client.count_tokens("fox")
    server.handlers["/tokenize"] = _count_characters("prompt", "count")
    assert await client.count_tokens("fox") == 3


async def test_a_tokenizer_that_changes_its_dialect_is_broken_once_and_then_learned_anew(
    server: StandIn, client: WorkerClient
) -> None:
    server.handlers["/tokenize"] = _count_characters("prompt", "count")
    assert await client.count_tokens("fox") == 3
    server.handlers["/tokenize"] = _count_characters("content", "tokens")
    with pytest.raises(WorkerBroken):
        await client.count_tokens("fox")
    assert await client.count_tokens("fox") == 3
