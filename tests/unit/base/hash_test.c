/* SPDX-License-Identifier: Apache-2.0
 *
 * XXH64 against published values, at each length where the algorithm takes another way.
 */
#include "lib/t.h"

#include "base/hash.h"

#include "base/banned.h"

/* Bytes (i * 7 + 3) mod 256. */
static const struct {
    size_t len;
    uint64_t seed, hash;
} rows[] = {
    {1, 0x0u, 0x1F25C8D0BC1F4BB6u},   {1, 0x9E3779B97F4A7C15u, 0x79826BCD749D267Au},
    {3, 0x0u, 0x31D2363F52E564C9u},   {3, 0x9E3779B97F4A7C15u, 0x78EFD77575E26575u},
    {4, 0x0u, 0x9BB64B7D66EE9FDAu},   {4, 0x9E3779B97F4A7C15u, 0x6F0A6C97D68BF353u},
    {5, 0x0u, 0xC7608EFDDB7051FEu},   {5, 0x9E3779B97F4A7C15u, 0xA677B535C22B67A5u},
    {7, 0x0u, 0x9A7B149959CE60D8u},   {7, 0x9E3779B97F4A7C15u, 0xD97EDE93C9D66A0Du},
    {8, 0x0u, 0xDAB99D95C6F90092u},   {8, 0x9E3779B97F4A7C15u, 0xA2F1E28437A78A1Bu},
    {9, 0x0u, 0x170BB6BF975B4C02u},   {9, 0x9E3779B97F4A7C15u, 0x9C9A3CD83532D84Fu},
    {12, 0x0u, 0xD52E407833AF5133u},  {12, 0x9E3779B97F4A7C15u, 0xBCC9F0D616FF9A7Bu},
    {13, 0x0u, 0xF78B031308F5BFC8u},  {13, 0x9E3779B97F4A7C15u, 0x8911D13E1DEE1A36u},
    {15, 0x0u, 0x1B47CB8243CC8E32u},  {15, 0x9E3779B97F4A7C15u, 0xE2EC50A544FAEC61u},
    {16, 0x0u, 0x434850232B787BE2u},  {16, 0x9E3779B97F4A7C15u, 0x93351859A7286376u},
    {31, 0x0u, 0xA2AA5F33CC4A6119u},  {31, 0x9E3779B97F4A7C15u, 0x755437271D1D0A84u},
    {32, 0x0u, 0x23C3C17EF790FD97u},  {32, 0x9E3779B97F4A7C15u, 0xBF624B932C090428u},
    {33, 0x0u, 0x50A7CFC7BA588784u},  {33, 0x9E3779B97F4A7C15u, 0x7ACEAF1E9D34EA35u},
    {36, 0x0u, 0xC0B52B0DCC5E3F7Fu},  {36, 0x9E3779B97F4A7C15u, 0xC2143DC58C007451u},
    {40, 0x0u, 0xB620306B253D76B6u},  {40, 0x9E3779B97F4A7C15u, 0x3B3666E250C83A50u},
    {63, 0x0u, 0x5E3E54B431C7493Cu},  {63, 0x9E3779B97F4A7C15u, 0x2C8DDCE5C85D0D9Du},
    {64, 0x0u, 0xEB64B3EF6EEB01Fu},   {64, 0x9E3779B97F4A7C15u, 0x4AF341F14E3A6FC9u},
    {65, 0x0u, 0xA383B724B2BD12F1u},  {65, 0x9E3779B97F4A7C15u, 0x8E9E580645400102u},
    {100, 0x0u, 0xA61F8D4C170FE531u}, {100, 0x9E3779B97F4A7C15u, 0xF6D8F65C625ABB4Fu},
    {255, 0x0u, 0x39AE55A29989206Fu}, {255, 0x9E3779B97F4A7C15u, 0x8310FF6A20CADFADu},
    {300, 0x0u, 0x240004DBEE0BA6DCu}, {300, 0x9E3779B97F4A7C15u, 0x4724CCB36F2AEE62u},
};

static void hashes_as_published(void **state)
{
    char bytes[300];
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7 + 3);
    for (size_t i = 0; i < T_COUNT(rows); i++)
        assert_true(hash_bytes(slice_of(bytes, rows[i].len), rows[i].seed) == rows[i].hash);
    assert_true(hash_bytes(SLICE_NONE, 0) == 0xEF46DB3751D8E999u);
    assert_true(hash_bytes(SLICE("a"), 0) == 0xD24EC4F1A98C6E5Bu);
    assert_true(hash_bytes(SLICE("abc"), 0) == 0x44BC2CF5AD770999u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_published),
    };
    return T_RUN(tests);
}
