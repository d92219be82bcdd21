/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON tree: lookups that accept anything, builders that do nothing on NULL, and the list's
 * links after every kind of change.
 */
#include "lib/t.h"

#include "base/json.h"

#include "base/banned.h"

#define ARENA_MAX 100000

static struct json *parse(struct arena *a, const char *text)
{
    struct json *root = NULL;
    assert_int_equal(json_parse(a, slice_str(text), &root, NULL), ERR_OK);
    return root;
}

/* Prints, and checks count and last against the list on the way. */
static void assert_json(const struct json *value, const char *text)
{
    struct buf out;
    uint32_t count = 0;
    const struct json *last = NULL;
    buf_init(&out, ARENA_MAX);
    json_print(&out, value);
    assert_buf(&out, text);
    buf_fini(&out);
    for (const struct json *c = value->first; c; c = c->next) {
        count++;
        last = c;
    }
    assert_int_equal(value->count, count);
    assert_ptr_equal(value->last, last);
}

static void looks_up(void **state)
{
    struct arena *a = arena_new(ARENA_MAX);
    struct json *p =
        parse(a, "{\"name\":[{\"family\":\"東京\",\"n\":1},{\"family\":\"\"}],\"active\":true,"
                 "\"0\":\"zero\",\"x\":null}");
    (void)state;
    assert_slice(json_path(p, "name", "0", "family", NULL)->text, "東京");
    assert_ptr_equal(json_path(p, NULL), p);
    assert_slice(json_path(p, "0", NULL)->text, "zero");
    assert_null(json_path(p, "name", "2", NULL));
    assert_null(json_path(p, "name", "-1", NULL));
    assert_null(json_path(p, "name", "4294967296", NULL));
    assert_null(json_path(p, "name", "family", NULL));
    assert_null(json_path(p, "active", "x", NULL));
    assert_null(json_path(NULL, "x", NULL));
    assert_slice(json_str(json_path(p, "name", "0", NULL), "family"), "東京");
    assert_null(json_str(json_path(p, "name", "0", NULL), "n").ptr);
    assert_non_null(json_str(json_path(p, "name", "1", NULL), "family").ptr);
    assert_null(json_str(p, "absent").ptr);
    assert_null(json_str(NULL, "absent").ptr);
    assert_null(json_get(p, "nam"));
    assert_null(json_get(json_get(p, "name"), "0")); /* an array has no members */
    assert_non_null(json_get_slice(p, SLICE("active")));
    assert_null(json_get_slice(NULL, SLICE("active")));
    assert_null(json_at(json_get(p, "name"), 2));
    assert_null(json_at(p, 0));
    assert_null(json_at(NULL, 0));
    assert_ptr_equal(json_at(json_get(p, "name"), 1), json_get(p, "name")->last);
    assert_true(json_is_true(json_get(p, "active")));
    assert_false(json_is_true(json_get(p, "x")));
    assert_false(json_is_true(NULL));
    arena_free(a);
}

static void builds(void **state)
{
    struct arena *a = arena_new(ARENA_MAX);
    struct json *p = json_new(a, JSON_OBJECT);
    (void)state;
    json_put_text(a, p, "resourceType", "Patient");
    struct json *names = json_put_array(a, p, "name");
    struct json *name = json_push_object(a, names);
    json_put_str(a, name, "family", SLICE("山田"));
    assert_null(json_put_str(a, name, "text", SLICE("")));
    assert_null(json_put_text(a, name, "text", NULL));
    json_push(json_put_array(a, name, "given"), json_string(a, SLICE("太郎")));
    json_put_bool(a, p, "active", true);
    json_put_bool(a, p, "dead", false);
    json_put_int(a, p, "n", INT64_MIN);
    json_put_int(a, json_put_object(a, p, "o"), "m", 0);
    json_set(p, "d", json_number(a, SLICE("1.10")));
    json_set(p, "z", json_new(a, JSON_NULL));
    assert_json(
        p, "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"山田\",\"given\":[\"太郎\"]}],"
           "\"active\":true,\"dead\":false,\"n\":-9223372036854775808,\"o\":{\"m\":0},"
           "\"d\":1.10,\"z\":null}");
    arena_free(a);
}

