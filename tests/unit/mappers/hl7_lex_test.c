/* SPDX-License-Identifier: Apache-2.0
 *
 * The lexer: what is a message and what is not, with the place each refusal names; charsets named,
 * missing and violated; delimiters inside kanji; access down to sub-components; escapes; the header
 * for answers; limits. Then the corpora: SS-MIX2 samples must lex and join again, everything else
 * must get a defined answer.
 */
#include "lib/t.h"

#include <ftw.h>

#include "base/limits.h"
#include "mappers/hl7v2/lex.h"

#include "base/banned.h"

#define MSH "MSH|^~\\&|A|B|C|D|20260101120000||ADT^A08^ADT_A01|ID1|P|2.5"
#define JMSH MSH "||||||~ISO IR87"
#define K "\x1B$B"
#define A "\x1B(B"

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

struct lexed {
    struct arena *arena;
    struct err_list errors;
    struct hl7_message *m;
    enum err err;
};

static struct lexed lex(struct slice raw)
{
    struct lexed l = {.arena = arena_new(LIMIT_ARENA_REQUEST)};
    assert_non_null(l.arena);
    err_list_init(&l.errors, l.arena);
    l.err = hl7_lex(l.arena, raw, &l.errors, &l.m);
    assert_int_equal(l.err == ERR_OK, l.m != NULL);
    assert_int_equal(l.err, err_list_code(&l.errors));
    return l;
}

static struct lexed lex_ok(const char *text)
{
    struct lexed l = lex(slice_str(text));
    assert_int_equal(l.err, ERR_OK);
    return l;
}

/* ---- what is refused ---- */

static const struct {
    const char *text;
    enum err err;
    const char *place;
} refusals[] = {
    {"", ERR_MALFORMED, "MSH"},
    {"\x1C\r", ERR_MALFORMED, "MSH"},
    {"PID|1", ERR_MALFORMED, "MSH"},
    {"\x0B" MSH, ERR_MALFORMED, "MSH"},
    {"\r" MSH, ERR_MALFORMED, "MSH"},
    {"msh|^~\\&|", ERR_MALFORMED, "MSH"},
    {"MS", ERR_MALFORMED, "MSH"},
    {"MSH", ERR_MALFORMED, "MSH-1"},
    {"MSHA^~\\&A", ERR_MALFORMED, "MSH-1"},
    {"MSH ^~\\& ", ERR_MALFORMED, "MSH-1"},
    {"MSH\xE3^~\\&\xE3", ERR_MALFORMED, "MSH-1"},
    {"MSH|", ERR_MALFORMED, "MSH"},
    {"MSH|^~\\&", ERR_MALFORMED, "MSH"},
    {"MSH|^~\\&\rPID|1", ERR_MALFORMED, "MSH"},
    {"MSH||A", ERR_MALFORMED, "MSH-2"},
    {"MSH|^~|A", ERR_MALFORMED, "MSH-2"},
    {"MSH|^~\\&#!|A", ERR_MALFORMED, "MSH-2"},
    {"MSH|^^\\&|A", ERR_MALFORMED, "MSH-2"},
    {"MSH|^~\\^|A", ERR_MALFORMED, "MSH-2"},
    {"MSH|^a\\&|A", ERR_MALFORMED, "MSH-2"},
    {"MSH|^~\\ |A", ERR_MALFORMED, "MSH-2"},
    {"MSH|^~\t&|A", ERR_MALFORMED, "MSH-2"},
    {MSH "\rPI|1", ERR_MALFORMED, "line 2"},
    {MSH "\rPIDX|1", ERR_MALFORMED, "line 2"},
    {MSH "\rpid|1", ERR_MALFORMED, "line 2"},
    {MSH "\r1ID|1", ERR_MALFORMED, "line 2"},
    {MSH "\rPID^1", ERR_MALFORMED, "line 2"},
    {MSH "\r  \r", ERR_MALFORMED, "line 2"},
    {MSH "\r\n\r\nPID|1\r\nx\r\n", ERR_MALFORMED, "line 4"},
    {MSH "\rPID|1\r" MSH "\r", ERR_MALFORMED, "line 3"},
    {MSH "\rPID|1\x1C|2\rX", ERR_MALFORMED, "PID[1]-1"},
    {MSH "\rPID|1|\x0B\r", ERR_MALFORMED, "PID[1]-2"},
    {MSH "\rOBX|1\rOBX|1|2|3\x1B[0m\r", ERR_CHARSET, "OBX[2]-3"},
    {"MSH|^~\\&|A\x1C|B", ERR_MALFORMED, "MSH[1]-3"},
    /* charsets */
    {MSH "||||||KOI8-R\rPID|1", ERR_CHARSET, "MSH-18"},
    {MSH "\rPID|1|\x8A\xBF", ERR_CHARSET, "MSH-18"},
    {MSH "||||||ASCII\rPID|1||\xE6\xBC\xA2", ERR_CHARSET, "PID[1]-3"},
    {MSH "||||||UNICODE UTF-8\rPID|1\rOBX|1\rOBX|2||\xE6\xBC", ERR_CHARSET, "OBX[2]-3"},
    {JMSH "\rPID|1\rOBX|1\rOBX|2||" K "0|0^" A "|x\x80", ERR_CHARSET, "OBX[2]-4"},
    {JMSH "\rOBX|" K "0|" A "|" K ")!" A, ERR_CHARSET, "OBX[1]-2"},
    {MSH "||||||UNICODE UTF-8\rPID|" K "0|" A, ERR_CHARSET, "PID[1]-1"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(refusals); i++) {
        struct slice raw = slice_str(refusals[i].text);
        char *exact = malloc(raw.len ? raw.len : 1);
        memcpy(exact, raw.ptr, raw.len);
        struct lexed l = lex(slice_of(exact, raw.len));
        const char *place = l.errors.last ? l.errors.last->place : "(none)";
        if (l.err != refusals[i].err || strcmp(place, refusals[i].place) != 0)
            fail_msg("row %zu: %s at %s", i, err_name(l.err), place);
        assert_string_equal(err_ack(l.err), "AR");
        arena_free(l.arena);
        free(exact);
    }
    struct lexed l = lex(slice_of(MSH "\rPID|1\0|2", sizeof(MSH "\rPID|1\0|2") - 1));
    assert_int_equal(l.err, ERR_MALFORMED);
    assert_string_equal(l.errors.first->place, "PID[1]-1");
    arena_free(l.arena);
}

