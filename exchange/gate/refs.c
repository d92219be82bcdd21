/* SPDX-License-Identifier: Apache-2.0
 *
 * Patients' references and identifiers, inward and outward. What mappers write as "Patient/@" and
 * what a search compares with it is their own affair; nothing else rewrites a reference to a
 * patient.
 */
#include "exchange/gate/refs.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

#include "base/limits.h"
#include "exchange/gate/own_id.h"
#include "exchange/gate/wire.h"
#include "exchange/use/claim.h"
#include "mappers/fhir/classify.h"
#include "mappers/fhir/fold.h"
#include "storage/person.h"

#include "base/banned.h"

#define BODY_USUAL 2048u /* bytes that most resources need */

#define REFERENCE_MARK "\"reference\":\"" REFS_OWN /* then the number of a chart, if not its own   \
                                                    */

/* ── inward ──────────────────────────────────────────────────────────────────────────────────── */

struct slice refs_local(const struct request *r, struct slice reference)
{
    const char *const bases[] = {r->base_url, r->exchange->base_url, r->exchange->portal_url};
    for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
        struct slice base = slice_str(bases[i]);
        if (base.len && slice_starts(reference, base) && reference.len > base.len &&
            reference.ptr[base.len] == '/')
            return slice_sub(reference, base.len + 1, reference.len);
    }
    return reference;
}

enum err refs_person(struct session *s, const struct request *r, struct slice reference,
                     int64_t *ret_person)
{
    reference = refs_local(r, reference);
    if (slice_starts(reference, SLICE("Patient/")))
        reference = slice_sub(reference, 8, reference.len);
    reference = slice_sub(reference, 0, slice_find(reference, '/', 0)); /* /_history/n */
    return wire_person(s, r, reference, ret_person);
}

static enum err person_by_member_id(struct session *s, struct request *r, struct slice value,
                                    int64_t *ret_person)
{
    struct slice rest = value, part[4] = {{0}};
    for (unsigned i = 0; i < 4; i++)
        part[i] = fold_name(r->arena, slice_cut(&rest, ':'));
    return person_by_insured(s, part[0], part[1], part[2], part[3], ret_person);
}

enum err refs_identifier(struct session *s, struct request *r, struct slice system,
                         struct slice value, int64_t *ret_person)
{
    int64_t chart = 0;
    if (slice_is(system, REFS_SYSTEM_CARD))
        return person_by_card(s, claim_card(r->arena, value), ret_person);
    if (slice_is(system, REFS_SYSTEM_INSURED))
        return r->grant.insurer_numbers ? person_by_member_id(s, r, value, ret_person)
                                        : ERR_NOT_FOUND;
    struct slice local = SLICE(REFS_SYSTEM_LOCAL);
    if (slice_starts(system, local) && r->caller.facility.code.len &&
        slice_eq(slice_sub(system, local.len, system.len), r->caller.facility.code))
        return person_by_local(s, r->caller.facility.id, value, ret_person, &chart);
    return ERR_NOT_FOUND;
}

bool refs_is_person_system(struct slice system)
{
    return slice_is(system, REFS_SYSTEM_CARD) || slice_is(system, REFS_SYSTEM_INSURED) ||
           slice_starts(system, SLICE(REFS_SYSTEM_LOCAL));
}

/* An identifier's facets come after its token (leaf.h): its value by type goes with the token. */
void refs_filter_facets(struct facet_list *facets)
{
    size_t kept = 0;
    struct facet last = {.kind = FACET_URI}; /* the token last dropped */
    for (size_t i = 0; i < facets->count; i++) {
        struct facet *f = &facets->items[i];
        bool person = f->kind == FACET_TOKEN && refs_is_person_system(f->system);
        if (f->kind == FACET_TOKEN)
            last = person ? *f : (struct facet){.kind = FACET_URI};
        if (person || (f->kind == FACET_TYPED && last.kind == FACET_TOKEN &&
                       last.param == f->param && slice_eq(last.text, f->raw)))
            continue;
        facets->items[kept++] = *f;
    }
    facets->count = kept;
}

