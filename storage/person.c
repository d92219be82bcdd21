/* SPDX-License-Identifier: Apache-2.0
 *
 * The relay index: looking up persons and charts, registering residents, cards. Card numbers have
 * 12 digits, the last a Luhn check digit (ISO/IEC 7812). These are the store's own statements,
 * outside the gate: they say who is meant and release nothing clinical. Must never hand out a '~'
 * local number, which is the store's own invention, nor find a person by a revoked card.
 */
#include "storage/person_impl.h"

#include <assert.h>

#include "base/ids.h"
#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

#define CARD_LEN 12
#define CARD_TRIES 100  /* draws for a free number; 10^11 numbers exist */
#define LOCAL_RANDOM 16 /* bytes behind '~' */

/* ── look-ups ────────────────────────────────────────────────────────────────────────────────── */

/* Runs Q, whose one row has one or two numbers. Ends it. */
static enum err find_ids(struct sql *q, int64_t *ret_first, int64_t *ret_second)
{
    int64_t first = 0;
    int64_t second = 0;
    enum err err = sql_row(q);

    if (err == ERR_OK) {
        first = sql_i64(q, 0);
        second = ret_second ? sql_i64(q, 1) : 0;
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    if (ret_first)
        *ret_first = first;
    if (ret_second)
        *ret_second = second;
    return ERR_OK;
}

static bool is_card_number(struct slice number)
{
    return number.len == CARD_LEN && ids_luhn_ok(number);
}

enum err person_by_card(struct session *s, struct slice number, int64_t *ret_person)
{
    struct sql *q;
    enum err err;

    if (!is_card_number(number))
        return ERR_NOT_FOUND;
    err = sql_prepare(s, "SELECT person FROM card WHERE number = ? AND revoked_ms IS NULL", SQL_OWN,
                      &q);
    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, number);
    return find_ids(q, ret_person, NULL);
}

enum err person_by_local(struct session *s, int64_t facility, struct slice local_no,
                         int64_t *ret_person, int64_t *ret_chart)
{
    struct sql *q;
    enum err err;

    if (local_no.len == 0 || local_no.ptr[0] == '~')
        return ERR_NOT_FOUND;
    err = sql_prepare(s, "SELECT person, id FROM chart WHERE facility = ? AND local_no = ?",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, local_no);
    return find_ids(q, ret_person, ret_chart);
}

