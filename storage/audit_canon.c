/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes that the audit chain hashes and signs. Every column in schema order carries a tag and
 * its length, so that no two different rows print alike (moving a letter from one column to the
 * next, or NULL to 0, changes the bytes). The writer (audit.c) and the prover (audit_verify.c)
 * share this and nothing else. Must never change once a store exists: another form needs another
 * name than "tasuki-audit-1".
 */
#include "storage/audit_impl.h"

#include <assert.h>
#include <inttypes.h>

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

void audit_checkpoint_sign(const unsigned char key[32], const struct audit_checkpoint *head,
                           unsigned char ret_mac[DIGEST_LEN])
{
    struct buf bytes;

    buf_init(&bytes, 128);
    buf_adds(&bytes, CHECKPOINT_NAME);
    buf_add_u64(&bytes, (uint64_t)head->seq);
    buf_add_u64(&bytes, (uint64_t)head->at_ms);
    buf_add(&bytes, slice_of(head->hash, DIGEST_LEN));
    assert(buf_err(&bytes) == ERR_OK);
    digest_hmac(slice_of(key, 32), buf_slice(&bytes), ret_mac);
    buf_fini(&bytes);
}

void audit_checkpoint_print(struct buf *out, const struct audit_checkpoint *head)
{
    buf_addf(out, "%" PRId64 " %" PRId64 " ", head->seq, head->at_ms);
    digest_hex(out, slice_of(head->hash, DIGEST_LEN));
    buf_addc(out, ' ');
    digest_hex(out, slice_of(head->mac, DIGEST_LEN));
    buf_addc(out, '\n');
}

bool audit_checkpoint_parse(struct slice line, struct audit_checkpoint *ret_head)
{
    struct slice rest = line;
    struct audit_checkpoint head;
    struct slice seq = slice_cut(&rest, ' ');
    struct slice at = slice_cut(&rest, ' ');
    struct slice hash = slice_cut(&rest, ' ');

    if (!slice_i64(seq, &head.seq) || !slice_i64(at, &head.at_ms) || hash.len != 2 * DIGEST_LEN ||
        rest.len != 2 * DIGEST_LEN)
        return false;
    if (!digest_unhex(hash, head.hash, DIGEST_LEN) || !digest_unhex(rest, head.mac, DIGEST_LEN))
        return false;
    *ret_head = head;
    return true;
}
