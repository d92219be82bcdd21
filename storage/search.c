/* SPDX-License-Identifier: Apache-2.0
 *
 * Composes a search as SQL from enums and fixed fragments; every value from outside is a bound
 * parameter (R4 search.html). Two ways to find candidates, because nothing tells SQLite how
 * selective a code is:
 *
 *   by person  v_chart gives the rid ranges of his charts; records, or the search rows of one
 *              exact code, are sought inside them (v_record by type and rid, v_token by param,
 *              code and rid)
 *   by value   the rows of one exact code, reference or URI give the rids; without such a term
 *              the rows of the type in rid order
 *
 * The other terms are tested per record by (rid, param). The inner statement orders and limits
 * numbers only; the page's bodies are fetched by number, through the gate again. Must never put
 * text from outside into the statement and never read anything but the gated views.
 */
#include "storage/search.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/record_impl.h"
#include "storage/session_impl.h"

#include "base/banned.h"

#define SEARCH_TEXT_MAX (256u * LIMIT_KIB)
#define SEARCH_PARAMS_MAX 16384u

/* A value to bind, in the order of the question marks. */
struct param {
    enum { PARAM_INT, PARAM_REAL, PARAM_TEXT } kind;
    int64_t integer;
    double real;
    struct slice text;
};

struct compose {
    const struct search *search;
    int64_t now_ms;
    struct buf text;
    struct param *params;
    unsigned count;
    unsigned room;
    bool overflow;
    struct param nowhere; /* takes what no longer has room; the search is then refused */
};

static const struct shape {
    const char *view;
    const char *key; /* the column an exact value seeks; NULL: ranges only */
} shapes[] = {
    [FACET_TOKEN] = {"v_token", "code"},   [FACET_STRING] = {"v_string", NULL},
    [FACET_DATE] = {"v_date", NULL},       [FACET_NUMBER] = {"v_number", NULL},
    [FACET_QUANTITY] = {"v_number", NULL}, [FACET_REFERENCE] = {"v_reference", "target"},
    [FACET_URI] = {"v_uri", "uri"},
};

/* ── writing text and parameters side by side ────────────────────────────────────────────────── */

static void say(struct compose *c, const char *text)
{
    buf_adds(&c->text, text);
}

static struct param *next_param(struct compose *c)
{
    if (c->count < c->room)
        return &c->params[c->count++];
    c->overflow = true;
    return &c->nowhere;
}

/* FRAGMENT holds one question mark for VALUE. */
static void say_int(struct compose *c, const char *fragment, int64_t value)
{
    say(c, fragment);
    *next_param(c) = (struct param){.kind = PARAM_INT, .integer = value};
}

static void say_real(struct compose *c, const char *fragment, double value)
{
    say(c, fragment);
    *next_param(c) = (struct param){.kind = PARAM_REAL, .real = value};
}

static void say_text(struct compose *c, const char *fragment, struct slice value)
{
    say(c, fragment);
    *next_param(c) = (struct param){.kind = PARAM_TEXT, .text = value};
}

/* Lists are padded to a power of two by repeating the last value, so that few different texts
 * exist. */
static size_t padded(size_t count)
{
    size_t size = 1;
    while (size < count)
        size *= 2;
    return size;
}

static void say_texts(struct compose *c, const struct slice *values, size_t count)
{
    say(c, " IN (");
    for (size_t i = 0; i < padded(count); i++)
        say_text(c, i ? ",?" : "?", values[i < count ? i : count - 1]);
    say(c, ")");
}

static void say_ints(struct compose *c, const int64_t *values, size_t count)
{
    say(c, " IN (");
    for (size_t i = 0; i < padded(count); i++)
        say_int(c, i ? ",?" : "?", values[i < count ? i : count - 1]);
    say(c, ")");
}

/* ── one value against one search row t ──────────────────────────────────────────────────────── */

/* Token "system|code", "|code", "code", "system|" (R4 search.html#token). */
static void say_token(struct compose *c, const struct search_value *v)
{
    say(c, "(1");
    if (!v->any_code)
        say_text(c, " AND t.code = ?", v->text);
    if (!v->any_system)
        say_text(c, " AND t.system = ?", v->system);
    say(c, ")");
}

