-- Reports, flags and appeals with the cases that they make, and what moderators did to texts.

-- A mark stands beside a text, which stays as it is: taking the mark away brings back exactly what was. A passage is
-- marked in its original, and the mark holds for all copies; the candidate that became the passage, and the incumbents
-- that say the same, are read with it.
CREATE TABLE marks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id      INTEGER NOT NULL,
    passage_id    INTEGER UNIQUE REFERENCES passages (id),
    candidate_id  INTEGER UNIQUE REFERENCES candidates (id),
    mark          TEXT NOT NULL CHECK (mark IN ('redacted', 'removed', 'rewound')),
    -- Where the head was before a rewind, and where it was moved to (NULL: before the first passage).
    old_head_id   INTEGER REFERENCES passages (id),
    new_head_id   INTEGER REFERENCES passages (id),
    CHECK ((passage_id IS NULL) <> (candidate_id IS NULL)),
    CHECK ((mark = 'rewound') = (old_head_id IS NOT NULL)),
    CHECK (mark = 'rewound' OR new_head_id IS NULL),
    CHECK (mark <> 'rewound' OR passage_id IS NOT NULL)
) STRICT;

CREATE INDEX marks_of_guild ON marks (guild_id);
CREATE INDEX marks_by_old_head ON marks (old_head_id);
CREATE INDEX marks_by_new_head ON marks (new_head_id);

CREATE TRIGGER marks_stand_at_originals BEFORE INSERT ON marks
WHEN EXISTS (SELECT 1 FROM passages WHERE id = NEW.passage_id AND copy_of IS NOT NULL)
    OR EXISTS (SELECT 1 FROM candidates WHERE id = NEW.candidate_id AND passage_id IS NOT NULL)
    OR EXISTS (
        SELECT 1 FROM passages JOIN rounds ON rounds.id = passages.round_id WHERE rounds.winner_id = NEW.candidate_id)
BEGIN
    SELECT RAISE(ABORT, 'a mark stands at the original: no copy, no incumbent, no candidate that became a passage');
END;

CREATE TRIGGER marks_are_replaced_whole BEFORE UPDATE ON marks
BEGIN
    SELECT RAISE(ABORT, 'a mark is taken away and made anew, never changed');
END;

-- Candidates that moderators took off an open ballot: votes for them don't count. What was withdrawn when the round
-- closed stays so, because the result was decided without it.
CREATE TABLE withdrawals (
    candidate_id  INTEGER PRIMARY KEY REFERENCES candidates (id),
    round_id      INTEGER NOT NULL REFERENCES rounds (id)
) STRICT;

CREATE INDEX withdrawals_of_round ON withdrawals (round_id);

CREATE TRIGGER candidates_are_withdrawn_while_open BEFORE INSERT ON withdrawals
WHEN NOT EXISTS (
    SELECT 1 FROM candidates JOIN rounds ON rounds.id = candidates.round_id
    WHERE candidates.id = NEW.candidate_id AND rounds.id = NEW.round_id AND state = 'open' AND source <> 'incumbent')
BEGIN
    SELECT RAISE(ABORT, 'a candidate leaves the ballot only while it is open, and an incumbent never');
END;

CREATE TRIGGER withdrawals_are_immutable BEFORE UPDATE ON withdrawals
BEGIN
    SELECT RAISE(ABORT, 'a withdrawal never changes');
END;

CREATE TRIGGER candidates_come_back_while_open BEFORE DELETE ON withdrawals
WHEN NOT EXISTS (
    SELECT 1 FROM rounds
    WHERE id = OLD.round_id AND (state = 'open' OR guild_id IN (SELECT guild_id FROM purges)))
BEGIN
    SELECT RAISE(ABORT, 'a candidate comes back to the ballot only while it is open');
END;

CREATE TRIGGER withdrawn_candidates_never_win BEFORE UPDATE ON rounds
WHEN NEW.winner_id IN (SELECT candidate_id FROM withdrawals)
BEGIN
    SELECT RAISE(ABORT, 'a candidate that was taken off the ballot does not win');
END;

-- What is read instead of the tables, so that no mark is forgotten.
CREATE VIEW shown_passages AS
SELECT passages.*, marks.mark AS mark
FROM passages LEFT JOIN marks ON marks.passage_id = coalesce(passages.copy_of, passages.id);

CREATE VIEW shown_candidates AS
SELECT candidates.*,
    coalesce(
        (SELECT mark FROM marks WHERE marks.candidate_id = candidates.id),
        (SELECT mark FROM shown_passages WHERE shown_passages.id = candidates.passage_id),
        (SELECT mark FROM shown_passages JOIN rounds ON rounds.id = shown_passages.round_id
         WHERE shown_passages.round_id = candidates.round_id AND rounds.winner_id = candidates.id)) AS mark,
    EXISTS (SELECT 1 FROM withdrawals WHERE withdrawals.candidate_id = candidates.id) AS is_withdrawn
FROM candidates;

