-- 0006 blocks: what a write costs (docs/decisions/0020). The indexes of values and strings name blocks of a chart instead
-- of single records, so that a code a resident has every month is entered once; records are found by type and id in a table
-- of their own. A group that a message replaces as a whole is a span of numbers and not a row for each record, and an
-- original says who sent it, so that no index over records is needed for it. Of the indexes of search only types are
-- entered here; the rest is a reindex's (tasuki migrate up).

-- ── originals ───────────────────────────────────────────────────────────────────────────────────
-- Bytes as they came; records name them by number. packed: 0 as they came, 1 packed by storage/body.c.
CREATE TABLE original_new(
    id          INTEGER PRIMARY KEY,
    sha         BLOB NOT NULL,             -- of the bytes as they came
    facility    INTEGER NOT NULL,          -- that sent them; 0: nobody's records ever named them
    media       TEXT NOT NULL,             -- e.g. application/hl7-v2
    received_ms INTEGER NOT NULL,
    packed      INTEGER NOT NULL DEFAULT 0,
    bytes       BLOB NOT NULL,
    UNIQUE (sha, facility)
) STRICT;

-- Who may have each: the source of a record, present or former, that names it, or whoever it was refused to.
CREATE TEMP TABLE sender(
    original INTEGER NOT NULL,
    facility INTEGER NOT NULL,
    PRIMARY KEY (original, facility)
) WITHOUT ROWID;
INSERT OR IGNORE INTO temp.sender SELECT original, facility FROM record WHERE original IS NOT NULL;
INSERT OR IGNORE INTO temp.sender
SELECT v.original, r.facility FROM record_version v JOIN record r ON r.rid = v.rid WHERE v.original IS NOT NULL;
INSERT OR IGNORE INTO temp.sender SELECT o.id, q.facility FROM quarantine q JOIN original o ON o.sha = q.sha;
INSERT OR IGNORE INTO temp.sender
SELECT o.id, q.facility FROM replay p JOIN quarantine q ON q.id = p.quarantine JOIN original o ON o.sha = p.sha;

INSERT INTO original_new(id, sha, facility, media, received_ms, packed, bytes)
SELECT o.id, o.sha, coalesce((SELECT min(s.facility) FROM temp.sender s WHERE s.original = o.id), 0), o.media,
       o.received_ms, o.packed, o.bytes
FROM original o ORDER BY o.id;
-- The same bytes from another: rare. Records go on naming the first.
INSERT INTO original_new(sha, facility, media, received_ms, packed, bytes)
SELECT o.sha, s.facility, o.media, o.received_ms, o.packed, o.bytes
FROM original o JOIN temp.sender s ON s.original = o.id
WHERE s.facility > (SELECT min(f.facility) FROM temp.sender f WHERE f.original = o.id);
DROP TABLE temp.sender;

-- ── records ─────────────────────────────────────────────────────────────────────────────────────
-- Current version of every resource. rid = chart << 32 | n, so that one chart's rows (in practice one person's few
-- charts) lie next to each other. Rows of no person have chart 0.
CREATE TABLE record_new(
    rid        INTEGER PRIMARY KEY,
    type       TEXT NOT NULL,
    id         TEXT NOT NULL,
    version    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,           -- of this version in change
    chart      INTEGER NOT NULL,
    facility   INTEGER NOT NULL,           -- source
    category   INTEGER NOT NULL,           -- enum category
    label      INTEGER NOT NULL,           -- enum record_label
    when_lo    INTEGER NOT NULL,           -- clinical time, ms
    when_hi    INTEGER NOT NULL,
    deleted    INTEGER NOT NULL DEFAULT 0,
    original   INTEGER,                    -- original.id of the bytes it was mapped from
    mapper     TEXT,                       -- mapper name/version, e.g. hl7v2/1
    scope      INTEGER,                    -- message group that replaces as a whole: hash of its name (storage/key.h)
    facets     BLOB NOT NULL,              -- packed, base/facet.h
    body       BLOB NOT NULL               -- internal form, packed by storage/body.c; empty when deleted
) STRICT;
INSERT INTO record_new
SELECT rid, type, id, version, seq, chart, facility, category, label, when_lo, when_hi, deleted, original, mapper,
       CASE WHEN scope IS NOT NULL THEN tasuki_key_scope(scope) END, facets, body
FROM record ORDER BY rid;

-- Where the records of a group lie in their chart: all of them, among others, have numbers from low to high.
CREATE TABLE scope(
    chart INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    low   INTEGER NOT NULL,
    high  INTEGER NOT NULL,
    PRIMARY KEY (chart, scope)
) STRICT, WITHOUT ROWID;
INSERT INTO scope(chart, scope, low, high)
SELECT chart, scope, min(rid), max(rid) FROM record_new WHERE scope IS NOT NULL GROUP BY chart, scope;

DROP INDEX record_version_original;
DROP INDEX replay_sha;
DROP TABLE record;
DROP TABLE original;
ALTER TABLE original_new RENAME TO original;
ALTER TABLE record_new RENAME TO record;

-- ── search ──────────────────────────────────────────────────────────────────────────────────────
DROP TABLE ix_value;
DROP TABLE ix_string;

-- A record by type and logical id: hash (storage/key.h) -> record, delete markers too.
CREATE TABLE ix_id(
    key INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (key, rid)
) STRICT, WITHOUT ROWID;
INSERT INTO ix_id(key, rid) SELECT tasuki_key_id(type, id), rid FROM record ORDER BY 1, 2;

-- Where to begin a search without a person: hash of a value -> a Patient, or the first number of a block of 64 in which
-- a record may have it.
CREATE TABLE ix_value(
    key INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (key, rid)
) STRICT, WITHOUT ROWID;
INSERT INTO ix_value(key, rid)
SELECT DISTINCT CASE type WHEN 'Patient' THEN tasuki_key_type(type) ELSE tasuki_key_type(type) | (1 << 61) END,
                CASE type WHEN 'Patient' THEN rid ELSE rid & ~63 END
FROM record WHERE deleted = 0 ORDER BY 1, 2;

-- Strings in folded order, for "starts with"; cut to LIMIT_KEY_TEXT bytes. param: with 65536 beside it when rid is a block.
CREATE TABLE ix_string(
    param  INTEGER NOT NULL,
    folded TEXT NOT NULL,
    rid    INTEGER NOT NULL,
    PRIMARY KEY (param, folded, rid)
) STRICT, WITHOUT ROWID;

INSERT OR REPLACE INTO meta(key, value) SELECT 'reindex', 1 WHERE EXISTS (SELECT 1 FROM record);
