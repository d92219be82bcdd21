/* SPDX-License-Identifier: Apache-2.0
 *
 * Resources to messages and back: what the written message is mapped to is held against what it was
 * written from, element by element; every message passes the checks of the standard storage. Also
 * keys and cancellations of messages that came in.
 */
#include "hl7_map_run.h"

#include "mappers/ssmix2/inspect.h"
#include "mappers/ssmix2/write.h"

#include "base/banned.h"

#define ITEMS 64u
#define CASES "tests/cases/ssmix2/kinds.json"

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

#define MSH(type) "MSH|^~\\&|A|B|GW|D|20261101103059||" type "|1|P|2.5||||||UNICODE UTF-8\r"
#define PID "PID|0001||00012345^^^^PI||結城^花^^^^^L^I~ユウキ^ハナ^^^^^L^P||19520314|F\r"
#define PV1 "PV1|0001|O||||||||01|||||||||V1\r"

/* All that the message made, as a pool; the Patient apart. */
static size_t pool(const struct run *run, struct write_item *items, const struct json **ret_patient)
{
    size_t count = 0;

    for (struct mapped_resource *r = run->mapped->first; r; r = r->next) {
        assert_true(count < ITEMS);
        items[count++] = (struct write_item){.type = slice_str(r->type),
                                             .id = json_str(r->resource, "id"),
                                             .resource = r->resource,
                                             .updated_ms = INT64_C(1795334400000),
                                             .pool = true};
        if (slice_is(items[count - 1].type, "Patient"))
            *ret_patient = r->resource;
    }
    return count;
}

/* The one with its id; ids are made of numbers and times as written, which may be written another
 * way: then the one at its place among those of its type. */
static const struct json *same_in(const struct run *again, const struct run *run,
                                  const struct json *resource)
{
    struct slice type = json_str(resource, "resourceType");
    size_t nth = 0;

    for (const struct mapped_resource *r = again->mapped->first; r; r = r->next) {
        if (slice_eq(json_str(r->resource, "id"), json_str(resource, "id")))
            return r->resource;
    }
    for (const struct mapped_resource *r = run->mapped->first; r && r->resource != resource;
         r = r->next)
        nth += slice_is(type, r->type);
    for (const struct mapped_resource *r = again->mapped->first; r; r = r->next) {
        if (slice_is(type, r->type) && nth-- == 0)
            return r->resource;
    }
    return NULL;
}

static void differs(const char *kind, const struct json *resource, const struct json *want,
                    const struct json *got)
{
    struct buf w, g;
    struct slice key = want ? want->key : got->key;

    buf_init(&w, LIMIT_MIB);
    buf_init(&g, LIMIT_MIB);
    if (want)
        json_print(&w, want);
    if (got)
        json_print(&g, got);
    fail_msg("%s: %.*s.%.*s\nwant %.*s\ngot  %.*s", kind,
             SLICE_ARG(json_str(resource, "resourceType")), SLICE_ARG(key),
             SLICE_ARG(buf_slice(&w)), SLICE_ARG(buf_slice(&g)));
}

/* Element by element, none more and none less. */
static void compare(const char *kind, const struct run *again, const struct run *run,
                    const struct json *resource)
{
    const struct json *other = same_in(again, run, resource);

    if (!other)
        fail_msg("%s: no %.*s", kind, SLICE_ARG(json_str(resource, "id")));
    for (const struct json *member = resource->first; member; member = member->next) {
        const struct json *got = json_get_slice(other, member->key);
        if (!slice_is(member->key, "id") && !(got && json_equal(member, got)))
            differs(kind, resource, member, got);
    }
    for (const struct json *member = other->first; member; member = member->next) {
        if (!json_get_slice(resource, member->key))
            differs(kind, resource, NULL, member);
    }
}

static void check_standard(const char *kind, const struct write_group *g, struct slice bytes)
{
    char path[512];
    struct arena *arena = arena_new(RUN_ARENA);
    struct inspection in;

    snprintf(path, sizeof(path), "000/123/00012345/%s/%s/00012345_%s_%s_%s_20261122170000000_-_1",
             g->care_date, g->kind, g->care_date, g->kind, g->order_no);
    inspect_file(arena, slice_str(path), bytes, &in);
    for (unsigned c = 0; c < INSPECT_CHECKS; c++) {
        if (in.found[c].errors > 0)
            fail_msg("%s: %s at %s: %s", kind, inspect_name((enum inspect_check)c),
                     in.found[c].first->place, in.found[c].first->en);
    }
    arena_free(arena);
}

static bool is_member(const struct write_group *g, const struct write_item *item)
{
    for (const struct write_member *m = g->first; m; m = m->next) {
        if (m->item == item)
            return true;
    }
    return false;
}

static struct json *load_cases(struct arena *arena)
{
    struct json *root = NULL;
    char *bytes = arena_alloc(arena, LIMIT_MIB);
    FILE *file = fopen(CASES, "rb");

