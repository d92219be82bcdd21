/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a path and a file of an extended storage: what is accepted names a patient that a
 * path can hold and agrees with its folders, and is mapped or refused with a reason.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/ssmix2/extended.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void id_of(void *context, const char *type, struct slice local_no, struct slice key,
                  char ret_id[37])
{
    (void)context;
    (void)type;
    (void)local_no;
    (void)key;
    memcpy(ret_id, "00000000-0000-0000-0000-000000000000", 37);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mapper_env env = {
        .facility_code = {"1319999999", 10}, .facility_name = {"x", 1}, .id_of = id_of};
    struct slice rest = slice_of(data, size);
    struct slice path = slice_cut(&rest, '\n');
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct extended_path parts;
    struct mapped *mapped = NULL;
    struct err_list errors;

    must(arena != NULL && charset_init() == ERR_OK);
    err_list_init(&errors, arena);
    enum err err = extended_parse(arena, path, &errors, &parts);
    must((err == ERR_OK) == (errors.errors == 0));
    if (err == ERR_OK) {
        must(parts.patient_id.len >= 4 && parts.patient_id.len <= 15 && parts.file.len > 0);
        must(slice_find(parts.patient_id, '.', 0) == parts.patient_id.len);
        err = extended_map(arena, &parts, rest, &env, &errors, &mapped);
        must(err == ERR_OK ? mapped && mapped->count == 3 : errors.errors > 0);
    }
    arena_free(arena);
    return 0;
}
