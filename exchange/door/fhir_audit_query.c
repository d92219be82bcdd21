/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of a search of the audit record (see fhir_audit_query.h). A parameter whose element
 * our AuditEvents never have (a policy, a site, a name) finds nothing; one that R4 does not define
 * is refused.
 */
#include "exchange/door/fhir_audit_query.h"

#include <strings.h>

#include "exchange/door/fhir_page.h"
#include "exchange/door/fhir_query_impl.h"
#include "exchange/gate/refs.h"
#include "exchange/use/audit_event.h"

#include "base/banned.h"

enum kind { BY_CODE, BY_DATE, BY_ID, BY_AGENT, BY_ENTITY, BY_PATIENT, BY_ADDRESS, BY_NOTHING };

static const struct param {
    const char *name;
    enum kind kind;
    enum audit_event_part part; /* BY_CODE */
} params[] = {
    {"action", BY_CODE, AUDIT_EVENT_ACTION},
    {"address", BY_ADDRESS, 0},
    {"agent", BY_AGENT, 0},
    {"agent-name", BY_NOTHING, 0},
    {"agent-role", BY_CODE, AUDIT_EVENT_AGENT_ROLE},
    {"altid", BY_NOTHING, 0},
    {"date", BY_DATE, 0},
    {"entity", BY_ENTITY, 0},
    {"entity-name", BY_NOTHING, 0},
    {"entity-role", BY_CODE, AUDIT_EVENT_ENTITY_ROLE},
    {"entity-type", BY_CODE, AUDIT_EVENT_ENTITY_TYPE},
    {"outcome", BY_CODE, AUDIT_EVENT_OUTCOME},
    {"patient", BY_PATIENT, 0},
    {"policy", BY_NOTHING, 0},
    {"site", BY_NOTHING, 0},
    {"source", BY_NOTHING, 0},
    {"subtype", BY_CODE, AUDIT_EVENT_SUBTYPE},
    {"type", BY_CODE, AUDIT_EVENT_TYPE},
    {"_id", BY_ID, 0},
    {"_lastUpdated", BY_DATE, 0},
};
#define VALID                                                                                      \
    "action, address, agent, agent-name, agent-role, altid, date, entity, entity-name, "           \
    "entity-role, entity-type, outcome, patient, policy, site, source, subtype, type, _id, "       \
    "_lastUpdated, _count, _elements, _sort, _summary, _total"

/* One alternative of a parameter. */
struct value {
    struct search_value search; /* BY_CODE, BY_DATE */
    struct slice text;          /* BY_ADDRESS; BY_ENTITY: a reference; BY_AGENT: a user */
    int64_t id;                 /* BY_ID; BY_AGENT: a facility */
    int64_t person;             /* BY_PATIENT, BY_AGENT, BY_ENTITY */
};

struct fhir_audit_test {
    const struct param *param;
    bool negated;
    struct value *values;
    size_t count;
};

/* ── a row ───────────────────────────────────────────────────────────────────────────────────── */

static bool same_code(const struct search_value *v, const struct audit_event_code *code)
{
    struct slice text = slice_str(code->code);
    if (!v->any_system && !slice_is(v->system, code->system))
        return false;
    return v->any_code ||
           (text.len == v->text.len && !strncasecmp(text.ptr, v->text.ptr, text.len));
}

static bool has_code(const struct request *r, const struct audit_row *row,
                     enum audit_event_part part, const struct search_value *v)
{
    struct audit_event_code codes[AUDIT_EVENT_CODES];
    size_t n = audit_event_codes(r, row, part, codes);
    for (size_t i = 0; i < n; i++)
        if (same_code(v, &codes[i]))
            return true;
    return false;
}

/* R4 search.html#prefix; the row's instant covers one millisecond. "About" is the span itself and a
 * day around it. */
