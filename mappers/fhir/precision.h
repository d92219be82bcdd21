/* SPDX-License-Identifier: Apache-2.0
 *
 * Decimal literals as doubles: the value, and the range its written precision stands for (R4 search.html#number). Private
 * to mappers/fhir.
 */
#ifndef MAPPERS_FHIR_PRECISION_H
#define MAPPERS_FHIR_PRECISION_H

#include "base/slice.h"

/* The double nearest to LITERAL. False when it is no decimal, longer than LIMIT_FHIR_DECIMAL or out of a double's range. */
bool precision_value(struct slice literal, double *ret_value);

/* Half a unit of the last digit below and above, reckoned in decimal digits and then taken as the nearest doubles: of 5.40
 * those of 5.395 and 5.405. False as above. */
bool precision_bounds(struct slice literal, double *ret_lo, double *ret_hi);

#endif
