/* SPDX-License-Identifier: Apache-2.0
 *
 * From records to the files of a standard storage (see ssmix2_export.h). A message that came in
 * still stands when it is the newest of its key and every resource it made is still one that a
 * message made; else, and for what came as FHIR, its resources are written anew, together with all
 * that shares their file. So each record is in exactly one valid file, or counted as left out.
 */
#include "exchange/use/ssmix2_export.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "exchange/gate/refs.h"
#include "exchange/use/claim.h"
#include "exchange/use/intake.h"
#include "mappers/hl7v2/keys.h"
#include "mappers/hl7v2/map.h"
#include "mappers/ssmix2/inspect.h"
#include "mappers/ssmix2/jis.h"
#include "mappers/ssmix2/place.h"
#include "mappers/ssmix2/write.h"
#include "storage/change.h"
#include "storage/inbox.h"
#include "storage/original.h"
#include "storage/person.h"
#include "storage/registry.h"

#include "base/banned.h"

#define CHANGES_PAGE 100u /* records come with them, and may be large */

/* One message that came in, and what it made. */
struct source {
    int64_t number; /* of its original: rises with arrival */
    unsigned char sha[DIGEST_LEN];
    struct slice bytes, path; /* path: where it lay in the facility's own storage, or empty */
    struct write_group key;
    bool keyed, cancels, named; /* named: its path is of our making */
    bool stands;
    bool other_results; /* results that are no examination of the standard's ORU */
    struct {
        struct slice type, id;
    } *made;
    size_t made_count;
};

struct item {
    int64_t source; /* number; 0: came another way */
    int64_t facility;
};

struct plan {
    struct arena *arena; /* of one patient's records, however many */
    struct session *s;
    struct request *r;
    struct ssmix2_export *out;
    struct facility facility; /* whose records these are */
    bool own;                 /* of the caller: originals may be given out */
    struct write_item *items;
    struct item *more; /* beside items */
    size_t count;
    struct source *sources;
    size_t source_count;
    struct inbox_filed *filed;
    size_t filed_count, room;
    struct keys by_sha;    /* of a file that was taken in: its struct inbox_filed */
    struct keys by_name;   /* "Type/id" -> its struct item; "Patient/" whichever it is */
    struct keys by_number; /* of an original -> struct source */
    struct keys by_key;    /* kind, date, order -> the newest struct source */
};

/* What a key of BYTES leads to; NULL: nothing, or no room. */
static void **slot_of(struct plan *p, struct keys *keys, const void *bytes, size_t len)
{
    struct keys_slot *slot = keys_at(p->arena, keys, slice_of(bytes, len));

    return slot ? &slot->value : NULL;
}

static void **name_slot(struct plan *p, struct slice type, struct slice id)
{
    bool patient = slice_is(type, "Patient"); /* goes by his chart, not by an id */
    struct slice name = slice_str(arena_printf(p->arena, "%.*s/%.*s", SLICE_ARG(type),
                                               patient ? 0 : (int)id.len, id.ptr ? id.ptr : ""));

    return slot_of(p, &p->by_name, name.ptr, name.len);
}

static struct source **key_slot(struct plan *p, const struct write_group *key)
{
    struct slice name =
        slice_str(arena_printf(p->arena, "%s %s %s", key->kind, key->care_date, key->order_no));

    return (struct source **)slot_of(p, &p->by_key, name.ptr, name.len);
}

/* ── changes ─────────────────────────────────────────────────────────────────────────────────── */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The charts of a page of changes, each once. LIST: of the records that come with them. */
static enum err read_changes(struct session *s, struct request *r, struct arena *list)
{
    struct ssmix2_changes *in = r->input;
    struct change_query query = {
        .oldest_first = true, .after_given = true, .after = in->after, .limit = CHANGES_PAGE};
    struct change_result found = {0};
    int64_t last = 0;
    enum err err = change_last(s, &last);
    if (!err)
        err = change_list(s, list, &query, &found);
    if (err)
        return err;
    in->count = 0;
    in->charts = arena_array(in->arena, found.count + 1, sizeof(*in->charts));
    if (!in->charts)
        return ERR_LIMIT;
    for (size_t i = 0; i < found.count; i++) {
        if (found.records[i].facility == r->grant.facility && found.records[i].chart > 0)
            in->charts[in->count++] = found.records[i].chart;
    }
    qsort(in->charts, in->count, sizeof(*in->charts), by_number);
    size_t kept = 0;
    for (size_t i = 0; i < in->count; i++) {
        if (kept == 0 || in->charts[kept - 1] != in->charts[i])
            in->charts[kept++] = in->charts[i];
    }
    in->count = kept;
    in->more = found.more;
    in->last = found.more ? found.records[found.count - 1].seq : last;
    return ERR_OK;
}

