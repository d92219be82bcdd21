/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates and times: spans of partial dates, the calendar's edges, both notations, and the printed
 * forms. Expected numbers were computed apart from the code (GNU date).
 */
#include "lib/t.h"

#include "base/when.h"

#include "base/banned.h"

#define DAY INT64_C(86400000)
#define JST INT64_C(32400000)
#define NOON INT64_C(1795312800000) /* 2026-11-22T11:00:00+09:00 */

struct row {
    const char *text;
    int64_t lo;
    int64_t width;
};

static void assert_rows(const struct row *rows, size_t count, bool hl7, bool lenient)
{
    for (size_t i = 0; i < count; i++) {
        struct when w = {0, 0};
        struct slice text = slice_str(rows[i].text);
        bool ok = hl7 ? when_parse_hl7(text, &w) : when_parse_fhir(text, lenient, &w);
        if (!ok || w.lo_ms != rows[i].lo || w.hi_ms - w.lo_ms != rows[i].width)
            print_error("%s: ok %d lo %lld width %lld\n", rows[i].text, ok, (long long)w.lo_ms,
                        (long long)(w.hi_ms - w.lo_ms));
        assert_true(ok && w.lo_ms == rows[i].lo && w.hi_ms - w.lo_ms == rows[i].width);
    }
}

static const struct row fhir_rows[] = {
    {"1970", 0 - JST, 365 * DAY},
    {"2024", INT64_C(1704034800000), 366 * DAY},
    {"2000", INT64_C(946652400000), 366 * DAY},
    {"1900", INT64_C(-2209021200000), 365 * DAY},
    {"2024-02", INT64_C(1706713200000), 29 * DAY},
    {"2023-02", INT64_C(1675177200000), 28 * DAY},
    {"2026-12", INT64_C(1796050800000), 31 * DAY},
    {"2024-02-29", INT64_C(1709132400000), DAY},
    {"2000-02-29", INT64_C(951750000000), DAY},
    {"2026-11-22", INT64_C(1795273200000), DAY},
    {"9999-12-31", INT64_C(253402182000000), DAY},
    {"0001-01-01", INT64_C(-62135596800000) - JST, DAY},
    {"2026-11-22T11:00:00+09:00", NOON, 1000},
    {"2026-11-22T02:00:00Z", NOON, 1000},
    {"2026-11-21T21:00:00-05:00", NOON, 1000},
    {"2026-11-22T16:00:00+14:00", NOON, 1000},
    {"2026-11-22T02:00:00-00:00", NOON, 1000},
    {"2026-11-22T11:00:00.5+09:00", NOON + 500, 100},
    {"2026-11-22T11:00:00.50+09:00", NOON + 500, 10},
    {"2026-11-22T11:00:00.123+09:00", NOON + 123, 1},
    {"2026-11-22T11:00:00.123999999+09:00", NOON + 123, 1},
    {"2016-12-31T23:59:60Z", INT64_C(1483228799999), 1},
    {"2016-12-31T23:59:60.5Z", INT64_C(1483228799999), 1},
    {"1969-12-31T23:59:59Z", -1000, 1000},
};

static void fhir_spans(void **state)
{
    (void)state;
    assert_rows(fhir_rows, T_COUNT(fhir_rows), false, false);
    assert_rows(fhir_rows, T_COUNT(fhir_rows), false, true);
}

static void fhir_lenient(void **state)
{
    static const struct row rows[] = {
        {"2026-11-22T11:00", NOON, 60000},
        {"2026-11-22T11:00:00", NOON, 1000},
        {"2026-11-22T02:00Z", NOON, 60000},
        {"2026-11-22T11:00:00.25", NOON + 250, 10},
    };
    struct when w;
    (void)state;
    assert_rows(rows, T_COUNT(rows), false, true);
    for (size_t i = 0; i < T_COUNT(rows); i++)
        assert_false(when_parse_fhir(slice_str(rows[i].text), false, &w));
}

