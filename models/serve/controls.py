"""The controls of decoding that a request may name: read from its body, and refused where they can't go together.

A way of decoding that draws no tokens (beam search, contrastive search) refuses what only means something for drawn
ones. What the checkpoint's own defaults say about drawing does not count there, as in transformers' `generate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from models.engine.params import (
    DEFAULT_STRENGTH,
    MAX_BEAM_TOKENS,
    BadSampling,
    BeamParams,
    ContrastiveParams,
    SamplingParams,
)
from models.serve.errors import BadRequest
from models.serve.protocol import CompletionBody

MAX_PHRASES = 100
MAX_PHRASE_CHARS = 200
MAX_WORDS = 16
MAX_WORD_CHARS = 40
MAX_STRENGTH = 10
# Fields that go into `SamplingParams` as they are.
_AS_THEY_ARE = """temperature top_p min_p typical_p repetition_penalty presence_penalty frequency_penalty
    dry_multiplier dry_base dry_allowed_length dry_penalty_last_n""".split()
# Fields that shape how tokens are drawn, with the values that leave everything as it is where none is drawn.
_DRAWING: dict[str, tuple[Any, ...]] = {
    "temperature": (0,),
    "top_k": (0, -1),
    "top_p": (1,),
    "min_p": (0,),
    "typical_p": (1,),
}
# What beams do not know either; empty values pass.
_NOT_FOR_BEAMS = ("stop", "logprobs", "banned_phrases", "must_include")


def sampling_of(body: CompletionBody, defaults: SamplingParams, vocab_size: int) -> SamplingParams:
    """The checkpoint's defaults with what the request says instead. Raises `BadRequest`."""
    said: dict[str, Any] = {name: value for name in _AS_THEY_ARE if (value := getattr(body, name)) is not None}
    if body.top_k is not None:
        said["top_k"] = 0 if body.top_k == -1 else body.top_k  # vLLM writes "no limit" as -1
    if body.logit_bias is not None:
        said["logit_bias"] = _biases(body.logit_bias, vocab_size)
    if body.dry_sequence_breakers is not None:
        said["dry_sequence_breakers"] = tuple(body.dry_sequence_breakers)
    try:
        return replace(defaults, **said)
    except BadSampling as error:
        raise bad(error.param, str(error)) from error


def phrases_of(body: CompletionBody) -> tuple[str, ...]:
    """Raises `BadRequest` for too many, or for one that is empty or too long."""
    phrases = tuple(body.banned_phrases or ())
    if body.banned_phrases_case_sensitive and not phrases:
        raise bad("banned_phrases_case_sensitive", "banned_phrases_case_sensitive is only for banned_phrases")
    return _strings("banned_phrases", "a banned phrase", phrases, MAX_PHRASES, MAX_PHRASE_CHARS)


def words_of(body: CompletionBody, phrases: tuple[str, ...]) -> tuple[tuple[str, ...], float]:
    """The words that should appear, and how strongly. Raises `BadRequest`, also for one that a phrase forbids."""
    words, strength = tuple(body.must_include or ()), body.must_include_strength
    if strength is not None and not words:
        raise bad("must_include_strength", "must_include_strength is only for must_include")
    strength = DEFAULT_STRENGTH if strength is None else strength
    if not 0 <= strength <= MAX_STRENGTH:
        sentence = f"must_include_strength is {strength}; it must be between 0 and {MAX_STRENGTH}"
        raise bad("must_include_strength", sentence)
    for word in _strings("must_include", "a word to include", words, MAX_WORDS, MAX_WORD_CHARS):
        if word != word.strip():
            raise bad("must_include", f"must_include names {word!r}; a word has no space at its ends")
        if any(phrase.casefold() in word.casefold() for phrase in phrases):
            raise bad("must_include", f"must_include names {word!r}, which banned_phrases forbids")
    return words, strength


