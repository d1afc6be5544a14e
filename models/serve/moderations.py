"""``POST /v1/moderations``: texts to the scores of a classifier's categories, as OpenAI's API writes them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse, Response

from models.engine.events import Scored
from models.engine.moderation.request import ModerationRequest, request_for
from models.serve.completions import checked, rest_of
from models.serve.controls import bad
from models.serve.errors import NotFound
from models.serve.metrics import Metrics
from models.serve.protocol import ModerationBody
from models.serve.runner import Runner
from models.serve.stream import Watch

if TYPE_CHECKING:
    from models.serve.loaded import LoadedModeration

MAX_INPUTS = 32
MAX_CHARS = 65_536
"""Of all inputs of a request together."""

Json = dict[str, Any]


def order(body: ModerationBody, moderation: LoadedModeration | None) -> ModerationRequest:
    """The checked request. Tokenizes, so it may take a while for long texts. Raises `NotFound` and `BadRequest`."""
    checkpoint = require(moderation).checkpoint
    if body.model is not None and body.model != checkpoint.name:
        raise NotFound(
            f"the model {body.model!r} is not served at /v1/moderations; {checkpoint.name!r} is",
            code="model_not_found",
            param="model",
        )
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not 1 <= len(texts) <= MAX_INPUTS:
        raise bad("input", f"input holds {len(texts)} texts; it must be between 1 and {MAX_INPUTS}")
    if (num_chars := sum(map(len, texts))) > MAX_CHARS:
        raise bad("input", f"input has {num_chars} characters; together at most {MAX_CHARS} are taken")
    return request_for(checkpoint, f"modr-{secrets.token_hex(12)}", texts)


def require(moderation: LoadedModeration | None) -> LoadedModeration:
    """Raises `NotFound` where there is no such model."""
    if moderation is None:
        raise NotFound(
            "this worker serves no moderation model; MODERATION_MODEL names one", code="moderation_not_served"
        )
    return moderation


async def answer(
    http: HttpRequest, request: ModerationRequest, moderation: LoadedModeration, runner: Runner, metrics: Metrics
) -> Response:
    """Submits the request, and gives it up when its client goes. Raises `ApiError`."""
    ticket = runner.submit(request)
    watch = Watch(http.receive, lambda: runner.cancel(ticket))
    try:
        events = await rest_of(checked(await ticket.next()), ticket)
    finally:
        runner.cancel(ticket)  # nothing happens where it is over
        await watch.stop()
    (scored,) = (event for event in events if isinstance(event, Scored))
    results = [_result(scores, moderation) for scores in scored.scores]
    metrics.flagged_texts.inc(sum(result["flagged"] for result in results))
    return JSONResponse({"id": request.id, "model": moderation.checkpoint.name, "results": results})


def _result(scores: Sequence[float], moderation: LoadedModeration) -> Json:
    by_name = dict(zip(moderation.checkpoint.labels.categories, scores, strict=True))
    over = {name: score >= moderation.threshold for name, score in by_name.items()}
    return {
        "flagged": any(over.values()),
        "categories": over,
        "category_scores": by_name,
        "category_applied_input_types": {name: ["text"] for name in by_name},
    }
