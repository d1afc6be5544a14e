"""A checkpoint on this machine: scored by its own model, written with by the project's engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

import torch
from transformers import AutoModelForCausalLM

from models.engine.budget import plan_slots
from models.engine.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from models.engine.events import Delta, Event, Failed, FinishReason, RowFinished
from models.engine.families import NoNetwork, build_network
from models.engine.interface import Engine
from models.engine.placement import PlacementError
from models.engine.serial import SerialEngine
from models.engine.story_format import PLAIN, StoryFormat
from models.engine.weaving import WeavingEngine
from models.evaluate.asking import request_of
from models.evaluate.bits import NothingToScore, TextScore, score_text
from models.evaluate.subject import Ask, Candidate, CannotOpen, NotAvailable, Tick, Timing, no_tick

MAX_WINDOW = 1024
"""Longer contexts are scored in windows of this size: the logits of a window must fit into memory."""
_Result = TypeVar("_Result")


class LocalSubject:
    """See `subject.Subject`. The engine is made when the first text is written; until then it takes no memory."""

    def __init__(self, checkpoint: Checkpoint, label: str | None = None, window: int | None = None) -> None:
        self._checkpoint = checkpoint
        self._label = label or checkpoint.name
        self._has_written = False
        self._window = min(window or MAX_WINDOW, checkpoint.context_tokens)
        self._templates = checkpoint.story_format or PLAIN

    @property
    def label(self) -> str:
        return self._label

    @property
    def templates(self) -> StoryFormat:
        return self._templates

    @property
    def context_tokens(self) -> int | None:
        return self._checkpoint.context_tokens

    @property
    def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    def describe(self) -> dict[str, Any]:
        checkpoint = self._checkpoint
        return {
            "kind": "checkpoint",
            "name": checkpoint.name,
            "revision": checkpoint.revision,
            "parameters": checkpoint.model.num_parameters(),
            "vocabulary": checkpoint.vocab_size,
            "context_tokens": checkpoint.context_tokens,
            "story_format": self._templates.version if self._templates is not PLAIN else None,
            "dtype": str(checkpoint.dtype).removeprefix("torch."),
            "device": checkpoint.device.type,
        }

    def num_tokens(self, text: str) -> int | None:
        return len(self._encode(text))

    def document_score(self, text: str) -> TextScore:
        return self.score("", text)

    def file_score(self, text: str) -> TextScore:
        return self._score("", text)

    def score(self, given: str, text: str) -> TextScore:
        return self._score(given or self._beginning, text)

    def write(self, asks: Sequence[Ask], tick: Tick = no_tick) -> list[tuple[Candidate, ...]]:
        self._has_written = True
        requests = [request_of(str(i), self._prompt_ids(ask), ask) for i, ask in enumerate(asks)]
        events: dict[str, list[Event]] = {request.id: [] for request in requests}
        for request in requests:
            self._engine.add(request)
        while self._engine.has_work:
            for event in self._engine.step():
                events[event.request_id].append(event)
                _raise_failed(event)
                if isinstance(event, RowFinished) and event.index == 0:
                    tick()
        return [_candidates(events[request.id], request.n) for request in requests]

    def close(self) -> None:
        """Nothing to let go of."""

    def time(self, ask: Ask) -> Timing:
        if self._has_written:  # a prompt that was read before would be quicker
            self._engine.reset()
            self._has_written = False
        begun, first, num_tokens = time.perf_counter(), None, 0
        self._engine.add(request_of("timed", self._prompt_ids(ask), ask))
        while self._engine.has_work:
            for event in self._engine.step():
                _raise_failed(event)
                if isinstance(event, Delta) and first is None:
                    first = time.perf_counter()
                if isinstance(event, RowFinished):
                    num_tokens += event.num_tokens
        end = time.perf_counter()
        return Timing((first or end) - begun, end - begun, num_tokens)

    @property
    def _beginning(self) -> str:
        """What a document of this model begins with: its format's start, or the token that begins texts."""
        token = self._checkpoint.tokenizer.bos_token
        return self._templates.document_start or (token if isinstance(token, str) else "")

    def _score(self, given: str, text: str) -> TextScore:
        checkpoint = self._checkpoint
        try:
            return score_text(checkpoint.model, checkpoint.tokenizer, text, prefix=given, window=self._window)
        except NothingToScore as error:
            raise NotAvailable(str(error)) from error

    def _prompt_ids(self, ask: Ask) -> list[int]:
        ids, bos = self._encode(ask.prompt), self._checkpoint.bos_id
        if bos is not None and (not ids or (self._checkpoint.is_bos_prepended and ids[0] != bos)):
            ids = [bos, *ids]
        if len(ids) + ask.max_tokens > self._checkpoint.context_tokens:
            limit = self._checkpoint.context_tokens
            raise NotAvailable(f"a prompt of {len(ids)} tokens and {ask.max_tokens} more pass the limit of {limit}")
        return ids

    def _encode(self, text: str) -> list[int]:
        return list(self._checkpoint.tokenizer(text, add_special_tokens=False)["input_ids"])

    @cached_property
    def _engine(self) -> Engine:
        """The fast one where the family has one. The checkpoint's model stays: it scores."""
        try:
            network = build_network(self._checkpoint)
        except NoNetwork:
            return SerialEngine(self._checkpoint)
        budget = plan_slots(network.shape, self._checkpoint.context_tokens, None)
        return WeavingEngine(self._checkpoint, network, budget.num_slots, budget.num_columns)


def open_checkpoint(source: str, device: str, dtype: str, window: int | None = None) -> LocalSubject:
    """A folder or a hub name. Raises `CannotOpen`."""
    return LocalSubject(_opened(lambda: load_checkpoint(source, device=device, dtype=dtype)), window=window)


def make_untrained(subject: LocalSubject, seed: int) -> LocalSubject:
    """The same architecture and tokenizer with weights as they are before any training."""
    old = subject.checkpoint
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(old.model.config, dtype=old.dtype)
    torch.nn.Module.to(model, old.device)
    model.eval()
    fresh = replace(old, model=model, revision=f"untrained, seed {seed}")
    return LocalSubject(fresh, f"{subject.label}, untrained", subject._window)


def _opened(load: Callable[[], _Result]) -> _Result:
    try:
        return load()
    except (CheckpointError, PlacementError) as error:
        raise CannotOpen(str(error)) from error


def _raise_failed(event: Event) -> None:
    if isinstance(event, Failed):
        raise NotAvailable(f"the engine failed: {event.message}")


def _candidates(events: Sequence[Event], n: int) -> tuple[Candidate, ...]:
    texts = ["".join(e.text for e in events if isinstance(e, Delta) and e.index == row) for row in range(n)]
    ends = {e.index: e for e in events if isinstance(e, RowFinished)}
    return tuple(
        Candidate(text.strip(), ends[row].reason is FinishReason.STOP, ends[row].num_tokens, ends[row].seed)
        for row, text in enumerate(texts)
    )
