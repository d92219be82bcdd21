/* SPDX-License-Identifier: Apache-2.0
 *
 * The key of a search parameter, down to one parameter of one type (R4 search.html#chaining, #has):
 *
 *     key = code [ ":" modifier ]
 *         | code [ ":" Type ] "." key          records that refer by code to one that passes
 *         | "_has:" Type ":" code ":" key      records that one of Type refers to by code and that
 * passes
 *
 * A chain without a type goes to every type the parameter may refer to that knows what comes next.
 * A chain that ends at a patient's number or id is that patient's persons at once: the relay index
 * answers, not what records he has.
 */
#include "exchange/door/fhir_query_impl.h"

#include "exchange/gate/own_id.h"
#include "mappers/fhir/fold.h"

#include "base/banned.h"

/* One link of a key, taken apart. */
struct link {
    struct slice code;
    struct slice modifier; /* or the type of a chain */
    struct slice rest;     /* after the dot; {NULL,0} at the end */
};

static struct link read_link(struct slice key)
{
    struct link link = {.code = key};
    size_t dot = slice_find(key, '.', 0), colon = slice_find(key, ':', 0);
    struct slice head = slice_sub(key, 0, dot);
    link.code = slice_sub(key, 0, colon < dot ? colon : dot);
    if (colon < dot)
        link.modifier = slice_sub(head, colon + 1, head.len);
    if (dot < key.len)
        link.rest = slice_sub(key, dot + 1, key.len);
    return link;
}

const struct definition_param *fhir_query_chain_param(struct slice type, struct slice name)
{
    if (type.len)
        return definition_param(type, name);
    return slice_starts(name, SLICE("_")) ? definition_param(SLICE("Observation"), name) : NULL;
}

static enum err descend(struct fhir_build *b, const struct fhir_criterion *c)
{
    if (++b->depth > LIMIT_SEARCH_CHAIN)
        return err_add(&b->r->errors, ERR_TOO_DEEP, c->place, "more than %u links",
                       LIMIT_SEARCH_CHAIN);
    return ERR_OK;
}

/* ── parameters with a meaning of their own ──────────────────────────────────────────────────── */

/* Calls ADD for each of C's values; several are alternatives. */
static enum err each_value(struct fhir_build *b, const struct fhir_criterion *c,
                           enum err (*add)(struct fhir_build *, const struct fhir_criterion *,
                                           struct slice, struct fhir_filters *),
                           struct fhir_filters *list)
{
    size_t count = fhir_query_value_count(c->value), n = 0;
    struct fhir_filters *sides = arena_array(b->r->arena, count + 1, sizeof(*sides));
    enum err err = ERR_OK;
    if (!sides)
        return ERR_LIMIT;
    if (!c->value.len)
        return fhir_query_bad(b, c, "a value");
    if (count > LIMIT_SEARCH_VALUES)
        return err_add(&b->r->errors, ERR_TOO_LARGE, c->place, "more than %u values",
                       LIMIT_SEARCH_VALUES);
    for (struct slice rest = c->value; rest.ptr && !err;)
        err = add(b, c, fhir_query_value_cut(&rest), &sides[n++]);
    return err ? err : fhir_query_add_any(b, c, list, sides, n);
}

static enum err add_updated(struct fhir_build *b, const struct fhir_criterion *c, struct slice text,
                            struct fhir_filters *list)
{
    struct search_filter filter = {.kind = SEARCH_UPDATED};
    if (!fhir_query_value_parse(b->r->arena, FACET_DATE, text, &filter.value))
        return fhir_query_bad(b, c, fhir_query_value_form(FACET_DATE));
    return fhir_query_add(b, c, list, &filter);
}

static enum err leaf_updated(struct fhir_build *b, struct fhir_types types,
                             const struct fhir_criterion *c, struct fhir_filters *list)
{
    (void)types;
    return each_value(b, c, add_updated, list);
}

