/* SPDX-License-Identifier: Apache-2.0
 *
 * Reaching into a lexed message: segments, fields, repetitions, components, and the escape
 * sequences of text (HL7 v2.5 section 2.7). Everything stays a slice of the decoded text until
 * hl7_unescape is asked; that copies only where there is something to change. Nothing here fails:
 * what is absent is empty.
 */
#include "mappers/hl7v2/lex.h"

#include <assert.h>

#include "base/banned.h"

const struct hl7_segment *hl7_find(const struct hl7_message *m, const char *name, unsigned n)
{
    struct slice wanted = slice_str(name);

    assert(n >= 1);
    for (size_t i = 0; i < m->segment_count; i++) {
        if (m->segments[i].ordinal == n && slice_eq(m->segments[i].name, wanted))
            return &m->segments[i];
    }
    return NULL;
}

struct slice hl7_field(const struct hl7_segment *s, unsigned n)
{
    return s && n < s->field_count ? s->fields[n] : SLICE_NONE;
}

/* Part N (from 0) of TEXT between separators; the whole when the separator does not exist. */
static struct slice part(struct slice text, char separator, unsigned n)
{
    size_t from = 0;

    if (separator == '\0')
        return n == 0 ? text : SLICE_NONE;
    for (unsigned i = 0; i < n; i++) {
        from = slice_find(text, separator, from);
        if (from == text.len)
            return SLICE_NONE;
        from++;
    }
    return slice_sub(text, from, slice_find(text, separator, from) - from);
}

unsigned hl7_repeats(const struct hl7_message *m, struct slice field)
{
    unsigned count = field.len > 0;

    for (size_t i = 0; i < field.len; i++)
        count += field.ptr[i] == m->delimiters.repeat;
    return count;
}

struct slice hl7_repeat(const struct hl7_message *m, struct slice field, unsigned r)
{
    return part(field, m->delimiters.repeat, r);
}

struct slice hl7_component(const struct hl7_message *m, struct slice repeat, unsigned c)
{
    assert(c >= 1);
    return part(repeat, m->delimiters.component, c - 1);
}

struct slice hl7_sub(const struct hl7_message *m, struct slice component, unsigned s)
{
    assert(s >= 1);
    return part(component, m->delimiters.sub, s - 1);
}

/* ---- escapes ---- */

#define DESIGNATION_MAX 3u /* bytes behind ESC */

struct unescaping {
    const struct hl7_message *m;
    struct buf out;
    struct buf shifted; /* text since \M..\ or \C..\, in the set designated, with its ESC; empty: none */
    size_t designation; /* how much of shifted is ESC and the designation */
};

static void add_plain(struct unescaping *u, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        /* No store or page has a use for other control characters; the original keeps them. */
        if (c == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n')
            continue;
        if (c == '\r')
            buf_addc(&u->out, '\n');
        else if ((c >= 0x20 && c != 0x7F) || c == '\t' || c == '\n')
            buf_addc(&u->out, (char)c);
    }
}

static void add_text(struct unescaping *u, struct slice text)
{
    if (u->designation > 0)
        buf_add(&u->shifted, text);
    else
        add_plain(u, text);
}

