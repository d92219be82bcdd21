/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate: without a grant nothing is there; each kind of reader sees exactly his rows, in
 * records, in search rows, in versions and in counts; a withdrawn consent counts from the next
 * job on; and no shape of gated statement reaches a table round the views.
 */
#include "lib/t.h"

#include "lib/store_fixture.h"
#include "storage/sql.h"

#include "base/banned.h"

#define PARAM_CODE 11
#define PARAM_PATIENT 12

/* Two persons, two hospitals, what residents enter themselves, one organisation record. Record
 * ids say what they are: facility, person, category, label. */
struct world {
    struct fixture f;
    int64_t a, b, home;
    int64_t p1, p2;
    int64_t a1, b1, b2, h1; /* charts */
};

struct row {
    const char *id;
    char chart; /* 'a' of p1 in A, 'b' of p1 in B, 'c' of p2 in B, '0' none */
    enum category category;
    enum record_label label;
};
static const struct row rows[] = {
    {"a1-lab", 'a', CATEGORY_LABORATORY, RECORD_NORMAL},
    {"a1-med", 'a', CATEGORY_MEDICATION, RECORD_NORMAL},
    {"b1-lab", 'b', CATEGORY_LABORATORY, RECORD_NORMAL},
    {"b1-lab-restricted", 'b', CATEGORY_LABORATORY, RECORD_RESTRICTED},
    {"b1-lab-withheld", 'b', CATEGORY_LABORATORY, RECORD_WITHHELD},
    {"b1-med", 'b', CATEGORY_MEDICATION, RECORD_NORMAL},
    {"b1-consent", 'b', CATEGORY_CONSENT, RECORD_NORMAL},
    {"b2-lab", 'c', CATEGORY_LABORATORY, RECORD_NORMAL},
    {"org", '0', CATEGORY_NONE, RECORD_NORMAL},
    {"a1-private", 'a', CATEGORY_LABORATORY, RECORD_PRIVATE},
    {"b1-private", 'b', CATEGORY_LABORATORY, RECORD_PRIVATE},
    {"a0-private", '0', CATEGORY_NONE, RECORD_PRIVATE},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static void put_row(struct world *w, const struct row *row)
{
    struct facet facets[] = {
        {.param = PARAM_CODE, .kind = FACET_TOKEN, .text = SLICE("2160-0")},
        {.param = PARAM_PATIENT, .kind = FACET_REFERENCE, .text = SLICE("Patient/@")},
        {.param = 13, .kind = FACET_STRING, .text = SLICE("text"), .raw = SLICE("Text")},
        {.param = 14, .kind = FACET_DATE, .lo_ms = 1, .hi_ms = 2},
        {.param = 15, .kind = FACET_NUMBER, .lo = 1, .hi = 2},
        {.param = 16, .kind = FACET_URI, .text = SLICE("urn:x")},
    };
    struct facet_list list = {facets, sizeof facets / sizeof facets[0]};
    struct record_new record = {.type = SLICE("Observation"),
                                .id = slice_str(row->id),
                                .category = row->category,
                                .label = row->label,
                                .body = SLICE("{\"v\":1}"),
                                .facets = &list,
                                .words = SLICE("lipid panel"),
                                .content = SLICE("脂質")};
    record.chart = row->chart == 'a'   ? w->a1
                   : row->chart == 'b' ? w->b1
                   : row->chart == 'c' ? w->b2
                                       : 0;
    (void)fixture_put(&w->f, row->chart == 'a' || row->chart == '0' ? w->a : w->b, &record);
}

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
    w->b2 = fixture_add_chart(&w->f, w->b, w->p2);
    w->h1 = fixture_add_chart(&w->f, w->home, w->p1);
    for (size_t i = 0; i < ROW_COUNT; i++)
        put_row(w, &rows[i]);
}

static struct consent_rule permit(int64_t facility, uint64_t categories)
{
    return (struct consent_rule){.permit = true,
                                 .facility = facility,
                                 .purposes = GRANT_PURPOSES_ORDINARY,
                                 .categories = categories,
                                 .from_ms = INT64_MIN,
                                 .to_ms = INT64_MAX};
}

