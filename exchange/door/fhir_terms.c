/* SPDX-License-Identifier: Apache-2.0
 *
 * ValueSet/$expand, ValueSet/$validate-code, CodeSystem/$validate-code and CodeSystem/$lookup (R4
 * terminology-service.html) over definitions stored here. This file reads the parameters, from the
 * URL or a Parameters body, and prints; the work is mappers/fhir/valueset.h's. What cannot be
 * worked out is an error, never an empty answer.
 */
#include "exchange/door/fhir_terms.h"

#include "base/ids.h"
#include "exchange/door/fhir.h"
#include "exchange/door/fhir_canonical.h"
#include "exchange/gate/own_id.h"
#include "mappers/fhir/fold.h"
#include "mappers/fhir/valueset.h"

#include "base/banned.h"

#define EVERYBODY ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))
#define TERMS_MAX LIMIT_SEARCH_PARAMS

/* One parameter: a text, or a value or resource from a body. */
struct term {
    struct slice name, text;
    struct json *json;
};

struct terms {
    struct session *session;
    struct request *request;
    struct fhir_canonical_context context;
    struct canonical_source source;
    struct term list[TERMS_MAX];
    unsigned count;
};

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static bool is_listed(const char *words, struct slice word)
{
    struct slice rest = slice_str(words);
    while (rest.ptr)
        if (slice_eq(slice_cut(&rest, ' '), word))
            return true;
    return false;
}

static enum err add_term(struct terms *t, const char *allowed, struct term term)
{
    struct request *r = t->request;
    const struct fhir_input *in = r->input;
    if (!is_listed(allowed, term.name))
        return in->lenient
                   ? ERR_OK
                   : err_add(&r->errors, ERR_UNKNOWN_PARAM,
                             arena_printf(r->arena, "%.*s", SLICE_ARG(term.name)), "%s", allowed);
    if (t->count == TERMS_MAX)
        return err_add(&r->errors, ERR_TOO_LARGE, "", "more than %u parameters", TERMS_MAX);
    t->list[t->count++] = term;
    return ERR_OK;
}

static struct term term_of(struct json *parameter)
{
    struct term term = {.name = json_str(parameter, "name"),
                        .json = json_get(parameter, "resource")};
    for (struct json *m = parameter->first; m; m = m->next) {
        if (!slice_starts(m->key, SLICE("value")))
            continue;
        term.json = m;
        term.text = m->kind == JSON_TRUE    ? SLICE("true")
                    : m->kind == JSON_FALSE ? SLICE("false")
                                            : m->text;
    }
    return term;
}

static enum err read_body(struct terms *t, const char *allowed)
{
    struct request *r = t->request;
    struct fhir_input *in = r->input;
    struct slice type = in->type;
    enum err err = ERR_OK;
    if (!r->body.len)
        return ERR_OK;
    in->type = SLICE("Parameters");
    err = fhir_parse_body(r);
    in->type = type;
    struct json *list = err ? NULL : json_get(in->resource, "parameter");
    for (struct json *p = list ? list->first : NULL; p && !err; p = p->next)
        err = add_term(t, allowed, term_of(p));
    return err;
}

/* Fills T from the request; ALLOWED lists the names. */
static enum err read_terms(struct session *s, struct request *r, const char *allowed,
                           struct terms *t)
{
    struct fhir_input *in = r->input;
    t->session = s;
    t->request = r;
    t->context = (struct fhir_canonical_context){s, r};
    t->source = fhir_canonical_source(&t->context);
    r->entity = in->id.len ? fhir_entity(r, in->type, in->id) : arena_str(r->arena, in->type);
    enum err err = fhir_params(r);
    for (unsigned i = 0; i < in->param_count && !err; i++) {
        const struct fhir_param *p = &in->params[i];
        if (!fhir_param_is_format(p))
            err = add_term(t, allowed, (struct term){.name = p->name, .text = p->value});
    }
    return err ? err : read_body(t, allowed);
}

static const struct term *find(const struct terms *t, const char *name)
{
    for (unsigned i = 0; i < t->count; i++)
        if (slice_is(t->list[i].name, name))
            return &t->list[i];
    return NULL;
}

