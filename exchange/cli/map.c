/* SPDX-License-Identifier: Apache-2.0
 *
 * map: runs one mapper on a file and prints what it made, without a store: HL7 v2 to a FHIR Bundle,
 * FHIR from one of its forms to the other, either to the summary page or to its search values. Identifiers are samples;
 * a server's are keyed.
 */
#include <stdio.h>

#include "base/ids.h"
#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/files.h"
#include "exchange/cli/map_coverage.h"
#include "exchange/cli/map_facets.h"
#include "exchange/cli/verdict.h"
#include "mappers/charset.h"
#include "mappers/fhir/xml_print.h"
#include "mappers/html/page.h"
#include "mappers/ips/summary.h"

#include "base/banned.h"

static struct json *bundle_of(struct arena *arena, const struct mapped *mapped)
{
    struct json *bundle = json_new(arena, JSON_OBJECT);
    struct json *entries = NULL;

    json_put_text(arena, bundle, "resourceType", "Bundle");
    json_put_text(arena, bundle, "type", "collection");
    entries = json_put_array(arena, bundle, "entry");
    for (const struct mapped_resource *m = mapped->first; m; m = m->next)
        if (!m->remove)
            (void)json_set(json_push_object(arena, entries), "resource", m->resource);
    return bundle;
}

/* A summary document of whatever BUNDLE (or a single resource) holds. */
static enum err summarize(struct arena *arena, const struct json *bundle, struct json **ret_summary)
{
    const struct json *entries = json_get(bundle, "entry");
    const struct json **resources =
        arena_array(arena, bundle->count + (entries ? entries->count : 0), sizeof(*resources));
    struct summary_input input = {.base_url = SLICE("urn:tasuki:sample"),
                                  .author = SLICE("tasuki map"),
                                  .now_ms = clock_system.now_ms(&clock_system)};

    if (!resources)
        return ERR_LIMIT;
    if (slice_is(json_str(bundle, "type"), "document")) {
        *ret_summary = (struct json *)(uintptr_t)bundle;
        return ERR_OK;
    }
    if (!entries)
        resources[input.count++] = bundle;
    for (const struct json *e = entries ? entries->first : NULL; e; e = e->next)
        if (json_get(e, "resource"))
            resources[input.count++] = json_get(e, "resource");
    for (size_t i = 0; i < input.count; i++)
        if (slice_is(json_str(resources[i], "resourceType"), "Patient"))
            input.patient = resources[i];
    input.resources = resources;
    return input.patient ? summary_bundle(arena, &input, ids_uuid, ret_summary) : ERR_REQUIRED;
}

static enum err print_page(const struct args *args, struct arena *arena, const struct json *bundle,
                           struct buf *out)
{
    struct json *summary = NULL, *view = NULL;
    enum err err = page_init();

    if (err)
        return err;
    err = summarize(arena, bundle, &summary);
    if (!err)
        err = summary_view(arena, summary, clock_system.now_ms(&clock_system), &view);
    if (!err)
        err = page_render("mappers/html/summary.xsl", view, args->ja ? "ja" : "en", false, out);
    page_fini();
    return err;
}

/* Of a resource as it was read; of each one that was made of a message. */
static enum err print_facets(struct arena *arena, const struct json *root, bool each,
                             struct buf *out)
{
    const struct json *entries = each ? json_get(root, "entry") : NULL;
    enum err err = each ? ERR_OK : map_facets_print(arena, root, out);

    for (const struct json *e = entries ? entries->first : NULL; e && !err; e = e->next)
        err = map_facets_print(arena, json_get(e, "resource"), out);
    return err;
}

static enum err print_bundle(const struct args *args, struct arena *arena, const char *to,
                             const struct json *bundle, bool mapped, struct buf *out)
{
    if (strcmp(to, "facets") == 0)
        return print_facets(arena, bundle, mapped, out);
    if (strcmp(to, "html") == 0)
        return print_page(args, arena, bundle, out);
    if (strcmp(to, "xml") == 0)
        return xml_print_resource(out, bundle, true);
    json_print(out, bundle);
    return buf_err(out);
}

static enum err map(const struct args *args, const char *file, struct arena *arena,
                    struct err_list *errors, const char *to, struct buf *out)
{
    struct buf bytes;
    struct mapped *mapped = NULL;
    struct json *bundle = NULL;
    enum err err = ERR_OK;

    buf_init(&bytes, LIMIT_SSMIX2_FILE);
    err = files_read(file, &bytes);
    if (!err && slice_search(slice_sub(buf_slice(&bytes), 0, 8), SLICE("MSH"), 0) < 8) {
        err = verdict_hl7(arena, buf_slice(&bytes), errors, &mapped);
        if (!err)
            bundle = bundle_of(arena, mapped);
    } else if (!err) {
        err = verdict_fhir(arena, buf_slice(&bytes), errors, &bundle);
    }
    if (!err && arena_exhausted(arena))
        err = ERR_LIMIT;
    if (!err)
        err = print_bundle(args, arena, to, bundle, mapped != NULL, out);
    buf_fini(&bytes);
    return err;
}

/* One file, to its end: what it became, or what is wrong with it. */
static enum err map_file(const struct args *args, const char *file, const char *to)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct err_list errors;
    struct buf out;
    enum err err = ERR_OK;

    if (!arena) {
        (void)cli_fail(args, ERR_LIMIT, "map");
        return ERR_LIMIT;
    }
    err_list_init(&errors, arena);
    buf_init(&out, LIMIT_HTTP_ANSWER);
    err = map(args, file, arena, &errors, to, &out);
    cli_findings(args, &errors);
    if (!err)
        (void)printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
    else if (!errors.first)
        (void)cli_fail(args, err, file);
    buf_fini(&out);
    arena_free(arena);
    return err;
}

/* Several files only where the answer says which is which. */
int cli_map(const struct args *args)
{
    const char *to = args_value(args, "to");
    bool facets = to && strcmp(to, "facets") == 0;
    enum err first = ERR_OK;

    if (args_flag(args, "coverage"))
        return map_coverage(args);
    if (args->operand_count == 0 || !to || (!facets && strcmp(to, "fhir") != 0 && strcmp(to, "xml") != 0 &&
                strcmp(to, "html") != 0))
        return cli_usage(args, "give --to fhir, --to xml, --to html or --to facets",
                         "--to fhir、--to xml、--to html、--to facets のどれかを指定してください");
    if (args->operand_count > 1 && !facets)
        return cli_usage(args, "several files only with --to facets",
                         "複数のファイルは --to facets でのみ指定できます");
    if (charset_init() != ERR_OK)
        return cli_fail(args, ERR_LIMIT, "map");
    for (size_t i = 0; i < args->operand_count; i++) {
        if (facets && args->operand_count > 1)
            (void)printf("{\"file\":\"%s\"}\n", args->operands[i]);
        enum err err = map_file(args, args->operands[i], to);
        first = first ? first : err;
    }
    return cli_exit(first);
}