static enum err changes_look(struct session *s, struct request *r)
{
    struct arena *list = arena_new(LIMIT_ARENA_CHART);
    enum err err = list ? read_changes(s, r, list) : ERR_LIMIT;

    arena_free(list);
    r->audit_default_off = !err; /* says which charts to look at; each look is audited */
    return err;
}

const struct use ssmix2_changes_use = {
    .event = "export-ssmix2", .actors = 1u << GRANT_INTAKE, .look = changes_look};

/* ── characters the standard lacks ───────────────────────────────────────────────────────────── */

struct lacking {
    struct plan *p;
    const char *kind;
    enum err err;
};

static void on_lacking(void *context, struct slice place, size_t count)
{
    struct lacking *l = context;
    struct ssmix2_lacking **at = &l->p->out->lacking;

    l->p->out->replaced += count;
    while (*at && !((*at)->kind == l->kind && slice_eq((*at)->place, place)))
        at = &(*at)->next;
    if (!*at) {
        *at = ARENA_NEW(l->p->out->arena, struct ssmix2_lacking);
        if (!*at) {
            l->err = ERR_LIMIT;
            return;
        }
        (*at)->kind = l->kind;
        (*at)->place = arena_dup(l->p->out->arena, place);
    }
    (*at)->count += count;
}

static enum err note_lacking(struct plan *p, const char *kind, struct slice text)
{
    struct lacking l = {p, kind, ERR_OK};
    enum err err = write_lacking(text, on_lacking, &l);

    return err ? err : l.err;
}

/* ── records ─────────────────────────────────────────────────────────────────────────────────── */

static enum err add_record(struct plan *p, const struct record *record)
{
    struct json_fault fault = {0};
    struct json *body = NULL;
    int64_t number = 0;
    enum err err = json_parse(p->arena, record->body, &body, &fault);

    if (!err && p->own)
        err = original_of_record(p->s, record->rid, &number);
    if (err)
        return err;
    p->more[p->count] = (struct item){.source = number, .facility = record->facility};
    p->items[p->count++] = (struct write_item){
        .type = record->type, .id = record->id, .resource = body, .updated_ms = record->updated_ms};
    return ERR_OK;
}

/* What came in of this chart, also when nothing of it is left. */
static enum err load_sources(struct plan *p, int64_t chart)
{
    struct original_ref *refs = NULL;
    size_t count = 0;
    enum err err = original_of_chart(p->s, p->arena, chart, &refs, &count);

    if (!err && !(p->sources = arena_array(p->arena, count + 1, sizeof(*p->sources))))
        err = ERR_LIMIT;
    for (size_t i = 0; i < count && !err; i++) {
        struct source *source = &p->sources[p->source_count++];
        source->number = refs[i].number;
        source->bytes = refs[i].bytes;
        memcpy(source->sha, refs[i].sha, DIGEST_LEN);
    }
    return err;
}

/* Room for COUNT more records. */
static enum err make_room(struct plan *p, size_t count)
{
    size_t room = p->room < LIMIT_SEARCH_COUNT ? LIMIT_SEARCH_COUNT : p->room;

    if (p->count + count <= p->room)
        return ERR_OK;
    while (room < p->count + count)
        room *= 2;
    struct write_item *items = arena_array(p->arena, room, sizeof(*items));
    struct item *more = arena_array(p->arena, room, sizeof(*more));
    if (!items || !more)
        return ERR_LIMIT;
    if (p->count > 0) {
        memcpy(items, p->items, p->count * sizeof(*items));
        memcpy(more, p->more, p->count * sizeof(*more));
    }
    p->items = items;
    p->more = more;
    p->room = room;
    return ERR_OK;
}

