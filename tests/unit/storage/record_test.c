/* SPDX-License-Identifier: Apache-2.0
 *
 * Resources and their versions: numbers, unchanged puts, preconditions, whose record it is,
 * delete markers, history, groups that replace as a whole, the Patient a reader is shown, search
 * rows made anew, originals.
 */
#include "lib/t.h"

#include "lib/store_fixture.h"
#include "storage/change.h"
#include "storage/inbox.h"
#include "storage/original.h"
#include "storage/quarantine.h"
#include "storage/sql.h"

#include "base/banned.h"

struct world {
    struct fixture f;
    int64_t a, b, home, p1, p2;
    int64_t a1, b1, h1, b2;
};

static void world_open(struct world *w)
{
    fixture_open(&w->f);
    w->a = fixture_add_facility(&w->f, 1, FACILITY_HOSPITAL);
    w->b = fixture_add_facility(&w->f, 2, FACILITY_CLINIC);
    w->home = fixture_add_facility(&w->f, 3, FACILITY_HOME);
    w->p1 = fixture_add_person(&w->f);
    w->p2 = fixture_add_person(&w->f);
    w->a1 = fixture_add_chart(&w->f, w->a, w->p1);
    w->b1 = fixture_add_chart(&w->f, w->b, w->p1);
    w->h1 = fixture_add_chart(&w->f, w->home, w->p1);
    w->b2 = fixture_add_chart(&w->f, w->b, w->p2);
}

static struct fixture_put put_of(struct grant grant, int64_t chart, const char *id,
                                 const char *body)
{
    return (struct fixture_put){.grant = grant,
                                .record = {.type = SLICE("Observation"),
                                           .id = slice_str(id),
                                           .chart = chart,
                                           .category = chart ? CATEGORY_LABORATORY : CATEGORY_NONE,
                                           .when = {WHEN_MIN, WHEN_MAX},
                                           .body = slice_str(body)}};
}

/* ── a step that reads one record ──────────────────────────────────────────────────────────── */

struct read {
    struct fixture *f;
    struct grant grant;
    const char *type, *id;
    int64_t rid, version; /* version > 0: by number */
    struct record record;
};
static enum err read_step(struct session *s, void *context)
{
    struct read *r = context;
    session_bind(s, &r->grant);
    if (r->version)
        return record_read_version(s, r->f->arena, r->rid, r->version, &r->record);
    return record_read(s, r->f->arena, slice_str(r->type), slice_str(r->id), &r->record);
}
static enum err read_record(struct world *w, struct grant grant, const char *id, struct record *ret)
{
    struct read r = {.f = &w->f, .grant = grant, .type = "Observation", .id = id};
    enum err err = fixture_read(&w->f, read_step, &r);
    *ret = r.record;
    return err;
}
static enum err read_version(struct world *w, struct grant grant, int64_t rid, int64_t version,
                             struct record *ret)
{
    struct read r = {.f = &w->f, .grant = grant, .rid = rid, .version = version};
    enum err err = fixture_read(&w->f, read_step, &r);
    *ret = r.record;
    return err;
}

struct removal {
    struct grant grant;
    const char *id;
    int64_t expect;
    struct record_mark mark;
};
static enum err delete_step(struct session *s, void *context)
{
    struct removal *r = context;
    session_bind(s, &r->grant);
    return record_delete(s, SLICE("Observation"), slice_str(r->id), r->expect, &r->mark);
}

/* ── versions ──────────────────────────────────────────────────────────────────────────────── */

