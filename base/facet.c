/* SPDX-License-Identifier: Apache-2.0
 *
 * Facets to bytes and back (the form: facet.h). Small, because every record carries them; and read
 * in one pass without memory, because a search reads those of every row it looks at. The reader
 * trusts nothing: these bytes come from a file that may be damaged.
 */
#include "base/facet.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>

#include "base/facet_table.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/when.h"

#include "base/banned.h"

#define VERSION 2
#define VERSION_1 1 /* the same, without UUIDs */

#define HEAD_KIND 0x0Fu
#define HEAD_PARAM 0x10u /* another parameter than before */
#define HEAD_COMMON 0x20u
#define HEAD_GROUPED 0x40u
#define HEAD_MORE 0x80u

#define SPAN_FROM_OPEN 1u
#define SPAN_TO_OPEN 2u
#define SPAN_MS 4u /* not in whole seconds */

#define QUANTITY_RANGE 1u /* hi differs from lo */
#define QUANTITY_SYSTEM 2u
#define QUANTITY_RAW 4u  /* raw is there and is not the unit code */
#define QUANTITY_SAME 8u /* raw is there and is the unit code */

#define NUMBER_RAW 7u /* eight bytes; else how many decimals */
#define NUMBER_DIGITS                                                                              \
    9007199254740992.0 /* 2^53: whole numbers below are exact, so is their division by 10^n once   \
                          rounded */

#define ORDER_ON_STACK 256u
#define NEAR 64u /* how far back doubles are looked for */

static const double powers[NUMBER_RAW] = {1, 10, 100, 1000, 10000, 100000, 1000000};

uint64_t facet_system(struct slice system)
{
    uint64_t hash = system.len > 0 ? hash_bytes(system, 0) : 0;
    return hash == 0 && system.len > 0 ? 1 : hash;
}

/* ── writing ─────────────────────────────────────────────────────────────────────────────────── */

struct packer {
    struct buf *out;
    uint16_t param;
    uint8_t text_count, system_count;
    struct slice texts[FACET_TEXTS];
    uint64_t systems[FACET_SYSTEMS];
};

