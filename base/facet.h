/* SPDX-License-Identifier: Apache-2.0
 *
 * A facet is one searchable value of a resource: mappers/fhir derive them from a resource, storage
 * keeps them in the ix_ tables, and a search compares against them. They are a pure function of the
 * resource's JSON, so that the indexes can be thrown away and rebuilt (design invariant 4).
 */
#ifndef BASE_FACET_H
#define BASE_FACET_H

#include "base/slice.h"

enum facet_kind {
    FACET_TOKEN,    /* system + code */
    FACET_STRING,   /* folded text (width, case, kana), see mappers/fhir/fold.h */
    FACET_DATE,     /* [lo, hi) ms */
    FACET_NUMBER,   /* [lo, hi) by implicit precision */
    FACET_QUANTITY, /* number span + unit system + unit code */
    FACET_REFERENCE,/* "Type/id", internal form */
    FACET_URI
};

/* Parameters have stable small numbers from the generated table (mappers/fhir/param_table.c). */
struct facet {
    uint16_t param;
    enum facet_kind kind;
    struct slice system; /* token, quantity */
    struct slice text;   /* token code, folded string, reference, uri, quantity unit code */
    struct slice raw;    /* string: the text as written, for :exact */
    int64_t lo_ms;       /* date */
    int64_t hi_ms;
    double lo;           /* number, quantity */
    double hi;
};

struct facet_list {
    struct facet *items;
    size_t count;
};

#endif
