"""Judges texts by the rules of their place, notes what was found, and tells moderators what they want to look at."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.errors import RuleError
from bot.filters import Action, Mode, RuleSet, TextKind, Verdict
from bot.filters.base import FILTER_ERROR
from bot.service.filtering.book import RuleBook
from bot.service.filtering.known import Place
from bot.service.filtering.scoring import SCORE_CANDIDATES_S, SCORE_S, Scorer, Scores
from bot.service.filtering.sinks import Flagged, Flags
from bot.store import FilterHit, Store

log = logging.getLogger(__name__)

Kinded = tuple[str, TextKind]
"""A text and what it is."""
UNUSABLE = "the server's rules"
"""What a refusal names as its rule where the rules themselves can't be used."""


@dataclass(frozen=True)
class Judged:
    """A text as it may be shown, with places covered where a rule wants that, and what was decided about it.

    `banned` are the words that had it refused, as they stand in it.
    """

    text: str
    kind: TextKind
    verdict: Verdict
    banned: tuple[str, ...] = ()

    @property
    def is_flagged(self) -> bool:
        """Whether it may be shown, and moderators are to look at it."""
        return self.verdict.allowed and any(
            hit.action is Action.FLAG and hit.mode is Mode.ON for hit in self.verdict.hits
        )


class Judge:
    """Where every text is judged before anybody sees it.

    It fails closed: where rules can't be used, every text is refused. A text that is allowed with places covered is
    only ever passed on like that. What was found is noted without whose text it was. `flags` is told what is flagged;
    None tells nobody.
    """

    def __init__(
        self, book: RuleBook, scorer: Scorer, store: Store, flags: Flags | None, now: Callable[[], datetime]
    ) -> None:
        self._book = book
        self._scorer = scorer
        self._store = store
        self.flags = flags
        self._now = now

    async def judge(self, place: Place, text: str, kind: TextKind) -> Judged:
        """One text; see `judge_all`."""
        return (await self.judge_all(place, [(text, kind)]))[0]

    async def judge_all(self, place: Place, texts: Sequence[Kinded]) -> list[Judged]:
        """The texts in their order, with one question to the classifier where rules want one."""
        judged = await self.weigh(place, texts)
        await self._note(place, judged)
        return judged

    async def weigh(self, place: Place, texts: Sequence[Kinded]) -> list[Judged]:
        """Likewise, and nothing is noted."""
        try:
            rules, scores = await self._rules_and_scores(place, texts)
        except RuleError as error:
            log.error("texts of server %d are refused: %s", place.guild_id, error)
            return [Judged(text, kind, Verdict.refuse(FILTER_ERROR, UNUSABLE)) for text, kind in texts]
        return [
            _judged(rules, text, kind, rules.check(text, kind, roles=place.roles_for(kind), scores=score))
            for (text, kind), score in zip(texts, scores, strict=True)
        ]

    async def report(
        self, place: Place, judged: Judged, *, round_id: int | None = None, candidate_id: int | None = None
    ) -> None:
        """Tells moderators of a text that is shown and that a rule flagged; of any other, nothing.

        The text is shown already or about to be: where telling fails, that is logged.
        """
        if self.flags is None or not judged.is_flagged:
            return
        user_id = None if judged.kind is TextKind.CANDIDATE else place.known.user_id
        flagged = Flagged(
            *(place.guild_id, place.channel_id, judged.kind, judged.text, judged.verdict, user_id),
            round_id=round_id,
            candidate_id=candidate_id,
        )
        try:
            await self.flags.flag(flagged)
        except Exception:
            log.exception("moderators of server %d were not told of a flagged text", place.guild_id)

    async def _rules_and_scores(self, place: Place, texts: Sequence[Kinded]) -> tuple[RuleSet, Sequence[Scores]]:
        """The rules as they are at the moment of returning, and the scores that they want."""
        rules = await self._book.rules_for(place)
        if not rules.wants_scores:
            return rules, [None] * len(texts)
        is_written = any(kind is TextKind.CANDIDATE for _, kind in texts)  # nobody's command waits for those
        within_s = SCORE_CANDIDATES_S if is_written else SCORE_S
        scores = await self._scorer.score([text for text, _ in texts], within_s)
        return await self._book.rules_for(place), scores  # they may have changed while the classifier was asked

    async def _note(self, place: Place, judged: Sequence[Judged]) -> None:
        at = self._now()
        hits = [
            FilterHit(
                *(place.guild_id, place.channel_id, at, one.kind.value, hit.rule, hit.rule_id, hit.category),
                action=hit.action.value,
                is_shadow=hit.mode is Mode.SHADOW,
            )
            for one in judged
            # A rule that hits a text in ten places has hit one text.
            for hit in {(hit.rule, hit.rule_id, hit.action, hit.mode): hit for hit in one.verdict.hits}.values()
        ]
        if hits:
            await self._store.add_hits(hits)


def _judged(rules: RuleSet, text: str, kind: TextKind, verdict: Verdict) -> Judged:
    if not verdict.allowed:
        return Judged(text, kind, verdict, rules.banned_phrases(verdict, text))
    return Judged(text if verdict.masked is None else verdict.masked, kind, verdict)