    assert_non_null(file);
    size_t n = fread(bytes, 1, LIMIT_MIB, file);
    (void)fclose(file);
    assert_int_equal(json_parse(arena, slice_of(bytes, n), &root, NULL), ERR_OK);
    return root;
}

static void add_segments(const struct json *row, struct buf *out)
{
    for (const struct json *s = json_at(json_get(row, "segments"), 0); s; s = s->next) {
        buf_add(out, s->text);
        buf_addc(out, '\r');
    }
}

/* Writes G, reads it again, and holds what it says against what it was written from. */
static void go_round(const struct run *run, struct write_plan *plan, const struct write_env *env,
                     struct write_group *g)
{
    struct run again;
    struct buf text, coded;
    size_t replaced = 0;

    buf_init(&text, LIMIT_MIB);
    buf_init(&coded, LIMIT_MIB);
    assert_int_equal(write_message(plan, env, g, &text), ERR_OK);
    assert_int_equal(write_encode(buf_slice(&text), &coded, &replaced), ERR_OK);
    check_standard(g->kind, g, buf_slice(&coded));
    run_message(buf_slice(&coded), &again);
    assert_int_equal(again.err, ERR_OK);
    for (size_t j = 0; j < plan->count; j++) {
        if (is_member(g, &plan->items[j]) && !slice_is(plan->items[j].type, "Patient"))
            compare(g->kind, &again, run, plan->items[j].resource);
    }
    if (strcmp(g->kind, "ADT-00") == 0)
        compare(g->kind, &again, run, env->patient);
    run_end(&again);
    buf_fini(&text);
    buf_fini(&coded);
}

/* The group of KIND that says how things are now; events before it say less. */
static struct write_group *group_of(const struct write_plan *plan, const char *kind)
{
    for (struct write_group *g = plan->groups; g; g = g->next) {
        if (strcmp(g->kind, kind) == 0)
            return g;
    }
    return NULL;
}

static void test_round_trip(void **state)
{
    struct arena *arena = arena_new(RUN_ARENA);
    const struct json *cases = load_cases(arena);

    (void)state;
    for (const struct json *row = json_at(cases, 0); row; row = row->next) {
        const char *kind = arena_str(arena, json_str(row, "kind"));
        struct write_env env = {SLICE("1319999999"), SLICE("たすき病院"), SLICE("00012345"), NULL};
        struct write_item items[ITEMS];
        struct write_plan *plan = NULL;
        struct run run;
        struct buf text;

        buf_init(&text, LIMIT_MIB);
        add_segments(row, &text);
        run_message(buf_slice(&text), &run);
        assert_int_equal(run.err, ERR_OK);
        size_t count = pool(&run, items, &env.patient);
        assert_int_equal(write_plan_make(run.arena, items, count, &plan), ERR_OK);
        struct write_group *g = group_of(plan, kind);
        if (!g)
            fail_msg("%s: no group", kind);
        assert_int_equal(g->cancelled, json_get(row, "flag")->text.ptr[0] == '0');
        go_round(&run, plan, &env, g);
        for (size_t j = 0; j < count; j++) {
            if (is_member(g, &items[j]))
                assert_true(items[j].written);
        }
        run_end(&run);
        buf_fini(&text);
    }
    arena_free(arena);
}

/* What would read as something else than it says is not written. */
static void test_not_written(void **state)
{
    static const char *const resources[] = {
        "{\"resourceType\":\"Condition\",\"code\":{\"text\":\"x\"},\"verificationStatus\":{"
        "\"coding\":[{"
        "\"code\":\"refuted\"}]}}",
        "{\"resourceType\":\"AllergyIntolerance\",\"code\":{\"text\":\"x\"},\"verificationStatus\":"
        "{"
        "\"coding\":[{\"code\":\"refuted\"}]}}",
        "{\"resourceType\":\"MedicationRequest\",\"status\":\"active\",\"intent\":\"order\","
        "\"doNotPerform\":true,\"authoredOn\":\"2026-11-01\",\"medicationCodeableConcept\":{"
        "\"text\":\"x\"}}",
        "{\"resourceType\":\"MedicationRequest\",\"status\":\"draft\",\"intent\":\"order\","
        "\"authoredOn\":\"2026-11-01\",\"medicationCodeableConcept\":{\"text\":\"x\"}}",
        "{\"resourceType\":\"MedicationRequest\",\"status\":\"active\",\"intent\":\"plan\","
        "\"authoredOn\":\"2026-11-01\",\"medicationCodeableConcept\":{\"text\":\"x\"}}",
        "{\"resourceType\":\"ServiceRequest\",\"status\":\"active\",\"intent\":\"order\","
        "\"authoredOn\":\"2026-11-01\",\"code\":{\"text\":\"of what kind?\"}}",
        "{\"resourceType\":\"Coverage\",\"status\":\"cancelled\"}",
        "{\"resourceType\":\"Encounter\",\"status\":\"cancelled\",\"class\":{\"code\":\"AMB\"},"
        "\"period\":{"
        "\"start\":\"2026-11-01\"}}",
    };

    (void)state;
    for (size_t i = 0; i < T_COUNT(resources); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct write_item item = {.id = SLICE("x"), .updated_ms = 1, .pool = true};
        struct write_plan *plan = NULL;
        struct json *body = NULL;

        assert_int_equal(json_parse(arena, slice_str(resources[i]), &body, NULL), ERR_OK);
        item.type = json_str(body, "resourceType");
        item.resource = body;
        assert_int_equal(write_plan_make(arena, &item, 1, &plan), ERR_OK);
        if (plan->groups)
            fail_msg("%s in %s", resources[i], plan->groups->kind);
        arena_free(arena);
    }
}

