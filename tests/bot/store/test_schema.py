"""Raw SQL against the schema, without the program: what must never happen is refused by the file itself."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import migrations

# Story 1 of channel 1 has canon 1 → 2, beside it 3. Story 2 of channel 2 has passage 4. Round 1 (of story 1) is closed
# and made passage 2; round 2 (of story 1) is open with candidates 3, 4 and a ballot of member 5 for candidate 3;
# round 3 (of story 2) is generating. Story 3 of channel 3 has ended.
POPULATE = """
INSERT INTO stories (id, guild_id, channel_id, title, premise, started_by, started_at) VALUES
    (1, 1, 1, 'One', '', 1, 't'), (2, 1, 2, 'Two', '', 1, 't'), (3, 1, 3, 'Three', '', 1, 't');
UPDATE stories SET ended_at = 't', ended_by = 1 WHERE id = 3;
INSERT INTO passages (id, story_id, parent_id, text, source, created_at) VALUES (1, 1, NULL, 'p1', 'model', 't');
INSERT INTO rounds
    (id, story_id, kind, settings, opened_by, guild_id, channel_id, parent_id, base_head_id, seed, opened_at)
    VALUES (1, 1, 'continue', '{}', 1, 1, 1, 1, 1, 0, 't');
UPDATE rounds SET state = 'open', deadline_at = 't' WHERE id = 1;
INSERT INTO candidates (id, round_id, position, text, source) VALUES (1, 1, 0, 'c1', 'model'), (2, 1, 1, 'c2', 'model');
INSERT INTO ballots VALUES (1, 5, 't');
INSERT INTO ballot_choices (round_id, user_id, choice) VALUES (1, 5, 1);
UPDATE rounds SET state = 'closed', closed_at = 't', rule = 'lead', winner_id = 1 WHERE id = 1;
INSERT INTO passages (id, story_id, parent_id, text, source, round_id, created_at)
    VALUES (2, 1, 1, 'c1', 'model', 1, 't');
INSERT INTO passages (id, story_id, parent_id, text, source, created_at) VALUES (3, 1, 1, 'p3', 'model', 't');
INSERT INTO passages (id, story_id, parent_id, text, source, created_at) VALUES (4, 2, NULL, 'p4', 'model', 't');
UPDATE stories SET head_id = 2 WHERE id = 1;
UPDATE stories SET head_id = 4 WHERE id = 2;
INSERT INTO rounds
    (id, story_id, kind, settings, opened_by, guild_id, channel_id, parent_id, base_head_id, seed, opened_at,
     passage_id)
    VALUES (2, 1, 'rewrite', '{}', 1, 1, 1, 1, 2, 0, 't', 2);
UPDATE rounds SET state = 'open', deadline_at = 't', interaction_id = NULL WHERE id = 2;
INSERT INTO candidates (id, round_id, position, text, source, author_user_id) VALUES
    (3, 2, 0, 'c3', 'model', NULL), (4, 2, 1, 'c4', 'member', 7);
INSERT INTO ballots VALUES (2, 5, 't');
INSERT INTO ballot_choices (round_id, user_id, choice) VALUES (2, 5, 3);
INSERT INTO rounds
    (id, story_id, kind, settings, opened_by, guild_id, channel_id, parent_id, base_head_id, seed, opened_at,
     interaction_id)
    VALUES (3, 2, 'continue', '{}', 1, 1, 2, 4, 4, 0, 't', 900);
