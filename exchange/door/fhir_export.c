/* SPDX-License-Identifier: Apache-2.0
 *
 * Bulk export (FHIR Bulk Data Access 2.0): kick-off, status, cancel, files. Who gets what is in docs/decisions/0014; the
 * work is done by exchange/push. Nothing here reads a record but the Group that is named.
 */
#include <unistd.h>

#include "base/ids.h"
#include "exchange/door/fhir.h"
#include "exchange/gate/own_id.h"
#include "exchange/gate/grant.h"
#include "exchange/push/export_query.h"
#include "exchange/push/export_send.h"
#include "exchange/push/export_step.h"
#include "storage/change.h"

#include "base/banned.h"

#define CALLERS ((1u << GRANT_FACILITY) | (1u << GRANT_OPERATOR))

/* ── kick-off ────────────────────────────────────────────────────────────────────────────────── */

static enum export_level level_of(const struct fhir_input *in)
{
    return in->shape == FHIR_SYSTEM_OPERATION ? EXPORT_SYSTEM
           : in->shape == FHIR_TYPE_OPERATION ? EXPORT_PATIENT
                                              : EXPORT_GROUP;
}

static enum err check_level(struct session *s, struct request *r, enum export_level level)
{
    const struct fhir_input *in = r->input;
    struct record record;
    if (level != EXPORT_SYSTEM && r->grant.actor != GRANT_FACILITY)
        return err_add(&r->errors, ERR_FORBIDDEN, "$export", NULL);
    return level == EXPORT_GROUP ? own_id_read(s, r, in->type, in->id, &record) : ERR_OK;
}

static enum err read_query(struct request *r, struct slice *ret_query)
{
    const struct fhir_input *in = r->input;
    struct json_fault fault = {0};
    struct json *body = NULL;
    *ret_query = in->query;
    if (!r->body.len)
        return ERR_OK;
    enum err err = json_parse(r->arena, r->body, &body, &fault);
    if (err == ERR_MALFORMED || err == ERR_TOO_DEEP)
        return err_add_words(&r->errors, err, "", fault.en, fault.ja);
    return err ? err : export_query_body(r, body, ret_query);
}

/* The URL as it was asked: base URL without /fhir, and the target. */
static struct slice url_of(struct request *r)
{
    struct slice base = slice_str(r->base_url);
    base.len -= slice_ends(base, SLICE("/fhir")) ? 5 : 0;
    return slice_str(arena_printf(r->arena, "%.*s%.*s", SLICE_ARG(base), SLICE_ARG(r->target)));
}

static enum err export_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct export_job *job = ARENA_NEW(r->arena, struct export_job);
    struct export_query query;
    char id[IDS_UUID_LEN + 1];
    if (!job)
        return ERR_LIMIT;
    if (!in->async)
        return err_add(&r->errors, ERR_BAD_HEADER, "Prefer", "respond-async");
    *job = (struct export_job){.level = level_of(in), .group_id = in->id, .facility = r->grant.facility};
    enum err err = check_level(s, r, job->level);
    if (!err)
        err = read_query(r, &job->query);
    if (!err)
        err = export_query_read(s, r, job->query, in->lenient, &query);
    if (err)
        return err;
    ids_uuid(id);
    job->id = arena_dup(r->arena, slice_str(id));
    job->purpose = slice_str(grant_purpose_code(r->grant.purpose));
    job->request = url_of(r);
    memcpy(job->fingerprint, r->fingerprint, DIGEST_LEN);
    in->own = job;
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

static enum err check_room(struct session *s, struct request *r)
{
    struct export_job *jobs = NULL;
    size_t count = 0, own = 0;
    enum err err = export_list(s, r->arena, &jobs, &count);
    for (size_t i = 0; i < count && !err; i++)
        own += jobs[i].facility == r->grant.facility;
    if (!err && (count >= LIMIT_EXPORT_JOBS || own >= LIMIT_EXPORT_JOBS_CALLER))
        err = err_add_words(&r->errors, ERR_BUSY, "$export", "too many exports are kept; delete one",
                            "保存中の一括出力が多すぎます。どれかを削除してください");
    return err;
}

static void add_field(struct request *r, const char *name, const char *value)
{
    struct fhir_input *in = r->input;
    if (value && in->field_count < sizeof(in->fields) / sizeof(in->fields[0]))
        in->fields[in->field_count++] = (struct http_field){name, slice_str(value)};
}

static enum err export_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct export_job *job = in->own;
    int64_t last = 0;
    enum err err = check_room(s, r);
    if (!err)
        err = change_last(s, &last);
    if (err)
        return err;
    job->created_ms = r->grant.now_ms;
    job->snapshot_ms = change_ms(last) > r->grant.now_ms ? change_ms(last) : r->grant.now_ms;
    in->field_count = 0;
    add_field(r, "Content-Location",
              arena_printf(r->arena, "%s/$export/%.*s", r->base_url, SLICE_ARG(job->id)));
    r->status = 202;
    r->entity = arena_printf(r->arena, "$export/%.*s", SLICE_ARG(job->id));
    r->exchange->export_writes++;
    return export_add(s, job);
}

