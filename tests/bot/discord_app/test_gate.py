"""Nobody passes the gate by any way: who is barred, and in a place that is stopped."""

from __future__ import annotations

from datetime import timedelta

import pytest
import simcord

from bot.discord_app.buttons import Verb
from bot.discord_app.gate import VERBS_WHILE_STOPPED, WORKS_WHILE_STOPPED
from tests.bot.discord_app.entrances import all_clicks, all_commands, show_everything_to
from tests.bot.discord_app.stage import Stage

TOLD = "The fox found a door in the hill."
BARRED = "A moderator has barred you"
STOPPED = "A moderator has stopped me"


def answer(stage: Stage, result: simcord.InteractionResult) -> str:
    """What was said to an action; nothing where a form was opened instead."""
    return "" if result.response is None else stage.text(result.response)


async def bar(stage: Stage, **length: float) -> None:
    until = timedelta(**(length or {"hours": 1}))
    await stage.services.limits.bar_for(stage.guild.id, stage.ben.id, until, stage.mod.id, "rude @everyone <@1>")


async def test_a_barred_member_is_told_so_at_every_command(stage: Stage) -> None:
    await stage.story()
    show_everything_to(stage, stage.ben)
    await bar(stage)
    names = set()
    for entrance in all_commands(stage):
        told = stage.told(await entrance.enter(stage, stage.ben))
        assert BARRED in told, entrance.name
        assert "Reason: rude" in told
        assert ":R>" in told
        assert "@everyone" not in told
        assert "<@1>" not in told
        names.add(entrance.name)
    assert {"continue", "rewrite", "write", "story start", "story show", "help", "moderation unbar", "audit"} <= names
    assert len(stage.messages) == 1, "only the story's own beginning"


