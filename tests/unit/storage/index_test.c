/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of the value index, and rows of the indexes: which facets have some, and that a new version
 * writes only the difference to the one before.
 */
#include "lib/t.h"

#include "base/ids.h"
#include "base/limits.h"
#include "storage/key.h"
#include "storage/record_impl.h"
#include "tests/unit/storage/bench.h"

#include "base/banned.h"

#define DAY INT64_C(86400000)

static void test_keys(void **state)
{
    (void)state;
    /* Numbers live in files: these must never change. */
    assert_int_equal(key_type(SLICE("Observation")), INT64_C(6439865732023039658));
    assert_int_equal(key_id(SLICE("Observation"), SLICE("a")), INT64_C(696518309938908374));
    assert_int_equal(key_value(7, SLICE("c")), INT64_C(6247099110327164461));
    assert_int_equal(key_day(7, INT64_C(1795334400000)), INT64_C(-9223363790517546709));
    assert_int_equal(key_value(7, SLICE("AbC-1")), key_value(7, SLICE("aBc-1")));
    assert_int_not_equal(key_value(7, SLICE("c")), key_value(8, SLICE("c")));
    assert_int_equal(key_value(7, SLICE("c")) & KEY_BLOCK, 0);
    assert_int_equal(key_type(SLICE("Observation")) & KEY_BLOCK, 0);
    assert_int_equal(key_day(7, INT64_MAX) & KEY_BLOCK, 0);
    assert_int_equal(key_block_of((INT64_C(5) << 32) + 63), INT64_C(5) << 32);
    assert_int_equal(key_block_of((INT64_C(5) << 32) + 64), (INT64_C(5) << 32) + 64);
    assert_int_not_equal(key_id(SLICE("A"), SLICE("b")), key_id(SLICE("A"), SLICE("B")));
    assert_int_not_equal(key_id(SLICE("A"), SLICE("b")), key_id(SLICE("Ab"), SLICE("")));
    /* Days are in order, apart from each other and from hashes. */
    assert_int_equal(key_day(7, DAY), key_day(7, 0) + 1);
    assert_int_equal(key_day(7, DAY - 1), key_day(7, 0));
    assert_int_equal(key_day(7, -1), key_day(7, 0) - 1);
    assert_true(key_long(7) < key_day(7, INT64_MIN) && key_day(7, INT64_MAX) < key_long(8));
    assert_true(key_day(65535, INT64_MAX) < 0 && key_type(SLICE("")) >= 0);
}

static void test_ordered_ids_keep_their_order(void **state)
{
    char earlier[IDS_UUID_LEN + 1], later[IDS_UUID_LEN + 1];
    (void)state;
    for (int i = 0; i < 100; i++) {
        int64_t now = INT64_C(1795334400000) + i;
        ids_uuid_ordered(now, earlier);
        ids_uuid_ordered(now + 1, later);
        assert_true(key_id(SLICE("A"), slice_str(earlier)) < key_id(SLICE("A"), slice_str(later)));
        assert_true(key_id(SLICE("A"), slice_str(earlier)) >= 0);
    }
    /* As above: the number must never change; and the type counts. */
    struct slice id = SLICE("01a2038e-2c00-7000-8000-000000000000");
    assert_int_equal(key_id(SLICE("A"), id) >> 21, INT64_C(0x01a2038e2c00));
    assert_int_not_equal(key_id(SLICE("A"), id), key_id(SLICE("B"), id));
    /* A time beyond what has room is hashed like any other id. */
    assert_true(key_id(SLICE("A"), SLICE("ffffffff-ffff-7000-8000-000000000000")) >= 0);
}

