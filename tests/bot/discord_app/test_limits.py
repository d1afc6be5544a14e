"""/moderation and quotas as members and moderators see them; both sides of every permission."""

from __future__ import annotations

from typing import Any

import pytest
import simcord

from tests.bot.discord_app.entrances import show_everything_to
from tests.bot.discord_app.stage import FORBIDDEN, Stage

TOLD = "The fox found a door in the hill."
BARRED = "A moderator has barred you"
STOPPED = "A moderator has stopped me"


async def bar(stage: Stage, by: simcord.MemberActor, whom: Any, **how: str) -> str:
    options = {"duration": "1 hour", "reason": "rude"} | how
    return stage.told(await by.slash(stage.channel, "moderation bar", member=whom, **options))


@pytest.mark.parametrize("command", ["bar", "unbar", "bars", "stop", "resume", "log-channel"])
async def test_a_member_who_sees_moderators_commands_is_still_refused(stage: Stage, command: str) -> None:
    await stage.story()
    await stage.ask()
    with pytest.raises(simcord.SetupError, match="not visible"):
        await stage.ben.slash(stage.channel, f"moderation {command}", **options_of(stage, command))
    show_everything_to(stage, stage.ben)
    result = await stage.ben.slash(stage.channel, f"moderation {command}", **options_of(stage, command))
    needed = "“Manage Server”" if command == "log-channel" else "“Manage Messages”"
    assert needed in stage.told(result)
    assert (await stage.services.limits.read_log(stage.guild.id)).entries == ()
    assert stage.ballot


def options_of(stage: Stage, command: str) -> dict[str, Any]:
    member = {"member": stage.cleo}
    return {"bar": member | {"duration": "1 hour", "reason": "rude"}, "unbar": member}.get(command, {})


@pytest.mark.parametrize("command", ["stop", "resume"])
async def test_the_whole_server_needs_manage_server(stage: Stage, command: str) -> None:
    show_everything_to(stage, stage.admin)
    told = stage.told(await stage.mod.slash(stage.channel, f"moderation {command}", scope="server"))
    assert "“Manage Server”" in told
    if command == "resume":
        await stage.services.limits.stop(stage.guild.id, None, stage.admin.id)
    told = stage.told(await stage.admin.slash(stage.channel, f"moderation {command}", scope="server"))
    assert "the whole server" in told
    told = stage.told(await stage.admin.slash(stage.channel, f"moderation {command}", scope="channel"))
    assert "“Manage Messages”" in told


async def test_a_moderator_bars_a_member_who_is_told_until_when_and_why(stage: Stage) -> None:
    await stage.story()
    told = await bar(stage, stage.mod, stage.ben, duration="1 day 12 h", reason="rude **words** @everyone")
    assert f"<@{stage.ben.id}> is barred until <t:" in told
    told = stage.told(await stage.ben.slash(stage.channel, "continue"))
    assert BARRED in told
    assert f"<t:{int(stage.env.now().timestamp()) + 36 * 3600}:R>" in told
    assert "Reason: rude" in told
    assert "@everyone" not in told
    told = stage.told(await stage.mod.slash(stage.channel, "moderation bars"))
    assert f"<@{stage.ben.id}> until <t:" in told
    assert f"by <@{stage.mod.id}>" in told
    assert "That takes the place of a bar until" in await bar(stage, stage.mod, stage.ben, duration="5 min")
    result = await stage.mod.slash(stage.channel, "moderation unbar", member=stage.ben, reason="said sorry")
    assert "no longer barred" in stage.told(result)
    assert not (await stage.ben.slash(stage.channel, "continue")).ephemeral
    assert "Nobody is barred" in stage.told(await stage.mod.slash(stage.channel, "moderation bars"))
    result = await stage.mod.slash(stage.channel, "moderation unbar", member=stage.ben)
    assert "not barred" in stage.told(result)


async def test_moderators_and_bots_are_not_barred(stage: Stage) -> None:
    for member in (stage.mod, stage.guild.add_member(stage.env.create_user("robot", bot=True))):
        assert "can't" in await bar(stage, stage.mod, member)
    assert (await stage.services.limits.bars(stage.guild.id)).bars == ()


async def test_who_has_left_the_server_is_barred_all_the_same(stage: Stage) -> None:
    gone = stage.env.create_user("gone")
    assert "is barred until" in await bar(stage, stage.mod, gone)
    assert [one.user_id for one in (await stage.services.limits.bars(stage.guild.id)).bars] == [gone.id]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"duration": "for ever"}, "365 days"),
        ({"duration": "400 days"}, "365 days"),
        ({"reason": "x" * 301}, "at most 300"),
        ({"reason": f"a {FORBIDDEN}"}, "not accepted"),
    ],
)
async def test_what_is_wrong_with_a_bar_is_said_and_the_reason_given_back(
    stage: Stage, how: dict[str, str], said: str
) -> None:
    told = await bar(stage, stage.mod, stage.ben, **how)
    assert said in told
    assert how.get("reason", "rude")[:20] in told
    assert (await stage.services.limits.bars(stage.guild.id)).bars == ()


async def test_durations_are_offered_while_one_types(stage: Stage) -> None:
    offered = await stage.mod.autocomplete(stage.channel, "moderation bar", "duration", "week")
    assert [choice["value"] for choice in offered] == ["1 week", "4 weeks"]