struct inward {
    struct session *s;
    struct request *r;
    const struct refs_scope *scope;
    const struct json *bundle; /* the resource, when it is a Bundle */
    struct refs_list list;
};

static bool is_patient_reference(const struct request *r, struct slice reference)
{
    return slice_starts(refs_local(r, reference), SLICE("Patient/"));
}

/* Does the Bundle itself hold what REFERENCE names? Then it means that, not a record of ours. */
static bool inside_bundle(const struct json *bundle, struct slice reference)
{
    const struct json *entries = json_get(bundle, "entry");
    for (const struct json *e = entries ? entries->first : NULL; e; e = e->next) {
        const struct json *resource = json_get(e, "resource");
        struct slice type = json_str(resource, "resourceType"), id = json_str(resource, "id");
        if (slice_eq(json_str(e, "fullUrl"), reference) ||
            (reference.len == type.len + 1 + id.len && slice_starts(reference, type) &&
             reference.ptr[type.len] == '/' &&
             slice_eq(slice_sub(reference, type.len + 1, reference.len), id)))
            return true;
    }
    return false;
}

/* "Patient/@entry:N" of a transaction that has such an entry. */
static bool entry_of(const struct refs_scope *scope, struct slice text, int *ret_entry)
{
    struct slice mark = SLICE(REFS_ENTRY);
    uint64_t n = 0;
    if (!scope->entries || !slice_starts(text, mark) ||
        !slice_u64(slice_sub(text, mark.len, text.len), &n) || n >= scope->entries)
        return false;
    *ret_entry = (int)n;
    return true;
}

static bool is_logical_id(struct slice id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!isalnum((unsigned char)id.ptr[i]) && id.ptr[i] != '-' && id.ptr[i] != '.')
            return false;
    return id.len > 0 && id.len <= LIMIT_FHIR_ID;
}

/* Could the id have been made by this server? Then it is no id of the caller's own, but a wrong
 * one. */
static bool looks_like_wire(struct slice id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!isxdigit((unsigned char)id.ptr[i]))
            return false;
    return id.len == IDS_WIRE_LEN;
}

/* A Patient id nobody has: the caller's to give, if he gives ids. */
static bool may_be_alias(const struct inward *in, struct slice text, struct slice *ret_alias)
{
    struct slice id = slice_sub(refs_local(in->r, text), 8, text.len);
    id = slice_sub(id, 0, slice_find(id, '/', 0));
    *ret_alias = id;
    return in->scope->aliases && in->r->grant.actor == GRANT_FACILITY &&
           in->r->caller.facility.kind != FACILITY_GATEWAY && is_logical_id(id) &&
           !looks_like_wire(id);
}

static enum err inward_add(struct inward *in, const struct refs_patient *found)
{
    struct refs_list *list = &in->list;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 8;
        struct refs_patient *items = arena_array(in->r->arena, room, sizeof(*items));
        if (!items)
            return ERR_LIMIT;
        if (list->count)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = *found;
    return ERR_OK;
}

/* Whom REFERENCE names; *ret_is false when no patient. */
static enum err inward_find(struct inward *in, const struct json *reference,
                            struct refs_patient *found, bool *ret_is)
{
    struct slice text = json_str(reference, "reference");
    const struct json *identifier = json_get(reference, "identifier");
    enum err err = ERR_OK;
    *ret_is = true;
    if (text.len && entry_of(in->scope, text, &found->entry))
        return ERR_OK;
    if (text.len && is_patient_reference(in->r, text)) {
        if (in->bundle && inside_bundle(in->bundle, text)) {
            *ret_is = false;
            return ERR_OK;
        }
        err = refs_person(in->s, in->r, text, &found->person);
        if (err == ERR_NOT_FOUND && may_be_alias(in, text, &found->alias))
            err = ERR_OK;
        return err;
    }
    if (!text.len && refs_is_person_system(json_str(identifier, "system")))
        return refs_identifier(in->s, in->r, json_str(identifier, "system"),
                               json_str(identifier, "value"), &found->person);
    *ret_is = false;
    return ERR_OK;
}

