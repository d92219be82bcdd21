/* SPDX-License-Identifier: Apache-2.0
 *
 * Original bytes by SHA-256, given back unchanged (design invariant 4).
 */
#ifndef STORAGE_ORIGINAL_H
#define STORAGE_ORIGINAL_H

#include "base/arena.h"
#include "base/digest.h"
#include "storage/session.h"

/* Keeps BYTES (once, however often they come). Writer session. */
enum err original_put(struct session *s, struct slice bytes, const char *media,
                      const unsigned char sha[DIGEST_LEN]) ERR_CHECKED;
/* The bytes, for the facility whose records or quarantine name them (grant's facility), or ERR_NOT_FOUND. */
enum err original_get(struct session *s, struct arena *arena, const unsigned char sha[DIGEST_LEN],
                      struct slice *ret_bytes) ERR_CHECKED;

/* The number records name it by. ERR_NOT_FOUND when it was not put. Writer session. */
enum err original_number(struct session *s, const unsigned char sha[DIGEST_LEN],
                         int64_t *ret_number) ERR_CHECKED;

#endif