static void end_shift(struct unescaping *u)
{
    struct slice all = buf_slice(&u->shifted);
    struct buf text;

    if (u->designation == 0)
        return;
    buf_init(&text, 3 * all.len + 64);
    /* What the set does not have was no text of it: then it stays as it stands. */
    if (charset_decode(CHARSET_ISO2022JP, all, &text, NULL) == ERR_OK)
        add_plain(u, buf_slice(&text));
    else
        add_plain(u, slice_sub(all, u->designation, all.len));
    buf_fini(&text);
    buf_clear(&u->shifted);
    u->designation = 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \X..\: bytes in the message's own set. What that set does not have is dropped. */
static void add_hex(struct unescaping *u, struct slice digits)
{
    struct buf bytes;
    struct buf text;

    buf_init(&bytes, digits.len + 1);
    buf_init(&text, 3 * digits.len + 64);
    for (size_t i = 0; i + 2 <= digits.len; i += 2) {
        int high = hex_value(digits.ptr[i]);
        int low = hex_value(digits.ptr[i + 1]);
        if (high < 0 || low < 0)
            break;
        buf_addc(&bytes, (char)(unsigned char)(high << 4 | low));
    }
    if (charset_decode(u->m->charset, buf_slice(&bytes), &text, NULL) == ERR_OK)
        add_plain(u, buf_slice(&text));
    buf_fini(&bytes);
    buf_fini(&text);
}

/* \C..\ and \M..\ (v2.5 section 2.7.2): DIGITS are what follows ESC in ISO 2022. ASCII needs no
 * shift. */
static void designate(struct unescaping *u, struct slice digits)
{
    char bytes[1 + DESIGNATION_MAX] = "\x1B";
    size_t len = digits.len / 2;

    end_shift(u);
    if (len == 0 || len > DESIGNATION_MAX)
        return;
    for (size_t i = 0; i < len; i++)
        bytes[1 + i] = (char)(hex_value(digits.ptr[2 * i]) << 4 | hex_value(digits.ptr[2 * i + 1]));
    if (slice_eq(slice_of(bytes, 1 + len), SLICE("\x1B(B")))
        return;
    buf_add(&u->shifted, slice_of(bytes, 1 + len));
    u->designation = 1 + len;
}

/* \F\ \S\ \R\ \E\ \T\ \P\: the delimiter that the letter stands for, '\0' for other letters. */
static char delimiter_of(const struct hl7_message *m, char letter)
{
    struct slice two = hl7_field(&m->segments[0], 2);

    switch (letter) {
    case 'F':
        return m->delimiters.field;
    case 'S':
        return m->delimiters.component;
    case 'R':
        return m->delimiters.repeat;
    case 'E':
        return m->delimiters.escape;
    case 'T':
        return m->delimiters.sub;
    case 'P': /* truncation, v2.7 on */
        return two.len == 5 ? two.ptr[4] : '\0';
    default:
        return '\0';
    }
}

/* Formatting commands that begin a new line; the others change only looks. */
static bool breaks_line(struct slice command)
{
    return slice_starts(command, SLICE(".br")) || slice_starts(command, SLICE(".sp")) ||
           slice_starts(command, SLICE(".ce"));
}

/* Could SEQUENCE be what stands between two escape characters? Else the characters stand for
 * themselves, as in a Windows path that nobody escaped. */
static bool is_sequence(struct slice sequence)
{
    if (sequence.len == 0 || sequence.len > 4096)
        return false;
    if (sequence.len == 1)
        return memchr("FSTREPHN", sequence.ptr[0], 8) != NULL;
    if (sequence.ptr[0] == '.' || sequence.ptr[0] == 'Z')
        return true;
    if (memchr("XCM", sequence.ptr[0], 3) == NULL)
        return false;
    for (size_t i = 1; i < sequence.len; i++) {
        if (hex_value(sequence.ptr[i]) < 0)
            return false;
    }
    return true;
}

static void add_sequence(struct unescaping *u, struct slice sequence)
{
    char c = sequence.len == 1 ? delimiter_of(u->m, sequence.ptr[0]) : '\0';

    if (c != '\0') {
        add_text(u, slice_of(&c, 1));
        return;
    }
    if (memchr("CM", sequence.ptr[0], 2) && sequence.len > 1) {
        designate(u, slice_sub(sequence, 1, sequence.len - 1));
        return;
    }
    end_shift(u);
    if (breaks_line(sequence))
        buf_addc(&u->out, '\n');
    else if (sequence.ptr[0] == 'X' && sequence.len > 1)
        add_hex(u, slice_sub(sequence, 1, sequence.len - 1));
}

/* Anything in TEXT that unescaping would change? */
static bool is_plain(const struct hl7_message *m, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == (unsigned char)m->delimiters.escape || c < 0x20 || c == 0x7F)
            return false;
    }
    return true;
}

struct slice hl7_unescape(const struct hl7_message *m, struct slice text)
{
    struct unescaping u = {.m = m};
    size_t at = 0;

    if (is_plain(m, text))
        return text;
    buf_init(&u.out, 3 * text.len + 16);
    buf_init(&u.shifted, text.len + 16);
    while (at < text.len) {
        size_t open = slice_find(text, m->delimiters.escape, at);
        add_text(&u, slice_sub(text, at, open - at));
        if (open == text.len)
            break;
        size_t close = slice_find(text, m->delimiters.escape, open + 1);
        struct slice sequence = slice_sub(text, open + 1, close - open - 1);
        if (close < text.len && is_sequence(sequence)) {
            add_sequence(&u, sequence);
            at = close + 1;
        } else {
            add_text(&u, slice_sub(text, open, 1));
            at = open + 1;
        }
    }
    end_shift(&u);
    struct slice result = arena_dup(m->arena, buf_slice(&u.out));
    buf_fini(&u.shifted);
    buf_fini(&u.out);
    return result;
}

struct slice hl7_value(const struct hl7_message *m, const struct hl7_segment *s, unsigned n,
                       unsigned c)
{
    return hl7_unescape(m, hl7_component(m, hl7_repeat(m, hl7_field(s, n), 0), c));
}

bool hl7_is_null(struct slice value)
{
    return slice_is(value, "\"\"");
}
