/* SPDX-License-Identifier: Apache-2.0
 *
 * Pairs of v2 messages and the FHIR another converter makes of them (CDC ReportStream). Their shape
 * is not ours (practitioners and organisations as resources, systems named otherwise), so facts are
 * compared: every name, number, time, code and text of an expected resource must stand in our
 * resource of the same type, under the same element name. What differs is counted by type and
 * element, with the reason where there is one.
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

static const struct {
    const char *fact, *why;
} reasons[] = {
    {"Observation.effectiveDateTime", "a time without a zone is Japan's here, UTC there"},
    {"Specimen.collectedDateTime", "the same"},
    {"DiagnosticReport.effectiveDateTime", "the same"},
    {"DiagnosticReport.issued", "the same"},
    {"Patient.deceasedDateTime", "the same"},
    {"Observation.valueDateTime", "the same; and a date stays a date"},
    {"Encounter.status", "results only mention a visit: unknown here"},
    {"Encounter.code", "a visit without number, class and date is none here"},
    {"Encounter.text", "the same"},
    {"Encounter.value", "the same"},
    {"Encounter.start", "the same"},
    {"Encounter.end", "the same"},
    {"ServiceRequest.status", "a result says the order was carried out; there it is unknown"},
    {"ServiceRequest.code", "an order without a number is no resource here"},
    {"ServiceRequest.authoredOn", "the same"},
    {"DiagnosticReport.code", "a code of no system and no name is a text here"},
    {"Observation.code", "the same; no reasons of absence are made up"},
    {"DiagnosticReport.status", "table 0123 as R4's concept map reads it"},
    {"DiagnosticReport.start", "orders without numbers"},
    {"DiagnosticReport.end", "the same"},
    {"Specimen.start", "the same"},
    {"Specimen.end", "the same"},
    {"Specimen.text", "OBR without a specimen of its own makes none"},
    {"Observation.valueString", "\\.br\\ is a new line here"},
};

struct difference {
    char fact[64];
    unsigned count;
    char sample[96];
};

static struct {
    unsigned passed, failed, skipped;
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
    return when_parse_fhir(a->text, false, &x) && when_parse_fhir(b->text, false, &y) &&
           x.lo_ms == y.lo_ms;
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

static void note(struct slice type, struct slice name, const struct json *fact)
{
    char text[64];
    size_t i = 0;

    snprintf(text, sizeof(text), "%.*s.%.*s", SLICE_ARG(type), SLICE_ARG(name));
    while (i < score.count && strcmp(score.differences[i].fact, text) != 0)
        i++;
    if (i == T_COUNT(score.differences))
        return;
    if (i == score.count) {
        score.count++;
        snprintf(score.differences[i].fact, sizeof(text), "%s", text);
        snprintf(score.differences[i].sample, sizeof(score.differences[i].sample), "%.*s",
                 SLICE_ARG(fact->text));
    }
    score.differences[i].count++;
}

static unsigned compare(const struct run *run, struct slice type, const struct json *v)
{
    unsigned missing = 0;

    for (const struct json *c = v->first; c; c = c->next) {
        struct slice name = v->kind == JSON_ARRAY ? v->key : c->key;

        if (slice_is(c->key, "extension") || slice_is(c->key, "meta") ||
            slice_is(c->key, "identifier") || slice_is(c->key, "contained"))
            continue;
        if (c->kind == JSON_OBJECT || c->kind == JSON_ARRAY) {
            missing += compare(run, type, c);
        } else if (is_one_of(name, facts, T_COUNT(facts)) && !is_made(run, type, name, c)) {
            note(type, name, c);
            missing++;
        }
    }
    return missing;
}

/* PID with the number T1 in PID-3 where it has none: we refuse those. */
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

static void with_number(struct slice raw, struct buf *out)
{
    bool seen = false;

    while (raw.len) {
        size_t end = 0;
        struct slice line;

        while (end < raw.len && raw.ptr[end] != '\r' && raw.ptr[end] != '\n')
            end++;
        line = slice_sub(raw, 0, end);
        raw = slice_sub(raw, end < raw.len ? end + 1 : end, raw.len);
        if (line.len == 0)
            continue;
        if (slice_starts(line, SLICE("PID")) && !seen) {
            seen = true;
            add_pid(out, line);
        } else {
            buf_add(out, line);
        }
        buf_add(out, SLICE("\r"));
    }
}

static void compare_bundle(const struct run *run, const struct json *bundle)
{
    const struct json *entries = json_get(bundle, "entry");
    unsigned missing = 0;

    for (const struct json *e = entries ? entries->first : NULL; e; e = e->next) {
        const struct json *resource = json_get(e, "resource");
        struct slice type = json_str(resource, "resourceType");

        if (is_one_of(type, types, T_COUNT(types)))
            missing += compare(run, type, resource);
    }
    score.passed += missing == 0;
    score.failed += missing != 0;
}

static int try_pair(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    char other[1024];
    size_t len = 0, want_len = 0, stem = strlen(path);
    char *raw, *want;
    struct buf message;
    struct json *bundle = NULL;
    struct json_fault fault;
    struct run run;

    (void)info;
    (void)where;
    if (flag != FTW_F || stem < 5 || strcmp(path + stem - 4, ".hl7") != 0)
        return 0;
    snprintf(other, sizeof(other), "%.*s.fhir", (int)(stem - 4), path);
    raw = run_read(path, &len);
    want = run_read(other, &want_len);
    if (!raw || !want) {
        score.skipped++;
        free(raw);
        free(want);
        return 0;
    }
    buf_init(&message, LIMIT_MLLP_FRAME);
    with_number(slice_of(raw, len), &message);
    run_message(buf_slice(&message), &run);
    if (run.err || json_parse(run.arena, slice_of(want, want_len), &bundle, &fault)) {
        score.skipped++;
        if (getenv("TASUKI_COVERAGE_VERBOSE"))
            printf("  skipped %s: %s %s\n", path, err_name(run.err),
                   run.errors.first ? run.errors.first->place : "");
    } else {
        compare_bundle(&run, bundle);
        assert_int_equal(run_faults(&run), 0);
    }
    run_end(&run);
    buf_fini(&message);
    free(raw);
    free(want);
    return 0;
}

static const char *reason_of(const char *fact)
{
    for (size_t i = 0; i < T_COUNT(reasons); i++) {
        if (strcmp(reasons[i].fact, fact) == 0)
            return reasons[i].why;
    }
    return "";
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
    for (size_t i = 0; i < score.count; i++)
        printf("  %s: %u, e.g. \"%s\" %s\n", score.differences[i].fact, score.differences[i].count,
               score.differences[i].sample, reason_of(score.differences[i].fact));
    printf("v2-fhir-pairs: %u passed, %u failed, %u skipped\n", score.passed, score.failed,
           score.skipped);
    assert_true(score.passed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pairs)};

    if (charset_init() != ERR_OK)
        return 1;
    return T_RUN(tests);
}
