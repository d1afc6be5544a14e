"""Puts the services together over a store, a worker and what compiles the filters' rules."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.service.asking import Sleep
from bot.service.departures import DepartureService
from bot.service.filtering.appeals import AppealService
from bot.service.filtering.book import Compile, RuleBook
from bot.service.filtering.judging import Judge
from bot.service.filtering.lab import FilterLab
from bot.service.filtering.scoring import Scorer
from bot.service.filtering.sinks import Classifier, Flags
from bot.service.filtering.trial import TrialService
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
    filters: FilterLab
    appeals: AppealService
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

    `flags` tells moderators of flagged texts and takes appeals; without it nothing can be appealed, and what was
    flagged stands in the figures alone. Without a `classifier` the rules that want one get no scores.

    `now` gives aware UTC times; `rng` seeds the rounds and the model's requests; `sleep` passes the time that a busy
    worker asks for.
    """
    settings = SettingsService(store, now)
    book = RuleBook(store, compile_rules)
    scorer = Scorer(classifier, now)
    judge = Judge(book, scorer, store, flags, now)
    return Services(
        stories=StoryService(store, judge, now),
        rounds=RoundService(store, worker, judge, settings, now, rng, sleep),
        settings=settings,
        departures=DepartureService(store, now),
        filters=FilterLab(store, book, scorer, now),
        appeals=AppealService(judge),
        trials=TrialService(store, book, scorer),
    )
