/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit chain: honest histories verify, and whatever is done to the file behind the store's
 * back shows, down to one letter moved between two columns. Who may read what of it.
 */
#include "storage/audit.h"

#include <fcntl.h>
#include <inttypes.h>

#include "storage/person.h"
#include "tests/unit/storage/bench.h"

#include "base/banned.h"

#define ROWS 2500

static struct audit_row sample(int i)
{
    static const char *const users[] = {"dr-1", "", "ns-22"};

    return (struct audit_row){.event = "read",
                              .outcome = i % 7 == 0 ? ERR_FORBIDDEN : ERR_OK,
                              .door = "fhir",
                              .actor = "hospital-a",
                              .facility = i % 5 == 0 ? 0 : 1,
                              .user = users[i % 3],
                              .role = "doctor",
                              .purpose = "TREAT",
                              .person = i % 4 == 0 ? 0 : i % 3 + 1,
                              .entity = "Observation/a/_history/1",
                              .query = "GET /fhir/Observation?patient=x",
                              .count = i,
                              .reason = NULL,
                              .request = "0190-ab",
                              .peer = "127.0.0.1"};
}

static void append(struct bench *b, int count)
{
    for (int i = 0; i < count; i++) {
        struct audit_row row = sample(i);

        assert_int_equal(audit_append(b->s, &row), ERR_OK);
    }
}

static struct audit_verdict verify(struct bench *b)
{
    struct audit_verdict verdict = {0};

    assert_int_equal(audit_verify(b->db, b->file, bench_key, &verdict), ERR_OK);
    return verdict;
}

static void assert_good(struct bench *b, int64_t rows)
{
    struct audit_verdict verdict = verify(b);

    if (!verdict.ok)
        fail_msg("at %d: %s", (int)verdict.bad_seq, verdict.text);
    assert_int_equal(verdict.rows, rows);
}

/* A closed store with ROWS rows and its tail signed. */
static void make_history(struct bench *b)
{
    append(b, ROWS);
    assert_int_equal(audit_checkpoint_now(b->s), ERR_OK);
    bench_close_session(b);
}

/* ── honest histories ───────────────────────────────────────────────────────────────────────── */

static void test_clean(void **state)
{
    struct bench *b = *state;
    struct audit_verdict verdict;

    make_history(b);
    verdict = verify(b);
    assert_true(verdict.ok);
    assert_int_equal(verdict.rows, ROWS);
    assert_int_equal(verdict.checkpoints, 3);
    assert_int_equal(audit_verify(b->db, NULL, bench_key, &verdict), ERR_OK);
    assert_true(verdict.ok);
    assert_int_equal(audit_verify("/nonexistent/db", NULL, bench_key, &verdict), ERR_NOT_FOUND);
}

static void test_empty(void **state)
{
    struct bench *b = *state;

    assert_int_equal(audit_checkpoint_now(b->s), ERR_OK);
    bench_end(b, true);
    assert_good(b, 0);
}

/* Verified while it is written to, through rollbacks, and with a second process appending. */
static void test_interleaved(void **state)
{
    struct bench *b = *state;
    struct bench other = *b;

    append(b, 3);
    bench_end(b, true);
    assert_good(b, 3);
    bench_begin(b);
    append(b, 5);
    bench_end(b, false);
    assert_good(b, 3);
    bench_session(&other);
    append(&other, 2);
    bench_end(&other, true);
    bench_begin(b);
    append(b, 1);
    bench_do(b, "SAVEPOINT job");
    append(b, 4);
    bench_do(b, "ROLLBACK TO job");
    b->s->transaction++;
    append(b, 1);
    assert_good(b, 5); /* what is not committed does not count */
    bench_end(b, true);
    assert_good(b, 7);
    session_close(other.s);
}

static int64_t lines_of(struct bench *b)
{
    FILE *file = fopen(b->file, "r");
    int64_t lines = 0;
    int c;

    if (!file)
        return -1;
    while ((c = fgetc(file)) != EOF)
        lines += c == '\n';
    fclose(file);
    return lines;
}