static bool at_time(int64_t lo, const struct search_value *v)
{
    const int64_t day = 86400000, hi = lo + 1;
    const struct when *w = &v->when;
    switch (v->op) {
    case SEARCH_NE:
        return !(w->lo_ms <= lo && hi <= w->hi_ms);
    case SEARCH_GT:
        return hi > w->hi_ms;
    case SEARCH_SA:
        return lo >= w->hi_ms;
    case SEARCH_LT:
        return lo < w->lo_ms;
    case SEARCH_EB:
        return hi <= w->lo_ms;
    case SEARCH_GE:
        return lo >= w->lo_ms;
    case SEARCH_LE:
        return hi <= w->hi_ms;
    case SEARCH_AP:
        return lo >= w->lo_ms - day && hi <= w->hi_ms + day;
    default:
        return w->lo_ms <= lo && hi <= w->hi_ms;
    }
}

static bool is_agent(const struct audit_row *row, const struct value *v)
{
    if (v->person)
        return row->person == v->person && strcmp(row->actor, "resident") == 0;
    if (v->text.len)
        return slice_is(v->text, row->user);
    return v->id && row->facility == v->id && strcmp(row->actor, "resident") != 0;
}

static bool is_entity(const struct request *r, const struct audit_row *row, const struct value *v)
{
    struct slice entity = slice_str(row->entity);
    if (v->person)
        return row->person == v->person && audit_event_tells(r, row);
    if (!v->text.len || !audit_event_refers(row) || !slice_starts(entity, v->text))
        return false;
    entity = slice_sub(entity, v->text.len, entity.len);
    return !entity.len || slice_starts(entity, SLICE("/_history/"));
}

static bool has_address(const struct request *r, const struct audit_row *row, struct slice text)
{
    const char *host = r->exchange->conf.host ? r->exchange->conf.host : "localhost";
    return slice_starts(slice_str(row->peer[0] ? row->peer : "local"), text) ||
           slice_starts(slice_str(host), text);
}

static bool is_value(const struct request *r, const struct audit_row *row,
                     const struct param *param, const struct value *v)
{
    switch (param->kind) {
    case BY_CODE:
        return has_code(r, row, param->part, &v->search);
    case BY_DATE:
        return at_time(row->at_ms, &v->search);
    case BY_ID:
        return row->seq == v->id;
    case BY_AGENT:
        return is_agent(row, v);
    case BY_ENTITY:
        return is_entity(r, row, v);
    case BY_PATIENT:
        return v->person && row->person == v->person && audit_event_tells(r, row);
    case BY_ADDRESS:
        return has_address(r, row, v->text);
    case BY_NOTHING:
        break;
    }
    return false;
}

static bool keep_row(void *context, const struct audit_row *row)
{
    const struct fhir_audit_query *q = context;
    if (!audit_event_is_shown(q->request, row))
        return false;
    for (size_t i = 0; i < q->test_count; i++) {
        const struct fhir_audit_test *t = &q->tests[i];
        bool found = false;
        for (size_t k = 0; k < t->count && !found; k++)
            found = is_value(q->request, row, t->param, &t->values[k]);
        if (found == t->negated)
            return false;
    }
    return true;
}

/* ── values ──────────────────────────────────────────────────────────────────────────────────── */

struct compile {
    struct session *s;
    struct request *r;
    struct fhir_audit_query *q;
    struct slice summary, elements, cursor;
};

static enum err bad_value(struct compile *k, const struct fhir_param *p, const char *valid)
{
    return err_add(&k->r->errors, ERR_BAD_PARAM,
                   arena_printf(k->r->arena, "%.*s", SLICE_ARG(p->name)), "%s", valid);
}

/* "system|value" or a number alone, as a person. 0: nobody. */
static enum err person_of(struct compile *k, struct slice text, bool identifier,
                          int64_t *ret_person)
{
    struct fhir_build b = {.s = k->s, .r = k->r};
    struct fhir_persons persons = {0};
    bool only = false;
    enum err err = identifier ? fhir_query_person_identifier(&b, text, &persons, &only)
                              : fhir_query_person(&b, text, &persons);
    *ret_person = b.person;
    return err;
}

