/* SPDX-License-Identifier: Apache-2.0
 *
 * One resource into the store (see write.h). Whatever can be done without knowing the chart is done
 * in prepare: when all patients named are known and are one, the stored text and the search values
 * are ready there too, because they say "Patient/@" whoever that is. Only what names somebody new,
 * or several, is finished on the writer's thread.
 */
#include "exchange/use/write.h"

#include <assert.h>

#include "exchange/gate/consent.h"
#include "exchange/gate/own_id.h"
#include "exchange/push/subscribe.h"
#include "exchange/use/claim.h"
#include "exchange/use/vitals.h"
#include "mappers/fhir/definition.h"
#include "mappers/fhir/facets.h"
#include "mappers/fhir/words.h"
#include "storage/locate.h"
#include "storage/person.h"

#include "base/banned.h"

/* ── who may write what ──────────────────────────────────────────────────────────────────────── */

/* Types a kind of caller may write; NULL = all. Nobody may write what he has no business with. */
static const char *const kind_types[FACILITY_KIND_COUNT] = {
    [FACILITY_PHARMACY] =
        "Patient MedicationDispense MedicationStatement MedicationRequest Medication "
        "Observation AllergyIntolerance Coverage Practitioner Organization Subscription",
    [FACILITY_INSURER] =
        "Patient Coverage ExplanationOfBenefit Observation DiagnosticReport Composition "
        "DocumentReference Bundle Subscription",
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

enum err write_allowed(struct request *r, struct slice type)
{
    enum facility_kind kind =
        r->grant.actor == GRANT_RESIDENT ? FACILITY_HOME : r->caller.facility.kind;
    if (type_listed(kind_types[kind], type))
        return ERR_OK;
    return err_add(&r->errors, ERR_FORBIDDEN, "", "%.*s: %s", SLICE_ARG(type),
                   facility_kind_code(kind));
}

bool write_is_home_vital(const struct request *r, struct slice type)
{
    return slice_is(type, "Observation") &&
           (r->grant.actor == GRANT_RESIDENT || r->caller.facility.kind == FACILITY_GATEWAY);
}

/* ── whom it is about ────────────────────────────────────────────────────────────────────────── */

/* A resident who names nobody means himself. */
static void default_subject(struct request *r, struct write *w)
{
    const struct definition_type *type = definition_type(w->type);
    const char *name = definition_element(type, SLICE("subject")) ? "subject" : "patient";
    if (r->grant.actor != GRANT_RESIDENT || w->class.subject)
        return;
    json_put_text(r->arena, json_put_object(r->arena, w->resource, name), "reference", REFS_OWN);
    w->person = r->grant.person;
}

struct inherited {
    struct session *s;
    struct request *r;
    int64_t person;
    const char *several; /* where another person than the first was named; NULL: nowhere */
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
        in->several = place;
    if (record.person)
        in->person = record.person;
    return ERR_OK;
}

static enum err inherit_subject(struct session *s, struct request *r, struct write *w)
{
    struct inherited inherited = {.s = s, .r = r};
    enum err err = classify_references(w->resource, r->arena, inherit_person, &inherited);
    if (!err && inherited.several && !w->client_ids)
        return err_add(&r->errors, ERR_PATIENT_MISMATCH, inherited.several, NULL);
    if (!err)
        w->person = inherited.several ? 0 : inherited.person;
    return err;
}

/* A resource inside that is about somebody else would put his data into this chart. */
static enum err check_contained(struct request *r, const struct write *w)
{
    static const char *const subjects[] = {".subject", ".patient", ".beneficiary"};
    for (size_t i = 0; i < w->patients.count; i++) {
        const struct refs_patient *p = &w->patients.items[i];
        struct slice place = slice_str(p->place);
        bool contained = slice_search(place, SLICE(".contained["), 0) < place.len;
        for (size_t k = 0; contained && k < sizeof(subjects) / sizeof(*subjects); k++)
            if (slice_ends(place, slice_str(subjects[k])) && p->person != w->person)
                return err_add(&r->errors, ERR_PATIENT_MISMATCH, p->place, NULL);
    }
    return ERR_OK;
}

static enum err refuse_nobody(struct request *r, const struct write *w, bool several)
{
    if (several)
        return err_add(&r->errors, ERR_PATIENT_MISMATCH, w->patients.items[0].place, NULL);
    return err_add_words(&r->errors, ERR_REQUIRED,
                         arena_printf(r->arena, "%.*s.subject", SLICE_ARG(w->type)),
                         "names no resident", "本人の指定がありません");
}

/* A Group or an Appointment has several patients by nature: no element of it says whom it is about.
 */
static bool is_of_many(const struct write *w)
{
    const struct definition_type *type = definition_type(w->type);
    return !definition_element(type, SLICE("subject")) &&
           !definition_element(type, SLICE("patient"));
}

/* A resource that names nobody and is there already stays whose it is, whatever its targets have
 * become since. */
static enum err keep_subject(struct session *s, struct request *r, struct write *w, bool *ret_kept)
{
    struct locate place = {0};
    struct slice id = w->id;
    enum err err = w->id.len ? own_id_stored(s, r, w->type, w->id, &id) : ERR_NOT_FOUND;
    if (!err)
        err = locate_record(s, w->type, id, &place);
    *ret_kept = !err && place.facility == r->grant.facility;
    if (*ret_kept)
        w->person = place.person;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Once all persons of the list are known: whose it is, and may that be? */
static enum err choose_person(struct session *s, struct request *r, struct write *w)
{
    bool several = false;
    enum err err = ERR_OK;
    bool patient = slice_is(w->type, "Patient");
    if (!patient && !w->person)
        w->person = refs_subject(&w->patients, is_of_many(w) ? NULL : w->class.subject, &several);
    bool kept = false;
    if (!w->person && !several && !patient)
        err = keep_subject(s, r, w, &kept);
    if (!err && !w->person && !several && !kept && !patient && !definition_is_public(w->type))
        err = inherit_subject(s, r, w);
    if (err)
        return err;
    if (r->grant.actor == GRANT_RESIDENT && w->person != r->grant.person)
        return err_add_words(&r->errors, ERR_FORBIDDEN, "", "only about oneself",
                             "本人の分だけです");
    w->private_ = slice_is(w->type, "AuditEvent"); /* of its source's own systems */
    if (w->person)
        return check_contained(r, w);
    if (!patient && w->class.patient_type && !w->client_ids && !(several && is_of_many(w)))
        return refuse_nobody(r, w, several);
    w->private_ = w->private_ || (!patient && !definition_is_public(w->type));
    return ERR_OK;
}

/* ── prepare ─────────────────────────────────────────────────────────────────────────────────── */

static bool all_known(const struct write *w)
{
    for (size_t i = 0; i < w->patients.count; i++)
        if (!w->patients.items[i].person)
            return false;
    return true;
}

/* May the references be written without opening a chart? */
static bool all_own(const struct write *w)
{
    for (size_t i = 0; i < w->patients.count; i++)
        if (w->patients.items[i].person != w->person)
            return false;
    return true;
}

enum err write_index(struct arena *arena, const struct json *resource,
                     struct record_index *ret_index)
{
    struct record_index index = {0};
    enum err err = facets_extract(arena, resource, &index.facets);
    if (!err)
        err = words_extract(arena, resource, &index.words, &index.content);
    if (err)
        return err;
    refs_filter_facets(&index.facets);
    *ret_index = index;
    return ERR_OK;
}

static enum err settle(struct session *s, struct request *r, struct write *w)
{
    enum err err = refs_settle(s, r, &w->patients, w->person);
    if (!err)
        err = write_index(r->arena, w->resource, &w->index);
    if (!err)
        err = refs_body(r->arena, w->resource, &w->body);
    return err ? err : record_pack(s, r->arena, w->body, &w->index.facets, &w->packed);
}

static enum err prepare_special(struct session *s, struct request *r, struct write *w)
{
    enum err err = ERR_OK;
    if (write_is_home_vital(r, w->type)) {
        err = vitals_accept(r, w->resource);
        classify_resource(w->resource, &w->class);
    }
    if (!err && slice_is(w->type, "Consent"))
        err = consent_compile(s, r, w->resource, w->client_ids, &w->rules, &w->rule_count);
    if (!err && slice_is(w->type, "Subscription"))
        err = subscribe_check(s, r, w->resource);
    return err;
}

/* All references to patients in this write name one entry of the transaction, whose person is not
 * known yet: the text will say "Patient/@" whoever he is. */
static bool settles_on_entry(const struct write *w)
{
    for (size_t i = 0; i < w->patients.count; i++)
        if (w->patients.items[i].entry < 0 ||
            w->patients.items[i].entry != w->patients.items[0].entry)
            return false;
    return w->patients.count > 0 && !slice_is(w->type, "Patient");
}

static enum err settle_on_entry(struct session *s, struct request *r, struct write *w)
{
    enum err err;
    for (size_t i = 0; i < w->patients.count; i++)
        w->patients.items[i].person = 1; /* any; settle writes "own" */
    w->person = 1;
    err = settle(s, r, w);
    w->person = 0;
    for (size_t i = 0; i < w->patients.count; i++)
        w->patients.items[i].person = 0;
    return err;
}

static enum err make_id(struct session *s, struct request *r, struct write *w)
{
    char id[IDS_UUID_LEN + 1];
    w->new_id = w->id;
    if (w->id.len)
        return ERR_OK;
    if (write_is_home_vital(r, w->type))
        vitals_id(r, w->person, w->resource, id);
    else
        ids_uuid_ordered(session_now_ms(s), id);
    w->new_id = arena_dup(r->arena, slice_str(id));
    if (!write_is_home_vital(r, w->type))
        w->made_id = w->new_id;
    return w->new_id.ptr ? ERR_OK : ERR_LIMIT;
}

struct own_refs {
    struct session *s;
    struct request *r;
};

static enum err take_own_id(void *context, struct json *reference, const char *place)
{
    struct own_refs *own = context;
    struct slice text = json_str(reference, "reference"), rest = text, stored;
    struct slice type = slice_cut(&rest, '/');
    struct slice id = slice_cut(&rest, '/');
    const struct definition_type *known = definition_type(type);
    (void)place;
    if (!known || known->kind != DEFINITION_RESOURCE || !id.len || slice_is(type, "Patient"))
        return ERR_OK;
    enum err err = own_id_stored(own->s, own->r, type, id, &stored);
    if (err || stored.ptr == id.ptr)
        return err;
    return own_id_refer(own->r->arena, reference, stored);
}

/* What the writer calls by an id of his own that another has too: everybody must find his. */
static enum err take_own_ids(struct session *s, struct request *r, struct write *w)
{
    struct own_refs own = {s, r};
    if (slice_is(w->type, "Bundle")) /* a document's references are its own affair */
        return ERR_OK;
    return classify_references(w->resource, r->arena, take_own_id, &own);
}

enum err write_prepare(struct session *s, struct request *r, struct write *w)
{
    struct refs_scope scope = {.aliases = w->client_ids, .entries = w->scope ? w->scope->count : 0};
    enum err err = write_allowed(r, w->type);
    if (!err)
        err = refs_collect(s, r, w->resource, &scope, &w->patients);
    if (!err)
        err = take_own_ids(s, r, w);
    if (err)
        return err;
    classify_resource(w->resource, &w->class);
    if (!w->patients.count && w->class.patient_type)
        default_subject(r, w);
    if (all_known(w))
        err = choose_person(s, r, w);
    r->person = w->person;
    if (!err)
        err = prepare_special(s, r, w);
    if (!err && !w->new_id.len)
        err = make_id(s, r, w);
    if (err)
        return err;
    if (all_known(w) && all_own(w))
        err = settle(s, r, w);
    else if (settles_on_entry(w))
        err = settle_on_entry(s, r, w);
    else
        return ERR_OK;
    w->settled = !err;
    return err;
}

/* ── apply: the chart ────────────────────────────────────────────────────────────────────────── */

/* A chart under an id of the caller's own, for a patient he has not brought yet. */
static enum err open_alias(struct session *s, struct request *r, struct slice alias,
                           int64_t *ret_person)
{
    struct person_claim claim = {.alias = alias};
    struct person_match match = {0};
    enum err err = person_identify(s, r->grant.facility, &claim, &match);
    if (!err)
        *ret_person = match.person;
    return err;
}

/* The persons that prepare could not know. A second run of apply finds them anew: what the first
 * one made was rolled back. */
static enum err know_patients(struct session *s, struct request *r, struct write *w)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < w->patients.count && !err; i++) {
        struct refs_patient *p = &w->patients.items[i];
        if (p->alias.len) {
            err = open_alias(s, r, p->alias, &p->person);
        } else if (p->entry >= 0) {
            const struct write *other = w->scope->writes[p->entry];
            if (!other || !other->person)
                return err_add(&r->errors, ERR_PATIENT_UNKNOWN, p->place, NULL);
            p->person = other->person;
        }
    }
    return err;
}

