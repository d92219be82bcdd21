/* SPDX-License-Identifier: Apache-2.0
 *
 * One ordinary search parameter: prefix, modifier and values by the parameter's type (R4
 * search.html sections 3.1.1.4 and 5).
 */
#include "exchange/door/fhir_query.h"

#include "exchange/gate/refs.h"
#include "mappers/fhir/fold.h"

#include "base/banned.h"

struct slice fhir_query_value(struct slice *rest)
{
    struct slice all = *rest;
    for (size_t i = 0; i < all.len; i++) {
        if (all.ptr[i] == '\\') {
            i++;
        } else if (all.ptr[i] == ',') {
            *rest = slice_sub(all, i + 1, all.len);
            return slice_sub(all, 0, i);
        }
    }
    *rest = SLICE_NONE;
    return all;
}

size_t fhir_query_bar(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\')
            i++;
        else if (value.ptr[i] == '|')
            return i;
    }
    return value.len;
}

struct slice fhir_query_unescape(struct arena *arena, struct slice value)
{
    if (slice_find(value, '\\', 0) == value.len)
        return value;
    char *out = arena_alloc(arena, value.len + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len)
            i++;
        out[n++] = value.ptr[i];
    }
    return slice_of(out, out ? n : 0);
}

static const struct {
    const char *prefix;
    enum search_op op;
} prefixes[] = {{"eq", SEARCH_EQ}, {"ne", SEARCH_NE}, {"gt", SEARCH_GT},
                {"lt", SEARCH_LT}, {"ge", SEARCH_GE}, {"le", SEARCH_LE},
                {"sa", SEARCH_SA}, {"eb", SEARCH_EB}, {"ap", SEARCH_AP}};

/* Takes a prefix off *VALUE. */
static enum search_op take_prefix(struct slice *value)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
        if (slice_starts(*value, slice_str(prefixes[i].prefix))) {
            *value = slice_sub(*value, 2, value->len);
            return prefixes[i].op;
        }
    return SEARCH_EQ;
}

bool fhir_query_date(struct slice value, enum search_op *ret_op, struct when *ret_when)
{
    *ret_op = take_prefix(&value);
    return when_parse_fhir(value, true, ret_when);
}

static bool parse_token(struct arena *arena, struct slice text, struct search_value *v)
{
    size_t bar = fhir_query_bar(text);
    v->any_system = bar == text.len;
    if (!v->any_system)
        v->system = fhir_query_unescape(arena, slice_sub(text, 0, bar));
    struct slice code = v->any_system ? text : slice_sub(text, bar + 1, text.len);
    v->any_code = code.len == 0;
    v->text = fhir_query_unescape(arena, code);
    return text.len > 1 || (text.len == 1 && text.ptr[0] != '|');
}

static bool parse_string(struct arena *arena, struct slice text, struct search_value *v)
{
    v->raw = fhir_query_unescape(arena, text);
    v->text = fold_text(arena, v->raw);
    return text.len > 0;
}

static bool parse_number(struct arena *arena, struct slice text, struct search_value *v)
{
    v->op = take_prefix(&text);
    (void)arena;
    return facets_number(text, &v->lo, &v->hi);
}

static bool parse_quantity(struct arena *arena, struct slice text, struct search_value *v)
{
    size_t bar = fhir_query_bar(text);
    struct slice number = slice_sub(text, 0, bar);
    struct slice rest = slice_sub(text, bar + 1, text.len);
    v->any_system = true;
    if (bar < text.len) {
        size_t second = fhir_query_bar(rest);
        v->system = fhir_query_unescape(arena, slice_sub(rest, 0, second));
        v->any_system = v->system.len == 0;
        v->unit = fhir_query_unescape(arena, slice_sub(rest, second + 1, rest.len));
    }
    return parse_number(arena, number, v);
}

static bool parse_uri(struct arena *arena, struct slice text, struct search_value *v)
{
    v->text = fhir_query_unescape(arena, text);
    return text.len > 0;
}

static bool parse_date(struct arena *arena, struct slice text, struct search_value *v)
{
    (void)arena;
    return fhir_query_date(text, &v->op, &v->when);
}

static bool (*const parsers[])(struct arena *, struct slice, struct search_value *) = {
    [FACET_TOKEN] = parse_token,   [FACET_STRING] = parse_string,     [FACET_DATE] = parse_date,
    [FACET_NUMBER] = parse_number, [FACET_QUANTITY] = parse_quantity, [FACET_URI] = parse_uri,
};

