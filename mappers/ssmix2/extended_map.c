/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of the extended storage as resources (see extended.h, decision 0023). Each file is a
 * DocumentReference with its bytes in a Binary; an attachment says which document it belongs to.
 * What the folder names say is all that is said of it: a document is not interpreted here. Ids hold
 * the time of sending, so that a new version does not overwrite the one that became history.
 */
#include "mappers/ssmix2/extended.h"

#include <libxml/tree.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/when.h"
#include "mappers/hl7v2/provenance.h"
#include "mappers/xml.h"

#include "base/banned.h"

#define CDA "urn:hl7-org:v3"
#define LOINC "http://loinc.org"
#define INSTITUTION "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"

struct making {
    struct arena *a;
    const struct extended_path *path;
    const struct mapper_env *env;
    struct slice bytes;
    struct mapped *out;
    bool is_cda;
};

/* ---- whose is it ---- */

static const xmlNode *child(const xmlNode *node, const char *name)
{
    for (const xmlNode *c = node ? node->children : NULL; c; c = c->next) {
        if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0)
            return c;
    }
    return NULL;
}

/* One of recordTarget/patientRole/id must be the path's patient. */
static bool names_patient(const xmlNode *root, struct slice id)
{
    const xmlNode *role = child(child(root, "recordTarget"), "patientRole");

    for (const xmlNode *c = role ? role->children : NULL; c; c = c->next) {
        xmlChar *extension = NULL;
        bool same = false;
        if (c->type != XML_ELEMENT_NODE || strcmp((const char *)c->name, "id") != 0)
            continue;
        extension = xmlGetNoNsProp((xmlNode *)(uintptr_t)c, (const xmlChar *)"extension");
        same = extension && slice_is(id, (const char *)extension);
        xmlFree(extension);
        if (same)
            return true;
    }
    return false;
}

static enum err check_patient(struct making *m, struct err_list *errors)
{
    struct xml_fault fault = {0};
    struct _xmlDoc *doc = NULL;
    enum err err;

    if (!slice_starts(slice_trim(slice_sub(m->bytes, 0, 512)), SLICE("<")) &&
        !slice_starts(m->bytes, SLICE("\xEF\xBB\xBF<")))
        return ERR_OK; /* no markup: nothing in it can be compared */
    err = xml_parse(m->bytes, &doc, &fault);
    if (err)
        return err_add_words(errors, err, "ClinicalDocument", fault.en ? fault.en : "",
                             fault.ja ? fault.ja : "");
    m->is_cda = xml_root_is(doc, CDA, "ClinicalDocument");
    if (m->is_cda && !names_patient(xmlDocGetRootElement(doc), m->path->patient_id))
        err = err_say(errors, ERR_SEVERITY_ERROR, ERR_PATIENT_MISMATCH,
                      "ClinicalDocument.recordTarget.patientRole.id",
                      "the path and the document name different patients",
                      "パスと文書の患者IDが一致しません");
    xml_free(doc);
    return err;
}

/* ---- what is it ---- */

static const char *media_of(const struct making *m)
{
    static const struct {
        const char *end, *media;
    } ends[] = {
        {".pdf", "application/pdf"}, {".xml", "text/xml"},    {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},     {".png", "image/png"},   {".gif", "image/gif"},
        {".tif", "image/tiff"},      {".tiff", "image/tiff"}, {".txt", "text/plain"},
        {".csv", "text/csv"},        {".html", "text/html"},  {".dcm", "application/dicom"},
        {".xsl", "text/xml"},
    };

    if (m->is_cda)
        return "text/xml";
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct slice end = slice_str(ends[i].end);
        struct slice tail = slice_sub(m->path->file, m->path->file.len - end.len, end.len);
        if (m->path->file.len > end.len && slice_ieq(tail, end))
            return ends[i].media;
    }
    return "application/octet-stream";
}

static void put_coding(struct making *m, struct json *codings, struct slice system,
                       struct slice code, struct slice display)
{
    struct json *coding;

    if (code.len == 0)
        return;
    coding = json_push_object(m->a, codings);
    json_put_str(m->a, coding, "system", system);
    json_put_str(m->a, coding, "code", code);
    json_put_str(m->a, coding, "display", display);
}

