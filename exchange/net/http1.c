/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 request heads and chunked bodies (RFC 9112 sections 2 to 7), by character classes and
 * line by line. Where the RFC lets a recipient be lenient and two recipients could then differ
 * (bare LF, obs-fold, white space around names, repeated lengths), this one refuses. It must not
 * allocate, must not look past what it was given, and must not guess.
 */
#include "exchange/net/http1.h"

#include <assert.h>

#include "base/banned.h"

/* Character classes of RFC 9110 section 5.6, as bits; the table is computed by the compiler. */
#define IS_ALNUM(c)                                                                                \
    (((c) >= '0' && (c) <= '9') || ((c) >= 'A' && (c) <= 'Z') || ((c) >= 'a' && (c) <= 'z'))
#define IS_TOKEN(c)                                                                                \
    (IS_ALNUM(c) || (c) == '!' || (c) == '#' || (c) == '$' || (c) == '%' || (c) == '&' ||          \
     (c) == '\'' || (c) == '*' || (c) == '+' || (c) == '-' || (c) == '.' || (c) == '^' ||          \
     (c) == '_' || (c) == '`' || (c) == '|' || (c) == '~')
#define IS_TARGET(c) ((c) > 0x20 && (c) < 0x7f && (c) != '#')
#define IS_VALUE(c) (((c) >= 0x20 && (c) != 0x7f) || (c) == '\t')
#define IS_HOST(c)                                                                                 \
    (IS_ALNUM(c) || (c) == '.' || (c) == '-' || (c) == '_' || (c) == '~' || (c) == ':' ||          \
     (c) == '[' || (c) == ']' || (c) == '%')
#define IS_EXTENSION(c) (((c) >= 0x20 && (c) < 0x7f) || (c) == '\t')

enum { TOKEN = 1, TARGET = 2, VALUE = 4, HOST = 8, EXTENSION = 16 };

#define CLASS(c)                                                                                   \
    (unsigned char)((IS_TOKEN(c) ? TOKEN : 0) | (IS_TARGET(c) ? TARGET : 0) |                      \
                    (IS_VALUE(c) ? VALUE : 0) | (IS_HOST(c) ? HOST : 0) |                          \
                    (IS_EXTENSION(c) ? EXTENSION : 0))
#define CLASS_4(c) CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define CLASS_16(c) CLASS_4(c), CLASS_4((c) + 4), CLASS_4((c) + 8), CLASS_4((c) + 12)
#define CLASS_64(c) CLASS_16(c), CLASS_16((c) + 16), CLASS_16((c) + 32), CLASS_16((c) + 48)

static const unsigned char CLASSES[256] = {CLASS_64(0), CLASS_64(64), CLASS_64(128), CLASS_64(192)};

static bool is(char c, unsigned class)
{
    return (CLASSES[(unsigned char)c] & class) != 0;
}

static bool all(struct slice s, unsigned class)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is(s.ptr[i], class))
            return false;
    }
    return true;
}

/* What is known while a head is read. */
struct head {
    struct slice bytes;
    size_t at; /* start of the line to read */
    struct http1_request *r;
    int status; /* why it is bad */
    bool v1_1;
    struct slice authority; /* of a target in absolute form: the Host must say the same */
    struct slice host;
    unsigned hosts;
    unsigned lengths;
    unsigned codings;
};

static enum http1_state bad(struct head *h, int status)
{
    h->status = status;
    return HTTP1_BAD;
}

/* The next line without its CRLF. MAX counts the bytes before the CRLF; beyond it: TOO_LONG. */
static enum http1_state take_line(struct head *h, size_t max, int too_long, struct slice *ret_line)
{
    struct slice rest = slice_sub(h->bytes, h->at, h->bytes.len);
    const char *lf = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL;
    if (!lf) {
        const char *cr = rest.len ? memchr(rest.ptr, '\r', rest.len) : NULL;
        if (cr && cr + 1 != rest.ptr + rest.len)
            return bad(h, 400);
        return rest.len > max + 1 ? bad(h, too_long) : HTTP1_MORE;
    }
    size_t len = (size_t)(lf - rest.ptr);
    if (len == 0 || rest.ptr[len - 1] != '\r')
        return bad(h, 400);
    if (len - 1 > max)
        return bad(h, too_long);
    *ret_line = slice_of(rest.ptr, len - 1);
    h->at += len + 1;
    return HTTP1_DONE;
}

