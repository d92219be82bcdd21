/* SPDX-License-Identifier: Apache-2.0
 *
 * From every mapped resource back to the bytes and the segments: what its Provenance says, how many
 * there are, when they share one, and how they stay the same for the same bytes.
 */
#include "hl7_map_run.h"

#include "base/digest.h"
#include "mappers/charset.h"
#include "mappers/hl7v2/provenance.h"
#include "base/banned.h"

#define HEAD(type, id)                                                                             \
    "MSH|^~\\&|HIS|1319999999|GW|RCV|20261101101500||" type "|" id "|P|2.5||||||UNICODE UTF-8\r"
#define PID "PID|1||00012345^^^^PI||結城^花^^^^^L^I||19520314|F\r"
#define LAB                                                                                        \
    HEAD("ORU^R01^ORU_R01", "L1")                                                                  \
    PID "ORC|RE|ORD1\rOBR|1|ORD1||CH^生化学^99XYZ|||20261030090000|||||||||||||||||||F\r"       \
        "OBX|1|NM|A^甲^99XYZ||1||||||F\rOBX|2|NM|B^乙^99XYZ||2||||||F\r"

/* The Provenance that has TYPE among its targets, and which part of the segments it is. */
static const struct mapped_resource *about(const struct run *run, const char *type,
                                           unsigned *ret_part)
{
    for (const struct mapped_resource *r = run->mapped->first; r; r = r->next) {
        const struct json *list = json_get(r->resource, "target");

        *ret_part = 0;
        for (const struct json *t = r->like && list ? list->first : NULL; t; t = t->next) {
            if (slice_starts(json_str(t, "reference"), slice_str(type)))
                return r;
            (*ret_part)++;
        }
    }
    return NULL;
}

static struct slice segments_of(const struct mapped_resource *provenance, unsigned part)
{
    struct slice rest =
        json_str(json_path(provenance->resource, "extension", "0", NULL), "valueString");
    struct slice found = SLICE_NONE;

    for (unsigned i = 0; i <= part; i++)
        found = slice_cut(&rest, ';');
    return found;
}

static unsigned provenances(const struct run *run)
{
    unsigned n = 0;

    for (const struct mapped_resource *r = run->mapped->first; r; r = r->next)
        n += strcmp(r->type, "Provenance") == 0;
    return n;
}

static void leads_to_bytes_and_segments(void **state)
{
    static const struct {
        const char *type, *segments;
    } cases[] = {{"DiagnosticReport/", "4,3"},
                 {"Observation/", "5"},
                 {"ServiceRequest/", "3,4"},
                 {"Patient/", "2"}};
    unsigned char sha[DIGEST_LEN];
    struct buf hex;
    struct run run;
    unsigned part = 0;

    (void)state;
    run_message(SLICE(LAB), &run);
    assert_int_equal(run.err, ERR_OK);
    assert_int_equal(run_faults(&run), 0);
    digest_sha256(slice_trim(SLICE(LAB)), sha); /* the end of the last line is framing */
    buf_init(&hex, 2 * DIGEST_LEN);
    digest_hex(&hex, slice_of((const char *)sha, sizeof(sha)));
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        const struct mapped_resource *p = about(&run, cases[i].type, &part);
        const struct json *entity;

        assert_non_null(p);
        entity = json_path(p->resource, "entity", "0", NULL);
        assert_true(slice_is(json_str(entity, "role"), "source"));
        assert_true(slice_is(json_str(json_path(entity, "what", "identifier", NULL), "system"),
                             PROVENANCE_ORIGINAL));
        assert_true(slice_eq(json_str(json_path(entity, "what", "identifier", NULL), "value"),
                             buf_slice(&hex)));
        if (!slice_is(segments_of(p, part), cases[i].segments))
            fail_msg("%s is of segments %.*s", cases[i].type, SLICE_ARG(segments_of(p, part)));
        assert_true(slice_is(json_str(p->resource, "recorded"), "2026-11-01T10:15:00+09:00"));
        assert_true(slice_is(
            json_str(json_path(p->resource, "agent", "0", "who", "identifier", NULL), "value"),
            "1319999999"));
    }
    buf_fini(&hex);
    run_end(&run);
}

/* Results, report: one. Patient and order are mentioned on the side: one each, only written when
 * the resource is. */
