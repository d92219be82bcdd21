/* SPDX-License-Identifier: Apache-2.0
 *
 * PDQ and PIX over HL7 v2 (IHE ITI-21, ITI-9): the same answers as FHIR's Patient search and $ihe-pix, through the
 * same gate: whom the asking facility may see by its own records or by consent, and the numbers it is entitled to.
 */
#ifndef EXCHANGE_DOOR_V2_QUERY_H
#define EXCHANGE_DOOR_V2_QUERY_H

#include "exchange/request.h"
#include "mappers/hl7v2/query.h"

/* r->input, in the arena; r->body the message. */
struct v2_query {
    struct hl7_header header; /* filled by the door */
    struct hl7_query query;
    struct slice answer; /* RSP^K22 or RSP^K23, in the sender's character set; also of a query refused for what it asks */
};

extern const struct use v2_query_pdq;
extern const struct use v2_query_pix;

#endif
