/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps from schema 1 to now, on a store as version 1 left it: nothing is lost, versions get
 * numbers in the order of their times, records can be read and written at once, and after a reindex
 * be found. An empty store needs no reindex; a stopped one is begun anew.
 */
#include "lib/t.h"

#include <sqlite3.h>

#include "base/asset.h"
#include "lib/store_fixture.h"
#include "storage/change.h"
#include "storage/original.h"
#include "storage/sql.h"

#include "storage/migrate.h"

#include "base/banned.h"

#define T0 (FIXTURE_NOW - 86400000)
#define SHA_HEX "0102030405060708010203040506070801020304050607080102030405060708"

/* Two facilities, one person with a chart in each. Chart 1: x with three versions, two in the same
 * millisecond; gone, deleted; from an original. Chart 2: y, of the same millisecond as x's second.
 * Of no person: org. */
static const char rows[] =
    "INSERT INTO meta VALUES('created_ms', 1);"
    "INSERT INTO facility(id, key, code, name, kind) VALUES(1, 'a', '1', 'A', 0), (2, 'b', '2', "
    "'B', 1);"
    "INSERT INTO person(id, created_ms) VALUES(1, 1);"
    "INSERT INTO chart(id, facility, local_no, person, created_ms)"
    " VALUES(1, 1, '1', 1, 1), (2, 2, '1', 1, 1);"
    "INSERT INTO original(sha, media, received_ms, bytes)"
    " VALUES(x'" SHA_HEX "', 'application/hl7-v2', 1, CAST('MSH|^~\\&' AS BLOB));"
    "INSERT INTO record(rid, type, id, version, chart, facility, category, label, when_lo, when_hi,"
    " updated_ms, deleted, scope, original, mapper, body) VALUES"
    " (4294967297, 'Observation', 'x', 3, 1, 1, 6, 0, 5, 6, %T2, 0, 'g', x'" SHA_HEX "', 'hl7v2/1',"
    "  '{\"resourceType\":\"Observation\",\"v\":3,\"note\":[{\"text\":\"" /* long enough to be
                                                                             packed */
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}'),"
    " (4294967298, 'Observation', 'gone', 2, 1, 1, 6, 1, 5, 6, %T3, 1, NULL, NULL, NULL, ''),"
    " (8589934593, 'Observation', 'y', 1, 2, 2, 6, 0, 5, 6, %T1, 0, NULL, NULL, NULL, '{\"v\":1}'),"
    " (1, 'Organization', 'org', 1, 0, 1, 0, 0, 5, 6, %T0, 0, NULL, NULL, NULL, '{\"o\":1}');"
    "INSERT INTO record_version(rid, version, category, label, updated_ms, deleted, original, "
    "mapper, body) VALUES"
    " (4294967297, 1, 6, 0, %T0, 0, NULL, NULL, '{\"v\":1}'),"
    " (4294967297, 2, 6, 2, %T1, 0, x'" SHA_HEX "', 'hl7v2/1', '{\"v\":2}'),"
    " (4294967298, 1, 6, 1, %T0, 0, NULL, NULL, '{\"g\":1}');"
    "INSERT INTO ix_token VALUES(1, 'c', 4294967297, '');"
    "INSERT INTO ix_string VALUES(2, 's', 4294967297, 'S');"
    "PRAGMA user_version = 1;";

/* %Tn: n seconds after T0. */
static void with_times(struct buf *out)
{
    for (const char *p = rows; *p; p++) {
        if (p[0] == '%' && p[1] == 'T') {
            buf_addf(out, "%lld", (long long)(T0 + 1000 * (p[2] - '0')));
            p += 2;
        } else {
            buf_addc(out, *p);
        }
    }
    buf_addc(out, '\0');
}

static void run_raw(sqlite3 *db, const char *text)
{
    char *message = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
        print_error("%s\n", message);
    assert_null(message);
}

/* A store of version 1 at the fixture's path. */
static void make_old(struct fixture *f, bool filled)
{
    sqlite3 *db = NULL;
    struct buf text;
    const struct asset *schema = asset_find(storage_assets, "storage/schema/0001_first_light.sql");
    assert_non_null(schema);
    buf_init(&text, 65536);
    with_times(&text);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    run_raw(db, (const char *)schema->bytes);
    run_raw(db, filled ? text.ptr : "PRAGMA user_version = 1");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    buf_fini(&text);
}

struct asked {
    struct fixture *f;
    const char *sql;
    int64_t value;
};
static enum err ask_step(struct session *s, void *context)
{
    struct asked *a = context;
    struct sql *q = NULL;
    enum err err = sql_prepare(s, a->sql, SQL_OWN, &q);
    if (err)
        return err;
    err = sql_row(q);
    a->value = err ? -1 : sql_i64(q, 0);
    return sql_done(q, err);
}
static int64_t ask(struct fixture *f, const char *sql)
{
    struct asked a = {f, sql, -1};
    assert_int_equal(fixture_write(f, ask_step, &a), ERR_OK);
    return a.value;
}

