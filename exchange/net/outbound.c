/* SPDX-License-Identifier: Apache-2.0
 *
 * POSTs going out. A call is one request and its answer; a line is one connection, kept a while
 * after a call for the next one to the same place. A call's moves:
 *
 *     RESOLVING --name found--> DIALLING --ready--> ASKED --whole answer--> (done)
 *
 *     state      event                                    then
 *     RESOLVING  no such name, no address allowed         done: ERR_IO
 *     DIALLING   closed                                   DIALLING the next address; none left,
 * done: ERR_IO ASKED      closed, line was kept, no byte came      RESOLVING, once: it had gone
 * stale ASKED      closed, body goes on to the end          done ASKED      closed otherwise done:
 * ERR_IO ASKED      late                                     done: ERR_TIMEOUT, line closed ASKED
 * answer cannot be read                    done: ERR_MALFORMED, line closed any outbound_close
 * done: ERR_UNAVAILABLE, line closed
 *
 * `done` is the last thing a call does; the call is freed before it, so it may send the next
 * request. Must not know what is sent or why.
 */
#include "exchange/net/outbound.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "exchange/net/http1_answer.h"
#include "exchange/net/resolve.h"
#include "exchange/net/stream.h"

#include "base/banned.h"

enum call_state { RESOLVING, DIALLING, ASKED };

struct line;

struct call {
    struct outbound *o;
    TAILQ_ENTRY(call) link;
    enum call_state state;
    struct outbound_target target;
    struct resolve names;
    bool kept; /* on a line that served before */
    struct line *line;
    struct buf request;
    struct buf in; /* of the answer: its head; chunks are decoded into it and thrown away */
    bool head_read;
    struct http1_answer answer;
    struct http1_chunks chunks;
    uint64_t body_seen;
    void (*done)(void *context, const struct outbound_result *result);
    void *context;
};

struct line {
    struct outbound *o;
    TAILQ_ENTRY(line) link;
    struct stream *stream;
    struct call *call; /* NULL: kept for the next */
    bool closing;
    bool tls;
    unsigned short port;
    char host[LIMIT_PUSH_HOST + 1];
};

TAILQ_HEAD(call_list, call);
TAILQ_HEAD(line_list, line);

struct outbound {
    uv_loop_t *loop;
    struct listener *tls, *plain; /* they listen nowhere; tls NULL: none */
    struct call_list calls;
    struct line_list lines;
    unsigned listeners;
    bool closing;
    void (*done)(void *context);
    void *done_context;
};

static void resolve(struct call *c);

/* ── ends ────────────────────────────────────────────────────────────────────────────────────── */

static void settle(struct outbound *o)
{
    if (!o->closing || o->listeners > 0 || !TAILQ_EMPTY(&o->calls))
        return;
    void (*done)(void *) = o->done;
    void *context = o->done_context;
    free(o);
    if (done)
        done(context);
}

static void call_free(struct call *c)
{
    buf_fini(&c->request);
    buf_fini(&c->in);
    free(c);
}

/* The call's last move. Its line, if any, is kept or closed by now. */
static void finish(struct call *c, enum err err, const char *why)
{
    struct outbound *o = c->o;
    struct outbound_result result = {.err = err, .status = err ? 0 : c->answer.status, .why = why};
    void (*done)(void *, const struct outbound_result *) = c->done;
    void *context = c->context;
    assert(!c->names.running && !c->line);
    TAILQ_REMOVE(&o->calls, c, link);
    call_free(c);
    done(context, &result);
    settle(o);
}

static void hang_up(struct call *c)
{
    struct line *line = c->line;
    c->line = NULL;
    if (!line)
        return;
    line->call = NULL;
    line->closing = true;
    stream_close(line->stream);
}

static void give_up(struct call *c, enum err err, const char *why)
{
    hang_up(c);
    finish(c, err, why);
}

/* ── answers ─────────────────────────────────────────────────────────────────────────────────── */

static void complete(struct call *c)
{
    struct line *line = c->line;
    if (!c->answer.keep_alive || c->o->closing) {
        hang_up(c);
    } else {
        c->line = NULL;
        line->call = NULL;
        stream_deadline(line->stream, LIMIT_PUSH_IDLE_MS);
    }
    finish(c, ERR_OK, "");
}

