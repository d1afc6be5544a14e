"""Reads from a refusal what the server cannot do, so that it can be asked without."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

import openai

UNKNOWN = re.compile(
    r"unknown|unrecogni[sz]ed|unsupported|unexpected|not supported|not permitted|not allowed|forbidden|additional",
    re.IGNORECASE,
)
"""How servers say "I do not know this field" (OpenAI: "Unrecognized request argument", pydantic: "Extra inputs are not
permitted"). A field that is known but out of bounds is refused in other words, and that refusal must stand."""

ONE_ONLY = re.compile(r"\bn(_cmpl)?\b|one completion choice", re.IGNORECASE)
"""llama.cpp before 2026: "Only one completion choice is allowed"; since then: n_cmpl is bounded by its slots."""


def refused_fields(error: openai.APIStatusError, optional: Collection[str]) -> frozenset[str]:
    """Which of the `optional` fields the server says it does not know; empty where it refused for another reason."""
    if error.status_code not in (400, 422):
        return frozenset()
    said = _words(error)
    if not UNKNOWN.search(said):
        return frozenset()
    return frozenset(name for name in optional if re.search(rf"\b{re.escape(name)}\b", said))


def refuses_many(error: openai.APIStatusError) -> bool:
    """Whether the server wants one answer per request. Old llama.cpp says so with status 500."""
    return error.status_code in (400, 422, 500) and ONE_ONLY.search(_words(error)) is not None


def _words(error: openai.APIStatusError) -> str:
    """All that the answer says: the message may be anywhere in it (FastAPI puts names into `detail[].loc`)."""
    body = error.body
    return body if isinstance(body, str) else f"{error.message} {json.dumps(body, default=str, ensure_ascii=False)}"
