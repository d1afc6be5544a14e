"""Cases: what is about one thing joins one case, and every act can be taken back."""

from __future__ import annotations

import sqlite3

import pytest

from bot.errors import BadInput, CaseOver, NoCase, Refusal
from bot.store import Store
from bot.story.audit import Deed
from bot.story.cases import Act, Case, CaseVoice, Thing, Voice, Voiced
from bot.story.marks import NOTICES, Mark
from bot.story.model import Passage, RoundKind, RoundState, Story
from tests.bot.store.world import (
    ALICE,
    BOB,
    CAROL,
    GUILD,
    LATER,
    NOW,
    begin,
    close,
    open_ballot,
    play,
    start,
)

MOD = 99


def said(user_id: int | None = BOB, voice: Voice = Voice.REPORT, rule: str = "") -> CaseVoice:
    return CaseVoice(voice, user_id, "rude" if rule else "", rule, "It is not kind.", NOW)


async def report(store: Store, user_id: int = BOB, **thing: int) -> Voiced:
    return await store.add_voice(Thing(GUILD, 0, **thing), said(user_id))  # type: ignore[arg-type]


async def case_of(store: Store, passage: Passage) -> Case:
    return (await report(store, passage_id=passage.id)).case


async def tell(store: Store, num_passages: int = 4) -> tuple[Story, list[Passage]]:
    story = await start(store)
    for number in range(num_passages):
        await play(store, story, winner=number % 3)
    return story, await store.canon(story.id)


async def texts(store: Store, story: Story) -> list[str]:
    return [passage.text for passage in await store.canon(story.id)]


async def test_many_reports_of_one_passage_are_one_case_with_one_voice_of_each_member(store: Store) -> None:
    story, canon = await tell(store)
    first = await report(store, BOB, passage_id=canon[1].id)
    again = await report(store, BOB, passage_id=canon[1].id)
    other = await report(store, CAROL, passage_id=canon[1].id)
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert first.case.id == again.case.id == other.case.id
    assert [voice.user_id for voice in await store.case_voices(first.case.id)] == [BOB, CAROL]
    assert (first.case.changes, again.case.changes, other.case.changes) == (1, 1, 2)
    elsewhere = await report(store, BOB, passage_id=canon[2].id)
    assert elsewhere.case.id != first.case.id
    assert first.case.channel_id == story.channel_id


async def test_the_candidate_that_won_its_copy_and_the_passage_are_one_thing(store: Store) -> None:
    story, canon = await tell(store, 2)
    round_, candidates = await open_ballot(store, story)
    early = await report(store, BOB, candidate_id=candidates[1].id)
    closed = await close(store, round_, candidates[1])
    assert closed.passage is not None
    by_passage = await report(store, CAROL, passage_id=closed.passage.id)
    by_candidate = await report(store, ALICE, candidate_id=candidates[1].id)
    await play(store, story, kind=RoundKind.REWRITE, passage_id=canon[1].id)
    copy = (await store.canon(story.id))[-1]
    assert copy.copy_of == closed.passage.id
    by_copy = await report(store, MOD, passage_id=copy.id)
    assert len({one.case.id for one in (early, by_passage, by_candidate, by_copy)}) == 1
    assert all(one.is_new for one in (by_passage, by_candidate, by_copy))
    assert (await store.subject(early.case.id)).number == 3


async def test_a_member_does_not_open_again_what_was_decided_and_another_one_may(store: Store) -> None:
    _, canon = await tell(store, 1)
    case = await case_of(store, canon[0])
    await store.act(case.id, Act.DISMISS, MOD, "", LATER)
    again = await report(store, BOB, passage_id=canon[0].id)
    assert (again.is_new, again.case.id, again.case.outcome) == (False, case.id, Act.DISMISS)
    other = await report(store, CAROL, passage_id=canon[0].id)
    assert (other.is_new, other.case.is_open) == (True, True)
    assert [one.id for one in await store.open_cases(GUILD, 5)] == [other.case.id]


