/* SPDX-License-Identifier: Apache-2.0
 *
 * Data categories: what consent speaks in (design section 4). A set of categories is a bit mask.
 */
#ifndef BASE_CATEGORY_H
#define BASE_CATEGORY_H

#include "base/slice.h"

#define CATEGORY_TABLE(X)                                                                          \
    X(CATEGORY_NONE, "none", "対象外")           /* concerns no person: Organization, ValueSet */    \
    X(CATEGORY_DEMOGRAPHICS, "demographics", "基本情報")                                            \
    X(CATEGORY_ENCOUNTER, "encounter", "受診")                                                     \
    X(CATEGORY_CONDITION, "condition", "病名")                                                     \
    X(CATEGORY_ALLERGY, "allergy", "アレルギー")                                                    \
    X(CATEGORY_MEDICATION, "medication", "薬剤")                                                   \
    X(CATEGORY_LABORATORY, "laboratory", "検体検査")                                               \
    X(CATEGORY_IMAGING, "imaging", "画像検査")                                                     \
    X(CATEGORY_PROCEDURE, "procedure", "処置・手術・生理検査")                                        \
    X(CATEGORY_DOCUMENT, "document", "文書")                                                       \
    X(CATEGORY_CHECKUP, "checkup", "健診")                                                         \
    X(CATEGORY_EMERGENCY, "emergency", "救急")                                                     \
    X(CATEGORY_HOME_VITAL, "home-vital", "家庭の測定値")                                             \
    X(CATEGORY_IMMUNIZATION, "immunization", "予防接種")                                           \
    X(CATEGORY_MATERNAL_CHILD, "maternal-child", "母子保健")                                       \
    X(CATEGORY_SCHOOL, "school", "学校保健")                                                       \
    X(CATEGORY_COVERAGE, "coverage", "保険資格")                                                   \
    X(CATEGORY_EXPENSE, "expense", "医療費")                                                       \
    X(CATEGORY_PENSION, "pension", "年金")                                                         \
    X(CATEGORY_APPOINTMENT, "appointment", "予約")                                                 \
    X(CATEGORY_NOTICE, "notice", "お知らせ")                                                       \
    X(CATEGORY_APPLICATION, "application", "申請")                                                 \
    X(CATEGORY_CONSENT, "consent", "同意")                                                         \
    X(CATEGORY_AUDIT, "audit", "閲覧記録")                                                         \
    X(CATEGORY_OTHER, "other", "その他")

enum category {
#define X(name, code, ja) name,
    CATEGORY_TABLE(X)
#undef X
        CATEGORY_COUNT
};

#define CATEGORY_BIT(c) (UINT64_C(1) << (c))
#define CATEGORY_ALL ((UINT64_C(1) << CATEGORY_COUNT) - 1)

/* Code ("laboratory") and Japanese name of a category; never NULL. */
const char *category_code(enum category c);
const char *category_ja(enum category c);
/* The category with this code; false when unknown. */
bool category_find(struct slice code, enum category *ret_category);

#endif