static void is_one_for_a_group(void **state)
{
    const struct mapped_resource *report, *result, *patient;
    struct run run;
    unsigned part;

    (void)state;
    run_message(SLICE(LAB), &run);
    report = about(&run, "DiagnosticReport/", &part);
    result = about(&run, "Observation/", &part);
    patient = about(&run, "Patient/", &part);
    assert_ptr_equal(report, result);
    assert_ptr_not_equal(report, patient);
    assert_int_equal(provenances(&run), 3);
    assert_false(report->create_only);
    assert_true(slice_is(report->scope, "ORU^R01:ORD1:CH"));
    assert_true(patient->create_only);
    assert_true(slice_is(slice_str(patient->like->type), "Patient"));
    run_end(&run);
}

/* What is hidden from some (restricted) does not stand beside what is not. */
static void keeps_labels_apart(void **state)
{
    static const char text[] = HEAD("PPR^ZD1^PPR_ZD1", "P1") PID
        "PRB|AD|20261101|20054174^胃炎^MDCDX2|P1|||20261001\r"
        "PRB|AD|20261101|20071284^胃癌^MDCDX2|P2|||20261001||||||||||胃癌||||2^未告知^99XYZ\r";
    struct run run;
    unsigned conditions = 0;

    (void)state;
    run_message(slice_of(text, sizeof(text) - 1), &run);
    assert_int_equal(run_faults(&run), 0);
    for (const struct mapped_resource *r = run.mapped->first; r; r = r->next) {
        if (r->like && strcmp(r->like->type, "Condition") == 0) {
            assert_int_equal(json_get(r->resource, "target")->count, 1);
            conditions++;
        }
    }
    assert_int_equal(conditions, 2);
    run_end(&run);
}

static const char *id_of(const struct run *run, const char *type, char *into, size_t size)
{
    unsigned part;
    const struct mapped_resource *p = about(run, type, &part);

    snprintf(into, size, "%.*s", SLICE_ARG(json_str(p->resource, "id")));
    return into;
}

/* A correction is the next version of the same Provenance; a deletion takes it along. */
static void stays_with_what_it_is_about(void **state)
{
    static const char booked[] = HEAD("SIU^S12^SIU_S12", "S1") "SCH|AP1|||||||||30\r" PID;
    static const char deleted[] = HEAD("SIU^S17^SIU_S12", "S2") "SCH|AP1|||||||||30\r" PID;
    char first[40], second[40];
    struct run a, b;
    unsigned part;

    (void)state;
    run_message(slice_of(booked, sizeof(booked) - 1), &a);
    run_message(slice_of(deleted, sizeof(deleted) - 1), &b);
    assert_string_equal(id_of(&a, "Appointment/", first, sizeof(first)),
                        id_of(&b, "Appointment/", second, sizeof(second)));
    assert_false(about(&a, "Appointment/", &part)->remove);
    assert_true(about(&b, "Appointment/", &part)->remove);
    run_end(&a);
    run_end(&b);
}

static void is_the_same_for_the_same_bytes(void **state)
{
    struct run a, b;
    struct buf x, y;
    unsigned part;

    (void)state;
    run_message(SLICE(LAB), &a);
    run_message(SLICE(LAB), &b);
    buf_init(&x, 1 << 20);
    buf_init(&y, 1 << 20);
    json_print(&x, about(&a, "Observation/", &part)->resource);
    json_print(&y, about(&b, "Observation/", &part)->resource);
    assert_true(slice_eq(buf_slice(&x), buf_slice(&y)));
    printf("Provenance of a report and two results: %zu bytes before compression\n", x.len);
    buf_fini(&x);
    buf_fini(&y);
    run_end(&a);
    run_end(&b);
}

/* A clock in the future is not believed. */
static void does_not_record_the_future(void **state)
{
    static const char text[] =
        "MSH|^~\\&|HIS|1319999999|GW|RCV|29991231235959||ADT^A04^ADT_A01|F1|P|2.5||||||UNICODE "
        "UTF-8\r" PID;
    struct run run;
    unsigned part;

    (void)state;
    run_message(slice_of(text, sizeof(text) - 1), &run);
    assert_true(slice_is(json_str(about(&run, "Patient/", &part)->resource, "recorded"),
                         "2026-11-22T17:00:00.000+09:00"));
    run_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leads_to_bytes_and_segments),
        cmocka_unit_test(is_one_for_a_group),
        cmocka_unit_test(keeps_labels_apart),
        cmocka_unit_test(stays_with_what_it_is_about),
        cmocka_unit_test(is_the_same_for_the_same_bytes),
        cmocka_unit_test(does_not_record_the_future),
    };

    if (charset_init() != ERR_OK)
        return 1;
    return T_RUN(tests);
}
