/* SPDX-License-Identifier: Apache-2.0
 *
 * The door of the HL7 v2 mapper: chooses the family by MSH-9, identifies the patient, keeps the
 * account. Everything is built in the message's arena; when that runs full, nothing is returned.
 */
#include "mappers/hl7v2/map.h"

#include "mappers/hl7v2/allergy.h"
#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/periods.h"
#include "mappers/hl7v2/pid.h"
#include "base/banned.h"

#define MAPPER_NAME "hl7v2/2"

static const struct {
    const char *type, *trigger;
    void (*map)(struct mapping *mp);
} families[] = {
    {"ADT", "A01", adt_map}, {"ADT", "A02", adt_map}, {"ADT", "A03", adt_map},
    {"ADT", "A04", adt_map}, {"ADT", "A05", adt_map}, {"ADT", "A08", adt_map},
    {"ADT", "A11", adt_map}, {"ADT", "A12", adt_map}, {"ADT", "A13", adt_map},
    {"ADT", "A14", adt_map}, {"ADT", "A15", adt_map}, {"ADT", "A16", adt_map},
    {"ADT", "A21", adt_map}, {"ADT", "A22", adt_map}, {"ADT", "A23", adt_map},
    {"ADT", "A25", adt_map}, {"ADT", "A26", adt_map}, {"ADT", "A27", adt_map},
    {"ADT", "A28", adt_map}, {"ADT", "A31", adt_map}, {"ADT", "A52", adt_map},
    {"ADT", "A53", adt_map}, {"ADT", "A54", adt_map}, {"ADT", "A55", adt_map},
    {"ADT", "A18", adt_map}, {"ADT", "A24", adt_map}, {"ADT", "A30", adt_map},
    {"ADT", "A34", adt_map}, {"ADT", "A36", adt_map}, {"ADT", "A37", adt_map},
    {"ADT", "A39", adt_map}, {"ADT", "A40", adt_map},
    {"ADT", "A60", adt_map}, {"PPR", "ZD1", ppr_map}, {"OMD", "O03", omd_map},
    {"RDE", "O11", rde_map}, {"RAS", "O17", ras_map}, {"OML", "O33", oml_map},
    {"OUL", "R22", oul_map}, {"OMG", "O19", omg_map}, {"OMI", "Z23", omi_map},
    {"ORU", "R01", oru_map}, {"ORU", "R30", oru_map},
};

/* Fields of MSH that address, number, date or describe the message itself; the inbox keeps them. */
static const struct row msh_rows[] = {
    {1, 0, build_structure, NULL, NULL},  {2, 0, build_structure, NULL, NULL},
    {3, 0, build_structure, NULL, NULL},  {4, 0, build_structure, NULL, NULL},
    {5, 0, build_structure, NULL, NULL},  {6, 0, build_structure, NULL, NULL},
    {7, 0, build_structure, NULL, NULL},  {9, 0, build_structure, NULL, NULL},
    {10, 0, build_structure, NULL, NULL}, {11, 0, build_structure, NULL, NULL},
    {12, 0, build_structure, NULL, NULL}, {13, 0, build_structure, NULL, NULL},
    {15, 0, build_structure, NULL, NULL}, {16, 0, build_structure, NULL, NULL},
    {17, 0, build_structure, NULL, NULL}, {18, 0, build_structure, NULL, NULL},
    {19, 0, build_structure, NULL, NULL}, {20, 0, build_structure, NULL, NULL},
    {21, 0, build_structure, NULL, NULL}, ROW_END,
};

static void (*family_of(const struct mapping *mp))(struct mapping *)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (slice_is(mp->type, families[i].type) && slice_is(mp->trigger, families[i].trigger))
            return families[i].map;
    }
    return NULL;
}

static bool start(struct mapping *mp)
{
    struct hl7_header header;

    hl7_header_of(mp->m, &header);
    mp->type = header.type;
    mp->trigger = header.trigger;
    mp->out = ARENA_NEW(mp->a, struct mapped);
    mp->used = arena_array(mp->a, mp->m->segment_count + 1, sizeof(*mp->used));
    if (!mp->out || !mp->used)
        return false;
    mp->out->arena = mp->a;
    mp->out->mapper = MAPPER_NAME;
    mp->out->message =
        mapping_format(mp, "%.*s^%.*s", SLICE_ARG(header.type), SLICE_ARG(header.trigger));
    mp->left_end = &mp->out->left;
    return true;
}

enum err hl7_map(const struct hl7_message *message, const struct mapper_env *env,
                 struct err_list *errors, struct mapped **ret_mapped)
{
    struct mapping mp = {.m = message, .env = env, .errors = errors, .a = message->arena};
    void (*family)(struct mapping *);
    enum err err;

    if (message->segment_count == 0 || !start(&mp))
        return err_add(errors, message->segment_count ? ERR_LIMIT : ERR_MALFORMED, "MSH", NULL);
    family = family_of(&mp);
    if (!family)
        return err_add(errors, ERR_UNKNOWN_TYPE, "MSH[1]-9", "%.*s", SLICE_ARG(mp.out->message));
    err = pid_identify(&mp);
    if (err != ERR_OK)
        return err;
    mapping_walk(&mp, &message->segments[0], msh_rows, NULL);
    if (family != adt_map) {
        pid_patient(&mp)->create_only = true;
        (void)al1_allergies(&mp,
                            SLICE(ALLERGY_SCOPE_AL1)); /* said beside an order: replaces nothing */
    }
    family(&mp);
    periods_order(&mp);
    mapping_account(&mp);
    if (arena_exhausted(mp.a))
        return err_add(errors, ERR_LIMIT, "MSH", NULL);
    *ret_mapped = mp.out;
    return ERR_OK;
}
