/* SPDX-License-Identifier: Apache-2.0
 *
 * Many requests at once from a command, so that commits are shared: start them one after another,
 * at most so many are in flight, wait for the rest at the end. For commands and loading only: it
 * waits by polling, never on a loop thread, and nobody else may collect the store's answers
 * meanwhile.
 */
#ifndef EXCHANGE_BATCH_H
#define EXCHANGE_BATCH_H

#include "exchange/pipeline.h"

struct batch {
    struct exchange *exchange;
    /* Called with each request that ended, before it is freed. TAG as given to the start. */
    void (*ended)(void *context, struct request *r, void *tag);
    void *context;
    unsigned in_flight;
    size_t bytes; /* of those */
    unsigned started;
    enum err failed; /* ERR_UNAVAILABLE once the store fails: start no more */
};

/* An empty batch on X. */
void batch_init(struct batch *b, struct exchange *x,
                void (*ended)(void *context, struct request *r, void *tag), void *context);
/* An HL7 v2 message of a facility. BYTES are copied. Returns batch->failed, or ERR_LIMIT. */
enum err batch_message(struct batch *b, struct slice facility_key, struct slice bytes,
                       void *tag) ERR_CHECKED;
struct ssmix2_file;
/* A file of a storage; its path is the tag. Files are filed in the order of these calls. */
enum err batch_file(struct batch *b, struct slice facility_key,
                    const struct ssmix2_file *file) ERR_CHECKED;
/* A FHIR resource of a facility, or of RESIDENT when FACILITY_KEY is empty. JSON is copied. */
enum err batch_resource(struct batch *b, struct slice facility_key, int64_t resident,
                        struct slice json, void *tag) ERR_CHECKED;
/* A transaction of a facility, as one request. JSON is copied. */
enum err batch_bundle(struct batch *b, struct slice facility_key, struct slice json,
                      void *tag) ERR_CHECKED;
/* Waits until everything has ended. */
void batch_finish(struct batch *b);

#endif
