/* SPDX-License-Identifier: Apache-2.0
 *
 * Common Japanese names with their reading, and the invented towns of the sample region.
 */
#ifndef EXCHANGE_DEMO_NAME_TABLE_H
#define EXCHANGE_DEMO_NAME_TABLE_H

#include <stddef.h>

struct demo_family {
    const char *kanji, *kana;
};
struct demo_given {
    const char *kanji, *kana;
    short from, to; /* years of birth in which the name was common */
};
struct demo_town {
    const char *postal, *name;
};

extern const struct demo_family demo_families[];
extern const size_t demo_family_count;
extern const struct demo_given demo_given_men[];
extern const size_t demo_given_men_count;
extern const struct demo_given demo_given_women[];
extern const size_t demo_given_women_count;
extern const struct demo_town demo_towns[];
extern const size_t demo_town_count;

#endif