static void say_string(struct compose *c, const struct search_value *v)
{
    if (v->op == SEARCH_EXACT) {
        say_text(c, "t.raw = ?", v->raw);
    } else if (v->op == SEARCH_CONTAINS) {
        say_text(c, "instr(t.folded, ?) > 0", v->text);
    } else {
        /* x'ff' sorts after every continuation of the prefix: no UTF-8 text holds that byte. */
        say_text(c, "(t.folded >= ?", v->text);
        say_text(c, " AND t.folded < CAST(? || x'ff' AS TEXT))", v->text);
    }
}

/* The row's span [LO, HI) against the value's, by prefix (R4 search.html#prefix). In the patterns
 * L and H stand for the row's ends, l and h for the value's, '&' and '|' for AND and OR. */
static void say_span(struct compose *c, enum search_op op, const char *lo, const char *hi,
                     struct when w)
{
    static const char *const patterns[] = {
        [SEARCH_EQ] = "(L>=l&H<=h)",
        [SEARCH_NE] = "(L<l|H>h)",
        [SEARCH_GT] = "(H>h)",
        [SEARCH_LT] = "(L<l)",
        [SEARCH_GE] = "(H>h|(L>=l&H<=h))",
        [SEARCH_LE] = "(L<l|(L>=l&H<=h))",
        [SEARCH_SA] = "(L>=h)",
        [SEARCH_EB] = "(H<=l)",
        [SEARCH_AP] = "(L<h&H>l)",
    };
    assert(op < sizeof patterns / sizeof patterns[0]);
    for (const char *p = patterns[op]; *p; p++) {
        if (*p == 'L')
            say(c, lo);
        else if (*p == 'H')
            say(c, hi);
        else if (*p == 'l')
            say_int(c, "?", w.lo_ms);
        else if (*p == 'h')
            say_int(c, "?", w.hi_ms);
        else if (*p == '&')
            say(c, " AND ");
        else if (*p == '|')
            say(c, " OR ");
        else
            buf_addc(&c->text, *p);
    }
}

/* Approximately: a tenth of the distance to now, either way (R4's own suggestion). */
static struct when widened(struct when w, int64_t now_ms)
{
    int64_t middle = w.lo_ms / 2 + w.hi_ms / 2;
    int64_t distance = now_ms > middle ? now_ms - middle : middle - now_ms;
    int64_t slack = distance / 10;
    w.lo_ms = w.lo_ms < WHEN_MIN + slack ? WHEN_MIN : w.lo_ms - slack;
    w.hi_ms = w.hi_ms > WHEN_MAX - slack ? WHEN_MAX : w.hi_ms + slack;
    return w;
}

static void say_when(struct compose *c, enum search_op op, const char *lo, const char *hi,
                     struct when w)
{
    say_span(c, op, lo, hi, op == SEARCH_AP ? widened(w, c->now_ms) : w);
}

static void say_date(struct compose *c, const struct search_value *v)
{
    say_when(c, v->op, "t.lo", "t.hi", v->when);
}

/* Numbers: equality allows the precision of the literal; the comparing prefixes take both numbers
 * as exact (R4 search.html#number), that is the middle of their spans. The slack absorbs the
 * rounding of binary fractions, so that gt5.4 does not find 5.40. */
static void say_number(struct compose *c, const struct search_value *v)
{
    static const char middle[] = "(t.lo + t.hi) / 2";
    double value = (v->lo + v->hi) / 2;
    double size = value < 0 ? -value : value;
    double slack = size * 1e-12;
    say(c, "(");
    if (v->op == SEARCH_NE)
        say(c, "NOT (");
    say(c, middle);
    switch (v->op) {
    case SEARCH_GT:
    case SEARCH_SA:
        say_real(c, " > ?", value + slack);
        break;
    case SEARCH_LT:
    case SEARCH_EB:
        say_real(c, " < ?", value - slack);
        break;
    case SEARCH_GE:
        say_real(c, " >= ?", value - slack);
        break;
    case SEARCH_LE:
        say_real(c, " <= ?", value + slack);
        break;
    case SEARCH_AP:
        say_real(c, " BETWEEN ?", value - size / 10 - slack);
        say_real(c, " AND ?", value + size / 10 + slack);
        break;
    default:
        say_real(c, " >= ?", v->lo - slack);
        say(c, " AND ");
        say(c, middle);
        say_real(c, " < ?", v->hi);
    }
    if (v->op == SEARCH_NE)
        say(c, ")");
    if (!v->any_system)
        say_text(c, " AND t.system = ?", v->system);
    if (v->unit.len)
        say_text(c, " AND t.unit = ?", v->unit);
    say(c, ")");
}

static void say_reference(struct compose *c, const struct search_value *v)
{
    say_text(c, "t.target = ?", v->text);
}

