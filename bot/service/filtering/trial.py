"""Tries a rule on texts that stood on ballots before anybody is stopped by it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.filters import Action, Hit, Levels, Mode, Rule, RuleKind, RuleSet, TextKind, check_rule, compile_rules
from bot.service.filtering.book import RuleBook
from bot.service.filtering.choice import rules_in
from bot.service.filtering.scoring import SCORE_CANDIDATES_S, Scorer, Scores
from bot.service.filtering.views import Sample, Trial
from bot.store import PastText, Store

MAX_TEXTS = 2000
"""As many as a moderator waits for: a few seconds."""
MAX_SCORED = 64
"""Likewise where each text has to be scored by a classifier."""
CHUNK = 50
"""So many are looked at in a thread at a time: tens of milliseconds, in which the event loop goes on."""
MAX_SAMPLES = 10
NO_LISTS = Levels({})
LATEST = 2**62


@dataclass
class _Counts:
    looked_at: int = 0
    looked_at_canon: int = 0
    hits: int = 0
    hits_canon: int = 0
    samples: list[Sample] = field(default_factory=list)

    def add(self, text: PastText, hit: Hit | None) -> None:
        self.looked_at += 1
        self.looked_at_canon += text.is_canon
        if hit is None:
            return
        self.hits += 1
        self.hits_canon += text.is_canon
        if len(self.samples) < MAX_SAMPLES:
            self.samples.append(Sample(text.text, hit.start, hit.end, text.channel_id, text.is_canon, hit.action))


class TrialService:
    """Looks only: nothing is stored, and nothing is noted of what it finds."""

    def __init__(self, store: Store, book: RuleBook, scorer: Scorer) -> None:
        self._store = store
        self._book = book
        self._scorer = scorer

    async def run(self, guild_id: int, rule: Rule) -> Trial:
        """What the rule would have done, the newest texts first: as if it were on, for all sorts of text and channels.

        A channel's rule is tried on that channel's texts. The place's exceptions count, other rules do not. Raises
        RuleError for a rule that can't be used.
        """
        await asyncio.to_thread(check_rule, rule)
        tried = _wide_awake(rule)
        rules = await asyncio.to_thread(
            compile_rules, [*await self._exceptions(guild_id, rule), tried], levels=NO_LISTS
        )
        bound = MAX_SCORED if rules.wants_scores else MAX_TEXTS
        counts, before_id = _Counts(), LATEST
        while counts.looked_at < bound:
            texts = await self._store.past_texts(
                guild_id, rule.channel_id, before_id, min(CHUNK, bound - counts.looked_at)
            )
            if not texts:
                break
            before_id = texts[-1].id
            scores = await self._scores(rules, texts)
            for text, hit in zip(texts, await asyncio.to_thread(_find, rules, tried, texts, scores), strict=True):
                counts.add(text, hit)
        rest = await self._store.past_texts(guild_id, rule.channel_id, before_id, 1)
        return Trial(
            *(rule, counts.looked_at, counts.looked_at_canon, counts.hits, counts.hits_canon),
            samples=tuple(counts.samples),
            is_everything=not rest,
        )

    async def _exceptions(self, guild_id: int, rule: Rule) -> list[Rule]:
        held = rules_in((await self._book.server(guild_id)).rules, [None, rule.channel_id])
        return [
            one
            for one in held
            if one.action is Action.ALLOW and one.mode is Mode.ON and one.name.casefold() != rule.name.casefold()
        ]

    async def _scores(self, rules: RuleSet, texts: Sequence[PastText]) -> Sequence[Scores]:
        if not rules.wants_scores:
            return [None] * len(texts)
        return await self._scorer.score([text.text for text in texts], SCORE_CANDIDATES_S)


def _wide_awake(rule: Rule) -> Rule:
    """On, for every kind of text, tier and role. A classifier's rule that fails closed would hit every text then."""
    options = {name: value for name, value in rule.options.items() if name != "fail"}
    return replace(
        rule,
        id=None,
        mode=Mode.ON,
        text_kinds=frozenset(),
        tiers=frozenset(),
        bypass_roles=frozenset(),
        options=options if rule.kind is RuleKind.CATEGORY else rule.options,
    )


def _find(rules: RuleSet, rule: Rule, texts: Sequence[PastText], scores: Sequence[Scores]) -> list[Hit | None]:
    """For each text the first place that the rule hits; an exception's are in no verdict, so texts are explained."""
    return [_first(rules, rule, text.text, score) for text, score in zip(texts, scores, strict=True)]


def _first(rules: RuleSet, rule: Rule, text: str, scores: Scores) -> Hit | None:
    if rule.action is not Action.ALLOW:
        hits = rules.check(text, TextKind.CANDIDATE, scores=scores).hits
    else:
        hits = tuple(one.hit for one in rules.explain(text, TextKind.CANDIDATE, scores=scores).judged)
    return next((hit for hit in hits if hit.rule == rule.name), None)
