"""Moderators decide: cards in their channel, rights on both sides, and what everybody sees of it."""

from __future__ import annotations

from typing import Any

import discord
import pytest
import simcord

from bot.story.cases import Act
from bot.story.marks import NOTICES, Mark
from tests.bot.discord_app.stage import Stage
from tests.bot.discord_app.test_permissions import show_to

HIDDEN, REMOVED = NOTICES[Mark.REDACTED], NOTICES[Mark.REMOVED]
REASON = "It names a person."


class Board:
    """A channel of the moderators, and the moves that are made there."""

    def __init__(
        self, stage: Stage, overwrites: dict[simcord.RoleHandle, discord.PermissionOverwrite] | None = None
    ) -> None:
        self.stage = stage
        self.channel = stage.guild.create_text_channel("moderators", overwrites=overwrites)  # type: ignore[arg-type]
        chief = stage.guild.create_role(
            "Chiefs", permissions=discord.Permissions(manage_messages=True, manage_guild=True)
        )
        self.chief = stage._member("chief", chief)

    async def choose(self) -> str:
        shown = await self.chief.slash(self.stage.channel, "moderation channel", channel=self.channel)
        return self.stage.told(shown)

    @property
    def cards(self) -> list[Any]:
        return sorted(self.channel.history(), key=lambda message: message.id)

    @property
    def text(self) -> str:
        (card,) = self.cards
        return self.stage.text(card)

    @property
    def buttons(self) -> list[str]:
        (card,) = self.cards
        return self.stage.buttons(card)

    async def settle(self) -> None:
        """Lets the pace of redraws pass."""
        await self.stage.env.advance_time(30)
        await self.stage.env.settle()

    async def click(self, label: str, reason: str = REASON, member: simcord.MemberActor | None = None) -> str:
        """A button of the only card, the reason in the form, and the private answer."""
        actor = member or self.stage.mod
        shown = await actor.click(self.cards[-1], label=label)
        if shown.modal is None:
            return self.stage.told(shown)
        told = self.stage.told(await actor.submit_modal(shown, {"reason": reason}))
        await self.settle()
        return told


@pytest.fixture
async def board(stage: Stage) -> Board:
    made = Board(stage)
    assert f"<#{made.channel.id}>" in await made.choose()
    return made


async def told_story(stage: Stage, num_passages: int = 2) -> list[str]:
    await stage.story()
    for _ in range(num_passages):
        await stage.ask()
        await stage.win()
    view = await stage.services.stories.show(stage.channel.id)
    return [passage.text for passage in view.passages]


async def report(stage: Stage, place: int, member: simcord.MemberActor | None = None) -> int:
    view = await stage.services.stories.show(stage.channel.id)
    who = member or stage.ben
    got = await stage.services.cases.report(stage.guild.id, who.id, "Not kind.", passage_id=view.passages[place].id)
    await stage.env.advance_time(30)
    await stage.env.settle()
    return got.case.id


async def read_story(stage: Stage) -> str:
    return stage.told(await stage.cleo.slash(stage.channel, "story show"))


async def test_many_reports_are_one_card_that_is_edited(stage: Stage, board: Board) -> None:
    texts = await told_story(stage)
    await report(stage, 1)
    await report(stage, 1, stage.cleo)
    assert f"Reported by <@{stage.ben.id}>: Not kind." in board.text
    assert f"<@{stage.cleo.id}>" in board.text
    assert "passage 2 in “The Glass Key”" in board.text
    assert texts[0][-40:] in board.text, "what came before"
    assert texts[1] in board.text
    assert f"/{stage.channel.id}/{stage.messages[-1].id}" in board.text, "a link to where it was told"
    assert board.buttons == ["Hide its text…", "Close the gap over it…", "Rewind to before it…", "Dismiss…"]
    told = await board.click("Dismiss…", "")
    assert "dismissed" in told
    assert "resolved" in board.text
    assert board.buttons == []


