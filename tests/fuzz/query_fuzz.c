/* SPDX-License-Identifier: Apache-2.0
 *
 * Search criteria: any bytes as "Type?criteria" compile to a tree of filters within its bounds, or
 * are refused with a reason; and the statement made of the tree runs. The store is real and empty.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "exchange/door/fhir_query.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 4096

static struct exchange world = {.base_url = "https://127.0.0.1:1/fhir",
                                .portal_url = "https://127.0.0.1:2/fhir"};
static const unsigned char key[32];

struct trial {
    struct request *r;
    struct slice type, text;
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void must_be_bounded(const struct search_list *list, size_t *count)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct search_filter *f = &list->items[i];
        must(++*count <= LIMIT_SEARCH_FILTERS);
        must(f->term.value_count <= LIMIT_SEARCH_FORMS && f->person_count <= LIMIT_SEARCH_VALUES);
        for (size_t g = 0; g < f->group_count; g++)
            must_be_bounded(&f->groups[g], count);
    }
}

static enum err look(struct session *s, struct store_job *job)
{
    struct request *r = (struct request *)job;
    const struct trial *t = r->input;
    struct search search;
    struct search_result result = {0};
    size_t count = 0;
    session_bind(s, &r->grant);
    enum err err = fhir_query_parse(s, r, t->type, t->text, &search);
    if (err) {
        must(err != ERR_INTERNAL && (err == ERR_LIMIT || r->errors.first));
        return err;
    }
    must_be_bounded(&search.filters, &count);
    search.count_total = true;
    err = search_run(s, r->arena, &search, &result);
    must(err == ERR_OK || err == ERR_TOO_LARGE || err == ERR_TIMEOUT || err == ERR_LIMIT);
    must(err || (result.count == 0 && result.total == 0));
    return err;
}

static enum err audit(struct session *s, struct store_job *job)
{
    (void)s;
    (void)job;
    return ERR_OK;
}

static char folder[] = "/tmp/tasuki-query-XXXXXX";

static void leave(void)
{
    store_close(world.store);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[400];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(folder);
}

static void open_world(void)
{
    char path[64];
    if (world.store)
        return;
    must(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/store.db", folder);
    const struct store_options options = {.path = path, .key = key, .readers = 1};
    must(store_open(&options, &world.store) == ERR_OK);
    (void)atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size < INPUT_MAX ? size : INPUT_MAX);
    struct trial trial = {.type = slice_sub(input, 0, slice_find(input, '?', 0))};
    trial.text = slice_sub(input, trial.type.len, input.len);
    const struct definition_type *type = definition_type(trial.type);
    if (!type || type->kind != DEFINITION_RESOURCE)
        trial.type = SLICE("Observation");
    open_world();
    struct request *r = request_new(&world, REQUEST_COMMAND);
    must(r != NULL);
    r->input = &trial;
    r->granted = true;
    r->grant =
        (struct grant){.magic = GRANT_MAGIC, .actor = GRANT_FACILITY, .facility = 1, .now_ms = 1};
    r->job.look = look;
    r->job.audit = audit;
    (void)store_run(world.store, &r->job);
    request_free(r);
    return 0;
}
