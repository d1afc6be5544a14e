"""Asks a model for a round's candidates: prompt, requests, sifting, provenance. Writes nothing but token counts."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.errors import BadInput, NoRewriter, WorkerError
from bot.service.asking import Patience
from bot.service.filtering.judging import Judge, Judged
from bot.service.filtering.known import Place
from bot.service.fresh import prepare_fresh
from bot.service.light import prepare_light
from bot.service.sampling import EXTRA_ASKED, MAX_ASKS, MAX_SEED, Sampling
from bot.service.sifting import Screen, Sieve, Sifted
from bot.store import Store
from bot.story.model import Draft, Provenance, Round, Source, Style
from bot.worker import Completion, WorkerClient

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Composed:
    """What the model gave: drafts in the order they came, what the filters withheld, and what stopped it, if so.

    `flagged` are those of the drafts that moderators are to look at.
    """

    drafts: tuple[Draft, ...]
    withheld: tuple[Judged, ...] = ()
    flagged: tuple[Judged, ...] = ()
    error: WorkerError | BadInput | NoRewriter | None = None


class Task(Protocol):
    """How one round's candidates are made: what is asked of which model, what may stand, and what is recorded."""

    @property
    def sieve(self) -> Sieve:
        """Takes what the model gives."""
        ...

    async def ask(self, patience: Patience, n: int, seed: int, attempt: int) -> list[Completion]:
        """The `attempt`-th question (0, 1, …) of this round. Raises WorkerError."""
        ...

    def provenance(self, sifted: Sifted) -> Provenance:
        """Where a text that may stand came from."""
        ...


class Composer:
    """Turns a round into drafts of candidates. `patience` makes a fresh allowance of retries for each round."""

    def __init__(
        self,
        store: Store,
        worker: WorkerClient,
        judge: Judge,
        rng: random.Random,
        sampling: Sampling | None = None,
        patience: Callable[[], Patience] = Patience,
    ) -> None:
        self._store = store
        self._worker = worker
        self._judge = judge
        self._rng = rng
        self._sampling = sampling or Sampling()
        self._patience = patience

    async def compose(self, round_: Round, place: Place) -> Composed:
        """Up to `settings.candidates` drafts. A failure of the worker is returned with what had come before it."""
        patience = self._patience()
        try:
            task = await self._prepare(round_, place, patience)
        except (WorkerError, BadInput, NoRewriter) as error:
            return Composed((), error=error)
        failure = await self._fill(task, patience)
        sieve = task.sieve
        drafts = (Draft(sifted.text, Source.MODEL, provenance=task.provenance(sifted)) for sifted in sieve.kept)
        flagged = tuple(sifted.judged for sifted in sieve.kept if sifted.judged.is_flagged)
        return Composed(tuple(drafts), tuple(sieve.withheld), flagged, failure)

    async def _prepare(self, round_: Round, place: Place, patience: Patience) -> Task:
        screen = Screen(self._judge, place)
        if round_.style is Style.LIGHT:
            return await prepare_light(self._store, self._worker, screen, patience, round_)
        return await prepare_fresh(self._store, self._worker, screen, self._sampling, patience, round_)

    async def _fill(self, task: Task, patience: Patience) -> WorkerError | None:
        """Asks until the sieve has what it wants, within the bound; returns the error that ended it early."""
        for attempt in range(MAX_ASKS):
            seed = self._rng.randint(0, MAX_SEED)
            try:
                completions = await task.ask(patience, task.sieve.num_missing + EXTRA_ASKED, seed, attempt)
            except WorkerError as error:
                log.warning("the worker ended a question early: %s", getattr(error, "detail", error))
                return error
            await task.sieve.pour(completions, seed, attempt)
            if task.sieve.num_missing == 0:
                break
        return None
