-- Settings of servers and channels with the log of their changes, and what the program notes for itself.

CREATE TABLE setting_values (
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER,  -- NULL: the whole server
    name        TEXT NOT NULL,
    value       TEXT NOT NULL
) STRICT;

-- Over coalesce, because a UNIQUE constraint takes every NULL for a different value. No channel has the id 0.
CREATE UNIQUE INDEX one_value_per_place_and_name ON setting_values (guild_id, coalesce(channel_id, 0), name);

CREATE TABLE setting_changes (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER,
    name        TEXT NOT NULL,
    old_value   TEXT,
    new_value   TEXT,
    changed_by  INTEGER NOT NULL,
    changed_at  TEXT NOT NULL
) STRICT;

CREATE INDEX setting_changes_of_guild ON setting_changes (guild_id);

CREATE TABLE meta (
    key    TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