static void test_versions(void **state)
{
    (void)state;
    struct world w;
    struct record r;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    struct fixture_put put = put_of(a, w.a1, "x", "{\"v\":1}");
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    assert_true(put.mark.created);
    assert_int_equal(put.mark.version, 1);
    assert_int_equal(put.mark.rid, (w.a1 << 32) + 1);
    assert_int_equal(put.mark.updated_ms, FIXTURE_NOW);

    w.f.clock.ms += 1000; /* the same body: nothing happens */
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    assert_true(put.mark.unchanged);
    assert_false(put.mark.created);
    assert_int_equal(put.mark.version, 1);
    assert_int_equal(put.mark.updated_ms, FIXTURE_NOW);

    put.record.body = SLICE("{\"v\":2}");
    put.expect = 7;
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_PRECONDITION);
    put.expect = 1;
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    assert_false(put.mark.created || put.mark.unchanged);
    assert_int_equal(put.mark.version, 2);
    assert_int_equal(put.mark.updated_ms, FIXTURE_NOW + 1000);

    put.record.label = RECORD_RESTRICTED; /* the same body, another label: a version */
    put.expect = 0;
    w.f.clock.ms -= 5000; /* the clock goes back, lastUpdated does not */
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    assert_int_equal(put.mark.version, 3);
    assert_int_equal(put.mark.updated_ms, FIXTURE_NOW + 1000);

    assert_int_equal(read_record(&w, a, "x", &r), ERR_OK);
    assert_int_equal(r.version, 3);
    assert_int_equal(r.label, RECORD_RESTRICTED);
    assert_int_equal(r.person, w.p1);
    assert_int_equal(r.facility, w.a);
    assert_int_equal(r.chart, w.a1);
    assert_int_equal(r.category, CATEGORY_LABORATORY);
    assert_slice(r.body, "{\"v\":2}");
    assert_int_equal(read_version(&w, a, put.mark.rid, 1, &r), ERR_OK);
    assert_slice(r.body, "{\"v\":1}");
    assert_slice(r.id, "x");
    assert_int_equal(r.version, 1);
    assert_int_equal(read_version(&w, a, put.mark.rid, 3, &r), ERR_OK);
    assert_int_equal(r.version, 3);
    assert_int_equal(read_version(&w, a, put.mark.rid, 4, &r), ERR_NOT_FOUND);
    assert_int_equal(read_version(&w, fixture_facility(w.b, GRANT_TREAT), put.mark.rid, 1, &r),
                     ERR_NOT_FOUND);
    assert_int_equal(read_record(&w, a, "y", &r), ERR_NOT_FOUND);
    fixture_close(&w.f);
}

static void test_numbers_count_up_in_each_chart(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT), b = fixture_facility(w.b, GRANT_TREAT);
    struct fixture_put puts[] = {put_of(a, w.a1, "1", "{}"), put_of(b, w.b1, "2", "{}"),
                                 put_of(a, w.a1, "3", "{}"), put_of(b, w.b2, "4", "{}"),
                                 put_of(a, 0, "5", "{}"),    put_of(a, w.a1, "6", "{}")};
    const int64_t rids[] = {
        (w.a1 << 32) + 1, (w.b1 << 32) + 1, (w.a1 << 32) + 2, (w.b2 << 32) + 1, 1,
        (w.a1 << 32) + 3};
    for (size_t i = 0; i < T_COUNT(puts); i++) {
        assert_int_equal(fixture_try_put(&w.f, &puts[i]), ERR_OK);
        assert_int_equal(puts[i].mark.rid, rids[i]);
    }
    fixture_close(&w.f);
}

static void test_delete_and_again(void **state)
{
    (void)state;
    struct world w;
    struct record r;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT), b = fixture_facility(w.b, GRANT_TREAT);
    struct fixture_put put = put_of(a, w.a1, "x", "{\"v\":1}");
    struct removal removal = {.grant = a, .id = "x"};
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_NOT_FOUND);
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    removal.grant = b;
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_NOT_FOUND);
    removal.grant = a;
    removal.expect = 2;
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_PRECONDITION);
    removal.expect = 1;
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_OK);
    assert_int_equal(removal.mark.version, 2);
    assert_false(removal.mark.unchanged);
    removal.expect = 0;
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_OK);
    assert_true(removal.mark.unchanged);
    assert_int_equal(removal.mark.version, 2);

    assert_int_equal(read_record(&w, a, "x", &r), ERR_GONE);
    assert_int_equal(read_record(&w, b, "x", &r), ERR_NOT_FOUND);
    assert_int_equal(read_record(&w, fixture_resident(w.p1), "x", &r), ERR_GONE);
    assert_int_equal(read_version(&w, a, put.mark.rid, 2, &r), ERR_OK);
    assert_true(r.deleted);
    assert_int_equal(r.body.len, 0);
    assert_int_equal(read_version(&w, a, put.mark.rid, 1, &r), ERR_OK);
    assert_false(r.deleted);

    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK); /* the same body, but it was gone */
    assert_true(put.mark.created);
    assert_int_equal(put.mark.version, 3);
    assert_int_equal(read_record(&w, a, "x", &r), ERR_OK);
    fixture_close(&w.f);
}

