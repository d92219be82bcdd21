/* SPDX-License-Identifier: Apache-2.0
 *
 * What search values mean (R4 search.html), as tables: a record's value, the value asked for,
 * whether it passes. Examples of the standard are marked with its words. Then what must hold for
 * any facets at all: ne is not eq, :not is none of them, an OR is as good as its best value; and
 * orders of sort keys against a plain comparison.
 */
#include "lib/t.h"

#include <math.h>

#include "base/facet.h"
#include "base/limits.h"
#include "base/when.h"
#include "storage/match.h"

#include "base/banned.h"

#define P 7
#define NOW INT64_C(1795334400000) /* 2026-11-22T17:00+09:00 */

static const enum search_op all_ops[] = {SEARCH_EQ, SEARCH_NE, SEARCH_GT, SEARCH_LT, SEARCH_GE,
                                         SEARCH_LE, SEARCH_SA, SEARCH_EB, SEARCH_AP};
static const char *const op_names[] = {"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"};

static struct slice pack(struct buf *out, struct facet *facets, size_t count)
{
    struct facet_list list = {facets, count};
    buf_clear(out);
    facet_pack(&list, out);
    assert_int_equal(buf_err(out), ERR_OK);
    return buf_slice(out);
}

static bool passes(struct facet *facets, size_t count, const struct search_value *values,
                   size_t value_count)
{
    struct buf packed;
    buf_init(&packed, LIMIT_MIB);
    const struct search_term term = {.param = P, .values = values, .value_count = value_count};
    struct slice bytes = pack(&packed, facets, count);
    bool is = match_term(bytes, &term, NOW);
    const struct search_term none = {
        .param = P, .none = true, .values = values, .value_count = value_count};
    assert_int_equal(match_term(bytes, &none, NOW), !is);
    buf_fini(&packed);
    return is;
}

static size_t cases;

static void check(bool got, bool want, const char *what, const char *a, const char *b)
{
    cases++;
    if (got != want)
        print_message("%s: %s against %s gave %d\n", what, b, a, got);
    assert_int_equal(got, want);
}

/* ── dates ─────────────────────────────────────────────────────────────────────────────────── */

static struct when when(const char *text)
{
    struct when w = {WHEN_MIN, WHEN_MAX};
    const char *slash = strchr(text, '/');
    if (!slash) {
        assert_true(when_parse_fhir(slice_str(text), true, &w));
        return w;
    }
    struct when from, to;
    if (slash > text) {
        assert_true(when_parse_fhir(slice_of(text, (size_t)(slash - text)), true, &from));
        w.lo_ms = from.lo_ms;
    }
    if (slash[1]) {
        assert_true(when_parse_fhir(slice_str(slash + 1), true, &to));
        w.hi_ms = to.hi_ms;
    }
    return w;
}

/* The record's date or "from/to", the date asked for, and which of eq ne gt lt ge le sa eb pass. */
static const struct {
    const char *stored, *asked, *pass;
} dates[] = {
    {"2013-01-14", "2013-01-14",
     "eq ge le"}, /* "2013-01-14T00:00 and 2013-01-14T10:00" are in it */
    {"2013-01-14T00:00:00+09:00", "2013-01-14", "eq ge le"},
    {"2013-01-14T10:00:00+09:00", "2013-01-14", "eq ge le"},
    {"2013-01-15T00:00:00+09:00", "2013-01-14", "ne gt ge sa"}, /* "but not" */
    {"2013-01-14T10:00:00+09:00", "2013-01-14T10:00", "eq ge le"},
    {"2013-01-14", "2013-01-14T10:00", "ne gt lt ge le"},
    {"2013-01-14", "2013-01", "eq ge le"},
    {"2013-01-31", "2013-01", "eq ge le"},
    {"2013-02-01", "2013-01", "ne gt ge sa"},
    {"2012-12-31", "2013-01", "ne lt le eb"},
    {"2013-01", "2013-01-14", "ne gt lt ge le"},
    {"2013", "2013", "eq ge le"},
    {"2013", "2013-01-01", "ne gt ge"},
    {"2013", "2013-12-31", "ne lt le"},
    {"2013-03-15/2013-05-01", "2013-03-14",
     "ne gt ge sa"}, /* "sa2013-03-14 would include 2013-03-15 on" */
    {"2013-03-14/2013-05-01", "2013-03-14", "ne gt ge"},
    {"2013-01-21/", "2013-03-14",
     "ne gt lt ge le"}, /* "gt/lt: including periods that have no end" */
    {"2013-03-20/", "2013-03-14", "ne gt ge sa"},
    {"2013-03-14/", "2013-03-14", "ne gt ge"},
    {"/2013-03-14", "2013-03-14", "ne lt le"},
    {"/2013-03-13", "2013-03-14", "ne lt le eb"},
    {"/2013-03-20", "2013-03-14", "ne gt lt ge le"},
    {"2013-03-13/2013-03-15", "2013-03-14", "ne gt lt ge le"},
    {"2013-03-14T12:00:00Z/2013-03-14T13:00:00Z", "2013-03-14", "eq ge le"},
    {"2013-03-13/2013-03-14", "2013-03-14", "ne lt le"},
    {"2000-02-29", "2000-02-29", "eq ge le"},
    {"1950-06-01", "1950", "eq ge le"},
    {"1950-06-01", "1951", "ne lt le eb"},
    {"/", "2013", "ne gt lt ge le"},
};

