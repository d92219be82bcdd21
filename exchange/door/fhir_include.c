/* SPDX-License-Identifier: Apache-2.0
 *
 * _include and _revinclude (R4 search.html#include): what the matches refer to, what refers to
 * them, and with :iterate the same again of what was found. Everything is fetched by searches under
 * the same grant, so what is hidden is simply not there; references are read from the facets that a
 * search brings along. Nothing is included twice, no match again, and no more than
 * LIMIT_SEARCH_INCLUDED in all.
 */
#include "base/hash.h"
#include "exchange/door/fhir_query_impl.h"
#include "exchange/gate/refs.h"
#include "storage/person.h"

#include "base/banned.h"

#define KEYS_FIRST 256u /* slots, a power of two; at least twice what is in them */
#define KEYS_MAX 8192u
#define FORMS 4u /* values by which one record may be referred to (refer_to) */
#define CHUNK (LIMIT_SEARCH_VALUES / FORMS) /* targets sought in one search */
#define REVERSED 32u                        /* parameters asked in one search */

/* A set of texts. */
struct keys {
    struct slice *slots;
    size_t size;
    size_t count;
};

/* Targets of one type to fetch. */
struct wanted {
    struct slice type;
    struct slice ids[CHUNK], urls[CHUNK];
    int64_t persons[CHUNK];
    size_t id_count, url_count, person_count;
    struct wanted *next;
};

struct run {
    struct session *s;
    struct request *r;
    const struct fhir_query *q;
    struct record *pool; /* the matches, then what was included */
    size_t room, count, matched;
    struct keys keys;
    struct wanted *wanted;
    int64_t until_ms; /* monotonic: one page's includes take no longer than one search */
    bool cut;
};

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static enum err refuse(struct fhir_build *b, const struct fhir_criterion *c)
{
    return err_add(&b->r->errors, ERR_UNKNOWN_PARAM, c->place,
                   "%.*s; valid: *, [type]:*, [type]:[reference], "
                   "[type]:[reference]:[type], with or without :iterate",
                   SLICE_ARG(c->value));
}

static bool is_resource(struct slice name)
{
    const struct definition_type *type = definition_type(name);
    return type && type->kind == DEFINITION_RESOURCE;
}

static bool is_known(const struct fhir_include *inc)
{
    const struct definition_param *def = definition_param(inc->source, inc->param);
    if (!is_resource(inc->source) || (inc->target.len && !is_resource(inc->target)))
        return false;
    if (!inc->param.len)
        return true;
    return def && def->kind == FACET_REFERENCE &&
           (!inc->target.len || definition_can_target(def, inc->target));
}

enum err fhir_include_parse(struct fhir_build *b, const struct fhir_criterion *c, bool reverse,
                            struct slice modifier, struct fhir_query *query)
{
    struct fhir_include inc = {.reverse = reverse};
    struct slice rest = c->value;
    inc.iterate = slice_is(modifier, "iterate") || slice_is(modifier, "recurse");
    if (modifier.len && !inc.iterate)
        return err_add(&b->r->errors, ERR_UNKNOWN_PARAM, c->place, "valid: :iterate");
    if (!slice_is(c->value, "*")) {
        inc.source = slice_cut(&rest, ':');
        inc.param = slice_cut(&rest, ':');
        inc.target = slice_cut(&rest, ':');
        if (!inc.param.len || rest.ptr)
            return refuse(b, c);
        if (slice_is(inc.param, "*"))
            inc.param = SLICE_NONE;
        if (!is_known(&inc))
            return refuse(b, c);
    }
    if (!query->includes)
        query->includes = arena_array(b->r->arena, LIMIT_SEARCH_PARAMS, sizeof(*query->includes));
    if (!query->includes)
        return ERR_LIMIT;
    query->includes[query->include_count++] = inc;
    return ERR_OK;
}

/* ── what is there already ───────────────────────────────────────────────────────────────────── */

/* Where KEY is or belongs. */
static struct slice *key_slot(const struct keys *keys, struct slice key)
{
    size_t at = hash_bytes(key, 0) % keys->size;
    while (keys->slots[at].ptr && !slice_eq(keys->slots[at], key))
        at = (at + 1) % keys->size;
    return &keys->slots[at];
}

