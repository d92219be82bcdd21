/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange/demo/clinical: every message can be lexed and names the right patient, every resource is
 * JSON and names him by card, nothing lies in the future, the same seed gives the same bytes, and
 * the stories tell what they promise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/when.h"
#include "exchange/demo/clinical.h"
#include "mappers/charset.h"
#include "mappers/hl7v2/lex.h"

#include "base/banned.h"

#define COUNT 200u
#define NOW_MS INT64_C(1795334400000) /* 2026-11-22 17:00 JST */

struct tally {
    unsigned messages, resources, results, consents;
    unsigned by_facility[DEMO_FACILITY_COUNT];
    struct buf control_ids; /* each followed by a line end */
    unsigned char chain[DIGEST_LEN];
    double a1c_first, a1c_last, inr_least, inr_most;
    unsigned pressures, warfarin, penicillin, deny_b, deny_btg;
};

static struct arena *arena;
static struct demo_person *people;

static int make(void **state)
{
    (void)state;
    arena = arena_new(64u * LIMIT_MIB);
    if (charset_init() != ERR_OK)
        return -1;
    return people_make(arena, 1, COUNT, NOW_MS, &people) == ERR_OK ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void chain(struct tally *t, struct slice bytes)
{
    struct buf both;

    buf_init(&both, LIMIT_MIB);
    buf_add(&both, slice_of(t->chain, DIGEST_LEN));
    buf_add(&both, bytes);
    digest_sha256(buf_slice(&both), t->chain);
    buf_fini(&both);
}

static double number(struct slice text)
{
    char copy[32];

    (void)snprintf(copy, sizeof(copy), "%.*s", SLICE_ARG(text));
    return strtod(copy, NULL);
}

static void look_at_result(struct tally *t, const struct hl7_message *m,
                           const struct hl7_segment *obx)
{
    struct slice code = hl7_value(m, obx, 3, 1);
    double value = number(hl7_value(m, obx, 5, 1));

    if (slice_is(code, "3D046000001906202")) {
        if (t->a1c_first == 0)
            t->a1c_first = value;
        t->a1c_last = value;
    }
    if (slice_is(code, "2B030000002231157")) {
        t->inr_least = t->inr_least == 0 || value < t->inr_least ? value : t->inr_least;
        t->inr_most = value > t->inr_most ? value : t->inr_most;
    }
}

static void look_at_message(struct tally *t, const struct demo_person *p,
                            const struct demo_document *d)
{
    struct arena *work = arena_new(4u * LIMIT_MIB);
    struct err_list errors;
    struct hl7_message *m = NULL;
    struct hl7_header header;
    struct when when;
    const struct hl7_segment *pid = NULL;

    err_list_init(&errors, work);
    if (hl7_lex(work, d->bytes, &errors, &m) != ERR_OK)
        fail_msg("%s: %s", errors.first->place, errors.first->en);
    assert_false(m->shift_left_open);
    for (size_t i = 0; i < d->bytes.len; i++)
        assert_true((unsigned char)d->bytes.ptr[i] < 0x80);
    assert_int_equal(slice_search(m->text, SLICE("■"), 0), m->text.len); /* all of it in the set */
    hl7_header_of(m, &header);
    assert_true(slice_is(header.sending_facility, demo_facilities[d->facility].code));
    assert_true(when_parse_hl7(hl7_field(hl7_find(m, "MSH", 1), 7), &when));
    assert_true(when.lo_ms <= NOW_MS);
    buf_add(&t->control_ids, header.control_id);
    buf_addc(&t->control_ids, '\n');
    pid = hl7_find(m, "PID", 1);
    assert_non_null(pid);
    assert_true(slice_is(hl7_value(m, pid, 3, 1), p->local[d->facility]));
    assert_true(slice_is(hl7_component(m, hl7_repeat(m, hl7_field(pid, 3), 1), 1), p->card));
    for (unsigned n = 1; hl7_find(m, "OBX", n); n++) {
        t->results++;
        look_at_result(t, m, hl7_find(m, "OBX", n));
    }
    t->warfarin += slice_search(m->text, SLICE("ワルファリン"), 0) < m->text.len;
    t->penicillin += slice_search(m->text, SLICE("ペニシリン"), 0) < m->text.len;
    arena_free(work);
}

static void look_at_resource(struct tally *t, const struct demo_person *p,
                             const struct demo_document *d)
{
    struct arena *work = arena_new(4u * LIMIT_MIB);
    struct json *root = NULL;
    struct json_fault fault;
    struct slice type;

    if (json_parse(work, d->bytes, &root, &fault) != ERR_OK)
        fail_msg("%s at %zu: %.*s", fault.en, fault.offset, SLICE_ARG(d->bytes));
    type = json_str(root, "resourceType");
    assert_true(type.len > 0);
    assert_true(slice_search(d->bytes, slice_str(p->card), 0) < d->bytes.len);
    t->consents += slice_is(type, "Consent");
    t->pressures += slice_search(d->bytes, SLICE("85354-9"), 0) < d->bytes.len;
    t->deny_b += slice_search(d->bytes, slice_str(demo_facilities[DEMO_HOSPITAL_B].code), 0) <
                     d->bytes.len &&
                 slice_search(d->bytes, SLICE("deny"), 0) < d->bytes.len;
    t->deny_btg += slice_search(d->bytes, SLICE("BTG"), 0) < d->bytes.len;
    arena_free(work);
}

static enum err look(void *context, const struct demo_person *p, const struct demo_document *d)
{
    struct tally *t = context;

    chain(t, d->bytes);
    t->by_facility[d->facility]++;
    if (d->kind == DEMO_HL7) {
        t->messages++;
        look_at_message(t, p, d);
    } else {
        t->resources++;
        look_at_resource(t, p, d);
    }
    return ERR_OK;
}

static void tell(struct tally *t, const struct demo_person *p)
{
    *t = (struct tally){0};
    buf_init(&t->control_ids, LIMIT_MIB);
    assert_int_equal(clinical_emit(p, NOW_MS, look, t), ERR_OK);
    buf_fini(&t->control_ids);
}

static void test_everyone(void **state)
{
    struct tally all = {0};
    struct arena *work = arena_new(16u * LIMIT_MIB);
    struct slice rest;
    const char **ids = NULL;
    size_t count = 0;

    (void)state;
    buf_init(&all.control_ids, 4u * LIMIT_MIB);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(clinical_emit(&people[i], NOW_MS, look, &all), ERR_OK);
    print_message("%u messages (%u results), %u resources, %u consents\n", all.messages,
                  all.results, all.resources, all.consents);
    assert_in_range(all.messages, COUNT * 8, COUNT * 40);
    assert_in_range(all.resources, COUNT * 5, COUNT * 40);
    assert_in_range(all.consents, COUNT * 88 / 100, COUNT);
    for (enum demo_facility f = DEMO_HOSPITAL_A; f < DEMO_FACILITY_COUNT; f++)
        if (f != DEMO_EMERGENCY_E && f != DEMO_OPERATOR)
            assert_true(all.by_facility[f] > 0);
    rest = buf_slice(&all.control_ids);
    ids = arena_array(work, all.messages, sizeof(*ids));
    while (rest.len > 0) {
        const char *id = arena_str(work, slice_cut(&rest, '\n'));

        assert_true(strlen(id) <= 20);
        for (size_t i = count > 60 ? count - 60 : 0; i < count; i++) /* neighbours: one person's */
            assert_string_not_equal(ids[i], id);
        ids[count++] = id;
    }
    assert_int_equal(count, all.messages);
    arena_free(work);
    buf_fini(&all.control_ids);
}

static void test_repeats(void **state)
{
    struct tally a, b;
    struct demo_person *other = NULL;

    (void)state;
    tell(&a, &people[17]);
    tell(&b, &people[17]);
    assert_memory_equal(a.chain, b.chain, DIGEST_LEN);
    assert_int_equal(people_make(arena, 9, COUNT, NOW_MS, &other), ERR_OK);
    tell(&b, &other[17]);
    assert_memory_not_equal(a.chain, b.chain, DIGEST_LEN);
}

static void test_stories(void **state)
{
    struct tally t;

    (void)state;
    tell(&t, &people[0]);
    assert_true(t.a1c_first > 8.0 && t.a1c_last < 7.8);
    assert_true(t.by_facility[DEMO_HOSPITAL_A] > 10 && t.by_facility[DEMO_HOSPITAL_B] > 5);
    assert_true(t.by_facility[DEMO_PHARMACY_P] > 1);
    tell(&t, &people[1]);
    assert_true(t.warfarin >= 5 && t.penicillin >= 2);
    assert_true(t.inr_least >= 1.2 && t.inr_most <= 4.0 && t.inr_most > t.inr_least);
    tell(&t, &people[2]);
    assert_int_equal(t.deny_b, 1);
    tell(&t, &people[3]);
    assert_int_equal(t.deny_btg, 1);
    assert_int_equal(t.consents, 2);
    tell(&t, &people[4]);
    assert_int_equal(t.pressures, 180);
}

static enum err stop(void *context, const struct demo_person *p, const struct demo_document *d)
{
    unsigned *calls = context;

    (void)p;
    (void)d;
    return ++*calls == 3 ? ERR_BUSY : ERR_OK;
}

static void test_stops_at_the_first_error(void **state)
{
    unsigned calls = 0;

    (void)state;
    assert_int_equal(clinical_emit(&people[0], NOW_MS, stop, &calls), ERR_BUSY);
    assert_int_equal(calls, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everyone),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_stops_at_the_first_error),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
