"""What engines of models that read a text in one go share: requests, and readings of pieces of several of them."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import torch

from models.engine.events import Cancelled, Event, FailureKind
from models.engine.failures import describe_failure, free_memory

log = logging.getLogger(__name__)

MAX_BATCH_TOKENS = {"cpu": 512, "cuda": 8192}
"""What a reading takes at most, padding counted, by the kind of device (others as the CPU); a single piece may be
longer. Other requests wait while it lasts."""


class Identified(Protocol):
    """A request, as far as its queue needs it."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Identified)


class Job(Generic[R]):
    """A request at work. `is_read` is set with its first reading."""

    def __init__(self, request: R) -> None:
        self.request = request
        self.is_read = False


J = TypeVar("J", bound=Job[Any])
P = TypeVar("P")
S = TypeVar("S")


class ReadingEngine(ABC, Generic[R, J, P, S]):
    """See `interface.Engine`. A step reads pieces `P` of some requests `R` at once, which gives each a score `S`."""

    max_running = 8

    def __init__(self, device: torch.device, max_batch_tokens: int | None = None) -> None:
        usual = MAX_BATCH_TOKENS.get(device.type, MAX_BATCH_TOKENS["cpu"])
        self._max_batch_tokens = usual if max_batch_tokens is None else max_batch_tokens
        self._waiting: deque[R] = deque()
        self._running: dict[str, J] = {}
        self._cancelled: list[Cancelled] = []
        self.num_steps = 0

    @property
    def has_work(self) -> bool:
        return bool(self._running or self._waiting or self._cancelled)

    def add(self, request: R) -> None:
        if request.id in self._running or any(waiting.id == request.id for waiting in self._waiting):
            raise ValueError(f"request {request.id} is already here")
        self._waiting.append(request)

    def cancel(self, request_id: str) -> None:
        if (job := self._running.get(request_id)) is not None:
            self._cancelled.append(Cancelled(request_id, self._num_written(job)))
            self._drop(job)
        for request in [r for r in self._waiting if r.id == request_id]:
            self._cancelled.append(Cancelled(request_id, 0))
            self._waiting.remove(request)

    def step(self) -> list[Event]:
        events: list[Event] = [*self._cancelled]
        self._cancelled.clear()
        while self._waiting and len(self._running) < self.max_running:
            job = self._begin(self._waiting.popleft())
            self._running[job.request.id] = job
        if taken := self._take():
            self.num_steps += 1
            events += self._attempt(taken)
        return events

    def reset(self) -> None:
        self._waiting.clear()
        self._cancelled.clear()
        self._running.clear()
        self._forget()
        free_memory()

    @abstractmethod
    def _begin(self, request: R) -> J:
        """The request at work, its first pieces in the queue."""

    @abstractmethod
    def _take(self) -> Sequence[tuple[J, P]]:
        """The pieces of the next reading, off the queue, as many as fit; none where nothing is left to read."""

    @abstractmethod
    def _read(self, pieces: Sequence[P]) -> Sequence[S]:
        """One reading: a score for every piece."""

    @abstractmethod
    def _accept(self, job: J, pieces: Sequence[P], scores: Sequence[S]) -> list[Event]:
        """What came of one request's pieces: the request moves on, or is over and no longer among the running."""

    @abstractmethod
    def _unqueue(self, job: J) -> None:
        """Takes whatever is left of a request off the queue."""

    @abstractmethod
    def _forget(self) -> None:
        """Empties the queue."""

    def _num_written(self, job: J) -> int:
        """How much a request that is given up had written."""
        return 0

    def _attempt(self, taken: Sequence[tuple[J, P]]) -> list[Event]:
        """One reading; where it fails, one for each request in it, so that whichever is at fault fails alone."""
        jobs = {job.request.id: job for job, _ in taken}
        try:
            scores = self._read([piece for _, piece in taken])
        except Exception:
            if len(jobs) > 1:
                log.exception("a reading for %d requests failed; each is tried alone", len(jobs))
            scores = None
        events: list[Event] = []
        for job in jobs.values():
            own = [piece for of, piece in taken if of is job]
            given = None if scores is None else [s for (of, _), s in zip(taken, scores, strict=True) if of is job]
            events += self._advance(job, own, given)
        return events

    def _advance(self, job: J, pieces: Sequence[P], scores: Sequence[S] | None) -> list[Event]:
        """One request's part of a reading, or a reading of its own where there are no scores yet."""
        try:
            return self._accept(job, pieces, self._read(pieces) if scores is None else scores)
        except Exception as error:
            log.exception("request %s failed", job.request.id)
            failed = describe_failure(job.request.id, error)
        # Outside the handler, because its traceback still holds the tensors.
        self._drop(job)
        if failed.kind is FailureKind.OUT_OF_MEMORY:
            free_memory()
        return [failed]

    def _drop(self, job: J) -> None:
        self._running.pop(job.request.id, None)
        self._unqueue(job)
