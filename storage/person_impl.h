/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the relay index share: person.c (looking up, cards), person_identify.c (who is
 * meant) and person_link.c (moving charts). Only storage/ includes this.
 *
 * A person who never had a card or certificate of his own and whose charts have all moved to one
 * other person was that other person all along: his insurer identities and the audit rows about him
 * count as the other's. This follows from chart.person and link_log alone, so undoing a link undoes
 * it too.
 */
#ifndef STORAGE_PERSON_IMPL_H
#define STORAGE_PERSON_IMPL_H

#include "storage/person.h"

/* SQL condition: the person WAS has become the person NOW. */
#define PERSON_BECAME(was, now)                                                                    \
    "(" was " IS NOT NULL"                                                                         \
    " AND EXISTS (SELECT 1 FROM link_log pl JOIN chart pc ON pc.id = pl.chart"                     \
    "  WHERE pl.from_person = " was " AND pc.person = " now ")"                                    \
    " AND NOT EXISTS (SELECT 1 FROM link_log pl JOIN chart pc ON pc.id = pl.chart"                 \
    "  WHERE pl.from_person = " was " AND pc.person <> " now ")"                                   \
    " AND NOT EXISTS (SELECT 1 FROM chart pc WHERE pc.person = " was ")"                           \
    " AND NOT EXISTS (SELECT 1 FROM card WHERE card.person = " was ")"                             \
    " AND NOT EXISTS (SELECT 1 FROM cert WHERE cert.person = " was "))"

/* Who PERSON is now: the one he became, or himself. */
enum err person_now(struct session *s, int64_t person, int64_t *ret_now) ERR_CHECKED;
/* Does he have a card or certificate in force? */
enum err person_is_carded(struct session *s, int64_t person, bool *ret_carded) ERR_CHECKED;
/* A new person with the claim's matching fields (CLAIM may be NULL). */
enum err person_make(struct session *s, const struct person_claim *claim,
                     int64_t *ret_person) ERR_CHECKED;
/* A new chart, logged with REASON. An empty local number becomes '~' + random. */
enum err person_make_chart(struct session *s, int64_t facility, const struct person_claim *claim,
                           int64_t person, const char *reason, int64_t *ret_chart) ERR_CHECKED;
/* Moves CHART, logs REASON, settles the queue's question whether it is TO. */
enum err person_move(struct session *s, int64_t chart, int64_t from, int64_t to,
                     const char *reason) ERR_CHECKED;
/* How many charts PERSON has. */
enum err person_chart_count(struct session *s, int64_t person, int64_t *ret_count) ERR_CHECKED;

/* How far a claim agrees with a person. */
struct person_agreement {
    unsigned fields;   /* agreeing ones */
    bool contradicted; /* birth date or gender said by both and different */
};
enum err person_agree(struct session *s, const struct person_claim *claim, int64_t person,
                      struct person_agreement *ret_agreement) ERR_CHECKED;

/* Fields that must agree before an insurer identity links (design invariant 6). */

#endif
