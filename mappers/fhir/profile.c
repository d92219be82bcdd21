/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk of a resource along a profile's tree (see profile.h). Each child of a node is looked for
 * in the object, counted, and its values checked; profiles of types are trees of their own, walked
 * the same way. Depth is bounded where profiles name profiles.
 */
#include "mappers/fhir/profile.h"

#include "base/limits.h"
#include "mappers/fhir/profile_impl.h"
#include "mappers/fhir/reference.h"

#include "base/banned.h"

#define CORE "http://hl7.org/fhir/StructureDefinition/"

struct profile_remark {
    struct slice what;
    struct profile_remark *next;
};

/* ── saying ──────────────────────────────────────────────────────────────────────────────────── */

void profile_say(struct profile_run *run, enum err_severity severity, enum err code,
                 const struct place *at, const char *en, const char *ja)
{
    struct slice url = run->at->url;
    if (findings_kept(&run->found) && en && ja) {
        en = arena_printf(run->arena, "%s (%.*s)", en, SLICE_ARG(url));
        ja = arena_printf(run->arena, "%s(%.*s)", ja, SLICE_ARG(url));
    }
    findings_tell(&run->found, severity, code, at, en, ja);
}

/* Was WHAT said before? Notes it. */
static bool is_new(struct profile_run *run, struct slice what)
{
    for (const struct profile_remark *r = run->remarks; r; r = r->next) {
        if (slice_eq(r->what, what))
            return false;
    }
    struct profile_remark *r = ARENA_NEW(run->arena, struct profile_remark);
    if (r) {
        *r = (struct profile_remark){what, run->remarks};
        run->remarks = r;
    }
    return true;
}

void profile_unchecked(struct profile_run *run, const struct place *at, const char *en,
                       const char *ja, struct slice what)
{
    run->unknown = true;
    if (run->silent || !is_new(run, what))
        return;
    (void)err_say(&run->notes, ERR_SEVERITY_INFORMATION, ERR_NOT_SUPPORTED,
                  place_text(run->arena, at),
                  arena_printf(run->arena, "not checked: %s %.*s", en, SLICE_ARG(what)),
                  arena_printf(run->arena, "検査していません: %s %.*s", ja, SLICE_ARG(what)));
}

struct slice profile_name(const struct profile_node *node)
{
    bool choice = slice_ends(node->name, SLICE("[x]"));
    return slice_sub(node->name, 0, node->name.len - (choice ? 3 : 0));
}

static void say_support(struct profile_run *run, const struct profile_node *node,
                        const struct place *at)
{
    struct place place = {at, NULL, profile_name(node), PLACE_SINGLE};
    if (run->silent)
        return;
    (void)err_say(
        &run->notes, ERR_SEVERITY_INFORMATION, ERR_OK, place_text(run->arena, &place),
        arena_printf(run->arena, "must-support element is absent (%.*s)", SLICE_ARG(run->at->url)),
        arena_printf(run->arena, "must-support の項目がありません(%.*s)", SLICE_ARG(run->at->url)));
}

/* ── finding values ──────────────────────────────────────────────────────────────────────────── */

/* Is E, with the JSON name NAME, an element NODE speaks of? */
static bool is_of(const struct profile_node *node, const struct definition_element *e,
                  struct slice name)
{
    struct slice wanted = node->name;
    if (!slice_ends(wanted, SLICE("[x]")))
        return slice_eq(name, wanted);
    return e->choice && slice_eq(slice_of(e->name, definition_base_len(e)),
                                 slice_sub(wanted, 0, wanted.len - 3));
}

static const struct json *beside(const struct json *object, struct slice name)
{
    for (const struct json *m = object->first; m; m = m->next) {
        if (m->key.len == name.len + 1 && m->key.ptr[0] == '_' &&
            memcmp(m->key.ptr + 1, name.ptr, name.len) == 0)
            return m;
    }
    return NULL;
}

static const struct json *present(const struct json *value)
{
    return value && value->kind != JSON_NULL ? value : NULL;
}