static bool was_deferred(const struct write *w)
{
    for (size_t i = 0; i < w->patients.count; i++)
        if (w->patients.items[i].alias.len || w->patients.items[i].entry >= 0)
            return true;
    return false;
}

static enum err finish_prepare(struct session *s, struct request *r, struct write *w)
{
    enum err err = ERR_OK;
    if (was_deferred(w)) {
        w->person = 0;
        err = know_patients(s, r, w);
        if (!err)
            err = choose_person(s, r, w);
    }
    return err || w->settled ? err : settle(s, r, w);
}

/* Whose chart a Patient is: the caller's chart of the person behind the id, or a new one under the
 * id the caller chose. Cards and insurer identities in it are judged each time, so that a patient
 * first known by his id alone is linked when the card comes. */
static enum err patient_chart(struct session *s, struct request *r, struct write *w)
{
    struct person_claim claim;
    struct person_match match = {0};
    int64_t chart = 0;
    enum err err = claim_from_patient(r, w->resource, &claim);
    if (err)
        return err;
    if (w->id.len) {
        err = person_by_alias(s, r->grant.facility, w->id, &w->person, &chart);
        if (err == ERR_NOT_FOUND) {
            err = refs_person(s, r, w->id, &w->person);
            if (!err)
                return person_open_chart(s, r->grant.facility, w->person, &w->chart);
        }
        if (err && err != ERR_NOT_FOUND)
            return err;
        claim.alias = w->id;
    }
    err = person_identify(s, r->grant.facility, &claim, &match);
    if (err == ERR_PATIENT_UNKNOWN)
        return err_add(&r->errors, err, "Patient.identifier", REFS_SYSTEM_CARD);
    if (err == ERR_PATIENT_MISMATCH)
        return err_add(&r->errors, err, "Patient.identifier", NULL);
    w->chart = match.chart;
    w->person = match.person;
    return err;
}