static void test_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(dates); i++) {
        struct when stored = when(dates[i].stored);
        for (size_t op = 0; op < 8; op++) {
            struct facet f = {
                .param = P, .kind = FACET_DATE, .lo_ms = stored.lo_ms, .hi_ms = stored.hi_ms};
            const struct search_value v = {
                .kind = FACET_DATE, .op = all_ops[op], .when = when(dates[i].asked)};
            check(passes(&f, 1, &v, 1), strstr(dates[i].pass, op_names[op]) != NULL, op_names[op],
                  dates[i].stored, dates[i].asked);
        }
    }
}

/* A tenth of the distance to now: ten years ago is a year either way. */
static void test_approximate_dates(void **state)
{
    (void)state;
    static const struct {
        const char *stored, *asked;
        bool pass;
    } rows[] = {
        {"2016-11-22", "2016-11-22", true},
        {"2015-12-10", "2016-11-22", true},
        {"2017-10-25", "2016-11-22", true},
        {"2015-10-22", "2016-11-22", false},
        {"2018-01-01", "2016-11-22", false},
        {"2026-11-22", "2026-11-22", true},
        {"2026-11-20", "2026-11-22", false},
        {"2026-11-12", "2026-11-13", true},
        {"2027-11-01", "2027-11-22", true},
        {"2027-09-22", "2027-11-22", false},
        {"2010/2015-12-31", "2016-11-22", true},
        {"2010/2015-06", "2016-11-22", false},
        {"2010/", "2016-11-22", true},
        {"/2010", "2016-11-22", false},
        {"/", "2016", true},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct when stored = when(rows[i].stored);
        struct facet f = {
            .param = P, .kind = FACET_DATE, .lo_ms = stored.lo_ms, .hi_ms = stored.hi_ms};
        const struct search_value v = {
            .kind = FACET_DATE, .op = SEARCH_AP, .when = when(rows[i].asked)};
        check(passes(&f, 1, &v, 1), rows[i].pass, "ap", rows[i].stored, rows[i].asked);
    }
    const struct when ends[] = {
        {WHEN_MIN, WHEN_MIN + 1}, {WHEN_MAX - 1, WHEN_MAX}, {WHEN_MIN, WHEN_MAX}};
    for (size_t i = 0; i < T_COUNT(ends); i++) {
        struct when wide = match_widened(ends[i], i % 2 ? WHEN_MIN : WHEN_MAX);
        assert_true(wide.lo_ms <= ends[i].lo_ms && wide.hi_ms >= ends[i].hi_ms);
    }
}

/* ── numbers ───────────────────────────────────────────────────────────────────────────────── */

/* The literal's implicit range: half of its last digit's place either way. */
static struct search_value number(enum search_op op, const char *text)
{
    struct search_value v = {.kind = FACET_NUMBER, .op = op, .any_system = true};
    const char *point = strchr(text, '.'), *e = strpbrk(text, "eE");
    int places = point ? (int)((e ? e : text + strlen(text)) - point - 1) : 0;
    double half = 0.5 * pow(10, -places + (e ? (int)strtol(e + 1, NULL, 10) : 0));
    v.exact = strtod(text, NULL);
    v.lo = v.exact - half;
    v.hi = v.exact + half;
    return v;
}

static const struct {
    const char *stored, *asked,
        *pass; /* stored: a number or "low..high", either of which may be absent */
} numbers[] = {
    {"100", "100", "eq ge le ap"},
    {"99.5", "100", "eq lt le eb ap"}, /* "[99.5 ... 100.5)" */
    {"100.49", "100", "eq gt ge sa ap"},
    {"100.5", "100", "ne gt ge sa ap"},
    {"99.49", "100", "ne lt le eb ap"},
    {"100.00", "100.00", "eq ge le ap"},
    {"99.995", "100.00", "eq lt le eb ap"},
    {"100.005", "100.00", "ne gt ge sa ap"},
    {"100.004", "100.00", "eq gt ge sa ap"},
    {"99.9949", "100.00", "ne lt le eb ap"},
    {"95", "10e1", "eq lt le eb ap"},
    {"99", "10e1", "eq lt le eb ap"}, /* "[95 ... 105)" */
    {"104.9", "10e1", "eq gt ge sa ap"},
    {"105.6", "10e1", "ne gt ge sa ap"},
    {"5.35", "5.4", "eq lt le eb ap"},
    {"5.45", "5.4", "ne gt ge sa ap"},
    {"5.4", "5.40", "eq ge le ap"},
    {"5.40", "5.4", "eq ge le ap"},
    {"5.41", "5.40", "ne gt ge sa ap"},
    {"0", "0", "eq ge le ap"},
    {"0.4", "0", "eq gt ge sa ap"},
    {"-0.5", "0", "eq lt le eb ap"},
    {"-7", "-7", "eq ge le ap"},
    {"-7.4", "-7", "eq lt le eb ap"},
    {"-6", "-7", "ne gt ge sa"},
    {"110", "100", "ne gt ge sa ap"},
    {"90", "100", "ne lt le eb ap"},
    {"89", "100", "ne lt le eb"},
    {"111", "100", "ne gt ge sa"},
    {"0.3", "0.3", "eq ge le ap"},
    {"0.30000000000000004", "0.3", "eq gt ge sa ap"},
    {"5.4e-3", "5.40e-3", "eq ge le ap"},
    {"5.35e-3", "5.4e-3", "eq lt le eb ap"},
    {"1.0000000000001", "1.0000000000001", "eq ge le ap"},
    {"1.0000000000002", "1.0000000000001", "ne gt ge sa ap"},
    {"12345678901234", "12345678901234", "eq ge le ap"},
    {"12345678901235", "12345678901234", "ne gt ge sa ap"},
    {"99.6..100.4", "100", "eq gt lt ge le ap"},
    {"100..200", "100", "ne gt ge le ap"},
    {"50..100", "100", "ne lt ge le ap"},
    {"50..200", "100", "ne gt lt ge le ap"},
    {"101..200", "100", "ne gt ge sa ap"},
    {"10..20", "100", "ne lt le eb"},
    {"120..", "100", "ne gt ge sa"},
    {"..80", "100", "ne lt le eb"},
    {"80..", "100", "ne gt lt ge le ap"},
    {"..95", "100", "ne lt le eb ap"},
};

