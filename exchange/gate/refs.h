/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place where references to patients and patients' identifiers are rewritten (design
 * invariant 5). Inside, a resource names its own patient as "Patient/@"; outside, every reader sees
 * the id that only he knows, and only the identifiers he is entitled to.
 */
#ifndef EXCHANGE_GATE_REFS_H
#define EXCHANGE_GATE_REFS_H

#include "exchange/request.h"
#include "storage/record.h"

/* Rewrites every reference to a patient in RESOURCE (by id, by full URL of this server, or by card,
 * local or insurer identifier) to "Patient/@". All must mean one person, returned (0: none is
 * named). ERR_PATIENT_UNKNOWN, ERR_PATIENT_MISMATCH with the place. */
enum err refs_inward(struct session *s, struct request *r, struct json *resource,
                     int64_t *ret_person) ERR_CHECKED;

/* A resource's body as kept: {"resourceType":T,"meta":{...},...} without id, versionId and
 * lastUpdated, so that refs_outward can put those in by splicing text. In r's arena. */
enum err refs_body(struct request *r, struct json *resource, struct slice *ret_body) ERR_CHECKED;

/* Appends RECORD as this reader may see it. The session is needed for Patients; else it may be
 * NULL. */
enum err refs_outward(struct session *s, struct request *r, const struct record *record,
                      struct buf *out) ERR_CHECKED;
/* The logical id of RECORD for this reader ("Patient" -> wire id). In r's arena. */
struct slice refs_id(struct request *r, const struct record *record);

/* The person a Patient id, "Patient/id" or URL of this server names; ERR_NOT_FOUND. */
enum err refs_person(struct session *s, const struct request *r, struct slice reference,
                     int64_t *ret_person) ERR_CHECKED;
/* The person an identifier means to this caller: the common clinic card, his own local number, an
 * insurer identity he is entitled to. ERR_NOT_FOUND (also for systems that are none of these). */
enum err refs_identifier(struct session *s, struct request *r, struct slice system,
                         struct slice value, int64_t *ret_person) ERR_CHECKED;

/* Drops the facets of identifiers that belong to the relay index (cards, local and insurer
 * numbers): they are looked up there, and in a search index they would answer callers who are not
 * entitled to them. */
void refs_filter_facets(struct facet_list *facets);

#define REFS_SYSTEM_CARD "urn:tasuki:clinic-card"
#define REFS_SYSTEM_LOCAL "urn:oid:1.2.392.100495.20.3.51.1" /* + 10-digit facility code */
#define REFS_SYSTEM_INSURED "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"

#endif
