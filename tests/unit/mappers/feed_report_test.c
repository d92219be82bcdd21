/* SPDX-License-Identifier: Apache-2.0
 *
 * Results to ORU^R01 and back: what messages that came in made is told by a feed, read by our own
 * lexer and mapper, and held against what it was told from, element by element; in both character
 * sets. Also: what MSH-10 depends on, withdrawn results, whose number stands in PID-3, the forms of
 * a resource without a way in.
 */
#include "hl7_map_run.h"

#include "mappers/feed/report.h"

#include "base/banned.h"

#define REPORTS 40u
#define RESULTS 80u

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

struct told {
    struct report reports[REPORTS];
    struct report_result results[RESULTS];
    size_t count, result_count;
    const struct json *patient;
};

static const struct json *find(const struct run *run, const char *type, struct slice reference)
{
    for (const struct mapped_resource *r = run->mapped->first; r; r = r->next) {
        struct slice id = json_str(r->resource, "id");
        if (strcmp(r->type, type) == 0 && !r->remove && slice_ends(reference, id))
            return r->resource;
    }
    return NULL;
}

static void add_result(struct told *t, const struct run *run, const struct json *observation)
{
    struct slice specimen = json_str(json_get(observation, "specimen"), "reference");
    assert_true(t->result_count < RESULTS);
    t->results[t->result_count++] =
        (struct report_result){.observation = observation,
                               .specimen = specimen.len ? find(run, "Specimen", specimen) : NULL};
}

static void begin(struct told *t, const struct json *report, struct slice id)
{
    assert_true(t->count < REPORTS);
    t->reports[t->count++] =
        (struct report){.resource = report, .id = id, .results = &t->results[t->result_count]};
}

static void end(struct told *t)
{
    struct report *r = &t->reports[t->count - 1];
    r->count = (size_t)(&t->results[t->result_count] - r->results);
}

static bool is_told(const struct told *t, const struct json *observation)
{
    for (size_t i = 0; i < t->result_count; i++)
        if (t->results[i].observation == observation)
            return true;
    return false;
}

/* All results that a message made: reports with theirs, then those of no report. */
static void collect(const struct run *run, struct told *t)
{
    memset(t, 0, sizeof(*t));
    for (const struct mapped_resource *r = run->mapped->first; r; r = r->next) {
        const struct json *list = json_get(r->resource, "result");
        if (strcmp(r->type, "Patient") == 0)
            t->patient = r->resource;
        if (strcmp(r->type, "DiagnosticReport") != 0 || r->remove)
            continue;
        begin(t, r->resource, json_str(r->resource, "id"));
        for (const struct json *i = list ? list->first : NULL; i; i = i->next)
            add_result(t, run, find(run, "Observation", json_str(i, "reference")));
        end(t);
    }
    for (const struct mapped_resource *r = run->mapped->first; r; r = r->next) {
        if (strcmp(r->type, "Observation") != 0 || r->remove || is_told(t, r->resource))
            continue;
        begin(t, NULL, json_str(r->resource, "id"));
        add_result(t, run, r->resource);
        end(t);
    }
}

static struct report_env env_of(const struct told *t, bool utf8)
{
    return (struct report_env){.source_code = SLICE("1319999999"),
                               .source_name = SLICE("たすき病院"),
                               .receiver_code = SLICE("1310000003"),
                               .local_no = SLICE("C-42"),
                               .application = SLICE("EHR"),
                               .place = SLICE("診療所"),
                               .salt = SLICE("clinic:1:2"),
                               .utf8 = utf8,
                               .sent_ms = INT64_C(1795334400123),
                               .patient = t->patient};
}

static void write(const struct run *run, const struct report_env *env, const struct told *t,
                  struct buf *out, char id[REPORT_CONTROL_ID + 1])
{
    size_t replaced = 0;
    buf_init(out, LIMIT_MIB);
    assert_int_equal(report_write(run->arena, env, t->reports, t->count, out, id, &replaced),
                     ERR_OK);
    assert_int_equal(replaced, 0);
}

/* ---- there and back ---- */

static bool is_in(struct slice word, const char *list)
{
    struct slice rest = slice_str(list);
    while (rest.ptr)
        if (slice_eq(word, slice_cut(&rest, ' ')))
            return true;
    return false;
}

