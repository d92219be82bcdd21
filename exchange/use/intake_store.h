/* SPDX-License-Identifier: Apache-2.0
 *
 * Intake, second half (see intake.h): private to the two files.
 */
#ifndef EXCHANGE_USE_INTAKE_STORE_H
#define EXCHANGE_USE_INTAKE_STORE_H

#include "exchange/use/intake.h"

/* Identity of a message for repeats: sender, MSH-10, and what tells messages of one control id
 * apart. */
struct inbox_key intake_key(const struct request *r, const struct intake *in);
/* A file kept as history by the sender (flag 2): remembered, not filed. */
bool intake_is_history(const struct intake *in);

/* Makes index, body and packed of ITEM, unless they are. */
enum err intake_ready(struct session *s, struct request *r, struct intake_item *item) ERR_CHECKED;
/* Links, stores, prunes and remembers, in one transaction (writer thread). */
enum err intake_apply(struct session *s, struct request *r) ERR_CHECKED;
/* Keeps a refused message with its reason, in the transaction of the audit row. */
enum err intake_refused(struct session *s, struct request *r) ERR_CHECKED;

#endif