static void does_nothing_on_null(void **state)
{
    struct arena *a = arena_new(ARENA_MAX);
    struct json *o = json_new(a, JSON_OBJECT);
    size_t used = arena_used(a);
    (void)state;
    assert_null(json_set(NULL, "a", o));
    assert_null(json_set(o, "a", NULL));
    assert_null(json_push(NULL, o));
    assert_null(json_put_object(a, NULL, "a"));
    assert_null(json_put_array(a, NULL, "a"));
    assert_null(json_put_str(a, NULL, "a", SLICE("x")));
    assert_null(json_put_text(a, NULL, "a", "x"));
    assert_null(json_put_bool(a, NULL, "a", true));
    assert_null(json_put_int(a, NULL, "a", 1));
    assert_null(json_push_object(a, NULL));
    assert_false(json_remove(NULL, "a"));
    assert_null(json_clone(a, NULL));
    assert_int_equal(arena_used(a), used);
    assert_json(o, "{}");
    arena_free(a);

    a = arena_new(0); /* a full arena makes a chain of nothing */
    o = json_new(a, JSON_OBJECT);
    assert_null(o);
    assert_null(json_string(a, SLICE("a")));
    assert_null(json_int(a, 1));
    assert_null(json_put_int(a, json_push_object(a, json_put_array(a, o, "a")), "b", 1));
    assert_true(arena_exhausted(a));
    arena_free(a);
}

static void replaces_and_removes(void **state)
{
    struct arena *a = arena_new(ARENA_MAX);
    struct json *o = parse(a, "{\"a\":1,\"b\":2,\"c\":3}");
    (void)state;
    json_put_int(a, o, "b", 20);
    assert_json(o, "{\"a\":1,\"b\":20,\"c\":3}");
    json_put_int(a, o, "a", 10);
    json_put_int(a, o, "c", 30);
    assert_json(o, "{\"a\":10,\"b\":20,\"c\":30}");
    json_put_int(a, o, "d", 40);
    assert_json(o, "{\"a\":10,\"b\":20,\"c\":30,\"d\":40}");
    assert_ptr_equal(json_set(o, "b", json_get(o, "b")), json_get(o, "b"));
    assert_false(json_remove(o, "x"));
    assert_true(json_remove(o, "d"));
    assert_json(o, "{\"a\":10,\"b\":20,\"c\":30}");
    assert_true(json_remove(o, "a"));
    assert_false(json_remove(o, "a"));
    struct json *b = json_get(o, "b");
    assert_true(json_remove(o, "b"));
    assert_json(o, "{\"c\":30}");
    assert_true(json_remove(o, "c"));
    assert_json(o, "{}");
    assert_false(json_remove(o, "c"));
    json_set(o, "again", b); /* what was taken out may go in elsewhere */
    assert_json(o, "{\"again\":20}");
    json_put_int(a, o, "again", 1);
    assert_json(o, "{\"again\":1}");
    assert_false(json_remove(parse(a, "[1]"), "a"));
    arena_free(a);
}

static void clones_apart(void **state)
{
    struct arena *a = arena_new(ARENA_MAX);
    const char *text = "{\"a\":[1,{\"b\":\"c\"},[]],\"d\":null}";
    struct json *o = parse(a, text);
    struct json *copy = json_clone(a, json_get(o, "a"));
    (void)state;
    assert_null(copy->next);
    assert_json(copy, "[1,{\"b\":\"c\"},[]]");
    assert_true(json_equal(copy, json_get(o, "a")));
    json_put_int(a, json_at(copy, 1), "b", 9);
    json_push_object(a, copy);
    assert_json(copy, "[1,{\"b\":9},[],{}]");
    assert_json(o, text);
    assert_int_equal(json_clone(a, o)->first->at, o->first->at);

    struct arena *small = arena_new(300);
    assert_null(json_clone(small, o));
    assert_true(arena_exhausted(small));
    arena_free(small);
    arena_free(a);
}

