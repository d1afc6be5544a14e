"""Who scores the texts: a checkpoint here, or a server with OpenAI's ``/v1/moderations``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx2

from models.engine.checkpoint import CheckpointError
from models.engine.events import Failed, Scored
from models.engine.moderation.checkpoint import ClassifierCheckpoint, load_classifier
from models.engine.moderation.engine import ModerationEngine
from models.engine.moderation.labels import Naming
from models.engine.moderation.request import request_for
from models.engine.placement import PlacementError
from models.evaluate.opening import is_url
from models.evaluate.server import json_of, message_of, open_http
from models.evaluate.subject import CannotOpen, Tick

BATCH = 32
"""Texts that are asked for at once; Talewright's worker takes no more."""

Scores = Mapping[str, float]


class Judge(Protocol):
    """`label` names it in the report."""

    @property
    def label(self) -> str: ...

    def describe(self) -> dict[str, Any]: ...

    def score(self, texts: Sequence[str], tick: Tick) -> list[Scores]:
        """Of each text; `tick` is called after each that is done. Raises `CannotOpen`."""
        ...

    def close(self) -> None: ...


def open_judge(source: str, device: str, dtype: str, api_key: str | None = None, naming: Naming | None = None) -> Judge:
    """Raises `CannotOpen`."""
    if is_url(source):
        return RemoteJudge(source, api_key)
    try:
        return LocalJudge(load_classifier(source, None, device, dtype, naming))
    except (CheckpointError, PlacementError) as error:
        raise CannotOpen(str(error)) from error


class LocalJudge:
    """A classifier's checkpoint, read as the worker reads it."""

    def __init__(self, checkpoint: ClassifierCheckpoint) -> None:
        self._checkpoint = checkpoint
        self._engine = ModerationEngine(checkpoint)

    @property
    def label(self) -> str:
        return self._checkpoint.name

    def describe(self) -> dict[str, Any]:
        checkpoint = self._checkpoint
        return {
            "kind": "classifier",
            "name": checkpoint.name,
            "revision": checkpoint.revision,
            "head": checkpoint.head.value,
            "categories": " ".join(checkpoint.labels.categories),
            "no category": " ".join(checkpoint.labels.left_out) or None,
            "window": checkpoint.context_tokens,
            "dtype": str(checkpoint.dtype),
        }

    def score(self, texts: Sequence[str], tick: Tick) -> list[Scores]:
        found: list[Scores] = []
        for first in range(0, len(texts), BATCH):
            for scores in self._read(str(first), texts[first : first + BATCH]):
                found.append(dict(zip(self._checkpoint.labels.categories, scores, strict=True)))
                tick()
        return found

    def close(self) -> None:
        """There is nothing to close."""

    def _read(self, name: str, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        self._engine.add(request_for(self._checkpoint, name, texts))
        events = []
        while self._engine.has_work:
            events += self._engine.step()
        for event in events:
            if isinstance(event, Failed):
                raise CannotOpen(f"{self.label} failed: {event.message}")
        (scored,) = (event for event in events if isinstance(event, Scored))
        return scored.scores


class RemoteJudge:
    """A server; the model is what stands behind ``#`` in its URL, or the server's own choice."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self._client, self._address, self._name = open_http(url, api_key)
        self._answered: str | None = None

    @property
    def label(self) -> str:
        return f"{self._name} at {self._address}" if self._name else self._address

    def describe(self) -> dict[str, Any]:
        return {"kind": "server", "address": self._address, "name": self._name or None, "answered": self._answered}

    def score(self, texts: Sequence[str], tick: Tick) -> list[Scores]:
        found: list[Scores] = []
        for first in range(0, len(texts), BATCH):
            for scores in self._ask(texts[first : first + BATCH]):
                found.append(scores)
                tick()
        return found

    def close(self) -> None:
        self._client.close()

    def _ask(self, texts: Sequence[str]) -> list[Scores]:
        named = {"model": self._name} if self._name else {}
        try:
            answer = self._client.post("/v1/moderations", json={"input": list(texts), **named})
        except httpx2.HTTPError as error:
            raise CannotOpen(f"{self._address}: {error!r}") from error
        said = json_of(answer)
        if answer.status_code != 200:
            raise CannotOpen(f"{self._address} answered {answer.status_code}: {message_of(said, answer)}")
        results = said.get("results") if isinstance(said, dict) else None
        if not isinstance(results, list) or len(results) != len(texts):
            raise CannotOpen(f"{self._address} did not answer with {len(texts)} results")
        self._answered = str(said.get("model"))
        return [self._scores(result) for result in results]

    def _scores(self, result: Any) -> Scores:
        scores = result.get("category_scores") if isinstance(result, dict) else None
        if not isinstance(scores, dict) or not all(isinstance(s, int | float | None) for s in scores.values()):
            raise CannotOpen(f"{self._address} gave a result without category_scores")
        found = {name: float(score) for name, score in scores.items() if score is not None}
        if not found:
            raise CannotOpen(f"{self._address} gave a result that scores no category")
        return found