static struct slice text_of(const struct terms *t, const char *name)
{
    const struct term *term = find(t, name);
    return term ? term->text : SLICE_NONE;
}

/* "url|version" of the parameters called so. */
static struct slice canonical_of(struct terms *t, const char *url_name, const char *version_name)
{
    struct slice url = text_of(t, url_name), version = text_of(t, version_name);
    if (!url.len || !version.len || canonical_version(url).len)
        return url;
    return slice_str(
        arena_printf(t->request->arena, "%.*s|%.*s", SLICE_ARG(url), SLICE_ARG(version)));
}

static enum err number_of(const struct terms *t, const char *name, uint64_t *ret_number)
{
    struct slice text = text_of(t, name);
    if (text.len && !slice_u64(text, ret_number))
        return err_add(&t->request->errors, ERR_BAD_PARAM, name, NULL);
    return ERR_OK;
}

/* ── definitions ─────────────────────────────────────────────────────────────────────────────── */

static enum err stored(struct session *s, struct request *r, struct slice type, struct slice id,
                       struct json **ret_json)
{
    struct json_fault fault;
    struct record record;
    enum err err = own_id_read(s, r, type, id, &record);
    return err ? err : json_parse(r->arena, record.body, ret_json, &fault);
}

static enum err find_definition(struct terms *t, const char *type, struct slice canonical,
                                const char *place, struct json **ret_json)
{
    struct request *r = t->request;
    if (!canonical.len)
        return err_add(&r->errors, ERR_REQUIRED, place, NULL);
    enum err err = fhir_canonical(t->session, r, slice_str(type), canonical, ret_json);
    return err == ERR_NOT_FOUND ? err_add(&r->errors, err, place, "%.*s", SLICE_ARG(canonical))
                                : err;
}

/* The value set the request is about: of the path, of the body, or by url. */
static enum err find_set(struct terms *t, struct json **ret_set)
{
    struct request *r = t->request;
    const struct fhir_input *in = r->input;
    const struct term *given = find(t, "valueSet");
    if (in->id.len)
        return stored(t->session, r, SLICE("ValueSet"), in->id, ret_set);
    if (given && given->json && slice_is(json_str(given->json, "resourceType"), "ValueSet")) {
        *ret_set = given->json;
        return ERR_OK;
    }
    return find_definition(t, "ValueSet", canonical_of(t, "url", "valueSetVersion"), "url",
                           ret_set);
}

/* ── $expand ─────────────────────────────────────────────────────────────────────────────────── */

#define EXPAND_PARAMS                                                                              \
    "url valueSet valueSetVersion filter offset count activeOnly excludeNested includeDefinition " \
    "includeDesignations displayLanguage"

struct page {
    uint64_t offset, count, total;
    bool counted, active_only;
    struct slice filter; /* folded */
};

static bool is_wanted(struct request *r, const struct page *page, const struct valueset_code *code)
{
    if (page->active_only && code->inactive)
        return false;
    if (!page->filter.len)
        return true;
    struct slice display = fold_text(r->arena, code->display);
    struct slice text = fold_text(r->arena, code->code);
    return slice_search(display, page->filter, 0) < display.len ||
           slice_search(text, page->filter, 0) < text.len;
}

static void put_code(struct arena *a, struct json *list, const struct valueset_code *code)
{
    struct json *item = json_push_object(a, list);
    json_put_str(a, item, "system", code->system);
    if (code->abstract)
        json_put_bool(a, item, "abstract", true);
    if (code->inactive)
        json_put_bool(a, item, "inactive", true);
    json_put_str(a, item, "version", code->version);
    json_put_str(a, item, "code", code->code);
    json_put_str(a, item, "display", code->display);
}

static void put_used(struct arena *a, struct json *expansion, const char *name, const char *member,
                     struct json *value)
{
    struct json *list = json_get(expansion, "parameter");
    if (!list)
        list = json_put_array(a, expansion, "parameter");
    struct json *p = json_push_object(a, list);
    json_put_text(a, p, "name", name);
    json_set(p, member, value);
}

