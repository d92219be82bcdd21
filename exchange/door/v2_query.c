/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries about patients (see v2_query.h). A PDQ query becomes a search of Patient like FHIR's own,
 * so that nothing is found here that is not found there; numbers are looked up in the relay index
 * as far as the caller is entitled to them (exchange/gate/refs.h). A patient of whom the caller may
 * see nothing is not found, whatever number is known.
 */
#include "exchange/door/v2_query.h"

#include "base/limits.h"
#include "base/seal.h"
#include "exchange/door/fhir.h"
#include "exchange/door/fhir_query.h"
#include "exchange/gate/refs.h"
#include "mappers/hl7v2/ack.h"
#include "mappers/hl7v2/map.h"
#include "storage/person.h"

#include "base/banned.h"

#define PEOPLE_MAX 100u /* in one answer */
#define NUMBERS_MAX 32u /* of one patient */
#define CARD_NAME "TASUKI"

/* What a field of PID is searched by. */
static const struct {
    unsigned field, component;
    const char *param;
} params[] = {
    {5, 1, "family"},         {5, 2, "given"},
    {7, 1, "birthdate"},      {8, 1, "gender"},
    {11, 1, "address"},       {11, 3, "address-city"},
    {11, 4, "address-state"}, {11, 5, "address-postalcode"},
    {11, 8, "address"},       {13, 1, "phone"},
    {13, 12, "phone"},
};

/* ── numbers ─────────────────────────────────────────────────────────────────────────────────── */

static const char *own_oid(struct request *r)
{
    struct slice oid = slice_sub(SLICE(REFS_SYSTEM_LOCAL), 8, 100); /* behind urn:oid: */
    return arena_printf(r->arena, "%.*s%.*s", SLICE_ARG(oid), SLICE_ARG(r->caller.facility.code));
}

/* FHIR system of an authority as this caller names it; empty: none that is known to him. Nothing
 * said: his own. */
static struct slice system_of(struct request *r, const struct query_authority *a)
{
    const char *oid = own_oid(r);
    if (slice_is(a->name, CARD_NAME) || slice_is(a->universal, REFS_SYSTEM_CARD) ||
        slice_is(a->kind, "JHC"))
        return SLICE(REFS_SYSTEM_CARD);
    if (slice_is(a->universal, REFS_SYSTEM_INSURED))
        return SLICE(REFS_SYSTEM_INSURED);
    bool nothing = !a->name.len && !a->universal.len;
    if (oid && (nothing || slice_is(a->universal, oid) ||
                (!a->universal.len && slice_eq(a->name, r->caller.facility.code))))
        return slice_str(
            arena_printf(r->arena, REFS_SYSTEM_LOCAL "%.*s", SLICE_ARG(r->caller.facility.code)));
    return SLICE_NONE;
}

static bool is_wanted(struct request *r, const struct hl7_query *q, struct slice system)
{
    for (unsigned i = 0; i < q->domain_count; i++)
        if (slice_eq(system_of(r, &q->domains[i]), system))
            return true;
    return q->domain_count == 0;
}

struct numbers {
    struct query_number items[NUMBERS_MAX];
    size_t count;
};

static void add_number(struct request *r, const struct hl7_query *q, struct numbers *n,
                       struct slice value, struct slice system)
{
    bool source =
        q->pix && slice_eq(system, system_of(r, &q->authority)) && slice_eq(value, q->number);
    if (!value.len || source || n->count == NUMBERS_MAX || !is_wanted(r, q, system))
        return;
    struct query_number *item = &n->items[n->count++];
    *item = (struct query_number){.value = value};
    if (slice_is(system, REFS_SYSTEM_CARD)) {
        item->name = SLICE(CARD_NAME);
        item->universal = system;
        item->type = SLICE("URI");
        item->kind = SLICE("JHC");
    } else if (slice_is(system, REFS_SYSTEM_INSURED)) {
        item->universal = system;
        item->type = SLICE("URI");
        item->kind = SLICE("MB");
    } else {
        item->universal = slice_str(own_oid(r));
        item->type = SLICE("ISO");
        item->kind = SLICE("PI");
    }
}

static enum err gather_numbers(struct session *s, struct request *r, const struct hl7_query *q,
                               int64_t person, struct numbers *ret_numbers)
{
    struct person_ids ids = {0};
    struct query_authority own = {0};
    enum err err =
        person_identifiers(s, r->arena, person, r->grant.facility, r->grant.insurer_numbers, &ids);
    struct slice local = system_of(r, &own);
    ret_numbers->count = 0;
    for (size_t i = 0; i < ids.local_count && !err; i++)
        add_number(r, q, ret_numbers, ids.local_nos[i], local);
    if (!err)
        add_number(r, q, ret_numbers, ids.card, SLICE(REFS_SYSTEM_CARD));
    for (size_t i = 0; i < ids.insured_count && !err; i++)
        add_number(r, q, ret_numbers, ids.insured[i], SLICE(REFS_SYSTEM_INSURED));
    return err;
}

