/* SPDX-License-Identifier: Apache-2.0
 *
 * The relay index (中継DB): cards, local patient numbers and insurer identities lead to persons. It holds
 * no clinical data. The internal person and chart numbers never leave the program. Link and unlink
 * change chart.person and nothing else; each change is logged and can be undone (design invariant 6).
 */
#ifndef STORAGE_PERSON_H
#define STORAGE_PERSON_H

#include "base/arena.h"
#include "storage/session.h"

/* Agreeing fields that make two descriptions those of one person (design invariant 6). */
#define PERSON_FIELDS_NEEDED 5

/* What a facility says about who its patient is. Texts are folded (mappers/fhir/fold.h); empty = not
 * said. */
struct person_claim {
    struct slice local_no; /* the facility's patient number; empty: it gave none */
    struct slice alias;    /* Patient id the facility chose by PUT; empty: none */
    struct slice card;     /* 12 digits */
    struct slice insurer, symbol, number, branch;
    struct slice name, kana, birth_date, gender;
};

enum person_how {
    PERSON_BY_CHART,   /* the facility's number was known already */
    PERSON_BY_CARD,
    PERSON_BY_INSURER, /* insurer identity plus at least five agreeing fields in all */
    PERSON_NEW
};

struct person_match {
    int64_t person;
    int64_t chart; /* of the writing facility */
    enum person_how how;
    bool queued;   /* a likely link was left to a human */
};

/* Finds or makes the chart of FACILITY for the claim and links it. Rules: a known local number keeps its
 * person, unless a valid card says otherwise and the chart was alone (then it is linked to the card's
 * person and logged; if the chart's person already has a card of his own: ERR_PATIENT_MISMATCH); an unknown
 * or revoked card is ERR_PATIENT_UNKNOWN; an insurer identity links only with at least five agreeing
 * fields, fewer go to link_queue. Fills the person's matching fields where they were empty. Writer
 * session. */
enum err person_identify(struct session *s, int64_t facility, const struct person_claim *claim,
                         struct person_match *ret_match) ERR_CHECKED;

/* Look-ups; ERR_NOT_FOUND. A revoked card is not found. */
enum err person_by_card(struct session *s, struct slice number, int64_t *ret_person) ERR_CHECKED;
enum err person_by_local(struct session *s, int64_t facility, struct slice local_no,
                         int64_t *ret_person, int64_t *ret_chart) ERR_CHECKED;
enum err person_by_alias(struct session *s, int64_t facility, struct slice alias,
                         int64_t *ret_person, int64_t *ret_chart) ERR_CHECKED;
enum err person_by_insured(struct session *s, struct slice insurer, struct slice symbol,
                           struct slice number, struct slice branch, int64_t *ret_person) ERR_CHECKED;
enum err person_exists(struct session *s, int64_t person) ERR_CHECKED;
enum err person_of_chart(struct session *s, int64_t chart, int64_t *ret_person,
                         int64_t *ret_facility) ERR_CHECKED;
/* The number a chart has at its facility; empty when the facility gave none. */
enum err person_local_of_chart(struct session *s, struct arena *arena, int64_t chart,
                               struct slice *ret_local) ERR_CHECKED;
/* The chart of FACILITY for PERSON (oldest when several); ERR_NOT_FOUND. */
enum err person_chart(struct session *s, int64_t facility, int64_t person,
                      int64_t *ret_chart) ERR_CHECKED;
/* The same, made when absent (local number '~' + random). Writer session. */
enum err person_open_chart(struct session *s, int64_t facility, int64_t person,
                           int64_t *ret_chart) ERR_CHECKED;

/* Identifiers of a person as FACILITY may see them: card number, own local numbers ('~' ones not), and
 * insurer identities when WITH_INSURED. */
struct person_ids {
    struct slice card; /* empty: none in force */
    const struct slice *local_nos;
    size_t local_count;
    const struct slice *insured; /* "insurer:symbol:number:branch" */
    size_t insured_count;
};
enum err person_identifiers(struct session *s, struct arena *arena, int64_t person, int64_t facility,
                            bool with_insured, struct person_ids *ret_ids) ERR_CHECKED;

/* Registration of a resident and his card (writer session). */
enum err person_register(struct session *s, const struct person_claim *claim,
                         int64_t *ret_person) ERR_CHECKED;
enum err person_issue_card(struct session *s, int64_t person, struct slice number) ERR_CHECKED;
enum err person_revoke_card(struct session *s, struct slice number) ERR_CHECKED;
/* Next free card number (12 digits with check digit), derived from random digits. */
enum err person_free_card(struct session *s, char ret_number[13]) ERR_CHECKED;

/* Administration (writer session): move CHART to PERSON (link), to a new person of its own (unlink), or
 * back to where it was before its last change (undo). */
enum err person_link(struct session *s, int64_t chart, int64_t person, const char *reason) ERR_CHECKED;
enum err person_unlink(struct session *s, int64_t chart, int64_t *ret_person) ERR_CHECKED;
enum err person_undo(struct session *s, int64_t chart) ERR_CHECKED;

/* What became of two charts: the person of the first now; the other person there was, or is. */
struct person_joined {
    int64_t person, other;
    bool moved;
};
#define PERSON_REASON_ADT "facility" /* of link_log: the facility's own system said so */
/* CHART and OTHER, of one facility, are one person's: the one whose person stands alone (no card, no certificate, no other chart) moves
 * to the other's, OTHER rather than CHART. ERR_PATIENT_MISMATCH when neither does or birth date or gender contradict. Already one
 * person: nothing. Writer session. */
enum err person_join(struct session *s, int64_t chart, int64_t other, const char *reason,
                     struct person_joined *ret_joined) ERR_CHECKED;
/* They are two persons': the join with REASON that made them one is undone; where there was none, OTHER moves to a person of its own
 * if nothing else hangs on the person they share, else ERR_PATIENT_MISMATCH. Already two: nothing. Writer session. */
enum err person_part(struct session *s, int64_t chart, int64_t other, const char *reason,
                     struct person_joined *ret_joined) ERR_CHECKED;

/* Likely links waiting for a human, oldest first. person_link answers yes, person_dismiss no (writer
 * session; ERR_NOT_FOUND: no such open question). An answer is not asked for again. */
struct person_question {
    int64_t id; /* of the question, for people to name it */
    int64_t chart, candidate;
    unsigned agreeing; /* fields */
    int64_t at_ms;
};
enum err person_queue(struct session *s, struct arena *arena, struct person_question **ret_rows,
                      size_t *ret_count) ERR_CHECKED;
enum err person_dismiss(struct session *s, int64_t chart, int64_t candidate) ERR_CHECKED;

struct person_chart_row {
    int64_t chart, person, facility;
    struct slice facility_key, local_no; /* local_no empty: the facility gave none */
};
/* The charts of a person, for `tasuki patient show`. */
enum err person_charts(struct session *s, struct arena *arena, int64_t person,
                       struct person_chart_row **ret_rows, size_t *ret_count) ERR_CHECKED;

#endif
