/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient/$match (R4 patient-operation-match.html). Who is named by a card or another number that
 * the caller may use is the one certain match. Otherwise the residents whom the caller could find
 * by a search anyway are compared field by field, as intake does (storage/person_identify.c): five
 * fields that agree are certain, unless two residents have them; four are probable, three possible,
 * fewer are nobody; and never against a birth date or gender that differs (design invariant 6).
 * What the caller may not see takes no part, so it cannot be told from what is not there.
 */
#include <stdlib.h>

#include "exchange/door/fhir_operation.h"
#include "exchange/door/fhir_page.h"
#include "exchange/gate/refs.h"
#include "exchange/use/claim.h"
#include "mappers/fhir/fold.h"
#include "storage/person.h"

#include "base/banned.h"

#define FIELDS_PROBABLE 4
#define CANDIDATES_MAX 200 /* compared, of one birth date or one name */

/* What is compared besides what a claim holds. */
struct likeness {
    struct person_claim claim;
    struct slice phone, postcode, address;
};

struct candidate {
    struct record record;
    unsigned fields;
    const char *grade;
};

struct match {
    struct likeness asked;
    struct candidate *found;
    size_t count, room;
    bool only_certain;
    bool numbered; /* a card or another number was given, and led to nobody */
};

/* ── comparing ───────────────────────────────────────────────────────────────────────────────── */

static struct slice digits_of(struct arena *arena, struct slice text)
{
    struct slice folded = fold_name(arena, text);
    char *out = arena_alloc(arena, folded.len + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < folded.len; i++)
        if (folded.ptr[i] >= '0' && folded.ptr[i] <= '9')
            out[n++] = folded.ptr[i];
    return slice_of(out, out ? n : 0);
}

static enum err read_likeness(struct request *r, const struct json *patient, struct likeness *ret)
{
    const struct json *telecom = json_get(patient, "telecom");
    const struct json *address = json_path(patient, "address", "0", NULL);
    enum err err = claim_from_patient(r, patient, &ret->claim);
    if (err)
        return err;
    for (const struct json *t = telecom ? telecom->first : NULL; t && !ret->phone.len; t = t->next)
        if (slice_is(json_str(t, "system"), "phone"))
            ret->phone = digits_of(r->arena, json_str(t, "value"));
    ret->postcode = digits_of(r->arena, json_str(address, "postalCode"));
    ret->address = fold_name(r->arena, json_str(address, "text"));
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

static bool agree(struct slice a, struct slice b)
{
    return a.len > 0 && slice_eq(a, b);
}

static bool contradict(struct slice a, struct slice b)
{
    return a.len > 0 && b.len > 0 && !slice_eq(a, b) && !slice_is(a, "unknown") &&
           !slice_is(b, "unknown");
}

/* How many fields agree; 0 when one of those that decide is another. */
static unsigned compare(const struct likeness *a, const struct likeness *b)
{
    const struct person_claim *x = &a->claim, *y = &b->claim;
    if (contradict(x->birth_date, y->birth_date) || contradict(x->gender, y->gender))
        return 0;
    bool place = agree(a->address, b->address) || agree(a->postcode, b->postcode);
    bool insured = agree(x->insurer, y->insurer) && agree(x->number, y->number) &&
                   slice_eq(x->symbol, y->symbol);
    const bool fields[] = {agree(x->name, y->name),
                           agree(x->kana, y->kana),
                           agree(x->birth_date, y->birth_date),
                           agree(x->gender, y->gender) && !slice_is(x->gender, "unknown"),
                           agree(a->phone, b->phone),
                           place,
                           insured, /* the insurer */
                           insured, /* symbol and number */
                           insured && agree(x->branch, y->branch)};
    unsigned n = 0;
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        n += fields[i];
    return n;
}

/* ── candidates ──────────────────────────────────────────────────────────────────────────────── */

static bool is_found(const struct match *m, int64_t person)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->found[i].record.person == person)
            return true;
    return false;
}

static enum err weigh(struct session *s, struct request *r, struct match *m,
                      const struct record *record)
{
    struct likeness other = {0};
    struct json *patient = NULL;
    enum err err = is_found(m, record->person) || m->count == m->room
                       ? ERR_NOT_FOUND
                       : fhir_outward_json(s, r, record, &patient);
    if (!err)
        err = read_likeness(r, patient, &other);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    unsigned fields = compare(&m->asked, &other);
    if (fields >= FIELDS_PROBABLE)
        m->found[m->count++] = (struct candidate){.record = *record, .fields = fields};
    return ERR_OK;
}

/* Weighs those whom a search by PARAM finds for this caller. */
static enum err search_by(struct session *s, struct request *r, struct match *m, const char *param,
                          struct slice value)
{
    struct search search;
    struct search_result found = {0};
    struct buf text;
    buf_init(&text, LIMIT_HTTP_LINE);
    buf_addf(&text, "%s=", param);
    for (size_t i = 0; i < value.len; i++) {
        if (strchr("\\,|$", value.ptr[i]))
            buf_adds(&text, "%5C"); /* what is special in a search is text here */
        fhir_page_escape(&text, slice_sub(value, i, 1));
    }
    struct slice query = buf_err(&text) ? SLICE_NONE : arena_dup(r->arena, buf_slice(&text));
    buf_fini(&text);
    if (!value.len || !query.ptr)
        return ERR_OK;
    enum err err = fhir_query_parse(s, r, SLICE("Patient"), query, &search);
    search.limit = CANDIDATES_MAX;
    if (!err)
        err = search_run(s, r->arena, &search, &found);
    for (size_t i = 0; i < found.count && !err; i++)
        err = weigh(s, r, m, &found.records[i]);
    return err;
}

