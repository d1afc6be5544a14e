"""Bad input and bad days: a clear sentence, privately, and nothing that was typed is lost."""

from __future__ import annotations

import discord
import pytest
import simcord

from bot.discord_app.replies import CONTENT_LIMIT
from bot.errors import TalewrightError
from tests.bot.discord_app.stage import FORBIDDEN, WORKER_TIMEOUT_S, Stage
from tests.bot.service.far_end import cut_off, fresh_text, nonsense, status

HINT = "a door in the hill, and behind it the sea"


async def attached(result: simcord.InteractionResult) -> str:
    """The text of the file in an answer."""
    found = [m for m in (result.response, *result.followups) if m is not None and m.attachments]
    return (await found[-1].attachments[0].read()).decode()


@pytest.mark.parametrize("command", ["continue", "rewrite", "write", "story show", "story end"])
async def test_without_a_story_every_command_says_how_to_begin_one(stage: Stage, command: str) -> None:
    assert "/story start" in stage.told(await stage.ada.slash(stage.channel, command))
    assert stage.messages == []


async def test_a_hint_is_given_back_where_there_is_no_story(stage: Stage) -> None:
    assert HINT in stage.told(await stage.ask(hint=HINT))


async def test_a_rewrite_without_a_passage_says_so(stage: Stage) -> None:
    await stage.story()
    result = await stage.ada.slash(stage.channel, "rewrite", instruction=HINT)
    assert HINT in stage.told(result)


async def test_a_second_story_is_refused_and_its_premise_given_back(stage: Stage) -> None:
    await stage.story(title="First **one** @everyone")
    result = await stage.ada.slash(stage.channel, "story start", title="Second", premise=HINT)
    told = stage.told(result)
    assert "still being told" in told
    assert "Second" in told
    assert HINT in told
    assert "@everyone" not in told


