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

void json_print_string(struct buf *out, struct slice text)
{
    size_t from = 0;
    buf_addc(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (!needs_escape(text.ptr[i]))
            continue;
        buf_add(out, slice_sub(text, from, i - from));
        print_escape(out, text.ptr[i]);
        from = i + 1;
    }
    buf_add(out, slice_sub(text, from, text.len - from));
    buf_addc(out, '"');
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
