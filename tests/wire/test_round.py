"""A whole round of the real bot over real sockets, on one shard and on two."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import NoStory
from bot.service.departures import KEPT_FOR
from tests.contract.message import EPHEMERAL, V2
from tests.wire.conftest import Connect
from tests.wire.members import buttons_of, text_of
from tests.wire.standin import StandIn
from tests.wire.telling import Process, Site, Table, canon, process

HARBOUR = "A silver bell rang twice over the quiet harbour before anyone woke."
KEY = "Nobody had told the baker that his oven was older than the hill."
OWL = "Under the lantern an owl was reading somebody else's letter aloud."


@pytest.mark.parametrize("guild", [0, 1], ids=["first server", "second server"])
async def test_a_story_is_begun_continued_and_voted_on(
    standin: StandIn, running: Process, site: Site, guild: int
) -> None:
    site.far.then([HARBOUR, KEY, OWL])
    table = Table.in_server(standin, guild)
    ballot = await table.begun()
    assert ballot.payload["flags"] & V2
    assert all(text in text_of(ballot) for text in (HARBOUR, KEY, OWL))
    chosen = next(text for text in (HARBOUR, KEY, OWL) if f"### A\n{text}" in text_of(ballot))

    assert "Your vote" in await table.vote(table.ann, ballot)
    assert "closes now" in await table.vote(table.ben, ballot)
    await table.told("goes on:")
    assert await canon(running, table) == [chosen]
    await standin.pulse.until(lambda: list(buttons_of(ballot)) == ["Report…"], "the ballot without votes")
    assert "chosen" in text_of(ballot)


async def test_two_servers_tell_their_stories_at_the_same_time(standin: StandIn, running: Process) -> None:
    tables = [Table.in_server(standin, guild) for guild in (0, 1)]
    ballots = await asyncio.gather(*(table.begun() for table in tables))
    for table, ballot in zip(tables, ballots, strict=True):
        await table.vote(table.ann, ballot)
        await table.vote(table.ben, ballot)
        await table.told("goes on:")
    first, second = [await canon(running, table) for table in tables]
    assert len(first) == len(second) == 1
    assert first != second


async def test_a_members_own_text_joins_the_ballot(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    await table.begun()
    shown = await (await table.cleo.slash("write")).answered()
    field = shown["data"]["components"][0]["component"]["custom_id"]
    taken = await (await table.cleo.submit(shown, {field: KEY})).message()
    assert taken.payload["flags"] & EPHEMERAL
    await table.told(KEY)
    assert "Vote D" in buttons_of(await table.ballot())


async def test_a_confirmation_is_private_and_a_ballot_public(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    ballot = await table.begun()
    confirmed = await (await table.ann.click(ballot, buttons_of(ballot)["Vote B"])).message()
    assert confirmed.payload["flags"] & EPHEMERAL
    assert not ballot.is_ephemeral
    assert "**B**" in text_of(confirmed)


async def test_the_deadline_closes_the_round(standin: StandIn, running: Process) -> None:
    table = Table.in_server(standin)
    ballot = await table.begun()
    await table.vote(table.ann, ballot)
    for _ in range(2):  # below the quorum of two it is extended once
        running.clock.turn(11 * 60)
        running.wake()
        await standin.pulse.until(lambda edits=ballot.num_edits: ballot.num_edits > edits, "the ballot drawn again")
    await table.told("goes on:")
    assert len(await canon(running, table)) == 1


async def test_buttons_work_after_a_restart(standin: StandIn, site: Site, connected: Connect) -> None:
    table = Table.in_server(standin)
    async with process(site) as first, connected(first.bot):
        ballot = await table.begun()
        await table.vote(table.ann, ballot)
    async with process(site) as second, connected(second.bot):
        assert "closes now" in await table.vote(table.ben, ballot)
        await table.told("goes on:")
        assert len(await canon(second, table)) == 1
    assert len(standin.sent("PUT", lambda path: path.endswith("/commands"))) == 1


async def test_a_server_that_removed_the_bot_is_forgotten_and_one_that_is_down_is_not(
    standin: StandIn, running: Process
) -> None:
    removed, down = (Table.in_server(standin, guild) for guild in (0, 1))
    for table in (removed, down):
        await table.story()
    for table, said in ((down, {"unavailable": True}), (removed, {})):
        guild_id = table.ann.guild_id
        await standin.gateway.dispatch(guild_id, "GUILD_DELETE", {"id": str(guild_id), **said})
    await departures(running, [removed.ann.guild_id])
    running.clock.turn(KEPT_FOR.total_seconds())
    assert await running.services.departures.purge_due() == [removed.ann.guild_id]
    assert await canon(running, down) == []
    with pytest.raises(NoStory):
        await canon(running, removed)


async def test_a_server_that_removed_the_bot_while_it_was_off_is_noted_at_the_start(
    standin: StandIn, site: Site, connected: Connect
) -> None:
    table = Table.in_server(standin)
    async with process(site) as first, connected(first.bot):
        await table.story()
    gone = standin.world.guilds.pop(0)
    async with process(site) as second, connected(second.bot):
        await departures(second, [int(gone["id"])])
    standin.world.guilds.insert(0, gone)
    async with process(site) as third, connected(third.bot):
        await departures(third, [])


async def departures(process: Process, expected: list[int]) -> None:
    """Waits until these are the servers that the bot has noted as left."""
    async with asyncio.timeout(20):
        # It shows nowhere but in the database.
        while await process.store.departed_before(process.clock.now()) != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
