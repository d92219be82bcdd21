/* SPDX-License-Identifier: Apache-2.0
 *
 * A facility says that two of its numbers are one person, or two: its charts are linked or separated, in the transaction
 * of the message that says so.
 */
#ifndef EXCHANGE_USE_MERGE_H
#define EXCHANGE_USE_MERGE_H

#include "exchange/request.h"
#include "mappers/hl7v2/merge.h"

/* Does what MERGE says; CHART is that of the message's own patient, the first. In doubt ERR_PATIENT_MISMATCH: a human decides, of all
 * pairs. Adds the audit rows of the further persons. Writer session. */
enum err merge_apply(struct session *s, struct request *r, const struct hl7_merge *merge,
                     int64_t chart) ERR_CHECKED;

#endif
