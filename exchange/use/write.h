/* SPDX-License-Identifier: Apache-2.0
 *
 * One FHIR resource on its way into the store, whatever brought it: create, update, patch, a conditional form of these, an
 * entry of a transaction, a command. Two steps: prepare does all that needs no writing (on a reader's thread where
 * possible: who may write what, references, classification, search values, text), apply identifies the patient and
 * writes, in the transaction of the audit row.
 *
 * Whose chart a resource goes into is decided here and nowhere else:
 *   1. the person its subject (patient, beneficiary ...) names; else the one person all its references agree on;
 *      else whom the records are about that it points to (a Provenance by its target);
 *   2. nobody: a directory or definition resource is of no person and for everyone; anything else is kept private to
 *      its source when the client gives ids itself (PUT), and refused when its type must name a patient (POST).
 *   A client that gives ids may name a Patient before it brings him: a chart is opened under that id.
 */
#ifndef EXCHANGE_USE_WRITE_H
#define EXCHANGE_USE_WRITE_H

#include "base/ids.h"
#include "exchange/gate/refs.h"
#include "mappers/fhir/classify.h"
#include "storage/consent.h"

struct write {
    /* ── filled by the caller ── */
    struct slice type;
    struct slice id;          /* the client's, of an update; empty: a create, the id is made */
    struct json *resource;    /* checked by validate_resource; write owns and changes it. NULL: a delete */
    int64_t expect_version;   /* If-Match, or RECORD_ANY and the like */
    bool client_ids;          /* by PUT: unknown Patient ids open charts, what names nobody is private */
    const struct write_scope *scope; /* of a transaction; or NULL */

    /* ── filled by write_prepare ── */
    struct slice new_id;
    struct slice made_id;     /* a random one just made: while new_id is this, nothing is there yet */
    struct classify class;
    struct refs_list patients;
    int64_t person;           /* whom it is about; 0: nobody, or not known before apply */
    bool private_;            /* for its source only */
    bool settled;             /* body and search values are ready before apply */
    struct slice body;
    struct record_index index;
    struct record_packed packed;
    struct consent_rule *rules;
    size_t rule_count;

    /* ── filled by write_apply ── */
    bool identified; /* a Patient: chart and person are found in this run of apply */
    int64_t chart;
    struct record_mark mark;
};

/* The writes of one transaction, so that one can be about the Patient that another brings. */
struct write_scope {
    struct write **writes; /* by entry number; NULL for an entry that writes nothing */
    size_t count;
};

/* What a search finds RESOURCE by (internal form), less the identifiers of the relay index. */
enum err write_index(struct arena *arena, const struct json *resource,
                     struct record_index *ret_index) ERR_CHECKED;

/* Errors go to r->errors with the place. */
enum err write_prepare(struct session *s, struct request *r, struct write *w) ERR_CHECKED;
/* A Patient of a transaction: finds or opens his chart. For all Patients before the first write_apply, in each run, so
 * that entries may refer to them and they to each other. */
enum err write_identify(struct session *s, struct request *r, struct write *w) ERR_CHECKED;
/* Writer session. May run twice on the same write (store_job). */
enum err write_apply(struct session *s, struct request *r, struct write *w) ERR_CHECKED;

/* Deletes w->type/w->id. */
enum err write_prepare_delete(struct session *s, struct request *r, struct write *w) ERR_CHECKED;
enum err write_apply_delete(struct session *s, struct request *r, struct write *w) ERR_CHECKED;

/* What the caller is told of TYPE/ID that is not his to change: ERR_NOT_FOUND, or ERR_FORBIDDEN when he may see it. */
enum err write_not_his(struct session *s, struct request *r, struct slice type,
                       struct slice id) ERR_CHECKED;
/* What was written, as a record to print (refs_outward). */
struct record write_record(const struct request *r, const struct write *w);
/* May this caller write TYPE at all? ERR_FORBIDDEN. */
enum err write_allowed(struct request *r, struct slice type) ERR_CHECKED;
/* Does an Observation of this caller count as a home vital sign? */
bool write_is_home_vital(const struct request *r, struct slice type);

#endif
