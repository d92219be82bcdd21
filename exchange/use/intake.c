/* SPDX-License-Identifier: Apache-2.0
 *
 * Intake, first half: everything that needs no writing. Bytes to message, message to resources,
 * resources to rows. A message that cannot be understood, that is not for the patient its path
 * names, or whose control id was used for other content ends here.
 */
#include "exchange/use/intake.h"

#include "base/ids.h"
#include "base/limits.h"
#include "exchange/gate/refs.h"
#include "exchange/use/intake_beside.h"
#include "exchange/use/intake_store.h"
#include "exchange/use/write.h"
#include "mappers/hl7v2/ack.h"
#include "mappers/hl7v2/map.h"
#include "storage/locate.h"
#include "storage/original.h"
#include "storage/person.h"
#include "storage/quarantine.h"

#include "base/banned.h"

void intake_id(void *context, const char *type, struct slice local_no, struct slice key,
               char ret_id[37])
{
    const struct request *r = context;
    struct slice parts[] = {r->caller.facility.code, local_no, key};
    ids_keyed(r->exchange->key_resource, type, parts, 3, ret_id);
}

/* A watched file: its path must be well-formed, and only valid and deleted ones are filed (guide
 * section 1.3). */
static enum err look_path(struct session *s, struct request *r, struct intake *in)
{
    bool seen = false;
    in->file.facility = r->caller.facility.id;
    enum err err = in->replay ? ERR_OK : inbox_file_seen(s, &in->file, &seen);
    if (err)
        return err;
    if (seen) {
        in->seen = INBOX_SAME;
        r->audit_default_off = true;
        return ERR_OK;
    }
    if (!extended_is(in->path))
        return ssmix2_parse(in->path, &r->errors, &in->parts);
    in->extended = ARENA_NEW(r->arena, struct extended_path);
    if (!in->extended)
        return ERR_LIMIT;
    err = extended_parse(r->arena, in->path, &r->errors, in->extended);
    in->parts.flag = in->extended->flag;
    return err ? err : intake_beside_look(s, r, in);
}

static enum err look_repeat(struct session *s, struct request *r, struct intake *in)
{
    struct inbox_key key = intake_key(r, in);
    enum err outcome = ERR_OK;
    enum err err = inbox_find(s, r->arena, &key, in->sha, &in->seen, &outcome, &in->ack);
    if (!err && in->seen == INBOX_REUSED)
        err = err_add(&r->errors, ERR_CONTROL_ID_REUSED, "MSH[1]-10", NULL);
    if (!err && in->seen == INBOX_SAME && !in->replay)
        r->reason = "repeat";
    return err;
}

static enum err look_message(struct session *s, struct request *r, struct intake *in)
{
    enum err err = hl7_lex(r->arena, r->body, &r->errors, &in->message);
    if (err)
        return err;
    hl7_header_of(in->message, &in->header);
    err = hl7_check(in->message, &r->errors);
    if (!err)
        err = hl7_merge_parse(in->message, &r->errors, &in->merge);
    if (!err && in->extended)
        err = ssmix2_agree_patient(in->extended->patient_id, in->message, &r->errors);
    else if (!err && in->path.len)
        err = ssmix2_agree(&in->parts, in->message, &r->errors);
    if (!err && !in->path.len)
        err = look_repeat(s, r, in);
    return err;
}

enum err intake_ready(struct session *s, struct request *r, struct intake_item *item)
{
    struct json *resource = item->mapped->resource;
    enum err err = item->ready ? ERR_OK : write_index(r->arena, resource, &item->index);
    if (err || item->ready)
        return err;
    err = refs_body(r->arena, resource, &item->body);
    if (!err)
        err = record_pack(s, r->arena, item->body, &item->index.facets, &item->packed);
    item->ready = !err;
    return err;
}

