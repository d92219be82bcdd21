/* SPDX-License-Identifier: Apache-2.0
 *
 * Pairs of v2 messages and the FHIR another converter makes of them (CDC ReportStream). Their shape
 * is not ours (practitioners and organisations as resources, systems named otherwise), so facts are
 * compared: every name, number, time, code and text of an expected resource must stand in our
 * resource of the same type, under the same element name. Where we differ on purpose, the fact is
 * listed below with its reason; any other difference fails the test. A pair about the envelope only
 * (MSH) gets a PID, since a message about nobody is refused here.
 */
#include "hl7_map_run.h"

#include <ftw.h>

#include "base/when.h"
#include "mappers/charset.h"
#include "base/banned.h"

/* Element names whose values are facts of the message. */
static const char *const facts[] = {
    "family",
    "given",
    "prefix",
    "suffix",
    "line",
    "city",
    "state",
    "postalCode",
    "country",
    "district",
    "gender",
    "birthDate",
    "value",
    "valueString",
    "valueDateTime",
    "code",
    "text",
    "start",
    "end",
    "effectiveDateTime",
    "issued",
    "status",
    "deceasedDateTime",
    "authoredOn",
    "receivedTime",
    "collectedDateTime",
    "deceasedBoolean",
    "use",
};

/* Types we make too; other resources of theirs stand inside ours as names. */
static const char *const types[] = {"Patient",  "Observation", "DiagnosticReport", "ServiceRequest",
                                    "Specimen", "Encounter",   "Coverage"};

/* Where FILE is not NULL, only in pairs whose path holds it. */
static const struct {
    const char *fact, *file, *why;
} reasons[] = {
    {"ServiceRequest.status", NULL, "a result says the order was carried out; there it is unknown"},
    {"ServiceRequest.code", NULL,
     "an order without a number is no resource here: none could find it"},
    {"ServiceRequest.authoredOn", "sets-authored-on", "the same"},
    {"Encounter.status", NULL,
     "a visit mentioned beside a result is unknown here, there finished; places it was at before "
     "or will be at are not taken from a mention"},
    {"Encounter.code", NULL, "a visit without number, class and date is none here"},
    {"Encounter.text", "pv1pv2", "the same; roles of people have codes here, no words"},
    {"Encounter.text", "ormo01", "roles of people have codes here, no words"},
    {"Encounter.value", NULL, "a visit without number, class and date is none here"},
    {"Encounter.start", "pv1pv2", "the same"},
    {"Encounter.end", "pv1pv2", "the same"},
    {"DiagnosticReport.status", "orcobr", "a report without OBR-4 is about nothing: none is made"},
    {"DiagnosticReport.effectiveDateTime", "orcobr", "the same"},
    {"DiagnosticReport.start", "obr8-populated", "the same"},
    {"DiagnosticReport.end", "obr8-populated", "the same"},
    {"DiagnosticReport.issued", "dtm-day-precision-to-instant",
     "R4's instant has a time of day; none is made up"},
    {"Specimen.collectedDateTime", NULL,
     "without SPM and OBR-15 there is no specimen; the report has the time"},
    {"Specimen.start", "obr8-populated", "the same"},
    {"Specimen.end", "obr8-populated", "the same"},
    {"Specimen.text", "annotation",
     "OBR-39 is the note of a specimen that OBR-15 names; SPM has its own"},
    {"Observation.status", "OML-message", "an answer without a question (OBX-3) is left out"},
    {"Observation.code", "data-absent", "reasons of absence are not made up"},
    {"Observation.code", "sn-as-ratio", "a quotation mark is no comparator: the value stays text"},
    {"Observation.value", "sn-as-ratio", "the same"},
    {"Observation.valueString", "sample_oru", "\\.br\\ is a new line here"},
    {"Observation.text", "ormo01", "repetitions of a comment are lines of one note"},
    {"Patient.start", "dt-day-precision",
     "NK1 without name, number and address is no contact (R4 pat-1)"},
    {"Patient.end", "dt-day-precision", "the same"},
    {"Patient.use", "ormo01", "a number of use EMR is neither home's nor work's"},
    {"Coverage.code", NULL, "IN1-15 is the class of the plan here, as JHSD0002 is"},
};

struct difference {
    char fact[64];
    unsigned count;
    char sample[96];
};

struct pair {
    const char *path;
    unsigned excused, failed;
};

#define ZONE_MS (INT64_C(9) * 3600 * 1000)

