from __future__ import annotations

import sqlite3

import pytest

from bot.store import Store
from bot.story.audit import AuditEntry, Deed
from tests.bot.store.world import ALICE, BOB, CHANNEL, GUILD, LATER, NOW


async def test_lines_come_back_newest_first_and_as_they_were_written(store: Store) -> None:
    first = AuditEntry(GUILD, CHANNEL, NOW, ALICE, Deed.PASSAGE_REMOVED, "passage 12", "not kind", {"rewound": True})
    second = AuditEntry(GUILD, None, LATER, None, Deed.RULE_CHANGED, "rule 3")
    written = [await store.record(first), await store.record(second)]
    await store.record(AuditEntry(GUILD + 1, None, NOW, ALICE, Deed.STOPPED))

    found = await store.audit_entries(GUILD)
    assert found == written[::-1]
    assert [(one.deed, one.subject, one.reason, one.detail, one.at, one.actor_id) for one in found] == [
        (Deed.RULE_CHANGED, "rule 3", "", {}, LATER, None),
        (Deed.PASSAGE_REMOVED, "passage 12", "not kind", {"rewound": True}, NOW, ALICE),
    ]


async def test_lines_can_be_asked_for_by_actor_deed_and_page(store: Store) -> None:
    for actor, deed in ((ALICE, Deed.STOPPED), (BOB, Deed.RESUMED), (ALICE, Deed.RULE_ADDED), (None, Deed.STOPPED)):
        await store.record(AuditEntry(GUILD, None, NOW, actor, deed))
    newest = (await store.audit_entries(GUILD, limit=1))[0]
    assert newest.actor_id is None
    assert [one.deed for one in await store.audit_entries(GUILD, actor_id=ALICE)] == [Deed.RULE_ADDED, Deed.STOPPED]
    assert [one.actor_id for one in await store.audit_entries(GUILD, deeds=[Deed.STOPPED])] == [None, ALICE]
    both = await store.audit_entries(GUILD, deeds=[Deed.STOPPED, Deed.RESUMED], before_id=newest.id)
    assert [one.deed for one in both] == [Deed.RESUMED, Deed.STOPPED]


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET reason = 'x'", "DELETE FROM audit_log"])
async def test_no_line_is_changed_or_deleted(store: Store, raw: sqlite3.Connection, statement: str) -> None:
    await store.record(AuditEntry(GUILD, None, NOW, ALICE, Deed.STOPPED))
    with pytest.raises(sqlite3.IntegrityError, match="audit log"):
        raw.execute(statement)