/* HTTP-version: 1.0 and 1.1 are spoken, other well-formed ones are 505. */
static enum http1_state read_version(struct head *h, struct slice version)
{
    if (slice_is(version, "HTTP/1.1")) {
        h->v1_1 = true;
        return HTTP1_DONE;
    }
    if (slice_is(version, "HTTP/1.0"))
        return HTTP1_DONE;
    bool shaped = version.len == 8 && slice_starts(version, SLICE("HTTP/")) &&
                  version.ptr[5] >= '0' && version.ptr[5] <= '9' && version.ptr[6] == '.' &&
                  version.ptr[7] >= '0' && version.ptr[7] <= '9';
    return bad(h, shaped ? 505 : 400);
}

/* absolute-form (RFC 9112 section 3.2.2), as proxies are asked: the target is what is behind scheme and authority. */
static bool cut_origin(struct head *h)
{
    static const struct slice schemes[] = {{"https://", 8}, {"http://", 7}};
    struct http1_request *r = h->r;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct slice rest = slice_sub(r->target, schemes[i].len, r->target.len);
        if (!slice_ieq(slice_sub(r->target, 0, schemes[i].len), schemes[i]))
            continue;
        size_t end = slice_find(rest, '/', 0);
        h->authority = slice_sub(rest, 0, end);
        r->target = end < rest.len ? slice_sub(rest, end, rest.len) : SLICE("/");
        return h->authority.len > 0 && all(h->authority, HOST);
    }
    return true;
}

/* request-line = method SP request-target SP HTTP-version; exactly one space each. */
static enum http1_state read_request_line(struct head *h, struct slice line)
{
    struct http1_request *r = h->r;
    size_t first = slice_find(line, ' ', 0);
    size_t second = slice_find(line, ' ', first + 1);
    if (first == 0 || first >= line.len || second >= line.len || second == first + 1)
        return bad(h, 400);
    r->method = slice_sub(line, 0, first);
    r->target = slice_sub(line, first + 1, second - first - 1);
    if (!all(r->method, TOKEN) || !all(r->target, TARGET))
        return bad(h, 400);
    enum http1_state state = read_version(h, slice_sub(line, second + 1, line.len - second - 1));
    if (state != HTTP1_DONE)
        return state;
    bool star = slice_is(r->target, "*") && slice_is(r->method, "OPTIONS");
    if (!cut_origin(h) || (r->target.ptr[0] != '/' && !star))
        return bad(h, 400);
    size_t mark = slice_find(r->target, '?', 0);
    r->path = slice_sub(r->target, 0, mark);
    r->query = mark < r->target.len ? slice_sub(r->target, mark + 1, r->target.len) : SLICE_NONE;
    return HTTP1_DONE;
}

static struct slice trim_ows(struct slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = slice_sub(s, 1, s.len - 1);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Content-Length = 1*DIGIT that fits; no sign, no list, no prefix. */
static enum http1_state see_length(struct head *h, struct slice value)
{
    uint64_t length = 0;
    if (++h->lengths > 1 || value.len == 0)
        return bad(h, 400);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return bad(h, 400);
        unsigned digit = (unsigned)(value.ptr[i] - '0');
        if (length > (UINT64_MAX - digit) / 10)
            return bad(h, 400);
        length = length * 10 + digit;
    }
    h->r->content_length = length;
    return HTTP1_DONE;
}

/* Only "chunked", once; other codings are 501 (RFC 9112 section 6.1). */
static enum http1_state see_coding(struct head *h, struct slice value)
{
    if (++h->codings > 1)
        return bad(h, 400);
    if (!slice_ieq(value, SLICE("chunked")))
        return bad(h, 501);
    h->r->chunked = true;
    return HTTP1_DONE;
}

static enum http1_state see_host(struct head *h, struct slice value)
{
    if (++h->hosts > 1 || value.len == 0 || !all(value, HOST))
        return bad(h, 400);
    h->host = value;
    return HTTP1_DONE;
}

static enum http1_state see_connection(struct head *h, struct slice value)
{
    while (value.ptr) {
        if (slice_ieq(trim_ows(slice_cut(&value, ',')), SLICE("close")))
            h->r->keep_alive = false;
    }
    return HTTP1_DONE;
}

