/* SPDX-License-Identifier: Apache-2.0
 *
 * A grant says who reads or writes, why, and until when. Plain data; only exchange/gate/grant.c makes
 * one (tests/tidy greps). Bound to a session it becomes the context of the gate inside the SQL
 * (storage/gate.c): without a bound grant every gated view is empty. No rule means deny.
 */
#ifndef STORAGE_GRANT_H
#define STORAGE_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#define GRANT_MAGIC 0x6772616eu

enum grant_actor {
    GRANT_FACILITY, /* a facility's system: own records, plus what consent permits */
    GRANT_RESIDENT, /* the resident himself: everything about him that is not withheld */
    GRANT_OPERATOR, /* runs the exchange: records of no person, audit; no clinical data */
    GRANT_INTAKE    /* a door writing a facility's own data: sees that facility's own records only */
};

/* Purposes of use (v3-ActReason) as mask bits; consent_rule.purposes speaks in them. */
#define GRANT_PURPOSE_TABLE(X)                                                                     \
    X(GRANT_TREAT, "TREAT")                                                                        \
    X(GRANT_ETREAT, "ETREAT")                                                                      \
    X(GRANT_BTG, "BTG")                                                                            \
    X(GRANT_HPAYMT, "HPAYMT")                                                                      \
    X(GRANT_HOPERAT, "HOPERAT")                                                                    \
    X(GRANT_COVERAGE, "COVERAGE")                                                                  \
    X(GRANT_PATRQT, "PATRQT")

enum grant_purpose {
#define X(name, code) name,
    GRANT_PURPOSE_TABLE(X)
#undef X
        GRANT_PURPOSE_COUNT
};
#define GRANT_PURPOSE_BIT(p) (UINT32_C(1) << (p))
/* Every purpose but BTG: a rule that names no purpose means these (docs/decisions). */
#define GRANT_PURPOSES_ORDINARY                                                                    \
    (((UINT32_C(1) << GRANT_PURPOSE_COUNT) - 1) & ~GRANT_PURPOSE_BIT(GRANT_BTG))

struct grant {
    uint32_t magic;
    enum grant_actor actor;
    int64_t facility;        /* reading or writing facility; for a resident the pseudo-facility of home entries */
    int64_t person;          /* RESIDENT: himself. Emergency: the one person opened. Else 0 */
    enum grant_purpose purpose;
    bool emergency;          /* break-glass session in force for `person` */
    bool insurer_numbers;    /* entitled to see insurer identities */
    bool may_write;
    uint64_t emergency_mask; /* categories an emergency opens */
    int64_t now_ms;          /* the moment of the decision */
};

#endif