static enum err add_words(struct fhir_build *b, const struct fhir_criterion *c, struct slice text,
                          struct fhir_filters *list)
{
    struct search_filter filter = {.kind = SEARCH_WORDS};
    struct slice plain = fhir_query_value_unescape(b->r->arena, text);
    filter.param = slice_is(c->key, "_content");
    filter.value.raw = plain;
    filter.value.text = fold_text(b->r->arena, plain);
    if (!filter.value.text.len)
        return fhir_query_bad(b, c, "words");
    return fhir_query_add(b, c, list, &filter);
}

static enum err leaf_words(struct fhir_build *b, struct fhir_types types,
                           const struct fhir_criterion *c, struct fhir_filters *list)
{
    (void)types;
    return each_value(b, c, add_words, list);
}

/* Ids of anything but Patients. */
static enum err add_ids(struct fhir_build *b, struct fhir_types types,
                        const struct fhir_criterion *c, struct fhir_filters *list)
{
    size_t count = fhir_query_value_count(c->value), n = 0;
    enum err err = ERR_OK;
    struct slice *ids = arena_array(b->r->arena, count + 1, sizeof(*ids));
    struct search_filter filter = {.kind = SEARCH_IDS, .ids = ids};
    if (!ids)
        return ERR_LIMIT;
    for (struct slice rest = c->value; rest.ptr;) {
        ids[n] = fhir_query_value_unescape(b->r->arena, fhir_query_value_cut(&rest));
        if (!ids[n].len)
            return fhir_query_bad(b, c, "[id]");
        if (types.count == 1) /* of several types an id of one's own would mean several records */
            err = own_id_stored(b->s, b->r, types.items[0], ids[n], &ids[n]);
        if (err)
            return err;
        n++;
    }
    filter.id_count = n;
    return fhir_query_add(b, c, list, &filter);
}

static enum err add_patient_ids(struct fhir_build *b, const struct fhir_criterion *c,
                                struct fhir_filters *list)
{
    struct fhir_persons persons = {.given = true};
    enum err err = ERR_OK;
    for (struct slice rest = c->value; rest.ptr && !err;) {
        struct slice id = fhir_query_value_unescape(b->r->arena, fhir_query_value_cut(&rest));
        err = id.len ? fhir_query_person(b, id, &persons) : fhir_query_bad(b, c, "[id]");
    }
    return err ? err : fhir_query_person_add(b, c, 0, &persons, list);
}

static bool has_type(struct fhir_types types, const char *type)
{
    for (size_t i = 0; i < types.count; i++)
        if (slice_is(types.items[i], type))
            return true;
    return types.count == 0;
}

/* A Patient record's own id is nobody's business: Patients are found by the ids this reader knows.
 */
static enum err leaf_id(struct fhir_build *b, struct fhir_types types,
                        const struct fhir_criterion *c, struct fhir_filters *list)
{
    static const struct slice patient = {"Patient", 7};
    struct search_filter only = {.kind = SEARCH_TYPES, .ids = &patient, .id_count = 1};
    struct fhir_filters sides[2] = {{0}};
    enum err err = ERR_OK;
    if (!c->value.len)
        return fhir_query_bad(b, c, "[id]");
    if (fhir_query_value_count(c->value) > LIMIT_SEARCH_VALUES)
        return err_add(&b->r->errors, ERR_TOO_LARGE, c->place, "more than %u values",
                       LIMIT_SEARCH_VALUES);
    if (!has_type(types, "Patient"))
        return add_ids(b, types, c, list);
    if (types.count == 1)
        return add_patient_ids(b, c, list);
    err = fhir_query_add(b, c, &sides[0], &only);
    if (!err)
        err = add_patient_ids(b, c, &sides[0]);
    only.none = true;
    if (!err)
        err = fhir_query_add(b, c, &sides[1], &only);
    if (!err)
        err = add_ids(b, types, c, &sides[1]);
    return err ? err : fhir_query_add_any(b, c, list, sides, 2);
}