/* ── whose record it is ────────────────────────────────────────────────────────────────────── */

static void test_only_the_source_writes(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT), b = fixture_facility(w.b, GRANT_TREAT);
    struct grant p1 = fixture_resident(w.p1), p2 = fixture_resident(w.p2);
    struct grant operator= fixture_actor(GRANT_OPERATOR, w.a);
    struct grant intake = fixture_actor(GRANT_INTAKE, w.b);
    struct grant mute = a;
    mute.may_write = false;
    const struct {
        struct grant grant;
        int64_t chart;
        const char *id;
        enum err err;
    } rows[] = {
        {a, w.a1, "x", ERR_OK},
        {a, w.b1, "y", ERR_FORBIDDEN}, /* not its chart */
        {b, w.b1, "x", ERR_NOT_FOUND}, /* another's id */
        {b, w.b1, "z", ERR_OK},
        {b, w.b2, "z", ERR_NOT_FOUND}, /* its own id in another person's chart */
        {intake, w.b1, "z", ERR_OK},
        {intake, w.a1, "x", ERR_FORBIDDEN},
        {a, 0, "org", ERR_OK},
        {b, 0, "org", ERR_NOT_FOUND},
        {p1, w.h1, "home", ERR_OK},
        {p2, w.h1, "home", ERR_FORBIDDEN},
        {p1, w.a1, "x", ERR_FORBIDDEN}, /* about him, but the hospital's */
        {p1, 0, "org2", ERR_FORBIDDEN},
        {operator, w.a1, "x", ERR_FORBIDDEN},
        {operator, 0, "terms", ERR_OK},
        {mute, w.a1, "x", ERR_FORBIDDEN},
        {a, 12345, "x", ERR_FORBIDDEN}, /* no such chart */
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fixture_put put = put_of(rows[i].grant, rows[i].chart, rows[i].id, "{}");
        enum err err = fixture_try_put(&w.f, &put);
        if (err != rows[i].err)
            print_message("row %zu answered %s\n", i, err_name(err));
        assert_int_equal(err, rows[i].err);
    }
    struct removal removal = {.grant = p1, .id = "x"};
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_NOT_FOUND);
    removal.id = "home";
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_OK);
    removal = (struct removal){.grant = mute, .id = "x"};
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_FORBIDDEN);
    fixture_close(&w.f);
}

/* ── history ───────────────────────────────────────────────────────────────────────────────── */

struct history {
    struct fixture *f;
    struct grant grant;
    struct change_query query;
    struct change_result result;
};
static enum err history_step(struct session *s, void *context)
{
    struct history *h = context;
    session_bind(s, &h->grant);
    return change_list(s, h->f->arena, &h->query, &h->result);
}

