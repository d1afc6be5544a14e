"""What moderators do about a case. Each act is one transaction: mark, head, ballot, round, case and audit line."""

from __future__ import annotations

from datetime import datetime

from bot.errors import CaseOver, Refusal
from bot.store import rows
from bot.store.audit import write_entry
from bot.store.cases import get_case
from bot.store.database import Reader, Repository, Transaction
from bot.store.endings import cancel
from bot.store.passages import find_in_canon_as, find_last, get_passage
from bot.store.stories import get_story
from bot.store.subjects import get_subject
from bot.store.values import Acted
from bot.story.audit import AuditEntry, Deed
from bot.story.cases import Act, Case, Subject, possible_acts
from bot.story.marks import Mark
from bot.story.model import Passage, Round, RoundKind, RoundState

MARKS = {Act.REDACT: Mark.REDACTED, Act.REMOVE: Mark.REMOVED, Act.REWIND: Mark.REWOUND}
DEEDS = {
    Act.REMOVE: Deed.PASSAGE_REMOVED,
    Act.REWIND: Deed.PASSAGE_REMOVED,
    Act.REDACT: Deed.TEXT_REDACTED,
    Act.RESTORE: Deed.TEXT_RESTORED,
    Act.DISMISS: Deed.REPORT_DISMISSED,
    Act.WARN: Deed.MEMBER_WARNED,
}
"""A bar is not among them: whoever keeps the bars writes it down."""

TEXT_TAKEN = "The moderators took away the text that it was about."
CANON_CHANGED = "The moderators changed the story meanwhile."
NOTHING_LEFT = "The moderators took everything off the ballot."
GONE_ON = "The story has gone on since this was taken out, so it can't be put back without losing what came after."

# A passage with all its copies.
FAMILY = "SELECT id FROM passages WHERE ?1 IN (id, copy_of)"
ROUNDS_THAT_SHOW = f"""
    SELECT round_id FROM passages WHERE id = ?1 AND round_id IS NOT NULL
    UNION SELECT round_id FROM candidates WHERE passage_id IN ({FAMILY})"""  # noqa: S608 - put together from constants