static void names_the_byte(void **state)
{
    struct lexed l = lex(SLICE(JMSH "\rPID|\x8A"));
    char want[64];
    (void)state;
    snprintf(want, sizeof(want), "byte offset %zu, 0x8A", sizeof(JMSH "\rPID|") - 1);
    assert_non_null(strstr(l.errors.first->en, want));
    arena_free(l.arena);
}

/* ---- what is read ---- */

static void splits(void **state)
{
    struct lexed l =
        lex_ok(MSH "\rPID|1||77^^^H&1&ISO^PI~88||Y^T|\"\"|\rOBX|1\rNTE\rOBX|2\r\x1C\r");
    const struct hl7_segment *msh = &l.m->segments[0];
    const struct hl7_segment *pid = hl7_find(l.m, "PID", 1);
    (void)state;
    assert_int_equal(l.m->segment_count, 5);
    assert_int_equal(l.errors.kept, 0);
    assert_int_equal(l.m->charset, CHARSET_ASCII);
    assert_slice(hl7_field(msh, 0), "MSH");
    assert_slice(hl7_field(msh, 1), "|");
    assert_slice(hl7_field(msh, 2), "^~\\&");
    assert_slice(hl7_field(msh, 3), "A");
    assert_slice(hl7_field(msh, 12), "2.5");
    assert_int_equal(msh->field_count, 13);
    assert_int_equal(hl7_field(msh, 13).len, 0);
    assert_slice(hl7_field(pid, 1), "1");
    assert_int_equal(hl7_field(pid, 2).len, 0);
    assert_int_equal(hl7_repeats(l.m, hl7_field(pid, 2)), 0);
    assert_int_equal(hl7_repeats(l.m, hl7_field(pid, 3)), 2);
    assert_slice(hl7_repeat(l.m, hl7_field(pid, 3), 1), "88");
    assert_int_equal(hl7_repeat(l.m, hl7_field(pid, 3), 2).len, 0);
    struct slice owner = hl7_component(l.m, hl7_repeat(l.m, hl7_field(pid, 3), 0), 4);
    assert_slice(owner, "H&1&ISO");
    assert_slice(hl7_sub(l.m, owner, 2), "1");
    assert_slice(hl7_sub(l.m, owner, 3), "ISO");
    assert_int_equal(hl7_sub(l.m, owner, 4).len, 0);
    assert_slice(hl7_value(l.m, pid, 5, 2), "T");
    assert_true(hl7_is_null(hl7_value(l.m, pid, 6, 1)));
    assert_false(hl7_is_null(hl7_value(l.m, pid, 7, 1)));
    assert_int_equal(hl7_find(l.m, "OBX", 2)->ordinal, 2);
    assert_slice(hl7_find(l.m, "OBX", 2)->text, "OBX|2");
    assert_null(hl7_find(l.m, "OBX", 3));
    assert_int_equal(hl7_find(l.m, "NTE", 1)->field_count, 1);
    assert_int_equal(hl7_field(NULL, 3).len, 0);
    arena_free(l.arena);
}

