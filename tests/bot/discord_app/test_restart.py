"""A new process on the same database: buttons work, rounds go on, ends are told once."""

from __future__ import annotations

from tests.bot.discord_app.stage import Stage
from tests.bot.service.far_end import fresh_text

TOLD = fresh_text(900)


async def test_buttons_from_before_a_restart_work(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "A")
    await stage.restart()
    told = stage.told(await stage.vote(stage.ben, "A"))
    assert "Your vote: **A**" in told
    assert "goes on" in stage.messages[-1].content


async def test_a_form_that_was_open_during_a_restart_is_not_lost(stage: Stage) -> None:
    await stage.story()
    shown = await stage.ben.slash(stage.channel, "write")
    await stage.restart()
    told = stage.told(await stage.ben.submit_modal(shown, {"passage": TOLD}))
    assert "new ballot" in told
    assert TOLD in stage.text(stage.ballot)


async def test_a_round_that_was_being_written_is_written_again(stage: Stage) -> None:
    await stage.story()
    stage.leave_the_worker_out()
    stage.far.gate.clear()
    result = await stage.ask(hint="wind")
    await stage.restart()
    stage.far.gate.set()
    await stage.until(lambda: bool(stage.buttons(stage.messages[-1])))
    assert stage.ballot.id == result.response.id
    assert len(stage.messages) == 2
    await stage.env.settle()


async def test_a_round_whose_message_was_never_posted_gets_one(stage: Stage) -> None:
    await stage.story()
    await stage.begin_unseen()
    await stage.restart()
    await stage.env.settle()
    assert stage.ballot.id == stage.messages[-1].id


async def test_a_round_that_was_decided_when_the_process_died_is_closed_at_the_start(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    (round_,) = await stage.services.rounds.unfinished()
    view = await stage.services.rounds.view(round_.id)
    for number, member in enumerate((stage.ada, stage.ben)):
        receipt = await stage.services.rounds.vote(
            round_.id, member.id, view.candidates[1].id, number + 1, round_.opened_at
        )
    assert receipt.closes_now  # and the process dies here
    await stage.restart()
    assert view.candidates[1].text in stage.messages[-1].content


async def test_a_deadline_that_passed_meanwhile_is_kept(stage: Stage) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "A")
    await stage.vote(stage.ben, "A")
    await stage.restart(down_s=3600)
    assert "goes on" in stage.messages[-1].content


async def test_an_end_that_nobody_saw_is_told_once(stage: Stage) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "A")
    (round_,) = await stage.services.rounds.unfinished()
    await stage.services.rounds.settle(round_.id, forced_by=stage.mod.id)  # and the process dies here
    await stage.restart()
    assert sum("goes on" in m.content for m in stage.messages) == 1
    assert "chosen" in stage.text(stage.messages[-2])
    await stage.restart()
    assert sum("goes on" in m.content for m in stage.messages) == 1


async def test_none_of_these_that_died_goes_on_after_a_restart(stage: Stage) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    await stage.vote(stage.ada, "none")
    (round_,) = await stage.services.rounds.unfinished()
    await stage.services.rounds.settle(round_.id, forced_by=stage.mod.id)
    await stage.restart()
    assert "wanted none of the earlier" in stage.text(stage.ballot)
    assert stage.ballot.id == stage.messages[-1].id


async def test_an_open_ballot_is_brought_up_to_date(stage: Stage) -> None:
    await stage.settings(early="off")
    await stage.story()
    await stage.ask()
    (round_,) = await stage.services.rounds.unfinished()
    view = await stage.services.rounds.view(round_.id)
    # A vote that was counted, and whose drawing the old process did not live to see.
    await stage.services.rounds.vote(round_.id, 5, view.candidates[0].id, 77, stage.env.now())
    await stage.restart()
    assert "1 member has voted" in stage.text(stage.ballot)


async def test_commands_are_told_to_discord_once(stage: Stage) -> None:
    def syncs() -> int:
        return sum(r.method == "PUT" and r.path.endswith("/commands") for r in stage.env.http_requests)

    assert syncs() == 1
    ids = dict(stage.bot.command_ids)
    await stage.restart()
    assert syncs() == 1
    assert stage.bot.command_ids == ids
    await stage.parts.store.set_meta("discord commands", '{"digest": "of an older version", "ids": {}}')
    await stage.restart()
    assert syncs() == 2
