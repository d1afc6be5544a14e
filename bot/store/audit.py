"""The audit log: lines are added, in the transaction of the deed itself where there is one, and never changed."""

from __future__ import annotations

import json
from collections.abc import Collection

from bot.store import rows
from bot.store.database import Repository, Transaction
from bot.story.audit import AuditEntry, Deed


class Audit(Repository):
    """What was done in a server, by whom, when and why."""

    async def record(self, entry: AuditEntry) -> AuditEntry:
        """Adds one line in a transaction of its own; for a deed with one, use `write_entry` inside it."""
        async with self._database.transaction() as tx:
            return await write_entry(tx, entry)

    async def audit_entries(
        self,
        guild_id: int,
        *,
        before_id: int | None = None,
        actor_id: int | None = None,
        member_id: int | None = None,
        deeds: Collection[Deed] = (),
        limit: int = 20,
        offset: int = 0,
    ) -> list[AuditEntry]:
        """The server's lines, the newest first: those older than `before_id`, by `actor_id`, of these `deeds`.

        `member_id` asks for what the member did, and for what was done to them.
        """
        marks = ", ".join("?" * len(deeds))
        found = await self._database.fetch_all(
            f"""SELECT * FROM audit_log
            WHERE guild_id = ? AND (? IS NULL OR id < ?) AND (? IS NULL OR actor_id = ?)
                AND (? OR deed IN ({marks})) AND (? IS NULL OR actor_id = ? OR subject = ?)
            ORDER BY id DESC LIMIT ? OFFSET ?""",  # noqa: S608 - question marks only
            *(guild_id, before_id, before_id, actor_id, actor_id, not deeds, *deeds),
            *(member_id, member_id, f"member {member_id}", limit, offset),
        )
        return [rows.audit_entry_of(row) for row in found]


async def write_entry(tx: Transaction, entry: AuditEntry) -> AuditEntry:
    """The entry as stored, with its id."""
    row = await tx.write_one(
        """INSERT INTO audit_log (guild_id, channel_id, at, actor_id, deed, subject, reason, detail)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *""",
        *(entry.guild_id, entry.channel_id, rows.stamp(entry.at), entry.actor_id),
        *(entry.deed.value, entry.subject, entry.reason, json.dumps(dict(entry.detail), ensure_ascii=False)),
    )
    return rows.audit_entry_of(row)
