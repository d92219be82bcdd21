/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of people. Senders disagree on where the script is said (XPN.8, or shifted by one or two),
 * so only the single letters I, P and A count, and the letters themselves decide when nothing is
 * said.
 */
#include "mappers/hl7v2/xpn.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/terms.h"
#include "base/banned.h"

#define EN_REPRESENTATION "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
#define KANA_READING "urn:tasuki:extension:kana-reading"

/* XPN.1 is FN: its first sub-component is the surname. */
static struct slice family_of(struct mapping *mp, struct slice raw, unsigned c)
{
    return mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, raw, c), 1));
}

static struct slice join_name(struct mapping *mp, struct slice family, struct slice given)
{
    if (family.len && given.len)
        return mapping_format(mp, "%.*s %.*s", SLICE_ARG(family), SLICE_ARG(given));
    return family.len ? family : given;
}

struct slice xpn_text(struct mapping *mp, struct slice raw)
{
    return join_name(mp, family_of(mp, raw, 1), mapping_part(mp, raw, 2));
}

/* The script of UTF-8 TEXT by its letters: any CJK ideograph IDE, else kana SYL, else only ASCII
 * ABC. */
static const char *script_by_letters(struct slice text)
{
    bool kana = false, ascii = text.len > 0;

    for (size_t i = 0; i + 2 < text.len; i++) {
        unsigned char a = (unsigned char)text.ptr[i], b = (unsigned char)text.ptr[i + 1];
        if ((a & 0xF0) != 0xE0 && (a & 0xF8) != 0xF0)
            continue;
        if (a == 0xE3 && b >= 0x81 && b <= 0x83) /* U+3040..30FF */
            kana = true;
        else if ((a == 0xE3 && b >= 0x90) || (a >= 0xE4 && a <= 0xE9) || a >= 0xF0)
            return "IDE";
    }
    if (kana)
        return "SYL";
    for (size_t i = 0; i < text.len; i++)
        ascii = ascii && (unsigned char)text.ptr[i] < 0x80;
    return ascii ? "ABC" : NULL;
}

const char *xpn_script(struct mapping *mp, struct slice raw)
{
    const struct term *said = terms_find(terms_name_script, mapping_part(mp, raw, 8));

    return said ? said->to : script_by_letters(xpn_text(mp, raw));
}

static void put_list(struct mapping *mp, struct json *name, const char *key, struct slice text)
{
    struct json *list = json_get(name, key);

    if (text.len == 0)
        return;
    json_push(list ? list : json_put_array(mp->a, name, key), json_string(mp->a, text));
}

/* Titles before (XPN.5) and behind (XPN.4, .6, .14) the name; since and until when it is his
 * (XPN.12, .13, before v2.5 XPN.10). */
static void put_rest(struct mapping *mp, struct slice raw, struct json *name)
{
    put_list(mp, name, "prefix", mapping_part(mp, raw, 5));
    put_list(mp, name, "suffix", mapping_part(mp, raw, 4));
    put_list(mp, name, "suffix", mapping_part(mp, raw, 6));
    put_list(mp, name, "suffix", mapping_part(mp, raw, 14));
    build_period_of(mp, raw, 10, 12, name);
}

static struct json *human_name(struct mapping *mp, struct slice raw)
{
    struct slice family = family_of(mp, raw, 1), given = mapping_part(mp, raw, 2);
    struct slice more = mapping_part(mp, raw, 3);
    const struct term *use = terms_find(terms_name_use, mapping_part(mp, raw, 7));
    const char *script = xpn_script(mp, raw);
    struct json *name, *extension;

    if (family.len == 0 && given.len == 0)
        return NULL;
    name = json_new(mp->a, JSON_OBJECT);
    if (script) {
        extension = json_push_object(mp->a, json_put_array(mp->a, name, "extension"));
        json_put_text(mp->a, extension, "url", EN_REPRESENTATION);
        json_put_text(mp->a, extension, "valueCode", script);
    }
    if (use)
        json_put_text(mp->a, name, "use", use->to);
    json_put_str(mp->a, name, "text", join_name(mp, family, given));
    json_put_str(mp->a, name, "family", family);
    if (given.len || more.len) {
        struct json *givens = json_put_array(mp->a, name, "given");
        if (given.len)
            json_push(givens, json_string(mp->a, given));
        if (more.len)
            json_push(givens, json_string(mp->a, more));
    }
    put_rest(mp, raw, name);
    return name;
}

bool xpn_build(struct spot *at)
{
    return mapping_put(at, human_name(at->mp, at->raw));
}

bool xpn_build_single(struct spot *at)
{
    const char *script = xpn_script(at->mp, at->raw);
    struct json *name = at->repeat ? json_get(at->target, at->row->path) : NULL, *extension;

    if (!name)
        return mapping_put(at, human_name(at->mp, at->raw));
    if (!script || strcmp(script, "SYL") != 0) {
        mapping_mark(at->mp, at->s, at->row->field, MAPPING_PARTLY);
        return false;
    }
    extension = json_push_object(at->mp->a, json_get(name, "extension")
                                                ? json_get(name, "extension")
                                                : json_put_array(at->mp->a, name, "extension"));
    json_put_text(at->mp->a, extension, "url", KANA_READING);
    json_put_str(at->mp->a, extension, "valueString", xpn_text(at->mp, at->raw));
    return true;
}

struct json *xpn_person(struct mapping *mp, struct slice raw)
{
    struct slice number = mapping_part(mp, raw, 1);
    struct slice name = join_name(mp, family_of(mp, raw, 2), mapping_part(mp, raw, 3));
    struct json *reference, *identifier;

    if (number.len == 0 && name.len == 0)
        return NULL;
    reference = json_new(mp->a, JSON_OBJECT);
    if (number.len) {
        identifier = json_put_object(mp->a, reference, "identifier");
        json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("practitioner")));
        json_put_str(mp->a, identifier, "value", number);
    }
    json_put_str(mp->a, reference, "display", name);
    return reference;
}

static bool is_reading(struct spot *at)
{
    return at->repeat > 0 && slice_is(mapping_part(at->mp, at->raw, 15), "P");
}

bool xpn_build_person(struct spot *at)
{
    if (at->repeat == 0)
        return mapping_put(at, xpn_person(at->mp, at->raw));
    if (is_reading(at))
        return true;
    mapping_mark(at->mp, at->s, at->row->field, MAPPING_PARTLY);
    return false;
}

bool xpn_build_persons(struct spot *at)
{
    return is_reading(at) || mapping_put(at, xpn_person(at->mp, at->raw));
}