/* Members of a List: what a visible List of that id refers to. */
static enum err leaf_list(struct fhir_build *b, struct fhir_types types,
                          const struct fhir_criterion *c, struct fhir_filters *list)
{
    static const struct slice holder = {"List", 4};
    const struct definition_param *item = definition_param(holder, SLICE("item"));
    struct fhir_filters inner = {0};
    (void)types;
    if (!c->value.len || c->value.ptr[0] == '$' || !item)
        return fhir_query_bad(b, c, "[id]");
    enum err err = add_ids(b, (struct fhir_types){&holder, 1}, c, &inner);
    struct search_list *group = ARENA_NEW(b->r->arena, struct search_list);
    if (err || !group)
        return err ? err : ERR_LIMIT;
    *group = (struct search_list){inner.items, inner.count};
    struct search_filter filter = {.kind = SEARCH_HAS,
                                   .param = item->number,
                                   .ids = &holder,
                                   .id_count = 1,
                                   .groups = group,
                                   .group_count = 1};
    return fhir_query_add(b, c, list, &filter);
}

static const struct {
    const char *name;
    enum err (*add)(struct fhir_build *, struct fhir_types, const struct fhir_criterion *,
                    struct fhir_filters *);
} leaves[] = {{"_id", leaf_id},
              {"_lastUpdated", leaf_updated},
              {"_text", leaf_words},
              {"_content", leaf_words},
              {"_list", leaf_list}};

/* ── types that can be asked together ────────────────────────────────────────────────────────── */

/* Which parameter the first link of KEY is to TYPE: types with one number can be asked together. 0:
 * TYPE does not know it. */
static uint32_t leaf_number(struct slice type, struct slice key)
{
    struct link link = read_link(key);
    const struct definition_param *def = definition_param(type, link.code);
    for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++)
        if (slice_is(link.code, leaves[i].name))
            return UINT16_MAX + 2u + slice_is(type, "Patient");
    if (slice_is(link.code, "_has"))
        return UINT16_MAX + 4u;
    return def ? def->number + 1u : 0;
}

/* Groups of TYPES with one number, those that do not know KEY left out; at most types.count. */
static enum err partition(struct fhir_build *b, struct fhir_types types, struct slice key,
                          struct fhir_types **ret_parts, size_t *ret_count)
{
    struct fhir_types *parts = arena_array(b->r->arena, types.count + 1, sizeof(*parts));
    struct slice *items = arena_array(b->r->arena, types.count + 1, sizeof(*items));
    uint32_t *numbers = arena_array(b->r->arena, types.count + 1, sizeof(*numbers));
    size_t count = 0, used = 0;
    if (!parts || !items || !numbers)
        return ERR_LIMIT;
    for (size_t i = 0; i < types.count; i++)
        numbers[i] = leaf_number(types.items[i], key);
    for (size_t i = 0; i < types.count; i++) {
        uint32_t number = numbers[i];
        if (!number)
            continue;
        parts[count].items = items + used;
        for (size_t j = i; j < types.count; j++)
            if (numbers[j] == number) {
                items[used++] = types.items[j];
                parts[count].count++;
                numbers[j] = 0;
            }
        count++;
    }
    *ret_parts = parts;
    *ret_count = count;
    return ERR_OK;
}

/* ── links ───────────────────────────────────────────────────────────────────────────────────── */

/* "He is one of these persons", asked of a Patient: then so is whoever is referred to. */
static bool is_person_filter(const struct search_filter *f)
{
    return f->kind == SEARCH_PERSONS && f->param == 0 && !f->none;
}

static enum err add_link(struct fhir_build *b, const struct fhir_criterion *c,
                         enum search_filter_kind kind, uint16_t param, struct fhir_types types,
                         const struct search_list *inner, struct fhir_filters *list)
{
    struct search_list *group = ARENA_NEW(b->r->arena, struct search_list);
    struct search_filter filter = {.kind = kind,
                                   .param = param,
                                   .ids = types.items,
                                   .id_count = types.count,
                                   .groups = group,
                                   .group_count = 1};
    if (!group)
        return ERR_LIMIT;
    *group = *inner;
    if (kind == SEARCH_CHAIN && types.count == 1 && slice_is(types.items[0], "Patient") &&
        inner->count == 1 && is_person_filter(&inner->items[0])) {
        filter = inner->items[0];
        filter.param = param;
    }
    return fhir_query_add(b, c, list, &filter);
}

/* A link to records of TYPES that pass INNER; alternatives become links of their own, so that one
 * that is a person's number does not wait for a Patient record. */
