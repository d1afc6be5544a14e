"""Cases from a report to what comes of it: prompts, ballots, reading, exports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot.errors import BadInput, CaseOver, NoCase, RoundOver
from bot.service.cases import CaseService
from bot.service.locks import RoundLocks
from bot.story.audit import Deed
from bot.story.cases import Act, Voice
from bot.story.marks import NOTICES, Mark
from bot.story.model import RoundKind, RoundState, Style
from tests.bot.service.world import ANNA, BEN, CARA, CHANNEL, DORA, GUILD, World

NOTICE = NOTICES[Mark.REDACTED]


async def reported(world: World, place: int, channel_id: int = CHANNEL) -> int:
    """A case about the passage of the channel's story at this place."""
    view = await world.services.stories.show(channel_id)
    got = await world.services.cases.report(GUILD, BEN, "not kind", passage_id=view.passages[place].id)
    return got.case.id


async def act(world: World, case_id: int, what: Act, reason: str = "because") -> None:
    await world.services.cases.act(GUILD, case_id, what, DORA, reason)


async def tell(world: World, num_passages: int = 3) -> list[str]:
    await world.story()
    for _ in range(num_passages):
        await world.play()
    return [passage.text for passage in (await world.services.stories.show(CHANNEL)).passages]


async def test_a_report_names_its_reporter_to_moderators_and_is_made_once(world: World) -> None:
    await tell(world, 1)
    cases = world.services.cases
    heard: list[int] = []
    cases.on_change = heard.append
    case_id = await reported(world, 0)
    assert await reported(world, 0) == case_id
    view = await cases.view(GUILD, case_id)
    assert [(v.user_id, v.voice, v.reason) for v in view.voices] == [(BEN, Voice.REPORT, "not kind")]
    assert view.possible == (Act.REDACT, Act.REMOVE, Act.REWIND, Act.DISMISS)
    assert heard == [case_id], "the second time changes nothing"
    assert [one.case.id for one in (await cases.open_page(GUILD)).cases] == [case_id]
    with pytest.raises(NoCase):
        await cases.view(GUILD + 1, case_id)
    with pytest.raises(NoCase):
        await cases.act(GUILD + 1, case_id, Act.REDACT, DORA, "x")


async def test_a_hidden_text_is_in_no_prompt_and_its_neighbours_are(world: World) -> None:
    texts = await tell(world)
    await act(world, await reported(world, 1), Act.REDACT)
    await world.open()
    prompt = world.far.asked[-1]["prompt"]
    assert texts[0] in prompt
    assert texts[2] in prompt
    assert texts[1] not in prompt
    assert NOTICE not in prompt
    view = await world.services.stories.show(CHANNEL)
    assert [p.text for p in view.passages] == [texts[0], NOTICE, texts[2]]
    lines = await world.services.stories.find_passages(CHANNEL, texts[1][:20], 5)
    assert texts[1] not in [line.text for line in lines]


async def test_a_restored_text_is_in_the_prompt_again_with_its_own_count(world: World) -> None:
    texts = await tell(world)
    case_id = await reported(world, 1)
    passage = (await world.services.stories.show(CHANNEL)).passages[1]
    await world.store.set_token_count(passage.id, 77)
    await act(world, case_id, Act.REDACT)
    first = await world.open()
    await act(world, case_id, Act.RESTORE)
    assert (await world.store.passage(passage.id)).token_count in (passage.token_count, 77)
    await world.services.rounds.cancel(CHANNEL, ANNA)
    await world.open()
    assert texts[1] in world.far.asked[-1]["prompt"]
    assert first.round.state is RoundState.OPEN


async def test_a_removed_passage_is_in_no_prompt_and_numbers_close_over_it(world: World) -> None:
    texts = await tell(world)
    await act(world, await reported(world, 1), Act.REMOVE)
    view = await world.open(RoundKind.REWRITE, passage=2)
    assert view.candidates[0].text != texts[1]
    incumbent = view.candidate(view.incumbent_id or 0)
    assert incumbent is not None
    assert (incumbent.text, view.passage_number) == (texts[2], 2)
    assert texts[1] not in world.far.asked[-1]["prompt"]


async def test_a_hidden_passage_is_not_reworded_but_may_be_told_anew(world: World) -> None:
    await tell(world, 2)
    await act(world, await reported(world, 1), Act.REDACT)
    with pytest.raises(BadInput, match="style:fresh"):
        await world.begin(RoundKind.REWRITE, passage=2, style=Style.LIGHT)
    view = await world.open(RoundKind.REWRITE, passage=2)
    assert NOTICE in [c.text for c in view.candidates]


async def test_a_removed_candidate_leaves_the_ballot_and_its_votes_do_not_count(world: World) -> None:
    await world.story()
    await world.set(early="off", quorum=1)
    view = await world.open()
    bad, good = view.candidates[0], view.candidates[1]
    await world.vote(view, ANNA, bad)
    await world.vote(view, BEN, bad)
    await world.vote(view, CARA, good)
    got = await world.services.cases.report(GUILD, CARA, "", candidate_id=bad.id)
    assert (await world.services.cases.view(GUILD, got.case.id)).is_blind
    await act(world, got.case.id, Act.REMOVE)
    now = await world.services.rounds.view(view.round.id)
    assert [c.letter for c in now.candidates] == [c.letter for c in view.candidates[1:]]
    assert now.num_ballots == 1
    assert f"took {bad.letter} off this ballot" in " ".join(now.notices)
    assert "Only" not in " ".join(now.notices)
    with pytest.raises(BadInput):
        await world.vote(view, DORA, bad)
    result = await world.settle(view, forced_by=DORA)
    assert result.winner is not None
    assert result.winner.id == good.id
    assert (await world.services.rounds.result(view.round.id)).outcome == result.outcome


