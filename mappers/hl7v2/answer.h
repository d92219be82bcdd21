/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to a message of ours (HL7 v2.5 sections 2.9.2, 2.15.8 MSA, 2.15.5 ERR): which message
 * it is of, and what became of it. Read by the lexer of all messages; what the other side wrote is
 * cut and cleaned, for it is shown to people.
 */
#ifndef MAPPERS_HL7V2_ANSWER_H
#define MAPPERS_HL7V2_ANSWER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum answer_verdict {
    ANSWER_ACCEPTED, /* AA, CA */
    ANSWER_REFUSED   /* AE, AR, CE, CR */
};

struct answer {
    enum answer_verdict verdict;
    struct slice code;       /* MSA-1 */
    struct slice control_id; /* MSA-2 */
    struct slice fault;      /* ERR-3 or ERR-1: a code of table 0357, or empty */
    struct slice text;       /* what it says: ERR-8, ERR-7, ERR-3.2, MSA-3; UTF-8 of one line */
};

/* ERR_MALFORMED: no HL7 v2 message, no MSA, or a code that is none. Texts in ARENA. */
enum err answer_read(struct arena *arena, struct slice bytes,
                     struct answer *ret_answer) ERR_CHECKED;

#endif
