/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests against published vectors (FIPS 180-4, RFC 4231), hex and base64 both ways (RFC 4648
 * section 10), and every way in which a strict base64 reader must refuse.
 */
#include "lib/t.h"

#include <pthread.h>

#include "base/digest.h"

#include "base/banned.h"

static void assert_hex(const unsigned char *bytes, const char *hex)
{
    struct buf b;
    buf_init(&b, 1000);
    digest_hex(&b, slice_of(bytes, DIGEST_LEN));
    assert_buf(&b, hex);
    buf_fini(&b);
}

static void sha256_vectors(void **state)
{
    unsigned char digest[DIGEST_LEN];
    (void)state;
    digest_sha256(SLICE("abc"), digest);
    assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256(SLICE_NONE, digest);
    assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_vectors(void **state)
{
    unsigned char mac[DIGEST_LEN];
    (void)state;
    digest_hmac(SLICE("Jefe"), SLICE("what do ya want for nothing?"), mac);
    assert_hex(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digest_hmac(SLICE_NONE, SLICE_NONE, mac);
    assert_hex(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void compares(void **state)
{
    (void)state;
    assert_true(digest_equal("abc", "abc", 3));
    assert_false(digest_equal("abc", "abd", 3));
    assert_true(digest_equal("abc", "xyz", 0));
}

static void hex_both_ways(void **state)
{
    static const char *const bad[] = {"",         "00",       "0011223", "001122334",
                                      "0011223g", "00 12233", "0x112233"};
    unsigned char bytes[4] = {9, 9, 9, 9};
    (void)state;
    assert_true(digest_unhex(SLICE("00fFA19e"), bytes, 4));
    assert_memory_equal(bytes, "\x00\xFF\xA1\x9E", 4);
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        assert_false(digest_unhex(slice_str(bad[i]), bytes, 4));
        assert_memory_equal(bytes, "\x00\xFF\xA1\x9E", 4);
    }
    assert_true(digest_unhex(SLICE(""), bytes, 0));
}

static void base64_both_ways(void **state)
{
    static const struct {
        const char *plain, *std, *url;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xFB\xFF\xBF", "+/+/", "-_-_"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        for (int url = 0; url <= 1; url++) {
            struct buf b;
            const char *text = url ? rows[i].url : rows[i].std;
            buf_init(&b, 100);
            digest_base64(&b, slice_str(rows[i].plain), url);
            assert_buf(&b, text);
            buf_clear(&b);
            buf_adds(&b, ">");
            assert_true(digest_unbase64(slice_str(text), url, &b));
            assert_slice(slice_sub(buf_slice(&b), 1, 100), rows[i].plain);
            buf_fini(&b);
        }
    }
}

static void base64_is_strict(void **state)
{
    static const struct {
        const char *text;
        bool url;
    } bad[] = {
        {"Z", false},        {"Zg", false},    {"Zg=", false},        {"Zg===", false},
        {"Z===", false},     {"====", false},  {"=", false},          {"Zm9v=", false},
        {"Zm9v====", false}, {"Zh==", false},  {"Zm9=", false}, /* unused bits set */
        {"Zm9v\n", false},   {" Zm9v", false}, {"Zm 9v===", false},   {"Zm-_", false},
        {"Zg==Zg==", false}, {"Z=g=", false},  {"Zm\xE3\x81", false}, {"Z", true},
        {"Zg==", true},      {"Zm8=", true},   {"+/+/", true},        {"Zh", true},
        {"Zm9", true},       {"Zm9vY", true},  {"Zm9v ", true},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        struct buf b;
        buf_init(&b, 100);
        buf_adds(&b, "kept");
        assert_false(digest_unbase64(slice_str(bad[i].text), bad[i].url, &b));
        assert_buf(&b, "kept");
        buf_fini(&b);
    }
}

static void base64_of_all_lengths(void **state)
{
    unsigned char bytes[64];
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        for (int url = 0; url <= 1; url++) {
            struct buf text;
            struct buf back;
            buf_init(&text, 100);
            buf_init(&back, 64);
            digest_base64(&text, slice_of(bytes, len), url);
            assert_true(digest_unbase64(buf_slice(&text), url, &back));
            assert_true(slice_eq(buf_slice(&back), slice_of(bytes, len)));
            buf_fini(&text);
            buf_fini(&back);
        }
    }
}

static void full_buffers_say_so(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 5);
    digest_hex(&b, SLICE("abc"));
    assert_int_equal(buf_err(&b), ERR_TOO_LARGE);
    buf_clear(&b);
    digest_base64(&b, SLICE("abcd"), false);
    assert_int_equal(buf_err(&b), ERR_TOO_LARGE);
    buf_clear(&b);
    assert_false(digest_unbase64(SLICE("Zm9vYmFy"), false, &b));
    assert_int_equal(buf_err(&b), ERR_TOO_LARGE);
    buf_fini(&b);
}

/* A thread's context keeps nothing of one key for the next. */
static void *hmac_in_thread(void *context)
{
    (void)context;
    hmac_vectors(NULL);
    hmac_vectors(NULL);
    return NULL;
}

static void hmac_in_threads(void **state)
{
    pthread_t threads[4];
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hmac_in_thread, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_vectors),      cmocka_unit_test(hmac_vectors),
        cmocka_unit_test(hmac_in_threads),     cmocka_unit_test(compares),
        cmocka_unit_test(hex_both_ways),       cmocka_unit_test(base64_both_ways),
        cmocka_unit_test(base64_is_strict),    cmocka_unit_test(base64_of_all_lengths),
        cmocka_unit_test(full_buffers_say_so),
    };
    return T_RUN(tests);
}