-- A case is about one thing in one server. Many voices about the same thing are one case.
CREATE TABLE cases (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id         INTEGER NOT NULL,
    channel_id       INTEGER NOT NULL,
    passage_id       INTEGER REFERENCES passages (id),
    candidate_id     INTEGER REFERENCES candidates (id),
    text             TEXT CHECK (text <> ''),
    kind             TEXT CHECK (kind <> ''),
    -- The round that such a text was written for, where there was one.
    round_id         INTEGER REFERENCES rounds (id),
    author_user_id   INTEGER,
    opened_at        TEXT NOT NULL,
    -- The last act that resolved it; NULL while it is open.
    outcome          TEXT CHECK (outcome IN ('remove', 'rewind', 'redact', 'restore', 'dismiss')),
    card_channel_id  INTEGER,
    card_message_id  INTEGER,
    -- How often something happened to it, and how much of that its card shows.
    changes          INTEGER NOT NULL DEFAULT 1 CHECK (changes > 0),
    drawn            INTEGER NOT NULL DEFAULT 0 CHECK (drawn BETWEEN 0 AND changes),
    CHECK ((passage_id IS NOT NULL) + (candidate_id IS NOT NULL) + (text IS NOT NULL) = 1),
    CHECK ((text IS NULL) = (kind IS NULL)),
    CHECK (text IS NOT NULL OR round_id IS NULL),
    CHECK ((card_channel_id IS NULL) = (card_message_id IS NULL))
) STRICT;

CREATE UNIQUE INDEX one_open_case_per_passage ON cases (passage_id) WHERE outcome IS NULL AND passage_id IS NOT NULL;
CREATE UNIQUE INDEX one_open_case_per_candidate ON cases (candidate_id)
    WHERE outcome IS NULL AND candidate_id IS NOT NULL;
CREATE UNIQUE INDEX one_open_case_per_text ON cases (guild_id, kind, coalesce(author_user_id, 0), text)
    WHERE outcome IS NULL AND text IS NOT NULL;
CREATE INDEX cases_of_guild ON cases (guild_id, id);
CREATE INDEX cases_to_draw ON cases (id) WHERE drawn < changes;
CREATE INDEX cases_by_passage ON cases (passage_id);
CREATE INDEX cases_by_candidate ON cases (candidate_id);
CREATE INDEX cases_by_round ON cases (round_id);

CREATE TRIGGER cases_stay_about_their_thing BEFORE UPDATE ON cases
WHEN (OLD.id, OLD.guild_id, OLD.channel_id, OLD.passage_id, OLD.candidate_id, OLD.text, OLD.kind, OLD.round_id,
      OLD.author_user_id, OLD.opened_at)
    IS NOT
     (NEW.id, NEW.guild_id, NEW.channel_id, NEW.passage_id, NEW.candidate_id, NEW.text, NEW.kind, NEW.round_id,
      NEW.author_user_id, NEW.opened_at)
    OR (OLD.outcome IS NOT NULL AND NEW.outcome IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'a case stays about its thing, and one that is resolved is not opened again');
END;

-- A member's click names a message, not a round.
CREATE INDEX rounds_by_message ON rounds (message_id);

CREATE TABLE case_voices (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id   INTEGER NOT NULL REFERENCES cases (id),
    voice     TEXT NOT NULL CHECK (voice IN ('report', 'flag', 'appeal')),
    user_id   INTEGER,
    category  TEXT NOT NULL,
    rule      TEXT NOT NULL,
    reason    TEXT NOT NULL,
    at        TEXT NOT NULL,
    CHECK (voice = 'flag' OR user_id IS NOT NULL)
) STRICT;

-- Each member reports (or appeals) a thing once, each rule flags it once.
CREATE UNIQUE INDEX one_voice_per_case ON case_voices (case_id, voice, coalesce(user_id, 0), rule);

CREATE TABLE case_acts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id  INTEGER NOT NULL REFERENCES cases (id),
    act      TEXT NOT NULL CHECK (act IN ('remove', 'rewind', 'redact', 'restore', 'dismiss', 'warn', 'bar')),
    by       INTEGER NOT NULL,
    at       TEXT NOT NULL,
    reason   TEXT NOT NULL,
    is_told  INTEGER CHECK (is_told IN (0, 1))
) STRICT;

CREATE INDEX case_acts_of_case ON case_acts (case_id);

-- The messages that told a round's result: where a text is hidden, they are edited.
CREATE TABLE announcements (
    round_id    INTEGER NOT NULL REFERENCES rounds (id),
    number      INTEGER NOT NULL CHECK (number >= 0),
    message_id  INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (round_id, number)
) STRICT, WITHOUT ROWID;

-- Rounds whose messages show a text that was marked since, or restored. `changes` tells a later change from the one
-- that was drawn.
CREATE TABLE undrawn_rounds (
    round_id  INTEGER PRIMARY KEY REFERENCES rounds (id),
    changes   INTEGER NOT NULL DEFAULT 1
) STRICT;
