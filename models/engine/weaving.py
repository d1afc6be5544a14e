"""The engine for models with a forward pass of our own: all requests move on together, prompts are read once.

Every step computes the rows of all requests that write, and beside them a bounded number of tokens of prompts that are
being read, so a new story never stalls a running one. Joining, ending and cancelling take effect at the next step.
Each request has a slot (see `slots`); where all are taken, it waits.

What it does not know: other models than `families` lists (`serial` serves those).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import torch

from models.engine.batching import batch_of
from models.engine.checkpoint import Checkpoint
from models.engine.events import Cancelled, Done, Event, Failed, FailureKind
from models.engine.failures import describe_failure, free_memory
from models.engine.gpu.decoder import Decoder, Drawn
from models.engine.growth import Growth, Part, Result
from models.engine.network import Network
from models.engine.request import Request
from models.engine.sampling import draw
from models.engine.slots import SlotPool
from models.engine.ways import growth_for

log = logging.getLogger(__name__)

MAX_READ = 256
"""Tokens of prompts in one step. More would read sooner and make those who write wait longer."""
UNHURRIED = 2
"""So many times that where nobody writes. Larger matrices are multiplied sooner, but who comes waits for the step."""


class WeavingEngine:
    """See `interface.Engine`. `adapters` are those whose updates lie over the network.

    With a `decoder` for these slots, rows that it can take are written by it.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        network: Network,
        num_slots: int,
        num_columns: int,
        max_read: int = MAX_READ,
        adapters: Collection[str] = (),
        decoder: Decoder | None = None,
    ) -> None:
        self._checkpoint = checkpoint
        self._network = network
        self._max_read = max_read
        self._adapters = frozenset(adapters)
        self._decoder = decoder
        cache = None if decoder is None else decoder.memory.by_slot
        self.pool = SlotPool(network.shape, num_slots, num_columns, cache)
        self._waiting: deque[Request] = deque()
        self._running: list[Growth] = []
        self._cancelled: list[Cancelled] = []
        self.num_steps = 0

    @property
    def max_running(self) -> int:
        return len(self.pool.slots)

    @property
    def has_work(self) -> bool:
        return bool(self._running or self._waiting or self._cancelled)

    def add(self, request: Request) -> None:
        if any(request.id == known.id for known in (*self._waiting, *(growth.request for growth in self._running))):
            raise ValueError(f"request {request.id} is already here")
        if request.adapter is not None and request.adapter not in self._adapters:
            raise ValueError(f"there is no adapter {request.adapter} here")
        self._waiting.append(request)

    def cancel(self, request_id: str) -> None:
        for growth in [g for g in self._running if g.request.id == request_id]:
            self._cancelled.append(Cancelled(request_id, growth.num_generated))
            self._end(growth)
        for request in [r for r in self._waiting if r.id == request_id]:
            self._cancelled.append(Cancelled(request_id, 0))
            self._waiting.remove(request)

    @torch.inference_mode()
    def step(self) -> list[Event]:
        events: list[Event] = [*self._cancelled]
        self._cancelled.clear()
        events += self._admit()
        if not self._running:
            return events
        self.num_steps += 1
        events += self._write_ahead()
        moving = self._parts()
        results = self._compute([part for _, part in moving]) if moving else []
        for (growth, part), result in zip(moving, results, strict=True):
            events += self._absorb(growth, part, result)
        while asking := [growth for growth in self._running if growth.asking]:
            for growth, tokens in zip(asking, self._draw(asking), strict=True):
                events += self._take(growth, tokens)
        return events

    def reset(self) -> None:
        self._waiting.clear()
        self._cancelled.clear()
        self._running.clear()
        if self._decoder is not None:
            self._decoder.forget()
        for slot in self.pool.slots:
            self.pool.give_back(slot)
            self.pool.wipe(slot)
        free_memory()

    def begin(self, request: Request) -> Growth:
        """Gives the request a slot at once. Raises `ValueError` where none is free."""
        is_fresh = request.prompt_logprobs or request.contrastive is not None
        slot = self.pool.take(request.prompt_ids, request.adapter, is_fresh=is_fresh)
        if slot is None:
            raise ValueError("all slots are taken")
        try:
            growth = growth_for(request)(request, self._checkpoint, slot, self._network.shape, self.pool.num_columns)
        except Exception:
            self.pool.give_back(slot)
            raise
        growth.is_ahead = self._decoder is not None and self._decoder.can_take(request, self._running)
        self._running.append(growth)
        return growth

    def _admit(self) -> list[Event]:
        """Gives slots to those who wait, in their order, as far as there are any."""
        events: list[Event] = []
        while self._waiting and self.pool.num_free:
            request = self._waiting.popleft()
            try:
                self.begin(request)
            except Exception as error:
                log.exception("request %s could not begin", request.id)
                events.append(describe_failure(request.id, error))
        return events

    def _parts(self) -> list[tuple[Growth, Part]]:
        """All that write here, and of those that read as many as fit, in the order they came.

        Those of one adapter stand together, so that its update is one product.
        """
        moving = [(growth, growth.part(0)) for growth in self._running if not (growth.is_reading or growth.is_ahead)]
        is_writing = any(not growth.is_reading for growth in self._running)
        left = self._max_read if is_writing else UNHURRIED * self._max_read
        for growth in self._running:
            if growth.is_reading and left > 0:
                part = growth.part(left)
                left -= len(part.ids)
                moving.append((growth, part))
        return sorted(moving, key=lambda pair: pair[1].adapter or "")

    def _write_ahead(self) -> list[Event]:
        """The decoder's next step; what those say for which it has drawn tokens in the last one."""
        results = self._decoder.step(self._running) if self._decoder is not None else []
        return [event for growth, drawn in results for event in self._take_ahead(growth, drawn)]

    def _take_ahead(self, growth: Growth, drawn: Drawn | Failed) -> list[Event]:
        if isinstance(drawn, Failed):
            return self._fail(growth, drawn)
        return self._move(growth, lambda: growth.take_ahead(drawn))

    def _compute(self, parts: Sequence[Part]) -> list[Result | Failed]:
        """What each part wanted. Where computing them together fails, each is tried alone, so that one fails alone."""
        try:
            return [*self._forward(parts)]
        except Exception as error:
            log.exception("a step over %d requests failed", len(parts))
            failed = describe_failure("", error)
        # Outside the handler, because its traceback still holds the tensors.
        if failed.kind is FailureKind.OUT_OF_MEMORY:
            free_memory()
        return [failed] if len(parts) == 1 else [self._compute([part])[0] for part in parts]

    def _forward(self, parts: Sequence[Part]) -> list[Result]:
        batch, sizes = batch_of(parts, self._network.shape.device), [len(part.wanted) for part in parts]
        found = self._network.forward(batch, self.pool.cache)
        if not batch.wants_hidden:
            return [Result(logits) for logits in torch.split(found, sizes)]
        both = zip(torch.split(self._network.head(found), sizes), torch.split(found, sizes), strict=True)
        return [Result(logits, hidden) for logits, hidden in both]

    def _absorb(self, growth: Growth, part: Part, result: Result | Failed) -> list[Event]:
        if isinstance(result, Failed):
            return self._fail(growth, result)
        return self._move(growth, lambda: growth.absorb(part, result))

    def _draw(self, asking: Sequence[Growth]) -> list[list[int] | Failed]:
        """A token for each row that asks. Where drawing for all fails, it is done for each request alone."""
        try:
            tokens = iter(draw([row for growth in asking for row in growth.asking], [g.asked for g in asking]))
            return [[next(tokens) for _ in growth.asking] for growth in asking]
        except Exception as error:
            log.exception("drawing for %d requests failed", len(asking))
            failed = describe_failure("", error)
        return [failed] if len(asking) == 1 else [self._draw([growth])[0] for growth in asking]

    def _take(self, growth: Growth, tokens: Sequence[int] | Failed) -> list[Event]:
        if isinstance(tokens, Failed):
            return self._fail(growth, tokens)
        return self._move(growth, lambda: growth.take(tokens))

    def _move(self, growth: Growth, go_on: Callable[[], list[Event]]) -> list[Event]:
        """What the request says as it goes on, its end included."""
        request = growth.request
        try:
            events = go_on()
        except Exception as error:
            log.exception("request %s failed", request.id)
            failed = describe_failure(request.id, error)
        else:
            if growth.is_over:
                self._end(growth)
                events.append(Done(request.id, len(request.prompt_ids), growth.num_generated))
            return events
        return self._fail(growth, failed)

    def _fail(self, growth: Growth, failed: Failed) -> list[Event]:
        self._end(growth)
        self.pool.wipe(growth.slot)
        if failed.kind is FailureKind.OUT_OF_MEMORY:
            free_memory()
        return [replace(failed, request_id=growth.request.id)]

    def _end(self, growth: Growth) -> None:
        self._running.remove(growth)
        self.pool.give_back(growth.slot)