static double bound(const char *text, size_t len, double open)
{
    return len ? strtod(text, NULL) : open;
}

static void stored_number(const char *text, double *lo, double *hi)
{
    const char *dots = strstr(text, "..");
    *lo = dots ? bound(text, (size_t)(dots - text), -INFINITY) : strtod(text, NULL);
    *hi = dots ? bound(dots + 2, strlen(dots + 2), INFINITY) : *lo;
}

static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(numbers); i++) {
        for (size_t op = 0; op < T_COUNT(all_ops); op++) {
            /* A plain number has one value; a Range comes as quantity. */
            bool range = strstr(numbers[i].stored, "..") != NULL;
            struct facet f = {.param = P, .kind = range ? FACET_QUANTITY : FACET_NUMBER};
            stored_number(numbers[i].stored, &f.lo, &f.hi);
            struct search_value v = number(all_ops[op], numbers[i].asked);
            v.kind = f.kind;
            check(passes(&f, 1, &v, 1), strstr(numbers[i].pass, op_names[op]) != NULL, op_names[op],
                  numbers[i].stored, numbers[i].asked);
        }
    }
}

#define UCUM "http://unitsofmeasure.org"

static void test_quantities(void **state)
{
    (void)state;
    static const struct {
        const char *number, *system, *code, *unit; /* stored */
        const char *asked; /* "5.4|system|code", "-" for the system: said to be none */
        bool pass;
    } rows[] = {
        {"5.4", UCUM, "mg", "mg", "5.4|" UCUM "|mg", true},
        {"5.4", UCUM, "mg", "mg", "5.5|" UCUM "|mg", false},
        {"5.4", UCUM, "mg", "mg", "5.4|" UCUM "|g", false},
        {"5.4", UCUM, "mg", "mg", "5.4|" UCUM "|Mg", false}, /* UCUM knows case */
        {"5.4", UCUM, "mg", "mg", "5.4|urn:x|mg", false},
        {"5.4", UCUM, "mg", "mg", "5.4|-|mg", false},
        {"5.4", "", "", "mg", "5.4|" UCUM "|mg", false},
        {"5.4", "", "", "mg", "5.4|-|mg", false},
        {"5.4", "", "", "mg", "5.4|-|", true},
        {"5.4", UCUM, "mg", "mg", "5.4|" UCUM "|", true},
        {"5.4", UCUM, "mg", "mg", "5.4||mg", true}, /* "the code or the stated human unit" */
        {"5.4", UCUM, "mg", "milligram", "5.4||mg", true},
        {"5.4", UCUM, "mg", "milligram", "5.4||milligram", true},
        {"5.4", "", "", "錠", "5.4||錠", true},
        {"5.4", "", "", "錠", "5.4||mg", false},
        {"5.4", UCUM, "mg", "mg", "5.4", true},
        {"5.4", "", "", "", "5.4", true},
        {"5.4", "", "", "", "5.4||mg", false},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct slice rest = slice_str(rows[i].asked);
        struct slice text = slice_cut(&rest, '|'), system = slice_cut(&rest, '|');
        struct facet f = {.param = P,
                          .kind = FACET_QUANTITY,
                          .system = slice_str(rows[i].system),
                          .text = slice_str(rows[i].code),
                          .raw = slice_str(rows[i].unit)};
        char literal[16] = "";
        memcpy(literal, text.ptr, text.len);
        stored_number(rows[i].number, &f.lo, &f.hi);
        struct search_value v = number(SEARCH_EQ, literal);
        v.kind = FACET_QUANTITY;
        v.any_system = system.len == 0;
        v.system = slice_is(system, "-") ? SLICE_NONE : system;
        v.text = rest;
        check(passes(&f, 1, &v, 1), rows[i].pass, rows[i].unit, rows[i].code, rows[i].asked);
    }
}

/* ── texts ─────────────────────────────────────────────────────────────────────────────────── */

#define ANY .any_system = true
#define TOKEN(s, c)                                                                                \
    {                                                                                              \
        .kind = FACET_TOKEN, .system = SLICE(s), .text = SLICE(c)                                  \
    }
#define CODE(c)                                                                                    \
    {                                                                                              \
        .kind = FACET_TOKEN, ANY, .text = SLICE(c)                                                 \
    }
#define SYSTEM(s)                                                                                  \
    {                                                                                              \
        .kind = FACET_TOKEN, .any_code = true, .system = SLICE(s)                                  \
    }
#define STRING(o, t)                                                                               \
    {                                                                                              \
        .kind = FACET_STRING, .op = (o), .text = SLICE(t), .raw = SLICE(t)                         \
    }