/* Pages of the person's current records, oldest change first, of one chart or one facility. */
static enum err load_records(struct plan *p, int64_t person, int64_t chart)
{
    struct change_query query = {.persons = &person,
                                 .person_count = 1,
                                 .current_only = true,
                                 .oldest_first = true,
                                 .limit = LIMIT_SEARCH_COUNT};
    struct change_result found = {.more = true};
    enum err err = ERR_OK;

    while (found.more && !err) {
        err = change_list(p->s, p->arena, &query, &found);
        if (!err)
            err = make_room(p, found.count);
        for (size_t i = 0; i < found.count && !err; i++) {
            const struct record *record = &found.records[i];
            bool ours = chart > 0 ? record->chart == chart : record->facility == p->facility.id;
            if (ours && !record->deleted)
                err = add_record(p, record);
        }
        query.after_given = true;
        query.after = found.count > 0 ? found.records[found.count - 1].seq : 0;
    }
    return err;
}

static enum err note_records(struct plan *p)
{
    for (size_t i = 0; i < p->count; i++) {
        void **slot = name_slot(p, p->items[i].type, p->items[i].id);
        if (!slot)
            return ERR_LIMIT;
        if (!*slot)
            *slot = &p->more[i];
    }
    return ERR_OK;
}

/* ── messages that came in ───────────────────────────────────────────────────────────────────── */

static void find_path(struct plan *p, struct source *source)
{
    void **slot = slot_of(p, &p->by_sha, source->sha, DIGEST_LEN);
    const struct inbox_filed *filed = slot ? *slot : NULL;

    if (filed)
        source->path = filed->path;
}

/* What it made, by the same mapper under the same keys. */
static enum err map_source(struct plan *p, struct source *source, struct hl7_message *m)
{
    struct mapper_env env = {.facility_code = p->facility.code,
                             .facility_name = p->facility.name,
                             .now_ms = p->r->grant.now_ms,
                             .id_of = intake_id,
                             .context = p->r};
    struct mapped *mapped = NULL;
    struct err_list dropped;

    err_list_init(&dropped, m->arena);
    if (hl7_map(m, &env, &dropped, &mapped) != ERR_OK)
        return ERR_INVALID;
    source->made = arena_array(p->arena, mapped->count + 1, sizeof(*source->made));
    if (!source->made)
        return ERR_LIMIT;
    for (const struct mapped_resource *r = mapped->first; r; r = r->next) {
        if (r->create_only || r->remove)
            continue;
        if (slice_is(slice_str(r->type), "Observation"))
            source->other_results = source->other_results ||
                                    place_has_category(r->resource, "laboratory") ||
                                    place_has_category(r->resource, "vital-signs");
        source->made[source->made_count].type = arena_dup(p->arena, slice_str(r->type));
        source->made[source->made_count++].id = arena_dup(p->arena, json_str(r->resource, "id"));
    }
    return ERR_OK;
}

static void copy_key(struct plan *p, struct source *source, const struct ssmix2_path *path)
{
    for (const struct ssmix2_kind *k = ssmix2_kinds; k->code; k++) {
        if (slice_is(path->kind, k->code))
            source->key.kind = k->code;
    }
    snprintf(source->key.care_date, sizeof(source->key.care_date), "%.*s",
             SLICE_ARG(path->care_date));
    snprintf(source->key.order_no, sizeof(source->key.order_no), "%.*s", SLICE_ARG(path->order_no));
    source->keyed = source->key.kind != NULL;
    (void)p;
}

