/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads QPD and RCP (see query.h). PDQ names its conditions by field of PID, "@PID.5.1^YAMADA"; the
 * terms that name the number go together, since a number without who gave it says nothing. What
 * cannot be searched for is refused by name: an ignored condition would find too many people.
 */
#include "mappers/hl7v2/query.h"

#include <assert.h>

#include "base/banned.h"

struct parsing {
    const struct hl7_message *m;
    const struct hl7_segment *qpd;
    struct err_list *errors;
    struct hl7_query *q;
};

bool hl7_is_query(const struct hl7_header *header)
{
    return slice_is(header->type, "QBP") &&
           (slice_is(header->trigger, "Q22") || slice_is(header->trigger, "Q23"));
}

bool hl7_is_query_end(const struct hl7_header *header)
{
    return slice_is(header->type, "QCN") && slice_is(header->trigger, "J01");
}

static struct slice value_of(const struct parsing *p, struct slice raw)
{
    return slice_trim(hl7_unescape(p->m, raw));
}

static enum err refuse(struct parsing *p, enum err code, unsigned field, const char *en,
                       const char *ja)
{
    const char *place = arena_printf(p->m->arena, "QPD[1]-%u", field);
    return err_say(p->errors, ERR_SEVERITY_ERROR, code, place ? place : "", en, ja);
}

/* HD: namespace, universal id, its type. */
static void read_authority(const struct parsing *p, struct slice hd, struct query_authority *ret)
{
    ret->name = value_of(p, hl7_sub(p->m, hd, 1));
    ret->universal = value_of(p, hl7_sub(p->m, hd, 2));
    ret->type = value_of(p, hl7_sub(p->m, hd, 3));
}

static enum err read_domains(struct parsing *p, unsigned field)
{
    struct slice raw = hl7_field(p->qpd, field);
    unsigned count = hl7_repeats(p->m, raw);

    if (count > QUERY_DOMAINS_MAX)
        return refuse(p, ERR_TOO_LARGE, field, "too many domains", "番号の発行者が多すぎます");
    for (unsigned i = 0; i < count; i++) {
        struct query_authority *d = &p->q->domains[p->q->domain_count];
        read_authority(p, hl7_component(p->m, hl7_repeat(p->m, raw, i), 4), d);
        p->q->domain_count += d->name.len > 0 || d->universal.len > 0;
    }
    return ERR_OK;
}

static enum err read_pix(struct parsing *p)
{
    struct slice cx = hl7_repeat(p->m, hl7_field(p->qpd, 3), 0);

    p->q->number = value_of(p, hl7_component(p->m, cx, 1));
    read_authority(p, hl7_component(p->m, cx, 4), &p->q->authority);
    p->q->authority.kind = value_of(p, hl7_component(p->m, cx, 5));
    if (p->q->number.len == 0 || hl7_is_null(p->q->number))
        return refuse(p, ERR_REQUIRED, 3, "the patient identifier is missing",
                      "患者IDがありません");
    return read_domains(p, 4);
}

static bool take_number(struct slice *rest, unsigned *ret_number)
{
    struct slice part = slice_cut(rest, '.');
    uint64_t n = 0;

    if (!slice_u64(part, &n) || n == 0 || n > 99)
        return false;
    *ret_number = (unsigned)n;
    return true;
}

/* "@PID.5.1" or "@PID.3.4.2"; a whole field or component means its first part. */
static bool read_path(struct slice path, struct query_term *ret_term)
{
    struct slice rest = slice_sub(path, 5, path.len);

    if (!slice_starts(path, SLICE("@PID.")) || !take_number(&rest, &ret_term->field))
        return false;
    ret_term->component = ret_term->sub = 1;
    if (rest.ptr && !take_number(&rest, &ret_term->component))
        return false;
    return !rest.ptr || (take_number(&rest, &ret_term->sub) && !rest.ptr);
}

/* Parts of the identifier are kept aside. True when TERM was one. */
static bool keep_identifier(struct hl7_query *q, const struct query_term *term)
{
    struct slice *const authority[] = {&q->authority.name, &q->authority.universal,
                                       &q->authority.type};

    if (term->field != 3)
        return false;
    if (term->component == 1)
        q->number = term->value;
    else if (term->component == 4 && term->sub <= 3)
        *authority[term->sub - 1] = term->value;
    else if (term->component == 5)
        q->authority.kind = term->value;
    else
        return false;
    return true;
}

static enum err read_term(struct parsing *p, struct slice repeat)
{
    struct query_term term = {0};
    struct hl7_query *q = p->q;

