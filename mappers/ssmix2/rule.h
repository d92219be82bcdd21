/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules of the SS-MIX2 standard storage as tables: required fields by kind of data (guide section
 * 1.6), the order of segments by message (1.5), the field a care date comes from (1.4; kind_table.c
 * has those of registrations). Facts only; inspect.c goes by them.
 */
#ifndef MAPPERS_SSMIX2_RULE_H
#define MAPPERS_SSMIX2_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Kinds that have requirements of their own, behind "*" for all others. Ends with NULL. */
extern const char *const rule_kinds[];

struct rule_required {
    const char *segment;
    unsigned field;
    uint32_t kinds; /* bit n: rule_kinds[n] */
};
/* In order of segment and field; ends with a NULL segment. */
extern const struct rule_required rule_required[];

/* Fields that hold numbers, or have components that do: bit n of the mask is component n + 1. */
struct rule_numeric {
    const char *segment;
    unsigned field;
    uint32_t components;
    bool whole; /* the field itself is one number */
};
extern const struct rule_numeric rule_numeric[];

/* The segments the standard uses and their highest field; ends with a NULL segment. */
struct rule_segment {
    const char *segment;
    unsigned highest;
};
extern const struct rule_segment rule_segments[];

struct rule_order {
    const char *message; /* code^trigger */
    const char *pattern; /* see order.h */
};
extern const struct rule_order rule_orders[];

/* Cancelling messages whose care date stands elsewhere than the registration's. */
struct rule_date {
    const char *message;
    const char *field;
};
extern const struct rule_date rule_dates[];

/* The bit of rule_required.kinds for a kind of data. */
uint32_t rule_bit(struct slice kind);

#endif
