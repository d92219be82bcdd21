/* SPDX-License-Identifier: Apache-2.0
 *
 * Chance that repeats: a small generator (splitmix64 by Steele, Lea and Flood) for invented data.
 * The same seed gives the same region on every machine. Never for secrets: base/ids.h makes those.
 */
#ifndef EXCHANGE_DEMO_DICE_H
#define EXCHANGE_DEMO_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* Dice for the WHICH-th thing of SEED: independent of how often others were thrown. */
static inline struct dice dice_new(uint64_t seed, uint64_t which)
{
    return (struct dice){seed * UINT64_C(0x9e3779b97f4a7c15) ^
                         (which + 1) * UINT64_C(0xd1342543de82ef95)};
}

static inline uint64_t dice_next(struct dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. N-1; the tiny bias of the modulus does not matter here. */
static inline unsigned dice_below(struct dice *d, unsigned n)
{
    return (unsigned)(dice_next(d) % n);
}

/* LOW .. HIGH, both included. */
static inline int dice_between(struct dice *d, int low, int high)
{
    return low + (int)dice_below(d, (unsigned)(high - low + 1));
}

static inline bool dice_chance(struct dice *d, unsigned percent)
{
    return dice_below(d, 100) < percent;
}

/* Roughly normal: the sum of twelve uniform throws (exact integers until the last step). */
static inline double dice_normal(struct dice *d, double mean, double deviation)
{
    int sum = 0;

    for (int i = 0; i < 12; i++)
        sum += (int)dice_below(d, 10001);
    return mean + deviation * ((double)sum / 10000.0 - 6.0);
}

#endif