/* The set's own words about itself, but not how it is composed. */
static struct json *copy_head(struct arena *a, const struct json *set, bool whole)
{
    static const char *const head[] = {"url",       "identifier",  "version",      "name",
                                       "title",     "status",      "experimental", "date",
                                       "publisher", "description", "immutable"};
    struct json *copy = json_new(a, JSON_OBJECT);
    json_put_text(a, copy, "resourceType", "ValueSet");
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        if (json_get(set, head[i]))
            json_set(copy, head[i], json_clone(a, json_get(set, head[i])));
    if (!json_get(set, "status"))
        json_put_text(a, copy, "status", "unknown");
    if (whole && json_get(set, "compose"))
        json_set(copy, "compose", json_clone(a, json_get(set, "compose")));
    return copy;
}

static enum err answer_expansion(struct terms *t, const struct json *set, struct page *page,
                                 const struct valueset_code *codes, size_t count)
{
    struct request *r = t->request;
    struct arena *a = r->arena;
    char id[IDS_UUID_LEN + 1];
    struct buf when;
    struct json *answer = copy_head(a, set, slice_is(text_of(t, "includeDefinition"), "true"));
    struct json *expansion = json_put_object(a, answer, "expansion");
    struct json *list = json_new(a, JSON_ARRAY);
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(r, page, &codes[i]))
            continue;
        if (page->total >= page->offset && (!page->counted || list->count < page->count))
            put_code(a, list, &codes[i]);
        page->total++;
        if (!list)
            return ERR_LIMIT;
    }
    ids_uuid(id);
    json_put_text(a, expansion, "identifier", arena_printf(a, "urn:uuid:%s", id));
    buf_init(&when, 64);
    when_print_instant(&when, r->grant.now_ms);
    json_put_str(a, expansion, "timestamp", arena_dup(a, buf_slice(&when)));
    buf_fini(&when);
    json_put_int(a, expansion, "total", (int64_t)page->total);
    if (page->counted || page->offset)
        json_put_int(a, expansion, "offset", (int64_t)page->offset);
    if (page->filter.len)
        put_used(a, expansion, "filter", "valueString", json_string(a, text_of(t, "filter")));
    if (page->active_only)
        put_used(a, expansion, "activeOnly", "valueBoolean", json_new(a, JSON_TRUE));
    if (list && list->count)
        json_set(expansion, "contains", list);
    return fhir_answer_json(r, answer);
}

static enum err read_page(struct terms *t, struct page *page)
{
    struct request *r = t->request;
    enum err err = number_of(t, "offset", &page->offset);
    if (!err)
        err = number_of(t, "count", &page->count);
    if (!err && slice_is(text_of(t, "includeDesignations"), "true"))
        err = err_add(&r->errors, ERR_NOT_SUPPORTED, "includeDesignations", NULL);
    page->counted = text_of(t, "count").len > 0;
    page->active_only = slice_is(text_of(t, "activeOnly"), "true");
    page->filter = fold_text(r->arena, text_of(t, "filter"));
    return err;
}

static enum err expand_look(struct session *s, struct request *r)
{
    struct terms *t = ARENA_NEW(r->arena, struct terms);
    struct valueset_code *codes = NULL;
    struct page page = {0};
    struct json *set = NULL;
    size_t count = 0;
    enum err err = t ? read_terms(s, r, EXPAND_PARAMS, t) : ERR_LIMIT;
    if (!err)
        err = read_page(t, &page);
    if (!err)
        err = find_set(t, &set);
    if (!err)
        err = valueset_expand(r->arena, set, &t->source, &r->errors, &codes, &count);
    return err ? err : answer_expansion(t, set, &page, codes, count);
}

const struct use fhir_use_expand = {
    .event = "terminology", .actors = EVERYBODY, .look = expand_look};

static enum err expand_codes(struct session *s, struct request *r, const struct json *set,
                             struct fhir_terms_code **ret_codes, size_t *ret_count)
{
    struct fhir_canonical_context context = {s, r};
    struct canonical_source source = fhir_canonical_source(&context);
    struct valueset_code *codes = NULL;
    size_t count = 0;
    enum err err = valueset_expand(r->arena, set, &source, &r->errors, &codes, &count);
    struct fhir_terms_code *made = err ? NULL : arena_array(r->arena, count + 1, sizeof(*made));
    if (!made)
        return err ? err : ERR_LIMIT;
    for (size_t i = 0; i < count; i++)
        made[i] = (struct fhir_terms_code){codes[i].system, codes[i].code};
    *ret_codes = made;
    *ret_count = count;
    return ERR_OK;
}