async def test_a_round_being_written_with_the_text_is_stopped(world: World) -> None:
    await tell(world, 2)
    case_id = await reported(world, 0)
    world.far.gate.clear()
    round_ = await world.begin()
    writing = asyncio.create_task(world.services.rounds.generate(round_.id))
    await world.far.arrival(3)  # two rounds were told before
    await act(world, case_id, Act.REDACT)
    world.far.gate.set()
    with pytest.raises(RoundOver):
        await writing
    assert (await world.store.round(round_.id)).state is RoundState.CANCELLED


@pytest.mark.parametrize("what", [Act.REDACT, Act.REMOVE, Act.REWIND])
async def test_what_changes_the_story_needs_a_reason(world: World, what: Act) -> None:
    await tell(world, 1)
    case_id = await reported(world, 0)
    with pytest.raises(BadInput, match="say why"):
        await act(world, case_id, what, "  ")
    with pytest.raises(BadInput, match="at most 500"):
        await act(world, case_id, what, "x" * 501)
    assert (await world.store.passage(1)).mark is None


async def test_a_case_is_dismissed_without_a_reason_and_written_down(world: World) -> None:
    await tell(world, 1)
    case_id = await reported(world, 0)
    await act(world, case_id, Act.DISMISS, "")
    assert (await world.services.cases.open_page(GUILD)).cases == ()
    (line,) = await world.store.audit_entries(GUILD, deeds=[Deed.REPORT_DISMISSED])
    assert (line.deed, line.actor_id, line.detail["case"]) == (Deed.REPORT_DISMISSED, DORA, case_id)


async def test_flags_and_appeals_come_to_the_same_moderators(world: World) -> None:
    cases = world.services.cases
    flagged = await cases.flag(GUILD, CHANNEL, "hint", "A rude word.", category="rude", rule="rude words", user_id=BEN)
    appealed = await cases.appeal(GUILD, CHANNEL, "hint", "A rude word.", BEN, category="rude", reason="It is a bird.")
    assert appealed.case.id == flagged.case.id
    view = await cases.view(GUILD, flagged.case.id)
    assert [(v.voice, v.category, v.rule) for v in view.voices] == [
        (Voice.FLAG, "rude", "rude words"),
        (Voice.APPEAL, "rude", ""),
    ]
    assert view.possible == (Act.DISMISS, Act.WARN, Act.BAR)
    assert view.shown_at is None
    await world.story()
    ballot = await world.open()
    withheld = await cases.flag(
        GUILD, CHANNEL, "candidate", "Rude.", category="rude", rule="r", round_id=ballot.round.id
    )
    await world.services.rounds.attach_message(ballot.round.id, 77)
    view = await cases.view(GUILD, withheld.case.id)
    assert view.shown_at is not None
    assert (view.shown_at.message_id, view.possible, view.is_blind) == (77, (Act.DISMISS,), False)
    on_ballot = await cases.flag(
        GUILD, CHANNEL, "candidate", "x", category="rude", rule="r", candidate_id=ballot.candidates[0].id
    )
    assert on_ballot.case.candidate_id == ballot.candidates[0].id


async def test_the_moderators_channel_is_the_servers_and_missing_cards_are_asked_for(world: World) -> None:
    await tell(world, 1)
    cases = world.services.cases
    heard: list[int] = []
    case_id = await reported(world, 0)
    cases.on_change = heard.append
    assert await cases.channel(GUILD) is None
    await cases.set_channel(GUILD, 55, DORA)
    assert (await cases.channel(GUILD), await cases.channel(GUILD + 1), heard) == (55, None, [case_id])
    assert (await cases.report(GUILD, CARA, "", passage_id=1)).has_channel
    await cases.set_channel(GUILD, None, DORA)
    assert await cases.channel(GUILD) is None
    assert await world.services.settings.resolve(GUILD, CHANNEL)


@dataclass
class BarBook:
    """Keeps bars as whoever owns them would."""

    written: list[tuple[int, int, datetime, int, str]] = field(default_factory=list)

    async def bar(self, guild_id: int, user_id: int, until: datetime, by: int, reason: str) -> None:
        self.written.append((guild_id, user_id, until, by, reason))


async def test_a_member_can_be_barred_only_where_somebody_keeps_bars(world: World) -> None:
    cases = world.services.cases
    got = await cases.flag(GUILD, CHANNEL, "hint", "Rude.", category="rude", rule="r", user_id=BEN)
    until = world.clock.time + timedelta(days=1)
    without = CaseService(world.store, RoundLocks(), lambda _: None, world.clock)
    assert Act.BAR not in (await without.view(GUILD, got.case.id)).possible
    with pytest.raises(CaseOver):
        await without.act(GUILD, got.case.id, Act.BAR, DORA, "again", until=until)
    book = BarBook()
    with_bars = CaseService(world.store, RoundLocks(), lambda _: None, world.clock, book)
    assert Act.BAR in (await with_bars.view(GUILD, got.case.id)).possible
    with pytest.raises(CaseOver):
        await with_bars.act(GUILD, got.case.id, Act.BAR, DORA, "again", until=world.clock.time)
    await with_bars.act(GUILD, got.case.id, Act.BAR, DORA, "again", until=until)
    assert book.written == [(GUILD, BEN, until, DORA, "again")]
    assert [one.act for one in await world.store.case_acts(got.case.id)] == [Act.BAR]
