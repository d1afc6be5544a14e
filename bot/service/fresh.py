"""Candidates as new text, by the model that writes on: for every continuation, and for rewrites of style fresh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bot.filters.base import Filter
from bot.service.asking import Patience
from bot.service.prompting import Question, put_question
from bot.service.sampling import Sampling
from bot.service.sifting import FreshSieve, Sifted
from bot.store import Store
from bot.story.model import Provenance, Round
from bot.worker import Completion, CompletionRequest, WorkerClient


async def prepare_fresh(
    store: Store, worker: WorkerClient, filters: Filter, sampling: Sampling, patience: Patience, round_: Round
) -> FreshTask:
    """The task of a round. Raises WorkerError, and BadInput where the prompt can't fit."""
    question = await put_question(store, worker, patience, round_)
    sieve = FreshSieve(
        wanted=round_.settings.candidates,
        filters=filters,
        max_words=round_.settings.length,
        markers=question.markers,
        canon=question.nearby,
        beside=question.beside,
        following=question.following,
    )
    return FreshTask(worker, question, sampling, sieve)


@dataclass(frozen=True)
class FreshTask:
    """One question, asked again with other seeds until enough has come."""

    worker: WorkerClient
    question: Question
    sampling: Sampling
    sieve: FreshSieve

    async def ask(self, patience: Patience, n: int, seed: int, attempt: int) -> list[Completion]:
        """Every attempt asks the same: only its seed is another."""
        return await patience.ask(partial(self.worker.complete, self._request(n, seed)))

    def provenance(self, sifted: Sifted) -> Provenance:
        filled, completion = self.question.filled, sifted.completion
        return Provenance(
            model=self.question.card.id,
            revision=self.question.card.revision,
            seed=sifted.seed,
            sampling={
                "temperature": self.sampling.temperature,
                "top_p": self.sampling.top_p,
                "frequency_penalty": self.sampling.frequency_penalty,
                **self.sampling.extra,
                "max_tokens": filled.max_tokens,
                "stop": list(filled.stop),
                **({"must_include": list(self.question.wanted)} if self.question.wanted else {}),
            },
            prompt=filled.record,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.tokens,
            finish_reason=completion.finish_reason,
        )

    def _request(self, n: int, seed: int) -> CompletionRequest:
        filled = self.question.filled
        return CompletionRequest(
            prompt=filled.text,
            n=n,
            max_tokens=filled.max_tokens,
            temperature=self.sampling.temperature,
            top_p=self.sampling.top_p,
            frequency_penalty=self.sampling.frequency_penalty,
            seed=seed,
            stop=filled.stop,
            extra=self.sampling.extra,
            suffix=filled.suffix,
            must_include=self.question.wanted,
        )