#define URI(o, t)                                                                                  \
    {                                                                                              \
        .kind = FACET_URI, .op = (o), .text = SLICE(t)                                             \
    }
#define REFERENCE(t)                                                                               \
    {                                                                                              \
        .kind = FACET_REFERENCE, .text = SLICE(t)                                                  \
    }
#define TYPED(s, c, v)                                                                             \
    {                                                                                              \
        .kind = FACET_TYPED, .system = SLICE(s), .text = SLICE(c), .raw = SLICE(v)                 \
    }
#define F(k, s, t, r)                                                                              \
    {                                                                                              \
        .param = P, .kind = (k), .system = SLICE(s), .text = SLICE(t), .raw = SLICE(r)             \
    }

static const struct {
    struct facet stored;
    struct search_value asked;
    bool pass;
} texts[] = {
    /* token: system|code, |code, code, system| */
    {F(FACET_TOKEN, "s1", "c1", ""), TOKEN("s1", "c1"), true},
    {F(FACET_TOKEN, "s1", "c1", ""), TOKEN("s2", "c1"), false},
    {F(FACET_TOKEN, "s1", "c1", ""), TOKEN("s1", "c2"), false},
    {F(FACET_TOKEN, "s1", "c1", ""), TOKEN("S1", "c1"), false},
    {F(FACET_TOKEN, "s1", "c1", ""), TOKEN("s1", "C1"), true},
    {F(FACET_TOKEN, "s1", "ABC-9x", ""), CODE("abc-9X"), true},
    {F(FACET_TOKEN, "s1", "c1", ""), TOKEN("", "c1"), false},
    {F(FACET_TOKEN, "", "c1", ""), TOKEN("", "c1"), true},
    {F(FACET_TOKEN, "", "c1", ""), TOKEN("s1", "c1"), false},
    {F(FACET_TOKEN, "", "c1", ""), CODE("c1"), true},
    {F(FACET_TOKEN, "s1", "c1", ""), CODE("c1"), true},
    {F(FACET_TOKEN, "s1", "c1", ""), CODE("c"), false},
    {F(FACET_TOKEN, "s1", "c1", ""), SYSTEM("s1"), true},
    {F(FACET_TOKEN, "s1", "c1", ""), SYSTEM("s2"), false},
    {F(FACET_TOKEN, "", "c1", ""), SYSTEM("s1"), false},
    {F(FACET_TOKEN, "", "true", ""), CODE("true"), true},
    {F(FACET_TOKEN, "", "臨床", ""), CODE("臨床"), true},
    {F(FACET_STRING, "", "c1", "c1"), CODE("c1"), false}, /* the display is another kind */
    /* string */
    {F(FACET_STRING, "", "タナカ タロウ", "田中 太郎"), STRING(SEARCH_EQ, "タナカ"), true},
    {F(FACET_STRING, "", "タナカ タロウ", "田中 太郎"), STRING(SEARCH_EQ, "タナカ タロウ"), true},
    {F(FACET_STRING, "", "タナカ タロウ", "田中 太郎"), STRING(SEARCH_EQ, "タナカ タロウ2"), false},
    {F(FACET_STRING, "", "タナカ タロウ", "田中 太郎"), STRING(SEARCH_EQ, "タロウ"), false},
    {F(FACET_STRING, "", "タナカ タロウ", "田中 太郎"), STRING(SEARCH_CONTAINS, "タロウ"), true},
    {F(FACET_STRING, "", "タナカ タロウ", "田中 太郎"), STRING(SEARCH_CONTAINS, "ハナコ"), false},
    {F(FACET_STRING, "", "ゲートウェイ", "ゲートウェイ"), STRING(SEARCH_CONTAINS, "-トウ"), true},
    {F(FACET_STRING, "", "スーーパー", "スーーパー"), STRING(SEARCH_CONTAINS, "--パ"), true},
    {F(FACET_STRING, "", "スーパー", "スーパー"), STRING(SEARCH_CONTAINS, "--パ"), false},
    {F(FACET_STRING, "", "スーパー", "スーパー"), STRING(SEARCH_CONTAINS, "-"), true},
    {F(FACET_STRING, "", "スーパ", "スーパ"), STRING(SEARCH_CONTAINS, "-パー"), false},
    {F(FACET_STRING, "", "a-b", "a-b"), STRING(SEARCH_CONTAINS, "-b"), true},
    {F(FACET_STRING, "", "タナカ タロウ", "田中 太郎"), STRING(SEARCH_EXACT, "田中 太郎"), true},
    {F(FACET_STRING, "", "タナカ タロウ", "田中 太郎"), STRING(SEARCH_EXACT, "田中"), false},
    {F(FACET_STRING, "", "eve", "Eve"), STRING(SEARCH_EXACT, "eve"), false},
    {F(FACET_STRING, "", "eve", "Eve"), STRING(SEARCH_EXACT, "Eve"), true},
    {F(FACET_STRING, "", "eve", "Eve"), STRING(SEARCH_EQ, "e%"), false},
    {F(FACET_STRING, "", "eve", "Eve"), STRING(SEARCH_CONTAINS, "v"), true},
    {F(FACET_STRING, "", "eve", "Eve"), STRING(SEARCH_CONTAINS, "e"), true},
    {F(FACET_STRING, "", "eve", "Eve"), STRING(SEARCH_EQ, ""), true},
    {F(FACET_STRING, "", "eve", "Eve"), STRING(SEARCH_CONTAINS, ""), true},
    /* uri: whole, or by segments of a path */
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_EQ, "http://acme.org/fhir/ValueSet/123"), true},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_EQ, "http://acme.org/fhir/valueset/123"), false},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_EQ, "http://acme.org/fhir/"), false},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_BELOW, "http://acme.org/fhir/"), true},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_BELOW, "http://acme.org/fhir"), true},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_BELOW, "http://acme.org/fh"), false},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_BELOW, "http://acme.org/fhir/ValueSet/123"), true},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_BELOW, "http://acme.org/fhir/ValueSet/123/_history/5"), false},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_ABOVE, "http://acme.org/fhir/ValueSet/123/_history/5"), true},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_ABOVE, "http://acme.org/fhir/ValueSet/1234"), false},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_ABOVE, "http://acme.org/fhir"), false},
    {F(FACET_URI, "", "http://acme.org/fhir/ValueSet/123", ""),
     URI(SEARCH_ABOVE, "http://acme.org/fhir/ValueSet/123"), true},
    {F(FACET_URI, "", "http://acme.org/v|2.0", ""), URI(SEARCH_BELOW, "http://acme.org/v"), true},
    {F(FACET_URI, "", "urn:oid:1.2.3.4.5", ""), URI(SEARCH_EQ, "urn:oid:1.2.3.4.5"), true},
    {F(FACET_URI, "", "urn:oid:1.2.3.4.5", ""), URI(SEARCH_BELOW, "urn:oid:1.2.3"), false},
    {F(FACET_URI, "", "urn:a", ""), URI(SEARCH_BELOW, ""), false},
    /* reference */
    {F(FACET_REFERENCE, "", "Patient/@", ""), REFERENCE("Patient/@"), true},
    {F(FACET_REFERENCE, "", "Patient/@", ""), REFERENCE("Patient/@1"), false},
    {F(FACET_REFERENCE, "", "Patient/@12", ""), REFERENCE("Patient/@1"), false},
    {F(FACET_REFERENCE, "", "Group/A", ""), REFERENCE("Group/a"), false},
    {F(FACET_URI, "", "Group/A", ""), REFERENCE("Group/A"), false},
    /* :of-type */
    {F(FACET_TYPED, "v2", "MR", "12345"), TYPED("v2", "MR", "12345"), true},
    {F(FACET_TYPED, "v2", "MR", "12345"), TYPED("v2", "mr", "12345"), true},
    {F(FACET_TYPED, "v2", "MR", "12345"), TYPED("v2", "MRT", "12345"), false},
    {F(FACET_TYPED, "v2", "MR", "12345"), TYPED("v3", "MR", "12345"), false},
    {F(FACET_TYPED, "v2", "MR", "12345"), TYPED("v2", "MR", "1234"), false},
    {F(FACET_TOKEN, "v2", "MR", "12345"), TYPED("v2", "MR", "12345"), false},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(texts); i++) {
        struct facet f = texts[i].stored;
        check(passes(&f, 1, &texts[i].asked, 1), texts[i].pass, "text", f.text.ptr,
              texts[i].asked.text.ptr ? texts[i].asked.text.ptr : "");
    }
    /* Operations that a kind does not know pass nothing. */
    for (size_t op = 0; op < T_COUNT(all_ops); op++) {
        struct facet f = F(FACET_STRING, "", "eve", "Eve");
        const struct search_value v = STRING(all_ops[op], "eve");
        assert_int_equal(passes(&f, 1, &v, 1), all_ops[op] == SEARCH_EQ);
    }
}

