from __future__ import annotations

import sqlite3

import pytest

from bot.errors import BadInput
from bot.store import RuleChange, Store, StoredRule
from bot.store.filter_rules import MAX_RULES
from bot.story.audit import Deed
from tests.bot.store.world import ALICE, BOB, CHANNEL, GUILD, LATER, NOW


async def add(store: Store, name: str, body: str = '"1"', channel_id: int | None = None) -> StoredRule:
    (made,) = await store.change_rules(
        GUILD, [RuleChange(None, channel_id, name, body)], ALICE, NOW, deed=Deed.RULE_ADDED, reason="begun"
    )
    return made


async def change(store: Store, rule: StoredRule, body: str | None, name: str | None = None) -> StoredRule:
    wanted = RuleChange(rule.id, rule.channel_id, name or rule.name, body, rule.version)
    deed = Deed.RULE_CHANGED if body is not None else Deed.RULE_REMOVED
    (made,) = await store.change_rules(GUILD, [wanted], BOB, LATER, deed=deed)
    return made


async def test_every_version_stays_with_its_author_time_and_reason(store: Store) -> None:
    first = await add(store, "rude")
    second = await change(store, first, '"2"', "ruder")
    assert (first.version, first.author_id, first.at, first.reason) == (1, ALICE, NOW, "begun")
    assert await store.rule_versions(GUILD, first.id) == [second, first]
    assert await store.filter_rules(GUILD) == [second]
    assert await store.filter_rules(GUILD, revision_id=first.revision_id) == [first]
    assert await store.rule_versions(GUILD + 1, first.id) == []
    assert await store.filter_rules(GUILD + 1) == []


async def test_a_rule_that_was_taken_away_is_gone_and_can_come_back(store: Store) -> None:
    first = await add(store, "rude")
    gone = await change(store, first, None)
    assert await store.filter_rules(GUILD) == []
    assert await store.restore_rules(GUILD, first.revision_id, ALICE, LATER, "too hasty") == 1
    (back,) = await store.filter_rules(GUILD)
    assert (back.id, back.body, back.version, back.reason) == (first.id, first.body, gone.version + 1, "too hasty")


async def test_the_whole_set_goes_back_to_any_revision_levels_included(store: Store) -> None:
    rude = await add(store, "rude")
    await store.set_filter_levels(GUILD, None, '"mild"', ALICE, NOW)
    then = (await store.filter_revisions(GUILD))[0].id
    before = await store.filter_rules(GUILD)

    await change(store, rude, '"2"')
    await add(store, "later", channel_id=CHANNEL)
    await store.set_filter_levels(GUILD, None, '"strong"', ALICE, LATER)
    await store.set_filter_levels(GUILD, CHANNEL, '"off"', ALICE, LATER)

    assert await store.restore_rules(GUILD, then, BOB, LATER) == 4
    assert [(one.id, one.name, one.body) for one in await store.filter_rules(GUILD)] == [
        (one.id, one.name, one.body) for one in before
    ]
    assert await store.filter_levels(GUILD) == {None: '"mild"'}
    # Going back is a change like any other: it can be taken back as well.
    newest, replaced = (await store.filter_revisions(GUILD, limit=2))[:2]
    assert (newest.num_rules, newest.num_levels, newest.author_id) == (2, 2, BOB)
    await store.restore_rules(GUILD, replaced.id, BOB, LATER)
    assert [one.body for one in await store.filter_rules(GUILD)] == ['"2"', '"1"']
    assert await store.filter_levels(GUILD) == {None: '"strong"', CHANNEL: '"off"'}


async def test_before_the_first_revision_there_was_nothing(store: Store) -> None:
    await add(store, "rude")
    await store.restore_rules(GUILD, 0, ALICE, LATER)
    assert await store.filter_rules(GUILD) == []
    with pytest.raises(BadInput, match="already"):
        await store.restore_rules(GUILD, 0, ALICE, LATER)


async def test_no_revision_of_another_server_can_be_gone_back_to(store: Store) -> None:
    theirs = await add(store, "rude")
    with pytest.raises(BadInput, match="no such version"):
        await store.restore_rules(GUILD + 1, theirs.revision_id, ALICE, LATER)


async def test_every_change_stands_in_the_audit_log(store: Store) -> None:
    rule = await add(store, "rude", channel_id=CHANNEL)
    await change(store, rule, None)
    await store.set_filter_levels(GUILD, None, '"mild"', ALICE, NOW, "quieter")
    await store.set_filter_levels(GUILD, None, '"mild"', ALICE, NOW, "the same again")
    await store.restore_rules(GUILD, rule.revision_id, BOB, LATER)
    entries = await store.audit_entries(GUILD)
    assert [(one.deed, one.channel_id, one.actor_id, one.subject, one.reason) for one in entries[::-1]] == [
        (Deed.RULE_ADDED, CHANNEL, ALICE, f"rule {rule.id}", "begun"),
        (Deed.RULE_REMOVED, CHANNEL, BOB, f"rule {rule.id}", ""),
        (Deed.LEVEL_CHANGED, None, ALICE, "levels", "quieter"),
        (Deed.RULES_RESTORED, None, BOB, "rules", ""),
    ]


