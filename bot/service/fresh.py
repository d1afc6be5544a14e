"""Candidates as new text, by the model that writes on: for every continuation, and for rewrites of style fresh."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from bot.service.asking import Patience
from bot.service.prompting import Question, put_question
from bot.service.sampling import Sampling
from bot.service.sifting import FreshSieve, Screen, Sifted
from bot.service.steering import phrases_to_ban, still_wanted
from bot.store import Store
from bot.story.model import Provenance, Round
from bot.worker import Ability, Completion, CompletionRequest, WorkerClient


async def prepare_fresh(
    store: Store, worker: WorkerClient, screen: Screen, sampling: Sampling, patience: Patience, round_: Round
) -> FreshTask:
    """The task of a round. Raises WorkerError, and BadInput where the prompt can't fit."""
    question = await put_question(store, worker, patience, round_)
    sieve = FreshSieve(
        wanted=round_.settings.candidates,
        screen=screen,
        max_words=round_.settings.length,
        markers=question.markers,
        canon=question.nearby,
        beside=question.beside,
        following=question.following,
    )
    return FreshTask(worker, question, sampling, sieve)


@dataclass(frozen=True)
class FreshTask:
    """One question, asked again with other seeds until enough has come.

    Where the server can keep the model from phrases, it is kept from those that had earlier answers refused. `banned`
    has those of each attempt that had any.
    """

    worker: WorkerClient
    question: Question
    sampling: Sampling
    sieve: FreshSieve
    banned: dict[int, tuple[str, ...]] = field(default_factory=dict)

    async def ask(self, patience: Patience, n: int, seed: int, attempt: int) -> list[Completion]:
        """Every attempt asks the same with another seed, and avoids what had earlier ones refused."""
        if self.question.card.can(Ability.BANNED_PHRASES) and (phrases := phrases_to_ban(self.sieve.banned)):
            self.banned[attempt] = phrases
        return await patience.ask(partial(self.worker.complete, self._request(n, seed, attempt)))

    def provenance(self, sifted: Sifted) -> Provenance:
        filled, completion = self.question.filled, sifted.completion
        banned, wanted = self._steering(sifted.attempt)
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
                **({"must_include": list(wanted)} if wanted else {}),
                **({"banned_phrases": list(banned)} if banned else {}),
            },
            prompt=filled.record,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.tokens,
            finish_reason=completion.finish_reason,
        )

    def _steering(self, attempt: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What an attempt must not write, and what it should."""
        banned = self.banned.get(attempt, ())
        return banned, still_wanted(self.question.wanted, banned)

    def _request(self, n: int, seed: int, attempt: int) -> CompletionRequest:
        filled = self.question.filled
        banned, wanted = self._steering(attempt)
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
            must_include=wanted,
            banned_phrases=banned,
        )
