/* SPDX-License-Identifier: Apache-2.0
 *
 * The undecoded side of the lexer (HL7 v2.5 section 2.5.4 delimiters, 2.15.9.18 character set). The
 * one loop here is scan_next: it hands out single-byte characters and steps over double-byte ones,
 * so that MSH-18 is found even when an earlier MSH field holds kanji. It decides nothing about
 * characters themselves.
 */
#include "mappers/hl7v2/raw.h"

#include "base/limits.h"

#include <assert.h>

#include "base/banned.h"

#define ESC 0x1B

/* ---- stepping over double-byte characters ---- */

enum scan_mode { SCAN_SINGLE, SCAN_KANA, SCAN_DOUBLE };

struct scan {
    struct slice bytes;
    size_t at; /* of the next byte */
    enum scan_mode mode;
    bool sjis; /* step over Shift_JIS pairs too */
};

/* Takes an escape sequence; leaves an unknown one alone (the decoder will name it). */
static void scan_escape(struct scan *s)
{
    struct slice rest = slice_sub(s->bytes, s->at, 4);

    if (slice_starts(rest, SLICE("\x1B$(")) && rest.len == 4) {
        s->mode = SCAN_DOUBLE;
        s->at += 4;
    } else if (slice_starts(rest, SLICE("\x1B$")) && rest.len >= 3) {
        s->mode = SCAN_DOUBLE;
        s->at += 3;
    } else if (slice_starts(rest, SLICE("\x1B(")) && rest.len >= 3) {
        s->mode = rest.ptr[2] == 'I' ? SCAN_KANA : SCAN_SINGLE;
        s->at += 3;
    } else {
        s->at += 1;
    }
}

/* The next single-byte character and its offset; false at the end. */
static bool scan_next(struct scan *s, char *ret_c, size_t *ret_offset)
{
    while (s->at < s->bytes.len) {
        unsigned char c = (unsigned char)s->bytes.ptr[s->at];
        bool line_end = c == '\r' || c == '\n';
        if (line_end)
            s->mode = SCAN_SINGLE;
        if (c == ESC) {
            scan_escape(s);
        } else if (s->mode == SCAN_DOUBLE) {
            s->at += 2;
        } else if (s->mode == SCAN_KANA) {
            s->at += 1;
        } else if (s->sjis && ((c >= 0x81 && c <= 0x9F) || (c >= 0xE0 && c <= 0xFC))) {
            s->at += 2;
        } else {
            *ret_offset = s->at++;
            *ret_c = (char)c;
            return true;
        }
    }
    return false;
}

/* ---- framing and delimiters ---- */

struct slice raw_trim(struct slice raw)
{
    if (slice_starts(raw, SLICE("\xEF\xBB\xBF")))
        raw = slice_sub(raw, 3, raw.len - 3);
    while (raw.len > 0) {
        char c = raw.ptr[raw.len - 1];
        if (c != '\x1C' && c != '\r' && c != '\n')
            break;
        raw.len--;
    }
    return raw;
}

struct slice raw_line(struct slice raw)
{
    size_t n = 0;
    while (n < raw.len && raw.ptr[n] != '\r' && raw.ptr[n] != '\n')
        n++;
    return slice_sub(raw, 0, n);
}

bool raw_may_delimit(char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool digit = c >= '0' && c <= '9';
    return c > 0x20 && c < 0x7F && !letter && !digit;
}

static enum err refuse(struct err_list *errors, const char *place, const char *en, const char *ja)
{
    if (errors)
        return err_say(errors, ERR_SEVERITY_ERROR, ERR_MALFORMED, place, en, ja);
    return ERR_MALFORMED;
}

enum err raw_delimiters(struct slice line, struct err_list *errors,
                        struct hl7_delimiters *ret_delimiters)
{
    if (!slice_starts(line, SLICE("MSH")))
        return refuse(errors, "MSH", "the message does not begin with MSH",
                      "MSH で始まっていません");
    if (line.len < 4 || !raw_may_delimit(line.ptr[3]))
        return refuse(errors, "MSH-1", "MSH-1 is not a usable field delimiter",
                      "MSH-1 が項目の区切り文字として使えません");
    size_t end = slice_find(line, line.ptr[3], 4);
    if (end == line.len)
        return refuse(errors, "MSH", "MSH ends too early", "MSH が途中で終わっています");
    struct slice two = slice_sub(line, 4, end - 4);
    if (two.len < 3 || two.len > 5)
        return refuse(errors, "MSH-2", "MSH-2 must have 3 to 5 characters",
                      "MSH-2 は 3〜5 文字でなければなりません");
    for (size_t i = 0; i < two.len; i++) {
        if (!raw_may_delimit(two.ptr[i]) || slice_find(two, two.ptr[i], i + 1) != two.len)
            return refuse(errors, "MSH-2",
                          "the delimiters in MSH-2 must be different punctuation marks",
                          "MSH-2 の区切り文字は互いに異なる記号でなければなりません");
    }
    *ret_delimiters = (struct hl7_delimiters){.field = line.ptr[3],
                                              .component = two.ptr[0],
                                              .repeat = two.ptr[1],
                                              .escape = two.ptr[2],
                                              .sub = two.len > 3 ? two.ptr[3] : '\0'};
    return ERR_OK;
}

/* ---- MSH-18 ---- */

static struct slice header_field(struct slice line, char field_delimiter, unsigned n, bool sjis)
{
    struct scan s = {.bytes = line, .at = 3, .sjis = sjis};
    unsigned seen = 0; /* field delimiters so far; field n follows the (n - 1)-th */
    size_t start = line.len;
    size_t offset = 0;
    char c = 0;

