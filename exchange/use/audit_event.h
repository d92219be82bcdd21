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

/* The codes of ROW's AuditEvent that a token parameter of R4 asks for, as audit_event_json prints
 * them. */
enum audit_event_part {
    AUDIT_EVENT_ACTION,
    AUDIT_EVENT_OUTCOME,
    AUDIT_EVENT_TYPE,
    AUDIT_EVENT_SUBTYPE,
    AUDIT_EVENT_AGENT_ROLE,
    AUDIT_EVENT_ENTITY_TYPE,
    AUDIT_EVENT_ENTITY_ROLE,
};
struct audit_event_code {
    const char *system, *code;
};
#define AUDIT_EVENT_CODES 3
size_t audit_event_codes(const struct request *r, const struct audit_row *row,
                         enum audit_event_part part,
                         struct audit_event_code ret_codes[AUDIT_EVENT_CODES]);
/* Is ROW one for R's reader at all, of those he is entitled to? Not those of REQUEST_VAIN for who asked. */
bool audit_event_is_shown(const struct request *r, const struct audit_row *row);
/* Does R's reader learn whom ROW is about? Not a facility that was shown nothing: that somebody was there would show. */
bool audit_event_tells(const struct request *r, const struct audit_row *row);
/* Is what ROW touched told as a reference "Type/id[/_history/n]"? */
bool audit_event_refers(const struct audit_row *row);

#define AUDIT_EVENT_INSTITUTION                                                                    \
    "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"

#endif
