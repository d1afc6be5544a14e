"""The real bot on SimCord's Discord: real store, filters and services, real HTTP to a scripted storyteller."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import discord
import simcord
from simcord.components import walk_components

from bot.app import describe_classifier
from bot.config import load_config
from bot.discord_app.bot import TalewrightBot, create_bot
from bot.errors import TalewrightError
from bot.service.build import Services, build_services
from bot.service.filtering.book import compiler
from bot.service.filtering.sinks import Flags
from bot.store import Store
from bot.story.model import RoundKind
from bot.worker import Completion, CompletionRequest, RewriteRequest, WorkerClient
from tests.bot.service.far_end import FarEnd
from tests.bot.service.filtering.moderators import Desk

FORBIDDEN = "grumbleflax"
TEXT = 10
BUTTON = 2
COMPONENTS_V2 = 1 << 15
ADMINISTRATOR = discord.Permissions(administrator=True).value
WORKER_TIMEOUT_S = 20.0


def now() -> Any:
    """SimCord's clock, which only `env.advance_time` moves."""
    return discord.utils.utcnow()


@dataclass(frozen=True)
class Site:
    """What outlives a process of the bot: its database, the host's word list, and the storyteller's address."""

    path: Path
    words: Path
    url: str
    far: FarEnd
    flags: Flags | None = None
    moderation_url: str | None = None


@dataclass
class Parts:
    """One process of the bot; a restart makes new ones on the same files."""

    store: Store
    worker: WorkerClient
    services: Services
    bot: TalewrightBot

    async def close(self) -> None:
        await self.worker.close()
        await self.store.close()


async def open_parts(site: Site, timeout_s: float = WORKER_TIMEOUT_S) -> Parts:
    store = await Store.open(site.path)
    worker = WorkerClient(site.url, None, None, timeout_s)
    services = build_services(store, worker, compiler([site.words]), now, random.Random(7), flags=site.flags)

    async def describe_model() -> str:
        return (await worker.describe()).id

    config = load_config(None, worker_url=site.url, moderation_url=site.moderation_url)
    bot = create_bot(
        services,
        now=now,
        get_meta=store.get_meta,
        set_meta=store.set_meta,
        describe_model=describe_model,
        describe_classifier=partial(describe_classifier, worker, config),
        contact_url="https://example.org/contact",
        privacy_url="https://example.org/privacy",
        shard_count=1,
    )
    return Parts(store, worker, services, bot)


def _button(label: str, custom_id: str) -> dict[str, Any]:
    return {"type": BUTTON, "style": 2, "label": label, "custom_id": custom_id}


