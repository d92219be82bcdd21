/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditional writes (see fhir_conditional.h).
 */
#include "exchange/door/fhir_conditional.h"

#include "exchange/door/fhir_query.h"
#include "exchange/gate/grant.h"
#include "exchange/gate/own_id.h"
#include "exchange/gate/refs.h"

#include "base/banned.h"

#define WRITERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

struct slice fhir_conditional_criteria(struct request *r)
{
    static const char *const form[] = {"_format=", "_pretty="};
    const struct fhir_input *in = r->input;
    struct slice rest = in->query;
    struct buf kept;
    buf_init(&kept, LIMIT_HTTP_LINE);
    while (rest.ptr && rest.len) {
        struct slice pair = slice_cut(&rest, '&');
        bool steers = false;
        for (size_t i = 0; i < sizeof(form) / sizeof(*form); i++)
            steers = steers || slice_starts(pair, slice_str(form[i]));
        if (steers || !pair.len)
            continue;
        if (kept.len)
            buf_addc(&kept, '&');
        buf_add(&kept, pair);
    }
    struct slice criteria = arena_dup(r->arena, buf_slice(&kept));
    buf_fini(&kept);
    return criteria;
}

static enum err run(struct session *s, struct request *r, const struct search *search,
                    const struct grant *grant, struct search_result *ret_result)
{
    session_bind(s, grant);
    enum err err = search_run(s, r->arena, search, ret_result);
    session_bind(s, &r->grant);
    return err;
}

enum err fhir_conditional_find(struct session *s, struct request *r, struct slice type,
                               struct fhir_condition *condition)
{
    struct search search = {0};
    struct search_result found = {0};
    struct grant own;
    if (condition->fixed)
        return ERR_OK;
    grant_own(r, &own);
    enum err err = fhir_query_parse(s, r, type, condition->criteria, &search);
    if (!err && search.filters.count == 0)
        err = err_add_words(&r->errors, ERR_PRECONDITION, "", "the criteria name nothing to look for",
                            "検索条件がありません");
    search.limit = 2;
    search.count_total = false;
    if (!err)
        err = run(s, r, &search, &own, &found);
    if (err)
        return err;
    condition->count = (unsigned)found.count;
    if (found.count == 1)
        condition->match = found.records[0];
    return ERR_OK;
}

enum err fhir_conditional_single(struct request *r, const struct fhir_condition *condition)
{
    if (condition->count < 2)
        return ERR_OK;
    return err_add_words(&r->errors, ERR_PRECONDITION, "", "several records match the criteria",
                         "条件に合うものが複数あります");
}

enum err fhir_conditional_reference(struct session *s, struct request *r, struct slice text,
                                    const char *place, struct slice *ret_reference)
{
    size_t mark = slice_find(text, '?', 0);
    struct slice type = slice_sub(text, 0, mark);
    struct search search = {0};
    struct search_result found = {0};
    enum err err = fhir_query_parse(s, r, type, slice_sub(text, mark + 1, text.len), &search);
    search.limit = 2;
    search.count_total = false;
    if (!err && search.filters.count > 0)
        err = search_run(s, r->arena, &search, &found);
    if (err)
        return err;
    if (found.count != 1)
        return err_add_words(&r->errors, ERR_PRECONDITION, place,
                             found.count ? "several records match" : "no record matches",
                             found.count ? "条件に合うものが複数あります"
                                         : "条件に合うものがありません");
    struct slice id = refs_id(r, &found.records[0]);
    *ret_reference =
        slice_str(arena_printf(r->arena, "%.*s/%.*s", SLICE_ARG(type), SLICE_ARG(id)));
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

/* ── update ──────────────────────────────────────────────────────────────────────────────────── */

static enum err update_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = write_allowed(r, in->type);
    if (!in->condition.criteria.len)
        in->condition.criteria = fhir_conditional_criteria(r);
    if (!err)
        err = fhir_if_match(r, &in->write.expect_version);
    if (!err)
        err = fhir_parse_body(r);
    if (err)
        return err;
    in->write.type = in->type;
    in->write.resource = in->resource;
    in->write.client_ids = true;
    in->id = json_str(in->resource, "id"); /* refs_body takes it out */
    return write_prepare(s, r, &in->write);
}

/* No match: the id of the body, if it has one, must be free; one match: it is that one. */
static enum err choose_target(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    const struct fhir_condition *c = &in->condition;
    struct write *w = &in->write;
    struct record there;
    if (c->count == 0 && !in->id.len)
        return ERR_OK;
    if (c->count == 0) {
        enum err err = own_id_read(s, r, in->type, in->id, &there);
        if (!err)
            return err_add(&r->errors, ERR_CONFLICT, "id", "%.*s", SLICE_ARG(in->id));
        w->id = w->new_id = in->id;
        return err == ERR_NOT_FOUND || err == ERR_GONE ? ERR_OK : err;
    }
    struct slice id = refs_id(r, &c->match);
    if (in->id.len && !slice_eq(in->id, id))
        return err_add_words(&r->errors, ERR_MALFORMED,
                             arena_printf(r->arena, "%.*s.id", SLICE_ARG(in->type)),
                             "is not the id of what the criteria match",
                             "条件に合うもののidと一致しません");
    w->id = w->new_id = id;
    return ERR_OK;
}

static enum err update_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_conditional_find(s, r, in->type, &in->condition);
    if (!err)
        err = fhir_conditional_single(r, &in->condition);
    if (!err)
        err = choose_target(s, r);
    if (!err)
        err = write_apply(s, r, &in->write);
    return err ? err : fhir_answer_written(s, r, &in->write);
}

const struct use fhir_use_update_conditional = {.event = "update",
                                                .actors = WRITERS,
                                                .writes = true,
                                                .look = update_look,
                                                .apply = update_apply};

/* ── delete ──────────────────────────────────────────────────────────────────────────────────── */

static enum err delete_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    (void)s;
    r->entity = arena_str(r->arena, in->type);
    if (!in->condition.criteria.len)
        in->condition.criteria = fhir_conditional_criteria(r);
    enum err err = write_allowed(r, in->type);
    return err ? err : fhir_if_match(r, &in->write.expect_version);
}

static enum err delete_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_conditional_find(s, r, in->type, &in->condition);
    if (!err)
        err = fhir_conditional_single(r, &in->condition);
    r->status = 204;
    if (err || in->condition.count == 0)
        return err;
    in->write.type = in->type;
    in->write.id = refs_id(r, &in->condition.match);
    r->entity = fhir_entity(r, in->type, in->write.id);
    err = write_prepare_delete(s, r, &in->write);
    if (!err)
        err = write_apply_delete(s, r, &in->write);
    r->count = in->write.mark.unchanged ? 0 : 1;
    return err;
}

const struct use fhir_use_delete_conditional = {.event = "delete",
                                                .actors = WRITERS,
                                                .writes = true,
                                                .look = delete_look,
                                                .apply = delete_apply};