/* Ids seen under GRANT, in the order of `rows`, as one word of '1' and '0'. */
static void seen(struct world *w, const struct grant *grant, char ret_seen[ROW_COUNT + 1])
{
    const struct slice type = SLICE("Observation");
    const struct search search = {
        .types = &type, .type_count = 1, .limit = 100, .count_total = true};
    struct search_result result = {0};
    assert_int_equal(fixture_search(&w->f, grant, &search, &result), ERR_OK);
    assert_int_equal(result.total, result.count);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        ret_seen[i] = '0';
        for (size_t j = 0; j < result.count; j++) {
            if (slice_is(result.records[j].id, rows[i].id))
                ret_seen[i] = '1';
        }
    }
    ret_seen[ROW_COUNT] = '\0';
}

static void assert_seen(struct world *w, const struct grant *grant, const char *expected)
{
    char found[ROW_COUNT + 1];
    seen(w, grant, found);
    assert_string_equal(found, expected);
}

/* ── who sees what ─────────────────────────────────────────────────────────────────────────── */

/* Order: a1-lab a1-med b1-lab b1-restricted b1-withheld b1-med b1-consent b2-lab org, then the
 * private ones of A and B about p1 and of A about nobody: their source alone sees those, whatever
 * is permitted or opened. */
static void test_each_reader_sees_his_rows(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    struct grant b = fixture_facility(w.b, GRANT_TREAT);
    struct grant intake = fixture_actor(GRANT_INTAKE, w.b);
    struct grant operator= fixture_actor(GRANT_OPERATOR, w.a);
    struct grant p1 = fixture_resident(w.p1), p2 = fixture_resident(w.p2);
    struct grant nobody = fixture_resident(0), stranger = fixture_facility(0, GRANT_TREAT);

    assert_seen(&w, NULL, "000000000000");
    assert_seen(&w, &a, "110000001101");
    assert_seen(&w, &b, "001111111010");
    assert_seen(&w, &intake, "001111111010");
    assert_seen(&w, &operator, "000000001000");
    assert_seen(&w, &p1, "111101101000"); /* the withheld one not yet */
    assert_seen(&w, &p2, "000000011000");
    assert_seen(&w, &nobody, "000000001000");
    assert_seen(&w, &stranger, "000000001000");

    const struct consent_rule lab = permit(w.a, CATEGORY_BIT(CATEGORY_LABORATORY));
    fixture_rules(&w.f, w.h1, 1, &lab, 1);
    assert_seen(&w, &a, "111110001101"); /* restricted and withheld included: consent is explicit */
    intake.facility = w.a;
    assert_seen(&w, &intake, "110000001101"); /* consent is not for a door */
    assert_seen(&w, &p2, "000000011000");
    fixture_close(&w.f);
}

static void test_emergency_opens_normal_rows_of_one_person(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_BTG);
    a.emergency = true;
    a.person = w.p1;
    a.emergency_mask = CATEGORY_BIT(CATEGORY_LABORATORY);
    assert_seen(&w, &a, "111000001101");
    a.emergency_mask = CATEGORY_ALL;
    assert_seen(&w, &a, "111001101101");
    a.person = w.p2;
    assert_seen(&w, &a, "110000011101");
    a.person = 0;
    assert_seen(&w, &a, "110000001101");
    a.person = w.p1;
    a.emergency = false;
    assert_seen(&w, &a, "110000001101");
    /* An intake grant cannot be one. */
    a.emergency = true;
    a.actor = GRANT_INTAKE;
    assert_seen(&w, &a, "110000001101");
    fixture_close(&w.f);
}

