/* SPDX-License-Identifier: Apache-2.0
 *
 * See periods.h. The start stays, as it is the better known of the two; the end is still in the
 * original. Resources of a message are few and shallow: one walk over each is cheap.
 */
#include "mappers/hl7v2/periods.h"

#include "base/when.h"

#include "base/banned.h"

static void order_in(struct mapping *mp, struct json *json, const char *type)
{
    struct when start, end;
    if (when_parse_fhir(json_str(json, "start"), false, &start) &&
        when_parse_fhir(json_str(json, "end"), false, &end) && start.lo_ms >= end.hi_ms) {
        (void)err_say(mp->errors, ERR_SEVERITY_WARNING, ERR_INVALID, type,
                      "the end is before the start; left out", "終了が開始より前なので省きました");
        (void)json_remove(json, "end");
    }
    for (struct json *i = json->first; i; i = i->next)
        if (i->kind == JSON_OBJECT || i->kind == JSON_ARRAY)
            order_in(mp, i, type);
}

void periods_order(struct mapping *mp)
{
    for (struct mapped_resource *r = mp->out->first; r; r = r->next)
        if (r->resource)
            order_in(mp, r->resource, r->type);
}
