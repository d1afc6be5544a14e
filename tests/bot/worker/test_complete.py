"""`complete` against servers that answer as they should, in all the ways that the wire allows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from bot.errors import WorkerBroken, WorkerRefused
from bot.worker import Ability, CompletionRequest, RewriteRequest, WorkerClient
from tests.bot.worker.standin import StandIn, answers, chunk, models, refusal, sse, streams, usage_chunk

TWO_ROWS = sse(
    chunk(0, "The "),
    chunk(1, "A "),
    chunk(0, "fox."),
    chunk(1, "", "stop", seed=78),
    chunk(0, "", "length", seed=77),
    usage_chunk(9, 5),
)


def request(n: int = 2, **changes: Any) -> CompletionRequest:
    fields: dict[str, Any] = {
        "prompt": "Once",
        "n": n,
        "max_tokens": 40,
        "temperature": 0.8,
        "top_p": 0.95,
        "frequency_penalty": 0.3,
        "seed": 77,
        "stop": ("<|end|>",),
        "extra": {"min_p": 0.05, "top_k": 40},
    }
    return CompletionRequest(**{**fields, **changes})


async def test_the_deltas_of_each_index_become_one_text(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/completions"] = streams(TWO_ROWS)
    first, second = await client.complete(request())
    assert (first.index, first.text, first.finish_reason, first.seed) == (0, "The fox.", "length", 77)
    assert (second.index, second.text, second.finish_reason, second.seed) == (1, "A ", "stop", 78)
    assert first.prompt_tokens == second.prompt_tokens == 9
    assert first.tokens is None, "the usage counts both rows together"


async def test_a_row_alone_has_its_token_count_and_the_seed_it_was_asked_with(
    server: StandIn, client: WorkerClient
) -> None:
    server.handlers["/v1/completions"] = streams(sse(chunk(0, "So.", "stop"), usage_chunk(4, 3)))
    [only] = await client.complete(request(n=1, seed=123))
    assert (only.tokens, only.prompt_tokens, only.seed) == (3, 4, 123)


async def test_everything_asked_for_is_in_the_body(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/completions"] = streams(TWO_ROWS)
    await client.complete(request())
    [body] = server.bodies()
    assert body == {
        "model": "teller",
        "prompt": "Once",
        "n": 2,
        "max_tokens": 40,
        "temperature": 0.8,
        "top_p": 0.95,
        "frequency_penalty": 0.3,
        "seed": 77,
        "stop": ["<|end|>"],
        "stream": True,
        "stream_options": {"include_usage": True},
        "min_p": 0.05,
        "top_k": 40,
    }


async def test_without_stop_strings_the_field_is_left_out(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/completions"] = streams(TWO_ROWS)
    await client.complete(request(stop=()))
    assert "stop" not in server.bodies()[0]


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("piece", [1, 2, 7, None])
async def test_text_survives_however_the_wire_cuts_it(
    server: StandIn, client: WorkerClient, piece: int | None, ascii_only: bool
) -> None:
    """Line separators inside a text are no ends of lines of the stream, and half characters are waited for."""
    text = "“Ü\u2028ber\u2029 den\x85 Wolken\u000b\u000c”, 🦊👩‍👩‍👧 sang.\r\n\n"
    body = sse(chunk(0, text), chunk(0, text, "stop"), ascii_only=ascii_only)
    server.handlers["/v1/completions"] = streams(body, piece)
    [only] = await client.complete(request(n=1))
    assert only.text == text * 2


async def test_comments_blank_lines_and_carriage_returns_are_part_of_the_stream(
    server: StandIn, client: WorkerClient
) -> None:
    body = b": ping\r\n\r\n\r\n" + sse(chunk(0, "Yes.", "stop")).replace(b"\n", b"\r\n")
    server.handlers["/v1/completions"] = streams(body)
    [only] = await client.complete(request(n=1))
    assert only.text == "Yes."


async def test_a_missing_done_is_no_harm_where_every_row_is_finished(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/completions"] = streams(sse(chunk(0, "Yes.", "stop"), done=False))
    [only] = await client.complete(request(n=1))
    assert only.text == "Yes."


async def test_the_named_model_is_asked_without_listing_models(server: StandIn) -> None:
    server.handlers["/v1/completions"] = streams(TWO_ROWS)
    worker = WorkerClient(server.url, None, "mine", timeout_s=20)
    await worker.complete(request())
    await worker.close()
    assert [path for path, _, _ in server.asked] == ["/v1/completions"]
    assert server.bodies()[0]["model"] == "mine"


async def test_the_key_is_sent_and_the_environment_is_not(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The openai client takes keys, organisations and proxies from the environment: they are not meant for us."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for key, wanted in (("our-key", "Bearer our-key"), (None, "Bearer none")):
        worker = WorkerClient(server.url, key, None, timeout_s=20)
        await worker.describe()
        await worker.close()
        headers = server.asked[-1][2]
        assert headers["Authorization"] == wanted
        assert "secret" not in str(headers)


async def test_an_address_with_v1_is_the_same_server(server: StandIn) -> None:
    worker = WorkerClient(f"{server.url}/v1/", None, None, timeout_s=20)
    assert (await worker.describe()).id == "teller"
    await worker.close()


UNKNOWN_FIELD = [
    (400, "Unrecognized request argument supplied: top_k"),
    (400, "Unknown parameter: 'min_p'."),
    (422, "body.top_k: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("status", "message"), UNKNOWN_FIELD)
async def test_a_server_without_the_extra_fields_is_asked_without_them_and_that_is_remembered(
    server: StandIn, client: WorkerClient, status: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = streams(TWO_ROWS)

    async def strict(http: web.Request) -> web.StreamResponse:
        body = await http.json()
        return refusal(status, message) if {"min_p", "top_k"} & body.keys() else await good(http)

    server.handlers["/v1/completions"] = strict
    assert len(await client.complete(request())) == 2
    assert len(await client.complete(request())) == 2
    with_extras = ["top_k" in body for body in server.bodies()]
    assert with_extras == [True, False, False]
    assert all("stream_options" in body for body in server.bodies())
    assert "does not know min_p, top_k" in caplog.text


async def test_a_detail_list_names_the_field_too(server: StandIn, client: WorkerClient) -> None:
    """FastAPI's own 422 has no message, only places."""
    good = streams(TWO_ROWS)
    detail = [{"type": "extra_forbidden", "loc": ["body", "min_p"], "msg": "Extra inputs are not permitted"}]

    async def strict(http: web.Request) -> web.StreamResponse:
        body = await http.json()
        return web.json_response({"detail": detail}, status=422) if "min_p" in body else await good(http)

    server.handlers["/v1/completions"] = strict
    assert len(await client.complete(request())) == 2