static enum err inward_reference(void *context, struct json *reference, const char *place)
{
    struct inward *in = context;
    struct request *r = in->r;
    struct slice text = json_str(reference, "reference");
    size_t version = slice_search(text, SLICE("/_history/"), 0);
    struct refs_patient found = {.reference = reference,
                                 .place = place,
                                 .entry = -1,
                                 .version = slice_sub(text, version, text.len)};
    bool is = false;
    enum err err = inward_find(in, reference, &found, &is);
    if (!err && !is)
        return ERR_OK;
    /* To a resident there is nobody but himself: whether somebody else exists must not show. */
    if (r->grant.actor == GRANT_RESIDENT &&
        (err == ERR_NOT_FOUND || (!err && found.entry < 0 && found.person != r->grant.person)))
        return err_add_words(&r->errors, ERR_FORBIDDEN, place, "only about oneself",
                             "本人の分だけです");
    if (err == ERR_NOT_FOUND)
        return err_add(&r->errors, ERR_PATIENT_UNKNOWN, place, NULL);
    return err ? err : inward_add(in, &found);
}

enum err refs_collect(struct session *s, struct request *r, struct json *resource,
                      const struct refs_scope *scope, struct refs_list *ret_list)
{
    bool bundle = slice_is(json_str(resource, "resourceType"), "Bundle");
    struct inward in = {.s = s, .r = r, .scope = scope, .bundle = bundle ? resource : NULL};
    enum err err = classify_references(resource, r->arena, inward_reference, &in);
    if (!err)
        *ret_list = in.list;
    return err;
}

int64_t refs_subject(const struct refs_list *list, const struct json *subject, bool *ret_several)
{
    int64_t person = 0;
    *ret_several = false;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].reference == subject)
            return list->items[i].person;
    for (size_t i = 0; i < list->count; i++) {
        *ret_several = *ret_several || (person && list->items[i].person != person);
        person = list->items[i].person;
    }
    return *ret_several ? 0 : person;
}

enum err refs_settle(struct session *s, struct request *r, const struct refs_list *list,
                     int64_t own)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct refs_patient *p = &list->items[i];
        char number[24] = "";
        int64_t chart = 0;
        assert(p->person > 0);
        if (p->person != own) {
            enum err err = person_open_chart(s, r->grant.facility, p->person, &chart);
            if (err)
                return err;
            (void)snprintf(number, sizeof(number), "%lld", (long long)chart);
        }
        const char *text = arena_printf(r->arena, REFS_OWN "%s%.*s", number, SLICE_ARG(p->version));
        json_set(p->reference, "reference", json_string(r->arena, slice_str(text)));
        /* Another reader may not be entitled to it. */
        if (refs_is_person_system(json_str(json_get(p->reference, "identifier"), "system")))
            json_remove(p->reference, "identifier");
    }
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

enum err refs_body(struct arena *arena, struct json *resource, struct slice *ret_body)
{
    struct buf out;
    struct json *type = json_get(resource, "resourceType");
    struct json *meta = json_get(resource, "meta");
    enum err err;
    assert(type);
    json_remove(meta, "versionId");
    json_remove(meta, "lastUpdated");
    buf_init(&out, LIMIT_HTTP_BODY * 2);
    (void)buf_reserve(&out, BODY_USUAL);
    buf_adds(&out, "{\"resourceType\":");
    json_print(&out, type);
    buf_adds(&out, ",\"meta\":");
    if (meta && meta->count)
        json_print(&out, meta);
    else
        buf_adds(&out, "{}");
    for (const struct json *m = resource->first; m; m = m->next) {
        if (slice_is(m->key, "resourceType") || slice_is(m->key, "meta") || slice_is(m->key, "id"))
            continue;
        buf_addc(&out, ',');
        json_print_string(&out, m->key);
        buf_addc(&out, ':');
        json_print(&out, m);
    }
    buf_addc(&out, '}');
    err = buf_err(&out);
    if (!err) {
        *ret_body = arena_dup(arena, buf_slice(&out));
        err = ret_body->ptr ? ERR_OK : ERR_LIMIT;
    }
    buf_fini(&out);
    return err;
}

