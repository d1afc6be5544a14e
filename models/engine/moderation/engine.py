"""The engine for classifiers: one reading of several windows a step, whichever requests they are of.

Requests take turns, a window each, so a long one never holds a short one up; and one that is given up goes before the
next reading. A text's score in a category is the highest of its windows'.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence

from models.engine.events import Cancelled, Done, Event, FailureKind, Prefilled, Scored
from models.engine.failures import describe_failure, free_memory
from models.engine.moderation.checkpoint import ClassifierCheckpoint
from models.engine.moderation.forward import read_windows
from models.engine.moderation.request import Ids, ModerationRequest

log = logging.getLogger(__name__)

MAX_BATCH_TOKENS = {"cpu": 512, "cuda": 8192}
"""As for masked models: what a reading takes at most, padding counted; a single window may be longer."""

Scores = tuple[float, ...]


class _Job:
    """A request at work: what is left to read, and the highest scores so far."""

    def __init__(self, request: ModerationRequest) -> None:
        self.request = request
        self.left = deque((place, window) for place, windows in enumerate(request.texts) for window in windows)
        self.best: list[Scores] = [()] * len(request.texts)
        self.is_read = False

    def accept(self, place: int, scores: Scores) -> None:
        best = self.best[place]
        self.best[place] = tuple(map(max, best, scores)) if best else scores


_Taken = list[tuple[_Job, int, Ids]]


class ModerationEngine:
    """See `interface.Engine`; its requests are `ModerationRequest`s."""

    max_running = 8

    def __init__(self, checkpoint: ClassifierCheckpoint, max_batch_tokens: int | None = None) -> None:
        self._checkpoint = checkpoint
        usual = MAX_BATCH_TOKENS.get(checkpoint.device.type, MAX_BATCH_TOKENS["cpu"])
        self._max_batch_tokens = usual if max_batch_tokens is None else max_batch_tokens
        self._waiting: deque[ModerationRequest] = deque()
        self._running: dict[str, _Job] = {}
        self._in_turn: deque[_Job] = deque()
        self._cancelled: list[Cancelled] = []
        self.num_steps = 0

    @property
    def has_work(self) -> bool:
        return bool(self._running or self._waiting or self._cancelled)

    def add(self, request: ModerationRequest) -> None:
        if request.id in self._running or any(waiting.id == request.id for waiting in self._waiting):
            raise ValueError(f"request {request.id} is already here")
        if not request.texts or not all(request.texts):
            raise ValueError(f"request {request.id} has nothing to read")
        self._waiting.append(request)

    def cancel(self, request_id: str) -> None:
        if (job := self._running.get(request_id)) is not None:
            self._cancelled.append(Cancelled(request_id, 0))
            self._drop(job)
        for request in [r for r in self._waiting if r.id == request_id]:
            self._cancelled.append(Cancelled(request_id, 0))
            self._waiting.remove(request)

    def step(self) -> list[Event]:
        events: list[Event] = [*self._cancelled]
        self._cancelled.clear()
        self._admit()
        if taken := self._take():
            self.num_steps += 1
            events += self._attempt(taken)
        return events

    def reset(self) -> None:
        self._waiting.clear()
        self._cancelled.clear()
        self._running.clear()
        self._in_turn.clear()
        free_memory()

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self.max_running:
            job = _Job(self._waiting.popleft())
            self._running[job.request.id] = job
            self._in_turn.append(job)

    def _take(self) -> _Taken:
        """The windows of the next reading, one of each request in turn, as many as fit."""
        taken: _Taken = []
        width = 0
        while self._in_turn:
            job = self._in_turn[0]
            width = max(width, len(job.left[0][1]))
            is_full = (len(taken) + 1) * width > self._max_batch_tokens or not self._checkpoint.can_share
            if taken and is_full:
                break
            self._in_turn.popleft()
            taken.append((job, *job.left.popleft()))
            if job.left:
                self._in_turn.append(job)
        return taken

    def _attempt(self, taken: _Taken) -> list[Event]:
        """One reading; where it fails, one for each request in it, so that whichever is at fault fails alone."""
        jobs = {job.request.id: job for job, _, _ in taken}
        try:
            scores = read_windows(self._checkpoint, [window for _, _, window in taken])
        except Exception:
            if len(jobs) > 1:
                log.exception("a reading for %d requests failed; each is tried alone", len(jobs))
            scores = None
        events: list[Event] = []
        for job in jobs.values():
            own = [(place, window) for of, place, window in taken if of is job]
            given = None if scores is None else [s for (of, _, _), s in zip(taken, scores, strict=True) if of is job]
            events += self._advance(job, own, given)
        return events

    def _advance(self, job: _Job, own: Sequence[tuple[int, Ids]], scores: Sequence[Scores] | None) -> list[Event]:
        """One request's part of a reading, or a reading of its own where there are no scores yet."""
        try:
            found = read_windows(self._checkpoint, [window for _, window in own]) if scores is None else scores
        except Exception as error:
            log.exception("request %s failed", job.request.id)
            failed = describe_failure(job.request.id, error)
        else:
            for (place, _), each in zip(own, found, strict=True):
                job.accept(place, each)
            return self._tell(job)
        # Outside the handler, because its traceback still holds the tensors.
        self._drop(job)
        if failed.kind is FailureKind.OUT_OF_MEMORY:
            free_memory()
        return [failed]

    def _tell(self, job: _Job) -> list[Event]:
        request = job.request
        events: list[Event] = []
        if not job.is_read:
            job.is_read = True
            events.append(Prefilled(request.id, request.num_tokens))
        if not job.left:
            del self._running[request.id]
            events += [Scored(request.id, tuple(job.best)), Done(request.id, request.num_tokens, 0)]
        return events

    def _drop(self, job: _Job) -> None:
        self._running.pop(job.request.id, None)
        if job in self._in_turn:
            self._in_turn.remove(job)
