/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches of a type, of the system and of a compartment (R4 http.html#search): compile, run under
 * the gate, include, print a searchset. Pages are joined by a signed cursor (fhir_cursor.c). Each
 * person found, or asked for in vain, gets an audit row; what was included counts as what was
 * found.
 */
#include "exchange/door/fhir_operation.h"
#include "exchange/door/fhir_page.h"
#include "exchange/door/fhir_query_impl.h"
#include "exchange/gate/refs.h"
#include "mappers/fhir/outcome.h"

#include "base/banned.h"

#define READERS ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

/* What one page shows. */
struct page {
    struct fhir_query query;
    struct search_result result;
    const struct record *first; /* before all matches */
    size_t first_count;         /* of all pages; shown on this one: from first_from, first_shown */
    size_t first_from, first_shown;
    struct record *included;
    size_t included_count;
    bool cut;           /* more would have been included */
    bool next_too_long; /* there are more pages, but no address for them */
};

/* ── entries ─────────────────────────────────────────────────────────────────────────────────── */

static enum err add_subset(struct session *s, struct request *r, const struct record *record,
                           const struct fhir_query *q)
{
    struct buf whole;
    enum err err;
    buf_init(&whole, LIMIT_HTTP_ANSWER);
    err = refs_outward(s, r, record, &whole);
    if (!err)
        err = subset_text(r->arena, buf_slice(&whole), &q->subset, &r->answer_buf);
    buf_fini(&whole);
    return err;
}

static enum err add_entry(struct session *s, struct request *r, const struct fhir_query *q,
                          const struct record *record, const char *mode)
{
    struct buf *b = &r->answer_buf;
    enum err err;
    if (q->subset.mode == SUBSET_ALL)
        return fhir_bundle_entry(s, r, record, mode);
    buf_adds(b, r->count++ ? "," : ",\"entry\":[");
    buf_addf(b, "{\"fullUrl\":\"%s/%.*s/%.*s\",\"resource\":", r->base_url, SLICE_ARG(record->type),
             SLICE_ARG(refs_id(r, record)));
    err = add_subset(s, r, record, q);
    buf_addf(b, ",\"search\":{\"mode\":\"%s\"}}", mode);
    return err;
}

/* What the answer has to say about itself; the list stays empty when there is nothing. */
static void collect_notes(struct request *r, const struct page *page, struct err_list *notes)
{
    const struct fhir_input *in = r->input;
    err_list_init(notes, r->arena);
    for (unsigned i = 0; i < in->param_count; i++) {
        const struct fhir_param *p = &in->params[i];
        if (!page->query.ignored[i])
            continue;
        const char *name = arena_printf(r->arena, "%.*s%s%.*s", SLICE_ARG(p->name),
                                        p->modifier.len ? ":" : "", SLICE_ARG(p->modifier));
        (void)err_say(notes, ERR_SEVERITY_WARNING, ERR_UNKNOWN_PARAM, name ? name : "",
                      "left out: the parameter is not supported",
                      "対応していないパラメーターのため無視しました");
    }
    if (page->cut)
        (void)err_say(
            notes, ERR_SEVERITY_WARNING, ERR_TOO_LARGE, "_include",
            "not everything that the matches lead to is included: ask for smaller pages (_count)",
            "関連リソースの一部を省きました。_count を小さくしてください");
    if (page->next_too_long)
        (void)err_say(
            notes, ERR_SEVERITY_WARNING, ERR_TOO_LARGE, "",
            "there are further pages, but their address would be too long: ask for larger pages "
            "(_count) or "
            "fewer values",
            "続きがありますが、アドレスが長すぎます。_count を大きくするか、値を減らしてください");
}

/* Closes the Bundle, after an OperationOutcome if there is something to say; it is no resource
 * released. */
static enum err end_bundle(struct request *r, const struct page *page)
{
    struct buf *b = &r->answer_buf;
    struct err_list notes;
    collect_notes(r, page, &notes);
    if (!notes.first)
        return fhir_bundle_end(r);
    const struct json *outcome = outcome_json(r->arena, ERR_OK, &notes);
    buf_adds(b, r->count ? "," : ",\"entry\":[");
    buf_adds(b, "{\"resource\":");
    json_print(b, outcome);
    buf_adds(b, ",\"search\":{\"mode\":\"outcome\"}}]}");
    return arena_exhausted(r->arena) ? ERR_LIMIT : buf_err(b);
}

/* Where the next page begins; false when there is none. */
static bool next_place(const struct page *page, struct fhir_cursor *ret_place)
{
    size_t shown = page->first_from + page->first_shown;
    *ret_place = (struct fhir_cursor){page->result.last_rid, page->result.snapshot,
                                      page->result.last_key};
    if (page->query.search.limit > 0 || page->first_shown == 0)
        return page->result.more;
    *ret_place = (struct fhir_cursor){.number = -(int64_t)shown};
    return true;
}

static enum err print_page(struct session *s, struct request *r, struct page *page)
{
    const struct fhir_query *q = &page->query;
    bool total = (q->search.count_total || q->count_only) && !page->result.total_unknown;
    enum err err;
    fhir_bundle_begin(r, "searchset",
                      total ? (int64_t)(page->result.total + page->first_count) : -1);
    struct fhir_cursor next;
    bool more = next_place(page, &next);
    err = fhir_page_links(r, q->ignored, more ? &next : NULL, &page->next_too_long);
    for (size_t i = 0; i < page->first_shown && !err; i++)
        err = add_entry(s, r, q, &page->first[page->first_from + i], "match");
    for (size_t i = 0; i < page->result.count && !err; i++)
        err = add_entry(s, r, q, &page->result.records[i], "match");
    for (size_t i = 0; i < page->included_count && !err; i++)
        err = add_entry(s, r, q, &page->included[i], "include");
    return err ? err : end_bundle(r, page);
}

/* ── audit ───────────────────────────────────────────────────────────────────────────────────── */

/* Also a row for whom the query named and did not find. */
static enum err audit_page(struct request *r, const struct page *page)
{
    int64_t named = page->query.hidden_person;
    const struct request_audit *a;
    enum err err = fhir_page_audit(r, page->result.records, page->result.count);
    if (!err && page->first && !page->query.cursor.len)
        err = fhir_page_audit(r, page->first, 1);
    if (!err)
        err = fhir_page_audit(r, page->included, page->included_count);
    for (a = r->audits; a && a->row.person != named;)
        a = a->next;
    if (!err && named && !a && r->audits)
        err = request_audit_vain(r, named);
    r->audit_default_off = r->audits != NULL;
    return err;
}

static const char *entity_of(struct request *r)
{
    const struct fhir_input *in = r->input;
    if (in->inner.len)
        return arena_printf(r->arena, "%s/%.*s", fhir_entity(r, in->type, in->id),
                            SLICE_ARG(in->inner));
    return arena_str(r->arena, in->type);
}

/* What stands before the matches, on whatever page, is not included once more. */
static void leave_out_first(struct page *page)
{
    size_t kept = 0;
    for (size_t i = 0; i < page->included_count; i++) {
        bool stands = false;
        for (size_t k = 0; k < page->first_count && !stands; k++)
            stands = page->first[k].rid == page->included[i].rid;
        if (!stands)
            page->included[kept++] = page->included[i];
    }
    page->included_count = kept;
}

/* A cursor with a number below 0 stands among the records that come first. */
static enum err take_cursor(struct request *r, struct page *page)
{
    struct fhir_query *q = &page->query;
    struct fhir_cursor place;
    if (!q->cursor.len)
        return ERR_OK;
    enum err err = fhir_cursor_parse(r, q->cursor, &place);
    if (err)
        return err;
    page->first_from = page->first_count;
    if (place.number < 0 && (uint64_t)-place.number <= page->first_count) {
        page->first_from = (size_t)-place.number;
        return ERR_OK;
    }
    q->search.after_given = true;
    q->search.after_rid = place.number;
    q->search.snapshot = place.snapshot;
    q->search.after_key = place.key;
    return ERR_OK;
}

/* What comes first takes its part of the page. */
static void take_first(struct page *page)
{
    struct search *search = &page->query.search;
    size_t left = page->first_count - page->first_from;
    page->first_shown = left < search->limit ? left : search->limit;
    search->limit -= (unsigned)page->first_shown;
}

enum err fhir_search_answer(struct session *s, struct request *r, const struct fhir_query *query,
                            const struct record *first, size_t count)
{
    struct page *page = ARENA_NEW(r->arena, struct page);
    struct fhir_query *q = page ? &page->query : NULL;
    if (!page)
        return ERR_LIMIT;
    *q = *query;
    page->first = first;
    page->first_count = count;
    enum err err = take_cursor(r, page);
    if (!err)
        take_first(page);
    if (!err)
        err = search_run(s, r->arena, &q->search, &page->result);
    if (err == ERR_TOO_LARGE && !r->errors.first)
        return err_add(&r->errors, err, "", "too many conditions, or too deep in one another");
    if (!err && q->include_count && page->result.count)
        err = fhir_include_run(s, r, q, &page->result, &page->included, &page->included_count,
                               &page->cut);
    leave_out_first(page);
    if (!err)
        err = audit_page(r, page);
    return err ? err : print_page(s, r, page);
}

static enum err search_look(struct session *s, struct request *r)
{
    const struct fhir_input *in = r->input;
    struct fhir_query *q = ARENA_NEW(r->arena, struct fhir_query);
    if (!q)
        return ERR_LIMIT;
    r->entity = entity_of(r);
    struct record *ours = NULL;
    size_t count = 0;
    enum err err = fhir_query_compile(s, r, q);
    r->person = q->hidden_person;
    if (!err && slice_is(in->type, "OperationDefinition") && !in->inner.len)
        err = fhir_operation_search(r, &ours, &count);
    return err ? err : fhir_search_answer(s, r, q, ours, count);
}

const struct use fhir_use_search = {.event = "search", .actors = READERS, .look = search_look};
