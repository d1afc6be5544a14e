"""The HTTP application: addresses, the API key, and errors in OpenAI's shape."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from models.serve import completions
from models.serve.errors import ApiError, BadRequest, Busy, NotFound, NotReady, TooLarge, Unauthorised
from models.serve.loaded import LoadedMasked
from models.serve.masked_orders import MaskedValidator, refuse_masked_fields
from models.serve.metrics import Metrics, ModelState, Outcome
from models.serve.protocol import CompletionBody, TokenizeBody, parse_body
from models.serve.runner import Runner
from models.serve.validate import Limits, Order, Validator

MAX_BODY_BYTES = 2 * 1024 * 1024
CLOSE_TIMEOUT_S = 3.0
_FRESH_SEEDS = 2**53  # exact in every reader of JSON
MASKED_ABILITIES = ("suffix", "middle", "keep")


class Server:
    """What the addresses need."""

    def __init__(self, runner: Runner, metrics: Metrics, limits: Limits, api_key: SecretStr | None) -> None:
        self.runner = runner
        self.metrics = metrics
        self.limits = limits
        self.api_key = api_key
        self.started_at = int(time.time())

    @property
    def validator(self) -> Validator:
        """Raises `NotReady` until the model is there."""
        loaded = self.runner.loaded()
        return Validator(
            loaded.checkpoint,
            loaded.tokenizer,
            self.limits,
            draw_seed=_draw_seed,
            draw_id=_draw_id,
            adapters=loaded.adapters,
            others=() if loaded.masked is None else (loaded.masked.checkpoint.name,),
        )

    def masked(self, name: str | None) -> LoadedMasked | None:
        """The masked model, if it has this name. Raises `NotReady` until the models are there."""
        masked = self.runner.loaded().masked
        return masked if masked is not None and masked.checkpoint.name == name else None

    def order(self, body: CompletionBody) -> Order:
        """By the rules of the model that the body names. Raises `ApiError`."""
        if (masked := self.masked(body.model)) is not None:
            return MaskedValidator(masked.checkpoint, self.limits, draw_seed=_draw_seed, draw_id=_draw_id).order(body)
        validator = self.validator
        validator.check_model(body.model)
        refuse_masked_fields(body)
        return validator.order(body)


def _draw_seed() -> int:
    return secrets.randbelow(_FRESH_SEEDS)


def _draw_id() -> str:
    return f"cmpl-{secrets.token_hex(12)}"


def create_app(runner: Runner, metrics: Metrics, limits: Limits, api_key: SecretStr | None = None) -> FastAPI:
    """An application that starts and stops `runner` with itself.

    The key guards everything that costs work or tells of the model; ``/health`` and ``/metrics`` are open.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        runner.start()
        try:
            yield
        finally:
            await asyncio.to_thread(runner.close, CLOSE_TIMEOUT_S)

    app = FastAPI(title="Talewright worker", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.server = Server(runner, metrics, limits, api_key)
    app.include_router(_open)
    app.include_router(_guarded)
    app.add_exception_handler(ApiError, _answer_api_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_fault)
    return app


def _server(http: HttpRequest) -> Server:
    server: Server = http.app.state.server
    return server


def _require_key(http: HttpRequest) -> None:
    wanted = _server(http).api_key
    if wanted is None:
        return
    scheme, _, given = http.headers.get("Authorization", "").partition(" ")
    is_right = hmac.compare_digest(given.strip().encode(), wanted.get_secret_value().encode())
    if scheme.lower() != "bearer" or not is_right:
        raise Unauthorised(
            "this worker asks for an API key: Authorization: Bearer …, as set in WORKER_API_KEY",
            code="invalid_api_key",
        )


_open = APIRouter()
_guarded = APIRouter(dependencies=[Depends(_require_key)])


@_guarded.post("/v1/completions")
async def _completions(http: HttpRequest) -> Response:
    server = _server(http)
    try:
        server.runner.loaded()  # before the body is read: a worker that is loading answers at once
        body = parse_body(CompletionBody, await _read(http))
        order = await asyncio.to_thread(server.order, body)
        return await completions.answer(http, order, server.runner)
    except (BadRequest, NotFound, TooLarge):
        server.metrics.count(Outcome.REFUSED)
        raise
    except Busy:
        server.metrics.count(Outcome.BUSY)
        raise
    except NotReady as error:
        if error.code != "cancelled":  # the runner has counted that one
            server.metrics.count(Outcome.NOT_READY)
        raise


@_guarded.get("/v1/models")
async def _models(http: HttpRequest) -> dict[str, Any]:
    server = _server(http)
    loaded = server.runner.loaded()
    names = (loaded.checkpoint.name, *loaded.adapters)  # clients that name no model take the first one
    masked = [] if loaded.masked is None else [_masked_card(server, loaded.masked)]
    return {"object": "list", "data": [*(_card(server, name) for name in names), *masked]}


@_guarded.get("/v1/models/{name:path}")
async def _model(http: HttpRequest, name: str) -> dict[str, Any]:
    server = _server(http)
    if (masked := server.masked(name)) is not None:
        return _masked_card(server, masked)
    server.validator.check_model(name)
    return _card(server, name)


@_guarded.post("/tokenize")
async def _tokenize(http: HttpRequest) -> dict[str, Any]:
    server = _server(http)
    validator = server.validator
    body = parse_body(TokenizeBody, await _read(http))
    if (masked := server.masked(body.model)) is not None:
        reader = masked.checkpoint.reader
        ids = (await asyncio.to_thread(reader.read, body.prompt)).ids
        tokens = [*reader.before, *ids, *reader.after] if body.add_special_tokens else [*ids]
        return {"count": len(tokens), "max_model_len": masked.checkpoint.context_tokens, "tokens": tokens}
    if body.model is not None:
        validator.check_model(body.model)
    tokens = await asyncio.to_thread(validator.tokenizer.encode, body.prompt, add_special=body.add_special_tokens)
    return {"count": len(tokens), "max_model_len": server.runner.loaded().checkpoint.context_tokens, "tokens": tokens}


@_open.get("/health")
async def _health(http: HttpRequest) -> Response:
    runner = _server(http).runner
    if runner.state is ModelState.READY:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": runner.state.value, "detail": runner.detail}, status_code=503)


@_open.get("/metrics")
async def _metrics(http: HttpRequest) -> Response:
    return Response(_server(http).metrics.render(), media_type=CONTENT_TYPE_LATEST)


def _card(server: Server, name: str) -> dict[str, Any]:
    """The model, or an adapter over it, as OpenAI lists it; with what builders of prompts need, and vLLM's `parent`.

    What an adapter writes depends on the model below it too, so its revision names both.
    """
    loaded = server.runner.loaded()
    checkpoint = loaded.checkpoint
    adapter = loaded.adapters.get(name)
    story_format = checkpoint.story_format
    return {
        "id": name,
        "object": "model",
        "created": server.started_at,
        "owned_by": "talewright",
        "max_model_len": checkpoint.context_tokens,
        "parent": None if adapter is None else checkpoint.name,
        "revision": checkpoint.revision if adapter is None else f"{checkpoint.revision}+{adapter}",
        "story_format": None if story_format is None else story_format.to_json(),
        "kind": "causal",
        "abilities": [*([] if story_format is None else story_format.abilities), "must_include", "banned_phrases"],
    }


def _masked_card(server: Server, masked: LoadedMasked) -> dict[str, Any]:
    """A model that rewrites words of a `middle`, or fills the gap before a `suffix`."""
    return {
        "id": masked.checkpoint.name,
        "object": "model",
        "created": server.started_at,
        "owned_by": "talewright",
        "kind": "masked",
        "max_model_len": masked.checkpoint.context_tokens,
        "parent": None,
        "revision": masked.checkpoint.revision,
        "story_format": None,
        "abilities": list(MASKED_ABILITIES),
    }


async def _read(http: HttpRequest) -> bytes:
    """The body. Raises `TooLarge` as soon as it is."""
    body = bytearray()
    try:
        async for part in http.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge(f"the body is larger than the limit of {MAX_BODY_BYTES} bytes", code="body_too_large")
    except ClientDisconnect as error:
        raise BadRequest("the client went away before its request was complete", code="disconnected") from error
    return bytes(body)


async def _answer_api_error(_http: HttpRequest, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse(error.to_json(), status_code=error.status, headers=error.headers)


async def _answer_http_error(_http: HttpRequest, error: Exception) -> Response:
    """Wrong addresses and methods, in the same shape."""
    if not isinstance(error, HTTPException):
        raise error
    wrong = NotFound(str(error.detail), code="not_found" if error.status_code == 404 else "wrong_method")
    return JSONResponse(wrong.to_json(), status_code=error.status_code, headers=error.headers)


async def _answer_fault(_http: HttpRequest, _error: Exception) -> Response:
    """A fault of the worker's own: the server logs it, the client learns no more than that."""
    fault = ApiError("the worker failed while answering; its log says why", code="internal_error")
    return JSONResponse(fault.to_json(), status_code=500)
