/* SPDX-License-Identifier: Apache-2.0
 *
 * History of an instance, of a type, of everything (R4 http.html#history), newest first, from the
 * log of changes (storage/change.h) and through the gate: deletions are entries for whoever saw
 * what was deleted. A Patient has one history for each chart the reader sees, all under the
 * reader's id of that person. Pages are joined by the number of the last change, so what is written
 * meanwhile moves nothing.
 */
#include "base/ids.h"
#include "exchange/door/fhir_page.h"
#include "exchange/gate/own_id.h"
#include "exchange/gate/refs.h"
#include "storage/change.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

bool fhir_is_history(const struct fhir_input *in)
{
    return in->shape == FHIR_INSTANCE_HISTORY || in->shape == FHIR_TYPE_HISTORY ||
           in->shape == FHIR_SYSTEM_HISTORY;
}

/* What was asked for, and what was found. */
struct asked {
    struct change_query query;
    struct change_result found;
    uint64_t total;
    bool ignored[LIMIT_SEARCH_PARAMS];
};

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static enum err bad_value(struct request *r, const struct fhir_param *p, const char *valid)
{
    return err_add(&r->errors, ERR_BAD_PARAM, arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
                   "%s", valid);
}

static enum err take_since(struct request *r, const struct fhir_param *p, struct asked *a)
{
    struct change_query *q = &a->query;
    struct when when;
    if (!when_parse_fhir(p->value, true, &when))
        return bad_value(r, p, "instant");
    q->since = when.lo_ms > 0 ? change_at(when.lo_ms) : 0;
    return ERR_OK;
}

static enum err take_at(struct request *r, const struct fhir_param *p, struct asked *a)
{
    struct change_query *q = &a->query;
    struct when when;
    if (!when_parse_fhir(p->value, true, &when))
        return bad_value(r, p, "date, dateTime, instant");
    q->at_lo = when.lo_ms > 0 ? when.lo_ms : 0;
    q->at_hi = when.hi_ms > 1 ? when.hi_ms : 1; /* before everything: nothing was current then */
    return ERR_OK;
}

static enum err take_count(struct request *r, const struct fhir_param *p, struct asked *a)
{
    uint64_t n = 0;
    if (!slice_u64(p->value, &n))
        return bad_value(r, p, "0, 1, 2 ...");
    a->query.limit = n > LIMIT_SEARCH_COUNT ? LIMIT_SEARCH_COUNT : (unsigned)n;
    return ERR_OK;
}

/* Later pages repeat the total of the first: what is counted cannot have grown behind it, and
 * counting is work. */
static enum err take_cursor(struct request *r, const struct fhir_param *p, struct asked *a)
{
    struct fhir_cursor place;
    enum err err = fhir_cursor_parse(r, p->value, &place);
    if (err)
        return err;
    a->query.after_given = true;
    a->query.after = place.number;
    a->query.count_total = false;
    a->total = (uint64_t)place.snapshot;
    return ERR_OK;
}

static const struct {
    const char *name;
    enum err (*take)(struct request *r, const struct fhir_param *p, struct asked *a);
} params[] = {
    {"_since", take_since}, {"_at", take_at}, {"_count", take_count}, {"_cursor", take_cursor}};

static enum err take_param(struct request *r, unsigned i, struct asked *a)
{
    const struct fhir_input *in = r->input;
    const struct fhir_param *p = &in->params[i];
    if (fhir_param_is_format(p))
        return ERR_OK;
    for (size_t k = 0; k < sizeof(params) / sizeof(*params); k++)
        if (slice_is(p->name, params[k].name) && !p->modifier.len) {
            for (const struct fhir_param *before = in->params; before < p; before++)
                if (slice_eq(before->name, p->name))
                    return bad_value(r, p, "once");
            return params[k].take(r, p, a);
        }
    a->ignored[i] = true;
    if (in->lenient)
        return ERR_OK;
    return err_add(&r->errors, ERR_UNKNOWN_PARAM,
                   arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
                   "_since, _at, _count, _format, _pretty");
}

/* ── entries ─────────────────────────────────────────────────────────────────────────────────── */

#define MADE_WITHIN_MS 60000 /* from an id to its commit */

/* Whether a first version came by POST or PUT is not kept, but an id that was made here when the
 * record was began by POST. What a message brought is told as PUT: its ids are the message's. */
static bool came_by_post(const struct record *record, struct slice id)
{
    uint64_t made_ms = 0;
    if (record->version != 1 || record->deleted)
        return false;
    if (slice_is(record->type, "Patient"))
        return id.len == IDS_WIRE_LEN; /* not an id of the caller's own */
    return ids_uuid_time(record->id, &made_ms) && (uint64_t)record->updated_ms >= made_ms &&
           (uint64_t)record->updated_ms - made_ms < MADE_WITHIN_MS;
}

