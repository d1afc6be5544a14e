"""What goes to the worker and what comes back, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a model does: write on from a prompt, put other words into a text, or score a text by categories."""

    CAUSAL = "causal"
    MASKED = "masked"
    MODERATION = "moderation"


class Ability(StrEnum):
    """What a model was taught, or its server can do with it, as far as we ask for it. Servers name more of them."""

    SUFFIX = "suffix"
    MUST_INCLUDE = "must_include"
    BANNED_PHRASES = "banned_phrases"
    KEEP = "keep"


@dataclass(frozen=True)
class ModelCard:
    """What the server says of its model. None means that it does not say.

    `context_tokens` is what prompt and completion may take together. `story_format` is the checkpoint's own
    description of how its prompts are written, as announced; whoever uses it checks it. `abilities` are the announced
    ones that we know of. `rewriter` is the masked model that the same server lists beside this one, `moderator` the
    one that scores texts, by its `categories`.
    """

    id: str
    revision: str | None = None
    context_tokens: int | None = None
    story_format: Mapping[str, Any] | None = None
    kind: Kind = Kind.CAUSAL
    abilities: frozenset[Ability] = frozenset()
    rewriter: ModelCard | None = None
    categories: tuple[str, ...] = ()
    moderator: ModelCard | None = None

    def can(self, ability: Ability) -> bool:
        """Whether the server says that the model can do it."""
        return ability in self.abilities


@dataclass(frozen=True)
class CompletionRequest:
    """One prompt, `n` answers.

    `extra` holds sampling fields that are not OpenAI's (`top_k`, `min_p`, `repetition_penalty`, …). A server that
    says that it does not know them is asked without them from then on, which is logged. One that drops them
    silently cannot be told from one that honours them.

    `suffix` is the text that comes after what is to be written, `must_include` the words that should appear in it,
    `banned_phrases` what must not: each only for a model whose card has the ability. A server that refuses them refuses
    the request.
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
    suffix: str | None = None
    must_include: tuple[str, ...] = ()
    banned_phrases: tuple[str, ...] = ()


@dataclass(frozen=True)
class RewriteRequest:
    """A passage to put other words into, `n` times, by the masked model `model`.

    `before` and `after` are the plain text around `middle`. `mask_share` of the words are hidden and guessed anew in
    `passes` steps, in the `order` "parallel" or "left_to_right"; words in `keep` stay.
    """

    model: str
    before: str
    middle: str
    after: str
    n: int
    seed: int
    temperature: float
    mask_share: float
    passes: int
    order: str
    keep: tuple[str, ...] = ()


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
