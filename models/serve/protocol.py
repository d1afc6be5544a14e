"""The bodies of requests, as OpenAI's completions API and a few more sampling fields write them.

A field that is not listed here is refused by its name. Types are strict: a number in quotes is not a number.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from models.serve.errors import BadRequest

Prompt = str | list[int] | list[str] | list[list[int]]
# What fields of several shapes want; pydantic would speak of the first shape only.
_WANTED = {
    "prompt": "Input should be a string, a list of token ids, or a list with one of these",
    "input": "Input should be a string or a list of strings; nothing else is looked at here",
    "stop": "Input should be a string or a list of strings",
    "early_stopping": 'Input should be true, false or "never"',
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Body = TypeVar("Body", bound=_Strict)


class StreamOptions(_Strict):
    """Whether the stream ends with a chunk of token counts."""

    include_usage: bool | None = None


class CompletionBody(_Strict):
    """``POST /v1/completions``. None always means: not given.

    `best_of` and `user` are known so that their neutral values pass and the others are refused with a reason; see
    `validate`. `suffix` is the text behind a gap that the answer fills.
    """

    model: str
    prompt: Prompt
    n: int | None = None
    max_tokens: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    typical_p: float | None = None
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    dry_multiplier: float | None = None
    dry_base: float | None = None
    dry_allowed_length: int | None = None
    dry_penalty_last_n: int | None = None
    dry_sequence_breakers: list[str] | None = None
    banned_phrases: list[str] | None = None
    banned_phrases_case_sensitive: bool | None = None
    must_include: list[str] | None = None
    must_include_strength: float | None = None
    penalty_alpha: float | None = None
    beam_width: int | None = None
    length_penalty: float | None = None
    early_stopping: bool | str | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: int | None = None
    echo: bool | None = None
    best_of: int | None = None
    # For masked models alone; see `masked_orders`.
    middle: str | None = None
    mask_share: float | None = None
    passes: int | None = None
    order: str | None = None
    keep: list[str] | None = None
    suffix: str | None = None
    user: str | None = None


class ModerationBody(_Strict):
    """``POST /v1/moderations``. Without `model` the one that is served is meant."""

    input: str | list[str]
    model: str | None = None


class TokenizeBody(_Strict):
    """``POST /tokenize``, as vLLM has it. With `add_special_tokens` the tokenizer adds what it adds by itself."""

    prompt: str
    model: str | None = None
    add_special_tokens: bool = False


def parse_body(shape: type[Body], raw: bytes) -> Body:
    """Reads JSON of one shape. Raises `BadRequest` naming the first field at fault."""
    try:
        return shape.model_validate_json(raw)
    except ValidationError as error:
        raise _explain(error.errors(include_url=False)[0]) from error


def _explain(first: Any) -> BadRequest:
    path = [str(part) for part in first["loc"]]
    where = ".".join(path) if path[:1] == ["stream_options"] else ".".join(path[:1])
    if first["type"] == "json_invalid":
        return BadRequest(f"the body is not JSON: {first['ctx']['error']}", code="invalid_json")
    if not where:
        return BadRequest("the body must be a JSON object", code="invalid_json")
    if first["type"] == "extra_forbidden":
        return BadRequest(f"unknown field {where}", code="unknown_field", param=where)
    if first["type"] == "missing":
        return BadRequest(f"the field {where} is missing", code="missing_field", param=where)
    return BadRequest(f"{where}: {_WANTED.get(where, first['msg'])}", code="invalid_value", param=where)
