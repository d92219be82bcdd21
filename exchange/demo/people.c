/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes residents. Everything drawn for one person comes from his own dice (seed and index), so
 * adding a person, or a new question about one, does not change the others. Numbers that must be
 * unique are a permutation of the index, not drawn. Illness follows age roughly as in a Japanese
 * town.
 */
#include "exchange/demo/people.h"

#include <stdio.h>

#include "base/ids.h"
#include "base/when.h"
#include "exchange/demo/dice.h"
#include "exchange/demo/name_table.h"

#include "base/banned.h"

/* ── age ─────────────────────────────────────────────────────────────────────────────────────── */

/* Share of each ten years of age, per mille. */
static const unsigned short pyramid[] = {70, 84, 90, 104, 134, 142, 124, 134, 92, 26};

static int draw_age(struct dice *d)
{
    unsigned at = dice_below(d, 1000);
    int decade = 0;

    while (decade < 9 && at >= pyramid[decade])
        at -= pyramid[decade++];
    return decade * 10 + dice_between(d, 0, decade == 9 ? 7 : 9);
}

static int age_on(const char birth[9], int day)
{
    uint64_t born = 0;

    (void)slice_u64(slice_of(birth, 8), &born);
    return (day - (int)born) / 10000; /* both YYYYMMDD: whole years passed */
}

static void draw_birth(struct dice *d, int day, char ret_birth[9])
{
    int year = day / 10000 - draw_age(d);
    int month = dice_between(d, 1, 12);
    int date = dice_between(d, 1, 28);

    if (year * 10000 + month * 100 + date >= day)
        year--;
    (void)snprintf(ret_birth, 9, "%08u",
                   (unsigned)(year * 10000 + month * 100 + date) % 100000000u);
}

/* ── names and numbers ───────────────────────────────────────────────────────────────────────── */

static void draw_name(struct dice *d, struct demo_person *p)
{
    bool man = p->sex == 'M';
    const struct demo_given *given = man ? demo_given_men : demo_given_women;
    size_t count = man ? demo_given_men_count : demo_given_women_count;
    /* Low rows of the table are the most common families. */
    size_t a = dice_below(d, (unsigned)demo_family_count);
    size_t b = dice_below(d, (unsigned)demo_family_count);
    size_t family = a < b ? a : b;
    size_t at = dice_below(d, (unsigned)count);
    int year = 0;

    (void)sscanf(p->birth, "%4d", &year);
    while (year < given[at].from || year > given[at].to)
        at = (at + 1) % count; /* tests/unit/exchange/demo_people: every year has names */
    p->family = demo_families[family].kanji;
    p->family_kana = demo_families[family].kana;
    p->given = given[at].kanji;
    p->given_kana = given[at].kana;
}

static void draw_home(struct dice *d, struct demo_person *p)
{
    const struct demo_town *town = &demo_towns[dice_below(d, (unsigned)demo_town_count)];

    (void)snprintf(p->postal, sizeof(p->postal), "%s", town->postal);
    (void)snprintf(p->address, sizeof(p->address), "海辺県汐見市%s%d-%d-%d", town->name,
                   dice_between(d, 1, 5), dice_between(d, 1, 20), dice_between(d, 1, 30));
    (void)snprintf(p->phone, sizeof(p->phone), "054-000-%04u", (p->index * 7919 + 1234) % 10000);
}

/* INDEX as one of LIMIT numbers, scattered; a permutation as MULTIPLIER and LIMIT share no factor.
 */
static uint64_t scatter(unsigned index, uint64_t multiplier, uint64_t offset, uint64_t limit)
{
    return (index * multiplier + offset) % limit;
}

static void number_card(struct demo_person *p)
{
    (void)snprintf(p->card, sizeof(p->card), "2201%07u",
                   (unsigned)scatter(p->index, 7654321, 1002003, 10000000));
    p->card[11] = ids_luhn_digit(slice_of(p->card, 11));
    p->card[12] = '\0';
}