/* What of BYTES belongs to the body is counted and dropped. */
static enum http1_state take_body(struct call *c, struct slice bytes)
{
    size_t used = bytes.len;
    enum http1_state state = HTTP1_MORE;
    if (c->answer.chunked) {
        state = http1_chunk(&c->chunks, bytes, &c->in, &used);
        buf_clear(&c->in);
    }
    c->body_seen += used;
    if (c->body_seen > LIMIT_PUSH_BODY) { /* the status is known: the rest need not be read */
        c->answer.keep_alive = false;
        return HTTP1_DONE;
    }
    if (!c->answer.chunked && !c->answer.to_end && c->body_seen >= c->answer.content_length)
        state = HTTP1_DONE;
    if (state == HTTP1_DONE &&
        (used < bytes.len || (!c->answer.chunked && c->body_seen > c->answer.content_length)))
        c->answer.keep_alive = false; /* it says more than it was asked */
    return state;
}

static enum http1_state take(struct call *c, struct slice bytes)
{
    size_t used = 0;
    if (c->head_read)
        return take_body(c, bytes);
    buf_add(&c->in, bytes);
    if (buf_err(&c->in))
        return HTTP1_BAD;
    enum http1_state state = http1_answer_head(buf_slice(&c->in), &c->answer, &used);
    if (state != HTTP1_DONE)
        return state;
    struct buf head = c->in;
    c->head_read = true;
    buf_init(&c->in, LIMIT_PUSH_BODY * 2);
    state = take_body(c, slice_sub(buf_slice(&head), used, head.len));
    buf_fini(&head);
    return state;
}

/* ── events of a line ────────────────────────────────────────────────────────────────────────── */

static void ask(struct call *c)
{
    c->state = ASKED;
    stream_write(c->line->stream, buf_slice(&c->request));
    stream_deadline(c->line->stream, LIMIT_PUSH_ANSWER_MS);
}

static void on_ready(struct stream *s)
{
    struct line *line = stream_data(s);
    if (line->call)
        ask(line->call);
}

static void on_data(struct stream *s, struct slice bytes)
{
    struct line *line = stream_data(s);
    struct call *c = line->call;
    if (!c) { /* nobody asked */
        line->closing = true;
        stream_close(s);
        return;
    }
    switch (take(c, bytes)) {
    case HTTP1_MORE:
        break;
    case HTTP1_DONE:
        complete(c);
        break;
    case HTTP1_BAD:
        give_up(c, ERR_MALFORMED, "the answer is not HTTP/1.1");
        break;
    }
}

static void on_late(struct stream *s)
{
    struct line *line = stream_data(s);
    line->closing = true;
    if (line->call)
        give_up(line->call, ERR_TIMEOUT, "no answer in time");
    else
        stream_close(s);
}

static void dial(struct call *c);

static void on_closed(struct stream *s)
{
    struct line *line = stream_data(s);
    struct call *c = line->call;
    const char *why = stream_why(s);
    TAILQ_REMOVE(&line->o->lines, line, link);
    free(line);
    if (!c)
        return;
    c->line = NULL;
    if (c->state == DIALLING && resolve_more(&c->names))
        dial(c);
    else if (c->state == ASKED && c->kept && !c->head_read && c->in.len == 0)
        resolve(c);
    else if (c->state == ASKED && c->head_read && c->answer.to_end)
        finish(c, ERR_OK, "");
    else
        finish(c, ERR_IO, why);
}

static const struct stream_events EVENTS = {
    .ready = on_ready, .data = on_data, .closed = on_closed, .late = on_late};

/* ── beginning ───────────────────────────────────────────────────────────────────────────────── */

static void dial(struct call *c)
{
    struct outbound *o = c->o;
    struct listener *l = c->target.tls ? o->tls : o->plain;
    struct line *line = calloc(1, sizeof(*line));
    if (!line) {
        finish(c, ERR_IO, "no memory");
        return;
    }
    line->o = o;
    line->tls = c->target.tls;
    line->port = c->target.port;
    snprintf(line->host, sizeof(line->host), "%s", c->target.host);
    c->kept = false;
    c->state = DIALLING;
    if (stream_dial(l, resolve_next(&c->names), c->target.host, LIMIT_PUSH_CONNECT_MS, line,
                    &line->stream)) {
        free(line);
        finish(c, ERR_IO, "no socket");
        return;
    }
    line->call = c;
    c->line = line;
    TAILQ_INSERT_TAIL(&o->lines, line, link);
}

