/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: brings a file to the newest schema. Each storage/schema/NNNN_*.sql is one
 * step, linked into the program, run in one transaction together with its number (PRAGMA
 * user_version). Forward only; a file made by a newer program is refused, never guessed at.
 */
#ifndef STORAGE_MIGRATE_H
#define STORAGE_MIGRATE_H

#include "storage/session.h"

/* ERR_VERSION when the file is newer than this program. Writer's connection, outside a
 * transaction. */
enum err migrate_run(struct session *s) ERR_CHECKED;
/* The newest version this program knows. */
int migrate_newest(void);

#endif
