/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads JSON (RFC 8259) into an arena tree. UTF-8 is checked once over the whole input, so strings
 * need only be searched for their end, eight bytes at a time; those without escapes are not copied.
 * Stricter than the RFC where it leaves room: no duplicate names, no lone surrogates, no U+0000, no
 * byte order mark; two systems reading the same bytes must see the same record.
 * It recurses once per level of nesting, at most LIMIT_JSON_DEPTH deep.
 */
#include "base/json.h"

#include <stdlib.h>

#include "base/limits.h"

#include "base/banned.h"

#define FAULT_TABLE(X)                                                                             \
    X(FAULT_EMPTY, "the input is empty", "入力が空です")                                           \
    X(FAULT_UTF8, "the input is not valid UTF-8", "UTF-8 として不正なバイトがあります")            \
    X(FAULT_BOM, "a byte order mark is not allowed", "バイト順マーク (BOM) は使えません")          \
    X(FAULT_END, "the input ends too early", "入力が途中で終わっています")                         \
    X(FAULT_VALUE, "a value was expected", "値が必要です")                                         \
    X(FAULT_NUMBER, "the number is malformed", "数値の形式が不正です")                             \
    X(FAULT_NAME, "a member name in quotes was expected", "引用符で囲んだ項目名が必要です")        \
    X(FAULT_COLON, "a colon was expected", "コロン (:) が必要です")                                \
    X(FAULT_COMMA_OBJECT, "a comma or } was expected", "コンマ (,) か } が必要です")               \
    X(FAULT_COMMA_ARRAY, "a comma or ] was expected", "コンマ (,) か ] が必要です")                \
    X(FAULT_CONTROL, "a control character must be escaped in a string",                            \
      "文字列中の制御文字はエスケープが必要です")                                                  \
    X(FAULT_ESCAPE, "the escape is malformed", "エスケープの形式が不正です")                       \
    X(FAULT_SURROGATE, "a surrogate is not paired", "サロゲートが対になっていません")              \
    X(FAULT_NUL, "the character U+0000 is not allowed", "文字 U+0000 は使えません")                \
    X(FAULT_DUPLICATE, "the member name occurs twice", "同じ項目名が二度使われています")           \
    X(FAULT_TRAILING, "nothing may follow the value", "値の後に余分な内容があります")              \
    X(FAULT_DEPTH, "the input is nested too deeply", "入れ子が深すぎます")                         \
    X(FAULT_MEMORY, "the input needs too much memory", "入力の処理に必要なメモリーが上限を超えます")

enum fault {
#define X(name, en, ja) name,
    FAULT_TABLE(X)
#undef X
};

static const struct {
    const char *en;
    const char *ja;
} fault_texts[] = {
#define X(name, en, ja) {en, ja},
    FAULT_TABLE(X)
#undef X
};

#define FEW_MEMBERS 16 /* up to here comparing each with each beats sorting */

struct parser {
    struct arena *arena;
    struct json_fault *fault; /* may be NULL */
    const char *start;
    const char *at;
    const char *end;
};

static enum err read_value(struct parser *p, unsigned depth, struct json *value);

static enum err fail(const struct parser *p, enum fault fault, const char *where)
{
    if (p->fault) {
        const char *line = p->start;
        unsigned lines = 1;
        for (const char *c = p->start; c < where; c++) {
            if (*c == '\n') {
                lines++;
                line = c + 1;
            }
        }
        p->fault->offset = (size_t)(where - p->start);
        p->fault->line = lines;
        p->fault->column = (unsigned)(where - line) + 1;
        p->fault->en = fault_texts[fault].en;
        p->fault->ja = fault_texts[fault].ja;
    }
    return fault == FAULT_DEPTH ? ERR_TOO_DEEP : fault == FAULT_MEMORY ? ERR_LIMIT : ERR_MALFORMED;
}

