/* SPDX-License-Identifier: Apache-2.0
 *
 * The place in a result where the next page begins, as a signed word in the next link: record
 * number, moment of the first page, sort key of the last record. Bound to who asks, why, and the
 * whole query, so that it opens nothing to anybody else and cannot be turned to another query. What
 * is visible is decided anew on each page.
 */
#include "base/digest.h"
#include "exchange/door/fhir_query_impl.h"

#include "base/banned.h"

#define MAC_LEN 16
#define HEAD_LEN 16 /* rid and snapshot */
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
    buf_addf(&text, "%.*s/%.*s/%.*s?", SLICE_ARG(in->type), SLICE_ARG(in->id),
             SLICE_ARG(in->inner));
    for (unsigned i = 0; i < in->param_count; i++)
        if (!slice_is(in->params[i].name, "_cursor"))
            buf_addf(&text, "%.*s:%.*s=%.*s&", SLICE_ARG(in->params[i].name),
                     SLICE_ARG(in->params[i].modifier), SLICE_ARG(in->params[i].value));
    digest_hmac(slice_of(r->exchange->key_cursor, 32), buf_slice(&text), ret_mac);
    buf_fini(&text);
}

const char *fhir_cursor_print(struct request *r, const struct search_result *result)
{
    unsigned char mac[DIGEST_LEN];
    struct buf raw, text;
    buf_init(&raw, RAW_MAX);
    buf_init(&text, RAW_MAX * 2);
    buf_add_u64(&raw, (uint64_t)result->last_rid);
    buf_add_u64(&raw, (uint64_t)result->snapshot);
    buf_add(&raw, result->last_key);
    sign(r, buf_slice(&raw), mac);
    buf_add(&raw, slice_of(mac, MAC_LEN));
    digest_base64(&text, buf_slice(&raw), true);
    const char *out =
        buf_err(&raw) || buf_err(&text) ? NULL : arena_str(r->arena, buf_slice(&text));
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

enum err fhir_cursor_parse(struct request *r, struct fhir_query *query)
{
    unsigned char mac[DIGEST_LEN];
    struct search *search = &query->search;
    struct buf raw;
    bool good;
    if (!query->cursor.len)
        return ERR_OK;
    buf_init(&raw, RAW_MAX);
    good = digest_unbase64(query->cursor, true, &raw) && !buf_err(&raw) &&
           raw.len >= HEAD_LEN + MAC_LEN;
    if (good) {
        size_t len = raw.len - MAC_LEN;
        sign(r, slice_of(raw.ptr, len), mac);
        good = digest_equal(mac, raw.ptr + len, MAC_LEN);
        search->after_given = true;
        search->after_rid = read_i64(raw.ptr);
        search->snapshot = read_i64(raw.ptr + 8);
        search->after_key = arena_dup(r->arena, slice_of(raw.ptr + HEAD_LEN, len - HEAD_LEN));
    }
    buf_fini(&raw);
    return good ? ERR_OK : err_add(&r->errors, ERR_BAD_PARAM, "_cursor", NULL);
}
