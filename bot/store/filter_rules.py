"""The rules and levels of servers' filters, with every version that they ever had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from sqlite3 import Row
from types import MappingProxyType

from bot.errors import BadInput
from bot.store import rows
from bot.store.audit import write_entry
from bot.store.database import Reader, Repository, Transaction
from bot.store.values import Revision, RuleChange, StoredRule
from bot.story.audit import AuditEntry, Deed

MAX_RULES = 500
"""Rules of one server, its channels' included: more than any list of a moderator's, and compiled in a moment."""
CHANGED_MEANWHILE = "Somebody else has changed this rule meanwhile. Look at it again before you change it."

# A change says why by itself, or was explained afterwards, or neither.
WHY = "coalesce((SELECT reason FROM filter_reasons WHERE revision_id = n.id), n.reason) AS reason"
VERSIONS = f"""
    SELECT v.rule_id AS id, v.guild_id, r.channel_id, v.name, v.body, v.version, v.revision_id, n.at, n.author_id, {WHY}
    FROM filter_rule_versions v JOIN filter_rules r ON r.id = v.rule_id JOIN filter_revisions n ON n.id = v.revision_id
"""  # noqa: S608 - constant
# ?2 is the revision whose rules are wanted.
AS_OF = f"""{VERSIONS}
    WHERE v.guild_id = ?1 AND v.revision_id =
        (SELECT max(revision_id) FROM filter_rule_versions w WHERE w.rule_id = v.rule_id AND w.revision_id <= ?2)
    ORDER BY v.rule_id"""  # noqa: S608 - constant
LEVELS_AS_OF = """
    SELECT channel_id, body FROM filter_levels l WHERE guild_id = ?1 AND revision_id =
        (SELECT max(revision_id) FROM filter_levels m
         WHERE m.guild_id = ?1 AND m.channel_id IS l.channel_id AND m.revision_id <= ?2)"""
REVISIONS = f"""
    SELECT id, guild_id, at, author_id, {WHY},
        (SELECT count(*) FROM filter_rule_versions WHERE revision_id = n.id) AS num_rules,
        (SELECT count(*) FROM filter_levels WHERE revision_id = n.id) AS num_levels
    FROM filter_revisions n WHERE guild_id = ?"""  # noqa: S608 - constant
TOLD = "SELECT channel_id, subject FROM audit_log WHERE guild_id = ? AND json_extract(detail, '$.revision') = ?"
"""The line of the audit log that a change wrote."""
NOW_REVISION = 2**62
"""Later than every revision."""


class FilterRules(Repository):
    """Nothing is overwritten: a change adds versions, and going back is a change like any other.

    Every change is one transaction, and writes its line in the audit log there.
    """

    async def filter_rules(self, guild_id: int, *, revision_id: int = NOW_REVISION) -> list[StoredRule]:
        """The server's rules as they are, or were after a revision, the oldest first; without those taken away."""
        return [one for one in await _as_of(self._database, guild_id, revision_id) if one.body is not None]

    async def rule_versions(self, guild_id: int, rule_id: int) -> list[StoredRule]:
        """Every version of a rule, the newest first; none where the server has no such rule."""
        found = await self._database.fetch_all(
            f"{VERSIONS} WHERE v.guild_id = ? AND v.rule_id = ? ORDER BY v.version DESC", guild_id, rule_id
        )
        return [rows.stored_rule_of(row) for row in found]

    async def filter_levels(self, guild_id: int, *, revision_id: int = NOW_REVISION) -> dict[int | None, str]:
        """What the server (None) and its channels chose, as they are or were after a revision."""
        return await _levels_as_of(self._database, guild_id, revision_id)

    async def filter_revisions(self, guild_id: int, *, before_id: int | None = None, limit: int = 20) -> list[Revision]:
        """The server's changes, the newest first: those before `before_id`."""
        found = await self._database.fetch_all(
            f"{REVISIONS} AND id < ? ORDER BY id DESC LIMIT ?",
            *(guild_id, NOW_REVISION if before_id is None else before_id, limit),
        )
        return [rows.revision_of(row) for row in found]

    async def change_rules(
        self,
        guild_id: int,
        changes: Sequence[RuleChange],
        author_id: int,
        now: datetime,
        *,
        deed: Deed,
        reason: str = "",
        levels: Mapping[int | None, str | None] = MappingProxyType({}),
    ) -> list[StoredRule]:
        """Makes all changes (one at least), or none; returns the new versions in the order of `changes`.

        `levels` are what places choose from then on (see `set_filter_levels`), as part of the same change. Raises
        BadInput where a rule changed meanwhile or is not there, where two of one place would have the same name, or
        where there would be more than `MAX_RULES`.
        """
        async with self._database.transaction() as tx:
            revision_id = await _revise(tx, guild_id, author_id, reason, now)
            ids = [await _change(tx, guild_id, revision_id, change) for change in changes]
            after = {one.id: one for one in await _as_of(tx, guild_id, NOW_REVISION)}
            _require_sound([one for one in after.values() if one.body is not None])
            for place, body in levels.items():
                await _write_levels(tx, guild_id, place, revision_id, body)
            channels = {after[rule_id].channel_id for rule_id in ids} | levels.keys()
            subject = f"rule {ids[0]}" if len(ids) == 1 else f"{len(ids)} rules"
            subject += " and levels" if levels else ""
            detail = {
                "revision": revision_id,
                "name": after[ids[0]].name if len(ids) == 1 else None,
                "levels": next(iter(levels.values()), None),
            }
            await write_entry(
                tx,
                AuditEntry(
                    guild_id,
                    channels.pop() if len(channels) == 1 else None,
                    now,
                    author_id,
                    deed,
                    subject,
                    reason,
                    detail,
                ),
            )
            return [after[rule_id] for rule_id in ids]

    async def set_filter_levels(
        self, guild_id: int, channel_id: int | None, body: str | None, author_id: int, now: datetime, reason: str = ""
    ) -> int | None:
        """What the place chooses from now on; None takes everything of its own back.

        Returns the revision, None where the place had chosen the same already, which changes nothing.
        """
        async with self._database.transaction() as tx:
            if (await _levels_as_of(tx, guild_id, NOW_REVISION)).get(channel_id) == body:
                return None
            revision_id = await _revise(tx, guild_id, author_id, reason, now)
            await _write_levels(tx, guild_id, channel_id, revision_id, body)
            detail = {"revision": revision_id, "levels": body}
            entry = AuditEntry(guild_id, channel_id, now, author_id, Deed.LEVEL_CHANGED, "levels", reason, detail)
            await write_entry(tx, entry)
            return revision_id

    async def explain_revision(
        self, guild_id: int, revision_id: int, author_id: int, reason: str, now: datetime
    ) -> None:
        """Says afterwards why a change was made: once, and by whoever made it. A line of the audit log tells it too.

        Raises BadInput where the change has a reason, or somebody else made it.
        """
        async with self._database.transaction() as tx:
            _require_unexplained(await tx.fetch_one(f"{REVISIONS} AND id = ?", guild_id, revision_id), author_id)
            await tx.execute(
                "INSERT INTO filter_reasons (revision_id, guild_id, at, reason) VALUES (?, ?, ?, ?)",
                *(revision_id, guild_id, rows.stamp(now), reason),
            )
            (told,) = await tx.fetch_all(TOLD, guild_id, revision_id)
            where, what = told["channel_id"], told["subject"]
            detail = {"revision": revision_id}
            await write_entry(tx, AuditEntry(guild_id, where, now, author_id, Deed.REASON_GIVEN, what, reason, detail))

    async def restore_rules(
        self, guild_id: int, revision_id: int, author_id: int, now: datetime, reason: str = ""
    ) -> int:
        """Rules and levels as they were after that revision; returns how many of them changed. A change like any other.

        Revision 0 is before the first one. Raises BadInput for a revision that the server does not have.
        """
        async with self._database.transaction() as tx:
            known = await tx.fetch_one(f"{REVISIONS} AND id = ?", guild_id, revision_id)
            if known is None and revision_id != 0:
                raise BadInput("There is no such version of this server's rules.")
            new_id = await _revise(tx, guild_id, author_id, reason, now)
            num_changed = await _restore_rules(tx, guild_id, revision_id, new_id)
            num_changed += await _restore_levels(tx, guild_id, revision_id, new_id)
            if num_changed == 0:
                raise BadInput("The rules are as they were then already, so nothing was changed.")
            detail = {"revision": new_id, "restored": revision_id, "changed": num_changed}
            entry = AuditEntry(guild_id, None, now, author_id, Deed.RULES_RESTORED, "rules", reason, detail)
            await write_entry(tx, entry)
            return num_changed