enum err fhir_terms_subsumed(struct session *s, struct request *r, struct slice system,
                             struct slice code, bool above, struct fhir_terms_code **ret_codes,
                             size_t *ret_count)
{
    struct arena *a = r->arena;
    struct json *set = json_new(a, JSON_OBJECT);
    struct json *compose = json_put_object(a, set, "compose");
    struct json *include = json_push_object(a, json_put_array(a, compose, "include"));
    struct json *filter = json_push_object(a, json_put_array(a, include, "filter"));
    json_put_str(a, include, "system", system);
    json_put_text(a, filter, "property", "concept");
    json_put_text(a, filter, "op", above ? "generalizes" : "is-a");
    json_put_str(a, filter, "value", code);
    if (arena_exhausted(a))
        return ERR_LIMIT;
    return expand_codes(s, r, set, ret_codes, ret_count);
}

enum err fhir_terms_expand(struct session *s, struct request *r, struct slice set,
                           struct fhir_terms_code **ret_codes, size_t *ret_count)
{
    struct slice base = slice_str(r->base_url), id = set;
    struct json *json = NULL;
    enum err err;
    if (base.len && slice_starts(set, base) && set.len > base.len + 1)
        id = slice_sub(set, base.len + 1, set.len);
    if (slice_starts(id, SLICE("ValueSet/")))
        err = stored(s, r, SLICE("ValueSet"), slice_sub(id, 9, id.len), &json);
    else
        err = fhir_canonical(s, r, SLICE("ValueSet"), set, &json);
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return err_add(&r->errors, ERR_NOT_FOUND, "ValueSet", "%.*s", SLICE_ARG(set));
    return err ? err : expand_codes(s, r, json, ret_codes, ret_count);
}

/* ── $validate-code ──────────────────────────────────────────────────────────────────────────── */

#define SET_CODE_PARAMS                                                                            \
    "url valueSet valueSetVersion code system systemVersion display coding codeableConcept "       \
    "abstract displayLanguage"
#define SYSTEM_CODE_PARAMS                                                                         \
    "url codeSystem version code system display coding codeableConcept abstract displayLanguage"

/* What is asked: one code, or each Coding of a CodeableConcept until one is in. */
struct asked {
    struct slice system, code, display;
    const struct json *next;
};

static enum err first_asked(struct terms *t, struct asked *ret_asked)
{
    const struct term *coding = find(t, "coding"), *concept = find(t, "codeableConcept");
    const struct json *from = coding ? coding->json : NULL;
    struct asked asked = {text_of(t, "system"), text_of(t, "code"), text_of(t, "display"), NULL};
    if (concept && concept->json)
        from = json_path(concept->json, "coding", "0", NULL);
    if (from)
        asked = (struct asked){json_str(from, "system"), json_str(from, "code"),
                               json_str(from, "display"), concept ? from->next : NULL};
    *ret_asked = asked;
    return asked.code.len ? ERR_OK
                          : err_add(&t->request->errors, ERR_REQUIRED, "code",
                                    "code, coding, codeableConcept");
}

static void put_parameter(struct arena *a, struct json *list, const char *name, const char *member,
                          struct json *value)
{
    struct json *p = json_push_object(a, list);
    json_put_text(a, p, "name", name);
    json_set(p, member, value);
}

static enum err answer_code(struct request *r, bool result, struct slice display,
                            const char *message)
{
    struct arena *a = r->arena;
    struct json *answer = json_new(a, JSON_OBJECT);
    json_put_text(a, answer, "resourceType", "Parameters");
    struct json *list = json_put_array(a, answer, "parameter");
    put_parameter(a, list, "result", "valueBoolean", json_new(a, result ? JSON_TRUE : JSON_FALSE));
    if (message)
        put_parameter(a, list, "message", "valueString", json_string(a, slice_str(message)));
    if (display.len)
        put_parameter(a, list, "display", "valueString", json_string(a, display));
    return fhir_answer_json(r, answer);
}

