/* SPDX-License-Identifier: Apache-2.0
 *
 * $meta, $meta-add, $meta-delete (R4 resource-operations.html#meta): profiles, tags and security labels of a version, of a
 * resource, of all of a type or of everything that the caller may see; and changing them. A change is an update like any
 * other, with a version of its own: labels decide who may see a record, so what they were must stay known. Profiles,
 * tags and labels are sets; a coding is known by system and code.
 */
#include "exchange/door/fhir_operation.h"
#include "exchange/door/fhir_revise.h"
#include "exchange/gate/refs.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))
#define WRITERS READERS
#define META_PAGES 50 /* pages of records with tags that one request walks */

static const char *const sets[] = {"profile", "tag", "security"};
#define SETS (sizeof(sets) / sizeof(*sets))

/* ── sets ────────────────────────────────────────────────────────────────────────────────────── */

static bool same(const struct json *a, const struct json *b)
{
    if (a->kind == JSON_STRING || b->kind == JSON_STRING)
        return a->kind == b->kind && slice_eq(a->text, b->text);
    return slice_eq(json_str(a, "system"), json_str(b, "system")) &&
           slice_eq(json_str(a, "code"), json_str(b, "code"));
}

static struct json *find(struct json *list, const struct json *item)
{
    for (struct json *i = list ? list->first : NULL; i; i = i->next)
        if (same(i, item))
            return i;
    return NULL;
}

/* Adds the items of FROM that INTO lacks, by COPY. */
static void add_by(struct arena *arena, struct json *into, const struct json *from,
                   struct json *(*copy)(struct arena *arena, const struct json *item))
{
    for (size_t k = 0; k < SETS; k++) {
        const struct json *list = json_get(from, sets[k]);
        for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
            struct json *own = json_get(into, sets[k]);
            if (find(own, i))
                continue;
            json_push(own ? own : json_put_array(arena, into, sets[k]), copy(arena, i));
        }
    }
}

static void add_all(struct arena *arena, struct json *into, const struct json *from)
{
    add_by(arena, into, from, json_clone);
}

/* A copy whose strings live in ARENA too. */
static struct json *copy_item(struct arena *arena, const struct json *item)
{
    if (item->kind == JSON_STRING)
        return json_string(arena, arena_dup(arena, item->text));
    struct json *copy = json_new(arena, JSON_OBJECT);
    static const char *const members[] = {"system", "version", "code", "display"};
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        json_put_str(arena, copy, members[i], arena_dup(arena, json_str(item, members[i])));
    return copy;
}

/* For a FROM that will not live as long as INTO. */
static void add_kept(struct arena *arena, struct json *into, const struct json *from)
{
    add_by(arena, into, from, copy_item);
}

static void remove_all(struct json *from, const struct json *what)
{
    for (size_t k = 0; k < SETS; k++) {
        const struct json *list = json_get(what, sets[k]);
        struct json *own = json_get(from, sets[k]), *found;
        for (const struct json *i = list ? list->first : NULL; i && own; i = i->next)
            if ((found = find(own, i)))
                json_detach(own, found);
        if (own && own->count == 0)
            json_remove(from, sets[k]);
    }
}

static enum err answer_meta(struct request *r, const struct json *meta)
{
    struct json *answer = json_new(r->arena, JSON_OBJECT);
    json_put_text(r->arena, answer, "resourceType", "Parameters");
    struct json *list = json_put_array(r->arena, answer, "parameter");
    struct json *item = json_push_object(r->arena, list);
    json_put_text(r->arena, item, "name", "return");
    if (meta && meta->count)
        json_set(item, "valueMeta", json_clone(r->arena, meta));
    else
        json_remove(answer, "parameter"); /* FHIR knows no empty value */
    return fhir_answer_json(r, answer);
}

static enum err answer_record(struct session *s, struct request *r, const struct record *record)
{
    struct json *resource = NULL;
    enum err err = fhir_outward_json(s, r, record, &resource);
    return err ? err : answer_meta(r, json_get(resource, "meta"));
}

/* ── $meta ───────────────────────────────────────────────────────────────────────────────────── */

static enum err meta_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct record record;
    int64_t rid = 0;
    enum err err = fhir_operation_params(r);
    if (err)
        return err;
    r->entity = fhir_entity(r, in->type, in->id);
    if (in->shape == FHIR_VERSION_OPERATION) {
        err = fhir_instance_rid(s, r, &rid);
        if (!err)
            err = record_read_version(s, r->arena, rid, in->version, &record);
        if (!err && record.deleted)
            err = ERR_GONE;
    } else {
        err = fhir_instance_record(s, r, &record);
    }
    if (err)
        return err;
    r->person = record.person;
    r->count = 1;
    return answer_record(s, r, &record);
}

const struct use fhir_use_meta = {.event = "meta", .actors = READERS, .look = meta_look};

