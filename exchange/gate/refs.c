/* SPDX-License-Identifier: Apache-2.0
 *
 * Patients' references and identifiers, inward and outward. Nothing else in the program writes or
 * reads "Patient/@".
 */
#include "exchange/gate/refs.h"

#include <assert.h>

#include "base/limits.h"
#include "exchange/gate/wire.h"
#include "exchange/use/claim.h"
#include "mappers/fhir/classify.h"
#include "mappers/fhir/fold.h"
#include "storage/person.h"

#include "base/banned.h"

#define OWN_PATIENT "Patient/@"
#define REFERENCE_MARK "\"reference\":\"" OWN_PATIENT "\""

/* ── inward ──────────────────────────────────────────────────────────────────────────────────── */

/* A full URL of this server's listeners without its base; anything else as it is. */
static struct slice without_base(const struct request *r, struct slice reference)
{
    const char *const bases[] = {r->base_url, r->exchange->base_url, r->exchange->portal_url};
    for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
        struct slice base = slice_str(bases[i]);
        if (base.len && slice_starts(reference, base) && reference.len > base.len)
            return slice_sub(reference, base.len + 1, reference.len);
    }
    return reference;
}

enum err refs_person(struct session *s, const struct request *r, struct slice reference,
                     int64_t *ret_person)
{
    reference = without_base(r, reference);
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

static bool is_person_system(struct slice system)
{
    return slice_is(system, REFS_SYSTEM_CARD) || slice_is(system, REFS_SYSTEM_INSURED) ||
           slice_starts(system, SLICE(REFS_SYSTEM_LOCAL));
}

void refs_filter_facets(struct facet_list *facets)
{
    size_t kept = 0;
    for (size_t i = 0; i < facets->count; i++)
        if (facets->items[i].kind != FACET_TOKEN || !is_person_system(facets->items[i].system))
            facets->items[kept++] = facets->items[i];
    facets->count = kept;
}

struct inward {
    struct session *s;
    struct request *r;
    int64_t person;
};

static bool is_patient_reference(const struct request *r, struct slice reference)
{
    return slice_starts(without_base(r, reference), SLICE("Patient/"));
}

static enum err inward_reference(void *context, struct json *reference, const char *place)
{
    struct inward *in = context;
    struct request *r = in->r;
    struct slice text = json_str(reference, "reference");
    struct json *identifier = json_get(reference, "identifier");
    int64_t person = 0;
    enum err err;
    if (text.len && is_patient_reference(r, text)) {
        err = refs_person(in->s, r, text, &person);
    } else if (!text.len && is_person_system(json_str(identifier, "system"))) {
        err = refs_identifier(in->s, r, json_str(identifier, "system"),
                              json_str(identifier, "value"), &person);
    } else {
        return ERR_OK;
    }
    /* To a resident there is nobody but himself: whether somebody else exists must not show. */
    if (r->grant.actor == GRANT_RESIDENT &&
        (err == ERR_NOT_FOUND || (!err && person != r->grant.person)))
        return err_add_words(&r->errors, ERR_FORBIDDEN, place, "only about oneself",
                             "本人の分だけです");
    if (err == ERR_NOT_FOUND)
        return err_add(&r->errors, ERR_PATIENT_UNKNOWN, place, NULL);
    if (err)
        return err;
    if (in->person && in->person != person)
        return err_add(&r->errors, ERR_PATIENT_MISMATCH, place, NULL);
    in->person = person;
    json_set(reference, "reference", json_string(r->arena, SLICE(OWN_PATIENT)));
    json_remove(reference, "identifier"); /* another reader may not be entitled to it */
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

enum err refs_inward(struct session *s, struct request *r, struct json *resource,
                     int64_t *ret_person)
{
    struct inward in = {.s = s, .r = r};
    enum err err = classify_references(resource, r->arena, inward_reference, &in);
    if (!err)
        *ret_person = in.person;
    return err;
}

enum err refs_body(struct request *r, struct json *resource, struct slice *ret_body)
{
    struct buf out;
    struct json *type = json_get(resource, "resourceType");
    struct json *meta = json_get(resource, "meta");
    enum err err;
    assert(type);
    json_remove(meta, "versionId");
    json_remove(meta, "lastUpdated");
    buf_init(&out, LIMIT_HTTP_BODY * 2);
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
        *ret_body = arena_dup(r->arena, buf_slice(&out));
        err = ret_body->ptr ? ERR_OK : ERR_LIMIT;
    }
    buf_fini(&out);
    return err;
}

/* ── outward ─────────────────────────────────────────────────────────────────────────────────── */

struct slice refs_id(struct request *r, const struct record *record)
{
    char id[IDS_WIRE_LEN + 1];
    if (!slice_is(record->type, "Patient"))
        return record->id;
    wire_id(r, record->person, id);
    return arena_dup(r->arena, slice_str(id));
}

/* {"resourceType":"T","meta":{ -> the same with id, versionId and lastUpdated; returns what
 * follows. */
static struct slice outward_head(struct request *r, const struct record *record, struct slice body,
                                 struct buf *out)
{
    size_t head = strlen("{\"resourceType\":\"") + record->type.len + strlen("\",\"meta\":{");
    assert(body.len > head && body.ptr[head - 1] == '{');
    buf_adds(out, "{\"resourceType\":\"");
    buf_add(out, record->type);
    buf_adds(out, "\",\"id\":\"");
    buf_add(out, refs_id(r, record));
    buf_adds(out, "\",\"meta\":{\"versionId\":\"");
    buf_add_decimal(out, (uint64_t)record->version, 0);
    buf_adds(out, "\",\"lastUpdated\":\"");
    when_print_instant(out, record->updated_ms);
    buf_addc(out, '"');
    if (body.ptr[head] != '}')
        buf_addc(out, ',');
    return slice_sub(body, head, body.len);
}

static void outward_text(struct request *r, const struct record *record, struct slice body,
                         struct buf *out)
{
    char wire[IDS_WIRE_LEN + 1];
    struct slice mark = SLICE(REFERENCE_MARK);
    (void)buf_reserve(out, body.len + 512);
    struct slice rest = outward_head(r, record, body, out);
    if (record->person > 0)
        wire_id(r, record->person, wire);
    for (;;) {
        size_t at = slice_search(rest, mark, 0);
        buf_add(out, slice_sub(rest, 0, at));
        if (at == rest.len)
            return;
        assert(record->person > 0); /* only rows on a chart carry the mark */
        buf_adds(out, "\"reference\":\"Patient/");
        buf_adds(out, wire);
        buf_addc(out, '"');
        rest = slice_sub(rest, at + mark.len, rest.len);
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
        outward_text(r, record, buf_slice(&text), out);
    buf_fini(&text);
    return err ? err : buf_err(out);
}

enum err refs_outward(struct session *s, struct request *r, const struct record *record,
                      struct buf *out)
{
    assert(r->granted);
    if (slice_is(record->type, "Patient"))
        return outward_patient(s, r, record, out);
    outward_text(r, record, record->body, out);
    return buf_err(out);
}
