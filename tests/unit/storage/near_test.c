/* SPDX-License-Identifier: Apache-2.0
 *
 * Distances between places whose distance is known, across the date line and at the poles; units.
 */
#include "lib/t.h"

#include <math.h>

#include "storage/near.h"

#include "base/banned.h"

static const struct {
    double latitude_a, longitude_a, latitude_b, longitude_b;
    double km; /* within one percent */
} rows[] = {
    {35.681236, 139.767125, 34.702485, 135.495951, 403},  /* Tokyo and Osaka stations */
    {35.681236, 139.767125, 35.690921, 139.700258, 6.14}, /* Tokyo and Shinjuku stations */
    {-17.7, 179.9, -17.7, -179.9, 21.2},                  /* over the date line */
    {89.9, 0, 89.9, 180, 22.2},                           /* over the pole */
    {0, 0, 0, 180, 20015},                                /* the other side */
};

static void knows_distances(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct facet_view place = {
            .kind = FACET_SPECIAL, .lo = rows[i].latitude_a, .hi = rows[i].longitude_a};
        struct search_value value = {.lo = rows[i].latitude_b, .hi = rows[i].longitude_b};
        value.exact = rows[i].km * 1.01;
        assert_true(near_passes(&place, &value));
        value.exact = rows[i].km * 0.99;
        assert_false(near_passes(&place, &value));
    }
}

static void refuses_what_is_no_place(void **state)
{
    struct facet_view place = {.kind = FACET_SPECIAL, .lo = 35, .hi = 139};
    struct search_value value = {.lo = 35, .hi = 139, .exact = 1};
    (void)state;
    assert_true(near_passes(&place, &value));
    place.hi = 181;
    assert_false(near_passes(&place, &value));
    place.hi = 139;
    value.lo = NAN;
    assert_false(near_passes(&place, &value));
    value.lo = 35;
    place.kind = FACET_NUMBER;
    assert_false(near_passes(&place, &value));
}

static void knows_units(void **state)
{
    double km = -1;
    (void)state;
    assert_false(near_km(1, SLICE("kg"), &km));
    assert_true(km == -1);
    assert_true(near_km(2, SLICE(""), &km) && km == 2);
    assert_true(near_km(1500, SLICE("m"), &km) && km == 1.5);
    assert_true(near_km(1, SLICE("[mi_i]"), &km) && km == 1.609344);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_distances),
        cmocka_unit_test(refuses_what_is_no_place),
        cmocka_unit_test(knows_units),
    };
    return T_RUN(tests);
}