static void tolerates(void **state)
{
    static const char *const texts[] = {
        MSH "\rPID|1",
        MSH "\rPID|1\r",
        MSH "\nPID|1\n",
        MSH "\r\nPID|1\r\n",
        MSH "\r\r\n\nPID|1\r\r\r",
        MSH "\rPID|1\r\x1C",
        MSH "\rPID|1\x1C\r\n",
        "\xEF\xBB\xBF" MSH "\rPID|1",
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(texts); i++) {
        struct lexed l = lex_ok(texts[i]);
        assert_int_equal(l.m->segment_count, 2);
        assert_slice(l.m->segments[0].text, MSH);
        assert_slice(l.m->segments[1].text, "PID|1");
        assert_slice(hl7_field(&l.m->segments[1], 1), "1");
        arena_free(l.arena);
    }
    struct lexed l = lex_ok(MSH "\rMSH\rPID|1"); /* bare: begins nothing */
    assert_int_equal(l.m->segment_count, 3);
    assert_slice(hl7_field(hl7_find(l.m, "PID", 1), 1), "1");
    arena_free(l.arena);
}

static void takes_other_delimiters(void **state)
{
    struct lexed l = lex_ok("MSH#!@%*#S#F\rPID#1##1!2*3@4%F%%S%%R%%E%%T%|");
    (void)state;
    assert_slice(hl7_field(&l.m->segments[0], 3), "S");
    assert_slice(hl7_component(l.m, hl7_repeat(l.m, hl7_field(&l.m->segments[1], 3), 0), 2), "2*3");
    assert_slice(hl7_unescape(l.m, hl7_repeat(l.m, hl7_field(&l.m->segments[1], 3), 1)), "4#!@%*|");
    arena_free(l.arena);
    l = lex_ok("MSH|^~\\|A\rPID|1&2"); /* three: no sub-components */
    assert_slice(hl7_sub(l.m, hl7_field(&l.m->segments[1], 1), 1), "1&2");
    assert_int_equal(hl7_sub(l.m, hl7_field(&l.m->segments[1], 1), 2).len, 0);
    arena_free(l.arena);
    l = lex_ok("MSH|^~\\&#|A\rPID|1\\P\\"); /* five: truncation of v2.7 */
    assert_slice(hl7_value(l.m, &l.m->segments[1], 1, 1), "1#");
    arena_free(l.arena);
}

static void reads_kanji_with_delimiters_inside(void **state)
{
    struct lexed l = lex_ok(JMSH "\rPID|" K "0|0^0~0\\0&" A "^" K "4A" A "|2\r");
    (void)state;
    assert_int_equal(l.m->charset, CHARSET_ISO2022JP);
    assert_false(l.m->shift_left_open);
    assert_slice(hl7_value(l.m, &l.m->segments[1], 1, 1), "淫緯蔭移愛");
    assert_slice(hl7_value(l.m, &l.m->segments[1], 1, 2), "漢");
    assert_slice(hl7_field(&l.m->segments[1], 2), "2");
    arena_free(l.arena);
    l = lex_ok(MSH "|" K "0|0|0^" A "|||||~ISO IR87\rPID|1"); /* kanji before MSH-18 */
    assert_int_equal(l.m->charset, CHARSET_ISO2022JP);
    assert_slice(hl7_field(&l.m->segments[0], 18), "~ISO IR87");
    arena_free(l.arena);
    l = lex_ok("MSH|^~\\&|\x83|\x83^|B|||||ADT^A08|1|P|2.5||||||SHIFT_JIS\rPID|\x83|");
    assert_int_equal(l.m->charset, CHARSET_SJIS);
    assert_slice(hl7_field(&l.m->segments[0], 3), "ポタ");
    assert_int_equal(l.m->segments[1].field_count, 2);
    arena_free(l.arena);
}

