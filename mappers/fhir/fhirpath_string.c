/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIRPath's functions on text and its conversions (hl7.org/fhirpath/N1, sections 5.5 and 5.6).
 * Characters are code points, letter case is that of ASCII. An empty input or argument gives an
 * empty result.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include "base/limits.h"
#include "mappers/fhir/decimal.h"

#include "base/banned.h"

/* The one text of VALUES; *RET_ANY is false when there is none. */
static enum err one_text(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct fhirpath_values *values, struct slice *ret_text,
                         bool *ret_any)
{
    *ret_any = values->count == 1;
    if (values->count > 1 || (values->count == 1 && values->items->kind != FHIRPATH_STRING))
        return fhirpath_eval_fail(run, n, ERR_INVALID, "one text is expected here",
                                  "1つの文字列が必要です");
    if (values->count == 1)
        *ret_text = values->items->text;
    return fhirpath_eval_charge(run, values->count ? values->items->text.len / 64 : 0);
}

static enum err text_argument(struct fhirpath_run *run, const struct fhirpath_node *arg,
                              struct slice *ret_text, bool *ret_any)
{
    struct fhirpath_values values = {0};
    enum err err = fhirpath_eval_node(run, arg, &values);
    return err ? err : one_text(run, arg, &values, ret_text, ret_any);
}

/* The input and the argument, both texts. */
static enum err two_texts(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct fhirpath_values *in, struct slice *ret_text,
                          struct slice *ret_argument, bool *ret_both)
{
    bool any = false;
    bool other = false;
    enum err err = one_text(run, n, in, ret_text, &any);
    if (!err)
        err = text_argument(run, n->args, ret_argument, &other);
    *ret_both = any && other;
    return err;
}

static enum err f_starts_with(struct fhirpath_run *run, const struct fhirpath_node *n,
                              const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct slice text, part;
    bool both;
    enum err err = two_texts(run, n, in, &text, &part, &both);
    if (err || !both)
        return err;
    return fhirpath_eval_push_bool(run, ret_values, slice_starts(text, part));
}

static enum err f_ends_with(struct fhirpath_run *run, const struct fhirpath_node *n,
                            const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct slice text, part;
    bool both;
    enum err err = two_texts(run, n, in, &text, &part, &both);
    if (err || !both)
        return err;
    return fhirpath_eval_push_bool(run, ret_values, slice_ends(text, part));
}

static size_t characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

/* Where PART is in TEXT, in bytes, or text.len + 1. A search may look at each place again: charged
 * so. */
static enum err find(struct fhirpath_run *run, struct slice text, struct slice part, size_t from,
                     size_t *ret_at)
{
    enum err err = fhirpath_eval_charge(run, (text.len / 64 + 1) * (part.len / 64 + 1));
    if (err)
        return err;
    *ret_at = part.len == 0 ? from : slice_search(text, part, from);
    if (part.len > 0 && *ret_at == text.len)
        *ret_at = text.len + 1;
    return ERR_OK;
}

static enum err f_contains(struct fhirpath_run *run, const struct fhirpath_node *n,
                           const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct slice text, part;
    bool both;
    size_t at = 0;
    enum err err = two_texts(run, n, in, &text, &part, &both);
    if (!err && both)
        err = find(run, text, part, 0, &at);
    if (err || !both)
        return err;
    return fhirpath_eval_push_bool(run, ret_values, at <= text.len);
}

static enum err f_index_of(struct fhirpath_run *run, const struct fhirpath_node *n,
                           const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct slice text, part;
    bool both;
    size_t at = 0;
    enum err err = two_texts(run, n, in, &text, &part, &both);
    if (!err && both)
        err = find(run, text, part, 0, &at);
    if (err || !both)
        return err;
    return fhirpath_eval_push_int(
        run, ret_values, at <= text.len ? (int64_t)characters(slice_sub(text, 0, at)) : -1);
}

static enum err f_length(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct slice text = SLICE_NONE;
    bool any;
    enum err err = one_text(run, n, in, &text, &any);
    if (err || !any)
        return err;
    return fhirpath_eval_push_int(run, ret_values, (int64_t)characters(text));
}

