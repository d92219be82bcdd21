/* SPDX-License-Identifier: Apache-2.0
 *
 * Three offers (JSON, XML, a page) are weighed against each range of the Accept field: the most
 * specific range that fits an offer gives its weight; of equal weights what was named beats what a
 * star covers, then the earlier one, then JSON. Must not guess at a field that it cannot read: such
 * a range counts as not there.
 */
#include "exchange/door/fhir_media.h"

#include "base/banned.h"

#define FULL 1000 /* a weight of 1 */

/* All names of a form; the first is what we answer with. */
static const struct {
    const char *name;
    enum fhir_media media;
} names[] = {
    {"application/fhir+json", FHIR_MEDIA_JSON},
    {"application/json", FHIR_MEDIA_JSON},
    {"text/json", FHIR_MEDIA_JSON},
    {"application/fhir+xml", FHIR_MEDIA_XML},
    {"application/xml", FHIR_MEDIA_XML},
    {"text/xml", FHIR_MEDIA_XML},
    {"text/html", FHIR_MEDIA_HTML},
    {"application/xhtml+xml", FHIR_MEDIA_HTML},
};

static enum fhir_media media_of(struct slice name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_ieq(name, slice_str(names[i].name)))
            return names[i].media;
    return FHIR_MEDIA_OTHER;
}

/* The next "; name=value"; false at the end. */
static bool next_parameter(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
    if (!rest->ptr)
        return false;
    struct slice one = slice_trim(slice_cut(rest, ';'));
    *ret_name = slice_trim(slice_sub(one, 0, slice_find(one, '=', 0)));
    *ret_value = slice_trim(slice_sub(one, slice_find(one, '=', 0) + 1, one.len));
    if (ret_value->len > 1 && ret_value->ptr[0] == '"' && ret_value->ptr[ret_value->len - 1] == '"')
        *ret_value = slice_sub(*ret_value, 1, ret_value->len - 2);
    return true;
}

static bool is_our_version(struct slice version)
{
    return slice_is(version, "4.0") || slice_is(version, "4.0.1");
}

enum err fhir_media_content(struct slice field, enum fhir_media *ret_media)
{
    struct slice rest = field, name, value;
    enum fhir_media media = media_of(slice_trim(slice_cut(&rest, ';')));
    bool fhir = media == FHIR_MEDIA_JSON || media == FHIR_MEDIA_XML;
    while (fhir && next_parameter(&rest, &name, &value)) {
        if (slice_ieq(name, SLICE("charset")) && !slice_ieq(value, SLICE("utf-8")) &&
            !slice_ieq(value, SLICE("utf8")) && !slice_ieq(value, SLICE("us-ascii")))
            return ERR_MEDIA_TYPE;
        if (slice_ieq(name, SLICE("fhirVersion")) && !is_our_version(value))
            return ERR_MEDIA_TYPE;
    }
    *ret_media = fhir ? media : FHIR_MEDIA_OTHER;
    return ERR_OK;
}

bool fhir_media_is_json_patch(struct slice field)
{
    struct slice type = slice_trim(slice_sub(field, 0, slice_find(field, ';', 0)));
    return slice_ieq(type, SLICE(FHIR_MEDIA_JSON_PATCH_NAME));
}

/* ── Accept ──────────────────────────────────────────────────────────────────────────────────── */

enum reach { REACH_NONE, REACH_ALL, REACH_GROUP, REACH_NAMED };

struct range {
    struct slice type;
    unsigned weight;
    unsigned place; /* in the field */
};

struct offer {
    enum reach reach;
    unsigned weight;
    unsigned place;
};

/* 0, 1, 0.5, 0.333 in thousandths; false for anything else. */
static bool read_weight(struct slice text, unsigned *ret_weight)
{
    unsigned weight, unit = 100;
    if (!text.len || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return false;
    weight = text.ptr[0] == '1' ? FULL : 0;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        weight += unit * (unsigned)(text.ptr[i] - '0');
    }
    *ret_weight = weight;
    return weight <= FULL;
}

/* False when it is to be taken as not there. */
static bool read_range(struct slice text, struct range *ret_range)
{
    struct slice rest = text, name, value;
    ret_range->type = slice_trim(slice_cut(&rest, ';'));
    ret_range->weight = FULL;
    while (next_parameter(&rest, &name, &value)) {
        if (slice_ieq(name, SLICE("q")) && !read_weight(value, &ret_range->weight))
            return false;
        if (slice_ieq(name, SLICE("fhirVersion")) && !is_our_version(value))
            return false;
    }
    return ret_range->type.len > 0;
}

