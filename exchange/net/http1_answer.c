/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads of HTTP answers (RFC 9112 sections 4 to 6). Written for one use, a client that wants the status and a connection
 * it can use again: whatever leaves the body's length in doubt is BAD. Must not allocate.
 */
#include "exchange/net/http1_answer.h"

#include "base/banned.h"

struct framing {
    unsigned lengths, codings;
    uint64_t length;
    bool chunked, close, v1_0;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* HTTP-version SP 3DIGIT SP [reason] */
static bool read_status(struct slice line, struct http1_answer *answer, struct framing *f)
{
    f->v1_0 = slice_starts(line, SLICE("HTTP/1.0 "));
    if (!f->v1_0 && !slice_starts(line, SLICE("HTTP/1.1 ")))
        return false;
    const char *p = line.ptr + 9;
    if (line.len < 12 || !is_digit(p[0]) || !is_digit(p[1]) || !is_digit(p[2]) ||
        (line.len > 12 && p[3] != ' '))
        return false;
    answer->status = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
    return answer->status >= 100 && answer->status <= 599;
}

static bool names_token(struct slice value, struct slice token)
{
    while (value.ptr)
        if (slice_ieq(slice_trim(slice_cut(&value, ',')), token))
            return true;
    return false;
}

static bool read_field(struct slice line, struct framing *f)
{
    size_t colon = slice_find(line, ':', 0);
    struct slice name = slice_sub(line, 0, colon);
    struct slice value = slice_trim(slice_sub(line, colon + 1, line.len));
    if (colon == line.len || colon == 0 || slice_trim(name).len != name.len)
        return false;
    if (slice_ieq(name, SLICE("Content-Length"))) {
        f->lengths++;
        return slice_u64(value, &f->length);
    }
    if (slice_ieq(name, SLICE("Transfer-Encoding"))) {
        f->codings++;
        f->chunked = slice_ieq(value, SLICE("chunked"));
        return f->chunked;
    }
    if (slice_ieq(name, SLICE("Connection")))
        f->close = f->close || names_token(value, SLICE("close"));
    return true;
}

/* One line without its end; a bare CR or LF is BAD. */
static enum http1_state take_line(struct slice bytes, size_t *at, struct slice *ret_line)
{
    struct slice rest = slice_sub(bytes, *at, bytes.len);
    size_t len = slice_find(rest, '\n', 0);
    if (len == rest.len)
        return bytes.len > LIMIT_HTTP_HEAD ? HTTP1_BAD : HTTP1_MORE;
    if (len == 0 || rest.ptr[len - 1] != '\r' || *at + len > LIMIT_HTTP_HEAD)
        return HTTP1_BAD;
    *ret_line = slice_of(rest.ptr, len - 1);
    *at += len + 1;
    return slice_find(*ret_line, '\r', 0) == ret_line->len ? HTTP1_DONE : HTTP1_BAD;
}

static enum http1_state judge(struct http1_answer *answer, const struct framing *f)
{
    bool bodiless = answer->status == 204 || answer->status == 304 || answer->status < 200;
    if (f->lengths > 1 || f->codings > 1 || (f->lengths && f->codings) ||
        (f->chunked && f->v1_0))
        return HTTP1_BAD;
    answer->chunked = f->chunked && !bodiless;
    answer->content_length = bodiless ? 0 : f->length;
    answer->to_end = !bodiless && !f->chunked && !f->lengths;
    answer->keep_alive = !f->close && !f->v1_0 && !answer->to_end;
    return HTTP1_DONE;
}

static enum http1_state read_one(struct slice bytes, size_t *at, struct http1_answer *answer)
{
    struct framing f = {0};
    struct slice line;
    enum http1_state state = take_line(bytes, at, &line);
    if (state == HTTP1_DONE && !read_status(line, answer, &f))
        return HTTP1_BAD;
    while (state == HTTP1_DONE) {
        state = take_line(bytes, at, &line);
        if (state == HTTP1_DONE && line.len == 0)
            return judge(answer, &f);
        if (state == HTTP1_DONE && !read_field(line, &f))
            state = HTTP1_BAD;
    }
    return state;
}

enum http1_state http1_answer_head(struct slice bytes, struct http1_answer *ret_answer,
                                   size_t *ret_used)
{
    struct http1_answer answer;
    enum http1_state state;
    size_t at = 0;
    do {
        answer = (struct http1_answer){0};
        state = read_one(bytes, &at, &answer);
    } while (state == HTTP1_DONE && answer.status < 200 && answer.status != 101);
    if (state == HTTP1_DONE && answer.status == 101)
        return HTTP1_BAD; /* we never ask to upgrade */
    if (state == HTTP1_DONE) {
        *ret_answer = answer;
        *ret_used = at;
    }
    return state;
}
