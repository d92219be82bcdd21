/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the bytes of a file by its escapes (see jis.h). It must not decode: what a byte stands
 * for is of no interest here, only whether the standard has it.
 */
#include "mappers/ssmix2/jis.h"

#include "mappers/hl7v2/raw.h"

#include "base/banned.h"

#define ESC 0x1B

enum fault { HIGH_BYTE, FOREIGN_SET, ROMAN_SET, NO_CHARACTER, LEFT_OPEN, NOT_NAMED, FAULTS };

static const struct {
    enum err_severity severity;
    const char *en, *ja;
} faults[FAULTS] = {
    [HIGH_BYTE] = {ERR_SEVERITY_ERROR, "a byte above 0x7F: the text is not ISO-2022-JP",
                   "0x80 以上のバイトがあります（ISO-2022-JP ではありません）"},
    [FOREIGN_SET] = {ERR_SEVERITY_ERROR,
                     "an escape to a character set that the standard storage does not use",
                     "標準化ストレージで使わない文字集合への切り替えがあります"},
    [ROMAN_SET] = {ERR_SEVERITY_WARNING,
                   "an escape to JIS Roman or JIS C 6226; ASCII and JIS X 0208 are meant",
                   "JIS ローマ字または旧 JIS への切り替えがあります"},
    [NO_CHARACTER] = {ERR_SEVERITY_ERROR, "a character outside JIS X 0208",
                      "JIS X 0208 にない文字（外字など）があります"},
    [LEFT_OPEN] = {ERR_SEVERITY_ERROR, "a shift to two-byte characters is left open",
                   "2 バイト文字への切り替えが閉じられていません"},
    [NOT_NAMED] = {ERR_SEVERITY_ERROR, "MSH-18 does not name ISO IR87",
                   "MSH-18 に ISO IR87 がありません"},
};

struct walk {
    struct arena *arena;
    struct slice bytes;
    struct err_list *found;
    bool said[FAULTS];
    bool two; /* two-byte characters are shifted in */
    bool any; /* two-byte characters were seen */
};

static void say(struct walk *w, enum fault fault, size_t offset)
{
    struct hl7_delimiters d = {.field = '|'};

    if (w->said[fault])
        return;
    w->said[fault] = true;
    if (raw_delimiters(raw_line(w->bytes), NULL, &d) != ERR_OK)
        d.field = '|';
    (void)err_say(w->found, faults[fault].severity, ERR_CHARSET,
                  raw_place(w->arena, w->bytes, d.field, offset), faults[fault].en,
                  faults[fault].ja);
}

/* Rows 1 to 8 and 16 to 84 hold characters; the last row of level 1 ends at 47-51, of level 2 at
 * 84-06. */
static bool is_character(unsigned char first, unsigned char second)
{
    unsigned row = first - 0x20u, cell = second - 0x20u;

    if (first < 0x21 || first > 0x7E || second < 0x21 || second > 0x7E)
        return false;
    if ((row > 8 && row < 16) || row > 84)
        return false;
    return !(row == 47 && cell > 51) && !(row == 84 && cell > 6);
}

/* The escape at offset I; how many bytes it has. */
static size_t walk_escape(struct walk *w, size_t i)
{
    static const struct {
        const char *text;
        bool two;
        enum fault fault;
    } escapes[] = {
        {"\x1B$B", true, FAULTS}, {"\x1B(B", false, FAULTS},
        {"\x1B$@", true, ROMAN_SET}, {"\x1B(J", false, ROMAN_SET},
    };
    struct slice here = slice_sub(w->bytes, i, 3);

    for (size_t e = 0; e < sizeof(escapes) / sizeof(escapes[0]); e++) {
        if (!slice_is(here, escapes[e].text))
            continue;
        w->two = escapes[e].two;
        if (escapes[e].fault != FAULTS)
            say(w, escapes[e].fault, i);
        return 3;
    }
    say(w, FOREIGN_SET, i);
    return 1;
}

static size_t walk_one(struct walk *w, size_t i)
{
    unsigned char c = (unsigned char)w->bytes.ptr[i];

    if (c == ESC)
        return walk_escape(w, i);
    if (c == '\r' || c == '\n') {
        if (w->two)
            say(w, LEFT_OPEN, i > 0 ? i - 1 : 0);
        w->two = false;
        return 1;
    }
    if (c > 0x7F)
        say(w, HIGH_BYTE, i);
    if (!w->two || c > 0x7F)
        return 1;
    w->any = true;
    unsigned char second = i + 1 < w->bytes.len ? (unsigned char)w->bytes.ptr[i + 1] : 0;
    if (second == ESC || second == '\r' || second == '\n' || !is_character(c, second)) {
        say(w, NO_CHARACTER, i);
        return second < 0x21 ? 1 : 2;
    }
    return 2;
}

/* Does MSH-18 have a spelling of ISO IR-87 ("~ISO IR87", "~ISOIR87", "ISO IR-87")? */
static bool names_jis(struct slice line)
{
    struct slice field = SLICE_NONE;
    char text[64];
    size_t n = 0;

    for (unsigned i = 0; i < 18 && line.ptr; i++)
        field = slice_cut(&line, '|'); /* MSH-1 is the delimiter: the 18th part is MSH-18 */
    for (size_t i = 0; i < field.len && n < sizeof(text) - 1; i++) {
        if (field.ptr[i] != ' ' && field.ptr[i] != '-')
            text[n++] = field.ptr[i];
    }
    return slice_search(slice_of(text, n), SLICE("ISOIR87"), 0) < n;
}

void jis_check(struct arena *arena, struct slice bytes, struct err_list *found)
{
    struct walk w = {.arena = arena, .bytes = raw_trim(bytes), .found = found};

    for (size_t i = 0; i < w.bytes.len;)
        i += walk_one(&w, i);
    if (w.two)
        say(&w, LEFT_OPEN, w.bytes.len - 1);
    if (w.any && !names_jis(raw_line(w.bytes)))
        say(&w, NOT_NAMED, 0);
}
