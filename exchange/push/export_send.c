/* SPDX-License-Identifier: Apache-2.0
 *
 * Sending one file (see export_send.h):
 *
 *     ASKING --piece--> SENDING --drained--> ASKING ... --last piece--> (ended)
 *
 *     state    event                       then
 *     ASKING   a piece came                SENDING
 *     ASKING   that was the last           the answer ends, freed
 *     ASKING   refused, or failed          the answer is cut, freed: what came is not the whole
 *     SENDING  drained                     ASKING
 *     any      the peer left               freed when no request is under way
 *
 * The answer is the caller's pace: a piece is made when the last one has left.
 */
#include "exchange/push/export_send.h"

#include <stdlib.h>

#include "exchange/gate/grant.h"
#include "exchange/gate/refs.h"
#include "exchange/pipeline.h"
#include "exchange/push/export_step.h"

#include "base/banned.h"

#define LINES_MAX 1000u /* of one piece: bounds the audit rows and the memory */

struct sender {
    struct exchange *x;
    struct http_call *call; /* NULL: gone */
    struct arena *arena;    /* of the sender itself */
    enum request_door door;
    bool has_cert, asking;
    const char *base_url;
    struct slice id, purpose, user, role, peer, target;
    unsigned char fingerprint[DIGEST_LEN];
    unsigned number;
    uint64_t line;
};

/* r->input of a piece. */
struct piece {
    struct slice id;
    unsigned number;
    uint64_t from;
    uint64_t next; /* line after this piece */
    bool last;
};

/* ── reading a piece ─────────────────────────────────────────────────────────────────────────── */

enum err export_send_job(struct session *s, struct request *r, struct slice id,
                         struct export_job *ret_job)
{
    struct export_job job;
    enum err err = export_get(s, r->arena, id, &job);
    if (err)
        return err;
    if (job.facility != r->grant.facility ||
        !slice_is(job.purpose, grant_purpose_code(r->grant.purpose)))
        return ERR_NOT_FOUND;
    *ret_job = job;
    return ERR_OK;
}

enum err export_send_file(struct session *s, struct request *r, const struct export_job *job,
                          unsigned number, struct export_file *ret_file)
{
    struct export_file *files = NULL;
    size_t count = 0;
    enum err err = job->state == EXPORT_DONE ? export_files(s, r->arena, job->id, &files, &count)
                                             : ERR_NOT_FOUND;
    for (size_t i = 0; i < count && !err; i++)
        if (files[i].number == number && files[i].lines) {
            *ret_file = files[i];
            return ERR_OK;
        }
    return err ? err : ERR_NOT_FOUND;
}

/* One row of the audit record for each person in the piece; lines of one person lie together. */
static enum err count_person(struct request *r, const struct record *record)
{
    struct request_audit *last = r->audits; /* the newest is first */
    r->count++;
    if (last && last->row.person == record->person) {
        last->row.count++;
        return ERR_OK;
    }
    return request_audit(r, record->person, r->entity, 1);
}

static void print_deleted(struct request *r, const struct record *record)
{
    struct slice id = refs_id(r, record);
    buf_addf(&r->answer_buf,
             "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"request\":"
             "{\"method\":\"DELETE\",\"url\":\"%.*s/%.*s\"}}]}",
             SLICE_ARG(record->type), SLICE_ARG(id));
}

static enum err send_line(struct session *s, struct request *r, const struct export_line *line)
{
    struct record record;
    enum err err = record_read_version(s, r->arena, line->rid, line->version, &record);
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return ERR_OK;
    if (err)
        return err;
    if (record.deleted)
        print_deleted(r, &record);
    else
        err = refs_outward(s, r, &record, &r->answer_buf);
    buf_addc(&r->answer_buf, '\n');
    return err ? err : count_person(r, &record);
}