static void test_file_follows_commit(void **state)
{
    struct bench *b = *state;

    append(b, 1000);
    assert_int_equal(lines_of(b), -1); /* not before it is durable */
    bench_end(b, true);
    assert_int_equal(lines_of(b), 1);
    bench_begin(b);
    append(b, 1000);
    bench_end(b, false);
    assert_int_equal(lines_of(b), 1); /* nor what was rolled back */
    bench_begin(b);
    append(b, 2500);
    bench_end(b, true);
    assert_int_equal(lines_of(b), 3);
    bench_begin(b);
    assert_int_equal(audit_checkpoint_now(b->s), ERR_OK);
    assert_int_equal(audit_checkpoint_now(b->s), ERR_OK); /* signed already */
    bench_end(b, true);
    assert_int_equal(lines_of(b), 4);
    assert_good(b, 3500);
}

/* A crash before the file was written, or in the middle of a line, is made good by the next
 * session. */
static void test_file_is_mended(void **state)
{
    struct bench *b = *state;
    off_t keep[] = {0, 1, 100, 180, 300, 400};

    make_history(b);
    for (size_t i = 0; i < T_COUNT(keep); i++) {
        assert_int_equal(truncate(b->file, keep[i]), 0);
        assert_good(b, ROWS + (int64_t)i); /* torn is not tampered */
        bench_session(b);
        append(b, 1);
        bench_close_session(b);
        assert_good(b, ROWS + (int64_t)i + 1);
        assert_true(lines_of(b) >= 3);
    }
    assert_int_equal(truncate(b->file, 200), 0);
    bench_session(b);
    append(b, 1);
    b->s->audit.heads_due = false;
    bench_close_session(b);
    assert_true(lines_of(b) >= 3);
}

static void test_without_key(void **state)
{
    struct bench *b = *state;

    b->options.key = NULL;
    append(b, 1001);
    assert_int_equal(audit_checkpoint_now(b->s), ERR_OK);
    bench_close_session(b);
    assert_good(b, 1001);
    assert_int_equal(verify(b).checkpoints, 0);
}

/* ── tampering ──────────────────────────────────────────────────────────────────────────────── */