static struct {
    unsigned passed, excused, failed, unpaired, zones;
    struct difference differences[256];
    size_t count;
} score;

static bool is_one_of(struct slice name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_is(name, list[i]))
            return true;
    }
    return false;
}

static bool same_value(const struct json *a, const struct json *b)
{
    struct when x, y;

    if (a->kind != b->kind)
        return false;
    if (slice_eq(a->text, b->text) && a->kind != JSON_STRING)
        return true;
    if (slice_eq(slice_trim(a->text), slice_trim(b->text)))
        return true;
    if (a->kind == JSON_NUMBER)
        return strtod(a->text.ptr, NULL) - strtod(b->text.ptr, NULL) == 0.0;
    if (!when_parse_fhir(a->text, false, &x) || !when_parse_fhir(b->text, false, &y))
        return false;
    /* a time without a zone is Japan's here, UTC there: the same figures on the clock */
    if (slice_ends(a->text, SLICE("+09:00")) && x.lo_ms + ZONE_MS == y.lo_ms) {
        score.zones++;
        return true;
    }
    return x.lo_ms == y.lo_ms;
}

/* Is there a member of that name (or an item of it) with that value anywhere below V? */
static bool stands_in(const struct json *v, struct slice name, const struct json *fact)
{
    for (const struct json *c = v->first; c; c = c->next) {
        bool here = slice_eq(c->key, name);

        if (here && c->kind != JSON_ARRAY && c->kind != JSON_OBJECT && same_value(c, fact))
            return true;
        for (const struct json *i = here && c->kind == JSON_ARRAY ? c->first : NULL; i; i = i->next)
            if (same_value(i, fact))
                return true;
        if (stands_in(c, name, fact))
            return true;
    }
    return false;
}

static bool is_made(const struct run *run, struct slice type, struct slice name,
                    const struct json *fact)
{
    for (const struct mapped_resource *r = run->mapped->first; r; r = r->next) {
        if (slice_is(type, r->type) && stands_in(r->resource, name, fact))
            return true;
    }
    return false;
}

static void note(const char *fact, const struct json *value)
{
    size_t i = 0;

    while (i < score.count && strcmp(score.differences[i].fact, fact) != 0)
        i++;
    if (i == T_COUNT(score.differences))
        return;
    if (i == score.count) {
        score.count++;
        snprintf(score.differences[i].fact, sizeof(score.differences[i].fact), "%s", fact);
        snprintf(score.differences[i].sample, sizeof(score.differences[i].sample), "%.*s",
                 SLICE_ARG(value->text));
    }
    score.differences[i].count++;
}

static bool is_excused(const char *fact, const char *path)
{
    for (size_t i = 0; i < T_COUNT(reasons); i++) {
        if (strcmp(reasons[i].fact, fact) == 0 &&
            (!reasons[i].file || strstr(path, reasons[i].file)))
            return true;
    }
    return false;
}

static void differs(struct pair *pair, struct slice type, struct slice name,
                    const struct json *value)
{
    char fact[64];

    snprintf(fact, sizeof(fact), "%.*s.%.*s", SLICE_ARG(type), SLICE_ARG(name));
    if (is_excused(fact, pair->path)) {
        pair->excused++;
        note(fact, value);
        return;
    }
    pair->failed++;
    print_error("%s: %s \"%.*s\" is not in ours\n", strstr(pair->path, "pairs/") + 6, fact,
                SLICE_ARG(value->text));
}

static void compare(const struct run *run, struct slice type, const struct json *v,
                    struct pair *pair)
{
    for (const struct json *c = v->first; c; c = c->next) {
        struct slice name = v->kind == JSON_ARRAY ? v->key : c->key;

        if (slice_is(c->key, "extension") || slice_is(c->key, "meta") ||
            slice_is(c->key, "identifier") || slice_is(c->key, "contained"))
            continue;
        if (c->kind == JSON_OBJECT || c->kind == JSON_ARRAY)
            compare(run, type, c, pair);
        else if (is_one_of(name, facts, T_COUNT(facts)) && !is_made(run, type, name, c))
            differs(pair, type, name, c);
    }
}

/* PID with the number T1 in PID-3 where it has none. */
static void add_pid(struct buf *out, struct slice line)
{
    struct slice rest = line;

    for (unsigned n = 0; n < 4 || rest.len; n++) {
        struct slice field = slice_cut(&rest, '|');

        if (n)
            buf_add(out, SLICE("|"));
        buf_add(out, n == 3 && field.len == 0 ? SLICE("T1") : field);
    }
}

