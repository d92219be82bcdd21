/* SPDX-License-Identifier: Apache-2.0
 *
 * Most messages make one Provenance: results and their report share scope and category. What is
 * only mentioned on the side has its own, written only if the resource was (mapped_resource.like).
 * Its id comes from what it is about, so a correction makes its next version; recorded is the time
 * of the message where it has one, so the same bytes make the same resource.
 */
#include "mappers/hl7v2/provenance.h"

#include "base/digest.h"
#include "base/when.h"
#include "mappers/fhir/classify.h"
#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "base/banned.h"

struct group {
    struct mapped_resource *provenance;
    struct json *targets;
    struct buf segments;
};

struct maker {
    struct mapping *mp;
    struct slice sha, recorded, occurred;
    unsigned *stamp; /* [segment]: the last target that named it */
    unsigned target; /* counts targets */
    struct keys groups;
};

static struct slice hex_of(struct mapping *mp)
{
    unsigned char own[DIGEST_LEN];
    const unsigned char *sha = mp->env->original;
    struct buf hex;
    struct slice text;

    if (!sha) {
        digest_sha256(mp->m->raw, own);
        sha = own;
    }
    buf_init(&hex, 2 * DIGEST_LEN);
    digest_hex(&hex, slice_of((const char *)sha, DIGEST_LEN));
    text = arena_dup(mp->a, buf_slice(&hex));
    buf_fini(&hex);
    return text;
}

/* An instant wants seconds and a zone; a time yet to come is a clock that is wrong. */
static void read_times(struct maker *k)
{
    struct mapping *mp = k->mp;
    struct slice sent = mapping_value(mp, &mp->m->segments[0], 7, 1);
    struct when when;
    struct buf now;

    k->occurred = build_datetime_of(mp, mapping_value(mp, hl7_find(mp->m, "EVN", 1), 6, 1));
    k->recorded = build_instant_of(mp, sent);
    if (when_parse_fhir(k->recorded, false, &when) && when.lo_ms <= mp->env->now_ms)
        return;
    buf_init(&now, 64);
    when_print_instant(&now, mp->env->now_ms);
    k->recorded = arena_dup(mp->a, buf_slice(&now));
    buf_fini(&now);
}

static void put_source(const struct maker *k, struct json *provenance)
{
    struct mapping *mp = k->mp;
    const struct hl7_segment *msh = &mp->m->segments[0];
    struct json *agent = json_push_object(mp->a, json_put_array(mp->a, provenance, "agent"));
    struct json *entity = json_push_object(mp->a, json_put_array(mp->a, provenance, "entity"));
    struct json *who = json_put_object(mp->a, agent, "who"), *what, *identifier;

    identifier = json_put_object(mp->a, who, "identifier");
    json_put_text(mp->a, identifier, "system",
                  "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no");
    json_put_str(mp->a, identifier, "value", mp->env->facility_code);
    json_put_text(mp->a, entity, "role", "source");
    what = json_put_object(mp->a, entity, "what");
    identifier = json_put_object(mp->a, what, "identifier");
    json_put_text(mp->a, identifier, "system", PROVENANCE_ORIGINAL);
    json_put_str(mp->a, identifier, "value", k->sha);
    json_put_str(mp->a, what, "display",
                 mapping_format(mp, "%.*s %.*s %.*s", SLICE_ARG(mp->out->message),
                                SLICE_ARG(mapping_value(mp, msh, 3, 1)),
                                SLICE_ARG(mapping_value(mp, msh, 10, 1))));
}

/* What a group is known by, and so its Provenance: what lies in no scope is known by itself, and
 * all that happens to it makes versions of one Provenance. */
static struct slice group_key(struct mapping *mp, const struct mapped_resource *r)
{
    struct slice id = json_str(r->resource, "id");