enum err person_local_of_chart(struct session *s, struct arena *arena, int64_t chart,
                               struct slice *ret_local)
{
    struct sql *q;
    enum err err = sql_prepare(s, "SELECT local_no FROM chart WHERE id = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    err = sql_row(q);
    if (err == ERR_OK) {
        struct slice local = sql_slice(q, 0);
        *ret_local = local.len > 0 && local.ptr[0] == '~' ? SLICE_NONE : arena_dup(arena, local);
    }
    return sql_done(q, err);
}

enum err person_by_alias(struct session *s, int64_t facility, struct slice alias,
                         int64_t *ret_person, int64_t *ret_chart)
{
    struct sql *q;
    enum err err;

    if (alias.len == 0)
        return ERR_NOT_FOUND;
    err = sql_prepare(s, "SELECT person, id FROM chart WHERE facility = ? AND alias = ?", SQL_OWN,
                      &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, alias);
    return find_ids(q, ret_person, ret_chart);
}

enum err person_by_insured(struct session *s, struct slice insurer, struct slice symbol,
                           struct slice number, struct slice branch, int64_t *ret_person)
{
    struct sql *q;
    int64_t person = 0;
    enum err err = sql_prepare(s,
                               "SELECT person FROM insured WHERE insurer = ? AND symbol = ?"
                               " AND number = ? AND branch = ?",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, insurer);
    sql_bind_text(q, 2, symbol);
    sql_bind_text(q, 3, number);
    sql_bind_text(q, 4, branch);
    err = find_ids(q, &person, NULL);
    return err != ERR_OK ? err : person_now(s, person, ret_person);
}

enum err person_now(struct session *s, int64_t person, int64_t *ret_now)
{
    struct sql *q;
    enum err err =
        sql_prepare(s,
                    "SELECT c.person FROM link_log l JOIN chart c ON c.id = l.chart"
                    " WHERE l.from_person = ?1 AND " PERSON_BECAME("?1", "c.person") " LIMIT 1",
                    SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    err = find_ids(q, ret_now, NULL);
    if (err != ERR_NOT_FOUND)
        return err;
    *ret_now = person;
    return ERR_OK;
}

enum err person_exists(struct session *s, int64_t person)
{
    struct sql *q;
    enum err err = sql_prepare(s, "SELECT id FROM person WHERE id = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    return find_ids(q, NULL, NULL);
}

enum err person_of_chart(struct session *s, int64_t chart, int64_t *ret_person,
                         int64_t *ret_facility)
{
    struct sql *q;
    enum err err = sql_prepare(s, "SELECT person, facility FROM chart WHERE id = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    return find_ids(q, ret_person, ret_facility);
}

enum err person_chart(struct session *s, int64_t facility, int64_t person, int64_t *ret_chart)
{
    struct sql *q;
    enum err err =
        sql_prepare(s, "SELECT id FROM chart WHERE person = ? AND facility = ? ORDER BY id LIMIT 1",
                    SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    sql_bind_i64(q, 2, facility);
    return find_ids(q, ret_chart, NULL);
}

enum err person_open_chart(struct session *s, int64_t facility, int64_t person, int64_t *ret_chart)
{
    static const struct person_claim nothing;
    enum err err = person_chart(s, facility, person, ret_chart);

    if (err != ERR_NOT_FOUND)
        return err;
    err = person_exists(s, person);
    if (err != ERR_OK)
        return err;
    return person_make_chart(s, facility, &nothing, person, "local", ret_chart);
}

enum err person_chart_count(struct session *s, int64_t person, int64_t *ret_count)
{
    struct sql *q;
    enum err err = sql_prepare(s, "SELECT count(*) FROM chart WHERE person = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    return find_ids(q, ret_count, NULL);
}

enum err person_is_carded(struct session *s, int64_t person, bool *ret_carded)
{
    struct sql *q;
    int64_t carded = 0;
    enum err err =
        sql_prepare(s,
                    "SELECT EXISTS (SELECT 1 FROM card WHERE person = ?1 AND revoked_ms IS NULL)"
                    " OR EXISTS (SELECT 1 FROM cert WHERE person = ?1 AND revoked_ms IS NULL)",
                    SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    err = find_ids(q, &carded, NULL);
    if (err == ERR_OK)
        *ret_carded = carded != 0;
    return err;
}

/* ── what a facility may know of a person's numbers ──────────────────────────────────────────── */

static enum err card_of(struct session *s, struct arena *arena, int64_t person,
                        struct slice *ret_card)
{
    struct sql *q;
    bool found = false;
    enum err err = sql_prepare(s,
                               "SELECT number FROM card WHERE person = ? AND revoked_ms IS NULL"
                               " ORDER BY issued_ms DESC LIMIT 1",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    err = sql_step(q, &found);
    *ret_card = SLICE_NONE;
    if (err == ERR_OK && found)
        *ret_card = sql_dup(q, 0, arena);
    return sql_done(q, err);
}

/* All rows of Q: column 0 is the text, column 1 the number of rows. Ends it. */
static enum err read_texts(struct sql *q, struct arena *arena, const struct slice **ret_texts,
                           size_t *ret_count)
{
    struct slice *texts = NULL;
    size_t count = 0;
    bool more = false;
    enum err err;

    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        if (!texts && !(texts = arena_array(arena, (size_t)sql_i64(q, 1), sizeof *texts))) {
            err = ERR_LIMIT;
            break;
        }
        texts[count++] = sql_dup(q, 0, arena);
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_texts = texts;
    *ret_count = count;
    return ERR_OK;
}

enum err person_identifiers(struct session *s, struct arena *arena, int64_t person,
                            int64_t facility, bool with_insured, struct person_ids *ret_ids)
{
    struct person_ids ids = {.card = SLICE_NONE};
    struct sql *q;
    enum err err = card_of(s, arena, person, &ids.card);

    if (err != ERR_OK)
        return err;
    err = sql_prepare(s,
                      "SELECT local_no, count(*) OVER () FROM chart WHERE person = ?"
                      " AND facility = ? AND local_no NOT LIKE '~%' ORDER BY id",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    sql_bind_i64(q, 2, facility);
    err = read_texts(q, arena, &ids.local_nos, &ids.local_count);
    if (err == ERR_OK && with_insured) {
        err =
            sql_prepare(s,
                        "SELECT insurer || ':' || symbol || ':' || number || ':' || branch,"
                        " count(*) OVER () FROM insured WHERE person = ? ORDER BY seen_ms DESC, 1",
                        SQL_OWN, &q);
        if (err != ERR_OK)
            return err;
        sql_bind_i64(q, 1, person);
        err = read_texts(q, arena, &ids.insured, &ids.insured_count);
    }
    if (err == ERR_OK)
        *ret_ids = ids;
    return err;
}

enum err person_charts(struct session *s, struct arena *arena, int64_t person,
                       struct person_chart_row **ret_rows, size_t *ret_count)
{
    struct person_chart_row *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT c.id, c.person, c.facility, f.key,"
                               " CASE WHEN c.local_no LIKE '~%' THEN '' ELSE c.local_no END,"
                               " count(*) OVER () FROM chart c JOIN facility f ON f.id = c.facility"
                               " WHERE c.person = ? ORDER BY c.id",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 5), sizeof *rows))) {
            err = ERR_LIMIT;
            break;
        }
        rows[count++] = (struct person_chart_row){
            .chart = sql_i64(q, 0),
            .person = sql_i64(q, 1),
            .facility = sql_i64(q, 2),
            .facility_key = sql_dup(q, 3, arena),
            .local_no = sql_dup(q, 4, arena),
        };
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rows = rows;
    *ret_count = count;
    return ERR_OK;
}

/* ── making ──────────────────────────────────────────────────────────────────────────────────── */

enum err person_make(struct session *s, const struct person_claim *claim, int64_t *ret_person)
{
    static const struct person_claim nothing;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "INSERT INTO person(name, kana, birth_date, gender, created_ms)"
                               " VALUES(?,?,?,?,?)",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    if (!claim)
        claim = &nothing;
    sql_bind_text(q, 1, claim->name);
    sql_bind_text(q, 2, claim->kana);
    sql_bind_text(q, 3, claim->birth_date);
    sql_bind_text(q, 4, slice_is(claim->gender, "unknown") ? SLICE("") : claim->gender);
    sql_bind_i64(q, 5, session_now_ms(s));
    err = sql_run(q);
    if (err == ERR_OK)
        *ret_person = sql_last_id(s);
    return err;
}

static void invent_local_no(char ret_text[2 * LOCAL_RANDOM + 2])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[LOCAL_RANDOM];

    ids_random(bytes, sizeof bytes);
    ret_text[0] = '~';
    for (size_t i = 0; i < LOCAL_RANDOM; i++) {
        ret_text[1 + 2 * i] = hex[bytes[i] >> 4];
        ret_text[2 + 2 * i] = hex[bytes[i] & 15];
    }
    ret_text[1 + 2 * LOCAL_RANDOM] = '\0';
}

enum err person_make_chart(struct session *s, int64_t facility, const struct person_claim *claim,
                           int64_t person, const char *reason, int64_t *ret_chart)
{
    char invented[2 * LOCAL_RANDOM + 2];
    int64_t chart;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "INSERT INTO chart(facility, local_no, alias, person, created_ms)"
                               " VALUES(?,?,?,?,?)",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    invent_local_no(invented);
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, claim->local_no.len > 0 ? claim->local_no : slice_str(invented));
    sql_bind_text_or_null(q, 3, claim->alias);
    sql_bind_i64(q, 4, person);
    sql_bind_i64(q, 5, session_now_ms(s));
    err = sql_run(q);
    if (err != ERR_OK)
        return err;
    chart = sql_last_id(s);
    err = sql_prepare(s,
                      "INSERT INTO link_log(chart, from_person, to_person, reason, at_ms)"
                      " VALUES(?, NULL, ?, ?, ?)",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, person);
    sql_bind_str(q, 3, reason);
    sql_bind_i64(q, 4, session_now_ms(s));
    err = sql_run(q);
    if (err == ERR_OK)
        *ret_chart = chart;
    return err;
}

/* ── cards ───────────────────────────────────────────────────────────────────────────────────── */

static enum err card_used(struct session *s, struct slice number, bool *ret_used)
{
    struct sql *q;
    enum err err = sql_prepare(s, "SELECT 1 FROM card WHERE number = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, number);
    err = sql_step(q, ret_used);
    return sql_done(q, err);
}

enum err person_issue_card(struct session *s, int64_t person, struct slice number)
{
    struct slice held = SLICE_NONE;
    struct arena *arena;
    struct sql *q;
    bool used = false;
    enum err err;