/* A facility registers consents only for its own patients. */
static enum err consent_chart(struct session *s, struct request *r, struct write *w)
{
    enum err err;
    if (r->grant.actor == GRANT_RESIDENT)
        return person_open_chart(s, r->grant.facility, w->person, &w->chart);
    err = person_chart(s, r->grant.facility, w->person, &w->chart);
    if (err == ERR_NOT_FOUND)
        return err_add_words(&r->errors, ERR_FORBIDDEN, "Consent.patient",
                             "not a patient of this facility", "この施設の患者ではありません");
    return err;
}

static enum err find_chart(struct session *s, struct request *r, struct write *w)
{
    w->chart = 0;
    if (!w->person)
        return ERR_OK;
    if (slice_is(w->type, "Consent"))
        return consent_chart(s, r, w);
    return person_open_chart(s, r->grant.facility, w->person, &w->chart);
}

/* ── apply: the record ───────────────────────────────────────────────────────────────────────── */

enum err write_not_his(struct session *s, struct request *r, struct slice type, struct slice id)
{
    struct record record;
    enum err err = record_read(s, r->arena, type, id, &record);
    if (err)
        return err == ERR_GONE ? ERR_NOT_FOUND : err;
    return err_add_words(&r->errors, ERR_FORBIDDEN, "", "only its source may change it",
                         "登録した施設だけが変更できます");
}

