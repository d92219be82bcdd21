/* SPDX-License-Identifier: Apache-2.0
 *
 * The extended storage: paths with '^' and kanji, composed or not, with and without department;
 * paths that try to point elsewhere; documents of another patient; what becomes of a file.
 */
#include "hl7_map_run.h"

#include "mappers/ssmix2/extended.h"

#include "base/banned.h"

#define KIND "L1^サマリー^99ZL01^18842-5^退院時サマリー^LN"
#define DAY "999/901/9999013/20111220/"
#define CONTENT(kind) "9999013_20111220_" kind "_0001_20111220103059000_01_1"
#define GOOD DAY KIND "/" CONTENT(KIND) "/main_document.hl7"

static const struct {
    const char *path;
    enum err err;
    const char *place, *key, *department;
    enum ssmix2_flag flag;
} rows[] = {
    {GOOD, ERR_OK, "", "0001", "01", SSMIX2_VALID},
    {DAY "L^O^99/9999013_20111220_L_A_B_20111220_20111220103059000_01_0/a.xml", ERR_OK, "",
     "20111220", "01", SSMIX2_DELETED},
    {DAY "L^O^99/9999013_20111220_L_20111220_201112201030590_2/a.xml", ERR_OK, "", "20111220", "",
     SSMIX2_OLD},
    {"999/901/9999013/-/L/9999013_-_L_1_20111220103059000_-_1/sub/b.pdf", ERR_OK, "", "1", "-",
     SSMIX2_VALID},
    {"999/901/9999013/20111220/L/9999013_20111220_L_1_20111220103059000_-_3/b", ERR_INVALID, "flag",
     "", "", 0},
    {"999/901/9999013/20111220/L/9999014_20111220_L_1_20111220103059000_-_1/b", ERR_INVALID,
     "patient-id", "", "", 0},
    {"999/901/9999013/20111220/L/9999013_20111221_L_1_20111220103059000_-_1/b", ERR_INVALID,
     "care-date", "", "", 0},
    {"999/902/9999013/20111220/L/9999013_20111220_L_1_20111220103059000_-_1/b", ERR_INVALID,
     "patient-id", "", "", 0},
    {"999/901/9999013/20111220/L/9999013_20111220_L_1_x_-_1/b", ERR_INVALID, "sent-at", "", "", 0},
    {"999/901/9999013/20111320/L/9999013_20111320_L_1_20111220103059000_-_1/b", ERR_INVALID,
     "care-date", "", "", 0},
    {"999/901/9999013/20111220/a^b^c^d^e^f^g/9999013_20111220_a_1_20111220103059000_-_1/b",
     ERR_INVALID, "kind", "", "", 0},
    {"999/901/9999013/20111220/L", ERR_INVALID, "path", "", "", 0},
    {"../../../etc/passwd/a/b/c", ERR_INVALID, "patient-id", "", "", 0},
    {DAY "L/9999013_20111220_L_1_20111220103059000_-_1/\xFF", ERR_INVALID, "path", "", "", 0},
    {DAY "L/9999013_20111220_L_1_20111220103059000_-_1/a\\b", ERR_INVALID, "path", "", "", 0},
};

static void test_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct err_list errors;
        struct extended_path p = {0};

        err_list_init(&errors, arena);
        enum err err = extended_parse(arena, slice_str(rows[i].path), &errors, &p);
        const char *place = errors.first ? errors.first->place : "";
        if (err != rows[i].err || strcmp(place, rows[i].place) != 0)
            fail_msg("%s: %s at %s", rows[i].path, err_name(err), place);
        if (err == ERR_OK && (!slice_is(p.key, rows[i].key) || p.flag != rows[i].flag ||
                              !slice_is(p.department, rows[i].department)))
            fail_msg("%s: key %.*s department %.*s", rows[i].path, SLICE_ARG(p.key),
                     SLICE_ARG(p.department));
        arena_free(arena);
    }
}

static const struct {
    const char *apart, *whole;
} compositions[] = {
    {"カ\xE3\x82\x99ス", "ガス"},
    {"は\xE3\x82\x9Aは\xE3\x82\x99", "ぱば"},
    {"ホ\xE3\x82\x9Aツ\xE3\x82\x99ト\xE3\x82\x99", "ポヅド"},
    {"ウ\xE3\x82\x99", "ヴ"},
    {"あ\xE3\x82\x99", "あ\xE3\x82\x99"},
    {"\xE3\x82\x99", "\xE3\x82\x99"},
    {"病名abc", "病名abc"},
};

static void test_composition(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(compositions); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        assert_slice(extended_compose(arena, slice_str(compositions[i].apart)),
                     compositions[i].whole);
        arena_free(arena);
    }
}

#define CDA(id)                                                                                    \
    "<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\"><recordTarget>"             \
    "<patientRole><id root=\"1\" extension=\"" id "\"/></patientRole></recordTarget>"              \
    "</ClinicalDocument>"

