/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints messages. A character set can spell one text in several ways (ISO-2022-JP has two escapes
 * for the same kanji, and a kana twice), so a segment that still says what was read is written in
 * the bytes it came in; every other one is encoded anew. Lines of the raw message and of its decoded
 * text correspond one to one, because no set here hides CR or LF in a character.
 */
#include "mappers/hl7v2/print.h"

#include <assert.h>

#include "base/banned.h"

struct lines {
    struct slice text, raw; /* what was not walked over yet */
};

struct line {
    struct slice text, raw;
    struct slice end; /* of it, with the blank lines that follow */
};

static bool is_end(char c)
{
    return c == '\r' || c == '\n';
}

static struct slice take_line(struct slice *rest)
{
    size_t n = 0;

    while (n < rest->len && !is_end(rest->ptr[n]))
        n++;
    struct slice line = slice_sub(*rest, 0, n);
    *rest = slice_sub(*rest, n, rest->len);
    return line;
}

static struct slice take_end(struct slice *rest)
{
    size_t n = 0;

    while (n < rest->len && is_end(rest->ptr[n]))
        n++;
    struct slice end = slice_sub(*rest, 0, n);
    *rest = slice_sub(*rest, n, rest->len);
    return end;
}

/* The line that SEGMENT was read from; false when it was read from none. */
static bool find_line(struct lines *lines, const struct hl7_segment *segment, struct line *ret_line)
{
    struct lines walk = *lines;

    while (walk.text.len > 0) {
        struct line line = {.text = take_line(&walk.text), .raw = take_line(&walk.raw)};
        line.end = take_end(&walk.raw);
        (void)take_end(&walk.text);
        if (line.text.ptr != segment->text.ptr)
            continue;
        *lines = walk;
        *ret_line = line;
        return true;
    }
    return false;
}

/* SEGMENT from its fields. MSH-1 is the delimiter that stands between the name and MSH-2. */
static void join(const struct hl7_message *m, const struct hl7_segment *segment, bool header,
                 struct buf *text)
{
    for (size_t i = 0; i < segment->field_count; i++) {
        if (i > (header ? 2 : 0))
            buf_addc(text, m->delimiters.field);
        buf_add(text, segment->fields[i]);
    }
}

static bool is_within(struct slice part, struct slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

enum err hl7_print(const struct hl7_message *m, struct buf *out, size_t *ret_replaced)
{
    struct lines lines = {.text = m->text, .raw = m->raw};
    struct slice between = SLICE_NONE;
    size_t old_len = out->len;
    size_t replaced = 0;
    enum err err = ERR_OK;
    struct buf text;

    assert(m->segment_count > 0);
    buf_init(&text, 4 * (m->text.len + m->raw.len) + 65536);
    buf_add(out, m->before);
    for (size_t i = 0; i < m->segment_count && !err; i++) {
        const struct hl7_segment *segment = &m->segments[i];
        struct line line = {.end = SLICE("\r")};
        size_t lost = 0;
        buf_clear(&text);
        join(m, segment, i == 0, &text);
        bool read = is_within(segment->text, m->text) && find_line(&lines, segment, &line);
        buf_add(out, i == 0 ? SLICE_NONE : between.len ? between : SLICE("\r"));
        if (read && slice_eq(buf_slice(&text), line.text))
            buf_add(out, line.raw);
        else
            err = buf_err(&text) ? buf_err(&text)
                                 : charset_encode(m->charset, buf_slice(&text), out, &lost);
        between = line.end;
        replaced += lost;
    }
    buf_add(out, m->after);
    buf_fini(&text);
    if (!err)
        err = buf_err(out);
    if (err)
        out->len = old_len;
    else
        *ret_replaced = replaced;
    return err;
}

static char letter_of(const struct hl7_delimiters *d, char c)
{
    if (c == d->field)
        return 'F';
    if (c == d->component)
        return 'S';
    if (c == d->repeat)
        return 'R';
    if (c == d->escape)
        return 'E';
    return c == d->sub && c != '\0' ? 'T' : '\0';
}

void hl7_escape(const struct hl7_delimiters *delimiters, struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        char letter = letter_of(delimiters, text.ptr[i]);
        bool pair = c == '\n' && i > 0 && text.ptr[i - 1] == '\r';

        if (letter != '\0')
            buf_addf(out, "%c%c%c", delimiters->escape, letter, delimiters->escape);
        else if ((c == '\r' || c == '\n') && !pair)
            buf_addf(out, "%c.br%c", delimiters->escape, delimiters->escape);
        else if (c >= 0x20 && c != 0x7F)
            buf_addc(out, text.ptr[i]);
    }
}
