/* SPDX-License-Identifier: Apache-2.0
 *
 * The first byte chooses a character set, the rest is text in it. A refusal must point into the
 * input; what is accepted must be UTF-8, without any byte that HL7 could take for a delimiter
 * unless the input had one as a character, and must come to rest after one encoding: encode,
 * decode, encode gives the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mappers/charset.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void come_to_rest(enum charset set, struct slice text)
{
    struct buf first;
    struct buf second;
    struct buf again;
    size_t replaced = 0;
    buf_init(&first, 64 * LIMIT_MIB);
    buf_init(&second, 64 * LIMIT_MIB);
    buf_init(&again, 64 * LIMIT_MIB);
    must(charset_encode(set, text, &first, NULL) == ERR_OK);
    must(charset_decode(set, buf_slice(&first), &again, NULL) == ERR_OK);
    must(charset_encode(set, buf_slice(&again), &second, &replaced) == ERR_OK);
    must(slice_eq(buf_slice(&first), buf_slice(&second)) && replaced == 0);
    buf_fini(&first);
    buf_fini(&second);
    buf_fini(&again);
}

static size_t count(struct slice s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == c;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text;
    size_t offset = 0;
    enum charset named;
    must(charset_init() == ERR_OK);
    if (size == 0)
        return 0;
    enum charset set = (enum charset)(data[0] % (CHARSET_LATIN1 + 1));
    struct slice bytes = slice_of(data + 1, size - 1);
    (void)!charset_from_hl7(bytes, &named);
    buf_init(&text, 16 * LIMIT_MIB);
    enum err err = charset_decode(set, bytes, &text, &offset);
    if (err == ERR_OK) {
        must(slice_is_utf8(buf_slice(&text)) && offset <= bytes.len);
        must(count(buf_slice(&text), '|') <= count(bytes, '|'));
        must(count(buf_slice(&text), '\r') == count(bytes, '\r'));
        come_to_rest(set, buf_slice(&text));
    } else {
        must(err == ERR_CHARSET && offset < bytes.len && text.len == 0);
    }
    if (slice_is_utf8(bytes)) {
        struct buf encoded;
        buf_init(&encoded, 64 * LIMIT_MIB);
        must(charset_encode(set, bytes, &encoded, NULL) == ERR_OK);
        must(charset_decode(set, buf_slice(&encoded), &text, NULL) == ERR_OK);
        buf_fini(&encoded);
    }
    buf_fini(&text);
    return 0;
}