static void put_varint(struct buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_addc(out, (char)(v | 0x80));
    buf_addc(out, (char)v);
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static void put_64(struct buf *out, uint64_t v)
{
    v = htole64(v);
    buf_add(out, slice_of(&v, sizeof(v)));
}

/* TEXT's place among the known ones, or their number. */
static size_t known_text(struct slice text)
{
    size_t lo = 0;
    size_t hi = facet_known_text_count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        struct slice known = facet_known_texts[facet_known_order[mid]];
        int order = known.len != text.len ? (known.len < text.len ? -1 : 1)
                                          : memcmp(known.ptr, text.ptr, text.len);
        if (order == 0)
            return facet_known_order[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return facet_known_text_count;
}

_Static_assert(FACET_UUID >= FACET_TEXTS + UINT8_MAX + 1, "beyond every text known by number");

#define UUID_TEXT 36
#define UUID_BYTES 16

/* The bytes of the UUID that TEXT ends with; false if it ends otherwise. */
static bool uuid_of(struct slice text, unsigned char ret_bytes[UUID_BYTES])
{
    static const char pattern[UUID_TEXT + 1] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    unsigned digits = 0;
    if (text.len < UUID_TEXT || text.len > FACET_BEFORE + UUID_TEXT)
        return false;
    const char *from = text.ptr + text.len - UUID_TEXT;
    for (unsigned i = 0; i < UUID_TEXT; i++) {
        char c = from[i];
        bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
        if (pattern[i] == '-' ? c != '-' : !digit && !letter)
            return false;
        if (pattern[i] == '-')
            continue;
        unsigned value = (unsigned)(digit ? c - '0' : c - 'a' + 10);
        ret_bytes[digits / 2] =
            (unsigned char)(digits % 2 ? ret_bytes[digits / 2] | value : value << 4);
        digits++;
    }
    return true;
}

static void put_text(struct packer *p, struct slice text)
{
    size_t known = text.len >= FACET_TEXT_MIN ? known_text(text) : facet_known_text_count;
    if (known < facet_known_text_count) {
        put_varint(p->out, (FACET_TEXTS + known) << 1 | 1);
        return;
    }
    for (unsigned i = 0; i < p->text_count; i++) {
        if (slice_eq(p->texts[i], text)) {
            put_varint(p->out, i << 1 | 1);
            return;
        }
    }
    put_varint(p->out, (uint64_t)text.len << 1);
    buf_add(p->out, text);
    if (text.len >= FACET_TEXT_MIN && p->text_count < FACET_TEXTS)
        p->texts[p->text_count++] = text;
}

static void put_reference(struct packer *p, struct slice text)
{
    unsigned char bytes[UUID_BYTES];
    if (!uuid_of(text, bytes)) {
        put_text(p, text);
        return;
    }
    put_varint(p->out, FACET_UUID << 1 | 1);
    put_text(p, slice_sub(text, 0, text.len - UUID_TEXT));
    buf_add(p->out, slice_of(bytes, sizeof(bytes)));
}

static void put_system(struct packer *p, struct slice system)
{
    uint64_t hash = facet_system(system);
    size_t i = 0;
    size_t known = 0;
    while (i < p->system_count && p->systems[i] != hash)
        i++;
    while (i == p->system_count && known < facet_known_system_count &&
           facet_known_systems[known].hash != hash)
        known++;
    if (hash == 0 || i < p->system_count) {
        put_varint(p->out, hash == 0 ? 0 : i + 2);
        return;
    }
    if (known < facet_known_system_count) {
        put_varint(p->out, 2 + FACET_SYSTEMS + known);
        return;
    }
    put_varint(p->out, 1);
    put_64(p->out, hash);
    if (p->system_count < FACET_SYSTEMS)
        p->systems[p->system_count++] = hash;
}

static void put_number(struct packer *p, double v)
{
    for (unsigned i = 0; i < NUMBER_RAW && fabs(v) * powers[i] < NUMBER_DIGITS; i++) {
        double digits = nearbyint(v * powers[i]);
        if (digits / powers[i] == v && !(digits == 0 && signbit(v))) {
            put_varint(p->out, zigzag((int64_t)digits) << 3 | i);
            return;
        }
    }
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    put_varint(p->out, NUMBER_RAW);
    put_64(p->out, bits);
}

static void put_span(struct packer *p, int64_t lo, int64_t hi)
{
    unsigned flags = (lo == WHEN_MIN ? SPAN_FROM_OPEN : 0) | (hi == WHEN_MAX ? SPAN_TO_OPEN : 0);
    int64_t unit = 1000;
    if ((!(flags & SPAN_FROM_OPEN) && lo % 1000 != 0) ||
        (!(flags & SPAN_TO_OPEN) && hi % 1000 != 0)) {
        flags |= SPAN_MS;
        unit = 1;
    }
    put_varint(p->out, flags);
    if (!(flags & SPAN_FROM_OPEN))
        put_varint(p->out, zigzag(lo / unit));
    if (!(flags & SPAN_TO_OPEN)) {
        int64_t from = flags & SPAN_FROM_OPEN ? 0 : lo / unit;
        put_varint(p->out, zigzag((int64_t)((uint64_t)(hi / unit) - (uint64_t)from)));
    }
}

static void put_quantity(struct packer *p, const struct facet *f)
{
    bool same = slice_eq(f->raw, f->text);
    unsigned flags =
        (f->lo != f->hi ? QUANTITY_RANGE : 0) | (f->system.len > 0 ? QUANTITY_SYSTEM : 0);
    if (f->raw.len > 0)
        flags |= same ? QUANTITY_SAME : QUANTITY_RAW;
    put_varint(p->out, flags);
    put_number(p, f->lo);
    if (flags & QUANTITY_RANGE)
        put_number(p, f->hi);
    if (flags & QUANTITY_SYSTEM)
        put_system(p, f->system);
    put_text(p, f->text);
    if (flags & QUANTITY_RAW)
        put_text(p, f->raw);
}

/* The kind's bit "more". */
static bool has_more(const struct facet *f)
{
    switch (f->kind) {
    case FACET_TOKEN:
        return f->system.len > 0;
    case FACET_STRING:
        return !slice_eq(f->raw, f->text);
    case FACET_NUMBER:
        return f->lo != f->hi;
    default:
        return false;
    }
}

static void put_value(struct packer *p, const struct facet *f, bool more)
{
    switch (f->kind) {
    case FACET_TOKEN:
        if (more)
            put_system(p, f->system);
        put_text(p, f->text);
        break;
    case FACET_STRING:
        put_text(p, f->text);
        if (more)
            put_text(p, f->raw);
        break;
    case FACET_DATE:
        put_span(p, f->lo_ms, f->hi_ms);
        break;
    case FACET_NUMBER:
        put_number(p, f->lo);
        if (more)
            put_number(p, f->hi);
        break;
    case FACET_QUANTITY:
        put_quantity(p, f);
        break;
    case FACET_TYPED:
        put_system(p, f->system);
        put_text(p, f->text);
        put_text(p, f->raw);
        break;
    case FACET_SPECIAL:
        put_number(p, f->lo);
        put_number(p, f->hi);
        break;
    case FACET_REFERENCE:
        put_reference(p, f->text);
        break;
    default: /* a uri; composites themselves have no facets */
        put_text(p, f->text);
    }
}

static void put_facet(struct packer *p, const struct facet *f)
{
    bool more = has_more(f);
    unsigned head = (unsigned)f->kind | (f->param != p->param ? HEAD_PARAM : 0) |
                    (f->common ? HEAD_COMMON : 0) | (f->group > 0 ? HEAD_GROUPED : 0) |
                    (more ? HEAD_MORE : 0);
    buf_addc(p->out, (char)head);
    if (head & HEAD_PARAM)
        put_varint(p->out, (uint64_t)f->param - p->param);
    p->param = f->param;
    if (head & HEAD_GROUPED) {
        put_varint(p->out, f->group);
        buf_addc(p->out, (char)f->part);
    }
    put_value(p, f, more);
}

/* ── order ───────────────────────────────────────────────────────────────────────────────────── */

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool same_place(const struct facet *a, const struct facet *b)
{
    return a->param == b->param && a->group == b->group && a->part == b->part && a->kind == b->kind;
}

static bool same_value(const struct facet *a, const struct facet *b)
{
    return slice_eq(a->text, b->text) && slice_eq(a->system, b->system) &&
           slice_eq(a->raw, b->raw) && a->lo_ms == b->lo_ms && a->hi_ms == b->hi_ms &&
           same_double(a->lo, b->lo) && same_double(a->hi, b->hi);
}

/* Is item AT equal to one shortly before it? */
static bool is_double(const struct facet_list *list, size_t at)
{
    const struct facet *f = &list->items[at];
    for (size_t i = at; i > 0 && at - i < NEAR && same_place(&list->items[i - 1], f); i--) {
        if (same_value(&list->items[i - 1], f))
            return true;
    }
    return false;
}

static uint64_t order_of(const struct facet *f)
{
    return (uint64_t)f->param << 28 | (uint64_t)f->group << 12 | (uint64_t)(f->part & 0xFFu) << 4 |
           ((unsigned)f->kind & 0xFu);
}

static bool is_sorted(const struct facet_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        if (order_of(&list->items[i - 1]) > order_of(&list->items[i]))
            return false;
    }
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Item i becomes the one that was at FROM[i] (low 20 bits), each cycle by one walk. */
static void permute(struct facet *items, uint64_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct facet kept = items[i];
        size_t at = i;
        size_t next = from[at] & 0xFFFFFu;
        if (next == i)
            continue;
        while (next != i) {
            items[at] = items[next];
            from[at] = at;
            at = next;
            next = from[at] & 0xFFFFFu;
        }
        items[at] = kept;
        from[at] = at;
    }
}

_Static_assert(LIMIT_FACETS <= 0xFFFFF, "an item's place fits in 20 bits beside its order");

/* Stable, in place: each key is its order (44 bits) and its place (20). */
static bool sort(struct facet_list *list)
{
    uint64_t on_stack[ORDER_ON_STACK];
    uint64_t *keys = on_stack;
    if (is_sorted(list))
        return true;
    if (list->count > LIMIT_FACETS)
        return false;
    if (list->count > ORDER_ON_STACK)
        keys = malloc(list->count * sizeof(*keys));
    if (!keys)
        return false;
    for (size_t i = 0; i < list->count; i++)
        keys[i] = order_of(&list->items[i]) << 20 | i;
    qsort(keys, list->count, sizeof(*keys), compare_keys);
    permute(list->items, keys, list->count);
    if (keys != on_stack)
        free(keys);
    return true;
}

void facet_pack(struct facet_list *list, struct buf *out)
{
    struct packer p = {.out = out};
    if (list->count == 0)
        return;
    if (!sort(list)) {
        if (!out->err)
            out->err = ERR_LIMIT;
        return;
    }
    buf_addc(out, VERSION);
    for (size_t i = 0; i < list->count; i++) {
        if (!is_double(list, i))
            put_facet(&p, &list->items[i]);
    }
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────── */

static bool get_varint(struct facet_reader *r, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        unsigned char byte = *r->at++;
        v |= (uint64_t)(byte & 0x7Fu) << shift;
        if (!(byte & 0x80u)) {
            *ret_v = v;
            return true;
        }
    }
    return false;
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

static bool get_64(struct facet_reader *r, uint64_t *ret_v)
{
    if (r->end - r->at < 8)
        return false;
    memcpy(ret_v, r->at, 8);
    *ret_v = le64toh(*ret_v);
    r->at += 8;
    return true;
}

static bool get_text(struct facet_reader *r, struct slice *ret_text)
{
    uint64_t v;
    if (!get_varint(r, &v))
        return false;
    bool named = v & 1;
    v >>= 1;
    if (named) {
        if (v >= FACET_TEXTS ? v - FACET_TEXTS >= facet_known_text_count : v >= r->text_count)
            return false;
        *ret_text = v >= FACET_TEXTS ? facet_known_texts[v - FACET_TEXTS] : r->texts[v];
        return true;
    }
    if (v > (uint64_t)(r->end - r->at))
        return false;
    *ret_text = slice_of(r->at, (size_t)v);
    r->at += v;
    if (v >= FACET_TEXT_MIN && r->text_count < FACET_TEXTS)
        r->texts[r->text_count++] = *ret_text;
    return true;
}

static void print_uuid(const unsigned char *bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 0xFu];
    }
}