async def test_a_hidden_text_is_shown_nowhere_and_comes_back(stage: Stage, board: Board) -> None:
    texts = await told_story(stage)
    await report(stage, 1)
    was = {message.id: stage.text(message) for message in stage.messages}
    assert sum(texts[1] in text for text in was.values()) == 2, "the closed ballot, and what told the result"
    told = await board.click("Hide its text…")
    assert "hidden" in told
    assert not any(texts[1] in stage.text(message) for message in stage.messages)
    assert HIDDEN in stage.text(stage.messages[-1])
    assert stage.buttons(stage.messages[-1]) == []
    page = await read_story(stage)
    assert HIDDEN in page
    assert texts[0] in page
    shown = await stage.cleo.slash(stage.channel, "story show")
    file = await stage.cleo.click(shown.response, label="Download as text")
    assert texts[1] not in (await file.response.attachments[0].read()).decode()
    assert texts[1] in board.text, "moderators still read it"
    assert f"Hidden by <@{stage.mod.id}>" in board.text
    assert REASON in board.text

    await board.click("Restore…")
    assert {message.id: stage.text(message) for message in stage.messages} == was
    assert stage.buttons(stage.messages[-1]) == ["Report…"]
    assert texts[1] in await read_story(stage)


async def test_the_story_closes_over_a_passage_and_has_it_back(stage: Stage, board: Board) -> None:
    texts = await told_story(stage, 3)
    await report(stage, 1)
    await board.click("Close the gap over it…")
    page = await read_story(stage)
    assert (texts[0] in page, texts[1] in page, texts[2] in page) == (True, False, True)
    assert "2 passages" in page
    assert board.buttons == ["Restore…"]
    await board.click("Restore…")
    page = await read_story(stage)
    assert all(text in page for text in texts)


async def test_a_story_is_rewound_and_the_open_round_says_why_it_ended(stage: Stage, board: Board) -> None:
    texts = await told_story(stage, 3)
    await stage.ask()
    ballot_id = stage.ballot.id
    await report(stage, 1)
    told = await board.click("Rewind to before it…")
    assert "The round that was about it is cancelled." in told
    drawn = next(message for message in stage.messages if message.id == ballot_id)
    assert "The moderators changed the story meanwhile." in stage.text(drawn)
    assert stage.buttons(drawn) == []
    page = await read_story(stage)
    assert (texts[0] in page, texts[1] in page, texts[2] in page) == (True, False, False)
    await stage.ask()
    await stage.win()
    assert "gone on" in await board.click("Restore…")


async def test_a_candidate_leaves_the_ballot_and_votes_for_it_do_not_count(stage: Stage, board: Board) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "B")
    await stage.vote(stage.ben, "B")
    (round_,) = await stage.services.rounds.unfinished()
    second = (await stage.services.rounds.view(round_.id)).candidates[1]
    await stage.services.cases.report(stage.guild.id, stage.ben.id, "", candidate_id=second.id)
    await board.settle()
    assert "Who wrote it is told when the vote closes." in board.text
    ballot = stage.ballot
    slow = await stage.keep_clickable(ballot)
    await board.click("Take off the ballot…")
    assert second.text not in stage.text(ballot)
    assert "The moderators took B off this ballot" in stage.text(ballot)
    assert stage.buttons(ballot) == ["Vote A", "Vote C", "None of these", "Report…"]
    assert "0 members have voted" in stage.text(ballot)
    assert "not on this ballot" in stage.told(await stage.cleo.click(slow, label="Vote B"))
    await board.click("Restore…")
    assert second.text in stage.text(ballot)
    assert "2 members have voted" in stage.text(ballot)


async def test_a_text_that_lost_is_hidden_on_its_closed_ballot(stage: Stage, board: Board) -> None:
    await stage.story()
    await stage.ask()
    ballot = stage.ballot
    (round_,) = await stage.services.rounds.unfinished()
    lost = (await stage.services.rounds.view(round_.id)).candidates[2]
    await stage.win("A")
    was = stage.text(ballot)
    await stage.services.cases.report(stage.guild.id, stage.ben.id, "", candidate_id=lost.id)
    await board.settle()
    assert board.buttons == ["Hide its text…", "Dismiss…"]
    await board.click("Hide its text…")
    assert lost.text not in stage.text(ballot)
    assert HIDDEN in stage.text(ballot)
    await board.click("Restore…")
    assert stage.text(ballot) == was


