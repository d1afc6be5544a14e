"""A model that can be served, and the proof that it can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.engine.events import Failed
from models.engine.interface import Engine
from models.engine.masked.plan import plan_fill
from models.engine.masked.request import MaskedRequest
from models.engine.moderation.request import request_for
from models.engine.request import Request
from models.serve.tokens import PromptTokenizer
from models.serve.turns import AnyRequest, Turns

if TYPE_CHECKING:
    from models.engine.checkpoint import Checkpoint
    from models.engine.masked.checkpoint import MaskedCheckpoint
    from models.engine.masked.engine import MaskedEngine
    from models.engine.moderation.checkpoint import ClassifierCheckpoint
    from models.engine.moderation.engine import ModerationEngine

_PROBE = "probe"  # the worker's own request; clients' ids begin with "cmpl-"


@dataclass(frozen=True)
class LoadedMasked:
    """A masked model beside the causal one. The engine belongs to the model's thread."""

    checkpoint: MaskedCheckpoint
    engine: MaskedEngine


@dataclass(frozen=True)
class LoadedModeration:
    """A classifier beside the causal model. A category counts from the score `threshold` on."""

    checkpoint: ClassifierCheckpoint
    engine: ModerationEngine
    threshold: float


@dataclass(frozen=True)
class Loaded:
    """What `loading` makes. The engines belong to the model's thread, the others to everybody.

    `adapters` are the revisions of those that the engine has, by their names.
    """

    checkpoint: Checkpoint
    engine: Engine
    tokenizer: PromptTokenizer
    adapters: Mapping[str, str] = field(default_factory=dict)
    masked: LoadedMasked | None = None
    moderation: LoadedModeration | None = None

    def turns(self) -> Turns:
        """All engines, a step each."""
        masked = None if self.masked is None else self.masked.engine
        return Turns(self.engine, masked, None if self.moderation is None else self.moderation.engine)


class ProbeFailed(Exception):
    """A model could not write a word, or score one."""


def probe(loaded: Loaded) -> None:
    """Writes two tokens, or scores two texts, with each idle engine: that warms up, and shows that the models work."""
    first = 0 if loaded.checkpoint.bos_id is None else loaded.checkpoint.bos_id
    _try(loaded, Request(id=_PROBE, prompt_ids=(first,), seed=0, n=2, max_tokens=2))
    if loaded.masked is not None:
        _try(loaded, MaskedRequest(id=_PROBE, plan=plan_fill(loaded.masked.checkpoint, "", "", 2), seed=0, n=2))
    if loaded.moderation is not None:
        _try(loaded, request_for(loaded.moderation.checkpoint, _PROBE, ["Once upon a time", ""]))


def _try(loaded: Loaded, request: AnyRequest) -> None:
    turns = loaded.turns()
    turns.add(request)
    while turns.has_work:
        for event in turns.step():
            if isinstance(event, Failed):
                raise ProbeFailed(event.message)
