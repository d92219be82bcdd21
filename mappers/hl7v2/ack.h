/* SPDX-License-Identifier: Apache-2.0
 *
 * Acknowledgements (HL7 v2.5 section 2.9.2): MSH, MSA and one ERR per error (ERR-2 location, ERR-3
 * table 0357, ERR-4 severity, ERR-5 own code, ERR-8 text in both languages), in the sender's
 * delimiters and charset.
 */
#ifndef MAPPERS_HL7V2_ACK_H
#define MAPPERS_HL7V2_ACK_H

#include "mappers/hl7v2/reply.h"

/* Appends the ACK for a message with HEADER. CODE is "AA", "AE" or "AR", or in enhanced mode "CA", "CE"
 * or "CR"; ERRORS may be NULL.
 * CONTROL_ID is MSH-10 of the ACK itself. Text that the sender's charset lacks is replaced;
 * unknown charset: UTF-8. */
enum err hl7_ack(const struct hl7_header *header, const char *code, const struct err_list *errors,
                 struct slice control_id, int64_t now_ms, struct buf *out) ERR_CHECKED;

/* MSA and ERR* of an answer that goes on: CODE and ERRORS as above. */
void ack_status(struct reply *a, const char *code, const struct err_list *errors);

#endif