/* In, but is it called as the caller says? */
static enum err answer_display(struct request *r, struct slice display, const struct asked *asked)
{
    if (asked->display.len && display.len &&
        !slice_eq(fold_text(r->arena, display), fold_text(r->arena, asked->display)))
        return answer_code(r, false, display,
                           "表示名が違います / the display is not that of the code");
    return answer_code(r, true, display, NULL);
}

/* Why it could not be worked out, as an expansion would say. */
static enum err explain_unknown(struct terms *t, const struct json *set)
{
    struct request *r = t->request;
    struct valueset_code *codes;
    size_t count;
    enum err err = valueset_expand(r->arena, set, &t->source, &r->errors, &codes, &count);
    return err ? err : err_add(&r->errors, ERR_NOT_SUPPORTED, "ValueSet", NULL);
}

static enum err set_code_look(struct session *s, struct request *r)
{
    struct terms *t = ARENA_NEW(r->arena, struct terms);
    enum valueset_answer answer = VALUESET_OUT;
    struct valueset_code found = {0};
    struct asked asked = {0};
    struct json *set = NULL;
    bool unknown = false;
    enum err err = t ? read_terms(s, r, SET_CODE_PARAMS, t) : ERR_LIMIT;
    if (!err)
        err = first_asked(t, &asked);
    if (!err)
        err = find_set(t, &set);
    while (!err) {
        err = valueset_member(r->arena, set, &t->source, asked.system, asked.code, &answer, &found);
        unknown |= answer == VALUESET_UNKNOWN;
        if (err || answer == VALUESET_IN || !asked.next)
            break;
        asked = (struct asked){json_str(asked.next, "system"), json_str(asked.next, "code"),
                               json_str(asked.next, "display"), asked.next->next};
    }
    if (err)
        return err;
    if (answer == VALUESET_IN)
        return answer_display(r, found.display, &asked);
    if (unknown)
        return explain_unknown(t, set);
    return answer_code(r, false, SLICE_NONE,
                       "値セットにないコードです / the code is not in the value set");
}

const struct use fhir_use_set_validate_code = {
    .event = "terminology", .actors = EVERYBODY, .look = set_code_look};

/* ── one code system ─────────────────────────────────────────────────────────────────────────── */

static enum err find_system(struct terms *t, const struct asked *asked, struct json **ret_system)
{
    const struct term *given = find(t, "codeSystem");
    struct slice canonical = canonical_of(t, "url", "version");
    if (given && given->json && slice_is(json_str(given->json, "resourceType"), "CodeSystem")) {
        *ret_system = given->json;
        return ERR_OK;
    }
    if (!canonical.len && asked->system.len) {
        struct slice version = text_of(t, "version");
        canonical = version.len
                        ? slice_str(arena_printf(t->request->arena, "%.*s|%.*s",
                                                 SLICE_ARG(asked->system), SLICE_ARG(version)))
                        : asked->system;
    }
    return find_definition(t, "CodeSystem", canonical, "system", ret_system);
}

static enum err system_code_look(struct session *s, struct request *r)
{
    struct terms *t = ARENA_NEW(r->arena, struct terms);
    const struct json *concept = NULL;
    struct asked asked = {0};
    struct json *system = NULL;
    enum err err = t ? read_terms(s, r, SYSTEM_CODE_PARAMS, t) : ERR_LIMIT;
    if (!err)
        err = first_asked(t, &asked);
    if (!err)
        err = find_system(t, &asked, &system);
    if (!err)
        err = valueset_concept(r->arena, system, asked.code, &concept);
    if (err)
        return err;
    if (concept)
        return answer_display(r, json_str(concept, "display"), &asked);
    if (!slice_is(json_str(system, "content"), "complete"))
        return err_add_words(&r->errors, ERR_NOT_SUPPORTED, "system",
                             "the code system as stored is not complete",
                             "保存されたコードシステムは全体ではありません");
    return answer_code(r, false, SLICE_NONE,
                       "コードシステムにないコードです / the code is not in the code system");
}