async def test_flags_and_appeals_of_the_same_refused_text_are_one_case(store: Store) -> None:
    thing = Thing(GUILD, 5, text="A rude hint.", kind="hint", author_user_id=BOB)
    flagged = await store.add_voice(thing, said(None, Voice.FLAG, "rule 3"))
    twice = await store.add_voice(thing, said(None, Voice.FLAG, "rule 3"))
    appealed = await store.add_voice(thing, said(BOB, Voice.APPEAL))
    assert (flagged.is_new, twice.is_new, appealed.is_new) == (True, False, True)
    assert appealed.case.id == flagged.case.id
    subject = await store.subject(flagged.case.id)
    assert (subject.text, subject.kind, subject.author_user_id) == ("A rude hint.", "hint", BOB)
    with pytest.raises(CaseOver):
        await store.act(flagged.case.id, Act.REDACT, MOD, "why", NOW)
    for_another = Thing(GUILD, 5, text="A rude hint.", kind="hint", author_user_id=CAROL)
    assert (await store.add_voice(for_another, said(CAROL, Voice.APPEAL))).case.id != flagged.case.id


async def test_nothing_of_another_server_can_be_reported(store: Store) -> None:
    story = await start(store, guild_id=GUILD + 1)
    round_, candidates = await open_ballot(store, story)
    with pytest.raises(BadInput, match="not from this server"):
        await report(store, candidate_id=candidates[0].id)
    await close(store, round_, candidates[0])
    with pytest.raises(BadInput, match="not from this server"):
        await report(store, passage_id=(await store.canon(story.id))[0].id)
    with pytest.raises(BadInput):
        await report(store, passage_id=12_345)
    with pytest.raises(NoCase):
        await store.case(1)


async def test_a_redacted_text_is_a_notice_everywhere_and_comes_back_as_it_was(store: Store) -> None:
    story, canon = await tell(store)
    await store.set_token_count(canon[1].id, 7)
    await play(store, story, kind=RoundKind.REWRITE, passage_id=canon[0].id)  # 1 to 3 are copies now
    was = await store.canon(story.id)
    case = await case_of(store, was[1])
    acted = await store.act(case.id, Act.REDACT, MOD, "names a person", NOW)
    assert (acted.case.outcome, acted.subject.text, acted.cancelled) == (Act.REDACT, canon[1].text, None)

    now = await store.canon(story.id)
    assert [p.mark for p in now] == [None, Mark.REDACTED, None, None]
    assert (now[1].text, now[1].token_count) == (NOTICES[Mark.REDACTED], None)
    assert (await store.passage(canon[1].id)).text == NOTICES[Mark.REDACTED], "the original too"
    assert canon[1].round_id is not None
    winner = next(c for c in await store.candidates(canon[1].round_id) if c.mark is not None)
    assert winner.text == NOTICES[Mark.REDACTED], "and the candidate that it was"
    assert (await store.subject(case.id)).text == canon[1].text
    with pytest.raises(BadInput, match="already"):
        await report(store, CAROL, passage_id=was[1].id)

    await store.act(case.id, Act.RESTORE, MOD, "a mistake", LATER)
    assert await store.canon(story.id) == was
    deeds = [(one.deed, one.actor_id, one.subject, one.reason) for one in await store.audit_entries(GUILD)]
    assert deeds == [
        (Deed.TEXT_RESTORED, MOD, "passage 2", "a mistake"),
        (Deed.TEXT_REDACTED, MOD, "passage 2", "names a person"),
    ]
    assert [(one.act, one.by) for one in await store.case_acts(case.id)] == [(Act.REDACT, MOD), (Act.RESTORE, MOD)]


@pytest.mark.parametrize("place", range(4))
async def test_canon_closes_over_a_removed_passage_goes_on_and_has_it_back_in_its_place(
    store: Store, place: int
) -> None:
    story, was = await tell(store)
    case = await case_of(store, was[place])
    await store.act(case.id, Act.REMOVE, MOD, "off topic", NOW)
    left = [passage for passage in was if passage.id != was[place].id]
    assert await store.canon(story.id) == left
    assert [await store.passage_number(passage.id) for passage in left] == [1, 2, 3]
    assert [line.num_passages for line in await store.stories_of_guild(GUILD, 5)] == [3]

    added = (await play(store, story, winner=1)).passage
    assert added is not None
    rewritten = (await play(store, story, kind=RoundKind.REWRITE, winner=2)).passage
    assert rewritten is not None
    assert [p.id for p in await store.canon(story.id)] == [*(p.id for p in left), rewritten.id]

    await store.act(case.id, Act.RESTORE, MOD, "on topic after all", NOW)
    assert [p.id for p in await store.canon(story.id)] == [*(p.id for p in was), rewritten.id]
    assert (await store.canon(story.id))[:4] == was


