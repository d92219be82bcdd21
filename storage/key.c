/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of the value index. The hash is the same on every machine, since the numbers live in files.
 * It need not withstand somebody who makes values collide: that costs time, and no answer depends
 * on it. Groups are told apart by their number alone, so that is cut from a SHA-256.
 */
#include "storage/key.h"

#include <assert.h>

#include "base/digest.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/limits.h"

#include "base/banned.h"

#define DAY_MS INT64_C(86400000)
#define DAY_BITS 40 /* room for the days of one parameter; far more than any calendar has */

/* What a key is of goes into its hash, so that a type is not taken for a code. */
enum { OF_TYPE = 1, OF_ID, OF_VALUE };

static_assert((KEY_BLOCK_SIZE & (KEY_BLOCK_SIZE - 1)) == 0, "blocks are cut by a mask");

int64_t key_block_of(int64_t rid)
{
    return rid & ~(int64_t)(KEY_BLOCK_SIZE - 1);
}

/* Hashes stand at zero and above. */
static int64_t above_zero(uint64_t hash)
{
    return (int64_t)(hash >> 1);
}

static int64_t without_block(uint64_t hash)
{
    return above_zero(hash) & ~KEY_BLOCK;
}

int64_t key_scope(struct slice scope)
{
    unsigned char digest[DIGEST_LEN];
    uint64_t number = 0;
    digest_sha256(scope, digest);
    for (unsigned i = 0; i < sizeof number; i++)
        number = number << 8 | digest[i];
    return above_zero(number);
}

int64_t key_type(struct slice type)
{
    return without_block(hash_bytes(type, OF_TYPE));
}

#define ORDERED_BITS 21 /* of the hash beside a time of 42 bits: enough for the ids of one millisecond */

/* Ids that begin with their time keep its order, so that what is created together is entered in one place. */
int64_t key_id(struct slice type, struct slice id)
{
    uint64_t hash = hash_bytes(id, hash_bytes(type, OF_ID)), ms = 0;
    if (ids_uuid_time(id, &ms) && ms >> (63 - ORDERED_BITS) == 0)
        return (int64_t)(ms << ORDERED_BITS | hash >> (64 - ORDERED_BITS));
    return above_zero(hash);
}

/* Codes are compared without case (match.c), so what differs in case only has one key. What is
 * longer than any facet's text is hashed by its beginning. */
int64_t key_value(uint16_t param, struct slice text)
{
    char folded[LIMIT_FACET_TEXT];
    size_t len = text.len < sizeof folded ? text.len : sizeof folded;
    for (size_t i = 0; i < len; i++) {
        char c = text.ptr[i];
        folded[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return without_block(hash_bytes(slice_of(folded, len), (uint64_t)param << 8 | OF_VALUE));
}

int64_t key_long(uint16_t param)
{
    return INT64_MIN + ((int64_t)param << DAY_BITS);
}

static int64_t day_of(int64_t ms)
{
    return ms / DAY_MS - (ms % DAY_MS < 0);
}

/* INT64_MIN ms is day -1.1e11: with half the room added every day is above zero. */
static int64_t key_of_day(uint16_t param, int64_t day)
{
    return key_long(param) + (INT64_C(1) << (DAY_BITS - 1)) + day;
}

int64_t key_day(uint16_t param, int64_t ms)
{
    return key_of_day(param, day_of(ms));
}

static unsigned days_of(const struct facet_view *facet, int64_t *ret_keys, unsigned room)
{
    int64_t last_ms = facet->hi_ms > facet->lo_ms ? facet->hi_ms - 1 : facet->lo_ms;
    int64_t first = day_of(facet->lo_ms), last = day_of(last_ms);
    unsigned count = 0;
    if (last - first >= LIMIT_KEY_DAYS) {
        if (room > 0)
            ret_keys[count++] = key_long(facet->param);
        return count;
    }
    for (int64_t day = first; day <= last && count < room; day++)
        ret_keys[count++] = key_of_day(facet->param, day);
    return count;
}

unsigned key_of_facet(const struct facet_view *facet, int64_t *ret_keys, unsigned room)
{
    if (facet->common || facet->group > 0 || room == 0)
        return 0;
    switch (facet->kind) {
    case FACET_TOKEN:
    case FACET_REFERENCE:
    case FACET_URI:
        if (facet->text.len == 0)
            return 0;
        ret_keys[0] = key_value(facet->param, facet->text);
        return 1;
    case FACET_DATE:
        return days_of(facet, ret_keys, room);
    default:
        return 0;
    }
}

struct slice key_text(struct slice folded)
{
    size_t len = folded.len;
    if (len <= LIMIT_KEY_TEXT)
        return folded;
    len = LIMIT_KEY_TEXT;
    while (len > 0 && ((unsigned char)folded.ptr[len] & 0xc0) == 0x80)
        len--;
    return slice_sub(folded, 0, len);
}

bool key_is_string(const struct facet_view *facet)
{
    return facet->kind == FACET_STRING && facet->group == 0 && !facet->common &&
           facet->text.len > 0;
}