    if (r->scope.len == 0 || r->create_only)
        return ARENA_JOIN(mp->a, slice_str(r->type), SLICE(":"), id);
    return mapping_format(mp, "%.*s:%d:%u", SLICE_ARG(r->scope), (int)r->class.category,
                          r->class.label);
}

static struct group *open_group(struct maker *k, const struct mapped_resource *r)
{
    struct mapping *mp = k->mp;
    struct slice key = group_key(mp, r);
    struct keys_slot *slot = keys_at(mp->a, &k->groups, key);
    struct group *g = slot ? slot->value : NULL;

    if (g || !slot)
        return g;
    slot->value = g = ARENA_NEW(mp->a, struct group);
    if (!g)
        return NULL;
    g->provenance =
        mapping_resource(mp, "Provenance", NULL, ARENA_JOIN(mp->a, SLICE("provenance:"), key));
    g->provenance->like = r;
    g->provenance->scope = r->create_only ? SLICE_NONE : r->scope;
    g->provenance->create_only = r->create_only;
    g->provenance->remove = r->remove;
    g->targets = json_put_array(mp->a, g->provenance->resource, "target");
    return g;
}

static void add_segments(struct maker *k, struct json *extension, const struct mapped_resource *r)
{
    struct mapping *mp = k->mp;
    struct json *value = json_get(extension, "valueString");
    struct slice text = value ? value->text : SLICE_NONE;
    struct buf out;
    const char *separator = value ? ";" : "";

    k->target++;
    buf_init(&out, text.len + 1 + 8 * mp->m->segment_count);
    buf_add(&out, text);
    for (const struct mapped_from *f = r->from; f; f = f->next) {
        if (k->stamp[f->segment - 1] == k->target)
            continue;
        k->stamp[f->segment - 1] = k->target;
        buf_addf(&out, "%s%u", separator, f->segment);
        separator = ",";
    }
    if (!r->from)
        buf_add(&out, slice_str(separator));
    if (buf_err(&out) == ERR_OK)
        json_put_str(mp->a, extension, "valueString", arena_dup(mp->a, buf_slice(&out)));
    buf_fini(&out);
}

static void add_target(struct maker *k, const struct mapped_resource *r)
{
    struct mapping *mp = k->mp;
    struct group *g = open_group(k, r);
    struct json *target, *extension;

    if (!g)
        return;
    target = json_push_object(mp->a, g->targets);
    if (strcmp(r->type, "Patient") == 0)
        json_put_text(mp->a, target, "reference", "Patient/@");
    else
        json_put_str(
            mp->a, target, "reference",
            ARENA_JOIN(mp->a, slice_str(r->type), SLICE("/"), json_str(r->resource, "id")));
    extension = mapping_object_at(mp->a, g->provenance->resource, "extension[0]");
    if (!json_get(extension, "url"))
        json_put_text(mp->a, extension, "url", PROVENANCE_SEGMENTS);
    add_segments(k, extension, r);
}

void provenance_make(struct mapping *mp)
{
    struct maker k = {.mp = mp};
    struct mapped_resource *last = mp->out->last;

    k.stamp = arena_array(mp->a, mp->m->segment_count + 1, sizeof(*k.stamp));
    if (!last || !k.stamp)
        return;
    k.sha = hex_of(mp);
    read_times(&k);
    for (struct mapped_resource *r = mp->out->first; r; r = r == last ? NULL : r->next) {
        classify_resource(r->resource, &r->class);
        /* what is taken back takes its Provenance along; that of a scope goes with the last of it
         */
        if (!r->remove || r->scope.len == 0)
            add_target(&k, r);
    }
    for (struct mapped_resource *r = last->next; r; r = r->next) {
        if (k.occurred.len)
            json_put_str(mp->a, r->resource, "occurredDateTime", k.occurred);
        json_put_str(mp->a, r->resource, "recorded", k.recorded);
        put_source(&k, r->resource);
        classify_resource(r->resource, &r->class);
        r->class.category = r->like->class.category;
        r->class.label = r->like->class.label;
    }
}
