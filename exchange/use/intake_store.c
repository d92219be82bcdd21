/* SPDX-License-Identifier: Apache-2.0
 *
 * Intake, second half: one transaction that links the patient, stores original bytes and resources,
 * deletes what the message replaces, and remembers the answer. A refused message is kept in
 * quarantine instead, never filed.
 */
#include "exchange/use/intake_store.h"

#include "base/when.h"
#include "exchange/gate/refs.h"
#include "exchange/use/claim.h"
#include "exchange/use/intake_beside.h"
#include "exchange/use/merge.h"
#include "mappers/hl7v2/ack.h"
#include "mappers/hl7v2/map.h"
#include "storage/locate.h"
#include "storage/original.h"
#include "storage/person.h"
#include "storage/quarantine.h"
#include "storage/record.h"
#include "storage/said.h"

#include "base/banned.h"

#define MEDIA_HL7 "application/hl7-v2"

struct inbox_key intake_key(const struct request *r, const struct intake *in)
{
    const struct hl7_header *h = &in->header;
    const char *sender = arena_printf(r->arena, "%.*s|%.*s", SLICE_ARG(h->sending_application),
                                      SLICE_ARG(h->sending_facility));
    return (struct inbox_key){
        .facility = r->caller.facility.id,
        .sender = slice_str(sender),
        .control_id = h->control_id,
        .kind = hl7_kind(in->message),
    };
}

bool intake_is_history(const struct intake *in)
{
    /* a former version of a document stays one: superseded, under an id of its own */
    return in->path.len && in->parts.flag == SSMIX2_OLD && (!in->extended || in->message);
}

static const char *media_of(const struct intake *in)
{
    return in->extended && !in->message ? "application/octet-stream" : MEDIA_HL7;
}

/* ── storing ─────────────────────────────────────────────────────────────────────────────────── */

static enum err identify(struct session *s, struct request *r, struct intake *in,
                         struct person_match *ret_match)
{
    struct person_claim claim;
    enum err err = claim_from_mapped(r->arena, &in->mapped->patient, &claim);
    if (!err)
        err = person_identify(s, r->grant.facility, &claim, ret_match);
    if (err == ERR_PATIENT_UNKNOWN || err == ERR_PATIENT_MISMATCH)
        return err_add_words(&r->errors, err, "PID[1]-3", "common clinic card", "共通診察券");
    if (!err)
        r->person = ret_match->person;
    return err;
}

static enum err remove_item(struct session *s, struct intake *in, struct intake_item *item,
                            struct slice id)
{
    struct record_mark mark = {0};
    enum err err = record_delete(s, slice_str(item->mapped->type), id, 0, &mark);
    if (err == ERR_NOT_FOUND)
        return ERR_OK; /* a cancellation of what never came */
    if (!err && !mark.unchanged && !item->mapped->like)
        in->removed++;
    return err;
}

