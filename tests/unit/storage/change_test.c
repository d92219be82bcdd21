/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of changes: numbers only grow, whoever writes and whatever the clock does; lists by
 * record, person, type and time are exact under the gate, in both directions and from page to page.
 */
#include "lib/t.h"

#include "lib/store_fixture.h"
#include "storage/change.h"

#include "base/banned.h"

struct world {
    struct fixture f;
    int64_t a, b, p1, p2, a1, b1, b2;
};

static void world_open(struct world *w)
{
    fixture_open(&w->f);
    w->a = fixture_add_facility(&w->f, 1, FACILITY_HOSPITAL);
    w->b = fixture_add_facility(&w->f, 2, FACILITY_CLINIC);
    w->p1 = fixture_add_person(&w->f);
    w->p2 = fixture_add_person(&w->f);
    w->a1 = fixture_add_chart(&w->f, w->a, w->p1);
    w->b1 = fixture_add_chart(&w->f, w->b, w->p1);
    w->b2 = fixture_add_chart(&w->f, w->b, w->p2);
}

/* One change a second, from FIXTURE_NOW on. */
static const struct {
    char chart; /* a1, b1, b2, '0' */
    const char *type, *id;
    enum record_label label;
    int v; /* 0: delete */
} changes[] = {
    {'a', "Observation", "x", RECORD_NORMAL, 1},  /* 0 */
    {'b', "Observation", "y", RECORD_NORMAL, 1},  /* 1 */
    {'a', "Condition", "c", RECORD_NORMAL, 1},    /* 2 */
    {'a', "Observation", "x", RECORD_NORMAL, 2},  /* 3 */
    {'0', "Organization", "o", RECORD_NORMAL, 1}, /* 4 */
    {'c', "Observation", "z", RECORD_NORMAL, 1},  /* 5 */
    {'b', "Observation", "y", RECORD_PRIVATE, 2}, /* 6 */
    {'a', "Observation", "x", RECORD_NORMAL, 0},  /* 7 */
    {'b', "Observation", "y", RECORD_NORMAL, 3},  /* 8 */
    {'a', "Observation", "x", RECORD_NORMAL, 4},  /* 9 */
};
#define CHANGES (sizeof changes / sizeof changes[0])

struct removal {
    struct grant grant;
    struct slice type, id;
    struct record_mark mark;
};
static enum err delete_step(struct session *s, void *context)
{
    struct removal *r = context;
    session_bind(s, &r->grant);
    return record_delete(s, r->type, r->id, 0, &r->mark);
}

static struct record_mark change(struct world *w, size_t i)
{
    bool of_b = changes[i].chart == 'b' || changes[i].chart == 'c';
    struct grant grant = fixture_facility(of_b ? w->b : w->a, GRANT_TREAT);
    struct removal removal = {grant, slice_str(changes[i].type), slice_str(changes[i].id), {0}};
    struct fixture_put put = {.grant = grant,
                              .record = {.type = removal.type,
                                         .id = removal.id,
                                         .label = changes[i].label,
                                         .category = CATEGORY_LABORATORY}};
    put.record.chart = changes[i].chart == 'a'   ? w->a1
                       : changes[i].chart == 'b' ? w->b1
                       : changes[i].chart == 'c' ? w->b2
                                                 : 0;
    put.record.body = slice_str(arena_printf(w->f.arena, "{\"v\":%d}", changes[i].v));
    w->f.clock.ms = FIXTURE_NOW + 1000 * (int64_t)i;
    if (changes[i].v > 0)
        assert_int_equal(fixture_try_put(&w->f, &put), ERR_OK);
    else
        assert_int_equal(fixture_write(&w->f, delete_step, &removal), ERR_OK);
    return changes[i].v > 0 ? put.mark : removal.mark;
}

struct listing {
    struct fixture *f;
    struct grant grant;
    bool bound;
    struct change_query query;
    struct change_result result;
};
static enum err list_step(struct session *s, void *context)
{
    struct listing *l = context;
    session_bind(s, l->bound ? &l->grant : NULL);
    return change_list(s, l->f->arena, &l->query, &l->result);
}

/* Seconds of the changes listed, in order; counted the same with and without a page. */
static void list(struct world *w, const struct grant *grant, struct change_query query,
                 struct buf *out)
{
    struct listing l = {.f = &w->f, .bound = grant != NULL, .query = query};
    if (grant)
        l.grant = *grant;
    l.query.count_total = true;
    if (l.query.limit == 0)
        l.query.limit = 100;
    buf_clear(out);
    assert_int_equal(fixture_read(&w->f, list_step, &l), ERR_OK);
    for (size_t i = 0; i < l.result.count; i++)
        buf_addf(out, "%d", (int)((l.result.records[i].updated_ms - FIXTURE_NOW) / 1000));
    if (!query.after_given && !l.result.more)
        assert_int_equal(l.result.total, l.result.count);
    if (l.result.more)
        buf_addc(out, '+');
}