/* The values of one member and its sibling, either of which may be NULL. */
static void take(struct profile_item *items, size_t *count, const struct definition_element *e,
                 const struct json *value, const struct json *sibling, const struct place *at)
{
    struct profile_item item = {.element = e, .place = {at, e, slice_str(e->name), PLACE_SINGLE}};
    if (!e->many) {
        item.value = value;
        item.beside = sibling;
        items[(*count)++] = item;
        return;
    }
    const struct json *v = value ? value->first : NULL;
    const struct json *b = sibling ? sibling->first : NULL;
    for (item.place.index = 0; v || b; item.place.index++) {
        item.value = present(v);
        item.beside = present(b);
        items[(*count)++] = item;
        v = v ? v->next : NULL;
        b = b ? b->next : NULL;
    }
}

static size_t most_items(const struct json *object)
{
    size_t most = 0;
    for (const struct json *m = object->first; m; m = m->next)
        most += m->kind == JSON_ARRAY ? m->count : 1;
    return most;
}

enum err profile_items(struct profile_run *run, const struct profile_node *node,
                       const struct definition_type *type, const struct json *object,
                       const struct place *place, struct profile_item **ret_items,
                       size_t *ret_count)
{
    struct profile_item *items = NULL;
    size_t count = 0;
    for (const struct json *m = object ? object->first : NULL; m; m = m->next) {
        bool side = m->key.len > 1 && m->key.ptr[0] == '_';
        struct slice name = side ? slice_sub(m->key, 1, m->key.len) : m->key;
        const struct definition_element *e = definition_element(type, name);
        if (!e || !is_of(node, e, name) || (side && json_get_slice(object, name)))
            continue;
        if (!items)
            items = arena_array(run->arena, most_items(object), sizeof(*items));
        if (!items)
            return ERR_LIMIT;
        take(items, &count, e, side ? NULL : m, side ? m : beside(object, name), place);
    }
    *ret_items = items;
    *ret_count = count;
    return ERR_OK;
}

const struct definition_type *profile_item_type(const struct profile_item *item)
{
    return item->element->type ? item->element->type
                               : definition_type(json_str(item->value, "resourceType"));
}

/* ── cardinality ─────────────────────────────────────────────────────────────────────────────── */

void profile_count(struct profile_run *run, const struct profile_node *node, size_t count,
                   const struct place *at)
{
    const struct json *min = profile_tree_get(node, "min");
    const struct json *max = profile_tree_get(node, "max");
    struct slice name = node->name;
    struct arena *a = run->arena;
    uint64_t n;
    if (node->slice.len && findings_kept(&run->found))
        name =
            slice_str(arena_printf(a, "%.*s:%.*s", SLICE_ARG(node->name), SLICE_ARG(node->slice)));
    struct place place = {at, NULL, profile_name(node), PLACE_SINGLE};
    if (min && slice_u64(min->text, &n) && count < n)
        profile_say(run, ERR_SEVERITY_ERROR, ERR_REQUIRED, &place,
                    arena_printf(a, "%.*s: at least %llu required, %zu found", SLICE_ARG(name),
                                 (unsigned long long)n, count),
                    arena_printf(a, "%.*s: %llu 個以上必要です(%zu 個あります)", SLICE_ARG(name),
                                 (unsigned long long)n, count));
    if (max && slice_u64(max->text, &n) && count > n)
        profile_say(run, ERR_SEVERITY_ERROR, ERR_INVALID, &place,
                    arena_printf(a, "%.*s: at most %llu allowed, %zu found", SLICE_ARG(name),
                                 (unsigned long long)n, count),
                    arena_printf(a, "%.*s: %llu 個までです(%zu 個あります)", SLICE_ARG(name),
                                 (unsigned long long)n, count));
    if (count == 0 && json_is_true(profile_tree_get(node, "mustSupport")) &&
        !(min && slice_u64(min->text, &n) && n > 0))
        say_support(run, node, at);
}

/* ── types ───────────────────────────────────────────────────────────────────────────────────── */

