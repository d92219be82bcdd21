/* SPDX-License-Identifier: Apache-2.0
 *
 * Search parameters to a compiled search (see fhir_query.h). Parameters that name a person
 * (patient, subject, a Patient's identifier or _id) are resolved through the relay index here; the
 * rest go by the generated parameter table.
 */
#include "exchange/door/fhir_query.h"

#include "exchange/gate/refs.h"

#include "base/banned.h"

static const char *name_of(struct request *r, const struct fhir_param *p)
{
    const char *text = arena_printf(r->arena, "%.*s", SLICE_ARG(p->name));
    return text ? text : "";
}

static enum err bad_value(struct request *r, const struct fhir_param *p)
{
    return err_add(&r->errors, ERR_BAD_PARAM, name_of(r, p), "%.*s", SLICE_ARG(p->value));
}

/* ── result parameters ───────────────────────────────────────────────────────────────────────── */

static enum err compile_count(struct session *s, struct request *r, const struct fhir_param *p,
                              struct fhir_query *q)
{
    uint64_t n = 0;
    (void)s;
    if (!slice_u64(p->value, &n))
        return bad_value(r, p);
    q->search.limit = n > LIMIT_SEARCH_COUNT ? LIMIT_SEARCH_COUNT : (unsigned)n;
    q->count_only = q->count_only || n == 0;
    return ERR_OK;
}

static enum err compile_total(struct session *s, struct request *r, const struct fhir_param *p,
                              struct fhir_query *q)
{
    (void)s;
    if (!slice_is(p->value, "none") && !slice_is(p->value, "estimate") &&
        !slice_is(p->value, "accurate"))
        return bad_value(r, p);
    q->search.count_total = !slice_is(p->value, "none");
    return ERR_OK;
}

static enum err compile_summary(struct session *s, struct request *r, const struct fhir_param *p,
                                struct fhir_query *q)
{
    (void)s;
    if (slice_is(p->value, "count"))
        q->count_only = true;
    else if (!slice_is(p->value, "false"))
        return err_add(&r->errors, ERR_UNKNOWN_PARAM, "_summary", "count, false");
    return ERR_OK;
}

static enum err compile_sort(struct session *s, struct request *r, const struct fhir_param *p,
                             struct fhir_query *q)
{
    struct slice key = p->value;
    (void)s;
    q->search.descending = slice_starts(key, SLICE("-"));
    if (q->search.descending)
        key = slice_sub(key, 1, key.len);
    if (slice_is(key, "_lastUpdated"))
        q->search.sort = SEARCH_SORT_UPDATED;
    else if (slice_is(key, "date"))
        q->search.sort = SEARCH_SORT_DATE;
    else
        return err_add(&r->errors, ERR_UNKNOWN_PARAM, "_sort",
                       "date, -date, _lastUpdated, -_lastUpdated");
    return ERR_OK;
}

static enum err compile_cursor(struct session *s, struct request *r, const struct fhir_param *p,
                               struct fhir_query *q)
{
    (void)s;
    (void)r;
    q->cursor = p->value;
    return ERR_OK;
}

static enum err compile_updated(struct session *s, struct request *r, const struct fhir_param *p,
                                struct fhir_query *q)
{
    size_t n = q->search.updated_count;
    (void)s;
    if (n == sizeof(q->updated) / sizeof(*q->updated) ||
        !fhir_query_date(p->value, &q->updated_ops[n], &q->updated[n]))
        return bad_value(r, p);
    q->search.updated_count = n + 1;
    return ERR_OK;
}

/* ── parameters that name a person ───────────────────────────────────────────────────────────── */

static enum err add_person(struct request *r, const struct fhir_param *p, struct fhir_query *q,
                           enum err found, int64_t person)
{
    if (found == ERR_NOT_FOUND)
        return ERR_OK;
    if (found)
        return found;
    if (q->search.person_count == sizeof(q->persons) / sizeof(*q->persons))
        return err_add(&r->errors, ERR_TOO_LARGE, name_of(r, p), NULL);
    q->persons[q->search.person_count++] = person;
    q->hidden_person = person;
    return ERR_OK;
}

/* A second parameter that names persons must agree with the first: the intersection remains. */
static void intersect_persons(struct fhir_query *q, size_t first, bool given)
{
    size_t kept = 0, end = q->search.person_count;
    if (given) {
        for (size_t i = 0; i < first; i++)
            for (size_t j = first; j < end; j++)
                if (q->persons[i] == q->persons[j]) {
                    q->persons[kept++] = q->persons[i];
                    break;
                }
        q->search.person_count = kept;
    }
    q->search.persons_given = true;
}