/* Tokyo station, and points about it. */
static void test_near(void **state)
{
    (void)state;
    static const struct {
        double latitude, longitude, km;
        bool pass;
    } rows[] = {
        {35.681236, 139.767125, 0.001, true}, /* itself */
        {35.690921, 139.700258, 6.2, true},   /* Shinjuku, 6.14 km */
        {35.690921, 139.700258, 6.0, false},
        {34.702485, 135.495951, 410, true}, /* Osaka, 403 km */
        {34.702485, 135.495951, 400, false},
        {-35.681236, -40.232875, 20016, true}, /* the antipode */
        {-35.681236, -40.232875, 20000, false},
        {35.681236, -179.9, 5000, true},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct facet f = {
            .param = P, .kind = FACET_SPECIAL, .lo = rows[i].latitude, .hi = rows[i].longitude};
        const struct search_value v = {
            .kind = FACET_SPECIAL, .lo = 35.681236, .hi = 139.767125, .exact = rows[i].km};
        assert_int_equal(passes(&f, 1, &v, 1), rows[i].pass);
    }
}

/* ── several values, none, missing, composites ─────────────────────────────────────────────── */

static void test_lists(void **state)
{
    (void)state;
    const struct search_value one = TOKEN("s", "c1"), two[] = {TOKEN("s", "x"), TOKEN("s", "c2")};
    struct facet facets[] = {F(FACET_TOKEN, "s", "c1", ""), F(FACET_TOKEN, "s", "c2", ""),
                             F(FACET_TOKEN, "s", "c3", "")};
    facets[2].param = P + 1;
    assert_true(passes(facets, 3, &one, 1));
    assert_true(passes(facets, 3, two, 2));
    assert_false(passes(facets, 3, two, 1));
    assert_false(passes(facets, 3, two, 0));
    assert_false(passes(facets, 0, two, 2));
    const struct search_value other = TOKEN("s", "c3");
    assert_false(passes(facets, 3, &other, 1)); /* of another parameter */

    struct buf packed;
    buf_init(&packed, LIMIT_KIB);
    struct slice bytes = pack(&packed, facets, 3);
    for (uint16_t param = P - 1; param < P + 3; param++) {
        const struct search_term missing = {.param = param, .missing = true};
        const struct search_term there = {.param = param, .missing = true, .none = true};
        bool has = param == P || param == P + 1;
        assert_int_equal(match_term(bytes, &missing, NOW), !has);
        assert_int_equal(match_term(bytes, &there, NOW), has);
        assert_true(match_term(SLICE_NONE, &missing, NOW));
        assert_false(match_term(SLICE_NONE, &there, NOW));
    }
    buf_fini(&packed);
}

