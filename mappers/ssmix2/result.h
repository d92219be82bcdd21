/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments about a patient and his results that a standard storage (write_message.c) and a feed
 * (mappers/feed/report.c) write alike: PID, SPM, OBX and its NTE. The storage's guide has fewer
 * value types and fields; a feed says all that v2.5 has room for.
 */
#ifndef MAPPERS_SSMIX2_RESULT_H
#define MAPPERS_SSMIX2_RESULT_H

#include "mappers/ssmix2/segment.h"

/* Begins PID with fields 1 to 8; segment_end is the caller's. NUMBER is a CX. PATIENT may be NULL.
 * NULLS: what is not known is the HL7 null where the guide wants something. */
void result_pid(struct segment *s, struct slice number, const struct json *patient, bool nulls);

/* SPM number N; TAKEN is used where the specimen does not say when. SPECIMEN may be NULL. */
void result_spm(struct segment *s, unsigned n, const struct json *specimen, struct slice taken);

struct result_line {
    unsigned n;
    const struct json *observation;
    bool whole;            /* all of v2.5, not only what the storage's guide has */
    bool removed;          /* it is withdrawn: which one, no value (OBX-11 D) */
    struct slice sub;      /* OBX-4 */
    struct slice producer; /* OBX-15, text of the field */
};
/* OBX, and with `whole` NTE for its notes. */
void result_obx(struct segment *s, const struct result_line *line);
/* Is COMPONENT a further answer to OBSERVATION's own item? Then it is a repetition of OBX-5, with `whole`. */
bool result_is_answer(const struct json *observation, const struct json *component);
/* NTE of one comment each. */
void result_note(struct segment *s, unsigned n, struct slice text);

#endif
