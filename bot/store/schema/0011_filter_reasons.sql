-- Why the rules were changed, where that was said only after the change: once, and by whoever made it.
CREATE TABLE filter_reasons (
    revision_id  INTEGER PRIMARY KEY,
    guild_id     INTEGER NOT NULL,
    at           TEXT NOT NULL,
    reason       TEXT NOT NULL CHECK (reason <> ''),
    FOREIGN KEY (revision_id, guild_id) REFERENCES filter_revisions (id, guild_id)
) STRICT;

CREATE INDEX filter_reasons_of_guild ON filter_reasons (guild_id);

CREATE TRIGGER filter_reasons_are_of_changes_without_one BEFORE INSERT ON filter_reasons
WHEN (SELECT reason FROM filter_revisions WHERE id = NEW.revision_id) <> ''
BEGIN
    SELECT RAISE(ABORT, 'this change has its reason already');
END;

CREATE TRIGGER filter_reasons_are_immutable BEFORE UPDATE ON filter_reasons
BEGIN
    SELECT RAISE(ABORT, 'the reason of a change never changes');
END;

CREATE TRIGGER filter_reasons_are_kept BEFORE DELETE ON filter_reasons
WHEN OLD.guild_id NOT IN (SELECT guild_id FROM purges)
BEGIN
    SELECT RAISE(ABORT, 'the reason of a change is never deleted, except with its whole server');
END;
