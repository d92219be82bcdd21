/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and printing JSON: what is accepted prints back digit for digit, what is refused says
 * where and why in both languages. Inputs lie in memory of their exact size, so that the sanitizers
 * see a read past the end.
 */
#include "lib/t.h"

#include <time.h>

#include "base/json.h"
#include "base/limits.h"

#include "base/banned.h"

struct parsed {
    struct arena *arena;
    char *bytes;
    struct json *root;
    struct json_fault fault;
    enum err err;
};

static void parse(struct parsed *p, struct slice text)
{
    p->arena = arena_new(LIMIT_ARENA_REQUEST);
    p->bytes = malloc(text.len ? text.len : 1);
    if (text.len)
        memcpy(p->bytes, text.ptr, text.len);
    p->root = NULL;
    p->fault = (struct json_fault){0};
    p->err = json_parse(p->arena, slice_of(p->bytes, text.len), &p->root, &p->fault);
    assert_int_equal(p->err == ERR_OK, p->root != NULL);
}

static void parsed_fini(struct parsed *p)
{
    arena_free(p->arena);
    free(p->bytes);
}

static void prints_back(void **state)
{
    static const struct {
        const char *text;
        const char *printed; /* NULL: the same */
    } rows[] = {
        {"null", NULL},
        {"true", NULL},
        {"false", NULL},
        {"{}", NULL},
        {"[]", NULL},
        {"\"\"", NULL},
        {"0", NULL},
        {"-0", NULL},
        {"-0.0", NULL},
        {"1.10", NULL},
        {"1.100000000000000000000000000000000000000000001", NULL},
        {"1e400", NULL},
        {"1E+400", NULL},
        {"-1.5e-07", NULL},
        {"123456789012345678901234567890", NULL},
        {"[1,[2,{\"a\":[]}],{}]", NULL},
        {"{\"b\":1,\"a\":2,\"\":3}", NULL},
        {" \t\r\n[ 1 , 2 ]\n ", "[1,2]"},
        {"{ \"a\" : { \"b\" : null } }", "{\"a\":{\"b\":null}}"},
        {"\"\\u0041\\/\\\"\\\\\\b\\f\\n\\r\\t\"", "\"A/\\\"\\\\\\b\\f\\n\\r\\t\""},
        {"\"\\u001f\\u007f\\u0080\"", "\"\\u001f\x7F\xC2\x80\""},
        {"\"\\u65e5\\u672C\"", "\"日本\""},
        {"\"\\ud83d\\ude00\\uD800\\uDC00\\udbff\\udfff\"",
         "\"\xF0\x9F\x98\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""},
        {"\"日本語と😀と abc\"", NULL},
        {"{\"\\u0061\\n\":1}", "{\"a\\n\":1}"},
        {"\"plain text longer than eight, then \\\" a quote and more after it\"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct parsed p;
        struct parsed again;
        struct buf out;
        buf_init(&out, 10000);
        parse(&p, slice_str(rows[i].text));
        assert_int_equal(p.err, ERR_OK);
        json_print(&out, p.root);
        assert_buf(&out, rows[i].printed ? rows[i].printed : rows[i].text);
        parse(&again, buf_slice(&out));
        assert_true(json_equal(p.root, again.root));
        parsed_fini(&again);
        parsed_fini(&p);
        buf_fini(&out);
    }
}

static void keeps_places_and_texts(void **state)
{
    struct parsed p;
    (void)state;
    parse(&p, SLICE("{\"name\":\"x\",\n \"list\":[10, \"\\n\"]}"));
    const struct json *name = p.root->first;
    const struct json *list = p.root->last;
    assert_int_equal(p.root->count, 2);
    assert_int_equal(p.root->at, 0);
    assert_slice(name->key, "name");
    assert_slice(name->text, "x");
    assert_int_equal(name->at, 8);
    assert_ptr_equal(name->text.ptr, p.bytes + 9); /* not copied */
    assert_int_equal(list->kind, JSON_ARRAY);
    assert_int_equal(list->at, 21);
    assert_int_equal(list->count, 2);
    assert_slice(list->first->text, "10");
    assert_int_equal(list->first->kind, JSON_NUMBER);
    assert_slice(list->last->text, "\n");
    assert_null(list->last->next);
    parsed_fini(&p);
}

static const struct {
    const char *text;
    unsigned line, column;
    const char *en;
} faults[] = {
    {"", 1, 1, "the input is empty"},
    {"  ", 1, 3, "the input ends too early"},
    {"\xEF\xBB\xBF{}", 1, 1, "a byte order mark is not allowed"},
    {"[\"a\xFF\"]", 1, 4, "the input is not valid UTF-8"},
    {"[\"\xED\xA0\x80\"]", 1, 3, "the input is not valid UTF-8"},
    {"[\"\xE3\x81", 1, 3, "the input is not valid UTF-8"},
    {"{", 1, 2, "the input ends too early"},
    {"[", 1, 2, "the input ends too early"},
    {"[1", 1, 3, "the input ends too early"},
    {"[1,", 1, 4, "the input ends too early"},
    {"{\"a\"", 1, 5, "the input ends too early"},
    {"{\"a\":", 1, 6, "the input ends too early"},
    {"{\"a\":1", 1, 7, "the input ends too early"},
    {"{\"a\":1,", 1, 8, "the input ends too early"},
    {"\"abc", 1, 5, "the input ends too early"},
    {"\"abc\\", 1, 6, "the input ends too early"},
    {"\"abc\\\"", 1, 7, "the input ends too early"},
    {"\"\\u12", 1, 6, "the input ends too early"},
    {"[1,]", 1, 4, "a value was expected"},
    {"[,1]", 1, 2, "a value was expected"},
    {"{\"a\":}", 1, 6, "a value was expected"},
    {"nul", 1, 1, "a value was expected"},
    {"True", 1, 1, "a value was expected"},
    {"'a'", 1, 1, "a value was expected"},
    {"NaN", 1, 1, "a value was expected"},
    {"+1", 1, 1, "a value was expected"},
    {".5", 1, 1, "a value was expected"},
    {"/**/1", 1, 1, "a value was expected"},
    {"01", 1, 1, "the number is malformed"},
    {"-", 1, 1, "the number is malformed"},
    {"-a", 1, 1, "the number is malformed"},
    {"-01", 1, 1, "the number is malformed"},
    {"1.", 1, 1, "the number is malformed"},
    {"1.e5", 1, 1, "the number is malformed"},
    {"1e", 1, 1, "the number is malformed"},
    {"1e+", 1, 1, "the number is malformed"},
    {"[1 2]", 1, 4, "a comma or ] was expected"},
    {"[1}", 1, 3, "a comma or ] was expected"},
    {"[0x1]", 1, 3, "a comma or ] was expected"},
    {"{\"a\":1]", 1, 7, "a comma or } was expected"},
    {"{\"a\":1 \"b\":2}", 1, 8, "a comma or } was expected"},
    {"{a:1}", 1, 2, "a member name in quotes was expected"},
    {"{1:1}", 1, 2, "a member name in quotes was expected"},
    {"{\"a\":1,}", 1, 8, "a member name in quotes was expected"},
    {"{\"a\" 1}", 1, 6, "a colon was expected"},
    {"\"a\nb\"", 1, 3, "a control character must be escaped in a string"},
    {"\"a\tb\"", 1, 3, "a control character must be escaped in a string"},
    {"\"a\\n\x01\"", 1, 5, "a control character must be escaped in a string"},
    {"\"\\x41\"", 1, 2, "the escape is malformed"},
    {"\"\\u12G4\"", 1, 2, "the escape is malformed"},
    {"\"\\u12\"", 1, 2, "the escape is malformed"},
    {"\"\\U0041\"", 1, 2, "the escape is malformed"},
    {"\"ab\\u0000\"", 1, 4, "the character U+0000 is not allowed"},
    {"{\"\\u0000\":1}", 1, 3, "the character U+0000 is not allowed"},
    {"\"\\ud800\"", 1, 2, "a surrogate is not paired"},
    {"\"\\udc00\"", 1, 2, "a surrogate is not paired"},
    {"\"\\ud800\\ud800\"", 1, 2, "a surrogate is not paired"},
    {"\"\\ud800\\u0041\"", 1, 2, "a surrogate is not paired"},
    {"\"\\ud800\\n12345\"", 1, 2, "a surrogate is not paired"},
    {"\"\\ud800\\u\"", 1, 2, "a surrogate is not paired"},
    {"{\"a\":1,\n \"b\":2,\n \"a\":3}", 3, 6, "the member name occurs twice"},
    {"{\"a\":1,\"\\u0061\":3}", 1, 17, "the member name occurs twice"},
    {"{\"\":1,\"\":3}", 1, 10, "the member name occurs twice"},
    {"{} {}", 1, 4, "nothing may follow the value"},
    {"1,", 1, 2, "nothing may follow the value"},
    {"{}\n\n x", 3, 2, "nothing may follow the value"},
};

static void refuses_with_place_and_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(faults); i++) {
        struct parsed p;
        parse(&p, slice_str(faults[i].text));
        if (p.err != ERR_MALFORMED || p.fault.line != faults[i].line ||
            p.fault.column != faults[i].column || strcmp(p.fault.en, faults[i].en) != 0)
            print_error("%s: %d %u:%u %s\n", faults[i].text, (int)p.err, p.fault.line,
                        p.fault.column, p.fault.en ? p.fault.en : "-");
        assert_int_equal(p.err, ERR_MALFORMED);
        assert_int_equal(p.fault.line, faults[i].line);
        assert_int_equal(p.fault.column, faults[i].column);
        assert_string_equal(p.fault.en, faults[i].en);
        assert_true(strlen(p.fault.ja) > 0 && slice_is_utf8(slice_str(p.fault.ja)));
        assert_true(p.fault.offset <= strlen(faults[i].text));
        parsed_fini(&p);
    }
}

