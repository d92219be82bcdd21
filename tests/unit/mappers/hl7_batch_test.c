/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read of bytes that are more or less than one message: batches and their answers, the
 * numbers a message is about, what merges say and what queries ask.
 */
#include "lib/t.h"

#include "base/limits.h"
#include "mappers/hl7v2/batch.h"
#include "mappers/hl7v2/merge.h"
#include "mappers/hl7v2/query.h"

#include "base/banned.h"

#define MSH(type) "MSH|^~\\&|A|B|C|D|20260101120000||" type "|ID1|P|2.5\r"

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

struct place {
    struct arena *arena;
    struct err_list errors;
};

static struct place place_new(void)
{
    struct place p = {.arena = arena_new(LIMIT_MIB)};
    err_list_init(&p.errors, p.arena);
    return p;
}

static struct hl7_message *lex(struct place *p, const char *text)
{
    struct hl7_message *m = NULL;
    assert_int_equal(hl7_lex(p->arena, slice_str(text), &p->errors, &m), ERR_OK);
    return m;
}

/* ---- batches ---- */

static void splits_batches(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        size_t count;
        int64_t announced;
        bool file;
        const char *last, *id;
    } rows[] = {
        {"BHS|^~\\&\rMSH|a\rPID|1\rMSH|b\rBTS|2\r", ERR_OK, 2, 2, false, "MSH|b", ""},
        {"FHS|^~\\&|A||||||||F1\rMSH|a\r\rPID|1\r\nFTS\r\x1C", ERR_OK, 1, -1, true,
         "MSH|a\r\rPID|1", "F1"},
        {"BHS|^~\\&|||||||||B1\nMSH|a\nBTS|1\nBHS|^~\\&|||||||||B2\nMSH|b\nBTS|1", ERR_OK, 2, 2, false,
         "MSH|b", "B2"},
        {"BHS|\r", ERR_OK, 0, -1, false, NULL, ""},
        {"BHS|^~\\&\rBTS|x", ERR_OK, 0, -1, false, NULL, ""},
        {"BHS|^~\\&\rPID|1\rMSH|a", ERR_MALFORMED, 0, -1, false, NULL, ""},
        {"BHS|^~\\&\rMSH|a\rBTS|1\rPID|1", ERR_MALFORMED, 1, 1, false, "MSH|a", ""},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct place p = place_new();
        struct hl7_batch b;
        enum err err = hl7_batch_split(p.arena, slice_str(rows[i].text), &p.errors, &b);
        assert_true(hl7_is_batch(slice_str(rows[i].text)));
        if (err != rows[i].err || b.count != rows[i].count || b.announced != rows[i].announced ||
            b.file != rows[i].file || !slice_is(b.control_id, rows[i].id))
            fail_msg("row %zu: %s, %zu messages, %lld, %.*s", i, err_name(err), b.count,
                     (long long)b.announced, SLICE_ARG(b.control_id));
        if (rows[i].last)
            assert_slice(b.messages[b.count - 1], rows[i].last);
        arena_free(p.arena);
    }
    assert_false(hl7_is_batch(SLICE(MSH("ADT^A08"))));
    assert_false(hl7_is_batch(SLICE("BHSX")));
    assert_false(hl7_is_batch(SLICE("")));
}

static void answers_batches(void **state)
{
    struct place p = place_new();
    struct hl7_batch b;
    struct buf out;
    (void)state;
    buf_init(&out, 10000);
    assert_int_equal(hl7_batch_split(p.arena, SLICE("FHS#!@%*#APP#FAC\rBHS#!@%*#APP#FAC#######B9\rMSH#x\r"),
                                     &p.errors, &b),
                     ERR_OK);
    hl7_batch_head(&b, "well", SLICE("I1"), 0, &out);
    hl7_batch_tail(&b, 1, &out);
    assert_buf(&out, "FHS#!@%*###APP#FAC#19700101090000.000+0900####I1#B9\r"
                     "BHS#!@%*###APP#FAC#19700101090000.000+0900###well#I1#B9\r"
                     "BTS#1\rFTS#1\r");
    buf_fini(&out);
    arena_free(p.arena);
}

