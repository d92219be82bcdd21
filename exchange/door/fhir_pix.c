/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient/$ihe-pix (IHE ITI-83, PIXm): from one number of a patient to the others that this caller may see, and to his Patient
 * here. The relay index knows numbers only as far as the caller is entitled to them (exchange/gate/refs.h), and a patient of
 * whom he may see nothing is not found.
 */
#include "exchange/door/fhir_operation.h"
#include "exchange/gate/refs.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT))

struct pix {
    struct slice system, value; /* the number known */
    struct json *answer;        /* list of parameters */
};

static bool is_wanted(const struct fhir_input *in, struct slice system)
{
    bool asked = false;
    for (unsigned i = 0; i < in->param_count; i++) {
        if (!slice_is(in->params[i].name, "targetSystem"))
            continue;
        asked = true;
        if (slice_eq(in->params[i].value, system))
            return true;
    }
    return !asked;
}

static struct json *put_parameter(struct request *r, const struct pix *pix, const char *name)
{
    struct json *item = json_push_object(r->arena, pix->answer);
    json_put_text(r->arena, item, "name", name);
    return item;
}

static void put_identifiers(struct request *r, const struct pix *pix, const struct json *patient)
{
    const struct json *list = json_get(patient, "identifier");
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct slice system = json_str(i, "system");
        bool source = slice_eq(system, pix->system) && slice_eq(json_str(i, "value"), pix->value);
        if (!source && system.len && is_wanted(r->input, system))
            json_set(put_parameter(r, pix, "targetIdentifier"), "valueIdentifier",
                     json_clone(r->arena, i));
    }
}

/* No id of ours when only other systems' numbers are asked for and none is known. */
static enum err answer(struct session *s, struct request *r, struct pix *pix,
                       const struct record *record)
{
    struct json *patient = NULL;
    struct json *parameters = json_new(r->arena, JSON_OBJECT);
    enum err err = fhir_outward_json(s, r, record, &patient);
    if (err)
        return err;
    json_put_text(r->arena, parameters, "resourceType", "Parameters");
    pix->answer = json_put_array(r->arena, parameters, "parameter");
    put_identifiers(r, pix, patient);
    if (is_wanted(r->input, SLICE_NONE) || (pix->answer && pix->answer->count)) {
        struct json *target = json_put_object(r->arena, put_parameter(r, pix, "targetId"), "valueReference");
        json_put_text(r->arena, target, "reference",
                      arena_printf(r->arena, "Patient/%.*s", SLICE_ARG(json_str(patient, "id"))));
    }
    if (pix->answer && !pix->answer->count)
        json_remove(parameters, "parameter");
    return fhir_answer_json(r, parameters);
}

/* ITI-83 section 2:3.83.4.2.2: a source nobody knows is 400, a target 403. */
static enum err check_systems(struct request *r, const struct pix *pix)
{
    const struct fhir_input *in = r->input;
    if (!pix->system.len || !pix->value.len)
        return err_add(&r->errors, ERR_BAD_PARAM, "sourceIdentifier", "system|value");
    if (!refs_is_person_system(pix->system))
        return err_add_words(&r->errors, ERR_BAD_PARAM, "sourceIdentifier", "not a system known here",
                             "この地域にない system です");
    for (unsigned i = 0; i < in->param_count; i++)
        if (slice_is(in->params[i].name, "targetSystem") &&
            !refs_is_person_system(in->params[i].value))
            return err_add_words(&r->errors, ERR_FORBIDDEN, "targetSystem", "not a system known here",
                                 "この地域にない system です");
    return ERR_OK;
}

static enum err pix_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    struct pix pix = {.answer = NULL};
    struct record record;
    int64_t person = 0;
    r->entity = "Patient/@";
    enum err err = fhir_operation_params(r);
    if (err)
        return err;
    struct slice source = fhir_operation_value(in, "sourceIdentifier");
    size_t bar = slice_find(source, '|', 0);
    pix.system = slice_sub(source, 0, bar);
    pix.value = slice_sub(source, bar + 1, source.len);
    err = check_systems(r, &pix);
    if (err)
        return err;
    err = refs_identifier(s, r, pix.system, pix.value, &person);
    r->person = person;
    if (!err)
        err = record_read_patient(s, r->arena, person, &record);
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return err_add(&r->errors, ERR_NOT_FOUND, "sourceIdentifier", NULL);
    r->count = err ? 0 : 1;
    return err ? err : answer(s, r, &pix, &record);
}

const struct use fhir_use_pix = {.event = "ihe-pix", .actors = READERS, .look = pix_look};
