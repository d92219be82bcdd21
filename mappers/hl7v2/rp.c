/* SPDX-License-Identifier: Apache-2.0
 *
 * RP numbers: Japanese prescriptions number their groups of drugs taken together. JP Core wants the
 * group's number and the drug's place in it as identifiers, without leading zeros.
 */
#include "mappers/hl7v2/rp.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/family.h"
#include "base/banned.h"

#define MHLW "http://jpfhir.jp/fhir/core/mhlw/IdSystem/"
#define INSTANCE "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"

static struct slice strip_zeros(struct slice s)
{
    while (s.len > 1 && s.ptr[0] == '0')
        s = slice_sub(s, 1, s.len);
    return s;
}

void rp_read(struct mapping *mp, const struct order *o, struct rp *ret_rp)
{
    struct slice rest, first, second;

    ret_rp->raw = rest = mapping_value(mp, o->orc, 4, 1);
    first = slice_cut(&rest, '_');
    second = slice_cut(&rest, '_');
    ret_rp->group = strip_zeros(second.len ? second : first);
    ret_rp->index = second.len ? strip_zeros(slice_cut(&rest, '_')) : SLICE_NONE;
}

static void put_identifier(struct mapping *mp, struct json *resource, const char *system,
                           struct slice value)
{
    struct json *identifier;

    if (value.len == 0)
        return;
    identifier = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, identifier, "system", system);
    json_put_str(mp->a, identifier, "value", value);
    mapping_put_at(mp->a, resource, "identifier[]", identifier);
}

void rp_identify(struct mapping *mp, const struct order *o, const struct rp *rp, struct slice index,
                 struct json *resource)
{
    mapping_mark(mp, o->orc, 4, MAPPING_USED);
    put_identifier(mp, resource, MHLW "Medication-RPGroupNumber", rp->group);
    put_identifier(mp, resource, MHLW "MedicationAdministrationIndex", index);
    if (o->numbered && index.len == 0)
        put_identifier(mp, resource, arena_str(mp->a, cwe_local(mp, SLICE("order"))), o->number);
    else if (o->numbered)
        put_identifier(mp, resource, INSTANCE,
                       mapping_format(mp, "%.*s:%.*s:%.*s:%.*s", SLICE_ARG(mp->env->facility_code),
                                      SLICE_ARG(o->number), SLICE_ARG(rp->group),
                                      SLICE_ARG(index)));
}

struct json *rp_contained(struct mapping *mp, struct json *resource, const char *type,
                          const char *id)
{
    struct json *contained = json_new(mp->a, JSON_OBJECT);

    json_put_text(mp->a, contained, "resourceType", type);
    json_put_text(mp->a, contained, "id", id);
    mapping_put_at(mp->a, resource, "contained[]", contained);
    return contained;
}

bool rp_build_device(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct cwe c;
    struct json *extension, *device;

    cwe_read(mp, at->raw, &c);
    if (at->repeat > 0 || cwe_text(&c).len == 0)
        return false;
    device = rp_contained(mp, at->target, "Device", "device");
    json_set(device, "type", cwe_concept(mp, &c));
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(
        mp->a, extension, "url",
        "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_Device");
    json_put_text(mp->a, json_put_object(mp->a, extension, "valueReference"), "reference",
                  "#device");
    return mapping_put(at, extension);
}

/* ORC-4 is cut into its parts (rp_read). */
static const struct row orc_rows[] = {{4, 0, build_elsewhere, "identifier[]", NULL}, ROW_END};

const struct row_set rp_sets[] = {
    {"ORC", "MedicationRequest or MedicationAdministration", orc_rows, NULL},
    ROW_SET_END,
};