static enum err facility_of(struct compile *k, struct slice word, bool code, int64_t *ret_id)
{
    struct facility f;
    enum err err = code ? registry_facility_by_code(k->s, k->r->arena, word, &f)
                        : registry_facility_by_key(k->s, k->r->arena, word, &f);
    *ret_id = err ? 0 : f.id;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* An organization by id or institution code, a resident by id or card, a user by the identifier the
 * facility gave him. */
static enum err agent_of(struct compile *k, struct slice text, bool identifier, struct value *v)
{
    struct slice local = refs_local(k->r, text), organization = SLICE("Organization/");
    size_t bar = fhir_query_value_find(text, '|');
    struct slice system = slice_sub(text, 0, bar);
    if (!identifier && !slice_starts(local, SLICE("Patient/")))
        return facility_of(k,
                           slice_starts(local, organization)
                               ? slice_sub(local, organization.len, local.len)
                               : local,
                           false, &v->id);
    if (!identifier)
        return person_of(k, local, false, &v->person);
    if (bar < text.len && slice_is(system, AUDIT_EVENT_INSTITUTION))
        return facility_of(k, slice_sub(text, bar + 1, text.len), true, &v->id);
    if (bar < text.len && system.len)
        return person_of(k, text, true, &v->person);
    v->text = bar < text.len ? slice_sub(text, bar + 1, text.len) : text;
    return ERR_OK;
}

static enum err entity_of(struct compile *k, struct slice text, bool identifier, struct value *v)
{
    struct slice local = refs_local(k->r, text);
    if (identifier || slice_starts(local, SLICE("Patient/")))
        return person_of(k, identifier ? text : local, identifier, &v->person);
    v->text = local;
    return ERR_OK;
}

static enum err read_value(struct compile *k, const struct fhir_param *p, const struct param *row,
                           struct slice text, bool identifier, struct value *v)
{
    struct arena *a = k->r->arena;
    struct slice plain = fhir_query_value_unescape(a, text);
    enum facet_kind kind = row->kind == BY_DATE ? FACET_DATE : FACET_TOKEN;
    uint64_t id = 0;
    if (!text.len)
        return bad_value(k, p, "a value");
    switch (row->kind) {
    case BY_CODE:
    case BY_DATE:
        return fhir_query_value_parse(a, kind, text, &v->search)
                   ? ERR_OK
                   : bad_value(k, p, fhir_query_value_form(kind));
    case BY_ID:
        v->id = slice_u64(plain, &id) && id <= INT64_MAX ? (int64_t)id : -1;
        return ERR_OK;
    case BY_AGENT:
        return agent_of(k, plain, identifier, v);
    case BY_ENTITY:
        return entity_of(k, plain, identifier, v);
    case BY_PATIENT:
        return person_of(k, plain, identifier, &v->person);
    case BY_ADDRESS:
        v->text = plain;
        return ERR_OK;
    case BY_NOTHING:
        break;
    }
    return ERR_OK;
}

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

/* "agent", "agent:identifier" and "agent.identifier" (as IHE writes it) of a reference. */
static const struct param *find_param(const struct fhir_param *p, bool *ret_identifier)
{
    struct slice name = p->name, dotted = SLICE(".identifier");
    *ret_identifier = slice_is(p->modifier, "identifier");
    if (name.len > dotted.len && !p->modifier.len &&
        slice_eq(slice_sub(name, name.len - dotted.len, name.len), dotted)) {
        name = slice_sub(name, 0, name.len - dotted.len);
        *ret_identifier = true;
    }
    for (size_t i = 0; i < sizeof(params) / sizeof(*params); i++)
        if (slice_is(name, params[i].name)) {
            bool reference = params[i].kind == BY_AGENT || params[i].kind == BY_ENTITY ||
                             params[i].kind == BY_PATIENT;
            return *ret_identifier && !reference ? NULL : &params[i];
        }
    return NULL;
}

static enum err unknown(struct compile *k, const struct fhir_param *p, const char *valid)
{
    return err_add(&k->r->errors, ERR_UNKNOWN_PARAM,
                   arena_printf(k->r->arena, "%.*s%s%.*s", SLICE_ARG(p->name),
                                p->modifier.len ? ":" : "", SLICE_ARG(p->modifier)),
                   "%s", valid);
}

/* What the index of the record itself can find needs no test. */
static bool narrow(const struct request *r, struct audit_filter *f, const struct fhir_audit_test *t)
{
    const struct value *v = t->values;
    if (t->count != 1 || t->negated)
        return false;
    /* Not for a facility, to whom not every row tells its person. */
    if (t->param->kind == BY_PATIENT && !f->person && r->grant.actor != GRANT_FACILITY) {
        f->person = v->person ? v->person : -1;
        return true;
    }
    if (t->param->kind != BY_DATE || v->search.op == SEARCH_NE || v->search.op == SEARCH_AP)
        return false;
    const struct when *w = &v->search.when;
    enum search_op op = v->search.op;
    int64_t from = op == SEARCH_EQ || op == SEARCH_GE   ? w->lo_ms
                   : op == SEARCH_GT || op == SEARCH_SA ? w->hi_ms
                                                        : 0;
    int64_t to = op == SEARCH_EQ || op == SEARCH_LE   ? w->hi_ms
                 : op == SEARCH_LT || op == SEARCH_EB ? w->lo_ms
                                                      : 0;
    if (from > f->from_ms)
        f->from_ms = from;
    if (to && (!f->to_ms || to < f->to_ms))
        f->to_ms = to;
    return true;
}

static enum err add_test(struct compile *k, const struct fhir_param *p)
{
    bool identifier = false;
    const struct param *row = find_param(p, &identifier);
    struct fhir_audit_test *t = &k->q->tests[k->q->test_count];
    size_t room = fhir_query_value_count(p->value);
    enum err err = ERR_OK;
    if (!row)
        return unknown(k, p, VALID);
    *t = (struct fhir_audit_test){row, row->kind == BY_CODE && slice_is(p->modifier, "not"),
                                  arena_array(k->r->arena, room + 1, sizeof(*t->values)), 0};
    if (p->modifier.len && !identifier && !t->negated)
        return unknown(k, p, row->kind == BY_CODE ? ":not" : ":identifier, of references");
    if (room > LIMIT_SEARCH_VALUES)
        return err_add(&k->r->errors, ERR_TOO_LARGE, "", "%u", LIMIT_SEARCH_VALUES);
    if (!t->values)
        return ERR_LIMIT;
    for (struct slice rest = p->value; rest.ptr && !err;)
        err =
            read_value(k, p, row, fhir_query_value_cut(&rest), identifier, &t->values[t->count++]);
    if (!err && !t->count)
        err = bad_value(k, p, "a value");
    if (!err && !narrow(k->r, &k->q->filter, t))
        k->q->test_count++;
    return err;
}

/* The record's order is that of its numbers, and so of its times. */
static bool read_order(struct slice text, bool *ret_oldest)
{
    *ret_oldest = !slice_starts(text, SLICE("-"));
    text = slice_sub(text, !*ret_oldest, text.len);
    return slice_is(text, "date") || slice_is(text, "_lastUpdated") || slice_is(text, "_id");
}

static bool is_page(const struct fhir_param *p)
{
    return slice_is(p->name, "_count") || slice_is(p->name, "_before") ||
           slice_is(p->name, "_cursor");
}

static enum err page_param(struct compile *k, const struct fhir_param *p)
{
    struct fhir_audit_query *q = k->q;
    uint64_t n = 0;
    if (slice_is(p->name, "_cursor")) {
        k->cursor = p->value;
        return ERR_OK;
    }
    if (!slice_u64(p->value, &n) || n > INT64_MAX)
        return bad_value(k, p, "0, 1, 2 …");
    if (slice_is(p->name, "_before")) {
        q->filter.before_seq = (int64_t)n;
        return ERR_OK;
    }
    q->count_only = q->count_only || n == 0;
    q->filter.limit = n > LIMIT_SEARCH_COUNT ? LIMIT_SEARCH_COUNT : n ? (unsigned)n : 1;
    return ERR_OK;
}

static enum err add_param(struct compile *k, const struct fhir_param *p, bool history)
{
    if (is_page(p) && !p->modifier.len)
        return page_param(k, p);
    if (history && !slice_is(p->name, "date"))
        return unknown(k, p, "date, _count, _before");
    if (slice_is(p->name, "_summary"))
        k->summary = p->value;
    else if (slice_is(p->name, "_elements"))
        k->elements = p->value;
    else if (slice_is(p->name, "_sort"))
        return read_order(p->value, &k->q->filter.oldest_first)
                   ? ERR_OK
                   : bad_value(k, p, "date, -date, _lastUpdated, -_lastUpdated, _id, -_id");
    else if (slice_is(p->name, "_total")) {
        k->q->no_total = slice_is(p->value, "none");
        if (!k->q->no_total && !slice_is(p->value, "estimate") && !slice_is(p->value, "accurate"))
            return bad_value(k, p, "none, estimate, accurate");
    } else
        return add_test(k, p);
    return p->value.len ? ERR_OK : bad_value(k, p, "a value");
}

static enum err add_params(struct compile *k, bool history)
{
    struct fhir_input *in = k->r->input;
    enum err err = ERR_OK;
    for (unsigned i = 0; i < in->param_count && !err; i++) {
        struct err_list saved = k->r->errors;
        if (fhir_param_is_format(&in->params[i]))
            continue;
        err = add_param(k, &in->params[i], history);
        if (err != ERR_UNKNOWN_PARAM || !in->lenient)
            continue;
        k->q->ignored[i] = true;
        fhir_query_forgive(k->r, saved);
        err = ERR_OK;
    }
    return err;
}

/* A cursor's number is the last row shown. */
static enum err begin_at(struct compile *k)
{
    struct fhir_cursor place;
    enum err err = k->cursor.len ? fhir_cursor_parse(k->r, k->cursor, &place) : ERR_OK;
    if (err || !k->cursor.len)
        return err;
    if (k->q->filter.oldest_first)
        k->q->filter.after_seq = place.number;
    else
        k->q->filter.before_seq = place.number;
    return ERR_OK;
}

enum err fhir_audit_query(struct session *s, struct request *r, bool history,
                          struct fhir_audit_query *ret)
{
    const struct fhir_input *in = r->input;
    struct compile k = {.s = s, .r = r, .q = ret};
    enum err err = fhir_params(r);
    *ret = (struct fhir_audit_query){.request = r, .filter.limit = LIMIT_SEARCH_COUNT_DEFAULT * 2};
    ret->tests = arena_array(r->arena, in->param_count + 1, sizeof(*ret->tests));
    if (!err && !ret->tests)
        err = ERR_LIMIT;
    if (!err)
        err = add_params(&k, history);
    if (!err && subset_parse(r->arena, k.summary, k.elements, &ret->subset) != ERR_OK)
        err = err_add(&r->errors, ERR_BAD_PARAM, k.summary.len ? "_summary" : "_elements",
                      "_summary=true, false, text, data, count; or _elements=element,…");
    if (!err)
        err = begin_at(&k);
    ret->count_only = ret->count_only || ret->subset.mode == SUBSET_COUNT;
    if (ret->test_count || r->grant.actor == GRANT_FACILITY) {
        ret->filter.keep = keep_row;
        ret->filter.context = ret;
    }
    return err;
}
