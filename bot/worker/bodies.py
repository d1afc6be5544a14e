"""The bodies of requests to `/v1/completions`: one for models that write on, one for models that change a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.worker.values import CompletionRequest, RewriteRequest

MAX_CHARS_PER_TOKEN = 256
"""Longer than the tokens of any vocabulary in use (the longest are runs of 128 blanks): more text than this allows
is not an answer to our request."""
MAX_GROWTH = 8
"""A light rewrite has as many words as the passage had; words so many times as long are not an answer to ours."""
LEAST_CHARS = 1000
"""A passage of a few characters may still get longer ones."""


@dataclass(frozen=True)
class Body:
    """A request's prompt, its other fields, and more characters than any honest answer to it has."""

    prompt: str
    fields: Mapping[str, object]
    max_chars: int


def body_of(request: CompletionRequest | RewriteRequest) -> Body:
    """The body without the fields that a server may not know."""
    return _rewriting(request) if isinstance(request, RewriteRequest) else _writing(request)


def _writing(request: CompletionRequest) -> Body:
    fields: dict[str, object] = {
        "n": request.n,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "frequency_penalty": request.frequency_penalty,
        "seed": request.seed,
    }
    if request.stop:
        fields["stop"] = list(request.stop)
    if request.suffix is not None:
        fields["suffix"] = request.suffix
    if request.must_include:
        fields["must_include"] = list(request.must_include)
    if request.banned_phrases:
        fields["banned_phrases"] = list(request.banned_phrases)
    return Body(request.prompt, fields, request.max_tokens * MAX_CHARS_PER_TOKEN)


def _rewriting(request: RewriteRequest) -> Body:
    fields: dict[str, object] = {
        "middle": request.middle,
        "suffix": request.after,
        "n": request.n,
        "seed": request.seed,
        "temperature": request.temperature,
        "mask_share": request.mask_share,
        "passes": request.passes,
        "order": request.order,
    }
    if request.keep:
        fields["keep"] = list(request.keep)
    return Body(request.before, fields, max(LEAST_CHARS, len(request.middle) * MAX_GROWTH))
