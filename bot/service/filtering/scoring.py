"""Asks a classifier for scores: within a bound of time, and without ever standing in a story's way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import WorkerError
from bot.service.filtering.sinks import Classifier

log = logging.getLogger(__name__)

SCORE_S = 1.0
"""For what somebody typed: a command must be answered within 3 s, and its texts are scored before that."""
SCORE_CANDIDATES_S = 5.0
"""For a round's candidates, which took seconds to write."""
Scores = Mapping[str, float] | None
"""None: not asked, or no answer. The rules say what that means for them."""


@dataclass(frozen=True)
class ClassifierHealth:
    """How asking went since the start. `last_failure` is a sentence for moderators, None where there was none."""

    is_there: bool
    num_asked: int = 0
    num_failed: int = 0
    last_failed_at: datetime | None = None
    last_failure: str | None = None


class Scorer:
    """One call for all texts of a question. A failure is logged and counted, and gives no scores."""

    def __init__(self, classifier: Classifier | None, now: Callable[[], datetime]) -> None:
        self._classifier = classifier
        self._now = now
        self.health = ClassifierHealth(classifier is not None)

    async def score(self, texts: Sequence[str], within_s: float = SCORE_S) -> list[Scores]:
        """The texts' scores, in order; all None where there is no classifier or it fails."""
        if self._classifier is None or not texts:
            return [None] * len(texts)
        self.health = replace(self.health, num_asked=self.health.num_asked + 1)
        try:
            async with asyncio.timeout(within_s):
                scores = list(await self._classifier.moderate(texts))
        except TimeoutError:
            return self._fail(f"It did not answer within {within_s:g} seconds.", len(texts))
        except WorkerError as error:
            return self._fail(str(error), len(texts))
        if len(scores) != len(texts):
            return self._fail(f"It answered {len(scores)} texts where {len(texts)} were asked.", len(texts))
        return list(scores)

    def _fail(self, why: str, number: int) -> list[Scores]:
        log.warning("the classifier gave no scores: %s", why)
        self.health = replace(
            self.health, num_failed=self.health.num_failed + 1, last_failed_at=self._now(), last_failure=why
        )
        return [None] * number
