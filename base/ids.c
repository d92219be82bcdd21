/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers. Random, ordered and keyed UUIDs follow RFC 9562 (versions 4, 7 and 8). A wire id is one AES-256
 * block over a fixed mark and the number: the mark lets us know our own ids again, so a made-up or
 * foreign id is refused instead of naming some other row. Keys are never kept here.
 * A failing cipher or generator is a broken machine and stops the program.
 */
#include "base/ids.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"

#include "base/banned.h"

#define BLOCK_LEN 16
#define MARK_LEN 8
#define ENTROPY_STEP 256 /* what getentropy gives at once */

static const unsigned char wire_mark[MARK_LEN] = {'t', 'a', 's', 'u', 'k', 'i', '0', '1'};

/* Unlike assert it needs no text: there is nothing an operator could do but replace the machine. */
static void must(bool ok)
{
    if (!ok)
        abort();
}

void ids_random(void *ret_bytes, size_t len)
{
    unsigned char *to = ret_bytes;
    while (len > 0) {
        size_t step = len < ENTROPY_STEP ? len : ENTROPY_STEP;
        must(getentropy(to, step) == 0);
        to += step;
        len -= step;
    }
}

static void hex_into(char *to, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
}

static void print_uuid(unsigned char bytes[16], unsigned version, char *to)
{
    static const unsigned char group_len[] = {4, 2, 2, 2, 6};
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    for (size_t i = 0; i < sizeof(group_len); i++) {
        if (i > 0)
            *to++ = '-';
        hex_into(to, bytes, group_len[i]);
        to += 2 * group_len[i];
        bytes += group_len[i];
    }
    *to = '\0';
}

void ids_uuid(char ret_text[IDS_UUID_LEN + 1])
{
    unsigned char bytes[16];
    ids_random(bytes, sizeof(bytes));
    print_uuid(bytes, 4, ret_text);
}

void ids_uuid_ordered(int64_t now_ms, char ret_text[IDS_UUID_LEN + 1])
{
    unsigned char bytes[16];
    ids_random(bytes + 6, sizeof(bytes) - 6);
    for (unsigned i = 0; i < 6; i++)
        bytes[i] = (unsigned char)((uint64_t)now_ms >> (40 - 8 * i));
    print_uuid(bytes, 7, ret_text);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ids_uuid_time(struct slice text, uint64_t *ret_ms)
{
    uint64_t ms = 0;
    if (text.len != IDS_UUID_LEN || text.ptr[8] != '-' || text.ptr[13] != '-' ||
        text.ptr[14] != '7' || text.ptr[18] != '-' || text.ptr[23] != '-')
        return false;
    for (size_t i = 0; i < 13; i++) {
        int digit = hex_digit(text.ptr[i]);
        if (i == 8)
            continue;
        if (digit < 0)
            return false;
        ms = ms << 4 | (unsigned)digit;
    }
    *ret_ms = ms;
    return true;
}

static void add_prefixed(struct buf *message, struct slice part)
{
    buf_add_u64(message, part.len);
    buf_add(message, part);
}

void ids_keyed(const unsigned char key[32], const char *domain, const struct slice *parts,
               size_t part_count, char ret_text[IDS_UUID_LEN + 1])
{
    unsigned char mac[DIGEST_LEN];
    struct buf message;
    buf_init(&message, SIZE_MAX / 2);
    add_prefixed(&message, slice_str(domain));
    for (size_t i = 0; i < part_count; i++)
        add_prefixed(&message, parts[i]);
    must(buf_err(&message) == ERR_OK);
    digest_hmac(slice_of(key, 32), buf_slice(&message), mac);
    print_uuid(mac, 8, ret_text);
    explicit_bzero(message.ptr, message.len);
    buf_fini(&message);
}

static EVP_CIPHER *cipher;

/* Looked up once: finding it takes as long as the block itself. */
static void find_cipher(void)
{
    cipher = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    must(cipher != NULL);
}

static void crypt_block(const unsigned char key[32], bool encrypt,
                        const unsigned char from[BLOCK_LEN], unsigned char to[BLOCK_LEN])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int len = 0;
    (void)pthread_once(&once, find_cipher);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    must(ctx != NULL);
    must(EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypt, NULL) == 1);
    must(EVP_CIPHER_CTX_set_padding(ctx, 0) == 1);
    must(EVP_CipherUpdate(ctx, to, &len, from, BLOCK_LEN) == 1 && len == BLOCK_LEN);
    EVP_CIPHER_CTX_free(ctx);
}

void ids_wire(const unsigned char key[32], uint64_t number, char ret_text[IDS_WIRE_LEN + 1])
{
    unsigned char plain[BLOCK_LEN];
    unsigned char block[BLOCK_LEN];
    memcpy(plain, wire_mark, MARK_LEN);
    for (int i = 0; i < 8; i++)
        plain[MARK_LEN + i] = (unsigned char)(number >> (56 - 8 * i));
    crypt_block(key, true, plain, block);
    hex_into(ret_text, block, BLOCK_LEN);
    ret_text[IDS_WIRE_LEN] = '\0';
}

bool ids_unwire(const unsigned char key[32], struct slice text, uint64_t *ret_number)
{
    unsigned char block[BLOCK_LEN];
    unsigned char plain[BLOCK_LEN];
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) { /* an id has one spelling: lower case */
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')
            return false;
    }
    if (!digest_unhex(text, block, BLOCK_LEN))
        return false;
    crypt_block(key, false, block, plain);
    if (!digest_equal(plain, wire_mark, MARK_LEN))
        return false;
    for (int i = 0; i < 8; i++)
        number = number << 8 | plain[MARK_LEN + i];
    *ret_number = number;
    return true;
}

/* The key-derivation function's parameters carry plain pointers that it only reads. */
static void *readable(const void *ptr)
{
    union {
        const void *in;
        void *out;
    } cast = {.in = ptr};
    return cast.out;
}

void ids_derive(const unsigned char master[32], const char *purpose, struct slice audience,
                unsigned char ret_key[32])
{
    static char hash[] = "SHA256";
    struct buf info;
    buf_init(&info, SIZE_MAX / 2);
    add_prefixed(&info, slice_str(purpose));
    add_prefixed(&info, audience);
    must(buf_err(&info) == ERR_OK);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, readable(master), 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.ptr, info.len),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    must(ctx != NULL);
    must(EVP_KDF_derive(ctx, ret_key, 32, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    buf_fini(&info);
}

/* The Luhn sum of DIGITS when one more digit follows (then the last of them is doubled) or when
 * none does; -1 for anything but digits. */
static int luhn_sum(struct slice digits, bool one_follows)
{
    int sum = 0;
    bool twice = one_follows;
    for (size_t i = digits.len; i > 0; i--) {
        int value = digits.ptr[i - 1] - '0';
        if (value < 0 || value > 9)
            return -1;
        if (twice)
            value = value > 4 ? 2 * value - 9 : 2 * value;
        sum = (sum + value) % 10;
        twice = !twice;
    }
    return sum;
}

bool ids_luhn_ok(struct slice digits)
{
    return digits.len > 0 && luhn_sum(digits, false) == 0;
}

char ids_luhn_digit(struct slice digits)
{
    int sum = luhn_sum(digits, true);
    if (sum < 0 || digits.len == 0)
        return '\0';
    return (char)('0' + (10 - sum) % 10);
}