/* ── outward ─────────────────────────────────────────────────────────────────────────────────── */

struct slice refs_patient_record(struct request *r, int64_t chart)
{
    return slice_str(arena_printf(r->arena, "chart-%lld", (long long)chart));
}

struct slice refs_id(struct request *r, const struct record *record)
{
    char id[IDS_WIRE_LEN + 1];
    if (!slice_is(record->type, "Patient"))
        return own_id_shown(r, record);
    wire_id(r, record->person, id);
    return arena_dup(r->arena, slice_str(id));
}

/* {"resourceType":"T","meta":{ -> the same with id, versionId and lastUpdated; returns what
 * follows. */
static struct slice outward_head(struct request *r, const struct record *record, struct slice body,
                                 struct buf *out)
{
    size_t head = strlen("{\"resourceType\":\"") + record->type.len + strlen("\",\"meta\":{");
    struct slice rest;
    assert(body.len > head && body.ptr[head - 1] == '{');
    (void)own_id_marked(slice_sub(body, head, body.len), &rest);
    buf_adds(out, "{\"resourceType\":\"");
    buf_add(out, record->type);
    buf_adds(out, "\",\"id\":\"");
    buf_add(out, refs_id(r, record));
    buf_adds(out, "\",\"meta\":{\"versionId\":\"");
    buf_add_decimal(out, (uint64_t)record->version, 0);
    buf_adds(out, "\",\"lastUpdated\":\"");
    when_print_instant(out, record->updated_ms);
    buf_addc(out, '"');
    if (rest.ptr[0] != '}')
        buf_addc(out, ',');
    return rest;
}

/* What follows the mark: the chart of another patient, if it is one; then a version or the closing
 * quote, which stay in REST. */
static enum err outward_patient_id(struct session *s, const struct record *record,
                                   struct slice *rest, int64_t *ret_person)
{
    size_t end = 0;
    uint64_t chart = 0;
    int64_t facility = 0;
    while (end < rest->len && rest->ptr[end] >= '0' && rest->ptr[end] <= '9')
        end++;
    assert(end < rest->len && (end == 0 || s));
    *ret_person = record->person;
    if (end > 0) {
        if (!slice_u64(slice_sub(*rest, 0, end), &chart))
            return ERR_INTERNAL;
        enum err err = person_of_chart(s, (int64_t)chart, ret_person, &facility);
        if (err)
            return err;
    }
    *rest = slice_sub(*rest, end, rest->len);
    return ERR_OK;
}

static enum err outward_text(struct session *s, struct request *r, const struct record *record,
                             struct slice body, struct buf *out)
{
    char wire[IDS_WIRE_LEN + 1];
    int64_t printed = 0;
    struct slice mark = SLICE(REFERENCE_MARK);
    (void)buf_reserve(out, body.len + 512);
    struct slice rest = own_id_references(r, record, outward_head(r, record, body, out));
    if (!rest.ptr)
        return ERR_LIMIT;
    for (;;) {
        int64_t person = 0;
        size_t at = slice_search(rest, mark, 0);
        buf_add(out, slice_sub(rest, 0, at));
        if (at == rest.len)
            return buf_err(out);
        rest = slice_sub(rest, at + mark.len, rest.len);
        enum err err = outward_patient_id(s, record, &rest, &person);
        if (err)
            return err;
        assert(person > 0); /* only rows on a chart carry the plain mark */
        if (person != printed)
            wire_id(r, person, wire);
        printed = person;
        buf_adds(out, "\"reference\":\"Patient/");
        buf_adds(out, wire);
    }
}

