/* SPDX-License-Identifier: Apache-2.0
 *
 * One function for each primitive format of R4 (datatypes.html#primitive), gathered in a table. The
 * published patterns are followed as they are, with three additions: a date must be in the
 * calendar, base64 must be whole groups, and text holds no control characters but tab and line ends
 * (R4 says SHOULD NOT; XML could not carry them). White space in patterns means ASCII white space.
 */
#include "mappers/fhir/primitive.h"

#include "base/limits.h"
#include "base/when.h"

#include "base/banned.h"

/* What a byte may be part of. */
enum { IS_DIGIT = 1, IS_ID = 2, IS_SPACE = 4, IS_CONTROL = 8, IS_BASE64 = 16, IS_HEX = 32 };

static unsigned class_of(char c)
{
    unsigned char u = (unsigned char)c;
    unsigned letter = (u | 32u) >= 'a' && (u | 32u) <= 'z';
    if (u >= '0' && u <= '9')
        return IS_DIGIT | IS_ID | IS_BASE64 | IS_HEX;
    if (letter)
        return IS_ID | IS_BASE64 | (u >= 'a' && u <= 'f' ? IS_HEX : 0);
    switch (u) {
    case '-':
    case '.':
        return IS_ID;
    case '+':
    case '/':
        return IS_BASE64;
    case ' ':
    case '\t':
    case '\n':
    case '\r':
        return IS_SPACE;
    default:
        return u < 0x20 || u == 0x7F ? IS_CONTROL : 0;
    }
}

static bool all_of(struct slice s, unsigned wanted)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!(class_of(s.ptr[i]) & wanted))
            return false;
    }
    return true;
}

static bool none_of(struct slice s, unsigned unwanted)
{
    for (size_t i = 0; i < s.len; i++) {
        if (class_of(s.ptr[i]) & unwanted)
            return false;
    }
    return true;
}

bool primitive_is_id(struct slice text)
{
    return text.len >= 1 && text.len <= LIMIT_FHIR_ID && all_of(text, IS_ID);
}

/* Text is the bulk of most resources: only bytes below 0x20 need a closer look. */
static bool is_long_text(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < 0x20 && !(class_of(s.ptr[i]) & IS_SPACE))
            return false;
    }
    return s.len > 0;
}

static bool is_text(struct slice s)
{
    return s.len <= LIMIT_FHIR_STRING && is_long_text(s);
}

/* Words with single white space between them. */
static bool is_code(struct slice s)
{
    bool space = true;
    for (size_t i = 0; i < s.len; i++) {
        unsigned class = class_of(s.ptr[i]);
        if ((class & IS_CONTROL) || (space && (class & IS_SPACE)))
            return false;
        space = class & IS_SPACE;
    }
    return s.len > 0 && !space && s.len <= LIMIT_FHIR_STRING;
}

bool primitive_is_uri(struct slice s)
{
    return s.len > 0 && s.len <= LIMIT_FHIR_STRING && none_of(s, IS_SPACE | IS_CONTROL);
}

bool primitive_is_oid(struct slice s)
{
    struct slice part;
    if (!slice_starts(s, SLICE("urn:oid:")))
        return false;
    struct slice rest = slice_sub(s, 8, s.len);
    struct slice first = slice_cut(&rest, '.');
    if (first.len != 1 || first.ptr[0] < '0' || first.ptr[0] > '2' || !rest.ptr)
        return false;
    while (rest.ptr) {
        part = slice_cut(&rest, '.');
        if (part.len == 0 || !all_of(part, IS_DIGIT) || (part.len > 1 && part.ptr[0] == '0'))
            return false;
    }
    return true;
}

bool primitive_is_uuid(struct slice s)
{
    struct slice id = slice_sub(s, 9, s.len);
    if (!slice_starts(s, SLICE("urn:uuid:")) || id.len != 36)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? id.ptr[i] != '-' : !(class_of(id.ptr[i]) & IS_HEX))
            return false;
    }
    return true;
}

