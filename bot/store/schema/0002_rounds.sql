-- Rounds with their candidates and ballots.

CREATE TABLE rounds (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    story_id        INTEGER NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('continue', 'rewrite')),
    state           TEXT NOT NULL DEFAULT 'generating'
                    CHECK (state IN ('generating', 'open', 'closed', 'cancelled', 'failed')),
    settings        TEXT NOT NULL CHECK (json_valid(settings)),
    hint            TEXT,
    opened_by       INTEGER NOT NULL,
    guild_id        INTEGER NOT NULL,
    channel_id      INTEGER NOT NULL,
    message_id      INTEGER,
    parent_id       INTEGER,
    base_head_id    INTEGER,
    seed            INTEGER NOT NULL,
    reroll          INTEGER NOT NULL DEFAULT 0 CHECK (reroll >= 0),
    -- The interaction that asked for the round: delivered twice, it still begins one.
    interaction_id  INTEGER UNIQUE,
    opened_at       TEXT NOT NULL,
    deadline_at     TEXT,
    extended        INTEGER NOT NULL DEFAULT 0 CHECK (extended IN (0, 1)),
    closed_at       TEXT,
    closed_by       INTEGER,
    rule            TEXT,
    winner_id       INTEGER,
    withheld        INTEGER NOT NULL DEFAULT 0 CHECK (withheld >= 0),
    failure         TEXT,
    announced_at    TEXT,
    UNIQUE (id, story_id),
    FOREIGN KEY (story_id, guild_id) REFERENCES stories (id, guild_id),
    FOREIGN KEY (parent_id, story_id) REFERENCES passages (id, story_id),
    FOREIGN KEY (base_head_id, story_id) REFERENCES passages (id, story_id),
    FOREIGN KEY (winner_id, id) REFERENCES candidates (id, round_id),
    CHECK (kind = 'rewrite' OR parent_id IS base_head_id),
    CHECK (kind = 'continue' OR base_head_id IS NOT NULL),
    CHECK (state NOT IN ('open', 'closed') OR deadline_at IS NOT NULL),
    CHECK ((state IN ('closed', 'cancelled', 'failed')) = (closed_at IS NOT NULL)),
    CHECK ((state = 'closed') = (rule IS NOT NULL)),
    CHECK (state = 'closed' OR winner_id IS NULL),
    CHECK (state <> 'failed' OR failure IS NOT NULL),
    CHECK (closed_at IS NOT NULL OR announced_at IS NULL)
) STRICT;

CREATE UNIQUE INDEX one_unfinished_round_per_story ON rounds (story_id) WHERE state IN ('generating', 'open');
CREATE INDEX rounds_by_deadline ON rounds (deadline_at) WHERE state = 'open';
CREATE INDEX rounds_to_announce ON rounds (id) WHERE closed_at IS NOT NULL AND announced_at IS NULL;
CREATE INDEX rounds_of_story ON rounds (story_id);
CREATE INDEX rounds_of_guild ON rounds (guild_id);
-- SQLite looks for children when a parent row goes; without these a purge would read every round per passage.
CREATE INDEX rounds_by_parent ON rounds (parent_id);
CREATE INDEX rounds_by_base_head ON rounds (base_head_id);
CREATE INDEX rounds_by_winner ON rounds (winner_id);

CREATE TRIGGER rounds_begin_in_a_running_story BEFORE INSERT ON rounds
WHEN NEW.state <> 'generating'
    OR NOT EXISTS (SELECT 1 FROM stories WHERE id = NEW.story_id AND ended_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'a round begins as generating, in a story that is running');
END;

CREATE TRIGGER stories_end_between_rounds BEFORE UPDATE ON stories
WHEN NEW.ended_at IS NOT NULL
    AND EXISTS (SELECT 1 FROM rounds WHERE story_id = NEW.id AND state IN ('generating', 'open'))
BEGIN
    SELECT RAISE(ABORT, 'a story ends only when no round is unfinished');
END;

CREATE TRIGGER rounds_only_move_forward BEFORE UPDATE ON rounds
WHEN OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    VALUES ('generating', 'open'), ('generating', 'cancelled'), ('generating', 'failed'),
           ('open', 'closed'), ('open', 'cancelled'))
BEGIN
    SELECT RAISE(ABORT, 'a round never goes back to an earlier state');
END;