/* The standard's name first, then the institution's own. */
static void put_type(struct making *m, struct json *reference)
{
    const struct slice *k = m->path->kind;
    struct json *type = json_put_object(m->a, reference, "type");
    struct slice local = slice_str(arena_printf(m->a, "urn:tasuki:local:%.*s:%.*s",
                                                SLICE_ARG(m->env->facility_code), SLICE_ARG(k[2])));

    if (k[3].len > 0 || k[0].len > 0) {
        struct json *codings = json_put_array(m->a, type, "coding");
        put_coding(m, codings, slice_is(k[5], "LN") ? SLICE(LOINC) : k[5], k[3], k[4]);
        put_coding(m, codings, local, k[0], k[1]);
    }
    struct slice text = k[1].len > 0 ? k[1] : k[4].len > 0 ? k[4] : k[0].len > 0 ? k[0] : k[3];
    if (text.len > 0)
        json_put_str(m->a, type, "text", text);
}

/* ---- resources ---- */

static struct slice key_of(struct making *m, struct slice file)
{
    const struct extended_path *p = m->path;

    return slice_str(arena_printf(
        m->a, "EXT:%.*s:%.*s^%.*s:%.*s:%.*s:%.*s", SLICE_ARG(p->care_date), SLICE_ARG(p->kind[0]),
        SLICE_ARG(p->kind[3]), SLICE_ARG(p->key), SLICE_ARG(p->sent_at), SLICE_ARG(file)));
}

static struct mapped_resource *add(struct making *m, const char *type, struct slice key)
{
    struct mapped_resource *r = ARENA_NEW(m->a, struct mapped_resource);
    char id[37];

    if (!r)
        return NULL;
    m->env->id_of(m->env->context, type, m->path->patient_id, key, id);
    r->type = type;
    r->resource = json_new(m->a, JSON_OBJECT);
    json_put_text(m->a, r->resource, "resourceType", type);
    json_put_str(m->a, r->resource, "id", arena_dup(m->a, slice_str(id)));
    r->remove = m->path->flag == SSMIX2_DELETED;
    if (m->out->last)
        m->out->last->next = r;
    else
        m->out->first = r;
    m->out->last = r;
    m->out->count++;
    return r;
}

static struct slice id_of(const struct mapped_resource *r)
{
    return json_str(r->resource, "id");
}

static void put_patient(struct making *m, struct json *resource, const char *member)
{
    json_put_text(m->a, json_put_object(m->a, resource, member), "reference", "Patient/@");
}

static enum err put_binary(struct making *m, struct mapped_resource **ret_binary)
{
    struct mapped_resource *r = add(m, "Binary", key_of(m, m->path->file));
    struct buf data;

    if (!r)
        return ERR_LIMIT;
    buf_init(&data, 2u * LIMIT_SSMIX2_FILE);
    digest_base64(&data, m->bytes, false);
    struct slice text = arena_dup(m->a, buf_slice(&data));
    enum err err = buf_err(&data) ? buf_err(&data) : !text.ptr && data.len ? ERR_LIMIT : ERR_OK;
    buf_fini(&data);
    json_put_text(m->a, r->resource, "contentType", media_of(m));
    put_patient(m, r->resource, "securityContext");
    json_put_str(m->a, r->resource, "data", text);
    *ret_binary = r;
    return err;
}

/* The time of sending as an instant; empty when it is none. */
static struct slice sent_at(struct making *m)
{
    struct buf text;
    struct slice out = SLICE_NONE;

    buf_init(&text, 64);
    if (when_hl7_to_fhir(slice_sub(m->path->sent_at, 0, 14), &text) && !buf_err(&text))
        out = arena_dup(m->a, buf_slice(&text));
    buf_fini(&text);
    return out;
}

static void put_hash(struct making *m, struct json *attachment)
{
    unsigned char digest[DIGEST_SHA1_LEN];
    struct buf text;

    digest_sha1(m->bytes, digest);
    buf_init(&text, 2 * DIGEST_SHA1_LEN);
    digest_base64(&text, slice_of((const char *)digest, sizeof(digest)), false);
    json_put_str(m->a, attachment, "hash", arena_dup(m->a, buf_slice(&text)));
    buf_fini(&text);
}

