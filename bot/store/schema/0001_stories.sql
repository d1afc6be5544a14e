-- Stories and their trees of passages. Times are UTC text that sorts by time: 2026-01-31T09:30:00.000000+00:00.
-- AUTOINCREMENT: an id is never given out again, so an old button can't mean something new after a server was purged.

CREATE TABLE stories (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER NOT NULL,
    title       TEXT NOT NULL CHECK (title <> ''),
    premise     TEXT NOT NULL,
    head_id     INTEGER,
    started_by  INTEGER NOT NULL,
    started_at  TEXT NOT NULL,
    ended_by    INTEGER,
    ended_at    TEXT,
    UNIQUE (id, guild_id),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    -- The head is one of the story's own passages.
    FOREIGN KEY (head_id, id) REFERENCES passages (id, story_id)
) STRICT;

CREATE UNIQUE INDEX one_running_story_per_channel ON stories (channel_id) WHERE ended_at IS NULL;
CREATE INDEX stories_of_guild ON stories (guild_id);
CREATE INDEX stories_by_head ON stories (head_id);

CREATE TABLE passages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    story_id        INTEGER NOT NULL REFERENCES stories (id),
    -- A parent is older than its child, so the tree has no cycle.
    parent_id       INTEGER CHECK (parent_id < id),
    text            TEXT NOT NULL CHECK (text <> ''),
    source          TEXT NOT NULL CHECK (source IN ('model', 'member')),
    author_user_id  INTEGER,
    -- A round adds at most one passage to canon.
    round_id        INTEGER UNIQUE,
    token_count     INTEGER CHECK (token_count >= 0),
    created_at      TEXT NOT NULL,
    UNIQUE (id, story_id),
    CHECK ((source = 'member') = (author_user_id IS NOT NULL)),
    FOREIGN KEY (parent_id, story_id) REFERENCES passages (id, story_id),
    FOREIGN KEY (round_id, story_id) REFERENCES rounds (id, story_id)
) STRICT;

CREATE INDEX passages_of_story ON passages (story_id);
CREATE INDEX passages_by_parent ON passages (parent_id);

-- A row stands here only inside the transaction that deletes everything of a server; nothing else may delete.
CREATE TABLE purges (guild_id INTEGER PRIMARY KEY) STRICT;

CREATE TRIGGER passages_are_immutable BEFORE UPDATE ON passages
WHEN OLD.token_count IS NOT NULL
    OR (OLD.id, OLD.story_id, OLD.parent_id, OLD.text, OLD.source, OLD.author_user_id, OLD.round_id, OLD.created_at)
        IS NOT
        (NEW.id, NEW.story_id, NEW.parent_id, NEW.text, NEW.source, NEW.author_user_id, NEW.round_id, NEW.created_at)
BEGIN
    SELECT RAISE(ABORT, 'a passage never changes; only its token count is filled in, once');
END;

CREATE TRIGGER passages_are_kept BEFORE DELETE ON passages
WHEN NOT EXISTS (SELECT 1 FROM stories JOIN purges USING (guild_id) WHERE stories.id = OLD.story_id)
BEGIN
    SELECT RAISE(ABORT, 'a passage is never deleted, except with its whole server');
END;