/* Is there a current record already? Then a side mention must not overwrite it. */
static enum err is_there(struct session *s, struct intake_item *item, struct slice id,
                         bool *ret_there)
{
    struct locate place = {0};
    enum err err = locate_record(s, slice_str(item->mapped->type), id, &place);
    *ret_there = err == ERR_OK && !place.deleted;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err put_item(struct session *s, struct intake *in, struct intake_item *item,
                         struct slice id, int64_t chart)
{
    struct record_mark mark = {0};
    struct record_new record = {
        .type = slice_str(item->mapped->type),
        .id = id,
        .chart = chart,
        .category = item->mapped->class.category,
        .label = (enum record_label)item->mapped->class.label,
        .when = item->mapped->class.when,
        .body = item->body,
        .scope = item->mapped->scope,
        .original = in->sha,
        .mapper = in->mapped->mapper,
        .facets = &item->index.facets,
        .words = item->index.words,
        .content = item->index.content,
        .packed = item->packed,
    };
    enum err err = record_put(s, &record, 0, &mark);
    item->written = !err;
    if (err || item->mapped->like) /* a Provenance is no content */
        return err;
    if (mark.unchanged)
        in->unchanged++;
    else
        in->stored++;
    return ERR_OK;
}

static const struct intake_item *item_of(const struct intake *in, const struct mapped_resource *m)
{
    for (size_t i = 0; i < in->item_count; i++)
        if (in->items[i].mapped == m)
            return &in->items[i];
    return NULL;
}

/* Was the resource written that this Provenance is of? */
static bool is_written(const struct intake *in, const struct mapped_resource *like)
{
    const struct intake_item *item = item_of(in, like);
    return item && item->written;
}

/* ── what comes late ─────────────────────────────────────────────────────────────────────────── */

/* When the sender said it: the file's name, else MSH-7; a time yet to come is a clock that is
 * wrong. */
static int64_t said_at(const struct request *r, const struct intake *in)
{
    struct slice text = in->extended ? in->extended->sent_at : in->parts.sent_at;
    struct when when;
    if (!in->path.len)
        text = hl7_value(in->message, &in->message->segments[0], 7, 1);
    else if (text.len > 14) /* YYYYMMDDHHMMSSFFF */
        text = slice_str(
            arena_printf(r->arena, "%.14s.%.*s", text.ptr, (int)(text.len - 14), text.ptr + 14));
    if (!when_parse_hl7(text, &when) || when.lo_ms > r->grant.now_ms)
        return r->grant.now_ms;
    return when.lo_ms;
}

static struct slice sender_of(const struct request *r, const struct intake *in)
{
    return in->path.len ? SLICE("ssmix2") : intake_key(r, in).sender;
}

static bool is_older_scope(const struct intake *in, struct slice scope, bool *ret_replaced)
{
    for (size_t i = 0; i < in->mapped->scope_count; i++)
        if (slice_eq(in->mapped->scopes[i], scope)) {
            *ret_replaced = true;
            return in->older_scopes[i];
        }
    return false;
}

/* What lies in a scope that the message replaces is as old as that; all else is asked for itself,
 * and for the scope that another message may have replaced meanwhile. What is only mentioned is
 * written where nothing is, so it cannot undo anything. */
static enum err judge_item(struct session *s, struct request *r, struct intake *in, int64_t chart,
                           int64_t at_ms, struct intake_item *item)
{
    const struct mapped_resource *m = item->mapped;
    const struct intake_item *like = m->like ? item_of(in, m->like) : NULL;
    struct slice sender = sender_of(r, in);
    bool replaced = false;
    enum err err = ERR_OK;
    item->older = like ? like->older : is_older_scope(in, m->scope, &replaced);
    if (like || replaced || m->create_only)
        return ERR_OK;
    if (m->scope.len)
        err = said_is_older(s, chart, sender, m->scope, at_ms, &item->older);
    if (!err && !item->older)
        err = said_note(s, chart, sender,
                        slice_str(arena_printf(r->arena, "%s/%.*s", m->type, SLICE_ARG(item->id))),
                        at_ms, &item->older);
    return err;
}

static enum err judge_times(struct session *s, struct request *r, struct intake *in, int64_t chart)
{
    int64_t at_ms;
    enum err err = ERR_OK;
    in->older = 0;
    if (!in->message)
        return ERR_OK; /* a document of the extended storage: each version stands for itself */
    at_ms = said_at(r, in);
    for (size_t i = 0; i < in->mapped->scope_count && !err; i++)
        err = said_note(s, chart, sender_of(r, in), in->mapped->scopes[i], at_ms,
                        &in->older_scopes[i]);
    for (size_t i = 0; i < in->item_count && !err; i++) {
        err = judge_item(s, r, in, chart, at_ms, &in->items[i]);
        in->older += in->items[i].older && !in->items[i].mapped->like;
    }
    if (in->older && !r->reason)
        r->reason = "older";
    return err;
}

static enum err store_item(struct session *s, struct request *r, struct intake *in,
                           struct intake_item *item, int64_t chart)
{
    bool there = false;
    bool patient = strcmp(item->mapped->type, "Patient") == 0;
    bool deleted_file = in->path.len && in->parts.flag == SSMIX2_DELETED;
    struct slice id = patient ? refs_patient_record(r, chart) : item->id;
    enum err err = ERR_OK;
    item->written = false; /* this may be a second attempt */
    if (item->older)
        return ERR_OK;
    if (item->mapped->remove || (deleted_file && !patient))
        return remove_item(s, in, item, id);
    if (item->mapped->create_only && item->mapped->like)
        there = !is_written(in, item->mapped->like);
    else if (item->mapped->create_only)
        err = is_there(s, item, id, &there);
    if (err || there)
        return err;
    err = intake_ready(s, r, item);
    return err ? err : put_item(s, in, item, id, chart);
}

static enum err prune_scopes(struct session *s, struct intake *in, int64_t chart)
{
    const struct mapped *m = in->mapped;
    enum err err = ERR_OK;
    for (size_t i = 0; i < m->scope_count && !err; i++) {
        unsigned deleted = 0;
        size_t kept = 0;
        if (in->older_scopes[i])
            continue;
        for (size_t j = 0; j < in->item_count; j++)
            if (!in->items[j].mapped->remove && slice_eq(in->items[j].mapped->scope, m->scopes[i]))
                in->kept[kept++] = in->items[j].id;
        err = record_prune(s, chart, m->scopes[i], in->kept, kept, &deleted);
        in->removed += deleted;
    }
    return err;
}

static enum err count_left(struct session *s, struct request *r, const struct intake *in)
{
    enum err err = ERR_OK;
    for (const struct mapped_left *l = in->mapped->left; l && !err; l = l->next)
        err = unmapped_add(s, r->grant.facility, in->mapped->message, l->field, l->seen);
    return err;
}

static enum err file_message(struct session *s, struct request *r, struct intake *in)
{
    struct person_match match = {0};
    enum err err = identify(s, r, in, &match);
    if (!err)
        err = judge_times(s, r, in, match.chart);
    for (size_t i = 0; i < in->item_count && !err; i++)
        err = store_item(s, r, in, &in->items[i], match.chart);
    if (!err)
        err = prune_scopes(s, in, match.chart);
    if (!err)
        err = count_left(s, r, in);
    if (!err && in->merge.kind != MERGE_NONE)
        err = merge_apply(s, r, &in->merge, match.chart);
    r->count = (int64_t)in->stored;
    return err;
}

/* The acknowledgement is made before the commit that it waits for, and kept so that a repeat gets
 * the same one. */
static enum err remember(struct session *s, struct request *r, struct intake *in)
{
    struct buf ack;
    enum err err;
    if (in->path.len && in->replay)
        return ERR_OK; /* the file in the folder is another matter */
    if (in->path.len)
        return inbox_file_put(s, &in->file, in->sha, ERR_OK);
    struct inbox_key key = intake_key(r, in);
    buf_init(&ack, 64 * 1024);
    err = hl7_ack(&in->header, "AA", NULL, slice_str(arena_printf(r->arena, "%.20s", r->id)),
                  r->grant.now_ms, &ack);
    if (!err) {
        in->ack = arena_dup(r->arena, buf_slice(&ack));
        err = inbox_put(s, &key, in->sha, ERR_OK, in->ack);
    }
    buf_fini(&ack);
    return err;
}

/* Another connection may have brought the same message since look. */
static enum err seen_meanwhile(struct session *s, struct request *r, struct intake *in)
{
    enum err outcome = ERR_OK, err;
    if (in->path.len)
        return ERR_OK;
    struct inbox_key key = intake_key(r, in);
    err = inbox_find(s, r->arena, &key, in->sha, &in->seen, &outcome, &in->ack);
    if (!err && in->seen == INBOX_REUSED)
        err = err_add(&r->errors, ERR_CONTROL_ID_REUSED, "MSH[1]-10", NULL);
    return err;
}

static enum err note_replay(struct session *s, struct request *r, const struct intake *in,
                            const struct err_item *first)
{
    struct quarantine_replay replay = {
        .outcome = r->job.err,
        .at_ms = r->grant.now_ms,
        .place = slice_str(first ? first->place : ""),
        .en = slice_str(first ? first->en : err_en(r->job.err)),
        .ja = slice_str(first ? first->ja : err_ja(r->job.err)),
    };
    memcpy(replay.sha, in->sha, sizeof(replay.sha));
    return quarantine_replayed(s, r->grant.facility, in->replay, &replay);
}

static enum err apply_new(struct session *s, struct request *r, struct intake *in)
{
    in->stored = in->unchanged = in->removed = 0;
    r->audits = NULL; /* of a former attempt */
    enum err err = seen_meanwhile(s, r, in);
    if (err || in->seen == INBOX_SAME)
        return err;
    r->entity = arena_str(r->arena, in->header.control_id);
    err = original_put(s, r->grant.facility, r->body, media_of(in), in->sha);
    if (!err && !intake_is_history(in))
        err = file_message(s, r, in);
    return err ? err : remember(s, r, in);
}

enum err intake_apply(struct session *s, struct request *r)
{
    struct intake *in = r->input;
    enum err err = in->seen == INBOX_SAME ? ERR_OK : apply_new(s, r, in);
    if (!err && in->replay)
        err = note_replay(s, r, in, NULL);
    return err;
}

/* ── refusing ────────────────────────────────────────────────────────────────────────────────── */

enum err intake_refused(struct session *s, struct request *r)
{
    struct intake *in = r->input;
    const struct err_item *first = r->errors.first;
    while (first && first->severity != ERR_SEVERITY_ERROR)
        first = first->next;
    if (err_http(r->job.err) >= 500)
        return ERR_OK; /* ours, not the message's: it will come again */
    if (in->replay < 0)
        return ERR_OK;
    struct quarantine_row row = {
        .facility = r->grant.facility,
        .door = in->path.len ? SLICE("ssmix2") : SLICE("mllp"),
        .name = in->path.len ? in->path : in->header.control_id,
        .place = slice_str(first ? first->place : ""),
        .en = slice_str(first ? first->en : err_en(r->job.err)),
        .ja = slice_str(first ? first->ja : err_ja(r->job.err)),
        .outcome = r->job.err,
        .at_ms = r->grant.now_ms,
    };
    memcpy(row.sha, in->sha, sizeof(row.sha));
    enum err err = original_put(s, r->grant.facility, r->body, media_of(in), in->sha);
    if (!err && in->replay)
        return note_replay(s, r, in, first);
    if (!err)
        err = quarantine_put(s, &row);
    if (!err)
        err = intake_beside_take_back(s, r, in);
    if (!err && in->path.len)
        err = inbox_file_put(s, &in->file, in->sha, r->job.err);
    return err;
}
