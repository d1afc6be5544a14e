from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.errors import NoRound, NoStory
from bot.store import FilterHit, RuleChange, Store, WithheldText
from bot.story.audit import AuditEntry, Deed
from bot.story.cases import Act, CaseVoice, Thing, Voice
from bot.story.limits import Bar, Stop
from bot.story.model import RoundKind
from tests.bot.store.world import ALICE, BOB, CHANNEL, GUILD, LATER, NOW, begin, open_ballot, play, start, toggled

OTHER_GUILD = GUILD + 1
KEPT = {"meta", "sqlite_sequence"}


async def live_in(store: Store, guild_id: int, channel_id: int) -> tuple[int, int]:
    """Something in every table; returns ids of a story and of its open round."""
    ended = await start(store, channel_id, guild_id, title="An ended one")
    await play(store, ended)
    await store.end_story(ended.id, ALICE, NOW)
    story = await start(store, channel_id, guild_id, title=f"The secret of {guild_id}")
    await play(store, story)
    await play(store, story)
    await play(store, story, winner=1, kind=RoundKind.REWRITE)
    await play(store, story, winner=2, kind=RoundKind.REWRITE, passage_id=(await store.canon(story.id))[0].id)
    round_, candidates = await open_ballot(store, story, RoundKind.REWRITE)
    await store.toggle(round_.id, BOB, candidates[0].id, guild_id, NOW, toggled)
    generating = await begin(store, await start(store, channel_id + 100, guild_id))
    await store.add_text(generating.id, BOB, "Held.", NOW)
    await store.set_setting(guild_id, None, "quorum", "3", ALICE, NOW)
    await store.set_setting(guild_id, channel_id, "quorum", "4", ALICE, NOW)
    await store.record(AuditEntry(guild_id, channel_id, NOW, ALICE, Deed.STOPPED))
    await store.set_bar(Bar(guild_id, BOB, LATER, ALICE, NOW, "rude"))
    await store.set_stop(Stop(guild_id, channel_id + 200, ALICE, NOW))
    await store.set_log_channel(guild_id, channel_id, ALICE, NOW)
    await report_in(store, guild_id, story.id, candidates[0].id)
    rule = RuleChange(None, None, "rude", "{}")
    (made,) = await store.change_rules(guild_id, [rule], ALICE, NOW, deed=Deed.RULE_ADDED)
    await store.explain_revision(guild_id, made.revision_id, ALICE, f"The secret of {guild_id}", NOW)
    await store.set_filter_levels(guild_id, None, "{}", ALICE, NOW)
    await store.add_hits([FilterHit(guild_id, channel_id, NOW, "hint", "rude", None, "rude", "block", False)])
    await store.keep_withheld([WithheldText(round_.id, NOW, f"The secret of {guild_id}", "rude", "rude", None, None)])
    await store.note_departure(guild_id, NOW)
    return story.id, round_.id


async def report_in(store: Store, guild_id: int, story_id: int, candidate_id: int) -> None:
    """A passage that was rewound, a candidate that is off its ballot, and a text that was flagged."""
    passage = (await store.canon(story_id))[0]
    for thing, act in (
        (Thing(guild_id, 0, candidate_id=candidate_id), Act.REMOVE),
        (Thing(guild_id, 0, passage_id=passage.id), Act.REDACT),
        (Thing(guild_id, 5, text="Rude.", kind="hint", author_user_id=BOB), Act.DISMISS),
    ):
        voiced = await store.add_voice(thing, CaseVoice(Voice.REPORT, BOB, "", "", "why", NOW))
        await store.act(voiced.case.id, act, ALICE, "so", NOW)
    assert passage.round_id is not None or passage.copied_in is not None
    await store.note_announcement(passage.round_id or passage.copied_in or 0, [guild_id * 1000])


def counts(raw: sqlite3.Connection) -> dict[str, int]:
    names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: raw.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


