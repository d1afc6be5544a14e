"""Clicks: counted once, confirmed privately, drawn publicly at a limited pace."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.discord_app.buttons import Action, Verb
from tests.bot.discord_app.stage import Stage


def edits_of(stage: Stage, message_id: int) -> int:
    """How often the bot has edited the message with its own token."""
    return sum(r.method == "PATCH" and r.path.endswith(f"/messages/{message_id}") for r in stage.env.http_requests)


@pytest.fixture
async def voting(stage: Stage) -> Stage:
    """An open ballot that votes alone do not close."""
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    return stage


async def test_a_vote_is_confirmed_privately_and_nobody_else_learns_of_it(voting: Stage) -> None:
    told = voting.told(await voting.vote(voting.ada, "B"))
    assert "Your vote: **B**." in told
    assert re.search(r"closes <t:\d+:R>", told)
    await voting.env.advance_time(10)
    public = "\n".join(voting.text(message) for message in voting.messages)
    assert "1 member has voted" in public
    assert "1 vote" not in public.replace("1 vote,", "")  # the tally is hidden
    assert f"<@{voting.ada.id}>" not in public


async def test_several_candidates_can_be_chosen_and_taken_back(voting: Stage) -> None:
    await voting.vote(voting.ada, "C")
    assert "**A** and **C**" in voting.told(await voting.vote(voting.ada, "A"))
    await voting.env.advance_time(1)
    assert "Your vote: **C**." in voting.told(await voting.vote(voting.ada, "A"))
    await voting.env.advance_time(1)
    assert "taken back" in voting.told(await voting.vote(voting.ada, "C"))
    assert (await voting.services.rounds.view(await round_id(voting))).num_ballots == 0


async def test_none_of_these_stands_alone(voting: Stage) -> None:
    await voting.vote(voting.ada, "A")
    assert "**none of these**" in voting.told(await voting.vote(voting.ada, "none"))
    assert "Your vote: **B**." in voting.told(await voting.vote(voting.ada, "B"))


async def test_in_plurality_the_last_choice_counts(stage: Stage) -> None:
    await stage.settings(method="plurality", early="off")
    await stage.story()
    await stage.ask()
    assert "One vote each" in stage.text(stage.ballot)
    await stage.vote(stage.ada, "A")
    assert "Your vote: **B**." in stage.told(await stage.vote(stage.ada, "B"))


async def test_a_double_click_counts_once(voting: Stage) -> None:
    await voting.vote(voting.ada, "A")
    told = voting.told(await voting.vote(voting.ada, "A"))
    assert "Your vote: **A**." in told
    assert "double click counts once" in told
    assert (await voting.services.rounds.view(await round_id(voting))).num_ballots == 1


async def test_a_live_tally_is_drawn_and_a_hidden_one_is_not(stage: Stage) -> None:
    await stage.settings(tally="live", early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "B")
    await stage.env.advance_time(10)
    blocks = stage.text(stage.ballot).split("### ")
    assert "1 vote" in next(block for block in blocks if block.startswith("B"))
    assert "0 votes" in next(block for block in blocks if block.startswith("A"))


async def test_many_votes_make_few_edits_and_the_last_one_is_drawn(voting: Stage) -> None:
    await voting.env.advance_time(30)
    ballot_id = voting.ballot.id
    before = edits_of(voting, ballot_id)
    for member in (voting.ada, voting.ben, voting.cleo, voting.mod, voting.keeper):
        await voting.vote(member, "A")
    assert edits_of(voting, ballot_id) - before == 1  # the first is drawn at once, the others wait
    await voting.env.advance_time(10)
    assert edits_of(voting, ballot_id) - before == 2
    assert "5 members have voted" in voting.text(voting.ballot)


async def test_a_late_vote_is_refused_and_changes_nothing(voting: Stage) -> None:
    await voting.vote(voting.ada, "A")
    await voting.vote(voting.ben, "A")
    buttons = voting.ballot
    custom_id = Action(Verb.VOTE, (await round_id(voting), await candidate_id(voting))).custom_id
    stale = await voting.keep_clickable(buttons)
    await voting.env.advance_time(601)
    told = voting.told(await voting.cleo.click(stale, custom_id=custom_id))
    assert "closed" in told
    assert len([m for m in voting.messages if "goes on" in m.content]) == 1


async def test_a_button_of_another_version_is_answered_with_a_sentence(voting: Stage) -> None:
    stale = await voting.post_button("tw0:vote:1:2")
    assert "another version" in voting.told(await voting.ada.click(stale, label="Old"))


async def test_a_button_for_a_round_that_never_was_is_answered(voting: Stage) -> None:
    stale = await voting.post_button("tw1:vote:987654:1")
    assert voting.told(await voting.ada.click(stale, label="Old"))


async def test_a_button_of_somebody_else_is_left_alone(voting: Stage) -> None:
    stale = await voting.post_button("poll:7")
    assert not (await voting.ada.click(stale, label="Old")).acknowledged


async def test_a_vote_counts_although_its_confirmation_fails(voting: Stage) -> None:
    voting.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
    await voting.vote(voting.ada, "A")
    assert (await voting.services.rounds.view(await round_id(voting))).num_ballots == 1
    await voting.env.advance_time(5)
    assert "Your vote: **A**." in voting.told(await voting.vote(voting.ada, "A"))  # the second try confirms the first
    await voting.env.advance_time(5)
    assert "taken back" in voting.told(await voting.vote(voting.ada, "A"))


async def round_id(stage: Stage) -> int:
    (round_,) = await stage.services.rounds.unfinished()
    return round_.id


async def candidate_id(stage: Stage) -> int:
    view = await stage.services.rounds.view(await round_id(stage))
    return view.candidates[0].id


async def test_an_old_ballot_is_edited_more_slowly(voting: Stage) -> None:
    await voting.settings(minutes=300)
    ballot_id = voting.ballot.id
    await voting.mod.slash(voting.channel, "round close")
    await voting.ask()
    ballot_id = voting.ballot.id
    await voting.env.advance_time(timedelta(hours=2).total_seconds())
    await voting.vote(voting.ada, "A")
    before = edits_of(voting, ballot_id)
    await voting.vote(voting.ben, "A")
    await voting.env.advance_time(15)
    assert edits_of(voting, ballot_id) == before
    await voting.env.advance_time(10)
    assert edits_of(voting, ballot_id) == before + 1
