"""Which of the model's texts may stand on the ballot: whole sentences, allowed by the filters, and new."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.filters.base import Filter, TextKind
from bot.story.hygiene import tidy
from bot.story.similarity import pick_distinct
from bot.worker import Completion

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sifted:
    """A text that may be shown, as it will be shown, with the completion that it was made of."""

    text: str
    completion: Completion
    seed: int


@dataclass
class Sieve:
    """Collects what passes, over several answers of the worker, until there are `wanted`.

    Texts must differ from `canon` and from those in `beside` (the incumbent, members' texts) as well as from each
    other. The filters judge the final text, after everything else that changes it; what they refuse is only counted.
    """

    wanted: int
    max_words: int
    markers: tuple[str, ...]
    filters: Filter
    canon: Sequence[str] = ()
    beside: Sequence[str] = ()
    kept: list[Sifted] = field(default_factory=list)
    withheld: int = 0

    @property
    def num_missing(self) -> int:
        return self.wanted - len(self.kept)

    def pour(self, completions: Iterable[Completion], request_seed: int) -> None:
        """Takes one answer of the worker, made with `request_seed`."""
        passed = [
            Sifted(text, completion, _seed(completion, request_seed))
            for completion in completions
            if (text := self._whole_and_allowed(completion)) is not None
        ]
        beside = [*self.beside, *(sifted.text for sifted in self.kept)]
        picked = pick_distinct([sifted.text for sifted in passed], self.canon, self.num_missing, beside=beside)
        for index, reason in picked.dropped.items():
            log.info("candidate with seed %d is left out: %s", passed[index].seed, reason)
        self.kept += [passed[index] for index in picked.kept]

    def _whole_and_allowed(self, completion: Completion) -> str | None:
        text = tidy(completion.text, self.markers, max_words=self.max_words)
        if text is None:
            log.info("candidate %d is left out: it has no whole sentence", completion.index)
            return None
        verdict = self.filters.check(text, TextKind.CANDIDATE)
        if not verdict.allowed:
            self.withheld += 1
            log.info("candidate %d is withheld: %s by %s", completion.index, verdict.category, verdict.rule)
            return None
        return text


def _seed(completion: Completion, request_seed: int) -> int:
    """The row's own seed: the announced one; where a server announces none (vLLM does not), row i has seed + i."""
    is_announced = completion.seed != request_seed
    return completion.seed if is_announced else request_seed + completion.index
