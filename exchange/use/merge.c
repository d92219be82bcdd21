/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins and parts (see merge.h). No clinical row moves and each change can be undone (`tasuki patient undo`): design invariant 6. Only
 * the sender's own charts are touched; whether two persons may become one is storage's to say.
 */
#include "exchange/use/merge.h"

#include "storage/person.h"

#include "base/banned.h"

/* The chart of the second number. One that was never seen is opened, so that what comes under it later is the same person's. */
static enum err other_chart(struct session *s, struct request *r, const struct hl7_merge *merge,
                            int64_t *ret_chart)
{
    struct person_claim claim = {.local_no = merge->other_no};
    struct person_match match = {0};
    int64_t person = 0;
    enum err err = person_by_local(s, r->grant.facility, merge->other_no, &person, ret_chart);
    if (err != ERR_NOT_FOUND)
        return err;
    if (merge->kind == MERGE_UNLINK)
        return err_add(&r->errors, ERR_PATIENT_UNKNOWN, merge->place, NULL);
    err = person_identify(s, r->grant.facility, &claim, &match);
    *ret_chart = match.chart;
    return err;
}

enum err merge_apply(struct session *s, struct request *r, const struct hl7_merge *merge,
                     int64_t chart)
{
    struct person_joined joined = {0};
    bool link = merge->kind == MERGE_LINK;
    int64_t other = 0;
    enum err err = other_chart(s, r, merge, &other);
    if (err)
        return err;
    if (link)
        err = person_join(s, chart, other, PERSON_REASON_ADT, &joined);
    else
        err = person_part(s, chart, other, PERSON_REASON_ADT, &joined);
    if (err == ERR_PATIENT_MISMATCH)
        return err_say(&r->errors, ERR_SEVERITY_ERROR, err, merge->place,
                       link ? "these two numbers cannot be joined without a human's decision"
                            : "these two numbers cannot be parted without a human's decision",
                       link ? "この 2 つの番号は人の確認なしには統合できません"
                            : "この 2 つの番号は人の確認なしには分離できません");
    if (err)
        return err;
    r->person = joined.person;
    r->reason = link ? "link" : "unlink";
    return joined.other != joined.person ? request_audit(r, joined.other, r->entity, 0) : ERR_OK;
}