    assert(session_writes(s));
    if (!is_card_number(number))
        return ERR_INVALID;
    err = person_exists(s, person);
    if (err == ERR_OK)
        err = card_used(s, number, &used);
    if (err != ERR_OK)
        return err;
    arena = arena_new(4096);
    if (!arena)
        return ERR_LIMIT;
    err = card_of(s, arena, person, &held);
    arena_free(arena);
    if (err == ERR_OK && (used || held.len > 0))
        err = ERR_CONFLICT; /* a number is never given twice, a person holds one card at a time */
    if (err != ERR_OK)
        return err;
    err = sql_prepare(s, "INSERT INTO card(number, person, issued_ms) VALUES(?,?,?)", SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, number);
    sql_bind_i64(q, 2, person);
    sql_bind_i64(q, 3, session_now_ms(s));
    return sql_run(q);
}

enum err person_revoke_card(struct session *s, struct slice number)
{
    struct sql *q;
    bool known = false;
    enum err err;

    assert(session_writes(s));
    err = card_used(s, number, &known);
    if (err != ERR_OK)
        return err;
    if (!known)
        return ERR_NOT_FOUND;
    err = sql_prepare(s, "UPDATE card SET revoked_ms = ? WHERE number = ? AND revoked_ms IS NULL",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, session_now_ms(s));
    sql_bind_text(q, 2, number);
    return sql_run(q);
}

enum err person_free_card(struct session *s, char ret_number[CARD_LEN + 1])
{
    char number[CARD_LEN + 1];
    bool used = true;
    enum err err = ERR_OK;

    for (int i = 0; err == ERR_OK && used && i < CARD_TRIES; i++) {
        uint64_t draw;

        ids_random(&draw, sizeof draw);
        for (int k = CARD_LEN - 2; k >= 0; k--, draw /= 10)
            number[k] = (char)('0' + draw % 10);
        number[CARD_LEN - 1] = ids_luhn_digit(slice_of(number, CARD_LEN - 1));
        number[CARD_LEN] = '\0';
        err = card_used(s, slice_of(number, CARD_LEN), &used);
    }
    if (err == ERR_OK && used)
        err = ERR_UNAVAILABLE;
    if (err == ERR_OK)
        memcpy(ret_number, number, sizeof number);
    return err;
}
