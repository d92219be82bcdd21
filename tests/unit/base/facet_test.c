/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed facets: what goes in comes out, in order, without doubles; small; and broken bytes end the
 * walk.
 */
#include "lib/t.h"

#include <math.h>

#include "base/facet.h"
#include "base/facet_table.h"
#include "base/limits.h"
#include "base/when.h"

#include "base/banned.h"

#define TOKEN(n, s, c)                                                                             \
    {                                                                                              \
        .param = (n), .kind = FACET_TOKEN, .system = SLICE(s), .text = SLICE(c)                    \
    }
#define NUMBER(n, a, b)                                                                            \
    {                                                                                              \
        .param = (n), .kind = FACET_NUMBER, .lo = (a), .hi = (b)                                   \
    }
#define DATE(n, a, b)                                                                              \
    {                                                                                              \
        .param = (n), .kind = FACET_DATE, .lo_ms = (a), .hi_ms = (b)                               \
    }

/* Sorted as packing sorts. */
static const struct facet all[] = {
    TOKEN(0, "", "final"),
    TOKEN(0, "http://loinc.org", "4548-4"),
    TOKEN(0, "http://loinc.org", "x"),
    TOKEN(0, "urn:other", "4548-4"),
    TOKEN(0, "urn:only-system", ""),
    {.param = 3, .kind = FACET_STRING, .text = SLICE("ヤマダ"), .raw = SLICE("やまだ")},
    {.param = 3, .kind = FACET_STRING, .text = SLICE("yamada"), .raw = SLICE("yamada")},
    {.param = 3, .kind = FACET_REFERENCE, .text = SLICE("Patient/@")},
    {.param = 3, .kind = FACET_URI, .text = SLICE("http://example.org/x|1")},
    {.param = 3,
     .kind = FACET_TYPED,
     .system = SLICE("urn:t"),
     .text = SLICE("MR"),
     .raw = SLICE("1")},
    {.param = 3, .group = 1, .part = 0, .kind = FACET_TOKEN, .text = SLICE("code"), .common = true},
    {.param = 3,
     .group = 1,
     .part = 1,
     .kind = FACET_STRING,
     .text = SLICE("a"),
     .raw = SLICE("A")},
    {.param = 3, .group = 2, .part = 0, .kind = FACET_TOKEN, .text = SLICE("code")},
    {.param = 3, .group = 40000, .part = 255, .kind = FACET_TOKEN, .text = SLICE("code")},
    DATE(200, 1795311108000, 1795311109000),
    DATE(200, 1795311108123, 1795311108124),
    DATE(200, -62135596800000, 253402300800000),
    DATE(200, WHEN_MIN, 5),
    DATE(200, 1000, WHEN_MAX),
    DATE(200, WHEN_MIN, WHEN_MAX),
    DATE(200, WHEN_MIN + 1, WHEN_MAX - 1),
    NUMBER(201, 0, 0),
    NUMBER(201, -0.0, -0.0),
    NUMBER(201, 72.5, 72.5),
    NUMBER(201, -0.1, 0.3),
    NUMBER(201, 1e300, 1e-300),
    NUMBER(201, 9007199254740992.0, 9007199254740991.0),
    NUMBER(201, 1.0 / 3, 0.1 + 0.2),
    NUMBER(201, -INFINITY, INFINITY),
    {.param = 65535,
     .kind = FACET_QUANTITY,
     .lo = 5.4,
     .hi = 5.4,
     .system = SLICE("urn:u"),
     .text = SLICE("mg"),
     .raw = SLICE("mg")},
    {.param = 65535,
     .kind = FACET_QUANTITY,
     .lo = 5.4,
     .hi = INFINITY,
     .text = SLICE("mg"),
     .raw = SLICE("milligram")},
    {.param = 65535, .kind = FACET_QUANTITY, .lo = 5.4, .hi = 5.4},
    {.param = 65535, .kind = FACET_SPECIAL, .lo = 35.681236, .hi = 139.767125},
};

