/* SPDX-License-Identifier: Apache-2.0
 *
 * The door of the HL7 v2 mapper: chooses the family by MSH-9, identifies the patient, keeps the
 * account. Everything is built in the message's arena; when that runs full, nothing is returned.
 */
#include "mappers/hl7v2/map.h"

#include "mappers/hl7v2/allergy.h"
#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/in1.h"
#include "mappers/hl7v2/periods.h"
#include "mappers/hl7v2/pid.h"
#include "mappers/hl7v2/provenance.h"
#include "base/banned.h"

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
    {21, 0, build_structure, NULL, NULL}, {24, 0, build_structure, NULL, NULL},
    {25, 0, build_structure, NULL, NULL}, ROW_END,
};

const struct row_set msh_sets[] = {{"MSH", NULL, msh_rows, NULL}, ROW_SET_END};

static const struct family *family_of(const struct mapping *mp)
{
    for (const struct family *f = families; f->type; f++) {
        if (slice_is(mp->type, f->type) && slice_is(mp->trigger, f->trigger))
            return f;
    }
    return NULL;
}

/* The type is not known at all, or only not with this event. */
static enum err unknown_type(const struct mapping *mp)
{
    const struct family *f = families;

    while (f->type && !slice_is(mp->type, f->type))
        f++;
    return f->type ? err_add(mp->errors, ERR_UNKNOWN_EVENT, "MSH[1]-9.2", "%.*s",
                             SLICE_ARG(mp->out->message))
                   : err_add(mp->errors, ERR_UNKNOWN_TYPE, "MSH[1]-9", "%.*s",
                             SLICE_ARG(mp->out->message));
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
    mp->out->mapper = MAPPING_NAME;
    mp->out->message =
        mapping_format(mp, "%.*s^%.*s", SLICE_ARG(header.type), SLICE_ARG(header.trigger));
    mp->left_end = &mp->out->left;
    return true;
}

enum err hl7_map(const struct hl7_message *message, const struct mapper_env *env,
                 struct err_list *errors, struct mapped **ret_mapped)
{
    struct mapping mp = {.m = message, .env = env, .errors = errors, .a = message->arena};
    enum err err;

    if (message->segment_count == 0 || !start(&mp))
        return err_add(errors, message->segment_count ? ERR_LIMIT : ERR_MALFORMED, "MSH", NULL);
    mp.family = family_of(&mp);
    if (!mp.family)
        return unknown_type(&mp);
    err = pid_identify(&mp);
    if (err != ERR_OK)
        return err;
    mapping_walk(&mp, &message->segments[0], msh_rows, NULL);
    if (mp.family->map != adt_map) {
        pid_patient(&mp)->create_only = true;
        in1_mention(&mp, SLICE(IN1_SCOPE_BASIC));
        (void)al1_allergies(&mp,
                            SLICE(ALLERGY_SCOPE_AL1)); /* said beside an order: replaces nothing */
    }
    mp.family->map(&mp);
    periods_order(&mp);
    mapping_account(&mp);
    provenance_make(&mp);
    if (arena_exhausted(mp.a))
        return err_add(errors, ERR_LIMIT, "MSH", NULL);
    *ret_mapped = mp.out;
    return ERR_OK;
}