/* The byte at which character COUNT begins, counted from FROM. */
static size_t byte_of(struct slice text, size_t from, uint64_t count)
{
    while (from < text.len && count > 0) {
        from++;
        while (from < text.len && ((unsigned char)text.ptr[from] & 0xC0) == 0x80)
            from++;
        count--;
    }
    return from;
}

static enum err whole_argument(struct fhirpath_run *run, const struct fhirpath_node *arg,
                               int64_t *ret_number, bool *ret_any)
{
    struct fhirpath_values values = {0};
    enum err err = fhirpath_eval_node(run, arg, &values);
    if (err)
        return err;
    *ret_any = values.count == 1;
    if (values.count == 0)
        return ERR_OK;
    if (values.count > 1 || values.items->kind != FHIRPATH_INTEGER ||
        !slice_i64(values.items->text, ret_number))
        return fhirpath_eval_fail(run, arg, ERR_INVALID, "the argument must be one whole number",
                                  "引数は1つの整数です");
    return ERR_OK;
}

static enum err f_substring(struct fhirpath_run *run, const struct fhirpath_node *n,
                            const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct slice text = SLICE_NONE;
    int64_t start = 0;
    int64_t length = INT64_MAX;
    bool any = false;
    bool started = false;
    bool limited = false;
    enum err err = one_text(run, n, in, &text, &any);
    if (!err && any)
        err = whole_argument(run, n->args, &start, &started);
    if (!err && any && n->args->next)
        err = whole_argument(run, n->args->next, &length, &limited);
    if (err || !any || !started || start < 0)
        return err;
    size_t from = byte_of(text, 0, (uint64_t)start);
    if (from == text.len)
        return ERR_OK;
    size_t to = byte_of(text, from, length < 0 ? 0 : (uint64_t)length);
    return fhirpath_eval_push_text(run, ret_values, FHIRPATH_STRING,
                                   slice_sub(text, from, to - from));
}

static enum err change_case(struct fhirpath_run *run, const struct fhirpath_node *n,
                            const struct fhirpath_values *in, char first, char last,
                            struct fhirpath_values *ret_values)
{
    struct slice text = SLICE_NONE;
    bool any;
    enum err err = one_text(run, n, in, &text, &any);
    if (err || !any)
        return err;
    char *out = arena_str(run->arena, text);
    if (!out)
        return ERR_LIMIT;
    for (size_t i = 0; i < text.len; i++)
        out[i] = (char)(out[i] >= first && out[i] <= last ? out[i] ^ 0x20 : out[i]);
    return fhirpath_eval_push_text(run, ret_values, FHIRPATH_STRING, slice_of(out, text.len));
}

static enum err f_upper(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    return change_case(run, n, in, 'a', 'z', ret_values);
}

static enum err f_lower(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    return change_case(run, n, in, 'A', 'Z', ret_values);
}

/* TEXT with each PATTERN replaced, into OUT; an empty pattern stands before each character and at
 * the end. */
static enum err replace_all(struct fhirpath_run *run, struct slice text, struct slice pattern,
                            struct slice with, struct buf *out)
{
    size_t from = 0;
    size_t at = 0;
    enum err err = find(run, text, pattern, 0, &at);
    while (!err && at <= text.len && buf_err(out) == ERR_OK) {
        buf_add(out, slice_sub(text, from, at - from));
        buf_add(out, with);
        from = at + pattern.len;
        if (pattern.len > 0) {
            at = slice_search(text, pattern, from);
            at = at == text.len ? text.len + 1 : at;
        } else {
            at = at == text.len ? text.len + 1 : byte_of(text, at, 1);
        }
        err = fhirpath_eval_charge(run, 1 + with.len / 64);
    }
    buf_add(out, slice_sub(text, from, text.len));
    return err ? err : buf_err(out);
}

static enum err f_replace(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct slice text = SLICE_NONE, pattern, with;
    bool both;
    bool other = false;
    struct buf out;
    enum err err = two_texts(run, n, in, &text, &pattern, &both);
    if (!err && both)
        err = text_argument(run, n->args->next, &with, &other);
    if (err || !both || !other)
        return err;
    buf_init(&out, LIMIT_FHIR_STRING);
    err = replace_all(run, text, pattern, with, &out);
    struct slice copy = err ? SLICE_NONE : arena_dup(run->arena, buf_slice(&out));
    if (!err && out.len > 0 && !copy.ptr)
        err = ERR_LIMIT;
    buf_fini(&out);
    return err ? err : fhirpath_eval_push_text(run, ret_values, FHIRPATH_STRING, copy);
}