static struct slice next_line(struct slice *raw)
{
    size_t end = 0;
    struct slice line;

    while (end < raw->len && raw->ptr[end] != '\r' && raw->ptr[end] != '\n')
        end++;
    line = slice_sub(*raw, 0, end);
    *raw = slice_sub(*raw, end < raw->len ? end + 1 : end, raw->len);
    return line;
}

static void with_number(struct slice raw, struct buf *out)
{
    bool names_somebody = slice_search(raw, SLICE("PID|"), 0) < raw.len, seen = false;

    while (raw.len) {
        struct slice line = next_line(&raw);

        if (line.len == 0)
            continue;
        if (slice_starts(line, SLICE("PID")) && !seen) {
            seen = true;
            add_pid(out, line);
        } else {
            buf_add(out, line);
        }
        buf_add(out, SLICE("\r"));
        if (!names_somebody && slice_starts(line, SLICE("MSH")))
            buf_add(out, SLICE("PID|1||T1\r"));
    }
}

static void compare_bundle(const struct run *run, const struct json *bundle, struct pair *pair)
{
    const struct json *entries = json_get(bundle, "entry");

    for (const struct json *e = entries ? entries->first : NULL; e; e = e->next) {
        const struct json *resource = json_get(e, "resource");
        struct slice type = json_str(resource, "resourceType");

        if (is_one_of(type, types, T_COUNT(types)))
            compare(run, type, resource, pair);
    }
    score.passed += pair->failed == 0 && pair->excused == 0;
    score.excused += pair->failed == 0 && pair->excused != 0;
    score.failed += pair->failed != 0;
}

static void run_pair(const char *path, struct slice raw, struct slice want)
{
    struct buf message;
    struct json *bundle = NULL;
    struct json_fault fault;
    struct run run;
    struct pair pair = {.path = path};

    buf_init(&message, LIMIT_MLLP_FRAME);
    with_number(raw, &message);
    run_message(buf_slice(&message), &run);
    if (run.err || json_parse(run.arena, want, &bundle, &fault)) {
        print_error("%s: %s %s\n", path, err_name(run.err),
                    run.errors.first ? run.errors.first->place : "");
        score.failed++;
    } else {
        compare_bundle(&run, bundle, &pair);
        assert_int_equal(run_faults(&run), 0);
    }
    run_end(&run);
    buf_fini(&message);
}

static int try_pair(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    char other[1024];
    size_t len = 0, want_len = 0, stem = strlen(path);
    char *raw, *want;

    (void)info;
    (void)where;
    if (flag != FTW_F || stem < 5 || strcmp(path + stem - 4, ".hl7") != 0)
        return 0;
    snprintf(other, sizeof(other), "%.*s.fhir", (int)(stem - 4), path);
    raw = run_read(path, &len);
    want = run_read(other, &want_len);
    if (raw && want)
        run_pair(path, slice_of(raw, len), slice_of(want, want_len));
    else
        score.unpaired++; /* v2 to v2: nothing to compare with */
    free(raw);
    free(want);
    return 0;
}

static void print_reasons(const char *fact)
{
    for (size_t i = 0; i < T_COUNT(reasons); i++) {
        if (strcmp(reasons[i].fact, fact) == 0)
            printf("      %s%s%s\n", reasons[i].why, reasons[i].file ? ": " : "",
                   reasons[i].file ? reasons[i].file : "");
    }
}

static void agrees_with_pairs(void **state)
{
    char path[512];

    (void)state;
    if (!t_corpus("hl7v2/v2-fhir-pairs", path, sizeof(path))) {
        skip();
        return;
    }
    assert_int_equal(nftw(path, try_pair, 16, FTW_PHYS), 0);
    for (size_t i = 0; i < score.count; i++) {
        printf("  %s: %u, e.g. \"%s\"\n", score.differences[i].fact, score.differences[i].count,
               score.differences[i].sample);
        print_reasons(score.differences[i].fact);
    }
    printf("v2-fhir-pairs: %u agree, %u differ on purpose, %u differ; %u times without a zone are "
           "Japan's here; %u messages without a pair\n",
           score.passed, score.excused, score.failed, score.zones, score.unpaired);
    assert_int_equal(score.failed, 0);
    assert_true(score.passed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pairs)};

    if (charset_init() != ERR_OK)
        return 1;
    return T_RUN(tests);
}