static void test_history(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    struct fixture_put put = put_of(a, w.a1, "x", "{\"v\":1}");
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    put.record.body = SLICE("{\"v\":2}");
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    struct removal removal = {.grant = a, .id = "x"};
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_OK);
    struct history h = {
        .f = &w.f, .grant = a, .query = {.rid = put.mark.rid, .limit = 10, .count_total = true}};
    assert_int_equal(fixture_read(&w.f, history_step, &h), ERR_OK);
    assert_int_equal(h.result.count, 3);
    assert_int_equal(h.result.total, 3);
    assert_true(h.result.records[0].deleted);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(h.result.records[i].version, 3 - (int64_t)i);
    assert_slice(h.result.records[2].body, "{\"v\":1}");
    h.query.limit = 2;
    assert_int_equal(fixture_read(&w.f, history_step, &h), ERR_OK);
    assert_int_equal(h.result.count, 2);
    assert_true(h.result.more);
    assert_int_equal(h.result.total, 3);
    h.query.limit = 0;
    assert_int_equal(fixture_read(&w.f, history_step, &h), ERR_OK);
    assert_int_equal(h.result.count, 0);
    assert_int_equal(h.result.total, 3);
    h.grant = fixture_facility(w.b, GRANT_TREAT);
    assert_int_equal(fixture_read(&w.f, history_step, &h), ERR_OK);
    assert_int_equal(h.result.total, 0);
    fixture_close(&w.f);
}

/* ── groups ────────────────────────────────────────────────────────────────────────────────── */

struct prune {
    struct grant grant;
    int64_t chart;
    const char *scope;
    struct slice keep[2];
    size_t keep_count;
    unsigned deleted;
};
static enum err prune_step(struct session *s, void *context)
{
    struct prune *p = context;
    session_bind(s, &p->grant);
    return record_prune(s, p->chart, slice_str(p->scope), p->keep, p->keep_count, &p->deleted);
}

static void test_groups_replace_as_a_whole(void **state)
{
    (void)state;
    struct world w;
    struct record r;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    static const struct {
        const char *id, *scope;
    } rows[] = {{"1", "g"}, {"2", "g"}, {"3", "g"}, {"4", "other"}, {"5", ""}};
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fixture_put put = put_of(a, w.a1, rows[i].id, "{}");
        put.record.scope = slice_str(rows[i].scope);
        assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    }
    /* 3 comes again unchanged, but in another group now. */
    struct fixture_put moved = put_of(a, w.a1, "3", "{}");
    moved.record.scope = SLICE("other");
    assert_int_equal(fixture_try_put(&w.f, &moved), ERR_OK);
    assert_true(moved.mark.unchanged);
    struct prune prune = {a, w.a1, "g", {SLICE("2"), SLICE("9")}, 2, 99};
    assert_int_equal(fixture_write(&w.f, prune_step, &prune), ERR_OK);
    assert_int_equal(prune.deleted, 1);
    assert_int_equal(read_record(&w, a, "1", &r), ERR_GONE);
    for (const char *const *id = (const char *const[]){"2", "3", "4", "5", NULL}; *id; id++)
        assert_int_equal(read_record(&w, a, *id, &r), ERR_OK);
    assert_int_equal(fixture_write(&w.f, prune_step, &prune), ERR_OK); /* nothing left to do */
    assert_int_equal(prune.deleted, 0);
    prune.grant = fixture_facility(w.b, GRANT_TREAT);
    assert_int_equal(fixture_write(&w.f, prune_step, &prune), ERR_FORBIDDEN);
    fixture_close(&w.f);
}

/* ── the Patient a reader is shown ─────────────────────────────────────────────────────────── */

struct patient {
    struct fixture *f;
    struct grant grant;
    int64_t person;
    struct record record;
};
static enum err patient_step(struct session *s, void *context)
{
    struct patient *p = context;
    session_bind(s, &p->grant);
    return record_read_patient(s, p->f->arena, p->person, &p->record);
}

static void put_patient(struct world *w, int64_t facility, int64_t chart, const char *id)
{
    struct fixture_put put = put_of(fixture_facility(facility, GRANT_TREAT), chart, id, "{}");
    put.record.type = SLICE("Patient");
    put.record.category = CATEGORY_DEMOGRAPHICS;
    w->f.clock.ms += 1000;
    assert_int_equal(fixture_try_put(&w->f, &put), ERR_OK);
}

