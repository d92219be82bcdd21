/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints facets for people and for the tests' oracle, which compares them with what the official
 * expressions find.
 */
#include "exchange/cli/map_facets.h"

#include <math.h>

#include "base/limits.h"
#include "base/when.h"
#include "mappers/fhir/facets.h"

#include "base/banned.h"

static const char *const kinds[] = {
    [FACET_TOKEN] = "token",     [FACET_STRING] = "string",     [FACET_DATE] = "date",
    [FACET_NUMBER] = "number",   [FACET_QUANTITY] = "quantity", [FACET_REFERENCE] = "reference",
    [FACET_URI] = "uri",         [FACET_TYPED] = "typed",       [FACET_COMPOSITE] = "composite",
    [FACET_SPECIAL] = "special",
};

static void put_text(struct buf *out, const char *name, struct slice text)
{
    if (text.len == 0)
        return;
    buf_addf(out, ",\"%s\":", name);
    json_print_string(out, text);
}

static void put_ms(struct buf *out, const char *name, int64_t ms)
{
    if (ms == WHEN_MIN || ms == WHEN_MAX)
        buf_addf(out, ",\"%s\":null", name);
    else
        buf_addf(out, ",\"%s\":%lld", name, (long long)ms);
}

static void put_number(struct buf *out, const char *name, double v)
{
    if (isinf(v))
        buf_addf(out, ",\"%s\":null", name);
    else
        buf_addf(out, ",\"%s\":%.17g", name, v);
}

static void put_facet(struct buf *out, struct slice type, const struct facet *f)
{
    buf_addf(out, "{\"param\":\"%s\",\"kind\":\"%s\"",
             definition_param_by_number(type, f->param)->code, kinds[f->kind]);
    if (f->group > 0)
        buf_addf(out, ",\"group\":%u,\"part\":%u", f->group, f->part);
    put_text(out, "system", f->system);
    put_text(out, "text", f->text);
    put_text(out, "raw", f->raw);
    if (f->kind == FACET_DATE) {
        put_ms(out, "lo", f->lo_ms);
        put_ms(out, "hi", f->hi_ms);
    }
    if (f->kind == FACET_NUMBER || f->kind == FACET_QUANTITY || f->kind == FACET_SPECIAL) {
        put_number(out, "lo", f->lo);
        put_number(out, "hi", f->hi);
    }
    buf_adds(out, f->common ? ",\"common\":true}\n" : "}\n");
}

enum err map_facets_print(struct arena *arena, const struct json *resource, struct buf *out)
{
    struct facet_list list = {NULL, 0};
    struct buf packed;
    enum err err = facets_extract(arena, resource, &list);
    if (err)
        return err;
    buf_init(&packed, LIMIT_HTTP_ANSWER);
    facet_pack(&list, &packed); /* puts the list in order */
    err = buf_err(&packed);
    buf_fini(&packed);
    for (size_t i = 0; i < list.count && !err; i++)
        put_facet(out, json_str(resource, "resourceType"), &list.items[i]);
    return err ? err : buf_err(out);
}
