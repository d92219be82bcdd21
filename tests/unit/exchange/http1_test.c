/* SPDX-License-Identifier: Apache-2.0
 *
 * http1.c against tables of heads and chunked bodies: what is well formed is taken, and every known
 * way to make two parsers disagree (request smuggling classes: CL.TE, TE.CL, TE obfuscation,
 * folding, bare CR or LF, odd numbers) is refused with its status. Each table entry is also fed cut
 * at every byte: a shorter input must never be taken.
 */
#include "lib/t.h"

#include "exchange/net/http1.h"

#include "base/banned.h"

#define OK 0
#define MORE (-1)
#define G "GET / HTTP/1.1\r\nHost: x\r\n"
#define P "POST / HTTP/1.1\r\nHost: x\r\n"

struct head_case {
    const char *name;
    struct slice bytes;
    int expect; /* OK, MORE or the status */
};
#define C(name, text, expect)                                                                      \
    {                                                                                              \
        name, {text, sizeof(text) - 1}, expect                                                     \
    }

static const struct head_case HEADS[] = {
    /* well formed */
    C("plain", G "\r\n", OK),
    C("query", "GET /a?b=c|d HTTP/1.1\r\nHost: x\r\n\r\n", OK),
    C("http/1.0", "GET / HTTP/1.0\r\n\r\n", OK),
    C("options star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", OK),
    C("absolute form", "GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n", OK),
    C("absolute form, case", "GET HTTPS://X:1/a?b HTTP/1.1\r\nHost: x:1\r\n\r\n", OK),
    C("absolute form, no path", "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", OK),
    C("absolute form in 1.0", "GET http://x/ HTTP/1.0\r\n\r\n", OK),
    C("unknown expectation passed over", G "Expect: 200-ok\r\n\r\n", OK),
    C("one empty line first", "\r\n" G "\r\n", OK),
    C("length", P "Content-Length: 5\r\n\r\n", OK),
    C("length with zeros", P "Content-Length: 0005\r\n\r\n", OK),
    C("length zero", P "Content-Length: 0\r\n\r\n", OK),
    C("length no space", P "Content-Length:5\r\n\r\n", OK),
    C("length tab around", P "Content-Length:\t5\t\r\n\r\n", OK),
    C("largest length", P "Content-Length: 18446744073709551615\r\n\r\n", OK),
    C("chunked", P "Transfer-Encoding: chunked\r\n\r\n", OK),
    C("chunked upper case", P "TRANSFER-ENCODING: Chunked\r\n\r\n", OK),
    C("empty value", G "X-A:\r\n\r\n", OK),
    C("obs-text in value", G "X-A: \xe6\x97\xa5\r\n\r\n", OK),
    C("token name", G "!#$%&'*+-.^_`|~09az: v\r\n\r\n", OK),
    C("host with port", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", OK),
    C("own method", "frob-x / HTTP/1.1\r\nHost: x\r\n\r\n", OK),
    C("upgrade passed over", G "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n", OK),
    /* incomplete */
    C("nothing", "", MORE),
    C("CR only", "\r", MORE),
    C("half line", "GET / HT", MORE),
    C("no empty line", G, MORE),
    C("CR at the end", G "\r", MORE),
    /* request line */
    C("two empty lines first", "\r\n\r\n" G "\r\n", 400),
    C("LF first", "\n" G "\r\n", 400),
    C("space first", " GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("two spaces after method", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("two spaces after target", "GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("space at end of line", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
    C("tab for space", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("tab before version", "GET /\tHTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("vertical tab", "GET /\x0b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("form feed", "GET\x0c/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("no version", "GET /\r\nHost: x\r\n\r\n", 400),
    C("no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("only method", "GET\r\n\r\n", 400),
    C("lower-case version", "GET / http/1.1\r\nHost: x\r\n\r\n", 400),
    C("version 1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505),
    C("version 2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    C("version 0.9", "GET / HTTP/0.9\r\n\r\n", 505),
    C("http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    C("version 1.10", "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400),
    C("version 11", "GET / HTTP/11\r\nHost: x\r\n\r\n", 400),
    C("version 1,1", "GET / HTTP/1,1\r\nHost: x\r\n\r\n", 400),
    C("version +1.1", "GET / HTTP/+1.1\r\nHost: x\r\n\r\n", 400),
    C("other protocol", "GET / ICAP/1.0\r\nHost: x\r\n\r\n", 400),
    C("target with space", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("target with fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("target with NUL", "GET /\0a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("target with DEL", "GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("target with UTF-8", "GET /\xe6\x97\xa5 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("absolute form, other host", "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("absolute form, other port", "GET http://x:80/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("absolute form, no host", "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("absolute form, user", "GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("absolute form, query without path", "GET http://x?a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("absolute form, no Host field", "GET http://x/ HTTP/1.1\r\n\r\n", 400),
    C("absolute form, other scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("two slashes are a path", "GET //x/ HTTP/1.1\r\nHost: x\r\n\r\n", OK),
    C("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    C("authority form", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("star for GET", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("relative target", "GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("method with colon", "GE:T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("method with NUL", "GE\0T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("method with brackets", "GET(1) / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    C("TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    C("bare LF after request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400),
    C("bare CR in request line", "GET / HTTP/1.1\rHost: x\r\n\r\n", 400),
    C("bare CR early", "GET /\rX", 400),
    C("CR CR LF", "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n", 400),
    /* lines and names */
    C("bare LF between fields", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
    C("bare LF ends head", G "\n", 400),
    C("LF LF", "GET / HTTP/1.1\nHost: x\n\n", 400),
    C("bare CR in value", G "A: b\rC: d\r\n\r\n", 400),
    C("CR CR LF in field", G "A: b\r\r\n\r\n", 400),
    C("obs-fold space", G "A: b\r\n c\r\n\r\n", 400),
    C("obs-fold tab", G "A: b\r\n\tc\r\n\r\n", 400),
    C("fold of the first field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    C("space before colon", G "A : b\r\n\r\n", 400),
    C("tab before colon", G "A\t: b\r\n\r\n", 400),
    C("vertical tab before colon", G "A\x0b: b\r\n\r\n", 400),
    C("name with space", G "A B: c\r\n\r\n", 400),
    C("empty name", G ": b\r\n\r\n", 400),
    C("no colon", G "Abc\r\n\r\n", 400),
    C("name with NUL", G "A\0B: c\r\n\r\n", 400),
    C("name with UTF-8", G "\xc3\x84: c\r\n\r\n", 400),
    C("name with DEL", G "A\x7f: c\r\n\r\n", 400),
    C("name in quotes", G "\"A\": c\r\n\r\n", 400),
    C("name with slash", G "A/B: c\r\n\r\n", 400),
    C("name with brackets", G "A[]: c\r\n\r\n", 400),
    C("value with NUL", G "A: b\0c\r\n\r\n", 400),
    C("value with bell", G "A: b\x07\r\n\r\n", 400),
    C("value with DEL", G "A: \x7f\r\n\r\n", 400),
    C("value with escape", G "A: \x1b[0m\r\n\r\n", 400),
    C("value with vertical tab",
      G "A: \x0b"
        "b\r\n\r\n",
      400),
    C("value with form feed", G "A: b\x0c\r\n\r\n", 400),
    /* host */
    C("no host", "GET / HTTP/1.1\r\n\r\n", 400),
    C("two hosts", G "Host: y\r\n\r\n", 400),
    C("same host twice", G "host: x\r\n\r\n", 400),
    C("two hosts in 1.0", "GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    C("empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    C("host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    C("host with user", "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", 400),
    C("host with path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400),
    C("host with space", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400),
    /* Content-Length */
    C("length twice, same", P "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
    C("length twice, other", P "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    C("length twice, other case", P "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", 400),
    C("length list, same", P "Content-Length: 5, 5\r\n\r\n", 400),
    C("length list", P "Content-Length: 5,6\r\n\r\n", 400),
    C("length empty", P "Content-Length:\r\n\r\n", 400),
    C("length spaces", P "Content-Length: \t \r\n\r\n", 400),
    C("length plus", P "Content-Length: +5\r\n\r\n", 400),
    C("length minus", P "Content-Length: -5\r\n\r\n", 400),
    C("length minus zero", P "Content-Length: -0\r\n\r\n", 400),
    C("length hex", P "Content-Length: 0x5\r\n\r\n", 400),
    C("length hex digit", P "Content-Length: a\r\n\r\n", 400),
    C("length octal", P "Content-Length: 0o5\r\n\r\n", 400),
    C("length with underscore", P "Content-Length: 1_0\r\n\r\n", 400),
    C("length with space inside", P "Content-Length: 5 5\r\n\r\n", 400),
    C("length fraction", P "Content-Length: 5.0\r\n\r\n", 400),
    C("length exponent", P "Content-Length: 1e1\r\n\r\n", 400),
    C("length quoted", P "Content-Length: \"5\"\r\n\r\n", 400),
    C("length with semicolon", P "Content-Length: 5;x\r\n\r\n", 400),
    C("length with full-width digit", P "Content-Length: \xef\xbc\x95\r\n\r\n", 400),
    C("length vertical tab",
      P "Content-Length: \x0b"
        "5\r\n\r\n",
      400),
    C("length over 64 bits", P "Content-Length: 18446744073709551616\r\n\r\n", 400),
    C("length far over", P "Content-Length: 99999999999999999999999999\r\n\r\n", 400),
    C("length space before colon", P "Content-Length : 5\r\n\r\n", 400),
    /* Transfer-Encoding */
    C("CL.TE", P "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    C("TE.CL", P "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n", 400),
    C("TE with CL 0", P "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 400),
    C("TE twice", P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    C("TE chunked, then identity",
      P "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400),
    C("TE list, same", P "Transfer-Encoding: chunked, chunked\r\n\r\n", 501),
    C("TE gzip, chunked", P "Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    C("TE chunked, gzip", P "Transfer-Encoding: chunked, gzip\r\n\r\n", 501),
    C("TE identity", P "Transfer-Encoding: identity\r\n\r\n", 501),
    C("TE identity and CL", P "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n", 501),
    C("TE xchunked", P "Transfer-Encoding: xchunked\r\n\r\n", 501),
    C("TE chunkedx", P "Transfer-Encoding: chunkedx\r\n\r\n", 501),
    C("TE chunk", P "Transfer-Encoding: chunk\r\n\r\n", 501),
    C("TE quoted", P "Transfer-Encoding: \"chunked\"\r\n\r\n", 501),
    C("TE apostrophes", P "Transfer-Encoding: 'chunked'\r\n\r\n", 501),
    C("TE with parameter", P "Transfer-Encoding: chunked;q=1\r\n\r\n", 501),
    C("TE empty", P "Transfer-Encoding:\r\n\r\n", 501),
    C("TE comma first", P "Transfer-Encoding: ,chunked\r\n\r\n", 501),
    C("TE comma last", P "Transfer-Encoding: chunked,\r\n\r\n", 501),
    C("TE vertical tab",
      P "Transfer-Encoding: \x0b"
        "chunked\r\n\r\n",
      400),
    C("TE form feed", P "Transfer-Encoding: chunked\x0c\r\n\r\n", 400),
    C("TE NUL", P "Transfer-Encoding: chunked\0\r\n\r\n", 400),
    C("TE no-break space",
      P "Transfer-Encoding: \xc2\xa0"
        "chunked\r\n\r\n",
      501),
    C("TE byte FF",
      P "Transfer-Encoding: \xff"
        "chunked\r\n\r\n",
      501),
    C("TE space before colon", P "Transfer-Encoding : chunked\r\n\r\n", 400),
    C("TE tab before colon", P "Transfer-Encoding\t: chunked\r\n\r\n", 400),
    C("TE NUL before colon", P "Transfer-Encoding\0: chunked\r\n\r\n", 400),
    C("TE space before name", P " Transfer-Encoding: chunked\r\n\r\n", 400),
    C("TE folded", P "Transfer-Encoding:\r\n chunked\r\n\r\n", 501),
    C("TE name broken by LF", P "Transfer-Encoding\n: chunked\r\n\r\n", 400),
    C("TE smuggled after bare CR", P "X: y\rTransfer-Encoding: chunked\r\n\r\n", 400),
    C("TE smuggled after bare LF", P "X: y\nTransfer-Encoding: chunked\r\n\r\n", 400),
    C("TE in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
};

static const char *outcome(enum http1_state state, int status, char text[16])
{
    if (state == HTTP1_MORE)
        return "MORE";
    if (state == HTTP1_DONE)
        return "DONE";
    snprintf(text, 16, "%d", status);
    return text;
}

/* A copy of exactly the right size, so that AddressSanitizer sees a look beyond the end. */
static enum http1_state parse(struct slice bytes, struct http1_request *r, size_t *used,
                              int *status)
{
    char *exact = malloc(bytes.len ? bytes.len : 1);
    memcpy(exact, bytes.len ? bytes.ptr : "", bytes.len);
    enum http1_state state = http1_head(slice_of(exact, bytes.len), r, used, status);
    free(exact);
    return state;
}

static void test_heads(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++) {
        struct http1_request r;
        size_t used = 0;
        int status = 0;
        char text[16];
        enum http1_state got = parse(HEADS[i].bytes, &r, &used, &status);
        bool right = HEADS[i].expect == OK     ? got == HTTP1_DONE && used == HEADS[i].bytes.len
                     : HEADS[i].expect == MORE ? got == HTTP1_MORE
                                               : got == HTTP1_BAD && status == HEADS[i].expect;
        if (!right) {
            print_error("%s: got %s\n", HEADS[i].name, outcome(got, status, text));
            wrong++;
        }
    }
    print_message("%zu heads, %u wrong\n", sizeof(HEADS) / sizeof(HEADS[0]), wrong);
    assert_int_equal(wrong, 0);
}

/* Cut short, a good head is MORE and a bad one is never taken. */
static void test_cut_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++) {
        for (size_t len = 0; len < HEADS[i].bytes.len; len++) {
            struct http1_request r;
            size_t used = 0;
            int status = 0;
            enum http1_state got = parse(slice_sub(HEADS[i].bytes, 0, len), &r, &used, &status);
            if (HEADS[i].expect == OK)
                assert_int_equal(got, HTTP1_MORE);
            else
                assert_int_not_equal(got, HTTP1_DONE);
        }
    }
}

static void test_what_is_read(void **state)
{
    (void)state;
    struct http1_request r;
    size_t used = 0;
    int status = 0;
    struct slice two =
        SLICE("POST /fhir/Patient?a=1&b=%20 HTTP/1.1\r\nHost: x\r\nX-Note:  two words \t\r\n"
              "content-LENGTH: 42\r\nExpect: 100-Continue\r\nConnection: foo, Close\r\n\r\n"
              "GET / HTTP/1.1\r\n");
    assert_int_equal(http1_head(two, &r, &used, &status), HTTP1_DONE);
    assert_int_equal(used, two.len - strlen("GET / HTTP/1.1\r\n"));
    assert_true(slice_is(r.method, "POST"));
    assert_true(slice_is(r.target, "/fhir/Patient?a=1&b=%20"));
    assert_true(slice_is(r.path, "/fhir/Patient"));
    assert_true(slice_is(r.query, "a=1&b=%20"));
    assert_true(slice_is(http1_field(&r, "x-note"), "two words"));
    assert_null(http1_field(&r, "absent").ptr);
    assert_int_equal(r.content_length, 42);
    assert_true(r.expect_continue);
    assert_false(r.keep_alive);
    assert_false(r.chunked);
    assert_int_equal(http1_head(SLICE(G "\r\n"), &r, &used, &status), HTTP1_DONE);
    assert_true(r.keep_alive);
    assert_int_equal(r.query.len, 0);
    assert_int_equal(http1_head(SLICE("GET http://X:80/a?b=/c HTTP/1.1\r\nHost: x:80\r\n\r\n"), &r,
                                &used, &status),
                     HTTP1_DONE);
    assert_true(slice_is(r.target, "/a?b=/c"));
    assert_true(slice_is(r.path, "/a"));
    assert_true(slice_is(r.query, "b=/c"));
    assert_int_equal(
        http1_head(SLICE("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n"), &r, &used, &status),
        HTTP1_DONE);
    assert_true(slice_is(r.path, "/"));
    assert_int_equal(
        http1_head(SLICE("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), &r, &used, &status),
        HTTP1_DONE);
    assert_false(r.keep_alive);
}

static void expect_status(struct buf *b, int expect)
{
    struct http1_request r;
    size_t used = 0;
    int status = 0;
    enum http1_state got = http1_head(buf_slice(b), &r, &used, &status);
    if (expect == OK)
        assert_int_equal(got, HTTP1_DONE);
    else
        assert_int_equal(got, HTTP1_BAD);
    if (expect != OK)
        assert_int_equal(status, expect);
    buf_clear(b);
}

static void add_many(struct buf *b, char c, size_t n)
{
    while (n-- > 0)
        buf_addc(b, c);
}

static void test_limits(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, LIMIT_MIB);
    buf_adds(&b, "GET /");
    add_many(&b, 'a', LIMIT_HTTP_LINE - strlen("GET / HTTP/1.1"));
    buf_adds(&b, " HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status(&b, OK);
    buf_adds(&b, "GET /");
    add_many(&b, 'a', LIMIT_HTTP_LINE - strlen("GET / HTTP/1.1") + 1);
    buf_adds(&b, " HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status(&b, 414);
    buf_adds(&b, "GET /"); /* without an end */
    add_many(&b, 'a', LIMIT_HTTP_LINE + 10);
    expect_status(&b, 414);
    buf_adds(&b, G "A: ");
    add_many(&b, 'a', LIMIT_HTTP_HEAD - 20);
    buf_adds(&b, "\r\n\r\n");
    expect_status(&b, OK);
    buf_adds(&b, G "A: ");
    add_many(&b, 'a', LIMIT_HTTP_HEAD);
    buf_adds(&b, "\r\n\r\n");
    expect_status(&b, 431);
    buf_adds(&b, G "A: ");
    add_many(&b, 'a', LIMIT_HTTP_HEAD + 10);
    expect_status(&b, 431);
    buf_adds(&b, G);
    for (unsigned i = 1; i < LIMIT_HTTP_FIELDS; i++)
        buf_adds(&b, "A: b\r\n");
    buf_adds(&b, "\r\n");
    expect_status(&b, OK);
    buf_adds(&b, G);
    for (unsigned i = 0; i < LIMIT_HTTP_FIELDS; i++)
        buf_adds(&b, "A: b\r\n");
    buf_adds(&b, "\r\n");
    expect_status(&b, 431);
    buf_fini(&b);
}

struct chunk_case {
    const char *name;
    struct slice bytes;
    int expect; /* OK, MORE or 400 */
    const char *content;
};
#define K(name, text, expect, content)                                                             \
    {                                                                                              \
        name, {text, sizeof(text) - 1}, expect, content                                            \
    }

static const struct chunk_case CHUNKS[] = {
    K("one", "5\r\nhello\r\n0\r\n\r\n", OK, "hello"),
    K("two", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", OK, "hello world"),
    K("none", "0\r\n\r\n", OK, ""),
    K("hex either case", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", OK,
      "01234567890123456789"),
    K("zeros first", "0005\r\nhello\r\n000\r\n\r\n", OK, "hello"),
    K("extension", "5;a=b\r\nhello\r\n0;x\r\n\r\n", OK, "hello"),
    K("trailer", "0\r\nA: b\r\nC: d\r\n\r\n", OK, ""),
    K("CRLF in data", "2\r\n\r\n\r\n0\r\n\r\n", OK, "\r\n"),
    K("incomplete size", "5", MORE, ""),
    K("incomplete data", "5\r\nhel", MORE, "hel"),
    K("incomplete end", "5\r\nhello\r\n0\r\n", MORE, "hello"),
    K("no size", "\r\nhello", 400, NULL),
    K("space before size", " 5\r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("space after size", "5 \r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("tab after size", "5\t\r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("plus", "+5\r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("minus", "-5\r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("0x", "0x5\r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("underscore", "1_0\r\n", 400, NULL),
    K("not hex", "g\r\n", 400, NULL),
    K("comma", "5,5\r\n", 400, NULL),
    K("overflow", "10000000000000005\r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("all ones", "ffffffffffffffff\r\n", 400, NULL),
    K("bare LF after size", "5\nhello\r\n0\r\n\r\n", 400, NULL),
    K("bare CR after size", "5\rhello\r\n0\r\n\r\n", 400, NULL),
    K("bare LF after data", "5\r\nhello\n0\r\n\r\n", 400, NULL),
    K("no CRLF after data", "5\r\nhello0\r\n\r\n", 400, NULL),
    K("data too long", "5\r\nhello!\r\n0\r\n\r\n", 400, NULL),
    K("data too short", "5\r\nhell\r\n0\r\n\r\n", 400, NULL),
    K("bare LF in extension", "5;a\nhello\r\n0\r\n\r\n", 400, NULL),
    K("bare CR in extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("NUL in extension", "5;\0\r\nhello\r\n0\r\n\r\n", 400, NULL),
    K("bare LF ends", "0\r\n\n", 400, NULL),
    K("bare LF after 0", "0\n\r\n", 400, NULL),
    K("CR CR LF", "0\r\n\r\r\n", 400, NULL),
    K("trailer without colon", "0\r\nAb\r\n\r\n", 400, NULL),
    K("trailer folded", "0\r\nA: b\r\n c\r\n\r\n", 400, NULL),
    K("trailer bare LF", "0\r\nA: b\n\r\n", 400, NULL),
    K("trailer space before colon", "0\r\nA : b\r\n\r\n", 400, NULL),
    K("trailer empty name", "0\r\n: b\r\n\r\n", 400, NULL),
    K("request for trailer", "0\r\nGET / HTTP/1.1\r\n\r\n", 400, NULL),
};

static enum http1_state feed(struct slice bytes, size_t piece, struct buf *out, size_t *ret_total)
{
    struct http1_chunks c = {0};
    enum http1_state state = HTTP1_MORE;
    size_t total = 0;
    while (state == HTTP1_MORE && total < bytes.len) {
        size_t used = 0;
        state = http1_chunk(&c, slice_sub(bytes, total, piece), out, &used);
        total += used;
    }
    *ret_total = total;
    return state;
}

/* Whole, and in pieces of 1, 2 and 3 bytes: the outcome is the same. */
static void test_chunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CHUNKS) / sizeof(CHUNKS[0]); i++) {
        const size_t pieces[] = {1000, 1, 2, 3};
        for (size_t j = 0; j < 4; j++) {
            struct buf out;
            size_t total;
            buf_init(&out, 100);
            enum http1_state got = feed(CHUNKS[i].bytes, pieces[j], &out, &total);
            enum http1_state want = CHUNKS[i].expect == OK     ? HTTP1_DONE
                                    : CHUNKS[i].expect == MORE ? HTTP1_MORE
                                                               : HTTP1_BAD;
            if (got != want)
                print_error("chunks: %s\n", CHUNKS[i].name);
            assert_int_equal(got, want);
            if (CHUNKS[i].content)
                assert_true(slice_is(buf_slice(&out), CHUNKS[i].content));
            if (got == HTTP1_DONE)
                assert_int_equal(total, CHUNKS[i].bytes.len);
            buf_fini(&out);
        }
    }
}

static void test_chunk_bounds(void **state)
{
    (void)state;
    struct http1_chunks c = {0};
    struct buf out, in;
    size_t used = 0;
    buf_init(&out, 4);
    assert_int_equal(http1_chunk(&c, SLICE("5\r\nhello\r\n0\r\n\r\nGET"), &out, &used), HTTP1_DONE);
    assert_int_equal(used, 15);
    assert_int_equal(buf_err(&out), ERR_TOO_LARGE);
    buf_fini(&out);
    buf_init(&out, 4);
    buf_init(&in, LIMIT_MIB);
    buf_adds(&in, "0;");
    add_many(&in, 'a', LIMIT_HTTP_CHUNK_LINE);
    c = (struct http1_chunks){0};
    assert_int_equal(http1_chunk(&c, buf_slice(&in), &out, &used), HTTP1_BAD);
    buf_clear(&in);
    buf_adds(&in, "0\r\n");
    for (unsigned i = 0; i < LIMIT_HTTP_TRAILERS; i++)
        buf_adds(&in, "A:b\r\n");
    c = (struct http1_chunks){0};
    assert_int_equal(http1_chunk(&c, buf_slice(&in), &out, &used), HTTP1_BAD);
    buf_fini(&in);
    buf_fini(&out);
}

static void test_decode(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        bool form;
        const char *out; /* NULL: refused */
    } cases[] = {
        {"", false, ""},
        {"abc", false, "abc"},
        {"a%20b", false, "a b"},
        {"a+b", false, "a+b"},
        {"a+b", true, "a b"},
        {"%2B", true, "+"},
        {"%e6%97%A5", false, "\xe6\x97\xa5"},
        {"%", false, NULL},
        {"%4", false, NULL},
        {"%4g", false, NULL},
        {"%%41", false, NULL},
        {"%00", false, NULL},
        {"%ff", false, NULL},
        {"%c0%af", false, NULL},
        {"%u0041", false, NULL},
        {"%2541", false, "%41"},
        {"%ed%a0%80", false, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(LIMIT_MIB);
        struct slice out = SLICE_NONE;
        bool got = http1_decode(arena, slice_str(cases[i].in), cases[i].form, &out);
        if (got != (cases[i].out != NULL))
            print_error("decode: %s\n", cases[i].in);
        assert_true(got == (cases[i].out != NULL));
        if (got)
            assert_true(slice_is(out, cases[i].out));
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),        cmocka_unit_test(test_cut_heads),
        cmocka_unit_test(test_what_is_read), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_chunks),       cmocka_unit_test(test_chunk_bounds),
        cmocka_unit_test(test_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
