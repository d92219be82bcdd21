/* SPDX-License-Identifier: Apache-2.0
 *
 * The haversine formula, which keeps its precision for the short distances that are asked for.
 */
#include "storage/near.h"

#include <math.h>

#include "base/banned.h"

#define EARTH_KM 6371.0088 /* mean radius, IUGG */
#define RADIANS (3.14159265358979323846 / 180)

static bool on_earth(double latitude, double longitude)
{
    return latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180;
}

static double distance_km(double latitude_a, double longitude_a, double latitude_b,
                          double longitude_b)
{
    double north = sin((latitude_b - latitude_a) * RADIANS / 2);
    double east = sin((longitude_b - longitude_a) * RADIANS / 2);
    double h = north * north + cos(latitude_a * RADIANS) * cos(latitude_b * RADIANS) * east * east;
    return 2 * EARTH_KM * asin(sqrt(h < 1 ? h : 1));
}

bool near_passes(const struct facet_view *facet, const struct search_value *value)
{
    return facet->kind == FACET_SPECIAL && on_earth(facet->lo, facet->hi) &&
           on_earth(value->lo, value->hi) &&
           distance_km(facet->lo, facet->hi, value->lo, value->hi) <= value->exact;
}

bool near_km(double amount, struct slice unit, double *ret_km)
{
    static const struct {
        const char *code;
        double km;
    } units[] = {
        {"", 1},
        {"km", 1},
        {"m", 0.001},
        {"cm", 0.00001},
        {"mi", 1.609344},
        {"[mi_i]", 1.609344},
        {"[mi_us]", 1.609347},
        {"[nmi_i]", 1.852},
        {"[ft_i]", 0.0003048},
        {"[yd_i]", 0.0009144},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (slice_is(unit, units[i].code)) {
            *ret_km = amount * units[i].km;
            return true;
        }
    }
    return false;
}