/* Groups of four, white space anywhere, padding only in the last group. */
static bool is_base64(struct slice s)
{
    size_t count = 0;
    size_t padding = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned class = class_of(s.ptr[i]);
        if (class & IS_SPACE)
            continue;
        if (s.ptr[i] == '=')
            padding++;
        else if (!(class & IS_BASE64) || padding)
            return false;
        count++;
    }
    return count > 0 && count % 4 == 0 && padding <= 2;
}

static bool is_date(struct slice s)
{
    struct when when;
    return (s.len == 4 || s.len == 7 || s.len == 10) && when_parse_fhir(s, false, &when);
}

static bool is_instant(struct slice s)
{
    struct when when;
    return s.len >= 20 && s.ptr[10] == 'T' && s.ptr[16] == ':' && when_parse_fhir(s, false, &when);
}

static bool is_date_time(struct slice s)
{
    return s.len <= 10 ? is_date(s) : is_instant(s);
}

/* Two digits not above MAX. */
static bool is_pair(const char *at, int max)
{
    bool digits = at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9';
    return digits && (at[0] - '0') * 10 + (at[1] - '0') <= max;
}

static bool is_time(struct slice s)
{
    if (s.len < 8 || s.ptr[2] != ':' || s.ptr[5] != ':')
        return false;
    if (!is_pair(s.ptr, 23) || !is_pair(s.ptr + 3, 59) || !is_pair(s.ptr + 6, 60))
        return false;
    struct slice rest = slice_sub(s, 8, s.len);
    return rest.len == 0 ||
           (rest.ptr[0] == '.' && rest.len > 1 && all_of(slice_sub(rest, 1, rest.len), IS_DIGIT));
}

static bool in_range(struct slice s, int64_t min)
{
    int64_t value;
    if (s.len > 1 && (s.ptr[0] == '0' || (s.ptr[0] == '-' && s.ptr[1] == '0')))
        return false;
    return slice_i64(s, &value) && value >= min && value <= INT32_MAX;
}

static bool is_integer(struct slice s)
{
    return in_range(s, INT32_MIN);
}

static bool is_unsigned(struct slice s)
{
    return in_range(s, 0);
}

static bool is_positive(struct slice s)
{
    return in_range(s, 1);
}

/* The JSON grammar is R4's pattern already. A literal of thousands of digits is not a measurement,
 * and 1e999999 is a number that nothing here could search, compare or add up. */
static bool is_decimal(struct slice s)
{
    int64_t exponent = 0;
    size_t e = slice_find(s, 'e', 0) < s.len ? slice_find(s, 'e', 0) : slice_find(s, 'E', 0);
    if (s.len > LIMIT_FHIR_DECIMAL)
        return false;
    if (e == s.len)
        return true;
    struct slice digits = slice_sub(s, e + 1, s.len);
    if (digits.len && digits.ptr[0] == '+')
        digits = slice_sub(digits, 1, digits.len);
    return slice_i64(digits, &exponent) && exponent >= -LIMIT_FHIR_EXPONENT &&
           exponent <= LIMIT_FHIR_EXPONENT;
}

static bool is_any(struct slice s)
{
    return s.len > 0;
}

struct format {
    enum json_kind kind;
    bool (*ok)(struct slice text);
    const char *en;
    const char *ja;
};