/* The modifier's effect on a term of this kind, or a refusal naming what is valid. */
static enum err modifier_op(struct request *r, const struct fhir_param *p, enum facet_kind kind,
                            enum search_op *ret_op)
{
    static const struct {
        const char *name;
        int kind; /* -1: any */
        enum search_op op;
    } rows[] = {{"missing", -1, SEARCH_MISSING},
                {"not", FACET_TOKEN, SEARCH_NOT},
                {"exact", FACET_STRING, SEARCH_EXACT},
                {"contains", FACET_STRING, SEARCH_CONTAINS}};
    *ret_op = SEARCH_EQ;
    if (!p->modifier.len)
        return ERR_OK;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (slice_is(p->modifier, rows[i].name) &&
            (rows[i].kind < 0 || rows[i].kind == (int)kind)) {
            *ret_op = rows[i].op;
            return ERR_OK;
        }
    return err_add(
        &r->errors, ERR_UNKNOWN_PARAM, arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
        ":%.*s; valid: :missing, :not (token), :exact, :contains (string)", SLICE_ARG(p->modifier));
}

static enum err bad_value(struct request *r, const struct fhir_param *p)
{
    return err_add(&r->errors, ERR_BAD_PARAM, arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
                   "%.*s", SLICE_ARG(p->value));
}

static bool is_url(struct slice text)
{
    return slice_search(text, SLICE("://"), 0) < text.len || slice_starts(text, SLICE("urn:"));
}

/* One reference value may mean several targets: an id alone stands for each allowed type. */
static enum err add_reference(struct request *r, const struct fhir_param *p,
                              const struct definition_param *def, struct slice text,
                              struct search_term *term, struct search_value *values, size_t room)
{
    struct slice targets = slice_str(def->targets), id = fhir_query_unescape(r->arena, text);
    struct slice base = slice_str(r->base_url);
    if (slice_starts(id, base) && id.len > base.len + 1)
        id = slice_sub(id, base.len + 1, id.len);
    if (is_url(id) || slice_find(id, '/', 0) < id.len || !targets.len) {
        values[term->value_count++].text = id;
        return ERR_OK;
    }
    if (slice_is(p->modifier, "identifier"))
        return bad_value(r, p);
    while (targets.ptr && term->value_count < room) {
        struct slice type = slice_cut(&targets, ' ');
        const char *full = arena_printf(r->arena, "%.*s/%.*s", SLICE_ARG(type), SLICE_ARG(id));
        values[term->value_count++].text = slice_str(full);
    }
    return ERR_OK;
}

static size_t count_values(struct slice text)
{
    size_t n = 0;
    for (struct slice rest = text; rest.ptr && n <= LIMIT_SEARCH_VALUES; n++)
        (void)fhir_query_value(&rest);
    return n;
}

enum err fhir_query_term(struct session *s, struct request *r, const struct fhir_param *p,
                         const struct definition_param *def, struct search_term *ret_term)
{
    struct search_term term = {.param = def->number, .kind = def->kind};
    struct slice rest = p->value;
    size_t n = count_values(p->value), room = n * (def->kind == FACET_REFERENCE ? 24 : 1);
    struct search_value *values = arena_array(r->arena, room ? room : 1, sizeof(*values));
    enum search_op op = SEARCH_EQ;
    enum err err = modifier_op(r, p, def->kind, &op);
    (void)s;
    if (err)
        return err;
    if (!values)
        return ERR_LIMIT;
    if (n == 0 || n > LIMIT_SEARCH_VALUES)
        return bad_value(r, p);
    while (rest.ptr && !err) {
        struct slice text = fhir_query_value(&rest);
        if (op == SEARCH_MISSING) {
            if (!slice_is(text, "true") && !slice_is(text, "false"))
                return bad_value(r, p);
            values[term.value_count].text = text;
            values[term.value_count++].op = op;
        } else if (def->kind == FACET_REFERENCE) {
            err = text.len ? add_reference(r, p, def, text, &term, values, room) : bad_value(r, p);
        } else {
            struct search_value *v = &values[term.value_count++];
            if (!parsers[def->kind](r->arena, text, v))
                return bad_value(r, p);
            if (op != SEARCH_EQ)
                v->op = op;
        }
    }
    term.values = values;
    *ret_term = term;
    return err;
}
