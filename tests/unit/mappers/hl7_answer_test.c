/* SPDX-License-Identifier: Apache-2.0
 *
 * Acknowledgements as other systems write them, and what is none: which message, accepted or
 * refused, what is said. Our own acknowledgements are read, in every code of both modes.
 */
#include "lib/t.h"

#include "base/limits.h"
#include "mappers/hl7v2/ack.h"
#include "mappers/hl7v2/answer.h"

#include "base/banned.h"

#define MSH "MSH|^~\\&|EHR|C|TASUKI|R|20260101||ACK^R01^ACK|A1|P|2.5\r"

static const struct {
    const char *text;
    enum err err;
    enum answer_verdict verdict;
    const char *id, *fault, *says;
} rows[] = {
    {MSH "MSA|AA|M1", ERR_OK, ANSWER_ACCEPTED, "M1", "", ""},
    {MSH "MSA|CA|M1\r", ERR_OK, ANSWER_ACCEPTED, "M1", "", ""},
    {MSH "MSA| AA |M1\r\n", ERR_OK, ANSWER_ACCEPTED, "M1", "", ""},
    {MSH "SFT|x\rMSA|AE|M1|text of old\r", ERR_OK, ANSWER_REFUSED, "M1", "", "text of old"},
    {MSH "MSA|AR|M1\rERR||PID^1^3|204^Unknown key identifier^HL70357|E\r", ERR_OK, ANSWER_REFUSED,
     "M1", "204", "Unknown key identifier"},
    {MSH "MSA|CE|M1\rERR||PID^1^3|204^Unknown^HL70357|E|||debug|said to people\r", ERR_OK,
     ANSWER_REFUSED, "M1", "204", "said to people"},
    {MSH "MSA|CR|M1\rERR||||E|||line one\\.br\\line two\r", ERR_OK, ANSWER_REFUSED, "M1", "",
     "line one line two"},
    {"MSH|^~\\&|E|C|T|R|1||ACK|A1|P|2.5||||||UNICODE UTF-8\rMSA|AE|M1|項目がありません\r", ERR_OK,
     ANSWER_REFUSED, "M1", "", "項目がありません"},
    {"MSH#*~\\&#E#C#T#R#1##ACK#A1#P#2.5\rMSA#AA#M1\r", ERR_OK, ANSWER_ACCEPTED, "M1", "", ""},
    {MSH "MSA|AA\r", ERR_OK, ANSWER_ACCEPTED, "", "", ""},
    {MSH, ERR_MALFORMED, 0, NULL, NULL, NULL},
    {MSH "MSA||M1\r", ERR_MALFORMED, 0, NULL, NULL, NULL},
    {MSH "MSA|AX|M1\r", ERR_MALFORMED, 0, NULL, NULL, NULL},
    {MSH "MSA|aa|M1\r", ERR_MALFORMED, 0, NULL, NULL, NULL},
    {"MSA|AA|M1\r", ERR_MALFORMED, 0, NULL, NULL, NULL},
    {"ok", ERR_MALFORMED, 0, NULL, NULL, NULL},
    {"", ERR_MALFORMED, 0, NULL, NULL, NULL},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct answer a = {0};
        enum err err = answer_read(arena, slice_str(rows[i].text), &a);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].text, err_name(err));
        if (!err && (a.verdict != rows[i].verdict || !slice_is(a.control_id, rows[i].id) ||
                     !slice_is(a.fault, rows[i].fault) || !slice_is(a.text, rows[i].says)))
            fail_msg("%s: %d \"%.*s\" \"%.*s\" \"%.*s\"", rows[i].text, (int)a.verdict,
                     SLICE_ARG(a.control_id), SLICE_ARG(a.fault), SLICE_ARG(a.text));
        arena_free(arena);
    }
}

/* Long texts are cut between characters; what moves a terminal's cursor is blank. */
static void test_texts(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct answer a;
    struct buf text;
    (void)state;
    buf_init(&text, LIMIT_MIB);
    buf_adds(&text, "MSH|^~\\&|E|C|T|R|1||ACK|A1|P|2.5||||||UNICODE UTF-8\rMSA|AE|M1|");
    for (int i = 0; i < 200; i++)
        buf_adds(&text, "検");
    assert_int_equal(answer_read(arena, buf_slice(&text), &a), ERR_OK);
    assert_true(a.text.len > LIMIT_PUSH_REASON - 3 && a.text.len <= LIMIT_PUSH_REASON);
    assert_true(slice_is_utf8(a.text));
    buf_fini(&text);
    arena_free(arena);
}

static void test_ours(void **state)
{
    static const char *const codes[] = {"AA", "AE", "AR", "CA", "CE", "CR"};
    static const char message[] = "MSH|^~\\&|TASUKI|1|E|C|1||ORU^R01^ORU_R01|M^1|P|2.5";
    (void)state;
    for (size_t i = 0; i < T_COUNT(codes); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct err_list errors;
        struct hl7_header header;
        struct answer a;
        struct buf out;
        buf_init(&out, LIMIT_MIB);
        err_list_init(&errors, arena);
        if (codes[i][1] != 'A')
            (void)err_add(&errors, ERR_REQUIRED, "PID[1]-3", NULL);
        hl7_peek(arena, slice_str(message), &header);
        assert_int_equal(hl7_ack(&header, codes[i], &errors, SLICE("A1"), 0, &out), ERR_OK);
        assert_int_equal(answer_read(arena, buf_slice(&out), &a), ERR_OK);
        assert_true(slice_is(a.code, codes[i]));
        assert_true(slice_is(a.control_id, "M"));
        assert_true(codes[i][1] == 'A' || slice_is(a.fault, "101"));
        buf_fini(&out);
        arena_free(arena);
    }
}

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_ours),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
