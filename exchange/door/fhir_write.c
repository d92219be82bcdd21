/* SPDX-License-Identifier: Apache-2.0
 *
 * create, update and delete (R4 http.html#create, #update, #delete). look parses, validates and
 * prepares on a reader thread; apply stores, in the transaction of the audit row. A write that is
 * refused leaves nothing behind. A resource about a person must name him; whoever writes writes
 * under his own facility's chart of that person and can change only what is his.
 */
#include <stdio.h>

#include "exchange/door/fhir.h"
#include "exchange/gate/consent.h"
#include "exchange/gate/refs.h"
#include "exchange/use/claim.h"
#include "exchange/use/vitals.h"
#include "storage/consent.h"
#include "storage/locate.h"
#include "storage/person.h"

#include "base/banned.h"

#define WRITERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

/* ── who may write what ──────────────────────────────────────────────────────────────────────── */

/* Types a kind of caller may write; NULL = all. Nobody may write what he has no business with. */
static const char *const kind_types[FACILITY_KIND_COUNT] = {
    [FACILITY_PHARMACY] =
        "Patient MedicationDispense MedicationStatement MedicationRequest Medication "
        "Observation AllergyIntolerance Coverage Practitioner Organization",
    [FACILITY_INSURER] =
        "Patient Coverage ExplanationOfBenefit Observation DiagnosticReport Composition "
        "DocumentReference Bundle",
    [FACILITY_GATEWAY] = "Observation Device",
    [FACILITY_HOME] = "Observation Consent QuestionnaireResponse",
    [FACILITY_OPERATOR] =
        "Organization Practitioner PractitionerRole Location HealthcareService Endpoint "
        "CodeSystem ValueSet ConceptMap StructureDefinition SearchParameter NamingSystem",
};

static bool type_listed(const char *list, struct slice type)
{
    struct slice rest = slice_str(list);
    while (list && rest.ptr)
        if (slice_eq(slice_cut(&rest, ' '), type))
            return true;
    return !list;
}

static enum err check_writer(struct request *r)
{
    struct fhir_input *in = r->input;
    enum facility_kind kind =
        r->grant.actor == GRANT_RESIDENT ? FACILITY_HOME : r->caller.facility.kind;
    if (type_listed(kind_types[kind], in->type))
        return ERR_OK;
    return err_add(&r->errors, ERR_FORBIDDEN, "", "%.*s: %s", SLICE_ARG(in->type),
                   facility_kind_code(kind));
}

static bool posts_home_vitals(const struct request *r)
{
    const struct fhir_input *in = r->input;
    return slice_is(in->type, "Observation") &&
           (r->grant.actor == GRANT_RESIDENT || r->caller.facility.kind == FACILITY_GATEWAY);
}

/* ── look: everything that needs no writing ──────────────────────────────────────────────────── */

/* A resident who names nobody means himself. */
static void default_subject(struct request *r, struct fhir_input *in)
{
    const struct definition_type *type = definition_type(in->type);
    const char *name = definition_element(type, SLICE("subject")) ? "subject" : "patient";
    if (r->grant.actor != GRANT_RESIDENT || in->class.subject)
        return;
    json_put_text(r->arena, json_put_object(r->arena, in->resource, name), "reference",
                  "Patient/@");
    in->subject = r->grant.person;
}

struct inherited {
    struct session *s;
    struct request *r;
    int64_t person;
};

/* The person of a record of this server that REFERENCE names and the writer may see. */
static enum err inherit_person(void *context, struct json *reference, const char *place)
{
    struct inherited *in = context;
    struct slice text = json_str(reference, "reference");
    struct slice type = slice_sub(text, 0, slice_find(text, '/', 0));
    struct slice id = slice_sub(text, type.len + 1, text.len);
    struct record record;
    enum err err = ERR_NOT_FOUND;
    if (definition_type(type) && id.len && slice_find(id, '/', 0) == id.len)
        err = record_read(in->s, in->r->arena, type, id, &record);
    if (err)
        return err == ERR_NOT_FOUND || err == ERR_GONE ? ERR_OK : err;
    if (in->person && record.person && in->person != record.person)
        return err_add(&in->r->errors, ERR_PATIENT_MISMATCH, place, NULL);
    if (record.person)
        in->person = record.person;
    return ERR_OK;
}

/* A resource that names nobody is about whom the records are about that it points to: a Provenance
 * by its target. */
static enum err inherit_subject(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct inherited inherited = {.s = s, .r = r};
    enum err err = classify_references(in->resource, r->arena, inherit_person, &inherited);
    if (!err)
        in->subject = inherited.person;
    return err;
}

