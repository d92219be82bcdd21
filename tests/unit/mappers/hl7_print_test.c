/* SPDX-License-Identifier: Apache-2.0
 *
 * Printing messages: what was read comes out byte for byte, whatever its line ends, set and
 * spelling; what was changed is written in the message's own set and delimiters and nothing else is
 * touched. Then every message of the corpora, there and back, with counts.
 */
#include "lib/t.h"

#include <ftw.h>

#include "base/limits.h"
#include "mappers/hl7v2/print.h"

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

static struct hl7_message *lex(struct arena *arena, struct slice raw)
{
    struct hl7_message *m = NULL;
    struct err_list errors;

    err_list_init(&errors, arena);
    return hl7_lex(arena, raw, &errors, &m) == ERR_OK ? m : NULL;
}

static void prints_what_it_read(void **state)
{
    static const char *const rows[] = {
        MSH "\rPID|1||77^^^H&1&ISO^PI~88||Y^T|\"\"|\rZPD|x|y\r",
        MSH,
        MSH "\n\nPID|1\r\n\r\nOBX|||\n",
        "\xEF\xBB\xBF" MSH "\rPID|1\r\x1C\r",
        "MSH#!@%*#S#F\rPID#1##1!2*3@4%F%|",
        MSH "|\rNTE\rMSH\rPID||||\r",
        JMSH "\rPID|" K "0|0^0~0\\0&" A "^" K "4A" A "|2\r",
        JMSH "\rPID|\x1B$@4A\x1B(J|\x1B(I6]\x1B(B" K A "\r", /* spellings the encoder has not */
        JMSH "\rPID|" K "4A\rNTE|1",                         /* a shift left open */
        MSH "||||||UNICODE UTF-8\rPID|\xF0\xA0\xAE\xB7\r",
        "MSH|^~\\&|\x83|\x83^|B|||||ADT^A08|1|P|2.5||||||SHIFT_JIS\rPID|\x83|\xB6\xC5\r",
        MSH "||||||8859/1\rPID|\xFC\r",
        MSH "||||||EUC-JP\rPID|\xB4\xC1\x8E\xB6\r",
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct hl7_message *m = lex(arena, slice_str(rows[i]));
        struct buf out;
        size_t replaced = 9;
        buf_init(&out, LIMIT_MIB);
        if (!m)
            fail_msg("row %zu: not a message", i);
        assert_int_equal(hl7_print(m, &out, &replaced), ERR_OK);
        assert_buf(&out, rows[i]);
        assert_int_equal(replaced, 0);
        buf_fini(&out);
        arena_free(arena);
    }
}

static void prints_changes_only(void **state)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct hl7_message *m =
        lex(arena, SLICE(JMSH "\rPID|1|\x1B$@4A\x1B(J\r\nOBX|1\rNTE|\x1B$@4A\x1B(J\r\x1C"));
    struct hl7_segment more[6];
    struct slice fields[] = {SLICE("ZZZ"), SLICE("漢^\xF0\xA0\xAE\xB7")};
    size_t replaced = 0;
    struct buf out;
    (void)state;
    buf_init(&out, LIMIT_MIB);
    assert_non_null(m);
    m->segments[1].fields[1] = SLICE("2");
    assert_int_equal(hl7_print(m, &out, &replaced), ERR_OK);
    assert_buf(&out, JMSH "\rPID|2|" K "4A" A "\r\nOBX|1\rNTE|\x1B$@4A\x1B(J\r\x1C");
    buf_clear(&out);
    more[0] = m->segments[0]; /* one removed, one put in, one at the end */
    more[1] = (struct hl7_segment){
        .name = fields[0], .text = SLICE("ZZZ"), .fields = fields, .field_count = 2};
    more[2] = m->segments[3];
    more[3] = more[1];
    m->segments = more;
    m->segment_count = 4;
    assert_int_equal(hl7_print(m, &out, &replaced), ERR_OK);
    assert_int_equal(replaced, 2);
    assert_buf(&out, JMSH "\rZZZ|" K "4A" A "^" K "\"#" A "\rNTE|\x1B$@4A\x1B(J\rZZZ|" K "4A" A
                          "^" K "\"#" A "\r\x1C");
    buf_fini(&out);
    buf_init(&out, 20);
    assert_int_equal(hl7_print(m, &out, &replaced), ERR_TOO_LARGE);
    buf_fini(&out);
    arena_free(arena);
}

