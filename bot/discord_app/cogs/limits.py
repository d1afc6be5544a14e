"""/moderation bar, unbar, bars, stop, resume, log-channel, and what `cases` adds: for moderators."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import replies, texts
from bot.discord_app.audit_view import bars_page, posted
from bot.discord_app.cogs.cases import CaseCommands
from bot.discord_app.conductor import Conductor
from bot.discord_app.deciding import Deciding
from bot.discord_app.log_posts import LogPosts
from bot.discord_app.permissions import may_moderate, place_of, require_member
from bot.errors import BadInput
from bot.service.cases import CaseService
from bot.service.limits import LimitService
from bot.story.limits import parse_duration

Person = discord.User | discord.Member
Scope = Literal["channel", "server"]
NEEDED = "manage_messages"
NEEDED_FOR = {"channel": "manage_messages", "server": "manage_guild"}
SCOPE_HELP = "Where: this channel with its threads (the default), or the whole server"
DURATIONS = ("10 minutes", "1 hour", "12 hours", "1 day", "3 days", "1 week", "4 weeks")


async def offer_durations(_interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Times to choose from; any other that `parse_duration` reads may be typed."""
    wanted = typed.strip().casefold()
    return [app_commands.Choice(name=length, value=length) for length in DURATIONS if wanted in length]


class Postable(app_commands.Transformer):
    """A channel that messages can be posted in, as its id: discord.py would refuse one that the bot can't see."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        return [discord.ChannelType.text, discord.ChannelType.news]

    async def transform(self, _interaction: discord.Interaction, value: app_commands.AppCommandChannel, /) -> int:
        return value.id


@app_commands.default_permissions(manage_messages=True)
class LimitsCog(
    CaseCommands,
    commands.GroupCog,
    group_name="moderation",
    group_description="Reports, bars and stops (moderators)",
):
    """Discord hides these from other members; whoever an admin shows them to is checked again here."""

    def __init__(
        self,
        limits: LimitService,
        cases: CaseService,
        deciding: Deciding,
        conductor: Conductor,
        log_posts: LogPosts,
    ) -> None:
        self._limits = limits
        self._cases = cases
        self._deciding = deciding
        self._conductor = conductor
        self._log_posts = log_posts
        super().__init__()

    @app_commands.command(name="bar", description="Keep a member from using me for a time")
    @app_commands.describe(
        member="Who", duration="How long, such as “30 minutes” or “1 week 2 days”", reason="Why; the member is told"
    )
    @app_commands.autocomplete(duration=offer_durations)
    async def bar(self, interaction: discord.Interaction, member: Person, duration: str, reason: str) -> None:
        require_member(interaction, NEEDED, "Barring a member")
        require_barrable(member)
        place, length = place_of(interaction), parse_duration(duration)
        got = await self._limits.bar_for(place.guild_id, member.id, length, interaction.user.id, reason)
        await replies.say(interaction, texts.barred(got))

    @app_commands.command(name="unbar", description="Let a barred member use me again")
    @app_commands.describe(member="Who", reason="Why; it stands in the audit log")
    async def unbar(self, interaction: discord.Interaction, member: Person, reason: str | None = None) -> None:
        require_member(interaction, NEEDED, "Lifting a bar")
        await self._limits.unbar(place_of(interaction).guild_id, member.id, interaction.user.id, reason)
        await replies.say(interaction, f"<@{member.id}> is no longer barred.")

    @app_commands.command(name="bars", description="Who is barred, until when and why")
    async def bars(self, interaction: discord.Interaction) -> None:
        require_member(interaction, NEEDED, "Reading the bars")
        await replies.show(interaction, bars_page(await self._limits.bars(place_of(interaction).guild_id)))

    async def turn_bars(self, interaction: discord.Interaction, page: int) -> None:
        """Another page of them: a button's handler."""
        require_member(interaction, NEEDED, "Reading the bars")
        await replies.turn(interaction, bars_page(await self._limits.bars(place_of(interaction).guild_id, page)))

    @app_commands.command(name="stop", description="Stop me here at once: open rounds are cancelled")
    @app_commands.describe(scope=SCOPE_HELP, reason="Why; members are told")
    async def stop(self, interaction: discord.Interaction, scope: Scope = "channel", reason: str | None = None) -> None:
        require_member(interaction, NEEDED_FOR[scope], f"Stopping me in {texts.SCOPES[scope]}")
        place = place_of(interaction)
        channel_id = place.channel_id if scope == "channel" else None
        threads = threads_of(interaction)
        cancelled = await self._limits.stop(place.guild_id, channel_id, interaction.user.id, reason, threads)
        for round_ in cancelled:
            self._conductor.show_soon(round_.id)
        await replies.say(interaction, texts.stopped(scope, len(cancelled)))

    @app_commands.command(name="resume", description="Let me go on where I was stopped")
    @app_commands.describe(scope=SCOPE_HELP)
    async def resume(self, interaction: discord.Interaction, scope: Scope = "channel") -> None:
        require_member(interaction, NEEDED_FOR[scope], f"Letting me go on in {texts.SCOPES[scope]}")
        place = place_of(interaction)
        channel_id = place.channel_id if scope == "channel" else None
        still = await self._limits.resume(place.guild_id, channel_id, interaction.user.id)
        await replies.say(interaction, texts.resumed(scope, is_server_stopped=still is not None))

    @app_commands.command(name="log-channel", description="Post the audit log in a channel from now on")
    @app_commands.describe(channel="Where; left out: nowhere")
    async def log_channel(
        self, interaction: discord.Interaction, channel: app_commands.Transform[int, Postable] | None = None
    ) -> None:
        require_member(interaction, NEEDED_FOR["server"], "Choosing where the audit log is posted")
        place = place_of(interaction)
        # Posting may have to wait for Discord's limits, longer than a first answer may take.
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._limits.set_log_channel(place.guild_id, channel, interaction.user.id)
        await replies.say(interaction, posted(await self._log_posts.try_now(place.guild_id)))


def require_barrable(member: Person) -> None:
    """Raises BadInput for those on whom a bar would have no effect."""
    if member.bot:
        raise BadInput("That is a bot, and bots can't use me anyway.")
    if isinstance(member, discord.Member) and may_moderate(member):
        raise BadInput("Moderators (with “Manage Messages”) can't be barred. An admin can take that permission first.")


def threads_of(interaction: discord.Interaction) -> list[int]:
    """The threads of the channel that are not archived; Discord tells the bot of these."""
    guild = interaction.guild
    return [] if guild is None else [one.id for one in guild.threads if one.parent_id == interaction.channel_id]
