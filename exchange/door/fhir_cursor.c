/* SPDX-License-Identifier: Apache-2.0
 *
 * The cursor of answers in pages (see fhir_page.h): two numbers, a key, and a keyed digest over them, the caller and the query,
 * in base64 of the URL's alphabet. A search's cursor is none of a history.
 */
#include "base/digest.h"
#include "exchange/door/fhir_page.h"

#include "base/banned.h"

#define MAC_LEN 16
#define HEAD_LEN 16 /* number and snapshot */
#define RAW_MAX (HEAD_LEN + LIMIT_SORT_KEY + MAC_LEN)

static void sign(struct request *r, struct slice place, unsigned char ret_mac[DIGEST_LEN])
{
    const struct fhir_input *in = r->input;
    struct buf text;
    buf_init(&text, LIMIT_HTTP_BODY * 2);
    buf_addf(&text, "%d %lld %lld %d ", (int)r->grant.actor, (long long)r->grant.facility,
             (long long)r->grant.person, (int)r->grant.purpose);
    buf_add_u64(&text, place.len);
    buf_add(&text, place);
    buf_addf(&text, "%.*s/%.*s/%.*s/%.*s/%s?", SLICE_ARG(in->type), SLICE_ARG(in->id),
             SLICE_ARG(in->inner), SLICE_ARG(in->name), fhir_is_history(in) ? "_history" : "");
    for (unsigned i = 0; i < in->param_count; i++)
        if (!slice_is(in->params[i].name, "_cursor"))
            buf_addf(&text, "%.*s:%.*s=%.*s&", SLICE_ARG(in->params[i].name),
                     SLICE_ARG(in->params[i].modifier), SLICE_ARG(in->params[i].value));
    digest_hmac(slice_of(r->exchange->key_cursor, 32), buf_slice(&text), ret_mac);
    buf_fini(&text);
}

const char *fhir_cursor_print(struct request *r, const struct fhir_cursor *place)
{
    unsigned char mac[DIGEST_LEN];
    struct buf raw, text;
    buf_init(&raw, RAW_MAX);
    buf_init(&text, RAW_MAX * 2);
    buf_add_u64(&raw, (uint64_t)place->number);
    buf_add_u64(&raw, (uint64_t)place->snapshot);
    buf_add(&raw, place->key);
    sign(r, buf_slice(&raw), mac);
    buf_add(&raw, slice_of(mac, MAC_LEN));
    digest_base64(&text, buf_slice(&raw), true);
    const char *out = buf_err(&raw) || buf_err(&text) ? NULL : arena_str(r->arena, buf_slice(&text));
    buf_fini(&raw);
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
    unsigned char mac[DIGEST_LEN];
    struct buf raw;
    bool good;
    buf_init(&raw, RAW_MAX);
    good = digest_unbase64(cursor, true, &raw) && !buf_err(&raw) && raw.len >= HEAD_LEN + MAC_LEN;
    if (good) {
        size_t len = raw.len - MAC_LEN;
        sign(r, slice_of(raw.ptr, len), mac);
        good = digest_equal(mac, raw.ptr + len, MAC_LEN);
        *ret_place = (struct fhir_cursor){
            .number = read_i64(raw.ptr),
            .snapshot = read_i64(raw.ptr + 8),
            .key = arena_dup(r->arena, slice_of(raw.ptr + HEAD_LEN, len - HEAD_LEN))};
    }
    buf_fini(&raw);
    return good ? ERR_OK : err_add(&r->errors, ERR_BAD_PARAM, "_cursor", NULL);
}
