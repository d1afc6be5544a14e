"""Which of a model's texts may stand on the ballot: whole, allowed by the filters, and new."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.filters import TextKind
from bot.service.filtering.judging import Judge, Judged
from bot.service.filtering.known import Place
from bot.story.hygiene import tidy
from bot.story.hygiene.characters import plain_characters
from bot.story.hygiene.markers import remove_markers
from bot.story.similarity import Picked, pick_distinct, pick_reworded
from bot.worker import Completion

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sifted:
    """A text that may be shown, with the completion that it was made of.

    `attempt` counts from 0 which of the round's questions it answered.
    """

    judged: Judged
    completion: Completion
    seed: int
    attempt: int = 0

    @property
    def text(self) -> str:
        """As it will be shown."""
        return self.judged.text


@dataclass(frozen=True)
class Screen:
    """The rules of the round's place, as they are at each moment: a change holds from the next answer on."""

    judge: Judge
    place: Place

    async def judge_all(self, texts: Sequence[str]) -> list[Judged]:
        return await self.judge.judge_all(self.place, [(text, TextKind.CANDIDATE) for text in texts])


@dataclass(kw_only=True)
class Sieve(ABC):
    """Collects what passes, over several answers of the worker, until there are `wanted`.

    The filters judge the final text, after everything else that changes it; what they refuse is `withheld`.
    """

    wanted: int
    screen: Screen
    kept: list[Sifted] = field(default_factory=list)
    withheld: list[Judged] = field(default_factory=list)

    @property
    def num_missing(self) -> int:
        return self.wanted - len(self.kept)

    @property
    def banned(self) -> tuple[str, ...]:
        """The words that had texts refused so far, as they stood there."""
        return tuple(dict.fromkeys(phrase for judged in self.withheld for phrase in judged.banned))

    async def pour(self, completions: Iterable[Completion], request_seed: int, attempt: int) -> None:
        """Takes one answer of the worker, made with `request_seed`."""
        whole = [(completion, text) for completion in completions if (text := self._whole(completion)) is not None]
        judged = await self.screen.judge_all([text for _, text in whole])
        passed = [
            Sifted(one, completion, _seed(completion, request_seed), attempt)
            for (completion, _), one in zip(whole, judged, strict=True)
            if self._is_allowed(completion, one)
        ]
        picked = self._pick([sifted.text for sifted in passed], [sifted.text for sifted in self.kept])
        for index, reason in picked.dropped.items():
            log.info("candidate with seed %d is left out: %s", passed[index].seed, reason)
        self.kept += [passed[index] for index in picked.kept]

    @abstractmethod
    def _clean(self, text: str) -> str | None:
        """The text as it would be shown; None where it can't be."""

    @abstractmethod
    def _pick(self, texts: Sequence[str], kept: Sequence[str]) -> Picked:
        """Which of the new `texts` join the `kept` ones, at most as many as are missing."""

    def _whole(self, completion: Completion) -> str | None:
        text = self._clean(completion.text)
        if text is None:
            log.info("candidate %d is left out: it has no whole sentence", completion.index)
        return text

    def _is_allowed(self, completion: Completion, judged: Judged) -> bool:
        verdict = judged.verdict
        if not verdict.allowed:
            self.withheld.append(judged)
            log.info("candidate %d is withheld: %s by %s", completion.index, verdict.category, verdict.rule)
        return verdict.allowed


@dataclass(kw_only=True)
class FreshSieve(Sieve):
    """For new text: whole sentences that differ from `canon`, from what is `following`, and from those in `beside`.

    `beside` are the incumbent and members' texts. Candidates differ from each other as well.
    """

    max_words: int
    markers: tuple[str, ...]
    canon: Sequence[str] = ()
    beside: Sequence[str] = ()
    following: Sequence[str] = ()

    def _clean(self, text: str) -> str | None:
        return tidy(text, self.markers, max_words=self.max_words)

    def _pick(self, texts: Sequence[str], kept: Sequence[str]) -> Picked:
        beside = [*self.beside, *kept]
        return pick_distinct(texts, self.canon, self.num_missing, beside=beside, following=self.following)


@dataclass(kw_only=True)
class LightSieve(Sieve):
    """For other wordings of the passage `old`: each has other words than it, and than the others.

    Sentences are left as they came: the passage's own, which may end as it likes.
    """

    old: str

    def _clean(self, text: str) -> str | None:
        cleaned = remove_markers(plain_characters(text).replace("\ufffd", "")).strip()
        return cleaned if any(char.isalnum() for char in cleaned) else None

    def _pick(self, texts: Sequence[str], kept: Sequence[str]) -> Picked:
        return pick_reworded(texts, self.old, self.num_missing, beside=kept)


def _seed(completion: Completion, request_seed: int) -> int:
    """The row's own seed: the announced one; where a server announces none (vLLM does not), row i has seed + i."""
    is_announced = completion.seed != request_seed
    return completion.seed if is_announced else request_seed + completion.index