static void escapes(void **state)
{
    static const struct hl7_delimiters usual = {'|', '^', '~', '\\', '&'};
    static const struct hl7_delimiters four = {'#', '!', '@', '%', '\0'};
    struct arena *arena = arena_new(LIMIT_MIB);
    struct hl7_message *m = lex(arena, SLICE(MSH));
    struct buf out;
    (void)state;
    buf_init(&out, 1000);
    hl7_escape(&usual, SLICE("a|^~\\&b\r\nc\nd\x07"), &out);
    assert_buf(&out, "a\\F\\\\S\\\\R\\\\E\\\\T\\b\\.br\\c\\.br\\d");
    assert_slice(hl7_unescape(m, buf_slice(&out)), "a|^~\\&b\nc\nd");
    buf_clear(&out);
    hl7_escape(&four, SLICE("|#!@%&"), &out);
    assert_buf(&out, "|%F%%S%%R%%E%&");
    buf_fini(&out);
    arena_free(arena);
}

/* ---- corpora ---- */

static struct {
    unsigned printed, differ, refused, anew;
} counts;

static bool same_when_encoded(const struct hl7_message *m)
{
    struct buf out;
    buf_init(&out, 4 * m->raw.len + 100);
    bool same = charset_encode(m->charset, m->text, &out, NULL) == ERR_OK &&
                slice_eq(buf_slice(&out), m->raw);
    buf_fini(&out);
    return same;
}

/* Every field again from its smallest parts. */
static bool joins_again(const struct hl7_message *m, struct slice field)
{
    struct buf out;
    unsigned repeats = hl7_repeats(m, field);
    buf_init(&out, field.len + 1);
    for (unsigned r = 0; r < repeats; r++) {
        struct slice repeat = hl7_repeat(m, field, r);
        for (unsigned c = 1; c < 40; c++) {
            struct slice component = hl7_component(m, repeat, c);
            if (!component.ptr)
                break;
            if (c > 1)
                buf_addc(&out, m->delimiters.component);
            for (unsigned s = 1; s < 40; s++) {
                struct slice sub = hl7_sub(m, component, s);
                if (!sub.ptr)
                    break;
                if (s > 1)
                    buf_addc(&out, m->delimiters.sub);
                buf_add(&out, sub);
            }
        }
        if (r + 1 < repeats)
            buf_addc(&out, m->delimiters.repeat);
    }
    bool same = slice_eq(buf_slice(&out), field);
    buf_fini(&out);
    return same;
}

static bool tree_is_whole(const struct hl7_message *m)
{
    for (size_t i = 0; i < m->segment_count; i++) {
        for (unsigned n = i == 0 ? 3 : 1; n < m->segments[i].field_count; n++) {
            if (!joins_again(m, m->segments[i].fields[n]))
                return false;
        }
    }
    return true;
}

static void there_and_back(const char *path, struct slice bytes)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct hl7_message *m = lex(arena, bytes);
    size_t replaced = 0;
    struct buf out;

    if (!m) {
        counts.refused++;
        arena_free(arena);
        return;
    }
    buf_init(&out, LIMIT_ARENA_REQUEST);
    assert_int_equal(hl7_print(m, &out, &replaced), ERR_OK);
    if (slice_eq(buf_slice(&out), bytes) && tree_is_whole(m)) {
        counts.printed++;
    } else {
        counts.differ++;
        print_error("%s differs\n", path);
    }
    counts.anew += same_when_encoded(m);
    buf_fini(&out);
    arena_free(arena);
}

static int visit(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    size_t len = (size_t)info->st_size;
    FILE *file = NULL;

    (void)ftw;
    if (type != FTW_F)
        return 0;
    char *bytes = malloc(len ? len : 1);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, len, file), len);
    fclose(file);
    there_and_back(path, slice_of(bytes, len));
    free(bytes);
    return 0;
}

static void prints_the_corpora(void **state)
{
    static const char *const names[] = {"hl7v2/corpus", "hl7v2/ms-inputs", "hl7v2/v2-fhir-pairs",
                                        "japan/ssmix2-nho-sample", "japan/pcd01-ipf"};
    unsigned here = 0;
    unsigned printed = 0;

    (void)state;
    for (size_t i = 0; i < T_COUNT(names); i++) {
        char path[4096];
        if (!t_corpus(names[i], path, sizeof(path)))
            continue;
        memset(&counts, 0, sizeof(counts));
        here++;
        assert_int_equal(nftw(path, visit, 16, FTW_PHYS), 0);
        printf("%s: %u printed byte for byte (%u also when encoded anew), %u differ, %u are no"
               " messages\n",
               names[i], counts.printed, counts.anew, counts.differ, counts.refused);
        assert_int_equal(counts.differ, 0);
        printed += counts.printed;
    }
    if (here == 0)
        skip();
    assert_true(here < T_COUNT(names) || printed > 190);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_what_it_read),
        cmocka_unit_test(prints_changes_only),
        cmocka_unit_test(escapes),
        cmocka_unit_test(prints_the_corpora),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