static void on_resolved(struct resolve *names, const char *why)
{
    struct call *c = names->context;
    if (why)
        finish(c, names->cancelled ? ERR_UNAVAILABLE : ERR_IO, why);
    else
        dial(c);
}

/* `done` never comes from inside outbound_send, unless nothing could be asked. */
static void resolve(struct call *c)
{
    c->state = RESOLVING;
    const char *why = resolve_begin(c->o->loop, &c->names, c->target.host, c->target.port,
                                    !c->target.tls, on_resolved, c);
    if (why)
        finish(c, ERR_IO, why);
}

static struct line *kept_line(struct outbound *o, const struct outbound_target *t)
{
    struct line *line;
    TAILQ_FOREACH(line, &o->lines, link)
    {
        if (!line->call && !line->closing && line->tls == t->tls && line->port == t->port &&
            strcmp(line->host, t->host) == 0)
            return line;
    }
    return NULL;
}

static void print_request(struct call *c, const struct outbound_post *post)
{
    const struct outbound_target *t = post->target;
    bool v6 = strchr(t->host, ':') != NULL;
    struct buf *b = &c->request;
    buf_addf(b, "POST %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: Tasuki\r\n", t->path,
             v6 ? "[" : "", t->host, v6 ? "]" : "", t->port);
    buf_addf(b, "Content-Length: %zu\r\n", post->content_type ? post->body.len : 0);
    if (post->content_type)
        buf_addf(b, "Content-Type: %s\r\n", post->content_type);
    buf_add(b, post->fields);
    buf_adds(b, "\r\n");
    if (post->content_type)
        buf_add(b, post->body);
}

enum err outbound_send(struct outbound *o, const struct outbound_post *post)
{
    struct call *c = o->closing ? NULL : calloc(1, sizeof(*c));
    if (!c)
        return o->closing ? ERR_UNAVAILABLE : ERR_LIMIT;
    c->o = o;
    c->target = *post->target;
    c->done = post->done;
    c->context = post->context;
    buf_init(&c->request, LIMIT_HTTP_ANSWER);
    buf_init(&c->in, LIMIT_HTTP_HEAD + 128 * LIMIT_KIB);
    print_request(c, post);
    enum err err = buf_err(&c->request);
    if (!err && c->target.tls && !o->tls)
        err = ERR_NOT_SUPPORTED;
    if (err) {
        call_free(c);
        return err;
    }
    TAILQ_INSERT_TAIL(&o->calls, c, link);
    c->line = kept_line(o, &c->target);
    if (c->line) {
        c->line->call = c;
        c->kept = true;
        ask(c);
    } else {
        resolve(c);
    }
    return ERR_OK;
}

/* ── the whole ───────────────────────────────────────────────────────────────────────────────── */

static void on_listener_closed(void *context)
{
    struct outbound *o = context;
    o->listeners--;
    settle(o);
}

enum err outbound_open(uv_loop_t *loop, struct tls_context *tls, struct outbound **ret)
{
    struct outbound *o = calloc(1, sizeof(*o));
    if (!o)
        return ERR_LIMIT;
    o->loop = loop;
    TAILQ_INIT(&o->calls);
    TAILQ_INIT(&o->lines);
    struct listener_options options = {.loop = loop, .events = &EVENTS, .context = o};
    enum err err = listener_open(&options, &o->plain);
    o->listeners += !err;
    options.tls = tls;
    if (!err && tls) {
        err = listener_open(&options, &o->tls);
        o->listeners += !err;
    }
    if (err && o->listeners)
        outbound_close(o, NULL, NULL);
    else if (err)
        free(o);
    else
        *ret = o;
    return err;
}

void outbound_close(struct outbound *o, void (*done)(void *context), void *context)
{
    struct call *c = TAILQ_FIRST(&o->calls), *next;
    o->done = done;
    o->done_context = context;
    o->listeners++; /* this function's own share */
    o->closing = true;
    for (; c; c = next) {
        next = TAILQ_NEXT(c, link);
        if (c->names.running)
            resolve_cancel(&c->names);
        else
            give_up(c, ERR_UNAVAILABLE, "closing");
    }
    if (o->plain)
        listener_close(o->plain, on_listener_closed, o);
    if (o->tls)
        listener_close(o->tls, on_listener_closed, o);
    on_listener_closed(o);
}
