/* SPDX-License-Identifier: Apache-2.0
 *
 * See valueset.h. compose is worked out where possible; a stored expansion stands in for it when
 * there is no compose, or when its code systems are not here. An include is the intersection of its
 * system part and its value sets; the set is the union of the includes less the excludes.
 */
#include "mappers/fhir/valueset.h"

#include "base/limits.h"
#include "mappers/fhir/concepts.h"

#include "base/banned.h"

/* A value set being worked out: whoever is on this chain again includes itself. */
struct level {
    const struct level *up;
    struct slice url;
    unsigned depth;
};

struct indexed {
    struct slice url; /* as asked for */
    struct concepts concepts;
    struct indexed *next;
};

/* Codes, each once. */
struct codes {
    struct valueset_code *list;
    size_t count, room;
    size_t *slots; /* place + 1 in LIST; 0 free */
    size_t slot_count;
};

/* A value set worked out already: many may include the same one. */
struct done {
    struct slice canonical;
    struct codes codes;
    enum valueset_answer answer;
    struct valueset_code found;
    struct done *next;
};

struct run {
    struct arena *arena;
    const struct canonical_source *source;
    struct err_list *errors; /* NULL: nobody wants to know why */
    struct indexed *systems;
    struct done *sets;
};

static enum err say(struct run *run, enum err code, struct slice what, const char *en,
                    const char *ja)
{
    if (!run->errors)
        return code;
    const char *place = arena_printf(run->arena, "%.*s", SLICE_ARG(what));
    return err_add_words(run->errors, code, place ? place : "", en, ja);
}

/* ── sets of codes ───────────────────────────────────────────────────────────────────────────── */

static uint64_t hash(struct slice system, struct slice code)
{
    uint64_t h = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < system.len; i++)
        h = (h ^ (unsigned char)system.ptr[i]) * UINT64_C(1099511628211);
    h = (h ^ '|') * UINT64_C(1099511628211);
    for (size_t i = 0; i < code.len; i++)
        h = (h ^ (unsigned char)code.ptr[i]) * UINT64_C(1099511628211);
    return h;
}

/* The slot where the code is, or would be. */
static size_t slot_of(const struct codes *s, struct slice system, struct slice code)
{
    size_t at = hash(system, code) & (s->slot_count - 1);
    while (s->slots[at]) {
        const struct valueset_code *c = &s->list[s->slots[at] - 1];
        if (slice_eq(c->code, code) && slice_eq(c->system, system))
            break;
        at = (at + 1) & (s->slot_count - 1);
    }
    return at;
}

static enum err grow(struct run *run, struct codes *s)
{
    struct codes bigger = {.room = s->room ? s->room * 2 : 64, .count = s->count};
    bigger.slot_count = bigger.room * 2;
    bigger.list = arena_array(run->arena, bigger.room, sizeof(*bigger.list));
    bigger.slots = arena_array(run->arena, bigger.slot_count, sizeof(*bigger.slots));
    if (!bigger.list || !bigger.slots)
        return ERR_LIMIT;
    if (s->count)
        memcpy(bigger.list, s->list, s->count * sizeof(*s->list));
    for (size_t i = 0; i < s->count; i++)
        bigger.slots[slot_of(&bigger, s->list[i].system, s->list[i].code)] = i + 1;
    *s = bigger;
    return ERR_OK;
}

static bool codes_have(const struct codes *s, struct slice system, struct slice code)
{
    return s->count > 0 && s->slots[slot_of(s, system, code)] != 0;
}

static enum err codes_add(struct run *run, struct codes *s, const struct valueset_code *code)
{
    if (codes_have(s, code->system, code->code))
        return ERR_OK;
    if (s->count == LIMIT_VALUESET_CODES)
        return say(run, ERR_TOO_LARGE, SLICE("expansion"), "too many codes", "コードが多すぎます");
    if (s->count == s->room) {
        enum err err = grow(run, s);
        if (err)
            return err;
    }
    size_t slot = slot_of(s, code->system, code->code);
    s->list[s->count++] = *code;
    s->slots[slot] = s->count;
    return ERR_OK;
}

/* ── code systems ────────────────────────────────────────────────────────────────────────────── */