async def test_every_click_is_judged_anew_by_the_storys_channel(stage: Stage, board: Board) -> None:
    texts = await told_story(stage, 1)
    await report(stage, 0)
    for label in ("Hide its text…", "Close the gap over it…", "Rewind to before it…", "Dismiss…"):
        for member in (stage.ben, stage.admin, stage.keeper):
            assert "“Manage Messages”" in await board.click(label, member=member)
    # The form was opened while the right was there, and is sent after it has gone.
    shown = await stage.mod.click(board.cards[-1], label="Hide its text…")
    stage.env.backend.get_guild(stage.guild.id).members[stage.mod.id].role_ids.clear()
    told = stage.told(await stage.mod.submit_modal(shown, {"reason": REASON}))
    assert "“Manage Messages”" in told
    assert REASON in told, "and what was typed comes back"
    assert texts[0] in await read_story(stage)


async def test_a_right_in_the_moderators_channel_alone_is_none(stage: Stage) -> None:
    here, there = stage.guild.create_role("Here"), stage.guild.create_role("There")
    grant = discord.PermissionOverwrite(manage_messages=True)
    stage.channel = stage.guild.create_text_channel("tales", overwrites={there: grant})
    board = Board(stage, {here: grant})
    await board.choose()
    await told_story(stage, 1)
    await report(stage, 0)
    assert "“Manage Messages”" in await board.click("Dismiss…", member=stage._member("one", here))
    assert "dismissed" in await board.click("Dismiss…", "", member=stage._member("other", there))


async def test_of_two_moderators_the_second_is_told_so(stage: Stage, board: Board) -> None:
    await told_story(stage, 1)
    await report(stage, 0)
    late = await stage.mod.click(board.cards[-1], label="Dismiss…")
    await board.click("Hide its text…", member=board.chief)
    told = stage.told(await stage.mod.submit_modal(late, {"reason": "my reason"}))
    assert "can't be done about this case" in told
    assert "my reason" in told


async def test_a_member_is_warned_privately_and_it_is_said_where_that_fails(stage: Stage, board: Board) -> None:
    await stage.story()
    await stage.write(stage.ben, "A rude thing about <@1>.")
    await stage.win(stage.letter_of("A rude thing"))
    await report(stage, 0, stage.cleo)
    assert f"Written by <@{stage.ben.id}>." in board.text
    assert "told privately" in await board.click("Warn the writer…", "Please be kind.")
    assert f"Warned by <@{stage.mod.id}>" in board.text
    assert "(told privately)" in board.text
    assert "**open**" in board.text, "a warning resolves nothing"
    (sent,) = [r for r in stage.env.http_requests if "warn you about a text" in str(r.json)]
    assert "Tellers" in sent.json["content"]
    assert "Please be kind." in sent.json["content"]
    assert str(stage.mod.id) not in sent.json["content"]
    stage.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    stage.bot._connection._private_channels.clear()
    stage.bot._connection._private_channels_by_user.clear()
    assert "could not be told privately" in await board.click("Warn the writer…", "Again.")
    assert "(could not be told privately): Again." in board.text


async def test_without_a_channel_moderators_look_at_the_list(stage: Stage) -> None:
    texts = await told_story(stage, 1)
    await report(stage, 0)
    with pytest.raises(simcord.SetupError, match="not visible"):
        await stage.ben.slash(stage.channel, "moderation cases")
    show_to(stage, stage.ben, "moderation")
    assert "“Manage Messages”" in stage.told(await stage.ben.slash(stage.channel, "moderation cases"))
    shown = await stage.mod.slash(stage.channel, "moderation cases")
    told = stage.told(shown)
    assert "No channel is set" in told
    assert "passage 1 in “The Glass Key”" in told
    opened = await stage.mod.click(shown.response, label="Open case 1")
    assert texts[0] in stage.told(opened)
    form = await stage.mod.click(opened.response, label="Hide its text…")
    done = await stage.mod.submit_modal(form, {"reason": REASON})
    assert "Hidden by" in stage.text(opened.response), "the private card shows the case as it is now"
    assert "hidden" in stage.text(done.followups[0])
    assert "Nothing is open" in stage.told(await stage.mod.slash(stage.channel, "moderation cases"))


