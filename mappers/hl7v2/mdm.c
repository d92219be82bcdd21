/* SPDX-License-Identifier: Apache-2.0
 *
 * MDM^T02 and its kin, documents: DocumentReference of TXA, a Binary for each OBX that holds bytes,
 * one Binary of the text of all TX and FT. An edited document keeps its number and meets the same
 * resource; a replacement and an addendum have numbers of their own and say what they relate to.
 * Messages without content (T01 ...) tell of a document only: what is there already stays.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/document.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/limits.h"
#include "base/banned.h"

/* arg: a struct term table. */
static bool build_state(struct spot *at)
{
    const struct term *t = terms_find(at->row->arg, mapping_part(at->mp, at->raw, 1));

    return t && mapping_put(at, json_string(at->mp->a, slice_str(t->to)));
}

/* TXA-12 (EI), the number of this document. */
static bool build_master(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice number = mapping_part(mp, at->raw, 1);
    struct json *identifier;

    if (number.len == 0)
        return false;
    identifier = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("document")));
    json_put_str(mp->a, identifier, "value", number);
    return mapping_put(at, identifier);
}

/* TXA-13: the document that this one adds to or replaces. */
static bool build_parent(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice number = mapping_part(mp, at->raw, 1), trigger = mp->trigger;
    struct json *relation, *identifier;

    if (number.len == 0 || slice_eq(number, mapping_value(mp, at->s, 12, 1)))
        return false;
    relation = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, relation, "code",
                  slice_is(trigger, "T09") || slice_is(trigger, "T10") ? "replaces" : "appends");
    identifier = json_put_object(mp->a, json_put_object(mp->a, relation, "target"), "identifier");
    json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("document")));
    json_put_str(mp->a, identifier, "value", number);
    return mapping_put(at, relation);
}

static const struct row txa_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, cwe_build, "type", "HL70270"},
    {3, 0, build_structure, "content[].attachment.contentType", NULL},
    {4, 0, build_datetime, "context.period.start", NULL},
    {6, 0, build_instant, "date", NULL},
    {7, 0, extend_build_time, "extension[]", EXTEND_OWN "transcribed-on"},
    {8, 0, extend_build_time, "extension[]", EXTEND_OWN "edited-on"},
    {9, 0, xpn_build_persons, "author[]", NULL},
    {10, 0, xpn_build_person, "authenticator", NULL},
    {12, 0, build_master, "masterIdentifier", NULL},
    {13, 0, build_parent, "relatesTo[]", NULL},
    {14, 0, extend_build_numbered, "context.related[]", "order"},
    {15, 0, extend_build_numbered, "context.related[]", "filler-order"},
    {16, 0, extend_build_number, "identifier[]", " document-file"},
    {17, 0, build_state, "docStatus", terms_document_completion},
    {18, 0, extend_build_security, "meta.security[]", NULL},
    {19, 0, build_state, "status", terms_document_availability},
    {25, 1, build_string, "description", NULL},
    ROW_END,
};
/* Where no TXA-6 says when it was written. */
static const struct row activity_rows[] = {{4, 0, build_instant, "date", NULL}, ROW_END};
static const struct row obr_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {4, 0, cwe_build, "category[]", NULL},
    ROW_END,
};
static const struct row orc_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, extend_build_numbered, "context.related[]", "order"},
    {3, 0, extend_build_numbered, "context.related[]", "filler-order"},
    ROW_END,
};
/* The text lines; put together in put_text. */
static const struct row text_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, build_structure, "content[].attachment.title", NULL},
    {5, 0, build_structure, "content[].attachment", NULL},
    {11, 0, build_structure, NULL, NULL},
    ROW_END,
};

static struct slice key_of(struct mapping *mp, const struct hl7_segment *txa)
{
    struct slice choice[] = {mapping_value(mp, txa, 12, 1), mapping_value(mp, txa, 16, 1),
                             mapping_value(mp, &mp->m->segments[0], 10, 1)};

    for (size_t i = 0; i < sizeof(choice) / sizeof(choice[0]); i++) {
        if (choice[i].len)
            return mapping_format(mp, "TXA:%.*s", SLICE_ARG(choice[i]));
    }
    return SLICE("TXA:");
}

static bool is_text(struct slice type)
{
    return slice_is(type, "TX") || slice_is(type, "FT") || slice_is(type, "ST");
}

