"""Keeps the books on requests: how they ended, what they took, and what that means for those who have to wait."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

from prometheus_client import Histogram

from models.engine.events import Cancelled, Delta, Done, Event, Failed, Prefilled, Scored
from models.serve.metrics import Metrics, Outcome
from models.serve.ticket import Ticket

_NEWEST = 0.2  # weight of the newest request in the mean of service times


class Ledger(ABC):
    """Of one kind of requests. Used by the model's thread; `retry_after_s` may be read from anywhere."""

    def __init__(self, clock: Callable[[], float], seconds: Histogram) -> None:
        self._clock = clock
        self._seconds = seconds
        self._mean_service_s = 0.0

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until a place in the queue should be free: what a request took of late, at least 1."""
        return max(1, math.ceil(self._mean_service_s))

    def record(self, event: Event, ticket: Ticket, step_began: float) -> None:
        """Takes note of one event of a step that began at `step_began` on the clock."""
        match event:
            case Prefilled():
                ticket.began_at = step_began
                self.note(event, ticket)
            case Done():
                self._end(Outcome.DONE, event, ticket)
            case Cancelled():
                self._end(Outcome.CANCELLED, event, ticket)
            case Failed():
                self._end(Outcome.ERROR, event, ticket)
            case _:
                self.note(event, ticket)

    @abstractmethod
    def note(self, event: Event, ticket: Ticket) -> None:
        """Counts what this kind of requests counts of an event."""

    @abstractmethod
    def count(self, outcome: Outcome) -> None:
        """Counts an end."""

    def _end(self, outcome: Outcome, event: Event, ticket: Ticket) -> None:
        self.count(outcome)
        self.note(event, ticket)
        if ticket.began_at is None:
            return
        took_s = self._clock() - ticket.began_at
        self._seconds.observe(took_s)
        if outcome is Outcome.DONE:
            is_first = self._mean_service_s == 0
            self._mean_service_s += (took_s - self._mean_service_s) * (1 if is_first else _NEWEST)


class CompletionLedger(Ledger):
    """Of requests that have text written."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        super().__init__(clock, metrics.generation_s)
        self._metrics = metrics

    def note(self, event: Event, ticket: Ticket) -> None:
        match event:
            case Prefilled(num_prompt_tokens=num_tokens):
                self._metrics.prompt_tokens.inc(num_tokens)
            case Delta() if ticket.is_first_text_due:
                ticket.is_first_text_due = False
                self._metrics.first_token_s.observe(self._clock() - ticket.submitted_at)
            case Done(num_generated=num_tokens) | Cancelled(num_generated=num_tokens):
                self._metrics.generated_tokens.inc(num_tokens)

    def count(self, outcome: Outcome) -> None:
        self._metrics.count(outcome)


class ModerationLedger(Ledger):
    """Of requests that have text scored."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        super().__init__(clock, metrics.moderation_s)
        self._metrics = metrics

    def note(self, event: Event, ticket: Ticket) -> None:
        if isinstance(event, Scored):
            self._metrics.moderated_texts.inc(len(event.scores))

    def count(self, outcome: Outcome) -> None:
        self._metrics.count_moderation(outcome)