async def test_a_removed_passage_stays_out_where_what_stands_before_it_is_rewritten(store: Store) -> None:
    story, was = await tell(store)
    case = await case_of(store, was[2])
    await store.act(case.id, Act.REMOVE, MOD, "off topic", NOW)
    await play(store, story, winner=2, kind=RoundKind.REWRITE, passage_id=was[0].id)
    assert [p.original_id for p in await store.canon(story.id)][1:] == [was[1].id, was[3].id]
    await store.act(case.id, Act.RESTORE, MOD, "so", NOW)
    assert [p.original_id for p in await store.canon(story.id)][1:] == [was[1].id, was[2].id, was[3].id]
    assert (await texts(store, story))[2] == was[2].text


async def test_a_removed_passage_can_no_more_be_rewritten(store: Store) -> None:
    story, was = await tell(store, 2)
    await store.act((await case_of(store, was[1])).id, Act.REMOVE, MOD, "off topic", NOW)
    with pytest.raises(BadInput, match="not part of the story"):
        await begin(store, story, RoundKind.REWRITE, passage_id=was[1].id)
    round_ = await begin(store, story, RoundKind.REWRITE)
    assert round_.passage_id == was[0].id, "the last one that stands"


async def test_a_story_rewound_stands_before_the_passage_and_comes_back_whole(store: Store) -> None:
    story, was = await tell(store)
    case = await case_of(store, was[1])
    acted = await store.act(case.id, Act.REWIND, MOD, "lost its way", NOW)
    assert acted.case.outcome is Act.REWIND
    assert await store.canon(story.id) == was[:1]
    assert (await store.passage(was[1].id)).text == NOTICES[Mark.REWOUND]
    assert (await store.passage(was[2].id)).text == was[2].text, "what followed did nothing wrong"
    await store.act(case.id, Act.RESTORE, MOD, "found it", NOW)
    assert await store.canon(story.id) == was
    (line, _) = await store.audit_entries(GUILD)
    assert line.deed is Deed.TEXT_RESTORED


async def test_a_story_that_went_on_after_a_rewind_is_not_torn_up_by_restoring(store: Store) -> None:
    story, was = await tell(store)
    case = await case_of(store, was[0])
    await store.act(case.id, Act.REWIND, MOD, "lost its way", NOW)
    assert await store.canon(story.id) == []
    added = (await play(store, story)).passage
    assert added is not None
    with pytest.raises(Refusal, match="gone on"):
        await store.act(case.id, Act.RESTORE, MOD, "found it", NOW)
    assert [p.id for p in await store.canon(story.id)] == [added.id]
    assert (await store.passage(was[0].id)).mark is Mark.REWOUND, "and nothing of the act is left"
    assert (await store.case(case.id)).outcome is Act.REWIND


async def test_rewinds_are_taken_back_in_the_order_of_their_making(store: Store) -> None:
    story, was = await tell(store)
    late, early = await case_of(store, was[3]), await case_of(store, was[1])
    await store.act(late.id, Act.REWIND, MOD, "x", NOW)
    await store.act(early.id, Act.REWIND, MOD, "x", NOW)
    with pytest.raises(Refusal, match="gone on"):
        await store.act(late.id, Act.RESTORE, MOD, "x", NOW)
    await store.act(early.id, Act.RESTORE, MOD, "x", NOW)
    await store.act(late.id, Act.RESTORE, MOD, "x", NOW)
    assert await store.canon(story.id) == was


async def test_a_redacted_passage_may_still_be_removed_and_restoring_takes_back_both(store: Store) -> None:
    story, was = await tell(store, 3)
    case = await case_of(store, was[1])
    await store.act(case.id, Act.REDACT, MOD, "x", NOW)
    await store.act(case.id, Act.REMOVE, MOD, "x", NOW)
    assert await store.canon(story.id) == [was[0], was[2]]
    await store.act(case.id, Act.RESTORE, MOD, "x", NOW)
    assert await store.canon(story.id) == was


async def test_a_candidate_leaves_the_open_ballot_with_its_votes_and_comes_back_with_them(store: Store) -> None:
    story = await start(store)
    round_, candidates = await open_ballot(store, story)
    bad, good = candidates[0], candidates[1]
    await store.cast(round_.id, ALICE, frozenset({bad.id}), None, NOW)
    await store.cast(round_.id, BOB, frozenset({bad.id, good.id}), None, NOW)
    was = await store.ballots(round_.id)
    case = (await report(store, candidate_id=bad.id)).case
    await store.act(case.id, Act.REMOVE, MOD, "x", NOW)
    assert [c.id for c in await store.candidates(round_.id)] == [c.id for c in candidates[1:]]
    assert [c.id for c in await store.withdrawn_candidates(round_.id)] == [bad.id]
    assert [(b.user_id, b.choices) for b in await store.ballots(round_.id)] == [(BOB, frozenset({good.id}))]
    with pytest.raises(BadInput, match="not on this ballot"):
        await store.cast(round_.id, CAROL, frozenset({bad.id}), None, NOW)
    await store.act(case.id, Act.RESTORE, MOD, "x", NOW)
    assert await store.candidates(round_.id) == candidates
    assert await store.ballots(round_.id) == was
    assert [one.deed for one in await store.audit_entries(GUILD)] == [Deed.TEXT_RESTORED, Deed.CANDIDATE_REMOVED]


