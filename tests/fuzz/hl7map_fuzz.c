/* SPDX-License-Identifier: Apache-2.0
 *
 * Lexes and maps whatever comes. Nothing may crash or read outside; the account of fields must add
 * up; and whatever is mapped must be valid R4, for the store would refuse it and with it a good
 * message.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/charset.h"
#include "mappers/fhir/validate.h"
#include "mappers/hl7v2/map.h"
#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void id_of(void *context, const char *type, struct slice local_no, struct slice key,
                  char ret_id[37])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    (void)context;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
    snprintf(ret_id, 37, "%.10s-%zu-%016llx", type, local_no.len % 100, (unsigned long long)hash);
}

static void check(const struct mapped *m)
{
    unsigned kept = 0;
    struct err_list errors;

    err_list_init(&errors, m->arena);
    for (const struct mapped_resource *r = m->first; r; r = r->next) {
        if (validate_resource(r->resource, slice_str(r->type), &errors) == ERR_OK)
            continue;
        if (arena_exhausted(m->arena))
            return;
        for (const struct err_item *i = errors.first; i; i = i->next)
            fprintf(stderr, "%s %s: %s\n", err_name(i->code), i->place, i->en);
        abort();
    }
    for (const struct mapped_left *l = m->left; l; l = l->next)
        kept += l->seen;
    if (kept != m->fields_kept)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mapper_env env = {
        .facility_code = {"1319999999", 10}, .facility_name = {"H", 1}, .id_of = id_of};
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct err_list errors;
    struct hl7_message *message = NULL;
    struct mapped *mapped = NULL;

    if (!arena || charset_init() != ERR_OK)
        return 0;
    err_list_init(&errors, arena);
    if (hl7_lex(arena, slice_of(data, size), &errors, &message) == ERR_OK &&
        hl7_map(message, &env, &errors, &mapped) == ERR_OK)
        check(mapped);
    arena_free(arena);
    return 0;
}