/* Components of a composite: code and quantity, in groups. */
static void test_composites(void **state)
{
    (void)state;
    struct facet facets[] = {
        {.param = P,
         .group = 1,
         .part = 0,
         .kind = FACET_TOKEN,
         .system = SLICE("s"),
         .text = SLICE("sys")},
        {.param = P, .group = 1, .part = 0, .kind = FACET_TOKEN, .text = SLICE("also")},
        {.param = P, .group = 1, .part = 1, .kind = FACET_QUANTITY, .lo = 140, .hi = 140},
        {.param = P,
         .group = 2,
         .part = 0,
         .kind = FACET_TOKEN,
         .system = SLICE("s"),
         .text = SLICE("dia")},
        {.param = P, .group = 2, .part = 1, .kind = FACET_QUANTITY, .lo = 90, .hi = 90},
        {.param = P,
         .group = 3,
         .part = 0,
         .kind = FACET_TOKEN,
         .system = SLICE("s"),
         .text = SLICE("half")},
    };
    static const struct {
        const char *code, *number;
        enum search_op op;
        bool pass;
    } rows[] = {
        {"sys", "140", SEARCH_EQ, true},  {"sys", "90", SEARCH_EQ, false},
        {"dia", "90", SEARCH_EQ, true},   {"dia", "140", SEARCH_EQ, false},
        {"dia", "140", SEARCH_LT, true},  {"sys", "120", SEARCH_GT, true},
        {"dia", "120", SEARCH_GT, false}, {"also", "140", SEARCH_EQ, true},
        {"half", "90", SEARCH_EQ, false}, {"none", "90", SEARCH_EQ, false},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct search_value parts[2] = {CODE(""), number(rows[i].op, rows[i].number)};
        parts[0].text = slice_str(rows[i].code);
        parts[1].kind = FACET_QUANTITY;
        const struct search_value v[] = {
            {.kind = FACET_TOKEN,
             .part_count = 2,
             .parts = (const struct search_value[]){CODE("zz"), CODE("zz")}},
            {.part_count = 2, .parts = parts}};
        struct facet copy[T_COUNT(facets)];
        memcpy(copy, facets, sizeof copy);
        check(passes(copy, T_COUNT(copy), v + 1, 1), rows[i].pass, "composite", rows[i].code,
              rows[i].number);
        assert_int_equal(passes(copy, T_COUNT(copy), v, 2), rows[i].pass);
        assert_false(passes(copy, T_COUNT(copy), v, 1));
    }
    /* Facets without a group are of no composite. */
    struct facet plain[] = {{.param = P, .kind = FACET_TOKEN, .text = SLICE("a")}};
    const struct search_value v = {.part_count = 1,
                                   .parts = (const struct search_value[]){CODE("a")}};
    assert_false(passes(plain, 1, &v, 1));
    plain[0].group = 1;
    assert_true(passes(plain, 1, &v, 1));
}

/* ── what holds for any facets ─────────────────────────────────────────────────────────────── */

static uint64_t seed = UINT64_C(0x1234567812345678);
static uint64_t next_random(uint64_t below)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static struct facet random_facet(enum facet_kind kind)
{
    static const char *const words[] = {"a", "ab", "abc", "b", "a/b", "a/b/c"};
    struct facet f = {.param = P, .kind = kind};
    f.text = slice_str(words[next_random(T_COUNT(words))]);
    f.raw = slice_str(words[next_random(T_COUNT(words))]);
    f.system = next_random(2) ? SLICE("s") : SLICE_NONE;
    f.lo_ms = (int64_t)next_random(8) - 4;
    f.hi_ms = f.lo_ms + 1 + (int64_t)next_random(4);
    f.lo = (double)next_random(8);
    f.hi = f.lo + (kind == FACET_QUANTITY ? (double)next_random(3) : 0);
    return f;
}

static struct search_value random_value(enum facet_kind kind)
{
    struct facet f = random_facet(kind);
    struct search_value v = {.kind = kind,
                             .any_system = next_random(2),
                             .system = f.system,
                             .text = f.text,
                             .raw = f.raw,
                             .when = {f.lo_ms, f.hi_ms},
                             .exact = f.lo,
                             .lo = f.lo - 0.5,
                             .hi = f.lo + 0.5};
    return v;
}