/* ── answers ─────────────────────────────────────────────────────────────────────────────────── */

static void begin(struct request *r, struct reply *a, const struct v2_query *in,
                  enum query_outcome outcome, const struct query_hits *hits)
{
    struct slice id = slice_str(arena_printf(r->arena, "%.20s", r->id));
    reply_init(a, &in->header);
    query_begin(a, &in->query, outcome, outcome == QUERY_ERROR ? &r->errors : NULL, hits, id,
                r->grant.now_ms);
}

static enum err finish(struct request *r, struct reply *a, struct v2_query *in)
{
    struct buf out;
    buf_init(&out, LIMIT_MLLP_FRAME);
    enum err err = reply_finish(a, &out);
    if (!err) {
        in->answer = arena_dup(r->arena, buf_slice(&out));
        err = in->answer.ptr ? ERR_OK : ERR_LIMIT;
    }
    buf_fini(&out);
    reply_fini(a);
    return err;
}

static enum err answer_empty(struct request *r, struct v2_query *in, enum query_outcome outcome)
{
    struct reply a;
    begin(r, &a, in, outcome, NULL);
    return finish(r, &a, in);
}

/* An authority nobody here knows: the query is answered, but with AE (ITI-9, ITI-21: table 0357
 * code 204). */
static enum err unknown_domain(struct request *r, struct v2_query *in, unsigned field,
                               unsigned component)
{
    const char *place = component ? arena_printf(r->arena, "QPD[1]-%u.%u", field, component)
                                  : arena_printf(r->arena, "QPD[1]-%u", field);
    (void)err_say(&r->errors, ERR_SEVERITY_ERROR, ERR_PATIENT_UNKNOWN, place ? place : "",
                  "this assigning authority is not known here",
                  "この番号の発行者は登録されていません");
    return answer_empty(r, in, QUERY_ERROR);
}

/* True, and answered, when a domain asked for is none that the caller may name. */
static bool has_unknown_domain(struct request *r, struct v2_query *in, enum err *ret_err)
{
    for (unsigned i = 0; i < in->query.domain_count; i++)
        if (!system_of(r, &in->query.domains[i]).len) {
            *ret_err = unknown_domain(r, in, in->query.pix ? 4 : 8, 0);
            return true;
        }
    if (in->query.number.len && !system_of(r, &in->query.authority).len) {
        *ret_err = unknown_domain(r, in, 3, in->query.pix ? 4 : 0);
        return true;
    }
    return false;
}

static enum err parse(struct request *r, struct v2_query *in, bool *ret_go_on)
{
    struct hl7_message *m = NULL;
    enum err err = hl7_lex(r->arena, r->body, &r->errors, &m);
    *ret_go_on = false;
    if (err)
        return err;
    hl7_header_of(m, &in->header);
    err = hl7_check(m, &r->errors);
    if (err)
        return err;
    err = hl7_query_parse(m, &r->errors, &in->query);
    r->entity = "Patient/@";
    if (in->query.whole.len)
        r->query = arena_str(r->arena, in->query.whole);
    if (err)
        return answer_empty(r, in, QUERY_ERROR);
    *ret_go_on = !has_unknown_domain(r, in, &err);
    return err;
}

/* ── PIX ─────────────────────────────────────────────────────────────────────────────────────── */

static enum err answer_numbers(struct session *s, struct request *r, struct v2_query *in)
{
    struct numbers *numbers = ARENA_NEW(r->arena, struct numbers);
    struct reply a;
    enum err err = numbers ? gather_numbers(s, r, &in->query, r->person, numbers) : ERR_LIMIT;
    if (err)
        return err;
    if (numbers->count == 0)
        return answer_empty(r, in, QUERY_NONE);
    r->count = 1;
    begin(r, &a, in, QUERY_OK, NULL);
    query_pid(&a, 1, numbers->items, numbers->count, NULL);
    return finish(r, &a, in);
}

static enum err pix_look(struct session *s, struct request *r)
{
    struct v2_query *in = r->input;
    struct record record;
    bool go_on = false;
    enum err err = parse(r, in, &go_on);
    if (err || !go_on)
        return err;
    err = refs_identifier(s, r, system_of(r, &in->query.authority), in->query.number, &r->person);
    if (!err)
        err = record_read_patient(s, r->arena, r->person, &record);
    if (err == ERR_NOT_FOUND || err == ERR_GONE) {
        (void)err_say(&r->errors, ERR_SEVERITY_ERROR, ERR_PATIENT_UNKNOWN, "QPD[1]-3.1",
                      "this number is not known here", "この番号は登録されていません");
        return answer_empty(r, in, QUERY_ERROR);
    }
    return err ? err : answer_numbers(s, r, in);
}

