/* SPDX-License-Identifier: Apache-2.0
 *
 * Results as the message that tells a facility's system of them: ORU^R01 of HL7 v2.5
 * (section 7.3.1; Japanese conventions of SS-MIX2 1.2g section 1.5, OML-11 and OMG-13, and of
 * JAHIS' laboratory data exchange: times in Japanese time, ISO-2022-JP, the order number in OBR-2,
 * JLAC10 in OBX-3). A message says what stands now of each report, all its results, so that a
 * receiver may replace what it had. Pure; whom it may tell is decided before.
 */
#ifndef MAPPERS_FEED_REPORT_H
#define MAPPERS_FEED_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

#define REPORT_CONTROL_ID 20 /* characters of MSH-10 */

struct report_result {
    const struct json *observation;
    const struct json *specimen; /* NULL: not known */
    bool removed;                /* withdrawn: told by its code only */
};

/* One OBR and what belongs to it. */
struct report {
    const struct json
        *resource;   /* DiagnosticReport; NULL: a result on its own, then it has one result */
    struct slice id; /* of the resource, or of the result */
    bool removed;    /* the whole report is withdrawn */
    struct report_result *results;
    size_t count;
};

struct report_env {
    struct slice source_code, source_name; /* who made the results */
    struct slice receiver_code;            /* whose patient number it is: 10 digits */
    struct slice local_no;
    struct slice application, place; /* MSH-5, MSH-6 */
    struct slice salt; /* what makes two messages of the same words two: goes into MSH-10 only */
    bool utf8;         /* else ISO-2022-JP */
    int64_t sent_ms;   /* MSH-7: of the newest change told */
    const struct json *patient; /* NULL: not known */
};

/* Appends the message to OUT, without framing. MSH-10 is a function of SALT and of every other
 * byte: the same message has the same control id, another one never (decision 0019). ret_replaced:
 * characters that ISO-2022-JP lacks. ERR_LIMIT, ERR_TOO_LARGE. */
enum err report_write(struct arena *arena, const struct report_env *env,
                      const struct report *reports, size_t count, struct buf *out,
                      char ret_control_id[REPORT_CONTROL_ID + 1], size_t *ret_replaced) ERR_CHECKED;

#endif
