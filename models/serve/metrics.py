"""What the worker counts, for Prometheus. Each app has a registry of its own."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, generate_latest

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)


class Outcome(StrEnum):
    """How a request ended. Those that reached the queue end as one of the first three."""

    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    BUSY = "busy"
    NOT_READY = "not_ready"


class ModelState(StrEnum):
    """Set by the runner alone: loading → ready | failed, and ready → failed."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class Metrics:
    """Counters and histograms; `render` writes them all."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "talewright_requests", "Completion requests by how they ended", ["outcome"], registry=registry
        )
        self._moderations = Counter(
            "talewright_moderation_requests", "Moderation requests by how they ended", ["outcome"], registry=registry
        )
        for outcome in Outcome:
            self._requests.labels(outcome)
            self._moderations.labels(outcome)
        self._waiting = Gauge("talewright_queue_depth", "Requests that wait for the model", registry=registry)
        self._running = Gauge("talewright_requests_running", "Requests that the model works on", registry=registry)
        self.steps = Counter("talewright_engine_steps", "Forward passes of the model", registry=registry)
        self.prompt_tokens = Counter("talewright_prompt_tokens", "Tokens of prompts read", registry=registry)
        self.generated_tokens = Counter(
            "talewright_generated_tokens", "Tokens drawn by requests that ended", registry=registry
        )
        self.first_token_s = Histogram(
            "talewright_time_to_first_token_seconds",
            "From a request's arrival to its first text",
            buckets=_SECONDS,
            registry=registry,
        )
        self.generation_s = Histogram(
            "talewright_generation_seconds",
            "From the beginning of the work on a request to its end",
            buckets=_SECONDS,
            registry=registry,
        )
        self.moderated_texts = Counter(
            "talewright_moderated_texts", "Texts that the moderation model has scored", registry=registry
        )
        self.flagged_texts = Counter(
            "talewright_flagged_texts", "Scored texts with a category over the threshold", registry=registry
        )
        self.moderation_s = Histogram(
            "talewright_moderation_seconds",
            "From the beginning of the work on a moderation request to its end",
            buckets=_SECONDS,
            registry=registry,
        )
        self._state = Enum(
            "talewright_model_state", "State of the model", states=[s.value for s in ModelState], registry=registry
        )

    def count(self, outcome: Outcome) -> None:
        self._requests.labels(outcome).inc()

    def count_moderation(self, outcome: Outcome) -> None:
        self._moderations.labels(outcome).inc()

    def set_state(self, state: ModelState) -> None:
        self._state.state(state.value)

    def watch(self, num_waiting: Callable[[], int], num_running: Callable[[], int]) -> None:
        """Asks these whenever the figures are read."""
        self._waiting.set_function(num_waiting)
        self._running.set_function(num_running)

    def render(self) -> bytes:
        return generate_latest(self._registry)
