"""Checks a completion request to a masked model: what it takes is listed, everything else is refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from models.engine.masked.orders import Order as WritingOrder
from models.engine.masked.orders import num_forwards
from models.engine.masked.plan import Plan, plan_fill, plan_rewrite
from models.engine.masked.request import DEFAULT_PASSES, DEFAULT_SHARE, MAX_PASSES, SHARES, MaskedRequest
from models.engine.masked.window import TooLong
from models.engine.params import SEED_LIMIT, SamplingParams
from models.serve.controls import bad, phrases_of, sampling_of
from models.serve.errors import BadRequest
from models.serve.protocol import CompletionBody
from models.serve.validate import DEFAULT_MAX_TOKENS, Limits, Order

if TYPE_CHECKING:
    from models.engine.masked.checkpoint import MaskedCheckpoint

MAX_KEEP = 100
MAX_KEEP_CHARS = 200
MAX_FORWARDS = 1024
"""Readings that one row may take, left to right: its words times its passes."""

MASKED_ONLY = ("middle", "mask_share", "passes", "order", "keep")
_REWRITE_ONLY = ("mask_share", "keep")
_TAKEN = {
    *("model", "prompt", "suffix", "max_tokens", "n", "seed", "stream", "stream_options"),
    *("temperature", "top_k", "top_p", "min_p", "banned_phrases", "banned_phrases_case_sensitive"),
    *MASKED_ONLY,
}
# Values of other fields that ask for nothing; of a field that is not listed here, every value is refused.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "typical_p": (1,),
    "repetition_penalty": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "dry_multiplier": (0,),
    "must_include": ([],),
    "penalty_alpha": (0,),
    "beam_width": (1,),
    "stop": ([],),
    "echo": (False,),
}


def refuse_masked_fields(body: CompletionBody) -> None:
    """For a request to any other model. Raises `BadRequest` for what only masked models take."""
    for name in MASKED_ONLY:
        if getattr(body, name) is not None:
            raise bad(name, f"only masked models take {name}; /v1/models says of which kind a model is")


class MaskedValidator:
    """Makes orders for the masked model; see `validate.Validator`."""

    def __init__(
        self,
        checkpoint: MaskedCheckpoint,
        limits: Limits,
        *,
        draw_seed: Callable[[], int],
        draw_id: Callable[[], str],
    ) -> None:
        self._checkpoint = checkpoint
        self._limits = limits
        self._draw_seed = draw_seed
        self._draw_id = draw_id

    def order(self, body: CompletionBody) -> Order:
        """Tokenizes, so it may take a while for long texts. Raises `BadRequest`."""
        _refuse_others(body)
        if body.stream_options is not None and not body.stream:
            raise bad("stream_options", "stream_options is only for stream=true")
        request = MaskedRequest(
            id=self._draw_id(),
            seed=self._draw_seed() if body.seed is None else int(_within("seed", body.seed, 0, 0, SEED_LIMIT - 1)),
            n=int(_within("n", body.n, 1, 1, self._limits.max_n)),
            share=_within("mask_share", body.mask_share, DEFAULT_SHARE, *SHARES),
            passes=int(_within("passes", body.passes, DEFAULT_PASSES, 1, MAX_PASSES)),
            order=_order(body.order),
            sampling=sampling_of(body, SamplingParams(), self._checkpoint.vocab_size),
            banned_phrases=phrases_of(body),
            banned_phrases_case_sensitive=bool(body.banned_phrases_case_sensitive),
            plan=self._plan(body),
        )
        _check_work(request)
        is_usage_streamed = body.stream_options is not None and bool(body.stream_options.include_usage)
        return Order(request, body.model, None, 0, bool(body.stream), is_usage_streamed)

    def _plan(self, body: CompletionBody) -> Plan:
        before, after = _text(body.prompt), body.suffix or ""
        try:
            if body.middle is None:
                return plan_fill(self._checkpoint, before, after, self._length(body))
            plan = plan_rewrite(self._checkpoint, before, body.middle, after, keep=_kept(body.keep))
        except TooLong as error:
            param = "max_tokens" if body.middle is None else "middle"
            raise BadRequest(f"{param}: {error}", code="context_length_exceeded", param=param) from error
        if not plan.slots:
            raise bad(
                "middle",
                "middle has no word that may change: names, numbers, the words of keep and those that this model's "
                "vocabulary does not have whole stay as they are; at least 1 other is needed",
            )
        return plan

    def _length(self, body: CompletionBody) -> int:
        """How many words and marks a gap gets."""
        for name in _REWRITE_ONLY:
            if getattr(body, name) is not None:
                raise bad(name, f"{name} is only for middle: a gap is written from nothing")
        return int(_within("max_tokens", body.max_tokens, DEFAULT_MAX_TOKENS, 1, self._limits.max_tokens))


def _refuse_others(body: CompletionBody) -> None:
    for name in type(body).model_fields:
        value = getattr(body, name)
        if name in _TAKEN or value is None or value in _NEUTRAL.get(name, ()):
            continue
        if name == "best_of" and value == (1 if body.n is None else body.n):
            continue
        raise bad(name, f"{name} is not for masked models: leave it out")
    if body.middle is not None and body.max_tokens is not None:
        raise bad("max_tokens", "max_tokens is not for middle: a rewrite has as many words as there were")


def _check_work(request: MaskedRequest) -> None:
    found = num_forwards(request.order, request.num_chosen, request.passes)
    if found > MAX_FORWARDS:
        raise bad(
            "passes",
            f"passes is {request.passes} over {request.num_chosen} words, one after another: together {found} "
            f"readings, and at most {MAX_FORWARDS} are made",
        )


def _order(name: str | None) -> WritingOrder:
    names = [each.value for each in WritingOrder]
    if name is None:
        return WritingOrder.PARALLEL
    if name not in names:
        raise bad("order", f"order is {name!r}; it must be {' or '.join(map(repr, names))}")
    return WritingOrder(name)


def _text(prompt: object) -> str:
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise bad("prompt", "prompt must be one text for a masked model, not token ids or several texts")
    return prompt


def _kept(keep: list[str] | None) -> tuple[str, ...]:
    kept = tuple(keep or ())
    if len(kept) > MAX_KEEP:
        raise bad("keep", f"keep holds {len(kept)} strings; at most {MAX_KEEP} are taken")
    for each in kept:
        if not each.strip() or len(each) > MAX_KEEP_CHARS:
            raise bad("keep", f"keep names {each[:40]!r}; each has 1 to {MAX_KEEP_CHARS} characters, not only spaces")
    return kept


def _within(param: str, value: float | None, default: float, low: float, high: float) -> float:
    """`value` or the default (which a low limit lowers too). Raises `BadRequest` out of bounds."""
    if value is None:
        return min(default, high)
    if not low <= value <= high:
        raise bad(param, f"{param} is {value}; it must be between {low} and {high}")
    return value