/* A path of its own wins; else one is made of what the message says. */
static void name_source(struct plan *p, struct source *source, const struct hl7_message *m)
{
    struct arena *a = p->arena;
    struct slice no = p->out->local_no, first = slice_sub(no, 0, 3), second = slice_sub(no, 3, 3);
    struct ssmix2_path path;
    struct err_list dropped;

    err_list_init(&dropped, m->arena);
    if (source->path.len > 0 && ssmix2_parse(source->path, &dropped, &path) == ERR_OK) {
        copy_key(p, source, &path);
        source->cancels = path.flag == SSMIX2_DELETED;
        return;
    }
    source->keyed = write_key(a, m, &source->key);
    if (source->keyed && strcmp(source->key.kind, "OMG-13") == 0)
        source->keyed = !source->other_results;
    if (!source->keyed)
        return;
    source->named = true;
    source->cancels = write_is_cancel(m, source->key.kind);
    source->path = slice_str(arena_printf(
        a, "%.*s/%.*s/%.*s/%s/%s/%.*s_%s_%s_%s_%.*s_%.*s_%c", SLICE_ARG(first), SLICE_ARG(second),
        SLICE_ARG(no), source->key.care_date, source->key.kind, SLICE_ARG(no),
        source->key.care_date, source->key.kind, source->key.order_no, SLICE_ARG(write_sent(a, m)),
        SLICE_ARG(write_department(a, m)), source->cancels ? '0' : '1'));
}

/* In the characters of the standard; what they lack is said. */
static enum err recode(struct plan *p, struct source *source, const struct hl7_message *m)
{
    struct buf coded;
    size_t replaced = 0;
    enum err err;

    buf_init(&coded, 4u * LIMIT_SSMIX2_FILE);
    err = write_recode(m, &coded, &replaced);
    source->bytes = arena_dup(p->arena, buf_slice(&coded));
    buf_fini(&coded);
    if (!err && replaced > 0)
        err = note_lacking(p, source->key.kind, m->text);
    return err;
}

/* Does a message that came by another way keep to the standard as it is? */
static bool conforms(const struct source *source, struct arena *arena)
{
    struct inspection in;

    inspect_file(arena, source->path, source->bytes, &in);
    for (unsigned c = 0; c < INSPECT_CHECKS; c++) {
        if (in.found[c].errors > 0)
            return false;
    }
    return true;
}

/* Bytes and path as they would be in the storage; false: it has to be written anew. */
static enum err fit_source(struct plan *p, struct source *source, const struct hl7_message *m,
                           bool *ret_fits)
{
    struct err_list dropped;
    enum err err = ERR_OK;

    name_source(p, source, m);
    *ret_fits = source->keyed;
    if (!source->named)
        return ERR_OK; /* the facility's own file: it is the facility's to judge */
    err_list_init(&dropped, m->arena);
    jis_check(m->arena, source->bytes, &dropped);
    if (dropped.errors > 0)
        err = recode(p, source, m);
    *ret_fits = !err && conforms(source, m->arena);
    return err;
}

static enum err read_source(struct plan *p, struct source *source)
{
    struct arena *arena = arena_new(2u * LIMIT_ARENA_REQUEST); /* a chart may have very many */
    struct hl7_message *m = NULL;
    struct err_list dropped;
    bool fits = false;
    enum err err = ERR_LIMIT;

    if (!arena)
        return err;
    err_list_init(&dropped, arena);
    find_path(p, source);
    err = hl7_lex(arena, source->bytes, &dropped, &m);
    if (!err)
        err = map_source(p, source, m);
    if (!err)
        err = fit_source(p, source, m, &fits);
    arena_free(arena);
    source->stands = !err && fits;
    return err == ERR_LIMIT ? err : ERR_OK; /* what cannot be read any more is written anew */
}

/* Is the resource there, and made by a message? */
static bool still_made(struct plan *p, struct slice type, struct slice id)
{
    void **slot = name_slot(p, type, id);
    const struct item *item = slot ? *slot : NULL;

    return item && item->source > 0;
}

static enum err judge_sources(struct plan *p)
{
    for (size_t i = 0; i < p->source_count; i++) {
        struct source *source = &p->sources[i], **newest = NULL;
        void **slot = slot_of(p, &p->by_number, &source->number, sizeof(source->number));
        if (!slot)
            return ERR_LIMIT;
        *slot = source;
        for (size_t j = 0; source->stands && !source->cancels && j < source->made_count; j++)
            source->stands = still_made(p, source->made[j].type, source->made[j].id);
        if (!source->keyed)
            continue;
        newest = key_slot(p, &source->key);
        if (!newest)
            return ERR_LIMIT;
        if (*newest && (*newest)->number < source->number)
            (*newest)->stands = false;
        else if (*newest)
            source->stands = false;
        if (!*newest || (*newest)->number < source->number)
            *newest = source;
    }
    return ERR_OK;
}