/* ── PDQ ─────────────────────────────────────────────────────────────────────────────────────── */

static void add_encoded(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == ',' || c == '$' || c == '|' || c == '\\')
            buf_adds(out, "%5C"); /* it means itself (R4 search.html#escaping) */
        if (plain)
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static struct slice gender_of(struct slice sex)
{
    static const char *const words[][2] = {
        {"M", "male"}, {"F", "female"}, {"O", "other"}, {"U", "unknown"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (slice_is(sex, words[i][0]))
            return slice_str(words[i][1]);
    return SLICE_NONE;
}

/* 19650415 as 1965-04-15. */
static struct slice date_of(struct request *r, struct slice value)
{
    if (value.len < 8)
        return SLICE_NONE;
    return slice_str(
        arena_printf(r->arena, "%.4s-%.2s-%.2s", value.ptr, value.ptr + 4, value.ptr + 6));
}

/* One condition as a search parameter; false where it says nothing that can be searched for. */
static bool add_term(struct request *r, const struct query_term *term, struct buf *text)
{
    const char *param = NULL;
    struct slice value = term->value;
    for (size_t i = 0; i < sizeof(params) / sizeof(*params); i++)
        if (params[i].field == term->field && params[i].component == term->component)
            param = params[i].param;
    if (value.len &&
        value.ptr[value.len - 1] == '*') /* all texts are searched by their beginning */
        value.len--;
    if (term->field == 8)
        value = gender_of(value);
    if (term->field == 7)
        value = date_of(r, value);
    if (!param || !value.len)
        return false;
    buf_addf(text, "%s%s=", text->len ? "&" : "", param);
    add_encoded(text, value);
    return true;
}

static enum err compile(struct session *s, struct request *r, struct v2_query *in,
                        struct search *ret_search)
{
    const struct hl7_query *q = &in->query;
    struct buf text;
    enum err err = ERR_OK;
    buf_init(&text, LIMIT_HTTP_LINE);
    for (unsigned i = 0; i < q->term_count && !err; i++)
        if (!add_term(r, &q->terms[i], &text)) {
            const char *place = arena_printf(r->arena, "QPD[1]-3.%u", i + 1);
            err = err_say(&r->errors, ERR_SEVERITY_ERROR, ERR_INVALID, place ? place : "",
                          "this condition cannot be searched for", "この条件では検索できません");
        }
    if (!err && q->number.len) {
        /* For the audit row, also when nobody may be found. */
        err = refs_identifier(s, r, system_of(r, &q->authority), q->number, &r->person);
        err = err == ERR_NOT_FOUND ? ERR_OK : err;
        buf_addf(&text, "%sidentifier=", text.len ? "&" : "");
        add_encoded(&text, system_of(r, &q->authority));
        buf_addc(&text, '|');
        add_encoded(&text, q->number);
    }
    if (!err)
        err = buf_err(&text);
    if (!err)
        err = fhir_query_parse(s, r, SLICE("Patient"), arena_dup(r->arena, buf_slice(&text)),
                               ret_search);
    buf_fini(&text);
    return err;
}

static enum err add_patient(struct session *s, struct request *r, const struct v2_query *in,
                            const struct record *record, unsigned set, struct reply *a)
{
    struct numbers *numbers = ARENA_NEW(r->arena, struct numbers);
    struct json *patient = NULL;
    enum err err = numbers ? gather_numbers(s, r, &in->query, record->person, numbers) : ERR_LIMIT;
    if (!err)
        err = fhir_outward_json(s, r, record, &patient);
    if (!err)
        err = request_audit(r, record->person, "Patient/@", 1);
    if (!err)
        query_pid(a, set, numbers->items, numbers->count, patient);
    return err;
}

/* ── pages ───────────────────────────────────────────────────────────────────────────────────── */

/* Where a page begins: behind this row, after so many people of so many. */
struct page {
    int64_t rid;
    uint64_t before, total;
};

#define PAGE_LEN 24u
#define POINTER_MAX ((PAGE_LEN + SEAL_EXTRA) * 2)

/* What a pointer is good for: this caller, this purpose, this very query. */
static void say_bound(const struct request *r, const struct v2_query *in, struct buf *out)
{
    buf_addf(out, "pdq %lld %d ", (long long)r->grant.facility, (int)r->grant.purpose);
    buf_add(out, in->query.whole);
}

static struct slice print_pointer(struct request *r, const struct v2_query *in,
                                  const struct page *page)
{
    struct buf raw, bound, text;
    struct slice out = SLICE_NONE;
    buf_init(&raw, PAGE_LEN);
    buf_init(&bound, LIMIT_MLLP_FRAME);
    buf_init(&text, POINTER_MAX);
    buf_add_u64(&raw, (uint64_t)page->rid);
    buf_add_u64(&raw, page->before);
    buf_add_u64(&raw, page->total);
    say_bound(r, in, &bound);
    if (!buf_err(&raw) && !buf_err(&bound))
        seal_close(r->exchange->key_cursor, buf_slice(&bound), buf_slice(&raw), &text);
    if (!buf_err(&text))
        out = arena_dup(r->arena, buf_slice(&text));
    buf_fini(&raw);
    buf_fini(&bound);
    buf_fini(&text);
    return out;
}

static uint64_t read_u64(const char *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static enum err read_pointer(struct request *r, const struct v2_query *in, struct page *ret_page)
{
    struct buf raw, bound;
    if (!in->query.pointer.len)
        return ERR_OK;
    buf_init(&raw, PAGE_LEN);
    buf_init(&bound, LIMIT_MLLP_FRAME);
    say_bound(r, in, &bound);
    bool good = !buf_err(&bound) &&
                seal_open(r->exchange->key_cursor, buf_slice(&bound), in->query.pointer, &raw) &&
                !buf_err(&raw) && raw.len == PAGE_LEN;
    if (good)
        *ret_page = (struct page){.rid = (int64_t)read_u64(raw.ptr),
                                  .before = read_u64(raw.ptr + 8),
                                  .total = read_u64(raw.ptr + 16)};
    buf_fini(&raw);
    buf_fini(&bound);
    return good ? ERR_OK
                : err_say(&r->errors, ERR_SEVERITY_ERROR, ERR_INVALID, "DSC[1]-1",
                          "this continuation pointer is not of this query",
                          "この継続ポインタはこの問合せのものではありません");
}

static struct query_hits hits_of(const struct page *page, unsigned shown)
{
    uint64_t done = page->before + shown;
    return (struct query_hits){.found = (unsigned)page->total,
                               .shown = shown,
                               .left = page->total > done ? (unsigned)(page->total - done) : 0};
}

static enum err answer_people(struct session *s, struct request *r, struct v2_query *in,
                              const struct search_result *found, const struct page *page)
{
    struct query_hits hits = hits_of(page, (unsigned)found->count);
    struct page next = {found->last_rid, page->before + found->count, page->total};
    struct reply a;
    enum err err = ERR_OK;
    if (found->count == 0)
        return answer_empty(r, in, QUERY_NONE);
    begin(r, &a, in, QUERY_OK, &hits);
    for (unsigned i = 0; i < found->count && !err; i++)
        err = add_patient(s, r, in, &found->records[i], i + 1, &a);
    if (!err && found->more)
        query_goes_on(&a, print_pointer(r, in, &next));
    r->audit_default_off = true;
    if (err) {
        reply_fini(&a);
        return err;
    }
    return finish(r, &a, in);
}

/* No page is kept for anybody, so that none has to be dropped. */
static enum err answer_end(struct request *r, struct v2_query *in)
{
    struct buf out;
    buf_init(&out, LIMIT_HL7_HEADER + LIMIT_KIB);
    enum err err =
        hl7_ack(&in->header, "AA", NULL, slice_str(arena_printf(r->arena, "%.20s", r->id)),
                r->grant.now_ms, &out);
    if (!err)
        in->answer = arena_dup(r->arena, buf_slice(&out));
    buf_fini(&out);
    return err;
}

static enum err pdq_search(struct session *s, struct request *r, struct v2_query *in)
{
    struct search search = {0};
    struct search_result found = {0};
    struct page page = {0};
    enum err err = read_pointer(r, in, &page);
    if (!err)
        err = compile(s, r, in, &search);
    if (err && err_http(err) < 500)
        return answer_empty(r, in, QUERY_ERROR);
    search.limit = in->query.limit && in->query.limit < PEOPLE_MAX ? in->query.limit : PEOPLE_MAX;
    search.count_total = page.rid == 0;
    search.after_given = page.rid != 0;
    search.after_rid = page.rid;
    if (!err)
        err = search_run(s, r->arena, &search, &found);
    if (!err && search.count_total) /* else it was counted with the first page */
        page.total = found.total_unknown ? found.count : found.total;
    return err ? err : answer_people(s, r, in, &found, &page);
}

static enum err pdq_look(struct session *s, struct request *r)
{
    struct v2_query *in = r->input;
    bool go_on = false;
    enum err err;
    if (hl7_is_query_end(&in->header))
        return answer_end(r, in);
    err = parse(r, in, &go_on);
    return err || !go_on ? err : pdq_search(s, r, in);
}

const struct use v2_query_pdq = {.event = "pdq", .actors = 1u << GRANT_FACILITY, .look = pdq_look};
const struct use v2_query_pix = {.event = "pix", .actors = 1u << GRANT_FACILITY, .look = pix_look};