static void finds_numbers(void **state)
{
    static const struct {
        const char *text;
        unsigned count;
        const char *first;
    } rows[] = {
        {MSH("ADT^A08") "PID|1||77^^^^PI\r", 1, "77"},
        {MSH("ADT^A08") "EVN|\nPID|1|| 77 ~88^^^X~^^^Y\r", 2, "77"},
        {"MSH#!@%*#A\rPID#1##77!x@88\r", 2, "77"},
        {MSH("ADT^A08") "PID|1||\r", 0, NULL},
        {MSH("ADT^A08") "PID|1\r", 0, NULL},
        {MSH("ADT^A08") "OBX|1\r", 0, NULL},
        {MSH("ADT^A24") "PID|1||77\rPID|2||88\r", 0, NULL},
        {MSH("ADT^A40") "PID|1||77\rMRG|88\r", 0, NULL},
        {MSH("ADT^A08") "PID|1||7\\T\\7\r", 0, NULL},
        {MSH("ADT^A08") "PID|1||\x1B$B4A\x1B(B\r", 0, NULL},
        {MSH("ADT^A08") "PID|1||1~2~3~4~5\r", 0, NULL}, /* more than there is room for */
        {"PID|1||77\r", 0, NULL},
        {"", 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct slice numbers[4];
        unsigned count = hl7_patient_numbers(slice_str(rows[i].text), numbers, 4);
        if (count != rows[i].count)
            fail_msg("row %zu: %u numbers", i, count);
        if (rows[i].first)
            assert_slice(numbers[0], rows[i].first);
    }
}

/* ---- merges ---- */

/* "7<8 MRG[1]-1; ..." of each pair. */
static void tell_pairs(const struct hl7_merge *merge, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < merge->count; i++) {
        const struct hl7_merge_pair *p = &merge->pairs[i];
        size_t len = strlen(text);
        snprintf(text + len, size - len, "%s%.*s<%.*s %s", i ? "; " : "", SLICE_ARG(p->number),
                 SLICE_ARG(p->other_no), p->place);
    }
}

static void reads_merges(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        enum merge_kind kind;
        const char *pairs; /* or the place of the error */
    } rows[] = {
        {MSH("ADT^A08") "PID|1||7\r", ERR_OK, MERGE_NONE, ""},
        {MSH("ORU^A40") "PID|1||7\rMRG|8\r", ERR_OK, MERGE_NONE, ""},
        {MSH("ADT^A40") "PID|1||7\rMRG|8^^^^PI\r", ERR_OK, MERGE_LINK, "7<8 MRG[1]-1"},
        {MSH("ADT^A34") "PID|1||7\rMRG|1^^^TASUKI~2^^^^JHC~ 8 ^^^X^MR\r", ERR_OK, MERGE_LINK,
         "7<8 MRG[1]-1"},
        {MSH("ADT^A40") "PID|1||7\rMRG|8~9^^^^PI\r", ERR_OK, MERGE_LINK,
         "7<8 MRG[1]-1; 7<9 MRG[1]-1"},
        {MSH("ADT^A40") "PID|1||7\rPD1|\rMRG|8\rPV1|1\rPID|2||5\rMRG|6\r", ERR_OK, MERGE_LINK,
         "7<8 MRG[1]-1; 5<6 MRG[2]-1"},
        {MSH("ADT^A40") "PID|1||7\rMRG|8\rMRG|9\r", ERR_OK, MERGE_LINK,
         "7<8 MRG[1]-1; 7<9 MRG[2]-1"},
        {MSH("ADT^A47") "PID|1||7\rMRG|8\r", ERR_OK, MERGE_LINK, "7<8 MRG[1]-1"},
        {MSH("ADT^A24") "PID|1||7\rPD1|\rPID|2||8\r", ERR_OK, MERGE_LINK, "7<8 PID[2]-3"},
        {MSH("ADT^A37") "PID|1||7\rPID|2||8\r", ERR_OK, MERGE_UNLINK, "7<8 PID[2]-3"},
        {MSH("ADT^A40") "PID|1||7\r", ERR_REQUIRED, MERGE_NONE, "MRG[1]-1"},
        {MSH("ADT^A40") "PID|1||7\rMRG|8\rPID|2||5\r", ERR_REQUIRED, MERGE_NONE, "MRG[2]-1"},
        {MSH("ADT^A40") "MRG|8\rPID|1||7\r", ERR_REQUIRED, MERGE_NONE, "MRG[1]-1"},
        {MSH("ADT^A40") "PID|1||7\rMRG|\"\"\r", ERR_REQUIRED, MERGE_NONE, "MRG[1]-1"},
        {MSH("ADT^A40") "PID|1||7\rMRG|7\r", ERR_INVALID, MERGE_NONE, "MRG[1]-1"},
        {MSH("ADT^A37") "PID|1||7\r", ERR_REQUIRED, MERGE_NONE, "PID[2]-3"},
        {MSH("ADT^A24") "PID|1||7\rPID|2||8\rPID|3||9\r", ERR_INVALID, MERGE_NONE, "PID[3]-3"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct place p = place_new();
        struct hl7_merge merge = {.kind = MERGE_NONE};
        enum err err = hl7_merge_parse(lex(&p, rows[i].text), &p.errors, &merge);
        char said[256];
        if (err)
            snprintf(said, sizeof(said), "%s", p.errors.last->place);
        else
            tell_pairs(&merge, said, sizeof(said));
        if (err != rows[i].err || merge.kind != rows[i].kind || strcmp(said, rows[i].pairs) != 0)
            fail_msg("row %zu: %s %d %s", i, err_name(err), (int)merge.kind, said);
        arena_free(p.arena);
    }
}

/* More pairs than one transaction should hold are refused, not cut off. */
static void bounds_merges(void **state)
{
    char text[8192] = MSH("ADT^A40") "PID|1||7\rMRG|";
    struct place p = place_new();
    struct hl7_merge merge = {.kind = MERGE_NONE};
    (void)state;
    for (unsigned i = 0; i < LIMIT_MERGE_PAIRS + 1; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%sN%u", i ? "~" : "", i);
    }
    assert_int_equal(hl7_merge_parse(lex(&p, text), &p.errors, &merge), ERR_TOO_LARGE);
    arena_free(p.arena);
}