async def test_the_reason_of_a_change_may_be_said_after_it_once_and_by_its_author(store: Store) -> None:
    rule = await change(store, await add(store, "rude", channel_id=CHANNEL), '"2"')
    for author_id, revision_id, guild_id, why in (
        (ALICE, rule.revision_id, GUILD, "whoever made"),
        (BOB, rule.revision_id, GUILD + 1, "no such change"),
        (ALICE, rule.revision_id - 1, GUILD, "already"),
    ):
        with pytest.raises(BadInput, match=why):
            await store.explain_revision(guild_id, revision_id, author_id, "too narrow", LATER)
    await store.explain_revision(GUILD, rule.revision_id, BOB, "too narrow", LATER)
    with pytest.raises(BadInput, match="already"):
        await store.explain_revision(GUILD, rule.revision_id, BOB, "no, too wide", LATER)
    assert [one.reason for one in await store.rule_versions(GUILD, rule.id)] == ["too narrow", "begun"]
    assert [one.reason for one in await store.filter_rules(GUILD)] == ["too narrow"]
    assert [one.reason for one in await store.filter_revisions(GUILD)] == ["too narrow", "begun"]
    line, changed = (await store.audit_entries(GUILD))[:2]
    assert (line.deed, line.subject, line.channel_id) == (Deed.REASON_GIVEN, f"rule {rule.id}", CHANNEL)
    assert (line.actor_id, line.reason, line.detail) == (BOB, "too narrow", {"revision": rule.revision_id})
    assert (changed.deed, changed.reason) == (Deed.RULE_CHANGED, "")  # a line of the log stays as it was written


async def test_two_rules_of_one_place_never_have_one_name(store: Store) -> None:
    await add(store, "Rude")
    other = await add(store, "other")
    await add(store, "rude", channel_id=CHANNEL)  # overrides the server's in its channel
    for attempt in (add(store, "rUDE"), change(store, other, '"1"', "rude")):
        with pytest.raises(BadInput, match="here already"):
            await attempt
    assert [one.name for one in await store.filter_rules(GUILD)] == ["Rude", "other", "rude"]
    assert len(await store.audit_entries(GUILD)) == 3


async def test_of_two_who_change_one_version_the_second_is_told(store: Store) -> None:
    rule = await add(store, "rude")
    await change(store, rule, '"2"')
    with pytest.raises(BadInput, match="meanwhile"):
        await change(store, rule, '"3"')
    assert [one.body for one in await store.filter_rules(GUILD)] == ['"2"']


async def test_a_list_of_rules_is_added_whole_or_not_at_all(store: Store) -> None:
    many = [RuleChange(None, None, f"rule {number}", "{}") for number in range(MAX_RULES + 1)]
    with pytest.raises(BadInput, match=str(MAX_RULES)):
        await store.change_rules(GUILD, many, ALICE, NOW, deed=Deed.RULES_IMPORTED)
    assert await store.filter_rules(GUILD) == []
    made = await store.change_rules(GUILD, many[1:], ALICE, NOW, deed=Deed.RULES_IMPORTED)
    assert len(made) == MAX_RULES
    assert [entry.subject for entry in await store.audit_entries(GUILD)] == [f"{MAX_RULES} rules"]


async def test_a_rule_of_another_server_cannot_be_changed(store: Store) -> None:
    rule = await add(store, "rude")
    with pytest.raises(BadInput, match="no such rule"):
        await store.change_rules(
            GUILD + 1, [RuleChange(rule.id, None, "mine", "{}")], ALICE, NOW, deed=Deed.RULE_CHANGED
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE filter_rule_versions SET body = '{}'",
        "DELETE FROM filter_rule_versions",
        "UPDATE filter_rules SET channel_id = 5",
        "UPDATE filter_levels SET body = NULL",
        "DELETE FROM filter_levels",
        "UPDATE filter_revisions SET author_id = 5",
        "UPDATE filter_reasons SET reason = 'mine'",
        "DELETE FROM filter_reasons",
        "INSERT INTO filter_reasons SELECT id, guild_id, at, 'another' FROM filter_revisions WHERE reason <> ''",
        "INSERT INTO filter_rule_versions SELECT rule_id, 3, guild_id, revision_id + 1, name, body"
        " FROM filter_rule_versions",
    ],
)
async def test_the_file_itself_keeps_the_history(store: Store, raw: sqlite3.Connection, statement: str) -> None:
    await add(store, "rude")
    levels = await store.set_filter_levels(GUILD, None, '"mild"', ALICE, NOW)
    assert levels is not None
    await store.explain_revision(GUILD, levels, ALICE, "too loud", NOW)
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(statement)