static void test_withdrawn_consent_counts_at_once(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    struct consent_rule rules[2] = {permit(0, CATEGORY_ALL),
                                    permit(w.a, CATEGORY_BIT(CATEGORY_MEDICATION))};
    fixture_rules(&w.f, w.h1, 1, rules, 1);
    assert_seen(&w, &a, "111111101101");
    rules[1].permit = false;
    rules[1].nested = true;
    fixture_rules(&w.f, w.h1, 1, rules, 2); /* exception: not the medication */
    assert_seen(&w, &a, "111110101101");
    fixture_rules(&w.f, w.h1, 1, NULL, 0); /* withdrawn */
    assert_seen(&w, &a, "110000001101");
    rules[0].to_ms = FIXTURE_NOW; /* ended just now */
    fixture_rules(&w.f, w.h1, 1, rules, 1);
    assert_seen(&w, &a, "110000001101");
    rules[0].to_ms = FIXTURE_NOW + 1;
    fixture_rules(&w.f, w.h1, 1, rules, 1);
    assert_seen(&w, &a, "111111101101");
    a.purpose = GRANT_BTG; /* a rule without purposes does not mean this one */
    assert_seen(&w, &a, "110000001101");
    fixture_close(&w.f);
}

/* Within one writer's job: rules put, looked, taken away, looked again, under one binding. */
struct within {
    struct world *w;
    uint64_t first, second, third;
};
static enum err within_step(struct session *s, void *context)
{
    struct within *in = context;
    const struct grant grant = fixture_facility(in->w->a, GRANT_TREAT);
    const struct consent_rule rule = permit(in->w->a, CATEGORY_ALL);
    session_bind(s, &grant);
    enum err err = search_visible(s, in->w->p1, &in->first);
    if (!err)
        err = consent_put_rules(s, in->w->h1, (in->w->h1 << 32) + 5, &rule, 1);
    if (!err)
        err = search_visible(s, in->w->p1, &in->second);
    if (!err)
        err = consent_put_rules(s, in->w->h1, (in->w->h1 << 32) + 5, NULL, 0);
    if (!err)
        err = search_visible(s, in->w->p1, &in->third);
    session_bind(s, NULL);
    return err;
}

static void test_memory_follows_changes(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct within in = {.w = &w, .first = 1};
    assert_int_equal(fixture_write(&w.f, within_step, &in), ERR_OK);
    assert_int_equal(in.first, 0);
    assert_int_equal(in.second, CATEGORY_ALL & ~CATEGORY_BIT(CATEGORY_NONE));
    assert_int_equal(in.third, 0);
    fixture_close(&w.f);
}

/* A grant bound in one job is gone in the next, also when the step forgot to unbind it. */
struct count {
    const char *sql;
    const struct grant *grant;
    int64_t value;
};
static enum err count_gated(struct session *s, void *context)
{
    struct count *count = context;
    struct sql *q = NULL;
    if (count->grant)
        session_bind(s, count->grant);
    enum err err = sql_prepare(s, count->sql, SQL_GATED, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err)
        count->value = sql_i64(q, 0);
    return sql_done(q, err);
}

/* The function behind the views does not answer for other readers either. */
static void test_consent_is_asked_for_facilities_only(void **state)
{
    (void)state;
    static const char text[] = "SELECT tasuki_permits(k.person, 6) FROM v_record r JOIN v_chart k"
                               " ON k.chart = r.chart WHERE r.chart > 0 LIMIT 1";
    struct world w;
    world_open(&w);
    const struct consent_rule all = permit(0, CATEGORY_ALL);
    fixture_rules(&w.f, w.h1, 1, &all, 1);
    fixture_rules(&w.f, w.b2, 2, &all, 1);
    const struct grant b = fixture_facility(w.b, GRANT_TREAT);
    const struct grant intake = fixture_actor(GRANT_INTAKE, w.b);
    const struct grant p1 = fixture_resident(w.p1);
    const struct grant *const grants[] = {&b, &intake, &p1};
    for (size_t i = 0; i < T_COUNT(grants); i++) {
        struct count count = {text, grants[i], -1};
        assert_int_equal(fixture_read(&w.f, count_gated, &count), ERR_OK);
        assert_int_equal(count.value, i == 0);
    }
    fixture_close(&w.f);
}

