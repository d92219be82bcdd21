/* SPDX-License-Identifier: Apache-2.0
 *
 * Card and charts of a resident, for listings.
 */
#include "exchange/cli/resident.h"

#include "storage/person.h"

#include "base/banned.h"

enum err resident_name(struct session *s, struct arena *arena, int64_t person,
                       struct slice *ret_card, struct slice *ret_known_as)
{
    struct person_chart_row *charts = NULL;
    struct person_ids ids = {.card = SLICE_NONE};
    size_t count = 0;
    struct buf text;
    enum err err = person_identifiers(s, arena, person, 0, false, &ids);

    if (!err)
        err = person_charts(s, arena, person, &charts, &count);
    if (err)
        return err;
    buf_init(&text, 4096);
    for (size_t i = 0; i < count; i++)
        buf_addf(&text, "%s%.*s%s%.*s", i ? " " : "", SLICE_ARG(charts[i].facility_key),
                 charts[i].local_no.len ? ":" : "", SLICE_ARG(charts[i].local_no));
    *ret_card = ids.card;
    *ret_known_as = arena_dup(arena, buf_slice(&text)); /* of very many charts the first */
    buf_fini(&text);
    return ERR_OK;
}