async def test_choosing_the_channel_needs_manage_server_and_a_channel_that_the_bot_can_post_into(
    stage: Stage,
) -> None:
    board = Board(stage, {stage.me: discord.PermissionOverwrite(send_messages=False)})
    told = stage.told(await stage.mod.slash(stage.channel, "moderation channel", channel=board.channel))
    assert "“Manage Server”" in told
    assert "“Send Messages”" in await board.choose()
    assert await stage.services.cases.channel(stage.guild.id) is None


async def test_a_case_from_before_the_channel_was_chosen_gets_its_card(stage: Stage) -> None:
    await told_story(stage, 1)
    await report(stage, 0)
    board = Board(stage)
    await board.choose()
    await board.settle()
    assert "passage 1" in board.text


async def test_a_channel_that_refuses_the_bot_is_named_in_the_list(stage: Stage, board: Board) -> None:
    await told_story(stage, 1)
    stage.forbid_bot("send_messages")
    await report(stage, 0)
    assert board.cards == []
    told = stage.told(await stage.mod.slash(stage.channel, "moderation cases"))
    assert f"I can't post into <#{board.channel.id}>" in told
    assert "Case 1" in told


async def test_a_card_that_was_deleted_is_posted_anew_when_the_case_changes(stage: Stage, board: Board) -> None:
    await told_story(stage, 1)
    await report(stage, 0)
    await stage.mod.delete(board.cards[-1])
    await report(stage, 0, stage.cleo)
    assert f"<@{stage.cleo.id}>" in board.text


async def test_what_was_decided_before_a_crash_is_drawn_after_it(stage: Stage, board: Board) -> None:
    texts = await told_story(stage, 2)
    case_id = await report(stage, 0)
    await stage.services.cases.report(stage.guild.id, stage.cleo.id, "", passage_id=2)  # its card was not drawn
    await stage.parts.store.act(case_id, Act.REDACT, stage.mod.id, REASON, stage.bot._now())  # and the process dies
    assert any(texts[0] in stage.text(message) for message in stage.messages)
    await stage.restart()
    await board.settle()
    assert not any(texts[0] in stage.text(message) for message in stage.messages)
    assert [stage.text(card).split("\n")[0] for card in board.cards] == [
        "### Case 1: passage 1 in “The Glass Key”",
        "### Case 2: passage 2 in “The Glass Key”",
    ]
    assert "Hidden by" in stage.text(board.cards[0])
    assert "can't" not in await board.click("Dismiss…", ""), "old cards work after a restart"


async def test_a_rewrite_shows_what_it_replaces_and_what_is_new(stage: Stage, board: Board) -> None:
    await stage.story()
    await stage.write(stage.ben, "The old king walked slowly home.")
    await stage.win(stage.letter_of("The old king"))
    await stage.ada.slash(stage.channel, "rewrite")
    await stage.write(stage.cleo, "The old queen walked slowly home.")
    await stage.win(stage.letter_of("The old queen"))
    await report(stage, 0)
    assert "It replaces" in board.text
    assert "The old king walked slowly home." in board.text
    assert "The old **queen** walked slowly home." in board.text


async def test_a_card_of_the_longest_texts_and_many_voices_fits(stage: Stage, board: Board) -> None:
    await stage.story("T" * 100)
    long = " ".join(f"*word{number}*_" for number in range(340))[:3990]
    for _ in range(2):
        await stage.write(stage.ben, long)
        await stage.win(stage.letter_of("word1"))
    view = await stage.services.stories.show(stage.channel.id)
    for number in range(30):
        await stage.services.cases.report(
            stage.guild.id, 10**18 + number, "`why* " * 80, passage_id=view.passages[1].id
        )
    await board.settle()
    assert "and 26 more" in board.text
    assert "Read all of it" in board.buttons
    shown = await stage.mod.click(board.cards[-1], label="Read all of it")
    (attachment,) = shown.response.attachments
    assert (await attachment.read()).decode() == view.passages[1].text
    for number in range(5):
        await board.click("Warn the writer…", f"{number} " + "why " * 100)
    await board.click("Hide its text…", "why " * 100)
    assert "Restore…" in board.buttons
