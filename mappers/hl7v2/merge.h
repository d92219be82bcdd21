/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that say that two patient numbers of a facility are one person, or two after all (HL7 v2.5
 * section 3.3: A18, A30, A34, A36, A39, A40, A46, A47 merge by MRG, as many pairs as there are; A24
 * links, A37 unlinks two PIDs). Here only what is said; nothing is merged: see storage/person.h.
 */
#ifndef MAPPERS_HL7V2_MERGE_H
#define MAPPERS_HL7V2_MERGE_H

#include "mappers/hl7v2/lex.h"

enum merge_kind { MERGE_NONE, MERGE_LINK, MERGE_UNLINK };

/* Two numbers of the institution. */
struct hl7_merge_pair {
    struct slice number;   /* PID-3: the one that stays */
    struct slice other_no; /* in MRG-1 or the second PID */
    const char *place;     /* where the other stands */
};

struct hl7_merge {
    enum merge_kind kind;
    struct hl7_merge_pair *pairs;
    size_t count;
};

/* What M says. MERGE_NONE for every other message. ERR_REQUIRED where a number is missing, ERR_INVALID for a number joined to itself
 * or more PIDs than a link has, ERR_TOO_LARGE for more pairs than LIMIT_MERGE_PAIRS. */
enum err hl7_merge_parse(const struct hl7_message *m, struct err_list *errors,
                         struct hl7_merge *ret_merge) ERR_CHECKED;

#endif