static void test_every_view_is_empty_without_a_grant(void **state)
{
    (void)state;
    static const char *const views[] = {
        "SELECT count(*) FROM v_record",
        "SELECT count(*) FROM v_record_all",
        "SELECT count(DISTINCT rid) FROM v_by_value",
        "SELECT count(*) FROM v_by_value WHERE key = (tasuki_key(11, '2160-0') | (1 << 61))",
        "SELECT count(*) FROM v_by_value WHERE key = (tasuki_key_type('Observation') | (1 << 61))",
        ("SELECT count(*) FROM v_by_id WHERE key IN (tasuki_key_id('Observation', 'a1-lab'),"
         "tasuki_key_id('Observation', 'b1-lab'))"),
        "SELECT count(*) FROM v_by_string WHERE param = (13 | 65536) AND folded = 'text'",
        "SELECT count(*) FROM v_by_words WHERE ix_words MATCH 'lipid'",
        "SELECT count(*) FROM v_chart",
        "SELECT count(*) FROM v_access",
        "SELECT count(*) FROM v_record_version",
        "SELECT count(*) FROM v_change",
        "SELECT count(*) FROM v_record r, tasuki_targets(r.facets, 12) t WHERE t.chart = 0",
        "SELECT count(tasuki_sort(facets, seq, id, NULL)) + count(*) FROM v_record",
        "SELECT count(*) FROM v_record WHERE tasuki_match(facets, NULL)"
        " OR tasuki_match(facets, 1) OR tasuki_match(facets, 'tasuki_pass')",
    };
    /* What hospital A sees: its 4 records and the organisation; every chart number; nothing by
     * consent. */
    static const int64_t of_a[] = {5, 5, 5, 5, 5, 1, 5, 5, 4, 0, 2, 7, 5, 5, 0};
    struct world w;
    world_open(&w);
    struct fixture_put put = {.grant = fixture_facility(w.a, GRANT_TREAT),
                              .record = {.type = SLICE("Observation"),
                                         .id = SLICE("a1-med"),
                                         .chart = w.a1,
                                         .category = CATEGORY_MEDICATION,
                                         .body = SLICE("{\"v\":2}")}};
    struct row again = rows[1];
    assert_int_equal(fixture_try_put(&w.f, &put), ERR_OK); /* one former version */
    put_row(&w, &again);                                   /* two, and its facets back */
    struct grant a = fixture_facility(w.a, GRANT_TREAT);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        struct count count = {views[i], &a, -1};
        assert_int_equal(fixture_read(&w.f, count_gated, &count), ERR_OK);
        assert_int_equal(count.value, of_a[i]);
        for (int again_without = 0; again_without < 4; again_without++) { /* both readers */
            struct count none = {views[i], NULL, -1};
            assert_int_equal(fixture_read(&w.f, count_gated, &none), ERR_OK);
            assert_int_equal(none.value, 0);
        }
        count = (struct count){views[i], NULL, -1};
        assert_int_equal(fixture_write(&w.f, count_gated, &count), ERR_OK);
        assert_int_equal(count.value, 0);
    }
    fixture_close(&w.f);
}

/* A former version that was restricted more narrowly than the current one stays behind its own
 * label. */
static void test_versions_have_their_own_label(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct row freed = rows[4]; /* b1-lab-withheld, now told to the resident */
    freed.label = RECORD_NORMAL;
    put_row(&w, &freed);
    struct grant p1 = fixture_resident(w.p1), b = fixture_facility(w.b, GRANT_TREAT);
    assert_seen(&w, &p1, "111111101000");
    struct count count = {"SELECT count(*) FROM v_record_version", &p1, -1};
    assert_int_equal(fixture_read(&w.f, count_gated, &count), ERR_OK);
    assert_int_equal(count.value, 0);
    count.grant = &b;
    assert_int_equal(fixture_read(&w.f, count_gated, &count), ERR_OK);
    assert_int_equal(count.value, 1);
    fixture_close(&w.f);
}

/* ── no way round ──────────────────────────────────────────────────────────────────────────── */