static enum err add_chain(struct fhir_build *b, const struct fhir_criterion *c, uint16_t param,
                          struct fhir_types types, const struct fhir_filters *inner,
                          struct fhir_filters *list)
{
    const struct search_filter *only = inner->count == 1 ? &inner->items[0] : NULL;
    struct search_list all = {inner->items, inner->count};
    enum err err = ERR_OK;
    if (!only || only->kind != SEARCH_ANY || only->none)
        return add_link(b, c, SEARCH_CHAIN, param, types, &all, list);
    struct fhir_filters *sides = arena_array(b->r->arena, only->group_count, sizeof(*sides));
    if (!sides)
        return ERR_LIMIT;
    for (size_t i = 0; i < only->group_count && !err; i++)
        err = add_link(b, c, SEARCH_CHAIN, param, types, &only->groups[i], &sides[i]);
    return err ? err : fhir_query_add_any(b, c, list, sides, only->group_count);
}

/* The targets of a chain: the type said, or all the parameter may refer to. */
static enum err chain_targets(struct fhir_build *b, const struct fhir_criterion *c,
                              const struct definition_param *def, struct slice type,
                              struct fhir_types *ret_types)
{
    size_t room = 0, n = 0;
    const struct definition_type *const *all = definition_resources(&room);
    struct slice *items = arena_array(b->r->arena, room, sizeof(*items));
    if (!items)
        return ERR_LIMIT;
    for (size_t i = 0; i < room; i++) {
        struct slice name = slice_str(all[i]->name);
        if (definition_can_target(def, name) && (!type.len || slice_eq(name, type)))
            items[n++] = name;
    }
    *ret_types = (struct fhir_types){items, n};
    if (n)
        return ERR_OK;
    return err_add(&b->r->errors, ERR_UNKNOWN_PARAM, c->place, ":%.*s; valid: %s", SLICE_ARG(type),
                   *def->targets ? def->targets : "[type]");
}

static enum err chain_part(struct fhir_build *b, const struct fhir_criterion *c,
                           const struct definition_param *def, struct fhir_types types,
                           struct slice rest, struct fhir_filters *list)
{
    struct fhir_criterion next = {.place = c->place, .key = rest, .value = c->value};
    struct fhir_filters inner = {0};
    enum err err = fhir_query_chain(b, types, &next, &inner);
    return err ? err : add_chain(b, c, def->number, types, &inner, list);
}

/* Every kind of target that understands the rest; one that does not is no alternative. */
static enum err chain_parts(struct fhir_build *b, const struct fhir_criterion *c,
                            const struct definition_param *def, struct slice rest,
                            const struct fhir_types *parts, size_t count, struct fhir_filters *list)
{
    struct fhir_filters *sides = arena_array(b->r->arena, count + 1, sizeof(*sides));
    size_t n = 0;
    if (!sides)
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        struct err_list saved = b->r->errors;
        enum err err = chain_part(b, c, def, parts[i], rest, &sides[n]);
        if (!err) {
            n++;
            continue;
        }
        if ((err != ERR_UNKNOWN_PARAM && err != ERR_BAD_PARAM) || (i + 1 == count && n == 0))
            return err;
        sides[n] = (struct fhir_filters){0};
        fhir_query_forgive(b->r, saved);
    }
    return fhir_query_add_any(b, c, list, sides, n);
}

static enum err add_chains(struct fhir_build *b, const struct fhir_criterion *c,
                           const struct definition_param *def, const struct link *link,
                           struct fhir_filters *list)
{
    struct fhir_types targets, *parts = NULL;
    size_t count = 0;
    enum err err;
    if (def->kind != FACET_REFERENCE)
        return err_add(&b->r->errors, ERR_UNKNOWN_PARAM, c->place, "%s: not a reference",
                       def->code);
    err = descend(b, c);
    if (!err)
        err = chain_targets(b, c, def, link->modifier, &targets);
    if (!err)
        err = partition(b, targets, link->rest, &parts, &count);
    if (!err && count)
        err = chain_parts(b, c, def, link->rest, parts, count, list);
    else if (!err) /* nobody knows it: the first one says what it knows */
        err = chain_part(b, c, def, (struct fhir_types){targets.items, 1}, link->rest, list);
    b->depth--;
    return err;
}