/* Room for one more. */
static bool grow_keys(struct run *run)
{
    struct keys *keys = &run->keys, grown = {.size = keys->size ? keys->size * 2 : KEYS_FIRST};
    if (keys->count * 2 < keys->size)
        return true;
    grown.slots = arena_array(run->r->arena, grown.size, sizeof(*grown.slots));
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < keys->size; i++)
        if (keys->slots[i].ptr)
            *key_slot(&grown, keys->slots[i]) = keys->slots[i];
    grown.count = keys->count;
    *keys = grown;
    return true;
}

/* Puts KEY in; false when it was there, or when there is no room (then nothing more is sought). */
static bool add_key(struct run *run, struct slice key)
{
    struct keys *keys = &run->keys;
    struct slice *slot = grow_keys(run) ? key_slot(keys, key) : NULL;
    if (slot && slot->ptr)
        return false;
    if (!slot || keys->count == KEYS_MAX || !key.ptr) {
        run->cut = true;
        return false;
    }
    *slot = key;
    keys->count++;
    return true;
}

/* A record under its type and id; a resident is one whatever his records are. */
static struct slice record_key(struct run *run, const struct record *record)
{
    struct arena *arena = run->r->arena;
    if (slice_is(record->type, "Patient"))
        return slice_str(arena_printf(arena, "=Patient/%lld", (long long)record->person));
    return slice_str(
        arena_printf(arena, "=%.*s/%.*s", SLICE_ARG(record->type), SLICE_ARG(record->id)));
}

/* Room for one more. Whoever holds a record of the pool keeps it: the arena frees nothing. */
static bool grow_pool(struct run *run)
{
    size_t room = run->room * 2 + 16;
    struct record *pool =
        run->count < run->room ? run->pool : arena_array(run->r->arena, room, sizeof(*pool));
    if (pool && pool != run->pool) {
        if (run->count)
            memcpy(pool, run->pool, run->count * sizeof(*pool));
        run->pool = pool;
        run->room = room;
    }
    run->cut = run->cut || !pool;
    return pool != NULL;
}

static void add_found(struct run *run, const struct record *record)
{
    if (run->count - run->matched >= LIMIT_SEARCH_INCLUDED) {
        run->cut = run->cut || add_key(run, record_key(run, record));
        return;
    }
    if (grow_pool(run) && add_key(run, record_key(run, record)))
        run->pool[run->count++] = *record;
}

/* Runs SEARCH over all its pages and keeps what is new. */
static enum err fetch(struct run *run, struct search *search)
{
    struct search_result result;
    enum err err = ERR_OK;
    search->limit = CHUNK;
    run->cut = run->cut || clock_monotonic_ms() > run->until_ms;
    if (run->cut)
        return ERR_OK;
    do {
        result = (struct search_result){0};
        err = search_run(run->s, run->r->arena, search, &result);
        for (size_t i = 0; i < result.count && !err; i++)
            add_found(run, &result.records[i]);
        search->after_given = true;
        search->after_key = result.last_key;
        search->after_rid = result.last_rid;
        search->snapshot = result.snapshot;
    } while (!err && result.more && !run->cut);
    return err;
}

/* ── forward ─────────────────────────────────────────────────────────────────────────────────── */

static enum err fetch_filter(struct run *run, struct slice type, const struct search_filter *filter)
{
    struct search search = {.types = &type, .type_count = 1, .filters = {filter, 1}};
    return fetch(run, &search);
}

static enum err fetch_urls(struct run *run, const struct wanted *w)
{
    const struct definition_param *def = definition_param(w->type, SLICE("url"));
    struct search_value *values = arena_array(run->r->arena, w->url_count + 1, sizeof(*values));
    struct search_filter filter = {.kind = SEARCH_TERM};
    if (!def || !w->url_count)
        return ERR_OK;
    if (!values)
        return ERR_LIMIT;
    for (size_t i = 0; i < w->url_count; i++)
        values[i] = (struct search_value){.kind = FACET_URI, .text = w->urls[i]};
    filter.term =
        (struct search_term){.param = def->number, .values = values, .value_count = w->url_count};
    return fetch_filter(run, w->type, &filter);
}