/* ── what must be written anew ───────────────────────────────────────────────────────────────── */

static bool covered(struct plan *p, size_t i)
{
    void **slot = p->more[i].source > 0
                      ? slot_of(p, &p->by_number, &p->more[i].source, sizeof(p->more[i].source))
                      : NULL;
    const struct source *source = slot ? *slot : NULL;

    return source && source->stands;
}

static struct source *standing(struct plan *p, const struct write_group *g)
{
    struct source **slot = key_slot(p, g);

    return slot && *slot && (*slot)->stands ? *slot : NULL;
}

/* Of one key there is one file: a visit that is told apart by nothing but its day gives way to the
 * message that stands, anything else is written anew together with what the message said. */
static bool displaces(struct plan *p, const struct write_group *g)
{
    struct source *source = write_is_single(g->kind) ? NULL : standing(p, g);

    if (source)
        source->stands = false;
    return source != NULL;
}

static bool gives_way(struct plan *p, const struct write_group *g)
{
    return write_is_single(g->kind) && standing(p, g);
}

static enum err plan_groups(struct plan *p, struct write_plan **ret_plan)
{
    bool changed = true;
    enum err err = ERR_OK;

    while (changed && !err) {
        changed = false;
        for (size_t i = 0; i < p->count; i++)
            p->items[i].pool = !covered(p, i);
        err = write_plan_make(p->arena, p->items, p->count, ret_plan);
        for (const struct write_group *g = err ? NULL : (*ret_plan)->groups; g; g = g->next)
            changed = displaces(p, g) || changed;
    }
    return err;
}

/* A copy that outlives the request. */
static struct slice keep(struct plan *p, struct slice s)
{
    return arena_dup(p->out->arena, s);
}

static void leave_out(struct plan *p, struct slice type)
{
    struct ssmix2_left **at = &p->out->left;

    while (*at && !slice_eq((*at)->type, type))
        at = &(*at)->next;
    if (!*at) {
        *at = ARENA_NEW(p->out->arena, struct ssmix2_left);
        if (!*at)
            return;
        (*at)->type = keep(p, type);
    }
    (*at)->count++;
}

static const struct json *patient_of(const struct plan *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (slice_is(p->items[i].type, "Patient"))
            return p->items[i].resource;
    }
    return NULL;
}

/* Patient, date, kind, order, time, department and flag of a file that is written anew. */
static enum err put_path(struct plan *p, const struct write_group *g, struct slice coded,
                         struct buf *path)
{
    struct slice no = p->out->local_no, first = slice_sub(no, 0, 3), second = slice_sub(no, 3, 3);
    struct arena *arena = arena_new(2u * LIMIT_ARENA_REQUEST);
    struct hl7_message *m = NULL;
    struct err_list dropped;
    enum err err = ERR_LIMIT;

    if (!arena)
        return err;
    err_list_init(&dropped, arena);
    err = hl7_lex(arena, coded, &dropped, &m);
    if (!err) {
        buf_addf(path, "%.*s/%.*s/%.*s/%s/%s/%.*s_%s_%s_%s_", SLICE_ARG(first), SLICE_ARG(second),
                 SLICE_ARG(no), g->care_date, g->kind, SLICE_ARG(no), g->care_date, g->kind,
                 g->order_no);
        when_print_stamp(path, g->updated_ms);
        buf_addf(path, "_%.*s_%c", SLICE_ARG(write_department(arena, m)), g->cancelled ? '0' : '1');
        err = buf_err(path);
    }
    arena_free(arena);
    return err;
}

static enum err write_group_file(struct plan *p, struct write_plan *plan,
                                 const struct write_env *env, struct write_group *g,
                                 struct ssmix2_tree_file *ret_file)
{
    struct buf text, coded, path;
    size_t replaced = 0;
    enum err err;

