/* SPDX-License-Identifier: Apache-2.0
 *
 * The lexer's other direction (HL7 v2.5 chapter 2): a message from its segments and fields back to
 * bytes. What was not changed comes out as it came in, byte for byte; a changed or added segment is
 * written in the message's delimiters and character set.
 */
#ifndef MAPPERS_HL7V2_PRINT_H
#define MAPPERS_HL7V2_PRINT_H

#include "mappers/hl7v2/lex.h"

/* Appends M to OUT, without framing but with what stood before and after it when it was lexed. The
 * caller may have replaced fields and segments (m->segments, m->segment_count) before; their texts
 * are UTF-8 and escaped (hl7_escape). ret_replaced counts characters of changed segments that the
 * set lacks, written as charset_encode says. On failure OUT is as before. */
enum err hl7_print(const struct hl7_message *m, struct buf *out, size_t *ret_replaced) ERR_CHECKED;

/* Appends TEXT as it may stand in a field: the message's delimiters as \F\ \S\ \R\ \E\ \T\, a line
 * end as \.br\ (v2.5 section 2.7); other control characters are dropped. */
void hl7_escape(const struct hl7_delimiters *delimiters, struct slice text, struct buf *out);

#endif