bool refs_simple(const struct record *record)
{
    struct slice mark = SLICE(REFERENCE_MARK), rest = record->body;
    if (slice_is(record->type, "Patient"))
        return false;
    for (;;) {
        size_t at = slice_search(rest, mark, 0);
        if (at == rest.len)
            return true;
        rest = slice_sub(rest, at + mark.len, rest.len);
        if (rest.len == 0 || (rest.ptr[0] >= '0' && rest.ptr[0] <= '9'))
            return false;
    }
}

static bool may_see_identifier(const struct request *r, const struct record *record,
                               struct slice system)
{
    struct slice local = SLICE(REFS_SYSTEM_LOCAL);
    if (slice_is(system, REFS_SYSTEM_INSURED))
        return r->grant.insurer_numbers || record->facility == r->grant.facility;
    if (!slice_starts(system, local))
        return true;
    if (r->grant.actor == GRANT_RESIDENT)
        return true; /* his own numbers */
    return r->caller.facility.code.len &&
           slice_eq(slice_sub(system, local.len, system.len), r->caller.facility.code);
}

static bool has_identifier(const struct json *array, struct slice system, struct slice value)
{
    for (const struct json *i = array ? array->first : NULL; i; i = i->next)
        if (slice_eq(json_str(i, "system"), system) && slice_eq(json_str(i, "value"), value))
            return true;
    return false;
}

static void add_identifier(struct request *r, struct json *array, struct slice system,
                           struct slice value)
{
    if (has_identifier(array, system, value))
        return;
    struct json *i = json_push_object(r->arena, array);
    json_put_str(r->arena, i, "system", system);
    json_put_str(r->arena, i, "value", value);
}

/* The identifiers of a Patient for this reader: what the record says, less what is not his to see,
 * plus the card and his own numbers from the relay index. */
static enum err outward_identifiers(struct session *s, struct request *r,
                                    const struct record *record, struct json *patient)
{
    struct person_ids ids = {0};
    struct json *given = json_get(patient, "identifier");
    struct json *kept = json_new(r->arena, JSON_ARRAY);
    for (const struct json *i = given ? given->first : NULL; i; i = i->next)
        if (may_see_identifier(r, record, json_str(i, "system")))
            json_push(kept, json_clone(r->arena, i));
    enum err err = person_identifiers(s, r->arena, record->person, r->grant.facility,
                                      r->grant.insurer_numbers, &ids);
    if (err)
        return err;
    if (ids.card.len)
        add_identifier(r, kept, SLICE(REFS_SYSTEM_CARD), ids.card);
    const char *local =
        arena_printf(r->arena, REFS_SYSTEM_LOCAL "%.*s", SLICE_ARG(r->caller.facility.code));
    for (size_t i = 0; i < ids.local_count && r->caller.facility.id > 0; i++)
        add_identifier(r, kept, slice_str(local), ids.local_nos[i]);
    if (kept && kept->count)
        json_set(patient, "identifier", kept);
    else
        json_remove(patient, "identifier");
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

static enum err outward_patient(struct session *s, struct request *r, const struct record *record,
                                struct buf *out)
{
    struct json *patient = NULL;
    struct json_fault fault;
    struct buf text;
    enum err err = json_parse(r->arena, record->body, &patient, &fault);
    if (!err)
        err = outward_identifiers(s, r, record, patient);
    if (err)
        return err == ERR_MALFORMED ? ERR_INTERNAL : err;
    buf_init(&text, LIMIT_HTTP_ANSWER);
    json_print(&text, patient);
    if (!(err = buf_err(&text)))
        err = outward_text(s, r, record, buf_slice(&text), out);
    buf_fini(&text);
    return err;
}

enum err refs_outward(struct session *s, struct request *r, const struct record *record,
                      struct buf *out)
{
    assert(r->granted);
    if (slice_is(record->type, "Patient"))
        return outward_patient(s, r, record, out);
    return outward_text(s, r, record, record->body, out);
}
