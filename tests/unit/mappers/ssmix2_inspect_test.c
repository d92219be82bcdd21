/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks of a standard storage: each on a file that is right and on one that breaks exactly
 * it; patterns of segments; the character set byte by byte; the sample storage as a whole.
 */
#include "lib/t.h"

#include <ftw.h>

#include "base/limits.h"
#include "mappers/hl7v2/explain.h"
#include "mappers/ssmix2/inspect.h"
#include "mappers/ssmix2/jis.h"
#include "mappers/ssmix2/order.h"
#include "mappers/ssmix2/rule.h"

#include "base/banned.h"

#define AT "999/901/9999013/20111220/"
#define LAB AT "OML-11/9999013_20111220_OML-11_000000011000354_20111220103059000_01_1"
#define RX AT "OMP-01/9999013_20111220_OMP-01_000000011000185_20111220103059000_01_1"
#define MSH(type) "MSH|^~\\&|A|B|GW|D|20111220103059||" type "|1|P|2.5||||||~ISO IR87||ISO 2022-1994\r"
#define PID "PID|0001||9999013^^^^PI||K^T^^^^^L^P||19800101|M\r"
#define SPM "SPM|1|||023^S^JC10|||||||||||||201112200900\r"
#define OBR "OBR||000000011000354||E001^X^99X|||201112200900\r"
#define OBX "OBX|1|NM|3A010000002327101^TP^JC10||7.2|g/dl|||||F\r"
#define LAB_TEXT MSH("OUL^R22^OUL_R22") PID "PV1|1|O\r" SPM OBR "ORC|SC|000000011000354\r" OBX
#define RX_TEXT                                                                                    \
    MSH("RDE^O11^RDE_O11")                                                                         \
    PID "PV1|1|O\rORC|NW|000000011000185||1|||||20111220\r"                                        \
        "RXE||1^A^HOT9|1||TAB^T^MR9P|||||15|TAB^T^MR9P\rTQ1|1\rRXR|PO^P^HL70162\r"

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

static const struct {
    const char *path, *text;
    unsigned failed, warned; /* bits of the checks with errors, with warnings only */
    const char *place;       /* of the first finding; "" none */
} rows[] = {
    {LAB, LAB_TEXT, 0, 0, ""},
    {RX, RX_TEXT, 0, 0, ""},
    /* path */
    {AT "OML-01/9999013_20111220_OML-11_000000011000354_20111220103059000_01_1", LAB_TEXT,
     1u << INSPECT_PATH, 0, "kind"},
    /* JIS */
    {LAB, MSH("OUL^R22") PID "PV1|1|O\r" SPM OBR "OBX|1|ST|1^\xE6\x97\xA5^JC10||x||||||F\r",
     1u << INSPECT_JIS | 1u << INSPECT_INTAKE, 0, "OBX[1]-3"},
    /* care date: another day, no day */
    {LAB, MSH("OUL^R22") PID "SPM|1|||023^S^JC10|||||||||||||201112210900\r" OBR OBX,
     1u << INSPECT_DATE, 0, "SPM[1]-17"},
    {LAB, MSH("OUL^R22") PID "SPM|1|||023^S^JC10\r" OBR OBX, 0, 1u << INSPECT_DATE, "SPM-17"},
    /* required: of all, of this kind, and what only this kind may leave out */
    {LAB, MSH("OUL^R22") "PID|0001||9999013^^^^PI||||19800101|M\r" SPM OBR OBX,
     1u << INSPECT_REQUIRED, 0, "PID[1]-5"},
    {LAB, MSH("OUL^R22") PID SPM "OBR||||E001^X^99X\r" OBX, 1u << INSPECT_REQUIRED, 0, "OBR[1]-2"},
    {LAB, MSH("OUL^R22") PID SPM OBR "OBX|1|NM|1^TP^JC10||||||||F\r", 0, 1u << INSPECT_REQUIRED,
     "OBX[1]-5"},
    {LAB, MSH("OUL^R22") PID SPM OBR "OBX|1||1^TP^JC10||||||||X\r", 0, 0, ""},
    {RX, MSH("RDE^O11") PID "PV1|1|O\rORC|NW|11||1|||||20111220\rRXE||1^A^HOT9|1||T\rTQ1|1\rRXR|PO\r",
     1u << INSPECT_REQUIRED, 0, "RXE[1]-10"},
    /* numbers: a field, a component, a result */
    {RX,
     MSH("RDE^O11") PID "PV1|1|O\rORC|NW|11||1|||||20111220\r"
                        "RXE||1^A^HOT9|one||T|||||15|T\rTQ1|1\rRXR|PO\r",
     1u << INSPECT_NUMERIC, 0, "RXE[1]-3"},
    {RX,
     MSH("RDE^O11") PID "PV1|1|O\rORC|NW|11||1|||||20111220\r"
                        "RXE||1^A^HOT9|1||T|||||15|T\rTQ1|1|||||5d^d\rRXR|PO\r",
     1u << INSPECT_NUMERIC, 0, "TQ1[1]-6.1"},
    {LAB, MSH("OUL^R22") PID SPM OBR "OBX|1|NM|1^TP^JC10||> 100||||||F\r", 1u << INSPECT_NUMERIC, 0,
     "OBX[1]-5"},
    {LAB, MSH("OUL^R22") PID SPM OBR "OBX|1|ST|1^TP^JC10||> 100||||||F\r", 0, 0, ""},
    {LAB, MSH("OUL^R22") PID SPM OBR "OBX|1|NM|1^TP^JC10||-.5||||||F\r", 0, 0, ""},
    /* order: out of place, too short, a sender's own */
    {LAB, MSH("OUL^R22") PID OBR SPM OBX, 1u << INSPECT_ORDER, 0, "OBR[1]"},
    {LAB, MSH("OUL^R22") PID SPM, 1u << INSPECT_ORDER, 0, "SPM[1]"},
    {LAB, MSH("OUL^R22") PID "ZXX|1\r" SPM OBR OBX "ZYY|2\r", 0, 0, ""},
    /* fields beyond the standard's */
    {LAB, MSH("OUL^R22") PID SPM "OBR||11||E^X^9" "||||||||||||||||||||||||||||||||||||||||||||||" "x\r" OBX, 0,
     1u << INSPECT_FIELDS, "OBR[1]-50"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
        struct inspection in;
        unsigned failed = 0, warned = 0;
        const char *place = "";

        inspect_file(arena, slice_str(rows[i].path), slice_str(rows[i].text), &in);
        for (unsigned c = 0; c < INSPECT_CHECKS; c++) {
            failed |= (unsigned)(in.found[c].errors > 0) << c;
            warned |= (unsigned)(in.found[c].errors == 0 && in.found[c].warnings > 0) << c;
            if (in.found[c].first && !*place)
                place = in.found[c].first->place;
        }
        if (failed != rows[i].failed || warned != rows[i].warned ||
            strcmp(place, rows[i].place) != 0)
            fail_msg("row %zu: failed %x, warned %x at %s", i, failed, warned, place);
        arena_free(arena);
    }
}