static void put_attachment(struct making *m, struct json *reference,
                           const struct mapped_resource *binary)
{
    struct json *content = json_push_object(m->a, json_put_array(m->a, reference, "content"));
    struct json *attachment = json_put_object(m->a, content, "attachment");

    json_put_text(m->a, attachment, "contentType", media_of(m));
    json_put_str(m->a, attachment, "url",
                 slice_str(arena_printf(m->a, "Binary/%.*s", SLICE_ARG(id_of(binary)))));
    json_put_int(m->a, attachment, "size", (int64_t)m->bytes.len);
    put_hash(m, attachment);
    json_put_str(m->a, attachment, "title", m->path->file);
    json_put_str(m->a, attachment, "creation", sent_at(m));
}

/* A number of this institution: {system: urn:tasuki:local:FACILITY:NAME, value}. */
static void put_number(struct making *m, struct json *identifier, const char *name,
                       struct slice value)
{
    json_put_str(m->a, identifier, "system",
                 slice_str(arena_printf(m->a, "urn:tasuki:local:%.*s:%s",
                                        SLICE_ARG(m->env->facility_code), name)));
    json_put_str(m->a, identifier, "value", value);
}

/* What a document is known by: the folder is the document, a file beside it is one of its parts. */
static void put_identifiers(struct making *m, struct json *reference)
{
    struct slice name = m->path->content;

    if (!extended_is_main(m->path))
        name = slice_str(
            arena_printf(m->a, "%.*s/%.*s", SLICE_ARG(m->path->content), SLICE_ARG(m->path->file)));
    put_number(m, json_put_object(m->a, reference, "masterIdentifier"), "ssmix2-document", name);
    put_number(m, json_push_object(m->a, json_put_array(m->a, reference, "identifier")),
               "ssmix2-content", m->path->content);
}

/* Which document an attachment belongs to: that of its folder. By number, since where the main
 * document is a message (vital signs) there is no DocumentReference to point to. */
static void put_relation(struct making *m, struct json *reference)
{
    struct json *relates, *target;

    if (extended_is_main(m->path))
        return;
    relates = json_push_object(m->a, json_put_array(m->a, reference, "relatesTo"));
    json_put_text(m->a, relates, "code", "appends");
    target = json_put_object(m->a, relates, "target");
    json_put_text(m->a, target, "type", "DocumentReference");
    put_number(m, json_put_object(m->a, target, "identifier"), "ssmix2-document", m->path->content);
}

static bool is_no_order(struct slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] != '9' && key.ptr[i] != '0')
            return false;
    }
    return true;
}

/* The day of care, the order it belongs to (its results carry the same number), who keeps it. */
static void put_context(struct making *m, struct json *reference)
{
    struct slice day = m->path->care_date, key = m->path->key;
    struct json *context = json_new(m->a, JSON_OBJECT), *list, *custodian, *identifier;

    if (day.len == 8)
        json_put_str(
            m->a, json_put_object(m->a, context, "period"), "start",
            slice_str(arena_printf(m->a, "%.4s-%.2s-%.2s", day.ptr, day.ptr + 4, day.ptr + 6)));
    if (!is_no_order(key)) {
        list = json_put_array(m->a, context, "related");
        put_number(m, json_put_object(m->a, json_push_object(m->a, list), "identifier"), "order",
                   key);
    }
    if (context && context->count)
        json_set(reference, "context", context);
    custodian = json_put_object(m->a, reference, "custodian");
    identifier = json_put_object(m->a, custodian, "identifier");
    json_put_text(m->a, identifier, "system", INSTITUTION);
    json_put_str(m->a, identifier, "value", m->env->facility_code);
    json_put_str(m->a, custodian, "display", m->env->facility_name);
}

static enum err put_reference(struct making *m, struct mapped_resource **ret_reference)
{
    /* The main document has one id whatever its ending. */
    struct slice file = extended_is_main(m->path) ? SLICE("main_document") : m->path->file;
    struct mapped_resource *r = add(m, "DocumentReference", key_of(m, file)), *binary = NULL;
    enum err err = r ? put_binary(m, &binary) : ERR_LIMIT;