async def test_a_purge_leaves_nothing_in_any_table(store: Store, raw: sqlite3.Connection) -> None:
    await live_in(store, GUILD, CHANNEL)
    full = counts(raw)
    assert {name for name, count in full.items() if count == 0} <= {"purges", "meta"}, "the test must fill every table"

    assert await store.purge_guild(GUILD) == 3
    assert {name for name, count in counts(raw).items() if count > 0} <= KEPT
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_a_purge_leaves_every_other_server_as_it_was(store: Store, raw: sqlite3.Connection) -> None:
    story_id, round_id = await live_in(store, OTHER_GUILD, CHANNEL + 1)
    alone = counts(raw)
    canon, ballots = await store.canon(story_id), await store.ballots(round_id)
    gone_story, gone_round = await live_in(store, GUILD, CHANNEL)
    await store.purge_guild(GUILD)

    assert {name: count for name, count in counts(raw).items() if name != "sqlite_sequence"} == {
        name: count for name, count in alone.items() if name != "sqlite_sequence"
    }
    assert (await store.canon(story_id), await store.ballots(round_id)) == (canon, ballots)
    with pytest.raises(NoStory):
        await store.story(gone_story)
    with pytest.raises(NoRound):
        await store.round(gone_round)
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        raw.execute("DELETE FROM passages")


async def test_a_purge_also_empties_the_pages_of_the_file(store: Store, path: Path) -> None:
    await live_in(store, GUILD, CHANNEL)
    secret = f"The secret of {GUILD}".encode()
    files = [path, path.with_name(path.name + "-wal")]
    assert any(secret in file.read_bytes() for file in files)
    await store.purge_guild(GUILD)
    assert not any(secret in file.read_bytes() for file in files)


async def test_a_server_that_left_may_come_back_and_finds_its_channel_free(store: Store) -> None:
    story_id, round_id = await live_in(store, GUILD, CHANNEL)
    await store.purge_guild(GUILD)
    assert await store.purge_guild(GUILD) == 0
    again = await start(store)
    assert again.id > story_id
    assert (await begin(store, again)).id > round_id, "an old button finds nothing"


async def test_the_first_note_of_a_departure_counts_until_the_bot_is_back(store: Store) -> None:
    await start(store)
    await store.note_departure(GUILD, NOW)
    await store.compare_guilds([], LATER)
    assert await store.departed_before(NOW) == [GUILD]
    await store.compare_guilds([GUILD], LATER)
    assert await store.departed_before(LATER) == []
    await store.compare_guilds([OTHER_GUILD], LATER)
    assert (await store.departed_before(NOW), await store.departed_before(LATER)) == ([], [GUILD])
    await store.forget_departure(GUILD)
    assert await store.departed_before(LATER) == []


@pytest.mark.parametrize("what", ["bar", "stop", "log channel"])
async def test_a_server_of_which_only_limits_are_kept_is_noted(store: Store, what: str) -> None:
    if what == "bar":
        await store.set_bar(Bar(GUILD, BOB, LATER, ALICE, NOW, "rude"))
    elif what == "stop":
        await store.set_stop(Stop(GUILD, None, ALICE, NOW))
    else:
        await store.set_log_channel(GUILD, CHANNEL, ALICE, NOW)
    await store.compare_guilds([], NOW)
    assert await store.departed_before(LATER) == [GUILD]


async def test_a_server_of_which_nothing_is_kept_is_not_noted(store: Store) -> None:
    await store.compare_guilds([], NOW)
    assert await store.departed_before(LATER) == []


async def test_a_deep_story_is_purged_too(store: Store) -> None:
    """Deeper than SQLite's own limit for cascades (1000)."""
    story = await start(store)
    async with store._database.transaction() as tx:
        parent: int | None = None
        for _ in range(1_500):
            row = await tx.write_one(
                """INSERT INTO passages (story_id, parent_id, text, source, created_at)
                VALUES (?, ?, 'x', 'model', 't') RETURNING id""",
                *(story.id, parent),
            )
            parent = row["id"]
        await tx.execute("UPDATE stories SET head_id = ? WHERE id = ?", parent, story.id)
    assert await store.purge_guild(GUILD) == 1
    assert await store._database.fetch_all("SELECT * FROM passages") == []


async def test_a_server_of_which_only_a_refused_text_is_kept_is_noted_too(store: Store) -> None:
    thing = Thing(GUILD, CHANNEL, text="Rude.", kind="title", author_user_id=BOB)
    await store.add_voice(thing, CaseVoice(Voice.APPEAL, BOB, "rude", "", "", NOW))
    await store.compare_guilds([], NOW)
    assert await store.departed_before(NOW) == [GUILD]