static struct slice versioned(struct run *run, const struct json *include)
{
    struct slice system = json_str(include, "system"), version = json_str(include, "version");
    if (!version.len)
        return system;
    return slice_str(arena_printf(run->arena, "%.*s|%.*s", SLICE_ARG(system), SLICE_ARG(version)));
}

/* The code system of an include, complete and indexed. */
static enum err find_system(struct run *run, struct slice canonical, struct concepts **ret_concepts)
{
    struct json *json = NULL;
    for (struct indexed *i = run->systems; i; i = i->next) {
        if (slice_eq(i->url, canonical)) {
            *ret_concepts = &i->concepts;
            return ERR_OK;
        }
    }
    enum err err = run->source->resolve(run->source->context, "CodeSystem", canonical, &json);
    if (err)
        return err == ERR_NOT_FOUND ? say(run, err, canonical, "the code system is not stored here",
                                          "コードシステムが保存されていません")
                                    : err;
    if (!slice_is(json_str(json, "content"), "complete"))
        return say(run, ERR_NOT_SUPPORTED, canonical, "the code system as stored is not complete",
                   "保存されたコードシステムは全体ではありません");
    struct indexed *made = ARENA_NEW(run->arena, struct indexed);
    if (!made)
        return ERR_LIMIT;
    err = concepts_read(run->arena, json, &made->concepts);
    if (err)
        return err;
    made->url = canonical;
    made->next = run->systems;
    run->systems = made;
    *ret_concepts = &made->concepts;
    return ERR_OK;
}

static enum err passes(struct run *run, const struct concepts *c, size_t at,
                       const struct json *include, bool *ret_passes)
{
    const struct json *filters = json_get(include, "filter");
    for (const struct json *f = filters ? filters->first : NULL; f; f = f->next) {
        bool one = false;
        enum err err = concepts_filter(c, at, f, &one);
        if (err)
            return say(run, err, json_str(f, "value"), "the filter is not understood",
                       "このフィルターは扱えません");
        if (!one) {
            *ret_passes = false;
            return ERR_OK;
        }
    }
    *ret_passes = true;
    return ERR_OK;
}

static struct valueset_code code_of(const struct json *include, const struct concepts_entry *e)
{
    return (struct valueset_code){.system = json_str(include, "system"),
                                  .version = json_str(include, "version"),
                                  .code = e->code,
                                  .display = json_str(e->json, "display"),
                                  .abstract = concepts_is_abstract(e),
                                  .inactive = concepts_is_inactive(e)};
}

static enum err add_system(struct run *run, const struct json *include, struct codes *out)
{
    struct concepts *c = NULL;
    enum err err = find_system(run, versioned(run, include), &c);
    for (size_t i = 0; !err && i < c->count; i++) {
        bool wanted = false;
        err = passes(run, c, i, include, &wanted);
        if (!err && wanted) {
            struct valueset_code code = code_of(include, &c->list[i]);
            err = codes_add(run, out, &code);
        }
    }
    return err;
}

/* Codes named one by one: the code system need not be here, but knows their displays. */
static enum err add_listed(struct run *run, const struct json *include, struct codes *out)
{
    struct err_list *errors = run->errors;
    struct concepts *c = NULL;
    enum err err = ERR_OK;
    run->errors = NULL;
    if (find_system(run, versioned(run, include), &c))
        c = NULL;
    run->errors = errors;
    for (const struct json *i = json_get(include, "concept")->first; i && !err; i = i->next) {
        struct valueset_code code = {.system = json_str(include, "system"),
                                     .version = json_str(include, "version"),
                                     .code = json_str(i, "code"),
                                     .display = json_str(i, "display")};
        size_t at = c ? concepts_find(c, code.code) : CONCEPTS_NONE;
        if (at != CONCEPTS_NONE) {
            struct valueset_code known = code_of(include, &c->list[at]);
            known.code = code.code;
            known.display = code.display.len ? code.display : known.display;
            code = known;
        }
        err = codes_add(run, out, &code);
    }
    return err;
}

/* ── value sets ──────────────────────────────────────────────────────────────────────────────── */

static enum err add_set(struct run *run, const struct json *set, const struct level *up,
                        struct codes *out);

