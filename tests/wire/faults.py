"""What can go wrong between the bot and Discord's HTTP API, on demand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.contract.recorded import Recorded


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of the stand-in; `body` None is an empty one, a string is HTML."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """The next `times` requests that fit get `answer`, or a reset connection where it is None.

    With `is_applied` the request takes effect first, as when Discord did the work and its answer was lost.
    """

    method: str
    pattern: re.Pattern[str]
    answer: Answer | None
    times: int = 1
    is_applied: bool = False

    def fits(self, request: Recorded) -> bool:
        return self.times > 0 and self.method == request.method and self.pattern.fullmatch(request.path) is not None


class Faults:
    """The faults that are still to come, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(
        self, method: str, pattern: re.Pattern[str], answer: Answer | None, times: int = 1, *, is_applied: bool = False
    ) -> Fault:
        fault = Fault(method, pattern, answer, times, is_applied)
        self._waiting.append(fault)
        return fault

    def take(self, request: Recorded) -> Fault | None:
        """The fault that this request meets, if any; it counts as used."""
        fault = next((f for f in self._waiting if f.fits(request)), None)
        if fault is not None:
            fault.times -= 1
        return fault

    @property
    def unused(self) -> list[Fault]:
        """Faults that nothing has met: a test that arranged them has tested nothing."""
        return [f for f in self._waiting if f.times > 0]


def error(status: int, code: int, message: str) -> Answer:
    return Answer(status, {"code": code, "message": message})


def rate_limited(retry_after_s: float, *, is_global: bool = False) -> Answer:
    body = {"message": "You are being rate limited.", "retry_after": retry_after_s, "global": is_global}
    headers = {"Via": "1.1 google", "Retry-After": "1", "X-RateLimit-Scope": "global" if is_global else "user"}
    if is_global:
        headers["X-RateLimit-Global"] = "true"
    return Answer(429, {"code": 0, **body}, headers)


def banned() -> Answer:
    """A 429 of the proxy in front of Discord: HTML, without `Via`."""
    return Answer(429, "<html><title>Access denied</title></html>")


def broken(status: int) -> Answer:
    """A failure of Discord's own: 500, 502, 503."""
    return Answer(status, "<html><title>Bad gateway</title></html>")


UNKNOWN_INTERACTION = error(404, 10062, "Unknown interaction")
UNKNOWN_MESSAGE = error(404, 10008, "Unknown Message")
UNKNOWN_WEBHOOK = error(404, 10015, "Unknown Webhook")
UNKNOWN_CHANNEL = error(404, 10003, "Unknown Channel")
ALREADY_ANSWERED = error(400, 40060, "Interaction has already been acknowledged.")
UNAUTHORIZED = error(401, 0, "401: Unauthorized")
INVALID_FORM = error(400, 50035, "Invalid Form Body")
CONFLICTING_CONTENT = error(400, 50035, "The content field cannot be used with MessageFlags.IS_COMPONENTS_V2")