/* The id under which a mention of the patient would be stored; empty: he has no chart yet. */
static enum err patient_id(struct session *s, struct request *r, const struct intake *in,
                           struct slice *ret_id)
{
    int64_t person = 0, chart = 0;
    enum err err =
        person_by_local(s, r->grant.facility, in->mapped->patient.local_no, &person, &chart);
    if (!err)
        *ret_id = refs_patient_record(r, chart);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Most of what messages only mention, the patient above all, is there already and will not be
 * written: as far as this snapshot tells. Apply looks again, and makes ready itself what it needs
 * after all. */
static enum err is_mention_known(struct session *s, struct request *r, const struct intake *in,
                                 const struct intake_item *item, bool *ret_known)
{
    const struct mapped_resource *m = item->mapped;
    struct slice id = item->id;
    struct locate place = {0};
    enum err err = ERR_OK;
    if (!m->create_only)
        return ERR_OK;
    for (size_t i = 0; m->like && i < in->item_count; i++)
        if (in->items[i].mapped == m->like)
            *ret_known = !in->items[i].ready;
    if (m->like)
        return ERR_OK;
    if (strcmp(m->type, "Patient") == 0) {
        id = SLICE_NONE;
        err = patient_id(s, r, in, &id);
    }
    if (!err && id.len)
        err = locate_record(s, slice_str(m->type), id, &place);
    *ret_known = !err && id.len && !place.deleted;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err look_item(struct session *s, struct request *r, struct intake *in,
                          const struct mapped_resource *m)
{
    struct intake_item *item = &in->items[in->item_count];
    bool known = false;
    item->mapped = m;
    item->id = arena_dup(r->arena, json_str(m->resource, "id"));
    enum err err = is_mention_known(s, r, in, item, &known);
    if (!err && !known && !m->remove)
        err = intake_ready(s, r, item);
    in->item_count++;
    return err;
}

static enum err look_map(struct session *s, struct request *r, struct intake *in)
{
    struct mapper_env env = {
        .facility_code = r->caller.facility.code,
        .facility_name = r->caller.facility.name,
        .now_ms = r->grant.now_ms,
        .original = in->sha,
        .id_of = intake_id,
        .context = r,
    };
    enum err err =
        in->message ? hl7_map(in->message, &env, &r->errors, &in->mapped)
                    : extended_map(r->arena, in->extended, r->body, &env, &r->errors, &in->mapped);
    if (err)
        return err;
    in->items =
        arena_array(r->arena, in->mapped->count ? in->mapped->count : 1, sizeof(*in->items));
    in->kept = arena_array(r->arena, in->mapped->count ? in->mapped->count : 1, sizeof(*in->kept));
    in->older_scopes = arena_array(r->arena, in->mapped->scope_count + 1, sizeof(bool));
    if (!in->items || !in->kept || !in->older_scopes)
        return ERR_LIMIT;
    for (const struct mapped_resource *m = in->mapped->first; m && !err; m = m->next)
        err = look_item(s, r, in, m);
    return err;
}

/* What to file again: the bytes given, or those that were refused. */
static enum err look_replay(struct session *s, struct request *r, struct intake *in)
{
    struct quarantine_filter filter = {.facility = r->grant.facility, .id = in->replay};
    struct quarantine_row *row = NULL;
    size_t count = 0;
    enum err err = quarantine_list(s, r->arena, &filter, &row, &count);
    if (!err && count == 0) {
        in->replay = -1; /* nothing to note an attempt on */
        return err_add(&r->errors, ERR_NOT_FOUND, "ID", NULL);
    }
    r->reason = arena_printf(r->arena, "quarantine:%lld", (long long)in->replay);
    if (!err && !r->body.len)
        err = original_get(s, r->arena, row->sha, &r->body);
    return err;
}

static enum err intake_look(struct session *s, struct request *r)
{
    struct intake *in = r->input;
    enum err err = in->replay ? look_replay(s, r, in) : ERR_OK;
    if (err)
        return err;
    digest_sha256(r->body, in->sha);
    hl7_peek(r->arena, r->body, &in->header);
    r->entity = "";
    if (r->errors.errors) /* the door could not even read all of it */
        return err_list_code(&r->errors);
    if (in->path.len)
        err = look_path(s, r, in);
    if (err || in->seen == INBOX_SAME)
        return err;
    if (!in->extended || slice_starts(r->body, SLICE("MSH")))
        err = look_message(s, r, in);
    if (err || in->seen == INBOX_SAME || intake_is_history(in))
        return err;
    return look_map(s, r, in);
}

const struct use intake_use = {.event = "intake",
                               .actors = (1u << GRANT_INTAKE) | (1u << GRANT_FACILITY),
                               .writes = true,
                               .look = intake_look,
                               .apply = intake_apply,
                               .refused = intake_refused};
const struct use intake_replay_use = {.event = "intake-replay",
                                      .actors = 1u << GRANT_FACILITY,
                                      .writes = true,
                                      .look = intake_look,
                                      .apply = intake_apply,
                                      .refused = intake_refused};