struct plan {
    const char *code, *name, *insurer, *insurer_name;
};
static const struct plan plans[] = {
    {"39", "後期高齢者", "39220124", "海辺県後期高齢者医療広域連合"},
    {"06", "組合管掌健康保険", "06220016", "汐見健康保険組合"},
    {"01", "全国健康保険協会管掌健康保険", "01220011", "全国健康保険協会海辺支部"},
    {"C0", "国民健康保険", "00220129", "汐見市"},
};

static void draw_insurance(struct dice *d, struct demo_person *p)
{
    unsigned at = dice_below(d, 100);
    const struct plan *plan = &plans[p->age >= 75 ? 0 : at < 25 ? 1 : at < 62 ? 2 : 3];
    bool family = p->age < 19 || (p->age < 75 && dice_chance(d, 25));

    p->plan = plan->code;
    p->plan_name = plan->name;
    p->insurer_name = plan->insurer_name;
    (void)snprintf(p->insurer, sizeof(p->insurer), "%s", plan->insurer);
    (void)snprintf(p->symbol, sizeof(p->symbol), "%d", dice_between(d, 101, 899));
    (void)snprintf(p->number, sizeof(p->number), "%07u",
                   (unsigned)scatter(p->index, 3456789, 40404, 10000000));
    (void)snprintf(p->branch, sizeof(p->branch), "%02d", family ? dice_between(d, 1, 3) : 0);
}

static void number_at(struct demo_person *p, enum demo_facility facility)
{
    static const struct {
        int width;
        uint64_t multiplier, offset, limit;
    } shapes[DEMO_FACILITY_COUNT] = {
        [DEMO_HOSPITAL_A] = {8, 52711, 10040, 10000000},
        [DEMO_HOSPITAL_B] = {7, 31337, 200300, 1000000},
        [DEMO_CLINIC_C] = {10, 90001, 1005000, 100000000},
        [DEMO_EMERGENCY_E] = {8, 70001, 60600, 10000000},
        [DEMO_PHARMACY_P] = {7, 12347, 500500, 1000000},
        [DEMO_CITY_M] = {9, 65537, 3003000, 100000000},
        [DEMO_INSURER_I] = {9, 45677, 7070000, 100000000},
    };

    if (shapes[facility].width > 0)
        (void)snprintf(p->local[facility], sizeof(p->local[facility]), "%0*u",
                       shapes[facility].width,
                       (unsigned)scatter(p->index, shapes[facility].multiplier,
                                         shapes[facility].offset, shapes[facility].limit));
}

/* ── illness ─────────────────────────────────────────────────────────────────────────────────── */

struct frequency {
    enum demo_ill ill;
    char sex;       /* 0: either */
    short from, to; /* age, both included */
    unsigned percent;
};
static const struct frequency frequencies[] = {
    {DEMO_HYPERTENSION, 0, 35, 49, 11},
    {DEMO_HYPERTENSION, 0, 50, 64, 30},
    {DEMO_HYPERTENSION, 0, 65, 120, 52},
    {DEMO_DIABETES, 0, 38, 59, 8},
    {DEMO_DIABETES, 0, 60, 120, 18},
    {DEMO_LIPIDS, 0, 40, 59, 18},
    {DEMO_LIPIDS, 0, 60, 120, 28},
    {DEMO_FIBRILLATION, 0, 65, 79, 6},
    {DEMO_FIBRILLATION, 0, 80, 120, 12},
    {DEMO_ASTHMA, 0, 3, 15, 7},
    {DEMO_ASTHMA, 0, 16, 120, 4},
    {DEMO_KIDNEY, 0, 68, 120, 12},
    {DEMO_ULCER, 0, 30, 120, 7},
    {DEMO_BONE, 'F', 65, 120, 28},
    {DEMO_ANGINA, 0, 60, 120, 8},
    {DEMO_GOUT, 'M', 35, 78, 9},
    {DEMO_POLLEN, 0, 6, 65, 26},
    {DEMO_KNEE, 0, 65, 120, 18},
    {DEMO_BRONCHITIS, 0, 0, 120, 30},
    {DEMO_PENICILLIN, 0, 5, 120, 2},
    {DEMO_FOOD, 0, 1, 12, 6},
    {DEMO_FOOD, 0, 13, 120, 2},
};

