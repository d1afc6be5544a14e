"""Keeps the books on requests: how they ended, what they took, and what that means for those who have to wait."""

from __future__ import annotations

import math
from collections.abc import Callable

from models.engine.events import Cancelled, Delta, Done, Event, Failed, Prefilled
from models.serve.metrics import Metrics, Outcome
from models.serve.ticket import Ticket

_NEWEST = 0.2  # weight of the newest request in the mean of service times


class Ledger:
    """Used by the model's thread; `retry_after_s` may be read from anywhere."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._mean_service_s = 0.0

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until a place in the queue should be free: what a request took of late, at least 1."""
        return max(1, math.ceil(self._mean_service_s))

    def record(self, event: Event, ticket: Ticket, step_began: float) -> None:
        """Takes note of one event of a step that began at `step_began` on the clock."""
        match event:
            case Prefilled(num_prompt_tokens=num_tokens):
                ticket.began_at = step_began
                self._metrics.prompt_tokens.inc(num_tokens)
            case Delta() if ticket.is_first_text_due:
                ticket.is_first_text_due = False
                self._metrics.first_token_s.observe(self._clock() - ticket.submitted_at)
            case Done(num_generated=num_tokens):
                self._record_end(Outcome.DONE, num_tokens, ticket)
            case Cancelled(num_generated=num_tokens):
                self._record_end(Outcome.CANCELLED, num_tokens, ticket)
            case Failed():
                self._record_end(Outcome.ERROR, 0, ticket)

    def _record_end(self, outcome: Outcome, num_tokens: int, ticket: Ticket) -> None:
        self._metrics.count(outcome)
        self._metrics.generated_tokens.inc(num_tokens)
        if ticket.began_at is None:
            return
        took_s = self._clock() - ticket.began_at
        self._metrics.generation_s.observe(took_s)
        if outcome is Outcome.DONE:
            is_first = self._mean_service_s == 0
            self._mean_service_s += (took_s - self._mean_service_s) * (1 if is_first else _NEWEST)
