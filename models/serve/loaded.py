"""A model that can be served, and the proof that it can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.engine.events import Failed
from models.engine.interface import Engine
from models.engine.request import Request
from models.serve.tokens import PromptTokenizer

if TYPE_CHECKING:
    from models.engine.checkpoint import Checkpoint

_PROBE = "probe"  # the worker's own request; clients' ids begin with "cmpl-"


@dataclass(frozen=True)
class Loaded:
    """What `loading` makes. The engine belongs to the model's thread, the others to everybody.

    `adapters` are the revisions of those that the engine has, by their names.
    """

    checkpoint: Checkpoint
    engine: Engine
    tokenizer: PromptTokenizer
    adapters: Mapping[str, str] = field(default_factory=dict)


class ProbeFailed(Exception):
    """The model could not write a word."""


def probe(loaded: Loaded) -> None:
    """Writes two tokens with an idle engine: warms the kernels up, and shows that the model works."""
    first = 0 if loaded.checkpoint.bos_id is None else loaded.checkpoint.bos_id
    engine = loaded.engine
    engine.add(Request(id=_PROBE, prompt_ids=(first,), seed=0, n=2, max_tokens=2))
    while engine.has_work:
        for event in engine.step():
            if isinstance(event, Failed):
                raise ProbeFailed(event.message)
