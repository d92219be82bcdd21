/* SPDX-License-Identifier: Apache-2.0
 *
 * Consent resource to rules: root provision and one level of exceptions, each with type, actors
 * (facilities; none means every participant), purposes (none means all ordinary ones, not an
 * emergency) and period. docs/consent.md has worked cases.
 */
#include "exchange/gate/consent.h"

#include "exchange/gate/grant.h"
#include "exchange/gate/refs.h"
#include "base/limits.h"

#include "base/banned.h"

#define CODE_SYSTEM_PURPOSE "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define SYSTEM_INSTITUTION "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"

/* Everything a rule speaks about: clinical and personal data, not the consents and access records
 * themselves. */
#define RULE_CATEGORIES                                                                            \
    (CATEGORY_ALL & ~CATEGORY_BIT(CATEGORY_CONSENT) & ~CATEGORY_BIT(CATEGORY_AUDIT) &              \
     ~CATEGORY_BIT(CATEGORY_NONE))

/* Elements of a provision that PCF basic does not have; we cannot enforce them. */
static const char *const beyond[] = {
    "action", "class", "code", "data", "dataPeriod", "securityLabel", "modifierExtension"};

struct compile {
    struct session *s;
    struct request *r;
    struct consent_rule *rules;
    size_t count;
    size_t room;
};

static enum err compile_type(struct compile *c, const struct json *provision, const char *place,
                             bool *ret_permit)
{
    struct slice type = json_str(provision, "type");
    if (!type.len)
        return err_add(&c->r->errors, ERR_REQUIRED, place, "provision.type: permit, deny");
    *ret_permit = slice_is(type, "permit");
    return ERR_OK;
}

static enum err compile_purposes(struct compile *c, const struct json *provision, const char *place,
                                 uint32_t *ret_purposes)
{
    const struct json *purpose = json_get(provision, "purpose");
    uint32_t mask = 0;
    for (const struct json *p = purpose ? purpose->first : NULL; p; p = p->next) {
        enum grant_purpose found;
        if (!grant_purpose_find(json_str(p, "code"), &found) ||
            (json_str(p, "system").len && !slice_is(json_str(p, "system"), CODE_SYSTEM_PURPOSE)))
            return err_add(&c->r->errors, ERR_INVALID, place, "purpose %.*s",
                           SLICE_ARG(json_str(p, "code")));
        mask |= GRANT_PURPOSE_BIT(found);
    }
    *ret_purposes = mask ? mask : GRANT_PURPOSES_ORDINARY;
    return ERR_OK;
}

static enum err compile_period(struct compile *c, const struct json *provision, const char *place,
                               struct consent_rule *rule)
{
    const struct json *period = json_get(provision, "period");
    struct slice start = json_str(period, "start"), end = json_str(period, "end");
    struct when when;
    rule->from_ms = WHEN_MIN;
    rule->to_ms = WHEN_MAX;
    if (start.len) {
        if (!when_parse_fhir(start, false, &when))
            return err_add(&c->r->errors, ERR_INVALID, place, "period.start");
        rule->from_ms = when.lo_ms;
    }
    if (end.len) {
        if (!when_parse_fhir(end, false, &when))
            return err_add(&c->r->errors, ERR_INVALID, place, "period.end");
        rule->to_ms = when.hi_ms; /* R4 Period: the end includes what matches it */
    }
    return ERR_OK;
}

/* A facility by Organization/key, by institution number or, for old habits, by its code as id. */
static enum err compile_actor(struct compile *c, const struct json *actor, const char *place,
                              int64_t *ret_facility)
{
    const struct json *reference = json_get(actor, "reference");
    const struct json *identifier = json_get(reference, "identifier");
    struct slice text = json_str(reference, "reference");
    struct facility f = {0};
    enum err err = ERR_NOT_FOUND;
    size_t slash = slice_search(text, SLICE("Organization/"), 0);
    if (slash < text.len)
        err =
            registry_facility_by_key(c->s, c->r->arena, slice_sub(text, slash + 13, text.len), &f);
    if (err == ERR_NOT_FOUND && slash < text.len)
        err =
            registry_facility_by_code(c->s, c->r->arena, slice_sub(text, slash + 13, text.len), &f);
    if (err == ERR_NOT_FOUND && slice_is(json_str(identifier, "system"), SYSTEM_INSTITUTION))
        err = registry_facility_by_code(c->s, c->r->arena, json_str(identifier, "value"), &f);
    if (err == ERR_NOT_FOUND)
        return err_add(&c->r->errors, ERR_INVALID, place, "actor: not a facility of this region");
    if (!err)
        *ret_facility = f.id;
    return err;
}

