/* SPDX-License-Identifier: Apache-2.0
 *
 * What happened to an invented resident, as the documents that facilities and he himself would
 * send: HL7 v2 messages in ISO-2022-JP and FHIR resources in JSON. A pure function of the person
 * (with his seed) and the day: no store, no clock. Times lie before the given moment.
 */
#ifndef EXCHANGE_DEMO_CLINICAL_H
#define EXCHANGE_DEMO_CLINICAL_H

#include "exchange/demo/people.h"

enum demo_kind { DEMO_HL7, DEMO_FHIR };

struct demo_document {
    enum demo_kind kind;
    enum demo_facility facility; /* the sender; DEMO_HOME: the resident himself */
    struct slice bytes;          /* valid during the call */
};

typedef enum err (*clinical_cb)(void *context, const struct demo_person *person,
                                const struct demo_document *document);

/* Calls FN for every document of PERSON, consents first, then in the order a region would have met
 * them. Stops at FN's first error and returns it. Tables of mappers/charset must be filled
 * (charset_init). */
enum err clinical_emit(const struct demo_person *person, int64_t now_ms, clinical_cb fn,
                       void *context) ERR_CHECKED;

#endif