const struct use fhir_use_export = {.event = "export-begin",
                                    .actors = CALLERS,
                                    .writes = true,
                                    .look = export_look,
                                    .apply = export_apply};

/* ── status ──────────────────────────────────────────────────────────────────────────────────── */

static void add_file(struct request *r, struct json *list, const struct export_job *job,
                     const struct export_file *file)
{
    struct json *item = file->lines ? json_push_object(r->arena, list) : NULL;
    json_put_str(r->arena, item, "type", file->deleted ? SLICE("Bundle") : file->type);
    json_put_text(r->arena, item, "url",
                  arena_printf(r->arena, "%s/$export/%.*s/%u", r->base_url, SLICE_ARG(job->id),
                               file->number));
    json_put_int(r->arena, item, "count", (int64_t)file->lines);
}

static struct slice instant_of(struct request *r, int64_t ms)
{
    struct buf text;
    buf_init(&text, 64);
    when_print_instant(&text, ms);
    struct slice out = arena_dup(r->arena, buf_slice(&text));
    buf_fini(&text);
    return out;
}

static enum err answer_manifest(struct session *s, struct request *r, const struct export_job *job)
{
    struct export_file *files = NULL;
    size_t count = 0;
    struct buf date;
    enum err err = export_files(s, r->arena, job->id, &files, &count);
    if (err)
        return err;
    struct json *manifest = json_new(r->arena, JSON_OBJECT);
    json_put_str(r->arena, manifest, "transactionTime", instant_of(r, job->snapshot_ms));
    json_put_str(r->arena, manifest, "request", job->request);
    json_put_bool(r->arena, manifest, "requiresAccessToken", false);
    struct json *output = json_put_array(r->arena, manifest, "output");
    struct json *deleted = json_put_array(r->arena, manifest, "deleted");
    json_put_array(r->arena, manifest, "error");
    for (size_t i = 0; i < count; i++)
        add_file(r, files[i].deleted ? deleted : output, job, &files[i]);
    buf_init(&date, 64);
    when_print_http(&date, job->expires_ms);
    add_field(r, "Expires", arena_str(r->arena, buf_slice(&date)));
    buf_fini(&date);
    r->answer_type = "application/json";
    return fhir_answer_json(r, manifest);
}

static enum err status_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct export_job job;
    r->entity = arena_printf(r->arena, "$export/%.*s", SLICE_ARG(in->id));
    enum err err = export_send_job(s, r, in->id, &job);
    if (err)
        return err;
    if (job.state == EXPORT_FAILED)
        return err_add(&r->errors, ERR_IO, "$export", "%.*s", SLICE_ARG(job.reason));
    if (job.state == EXPORT_DONE)
        return answer_manifest(s, r, &job);
    struct slice at = job.position == 0 || change_ms(job.position) > job.snapshot_ms
                          ? SLICE_NONE
                          : instant_of(r, change_ms(job.position));
    add_field(r, "X-Progress",
              at.len ? arena_printf(r->arena, "looked at changes up to %.*s", SLICE_ARG(at))
                     : "in progress");
    add_field(r, "Retry-After", "1");
    r->status = 202;
    return ERR_OK;
}

const struct use fhir_use_export_status = {
    .event = "export-status", .actors = CALLERS, .look = status_look};

/* ── cancel ──────────────────────────────────────────────────────────────────────────────────── */

static enum err cancel_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct export_job job;
    r->entity = arena_printf(r->arena, "$export/%.*s", SLICE_ARG(in->id));
    enum err err = export_send_job(s, r, in->id, &job);
    if (!err)
        export_step_remove(r->arena, r->exchange, job.id);
    return err;
}

static enum err cancel_apply(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    r->status = 202;
    r->exchange->export_writes++;
    return export_drop(s, in->id);
}

const struct use fhir_use_export_cancel = {.event = "export-cancel",
                                           .actors = CALLERS,
                                           .writes = true,
                                           .look = cancel_look,
                                           .apply = cancel_apply};

/* ── files ───────────────────────────────────────────────────────────────────────────────────── */

static void begin_file(struct request *r, struct http_call *call)
{
    const struct fhir_input *in = r->input;
    export_send_begin(call, r, in->id, (unsigned)in->version);
}

/* Whether there is such a file; what is in it is read, and recorded, piece by piece. */
static enum err file_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct export_job job;
    struct export_file file;
    r->entity = arena_printf(r->arena, "$export/%.*s/%lld", SLICE_ARG(in->id),
                             (long long)in->version);
    enum err err = export_send_job(s, r, in->id, &job);
    if (!err && (in->version <= 0 || in->version > LIMIT_EXPORT_FILES))
        err = ERR_NOT_FOUND;
    if (!err)
        err = export_send_file(s, r, &job, (unsigned)in->version, &file);
    if (!err && access(export_step_file(r->arena, r->exchange, in->id, file.number), R_OK) != 0)
        err = ERR_NOT_FOUND; /* a backup does not bring the lists back */
    if (err)
        return err;
    in->take_over = begin_file;
    return ERR_OK;
}

const struct use fhir_use_export_file = {
    .event = "export-file", .actors = CALLERS, .look = file_look};