static bool is_line(struct mapping *mp, const struct hl7_segment *s)
{
    return mapping_is(s, "OBX") && is_text(mapping_value(mp, s, 2, 1)) && hl7_field(s, 5).len > 0;
}

/* The lines of all text OBX, as one plain text. */
static struct slice text_of(struct mapping *mp, struct mapped_resource *document,
                            struct slice *ret_title)
{
    struct buf text;
    struct slice out = SLICE_NONE;

    buf_init(&text, LIMIT_MLLP_FRAME);
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct slice field = hl7_field(s, 5);

        if (!is_line(mp, s))
            continue;
        if (ret_title->len == 0)
            *ret_title = mapping_value(mp, s, 3, 2);
        for (unsigned k = 0; k < hl7_repeats(mp->m, field); k++) {
            buf_add(&text, mapping_clean(mp, hl7_repeat(mp->m, field, k)));
            buf_add(&text, SLICE("\n"));
        }
        mapping_walk(mp, s, text_rows, document->resource);
    }
    if (text.len && buf_err(&text) == ERR_OK)
        out = arena_dup(mp->a, buf_slice(&text));
    buf_fini(&text);
    return out;
}

static void put_text(struct mapping *mp, struct mapped_resource *document)
{
    struct slice title = SLICE_NONE, text = text_of(mp, document, &title);
    struct slice key = key_of(mp, hl7_find(mp->m, "TXA", 1));
    struct mapped_resource *binary;

    if (text.len == 0)
        return;
    binary = document_binary(mp, SLICE("text/plain;charset=utf-8"), text,
                             mapping_format(mp, "%.*s:text", SLICE_ARG(key)), title, document);
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        if (is_line(mp, &mp->m->segments[i]))
            mapping_source(mp, &mp->m->segments[i], binary->resource);
    }
    mp->now = document;
}

static void put_content(struct mapping *mp, struct mapped_resource *document)
{
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];

        if (mapping_is(s, "OBX") && !is_text(mapping_value(mp, s, 2, 1)))
            (void)document_content(mp, s, document);
    }
    put_text(mp, document);
    if (json_get(document->resource, "content"))
        return;
    /* R4 wants content: a document only told of has a title */
    document->create_only = true;
    json_put_text(mp->a, mapping_object_at(mp->a, document->resource, "content[0].attachment"),
                  "title", "内容なし");
}

static void put_context(struct mapping *mp, struct json *document)
{
    struct json *encounter;

    if (!mp->encounter)
        return;
    encounter = mapping_object_at(mp->a, document, "context.encounter[0]");
    json_put_text(mp->a, encounter, "reference", mp->encounter);
}

void mdm_map(struct mapping *mp)
{
    const struct hl7_segment *txa = hl7_find(mp->m, "TXA", 1);
    struct mapped_resource *r;

    pv1_mention(mp, mapping_value(mp, txa, 4, 1));
    if (!txa)
        return;
    r = mapping_resource(mp, "DocumentReference", "JP_DocumentReference", key_of(mp, txa));
    r->scope = mapping_format(mp, "MDM:%.*s", SLICE_ARG(key_of(mp, txa)));
    mapping_subject(mp, r->resource, "subject");
    mapping_walk(mp, txa, txa_rows, r->resource);
    if (!json_get(r->resource, "date"))
        mapping_walk(mp, txa, activity_rows, r->resource);
    if (!json_get(r->resource, "status"))
        json_put_text(mp->a, r->resource, "status", "current");
    if (hl7_field(txa, 14).len == 0 && hl7_field(txa, 15).len == 0)
        mapping_walk(mp, hl7_find(mp->m, "ORC", 1), orc_rows, r->resource);
    mapping_walk(mp, hl7_find(mp->m, "OBR", 1), obr_rows, r->resource);
    put_context(mp, r->resource);
    put_content(mp, r);
    if (slice_is(mp->trigger, "T11")) { /* the document was never meant to be seen */
        r->create_only = false;
        r->remove = true;
        mapping_replaces(mp, r->scope);
    } else if (!r->create_only) {
        mapping_replaces(mp, r->scope);
    }
}

const struct row_set mdm_sets[] = {
    {"TXA", "DocumentReference", txa_rows, NULL},
    {"TXA", "DocumentReference", activity_rows, NULL},
    {"OBR", "DocumentReference", obr_rows, NULL},
    {"ORC", "DocumentReference", orc_rows, NULL},
    {"OBX", "DocumentReference", text_rows, NULL},
    ROW_SET_END,
};
