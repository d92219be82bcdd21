/* SPDX-License-Identifier: Apache-2.0
 *
 * Second ids (see own_id.h). The mark is the first member of the stored meta, under a name that no
 * element of FHIR can have, so it is found and taken out without parsing.
 */
#include "exchange/gate/own_id.h"

#include "base/ids.h"
#include "base/limits.h"
#include "storage/locate.h"

#include "base/banned.h"

#define META "\",\"meta\":{"
#define MARK "\"~\":\""
#define MARK_AFTER                                                                                 \
    "\"," MARK /* behind a reference; no string can hold it: its quotes would be escaped */

static bool has_own_ids(const struct request *r, struct slice type)
{
    return (r->grant.actor == GRANT_FACILITY || r->grant.actor == GRANT_RESIDENT) &&
           !slice_is(type, "Patient");
}

/* Residents share a facility (home), so it is the person who chose. */
static bool is_own(const struct request *r, int64_t facility, int64_t person)
{
    return facility == r->grant.facility &&
           (r->grant.actor != GRANT_RESIDENT || person == r->grant.person);
}

struct slice own_id_second(struct request *r, struct slice type, struct slice id)
{
    char made[IDS_UUID_LEN + 1];
    bool resident = r->grant.actor == GRANT_RESIDENT;
    const char *owner = arena_printf(r->arena, "%lld/%lld", (long long)r->grant.facility,
                                     (long long)(resident ? r->grant.person : 0));
    struct slice parts[] = {slice_str(owner), type, id};
    if (!owner)
        return SLICE_NONE;
    ids_keyed(r->exchange->key_resource, "own-id", parts, 3, made);
    return arena_dup(r->arena, slice_str(made));
}

enum err own_id_find(struct session *s, struct request *r, struct slice type, struct slice id,
                     struct slice *ret_second)
{
    struct locate place;
    struct record other;
    if (!has_own_ids(r, type))
        return ERR_NOT_FOUND;
    struct slice second = own_id_second(r, type, id);
    enum err err = second.ptr ? locate_record(s, type, second, &place) : ERR_LIMIT;
    if (!err && place.deleted && record_read(s, r->arena, type, id, &other) == ERR_OK)
        return ERR_NOT_FOUND; /* what he deleted does not hide what he may see by now */
    if (!err)
        *ret_second = second;
    return err;
}

enum err own_id_stored(struct session *s, struct request *r, struct slice type, struct slice id,
                       struct slice *ret_id)
{
    struct locate place;
    *ret_id = id;
    enum err err = has_own_ids(r, type) ? locate_record(s, type, id, &place) : ERR_NOT_FOUND;
    if (err || is_own(r, place.facility, place.person)) /* nobody has it, or he himself */
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = own_id_find(s, r, type, id, ret_id);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool own_id_is_mine(const struct request *r, const struct record *record)
{
    return is_own(r, record->facility, record->person);
}

enum err own_id_read(struct session *s, struct request *r, struct slice type, struct slice id,
                     struct record *ret_record)
{
    struct slice second;
    enum err err = record_read(s, r->arena, type, id, ret_record);
    if (!err && own_id_is_mine(r, ret_record))
        return ERR_OK;
    if ((!err || err == ERR_NOT_FOUND || err == ERR_GONE) &&
        own_id_find(s, r, type, id, &second) == ERR_OK)
        err = record_read(s, r->arena, type, second, ret_record);
    return err;
}

struct slice own_id_mark(struct arena *arena, struct slice body, struct slice id)
{
    size_t at = slice_search(body, SLICE(META), 0) + strlen(META);
    struct slice head = slice_sub(body, 0, at), rest = slice_sub(body, at, body.len);
    bool more = rest.len && rest.ptr[0] != '}';
    return slice_str(arena_printf(arena, "%.*s" MARK "%.*s\"%s%.*s", SLICE_ARG(head), SLICE_ARG(id),
                                  more ? "," : "", SLICE_ARG(rest)));
}

struct slice own_id_marked(struct slice meta, struct slice *ret_rest)
{
    struct slice mark = SLICE(MARK);
    *ret_rest = meta;
    if (!slice_starts(meta, mark))
        return SLICE_NONE;
    meta = slice_sub(meta, mark.len, meta.len);
    struct slice id = slice_sub(meta, 0, slice_find(meta, '"', 0));
    meta = slice_sub(meta, id.len + 1, meta.len);
    *ret_rest = slice_starts(meta, SLICE(",")) ? slice_sub(meta, 1, meta.len) : meta;
    return id;
}

/* The mark comes right behind the reference, so both go to the end. */
enum err own_id_refer(struct arena *arena, struct json *reference, struct slice stored)
{
    struct slice rest = json_str(reference, "reference");
    struct slice type = slice_cut(&rest, '/');
    struct slice id = slice_cut(&rest, '/');
    const char *then = arena_printf(arena, "%.*s/%.*s%s%.*s", SLICE_ARG(type), SLICE_ARG(stored),
                                    rest.ptr ? "/" : "", SLICE_ARG(rest));
    json_remove(reference, "reference");
    json_put_text(arena, reference, "reference", then);
    json_put_str(arena, reference, "~", id);
    return arena_exhausted(arena) ? ERR_LIMIT : ERR_OK;
}

/* REFERENCE, "Type/stored[/_history/n]", with ID for what it is stored under. */
static void add_chosen(struct buf *out, struct slice reference, struct slice id)
{
    struct slice rest = reference;
    buf_add(out, slice_cut(&rest, '/'));
    buf_addc(out, '/');
    (void)slice_cut(&rest, '/');
    buf_add(out, id);
    if (rest.ptr) {
        buf_addc(out, '/');
        buf_add(out, rest);
    }
}

struct slice own_id_references(struct request *r, const struct record *record, struct slice text)
{
    struct slice mark = SLICE(MARK_AFTER), rest = text;
    bool mine = own_id_is_mine(r, record);
    struct buf out;
    if (slice_search(text, mark, 0) == text.len)
        return text;
    buf_init(&out, LIMIT_HTTP_ANSWER);
    for (size_t at; (at = slice_search(rest, mark, 0)) < rest.len;) {
        size_t begin = at;
        while (begin > 0 && rest.ptr[begin - 1] != '"')
            begin--;
        struct slice reference = slice_sub(rest, begin, at - begin);
        struct slice id = slice_sub(rest, at + mark.len, rest.len);
        buf_add(&out, slice_sub(rest, 0, begin));
        id = slice_sub(id, 0, slice_find(id, '"', 0));
        if (mine)
            add_chosen(&out, reference, id);
        else
            buf_add(&out, reference);
        rest = slice_sub(rest, at + mark.len + id.len, rest.len);
    }
    buf_add(&out, rest);
    struct slice made = buf_err(&out) ? SLICE_NONE : arena_dup(r->arena, buf_slice(&out));
    buf_fini(&out);
    return made;
}

struct slice own_id_shown(const struct request *r, const struct record *record)
{
    struct slice rest;
    size_t at = strlen("{\"resourceType\":\"") + record->type.len + strlen(META);
    if (!own_id_is_mine(r, record) || !has_own_ids(r, record->type))
        return record->id;
    struct slice chosen = own_id_marked(slice_sub(record->body, at, record->body.len), &rest);
    return chosen.len ? chosen : record->id;
}
