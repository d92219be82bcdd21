/* SPDX-License-Identifier: Apache-2.0
 *
 * A message of the standard storage being written: what the files of the families share
 * (write_message.c), and the functions that write one kind each. Internal to this folder, but for
 * what a feed's message says in the same segments (mappers/feed/report.c).
 */
#ifndef MAPPERS_SSMIX2_WRITER_H
#define MAPPERS_SSMIX2_WRITER_H

#include "mappers/ssmix2/field.h"
#include "mappers/ssmix2/write.h"

#define WRITER_DEPARTMENT                                                                          \
    "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_Department"
#define WRITER_JP "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/"
#define WRITER_MHLW "http://jpfhir.jp/fhir/core/mhlw/IdSystem/"
#define WRITER_OWN "urn:tasuki:extension:"

struct writer {
    struct segment s;
    struct write_plan *plan;
    const struct write_env *env;
    struct write_group *group;
    struct slice sent;          /* 17 digits */
    unsigned n;                 /* set id within the message */
    struct slice sub, producer; /* of a result that does not say so itself: OBX-4, OBX-15 */
};

/* The next member of a type from *AT on, or NULL; it is then done, its item written, and *AT behind
 * it. */
struct write_member *writer_next(struct write_member **at, const char *type);
/* The next one of a type from *AT on that is not done, left as it is; *AT stays where it is. */
struct write_member *writer_peek(struct write_member **at, const char *type);
/* The first member of that type, which stays as it is. */
const struct json *writer_first(const struct writer *w, const char *type);
/* The record that REFERENCE ("Specimen/x") names; it is then written along. */
const struct json *writer_follow(struct writer *w, const struct json *reference);
/* A number as HL7 has it. */
struct slice writer_set_id(struct writer *w, unsigned n);
/* The number of the order that the file is of. */
struct slice writer_number(const struct writer *w);

/* The segments that all begin with; PID WHOLE is that of the basic data. */
void writer_msh(struct writer *w, const char *type);
void writer_evn(struct writer *w, struct slice occurred);
void writer_pid(struct writer *w, bool whole);
/* PV1 (and PV2 where it says something) of the visit that RESOURCE was made in, when it is known.
 */
void writer_visit(struct writer *w, const struct json *resource);
/* NTE behind a segment, from Annotations. */
void writer_notes(struct writer *w, const struct json *resource);
/* One result; OBX-1 counts in w->n. */
void writer_result(struct writer *w, const struct json *observation);
/* Is COMPONENT a further answer to OBSERVATION's own item? Then it is a repetition of OBX-5. */
bool writer_is_answer(const struct json *observation, const struct json *component);
/* SPM; TAKEN: when, where the specimen itself does not say so (write_exam.c). */
void writer_specimen(struct writer *w, const struct json *specimen, unsigned n, struct slice taken);

/* The order of RESOURCE, a ServiceRequest: ORC, TQ1 and OBR as it is said in orders
 * (write_order.c). NUMBER: its own; EXTRA: more of OBR, or NULL. */
void writer_orc(struct writer *w, const struct json *request, struct slice number);
void writer_timing(struct writer *w, const struct json *request);
void writer_obr(struct writer *w, const struct json *request, struct slice number);
/* OBR-2, which some number apart from ORC-2; NUMBER itself else. */
struct slice writer_other_number(struct arena *a, const struct json *request, struct slice number);

/* PV1 and PV2 of an Encounter as such (write_visit.c). EVENT: one in its course, or NULL. */
struct writer_stay {
    const struct json *encounter;
    const struct json *here;  /* the location it tells of; NULL: the first */
    bool planned;             /* times are those of a plan: PV2-8, -9 */
    struct slice from, until; /* PV2-8, PV2-9 (or -47 of a leave) where the event sets them */
    struct slice back;        /* PV2-47 */
};
void writer_stay(struct writer *w, const struct writer_stay *stay);

/* One kind of data each. */
void write_visit_event(struct writer *w);    /* ADT-01, -12 .. -52 (write_visit.c) */
void write_diet(struct writer *w);           /* OMD (write_drug.c) */
void write_prescription(struct writer *w);   /* OMP-01, -02 */
void write_administration(struct writer *w); /* OMP-11, -12 */
void write_lab_order(struct writer *w);      /* OML-01 (write_exam.c) */
void write_lab_results(struct writer *w);    /* OML-11 */
void write_exam_order(struct writer *w);     /* OMG-01, -02, -03 */
void write_exam_done(struct writer *w);      /* OMG-11, -12 */
void write_exam_results(struct writer *w);   /* OMG-13 */

#endif