static enum err compile_add(struct compile *c, const struct consent_rule *rule)
{
    if (c->count == c->room)
        return err_add(&c->r->errors, ERR_TOO_LARGE, "Consent.provision", NULL);
    c->rules[c->count++] = *rule;
    return ERR_OK;
}

static enum err compile_provision(struct compile *c, const struct json *provision,
                                  const char *place, bool nested)
{
    struct consent_rule rule = {.nested = nested, .categories = RULE_CATEGORIES};
    const struct json *actor = json_get(provision, "actor");
    enum err err;
    for (size_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++)
        if (json_get(provision, beyond[i]))
            return err_add(&c->r->errors, ERR_INVALID, place, "%s: not supported", beyond[i]);
    if ((err = compile_type(c, provision, place, &rule.permit)) ||
        (err = compile_purposes(c, provision, place, &rule.purposes)) ||
        (err = compile_period(c, provision, place, &rule)))
        return err;
    if (!actor)
        return compile_add(c, &rule);
    for (const struct json *a = actor->first; a && !err; a = a->next) {
        err = compile_actor(c, a, place, &rule.facility);
        if (!err)
            err = compile_add(c, &rule);
    }
    return err;
}

#define RULES_MAX 200

static enum err compile_exactly(struct session *s, struct request *r, const struct json *consent,
                                struct consent_rule **ret_rules, size_t *ret_count)
{
    struct compile c = {.s = s, .r = r, .room = RULES_MAX};
    const struct json *root = json_get(consent, "provision");
    const struct json *nested = json_get(root, "provision");
    struct slice scope = json_str(json_path(consent, "scope", "coding", "0", NULL), "code");
    enum err err;
    c.rules = arena_array(r->arena, RULES_MAX, sizeof(*c.rules));
    if (!c.rules)
        return ERR_LIMIT;
    if (!slice_is(scope, "patient-privacy"))
        return err_add(&r->errors, ERR_INVALID, "Consent.scope", "patient-privacy");
    if (!root)
        return err_add(&r->errors, ERR_REQUIRED, "Consent.provision", NULL);
    if (json_get(consent, "modifierExtension")) /* may turn the meaning round */
        return err_add(&r->errors, ERR_INVALID, "Consent.modifierExtension", "not supported");
    err = compile_provision(&c, root, "Consent.provision", false);
    for (const struct json *n = nested ? nested->first : NULL; n && !err; n = n->next) {
        if (json_get(n, "provision"))
            return err_add(&r->errors, ERR_INVALID, "Consent.provision.provision",
                           "exceptions of exceptions are not supported");
        err = compile_provision(&c, n, "Consent.provision.provision", true);
    }
    if (err)
        return err;
    *ret_rules = c.rules;
    *ret_count = slice_is(json_str(consent, "status"), "active") ? c.count : 0;
    return ERR_OK;
}

static bool denies_something(const struct json *provision, unsigned depth)
{
    const struct json *nested = json_get(provision, "provision");
    bool denies = slice_is(json_str(provision, "type"), "deny");
    for (const struct json *n = nested ? nested->first : NULL; n && !denies && depth > 0; n = n->next)
        denies = denies_something(n, depth - 1);
    return denies;
}

/* The least a Consent can mean that says more than we understand. */
static enum err compile_least(struct request *r, const struct json *consent,
                              struct consent_rule **ret_rules, size_t *ret_count)
{
    struct consent_rule *rule = ARENA_NEW(r->arena, struct consent_rule);
    bool denies = denies_something(json_get(consent, "provision"), LIMIT_JSON_DEPTH);
    if (!rule)
        return ERR_LIMIT;
    *rule = (struct consent_rule){.categories = RULE_CATEGORIES,
                                  .purposes = GRANT_PURPOSES_ORDINARY,
                                  .from_ms = WHEN_MIN,
                                  .to_ms = WHEN_MAX};
    *ret_rules = rule;
    *ret_count = denies && slice_is(json_str(consent, "status"), "active") ? 1 : 0;
    return ERR_OK;
}

enum err consent_compile(struct session *s, struct request *r, const struct json *consent,
                         bool mirrored, struct consent_rule **ret_rules, size_t *ret_count)
{
    struct err_list before = r->errors;
    enum err err = compile_exactly(s, r, consent, ret_rules, ret_count);
    if (!mirrored || (err != ERR_INVALID && err != ERR_REQUIRED && err != ERR_TOO_LARGE))
        return err;
    r->errors = before;
    if (before.last)
        before.last->next = NULL;
    return compile_least(r, consent, ret_rules, ret_count);
}
