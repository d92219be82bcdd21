/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries about patients over HL7 v2 (IHE ITI-21 PDQ: QBP^Q22/RSP^K22, ITI-9 PIX: QBP^Q23/RSP^K23;
 * HL7 v2.5 section 5): what is asked, and the answer's segments. Who may be found and what may be
 * said is not decided here.
 */
#ifndef MAPPERS_HL7V2_QUERY_H
#define MAPPERS_HL7V2_QUERY_H

#include "base/json.h"
#include "mappers/hl7v2/reply.h"

#define QUERY_TERMS_MAX 16u
#define QUERY_DOMAINS_MAX 16u

/* Who gave a number: CX.4 (namespace, universal id and its type) and CX.5. Unescaped. */
struct query_authority {
    struct slice name, universal, type;
    struct slice kind; /* CX.5: PI, JHC ... */
};

/* One condition of a PDQ query: "@PID.5.1^YAMADA". */
struct query_term {
    unsigned field, component; /* of PID */
    unsigned sub;
    struct slice value;
};

struct hl7_query {
    bool pix;              /* else PDQ */
    struct slice name, tag; /* QPD-1, QPD-2 as sent */
    struct slice whole;     /* QPD as sent, decoded */
    /* PIX */
    struct slice number;
    struct query_authority authority;
    /* PDQ; its identifier (PID.3.x) is in number and authority */
    struct query_term terms[QUERY_TERMS_MAX];
    unsigned term_count;
    unsigned limit;       /* RCP-2: at most so many; 0: not said */
    struct slice pointer; /* DSC-1: where the answer goes on; empty: from the beginning */
    /* Whose numbers are wanted; none: all. */
    struct query_authority domains[QUERY_DOMAINS_MAX];
    unsigned domain_count;
};

/* Is the message of HEADER such a query? */
bool hl7_is_query(const struct hl7_header *header);
/* Does it say that no more pages of one are wanted (QCN^J01)? Nothing is kept for one, so there is nothing to do. */
bool hl7_is_query_end(const struct hl7_header *header);
/* Reads it. ERR_REQUIRED, ERR_INVALID, ERR_NOT_SUPPORTED with the place (QPD[1]-3 ...). */
enum err hl7_query_parse(const struct hl7_message *m, struct err_list *errors,
                         struct hl7_query *ret_query) ERR_CHECKED;

enum query_outcome { QUERY_OK, QUERY_NONE, QUERY_ERROR };
/* Of a PDQ answer: how many match, how many PIDs follow, how many are still to come. */
struct query_hits {
    unsigned found, shown, left;
};
/* RSP^K22 / RSP^K23 up to and with QPD: MSH, MSA, ERR*, QAK, QPD. HITS: NULL where they mean nothing. */
void query_begin(struct reply *a, const struct hl7_query *query, enum query_outcome outcome,
                 const struct err_list *errors, const struct query_hits *hits,
                 struct slice control_id, int64_t now_ms);
/* DSC, behind the last PID: POINTER is where the next page begins. */
void query_goes_on(struct reply *a, struct slice pointer);

/* A number as PID-3 names it. */
struct query_number {
    struct slice value, name, universal, type, kind;
};
/* PID number SET of the answer: COUNT numbers; names, birth date, sex, address, telephone and death of the FHIR
 * PATIENT, or only the numbers where it is NULL (PIX). */
void query_pid(struct reply *a, unsigned set, const struct query_number *numbers, size_t count,
               const struct json *patient);

#endif
