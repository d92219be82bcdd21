/* SPDX-License-Identifier: Apache-2.0
 *
 * Acknowledgements byte for byte: parties swapped, ids echoed, places turned into ERR-2, texts
 * escaped in the sender's delimiters and written in his character set, the older form before v2.5;
 * and every answer must be a message that our own lexer reads.
 */
#include "lib/t.h"

#include "base/limits.h"
#include "mappers/hl7v2/ack.h"

#include "base/banned.h"

#define NOW INT64_C(1795334400000) /* 2026-11-22T17:00:00+09:00 */
#define TIME "20261122170000.000+0900"

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

struct fixture {
    struct arena *arena;
    struct err_list errors;
    struct hl7_header header;
    struct buf out;
};

static void begin(struct fixture *f, const char *msh)
{
    f->arena = arena_new(LIMIT_MIB);
    assert_non_null(f->arena);
    err_list_init(&f->errors, f->arena);
    hl7_peek(f->arena, slice_str(msh), &f->header);
    buf_init(&f->out, LIMIT_MIB);
}

static void end(struct fixture *f)
{
    struct hl7_message *m = NULL;
    struct err_list errors;
    err_list_init(&errors, f->arena);
    assert_int_equal(hl7_lex(f->arena, buf_slice(&f->out), &errors, &m), ERR_OK);
    assert_non_null(hl7_find(m, "MSA", 1));
    arena_free(f->arena);
    buf_fini(&f->out);
}

static void accepts(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f,
          "MSH|^~\\&|HIS^1|SEND|GW|RCV|20260101||ADT^A08^ADT_A01|ID1|T|2.5.1||||||~ISO IR87|||X");
    assert_int_equal(hl7_ack(&f.header, "AA", NULL, SLICE("T|1"), NOW, &f.out), ERR_OK);
    assert_buf(&f.out,
               "MSH|^~\\&|GW|RCV|HIS^1|SEND|" TIME "||ACK^A08^ACK|T\\F\\1|T|2.5.1||||||~ISO IR87\r"
               "MSA|AA|ID1\r");
    end(&f);
    begin(&f, "MSH|");
    assert_int_equal(hl7_ack(&f.header, "AR", &f.errors, SLICE("T2"), NOW, &f.out), ERR_OK);
    assert_buf(&f.out, "MSH|^~\\&|||||" TIME "||ACK|T2|P|2.5\rMSA|AR|\r");
    end(&f);
}

static void says_what_is_wrong(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "MSH|^~\\&|A|B|C|D|||ADT^A08|ID1|P|2.5||||||UNICODE UTF-8");
    (void)err_say(&f.errors, ERR_SEVERITY_WARNING, ERR_REQUIRED, "OBX[3]-5", "a & b", "甲|乙");
    (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_REQUIRED, "PID[1]-3.1", "none", "なし");
    (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_MALFORMED, "line 7", "bad\rline", "行");
    assert_int_equal(hl7_ack(&f.header, "AE", &f.errors, SLICE("T1"), NOW, &f.out), ERR_OK);
    assert_buf(&f.out, "MSH|^~\\&|C|D|A|B|" TIME "||ACK^A08^ACK|T1|P|2.5||||||UNICODE UTF-8\r"
                       "MSA|AE|ID1|none\r"
                       "ERR||PID^1^3^1^1|101^Required field missing^HL70357|E|"
                       "ERR_REQUIRED^a required element is missing^L|||なし / none\r"
                       "ERR|||100^Segment sequence error^HL70357|E|"
                       "ERR_MALFORMED^the input is malformed^L||line 7|行 / bad line\r"
                       "ERR||OBX^3^5|101^Required field missing^HL70357|W|"
                       "ERR_REQUIRED^a required element is missing^L|||甲\\F\\乙 / a \\T\\ b\r");
    end(&f);
}

