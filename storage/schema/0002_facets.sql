-- 0002 facets: search values move into the record's own row, bodies are compressed, every version gets a number in
-- the log of changes. The six ix_ tables of 0001 and their second indexes go; ix_value and ix_string find candidates
-- for searches that name no person. docs/decisions/0012 says why. After this step the record's facets and the indexes
-- are empty: meta.reindex tells the program to fill them (tasuki migrate up).

-- Bytes as they came; records name them by number. bytes: TEXT/BLOB as is, or compressed when packed = 1.
CREATE TABLE original_new(
    id          INTEGER PRIMARY KEY,
    sha         BLOB NOT NULL UNIQUE,
    media       TEXT NOT NULL,
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

CREATE TABLE record_new(
    rid        INTEGER PRIMARY KEY,        -- chart << 32 | n
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
    original   INTEGER,                    -- original.id
    mapper     TEXT,                       -- mapper name/version, e.g. hl7v2/1
    scope      TEXT,                       -- message group that replaces as a whole (intake)
    facets     BLOB NOT NULL,              -- packed, base/facet.h
    body       BLOB NOT NULL               -- internal form, packed by storage/body.c
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
CREATE UNIQUE INDEX record_version_rid ON record_version_new(rid, version);

-- Where to begin a search without a person: hash of a value -> records (storage/key.h). Also finds a record by type and id,
-- and the records of a type.
CREATE TABLE ix_value(
    key INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (key, rid)
) STRICT, WITHOUT ROWID;

-- Strings in folded order, for "starts with"; cut to LIMIT_KEY_TEXT bytes.
CREATE TABLE ix_string_new(
    param  INTEGER NOT NULL,
    folded TEXT NOT NULL,
    rid    INTEGER NOT NULL,
    PRIMARY KEY (param, folded, rid)
) STRICT, WITHOUT ROWID;

-- Words for _text and _content (FTS5, contentless; rowid = record.seq, so rows of former versions are dead and a
-- reindex drops them). Tokenizer: storage/words.c.
CREATE VIRTUAL TABLE ix_words USING fts5(words, content, content='', columnsize=0, tokenize='tasuki');
