/* SPDX-License-Identifier: Apache-2.0
 *
 * XXH64 (xxhash_spec.md, section "XXH64 algorithm description"): four lanes of eight bytes each
 * take the input 32 bytes at a time, the rest goes in by eight, four and one, and the bits are
 * mixed at the end.
 */
#include "base/hash.h"

#include <endian.h>

#include "base/banned.h"

#define PRIME_1 0x9E3779B185EBCA87u
#define PRIME_2 0xC2B2AE3D27D4EB4Fu
#define PRIME_3 0x165667B19E3779F9u
#define PRIME_4 0x85EBCA77C2B2AE63u
#define PRIME_5 0x27D4EB2F165667C5u

static uint64_t turn(uint64_t v, unsigned bits)
{
    return v << bits | v >> (64 - bits);
}

static uint64_t read_64(const char *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof(v));
    return le64toh(v);
}

static uint32_t read_32(const char *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof(v));
    return le32toh(v);
}

static uint64_t mix(uint64_t lane, uint64_t input)
{
    return turn(lane + input * PRIME_2, 31) * PRIME_1;
}

/* All whole blocks of 32 bytes. */
static uint64_t take_blocks(const char **at, const char *end, uint64_t seed)
{
    uint64_t lanes[4] = {seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1};
    for (; end - *at >= 32; *at += 32) {
        for (size_t i = 0; i < 4; i++)
            lanes[i] = mix(lanes[i], read_64(*at + 8 * i));
    }
    uint64_t h = turn(lanes[0], 1) + turn(lanes[1], 7) + turn(lanes[2], 12) + turn(lanes[3], 18);
    for (size_t i = 0; i < 4; i++)
        h = (h ^ mix(0, lanes[i])) * PRIME_1 + PRIME_4;
    return h;
}

/* The last bytes, fewer than 32. */
static uint64_t take_rest(const char *at, const char *end, uint64_t h)
{
    for (; end - at >= 8; at += 8)
        h = turn(h ^ mix(0, read_64(at)), 27) * PRIME_1 + PRIME_4;
    if (end - at >= 4) {
        h = turn(h ^ read_32(at) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        at += 4;
    }
    for (; at < end; at++)
        h = turn(h ^ (unsigned char)*at * PRIME_5, 11) * PRIME_1;
    return h;
}

uint64_t hash_bytes(struct slice bytes, uint64_t seed)
{
    const char *at = bytes.len > 0 ? bytes.ptr : "";
    const char *end = at + bytes.len;
    uint64_t h = bytes.len >= 32 ? take_blocks(&at, end, seed) : seed + PRIME_5;
    h = take_rest(at, end, h + bytes.len);
    h = (h ^ h >> 33) * PRIME_2;
    h = (h ^ h >> 29) * PRIME_3;
    return h ^ h >> 32;
}