CREATE TRIGGER rounds_keep_their_question BEFORE UPDATE ON rounds
WHEN (OLD.id, OLD.story_id, OLD.kind, OLD.settings, OLD.hint, OLD.opened_by, OLD.guild_id, OLD.parent_id,
      OLD.base_head_id, OLD.seed, OLD.reroll, OLD.interaction_id, OLD.opened_at)
    IS NOT
     (NEW.id, NEW.story_id, NEW.kind, NEW.settings, NEW.hint, NEW.opened_by, NEW.guild_id, NEW.parent_id,
      NEW.base_head_id, NEW.seed, NEW.reroll, NEW.interaction_id, NEW.opened_at)
BEGIN
    SELECT RAISE(ABORT, 'a round keeps what it asked and the settings it began with');
END;

CREATE TRIGGER rounds_keep_their_result BEFORE UPDATE ON rounds
WHEN OLD.closed_at IS NOT NULL
    AND (OLD.deadline_at, OLD.extended, OLD.closed_at, OLD.closed_by, OLD.rule, OLD.winner_id, OLD.withheld, OLD.failure)
        IS NOT
        (NEW.deadline_at, NEW.extended, NEW.closed_at, NEW.closed_by, NEW.rule, NEW.winner_id, NEW.withheld, NEW.failure)
BEGIN
    SELECT RAISE(ABORT, 'a finished round keeps its result');
END;

-- A round's passage comes from its close, and follows what the round was asked to follow.
CREATE TRIGGER passages_come_from_closed_rounds BEFORE INSERT ON passages
WHEN NEW.round_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM rounds WHERE id = NEW.round_id AND state = 'closed' AND parent_id IS NEW.parent_id)
BEGIN
    SELECT RAISE(ABORT, 'a passage is added by the close of its round, after the parent that the round names');
END;

CREATE TABLE candidates (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    round_id        INTEGER NOT NULL REFERENCES rounds (id),
    -- Eight at most: a ballot has to fit one message.
    position        INTEGER NOT NULL CHECK (position BETWEEN 0 AND 7),
    text            TEXT NOT NULL CHECK (text <> ''),
    source          TEXT NOT NULL CHECK (source IN ('model', 'member', 'incumbent')),
    author_user_id  INTEGER,
    passage_id      INTEGER REFERENCES passages (id),
    provenance      TEXT CHECK (provenance IS NULL OR json_valid(provenance)),
    UNIQUE (id, round_id),
    UNIQUE (round_id, position),
    CHECK ((source = 'incumbent') = (passage_id IS NOT NULL)),
    CHECK (source <> 'member' OR author_user_id IS NOT NULL),
    CHECK (source <> 'model' OR author_user_id IS NULL)
) STRICT;

CREATE UNIQUE INDEX one_incumbent_per_round ON candidates (round_id) WHERE source = 'incumbent';
CREATE UNIQUE INDEX one_text_per_member_and_round ON candidates (round_id, author_user_id) WHERE source = 'member';
CREATE INDEX candidates_by_passage ON candidates (passage_id);

CREATE TRIGGER candidates_join_open_rounds BEFORE INSERT ON candidates
WHEN NOT EXISTS (
    SELECT 1 FROM rounds
    WHERE id = NEW.round_id AND state = 'open' AND (NEW.passage_id IS NULL OR base_head_id = NEW.passage_id))
BEGIN
    SELECT RAISE(ABORT, 'a candidate joins an open round; an incumbent is the passage at its head');
END;

CREATE TRIGGER candidates_are_immutable BEFORE UPDATE ON candidates
BEGIN
    SELECT RAISE(ABORT, 'a candidate never changes');
END;

CREATE TRIGGER candidates_are_kept BEFORE DELETE ON candidates
WHEN NOT EXISTS (SELECT 1 FROM rounds JOIN purges USING (guild_id) WHERE rounds.id = OLD.round_id)
BEGIN
    SELECT RAISE(ABORT, 'a candidate is never deleted, except with its whole server');
END;