static void compares(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1,\"b\":{\"c\":[],\"d\":1}}", "{\"b\":{\"d\":1,\"c\":[]},\"a\":1}", true},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"a\":1,\"b\":2}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1,2]", true},
        {"[1]", "[1,1]", false},
        {"[]", "{}", false},
        {"1.0", "1.00", false}, /* digits matter */
        {"\"1\"", "1", false},
        {"\"\\u0041\"", "\"A\"", true},
        {"null", "null", true},
        {"null", "false", false},
    };
    struct arena *a = arena_new(ARENA_MAX);
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct json *x = parse(a, rows[i].a);
        struct json *y = parse(a, rows[i].b);
        assert_int_equal(json_equal(x, y), rows[i].equal);
        assert_int_equal(json_equal(y, x), rows[i].equal);
    }
    assert_true(json_equal(NULL, NULL));
    assert_false(json_equal(NULL, parse(a, "null")));
    arena_free(a);
}

/* What needs an escape is found wherever it stands, and nothing else is escaped. */
static void escapes_anywhere(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1000);
    for (unsigned c = 0; c < 256; c++) {
        for (size_t at = 0; at < 19; at++) {
            char text[19];
            memset(text, 0x80 | (int)(c % 64), sizeof(text)); /* neighbours with the high bit set */
            text[at] = (char)c;
            buf_clear(&out);
            json_print_string(&out, slice_of(text, sizeof(text)));
            bool escaped = c < 0x20 || c == '"' || c == '\\';
            bool shown = out.ptr[1 + at] == (char)c && out.len == sizeof(text) + 2;
            assert_int_equal(escaped, !shown);
            assert_int_equal(out.ptr[out.len - 1], '"');
        }
    }
    buf_fini(&out);
}

static void prints_pretty(void **state)
{
    struct arena *a = arena_new(1 << 16);
    struct json *root = NULL;
    struct buf out;
    (void)state;
    buf_init(&out, 1 << 16);
    assert_int_equal(json_parse(a, SLICE("{\"a\":[1.0,{}],\"b\":{\"c\":[]}}"), &root, NULL),
                     ERR_OK);
    json_print_pretty(&out, root);
    assert_buf(&out, "{\n  \"a\": [\n    1.0,\n    {}\n  ],\n  \"b\": {\n    \"c\": []\n  }\n}\n");
    buf_fini(&out);
    arena_free(a);
}

static void prints_strings(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1000);
    json_print_string(&out, SLICE("\"\\/\b\f\n\r\t\x01\x1F\x7F日本"));
    assert_buf(&out, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F日本\"");
    buf_clear(&out);
    json_print_string(&out, SLICE("a\0b"));
    assert_buf(&out, "\"a\\u0000b\"");
    buf_clear(&out);
    json_print_string(&out, SLICE_NONE);
    assert_buf(&out, "\"\"");
    buf_fini(&out);
}

static void inserts_and_detaches(void **state)
{
    struct arena *a = arena_new(ARENA_MAX);
    struct json *list = parse(a, "[1,2]");
    (void)state;
    json_insert(list, 0, json_int(a, 0));
    json_insert(list, 2, json_int(a, 15));
    json_insert(list, 4, json_int(a, 3));
    json_insert(list, 99, json_int(a, 4));
    assert_json(list, "[0,1,15,2,3,4]");
    struct json *middle = json_at(list, 2);
    json_detach(list, middle);
    json_detach(list, list->last);
    json_detach(list, list->first);
    assert_json(list, "[1,2,3]");
    assert_int_equal(list->count, 3);
    json_push(list, middle);
    assert_json(list, "[1,2,3,15]");
    struct json *o = parse(a, "{\"a\":1,\"b\":2}");
    json_set_slice(o, SLICE("a"), json_int(a, 3)); /* in the old one's place */
    json_set_slice(o, slice_sub(SLICE("xcx"), 1, 1), json_int(a, 4));
    assert_json(o, "{\"a\":3,\"b\":2,\"c\":4}");
    assert_null(json_insert(NULL, 0, middle));
    assert_null(json_set_slice(NULL, SLICE("a"), middle));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_up),
        cmocka_unit_test(builds),
        cmocka_unit_test(does_nothing_on_null),
        cmocka_unit_test(replaces_and_removes),
        cmocka_unit_test(inserts_and_detaches),
        cmocka_unit_test(clones_apart),
        cmocka_unit_test(compares),
        cmocka_unit_test(prints_strings),
        cmocka_unit_test(escapes_anywhere),
        cmocka_unit_test(prints_pretty),
    };
    return T_RUN(tests);
}
