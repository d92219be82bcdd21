/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps one HL7 v2 message for a test and tells the whole result as one JSON tree: message, patient,
 * scopes, resources, what was kept, what was said. Ids come from a fixed function of type, patient
 * number and key, so that expectations can be written down.
 */
#ifndef TESTS_UNIT_MAPPERS_HL7_MAP_RUN_H
#define TESTS_UNIT_MAPPERS_HL7_MAP_RUN_H

#include "lib/t.h"

#include "base/json.h"
#include "base/limits.h"
#include "mappers/fhir/validate.h"
#include "mappers/hl7v2/map.h"

#define RUN_ARENA (64u * LIMIT_MIB)

/* "<up to 19 letters of the key>-<16 hex digits of a hash>": readable, and a different one for each
 * key. */
static inline void run_id_of(void *context, const char *type, struct slice local_no,
                             struct slice key, char ret_id[37])
{
    const struct slice parts[] = {slice_str(type), local_no, key};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char name[20];
    size_t len = 0;

    (void)context;
    for (size_t p = 0; p < T_COUNT(parts); p++) {
        for (size_t i = 0; i < parts[p].len; i++)
            hash = (hash ^ (unsigned char)parts[p].ptr[i]) * UINT64_C(0x100000001b3);
        hash = (hash ^ 0xFF) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; i < key.len && len < sizeof(name) - 1; i++) {
        char c = key.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        name[len++] = plain ? c : '.';
    }
    name[len] = '\0';
    snprintf(ret_id, 37, "%s-%016llx", name, (unsigned long long)hash);
}

struct run {
    struct arena *arena;
    struct err_list errors;
    struct mapped *mapped; /* NULL when ERR is not ERR_OK */
    enum err err;
};

static inline void run_message(struct slice raw, struct run *ret_run)
{
    static const struct mapper_env env = {
        .facility_code = {"1319999999", 10},
        .facility_name = {"たすき病院", 15},
        .now_ms = INT64_C(1795334400000),
        .id_of = run_id_of,
    };
    struct hl7_message *message = NULL;

    memset(ret_run, 0, sizeof(*ret_run));
    ret_run->arena = arena_new(RUN_ARENA);
    assert_non_null(ret_run->arena);
    err_list_init(&ret_run->errors, ret_run->arena);
    ret_run->err = hl7_lex(ret_run->arena, raw, &ret_run->errors, &message);
    if (ret_run->err == ERR_OK)
        ret_run->err = hl7_map(message, &env, &ret_run->errors, &ret_run->mapped);
}

static inline void run_end(struct run *run)
{
    arena_free(run->arena);
}

static inline void run_patient(struct arena *a, struct json *tree, const struct mapped_patient *p)
{
    struct json *patient = json_put_object(a, tree, "patient");

    json_put_str(a, patient, "localNo", p->local_no);
    json_put_str(a, patient, "card", p->card);
    json_put_str(a, patient, "insurer", p->insurer);
    json_put_str(a, patient, "symbol", p->symbol);
    json_put_str(a, patient, "number", p->number);
    json_put_str(a, patient, "branch", p->branch);
    json_put_str(a, patient, "name", p->name);
    json_put_str(a, patient, "kana", p->kana);
    json_put_str(a, patient, "birthDate", p->birth_date);
    json_put_str(a, patient, "gender", p->gender);
}

static inline void run_said(struct arena *a, struct json *tree, const struct err_list *errors)
{
    struct json *said = json_put_array(a, tree, "said");

    for (const struct err_item *i = errors->first; i; i = i->next) {
        char *text =
            arena_printf(a, "%s %s %s", i->severity == ERR_SEVERITY_ERROR ? "error" : "warning",
                         err_name(i->code), i->place);
        json_push(said, json_string(a, slice_str(text)));
    }
}