/* ── conversions ─────────────────────────────────────────────────────────────────────────────── */

static enum err one_scalar(struct fhirpath_run *run, const struct fhirpath_node *n,
                           const struct fhirpath_values *in, struct fhirpath_value *ret_value,
                           bool *ret_any)
{
    *ret_any = in->count == 1;
    if (in->count > 1)
        return fhirpath_eval_fail(run, n, ERR_INVALID,
                                  "one item is expected here, there are several",
                                  "1つの値が必要ですが、複数あります");
    if (in->count == 1)
        *ret_value = in->items[0];
    return ERR_OK;
}

static enum err f_to_string(struct fhirpath_run *run, const struct fhirpath_node *n,
                            const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct fhirpath_value v, q;
    bool any;
    enum err err = one_scalar(run, n, in, &v, &any);
    if (err || !any)
        return err;
    struct slice text = v.text;
    if (v.kind == FHIRPATH_BOOLEAN)
        text = v.truth ? SLICE("true") : SLICE("false");
    if (v.kind == FHIRPATH_OBJECT || v.kind == FHIRPATH_QUANTITY) {
        if (!fhirpath_compare_quantity(&v, &q))
            return ERR_OK;
        const char *both =
            arena_printf(run->arena, "%.*s '%.*s'", SLICE_ARG(q.text), SLICE_ARG(q.unit));
        if (!both)
            return ERR_LIMIT;
        text = slice_str(both);
    }
    return fhirpath_eval_push_text(run, ret_values, FHIRPATH_STRING, text);
}

/* [+-]digits, with POINT also .digits */
static bool is_numeral(struct slice text, bool point)
{
    size_t i = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
    size_t before = i;
    while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
        i++;
    if (i == before)
        return false;
    if (i == text.len || !point || text.ptr[i] != '.')
        return i == text.len;
    size_t after = ++i;
    while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
        i++;
    return i == text.len && i > after;
}

static enum err to_number(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct fhirpath_values *in, enum fhirpath_kind kind,
                          struct fhirpath_values *ret_values)
{
    struct fhirpath_value v;
    int64_t whole;
    bool any;
    bool decimal = kind == FHIRPATH_DECIMAL;
    enum err err = one_scalar(run, n, in, &v, &any);
    if (err || !any)
        return err;
    struct slice text = v.text;
    if (v.kind == FHIRPATH_BOOLEAN)
        text =
            decimal ? (v.truth ? SLICE("1.0") : SLICE("0.0")) : (v.truth ? SLICE("1") : SLICE("0"));
    else if (v.kind == FHIRPATH_STRING && is_numeral(text, decimal))
        text = text.ptr[0] == '+' ? slice_sub(text, 1, text.len) : text;
    else if (v.kind != FHIRPATH_INTEGER && !(decimal && v.kind == FHIRPATH_DECIMAL))
        return ERR_OK;
    if (!decimal && (!slice_i64(text, &whole) || whole > INT32_MAX || whole < INT32_MIN))
        return ERR_OK;
    return fhirpath_eval_push_text(run, ret_values, kind, text);
}

static enum err f_to_integer(struct fhirpath_run *run, const struct fhirpath_node *n,
                             const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    return to_number(run, n, in, FHIRPATH_INTEGER, ret_values);
}

static enum err f_to_decimal(struct fhirpath_run *run, const struct fhirpath_node *n,
                             const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    return to_number(run, n, in, FHIRPATH_DECIMAL, ret_values);
}

const struct fhirpath_function fhirpath_string_functions[] = {
    {"startsWith", 1, 1, false, f_starts_with},
    {"endsWith", 1, 1, false, f_ends_with},
    {"contains", 1, 1, false, f_contains},
    {"indexOf", 1, 1, false, f_index_of},
    {"length", 0, 0, false, f_length},
    {"substring", 1, 2, false, f_substring},
    {"upper", 0, 0, false, f_upper},
    {"lower", 0, 0, false, f_lower},
    {"replace", 2, 2, false, f_replace},
    {"toString", 0, 0, false, f_to_string},
    {"toInteger", 0, 0, false, f_to_integer},
    {"toDecimal", 0, 0, false, f_to_decimal},
    {NULL, 0, 0, false, NULL},
};