def beams_of(body: CompletionBody, n: int, max_tokens: int, max_width: int) -> BeamParams | None:
    """The beam search that is asked for. Raises `BadRequest`, also for what it can't be asked for together with."""
    width = 1 if body.beam_width is None else body.beam_width
    if not 1 <= width <= max_width:
        raise bad("beam_width", f"beam_width is {width}; it must be between 1 (no beam search) and {max_width}")
    if width == 1:
        for name in ("length_penalty", "early_stopping"):
            if getattr(body, name) is not None:
                raise bad(name, f"{name} is only for a beam_width above 1")
        return None
    _refuse_drawing(body, "beam_width", _DRAWING)
    for name in _NOT_FOR_BEAMS:
        if getattr(body, name) not in (None, "", []):
            raise bad(name, f"{name} is not for beam_width: leave one of them out")
    if n > width:
        raise bad("n", f"n is {n}; a beam search has at most beam_width ({width}) answers")
    if width * max_tokens > MAX_BEAM_TOKENS:
        sentence = f"beam_width times max_tokens is {width * max_tokens}; it must be at most {MAX_BEAM_TOKENS}"
        raise bad("beam_width", sentence)
    said = {name: value for name in ("length_penalty", "early_stopping") if (value := getattr(body, name)) is not None}
    try:
        return BeamParams(width, **said)
    except BadSampling as error:
        raise bad(error.param, str(error)) from error


def contrastive_of(body: CompletionBody, n: int, max_tokens: int, max_width: int) -> ContrastiveParams | None:
    """The contrastive search that is asked for. Raises `BadRequest`, also for what it can't be asked for together with.

    Its `top_k` are candidates that the model reads side by side; a checkpoint's default is not meant for that.
    """
    if not body.penalty_alpha:  # 0 is transformers' "no contrastive search"
        return None
    _refuse_drawing(body, "penalty_alpha", {name: values for name, values in _DRAWING.items() if name != "top_k"})
    if body.beam_width is not None and body.beam_width > 1:
        raise bad("beam_width", "beam_width is not for penalty_alpha: leave one of them out")
    if body.banned_phrases:
        raise bad("banned_phrases", "banned_phrases is not for penalty_alpha: leave one of them out")
    if n > 1:
        raise bad("n", f"n is {n}; a contrastive search (penalty_alpha) has 1 answer")
    if body.top_k is None or not 2 <= body.top_k <= max_width:
        raise bad("top_k", f"top_k is {body.top_k}; with penalty_alpha it must be between 2 and {max_width}")
    if body.top_k * max_tokens > MAX_BEAM_TOKENS:
        sentence = f"top_k times max_tokens is {body.top_k * max_tokens}; with penalty_alpha it must be at most"
        raise bad("top_k", f"{sentence} {MAX_BEAM_TOKENS}")
    try:
        return ContrastiveParams(body.penalty_alpha, body.top_k)
    except BadSampling as error:
        raise bad(error.param, str(error)) from error


def _refuse_drawing(body: CompletionBody, way: str, fields: Mapping[str, tuple[Any, ...]]) -> None:
    """Raises `BadRequest` where the body shapes how tokens are drawn although `way` draws none."""
    for name, neutral in fields.items():
        if (value := getattr(body, name)) is not None and value not in neutral:
            raise bad(name, f"{name} is for tokens that are drawn, and {way} draws none: leave one of them out")


def stops_of(stop: str | list[str] | None, max_stops: int, max_chars: int) -> tuple[str, ...]:
    """Raises `BadRequest` for too many, or for one that is empty or too long."""
    stops = () if stop is None else (stop,) if isinstance(stop, str) else tuple(stop)
    return _strings("stop", "a stop string", stops, max_stops, max_chars)


def _strings(param: str, name: str, strings: tuple[str, ...], most: int, max_chars: int) -> tuple[str, ...]:
    if len(strings) > most:
        raise bad(param, f"{param} holds {len(strings)} strings; at most {most} are taken")
    for each in strings:
        if not 0 < len(each) <= max_chars:
            raise bad(param, f"{name} has {len(each)} characters; it must have 1 to {max_chars}")
    return strings


def _biases(given: dict[str, float], vocab_size: int) -> tuple[tuple[int, float], ...]:
    """OpenAI writes token ids as strings."""
    biases: dict[int, float] = {}
    for name, bias in given.items():
        token = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else vocab_size
        if token >= vocab_size:
            raise bad("logit_bias", f"logit_bias names {name!r}; token ids go from 0 to {vocab_size - 1}")
        biases[token] = bias
    return tuple(biases.items())


def bad(param: str, message: str) -> BadRequest:
    """A field whose value is refused."""
    return BadRequest(message, code="invalid_value", param=param)
