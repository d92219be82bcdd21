/* SPDX-License-Identifier: Apache-2.0
 *
 * Packs bodies with zstd and a dictionary (storage/body_1.dict, made by storage/body_dict.sh from
 * the invented region). One resource alone is too short for a compressor to learn from; the
 * dictionary holds what resources have in common. The prepared dictionaries are made once and
 * shared, they are never written again; the contexts belong to a session. A frame says its own
 * size, and its checksum turns a changed byte into an error instead of another value. Must never
 * trust that size beyond LIMIT_BODY.
 */
#include "storage/body.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/asset.h"
#include "base/limits.h"

#include "base/banned.h"

#define PACKED_1 1 /* first byte */
#define SMALL 64   /* shorter JSON is kept plain */
#define LEVEL_1 3  /* by measurement: docs/data-model.md */

struct body_coder {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *expand;
    struct buf scratch;
};

static struct {
    pthread_once_t once;
    ZSTD_CDict *compress;
    ZSTD_DDict *expand;
} dict = {.once = PTHREAD_ONCE_INIT};

static void load_dict(void)
{
    const struct asset *asset = asset_find(storage_dicts, "storage/body_1.dict");
    assert(asset);
    dict.compress = ZSTD_createCDict(asset->bytes, asset->len, LEVEL_1);
    dict.expand = ZSTD_createDDict(asset->bytes, asset->len);
}

enum err body_coder_new(struct body_coder **ret_coder)
{
    (void)pthread_once(&dict.once, load_dict);
    struct body_coder *coder = calloc(1, sizeof *coder);
    if (!coder)
        return ERR_LIMIT;
    buf_init(&coder->scratch, LIMIT_BODY);
    coder->compress = ZSTD_createCCtx();
    coder->expand = ZSTD_createDCtx();
    bool ok = coder->compress && coder->expand && dict.compress && dict.expand &&
              !ZSTD_isError(ZSTD_CCtx_refCDict(coder->compress, dict.compress)) &&
              !ZSTD_isError(ZSTD_CCtx_setParameter(coder->compress, ZSTD_c_checksumFlag, 1)) &&
              !ZSTD_isError(ZSTD_CCtx_setParameter(coder->compress, ZSTD_c_dictIDFlag, 0)) &&
              !ZSTD_isError(ZSTD_DCtx_refDDict(coder->expand, dict.expand));
    if (!ok) {
        body_coder_free(coder);
        return ERR_LIMIT;
    }
    *ret_coder = coder;
    return ERR_OK;
}

void body_coder_free(struct body_coder *coder)
{
    if (!coder)
        return;
    (void)ZSTD_freeCCtx(coder->compress);
    (void)ZSTD_freeDCtx(coder->expand);
    buf_fini(&coder->scratch);
    free(coder);
}

static bool is_plain(struct slice packed)
{
    return packed.len > 0 && packed.ptr[0] == '{';
}

enum err body_pack(struct body_coder *coder, struct slice bytes, struct buf *out)
{
    if (bytes.len > LIMIT_BODY)
        return ERR_TOO_LARGE;
    if (bytes.len == 0 || (is_plain(bytes) && bytes.len < SMALL)) {
        buf_add(out, bytes);
        return buf_err(out);
    }
    size_t room = ZSTD_compressBound(bytes.len);
    buf_addc(out, PACKED_1);
    char *to = buf_reserve(out, room);
    if (!to)
        return buf_err(out);
    size_t len = ZSTD_compress2(coder->compress, to, room, bytes.ptr, bytes.len);
    if (ZSTD_isError(len))
        return ERR_LIMIT;
    out->len += len;
    return ERR_OK;
}

/* Size of what PACKED holds. */
static enum err size_of(struct slice packed, size_t *ret_len)
{
    if (packed.len == 0 || is_plain(packed)) {
        *ret_len = packed.len;
        return ERR_OK;
    }
    if (packed.ptr[0] != PACKED_1)
        return ERR_IO;
    unsigned long long len = ZSTD_getFrameContentSize(packed.ptr + 1, packed.len - 1);
    if (len == ZSTD_CONTENTSIZE_UNKNOWN || len == ZSTD_CONTENTSIZE_ERROR || len > LIMIT_BODY)
        return ERR_IO;
    *ret_len = (size_t)len;
    return ERR_OK;
}

static enum err expand(struct body_coder *coder, struct slice packed, char *to, size_t len)
{
    size_t got = ZSTD_decompressDCtx(coder->expand, to, len, packed.ptr + 1, packed.len - 1);
    return ZSTD_isError(got) || got != len ? ERR_IO : ERR_OK;
}

enum err body_unpack(struct body_coder *coder, struct slice packed, struct arena *arena,
                     struct slice *ret_bytes)
{
    size_t len = 0;
    enum err err = size_of(packed, &len);
    if (err)
        return err;
    if (packed.len == 0 || is_plain(packed)) {
        struct slice copy = arena_dup(arena, packed);
        if (copy.len != packed.len)
            return ERR_LIMIT;
        *ret_bytes = copy;
        return ERR_OK;
    }
    char *to = arena_alloc(arena, len + 1);
    if (!to)
        return ERR_LIMIT;
    err = expand(coder, packed, to, len);
    if (!err)
        *ret_bytes = slice_of(to, len);
    return err;
}

enum err body_same(struct body_coder *coder, struct slice packed, struct slice bytes,
                   bool *ret_same)
{
    size_t len = 0;
    enum err err = size_of(packed, &len);
    if (err)
        return err;
    if (len != bytes.len || packed.len == 0 || is_plain(packed)) {
        *ret_same = len == bytes.len && slice_eq(packed, bytes);
        return ERR_OK;
    }
    buf_clear(&coder->scratch);
    char *to = buf_reserve(&coder->scratch, len ? len : 1);
    if (!to)
        return buf_err(&coder->scratch);
    err = expand(coder, packed, to, len);
    if (!err)
        *ret_same = slice_eq(slice_of(to, len), bytes);
    return err;
}