static void raw(struct bench *b, const char *text)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(b->db, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void copy(const char *from, const char *to)
{
    char bytes[65536];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    size_t n;

    assert_true(in && out);
    while ((n = fread(bytes, 1, sizeof bytes, in)) > 0)
        assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

#define NO_TRIGGERS "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; "

struct tampering {
    const char *text;
    int64_t bad_seq;
};

static const struct tampering tamperings[] = {
    {"UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 1234", 1234},
    {"UPDATE audit SET event = 'reaD' WHERE seq = 1234", 1234},
    {"UPDATE audit SET outcome = outcome + 1 WHERE seq = 1234", 1234},
    {"UPDATE audit SET door = '' WHERE seq = 1234", 1234},
    {"UPDATE audit SET actor = 'hospital-b' WHERE seq = 1234", 1234},
    {"UPDATE audit SET facility = 2 WHERE seq = 1234", 1234},
    {"UPDATE audit SET facility = NULL WHERE seq = 1234", 1234},
    {"UPDATE audit SET facility = 0 WHERE seq = 1", 1}, /* was NULL */
    {"UPDATE audit SET user = 'dr-2' WHERE seq = 1234", 1234},
    {"UPDATE audit SET role = 'nurse' WHERE seq = 1234", 1234},
    {"UPDATE audit SET purpose = 'BTG' WHERE seq = 1234", 1234},
    {"UPDATE audit SET person = coalesce(person, 0) + 1 WHERE seq = 1234", 1234},
    {"UPDATE audit SET person = NULL WHERE seq = 1235", 1235},
    {"UPDATE audit SET entity = 'Observation/b' WHERE seq = 1234", 1234},
    {"UPDATE audit SET query = query || ' ' WHERE seq = 1234", 1234},
    {"UPDATE audit SET count = 0 WHERE seq = 1234", 1234},
    {"UPDATE audit SET reason = 'x' WHERE seq = 1234", 1234},
    {"UPDATE audit SET request = '' WHERE seq = 1234", 1234},
    {"UPDATE audit SET peer = '127.0.0.2' WHERE seq = 1234", 1234},
    {"UPDATE audit SET hash = zeroblob(32) WHERE seq = 1234", 1234},
    {"UPDATE audit SET hash = x'00' WHERE seq = 1234", 1234},
    {"UPDATE audit SET request = '0190-ab1', peer = '27.0.0.1' WHERE seq = 1234", 1234},
    {"UPDATE audit SET peer = '127.0.0.2' WHERE seq = 2500", 2500},
    {"UPDATE audit SET count = 5 WHERE seq = 1", 1},
    {"DELETE FROM audit WHERE seq = 1", 1},
    {"DELETE FROM audit WHERE seq = 1234", 1234},
    {"DELETE FROM audit WHERE seq = 1234; UPDATE audit SET seq = seq - 1 WHERE seq > 1234", 1234},
    {"DELETE FROM audit WHERE seq = 2500", 2500},
    {"DELETE FROM audit WHERE seq > 2100", 2101},
    {"DELETE FROM audit WHERE seq > 2100; DELETE FROM audit_checkpoint WHERE seq > 2100", 2101},
    {"DELETE FROM audit; DELETE FROM audit_checkpoint", 1},
    {"UPDATE audit SET seq = -1 WHERE seq = 100; UPDATE audit SET seq = 100 WHERE seq = 101;"
     "UPDATE audit SET seq = 101 WHERE seq = -1",
     100},
    {"UPDATE audit SET seq = 3000 WHERE seq = 2500", 2500},
    {"INSERT INTO audit SELECT 0, at_ms, event, outcome, door, actor, facility, user, role, "
     "purpose,"
     " person, entity, query, count, reason, request, peer, hash FROM audit WHERE seq = 1",
     1},
    {"INSERT INTO audit SELECT 2501, at_ms, event, outcome, door, actor, facility, user, role,"
     " purpose, person, entity, query, count, reason, request, peer, hash FROM audit WHERE seq = 1",
     2501},
    {"DELETE FROM audit_checkpoint WHERE seq = 1000", 1000},
    {"DELETE FROM audit_checkpoint", 1000},
    {"UPDATE audit_checkpoint SET mac = zeroblob(32) WHERE seq = 2000", 2000},
    {"UPDATE audit_checkpoint SET hash = zeroblob(32) WHERE seq = 2000", 2000},
    {"UPDATE audit_checkpoint SET at_ms = 0 WHERE seq = 2000", 2000},
    {"UPDATE audit_checkpoint SET hash = x'00' WHERE seq = 2000", 2000},
    {"UPDATE audit_checkpoint SET seq = 2001 WHERE seq = 2000", 2000},
    {"INSERT INTO audit_checkpoint SELECT 0, at_ms, hash, mac FROM audit_checkpoint LIMIT 1", 1},
    {"INSERT INTO audit_checkpoint SELECT 9000, at_ms, hash, mac FROM audit_checkpoint LIMIT 1",
     2501},
    {"ALTER TABLE audit RENAME TO former", 1},
    {"DELETE FROM audit_ref WHERE seq = 1235 AND kind = 1", 1235},
    {"DELETE FROM audit_ref WHERE seq = 1234 AND kind = 2", 1234},
    {"UPDATE audit_ref SET who = who + 100 WHERE seq = 1235 AND kind = 1", 1235},
    {"INSERT INTO audit_ref VALUES(1, 999, 1234)", 1234},
    {"INSERT INTO audit_ref VALUES(3, 1, 1234)", 1234},
    {"INSERT INTO audit_ref VALUES(2, 1, 9000)", 9000},
    {"DELETE FROM audit_ref", 2}, /* row 1 is about nobody */
    {"DROP TABLE audit_ref", 2501},
};

static void test_tampering(void **state)
{
    struct bench *b = *state;
    char good[128];
    char text[600];

    make_history(b);
    snprintf(good, sizeof good, "%s.good", b->db);
    copy(b->db, good);
    for (size_t i = 0; i < T_COUNT(tamperings); i++) {
        struct audit_verdict verdict;

        copy(good, b->db);
        snprintf(text, sizeof text, NO_TRIGGERS "%s", tamperings[i].text);
        raw(b, text);
        verdict = verify(b);
        if (verdict.ok || verdict.bad_seq != tamperings[i].bad_seq || verdict.text[0] == '\0')
            fail_msg("%s: ok %d at %d: %s", tamperings[i].text, verdict.ok, (int)verdict.bad_seq,
                     verdict.text);
    }
    copy(good, b->db);
    assert_good(b, ROWS);
    unlink(good);
}

/* Whoever may write to the file but has no key computes the chain anew from row FROM on. */
static void forge(struct bench *b, int64_t from, bool resign)
{
    static const unsigned char other_key[32] = "another key";

    bench_session(b);
    bench_do(b, NO_TRIGGERS "CREATE TEMP TABLE kept AS SELECT * FROM audit; DELETE FROM audit;"
                         "DELETE FROM audit_ref");
    if (resign)
        bench_do(b, "DELETE FROM audit_checkpoint");
    b->s->transaction++;
    b->options.key = other_key; /* the store's copy is this one */
    for (int64_t i = 1; i <= ROWS; i++) {
        struct audit_row row = sample((int)i - 1);

        row.at_ms = bench_now;
        if (i == from)
            row.user = "somebody else";
        if (i % AUDIT_CHECKPOINT_ROWS == 0 && !resign)
            b->options.key = NULL;
        assert_int_equal(audit_append(b->s, &row), ERR_OK);
        b->options.key = other_key;
    }
    b->options.checkpoint_path = NULL;
    bench_close_session(b);
    b->options.key = bench_key;
    b->options.checkpoint_path = b->file;
}

static void test_forged(void **state)
{
    struct bench *b = *state;
    struct audit_verdict verdict;

    make_history(b);
    forge(b, 1500, false);
    verdict = verify(b);
    assert_false(verdict.ok);
    assert_int_equal(verdict.bad_seq, 2000); /* the first signature that does not fit */
    assert_int_equal(audit_verify(b->db, NULL, bench_key, &verdict), ERR_OK);
    assert_false(verdict.ok); /* the store's own checkpoints tell, too */
    raw(b, "DELETE FROM audit_checkpoint");
    verdict = verify(b);
    assert_false(verdict.ok); /* and the file, without them */
}

static void test_forged_and_signed_otherwise(void **state)
{
    struct bench *b = *state;
    struct audit_verdict verdict;

    make_history(b);
    forge(b, 5, true);
    verdict = verify(b);
    assert_false(verdict.ok);
    assert_int_equal(verdict.bad_seq, 1000);
    assert_int_equal(audit_verify(b->db, NULL, bench_key, &verdict), ERR_OK);
    assert_false(verdict.ok);
    assert_int_equal(verdict.bad_seq, 1000);
}

/* The forging itself must be sound, or the two tests above would pass for the wrong reason. */
static void test_rewriting_the_same_is_the_same(void **state)
{
    struct bench *b = *state;

    make_history(b);
    forge(b, 0, false);
    assert_good(b, ROWS);
}

static void test_wrong_key(void **state)
{
    static const unsigned char other_key[32] = "another key";
    struct bench *b = *state;
    struct audit_verdict verdict;

    make_history(b);
    assert_int_equal(audit_verify(b->db, b->file, other_key, &verdict), ERR_OK);
    assert_false(verdict.ok);
    assert_int_equal(verdict.bad_seq, 1000);
}

/* An older copy of the store put back in place. */
static void test_older_copy(void **state)
{
    struct bench *b = *state;
    char old[128];
    struct audit_verdict verdict;

    snprintf(old, sizeof old, "%s.old", b->db);
    append(b, 1500);
    assert_int_equal(audit_checkpoint_now(b->s), ERR_OK);
    bench_close_session(b);
    copy(b->db, old);
    bench_session(b);
    append(b, 1000);
    bench_close_session(b);
    assert_good(b, 2500);
    copy(old, b->db);
    unlink(old);
    verdict = verify(b);
    assert_false(verdict.ok);
    assert_int_equal(verdict.bad_seq, 1501);
}

static void edit_file(struct bench *b, const char *script)
{
    char command[256];

    snprintf(command, sizeof command, "sed -i '%s' %s", script, b->file);
    assert_int_equal(system(command), 0);
}

static void test_file_edited(void **state)
{
    static const struct {
        const char *script;
        bool ok;
    } cases[] = {
        {"s/^2000 /2001 /", false},
        {"2d", false},
        {"1d", false},
        {"2s/.$/x/", false},
        {"2s/ .*//", false},
        {"1s/^/x/", false},
        {"2s/^\\(.*\\) \\(.\\)/\\1 0\\2/", false},
        {"1p", true}, /* twice */
        {"$d", true},
        {"2i 2000 17", true}, /* a torn line, then the whole one */
        {"2i 3000 17", false},
    };
    struct bench *b = *state;
    char good[128];

    make_history(b);
    snprintf(good, sizeof good, "%s.good", b->file);
    copy(b->file, good);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        copy(good, b->file);
        edit_file(b, cases[i].script);
        if (strcmp(cases[i].script, "2i 2000 17") == 0)
            edit_file(b, "2s/.*/2000 1/"); /* a true beginning whatever the clock says */
        if (verify(b).ok != cases[i].ok)
            fail_msg("%s: %s", cases[i].script, verify(b).text);
    }
    unlink(good);
    unlink(b->file);
    assert_false(verify(b).ok); /* taken away */
}

/* ── reading ────────────────────────────────────────────────────────────────────────────────── */

static struct grant grant_of(enum grant_actor actor, int64_t person, int64_t facility)
{
    return (struct grant){
        .magic = GRANT_MAGIC, .actor = actor, .person = person, .facility = facility};
}

static void test_entitlement(void **state)
{
    static const struct {
        enum grant_actor actor;
        int64_t person, facility; /* of the grant */
        int64_t about, of;        /* asked for */
        enum err want;
    } cases[] = {
        {GRANT_RESIDENT, 2, 0, 2, 0, ERR_OK},        {GRANT_RESIDENT, 2, 0, 2, 1, ERR_OK},
        {GRANT_RESIDENT, 2, 0, 3, 0, ERR_FORBIDDEN}, {GRANT_RESIDENT, 2, 0, 0, 0, ERR_FORBIDDEN},
        {GRANT_RESIDENT, 0, 0, 0, 0, ERR_FORBIDDEN}, {GRANT_FACILITY, 0, 1, 0, 1, ERR_OK},
        {GRANT_FACILITY, 0, 1, 2, 1, ERR_OK},        {GRANT_FACILITY, 0, 1, 2, 0, ERR_FORBIDDEN},
        {GRANT_FACILITY, 0, 1, 0, 2, ERR_FORBIDDEN}, {GRANT_FACILITY, 0, 0, 0, 0, ERR_FORBIDDEN},
        {GRANT_FACILITY, 2, 1, 2, 0, ERR_FORBIDDEN}, /* an emergency opens no log */
        {GRANT_INTAKE, 0, 1, 0, 1, ERR_FORBIDDEN},   {GRANT_OPERATOR, 0, 0, 0, 0, ERR_OK},
        {GRANT_OPERATOR, 0, 0, 3, 0, ERR_OK},
    };
    struct bench *b = *state;
    struct audit_row *rows = NULL;
    struct audit_row row;
    size_t count = 0;
    uint64_t total = 77;

    append(b, 40);
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct grant grant = grant_of(cases[i].actor, cases[i].person, cases[i].facility);
        struct audit_filter filter = {.person = cases[i].about, .facility = cases[i].of};

        session_bind(b->s, &grant);
        if (audit_list(b->s, b->arena, &filter, &rows, &count, &total) != cases[i].want)
            fail_msg("case %d", (int)i);
        for (size_t k = 0; cases[i].want == ERR_OK && k < count; k++) {
            assert_true(!filter.person || rows[k].person == filter.person);
            assert_true(!filter.facility || rows[k].facility == filter.facility);
        }
        session_bind(b->s, NULL);
    }
    assert_int_equal(
        audit_list(b->s, b->arena, &(struct audit_filter){.person = 2}, &rows, &count, &total),
        ERR_FORBIDDEN);
    assert_int_equal(audit_get(b->s, b->arena, 1, &row), ERR_FORBIDDEN);
}

