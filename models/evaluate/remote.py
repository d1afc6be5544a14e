"""A model behind a URL: Talewright's worker, vLLM, llama.cpp's server, or a hosted one.

A server may leave out what OpenAI's API does not have: a story format (then the plain one is used), token counts
and the log probabilities of a prompt (then what needs them is not available).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from models.engine.story_format import PLAIN, StoryFormat, StoryFormatError
from models.evaluate.bits import NothingToScore, TextScore, score_ids
from models.evaluate.server import Json, Server
from models.evaluate.subject import Ask, Candidate, CannotOpen, NotAvailable, Tick, Timing, no_tick

_WINDOW = 1024


class RemoteSubject:
    """See `subject.Subject`."""

    def __init__(self, server: Server, window: int | None = None) -> None:
        self._server = server
        limit = server.card.get("max_model_len")
        self._context = limit if isinstance(limit, int) else None
        self._window = min(window or _WINDOW, self._context or _WINDOW)
        try:
            said = server.card.get("story_format")
            self._templates = PLAIN if said is None else StoryFormat.from_json(said)
        except StoryFormatError as error:
            server.close()
            raise CannotOpen(f"{server.address}: {error}") from error

    @property
    def label(self) -> str:
        return f"{self._server.model} at {self._server.address}"

    @property
    def templates(self) -> StoryFormat:
        return self._templates

    @property
    def context_tokens(self) -> int | None:
        return self._context

    @property
    def server(self) -> Server:
        return self._server

    def describe(self) -> dict[str, Any]:
        return {
            "kind": "server",
            "address": self._server.address,
            "name": self._server.model,
            "revision": self._server.card.get("revision"),
            "context_tokens": self._context,
            "story_format": self._templates.version if self._templates is not PLAIN else None,
        }

    def num_tokens(self, text: str) -> int | None:
        ids = self._server.tokenize(text)
        return None if ids is None else len(ids)

    def document_score(self, text: str) -> TextScore:
        return self._score(self._templates.document_start, text)

    def file_score(self, text: str) -> TextScore:
        return self._score("", text)

    def score(self, given: str, text: str) -> TextScore:
        return self._score(given, text)

    def write(self, asks: Sequence[Ask], tick: Tick = no_tick) -> list[tuple[Candidate, ...]]:
        answers = []
        for ask in asks:
            answers.append(_candidates(self._server.complete(body_of(ask)), ask.n))
            tick()
        return answers

    def close(self) -> None:
        self._server.close()

    def time(self, ask: Ask) -> Timing:
        begun, first, num_tokens = time.perf_counter(), None, None
        for chunk in self._server.stream(body_of(ask)):
            if first is None and any(choice.get("text") for choice in chunk["choices"]):
                first = time.perf_counter()
            if chunk.get("usage"):
                num_tokens = int(chunk["usage"]["completion_tokens"])
        end = time.perf_counter()
        if num_tokens is None:
            raise NotAvailable("the server does not say how many tokens it wrote (stream_options.include_usage)")
        return Timing((first or end) - begun, end - begun, num_tokens)

    def _score(self, given: str, text: str) -> TextScore:
        """Through ids where the server gives them: then windows are what they are for a checkpoint here."""
        before, ids = self._server.tokenize(given) if given else [], self._server.tokenize(text)
        if before is None or ids is None:
            return self._score_at_once(given, text)
        try:
            return score_ids([*before, *ids], max(len(before), 1), self._window, len(text.encode()), self._nats)
        except NothingToScore as error:
            raise NotAvailable(str(error)) from error

    def _nats(self, ids: list[int], since: int) -> float:
        return -float(sum(self._logprobs(ids)["token_logprobs"][since:]))

    def _score_at_once(self, given: str, text: str) -> TextScore:
        """The whole text in one request; the server refuses it where it is too long."""
        said = self._logprobs(given + text)
        pairs = zip(said["token_logprobs"], said["text_offset"], strict=True)
        found = [logprob for logprob, place in pairs if place >= len(given) and logprob is not None]
        if not found:
            raise NotAvailable("the text has no token to predict")
        return TextScore(-sum(found), len(found), len(text.encode()), len(said["token_logprobs"]), 0)

    def _logprobs(self, prompt: str | list[int]) -> Json:
        answer = self._server.complete({"prompt": prompt, "max_tokens": 0, "echo": True, "logprobs": 1})
        said = answer["choices"][0].get("logprobs")
        if not said or not said.get("token_logprobs"):
            raise NotAvailable("the server gives no log probabilities of a prompt (echo with logprobs)")
        return dict(said)


def body_of(ask: Ask) -> Json:
    """The request's body; the server gets no field that was not asked for."""
    # Beams know no stop strings; the model's own end is theirs.
    stop = {"stop": list(ask.stop)} if ask.stop and ask.fields.get("beam_width", 1) == 1 else {}
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in ask.fields.items()}
    return {"prompt": ask.prompt, "n": ask.n, "max_tokens": ask.max_tokens, "seed": ask.seed, **stop, **said}


def _candidates(answer: Json, n: int) -> tuple[Candidate, ...]:
    choices = answer["choices"]
    if len(choices) != n:
        raise NotAvailable(f"the server gave {len(choices)} candidates instead of {n}")
    return tuple(
        Candidate(choice["text"].strip(), choice.get("finish_reason") == "stop", None, choice.get("seed"))
        for choice in choices
    )