static void guesses_only_what_is_certain(void **state)
{
    static const struct {
        const char *text;
        enum charset set;
        unsigned warnings;
        bool open;
    } rows[] = {
        {MSH "\rPID|a", CHARSET_ASCII, 0, false},
        {MSH "\rPID|漢", CHARSET_UTF8, 1, false},
        {MSH "\rPID|" K "4A" A, CHARSET_ISO2022JP, 1, false},
        {MSH "\rPID|\x1B(J~" A, CHARSET_ISO2022JP, 1, false},
        {JMSH "\rPID|" K "4A\rNTE|1", CHARSET_ISO2022JP, 1, true},
        {JMSH "\rPID|" K "4A", CHARSET_ISO2022JP, 1, true},
        {MSH "||||||UNICODE UTF-8\rPID|漢", CHARSET_UTF8, 0, false},
        {MSH "||||||8859/1\rPID|\xFC", CHARSET_LATIN1, 0, false},
        {MSH "||||||EUC-JP\rPID|\xB4\xC1", CHARSET_EUCJP, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct lexed l = lex_ok(rows[i].text);
        if (l.m->charset != rows[i].set || l.errors.warnings != rows[i].warnings ||
            l.m->shift_left_open != rows[i].open)
            fail_msg("row %zu: set %d, %u warnings", i, (int)l.m->charset, l.errors.warnings);
        arena_free(l.arena);
    }
}

static void unescapes(void **state)
{
    static const struct {
        const char *raw, *text;
    } rows[] = {
        {"plain", "plain"},
        {"", ""},
        {"\\F\\\\S\\\\T\\\\R\\\\E\\", "|^&~\\"},
        {"a\\.br\\b\\.sp\\c\\.ce\\d", "a\nb\nc\nd"},
        {"\\H\\bold\\N\\", "bold"},
        {"\\.in+4\\x", "x"},
        {"\\X41420D0A43\\", "AB\nC"},
        {"\\X4\\", ""},
        {"\\X0041\\", "A"},
        {"\\Zlocal\\x", "x"},
        {"\\C2842\\x", "x"},
        {"a\\M2442\\4A;z\\C2842\\b", "a漢字b"},
        {"\\M2442\\0\\F\\0\\S\\4A", "淫緯漢"}, /* delimiters' bytes in a pair */
        {"\\M2442\\4A\\M242844\\0!\\.br\\x", "漢丂\nx"},
        {"\\M2442\\4", "4"},              /* half a character */
        {"\\M3F3F\\4A\\C2842\\x", "4Ax"}, /* no set of ours */
        {"\\C2849\\6]\\C284A\\x", "ｶﾝx"},
        {"C:\\temp\\file", "C:\\temp\\file"},
        {"end\\", "end\\"},
        {"\\\\", "\\\\"},
        {"a\x07\x7F"
         "b\tc",
         "ab\tc"},
        {"\\E\\F\\E\\", "\\F\\"},
        {"\\P\\x", "x"},
    };
    struct lexed l = lex_ok(MSH);
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct slice got = hl7_unescape(l.m, slice_str(rows[i].raw));
        if (!slice_is(got, rows[i].text))
            fail_msg("row %zu: %.*s", i, SLICE_ARG(got));
    }
    arena_free(l.arena);
    l = lex_ok(JMSH "\rPID|\\X1B2442344129\\\r");
    assert_int_equal(hl7_value(l.m, &l.m->segments[1], 1, 1).len, 0); /* broken in its set */
    assert_slice(hl7_unescape(l.m, SLICE("\\X1B244234411B2842\\")), "漢");
    arena_free(l.arena);
}

/* ---- limits ---- */