/* ---- queries ---- */

static void reads_queries(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        const char *number;
        unsigned terms, domains, limit;
    } rows[] = {
        {MSH("QBP^Q23") "QPD|Q23^Get Corresponding IDs^HL7|T|7^^^A&1.2&ISO^PI|^^^B~^^^&3.4&ISO\r", ERR_OK, "7", 0, 2, 0},
        {MSH("QBP^Q23") "QPD|Q23^Get Corresponding IDs^HL7|T|7\rRCP|I\r", ERR_OK, "7", 0, 0, 0},
        {MSH("QBP^Q23") "QPD|Q23^Get Corresponding IDs^HL7|T\r", ERR_REQUIRED, "", 0, 0, 0},
        {MSH("QBP^Q23"), ERR_REQUIRED, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|IHE PDQ Query|T|@PID.5.1^X~@PID.7^1965~@PID.11.3.1^Y|||||^^^B\rRCP|I|5^RD\r", ERR_OK,
         "", 3, 1, 5},
        {MSH("QBP^Q22") "QPD|IHE PDQ Query|T|@PID.3.1^7~@PID.3.4.2^1.2~@PID.3.5^PI\r", ERR_OK, "7", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|IHE PDQ Query|T|@PID.5.1^\r", ERR_REQUIRED, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|IHE PDQ Query|T|@PID.0^X\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|IHE PDQ Query|T|@PID.5.1.1.1^X\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|IHE PDQ Query|T|@PID^X\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|IHE PDQ Query|T|X^X\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|N|T|@PID.5.1^X\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q23") "QPD|IHE PDQ Query|T|7\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|QRY_PDQ_1001|T|@PID.5.1^X\rRCP|D\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|x^Q22|T|@PID.5.1^X\rRCP|I|5^LI\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|ihe pdq query|T|@PID.5.1^X\rRCP|I|many\r", ERR_INVALID, "", 0, 0, 0},
        {MSH("QBP^Q22") "QPD|IHE PDQ Query|T|@PID.5.1^X\rRCP|I|5\rDSC|abc|I\r", ERR_OK, "", 1, 0, 5},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct place p = place_new();
        struct hl7_message *m = lex(&p, rows[i].text);
        struct hl7_query q;
        struct hl7_header h;
        hl7_header_of(m, &h);
        assert_true(hl7_is_query(&h));
        enum err err = hl7_query_parse(m, &p.errors, &q);
        if (err != rows[i].err || (!err && (!slice_is(q.number, rows[i].number) ||
                                            q.term_count != rows[i].terms ||
                                            q.domain_count != rows[i].domains ||
                                            q.limit != rows[i].limit)))
            fail_msg("row %zu: %s %.*s %u %u %u", i, err_name(err), SLICE_ARG(q.number), q.term_count,
                     q.domain_count, q.limit);
        arena_free(p.arena);
    }
}

static void prints_people(void **state)
{
    static const char patient[] =
        "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"A&B\",\"given\":[\"C\"],\"extension\":[{"
        "\"url\":\"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation\","
        "\"valueCode\":\"IDE\"}]},{\"text\":\"D E\"}],\"birthDate\":\"1965-04-15\",\"gender\":"
        "\"female\",\"address\":[{\"postalCode\":\"100\",\"text\":\"T\"}],\"telecom\":[{\"system\":"
        "\"email\",\"value\":\"x\"},{\"system\":\"phone\",\"value\":\"03\"}],\"deceasedDateTime\":"
        "\"2026-01-02\"}";
    const struct query_number number = {.value = SLICE("7"),
                                        .universal = SLICE("1.2"),
                                        .type = SLICE("ISO"),
                                        .kind = SLICE("PI")};
    struct hl7_header header = {.delimiters = {'|', '^', '~', '\\', '&'}};
    struct place p = place_new();
    struct json *root = NULL;
    struct json_fault fault_at;
    struct reply a;
    struct buf out;
    (void)state;
    assert_int_equal(json_parse(p.arena, slice_str(patient), &root, &fault_at), ERR_OK);
    buf_init(&out, 10000);
    reply_init(&a, &header);
    query_pid(&a, 2, &number, 1, root);
    query_pid(&a, 3, &number, 1, NULL);
    assert_int_equal(reply_finish(&a, &out), ERR_OK);
    assert_buf(&out,
               "PID|2||7^^^&1.2&ISO^PI||A\\T\\B^C^^^^^L^I~D E^^^^^^L||19650415|F|||^^^^100^^H^T||"
               "^PRN^PH^^^^^^^^^03||||||||||||||||20260102|Y\r"
               "PID|3||7^^^&1.2&ISO^PI|| \r");
    reply_fini(&a);
    buf_fini(&out);
    arena_free(p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_batches), cmocka_unit_test(answers_batches),
        cmocka_unit_test(finds_numbers),  cmocka_unit_test(reads_merges),
        cmocka_unit_test(bounds_merges),
        cmocka_unit_test(reads_queries),  cmocka_unit_test(prints_people),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
