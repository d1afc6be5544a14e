"""Candidates as small changes of wording, by the masked model that is served beside the one that writes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bot.errors import BadInput, NoRewriter
from bot.service.asking import Patience
from bot.service.prompting import estimate_tokens, split_canon
from bot.service.sampling import LightSampling
from bot.service.sifting import LightSieve, Screen, Sifted
from bot.store import Store
from bot.story.kept_words import kept_words
from bot.story.model import Passage, PromptRecord, Provenance, Round
from bot.story.surroundings import Surroundings, surround
from bot.worker import Ability, Completion, ModelCard, RewriteRequest, WorkerClient

ASSUMED_CONTEXT_TOKENS = 512
"""For masked models that don't say how much they can read: BERT and its relatives read so much."""
MARGIN_TOKENS = 8
"""What the model's tokenizer may add around the text: a token for its beginning, one for its end."""
CANNOT_KEEP = "The model that changes wordings here can't let chosen words stay. Leave the instruction out."

HIDDEN = "The moderators have hidden this passage, so its wording can't be changed. style:fresh writes it anew."


async def prepare_light(
    store: Store, worker: WorkerClient, screen: Screen, patience: Patience, round_: Round
) -> LightTask:
    """The task of a round. Raises NoRewriter, WorkerError, and BadInput where the passage itself is too long."""
    split = split_canon(await store.canon(round_.story_id), round_)
    (passage,) = split.replaced
    require_readable(passage, round_.hint)
    keep = kept_words(round_.hint or "", passage.text)
    card = require_rewriter(await patience.ask(worker.describe), keep)
    counter = _Counter(worker, patience, card.id)
    budget = (card.context_tokens or ASSUMED_CONTEXT_TOKENS) - MARGIN_TOKENS
    middle_tokens = await counter.count(passage.text)
    if middle_tokens > budget:
        raise BadInput(
            f"This passage takes {middle_tokens} tokens, and the model that changes wordings reads {budget} at once. "
            "/rewrite with style:fresh writes it anew.",
            round_.hint,
        )
    around = await _read_around(counter, split.before, split.after, budget - middle_tokens)
    sieve = LightSieve(wanted=round_.settings.candidates, screen=screen, old=passage.text)
    return LightTask(worker, card, passage, around, middle_tokens, budget, keep, LightSampling(), sieve)


def require_rewriter(card: ModelCard, keep: tuple[str, ...]) -> ModelCard:
    """The masked model beside the storyteller, where it can do what is asked. Raises NoRewriter where there is none."""
    if card.rewriter is None:
        raise NoRewriter
    if keep and not card.rewriter.can(Ability.KEEP):
        raise NoRewriter(CANNOT_KEEP)
    return card.rewriter


def require_readable(passage: Passage, typed: str | None) -> None:
    """Raises BadInput where moderators have hidden the passage: other words for it would tell it all the same."""
    if passage.mark is not None:
        raise BadInput(HIDDEN, typed)


@dataclass(frozen=True)
class LightTask:
    """One passage in its surroundings; each attempt changes more of it than the one before."""

    worker: WorkerClient
    card: ModelCard
    passage: Passage
    around: Surroundings
    middle_tokens: int
    budget: int
    keep: tuple[str, ...]
    sampling: LightSampling
    sieve: LightSieve

    async def ask(self, patience: Patience, n: int, seed: int, attempt: int) -> list[Completion]:
        """What came back unchanged, or twice, is asked for again with a larger share of its words hidden."""
        request = RewriteRequest(
            model=self.card.id,
            before=self.around.before,
            middle=self.passage.text,
            after=self.around.after,
            n=n,
            seed=seed,
            temperature=self.sampling.temperature,
            mask_share=self.sampling.mask_share(attempt),
            passes=self.sampling.passes,
            order=self.sampling.order,
            keep=self.keep,
        )
        return await patience.ask(partial(self.worker.rewrite, request))

    def provenance(self, sifted: Sifted) -> Provenance:
        return Provenance(
            model=self.card.id,
            revision=self.card.revision,
            seed=sifted.seed,
            sampling={
                "temperature": self.sampling.temperature,
                "mask_share": self.sampling.mask_share(sifted.attempt),
                "passes": self.sampling.passes,
                "order": self.sampling.order,
                **({"keep": list(self.keep)} if self.keep else {}),
            },
            prompt=self._record(),
            prompt_tokens=sifted.completion.prompt_tokens,
            completion_tokens=sifted.completion.tokens,
            finish_reason=sifted.completion.finish_reason,
        )

    def _record(self) -> PromptRecord:
        around = self.around
        parts = (("text before", around.before), ("passage", self.passage.text), ("text after", around.after))
        return PromptRecord(
            parts=tuple(name for name, text in parts if text),
            passages_used=(*around.passages_before, self.passage.id),
            passages_left_out=around.passages_left_out,
            prompt_tokens=around.tokens_before + self.middle_tokens + around.tokens_after,
            budget_tokens=self.budget,
            suffix_used=around.after or None,
            suffix_tokens=around.tokens_after if around.after else None,
            passages_after=around.passages_after,
        )


class _Counter:
    """Counts with the masked model's own tokenizer; what is stored of a passage is the other model's count."""

    def __init__(self, worker: WorkerClient, patience: Patience, model: str) -> None:
        self._worker = worker
        self._patience = patience
        self._model = model

    async def count(self, text: str) -> int:
        found = await self._patience.ask(partial(self._worker.count_tokens, text, self._model)) if text else 0
        return estimate_tokens(text) if found is None else found


async def _read_around(counter: _Counter, before: list[Passage], after: list[Passage], room: int) -> Surroundings:
    """As much of what stands around the passage as fits: half of the room for each side, and what one side leaves."""
    around = surround([(p.id, p.text) for p in before], [(p.id, p.text) for p in after], room)
    tokens = await counter.count(around.before), await counter.count(around.after)
    return around.fit(tokens, room, estimate_tokens)
