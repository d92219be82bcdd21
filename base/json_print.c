/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the JSON tree (RFC 8259), compactly or indented for people. Only what must be escaped is
 * (section 7), so Japanese text stays readable and short; numbers are written digit for digit as
 * they came. It must not sort, round or otherwise tidy: what is stored must print back as it was.
 */
#include "base/json.h"

#include <assert.h>

#include "base/banned.h"

static bool needs_escape(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

#define EACH UINT64_C(0x0101010101010101)
#define HIGH (0x80 * EACH)

/* Does one of eight bytes need an escape? Each term sets the high bit of a byte that is below 0x20,
 * or zero once the character looked for is taken out of it; a byte above may be set besides, which
 * costs a closer look and nothing else. */
static bool any_escape(uint64_t word)
{
    uint64_t quote = word ^ ('"' * EACH), backslash = word ^ ('\\' * EACH);
    return (((word - 0x20 * EACH) & ~word) | ((quote - EACH) & ~quote) |
            ((backslash - EACH) & ~backslash)) &
           HIGH;
}

/* How many bytes of TEXT from FROM on print as they are. */
static size_t plain_len(struct slice text, size_t from)
{
    size_t at = from;
    uint64_t word;
    for (; text.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, text.ptr + at, sizeof(word));
        if (any_escape(word))
            break;
    }
    while (at < text.len && !needs_escape(text.ptr[at]))
        at++;
    return at - from;
}

static void print_escape(struct buf *out, char c)
{
    static const char letters[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    unsigned char byte = (unsigned char)c;
    if (byte >= 0x20) {
        buf_addc(out, '\\');
        buf_addc(out, c);
    } else if (letters[byte]) {
        buf_addc(out, '\\');
        buf_addc(out, letters[byte]);
    } else {
        buf_addf(out, "\\u%04x", byte);
    }
}

/* The rest of TEXT from AT on, of which nothing or not all prints as it is. */
static void print_rest(struct buf *out, struct slice text, size_t at)
{
    for (; at < text.len; at++) {
        size_t plain = plain_len(text, at);
        buf_add(out, slice_sub(text, at, plain));
        at += plain;
        if (at < text.len)
            print_escape(out, text.ptr[at]);
    }
    buf_addc(out, '"');
}

void json_print_string(struct buf *out, struct slice text)
{
    size_t plain = plain_len(text, 0);
    char *to = buf_reserve(out, plain + 2);
    if (!to)
        return;
    *to++ = '"';
    if (plain > 0)
        memcpy(to, text.ptr, plain);
    out->len += plain + 1;
    print_rest(out, text, plain);
}

/* DEPTH of VALUE when lines are wanted, else COMPACT. */
#define COMPACT UINT32_MAX
#define INDENT 2

static void print_value(struct buf *out, const struct json *value, unsigned depth);

static void new_line(struct buf *out, unsigned depth)
{
    if (depth == COMPACT)
        return;
    buf_addc(out, '\n');
    for (unsigned i = 0; i < depth * INDENT; i++)
        buf_addc(out, ' ');
}

static void print_children(struct buf *out, const struct json *value, unsigned depth)
{
    bool object = value->kind == JSON_OBJECT;
    unsigned deeper = depth == COMPACT ? COMPACT : depth + 1;
    buf_addc(out, object ? '{' : '[');
    for (const struct json *child = value->first; child; child = child->next) {
        if (child != value->first)
            buf_addc(out, ',');
        new_line(out, deeper);
        if (object) {
            json_print_string(out, child->key);
            buf_addc(out, ':');
            if (depth != COMPACT)
                buf_addc(out, ' ');
        }
        print_value(out, child, deeper);
    }
    if (value->first)
        new_line(out, depth);
    buf_addc(out, object ? '}' : ']');
}

static void print_value(struct buf *out, const struct json *value, unsigned depth)
{
    assert(value);
    switch (value->kind) {
    case JSON_NULL:
        buf_adds(out, "null");
        break;
    case JSON_FALSE:
        buf_adds(out, "false");
        break;
    case JSON_TRUE:
        buf_adds(out, "true");
        break;
    case JSON_NUMBER:
        buf_add(out, value->text);
        break;
    case JSON_STRING:
        json_print_string(out, value->text);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        print_children(out, value, depth);
        break;
    }
}

void json_print(struct buf *out, const struct json *value)
{
    print_value(out, value, COMPACT);
}

void json_print_pretty(struct buf *out, const struct json *value)
{
    print_value(out, value, 0);
    buf_addc(out, '\n');
}
