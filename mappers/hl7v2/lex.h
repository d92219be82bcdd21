/* SPDX-License-Identifier: Apache-2.0
 *
 * HL7 v2 lexer (v2.5 chapter 2): delimiters from MSH-1/MSH-2, segments at CR (LF and CRLF
 * tolerated), fields, repetitions, components, sub-components, escapes. The charset named by MSH-18
 * is decoded to UTF-8 before anything is split. Slices point into the arena; nothing is unescaped
 * until asked for.
 */
#ifndef MAPPERS_HL7V2_LEX_H
#define MAPPERS_HL7V2_LEX_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "mappers/charset.h"

struct hl7_delimiters {
    char field, component, repeat, escape, sub; /* usually | ^ ~ \ & */
};

struct hl7_segment {
    struct slice name;    /* three characters */
    struct slice text;    /* whole segment, decoded, without CR */
    struct slice *fields; /* fields[n] is field n; MSH's fields[1] is the field delimiter itself */
    size_t field_count;   /* highest n + 1 */
    unsigned ordinal;     /* which one of its name, from 1: place "OBX[3]-5" */
};

struct hl7_message {
    struct arena *arena;
    struct hl7_delimiters delimiters;
    enum charset charset;
    struct slice raw;      /* as received, framing removed */
    struct slice before;   /* of raw: a byte order mark, or empty */
    struct slice after;    /* of raw: the CR, LF and FS that ended it, or empty */
    struct slice text;     /* decoded */
    struct hl7_segment *segments;
    size_t segment_count;
    bool shift_left_open;  /* an ISO-2022-JP shift ran into the end of a segment */
};

/* Lexes RAW (without MLLP framing; a trailing FS, CR, LF is dropped). On failure ERRORS names the
 * place and ret_message is untouched, except that a readable MSH is still returned through
 * hl7_peek. */
enum err hl7_lex(struct arena *arena, struct slice raw, struct err_list *errors,
                 struct hl7_message **ret_message) ERR_CHECKED;

/* What an answer needs even when the message is not processable; fields empty where unreadable. As
 * the sender wrote them, still escaped; charset is MSH-18, or where that is empty the
 * name of what was found. */
struct hl7_header {
    struct hl7_delimiters delimiters;
    struct slice sending_application, sending_facility, receiving_application, receiving_facility;
    struct slice type, trigger, structure; /* MSH-9 */
    struct slice control_id, processing_id, version, charset;
    struct slice accept_ack, application_ack; /* MSH-15, MSH-16 */
};
void hl7_peek(struct arena *arena, struct slice raw, struct hl7_header *ret_header);
void hl7_header_of(const struct hl7_message *m, struct hl7_header *ret_header);

/* The N-th (from 1) segment called NAME, or NULL. */
const struct hl7_segment *hl7_find(const struct hl7_message *m, const char *name, unsigned n);
/* Field N, empty when absent. Still escaped. */
struct slice hl7_field(const struct hl7_segment *s, unsigned n);
/* Number of repetitions of a field (0 when empty) and the R-th (from 0). */
unsigned hl7_repeats(const struct hl7_message *m, struct slice field);
struct slice hl7_repeat(const struct hl7_message *m, struct slice field, unsigned r);
/* Component C / sub-component S (from 1) of a repetition; still escaped. */
struct slice hl7_component(const struct hl7_message *m, struct slice repeat, unsigned c);
struct slice hl7_sub(const struct hl7_message *m, struct slice component, unsigned s);
/* With escapes resolved, in the arena: \F\ \S\ \T\ \R\ \E\, \X..\ in the message's charset, \.br\
 * as newline; after \C..\ and \M..\ the text is in the set they designate (ISO 2022: \M2442\ is
 * JIS X 0208, \C2842\ ASCII again); unknown ones are dropped, and control characters. What cannot be an escape, such as
 * the backslashes of C:\temp\x, stays. */
struct slice hl7_unescape(const struct hl7_message *m, struct slice text);
/* Shorthand: unescaped component C of the first repetition of field N ("" is no content; the HL7
 * null "" in quotes is returned as it is, test with hl7_is_null). */
struct slice hl7_value(const struct hl7_message *m, const struct hl7_segment *s, unsigned n,
                       unsigned c);
bool hl7_is_null(struct slice value);

#endif
