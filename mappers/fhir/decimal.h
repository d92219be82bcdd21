/* SPDX-License-Identifier: Apache-2.0
 *
 * Decimal numbers as JSON writes them: compared by value over any number of digits, computed exactly
 * where 30 digits are enough. Binary floating point appears nowhere, so 0.1 + 0.2 is 0.3. Private
 * to mappers/fhir.
 */
#ifndef MAPPERS_FHIR_DECIMAL_H
#define MAPPERS_FHIR_DECIMAL_H

#include "base/json.h"

/* value = mantissa / 10^scale */
struct decimal {
    __int128 mantissa;
    unsigned scale; /* digits after the point */
};

enum decimal_op { DECIMAL_ADD, DECIMAL_SUBTRACT, DECIMAL_MULTIPLY, DECIMAL_DIVIDE, DECIMAL_DIV, DECIMAL_MOD };

/* Order of two JSON number literals by value (1 = 1.0 = 10e-1): <0, 0, >0. */
int decimal_compare(struct slice a, struct slice b);
/* Reads a literal; false when it needs more than 30 digits. */
bool decimal_parse(struct slice text, struct decimal *ret_value);
/* The plain literal, without exponent, in ARENA; {NULL,0} when the arena is full. */
struct slice decimal_print(struct arena *arena, struct decimal value);
/* A op B. DIVIDE gives at most 8 digits more than its operands have, rounded half away from zero; DIV cuts to a
 * whole number and MOD is what it leaves. False on division by zero or overflow. */
bool decimal_apply(enum decimal_op op, struct decimal a, struct decimal b, struct decimal *ret_value);
/* VALUE with SCALE digits after the point, rounded half away from zero. */
struct decimal decimal_round(struct decimal value, unsigned scale);
/* json_equal() with numbers compared by value. Each value looked at and each 64 bytes of text take one from
 * *BUDGET; false with *BUDGET 0 means that it ran out. */
bool decimal_json_equal(const struct json *a, const struct json *b, uint64_t *budget);

#endif
