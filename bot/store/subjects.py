"""What a case is about, read for moderators: the original text, whatever was done to it, and what stands around it."""

from __future__ import annotations

from sqlite3 import Row

from bot.errors import StoreError
from bot.store import rows
from bot.store.cases import get_case
from bot.store.database import Reader, Repository
from bot.store.passages import NUMBER, find_in_canon_as, get_passage
from bot.story.cases import Case, Subject
from bot.story.marks import Mark
from bot.story.model import Source

PASSAGE = """
    SELECT passage.id, original.text, passage.mark, passage.source, passage.author_user_id, passage.round_id,
        passage.parent_id, stories.id AS story_id, stories.title, replaced.text AS replaced
    FROM shown_passages AS passage JOIN passages AS original ON original.id = passage.id
    JOIN stories ON stories.id = passage.story_id
    LEFT JOIN rounds ON rounds.id = passage.round_id LEFT JOIN passages AS replaced ON replaced.id = rounds.passage_id
    WHERE passage.id = ?"""
CANDIDATE = """
    SELECT candidate.id, original.text, candidate.mark, candidate.source, candidate.author_user_id, candidate.round_id,
        candidate.position, candidate.is_withdrawn, rounds.parent_id, rounds.state, stories.id AS story_id,
        stories.title, replaced.text AS replaced
    FROM shown_candidates AS candidate JOIN candidates AS original ON original.id = candidate.id
    JOIN rounds ON rounds.id = candidate.round_id JOIN stories ON stories.id = rounds.story_id
    LEFT JOIN passages AS replaced ON replaced.id = rounds.passage_id
    WHERE candidate.id = ?"""
BECAME = """
    SELECT passages.id FROM passages JOIN rounds ON rounds.id = passages.round_id WHERE rounds.winner_id = ?"""


class Subjects(Repository):
    """The only way to a text that moderators have hidden."""

    async def subject(self, case_id: int) -> Subject:
        """What the case is about, as it stands now. Raises NoCase."""
        return await get_subject(self._database, await get_case(self._database, case_id))


async def get_subject(reader: Reader, case: Case) -> Subject:
    """A candidate that has become a passage since is read as that."""
    if case.text is not None:
        return Subject(case.text, case.kind or "", author_user_id=case.author_user_id, round_id=case.round_id)
    if case.passage_id is not None:
        return await _passage(reader, case.passage_id)
    became = await reader.fetch_one(BECAME, case.candidate_id)
    return await (_candidate(reader, case.candidate_id) if became is None else _passage(reader, became["id"]))


async def _passage(reader: Reader, passage_id: int) -> Subject:
    row = await _need(reader, PASSAGE, passage_id)
    stands = await find_in_canon_as(reader, row["story_id"], passage_id)
    parent_id = row["parent_id"] if stands is None else stands.parent_id
    number = None if stands is None else (await _need(reader, NUMBER, stands.id))["number"]
    return Subject(
        text=row["text"],
        kind="passage",
        story_title=row["title"],
        story_id=row["story_id"],
        author_user_id=row["author_user_id"] if row["source"] == Source.MEMBER else None,
        round_id=row["round_id"],
        passage_id=passage_id,
        number=number,
        before=await _shown_before(reader, parent_id),
        replaced=row["replaced"],
        mark=rows.mark_or_none(row["mark"]),
    )


async def _candidate(reader: Reader, candidate_id: int | None) -> Subject:
    row = await _need(reader, CANDIDATE, candidate_id)
    return Subject(
        text=row["text"],
        kind="candidate",
        story_title=row["title"],
        story_id=row["story_id"],
        author_user_id=row["author_user_id"] if row["source"] == Source.MEMBER else None,
        round_id=row["round_id"],
        letter=chr(ord("A") + row["position"]),
        before=await _shown_before(reader, row["parent_id"]),
        replaced=row["replaced"],
        mark=rows.mark_or_none(row["mark"]),
        is_on_ballot=row["state"] == "open" and not row["is_withdrawn"],
    )


async def _shown_before(reader: Reader, passage_id: int | None) -> str | None:
    """The text of the passage, or of the nearest one above it that canon does not close over."""
    while passage_id is not None:
        passage = await get_passage(reader, passage_id)
        if passage.mark is not Mark.REMOVED:
            return passage.text
        passage_id = passage.parent_id
    return None


async def _need(reader: Reader, sql: str, number: int | None) -> Row:
    row = await reader.fetch_one(sql, number)
    if row is None:
        raise StoreError(f"A case names a row {number} that is not there.")
    return row
