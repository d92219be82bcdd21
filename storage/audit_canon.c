/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes that the audit chain hashes and signs. Every column in schema order carries a tag and its length,
 * so that no two different rows print alike (moving a letter from one column to the next, or NULL to 0,
 * changes the bytes). The writer (audit.c) and the prover (audit_verify.c) share this and nothing else.
 * Must never change once a store exists: another form needs another name than "tasuki-audit-1".
 */
#include "storage/audit_impl.h"

#include <assert.h>

#include "base/banned.h"

#define CHAIN_NAME "tasuki-audit-1"
#define CHECKPOINT_NAME "tasuki-checkpoint-1"

static void add_int(struct buf *out, int64_t value)
{
    buf_addc(out, 'i');
    buf_add_u32(out, 8);
    buf_add_u64(out, (uint64_t)value);
}

static void add_id(struct buf *out, bool null, int64_t value)
{
    if (!null) {
        add_int(out, value);
        return;
    }
    buf_addc(out, 'n');
    buf_add_u32(out, 0);
}

static void add_text(struct buf *out, struct slice text)
{
    buf_addc(out, 't');
    buf_add_u32(out, (uint32_t)text.len);
    buf_add(out, text);
}

void audit_canon_print(struct buf *out, const struct audit_canon *row,
                       const unsigned char previous[DIGEST_LEN])
{
    buf_clear(out);
    buf_adds(out, CHAIN_NAME);
#define INT(name) add_int(out, row->name);
#define ID(name) add_id(out, row->name##_null, row->name);
#define TEXT(name) add_text(out, row->name);
    AUDIT_COLUMNS(INT, ID, TEXT)
#undef INT
#undef ID
#undef TEXT
    buf_add(out, slice_of(previous, DIGEST_LEN));
}

void audit_checkpoint_mac(const unsigned char key[32], int64_t seq, int64_t at_ms,
                          const unsigned char hash[DIGEST_LEN], unsigned char ret_mac[DIGEST_LEN])
{
    struct buf signed_bytes;

    buf_init(&signed_bytes, 128);
    buf_adds(&signed_bytes, CHECKPOINT_NAME);
    buf_add_u64(&signed_bytes, (uint64_t)seq);
    buf_add_u64(&signed_bytes, (uint64_t)at_ms);
    buf_add(&signed_bytes, slice_of(hash, DIGEST_LEN));
    assert(buf_err(&signed_bytes) == ERR_OK);
    digest_hmac(slice_of(key, 32), buf_slice(&signed_bytes), ret_mac);
    buf_fini(&signed_bytes);
}