static enum err bare_number(struct session *s, struct request *r, struct slice number,
                            int64_t *ret_person)
{
    const char *local =
        arena_printf(r->arena, REFS_SYSTEM_LOCAL "%.*s", SLICE_ARG(r->caller.facility.code));
    enum err err = refs_identifier(s, r, SLICE(REFS_SYSTEM_CARD), number, ret_person);
    if (err == ERR_NOT_FOUND)
        err = refs_identifier(s, r, slice_str(local), number, ret_person);
    return err;
}

static enum err person_value(struct session *s, struct request *r, bool by_identifier,
                             struct slice text, int64_t *ret_person)
{
    size_t bar = fhir_query_bar(text);
    if (!by_identifier)
        return refs_person(s, r, fhir_query_unescape(r->arena, text), ret_person);
    if (bar == text.len)
        return bare_number(s, r, fhir_query_unescape(r->arena, text), ret_person);
    return refs_identifier(s, r, fhir_query_unescape(r->arena, slice_sub(text, 0, bar)),
                           fhir_query_unescape(r->arena, slice_sub(text, bar + 1, text.len)),
                           ret_person);
}

static enum err compile_persons(struct session *s, struct request *r, const struct fhir_param *p,
                                struct fhir_query *q, bool by_identifier)
{
    struct slice rest = p->value;
    size_t first = q->search.person_count;
    bool given = q->search.persons_given;
    enum err err = ERR_OK;
    if (!p->value.len)
        return bad_value(r, p);
    while (rest.ptr && !err) {
        int64_t person = 0;
        struct slice text = fhir_query_value(&rest);
        enum err found = person_value(s, r, by_identifier, text, &person);
        err = add_person(r, p, q, found, person);
    }
    intersect_persons(q, first, given);
    return err;
}

/* Is VALUE an identifier whose system belongs to the relay index? Those are never searched in the
 * token index, where other facilities' numbers would be. */
static bool is_person_identifier(struct slice value)
{
    struct slice system = slice_sub(value, 0, fhir_query_bar(value));
    return fhir_query_bar(value) < value.len &&
           (slice_is(system, REFS_SYSTEM_CARD) || slice_is(system, REFS_SYSTEM_INSURED) ||
            slice_starts(system, SLICE(REFS_SYSTEM_LOCAL)));
}

/* A value without a system may be a card or the caller's own patient number. */
static bool is_bare_number(struct session *s, struct request *r, struct slice value)
{
    int64_t person = 0;
    return fhir_query_bar(value) == value.len && person_value(s, r, true, value, &person) == ERR_OK;
}

static enum err compile_id(struct session *s, struct request *r, const struct fhir_param *p,
                           struct fhir_query *q)
{
    const struct fhir_input *in = r->input;
    struct slice rest = p->value;
    struct slice *ids = arena_array(r->arena, LIMIT_SEARCH_VALUES, sizeof(*ids));
    if (slice_is(in->type, "Patient"))
        return compile_persons(s, r, p, q, false);
    if (!ids)
        return ERR_LIMIT;
    while (rest.ptr) {
        if (q->search.id_count == LIMIT_SEARCH_VALUES || q->search.ids)
            return bad_value(r, p);
        ids[q->search.id_count++] = fhir_query_value(&rest);
    }
    q->search.ids = ids;
    return ERR_OK;
}

/* ── ordinary parameters ─────────────────────────────────────────────────────────────────────── */

static enum err unknown_param(struct request *r, const struct fhir_param *p)
{
    const struct fhir_input *in = r->input;
    struct buf valid;
    size_t count = 0;
    const struct definition_param *params = definition_params(in->type, &count);
    buf_init(&valid, 4096);
    buf_adds(&valid, "_id, _lastUpdated, _count, _sort, _total, _summary, _format");
    for (size_t i = 0; i < count; i++)
        if (strcmp(params[i].code, "_id") != 0 && strcmp(params[i].code, "_lastUpdated") != 0)
            buf_addf(&valid, ", %s", params[i].code);
    enum err err =
        err_add(&r->errors, ERR_UNKNOWN_PARAM, name_of(r, p), "%.*s", SLICE_ARG(buf_slice(&valid)));
    buf_fini(&valid);
    return err;
}

