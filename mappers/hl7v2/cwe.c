/* SPDX-License-Identifier: Apache-2.0
 *
 * Coded values. A FHIR code has no leading, trailing or doubled white space, so codes are squeezed;
 * displays and texts stay as written. A part of a code behind a sub-component delimiter
 * ("9A100&IMP") belongs to the code.
 */
#include "mappers/hl7v2/cwe.h"

#include "mappers/hl7v2/terms.h"
#include "base/banned.h"

#define ITEM_CODE_MAX 32u

void cwe_read(struct mapping *mp, struct slice raw, struct cwe *ret_cwe)
{
    struct slice *parts[] = {
        &ret_cwe->code,     &ret_cwe->text,       &ret_cwe->system,  &ret_cwe->alt_code,
        &ret_cwe->alt_text, &ret_cwe->alt_system, &ret_cwe->version, NULL,
        &ret_cwe->original};

    *ret_cwe = (struct cwe){0};
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i])
            *parts[i] = mapping_part(mp, raw, i + 1);
    }
}

void cwe_read_sub(struct mapping *mp, struct slice component, struct cwe *ret_cwe)
{
    *ret_cwe = (struct cwe){0};
    ret_cwe->code = mapping_clean(mp, hl7_sub(mp->m, component, 1));
    ret_cwe->text = mapping_clean(mp, hl7_sub(mp->m, component, 2));
    ret_cwe->system = mapping_clean(mp, hl7_sub(mp->m, component, 3));
    ret_cwe->alt_code = mapping_clean(mp, hl7_sub(mp->m, component, 4));
    ret_cwe->alt_text = mapping_clean(mp, hl7_sub(mp->m, component, 5));
    ret_cwe->alt_system = mapping_clean(mp, hl7_sub(mp->m, component, 6));
}

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_';
}

struct slice cwe_local(struct mapping *mp, struct slice name)
{
    static const char hex[] = "0123456789ABCDEF";
    char *escaped = arena_array(mp->a, name.len + 1, 3);
    size_t len = 0;

    if (!escaped)
        return SLICE_NONE;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (is_unreserved(name.ptr[i])) {
            escaped[len++] = name.ptr[i];
            continue;
        }
        escaped[len++] = '%';
        escaped[len++] = hex[c >> 4];
        escaped[len++] = hex[c & 15];
    }
    return ARENA_JOIN(mp->a, SLICE("urn:tasuki:local:"), mp->env->facility_code, SLICE(":"),
                      slice_of(escaped, len));
}

static bool is_table_number(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    }
    return s.len == 4;
}

struct slice cwe_system(struct mapping *mp, struct slice name)
{
    const struct term *known = terms_find(terms_system, name);

    if (name.len == 0)
        return SLICE_NONE;
    if (known)
        return slice_str(known->to);
    if (slice_starts(name, SLICE("HL7")) && is_table_number(slice_sub(name, 3, name.len)))
        return mapping_format(mp, "http://terminology.hl7.org/CodeSystem/v2-%.*s", 4, name.ptr + 3);
    if (slice_starts(name, SLICE("JHS")) && name.len == 8 &&
        is_table_number(slice_sub(name, 4, 4)) && is_unreserved(name.ptr[3]))
        return mapping_format(mp, "urn:tasuki:ssmix2:%.*s", SLICE_ARG(name));
    return cwe_local(mp, name);
}

/* White space runs become one space. */
static struct slice squeeze(struct mapping *mp, struct slice code)
{
    char *out = arena_alloc(mp->a, code.len + 1);
    size_t len = 0;
    bool gap = false;

    if (!out)
        return SLICE_NONE;
    for (size_t i = 0; i < code.len; i++) {
        char c = code.ptr[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            gap = len > 0;
            continue;
        }
        if (gap)
            out[len++] = ' ';
        gap = false;
        out[len++] = c;
    }
    return slice_of(out, len);
}

struct json *cwe_coding(struct mapping *mp, struct slice system_url, struct slice code,
                        struct slice display)
{
    struct json *coding;

    if (code.len == 0)
        return NULL;
    coding = json_new(mp->a, JSON_OBJECT);
    json_put_str(mp->a, coding, "system", system_url);
    json_put_str(mp->a, coding, "code", squeeze(mp, code));
    json_put_str(mp->a, coding, "display", display);
    return coding;
}

struct slice cwe_text(const struct cwe *c)
{
    const struct slice *choice[] = {&c->original, &c->text, &c->alt_text, &c->code, &c->alt_code};

