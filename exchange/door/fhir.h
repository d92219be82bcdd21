/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIR REST (R4 http.html): one HTTP request becomes one request of the pipeline. This door parses
 * and prints; one table (fhir_route.c) leads from method and path to an interaction, one file an
 * interaction; the CapabilityStatement is made from the same table.
 */
#ifndef EXCHANGE_DOOR_FHIR_H
#define EXCHANGE_DOOR_FHIR_H

#include "base/limits.h"
#include "exchange/door/fhir_media.h"
#include "exchange/net/http.h"
#include "exchange/request.h"
#include "exchange/use/write.h"
#include "mappers/fhir/subset.h"
#include "storage/record.h"

struct fhir_param {
    struct slice name;     /* before ':' */
    struct slice modifier; /* after ':'; empty = none */
    struct slice value;    /* decoded */
};

/* Where in the URL space a route lies. */
enum fhir_shape {
    FHIR_ROOT,               /* the base itself: search of all types; POST: batch, transaction */
    FHIR_SYSTEM,             /* /metadata and other names of the system */
    FHIR_SYSTEM_SEARCH,      /* /_search */
    FHIR_SYSTEM_HISTORY,     /* /_history */
    FHIR_SYSTEM_OPERATION,   /* /$export */
    FHIR_TYPE,               /* /Patient */
    FHIR_TYPE_SEARCH,        /* /Patient/_search */
    FHIR_TYPE_HISTORY,       /* /Patient/_history */
    FHIR_INSTANCE,           /* /Patient/1 */
    FHIR_INSTANCE_HISTORY,   /* /Patient/1/_history */
    FHIR_VERSION,            /* /Patient/1/_history/2 */
    FHIR_COMPARTMENT,        /* /Patient/1/Observation; input->inner: the type, or a star for all */
    FHIR_COMPARTMENT_SEARCH, /* /Patient/1/Observation/_search */
    FHIR_TYPE_OPERATION,     /* /Patient/$match */
    FHIR_INSTANCE_OPERATION, /* /Patient/1/$summary */
    FHIR_VERSION_OPERATION,  /* /Patient/1/_history/2/$meta */
    FHIR_SYSTEM_JOB,         /* /$export/id: what an operation began */
    FHIR_SYSTEM_FILE         /* /$export/id/1: a file it made */
};

struct fhir_route {
    const char *method;
    enum fhir_shape shape;
    const char *type; /* NULL: every type without a row of its own for this shape */
    const char *name; /* operation without $, or the name of a FHIR_SYSTEM path; else NULL */
    const char *interaction; /* FHIR interaction codes for the CapabilityStatement and words for what else it says
                                (mappers/fhir/outcome.h), space-separated; NULL for operations */
    const struct use *use;
    const char *params; /* space-separated search parameters; NULL: all of the type's */
};

/* What the criteria of a conditional write match among the caller's own records (fhir_conditional.h). */
struct fhir_condition {
    struct slice criteria; /* "identifier=…"; empty: none */
    bool fixed;            /* a transaction found out before its first entry was written */
    unsigned count;        /* 0, 1, or 2 for several */
    struct record match;
};

/* The door's parsed input (r->input) and the working state between an interaction's look and apply.
 */
