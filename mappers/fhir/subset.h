/* SPDX-License-Identifier: Apache-2.0
 *
 * Part of a resource instead of all of it: _summary and _elements (R4 search.html#summary, #elements).
 * Which elements belong to a summary, which are mandatory and which may change the meaning of the rest is
 * in the tables of definition.h; no resource type has code of its own. What is left is valid R4 and says in
 * meta.tag that it is not all (SUBSETTED). Pure: works on a tree that the caller owns, knows no records.
 */
#ifndef MAPPERS_FHIR_SUBSET_H
#define MAPPERS_FHIR_SUBSET_H

#include "base/buf.h"
#include "base/json.h"

enum subset_mode {
    SUBSET_ALL,      /* the whole resource: nothing is done, no tag */
    SUBSET_SUMMARY,  /* _summary=true: elements marked as summary, at every depth */
    SUBSET_TEXT,     /* id, meta, text and the mandatory elements of the resource itself */
    SUBSET_DATA,     /* all but text */
    SUBSET_COUNT,    /* a search's total only; for its caller, to subset_apply the same as SUBSET_ALL */
    SUBSET_ELEMENTS, /* the elements named, the mandatory and the modifying ones, id and meta */
};

/* What to keep. ELEMENTS as sent, for SUBSET_ELEMENTS: "name", "Patient.name", also deeper
 * ("name.family"). The type's prefix makes it hold for that type only. */
struct subset {
    enum subset_mode mode;
    const struct slice *elements;
    size_t count;
};

/* Reads the values of _summary (true, false, text, data, count) and _elements, an empty slice where one was
 * not sent. ERR_BAD_PARAM for an unknown word, an empty name, or both at once where they would mean
 * different things; ERR_LIMIT. Slices point into ELEMENTS, the list lives in ARENA. */
enum err subset_parse(struct arena *arena, struct slice summary, struct slice elements,
                      struct subset *ret_subset) ERR_CHECKED;

/* Is ELEMENT, one entry of _elements, an element of resource TYPE or, by its prefix, of another type? */
bool subset_known(struct slice type, struct slice element);

/* Takes from RESOURCE, which must have passed validate_resource, what HOW does not keep; contained resources
 * stay while something kept refers to them. Resources in Bundle entries are cut the same way. ERR_LIMIT
 * when ARENA is full: RESOURCE is then of no use. */
enum err subset_apply(struct arena *arena, struct json *resource,
                      const struct subset *how) ERR_CHECKED;

/* The same on a printed resource: BODY is parsed, cut and printed to OUT. ERR_INTERNAL when BODY is not
 * JSON: it comes from the store. */
enum err subset_text(struct arena *arena, struct slice body, const struct subset *how,
                     struct buf *out) ERR_CHECKED;

#endif