/* ---- patterns ---- */

static const struct {
    const char *pattern, *names;
    size_t bad; /* index; count: too early; count + 1: right */
} orders[] = {
    {"AAA", "AAA", 2},
    {"AAA", "AAA AAA", 1},
    {"AAA BBB?", "AAA", 2},
    {"AAA BBB? CCC", "AAA CCC", 3},
    {"AAA BBB", "AAA", 1},
    {"AAA ( BBB CCC* )+ DDD?", "AAA BBB CCC CCC BBB DDD", 7},
    {"AAA ( BBB CCC* )+ DDD?", "AAA CCC", 1},
    {"AAA ( BBB | CCC )* DDD", "AAA CCC BBB DDD", 5},
    {"AAA ( BBB? CCC? )* DDD", "AAA CCC BBB BBB DDD", 6},
    {"AAA? BBB* ( CCC )", "CCC", 2},
    {"AAA ( BBB ( CCC DDD )? )+", "AAA BBB BBB CCC DDD BBB", 7},
    {"AAA ( BBB ( CCC DDD )? )+", "AAA BBB CCC BBB", 3},
};

static void test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct order *order = order_read(arena, orders[i].pattern);
        struct slice names[16], rest = slice_str(orders[i].names);
        size_t count = 0;

        while (rest.ptr)
            names[count++] = slice_cut(&rest, ' ');
        size_t bad = order_match(order, names, count);
        if (bad != orders[i].bad)
            fail_msg("%s on %s: %zu", orders[i].pattern, orders[i].names, bad);
        arena_free(arena);
    }
}

/* Every pattern of the table is well-formed and knows MSH and PID. */
static void test_all_patterns(void **state)
{
    (void)state;
    for (const struct rule_order *o = rule_orders; o->message; o++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct order *order = order_read(arena, o->pattern);
        assert_non_null(order);
        assert_true(order_knows(order, SLICE("MSH")));
        assert_true(order_knows(order, SLICE("PID")));
        arena_free(arena);
    }
    for (const struct ssmix2_kind *k = ssmix2_kinds; k->code; k++) {
        bool found = false, cancelled = !k->cancel;
        for (const struct rule_order *o = rule_orders; o->message; o++) {
            found = found || strcmp(o->message, k->insert) == 0;
            cancelled = cancelled || strcmp(o->message, k->cancel) == 0;
        }
        assert_true(found && cancelled);
    }
}

