/* SPDX-License-Identifier: Apache-2.0
 *
 * Observation/$lastn (R4 observation-operation-lastn): the newest of each code. The observations that the search parameters
 * match are walked from the newest to the oldest. Codes that one observation names together are the same, and so on from
 * observation to observation; those with a text alone are of that text. An observation is kept while fewer than max of
 * its group are newer, so that a tie brings more. Groups that prove to be one later on are judged again at the end.
 */
#include "base/hash.h"
#include "exchange/door/fhir_operation.h"
#include "exchange/door/fhir_page.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT))
#define LASTN_PAGES 100    /* of LIMIT_SEARCH_COUNT observations walked */
#define LASTN_CODES 65536u /* room for codes; half of it is used at most */
#define LASTN_KEPT 10000u

/* Observations of one code so far; a group that was found to be another's points to it. */
struct group {
    unsigned parent;
    uint64_t count, newer; /* all so far; those strictly newer than last_ms */
    int64_t last_ms;
};

struct code {
    uint64_t hash; /* 0: free */
    uint64_t system;
    struct slice text;
    bool only_text;
    unsigned group;
};

struct kept {
    struct record record;
    unsigned group;
    int64_t at_ms;
};

struct lastn {
    struct request *r;
    uint64_t max;
    uint16_t code_param, date_param;
    struct code *codes;
    size_t code_count;
    struct group *groups;
    size_t group_count;
    struct kept *kept;
    size_t kept_count;
};

/* ── groups ──────────────────────────────────────────────────────────────────────────────────── */

static unsigned root_of(const struct lastn *l, unsigned group)
{
    while (l->groups[group].parent != group)
        group = l->groups[group].parent;
    return group;
}

/* Judges one more observation of GROUP, not newer than those before: are fewer than max newer? */
static bool is_among_newest(struct lastn *l, unsigned group, int64_t at_ms)
{
    struct group *g = &l->groups[group];
    if (g->count && g->last_ms != at_ms)
        g->newer = g->count;
    g->last_ms = at_ms;
    g->count++;
    return g->newer < l->max;
}

static uint64_t newer_than(const struct group *g, int64_t at_ms)
{
    return g->count && g->last_ms == at_ms ? g->newer : g->count;
}

static unsigned join(struct lastn *l, unsigned a, unsigned b, int64_t at_ms)
{
    if (a == b)
        return a;
    struct group *into = &l->groups[a], *from = &l->groups[b];
    into->newer = newer_than(into, at_ms) + newer_than(from, at_ms);
    into->count += from->count;
    into->last_ms = at_ms;
    from->parent = a;
    return a;
}

static struct code *code_slot(struct lastn *l, const struct code *wanted)
{
    size_t at = wanted->hash % LASTN_CODES;
    while (l->codes[at].hash) {
        const struct code *c = &l->codes[at];
        if (c->hash == wanted->hash && c->system == wanted->system &&
            c->only_text == wanted->only_text && slice_eq(c->text, wanted->text))
            break;
        at = (at + 1) % LASTN_CODES;
    }
    return &l->codes[at];
}

/* The group of a code; a new code joins GROUP, or opens one when that is -1. */
static enum err group_of(struct lastn *l, struct code wanted, int64_t at_ms, int64_t *group)
{
    wanted.hash = hash_bytes(wanted.text, wanted.system + wanted.only_text) | 1;
    struct code *slot = code_slot(l, &wanted);
    if (slot->hash) {
        unsigned root = root_of(l, slot->group);
        *group = *group < 0 ? root : join(l, (unsigned)*group, root, at_ms);
        return ERR_OK;
    }
    if (l->code_count == LASTN_CODES / 2)
        return err_add_words(&l->r->errors, ERR_TOO_LARGE, "code", "too many different codes",
                             "コードの種類が多すぎます");
    if (*group < 0) {
        *group = (int64_t)l->group_count;
        l->groups[l->group_count] = (struct group){.parent = (unsigned)l->group_count};
        l->group_count++;
    }
    wanted.text = arena_dup(l->r->arena, wanted.text);
    wanted.group = (unsigned)*group;
    *slot = wanted;
    l->code_count++;
    return arena_exhausted(l->r->arena) ? ERR_LIMIT : ERR_OK;
}