struct reading {
    struct fixture *f;
    struct grant grant;
    struct change_query query;
    struct change_result result;
    struct record x, y;
    struct slice original;
};
static enum err read_step(struct session *s, void *context)
{
    struct reading *r = context;
    unsigned char sha[DIGEST_LEN];
    session_bind(s, &r->grant);
    if (!digest_unhex(SLICE(SHA_HEX), sha, sizeof sha))
        return ERR_INTERNAL;
    enum err err = record_read(s, r->f->arena, SLICE("Observation"), SLICE("x"), &r->x);
    if (!err && record_read(s, r->f->arena, SLICE("Observation"), SLICE("gone"), &r->y) != ERR_GONE)
        err = ERR_INTERNAL;
    if (!err)
        err = change_list(s, r->f->arena, &r->query, &r->result);
    if (!err)
        err = original_get(s, r->f->arena, sha, &r->original);
    return err;
}

static void test_nothing_is_lost(void **state)
{
    (void)state;
    struct fixture f;
    bool needs = false;
    fixture_new(&f);
    make_old(&f, true);
    assert_int_equal(fixture_try_open(&f, 2), ERR_OK);
    assert_int_equal(store_needs_reindex(f.path, &needs), ERR_OK);
    assert_true(needs);
    assert_int_equal(ask(&f, "PRAGMA user_version"), migrate_newest());
    assert_int_equal(ask(&f, "SELECT count(*) FROM subscription"), 0);
    assert_int_equal(ask(&f, "SELECT count(*) FROM replay"), 0);
    assert_int_equal(ask(&f,
                         "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'ix\\_%' ESCAPE '\\'"
                         " AND name NOT LIKE 'ix\\_words%' ESCAPE '\\'"),
                     3);
    assert_int_equal(
        ask(&f, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%\\_new' ESCAPE '\\'"), 0);

    struct reading r = {.f = &f,
                        .grant = fixture_facility(1, GRANT_TREAT),
                        .query = {.limit = 100, .oldest_first = true, .count_total = true}};
    assert_int_equal(fixture_read(&f, read_step, &r), ERR_OK);
    assert_int_equal(r.x.version, 3);
    assert_int_equal(r.x.person, 1);
    assert_int_equal(r.x.updated_ms, T0 + 2000);
    assert_true(slice_starts(r.x.body, SLICE("{\"resourceType\":\"Observation\",\"v\":3,")));
    assert_slice(r.original, "MSH|^~\\&");

    /* Seen by A: all but B's y, in the order of their times. */
    static const struct {
        const char *id;
        int64_t version, seconds;
        const char *body;
    } versions[] = {{"org", 1, 0, "{\"o\":1}"},  {"x", 1, 0, "{\"v\":1}"},
                    {"gone", 1, 0, "{\"g\":1}"}, {"x", 2, 1, "{\"v\":2}"},
                    {"x", 3, 2, NULL},           {"gone", 2, 3, ""}};
    assert_int_equal(r.result.total, T_COUNT(versions));
    for (size_t i = 0; i < T_COUNT(versions); i++) {
        const struct record *got = &r.result.records[i];
        assert_slice(got->id, versions[i].id);
        assert_int_equal(got->version, versions[i].version);
        assert_int_equal(got->updated_ms, T0 + 1000 * versions[i].seconds);
        assert_int_equal(got->deleted, got->version == 2 && slice_is(got->id, "gone"));
        if (versions[i].body)
            assert_slice(got->body, versions[i].body);
        assert_true(i == 0 || got->seq > r.result.records[i - 1].seq);
    }
    assert_int_equal(r.result.records[3].label, RECORD_WITHHELD);
    fixture_close(&f);
}

static enum err index_of(void *context, struct arena *arena, struct slice type, struct slice body,
                         struct record_index *ret_index)
{
    struct facet *facet = ARENA_NEW(arena, struct facet);
    unsigned *calls = context;
    if (!facet)
        return ERR_LIMIT;
    ++*calls;
    *facet = (struct facet){.param = 1, .kind = FACET_TOKEN, .text = SLICE("found")};
    *ret_index = (struct record_index){
        {facet, 1}, SLICE("narrative"), slice_is(type, "Observation") ? SLICE("肺癌") : SLICE_NONE};
    return body.len ? ERR_OK : ERR_INTERNAL;
}

struct reindexing {
    unsigned calls;
    struct record_reindexing state;
};
static enum err reindex_step(struct session *s, void *context)
{
    struct reindexing *r = context;
    return record_reindex(s, index_of, &r->calls, &r->state);
}

static void test_writes_before_and_after_the_reindex(void **state)
{
    (void)state;
    static const char by_key[] =
        "SELECT count(*) FROM ix_value WHERE key = (tasuki_key(1, 'found') | (1 << 61))";
    static const char by_word[] = "SELECT count(*) FROM ix_words WHERE ix_words MATCH '肺癌'";
    struct fixture f;
    bool needs = true;
    fixture_new(&f);
    make_old(&f, true);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    /* The next version of x, before anything is indexed: not another x. */
    struct fixture_put put = {.grant = fixture_facility(1, GRANT_TREAT),
                              .record = {.type = SLICE("Observation"),
                                         .id = SLICE("x"),
                                         .chart = 1,
                                         .category = CATEGORY_LABORATORY,
                                         .when = {5, 6},
                                         .body = SLICE("{\"v\":4}")}};
    assert_int_equal(fixture_try_put(&f, &put), ERR_OK);
    assert_int_equal(put.mark.version, 4);
    assert_int_equal(ask(&f, "SELECT count(*) FROM record WHERE id = 'x'"), 1);
    assert_int_equal(ask(&f, by_key), 0);

    struct reindexing r = {0};
    assert_int_equal(fixture_write(&f, reindex_step, &r), ERR_OK);
    assert_true(r.state.over);
    assert_int_equal(r.state.count, 3);
    assert_int_equal(r.calls, 3);
    assert_int_equal(ask(&f, by_key), 3);
    assert_int_equal(ask(&f, by_word), 2);
    assert_int_equal(store_needs_reindex(f.path, &needs), ERR_OK);
    assert_false(needs);
    assert_int_equal(ask(&f, "SELECT count(*) FROM ix_value"),
                     6); /* values and types of three blocks */
    assert_int_equal(ask(&f, "SELECT count(*) FROM ix_id"), 4);

    /* Stopped in the middle it says so; again from the beginning nothing is doubled. */
    struct reindexing half = {0};
    struct record_reindexing before = {0};
    assert_int_equal(fixture_write(&f, reindex_step, &half), ERR_OK);
    half.state = before;
    assert_int_equal(fixture_write(&f, reindex_step, &half), ERR_OK);
    assert_int_equal(ask(&f, by_key), 3);
    assert_int_equal(ask(&f, by_word), 2);
    assert_int_equal(ask(&f, "SELECT count(*) FROM ix_value"), 6);
    assert_int_equal(ask(&f, "SELECT count(*) FROM ix_id"), 4);
    fixture_close(&f);
}

/* A record written between two batches has its words already. */
static void test_records_written_meanwhile(void **state)
{
    (void)state;
    struct fixture f;
    bool needs = false;
    fixture_open(&f);
    int64_t facility = fixture_add_facility(&f, 1, FACILITY_HOSPITAL);
    for (unsigned i = 0; i < LIMIT_REINDEX_ROWS + 1; i++) {
        struct record_new record = {.type = SLICE("Observation"),
                                    .id = slice_str(arena_printf(f.arena, "r%u", i)),
                                    .body = SLICE("{}"),
                                    .content = SLICE("old")};
        (void)fixture_put(&f, facility, &record);
    }
    struct reindexing r = {0};
    assert_int_equal(fixture_write(&f, reindex_step, &r), ERR_OK);
    assert_false(r.state.over);
    assert_int_equal(r.state.total, LIMIT_REINDEX_ROWS + 1);
    assert_int_equal(store_needs_reindex(f.path, &needs), ERR_OK);
    assert_true(needs);
    struct record_new record = {.type = SLICE("Observation"),
                                .id = slice_str(arena_printf(f.arena, "r%u", LIMIT_REINDEX_ROWS)),
                                .body = SLICE("{\"n\":1}"),
                                .content = SLICE("meanwhile")};
    (void)fixture_put(&f, facility, &record);
    assert_int_equal(fixture_write(&f, reindex_step, &r), ERR_OK);
    assert_true(r.state.over);
    assert_int_equal(ask(&f, "SELECT count(*) FROM ix_words WHERE ix_words MATCH 'old'"), 0);
    assert_int_equal(ask(&f, "SELECT count(*) FROM ix_words WHERE ix_words MATCH '肺癌'"),
                     LIMIT_REINDEX_ROWS);
    assert_int_equal(ask(&f, "SELECT count(*) FROM ix_words WHERE ix_words MATCH 'meanwhile'"), 1);
    fixture_close(&f);
}

static void test_empty_stores_need_nothing(void **state)
{
    (void)state;
    struct fixture f;
    bool needs = true;
    fixture_new(&f);
    make_old(&f, false);
    assert_int_equal(fixture_try_open(&f, 1), ERR_OK);
    assert_int_equal(store_needs_reindex(f.path, &needs), ERR_OK);
    assert_false(needs);
    fixture_close(&f);
    fixture_open(&f); /* a new one */
    assert_int_equal(store_needs_reindex(f.path, &needs), ERR_OK);
    assert_false(needs);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_writes_before_and_after_the_reindex),
        cmocka_unit_test(test_records_written_meanwhile),
        cmocka_unit_test(test_empty_stores_need_nothing),
    };
    return T_RUN(tests);
}