static void fhir_refusals(void **state)
{
    static const char *const bad[] = {
        "",
        "26",
        "202",
        "20260",
        "0000",
        "0000-01-01",
        "-2026",
        "+2026",
        "2026-",
        "2026-1",
        "2026-00",
        "2026-13",
        "2026-011",
        "2026-11-",
        "2026-11-0",
        "2026-11-00",
        "2026-11-31",
        "2026-02-29",
        "1900-02-29",
        "2100-02-29",
        "2026-11-222",
        "20261122",
        "2026/11/22",
        " 2026",
        "2026 ",
        "2026-11-22T",
        "2026-11-22 11:00:00Z",
        "2026-11-22t11:00:00Z",
        "2026-11-22T11",
        "2026-11-22T11Z",
        "2026-11-22T1:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T11:60:00Z",
        "2026-11-22T11:00:61Z",
        "2026-11-22T11:00:0Z",
        "2026-11-22T11:00:00.Z",
        "2026-11-22T11:00:00.1",
        "2026-11-22T11:00:00z",
        "2026-11-22T11:00:00ZZ",
        "2026-11-22T11:00:00+9:00",
        "2026-11-22T11:00:00+0900",
        "2026-11-22T11:00:00+09",
        "2026-11-22T11:00:00+09:60",
        "2026-11-22T11:00:00+14:01",
        "2026-11-22T11:00:00-15:00",
        "2026-11-22T11:00:00+09:00 ",
        "2026-11-22T11:00:00 09:00",
        "2026-11Z",
        "２０２６",
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        struct when w = {7, 8};
        bool ok = when_parse_fhir(slice_str(bad[i]), false, &w);
        if (ok)
            print_error("accepted: %s\n", bad[i]);
        assert_false(ok);
        assert_true(w.lo_ms == 7 && w.hi_ms == 8);
        if (strcmp(bad[i], "2026-11-22T11:00:00.1") != 0) /* lenient takes the missing zone */
            assert_false(when_parse_fhir(slice_str(bad[i]), true, &w));
    }
    struct when w;
    assert_false(when_parse_fhir(SLICE_NONE, true, &w));
}

static void hl7_spans(void **state)
{
    static const struct row rows[] = {
        {"2024", INT64_C(1704034800000), 366 * DAY},
        {"202402", INT64_C(1706713200000), 29 * DAY},
        {"20261122", INT64_C(1795273200000), DAY},
        {"20261122+0000", INT64_C(1795273200000) + JST, DAY},
        {"2026112211", NOON, 3600000},
        {"202611221100", NOON, 60000},
        {"20261122110000", NOON, 1000},
        {"20261122110000+0900", NOON, 1000},
        {"20261122020000-0000", NOON, 1000},
        {"202611212100-0500", NOON, 60000},
        {"20261122110000.5", NOON + 500, 100},
        {"20261122110000.1234+0900", NOON + 123, 1},
        {"20161231235960+0000", INT64_C(1483228799999), 1},
    };
    (void)state;
    assert_rows(rows, T_COUNT(rows), true, false);
}

static const char *const hl7_bad[] = {
    "",
    "\"\"",
    "202",
    "20261",
    "2026112",
    "202611221",
    "20261122110",
    "2026112211000",
    "202611221100000",
    "20261322",
    "20260229",
    "20261100",
    "2026112224",
    "202611221160",
    "20261122110061",
    "20261122110000.",
    "202611221100.5",
    "20261122+09",
    "20261122+09:00",
    "20261122+1401",
    "20261122Z",
    "20261122 ",
    "2026-11-22",
    "00000101",
    "20261122110000+0960",
    "+0900",
    "2026112211+",
};

static void hl7_refusals(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < T_COUNT(hl7_bad); i++) {
        struct when w = {7, 8};
        bool ok = when_parse_hl7(slice_str(hl7_bad[i]), &w);
        if (ok)
            print_error("accepted: %s\n", hl7_bad[i]);
        assert_false(ok);
        assert_true(w.lo_ms == 7 && w.hi_ms == 8);
        assert_false(when_hl7_to_fhir(slice_str(hl7_bad[i]), &b));
        assert_false(when_hl7_to_date(slice_str(hl7_bad[i]), &b));
        assert_buf(&b, "");
    }
    buf_fini(&b);
}