    assert(n >= 2);
    while (scan_next(&s, &c, &offset)) {
        if (c != field_delimiter)
            continue;
        if (++seen == n - 1)
            start = offset + 1;
        else if (seen == n)
            return slice_sub(line, start, offset - start);
    }
    return slice_sub(line, start, line.len - start);
}

/* MSH-18 as a set. A header in Shift_JIS may hide delimiters; so a second look where it is not
 * UTF-8. */
static enum err declared_charset(struct slice line, const struct hl7_delimiters *delimiters,
                                 struct slice *ret_name, enum charset *ret_charset)
{
    char name[64];
    struct slice field = slice_trim(header_field(line, delimiters->field, 18, false));

    if (!slice_is_utf8(line)) {
        struct slice other = slice_trim(header_field(line, delimiters->field, 18, true));
        enum charset set = CHARSET_ASCII;
        if (charset_from_hl7(other, &set) == ERR_OK && set == CHARSET_SJIS)
            field = other;
    }
    *ret_name = field;
    if (field.len > sizeof(name))
        return ERR_CHARSET;
    for (size_t i = 0; i < field.len; i++) {
        char c = field.ptr[i];
        name[i] = (char)(c == delimiters->repeat ? '~' : c);
    }
    return charset_from_hl7(slice_of(name, field.len), ret_charset);
}

static bool has_high_byte(struct slice bytes)
{
    unsigned char all = 0;
    for (size_t i = 0; i < bytes.len; i++)
        all |= (unsigned char)bytes.ptr[i];
    return all >= 0x80;
}

static void warn(struct err_list *errors, const char *en, const char *ja)
{
    if (errors)
        (void)err_say(errors, ERR_SEVERITY_WARNING, ERR_CHARSET, "MSH-18", en, ja);
}

static enum err guess_charset(struct slice raw, struct err_list *errors, enum charset *ret_charset)
{
    if (has_high_byte(raw)) {
        if (!slice_is_utf8(raw)) {
            if (errors)
                (void)err_say(
                    errors, ERR_SEVERITY_ERROR, ERR_CHARSET, "MSH-18",
                    "MSH-18 is empty, but there are bytes that are neither ASCII nor UTF-8",
                    "MSH-18 が空ですが、ASCII でも UTF-8 でもないバイトがあります");
            return ERR_CHARSET;
        }
        warn(errors, "MSH-18 is empty; read as UTF-8", "MSH-18 が空のため UTF-8 として読みました");
        *ret_charset = CHARSET_UTF8;
    } else if (slice_search(raw, SLICE("\x1B$"), 0) < raw.len ||
               slice_search(raw, SLICE("\x1B("), 0) < raw.len) {
        warn(errors, "MSH-18 is empty; read as ISO-2022-JP",
             "MSH-18 が空のため ISO-2022-JP として読みました");
        *ret_charset = CHARSET_ISO2022JP;
    } else {
        *ret_charset = CHARSET_ASCII;
    }
    return ERR_OK;
}

enum err raw_charset(struct slice raw, const struct hl7_delimiters *delimiters,
                     struct err_list *errors, enum charset *ret_charset)
{
    struct slice name = SLICE_NONE;
    enum err err = declared_charset(raw_line(raw), delimiters, &name, ret_charset);

    if (err != ERR_OK) {
        if (errors)
            (void)err_add(errors, err, "MSH-18", NULL);
        return err;
    }
    return name.len == 0 ? guess_charset(raw, errors, ret_charset) : ERR_OK;
}

/* ---- places ---- */

bool raw_is_segment(struct slice line, char field_delimiter)
{
    if (line.len < 3 || line.ptr[0] < 'A' || line.ptr[0] > 'Z')
        return false;
    for (size_t i = 1; i < 3; i++) {
        char c = line.ptr[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
            return false;
    }
    return line.len == 3 || line.ptr[3] == field_delimiter;
}

static unsigned field_number(struct slice line, char field_delimiter, size_t offset)
{
    struct scan s = {.bytes = slice_sub(line, 0, offset)};
    unsigned n = slice_starts(line, SLICE("MSH")) ? 1 : 0;
    size_t at = 0;
    char c = 0;

    while (scan_next(&s, &c, &at))
        n += c == field_delimiter;
    return n;
}

const char *raw_place(struct arena *arena, struct slice raw, char field_delimiter, size_t offset)
{
    unsigned ordinal = 1;
    size_t number = 1;
    size_t start = 0;
    const char *place;

    for (size_t i = 0; i < offset && i < raw.len; i++) {
        bool pair = raw.ptr[i] == '\n' && i > 0 && raw.ptr[i - 1] == '\r';
        if (raw.ptr[i] != '\r' && raw.ptr[i] != '\n')
            continue;
        start = i + 1;
        number += !pair;
    }
    struct slice line = raw_line(slice_sub(raw, start, raw.len - start));
    if (!raw_is_segment(line, field_delimiter)) {
        place = arena_printf(arena, "line %zu", number);
        return place ? place : "";
    }
    for (size_t i = 0; i + 4 <= start; i++) {
        bool line_start = i == 0 || raw.ptr[i - 1] == '\r' || raw.ptr[i - 1] == '\n';
        if (line_start && memcmp(raw.ptr + i, line.ptr, 3) == 0)
            ordinal++;
    }
    place = arena_printf(arena, "%.3s[%u]-%u", line.ptr, ordinal,
                         field_number(line, field_delimiter, offset - start));
    return place ? place : "";
}
