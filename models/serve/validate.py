"""Checks a completion request against the model and the worker's limits: one rule, one message, the limit in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.engine.params import SEED_LIMIT
from models.engine.request import Request
from models.serve.controls import bad, beams_of, contrastive_of, phrases_of, sampling_of, stops_of, words_of
from models.serve.errors import BadRequest, NotFound
from models.serve.protocol import CompletionBody
from models.serve.tokens import PromptTokenizer

if TYPE_CHECKING:
    from models.engine.checkpoint import Checkpoint
    from models.serve.turns import WritingRequest

DEFAULT_MAX_TOKENS = 16  # OpenAI's
MAX_LOGPROBS = 5
MAX_STOPS = 8
MAX_STOP_CHARS = 200


@dataclass(frozen=True)
class Limits:
    """What the host allows."""

    max_n: int
    max_tokens: int


@dataclass(frozen=True)
class Order:
    """A checked request and how its answer is to be written.

    `echo` is the prompt's text where it is to be repeated. `num_added` ids at the beginning of the prompt were not in
    the client's text.
    """

    request: WritingRequest
    model: str
    echo: str | None
    num_added: int
    is_streamed: bool
    is_usage_streamed: bool


class Validator:
    """Makes orders; a request names the model, or one of its adapters. `others` are served too, but not by these rules.

    `draw_seed` gives a fresh seed to requests without one, `draw_id` an id to every request.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        tokenizer: PromptTokenizer,
        limits: Limits,
        *,
        draw_seed: Callable[[], int],
        draw_id: Callable[[], str],
        adapters: Collection[str] = (),
        others: Collection[str] = (),
    ) -> None:
        self._checkpoint = checkpoint
        self._adapters = frozenset(adapters)
        self._others = tuple(others)
        self._limits = limits
        self._draw_seed = draw_seed
        self._draw_id = draw_id
        self.tokenizer = tokenizer

    def order(self, body: CompletionBody) -> Order:
        """Tokenizes, so it may take a while for a long prompt. Raises `BadRequest` or `NotFound`."""
        self.check_model(body.model)
        _check_unsupported(body)
        n = _within("n", body.n, 1, 1, self._limits.max_n)
        max_tokens = _within("max_tokens", body.max_tokens, DEFAULT_MAX_TOKENS, 0, self._limits.max_tokens)
        num_logprobs = None if body.logprobs is None else _within("logprobs", body.logprobs, 0, 0, MAX_LOGPROBS)
        seed = None if body.seed is None else _within("seed", body.seed, 0, 0, SEED_LIMIT - 1)
        stop = stops_of(body.stop, MAX_STOPS, MAX_STOP_CHARS)
        sampling = sampling_of(body, self._checkpoint.sampling, self._checkpoint.vocab_size)
        phrases = phrases_of(body)
        words, strength = words_of(body, phrases)
        beams = beams_of(body, n, max_tokens, self._limits.max_n)
        contrastive = contrastive_of(body, n, max_tokens, self._limits.max_n)
        if body.stream_options is not None and not body.stream:
            raise bad("stream_options", "stream_options is only for stream=true")
        text, ids = self._prompt(body)
        added = self._added(ids)
        self._check_fits(len(added) + len(ids), max_tokens)
        request = Request(
            id=self._draw_id(),
            prompt_ids=(*added, *ids),
            seed=self._draw_seed() if seed is None else seed,
            n=n,
            max_tokens=max_tokens,
            sampling=sampling,
            stop=stop,
            num_logprobs=num_logprobs,
            prompt_logprobs=bool(body.echo) and num_logprobs is not None,
            adapter=body.model if body.model in self._adapters else None,
            banned_phrases=phrases,
            banned_phrases_case_sensitive=bool(body.banned_phrases_case_sensitive),
            must_include=words,
            must_include_strength=strength,
            beams=beams,
            contrastive=contrastive,
        )
        is_usage_streamed = body.stream_options is not None and bool(body.stream_options.include_usage)
        echo = None if not body.echo else self.tokenizer.decode(ids) if text is None else text
        return Order(request, body.model, echo, len(added), bool(body.stream), is_usage_streamed)

    def check_model(self, model: str) -> None:
        """Raises `NotFound` for any model but the served one and its adapters."""
        if model != self._checkpoint.name and model not in self._adapters:
            names = (self._checkpoint.name, *sorted(self._adapters), *self._others)
            served = ", ".join(map(repr, names))
            raise NotFound(
                f"the model {model!r} is not served here; {served} {'are' if len(names) > 1 else 'is'}",
                code="model_not_found",
                param="model",
            )

    def _prompt(self, body: CompletionBody) -> tuple[str | None, list[int]]:
        """The prompt's text where the client gave text or a suffix, and its ids."""
        prompt = body.prompt
        if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int):
            if len(prompt) > 1:
                raise bad("prompt", f"prompt holds {len(prompt)} prompts; at most 1 per request is taken")
            prompt = prompt[0]
        if isinstance(prompt, str):
            text = self._with_suffix(body, prompt)
            return text, self.tokenizer.encode(text)
        ids = [i for i in prompt if isinstance(i, int)]
        for place, token in enumerate(ids):
            if not 0 <= token < self._checkpoint.vocab_size:
                sentence = f"prompt[{place}] is {token}; token ids go from 0 to {self._checkpoint.vocab_size - 1}"
                raise bad("prompt", sentence)
        if not body.suffix:
            return None, ids
        text = self._with_suffix(body, self.tokenizer.decode(ids))
        return text, self.tokenizer.encode(text)

    def _with_suffix(self, body: CompletionBody, prompt: str) -> str:
        """The prompt for what stands between it and the body's suffix, as the model was taught to read it."""
        if not body.suffix:
            return prompt
        fmt = self._checkpoint.story_format
        if fmt is None or not fmt.suffix:
            raise bad("suffix", f"suffix is not served by {body.model}: it was not taught to fill a gap")
        if body.echo:
            raise bad("suffix", "suffix can't be had together with echo: what was asked is not one text")
        return fmt.with_suffix(prompt, body.suffix)

    def _added(self, ids: list[int]) -> list[int]:
        """The beginning token, where the tokenizer asks for one or there is nothing else to begin from."""
        bos = self._checkpoint.bos_id
        if not ids and bos is None:
            raise bad("prompt", "prompt is empty, and this model has no token to begin from; at least 1 is needed")
        if bos is None or (ids and (ids[0] == bos or not self._checkpoint.is_bos_prepended)):
            return []
        return [bos]

    def _check_fits(self, num_prompt: int, max_tokens: int) -> None:
        context = self._checkpoint.context_tokens
        if num_prompt + max_tokens > context:
            raise BadRequest(
                f"the prompt has {num_prompt} tokens and max_tokens is {max_tokens}: together "
                f"{num_prompt + max_tokens}, and this model's limit is {context}",
                code="context_length_exceeded",
                param="prompt",
            )


def _check_unsupported(body: CompletionBody) -> None:
    """Fields of OpenAI's API that are not served: their neutral values pass, the others are refused."""
    if body.user is not None:
        raise bad("user", "user is not served here: nothing is recorded by user; leave it out")
    if body.best_of is not None and body.best_of != (1 if body.n is None else body.n):
        raise bad("best_of", "best_of must equal n: candidates are not ranked here")


def _within(param: str, value: int | None, default: int, low: int, high: int) -> int:
    """`value` or the default (which a low limit lowers too). Raises `BadRequest` out of bounds."""
    if value is None:
        return min(default, high)
    if not low <= value <= high:
        raise bad(param, f"{param} is {value}; it must be between {low} and {high}")
    return value
