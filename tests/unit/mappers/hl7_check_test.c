/* SPDX-License-Identifier: Apache-2.0
 *
 * hl7_check and hl7_kind: which gaps refuse a message, which are only warned about, and at what
 * place; and that the corpora's real messages are not refused for what real senders leave out.
 */
#include "lib/t.h"

#include <ftw.h>

#include "base/limits.h"
#include "mappers/hl7v2/check_table.h"
#include "mappers/hl7v2/map.h"

#include "base/banned.h"

#define HEAD "MSH|^~\\&|A|B|C|D|20260101120000||"
#define TAIL "||||||UNICODE UTF-8\rEVN||20260101\rPID|||77^^^^PI||N||19800101|M\rPV1||O"
#define LONG_ID                                                                                    \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"  \
    "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"  \
    "234567890123456789"

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

static const struct {
    const char *text;
    enum err err;
    const char *place; /* of the first error, else of the first warning, else "" */
    unsigned errors, warnings;
} rows[] = {
    {HEAD "ADT^A08|ID|P|2.5" TAIL, ERR_OK, "", 0, 0},
    {HEAD "ADT^A08|ID|T|2.3.1" TAIL, ERR_OK, "", 0, 0},
    {HEAD "ADT^A08|ID|D|2.8.2" TAIL, ERR_OK, "", 0, 0},
    {HEAD "ADT^A08|ID|P^T|2.5^JPN" TAIL, ERR_OK, "", 0, 0},
    {HEAD "|ID|P|2.5" TAIL, ERR_HEADER_MISSING, "MSH-9", 1, 0},
    {HEAD "\"\"|ID|P|2.5" TAIL, ERR_HEADER_MISSING, "MSH-9", 1, 0},
    {HEAD "ADTX^A08|ID|P|2.5" TAIL, ERR_HEADER_VALUE, "MSH-9.1", 1, 0},
    {HEAD "adt^A08|ID|P|2.5" TAIL, ERR_HEADER_VALUE, "MSH-9.1", 1, 0},
    {HEAD "ADT^A8|ID|P|2.5" TAIL, ERR_HEADER_VALUE, "MSH-9.2", 1, 0},
    {HEAD "ADT^A08||P|2.5" TAIL, ERR_HEADER_MISSING, "MSH-10", 1, 0},
    {HEAD "ADT^A08| |P|2.5" TAIL, ERR_HEADER_MISSING, "MSH-10", 1, 0},
    {HEAD "ADT^A08|" LONG_ID "|P|2.5" TAIL, ERR_HEADER_VALUE, "MSH-10", 1, 0},
    {HEAD "ADT^A08|ID||2.5" TAIL, ERR_HEADER_MISSING, "MSH-11", 1, 0},
    {HEAD "ADT^A08|ID|X|2.5" TAIL, ERR_PROCESSING_ID, "MSH-11", 1, 0},
    {HEAD "ADT^A08|ID|P|" TAIL, ERR_HEADER_MISSING, "MSH-12", 1, 0},
    {HEAD "ADT^A08|ID|P|1.0" TAIL, ERR_VERSION, "MSH-12", 1, 0},
    {HEAD "ADT^A08|ID|P|2.9" TAIL, ERR_VERSION, "MSH-12", 1, 0},
    {HEAD "ADT^A08|ID|P|2.0" TAIL, ERR_VERSION, "MSH-12", 1, 0},
    {HEAD "ADT^A08|ID|P|2.5.1.1" TAIL, ERR_VERSION, "MSH-12", 1, 0},
    {HEAD "ADT^A08|ID|P|25" TAIL, ERR_VERSION, "MSH-12", 1, 0},
    {HEAD "|||" TAIL, ERR_HEADER_MISSING, "MSH-9", 4, 0},
    /* time: warned about */
    {"MSH|^~\\&|A|B|C|D|||ADT^A08|ID|P|2.5" TAIL, ERR_OK, "MSH-7", 0, 1},
    {"MSH|^~\\&|A|B|C|D|20261399||ADT^A08|ID|P|2.5" TAIL, ERR_OK, "MSH-7", 0, 1},
    {"MSH|^~\\&|A|B|C|D|20111220224447.3399||ADT^A08|ID|P|2.5" TAIL, ERR_OK, "", 0, 0},
    /* patient */
    {HEAD "ADT^A08|ID|P|2.5||||||ASCII\rEVN||2026", ERR_REQUIRED, "PID[1]", 1, 0},
    {HEAD "ORU^R01|ID|P|2.5||||||ASCII", ERR_REQUIRED, "PID[1]", 1, 0},
    {HEAD "MFN^M02|ID|P|2.5||||||ASCII", ERR_OK, "", 0, 0},
    {HEAD "ACK|ID|P|2.5||||||ASCII\rMSA|AA|1", ERR_OK, "", 0, 0},
    {HEAD "SIU^S12|ID|P|2.5||||||ASCII\rPID|||||N||1980|M", ERR_REQUIRED, "PID[1]-3", 1, 0},
    {HEAD "ADT^A08|ID|P|2.5||||||ASCII\rPID|||^^^^PI||N||1980|M", ERR_REQUIRED, "PID[1]-3", 1, 0},
    {HEAD "ADT^A08|ID|P|2.5||||||ASCII\rPID|||\"\"||N||1980|M", ERR_REQUIRED, "PID[1]-3", 1, 0},
    {HEAD "ADT^A08|ID|P|2.5||||||ASCII\rPID|||~77||N||1980|M", ERR_OK, "", 0, 0},
    {HEAD "ADT^A08|ID|P|2.5||||||ASCII\rPID|||77||N||1980|M\rPID|2||||N||1980|M", ERR_REQUIRED,
     "PID[2]-3", 1, 0},
    {HEAD "ADT^A08|ID|P|2.5||||||ASCII\rPID", ERR_REQUIRED, "PID[1]-3", 1, 3},
    {HEAD "ADT^A08|ID|P|2.5||||||ASCII\rPID|||77||N||1980|M\rPID", ERR_OK, "PID[2]-5", 0, 3},
    /* tables: warned about, once a rule */
    {HEAD "ADT^A08|ID|P|2.5" TAIL "\rZZZ|1\rZZZ|2\rQQQ", ERR_OK, "ZZZ[1]", 0, 2},
    {HEAD "ADT^A08|ID|P|2.5" TAIL "\rOBX|1||c||||||||F\rOBX|2\rOBX|3||c", ERR_OK, "OBX[2]-3", 0, 2},
    {HEAD "RDE^O11|ID|P|2.5||||||ASCII\rPID|||77||N||1980|M\rORC|NW|1", ERR_OK, "ORC[1]-4", 0, 1},
    {HEAD "OML^O33|ID|P|2.5||||||ASCII\rPID|||77||N||1980|M\rORC|NW|1", ERR_OK, "", 0, 0},
};

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct err_list errors;
        struct hl7_message *m = NULL;
        err_list_init(&errors, arena);
        assert_int_equal(hl7_lex(arena, slice_str(rows[i].text), &errors, &m), ERR_OK);
        enum err err = hl7_check(m, &errors);
        const char *place = errors.first ? errors.first->place : "";
        if (err != rows[i].err || strcmp(place, rows[i].place) != 0 ||
            errors.errors != rows[i].errors || errors.warnings != rows[i].warnings)
            fail_msg("row %zu: %s at %s, %u errors, %u warnings", i, err_name(err), place,
                     errors.errors, errors.warnings);
        for (const struct err_item *e = errors.first; e; e = e->next)
            assert_true(e->en[0] != '\0' && e->ja[0] != '\0');
        arena_free(arena);
    }
}