static void test_own_patient_else_newest(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct patient p = {.f = &w.f, .grant = fixture_facility(w.a, GRANT_TREAT), .person = w.p1};
    assert_int_equal(fixture_read(&w.f, patient_step, &p), ERR_NOT_FOUND);
    put_patient(&w, w.a, w.a1, "of-a");
    put_patient(&w, w.b, w.b1, "of-b");
    assert_int_equal(fixture_read(&w.f, patient_step, &p), ERR_OK);
    assert_slice(p.record.id, "of-a");
    p.grant = fixture_resident(w.p1);
    assert_int_equal(fixture_read(&w.f, patient_step, &p), ERR_OK);
    assert_slice(p.record.id, "of-b");
    p.grant = fixture_resident(w.p2);
    assert_int_equal(fixture_read(&w.f, patient_step, &p), ERR_NOT_FOUND);
    p.grant = fixture_actor(GRANT_OPERATOR, w.a);
    assert_int_equal(fixture_read(&w.f, patient_step, &p), ERR_NOT_FOUND);
    p.grant = fixture_actor(GRANT_INTAKE, w.b);
    assert_int_equal(fixture_read(&w.f, patient_step, &p), ERR_OK);
    assert_slice(p.record.id, "of-b");
    p.grant = fixture_facility(w.a, GRANT_TREAT);
    p.person = w.p2;
    assert_int_equal(fixture_read(&w.f, patient_step, &p), ERR_NOT_FOUND);
    fixture_close(&w.f);
}

/* ── search rows anew ──────────────────────────────────────────────────────────────────────── */

static enum err facets_of(void *context, struct arena *arena, struct slice type, struct slice body,
                          struct record_index *ret_index)
{
    unsigned *calls = context;
    struct facet *facet = ARENA_NEW(arena, struct facet);
    assert_slice(type, "Observation");
    if (!facet)
        return ERR_LIMIT;
    ++*calls;
    *facet = (struct facet){.param = 1, .kind = FACET_TOKEN, .text = body};
    *ret_index = (struct record_index){.facets = {facet, 1}, .words = SLICE("anew")};
    return ERR_OK;
}
struct reindex {
    unsigned calls;
    struct record_reindexing state;
};
static enum err reindex_step(struct session *s, void *context)
{
    struct reindex *r = context;
    return record_reindex(s, facets_of, &r->calls, &r->state);
}
static enum err rows_step(struct session *s, void *context)
{
    int64_t *rows = context;
    struct sql *q = NULL;
    enum err err =
        sql_prepare(s,
                    "SELECT count(*), sum(key = (tasuki_key(1, '{\"v\":2}') | (1 << 61)))"
                    " FROM ix_value WHERE key <> (tasuki_key_type('Observation') | (1 << 61))",
                    SQL_OWN, &q);
    if (err)
        return err;
    err = sql_row(q);
    rows[0] = sql_i64(q, 0);
    rows[1] = sql_i64(q, 1);
    return sql_done(q, err);
}

static void test_search_rows_follow_the_record(void **state)
{
    (void)state;
    struct world w;
    int64_t rows[2] = {0};
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    struct facet old[] = {
        {.param = 1, .kind = FACET_TOKEN, .text = SLICE("a")},
        {.param = 1, .kind = FACET_TOKEN, .text = SLICE("a")}, /* twice: one row */
        {.param = 2, .kind = FACET_TOKEN, .text = SLICE("b")}};
    struct facet_list list = {old, 3};
    struct fixture_put put = put_of(a, w.a1, "x", "{\"v\":1}");
    put.record.facets = &list;
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    assert_int_equal(fixture_read(&w.f, rows_step, rows), ERR_OK);
    assert_int_equal(rows[0], 2);
    list.count = 1;
    put.record.body = SLICE("{\"v\":2}"); /* b stays: another of the block may need it */
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    assert_int_equal(fixture_read(&w.f, rows_step, rows), ERR_OK);
    assert_int_equal(rows[0], 2);
    struct fixture_put gone = put_of(a, w.a1, "gone", "{}");
    gone.record.facets = &list;
    struct removal removal = {.grant = a, .id = "gone"};
    assert_int_equal(fixture_try_put(&w.f, &gone), ERR_OK);
    assert_int_equal(fixture_write(&w.f, delete_step, &removal), ERR_OK);
    assert_int_equal(fixture_read(&w.f, rows_step, rows), ERR_OK);
    assert_int_equal(rows[0], 2);

    struct reindex reindex = {0};
    assert_int_equal(fixture_write(&w.f, reindex_step, &reindex), ERR_OK);
    assert_int_equal(reindex.state.count, 1); /* not the deleted one */
    assert_true(reindex.state.over);
    assert_int_equal(reindex.calls, 1);
    assert_int_equal(fixture_read(&w.f, rows_step, rows), ERR_OK);
    assert_int_equal(rows[0], 3);
    assert_int_equal(rows[1], 1);
    fixture_close(&w.f);
}