static const struct format formats[TABLES_PRIMITIVE_COUNT] = {
    [TABLES_BASE64_BINARY] = {JSON_STRING, is_base64, "base64 text in groups of four is expected",
                              "4文字単位の base64 が必要です"},
    [TABLES_BOOLEAN] = {JSON_TRUE, NULL, "true or false (no quotes) is expected",
                        "true か false(引用符なし)が必要です"},
    [TABLES_CANONICAL] = {JSON_STRING, primitive_is_uri,
                          "a canonical URL without white space is expected",
                          "空白を含まない canonical URL が必要です"},
    [TABLES_CODE] = {JSON_STRING, is_code,
                     "a code is expected: no white space at its ends, none doubled",
                     "コードが必要です(前後の空白、連続した空白は不可)"},
    [TABLES_DATE] = {JSON_STRING, is_date, "a date is expected: 2026, 2026-11 or 2026-11-22",
                     "日付が必要です(2026、2026-11、2026-11-22)"},
    [TABLES_DATE_TIME] = {JSON_STRING, is_date_time,
                          "a date, or a time with seconds and zone, is expected: "
                          "2026-11-22T17:00:00+09:00",
                          "日付か、秒と時差を含む日時が必要です(2026-11-22T17:00:00+09:00)"},
    [TABLES_DECIMAL] = {JSON_NUMBER, is_decimal,
                        "a number (no quotes) is expected, of at most 64 "
                        "characters and with an exponent of at most 300",
                        "数値(引用符なし)が必要です(64文字以内、指数は300以内)"},
    [TABLES_ID] = {JSON_STRING, primitive_is_id,
                   "an id is expected: 1 to 64 letters, digits, '-' and '.'",
                   "id が必要です(英数字、「-」、「.」の1〜64文字)"},
    [TABLES_INSTANT] = {JSON_STRING, is_instant,
                        "a time with seconds and zone is expected: 2026-11-22T17:00:00+09:00",
                        "秒と時差を含む日時が必要です(2026-11-22T17:00:00+09:00)"},
    [TABLES_INTEGER] = {JSON_NUMBER, is_integer, "a whole number of 32 bits is expected",
                        "32ビットの整数が必要です"},
    [TABLES_MARKDOWN] = {JSON_STRING, is_long_text, "text that is not empty is expected",
                         "空でない文字列が必要です"},
    [TABLES_OID] = {JSON_STRING, primitive_is_oid, "an OID is expected: urn:oid:1.2.392",
                    "OID が必要です(urn:oid:1.2.392)"},
    [TABLES_POSITIVE_INT] = {JSON_NUMBER, is_positive, "a whole number from 1 on is expected",
                             "1以上の整数が必要です"},
    [TABLES_STRING] = {JSON_STRING, is_text,
                       "text is expected: not empty, at most 1 MiB, no control characters",
                       "文字列が必要です(空、1 MiB 超、制御文字は不可)"},
    [TABLES_TIME] = {JSON_STRING, is_time, "a time of day is expected: 17:00:00",
                     "時刻が必要です(17:00:00)"},
    [TABLES_UNSIGNED_INT] = {JSON_NUMBER, is_unsigned, "a whole number from 0 on is expected",
                             "0以上の整数が必要です"},
    [TABLES_URI] = {JSON_STRING, primitive_is_uri, "a URI without white space is expected",
                    "空白を含まない URI が必要です"},
    [TABLES_URL] = {JSON_STRING, primitive_is_uri, "a URL without white space is expected",
                    "空白を含まない URL が必要です"},
    [TABLES_UUID] = {JSON_STRING, primitive_is_uuid,
                     "a UUID in lower case is expected: urn:uuid:...",
                     "小文字の UUID が必要です(urn:uuid:...)"},
    [TABLES_XHTML] = {JSON_STRING, is_any, "XHTML text is expected", "XHTML の文字列が必要です"},
};

bool primitive_ok(enum tables_primitive type, const struct json *value)
{
    const struct format *f = &formats[type];
    if (f->kind == JSON_TRUE)
        return value->kind == JSON_TRUE || value->kind == JSON_FALSE;
    return value->kind == f->kind && f->ok(value->text);
}

const char *primitive_en(enum tables_primitive type)
{
    return formats[type].en;
}

const char *primitive_ja(enum tables_primitive type)
{
    return formats[type].ja;
}
