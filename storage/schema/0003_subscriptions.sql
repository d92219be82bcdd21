-- 0003 subscriptions and exports: where each subscription stands in the log of changes, and the jobs of bulk export.
-- What is asked for stays in the Subscription resource; what an export lists, in files beside the store (docs/decisions/0013, 0014).

-- A Subscription that the server works for. rid is the resource's row.
CREATE TABLE subscription(
    rid         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL,             -- logical id
    facility    INTEGER NOT NULL REFERENCES facility(id),
    fingerprint BLOB NOT NULL,             -- certificate that wrote it: whose grant deliveries are made under
    purpose     TEXT NOT NULL,             -- claimed when it was written (v3-ActReason)
    state       INTEGER NOT NULL,          -- enum subscription_state
    position    INTEGER NOT NULL,          -- last change dealt with
    stuck       INTEGER NOT NULL DEFAULT 0,-- change that could not be delivered, 0: none
    failures    INTEGER NOT NULL DEFAULT 0,-- in a row, on that change
    next_ms     INTEGER NOT NULL DEFAULT 0,-- not before
    reason      TEXT NOT NULL DEFAULT ''   -- of the last failure
) STRICT;

-- A bulk export. Files are <folder>/<id>/<number>: pairs of rid and version, 8 bytes each, big-endian.
CREATE TABLE export_job(
    id          TEXT PRIMARY KEY,
    facility    INTEGER NOT NULL REFERENCES facility(id),
    fingerprint BLOB NOT NULL,
    purpose     TEXT NOT NULL,
    level       INTEGER NOT NULL,          -- enum export_level
    group_id    TEXT NOT NULL,             -- of the Group; else empty
    request     TEXT NOT NULL,             -- the kick-off's URL
    query       TEXT NOT NULL,             -- its parameters, URL-encoded
    snapshot_ms INTEGER NOT NULL,          -- transactionTime
    state       INTEGER NOT NULL,          -- enum export_state
    position    INTEGER NOT NULL,          -- last change dealt with
    reason      TEXT NOT NULL DEFAULT '',  -- why it failed
    created_ms  INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL           -- 0: not before it is done
) STRICT, WITHOUT ROWID;
CREATE TABLE export_file(
    job     TEXT NOT NULL REFERENCES export_job(id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    type    TEXT NOT NULL,
    deleted INTEGER NOT NULL,              -- 1: delete markers
    lines   INTEGER NOT NULL,              -- durable in the file
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
