/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts a backup in place of the store. Nothing is changed before the copy is complete, sound and on
 * disk in the store's folder; then one rename puts it in, so that a crash leaves the old store or
 * the new one. What was there is kept: the store, and the file of signed heads, which speaks of
 * rows that the copy may lack, under their names with a mark behind.
 */
#ifndef STORAGE_RESTORE_H
#define STORAGE_RESTORE_H

#include <stdint.h>

#include "base/err.h"

struct restore_order {
    const char *file;         /* the backup; a log FILE-wal beside it belongs to it */
    const char *store;        /* what it replaces, if it is there */
    const char *heads;        /* file of signed audit heads; NULL: none */
    const unsigned char *key; /* 32 bytes: proves the copy's audit chain; NULL: not proved */
    int64_t now_ms;
};

struct restore_account {
    int schema;           /* version of the copy */
    int64_t last_row;     /* of the copy's audit chain */
    int64_t replaced_row; /* of the replaced store's chain; 0: no store, -1: not readable */
    char mark[48];        /* what was set aside is called NAME + mark */
    const char *en, *ja;  /* after a failure: what stood in the way; never NULL */
    char detail[240];     /* and more of it, may be empty */
};

/* The caller holds the store's lock (storage/lock.h) before and until he has recorded what he did.
 * ERR_NOT_FOUND: no FILE. ERR_INVALID, ERR_VERSION: it must not be put in. ERR_UNAVAILABLE: another
 * process has the store open. ERR_CONFLICT, ERR_IO, ERR_LIMIT. The account's texts are also set on
 * failure. */
enum err restore_run(const struct restore_order *order,
                     struct restore_account *ret_account) ERR_CHECKED;

#endif
