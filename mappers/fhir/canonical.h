/* SPDX-License-Identifier: Apache-2.0
 *
 * Where pure functions get definitions from: a callback that finds a stored StructureDefinition,
 * ValueSet or CodeSystem by its canonical. The mappers store nothing themselves.
 */
#ifndef MAPPERS_FHIR_CANONICAL_H
#define MAPPERS_FHIR_CANONICAL_H

#include "base/err.h"
#include "base/json.h"

struct canonical_source {
    /* The definition of TYPE called CANONICAL, "url" or "url|version"; it lives as long as the
     * caller's arena. ERR_NOT_FOUND when none is stored. */
    enum err (*resolve)(void *context, const char *type, struct slice canonical,
                        struct json **ret_definition);
    void *context;
};

/* CANONICAL without "|version" and without "#fragment". */
static inline struct slice canonical_url(struct slice canonical)
{
    struct slice url = slice_sub(canonical, 0, slice_find(canonical, '|', 0));
    return slice_sub(url, 0, slice_find(url, '#', 0));
}

/* What stands after '|', or empty. */
static inline struct slice canonical_version(struct slice canonical)
{
    size_t bar = slice_find(canonical, '|', 0);
    return slice_sub(canonical, bar < canonical.len ? bar + 1 : canonical.len, canonical.len);
}

#endif