-- Members' texts that came while the model was still writing. They become candidates when the ballot opens;
-- those of a cancelled or failed round stay here, so that nothing a member typed is lost.
CREATE TABLE held_texts (
    round_id    INTEGER NOT NULL REFERENCES rounds (id),
    user_id     INTEGER NOT NULL,
    text        TEXT NOT NULL CHECK (text <> ''),
    written_at  TEXT NOT NULL,
    PRIMARY KEY (round_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER texts_are_held_while_generating BEFORE INSERT ON held_texts
WHEN NOT EXISTS (SELECT 1 FROM rounds WHERE id = NEW.round_id AND state = 'generating')
BEGIN
    SELECT RAISE(ABORT, 'a text is held only while its round is generating');
END;

CREATE TABLE ballots (
    round_id  INTEGER NOT NULL REFERENCES rounds (id),
    user_id   INTEGER NOT NULL,
    cast_at   TEXT NOT NULL,
    PRIMARY KEY (round_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ballot_choices (
    round_id      INTEGER NOT NULL,
    user_id       INTEGER NOT NULL,
    -- 0 is "none of these"; anything else must be a candidate of the same round.
    choice        INTEGER NOT NULL,
    candidate_id  INTEGER GENERATED ALWAYS AS (nullif(choice, 0)) STORED,
    PRIMARY KEY (round_id, user_id, choice),
    FOREIGN KEY (round_id, user_id) REFERENCES ballots (round_id, user_id),
    FOREIGN KEY (candidate_id, round_id) REFERENCES candidates (id, round_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX choices_by_candidate ON ballot_choices (candidate_id);

CREATE TRIGGER ballots_are_cast_while_open BEFORE INSERT ON ballots
WHEN NOT EXISTS (SELECT 1 FROM rounds WHERE id = NEW.round_id AND state = 'open')
BEGIN
    SELECT RAISE(ABORT, 'ballots count only while their round is open');
END;

CREATE TRIGGER ballots_are_dated_while_open BEFORE UPDATE ON ballots
WHEN NOT EXISTS (SELECT 1 FROM rounds WHERE id = NEW.round_id AND state = 'open')
BEGIN
    SELECT RAISE(ABORT, 'ballots count only while their round is open');
END;

CREATE TRIGGER ballots_are_withdrawn_while_open BEFORE DELETE ON ballots
WHEN NOT EXISTS (
    SELECT 1 FROM rounds
    WHERE id = OLD.round_id AND (state = 'open' OR guild_id IN (SELECT guild_id FROM purges)))
BEGIN
    SELECT RAISE(ABORT, 'ballots count only while their round is open');
END;

CREATE TRIGGER choices_are_made_while_open BEFORE INSERT ON ballot_choices
WHEN NOT EXISTS (SELECT 1 FROM rounds WHERE id = NEW.round_id AND state = 'open')
BEGIN
    SELECT RAISE(ABORT, 'ballots count only while their round is open');
END;

CREATE TRIGGER choices_are_replaced_whole BEFORE UPDATE ON ballot_choices
BEGIN
    SELECT RAISE(ABORT, 'a choice is taken back and made anew, never changed');
END;

CREATE TRIGGER choices_are_taken_back_while_open BEFORE DELETE ON ballot_choices
WHEN NOT EXISTS (
    SELECT 1 FROM rounds
    WHERE id = OLD.round_id AND (state = 'open' OR guild_id IN (SELECT guild_id FROM purges)))
BEGIN
    SELECT RAISE(ABORT, 'ballots count only while their round is open');
END;

CREATE TRIGGER none_of_these_stands_alone BEFORE INSERT ON ballot_choices
WHEN EXISTS (
    SELECT 1 FROM ballot_choices
    WHERE round_id = NEW.round_id AND user_id = NEW.user_id AND (choice = 0) <> (NEW.choice = 0))
BEGIN
    SELECT RAISE(ABORT, 'a ballot for none of these names no candidate');
END;

-- Interactions that were counted in an unfinished round, so that one delivered again changes nothing.
CREATE TABLE counted_interactions (
    interaction_id  INTEGER PRIMARY KEY,
    round_id        INTEGER NOT NULL REFERENCES rounds (id)
) STRICT;

CREATE INDEX counted_interactions_of_round ON counted_interactions (round_id);

-- Clicks that were counted and whose member has not been told yet. Somebody who was not told clicks again: the same
-- click then means the same, and must not take the vote back. `is_chosen` is what the click made of the choice.
CREATE TABLE unconfirmed_clicks (
    round_id   INTEGER NOT NULL REFERENCES rounds (id),
    user_id    INTEGER NOT NULL,
    choice     INTEGER NOT NULL,
    is_chosen  INTEGER NOT NULL CHECK (is_chosen IN (0, 1)),
    PRIMARY KEY (round_id, user_id, choice)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER finished_rounds_forget_clicks AFTER UPDATE OF state ON rounds
WHEN NEW.closed_at IS NOT NULL
BEGIN
    DELETE FROM counted_interactions WHERE round_id = NEW.id;
    DELETE FROM unconfirmed_clicks WHERE round_id = NEW.id;
END;
