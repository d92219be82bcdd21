/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the parts of the profile checker: the tree of a profile's elements (profile_tree.c),
 * the walk (profile.c), values (profile_value.c), constraints
 * (profile_rule.c), slices (profile_slice.c). Private to these.
 */
#ifndef MAPPERS_FHIR_PROFILE_IMPL_H
#define MAPPERS_FHIR_PROFILE_IMPL_H

#include "mappers/fhir/findings.h"
#include "mappers/fhir/profile.h"

/* profile_check of a resource that stands AT a place in another (NULL: it stands alone). */
enum err profile_check_at(const struct json *resource, const struct json *profile,
                          const struct canonical_source *source, const struct place *at,
                          struct err_list *errors) ERR_CHECKED;

/* ── the tree ────────────────────────────────────────────────────────────────────────────────── */

/* What one StructureDefinition says of an element; what a derived one leaves out the older says. */
struct profile_layer {
    const struct json *element;
    struct profile_layer *older;
};

struct profile_node {
    struct slice name;  /* identifier, value[x], valueQuantity; of the root the type */
    struct slice slice; /* slice name; empty for the element itself */
    struct profile_layer *layers;
    struct profile_node *children, *slices, *next;
    struct profile_node *latest; /* slice last put in, for definitions without element ids */
};

struct profile_tree {
    struct slice url; /* of the profile */
    struct slice type;
    struct profile_node *root;
    struct slice missing; /* a base profile that is not stored */
    bool simple;          /* derived from R4's SimpleQuantity: no comparator */
    struct profile_tree *next;
};

/* The tree of PROFILE with what it is derived from. ERR_NOT_SUPPORTED: no elements; ERR_TOO_DEEP,
 * ERR_LIMIT. */
enum err profile_tree_build(struct arena *arena, const struct json *profile,
                            const struct canonical_source *source,
                            struct profile_tree **ret_tree) ERR_CHECKED;
/* Member NAME of what is said of NODE, from the newest layer that has it; NULL. */
const struct json *profile_tree_get(const struct profile_node *node, const char *name);
/* The newest member whose name begins with PREFIX and a capital letter: fixed[x], pattern[x]. */
const struct json *profile_tree_choice(const struct profile_node *node, const char *prefix);
/* The child called NAME, or NULL. */
struct profile_node *profile_tree_child(const struct profile_node *node, struct slice name);
/* The node whose children NODE shares by its contentReference, or NODE itself. */
const struct profile_node *profile_tree_content(const struct profile_tree *tree,
                                                const struct profile_node *node);

/* ── the walk ────────────────────────────────────────────────────────────────────────────────── */

/* One value of an element: what stands in its member, and beside it in _member. */
struct profile_item {
    const struct json *value;  /* NULL: none */
    const struct json *beside; /* NULL: none */
    const struct definition_element *element;
    struct place place;
};

struct profile_run {
    struct arena *arena;
    const struct canonical_source *source;
    struct findings found;
    struct err_list notes;          /* information, given out at the end */
    bool silent;                    /* only asked whether it fits: no must-support, no remarks */
    bool unknown;                   /* something needed for the verdict could not be worked out */
    unsigned steps; /* values checked, to bound what profiles within profiles can cost */
    unsigned depth;                 /* profiles within profiles */
    struct profile_tree *trees;     /* built in this run */
    const struct profile_tree *at;  /* whose rules are being checked */
    const struct json *root;        /* the resource, for contained targets */
    struct profile_remark *remarks; /* said once */
    struct profile_rule *rules;     /* compiled in this run */
    uint64_t rule_steps;            /* left for all of them together */
};

/* All values of NODE in OBJECT, an object of TYPE at PLACE, in an arena array. */
enum err profile_items(struct profile_run *run, const struct profile_node *node,
                       const struct definition_type *type, const struct json *object,
                       const struct place *place, struct profile_item **ret_items,
                       size_t *ret_count) ERR_CHECKED;
/* Checks one value against all that NODE says. */
enum err profile_item_check(struct profile_run *run, const struct profile_node *node,
                            const struct profile_item *item) ERR_CHECKED;
/* Checks one value against a stored profile. *RET_STORED: false when it is not. */
enum err profile_item_profile(struct profile_run *run, struct slice canonical,
                              const struct profile_item *item, bool *ret_stored) ERR_CHECKED;
/* Would ITEM pass NODE without an error? Says nothing. RUN->unknown tells that the answer rests on
 * something that could not be worked out. */
enum err profile_fits(struct profile_run *run, const struct profile_node *node,
                      const struct profile_item *item, bool *ret_fits) ERR_CHECKED;
/* The same for a stored profile; unknown when it is not stored. */
enum err profile_fits_profile(struct profile_run *run, struct slice canonical,
                              const struct profile_item *item, bool *ret_fits) ERR_CHECKED;
/* The tree of the stored profile CANONICAL, built once in a run. ERR_NOT_FOUND. */
enum err profile_tree_of(struct profile_run *run, struct slice canonical,
                         struct profile_tree **ret_tree) ERR_CHECKED;

/* A violation, with the profile's name after the text. */
void profile_say(struct profile_run *run, enum err_severity severity, enum err code,
                 const struct place *at, const char *en, const char *ja);
/* "Not checked: WHAT", once for each WHAT; marks the run as unknown. */
void profile_unchecked(struct profile_run *run, const struct place *at, const char *en,
                       const char *ja, struct slice what);
/* The element's FHIRPath name: "value" for value[x]. */
struct slice profile_name(const struct profile_node *node);
/* The R4 type of an item: of a resource its own, NULL when it has none. */
const struct definition_type *profile_item_type(const struct profile_item *item);

/* ── values, constraints, slices ───────────────────────────────────────────────────────────────────────── */

/* fixed[x], pattern[x], maxLength, minValue[x], maxValue[x], binding. */
enum err profile_value_check(struct profile_run *run, const struct profile_node *node,
                             const struct profile_item *item) ERR_CHECKED;
/* Does VALUE hold all that PATTERN does? */
bool profile_value_matches(const struct json *value, const struct json *pattern);
/* The constraints of NODE on one value. */
enum err profile_rule_check(struct profile_run *run, const struct profile_node *node,
                            const struct profile_item *item) ERR_CHECKED;
/* Sorts ITEMS into the slices of NODE, counts and checks them. AT: the object they are in. */
enum err profile_slice_check(struct profile_run *run, const struct profile_node *node,
                             const struct profile_item *items, size_t count,
                             const struct place *at) ERR_CHECKED;
/* Cardinality of COUNT values of NODE in the object AT. */
void profile_count(struct profile_run *run, const struct profile_node *node, size_t count,
                   const struct place *at);

#endif
