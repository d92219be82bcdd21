/* SPDX-License-Identifier: Apache-2.0
 *
 * StructureDefinitions as a tree (R4 elementdefinition.html#id: element ids carry path and slice
 * names). A profile without a snapshot is laid over what it is derived from, layer on layer;
 * nothing is copied and no snapshot is made.
 */
#include "base/limits.h"
#include "mappers/fhir/profile_impl.h"

#include "base/banned.h"

#define CORE "http://hl7.org/fhir/StructureDefinition/"

const struct json *profile_tree_get(const struct profile_node *node, const char *name)
{
    for (const struct profile_layer *l = node->layers; l; l = l->older) {
        const struct json *value = json_get(l->element, name);
        if (value)
            return value;
    }
    return NULL;
}

const struct json *profile_tree_choice(const struct profile_node *node, const char *prefix)
{
    struct slice start = slice_str(prefix);
    for (const struct profile_layer *l = node->layers; l; l = l->older) {
        for (const struct json *m = l->element->first; m; m = m->next) {
            if (slice_starts(m->key, start) && m->key.len > start.len &&
                m->key.ptr[start.len] >= 'A' && m->key.ptr[start.len] <= 'Z')
                return m;
        }
    }
    return NULL;
}

struct profile_node *profile_tree_child(const struct profile_node *node, struct slice name)
{
    struct profile_node *c = node->children;
    while (c && !slice_eq(c->name, name))
        c = c->next;
    return c;
}

/* ── building ────────────────────────────────────────────────────────────────────────────────── */

static struct profile_node *add(struct arena *arena, struct profile_node **list, struct slice name,
                                struct slice slice)
{
    struct profile_node **end = list;
    while (*end) {
        if (slice_eq((*end)->name, name) && slice_eq((*end)->slice, slice))
            return *end;
        end = &(*end)->next;
    }
    *end = ARENA_NEW(arena, struct profile_node);
    if (*end) {
        (*end)->name = name;
        (*end)->slice = slice;
    }
    return *end;
}

/* One step down from NODE: "name" or "name:slice". */
static struct profile_node *step(struct arena *arena, struct profile_node *node, struct slice text,
                                 bool by_path)
{
    struct slice name = slice_sub(text, 0, slice_find(text, ':', 0));
    struct slice slice = slice_sub(text, name.len + 1, text.len);
    struct profile_node *child = add(arena, &node->children, name, SLICE_NONE);
    if (!child)
        return NULL;
    if (slice.len)
        child = add(arena, &child->slices, name, slice);
    else if (by_path && child->latest)
        child = child->latest;
    return child;
}

/* The node of ELEMENT by its id; by path and slice name when it has none. */
static struct profile_node *place_of(struct arena *arena, struct profile_tree *tree,
                                     const struct json *element)
{
    struct slice id = json_str(element, "id"), slice = json_str(element, "sliceName");
    bool by_path = id.len == 0;
    struct slice rest = by_path ? json_str(element, "path") : id;
    struct slice root = slice_cut(&rest, '.');
    struct profile_node *node = tree->root;
    if (!slice_eq(root, tree->root->name))
        return NULL;
    while (rest.ptr && node) {
        struct slice text = slice_cut(&rest, '.');
        if (!by_path || rest.ptr) {
            node = step(arena, node, text, by_path);
            continue;
        }
        node = add(arena, &node->children, text, SLICE_NONE);
        struct profile_node *whole = node;
        if (node && slice.len)
            node = add(arena, &node->slices, text, slice);
        if (whole)
            whole->latest = slice.len ? node : NULL;
    }
    return node;
}

static enum err lay(struct arena *arena, struct profile_tree *tree, const struct json *elements)
{
    for (const struct json *e = elements->first; e; e = e->next) {
        struct profile_node *node = place_of(arena, tree, e);
        struct profile_layer *layer = node ? ARENA_NEW(arena, struct profile_layer) : NULL;
        if (!layer)
            return arena_exhausted(arena) ? ERR_LIMIT : ERR_NOT_SUPPORTED;
        *layer = (struct profile_layer){e, node->layers};
        node->layers = layer;
    }
    return ERR_OK;
}

/* Is CANONICAL one of R4's own types, which needs no rules of its own here? */
static bool is_core(struct slice canonical)
{
    static const char *const abstract[] = {"Resource", "DomainResource", "Element",
                                           "BackboneElement"};
    struct slice url = canonical_url(canonical);
    if (!slice_starts(url, SLICE(CORE)))
        return false;
    struct slice name = slice_sub(url, sizeof(CORE) - 1, url.len);
    for (size_t i = 0; i < sizeof(abstract) / sizeof(abstract[0]); i++) {
        if (slice_is(name, abstract[i]))
            return true;
    }
    return definition_type(name) != NULL;
}

static enum err lay_profile(struct arena *arena, struct profile_tree *tree,
                            const struct json *profile, const struct canonical_source *source,
                            unsigned depth)
{
    const struct json *snapshot = json_path(profile, "snapshot", "element", NULL);
    const struct json *differential = json_path(profile, "differential", "element", NULL);
    struct slice base = json_str(profile, "baseDefinition");
    struct json *older = NULL;
    if (depth == 0)
        return ERR_TOO_DEEP;
    if (snapshot)
        return lay(arena, tree, snapshot);
    if (base.len && !is_core(base)) {
        enum err err = source->resolve(source->context, "StructureDefinition", base, &older);
        if (err == ERR_NOT_FOUND && slice_is(canonical_url(base), CORE "SimpleQuantity"))
            tree->simple = true;
        else if (err == ERR_NOT_FOUND)
            tree->missing = base;
        else if (!err)
            err = lay_profile(arena, tree, older, source, depth - 1);
        if (err && err != ERR_NOT_FOUND)
            return err;
    }
    return differential ? lay(arena, tree, differential) : ERR_OK;
}

enum err profile_tree_build(struct arena *arena, const struct json *profile,
                            const struct canonical_source *source, struct profile_tree **ret_tree)
{
    struct profile_tree *tree = ARENA_NEW(arena, struct profile_tree);
    struct profile_node *root = ARENA_NEW(arena, struct profile_node);
    if (!tree || !root)
        return ERR_LIMIT;
    tree->url = json_str(profile, "url");
    tree->type = json_str(profile, "type");
    tree->root = root;
    root->name = tree->type;
    if (!tree->type.len || (!json_get(profile, "snapshot") && !json_get(profile, "differential")))
        return ERR_NOT_SUPPORTED;
    enum err err = lay_profile(arena, tree, profile, source, LIMIT_PROFILE_DEPTH);
    if (!err)
        *ret_tree = tree;
    return err;
}

const struct profile_node *profile_tree_content(const struct profile_tree *tree,
                                                const struct profile_node *node)
{
    const struct json *reference = profile_tree_get(node, "contentReference");
    if (!reference || node->children)
        return node;
    struct slice rest =
        slice_sub(reference->text, slice_find(reference->text, '#', 0) + 1, reference->text.len);
    const struct profile_node *at = tree->root;
    (void)slice_cut(&rest, '.'); /* the type */
    while (rest.ptr && at)
        at = profile_tree_child(at, slice_cut(&rest, '.'));
    return at ? at : node;
}
