/* SPDX-License-Identifier: Apache-2.0
 *
 * Which kinds of data of the standard storage a record belongs to, and under what care date and
 * order number (guide section 1.4). One rule a type of resource; docs/doors/ssmix2.md has them as a
 * table. A record without a place here is one the standard storage has none for.
 */
#ifndef MAPPERS_SSMIX2_PLACE_H
#define MAPPERS_SSMIX2_PLACE_H

#include "mappers/ssmix2/write.h"

struct place {
    const char *kind;
    struct slice day;        /* empty: kinds without a date, and what is undated */
    bool undated;            /* nobody said when: with others of its number, else as it came */
    struct slice order;      /* empty: kinds without an order */
    bool numbered;           /* by somebody; else the record's own id stands for it */
    const struct json *part; /* see struct write_member */
    unsigned late;           /* events of one visit in their order; the highest says how it is */
    bool cancelled;
};

struct place_book {
    struct arena *arena;
    struct relate *relate;
    /* Takes each place; false: no more are wanted. */
    void (*put)(struct place_book *book, struct write_item *item, const struct place *place);
    void *context;
};

/* Calls PUT for every place of ITEM. */
void place_each(struct place_book *book, struct write_item *item);
/* The places of an Encounter (place_visit.c). */
void place_visit(struct place_book *book, struct write_item *item);

/* The kind of data an order (ServiceRequest) belongs to, or NULL: nothing says what it is of. */
const char *place_request_kind(struct arena *a, struct relate *relate,
                               const struct write_item *item);
/* The number of an order: its own, else that of the record. */
struct slice place_request_number(const struct json *request, struct slice id);
/* Part N (from 0) of the instance identifier that our mapper makes of an order's numbers:
 * facility:order:..., or facility:LAB:order:... of a result. */
struct slice place_instance(const struct json *resource, unsigned n);
bool place_has_category(const struct json *resource, const char *code);
/* When a result was taken: effective[x], its start. */
struct slice place_taken(const struct json *resource);
/* The ingredients of an injection's contained Medication, or NULL. */
const struct json *place_ingredients(const struct json *request);
/* The drug of a request or administration: its concept, or that of its contained Medication. */
const struct json *place_drug(const struct json *resource);

#endif