/* "_has:Type:code:key" */
static enum err add_has(struct fhir_build *b, struct fhir_types types,
                        const struct fhir_criterion *c, struct fhir_filters *list)
{
    struct slice rest = c->key;
    struct slice *type = ARENA_NEW(b->r->arena, struct slice);
    struct fhir_filters inner = {0};
    bool refers = types.count == 0;
    if (!type)
        return ERR_LIMIT;
    (void)slice_cut(&rest, ':');
    *type = slice_cut(&rest, ':');
    struct slice code = slice_cut(&rest, ':');
    const struct definition_param *def = definition_param(*type, code);
    for (size_t i = 0; def && i < types.count; i++)
        refers = refers || definition_can_target(def, types.items[i]);
    if (!def || def->kind != FACET_REFERENCE || !refers || !rest.len)
        return err_add(&b->r->errors, ERR_UNKNOWN_PARAM, c->place,
                       "_has:[type]:[reference]:[parameter]");
    struct fhir_criterion next = {.place = c->place, .key = rest, .value = c->value};
    struct fhir_types holder = {type, 1};
    enum err err = descend(b, c);
    if (!err)
        err = fhir_query_chain(b, holder, &next, &inner);
    b->depth--;
    struct search_list group = {inner.items, inner.count};
    return err ? err : add_link(b, c, SEARCH_HAS, def->number, holder, &group, list);
}

/* ── one level ───────────────────────────────────────────────────────────────────────────────── */

/* Types to which the parameter is not the same one: each has its own side. All must know it. */
static enum err add_sides(struct fhir_build *b, const struct fhir_criterion *c,
                          const struct fhir_types *parts, size_t count, struct fhir_filters *list)
{
    struct fhir_filters *sides = arena_array(b->r->arena, count + 1, sizeof(*sides));
    enum err err = sides ? ERR_OK : ERR_LIMIT;
    for (size_t i = 0; i < count && !err; i++) {
        struct search_filter only = {
            .kind = SEARCH_TYPES, .ids = parts[i].items, .id_count = parts[i].count};
        err = fhir_query_add(b, c, &sides[i], &only);
        if (!err)
            err = fhir_query_chain(b, parts[i], c, &sides[i]);
    }
    return err ? err : fhir_query_add_any(b, c, list, sides, count);
}

static struct slice unknowing(struct fhir_types types, struct slice key)
{
    for (size_t i = 0; i < types.count; i++)
        if (!leaf_number(types.items[i], key))
            return types.items[i];
    return SLICE_NONE;
}

static enum err add_param(struct fhir_build *b, struct fhir_types types, const struct link *link,
                          const struct fhir_criterion *c, struct fhir_filters *list)
{
    struct slice type = types.count ? types.items[0] : SLICE_NONE;
    struct slice missing = unknowing(types, c->key);
    const struct definition_param *def = fhir_query_chain_param(type, link->code);
    struct fhir_types *parts = NULL;
    size_t count = 0;
    enum err err;
    if (!def || missing.len)
        return fhir_query_unknown(b, c->place, missing.len ? missing : type, link->code);
    if (types.count > 1) {
        err = partition(b, types, c->key, &parts, &count);
        if (err || count > 1)
            return err ? err : add_sides(b, c, parts, count, list);
    }
    if (link->rest.ptr)
        return add_chains(b, c, def, link, list);
    return fhir_query_term(b, type, def, link->modifier, c, list);
}

enum err fhir_query_chain(struct fhir_build *b, struct fhir_types types,
                          const struct fhir_criterion *c, struct fhir_filters *list)
{
    struct link link = read_link(c->key);
    if (slice_is(link.code, "_has"))
        return add_has(b, types, c, list);
    for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++) {
        if (!slice_is(link.code, leaves[i].name))
            continue;
        if (link.modifier.len || link.rest.ptr)
            return err_add(&b->r->errors, ERR_UNKNOWN_PARAM, c->place, "%s", leaves[i].name);
        return leaves[i].add(b, types, c, list);
    }
    return add_param(b, types, &link, c, list);
}