static void draw_illness(struct dice *d, struct demo_person *p)
{
    for (size_t i = 0; i < sizeof(frequencies) / sizeof(frequencies[0]); i++) {
        const struct frequency *f = &frequencies[i];
        bool hit = dice_chance(d, f->percent); /* always thrown: one answer does not shift others */

        if (hit && p->age >= f->from && p->age <= f->to && (!f->sex || f->sex == p->sex))
            p->ill |= (unsigned)f->ill;
    }
}

static void draw_visits(struct dice *d, struct demo_person *p)
{
    unsigned at = dice_below(d, 100);
    bool heart = (p->ill & (DEMO_FIBRILLATION | DEMO_ANGINA)) != 0;
    bool chronic = (p->ill & ~(unsigned)(DEMO_BRONCHITIS | DEMO_PENICILLIN | DEMO_FOOD)) != 0;

    p->home_doctor = at < 38 ? DEMO_HOSPITAL_A : at < 62 ? DEMO_HOSPITAL_B : DEMO_CLINIC_C;
    if (heart && p->home_doctor == DEMO_CLINIC_C && dice_chance(d, 60))
        p->home_doctor = DEMO_HOSPITAL_A;
    number_at(p, p->home_doctor);
    if (chronic && dice_chance(d, 45))
        number_at(p, p->home_doctor == DEMO_CLINIC_C ? DEMO_HOSPITAL_A : DEMO_CLINIC_C);
    if (chronic && dice_chance(d, 50))
        number_at(p, DEMO_PHARMACY_P);
    if (p->age >= 40 && p->age < 75 && dice_chance(d, 55))
        number_at(p, p->plan[0] == '0' && p->plan[1] == '6' ? DEMO_INSURER_I : DEMO_CITY_M);
    else if (p->age < 7 || p->age >= 65)
        number_at(p, DEMO_CITY_M);
}

static void draw_consent(struct dice *d, struct demo_person *p)
{
    unsigned at = dice_below(d, 100);

    p->consent = at < 85 ? DEMO_CONSENT_ALL : at < 93 ? DEMO_CONSENT_OWN : DEMO_CONSENT_NONE;
}

/* ── the five of the stories ─────────────────────────────────────────────────────────────────── */

