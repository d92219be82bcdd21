/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements as JSON keeps them, for patches: a value and, of a primitive, what stands beside it under "_name",
 * each single or in two arrays of the same places. Private to mappers/fhir.
 */
#ifndef MAPPERS_FHIR_PATCH_PIECE_H
#define MAPPERS_FHIR_PATCH_PIECE_H

#include "base/json.h"
#include "mappers/fhir/definition.h"

/* One element's content; either may be NULL. */
struct patch_piece {
    struct json *node;
    struct json *shadow;
};

/* How many items ELEMENT has in OBJECT, counting those that have only extensions. */
uint32_t patch_piece_count(const struct json *object, const struct definition_element *element);
/* Is there anything of ELEMENT in OBJECT? */
bool patch_piece_has(const struct json *object, const struct definition_element *element);
/* Puts PIECE, which is in no tree, as a single element in place of what is there. ERR_LIMIT. */
enum err patch_piece_set(struct arena *arena, struct json *object,
                         const struct definition_element *element, struct patch_piece piece) ERR_CHECKED;
/* Puts PIECE before item AT of a list (behind the last when AT is the count). ERR_LIMIT. */
enum err patch_piece_insert(struct arena *arena, struct json *object,
                            const struct definition_element *element, uint32_t at,
                            struct patch_piece piece) ERR_CHECKED;
/* Takes a single element, or item AT of a list, out and returns it. */
struct patch_piece patch_piece_take(struct json *object, const struct definition_element *element,
                                    int64_t at);
/* Takes away empty objects and arrays, and arrays of nothing but null, below VALUE; true when VALUE is one
 * itself. */
bool patch_piece_prune(struct json *value);

#endif