struct shape {
    const char *sql;
    enum err own; /* the same text as the store's own statement: proves that it is valid SQL */
};
static const struct shape shapes[] = {
    {"SELECT rid FROM record", ERR_OK},
    {"SELECT * FROM main.record", ERR_OK},
    {"SELECT count(*) FROM record", ERR_OK},
    {"SELECT 1 FROM record", ERR_OK},
    {"SELECT rowid FROM record", ERR_OK},
    {"SELECT _rowid_ FROM record LIMIT 1", ERR_OK},
    {"SELECT EXISTS (SELECT 1 FROM record WHERE id = 'x')", ERR_OK},
    {"SELECT v.rid FROM v_record v JOIN record r ON r.rid = v.rid", ERR_OK},
    {"SELECT 1 FROM v_record v, record r", ERR_OK},
    {"SELECT v.rid FROM v_record v LEFT JOIN record r USING (rid)", ERR_OK},
    {"SELECT rid FROM v_record NATURAL JOIN record", ERR_OK},
    {"SELECT count(*) FROM v_record natural left join record", ERR_OK},
    {"SELECT count(*) FROM v_record JOIN record USING (type, id)", ERR_OK},
    {"SELECT count(*) FROM v_by_value JOIN ix_value USING(key,rid)", ERR_OK},
    {"SELECT key FROM ix_id", ERR_OK},
    {"SELECT 1 FROM v_record v JOIN ix_id t ON t.rid = v.rid", ERR_OK},
    {"SELECT v_record.rid FROM v_record FULL JOIN record ON 1", ERR_OK},
    {"SELECT 1 FROM v_record, record WHERE 1 ORDER BY 1", ERR_OK},
    {"SELECT rid FROM v_record UNION SELECT rid FROM record", ERR_OK},
    {"SELECT rid FROM v_record EXCEPT SELECT rid FROM record", ERR_OK},
    {"SELECT rid FROM v_record INTERSECT SELECT 1 FROM record", ERR_OK},
    {"SELECT (SELECT body FROM record LIMIT 1)", ERR_OK},
    {"SELECT rid FROM v_record WHERE rid IN (SELECT rid FROM record)", ERR_OK},
    {"SELECT rid FROM v_record WHERE rid IN record", ERR_INTERNAL}, /* needs one column */
    {"SELECT rid FROM v_record ORDER BY (SELECT count(*) FROM record)", ERR_OK},
    {"SELECT count(*) FROM v_record HAVING (SELECT 1 FROM record)", ERR_OK},
    {"SELECT rid FROM v_record LIMIT (SELECT count(*) FROM record)", ERR_OK},
    {"SELECT * FROM (SELECT rid FROM record) AS v_record", ERR_OK},
    {"SELECT * FROM record AS v_record", ERR_OK},
    {"SELECT v_record.rid FROM (record) AS v_record", ERR_OK},
    {"WITH v_record AS (SELECT * FROM record) SELECT body FROM v_record", ERR_OK},
    {"WITH v_record(id) AS NOT MATERIALIZED (SELECT body FROM record) SELECT id FROM v_record",
     ERR_OK},
    {"WITH v_by_string AS (SELECT folded FROM ix_string UNION SELECT body FROM record)"
     " SELECT * FROM v_by_string",
     ERR_OK},
    {"WITH v_by_value AS (SELECT key FROM ix_value) SELECT count(key) FROM v_by_value", ERR_OK},
    {"SELECT id FROM (WITH v_record AS (SELECT id FROM record) SELECT id FROM v_record)", ERR_OK},
    {"/**/wItH c AS (SELECT 1 AS x FROM record) SELECT x FROM c", ERR_OK},
    {"SELECT key FROM ix_value", ERR_OK},
    {"SELECT count(*) FROM ix_value WHERE key = tasuki_key(1, 'x')", ERR_OK},
    {"SELECT 1 FROM v_record v JOIN ix_value t ON t.rid = v.rid", ERR_OK},
    {"SELECT folded FROM ix_string", ERR_OK},
    {"SELECT rowid FROM ix_words", ERR_OK},
    {"SELECT rowid FROM ix_words WHERE ix_words MATCH 'x'", ERR_OK},
    {"SELECT rowid FROM ix_words('x')", ERR_OK},
    {"SELECT count(*) FROM ix_words", ERR_OK},
    {"SELECT v.rid FROM v_by_words v JOIN ix_words x ON x.rowid = v.seq", ERR_OK},
    {"SELECT block FROM ix_words_data", ERR_OK},
    {"SELECT count(*) FROM ix_words_data", ERR_OK},
    {"SELECT v.id FROM v_by_words v, ix_words_data WHERE v.ix_words MATCH 'x'", ERR_OK},
    {"SELECT term FROM ix_words_idx", ERR_OK},
    {"SELECT v FROM ix_words_config", ERR_OK},
    {"SELECT bm25(ix_words) FROM v_by_words WHERE ix_words MATCH 'x'", ERR_OK},
    /* The functions know their arguments only: they open no way to the rows. */
    {"SELECT tasuki_match(facets, NULL) FROM record", ERR_OK},
    {"SELECT tasuki_sort(facets, seq, id, NULL) FROM record", ERR_OK},
    {"SELECT tasuki_key_id(type, id) FROM record", ERR_OK},
    {"SELECT t.id FROM record r, tasuki_targets(r.facets, 12) t", ERR_OK},
    {"SELECT count(*) FROM record r CROSS JOIN tasuki_targets(r.facets, 12)", ERR_OK},
    {"SELECT id FROM tasuki_targets((SELECT facets FROM record LIMIT 1), 12)", ERR_OK},
    {"SELECT count(*) FROM v_record v, tasuki_targets((SELECT r.facets FROM record r"
     " WHERE r.rid = v.rid + 1), 12)",
     ERR_OK},
    {"SELECT id FROM (SELECT body AS id FROM record) AS tasuki_targets", ERR_OK},
    {"SELECT tasuki_targets.id FROM record AS tasuki_targets", ERR_OK},
    {"SELECT v.rid FROM v_record v, tasuki_targets(v.facets, 12) t, record r WHERE r.id = t.id",
     ERR_OK},
    {"WITH tasuki_targets AS (SELECT body AS id FROM record) SELECT id FROM tasuki_targets",
     ERR_OK},
    {"CREATE VIRTUAL TABLE temp.mine USING tasuki_targets", ERR_OK},
    {"SELECT seq FROM change", ERR_OK},
    {"SELECT max(seq) FROM change", ERR_OK},
    {"SELECT 1 FROM v_change v, change c", ERR_OK},
    {"PRAGMA data_version", ERR_OK},
    {"SELECT body FROM record_version", ERR_OK},
    {"SELECT bytes FROM original", ERR_OK},
    {"SELECT person FROM chart", ERR_OK},
    {"SELECT name FROM person", ERR_OK},
    {"SELECT number FROM card", ERR_OK},
    {"SELECT * FROM insured", ERR_OK},
    {"SELECT effect FROM consent_rule", ERR_OK},
    {"SELECT * FROM audit", ERR_OK},
    {"SELECT token_sha FROM glass", ERR_OK},
    {"SELECT answer FROM inbox", ERR_OK},
    {"SELECT key FROM facility", ERR_OK},
    {"SELECT sql FROM sqlite_schema", ERR_OK},
    {"SELECT name FROM sqlite_master", ERR_OK},
    {"SELECT sql FROM sqlite_temp_schema", ERR_OK},
    {"SELECT name FROM pragma_table_info('record')", ERR_OK},
    {"SELECT value FROM json_each('[1]')", ERR_OK},
    {"SELECT load_extension('x')", ERR_OK},
    {"SELECT randomblob(8)", ERR_OK},
    {"SELECT sqlite_version()", ERR_OK},
    {"PRAGMA table_info(record)", ERR_OK},
    {"PRAGMA user_version", ERR_OK},
    {"PRAGMA writable_schema = ON", ERR_OK},
    {"ATTACH ':memory:' AS other", ERR_FORBIDDEN},
    {"DETACH temp", ERR_FORBIDDEN},
    {"CREATE TEMP VIEW v_mine AS SELECT * FROM record", ERR_OK},
    {"CREATE TEMP TABLE mine AS SELECT * FROM v_record", ERR_OK},
    {"CREATE TEMP TRIGGER t INSTEAD OF INSERT ON v_record BEGIN SELECT 1; END", ERR_OK},
    {"DROP VIEW v_record", ERR_OK},
    {"DELETE FROM record", ERR_OK},
    {"UPDATE record SET body = ''", ERR_OK},
    {"INSERT INTO meta(key, value) SELECT id, body FROM v_record", ERR_OK},
    {"BEGIN", ERR_OK},
    {"SAVEPOINT x", ERR_OK},
    {"ANALYZE", ERR_OK},
    {"REINDEX", ERR_OK},
    {"EXPLAIN SELECT rid FROM record", ERR_OK},
    {"VALUES ((SELECT id FROM record LIMIT 1))", ERR_OK},
    {"SELECT max(rid) OVER () FROM record", ERR_OK},
    {"SELECT group_concat(id) FROM v_record", ERR_OK}, /* a function nobody needs */
    {"SELECT rid FROM v_record; SELECT rid FROM record", ERR_OK},
};

