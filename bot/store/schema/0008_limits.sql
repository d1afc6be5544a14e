-- What holds members, channels and servers back: bars, stops, and what quotas count; and where the audit log is posted.

-- A member whom a moderator keeps from the bot for a time. One bar each: a newer one takes its place, and the audit log
-- knows of both.
CREATE TABLE bars (
    guild_id   INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    until      TEXT NOT NULL,
    barred_by  INTEGER NOT NULL,
    barred_at  TEXT NOT NULL,
    reason     TEXT NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (guild_id, user_id),
    CHECK (until > barred_at)
) STRICT, WITHOUT ROWID;

-- A server or a channel in which a moderator stopped the bot.
CREATE TABLE stops (
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER,           -- NULL: the whole server
    stopped_by  INTEGER NOT NULL,
    stopped_at  TEXT NOT NULL,
    reason      TEXT NOT NULL      -- empty where none was given
) STRICT;

-- Over coalesce, because a UNIQUE constraint takes every NULL for a different value. No channel has the id 0.
CREATE UNIQUE INDEX one_stop_per_place ON stops (guild_id, coalesce(channel_id, 0));

CREATE TRIGGER rounds_begin_where_nothing_is_stopped BEFORE INSERT ON rounds
WHEN EXISTS (
    SELECT 1 FROM stops
    WHERE guild_id = NEW.guild_id AND (channel_id IS NULL OR channel_id = NEW.channel_id))
BEGIN
    SELECT RAISE(ABORT, 'no round begins where a moderator stopped the bot');
END;

-- When members' own texts came, which candidates don't say. One line for each member and round, as there is one text.
CREATE TABLE written_texts (
    round_id    INTEGER NOT NULL REFERENCES rounds (id),
    user_id     INTEGER NOT NULL,
    guild_id    INTEGER NOT NULL,
    written_at  TEXT NOT NULL,
    PRIMARY KEY (round_id, user_id)
) STRICT, WITHOUT ROWID;

-- Quotas look at the newest of a member's, a channel's or a server's.
CREATE INDEX written_texts_of_member ON written_texts (guild_id, user_id, written_at);
CREATE INDEX rounds_of_member_by_time ON rounds (guild_id, opened_by, opened_at);
CREATE INDEX rounds_of_channel_by_time ON rounds (channel_id, opened_at);
CREATE INDEX rounds_of_guild_by_time ON rounds (guild_id, opened_at);

-- The channel in which a server reads its audit log. `posted_through` is the last line that was posted there (or that
-- was written before there was such a channel); what is newer is still to be posted.
CREATE TABLE log_channels (
    guild_id        INTEGER PRIMARY KEY,
    channel_id      INTEGER NOT NULL,
    posted_through  INTEGER NOT NULL,
    failure         TEXT           -- why the last attempt to post failed; NULL where it did not
) STRICT;
