/* SPDX-License-Identifier: Apache-2.0
 *
 * Closed words (see seal.h): OpenSSL's AES-128-SIV. What a word is bound to goes in as its SHA-256, so that it is never
 * empty and of one length. A cipher that cannot be had is a broken machine and stops the program, as in ids.c.
 */
#include "base/seal.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/digest.h"

#include "base/banned.h"

#define TAG_LEN SEAL_EXTRA
#define WORD_MAX 4096

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* A cipher that has KEY and knows BOUND; with TAG what comes in must bear it. */
static EVP_CIPHER_CTX *begin(const unsigned char key[SEAL_KEY_LEN], struct slice bound, char *tag)
{
    unsigned char digest[DIGEST_LEN];
    int len = 0;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    must(cipher && ctx);
    must(EVP_CipherInit_ex2(ctx, cipher, key, NULL, tag == NULL, NULL) == 1);
    must(!tag || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1);
    digest_sha256(bound, digest);
    must(EVP_CipherUpdate(ctx, NULL, &len, digest, DIGEST_LEN) == 1);
    EVP_CIPHER_free(cipher);
    return ctx;
}

void seal_close(const unsigned char key[SEAL_KEY_LEN], struct slice bound, struct slice plain,
                struct buf *out)
{
    unsigned char word[TAG_LEN + WORD_MAX];
    int len = 0;
    must(plain.len > 0 && plain.len <= WORD_MAX);
    EVP_CIPHER_CTX *ctx = begin(key, bound, NULL);
    must(EVP_CipherUpdate(ctx, word + TAG_LEN, &len, (const unsigned char *)plain.ptr,
                          (int)plain.len) == 1);
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, word) == 1);
    EVP_CIPHER_CTX_free(ctx);
    digest_base64(out, slice_of(word, TAG_LEN + plain.len), true);
}

bool seal_open(const unsigned char key[SEAL_KEY_LEN], struct slice bound, struct slice text,
               struct buf *out)
{
    unsigned char plain[WORD_MAX];
    struct buf word;
    int len = 0;
    buf_init(&word, TAG_LEN + WORD_MAX);
    bool good = digest_unbase64(text, true, &word) && !buf_err(&word) && word.len > TAG_LEN;
    if (good) {
        EVP_CIPHER_CTX *ctx = begin(key, bound, word.ptr);
        good = EVP_CipherUpdate(ctx, plain, &len, (const unsigned char *)word.ptr + TAG_LEN,
                                (int)(word.len - TAG_LEN)) == 1;
        EVP_CIPHER_CTX_free(ctx);
    }
    if (good)
        buf_add(out, slice_of(plain, word.len - TAG_LEN));
    buf_fini(&word);
    return good;
}
