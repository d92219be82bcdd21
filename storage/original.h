/* SPDX-License-Identifier: Apache-2.0
 *
 * Original bytes by SHA-256, given back unchanged (design invariant 4).
 */
#ifndef STORAGE_ORIGINAL_H
#define STORAGE_ORIGINAL_H

#include "base/arena.h"
#include "base/digest.h"
#include "storage/session.h"

/* Keeps BYTES as sent by FACILITY (once, however often it sends them). Writer session. */
enum err original_put(struct session *s, int64_t facility, struct slice bytes, const char *media,
                      const unsigned char sha[DIGEST_LEN]) ERR_CHECKED;
/* The bytes, for the facility that sent them (grant's facility), or ERR_NOT_FOUND. */
enum err original_get(struct session *s, struct arena *arena, const unsigned char sha[DIGEST_LEN],
                      struct slice *ret_bytes) ERR_CHECKED;

/* The number of what a current record was mapped from; 0: it came another way. Numbers rise with time of arrival. Only
 * for records of the grant's facility (else 0). */
enum err original_of_record(struct session *s, int64_t rid, int64_t *ret_number) ERR_CHECKED;
/* All that the records of CHART, present and former, were mapped from, in order of arrival. The chart must be the
 * grant's facility's own: ERR_NOT_FOUND. */
struct original_ref {
    int64_t number;
    unsigned char sha[DIGEST_LEN];
    struct slice bytes;
};
enum err original_of_chart(struct session *s, struct arena *arena, int64_t chart,
                           struct original_ref **ret_refs, size_t *ret_count) ERR_CHECKED;

/* The number FACILITY's records name it by. ERR_NOT_FOUND when it was not put. Writer session. */
enum err original_number(struct session *s, int64_t facility, const unsigned char sha[DIGEST_LEN],
                         int64_t *ret_number) ERR_CHECKED;

#endif