static void keeps_errors_before_warnings(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct hl7_message *m = NULL;
    struct buf b;
    (void)state;
    buf_init(&b, LIMIT_MIB);
    buf_adds(&b, HEAD "ADT^A08|ID|P|9.9");
    for (int i = 0; i < 100; i++)
        buf_addf(&b, "\rZ%c%c", 'A' + i / 10, '0' + i % 10);
    err_list_init(&errors, arena);
    assert_int_equal(hl7_lex(arena, buf_slice(&b), &errors, &m), ERR_OK);
    assert_int_equal(hl7_check(m, &errors), ERR_VERSION);
    assert_string_equal(errors.first->place, "MSH-12");
    assert_int_equal(errors.errors, 2);
    assert_int_equal(errors.warnings, 98); /* ZE1 ZE2 ZI1 are known; MSH-18 is missing */
    buf_fini(&b);
    arena_free(arena);
}

static void tells_the_kind(void **state)
{
    static const struct {
        const char *text, *kind;
    } kinds[] = {
        {HEAD "ADT^A08^ADT_A01|ID|P|2.5", "ADT^A08"},
        {HEAD "ACK|ID|P|2.5", "ACK^"},
        {HEAD "OMG^O19|ID|P|2.5\rORC|NW|123^H\rOBR||9\rORC|NW|5", "OMG^O19 123^H"},
        {HEAD "OUL^R22|ID|P|2.5\rOBR||9\rORC|SC", "OUL^R22 9"},
        {HEAD "ORU^R01|ID|P|2.5\rOBR|1", "ORU^R01"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(kinds); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct err_list errors;
        struct hl7_message *m = NULL;
        err_list_init(&errors, arena);
        assert_int_equal(hl7_lex(arena, slice_str(kinds[i].text), &errors, &m), ERR_OK);
        assert_slice(hl7_kind(m), kinds[i].kind);
        arena_free(arena);
    }
}

static void tables_are_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; check_segments[i]; i++) {
        assert_int_equal(strlen(check_segments[i]), 3);
        assert_true(i == 0 || strcmp(check_segments[i - 1], check_segments[i]) < 0);
    }
    for (const struct check_field *f = check_fields; f->segment; f++) {
        assert_true(f->field > 0 && f->en[0] && f->ja[0]);
        assert_true(!f->message || strlen(f->message) == 7);
    }
}