static void test_list(void **state)
{
    struct bench *b = *state;
    struct grant grant = grant_of(GRANT_OPERATOR, 0, 0);
    struct audit_filter filter = {.limit = 10};
    struct audit_row *rows = NULL;
    size_t count = 0;
    uint64_t total = 0;
    int64_t seen = 0;

    append(b, 25);
    bench_now += 5000;
    append(b, 10);
    session_bind(b->s, &grant);
    do {
        assert_int_equal(audit_list(b->s, b->arena, &filter, &rows, &count, &total), ERR_OK);
        assert_int_equal(total, 35); /* of the whole walk, on every page */
        for (size_t i = 0; i < count; i++)
            assert_int_equal(rows[i].seq, 35 - seen++);
        filter.before_seq = 36 - seen;
    } while (count == 10);
    assert_int_equal(seen, 35);
    filter = (struct audit_filter){.from_ms = bench_now};
    assert_int_equal(audit_list(b->s, b->arena, &filter, &rows, &count, &total), ERR_OK);
    assert_int_equal(total, 10);
    assert_int_equal(count, 10);
    assert_int_equal(rows[0].at_ms, bench_now);
    assert_string_equal(rows[0].event, "read");
    assert_string_equal(rows[0].reason, "");
    assert_string_equal(rows[0].query, "GET /fhir/Observation?patient=x");
    assert_int_equal(rows[0].count, 9);
    filter = (struct audit_filter){.to_ms = bench_now, .facility = 1};
    assert_int_equal(audit_list(b->s, b->arena, &filter, &rows, &count, &total), ERR_OK);
    assert_int_equal(total, 20);
    filter = (struct audit_filter){.person = 2, .facility = 1};
    assert_int_equal(audit_list(b->s, b->arena, &filter, &rows, &count, &total), ERR_OK);
    assert_int_equal(total, bench_ask(b, "SELECT count(*) FROM audit WHERE person = 2"
                                         " AND facility = 1"));
    assert_int_equal(count, total);
    session_bind(b->s, NULL);
}

