/* SPDX-License-Identifier: Apache-2.0
 *
 * The portal's door (see portal.h): assets, the first page, and /fhir. Strict content security
 * policy: no script, own style only.
 */
#include "exchange/door/portal.h"

#include "base/asset.h"
#include "base/limits.h"
#include "exchange/door/fhir.h"
#include "mappers/html/page.h"

#include "base/banned.h"

#define ASSETS "/assets/"

#define POLICY                                                                                     \
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "  \
    "frame-ancestors 'none'"

const struct http_field portal_page_fields[PORTAL_PAGE_FIELDS] = {
    {"Content-Security-Policy", {POLICY, sizeof(POLICY) - 1}},
    {"Referrer-Policy", {"no-referrer", sizeof("no-referrer") - 1}},
};

static void answer_text(struct http_call *call, int status, const char *type, struct slice body)
{
    struct http_answer a = {.status = status,
                            .content_type = type,
                            .fields = portal_page_fields,
                            .field_count = PORTAL_PAGE_FIELDS,
                            .body = body};
    http_call_answer(call, &a);
}

static void answer_asset(struct http_call *call, struct slice name)
{
    char path[128] = "exchange/portal/";
    const struct asset *asset = NULL;
    size_t n = strlen(path);
    if (name.len < sizeof(path) - n && slice_find(name, '/', 0) == name.len) {
        memcpy(path + n, name.ptr, name.len);
        asset = asset_find(exchange_assets, path);
    }
    if (!asset)
        answer_text(call, 404, "text/plain; charset=utf-8", SLICE("not found\n"));
    else
        answer_text(call, 200,
                    slice_ends(name, SLICE(".svg")) ? "image/svg+xml" : "text/css; charset=utf-8",
                    slice_of(asset->bytes, asset->len));
}

const char *portal_lang(const struct http1_request *head)
{
    struct slice accept = http1_field(head, "Accept-Language");
    if (slice_search(head->query, SLICE("lang=en"), 0) < head->query.len)
        return "en";
    if (slice_search(head->query, SLICE("lang=ja"), 0) < head->query.len)
        return "ja";
    return slice_starts(accept, SLICE("en")) ? "en" : "ja";
}

void portal_landing(struct http_call *call, const struct exchange *x, const char *lang)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct json *view = arena ? json_new(arena, JSON_OBJECT) : NULL;
    struct buf out;
    enum err err = ERR_LIMIT;
    buf_init(&out, LIMIT_MIB);
    if (view) {
        json_put_text(arena, view, "region", x->conf.region ? x->conf.region : "Tasuki");
        json_put_text(arena, view, "other", strcmp(lang, "ja") == 0 ? "/?lang=en" : "/?lang=ja");
        err = page_render("mappers/html/landing.xsl", view, lang, false, &out);
    }
    if (err)
        answer_text(call, 500, "text/plain; charset=utf-8", SLICE("error / エラー\n"));
    else
        answer_text(call, 200, "text/html; charset=utf-8", buf_slice(&out));
    buf_fini(&out);
    arena_free(arena);
}

static bool is_fhir(struct slice path)
{
    return slice_is(path, "/fhir") || slice_starts(path, SLICE("/fhir/"));
}

static bool is_asset(struct slice path)
{
    return slice_starts(path, SLICE(ASSETS));
}

static struct slice asset_name(struct slice path)
{
    return slice_sub(path, strlen(ASSETS), path.len);
}

void door_portal_handle(struct http_call *call, void *context)
{
    struct exchange *x = context;
    struct slice path = http_call_request(call)->path;
    if (is_fhir(path))
        fhir_handle(call, x, REQUEST_PORTAL);
    else if (is_asset(path))
        answer_asset(call, asset_name(path));
    else if (slice_is(path, "/") && !http_call_peer(call)->has_cert)
        portal_landing(call, x, portal_lang(http_call_request(call)));
    else if (!portal_page_start(call, x))
        answer_text(call, 404, "text/plain; charset=utf-8", SLICE("not found / ありません\n"));
}

void door_system_handle(struct http_call *call, void *context)
{
    struct slice path = http_call_request(call)->path;
    if (is_fhir(path))
        fhir_handle(call, context, REQUEST_FHIR);
    else if (is_asset(path)) /* the style of the summary page */
        answer_asset(call, asset_name(path));
    else
        answer_text(call, 404, "text/plain; charset=utf-8", SLICE("not found: /fhir\n"));
}
