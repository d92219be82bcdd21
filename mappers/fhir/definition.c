/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-ups in the generated R4 tables. Everything is sorted by byte order, so each look-up is one
 * binary search over names. Nothing here allocates or keeps state.
 */
#include "mappers/fhir/definition.h"

#include "mappers/fhir/gen/tables.h"

#include "base/banned.h"

/* Order of a name in the input against one of the tables. */
static int compare(struct slice a, const char *b)
{
    for (size_t i = 0; i < a.len; i++) {
        unsigned char x = (unsigned char)a.ptr[i];
        unsigned char y = (unsigned char)b[i];
        if (x != y || y == 0)
            return x < y ? -1 : 1;
    }
    return b[a.len] ? -1 : 0;
}

const struct definition_type *definition_type(struct slice name)
{
    size_t lo = 0;
    size_t hi = TABLES_TYPES;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = compare(name, tables_types[mid].name);
        if (order == 0)
            return &tables_types[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const struct definition_type *const *definition_resources(size_t *ret_count)
{
    *ret_count = TABLES_RESOURCES;
    return tables_resources;
}

const struct definition_element *definition_element(const struct definition_type *type,
                                                    struct slice name)
{
    size_t lo = 0;
    size_t hi = type->element_count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = compare(name, type->elements[mid].name);
        if (order == 0)
            return &type->elements[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

size_t definition_base_len(const struct definition_element *element)
{
    size_t len = strlen(element->name);
    return element->choice ? len - strlen(element->type->name) : len;
}

/* Index of a resource type in tables_resources, or TABLES_RESOURCES. */
static size_t resource_at(struct slice name)
{
    size_t lo = 0;
    size_t hi = TABLES_RESOURCES;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = compare(name, tables_resources[mid]->name);
        if (order == 0)
            return mid;
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return TABLES_RESOURCES;
}

const struct definition_param *definition_params(struct slice type, size_t *ret_count)
{
    size_t at = resource_at(type);
    if (at == TABLES_RESOURCES) {
        *ret_count = 0;
        return NULL;
    }
    *ret_count = tables_param_ranges[at].count;
    return &tables_params[tables_param_ranges[at].first];
}

const struct definition_param *definition_param(struct slice type, struct slice code)
{
    size_t hi;
    size_t lo = 0;
    const struct definition_param *params = definition_params(type, &hi);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = compare(code, params[mid].code);
        if (order == 0)
            return &params[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const struct definition_param *definition_param_by_number(struct slice type, uint16_t number)
{
    size_t count = TABLES_PARAMS;
    const struct definition_param *params =
        type.len > 0 ? definition_params(type, &count) : tables_params;
    for (size_t i = 0; i < count; i++) {
        if (params[i].number == number)
            return &params[i];
    }
    return NULL;
}

bool definition_can_target(const struct definition_param *param, struct slice type)
{
    struct slice rest = slice_str(param->targets);
    if (param->kind != FACET_REFERENCE)
        return false;
    if (rest.len == 0)
        return true;
    while (rest.ptr) {
        if (slice_eq(slice_cut(&rest, ' '), type))
            return true;
    }
    return false;
}

const struct definition_param *definition_next_referrer(struct slice type,
                                                        const struct definition_param *after)
{
    for (size_t i = after ? (size_t)(after - tables_params) + 1 : 0; i < TABLES_PARAMS; i++) {
        if (definition_can_target(&tables_params[i], type))
            return &tables_params[i];
    }
    return NULL;
}

const char *definition_modifiers(enum facet_kind kind)
{
    static const char *const modifiers[] = {
        [FACET_TOKEN] = "text not in not-in of-type",
        [FACET_STRING] = "exact contains",
        [FACET_DATE] = "",
        [FACET_NUMBER] = "",
        [FACET_QUANTITY] = "",
        [FACET_REFERENCE] = "identifier text",
        [FACET_URI] = "above below",
        [FACET_TYPED] = "",
        [FACET_COMPOSITE] = "",
        [FACET_SPECIAL] = "",
    };
    return modifiers[kind];
}

const struct definition_param *const *definition_compartment(struct slice compartment,
                                                             struct slice type, size_t *ret_count)
{
    size_t at = resource_at(type);
    *ret_count = 0;
    for (size_t c = 0; c < TABLES_COMPARTMENTS && at != TABLES_RESOURCES; c++) {
        if (!slice_is(compartment, tables_compartments[c]))
            continue;
        *ret_count = tables_member_ranges[c][at].count;
        return &tables_members[tables_member_ranges[c][at].first];
    }
    return NULL;
}

bool definition_in_patient(struct slice type)
{
    size_t count;
    (void)definition_compartment(SLICE("Patient"), type, &count);
    return count > 0 && !slice_is(type, "Patient");
}

const struct tables_node *definition_tree(struct slice type)
{
    size_t at = resource_at(type);
    return at != TABLES_RESOURCES ? &tables_nodes[tables_roots[at]] : NULL;
}

bool definition_is_public(struct slice type)
{
    size_t at = resource_at(type);
    return at != TABLES_RESOURCES && tables_public[at];
}