static bool get_reference(struct facet_reader *r, struct slice *ret_text)
{
    const unsigned char *start = r->at;
    struct slice before;
    uint64_t v;
    if (!get_varint(r, &v))
        return false;
    if (v != (FACET_UUID << 1 | 1)) {
        r->at = start;
        return get_text(r, ret_text);
    }
    if (!get_text(r, &before) || before.len > FACET_BEFORE || r->end - r->at < UUID_BYTES)
        return false;
    memcpy(r->reference, before.ptr, before.len);
    print_uuid(r->at, r->reference + before.len);
    r->at += UUID_BYTES;
    *ret_text = slice_of(r->reference, before.len + UUID_TEXT);
    return true;
}

static bool get_system(struct facet_reader *r, uint64_t *ret_system)
{
    uint64_t v;
    if (!get_varint(r, &v))
        return false;
    if (v == 0) {
        *ret_system = 0;
        return true;
    }
    if (v >= 2 + FACET_SYSTEMS) {
        v -= 2 + FACET_SYSTEMS;
        if (v >= facet_known_system_count)
            return false;
        *ret_system = facet_known_systems[v].hash;
        return true;
    }
    if (v >= 2) {
        if (v - 2 >= r->system_count)
            return false;
        *ret_system = r->systems[v - 2];
        return true;
    }
    if (!get_64(r, ret_system))
        return false;
    if (r->system_count < FACET_SYSTEMS)
        r->systems[r->system_count++] = *ret_system;
    return true;
}

