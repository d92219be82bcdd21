/* SPDX-License-Identifier: Apache-2.0
 *
 * One unit of work from any door. A door fills the upper half, calls pipeline_start and gets
 * `answer` back exactly once, on the loop thread, after everything the request did (or was refused)
 * is durable and audited. Nothing of it is shared with another request; at any moment exactly one
 * thread holds it (store_job's rule).
 */
#ifndef EXCHANGE_REQUEST_H
#define EXCHANGE_REQUEST_H

#include "base/ids.h"
#include "base/json.h"
#include "exchange/exchange.h"
#include "storage/audit.h"
#include "storage/glass.h"
#include "storage/registry.h"
#include "storage/store.h"

struct request;
struct fhir_definition;

enum request_door {
    REQUEST_FHIR,
    REQUEST_PORTAL,
    REQUEST_MLLP,
    REQUEST_SSMIX2,
    REQUEST_COMMAND,
    REQUEST_PUSH /* the server itself, on behalf of a subscriber or of who asked for an export */
};

/* A use case: what the pipeline runs between deciding and auditing. */
struct use {
    const char *event; /* audit event: read, search, create, intake ... */
    unsigned actors;   /* mask of 1 << enum grant_actor that may use it at all */
    bool writes;       /* needs apply; refused under an emergency session */
    bool quick;        /* look is a few point reads (store_job.quick) */
    bool opens_glass;  /* $break-glass itself: purpose BTG needs no session yet */
    bool anyone;       /* needs no known caller (metadata) and leaves no audit row */
    enum err (*look)(struct session *s, struct request *r);  /* reader thread; may be NULL */
    enum err (*apply)(struct session *s, struct request *r); /* writer thread; may be NULL */
    /* Writer thread, in the audit's transaction, when look or apply refused: to keep what was
     * refused. May be NULL. */
    enum err (*refused)(struct session *s, struct request *r);
};

/* One audit row to write besides or instead of the default one; texts in the request's arena. */
struct request_audit {
    struct audit_row row;
    struct request_audit *next;
};

struct request {
    struct store_job job; /* first: the pipeline casts back */
    struct exchange *exchange;
    struct arena *arena;
    const struct use *use;

    /* ── filled by the door
     * ──────────────────────────────────────────────────────────────────────── */
    enum request_door door;
    bool has_cert;
    unsigned char fingerprint[DIGEST_LEN];
    struct slice facility_key; /* doors that know the facility by configuration (plain MLLP, watched
                                  folder) */
    struct slice peer;         /* address or folder */
    const char *lang;          /* of pages: "ja" or "en"; never NULL */
    const char *base_url;      /* FHIR base of the listener asked; never NULL */
    struct slice purpose, user, role, glass_token; /* headers as sent; empty = not sent */
    struct slice method, target;                   /* for the audit row */
    struct slice body;                             /* bytes to work on; must outlive the request */
    void *input; /* the use case's own parsed input (struct fhir_input, struct intake ...) */
    void (*answer)(struct request *r);
    void *door_data;

    /* ── filled by the pipeline
     * ──────────────────────────────────────────────────────────────────── */
    const char *query; /* request line for the audit row */
    char id[37];       /* correlation id: X-Request-Id, log, audit */
    struct err_list errors;
    struct registry_caller caller;
    enum staff_role staff_role;
    bool staff_role_known;
    struct glass glass; /* session in force when grant.emergency */
    struct grant grant;
    bool granted;
    unsigned char wire_key[32]; /* of the audience, for Patient ids (gate/wire.h) */
    int64_t wire_person;        /* whose wire_text is; 0: nobody's yet */
    char wire_text[IDS_WIRE_LEN + 1];

    /* ── filled by the use case
     * ──────────────────────────────────────────────────────────────────── */
    int64_t person;               /* about whom; goes into the audit row also when refused */
    const char *entity;           /* Type/id of what was touched */
    int64_t count;                /* resources released */
    const char *reason;           /* deciding rule, break-glass reason */
    struct request_audit *audits; /* more rows: one per further person */
    bool audit_default_off;       /* the rows in `audits` say it all */
    struct fhir_definition *definitions; /* stored definitions met so far (door/fhir_canonical.h) */
    bool applied;                 /* apply began once: a second attempt starts from errors_before */
    struct err_list errors_before;
    struct request *next;     /* the pipeline's, while an answer is due that the store never took */
    int status;               /* HTTP status of a success; 0 = 200 */
    struct slice answer_body; /* in arena or answer_buf */
    const char *answer_type;
    const char *location;
    int64_t answer_version;    /* ETag; 0 = none */
    int64_t answer_updated_ms; /* Last-Modified; 0 = none */
    struct buf answer_buf;
};

/* A request with its arena; NULL when memory is out. */
struct request *request_new(struct exchange *x, enum request_door door);
void request_free(struct request *r);
/* A row for somebody whom a request named beside others and was not shown. He reads it; who asked does not, or he
 * would learn that there is somebody. */
enum err request_audit_vain(struct request *r, int64_t person) ERR_CHECKED;
#define REQUEST_VAIN "not shown" /* reason of such a row */
/* Adds one more audit row about PERSON with the defaults of the request. */
enum err request_audit(struct request *r, int64_t person, const char *entity,
                       int64_t count) ERR_CHECKED;

#endif
