-- What moderators and the bot's own rules did, with who, when and why. A line never changes; it goes with its server.
CREATE TABLE audit_log (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER,           -- NULL: the whole server
    at          TEXT NOT NULL,
    actor_id    INTEGER,           -- NULL: the bot by itself
    deed        TEXT NOT NULL CHECK (deed <> ''),
    subject     TEXT NOT NULL,     -- what it was done to, as the deed names it: "passage 12", "rule 3", "member 99"
    reason      TEXT NOT NULL,     -- empty where none was given
    detail      TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;

CREATE INDEX audit_log_of_guild ON audit_log (guild_id, id);

CREATE TRIGGER audit_lines_are_immutable BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'a line of the audit log never changes');
END;

CREATE TRIGGER audit_lines_are_kept BEFORE DELETE ON audit_log
WHEN OLD.guild_id NOT IN (SELECT guild_id FROM purges)
BEGIN
    SELECT RAISE(ABORT, 'a line of the audit log is never deleted, except with its whole server');
END;