async def test_many_bars_come_in_pages_that_only_moderators_turn(stage: Stage) -> None:
    for number in range(9):
        member = stage.guild.add_member(stage.env.create_user(f"rude{number}"))
        await bar(stage, stage.mod, member, duration=f"{number + 1} days")
    shown = await stage.mod.slash(stage.channel, "moderation bars")
    assert stage.buttons(shown.response) == ["Next page of the bars"]
    turned = await stage.mod.click(shown.response, label="Next page of the bars")
    assert stage.text(turned.response).count("rude") == 1
    assert stage.buttons(turned.response) == ["Previous page of the bars"]
    message = await stage.post_button("tw1:bars:0")
    assert "“Manage Messages”" in stage.told(await stage.ben.click(message, custom_id="tw1:bars:0"))


async def test_a_stop_cancels_the_open_ballot_and_a_resume_lets_the_story_go_on(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    ballot = stage.ballot
    old = await stage.keep_clickable(ballot)
    told = stage.told(await stage.mod.slash(stage.channel, "moderation stop", reason="a raid"))
    assert "1 open round is cancelled" in told
    drawn = next(m for m in stage.messages if m.id == ballot.id)
    assert "because a moderator stopped me here" in stage.text(drawn)
    assert stage.buttons(drawn) == []
    told = stage.told(await stage.ben.click(old, label="Vote A"))
    assert STOPPED in told
    assert "Reason: a raid" in told
    assert "stopped there already" in stage.told(await stage.mod.slash(stage.channel, "moderation stop"))
    await stage.restart()
    assert STOPPED in stage.told(await stage.ask(hint=TOLD))
    assert "I go on in this channel" in stage.told(await stage.mod.slash(stage.channel, "moderation resume"))
    assert not (await stage.ask()).ephemeral
    assert "not stopped" in stage.told(await stage.mod.slash(stage.channel, "moderation resume"))


async def test_a_stop_ends_the_model_in_the_middle_of_its_sentence(stage: Stage) -> None:
    await stage.story()
    thread = await stage.open_thread()
    await stage.ada.slash(thread, "story start", title="In a thread")
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    result = await stage.ada.slash(thread, "continue")
    await stage.mod.slash(stage.channel, "moderation stop")
    await stage.until(stage.far.hung_up.is_set)
    stage.far.gate.set()
    await stage.env.settle()
    assert "because a moderator stopped me here" in stage.text(result.response)
    assert await stage.services.rounds.unfinished() == []


async def test_a_channels_resume_says_that_the_server_is_stopped(stage: Stage) -> None:
    for channel_id in (None, stage.channel.id):
        await stage.services.limits.stop(stage.guild.id, channel_id, stage.admin.id)
    told = stage.told(await stage.mod.slash(stage.channel, "moderation resume"))
    assert "still stopped" in told
    assert "scope:server" in stage.told(await stage.mod.slash(stage.channel, "moderation resume"))


async def test_a_quota_says_when_the_next_round_can_begin_and_moderators_have_none(stage: Stage) -> None:
    await stage.settings(member_rounds_per_hour=1)
    await stage.story()
    begun = int(stage.env.now().timestamp())
    await stage.ask()
    await stage.mod.slash(stage.channel, "round cancel")
    told = stage.told(await stage.ask(hint=TOLD))
    assert "You have begun 1 round within an hour" in told
    assert f"You can begin the next round <t:{begun + 3600}:R>." in told
    assert TOLD in told
    await stage.restart()
    assert f"<t:{begun + 3600}:R>" in stage.told(await stage.write(stage.ada, TOLD))
    for _ in range(2):
        assert not (await stage.mod.slash(stage.channel, "continue")).ephemeral
        await stage.mod.slash(stage.channel, "round cancel")
    await stage.env.advance_time(3600)
    assert not (await stage.ask()).ephemeral


async def test_a_pause_between_two_rounds_is_told(stage: Stage) -> None:
    await stage.settings(member_cooldown=90)
    await stage.story()
    begun = int(stage.env.now().timestamp())
    await stage.ask()
    await stage.mod.slash(stage.channel, "round cancel")
    assert f"You can begin the next round <t:{begun + 90}:R>." in stage.told(await stage.ask())
    await stage.env.advance_time(90)
    assert not (await stage.ask()).ephemeral


async def test_a_text_over_the_quota_comes_back_with_the_time(stage: Stage) -> None:
    await stage.settings(member_texts_per_hour=1)
    await stage.story()
    assert "new ballot" in stage.told(await stage.write(stage.ben, TOLD))
    await stage.mod.slash(stage.channel, "round cancel")
    told = stage.told(await stage.write(stage.ben, "A bell rang under the river."))
    assert "You can write the next text <t:" in told
    assert "A bell rang under the river." in told
    assert await stage.services.rounds.unfinished() == []


async def test_limits_are_set_like_other_settings(stage: Stage) -> None:
    change = {"setting": "member_cooldown", "value": "60"}
    assert "“Manage Channels”" in stage.told(await stage.mod.slash(stage.channel, "settings set", **change))
    told = stage.told(await stage.keeper.slash(stage.channel, "settings set", **change))
    assert "“member_cooldown” is 60 for this channel now" in told
    assert "under way" not in told
    whole = {"setting": "server_rounds_per_hour", "value": "5"}
    assert "scope:server" in stage.told(await stage.keeper.slash(stage.channel, "settings set", **whole))
    shown = stage.told(await stage.ben.slash(stage.channel, "settings show"))
    assert "**member_cooldown**: 60 (set for this channel)" in shown
    assert "**server_rounds_per_hour**: 240 (the default)" in shown