static bool get_number(struct facet_reader *r, double *ret_v)
{
    uint64_t v;
    if (!get_varint(r, &v))
        return false;
    if ((v & 7) < NUMBER_RAW) {
        *ret_v = (double)unzigzag(v >> 3) / powers[v & 7];
        return true;
    }
    if (!get_64(r, &v))
        return false;
    memcpy(ret_v, &v, sizeof(v));
    return !isnan(*ret_v);
}

static bool get_range(struct facet_reader *r, bool two, double *ret_lo, double *ret_hi)
{
    if (!get_number(r, ret_lo))
        return false;
    *ret_hi = *ret_lo;
    return !two || get_number(r, ret_hi);
}

static bool get_span(struct facet_reader *r, int64_t *ret_lo, int64_t *ret_hi)
{
    uint64_t flags;
    uint64_t lo = 0;
    uint64_t hi = 0;
    if (!get_varint(r, &flags) || (!(flags & SPAN_FROM_OPEN) && !get_varint(r, &lo)) ||
        (!(flags & SPAN_TO_OPEN) && !get_varint(r, &hi)))
        return false;
    uint64_t unit = flags & SPAN_MS ? 1 : 1000;
    lo = (uint64_t)unzigzag(lo);
    hi = (uint64_t)unzigzag(hi) + lo;
    *ret_lo = flags & SPAN_FROM_OPEN ? WHEN_MIN : (int64_t)(lo * unit);
    *ret_hi = flags & SPAN_TO_OPEN ? WHEN_MAX : (int64_t)(hi * unit);
    return true;
}