static enum reach reach_of(struct slice type, enum fhir_media media)
{
    if (media_of(type) == media)
        return REACH_NAMED;
    if (slice_is(type, "*/*"))
        return REACH_ALL;
    if (media == FHIR_MEDIA_HTML ? slice_ieq(type, SLICE("text/*"))
                                 : slice_ieq(type, SLICE("application/*")))
        return REACH_GROUP;
    return REACH_NONE;
}

static void weigh(struct offer *offer, const struct range *range, enum fhir_media media)
{
    enum reach reach = reach_of(range->type, media);
    if (reach < offer->reach || reach == REACH_NONE)
        return;
    if (reach == offer->reach && range->weight <= offer->weight)
        return;
    *offer = (struct offer){reach, range->weight, range->place};
}

static bool beats(const struct offer *a, const struct offer *b)
{
    bool named = a->reach == REACH_NAMED, other_named = b->reach == REACH_NAMED;
    if (a->weight != b->weight)
        return a->weight > b->weight;
    if (named != other_named)
        return named;
    return named && a->place < b->place;
}

enum err fhir_media_accept(struct slice field, struct fhir_wish *ret_wish)
{
    struct offer offers[FHIR_MEDIA_COUNT] = {0};
    struct range range = {.place = 0}, first = {.weight = 0};
    struct slice rest = field;
    *ret_wish = (struct fhir_wish){.form = FHIR_MEDIA_JSON};
    if (!slice_trim(field).len)
        return ERR_OK;
    for (; rest.ptr; range.place++) {
        if (!read_range(slice_cut(&rest, ','), &range))
            continue;
        if (range.weight > first.weight)
            first = range;
        for (enum fhir_media m = FHIR_MEDIA_JSON; m < FHIR_MEDIA_COUNT; m++)
            weigh(&offers[m], &range, m);
    }
    const struct offer *json = &offers[FHIR_MEDIA_JSON], *xml = &offers[FHIR_MEDIA_XML];
    const struct offer *html = &offers[FHIR_MEDIA_HTML];
    ret_wish->html = html->weight > 0 && beats(html, json) && beats(html, xml);
    if (!ret_wish->html && beats(xml, json)) /* a browser would take XML too: it gets JSON */
        ret_wish->form = FHIR_MEDIA_XML;
    enum fhir_media wanted = media_of(first.type);
    bool named = json->reach == REACH_NAMED || xml->reach == REACH_NAMED;
    bool star = slice_find(first.type, '*', 0) < first.type.len;
    ret_wish->raw = first.weight > 0 && wanted != FHIR_MEDIA_JSON && wanted != FHIR_MEDIA_XML &&
                    !(star && named);
    return json->weight || xml->weight || html->weight ? ERR_OK : ERR_NOT_ACCEPTABLE;
}

enum err fhir_media_format(struct slice value, struct fhir_wish *ret_wish)
{
    char text[64] = {0};
    struct slice rest = value, name, version;
    struct slice type = slice_trim(slice_cut(&rest, ';'));
    if (!type.len || type.len >= sizeof(text))
        return ERR_NOT_ACCEPTABLE;
    for (size_t i = 0; i < type.len; i++)
        text[i] = type.ptr[i] == ' ' ? '+' : type.ptr[i]; /* a plus that was not escaped */
    enum fhir_media media = slice_is(type, "json")   ? FHIR_MEDIA_JSON
                            : slice_is(type, "xml")  ? FHIR_MEDIA_XML
                            : slice_is(type, "html") ? FHIR_MEDIA_HTML
                                                     : media_of(slice_str(text));
    while (next_parameter(&rest, &name, &version))
        if (slice_ieq(name, SLICE("fhirVersion")) && !is_our_version(version))
            return ERR_NOT_ACCEPTABLE;
    if (media == FHIR_MEDIA_OTHER)
        return ERR_NOT_ACCEPTABLE;
    *ret_wish = (struct fhir_wish){.form = media == FHIR_MEDIA_XML ? media : FHIR_MEDIA_JSON,
                                   .html = media == FHIR_MEDIA_HTML,
                                   .named = true};
    return ERR_OK;
}

/* ── Prefer ──────────────────────────────────────────────────────────────────────────────────── */

bool fhir_media_prefers(struct slice field, const char *name, const char *value)
{
    struct slice rest = field, found_name, found;
    while (rest.ptr) {
        struct slice one = slice_cut(&rest, ',');
        while (next_parameter(&one, &found_name, &found))
            if (slice_ieq(found_name, slice_str(name)) && slice_ieq(found, slice_str(value)))
                return true;
    }
    return false;
}