    for (size_t i = 0; i < sizeof(choice) / sizeof(choice[0]); i++) {
        if (choice[i]->len)
            return *choice[i];
    }
    return SLICE_NONE;
}

bool cwe_says(struct mapping *mp, const struct hl7_segment *s, unsigned n)
{
    struct cwe c;

    if (!s || hl7_field(s, n).len == 0)
        return false;
    cwe_read(mp, hl7_repeat(mp->m, hl7_field(s, n), 0), &c);
    return cwe_text(&c).len > 0;
}

struct json *cwe_concept(struct mapping *mp, const struct cwe *c)
{
    struct json *concept, *coding = NULL, *codings;

    if (cwe_text(c).len == 0)
        return NULL;
    concept = json_new(mp->a, JSON_OBJECT);
    if ((c->code.len && (c->system.len || c->text.len)) || c->alt_code.len) {
        codings = json_put_array(mp->a, concept, "coding");
        if (c->code.len && (c->system.len || c->text.len))
            coding =
                json_push(codings, cwe_coding(mp, cwe_system(mp, c->system), c->code, c->text));
        if (coding && c->version.len)
            json_put_str(mp->a, coding, "version", c->version);
        json_push(codings, cwe_coding(mp, cwe_system(mp, c->alt_system), c->alt_code, c->alt_text));
    }
    json_put_str(mp->a, concept, "text", cwe_text(c));
    return concept;
}

struct json *cwe_constant(struct mapping *mp, const char *system, const char *code,
                          const char *display)
{
    struct json *concept = json_new(mp->a, JSON_OBJECT);

    json_push(json_put_array(mp->a, concept, "coding"),
              cwe_coding(mp, slice_str(system), slice_str(code), slice_str(display)));
    return concept;
}

static struct slice own_raw(struct spot *at)
{
    return at->row->component ? hl7_component(at->mp->m, at->raw, at->row->component) : at->raw;
}

static struct json *concept_here(struct spot *at, const char *system)
{
    struct cwe c;

    if (at->row->component)
        cwe_read_sub(at->mp, own_raw(at), &c);
    else
        cwe_read(at->mp, at->raw, &c);
    if (c.system.len == 0 && system)
        c.system = slice_str(system);
    return cwe_concept(at->mp, &c);
}

bool cwe_build(struct spot *at)
{
    return mapping_put(at, concept_here(at, at->row->arg));
}

bool cwe_build_note(struct spot *at)
{
    struct cwe c;
    struct json *note;

    cwe_read(at->mp, at->raw, &c);
    if (cwe_text(&c).len == 0)
        return false;
    note = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, note, "text", cwe_text(&c));
    return mapping_put(at, note);
}

/* ASCII without white space, short: what people type as a code, not what they write as words. */
static bool is_code(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    }
    return s.len > 0 && s.len <= ITEM_CODE_MAX;
}

bool cwe_build_item(struct spot *at)
{
    struct json *concept;
    struct cwe c;

    cwe_read(at->mp, at->raw, &c);
    concept = cwe_concept(at->mp, &c);
    if (concept && !json_get(concept, "coding") && is_code(c.code)) {
        concept = json_new(at->mp->a, JSON_OBJECT);
        json_push(json_put_array(at->mp->a, concept, "coding"),
                  cwe_coding(at->mp, SLICE_NONE, c.code, SLICE_NONE));
        json_put_str(at->mp->a, concept, "text", cwe_text(&c));
    }
    return mapping_put(at, concept);
}

bool cwe_build_extension(struct spot *at)
{
    struct json *concept = concept_here(at, NULL), *extension;

    if (!concept)
        return false;
    extension = json_new(at->mp->a, JSON_OBJECT);
    json_put_text(at->mp->a, extension, "url", at->row->arg);
    json_set(extension, "valueCodeableConcept", concept);
    return mapping_put(at, extension);
}

bool cwe_build_code(struct spot *at)
{
    struct slice code = mapping_part(at->mp, at->raw, at->row->component ? at->row->component : 1);
    const struct term *t = terms_find(at->row->arg, code);

    if (t)
        return mapping_put(at, json_string(at->mp->a, slice_str(t->to)));
    if (code.len == 0)
        return false;
    mapping_warn(at->mp, at->s, at->row->field, 0, "the code is not known here and was not mapped",
                 "対応表にないコードのため変換しませんでした");
    return false;
}
