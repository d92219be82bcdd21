/* SPDX-License-Identifier: Apache-2.0
 *
 * Consent rules: kept beside the Consent's row, read back, and decided in plain C. The gate inside
 * the SQL (storage/gate.c) decides the same for itself; the two are written apart on purpose, so
 * that one can check the other. Consent semantics: R4 consent.html (provision, nested exceptions),
 * IHE PCF for the order of rules; what both leave open (several Consents) is settled as deny. Must
 * never permit for want of a rule.
 */
#include "storage/consent.h"

#include <assert.h>

#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

#define RULES_MAX (16u * 1024u * 1024u) /* bytes: 250,000 rules about one person */

static bool matches(const struct consent_rule *rule, int64_t facility, enum grant_purpose purpose,
                    enum category category, int64_t now_ms)
{
    return (rule->facility == 0 || rule->facility == facility) &&
           (rule->purposes & GRANT_PURPOSE_BIT(purpose)) != 0 &&
           (rule->categories & CATEGORY_BIT(category)) != 0 && rule->from_ms <= now_ms &&
           now_ms < rule->to_ms;
}

/* Does a matching exception inside the same Consent come before RULE? */
static bool excepted(const struct consent_rule *rules, size_t count,
                     const struct consent_rule *rule, int64_t facility, enum grant_purpose purpose,
                     enum category category, int64_t now_ms)
{
    if (rule->nested)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (rules[i].nested && rules[i].consent == rule->consent &&
            matches(&rules[i], facility, purpose, category, now_ms))
            return true;
    }
    return false;
}

bool consent_decide(const struct consent_rule *rules, size_t count, int64_t facility,
                    enum grant_purpose purpose, enum category category, int64_t now_ms,
                    const struct consent_rule **ret_rule)
{
    const struct consent_rule *permit = NULL;
    const struct consent_rule *deny = NULL;

    assert(purpose < GRANT_PURPOSE_COUNT && category < CATEGORY_COUNT);
    for (size_t i = 0; i < count && !deny; i++) {
        const struct consent_rule *rule = &rules[i];

        if (!matches(rule, facility, purpose, category, now_ms) ||
            excepted(rules, count, rule, facility, purpose, category, now_ms))
            continue;
        if (!rule->permit)
            deny = rule;
        else if (!permit)
            permit = rule;
    }
    *ret_rule = deny ? deny : permit;
    return !deny && permit;
}

static enum err insert_rule(struct session *s, int64_t chart, int64_t rid, size_t seq,
                            const struct consent_rule *rule)
{
    struct sql *q;
    enum err err = sql_prepare(s,
                               "INSERT INTO consent_rule(chart, rid, seq, effect, nested, facility,"
                               " purposes, categories, from_ms, to_ms) VALUES(?,?,?,?,?,?,?,?,?,?)",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, rid);
    sql_bind_i64(q, 3, (int64_t)seq);
    sql_bind_i64(q, 4, rule->permit);
    sql_bind_i64(q, 5, rule->nested);
    sql_bind_i64(q, 6, rule->facility);
    sql_bind_i64(q, 7, rule->purposes);
    sql_bind_i64(q, 8, (int64_t)rule->categories);
    sql_bind_i64(q, 9, rule->from_ms);
    sql_bind_i64(q, 10, rule->to_ms);
    return sql_run(q);
}

enum err consent_put_rules(struct session *s, int64_t chart, int64_t rid,
                           const struct consent_rule *rules, size_t count)
{
    struct sql *q;
    enum err err;

    assert(session_writes(s) && chart > 0 && rid > 0);
    err = sql_prepare(s, "DELETE FROM consent_rule WHERE chart = ? AND rid = ?", SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, chart);
    sql_bind_i64(q, 2, rid);
    err = sql_run(q);
    for (size_t i = 0; err == ERR_OK && i < count; i++)
        err = insert_rule(s, chart, rid, i + 1, &rules[i]);
    return err;
}

static void read_rule(struct sql *q, struct consent_rule *ret_rule)
{
    ret_rule->consent = sql_i64(q, 0);
    ret_rule->permit = sql_i64(q, 1) != 0;
    ret_rule->nested = sql_i64(q, 2) != 0;
    ret_rule->facility = sql_i64(q, 3);
    ret_rule->purposes = (uint32_t)sql_i64(q, 4);
    ret_rule->categories = (uint64_t)sql_i64(q, 5);
    ret_rule->from_ms = sql_i64(q, 6);
    ret_rule->to_ms = sql_i64(q, 7);
}

enum err consent_rules(struct session *s, struct arena *arena, int64_t person,
                       struct consent_rule **ret_rules, size_t *ret_count)
{
    struct consent_rule *rules = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT r.rid, r.effect, r.nested, r.facility, r.purposes,"
                               " r.categories, r.from_ms, r.to_ms, count(*) OVER ()"
                               " FROM chart c JOIN consent_rule r ON r.chart = c.id"
                               " WHERE c.person = ? ORDER BY r.chart, r.rid, r.seq",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rules && !(rules = arena_array(arena, (size_t)sql_i64(q, 8), sizeof *rules))) {
            err = ERR_LIMIT;
            break;
        }
        read_rule(q, &rules[count++]);
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rules = rules;
    *ret_count = count;
    return ERR_OK;
}

/* An emergency opens several categories at once, so that a deny which stands in any of them keeps
 * the glass whole: opening the rest would need a decision the resident did not make. */
enum err consent_forbids_emergency(struct session *s, int64_t person, int64_t facility,
                                   int64_t now_ms, bool *ret_forbids)
{
    struct arena *arena = arena_new(RULES_MAX);
    struct consent_rule *rules = NULL;
    size_t count = 0;
    bool forbids = false;
    enum err err;

    if (!arena)
        return ERR_LIMIT;
    err = consent_rules(s, arena, person, &rules, &count);
    for (unsigned c = 0; err == ERR_OK && !forbids && c < CATEGORY_COUNT; c++) {
        const struct consent_rule *rule = NULL;

        forbids =
            !consent_decide(rules, count, facility, GRANT_BTG, (enum category)c, now_ms, &rule) &&
            rule;
    }
    arena_free(arena);
    if (err == ERR_OK)
        *ret_forbids = forbids;
    return err;
}
