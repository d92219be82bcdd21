/* SPDX-License-Identifier: Apache-2.0
 *
 * See coded.h. A code alone needs no system. A Coding or CodeableConcept must name the system of
 * the value set too: R4 binds few of them, so their systems stand in a table here. At least one
 * Coding must be of the set; the others may be anything.
 */
#include "mappers/fhir/coded.h"

#include "mappers/fhir/gen/tables.h"

#include "base/banned.h"

#define CODES_SHOWN 12 /* more allowed codes than this are not worth reading in a message */
#define THO "http://terminology.hl7.org/CodeSystem/"

/* Every R4 element with a required binding that is no plain code and whose codes R4 lists. */
static const struct {
    const char *type, *element, *system;
} systems[] = {
    {"AdverseEvent", "outcome", THO "adverse-event-outcome"},
    {"AdverseEvent", "severity", THO "adverse-event-severity"},
    {"AllergyIntolerance", "clinicalStatus", THO "allergyintolerance-clinical"},
    {"AllergyIntolerance", "verificationStatus", THO "allergyintolerance-verification"},
    {"Condition", "clinicalStatus", THO "condition-clinical"},
    {"Condition", "verificationStatus", THO "condition-ver-status"},
    {"InsurancePlan.plan.specificCost.benefit.cost", "applicability", THO "applicability"},
    {"Measure", "improvementNotation", THO "measure-improvement-notation"},
    {"MeasureReport", "improvementNotation", THO "measure-improvement-notation"},
    {"SupplyDelivery", "type", THO "supply-item-type"},
};

static const char *system_of(const struct definition_type *type, const struct definition_element *e)
{
    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
        if (strcmp(systems[i].type, type->name) == 0 && strcmp(systems[i].element, e->name) == 0)
            return systems[i].system;
    }
    return NULL;
}

static bool is_allowed(const char *const *codes, struct slice code)
{
    for (; *codes; codes++) {
        if (slice_is(code, *codes))
            return true;
    }
    return false;
}

static void say_codes(struct findings *f, const char *const *codes, const char *system,
                      const struct place *at)
{
    struct arena *arena = f->errors->arena;
    const char *list = codes[0];
    size_t count = 0;
    while (codes[count])
        count++;
    bool shown = count <= CODES_SHOWN && findings_kept(f);
    for (size_t i = 1; i < count && shown && list; i++)
        list = arena_printf(arena, "%s, %s", list, codes[i]);
    if (shown && list && system)
        list = arena_printf(arena, "%s (%s)", list, system);
    if (!shown || !list) {
        findings_say(f, ERR_INVALID, at, "the code is not in the required value set",
                     "コードが必須の値セットにありません");
        return;
    }
    findings_say(f, ERR_INVALID, at, arena_printf(arena, "the code must be one of: %s", list),
                 arena_printf(arena, "コードは次のいずれかです: %s", list));
}

static bool coding_ok(const struct json *coding, const char *const *codes, const char *system)
{
    if (system && !slice_is(json_str(coding, "system"), system))
        return false;
    return is_allowed(codes, json_str(coding, "code"));
}

/* One of the codings must be of the set: a text alone says nothing that a program can act on. */
static void check_concept(struct findings *f, const char *const *codes, const char *system,
                          const struct json *value, const struct place *at)
{
    const struct json *codings = json_get(value, "coding");
    for (const struct json *i = codings ? codings->first : NULL; i; i = i->next) {
        if (coding_ok(i, codes, system))
            return;
    }
    if (json_get(value, "coding") || json_get(value, "text"))
        say_codes(f, codes, system, at);
}

void coded_check(struct findings *f, const struct definition_type *type,
                 const struct definition_element *e, const struct json *value,
                 const struct place *at)
{
    const char *system = system_of(type, e);
    if (e->type == &tables_types[TABLES_AT_CODING]) {
        if (json_get(value, "code") && !coding_ok(value, e->codes, system))
            say_codes(f, e->codes, system, at);
    } else if (e->type == &tables_types[TABLES_AT_CODEABLE_CONCEPT]) {
        check_concept(f, e->codes, system, value, at);
    } else if (!is_allowed(e->codes, value->text)) {
        say_codes(f, e->codes, NULL, at);
    }
}
