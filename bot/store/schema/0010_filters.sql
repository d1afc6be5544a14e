-- The rules that a server's moderators tune. A change never overwrites: it is a revision, with a version of every rule
-- that it touched. The rule set of any moment is, for each rule, its last version up to that revision.

CREATE TABLE filter_revisions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id   INTEGER NOT NULL,
    at         TEXT NOT NULL,
    author_id  INTEGER NOT NULL,
    reason     TEXT NOT NULL,      -- empty where none was given
    UNIQUE (id, guild_id)
) STRICT;

CREATE INDEX filter_revisions_of_guild ON filter_revisions (guild_id, id);

CREATE TABLE filter_rules (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER,           -- NULL: the whole server
    UNIQUE (id, guild_id)
) STRICT;

CREATE INDEX filter_rules_of_guild ON filter_rules (guild_id);

CREATE TABLE filter_rule_versions (
    rule_id      INTEGER NOT NULL,
    version      INTEGER NOT NULL CHECK (version >= 1),
    guild_id     INTEGER NOT NULL,
    revision_id  INTEGER NOT NULL,
    name         TEXT NOT NULL CHECK (name <> ''),
    -- What the rule says, as JSON; NULL: it was taken away.
    body         TEXT CHECK (body IS NULL OR json_valid(body)),
    PRIMARY KEY (rule_id, version),
    -- One change makes at most one version of a rule.
    UNIQUE (rule_id, revision_id),
    FOREIGN KEY (rule_id, guild_id) REFERENCES filter_rules (id, guild_id),
    FOREIGN KEY (revision_id, guild_id) REFERENCES filter_revisions (id, guild_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX filter_rule_versions_of_guild ON filter_rule_versions (guild_id);
CREATE INDEX filter_rule_versions_by_revision ON filter_rule_versions (revision_id);

CREATE TRIGGER filter_rules_keep_their_place BEFORE UPDATE ON filter_rules
BEGIN
    SELECT RAISE(ABORT, 'a rule stays where it was made');
END;

CREATE TRIGGER filter_rule_versions_are_immutable BEFORE UPDATE ON filter_rule_versions
BEGIN
    SELECT RAISE(ABORT, 'a version of a rule never changes');
END;

CREATE TRIGGER filter_rule_versions_follow_each_other BEFORE INSERT ON filter_rule_versions
WHEN NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM filter_rule_versions WHERE rule_id = NEW.rule_id)
    OR NEW.revision_id <= (SELECT coalesce(max(revision_id), 0) FROM filter_rule_versions WHERE rule_id = NEW.rule_id)
BEGIN
    SELECT RAISE(ABORT, 'versions of a rule follow each other');
END;

CREATE TRIGGER filter_rule_versions_are_kept BEFORE DELETE ON filter_rule_versions
WHEN OLD.guild_id NOT IN (SELECT guild_id FROM purges)
BEGIN
    SELECT RAISE(ABORT, 'a version of a rule is never deleted, except with its whole server');
END;

CREATE TRIGGER filter_revisions_are_immutable BEFORE UPDATE ON filter_revisions
BEGIN
    SELECT RAISE(ABORT, 'a revision of the rules never changes');
END;

-- How strictly the ready-made lists hold, for a server and its channels: the last line of a place counts.
CREATE TABLE filter_levels (
    guild_id     INTEGER NOT NULL,
    channel_id   INTEGER,          -- NULL: the whole server
    revision_id  INTEGER NOT NULL,
    body         TEXT CHECK (body IS NULL OR json_valid(body)),  -- NULL: nothing of its own any more
    FOREIGN KEY (revision_id, guild_id) REFERENCES filter_revisions (id, guild_id)
) STRICT;

-- Over coalesce, because a UNIQUE constraint takes every NULL for a different value. No channel has the id 0.
CREATE UNIQUE INDEX one_level_per_place_and_revision ON filter_levels (guild_id, coalesce(channel_id, 0), revision_id);
CREATE INDEX filter_levels_by_revision ON filter_levels (revision_id, guild_id);

CREATE TRIGGER filter_levels_are_immutable BEFORE UPDATE ON filter_levels
BEGIN
    SELECT RAISE(ABORT, 'a line of levels never changes');
END;

CREATE TRIGGER filter_levels_are_kept BEFORE DELETE ON filter_levels
WHEN OLD.guild_id NOT IN (SELECT guild_id FROM purges)
BEGIN
    SELECT RAISE(ABORT, 'a line of levels is never deleted, except with its whole server');
END;

-- What rules found, or would have found in shadow mode: enough to judge the rule, and nothing about who typed what.
CREATE TABLE filter_hits (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER NOT NULL,
    at          TEXT NOT NULL,
    text_kind   TEXT NOT NULL,
    rule        TEXT NOT NULL,
    rule_id     INTEGER,           -- NULL: a rule that is nobody's own, such as a ready-made list's
    category    TEXT NOT NULL,
    action      TEXT NOT NULL,
    is_shadow   INTEGER NOT NULL CHECK (is_shadow IN (0, 1))
) STRICT;

CREATE INDEX filter_hits_of_guild ON filter_hits (guild_id, at);
CREATE INDEX filter_hits_by_time ON filter_hits (at);

-- The model's texts that a filter kept from a ballot, so that moderators can see which and why. No member wrote them.
CREATE TABLE withheld_texts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    round_id    INTEGER NOT NULL REFERENCES rounds (id),
    at          TEXT NOT NULL,
    text        TEXT NOT NULL CHECK (text <> ''),
    rule        TEXT NOT NULL,
    category    TEXT NOT NULL,
    start       INTEGER,
    "end"       INTEGER,
    CHECK ((start IS NULL) = ("end" IS NULL))
) STRICT;

CREATE INDEX withheld_texts_of_round ON withheld_texts (round_id);
CREATE INDEX withheld_texts_by_time ON withheld_texts (at);