static enum err lex_repeated(const char *head, const char *unit, size_t count,
                             const char *ret_place[1])
{
    static char place[100];
    struct buf b;
    buf_init(&b, 32 * LIMIT_MIB);
    buf_adds(&b, head);
    for (size_t i = 0; i < count; i++)
        buf_adds(&b, unit);
    struct lexed l = lex(buf_slice(&b));
    snprintf(place, sizeof(place), "%s", l.errors.first ? l.errors.first->place : "");
    *ret_place = place;
    arena_free(l.arena);
    buf_fini(&b);
    return l.err;
}

static void keeps_limits(void **state)
{
    const char *place = NULL;
    (void)state;
    assert_int_equal(lex_repeated(MSH, "\rNTE", LIMIT_HL7_SEGMENTS - 1, &place), ERR_OK);
    assert_int_equal(lex_repeated(MSH, "\rNTE", LIMIT_HL7_SEGMENTS, &place), ERR_TOO_LARGE);
    assert_string_equal(place, "line 20001");
    assert_int_equal(lex_repeated(MSH "\rZZZ", "|", LIMIT_HL7_FIELDS - 1, &place), ERR_OK);
    assert_int_equal(lex_repeated(MSH "\rZZZ", "|", LIMIT_HL7_FIELDS, &place), ERR_TOO_LARGE);
    assert_string_equal(place, "ZZZ[1]-500");
    assert_int_equal(lex_repeated(MSH "\rPID|", "~", LIMIT_HL7_REPEATS - 1, &place), ERR_OK);
    assert_int_equal(lex_repeated(MSH "\rPID|", "~", LIMIT_HL7_REPEATS, &place), ERR_TOO_LARGE);
    assert_string_equal(place, "PID[1]-1");
    assert_int_equal(lex_repeated(MSH "\rPID|1||7|", "~x", 1000000, &place), ERR_TOO_LARGE);
    assert_string_equal(place, "PID[1]-4");
    assert_int_equal(lex_repeated(MSH, "0123456789ABCDEF", LIMIT_MIB, &place), ERR_TOO_LARGE);
    assert_int_equal(lex_repeated(MSH, "\r", 15 * LIMIT_MIB, &place), ERR_OK);
    enum err err = lex_repeated(MSH "\r", "|", 15 * LIMIT_MIB, &place);
    assert_true(err == ERR_LIMIT || err == ERR_MALFORMED || err == ERR_TOO_LARGE);
}

static void says_when_memory_ends(void **state)
{
    (void)state;
    for (size_t max = 0; max < 3000; max += 40) {
        struct arena *arena = arena_new(max);
        struct arena *list_arena = arena_new(100000);
        struct err_list errors;
        struct hl7_message *m = NULL;
        struct hl7_header header;
        err_list_init(&errors, list_arena);
        enum err err = hl7_lex(arena, SLICE(JMSH "\rPID|" K "4A" A "\rOBX|1\r"), &errors, &m);
        assert_true(err == ERR_LIMIT || (err == ERR_OK && m));
        hl7_peek(arena, SLICE(JMSH), &header);
        arena_free(arena);
        arena_free(list_arena);
    }
}

/* ---- header ---- */