async def test_what_was_off_the_ballot_at_the_close_stays_off_so_that_the_result_stays(store: Store) -> None:
    story = await start(store)
    round_, candidates = await open_ballot(store, story)
    for user_id in (ALICE, BOB):
        await store.cast(round_.id, user_id, frozenset({candidates[0].id}), None, NOW)
    case = (await report(store, candidate_id=candidates[0].id)).case
    await store.act(case.id, Act.REMOVE, MOD, "x", NOW)
    await close(store, round_, candidates[1])
    await store.act(case.id, Act.RESTORE, MOD, "x", NOW)
    (back,) = await store.withdrawn_candidates(round_.id)
    assert (back.text, back.mark, await store.ballots(round_.id)) == (candidates[0].text, None, [])


async def test_a_withdrawn_candidate_cannot_win(store: Store, raw: sqlite3.Connection) -> None:
    story = await start(store)
    round_, candidates = await open_ballot(store, story)
    await store.act((await report(store, candidate_id=candidates[0].id)).case.id, Act.REMOVE, MOD, "x", NOW)
    with pytest.raises(Exception, match="does not win"):
        await close(store, round_, candidates[0])
    assert (await store.round(round_.id)).state is RoundState.OPEN


async def test_a_ballot_with_nothing_left_to_choose_is_cancelled(store: Store) -> None:
    story, _ = await tell(store, 1)
    round_, candidates = await open_ballot(store, story, RoundKind.REWRITE, count=2)
    for candidate in candidates[:2]:
        case = (await report(store, candidate_id=candidate.id)).case
        acted = await store.act(case.id, Act.REMOVE, MOD, "x", NOW)
    assert acted.cancelled is not None
    assert (acted.cancelled.id, acted.cancelled.state) == (round_.id, RoundState.CANCELLED)
    assert "everything" in (acted.cancelled.failure or "")


@pytest.mark.parametrize(
    ("act", "kind", "about", "generating", "is_cancelled"),
    [
        (Act.REDACT, RoundKind.CONTINUE, 2, False, False),
        (Act.REDACT, RoundKind.CONTINUE, 0, True, True),  # the text is in the prompt
        (Act.REDACT, RoundKind.REWRITE, 1, False, False),
        (Act.REDACT, RoundKind.REWRITE, 0, False, True),  # the round is about it
        (Act.REMOVE, RoundKind.CONTINUE, 0, False, False),
        (Act.REMOVE, RoundKind.CONTINUE, 2, False, True),  # the candidates follow it
        (Act.REMOVE, RoundKind.REWRITE, 0, False, True),
        (Act.REMOVE, RoundKind.REWRITE, 2, False, False),
        (Act.REWIND, RoundKind.CONTINUE, 1, False, True),
        (Act.REWIND, RoundKind.REWRITE, 2, False, True),
    ],
)
async def test_a_round_that_is_about_the_text_ends_and_any_other_goes_on(
    store: Store, act: Act, kind: RoundKind, about: int, generating: bool, is_cancelled: bool
) -> None:
    """A rewrite is of the first passage; `about` is the passage that the case is about."""
    story, canon = await tell(store, 3)
    passage_id = canon[0].id if kind is RoundKind.REWRITE else None
    if generating:
        round_ = await begin(store, story, kind, passage_id=passage_id)
    else:
        round_, candidates = await open_ballot(store, story, kind, passage_id=passage_id)
    acted = await store.act((await case_of(store, canon[about])).id, act, MOD, "x", NOW)
    now = await store.round(round_.id)
    assert (now.state is RoundState.CANCELLED) is is_cancelled
    assert (acted.cancelled == now) is is_cancelled
    if is_cancelled:
        assert now.failure is not None
        assert now.closed_by == MOD
    else:
        assert (await close(store, now, candidates[0])).passage is not None


