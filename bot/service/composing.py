"""Asks the model for a round's candidates: prompt, requests, sifting, provenance. Writes nothing but token counts."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bot.errors import BadInput, WorkerError
from bot.filters.base import Filter
from bot.service.asking import Patience
from bot.service.prompting import Question, put_question
from bot.service.sampling import EXTRA_ASKED, MAX_ASKS, MAX_SEED, Sampling
from bot.service.sifting import Sieve, Sifted
from bot.store import Store
from bot.story.model import Draft, Provenance, Round, Source
from bot.worker import CompletionRequest, WorkerClient

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Composed:
    """What the model gave: drafts in the order they came, how many the filters withheld, and what stopped it, if so."""

    drafts: tuple[Draft, ...]
    withheld: int
    error: WorkerError | BadInput | None = None


class Composer:
    """Turns a round into drafts of candidates. `patience` makes a fresh allowance of retries for each round."""

    def __init__(
        self,
        store: Store,
        worker: WorkerClient,
        filters: Filter,
        rng: random.Random,
        sampling: Sampling | None = None,
        patience: Callable[[], Patience] = Patience,
    ) -> None:
        self._store = store
        self._worker = worker
        self._filters = filters
        self._rng = rng
        self._sampling = sampling or Sampling()
        self._patience = patience

    async def compose(self, round_: Round) -> Composed:
        """Up to `settings.candidates` drafts. A failure of the worker is returned with what had come before it."""
        patience = self._patience()
        try:
            question = await put_question(self._store, self._worker, patience, round_)
        except (WorkerError, BadInput) as error:
            return Composed((), 0, error)
        sieve = Sieve(
            wanted=round_.settings.candidates,
            max_words=round_.settings.length,
            markers=question.markers,
            filters=self._filters,
            canon=question.nearby,
            beside=question.beside,
        )
        failure = await self._fill(sieve, question, patience)
        return Composed(tuple(self._draft(question, sifted) for sifted in sieve.kept), sieve.withheld, failure)

    async def _fill(self, sieve: Sieve, question: Question, patience: Patience) -> WorkerError | None:
        """Asks until the sieve has what it wants, within the bound; returns the error that ended it early."""
        for _ in range(MAX_ASKS):
            request = self._request(question, n=sieve.num_missing + EXTRA_ASKED)
            try:
                completions = await patience.ask(partial(self._worker.complete, request))
            except WorkerError as error:
                log.warning("the worker ended a question early: %s", getattr(error, "detail", error))
                return error
            sieve.pour(completions, request.seed)
            if sieve.num_missing == 0:
                break
        return None

    def _request(self, question: Question, n: int) -> CompletionRequest:
        return CompletionRequest(
            prompt=question.filled.text,
            n=n,
            max_tokens=question.filled.max_tokens,
            temperature=self._sampling.temperature,
            top_p=self._sampling.top_p,
            frequency_penalty=self._sampling.frequency_penalty,
            seed=self._rng.randint(0, MAX_SEED),
            stop=question.filled.stop,
            extra=self._sampling.extra,
        )

    def _draft(self, question: Question, sifted: Sifted) -> Draft:
        completion = sifted.completion
        provenance = Provenance(
            model=question.card.id,
            revision=question.card.revision,
            seed=sifted.seed,
            sampling={
                "temperature": self._sampling.temperature,
                "top_p": self._sampling.top_p,
                "frequency_penalty": self._sampling.frequency_penalty,
                **self._sampling.extra,
                "max_tokens": question.filled.max_tokens,
                "stop": list(question.filled.stop),
            },
            prompt=question.filled.record,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.tokens,
            finish_reason=completion.finish_reason,
        )
        return Draft(sifted.text, Source.MODEL, provenance=provenance)