static void say_uri(struct compose *c, const struct search_value *v)
{
    say_text(c, "t.uri = ?", v->text);
}

static void say_value(struct compose *c, enum facet_kind kind, const struct search_value *v)
{
    static void (*const kinds[])(struct compose * c, const struct search_value *v) = {
        [FACET_TOKEN] = say_token,     [FACET_STRING] = say_string,
        [FACET_DATE] = say_date,       [FACET_NUMBER] = say_number,
        [FACET_QUANTITY] = say_number, [FACET_REFERENCE] = say_reference,
        [FACET_URI] = say_uri,
    };
    assert(kind < sizeof kinds / sizeof kinds[0]);
    kinds[kind](c, v);
}

/* OR of all values, as a balanced tree: SQLite bounds the depth of an expression. */
static void say_values(struct compose *c, enum facet_kind kind, const struct search_value *values,
                       size_t count)
{
    if (count == 1) {
        say_value(c, kind, values);
        return;
    }
    say(c, "(");
    say_values(c, kind, values, count / 2);
    say(c, " OR ");
    say_values(c, kind, values + count / 2, count - count / 2);
    say(c, ")");
}

/* ── terms ───────────────────────────────────────────────────────────────────────────────────── */

/* Can the term's values be sought one by one in their index? */
static bool is_exact(const struct search_term *term)
{
    if (!shapes[term->kind].key)
        return false;
    for (size_t i = 0; i < term->value_count; i++) {
        if (term->values[i].op != SEARCH_EQ || term->values[i].any_code)
            return false;
    }
    return term->value_count > 0;
}

/* How much an exact term is worth as the start: references and URIs name little, a code with its
 * system less than a bare one (status, gender). 0: cannot start. */
static unsigned worth(const struct search_term *term)
{
    if (!is_exact(term))
        return 0;
    if (term->kind != FACET_TOKEN)
        return 3;
    return term->values[0].any_system || term->values[0].system.len == 0 ? 1 : 2;
}

static const struct search_term *best_start(const struct search *search)
{
    const struct search_term *best = NULL;
    for (size_t i = 0; i < search->term_count; i++) {
        if (worth(&search->terms[i]) > (best ? worth(best) : 0))
            best = &search->terms[i];
    }
    return best;
}

static void say_keys(struct compose *c, const struct search_term *term)
{
    say(c, " AND t.");
    say(c, shapes[term->kind].key);
    if (term->value_count == 1) {
        say_text(c, " = ?", term->values[0].text);
        return;
    }
    say(c, " IN (");
    for (size_t i = 0; i < padded(term->value_count); i++) {
        size_t at = i < term->value_count ? i : term->value_count - 1;
        say_text(c, i ? ",?" : "?", term->values[at].text);
    }
    say(c, ")");
}

static bool needs_systems(const struct search_term *term)
{
    bool needs = false;
    for (size_t i = 0; term->kind == FACET_TOKEN && i < term->value_count; i++)
        needs = needs || !term->values[i].any_system;
    return needs;
}

static void say_person(struct compose *c)
{
    const struct search *search = c->search;
    if (search->persons_given && search->person_count > 0) {
        say(c, " k.person");
        say_ints(c, search->persons, search->person_count);
        if (search->person > 0)
            say(c, " AND");
    }
    if (search->person > 0)
        say_int(c, " k.person = ?", search->person);
}

static bool by_person(const struct search *search)
{
    return search->person > 0 || search->persons_given;
}

/* The records of the persons asked for: r inside their charts. */
static void say_start_of_person(struct compose *c)
{
    say(c, "FROM v_chart k CROSS JOIN v_record r ON r.rid >= k.rid_lo AND r.rid < k.rid_hi WHERE");
    say_person(c);
    say_text(c, " AND r.type = ?", c->search->type);
}

/* The records that one exact term names, inside the persons' charts if any were asked for. The
 * plus keeps SQLite from starting with all rows of the type. */
static void say_start_of_value(struct compose *c, const struct search_term *term)
{
    say_text(c, "FROM v_record r WHERE +r.type = ? AND r.rid IN (SELECT t.rid FROM ",
             c->search->type);
    if (by_person(c->search)) {
        say(c, "v_chart k CROSS JOIN ");
        say(c, shapes[term->kind].view);
        say(c, " t ON t.rid >= k.rid_lo AND t.rid < k.rid_hi WHERE");
        say_person(c);
        say(c, " AND");
    } else {
        say(c, shapes[term->kind].view);
        say(c, " t WHERE");
    }
    say_int(c, " t.param = ?", term->param);
    say_keys(c, term);
    if (needs_systems(term)) {
        say(c, " AND ");
        say_values(c, term->kind, term->values, term->value_count);
    }
    say(c, ")");
}

