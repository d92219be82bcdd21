/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: the columns of a record as every gated statement selects them, and the
 * search rows of one record. record.c and search.c must agree on the order, so it is said once.
 */
#ifndef STORAGE_RECORD_IMPL_H
#define STORAGE_RECORD_IMPL_H

#include "storage/record.h"
#include "storage/sql.h"

/* A chart's records have the numbers [chart << RECORD_CHART_BITS, (chart + 1) <<
 * RECORD_CHART_BITS). */
#define RECORD_CHART_BITS 32

/* From a view named r. */
#define RECORD_COLUMNS                                                                             \
    "r.rid, r.type, r.id, r.version, r.chart, r.person, r.facility, r.category, r.label,"          \
    " r.updated_ms, r.deleted, r.body"

/* Reads RECORD_COLUMNS starting at column FIRST. Copying failures are sticky in Q. */
void record_load(struct sql *q, int first, struct arena *arena, struct record *ret_record);

/* Search rows of the record RID (storage/index.c): adds FACETS; drops all. Writer session. */
enum err index_put(struct session *s, int64_t rid, const struct facet_list *facets) ERR_CHECKED;
enum err index_drop(struct session *s, int64_t rid) ERR_CHECKED;

#endif