static enum http1_state see_expect(struct head *h, struct slice value)
{
    if (slice_ieq(value, SLICE("100-continue")))
        h->r->expect_continue = true;
    return HTTP1_DONE;
}

/* Fields that decide about framing and the connection. */
static const struct {
    struct slice name;
    enum http1_state (*see)(struct head *h, struct slice value);
} SEEN[] = {
    {{"content-length", 14}, see_length},
    {{"transfer-encoding", 17}, see_coding},
    {{"host", 4}, see_host},
    {{"connection", 10}, see_connection},
    {{"expect", 6}, see_expect},
};

/* field-line = field-name ":" OWS field-value OWS; the name is followed by the colon at once. */
static enum http1_state read_field(struct head *h, struct slice line)
{
    struct http1_request *r = h->r;
    size_t colon = slice_find(line, ':', 0);
    if (colon == 0 || colon >= line.len)
        return bad(h, 400);
    struct slice name = slice_sub(line, 0, colon);
    struct slice value = slice_sub(line, colon + 1, line.len - colon - 1);
    if (!all(name, TOKEN) || !all(value, VALUE))
        return bad(h, 400);
    if (r->field_count == LIMIT_HTTP_FIELDS)
        return bad(h, 431);
    value = trim_ows(value);
    r->fields[r->field_count++] = (struct http1_field){.name = name, .value = value};
    for (size_t i = 0; i < sizeof(SEEN) / sizeof(SEEN[0]); i++) {
        if (name.len == SEEN[i].name.len && slice_ieq(name, SEEN[i].name))
            return SEEN[i].see(h, value);
    }
    return HTTP1_DONE;
}

/* What only the whole head can tell (RFC 9112 sections 3.2 and 6.3). */
static enum http1_state judge(struct head *h)
{
    struct http1_request *r = h->r;
    if (h->v1_1 && h->hosts != 1)
        return bad(h, 400);
    if (h->authority.len > 0 && h->hosts > 0 && !slice_ieq(h->authority, h->host))
        return bad(h, 400); /* two hosts: which is meant cannot be known */
    if (h->codings > 0 && (h->lengths > 0 || !h->v1_1))
        return bad(h, 400);
    r->v1_0 = !h->v1_1;
    if (r->v1_0) {
        r->keep_alive = false;
        r->expect_continue = false;
    }
    return HTTP1_DONE;
}

static enum http1_state read_head(struct head *h)
{
    struct slice line;
    enum http1_state state;
    if (slice_starts(h->bytes, SLICE("\r\n"))) /* one empty line is passed over (section 2.2) */
        h->at = 2;
    if (h->at < h->bytes.len && !is(h->bytes.ptr[h->at], TOKEN) &&
        !(h->at == 0 && h->bytes.len == 1 && h->bytes.ptr[0] == '\r'))
        return bad(h, 400);
    state = take_line(h, LIMIT_HTTP_LINE, 414, &line);
    if (state == HTTP1_DONE)
        state = read_request_line(h, line);
    size_t fields_at = h->at;
    while (state == HTTP1_DONE) {
        size_t spent = h->at - fields_at;
        state = take_line(h, spent < LIMIT_HTTP_HEAD ? LIMIT_HTTP_HEAD - spent : 0, 431, &line);
        if (state != HTTP1_DONE)
            break;
        if (line.len == 0)
            return judge(h);
        state = read_field(h, line);
    }
    return state;
}

enum http1_state http1_head(struct slice bytes, struct http1_request *ret_request, size_t *ret_used,
                            int *ret_status)
{
    assert(ret_request && ret_used && ret_status);
    struct http1_request *r = ret_request;
    r->method = r->target = r->path = r->query = SLICE_NONE;
    r->field_count = 0;
    r->content_length = 0;
    r->keep_alive = true;
    r->expect_continue = r->chunked = false;
    struct head h = {.bytes = bytes, .r = r};
    enum http1_state state = read_head(&h);
    if (state == HTTP1_DONE)
        *ret_used = h.at;
    if (state == HTTP1_BAD)
        *ret_status = h.status;
    return state;
}

/* Chunked coding (RFC 9112 section 7.1) as a machine of one byte a step, data in bulk:
 *
 *   SIZE_FIRST -> SIZE -> [EXTENSION] -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE_FIRST ...
 *   after the size 0: TRAILER_FIRST -> NAME -> REST -> REST_LF -> TRAILER_FIRST ... -> END_LF ->
 * ENDED
 */