static void compare(const char *name, const struct json *want, const struct json *got,
                    const char *except)
{
    for (const struct json *m = want->first; m; m = m->next) {
        const struct json *other = json_get_slice(got, m->key);
        if (is_in(m->key, except) || (other && json_equal(m, other)))
            continue;
        struct buf a, b;
        buf_init(&a, LIMIT_MIB);
        buf_init(&b, LIMIT_MIB);
        json_print(&a, m);
        if (other)
            json_print(&b, other);
        fail_msg("%s: %.*s.%.*s\nwant %.*s\ngot  %.*s", name,
                 SLICE_ARG(json_str(want, "resourceType")), SLICE_ARG(m->key),
                 SLICE_ARG(buf_slice(&a)), SLICE_ARG(buf_slice(&b)));
    }
}

/* Names that are another's at the receiver; whom and where it is about; what v2.5 has no room for.
 */
#define OTHERS "id identifier subject encounter basedOn specimen result"
static const struct {
    const char *folder;
    const char *except; /* besides: no field in ORU^R01, or only the sender's own */
} cases[] = {
    {"oru-plain-lab", "resultsInterpreter presentedForm category"},
    {"oru-bare", "category"}, /* OBR-24 says what the profile implied */
    {"oru-corrected", "category"},
    {"oru-value-types", "category"},
    {"oru-specimen-in-obr", "category"},
    {"oru-physiology", "category presentedForm resultsInterpreter"},
    {"oul-results", "category"},
    {"oul-bacteria", "category extension"},
};

static void check_case(const char *folder, const char *except, bool utf8)
{
    char path[256], skipped[256], id[REPORT_CONTROL_ID + 1];
    struct run run, again;
    static struct told told, back;
    struct buf out;
    size_t len = 0;

    snprintf(path, sizeof(path), "tests/cases/hl7v2/%s/in.hl7", folder);
    /* ISO-2022-JP has one wave dash where UTF-8 has two */
    snprintf(skipped, sizeof(skipped), OTHERS " %s %s", except, utf8 ? "" : "referenceRange");
    char *bytes = run_read(path, &len);
    assert_non_null(bytes);
    run_message(slice_of(bytes, len), &run);
    assert_int_equal(run.err, ERR_OK);
    collect(&run, &told);
    struct report_env env = env_of(&told, utf8);
    write(&run, &env, &told, &out, id);
    run_message(buf_slice(&out), &again);
    assert_int_equal(again.err, ERR_OK);
    collect(&again, &back);
    if (back.count != told.count || back.result_count != told.result_count)
        fail_msg("%s: %zu of %zu reports, %zu of %zu results\n%.*s", folder, back.count, told.count,
                 back.result_count, told.result_count, SLICE_ARG(buf_slice(&out)));
    for (size_t i = 0; i < told.count; i++)
        if (told.reports[i].resource)
            compare(folder, told.reports[i].resource, back.reports[i].resource, skipped);
    for (size_t i = 0; i < told.result_count; i++) {
        compare(folder, told.results[i].observation, back.results[i].observation, skipped);
        if (told.results[i].specimen && !back.results[i].specimen)
            fail_msg("%s: no specimen", folder);
    }
    assert_true(slice_is(again.mapped->patient.local_no, "C-42"));
    buf_fini(&out);
    run_end(&again);
    run_end(&run);
    free(bytes);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        check_case(cases[i].folder, cases[i].except, true);
        check_case(cases[i].folder, cases[i].except, false);
    }
}

/* ---- forms ---- */

