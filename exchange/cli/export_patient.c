/* SPDX-License-Identifier: Apache-2.0
 *
 * export patient: all that a facility may see of one resident, as a Bundle of type collection on
 * stdout. It asks as that facility, with Patient/[id]/$everything in a Bundle, page by page, so the
 * gate and the audit record are those of the FHIR door; nothing here reads the store.
 */
#include <stdio.h>

#include "base/limits.h"
#include "exchange/batch.h"
#include "exchange/cli/cli.h"
#include "exchange/use/claim.h"

#include "base/banned.h"

struct patient_export {
    const struct args *args;
    struct cli_place *place;
    struct slice facility;
    struct arena *page;  /* of the last answer */
    struct json *answer; /* what its only entry holds */
    enum err err;
};

static void ended(void *context, struct request *r, void *tag)
{
    struct patient_export *x = context;
    struct json *root = NULL;
    struct json_fault fault;
    (void)tag;
    x->err = r->job.err;
    x->answer = NULL;
    if (!x->err)
        x->err = json_parse(x->page, arena_dup(x->page, buf_slice(&r->answer_buf)), &root, &fault);
    if (!x->err)
        x->answer = json_path(root, "entry", "0", "resource", NULL);
    else if (r->errors.first)
        cli_findings(x->args, &r->errors);
}

/* GET of URL, below the base, as the facility. The answer before is forgotten. */
static enum err ask(struct patient_export *x, struct slice url)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    arena_free(x->page);
    x->page = a;
    if (!a)
        return ERR_LIMIT;
    struct json *bundle = json_new(a, JSON_OBJECT);
    struct batch batch;
    struct buf text;
    json_put_text(a, bundle, "resourceType", "Bundle");
    json_put_text(a, bundle, "type", "transaction");
    struct json *entry = json_push_object(a, json_put_array(a, bundle, "entry"));
    struct json *request = json_put_object(a, entry, "request");
    json_put_text(a, request, "method", "GET");
    json_put_str(a, request, "url", url);
    buf_init(&text, LIMIT_HTTP_BODY);
    json_print(&text, bundle);
    enum err err = arena_exhausted(a) ? ERR_LIMIT : buf_err(&text);
    batch_init(&batch, &x->place->exchange, ended, x);
    if (!err)
        err = batch_bundle(&batch, x->facility, buf_slice(&text), NULL);
    batch_finish(&batch);
    buf_fini(&text);
    return err ? err : x->err;
}

/* Address of the next page; empty: there is none. */
static struct slice next_of(const struct json *page)
{
    const struct json *links = json_get(page, "link");
    for (const struct json *l = links ? links->first : NULL; l; l = l->next)
        if (slice_is(json_str(l, "relation"), "next"))
            return json_str(l, "url");
    return SLICE_NONE;
}

/* Commands have no listener of their own: addresses are those of the system listener. */
static enum err print_page(const struct conf *conf, const struct json *page, bool *first)
{
    const struct json *entries = json_get(page, "entry");
    struct buf text;
    enum err err = ERR_OK;
    for (const struct json *e = entries ? entries->first : NULL; e && !err; e = e->next) {
        buf_init(&text, LIMIT_HTTP_ANSWER);
        buf_addf(&text,
                 "%s\n{\"fullUrl\":\"https://%s:%d/fhir%.*s\",\"resource\":", *first ? "" : ",",
                 conf->host ? conf->host : "127.0.0.1", conf->system_port,
                 SLICE_ARG(json_str(e, "fullUrl")));
        json_print(&text, json_get(e, "resource"));
        buf_addc(&text, '}');
        err = buf_err(&text);
        if (!err && fwrite(text.ptr, 1, text.len, stdout) != text.len)
            err = ERR_IO;
        buf_fini(&text);
        *first = false;
    }
    return err;
}

static enum err export_all(struct patient_export *x, struct slice card)
{
    struct arena *a = x->place->arena;
    bool first = true;
    enum err err =
        ask(x, slice_str(arena_printf(a, "Patient?identifier=urn:tasuki:clinic-card%%7C%.*s",
                                      SLICE_ARG(card))));
    struct slice id = json_str(json_path(x->answer, "entry", "0", "resource", NULL), "id");
    if (!err && !id.len)
        err = ERR_NOT_FOUND;
    if (err)
        return err;
    struct slice url =
        slice_str(arena_printf(a, "Patient/%.*s/$everything?_count=200", SLICE_ARG(id)));
    (void)fputs("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[", stdout);
    while (url.len && !err) {
        err = ask(x, url);
        if (!err)
            err = print_page(&x->place->conf, x->answer, &first);
        url = arena_dup(a, next_of(x->answer));
    }
    (void)fputs(err ? "\n" : "\n]}\n", stdout);
    return err ? err : fflush(stdout) ? ERR_IO : ERR_OK;
}

int cli_export_patient(const struct args *args)
{
    struct cli_place place;
    struct patient_export x = {
        .args = args, .place = &place, .facility = slice_str(args_value(args, "facility"))};
    enum err err = ERR_OK;
    int code;
    if (!x.facility.len)
        return cli_usage(args, "give --facility KEY: who asks",
                         "--facility（閲覧する施設）が要ります");
    code = cli_open(args, &place);
    if (!code) {
        err = export_all(&x, claim_card(place.arena, slice_str(args->operands[0])));
        if (err == ERR_UNAUTHENTICATED)
            code = cli_fail(args, ERR_NOT_FOUND, "--facility");
        else if (err)
            code = cli_fail(args, err, "export patient");
    }
    arena_free(x.page);
    cli_close(&place);
    return code;
}