class CaseActs(Repository):
    """An act that the case as it stands does not allow is refused, so of two moderators the second changes nothing."""

    async def act(self, case_id: int, act: Act, by: int, reason: str, now: datetime) -> Acted:
        """Does it, and writes it down in the audit log. Raises NoCase, CaseOver, Refusal (where it can't be undone)."""
        async with self._database.transaction() as tx:
            case = await get_case(tx, case_id)
            subject = await get_subject(tx, case)
            if act not in possible_acts(case, subject):
                raise CaseOver
            cancelled = await _apply(tx, case, subject, act, by, now)
            row = await tx.write_one(
                "INSERT INTO case_acts (case_id, act, by, at, reason) VALUES (?, ?, ?, ?, ?) RETURNING id",
                *(case_id, act.value, by, rows.stamp(now), reason),
            )
            outcome = act.value if act.resolves else None
            await tx.execute(
                "UPDATE cases SET outcome = coalesce(?, outcome), changes = changes + 1 WHERE id = ?", outcome, case_id
            )
            await _write_down(tx, case, subject, act, by, reason, now)
            return Acted(await get_case(tx, case_id), row["id"], subject, cancelled)

    async def undrawn_rounds(self) -> dict[int, int]:
        """Rounds whose messages are out of date because of a mark, with the number that `note_drawn` wants back."""
        found = await self._database.fetch_all("SELECT round_id, changes FROM undrawn_rounds ORDER BY round_id")
        return {row["round_id"]: row["changes"] for row in found}

    async def note_drawn(self, round_id: int, changes: int) -> None:
        """The round's messages are drawn, as of `changes`."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM undrawn_rounds WHERE round_id = ? AND changes = ?", round_id, changes)


async def _apply(tx: Transaction, case: Case, subject: Subject, act: Act, by: int, now: datetime) -> Round | None:
    """What the act does to the text; returns the round that it cancelled, None for none."""
    if act not in (*MARKS, Act.RESTORE):
        return None
    if subject.passage_id is not None and subject.story_id is not None:
        return await _change_passage(tx, case, subject.passage_id, subject.story_id, act, by, now)
    if subject.round_id is None:
        raise CaseOver
    return await _change_candidate(tx, case, subject.round_id, act, by, now)


async def _change_passage(
    tx: Transaction, case: Case, passage_id: int, story_id: int, act: Act, by: int, now: datetime
) -> Round | None:
    round_ = await _unfinished(tx, story_id)
    last_before = await find_last(tx, story_id)
    moved = await _mark_passage(tx, case, passage_id, story_id, act)
    for row in await tx.fetch_all(ROUNDS_THAT_SHOW, passage_id):
        await _must_be_drawn(tx, row["round_id"])
    if round_ is None:
        return None
    has_other_end = _id(await find_last(tx, story_id)) != _id(last_before)
    if moved or (has_other_end and round_.kind is RoundKind.CONTINUE):
        return await cancel(tx, round_.id, CANON_CHANGED, by, now)
    return await _cancel_if_told(tx, round_, passage_id, act, by, now)


async def _cancel_if_told(
    tx: Transaction, round_: Round, passage_id: int, act: Act, by: int, now: datetime
) -> Round | None:
    """A text that was taken away is no question any more, and no part of a prompt that is being answered."""
    if act is Act.RESTORE:
        return None
    replaced = None if round_.passage_id is None else await get_passage(tx, round_.passage_id)
    is_about = replaced is not None and replaced.original_id == passage_id
    if is_about or round_.state is RoundState.GENERATING:
        return await cancel(tx, round_.id, TEXT_TAKEN, by, now)
    return None


async def _mark_passage(tx: Transaction, case: Case, passage_id: int, story_id: int, act: Act) -> bool:
    """Marks the passage or takes the mark away; whether the head moved."""
    if act is Act.RESTORE:
        return await _restore_passage(tx, passage_id, story_id)
    heads: tuple[int | None, int | None] = (None, None)
    if act is Act.REWIND:
        head_id = (await get_story(tx, story_id)).head_id
        stands = await find_in_canon_as(tx, story_id, passage_id)
        heads = (head_id, None if stands is None else stands.parent_id)
        await tx.execute("UPDATE stories SET head_id = ? WHERE id = ?", heads[1], story_id)
    await tx.execute("DELETE FROM marks WHERE passage_id = ?", passage_id)
    await tx.execute(
        "INSERT INTO marks (guild_id, passage_id, mark, old_head_id, new_head_id) VALUES (?, ?, ?, ?, ?)",
        *(case.guild_id, passage_id, MARKS[act].value, *heads),
    )
    return act is Act.REWIND


async def _restore_passage(tx: Transaction, passage_id: int, story_id: int) -> bool:
    mark = await tx.write_one("DELETE FROM marks WHERE passage_id = ? RETURNING *", passage_id)
    if mark["mark"] != Mark.REWOUND:
        return False
    row = await tx.fetch_one(
        "UPDATE stories SET head_id = ? WHERE id = ? AND head_id IS ? RETURNING 1",
        *(mark["old_head_id"], story_id, mark["new_head_id"]),
    )
    if row is None:
        raise Refusal(GONE_ON)
    return True


async def _change_candidate(
    tx: Transaction, case: Case, round_id: int, act: Act, by: int, now: datetime
) -> Round | None:
    """Hides a candidate or shows it again; while its ballot is open, it leaves that or comes back to it."""
    await _must_be_drawn(tx, round_id)
    if act is Act.RESTORE:
        await tx.execute("DELETE FROM marks WHERE candidate_id = ?", case.candidate_id)
        await tx.execute(
            """DELETE FROM withdrawals WHERE candidate_id = ?
                AND round_id IN (SELECT id FROM rounds WHERE state = 'open')""",
            case.candidate_id,
        )
        return None
    await tx.execute(
        "INSERT INTO marks (guild_id, candidate_id, mark) VALUES (?, ?, ?)",
        *(case.guild_id, case.candidate_id, MARKS[act].value),
    )
    if act is not Act.REMOVE:
        return None
    await tx.execute("INSERT INTO withdrawals VALUES (?, ?)", case.candidate_id, round_id)
    left = await tx.fetch_one(
        "SELECT 1 FROM shown_candidates WHERE round_id = ? AND NOT is_withdrawn AND source <> 'incumbent'",
        round_id,
    )
    return None if left is not None else await cancel(tx, round_id, NOTHING_LEFT, by, now)


async def _must_be_drawn(tx: Transaction, round_id: int) -> None:
    await tx.execute(
        """INSERT INTO undrawn_rounds (round_id) VALUES (?)
        ON CONFLICT (round_id) DO UPDATE SET changes = changes + 1""",
        round_id,
    )


async def _unfinished(reader: Reader, story_id: int) -> Round | None:
    row = await reader.fetch_one(
        "SELECT * FROM rounds WHERE story_id = ? AND state IN ('generating', 'open')", story_id
    )
    return None if row is None else rows.round_of(row)


async def _write_down(
    tx: Transaction, case: Case, subject: Subject, act: Act, by: int, reason: str, now: datetime
) -> None:
    deed = DEEDS.get(act)
    if deed is None:
        return
    if act is Act.REMOVE and subject.passage_id is None:
        deed = Deed.CANDIDATE_REMOVED
    about = f"member {subject.author_user_id}" if act is Act.WARN else named(subject)
    detail = {
        "case": case.id,
        "story": subject.story_id,
        "passage": subject.passage_id,
        "round": subject.round_id,
        **({"rewound": act is Act.REWIND} if deed is Deed.PASSAGE_REMOVED else {}),
    }
    entry = AuditEntry(case.guild_id, case.channel_id, now, by, deed, about, reason, detail)
    await write_entry(tx, entry)


def named(subject: Subject) -> str:
    """The subject of a line of the log, in a few words."""
    if subject.number is not None:
        return f"passage {subject.number}"
    return subject.kind if subject.letter is None else f"{subject.kind} {subject.letter}"


def _id(passage: Passage | None) -> int | None:
    return None if passage is None else passage.id