static bool is_type(struct slice code, const struct profile_item *item)
{
    const struct definition_type *type = profile_item_type(item);
    if (slice_starts(code, SLICE("http://hl7.org/fhirpath/")) || slice_is(code, "Resource") ||
        slice_is(code, "DomainResource") || !type)
        return true;
    if (type->kind == DEFINITION_BACKBONE)
        return slice_is(code, "BackboneElement") || slice_is(code, "Element");
    return slice_is(code, type->name);
}

/* The resource type a target profile stands for; empty when it is not stored. */
static struct slice target_type(struct profile_run *run, struct slice canonical)
{
    struct slice url = canonical_url(canonical);
    struct json *profile = NULL;
    if (slice_starts(url, SLICE(CORE))) {
        struct slice name = slice_sub(url, sizeof(CORE) - 1, url.len);
        if (definition_type(name) || slice_is(name, "Resource"))
            return name;
    }
    if (run->source->resolve(run->source->context, "StructureDefinition", canonical, &profile))
        return SLICE_NONE;
    return json_str(profile, "type");
}

/* The type of what a Reference points to, as far as it can be told from here. */
static struct slice pointed_type(struct profile_run *run, const struct json *reference)
{
    struct slice text = json_str(reference, "reference"), type = SLICE_NONE;
    const struct json *contained = json_get(run->root, "contained");
    switch (reference_form(text, &type)) {
    case REFERENCE_FRAGMENT:
        for (const struct json *c = contained ? contained->first : NULL; c; c = c->next) {
            if (slice_eq(json_str(c, "id"), slice_sub(text, 1, text.len)))
                return json_str(c, "resourceType");
        }
        break;
    case REFERENCE_RELATIVE:
    case REFERENCE_ABSOLUTE:
        if (type.len)
            return type;
        break;
    default:
        break;
    }
    return json_str(reference, "type");
}

static void check_target(struct profile_run *run, const struct json *type,
                         const struct profile_item *item)
{
    const struct json *targets = json_get(type, "targetProfile");
    struct slice pointed = pointed_type(run, item->value);
    if (!targets || !pointed.len || !slice_is(json_str(type, "code"), "Reference"))
        return;
    for (const struct json *t = targets->first; t; t = t->next) {
        struct slice wanted = target_type(run, t->text);
        if (!wanted.len)
            profile_unchecked(run, &item->place, "the target profile", "参照先プロファイル",
                              t->text);
        if (!wanted.len || slice_is(wanted, "Resource") || slice_eq(wanted, pointed))
            return;
    }
    profile_say(
        run, ERR_SEVERITY_ERROR, ERR_INVALID, &item->place,
        arena_printf(run->arena, "a reference to %.*s is not allowed here", SLICE_ARG(pointed)),
        arena_printf(run->arena, "ここから %.*s は参照できません", SLICE_ARG(pointed)));
}

/* The item obeys one of the profiles of its type. */
static enum err check_profiles(struct profile_run *run, const struct json *type,
                               const struct profile_item *item)
{
    const struct json *profiles = json_get(type, "profile");
    enum err err = ERR_OK;
    bool stored = true, fits = false;
    if (!profiles || !profiles->first)
        return ERR_OK;
    for (const struct json *p = profiles->first; p && profiles->count > 1 && !err; p = p->next) {
        bool unknown = run->unknown;
        err = profile_fits_profile(run, p->text, item, &fits);
        run->unknown = unknown;
        if (!err && fits)
            return ERR_OK;
    }
    if (!err)
        err = profile_item_profile(run, profiles->first->text, item, &stored);
    if (!err && !stored)
        profile_unchecked(run, &item->place, "the profile", "プロファイル", profiles->first->text);
    return err;
}

