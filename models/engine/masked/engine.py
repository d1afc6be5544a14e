"""The engine for masked models: one reading of several rows a step, whichever requests they are of.

Rows stand in a queue and each reading takes those at its head, as many as fit; those that are not over go to its end.
So requests move on together, a long one never holds a short one up, and one that is given up goes before the next
reading.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch

from models.engine.events import Delta, Done, Event, FinishReason, Prefilled, RowFinished
from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.forward import read_masked
from models.engine.masked.request import MaskedRequest
from models.engine.masked.row import MaskedRow
from models.engine.reading import Job, ReadingEngine


class _Job(Job[MaskedRequest]):
    """`num_left` of its rows are not over."""

    def __init__(self, request: MaskedRequest, checkpoint: MaskedCheckpoint) -> None:
        super().__init__(request)
        self.rows = [MaskedRow(request, i, checkpoint.lexicon, checkpoint.mask_id) for i in range(request.n)]
        self.num_left = len(self.rows)

    @property
    def num_words(self) -> int:
        return sum(row.num_words for row in self.rows)


class MaskedEngine(ReadingEngine[MaskedRequest, _Job, MaskedRow, torch.Tensor]):
    """See `interface.Engine`; its requests are `MaskedRequest`s."""

    def __init__(self, checkpoint: MaskedCheckpoint, max_batch_tokens: int | None = None) -> None:
        super().__init__(checkpoint.device, max_batch_tokens)
        self._checkpoint = checkpoint
        self._rows: deque[tuple[_Job, MaskedRow]] = deque()

    def _begin(self, request: MaskedRequest) -> _Job:
        job = _Job(request, self._checkpoint)
        self._rows.extend((job, row) for row in job.rows)
        return job

    def _take(self) -> list[tuple[_Job, MaskedRow]]:
        """The rows at the queue's head."""
        taken: list[tuple[_Job, MaskedRow]] = []
        width = 0
        while self._rows:
            width = max(width, len(self._rows[0][0].request.plan.ids))
            if taken and (len(taken) + 1) * width > self._max_batch_tokens:
                break
            taken.append(self._rows.popleft())
        return taken

    def _read(self, pieces: Sequence[MaskedRow]) -> list[torch.Tensor]:
        """Scores for every row; none for one that has nothing to write."""
        reading = [row for row in pieces if not row.is_over]
        if not reading:
            return [torch.empty(0) for _ in pieces]
        found = iter(read_masked(self._checkpoint, [r.ids for r in reading], [r.places for r in reading]))
        return [torch.empty(0) if row.is_over else next(found) for row in pieces]

    def _accept(self, job: _Job, pieces: Sequence[MaskedRow], scores: Sequence[torch.Tensor]) -> list[Event]:
        for row, own in zip(pieces, scores, strict=True):
            row.accept(own)
        request = job.request
        events: list[Event] = []
        if not job.is_read:
            job.is_read = True
            events.append(Prefilled(request.id, request.plan.num_read))
        for row in pieces:
            if row.is_over:
                events += _end(request.id, row)
                job.num_left -= 1
            else:
                self._rows.append((job, row))
        if not job.num_left:
            del self._running[request.id]
            events.append(Done(request.id, request.plan.num_read, job.num_words))
        return events

    def _num_written(self, job: _Job) -> int:
        return job.num_words

    def _unqueue(self, job: _Job) -> None:
        self._rows = deque((of, row) for of, row in self._rows if of is not job)

    def _forget(self) -> None:
        self._rows.clear()


def _end(request_id: str, row: MaskedRow) -> list[Event]:
    reason = FinishReason.BANNED_PHRASE if row.is_stuck else FinishReason.STOP
    finished = RowFinished(request_id, row.index, reason, row.seed, row.num_words)
    return [finished] if row.is_stuck else [Delta(request_id, row.index, row.text, row.drawn_ids), finished]
