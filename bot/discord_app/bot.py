"""The bot: discord.py's client with our commands, buttons and clocks, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app.appealing import Appealing
from bot.discord_app.buttons import Verb
from bot.discord_app.case_board import CaseBoard
from bot.discord_app.cogs.audit import AuditCog, AuditLog
from bot.discord_app.cogs.filters import FiltersCog
from bot.discord_app.cogs.help import About, Classifier, HelpCog
from bot.discord_app.cogs.limits import LimitsCog
from bot.discord_app.cogs.moderation import ModerationCog
from bot.discord_app.cogs.rounds import RoundsCog
from bot.discord_app.cogs.settings import SettingsCog
from bot.discord_app.cogs.story import StoryCog
from bot.discord_app.conductor import Conductor
from bot.discord_app.deadlines import Deadlines
from bot.discord_app.deciding import Deciding
from bot.discord_app.departures import Departures
from bot.discord_app.filtering.clicks import LabClicks
from bot.discord_app.gate import REPORT_MENU, Gate
from bot.discord_app.inflight import InFlight
from bot.discord_app.known import known_channel
from bot.discord_app.log_posts import LogPosts
from bot.discord_app.pages import Pages
from bot.discord_app.publisher import Publisher
from bot.discord_app.redraws import PACE_S, Redraws
from bot.discord_app.reporting import Reporting
from bot.discord_app.router import Handler, Router
from bot.discord_app.startup import resume
from bot.discord_app.sync import GetMeta, SetMeta, sync_commands
from bot.discord_app.tree import TalewrightTree
from bot.discord_app.voting import Voting
from bot.discord_app.watch import LONGEST_NAP_S
from bot.discord_app.writing import Writing
from bot.service.build import Services

log = logging.getLogger(__name__)

DRAIN_S = 20.0
"""How long closing waits for work under way; a container's stop grace period must be longer."""
FLUSH_S = 5.0
"""How long closing may spend on drawing what votes have changed."""
STALE = timedelta(seconds=3 * LONGEST_NAP_S)
"""A dispatcher of deadlines that has not finished a step for so long is not well."""
"""In the menu of every message; it works on those that tell of a story."""


@dataclass(frozen=True)
class Options:
    """How the bot runs, beside what it does. `shard_count` None lets Discord say how many shards are needed."""

    sync_commands: bool = True
    shard_count: int | None = None
    redraw_pace_s: float = PACE_S
    drain_s: float = DRAIN_S


