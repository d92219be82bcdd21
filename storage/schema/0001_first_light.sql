-- 0001 first light: every table Tasuki starts with. Forward only; a later change is a new file.
-- docs/data-model.md explains each table and index with an example row.

-- Facts about the store itself: created_ms, when the file was made (storage/migrate.c). (The schema
-- version is PRAGMA user_version.)
CREATE TABLE meta(
    key   TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- ── who may speak ───────────────────────────────────────────────────────────────────────────────
-- Organisations whose systems are connected. kind: enum facility_kind (storage/registry.h).
CREATE TABLE facility(
    id     INTEGER PRIMARY KEY,
    key    TEXT NOT NULL UNIQUE,           -- short name in configuration, e.g. hospital-a
    code   TEXT NOT NULL UNIQUE,           -- 10-digit institution code
    name   TEXT NOT NULL,
    kind   INTEGER NOT NULL,
    active INTEGER NOT NULL DEFAULT 1
) STRICT;

-- People a facility vouches for in the Tasuki-User header.
CREATE TABLE staff(
    facility INTEGER NOT NULL REFERENCES facility(id),
    user     TEXT NOT NULL,
    name     TEXT NOT NULL,
    role     INTEGER NOT NULL,             -- enum staff_role
    active   INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (facility, user)
) STRICT, WITHOUT ROWID;

-- Client certificates, known by SHA-256 of their DER. Exactly one of facility and person is set.
CREATE TABLE cert(
    fingerprint   BLOB PRIMARY KEY,
    name          TEXT NOT NULL,           -- short name, e.g. hospital-a, resident-1
    serial        TEXT NOT NULL,           -- hex, as in the CRL
    facility      INTEGER REFERENCES facility(id),
    person        INTEGER REFERENCES person(id),
    registered_ms INTEGER NOT NULL,
    revoked_ms    INTEGER,
    CHECK ((facility IS NULL) <> (person IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX cert_serial ON cert(serial);
CREATE INDEX cert_person ON cert(person) WHERE person IS NOT NULL;

-- ── relay index (中継DB): no clinical data ────────────────────────────────────────────────────────
CREATE TABLE person(
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL DEFAULT '',  -- folded for matching (mappers/fhir/fold.h)
    kana        TEXT NOT NULL DEFAULT '',
    birth_date  TEXT NOT NULL DEFAULT '',
    gender      TEXT NOT NULL DEFAULT '',
    created_ms  INTEGER NOT NULL
) STRICT;

-- A chart (カルテ) is one facility's folder of one person. Clinical rows hang on charts, so that
-- linking and unlinking moves no clinical row: only chart.person changes.
CREATE TABLE chart(
    id         INTEGER PRIMARY KEY,
    facility   INTEGER NOT NULL REFERENCES facility(id),
    local_no   TEXT NOT NULL,              -- the facility's patient number; '~' + random when none was given
    alias      TEXT,                       -- Patient id the facility chose itself by PUT
    person     INTEGER NOT NULL REFERENCES person(id),
    created_ms INTEGER NOT NULL,
    UNIQUE (facility, local_no)
) STRICT;
CREATE INDEX chart_person ON chart(person, facility);
CREATE UNIQUE INDEX chart_alias ON chart(facility, alias) WHERE alias IS NOT NULL;

-- Every change of chart.person, so that it can be undone and explained.
CREATE TABLE link_log(
    seq         INTEGER PRIMARY KEY,
    chart       INTEGER NOT NULL REFERENCES chart(id),
    from_person INTEGER,
    to_person   INTEGER NOT NULL,
    reason      TEXT NOT NULL,             -- card, insurer, local, operator, undo
    at_ms       INTEGER NOT NULL
) STRICT;
CREATE INDEX link_log_chart ON link_log(chart, seq);
CREATE INDEX link_log_from ON link_log(from_person) WHERE from_person IS NOT NULL;

-- Likely links that a human must decide.
CREATE TABLE link_queue(
    id         INTEGER PRIMARY KEY,
    chart      INTEGER NOT NULL REFERENCES chart(id),
    candidate  INTEGER NOT NULL REFERENCES person(id),
    agreeing   INTEGER NOT NULL,           -- number of fields that agree
    at_ms      INTEGER NOT NULL,
    decided_ms INTEGER,
    UNIQUE (chart, candidate)
) STRICT;

CREATE TABLE card(
    number     TEXT PRIMARY KEY,           -- 12 digits
    person     INTEGER NOT NULL REFERENCES person(id),
    issued_ms  INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX card_person ON card(person);

CREATE TABLE insured(
    insurer    TEXT NOT NULL,              -- 8 digits
    symbol     TEXT NOT NULL,              -- after NFKC folding
    number     TEXT NOT NULL,
    branch     TEXT NOT NULL,
    person     INTEGER NOT NULL REFERENCES person(id),
    seen_ms    INTEGER NOT NULL,
    PRIMARY KEY (insurer, symbol, number, branch)
) STRICT, WITHOUT ROWID;
CREATE INDEX insured_person ON insured(person);

-- ── records ─────────────────────────────────────────────────────────────────────────────────────
-- Bytes as they came, addressed by SHA-256; never changed.
CREATE TABLE original(
    sha         BLOB PRIMARY KEY,
    media       TEXT NOT NULL,             -- e.g. application/hl7-v2
    received_ms INTEGER NOT NULL,
    bytes       BLOB NOT NULL
) STRICT;

-- Current version of every resource. rid = chart << 32 | n, so that one chart's rows (in practice one
-- person's few charts) lie next to each other and every index that ends in rid can be cut to a chart.
-- Rows of no person have chart 0.
CREATE TABLE record(
    rid        INTEGER PRIMARY KEY,
    type       TEXT NOT NULL,
    id         TEXT NOT NULL,
    version    INTEGER NOT NULL,
    chart      INTEGER NOT NULL,
    facility   INTEGER NOT NULL,           -- source
    category   INTEGER NOT NULL,           -- enum category
    label      INTEGER NOT NULL DEFAULT 0, -- enum record_label
    when_lo    INTEGER NOT NULL,           -- clinical time, ms
    when_hi    INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted    INTEGER NOT NULL DEFAULT 0,
    scope      TEXT,                       -- message group that replaces as a whole (intake)
    original   BLOB,                       -- sha of the bytes it was mapped from
    mapper     TEXT,                       -- mapper name/version, e.g. hl7v2/1
    body       TEXT NOT NULL,              -- internal form: the row's own patient is "Patient/@"
    UNIQUE (type, id)
) STRICT;
CREATE INDEX record_scope ON record(chart, scope) WHERE scope IS NOT NULL;
-- One type of one chart (or of the whole store) in rid order, without touching other rows' bodies.
CREATE INDEX record_type ON record(type, rid) WHERE deleted = 0;
-- Who may fetch an original: the facility of a record that names it.
CREATE INDEX record_original ON record(original) WHERE original IS NOT NULL;

-- Former versions (the current one is in record).
CREATE TABLE record_version(
    rid        INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    category   INTEGER NOT NULL,
    label      INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    original   BLOB,
    mapper     TEXT,
    body       TEXT NOT NULL,
    PRIMARY KEY (rid, version)
) STRICT;
CREATE INDEX record_version_original ON record_version(original) WHERE original IS NOT NULL;

-- Search indexes: pure functions of record.body, rebuilt by `tasuki reindex`. Each is ordered twice: by
-- value, for a search that starts from a code (param, code, then the rid range of a person's charts), and
-- by (rid, param), for a search that starts from a person's records and for dropping a record's rows.
CREATE TABLE ix_token(
    param  INTEGER NOT NULL,
    code   TEXT NOT NULL,
    rid    INTEGER NOT NULL,
    system TEXT NOT NULL,
    PRIMARY KEY (param, code, rid, system)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_token_rid ON ix_token(rid, param);
CREATE TABLE ix_string(
    param  INTEGER NOT NULL,
    folded TEXT NOT NULL,
    rid    INTEGER NOT NULL,
    raw    TEXT NOT NULL,
    PRIMARY KEY (param, folded, rid, raw)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_string_rid ON ix_string(rid, param);
CREATE TABLE ix_date(
    param INTEGER NOT NULL,
    lo    INTEGER NOT NULL,
    hi    INTEGER NOT NULL,
    rid   INTEGER NOT NULL,
    PRIMARY KEY (param, lo, hi, rid)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_date_rid ON ix_date(rid, param);
CREATE TABLE ix_number(
    param  INTEGER NOT NULL,
    lo     REAL NOT NULL,
    hi     REAL NOT NULL,
    rid    INTEGER NOT NULL,
    system TEXT NOT NULL,
    unit   TEXT NOT NULL,
    PRIMARY KEY (param, lo, hi, rid, system, unit)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_number_rid ON ix_number(rid, param);
CREATE TABLE ix_reference(
    param  INTEGER NOT NULL,
    target TEXT NOT NULL,
    rid    INTEGER NOT NULL,
    PRIMARY KEY (param, target, rid)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_reference_rid ON ix_reference(rid, param);
CREATE TABLE ix_uri(
    param INTEGER NOT NULL,
    uri   TEXT NOT NULL,
    rid   INTEGER NOT NULL,
    PRIMARY KEY (param, uri, rid)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_uri_rid ON ix_uri(rid, param);

-- ── consent ─────────────────────────────────────────────────────────────────────────────────────
-- Rules compiled from active Consent resources (exchange/gate/consent.c); rid is the Consent's row.
CREATE TABLE consent_rule(
    chart      INTEGER NOT NULL,
    rid        INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    effect     INTEGER NOT NULL,           -- 1 permit, 0 deny
    nested     INTEGER NOT NULL,           -- 0 root provision, 1 exception inside it
    facility   INTEGER NOT NULL,           -- 0 = every participant
    purposes   INTEGER NOT NULL,           -- mask, storage/grant.h
    categories INTEGER NOT NULL,           -- mask, base/category.h
    from_ms    INTEGER NOT NULL,
    to_ms      INTEGER NOT NULL,
    PRIMARY KEY (chart, rid, seq)
) STRICT, WITHOUT ROWID;

-- Emergency access sessions (break-glass). The token itself is not kept.
CREATE TABLE glass(
    token_sha  BLOB PRIMARY KEY,
    facility   INTEGER NOT NULL,
    person     INTEGER NOT NULL,
    user       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    text       TEXT NOT NULL,
    opened_ms  INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- ── audit ───────────────────────────────────────────────────────────────────────────────────────
-- Append-only hash chain: hash = SHA-256 over the canonical row and the hash before it (storage/audit.c).
CREATE TABLE audit(
    seq       INTEGER PRIMARY KEY,
    at_ms     INTEGER NOT NULL,
    event     TEXT NOT NULL,               -- read, search, create, update, delete, break-glass, intake, ...
    outcome   INTEGER NOT NULL,            -- enum err of the answer, 0 = done
    door      TEXT NOT NULL,
    actor     TEXT NOT NULL,               -- facility key, resident, operator, or unknown
    facility  INTEGER,
    user      TEXT NOT NULL,
    role      TEXT NOT NULL,
    purpose   TEXT NOT NULL,
    person    INTEGER,                     -- about whom
    entity    TEXT NOT NULL,               -- Type/id/_history/version, or empty
    query     TEXT NOT NULL,               -- the request line, secrets stripped
    count     INTEGER NOT NULL,            -- resources released
    reason    TEXT NOT NULL,               -- deciding rule, break-glass reason, refusal
    request   TEXT NOT NULL,               -- correlation id
    peer      TEXT NOT NULL,
    hash      BLOB NOT NULL
) STRICT;
-- Who is in which rows: kind 1 the person a row is about, 2 the facility that acted. Entered in blocks (storage/audit.c,
-- AUDIT_REF_ROWS): an index kept row by row would touch a page per person in every commit. Rows after the last
-- whole block are found by reading them.
CREATE TABLE audit_ref(
    kind INTEGER NOT NULL,
    who  INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (kind, who, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

-- Signed heads of the chain; a copy of each goes to a file outside the store.
CREATE TABLE audit_checkpoint(
    seq   INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    hash  BLOB NOT NULL,
    mac   BLOB NOT NULL
) STRICT;

-- ── intake ──────────────────────────────────────────────────────────────────────────────────────
-- Messages answered before, so that a repeat gets the same acknowledgement and one effect.
CREATE TABLE inbox(
    facility   INTEGER NOT NULL,
    sender     TEXT NOT NULL,              -- MSH-3|MSH-4
    control_id TEXT NOT NULL,              -- MSH-10
    kind       TEXT NOT NULL,              -- MSH-9 code^trigger and first order number (docs/decisions)
    sha        BLOB NOT NULL,
    outcome    INTEGER NOT NULL,           -- enum err
    answer     TEXT NOT NULL,              -- the acknowledgement sent
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (facility, sender, control_id, kind)
) STRICT, WITHOUT ROWID;

-- Files of watched folders already dealt with.
CREATE TABLE intake_file(
    facility INTEGER NOT NULL,
    path     TEXT NOT NULL,                -- relative to the watched root
    size     INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha      BLOB NOT NULL,
    outcome  INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (facility, path)
) STRICT, WITHOUT ROWID;

-- Refused input, kept for correction and replay, never filed.
CREATE TABLE quarantine(
    id       INTEGER PRIMARY KEY,
    facility INTEGER NOT NULL,
    door     TEXT NOT NULL,
    name     TEXT NOT NULL,                -- file path or message control id
    sha      BLOB NOT NULL,                -- of the original
    outcome  INTEGER NOT NULL,             -- enum err
    place    TEXT NOT NULL,
    en       TEXT NOT NULL,
    ja       TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    UNIQUE (facility, door, name, sha)
) STRICT;

-- Fields that came with content and were kept in the original only.
CREATE TABLE unmapped(
    facility INTEGER NOT NULL,
    message  TEXT NOT NULL,                -- e.g. ADT^A08
    field    TEXT NOT NULL,                -- e.g. NK1-13
    seen     INTEGER NOT NULL,
    PRIMARY KEY (facility, message, field)
) STRICT, WITHOUT ROWID;