static void hl7_becomes_fhir(void **state)
{
    static const struct {
        const char *hl7, *fhir, *date;
    } rows[] = {
        {"2026", "2026", "2026"},
        {"202611", "2026-11", "2026-11"},
        {"20261122", "2026-11-22", "2026-11-22"},
        {"20261122+0900", "2026-11-22", "2026-11-22"},
        {"2026112217", "2026-11-22T17:00:00+09:00", "2026-11-22"},
        {"202611221705", "2026-11-22T17:05:00+09:00", "2026-11-22"},
        {"20261122170509", "2026-11-22T17:05:09+09:00", "2026-11-22"},
        {"20261122170509.1", "2026-11-22T17:05:09.1+09:00", "2026-11-22"},
        {"20261122170509.1200-0330", "2026-11-22T17:05:09.1200-03:30", "2026-11-22"},
        {"20261122170509+0000", "2026-11-22T17:05:09+00:00", "2026-11-22"},
        {"00010203", "0001-02-03", "0001-02-03"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct buf b;
        struct when from_hl7;
        struct when from_fhir;
        buf_init(&b, 100);
        assert_true(when_hl7_to_fhir(slice_str(rows[i].hl7), &b));
        assert_buf(&b, rows[i].fhir);
        assert_true(when_parse_fhir(buf_slice(&b), false, &from_fhir));
        assert_true(when_parse_hl7(slice_str(rows[i].hl7), &from_hl7));
        assert_true(from_fhir.lo_ms == from_hl7.lo_ms);
        buf_clear(&b);
        assert_true(when_hl7_to_date(slice_str(rows[i].hl7), &b));
        assert_buf(&b, rows[i].date);
        buf_fini(&b);
    }
}

static void prints(void **state)
{
    static const struct {
        int64_t ms;
        const char *instant, *date, *hl7, *stamp, *http;
    } rows[] = {
        {NOON + 7, "2026-11-22T11:00:00.007+09:00", "2026-11-22", "20261122110000.007+0900",
         "20261122110000007", "Sun, 22 Nov 2026 02:00:00 GMT"},
        {0, "1970-01-01T09:00:00.000+09:00", "1970-01-01", "19700101090000.000+0900",
         "19700101090000000", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "1970-01-01T08:59:59.999+09:00", "1970-01-01", "19700101085959.999+0900",
         "19700101085959999", "Wed, 31 Dec 1969 23:59:59 GMT"},
        {INT64_C(784111777000), "1994-11-06T17:49:37.000+09:00", "1994-11-06",
         "19941106174937.000+0900", "19941106174937000", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {INT64_C(951793200000), "2000-02-29T12:00:00.000+09:00", "2000-02-29",
         "20000229120000.000+0900", "20000229120000000", "Tue, 29 Feb 2000 03:00:00 GMT"},
        {WHEN_MIN, "0001-01-01T00:00:00.000+09:00", "0001-01-01", "00010101000000.000+0900",
         "00010101000000000", "Mon, 01 Jan 0001 00:00:00 GMT"},
        {WHEN_MAX, "9999-12-31T23:59:59.999+09:00", "9999-12-31", "99991231235959.999+0900",
         "99991231235959999", "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct buf b;
        buf_init(&b, 1000);
        when_print_instant(&b, rows[i].ms);
        assert_buf(&b, rows[i].instant);
        buf_clear(&b);
        when_print_date(&b, rows[i].ms);
        assert_buf(&b, rows[i].date);
        buf_clear(&b);
        when_print_hl7(&b, rows[i].ms);
        assert_buf(&b, rows[i].hl7);
        buf_clear(&b);
        when_print_stamp(&b, rows[i].ms);
        assert_buf(&b, rows[i].stamp);
        buf_clear(&b);
        when_print_http(&b, rows[i].ms);
        assert_buf(&b, rows[i].http);
        int64_t back = 0;
        assert_true(when_parse_http(buf_slice(&b), &back));
        bool extreme = rows[i].ms == WHEN_MIN || rows[i].ms == WHEN_MAX;
        assert_true(extreme || (back <= rows[i].ms && rows[i].ms - back < 1000));
        buf_fini(&b);
    }
}

/* Walks every day of 800 years with a naive calendar beside ours. */
static void calendar_agrees_with_counting(void **state)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t at = when_from_date(1600, 1, 1);
    (void)state;
    for (int year = 1600; year < 2400; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            int last = month == 2 && leap ? 29 : days[month - 1];
            for (int day = 1; day <= last; day++, at += DAY) {
                int number = year * 10000 + month * 100 + day;
                assert_true(when_from_date(year, month, day) == at);
                assert_int_equal(when_day_number(at), number);
                assert_int_equal(when_day_number(at + DAY - 1), number);
            }
        }
    }
    assert_true(when_from_date(1970, 1, 1) == -JST);
}

static void clocks_run(void **state)
{
    int64_t now = clock_system.now_ms(&clock_system);
    int64_t before = clock_monotonic_ms();
    (void)state;
    assert_true(now > when_from_date(2024, 1, 1));
    assert_true(clock_monotonic_ms() >= before);
}

static void refuses_http_dates(void **state)
{
    static const char *const bad[] = {"",
                                      "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 1994",
                                      "Sun, 06 Nov 1994 08:49:37 JST",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 06 Nox 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:3x GMT"};
    int64_t ms = 7;
    (void)state;
    for (size_t i = 0; i < T_COUNT(bad); i++)
        assert_false(when_parse_http(slice_str(bad[i]), &ms));
    assert_int_equal(ms, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_http_dates),
        cmocka_unit_test(fhir_spans),    cmocka_unit_test(fhir_lenient),
        cmocka_unit_test(fhir_refusals), cmocka_unit_test(hl7_spans),
        cmocka_unit_test(hl7_refusals),  cmocka_unit_test(hl7_becomes_fhir),
        cmocka_unit_test(prints),        cmocka_unit_test(calendar_agrees_with_counting),
        cmocka_unit_test(clocks_run),
    };
    return T_RUN(tests);
}
