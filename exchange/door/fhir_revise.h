/* SPDX-License-Identifier: Apache-2.0
 *
 * A new version made from the current one: PATCH (R4 http.html#patch), $meta-add, $meta-delete. The caller's own record is
 * read as he sees it, changed by a function, checked whole like a body that was sent, and written by exchange/use/write.c.
 * That is done ahead, in look; apply asks on the writer's thread whether the record is still the one it was made from and
 * does it again if not, so reading, changing and writing are one step. id and type cannot be changed; meta.versionId and
 * meta.lastUpdated are the server's whatever the function says.
 */
#ifndef EXCHANGE_DOOR_FHIR_REVISE_H
#define EXCHANGE_DOOR_FHIR_REVISE_H

#include "exchange/door/fhir.h"

/* Makes *ret_then of NOW, which it leaves as it is; both live in r's arena. May be called again for another NOW. Errors go to
 * r->errors. */
typedef enum err (*fhir_revise_cb)(struct request *r, const struct json *now,
                                   struct json **ret_then);

/* Of type/id, or of the one record that input->condition matches. ERR_NOT_FOUND (also for another's record), ERR_GONE,
 * ERR_PRECONDITION (If-Match, several matches), and whatever a write is refused for. */
enum err fhir_revise_look(struct session *s, struct request *r, fhir_revise_cb change) ERR_CHECKED;
/* Writer session; what was written is in input->write. The caller answers. */
enum err fhir_revise_apply(struct session *s, struct request *r, fhir_revise_cb change) ERR_CHECKED;

#endif
