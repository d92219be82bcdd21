/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts that check.c goes by: which fields Japanese messages must fill, which segment names HL7
 * knows, and which message families are about one patient. Data only.
 */
#ifndef MAPPERS_HL7V2_CHECK_TABLE_H
#define MAPPERS_HL7V2_CHECK_TABLE_H

struct check_field {
    const char *segment;
    unsigned field;
    const char *message; /* MSH-9 as code^trigger; NULL: in every message */
    const char *en;
    const char *ja;
};

/* Ends with a NULL segment. */
extern const struct check_field check_fields[];
/* Sorted, ends with NULL: segments of the standard and those that SS-MIX2 adds. */
extern const char *const check_segments[];
/* MSH-9.1 of messages that must say whose they are; ends with NULL. */
extern const char *const check_patient_messages[];

#endif
