/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients say about forms, and what is made of it: weights, stars, versions, browsers.
 */
#include "lib/t.h"

#include "exchange/door/fhir_media.h"

#include "base/banned.h"

#define BROWSER                                                                                    \
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

static const struct {
    const char *field;
    enum err err;
    enum fhir_media form;
    bool html, raw;
} accept_table[] = {
    {"", ERR_OK, FHIR_MEDIA_JSON, false, false},
    {"*/*", ERR_OK, FHIR_MEDIA_JSON, false, true},
    {"application/fhir+json", ERR_OK, FHIR_MEDIA_JSON, false, false},
    {"application/fhir+xml", ERR_OK, FHIR_MEDIA_XML, false, false},
    {"APPLICATION/XML", ERR_OK, FHIR_MEDIA_XML, false, false},
    {"text/xml; charset=utf-8", ERR_OK, FHIR_MEDIA_XML, false, false},
    {"text/json", ERR_OK, FHIR_MEDIA_JSON, false, false},
    {"application/*", ERR_OK, FHIR_MEDIA_JSON, false, true},
    {"*/*, application/fhir+xml;q=0.1", ERR_OK, FHIR_MEDIA_JSON, false, false},
    {"application/fhir+xml, application/fhir+json", ERR_OK, FHIR_MEDIA_XML, false, false},
    {"application/fhir+xml;q=0.5, application/fhir+json;q=0.9", ERR_OK, FHIR_MEDIA_JSON, false,
     false},
    {"application/fhir+json;q=0.5, application/fhir+xml;q=0.51", ERR_OK, FHIR_MEDIA_XML, false,
     false},
    {"application/fhir+xml, */*", ERR_OK, FHIR_MEDIA_XML, false, false},
    {"*/*, application/fhir+json;q=0", ERR_OK, FHIR_MEDIA_XML, false, false},
    {"application/fhir+xml;fhirVersion=4.0", ERR_OK, FHIR_MEDIA_XML, false, false},
    {"application/fhir+xml;fhirVersion=\"4.0\"", ERR_OK, FHIR_MEDIA_XML, false, false},
    {"application/fhir+xml;fhirVersion=3.0", ERR_NOT_ACCEPTABLE, 0, false, false},
    {"application/fhir+xml;fhirVersion=5.0, application/fhir+json;q=0.1", ERR_OK, FHIR_MEDIA_JSON,
     false, false},
    {"application/fhir+json;q=0", ERR_NOT_ACCEPTABLE, 0, false, false},
    {"application/fhir+json;q=x", ERR_NOT_ACCEPTABLE, 0, false, false},
    {"application/fhir+json;q=1.5", ERR_NOT_ACCEPTABLE, 0, false, false},
    {"application/fhir+turtle", ERR_NOT_ACCEPTABLE, 0, false, true},
    {"text/html", ERR_OK, FHIR_MEDIA_JSON, true, true},
    {BROWSER, ERR_OK, FHIR_MEDIA_JSON, true, true},
    {"application/pdf", ERR_NOT_ACCEPTABLE, 0, false, true},
    {"application/pdf, application/fhir+json;q=0.9", ERR_OK, FHIR_MEDIA_JSON, false, true},
    {"application/fhir+json, application/pdf", ERR_OK, FHIR_MEDIA_JSON, false, false},
    {"image/*", ERR_NOT_ACCEPTABLE, 0, false, true},
    {",;,", ERR_NOT_ACCEPTABLE, 0, false, false},
};

static void accept_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(accept_table); i++) {
        struct fhir_wish wish;
        enum err err = fhir_media_accept(slice_str(accept_table[i].field), &wish);
        if (err != accept_table[i].err || wish.html != accept_table[i].html ||
            wish.raw != accept_table[i].raw || (!err && wish.form != accept_table[i].form))
            fail_msg("%s: %s form %d html %d raw %d", accept_table[i].field, err_name(err),
                     wish.form, wish.html, wish.raw);
    }
}

static void format_values(void **state)
{
    static const struct {
        const char *value;
        enum err err;
        enum fhir_media form;
        bool html;
    } cases[] = {
        {"json", ERR_OK, FHIR_MEDIA_JSON, false},
        {"text/json", ERR_OK, FHIR_MEDIA_JSON, false},
        {"application/fhir+json", ERR_OK, FHIR_MEDIA_JSON, false},
        {"xml", ERR_OK, FHIR_MEDIA_XML, false},
        {"application/fhir xml", ERR_OK, FHIR_MEDIA_XML, false},
        {"application/fhir+xml; fhirVersion=4.0", ERR_OK, FHIR_MEDIA_XML, false},
        {"html", ERR_OK, FHIR_MEDIA_JSON, true},
        {"text/html", ERR_OK, FHIR_MEDIA_JSON, true},
        {"ttl", ERR_NOT_ACCEPTABLE, 0, false},
        {"", ERR_NOT_ACCEPTABLE, 0, false},
        {"application/fhir+xml; fhirVersion=1.0", ERR_NOT_ACCEPTABLE, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct fhir_wish wish = {0};
        enum err err = fhir_media_format(slice_str(cases[i].value), &wish);
        if (err != cases[i].err || wish.form != cases[i].form || wish.html != cases[i].html)
            fail_msg("%s: %s %d %d", cases[i].value, err_name(err), wish.form, wish.html);
    }
}

static void content_types(void **state)
{
    static const struct {
        const char *field;
        enum err err;
        enum fhir_media media;
    } cases[] = {
        {"", ERR_OK, FHIR_MEDIA_OTHER},
        {"application/fhir+json", ERR_OK, FHIR_MEDIA_JSON},
        {"application/json;charset=UTF-8", ERR_OK, FHIR_MEDIA_JSON},
        {"application/fhir+xml; charset=\"utf-8\"; fhirVersion=4.0", ERR_OK, FHIR_MEDIA_XML},
        {"text/xml", ERR_OK, FHIR_MEDIA_XML},
        {"application/fhir+json; fhirVersion=3.0", ERR_MEDIA_TYPE, 0},
        {"application/fhir+json; charset=shift_jis", ERR_MEDIA_TYPE, 0},
        {"text/plain; charset=shift_jis", ERR_OK, FHIR_MEDIA_OTHER},
        {"text/html", ERR_OK, FHIR_MEDIA_OTHER},
        {"application/fhir+jsonx", ERR_OK, FHIR_MEDIA_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        enum fhir_media media = 0;
        enum err err = fhir_media_content(slice_str(cases[i].field), &media);
        if (err != cases[i].err || media != cases[i].media)
            fail_msg("%s: %s %d", cases[i].field, err_name(err), media);
    }
}

static void preferences(void **state)
{
    (void)state;
    assert_true(fhir_media_prefers(SLICE("return=minimal"), "return", "minimal"));
    assert_true(
        fhir_media_prefers(SLICE("handling=lenient, Return=\"Minimal\""), "return", "minimal"));
    assert_true(
        fhir_media_prefers(SLICE("a; return=OperationOutcome"), "return", "OperationOutcome"));
    assert_false(fhir_media_prefers(SLICE("return=minimalist"), "return", "minimal"));
    assert_false(fhir_media_prefers(SLICE("x=return=minimal"), "return", "minimal"));
    assert_false(fhir_media_prefers(SLICE(""), "return", "minimal"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_fields),
        cmocka_unit_test(format_values),
        cmocka_unit_test(content_types),
        cmocka_unit_test(preferences),
    };
    return T_RUN(tests);
}
