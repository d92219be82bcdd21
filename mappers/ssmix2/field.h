/* SPDX-License-Identifier: Apache-2.0
 *
 * Outgoing segments by tables of fields: which element of a resource goes into which field, and how
 * it is printed. The tables mirror the rows of mappers/hl7v2, so that a reader who knows one side
 * finds the other. Prints what is there; never makes up what is not.
 */
#ifndef MAPPERS_SSMIX2_FIELD_H
#define MAPPERS_SSMIX2_FIELD_H

#include "mappers/ssmix2/segment.h"

/* One element as text of a field; empty: it is not what the row is about. */
typedef struct slice (*field_print)(struct arena *a, const struct json *value, const void *arg);

struct field {
    unsigned n;
    field_print print;
    /* "a.b", "a[1].b", "a[].b" (a repetition each); NULL: the resource itself. Of several rows for
     * one field the first that says something counts. */
    const char *path;
    const void *arg;
};
#define FIELD_END                                                                                  \
    {                                                                                              \
        0, NULL, NULL, NULL                                                                        \
    }

/* Fields that are not of the resource alone; they come before rows of the same number. */
struct field_given {
    unsigned n;
    struct slice value; /* text of a field; empty: the rows speak */
    bool must;          /* the standard wants something: the HL7 null when nobody says it */
};

/* Writes segment NAME. GIVEN ends with n 0, or is NULL. */
void field_segment(struct segment *s, const char *name, const struct field *rows,
                   const struct json *resource, const struct field_given *given);
/* Fields into a segment that is begun already, up to the highest of ROWS and GIVEN. */
void field_put(struct segment *s, const struct field *rows, const struct json *resource,
               const struct field_given *given);
/* Would any row say something of RESOURCE? */
bool field_any(struct arena *a, const struct field *rows, const struct json *resource);

/* Prints; the argument in parentheses. */
struct slice field_text(struct arena *a, const struct json *value, const void *arg);
struct slice field_time(struct arena *a, const struct json *value, const void *arg);
/* "09:30:00" as HHMMSS. */
struct slice field_clock(struct arena *a, const struct json *value, const void *arg);
/* A code (terms table) turned back. */
struct slice field_back(struct arena *a, const struct json *value, const void *arg);
/* A CodeableConcept as CWE (NULL); the same only when a coding of it has the system of the table
 * ("HL70482"), or, behind "!", none of those named ("!HL70482 99I02"). */
struct slice field_concept(struct arena *a, const struct json *value, const void *arg);
/* The same as sub-components of the first component. */
struct slice field_concept_sub(struct arena *a, const struct json *value, const void *arg);
struct slice field_coding(struct arena *a, const struct json *value, const void *arg);
/* Only its code, or its text where it has none. */
struct slice field_code(struct arena *a, const struct json *value, const void *arg);
/* The unit of a Quantity as CWE; Quantity or Duration as CQ. */
struct slice field_unit(struct arena *a, const struct json *value, const void *arg);
struct slice field_amount(struct arena *a, const struct json *value, const void *arg);
struct slice field_person(struct arena *a, const struct json *value, const void *arg);
/* A Reference that names a person by number, or one that only has a name ("name" in component arg,
 * "1" or "2"). */
struct slice field_numbered_person(struct arena *a, const struct json *value, const void *arg);
struct slice field_name_only(struct arena *a, const struct json *value, const void *arg);
/* Where a Reference says where: the free text of PL. */
struct slice field_place(struct arena *a, const struct json *value, const void *arg);
struct slice field_telecom(struct arena *a, const struct json *value, const void *arg);
struct slice field_address(struct arena *a, const struct json *value, const void *arg);
/* An Identifier by the name at the end of its system ("order"); by the code of its type ("FILL").
 */
struct slice field_identifier(struct arena *a, const struct json *value, const void *arg);
struct slice field_typed(struct arena *a, const struct json *value, const void *arg);
/* What an Extension (URL) holds, by its kind of value. */
struct slice field_extension(struct arena *a, const struct json *value, const void *arg);
/* A Coding of v3-Confidentiality as in table 0177. */
struct slice field_security(struct arena *a, const struct json *value, const void *arg);

#endif
