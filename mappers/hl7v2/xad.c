/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses and numbers. The text is what people read and comes first; parts are added only where
 * the sender gave them apart, never cut out of the text by us.
 */
#include "mappers/hl7v2/xad.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/terms.h"
#include "base/banned.h"

#define TYPE_MAX                                                                                   \
    3u /* XAD.7 codes are one to three letters; anything longer is a misplaced address */

/* Whole address: XAD.8, a misplaced XAD.7, or prefecture, city, street joined in the Japanese
 * order. */
static struct slice address_text(struct mapping *mp, struct slice raw)
{
    static const unsigned order[] = {4, 3, 1, 2};
    struct slice text = mapping_part(mp, raw, 8), type = mapping_part(mp, raw, 7);

    if (text.len)
        return text;
    if (type.len > TYPE_MAX)
        return type;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        struct slice part = mapping_part(mp, raw, order[i]);
        if (part.len)
            text =
                text.len ? mapping_format(mp, "%.*s %.*s", SLICE_ARG(text), SLICE_ARG(part)) : part;
    }
    return text;
}

/* Street, further designation, and whom to address there (XAD.19). */
static void put_lines(struct mapping *mp, struct slice raw, struct json *address)
{
    static const unsigned components[] = {1, 2, 19};
    struct json *lines = NULL;

    for (size_t i = 0; i < sizeof(components) / sizeof(components[0]); i++) {
        struct slice line = mapping_part(mp, raw, components[i]);

        if (line.len == 0)
            continue;
        lines = lines ? lines : json_put_array(mp->a, address, "line");
        json_push(lines, json_string(mp->a, line));
    }
}

static struct json *address(struct mapping *mp, struct slice raw)
{
    static const struct {
        unsigned component;
        const char *key;
    } parts[] = {{3, "city"}, {9, "district"}, {4, "state"}, {5, "postalCode"}, {6, "country"}};
    struct slice text = address_text(mp, raw);
    const struct term *use = terms_find(terms_address_use, mapping_part(mp, raw, 7));
    struct json *out;

    if (text.len == 0 && mapping_part(mp, raw, 5).len == 0)
        return NULL;
    out = json_new(mp->a, JSON_OBJECT);
    if (use)
        json_put_text(mp->a, out, "use", use->to);
    json_put_str(mp->a, out, "text", text);
    put_lines(mp, raw, out);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        json_put_str(mp->a, out, parts[i].key, mapping_part(mp, raw, parts[i].component));
    build_period_of(mp, raw, 12, 13, out);
    return out;
}

bool xad_build(struct spot *at)
{
    return mapping_put(at, address(at->mp, at->raw));
}

static struct slice number_of(struct mapping *mp, struct slice raw, bool *ret_email)
{
    struct slice text = mapping_part(mp, raw, 12), area, local;

    *ret_email = false;
    if (text.len)
        return text;
    text = mapping_part(mp, raw, 1);
    if (text.len)
        return text;
    local = mapping_part(mp, raw, 7);
    area = mapping_part(mp, raw, 6);
    if (local.len)
        return area.len ? mapping_format(mp, "%.*s-%.*s", SLICE_ARG(area), SLICE_ARG(local))
                        : local;
    text = mapping_part(mp, raw, 4);
    *ret_email = text.len > 0;
    return text;
}

bool xad_build_telecom(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice use_code = mapping_part(mp, at->raw, 2), equipment = mapping_part(mp, at->raw, 3);
    const struct term *use = terms_find(terms_telecom_use, use_code);
    const struct term *system = terms_find(terms_telecom_system, equipment);
    const char *use_text = use ? use->to : use_code.len ? NULL : at->row->arg;
    bool email;
    struct slice number = number_of(mp, at->raw, &email);
    struct json *point;
    uint64_t rank;

    if (number.len == 0)
        return false;
    if (slice_is(equipment, "CP"))
        use_text = "mobile";
    point = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, point, "system", email ? "email" : system ? system->to : "phone");
    json_put_str(mp->a, point, "value", number);
    if (use_text)
        json_put_text(mp->a, point, "use", use_text);
    if (slice_u64(mapping_part(mp, at->raw, 18), &rank) && rank > 0 && rank < 1000)
        json_put_int(mp->a, point, "rank", (int64_t)rank);
    build_period_of(mp, at->raw, 0, 13, point);
    return mapping_put(at, point);
}
