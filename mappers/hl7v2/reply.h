/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that answer a message: written in UTF-8 with the sender's delimiters, encoded in his
 * character set as a whole at the end (HL7 v2.5 section 2.9). What the sender wrote is echoed as he
 * escaped it, our own texts are escaped here. Acknowledgements: ack.h, answers to queries: query.h.
 */
#ifndef MAPPERS_HL7V2_REPLY_H
#define MAPPERS_HL7V2_REPLY_H

#include "mappers/hl7v2/lex.h"

struct reply {
    const struct hl7_header *h; /* of the message answered */
    struct hl7_delimiters d;
    enum charset set;
    bool known_set;
    bool japanese; /* the set can say it */
    struct buf text;
};

/* A reply to HEADER (borrowed); its delimiters, or the usual ones where it has none. */
void reply_init(struct reply *a, const struct hl7_header *header);
void reply_fini(struct reply *a);
/* Appends what was written, encoded; unknown charset: UTF-8. */
enum err reply_finish(struct reply *a, struct buf *out) ERR_CHECKED;

/* A delimiter. */
void reply_field(struct reply *a);
void reply_component(struct reply *a);
/* N field delimiters: empty fields. */
void reply_skip(struct reply *a, unsigned n);
/* Text of our own, escaped; and what the sender wrote, with control characters left out. */
void reply_text(struct reply *a, struct slice text);
void reply_echo(struct reply *a, struct slice text);
/* The segment ends. */
void reply_end(struct reply *a);

/* MSH back to the sender. STRUCTURE empty: TYPE^TRIGGER only. */
void reply_msh(struct reply *a, const char *type, struct slice trigger, const char *structure,
               struct slice control_id, int64_t now_ms);

#endif
