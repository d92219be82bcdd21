/* SPDX-License-Identifier: Apache-2.0
 *
 * POST of a Bundle to the base (R4 http.html#transaction): what batch and transaction share. A batch's entries become
 * requests of their own, each with its own transaction and audit rows (fhir_batch.c); a transaction's entries are run in
 * the one transaction of the request that brought them (fhir_transaction.c).
 */
#ifndef EXCHANGE_DOOR_FHIR_BUNDLE_H
#define EXCHANGE_DOOR_FHIR_BUNDLE_H

#include "exchange/door/fhir.h"

/* One entry as sent. Slices point into the body. */
struct fhir_entry {
    unsigned number; /* position in the Bundle, from 0 */
    struct slice full_url;
    struct slice method, url;
    struct slice if_match, if_none_exist, if_none_match;
    struct json *resource; /* or NULL */
};

/* What becomes of it: the response part of the answer's entry. */
struct fhir_entry_answer {
    int status;
    const char *location; /* or NULL */
    int64_t version;      /* ETag; 0: none */
    int64_t updated_ms;   /* 0: none */
    struct slice body;    /* JSON: the resource, or on failure the OperationOutcome */
    bool failed;
};

/* The entries of BUNDLE, whose outer form is checked here; errors name the entry. */
enum err fhir_bundle_entries(struct request *r, const struct json *bundle,
                             struct fhir_entry **ret_entries, size_t *ret_count) ERR_CHECKED;

/* A request for one entry, with INPUT and route set as if it had come over HTTP, on the parent's behalf: caller, claims,
 * base URL and arena are the parent's. The answer's form is JSON. NULL when memory is out. */
struct request *fhir_bundle_child(struct request *parent, const struct fhir_entry *entry);

/* Sets route and query of R by an entry's url: below /fhir, whatever base URL it was written with. What does not answer with a
 * resource at once (exports, event streams, the OpenAPI document) has no place in a Bundle: ERR_NOT_SUPPORTED. */
void fhir_bundle_route(struct request *r, struct slice url);
/* "Bundle.entry[N]" + PLACE, whose leading type name is the entry's resource. In the arena. */
const char *fhir_bundle_place(struct arena *arena, unsigned number, const char *place);

/* Prints {"resourceType":"Bundle","type":TYPE,"entry":[...]} into r->answer_buf. */
enum err fhir_bundle_print(struct request *r, const char *type,
                           const struct fhir_entry_answer *answers, size_t count) ERR_CHECKED;

/* ── transaction ── */
/* Reader's or writer's session: everything up to the first change. */
enum err fhir_transaction_look(struct session *s, struct request *r,
                               struct json *bundle) ERR_CHECKED;
enum err fhir_transaction_apply(struct session *s, struct request *r) ERR_CHECKED;

/* ── batch ── */
enum err fhir_batch_look(struct request *r, struct json *bundle) ERR_CHECKED;
/* Loop thread, after the request itself is recorded: runs the entries, then answers R by DONE. Takes over until then.
 * False when there is no batch to run. */
bool fhir_batch_start(struct request *r, void (*done)(struct request *r));

#endif
