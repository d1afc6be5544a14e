"""Members report what the bot shows; nobody but the moderators learns who."""

from __future__ import annotations

import pytest
import simcord

from bot.discord_app.gate import REPORT_MENU
from bot.story.cases import Act
from tests.bot.discord_app.stage import FORBIDDEN, Stage
from tests.bot.discord_app.test_reading import long_text, tell
from tests.bot.service.far_end import fresh_text
from tests.bot.store.world import play

TOLD = fresh_text(900)


async def report(
    stage: Stage, member: simcord.MemberActor, shown: simcord.InteractionResult, choice: str = "", reason: str = ""
) -> str:
    """Fills in the form, and returns the private answer. `choice` begins one of the form's choices."""
    assert shown.modal is not None, stage.told(shown)
    values: dict[str, str | list[str]] = {"reason": reason}
    if choice:
        values["choice"] = [value for value, label in choices(shown).items() if label.startswith(choice)]
    return stage.told(await member.submit_modal(shown, values))


def choices(shown: simcord.InteractionResult) -> dict[str, str]:
    assert shown.modal is not None
    (menu,) = (c["component"] for c in shown.modal["components"] if c["component"]["type"] == 3)
    return {option["value"]: option["label"] for option in menu["options"]}


async def test_a_candidate_is_reported_from_the_ballot_once(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    shown = await stage.ben.click(stage.ballot, label="Report…")
    assert [label[:11] for label in choices(shown).values()] == ["Candidate A", "Candidate B", "Candidate C"]
    told = await report(stage, stage.ben, shown, "Candidate B", "<@1> is named")
    assert "Thank you" in told
    assert "/moderation cases" in told, "no channel is set, and reporters are told plainly who sees it where"
    again = await stage.ben.click(stage.ballot, label="Report…")
    assert "already" in await report(stage, stage.ben, again, "Candidate B")
    (view,) = (await stage.services.cases.open_page(stage.guild.id)).cases
    assert [(voice.user_id, voice.reason) for voice in view.voices] == [(stage.ben.id, "<@1> is named")]
    assert len(stage.messages) == 2, "nothing of it is public"


async def test_new_canon_is_reported_from_its_announcement(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    await stage.win()
    assert stage.buttons(stage.messages[-1]) == ["Report…"]
    shown = await stage.cleo.click(stage.messages[-1], label="Report…")
    assert "Thank you" in await report(stage, stage.cleo, shown, reason="It is a copy.")
    (view,) = (await stage.services.cases.open_page(stage.guild.id)).cases
    assert (view.subject.number, view.case.channel_id) == (1, stage.channel.id)


async def test_a_passage_is_reported_from_the_page_that_it_stands_on(stage: Stage) -> None:
    await stage.story()
    texts = [long_text(200), "The fox slept.", long_text(400)]
    await tell(stage, *texts)
    page = await stage.cleo.slash(stage.channel, "story show", page=2)
    shown = await stage.cleo.click(page.response, label="Report…")
    assert [label.split(":")[0] for label in choices(shown).values()] == ["3"]
    page = await stage.cleo.slash(stage.channel, "story show", page=1)
    shown = await stage.cleo.click(page.response, label="Report…")
    assert [label.split(":")[0] for label in choices(shown).values()] == ["1", "2"]
    assert "Thank you" in await report(stage, stage.cleo, shown, "2: The fox")
    (view,) = (await stage.services.cases.open_page(stage.guild.id)).cases
    assert view.subject.text == "The fox slept."


async def test_a_closed_ballot_has_a_report_button_for_what_it_shows(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    ballot = stage.ballot
    await stage.win("B")
    closed = next(message for message in stage.messages if message.id == ballot.id)
    assert stage.buttons(closed) == ["Report…"]
    await stage.restart()
    shown = await stage.ben.click(closed, label="Report…")
    assert "Thank you" in await report(stage, stage.ben, shown, "Candidate B")
    (view,) = (await stage.services.cases.open_page(stage.guild.id)).cases
    assert view.subject.number == 1, "what won is the passage that it became"
    again = await stage.ben.click(stage.messages[-1], label="Report…")
    assert "already" in await report(stage, stage.ben, again)
    await stage.services.cases.act(stage.guild.id, view.case.id, Act.REDACT, stage.mod.id, "x")
    await stage.env.settle()
    for label in ("Candidate A", "Candidate C"):
        shown = await stage.ben.click(closed, label="Report…")
        assert "Candidate B" not in [said[:11] for said in choices(shown).values()]
        assert "Thank you" in await report(stage, stage.ben, shown, label)


async def test_every_passage_of_a_page_of_many_short_ones_can_be_reported(stage: Stage) -> None:
    await stage.story()
    (line,) = (await stage.services.stories.list(stage.guild.id)).lines
    for _ in range(60):
        await play(stage.parts.store, line.story)
    seen = []
    for page in (1, 2, 3):
        shown = await stage.cleo.slash(stage.channel, "story show", page=page)
        assert f"page {page} of 3" in stage.told(shown)
        form = await stage.cleo.click(shown.response, label="Report…")
        seen += [int(label.split(":")[0].split()[0]) for label in choices(form).values()]
    assert seen == list(range(1, 61))


async def test_the_menu_of_a_message_reports_what_it_shows(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    ballot = stage.ballot
    shown = await stage.ben.context_menu(stage.channel, REPORT_MENU, ballot)
    assert "Thank you" in await report(stage, stage.ben, shown, "Candidate A")
    await stage.win()
    shown = await stage.ben.context_menu(stage.channel, REPORT_MENU, stage.messages[-1])
    assert "already" in await report(stage, stage.ben, shown), "the candidate has become the passage"
    closed = next(message for message in stage.messages if message.id == ballot.id)
    shown = await stage.ben.context_menu(stage.channel, REPORT_MENU, closed)
    assert "Thank you" in await report(stage, stage.ben, shown, "Candidate C")


async def test_a_message_that_tells_no_story_cannot_be_reported_here(stage: Stage) -> None:
    await stage.story()
    message = await stage.ben.send(stage.channel, "Hello.")
    shown = await stage.cleo.context_menu(stage.channel, REPORT_MENU, message)
    assert "shows no passage" in stage.told(shown)


async def test_a_report_filled_in_during_a_restart_is_not_lost(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    shown = await stage.ben.click(stage.ballot, label="Report…")
    await stage.restart()
    assert "Thank you" in await report(stage, stage.ben, shown, "Candidate A", FORBIDDEN), "reasons may quote"


async def test_what_was_taken_away_meanwhile_is_said_and_the_reason_given_back(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    shown = await stage.ben.click(stage.ballot, label="Report…")
    (round_,) = await stage.services.rounds.unfinished()
    first = (await stage.services.rounds.view(round_.id)).candidates[0]
    cases = stage.services.cases
    got = await cases.report(stage.guild.id, stage.cleo.id, "", candidate_id=first.id)
    await cases.act(stage.guild.id, got.case.id, Act.REMOVE, stage.mod.id, "x")
    told = await report(stage, stage.ben, shown, "Candidate A", "my reason")
    assert "taken that text away" in told
    assert "my reason" in told


@pytest.mark.parametrize("custom_id", ["tw1:report:9999", "tw1:reportpage:9999:0", "tw1:case:9999", "tw1:act:9999:1"])
async def test_a_button_of_something_that_is_gone_says_so(stage: Stage, custom_id: str) -> None:
    await stage.story()
    old = await stage.post_button(custom_id)
    assert "incident" not in stage.told(await stage.mod.click(old, label="Old"))


async def test_a_refused_text_is_brought_before_the_moderators_only_when_its_writer_asks(stage: Stage) -> None:
    await stage.story()
    refused = await stage.ben.slash(stage.channel, "continue", hint=f"A {FORBIDDEN} <@1>.")
    assert "was not accepted" in stage.told(refused)
    assert (await stage.services.cases.open_page(stage.guild.id)).cases == ()
    shown = await stage.ben.click(refused.response, label="Ask a moderator to look…")
    assert shown.modal is not None
    fields = {c["component"]["custom_id"]: c["component"] for c in shown.modal["components"]}
    text = fields["text"]["value"]
    assert text == f"A {FORBIDDEN} <@1>."
    told = stage.told(await stage.ben.submit_modal(shown, {"text": text, "reason": "It is a flower."}))
    assert "/moderation cases" in told
    assert "stays refused" in told
    (view,) = (await stage.services.cases.open_page(stage.guild.id)).cases
    assert (view.case.kind, view.subject.text, view.case.author_user_id) == ("hint", text, stage.ben.id)
    assert [(voice.category, voice.reason) for voice in view.voices] == [("rude", "It is a flower.")]
    again = await stage.ben.click(refused.response, label="Ask a moderator to look…")
    assert "already" in stage.told(await stage.ben.submit_modal(again, {"text": text, "reason": ""}))
    listed = await stage.mod.slash(stage.channel, "moderation cases")
    card = await stage.mod.click(listed.response, label="Open case 1")
    assert f"Refused, and asked about by <@{stage.ben.id}> (rude): It is a flower." in stage.told(card)
    assert stage.buttons(card.response) == ["Dismiss…", "Warn the writer…", "Bar the writer…"]


async def test_a_long_refused_text_is_put_into_the_form_by_hand(stage: Stage) -> None:
    await stage.story()
    long = f"{FORBIDDEN} " + "and so on " * 300
    refused = await stage.write(stage.ben, long)
    assert "attached" in stage.told(refused)
    shown = await stage.ben.click(refused.response, label="Ask a moderator to look…")
    told = stage.told(await stage.ben.submit_modal(shown, {"text": long, "reason": ""}))
    assert "stays refused" in told
    (view,) = (await stage.services.cases.open_page(stage.guild.id)).cases
    assert view.case.kind == "passage"
