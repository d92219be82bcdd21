/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a resource for _text and _content (R4 search.html#content): what a person could read in its narrative, and in
 * all of it.
 */
#ifndef MAPPERS_FHIR_WORDS_H
#define MAPPERS_FHIR_WORDS_H

#include "base/err.h"
#include "base/json.h"

/* Folded texts (fold.h) in ARENA: of all narratives of RESOURCE without their markup; and of everything, narratives included,
 * without what only machines read: ids, identifiers, addresses, references, dates, codes of required bindings, bytes in base64. A word
 * never spans two elements. Empty when there is none. ERR_LIMIT when the arena is full. */
enum err words_extract(struct arena *arena, const struct json *resource, struct slice *ret_words,
                       struct slice *ret_content) ERR_CHECKED;

#endif
