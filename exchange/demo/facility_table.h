/* SPDX-License-Identifier: Apache-2.0
 *
 * The organisations of the sample region and their staff: all invented, none exists. Institution
 * codes have the shape and check digit of real ones (prefecture 2, fee table 1, number 6, check
 * digit 1).
 */
#ifndef EXCHANGE_DEMO_FACILITY_TABLE_H
#define EXCHANGE_DEMO_FACILITY_TABLE_H

#include "storage/registry.h"

#define DEMO_REGION "汐見地域医療連携"

enum demo_facility {
    DEMO_HOSPITAL_A,
    DEMO_HOSPITAL_B,
    DEMO_CLINIC_C,
    DEMO_EMERGENCY_E,
    DEMO_PHARMACY_P,
    DEMO_CITY_M,
    DEMO_INSURER_I,
    DEMO_GATEWAY_V,
    DEMO_OPERATOR,
    DEMO_HOME, /* pseudo-facility: what residents enter themselves; no certificate */
    DEMO_FACILITY_COUNT
};

struct demo_facility_row {
    const char *key;
    enum facility_kind kind;
    const char *code;
    const char *name;
    const char *name_en; /* O of its certificate */
    bool inbox;          /* has a watched folder */
};
extern const struct demo_facility_row demo_facilities[DEMO_FACILITY_COUNT];

struct demo_staff_row {
    enum demo_facility facility;
    const char *user;
    const char *name;
    enum staff_role role;
};
extern const struct demo_staff_row demo_staff[];
extern const size_t demo_staff_count;

#endif