static enum err find_set(struct run *run, struct slice canonical, const struct level *up,
                         struct json **ret_set)
{
    for (const struct level *l = up; l; l = l->up) {
        if (slice_eq(l->url, canonical_url(canonical)))
            return say(run, ERR_INVALID, canonical, "the value set includes itself",
                       "値セットが自分自身を含んでいます");
    }
    if (up->depth >= LIMIT_VALUESET_DEPTH)
        return say(run, ERR_TOO_DEEP, canonical, "value sets within value sets",
                   "値セットの入れ子が深すぎます");
    enum err err = run->source->resolve(run->source->context, "ValueSet", canonical, ret_set);
    return err == ERR_NOT_FOUND ? say(run, err, canonical, "the value set is not stored here",
                                      "値セットが保存されていません")
                                : err;
}

/* Leaves in OUT what is in ALSO too. */
static enum err intersect(struct run *run, struct codes *out, const struct codes *also)
{
    struct codes both = {0};
    enum err err = ERR_OK;
    for (size_t i = 0; i < out->count && !err; i++) {
        if (codes_have(also, out->list[i].system, out->list[i].code))
            err = codes_add(run, &both, &out->list[i]);
    }
    *out = both;
    return err;
}

static struct done *find_done(struct run *run, struct slice canonical)
{
    struct done *d = run->sets;
    while (d && !slice_eq(d->canonical, canonical))
        d = d->next;
    return d;
}

static struct done *keep_done(struct run *run, struct slice canonical)
{
    struct done *d = ARENA_NEW(run->arena, struct done);
    if (d) {
        d->canonical = canonical;
        d->next = run->sets;
        run->sets = d;
    }
    return d;
}

/* The codes of the value set CANONICAL, worked out once. */
static enum err codes_of(struct run *run, struct slice canonical, const struct level *up,
                         struct codes *ret_codes)
{
    struct json *set = NULL;
    struct codes codes = {0};
    struct done *d = find_done(run, canonical);
    if (d) {
        *ret_codes = d->codes;
        return ERR_OK;
    }
    enum err err = find_set(run, canonical, up, &set);
    if (!err)
        err = add_set(run, set, up, &codes);
    if (err)
        return err;
    d = keep_done(run, canonical);
    if (!d)
        return ERR_LIMIT;
    d->codes = codes;
    *ret_codes = codes;
    return ERR_OK;
}

static enum err add_include(struct run *run, const struct json *include, const struct level *up,
                            struct codes *ret_codes)
{
    const struct json *sets = json_get(include, "valueSet");
    struct codes part = {0};
    bool any = json_str(include, "system").len > 0;
    enum err err = ERR_OK;
    if (any)
        err = json_get(include, "concept") ? add_listed(run, include, &part)
                                           : add_system(run, include, &part);
    for (const struct json *i = sets ? sets->first : NULL; i && !err; i = i->next) {
        struct codes more = {0};
        err = codes_of(run, i->text, up, &more);
        if (!err && any)
            err = intersect(run, &part, &more);
        else
            part = more;
        any = true;
    }
    *ret_codes = part;
    return err;
}

static enum err add_expansion(struct run *run, const struct json *holder, struct codes *out)
{
    const struct json *list = json_get(holder, "contains");
    enum err err = ERR_OK;
    for (const struct json *i = list ? list->first : NULL; i && !err; i = i->next) {
        struct valueset_code code = {.system = json_str(i, "system"),
                                     .version = json_str(i, "version"),
                                     .code = json_str(i, "code"),
                                     .display = json_str(i, "display"),
                                     .abstract = json_is_true(json_get(i, "abstract")),
                                     .inactive = json_is_true(json_get(i, "inactive"))};
        if (code.code.len)
            err = codes_add(run, out, &code);
        if (!err)
            err = add_expansion(run, i, out);
    }
    return err;
}

static enum err add_compose(struct run *run, const struct json *compose, const struct level *level,
                            struct codes *out)
{
    const struct json *includes = json_get(compose, "include");
    const struct json *excludes = json_get(compose, "exclude");
    struct codes less = {0};
    enum err err = ERR_OK;
    for (const struct json *i = excludes ? excludes->first : NULL; i && !err; i = i->next) {
        struct codes part = {0};
        err = add_include(run, i, level, &part);
        for (size_t n = 0; n < part.count && !err; n++)
            err = codes_add(run, &less, &part.list[n]);
    }
    for (const struct json *i = includes ? includes->first : NULL; i && !err; i = i->next) {
        struct codes part = {0};
        err = add_include(run, i, level, &part);
        for (size_t n = 0; n < part.count && !err; n++) {
            if (!codes_have(&less, part.list[n].system, part.list[n].code))
                err = codes_add(run, out, &part.list[n]);
        }
    }
    return err;
}

