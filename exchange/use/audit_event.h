/* SPDX-License-Identifier: Apache-2.0
 *
 * Audit rows as AuditEvent resources in the shape of IHE BALP (Basic Audit Log Patterns): type
 * rest, the interaction as subtype, client and server agents, the user where one was vouched for,
 * the patient and what was touched as entities.
 */
#ifndef EXCHANGE_USE_AUDIT_EVENT_H
#define EXCHANGE_USE_AUDIT_EVENT_H

#include "exchange/request.h"

/* The AuditEvent of ROW for the reader of R, in r's arena. */
enum err audit_event_json(struct session *s, struct request *r, const struct audit_row *row,
                          struct json **ret_event) ERR_CHECKED;

#endif
