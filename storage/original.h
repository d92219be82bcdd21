/* SPDX-License-Identifier: Apache-2.0
 *
 * Original bytes by SHA-256, kept unchanged (design invariant 4).
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

#endif