struct fhir_input {
    const struct fhir_route *route;
    enum fhir_shape shape; /* of the path */
    bool shaped;           /* the path has a shape at all */
    struct slice type, id, name;
    struct slice inner; /* of a compartment: the type searched in it, or "*" */
    int64_t version; /* of a vread */
    struct fhir_param *params; /* in the arena, fhir_params */
    unsigned param_count;
    struct slice query, form; /* still encoded: from the URL, from a POST _search body */
    struct slice if_match, if_none_exist;
    struct fhir_condition condition; /* of a conditional write */
    bool lenient;     /* Prefer: handling=lenient */
    bool minimal;     /* Prefer: return=minimal, or an OperationOutcome instead */
    bool whole;       /* Prefer: return=representation, said: entries of a transaction carry resources only then */
    bool outcome;     /* Prefer: return=OperationOutcome */
    bool html;        /* a page, where there is one */
    enum err refusal; /* the path was refused before the pipeline; said after the caller is known */
    const char *refusal_place; /* the parameter that it was refused for; or NULL */
    /* forms (fhir_form.h) */
    struct fhir_wish wish; /* of the answer */
    bool pretty;           /* _pretty=true */
    bool content;          /* the answer is a Binary's content, not FHIR */
    struct subset subset;  /* of a resource read */
    struct slice if_none_match, if_modified_since;
    enum fhir_media body_media;
    struct slice body_type;        /* Content-Type as sent */
    struct slice security_context; /* X-Security-Context: of a Binary sent as content */
    uv_work_t work;                /* a large answer is made over on a worker */
    /* writes */
    struct json *resource; /* the body, parsed and checked; an entry of a transaction brings it */
    bool checked; /* resource has passed validate_resource already */
    bool json_patch;      /* a PATCH brings a JSON Patch, not Parameters */
    struct json *patch;
    int64_t revised_rid;  /* the record that write was made from (fhir_revise.h) */
    struct fhir_batch *batch;             /* entries to be run one by one (fhir_batch.c) */
    struct fhir_transaction *transaction; /* entries to be run as one (fhir_transaction.c) */
    struct write write;    /* of an interaction that writes */
    bool async;              /* Prefer: respond-async */
    bool own_form;           /* Accept names the form that only this route has */
    struct slice last_event; /* Last-Event-ID */
    struct http_field fields[3]; /* further ones of a success; values in r's arena */
    unsigned field_count;
    /* Set by a look that answers in its own way: called on the loop's thread with what was permitted and audited; must
     * answer CALL. R is freed after it. */
    void (*take_over)(struct request *r, struct http_call *call);
    void *own;           /* an interaction's own state, in r's arena */
    struct record later; /* a record to print when answering (fhir_answer_later) */
    bool print_later;
};

/* The routes; ends with a NULL method. */
extern const struct fhir_route fhir_routes[];
/* The route of METHOD and the path below /fhir (decoded segments in INPUT); NULL with *ret_err set.
 */
const struct fhir_route *fhir_route_find(struct slice method, enum fhir_shape shape,
                                         struct slice type, struct slice name, enum err *ret_err);

/* The methods that INPUT's path answers to, for an Allow field. */
struct slice fhir_route_allow(struct arena *arena, const struct fhir_input *input);

/* Fills shape, type, id, name, version, route and use from the (still encoded) PATH, which begins with /fhir. */
void fhir_choose_route(struct request *r, struct slice path);
/* Largest body a request may bring (http_options.body_limit). */
size_t fhir_body_limit(const struct http1_request *head);
/* Takes the call over if its path begins with /fhir; the answer comes later. */
void fhir_handle(struct http_call *call, struct exchange *x, enum request_door door);

/* ── shared by the interactions ──────────────────────────────────────────────────────────────── */

/* Fills input->params from query and form. Unknown escapes and too many are errors. */
enum err fhir_params(struct request *r) ERR_CHECKED;
/* Parameters that steer the answer's form and are no search: _format, _pretty. */
bool fhir_param_is_format(const struct fhir_param *p);
/* Parses r->body as a resource of input->type, validates; input->resource. An entry of a transaction has brought its
 * resource, checked. */
enum err fhir_parse_body(struct request *r) ERR_CHECKED;
/* Prints VALUE into r->answer_buf as the answer. */
enum err fhir_answer_json(struct request *r, const struct json *value) ERR_CHECKED;
/* Answers with what MAKE makes (NULL: no memory), which is made once and kept: it says the same as long as the program
 * runs, but for the listener's address. */
enum err fhir_answer_kept(struct request *r, enum exchange_kept which,
                          const struct json *(*make)(struct request *r)) ERR_CHECKED;
/* RECORD as this reader sees it, as a tree in r's arena. */
enum err fhir_outward_json(struct session *s, struct request *r, const struct record *record,
                           struct json **ret_resource) ERR_CHECKED;