static inline struct json *run_tree(const struct run *run)
{
    struct arena *a = run->arena;
    struct json *tree = json_new(a, JSON_OBJECT), *list, *kept;
    const struct mapped *m = run->mapped;

    json_put_text(a, tree, "result", run->err == ERR_OK ? "ok" : err_name(run->err));
    run_said(a, tree, &run->errors);
    if (!m)
        return tree;
    json_put_str(a, tree, "message", m->message);
    run_patient(a, tree, &m->patient);
    list = json_put_array(a, tree, "scopes");
    for (size_t i = 0; i < m->scope_count; i++)
        json_push(list, json_string(a, m->scopes[i]));
    list = json_put_array(a, tree, "resources");
    for (const struct mapped_resource *r = m->first; r; r = r->next) {
        struct json *item;
        if (strcmp(r->type, "Provenance") == 0) /* what they say is tested on its own */
            continue;
        item = json_push_object(a, list);
        json_put_str(a, item, "scope", r->scope);
        if (r->remove)
            json_put_bool(a, item, "remove", true);
        if (r->create_only)
            json_put_bool(a, item, "createOnly", true);
        json_set(item, "resource", json_clone(a, r->resource));
    }
    json_put_int(a, tree, "fieldsMapped", m->fields_mapped);
    json_put_int(a, tree, "fieldsKept", m->fields_kept);
    kept = json_put_object(a, tree, "kept");
    for (const struct mapped_left *l = m->left; l; l = l->next)
        json_put_int(a, kept, arena_str(a, l->field), l->seen);
    return tree;
}

/* What must hold of every result, whatever the message: resources are valid R4, references are to
 * the patient, to what is contained, or to something mapped with them; the account adds up; scopes
 * of removed things are known. */
static inline unsigned run_references(const struct run *run, const struct json *value)
{
    unsigned bad = 0;

    for (const struct json *c = value->first; c; c = c->next) {
        if (slice_is(c->key, "reference") && c->kind == JSON_STRING) {
            bool known = slice_is(c->text, "Patient/@") || slice_starts(c->text, SLICE("#"));
            for (const struct mapped_resource *r = run->mapped->first; r && !known; r = r->next) {
                struct slice id = json_str(r->resource, "id");
                known = slice_starts(c->text, slice_str(r->type)) && slice_ends(c->text, id) &&
                        c->text.len == strlen(r->type) + 1 + id.len;
            }
            if (!known) {
                print_error("dangling reference %.*s\n", SLICE_ARG(c->text));
                bad++;
            }
        }
        bad += run_references(run, c);
    }
    return bad;
}

/* Every resource that is not taken back is the target of exactly one Provenance. */
static inline unsigned run_provenance(const struct run *run)
{
    unsigned faults = 0;

    for (const struct mapped_resource *r = run->mapped->first; r; r = r->next) {
        struct slice id = json_str(r->resource, "id");
        unsigned found = 0;

        if (strcmp(r->type, "Provenance") == 0)
            continue;
        for (const struct mapped_resource *p = r->next; p; p = p->next) {
            const struct json *list =
                p->like && !p->remove ? json_get(p->resource, "target") : NULL;

            for (const struct json *t = list ? list->first : NULL; t; t = t->next) {
                struct slice to = json_str(t, "reference");
                bool patient = strcmp(r->type, "Patient") == 0 && slice_is(to, "Patient/@");
                found += patient || (slice_starts(to, slice_str(r->type)) && slice_ends(to, id));
            }
        }
        if (found != (r->remove ? 0u : 1u)) {
            print_error("%s has %u Provenances\n", r->type, found);
            faults++;
        }
    }
    return faults;
}

static inline unsigned run_faults(const struct run *run)
{
    unsigned faults = 0, kept = 0;
    size_t count = 0;
    struct err_list found;

    err_list_init(&found, run->arena);
    for (const struct mapped_resource *r = run->mapped->first; r; r = r->next, count++) {
        enum err err = validate_resource(r->resource, slice_str(r->type), &found);
        if (err != ERR_OK)
            faults++;
        faults += run_references(run, r->resource);
        faults += strlen(r->type) == 0 || json_str(r->resource, "id").len == 0;
    }
    for (const struct err_item *i = found.first; i; i = i->next) {
        if (i->severity == ERR_SEVERITY_ERROR)
            print_error("%s %s: %s\n", err_name(i->code), i->place, i->en);
    }
    for (const struct mapped_left *l = run->mapped->left; l; l = l->next)
        kept += l->seen;
    faults += run_provenance(run);
    if (kept != run->mapped->fields_kept || count != run->mapped->count) {
        print_error("the account does not add up: %u of %u kept, %zu of %zu resources\n", kept,
                    run->mapped->fields_kept, count, run->mapped->count);
        faults++;
    }
    return faults;
}

/* The whole file in the arena of nobody: freed by the caller. */
static inline char *run_read(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    long size;
    char *bytes;

    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    bytes = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (bytes) {
        *ret_len = fread(bytes, 1, (size_t)size, file);
        bytes[*ret_len] = '\0';
    }
    fclose(file);
    return bytes;
}

#endif
