/* SPDX-License-Identifier: Apache-2.0
 *
 * Consent rules: kept beside the Consent's row, read back, and decided in plain C. The gate inside the SQL
 * (storage/gate.c) decides the same for itself; the two are written apart on purpose, so that one can
 * check the other. Consent semantics: R4 consent.html (provision, nested exceptions), IHE PCF for the
 * order of rules; what both leave open (several Consents) is settled as deny. Must never permit for
 * want of a rule.
 */
#include "storage/consent.h"

#include <assert.h>

#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

static bool matches(const struct consent_rule *rule, int64_t facility, enum grant_purpose purpose,
                    enum category category, int64_t now_ms)
{
    return (rule->facility == 0 || rule->facility == facility) &&
           (rule->purposes & GRANT_PURPOSE_BIT(purpose)) != 0 &&
           (rule->categories & CATEGORY_BIT(category)) != 0 && rule->from_ms <= now_ms &&
           now_ms < rule->to_ms;
}

/* Does another matching rule of the same Consent, an exception inside its root, come before RULE? */
static bool excepted(const struct consent_rule *rules, size_t count, const struct consent_rule *rule,
                     int64_t facility, enum grant_purpose purpose, enum category category,
                     int64_t now_ms)
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