def _require_unexplained(change: Row | None, author_id: int) -> None:
    if change is None:
        raise BadInput("There is no such change of this server's rules.")
    if change["author_id"] != author_id:
        raise BadInput("Only whoever made this change can say why.")
    if change["reason"]:
        raise BadInput("This change has its reason already.")


async def _as_of(reader: Reader, guild_id: int, revision_id: int) -> list[StoredRule]:
    return [rows.stored_rule_of(row) for row in await reader.fetch_all(AS_OF, guild_id, revision_id)]


async def _levels_as_of(reader: Reader, guild_id: int, revision_id: int) -> dict[int | None, str]:
    found = await reader.fetch_all(LEVELS_AS_OF, guild_id, revision_id)
    return {row["channel_id"]: row["body"] for row in found if row["body"] is not None}


async def _revise(tx: Transaction, guild_id: int, author_id: int, reason: str, now: datetime) -> int:
    row = await tx.write_one(
        "INSERT INTO filter_revisions (guild_id, at, author_id, reason) VALUES (?, ?, ?, ?) RETURNING id",
        *(guild_id, rows.stamp(now), author_id, reason),
    )
    return int(row["id"])


async def _change(tx: Transaction, guild_id: int, revision_id: int, change: RuleChange) -> int:
    """The changed rule's id."""
    if change.rule_id is None:
        row = await tx.write_one(
            "INSERT INTO filter_rules (guild_id, channel_id) VALUES (?, ?) RETURNING id", guild_id, change.channel_id
        )
        await _write_version(tx, guild_id, revision_id, int(row["id"]), 1, change.name, change.body)
        return int(row["id"])
    last = await tx.fetch_one(
        "SELECT max(version) AS version FROM filter_rule_versions WHERE guild_id = ? AND rule_id = ?",
        *(guild_id, change.rule_id),
    )
    if last is None or last["version"] is None:
        raise BadInput("There is no such rule here.")
    if change.from_version is not None and last["version"] != change.from_version:
        raise BadInput(CHANGED_MEANWHILE)
    await _write_version(tx, guild_id, revision_id, change.rule_id, last["version"] + 1, change.name, change.body)
    return change.rule_id


