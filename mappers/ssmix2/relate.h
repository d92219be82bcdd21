/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of one patient by what they say of each other: what a reference names, and who refers
 * to a record (the report of a result, the study of an order). Made once a plan, so that a chart of
 * very many records is written in one pass over it.
 */
#ifndef MAPPERS_SSMIX2_RELATE_H
#define MAPPERS_SSMIX2_RELATE_H

#include "mappers/ssmix2/write.h"

enum relate_how {
    RELATE_NAME,   /* the record itself, by "Type/id" */
    RELATE_REPORT, /* the DiagnosticReport an Observation is a result of */
    RELATE_ASKER,  /* the ServiceRequest an Observation was given with */
    RELATE_STUDY,  /* the ImagingStudy made for a ServiceRequest */
    RELATE_RESULT, /* an Observation made for a ServiceRequest */
    RELATE_COUNT,
};

/* Relations of ITEMS, in ARENA. NULL: ARENA is full. */
struct relate *relate_make(struct arena *arena, struct write_item *items, size_t count);
/* The record that NAME ("Type/id") is related to, or NULL. */
struct write_item *relate_find(struct relate *relate, enum relate_how how, struct slice name);
/* The same of an item, and the record a Reference names. */
struct write_item *relate_of(struct relate *relate, enum relate_how how,
                             const struct write_item *item);
struct write_item *relate_follow(struct relate *relate, const struct json *reference);

#endif
