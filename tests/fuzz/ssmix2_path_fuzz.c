/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a path of the SS-MIX2 storage: what is accepted must be exactly the path that its
 * parts make, so nothing of it was ignored and nothing in it can lead out of the storage.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/ssmix2/path.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void compose(struct buf *b, const struct ssmix2_path *p)
{
    const struct slice parts[] = {p->patient_id, p->care_date, p->kind,
                                  p->order_no,   p->sent_at,   p->department};
    buf_add(b, slice_sub(p->patient_id, 0, 3));
    buf_addc(b, '/');
    buf_add(b, slice_sub(p->patient_id, 3, 3));
    for (size_t i = 0; i < 3; i++) {
        buf_addc(b, '/');
        buf_add(b, parts[i]);
    }
    buf_addc(b, '/');
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        buf_add(b, parts[i]);
        buf_addc(b, '_');
    }
    buf_addc(b, (char)('0' + (int)p->flag));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssmix2_path path;
    struct err_list errors;
    struct buf again;
    struct slice input = slice_of(data, size);
    struct arena *arena = arena_new(LIMIT_MIB);
    must(arena != NULL);
    err_list_init(&errors, arena);
    enum err err = ssmix2_parse(input, &errors, &path);
    must(err == err_list_code(&errors));
    if (err == ERR_OK) {
        buf_init(&again, LIMIT_MIB);
        compose(&again, &path);
        must(slice_eq(buf_slice(&again), input));
        must(slice_find(path.patient_id, '.', 0) == path.patient_id.len);
        buf_fini(&again);
    }
    arena_free(arena);
    return 0;
}