static void refuses_nul_bytes_and_needs_no_fault(void **state)
{
    struct arena *a = arena_new(10000);
    struct json *root = NULL;
    (void)state;
    assert_int_equal(json_parse(a, SLICE("\0"), &root, NULL), ERR_MALFORMED);
    assert_int_equal(json_parse(a, SLICE("[1]\0"), &root, NULL), ERR_MALFORMED);
    assert_int_equal(json_parse(a, SLICE("\"a\0b\""), &root, NULL), ERR_MALFORMED);
    assert_int_equal(json_parse(a, SLICE("[1\0]"), &root, NULL), ERR_MALFORMED);
    assert_int_equal(json_parse(a, SLICE_NONE, &root, NULL), ERR_MALFORMED);
    assert_null(root);
    arena_free(a);
}

static void bounds_depth(void **state)
{
    static const struct {
        const char *open, *inner, *close;
    } shapes[] = {{"[", "", "]"}, {"{\"a\":", "1", "}"}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(shapes); i++) {
        for (int depth = LIMIT_JSON_DEPTH - 1; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
            struct parsed p;
            struct buf b;
            buf_init(&b, 10000);
            for (int k = 0; k < depth; k++)
                buf_adds(&b, shapes[i].open);
            buf_adds(&b, shapes[i].inner);
            for (int k = 0; k < depth; k++)
                buf_adds(&b, shapes[i].close);
            parse(&p, buf_slice(&b));
            assert_int_equal(p.err, depth > LIMIT_JSON_DEPTH ? ERR_TOO_DEEP : ERR_OK);
            if (p.err)
                assert_string_equal(p.fault.en, "the input is nested too deeply");
            parsed_fini(&p);
            buf_fini(&b);
        }
    }
}

