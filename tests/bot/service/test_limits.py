"""Bars, stops and quotas as services keep them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import BadInput, Barred, Filtered, NoRound, OverQuota, Refusal, RoundOver, Stopped
from bot.service.filtering.known import Known
from bot.story.audit import Deed
from bot.story.model import Round, RoundKind, RoundState
from tests.bot.service.world import ANNA, BEN, CARA, CHANNEL, FORBIDDEN, GUILD, World

OTHER = CHANNEL + 1
MEMBER, MODERATOR = Known(), Known(is_moderator=True)


async def ask(world: World, channel_id: int = CHANNEL, user_id: int = ANNA, known: Known = MEMBER) -> Round:
    number = next(world.interactions)
    return await world.services.rounds.begin(RoundKind.CONTINUE, GUILD, channel_id, user_id, None, number, known=known)


async def ask_and_cancel(world: World, **how: object) -> None:
    round_ = await ask(world, **how)  # type: ignore[arg-type]
    await world.services.rounds.cancel(round_.channel_id, BEN)


async def test_a_bar_says_until_when_and_why_and_ends_by_itself(world: World) -> None:
    limits = world.services.limits
    until = world.clock() + timedelta(hours=1)
    got = await limits.bar(GUILD, BEN, until, ANNA, "  rude\u200b words ")
    assert (got.bar.until, got.bar.reason, got.earlier) == (until, "rude words", None)
    with pytest.raises(Barred) as barred:
        await limits.require_not_barred(GUILD, BEN)
    assert (barred.value.until, barred.value.reason) == (until, "rude words")
    await limits.require_not_barred(GUILD, CARA)
    await limits.require_not_barred(GUILD + 1, BEN)
    world.clock.advance(hours=1)
    await limits.require_not_barred(GUILD, BEN)
    with pytest.raises(Refusal, match="not barred"):
        await limits.unbar(GUILD, BEN, ANNA)


async def test_a_bar_survives_a_restart_and_is_lifted_by_hand(world: World) -> None:
    await world.services.limits.bar_for(GUILD, BEN, timedelta(days=1), ANNA, "rude")
    await world.restart()
    limits = world.services.limits
    with pytest.raises(Barred):
        await limits.require_not_barred(GUILD, BEN)
    assert [bar.user_id for bar in (await limits.bars(GUILD)).bars] == [BEN]
    assert (await limits.unbar(GUILD, BEN, CARA, "said sorry")).user_id == BEN
    await limits.require_not_barred(GUILD, BEN)
    deeds = [(entry.deed, entry.actor_id, entry.reason) for entry in (await limits.read_log(GUILD)).entries]
    assert deeds == [(Deed.BAR_LIFTED, CARA, "said sorry"), (Deed.MEMBER_BARRED, ANNA, "rude")]


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=49), timedelta(days=365, seconds=1)])
async def test_a_bar_out_of_bounds_is_refused(world: World, length: timedelta) -> None:
    with pytest.raises(BadInput, match="365 days"):
        await world.services.limits.bar_for(GUILD, BEN, length, ANNA, "rude")
    assert (await world.services.limits.bars(GUILD)).bars == ()


@pytest.mark.parametrize(("reason", "error"), [("  ", BadInput), ("x" * 301, BadInput), (FORBIDDEN, Filtered)])
async def test_a_reason_is_a_text_like_any_other(world: World, reason: str, error: type[Refusal]) -> None:
    with pytest.raises(error):
        await world.services.limits.bar_for(GUILD, BEN, timedelta(days=1), ANNA, reason)
    assert (await world.services.limits.read_log(GUILD)).entries == ()


async def test_bars_and_the_log_come_in_pages(world: World) -> None:
    limits = world.services.limits
    for number in range(10):
        await limits.bar_for(GUILD, number, timedelta(days=1 + number), ANNA, "rude")
    first, second = await limits.bars(GUILD), await limits.bars(GUILD, 1)
    assert [bar.user_id for bar in first.bars + second.bars] == list(range(10))
    assert (first.has_more, second.has_more) == (True, False)
    log = await limits.read_log(GUILD)
    await limits.unbar(GUILD, 0, ANNA)  # the log grows, and the second page stays what it is
    more = await limits.read_log(GUILD, top=log.top, page=1)
    ids = [entry.id for entry in log.entries + more.entries]
    assert ids == list(range(10, 0, -1))
    assert (log.has_more, more.has_more) == (True, False)
    assert [entry.deed for entry in (await limits.read_log(GUILD, member_id=0)).entries] == [
        Deed.BAR_LIFTED,
        Deed.MEMBER_BARRED,
    ]
    assert len((await limits.read_log(GUILD, deed=Deed.BAR_LIFTED)).entries) == 1


async def test_a_members_quota_survives_a_restart_and_says_when_it_goes_on(world: World) -> None:
    await world.story()
    await world.set(member_rounds_per_hour=2)
    await ask_and_cancel(world)
    world.clock.advance(minutes=10)
    await ask_and_cancel(world)
    await world.restart()
    with pytest.raises(OverQuota, match=r"You can begin the next round at 13:00:00 UTC\."):
        await ask(world)
    await ask_and_cancel(world, user_id=BEN)
    world.clock.advance(minutes=50)
    await ask(world)


async def test_moderators_are_free_of_members_limits_but_not_of_the_channels(world: World) -> None:
    await world.story()
    await world.set(member_rounds_per_hour=1, member_cooldown=600, channel_rounds_per_hour=3, member_texts_per_hour=1)
    for _ in range(3):
        await ask_and_cancel(world, known=MODERATOR)
    with pytest.raises(OverQuota, match="This channel"):
        await ask(world, known=MODERATOR)


async def test_a_channel_may_be_stricter_than_its_server(world: World) -> None:
    await world.story()
    await world.story(OTHER)
    await world.set(channel_rounds_per_hour=5)
    await world.services.settings.set(GUILD, CHANNEL, "channel_rounds_per_hour", "1", ANNA)
    await ask_and_cancel(world)
    with pytest.raises(OverQuota):
        await ask(world)
    await ask(world, OTHER)


async def test_the_last_place_is_given_once(world: World) -> None:
    for number in range(5):
        await world.story(CHANNEL + number)
    await world.set(member_rounds_per_hour=1)
    got = await asyncio.gather(*(ask(world, CHANNEL + number) for number in range(5)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in got) == ["OverQuota"] * 4 + ["Round"]


async def test_a_text_over_the_quota_begins_no_round_and_joins_none(world: World) -> None:
    await world.story()
    await world.story(OTHER)
    await world.set(member_texts_per_hour=1)
    write = world.services.rounds.write
    await write(GUILD, CHANNEL, ANNA, "The fox came home late.", next(world.interactions))
    with pytest.raises(OverQuota, match="You can write the next text"):
        await write(GUILD, OTHER, ANNA, "The bell rang twice.", next(world.interactions))
    assert await world.services.rounds.unfinished_in(OTHER) is None
    await ask(world, OTHER, BEN)
    with pytest.raises(OverQuota):
        await write(GUILD, OTHER, ANNA, "The bell rang twice.", next(world.interactions))
    await write(GUILD, OTHER, ANNA, "The bell rang twice.", next(world.interactions), MODERATOR)


async def test_a_text_that_would_begin_a_round_keeps_the_rounds_quota(world: World) -> None:
    await world.story()
    await world.set(member_rounds_per_hour=1)
    await ask_and_cancel(world)
    with pytest.raises(OverQuota, match="You can begin the next round"):
        await world.services.rounds.write(GUILD, CHANNEL, ANNA, "The fox came home.", next(world.interactions))
    await ask(world, user_id=BEN)
    joined = await world.services.rounds.write(GUILD, CHANNEL, ANNA, "The fox came home.", next(world.interactions))
    assert joined.joined


async def test_a_stop_ends_the_models_work_and_holds_after_a_restart(world: World) -> None:
    await world.story()
    round_ = await ask(world)
    world.far.gate.clear()
    generating = asyncio.create_task(world.services.rounds.generate(round_.id))
    await world.far.arrival()
    await world.far.asked_for.wait() if hasattr(world.far, "asked_for") else await asyncio.sleep(0.05)
    (cancelled,) = await world.services.limits.stop(GUILD, CHANNEL, BEN, "a raid")
    assert cancelled.id == round_.id
    with pytest.raises(RoundOver):
        await generating
    await world.far.hung_up.wait()  # the model does not write on for nobody
    world.far.gate.set()
    await world.restart()
    limits = world.services.limits
    for channel_id, parent in ((CHANNEL, None), (99, CHANNEL)):
        with pytest.raises(Stopped) as stopped:
            await limits.require_going(GUILD, channel_id, parent)
        assert stopped.value.reason == "a raid"
    with pytest.raises(Stopped):
        await ask(world)
    assert await world.services.rounds.unfinished() == []
    with pytest.raises(NoRound):
        await world.services.rounds.cancel(CHANNEL, BEN)
    assert await limits.resume(GUILD, CHANNEL, BEN) is None
    assert (await ask(world)).state is RoundState.GENERATING


async def test_a_thread_of_a_stopped_channel_begins_no_round(world: World) -> None:
    await world.story(OTHER)
    await world.services.limits.stop(GUILD, CHANNEL, BEN)
    with pytest.raises(Stopped, match="in this channel"):
        await ask(world, OTHER, known=Known(parent_id=CHANNEL))
    await ask(world, OTHER)


@pytest.mark.parametrize("reason", [None, "", "  "])
async def test_a_stop_needs_no_reason_but_one_that_is_given_is_a_text_like_any_other(
    world: World, reason: str | None
) -> None:
    limits = world.services.limits
    with pytest.raises(Filtered):
        await limits.stop(GUILD, CHANNEL, BEN, FORBIDDEN)
    await limits.stop(GUILD, CHANNEL, BEN, reason)
    with pytest.raises(Stopped) as stopped:
        await limits.require_going(GUILD, CHANNEL)
    assert stopped.value.reason == ""


async def test_stopping_and_resuming_twice_is_told(world: World) -> None:
    limits = world.services.limits
    with pytest.raises(Refusal, match="not stopped"):
        await limits.resume(GUILD, CHANNEL, BEN)
    await limits.stop(GUILD, None, BEN)
    with pytest.raises(Refusal, match="stopped there already"):
        await limits.stop(GUILD, None, BEN)
    with pytest.raises(Refusal, match="choose scope:server"):
        await limits.resume(GUILD, CHANNEL, BEN)
    await limits.stop(GUILD, CHANNEL, BEN)
    still = await limits.resume(GUILD, CHANNEL, BEN)
    assert still is not None
    assert still.channel_id is None
    assert await limits.resume(GUILD, None, BEN) is None


async def test_none_of_these_begins_no_new_round_where_the_bot_was_stopped(world: World) -> None:
    await world.story()
    view = await world.open()
    await world.vote(view, ANNA, 0)
    await world.store.close_round(view.round.id, "none of these led", None, None, world.clock())
    await world.services.limits.stop(GUILD, CHANNEL, BEN)
    result = await world.services.rounds.conclude(view.round.id)
    assert result.next_round is None