INSERT INTO held_texts VALUES (3, 7, 'mine', 't');
INSERT INTO setting_values VALUES (1, NULL, 'quorum', '3');
"""

ROUND = """INSERT INTO rounds (story_id, kind, settings, opened_by, guild_id, channel_id, parent_id, base_head_id, seed,
    opened_at, state, interaction_id) VALUES """
# A way for story 1 to have room for another round.
FREE = "UPDATE rounds SET state = 'cancelled', closed_at = 't' WHERE id = 2;"
REWRITE = ROUND.replace("interaction_id)", "interaction_id, passage_id, style)")
# Round 2 is closed in favour of its candidate 3, which stands beside passage 2 as passage 5.
REWRITTEN = """UPDATE rounds SET state = 'closed', closed_at = 't', rule = 'x', winner_id = 3 WHERE id = 2;
    INSERT INTO passages (id, story_id, parent_id, text, source, round_id, created_at)
    VALUES (5, 1, 1, 'c3', 'model', 2, 't');"""
COPY = """INSERT INTO passages
    (story_id, parent_id, text, source, author_user_id, round_id, created_at, copy_of, copied_in) VALUES """
# Round 9, of a story without canon, has closed without a passage yet.
ENDED_BEFORE_CANON = (
    "INSERT INTO stories (id, guild_id, channel_id, title, premise, started_by, started_at) "
    "VALUES (9, 1, 9, 'Nine', '', 1, 't');"
    + ROUND.replace("(story_id", "(id, story_id")
    + "(9, 9, 'continue', '{}', 1, 1, 9, NULL, NULL, 0, 't', 'generating', NULL);"
    "UPDATE rounds SET state = 'open', deadline_at = 't' WHERE id = 9;"
    "UPDATE rounds SET state = 'closed', closed_at = 't', rule = 'x' WHERE id = 9;"
)
PASSAGE = "INSERT INTO passages (story_id, parent_id, text, source, author_user_id, round_id, created_at) VALUES "
CANDIDATE = "INSERT INTO candidates (round_id, position, text, source, author_user_id, passage_id, provenance) VALUES "
CHOICE = "INSERT INTO ballot_choices (round_id, user_id, choice) VALUES "

FORBIDDEN = {
    "two running stories in a channel": """INSERT INTO stories (guild_id, channel_id, title, premise, started_by,
        started_at) VALUES (9, 1, 'x', '', 1, 't')""",
    "a story that runs again beside another": """INSERT INTO stories (guild_id, channel_id, title, premise, started_by,
        started_at) VALUES (1, 3, 'x', '', 1, 't'); UPDATE stories SET ended_at = NULL, ended_by = NULL WHERE id = 3""",
    "a story without a title": "UPDATE stories SET title = '' WHERE id = 1",
    "an end without somebody who ended it": FREE + "UPDATE stories SET ended_at = 't' WHERE id = 1",
    "an end under an unfinished round": "UPDATE stories SET ended_at = 't', ended_by = 1 WHERE id = 2",
    "a head in another story": "UPDATE stories SET head_id = 4 WHERE id = 1",
    "a head that does not exist": "UPDATE stories SET head_id = 77 WHERE id = 1",
    "a story deleted from under its passages": "DELETE FROM stories WHERE id = 1",
    "a parent in another story": PASSAGE + "(2, 1, 'x', 'model', NULL, NULL, 't')",
    "a parent that does not exist": PASSAGE + "(1, 77, 'x', 'model', NULL, NULL, 't')",
    "a passage that is its own parent": """INSERT INTO passages (id, story_id, parent_id, text, source, created_at)
        VALUES (50, 1, 50, 'x', 'model', 't')""",
    "a passage of no story": PASSAGE + "(77, NULL, 'x', 'model', NULL, NULL, 't')",
    "an empty passage": PASSAGE + "(1, 1, '', 'model', NULL, NULL, 't')",
    "a member's passage without its author": PASSAGE + "(1, 1, 'x', 'member', NULL, NULL, 't')",
    "the model's passage with an author": PASSAGE + "(1, 1, 'x', 'model', 7, NULL, 't')",
    "a passage by nobody known": PASSAGE + "(1, 1, 'x', 'incumbent', NULL, NULL, 't')",
    "a second passage of a round": PASSAGE + "(1, 1, 'x', 'model', NULL, 1, 't')",
    "a passage of an open round": PASSAGE + "(1, 1, 'x', 'model', NULL, 2, 't')",
    "a passage in another story than its round": ENDED_BEFORE_CANON + PASSAGE + "(2, NULL, 'x', 'model', NULL, 9, 't')",
    "a passage after another than its round's parent": ENDED_BEFORE_CANON
    + PASSAGE
    + "(2, 4, 'x', 'model', NULL, 9, 't')",
    "a passage changed": "UPDATE passages SET text = 'other' WHERE id = 1",
    "a passage moved": "UPDATE passages SET parent_id = NULL WHERE id = 2",
    "a passage given another id": "UPDATE passages SET rowid = 60 WHERE id = 3",
    "a token count changed": "UPDATE passages SET token_count = 5; UPDATE passages SET token_count = 6",
    "a negative token count": "UPDATE passages SET token_count = -1",
    "a passage deleted": "DELETE FROM passages WHERE id = 3",
    "a second unfinished round": ROUND + "(1, 'continue', '{}', 1, 1, 1, 2, 2, 0, 't', 'generating', NULL)",
    "a round that begins open": FREE + ROUND + "(1, 'continue', '{}', 1, 1, 1, 2, 2, 0, 't', 'open', NULL)",
    "a round in an ended story": ROUND + "(3, 'continue', '{}', 1, 1, 3, NULL, NULL, 0, 't', 'generating', NULL)",
    "a round of no story": ROUND + "(77, 'continue', '{}', 1, 1, 3, NULL, NULL, 0, 't', 'generating', NULL)",
    "a round of another server": FREE + ROUND + "(1, 'continue', '{}', 1, 9, 1, 2, 2, 0, 't', 'generating', NULL)",
    "a rewrite of a head elsewhere": FREE + ROUND + "(1, 'rewrite', '{}', 1, 1, 1, 1, 4, 0, 't', 'generating', NULL)",
    "a rewrite after a passage elsewhere": FREE
    + ROUND
    + "(1, 'rewrite', '{}', 1, 1, 1, 4, 2, 0, 't', 'generating', NULL)",
    "a continue that follows no head": FREE
    + ROUND
    + "(1, 'continue', '{}', 1, 1, 1, 1, 2, 0, 't', 'generating', NULL)",
    "a rewrite of nothing": FREE + ROUND + "(1, 'rewrite', '{}', 1, 1, 1, NULL, NULL, 0, 't', 'generating', NULL)",
    "a rewrite that names no passage": FREE
    + REWRITE
    + "(1, 'rewrite', '{}', 1, 1, 1, 1, 2, 0, 't', 'generating', NULL, NULL, 'fresh')",
    "a rewrite of a passage elsewhere": FREE
    + REWRITE
    + "(1, 'rewrite', '{}', 1, 1, 1, NULL, 2, 0, 't', 'generating', NULL, 4, 'fresh')",
    "a rewrite that follows another than its passage did": FREE
    + REWRITE
    + "(1, 'rewrite', '{}', 1, 1, 1, 2, 2, 0, 't', 'generating', NULL, 2, 'fresh')",
    "a continue that names a passage": FREE
    + REWRITE
    + "(1, 'continue', '{}', 1, 1, 1, 2, 2, 0, 't', 'generating', NULL, 2, 'fresh')",
    "a light continue": FREE
    + REWRITE
    + "(1, 'continue', '{}', 1, 1, 1, 2, 2, 0, 't', 'generating', NULL, NULL, 'light')",
    "an unknown style": FREE + REWRITE + "(1, 'rewrite', '{}', 1, 1, 1, 1, 2, 0, 't', 'generating', NULL, 2, 'heavy')",
    "another passage to rewrite": "UPDATE rounds SET passage_id = 3 WHERE id = 2",
    "another style": "UPDATE rounds SET style = 'light' WHERE id = 2",
    "a copy that says something else": REWRITTEN + COPY + "(1, 5, 'other', 'model', NULL, NULL, 't', 2, 2)",
    "a copy by somebody else": REWRITTEN + COPY + "(1, 5, 'c1', 'member', 7, NULL, 't', 2, 2)",
    "a copy in another story": REWRITTEN + COPY + "(2, 4, 'c1', 'model', NULL, NULL, 't', 2, 2)",
    "a copy that begins a story": REWRITTEN + COPY + "(1, NULL, 'c1', 'model', NULL, NULL, 't', 2, 2)",
    "a copy of nothing": REWRITTEN + COPY + "(1, 5, 'c1', 'model', NULL, NULL, 't', 77, 2)",
    "a copy by no round": REWRITTEN + COPY + "(1, 5, 'c1', 'model', NULL, NULL, 't', 2, NULL)",
    "a copy by an open round": COPY + "(1, 3, 'c1', 'model', NULL, NULL, 't', 2, 2)",
    "a copy by a continue": COPY + "(1, 3, 'c1', 'model', NULL, NULL, 't', 2, 1)",
    "a copy that a round chose": FREE + COPY + "(1, 3, 'c1', 'model', NULL, 1, 't', 2, 1)",
    "a copy of a copy": REWRITTEN
    + COPY
    + "(1, 5, 'c1', 'model', NULL, NULL, 't', 2, 2);"
    + COPY
    + "(1, 6, 'c1', 'model', NULL, NULL, 't', 6, 2)",
    "two copies of a passage by one round": REWRITTEN
    + COPY
    + "(1, 5, 'c1', 'model', NULL, NULL, 't', 2, 2);"
    + COPY
    + "(1, 6, 'c1', 'model', NULL, NULL, 't', 2, 2)",
    "a copy of another passage": REWRITTEN
    + COPY
    + "(1, 5, 'c1', 'model', NULL, NULL, 't', 2, 2); UPDATE passages SET copy_of = 1 WHERE id = 6",
    "an unknown kind": FREE + ROUND + "(1, 'guess', '{}', 1, 1, 1, 2, 2, 0, 't', 'generating', NULL)",
    "settings that are no JSON": FREE + ROUND + "(1, 'continue', '{', 1, 1, 1, 2, 2, 0, 't', 'generating', NULL)",
    "a round begun twice by one click": FREE
    + ROUND
    + "(1, 'continue', '{}', 1, 1, 1, 2, 2, 0, 't', 'generating', 900)",
    "an unknown state": "UPDATE rounds SET state = 'paused' WHERE id = 3",
    "a close while generating": """UPDATE rounds SET state = 'closed', deadline_at = 't', closed_at = 't', rule = 'x'
        WHERE id = 3""",
    "a failure while open": "UPDATE rounds SET state = 'failed', closed_at = 't', failure = 'x' WHERE id = 2",
    "a failure without a reason": "UPDATE rounds SET state = 'failed', closed_at = 't' WHERE id = 3",
    "a round opened again": """UPDATE rounds SET state = 'open', closed_at = NULL, rule = NULL, winner_id = NULL
        WHERE id = 1""",
    "an open round without a deadline": "UPDATE rounds SET deadline_at = NULL WHERE id = 2",
    "a close without a rule": "UPDATE rounds SET state = 'closed', closed_at = 't' WHERE id = 2",
    "a close without a time": "UPDATE rounds SET state = 'closed', rule = 'x' WHERE id = 2",
    "a winner while open": "UPDATE rounds SET winner_id = 3 WHERE id = 2",
    "a winner of another round": """UPDATE rounds SET state = 'closed', closed_at = 't', rule = 'x', winner_id = 1
        WHERE id = 2""",
    "another winner after the close": "UPDATE rounds SET winner_id = 2 WHERE id = 1",
    "another rule after the close": "UPDATE rounds SET rule = 'other' WHERE id = 1",
    "another question": "UPDATE rounds SET hint = 'other' WHERE id = 2",
    "other settings": "UPDATE rounds SET settings = '[]' WHERE id = 2",
    "another seed": "UPDATE rounds SET seed = 1 WHERE id = 2",
    "an announcement before the end": "UPDATE rounds SET announced_at = 't' WHERE id = 2",
    "an extension that is no yes or no": "UPDATE rounds SET extended = 2 WHERE id = 2",
    "fewer than none withheld": "UPDATE rounds SET withheld = -1 WHERE id = 2",
    "fewer than no rerolls": FREE
    + ROUND.replace("seed", "reroll, seed")
    + "(1, 'continue', '{}', 1, 1, 1, 2, 2, -1, 0, 't', 'generating', NULL)",
    "a round deleted from under its candidates": """DELETE FROM ballot_choices WHERE round_id = 2;
        DELETE FROM ballots WHERE round_id = 2; DELETE FROM rounds WHERE id = 2""",
    "a round deleted from under a held text": "DELETE FROM rounds WHERE id = 3",
    "a candidate before the opening": CANDIDATE + "(3, 0, 'x', 'model', NULL, NULL, NULL)",
    "a candidate after the close": CANDIDATE + "(1, 2, 'x', 'model', NULL, NULL, NULL)",
    "two candidates in one place": CANDIDATE + "(2, 1, 'x', 'model', NULL, NULL, NULL)",
    "a ninth candidate": CANDIDATE + "(2, 8, 'x', 'model', NULL, NULL, NULL)",
    "an empty candidate": CANDIDATE + "(2, 2, '', 'model', NULL, NULL, NULL)",
    "a member's second text": CANDIDATE + "(2, 2, 'x', 'member', 7, NULL, NULL)",
    "a member's text without its author": CANDIDATE + "(2, 2, 'x', 'member', NULL, NULL, NULL)",
    "the model's text with an author": CANDIDATE + "(2, 2, 'x', 'model', 7, NULL, NULL)",
    "a candidate by nobody known": CANDIDATE + "(2, 2, 'x', 'robot', NULL, NULL, NULL)",
    "an incumbent that is no passage": CANDIDATE + "(2, 2, 'x', 'incumbent', NULL, NULL, NULL)",
    "an incumbent that is not what the round would replace": CANDIDATE + "(2, 2, 'x', 'incumbent', NULL, 3, NULL)",
    "two incumbents": CANDIDATE + "(2, 2, 'x', 'incumbent', NULL, 2, NULL), (2, 3, 'x', 'incumbent', NULL, 2, NULL)",
    "provenance that is no JSON": CANDIDATE + "(2, 2, 'x', 'model', NULL, NULL, '{')",
    "a candidate changed": "UPDATE candidates SET text = 'other' WHERE id = 3",
    "candidates in another order": "UPDATE candidates SET position = 5 WHERE id = 3",
    "a candidate deleted": "DELETE FROM candidates WHERE id = 4",
    "a text held for an open round": "INSERT INTO held_texts VALUES (2, 8, 'x', 't')",
    "an empty text held": "INSERT INTO held_texts VALUES (3, 8, '', 't')",
    "a member's second held text": "INSERT INTO held_texts VALUES (3, 7, 'x', 't')",
    "a second ballot of a member": "INSERT INTO ballots VALUES (2, 5, 't')",
    "a ballot while generating": "INSERT INTO ballots VALUES (3, 5, 't')",
    "a ballot after the close": "INSERT INTO ballots VALUES (1, 6, 't')",
    "a ballot dated after the close": "UPDATE ballots SET cast_at = 'u' WHERE round_id = 1",
    "a ballot taken back after the close": "DELETE FROM ballot_choices WHERE round_id = 1",
    "an empty ballot taken back after the close": "INSERT INTO ballots VALUES (2, 6, 't');"
    + FREE
    + "DELETE FROM ballots WHERE user_id = 6",
    "a choice after the close": CHOICE + "(1, 5, 2)",
    "a choice without a ballot": CHOICE + "(2, 6, 3)",
    "a choice from another round": CHOICE + "(2, 5, 1)",
    "a choice of nothing that exists": CHOICE + "(2, 5, 77)",
    "the same choice twice": CHOICE + "(2, 5, 3)",
    "none of these beside a candidate": CHOICE + "(2, 5, 0)",
    "a choice changed": "UPDATE ballot_choices SET choice = 4 WHERE round_id = 2",
    "a ballot gone from under its choices": "DELETE FROM ballots WHERE round_id = 2",
    "an interaction counted twice": "INSERT INTO counted_interactions VALUES (1, 2), (1, 3)",
    "an interaction counted nowhere": "INSERT INTO counted_interactions VALUES (1, 77)",
    "two values of one setting for a server": "INSERT INTO setting_values VALUES (1, NULL, 'quorum', '4')",
    "text where a number belongs": "UPDATE stories SET channel_id = 'somewhere' WHERE id = 1",
}

ALLOWED = {
    "a token count filled in": "UPDATE passages SET token_count = 7 WHERE id = 1",
    "the head moved back": "UPDATE stories SET head_id = 1 WHERE id = 1",
    "a branch": PASSAGE + "(1, 1, 'x', 'member', 7, NULL, 't')",
    "a story ended": "UPDATE stories SET ended_at = NULL, ended_by = NULL WHERE id = 3",
    "a candidate joins": CANDIDATE + "(2, 2, 'x', 'member', 8, NULL, NULL)",
    "the incumbent joins": CANDIDATE + "(2, 2, 'x', 'incumbent', NULL, 2, '{}')",
    "approval of two": CHOICE + "(2, 5, 4)",
    "a ballot taken back": "DELETE FROM ballot_choices WHERE round_id = 2; DELETE FROM ballots WHERE round_id = 2",
    "none of these alone": "DELETE FROM ballot_choices WHERE round_id = 2; " + CHOICE + "(2, 5, 0)",
    "the message of a closed round": "UPDATE rounds SET message_id = 5, announced_at = 't' WHERE id = 1",
    "a rewrite of the first passage, light": FREE
    + REWRITE
    + "(1, 'rewrite', '{}', 1, 1, 1, NULL, 2, 0, 't', 'generating', NULL, 1, 'light')",
    "a copy after the new version": REWRITTEN + COPY + "(1, 5, 'c1', 'model', NULL, NULL, 't', 2, 2)",
    "a next round": FREE + ROUND + "(1, 'continue', '{}', 1, 1, 1, 2, 2, 0, 't', 'generating', 901)",
    "a round deleted with nothing on it": "DELETE FROM held_texts; DELETE FROM rounds WHERE id = 3",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The populated file, made once; each test has a copy of it."""
    path = tmp_path_factory.mktemp("schema") / "template.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    script = "".join(migration.sql for migration in migrations.bundled()) + POPULATE
    connection.executescript(f"BEGIN; {script} COMMIT;")
    connection.close()
    return path