/* ── observations ────────────────────────────────────────────────────────────────────────────── */

/* Group and time of an observation, from its search values. */
static enum err place(struct lastn *l, const struct record *record, unsigned *ret_group,
                      int64_t *ret_ms)
{
    struct facet_reader reader;
    struct facet_view v;
    struct slice text = SLICE_NONE;
    int64_t group = -1, at_ms = WHEN_MIN;
    enum err err = ERR_OK;
    facet_reader_init(&reader, record->facets);
    while (facet_next(&reader, &v))
        if (v.param == l->date_param && v.kind == FACET_DATE && !v.group)
            at_ms = v.lo_ms > at_ms ? v.lo_ms : at_ms;
    facet_reader_init(&reader, record->facets);
    while (!err && facet_next(&reader, &v)) {
        if (v.param != l->code_param || v.group)
            continue;
        if (v.kind == FACET_TOKEN)
            err = group_of(l, (struct code){.system = v.system, .text = v.text}, at_ms, &group);
        else if (v.kind == FACET_STRING)
            text = v.raw.len ? v.raw : v.text;
    }
    if (!err && group < 0)
        err = group_of(l, (struct code){.text = text, .only_text = true}, at_ms, &group);
    *ret_group = (unsigned)group;
    *ret_ms = at_ms;
    return err;
}

static enum err keep(struct lastn *l, const struct record *record, unsigned group, int64_t at_ms)
{
    struct arena *a = l->r->arena;
    if (l->kept_count == LASTN_KEPT)
        return err_add(&l->r->errors, ERR_TOO_LARGE, "max", NULL);
    struct kept *k = &l->kept[l->kept_count++];
    *k = (struct kept){*record, group, at_ms};
    k->record.type = SLICE("Observation");
    k->record.id = arena_dup(a, record->id);
    k->record.body = arena_dup(a, record->body);
    k->record.facets = SLICE_NONE;
    return arena_exhausted(a) ? ERR_LIMIT : ERR_OK;
}

static enum err walk_page(struct session *s, struct lastn *l, struct search *search, bool *ret_more)
{
    struct arena *page = arena_new(LIMIT_ARENA_REQUEST);
    struct search_result found = {0};
    enum err err = page ? search_run(s, page, search, &found) : ERR_LIMIT;
    for (size_t i = 0; i < found.count && !err; i++) {
        unsigned group = 0;
        int64_t at_ms = 0;
        err = place(l, &found.records[i], &group, &at_ms);
        if (!err && is_among_newest(l, group, at_ms))
            err = keep(l, &found.records[i], group, at_ms);
    }
    if (!err) {
        *ret_more = found.more;
        search->after_given = true;
        search->after_rid = found.last_rid;
        search->after_key = arena_dup(l->r->arena, found.last_key);
    }
    arena_free(page);
    return err;
}

static enum err walk(struct session *s, struct lastn *l, struct search *search)
{
    const struct search_sort newest = {.order = SEARCH_BY_PARAM,
                                       .param = l->date_param,
                                       .kind = FACET_DATE,
                                       .descending = true};
    bool more = true;
    enum err err = ERR_OK;
    search->sorts = &newest;
    search->sort_count = 1;
    search->limit = LIMIT_SEARCH_COUNT;
    for (unsigned n = 0; more && !err; n++) {
        if (n == LASTN_PAGES)
            return err_add_words(&l->r->errors, ERR_TOO_LARGE, "", "too many observations match",
                                 "該当する検査値が多すぎます");
        err = walk_page(s, l, search, &more);
    }
    return err;
}

/* ── the answer ──────────────────────────────────────────────────────────────────────────────── */

/* Counts anew, now that it is known which groups are one. */
static size_t judge_again(struct lastn *l, struct record *records)
{
    size_t n = 0;
    for (size_t i = 0; i < l->group_count; i++)
        l->groups[i].count = l->groups[i].newer = 0;
    for (size_t i = 0; i < l->kept_count; i++)
        if (is_among_newest(l, root_of(l, l->kept[i].group), l->kept[i].at_ms))
            records[n++] = l->kept[i].record;
    return n;
}