static void test_lists(void **state)
{
    (void)state;
    struct world w;
    struct buf out;
    int64_t rids[CHANGES];
    const struct slice observation[] = {SLICE("Observation")};
    const struct slice two[] = {SLICE("Condition"), SLICE("Organization")};
    world_open(&w);
    for (size_t i = 0; i < CHANGES; i++)
        rids[i] = change(&w, i).rid;
    const struct grant a = fixture_facility(w.a, GRANT_TREAT),
                       b = fixture_facility(w.b, GRANT_TREAT);
    const struct grant p1 = fixture_resident(w.p1), p2 = fixture_resident(w.p2);
    const int64_t persons[] = {w.p1, w.p2};
    const struct {
        const struct grant *grant;
        struct change_query query;
        const char *seconds;
    } rows[] = {
        {&a, {0}, "974320"},
        {&b, {0}, "86541"},
        {&p1, {0}, "98743210"}, /* not the version that was private */
        {&p2, {0}, "54"},
        {NULL, {0}, ""},
        {&a, {.oldest_first = true}, "023479"},
        {&a, {.types = observation, .type_count = 1}, "9730"},
        {&a, {.types = two, .type_count = 2}, "42"},
        {&a, {.current_only = true}, "942"},
        {&p1, {.current_only = true, .oldest_first = true}, "2489"},
        {&a, {.rid = rids[0]}, "9730"},
        {&b, {.rid = rids[0]}, ""},
        {&b, {.rid = rids[1], .oldest_first = true}, "168"},
        {&p1, {.rid = rids[1]}, "81"},
        {&p1, {.persons = persons, .person_count = 1}, "9873210"},
        {&b, {.persons = persons, .person_count = 2}, "8651"},
        {&b, {.persons = persons, .person_count = 2, .current_only = true}, "85"},
        {&a, {.persons = persons + 1, .person_count = 1}, ""},
        {&a, {.since = change_at(FIXTURE_NOW + 3000)}, "9743"},
        {&a, {.since = change_at(FIXTURE_NOW + 3000) + 1}, "974"},
        /* current in the second before 4: x's second version, c */
        {&a, {.at_lo = FIXTURE_NOW + 3000, .at_hi = FIXTURE_NOW + 4000}, "32"},
        {&a, {.at_lo = FIXTURE_NOW + 2500, .at_hi = FIXTURE_NOW + 3500, .rid = rids[0]}, "30"},
        {&a, {.at_lo = FIXTURE_NOW + 3500, .at_hi = FIXTURE_NOW + 3600, .rid = rids[0]}, "3"},
        {&a, {.at_lo = FIXTURE_NOW + 8500, .at_hi = FIXTURE_NOW + 8600, .rid = rids[0]}, "7"},
        {&a, {.at_lo = FIXTURE_NOW - 500, .at_hi = FIXTURE_NOW}, ""},
        {&a, {.at_lo = FIXTURE_NOW + 99000, .at_hi = FIXTURE_NOW + 99001}, "942"},
        {&a, {.limit = 2}, "97+"},
        {&a, {.limit = 2, .oldest_first = true}, "02+"},
        {&a, {.limit = 6}, "974320"},
    };
    buf_init(&out, 256);
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        list(&w, rows[i].grant, rows[i].query, &out);
        if (!slice_is(buf_slice(&out), rows[i].seconds))
            print_error("row %zu\n", i);
        assert_slice(buf_slice(&out), rows[i].seconds);
    }
    buf_fini(&out);
    fixture_close(&w.f);
}

/* From page to page everything comes once, also while more is written. */
static void test_pages(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    for (size_t i = 0; i < CHANGES; i++)
        (void)change(&w, i);
    for (int by_person = 0; by_person < 2; by_person++) {
        for (int oldest = 0; oldest < 2; oldest++) {
            struct listing l = {
                .f = &w.f, .grant = fixture_facility(w.a, GRANT_TREAT), .bound = true};
            l.query = (struct change_query){.limit = 2, .oldest_first = oldest != 0};
            l.query.persons = &w.p1;
            l.query.person_count = by_person ? 1 : 0;
            size_t count = 0;
            for (bool more = true; more; more = l.result.more) {
                assert_int_equal(fixture_read(&w.f, list_step, &l), ERR_OK);
                for (size_t i = 0; i < l.result.count; i++) {
                    int64_t seq = l.result.records[i].seq;
                    if (l.query.after_given)
                        assert_true(oldest ? seq > l.query.after : seq < l.query.after);
                    l.query.after = seq;
                    l.query.after_given = true;
                    count++;
                }
            }
            assert_int_equal(count, by_person ? 5 : 6);
        }
    }
    fixture_close(&w.f);
}

