/* SPDX-License-Identifier: Apache-2.0
 *
 * Consent rules as the gate evaluates them. exchange/gate/consent.c compiles a Consent resource to rules;
 * here they are kept beside the Consent's row and read by the gate inside the SQL (storage/gate.c).
 *
 * Decision for (person, facility, purpose, category, now), over all charts of the person:
 *   a rule matches when facility, purpose, category and period match;
 *   inside one Consent a matching nested rule beats the root; among nested rules deny beats permit;
 *   over several Consents deny beats permit; nothing matches: deny.
 */
#ifndef STORAGE_CONSENT_H
#define STORAGE_CONSENT_H

#include "base/arena.h"
#include "base/category.h"
#include "storage/session.h"

struct consent_rule {
    int64_t consent; /* rid of the Consent; filled on reading */
    bool permit;
    bool nested;
    int64_t facility;    /* 0 = every participant */
    uint32_t purposes;   /* GRANT_PURPOSE_BIT mask */
    uint64_t categories; /* CATEGORY_BIT mask */
    int64_t from_ms;     /* inclusive */
    int64_t to_ms;       /* exclusive */
};

/* Replaces the rules of the Consent at RID (none: it has no effect). Writer session. */
enum err consent_put_rules(struct session *s, int64_t chart, int64_t rid,
                           const struct consent_rule *rules, size_t count) ERR_CHECKED;
/* All rules about a person, for explaining and for the reference evaluator. */
enum err consent_rules(struct session *s, struct arena *arena, int64_t person,
                       struct consent_rule **ret_rules, size_t *ret_count) ERR_CHECKED;
/* Does an explicit deny for purpose BTG match FACILITY now? (Then the glass may not be broken.) */
enum err consent_forbids_emergency(struct session *s, int64_t person, int64_t facility,
                                   int64_t now_ms, bool *ret_forbids) ERR_CHECKED;

/* The same decision in plain C, from rules alone: for `consent explain` and as the second opinion that
 * tests compare with the SQL. Pure. *ret_rule is the deciding rule or NULL. */
bool consent_decide(const struct consent_rule *rules, size_t count, int64_t facility,
                    enum grant_purpose purpose, enum category category, int64_t now_ms,
                    const struct consent_rule **ret_rule);

#endif
