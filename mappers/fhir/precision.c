/* SPDX-License-Identifier: Apache-2.0
 *
 * Half a unit of the last digit is one more digit, 5: digits 540 with the exponent -2 give 5405 and
 * 5395 with the exponent -3. No arithmetic in doubles, whose sums would be a little off the
 * decimals that people and oracles write.
 */
#include "mappers/fhir/precision.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

#include "base/banned.h"

struct decimal {
    bool negative;
    int exponent; /* of the last digit */
    size_t count;
    char digits[LIMIT_FHIR_DECIMAL + 2];
};

/* Digits with at most one point; where they end. */
static size_t read_digits(struct slice text, size_t at, struct decimal *d)
{
    bool point = false;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            d->digits[d->count++] = c;
            d->exponent -= point;
        } else {
            break;
        }
    }
    return at;
}

static bool read_decimal(struct slice text, struct decimal *ret_decimal)
{
    struct decimal d = {0};
    int64_t exponent;
    if (text.len == 0 || text.len > LIMIT_FHIR_DECIMAL)
        return false;
    d.negative = text.ptr[0] == '-';
    size_t at = read_digits(text, d.negative || text.ptr[0] == '+', &d);
    if (d.count == 0)
        return false;
    if (at < text.len) {
        if (text.ptr[at] != 'e' && text.ptr[at] != 'E')
            return false;
        at++;
        bool plus = at + 1 < text.len && text.ptr[at] == '+' && text.ptr[at + 1] != '-';
        if (!slice_i64(slice_sub(text, at + plus, text.len), &exponent) || exponent < -400 ||
            exponent > 400)
            return false;
        d.exponent += (int)exponent;
    }
    *ret_decimal = d;
    return true;
}

/* Takes one off the digits; they are not all 0. */
static void decrement(struct decimal *d)
{
    size_t i = d->count - 1;
    for (; d->digits[i] == '0'; i--)
        d->digits[i] = '9';
    d->digits[i]--;
}

static bool is_zero(const struct decimal *d)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->digits[i] != '0')
            return false;
    }
    return true;
}

/* Up to 15 digits and ten to the 22nd are exact as doubles, so one division or product of them is
 * rounded once. */
static bool to_double_quickly(const struct decimal *d, double *ret_value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t digits = 0;
    if (d->count > 15 || d->exponent < -22 || d->exponent > 22)
        return false;
    for (size_t i = 0; i < d->count; i++)
        digits = digits * 10 + (d->digits[i] - '0');
    double value = (double)(d->negative ? -digits : digits);
    *ret_value = d->exponent < 0 ? value / powers[-d->exponent] : value * powers[d->exponent];
    return true;
}

static bool to_double(const struct decimal *d, double *ret_value)
{
    if (to_double_quickly(d, ret_value))
        return true;
    char text[LIMIT_FHIR_DECIMAL + 32];
    snprintf(text, sizeof(text), "%s%.*se%d", d->negative ? "-" : "", (int)d->count, d->digits,
             d->exponent);
    double value = strtod(text, NULL);
    if (!(value >= -DBL_MAX && value <= DBL_MAX))
        return false;
    *ret_value = value;
    return true;
}

bool precision_value(struct slice literal, double *ret_value)
{
    struct decimal d;
    return read_decimal(literal, &d) && to_double(&d, ret_value);
}

bool precision_bounds(struct slice literal, double *ret_lo, double *ret_hi)
{
    struct decimal far;
    double inner;
    double outer;
    if (!read_decimal(literal, &far))
        return false;
    struct decimal near = far;
    if (is_zero(&near))
        near.negative = !near.negative;
    else
        decrement(&near);
    far.digits[far.count++] = near.digits[near.count++] = '5';
    far.exponent = --near.exponent;
    if (!to_double(&near, &inner) || !to_double(&far, &outer))
        return false;
    *ret_lo = far.negative ? outer : inner;
    *ret_hi = far.negative ? inner : outer;
    return true;
}