static void test_keys_of_facets(void **state)
{
    (void)state;
    const struct {
        struct facet_view facet;
        unsigned count;
        bool is_string;
    } rows[] = {
        {{.kind = FACET_TOKEN, .text = SLICE("c")}, 1, false},
        {{.kind = FACET_TOKEN, .text = SLICE("c"), .common = true}, 0, false},
        {{.kind = FACET_TOKEN, .text = SLICE("c"), .group = 1}, 0, false},
        {{.kind = FACET_TOKEN, .system = 5}, 0, false},
        {{.kind = FACET_REFERENCE, .text = SLICE("A/1")}, 1, false},
        {{.kind = FACET_URI, .text = SLICE("urn:x")}, 1, false},
        {{.kind = FACET_STRING, .text = SLICE("s")}, 0, true},
        {{.kind = FACET_STRING, .text = SLICE("s"), .common = true}, 0, false},
        {{.kind = FACET_STRING, .text = SLICE("s"), .group = 1}, 0, false},
        {{.kind = FACET_NUMBER, .lo = 1, .hi = 1}, 0, false},
        {{.kind = FACET_TYPED, .text = SLICE("MR"), .raw = SLICE("1")}, 0, false},
        {{.kind = FACET_DATE, .lo_ms = 0, .hi_ms = 1}, 1, false},
        {{.kind = FACET_DATE, .lo_ms = 0, .hi_ms = DAY}, 1, false},
        {{.kind = FACET_DATE, .lo_ms = 0, .hi_ms = DAY + 1}, 2, false},
        {{.kind = FACET_DATE, .lo_ms = -1, .hi_ms = 30 * DAY}, 31, false},
        {{.kind = FACET_DATE, .lo_ms = -1, .hi_ms = 30 * DAY + 1}, 1, false}, /* long */
        {{.kind = FACET_DATE, .lo_ms = INT64_MIN, .hi_ms = INT64_MAX}, 1, false},
        {{.kind = FACET_DATE, .lo_ms = INT64_MIN, .hi_ms = INT64_MIN + 1}, 1, false},
        {{.kind = FACET_DATE, .lo_ms = 5, .hi_ms = 5}, 1, false},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        int64_t keys[LIMIT_KEY_DAYS + 1];
        unsigned count = key_of_facet(&rows[i].facet, keys, LIMIT_KEY_DAYS + 1);
        if (count != rows[i].count)
            print_error("row %zu\n", i);
        assert_int_equal(count, rows[i].count);
        assert_int_equal(key_is_string(&rows[i].facet), rows[i].is_string);
        for (unsigned k = 0; rows[i].facet.kind == FACET_DATE && count > 1 && k < count; k++)
            assert_int_equal(keys[k], key_day(0, rows[i].facet.lo_ms + k * DAY));
        assert_int_equal(key_of_facet(&rows[i].facet, keys, 0), 0);
    }
    const struct facet_view spans = {.kind = FACET_DATE, .hi_ms = 31 * DAY + 1};
    int64_t key = 0;
    assert_int_equal(key_of_facet(&spans, &key, 1), 1);
    assert_int_equal(key, key_long(0));
}