class TalewrightBot(commands.AutoShardedBot):
    """Wires the parts together; each part is reachable as an attribute, `tree` included.

    Needs no privileged intent and keeps neither members nor messages in memory.
    """

    def __init__(
        self,
        services: Services,
        *,
        now: Callable[[], datetime],
        get_meta: GetMeta,
        set_meta: SetMeta,
        about: About,
        options: Options,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=TalewrightTree,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=60,
            shard_count=options.shard_count,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self.services = services
        self.work = InFlight()
        self.command_ids: dict[str, int] = {}
        self._now = now
        self._about = about
        self._options = options
        self._get_meta = get_meta
        self._set_meta = set_meta
        self._has_begun = False
        self._is_drained = False
        self.gate = Gate(services.limits)
        publisher = Publisher(self, now)
        self.conductor = Conductor(
            services.rounds,
            services.cases,
            publisher,
            self.work,
            on_deadline=lambda: self.deadlines.watch.ring(),
            on_undrawn=lambda round_id: self.redraws.retry_later(round_id),
            on_marked=lambda round_id: self.redraws.ask(round_id),
            know=partial(known_channel, self),
        )
        self.redraws = Redraws(self, self.conductor.try_to_show, now, options.redraw_pace_s)
        self.deadlines = Deadlines(self, services.rounds, self.conductor.try_to_settle, now)
        self.board = CaseBoard(self, services.cases, now, options.redraw_pace_s)
        self.deciding = Deciding(services.cases, self.conductor, self.work, now)
        self.reporting = Reporting(services, self.work)
        self.departures = Departures(self, services.departures, now)
        self.log_posts = LogPosts(self, services.limits, publisher, now)
        self._limits_cog = LimitsCog(services.limits, services.cases, self.deciding, self.conductor, self.log_posts)

    async def login(self, token: str) -> None:
        """The client's first step. Before it there is nothing to close, and discord.py 2.7.1 would fail to."""
        self._has_begun = True
        await super().login(token)

    async def setup_hook(self) -> None:
        """Runs once after the login, before the first event: commands, buttons, clocks, unfinished rounds."""
        await self._add_commands()
        self.add_listener(self._router().on_interaction, "on_interaction")
        if self._options.sync_commands:
            application_id = self.application_id or 0
            self.command_ids = await sync_commands(self.tree, application_id, self._get_meta, self._set_meta)
        for listener in (self.departures.on_ready, self.departures.on_guild_join, self.departures.on_guild_remove):
            self.add_listener(listener)
        self.redraws.watch.start()
        self.board.watch.start()
        self.deadlines.watch.start()
        self.departures.watch.start()
        self.log_posts.watch.start()
        self.work.start(resume(self.services.rounds, self.conductor, self.redraws, self.board), "resume")

    async def on_app_command_completion(self, _interaction: discord.Interaction, _command: object) -> None:
        """A command may have written a line of the audit log."""
        self.log_posts.watch.ring()

    def is_well(self) -> bool:
        """Whether every shard is connected and deadlines are being watched; for a health check."""
        if not self.is_ready() or not self.shards or any(shard.is_closed() for shard in self.shards.values()):
            return False
        last = self.deadlines.watch.last_success
        return last is not None and self._now() - last < STALE

    async def close(self) -> None:
        """Takes nothing new, lets work under way finish, draws what is left to draw, then disconnects."""
        if not self._is_drained:
            self._is_drained = True
            await self._drain()
        if self._has_begun:
            await super().close()

    async def _drain(self) -> None:
        await self.deadlines.watch.stop()
        await self.departures.watch.stop()
        await self.log_posts.watch.stop()
        await self.work.drain(self._options.drain_s)
        await self.redraws.watch.stop()
        await self.board.watch.stop()
        try:
            async with asyncio.timeout(FLUSH_S):
                await self.redraws.flush()
                await self.board.redraws.flush()
        except TimeoutError:
            log.info("some ballots are redrawn after the next start")

    async def _add_commands(self) -> None:
        services = self.services
        await self.add_cog(StoryCog(services.stories, self.work))
        await self.add_cog(RoundsCog(services, self.conductor, self.work))
        await self.add_cog(ModerationCog(services.rounds, self.conductor))
        self.tree.add_command(app_commands.ContextMenu(name=REPORT_MENU, callback=self._report_message))
        await self.add_cog(SettingsCog(services.settings))
        await self.add_cog(self._limits_cog)
        await self.add_cog(AuditCog(AuditLog(services.limits)))
        await self.add_cog(FiltersCog(services.filters))
        await self.add_cog(HelpCog(self._about, lambda: self.command_ids))

    async def _report_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        await self.reporting.of_message(interaction, message)

    def _router(self) -> Router:
        services, pages = self.services, Pages(self.services)
        voting = Voting(services.rounds, self.conductor, self.redraws)
        writing = Writing(services.rounds, self.conductor, self.redraws, self.work)
        appealing = Appealing(services.cases, self.work)
        lab = LabClicks(services)
        handlers: dict[Verb, Handler] = {
            **lab.handlers,
            Verb.VOTE: voting.vote,
            Verb.READ: pages.read,
            Verb.TURN: pages.turn,
            Verb.STORY: pages.story,
            Verb.FILE: pages.file,
            Verb.LIST: pages.list,
            Verb.WRITE: writing.submit,
            Verb.LOG: AuditLog(services.limits).turn,
            Verb.BARS: self._limits_cog.turn_bars,
            Verb.REPORT: self.reporting.of_round,
            Verb.REPORT_PASSAGE: self.reporting.of_passage,
            Verb.REPORT_PAGE: self.reporting.of_page,
            Verb.REPORTED: self.reporting.submit,
            Verb.APPEAL: appealing.ask,
            Verb.APPEALED: appealing.submit,
            Verb.CASES: self.deciding.turn,
            Verb.CASE: self.deciding.open,
            Verb.CASE_TEXT: self.deciding.whole_text,
            Verb.ACT: self.deciding.ask,
            Verb.ACTED: self.deciding.submit,
        }
        return Router(handlers, self.work, self.gate, self.log_posts.watch.ring)


def create_bot(
    services: Services,
    *,
    now: Callable[[], datetime],
    get_meta: GetMeta,
    set_meta: SetMeta,
    sync_commands: bool = True,
    describe_model: Callable[[], Awaitable[str]] | None = None,
    describe_classifier: Callable[[], Awaitable[Classifier | None]] | None = None,
    contact_url: str | None = None,
    privacy_url: str | None = None,
    shard_count: int | None = None,
    redraw_pace_s: float = PACE_S,
    drain_s: float = DRAIN_S,
) -> TalewrightBot:
    """The bot, not connected yet: `async with bot: await bot.start(token)`.

    `now` gives aware UTC times, the same as the services'. `get_meta` and `set_meta` keep small texts between starts.
    `describe_model` and `describe_classifier` name models for /about; they may ask the worker. `shard_count` None lets
    Discord decide.
    """
    about = About(describe_model, describe_classifier, contact_url, privacy_url)
    options = Options(sync_commands, shard_count, redraw_pace_s, drain_s)
    return TalewrightBot(services, now=now, get_meta=get_meta, set_meta=set_meta, about=about, options=options)
