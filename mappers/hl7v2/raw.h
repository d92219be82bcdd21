/* SPDX-License-Identifier: Apache-2.0
 *
 * What can and must be known of an HL7 v2 message before its bytes are decoded: framing,
 * delimiters, MSH-18, and in which field a byte lies. Delimiters are only looked for where
 * single-byte characters stand, because JIS and Shift_JIS characters contain the delimiters' bytes.
 * Used by the lexer only.
 */
#ifndef MAPPERS_HL7V2_RAW_H
#define MAPPERS_HL7V2_RAW_H

#include "mappers/hl7v2/lex.h"

/* RAW without a byte order mark in front and FS, CR, LF behind. */
struct slice raw_trim(struct slice raw);
/* The bytes up to the first CR or LF. */
struct slice raw_line(struct slice raw);
/* Printable, neither letter nor digit? */
bool raw_may_delimit(char c);
/* MSH-1 and MSH-2 of LINE. On ERR_MALFORMED errors (may be NULL) say why. */
enum err raw_delimiters(struct slice line, struct err_list *errors,
                        struct hl7_delimiters *ret_delimiters) ERR_CHECKED;
/* The set RAW is written in, by MSH-18 and, where that is empty, by its bytes (warned about in
 * errors, which may be NULL). ERR_CHARSET when unknown. */
enum err raw_charset(struct slice raw, const struct hl7_delimiters *delimiters,
                     struct err_list *errors, enum charset *ret_charset) ERR_CHECKED;
/* "OBX[3]-5" for the byte at OFFSET, "line 7" when that line is no segment. In ARENA, never NULL.
 */
const char *raw_place(struct arena *arena, struct slice raw, char field_delimiter, size_t offset);
/* [A-Z][A-Z0-9]{2} at the beginning of LINE, followed by its end or the field delimiter? */
bool raw_is_segment(struct slice line, char field_delimiter);

#endif
