/* SPDX-License-Identifier: Apache-2.0
 *
 * SPM to Specimen. One SPM stands before several orders (OML, OUL); it is mapped at the first and
 * lives in the scope of that order.
 */
#include "mappers/hl7v2/spm.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "base/banned.h"

/* EIP: placer's id, else the filler's. */
static struct slice specimen_number(struct mapping *mp, const struct hl7_segment *spm)
{
    struct slice eip = hl7_repeat(mp->m, hl7_field(spm, 2), 0);

    for (unsigned c = 1; c <= 2; c++) {
        struct slice number = mapping_clean(mp, hl7_sub(mp->m, hl7_component(mp->m, eip, c), 1));
        if (number.len)
            return number;
    }
    return SLICE_NONE;
}

static bool build_number(struct spot *at)
{
    struct slice number = specimen_number(at->mp, at->s);
    struct json *identifier;

    if (number.len == 0)
        return false;
    identifier = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, identifier, "system", cwe_local(at->mp, SLICE("specimen")));
    json_put_str(at->mp->a, identifier, "value", number);
    return mapping_put(at, identifier);
}

/* DR: one time, or from and to. */
static bool build_collected(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice from = mapping_part(mp, at->raw, 1), to = mapping_part(mp, at->raw, 2);
    struct json *period;

    if (to.len == 0 || slice_eq(from, to))
        return build_datetime(at);
    from = build_datetime_of(mp, from);
    to = build_datetime_of(mp, to);
    if (from.len == 0 || to.len == 0)
        return build_datetime(at);
    period = mapping_object_at(mp->a, at->target, "collection.collectedPeriod");
    json_put_str(mp->a, period, "start", from);
    return json_put_str(mp->a, period, "end", to) != NULL;
}

static const struct row spm_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_number, "identifier[]", NULL},
    {4, 0, cwe_build, "type", NULL},
    {7, 0, cwe_build, "collection.method", NULL},
    {8, 0, cwe_build, "collection.bodySite", NULL},
    {12, 0, build_quantity, "collection.quantity", NULL},
    {14, 1, build_text_object, "note[]", NULL},
    {17, 0, build_collected, "collection.collectedDateTime", NULL},
    {18, 0, build_datetime, "receivedTime", NULL},
    {24, 0, cwe_build, "condition[]", NULL},
    ROW_END,
};

const char *spm_specimen(struct mapping *mp, const struct order *o)
{
    struct slice number, key;
    struct mapped_resource *r;

    if (!o->spm)
        return NULL;
    if (mp->specimen == o->spm)
        return mp->specimen_ref;
    number = specimen_number(mp, o->spm);
    if (number.len)
        key = mapping_format(mp, "SPM:%.*s", SLICE_ARG(number));
    else
        key = mapping_format(mp, "SPM:%.*s:%.*s:%.*s", SLICE_ARG(o->number),
                             SLICE_ARG(mapping_value(mp, o->spm, 1, 1)),
                             SLICE_ARG(mapping_value(mp, o->spm, 4, 1)));
    r = mapping_resource(mp, "Specimen", "JP_Specimen_Common", mapping_unique(mp, "Specimen", key));
    r->scope = o->scope;
    mapping_subject(mp, r->resource, "subject");
    mapping_walk(mp, o->spm, spm_rows, r->resource);
    mp->specimen = o->spm;
    mp->specimen_ref = arena_printf(mp->a, "Specimen/%.*s", SLICE_ARG(json_str(r->resource, "id")));
    return mp->specimen_ref;
}

struct slice spm_taken(struct mapping *mp, const struct order *o)
{
    return mapping_value(mp, o->spm, 17, 1);
}