@dataclass
class Stage:
    """A server with two channels and members of all sorts, and the moves that nearly every test makes."""

    env: simcord.Env
    parts: Parts
    site: Site
    expected: tuple[type[BaseException], ...] = (TalewrightError,)
    is_worker_left_out: bool = False

    def __post_init__(self) -> None:
        env = self.env
        self.guild = env.create_guild("Tellers")
        self.channel = self.guild.create_text_channel("stories")
        self.other = self.guild.create_text_channel("elsewhere")
        moderators = self.guild.create_role("Mods", permissions=discord.Permissions(manage_messages=True))
        keepers = self.guild.create_role("Keepers", permissions=discord.Permissions(manage_channels=True))
        admins = self.guild.create_role("Admins", permissions=discord.Permissions(manage_guild=True))
        self.ada, self.ben, self.cleo = (self._member(name) for name in ("ada", "ben", "cleo"))
        self.mod, self.keeper, self.admin = (
            self._member(role.name.lower(), role) for role in (moderators, keepers, admins)
        )

    def _member(self, name: str, *roles: simcord.RoleHandle) -> simcord.MemberActor:
        return self.guild.add_member(self.env.create_user(name), roles=list(roles))

    @property
    def bot(self) -> TalewrightBot:
        return self.parts.bot

    @property
    def far(self) -> FarEnd:
        return self.site.far

    @property
    def services(self) -> Services:
        return self.parts.services

    async def restart(self, down_s: float = 0) -> None:
        """A new process on the same database, in the same world, after the old one was gone for a while."""
        old = self.parts
        self.parts = await open_parts(self.site)
        if self.is_worker_left_out:
            self.leave_the_worker_out()
        self.env.backend.clock.advance(down_s)
        await self._switch(old)

    async def begin_unseen(self) -> None:
        """A round that the database has, begun by a process that died before it told anybody."""
        await self.services.rounds.begin(
            RoundKind.CONTINUE, self.guild.id, self.channel.id, self.ada.id, None, interaction_id=1
        )

    def forbid_bot(self, *permissions: str) -> None:
        """Takes permissions from the bot, for the whole server."""
        role = self.env.backend.get_guild(self.guild.id).roles[self.me.id]
        role.permissions &= ~discord.Permissions(**dict.fromkeys(permissions, True)).value & ~ADMINISTRATOR
        everyone = self.env.backend.get_guild(self.guild.id).everyone_role
        everyone.permissions &= ~discord.Permissions(**dict.fromkeys(permissions, True)).value

    async def open_thread(self) -> simcord.ChannelHandle:
        """A thread of the channel."""
        channel = self.bot.get_channel(self.channel.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.create_thread(name="a thread", type=discord.ChannelType.public_thread)
        await self.env.settle()
        return self.channel.threads[0]

    async def replace_worker(self, url: str, timeout_s: float = WORKER_TIMEOUT_S) -> None:
        """Restarts with another storyteller, or less patience."""
        old = self.parts
        self.parts = await open_parts(replace(self.site, url=url), timeout_s)
        await self._switch(old)

    async def score_elsewhere(self, url: str) -> None:
        """Restarts with another server for the scores of texts."""
        self.site = replace(self.site, moderation_url=url)
        await self.restart()

    async def open_desk(self) -> Desk:
        """Restarts with somebody who takes what is flagged."""
        desk = Desk()
        self.site = replace(self.site, flags=desk)
        await self.restart()
        return desk

    async def _switch(self, old: Parts) -> None:
        # SimCord drops the callbacks of a bot that it detaches, and with them the end of sockets that are just being
        # closed. So whatever the old bot was doing is cut off first, and the loop gets time to close them.
        await old.bot.work.drain(0)
        await asyncio.sleep(0.01)
        await self.env.restart_bot(self.parts.bot)
        await old.close()

    def leave_the_worker_out(self) -> None:
        """From here on an action is over while the model still writes: see `far.gate` and `until`."""
        self.is_worker_left_out = True
        worker = self.parts.worker
        complete, rewrite = worker.complete, worker.rewrite

        async def wait_to_complete(request: CompletionRequest) -> list[Completion]:
            return cast(list[Completion], await self.env.external_wait(complete(request), reason="writing"))

        async def wait_to_rewrite(request: RewriteRequest) -> list[Completion]:
            return cast(list[Completion], await self.env.external_wait(rewrite(request), reason="writing"))

        worker.complete, worker.rewrite = wait_to_complete, wait_to_rewrite  # type: ignore[method-assign]
        self.env.settle_timeout = WORKER_TIMEOUT_S / 2  # the client's own timer must not hold up an action either

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Lets real HTTP go on until something is so; the test's own timeout is the bound."""
        while not is_so():
            await asyncio.sleep(0.01)
            await self.env.settle()

    @property
    def me(self) -> Any:
        """The bot's own role, for overwrites."""
        return self.guild.roles["TestBot"]

    async def post_button(self, custom_id: str) -> discord.Message:
        """A message of the bot's with one button, such as an earlier version may have left."""
        return self._post([{"type": 1, "components": [_button("Old", custom_id)]}])

    async def keep_clickable(self, message: discord.Message) -> discord.Message:
        """A copy of a message that stays as it is: what a slow client still shows while the original has changed."""
        stored = self.env.backend.get_message(message.channel.id, message.id)
        return self._post(stored.components, flags=COMPONENTS_V2)

    def _post(self, components: list[dict[str, Any]], flags: int = 0) -> discord.Message:
        backend = self.env.backend
        content = "" if flags else "old"
        stored = backend.create_message(
            self.channel.id, backend.bot_user.id, content, components=deepcopy(components), flags=flags
        )
        return next(message for message in self.messages if message.id == stored.id)

    # moves

    async def story(self, title: str = "The Glass Key", premise: str = "A key that opens any door.") -> None:
        await self.ada.slash(self.channel, "story start", title=title, premise=premise)

    async def ask(self, **options: str) -> simcord.InteractionResult:
        return await self.ada.slash(self.channel, "continue", **options)

    async def settings(self, **values: object) -> None:
        for name, value in values.items():
            await self.services.settings.set(self.guild.id, None, name, str(value), self.admin.id)

    async def vote(self, member: simcord.MemberActor, letter: str) -> simcord.InteractionResult:
        label = "None of these" if letter == "none" else f"Vote {letter}"
        return await member.click(self.ballot, label=label)

    async def write(self, member: simcord.MemberActor, text: str) -> simcord.InteractionResult:
        shown = await member.slash(self.channel, "write")
        assert shown.modal is not None, self.told(shown)
        return await member.submit_modal(shown, {"passage": text})

    async def win(self, letter: str = "A") -> None:
        """The letter gets a vote, and a moderator closes the round."""
        await self.vote(self.ada, letter)
        await self.mod.slash(self.channel, "round close")

    # looks

    @property
    def messages(self) -> list[discord.Message]:
        """Everything public in the channel, oldest first."""
        return sorted(self.channel.history(), key=lambda message: message.id)

    @property
    def ballot(self) -> discord.Message:
        """The newest message with buttons to vote."""
        found = [m for m in self.messages if any(b.startswith(("Vote", "None of")) for b in self.buttons(m))]
        assert found, f"no ballot in {[self.text(m) for m in self.messages]}"
        return found[-1]

    def letter_of(self, text: str) -> str:
        """The letter under which a text stands on the ballot."""
        parts = self.text(self.ballot).split("### ")[1:]
        (found,) = (part[0] for part in parts if text in part)
        return found

    def text(self, message: Any) -> str:
        """All that a member reads in a message, in its order."""
        return "\n".join([message.content, *self._values(message, "content", TEXT)]).strip()

    def buttons(self, message: Any) -> list[str]:
        return self._values(message, "label", BUTTON)

    def _values(self, message: Any, key: str, kind: int) -> list[str]:
        stored = self.env.backend.get_message(self.channel_of(message), message.id)
        return [str(c[key]) for c in walk_components(stored.components) if c.get("type") == kind]

    def channel_of(self, message: Any) -> int:
        return int(message.channel_id if hasattr(message, "channel_id") else message.channel.id)

    def told(self, result: simcord.InteractionResult) -> str:
        """The private answer to an action; fails where it was public or missing."""
        assert result.acknowledged
        assert result.ephemeral, f"public: {self.text(result.response)}"
        parts = [m for m in (result.response, *result.followups) if m is not None]
        return "\n".join(self.text(part) for part in parts)

    def unexpected_errors(self) -> list[BaseException]:
        """What the bot raised beside refusals; looking acknowledges it to SimCord."""
        found = [getattr(error, "original", error) for error in self.env.errors]
        return [error for error in found if not isinstance(error, self.expected)]
