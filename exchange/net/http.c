/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP front door (RFC 9110, 9112) as one machine per connection:
 *
 *   HEAD -> [BODY] -> RUNNING -> [SENDING] -> HEAD ... -> ENDING
 *                       \------> FLOWING -------^
 *
 *   state     event                        then
 *   HEAD      whole head                   RUNNING, or BODY if one is announced
 *   HEAD      head unreadable, or cut off  the status, ENDING
 *   HEAD      late                         408 if one was begun; ENDING
 *   BODY      whole body                   RUNNING
 *   BODY      too large, bad, late, ended  413, 400, 408, 400; ENDING
 *   RUNNING   answer                       HEAD, or SENDING while pieces are left; ENDING if it was
 * the last FLOWING   end                          HEAD, or ENDING FLOWING   ended ENDING: the owner
 * is told `gone` any       front closes                 ENDING after the answer any       stream
 * closed                freed; RUNNING: by its answer
 *
 * (FLOWING: an answer of unknown length, whose owner hands over pieces as they drain.)
 *
 * The connection is the call: its buffers are used again for each request, so a kept-alive request
 * allocates nothing. While a call runs, its request's bytes stay where they are and what comes next
 * waits in `more`. A request that cannot be read for certain is answered and the connection closed.
 * Must not look at paths, fields or bodies beyond their framing.
 */
#include "exchange/net/http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "exchange/net/front.h"

#include "base/banned.h"

#define PIECE (128u * LIMIT_KIB)    /* of a large answer at a time */
#define SMALL (64u * LIMIT_KIB)     /* answers up to here are one write */
#define AHEAD_MAX (32u * LIMIT_KIB) /* read ahead of the running call, to see the peer go */

enum call_state { HEAD, BODY, RUNNING, SENDING, FLOWING, ENDING };

struct http_call {
    struct guest guest;
    enum call_state state;
    bool held;       /* paused until what was written has left */
    bool stepping;   /* step() is on the stack */
    bool head_timed; /* the deadline of a partial head runs */
    bool last;       /* close after this answer */
    bool skip;       /* throw away what still comes */
    bool ended;      /* the peer sends no more; it is answered what it asked */
    struct buf in;   /* holds the request's head; not moved while the call runs */
    struct buf more; /* what came meanwhile */
    size_t at;       /* of in: where the request begins */
    size_t next;     /* of in: where the one after it begins */
    struct buf body;
    struct buf answer;
    size_t sent; /* of answer */
    uint64_t body_left;
    struct http1_chunks chunks;
    struct http1_request request;
    struct http_flow flow;
};

struct http_server {
    struct front front; /* works on calls that are RUNNING, SENDING or FLOWING */
    struct http_options options;
    uint64_t refusals[HTTP_REFUSALS];
    int64_t date_second;
    char date[40];
};

static void step(struct http_call *c);

static struct http_server *server_of(const struct http_call *c)
{
    return (struct http_server *)c->guest.front;
}

/* ---- answers ---- */

static const struct {
    int status;
    const char *reason;
} REASONS[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof(REASONS) / sizeof(REASONS[0]); i++) {
        if (REASONS[i].status == status)
            return REASONS[i].reason;
    }
    return "Other";
}

/* Bodies of the refusals made here, in the order of HTTP_REFUSALS. */
static const struct {
    int status;
    struct slice text;
} REFUSALS[HTTP_REFUSALS] = {
    {400, SLICE("要求の形式が不正です / the request is malformed\n")},
    {408, SLICE("要求が時間内に届きませんでした / the request did not arrive in time\n")},
    {413, SLICE("要求の本文が大きすぎます / the request body is larger than allowed\n")},
    {414, SLICE("要求行が長すぎます / the request line is too long\n")},
    {431, SLICE("要求ヘッダーが大きすぎます / the request header fields are too large\n")},
    {500, SLICE("内部エラーです / an internal error\n")},
    {501, SLICE("この転送符号化には対応していません / the transfer coding is not supported\n")},
    {503, SLICE("接続数が上限に達しています。しばらくしてからお試しください / "
                "too many connections, please try again later\n")},
    {505, SLICE("この HTTP の版には対応していません / the HTTP version is not supported\n")},
};

