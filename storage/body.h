/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal to storage/: bodies and originals as the file keeps them. The first byte says how:
 *
 *     '{'   the body itself, plain JSON (small ones, and those of stores of version 1)
 *     1     one zstd frame (RFC 8878) with checksum and content size, made with the dictionary storage/body_1.dict
 *     empty no body (delete markers)
 *
 * A dictionary that was ever released stays in the program: a better one is body_2.dict and a new first byte.
 */
#ifndef STORAGE_BODY_H
#define STORAGE_BODY_H

#include "base/arena.h"
#include "base/buf.h"

/* What packing and unpacking need beside the bytes; one for each session, made when first used. */
struct body_coder;
enum err body_coder_new(struct body_coder **ret_coder) ERR_CHECKED;
/* NULL is fine. */
void body_coder_free(struct body_coder *coder);

/* Appends BYTES, packed, to OUT. ERR_TOO_LARGE beyond LIMIT_BODY; ERR_LIMIT. */
enum err body_pack(struct body_coder *coder, struct slice bytes, struct buf *out) ERR_CHECKED;
/* PACKED again as it was, in ARENA. ERR_IO: these bytes were never packed here, or have changed. */
enum err body_unpack(struct body_coder *coder, struct slice packed, struct arena *arena,
                     struct slice *ret_bytes) ERR_CHECKED;
/* Is PACKED the packed form of BYTES? Without an arena; ERR_IO as above. */
enum err body_same(struct body_coder *coder, struct slice packed, struct slice bytes,
                   bool *ret_same) ERR_CHECKED;

#endif