    buf_init(&text, LIMIT_SSMIX2_FILE);
    buf_init(&coded, 2u * LIMIT_SSMIX2_FILE);
    buf_init(&path, LIMIT_SSMIX2_PATH);
    err = write_message(plan, env, g, &text);
    if (!err)
        err = write_encode(buf_slice(&text), &coded, &replaced);
    if (!err && replaced > 0)
        err = note_lacking(p, g->kind, buf_slice(&text));
    if (!err)
        err = put_path(p, g, buf_slice(&coded), &path);
    if (!err)
        *ret_file =
            (struct ssmix2_tree_file){keep(p, buf_slice(&path)), keep(p, buf_slice(&coded))};
    buf_fini(&text);
    buf_fini(&coded);
    buf_fini(&path);
    return err;
}

/* What came and stands, and what is written anew. */
static enum err give_parts(struct plan *p, struct write_plan *plan, const struct write_env *env,
                           struct ssmix2_export_part *part)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < p->source_count; i++) {
        const struct source *source = &p->sources[i];
        if (source->stands)
            part->files[part->count++] =
                (struct ssmix2_tree_file){keep(p, source->path), keep(p, source->bytes)};
    }
    for (struct write_group *g = plan->groups; g && env->patient && !err; g = g->next) {
        if (!gives_way(p, g))
            err = write_group_file(p, plan, env, g, &part->files[part->count++]);
    }
    for (size_t i = 0; i < p->count && !err; i++) {
        /* where the others came from is no record of the patient */
        if (p->items[i].pool && !p->items[i].written && !slice_is(p->items[i].type, "Provenance"))
            leave_out(p, p->items[i].type);
    }
    return err;
}

static enum err give_files(struct plan *p, struct write_plan *plan)
{
    struct write_env env = {.facility_code = p->facility.code,
                            .facility_name = p->facility.name,
                            .local_no = p->out->local_no,
                            .patient = patient_of(p)};
    struct ssmix2_export_part *part = ARENA_NEW(p->out->arena, struct ssmix2_export_part);
    size_t room = p->source_count;
    enum err err;

    for (const struct write_group *g = plan->groups; g; g = g->next)
        room++;
    if (!part || !(part->files = arena_array(p->out->arena, room + 1, sizeof(*part->files))))
        return ERR_LIMIT;
    part->facility_code = keep(p, p->facility.code);
    part->next = p->out->parts;
    p->out->parts = part;
    err = give_parts(p, plan, &env, part);
    p->r->count += (int64_t)part->count;
    return !err && arena_exhausted(p->out->arena) ? ERR_LIMIT : err;
}

/* ── one patient ─────────────────────────────────────────────────────────────────────────────── */