    if (slice_trim(repeat).len == 0)
        return ERR_OK;
    if (!read_path(value_of(p, hl7_component(p->m, repeat, 1)), &term))
        return refuse(p, ERR_INVALID, 3, "conditions are written @PID.field.component^value",
                      "条件は @PID.項目.成分^値 の形で書きます");
    term.value = value_of(p, hl7_component(p->m, repeat, 2));
    if (term.value.len == 0 || keep_identifier(q, &term))
        return ERR_OK;
    if (q->term_count == QUERY_TERMS_MAX)
        return refuse(p, ERR_TOO_LARGE, 3, "too many conditions", "条件が多すぎます");
    q->terms[q->term_count++] = term;
    return ERR_OK;
}

/* What QPD-1 may be called: by IHE, by HL7 (chapter 3), by the connectathons' older profiles. */
static bool is_name(const struct parsing *p)
{
    static const char *const names[][3] = {{"IHE PDQ Query", "Q22", "QRY_PDQ_1001"},
                                           {"IHE PIX Query", "Q23", "QRY_1001"}};

    for (unsigned c = 1; c <= 2; c++) {
        struct slice name = value_of(p, hl7_component(p->m, p->q->name, c));

        for (size_t i = 0; i < 3; i++) {
            if (slice_ieq(name, slice_str(names[p->q->pix][i])))
                return true;
        }
    }
    return false;
}

static enum err refuse_rcp(struct parsing *p, enum err code, unsigned field, const char *en,
                           const char *ja)
{
    return err_say(p->errors, ERR_SEVERITY_ERROR, code, field == 1 ? "RCP[1]-1" : "RCP[1]-2", en,
                   ja);
}

/* RCP-1: at once; RCP-2: so many records. */
static enum err read_rcp(struct parsing *p)
{
    const struct hl7_segment *rcp = hl7_find(p->m, "RCP", 1);
    struct slice amount = slice_trim(hl7_value(p->m, rcp, 2, 1));
    struct slice unit = hl7_sub(p->m, hl7_component(p->m, hl7_field(rcp, 2), 2), 1);
    uint64_t limit = 0;

    if (slice_is(slice_trim(hl7_value(p->m, rcp, 1, 1)), "D"))
        return refuse_rcp(p, ERR_INVALID, 1, "deferred answers are not given; ask with RCP-1 I",
                          "後日の回答には対応していません（RCP-1 は I）");
    if (unit.len && !slice_is(slice_trim(unit), "RD"))
        return refuse_rcp(p, ERR_INVALID, 2, "an amount is counted in records (RD)",
                          "件数の単位はレコード（RD）だけです");
    if (amount.len && (!slice_u64(amount, &limit) || limit == 0 || limit > 100000))
        return refuse_rcp(p, ERR_INVALID, 2, "the amount must be a number from 1 to 100000",
                          "件数は 1 から 100000 の数でなければなりません");
    p->q->limit = (unsigned)limit;
    p->q->pointer = value_of(p, hl7_component(p->m, hl7_field(hl7_find(p->m, "DSC", 1), 1), 1));
    return ERR_OK;
}

static enum err read_pdq(struct parsing *p)
{
    struct slice raw = hl7_field(p->qpd, 3);
    unsigned count = hl7_repeats(p->m, raw);
    enum err err = read_rcp(p);

    for (unsigned i = 0; i < count && !err; i++)
        err = read_term(p, hl7_repeat(p->m, raw, i));
    if (!err && p->q->term_count == 0 && p->q->number.len == 0)
        err = refuse(p, ERR_REQUIRED, 3, "the query has no condition", "検索条件がありません");
    return err ? err : read_domains(p, 8);
}

enum err hl7_query_parse(const struct hl7_message *m, struct err_list *errors,
                         struct hl7_query *ret_query)
{
    struct hl7_query q = {0};
    struct parsing p = {.m = m, .qpd = hl7_find(m, "QPD", 1), .errors = errors, .q = &q};
    struct hl7_header header;
    enum err err = ERR_OK;

    hl7_header_of(m, &header);
    q.pix = slice_is(header.trigger, "Q23");
    if (!p.qpd)
        err = err_say(errors, ERR_SEVERITY_ERROR, ERR_REQUIRED, "QPD[1]",
                      "the query's conditions (QPD) are missing", "問合せ条件(QPD)がありません");
    q.name = hl7_field(p.qpd, 1);
    q.tag = hl7_field(p.qpd, 2);
    q.whole = p.qpd ? p.qpd->text : SLICE_NONE;
    if (!err && !is_name(&p))
        err = refuse(&p, ERR_INVALID, 1, "this query is not known; IHE PDQ Query, IHE PIX Query",
                     "知らない問合せ名です（IHE PDQ Query、IHE PIX Query）");
    if (!err)
        err = q.pix ? read_pix(&p) : read_pdq(&p);
    *ret_query = q; /* also then: the answer names the query */
    return err;
}