/* One Observation (JSON) told on its own: OBX as text, from OBX-2 on. */
static const struct {
    const char *observation, *obx;
} forms[] = {
    {"{'status':'final','code':{'coding':[{'code':'X'}]},'valueQuantity':{'value':7.20,'unit':'mg'}"
     "}",
     "OBX|1|NM|X^^||7.20|mg^mg^ISO+|||||F||||1319999999^たすき病院"},
    {"{'status':'amended','code':{'text':'何か'},'valueQuantity':{'value':5,'comparator':'<'}}",
     "OBX|1|SN|^何か||<^5||||||C||||1319999999^たすき病院"},
    {"{'status':'preliminary','code':{'text':'a'},'valueInteger':3,'effectiveDateTime':'2026-01-02'"
     "}",
     "OBX|1|NM|^a||3||||||P|||20260102|1319999999^たすき病院"},
    {"{'status':'entered-in-error','code':{'text':'a'},'valueString':'x|y'}",
     "OBX|1||^a||||||||D||||1319999999^たすき病院"},
    {"{'status':'final','code':{'text':'a'},'valueString':'one\\ntwo'}",
     "OBX|1|ST|^a||one\\.br\\two||||||F||||1319999999^たすき病院"},
    {"{'status':'final','code':{'text':'a'},'valueBoolean':true}",
     "OBX|1|ST|^a||true||||||F||||1319999999^たすき病院"},
    {"{'status':'final','code':{'text':'a'},'valueTime':'07:45:00'}",
     "OBX|1|TM|^a||074500||||||F||||1319999999^たすき病院"},
    {"{'status':'final','code':{'text':'a'},'valueRange':{'low':{'value':1,'unit':'mg'}}}",
     "OBX|1|NR|^a||1^|mg^mg^ISO+|||||F||||1319999999^たすき病院"},
    {"{'status':'final','code':{'text':'a'},'dataAbsentReason':{'text':'lost'}}",
     "OBX|1||^a||||||||F||||1319999999^たすき病院"},
    {"{'status':'final','code':{'text':'a'},'valueQuantity':{'value':1},'referenceRange':[{'low':{'"
     "value':0.5},'high':{'value':2}}],"
     "'interpretation':[{'coding':[{'code':'H'}]},{'coding':[{'code':'U'}]}]}",
     "OBX|1|NM|^a||1||0.5-2|H~U|||F||||1319999999^たすき病院"},
    {"{'status':'final','code':{'text':'a'},'valueQuantity':{'value':1},'referenceRange':[{'high':{"
     "'value':2}}]}",
     "OBX|1|NM|^a||1||<=2||||F||||1319999999^たすき病院"},
    {"{'status':'final','code':{'text':'bp'},'component':[{'code':{'text':'sys'},'valueQuantity':{'"
     "value':132}},"
     "{'code':{'text':'dia'},'valueQuantity':{'value':84}}]}",
     "OBX|1|NM|^sys|1|132||||||F||||1319999999^たすき病院\rOBX|2|NM|^dia|2|84||||||F||||1319999999^"
     "たすき病院"},
};

static struct json *parse(struct arena *arena, const char *text)
{
    char *copy = arena_str(arena, slice_str(text));
    struct json *parsed = NULL;
    struct json_fault fault;
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    assert_int_equal(json_parse(arena, slice_str(copy), &parsed, &fault), ERR_OK);
    return parsed;
}

static struct slice told_alone(struct arena *arena, struct report *report,
                               const struct report_env *env, struct buf *out, char *id)
{
    size_t replaced = 0;
    buf_init(out, LIMIT_MIB);
    assert_int_equal(report_write(arena, env, report, 1, out, id, &replaced), ERR_OK);
    return buf_slice(out);
}

static void test_forms(void **state)
{
    static const struct told nobody;
    struct report_env env = env_of(&nobody, true);
    char id[REPORT_CONTROL_ID + 1];
    (void)state;
    for (size_t i = 0; i < T_COUNT(forms); i++) {
        struct arena *arena = arena_new(RUN_ARENA);
        struct report_result result = {.observation = parse(arena, forms[i].observation)};
        struct report report = {.id = SLICE("o1"), .results = &result, .count = 1};
        struct buf out;
        struct slice text = told_alone(arena, &report, &env, &out, id);
        size_t at = slice_search(text, SLICE("OBX|"), 0);
        struct slice got = slice_sub(text, at, text.len - at - 1);
        if (!slice_is(got, forms[i].obx))
            fail_msg("%s\nwant %s\ngot  %.*s", forms[i].observation, forms[i].obx, SLICE_ARG(got));
        buf_fini(&out);
        arena_free(arena);
    }
}