static unsigned refusal_of(int status)
{
    unsigned i = 0;
    while (REFUSALS[i].status != status && ++i < HTTP_REFUSALS)
        ;
    assert(i < HTTP_REFUSALS);
    return i;
}

int http_refusal_status(unsigned i)
{
    assert(i < HTTP_REFUSALS);
    return REFUSALS[i].status;
}

static void add_number(struct buf *out, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buf_add(out, slice_of(digits + at, sizeof(digits) - at));
}

/* Printed once a second. */
static struct slice date_now(struct http_server *server)
{
    int64_t now_ms = clock_system.now_ms(&clock_system);
    if (now_ms / 1000 != server->date_second) {
        struct buf text;
        buf_init(&text, sizeof(server->date) - 1);
        when_print_http(&text, now_ms);
        assert(buf_err(&text) == ERR_OK);
        memcpy(server->date, text.ptr, text.len);
        server->date[text.len] = '\0';
        buf_fini(&text);
        server->date_second = now_ms / 1000;
    }
    return slice_str(server->date);
}

static void add_field(struct buf *out, const char *name, struct slice value)
{
    buf_adds(out, name);
    buf_add(out, SLICE(": "));
    buf_add(out, value);
    buf_add(out, SLICE("\r\n"));
}

/* A line break in a value would let whoever supplied it write fields of his own. */
static bool fields_are_safe(const struct http_answer *a)
{
    for (unsigned i = 0; i < a->field_count; i++) {
        struct slice v = a->fields[i].value;
        for (size_t j = 0; j < v.len; j++) {
            if ((unsigned char)v.ptr[j] < 0x20 || v.ptr[j] == 0x7f)
                return false;
        }
    }
    return true;
}

static bool has_field(const struct http_answer *a, const char *name)
{
    for (unsigned i = 0; i < a->field_count; i++) {
        if (slice_ieq(slice_str(a->fields[i].name), slice_str(name)))
            return true;
    }
    return false;
}

static void print_status(struct buf *out, int status)
{
    assert(status >= 100 && status <= 599);
    buf_add(out, SLICE("HTTP/1.1 "));
    add_number(out, (uint64_t)status);
    buf_addc(out, ' ');
    buf_adds(out, reason_of(status));
    buf_add(out, SLICE("\r\n"));
}

static void print_length(struct http_call *c, const struct http_answer *a)
{
    struct buf *out = &c->answer;
    if (!c->flow.gone) {
        buf_add(out, SLICE("Content-Length: "));
        add_number(out, a->body.len);
        buf_add(out, SLICE("\r\n"));
    } else if (!c->request.v1_0) {
        buf_add(out, SLICE("Transfer-Encoding: chunked\r\n"));
    }
}

static void print_answer(struct http_call *c, const struct http_answer *a, bool body_too)
{
    struct buf *out = &c->answer;
    bool bodiless = a->status == 204 || a->status == 304;
    print_status(out, a->status);
    add_field(out, "Date", date_now(server_of(c)));
    if (!has_field(a, "Cache-Control"))
        buf_add(out, SLICE("Cache-Control: no-store\r\n"));
    buf_add(out, SLICE("X-Content-Type-Options: nosniff\r\n"));
    if (a->content_type && !bodiless)
        add_field(out, "Content-Type", slice_str(a->content_type));
    if (!bodiless)
        print_length(c, a);
    if (c->last)
        buf_add(out, SLICE("Connection: close\r\n"));
    for (unsigned i = 0; i < a->field_count; i++)
        add_field(out, a->fields[i].name, a->fields[i].value);
    buf_add(out, SLICE("\r\n"));
    if (body_too && !bodiless)
        buf_add(out, a->body);
}

