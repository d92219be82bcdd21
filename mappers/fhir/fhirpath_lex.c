/* SPDX-License-Identifier: Apache-2.0
 *
 * Cuts a FHIRPath expression into tokens (hl7.org/fhirpath/N1, section 11 "Formal specifications").
 * Strings and delimited names are decoded here; whether a date is in the calendar is checked where
 * a literal is made.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include "base/banned.h"

static enum err fail(struct fhirpath_lexer *x, size_t at, const char *en, const char *ja)
{
    x->fault = (struct fhirpath_fault){(unsigned)at + 1, en, ja};
    return ERR_INVALID;
}

static char peek(const struct fhirpath_lexer *x, size_t ahead)
{
    return x->at + ahead < x->text.len ? x->text.ptr[x->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* White space and comments; false when a comment does not end. */
static bool skip_blank(struct fhirpath_lexer *x)
{
    for (;;) {
        char c = peek(x, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            x->at++;
        } else if (c == '/' && peek(x, 1) == '/') {
            x->at = slice_find(x->text, '\n', x->at);
        } else if (c == '/' && peek(x, 1) == '*') {
            size_t end = slice_search(x->text, SLICE("*/"), x->at + 2);
            if (end == x->text.len)
                return false;
            x->at = end + 2;
        } else {
            return true;
        }
    }
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX at x->at as UTF-8 at OUT; 0 when they are none or half of a pair. */
static size_t put_unicode(struct fhirpath_lexer *x, char *out)
{
    int code = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(peek(x, i));
        if (digit < 0)
            return 0;
        code = code * 16 + digit;
    }
    if (code == 0 || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    x->at += 4;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | (code >> 12));
    out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
}

/* What a backslash and the character at x->at stand for, at OUT; 0 when nothing. */
static size_t put_escape(struct fhirpath_lexer *x, char *out)
{
    static const char from[] = "'\"`\\/fnrt";
    static const char to[] = "'\"`\\/\f\n\r\t";
    char c = peek(x, 0);
    const char *hit = c ? strchr(from, c) : NULL;
    x->at++;
    if (c == 'u')
        return put_unicode(x, out);
    if (!hit)
        return 0;
    out[0] = to[hit - from];
    return 1;
}

/* A text between two QUOTEs, decoded; it is never longer than written. */
static enum err read_quoted(struct fhirpath_lexer *x, char quote)
{
    size_t begin = x->at++;
    size_t end = begin + 1;
    while (end < x->text.len && x->text.ptr[end] != quote)
        end += x->text.ptr[end] == '\\' ? 2 : 1;
    if (end >= x->text.len)
        return fail(x, begin, "the text has no end", "引用符が閉じていません");
    char *out = arena_alloc(x->arena, end - begin);
    size_t len = 0;
    if (!out)
        return ERR_LIMIT;
    while (x->at < end) {
        size_t at = x->at;
        char c = x->text.ptr[x->at++];
        size_t more = 1;
        if (c == '\\')
            more = put_escape(x, out + len);
        else
            out[len] = c;
        if (more == 0)
            return fail(x, at, "the escape is not known", "不明なエスケープです");
        len += more;
    }
    x->at = end + 1;
    x->token.text = slice_of(out, len);
    return ERR_OK;
}

static enum err read_number(struct fhirpath_lexer *x)
{
    size_t begin = x->at;
    while (is_digit(peek(x, 0)))
        x->at++;
    if (peek(x, 0) == '.' && is_digit(peek(x, 1))) {
        x->at++;
        while (is_digit(peek(x, 0)))
            x->at++;
    }
    x->token.kind = FHIRPATH_TOKEN_NUMBER;
    x->token.text = slice_sub(x->text, begin, x->at - begin);
    return ERR_OK;
}

/* @2014-01-25T14:30:14.559+09:00, @2014T, @T14:30 */
static enum err read_time(struct fhirpath_lexer *x)
{
    static const char date[] = "0123456789-";
    static const char time[] = "0123456789:.+-Z";
    size_t begin = ++x->at;
    bool of_day = peek(x, 0) == 'T';
    while (peek(x, 0) && strchr(date, peek(x, 0)))
        x->at++;
    x->token.kind = FHIRPATH_TOKEN_DATE;
    if (peek(x, 0) == 'T') {
        x->token.kind = of_day ? FHIRPATH_TOKEN_TIME : FHIRPATH_TOKEN_DATE_TIME;
        x->at++;
        while (peek(x, 0) && strchr(time, peek(x, 0)) &&
               (peek(x, 0) != '.' || is_digit(peek(x, 1))))
            x->at++;
    }
    begin += of_day ? 1 : 0;
    x->token.text = slice_sub(x->text, begin, x->at - begin);
    return ERR_OK;
}

static enum err read_name(struct fhirpath_lexer *x, enum fhirpath_token_kind kind)
{
    size_t begin = x->at;
    x->token.kind = kind;
    if (kind == FHIRPATH_TOKEN_SPECIAL)
        x->at++;
    while (is_letter(peek(x, 0)) || is_digit(peek(x, 0)))
        x->at++;
    x->token.text = slice_sub(x->text, begin, x->at - begin);
    return ERR_OK;
}

static enum err read_constant(struct fhirpath_lexer *x)
{
    char c = peek(x, 1);
    x->at++;
    x->token.kind = FHIRPATH_TOKEN_CONSTANT;
    if (c == '`' || c == '\'')
        return read_quoted(x, c);
    if (!is_letter(c))
        return fail(x, x->at - 1, "a name must follow %", "% の後に名前が必要です");
    return read_name(x, FHIRPATH_TOKEN_CONSTANT);
}

static enum err read_symbol(struct fhirpath_lexer *x)
{
    static const char *const symbols[] = {"<=", ">=", "!=", "!~", "(", ")", "[", "]",
                                          "{",  "}",  ".",  ",",  "+", "-", "*", "/",
                                          "&",  "|",  "<",  ">",  "=", "~"};
    struct slice rest = slice_sub(x->text, x->at, 2);
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        struct slice symbol = slice_str(symbols[i]);
        if (!slice_starts(rest, symbol))
            continue;
        x->token.kind = FHIRPATH_TOKEN_SYMBOL;
        x->token.text = slice_sub(x->text, x->at, symbol.len);
        x->at += symbol.len;
        return ERR_OK;
    }
    return fail(x, x->at, "the character has no meaning here", "ここでは使えない文字です");
}

enum err fhirpath_lex_next(struct fhirpath_lexer *x)
{
    size_t blank = x->at;
    if (!skip_blank(x))
        return fail(x, blank, "the comment has no end", "コメントが閉じていません");
    char c = peek(x, 0);
    x->token = (struct fhirpath_token){.column = (uint32_t)x->at + 1};
    if (x->at == x->text.len)
        return ERR_OK;
    if (is_letter(c))
        return read_name(x, FHIRPATH_TOKEN_NAME);
    if (is_digit(c))
        return read_number(x);
    if (c == '\'') {
        x->token.kind = FHIRPATH_TOKEN_STRING;
        return read_quoted(x, c);
    }
    if (c == '`') {
        x->token.kind = FHIRPATH_TOKEN_NAME;
        x->token.delimited = true;
        return read_quoted(x, c);
    }
    if (c == '@')
        return read_time(x);
    if (c == '%')
        return read_constant(x);
    if (c == '$')
        return read_name(x, FHIRPATH_TOKEN_SPECIAL);
    return read_symbol(x);
}
