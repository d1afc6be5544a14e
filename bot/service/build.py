"""Puts the services together over a store, a worker and what compiles the filters' rules."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.service.asking import Sleep
from bot.service.cases import CaseService
from bot.service.departures import DepartureService
from bot.service.filtering.book import Compile, RuleBook
from bot.service.filtering.judging import Judge
from bot.service.filtering.lab import FilterLab
from bot.service.filtering.scoring import Scorer
from bot.service.filtering.sinks import Classifier, Flags
from bot.service.filtering.trial import TrialService
from bot.service.flagging import CaseFlags
from bot.service.limits import LimitService
from bot.service.locks import RoundLocks
from bot.service.rounds import RoundService
from bot.service.settings import SettingsService
from bot.service.stories import StoryService
from bot.store import Store
from bot.worker import WorkerClient


@dataclass(frozen=True)
class Services:
    """Everything that the Discord side calls."""

    stories: StoryService
    rounds: RoundService
    settings: SettingsService
    departures: DepartureService
    limits: LimitService
    cases: CaseService
    filters: FilterLab
    trials: TrialService


def build_services(
    store: Store,
    worker: WorkerClient,
    compile_rules: Compile,
    now: Callable[[], datetime],
    rng: random.Random,
    sleep: Sleep = asyncio.sleep,
    *,
    flags: Flags | None = None,
    classifier: Classifier | None = None,
) -> Services:
    """The services over these parts.

    `flags` tells moderators of flagged texts; without it each becomes a case. Without a `classifier` the rules that
    want one get no scores.

    `now` gives aware UTC times; `rng` seeds the rounds and the model's requests; `sleep` passes the time that a busy
    worker asks for.
    """
    settings = SettingsService(store, now)
    book = RuleBook(store, compile_rules)
    scorer = Scorer(classifier, now)
    locks = RoundLocks()
    judge = Judge(book, scorer, store, None, now)
    rounds = RoundService(store, worker, judge, settings, now, rng, sleep, locks)
    limits = LimitService(store, judge, now, rounds.stop_writing)
    cases = CaseService(store, locks, rounds.stop_writing, now, limits)
    judge.flags = CaseFlags(cases) if flags is None else flags
    return Services(
        stories=StoryService(store, judge, now),
        rounds=rounds,
        settings=settings,
        departures=DepartureService(store, now),
        limits=limits,
        cases=cases,
        filters=FilterLab(store, book, scorer, now),
        trials=TrialService(store, book, scorer),
    )
