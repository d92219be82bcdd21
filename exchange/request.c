/* SPDX-License-Identifier: Apache-2.0
 *
 * Birth and end of a request, and the audit rows a use case adds.
 */
#include "exchange/request.h"

#include <assert.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/limits.h"
#include "exchange/gate/grant.h"

#include "base/banned.h"

struct request *request_new(struct exchange *x, enum request_door door)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct request *r = arena ? ARENA_NEW(arena, struct request) : NULL;
    if (!r) {
        arena_free(arena);
        return NULL;
    }
    r->arena = arena;
    r->exchange = x;
    r->door = door;
    r->base_url = x->base_url;
    r->lang = "ja";
    err_list_init(&r->errors, arena);
    buf_init(&r->answer_buf, LIMIT_HTTP_ANSWER);
    ids_uuid(r->id);
    return r;
}

void request_free(struct request *r)
{
    if (!r)
        return;
    buf_fini(&r->answer_buf);
    arena_free(r->arena); /* r itself lives there */
}

enum err request_audit_vain(struct request *r, int64_t person)
{
    enum err err = request_audit(r, person, r->entity, 0);
    if (!err)
        r->audits->row.reason = REQUEST_VAIN;
    return err;
}

enum err request_audit(struct request *r, int64_t person, const char *entity, int64_t count)
{
    struct request_audit *a = ARENA_NEW(r->arena, struct request_audit);
    if (!a)
        return ERR_LIMIT;
    a->row = (struct audit_row){.person = person, .entity = entity, .count = count};
    a->next = r->audits;
    r->audits = a;
    return ERR_OK;
}
