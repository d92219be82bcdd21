/* SPDX-License-Identifier: Apache-2.0
 *
 * Places near a point (R4 location.html#search, parameter near): great-circle distances on a ball of the earth's mean
 * radius, within half a percent of the truth. Pure functions.
 */
#ifndef STORAGE_NEAR_H
#define STORAGE_NEAR_H

#include "storage/search.h"

/* Is a FACET of kind FACET_SPECIAL within VALUE's distance: value->lo latitude, ->hi longitude in degrees, ->exact km? Never
 * for points that are not on the earth. */
bool near_passes(const struct facet_view *facet, const struct search_value *value);

/* AMOUNT of UNIT (UCUM: km, m, cm, [mi_i], [mi_us], [nmi_i], [ft_i], [yd_i]; mi and the empty one, kilometres, besides) in km.
 * False for another unit. */
bool near_km(double amount, struct slice unit, double *ret_km);

#endif