static bool same(const struct facet *f, const struct facet_view *v)
{
    uint64_t unit = f->kind == FACET_QUANTITY ? facet_system(f->text) : 0;
    return f->param == v->param && f->group == v->group && f->part == v->part &&
           f->kind == v->kind && f->common == v->common && facet_system(f->system) == v->system &&
           unit == v->unit && slice_eq(f->text, v->text) && slice_eq(f->raw, v->raw) &&
           f->lo_ms == v->lo_ms && f->hi_ms == v->hi_ms &&
           memcmp(&f->lo, &v->lo, sizeof(f->lo)) == 0 && memcmp(&f->hi, &v->hi, sizeof(f->hi)) == 0;
}

/* PACKED holds exactly WANT[0..count). */
static void assert_holds(struct slice packed, const struct facet *want, size_t count)
{
    struct facet_reader reader;
    struct facet_view view;
    size_t n = 0;
    facet_reader_init(&reader, packed);
    while (facet_next(&reader, &view)) {
        assert_true(n < count);
        if (!same(&want[n], &view))
            fail_msg("facet %zu differs", n);
        n++;
    }
    assert_int_equal(n, count);
    assert_ptr_equal(reader.at, reader.end);
}

static void comes_back(void **state)
{
    struct facet items[T_COUNT(all)];
    struct facet_list list = {items, T_COUNT(all)};
    struct buf out;
    (void)state;
    buf_init(&out, LIMIT_MIB);
    memcpy(items, all, sizeof(all));
    facet_pack(&list, &out);
    assert_int_equal(buf_err(&out), ERR_OK);
    assert_holds(buf_slice(&out), all, T_COUNT(all));
    assert_true(out.len < 420);
    list.count = 0;
    buf_clear(&out);
    facet_pack(&list, &out);
    assert_buf(&out, "");
    assert_holds(SLICE_NONE, NULL, 0);
    buf_fini(&out);
}

static void is_sorted_and_without_doubles(void **state)
{
    static const uint16_t params[] = {9, 1, 9, 1, 5, 9};
    static const char *const texts[] = {"z", "b", "a", "b", "m", "z"};
    struct facet items[T_COUNT(params)] = {0};
    struct facet_list list = {items, T_COUNT(params)};
    struct facet want[] = {TOKEN(1, "", "b"), TOKEN(5, "", "m"), TOKEN(9, "", "z"),
                           TOKEN(9, "", "a")};
    struct buf out;
    (void)state;
    buf_init(&out, LIMIT_MIB);
    for (size_t i = 0; i < T_COUNT(params); i++) {
        items[i].param = params[i];
        items[i].text = slice_str(texts[i]);
    }
    facet_pack(&list, &out);
    assert_holds(buf_slice(&out), want, T_COUNT(want));
    assert_int_equal(items[0].param, 1);
    assert_slice(items[3].text, "z");
    assert_slice(items[4].text, "a");
    buf_fini(&out);
}

/* As many as a resource may have, backwards. */
static void takes_many(void **state)
{
    size_t count = LIMIT_FACETS;
    struct facet *items = calloc(count, sizeof(*items));
    struct facet_list list = {items, count};
    char(*texts)[8] = calloc(count, sizeof(*texts));
    struct buf out;
    (void)state;
    buf_init(&out, LIMIT_MIB);
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof(*texts), "%zu", i);
        items[i] =
            (struct facet){.param = (uint16_t)((count - i) / 100), .text = slice_str(texts[i])};
    }
    facet_pack(&list, &out);
    for (size_t i = 1; i < count; i++) {
        assert_true(items[i - 1].param <= items[i].param);
        if (items[i - 1].param == items[i].param)
            assert_true(items[i - 1].text.ptr < items[i].text.ptr);
    }
    assert_holds(buf_slice(&out), items, count);
    buf_fini(&out);
    free(items);
    free(texts);
}

