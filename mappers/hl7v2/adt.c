/* SPDX-License-Identifier: Apache-2.0
 *
 * ADT: demographics (A08, A28, A31), their deletion (A23, A29), visits (the other events),
 * allergies (A60). A08 is the whole of the patient's basic data and replaces what it brought before
 * (insurances, body measurements); allergies in AL1 are a group of their own, touched only by
 * messages that have some.
 */
#include "mappers/hl7v2/family.h"

#include "mappers/hl7v2/allergy.h"
#include "mappers/hl7v2/dg1.h"
#include "mappers/hl7v2/in1.h"
#include "mappers/hl7v2/obx.h"
#include "mappers/hl7v2/pid.h"
#include "mappers/hl7v2/pv1.h"
#include "base/banned.h"

#define BASIC IN1_SCOPE_BASIC
#define ALLERGIES "allergies"

static bool is_one_of(struct slice trigger, const char *const *list)
{
    for (; *list; list++) {
        if (slice_is(trigger, *list))
            return true;
    }
    return false;
}

/* WHOLE: the message brings all of the basic data, and replaces what is there. */
static void map_basic(struct mapping *mp, bool whole)
{
    struct obx_context context = {.key = SLICE("adt"), .scope = SLICE(BASIC)};

    if (whole)
        mapping_replaces(mp, SLICE(BASIC));
    in1_coverages(mp, SLICE(BASIC));
    if (al1_allergies(mp, SLICE(ALLERGY_SCOPE_AL1)) > 0 && whole)
        mapping_replaces(mp, SLICE(ALLERGY_SCOPE_AL1));
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        if (mapping_is(&mp->m->segments[i], "OBX"))
            (void)obx_observation(mp, &mp->m->segments[i], &context);
    }
}

void adt_map(struct mapping *mp)
{
    static const char *const whole[] = {"A08", "A28", "A31", NULL};
    const struct pv1_event *event = pv1_event(mp->trigger);
    struct mapped_resource *patient = pid_patient(mp);

    /* Visits bring a short PID: it must not overwrite what a demographics message said. */
    patient->create_only = !is_one_of(mp->trigger, whole);
    if (slice_is(mp->trigger, "A23") || slice_is(mp->trigger, "A29")) {
        patient->create_only = false;
        patient->remove = true;
        mapping_replaces(mp, SLICE(BASIC));
        mapping_replaces(mp, SLICE(ALLERGY_SCOPE_AL1));
        return;
    }
    if (event)
        pv1_visit(mp, event);
    else
        pv1_mention(mp, SLICE_NONE);
    map_basic(mp, is_one_of(mp->trigger, whole));
    if (!slice_is(mp->trigger, "A60"))
        dg1_conditions(mp);
    if (slice_is(mp->trigger, "A60") && iam_allergies(mp, SLICE(ALLERGIES)))
        mapping_replaces(mp, SLICE(ALLERGIES));
}
