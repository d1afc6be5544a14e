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

from models.engine.checkpoint import Checkpoint
from models.engine.events import Cancelled, Done, Event, Failed, FailureKind
from models.engine.failures import describe_failure, free_memory
from models.engine.gpu.decoder import Decoder, Drawn
from models.engine.growth import Growth, Part
from models.engine.network import Batch, Network, Segment, Span
from models.engine.request import Request
from models.engine.sampling import draw
from models.engine.slots import SlotPool

log = logging.getLogger(__name__)

MAX_READ = 256
"""Tokens of prompts in one step. More would read sooner and make those who write wait longer."""


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
        self._admit()
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
        slot = self.pool.take(request.prompt_ids, request.adapter, is_fresh=request.prompt_logprobs)
        if slot is None:
            raise ValueError("all slots are taken")
        growth = Growth(request, self._checkpoint, slot, self._network.shape, self.pool.num_columns)
        growth.is_ahead = self._decoder is not None and self._decoder.can_take(request, self._running)
        self._running.append(growth)
        return growth

    def _admit(self) -> None:
        """Gives slots to those who wait, in their order, as far as there are any."""
        while self._waiting and self.pool.num_free:
            self.begin(self._waiting.popleft())

    def _parts(self) -> list[tuple[Growth, Part]]:
        """All that write here, and of those that read as many as fit, in the order they came.

        Those of one adapter stand together, so that its update is one product.
        """
        moving = [(growth, growth.part(0)) for growth in self._running if not (growth.is_reading or growth.is_ahead)]
        left = self._max_read
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

    def _compute(self, parts: Sequence[Part]) -> list[torch.Tensor | Failed]:
        """Each part's logits. Where computing them together fails, each is tried alone, so that one fails alone."""
        try:
            return [*self._forward(parts)]
        except Exception as error:
            log.exception("a step over %d requests failed", len(parts))
            failed = describe_failure("", error)
        # Outside the handler, because its traceback still holds the tensors.
        if failed.kind is FailureKind.OUT_OF_MEMORY:
            free_memory()
        return [failed] if len(parts) == 1 else [self._compute([part])[0] for part in parts]

    def _forward(self, parts: Sequence[Part]) -> Sequence[torch.Tensor]:
        device = self._network.shape.device
        logits = self._network.forward(batch_of(parts, device), self.pool.cache)
        return torch.split(logits, [len(part.wanted) for part in parts])

    def _absorb(self, growth: Growth, part: Part, result: torch.Tensor | Failed) -> list[Event]:
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


def batch_of(parts: Sequence[Part], device: torch.device) -> Batch:
    """The parts one below the other."""
    ids: list[int] = []
    positions: list[int] = []
    wanted: list[int] = []
    segments: list[Segment] = []
    spans: list[Span] = []
    for part in parts:
        first = len(ids)
        ids += part.ids
        positions += part.positions
        wanted += [first + row for row in part.wanted]
        place = (first, len(part.ids), part.slot, part.columns, part.width)
        segments.append(Segment(*place, part.mask, part.is_reading, part.woven_from, part.stride))
        if part.adapter is not None:
            _extend(spans, part.adapter, first, len(part.ids))
    return Batch(
        ids=torch.tensor(ids, device=device),
        positions=torch.tensor(positions, device=device),
        segments=tuple(segments),
        wanted=torch.tensor(wanted, device=device, dtype=torch.long),
        spans=tuple(spans),
    )


def _extend(spans: list[Span], adapter: str, first: int, count: int) -> None:
    """Adds rows to the last span where they go on with it, else as one of their own."""
    if spans and spans[-1].adapter == adapter and spans[-1].first + spans[-1].count == first:
        spans[-1] = Span(adapter, spans[-1].first, spans[-1].count + count)
    else:
        spans.append(Span(adapter, first, count))
