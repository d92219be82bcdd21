/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: the columns of a record as every gated statement selects them, its number in the log of
 * changes, and its rows in the search indexes. record.c, search.c and change.c must agree on the columns, so they are
 * said once.
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
    " r.seq, r.deleted, r.body"

/* Reads RECORD_COLUMNS starting at column FIRST, the body unpacked. Failures are sticky in Q. */
void record_load(struct sql *q, int first, struct arena *arena, struct record *ret_record);

/* Enters version VERSION of RID in the log of changes: the next number (storage/change.c). Writer session. */
enum err change_put(struct session *s, int64_t rid, int64_t version, int64_t *ret_seq) ERR_CHECKED;

/* A record as the indexes know it. */
struct index_record {
    int64_t rid;
    int64_t key_of_id, key_of_type; /* storage/key.h */
    bool patient;                   /* a Patient is entered by itself, any other with its block */
};
/* What it is found by. */
struct index_state {
    enum { INDEX_NOTHING, INDEX_ID, INDEX_ALL } level; /* no record, a delete marker, a record */
    struct slice facets;
};
/* Changes the rows of RECORD in ix_id, ix_value and ix_string from what BEFORE is found by to
 * AFTER; only the difference is written, or with ANEW all of AFTER, whatever stands there. Nothing
 * of a block is taken out: other records of it may need it, and whatever is found is tested.
 * ERR_TOO_LARGE: more than LIMIT_FACETS rows. Writer session. */
enum err index_change(struct session *s, const struct index_record *record,
                      const struct index_state *before, const struct index_state *after,
                      bool anew) ERR_CHECKED;
/* The words of the version SEQ; nothing when there are none. They wait: the full-text index writes a piece of itself at
 * every savepoint it has something for, so all words of a transaction go in together, before its COMMIT
 * (index_words_enter), or before somebody in it searches for words. */
enum err index_words(struct session *s, int64_t seq, struct slice words,
                     struct slice content) ERR_CHECKED;
/* Enters those that wait. Writer session. */
enum err index_words_enter(struct session *s) ERR_CHECKED;
/* Before a savepoint begins: what waits and what is entered then. If much waits, it is entered first. */
struct index_words_mark {
    size_t rows, texts, entered;
};
enum err index_words_begin(struct session *s, struct index_words_mark *ret_mark) ERR_CHECKED;
/* It was rolled back. With a zeroed MARK: the transaction has ended. */
void index_words_back(struct session *s, struct index_words_mark mark);

#endif