static enum err piece_look(struct session *s, struct request *r)
{
    struct piece *p = r->input;
    struct export_line *lines = NULL;
    struct export_job job;
    struct export_file file;
    size_t count = 0, i = 0;
    enum err err = export_send_job(s, r, p->id, &job);
    if (!err)
        err = export_send_file(s, r, &job, p->number, &file);
    if (!err)
        err = export_step_read(r->arena, export_step_file(r->arena, r->exchange, p->id, p->number),
                               p->from, LINES_MAX, &lines, &count);
    if (err)
        return err;
    r->entity = arena_printf(r->arena, "$export/%.*s/%u", SLICE_ARG(p->id), p->number);
    if (p->from + count > file.lines)
        count = p->from < file.lines ? (size_t)(file.lines - p->from) : 0;
    while (i < count && !err && r->answer_buf.len < LIMIT_EXPORT_PIECE)
        err = send_line(s, r, &lines[i++]);
    p->next = p->from + i;
    p->last = p->next >= file.lines || count == 0;
    r->audit_default_off = true;
    return err ? err : buf_err(&r->answer_buf);
}

static const struct use piece_use = {
    .event = "export",
    .actors = (1u << GRANT_FACILITY) | (1u << GRANT_OPERATOR),
    .look = piece_look};

/* ── the answer ──────────────────────────────────────────────────────────────────────────────── */

static void sender_end(struct sender *t, bool whole)
{
    struct http_call *call = t->call;
    arena_free(t->arena);
    if (call)
        http_call_end(call, whole);
}

static void ask(struct sender *t);

static void on_piece(struct request *r)
{
    struct sender *t = r->door_data;
    const struct piece *p = r->input;
    t->asking = false;
    if (!t->call || r->job.err) {
        sender_end(t, false);
    } else {
        t->line = p->next;
        http_call_piece(t->call, buf_slice(&r->answer_buf));
        if (p->last)
            sender_end(t, true);
        else if (!r->answer_buf.len) /* all of it was left out: nothing will drain */
            ask(t);
    }
    request_free(r);
}

static void ask(struct sender *t)
{
    struct request *r = request_new(t->x, t->door);
    struct piece *p = r ? ARENA_NEW(r->arena, struct piece) : NULL;
    if (!p) {
        request_free(r);
        sender_end(t, false);
        return;
    }
    *p = (struct piece){.id = t->id, .number = t->number, .from = t->line};
    r->use = &piece_use;
    r->input = p;
    r->door_data = t;
    r->answer = on_piece;
    r->has_cert = t->has_cert;
    memcpy(r->fingerprint, t->fingerprint, DIGEST_LEN);
    r->base_url = t->base_url;
    r->purpose = t->purpose;
    r->user = t->user;
    r->role = t->role;
    r->peer = t->peer;
    r->method = SLICE("GET");
    r->target = t->target;
    t->asking = true;
    pipeline_start(r);
}

static void on_drained(void *context)
{
    struct sender *t = context;
    if (!t->asking)
        ask(t);
}

static void on_gone(void *context)
{
    struct sender *t = context;
    t->call = NULL;
    if (!t->asking)
        sender_end(t, false);
}

void export_send_begin(struct http_call *call, const struct request *r, struct slice id,
                       unsigned number)
{
    struct arena *arena = arena_new(64 * LIMIT_KIB);
    struct sender *t = arena ? ARENA_NEW(arena, struct sender) : NULL;
    struct http_field field = {"X-Request-Id", slice_str(r->id)};
    struct http_answer a = {
        .status = 200, .content_type = "application/fhir+ndjson", .fields = &field, .field_count = 1};
    struct http_answer busy = {.status = 503, .content_type = "text/plain"};
    struct http_flow flow = {on_drained, on_gone, t};
    if (!t) {
        arena_free(arena);
        http_call_answer(call, &busy);
        return;
    }
    *t = (struct sender){.x = r->exchange,
                         .call = call,
                         .arena = arena,
                         .door = r->door,
                         .has_cert = r->has_cert,
                         .base_url = r->base_url,
                         .id = arena_dup(arena, id),
                         .purpose = arena_dup(arena, r->purpose),
                         .user = arena_dup(arena, r->user),
                         .role = arena_dup(arena, r->role),
                         .peer = arena_dup(arena, r->peer),
                         .target = arena_dup(arena, r->target),
                         .number = number};
    memcpy(t->fingerprint, r->fingerprint, DIGEST_LEN);
    if (!http_call_begin(call, &a, &flow))
        arena_free(arena);
}
