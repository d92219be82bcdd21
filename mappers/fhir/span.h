/* SPDX-License-Identifier: Apache-2.0
 *
 * The span of time a date, dateTime, instant, Period or Timing covers, told apart by their JSON
 * shape. Private to mappers/fhir.
 */
#ifndef MAPPERS_FHIR_SPAN_H
#define MAPPERS_FHIR_SPAN_H

#include "base/json.h"
#include "base/when.h"

/* False when VALUE is absent or says no time. A period that lacks one end is open there; of a
 * schedule only the outer limits of its events and bounds count. */
bool span_of(const struct json *value, struct when *ret_when);

#endif