static bool targets_patient(const struct definition_param *def)
{
    struct slice targets = slice_str(def->targets);
    if (!targets.len)
        return true;
    while (targets.ptr)
        if (slice_is(slice_cut(&targets, ' '), "Patient"))
            return true;
    return false;
}

/* Does every value of a reference parameter mean a patient? ("Device/1" does not; a bare id may.)
 */
static bool names_patient(const struct fhir_param *p, const struct definition_param *def)
{
    if (def->kind != FACET_REFERENCE || !targets_patient(def))
        return false;
    if (p->modifier.len && !slice_is(p->modifier, "Patient") &&
        !slice_is(p->modifier, "identifier"))
        return false;
    return slice_is(p->name, "patient") || slice_is(p->name, "subject") ||
           slice_search(p->value, SLICE("Patient/"), 0) < p->value.len;
}

/* performer=Patient/x and the like: the reference and the person both. */
static enum err add_own_patient_term(struct request *r, const struct definition_param *def,
                                     struct fhir_query *q)
{
    struct search_value *v = ARENA_NEW(r->arena, struct search_value);
    if (!v)
        return ERR_LIMIT;
    v->text = SLICE("Patient/@");
    q->terms[q->search.term_count++] = (struct search_term){
        .param = def->number, .kind = def->kind, .values = v, .value_count = 1};
    return ERR_OK;
}

static enum err compile_reference(struct session *s, struct request *r, const struct fhir_param *p,
                                  const struct definition_param *def, struct fhir_query *q)
{
    enum err err = compile_persons(s, r, p, q, slice_is(p->modifier, "identifier"));
    if (err || slice_is(p->name, "patient") || slice_is(p->name, "subject"))
        return err;
    return add_own_patient_term(r, def, q);
}

static enum err compile_ordinary(struct session *s, struct request *r, const struct fhir_param *p,
                                 struct fhir_query *q)
{
    const struct fhir_input *in = r->input;
    const struct definition_param *def = definition_param(in->type, p->name);
    if (slice_is(p->name, "patient.identifier") || slice_is(p->name, "subject.identifier")) {
        if (definition_param(in->type, slice_sub(p->name, 0, slice_find(p->name, '.', 0))))
            return compile_persons(s, r, p, q, true);
    }
    if (!def)
        return in->lenient ? ERR_OK : unknown_param(r, p);
    if (slice_is(in->type, "Patient") && slice_is(p->name, "identifier") && !p->modifier.len &&
        (is_person_identifier(p->value) || is_bare_number(s, r, p->value)))
        return compile_persons(s, r, p, q, true);
    if (names_patient(p, def) && !slice_is(p->modifier, "missing"))
        return compile_reference(s, r, p, def, q);
    enum err err = fhir_query_term(s, r, p, def, &q->terms[q->search.term_count]);
    if (!err)
        q->search.term_count++;
    return err;
}

static const struct {
    const char *name;
    enum err (*compile)(struct session *, struct request *, const struct fhir_param *,
                        struct fhir_query *);
} result_params[] = {
    {"_count", compile_count}, {"_total", compile_total},   {"_summary", compile_summary},
    {"_sort", compile_sort},   {"_cursor", compile_cursor}, {"_lastUpdated", compile_updated},
    {"_id", compile_id},
};

static enum err compile_param(struct session *s, struct request *r, const struct fhir_param *p,
                              struct fhir_query *q)
{
    for (size_t i = 0; i < sizeof(result_params) / sizeof(*result_params); i++)
        if (slice_is(p->name, result_params[i].name))
            return result_params[i].compile(s, r, p, q);
    return compile_ordinary(s, r, p, q);
}

enum err fhir_query_compile(struct session *s, struct request *r, struct fhir_query *q)
{
    const struct fhir_input *in = r->input;
    enum err err = fhir_params(r);
    q->search.type = in->type;
    q->search.limit = LIMIT_SEARCH_COUNT_DEFAULT;
    q->search.count_total = true;
    q->search.terms = q->terms;
    q->search.persons = q->persons;
    q->search.updated = q->updated;
    q->search.updated_ops = q->updated_ops;
    for (unsigned i = 0; i < in->param_count && !err; i++)
        if (!fhir_param_is_format(&in->params[i]))
            err = compile_param(s, r, &in->params[i], q);
    if (q->count_only)
        q->search.limit = 0;
    if (q->search.persons_given && !slice_is(in->type, "Patient") && q->search.person_count <= 1) {
        q->search.person = q->search.person_count ? q->persons[0] : -1;
        q->search.persons_given = false;
    }
    return err;
}
