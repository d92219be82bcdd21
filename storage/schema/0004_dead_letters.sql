-- 0004 dead letters: a refused message can be filed again, corrected or as it was. It then waits no longer, and each attempt stays.

ALTER TABLE quarantine ADD COLUMN settled_ms INTEGER; -- when a replay was accepted; NULL: it waits

-- An attempt to file a refused message again.
CREATE TABLE replay(
    id         INTEGER PRIMARY KEY,
    quarantine INTEGER NOT NULL REFERENCES quarantine(id),
    sha        BLOB NOT NULL,              -- of the bytes tried: the original's, or corrected ones
    outcome    INTEGER NOT NULL,           -- enum err
    place      TEXT NOT NULL,
    en         TEXT NOT NULL,
    ja         TEXT NOT NULL,
    at_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX replay_quarantine ON replay(quarantine);
CREATE INDEX replay_sha ON replay(sha);