static void test_get(void **state)
{
    static const struct {
        enum grant_actor actor;
        int64_t person, facility, seq;
        enum err want;
    } cases[] = {
        {GRANT_OPERATOR, 0, 0, 2, ERR_OK},        {GRANT_OPERATOR, 0, 0, 99, ERR_NOT_FOUND},
        {GRANT_RESIDENT, 2, 0, 2, ERR_OK},        {GRANT_RESIDENT, 3, 0, 2, ERR_NOT_FOUND},
        {GRANT_RESIDENT, 2, 0, 1, ERR_NOT_FOUND}, {GRANT_FACILITY, 0, 1, 2, ERR_OK},
        {GRANT_FACILITY, 0, 2, 2, ERR_NOT_FOUND}, {GRANT_FACILITY, 0, 1, 1, ERR_NOT_FOUND},
        {GRANT_INTAKE, 0, 1, 2, ERR_FORBIDDEN},
    };
    struct bench *b = *state;

    append(b, 4); /* row 1: about nobody, of no facility; row 2: person 2, facility 1 */
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct grant grant = grant_of(cases[i].actor, cases[i].person, cases[i].facility);
        struct audit_row row = {0};

        session_bind(b->s, &grant);
        if (audit_get(b->s, b->arena, cases[i].seq, &row) != cases[i].want)
            fail_msg("case %d", (int)i);
        assert_int_equal(row.seq, cases[i].want == ERR_OK ? cases[i].seq : 0);
        session_bind(b->s, NULL);
    }
}