struct compiled {
    const struct grant *grant;
    size_t failures;
};
static enum err compile_step(struct session *s, void *context)
{
    struct compiled *c = context;
    session_bind(s, c->grant);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct sql *q = NULL;
        enum err err = sql_prepare_composed(s, shapes[i].sql, &q);
        if (err != ERR_FORBIDDEN && err != ERR_INTERNAL) { /* INTERNAL: a function refused */
            print_message("gated \"%s\" answered %s\n", shapes[i].sql, err_name(err));
            c->failures++;
        }
        if (!err && sql_done(q, err))
            return ERR_INTERNAL;
        q = NULL;
        err = sql_prepare(s, shapes[i].sql, SQL_OWN, &q);
        if (err != shapes[i].own) {
            print_message("own \"%s\" answered %s\n", shapes[i].sql, err_name(err));
            c->failures++;
        }
        if (!err && sql_done(q, err))
            return ERR_INTERNAL;
    }
    return ERR_OK;
}

static void test_no_way_round_the_views(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT);
    struct compiled with = {&a, 0}, without = {NULL, 0};
    assert_int_equal(fixture_read(&w.f, compile_step, &with), ERR_OK);
    assert_int_equal(with.failures, 0);
    assert_int_equal(fixture_write(&w.f, compile_step, &without), ERR_OK);
    assert_int_equal(without.failures, 0);
    fixture_close(&w.f);
}