static void test_text_is_cut_between_characters(void **state)
{
    (void)state;
    static const char long_text[] =
        "あいうえおかきくけこさしすせそたちつてとなにぬねの"; /* 3 bytes each */
    struct slice cut = key_text(slice_str(long_text));
    assert_int_equal(cut.len, LIMIT_KEY_TEXT / 3 * 3);
    assert_true(slice_is_utf8(cut));
    assert_int_equal(key_text(SLICE("short")).len, 5);
    assert_int_equal(key_text(slice_of(long_text + 3, LIMIT_KEY_TEXT - 1)).len, LIMIT_KEY_TEXT - 1);
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

#define TOKEN(p, c)                                                                                \
    (struct facet)                                                                                 \
    {                                                                                              \
        .param = (p), .kind = FACET_TOKEN, .text = SLICE(c)                                        \
    }
#define STRING(p, t)                                                                               \
    (struct facet)                                                                                 \
    {                                                                                              \
        .param = (p), .kind = FACET_STRING, .text = SLICE(t), .raw = SLICE(t)                      \
    }

static struct record_mark put(struct bench *b, const char *type, const char *body,
                              struct facet *facets, size_t count)
{
    const struct grant grant = {
        .magic = GRANT_MAGIC, .actor = GRANT_FACILITY, .facility = 1, .may_write = true};
    struct facet_list list = {facets, count};
    const struct record_new record = {
        .type = slice_str(type), .id = SLICE("x"), .body = slice_str(body), .facets = &list};
    struct record_mark mark = {0};
    session_bind(b->s, &grant);
    assert_int_equal(record_put(b->s, &record, 0, &mark), ERR_OK);
    session_bind(b->s, NULL);
    return mark;
}

static int64_t changed(struct bench *b, int64_t *before)
{
    int64_t now = sqlite3_total_changes64(b->s->db), delta = now - *before;
    *before = now;
    return delta;
}

static void test_only_the_difference_is_written(void **state)
{
    struct bench *b = *state;
    int64_t count = sqlite3_total_changes64(b->s->db);
    struct facet first[] = {TOKEN(1, "a"), TOKEN(1, "b"), TOKEN(1, "a"), STRING(2, "s")};
    (void)put(b, "Patient", "{\"v\":1}", first, 4);
    assert_int_equal(changed(b, &count), 2 + 2 + 2 + 1); /* record, change; id, type; a, b; s */
    struct facet same[] = {STRING(2, "s"), TOKEN(1, "b"), TOKEN(1, "a")};
    (void)put(b, "Patient", "{\"v\":2}", same, 3);
    assert_int_equal(changed(b, &count), 3); /* version, change, record */
    struct facet other[] = {TOKEN(1, "a"), TOKEN(1, "c"), STRING(2, "s"), STRING(2, "t")};
    (void)put(b, "Patient", "{\"v\":3}", other, 4);
    assert_int_equal(changed(b, &count), 3 + 2 + 1); /* b goes, c comes; t comes */
    (void)put(b, "Patient", "{\"v\":3}", same, 3);
    assert_int_equal(changed(b, &count), 0); /* the same body */
    (void)put(b, "Patient", "{\"v\":4}", NULL, 0);
    assert_int_equal(changed(b, &count), 3 + 2 + 2);
}

/* What is no Patient stands with its block: what others of it have entered is there, and nothing is
 * taken out. */
static void test_a_block_is_entered_once(void **state)
{
    struct bench *b = *state;
    int64_t count = sqlite3_total_changes64(b->s->db);
    struct facet first[] = {TOKEN(1, "a"), TOKEN(1, "b"), STRING(2, "s")};
    (void)put(b, "Basic", "{\"v\":1}", first, 3);
    assert_int_equal(changed(b, &count), 2 + 2 + 2 + 1);
    (void)put(b, "Basic", "{\"v\":2}", first + 1, 1);
    assert_int_equal(changed(b, &count), 3);
    struct facet other[] = {TOKEN(1, "a"), TOKEN(1, "c"), STRING(2, "s")};
    (void)put(b, "Observation", "{\"v\":1}", other, 3);
    assert_int_equal(changed(b, &count), 2 + 2 + 1); /* record, change; id, type; c */
    assert_int_equal(bench_ask(b, "SELECT count(*) FROM ix_value WHERE rid % 64 = 0"), 3 + 2);
}

static void test_too_many_rows_are_refused(void **state)
{
    struct bench *b = *state;
    const size_t count = LIMIT_FACETS / LIMIT_KEY_DAYS + 1;
    struct facet *facets = calloc(count, sizeof *facets);
    assert_non_null(facets);
    for (size_t i = 0; i < count; i++)
        facets[i] = (struct facet){.param = (uint16_t)i, .kind = FACET_DATE, .hi_ms = 31 * DAY};
    struct facet_list list = {facets, count};
    const struct grant grant = {
        .magic = GRANT_MAGIC, .actor = GRANT_FACILITY, .facility = 1, .may_write = true};
    const struct record_new record = {
        .type = SLICE("Basic"), .id = SLICE("x"), .body = SLICE("{}"), .facets = &list};
    struct record_mark mark = {0};
    session_bind(b->s, &grant);
    assert_int_equal(record_put(b->s, &record, 0, &mark), ERR_TOO_LARGE);
    bench_end(b, false); /* as the writer does: the job is rolled back */
    bench_begin(b);
    list.count--;
    assert_int_equal(record_put(b->s, &record, 0, &mark), ERR_OK);
    session_bind(b->s, NULL);
    free(facets);
}

/* ── words ───────────────────────────────────────────────────────────────────────────────────── */

#define WITH(word) "SELECT count(*) FROM ix_words WHERE ix_words MATCH '" word "'"

static void test_words_go_in_together(void **state)
{
    struct bench *b = *state;
    struct index_words_mark mark;
    assert_int_equal(index_words(b->s, 1, SLICE("one"), SLICE_NONE), ERR_OK);
    assert_int_equal(bench_ask(b, WITH("one")), 0); /* waits */
    /* A job that searches, and so has all that waits entered, and is then rolled back. */
    assert_int_equal(index_words_begin(b->s, &mark), ERR_OK);
    bench_do(b, "SAVEPOINT job");
    assert_int_equal(index_words(b->s, 2, SLICE("two"), SLICE("deux")), ERR_OK);
    assert_int_equal(index_words_enter(b->s), ERR_OK);
    assert_int_equal(bench_ask(b, WITH("one OR deux")), 2);
    bench_do(b, "ROLLBACK TO job; RELEASE job");
    index_words_back(b->s, mark);
    assert_int_equal(index_words(b->s, 3, SLICE_NONE, SLICE("three")), ERR_OK);
    bench_end(b, true);
    assert_int_equal(bench_ask(b, WITH("one")), 1);
    assert_int_equal(bench_ask(b, WITH("two OR deux")), 0);
    assert_int_equal(bench_ask(b, WITH("three")), 1);
    bench_begin(b);
    assert_int_equal(index_words(b->s, 4, SLICE("four"), SLICE_NONE), ERR_OK);
    bench_end(b, false);
    bench_begin(b);
    bench_end(b, true);
    assert_int_equal(bench_ask(b, WITH("four")), 0);
    bench_begin(b);
}

static void test_many_words_do_not_wait(void **state)
{
    struct bench *b = *state;
    struct index_words_mark mark;
    size_t len = LIMIT_MIB + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'a', len);
    assert_int_equal(index_words(b->s, 1, slice_of(text, len), SLICE_NONE), ERR_OK);
    free(text);
    assert_int_equal(index_words_begin(b->s, &mark), ERR_OK);
    assert_int_equal(mark.rows + mark.texts + mark.entered, 0);
    assert_int_equal(bench_ask(b, "SELECT count(*) FROM ix_words WHERE ix_words MATCH 'a*'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_ordered_ids_keep_their_order),
        cmocka_unit_test(test_keys_of_facets),
        cmocka_unit_test(test_text_is_cut_between_characters),
        BENCH_TEST(test_only_the_difference_is_written),
        BENCH_TEST(test_a_block_is_entered_once),
        BENCH_TEST(test_too_many_rows_are_refused),
        BENCH_TEST(test_words_go_in_together),
        BENCH_TEST(test_many_words_do_not_wait),
    };
    return T_RUN(tests);
}