static struct http_answer plain_answer(int status)
{
    return (struct http_answer){.status = status,
                                .content_type = "text/plain; charset=utf-8",
                                .body = REFUSALS[refusal_of(status)].text,
                                .close = true};
}

/* ---- life of a connection ---- */

static void call_free(struct http_call *c)
{
    buf_fini(&c->in);
    buf_fini(&c->more);
    buf_fini(&c->body);
    buf_fini(&c->answer);
    front_part(&c->guest);
}

static void leave(struct http_call *c)
{
    c->state = ENDING;
    stream_close(c->guest.stream);
}

/* What follows the request becomes the next input; moved only when it must be joined with what came
 * meanwhile. */
static void turn_over(struct http_call *c)
{
    c->at = c->next;
    if (c->at < c->in.len && c->more.len == 0)
        return;
    if (c->at < c->in.len) {
        buf_drop(&c->in, c->at);
        buf_add(&c->in, buf_slice(&c->more));
        buf_clear(&c->more);
    } else {
        struct buf swap = c->in;
        c->in = c->more;
        c->more = swap;
        buf_reset(&c->more, LIMIT_KEEP_BYTES);
    }
    c->at = 0;
}

/* The answer has been handed to the stream: the connection is free for the next request. */
static void finish(struct http_call *c)
{
    buf_reset(&c->answer, LIMIT_KEEP_BYTES);
    buf_reset(&c->body, LIMIT_KEEP_BYTES);
    struct front *front = c->guest.front;
    if (c->last) {
        leave(c);
    } else {
        c->state = HEAD;
        c->head_timed = false;
        turn_over(c);
        step(c);
    }
    front_finish(front);
}

static void send_piece(struct http_call *c)
{
    struct slice piece = slice_sub(buf_slice(&c->answer), c->sent, PIECE);
    c->sent += piece.len;
    stream_write(c->guest.stream, piece);
    if (c->sent == c->answer.len)
        finish(c);
}

static void send_answer(struct http_call *c)
{
    if (c->answer.len <= SMALL) {
        stream_write(c->guest.stream, buf_slice(&c->answer));
        finish(c);
        return;
    }
    c->state = SENDING;
    c->sent = 0;
    send_piece(c);
}

void http_call_answer(struct http_call *c, const struct http_answer *answer)
{
    struct front *front = c->guest.front;
    struct http_answer failure = plain_answer(500);
    assert(c->state == RUNNING && answer);
    if (!c->guest.stream) {
        call_free(c);
        front_finish(front);
        return;
    }
    bool head_only = slice_is(c->request.method, "HEAD");
    if (!fields_are_safe(answer))
        answer = &failure;
    c->last = c->last || answer->close || !c->request.keep_alive || front_is_closing(front);
    buf_clear(&c->answer);
    print_answer(c, answer, !head_only);
    if (buf_err(&c->answer) != ERR_OK) {
        c->last = true;
        buf_clear(&c->answer);
        print_answer(c, &failure, !head_only);
    }
    send_answer(c);
}

/* ---- answers that flow ---- */

bool http_call_begin(struct http_call *c, const struct http_answer *answer,
                     const struct http_flow *flow)
{
    assert(c->state == RUNNING && answer && flow && flow->drained && flow->gone);
    if (!c->guest.stream || front_is_closing(c->guest.front) || !fields_are_safe(answer)) {
        http_call_answer(c, answer);
        return false;
    }
    c->flow = *flow;
    c->last = c->last || answer->close || !c->request.keep_alive;
    buf_clear(&c->answer);
    print_answer(c, answer, false);
    if (slice_is(c->request.method, "HEAD")) {
        c->flow = (struct http_flow){0};
        send_answer(c);
        return false;
    }
    c->state = FLOWING;
    stream_write(c->guest.stream, buf_slice(&c->answer));
    buf_clear(&c->answer);
    return true;
}