async def test_an_incumbent_keeps_its_own_text_though_it_was_hidden_when_the_ballot_opened(store: Store) -> None:
    story, canon = await tell(store, 2)
    case = await case_of(store, canon[1])
    await store.act(case.id, Act.REDACT, MOD, "x", NOW)
    round_, candidates = await open_ballot(store, story, RoundKind.REWRITE)
    incumbent = candidates[-1]
    assert (incumbent.text, incumbent.mark) == (NOTICES[Mark.REDACTED], Mark.REDACTED)
    await store.act(case.id, Act.RESTORE, MOD, "x", NOW)
    assert (await store.candidates(round_.id))[-1].text == canon[1].text


async def test_of_two_moderators_the_second_changes_nothing(store: Store) -> None:
    _, canon = await tell(store, 2)
    case = await case_of(store, canon[0])
    await store.act(case.id, Act.REDACT, MOD, "x", NOW)
    for act in (Act.REDACT, Act.DISMISS, Act.WARN):
        with pytest.raises(CaseOver):
            await store.act(case.id, act, ALICE, "x", NOW)
    assert len(await store.case_acts(case.id)) == 1
    assert len(await store.audit_entries(GUILD)) == 1


async def test_a_members_text_names_whom_to_warn_and_a_warning_does_not_resolve(store: Store) -> None:
    story = await start(store)
    round_ = await begin(store, story)
    await store.add_text(round_.id, CAROL, "Mine.", NOW)
    _, candidates = await store.open_ballot(round_.id, [], 0, LATER, NOW)
    case = (await report(store, candidate_id=candidates[0].id)).case
    acted = await store.act(case.id, Act.WARN, MOD, "be kind", NOW)
    assert (acted.subject.author_user_id, acted.case.is_open) == (CAROL, True)
    await store.note_told(acted.act_id, is_told=False)
    (act,) = await store.case_acts(case.id)
    assert (act.act, act.reason, act.is_told) == (Act.WARN, "be kind", False)
    (line,) = await store.audit_entries(GUILD)
    assert (line.deed, line.subject) == (Deed.MEMBER_WARNED, f"member {CAROL}")


async def test_cards_and_rounds_are_drawn_until_what_was_drawn_is_the_newest(store: Store) -> None:
    _, canon = await tell(store, 1)
    case = await case_of(store, canon[0])
    await store.note_card(case.id, 5, 6, case.changes)
    assert await store.undrawn_cases() == []
    await report(store, CAROL, passage_id=canon[0].id)
    await store.note_card(case.id, 5, 6, case.changes)  # drawn before the second report came
    assert [one.id for one in await store.undrawn_cases(GUILD)] == [case.id]
    await store.act(case.id, Act.REDACT, MOD, "x", NOW)
    undrawn = await store.undrawn_rounds()
    assert list(undrawn) == [canon[0].round_id]
    await store.act(case.id, Act.RESTORE, MOD, "x", NOW)
    for round_id, changes in undrawn.items():
        await store.note_drawn(round_id, changes)
    assert list(await store.undrawn_rounds()) == [canon[0].round_id], "it changed since it was looked at"


async def test_a_message_is_known_by_the_round_that_it_shows_or_tells_of(store: Store) -> None:
    story = await start(store)
    closed = await play(store, story)
    await store.set_message(closed.round.id, 500)
    await store.note_announcement(closed.round.id, [501, 502])
    for message_id, tells in ((500, False), (501, True), (502, True)):
        found = await store.round_of_message(message_id)
        assert found is not None
        assert (found[0].id, found[1]) == (closed.round.id, tells)
    assert await store.round_of_message(503) is None
    assert await store.announcement(closed.round.id) == [501, 502]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE marks SET mark = 'removed'", "never changed"),
        ("UPDATE cases SET outcome = NULL", "not opened again"),
        ("UPDATE cases SET passage_id = 2", "stays about its thing"),
        ("INSERT INTO marks (guild_id, candidate_id, mark) VALUES (700, 1, 'redacted')", "became a passage"),
        ("INSERT INTO withdrawals VALUES (1, 1)", "only while it is open"),
        ("INSERT INTO cases (guild_id, channel_id, opened_at) VALUES (1, 1, 't')", "CHECK"),
    ],
)
async def test_the_schema_refuses_what_must_never_be(
    store: Store, raw: sqlite3.Connection, statement: str, why: str
) -> None:
    _, canon = await tell(store, 1)
    await store.act((await case_of(store, canon[0])).id, Act.REDACT, MOD, "x", NOW)
    with pytest.raises(sqlite3.IntegrityError, match=why):
        raw.execute(statement)