/* ---- characters ---- */

static const struct {
    const char *bytes;
    unsigned errors, warnings;
} texts[] = {
    {"MSH|^~\\&|A", 0, 0},
    {MSH("ADT^A08") "PID|\x1B$B46<T\x1B(B", 0, 0},
    {MSH("ADT^A08") "PID|\x1B$@46<T\x1B(J", 0, 1},
    {"MSH|^~\\&|A|B|GW|D|20111220103059||ADT^A08|1|P|2.5\rPID|\x1B$B46\x1B(B", 1, 0}, /* not named */
    {MSH("ADT^A08") "PID|\x1B$B46<T", 1, 0},                /* left open */
    {MSH("ADT^A08") "PID|\x1B$B46\rPV1|1", 1, 0},
    {MSH("ADT^A08") "PID|\x1B$B-!\x1B(B", 1, 0},            /* NEC row 13 */
    {MSH("ADT^A08") "PID|\x1B(I6\x1B(B", 1, 0},             /* half-width kana */
    {MSH("ADT^A08") "PID|\xB6", 1, 0},
    {MSH("ADT^A08") "PID|\x1B$Bt'\x1B(B", 1, 0},            /* 84-07 */
    {MSH("ADT^A08") "PID|\x1B$Bt&\x1B(B", 0, 0},            /* 84-06 */
    {MSH("ADT^A08") "PID|\x1B$B4\x1B(B", 1, 0},             /* half a character */
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct err_list found;

        err_list_init(&found, arena);
        jis_check(arena, slice_str(texts[i].bytes), &found);
        if (found.errors != texts[i].errors || found.warnings != texts[i].warnings)
            fail_msg("text %zu: %u errors, %u warnings", i, found.errors, found.warnings);
        arena_free(arena);
    }
}

/* ---- names ---- */

static const struct {
    const char *place, *en, *ja;
} places[] = {
    {"OBX[3]-5.1", "Observation/Result: Observation Value", "検査結果: 検査値"},
    {"PV1-44", "Patient Visit: Admit Date/Time", "来院情報: 入院日時"},
    {"PID[1]", "Patient Identification", "患者基本情報"},
    {"MSH", "Message Header", "メッセージヘッダ"},
    {"PID[1]-999", "Patient Identification", "患者基本情報"},
    {"patient-id", "", ""},
    {"line 3", "", ""},
    {"", "", ""},
};

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct slice en, ja;

        explain_place(arena, slice_str(places[i].place), &en, &ja);
        if (!slice_is(en, places[i].en) || !slice_is(ja, places[i].ja))
            fail_msg("%s: %.*s, %.*s", places[i].place, SLICE_ARG(en), SLICE_ARG(ja));
        arena_free(arena);
    }
}

/* ---- the sample storage ---- */

static struct {
    unsigned files, failed[INSPECT_CHECKS];
    size_t root_len;
} sample;

static int inspect_sample(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    static char bytes[64 * 1024];
    FILE *file = flag == FTW_F ? fopen(path, "rb") : NULL;
    struct arena *arena;
    struct inspection in;

    (void)info;
    (void)where;
    if (!file)
        return 0;
    size_t n = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    arena = arena_new(LIMIT_ARENA_REQUEST);
    inspect_file(arena, slice_str(path + sample.root_len), slice_of(bytes, n), &in);
    sample.files++;
    for (unsigned c = 0; c < INSPECT_CHECKS; c++)
        sample.failed[c] += in.found[c].errors > 0;
    arena_free(arena);
    return 0;
}

/* Of the sample's 22 files one lies under a wrong name and is no text at all, two were spoilt on
 * purpose (segments without fields, letters for numbers, all out of order), and a few more have
 * another day in the field than in the path. */
static void test_sample(void **state)
{
    char path[1024];

    (void)state;
    if (!t_corpus("japan/ssmix2-nho-sample/sampleData", path, sizeof(path))) {
        skip();
        return;
    }
    sample.root_len = strlen(path) + 1;
    assert_int_equal(nftw(path, inspect_sample, 16, FTW_PHYS), 0);
    assert_int_equal(sample.files, 22);
    assert_int_equal(sample.failed[INSPECT_PATH], 1);
    assert_int_equal(sample.failed[INSPECT_JIS], 1);
    assert_int_equal(sample.failed[INSPECT_DATE], 6);
    assert_int_equal(sample.failed[INSPECT_REQUIRED], 3);
    assert_int_equal(sample.failed[INSPECT_NUMERIC], 2);
    assert_int_equal(sample.failed[INSPECT_ORDER], 2);
    assert_int_equal(sample.failed[INSPECT_FIELDS], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),         cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_all_patterns), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_places),       cmocka_unit_test(test_sample),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
