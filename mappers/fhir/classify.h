/* SPDX-License-Identifier: Apache-2.0
 *
 * What decisions need to know of a resource: its data category, confidentiality label, clinical time, whether its type
 * belongs to a patient, and which element names that patient. One table by type, refined by category and code elements
 * (Observation: laboratory, vital-signs, imaging ...).
 */
#ifndef MAPPERS_FHIR_CLASSIFY_H
#define MAPPERS_FHIR_CLASSIFY_H

#include "base/category.h"
#include "base/json.h"
#include "base/when.h"

struct classify {
    enum category category;
    unsigned label;          /* enum record_label values: 0 normal, 1 restricted, 2 withheld */
    struct when when;        /* {WHEN_MIN, WHEN_MAX} when unknown */
    struct json *subject;    /* the Reference that names the patient (subject, patient, beneficiary ...), or NULL */
    bool patient_type;       /* the type is in R4's patient compartment: it must name one */
};

/* What the gate and the store must know of RESOURCE; points into it. */
void classify_resource(const struct json *resource, struct classify *ret_class);

/* Calls FN for every Reference object in RESOURCE (contained too), with its FHIRPath place, until FN fails. */
enum err classify_references(struct json *resource, struct arena *arena,
                             enum err (*fn)(void *context, struct json *reference, const char *place),
                             void *context) ERR_CHECKED;

#endif
