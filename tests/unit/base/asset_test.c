/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up embedded files by path.
 */
#include "lib/t.h"

#include "base/asset.h"

#include "base/banned.h"

static const unsigned char one[] = "one";
static const unsigned char two[] = "";
static const struct asset table[] = {
    {"a/b.sql", one, 3},
    {"a/c.sql", two, 0},
    {NULL, NULL, 0},
};

static void finds_whole_paths_only(void **state)
{
    const struct asset *asset = asset_find(table, "a/b.sql");
    (void)state;
    assert_non_null(asset);
    assert_slice(slice_of(asset->bytes, asset->len), "one");
    assert_ptr_equal(asset_find(table, "a/c.sql"), &table[1]);
    assert_null(asset_find(table, "a/b"));
    assert_null(asset_find(table, ""));
    assert_null(asset_find(table, "a/b.sqlx"));
    assert_null(asset_find(&table[2], "a/b.sql"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_whole_paths_only)};
    return T_RUN(tests);
}