static bool get_quantity(struct facet_reader *r, struct facet_view *v)
{
    uint64_t flags;
    if (!get_varint(r, &flags) || !get_range(r, flags & QUANTITY_RANGE, &v->lo, &v->hi) ||
        ((flags & QUANTITY_SYSTEM) && !get_system(r, &v->system)) || !get_text(r, &v->text) ||
        ((flags & QUANTITY_RAW) && !get_text(r, &v->raw)))
        return false;
    if (flags & QUANTITY_SAME)
        v->raw = v->text;
    v->unit = facet_system(v->text);
    return true;
}

static bool get_string(struct facet_reader *r, bool raw, struct facet_view *v)
{
    if (!get_text(r, &v->text))
        return false;
    v->raw = v->text;
    return !raw || get_text(r, &v->raw);
}

static bool get_value(struct facet_reader *r, bool more, struct facet_view *v)
{
    switch (v->kind) {
    case FACET_TOKEN:
        return (!more || get_system(r, &v->system)) && get_text(r, &v->text);
    case FACET_STRING:
        return get_string(r, more, v);
    case FACET_DATE:
        return get_span(r, &v->lo_ms, &v->hi_ms);
    case FACET_NUMBER:
        return get_range(r, more, &v->lo, &v->hi);
    case FACET_QUANTITY:
        return get_quantity(r, v);
    case FACET_TYPED:
        return get_system(r, &v->system) && get_text(r, &v->text) && get_text(r, &v->raw);
    case FACET_REFERENCE:
        return get_reference(r, &v->text);
    case FACET_URI:
        return get_text(r, &v->text);
    case FACET_SPECIAL:
        return get_range(r, true, &v->lo, &v->hi);
    default:
        return false;
    }
}

/* Head, parameter and group. */
static bool get_place(struct facet_reader *r, unsigned head, struct facet_view *v)
{
    uint64_t param = 0;
    uint64_t group = 0;
    if ((head & HEAD_PARAM) && (!get_varint(r, &param) || param > (uint64_t)UINT16_MAX - r->param))
        return false;
    r->param = (uint16_t)(r->param + param);
    if (head & HEAD_GROUPED) {
        if (!get_varint(r, &group) || group > UINT16_MAX || r->at == r->end)
            return false;
        v->part = *r->at++;
    }
    v->param = r->param;
    v->group = (uint16_t)group;
    v->common = head & HEAD_COMMON;
    v->kind = head & HEAD_KIND;
    return true;
}

void facet_reader_init(struct facet_reader *reader, struct slice packed)
{
    const unsigned char *at = (const unsigned char *)packed.ptr;
    bool known = packed.len > 0 && (at[0] == VERSION || at[0] == VERSION_1);
    reader->at = known ? at + 1 : NULL;
    reader->end = known ? at + packed.len : NULL;
    reader->param = 0;
    reader->text_count = 0;
    reader->system_count = 0;
}

bool facet_next(struct facet_reader *reader, struct facet_view *ret_view)
{
    struct facet_view v = {0};
    if (reader->at == reader->end)
        return false;
    unsigned head = *reader->at++;
    if (!get_place(reader, head, &v) || !get_value(reader, head & HEAD_MORE, &v)) {
        reader->at = reader->end;
        return false;
    }
    *ret_view = v;
    return true;
}