/* Fetches what is wanted of one type, and forgets it. */
static enum err flush(struct run *run, struct wanted *w)
{
    struct search_filter ids = {.kind = SEARCH_IDS, .ids = w->ids, .id_count = w->id_count};
    struct search_filter persons = {
        .kind = SEARCH_PERSONS, .persons = w->persons, .person_count = w->person_count};
    enum err err = ERR_OK;
    if (w->id_count)
        err = fetch_filter(run, w->type, &ids);
    if (!err && w->person_count)
        err = fetch_filter(run, w->type, &persons);
    if (!err)
        err = fetch_urls(run, w);
    w->id_count = w->url_count = w->person_count = 0;
    return err;
}

static struct wanted *wanted_of(struct run *run, struct slice type)
{
    struct wanted *w = run->wanted;
    while (w && !slice_eq(w->type, type))
        w = w->next;
    if (w)
        return w;
    w = ARENA_NEW(run->r->arena, struct wanted);
    if (w) {
        w->type = type;
        w->next = run->wanted;
        run->wanted = w;
    }
    return w;
}

static enum err want(struct run *run, struct slice type, struct slice id, struct slice url,
                     int64_t person)
{
    struct arena *arena = run->r->arena;
    struct wanted *w = wanted_of(run, type);
    const char *key = person ? arena_printf(arena, "?%lld", (long long)person)
                             : arena_printf(arena, "?%.*s/%.*s%.*s", SLICE_ARG(type), SLICE_ARG(id),
                                            SLICE_ARG(url));
    if (!w)
        return ERR_LIMIT;
    if (!add_key(run, slice_str(key)))
        return ERR_OK;
    if (person)
        w->persons[w->person_count++] = person;
    else if (id.len)
        w->ids[w->id_count++] = id;
    else
        w->urls[w->url_count++] = url;
    bool full = w->id_count == CHUNK || w->url_count == CHUNK || w->person_count == CHUNK;
    return full ? flush(run, w) : ERR_OK;
}