async def test_a_server_that_does_not_know_stream_options_still_streams(server: StandIn, client: WorkerClient) -> None:
    good = streams(TWO_ROWS)

    async def strict(http: web.Request) -> web.StreamResponse:
        body = await http.json()
        return refusal(400, "unknown field stream_options") if "stream_options" in body else await good(http)

    server.handlers["/v1/completions"] = strict
    assert len(await client.complete(request())) == 2
    assert "top_k" in server.bodies()[-1], "what it knows it is still told"


@pytest.mark.parametrize(
    "message",
    ["top_k must be at least 1, got 40", "This model's maximum context length is 64 tokens", "unknown model teller"],
)
async def test_another_refusal_is_not_taken_for_an_unknown_field(
    server: StandIn, client: WorkerClient, message: str
) -> None:
    server.handlers["/v1/completions"] = answers(lambda: refusal(400, message))
    with pytest.raises(WorkerRefused) as caught:
        await client.complete(request(n=1))
    assert message in caught.value.detail
    assert len(server.bodies()) == 1


ONE_ONLY = [(500, "Only one completion choice is allowed"), (400, "n_cmpl cannot be greater than the slots (1)")]


@pytest.mark.parametrize(("status", "message"), ONE_ONLY)
async def test_a_server_of_one_answer_is_asked_several_times_with_seeds_of_their_own(
    server: StandIn, client: WorkerClient, status: int, message: str
) -> None:
    async def one(http: web.Request) -> web.StreamResponse:
        body = await http.json()
        if body["n"] > 1:
            return refusal(status, message)
        return await streams(sse(chunk(0, f"Seed {body['seed']}.", "stop"), usage_chunk(2, 3)))(http)

    server.handlers["/v1/completions"] = one
    for _ in range(2):
        rows = await client.complete(request(n=3, seed=2**31 - 1))
        assert [(row.index, row.text, row.seed, row.tokens) for row in rows] == [
            (0, f"Seed {2**31 - 1}.", 2**31 - 1, 3),
            (1, "Seed 0.", 0, 3),
            (2, "Seed 1.", 1, 3),
        ]
    assert [body["n"] for body in server.bodies()] == [3, 1, 1, 1, 1, 1, 1], "asked for many only once"