static enum err map(struct arena *arena, const char *path, const char *bytes,
                    struct mapped **ret_mapped)
{
    static const struct mapper_env env = {
        .facility_code = {"1319999999", 10}, .facility_name = {"x", 1}, .now_ms = INT64_C(1795334400000), .id_of = run_id_of};
    struct extended_path p = {0};
    struct err_list errors;

    err_list_init(&errors, arena);
    assert_int_equal(extended_parse(arena, slice_str(path), &errors, &p), ERR_OK);
    return extended_map(arena, &p, slice_str(bytes), &env, &errors, ret_mapped);
}

static void test_documents(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct mapped *m = NULL, *other = NULL;

    (void)state;
    assert_int_equal(map(arena, GOOD, CDA("9999013"), &m), ERR_OK);
    assert_int_equal(m->count, 3);
    assert_slice(m->patient.local_no, "9999013");
    const struct json *reference = m->first->resource, *binary = m->first->next->resource;
    const struct json *type = json_get(reference, "type");
    assert_slice(json_str(json_path(type, "coding", "0", NULL), "code"), "18842-5");
    assert_slice(json_str(json_path(type, "coding", "0", NULL), "system"), "http://loinc.org");
    assert_slice(json_str(type, "text"), "サマリー");
    assert_slice(json_str(binary, "contentType"), "text/xml");
    assert_slice(json_str(reference, "status"), "current");
    assert_int_equal(map(arena, DAY KIND "/" CONTENT(KIND) "/検査.pdf", "%PDF", &other), ERR_OK);
    const struct json *target = json_path(other->first->resource, "relatesTo", "0", "target", NULL);
    assert_true(json_equal(json_get(target, "identifier"), json_get(reference, "masterIdentifier")));
    assert_slice(json_str(json_get(other->first->resource, "masterIdentifier"), "value"),
                 CONTENT(KIND) "/検査.pdf");
    assert_int_equal(map(arena, GOOD, CDA("9999014"), &m), ERR_PATIENT_MISMATCH);
    assert_int_equal(map(arena, GOOD, "<!DOCTYPE x><x/>", &m), ERR_MALFORMED);
    arena_free(arena);
}

/* Decision 0023: whose, when, of what kind, which bytes. */
static void test_what_is_said(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct mapped *m = NULL;
    /* "abc": the vectors of FIPS 180 */
    static const char path[] = DAY KIND "/" CONTENT(KIND) "/カ\xE3\x82\x99ス.pdf";

    (void)state;
    assert_int_equal(map(arena, path, "abc", &m), ERR_OK);
    const struct json *reference = m->first->resource, *provenance = m->last->resource;
    const struct json *attachment = json_path(reference, "content", "0", "attachment", NULL);
    const struct json *what = json_path(provenance, "entity", "0", "what", NULL);
    assert_slice(json_str(json_get(reference, "subject"), "reference"), "Patient/@");
    assert_slice(json_str(reference, "date"), "2011-12-20T10:30:59+09:00");
    assert_slice(json_str(json_path(reference, "context", "period", NULL), "start"), "2011-12-20");
    assert_slice(json_str(json_path(reference, "context", "related", "0", "identifier", NULL), "value"),
                 "0001");
    assert_slice(json_str(json_path(reference, "custodian", "identifier", NULL), "value"), "1319999999");
    assert_slice(json_str(attachment, "title"), "ガス.pdf");
    assert_slice(json_str(attachment, "hash"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    assert_slice(json_get(attachment, "size")->text, "3");
    assert_slice(json_str(json_get(what, "identifier"), "value"),
                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_slice(json_str(what, "display"), path);
    assert_true(m->last->like == m->first);
    assert_slice(json_str(provenance, "recorded"), "2011-12-20T10:30:59+09:00");
    arena_free(arena);
}

/* The same folder and file, composed or not, is the same document. */
static void test_one_id_for_both_forms(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct mapped *composed = NULL, *apart = NULL;

    (void)state;
    assert_int_equal(map(arena, DAY "L^ガス^99/9999013_20111220_L^ガス^99_1_20111220103059000_01_1/ガ.pdf", "x",
                         &composed),
                     ERR_OK);
    assert_int_equal(map(arena,
                         DAY "L^カ\xE3\x82\x99ス^99/9999013_20111220_L^カ\xE3\x82\x99ス"
                             "^99_1_20111220103059000_01_1/カ\xE3\x82\x99.pdf",
                         "x", &apart),
                     ERR_OK);
    assert_true(slice_eq(json_str(composed->first->resource, "id"),
                         json_str(apart->first->resource, "id")));
    assert_true(json_equal(composed->first->resource, apart->first->resource));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_composition),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_what_is_said),
        cmocka_unit_test(test_one_id_for_both_forms),
    };
    return T_RUN(tests);
}