/* A text or system that was there before costs a byte, also beyond those remembered. */
static void refers_back(void **state)
{
    struct facet items[100];
    struct facet_list list = {items, T_COUNT(items)};
    struct facet want[T_COUNT(items)];
    static char texts[40][24];
    struct buf out;
    (void)state;
    buf_init(&out, LIMIT_MIB);
    for (size_t i = 0; i < T_COUNT(items); i++) {
        snprintf(texts[i % 40], sizeof(*texts), "http://example.org/%zu", i % 40);
        items[i] = (struct facet){.param = (uint16_t)i,
                                  .system = slice_str(texts[i % 40]),
                                  .text = slice_str(texts[i % 40])};
    }
    memcpy(want, items, sizeof(want));
    facet_pack(&list, &out);
    assert_holds(buf_slice(&out), want, T_COUNT(want));
    buf_clear(&out);
    for (size_t i = 0; i < T_COUNT(items); i++)
        items[i].text = items[i].system = SLICE("http://example.org/always");
    facet_pack(&list, &out);
    assert_int_equal(out.len, 1 + (1 + 1 + 8 + 1 + 25) + 99 * 4);
    buf_fini(&out);
}

static void broken_bytes_end_the_walk(void **state)
{
    struct facet items[T_COUNT(all)];
    struct facet_list list = {items, T_COUNT(all)};
    struct facet_reader reader;
    struct facet_view view;
    struct buf out;
    (void)state;
    buf_init(&out, LIMIT_MIB);
    memcpy(items, all, sizeof(all));
    facet_pack(&list, &out);
    for (size_t len = 0; len < out.len;
         len++) { /* cut anywhere: fewer facets, none of them changed */
        char *cut = malloc(len ? len : 1);
        size_t n = 0;
        memcpy(cut, out.ptr, len);
        facet_reader_init(&reader, slice_of(cut, len));
        while (facet_next(&reader, &view))
            assert_true(n < T_COUNT(all) && same(&all[n++], &view));
        assert_true(n < T_COUNT(all));
        assert_false(facet_next(&reader, &view));
        free(cut);
    }
    out.ptr[0] = 3; /* another version */
    assert_holds(buf_slice(&out), NULL, 0);
    assert_holds(SLICE("\x01\x0F\x02"
                       "a"),
                 NULL, 0);                        /* no such kind */
    assert_holds(SLICE("\x01\x01\x03"), NULL, 0); /* no such text */
    assert_holds(SLICE("\x01\x80\x02\x02"
                       "a"),
                 NULL, 0); /* no such system */
    assert_holds(SLICE("\x01\x10\x80\x80\x04\x02"
                       "a"),
                 NULL, 0); /* parameter 65536 */
    assert_holds(SLICE("\x01\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), NULL, 0);
    buf_fini(&out);
}

static void too_little_room(void **state)
{
    struct facet items[] = {TOKEN(1, "", "a long enough text")};
    struct facet_list list = {items, 1};
    struct buf out;
    (void)state;
    buf_init(&out, 10);
    facet_pack(&list, &out);
    assert_int_equal(buf_err(&out), ERR_TOO_LARGE);
    buf_fini(&out);
}

/* Each known text and system comes back, at the cost of its number. */
static void names_what_is_known(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, LIMIT_MIB);
    for (size_t i = 0; i < facet_known_text_count; i++) {
        struct facet item = {.param = 1, .kind = FACET_URI, .text = facet_known_texts[i]};
        struct facet_list list = {&item, 1};
        struct slice a = facet_known_texts[facet_known_order[i]];
        struct slice b = facet_known_texts[facet_known_order[i > 0 ? i - 1 : 0]];
        buf_clear(&out);
        facet_pack(&list, &out);
        assert_holds(buf_slice(&out), &item, 1);
        assert_in_range(out.len, 4, 5);
        assert_true(i == 0 || b.len < a.len || (b.len == a.len && slice_cmp(b, a) < 0));
    }
    for (size_t i = 0; i < facet_known_system_count; i++) {
        struct facet item = TOKEN(1, "", "x");
        struct facet_list list = {&item, 1};
        item.system = slice_str(facet_known_systems[i].name);
        buf_clear(&out);
        facet_pack(&list, &out);
        assert_holds(buf_slice(&out), &item, 1);
        assert_int_equal(out.len, 6);
    }
    buf_fini(&out);
}

/* The form on disk: these bytes must be read for ever. */
static void form_is_stable(void **state)
{
    static const char packed[] = "\x01"
                                 "\xB0\x02\x12\x23"             /* 2, common, loinc, final */
                                 "\x12\x03\x04\x82\x02\xD0\x0F" /* 5: 129 ms, for 1000 ms */
                                 "\x43\x01\x00\x51"             /* 5, group 1, part 0: 0.5 */
                                 "\x15\x05\x16Patient/123";
    struct facet want[] = {
        TOKEN(2, "http://loinc.org", "final"),
        DATE(5, 129, 1129),
        {.param = 5, .group = 1, .kind = FACET_NUMBER, .lo = 0.5, .hi = 0.5},
        {.param = 10, .kind = FACET_REFERENCE, .text = SLICE("Patient/123")},
    };
    (void)state;
    want[0].common = true;
    assert_holds(slice_of(packed, sizeof(packed) - 1), want, T_COUNT(want));
}

/* And these, since version 2. */
static void uuids_are_sixteen_bytes(void **state)
{
    static const char packed[] = "\x02"
                                 "\x15\x02\xa1\x04\x10Location\x01\x23\x45\x67\x89\xab\xcd\xef"
                                 "\x00\x11\x22\x33\x44\x55\x66\x77";
    static const char *const texts[] = {
        "Observation/01234567-89ab-cdef-0011-223344556677",
        "01234567-89ab-cdef-0011-223344556677",
        "Observation/01234567-89AB-cdef-0011-223344556677", /* as it is written */
        "Observation/01234567-89ab-cdef-0011_223344556677",
        "Observation/1234567-89ab-cdef-0011-223344556677",
        ("https://a-host-whose-name-is-so-long.that-it-does-not-fit.example.org/fhir/Observation/"
         "01234567-89ab-cdef-0011-223344556677")};
    struct facet first = {.param = 2, .kind = FACET_REFERENCE};
    struct buf out;
    (void)state;
    first.text = SLICE("Location01234567-89ab-cdef-0011-223344556677");
    assert_holds(slice_of(packed, sizeof(packed) - 1), &first, 1);
    assert_holds(slice_of(packed, sizeof(packed) - 2), NULL, 0);
    buf_init(&out, LIMIT_MIB);
    for (size_t i = 0; i < T_COUNT(texts); i++) {
        struct facet item = {.param = 2, .kind = FACET_REFERENCE, .text = slice_str(texts[i])};
        struct facet_list list = {&item, 1};
        buf_clear(&out);
        facet_pack(&list, &out);
        assert_holds(buf_slice(&out), &item, 1);
        assert_int_equal(out.len < 30, i < 2);
    }
    buf_fini(&out);
}

static void systems_have_numbers(void **state)
{
    (void)state;
    assert_true(facet_system(SLICE_NONE) == 0);
    assert_true(facet_system(SLICE("")) == 0);
    assert_true(facet_system(SLICE("http://loinc.org")) == facet_system(SLICE("http://loinc.org")));
    assert_true(facet_system(SLICE("http://loinc.org")) !=
                facet_system(SLICE("http://loinc.org/")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(is_sorted_and_without_doubles),
        cmocka_unit_test(takes_many),
        cmocka_unit_test(refers_back),
        cmocka_unit_test(broken_bytes_end_the_walk),
        cmocka_unit_test(uuids_are_sixteen_bytes),
        cmocka_unit_test(too_little_room),
        cmocka_unit_test(names_what_is_known),
        cmocka_unit_test(form_is_stable),
        cmocka_unit_test(systems_have_numbers),
    };
    return T_RUN(tests);
}
