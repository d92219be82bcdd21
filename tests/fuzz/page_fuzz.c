/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON as a view of every page, and any JSON array as the resources of a patient summary. Pages
 * must be UTF-8 and hold no script, whatever the texts say; narratives must be well-formed XML; a
 * summary must print to JSON that parses.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/html/page.h"
#include "mappers/ips/summary.h"
#include "mappers/xml.h"

#include "base/banned.h"

#define NOW INT64_C(1763798400000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void make_id(char ret_id[37])
{
    memcpy(ret_id, "00000000-0000-4000-8000-000000000001", 37);
}

static void must_be_xml(struct slice text)
{
    struct _xmlDoc *doc = NULL;
    enum err err = xml_parse(text, &doc, NULL);
    must(err == ERR_OK || err == ERR_TOO_LARGE);
    xml_free(doc);
}

static void render(const char *sheet, const struct json *view, const char *lang, bool fragment)
{
    struct buf out;
    buf_init(&out, 8 * LIMIT_MIB);
    enum err err = page_render(sheet, view, lang, fragment, &out);
    must(err == ERR_OK || err == ERR_TOO_LARGE || err == ERR_TOO_DEEP);
    if (!err) {
        must(slice_is_utf8(buf_slice(&out)));
        must(slice_search(buf_slice(&out), SLICE("<script"), 0) == out.len);
        if (fragment)
            must_be_xml(buf_slice(&out));
    }
    buf_fini(&out);
}

static void render_all(const struct json *view)
{
    render("mappers/html/summary.xsl", view, "ja", false);
    render("mappers/html/access.xsl", view, "en", false);
    render("mappers/html/landing.xsl", view, "ja", false);
    render("mappers/html/bundle.xsl", view, "ja", false);
    render("mappers/html/section.xsl", view, "en", true);
}

static void summarize(struct arena *arena, const struct json *list)
{
    const struct json **items = arena_array(arena, list->count + 1, sizeof(*items));
    struct summary_input input = {.resources = items,
                                  .base_url = SLICE("https://x/fhir"),
                                  .author = SLICE("x"),
                                  .now_ms = NOW,
                                  .emergency = list->count % 2 == 1,
                                  .patient = list->first};
    struct json *bundle = NULL, *view = NULL, *again = NULL;
    struct buf text;
    for (const struct json *r = list->first; r && items; r = r->next)
        items[input.count++] = r;
    if (!items || !input.patient)
        return;
    enum err err = summary_bundle(arena, &input, make_id, &bundle);
    if (err) {
        must(err == ERR_LIMIT || err == ERR_TOO_LARGE || err == ERR_TOO_DEEP);
        return;
    }
    buf_init(&text, LIMIT_HTTP_ANSWER);
    json_print(&text, bundle);
    err = json_parse(arena, buf_slice(&text), &again, NULL);
    must(err == ERR_OK || err == ERR_LIMIT || err == ERR_TOO_DEEP);
    err = summary_view(arena, bundle, NOW, &view);
    must(err == ERR_OK || err == ERR_LIMIT || err == ERR_INVALID);
    if (!err)
        render("mappers/html/summary.xsl", view, "ja", false);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *root = NULL;
    struct arena *arena = arena_new(16 * LIMIT_MIB);
    must(arena != NULL && page_init() == ERR_OK);
    if (json_parse(arena, slice_of(data, size), &root, NULL) == ERR_OK) {
        if (root->kind == JSON_ARRAY)
            summarize(arena, root);
        else
            render_all(root);
    }
    arena_free(arena);
    return 0;
}