static void test_algebra(void **state)
{
    (void)state;
    static const enum facet_kind kinds[] = {FACET_TOKEN,  FACET_STRING,   FACET_DATE,
                                            FACET_NUMBER, FACET_QUANTITY, FACET_REFERENCE,
                                            FACET_URI,    FACET_TYPED};
    size_t passed = 0, rounds = 20000;
    for (size_t n = 0; n < rounds; n++) {
        enum facet_kind kind = kinds[next_random(T_COUNT(kinds))];
        struct facet facets[5];
        struct search_value values[4];
        size_t count = next_random(T_COUNT(facets) + 1), value_count = next_random(5);
        for (size_t i = 0; i < count; i++)
            facets[i] = random_facet(next_random(4) ? kind : kinds[next_random(T_COUNT(kinds))]);
        for (size_t i = 0; i < value_count; i++)
            values[i] = random_value(kind);
        bool any = false, all = passes(facets, count, values, value_count);
        for (size_t i = 0; i < value_count;
             i++) /* an OR is any of its values on any of the facets */
            for (size_t j = 0; j < count; j++)
                any = passes(&facets[j], 1, &values[i], 1) || any;
        assert_int_equal(all, any);
        passed += all;
        if (count != 1 || value_count != 1 || facets[0].kind != kind)
            continue;
        struct search_value v = values[0];
        bool is[9];
        for (size_t op = 0; op < 9; op++) {
            v.op = all_ops[op];
            v.any_system = kind == FACET_QUANTITY ? true : v.any_system;
            v.text = kind == FACET_QUANTITY ? SLICE_NONE : v.text;
            is[op] = passes(facets, 1, &v, 1);
        }
        if (kind != FACET_DATE && kind != FACET_NUMBER && kind != FACET_QUANTITY)
            continue;
        assert_int_equal(is[0], !is[1]);          /* ne is not eq */
        assert_true(!is[2] || is[4]);             /* gt: also ge */
        assert_true(!is[3] || is[5]);             /* lt: also le */
        assert_true(!is[6] || (is[2] && !is[3])); /* sa: gt, and nothing before */
        assert_true(!is[7] || (is[3] && !is[2])); /* eb: lt, and nothing after */
        assert_false(is[6] && is[7]);
        assert_true(!is[0] || is[8]); /* eq: also ap */
        assert_true(is[4] || is[5]);  /* something is on one side or within */
    }
    assert_in_range(passed, rounds / 8, rounds / 8 * 7);
}

/* Damaged bytes end early and never crash. */
static void test_damaged_facets(void **state)
{
    (void)state;
    struct buf packed;
    buf_init(&packed, LIMIT_KIB);
    for (size_t n = 0; n < 3000; n++) {
        struct facet facets[4];
        for (size_t i = 0; i < T_COUNT(facets); i++)
            facets[i] = random_facet((enum facet_kind)next_random(FACET_TYPED + 1));
        struct slice bytes = pack(&packed, facets, T_COUNT(facets));
        packed.ptr[next_random(bytes.len)] ^= (char)(1 + next_random(255));
        const struct search_value v = random_value(FACET_TOKEN);
        const struct search_term term = {.param = P, .values = &v, .value_count = 1};
        (void)match_term(slice_sub(bytes, 0, next_random(bytes.len + 1)), &term, NOW);
    }
    buf_fini(&packed);
}

/* ── orders ────────────────────────────────────────────────────────────────────────────────── */

struct sorted {
    struct facet facets[3];
    size_t count;
    struct buf key;
};

/* -1, 0, 1 by the plain meaning of SORT; a missing value is last either way. */
static int plain_order(const struct sorted *a, const struct sorted *b,
                       const struct search_sort *sort)
{
    const struct sorted *both[] = {a, b};
    const struct facet *best[2] = {NULL, NULL};
    for (size_t n = 0; n < 2; n++)
        for (size_t i = 0; i < both[n]->count; i++) {
            const struct facet *f = &both[n]->facets[i];
            if (f->kind != sort->kind)
                continue;
            bool less = false, more = false;
            if (best[n] && f->kind == FACET_DATE) {
                less = f->lo_ms < best[n]->lo_ms;
                more = f->lo_ms > best[n]->lo_ms;
            } else if (best[n] && f->kind == FACET_QUANTITY) {
                less = f->lo < best[n]->lo;
                more = f->hi > best[n]->hi;
            } else if (best[n]) {
                less = slice_cmp(f->text, best[n]->text) < 0;
                more = slice_cmp(f->text, best[n]->text) > 0;
            }
            if (!best[n] || (sort->descending ? more : less))
                best[n] = f;
        }
    if (!best[0] || !best[1])
        return (best[0] == NULL) - (best[1] == NULL);
    int order = 0;
    if (sort->kind == FACET_DATE)
        order = (best[0]->lo_ms > best[1]->lo_ms) - (best[0]->lo_ms < best[1]->lo_ms);
    else if (sort->kind == FACET_QUANTITY && sort->descending)
        order = (best[0]->hi > best[1]->hi) - (best[0]->hi < best[1]->hi);
    else if (sort->kind == FACET_QUANTITY)
        order = (best[0]->lo > best[1]->lo) - (best[0]->lo < best[1]->lo);
    else
        order = slice_cmp(best[0]->text, best[1]->text);
    order = (order > 0) - (order < 0);
    return sort->descending ? -order : order;
}

