/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be said of bytes before they are lexed as a message: whether they are a batch (HL7 v2.5
 * section 2.10.3: [FHS] { [BHS] { MSH ... } [BTS] } [FTS]) and the messages in it, and whom a
 * message is about, for keeping one patient's messages in order. Nothing is decoded; lines end with
 * CR or LF in every character set in use.
 */
#ifndef MAPPERS_HL7V2_BATCH_H
#define MAPPERS_HL7V2_BATCH_H

#include "mappers/hl7v2/reply.h"

struct hl7_batch {
    struct slice *messages; /* of the raw bytes */
    size_t count;
    bool file;              /* with FHS */
    struct hl7_delimiters delimiters; /* of the first header */
    struct slice control_id; /* BHS-11, else FHS-11; as sent */
    struct slice application, facility; /* sender, as sent */
    int64_t announced;      /* BTS-1, summed; -1: not said */
};

/* Do the bytes begin with FHS or BHS? */
bool hl7_is_batch(struct slice raw);
/* Splits RAW. ERR_MALFORMED with the line for what stands outside a message; ERR_TOO_LARGE. */
enum err hl7_batch_split(struct arena *arena, struct slice raw, struct err_list *errors,
                         struct hl7_batch *ret_batch) ERR_CHECKED;
/* Head and tail of the answer to BATCH: between them one acknowledgement a message, each ended by CR.
 * COMMENT (ASCII) goes into BHS-10. */
void hl7_batch_head(const struct hl7_batch *batch, const char *comment, struct slice control_id,
                    int64_t now_ms, struct buf *out);
void hl7_batch_tail(const struct hl7_batch *batch, size_t answers, struct buf *out);

/* The numbers in PID-3 of RAW's only PID, as sent, at most MAX. 0: none, several patients, or not to be told
 * without decoding. */
unsigned hl7_patient_numbers(struct slice raw, struct slice *ret_numbers, unsigned max);

#endif