@pytest.fixture
def populated(template: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(shutil.copy(template, tmp_path), isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    yield connection
    connection.close()


@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_the_schema_forbids(populated: sqlite3.Connection, attempt: str) -> None:
    *before, last = _statements(FORBIDDEN[attempt])
    for statement in before:
        populated.execute(statement)
    with pytest.raises(sqlite3.IntegrityError):
        populated.execute(last)
    assert populated.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("attempt", ALLOWED)
def test_the_schema_allows(populated: sqlite3.Connection, attempt: str) -> None:
    for statement in _statements(ALLOWED[attempt]):
        populated.execute(statement)
    assert populated.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_finished_round_forgets_its_interactions(populated: sqlite3.Connection) -> None:
    populated.execute("INSERT INTO counted_interactions VALUES (1, 2), (2, 2), (3, 3)")
    populated.execute("UPDATE rounds SET state = 'cancelled', closed_at = 't' WHERE id = 2")
    assert populated.execute("SELECT * FROM counted_interactions").fetchall() == [(3, 3)]


def test_ids_are_never_given_out_again(populated: sqlite3.Connection) -> None:
    """An old button carries a round's id: it must not find the next round of somebody else."""
    populated.executescript("DELETE FROM held_texts; DELETE FROM rounds WHERE id = 3;" + FREE)
    [(new_id,)] = populated.execute(
        ROUND + "(1, 'continue', '{}', 1, 1, 1, 2, 2, 0, 't', 'generating', NULL) RETURNING id"
    ).fetchall()
    assert new_id == 4


def _statements(script: str) -> list[str]:
    return list(migrations.split_statements(script + ";"))