static enum err want_patient(struct run *run, const struct record *from, struct slice text)
{
    int64_t person = from->person, chart = 0, facility = 0;
    struct slice number = slice_sub(text, strlen(REFS_OWN), text.len);
    if (number.len && slice_i64(number, &chart)) {
        enum err err = person_of_chart(run->s, chart, &person, &facility);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    return person > 0 ? want(run, SLICE("Patient"), SLICE_NONE, SLICE_NONE, person) : ERR_OK;
}

/* A URL of one of our own listeners, without its base; nothing for any other. */
static struct slice relative(const struct request *r, struct slice url)
{
    struct slice local = refs_local(r, url);
    return local.len < url.len ? local : SLICE_NONE;
}

/* "Type/id", also with a version after it. */
static enum err want_reference(struct run *run, const struct fhir_include *inc,
                               const struct record *from, struct slice text)
{
    struct slice type = slice_sub(text, 0, slice_find(text, '/', 0));
    struct slice id = slice_sub(text, type.len + 1, text.len);
    if (inc->target.len && !slice_eq(inc->target, type))
        return ERR_OK;
    if (slice_starts(text, SLICE(REFS_OWN)))
        return want_patient(run, from, text);
    id = slice_sub(id, 0, slice_find(id, '/', 0));
    return is_resource(type) && id.len && !slice_is(type, "Patient")
               ? want(run, type, id, SLICE_NONE, 0)
               : ERR_OK;
}

/* A canonical: any resource of an allowed type with that url. */
static enum err want_url(struct run *run, const struct fhir_include *inc,
                         const struct definition_param *def, struct slice url)
{
    struct slice targets = inc->target.len ? inc->target : slice_str(def->targets);
    enum err err = ERR_OK;
    url = slice_sub(url, 0, slice_find(url, '|', 0));
    while (targets.ptr && targets.len && !err) {
        struct slice type = slice_cut(&targets, ' ');
        if (definition_param(type, SLICE("url")))
            err = want(run, type, SLICE_NONE, url, 0);
    }
    return err;
}

/* What RECORD refers to as INC asks. */
static enum err follow(struct run *run, const struct fhir_include *inc, const struct record *record)
{
    struct facet_reader reader;
    struct facet_view f;
    enum err err = ERR_OK;
    if (inc->source.len && !slice_eq(inc->source, record->type))
        return ERR_OK;
    facet_reader_init(&reader, record->facets);
    while (!err && facet_next(&reader, &f)) {
        if ((f.kind != FACET_REFERENCE && f.kind != FACET_URI) || f.group)
            continue;
        const struct definition_param *def = definition_param_by_number(record->type, f.param);
        if (!def || def->kind != FACET_REFERENCE ||
            (inc->param.len && !slice_is(inc->param, def->code)))
            continue;
        struct slice local =
            f.kind == FACET_URI ? relative(run->r, f.text) : arena_dup(run->r->arena, f.text);
        if (f.kind == FACET_REFERENCE && local.len != f.text.len)
            return ERR_LIMIT;
        err = local.len ? want_reference(run, inc, record, local) : want_url(run, inc, def, f.text);
    }
    return err;
}

/* ── reverse ─────────────────────────────────────────────────────────────────────────────────── */

/* The values and persons by which records [from, to) of the pool may be referred to by DEF. */
struct referred {
    struct search_value *values;
    size_t value_count;
    int64_t *persons;
    size_t person_count;
};

static void add_value(struct referred *to, enum facet_kind kind, struct slice text)
{
    if (text.len)
        to->values[to->value_count++] = (struct search_value){.kind = kind, .text = text};
}

/* The record's own canonical address. */
static struct slice url_of(const struct record *record)
{
    const struct definition_param *def = definition_param(record->type, SLICE("url"));
    struct facet_reader reader;
    struct facet_view f;
    facet_reader_init(&reader, record->facets);
    while (def && facet_next(&reader, &f))
        if (f.param == def->number && f.kind == FACET_URI)
            return f.text;
    return SLICE_NONE;
}

static void refer_to(struct run *run, const struct record *record, struct referred *to)
{
    struct arena *arena = run->r->arena;
    if (slice_is(record->type, "Patient")) {
        to->persons[to->person_count++] = record->person;
        return;
    }
    const char *text =
        arena_printf(arena, "%.*s/%.*s", SLICE_ARG(record->type), SLICE_ARG(record->id));
    add_value(to, FACET_REFERENCE, slice_str(text));
    if (!text)
        return;
    add_value(to, FACET_URI,
              slice_str(arena_printf(arena, "%s/%s", run->r->exchange->base_url, text)));
    add_value(to, FACET_URI,
              slice_str(arena_printf(arena, "%s/%s", run->r->exchange->portal_url, text)));
    add_value(to, FACET_URI, url_of(record));
}

/* One group "refers to one of these by DEF" for each of values and persons. */
static size_t add_groups(struct run *run, const struct definition_param *def,
                         const struct referred *to, struct search_list *groups)
{
    struct search_filter *f = arena_array(run->r->arena, 2, sizeof(*f));
    size_t n = 0;
    if (!f)
        return 0;
    if (to->value_count) {
        f[0].kind = SEARCH_TERM;
        f[0].term = (struct search_term){
            .param = def->number, .values = to->values, .value_count = to->value_count};
        groups[n++] = (struct search_list){&f[0], 1};
    }
    if (to->person_count && definition_can_target(def, SLICE("Patient"))) {
        f[1].kind = SEARCH_PERSONS;
        f[1].param = def->number;
        f[1].persons = to->persons;
        f[1].person_count = to->person_count;
        groups[n++] = (struct search_list){&f[1], 1};
    }
    return n;
}

static enum err fetch_groups(struct run *run, struct slice type, struct search_list *groups,
                             size_t *count)
{
    struct search_filter any = {.kind = SEARCH_ANY, .groups = groups, .group_count = *count};
    struct search search = {.types = &type, .type_count = type.len ? 1 : 0};
    search.filters = *count == 1 ? groups[0] : (struct search_list){&any, 1};
    bool none = *count == 0 || run->cut;
    *count = 0;
    return none ? ERR_OK : fetch(run, &search);
}

/* Every reference parameter of TYPE that INC means and that can lead to one of the TYPES in TO. */
static enum err reverse_type(struct run *run, const struct fhir_include *inc, struct slice type,
                             const struct referred *to)
{
    struct search_list groups[REVERSED];
    size_t count = 0, n = 0;
    const struct definition_param *params = definition_params(type, &count);
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && !err; i++) {
        if (params[i].kind != FACET_REFERENCE ||
            (inc->param.len && !slice_is(inc->param, params[i].code)))
            continue;
        n += add_groups(run, &params[i], to, groups + n);
        if (n + 2 > REVERSED)
            err = fetch_groups(run, type, groups, &n);
    }
    return err ? err : fetch_groups(run, type, groups, &n);
}

