/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient summary as an International Patient Summary document Bundle (HL7 IPS sections: problems
 * 11450-4, medications 10160-0, allergies 48765-2, then results, vital signs, procedures,
 * encounters where there is something), from the resources a caller may see. Narratives are made by
 * an XSLT style sheet (mappers/html). Says what is absent.
 */
#ifndef MAPPERS_IPS_SUMMARY_H
#define MAPPERS_IPS_SUMMARY_H

#include "base/err.h"
#include "base/json.h"

struct summary_input {
    const struct json *patient;
    const struct json *const *resources; /* in external form, references rewritten for the reader */
    size_t count;
    struct slice base_url; /* for fullUrl */
    struct slice author;   /* name of the exchange or facility */
    int64_t now_ms;
    bool emergency; /* emergency window and order of sections */
    uint64_t
        withheld; /* categories the reader may not see (mask): sections say so without content */
};

/* The document Bundle; entries reference each other by fullUrl. ids: random ones come from MAKE_ID.
 * Needs page_init. The institution of a line is the display of a meta.tag with system
 * "urn:tasuki:facility" where there is one. */
enum err summary_bundle(struct arena *arena, const struct summary_input *input,
                        void (*make_id)(char ret_id[37]), struct json **ret_bundle) ERR_CHECKED;

/* What mappers/html/summary.xsl shows, from such a bundle: the banner, and every section with its
 * state ("present", "nilknown", "unavailable", "withheld") and rows. ERR_INVALID when BUNDLE is no
 * summary document. */
enum err summary_view(struct arena *arena, const struct json *bundle, int64_t now_ms,
                      struct json **ret_view) ERR_CHECKED;

#endif
