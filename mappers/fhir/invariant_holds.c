/* SPDX-License-Identifier: Apache-2.0
 *
 * The invariants that the small language of invariant.h has no words for: order of times and
 * quantities, contained resources, bundles. What cannot be compared (other units, dates of other
 * precision) breaks no rule, as in FHIRPath, where such a comparison is empty.
 */
#include <stdlib.h>

#include "base/when.h"
#include "mappers/fhir/invariant.h"
#include "mappers/fhir/reference.h"

#include "base/banned.h"

/* ── elements ────────────────────────────────────────────────────────────────────────────────── */

/* ele-1: more than an id. */
bool invariant_element(struct invariant_site *site)
{
    return site->json->count != 1 || !slice_is(site->json->first->key, "id");
}

/* Is the time in member A surely not after that in B? Also when one is absent. */
static bool in_order(const struct json *object, const char *a, const char *b)
{
    struct when first, second;
    if (!when_parse_fhir(json_str(object, a), false, &first) ||
        !when_parse_fhir(json_str(object, b), false, &second))
        return true;
    return first.lo_ms < second.hi_ms;
}

bool invariant_period(struct invariant_site *site)
{
    return in_order(site->json, "start", "end");
}

bool invariant_handed_over(struct invariant_site *site)
{
    return in_order(site->json, "whenPrepared", "whenHandedOver");
}

bool invariant_task_times(struct invariant_site *site)
{
    return in_order(site->json, "authoredOn", "lastModified");
}

/* The number in MEMBER of OBJECT; the formats are checked elsewhere. */
static bool number_of(const struct json *object, const char *member, double *ret_value)
{
    const struct json *value = json_get(object, member);
    char text[80];
    if (!value || value->kind != JSON_NUMBER || value->text.len >= sizeof(text))
        return false;
    memcpy(text, value->text.ptr, value->text.len);
    text[value->text.len] = '\0';
    *ret_value = strtod(text, NULL);
    return true;
}

bool invariant_range(struct invariant_site *site)
{
    const struct json *low = json_get(site->json, "low");
    const struct json *high = json_get(site->json, "high");
    double a, b;
    if (!number_of(low, "value", &a) || !number_of(high, "value", &b))
        return true;
    if (!slice_eq(json_str(low, "code"), json_str(high, "code")) ||
        !slice_eq(json_str(low, "unit"), json_str(high, "unit")))
        return true;
    return a <= b;
}

#define UCUM "http://unitsofmeasure.org"

/* A unit of UCUM's with every value. */
static bool has_ucum(const struct json *json)
{
    if (json_get(json, "system") && !slice_is(json_str(json, "system"), UCUM))
        return false;
    return json_get(json, "code") || !json_get(json, "value");
}

bool invariant_age(struct invariant_site *site)
{
    double value;
    return has_ucum(site->json) && (!number_of(site->json, "value", &value) || value > 0);
}

bool invariant_duration(struct invariant_site *site)
{
    return !json_get(site->json, "code") ||
           (slice_is(json_str(site->json, "system"), UCUM) && json_get(site->json, "value"));
}

bool invariant_timing_duration(struct invariant_site *site)
{
    double value;
    return !number_of(site->json, "duration", &value) || value >= 0;
}

bool invariant_timing_period(struct invariant_site *site)
{
    double value;
    return !number_of(site->json, "period", &value) || value >= 0;
}

/* eld-2: ElementDefinition.min and max, which is a text. */
bool invariant_cardinality(struct invariant_site *site)
{
    struct slice max = json_str(site->json, "max");
    const struct json *min = json_get(site->json, "min");
    uint64_t a, b;
    if (!min || !slice_u64(min->text, &a) || !slice_u64(max, &b))
        return true;
    return a <= b;
}

static bool same_coding(const struct json *a, const struct json *b)
{
    return json_get(a, "code") && slice_eq(json_str(a, "code"), json_str(b, "code")) &&
           slice_eq(json_str(a, "system"), json_str(b, "system"));
}

static bool shares_coding(const struct json *a, const struct json *b)
{
    const struct json *left = json_get(a, "coding");
    const struct json *right = json_get(b, "coding");
    for (const struct json *i = left ? left->first : NULL; i; i = i->next) {
        for (const struct json *k = right ? right->first : NULL; k; k = k->next) {
            if (same_coding(i, k))
                return true;
        }
    }
    return false;
}