static void reads_places(void **state)
{
    static const struct {
        const char *place, *location;
    } rows[] = {
        {"MSH-18", "MSH^1^18"},
        {"PID[1]", "PID^1"},
        {"PID", "PID^1"},
        {"PID[2]-3", "PID^2^3"},
        {"ZE1[10]-3.2", "ZE1^10^3^1^2"},
        {"PV1-3.4.2", "PV1^1^3^1^4^2"},
        {"", ""},
        {"pid-3", ""},
        {"PID[", ""},
        {"PID[1", ""},
        {"PID[]-3", ""},
        {"PID-", ""},
        {"PID-3.", ""},
        {"PID-3.1.1.1", ""},
        {"Patient.name", ""},
        {"PIDX-3", ""},
        {"line 3", ""},
        {"PID-3 x", ""},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fixture f;
        char want[100];
        begin(&f, "MSH|^~\\&|A|B|C|D|||ADT^A08|ID1|P|2.5");
        (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_INVALID, rows[i].place, "x", "x");
        assert_int_equal(hl7_ack(&f.header, "AE", &f.errors, SLICE("T"), NOW, &f.out), ERR_OK);
        snprintf(want, sizeof(want), "\rERR||%s|102^", rows[i].location);
        if (slice_search(buf_slice(&f.out), slice_str(want), 0) == f.out.len)
            fail_msg("%s: %.*s", rows[i].place, SLICE_ARG(buf_slice(&f.out)));
        end(&f);
    }
}

static void writes_in_the_senders_set(void **state)
{
    static const struct {
        const char *charset; /* MSH-18 */
        const char *want;    /* ERR-8 and end */
    } rows[] = {
        {"UNICODE UTF-8", "|漢 / x\r"},
        {"~ISO IR87", "|\x1B$B4A\x1B(B / x\r"},
        {"SHIFT_JIS", "|\x8A\xBF / x\r"},
        {"EUC-JP", "|\xB4\xC1 / x\r"},
        {"", "|x\r"},
        {"ASCII", "|x\r"},
        {"8859/1", "|x\r"},
        {"KOI8-R", "|漢 / x\r"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fixture f;
        char msh[100];
        snprintf(msh, sizeof(msh), "MSH|^~\\&|A|B|C|D|||ADT^A08|ID1|P|2.5||||||%s",
                 rows[i].charset);
        begin(&f, msh);
        (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_INVALID, "PID-3", "x", "漢");
        assert_int_equal(hl7_ack(&f.header, "AE", &f.errors, SLICE("T"), NOW, &f.out), ERR_OK);
        if (!slice_ends(buf_slice(&f.out), slice_str(rows[i].want)))
            fail_msg("%s: %.*s", rows[i].charset, SLICE_ARG(buf_slice(&f.out)));
        end(&f);
    }
}

static void takes_other_delimiters(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "MSH#!@%#A#B#C#D###ADT!A08#ID1#P#2.5######@ISO IR87");
    (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_INVALID, "PID-3.1", "#!@%&|", "漢");
    assert_int_equal(hl7_ack(&f.header, "AE", &f.errors, SLICE("T"), NOW, &f.out), ERR_OK);
    assert_buf(&f.out,
               "MSH#!@%#C#D#A#B#" TIME "##ACK!A08!ACK#T#P#2.5######@ISO IR87\r"
               "MSA#AE#ID1#%F%%S%%R%%E%&|\r"
               "ERR##PID!1!3!1!1#102!Data type error!HL70357#E#"
               "ERR_INVALID!a value is not allowed here!L###\x1B$B4A\x1B(B / %F%%S%%R%%E%&|\r");
    end(&f);
}