void http_call_piece(struct http_call *c, struct slice bytes)
{
    assert(c->state == FLOWING);
    if (bytes.len == 0) /* an empty chunk would end the answer */
        return;
    if (c->request.v1_0) {
        stream_write(c->guest.stream, bytes);
        return;
    }
    buf_clear(&c->answer);
    buf_addf(&c->answer, "%zx\r\n", bytes.len);
    buf_add(&c->answer, bytes);
    buf_add(&c->answer, SLICE("\r\n"));
    if (buf_err(&c->answer) != ERR_OK)
        stream_close(c->guest.stream); /* `gone` follows; what was sent is not taken for whole */
    else
        stream_write(c->guest.stream, buf_slice(&c->answer));
    buf_reset(&c->answer, LIMIT_KEEP_BYTES);
}

void http_call_end(struct http_call *c, bool whole)
{
    assert(c->state == FLOWING);
    c->flow = (struct http_flow){0};
    c->last = c->last || !whole || front_is_closing(c->guest.front);
    if (whole && !c->request.v1_0)
        stream_write(c->guest.stream, SLICE("0\r\n\r\n"));
    finish(c);
}

/* The peer left in the middle, or the server closes. */
static void flow_gone(struct http_call *c)
{
    struct http_flow flow = c->flow;
    struct front *front = c->guest.front;
    c->flow = (struct http_flow){0};
    flow.gone(flow.context);
    front_finish(front);
}

/* Answers a request that never becomes a call, and closes. Its head may be no head: what was asked
 * is read from its first word. */
static void refuse(struct http_call *c, int status)
{
    static const struct http_field later = {"Retry-After", SLICE("10")};
    struct http_answer answer = plain_answer(status);
    bool head_only = slice_starts(slice_sub(buf_slice(&c->in), c->at, 5), SLICE("HEAD "));
    answer.fields = &later;
    answer.field_count = status == 503;
    server_of(c)->refusals[refusal_of(status)]++;
    c->last = true;
    buf_clear(&c->answer);
    print_answer(c, &answer, !head_only);
    stream_write(c->guest.stream, buf_slice(&c->answer));
    leave(c);
}

/* ---- requests ---- */

static void run(struct http_call *c)
{
    const struct http_options *o = &server_of(c)->options;
    c->state = RUNNING;
    front_begin(c->guest.front);
    stream_deadline(c->guest.stream, 0);
    o->handle(c, o->context);
}

/* Feeds the body, runs the call when it is complete. Returns how many bytes belonged to it. */
static size_t take_body(struct http_call *c, struct slice bytes)
{
    size_t used = 0;
    enum http1_state state;
    if (c->request.chunked) {
        state = http1_chunk(&c->chunks, bytes, &c->body, &used);
    } else {
        used = bytes.len < c->body_left ? bytes.len : (size_t)c->body_left;
        buf_add(&c->body, slice_sub(bytes, 0, used));
        c->body_left -= used;
        state = c->body_left == 0 ? HTTP1_DONE : HTTP1_MORE;
    }
    if (state == HTTP1_BAD || buf_err(&c->body) != ERR_OK) {
        refuse(c, state == HTTP1_BAD ? 400 : buf_err(&c->body) == ERR_TOO_LARGE ? 413 : 500);
        return bytes.len;
    }
    if (state == HTTP1_DONE)
        c->state = RUNNING;
    return used;
}

