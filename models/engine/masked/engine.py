"""The engine for masked models: one reading of several rows a step, whichever requests they are of.

Rows stand in a queue and each reading takes those at its head, as many as fit; those that are not over go to its end.
So requests move on together, a long one never holds a short one up, and one that is given up goes before the next
reading.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence

import torch

from models.engine.events import Cancelled, Delta, Done, Event, FailureKind, FinishReason, Prefilled, RowFinished
from models.engine.failures import describe_failure, free_memory
from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.forward import read_masked
from models.engine.masked.request import MaskedRequest
from models.engine.masked.row import MaskedRow

log = logging.getLogger(__name__)

MAX_BATCH_TOKENS = {"cpu": 512, "cuda": 8192}
"""What a reading takes at most, padding counted, by the kind of device (others as the CPU); a single row may be longer.
Other requests wait while it lasts."""


class _Job:
    """A request at work. `num_finished` are the words of its rows that are over."""

    def __init__(self, request: MaskedRequest, checkpoint: MaskedCheckpoint) -> None:
        self.request = request
        self.rows = [MaskedRow(request, i, checkpoint.lexicon, checkpoint.mask_id) for i in range(request.n)]
        self.num_left = len(self.rows)
        self.is_read = False

    @property
    def num_words(self) -> int:
        return sum(row.num_words for row in self.rows)


class MaskedEngine:
    """See `interface.Engine`; its requests are `MaskedRequest`s."""

    max_running = 8

    def __init__(self, checkpoint: MaskedCheckpoint, max_batch_tokens: int | None = None) -> None:
        self._checkpoint = checkpoint
        usual = MAX_BATCH_TOKENS.get(checkpoint.device.type, MAX_BATCH_TOKENS["cpu"])
        self._max_batch_tokens = usual if max_batch_tokens is None else max_batch_tokens
        self._waiting: deque[MaskedRequest] = deque()
        self._running: dict[str, _Job] = {}
        self._rows: deque[tuple[_Job, MaskedRow]] = deque()
        self._cancelled: list[Cancelled] = []
        self.num_steps = 0

    @property
    def has_work(self) -> bool:
        return bool(self._running or self._waiting or self._cancelled)

    def add(self, request: MaskedRequest) -> None:
        if request.id in self._running or any(waiting.id == request.id for waiting in self._waiting):
            raise ValueError(f"request {request.id} is already here")
        self._waiting.append(request)

    def cancel(self, request_id: str) -> None:
        if (job := self._running.get(request_id)) is not None:
            self._cancelled.append(Cancelled(request_id, job.num_words))
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
        self._rows.clear()
        free_memory()

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self.max_running:
            job = _Job(self._waiting.popleft(), self._checkpoint)
            self._running[job.request.id] = job
            self._rows.extend((job, row) for row in job.rows)

    def _take(self) -> list[tuple[_Job, MaskedRow]]:
        """The rows of the next reading, off the queue's head."""
        taken: list[tuple[_Job, MaskedRow]] = []
        width = 0
        while self._rows:
            width = max(width, len(self._rows[0][0].request.plan.ids))
            if taken and (len(taken) + 1) * width > self._max_batch_tokens:
                break
            taken.append(self._rows.popleft())
        return taken

    def _attempt(self, taken: Sequence[tuple[_Job, MaskedRow]]) -> list[Event]:
        """One reading; where it fails, one for each request in it, so that whichever is at fault fails alone."""
        jobs = {job.request.id: job for job, _ in taken}
        try:
            scores = self._read([row for _, row in taken])
        except Exception:
            if len(jobs) > 1:
                log.exception("a reading for %d requests failed; each is tried alone", len(jobs))
            scores = None
        events: list[Event] = []
        for job in jobs.values():
            own = [row for of, row in taken if of is job]
            given = None if scores is None else [s for (of, _), s in zip(taken, scores, strict=True) if of is job]
            events += self._advance(job, own, given)
        return events

    def _advance(self, job: _Job, rows: Sequence[MaskedRow], scores: Sequence[torch.Tensor] | None) -> list[Event]:
        """One request's part of a reading, or a reading of its own where there are no scores yet."""
        try:
            for row, own in zip(rows, self._read(rows) if scores is None else scores, strict=True):
                row.accept(own)
            events = self._tell(job, rows)
        except Exception as error:
            log.exception("request %s failed", job.request.id)
            failed = describe_failure(job.request.id, error)
        else:
            return events
        # Outside the handler, because its traceback still holds the tensors.
        self._drop(job)
        if failed.kind is FailureKind.OUT_OF_MEMORY:
            free_memory()
        return [failed]

    def _read(self, rows: Sequence[MaskedRow]) -> list[torch.Tensor]:
        """Scores for every row; none for one that has nothing to write."""
        reading = [row for row in rows if not row.is_over]
        if not reading:
            return [torch.empty(0) for _ in rows]
        found = iter(read_masked(self._checkpoint, [r.ids for r in reading], [r.places for r in reading]))
        return [torch.empty(0) if row.is_over else next(found) for row in rows]

    def _tell(self, job: _Job, rows: Sequence[MaskedRow]) -> list[Event]:
        request = job.request
        events: list[Event] = []
        if not job.is_read:
            job.is_read = True
            events.append(Prefilled(request.id, request.plan.num_read))
        for row in rows:
            if row.is_over:
                events += _end(request.id, row)
                job.num_left -= 1
            else:
                self._rows.append((job, row))
        if not job.num_left:
            del self._running[request.id]
            events.append(Done(request.id, request.plan.num_read, job.num_words))
        return events

    def _drop(self, job: _Job) -> None:
        self._running.pop(job.request.id, None)
        self._rows = deque((of, row) for of, row in self._rows if of is not job)


def _end(request_id: str, row: MaskedRow) -> list[Event]:
    reason = FinishReason.BANNED_PHRASE if row.is_stuck else FinishReason.STOP
    finished = RowFinished(request_id, row.index, reason, row.seed, row.num_words)
    return [finished] if row.is_stuck else [Delta(request_id, row.index, row.text, row.drawn_ids), finished]
