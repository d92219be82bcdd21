/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample region: its folder (pki, inbox, data, log, tasuki.conf, demo.json), its parties in the
 * store, and its residents' records, loaded through the same pipeline as everything else. `tasuki
 * demo` makes one, `tasuki init` uses its first half. Nothing outside DIR is touched.
 */
#ifndef EXCHANGE_DEMO_REGION_H
#define EXCHANGE_DEMO_REGION_H

#include "exchange/demo/people.h"
#include "exchange/demo/pki.h"
#include "exchange/exchange.h"

struct region_options {
    const char *dir;   /* made when absent */
    int port_base;     /* system; the others follow. 0: any free ports */
    unsigned patients; /* at least the five of the stories */
    uint64_t seed;
};

struct region {
    struct arena *arena;
    struct region_options options;
    int64_t now_ms;
    const char *conf_path;
    struct demo_person *people;
    int64_t *persons; /* internal ids, after region_register */
    struct pki_cert facility_certs[DEMO_FACILITY_COUNT];
    struct pki_cert resident_certs[DEMO_STORY_COUNT];
};

/* Is there a region in DIR already? */
bool region_exists(const char *dir);
/* Folders, certificates, configuration, master key and demo.json. ERR_CONFLICT when DIR holds one
 * already; TEXT receives what went wrong. */
enum err region_make(const struct region_options *options, int64_t now_ms, char *ret_text,
                     size_t text_size, struct region **ret_region) ERR_CHECKED;
void region_free(struct region *region);

/* The folders and files every installation has: DIR, pki with a CA and the server's certificate
 * (also for HOST, may be NULL), data, log, master key. */
enum err region_make_folders(const char *dir, const char *region_name, const char *host,
                             char *ret_text, size_t text_size) ERR_CHECKED;

/* Facilities, staff, certificates, residents and their cards, in one transaction. */
enum err region_register(struct exchange *x, struct region *region) ERR_CHECKED;

struct region_tally {
    unsigned documents; /* handed to the pipeline */
    unsigned refused;
    char first[256]; /* what was wrong with the first refused one */
};
/* Organizations as FHIR resources; then, unless PARTIES_ONLY, everything that clinical_emit tells
 * of the residents. Up to 512 requests are in flight, so that commits are shared. X's store must
 * not be collected by anyone else meanwhile. ERR_UNAVAILABLE when the store fails. */
enum err region_load(struct exchange *x, struct region *region, bool parties_only,
                     struct region_tally *ret_tally) ERR_CHECKED;

#endif