static enum err add_set(struct run *run, const struct json *set, const struct level *up,
                        struct codes *out)
{
    const struct json *compose = json_get(set, "compose"), *expansion = json_get(set, "expansion");
    struct level level = {up, json_str(set, "url"), up ? up->depth + 1 : 0};
    struct codes made = {0};
    struct err_list *errors = run->errors;
    enum err err;
    if (!compose)
        return expansion ? add_expansion(run, expansion, out)
                         : say(run, ERR_NOT_SUPPORTED, level.url, "the value set defines no codes",
                               "値セットにコードの定義がありません");
    if (expansion)
        run->errors = NULL; /* there is another way */
    err = add_compose(run, compose, &level, &made);
    run->errors = errors;
    if (expansion && (err == ERR_NOT_FOUND || err == ERR_NOT_SUPPORTED)) {
        made = (struct codes){0};
        err = add_expansion(run, expansion, &made);
    }
    for (size_t i = 0; i < made.count && !err; i++)
        err = codes_add(run, out, &made.list[i]);
    return err;
}

enum err valueset_expand(struct arena *arena, const struct json *set,
                         const struct canonical_source *source, struct err_list *errors,
                         struct valueset_code **ret_codes, size_t *ret_count)
{
    struct run run = {.arena = arena, .source = source, .errors = errors};
    struct codes out = {0};
    enum err err = add_set(&run, set, NULL, &out);
    if (!err && arena_exhausted(arena))
        err = ERR_LIMIT;
    if (err)
        return err;
    *ret_codes = out.list;
    *ret_count = out.count;
    return ERR_OK;
}

/* ── membership ──────────────────────────────────────────────────────────────────────────────── */

struct asked {
    struct slice system, code; /* system may be empty: any */
    struct valueset_code found;
};

static enum valueset_answer in_set(struct run *run, const struct json *set, const struct level *up,
                                   struct asked *asked);

static bool asks_for(const struct asked *asked, struct slice system)
{
    return asked->system.len == 0 || slice_eq(asked->system, system);
}

static enum valueset_answer in_listed(struct run *run, const struct json *include,
                                      struct asked *asked)
{
    struct concepts *c = NULL;
    for (const struct json *i = json_get(include, "concept")->first; i; i = i->next) {
        if (!slice_eq(json_str(i, "code"), asked->code))
            continue;
        asked->found = (struct valueset_code){.system = json_str(include, "system"),
                                              .version = json_str(include, "version"),
                                              .code = asked->code,
                                              .display = json_str(i, "display")};
        if (!asked->found.display.len && find_system(run, versioned(run, include), &c) == ERR_OK) {
            size_t at = concepts_find(c, asked->code);
            if (at != CONCEPTS_NONE)
                asked->found = code_of(include, &c->list[at]);
        }
        return VALUESET_IN;
    }
    return VALUESET_OUT;
}

static enum valueset_answer in_system(struct run *run, const struct json *include,
                                      struct asked *asked)
{
    struct concepts *c = NULL;
    bool wanted = false;
    if (find_system(run, versioned(run, include), &c))
        return VALUESET_UNKNOWN;
    size_t at = concepts_find(c, asked->code);
    if (at == CONCEPTS_NONE)
        return VALUESET_OUT;
    if (passes(run, c, at, include, &wanted))
        return VALUESET_UNKNOWN;
    if (wanted)
        asked->found = code_of(include, &c->list[at]);
    return wanted ? VALUESET_IN : VALUESET_OUT;
}

/* In all parts: in. Out of one: out, whatever the others may be. */
static enum valueset_answer both(enum valueset_answer a, enum valueset_answer b)
{
    if (a == VALUESET_OUT || b == VALUESET_OUT)
        return VALUESET_OUT;
    return a == VALUESET_IN && b == VALUESET_IN ? VALUESET_IN : VALUESET_UNKNOWN;
}

