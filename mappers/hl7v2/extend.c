/* SPDX-License-Identifier: Apache-2.0
 *
 * Extensions and odd elements. URLs of HL7 where HL7 has defined one, our own where not; a value
 * that says nothing makes nothing.
 */
#include "mappers/hl7v2/extend.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xad.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

static bool put(struct spot *at, const char *member, struct json *value)
{
    struct json *extension;

    if (!value)
        return false;
    extension = json_new(at->mp->a, JSON_OBJECT);
    json_put_text(at->mp->a, extension, "url", at->row->arg);
    json_set(extension, member, value);
    return mapping_put(at, extension);
}

bool extend_build_text(struct spot *at)
{
    struct slice text = mapping_text(at);

    return text.len && put(at, "valueString", json_string(at->mp->a, text));
}

bool extend_build_time(struct spot *at)
{
    struct slice text = build_datetime_of(at->mp, mapping_part(at->mp, at->raw, 1));

    return text.len && put(at, "valueDateTime", json_string(at->mp->a, text));
}

bool extend_build_person(struct spot *at)
{
    return put(at, "valueReference", xpn_person(at->mp, at->raw));
}

static struct json *named(struct mapping *mp, struct slice name)
{
    struct json *reference;

    if (name.len == 0)
        return NULL;
    reference = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, reference, "display", name);
    return reference;
}

bool extend_build_organization(struct spot *at)
{
    return put(at, "valueReference", named(at->mp, mapping_part(at->mp, at->raw, 1)));
}

/* A spot whose value goes into WRAP under "value". */
static struct spot aside(struct spot *at, const struct row *row, struct json *wrap)
{
    struct spot moved = *at;

    moved.row = row;
    moved.repeat = 0;
    moved.target = wrap;
    return moved;
}

bool extend_build_address(struct spot *at)
{
    static const struct row inner = {0, 0, xad_build, "valueAddress", NULL};
    struct json *extension = json_new(at->mp->a, JSON_OBJECT);
    struct spot moved = aside(at, &inner, extension);

    json_put_text(at->mp->a, extension, "url", at->row->arg);
    return xad_build(&moved) && mapping_put(at, extension);
}

bool extend_build_contact(struct spot *at)
{
    static const struct row inner = {0, 0, xad_build_telecom, "valueContactPoint", "work"};
    struct json *extension = json_new(at->mp->a, JSON_OBJECT);
    struct spot moved = aside(at, &inner, extension);

    json_put_text(at->mp->a, extension, "url", at->row->arg);
    return xad_build_telecom(&moved) && mapping_put(at, extension);
}

bool extend_build_coding(struct spot *at)
{
    struct cwe c;

    cwe_read(at->mp, at->raw, &c);
    return put(at, "valueCoding", cwe_coding(at->mp, cwe_system(at->mp, c.system), c.code, c.text));
}

bool extend_build_nested_code(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c;
    struct json *outer, *inner, *concept;

    cwe_read(mp, at->raw, &c);
    concept = cwe_concept(mp, &c);
    if (!concept)
        return false;
    outer = json_new(mp->a, JSON_OBJECT);
    inner = json_push_object(mp->a, json_put_array(mp->a, outer, "extension"));
    json_put_text(mp->a, outer, "url", at->row->arg);
    json_put_text(mp->a, inner, "url", "code");
    json_set(inner, "valueCodeableConcept", concept);
    return mapping_put(at, outer);
}

bool extend_build_place(struct spot *at)
{
    struct slice text = mapping_text(at);
    struct json *address;

    if (text.len == 0)
        return false;
    address = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, address, "text", text);
    return put(at, "valueAddress", address);
}

bool extend_build_yes(struct spot *at)
{
    struct slice code = mapping_part(at->mp, at->raw, 1);

    if (!slice_is(code, "Y") && !slice_is(code, "N"))
        return false;
    return json_put_bool(at->mp->a, at->target, at->row->path, slice_is(code, "Y")) != NULL;
}

bool extend_build_security(struct spot *at)
{
    struct slice code = mapping_part(at->mp, at->raw, 1);
    const struct term *t = terms_find(terms_security, slice_is(code, "Y") ? SLICE("R") : code);

    return t &&
           mapping_put(at,
                       cwe_coding(at->mp,
                                  SLICE("http://terminology.hl7.org/CodeSystem/v3-Confidentiality"),
                                  slice_str(t->to), slice_str(t->display)));
}

static bool is_said(const struct json *target, const char *path, struct slice system,
                    struct slice value)
{
    const struct json *list = NULL;

    if (strcmp(path, "identifier[]") == 0)
        list = json_get(target, "identifier");
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_eq(json_str(i, "value"), value) && slice_eq(json_str(i, "system"), system))
            return true;
    }
    return false;
}

bool extend_build_number(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice name = slice_str(at->row->arg), type = slice_cut(&name, ' ');
    struct slice value = mapping_part(mp, at->raw, 1), system = cwe_local(mp, name);
    struct json *identifier;

    if (value.len == 0)
        return false;
    if (is_said(at->target, at->row->path, system, value))
        return true;
    identifier = json_new(mp->a, JSON_OBJECT);
    if (type.len)
        json_set(identifier, "type",
                 cwe_constant(mp, "http://terminology.hl7.org/CodeSystem/v2-0203",
                              arena_str(mp->a, type), NULL));
    json_put_str(mp->a, identifier, "system", system);
    json_put_str(mp->a, identifier, "value", value);
    return mapping_put(at, identifier);
}

bool extend_build_numbered(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice value = mapping_part(mp, at->raw, 1);
    struct json *reference, *identifier;

    if (value.len == 0)
        return false;
    reference = json_new(mp->a, JSON_OBJECT);
    identifier = json_put_object(mp->a, reference, "identifier");
    json_put_str(mp->a, identifier, "system", cwe_local(mp, slice_str(at->row->arg)));
    json_put_str(mp->a, identifier, "value", value);
    return mapping_put(at, reference);
}

bool extend_build_numbered_extension(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice value = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, at->raw, 1), 1));
    struct json *identifier;

    if (value.len == 0)
        return false;
    identifier = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("order")));
    json_put_str(mp->a, identifier, "value", value);
    return put(at, "valueIdentifier", identifier);
}
