/* SPDX-License-Identifier: Apache-2.0
 *
 * What a mapper makes of one document of some standard: resources in JP Core shape, who the patient
 * is said to be, and an honest account of what was mapped and what was only kept. Pure data in the
 * request's arena.
 */
#ifndef MAPPERS_MAPPED_H
#define MAPPERS_MAPPED_H

#include "base/err.h"
#include "base/json.h"
#include "mappers/fhir/classify.h"

/* What a mapper needs to know from outside; everything it may not find out by itself. */
struct mapper_env {
    struct slice facility_code; /* 10 digits */
    struct slice facility_name;
    int64_t now_ms;
    const unsigned char
        *original; /* SHA-256 of the bytes as they are kept; NULL: of what was lexed */
    /* Logical id of a resource: a keyed function of facility, patient number, type and KEY, so that
     * a repeat or a correction of the same thing meets the same id and references can be made
     * without a look-up. */
    void (*id_of)(void *context, const char *type, struct slice local_no, struct slice key,
                  char ret_id[37]);
    void *context;
};

/* A piece of the document that a resource was made of: segment N of an HL7 message, from 1 (MSH).
 */
struct mapped_from {
    unsigned segment;
    struct mapped_from *next;
};

/* One resource. References to its patient are written "Patient/@"; references among the mapped
 * resources use id_of. */
struct mapped_resource {
    struct json *resource; /* with resourceType and id */
    const char *type;
    struct slice scope; /* see mapped.scopes; empty: none */
    bool remove;        /* the document cancels or deletes it */
    bool create_only; /* write only if nothing is there yet (a Patient known from a side mention) */
    /* A Provenance: it is seen by whom this one is seen, and where this one is create_only it is
     * written only if this one was. NULL for all others. */
    const struct mapped_resource *like;
    struct mapped_from *from, *from_last; /* what it was made of, in the order of use */
    struct classify class; /* of the resource; a Provenance has category and label of what it is of
                            */
    struct mapped_resource *next;
};

/* A field that had content but no mapping: kept in the original, counted. */
struct mapped_left {
    struct slice field; /* e.g. NK1-13 */
    unsigned seen;
    struct mapped_left *next;
};

/* The patient as the document names him. Texts as written (UTF-8), not folded; empty = not said. */
struct mapped_patient {
    struct slice local_no;
    struct slice card; /* 12 digits */
    struct slice insurer, symbol, number, branch;
    struct slice name, kana; /* "family given" */
    struct slice birth_date; /* FHIR date */
    struct slice gender;     /* FHIR code */
};

struct mapped {
    struct arena *arena;
    struct slice message; /* e.g. ADT^A08, OUL^R22 */
    const char *mapper;   /* name/version, e.g. hl7v2/1 */
    struct mapped_patient patient;
    struct mapped_resource *first, *last;
    size_t count;
    /* Groups this document replaces as a whole: current records of the chart in such a scope that
     * are not in this document any more are deleted. */
    struct slice *scopes;
    size_t scope_count;
    struct mapped_left *left;
    unsigned fields_mapped; /* fields with content that were used */
    unsigned fields_kept;   /* fields with content that were not */
};

#endif