async def _write_version(
    tx: Transaction, guild_id: int, revision_id: int, rule_id: int, version: int, name: str, body: str | None
) -> None:
    await tx.execute(
        """INSERT INTO filter_rule_versions (rule_id, version, guild_id, revision_id, name, body)
        VALUES (?, ?, ?, ?, ?, ?)""",
        *(rule_id, version, guild_id, revision_id, name, body),
    )


async def _write_levels(
    tx: Transaction, guild_id: int, channel_id: int | None, revision_id: int, body: str | None
) -> None:
    await tx.execute(
        "INSERT INTO filter_levels (guild_id, channel_id, revision_id, body) VALUES (?, ?, ?, ?)",
        *(guild_id, channel_id, revision_id, body),
    )


async def _restore_rules(tx: Transaction, guild_id: int, revision_id: int, new_id: int) -> int:
    wanted = {one.id: one for one in await _as_of(tx, guild_id, revision_id)}
    num_changed = 0
    for now in await _as_of(tx, guild_id, NOW_REVISION):
        then = wanted.get(now.id)
        name, body = (now.name, None) if then is None else (then.name, then.body)
        if (name, body) != (now.name, now.body):
            await _write_version(tx, guild_id, new_id, now.id, now.version + 1, name, body)
            num_changed += 1
    return num_changed


async def _restore_levels(tx: Transaction, guild_id: int, revision_id: int, new_id: int) -> int:
    now = await _levels_as_of(tx, guild_id, NOW_REVISION)
    wanted = await _levels_as_of(tx, guild_id, revision_id)
    places = [place for place in now.keys() | wanted.keys() if now.get(place) != wanted.get(place)]
    for place in places:
        await _write_levels(tx, guild_id, place, new_id, wanted.get(place))
    return len(places)


def _require_sound(present: Sequence[StoredRule]) -> None:
    """Raises BadInput for two rules of one name in one place, and for too many."""
    if len(present) > MAX_RULES:
        raise BadInput(f"A server can have {MAX_RULES} rules, and this would make {len(present)}.")
    seen: set[tuple[int | None, str]] = set()
    for one in present:
        key = (one.channel_id, one.name.casefold())
        if key in seen:
            raise BadInput(f"There is a rule “{one.name}” here already. Choose another name, or change that rule.")
        seen.add(key)
