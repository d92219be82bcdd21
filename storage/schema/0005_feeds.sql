-- 0005 feeds: where each outgoing feed of HL7 v2 messages stands in the log of changes, and what its receiver refused (docs/decisions/0019).
-- No message is kept: it is made again from the changes named here, as far as consent permits at that moment.

-- A feed that the configuration names ([feed NAME]).
CREATE TABLE feed(
    name        TEXT PRIMARY KEY,
    position    INTEGER NOT NULL,            -- last change dealt with
    until       INTEGER NOT NULL DEFAULT 0,  -- last change of the message under way, 0: none
    chart       INTEGER NOT NULL DEFAULT 0,  -- whose changes it is made of
    letter      INTEGER NOT NULL DEFAULT 0,  -- the dead letter it is a second attempt of, 0: none
    control_id  TEXT NOT NULL DEFAULT '',    -- its MSH-10
    failures    INTEGER NOT NULL DEFAULT 0,  -- attempts in a row without an answer
    next_ms     INTEGER NOT NULL DEFAULT 0,  -- not before
    reason      TEXT NOT NULL DEFAULT '',    -- of the last failure
    sent        INTEGER NOT NULL DEFAULT 0,  -- messages accepted
    sent_ms     INTEGER NOT NULL DEFAULT 0,  -- the last of them
    refused     INTEGER NOT NULL DEFAULT 0   -- messages refused
) STRICT, WITHOUT ROWID;

-- A message that the receiver refused: the changes (after, until] of one chart.
CREATE TABLE feed_letter(
    id         INTEGER PRIMARY KEY,
    feed       TEXT NOT NULL,
    chart      INTEGER NOT NULL,
    after      INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    control_id TEXT NOT NULL,                -- of the last attempt
    code       TEXT NOT NULL,                -- MSA-1: AE, AR, CE, CR
    reason     TEXT NOT NULL,                -- what the receiver said
    attempts   INTEGER NOT NULL,
    at_ms      INTEGER NOT NULL,             -- of the last attempt
    state      INTEGER NOT NULL              -- enum feed_letter_state
) STRICT;
CREATE INDEX feed_letter_open ON feed_letter(feed, state, id);
