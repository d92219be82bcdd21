/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place where references to patients and patients' identifiers are rewritten (design
 * invariant 5). Inside, a resource names its own patient as "Patient/@" and another one as
 * "Patient/@<chart>"; outside, every reader sees the ids that only he knows, and only the
 * identifiers he is entitled to.
 */
#ifndef EXCHANGE_GATE_REFS_H
#define EXCHANGE_GATE_REFS_H

#include "exchange/request.h"
#include "storage/record.h"

/* ── inward ──────────────────────────────────────────────────────────────────────────────────── */

/* A reference to a patient, found in a resource on its way in. */
struct refs_patient {
    struct json *reference;
    const char *place;
    int64_t person;       /* 0: not known yet */
    struct slice alias;   /* an id the caller has given nobody yet; empty: none */
    struct slice version; /* "/_history/2", or empty */
    int entry;            /* entry of the same transaction that says who he is; -1: none */
};

struct refs_list {
    struct refs_patient *items;
    size_t count, room;
};

/* What refs_collect may take for a patient besides those it knows. */
struct refs_scope {
    bool aliases;   /* ids of the caller's own that nobody has yet (PUT: the client gives ids) */
    size_t entries; /* "Patient/@entry:N" with N below this (a transaction put it there) */
};

/* Every reference to a patient in RESOURCE: by id, by full URL of this server, or by card, local or
 * insurer identifier. References inside a Bundle to what the Bundle itself holds are left alone.
 * ERR_PATIENT_UNKNOWN with the place; to a resident everybody but himself is ERR_FORBIDDEN. */
enum err refs_collect(struct session *s, struct request *r, struct json *resource,
                      const struct refs_scope *scope, struct refs_list *ret_list) ERR_CHECKED;

/* The person a resource is about: whom SUBJECT (one of the list's references, or NULL) names, else
 * whom all agree on. 0: nobody, or several as equals (*ret_several). Persons of the list must be
 * known. */
int64_t refs_subject(const struct refs_list *list, const struct json *subject, bool *ret_several);

/* Writes the internal form into every reference of LIST: OWN as "Patient/@", others by a chart. On
 * a reader's session only if all are OWN; for others a chart of the caller's may have to be opened.
 */
enum err refs_settle(struct session *s, struct request *r, const struct refs_list *list,
                     int64_t own) ERR_CHECKED;

/* A resource's body as kept: {"resourceType":T,"meta":{...},...} without id, versionId and
 * lastUpdated, so that refs_outward can put those in by splicing text. In r's arena. */
enum err refs_body(struct arena *arena, struct json *resource, struct slice *ret_body) ERR_CHECKED;

/* ── outward ─────────────────────────────────────────────────────────────────────────────────── */

/* Appends RECORD as this reader may see it. Without a session (NULL) only what refs_simple allows.
 */
enum err refs_outward(struct session *s, struct request *r, const struct record *record,
                      struct buf *out) ERR_CHECKED;
/* Can RECORD be printed without a session? Not a Patient, whose identifiers are looked up, and not
 * what names another patient than its own. */
bool refs_simple(const struct record *record);
/* The logical id of RECORD for this reader ("Patient" -> wire id). In r's arena. */
struct slice refs_id(struct request *r, const struct record *record);

/* Logical id of the Patient record of a chart: of its own, never shown. In r's arena. */
struct slice refs_patient_record(struct request *r, int64_t chart);

/* ── looking up ──────────────────────────────────────────────────────────────────────────────── */

/* The person a Patient id, "Patient/id" or URL of this server names; ERR_NOT_FOUND. */
enum err refs_person(struct session *s, const struct request *r, struct slice reference,
                     int64_t *ret_person) ERR_CHECKED;
/* The person an identifier means to this caller: the common clinic card, his own local number, an
 * insurer identity he is entitled to. ERR_NOT_FOUND (also for systems that are none of these). */
enum err refs_identifier(struct session *s, struct request *r, struct slice system,
                         struct slice value, int64_t *ret_person) ERR_CHECKED;
/* Is SYSTEM one of cards, local or insurer numbers: looked up in the relay index and nowhere else?
 */
bool refs_is_person_system(struct slice system);
/* REFERENCE without the base URL of one of this server's listeners; anything else as it is. */
struct slice refs_local(const struct request *r, struct slice reference);

/* Drops the facets of identifiers that belong to the relay index (cards, local and insurer
 * numbers): they are looked up there, and in a search index they would answer callers who are not
 * entitled to them. */
void refs_filter_facets(struct facet_list *facets);

#define REFS_OWN "Patient/@"
#define REFS_ENTRY "Patient/@entry:"
#define REFS_SYSTEM_CARD "urn:tasuki:clinic-card"
#define REFS_SYSTEM_LOCAL "urn:oid:1.2.392.100495.20.3.51.1" /* + 10-digit facility code */
#define REFS_SYSTEM_INSURED "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"

#endif
