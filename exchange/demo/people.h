/* SPDX-License-Identifier: Apache-2.0
 *
 * Invented residents of the sample region: names of common make, an age pyramid like a Japanese
 * town's, addresses in towns that do not exist, numbers with valid check digits. Pure and
 * deterministic: seed and index decide everything but the ages of illness, which follow the given
 * day. The first five are the story residents; their identities are the same in every region. No
 * person is real.
 */
#ifndef EXCHANGE_DEMO_PEOPLE_H
#define EXCHANGE_DEMO_PEOPLE_H

#include "base/arena.h"
#include "exchange/demo/facility_table.h"

#define DEMO_STORY_COUNT 5u

enum demo_story {
    DEMO_STORY_NONE,
    DEMO_STORY_DIABETES,     /* seen at both hospitals */
    DEMO_STORY_ANAPHYLAXIS,  /* penicillin; takes warfarin */
    DEMO_STORY_DENIES_B,     /* consents to everyone but hospital-b */
    DEMO_STORY_NO_EMERGENCY, /* forbids opening his record by breaking the glass */
    DEMO_STORY_PRESSURE      /* records her blood pressure every morning and evening */
};

enum demo_consent { DEMO_CONSENT_ALL, DEMO_CONSENT_OWN, DEMO_CONSENT_NONE };

/* What ails somebody, as mask bits. */
enum demo_ill {
    DEMO_HYPERTENSION = 1 << 0,
    DEMO_DIABETES = 1 << 1,
    DEMO_LIPIDS = 1 << 2,
    DEMO_FIBRILLATION = 1 << 3,
    DEMO_ASTHMA = 1 << 4,
    DEMO_KIDNEY = 1 << 5,
    DEMO_ULCER = 1 << 6,
    DEMO_BONE = 1 << 7,
    DEMO_ANGINA = 1 << 8,
    DEMO_GOUT = 1 << 9,
    DEMO_POLLEN = 1 << 10,
    DEMO_KNEE = 1 << 11,
    DEMO_BRONCHITIS = 1 << 12,
    DEMO_PENICILLIN = 1 << 13, /* allergic to it */
    DEMO_FOOD = 1 << 14        /* food allergy */
};

struct demo_person {
    unsigned index; /* 0-based; story residents are 0 .. 4 */
    uint64_t seed;  /* of the region */
    char key[20];   /* resident-1 ... */
    enum demo_story story;
    const char *family, *given, *family_kana, *given_kana;
    char birth[9];  /* YYYYMMDD */
    int age;        /* on the day given */
    char sex;       /* M or F */
    char postal[9]; /* 999-9999 */
    char address[96];
    char phone[16];
    char insurer[9];  /* 8 digits */
    const char *plan; /* JHSD0001 code */
    const char *plan_name;
    const char *insurer_name;
    char symbol[8], number[12], branch[3];
    char card[13];
    char local[DEMO_FACILITY_COUNT][11]; /* patient number at a facility; "" = not seen there */
    unsigned ill;                        /* mask of enum demo_ill */
    enum demo_facility home_doctor;      /* where the chronic illnesses are followed */
    enum demo_consent consent;
};

/* COUNT people in ARENA. ERR_LIMIT. */
enum err people_make(struct arena *arena, uint64_t seed, unsigned count, int64_t now_ms,
                     struct demo_person **ret_people) ERR_CHECKED;
/* What the story is about, for demo.json; "" for everyone else. */
const char *people_story(enum demo_story story);

#endif