static void expect_body(struct http_call *c, size_t max)
{
    struct slice rest = slice_sub(buf_slice(&c->in), c->next, c->in.len);
    c->state = BODY;
    c->body_left = c->request.content_length;
    c->chunks = (struct http1_chunks){0};
    c->body.max = max; /* its memory is kept from request to request */
    stream_deadline(c->guest.stream, server_of(c)->options.body_ms);
    if (c->request.expect_continue && rest.len == 0)
        stream_write(c->guest.stream, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
    c->next += take_body(c, rest);
    if (c->state == RUNNING)
        run(c);
    else if (c->state == BODY && c->ended)
        refuse(c, 400);
}

/* A complete head: decide about its body. */
static void begin(struct http_call *c)
{
    const struct http_options *o = &server_of(c)->options;
    const struct http1_request *r = &c->request;
    size_t max = LIMIT_HTTP_BODY;
    if (stream_is_refused(c->guest.stream)) {
        refuse(c, 503);
        return;
    }
    if (!r->chunked && r->content_length == 0) {
        run(c);
        return;
    }
    if (o->body_limit)
        max = o->body_limit(r, &c->guest.peer, o->context);
    if (max == HTTP_BODY_SKIP) {
        c->skip = c->last = true;
        run(c);
        return;
    }
    if (max > LIMIT_HTTP_BODY)
        max = LIMIT_HTTP_BODY;
    if (!r->chunked && r->content_length > max)
        refuse(c, 413);
    else
        expect_body(c, max);
}

/* Waiting for (the rest of) a head. */
static void await_head(struct http_call *c)
{
    if (c->ended) {
        if (c->in.len == c->at)
            leave(c);
        else
            refuse(c, 400);
        return;
    }
    stream_resume(c->guest.stream);
    if (c->in.len == c->at) {
        buf_reset(&c->in, LIMIT_KEEP_BYTES);
        c->at = 0;
        stream_deadline(c->guest.stream, LIMIT_HTTP_IDLE_MS);
    } else if (!c->head_timed && !stream_is_refused(c->guest.stream)) {
        c->head_timed = true;
        stream_deadline(c->guest.stream, server_of(c)->options.head_ms);
    }
}

/* Reads the next head. True when a request was begun. */
static bool read_head(struct http_call *c)
{
    size_t used = 0;
    int status = 0;
    c->held = false;
    if (stream_pending(c->guest.stream) >
        SMALL) { /* the peer asks faster than it reads: on_drained goes on */
        c->held = true;
        stream_pause(c->guest.stream);
        return false;
    }
    struct slice input = slice_sub(buf_slice(&c->in), c->at, c->in.len);
    switch (http1_head(input, &c->request, &used, &status)) {
    case HTTP1_MORE:
        await_head(c);
        return false;
    case HTTP1_BAD:
        refuse(c, status);
        return false;
    default:
        c->next = c->at + used;
        begin(c);
        return true;
    }
}

/* Goes on until the connection waits for something. Answers given at once come back here, not
 * deeper. */
static void step(struct http_call *c)
{
    if (c->stepping)
        return;
    c->stepping = true;
    while (c->state == HEAD && read_head(c))
        ;
    c->stepping = false;
}

/* ---- events of the stream ---- */

static void on_arrived(struct guest *g)
{
    struct http_call *c = (struct http_call *)g;
    buf_init(&c->in, LIMIT_HTTP_LINE + LIMIT_HTTP_HEAD + 128 * LIMIT_KIB);
    buf_init(&c->more, LIMIT_HTTP_LINE + LIMIT_HTTP_HEAD + 128 * LIMIT_KIB);
    buf_init(&c->body, LIMIT_HTTP_BODY);
    buf_init(&c->answer, LIMIT_HTTP_ANSWER);
    stream_deadline(g->stream, stream_is_refused(g->stream) ? LIMIT_REFUSAL_MS
                                                            : server_of(c)->options.head_ms);
}

static void take_ahead(struct http_call *c, struct slice bytes)
{
    if (c->skip)
        return;
    buf_add(&c->more, bytes);
    if (c->more.len > AHEAD_MAX)
        stream_pause(c->guest.stream);
}

/* The head's buffer was used up by the body's beginning; what is beyond the body waits in `more`.
 */
static void take_more_body(struct http_call *c, struct slice bytes)
{
    size_t used = take_body(c, bytes);
    if (c->state != RUNNING)
        return;
    buf_add(&c->more, slice_sub(bytes, used, bytes.len - used));
    c->stepping = true; /* an answer given at once must not begin the next request on top of us */
    run(c);
    c->stepping = false;
}

static void on_data(struct stream *s, struct slice bytes)
{
    struct http_call *c = stream_data(s);
    switch (c->state) {
    case HEAD:
        buf_add(&c->in, bytes);
        break;
    case BODY:
        take_more_body(c, bytes);
        break;
    case RUNNING:
    case SENDING:
    case FLOWING:
        take_ahead(c, bytes);
        break;
    case ENDING:
        return;
    }
    if (buf_err(&c->in) != ERR_OK || buf_err(&c->more) != ERR_OK)
        leave(c); /* out of memory: the caps above keep both below their maximum */
    else
        step(c);
}

static void on_drained(struct stream *s)
{
    struct http_call *c = stream_data(s);
    if (c->state == SENDING)
        send_piece(c);
    else if (c->state == FLOWING)
        c->flow.drained(c->flow.context);
    else if (c->held)
        step(c);
}

static void on_late(struct stream *s)
{
    struct http_call *c = stream_data(s);
    if ((c->state == HEAD && c->in.len > c->at) || c->state == BODY)
        refuse(c, 408);
    else
        leave(c);
}

/* The peer sends no more: what it asked is answered, what it began is not whole. An answer that
 * flows ends with it: who listens to events seldom says goodbye in another way. */
static void on_ended(struct stream *s)
{
    struct http_call *c = stream_data(s);
    c->ended = true;
    switch (c->state) {
    case HEAD:
        step(c);
        break;
    case BODY:
        refuse(c, 400);
        break;
    case FLOWING:
        flow_gone(c);
        leave(c);
        break;
    case RUNNING:
    case SENDING:
    case ENDING:
        break;
    }
}

static void on_left(struct guest *g)
{
    struct http_call *c = (struct http_call *)g;
    struct front *front = g->front;
    bool sending = c->state == SENDING;
    if (c->state == RUNNING) /* freed by its answer */
        return;
    if (c->state == FLOWING)
        flow_gone(c);
    call_free(c);
    if (sending)
        front_finish(front);
}

static void on_closing(struct guest *g)
{
    struct http_call *c = (struct http_call *)g;
    if (c->state == FLOWING)
        flow_gone(c);
    if (c->state == HEAD || c->state == BODY || c->state == FLOWING)
        leave(c);
}

static const struct front_trade TRADE = {.guest_size = sizeof(struct http_call),
                                         .arrived = on_arrived,
                                         .left = on_left,
                                         .closing = on_closing,
                                         .data = on_data,
                                         .drained = on_drained,
                                         .late = on_late,
                                         .ended = on_ended};

/* ---- the server ---- */

enum err http_open(const struct http_options *options, struct http_server **ret_server)
{
    assert(options && options->handle && ret_server);
    struct front *front = NULL;
    struct listener_options where = options->where;
    where.says_full = true;
    enum err err = front_open(&TRADE, sizeof(struct http_server), &where, &front);
    if (err != ERR_OK)
        return err;
    *ret_server = (struct http_server *)front;
    struct http_options *o = &(*ret_server)->options;
    *o = *options;
    o->head_ms = o->head_ms ? o->head_ms : LIMIT_HTTP_HEAD_MS;
    o->body_ms = o->body_ms ? o->body_ms : LIMIT_HTTP_BODY_MS;
    return ERR_OK;
}

unsigned short http_port(const struct http_server *server)
{
    return front_port(&server->front);
}

void http_figures(const struct http_server *server, struct http_figures *ret_figures)
{
    ret_figures->running = server->front.working;
    memcpy(ret_figures->refusals, server->refusals, sizeof(server->refusals));
    front_figures(&server->front, &ret_figures->net);
}

void http_close(struct http_server *server, void (*done)(void *context), void *context)
{
    front_close(&server->front, done, context);
}

const struct http1_request *http_call_request(const struct http_call *call)
{
    return &call->request;
}

struct slice http_call_body(const struct http_call *call)
{
    return buf_slice(&call->body);
}

const struct net_peer *http_call_peer(const struct http_call *call)
{
    return &call->guest.peer;
}

uv_loop_t *http_call_loop(const struct http_call *call)
{
    return server_of(call)->options.where.loop;
}
