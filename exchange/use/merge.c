/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins and parts (see merge.h). No clinical row moves and each change can be undone (`tasuki
 * patient undo`): design invariant 6. Only the sender's own charts are touched; whether two persons
 * may become one is storage's to say.
 */
#include "exchange/use/merge.h"

#include "storage/person.h"

#include "base/banned.h"

/* The chart of NUMBER. One that was never seen is opened, so that what comes under it later is the
 * same person's. */
static enum err chart_of(struct session *s, struct request *r, struct slice number, bool open,
                         const char *place, int64_t *ret_chart)
{
    struct person_claim claim = {.local_no = number};
    struct person_match match = {0};
    int64_t person = 0;
    enum err err = person_by_local(s, r->grant.facility, number, &person, ret_chart);
    if (err != ERR_NOT_FOUND)
        return err;
    if (!open)
        return err_add(&r->errors, ERR_PATIENT_UNKNOWN, place, NULL);
    err = person_identify(s, r->grant.facility, &claim, &match);
    *ret_chart = match.chart;
    return err;
}

static enum err in_doubt(struct request *r, const char *place, bool link)
{
    return err_say(&r->errors, ERR_SEVERITY_ERROR, ERR_PATIENT_MISMATCH, place,
                   link ? "these two numbers cannot be joined without a human's decision"
                        : "these two numbers cannot be parted without a human's decision",
                   link ? "この 2 つの番号は人の確認なしには統合できません"
                        : "この 2 つの番号は人の確認なしには分離できません");
}

static enum err apply_pair(struct session *s, struct request *r, const struct hl7_merge_pair *pair,
                           bool link, int64_t chart, struct person_joined *ret_joined)
{
    int64_t other = 0;
    enum err err = chart_of(s, r, pair->other_no, link, pair->place, &other);
    if (!err && link)
        err = person_join(s, chart, other, PERSON_REASON_ADT, ret_joined);
    else if (!err)
        err = person_part(s, chart, other, PERSON_REASON_ADT, ret_joined);
    return err == ERR_PATIENT_MISMATCH ? in_doubt(r, pair->place, link) : err;
}

enum err merge_apply(struct session *s, struct request *r, const struct hl7_merge *merge,
                     int64_t chart)
{
    bool link = merge->kind == MERGE_LINK;
    enum err err = ERR_OK;
    r->reason = link ? "link" : "unlink";
    for (size_t i = 0; i < merge->count && !err; i++) {
        const struct hl7_merge_pair *pair = &merge->pairs[i];
        struct person_joined joined = {0};
        int64_t at = chart;
        if (!slice_eq(pair->number, merge->pairs[0].number))
            err = chart_of(s, r, pair->number, link, pair->place, &at);
        if (!err)
            err = apply_pair(s, r, pair, link, at, &joined);
        if (!err && i == 0)
            r->person = joined.person;
        else if (!err && joined.person != r->person)
            err = request_audit(r, joined.person, r->entity, 0);
        if (!err && joined.other != joined.person && joined.other != r->person)
            err = request_audit(r, joined.other, r->entity, 0);
    }
    return err;
}