static enum err look_subject(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = refs_inward(s, r, in->resource, &in->subject);
    if (err)
        return err;
    classify_resource(in->resource, &in->class);
    if (!in->subject && in->class.patient_type)
        default_subject(r, in);
    if (!in->subject && in->class.patient_type && (err = inherit_subject(s, r)))
        return err;
    r->person = in->subject;
    if (in->class.patient_type && !in->subject)
        return err_add_words(&r->errors, ERR_REQUIRED,
                             arena_printf(r->arena, "%.*s.subject", SLICE_ARG(in->type)),
                             "names no resident", "本人の指定がありません");
    if (r->grant.actor == GRANT_RESIDENT && in->subject != r->grant.person)
        return err_add_words(&r->errors, ERR_FORBIDDEN, "", "only about oneself",
                             "本人の分だけです");
    return ERR_OK;
}

static enum err look_special(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = ERR_OK;
    if (posts_home_vitals(r)) {
        err = vitals_accept(r, in->resource);
        classify_resource(in->resource, &in->class);
    }
    if (!err && slice_is(in->type, "Consent"))
        err = consent_compile(s, r, in->resource, &in->rules, &in->rule_count);
    return err;
}

static enum err look_stored(struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = facets_extract(r->arena, in->resource, &in->facets);
    refs_filter_facets(&in->facets);
    return err ? err : refs_body(r, in->resource, &in->stored);
}

static enum err no_params(struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_params(r);
    for (unsigned i = 0; i < in->param_count && !err; i++)
        if (!fhir_param_is_format(&in->params[i]))
            err = err_add(&r->errors, ERR_UNKNOWN_PARAM,
                          arena_printf(r->arena, "%.*s", SLICE_ARG(in->params[i].name)),
                          "_format, _pretty");
    return err;
}

static enum err look_write(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = no_params(r);
    if (!err)
        err = check_writer(r);
    if (!err)
        err = fhir_parse_body(r);
    if (!err)
        err = look_subject(s, r);
    if (!err)
        err = look_special(s, r);
    if (!err)
        err = look_stored(r);
    in->new_id = in->id;
    return err;
}

static struct slice keep_id(struct request *r, const char *id)
{
    return arena_dup(r->arena, slice_str(id));
}

static enum err create_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    char id[IDS_UUID_LEN + 1];
    enum err err = look_write(s, r);
    if (err)
        return err;
    if (posts_home_vitals(r))
        vitals_id(r, in->subject, in->resource, id);
    else
        ids_uuid(id);
    in->new_id = keep_id(r, id);
    return ERR_OK;
}

static enum err update_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = look_write(s, r);
    struct slice id = json_str(in->resource, "id");
    if (!err && !slice_eq(id, in->id))
        err = err_add_words(&r->errors, ERR_MALFORMED,
                            arena_printf(r->arena, "%.*s.id", SLICE_ARG(in->type)),
                            "must equal the id in the URL", "URLのidと一致しません");
    return err;
}

/* ── apply: one transaction with the audit row ───────────────────────────────────────────────── */

/* W/"3" -> 3; absent -> 0. */
static enum err expected_version(struct request *r, int64_t *ret_version)
{
    struct fhir_input *in = r->input;
    struct slice tag = slice_trim(in->if_match);
    uint64_t n = 0;
    *ret_version = 0;
    if (!tag.len)
        return ERR_OK;
    if (slice_starts(tag, SLICE("W/")))
        tag = slice_sub(tag, 2, tag.len);
    if (tag.len < 3 || tag.ptr[0] != '"' || tag.ptr[tag.len - 1] != '"' ||
        !slice_u64(slice_sub(tag, 1, tag.len - 2), &n) || n == 0 || n > INT64_MAX)
        return err_add(&r->errors, ERR_BAD_HEADER, "If-Match", "W/\"n\"");
    *ret_version = (int64_t)n;
    return ERR_OK;
}

/* Whose chart an update of Patient/[id] means: the caller's chart of the person behind the id, or a
 * new one under the id the caller chose. */
static enum err patient_chart(struct session *s, struct request *r, int64_t *ret_chart,
                              int64_t *ret_person)
{
    struct fhir_input *in = r->input;
    struct person_claim claim;
    struct person_match match = {0};
    enum err err = claim_from_patient(r, in->resource, &claim);
    if (err)
        return err;
    if (in->id.len) {
        err = refs_person(s, r, in->id, ret_person);
        if (!err)
            return person_open_chart(s, r->grant.facility, *ret_person, ret_chart);
        if (err != ERR_NOT_FOUND)
            return err;
        claim.alias = in->id;
    }
    err = person_identify(s, r->grant.facility, &claim, &match);
    if (err == ERR_PATIENT_UNKNOWN)
        return err_add(&r->errors, err, "Patient.identifier", REFS_SYSTEM_CARD);
    if (err == ERR_PATIENT_MISMATCH)
        return err_add(&r->errors, err, "Patient.identifier", NULL);
    *ret_chart = match.chart;
    *ret_person = match.person;
    return err;
}

