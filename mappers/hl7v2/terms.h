/* SPDX-License-Identifier: Apache-2.0
 *
 * Translations of codes and names of code systems, as tables only (terms_table.c): HL7 v2 and
 * SS-MIX2 tables to the value sets R4 requires, coding system names of CWE-3 to URLs, unit
 * spellings to UCUM. What is not in a table is kept as written under a local system; no code is
 * ever guessed.
 */
#ifndef MAPPERS_HL7V2_TERMS_H
#define MAPPERS_HL7V2_TERMS_H

#include "base/slice.h"

struct term {
    const char *from;
    const char *to;
    const char *display; /* may be NULL */
};

/* Tables end with a NULL `from`. */
extern const struct term terms_system[];             /* CWE-3 name -> URL */
extern const struct term terms_ucum[];               /* unit as written, lower case -> UCUM code */
extern const struct term terms_gender[];             /* 0001 */
extern const struct term terms_encounter_class[];    /* 0004 */
extern const struct term terms_allergy_category[];   /* 0127 */
extern const struct term terms_allergy_severity[];   /* 0128 */
extern const struct term terms_allergy_type[];       /* 0436 */
extern const struct term terms_allergy_confirmed[];  /* 0438 */
extern const struct term terms_obx_status[];         /* 0085 -> observation-status */
extern const struct term terms_report_status[];      /* 0123, 0085 -> diagnostic-report-status */
extern const struct term terms_interpretation[];     /* 0078 */
extern const struct term terms_order_control[];      /* 0119 -> request-status */
extern const struct term terms_order_status[];       /* 0038 -> request-status */
extern const struct term terms_medication_control[]; /* 0119 -> medicationrequest-status */
extern const struct term terms_administration[];     /* 0322 -> medication-admin-status */
extern const struct term terms_priority[];           /* 0485 */
extern const struct term terms_condition_outcome[];  /* 0241 -> clinical status */
extern const struct term terms_security[];           /* 0177 -> v3-Confidentiality */
extern const struct term terms_telecom_system[];     /* 0202 */
extern const struct term terms_telecom_use[];        /* 0201 */
extern const struct term terms_address_use[];        /* 0190 */
extern const struct term terms_name_use[];           /* 0200 */
extern const struct term terms_name_script[];        /* 0465 -> iso21090 */
extern const struct term
    terms_patient_category[];                 /* service sections of 0074 -> observation category */
extern const struct term terms_vital[];       /* JLAC10 analyte -> JP category */
extern const struct term terms_vital_loinc[]; /* JLAC10 analyte or MDC code -> LOINC */
extern const struct term terms_mdc_unit[];    /* MDC unit code -> UCUM */
extern const struct term terms_department[];  /* 0069 as SS-MIX2 fills it: names in display */
extern const struct term terms_public_payer[]; /* JHSD0001 codes that are no health insurance */

extern const struct term terms_appointment_status[];    /* 0278 -> appointmentstatus */
extern const struct term terms_document_completion[];   /* 0271 -> composition-status */
extern const struct term terms_document_availability[]; /* 0273 -> document-reference-status */
extern const struct term terms_vaccination_status[];    /* 0322 -> event-status */

/* The row of CODE in TABLE, or NULL. */
const struct term *terms_find(const struct term *table, struct slice code);
/* The row whose `from` is the longest prefix of CODE, or NULL. */
const struct term *terms_find_prefix(const struct term *table, struct slice code);
/* The row of terms_ucum for a unit however it is cased, or NULL. */
const struct term *terms_unit(struct slice unit);

#endif