static void skip_space(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

/* The next character that is not white space, or '\0' at the end (no valid input holds a NUL). */
static char peek(struct parser *p)
{
    skip_space(p);
    return p->at < p->end ? *p->at : '\0';
}

static enum err fail_here(const struct parser *p, enum fault fault)
{
    return fail(p, p->at == p->end ? FAULT_END : fault, p->at);
}

#define EVERY_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Non-zero when one of the eight bytes is below 0x20, a quote or a backslash. Subtracting with a
 * borrow marks bytes that are too small; masking with ~x drops those of 0x80 and above. */
static uint64_t special_bytes(uint64_t x)
{
    uint64_t quote = x ^ EVERY_BYTE('"');
    uint64_t slash = x ^ EVERY_BYTE('\\');
    return (((x - EVERY_BYTE(0x20)) & ~x) | ((quote - EVERY_BYTE(1)) & ~quote) |
            ((slash - EVERY_BYTE(1)) & ~slash)) &
           EVERY_BYTE(0x80);
}

/* The first byte from AT on that ends a run of plain string characters, or END. */
static const char *plain_end(const char *at, const char *end)
{
    uint64_t word;
    while ((size_t)(end - at) >= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        if (special_bytes(word))
            break;
        at += sizeof(word);
    }
    while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Four hex digits; -1 when they are not. */
static int32_t hex4(const char *at, const char *end)
{
    int32_t value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            value = value * 16 + ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

/* \uXXXX or a pair of them at *AT (on the backslash). */
static enum err decode_unicode(const struct parser *p, const char **at, const char *end, char **out)
{
    const char *from = *at;
    int32_t c = hex4(from + 2, end);
    if (c < 0)
        return fail(p, FAULT_ESCAPE, from);
    *at += 6;
    if (c == 0)
        return fail(p, FAULT_NUL, from);
    if (c >= 0xDC00 && c <= 0xDFFF)
        return fail(p, FAULT_SURROGATE, from);
    if (c >= 0xD800 && c <= 0xDBFF) {
        bool escape = end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u';
        int32_t low = escape ? hex4(*at + 2, end) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return fail(p, FAULT_SURROGATE, from);
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
    }
    *out = put_utf8(*out, (uint32_t)c);
    return ERR_OK;
}

/* One escape at *AT (on the backslash; the string's end was found, so a byte follows). */
static enum err decode_escape(const struct parser *p, const char **at, const char *end, char **out)
{
    static const char codes[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    char c = (*at)[1];
    if (c == 'u')
        return decode_unicode(p, at, end, out);
    const char *hit = memchr(codes, c, sizeof(codes) - 1);
    if (!hit)
        return fail(p, FAULT_ESCAPE, *at);
    *(*out)++ = values[hit - codes];
    *at += 2;
    return ERR_OK;
}

/* The closing quote of a string with escapes, from AT (inside it) on. */
static enum err find_quote(const struct parser *p, const char *at, const char **ret_quote)
{
    for (;;) {
        at = plain_end(at, p->end);
        if (at == p->end)
            return fail(p, FAULT_END, p->end);
        if (*at == '"')
            break;
        if (*at != '\\')
            return fail(p, FAULT_CONTROL, at);
        if (p->end - at < 2)
            return fail(p, FAULT_END, p->end);
        at += 2;
    }
    *ret_quote = at;
    return ERR_OK;
}

/* A string with escapes: decoded text is never longer than the written one. */
static enum err read_escaped(struct parser *p, const char *from, struct slice *ret_text)
{
    const char *quote = NULL;
    enum err err = find_quote(p, from, &quote);
    if (err)
        return err;
    char *text = arena_alloc(p->arena, (size_t)(quote - from));
    if (!text)
        return fail(p, FAULT_MEMORY, from);
    char *out = text;
    while (from < quote) {
        const char *stop = plain_end(from, quote);
        memcpy(out, from, (size_t)(stop - from));
        out += stop - from;
        from = stop;
        if (from == quote)
            break;
        err = decode_escape(p, &from, quote, &out);
        if (err)
            return err;
    }
    p->at = quote + 1;
    *ret_text = slice_of(text, (size_t)(out - text));
    return ERR_OK;
}

static enum err read_string(struct parser *p, struct slice *ret_text)
{
    const char *from = p->at + 1;
    const char *stop = plain_end(from, p->end);
    if (stop == p->end || *stop != '"')
        return read_escaped(p, from, ret_text);
    p->at = stop + 1;
    *ret_text = slice_of(from, (size_t)(stop - from));
    return ERR_OK;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* number = [ "-" ] int [ frac ] [ exp ], RFC 8259 section 6. */
static enum err read_number(struct parser *p, struct slice *ret_text)
{
    const char *from = p->at;
    const char *at = from + (*from == '-');
    const char *digits = at;
    at = skip_digits(digits, p->end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return fail(p, FAULT_NUMBER, from);
    if (at < p->end && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits, p->end);
        if (at == digits)
            return fail(p, FAULT_NUMBER, from);
    }
    if (at < p->end && (*at | 0x20) == 'e') {
        digits = at + 1;
        if (digits < p->end && (*digits == '+' || *digits == '-'))
            digits++;
        at = skip_digits(digits, p->end);
        if (at == digits)
            return fail(p, FAULT_NUMBER, from);
    }
    p->at = at;
    *ret_text = slice_of(from, (size_t)(at - from));
    return ERR_OK;
}

static enum err read_word(struct parser *p, struct slice word)
{
    if (!slice_starts(slice_of(p->at, (size_t)(p->end - p->at)), word))
        return fail(p, FAULT_VALUE, p->at);
    p->at += word.len;
    return ERR_OK;
}

static struct json *add_child(struct parser *p, struct json *parent)
{
    struct json *child = ARENA_NEW(p->arena, struct json);
    if (!child)
        return NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
    return child;
}

static enum err read_array(struct parser *p, unsigned depth, struct json *array)
{
    array->kind = JSON_ARRAY;
    if (depth >= LIMIT_JSON_DEPTH)
        return fail(p, FAULT_DEPTH, p->at);
    p->at++;
    if (peek(p) == ']') {
        p->at++;
        return ERR_OK;
    }
    for (;;) {
        struct json *item = add_child(p, array);
        if (!item)
            return fail(p, FAULT_MEMORY, p->at);
        enum err err = read_value(p, depth + 1, item);
        if (err)
            return err;
        char c = peek(p);
        if (c != ',' && c != ']')
            return fail_here(p, FAULT_COMMA_ARRAY);
        p->at++;
        if (c == ']')
            return ERR_OK;
    }
}

static int compare_members(const void *a, const void *b)
{
    const struct json *x = *(struct json *const *)a;
    const struct json *y = *(struct json *const *)b;
    int order = slice_cmp(x->key, y->key);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static enum err fail_duplicate(const struct parser *p, const struct json *member)
{
    return fail(p, FAULT_DUPLICATE, p->start + member->at);
}

/* Sorting keeps objects of very many members from costing their square, whatever their names. */
static enum err check_many(const struct parser *p, const struct json *object)
{
    struct json **members = arena_array(p->arena, object->count, sizeof(*members));
    size_t count = 0;
    if (!members)
        return fail(p, FAULT_MEMORY, p->at);
    for (struct json *m = object->first; m; m = m->next)
        members[count++] = m;
    qsort(members, count, sizeof(*members), compare_members);
    for (size_t i = 1; i < count; i++) {
        if (slice_eq(members[i - 1]->key, members[i]->key))
            return fail_duplicate(p, members[i]);
    }
    return ERR_OK;
}

static enum err check_names(const struct parser *p, const struct json *object)
{
    if (object->count > FEW_MEMBERS)
        return check_many(p, object);
    for (const struct json *m = object->first; m; m = m->next) {
        for (const struct json *other = object->first; other != m; other = other->next) {
            if (slice_eq(other->key, m->key))
                return fail_duplicate(p, m);
        }
    }
    return ERR_OK;
}

static enum err read_member(struct parser *p, unsigned depth, struct json *object)
{
    if (peek(p) != '"')
        return fail_here(p, FAULT_NAME);
    struct json *member = add_child(p, object);
    if (!member)
        return fail(p, FAULT_MEMORY, p->at);
    enum err err = read_string(p, &member->key);
    if (err)
        return err;
    if (peek(p) != ':')
        return fail_here(p, FAULT_COLON);
    p->at++;
    return read_value(p, depth + 1, member);
}

static enum err read_object(struct parser *p, unsigned depth, struct json *object)
{
    object->kind = JSON_OBJECT;
    if (depth >= LIMIT_JSON_DEPTH)
        return fail(p, FAULT_DEPTH, p->at);
    p->at++;
    if (peek(p) == '}') {
        p->at++;
        return ERR_OK;
    }
    for (;;) {
        enum err err = read_member(p, depth, object);
        if (err)
            return err;
        char c = peek(p);
        if (c != ',' && c != '}')
            return fail_here(p, FAULT_COMMA_OBJECT);
        p->at++;
        if (c == '}')
            return check_names(p, object);
    }
}

/* Reads any value into VALUE, which is zeroed but for its key and links. */
static enum err read_value(struct parser *p, unsigned depth, struct json *value)
{
    char c = peek(p);
    value->at = (size_t)(p->at - p->start);
    switch (c) {
    case '{':
        return read_object(p, depth, value);
    case '[':
        return read_array(p, depth, value);
    case '"':
        value->kind = JSON_STRING;
        return read_string(p, &value->text);
    case 't':
        value->kind = JSON_TRUE;
        return read_word(p, SLICE("true"));
    case 'f':
        value->kind = JSON_FALSE;
        return read_word(p, SLICE("false"));
    case 'n':
        value->kind = JSON_NULL;
        return read_word(p, SLICE("null"));
    default:
        value->kind = JSON_NUMBER;
        if (c == '-' || (c >= '0' && c <= '9'))
            return read_number(p, &value->text);
        return fail_here(p, FAULT_VALUE);
    }
}

enum err json_parse(struct arena *arena, struct slice input, struct json **ret_root,
                    struct json_fault *ret_fault)
{
    const char *start = input.ptr ? input.ptr : "";
    struct parser p = {arena, ret_fault, start, start, start + input.len};
    if (input.len == 0)
        return fail(&p, FAULT_EMPTY, start);
    size_t valid = slice_utf8_len(input);
    if (valid < input.len)
        return fail(&p, FAULT_UTF8, start + valid);
    if (slice_starts(input, SLICE("\xEF\xBB\xBF")))
        return fail(&p, FAULT_BOM, start);
    struct json *root = ARENA_NEW(arena, struct json);
    if (!root)
        return fail(&p, FAULT_MEMORY, start);
    enum err err = read_value(&p, 0, root);
    if (err)
        return err;
    skip_space(&p);
    if (p.at < p.end)
        return fail(&p, FAULT_TRAILING, p.at);
    *ret_root = root;
    return ERR_OK;
}
