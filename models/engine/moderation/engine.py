"""The engine for classifiers: one reading of several windows a step, whichever requests they are of.

Requests take turns, a window each, so a long one never holds a short one up; and one that is given up goes before the
next reading. A text's score in a category is the highest of its windows'.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from models.engine.events import Done, Event, Prefilled, Scored
from models.engine.moderation.checkpoint import ClassifierCheckpoint
from models.engine.moderation.forward import read_windows
from models.engine.moderation.request import Ids, ModerationRequest
from models.engine.reading import Job, ReadingEngine

Scores = tuple[float, ...]
Window = tuple[int, Ids]
"""Which of a request's texts it is of, and what the model reads."""


class _Job(Job[ModerationRequest]):
    """What is left to read, and the highest scores so far."""

    def __init__(self, request: ModerationRequest) -> None:
        super().__init__(request)
        self.left = deque((place, window) for place, windows in enumerate(request.texts) for window in windows)
        self.best: list[Scores] = [()] * len(request.texts)

    def accept(self, place: int, scores: Scores) -> None:
        best = self.best[place]
        self.best[place] = tuple(map(max, best, scores)) if best else scores


class ModerationEngine(ReadingEngine[ModerationRequest, _Job, Window, Scores]):
    """See `interface.Engine`; its requests are `ModerationRequest`s."""

    def __init__(self, checkpoint: ClassifierCheckpoint, max_batch_tokens: int | None = None) -> None:
        super().__init__(checkpoint.device, max_batch_tokens)
        self._checkpoint = checkpoint
        self._in_turn: deque[_Job] = deque()

    def add(self, request: ModerationRequest) -> None:
        if not request.texts or not all(request.texts):
            raise ValueError(f"request {request.id} has nothing to read")
        super().add(request)

    def _begin(self, request: ModerationRequest) -> _Job:
        job = _Job(request)
        self._in_turn.append(job)
        return job

    def _take(self) -> list[tuple[_Job, Window]]:
        """One window of each request in turn."""
        taken: list[tuple[_Job, Window]] = []
        width = 0
        while self._in_turn:
            job = self._in_turn[0]
            width = max(width, len(job.left[0][1]))
            is_full = (len(taken) + 1) * width > self._max_batch_tokens or not self._checkpoint.can_share
            if taken and is_full:
                break
            self._in_turn.popleft()
            taken.append((job, job.left.popleft()))
            if job.left:
                self._in_turn.append(job)
        return taken

    def _read(self, pieces: Sequence[Window]) -> Sequence[Scores]:
        return read_windows(self._checkpoint, [window for _, window in pieces])

    def _accept(self, job: _Job, pieces: Sequence[Window], scores: Sequence[Scores]) -> list[Event]:
        for (place, _), each in zip(pieces, scores, strict=True):
            job.accept(place, each)
        request = job.request
        events: list[Event] = []
        if not job.is_read:
            job.is_read = True
            events.append(Prefilled(request.id, request.num_tokens))
        if not job.left:
            del self._running[request.id]
            events += [Scored(request.id, tuple(job.best)), Done(request.id, request.num_tokens, 0)]
        return events

    def _unqueue(self, job: _Job) -> None:
        if job in self._in_turn:
            self._in_turn.remove(job)

    def _forget(self) -> None:
        self._in_turn.clear()
