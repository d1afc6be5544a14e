"""Gathers what a round's prompt is made of, and has every part counted by the worker that will read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot.service.asking import Patience
from bot.store import Store
from bot.story.hint_words import wanted_words
from bot.story.model import Filled, Hints, Passage, Round, RoundKind
from bot.story.prompt import PromptFormat, PromptPassage, build_prompt, countable_parts, max_tokens_for
from bot.worker import Ability, ModelCard, WorkerClient

ASSUMED_CONTEXT_TOKENS = 2048
"""For servers that don't say how much they can read. Every model in use today reads at least this much."""
BYTES_PER_TOKEN = 3
"""Where a server can't count tokens we estimate on the safe side: English has about 4 bytes per token, CJK about 3."""

NEARBY_PASSAGES = 8
"""New text is compared with so many passages before it, and after it: a small model repeats what its prompt said."""


@dataclass(frozen=True)
class SplitCanon:
    """Canon as a round sees it: what its texts will follow, what they would replace, and what comes after that."""

    before: list[Passage]
    replaced: list[Passage]
    after: list[Passage]


@dataclass(frozen=True)
class Question:
    """A prompt ready to send to `card`'s model, and the texts that its answers must differ from.

    `nearby` is the end of what the answer follows; `beside` is the passage that a rewrite would replace; `following` is
    the beginning of what comes after that. `wanted` are words of the hint that should appear in the answer.
    """

    card: ModelCard
    filled: Filled
    markers: tuple[str, ...]
    nearby: tuple[str, ...]
    beside: tuple[str, ...]
    following: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


async def put_question(store: Store, worker: WorkerClient, patience: Patience, round_: Round) -> Question:
    """The question that the round asks of the model. Raises WorkerError, and BadInput where the prompt can't fit."""
    card = await patience.ask(worker.describe)
    fmt = PromptFormat.plain() if card.story_format is None else PromptFormat.from_announced(card.story_format)
    story = await store.story(round_.story_id)
    split = split_canon(await store.canon(round_.story_id), round_)
    counter = Counter(store, worker, patience)
    passages = [PromptPassage(passage.id, passage.text, await counter.passage(passage)) for passage in split.before]
    after = [PromptPassage(p.id, p.text, 0) for p in split.after] if card.can(Ability.SUFFIX) else []
    await counter.learn(countable_parts(fmt, story.title, story.premise, round_.hint, after, story.style))
    filled = build_prompt(
        fmt,
        story.title,
        story.premise,
        passages,
        round_.hint,
        context_tokens=card.context_tokens or ASSUMED_CONTEXT_TOKENS,
        max_tokens=max_tokens_for(round_.settings.length),
        count=counter.known,
        after=after,
        style=story.style,
    )
    return Question(
        card=card,
        filled=filled,
        markers=fmt.markers,
        nearby=tuple(passage.text for passage in split.before[-NEARBY_PASSAGES:]),
        beside=tuple(passage.text for passage in split.replaced if passage.mark is None),
        following=tuple(passage.text for passage in split.after[:NEARBY_PASSAGES]),
        wanted=words_to_include(card, fmt, round_),
    )


def split_canon(canon: Sequence[Passage], round_: Round) -> SplitCanon:
    """Canon around the passage that a rewrite would replace; all of it is before a continuation.

    What moderators have hidden is left out: a model would go on from the notice in its place.
    """
    at = next((place for place, passage in enumerate(canon) if passage.id == round_.passage_id), len(canon))
    before, after = ([p for p in part if p.mark is None] for part in (canon[:at], canon[at + 1 :]))
    return SplitCanon(before, list(canon[at : at + 1]), after)


def words_to_include(card: ModelCard, fmt: PromptFormat, round_: Round) -> tuple[str, ...]:
    """The hint's content words, where the channel wants hints firm and the worker can ask for words.

    The instruction of a rewrite speaks about the text ("make it darker") where the model reads sentences; only for a
    model that was taught lists of words it is one like a hint.
    """
    if round_.hint is None or round_.settings.hints is Hints.LOOSE or not card.can(Ability.MUST_INCLUDE):
        return ()
    if round_.kind is RoundKind.REWRITE and fmt.max_hint_words is None:
        return ()
    return wanted_words(round_.hint)


class Counter:
    """Counts tokens by asking the worker: once per passage for ever, once per other part for this prompt."""

    def __init__(self, store: Store, worker: WorkerClient, patience: Patience) -> None:
        self._store = store
        self._worker = worker
        self._patience = patience
        self._known: dict[str, int] = {}

    async def passage(self, passage: Passage) -> int:
        """The stored count; else the worker's, which is stored; else an estimate, which is not."""
        if passage.token_count is not None:
            return passage.token_count
        count = await self._ask(passage.text)
        if count is None:
            return estimate_tokens(passage.text)
        await self._store.set_token_count(passage.id, count)
        return count

    async def learn(self, parts: Sequence[str]) -> None:
        """Has the prompt's other parts counted, so that `known` can answer for them."""
        for part in parts:
            count = await self._ask(part)
            if count is not None:
                self._known[part] = count

    def known(self, text: str) -> int:
        """The worker's count of a learned part, an estimate for any other text."""
        return self._known.get(text, estimate_tokens(text))

    async def _ask(self, text: str) -> int | None:
        return await self._patience.ask(partial(self._worker.count_tokens, text))


def estimate_tokens(text: str) -> int:
    """Rather too many than too few."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)