/* The record is there and the caller's, but in another chart: a resource never changes whose it is.
 * What is another's and hidden looks like what never was. */
static enum err tell_moved(struct session *s, struct request *r, const struct write *w)
{
    struct locate place = {0};
    enum err err = locate_record(s, w->type, w->new_id, &place);
    bool own = !err && place.facility == r->grant.facility &&
               (r->grant.actor != GRANT_RESIDENT || place.person == r->grant.person);
    if (!own || place.chart == w->chart)
        return write_not_his(s, r, w->type, w->new_id);
    return err_add_words(&r->errors, ERR_PATIENT_MISMATCH,
                         arena_printf(r->arena, "%.*s.subject", SLICE_ARG(w->type)),
                         "the stored resource is about another", "保存済みの患者と一致しません");
}

static enum err put_new(struct session *s, struct write *w)
{
    struct record_new record = {
        .type = w->type,
        .id = w->new_id,
        .chart = w->chart,
        .category = w->class.category,
        .label = w->private_ ? RECORD_PRIVATE : (enum record_label)w->class.label,
        .when = w->class.when,
        .fresh = w->made_id.len && w->made_id.ptr == w->new_id.ptr,
        .body = w->body,
        .facets = &w->index.facets,
        .packed = w->packed,
        .words = w->index.words,
        .content = w->index.content,
    };
    return record_put(s, &record, w->expect_version, &w->mark);
}

/* Another has a record under this id. One that the caller sees is not his to change; of one that he does not see
 * nothing may show, so his own goes under a second id (gate/own_id.h). */
