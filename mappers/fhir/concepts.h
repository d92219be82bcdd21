/* SPDX-License-Identifier: Apache-2.0
 *
 * One CodeSystem (R4 codesystem.html) as an index: a concept by its code, its parents (by nesting
 * and by the properties parent and subsumedBy), and the filters of a ValueSet. Private to
 * mappers/fhir.
 */
#ifndef MAPPERS_FHIR_CONCEPTS_H
#define MAPPERS_FHIR_CONCEPTS_H

#include "base/err.h"
#include "base/json.h"

struct concepts_entry {
    const struct json *json;
    struct slice code;
    size_t parent; /* place of the concept it is nested in, or CONCEPTS_NONE */
};

#define CONCEPTS_NONE SIZE_MAX

struct concepts {
    const struct json *system;
    struct concepts_entry *list; /* in the order of definition */
    size_t *by_code;             /* places in LIST, sorted by code */
    size_t count;
    bool ignore_case; /* CodeSystem.caseSensitive is false */
};

/* Reads SYSTEM, a CodeSystem. ERR_LIMIT; ERR_TOO_LARGE over LIMIT_VALUESET_CODES. */
enum err concepts_read(struct arena *arena, const struct json *system,
                       struct concepts *ret_concepts) ERR_CHECKED;
/* The place of CODE, or CONCEPTS_NONE. */
size_t concepts_find(const struct concepts *c, struct slice code);
/* Does concept AT pass FILTER (ValueSet.compose.include.filter)? ERR_NOT_SUPPORTED for what is not
 * understood: regular expressions, and hierarchies below a code that does not exist. */
enum err concepts_filter(const struct concepts *c, size_t at, const struct json *filter,
                         bool *ret_passes) ERR_CHECKED;
/* Is the concept marked as not selectable (abstract), as inactive? */
bool concepts_is_abstract(const struct concepts_entry *e);
bool concepts_is_inactive(const struct concepts_entry *e);

#endif
