/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing works on the digits as written: sign, place of the first digit that counts, then digit
 * by digit, with nothing converted. Computing puts the digits into 128 bits and refuses what does
 * not fit; a caller then has no result rather than a rounded one.
 */
#include "mappers/fhir/decimal.h"

#include <assert.h>

#include "base/banned.h"

#define DIGITS_MAX 30
#define EXPONENT_MAX 1000000000
#define QUOTIENT_DIGITS 8

/* A literal taken apart. Digits may hold one point, which is skipped when they are read. */
struct parts {
    bool negative;
    struct slice digits; /* from the first that is not 0; empty for zero */
    int64_t lead;        /* power of ten of the first digit */
    int64_t exponent;    /* as written */
    size_t after;        /* digits written after the point */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int64_t read_exponent(struct slice s)
{
    int64_t value = 0;
    size_t i = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    for (; i < s.len && value < EXPONENT_MAX; i++)
        value = value * 10 + (s.ptr[i] - '0');
    return s.len > 0 && s.ptr[0] == '-' ? -value : value;
}

static struct parts take_apart(struct slice text)
{
    struct parts p = {0};
    size_t end = 0;
    p.negative = text.len > 0 && text.ptr[0] == '-';
    while (end < text.len && text.ptr[end] != 'e' && text.ptr[end] != 'E')
        end++;
    p.exponent = read_exponent(slice_sub(text, end + 1, text.len));
    struct slice number = slice_sub(text, 0, end);
    size_t point = slice_find(number, '.', 0);
    size_t at = p.negative ? 1 : 0;
    p.after = point < number.len ? number.len - point - 1 : 0;
    while (at < number.len && (number.ptr[at] == '0' || number.ptr[at] == '.'))
        at++;
    p.digits = slice_sub(number, at, number.len);
    p.lead = (at < point ? (int64_t)(point - at) - 1 : -(int64_t)(at - point)) + p.exponent;
    if (p.digits.len == 0)
        p.negative = false;
    return p;
}

/* The next digit of *AT, or 0 behind the end. */
static char next_digit(struct slice s, size_t *at)
{
    if (*at < s.len && s.ptr[*at] == '.')
        ++*at;
    return *at < s.len ? s.ptr[(*at)++] : '0';
}

static int compare_magnitude(const struct parts *a, const struct parts *b)
{
    size_t i = 0;
    size_t j = 0;
    if (a->digits.len == 0 || b->digits.len == 0)
        return (a->digits.len > 0) - (b->digits.len > 0);
    if (a->lead != b->lead)
        return a->lead < b->lead ? -1 : 1;
    while (i < a->digits.len || j < b->digits.len) {
        char x = next_digit(a->digits, &i);
        char y = next_digit(b->digits, &j);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

int decimal_compare(struct slice a, struct slice b)
{
    struct parts x = take_apart(a);
    struct parts y = take_apart(b);
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    int order = compare_magnitude(&x, &y);
    return x.negative ? -order : order;
}

static bool scale_up(__int128 *value, unsigned digits)
{
    while (digits-- > 0) {
        if (__builtin_mul_overflow(*value, 10, value))
            return false;
    }
    return true;
}

bool decimal_parse(struct slice text, struct decimal *ret_value)
{
    struct decimal value = {0, 0};
    struct parts p = take_apart(text);
    int64_t scale = (int64_t)p.after - p.exponent;
    unsigned digits = 0;
    for (size_t i = 0; i < p.digits.len; i++) {
        if (!is_digit(p.digits.ptr[i]))
            continue;
        if (++digits > DIGITS_MAX)
            return false;
        value.mantissa = value.mantissa * 10 + (p.digits.ptr[i] - '0');
    }
    if (scale > DIGITS_MAX || scale < -DIGITS_MAX)
        return false;
    if (scale < 0 && !scale_up(&value.mantissa, (unsigned)-scale))
        return false;
    value.scale = scale < 0 ? 0 : (unsigned)scale;
    if (p.negative)
        value.mantissa = -value.mantissa;
    *ret_value = value;
    return true;
}

struct slice decimal_print(struct arena *arena, struct decimal value)
{
    char text[64];
    size_t at = sizeof(text);
    unsigned __int128 rest =
        value.mantissa < 0 ? -(unsigned __int128)value.mantissa : (unsigned __int128)value.mantissa;
    unsigned digits = 0;
    assert(value.scale < sizeof(text) - 4);
    do {
        if (digits == value.scale && digits > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
        digits++;
    } while (rest > 0 || digits <= value.scale);
    if (value.mantissa < 0)
        text[--at] = '-';
    return arena_dup(arena, slice_of(text + at, sizeof(text) - at));
}

static bool fits(struct decimal value)
{
    __int128 limit = 1;
    bool scaled = scale_up(&limit, DIGITS_MAX + 6);
    assert(scaled);
    (void)scaled;
    return value.scale <= DIGITS_MAX + QUOTIENT_DIGITS && value.mantissa < limit &&
           value.mantissa > -limit;
}

static struct decimal trim(struct decimal value, unsigned keep)
{
    while (value.scale > keep && value.mantissa % 10 == 0) {
        value.mantissa /= 10;
        value.scale--;
    }
    return value;
}

struct decimal decimal_round(struct decimal value, unsigned scale)
{
    while (value.scale > scale + 1) {
        /* Half rounds away from zero, so what lies below the deciding digit does not matter. */
        value.mantissa /= 10;
        value.scale--;
    }
    if (value.scale > scale) {
        value.mantissa = (value.mantissa + (value.mantissa < 0 ? -5 : 5)) / 10;
        value.scale--;
    }
    return value;
}

static bool divide(struct decimal a, struct decimal b, struct decimal *ret_value)
{
    struct decimal q = {a.mantissa, a.scale > b.scale ? a.scale : b.scale};
    q.scale += QUOTIENT_DIGITS + 1;
    if (!scale_up(&q.mantissa, q.scale + b.scale - a.scale))
        return false;
    q.mantissa /= b.mantissa;
    *ret_value = trim(decimal_round(q, q.scale - 1), 0);
    return true;
}

bool decimal_apply(enum decimal_op op, struct decimal a, struct decimal b,
                   struct decimal *ret_value)
{
    struct decimal r = {0, 0};
    bool ok = true;
    if (op >= DECIMAL_DIVIDE && b.mantissa == 0)
        return false;
    if (op == DECIMAL_MULTIPLY) {
        r.scale = a.scale + b.scale;
        ok = !__builtin_mul_overflow(a.mantissa, b.mantissa, &r.mantissa);
    } else if (op == DECIMAL_DIVIDE) {
        ok = divide(a, b, &r);
    } else {
        r.scale = a.scale > b.scale ? a.scale : b.scale;
        ok = scale_up(&a.mantissa, r.scale - a.scale) && scale_up(&b.mantissa, r.scale - b.scale);
        if (ok && op == DECIMAL_ADD)
            ok = !__builtin_add_overflow(a.mantissa, b.mantissa, &r.mantissa);
        else if (ok && op == DECIMAL_SUBTRACT)
            ok = !__builtin_sub_overflow(a.mantissa, b.mantissa, &r.mantissa);
        else if (ok && op == DECIMAL_MOD)
            r.mantissa = a.mantissa % b.mantissa;
        else if (ok)
            r = (struct decimal){a.mantissa / b.mantissa, 0};
    }
    if (!ok || !fits(r))
        return false;
    *ret_value = r;
    return true;
}

static bool charge(uint64_t *budget, uint64_t amount)
{
    *budget = *budget > amount ? *budget - amount : 0;
    return *budget > 0;
}

/* Members come in any order, but mostly in the same one. */
static bool equal_members(const struct json *a, const struct json *b, uint64_t *budget)
{
    const struct json *guess = b->first;
    for (const struct json *m = a->first; m; m = m->next) {
        const struct json *other = guess;
        if (!guess || !slice_eq(guess->key, m->key)) {
            if (!charge(budget, 1 + b->count / 4))
                return false;
            other = json_get_slice(b, m->key);
        }
        if (!other || !decimal_json_equal(m, other, budget))
            return false;
        guess = other->next;
    }
    return true;
}

bool decimal_json_equal(const struct json *a, const struct json *b, uint64_t *budget)
{
    if (!a || !b || a->kind != b->kind || a->count != b->count)
        return !a && !b;
    if (!charge(budget, 1 + a->text.len / 64))
        return false;
    if (a->kind == JSON_NUMBER)
        return decimal_compare(a->text, b->text) == 0;
    if (a->kind == JSON_OBJECT)
        return equal_members(a, b, budget);
    const struct json *y = b->first;
    for (const struct json *x = a->first; x; x = x->next, y = y->next) {
        if (!decimal_json_equal(x, y, budget))
            return false;
    }
    return slice_eq(a->text, b->text);
}