static enum err answer(struct session *s, struct request *r, struct lastn *l)
{
    struct record *records = arena_array(r->arena, l->kept_count + 1, sizeof(*records));
    bool too_long = false;
    if (!records)
        return ERR_LIMIT;
    size_t count = judge_again(l, records);
    enum err err = fhir_page_audit(r, records, count);
    r->audit_default_off = r->audits != NULL;
    fhir_bundle_begin(r, "searchset", (int64_t)count);
    if (!err)
        err = fhir_page_links(r, NULL, NULL, &too_long);
    for (size_t i = 0; i < count && !err; i++)
        err = fhir_bundle_entry(s, r, &records[i], "match");
    return err ? err : fhir_bundle_end(r);
}

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static bool begins(const struct fhir_param *p, const char *const *names)
{
    for (; *names; names++)
        if (slice_starts(p->name, slice_str(*names)))
            return true;
    return false;
}

/* R4 wants a subject, and a category or a code, so that nobody asks for everything of everybody. */
static enum err check_asked(struct request *r)
{
    static const char *const whose[] = {"patient", "subject", NULL};
    static const char *const what[] = {"category", "code", "combo-code", "component-code", NULL};
    const struct fhir_input *in = r->input;
    bool has_whose = false, has_what = false;
    for (unsigned i = 0; i < in->param_count; i++) {
        has_whose = has_whose || begins(&in->params[i], whose);
        has_what = has_what || begins(&in->params[i], what);
    }
    if (!has_whose)
        return err_add_words(&r->errors, ERR_BAD_PARAM, "patient", "patient or subject is required",
                             "patient か subject が必須です");
    if (!has_what)
        return err_add_words(&r->errors, ERR_BAD_PARAM, "category", "category or code is required",
                             "category か code が必須です");
    return ERR_OK;
}

static enum err read_max(struct request *r, struct lastn *l)
{
    struct slice text = fhir_operation_value(r->input, "max");
    l->max = 1;
    if (text.len && (!slice_u64(text, &l->max) || l->max == 0))
        return err_add(&r->errors, ERR_BAD_PARAM, "max", "1, 2, 3 ...");
    return ERR_OK;
}

/* The search parameters alone, as the text of a query. */
static struct slice criteria(struct request *r)
{
    const struct fhir_input *in = r->input;
    struct buf out;
    buf_init(&out, LIMIT_HTTP_BODY * 4);
    for (unsigned i = 0; i < in->param_count; i++) {
        const struct fhir_param *p = &in->params[i];
        if (slice_is(p->name, "max") || fhir_param_is_format(p))
            continue;
        if (out.len)
            buf_addc(&out, '&');
        fhir_page_escape(&out, p->name);
        if (p->modifier.len)
            buf_addc(&out, ':');
        fhir_page_escape(&out, p->modifier);
        buf_addc(&out, '=');
        fhir_page_escape(&out, p->value);
    }
    struct slice text = buf_err(&out) ? SLICE_NONE : arena_dup(r->arena, buf_slice(&out));
    buf_fini(&out);
    return text;
}

static enum err lastn_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    struct search search = {0};
    struct lastn *l = ARENA_NEW(r->arena, struct lastn);
    if (!l)
        return ERR_LIMIT;
    l->r = r;
    l->codes = arena_array(r->arena, LASTN_CODES, sizeof(*l->codes));
    l->groups = arena_array(r->arena, LASTN_CODES / 2, sizeof(*l->groups));
    l->kept = arena_array(r->arena, LASTN_KEPT, sizeof(*l->kept));
    l->code_param = definition_param(in->type, SLICE("code"))->number;
    l->date_param = definition_param(in->type, SLICE("date"))->number;
    r->entity = "Observation";
    enum err err = l->codes && l->groups && l->kept ? fhir_operation_params(r) : ERR_LIMIT;
    if (!err)
        err = check_asked(r);
    if (!err)
        err = read_max(r, l);
    struct slice text = err ? SLICE_NONE : criteria(r);
    if (!err)
        err = text.ptr ? fhir_query_parse(s, r, in->type, text, &search) : ERR_LIMIT;
    if (!err)
        err = walk(s, l, &search);
    return err ? err : answer(s, r, l);
}

const struct use fhir_use_lastn = {.event = "lastn", .actors = READERS, .look = lastn_look};