enum chunk_state {
    SIZE_FIRST,
    SIZE,
    SIZE_EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST,
    TRAILER_NAME,
    TRAILER_REST,
    TRAILER_LF,
    END_LF,
    ENDED,
    BROKEN
};

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

/* 15 digits at most, so that the size can never overflow. */
static unsigned step_size(struct http1_chunks *c, char byte)
{
    int digit = hex_value(byte);
    if (digit >= 0) {
        if (c->state == SIZE_FIRST)
            c->left = 0;
        if (c->left >> 56)
            return BROKEN;
        c->left = c->left * 16 + (unsigned)digit;
        return SIZE;
    }
    if (c->state == SIZE_FIRST)
        return BROKEN;
    if (byte == ';')
        return SIZE_EXTENSION;
    return byte == '\r' ? SIZE_LF : BROKEN;
}

static unsigned step_line(struct http1_chunks *c, char byte)
{
    if (c->state == SIZE_EXTENSION)
        return byte == '\r' ? SIZE_LF : is(byte, EXTENSION) ? SIZE_EXTENSION : BROKEN;
    if (byte != '\n') /* SIZE_LF */
        return BROKEN;
    c->line = 0;
    return c->left > 0 ? DATA : TRAILER_FIRST;
}

static unsigned step_trailer(unsigned state, char byte)
{
    switch (state) {
    case TRAILER_FIRST:
        return byte == '\r' ? END_LF : is(byte, TOKEN) ? TRAILER_NAME : BROKEN;
    case TRAILER_NAME:
        return byte == ':' ? TRAILER_REST : is(byte, TOKEN) ? TRAILER_NAME : BROKEN;
    case TRAILER_REST:
        return byte == '\r' ? TRAILER_LF : is(byte, VALUE) ? TRAILER_REST : BROKEN;
    case TRAILER_LF:
        return byte == '\n' ? TRAILER_FIRST : BROKEN;
    default: /* END_LF */
        return byte == '\n' ? ENDED : BROKEN;
    }
}

static unsigned step_chunk(struct http1_chunks *c, char byte)
{
    bool trailer = c->state >= TRAILER_FIRST;
    if (c->state == DATA_CR)
        return byte == '\r' ? DATA_LF : BROKEN;
    if (c->state == DATA_LF)
        return byte == '\n' ? SIZE_FIRST : BROKEN;
    if (++c->line > (trailer ? LIMIT_HTTP_TRAILERS : LIMIT_HTTP_CHUNK_LINE))
        return BROKEN;
    if (trailer)
        return step_trailer(c->state, byte);
    return c->state <= SIZE ? step_size(c, byte) : step_line(c, byte);
}

enum http1_state http1_chunk(struct http1_chunks *c, struct slice bytes, struct buf *out,
                             size_t *ret_used)
{
    assert(c && out && ret_used);
    size_t at = 0;
    while (at < bytes.len && c->state < ENDED) {
        if (c->state != DATA) {
            c->state = step_chunk(c, bytes.ptr[at++]);
            continue;
        }
        size_t n = bytes.len - at < c->left ? bytes.len - at : (size_t)c->left;
        buf_add(out, slice_sub(bytes, at, n));
        at += n;
        c->left -= n;
        if (c->left == 0)
            c->state = DATA_CR;
    }
    if (c->state == BROKEN)
        return HTTP1_BAD;
    *ret_used = at;
    return c->state == ENDED ? HTTP1_DONE : HTTP1_MORE;
}

struct slice http1_field(const struct http1_request *r, const char *name)
{
    struct slice wanted = slice_str(name);
    for (unsigned i = 0; i < r->field_count; i++) {
        if (slice_ieq(r->fields[i].name, wanted))
            return r->fields[i].value;
    }
    return SLICE_NONE;
}

bool http1_decode(struct arena *arena, struct slice text, bool form, struct slice *ret_text)
{
    assert(arena && ret_text);
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    if (!out)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '+' && form)
            c = ' ';
        if (c == '%') {
            if (text.len - i < 3)
                return false;
            int high = hex_value(text.ptr[i + 1]);
            int low = hex_value(text.ptr[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(unsigned char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return false;
        out[len++] = c;
    }
    if (!slice_is_utf8(slice_of(out, len)))
        return false;
    *ret_text = slice_of(out, len);
    return true;
}