/* ── a key that leads to two ───────────────────────────────────────────────────────────────── */

/* Enters the other records under this one's key, before it and after. */
static enum err share_key_step(struct session *s, void *context)
{
    struct sql *q = NULL;
    (void)context;
    enum err err = sql_prepare(
        s,
        "INSERT INTO ix_id(key, rid) SELECT tasuki_key_id('Observation', n.column1), r.rid"
        " FROM record r CROSS JOIN (VALUES ('middle'), ('nobody')) n"
        " WHERE r.id IN ('first', 'last')",
        SQL_OWN, &q);
    return err ? err : sql_run(q);
}

static void test_what_shares_a_key_is_not_taken_for_it(void **state)
{
    (void)state;
    struct world w;
    struct record r = {0};
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    const char *const ids[] = {"first", "middle", "last"};
    for (size_t i = 0; i < T_COUNT(ids); i++) {
        struct fixture_put put = put_of(a, w.a1, ids[i], "{}");
        assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    }
    assert_int_equal(fixture_write(&w.f, share_key_step, NULL), ERR_OK);
    for (size_t i = 0; i < T_COUNT(ids); i++) {
        assert_int_equal(read_record(&w, a, ids[i], &r), ERR_OK);
        assert_slice(r.id, ids[i]);
    }
    assert_int_equal(read_record(&w, a, "nobody", &r), ERR_NOT_FOUND);
    fixture_close(&w.f);
}

/* ── originals ─────────────────────────────────────────────────────────────────────────────── */

struct original {
    struct fixture *f;
    struct grant grant;
    unsigned char sha[DIGEST_LEN];
    struct slice bytes;
};
static enum err original_put_step(struct session *s, void *context)
{
    struct original *o = context;
    digest_sha256(o->bytes, o->sha);
    return original_put(s, o->grant.facility, o->bytes, "application/hl7-v2", o->sha);
}
static enum err original_get_step(struct session *s, void *context)
{
    struct original *o = context;
    o->bytes = SLICE_NONE;
    session_bind(s, &o->grant);
    return original_get(s, o->f->arena, o->sha, &o->bytes);
}
static enum err quarantine_step(struct session *s, void *context)
{
    struct original *o = context;
    struct quarantine_row row = {.facility = o->grant.facility,
                                 .door = SLICE("mllp"),
                                 .name = SLICE("1"),
                                 .outcome = ERR_INVALID};
    memcpy(row.sha, o->sha, DIGEST_LEN);
    return quarantine_put(s, &row);
}

