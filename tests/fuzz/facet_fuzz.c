/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed facets. Any bytes as packed: every slice read lies within them and the walk ends. And
 * facets made of the same bytes: packed and read back they are the sorted list, less doubles.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/facet.h"
#include "base/facet_table.h"
#include "base/limits.h"

#include "base/banned.h"

#define FACETS 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void must_lie_in(struct slice whole, struct slice part)
{
    for (size_t i = 0; i < facet_known_text_count; i++) {
        if (part.ptr == facet_known_texts[i].ptr && part.len == facet_known_texts[i].len)
            return;
    }
    must(part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void walk(struct slice packed)
{
    struct facet_reader reader;
    struct facet_view v;
    size_t count = 0;
    uint16_t param = 0;
    facet_reader_init(&reader, packed);
    while (facet_next(&reader, &v)) {
        if (v.text.ptr != reader.reference)
            must_lie_in(packed, v.text);
        must_lie_in(packed, v.raw);
        must(v.param >= param && v.lo == v.lo && v.hi == v.hi && v.kind != FACET_COMPOSITE);
        param = v.param;
        count++;
    }
    must(count <= packed.len && !facet_next(&reader, &v));
}

struct input {
    const uint8_t *at, *end;
};

static uint64_t take(struct input *in, size_t bytes)
{
    uint64_t v = 0;
    for (; bytes > 0 && in->at < in->end; bytes--)
        v = v << 8 | *in->at++;
    return v;
}

static struct slice take_text(struct input *in)
{
    if (in->at < in->end && *in->at >= 0xC0)
        return facet_known_texts[(*in->at++ - 0xC0) % facet_known_text_count];
    size_t len = (size_t)take(in, 1) & 0x1F;
    if (len > (size_t)(in->end - in->at))
        len = (size_t)(in->end - in->at);
    struct slice text = slice_of(in->at, len);
    in->at += len;
    return text;
}

static double take_number(struct input *in)
{
    double v;
    uint64_t bits = take(in, 8);
    memcpy(&v, &bits, sizeof(v));
    return v == v ? v : 0;
}

static void make(struct input *in, struct facet *f)
{
    uint64_t kind = take(in, 1) % 9;
    *f = (struct facet){.kind = kind == FACET_COMPOSITE ? FACET_SPECIAL : (enum facet_kind)kind};
    f->param = (uint16_t)take(in, 1);
    f->group = (uint16_t)(take(in, 1) & 3);
    f->part = f->group > 0 ? (uint8_t)(take(in, 1) & 1) : 0;
    f->common = f->group == 2;
    if (f->kind == FACET_DATE) {
        f->lo_ms = (int64_t)take(in, 8);
        f->hi_ms = (int64_t)take(in, 8);
        return;
    }
    if (f->kind == FACET_NUMBER || f->kind == FACET_QUANTITY || f->kind == FACET_SPECIAL)
        f->lo = f->hi = take_number(in);
    if (f->kind == FACET_SPECIAL || (f->lo != 0 && f->group == 1))
        f->hi = take_number(in);
    if (f->kind == FACET_NUMBER || f->kind == FACET_SPECIAL)
        return;
    f->text = take_text(in);
    if (f->kind == FACET_STRING || f->kind == FACET_TYPED || f->kind == FACET_QUANTITY)
        f->raw = take_text(in);
    if (f->kind == FACET_TOKEN || f->kind == FACET_TYPED || f->kind == FACET_QUANTITY)
        f->system = take_text(in);
}

static bool same(const struct facet *f, const struct facet_view *v)
{
    return f->param == v->param && f->group == v->group && f->part == v->part &&
           f->kind == v->kind && f->common == v->common && facet_system(f->system) == v->system &&
           slice_eq(f->text, v->text) && slice_eq(f->raw, v->raw) && f->lo_ms == v->lo_ms &&
           f->hi_ms == v->hi_ms && memcmp(&f->lo, &v->lo, sizeof(f->lo)) == 0 &&
           memcmp(&f->hi, &v->hi, sizeof(f->hi)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct facet items[FACETS];
    struct facet_list list = {items, 0};
    struct input in = {data, data + size};
    struct facet_reader reader;
    struct facet_view v;
    struct buf out;
    size_t at = 0;
    walk(slice_of(data, size));
    while (in.at < in.end && list.count < FACETS)
        make(&in, &items[list.count++]);
    buf_init(&out, LIMIT_MIB);
    facet_pack(&list, &out);
    must(buf_err(&out) == ERR_OK);
    facet_reader_init(&reader, buf_slice(&out));
    while (facet_next(&reader, &v)) {
        while (at < list.count && !same(&items[at], &v))
            at++; /* a double was left out */
        must(at++ < list.count);
    }
    must(reader.at == reader.end && (list.count == 0 || at > 0));
    buf_fini(&out);
    return 0;
}