struct told {
    const char *family, *given, *family_kana, *given_kana, *birth;
    char sex;
    const char *postal, *address;
    unsigned ill;
    enum demo_facility home_doctor;
    unsigned seen; /* mask of facilities */
    const char *text;
};
#define SEEN(f) (1u << (f))
static const struct told stories[DEMO_STORY_COUNT + 1] = {
    [DEMO_STORY_NONE] = {.text = ""},
    [DEMO_STORY_DIABETES] = {"潮田", "和夫", "シオタ", "カズオ", "19570314", 'M', "422-9901",
                             "海辺県汐見市港町2-4-11",
                             DEMO_DIABETES | DEMO_HYPERTENSION | DEMO_LIPIDS, DEMO_HOSPITAL_A,
                             SEEN(DEMO_HOSPITAL_A) | SEEN(DEMO_HOSPITAL_B) | SEEN(DEMO_PHARMACY_P) |
                                 SEEN(DEMO_CITY_M),
                             "糖尿病で二つの病院にかかっている / diabetic, seen at two hospitals"},
    [DEMO_STORY_ANAPHYLAXIS] = {"浜口", "美代子", "ハマグチ", "ミヨコ", "19490802", 'F', "422-9905",
                                "海辺県汐見市大浜1-9-3",
                                DEMO_FIBRILLATION | DEMO_HYPERTENSION | DEMO_PENICILLIN,
                                DEMO_HOSPITAL_A,
                                SEEN(DEMO_HOSPITAL_A) | SEEN(DEMO_CLINIC_C) | SEEN(DEMO_PHARMACY_P),
                                "ペニシリンでアナフィラキシー、ワルファリン服用中 / anaphylaxis to "
                                "penicillin, takes warfarin"},
    [DEMO_STORY_DENIES_B] = {"森脇", "恵子", "モリワキ", "ケイコ", "19681123", 'F', "422-9906",
                             "海辺県汐見市緑ヶ丘3-12-8", DEMO_ASTHMA | DEMO_ULCER | DEMO_POLLEN,
                             DEMO_HOSPITAL_A, SEEN(DEMO_HOSPITAL_A) | SEEN(DEMO_CLINIC_C),
                             "松原総合病院には見せない / denies hospital-b"},
    [DEMO_STORY_NO_EMERGENCY] = {"柏木", "健二", "カシワギ", "ケンジ", "19720630", 'M', "422-9911",
                                 "海辺県汐見市桜木町4-2-20", DEMO_GOUT | DEMO_HYPERTENSION,
                                 DEMO_HOSPITAL_A, SEEN(DEMO_HOSPITAL_A) | SEEN(DEMO_INSURER_I),
                                 "緊急時の閲覧を許可しない / forbids emergency access"},
    [DEMO_STORY_PRESSURE] =
        {"西沢", "由美", "ニシザワ", "ユミ", "19630119", 'F', "422-9903", "海辺県汐見市栄町5-6-1",
         DEMO_HYPERTENSION | DEMO_LIPIDS, DEMO_CLINIC_C, SEEN(DEMO_CLINIC_C) | SEEN(DEMO_CITY_M),
         "毎日朝晩、血圧を記録している / records blood pressure every morning and evening"},
};

const char *people_story(enum demo_story story)
{
    return stories[story].text;
}

static void tell(struct dice *d, struct demo_person *p, int day)
{
    const struct told *t = &stories[p->index + 1];

    p->story = (enum demo_story)(p->index + 1);
    p->family = t->family;
    p->given = t->given;
    p->family_kana = t->family_kana;
    p->given_kana = t->given_kana;
    p->sex = t->sex;
    (void)snprintf(p->birth, sizeof(p->birth), "%s", t->birth);
    p->age = age_on(p->birth, day);
    draw_home(d, p);
    (void)snprintf(p->postal, sizeof(p->postal), "%s", t->postal);
    (void)snprintf(p->address, sizeof(p->address), "%s", t->address);
    draw_insurance(d, p);
    p->ill = t->ill;
    p->home_doctor = t->home_doctor;
    for (enum demo_facility f = 0; f < DEMO_FACILITY_COUNT; f++)
        if (t->seen & SEEN(f))
            number_at(p, f);
    p->consent = DEMO_CONSENT_ALL;
}

static void draw_person(struct dice *d, struct demo_person *p, int day)
{
    p->sex = dice_chance(d, 51) ? 'F' : 'M';
    draw_birth(d, day, p->birth);
    p->age = age_on(p->birth, day);
    draw_name(d, p);
    draw_home(d, p);
    draw_insurance(d, p);
    draw_illness(d, p);
    draw_visits(d, p);
    draw_consent(d, p);
}

enum err people_make(struct arena *arena, uint64_t seed, unsigned count, int64_t now_ms,
                     struct demo_person **ret_people)
{
    struct demo_person *people = arena_array(arena, count, sizeof(*people));
    int day = when_day_number(now_ms);

    if (!people && count > 0)
        return ERR_LIMIT;
    for (unsigned i = 0; i < count; i++) {
        struct demo_person *p = &people[i];
        /* Identities of the stories must not follow the seed. */
        struct dice d = dice_new(i < DEMO_STORY_COUNT ? 0 : seed, i);

        p->index = i;
        p->seed = seed;
        (void)snprintf(p->key, sizeof(p->key), "resident-%u", i + 1);
        number_card(p);
        if (i < DEMO_STORY_COUNT)
            tell(&d, p, day);
        else
            draw_person(&d, p, day);
    }
    *ret_people = people;
    return ERR_OK;
}
