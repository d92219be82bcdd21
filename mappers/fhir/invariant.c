/* SPDX-License-Identifier: Apache-2.0
 *
 * See invariant.h: finds the rows of a type, reads their rules. Rules are short, so reading them
 * anew costs less than keeping them compiled would in state.
 */
#include "mappers/fhir/invariant.h"

#include <assert.h>
#include <stdlib.h>

#include "base/banned.h"

/* ── the little language ─────────────────────────────────────────────────────────────────────── */

struct reader {
    const char *at;
    const struct json *json;
    struct arena *arena;
};

/* What is done with each value of a path. */
struct visit {
    void (*value)(struct visit *v, const struct json *value);
    struct slice words; /* "=": allowed words */
    struct slice *found;
    size_t count, room;
    bool any;
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* Is the member KEY (or its sibling _KEY) the element NAME, where "value*" is a choice? */
static bool is_member(struct slice key, struct slice name)
{
    if (key.len && key.ptr[0] == '_')
        key = slice_sub(key, 1, key.len);
    if (name.ptr[name.len - 1] != '*')
        return slice_eq(key, name);
    name.len--;
    return key.len > name.len && slice_starts(key, name) && key.ptr[name.len] >= 'A' &&
           key.ptr[name.len] <= 'Z';
}

static void visit_path(struct visit *v, const struct json *json, struct slice path);

static void visit_value(struct visit *v, const struct json *value, struct slice rest)
{
    if (value->kind == JSON_ARRAY) {
        for (const struct json *i = value->first; i; i = i->next)
            visit_value(v, i, rest);
    } else if (rest.ptr) {
        visit_path(v, value, rest);
    } else if (value->kind != JSON_NULL) {
        v->value(v, value);
    }
}

static void visit_path(struct visit *v, const struct json *json, struct slice path)
{
    struct slice rest = path;
    struct slice name = slice_cut(&rest, '.');
    if (json->kind != JSON_OBJECT)
        return;
    for (const struct json *m = json->first; m; m = m->next) {
        if (is_member(m->key, name))
            visit_value(v, m, rest);
    }
}

static void count_value(struct visit *v, const struct json *value)
{
    (void)value;
    v->count++;
}

static struct slice text_of(const struct json *value)
{
    if (value->kind == JSON_TRUE)
        return SLICE("true");
    if (value->kind == JSON_FALSE)
        return SLICE("false");
    return value->text;
}

static void compare_value(struct visit *v, const struct json *value)
{
    struct slice words = v->words;
    while (words.ptr)
        v->any |= slice_eq(slice_cut(&words, ','), text_of(value));
}

static void keep_value(struct visit *v, const struct json *value)
{
    if (v->count < v->room)
        v->found[v->count] = text_of(value);
    v->count++;
}

static struct slice read_path(struct reader *r)
{
    const char *start = r->at;
    while (is_word(*r->at) || *r->at == '.' || *r->at == '*')
        r->at++;
    assert(r->at > start);
    return slice_of(start, (size_t)(r->at - start));
}

static bool read_count(struct reader *r)
{
    struct visit v = {.value = count_value};
    visit_path(&v, r->json, read_path(r));
    while (*r->at == '+') {
        r->at++;
        visit_path(&v, r->json, read_path(r));
    }
    char op = *r->at++;
    size_t wanted = (size_t)(*r->at++ - '0');
    assert((op == '=' || op == '<') && wanted <= 9);
    return op == '=' ? v.count == wanted : v.count < wanted;
}

static int compare_text(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* No value twice. Without memory for the list nothing is claimed. */
static bool read_distinct(struct reader *r)
{
    struct slice path = read_path(r);
    struct visit v = {.value = count_value};
    visit_path(&v, r->json, path);
    if (v.count < 2)
        return true;
    struct visit k = {.value = keep_value, .room = v.count};
    k.found = arena_array(r->arena, v.count, sizeof(*k.found));
    if (!k.found)
        return true;
    visit_path(&k, r->json, path);
    qsort(k.found, k.count, sizeof(*k.found), compare_text);
    for (size_t i = 1; i < k.count; i++) {
        if (k.found[i].len && slice_eq(k.found[i - 1], k.found[i]))
            return false;
    }
    return true;
}

static bool read_atom(struct reader *r)
{
    if (*r->at == '#' || *r->at == '~')
        return *r->at++ == '#' ? read_count(r) : read_distinct(r);
    struct slice path = read_path(r);
    struct visit v = {.value = count_value};
    if (*r->at != '=') {
        visit_path(&v, r->json, path);
        return v.count > 0;
    }
    const char *start = ++r->at;
    while (is_word(*r->at) || *r->at == ',')
        r->at++;
    v.value = compare_value;
    v.words = slice_of(start, (size_t)(r->at - start));
    visit_path(&v, r->json, path);
    return v.any;
}

static void skip(struct reader *r)
{
    while (*r->at == ' ')
        r->at++;
}

static bool read_rule(struct reader *r);

static bool read_not(struct reader *r)
{
    bool value;
    skip(r);
    if (*r->at == '!') {
        r->at++;
        return !read_not(r);
    }
    if (*r->at != '(') {
        value = read_atom(r);
    } else {
        r->at++;
        value = read_rule(r);
        assert(*r->at == ')');
        r->at++;
    }
    skip(r);
    return value;
}

static bool read_and(struct reader *r)
{
    bool value = read_not(r);
    while (*r->at == '&') {
        r->at++;
        bool other = read_not(r);
        value = value && other;
    }
    return value;
}

static bool read_or(struct reader *r)
{
    bool value = read_and(r);
    while (*r->at == '|' || *r->at == '^') {
        char op = *r->at++;
        bool other = read_and(r);
        value = op == '|' ? value || other : value != other;
    }
    return value;
}

static bool read_rule(struct reader *r)
{
    bool value = read_or(r);
    if (*r->at != '>')
        return value;
    r->at++;
    bool other = read_rule(r);
    return !value || other;
}

bool invariant_rule(const char *rule, const struct json *json, struct arena *arena)
{
    struct reader r = {rule, json, arena};
    bool value = read_rule(&r);
    assert(*r.at == '\0');
    return value;
}

/* ── the table ───────────────────────────────────────────────────────────────────────────────── */

static void check_row(struct findings *f, const struct invariant *row, const struct json *json,
                      const struct place *at)
{
    struct arena *arena = f->errors->arena;
    struct invariant_site site = {.json = json, .arena = arena, .index = PLACE_SINGLE};
    if (row->rule ? invariant_rule(row->rule, json, arena) : row->holds(&site))
        return;
    struct place child = {at, NULL, slice_str(site.child), site.index};
    const char *en = row->en;
    const char *ja = row->ja;
    if (findings_kept(f)) {
        en = arena_printf(arena, "%s (%s)", row->en, row->key);
        ja = arena_printf(arena, "%s(%s)", row->ja, row->key);
    }
    findings_tell(f, row->severity, ERR_INVARIANT, site.child ? &child : at, en, ja);
}

/* The first row of TYPE, or the end. */
static const struct invariant *find_rows(const char *type)
{
    size_t lo = 0;
    size_t hi = invariant_count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (strcmp(invariant_table[mid].type, type) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return &invariant_table[lo];
}

static void check_rows(struct findings *f, const char *type, const struct json *json,
                       const struct place *at)
{
    for (const struct invariant *row = find_rows(type); row->type && strcmp(row->type, type) == 0;
         row++)
        check_row(f, row, json, at);
}

void invariant_check(struct findings *f, const struct definition_type *type,
                     const struct json *json, const struct place *at)
{
    if (json->kind != JSON_OBJECT || !json->first)
        return; /* told already */
    if (type->kind == DEFINITION_COMPLEX || type->kind == DEFINITION_BACKBONE)
        check_rows(f, "Element", json, at);
    else if (json_get(json, "contained"))
        check_rows(f, "DomainResource", json, at);
    check_rows(f, type->name, json, at);
}

bool invariant_known(struct slice key)
{
    static const char *const elsewhere[] = {"dom-2", "dom-6", "ref-1", "txt-1", "txt-2"};
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        if (slice_is(key, elsewhere[i]))
            return true;
    }
    for (const struct invariant *row = invariant_table; row->type; row++) {
        if (slice_is(key, row->key))
            return true;
    }
    return false;
}