    if (err)
        return err;
    put_identifiers(m, r->resource);
    json_put_text(m->a, r->resource, "status",
                  m->path->flag == SSMIX2_OLD ? "superseded" : "current");
    put_type(m, r->resource);
    put_patient(m, r->resource, "subject");
    json_put_str(m->a, r->resource, "date", sent_at(m));
    put_relation(m, r->resource);
    put_attachment(m, r->resource, binary);
    put_context(m, r->resource);
    *ret_reference = r;
    return ERR_OK;
}

/* When it was sent; a time yet to come is a clock that is wrong. */
static void put_recorded(struct making *m, struct json *provenance)
{
    struct slice recorded = sent_at(m);
    struct when when;
    struct buf now;

    buf_init(&now, 64);
    if (!when_parse_fhir(recorded, false, &when) || when.lo_ms > m->env->now_ms) {
        when_print_instant(&now, m->env->now_ms);
        recorded = arena_dup(m->a, buf_slice(&now));
    }
    json_put_str(m->a, provenance, "recorded", recorded);
    buf_fini(&now);
}

static void put_agent(struct making *m, struct json *provenance)
{
    struct json *agent = json_push_object(m->a, json_put_array(m->a, provenance, "agent"));
    struct json *identifier =
        json_put_object(m->a, json_put_object(m->a, agent, "who"), "identifier");

    json_put_text(m->a, identifier, "system", INSTITUTION);
    json_put_str(m->a, identifier, "value", m->env->facility_code);
}

/* The bytes by their SHA-256, and the path they were found at, byte for byte. */
static void put_source(struct making *m, struct json *provenance)
{
    struct json *entity = json_push_object(m->a, json_put_array(m->a, provenance, "entity"));
    struct json *what, *identifier;
    const unsigned char *sha = m->env->original;
    unsigned char own[DIGEST_LEN];
    struct buf hex;

    if (!sha) {
        digest_sha256(m->bytes, own);
        sha = own;
    }
    buf_init(&hex, 2 * DIGEST_LEN);
    digest_hex(&hex, slice_of((const char *)sha, DIGEST_LEN));
    json_put_text(m->a, entity, "role", "source");
    what = json_put_object(m->a, entity, "what");
    identifier = json_put_object(m->a, what, "identifier");
    json_put_text(m->a, identifier, "system", PROVENANCE_ORIGINAL);
    json_put_str(m->a, identifier, "value", arena_dup(m->a, buf_slice(&hex)));
    json_put_str(m->a, what, "display", m->path->as_found);
    buf_fini(&hex);
}

static enum err put_provenance(struct making *m, const struct mapped_resource *reference)
{
    const char *id = arena_printf(m->a, "%.*s", SLICE_ARG(id_of(reference)));
    struct mapped_resource *r =
        add(m, "Provenance", slice_str(arena_printf(m->a, "provenance:%s", id)));
    struct json *target;

    if (!r)
        return ERR_LIMIT;
    r->like = reference;
    target = json_push_object(m->a, json_put_array(m->a, r->resource, "target"));
    json_put_text(m->a, target, "reference", arena_printf(m->a, "DocumentReference/%s", id));
    put_recorded(m, r->resource);
    put_agent(m, r->resource);
    put_source(m, r->resource);
    return ERR_OK;
}

enum err extended_map(struct arena *arena, const struct extended_path *path, struct slice bytes,
                      const struct mapper_env *env, struct err_list *errors,
                      struct mapped **ret_mapped)
{
    struct making m = {.a = arena, .path = path, .env = env, .bytes = bytes};
    struct mapped_resource *reference = NULL;
    enum err err;

    m.out = ARENA_NEW(arena, struct mapped);
    if (!m.out)
        return err_add(errors, ERR_LIMIT, "", NULL);
    m.out->arena = arena;
    m.out->mapper = "ssmix2-extended/2";
    m.out->message = SLICE("SS-MIX2");
    m.out->patient.local_no = path->patient_id;
    err = check_patient(&m, errors);
    if (!err)
        err = put_reference(&m, &reference);
    if (!err)
        err = put_provenance(&m, reference);
    for (struct mapped_resource *r = m.out->first; r; r = r->next)
        classify_resource(r->resource, &r->class);
    if (!err && arena_exhausted(arena))
        err = err_add(errors, ERR_LIMIT, "", NULL);
    if (!err)
        *ret_mapped = m.out;
    return err;
}
