"""Bars, stops, quotas and the outbox of the audit log, over a real file."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime, timedelta

import pytest

from bot.errors import NoRound, OverQuota, RoundOver, RoundRunning, Stopped
from bot.store import Store
from bot.story.audit import AuditEntry, Deed
from bot.story.limits import HOUR, STOPPED_ROUND, Admission, Bar, LogChannel, Quotas, Stop
from bot.story.model import Round, RoundKind, RoundState, Story
from tests.bot.store.world import ALICE, BOB, CAROL, CHANNEL, GUILD, LATER, NOW, SETTINGS, begin, open_ballot, start

FREE = Quotas(0, 0, 0, 0, 0)
SECOND = timedelta(seconds=1)


async def ask(
    store: Store,
    story: Story,
    quotas: Quotas,
    at: datetime,
    *,
    by: int = ALICE,
    interaction_id: int | None = None,
    reroll: int = 0,
    parent: int | None = None,
    with_text: bool = False,
) -> Round:
    return await store.begin_round(
        story.id,
        RoundKind.CONTINUE,
        SETTINGS,
        hint=None,
        opened_by=by,
        guild_id=story.guild_id,
        channel_id=story.channel_id,
        seed=1,
        reroll=reroll,
        interaction_id=interaction_id,
        admission=Admission(quotas, parent, with_text),
        now=at,
    )


async def ask_and_cancel(store: Store, story: Story, quotas: Quotas, at: datetime, **how: int) -> None:
    round_ = await ask(store, story, quotas, at, **how)  # type: ignore[arg-type]
    await store.cancel_round(round_.id, BOB, at)


def bar(until: datetime = LATER, user_id: int = BOB, reason: str = "rude", at: datetime = NOW) -> Bar:
    return Bar(GUILD, user_id, until, ALICE, at, reason)


async def test_a_bar_holds_until_its_time_is_over_and_in_its_server_only(store: Store) -> None:
    assert await store.set_bar(bar()) is None
    assert await store.bar_of(GUILD, BOB, NOW) == bar()
    assert await store.bar_of(GUILD, BOB, LATER - SECOND) == bar()
    assert await store.bar_of(GUILD, BOB, LATER) is None
    assert await store.bar_of(GUILD, CAROL, NOW) is None
    assert await store.bar_of(GUILD + 1, BOB, NOW) is None


async def test_a_newer_bar_takes_the_place_of_the_older_and_old_ones_are_forgotten(
    store: Store, raw: sqlite3.Connection
) -> None:
    await store.set_bar(bar(user_id=CAROL, until=NOW + SECOND))
    await store.set_bar(bar())
    shorter = bar(until=LATER - SECOND, reason="rude, but less", at=NOW + SECOND)
    assert await store.set_bar(shorter) == bar()
    assert await store.bars(GUILD, NOW, limit=5) == [shorter]
    assert raw.execute("SELECT count(*) FROM bars").fetchone() == (1,)
    deeds = [(entry.deed, entry.subject, entry.reason) for entry in await store.audit_entries(GUILD)]
    assert deeds == [
        (Deed.MEMBER_BARRED, f"member {BOB}", "rude, but less"),
        (Deed.MEMBER_BARRED, f"member {BOB}", "rude"),
        (Deed.MEMBER_BARRED, f"member {CAROL}", "rude"),
    ]


async def test_a_bar_is_lifted_once_and_by_hand_only_while_it_holds(store: Store) -> None:
    await store.set_bar(bar())
    assert await store.lift_bar(GUILD, BOB, ALICE, "sorry said", NOW) == bar()
    assert await store.lift_bar(GUILD, BOB, ALICE, "", NOW) is None
    await store.set_bar(bar())
    assert await store.lift_bar(GUILD, BOB, ALICE, "", LATER) is None
    lifted = await store.audit_entries(GUILD, deeds=[Deed.BAR_LIFTED])
    assert [(entry.actor_id, entry.reason) for entry in lifted] == [(ALICE, "sorry said")]


async def test_bars_come_in_pages_with_the_first_to_end_first(store: Store) -> None:
    for number in (3, 1, 2):
        await store.set_bar(bar(user_id=number, until=NOW + number * SECOND))
    assert [one.user_id for one in await store.bars(GUILD, NOW, limit=2)] == [1, 2]
    assert [one.user_id for one in await store.bars(GUILD, NOW, limit=2, offset=2)] == [3]
    assert [one.user_id for one in await store.bars(GUILD, NOW + SECOND, limit=9)] == [2, 3]


@pytest.mark.parametrize(
    "values", [(GUILD, BOB, "b", ALICE, "c", "why"), (GUILD, BOB, "c", ALICE, "b", "")], ids=["backwards", "no reason"]
)
async def test_no_bar_ends_before_it_begins_or_has_no_reason(
    store: Store, raw: sqlite3.Connection, values: tuple[object, ...]
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute("INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?)", values)


async def test_a_stop_cancels_what_is_unfinished_there_and_nothing_elsewhere(store: Store) -> None:
    generating = await begin(store, await start(store))
    in_thread = await begin(store, await start(store, CHANNEL + 1))
    open_, _ = await open_ballot(store, await start(store, CHANNEL + 2))
    stop = Stop(GUILD, CHANNEL, ALICE, NOW, "a raid")
    cancelled = await store.set_stop(stop, threads=[CHANNEL + 1])
    assert cancelled is not None
    assert {round_.id for round_ in cancelled} == {generating.id, in_thread.id}
    assert {(round_.state, round_.failure, round_.closed_by) for round_ in cancelled} == {
        (RoundState.CANCELLED, STOPPED_ROUND, ALICE)
    }
    assert (await store.round(open_.id)).state is RoundState.OPEN
    (entry,) = await store.audit_entries(GUILD)
    assert (entry.deed, entry.channel_id, entry.reason) == (Deed.STOPPED, CHANNEL, "a raid")
    assert entry.detail == {"rounds cancelled": 2}
    assert await store.set_stop(stop) is None, "twice is once"
    assert [round_.id for round_ in await store.set_stop(Stop(GUILD, None, ALICE, NOW)) or ()] == [open_.id]


async def test_a_stop_covers_its_channel_its_threads_and_a_servers_covers_all(store: Store) -> None:
    await store.set_stop(Stop(GUILD, CHANNEL, ALICE, NOW, "here"))
    assert await store.stop_over(GUILD, CHANNEL) == Stop(GUILD, CHANNEL, ALICE, NOW, "here")
    assert (await store.stop_over(GUILD, 5, CHANNEL)) is not None
    assert await store.stop_over(GUILD, 5, None) is None
    await store.set_stop(Stop(GUILD, None, BOB, NOW))
    assert await store.stop_over(GUILD, CHANNEL) == Stop(GUILD, None, BOB, NOW)
    assert await store.stop_over(GUILD + 1, CHANNEL) is None
    assert await store.lift_stop(GUILD, CHANNEL + 7, BOB, NOW) is None
    assert await store.lift_stop(GUILD, None, BOB, NOW) == Stop(GUILD, None, BOB, NOW)
    assert await store.stop_over(GUILD, 5) is None
    assert await store.stop_over(GUILD, CHANNEL) is not None
    assert [one.deed for one in await store.audit_entries(GUILD)] == [Deed.RESUMED, Deed.STOPPED, Deed.STOPPED]


@pytest.mark.parametrize(("channel_id", "parent"), [(None, None), (CHANNEL, None), (CHANNEL - 1, CHANNEL - 1)])
async def test_no_round_begins_where_the_bot_is_stopped(
    store: Store, channel_id: int | None, parent: int | None
) -> None:
    story = await start(store)
    await store.set_stop(Stop(GUILD, channel_id, ALICE, NOW, "a raid"))
    if parent is None:
        with pytest.raises(Stopped):
            await start(store)
    with pytest.raises(Stopped) as refused:
        await ask(store, story, FREE, NOW, parent=parent)
    assert refused.value.reason == "a raid"
    await store.lift_stop(GUILD, channel_id, ALICE, NOW)
    await ask(store, story, FREE, NOW, parent=parent)


async def test_the_schema_too_lets_no_round_begin_where_the_bot_is_stopped(
    store: Store, raw: sqlite3.Connection
) -> None:
    story = await start(store)
    await store.set_stop(Stop(GUILD, CHANNEL, ALICE, NOW))
    with pytest.raises(sqlite3.IntegrityError, match="a moderator stopped the bot"):
        raw.execute(
            """INSERT INTO rounds (story_id, kind, settings, opened_by, guild_id, channel_id, seed, opened_at)
            VALUES (?, 'continue', '{}', 1, ?, ?, 1, 'now')""",
            (story.id, GUILD, CHANNEL),
        )


async def test_of_a_stop_and_a_round_that_begins_at_the_same_time_nothing_goes_on(store: Store) -> None:
    for number in range(20):
        story = await start(store, CHANNEL + number)
        race = [ask(store, story, FREE, NOW), store.set_stop(Stop(GUILD, CHANNEL + number, ALICE, NOW))]
        await asyncio.gather(*race[:: 1 if number % 2 else -1], return_exceptions=True)
        assert await store.unfinished_round(story.id) is None


async def test_a_member_begins_as_many_rounds_within_an_hour_as_is_allowed(store: Store) -> None:
    story, quotas = await start(store), Quotas(2, 0, 0, 0, 0)
    other = await start(store, CHANNEL + 1)
    await ask_and_cancel(store, story, quotas, NOW)
    await ask_and_cancel(store, other, quotas, NOW + 60 * SECOND)
    with pytest.raises(OverQuota, match="begun 2 rounds within an hour") as refused:
        await ask(store, story, quotas, NOW + HOUR - SECOND)
    assert refused.value.until == NOW + HOUR
    await ask_and_cancel(store, story, quotas, NOW + HOUR - SECOND, by=BOB)
    await ask_and_cancel(store, story, quotas, NOW + HOUR)
    with pytest.raises(OverQuota) as refused:
        await ask(store, story, quotas, NOW + HOUR)
    assert refused.value.until == NOW + HOUR + 60 * SECOND


async def test_a_pause_lies_between_two_rounds_of_a_member(store: Store) -> None:
    story, quotas = await start(store), Quotas(0, 0, 0, 90, 0)
    await ask_and_cancel(store, story, quotas, NOW)
    with pytest.raises(OverQuota, match="90 seconds") as refused:
        await ask(store, story, quotas, NOW + 89 * SECOND)
    assert refused.value.until == NOW + 90 * SECOND
    await ask_and_cancel(store, story, quotas, NOW + 89 * SECOND, by=BOB)
    await ask(store, story, quotas, NOW + 90 * SECOND)


async def test_a_channel_and_a_server_have_quotas_that_all_members_share(store: Store) -> None:
    story, other = await start(store), await start(store, CHANNEL + 1)
    stranger = await start(store, CHANNEL + 2, GUILD + 1)
    for number in range(2):
        await ask_and_cancel(store, story, FREE, NOW, by=number)
    with pytest.raises(OverQuota, match="This channel has had 2 rounds"):
        await ask(store, story, Quotas(0, 2, 0, 0, 0), NOW)
    await ask_and_cancel(store, other, Quotas(0, 2, 0, 0, 0), NOW)
    with pytest.raises(OverQuota, match="This server has had 3 rounds"):
        await ask(store, other, Quotas(0, 0, 3, 0, 0), NOW)
    await ask(store, stranger, Quotas(0, 2, 3, 0, 0), NOW)


async def test_rounds_after_none_of_these_count_for_the_channel_and_not_for_the_member(store: Store) -> None:
    story = await start(store)
    await ask_and_cancel(store, story, FREE, NOW, reroll=1)
    with pytest.raises(OverQuota, match="This channel"):
        await ask(store, story, Quotas(0, 1, 0, 0, 0), NOW)
    await ask(store, story, Quotas(1, 0, 0, 60, 0), NOW)


async def test_an_interaction_delivered_twice_counts_once(store: Store) -> None:
    story, quotas = await start(store), Quotas(2, 0, 0, 0, 1)
    first = await ask(store, story, quotas, NOW, interaction_id=7)
    assert await ask(store, story, quotas, NOW, interaction_id=7) == first
    await store.add_text(first.id, ALICE, "Mine.", NOW, interaction_id=8, per_hour=1)
    await store.add_text(first.id, ALICE, "Mine.", NOW, interaction_id=8, per_hour=1)
    await store.cancel_round(first.id, BOB, NOW)
    await ask_and_cancel(store, story, quotas, NOW, interaction_id=9)
    assert (await ask(store, story, quotas, NOW, interaction_id=9)).state is RoundState.CANCELLED
    with pytest.raises(OverQuota):
        await ask(store, story, quotas, NOW, interaction_id=10)


async def test_of_commands_at_the_same_time_only_as_many_pass_as_there_is_room_for(store: Store) -> None:
    stories = [await start(store, CHANNEL + number) for number in range(6)]
    race = (ask(store, story, Quotas(2, 0, 0, 0, 0), NOW, interaction_id=n) for n, story in enumerate(stories, 1))
    got = await asyncio.gather(*race, return_exceptions=True)
    assert sum(isinstance(one, Round) for one in got) == 2
    assert sum(isinstance(one, OverQuota) for one in got) == 4


async def test_a_running_round_is_named_before_any_quota(store: Store) -> None:
    story = await start(store)
    await ask(store, story, Quotas(1, 1, 1, 60, 0), NOW)
    with pytest.raises(RoundRunning):
        await ask(store, story, Quotas(1, 1, 1, 60, 0), NOW)


async def test_texts_have_a_quota_which_the_one_that_begins_a_round_counts_for_too(store: Store) -> None:
    quotas = Quotas(0, 0, 0, 0, 2)
    rounds = [await ask(store, await start(store, CHANNEL + n), FREE, NOW, by=BOB) for n in range(3)]
    begun = await ask(store, await start(store, CHANNEL + 9), quotas, NOW, with_text=True)
    await store.add_text(begun.id, ALICE, "It counted when the round began.", NOW, per_hour=2)
    await store.add_text(rounds[0].id, ALICE, "The second.", NOW + SECOND, per_hour=2)
    with pytest.raises(OverQuota, match="written 2 texts") as refused:
        await store.add_text(rounds[1].id, ALICE, "The third.", NOW + SECOND, per_hour=2)
    assert refused.value.until == NOW + HOUR
    with pytest.raises(OverQuota, match="written 2 texts"):
        await ask(store, await start(store, CHANNEL + 10), quotas, NOW, with_text=True)
    assert await store.held_texts(rounds[1].id) == []
    await store.add_text(rounds[1].id, CAROL, "Somebody else's.", NOW, per_hour=2)
    await store.add_text(rounds[1].id, ALICE, "An hour later.", NOW + HOUR, per_hour=2)


async def test_texts_at_the_same_time_do_not_both_take_the_last_place(store: Store) -> None:
    rounds = [await ask(store, await start(store, CHANNEL + n), FREE, NOW, by=BOB) for n in range(4)]
    got = await asyncio.gather(
        *(store.add_text(round_.id, ALICE, "Mine.", NOW, per_hour=1) for round_ in rounds), return_exceptions=True
    )
    assert sum(isinstance(one, OverQuota) for one in got) == 3


async def test_what_moderators_do_to_rounds_and_settings_is_logged_and_what_time_does_is_not(store: Store) -> None:
    story = await start(store)
    first, _ = await open_ballot(store, story)
    await store.close_round(first.id, "lead", None, ALICE, LATER)
    await store.close_round(first.id, "lead", None, BOB, LATER)
    second, _ = await open_ballot(store, story)
    await store.close_round(second.id, "lead", None, None, LATER)
    third = await begin(store, story)
    await store.cancel_round(third.id, BOB, LATER)
    with pytest.raises(RoundOver):
        await store.cancel_round(third.id, BOB, LATER)
    with pytest.raises(NoRound):
        await store.cancel_round(999, BOB, LATER)
    await store.set_setting(GUILD, CHANNEL, "quorum", "3", CAROL, LATER)
    await store.set_setting(GUILD, CHANNEL, "quorum", "3", CAROL, LATER)
    await store.set_setting(GUILD, None, "member_cooldown", "60", CAROL, LATER)
    found = [(one.deed, one.actor_id, one.channel_id, one.subject) for one in await store.audit_entries(GUILD)]
    assert found == [
        (Deed.LIMIT_CHANGED, CAROL, None, "member_cooldown"),
        (Deed.SETTING_CHANGED, CAROL, CHANNEL, "quorum"),
        (Deed.ROUND_CANCELLED, BOB, CHANNEL, f"round {third.id}"),
        (Deed.ROUND_CLOSED, ALICE, CHANNEL, f"round {first.id}"),
    ]
    (limit,) = await store.audit_entries(GUILD, deeds=[Deed.LIMIT_CHANGED])
    assert limit.detail == {"before": None, "now": "60"}


async def test_the_log_can_be_asked_for_a_member_as_whoever_did_it_or_had_it_done_to_them(store: Store) -> None:
    await store.set_bar(bar(user_id=1))
    await store.set_bar(bar(user_id=11))
    await store.record(AuditEntry(GUILD, None, NOW, 1, Deed.STOPPED))
    await store.record(AuditEntry(GUILD, None, NOW, None, Deed.STOPPED))
    assert [one.deed for one in await store.audit_entries(GUILD, member_id=1)] == [Deed.STOPPED, Deed.MEMBER_BARRED]
    assert [one.subject for one in await store.audit_entries(GUILD, member_id=1, limit=1, offset=1)] == ["member 1"]


async def test_a_log_channel_gets_what_is_new_in_order_and_once(store: Store) -> None:
    old = await store.record(AuditEntry(GUILD, None, NOW, ALICE, Deed.STOPPED))
    assert await store.waiting_channels() == []
    await store.set_log_channel(GUILD, CHANNEL, ALICE, NOW)
    await store.record(AuditEntry(GUILD + 1, None, NOW, ALICE, Deed.STOPPED))
    new = await store.record(AuditEntry(GUILD, None, NOW, ALICE, Deed.RESUMED))
    assert await store.waiting_channels() == [LogChannel(GUILD, CHANNEL)]
    waiting = await store.waiting_entries(GUILD, 9)
    assert [one.deed for one in waiting] == [Deed.LOG_CHANGED, Deed.RESUMED]
    assert old not in waiting
    assert await store.waiting_entries(GUILD, 1) == waiting[:1]
    await store.mark_posted(GUILD, CHANNEL, waiting[0].id or 0)
    await store.mark_posted(GUILD, CHANNEL + 1, new.id or 0)  # the log moved away from there meanwhile
    assert await store.waiting_entries(GUILD, 9) == [new]
    await store.note_log_failure(GUILD, CHANNEL, "no permission")
    assert await store.log_channel(GUILD) == LogChannel(GUILD, CHANNEL, "no permission")
    await store.mark_posted(GUILD, CHANNEL, new.id or 0)
    assert await store.log_channel(GUILD) == LogChannel(GUILD, CHANNEL)
    assert await store.waiting_channels() == []
    await store.set_log_channel(GUILD, None, ALICE, NOW)
    assert await store.log_channel(GUILD) is None
    assert await store.waiting_channels() == []


async def test_a_restart_forgets_neither_bars_nor_stops_nor_what_quotas_count_nor_the_outbox(store: Store) -> None:
    story = await start(store)
    await ask_and_cancel(store, story, FREE, NOW)
    await store.set_bar(bar())
    await store.set_log_channel(GUILD, CHANNEL, ALICE, NOW)
    await store.set_stop(Stop(GUILD, CHANNEL + 1, ALICE, NOW))
    async with Store.open(store._database._path) as again:
        assert await again.bar_of(GUILD, BOB, NOW) == bar()
        assert await again.stop_over(GUILD, CHANNEL + 1) is not None
        assert [one.deed for one in await again.waiting_entries(GUILD, 9)] == [Deed.LOG_CHANGED, Deed.STOPPED]
        with pytest.raises(OverQuota):
            await ask(again, story, Quotas(1, 0, 0, 0, 0), NOW)
