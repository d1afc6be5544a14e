from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import textwrap
from pathlib import Path

from bot.store import Store
from bot.story.model import RoundKind, RoundState
from tests.bot.store.world import (
    ALICE,
    BOB,
    CHANNEL,
    GUILD,
    LATER,
    NOW,
    begin,
    close,
    model_drafts,
    open_ballot,
    play,
    start,
    toggled,
)


async def test_after_a_restart_everything_is_as_it_was(path: Path) -> None:
    async with Store.open(path) as store:
        story = await start(store)
        await play(store, story)
        rewritten = await play(store, story, kind=RoundKind.REWRITE)
        open_round, candidates = await open_ballot(store, story)
        await store.set_message(open_round.id, 4242)
        ballot = await store.toggle(open_round.id, BOB, candidates[1].id, 1, NOW, toggled)
        generating = await begin(store, await start(store, channel_id=CHANNEL + 1), interaction_id=9)
        held = await store.add_text(generating.id, BOB, "Mine.", NOW)
        await store.set_setting(GUILD, CHANNEL, "quorum", "1", ALICE, NOW)

    async with Store.open(path) as store:
        assert await store.canon(story.id) == [rewritten.passage]
        [again, still_generating] = await store.unfinished_rounds()
        assert (again.id, again.message_id, again.state) == (open_round.id, 4242, RoundState.OPEN)
        assert still_generating == generating
        assert await store.candidates(open_round.id) == candidates
        assert await store.ballots(open_round.id) == [ballot]
        assert await store.toggle(open_round.id, BOB, candidates[1].id, 1, LATER, toggled) == ballot
        assert await store.held_texts(generating.id) == [held]
        assert len(await store.unannounced_rounds()) == 2
        assert await store.next_deadline() == LATER
        assert await store.get_settings(GUILD, CHANNEL) == ({}, {"quorum": "1"})

        opened, _ = await store.open_ballot(generating.id, model_drafts(), 0, LATER, NOW)
        assert opened.state is RoundState.OPEN
        assert (await close(store, open_round, candidates[1])).passage is not None


CHILD = """
    import asyncio, sys
    from pathlib import Path
    from bot.store import Store
    from tests.bot.store.world import NOW, open_ballot, start, toggled

    async def main():
        store = await Store.open(Path(sys.argv[1]))
        round_, candidates = await open_ballot(store, await start(store))
        for number in range(10_000):
            await store.toggle(round_.id, number, candidates[0].id, number, NOW, toggled)
            print(number, flush=True)  # acknowledged

    asyncio.run(main())
"""


async def test_what_was_acknowledged_survives_sigkill(path: Path) -> None:
    root = Path(__file__).parents[3]
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(CHILD), str(path)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root,
    )
    assert child.stdout is not None
    try:
        acknowledged = [int(await child.stdout.readline()) for _ in range(50)]
    finally:
        child.kill()
        rest, _ = await child.communicate()
    acknowledged += [int(line) for line in rest.splitlines()]

    async with Store.open(path) as store:
        [round_] = await store.unfinished_rounds()
        voters = {ballot.user_id for ballot in await store.ballots(round_.id)}
    assert set(acknowledged) <= voters
    assert len(voters) <= len(acknowledged) + 1, "at most the click that was under way"
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