static void test_withdrawn(void **state)
{
    static const struct told nobody;
    struct report_env env = env_of(&nobody, true);
    struct arena *arena = arena_new(RUN_ARENA);
    char id[REPORT_CONTROL_ID + 1];
    struct buf out;
    struct json *body = parse(arena, "{'status':'final','code':{'text':'秘'},'valueString':'値',"
                                     "'note':[{'text':'注'}],'effectiveDateTime':'2026-01-02'}");
    struct report_result result = {.observation = body, .removed = true};
    struct report report = {.id = SLICE("o1"), .results = &result, .count = 1};
    (void)state;
    struct slice text = told_alone(arena, &report, &env, &out, id);
    assert_true(slice_search(text, SLICE("OBX|1||^秘||||||||D|||20260102|"), 0) < text.len);
    assert_true(slice_search(text, SLICE("値"), 0) == text.len);
    assert_true(slice_search(text, SLICE("注"), 0) == text.len);
    buf_fini(&out);
    report.removed = true;
    report.resource = parse(arena, "{'status':'final','code':{'text':'r'},'conclusion':'所見'}");
    text = told_alone(arena, &report, &env, &out, id);
    assert_true(slice_search(text, SLICE("|X\r"), 0) < text.len);
    assert_true(slice_search(text, SLICE("所見"), 0) == text.len);
    buf_fini(&out);
    arena_free(arena);
}

/* The same gives the same bytes; whatever differs gives another MSH-10. */
static void test_control_ids(void **state)
{
    static const struct told nobody;
    const struct report_env plain = env_of(&nobody, true);
    struct report_env changed[5] = {plain, plain, plain, plain, plain};
    struct arena *arena = arena_new(RUN_ARENA);
    char first[REPORT_CONTROL_ID + 1], id[REPORT_CONTROL_ID + 1];
    struct report_result result = {
        .observation = parse(arena, "{'status':'final','code':{'text':'a'},'valueInteger':1}")};
    struct report report = {.id = SLICE("o1"), .results = &result, .count = 1};
    struct buf out, again;
    (void)state;
    struct slice text = told_alone(arena, &report, &plain, &out, first);
    assert_true(slice_eq(text, told_alone(arena, &report, &plain, &again, id)));
    assert_string_equal(first, id);
    assert_int_equal(strlen(id), REPORT_CONTROL_ID);
    assert_true(slice_search(text, slice_str(id), 0) < text.len);
    buf_fini(&again);
    changed[0].salt = SLICE("clinic:1:3");
    changed[1].local_no = SLICE("C-43");
    changed[2].sent_ms++;
    changed[3].source_code = SLICE("1319999998");
    changed[4].place = SLICE_NONE;
    for (size_t i = 0; i < T_COUNT(changed); i++) {
        (void)told_alone(arena, &report, &changed[i], &again, id);
        assert_string_not_equal(first, id);
        buf_fini(&again);
    }
    buf_fini(&out);
    arena_free(arena);
}

/* Delimiters in what others wrote stay text. */
static void test_hostile_texts(void **state)
{
    static const struct told nobody;
    struct report_env env = env_of(&nobody, true);
    struct arena *arena = arena_new(RUN_ARENA);
    char id[REPORT_CONTROL_ID + 1];
    struct buf out;
    struct report_result result = {
        .observation = parse(arena, "{'status':'final\\rOBX|9','code':{'coding':[{'code':'a|b^c','"
                                    "system':'x&y'}],'text':'t~u'},"
                                    "'valueString':'v\\rMSH|','effectiveDateTime':'2026\\rX'}")};
    struct report report = {.id = SLICE("o1"), .results = &result, .count = 1};
    struct run run;
    (void)state;
    env.local_no = SLICE("1|2^3\rPID");
    struct slice text = told_alone(arena, &report, &env, &out, id);
    run_message(text, &run);
    assert_int_equal(run.err, ERR_OK);
    assert_true(slice_is(run.mapped->patient.local_no, "1|2^3\nPID") ||
                slice_is(run.mapped->patient.local_no, "1|2^3 PID"));
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\r';
    assert_int_equal(lines, 4); /* MSH PID OBR OBX */
    run_end(&run);
    buf_fini(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_forms),
        cmocka_unit_test(test_withdrawn),     cmocka_unit_test(test_control_ids),
        cmocka_unit_test(test_hostile_texts),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
