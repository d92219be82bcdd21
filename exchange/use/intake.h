/* SPDX-License-Identifier: Apache-2.0
 *
 * Intake of a document that a mapper understands (HL7 v2 by MLLP, SS-MIX2 file, command line, demo
 * generator): decode, map, link the patient, store resources and original bytes, remember the
 * answer. One use case for all those doors.
 */
#ifndef EXCHANGE_USE_INTAKE_H
#define EXCHANGE_USE_INTAKE_H

#include "base/facet.h"
#include "exchange/request.h"
#include "mappers/hl7v2/lex.h"
#include "mappers/hl7v2/merge.h"
#include "mappers/mapped.h"
#include "mappers/ssmix2/extended.h"
#include "storage/inbox.h"
#include "storage/record.h"

/* One mapped resource, made ready for the store on a reader thread where it will be needed. */
struct intake_item {
    const struct mapped_resource *mapped;
    struct slice id;
    struct slice body;
    struct record_index index;
    struct record_packed packed;
    bool ready;   /* index, body and packed are made */
    bool written; /* by this message, or it was the same already */
    bool older;   /* the sender has said something newer of it */
};

struct intake {
    /* filled by the door */
    struct slice path;      /* SS-MIX2: path relative to the root, for the agreement check and
                               quarantine; else empty */
    struct inbox_file file; /* SS-MIX2: remembered as dealt with; path empty otherwise */
    int64_t replay; /* of quarantine: this is an attempt to file that one again; r->body empty:
                       with the bytes it came in. Else 0 */
    /* filled by the use case */
    struct hl7_header header;
    struct hl7_message *message;
    struct hl7_merge merge;         /* two numbers of the facility that are one person, or two */
    struct ssmix2_path parts;       /* flag is that of an extended path as well */
    struct extended_path *extended; /* of a file in an extended storage; else NULL */
    struct mapped *mapped;
    unsigned char sha[DIGEST_LEN];
    enum inbox_seen seen;
    struct slice ack; /* MLLP: the acknowledgement to send, AA, AE or AR */
    struct intake_item *items;
    size_t item_count;
    struct slice *kept; /* ids stored, beside their scopes: what record_prune must not delete */
    bool *older_scopes; /* beside mapped->scopes */
    size_t stored, unchanged, removed;
    size_t older; /* resources left as they are, because this message came late */
};

/* Request with r->input = struct intake in the arena and r->body = the message bytes (framing
 * removed). */
extern const struct use intake_use;
/* The same on a refused message (in->replay): accepted, it leaves quarantine; refused, the attempt
 * is noted. */
extern const struct use intake_replay_use;

/* struct mapper_env.id_of for r's facility; CONTEXT is the request. */
void intake_id(void *context, const char *type, struct slice local_no, struct slice key,
               char ret_id[37]);

#endif
