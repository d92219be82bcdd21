-- 0002 facets: search values move into the record's own row, bodies are compressed, every version gets a number in
-- the log of changes. The six ix_ tables of 0001 and their second indexes go; ix_value and ix_string find candidates
-- for searches that name no person. docs/decisions/0012 says why. Bodies and originals are taken over as they stand
-- (plain is one of the forms of storage/body.c). Only keys of type and id are entered here, so that records can be
-- read and written at once; meta.reindex tells the program that facets and the other keys are missing
-- (tasuki migrate up).

-- Bytes as they came; records name them by number. packed: 0 as they came, 1 packed by storage/body.c.
CREATE TABLE original_new(
    id          INTEGER PRIMARY KEY,
    sha         BLOB NOT NULL UNIQUE,      -- of the bytes as they came
    media       TEXT NOT NULL,             -- e.g. application/hl7-v2
    received_ms INTEGER NOT NULL,
    packed      INTEGER NOT NULL DEFAULT 0,
    bytes       BLOB NOT NULL
) STRICT;

-- Every version ever written. seq = lastUpdated ms << 12 | counter (storage/change.h).
CREATE TABLE change(
    seq     INTEGER PRIMARY KEY,
    rid     INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- Current version of every resource. rid = chart << 32 | n, so that one chart's rows (in practice one person's few
-- charts) lie next to each other and every index that ends in rid can be cut to a chart. Rows of no person have
-- chart 0.
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
    scope      TEXT,                       -- message group that replaces as a whole (intake)
    facets     BLOB NOT NULL,              -- packed, base/facet.h
    body       BLOB NOT NULL               -- internal form, packed by storage/body.c; empty when deleted
) STRICT;

-- Former versions, by the number of their change.
CREATE TABLE record_version_new(
    seq      INTEGER PRIMARY KEY,
    rid      INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    category INTEGER NOT NULL,
    label    INTEGER NOT NULL,
    deleted  INTEGER NOT NULL,
    original INTEGER,
    mapper   TEXT,
    body     BLOB NOT NULL
) STRICT;

-- ── what was there ──────────────────────────────────────────────────────────────────────────────
INSERT INTO original_new(sha, media, received_ms, bytes)
SELECT sha, media, received_ms, bytes FROM original ORDER BY rowid;

-- Numbers in the order of lastUpdated. Each is its own time's first number, or the one after its predecessor's where
-- those collide: n + the greatest (time - n) so far is that rule without a loop.
INSERT INTO change(seq, rid, version)
SELECT n + max((updated_ms << 12) - n) OVER (ORDER BY n), rid, version
FROM (SELECT rid, version, updated_ms, row_number() OVER (ORDER BY updated_ms, version, rid) - 1 AS n
      FROM (SELECT rid, version, updated_ms FROM record
            UNION ALL SELECT rid, version, updated_ms FROM record_version))
ORDER BY n;

CREATE TEMP TABLE change_of(
    rid     INTEGER NOT NULL,
    version INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (rid, version)
) WITHOUT ROWID;
INSERT INTO temp.change_of(rid, version, seq) SELECT rid, version, seq FROM change ORDER BY rid, version;

INSERT INTO record_new(rid, type, id, version, seq, chart, facility, category, label, when_lo, when_hi, deleted,
                       original, mapper, scope, facets, body)
SELECT r.rid, r.type, r.id, r.version, c.seq, r.chart, r.facility, r.category, r.label, r.when_lo, r.when_hi,
       r.deleted, (SELECT o.id FROM original_new o WHERE o.sha = r.original), r.mapper, r.scope, x'',
       CAST(r.body AS BLOB)
FROM record r JOIN temp.change_of c ON c.rid = r.rid AND c.version = r.version
ORDER BY r.rid;

INSERT INTO record_version_new(seq, rid, version, category, label, deleted, original, mapper, body)
SELECT c.seq, v.rid, v.version, v.category, v.label, v.deleted,
       (SELECT o.id FROM original_new o WHERE o.sha = v.original), v.mapper, CAST(v.body AS BLOB)
FROM record_version v JOIN temp.change_of c ON c.rid = v.rid AND c.version = v.version
ORDER BY c.seq;

DROP TABLE temp.change_of;
DROP TABLE ix_token;
DROP TABLE ix_string;
DROP TABLE ix_date;
DROP TABLE ix_number;
DROP TABLE ix_reference;
DROP TABLE ix_uri;
DROP TABLE record;
DROP TABLE record_version;
DROP TABLE original;
ALTER TABLE original_new RENAME TO original;
ALTER TABLE record_new RENAME TO record;
ALTER TABLE record_version_new RENAME TO record_version;

-- ── indexes ─────────────────────────────────────────────────────────────────────────────────────
CREATE INDEX record_scope ON record(chart, scope) WHERE scope IS NOT NULL;
-- Who may fetch an original: the facility of a record that names it.
CREATE INDEX record_original ON record(original) WHERE original IS NOT NULL;
CREATE INDEX record_version_original ON record_version(original) WHERE original IS NOT NULL;
CREATE UNIQUE INDEX record_version_rid ON record_version(rid, version);

-- Where to begin a search without a person: hash of a value -> records (storage/key.h). Also finds a record by type
-- and id, and the records of a type.
CREATE TABLE ix_value(
    key INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (key, rid)
) STRICT, WITHOUT ROWID;
INSERT INTO ix_value(key, rid)
SELECT key, rid FROM (SELECT tasuki_key_id(type, id) AS key, rid FROM record
                      UNION ALL SELECT tasuki_key_type(type), rid FROM record WHERE deleted = 0)
ORDER BY key, rid;

-- Strings in folded order, for "starts with"; cut to LIMIT_KEY_TEXT bytes.
CREATE TABLE ix_string(
    param  INTEGER NOT NULL,
    folded TEXT NOT NULL,
    rid    INTEGER NOT NULL,
    PRIMARY KEY (param, folded, rid)
) STRICT, WITHOUT ROWID;

-- Words for _text and _content (FTS5, contentless; rowid = record.seq, so rows of former versions are dead and a
-- reindex drops them). Tokenizer: storage/words.c.
CREATE VIRTUAL TABLE ix_words USING fts5(words, content, content='', columnsize=0, tokenize='tasuki');

INSERT INTO meta(key, value) SELECT 'reindex', 1 WHERE EXISTS (SELECT 1 FROM record);
