"""Discord's HTTP API fails under a round of the real bot: the ballot still appears, the vote still counts."""

from __future__ import annotations

import re

import pytest

from tests.wire import faults
from tests.wire.faults import Answer
from tests.wire.members import buttons_of, text_of
from tests.wire.paths import ANY_MESSAGE, CALLBACK, CHANNEL_MESSAGES
from tests.wire.standin import StandIn
from tests.wire.telling import Process, Table, canon

pytestmark = pytest.mark.parametrize("shard_count", [1], ids=["one shard"])

PASSING = {
    "limited": faults.rate_limited(0.01),
    "limited everywhere": faults.rate_limited(0.01, is_global=True),
    "bad gateway": faults.broken(502),
    "unavailable": faults.broken(503),
}
LASTING: dict[str, Answer | None] = {
    "connection reset": None,
    "banned by the proxy": faults.banned(),
}
RETRY_S = 16.0
"""More than the bot waits before it draws again what it could not draw."""


def statuses(standin: StandIn, method: str, pattern: re.Pattern[str]) -> list[int | None]:
    return [status for _, status in standin.sent(method, pattern.fullmatch)]


async def finish(table: Table) -> None:
    """Two members vote for the ballot that stands, and the result is told."""
    ballot = await table.ballot()
    await table.vote(table.ann, ballot)
    await table.vote(table.ben, ballot)
    await table.told("goes on:")


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
async def test_a_ballot_appears_although_its_edit_failed_at_first(
    standin: StandIn, running: Process, answer: Answer
) -> None:
    table = Table.in_server(standin)
    await table.story()
    standin.faults.add("PATCH", ANY_MESSAGE, answer)
    await table.ann.slash("continue")
    await table.ballot()
    assert statuses(standin, "PATCH", ANY_MESSAGE) == [answer.status, 200]
    assert len(table.messages) == 2, "the story's first message and one ballot"


@pytest.mark.parametrize("answer", LASTING.values(), ids=LASTING.keys())
async def test_a_ballot_that_could_not_be_drawn_is_drawn_later(
    standin: StandIn, running: Process, answer: Answer | None
) -> None:
    table = Table.in_server(standin)
    await table.story()
    standin.faults.add("PATCH", ANY_MESSAGE, answer)
    await table.ann.slash("continue")
    await standin.pulse.until(lambda: statuses(standin, "PATCH", ANY_MESSAGE), "the edit that fails")
    await running.settled()
    running.clock.turn(RETRY_S)
    running.wake()
    await finish(table)
    assert len(await canon(running, table)) == 1


FIRST_ANSWERS: dict[str, tuple[Answer | None, bool]] = {
    "too late": (faults.UNKNOWN_INTERACTION, False),
    "connection reset": (None, False),
    "failed after it took effect": (faults.broken(500), True),
    "connection reset after it took effect": (None, True),
}


@pytest.mark.parametrize(("answer", "is_applied"), FIRST_ANSWERS.values(), ids=FIRST_ANSWERS.keys())
async def test_a_round_is_played_although_its_first_answer_failed(
    standin: StandIn, running: Process, answer: Answer | None, is_applied: bool
) -> None:
    table = Table.in_server(standin)
    await table.story()
    standin.faults.add("POST", CALLBACK, answer, is_applied=is_applied)
    await table.ann.slash("continue")
    await finish(table)
    assert len(await canon(running, table)) == 1
    assert not [m for m in table.messages if "Writing" in text_of(m)], "nothing is left that says it is being written"


@pytest.mark.parametrize(("answer", "is_applied"), FIRST_ANSWERS.values(), ids=FIRST_ANSWERS.keys())
async def test_a_vote_counts_although_its_confirmation_failed(
    standin: StandIn, running: Process, answer: Answer | None, is_applied: bool
) -> None:
    table = Table.in_server(standin)
    ballot = await table.begun()
    standin.faults.add("POST", CALLBACK, answer, is_applied=is_applied)
    await table.ann.click(ballot, buttons_of(ballot)["Vote A"])
    await standin.pulse.until(lambda: "1 member has voted" in text_of(ballot), "the vote in the public count")
    assert "closes now" in await table.vote(table.ben, ballot)


async def test_a_result_is_told_once_although_its_sending_failed_after_it_took_effect(
    standin: StandIn, running: Process
) -> None:
    table = Table.in_server(standin)
    await table.begun()
    standin.faults.add("POST", CHANNEL_MESSAGES, faults.broken(502), is_applied=True)
    await finish(table)
    await standin.pulse.until(lambda: statuses(standin, "POST", CHANNEL_MESSAGES) == [502, 200], "the second try")
    assert len([m for m in table.messages if "goes on:" in text_of(m)]) == 1


async def test_a_deleted_ballot_is_shown_anew(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    ballot = await table.begun()
    del standin.world.messages[ballot.id]
    await table.vote(table.ann, ballot)
    anew = await table.ballot()
    assert anew.id != ballot.id
    assert "closes now" in await table.vote(table.ben, anew)
