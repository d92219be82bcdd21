/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 and HMAC by OpenSSL, and the printed forms of bytes: hex and base64 (RFC 4648). Decoding
 * is strict, so that one value has one spelling: no white space, right padding, unused bits zero.
 * A failing SHA-256 means a broken library, not bad input, and stops the program.
 */
#include "base/digest.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include "base/banned.h"

static const char alphabet_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const unsigned char *bytes_of(struct slice s)
{
    return (const unsigned char *)(s.ptr ? s.ptr : "");
}

static EVP_MD *sha256;

/* Looked up once: finding it takes longer than a short text's digest. */
static void find_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void digest_sha256(struct slice bytes, unsigned char ret_digest[DIGEST_LEN])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, find_sha256);
    int done = EVP_Digest(bytes_of(bytes), bytes.len, ret_digest, NULL, sha256, NULL);
    assert(done == 1);
    (void)done;
}

void digest_sha1(struct slice bytes, unsigned char ret_digest[DIGEST_SHA1_LEN])
{
    int done = EVP_Digest(bytes_of(bytes), bytes.len, ret_digest, NULL, EVP_sha1(), NULL);
    assert(done == 1);
    (void)done;
}

/* HMAC-SHA-256 looked up once for all, and a context for each thread: finding and making them takes
 * four times as long as the authentication of a short text. */
static EVP_MAC *hmac;
static pthread_key_t hmac_context;

static void free_context(void *context)
{
    EVP_MAC_CTX_free(context);
}

static void find_hmac(void)
{
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    int rc = pthread_key_create(&hmac_context, free_context);
    assert(hmac && rc == 0);
    (void)rc;
}

static EVP_MAC_CTX *thread_hmac(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static char hash[] = "SHA256";
    (void)pthread_once(&once, find_hmac);
    EVP_MAC_CTX *context = pthread_getspecific(hmac_context);
    if (context)
        return context;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0),
                           OSSL_PARAM_construct_end()};
    context = EVP_MAC_CTX_new(hmac);
    bool ready = context && EVP_MAC_CTX_set_params(context, params) == 1 &&
                 pthread_setspecific(hmac_context, context) == 0;
    assert(ready);
    (void)ready;
    return context;
}

void digest_hmac(struct slice key, struct slice bytes, unsigned char ret_mac[DIGEST_LEN])
{
    EVP_MAC_CTX *context = thread_hmac();
    size_t len = 0;
    bool done = EVP_MAC_init(context, bytes_of(key), key.len, NULL) &&
                EVP_MAC_update(context, bytes_of(bytes), bytes.len) &&
                EVP_MAC_final(context, ret_mac, &len, DIGEST_LEN);
    assert(done && len == DIGEST_LEN);
    (void)done;
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void digest_hex(struct buf *out, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    assert(bytes.len <= SIZE_MAX / 2);
    char *to = buf_reserve(out, bytes.len * 2);
    if (!to)
        return;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    out->len += bytes.len * 2;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool digest_unhex(struct slice hex, unsigned char *ret_bytes, size_t len)
{
    if (hex.len / 2 != len || hex.len % 2 != 0)
        return false;
    for (size_t i = 0; i < hex.len; i++) { /* first look, then write: untouched on failure */
        if (hex_value(hex.ptr[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < len; i++)
        ret_bytes[i] =
            (unsigned char)(hex_value(hex.ptr[2 * i]) * 16 + hex_value(hex.ptr[2 * i + 1]));
    return true;
}

void digest_base64(struct buf *out, struct slice bytes, bool url)
{
    const char *alphabet = url ? alphabet_url : alphabet_std;
    const unsigned char *from = bytes_of(bytes);
    assert(bytes.len <= SIZE_MAX / 4);
    size_t tail = bytes.len % 3;
    size_t len = bytes.len / 3 * 4 + (tail == 0 ? 0 : url ? tail + 1 : 4);
    char *to = buf_reserve(out, len);
    if (!to)
        return;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        unsigned group = (unsigned)from[i] << 16;
        group |= have > 1 ? (unsigned)from[i + 1] << 8 : 0;
        group |= have > 2 ? (unsigned)from[i + 2] : 0;
        for (size_t k = 0; k < 4; k++) {
            if (k <= have)
                *to++ = alphabet[(group >> (18 - 6 * k)) & 63];
            else if (!url)
                *to++ = '=';
        }
    }
    out->len += len;
}

static int base64_value(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    if (c == (url ? '_' : '/'))
        return 63;
    return -1;
}

/* The digits without their padding; false when the padding is not what the length demands. */
static bool strip_padding(struct slice *text, bool url)
{
    if (url)
        return text->len % 4 != 1;
    if (text->len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && text->len > 0 && text->ptr[text->len - 1] == '='; i++)
        text->len--;
    return text->len % 4 != 1;
}

bool digest_unbase64(struct slice text, bool url, struct buf *out)
{
    unsigned bits = 0; /* how many of acc are not written yet */
    uint32_t acc = 0;
    if (!strip_padding(&text, url))
        return false;
    size_t len = text.len / 4 * 3 + (text.len % 4 ? text.len % 4 - 1 : 0);
    char *to = buf_reserve(out, len);
    if (!to)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.ptr[i], url);
        if (value < 0)
            return false;
        acc = acc << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *to++ = (char)(acc >> bits);
            acc &= (1u << bits) - 1;
        }
    }
    if (acc != 0)
        return false;
    out->len += len; /* only now: a malformed text adds nothing */
    return true;
}
