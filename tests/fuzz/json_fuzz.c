/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes into the JSON reader: it must end well, and what it accepts must print to something
 * that it accepts again, that is equal, and that prints the same. A fault must point into the
 * input.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void print_twice(struct arena *arena, const struct json *root)
{
    struct buf first;
    struct buf second;
    struct json *again = NULL;
    buf_init(&first, LIMIT_HTTP_ANSWER);
    buf_init(&second, LIMIT_HTTP_ANSWER);
    json_print(&first, root);
    must(buf_err(&first) == ERR_OK && slice_is_utf8(buf_slice(&first)));
    enum err err = json_parse(arena, buf_slice(&first), &again, NULL);
    must(err == ERR_OK || (err == ERR_LIMIT && arena_exhausted(arena)));
    if (err == ERR_OK) {
        must(json_equal(root, again));
        json_print(&second, again);
        must(slice_eq(buf_slice(&first), buf_slice(&second)));
        must(json_equal(root, json_clone(arena, again)) || arena_exhausted(arena));
    }
    buf_fini(&first);
    buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *root = NULL;
    struct json_fault fault = {0};
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    must(arena != NULL);
    enum err err = json_parse(arena, slice_of(data, size), &root, &fault);
    must((err == ERR_OK) == (root != NULL));
    if (err == ERR_OK)
        print_twice(arena, root);
    else
        must(fault.offset <= size && fault.line >= 1 && fault.column >= 1 && fault.en && fault.ja);
    arena_free(arena);
    return 0;
}
