/* SPDX-License-Identifier: Apache-2.0
 *
 * Emergency access sessions ($break-glass): one facility, one person, 60 minutes. Only a digest of the
 * session token is kept.
 */
#ifndef STORAGE_GLASS_H
#define STORAGE_GLASS_H

#include "base/arena.h"
#include "storage/session.h"

struct glass {
    int64_t facility;
    int64_t person;
    struct slice user, reason, text;
    int64_t opened_ms, expires_ms;
};

/* Opens a session for TOKEN. Writer session. */
enum err glass_open(struct session *s, struct slice token, const struct glass *glass) ERR_CHECKED;
/* The session of TOKEN if it belongs to FACILITY and has not expired at NOW_MS; ERR_NOT_FOUND. */
enum err glass_find(struct session *s, struct arena *arena, struct slice token, int64_t facility,
                    int64_t now_ms, struct glass *ret_glass) ERR_CHECKED;

#endif
