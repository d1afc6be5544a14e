"""The gateway fails in the middle of a round of the real bot: no vote is lost, no round hangs, buttons still work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.story.model import RoundState
from tests.wire.gateway import Gateway
from tests.wire.members import Asked, buttons_of
from tests.wire.standin import StandIn
from tests.wire.telling import Process, Site, Table, canon

Lose = Callable[[Gateway], Awaitable[None]]
LOSSES: dict[str, Lose] = {
    "closed with 4000": lambda gateway: gateway.close(4000),
    "asked to reconnect": lambda gateway: gateway.ask_to_reconnect(),
    "cut": lambda gateway: gateway.cut(),
    "invalidated, resumable": lambda gateway: gateway.invalidate(is_resumable=True),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
async def test_votes_cast_while_the_bot_is_away_count_after_its_resume(
    standin: StandIn, running: Process, lose: Lose
) -> None:
    table = Table.in_server(standin)
    ballot = await table.begun()
    await table.vote(table.ann, ballot)
    await lose(standin.gateway)
    assert "closes now" in await table.vote(table.ben, ballot)
    await table.told("goes on:")
    assert standin.gateway.session().num_resumes == 1
    assert len(await canon(running, table)) == 1


async def test_a_session_that_is_gone_loses_no_vote_and_no_button(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    ballot = await table.begun()
    await table.vote(table.ann, ballot)
    await standin.gateway.invalidate(is_resumable=False)
    again = standin.world.shard_count + 1
    await standin.pulse.until(lambda: len(standin.gateway.identifies) == again, "a new IDENTIFY")
    assert "closes now" in await table.vote(table.ben, ballot)
    await table.told("goes on:")
    assert len(await canon(running, table)) == 1


async def test_a_connection_lost_while_the_model_writes_changes_nothing(
    standin: StandIn, running: Process, site: Site
) -> None:
    table = Table.in_server(standin)
    await table.story()
    site.far.gate.clear()
    await table.ann.slash("continue")
    await site.far.arrival()
    session = standin.gateway.session()
    await standin.gateway.close(4000)
    await standin.pulse.until(lambda: session.num_resumes, "the RESUME")
    site.far.gate.set()
    ballot = await table.ballot()
    assert len(site.far.asked) == 1
    assert len(table.messages) == 2, "the story's first message and one ballot"
    assert "Your vote" in await table.vote(table.ann, ballot)


async def test_a_click_that_is_delivered_twice_counts_once(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    ballot = await table.begun()
    clicked = await table.ann.click(ballot, buttons_of(ballot)["Vote A"])
    await clicked.answered()
    await standin.gateway.repeat_last()
    await refused(standin, clicked)
    assert "closes now" in await table.vote(table.ben, ballot), "the first vote still stands"


async def test_a_command_that_is_delivered_twice_begins_one_round(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    await table.story()
    asked = await table.ann.slash("continue")
    await standin.gateway.repeat_last()
    await refused(standin, asked)
    await table.ballot()
    assert len(table.messages) == 2, "the story's first message and one ballot"
    (round_,) = await running.services.rounds.unfinished()
    assert round_.state is RoundState.OPEN


@pytest.mark.parametrize("shard_count", [2], ids=["two shards"])
async def test_a_round_goes_on_while_the_other_shard_is_away(standin: StandIn, running: Process) -> None:
    here, away = (Table.in_server(standin, guild) for guild in (0, 1))
    ballots = [await here.begun(), await away.begun()]
    await standin.gateway.close(4000, shard=1)
    for table, ballot in zip((here, away), ballots, strict=True):
        await table.vote(table.ann, ballot)
        await table.vote(table.ben, ballot)
        await table.told("goes on:")
    assert [standin.gateway.session(shard).num_resumes for shard in (0, 1)] == [0, 1]


async def refused(standin: StandIn, asked: Asked) -> None:
    """Waits until a second answer to the interaction was refused."""
    path = f"/interactions/{asked.interaction.id}/{asked.interaction.token}/callback"

    def find() -> bool:
        return [status for _, status in standin.sent("POST", path.__eq__)] == [200, 400]

    await standin.pulse.until(find, "a second answer that is refused")