static void test_orders(void **state)
{
    (void)state;
    static const enum facet_kind kinds[] = {FACET_DATE, FACET_QUANTITY, FACET_STRING, FACET_TOKEN};
    static struct sorted items[40];
    struct buf packed;
    buf_init(&packed, LIMIT_KIB);
    for (size_t n = 0; n < 60; n++) {
        struct search_sort sorts[2];
        for (size_t i = 0; i < 2; i++)
            sorts[i] = (struct search_sort){.param = P,
                                            .kind = kinds[next_random(T_COUNT(kinds))],
                                            .descending = next_random(2)};
        for (size_t i = 0; i < T_COUNT(items); i++) {
            struct sorted *item = &items[i];
            item->count = next_random(4);
            for (size_t j = 0; j < item->count; j++) {
                item->facets[j] = random_facet(kinds[next_random(T_COUNT(kinds))]);
                item->facets[j].lo -= 4;
                if (item->facets[j].kind != FACET_QUANTITY)
                    item->facets[j].hi = item->facets[j].lo;
            }
            struct facet copy[3];
            memcpy(copy, item->facets, sizeof copy);
            buf_init(&item->key, LIMIT_SORT_KEY);
            match_sort_key(pack(&packed, copy, item->count), 0, SLICE_NONE, sorts, 2, &item->key);
            assert_int_equal(buf_err(&item->key), ERR_OK);
        }
        for (size_t i = 0; i < T_COUNT(items); i++)
            for (size_t j = 0; j < T_COUNT(items); j++) {
                int want = plain_order(&items[i], &items[j], &sorts[0]);
                want = want ? want : plain_order(&items[i], &items[j], &sorts[1]);
                int got = slice_cmp(buf_slice(&items[i].key), buf_slice(&items[j].key));
                assert_int_equal((got > 0) - (got < 0), want);
            }
        for (size_t i = 0; i < T_COUNT(items); i++)
            buf_fini(&items[i].key);
    }
    buf_fini(&packed);
}

/* However long the texts, every part of a key keeps its room, and the whole its bound. */
static void test_long_keys(void **state)
{
    (void)state;
    static char text[3000];
    struct search_sort sorts[LIMIT_SORT_KEYS];
    struct buf packed, key, other;
    buf_init(&packed, 64 * LIMIT_KIB);
    buf_init(&key, LIMIT_SORT_KEY);
    buf_init(&other, LIMIT_SORT_KEY);
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < T_COUNT(sorts); i++)
        sorts[i] = (struct search_sort){.param = P, .kind = FACET_STRING, .descending = i % 2};
    sorts[T_COUNT(sorts) - 1] = (struct search_sort){.order = SEARCH_BY_UPDATED};
    for (size_t len = 0; len <= 2048; len = len * 2 + 1) {
        struct facet f = {
            .param = P, .kind = FACET_STRING, .text = slice_of(text, len), .raw = SLICE("r")};
        struct slice bytes = pack(&packed, &f, 1);
        buf_clear(&key);
        buf_clear(&other);
        match_sort_key(bytes, 1, SLICE("id"), sorts, T_COUNT(sorts), &key);
        match_sort_key(bytes, 2, SLICE("id"), sorts, T_COUNT(sorts), &other);
        assert_int_equal(buf_err(&key), ERR_OK);
        assert_true(key.len <= LIMIT_SORT_KEY);
        assert_true(slice_cmp(buf_slice(&key), buf_slice(&other)) < 0);
    }
    const struct search_sort ids[] = {{.order = SEARCH_BY_ID},
                                      {.order = SEARCH_BY_ID, .descending = true}};
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&key);
        buf_clear(&other);
        match_sort_key(SLICE_NONE, 0, SLICE("a"), &ids[i], 1, &key);
        match_sort_key(SLICE_NONE, 0, SLICE("ab"), &ids[i], 1, &other);
        assert_int_equal(slice_cmp(buf_slice(&key), buf_slice(&other)) < 0, i == 0);
    }
    /* References: those of UUIDs are read one at a time. */
    static const char *const names[] = {"List/00000000-0000-0000-0000-000000000002",
                                        "List/00000000-0000-0000-0000-000000000001",
                                        "List/00000000-0000-0000-0000-000000000003"};
    struct facet references[T_COUNT(names)];
    for (size_t i = 0; i < T_COUNT(names); i++)
        references[i] =
            (struct facet){.param = P, .kind = FACET_REFERENCE, .text = slice_str(names[i])};
    for (size_t i = 0; i < 2; i++) {
        const struct search_sort by = {.param = P, .kind = FACET_REFERENCE, .descending = i == 1};
        struct facet best = {.param = P, .kind = FACET_REFERENCE, .text = slice_str(names[1 + i])};
        buf_clear(&key);
        buf_clear(&other);
        match_sort_key(pack(&packed, references, T_COUNT(names)), 0, SLICE_NONE, &by, 1, &key);
        match_sort_key(pack(&packed, &best, 1), 0, SLICE_NONE, &by, 1, &other);
        assert_true(slice_eq(buf_slice(&key), buf_slice(&other)));
    }
    for (unsigned n = 0; n < 64; n++) {
        const struct search_sort by = {.order = SEARCH_BY_UPDATED, .descending = n % 2};
        const int64_t seq = (int64_t)next_random(UINT64_MAX);
        buf_clear(&key);
        match_sort_key(SLICE_NONE, seq, SLICE_NONE, &by, 1, &key);
        assert_int_equal(match_sort_seq(buf_slice(&key), n % 2), seq);
    }
    assert_int_equal(match_sort_seq(SLICE("x"), false), 0);
    buf_fini(&packed);
    buf_fini(&key);
    buf_fini(&other);
}

static void test_that_is_enough_cases(void **state)
{
    (void)state;
    print_message("%zu cases of the tables\n", cases);
    assert_true(cases >= 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_approximate_dates),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_quantities),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_composites),
        cmocka_unit_test(test_algebra),
        cmocka_unit_test(test_damaged_facets),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_long_keys),
        cmocka_unit_test(test_that_is_enough_cases),
    };
    return T_RUN(tests);
}