static void print_request(struct buf *b, const struct record *record, struct slice id)
{
    if (came_by_post(record, id))
        buf_addf(b, "\"request\":{\"method\":\"POST\",\"url\":\"%.*s\"},", SLICE_ARG(record->type));
    else
        buf_addf(b, "\"request\":{\"method\":\"%s\",\"url\":\"%.*s/%.*s\"},",
                 record->deleted ? "DELETE" : "PUT", SLICE_ARG(record->type), SLICE_ARG(id));
}

/* A delete marker has no body, so the version before it says what id its source chose. */
static struct slice shown_id(struct session *s, struct request *r, const struct record *record)
{
    struct record before;
    if (record->deleted && own_id_is_mine(r, record) && !slice_is(record->type, "Patient") &&
        record_read_version(s, r->arena, record->rid, record->version - 1, &before) == ERR_OK)
        return refs_id(r, &before);
    return refs_id(r, record);
}

static enum err add_entry(struct session *s, struct request *r, const struct record *record)
{
    struct buf *b = &r->answer_buf;
    struct slice id = shown_id(s, r, record);
    const char *status = record->deleted ? "204" : record->version == 1 ? "201" : "200";
    enum err err = ERR_OK;
    buf_adds(b, r->count++ ? "," : ",\"entry\":[");
    buf_addf(b, "{\"fullUrl\":\"%s/%.*s/%.*s\",", r->base_url, SLICE_ARG(record->type),
             SLICE_ARG(id));
    if (!record->deleted) {
        buf_adds(b, "\"resource\":");
        err = refs_outward(s, r, record, b);
        buf_addc(b, ',');
    }
    print_request(b, record, id);
    buf_addf(b, "\"response\":{\"status\":\"%s\",\"etag\":\"W/\\\"%lld\\\"\",\"lastModified\":\"",
             status, (long long)record->version);
    when_print_instant(b, record->updated_ms);
    buf_adds(b, "\"}}");
    return err;
}

static enum err answer(struct session *s, struct request *r, const struct asked *a)
{
    const struct change_result *found = &a->found;
    bool too_long = false;
    struct fhir_cursor next = {.number = found->count ? found->records[found->count - 1].seq : 0,
                               .snapshot = (int64_t)a->total};
    fhir_bundle_begin(r, "history", (int64_t)a->total);
    enum err err =
        fhir_page_links(r, a->ignored, found->more && found->count ? &next : NULL, &too_long);
    for (size_t i = 0; i < found->count && !err; i++)
        err = add_entry(s, r, &found->records[i]);
    return err ? err : fhir_bundle_end(r);
}

/* ── the interactions ────────────────────────────────────────────────────────────────────────── */

static enum err read_params(struct request *r, struct asked *a)
{
    const struct fhir_input *in = r->input;
    enum err err = fhir_params(r);
    a->query.limit = LIMIT_SEARCH_COUNT_DEFAULT;
    a->query.count_total = true;
    for (unsigned i = 0; i < in->param_count && !err; i++)
        err = take_param(r, i, a);
    return err;
}

static enum err list(struct session *s, struct request *r, struct asked *a)
{
    enum err err = change_list(s, r->arena, &a->query, &a->found);
    if (!err && a->query.count_total)
        a->total = a->found.total;
    return err;
}

static enum err history_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    struct asked a = {.total = 0};
    struct change_result any = {0};
    r->entity = fhir_entity(r, in->type, in->id);
    enum err err = read_params(r, &a);
    if (!err)
        err = fhir_instance_rid(s, r, &a.query.rid);
    if (!err)
        err = list(s, r, &a);
    const struct change_query all = {.rid = a.query.rid, .limit = 1};
    if (!err && a.found.count == 0)
        err = change_list(s, r->arena, &all, &any);
    if (!err && a.found.count == 0 && any.count == 0)
        err = ERR_NOT_FOUND; /* not even outside the times asked for */
    return err ? err : answer(s, r, &a);
}

const struct use fhir_use_history = {.event = "history", .actors = READERS, .look = history_look};

static enum err history_many_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    struct asked a = {.query = {.types = &in->type, .type_count = in->type.len ? 1 : 0}};
    if (r->grant.actor == GRANT_RESIDENT) { /* sees little else, and his lie together */
        a.query.persons = &r->grant.person;
        a.query.person_count = 1;
    }
    r->entity = arena_str(r->arena, in->type);
    enum err err = read_params(r, &a);
    if (!err)
        err = list(s, r, &a);
    if (!err)
        err = fhir_page_audit(r, a.found.records, a.found.count);
    r->audit_default_off = r->audits != NULL;
    return err ? err : answer(s, r, &a);
}

const struct use fhir_use_history_type = {
    .event = "history-type", .actors = READERS, .look = history_many_look};
const struct use fhir_use_history_system = {
    .event = "history-system", .actors = READERS, .look = history_many_look};
