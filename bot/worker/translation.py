"""Turns what the openai client raises into the bot's own errors; nothing of openai's leaves this package."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import httpx2
import openai

from bot.errors import WorkerBroken, WorkerBusy, WorkerDown, WorkerError, WorkerRefused, WorkerSlow

log = logging.getLogger(__name__)

DEFAULT_RETRY_AFTER_S = 5.0
MAX_RETRY_AFTER_S = 3600.0
MAX_DETAIL_CHARS = 500

LOADING = "The storyteller is still waking up: its model is loading. Please try again in a minute."
FAILED = "The storyteller could not load its model. The host's log says why."


def translate(error: openai.OpenAIError) -> WorkerError:
    """The bot's error for one of the client's."""
    if isinstance(error, openai.APIStatusError):
        return _from_status(error)
    if isinstance(error, openai.APITimeoutError):
        # Nobody took the call: that is being down. Anything later is being slow.
        return WorkerDown() if isinstance(error.__cause__, httpx2.ConnectTimeout) else WorkerSlow()
    if isinstance(error, openai.APIConnectionError):
        return WorkerDown()
    return WorkerBroken(_shorten(str(error)))


def _from_status(error: openai.APIStatusError) -> WorkerError:
    status, detail = error.status_code, describe(error)
    if status == 503:
        log.warning("the worker is not ready: %s", detail)
        return WorkerDown(not_ready(error.body))
    if status == 429:
        return WorkerBusy(retry_after_s(error.response.headers))
    if 400 <= status < 500:
        return WorkerRefused(detail)
    return WorkerBroken(detail)


def describe(error: openai.APIStatusError) -> str:
    """Status and message for the log, shortened; the client leaves a body that is not JSON out of its message."""
    said = f"{error.message}: {error.body}" if isinstance(error.body, str) and error.body else error.message
    return _shorten(said)


def not_ready(body: object) -> str:
    """The sentence for a 503: loading and failed are told apart by the status or message that servers give."""
    said = str(body).casefold()
    if "fail" in said:
        return FAILED
    return LOADING if re.search(r"\bload", said) else str(WorkerDown())


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds from `Retry-After` (a number, or a date measured against the answer's own `Date`), within bounds."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_between(headers.get("date", ""), value)
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(seconds) else DEFAULT_RETRY_AFTER_S


def _seconds_between(start: str, end: str) -> float:
    try:
        return (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds()
    except (ValueError, TypeError):  # TypeError: one of the dates has no zone
        return math.nan


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_DETAIL_CHARS else line[: MAX_DETAIL_CHARS - 1] + "…"