static enum err check_type(struct profile_run *run, const struct profile_node *node,
                           const struct profile_item *item)
{
    const struct json *types = profile_tree_get(node, "type");
    const struct definition_type *type = profile_item_type(item);
    if (!types || !types->first)
        return ERR_OK;
    for (const struct json *t = types->first; t; t = t->next) {
        if (!is_type(json_str(t, "code"), item))
            continue;
        if (item->value && item->value->kind == JSON_OBJECT)
            check_target(run, t, item);
        return check_profiles(run, t, item);
    }
    profile_say(run, ERR_SEVERITY_ERROR, ERR_INVALID, &item->place,
                arena_printf(run->arena, "the type %s is not allowed here", type->name),
                arena_printf(run->arena, "型 %s は使えません", type->name));
    return ERR_OK;
}

/* ── the walk ────────────────────────────────────────────────────────────────────────────────── */

static enum err walk(struct profile_run *run, const struct profile_node *node,
                     const struct definition_type *type, const struct json *object,
                     const struct place *at)
{
    enum err err = ERR_OK;
    for (const struct profile_node *c = node->children; c && !err; c = c->next) {
        struct profile_item *items = NULL;
        size_t count = 0;
        err = profile_items(run, c, type, object, at, &items, &count);
        if (err)
            break;
        profile_count(run, c, count, at);
        for (size_t i = 0; i < count && !err; i++)
            err = profile_item_check(run, c, &items[i]);
        if (!err)
            err = profile_slice_check(run, c, items, count, at);
    }
    return err;
}

enum err profile_item_check(struct profile_run *run, const struct profile_node *node,
                            const struct profile_item *item)
{
    const struct definition_type *type = profile_item_type(item);
    const struct profile_node *content = profile_tree_content(run->at, node);
    if (!type)
        return ERR_OK; /* R4's own rules have told */
    if (++run->steps > LIMIT_PROFILE_STEPS)
        return ERR_TOO_DEEP;
    enum err err = profile_value_check(run, node, item);
    if (!err)
        err = profile_rule_check(run, node, item);
    if (!err)
        err = check_type(run, node, item);
    if (!err && content->children)
        err = walk(run, content, type,
                   type->kind == DEFINITION_PRIMITIVE ? item->beside : item->value, &item->place);
    return err;
}

enum err profile_tree_of(struct profile_run *run, struct slice canonical,
                         struct profile_tree **ret_tree)
{
    struct json *profile = NULL;
    struct profile_tree *tree = run->trees;
    while (tree && !slice_eq(tree->url, canonical_url(canonical)))
        tree = tree->next;
    if (tree) {
        *ret_tree = tree;
        return ERR_OK;
    }
    enum err err =
        run->source->resolve(run->source->context, "StructureDefinition", canonical, &profile);
    if (!err)
        err = profile_tree_build(run->arena, profile, run->source, &tree);
    if (err)
        return err == ERR_NOT_SUPPORTED || err == ERR_TOO_DEEP ? ERR_NOT_FOUND : err;
    tree->next = run->trees;
    run->trees = tree;
    *ret_tree = tree;
    return ERR_OK;
}

/* R4's SimpleQuantity (sqty-1), which is a profile of its own and needs no storing. */
static void check_simple(struct profile_run *run, const struct profile_item *item)
{
    if (item->value && json_get(item->value, "comparator"))
        profile_say(run, ERR_SEVERITY_ERROR, ERR_INVARIANT, &item->place,
                    "a simple quantity has no comparator (sqty-1)",
                    "SimpleQuantity に comparator は使えません(sqty-1)");
}

static enum err check_tree(struct profile_run *run, const struct profile_tree *tree,
                           const struct profile_item *item)
{
    const struct profile_tree *outer = run->at;
    run->at = tree;
    if (tree->missing.len)
        profile_unchecked(run, &item->place, "the base profile", "基底プロファイル", tree->missing);
    if (tree->simple)
        check_simple(run, item);
    enum err err = profile_item_check(run, tree->root, item);
    run->at = outer;
    return err;
}

