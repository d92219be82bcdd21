/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON as a record to write, an array as records that refer to each other: each message must
 * lex, name its patient by the number given, have its segments in the standard's order and its
 * required fields, and no byte the standard lacks.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/ssmix2/inspect.h"
#include "mappers/ssmix2/write.h"

#include "base/banned.h"

#define ITEMS 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check(const struct write_group *g, struct slice bytes)
{
    static const unsigned sure[] = {INSPECT_JIS, INSPECT_REQUIRED, INSPECT_ORDER};
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct inspection in;
    char path[512];

    must(arena != NULL);
    snprintf(path, sizeof(path), "000/123/00012345/%s/%s/00012345_%s_%s_%s_20261122170000000_-_1",
             g->care_date, g->kind, g->care_date, g->kind, g->order_no);
    inspect_file(arena, slice_str(path), bytes, &in);
    must(in.named && in.message);
    for (size_t i = 0; i < sizeof(sure) / sizeof(sure[0]); i++)
        must(in.found[sure[i]].errors == 0);
    arena_free(arena);
}

static struct write_item item_of(const struct json *resource)
{
    struct slice id = json_str(resource, "id");

    return (struct write_item){.type = json_str(resource, "resourceType"),
                               .id = id.len > 0 ? id : SLICE("x"),
                               .resource = resource,
                               .updated_ms = INT64_C(1795334400000),
                               .pool = true};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct json *resource = NULL;
    struct json_fault fault;
    struct write_plan *plan = NULL;
    struct write_env env = {SLICE("1319999999"), SLICE("x"), SLICE("00012345"), NULL};
    struct buf text, coded;
    size_t replaced = 0;

    must(arena != NULL && charset_init() == ERR_OK);
    buf_init(&text, LIMIT_SSMIX2_FILE);
    buf_init(&coded, LIMIT_SSMIX2_FILE);
    if (json_parse(arena, slice_of(data, size), &resource, &fault) == ERR_OK) {
        struct write_item items[ITEMS];
        size_t count = 0;
        bool many = resource->kind == JSON_ARRAY;
        for (const struct json *r = many ? resource->first : resource; r && count < ITEMS;
             r = many ? r->next : NULL) {
            if (r->kind == JSON_OBJECT)
                items[count++] = item_of(r);
        }
        env.patient = count > 0 ? items[0].resource : NULL;
        must(write_plan_make(arena, items, count, &plan) == ERR_OK);
        for (struct write_group *g = plan->groups; g; g = g->next) {
            buf_clear(&text);
            buf_clear(&coded);
            must(write_message(plan, &env, g, &text) == ERR_OK);
            must(write_encode(buf_slice(&text), &coded, &replaced) == ERR_OK);
            check(g, buf_slice(&coded));
        }
    }
    buf_fini(&text);
    buf_fini(&coded);
    arena_free(arena);
    return 0;
}
