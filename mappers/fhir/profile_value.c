/* SPDX-License-Identifier: Apache-2.0
 *
 * What a profile says of one value: fixed and pattern (elementdefinition.html), limits, and its
 * value set. Comparisons of values that cannot be compared (other units, partial dates) find no
 * fault.
 */
#include <stdlib.h>

#include "base/when.h"
#include "mappers/fhir/profile_impl.h"
#include "mappers/fhir/valueset.h"

#include "base/banned.h"

/* ── fixed and pattern ───────────────────────────────────────────────────────────────────────── */

static bool any_matches(const struct json *list, const struct json *pattern)
{
    for (const struct json *i = list->first; i; i = i->next) {
        if (profile_value_matches(i, pattern))
            return true;
    }
    return false;
}

bool profile_value_matches(const struct json *value, const struct json *pattern)
{
    if (!value || value->kind != pattern->kind)
        return false;
    if (pattern->kind != JSON_OBJECT && pattern->kind != JSON_ARRAY)
        return json_equal(value, pattern);
    for (const struct json *p = pattern->first; p; p = p->next) {
        if (pattern->kind == JSON_ARRAY ? !any_matches(value, p)
                                        : !profile_value_matches(json_get_slice(value, p->key), p))
            return false;
    }
    return true;
}

/* VALUE in few words for a message. */
static struct slice shown(struct arena *arena, const struct json *value)
{
    struct buf text;
    buf_init(&text, 100);
    json_print(&text, value);
    struct slice copy = buf_err(&text) ? SLICE("...") : arena_dup(arena, buf_slice(&text));
    buf_fini(&text);
    return copy;
}

static void check_fixed(struct profile_run *run, const struct profile_node *node,
                        const struct profile_item *item)
{
    const struct json *fixed = profile_tree_choice(node, "fixed");
    const struct json *pattern = profile_tree_choice(node, "pattern");
    struct arena *a = run->arena;
    if (fixed && (!item->value || !json_equal(item->value, fixed))) {
        struct slice s = shown(a, fixed);
        profile_say(run, ERR_SEVERITY_ERROR, ERR_INVALID, &item->place,
                    arena_printf(a, "the value must be exactly %.*s", SLICE_ARG(s)),
                    arena_printf(a, "値は %.*s に固定されています", SLICE_ARG(s)));
    }
    if (pattern && !profile_value_matches(item->value, pattern)) {
        struct slice s = shown(a, pattern);
        profile_say(run, ERR_SEVERITY_ERROR, ERR_INVALID, &item->place,
                    arena_printf(a, "the value must contain %.*s", SLICE_ARG(s)),
                    arena_printf(a, "値は %.*s を含む必要があります", SLICE_ARG(s)));
    }
}

/* ── limits ──────────────────────────────────────────────────────────────────────────────────── */

static double number(const struct json *value)
{
    char text[80] = "";
    if (value->text.len && value->text.len < sizeof(text))
        memcpy(text, value->text.ptr, value->text.len);
    return strtod(text, NULL);
}

/* Is A surely below B? */
static bool is_below(const struct json *a, const struct json *b)
{
    struct when x, y;
    if (a->kind != b->kind)
        return false;
    if (a->kind == JSON_NUMBER)
        return number(a) < number(b);
    if (a->kind == JSON_OBJECT)
        return json_get(a, "value") && json_get(b, "value") &&
               slice_eq(json_str(a, "code"), json_str(b, "code")) &&
               is_below(json_get(a, "value"), json_get(b, "value"));
    return when_parse_fhir(a->text, false, &x) && when_parse_fhir(b->text, false, &y) &&
           x.hi_ms <= y.lo_ms;
}

static size_t characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

