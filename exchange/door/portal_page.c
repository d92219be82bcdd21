/* SPDX-License-Identifier: Apache-2.0
 *
 * A resident's own pages: first page, summary, who looked. Each is a use case of the pipeline like
 * any other (identified by the card's certificate, gated, audited); it runs the FHIR operation
 * behind it and prints the result through a style sheet.
 */
#include "exchange/door/fhir.h"
#include "exchange/door/portal.h"
#include "exchange/gate/wire.h"
#include "exchange/pipeline.h"
#include "mappers/html/page.h"

#include "base/banned.h"

#define RESIDENT (1u << GRANT_RESIDENT)

/* The pages are about the resident himself: his own id takes the place of the one in a FHIR path.
 */
static struct fhir_input *about_himself(struct request *r)
{
    struct fhir_input *in = r->input;
    char id[IDS_WIRE_LEN + 1];
    wire_id(r, r->grant.person, id);
    in->type = SLICE("Patient");
    in->id = arena_dup(r->arena, slice_str(id));
    in->query = SLICE_NONE; /* the page's own parameters are no search parameters */
    return in;
}

static void put_page_links(struct request *r, struct json *view, const char *path)
{
    bool ja = strcmp(r->lang, "ja") == 0;
    json_put_text(r->arena, view, "region",
                  r->exchange->conf.region ? r->exchange->conf.region : "Tasuki");
    json_put_text(r->arena, view, "home", ja ? "/" : "/?lang=en");
    json_put_str(r->arena, view, "other",
                 slice_str(arena_printf(r->arena, "%s?lang=%s", path, ja ? "en" : "ja")));
}

static enum err answer_sheet(struct request *r, const char *sheet, const struct json *view)
{
    r->answer_type = "text/html; charset=utf-8";
    return page_render(sheet, view, r->lang, false, &r->answer_buf);
}

/* What the operation printed, as a tree; the answer is emptied for the page. */
static enum err take_answer(struct request *r, struct json **ret_value)
{
    struct json_fault fault;
    struct slice text = arena_dup(r->arena, buf_slice(&r->answer_buf));
    buf_clear(&r->answer_buf);
    return json_parse(r->arena, text, ret_value, &fault);
}

/* ── first page ──────────────────────────────────────────────────────────────────────────────── */

static struct slice name_of(const struct json *patient, const char *representation)
{
    const struct json *names = json_get(patient, "name");
    for (const struct json *n = names ? names->first : NULL; n; n = n->next) {
        struct json *ext = json_path(n, "extension", "0", NULL);
        if (slice_is(json_str(ext, "valueCode"), representation))
            return json_str(n, "text");
    }
    return json_str(json_path(patient, "name", "0", NULL), "text");
}

static enum err home_look(struct session *s, struct request *r)
{
    struct json *view = json_new(r->arena, JSON_OBJECT), *patient = NULL;
    bool ja = strcmp(r->lang, "ja") == 0;
    about_himself(r);
    enum err err = fhir_use_read.look(s, r);
    if (!err)
        err = take_answer(r, &patient);
    if (err && err != ERR_NOT_FOUND && err != ERR_GONE)
        return err;
    put_page_links(r, view, "/");
    struct json *resident = json_put_object(r->arena, view, "resident");
    json_put_str(r->arena, resident, "name", name_of(patient, "IDE"));
    json_put_str(r->arena, resident, "kana", name_of(patient, "SYL"));
    json_put_text(r->arena, resident, "summary",
                  patient ? ja ? "/summary" : "/summary?lang=en" : "");
    json_put_text(r->arena, resident, "history", ja ? "/history" : "/history?lang=en");
    return answer_sheet(r, "mappers/html/landing.xsl", view);
}

static const struct use home_use = {.event = "read", .actors = RESIDENT, .look = home_look};

/* ── summary and access history ──────────────────────────────────────────────────────────────── */

static enum err summary_look(struct session *s, struct request *r)
{
    about_himself(r)->html = true;
    return fhir_use_summary.look(s, r);
}

static const struct use summary_use = {
    .event = "summary", .actors = RESIDENT, .look = summary_look};

static enum err history_look(struct session *s, struct request *r)
{
    struct json *view = json_new(r->arena, JSON_OBJECT), *bundle = NULL;
    about_himself(r);
    enum err err = fhir_use_access_history.look(s, r);
    if (!err)
        err = take_answer(r, &bundle);
    if (err)
        return err;
    put_page_links(r, view, "/history");
    json_set(view, "bundle", json_clone(r->arena, bundle));
    return answer_sheet(r, "mappers/html/access.xsl", view);
}

static const struct use history_use = {
    .event = "access-history", .actors = RESIDENT, .look = history_look};

/* ── in and out ──────────────────────────────────────────────────────────────────────────────── */

static const struct {
    const char *path;
    const struct use *use;
} pages[] = {{"/", &home_use}, {"/summary", &summary_use}, {"/history", &history_use}};

static void answer(struct request *r)
{
    struct http_call *call = r->door_data;
    struct http_answer a = {.status = 200,
                            .content_type = r->answer_type,
                            .fields = portal_page_fields,
                            .field_count = PORTAL_PAGE_FIELDS,
                            .body = buf_slice(&r->answer_buf)};
    if (r->job.err && r->use == &home_use) { /* a card that opens no page: as if there were none */
        portal_landing(call, r->exchange, r->lang);
        request_free(r);
        return;
    }
    if (r->job.err) {
        const char *text =
            arena_printf(r->arena, "%s / %s\n", err_ja(r->job.err), err_en(r->job.err));
        a.status = err_http(r->job.err);
        a.content_type = "text/plain; charset=utf-8";
        a.body = slice_str(text);
    }
    http_call_answer(call, &a);
    request_free(r);
}

bool portal_page_start(struct http_call *call, struct exchange *x)
{
    const struct http1_request *head = http_call_request(call);
    const struct net_peer *peer = http_call_peer(call);
    const struct use *use = NULL;
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
        if (slice_is(head->path, pages[i].path) && slice_is(head->method, "GET"))
            use = pages[i].use;
    struct request *r = use ? request_new(x, REQUEST_PORTAL) : NULL;
    if (r)
        r->input = ARENA_NEW(r->arena, struct fhir_input);
    if (!r || !r->input) {
        request_free(r);
        return false;
    }
    r->use = use;
    r->door_data = call;
    r->answer = answer;
    r->has_cert = peer->has_cert;
    memcpy(r->fingerprint, peer->fingerprint, sizeof(r->fingerprint));
    r->peer = slice_str(peer->address);
    r->method = head->method;
    r->target = head->target;
    r->lang = portal_lang(head);
    r->base_url = x->portal_url;
    pipeline_start(r);
    return true;
}
