-- Servers that the bot is no longer in, and since when: what they wrote is deleted after a while, unless it comes back.
CREATE TABLE departures (
    guild_id  INTEGER PRIMARY KEY,
    left_at   TEXT NOT NULL
) STRICT;
