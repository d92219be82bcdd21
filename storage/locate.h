/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a record lies and whom it concerns, without the gate: internal numbers only, never content.
 * Needed so that a refused read is recorded under the person it was about, and to find the former
 * versions of a deleted record (which are then read through the gate). Its answers must not reach a
 * caller.
 */
#ifndef STORAGE_LOCATE_H
#define STORAGE_LOCATE_H

#include "storage/session.h"
#include "base/slice.h"

struct locate {
    int64_t rid;
    int64_t person; /* 0: of no person */
    int64_t chart;
    int64_t facility;
    int64_t version;
    bool deleted;
};

/* ERR_NOT_FOUND when no such record ever was. */
enum err locate_record(struct session *s, struct slice type, struct slice id,
                       struct locate *ret_place) ERR_CHECKED;

#endif