/* Adds what the records of one page say; their bodies are gone when this returns. */
static enum err collect_page(struct session *s, struct request *r, struct search *search,
                             struct json *meta, bool *ret_more)
{
    struct arena *page = arena_new(LIMIT_ARENA_REQUEST);
    struct search_result found = {0};
    struct json_fault fault;
    enum err err = page ? search_run(s, page, search, &found) : ERR_LIMIT;
    for (size_t i = 0; i < found.count && !err; i++) {
        struct json *body = NULL;
        err = json_parse(page, found.records[i].body, &body, &fault);
        if (!err)
            add_kept(r->arena, meta, json_get(body, "meta"));
    }
    if (!err) {
        *ret_more = found.more;
        search->after_given = true;
        search->after_rid = found.last_rid;
        search->after_key = SLICE_NONE;
    }
    arena_free(page);
    return err;
}

static enum err collect_set(struct session *s, struct request *r, const char *param,
                            struct json *meta)
{
    const struct fhir_input *in = r->input;
    struct search search;
    bool more = true;
    const char *text = arena_printf(r->arena, "_%s:missing=false", param);
    struct slice type = in->type.len ? in->type : SLICE("Basic"); /* every type has these */
    enum err err = text ? fhir_query_parse(s, r, type, slice_str(text), &search) : ERR_LIMIT;
    if (err)
        return err;
    if (!in->type.len)
        search.type_count = 0;
    search.limit = LIMIT_SEARCH_COUNT;
    for (unsigned page = 0; more && !err; page++) {
        if (page == META_PAGES)
            return err_add_words(&r->errors, ERR_TOO_LARGE, "", "too many resources have tags here",
                                 "タグの付いたリソースが多すぎます");
        err = collect_page(s, r, &search, meta, &more);
    }
    return err;
}

static enum err meta_all_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    struct json *meta = json_new(r->arena, JSON_OBJECT);
    enum err err = fhir_operation_params(r);
    r->entity = arena_str(r->arena, in->type);
    for (size_t k = 0; k < SETS && !err; k++)
        err = collect_set(s, r, sets[k], meta);
    return err ? err : answer_meta(r, meta);
}

const struct use fhir_use_meta_all = {.event = "meta", .actors = READERS, .look = meta_all_look};

/* ── changing ────────────────────────────────────────────────────────────────────────────────── */

static const struct json *sent_meta(const struct request *r)
{
    const struct fhir_input *in = r->input;
    const struct json *list = json_get(in->resource, "parameter");
    for (const struct json *p = list ? list->first : NULL; p; p = p->next)
        if (slice_is(json_str(p, "name"), "meta"))
            return json_get(p, "valueMeta");
    return NULL;
}

static enum err add_meta(struct request *r, const struct json *now, struct json **ret_then)
{
    struct json *then = json_clone(r->arena, now);
    add_all(r->arena, json_get(then, "meta"), sent_meta(r));
    *ret_then = then;
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

static enum err delete_meta(struct request *r, const struct json *now, struct json **ret_then)
{
    struct json *then = json_clone(r->arena, now);
    remove_all(json_get(then, "meta"), sent_meta(r));
    *ret_then = then;
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

static enum err revise_look(struct session *s, struct request *r, fhir_revise_cb change)
{
    enum err err = fhir_operation_params(r);
    if (!err && !sent_meta(r))
        err = err_add(&r->errors, ERR_REQUIRED, "Parameters.parameter:meta", NULL);
    return err ? err : fhir_revise_look(s, r, change);
}

/* The answer is the meta, whatever Prefer says of writes: fhir_answer_written only gives it its status and tags. */
static enum err revise_apply(struct session *s, struct request *r, fhir_revise_cb change)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_revise_apply(s, r, change);
    struct record record = write_record(r, &in->write);
    in->minimal = true;
    if (!err)
        err = fhir_answer_written(s, r, &in->write);
    r->location = NULL;
    return err ? err : answer_record(s, r, &record);
}

static enum err add_look(struct session *s, struct request *r)
{
    return revise_look(s, r, add_meta);
}

static enum err add_apply(struct session *s, struct request *r)
{
    return revise_apply(s, r, add_meta);
}

static enum err delete_look(struct session *s, struct request *r)
{
    return revise_look(s, r, delete_meta);
}

static enum err delete_apply(struct session *s, struct request *r)
{
    return revise_apply(s, r, delete_meta);
}

const struct use fhir_use_meta_add = {.event = "meta-add",
                                      .actors = WRITERS,
                                      .writes = true,
                                      .look = add_look,
                                      .apply = add_apply};
const struct use fhir_use_meta_delete = {.event = "meta-delete",
                                         .actors = WRITERS,
                                         .writes = true,
                                         .look = delete_look,
                                         .apply = delete_apply};
