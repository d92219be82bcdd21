/* SPDX-License-Identifier: Apache-2.0
 *
 * What one value of a data type gives a search by a parameter (R4 search.html, the tables of token,
 * string, date, number, quantity and reference): the leaves of the trees that facets.c walks.
 * Private to mappers/fhir.
 */
#ifndef MAPPERS_FHIR_LEAF_H
#define MAPPERS_FHIR_LEAF_H

#include "base/err.h"
#include "base/json.h"
#include "mappers/fhir/definition.h"

/* Facets collected so far, and for which parameter the next value is taken apart. */
struct leaf {
    struct arena *arena;
    struct facet *items; /* the caller's at first; grown in the arena */
    size_t count;
    size_t capacity; /* at least 1 */
    enum err err;    /* ERR_TOO_LARGE beyond LIMIT_FACETS, ERR_LIMIT; then nothing more is added */
    const struct definition_param *param;
    enum facet_kind kind; /* param's, or of a component */
    uint16_t group;       /* composite */
    uint8_t part;
    struct slice target; /* references to this type only; or empty */
};

/* Takes VALUE apart as LETTER says (gen/README.md). A value of another shape than the letter
 * expects gives nothing. What an identifier gives follows its token at once: whoever must drop the
 * one (exchange/gate/refs.c) drops the others. */
void leaf_add(struct leaf *leaf, char letter, const struct json *value);

#endif
