/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that say that two patient numbers of a facility are one person, or two after all (HL7 v2.5
 * section 3.3: A18, A30, A34, A36, A39, A40 merge by MRG; A24 links, A37 unlinks two PIDs). Here
 * only what is said; nothing is merged: see storage/person.h.
 */
#ifndef MAPPERS_HL7V2_MERGE_H
#define MAPPERS_HL7V2_MERGE_H

#include "mappers/hl7v2/lex.h"

enum merge_kind { MERGE_NONE, MERGE_LINK, MERGE_UNLINK };

struct hl7_merge {
    enum merge_kind kind;
    struct slice other_no;  /* the institution's number in MRG-1 or the second PID; the first is PID's own */
    const char *place;      /* where it stands */
};

/* What M says. MERGE_NONE for every other message. ERR_REQUIRED without a second number, ERR_INVALID with a third. */
enum err hl7_merge_parse(const struct hl7_message *m, struct err_list *errors,
                         struct hl7_merge *ret_merge) ERR_CHECKED;

#endif
