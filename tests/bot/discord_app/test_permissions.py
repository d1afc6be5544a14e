"""Both sides of every permission: hidden by Discord, and checked again by the bot."""

from __future__ import annotations

import pytest
import simcord

from tests.bot.discord_app.stage import Stage


def show_to(stage: Stage, member: simcord.MemberActor, command: str) -> None:
    """What an admin may do in the server's settings: the command is no longer hidden from this member."""
    stage.guild.set_command_permissions(stage.bot.command_ids[command], {member: True})


@pytest.mark.parametrize("command", ["round close", "round cancel"])
async def test_moderators_commands_are_hidden_from_members(stage: Stage, command: str) -> None:
    with pytest.raises(simcord.SetupError, match="not visible"):
        await stage.ben.slash(stage.channel, command)


@pytest.mark.parametrize("command", ["round close", "round cancel"])
async def test_a_member_who_sees_a_moderators_command_is_still_refused(stage: Stage, command: str) -> None:
    await stage.story()
    await stage.ask()
    show_to(stage, stage.ben, "round")
    assert "“Manage Messages”" in stage.told(await stage.ben.slash(stage.channel, command))
    assert stage.ballot


async def test_a_moderator_closes_a_round_and_the_votes_cast_decide(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "B")
    told = stage.told(await stage.mod.slash(stage.channel, "round close"))
    assert "closed" in told
    assert "goes on" in stage.messages[-1].content
    assert f"<@{stage.mod.id}> closed it" in stage.text(stage.messages[-2])


async def test_a_moderator_cancels_a_round_and_the_story_stays(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    ballot_id = stage.ballot.id
    assert "cancelled" in stage.told(await stage.mod.slash(stage.channel, "round cancel"))
    drawn = next(m for m in stage.messages if m.id == ballot_id)
    assert f"cancelled by <@{stage.mod.id}>" in stage.text(drawn)
    assert stage.buttons(drawn) == []
    assert not (await stage.ask()).ephemeral


async def test_a_round_can_be_cancelled_while_it_is_written(stage: Stage) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    result = await stage.ask()
    await stage.mod.slash(stage.channel, "round cancel")
    await stage.until(stage.far.hung_up.is_set)  # the model does not write on for nobody
    stage.far.gate.set()
    assert "This round was cancelled" in stage.text(result.response)
    assert await stage.services.rounds.unfinished() == []


async def test_a_round_that_is_being_written_cannot_be_closed(stage: Stage) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    await stage.ask()
    assert "still being written" in stage.told(await stage.mod.slash(stage.channel, "round close"))
    stage.far.gate.set()
    await stage.until(lambda: bool(stage.buttons(stage.messages[-1])))


@pytest.mark.parametrize("command", ["round close", "round cancel"])
async def test_without_a_round_moderators_are_told_so(stage: Stage, command: str) -> None:
    await stage.story()
    assert "/continue" in stage.told(await stage.mod.slash(stage.channel, command))


async def test_settings_of_a_channel_need_manage_channels(stage: Stage) -> None:
    change = {"setting": "minutes", "value": "5"}
    for member in (stage.ben, stage.mod, stage.admin):
        assert "“Manage Channels”" in stage.told(await member.slash(stage.channel, "settings set", **change))
    told = stage.told(await stage.keeper.slash(stage.channel, "settings set", **change))
    assert "“minutes” is 5 for this channel now" in told
    assert "**minutes**: 5 (set for this channel)" in stage.told(await stage.ben.slash(stage.channel, "settings show"))
    assert "**minutes**: 10 (the default)" in stage.told(await stage.ben.slash(stage.other, "settings show"))


async def test_learning_is_turned_on_for_the_whole_server_by_whoever_manages_it(stage: Stage) -> None:
    allow = {"setting": "training", "value": "on"}
    for member in (stage.ben, stage.keeper):
        told = stage.told(await member.slash(stage.channel, "settings set", **allow, scope="server"))
        assert "“Manage Server”" in told
    assert "scope:server" in stage.told(await stage.keeper.slash(stage.channel, "settings set", **allow))
    assert "**training**: off" in stage.told(await stage.ben.slash(stage.channel, "settings show"))
    told = stage.told(await stage.admin.slash(stage.channel, "settings set", **allow, scope="server"))
    assert "texts that the model wrote here" in told
    assert "what members typed never is" in told
    assert "**training**: on (set for the server)" in stage.told(await stage.ben.slash(stage.other, "settings show"))


async def test_settings_of_the_server_need_manage_server(stage: Stage) -> None:
    change = {"setting": "quorum", "value": "3", "scope": "server"}
    for member in (stage.ben, stage.mod, stage.keeper):
        assert "“Manage Server”" in stage.told(await member.slash(stage.channel, "settings set", **change))
    assert "for the whole server" in stage.told(await stage.admin.slash(stage.channel, "settings set", **change))
    assert "**quorum**: 3 (set for the server)" in stage.told(await stage.ben.slash(stage.other, "settings show"))
    await stage.admin.slash(stage.channel, "settings reset", setting="quorum", scope="server")
    assert "**quorum**: 2 (the default)" in stage.told(await stage.ben.slash(stage.other, "settings show"))


async def test_a_value_out_of_bounds_is_refused_with_the_bounds(stage: Stage) -> None:
    result = await stage.keeper.slash(stage.channel, "settings set", setting="candidates", value="<@1> 9")
    told = stage.told(result)
    assert "from 2 to 5" in told
    assert "<@1>" not in told.split("```")[0]


async def test_a_story_is_ended_by_whoever_began_it_or_a_moderator(stage: Stage) -> None:
    await stage.story()
    assert "Manage Messages" in stage.told(await stage.ben.slash(stage.channel, "story end"))
    result = await stage.ada.slash(stage.channel, "story end")
    assert not result.ephemeral
    assert "has come to its end" in result.response.content
    assert (await result.response.attachments[0].read()).decode().startswith("# The Glass Key\n\n*A key")
    await stage.story(title="Another")
    assert not (await stage.mod.slash(stage.channel, "story end")).ephemeral


async def test_a_story_with_an_open_round_cannot_be_ended(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    assert "round is already running" in stage.told(await stage.ada.slash(stage.channel, "story end"))


async def test_threads_have_a_permission_of_their_own(stage: Stage) -> None:
    thread = await stage.open_thread()
    assert not (await stage.ada.slash(thread, "story start", title="In a thread")).ephemeral
    stage.forbid_bot("send_messages_in_threads")
    assert "“Send Messages in Threads”" in stage.told(await stage.ada.slash(thread, "continue"))