/* Prints RECORD as this reader sees it into r->answer_buf, with ETag and Last-Modified. */
enum err fhir_answer_record(struct session *s, struct request *r,
                            const struct record *record) ERR_CHECKED;
/* The same, but printed only when the answer is sent, on the loop's thread: a quick look must not
 * keep the writer from what only it can do. Not for Patient, whose identifiers need the session. */
void fhir_answer_later(struct request *r, const struct record *record);
/* After a write: status, Location, ETag, audit fields, and the resource unless the caller wants none. */
enum err fhir_answer_written(struct session *s, struct request *r,
                             const struct write *w) ERR_CHECKED;
/* For what has no parameters but those of the answer's form; ERR_UNKNOWN_PARAM. */
enum err fhir_no_params(struct request *r) ERR_CHECKED;
/* If-Match: W/"3" -> 3; absent -> 0. */
enum err fhir_if_match(struct request *r, int64_t *ret_version) ERR_CHECKED;
/* ERR_MALFORMED unless RESOURCE carries ID. */
enum err fhir_same_id(struct request *r, const struct json *resource,
                      struct slice id) ERR_CHECKED;
/* Begins / ends a Bundle in r->answer_buf, and one entry of it with RECORD. */
void fhir_bundle_begin(struct request *r, const char *type, int64_t total);
enum err fhir_bundle_entry(struct session *s, struct request *r, const struct record *record,
                           const char *mode) ERR_CHECKED;
enum err fhir_bundle_end(struct request *r) ERR_CHECKED;
/* The entity text of an audit row: "Type/id", "Patient/@" for a patient. */
const char *fhir_entity(struct request *r, struct slice type, struct slice id);
/* Person of the Patient id in input->id; fills r->person so that a refusal is recorded under it
 * too. */
enum err fhir_instance_person(struct session *s, struct request *r,
                              int64_t *ret_person) ERR_CHECKED;

/* The current record of the instance addressed, or a definition made by this server. Fills r->person, for a refusal too. */
enum err fhir_instance_record(struct session *s, struct request *r,
                              struct record *ret_record) ERR_CHECKED;
/* The row of the instance addressed, also when it is deleted now; without the gate. Fills r->person. */
enum err fhir_instance_rid(struct session *s, struct request *r, int64_t *ret_rid) ERR_CHECKED;
/* Is the path one of a history? */
bool fhir_is_history(const struct fhir_input *in);

/* Is ID one of the audit record's own numbers? Others are a facility's own AuditEvents. */
bool fhir_audit_is_ours(struct slice id);
/* The caller's own Patient record of PERSON where it is deleted: its id in *ret_id. ERR_NOT_FOUND.
 */
enum err fhir_deleted_patient(struct session *s, struct request *r, int64_t person,
                              struct slice *ret_id) ERR_CHECKED;

/* The interactions' uses, one file each. */
extern const struct use fhir_use_refused, fhir_use_capability, fhir_use_read, fhir_use_vread,
    fhir_use_history, fhir_use_history_type, fhir_use_history_system, fhir_use_search,
    fhir_use_create, fhir_use_update, fhir_use_delete,
    fhir_use_update_conditional, fhir_use_delete_conditional, fhir_use_patch, fhir_use_bundle,
    fhir_use_events, fhir_use_export, fhir_use_export_status, fhir_use_export_cancel,
    fhir_use_export_file,
    fhir_use_audit_search, fhir_use_audit_read, fhir_use_break_glass, fhir_use_summary,
    fhir_use_everything, fhir_use_access_history, fhir_use_explain_access, fhir_use_match,
    fhir_use_encounter_everything, fhir_use_meta, fhir_use_meta_all, fhir_use_meta_add,
    fhir_use_meta_delete, fhir_use_lastn,
    fhir_use_document, fhir_use_pix, fhir_use_convert, fhir_use_openapi,
    fhir_use_validate, fhir_use_expand, fhir_use_set_validate_code, fhir_use_system_validate_code,
    fhir_use_lookup;

#endif
