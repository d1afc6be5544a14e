"""Cases: reports, flags and appeals about one thing, together. What is done about them is in `case_acts`."""

from __future__ import annotations

from datetime import datetime

from bot.errors import BadInput, NoCase
from bot.store import rows
from bot.store.database import Reader, Repository, Transaction, Value
from bot.story.cases import Case, CaseAct, CaseVoice, Thing, Voice, Voiced

# The passage that a candidate is, or became: an incumbent's, or that of the round which it won.
PASSAGE_OF_CANDIDATE = """
    SELECT coalesce(passage.copy_of, passage.id) AS original, rounds.guild_id, rounds.channel_id,
        candidate.author_user_id, candidate.mark
    FROM shown_candidates AS candidate JOIN rounds ON rounds.id = candidate.round_id
    LEFT JOIN passages AS passage ON passage.id = candidate.passage_id
        OR (passage.round_id = rounds.id AND rounds.winner_id = candidate.id)
    WHERE candidate.id = ?"""
ORIGINAL = """
    SELECT coalesce(passage.copy_of, passage.id) AS original, stories.guild_id, stories.channel_id,
        passage.author_user_id, passage.mark
    FROM shown_passages AS passage JOIN stories ON stories.id = passage.story_id WHERE passage.id = ?"""
ABOUT = """
    guild_id = ?1 AND (
        passage_id = ?2 OR candidate_id = ?3 OR (kind = ?4 AND author_user_id IS ?5 AND text = ?6)
        OR candidate_id = (
            SELECT winner_id FROM passages JOIN rounds ON rounds.id = passages.round_id WHERE passages.id = ?2))"""
GONE = "The moderators have taken that text away already."
ELSEWHERE = "That text is not from this server."


class Cases(Repository):
    """The schema allows one open case per thing, one voice of a member in it, and no case that is opened again."""

    async def add_voice(self, thing: Thing, voice: CaseVoice) -> Voiced:
        """Joins the open case about the thing, or opens one. A report by somebody who reported it before changes
        nothing, also where that case is resolved. Raises BadInput for a text that is gone, or of another server.
        """
        async with self._database.transaction() as tx:
            found = await _settled(tx, thing)
            earlier = await _earlier(tx, found, voice) if voice.voice is Voice.REPORT else None
            if earlier is not None:
                return Voiced(earlier, is_new=False)
            open_case = await _open_case(tx, found)
            case_id = await _insert(tx, found, voice.at) if open_case is None else open_case.id
            row = await tx.fetch_one(
                """INSERT INTO case_voices (case_id, voice, user_id, category, rule, reason, at)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1""",
                *(case_id, voice.voice.value, voice.user_id, voice.category, voice.rule, voice.reason),
                rows.stamp(voice.at),
            )
            if row is not None and open_case is not None:
                await touch(tx, case_id)
            return Voiced(await get_case(tx, case_id), is_new=row is not None)

    async def case(self, case_id: int) -> Case:
        """Raises NoCase for an unknown id."""
        return await get_case(self._database, case_id)

    async def case_voices(self, case_id: int) -> list[CaseVoice]:
        """Everybody who spoke, the first one first."""
        found = await self._database.fetch_all("SELECT * FROM case_voices WHERE case_id = ? ORDER BY id", case_id)
        return [rows.case_voice_of(row) for row in found]

    async def case_acts(self, case_id: int) -> list[CaseAct]:
        """Everything that was done, the first first."""
        found = await self._database.fetch_all("SELECT * FROM case_acts WHERE case_id = ? ORDER BY id", case_id)
        return [rows.case_act_of(row) for row in found]

    async def open_cases(self, guild_id: int, limit: int, offset: int = 0) -> list[Case]:
        """The server's open cases, the oldest first: who waits longest is looked at first."""
        found = await self._database.fetch_all(
            "SELECT * FROM cases WHERE guild_id = ? AND outcome IS NULL ORDER BY id LIMIT ? OFFSET ?",
            *(guild_id, limit, offset),
        )
        return [rows.case_of(row) for row in found]

    async def undrawn_cases(self, guild_id: int | None = None) -> list[Case]:
        """Cases whose card does not show what happened last, or that have none; of every server where it is None."""
        found = await self._database.fetch_all(
            "SELECT * FROM cases WHERE drawn < changes AND (?1 IS NULL OR guild_id = ?1) ORDER BY id", guild_id
        )
        return [rows.case_of(row) for row in found]

    async def note_card(self, case_id: int, channel_id: int, message_id: int, changes: int) -> None:
        """The card stands there, and shows the case as of `changes`."""
        async with self._database.transaction() as tx:
            await tx.execute(
                """UPDATE cases SET card_channel_id = ?, card_message_id = ?, drawn = max(drawn, ?)
                WHERE id = ? AND changes >= ?""",
                *(channel_id, message_id, changes, case_id, changes),
            )

    async def note_told(self, act_id: int, *, is_told: bool) -> None:
        """Whether the member could be told of the act."""
        async with self._database.transaction() as tx:
            row = await tx.write_one(
                "UPDATE case_acts SET is_told = ? WHERE id = ? RETURNING case_id", int(is_told), act_id
            )
            await touch(tx, row["case_id"])