/* What the standard lacks becomes a box, in the file only. */
static void test_gaiji(void **state)
{
    struct buf out;
    size_t replaced = 0;

    (void)state;
    buf_init(&out, LIMIT_MIB);
    assert_int_equal(write_encode(SLICE("髙😀"), &out, &replaced), ERR_OK);
    assert_int_equal(replaced, 2);
    assert_buf(&out, "\x1B$B\"#\"#\x1B(B");
    buf_fini(&out);
}

static const struct {
    const char *text, *kind, *date, *order;
    bool cancels;
} keys[] = {
    {MSH("OUL^R22") PID "SPM|1|||023|||||||||||||202611010900\rOBR||354||E\rORC|SC|354\r", "OML-11",
     "20261101", "000000000000354", false},
    {MSH("RDE^O11") PID "ORC|NW|A-17||1|||||20261101\rRXE||1\r", "OMP-01", "20261101", "", false},
    {MSH("RDE^O11") PID "ORC|CA|17||1|||||20261101\rRXE||1\rRXC|B\r", "OMP-02", "20261101",
     "000000000000017", true},
    {MSH("RAS^O17") PID "ORC|NW|17||17_01_001\rRXA|0|1|202611010830\r", "OMP-12", "20261101",
     "000000000000017", false},
    {MSH("OMG^O19") PID "ORC|NW|17|||||||20261101\rOBR||17||1^x^LENDO\r", "OMG-02", "20261101",
     "000000000000017", false},
    {MSH("ADT^A08") "EVN||20261101\r" PID, "ADT-00", "-", WRITE_NO_ORDER, false},
    {MSH("ADT^A11") "EVN||20261101\r" PID
                    "PV1|1|I||||||||||||||||||||||||||||||||||||||||||202611010900\r",
     "ADT-22", "20261101", WRITE_NO_ORDER, true},
    {MSH("ADT^A28") "EVN||20261101\r" PID, NULL, NULL, NULL, false},
    {MSH("OUL^R22") PID "SPM|1|||023\rOBR||354||E\r", NULL, NULL, NULL, false},
};

static void test_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(keys); i++) {
        struct arena *arena = arena_new(RUN_ARENA);
        struct hl7_message *m = NULL;
        struct write_group key = {0};
        struct err_list errors;

        err_list_init(&errors, arena);
        assert_int_equal(hl7_lex(arena, slice_str(keys[i].text), &errors, &m), ERR_OK);
        bool found = write_key(arena, m, &key);
        if (found != (keys[i].kind != NULL) ||
            (found && key.kind && strcmp(key.kind, keys[i].kind) != 0))
            fail_msg("key %zu: %s", i, key.kind ? key.kind : "none");
        if (found && strcmp(key.care_date, keys[i].date) != 0)
            fail_msg("key %zu: %s", i, key.care_date);
        if (found && keys[i].order[0] && strcmp(key.order_no, keys[i].order) != 0)
            fail_msg("key %zu: %s", i, key.order_no);
        if (found && key.kind)
            assert_int_equal(write_is_cancel(m, key.kind), keys[i].cancels);
        arena_free(arena);
    }
}

static void test_cancel(void **state)
{
    static const char order[] = MSH("RDE^O11^RDE_O11") PID "ORC|NW|17\rRXE||1\r";
    static const char visit[] =
        MSH("ADT^A01^ADT_A01") "EVN||20261101\r" PID "NK1|1\rPV1|1|I\rIN1|1\r";
    struct arena *arena = arena_new(RUN_ARENA);
    struct hl7_message *m = NULL;
    struct err_list errors;
    struct buf out;

    (void)state;
    err_list_init(&errors, arena);
    buf_init(&out, LIMIT_MIB);
    assert_int_equal(hl7_lex(arena, slice_str(order), &errors, &m), ERR_OK);
    assert_int_equal(write_cancel(m, "OMP-01", &out), ERR_OK);
    assert_buf(&out, MSH("RDE^O11^RDE_O11") PID "ORC|CA|17\rRXE||1\r");
    buf_clear(&out);
    assert_int_equal(hl7_lex(arena, slice_str(visit), &errors, &m), ERR_OK);
    assert_int_equal(write_cancel(m, "ADT-22", &out), ERR_OK);
    assert_buf(&out, MSH("ADT^A11^ADT_A09") "EVN||20261101\r" PID "PV1|1|I\r");
    buf_fini(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_gaiji),      cmocka_unit_test(test_keys),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
