/* SPDX-License-Identifier: Apache-2.0
 *
 * Codes and names of the data categories, out of the one table in category.h. An unknown number is
 * a mistake of ours and stops the program: showing data under a wrong category would be worse.
 */
#include "base/category.h"

#include <assert.h>

#include "base/banned.h"

static const struct {
    const char *code;
    const char *ja;
} rows[] = {
#define X(name, code, ja) {code, ja},
    CATEGORY_TABLE(X)
#undef X
};
_Static_assert(CATEGORY_COUNT < 64, "a set of categories is one 64-bit mask");

const char *category_code(enum category c)
{
    assert(c < CATEGORY_COUNT);
    return rows[c].code;
}

const char *category_ja(enum category c)
{
    assert(c < CATEGORY_COUNT);
    return rows[c].ja;
}

bool category_find(struct slice code, enum category *ret_category)
{
    for (unsigned i = 0; i < CATEGORY_COUNT; i++) {
        if (slice_is(code, rows[i].code)) {
            *ret_category = (enum category)i;
            return true;
        }
    }
    return false;
}
