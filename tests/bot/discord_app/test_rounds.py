"""Rounds as members see them: asked, written, voted, told."""

from __future__ import annotations

from bot.discord_app.replies import CONTENT_LIMIT
from tests.bot.discord_app.stage import Stage
from tests.bot.service.far_end import fresh_text

TOLD = "The fox found a door in the hill."
OTHER = "A bell rang under the silver river."
THIRD = "Nobody saw the old king leave."


async def test_a_story_goes_from_nothing_to_a_voted_passage(stage: Stage) -> None:
    await stage.story()
    stage.far.then([TOLD, OTHER, THIRD])
    result = await stage.ask(hint="a door in the hill")
    assert not result.ephemeral
    ballot = stage.ballot
    assert ballot.id == result.response.id  # the answer to the command became the ballot
    said = stage.text(ballot)
    assert all(text in said for text in (TOLD, OTHER, THIRD, "The Glass Key", "Hint: a door in the hill"))
    assert "<t:" in said
    assert "AI storyteller" in said
    assert stage.buttons(ballot) == ["Vote A", "Vote B", "Vote C", "None of these", "Report…"]
    letter = stage.letter_of(TOLD)
    await stage.vote(stage.ada, letter)
    await stage.vote(stage.ben, letter)  # both who may be expected to vote have voted: the lead is safe
    closed, told = stage.messages[-2:]
    assert closed.id == ballot.id
    assert stage.buttons(closed) == ["Report…"]
    assert f"{letter} · chosen" in stage.text(closed)
    assert f"{letter} won with 2 votes." in stage.text(closed)
    assert stage.text(closed).count("written by AI (scripted)") == 3
    assert TOLD in told.content
    assert "/continue" in told.content


async def test_the_next_round_builds_on_the_winner(stage: Stage) -> None:
    await stage.story()
    stage.far.then([TOLD, OTHER, THIRD])
    await stage.ask()
    await stage.win(stage.letter_of(TOLD))
    await stage.ask()
    assert TOLD in stage.far.asked[-1]["prompt"]
    assert OTHER not in stage.far.asked[-1]["prompt"]


async def test_authors_are_unknown_until_the_close(stage: Stage) -> None:
    await stage.story()
    stage.far.then([OTHER, THIRD, fresh_text(1)])
    await stage.ask()
    await stage.write(stage.ben, TOLD)
    await stage.env.advance_time(10)
    open_text = stage.text(stage.ballot)
    assert TOLD in open_text
    assert str(stage.ben.id) not in open_text
    assert "written by the" not in open_text
    ballot_id = stage.ballot.id
    await stage.win(stage.letter_of(TOLD))
    closed = next(m for m in stage.messages if m.id == ballot_id)
    assert f"written by <@{stage.ben.id}>" in stage.text(closed)


async def test_a_rewrite_puts_the_old_passage_beside_the_new(stage: Stage) -> None:
    await stage.story()
    stage.far.then([TOLD, OTHER, THIRD])
    await stage.ask()
    await stage.win(stage.letter_of(TOLD))
    stage.far.then([fresh_text(41), fresh_text(42), fresh_text(43)])
    await stage.ada.slash(stage.channel, "rewrite", instruction="more wind")
    said = stage.text(stage.ballot)
    assert "as it stands now" in said
    assert all(text in said for text in (TOLD, fresh_text(41), "Instruction: more wind"))
    await stage.win(stage.letter_of(fresh_text(41)))
    assert "told anew" in stage.messages[-1].content
    shown = stage.text((await stage.ada.slash(stage.channel, "story show")).response)
    assert fresh_text(41) in shown
    assert TOLD not in shown


async def test_a_rewrite_that_the_old_passage_wins_changes_nothing(stage: Stage) -> None:
    await stage.story()
    stage.far.then([TOLD, OTHER, THIRD])
    await stage.ask()
    await stage.win(stage.letter_of(TOLD))
    await stage.ada.slash(stage.channel, "rewrite")
    await stage.win(stage.letter_of(TOLD))
    assert "stays as it is" in stage.messages[-1].content
    assert TOLD in stage.text((await stage.ada.slash(stage.channel, "story show")).response)


async def test_none_of_these_leads_to_a_new_ballot_in_a_new_message(stage: Stage) -> None:
    await stage.story()
    stage.far.then([TOLD, OTHER, THIRD])
    await stage.ask()
    first = stage.ballot.id
    await stage.vote(stage.ada, "none")
    await stage.vote(stage.ben, "none")
    assert stage.ballot.id != first
    assert TOLD not in stage.text(stage.ballot)
    assert "wanted none of the earlier" in stage.text(stage.ballot)
    assert stage.ballot.id == stage.messages[-1].id
    assert "New candidates are being written" in stage.messages[-2].content
    closed = next(m for m in stage.messages if m.id == first)
    assert "2 votes for “none of these”" in stage.text(closed)