static void test_originals_go_back_to_their_sender(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT), b = fixture_facility(w.b, GRANT_TREAT);
    struct original o = {.f = &w.f, .grant = a, .bytes = SLICE("MSH|^~\\&|a\0b")};
    const struct slice bytes = o.bytes;
    assert_int_equal(fixture_write(&w.f, original_put_step, &o), ERR_OK);
    assert_int_equal(fixture_write(&w.f, original_put_step, &o), ERR_OK); /* once more: one row */
    struct fixture_put put = put_of(a, w.a1, "x", "{\"v\":1}");
    put.record.original = o.sha;
    put.record.mapper = "hl7v2/1";
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    assert_int_equal(fixture_read(&w.f, original_get_step, &o), ERR_OK);
    assert_true(slice_eq(o.bytes, bytes));
    o.grant = b;
    assert_int_equal(fixture_read(&w.f, original_get_step, &o), ERR_NOT_FOUND);
    o.grant = fixture_resident(w.p1);
    assert_int_equal(fixture_read(&w.f, original_get_step, &o), ERR_NOT_FOUND);
    /* Only a former version names it now: still the sender's. */
    put.record.original = NULL;
    put.record.body = SLICE("{\"v\":2}");
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
    o.grant = a;
    assert_int_equal(fixture_read(&w.f, original_get_step, &o), ERR_OK);
    /* B sends the same bytes and they are refused: B may have them, too. */
    o.grant = b;
    assert_int_equal(fixture_read(&w.f, original_get_step, &o), ERR_NOT_FOUND);
    o.bytes = bytes;
    assert_int_equal(fixture_write(&w.f, original_put_step, &o), ERR_OK);
    assert_int_equal(fixture_write(&w.f, quarantine_step, &o), ERR_OK);
    assert_int_equal(fixture_read(&w.f, original_get_step, &o), ERR_OK);
    assert_true(slice_eq(o.bytes, bytes));
    fixture_close(&w.f);
}

struct of_chart {
    struct fixture *f;
    struct grant grant;
    int64_t chart, rid, number;
    struct original_ref *refs;
    size_t count;
};
static enum err of_chart_step(struct session *s, void *context)
{
    struct of_chart *o = context;
    session_bind(s, &o->grant);
    o->count = 0;
    enum err err = original_of_chart(s, o->f->arena, o->chart, &o->refs, &o->count);
    return err ? err : original_of_record(s, o->rid, &o->number);
}

/* All that a chart was made of, also what only former versions name, in order; nobody else's. */
static void test_originals_of_a_chart(void **state)
{
    static const char *const texts[] = {"MSH|1", "MSH|2", "MSH|3"};
    struct world w;
    (void)state;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    struct original o = {.f = &w.f, .grant = a};
    struct of_chart found = {.f = &w.f, .grant = a, .chart = w.a1};
    for (size_t i = 0; i < T_COUNT(texts); i++) {
        struct fixture_put put = put_of(a, w.a1, i == 2 ? "y" : "x", i ? "{\"v\":2}" : "{\"v\":1}");
        o.bytes = slice_str(texts[i]);
        assert_int_equal(fixture_write(&w.f, original_put_step, &o), ERR_OK);
        put.record.original = o.sha;
        put.record.mapper = "hl7v2/1";
        assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK);
        found.rid = put.mark.rid;
    }
    assert_int_equal(fixture_read(&w.f, of_chart_step, &found), ERR_OK);
    assert_int_equal(found.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_slice(found.refs[i].bytes, texts[i]);
    assert_true(found.refs[0].number < found.refs[1].number);
    assert_int_equal(found.number, found.refs[2].number);
    found.grant = fixture_facility(w.b, GRANT_TREAT);
    assert_int_equal(fixture_read(&w.f, of_chart_step, &found), ERR_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(found.number, 0);
    fixture_close(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_numbers_count_up_in_each_chart),
        cmocka_unit_test(test_delete_and_again),
        cmocka_unit_test(test_only_the_source_writes),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_groups_replace_as_a_whole),
        cmocka_unit_test(test_own_patient_else_newest),
        cmocka_unit_test(test_search_rows_follow_the_record),
        cmocka_unit_test(test_what_shares_a_key_is_not_taken_for_it),
        cmocka_unit_test(test_originals_go_back_to_their_sender),
        cmocka_unit_test(test_originals_of_a_chart),
    };
    return T_RUN(tests);
}