static struct record_mark put_any(struct fixture *f, int64_t facility, const char *id)
{
    struct fixture_put put = {
        .grant = fixture_facility(facility, GRANT_TREAT),
        .record = {.type = SLICE("Basic"), .id = slice_str(id), .body = SLICE("{}")}};
    assert_int_equal(fixture_try_put(f, &put), ERR_OK);
    return put.mark;
}

static void test_numbers_only_grow(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct record_mark first = put_any(&w.f, w.a, "1");
    assert_int_equal(first.seq, change_at(FIXTURE_NOW));
    assert_int_equal(first.updated_ms, FIXTURE_NOW);
    struct record_mark second = put_any(&w.f, w.a, "2");
    assert_int_equal(second.seq, first.seq + 1);
    w.f.clock.ms -= 3600000; /* back by an hour */
    struct record_mark third = put_any(&w.f, w.a, "3");
    assert_int_equal(third.seq, first.seq + 2);
    assert_int_equal(third.updated_ms, FIXTURE_NOW);

    /* Another process on the same file gives out numbers, too. */
    struct fixture other = w.f;
    assert_int_equal(fixture_try_open(&other, 1), ERR_OK);
    assert_int_equal(put_any(&other, w.a, "4").seq, first.seq + 3);
    assert_int_equal(put_any(&w.f, w.a, "5").seq, first.seq + 4);
    assert_int_equal(put_any(&other, w.a, "6").seq, first.seq + 5);
    store_close(other.store);
    w.f.clock.ms = FIXTURE_NOW + 1;
    assert_int_equal(put_any(&w.f, w.a, "7").seq, change_at(FIXTURE_NOW + 1));
    fixture_close(&w.f);
}

/* A job that is rolled back gives its numbers back; more changes than a millisecond has numbers run
 * into the next. */
struct many {
    struct grant grant;
    unsigned from, count;
    enum err end;
    struct record_mark mark;
};
static enum err many_step(struct session *s, void *context)
{
    struct many *m = context;
    session_bind(s, &m->grant);
    for (unsigned i = 0; i < m->count; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%u", m->from + i);
        const struct record_new record = {
            .type = SLICE("Basic"), .id = slice_str(id), .body = SLICE("{}")};
        enum err err = record_put(s, &record, 0, &m->mark);
        if (err)
            return err;
    }
    return m->end;
}

static void test_numbers_of_a_full_millisecond(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct many m = {fixture_facility(w.a, GRANT_TREAT), 0, 5, ERR_CONFLICT, {0}};
    assert_int_equal(fixture_write(&w.f, many_step, &m), ERR_CONFLICT);
    m = (struct many){m.grant, 0, 4097, ERR_OK, {0}};
    assert_int_equal(fixture_write(&w.f, many_step, &m), ERR_OK);
    assert_int_equal(m.mark.seq, change_at(FIXTURE_NOW + 1));
    assert_int_equal(m.mark.updated_ms, FIXTURE_NOW + 1);
    fixture_close(&w.f);
}

struct next {
    int64_t after, found;
};
static enum err next_step(struct session *s, void *context)
{
    struct next *n = context;
    return change_next(s, n->after, &n->found);
}

static void test_next(void **state)
{
    (void)state;
    struct world w;
    struct next n = {.found = 7};
    world_open(&w);
    struct many m = {fixture_facility(w.a, GRANT_TREAT), 0, 1, ERR_OK, {0}};
    assert_int_equal(fixture_write(&w.f, many_step, &m), ERR_OK);
    n.after = m.mark.seq - 1;
    assert_int_equal(fixture_read(&w.f, next_step, &n), ERR_OK);
    assert_int_equal(n.found, m.mark.seq);
    n.after = m.mark.seq; /* the last */
    assert_int_equal(fixture_read(&w.f, next_step, &n), ERR_OK);
    assert_int_equal(n.found, 0);
    fixture_close(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_numbers_only_grow),
        cmocka_unit_test(test_numbers_of_a_full_millisecond),
        cmocka_unit_test(test_next),
    };
    return T_RUN(tests);
}