static void says_when_memory_ends(void **state)
{
    struct slice text = SLICE("{\"a\":[1,2,3,\"\\n\",{\"b\":\"c\"}],\"d\":{\"e\":{}}}");
    bool passed = false;
    (void)state;
    for (size_t max = 0; max < 4096; max += 16) {
        struct arena *a = arena_new(max);
        struct json *root = NULL;
        struct json_fault fault = {0};
        enum err err = json_parse(a, text, &root, &fault);
        assert_true(err == ERR_LIMIT || (err == ERR_OK && root));
        assert_int_equal(err == ERR_LIMIT, arena_exhausted(a));
        assert_true(!(passed && err)); /* more memory never makes it fail */
        passed = passed || err == ERR_OK;
        arena_free(a);
    }
    assert_true(passed);
}

/* {"k0":0,...}, COUNT members, the last one named like member TWIN. */
static void make_object(struct buf *b, int count, int twin)
{
    buf_addc(b, '{');
    for (int i = 0; i < count; i++)
        buf_addf(b, "%s\"member %d\":%d", i ? "," : "", i == count - 1 ? twin : i, i);
    buf_addc(b, '}');
}

static void finds_twins_among_many(void **state)
{
    static const int counts[] = {2, 15, 16, 17, 18, 100, 100000};
    (void)state;
    for (size_t i = 0; i < T_COUNT(counts); i++) {
        int count = counts[i];
        const int twins[] = {0, count / 2 - 1, count - 2, count - 1};
        for (size_t k = 0; k < T_COUNT(twins); k++) {
            struct parsed p;
            struct buf b;
            clock_t from = clock();
            buf_init(&b, 10000000);
            make_object(&b, count, twins[k]);
            parse(&p, buf_slice(&b));
            assert_int_equal(p.err, twins[k] == count - 1 ? ERR_OK : ERR_MALFORMED);
            if (p.err) {
                assert_string_equal(p.fault.en, "the member name occurs twice");
                assert_true(p.fault.offset > b.len - 10); /* the second one */
            }
            assert_true(clock() - from < 5 * CLOCKS_PER_SEC); /* their square would take minutes */
            parsed_fini(&p);
            buf_fini(&b);
        }
    }
}

static void cut_anywhere_is_refused(void **state)
{
    struct slice text = SLICE("{\"a\":[1.5e3,true,null,\"x\\u0041\\ud83d\\ude00日\"],\"b\":{}}");
    (void)state;
    for (size_t len = 0; len < text.len; len++) {
        struct parsed p;
        parse(&p, slice_sub(text, 0, len));
        assert_int_equal(p.err, ERR_MALFORMED);
        parsed_fini(&p);
    }
}

static void print_stops_at_the_maximum(void **state)
{
    struct parsed p;
    struct buf out;
    (void)state;
    parse(&p, SLICE("{\"a\":[1,2,3],\"b\":\"text\"}"));
    for (size_t max = 0; max < 24; max++) {
        buf_init(&out, max);
        json_print(&out, p.root);
        assert_int_equal(buf_err(&out), ERR_TOO_LARGE);
        buf_fini(&out);
    }
    parsed_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_back),
        cmocka_unit_test(keeps_places_and_texts),
        cmocka_unit_test(refuses_with_place_and_reason),
        cmocka_unit_test(refuses_nul_bytes_and_needs_no_fault),
        cmocka_unit_test(bounds_depth),
        cmocka_unit_test(says_when_memory_ends),
        cmocka_unit_test(finds_twins_among_many),
        cmocka_unit_test(cut_anywhere_is_refused),
        cmocka_unit_test(print_stops_at_the_maximum),
    };
    return T_RUN(tests);
}
