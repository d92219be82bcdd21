/* SPDX-License-Identifier: Apache-2.0
 *
 * The only maker of struct grant. Tables say which purposes a kind of facility may claim, which it
 * has when it claims none, and who may break the glass; everything not in a table is refused (fail
 * closed).
 */
#include "exchange/gate/grant.h"

#include <assert.h>

#include "base/category.h"

#include "base/banned.h"

#define BIT(p) GRANT_PURPOSE_BIT(p)
#define CARE (BIT(GRANT_TREAT) | BIT(GRANT_ETREAT) | BIT(GRANT_BTG))
#define OFFICE (BIT(GRANT_HPAYMT) | BIT(GRANT_HOPERAT) | BIT(GRANT_COVERAGE))

/* What each kind of facility may claim; the first column is what it has when the header is absent.
 */
static const struct {
    enum grant_purpose by_default;
    uint32_t purposes;
    bool insurer_numbers;
} kind_rules[FACILITY_KIND_COUNT] = {
    [FACILITY_HOSPITAL] = {GRANT_TREAT, CARE | OFFICE, true},
    [FACILITY_CLINIC] = {GRANT_TREAT, CARE | OFFICE, true},
    [FACILITY_EMERGENCY] = {GRANT_TREAT, CARE | OFFICE, false},
    [FACILITY_PHARMACY] = {GRANT_TREAT, BIT(GRANT_TREAT) | BIT(GRANT_ETREAT) | OFFICE, true},
    [FACILITY_INSURER] = {GRANT_COVERAGE, OFFICE, true},
    [FACILITY_CITY] = {GRANT_HOPERAT, OFFICE, true},
    [FACILITY_GATEWAY] = {GRANT_HOPERAT, BIT(GRANT_HOPERAT) | BIT(GRANT_PATRQT), false},
    [FACILITY_OPERATOR] = {GRANT_HOPERAT, BIT(GRANT_HOPERAT), false},
    [FACILITY_HOME] = {GRANT_PATRQT, 0, false},
};

/* What an emergency opens: what a physician needs for an unconscious patient, not money, school or
 * offices. */
#define EMERGENCY_CATEGORIES                                                                       \
    (CATEGORY_BIT(CATEGORY_DEMOGRAPHICS) | CATEGORY_BIT(CATEGORY_ENCOUNTER) |                      \
     CATEGORY_BIT(CATEGORY_CONDITION) | CATEGORY_BIT(CATEGORY_ALLERGY) |                           \
     CATEGORY_BIT(CATEGORY_MEDICATION) | CATEGORY_BIT(CATEGORY_LABORATORY) |                       \
     CATEGORY_BIT(CATEGORY_IMAGING) | CATEGORY_BIT(CATEGORY_PROCEDURE) |                           \
     CATEGORY_BIT(CATEGORY_DOCUMENT) | CATEGORY_BIT(CATEGORY_CHECKUP) |                            \
     CATEGORY_BIT(CATEGORY_EMERGENCY) | CATEGORY_BIT(CATEGORY_HOME_VITAL) |                        \
     CATEGORY_BIT(CATEGORY_IMMUNIZATION))

static const char *const purpose_codes[GRANT_PURPOSE_COUNT] = {
#define X(name, code) [name] = code,
    GRANT_PURPOSE_TABLE(X)
#undef X
};

const char *grant_purpose_code(enum grant_purpose purpose)
{
    assert(purpose < GRANT_PURPOSE_COUNT);
    return purpose_codes[purpose];
}

bool grant_purpose_find(struct slice code, enum grant_purpose *ret_purpose)
{
    for (unsigned i = 0; i < GRANT_PURPOSE_COUNT; i++)
        if (slice_is(code, purpose_codes[i])) {
            *ret_purpose = (enum grant_purpose)i;
            return true;
        }
    return false;
}

static enum grant_actor actor_of(const struct request *r)
{
    if (r->caller.person > 0)
        return GRANT_RESIDENT;
    /* What writes by these doors sees the writer's own records only; a query asks as the facility. */
    if ((r->door == REQUEST_MLLP || r->door == REQUEST_SSMIX2) &&
        (r->use->actors & (1u << GRANT_INTAKE)))
        return GRANT_INTAKE;
    return r->caller.facility.kind == FACILITY_OPERATOR ? GRANT_OPERATOR : GRANT_FACILITY;
}

static enum err claimed_purpose(struct request *r, enum grant_purpose by_default,
                                enum grant_purpose *ret_purpose)
{
    if (r->purpose.len == 0) {
        *ret_purpose = by_default;
        return ERR_OK;
    }
    if (!grant_purpose_find(r->purpose, ret_purpose))
        return err_add(&r->errors, ERR_BAD_HEADER, "Tasuki-Purpose",
                       "TREAT, ETREAT, BTG, HPAYMT, HOPERAT, COVERAGE, PATRQT");
    return ERR_OK;
}

static enum err grant_resident(struct request *r, struct grant *g)
{
    enum err err = claimed_purpose(r, GRANT_PATRQT, &g->purpose);
    if (err)
        return err;
    g->purpose = GRANT_PATRQT; /* about himself a resident needs no other */
    g->facility = r->exchange->home_facility;
    g->person = r->caller.person;
    g->insurer_numbers = true;
    g->may_write = r->use->writes;
    return ERR_OK;
}

static enum err grant_facility(struct request *r, struct grant *g)
{
    const struct facility *f = &r->caller.facility;
    enum err err = claimed_purpose(r, kind_rules[f->kind].by_default, &g->purpose);
    if (err)
        return err;
    if (r->use->opens_glass)
        g->purpose = GRANT_BTG; /* that is what is being asked for */
    if (!(kind_rules[f->kind].purposes & BIT(g->purpose)))
        return err_add(&r->errors, ERR_FORBIDDEN, "Tasuki-Purpose", "%s: %s",
                       facility_kind_code(f->kind), grant_purpose_code(g->purpose));
    g->facility = f->id;
    g->insurer_numbers = kind_rules[f->kind].insurer_numbers;
    g->may_write = r->use->writes;
    if (g->purpose != GRANT_BTG || r->use->opens_glass)
        return ERR_OK;
    if (r->glass.person <= 0)
        return err_add(&r->errors, ERR_FORBIDDEN, "Tasuki-Break-Glass",
                       "no emergency session in force");
    if (r->use->writes)
        return err_add(&r->errors, ERR_FORBIDDEN, "Tasuki-Purpose", "BTG is read-only");
    g->person = r->glass.person;
    g->emergency = true;
    g->emergency_mask = EMERGENCY_CATEGORIES;
    return ERR_OK;
}

enum err grant_make(struct request *r)
{
    struct grant g = {.magic = GRANT_MAGIC,
                      .actor = actor_of(r),
                      .now_ms = r->exchange->clock->now_ms(r->exchange->clock)};
    assert(r->use && !r->use->anyone);
    if (!(r->use->actors & (1u << g.actor)))
        return err_add(&r->errors, ERR_FORBIDDEN, "", "%s", r->use->event);
    enum err err = g.actor == GRANT_RESIDENT ? grant_resident(r, &g) : grant_facility(r, &g);
    if (err)
        return err;
    r->grant = g;
    r->granted = true;
    return ERR_OK;
}

void grant_own(const struct request *r, struct grant *ret_grant)
{
    assert(r->granted);
    *ret_grant = r->grant;
    if (ret_grant->actor == GRANT_FACILITY)
        ret_grant->actor = GRANT_INTAKE;
}
