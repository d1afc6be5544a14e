"""Limits of the real bot over real sockets: commands at the same moment, and lines of the log that are posted once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import discord
import pytest

from bot.story.audit import AuditEntry, Deed
from tests.contract.message import EPHEMERAL
from tests.wire.members import Member, join, text_of
from tests.wire.paths import CHANNEL_MESSAGES
from tests.wire.payloads import MEMBER_PERMISSIONS, snowflake
from tests.wire.standin import StandIn
from tests.wire.telling import Process, Table

pytestmark = pytest.mark.parametrize("shard_count", [1], ids=["one shard"])

MODERATES = MEMBER_PERMISSIONS | discord.Permissions(manage_messages=True)


def elsewhere(standin: StandIn, member: Member) -> Member:
    """The same member in another channel of the server."""
    channels = standin.world.guilds[0]["channels"]
    channels.append({**channels[0], "id": str(snowflake()), "name": "elsewhere"})
    return replace(member, channel_id=int(channels[-1]["id"]))


async def test_of_two_commands_at_the_same_moment_one_gets_the_last_round(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    away = elsewhere(standin, table.ben)
    await table.story()
    await (await away.slash("story start", title="Elsewhere")).message()
    await running.services.settings.set(table.ann.guild_id, None, "server_rounds_per_hour", "1", 1)
    asked = await asyncio.gather(table.ann.slash("continue", hint="a bell"), away.slash("continue", hint="a door"))
    answers = [await one.answered() for one in asked]
    private = [bool(answer["data"]["flags"] & EPHEMERAL) for answer in answers]
    assert sorted(private) == [False, True]
    said = answers[private.index(True)]["data"]["content"]
    assert "The next round can begin <t:" in said
    assert ("a bell", "a door")[private.index(True)] in said
    await running.settled()
    assert len(await running.services.rounds.unfinished()) == 1


async def test_a_stop_at_the_moment_of_a_command_leaves_nothing_running(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    moderator = join(standin, "mod", permissions=MODERATES)
    await table.story()
    for _ in range(5):
        asked = await asyncio.gather(table.ann.slash("continue"), moderator.slash("moderation stop", reason="a raid"))
        await asyncio.gather(*(one.answered() for one in asked))
        await running.settled()
        assert await running.services.rounds.unfinished() == []
        refused = await (await table.ben.slash("write")).message()
        assert refused.is_ephemeral
        assert "Reason: a raid" in text_of(refused)
        await (await moderator.slash("moderation resume")).message()


async def test_a_line_whose_confirmation_was_lost_stands_once(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    guild_id, channel_id = table.ann.guild_id, table.channel_id
    await running.services.limits.set_log_channel(guild_id, channel_id, 1)
    await running.bot.log_posts.step()
    standin.faults.add("POST", CHANNEL_MESSAGES, None, is_applied=True)
    await running.store.record(AuditEntry(guild_id, None, running.clock.now(), 1, Deed.STOPPED))
    await running.store.record(AuditEntry(guild_id, None, running.clock.now(), 1, Deed.RESUMED))
    await running.bot.log_posts.step()
    await running.bot.log_posts.step()
    await running.bot.log_posts.step()
    lines = [text_of(message).split("**")[1] for message in table.messages]
    assert lines == ["log channel changed", "bot stopped", "bot resumed"]
    assert len(standin.sent("POST", CHANNEL_MESSAGES.fullmatch)) == 4, "one of them twice, under the same nonce"