/* A term tested per record. :missing asks for any row of the parameter, :not for none with the
 * values. */
static void say_term(struct compose *c, const struct search_term *term)
{
    const struct search_value *first = &term->values[0];
    bool missing = first->op == SEARCH_MISSING;
    bool none = first->op == SEARCH_NOT || (missing && slice_is(first->text, "true"));
    say(c, none ? " AND NOT EXISTS (SELECT 1 FROM " : " AND EXISTS (SELECT 1 FROM ");
    say(c, shapes[term->kind].view);
    say_int(c, " t WHERE t.rid = r.rid AND t.param = ?", term->param);
    if (!missing) {
        say(c, " AND ");
        say_values(c, term->kind, term->values, term->value_count);
    }
    say(c, ")");
}

/* One Patient per person: none stands if a better one of the same person is visible. */
static void say_one_patient(struct compose *c)
{
    say(c, " AND NOT EXISTS (SELECT 1 FROM v_chart kb CROSS JOIN v_record b"
           " ON b.rid >= kb.rid_lo AND b.rid < kb.rid_hi"
           " WHERE kb.person = r.person AND b.type = 'Patient'"
           " AND ((b.facility IS tasuki_facility()), b.updated_ms, b.rid)"
           " > ((r.facility IS tasuki_facility()), r.updated_ms, r.rid))");
}

static void say_from(struct compose *c)
{
    const struct search *search = c->search;
    const struct search_term *start = search->ids ? NULL : best_start(search);
    if (start)
        say_start_of_value(c, start);
    else if (by_person(search))
        say_start_of_person(c);
    else
        say_text(c, "FROM v_record r WHERE r.type = ?", search->type);
    if (search->ids) {
        say(c, " AND r.id");
        say_texts(c, search->ids, search->id_count);
    }
    for (size_t i = 0; i < search->updated_count; i++) {
        say(c, " AND ");
        say_when(c, search->updated_ops[i], "r.updated_ms", "(r.updated_ms + 1)",
                 search->updated[i]);
    }
    if (search->categories)
        say_int(c, " AND (? >> r.category) & 1", (int64_t)search->categories);
    for (size_t i = 0; i < search->term_count; i++) {
        if (&search->terms[i] != start)
            say_term(c, &search->terms[i]);
    }
    if (slice_is(search->type, "Patient"))
        say_one_patient(c);
}

/* ── whole statements ────────────────────────────────────────────────────────────────────────── */

static const char *sort_key(const struct search *search)
{
    static const char *const keys[] = {
        [SEARCH_SORT_NONE] = "r.rid",
        [SEARCH_SORT_DATE] = "r.when_lo",
        [SEARCH_SORT_UPDATED] = "r.updated_ms",
    };
    assert(search->sort < sizeof keys / sizeof keys[0]);
    return keys[search->sort];
}

/* Only what comes after the place given, in the order of the page. */
static void say_after(struct compose *c)
{
    const char *than = c->search->descending ? " < " : " > ";
    say(c, " AND (");
    if (c->search->sort != SEARCH_SORT_NONE) {
        say(c, sort_key(c->search));
        say(c, ", ");
    }
    say(c, "r.rid)");
    say(c, than);
    if (c->search->sort != SEARCH_SORT_NONE)
        say_int(c, "(?, ", c->search->after_key);
    else
        say(c, "(");
    say_int(c, "?)", c->search->after_rid);
}

static void say_page(struct compose *c)
{
    const struct search *search = c->search;
    const char *way = search->descending ? " DESC" : "";
    say(c, "SELECT p.key, " RECORD_COLUMNS " FROM (SELECT r.rid AS rid, ");
    say(c, sort_key(search));
    say(c, " AS key ");
    say_from(c);
    if (search->after_given)
        say_after(c);
    say(c, " ORDER BY ");
    if (search->sort != SEARCH_SORT_NONE) {
        say(c, sort_key(search));
        say(c, way);
        say(c, ", ");
    }
    say(c, "r.rid");
    say(c, way);
    say_int(c, " LIMIT ?", (int64_t)search->limit + 1);
    say(c, ") p CROSS JOIN v_record r ON r.rid = p.rid ORDER BY p.key");
    say(c, way);
    say(c, ", p.rid");
    say(c, way);
}