static uint64_t seen_by(struct bench *b, int64_t person)
{
    struct grant grant = grant_of(GRANT_RESIDENT, person, 0);
    struct audit_filter filter = {.person = person};
    struct audit_row *rows = NULL;
    struct audit_row row;
    size_t count = 0;
    uint64_t total = 0;

    session_bind(b->s, &grant);
    assert_int_equal(audit_list(b->s, b->arena, &filter, &rows, &count, &total), ERR_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(audit_get(b->s, b->arena, rows[i].seq, &row), ERR_OK);
    session_bind(b->s, NULL);
    return total;
}

/* What was read before the card came is the resident's to see after, and no more once the link is
 * undone. */
static void test_history_follows_link(void **state)
{
    struct bench *b = *state;
    struct person_claim claim = {.local_no = SLICE("1001")};
    struct person_claim desk = {.name = SLICE("a")};
    struct person_match match;
    char card[13];
    int64_t person = 0;

    bench_do(b, "INSERT INTO facility(id, key, code, name, kind) VALUES(1,'a','1','A',0)");
    assert_int_equal(person_identify(b->s, 1, &claim, &match), ERR_OK);
    append(b, 8);
    bench_do(b, NO_TRIGGERS);
    bench_do(b, "UPDATE audit SET person = 1");
    assert_int_equal(match.person, 1);
    assert_int_equal(person_register(b->s, &desk, &person), ERR_OK);
    assert_int_equal(person_free_card(b->s, card), ERR_OK);
    assert_int_equal(person_issue_card(b->s, person, slice_str(card)), ERR_OK);
    assert_int_equal(seen_by(b, person), 0);
    claim.card = slice_str(card);
    assert_int_equal(person_identify(b->s, 1, &claim, &match), ERR_OK);
    assert_int_equal(match.person, person);
    assert_int_equal(seen_by(b, person), 8);
    assert_int_equal(person_undo(b->s, match.chart), ERR_OK);
    assert_int_equal(seen_by(b, person), 0);
    assert_int_equal(seen_by(b, 1), 8);
}

/* ── through the store's own threads ────────────────────────────────────────────────────────── */

static enum err audit_one(struct session *s, struct store_job *job)
{
    struct audit_row row = sample(3);

    (void)job;
    return audit_append(s, &row);
}

static enum err fail_apply(struct session *s, struct store_job *job)
{
    struct audit_row row = sample(1);
    enum err err = audit_append(s, &row); /* rolled back with the job */

    (void)job;
    return err != ERR_OK ? err : ERR_CONFLICT;
}

static void test_store(void **state)
{
    struct bench *b = *state;
    struct store *store = NULL;
    int64_t rows = 0;

    bench_close_session(b);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(store_open(&b->options, &store), ERR_OK);
        for (int i = 0; i < 400; i++) {
            struct store_job job = {.audit = audit_one, .apply = i % 3 == 0 ? fail_apply : NULL};

            assert_int_equal(store_run(store, &job), i % 3 == 0 ? ERR_CONFLICT : ERR_OK);
            rows++;
            if (i == 200)
                assert_good(b, rows); /* beside the running store */
        }
        store_close(store);
        assert_good(b, rows);
        assert_int_equal(lines_of(b), verify(b).checkpoints); /* the tail is covered outside, too */
    }
    assert_int_equal(lines_of(b), 4); /* 400, 800, 1000, 1200 */
}