async def test_after_two_rerolls_somebody_has_to_ask_again(stage: Stage) -> None:
    await stage.settings(quorum=1, early="off")
    await stage.story()
    await stage.ask()
    for _ in range(3):
        await stage.vote(stage.ada, "none")
        await stage.mod.slash(stage.channel, "round close")
    assert "/continue" in stage.messages[-1].content
    assert {label for message in stage.messages for label in stage.buttons(message)} == {"Report…"}


async def test_a_members_text_joins_the_open_ballot(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    told = stage.told(await stage.write(stage.ben, TOLD))
    assert "on the ballot now" in told
    await stage.env.advance_time(10)
    assert "Vote D" in stage.buttons(stage.ballot)
    assert stage.letter_of(TOLD) == "D"


async def test_a_members_text_can_begin_a_round_and_stays_anonymous(stage: Stage) -> None:
    await stage.story()
    told = stage.told(await stage.write(stage.ben, TOLD))
    assert "new ballot" in told
    assert TOLD in stage.text(stage.ballot)
    assert stage.buttons(stage.ballot) == [*(f"Vote {letter}" for letter in "ABCD"), "None of these", "Report…"]
    public = "\n".join(stage.text(message) for message in stage.messages)
    assert str(stage.ben.id) not in public
    assert all(message.interaction_metadata is None for message in stage.messages[1:])


async def test_the_deadline_closes_the_round(stage: Stage) -> None:
    await stage.settings(early="off", minutes=10)
    await stage.story()
    stage.far.then([TOLD, OTHER, THIRD])
    await stage.ask()
    letter = stage.letter_of(TOLD)
    await stage.vote(stage.ada, letter)
    await stage.vote(stage.ben, letter)
    await stage.env.advance_time(599)
    assert stage.ballot
    await stage.env.advance_time(2)
    assert TOLD in stage.messages[-1].content


async def test_a_missed_quorum_extends_once_and_then_no_votes_leave_the_story_alone(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    before = stage.text(stage.ballot)
    await stage.env.advance_time(601)
    after = stage.text(stage.ballot)
    assert "deadline was moved" in after
    assert before != after
    await stage.env.advance_time(601)
    assert "stays as it is. Nobody voted" in stage.messages[-1].content


async def test_a_long_passage_is_announced_whole(stage: Stage) -> None:
    await stage.story()
    text = "\n\n".join(" ".join(fresh_text(number) for number in range(at, at + 8)) for at in range(100, 140, 8))
    await stage.write(stage.ben, text)
    await stage.win(stage.letter_of(text[:60]))
    told = [m for m in stage.messages if m.content]
    assert len(told) > 1
    assert all(len(m.content) <= CONTENT_LIMIT for m in told)
    assert text.split() == [w for w in " ".join(m.content for m in told).split() if w in set(text.split())]


async def test_a_long_candidate_is_cut_visibly_and_readable_in_full(stage: Stage) -> None:
    await stage.story()
    text = " ".join(fresh_text(number) for number in range(100, 145))
    await stage.write(stage.ben, text)
    letter = stage.letter_of(text[:60])
    assert f"Read all of {letter}" in stage.buttons(stage.ballot)
    assert f"“Read all of {letter}” has the rest" in stage.text(stage.ballot)
    opened = await stage.cleo.click(stage.ballot, label=f"Read all of {letter}")
    read = [stage.told(opened)]
    assert stage.buttons(opened.response) == [f"Next page of {letter}"]
    await stage.cleo.click(opened.response, label=f"Next page of {letter}")
    read.append(stage.text(opened.response))
    assert stage.buttons(opened.response) == [f"Previous page of {letter}"]
    words = " ".join(page.split("\n", 1)[1] for page in read).split()
    assert words == text.split()


async def test_candidates_and_hints_show_nothing_alive(stage: Stage) -> None:
    await stage.story(title="@everyone <@123> **Key**", premise="See https://evil.example/x")
    stage.far.then(["The fox cried @here to <#42> at https://evil.example now.", OTHER, THIRD])
    await stage.ask(hint="# <@&5> [click](https://evil.example) \u202eabc")
    public = "\n".join(stage.text(message) for message in stage.messages)
    for alive in ("@everyone", "@here", "<@123>", "<@&5>", "<#42>", "https://evil", "](", "\u202e"):
        assert alive not in public
    for message in stage.messages:
        assert not message.mentions
        assert not message.mention_everyone


async def test_two_channels_run_their_rounds_side_by_side(stage: Stage) -> None:
    await stage.story()
    await stage.ada.slash(stage.other, "story start", title="Elsewhere")
    await stage.ask()
    result = await stage.ada.slash(stage.other, "continue")
    assert not result.ephemeral
    assert "Elsewhere" in stage.text(result.response)
