/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection at work for one job. Patient data is read only through gated views, whose context is
 * the grant bound here; a statement that touches a base table any other way does not compile (SQLite
 * authorizer, storage/gate.c). Identity and registry look-ups (person.h, registry.h) are the store's own
 * statements and release no clinical data.
 */
#ifndef STORAGE_SESSION_H
#define STORAGE_SESSION_H

#include "storage/grant.h"
#include "storage/store.h"

/* Binds GRANT (borrowed; must outlive the binding) for the statements that follow; NULL unbinds. The
 * store unbinds by itself after each job step. */
void session_bind(struct session *s, const struct grant *grant);
/* The bound grant or NULL. */
const struct grant *session_grant(const struct session *s);
/* Wall clock of this store, ms. */
int64_t session_now_ms(struct session *s);
/* True on the writer's session. */
bool session_writes(const struct session *s);

#endif