enum err profile_item_profile(struct profile_run *run, struct slice canonical,
                              const struct profile_item *item, bool *ret_stored)
{
    struct slice url = canonical_url(canonical);
    struct profile_tree *tree = NULL;
    bool core = slice_starts(url, SLICE(CORE)) &&
                definition_type(slice_sub(url, sizeof(CORE) - 1, url.len));
    if (core || slice_is(url, CORE "SimpleQuantity")) {
        if (!core)
            check_simple(run, item);
        *ret_stored = true;
        return ERR_OK;
    }
    if (run->depth >= LIMIT_PROFILE_DEPTH)
        return ERR_TOO_DEEP;
    enum err err = profile_tree_of(run, canonical, &tree);
    *ret_stored = err == ERR_OK;
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    run->depth++;
    err = check_tree(run, tree, item);
    run->depth--;
    return err;
}

/* ── asking silently ─────────────────────────────────────────────────────────────────────────── */

struct silence {
    struct findings found;
    bool silent, unknown;
    struct err_list errors;
};

static void silence_begin(struct profile_run *run, struct silence *s)
{
    *s = (struct silence){run->found, run->silent, run->unknown, {0}};
    err_list_init(&s->errors, run->arena);
    s->errors.kept = LIMIT_ERR_ITEMS; /* count only */
    run->found = (struct findings){.errors = &s->errors};
    run->silent = true;
    run->unknown = false;
}

/* Leaves run->unknown as the question left it. */
static bool silence_end(struct profile_run *run, const struct silence *s)
{
    bool fits = run->found.first == ERR_OK;
    run->found = s->found;
    run->silent = s->silent;
    return fits;
}

enum err profile_fits(struct profile_run *run, const struct profile_node *node,
                      const struct profile_item *item, bool *ret_fits)
{
    struct silence s;
    silence_begin(run, &s);
    enum err err = profile_item_check(run, node, item);
    *ret_fits = silence_end(run, &s);
    return err;
}

enum err profile_fits_profile(struct profile_run *run, struct slice canonical,
                              const struct profile_item *item, bool *ret_fits)
{
    struct silence s;
    bool stored = false;
    silence_begin(run, &s);
    enum err err = profile_item_profile(run, canonical, item, &stored);
    *ret_fits = silence_end(run, &s);
    if (!stored)
        run->unknown = true;
    return err;
}

/* ── the entry ───────────────────────────────────────────────────────────────────────────────── */

static void give_notes(const struct profile_run *run, struct err_list *errors)
{
    for (const struct err_item *i = run->notes.first; i; i = i->next)
        (void)err_say(errors, i->severity, i->code, i->place, i->en, i->ja);
}

enum err profile_check_at(const struct json *resource, const struct json *profile,
                          const struct canonical_source *source, const struct place *at,
                          struct err_list *errors)
{
    struct profile_run run = {.arena = errors->arena,
                              .source = source,
                              .found = {.errors = errors},
                              .rule_steps = LIMIT_PROFILE_RULE_STEPS,
                              .root = resource};
    struct slice type_name = json_str(resource, "resourceType");
    const struct definition_type *type = definition_type(type_name);
    struct definition_element itself = {.name = type ? type->name : "", .type = type};
    struct place root = {NULL, NULL, type_name, PLACE_SINGLE};
    struct profile_item item = {.value = resource, .element = &itself, .place = at ? *at : root};
    struct profile_tree *tree = NULL;
    err_list_init(&run.notes, errors->arena);
    if (!type)
        return ERR_OK; /* R4's own rules have told */
    enum err err = profile_tree_build(run.arena, profile, source, &tree);
    if (err)
        return err;
    run.at = tree;
    if (!slice_eq(tree->type, type_name) && !slice_is(tree->type, "Resource") &&
        !slice_is(tree->type, "DomainResource")) {
        profile_say(&run, ERR_SEVERITY_ERROR, ERR_INVALID, &item.place,
                    "the profile is for another type", "プロファイルは別の型のものです");
        return run.found.first;
    }
    run.trees = tree;
    err = check_tree(&run, tree, &item);
    give_notes(&run, errors);
    if (!err && arena_exhausted(run.arena))
        err = ERR_LIMIT;
    return err ? err : run.found.first;
}

enum err profile_check(const struct json *resource, const struct json *profile,
                       const struct canonical_source *source, struct err_list *errors)
{
    return profile_check_at(resource, profile, source, NULL, errors);
}
