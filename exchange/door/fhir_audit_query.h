/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches of the audit record (IHE ITI-81; R4 auditevent.html#search). The record is no resource
 * with index rows: a search is a range of its rows, by person, facility and time, and for
 * everything else a test of each row in that range. What a test compares is what the AuditEvent
 * made of the row says (exchange/use/audit_event.h). Whose rows they are is not decided here.
 */
#ifndef EXCHANGE_DOOR_FHIR_AUDIT_QUERY_H
#define EXCHANGE_DOOR_FHIR_AUDIT_QUERY_H

#include "exchange/door/fhir_query.h"
#include "storage/audit.h"

struct fhir_audit_test;

struct fhir_audit_query {
    struct audit_filter filter; /* person -1: somebody who is not there */
    struct subset subset;
    bool count_only, no_total;
    bool ignored[LIMIT_SEARCH_PARAMS]; /* left out by lenient handling */
    /* private */
    struct fhir_audit_test *tests;
    size_t test_count;
    struct request *request;
};

/* Compiles the request's parameters; HISTORY: of $access-history, which takes only date and pages.
 */
enum err fhir_audit_query(struct session *s, struct request *r, bool history,
                          struct fhir_audit_query *ret) ERR_CHECKED;

#endif