/* A facility registers consents only for its own patients. */
static enum err consent_chart(struct session *s, struct request *r, int64_t *ret_chart)
{
    struct fhir_input *in = r->input;
    enum err err;
    if (r->grant.actor == GRANT_RESIDENT)
        return person_open_chart(s, r->grant.facility, in->subject, ret_chart);
    err = person_chart(s, r->grant.facility, in->subject, ret_chart);
    if (err == ERR_NOT_FOUND)
        return err_add_words(&r->errors, ERR_FORBIDDEN, "Consent.patient",
                             "not a patient of this facility", "この施設の患者ではありません");
    return err;
}

static enum err find_chart(struct session *s, struct request *r, int64_t *ret_chart)
{
    struct fhir_input *in = r->input;
    *ret_chart = 0;
    if (slice_is(in->type, "Patient"))
        return patient_chart(s, r, ret_chart, &in->subject);
    if (slice_is(in->type, "Consent"))
        return consent_chart(s, r, ret_chart);
    return in->subject ? person_open_chart(s, r->grant.facility, in->subject, ret_chart) : ERR_OK;
}

static enum err put_record(struct session *s, struct request *r, int64_t chart,
                           struct record_mark *ret_mark)
{
    struct fhir_input *in = r->input;
    int64_t expect = 0;
    enum err err = expected_version(r, &expect);
    if (err)
        return err;
    if (slice_is(in->type, "Patient"))
        in->new_id = fhir_patient_record(r, chart);
    struct record_new record = {
        .type = in->type,
        .id = in->new_id,
        .chart = chart,
        .category = in->class.category,
        .label = (enum record_label)in->class.label,
        .when = in->class.when,
        .body = in->stored,
        .facets = &in->facets,
    };
    err = record_put(s, &record, expect, ret_mark);
    if (!err && slice_is(in->type, "Consent"))
        err = consent_put_rules(s, chart, ret_mark->rid, in->rules, in->rule_count);
    return err;
}

static enum err answer_written(struct session *s, struct request *r, int64_t chart,
                               const struct record_mark *mark)
{
    struct fhir_input *in = r->input;
    struct record record = {
        .rid = mark->rid,
        .type = in->type,
        .id = in->new_id,
        .version = mark->version,
        .chart = chart,
        .person = in->subject,
        .facility = r->grant.facility,
        .category = in->class.category,
        .updated_ms = mark->updated_ms,
        .body = in->stored,
    };
    struct slice id = refs_id(r, &record);
    r->status = mark->created ? 201 : 200;
    r->person = in->subject;
    r->count = 1;
    r->entity = fhir_entity(r, in->type, id);
    r->location = arena_printf(r->arena, "%s/%.*s/%.*s/_history/%lld", r->base_url,
                               SLICE_ARG(in->type), SLICE_ARG(id), (long long)mark->version);
    r->answer_version = mark->version;
    r->answer_updated_ms = mark->updated_ms;
    return in->minimal ? ERR_OK : refs_outward(s, r, &record, &r->answer_buf);
}

static enum err write_apply(struct session *s, struct request *r)
{
    struct record_mark mark = {0};
    int64_t chart = 0;
    enum err err = find_chart(s, r, &chart);
    if (!err)
        err = put_record(s, r, chart, &mark);
    if (err)
        return err;
    return answer_written(s, r, chart, &mark);
}

const struct use fhir_use_create = {.event = "create",
                                    .actors = WRITERS,
                                    .writes = true,
                                    .look = create_look,
                                    .apply = write_apply};
const struct use fhir_use_update = {.event = "update",
                                    .actors = WRITERS,
                                    .writes = true,
                                    .look = update_look,
                                    .apply = write_apply};

/* ── delete ──────────────────────────────────────────────────────────────────────────────────── */

static enum err delete_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct locate place;
    int64_t chart = 0;
    enum err err = no_params(r);
    if (!err)
        err = check_writer(r);
    if (err)
        return err;
    r->entity = fhir_entity(r, in->type, in->id);
    in->new_id = in->id;
    if (slice_is(in->type, "Patient")) {
        err = fhir_instance_person(s, r, &in->subject);
        if (!err)
            err = person_chart(s, r->grant.facility, in->subject, &chart);
        if (!err)
            in->new_id = fhir_patient_record(r, chart);
        return err;
    }
    err = locate_record(s, in->type, in->id, &place);
    if (!err)
        r->person = place.person;
    return err;
}

static enum err delete_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct record_mark mark = {0};
    struct locate place;
    int64_t expect = 0;
    enum err err = expected_version(r, &expect);
    if (!err)
        err = record_delete(s, in->type, in->new_id, expect, &mark);
    if (!err && slice_is(in->type, "Consent")) {
        err = locate_record(s, in->type, in->new_id, &place);
        if (!err)
            err = consent_put_rules(s, place.chart, place.rid, NULL, 0);
    }
    r->status = 204;
    r->count = mark.unchanged ? 0 : 1;
    return err;
}

const struct use fhir_use_delete = {.event = "delete",
                                    .actors = WRITERS,
                                    .writes = true,
                                    .look = delete_look,
                                    .apply = delete_apply};