static enum err find_alike(struct session *s, struct request *r, struct match *m,
                           const struct json *patient)
{
    struct slice born = json_str(patient, "birthDate");
    const struct json *names = json_get(patient, "name");
    enum err err = search_by(s, r, m, "birthdate", born);
    for (const struct json *n = names ? names->first : NULL; n && !born.len && !err; n = n->next)
        err = search_by(s, r, m, "family",
                        json_str(n, "family").len ? json_str(n, "family") : json_str(n, "text"));
    return err;
}

static int most_first(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->fields != y->fields)
        return x->fields < y->fields ? 1 : -1;
    return slice_cmp(x->record.id, y->record.id);
}

/* A number that led to nobody, or two who are alike in as much, make nobody certain. */
static void grade(struct match *m)
{
    size_t sure = 0;
    qsort(m->found, m->count, sizeof(*m->found), most_first);
    for (size_t i = 0; i < m->count; i++)
        sure += m->found[i].fields >= PERSON_FIELDS_NEEDED;
    for (size_t i = 0; i < m->count; i++) {
        unsigned n = m->found[i].fields;
        bool certain = n >= PERSON_FIELDS_NEEDED && sure == 1 && !m->numbered;
        m->found[i].grade = certain ? "certain" : "probable";
    }
}

/* ── the operation ───────────────────────────────────────────────────────────────────────────── */

/* By a number alone. ERR_NOT_FOUND also when he may not be seen. */
static enum err find_named(struct session *s, struct request *r, struct match *m,
                           const struct json *patient)
{
    const struct json *ids = json_get(patient, "identifier");
    int64_t person = 0;
    enum err err = ERR_NOT_FOUND;
    for (const struct json *i = ids ? ids->first : NULL; i && err == ERR_NOT_FOUND; i = i->next) {
        struct slice system = json_str(i, "system");
        err = refs_identifier(s, r, system, json_str(i, "value"), &person);
        m->numbered = m->numbered || refs_is_person_system(system);
    }
    r->entity = "Patient/@";
    r->person = person;
    if (!err)
        err = record_read_patient(s, r->arena, person, &m->found[0].record);
    if (err)
        return err == ERR_GONE ? ERR_NOT_FOUND : err;
    m->found[0].grade = "certain";
    m->found[0].fields = PERSON_FIELDS_NEEDED;
    m->count = 1;
    return ERR_OK;
}

static enum err print_match(struct session *s, struct request *r, const struct candidate *c)
{
    unsigned tenths = c->fields >= PERSON_FIELDS_NEEDED ? 10 : c->fields * 2;
    if (strcmp(c->grade, "certain") != 0 && tenths == 10)
        tenths = 9;
    enum err err = fhir_bundle_entry(s, r, &c->record, NULL);
    r->answer_buf.len--; /* reopen the entry for its score */
    buf_addf(&r->answer_buf,
             ",\"search\":{\"extension\":[{\"url\":"
             "\"http://hl7.org/fhir/StructureDefinition/match-grade\",\"valueCode\":\"%s\"}],"
             "\"mode\":\"match\",\"score\":%s%u}}",
             c->grade, tenths == 10 ? "" : "0.", tenths == 10 ? 1 : tenths);
    return err;
}

static enum err answer(struct session *s, struct request *r, struct match *m, uint64_t most)
{
    size_t count = 0;
    enum err err = ERR_OK;
    for (size_t i = 0; i < m->count && count < most; i++)
        if (!m->only_certain || strcmp(m->found[i].grade, "certain") == 0)
            m->found[count++] = m->found[i];
    fhir_bundle_begin(r, "searchset", (int64_t)count);
    for (size_t i = 0; i < count && !err; i++) {
        err = print_match(s, r, &m->found[i]);
        if (!err && m->found[i].record.person != r->person)
            err = fhir_page_audit(r, &m->found[i].record, 1);
    }
    r->audit_default_off = r->audits != NULL;
    if (!err && r->audits && r->person)
        err = request_audit_vain(r, r->person);
    return err ? err : fhir_bundle_end(r);
}

static const struct json *patient_of(const struct json *body)
{
    const struct json *list = json_get(body, "parameter");
    if (slice_is(json_str(body, "resourceType"), "Patient"))
        return body; /* R4 operations.html#request: the only parameter, as it is */
    for (const struct json *p = list ? list->first : NULL; p; p = p->next)
        if (slice_is(json_str(p, "name"), "resource"))
            return json_get(p, "resource");
    return NULL;
}

static enum err match_look(struct session *s, struct request *r)
{
    struct match m = {.room = CANDIDATES_MAX};
    uint64_t most = CANDIDATES_MAX;
    enum err err = fhir_operation_params(r);
    const struct fhir_input *in = r->input;
    if (err)
        return err;
    const struct json *patient = patient_of(in->resource);
    struct slice count = fhir_operation_value(in, "count");
    if (!slice_is(json_str(patient, "resourceType"), "Patient"))
        return err_add(&r->errors, ERR_REQUIRED, "Parameters.parameter:resource", NULL);
    if (count.len && (!slice_u64(count, &most) || most == 0))
        return err_add(&r->errors, ERR_BAD_PARAM, "count", "1, 2, 3 ...");
    m.only_certain = slice_is(fhir_operation_value(in, "onlyCertainMatches"), "true");
    m.found = arena_array(r->arena, m.room, sizeof(*m.found));
    if (!m.found)
        return ERR_LIMIT;
    err = find_named(s, r, &m, patient);
    if (err == ERR_NOT_FOUND) {
        err = read_likeness(r, patient, &m.asked);
        if (!err)
            err = find_alike(s, r, &m, patient);
        grade(&m);
    }
    return err ? err : answer(s, r, &m, most);
}

const struct use fhir_use_match = {
    .event = "match", .actors = 1u << GRANT_FACILITY, .look = match_look};
