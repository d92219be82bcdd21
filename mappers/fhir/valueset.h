/* SPDX-License-Identifier: Apache-2.0
 *
 * ValueSets (R4 valueset.html, valueset-operation-expand.html): which codes one has, and whether it
 * has a given one. Pure: other ValueSets and CodeSystems come through the caller's source. A part
 * that cannot be worked out (a code system not stored, not complete, a filter not understood) is
 * an error of an expansion and "unknown" of a membership, never silently empty.
 */
#ifndef MAPPERS_FHIR_VALUESET_H
#define MAPPERS_FHIR_VALUESET_H

#include "mappers/fhir/canonical.h"

struct valueset_code {
    struct slice system, version, code, display;
    bool abstract, inactive;
};

enum valueset_answer { VALUESET_OUT, VALUESET_IN, VALUESET_UNKNOWN };

/* All codes of SET, each once, in order of definition; in ARENA. ERRORS says what could not be
 * worked out: ERR_NOT_FOUND (a definition is not stored), ERR_NOT_SUPPORTED, ERR_INVALID (it
 * includes itself), ERR_TOO_LARGE (over LIMIT_VALUESET_CODES). */
enum err valueset_expand(struct arena *arena, const struct json *set,
                         const struct canonical_source *source, struct err_list *errors,
                         struct valueset_code **ret_codes, size_t *ret_count) ERR_CHECKED;

/* Is CODE of SYSTEM in SET? An empty SYSTEM asks for the code whatever its system. *RET_CODE is
 * filled when it is. */
enum err valueset_member(struct arena *arena, const struct json *set,
                         const struct canonical_source *source, struct slice system,
                         struct slice code, enum valueset_answer *ret_answer,
                         struct valueset_code *ret_code) ERR_CHECKED;

/* The concept CODE of the CodeSystem SYSTEM, or NULL. */
enum err valueset_concept(struct arena *arena, const struct json *system, struct slice code,
                          const struct json **ret_concept) ERR_CHECKED;

#endif
