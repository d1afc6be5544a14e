"""What goes to the worker and what comes back, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModelCard:
    """What the server says of its model. None means that it does not say.

    `context_tokens` is what prompt and completion may take together. `story_format` is the checkpoint's own
    description of how its prompts are written, as announced; whoever uses it checks it.
    """

    id: str
    revision: str | None = None
    context_tokens: int | None = None
    story_format: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CompletionRequest:
    """One prompt, `n` answers.

    `extra` holds sampling fields that are not OpenAI's (`top_k`, `min_p`, `repetition_penalty`, …). A server that
    says that it does not know them is asked without them from then on, which is logged. One that drops them
    silently cannot be told from one that honours them.
    """

    prompt: str
    n: int
    max_tokens: int
    temperature: float
    top_p: float
    seed: int
    frequency_penalty: float = 0.0
    stop: tuple[str, ...] = ()
    extra: Mapping[str, float | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Completion:
    """One answer. `index` counts from 0 within its request.

    `seed` is the row's own where the server reports it; else the request's, and then only the whole request can be
    repeated. `tokens` and `prompt_tokens` are the server's counts, None where it does not give them for this row.
    `finish_reason` is `stop` (it ended, or met a stop string), `length` (it was cut off at `max_tokens`) or another
    word of the server's.
    """

    index: int
    text: str
    finish_reason: str
    seed: int
    tokens: int | None = None
    prompt_tokens: int | None = None