/* What must work, or the test above would prove nothing. */
static void test_views_compile(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "SELECT count(*) FROM v_record WHERE type = 'Observation'",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM v_by_value t JOIN v_record r ON r.rid = t.rid)",
        "SELECT count(*) FROM v_by_words r WHERE r.ix_words MATCH '\"脂質\"'",
        "SELECT max(k.rid_lo) FROM v_chart k CROSS JOIN v_record r ON r.rid >= k.rid_lo",
        "SELECT coalesce(min(rid), 0) FROM v_record WHERE rid NOT IN (SELECT rid FROM v_by_string)",
        ("SELECT count(*) FROM v_record r, tasuki_targets(r.facets, 12) t JOIN v_by_id b"
         " ON b.key = tasuki_key_id(t.type, t.id) WHERE NOT tasuki_match(r.facets, NULL)"),
        "SELECT count(*) FROM v_record r WHERE tasuki_sort(r.facets, r.seq, r.id, NULL) IS NULL",
        "SELECT count(*) FROM tasuki_targets(x'', 12)",
    };
    struct world w;
    world_open(&w);
    const struct grant a = fixture_facility(w.a, GRANT_TREAT);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct count count = {texts[i], &a, -1};
        assert_int_equal(fixture_read(&w.f, count_gated, &count), ERR_OK);
    }
    fixture_close(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reader_sees_his_rows),
        cmocka_unit_test(test_emergency_opens_normal_rows_of_one_person),
        cmocka_unit_test(test_withdrawn_consent_counts_at_once),
        cmocka_unit_test(test_memory_follows_changes),
        cmocka_unit_test(test_consent_is_asked_for_facilities_only),
        cmocka_unit_test(test_every_view_is_empty_without_a_grant),
        cmocka_unit_test(test_versions_have_their_own_label),
        cmocka_unit_test(test_no_way_round_the_views),
        cmocka_unit_test(test_views_compile),
    };
    return T_RUN(tests);
}