/* Can a path of the standard hold it? */
static bool fits_path(struct slice local_no)
{
    for (size_t i = 0; i < local_no.len; i++) {
        char c = local_no.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return local_no.len >= 4 && local_no.len <= 15;
}

static enum err list_filed(struct plan *p)
{
    struct slice no = p->out->local_no, first = slice_sub(no, 0, 3), second = slice_sub(no, 3, 3);
    const char *prefix = arena_printf(p->arena, "%.*s/%.*s/%.*s/", SLICE_ARG(first),
                                      SLICE_ARG(second), SLICE_ARG(no));

    enum err err = inbox_filed_list(p->s, p->arena, p->facility.id, slice_str(prefix), &p->filed,
                                    &p->filed_count);
    for (size_t i = 0; i < p->filed_count && !err; i++) {
        void **slot = slot_of(p, &p->by_sha, p->filed[i].sha, DIGEST_LEN);
        if (slot)
            *slot = &p->filed[i];
        else
            err = ERR_LIMIT;
    }
    return err;
}

static enum err write_patient(struct plan *p, int64_t person, int64_t chart)
{
    struct write_plan *plan = NULL;
    enum err err = load_records(p, person, chart);

    if (!err && p->own)
        err = load_sources(p, chart);
    if (!err && p->own)
        err = list_filed(p);
    for (size_t i = 0; i < p->source_count && !err; i++)
        err = read_source(p, &p->sources[i]);
    if (!err)
        err = note_records(p);
    if (!err)
        err = judge_sources(p);
    if (!err)
        err = plan_groups(p, &plan);
    return err ? err : give_files(p, plan);
}

static enum err chart_look(struct session *s, struct request *r)
{
    struct ssmix2_export *in = r->input;
    struct plan plan = {
        .s = s, .r = r, .out = in, .facility = r->caller.facility, .own = !in->anew};
    int64_t facility = 0;
    struct slice local = SLICE_NONE;
    enum err err = person_of_chart(s, in->chart, &r->person, &facility);

    if (!err && facility != r->grant.facility)
        err = ERR_NOT_FOUND;
    if (!err)
        err = person_local_of_chart(s, r->arena, in->chart, &local);
    if (err || !fits_path(local)) {
        r->audit_default_off = !err; /* nothing of him was read */
        return err;
    }
    in->local_no = arena_dup(in->arena, local);
    plan.arena = arena_new(LIMIT_ARENA_CHART);
    err = plan.arena ? write_patient(&plan, r->person, in->chart) : ERR_LIMIT;
    arena_free(plan.arena);
    return err;
}

const struct use ssmix2_chart_use = {
    .event = "export-ssmix2", .actors = 1u << GRANT_INTAKE, .look = chart_look};

/* ── one resident, as a facility may see him ─────────────────────────────────────────────────── */

/* The asking facility's own Patient goes into every message: others' numbers and names of him are
 * not its to see. */
static enum err add_own_patient(struct plan *p, int64_t person)
{
    struct record record = {0};
    struct json *body = NULL;
    struct json_fault fault = {0};
    enum err err = record_read_patient(p->s, p->arena, person, &record);

    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    for (size_t i = 0; i < p->count; i++) {
        if (!slice_is(p->items[i].type, "Patient"))
            continue;
        err = json_parse(p->arena, record.body, &body, &fault);
        p->items[i].resource = body;
        return err;
    }
    err = make_room(p, 1);
    if (!err)
        err = json_parse(p->arena, record.body, &body, &fault);
    if (err)
        return err;
    p->more[p->count] = (struct item){0};
    p->items[p->count++] = (struct write_item){.type = SLICE("Patient"),
                                               .id = record.id,
                                               .resource = body,
                                               .updated_ms = record.updated_ms};
    return ERR_OK;
}

static enum err write_seen(struct plan *p)
{
    struct write_plan *files = NULL;
    enum err err = load_records(p, p->r->person, 0);

    if (err || p->count == 0)
        return err;
    err = add_own_patient(p, p->r->person);
    if (!err)
        err = note_records(p);
    if (!err)
        err = plan_groups(p, &files);
    return err ? err : give_files(p, files);
}

static enum err write_source_facility(struct session *s, struct request *r,
                                      const struct facility *facility)
{
    struct plan plan = {.arena = arena_new(LIMIT_ARENA_CHART),
                        .s = s,
                        .r = r,
                        .out = r->input,
                        .facility = *facility};
    enum err err = plan.arena ? write_seen(&plan) : ERR_LIMIT;

    arena_free(plan.arena);
    return err;
}

static enum err resident_look(struct session *s, struct request *r)
{
    struct ssmix2_export *in = r->input;
    struct facility *facilities = NULL;
    struct slice local = SLICE_NONE;
    size_t count = 0;
    int64_t chart = 0;
    enum err err = person_by_card(s, claim_card(r->arena, in->card), &r->person);

    if (!err)
        err = person_chart(s, r->grant.facility, r->person, &chart);
    if (err)
        return err_add(&r->errors, err, "--card", NULL);
    err = person_local_of_chart(s, r->arena, chart, &local);
    if (!err && !fits_path(local))
        err = err_say(&r->errors, ERR_SEVERITY_ERROR, ERR_NOT_FOUND, "--facility",
                      "this facility has no patient number for the resident that a path can hold",
                      "この施設には、パスに使える本人の患者番号がありません");
    if (!err)
        err = registry_facilities(s, r->arena, &facilities, &count);
    in->local_no = err ? SLICE_NONE : arena_dup(in->arena, local);
    for (size_t i = 0; i < count && !err; i++) {
        if (facilities[i].code.len > 0)
            err = write_source_facility(s, r, &facilities[i]);
    }
    return err;
}

const struct use ssmix2_resident_use = {
    .event = "export-ssmix2", .actors = 1u << GRANT_FACILITY, .look = resident_look};