/* obs-7: with a value of its own, no component speaks of the very same thing. */
bool invariant_observation_code(struct invariant_site *site)
{
    const struct json *components = json_get(site->json, "component");
    if (!components || invariant_rule("!value*", site->json, site->arena))
        return true;
    site->index = 0;
    for (const struct json *c = components->first; c; c = c->next, site->index++) {
        if (shares_coding(json_get(site->json, "code"), json_get(c, "code"))) {
            site->child = "component";
            return false;
        }
    }
    return true;
}

/* ── contained ───────────────────────────────────────────────────────────────────────────────── */

struct texts {
    struct slice *list;
    size_t count, room;
};

static void keep_text(struct texts *t, struct slice text)
{
    if (t->count < t->room)
        t->list[t->count] = text;
    t->count++;
}

static int compare_texts(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Every text below JSON that begins with '#', without it. */
static void gather_fragments(const struct json *json, struct texts *t)
{
    if (json->kind == JSON_STRING && json->text.len > 0 && json->text.ptr[0] == '#')
        keep_text(t, slice_sub(json->text, 1, json->text.len));
    if (json->kind != JSON_ARRAY && json->kind != JSON_OBJECT)
        return;
    for (const struct json *i = json->first; i; i = i->next)
        gather_fragments(i, t);
}

/* Does the text "#" stand anywhere below JSON? */
static bool names_container(const struct json *json)
{
    if (json->kind == JSON_STRING)
        return slice_is(json->text, "#");
    if (json->kind != JSON_ARRAY && json->kind != JSON_OBJECT)
        return false;
    for (const struct json *i = json->first; i; i = i->next) {
        if (names_container(i))
            return true;
    }
    return false;
}

/* dom-3: each is referred to from somewhere, or refers to its container. One walk gathers what is
 * referred to, so that many contained resources stay cheap. */
bool invariant_contained_used(struct invariant_site *site)
{
    const struct json *list = json_get(site->json, "contained");
    struct texts t = {0};
    gather_fragments(site->json, &t);
    t.room = t.count;
    t.list = arena_array(site->arena, t.count + 1, sizeof(*t.list));
    if (!t.list)
        return true; /* the caller sees that the arena is exhausted */
    t.count = 0;
    gather_fragments(site->json, &t);
    qsort(t.list, t.count, sizeof(*t.list), compare_texts);
    site->index = 0;
    site->child = "contained";
    for (const struct json *i = list->first; i; i = i->next, site->index++) {
        struct slice id = json_str(i, "id");
        if (id.len && !bsearch(&id, t.list, t.count, sizeof(*t.list), compare_texts) &&
            !names_container(i))
            return false;
    }
    return true;
}

static bool no_contained(struct invariant_site *site, const char *rule)
{
    const struct json *list = json_get(site->json, "contained");
    site->index = 0;
    site->child = "contained";
    for (const struct json *i = list->first; i; i = i->next, site->index++) {
        if (invariant_rule(rule, i, site->arena))
            return false;
    }
    return true;
}

bool invariant_contained_meta(struct invariant_site *site)
{
    return no_contained(site, "meta.versionId | meta.lastUpdated");
}

bool invariant_contained_security(struct invariant_site *site)
{
    return no_contained(site, "meta.security");
}

/* ── bundles ─────────────────────────────────────────────────────────────────────────────────── */

/* Every entry has MEMBER exactly if the bundle's type matches TYPES (a rule). */
static bool each_entry(struct invariant_site *site, const char *types, const char *member)
{
    const struct json *list = json_get(site->json, "entry");
    bool wanted = invariant_rule(types, site->json, site->arena);
    site->index = 0;
    site->child = "entry";
    for (const struct json *i = list ? list->first : NULL; i; i = i->next, site->index++) {
        if ((json_get(i, member) != NULL) != wanted)
            return false;
    }
    return true;
}

bool invariant_entry_request(struct invariant_site *site)
{
    return each_entry(site, "type=batch,transaction,history", "request");
}

bool invariant_entry_response(struct invariant_site *site)
{
    return each_entry(site, "type=batch-response,transaction-response,history", "response");
}

struct entry_key {
    struct slice url, version;
    int64_t index;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry_key *x = a, *y = b;
    int order = slice_cmp(x->url, y->url);
    if (!order)
        order = slice_cmp(x->version, y->version);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* bdl-7: fullUrl and version together are unique, but in a history. */
bool invariant_entry_unique(struct invariant_site *site)
{
    const struct json *list = json_get(site->json, "entry");
    struct entry_key *keys = NULL;
    size_t count = 0;
    int64_t index = 0;
    if (!list || list->count < 2 || slice_is(json_str(site->json, "type"), "history"))
        return true;
    keys = arena_array(site->arena, list->count, sizeof(*keys));
    if (!keys)
        return true; /* the caller sees that the arena is exhausted */
    for (const struct json *i = list->first; i; i = i->next, index++) {
        const struct json *meta = json_get(json_get(i, "resource"), "meta");
        if (json_str(i, "fullUrl").len)
            keys[count++] =
                (struct entry_key){json_str(i, "fullUrl"), json_str(meta, "versionId"), index};
    }
    qsort(keys, count, sizeof(*keys), compare_entries);
    for (size_t i = 1; i < count; i++) {
        if (slice_eq(keys[i].url, keys[i - 1].url) &&
            slice_eq(keys[i].version, keys[i - 1].version)) {
            site->child = "entry";
            site->index = keys[i].index;
            return false;
        }
    }
    return true;
}

/* bdl-8, and that it is absolute: nothing could be resolved against it otherwise. */
bool invariant_entry_url(struct invariant_site *site)
{
    struct slice url = json_str(site->json, "fullUrl");
    site->child = "fullUrl";
    return !url.len ||
           (slice_search(url, SLICE("/_history/"), 0) == url.len && reference_has_scheme(url));
}

/* bundle.html: a fullUrl that is a server's address agrees with the resource's id. */
bool invariant_entry_id(struct invariant_site *site)
{
    const struct json *resource = json_get(site->json, "resource");
    struct slice id = json_str(resource, "id");
    struct slice type = SLICE_NONE;
    struct slice url = json_str(site->json, "fullUrl");
    if (!id.len || reference_form(url, &type) != REFERENCE_ABSOLUTE ||
        !slice_eq(type, json_str(resource, "resourceType")))
        return true;
    site->child = "fullUrl";
    return slice_ends(url, id) && url.ptr[url.len - id.len - 1] == '/';
}

static bool first_is(struct invariant_site *site, const char *bundle, const char *type)
{
    const struct json *first = json_path(site->json, "entry", "0", "resource", NULL);
    return !slice_is(json_str(site->json, "type"), bundle) ||
           slice_is(json_str(first, "resourceType"), type);
}

bool invariant_first_composition(struct invariant_site *site)
{
    return first_is(site, "document", "Composition");
}

bool invariant_first_header(struct invariant_site *site)
{
    return first_is(site, "message", "MessageHeader");
}

/* ── trees of codes and questions ────────────────────────────────────────────────────────────── */

/* The texts of MEMBER in the tree that hangs by CHILDREN. */
static void gather(const struct json *json, const char *children, const char *member,
                   struct texts *t)
{
    const struct json *list = json_get(json, children);
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct slice text = json_str(i, member);
        if (text.len)
            keep_text(t, text);
        gather(i, children, member, t);
    }
}

static bool tree_unique(struct invariant_site *site, const char *children, const char *member)
{
    struct texts t = {0};
    gather(site->json, children, member, &t);
    t.list = t.count > 1 ? arena_array(site->arena, t.count, sizeof(*t.list)) : NULL;
    if (!t.list)
        return true;
    t.room = t.count;
    t.count = 0;
    gather(site->json, children, member, &t);
    qsort(t.list, t.count, sizeof(*t.list), compare_texts);
    for (size_t i = 1; i < t.count; i++) {
        if (slice_eq(t.list[i - 1], t.list[i]))
            return false;
    }
    return true;
}

bool invariant_codes_unique(struct invariant_site *site)
{
    return tree_unique(site, "concept", "code");
}

bool invariant_links_unique(struct invariant_site *site)
{
    return tree_unique(site, "item", "linkId");
}
