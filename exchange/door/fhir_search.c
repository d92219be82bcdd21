/* SPDX-License-Identifier: Apache-2.0
 *
 * search-type (R4 http.html#search): compile, run under the gate, print a searchset. Pages are
 * joined by a cursor that is signed and good only for the same caller, purpose and query. Each
 * person found, or asked for in vain, gets an audit row.
 */
#include <stdio.h>

#include "base/digest.h"
#include "exchange/door/fhir_query.h"
#include "exchange/gate/refs.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

/* ── cursor ──────────────────────────────────────────────────────────────────────────────────── */

/* Everything a cursor must be bound to: who asks, why, and the query without the cursor itself. */
static void cursor_mac(struct request *r, int64_t key, int64_t rid,
                       unsigned char ret_mac[DIGEST_LEN])
{
    const struct fhir_input *in = r->input;
    struct buf text;
    buf_init(&text, LIMIT_HTTP_BODY * 2);
    buf_addf(&text, "%d %lld %lld %d %lld %lld %.*s?", (int)r->grant.actor,
             (long long)r->grant.facility, (long long)r->grant.person, (int)r->grant.purpose,
             (long long)key, (long long)rid, SLICE_ARG(in->type));
    for (unsigned i = 0; i < in->param_count; i++)
        if (!slice_is(in->params[i].name, "_cursor"))
            buf_addf(&text, "%.*s:%.*s=%.*s&", SLICE_ARG(in->params[i].name),
                     SLICE_ARG(in->params[i].modifier), SLICE_ARG(in->params[i].value));
    digest_hmac(slice_of(r->exchange->key_cursor, 32), buf_slice(&text), ret_mac);
    buf_fini(&text);
}

static const char *cursor_print(struct request *r, int64_t key, int64_t rid)
{
    unsigned char mac[DIGEST_LEN];
    struct buf raw, text;
    buf_init(&raw, 64);
    buf_init(&text, 128);
    cursor_mac(r, key, rid, mac);
    buf_add_u64(&raw, (uint64_t)key);
    buf_add_u64(&raw, (uint64_t)rid);
    buf_add(&raw, slice_of(mac, 16));
    digest_base64(&text, buf_slice(&raw), true);
    const char *out = arena_str(r->arena, buf_slice(&text));
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

static enum err cursor_parse(struct request *r, struct fhir_query *q)
{
    unsigned char mac[DIGEST_LEN];
    struct buf raw;
    bool good;
    if (!q->cursor.len)
        return ERR_OK;
    buf_init(&raw, 64);
    good = digest_unbase64(q->cursor, true, &raw) && raw.len == 32;
    if (good) {
        q->search.after_given = true;
        q->search.after_key = read_i64(raw.ptr);
        q->search.after_rid = read_i64(raw.ptr + 8);
        cursor_mac(r, q->search.after_key, q->search.after_rid, mac);
        good = digest_equal(mac, raw.ptr + 16, 16);
    }
    buf_fini(&raw);
    return good ? ERR_OK : err_add(&r->errors, ERR_BAD_PARAM, "_cursor", NULL);
}

/* ── answer ──────────────────────────────────────────────────────────────────────────────────── */

static void add_escaped(struct buf *out, struct slice text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/,";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c && memchr(plain, c, sizeof(plain) - 1))
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static void add_link(struct request *r, const char *relation, struct slice cursor)
{
    const struct fhir_input *in = r->input;
    struct buf *b = &r->answer_buf;
    char sep = '?';
    buf_addf(b, "{\"relation\":\"%s\",\"url\":\"%s/%.*s", relation, r->base_url,
             SLICE_ARG(in->type));
    for (unsigned i = 0; i < in->param_count; i++) {
        const struct fhir_param *p = &in->params[i];
        if (slice_is(p->name, "_cursor"))
            continue;
        buf_addc(b, sep);
        add_escaped(b, p->name);
        if (p->modifier.len) {
            buf_addc(b, ':');
            add_escaped(b, p->modifier);
        }
        buf_addc(b, '=');
        add_escaped(b, p->value);
        sep = '&';
    }
    if (cursor.len)
        buf_addf(b, "%c_cursor=%.*s", sep, SLICE_ARG(cursor));
    buf_adds(b, "\"}");
}

static void add_links(struct request *r, const struct fhir_query *q,
                      const struct search_result *result)
{
    buf_adds(&r->answer_buf, ",\"link\":[");
    add_link(r, "self", q->cursor);
    if (result->more) {
        buf_addc(&r->answer_buf, ',');
        add_link(r, "next", slice_str(cursor_print(r, result->last_key, result->last_rid)));
    }
    buf_addc(&r->answer_buf, ']');
}

/* One audit row for each person in the page, with how many of his resources it released. */
static enum err audit_page(struct request *r, const struct search_result *result)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < result->count && !err; i++) {
        int64_t person = result->records[i].person;
        struct request_audit *a = r->audits;
        while (a && a->row.person != person)
            a = a->next;
        if (a)
            a->row.count++;
        else
            err = request_audit(r, person, r->entity, 1);
    }
    r->audit_default_off = result->count > 0;
    return err;
}

static enum err search_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct fhir_query *q = ARENA_NEW(r->arena, struct fhir_query);
    struct search_result result = {0};
    enum err err;
    if (!q)
        return ERR_LIMIT;
    r->entity = arena_str(r->arena, in->type);
    err = fhir_query_compile(s, r, q);
    r->person = q->hidden_person;
    if (!err)
        err = cursor_parse(r, q);
    if (!err)
        err = search_run(s, r->arena, &q->search, &result);
    if (!err)
        err = audit_page(r, &result);
    if (err)
        return err;
    fhir_bundle_begin(r, "searchset",
                      q->search.count_total || q->count_only ? (int64_t)result.total : -1);
    add_links(r, q, &result);
    for (size_t i = 0; i < result.count && !err; i++)
        err = fhir_bundle_entry(s, r, &result.records[i], "match");
    return err ? err : fhir_bundle_end(r);
}

const struct use fhir_use_search = {.event = "search", .actors = READERS, .look = search_look};
