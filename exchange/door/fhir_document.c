/* SPDX-License-Identifier: Apache-2.0
 *
 * Composition/[id]/$document (R4 composition-operation-document, documents.html): a Bundle that begins with the Composition and
 * holds what it refers to, and what that refers to, as far as this caller may see it: what he may not see is not there,
 * as everywhere. References to other servers stay references. The document is made for the answer and not kept.
 */
#include "base/ids.h"
#include "exchange/door/fhir_operation.h"
#include "exchange/door/fhir_page.h"
#include "exchange/gate/refs.h"
#include "exchange/gate/wire.h"
#include "mappers/fhir/classify.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT))

struct document {
    struct session *s;
    struct request *r;
    struct record *records;
    struct json **resources;
    size_t count;
};

static bool is_there(const struct document *d, const struct record *record)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->records[i].rid == record->rid)
            return true;
    return false;
}

static enum err add(struct document *d, const struct record *record)
{
    if (is_there(d, record))
        return ERR_OK;
    if (d->count == LIMIT_SEARCH_INCLUDED)
        return err_add_words(&d->r->errors, ERR_TOO_LARGE, "", "the document would be too large",
                             "文書が大きすぎます");
    enum err err = fhir_outward_json(d->s, d->r, record, &d->resources[d->count]);
    if (!err)
        d->records[d->count++] = *record;
    return err;
}

/* Adds what REFERENCE names here, if it may be seen. */
static enum err follow(void *context, struct json *reference, const char *place)
{
    struct document *d = context;
    struct request *r = d->r;
    struct slice rest = refs_local(r, json_str(reference, "reference"));
    struct slice type = slice_cut(&rest, '/');
    struct slice id = slice_sub(rest, 0, slice_find(rest, '/', 0)); /* without a version */
    const struct definition_type *known = definition_type(type);
    struct record record;
    int64_t person = 0;
    enum err err = ERR_NOT_FOUND;
    (void)place;
    if (!known || known->kind != DEFINITION_RESOURCE || !id.len)
        return ERR_OK;
    if (!slice_is(type, "Patient")) {
        err = record_read(d->s, r->arena, type, id, &record);
    } else {
        err = wire_person(d->s, r, id, &person);
        if (!err)
            err = record_read_patient(d->s, r->arena, person, &record);
    }
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return ERR_OK;
    return err ? err : add(d, &record);
}

static enum err gather(struct document *d, const struct record *composition)
{
    enum err err = add(d, composition);
    for (size_t i = 0; i < d->count && !err; i++)
        err = classify_references(d->resources[i], d->r->arena, follow, d);
    return err;
}

static enum err print(struct document *d)
{
    struct request *r = d->r;
    struct buf *b = &r->answer_buf;
    char id[IDS_UUID_LEN + 1];
    ids_uuid(id);
    fhir_bundle_begin(r, "document", -1);
    buf_addf(b, ",\"identifier\":{\"system\":\"urn:ietf:rfc:3986\",\"value\":\"urn:uuid:%s\"},\"timestamp\":\"",
             id);
    when_print_instant(b, r->grant.now_ms);
    buf_addc(b, '"');
    enum err err = ERR_OK;
    for (size_t i = 0; i < d->count && !err; i++)
        err = fhir_bundle_entry(d->s, r, &d->records[i], NULL);
    return err ? err : fhir_bundle_end(r);
}

static enum err document_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    struct document d = {.s = s, .r = r};
    struct record composition;
    r->entity = fhir_entity(r, in->type, in->id);
    enum err err = fhir_operation_params(r);
    struct slice persist = fhir_operation_value(in, "persist");
    if (!err && slice_is(persist, "true"))
        err = err_add_words(&r->errors, ERR_NOT_SUPPORTED, "persist", "documents are not kept; POST the Bundle",
                            "文書は保存しません。Bundle を POST してください");
    if (!err && persist.len && !slice_is(persist, "true") && !slice_is(persist, "false"))
        err = err_add(&r->errors, ERR_BAD_PARAM, "persist", "false");
    if (!err)
        err = fhir_instance_record(s, r, &composition);
    d.records = arena_array(r->arena, LIMIT_SEARCH_INCLUDED, sizeof(*d.records));
    d.resources = arena_array(r->arena, LIMIT_SEARCH_INCLUDED, sizeof(*d.resources));
    if (!err && (!d.records || !d.resources))
        err = ERR_LIMIT;
    if (!err)
        err = gather(&d, &composition);
    if (!err)
        err = fhir_page_audit(r, d.records, d.count);
    r->audit_default_off = !err;
    return err ? err : print(&d);
}

const struct use fhir_use_document = {
    .event = "document", .actors = READERS, .look = document_look};
