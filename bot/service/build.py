"""Puts the services together over a store, a worker and a filter."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.filters.base import Filter
from bot.service.asking import Sleep
from bot.service.cases import CaseService
from bot.service.departures import DepartureService
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


def build_services(
    store: Store,
    worker: WorkerClient,
    filters: Filter,
    now: Callable[[], datetime],
    rng: random.Random,
    sleep: Sleep = asyncio.sleep,
) -> Services:
    """The services over these parts.

    `now` gives aware UTC times; `rng` seeds the rounds and the model's requests; `sleep` passes the time that a busy
    worker asks for.
    """
    settings = SettingsService(store, now)
    locks = RoundLocks()
    rounds = RoundService(store, worker, filters, settings, now, rng, sleep, locks)
    limits = LimitService(store, filters, now, rounds.stop_writing)
    return Services(
        stories=StoryService(store, filters, now),
        rounds=rounds,
        settings=settings,
        departures=DepartureService(store, now),
        limits=limits,
        cases=CaseService(store, locks, rounds.stop_writing, now, limits),
    )