static void say_count(struct compose *c)
{
    say(c, "SELECT count(*) ");
    say_from(c);
}

static void bind_all(struct sql *q, const struct compose *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        const struct param *p = &c->params[i];
        if (p->kind == PARAM_INT)
            sql_bind_i64(q, (int)i + 1, p->integer);
        else if (p->kind == PARAM_REAL)
            sql_bind_real(q, (int)i + 1, p->real);
        else
            sql_bind_text(q, (int)i + 1, p->text);
    }
}

/* Compiles what SAY writes and binds its values. */
static enum err prepare(struct session *s, struct compose *c, void (*say_it)(struct compose *c),
                        struct sql **ret_sql)
{
    buf_clear(&c->text);
    c->count = 0;
    c->overflow = false;
    say_it(c);
    buf_addc(&c->text, '\0');
    enum err err = buf_err(&c->text);
    if (!err && c->overflow)
        err = ERR_TOO_LARGE;
    if (!err)
        err = sql_prepare_composed(s, c->text.ptr, ret_sql);
    if (!err)
        bind_all(*ret_sql, c);
    return err;
}

static enum err run_count(struct session *s, struct compose *c, struct search_result *result)
{
    struct sql *q = NULL;
    enum err err = prepare(s, c, say_count, &q);
    if (err)
        return err;
    err = sql_row(q);
    if (!err)
        result->total = (uint64_t)sql_i64(q, 0);
    return sql_done(q, err);
}

static enum err run_page(struct session *s, struct compose *c, struct arena *arena,
                         struct search_result *result)
{
    unsigned limit = c->search->limit;
    struct sql *q = NULL;
    result->records = arena_array(arena, limit, sizeof *result->records);
    if (!result->records)
        return ERR_LIMIT;
    enum err err = prepare(s, c, say_page, &q);
    if (err)
        return err;
    bool row = false;
    while (!(err = sql_step(q, &row)) && row) {
        if (result->count == limit) {
            result->more = true;
            break;
        }
        struct record *record = &result->records[result->count++];
        result->last_key = sql_i64(q, 0);
        record_load(q, 1, arena, record);
        result->last_rid = record->rid;
    }
    return sql_done(q, err);
}

/* An impossible restriction needs no statement. */
static bool matches_nothing(const struct search *search)
{
    return search->person < 0 || (search->persons_given && search->person_count == 0) ||
           (search->ids && search->id_count == 0);
}

/* Room for every parameter the terms can need, so that a plain search does not pay for a huge
 * one. */
static unsigned params_needed(const struct search *search)
{
    size_t need = 32 + 2 * search->id_count + 4 * search->person_count + 8 * search->updated_count;
    for (size_t i = 0; i < search->term_count; i++)
        need += 4 + 8 * search->terms[i].value_count;
    return need < SEARCH_PARAMS_MAX ? (unsigned)need : SEARCH_PARAMS_MAX;
}

enum err search_run(struct session *s, struct arena *arena, const struct search *search,
                    struct search_result *ret_result)
{
    struct search_result result = {0};
    struct compose c = {.search = search, .now_ms = session_now_ms(s)};
    enum err err = ERR_OK;
    assert(search->limit <= LIMIT_SEARCH_COUNT);
    if (matches_nothing(search)) {
        *ret_result = result;
        return ERR_OK;
    }
    c.room = params_needed(search);
    c.params = arena_array(arena, c.room, sizeof *c.params);
    if (!c.params)
        return ERR_LIMIT;
    buf_init(&c.text, SEARCH_TEXT_MAX);
    if (search->limit > 0)
        err = run_page(s, &c, arena, &result);
    if (!err && search->count_total)
        err = run_count(s, &c, &result);
    buf_fini(&c.text);
    if (!err)
        *ret_result = result;
    return err;
}

enum err search_visible(struct session *s, int64_t person, uint64_t *ret_categories)
{
    struct sql *q = NULL;
    enum err err = sql_prepare(s, "SELECT category FROM v_access WHERE person = ?1", SQL_GATED, &q);
    if (err)
        return err;
    sql_bind_i64(q, 1, person);
    uint64_t categories = 0;
    bool row = false;
    while (!(err = sql_step(q, &row)) && row)
        categories |= CATEGORY_BIT(sql_i64(q, 0));
    err = sql_done(q, err);
    if (!err)
        *ret_categories = categories;
    return err;
}