/* A damaged file is a verdict or an error; never a crash, and a row's own bytes never pass. */
static void test_damage(void **state)
{
    struct bench *b = *state;
    uint64_t seed = 11;
    unsigned caught = 0;
    unsigned char good;
    unsigned char bad;
    int64_t size;
    int file;

    append(b, 200);
    assert_int_equal(audit_checkpoint_now(b->s), ERR_OK);
    bench_close_session(b);
    file = open(b->db, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    size = lseek(file, 0, SEEK_END);
    for (int round = 0; round < 400; round++) {
        struct audit_verdict verdict = {0};
        off_t at;
        enum err err;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        at = (off_t)((seed >> 30) % (uint64_t)size);
        assert_int_equal(pread(file, &good, 1, at), 1);
        bad = good ^ (unsigned char)(1u << (seed >> 29) % 8);
        assert_int_equal(pwrite(file, &bad, 1, at), 1);
        err = audit_verify(b->db, b->file, bench_key, &verdict);
        caught += err != ERR_OK || !verdict.ok;
        assert_int_equal(pwrite(file, &good, 1, at), 1);
    }
    close(file);
    assert_true(caught > 20); /* most of the file is other tables' empty pages */
    assert_good(b, 200);
}

/* Figures, not gates: a shared machine with sanitizers on says little. */
static void test_speed(void **state)
{
    struct bench *b = *state;
    const char *wanted = getenv("TASUKI_BENCH_ROWS");
    int64_t rows = wanted ? strtoll(wanted, NULL, 10) : 5000;
    int64_t start = clock_monotonic_ms();
    int64_t middle;

    append(b, (int)rows);
    middle = clock_monotonic_ms();
    bench_close_session(b);
    printf("append: %" PRId64 " rows in %" PRId64 " ms\n", rows, middle - start);
    start = clock_monotonic_ms();
    assert_good(b, rows);
    printf("verify: %" PRId64 " rows in %" PRId64 " ms\n", rows, clock_monotonic_ms() - start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_clean),
        BENCH_TEST(test_empty),
        BENCH_TEST(test_interleaved),
        BENCH_TEST(test_file_follows_commit),
        BENCH_TEST(test_file_is_mended),
        BENCH_TEST(test_without_key),
        BENCH_TEST(test_tampering),
        BENCH_TEST(test_forged),
        BENCH_TEST(test_forged_and_signed_otherwise),
        BENCH_TEST(test_rewriting_the_same_is_the_same),
        BENCH_TEST(test_wrong_key),
        BENCH_TEST(test_older_copy),
        BENCH_TEST(test_file_edited),
        BENCH_TEST(test_entitlement),
        BENCH_TEST(test_list),
        BENCH_TEST(test_get),
        BENCH_TEST(test_history_follows_link),
        BENCH_TEST(test_store),
        BENCH_TEST(test_damage),
        BENCH_TEST(test_speed),
    };
    return T_RUN(tests);
}