async def get_case(reader: Reader, case_id: int) -> Case:
    """Raises NoCase for an unknown id."""
    row = await reader.fetch_one("SELECT * FROM cases WHERE id = ?", case_id)
    if row is None:
        raise NoCase
    return rows.case_of(row)


async def touch(tx: Transaction, case_id: int) -> None:
    """The card is out of date."""
    await tx.execute("UPDATE cases SET changes = changes + 1 WHERE id = ?", case_id)


async def _settled(tx: Transaction, thing: Thing) -> Thing:
    """The thing with what the database knows of it: a candidate that is a passage, or became one, counts as that."""
    if thing.text is not None:
        return thing
    by_passage = thing.passage_id is not None
    sql, number = (ORIGINAL, thing.passage_id) if by_passage else (PASSAGE_OF_CANDIDATE, thing.candidate_id)
    row = await tx.fetch_one(sql, number)
    if row is None or row["guild_id"] != thing.guild_id:
        raise BadInput(ELSEWHERE)
    if row["mark"] is not None:
        raise BadInput(GONE)
    original = row["original"]
    candidate_id = thing.candidate_id if original is None else None
    return Thing(thing.guild_id, row["channel_id"], original, candidate_id, author_user_id=row["author_user_id"])


def _about(thing: Thing) -> tuple[Value, ...]:
    return (thing.guild_id, thing.passage_id, thing.candidate_id, thing.kind, thing.author_user_id, thing.text)


async def _earlier(reader: Reader, thing: Thing, voice: CaseVoice) -> Case | None:
    row = await reader.fetch_one(
        f"""SELECT * FROM cases WHERE {ABOUT} AND id IN (
            SELECT case_id FROM case_voices WHERE user_id = ?7 AND voice = 'report')
        ORDER BY id DESC LIMIT 1""",  # noqa: S608 - put together from constants
        *(*_about(thing), voice.user_id),
    )
    return None if row is None else rows.case_of(row)


async def _open_case(reader: Reader, thing: Thing) -> Case | None:
    row = await reader.fetch_one(
        f"SELECT * FROM cases WHERE {ABOUT} AND outcome IS NULL",  # noqa: S608 - put together from constants
        *_about(thing),
    )
    return None if row is None else rows.case_of(row)


async def _insert(tx: Transaction, thing: Thing, now: datetime) -> int:
    row = await tx.write_one(
        """INSERT INTO cases
            (guild_id, channel_id, passage_id, candidate_id, text, kind, round_id, author_user_id, opened_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        *(thing.guild_id, thing.channel_id, thing.passage_id, thing.candidate_id, thing.text, thing.kind),
        *(thing.round_id, thing.author_user_id, rows.stamp(now)),
    )
    return int(row["id"])