/* ---- corpora ---- */

static struct {
    unsigned passed, warned, refused, not_lexed;
} counts;

static int visit(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type != FTW_F)
        return 0;
    size_t len = (size_t)info->st_size;
    char *bytes = malloc(len ? len : 1);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, len, file), len);
    fclose(file);
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct err_list errors;
    struct hl7_message *m = NULL;
    err_list_init(&errors, arena);
    if (hl7_lex(arena, slice_of(bytes, len), &errors, &m) != ERR_OK) {
        counts.not_lexed++;
    } else if (hl7_check(m, &errors) != ERR_OK) {
        counts.refused++;
        assert_true(errors.errors > 0);
    } else {
        counts.passed++;
        counts.warned += errors.warnings > 0;
        assert_true(hl7_kind(m).len >= 4);
    }
    arena_free(arena);
    free(bytes);
    return 0;
}

static bool walk(const char *name)
{
    char path[4096];
    memset(&counts, 0, sizeof(counts));
    if (!t_corpus(name, path, sizeof(path)))
        return false;
    assert_int_equal(nftw(path, visit, 16, FTW_PHYS), 0);
    printf("%s: %u passed (%u with warnings), %u refused, %u no messages\n", name, counts.passed,
           counts.warned, counts.refused, counts.not_lexed);
    return true;
}

static void does_not_refuse_real_messages(void **state)
{
    (void)state;
    if (!walk("japan/ssmix2-nho-sample/sampleData"))
        skip();
    assert_int_equal(counts.passed, 21);
    assert_int_equal(counts.refused, 0);
    assert_true(walk("hl7v2/ms-inputs"));
    assert_true(walk("hl7v2/corpus"));
    assert_true(walk("japan/pcd01-ipf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(keeps_errors_before_warnings),
        cmocka_unit_test(tells_the_kind),
        cmocka_unit_test(tables_are_in_order),
        cmocka_unit_test(does_not_refuse_real_messages),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
