/* SPDX-License-Identifier: Apache-2.0
 *
 * JP Core's examples against the JP Core profiles they name, with all of JP Core's definitions at
 * hand. None breaks its profile; the counts of what else is said are printed (all of it with
 * TASUKI_VERBOSE set). Skipped, by name, where the corpus is absent.
 */
#include "lib/fhir_t.h"

#include <dirent.h>

#include "base/limits.h"
#include "mappers/fhir/profile.h"

#include "base/banned.h"

#define DEFINITIONS_MAX 512

struct store {
    struct json *list[DEFINITIONS_MAX];
    size_t count;
};

static struct json *read_json(struct arena *arena, const char *folder, const char *name)
{
    char path[4096];
    struct json *root = NULL;
    char *bytes = arena_alloc(arena, 2u << 20);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, 2u << 20, file);
    fclose(file);
    assert_int_equal(json_parse(arena, slice_of(bytes, n), &root, NULL), ERR_OK);
    return root;
}

static bool is_json(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static enum err resolve(void *context, const char *type, struct slice canonical,
                        struct json **ret_definition)
{
    struct store *store = context;
    for (size_t i = 0; i < store->count; i++) {
        if (slice_is(json_str(store->list[i], "resourceType"), type) &&
            slice_eq(json_str(store->list[i], "url"), canonical_url(canonical))) {
            *ret_definition = store->list[i];
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static void load(struct arena *arena, const char *folder, struct store *store)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (is_json(e->d_name) && store->count < DEFINITIONS_MAX)
            store->list[store->count++] = read_json(arena, folder, e->d_name);
    }
    closedir(dir);
}

struct tally {
    unsigned resources, profiles, clean, errors, warnings, unchecked, support, not_stored;
};

static void check_one(struct store *store, const char *name, const struct json *resource,
                      struct tally *t)
{
    const struct json *profiles = json_path(resource, "meta", "profile", NULL);
    const struct canonical_source source = {resolve, store};
    t->resources++;
    for (const struct json *p = profiles ? profiles->first : NULL; p; p = p->next) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct err_list errors;
        struct json *profile = NULL;
        err_list_init(&errors, a);
        if (resolve(store, "StructureDefinition", p->text, &profile)) {
            t->not_stored++;
            arena_free(a);
            continue;
        }
        t->profiles++;
        enum err err = profile_check(resource, profile, &source, &errors);
        assert_true(err == ERR_OK || errors.errors > 0);
        t->clean += errors.errors == 0;
        t->errors += errors.errors;
        t->warnings += errors.warnings;
        for (const struct err_item *i = errors.first; i; i = i->next) {
            t->unchecked += i->severity == ERR_SEVERITY_INFORMATION && i->code != ERR_OK;
            t->support += i->severity == ERR_SEVERITY_INFORMATION && i->code == ERR_OK;
            if (getenv("TASUKI_VERBOSE") ? i->code != ERR_OK : i->severity == ERR_SEVERITY_ERROR)
                printf("  %d %s: %s: %s\n", i->severity, name, i->place, i->en);
        }
        arena_free(a);
    }
}

static void jp_core(void **state)
{
    char definitions[2048], examples[2048];
    struct arena *arena = arena_new((size_t)8 << 30);
    struct store *store = ARENA_NEW(arena, struct store);
    struct tally t = {0};
    (void)state;
    if (!t_corpus("japan/jp-core-definitions", definitions, sizeof(definitions)) ||
        !t_corpus("japan/jp-core-examples", examples, sizeof(examples))) {
        arena_free(arena);
        skip();
    }
    load(arena, definitions, store);
    DIR *dir = opendir(examples);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (is_json(e->d_name))
            check_one(store, e->d_name, read_json(arena, examples, e->d_name), &t);
    }
    closedir(dir);
    printf("japan/jp-core-examples: %u resources, %u profiles checked (%u not stored), %u without "
           "errors; %u errors, %u warnings, %u not checked, %u must-support absent\n",
           t.resources, t.profiles, t.not_stored, t.clean, t.errors, t.warnings, t.unchecked,
           t.support);
    assert_int_equal(t.errors, 0);
    assert_true(t.profiles > 40);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(jp_core)};
    return T_RUN(tests);
}
