"""Builds the whole bot out of its parts, in order, and takes it down in the reverse order.

config → database → worker client → services → Discord bot. The demo uses the same function, so what runs in the
browser is what runs on Discord.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.config import BotConfig
from bot.discord_app.bot import TalewrightBot, create_bot
from bot.discord_app.cogs.help import Classifier
from bot.service.build import Services, build_services
from bot.service.filtering.book import compiler
from bot.store import Store
from bot.worker import ModelCard, ModerationBackend, WorkerClient


def utc_now() -> datetime:
    """The wall clock, as an aware UTC time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """The parts of a running bot; `bot` is built but not yet connected."""

    store: Store
    worker: WorkerClient
    services: Services
    bot: TalewrightBot


async def describe_model(worker: WorkerClient) -> str:
    """The models' names and revisions for /about. Raises WorkerError where the worker cannot be asked."""
    card = await worker.describe()
    light = "" if card.rewriter is None else f"; light rewrites by {_named(card.rewriter)}"
    return _named(card) + light


async def describe_classifier(worker: WorkerClient, config: BotConfig) -> Classifier | None:
    """Who scores texts, for /about; None where nobody does. Raises WorkerError where the worker cannot be asked.

    The worker is asked anew, since members are told where their texts go: it may serve another model by now.
    """
    if config.moderation_url is not None:
        return Classifier(config.moderation_model, _other_host(config.moderation_url))
    moderator = (await worker.describe(anew=True)).moderator
    return None if moderator is None else Classifier(_named(moderator), is_beside=True)


def _other_host(url: str) -> str | None:
    """The host of an address, None where that is this machine."""
    host = urlsplit(url).hostname or url
    try:
        is_this = ip_address(host).is_loopback
    except ValueError:
        is_this = host == "localhost"
    return None if is_this else host


def _named(card: ModelCard) -> str:
    return f"{card.id} ({card.revision})" if card.revision else card.id


def open_worker(config: BotConfig) -> WorkerClient:
    """The client for the worker, and for whoever scores texts in its stead."""
    backend = None
    if config.moderation_url is not None:
        backend = ModerationBackend(config.moderation_url, _secret(config.moderation_api_key), config.moderation_model)
    return WorkerClient(
        config.worker_url,
        _secret(config.worker_api_key),
        config.worker_model,
        config.worker_timeout_s,
        moderation=backend,
        moderation_timeout_s=config.moderation_timeout_s,
    )


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


@asynccontextmanager
async def open_app(config: BotConfig, now: Callable[[], datetime] = utc_now) -> AsyncIterator[App]:
    """The parts over `config`, closed again at the end; whoever connects the bot closes it inside.

    Raises StoreError where the database cannot be opened, ConfigError where a word list cannot be read.
    """
    compile_rules = compiler(config.filter_words)
    store = await Store.open(config.database)
    worker = open_worker(config)
    try:
        services = build_services(store, worker, compile_rules, now, random.Random(), classifier=worker)
        bot = create_bot(
            services,
            now=now,
            get_meta=store.get_meta,
            set_meta=store.set_meta,
            sync_commands=config.sync_commands == "auto",
            describe_model=partial(describe_model, worker),
            describe_classifier=partial(describe_classifier, worker, config),
            contact_url=config.contact_url,
            privacy_url=config.privacy_url,
        )
        yield App(store, worker, services, bot)
    finally:
        await worker.close()
        await store.close()