static enum err reverse_chunk(struct run *run, const struct fhir_include *inc, size_t from,
                              size_t to)
{
    struct arena *arena = run->r->arena;
    struct referred referred = {
        .values = arena_array(arena, (to - from) * FORMS + 1, sizeof(*referred.values)),
        .persons = arena_array(arena, to - from + 1, sizeof(*referred.persons))};
    size_t count = 0;
    const struct definition_type *const *types = definition_resources(&count);
    enum err err = ERR_OK;
    if (!referred.values || !referred.persons)
        return ERR_LIMIT;
    for (size_t i = from; i < to; i++)
        if (!inc->target.len || slice_eq(inc->target, run->pool[i].type))
            refer_to(run, &run->pool[i], &referred);
    if (!referred.value_count && !referred.person_count)
        return ERR_OK;
    if (inc->source.len)
        return reverse_type(run, inc, inc->source, &referred);
    for (size_t i = 0; i < count && !err && !run->cut; i++)
        err = reverse_type(run, inc, slice_str(types[i]->name), &referred);
    return err;
}

/* ── rounds ──────────────────────────────────────────────────────────────────────────────────── */

static enum err apply(struct run *run, const struct fhir_include *inc, size_t from, size_t to)
{
    enum err err = ERR_OK;
    if (!inc->reverse)
        for (size_t i = from; i < to && !err; i++)
            err = follow(run, inc, &run->pool[i]);
    for (size_t i = from; i < to && !err && inc->reverse && !run->cut; i += CHUNK)
        err = reverse_chunk(run, inc, i, to < i + CHUNK ? to : i + CHUNK);
    return err;
}

/* One round over records [FROM, TO): all includes on the matches, later only those that iterate. */
static enum err go_round(struct run *run, size_t from, size_t to)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < run->q->include_count && !err; i++)
        if (from == 0 || run->q->includes[i].iterate)
            err = apply(run, &run->q->includes[i], from, to);
    for (struct wanted *w = run->wanted; w && !err; w = w->next)
        err = flush(run, w);
    return err;
}

enum err fhir_include_run(struct session *s, struct request *r, const struct fhir_query *query,
                          const struct search_result *matches, struct record **ret_records,
                          size_t *ret_count, bool *ret_cut)
{
    struct run run = {.s = s,
                      .r = r,
                      .q = query,
                      .matched = matches->count,
                      .until_ms = clock_monotonic_ms() + LIMIT_SEARCH_MS};
    enum err err = ERR_OK;
    for (size_t i = 0; i < matches->count; i++) {
        if (!grow_pool(&run))
            return ERR_LIMIT;
        run.pool[run.count++] = matches->records[i];
        (void)add_key(&run, record_key(&run, &matches->records[i]));
    }
    for (size_t from = 0; from < run.count && !err && !run.cut;) {
        size_t to = run.count;
        err = go_round(&run, from, to);
        from = to;
    }
    *ret_records = run.pool + run.matched;
    *ret_count = run.count - run.matched;
    *ret_cut = run.cut;
    return err;
}