static void peeks(void **state)
{
    static const struct {
        const char *raw, *id, *app, *trigger, *charset;
    } rows[] = {
        {MSH, "ID1", "A", "A08", ""},
        {MSH "\r\x01garbage", "ID1", "A", "A08", ""},
        {JMSH "\rPID|\x80", "ID1", "A", "A08", "~ISO IR87"},
        {MSH "\rPID|漢", "ID1", "A", "A08", "UNICODE UTF-8"},
        {MSH "\rPID|" K "4A" A, "ID1", "A", "A08", "~ISO IR87"},
        {MSH "||||||KOI8-R\rPID|1", "ID1", "A", "A08", "KOI8-R"},
        {"MSH|^~\\&|\xFF|B|C|D|2026||ADT^A08|ID1|P|2.5||||||UNICODE UTF-8", "ID1", "?", "A08",
         "UNICODE UTF-8"},
        {"MSH|^~\\&|" K "4A" A "|||||0|ADT^A08^X|ID1|P|2.5||||||~ISO IR87", "ID1", "漢", "A08",
         "~ISO IR87"},
        {"MSH|^~|A|B|C|D|2026||ADT^A08|ID1|P|2.5", "ID1", "A", "A08", ""},
        {"MSH|^~\\&|A", "", "A", "", ""},
        {"MSHM^~\\&MA", "", "", "", ""},
        {"MSH^^~\\&^A", "", "", "", ""},
        {"MSH|", "", "", "", ""},
        {"MSH", "", "", "", ""},
        {"PID|1", "", "", "", ""},
        {"", "", "", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct hl7_header h;
        hl7_peek(arena, slice_str(rows[i].raw), &h);
        if (!slice_is(h.control_id, rows[i].id) || !slice_is(h.sending_application, rows[i].app) ||
            !slice_is(h.trigger, rows[i].trigger) || !slice_is(h.charset, rows[i].charset))
            fail_msg("row %zu: %.*s %.*s %.*s %.*s", i, SLICE_ARG(h.control_id),
                     SLICE_ARG(h.sending_application), SLICE_ARG(h.trigger), SLICE_ARG(h.charset));
        assert_int_equal(h.delimiters.field, '|');
        arena_free(arena);
    }
}

static void gives_the_header(void **state)
{
    struct lexed l = lex_ok("MSH|^~\\&|A^1|B|C|D|2026||ADT^A08^ADT_A01|ID1|T|2.5.1|||AL|NE\r");
    struct hl7_header h;
    (void)state;
    hl7_header_of(l.m, &h);
    assert_slice(h.sending_application, "A^1");
    assert_slice(h.receiving_facility, "D");
    assert_slice(h.type, "ADT");
    assert_slice(h.trigger, "A08");
    assert_slice(h.structure, "ADT_A01");
    assert_slice(h.processing_id, "T");
    assert_slice(h.version, "2.5.1");
    assert_slice(h.accept_ack, "AL");
    assert_slice(h.application_ack, "NE");
    arena_free(l.arena);
}

/* ---- corpora ---- */

static struct {
    unsigned lexed, refused, joined, broken;
} counts;

static bool joins(const struct hl7_message *m)
{
    struct buf b;
    buf_init(&b, m->text.len + 1);
    for (size_t i = 0; i < m->segment_count; i++) {
        if (i > 0)
            buf_addc(&b, '\r');
        buf_add(&b, m->segments[i].text);
    }
    bool same = slice_eq(buf_slice(&b), m->text);
    buf_fini(&b);
    return same;
}

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
    struct lexed l = lex(slice_of(bytes, len));
    struct hl7_header header;
    hl7_peek(l.arena, slice_of(bytes, len), &header);
    if (l.err != ERR_OK) {
        assert_string_equal(err_ack(l.err), "AR");
        counts.refused++;
    } else {
        counts.lexed++;
        counts.joined += joins(l.m);
        counts.broken += !slice_is_utf8(l.m->text);
    }
    arena_free(l.arena);
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
    printf("%s: %u lexed (%u join to the same text), %u refused\n", name, counts.lexed,
           counts.joined, counts.refused);
    assert_int_equal(counts.broken, 0);
    return true;
}

static void reads_the_ssmix2_samples(void **state)
{
    (void)state;
    if (!walk("japan/ssmix2-nho-sample/sampleData"))
        skip();
    assert_int_equal(counts.lexed, 21);
    assert_int_equal(counts.refused, 1); /* the misfiled one of two bytes */
    assert_int_equal(counts.joined, 21);
}

static void answers_the_corpora(void **state)
{
    (void)state;
    if (!walk("hl7v2/corpus"))
        skip();
    assert_true(counts.lexed > 30);
    assert_true(walk("hl7v2/ms-inputs"));
    assert_true(counts.lexed > 130);
    assert_true(walk("hl7v2/v2-fhir-pairs"));
    assert_true(walk("japan/pcd01-ipf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(names_the_byte),
        cmocka_unit_test(splits),
        cmocka_unit_test(tolerates),
        cmocka_unit_test(takes_other_delimiters),
        cmocka_unit_test(reads_kanji_with_delimiters_inside),
        cmocka_unit_test(guesses_only_what_is_certain),
        cmocka_unit_test(unescapes),
        cmocka_unit_test(keeps_limits),
        cmocka_unit_test(says_when_memory_ends),
        cmocka_unit_test(peeks),
        cmocka_unit_test(gives_the_header),
        cmocka_unit_test(reads_the_ssmix2_samples),
        cmocka_unit_test(answers_the_corpora),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
