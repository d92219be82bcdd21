/* SPDX-License-Identifier: Apache-2.0
 *
 * The cursor of answers in pages (see fhir_page.h): two numbers and a key, closed, and bound to the caller and the query. Not
 * only signed: the numbers count all changes of the region, those the caller may not see too. A search's cursor is none of a
 * history.
 */
#include "base/seal.h"
#include "exchange/door/fhir_page.h"

#include "base/banned.h"

#define HEAD_LEN 16 /* number and snapshot */
#define RAW_MAX (HEAD_LEN + LIMIT_SORT_KEY)
#define TEXT_MAX ((RAW_MAX + SEAL_EXTRA) * 2)
#define BOUND_MAX (LIMIT_HTTP_BODY * 2)

/* What a cursor of R is good for. */
static void say_bound(const struct request *r, struct buf *out)
{
    const struct fhir_input *in = r->input;
    buf_addf(out, "cursor %d %lld %lld %d ", (int)r->grant.actor, (long long)r->grant.facility,
             (long long)r->grant.person, (int)r->grant.purpose);
    buf_addf(out, "%.*s/%.*s/%.*s/%.*s/%s?", SLICE_ARG(in->type), SLICE_ARG(in->id),
             SLICE_ARG(in->inner), SLICE_ARG(in->name), fhir_is_history(in) ? "_history" : "");
    for (unsigned i = 0; i < in->param_count; i++)
        if (!slice_is(in->params[i].name, "_cursor"))
            buf_addf(out, "%.*s:%.*s=%.*s&", SLICE_ARG(in->params[i].name),
                     SLICE_ARG(in->params[i].modifier), SLICE_ARG(in->params[i].value));
}

const char *fhir_cursor_print(struct request *r, const struct fhir_cursor *place)
{
    struct buf raw, bound, text;
    buf_init(&raw, RAW_MAX);
    buf_init(&bound, BOUND_MAX);
    buf_init(&text, TEXT_MAX);
    buf_add_u64(&raw, (uint64_t)place->number);
    buf_add_u64(&raw, (uint64_t)place->snapshot);
    buf_add(&raw, place->key);
    say_bound(r, &bound);
    if (!buf_err(&raw) && !buf_err(&bound))
        seal_close(r->exchange->key_cursor, buf_slice(&bound), buf_slice(&raw), &text);
    bool good = !buf_err(&raw) && !buf_err(&bound) && !buf_err(&text);
    const char *out = good ? arena_str(r->arena, buf_slice(&text)) : NULL;
    buf_fini(&raw);
    buf_fini(&bound);
    buf_fini(&text);
    return out;
}

static int64_t read_i64(const char *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | (unsigned char)p[i];
    return (int64_t)v;
}

enum err fhir_cursor_parse(struct request *r, struct slice cursor, struct fhir_cursor *ret_place)
{
    struct buf raw, bound;
    buf_init(&raw, RAW_MAX);
    buf_init(&bound, BOUND_MAX);
    say_bound(r, &bound);
    bool good = !buf_err(&bound) &&
                seal_open(r->exchange->key_cursor, buf_slice(&bound), cursor, &raw) &&
                !buf_err(&raw) && raw.len >= HEAD_LEN;
    if (good)
        *ret_place = (struct fhir_cursor){
            .number = read_i64(raw.ptr),
            .snapshot = read_i64(raw.ptr + 8),
            .key = arena_dup(r->arena, slice_of(raw.ptr + HEAD_LEN, raw.len - HEAD_LEN))};
    buf_fini(&raw);
    buf_fini(&bound);
    return good ? ERR_OK : err_add(&r->errors, ERR_BAD_PARAM, "_cursor", NULL);
}