/* The answer of the value set CANONICAL, worked out once. */
static enum valueset_answer answer_of(struct run *run, struct slice canonical,
                                      const struct level *up, struct asked *asked)
{
    struct json *set = NULL;
    struct done *d = find_done(run, canonical);
    if (!d) {
        enum valueset_answer answer = VALUESET_UNKNOWN;
        if (find_set(run, canonical, up, &set) == ERR_OK)
            answer = in_set(run, set, up, asked);
        d = keep_done(run, canonical);
        if (!d)
            return VALUESET_UNKNOWN;
        d->answer = answer;
        d->found = asked->found;
    }
    if (d->answer == VALUESET_IN)
        asked->found = d->found;
    return d->answer;
}

static enum valueset_answer in_include(struct run *run, const struct json *include,
                                       const struct level *up, struct asked *asked)
{
    const struct json *sets = json_get(include, "valueSet");
    enum valueset_answer answer = VALUESET_IN;
    if (json_str(include, "system").len) {
        if (!asks_for(asked, json_str(include, "system")))
            return VALUESET_OUT;
        answer = json_get(include, "concept") ? in_listed(run, include, asked)
                                              : in_system(run, include, asked);
    }
    for (const struct json *i = sets ? sets->first : NULL; i && answer != VALUESET_OUT;
         i = i->next) {
        answer = both(answer, answer_of(run, i->text, up, asked));
    }
    return answer;
}

static bool in_expansion(const struct json *holder, struct asked *asked)
{
    const struct json *list = json_get(holder, "contains");
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_eq(json_str(i, "code"), asked->code) && asks_for(asked, json_str(i, "system"))) {
            asked->found = (struct valueset_code){.system = json_str(i, "system"),
                                                  .version = json_str(i, "version"),
                                                  .code = asked->code,
                                                  .display = json_str(i, "display")};
            return true;
        }
        if (in_expansion(i, asked))
            return true;
    }
    return false;
}

static enum valueset_answer in_compose(struct run *run, const struct json *compose,
                                       const struct level *level, struct asked *asked)
{
    const struct json *includes = json_get(compose, "include");
    const struct json *excludes = json_get(compose, "exclude");
    enum valueset_answer answer = VALUESET_OUT;
    struct valueset_code found;
    for (const struct json *i = includes ? includes->first : NULL; i && answer != VALUESET_IN;
         i = i->next) {
        enum valueset_answer one = in_include(run, i, level, asked);
        if (one != VALUESET_OUT)
            answer = one;
    }
    found = asked->found;
    for (const struct json *i = excludes ? excludes->first : NULL; i && answer != VALUESET_OUT;
         i = i->next) {
        enum valueset_answer one = in_include(run, i, level, asked);
        if (one != VALUESET_OUT)
            answer = one == VALUESET_IN ? VALUESET_OUT : VALUESET_UNKNOWN;
    }
    asked->found = found;
    return answer;
}

static enum valueset_answer in_set(struct run *run, const struct json *set, const struct level *up,
                                   struct asked *asked)
{
    const struct json *compose = json_get(set, "compose"), *expansion = json_get(set, "expansion");
    struct level level = {up, json_str(set, "url"), up ? up->depth + 1 : 0};
    enum valueset_answer answer = VALUESET_UNKNOWN;
    if (compose)
        answer = in_compose(run, compose, &level, asked);
    if (answer == VALUESET_UNKNOWN && expansion)
        answer = in_expansion(expansion, asked) ? VALUESET_IN : VALUESET_OUT;
    return answer;
}

enum err valueset_member(struct arena *arena, const struct json *set,
                         const struct canonical_source *source, struct slice system,
                         struct slice code, enum valueset_answer *ret_answer,
                         struct valueset_code *ret_code)
{
    struct run run = {.arena = arena, .source = source};
    struct asked asked = {.system = system, .code = code};
    enum valueset_answer answer = in_set(&run, set, NULL, &asked);
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    *ret_answer = answer;
    if (answer == VALUESET_IN)
        *ret_code = asked.found;
    return ERR_OK;
}

enum err valueset_concept(struct arena *arena, const struct json *system, struct slice code,
                          const struct json **ret_concept)
{
    struct concepts c;
    enum err err = concepts_read(arena, system, &c);
    if (err)
        return err;
    size_t at = concepts_find(&c, code);
    *ret_concept = at == CONCEPTS_NONE ? NULL : c.list[at].json;
    return ERR_OK;
}