async def test_a_server_that_ignores_n_is_asked_for_the_rest(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/completions"] = streams(sse(chunk(0, "Only me.", "stop")))
    rows = await client.complete(request(n=3))
    assert [(row.index, row.seed) for row in rows] == [(0, 77), (1, 78), (2, 79)]
    assert [body["n"] for body in server.bodies()] == [3, 1, 1]


async def test_what_was_learned_is_forgotten_when_the_server_fails(server: StandIn, client: WorkerClient) -> None:
    """Behind the same address another server may stand after that."""
    server.handlers["/v1/completions"] = streams(sse(chunk(0, "Only me.", "stop")))
    await client.complete(request(n=2))
    server.handlers["/v1/completions"] = answers(lambda: web.Response(status=500))
    with pytest.raises(WorkerBroken):
        await client.complete(request(n=2))
    server.handlers["/v1/models"] = models({"id": "successor"})
    server.handlers["/v1/completions"] = streams(TWO_ROWS)
    assert len(await client.complete(request(n=2))) == 2
    assert (server.bodies()[-1]["n"], server.bodies()[-1]["model"]) == (2, "successor")


async def test_what_comes_after_and_words_to_include_are_in_the_body_where_they_are_asked_for(
    server: StandIn, client: WorkerClient
) -> None:
    server.handlers["/v1/completions"] = streams(TWO_ROWS)
    await client.complete(request(suffix="They went home.", must_include=("fox", "key"), banned_phrases=("toad",)))
    await client.complete(request(suffix=""))
    first, second = server.bodies()
    assert (first["suffix"], first["must_include"]) == ("They went home.", ["fox", "key"])
    assert second["suffix"] == ""
    assert first["banned_phrases"] == ["toad"]
    assert "must_include" not in second
    assert "banned_phrases" not in second


async def test_a_server_that_refuses_what_it_said_it_could_is_asked_again_what_it_can(
    server: StandIn, client: WorkerClient
) -> None:
    """It is not asked without: what was promised to the members would silently not be so."""
    server.handlers["/v1/models"] = models({"id": "teller", "abilities": ["suffix"]})
    assert (await client.describe()).can(Ability.SUFFIX)
    server.handlers["/v1/completions"] = answers(lambda: refusal(400, "suffix is not supported by this model"))
    server.handlers["/v1/models"] = models({"id": "teller"})
    with pytest.raises(WorkerRefused):
        await client.complete(request(suffix="They went home."))
    assert len(server.bodies()) == 1
    assert not (await client.describe()).can(Ability.SUFFIX)


REWRITE = RewriteRequest(
    model="mask",
    before="Once.",
    middle="The fox ran.",
    after="It slept.",
    n=2,
    seed=7,
    temperature=0.8,
    mask_share=0.25,
    passes=8,
    order="parallel",
    keep=("fox",),
)


async def test_a_masked_model_is_asked_for_other_words_and_for_nothing_else(
    server: StandIn, client: WorkerClient
) -> None:
    body = sse(
        chunk(1, "The fox fled.", "stop", seed=8), chunk(0, "The fox "), chunk(0, "went."), chunk(0, "", "stop", seed=7)
    )
    server.handlers["/v1/completions"] = streams(body)
    first, second = await client.rewrite(REWRITE)
    assert [(c.index, c.text, c.seed, c.finish_reason) for c in (first, second)] == [
        (0, "The fox went.", 7, "stop"),
        (1, "The fox fled.", 8, "stop"),
    ]
    assert server.bodies() == [
        {
            "model": "mask",
            "prompt": "Once.",
            "middle": "The fox ran.",
            "suffix": "It slept.",
            "n": 2,
            "seed": 7,
            "temperature": 0.8,
            "mask_share": 0.25,
            "passes": 8,
            "order": "parallel",
            "keep": ["fox"],
            "stream": True,
        }
    ]
    await client.rewrite(replace(REWRITE, keep=()))
    assert "keep" not in server.bodies()[-1]


async def test_an_answer_that_is_no_other_wording_of_the_passage_is_broken(
    server: StandIn, client: WorkerClient
) -> None:
    server.handlers["/v1/completions"] = streams(sse(chunk(0, "word " * 1000, "stop")))
    with pytest.raises(WorkerBroken, match="problem") as caught:
        await client.rewrite(REWRITE)
    assert "grew beyond" in caught.value.detail


async def test_a_masked_model_that_refuses_is_forgotten_with_its_card(server: StandIn, client: WorkerClient) -> None:
    server.handlers["/v1/models"] = models({"id": "teller"}, {"id": "mask", "kind": "masked"})
    assert (await client.describe()).rewriter is not None
    server.handlers["/v1/models"] = models({"id": "teller"})
    server.handlers["/v1/completions"] = answers(lambda: refusal(404, "the model 'mask' is not served here"))
    with pytest.raises(WorkerRefused):
        await client.rewrite(REWRITE)
    assert (await client.describe()).rewriter is None