async def test_a_barred_member_is_told_so_at_every_button_and_form(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    await bar(stage)
    seen = set()
    for verb, enter in all_clicks():
        assert BARRED in stage.told(await enter(stage, stage.ben)), verb
        seen.add(verb)
    assert seen == set(Verb)
    assert BARRED in stage.told(await stage.vote(stage.ben, "A"))
    assert (await stage.services.rounds.view(1)).num_ballots == 0
    assert "Your vote" in stage.told(await stage.vote(stage.cleo, "A"))


async def test_without_a_bar_no_entrance_speaks_of_one(stage: Stage) -> None:
    await stage.story()
    show_everything_to(stage, stage.ben)
    await bar(stage)
    await stage.services.limits.unbar(stage.guild.id, stage.ben.id, stage.mod.id)
    for entrance in all_commands(stage):
        assert BARRED not in answer(stage, await entrance.enter(stage, stage.ben)), entrance.name
    for verb, enter in all_clicks():
        assert BARRED not in answer(stage, await enter(stage, stage.ben)), verb


async def test_a_form_that_was_open_when_the_bar_came_gives_the_text_back(stage: Stage) -> None:
    await stage.story()
    shown = await stage.ben.slash(stage.channel, "write")
    await bar(stage)
    told = stage.told(await stage.ben.submit_modal(shown, {"passage": TOLD}))
    assert BARRED in told
    assert TOLD in told
    assert await stage.services.rounds.unfinished() == []


async def test_a_hint_that_the_gate_refuses_is_given_back(stage: Stage) -> None:
    await stage.story()
    await bar(stage)
    assert TOLD in stage.told(await stage.ben.slash(stage.channel, "continue", hint=TOLD))
    told = stage.told(await stage.ben.slash(stage.channel, "story start", title="A title", premise=TOLD))
    assert "A title" in told
    assert TOLD in told


async def test_a_barred_member_is_offered_nothing_while_typing(stage: Stage) -> None:
    await stage.story()
    stage.far.then([TOLD])
    await stage.ask()
    await stage.win()
    assert await stage.ben.autocomplete(stage.channel, "rewrite", "passage", "") != []
    await bar(stage)
    assert await stage.ben.autocomplete(stage.channel, "rewrite", "passage", "") == []
    assert await stage.ada.autocomplete(stage.channel, "rewrite", "passage", "") != []


async def test_a_bar_holds_after_a_restart_and_ends_by_its_time(stage: Stage) -> None:
    await stage.story()
    await bar(stage, minutes=30)
    await stage.restart()
    assert BARRED in stage.told(await stage.ben.slash(stage.channel, "continue"))
    await stage.env.advance_time(30 * 60)
    assert not (await stage.ben.slash(stage.channel, "continue")).ephemeral


async def test_a_bar_does_not_bind_whoever_may_manage_messages(stage: Stage) -> None:
    await stage.story()
    await stage.services.limits.bar_for(stage.guild.id, stage.mod.id, timedelta(days=1), stage.admin.id, "a mistake")
    assert not (await stage.mod.slash(stage.channel, "continue")).ephemeral
    await stage.services.limits.bar_for(
        stage.guild.id, stage.keeper.id, timedelta(days=1), stage.admin.id, "on purpose"
    )
    assert BARRED in stage.told(await stage.keeper.slash(stage.channel, "settings show"))


@pytest.mark.parametrize("scope", ["channel", "server"])
async def test_in_a_stopped_place_only_moderators_tools_and_help_work(stage: Stage, scope: str) -> None:
    await stage.story()
    show_everything_to(stage, stage.ben)
    channel_id = stage.channel.id if scope == "channel" else None
    await stage.services.limits.stop(stage.guild.id, channel_id, stage.mod.id, "a raid")
    refused, working = set(), set()
    for entrance in all_commands(stage):
        told = answer(stage, await entrance.enter(stage, stage.ben))
        (refused if STOPPED in told else working).add(entrance.name)
        is_open = entrance.is_of_moderators or entrance.root in WORKS_WHILE_STOPPED
        assert (STOPPED not in told) == is_open, entrance.name
        assert is_open or "Reason: a raid" in told
    assert refused >= {"continue", "rewrite", "write", "story start", "story show", "story list", "story end"}
    assert working >= {"moderation stop", "moderation resume", "moderation bar", "audit", "settings set", "help"}
    assert len(stage.messages) == 1


async def test_moderators_ask_for_no_text_either_in_a_stopped_place(stage: Stage) -> None:
    await stage.story()
    await stage.services.limits.stop(stage.guild.id, stage.channel.id, stage.mod.id)
    assert STOPPED in stage.told(await stage.mod.slash(stage.channel, "continue"))
    assert not (await stage.ada.slash(stage.other, "story start", title="Elsewhere")).ephemeral


async def test_in_a_stopped_place_no_button_works_but_those_of_moderators(stage: Stage) -> None:
    await stage.story()
    await stage.services.limits.stop(stage.guild.id, stage.channel.id, stage.mod.id)
    for verb, enter in all_clicks():
        told = answer(stage, await enter(stage, stage.mod))
        assert (STOPPED in told) == (verb not in VERBS_WHILE_STOPPED), verb


async def test_a_form_that_was_open_when_the_stop_came_gives_the_text_back(stage: Stage) -> None:
    await stage.story()
    shown = await stage.ben.slash(stage.channel, "write")
    await stage.services.limits.stop(stage.guild.id, None, stage.mod.id)
    told = stage.told(await stage.ben.submit_modal(shown, {"passage": TOLD}))
    assert "stopped me in this server" in told
    assert TOLD in told


async def test_a_stopped_channels_threads_are_stopped_and_a_stopped_thread_is_alone(stage: Stage) -> None:
    thread = await stage.open_thread()
    await stage.ada.slash(thread, "story start", title="In a thread")
    await stage.services.limits.stop(stage.guild.id, stage.channel.id, stage.mod.id)
    assert STOPPED in stage.told(await stage.ada.slash(thread, "continue"))
    await stage.services.limits.resume(stage.guild.id, stage.channel.id, stage.mod.id)
    await stage.services.limits.stop(stage.guild.id, thread.id, stage.mod.id)
    assert STOPPED in stage.told(await stage.ada.slash(thread, "continue"))
    await stage.story()
    assert not (await stage.ask()).ephemeral


async def test_a_gate_that_cannot_be_asked_lets_nobody_pass(stage: Stage) -> None:
    await stage.story()
    stage.expected = (*stage.expected, RuntimeError)

    async def broken(guild_id: int, user_id: int) -> None:
        raise RuntimeError("no database")

    stage.services.limits.require_not_barred = broken  # type: ignore[method-assign]
    told = stage.told(await stage.ada.slash(stage.channel, "continue", hint=TOLD))
    assert "Something went wrong on my side" in told
    assert TOLD in told
    assert await stage.services.rounds.unfinished() == []