async def test_a_round_that_is_open_already_is_linked(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    told = stage.told(await stage.ask(hint=HINT))
    assert f"https://discord.com/channels/{stage.guild.id}/{stage.channel.id}/{stage.ballot.id}" in told
    assert HINT in told


async def test_a_hint_of_6000_characters_comes_back_as_a_file(stage: Stage) -> None:
    await stage.story()
    hint = ("word " * 1200).strip() + "!"
    result = await stage.ask(hint=hint)
    assert "500" in stage.told(result)
    assert await attached(result) == hint
    assert len(stage.messages) == 1


async def test_a_blank_hint_counts_as_none(stage: Stage) -> None:
    await stage.story()
    assert not (await stage.ask(hint="   ")).ephemeral
    assert "Hint" not in stage.text(stage.ballot)


async def test_an_empty_title_is_refused(stage: Stage) -> None:
    result = await stage.ada.slash(stage.channel, "story start", title="\u200b \u202e", premise=HINT)
    told = stage.told(result)
    assert "title is empty" in told
    assert stage.messages == []


@pytest.mark.parametrize("typed", [f"a {FORBIDDEN} dragon", f"```\n{FORBIDDEN}\n```"])
async def test_what_a_filter_refuses_is_seen_by_nobody_else_and_given_back(stage: Stage, typed: str) -> None:
    await stage.story()
    result = await stage.ask(hint=typed)
    told = stage.told(result)
    assert "category: rude" in told
    assert typed in (told if "```\n" + typed in told else await attached(result))
    assert len(stage.messages) == 1


async def test_a_refused_passage_comes_back_whole(stage: Stage) -> None:
    await stage.story()
    text = " ".join(fresh_text(number) for number in range(40)) + f" {FORBIDDEN}"
    result = await stage.write(stage.ben, text)
    assert "category: rude" in stage.told(result)
    assert await attached(result) == text


async def test_a_second_passage_by_one_member_is_refused_and_given_back(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    await stage.write(stage.ben, "The fox found a door.")
    told = stage.told(await stage.write(stage.ben, "The door was red."))
    assert "The door was red." in told


@pytest.mark.parametrize(
    "fault",
    [status(500, "CUDA out of memory"), status(503), status(400, "bad field"), nonsense, cut_off],
    ids=["out of memory", "loading", "refuses", "nonsense", "cut off"],
)
async def test_a_storyteller_that_fails_is_told_to_whoever_asked_and_leaves_no_round_open(
    stage: Stage, fault: object
) -> None:
    await stage.story()
    stage.far.then(*[fault] * 40)
    result = await stage.ask(hint=HINT)
    (private,) = result.followups
    assert private.ephemeral
    assert "storyteller" in private.content
    assert HINT in private.content
    public = stage.text(stage.messages[-1])
    assert "This round has no candidates" in public
    assert "Writing" not in public
    assert await stage.services.rounds.unfinished() == []
    stage.far.script.clear()
    await stage.ask()
    assert stage.ballot


async def test_a_storyteller_that_is_down_is_told(stage: Stage) -> None:
    await stage.story()
    await stage.replace_worker("http://127.0.0.1:9")  # the discard port: nothing listens there
    (private,) = (await stage.ask(hint=HINT)).followups
    assert "not reachable" in private.content
    assert HINT in private.content


async def test_a_storyteller_that_is_too_slow_is_told(stage: Stage) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    result = await stage.ask(hint=HINT)
    assert stage.text(result.response).startswith("Writing 3 continuations…")
    await stage.env.advance_time(WORKER_TIMEOUT_S + 1)
    stage.far.gate.set()
    (private,) = result.followups
    assert "too long" in private.content
    assert HINT in private.content
    assert "This round has no candidates" in stage.text(stage.messages[-1])


async def test_a_missing_permission_is_named_with_its_channel(stage: Stage) -> None:
    await stage.story()
    mute = stage.guild.create_text_channel(
        "mute", overwrites={stage.guild.default_role: DENY_SEND, stage.me: DENY_SEND}
    )
    for command in ("continue", "rewrite", "write"):
        told = stage.told(await stage.ada.slash(mute, command))
        assert "“Send Messages”" in told
        assert f"<#{mute.id}>" in told
    told = stage.told(await stage.ada.slash(mute, "story start", title="Quiet", premise=HINT))
    assert HINT in told


DENY_SEND = discord.PermissionOverwrite(send_messages=False)


async def test_an_error_nobody_expected_is_answered_with_a_number_that_the_log_has(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.story()
    stage.expected = (TalewrightError, RuntimeError)

    async def explode(*_: object, **_named: object) -> None:
        raise RuntimeError("a bug")

    stage.services.rounds.begin = explode  # type: ignore[method-assign,assignment]
    told = stage.told(await stage.ask(hint=HINT))
    assert HINT in told
    assert "a bug" not in told
    incident = told.split("this number: ")[1].split(".")[0]
    assert f"incident {incident}" in caplog.text
    assert "RuntimeError: a bug" in caplog.text


async def test_a_click_that_meets_a_bug_is_answered_too(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.story()
    await stage.ask()
    await stage.parts.store.close()
    told = stage.told(await stage.vote(stage.ada, "A"))
    assert told
    assert "Your vote" not in told
    await stage.restart()


async def test_a_restarting_bot_begins_nothing_and_gives_texts_back(stage: Stage) -> None:
    await stage.story()
    shown = await stage.ben.slash(stage.channel, "write")
    await stage.bot.work.drain(0)
    assert "restarting" in stage.told(await stage.ask(hint=HINT))
    told = stage.told(await stage.ben.submit_modal(shown, {"passage": "The fox found a door."}))
    assert "restarting" in told
    assert "The fox found a door." in told
    told = stage.told(await stage.ben.slash(stage.channel, "write"))
    assert "restarting" in told
    assert await stage.services.rounds.unfinished() == []


async def test_private_sentences_fit_into_a_message(stage: Stage) -> None:
    await stage.story()
    for length in (CONTENT_LIMIT - 200, CONTENT_LIMIT, 3999):
        result = await stage.write(stage.ben, f"{FORBIDDEN} " + "x" * (length - len(FORBIDDEN) - 1))
        assert "category" in stage.told(result)