const struct use fhir_use_system_validate_code = {
    .event = "terminology", .actors = EVERYBODY, .look = system_code_look};

/* ── $lookup ─────────────────────────────────────────────────────────────────────────────────── */

#define LOOKUP_PARAMS "code system version coding date displayLanguage property"

/* The parts of one property or designation: each member but extensions becomes a part. */
static void put_parts(struct arena *a, struct json *list, const char *name, const struct json *from)
{
    static const struct {
        const char *key, *part, *member;
    } parts[] = {{"code", "code", "valueCode"},
                 {"language", "language", "valueCode"},
                 {"use", "use", "valueCoding"},
                 {"value", "value", "valueString"},
                 {"valueCode", "value", "valueCode"},
                 {"valueCoding", "value", "valueCoding"},
                 {"valueString", "value", "valueString"},
                 {"valueInteger", "value", "valueInteger"},
                 {"valueBoolean", "value", "valueBoolean"},
                 {"valueDateTime", "value", "valueDateTime"},
                 {"valueDecimal", "value", "valueDecimal"}};
    struct json *p = json_push_object(a, list);
    json_put_text(a, p, "name", name);
    struct json *out = json_put_array(a, p, "part");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const struct json *value = json_get(from, parts[i].key);
        if (value)
            put_parameter(a, out, parts[i].part, parts[i].member, json_clone(a, value));
    }
}

static bool property_wanted(const struct terms *t, struct slice code)
{
    bool any = false;
    for (unsigned i = 0; i < t->count; i++) {
        if (!slice_is(t->list[i].name, "property"))
            continue;
        any = true;
        if (slice_eq(t->list[i].text, code) || slice_is(t->list[i].text, "*"))
            return true;
    }
    return !any;
}

static enum err answer_lookup(struct terms *t, const struct json *system,
                              const struct json *concept)
{
    struct arena *a = t->request->arena;
    struct json *answer = json_new(a, JSON_OBJECT);
    json_put_text(a, answer, "resourceType", "Parameters");
    struct json *list = json_put_array(a, answer, "parameter");
    struct slice name = json_str(system, "name"), version = json_str(system, "version");
    struct slice display = json_str(concept, "display");
    put_parameter(a, list, "name", "valueString",
                  json_string(a, name.len ? name : json_str(system, "url")));
    if (version.len)
        put_parameter(a, list, "version", "valueString", json_string(a, version));
    put_parameter(a, list, "display", "valueString",
                  json_string(a, display.len ? display : json_str(concept, "code")));
    if (json_str(concept, "definition").len && property_wanted(t, SLICE("definition")))
        put_parameter(a, list, "definition", "valueString",
                      json_string(a, json_str(concept, "definition")));
    const struct json *designations = json_get(concept, "designation");
    for (const struct json *i = designations ? designations->first : NULL; i; i = i->next)
        put_parts(a, list, "designation", i);
    const struct json *properties = json_get(concept, "property");
    for (const struct json *i = properties ? properties->first : NULL; i; i = i->next)
        if (property_wanted(t, json_str(i, "code")))
            put_parts(a, list, "property", i);
    return fhir_answer_json(t->request, answer);
}

static enum err lookup_look(struct session *s, struct request *r)
{
    struct terms *t = ARENA_NEW(r->arena, struct terms);
    const struct json *concept = NULL;
    struct asked asked = {0};
    struct json *system = NULL;
    enum err err = t ? read_terms(s, r, LOOKUP_PARAMS, t) : ERR_LIMIT;
    if (!err)
        err = first_asked(t, &asked);
    if (!err)
        err = find_system(t, &asked, &system);
    if (!err)
        err = valueset_concept(r->arena, system, asked.code, &concept);
    if (!err && !concept)
        err = err_add(&r->errors, ERR_NOT_FOUND, "code", "%.*s", SLICE_ARG(asked.code));
    return err ? err : answer_lookup(t, system, concept);
}

const struct use fhir_use_lookup = {
    .event = "terminology", .actors = EVERYBODY, .look = lookup_look};
