"""The audit log: read privately in pages, and posted in a channel once and in order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import discord
import pytest
import simcord

from bot.discord_app.audit_view import deed_of, log_line, number_of
from bot.discord_app.log_posts import REST
from bot.story.audit import AuditEntry, Deed
from tests.bot.discord_app.entrances import show_everything_to
from tests.bot.discord_app.stage import Stage, now


async def record(stage: Stage, *deeds: Deed, **how: Any) -> None:
    for number, deed in enumerate(deeds):
        entry = AuditEntry(stage.guild.id, stage.channel.id, now(), stage.mod.id, deed, f"thing {number}", **how)
        await stage.parts.store.record(entry)


def posted(stage: Stage) -> list[str]:
    return [message.content for message in sorted(stage.other.history(), key=lambda one: one.id)]


async def choose(stage: Stage, channel: simcord.ChannelHandle | None, by: simcord.MemberActor | None = None) -> str:
    show_everything_to(stage, stage.admin)
    options = {} if channel is None else {"channel": channel}
    result = await (by or stage.admin).slash(stage.channel, "moderation log-channel", **options)
    return stage.told(result)


def test_every_deed_has_a_number_of_its_own_that_fits_a_button() -> None:
    numbers = {number_of(deed) for deed in Deed}
    assert len(numbers) == len(Deed)
    assert 0 not in numbers
    assert all(deed_of(number_of(deed)) is deed for deed in Deed)
    assert deed_of(0) is None


async def test_the_log_needs_one_of_two_permissions(stage: Stage) -> None:
    await record(stage, Deed.STOPPED)
    with pytest.raises(simcord.SetupError, match="not visible"):
        await stage.ben.slash(stage.channel, "audit")
    readers = stage.guild.create_role("Readers", permissions=discord.Permissions(view_audit_log=True))
    reader = stage.guild.add_member(stage.env.create_user("reader"), roles=[readers])
    show_everything_to(stage, stage.ben, stage.keeper, reader)
    for member in (stage.ben, stage.keeper):
        told = stage.told(await member.slash(stage.channel, "audit"))
        assert "“Manage Messages” or “View Audit Log”" in told
        assert "thing" not in told
    for member in (stage.mod, reader):
        assert "**bot stopped** · thing 0" in stage.told(await member.slash(stage.channel, "audit"))
    message = await stage.post_button(f"tw1:log:9:0:0:{number_of(Deed.STOPPED)}")
    told = stage.told(await stage.ben.click(message, label="Old"))
    assert "“Manage Messages” or “View Audit Log”" in told


async def test_what_moderators_do_stands_in_the_log(stage: Stage) -> None:
    await stage.story()
    for command in ("close", "cancel"):
        await stage.ask()
        await stage.mod.slash(stage.channel, f"round {command}")
    await stage.keeper.slash(stage.channel, "settings set", setting="minutes", value="5")
    await stage.mod.slash(
        stage.channel, "moderation bar", member=stage.ben, duration="1 hour", reason="rude @everyone\n# words"
    )
    told = stage.told(await stage.mod.slash(stage.channel, "audit"))
    lines = [line for line in told.splitlines() if line.startswith("**")]
    assert [line.split("**")[1] for line in lines] == [
        "member barred",
        "setting changed",
        "round cancelled",
        "round closed early",
    ]
    assert f"**member barred** · <@{stage.ben.id}> · by <@{stage.mod.id}> · <t:" in told
    assert f"· round 2 · by <@{stage.mod.id}> in <#{stage.channel.id}>" in told
    assert "now: 5" in told
    assert "@everyone" not in told
    assert "\n# words" not in told


async def test_the_log_comes_in_pages_that_stay_what_they_are_while_it_grows(stage: Stage) -> None:
    await record(stage, *[Deed.STOPPED, Deed.RESUMED] * 7)
    shown = await stage.mod.slash(stage.channel, "audit")
    assert stage.buttons(shown.response) == ["Next page of the audit log"]
    await record(stage, Deed.RULE_ADDED)
    seen = [stage.text(shown.response)]
    for label in ("Next page of the audit log",) * 2:
        shown = await stage.mod.click(shown.response, label=label)
        seen.append(stage.text(shown.response))
    assert stage.buttons(shown.response) == ["Previous page of the audit log"]
    things = [line.split(" · ")[1] for text in seen for line in text.splitlines() if line.startswith("**")]
    assert things == [f"thing {number}" for number in range(13, -1, -1)]


async def test_the_log_is_asked_for_a_member_or_a_deed(stage: Stage) -> None:
    await record(stage, *[Deed.STOPPED, Deed.RESUMED] * 8)
    await stage.services.limits.bar_for(stage.guild.id, stage.ben.id, timedelta(days=1), stage.admin.id, "rude")
    told = stage.told(await stage.mod.slash(stage.channel, "audit", member=stage.ben))
    assert told.count("\n**") == 1
    assert "member barred" in told
    shown = await stage.mod.slash(stage.channel, "audit", deed="bot stopped", member=stage.mod)
    assert stage.text(shown.response).count("**bot stopped**") == 6
    turned = await stage.mod.click(shown.response, label="Next page of the audit log")
    assert stage.text(turned.response).count("**bot stopped**") == 2
    assert "resumed" not in stage.text(turned.response)
    told = stage.told(await stage.mod.slash(stage.channel, "audit", deed="dancing"))
    assert "no deed" in told
    offered = await stage.mod.autocomplete(stage.channel, "audit", "deed", "BOT")
    assert [choice["value"] for choice in offered] == ["bot stopped", "bot resumed"]
    assert "There is nothing here" in stage.told(await stage.mod.slash(stage.channel, "audit", member=stage.cleo))


async def test_the_longest_lines_fit_a_page_and_a_message(stage: Stage) -> None:
    await choose(stage, stage.other)
    long = "*_~`|> " * 40 + "👩‍👩‍👧" * 10
    for _ in range(7):
        entry = AuditEntry(stage.guild.id, stage.channel.id, now(), None, Deed.RULES_IMPORTED, long, long, {long: long})
        await stage.parts.store.record(entry)
    assert "rules imported" in stage.told(await stage.mod.slash(stage.channel, "audit"))
    await stage.env.settle()
    assert sum("rules imported" in line for line in posted(stage)) == 7


async def test_new_lines_are_posted_once_in_order_and_old_ones_never(stage: Stage) -> None:
    await record(stage, Deed.RULE_ADDED)
    assert f"New lines are posted in <#{stage.other.id}>" in await choose(stage, stage.other)
    await record(stage, *[Deed.STOPPED, Deed.RESUMED] * 6, reason="@everyone <@1>")
    await stage.env.advance_time(61)
    lines = posted(stage)
    assert len(lines) == 13
    assert lines[0].startswith("**log channel changed**")
    assert [line.split(" · ")[1] for line in lines[1:]] == [f"thing {number}" for number in range(12)]
    assert all("@everyone" not in line and "<@1>" not in line for line in lines)
    await stage.restart()
    await record(stage, Deed.RULE_REMOVED)
    await stage.env.advance_time(61)
    assert len(posted(stage)) == 14
    assert "nowhere" not in await choose(stage, None)
    await record(stage, Deed.RULE_REMOVED)
    await stage.env.advance_time(61)
    assert len(posted(stage)) == 14


async def test_a_deed_is_posted_at_once(stage: Stage) -> None:
    await choose(stage, stage.other)
    await stage.mod.slash(stage.channel, "moderation stop")
    assert posted(stage)[-1].startswith("**bot stopped**")


async def test_what_the_old_process_did_not_post_the_new_one_does(stage: Stage) -> None:
    await choose(stage, stage.other)
    await stage.bot.log_posts.watch.stop()
    await record(stage, Deed.STOPPED)
    await stage.restart()
    await stage.env.settle()
    assert [line.split("**")[1] for line in posted(stage)] == ["log channel changed", "bot stopped"]


async def test_a_line_that_was_posted_but_not_marked_comes_again_under_the_same_nonce(stage: Stage) -> None:
    """Discord drops the second one; SimCord knows no nonces, so what is looked at is what the bot sent."""
    await choose(stage, stage.other)
    mark = stage.services.limits.mark_posted

    async def die(*_how: object) -> None:
        raise OSError("the process dies here")

    stage.services.limits.mark_posted = die  # type: ignore[method-assign]
    await record(stage, Deed.STOPPED)
    await stage.bot.log_posts.step()
    stage.services.limits.mark_posted = mark  # type: ignore[method-assign]
    await stage.bot.log_posts.step()
    await stage.bot.log_posts.step()
    sent = [r.json for r in stage.env.http_requests if r.method == "POST" and "bot stopped" in str(r.json)]
    assert len(sent) == 2
    assert len({body["nonce"] for body in sent}) == 1
    assert all(body["enforce_nonce"] for body in sent)


async def test_a_channel_that_the_bot_cannot_post_in_is_said_and_stops_nothing(stage: Stage) -> None:
    stage.forbid_bot("send_messages")
    told = await choose(stage, stage.other)
    assert "wait until they can be posted" in told
    assert "“Send Messages”" in told
    before = len(stage.env.http_requests)
    await stage.mod.slash(stage.channel, "moderation stop")
    await stage.env.advance_time(120)
    tried = [r for r in stage.env.http_requests[before:] if r.path.endswith(f"/channels/{stage.other.id}/messages")]
    assert tried == [], "a channel that refuses has its rest"
    assert "“Send Messages”" in stage.told(await stage.mod.slash(stage.channel, "audit"))
    role = stage.env.backend.get_guild(stage.guild.id).roles[stage.me.id]
    role.permissions |= discord.Permissions(send_messages=True).value
    await stage.env.advance_time(REST.total_seconds() + 61)
    assert [line.split("**")[1] for line in posted(stage)] == ["log channel changed", "bot stopped"]
    assert "New lines are posted in" in stage.told(await stage.mod.slash(stage.channel, "audit"))


async def test_a_log_channel_that_was_deleted_is_said(stage: Stage) -> None:
    await choose(stage, stage.other)
    channel = stage.bot.get_channel(stage.other.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.delete()
    await stage.mod.slash(stage.channel, "moderation stop")
    assert "The channel is gone" in stage.told(await stage.mod.slash(stage.channel, "audit"))


async def test_only_who_manages_the_server_chooses_the_log_channel(stage: Stage) -> None:
    assert "“Manage Server”" in await choose(stage, stage.other, stage.mod)
    assert await stage.services.limits.log_channel(stage.guild.id) is None
    assert "no channel" in await choose(stage, None)


def test_a_line_by_the_bot_itself_says_so_and_names_no_place_where_there_is_none() -> None:
    line = log_line(AuditEntry(1, None, now(), None, Deed.RULE_CHANGED, "channel 7", detail={"a": None, "b": 1}))
    assert line.startswith("**rule changed** · <#7> · by myself · <t:")
    assert line.endswith("\n-# b: 1")