static void check_limits(struct profile_run *run, const struct profile_node *node,
                         const struct profile_item *item)
{
    const struct json *length = profile_tree_get(node, "maxLength");
    const struct json *min = profile_tree_choice(node, "minValue");
    const struct json *max = profile_tree_choice(node, "maxValue");
    int64_t most;
    if (length && slice_i64(length->text, &most) && item->value->kind == JSON_STRING &&
        characters(item->value->text) > (uint64_t)most)
        profile_say(run, ERR_SEVERITY_ERROR, ERR_INVALID, &item->place,
                    arena_printf(run->arena, "at most %lld characters", (long long)most),
                    arena_printf(run->arena, "%lld 文字までです", (long long)most));
    if (min && is_below(item->value, min))
        profile_say(run, ERR_SEVERITY_ERROR, ERR_INVALID, &item->place,
                    "the value is below the least one allowed", "値が下限を下回っています");
    if (max && is_below(max, item->value))
        profile_say(run, ERR_SEVERITY_ERROR, ERR_INVALID, &item->place,
                    "the value is above the greatest one allowed", "値が上限を上回っています");
}

/* ── bindings ────────────────────────────────────────────────────────────────────────────────── */

static enum err member(struct profile_run *run, const struct json *set, struct slice system,
                       struct slice code, enum valueset_answer *ret_answer)
{
    struct valueset_code found;
    if (!code.len) {
        *ret_answer = VALUESET_OUT;
        return ERR_OK;
    }
    return valueset_member(run->arena, set, run->source, system, code, ret_answer, &found);
}

/* The best answer of the value's codings. */
static enum err answer_of(struct profile_run *run, const struct json *set, const struct json *value,
                          enum valueset_answer *ret_answer)
{
    const struct json *codings = json_get(value, "coding");
    enum valueset_answer best = VALUESET_OUT;
    if (value->kind != JSON_OBJECT)
        return member(run, set, SLICE_NONE, value->text, ret_answer);
    if (json_get(value, "code"))
        return member(run, set, json_str(value, "system"), json_str(value, "code"), ret_answer);
    for (const struct json *c = codings ? codings->first : NULL; c && best != VALUESET_IN;
         c = c->next) {
        enum valueset_answer one = VALUESET_OUT;
        /* A Coding without a system is of no value set. */
        enum err err = json_str(c, "system").len
                           ? member(run, set, json_str(c, "system"), json_str(c, "code"), &one)
                           : ERR_OK;
        if (err)
            return err;
        if (one != VALUESET_OUT)
            best = one;
    }
    *ret_answer = best;
    return ERR_OK;
}

static enum err check_binding(struct profile_run *run, const struct profile_node *node,
                              const struct profile_item *item)
{
    const struct json *binding = profile_tree_get(node, "binding");
    struct slice canonical = json_str(binding, "valueSet");
    bool required = slice_is(json_str(binding, "strength"), "required");
    bool extensible = slice_is(json_str(binding, "strength"), "extensible");
    enum valueset_answer answer = VALUESET_UNKNOWN;
    struct json *set = NULL;
    if (!canonical.len || (!required && !extensible) || (required && item->element->codes))
        return ERR_OK; /* R4's own required bindings have been checked */
    if (extensible && item->value->kind == JSON_OBJECT && !json_get(item->value, "coding") &&
        !json_get(item->value, "code"))
        return ERR_OK;
    enum err err = run->source->resolve(run->source->context, "ValueSet", canonical, &set);
    if (!err)
        err = answer_of(run, set, item->value, &answer);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (answer == VALUESET_UNKNOWN)
        profile_unchecked(run, &item->place, "the value set", "値セット", canonical);
    if (answer == VALUESET_OUT)
        profile_say(
            run, required ? ERR_SEVERITY_ERROR : ERR_SEVERITY_WARNING, ERR_INVALID, &item->place,
            arena_printf(run->arena, "the code is not in the value set %.*s", SLICE_ARG(canonical)),
            arena_printf(run->arena, "コードが値セット %.*s にありません", SLICE_ARG(canonical)));
    return ERR_OK;
}

enum err profile_value_check(struct profile_run *run, const struct profile_node *node,
                             const struct profile_item *item)
{
    check_fixed(run, node, item);
    if (!item->value)
        return ERR_OK;
    check_limits(run, node, item);
    return check_binding(run, node, item);
}