static enum err put_second(struct session *s, struct request *r, struct write *w)
{
    struct slice second = SLICE_NONE;
    bool chosen = w->client_ids && w->id.len;
    enum err err = chosen ? own_id_find(s, r, w->type, w->id, &second) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        err = tell_moved(s, r, w);
    if (err && (err != ERR_NOT_FOUND || !chosen))
        return err;
    w->body = own_id_mark(r->arena, w->body, w->id);
    w->new_id = second.len ? second : own_id_second(r, w->type, w->id);
    err = w->body.ptr ? record_pack(s, r->arena, w->body, &w->index.facets, &w->packed) : ERR_LIMIT;
    w->settled = false; /* another run of apply begins anew */
    if (!err)
        err = put_new(s, w);
    return err == ERR_NOT_FOUND ? tell_moved(s, r, w) : err;
}

static enum err put_record(struct session *s, struct request *r, struct write *w)
{
    bool patient = slice_is(w->type, "Patient");
    if (patient)
        w->new_id = refs_patient_record(r, w->chart);
    else if (w->id.len)
        w->new_id = w->id;
    enum err err = put_new(s, w);
    if (err == ERR_NOT_FOUND)
        err = patient ? tell_moved(s, r, w) : put_second(s, r, w);
    if (!err && slice_is(w->type, "Consent") && w->chart)
        err = consent_put_rules(s, w->chart, w->mark.rid, w->rules, w->rule_count);
    if (!err && slice_is(w->type, "Subscription"))
        err = subscribe_note(s, r, w->resource, w->new_id, &w->mark);
    return err;
}

enum err write_identify(struct session *s, struct request *r, struct write *w)
{
    enum err err = patient_chart(s, r, w);
    w->identified = !err;
    r->person = w->person;
    return err;
}

/* Whom a Patient is about comes first: he may refer to himself. */
static enum err place_patient(struct session *s, struct request *r, struct write *w)
{
    enum err err = w->identified ? ERR_OK : write_identify(s, r, w);
    w->identified = false;
    if (!err)
        err = know_patients(s, r, w);
    return err || w->settled ? err : settle(s, r, w);
}

enum err write_apply(struct session *s, struct request *r, struct write *w)
{
    enum err err;
    if (slice_is(w->type, "Patient")) {
        err = place_patient(s, r, w);
    } else {
        err = finish_prepare(s, r, w);
        if (!err)
            err = find_chart(s, r, w);
    }
    r->person = w->person;
    return err ? err : put_record(s, r, w);
}

struct record write_record(const struct request *r, const struct write *w)
{
    return (struct record){
        .rid = w->mark.rid,
        .type = w->type,
        .id = w->new_id,
        .version = w->mark.version,
        .chart = w->chart,
        .person = w->person,
        .facility = r->grant.facility,
        .category = w->class.category,
        .label = w->private_ ? RECORD_PRIVATE : (enum record_label)w->class.label,
        .seq = w->mark.seq,
        .updated_ms = w->mark.updated_ms,
        .body = w->body,
    };
}

/* ── delete ──────────────────────────────────────────────────────────────────────────────────── */

enum err write_prepare_delete(struct session *s, struct request *r, struct write *w)
{
    struct locate place;
    int64_t chart = 0;
    enum err err = write_allowed(r, w->type);
    if (err)
        return err;
    w->new_id = w->id;
    if (slice_is(w->type, "Patient")) {
        err = refs_person(s, r, w->id, &w->person);
        r->person = w->person;
        if (!err)
            err = person_chart(s, r->grant.facility, w->person, &chart);
        if (!err)
            w->new_id = refs_patient_record(r, chart);
        return err;
    }
    err = own_id_stored(s, r, w->type, w->id, &w->new_id);
    if (!err)
        err = locate_record(s, w->type, w->new_id, &place);
    if (!err)
        r->person = w->person = place.person;
    return err;
}

enum err write_apply_delete(struct session *s, struct request *r, struct write *w)
{
    struct locate place;
    enum err err = record_delete(s, w->type, w->new_id, w->expect_version, &w->mark);
    if (err == ERR_NOT_FOUND)
        err = write_not_his(s, r, w->type, w->new_id);
    if (!err && slice_is(w->type, "Consent")) {
        err = locate_record(s, w->type, w->new_id, &place);
        if (!err)
            err = consent_put_rules(s, place.chart, place.rid, NULL, 0);
    }
    if (!err && slice_is(w->type, "Subscription"))
        err = subscribe_forget(s, r, w->mark.rid);
    r->person = w->person;
    return err;
}
