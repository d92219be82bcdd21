/* SPDX-License-Identifier: Apache-2.0
 *
 * From what a document or a Patient resource says of a person to the folded claim that the relay
 * index compares.
 */
#ifndef EXCHANGE_USE_CLAIM_H
#define EXCHANGE_USE_CLAIM_H

#include "exchange/request.h"
#include "mappers/mapped.h"
#include "storage/person.h"

/* From a Patient resource of the calling facility: common clinic card, its own local number,
 * insurer identity, names, birth date, gender. Other identifiers say nothing here. */
enum err claim_from_patient(struct request *r, const struct json *patient,
                            struct person_claim *ret_claim) ERR_CHECKED;
/* From a mapped document's patient. */
enum err claim_from_mapped(struct arena *arena, const struct mapped_patient *patient,
                           struct person_claim *ret_claim) ERR_CHECKED;
/* A card number without the hyphens and spaces it is shown with. */
struct slice claim_card(struct arena *arena, struct slice text);

#endif