static void writes_the_older_form(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "MSH|^~\\&|A|B|C|D|||ADT^A08|ID1|P|2.4");
    (void)err_say(&f.errors, ERR_SEVERITY_WARNING, ERR_REQUIRED, "PV1-2", "w", "w");
    (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_REQUIRED, "PID[1]-3.1", "x", "x");
    (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_REQUIRED, "PID[1]", "x", "x");
    (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_MALFORMED, "line 2", "x", "x");
    assert_int_equal(hl7_ack(&f.header, "AE", &f.errors, SLICE("T"), NOW, &f.out), ERR_OK);
    assert_buf(&f.out, "MSH|^~\\&|C|D|A|B|" TIME "||ACK^A08^ACK|T|P|2.4\r"
                       "MSA|AE|ID1|x\r"
                       "ERR|PID^1^3^101&Required field missing&HL70357\r"
                       "ERR|PID^1^^101&Required field missing&HL70357\r"
                       "ERR|^^^100&Segment sequence error&HL70357\r");
    end(&f);
}

static void names_its_own_set_in_any_delimiters(void **state)
{
    static const struct {
        const char *msh, *want;
    } cases[] = {
        {"MSH-^~\\&-A-B-C-D---ADT^A08-1-P-2.5------KOI8R", "-P-2.5------UNICODE\r"},
        {"MSH-^~\\&-漢-B-C-D---ADT^A08-1-P-2.5", "-P-2.5------UNICODE\r"},
        {"MSH~^|\\&~\x1B$B4A\x1B(B~B~C~D~~~ADT^A08~1~P~2.5", "~P~2.5~~~~~~|ISO IR87\r"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct fixture f;
        begin(&f, cases[i].msh);
        assert_int_equal(hl7_ack(&f.header, "AR", NULL, SLICE("T"), NOW, &f.out), ERR_OK);
        if (slice_search(buf_slice(&f.out), slice_str(cases[i].want), 0) == f.out.len)
            fail_msg("case %zu: %.*s", i, SLICE_ARG(buf_slice(&f.out)));
        end(&f);
    }
}

static void counts_the_rest(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "MSH|^~\\&|A|B|C|D|||ADT^A08|ID1|P|2.5||||||UNICODE UTF-8");
    for (int i = 0; i < LIMIT_ERR_ITEMS + 7; i++)
        (void)err_say(&f.errors, ERR_SEVERITY_ERROR, ERR_INVALID, "PID-3", "x", "x");
    assert_int_equal(hl7_ack(&f.header, "AE", &f.errors, SLICE("T"), NOW, &f.out), ERR_OK);
    assert_true(
        slice_ends(buf_slice(&f.out), SLICE("ほかに 7 件あります / 7 more are not listed\r")));
    end(&f);
}

static void shortens_the_text_of_msa(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "MSH|^~\\&|A|B|C|D|||ADT^A08|ID1|P|2.5||||||UNICODE UTF-8");
    (void)err_say(
        &f.errors, ERR_SEVERITY_ERROR, ERR_INVALID, "PID-3",
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678漢字", "x");
    assert_int_equal(hl7_ack(&f.header, "AE", &f.errors, SLICE("T"), NOW, &f.out), ERR_OK);
    assert_true(slice_search(buf_slice(&f.out), SLICE("5678\rERR"), 0) < f.out.len);
    end(&f);
}

static void fails_when_there_is_no_room(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "MSH|^~\\&|A|B|C|D|||ADT^A08|ID1|P|2.5");
    struct buf small;
    buf_init(&small, 20);
    assert_int_equal(hl7_ack(&f.header, "AA", NULL, SLICE("T"), NOW, &small), ERR_TOO_LARGE);
    buf_fini(&small);
    assert_int_equal(hl7_ack(&f.header, "AA", NULL, SLICE("T"), NOW, &f.out), ERR_OK);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(reads_places),
        cmocka_unit_test(writes_in_the_senders_set),
        cmocka_unit_test(takes_other_delimiters),
        cmocka_unit_test(writes_the_older_form),
        cmocka_unit_test(names_its_own_set_in_any_delimiters),
        cmocka_unit_test(counts_the_rest),
        cmocka_unit_test(shortens_the_text_of_msa),
        cmocka_unit_test(fails_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
