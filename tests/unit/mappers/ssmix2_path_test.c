/* SPDX-License-Identifier: Apache-2.0
 *
 * The SS-MIX2 folder rule part by part, paths that try to point elsewhere, agreement of path and
 * content, and the verdict on every file of the sample storage, whose folders deliberately hold
 * others' messages.
 */
#include "lib/t.h"

#include <ftw.h>

#include "base/limits.h"
#include "mappers/ssmix2/path.h"

#include "base/banned.h"

#define FOLDER "999/901/9999013/20111220/OML-11/"
#define GOOD FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1"

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

static const struct {
    const char *path;
    enum err err;
    const char *place; /* of the first finding; "" none */
    unsigned warnings;
} rows[] = {
    {GOOD, ERR_OK, "", 0},
    {"999/901/9999013/-/ADT-00/9999013_-_ADT-00_999999999999999_20111220224447339_-_1", ERR_OK, "",
     0},
    {"999/901/9999013/-/ADT-00/9999013_-_ADT-00_999999999999999_20111220224447339_-_0", ERR_OK, "",
     0},
    {"123/4/1234/-/ADT-00/1234_-_ADT-00_999999999999999_20111220224447339_-_2", ERR_OK, "", 0},
    {"aB3/456/aB3456789012345/-/ADT-00/"
     "aB3456789012345_-_ADT-00_999999999999999_20111220224447339_-_1",
     ERR_OK, "", 0},
    /* tolerated */
    {FOLDER "9999013_20111220_OML-11_2011122000300_20111220224447339_24_1", ERR_OK, "order-no", 1},
    {FOLDER "9999013_20111220_OML-11_000000011000354_201112201030590_01_1", ERR_OK, "sent-at", 1},
    {FOLDER "9999013_20111220_OML-11_1_2011122010305900_1_1", ERR_OK, "order-no", 3},
    /* shape */
    {"", ERR_INVALID, "path", 0},
    {"/", ERR_INVALID, "path", 0},
    {"/" GOOD, ERR_INVALID, "path", 0},
    {GOOD "/", ERR_INVALID, "path", 0},
    {"x/" GOOD, ERR_INVALID, "path", 0},
    {"901/9999013/20111220/OML-11/9999013_20111220_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "path", 0},
    {"999//9999013/20111220/OML-11/9999013_20111220_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "path", 0},
    {"../../../etc/passwd", ERR_INVALID, "path", 0},
    {"999/901/../20111220/OML-11/9999013_20111220_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "path", 0},
    {"999/901/./20111220/OML-11/._20111220_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "path", 0},
    {"999\\901/9999013/20111220/OML-11/x", ERR_INVALID, "path", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1.tmp", ERR_INVALID,
     "path", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1\n", ERR_INVALID, "path",
     0},
    {FOLDER "患者_20111220_OML-11_000000011000354_20111220103059000_01_1", ERR_INVALID, "path", 0},
    /* file name */
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01", ERR_INVALID, "file", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1_1", ERR_INVALID, "file",
     0},
    {FOLDER "9999013_20111220_OML-11__20111220103059000_01_1", ERR_INVALID, "file", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01_", ERR_INVALID, "file",
     0},
    {FOLDER "_9999013_20111220_OML-11_000000011000354_20111220103059000_1", ERR_INVALID, "file", 0},
    /* patient */
    {"999/901/9999014/20111220/OML-11/"
     "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "patient-id", 0},
    {"998/901/9999013/20111220/OML-11/"
     "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "patient-id", 0},
    {"999/902/9999013/20111220/OML-11/"
     "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "patient-id", 0},
    {"123/1/123/-/ADT-00/123_-_ADT-00_999999999999999_20111220224447339_-_1", ERR_INVALID,
     "patient-id", 0},
    {"123/456/1234567890123456/-/ADT-00/"
     "1234567890123456_-_ADT-00_999999999999999_20111220224447339_-_1",
     ERR_INVALID, "patient-id", 0},
    {"999/9-1/9999-13/-/ADT-00/9999-13_-_ADT-00_999999999999999_20111220224447339_-_1", ERR_INVALID,
     "patient-id", 0},
    /* the other parts */
    {FOLDER "9999013_20111221_OML-11_000000011000354_20111220103059000_01_1", ERR_INVALID,
     "care-date", 0},
    {"999/901/9999013/20111320/OML-11/"
     "9999013_20111320_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "care-date", 0},
    {"999/901/9999013/201112/OML-11/9999013_201112_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "care-date", 0},
    {"999/901/9999013/-/OML-11/9999013_-_OML-11_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "care-date", 0},
    {"999/901/9999013/20111220/ADT-00/"
     "9999013_20111220_ADT-00_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "care-date", 0},
    {FOLDER "9999013_20111220_OML-01_000000011000354_20111220103059000_01_1", ERR_INVALID, "kind",
     0},
    {"999/901/9999013/20111220/ORU-01/"
     "9999013_20111220_ORU-01_000000011000354_20111220103059000_01_1",
     ERR_INVALID, "kind", 0},
    {FOLDER "9999013_20111220_OML-11_0000000110003541_20111220103059000_01_1", ERR_INVALID,
     "order-no", 0},
    {FOLDER "9999013_20111220_OML-11_00000001100035A_20111220103059000_01_1", ERR_INVALID,
     "order-no", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059_01_1", ERR_INVALID, "sent-at",
     0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_201112201030590001_01_1", ERR_INVALID,
     "sent-at", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220253059000_01_1", ERR_INVALID,
     "sent-at", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_2011122010305900A_01_1", ERR_INVALID,
     "sent-at", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_012345_1", ERR_INVALID,
     "department", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_0-_1", ERR_INVALID,
     "department", 0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01_3", ERR_INVALID, "flag",
     0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01_10", ERR_INVALID, "flag",
     0},
    {FOLDER "9999013_20111220_OML-11_000000011000354_20111220103059000_01_-", ERR_INVALID, "flag",
     0},
};

static void judges_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct err_list errors;
        struct ssmix2_path path = {.flag = (enum ssmix2_flag)77};
        err_list_init(&errors, arena);
        enum err err = ssmix2_parse(slice_str(rows[i].path), &errors, &path);
        const char *place = errors.first ? errors.first->place : "";
        if (err != rows[i].err || strcmp(place, rows[i].place) != 0 ||
            errors.warnings != rows[i].warnings)
            fail_msg("%s: %s at %s, %u warnings", rows[i].path, err_name(err), place,
                     errors.warnings);
        if (err != ERR_OK)
            assert_int_equal(path.flag, 77); /* untouched */
        arena_free(arena);
    }
}

static void gives_the_parts(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct ssmix2_path path;
    (void)state;
    err_list_init(&errors, arena);
    assert_int_equal(ssmix2_parse(SLICE(GOOD), &errors, &path), ERR_OK);
    assert_slice(path.patient_id, "9999013");
    assert_slice(path.care_date, "20111220");
    assert_slice(path.kind, "OML-11");
    assert_slice(path.order_no, "000000011000354");
    assert_slice(path.sent_at, "20111220103059000");
    assert_slice(path.department, "01");
    assert_int_equal(path.flag, SSMIX2_VALID);
    arena_free(arena);
}

static void refuses_long_paths(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct ssmix2_path path;
    char text[LIMIT_SSMIX2_PATH + 1];
    (void)state;
    memset(text, '1', sizeof(text));
    err_list_init(&errors, arena);
    assert_int_equal(ssmix2_parse(slice_of(text, sizeof(text)), &errors, &path), ERR_INVALID);
    assert_non_null(strstr(errors.first->en, "too long"));
    arena_free(arena);
}

static void names_every_broken_part(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct ssmix2_path path;
    (void)state;
    err_list_init(&errors, arena);
    /* the misfiled file of the samples */
    struct slice text = SLICE("000/000/0000001/20000401/ADT-31/"
                              "9999013_20110630_OMP-11_123456789012345_20110701113813225_01_1");
    assert_int_equal(ssmix2_parse(text, &errors, &path), ERR_INVALID);
    assert_int_equal(errors.errors, 3);
    assert_string_equal(errors.first->place, "patient-id");
    assert_string_equal(errors.first->next->place, "kind");
    assert_string_equal(errors.last->place, "care-date");
    arena_free(arena);
}

static void compares_with_the_message(void **state)
{
    static const struct {
        const char *type, *pid;
        enum err err;
        const char *place;
    } cases[] = {
        {"OUL^R22^OUL_R22", "PID|||9999013^^^^PI", ERR_OK, ""},
        {"OUL^R22", "PID||| 9999013 ", ERR_OK, ""},
        {"OUL^R22", "PID|||5^^^^SS~9999013^^^^PI", ERR_OK, ""},
        {"OUL^R22", "PID|||9999013\rPID", ERR_OK, ""},
        {"OUL^R22", "PID|||12345678^^^^PI", ERR_PATIENT_MISMATCH, "PID[1]-3.1"},
        {"OUL^R22", "PID|||09999013", ERR_PATIENT_MISMATCH, "PID[1]-3.1"},
        {"OUL^R22", "PID|||9999013^^^^PI~8^^^^PI", ERR_PATIENT_MISMATCH, "PID[1]-3.1"},
        {"OUL^R22", "PID|||9999013^^^^SS", ERR_PATIENT_MISMATCH, "PID[1]-3.1"},
        {"OUL^R22", "PID|||", ERR_PATIENT_MISMATCH, "PID[1]-3.1"},
        {"OUL^R22", "PID|||9999013\rPID|||8", ERR_PATIENT_MISMATCH, "PID[2]-3.1"},
        {"OUL^R22", "NTE|1", ERR_PATIENT_MISMATCH, "PID[1]"},
        {"OML^O33", "PID|||9999013", ERR_INVALID, "MSH[1]-9"},
        {"", "PID|||9999013", ERR_INVALID, "MSH[1]-9"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct err_list errors;
        struct ssmix2_path path;
        struct hl7_message *m = NULL;
        err_list_init(&errors, arena);
        const char *text = arena_printf(arena, "MSH|^~\\&|A|B|C|D|2026||%s|ID|P|2.5\r%s\r",
                                        cases[i].type, cases[i].pid);
        assert_int_equal(hl7_lex(arena, slice_str(text), &errors, &m), ERR_OK);
        assert_int_equal(ssmix2_parse(SLICE(GOOD), &errors, &path), ERR_OK);
        enum err err = ssmix2_agree(&path, m, &errors);
        const char *place = errors.first ? errors.first->place : "";
        if (err != cases[i].err || strcmp(place, cases[i].place) != 0)
            fail_msg("case %zu: %s at %s", i, err_name(err), place);
        arena_free(arena);
    }
}

static void takes_the_cancel_message(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct ssmix2_path path;
    struct hl7_message *m = NULL;
    (void)state;
    err_list_init(&errors, arena);
    assert_int_equal(
        hl7_lex(arena, SLICE("MSH|^~\\&|A|B|C|D|2026||ADT^A23|1|P|2.5\rPID|||1234"), &errors, &m),
        ERR_OK);
    assert_int_equal(
        ssmix2_parse(
            SLICE("123/4/1234/-/ADT-00/1234_-_ADT-00_999999999999999_20111220224447339_-_0"),
            &errors, &path),
        ERR_OK);
    assert_int_equal(path.flag, SSMIX2_DELETED);
    assert_int_equal(ssmix2_agree(&path, m, &errors), ERR_OK);
    arena_free(arena);
}

static void lists_the_kinds(void **state)
{
    size_t kinds = 0;
    size_t messages = 0;
    (void)state;
    for (const struct ssmix2_kind *k = ssmix2_kinds; k->code; k++) {
        kinds++;
        messages += k->cancel ? 2 : 1;
        assert_true(k->ja[0] && strlen(k->insert) == 7 && k->care_date[0]);
        assert_true(strlen(k->code) <= 6);
    }
    assert_int_equal(messages, 36); /* the standard's 36 messages */
    assert_int_equal(kinds, 26);
}

/* ---- samples ---- */

static struct {
    unsigned filed, mismatched, refused, other;
    size_t root_len;
} counts;

static enum err verdict(struct arena *arena, const char *full, struct slice bytes)
{
    struct err_list errors;
    struct ssmix2_path path;
    struct hl7_message *m = NULL;
    err_list_init(&errors, arena);
    enum err err = ssmix2_parse(slice_str(full + counts.root_len + 1), &errors, &path);
    if (err == ERR_OK)
        err = hl7_lex(arena, bytes, &errors, &m);
    return err == ERR_OK ? ssmix2_agree(&path, m, &errors) : err;
}

static int visit(const char *full, const struct stat *info, int type, struct FTW *ftw)
{
    static char bytes[100000];
    (void)info;
    (void)ftw;
    if (type != FTW_F)
        return 0;
    FILE *file = fopen(full, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    struct arena *arena = arena_new(LIMIT_MIB);
    enum err err = verdict(arena, full, slice_of(bytes, len));
    counts.filed += err == ERR_OK;
    counts.mismatched += err == ERR_PATIENT_MISMATCH;
    counts.refused += err == ERR_INVALID;
    counts.other += err != ERR_OK && err != ERR_PATIENT_MISMATCH && err != ERR_INVALID;
    if (err == ERR_INVALID)
        assert_non_null(strstr(full, "000/000/0000001/20000401/ADT-31/"));
    if (strstr(full, "/0000001_")) /* folder of one patient, PID-3 of another */
        assert_int_equal(err, ERR_PATIENT_MISMATCH);
    arena_free(arena);
    return 0;
}

static void judges_the_samples(void **state)
{
    char root[4096];
    (void)state;
    memset(&counts, 0, sizeof(counts));
    if (!t_corpus("japan/ssmix2-nho-sample/sampleData", root, sizeof(root)))
        skip();
    counts.root_len = strlen(root);
    assert_int_equal(nftw(root, visit, 16, FTW_PHYS), 0);
    printf("ssmix2 samples: %u filed, %u of another patient, %u misfiled, %u failed\n",
           counts.filed, counts.mismatched, counts.refused, counts.other);
    assert_int_equal(counts.filed + counts.mismatched + counts.refused, 22);
    assert_int_equal(counts.refused, 1);
    assert_true(counts.mismatched >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_paths),
        cmocka_unit_test(gives_the_parts),
        cmocka_unit_test(refuses_long_paths),
        cmocka_unit_test(names_every_broken_part),
        cmocka_unit_test(compares_with_the_message),
        cmocka_unit_test(takes_the_cancel_message),
        cmocka_unit_test(lists_the_kinds),
        cmocka_unit_test(judges_the_samples),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
