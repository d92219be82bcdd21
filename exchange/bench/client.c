/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocking sockets with time limits, OpenSSL on top. Answers are framed by their Content-Length
 * (RFC 9112 section 6), the only way our server frames them; anything else is ERR_MALFORMED, so
 * that a test notices.
 */
#include "exchange/bench/client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"

#include "base/banned.h"

#define READ_BYTES (64u * LIMIT_KIB)
#define DEFAULT_TIMEOUT_MS 10000u

struct client_trust {
    SSL_CTX *ctx;
};

struct client {
    int fd;
    SSL *ssl;
    struct buf in;
    size_t used; /* of `in`, by the last answer */
    struct buf out;
};

enum err client_trust_new(const char *ca_path, const char *cert_path, const char *key_path,
                          struct client_trust **ret_trust)
{
    struct client_trust *trust = calloc(1, sizeof(*trust));
    if (!trust)
        return ERR_LIMIT;
    trust->ctx = SSL_CTX_new(TLS_client_method());
    bool ok = trust->ctx != NULL;
    ok = ok && SSL_CTX_set_min_proto_version(trust->ctx, TLS1_2_VERSION) == 1;
    ok = ok && SSL_CTX_load_verify_locations(trust->ctx, ca_path, NULL) == 1;
    if (ok && cert_path)
        ok = SSL_CTX_use_certificate_chain_file(trust->ctx, cert_path) == 1 &&
             SSL_CTX_use_PrivateKey_file(trust->ctx, key_path, SSL_FILETYPE_PEM) == 1;
    if (!ok) {
        client_trust_free(trust);
        ERR_clear_error();
        return ERR_INVALID;
    }
    SSL_CTX_set_verify(trust->ctx, SSL_VERIFY_PEER, NULL);
    *ret_trust = trust;
    return ERR_OK;
}

void client_trust_free(struct client_trust *trust)
{
    if (!trust)
        return;
    SSL_CTX_free(trust->ctx);
    free(trust);
}

static enum err connect_socket(struct client *c, const struct client_options *o)
{
    unsigned ms = o->timeout_ms ? o->timeout_ms : DEFAULT_TIMEOUT_MS;
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(o->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(o->port)};
    bool is_v4 = inet_pton(AF_INET, o->host, &v4.sin_addr) == 1;
    int one = 1;
    if (!is_v4 && inet_pton(AF_INET6, o->host, &v6.sin6_addr) != 1)
        return ERR_INVALID;
    c->fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return ERR_IO;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int status = is_v4 ? connect(c->fd, (struct sockaddr *)&v4, sizeof(v4))
                       : connect(c->fd, (struct sockaddr *)&v6, sizeof(v6));
    return status == 0 ? ERR_OK : ERR_IO;
}

static enum err begin_tls(struct client *c, const struct client_options *o)
{
    c->ssl = SSL_new(o->trust->ctx);
    if (!c->ssl)
        return ERR_LIMIT;
    if (o->tls_version)
        SSL_set_max_proto_version(c->ssl, o->tls_version);
    bool ok = SSL_set_fd(c->ssl, c->fd) == 1 && SSL_connect(c->ssl) == 1;
    ERR_clear_error();
    return ok ? ERR_OK : ERR_IO;
}

enum err client_open(const struct client_options *options, struct client **ret_client)
{
    assert(options && options->host && ret_client);
    struct client *c = calloc(1, sizeof(*c));
    if (!c)
        return ERR_LIMIT;
    signal(SIGPIPE, SIG_IGN);
    c->fd = -1;
    buf_init(&c->in, LIMIT_HTTP_ANSWER + LIMIT_MIB);
    buf_init(&c->out, LIMIT_HTTP_ANSWER + LIMIT_MIB);
    enum err err = connect_socket(c, options);
    if (err == ERR_OK && options->trust)
        err = begin_tls(c, options);
    if (err != ERR_OK) {
        client_close(c);
        return err;
    }
    *ret_client = c;
    return ERR_OK;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    if (c->ssl)
        SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    ERR_clear_error();
    if (c->fd >= 0)
        close(c->fd);
    buf_fini(&c->in);
    buf_fini(&c->out);
    free(c);
}

void client_finish(struct client *c)
{
    if (c->ssl)
        SSL_shutdown(c->ssl);
    shutdown(c->fd, SHUT_WR);
}

enum err client_send(struct client *c, struct slice bytes)
{
    while (bytes.len > 0) {
        int part = bytes.len < LIMIT_MIB ? (int)bytes.len : (int)LIMIT_MIB;
        ssize_t n = c->ssl ? SSL_write(c->ssl, bytes.ptr, part)
                           : send(c->fd, bytes.ptr, (size_t)part, MSG_NOSIGNAL);
        if (n <= 0) {
            ERR_clear_error();
            return ERR_IO;
        }
        bytes = slice_sub(bytes, (size_t)n, bytes.len);
    }
    return ERR_OK;
}

/* Reads what is there, waiting for at least a byte. ERR_GONE at the end. */
static enum err receive(struct client *c)
{
    char *to = buf_reserve(&c->in, READ_BYTES);
    if (!to)
        return ERR_TOO_LARGE;
    if (!c->ssl) {
        ssize_t n = recv(c->fd, to, READ_BYTES, 0);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? ERR_TIMEOUT : ERR_GONE;
        c->in.len += (size_t)n;
        return ERR_OK;
    }
    int n = SSL_read(c->ssl, to, (int)READ_BYTES);
    if (n <= 0) {
        int why = SSL_get_error(c->ssl, n);
        bool late = why == SSL_ERROR_WANT_READ;
        ERR_clear_error();
        return late ? ERR_TIMEOUT : ERR_GONE;
    }
    c->in.len += (size_t)n;
    return ERR_OK;
}

static void forget_used(struct client *c)
{
    buf_drop(&c->in, c->used);
    c->used = 0;
}

/* The value of a field of HEAD, trimmed; empty when absent. NAME with its colon, in lower case. */
static struct slice head_value(struct slice head, struct slice name)
{
    while (head.ptr) {
        struct slice line = slice_cut(&head, '\n');
        if (line.len > name.len && slice_ieq(slice_sub(line, 0, name.len), name))
            return slice_trim(slice_sub(line, name.len, line.len));
    }
    return SLICE_NONE;
}

static enum err read_answer(struct client *c, bool head_only, struct client_answer *ret_answer)
{
    size_t end;
    uint64_t status, length = 0;
    while ((end = slice_search(buf_slice(&c->in), SLICE("\r\n\r\n"), 0)) == c->in.len) {
        enum err err = receive(c);
        if (err != ERR_OK)
            return err;
    }
    struct slice head = slice_sub(buf_slice(&c->in), 0, end + 2);
    if (!slice_starts(head, SLICE("HTTP/1.1 ")) || !slice_u64(slice_sub(head, 9, 3), &status))
        return ERR_MALFORMED;
    struct slice value = head_value(head, SLICE("content-length:"));
    bool bodiless = head_only || status < 200 || status == 204 || status == 304;
    if (!bodiless && !slice_u64(value, &length))
        return ERR_MALFORMED;
    while (c->in.len - (end + 4) < length) {
        enum err err = receive(c);
        if (err != ERR_OK)
            return err;
    }
    head = slice_sub(buf_slice(&c->in), 0, end + 2);
    ret_answer->status = (int)status;
    ret_answer->head = head;
    ret_answer->body = slice_sub(buf_slice(&c->in), end + 4, (size_t)length);
    ret_answer->close = slice_ieq(head_value(head, SLICE("connection:")), SLICE("close"));
    c->used = end + 4 + (size_t)length;
    return ERR_OK;
}

enum err client_read_http(struct client *c, bool head_only, struct client_answer *ret_answer)
{
    struct client_answer answer;
    enum err err;
    do {
        forget_used(c);
        err = read_answer(c, head_only, &answer);
    } while (err == ERR_OK && answer.status == 100);
    if (err == ERR_OK)
        *ret_answer = answer;
    return err;
}

enum err client_read_raw(struct client *c, char *ret_bytes, size_t len)
{
    forget_used(c);
    while (c->in.len < len) {
        enum err err = receive(c);
        if (err != ERR_OK)
            return err;
    }
    memcpy(ret_bytes, c->in.ptr, len);
    c->used = len;
    return ERR_OK;
}

enum err client_read_mllp(struct client *c, struct slice *ret_frame)
{
    size_t end;
    forget_used(c);
    while ((end = slice_search(buf_slice(&c->in), SLICE("\x1c\r"), 0)) == c->in.len) {
        enum err err = receive(c);
        if (err != ERR_OK)
            return err;
    }
    if (c->in.ptr[0] != '\x0b')
        return ERR_MALFORMED;
    *ret_frame = slice_sub(buf_slice(&c->in), 1, end - 1);
    c->used = end + 2;
    return ERR_OK;
}

enum err client_http(struct client *c, const char *method, const char *target, const char *fields,
                     struct slice body, struct client_answer *ret_answer)
{
    buf_clear(&c->out);
    buf_addf(&c->out, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, target, fields);
    if (body.len > 0)
        buf_addf(&c->out, "Content-Length: %zu\r\n", body.len);
    buf_adds(&c->out, "\r\n");
    buf_add(&c->out, body);
    enum err err = buf_err(&c->out);
    if (err == ERR_OK)
        err = client_send(c, buf_slice(&c->out));
    if (err == ERR_OK)
        err = client_read_http(c, slice_is(slice_str(method), "HEAD"), ret_answer);
    return err;
}

enum err client_mllp(struct client *c, struct slice message, struct slice *ret_frame)
{
    buf_clear(&c->out);
    buf_addc(&c->out, '\x0b');
    buf_add(&c->out, message);
    buf_adds(&c->out, "\x1c\r");
    enum err err = buf_err(&c->out);
    if (err == ERR_OK)
        err = client_send(c, buf_slice(&c->out));
    return err == ERR_OK ? client_read_mllp(c, ret_frame) : err;
}

bool client_at_end(struct client *c)
{
    forget_used(c);
    return c->in.len == 0 && receive(c) == ERR_GONE;
}

struct thread_start {
    pthread_t thread;
    unsigned index;
    void (*body)(unsigned index, void *context);
    void *context;
};

static void *run_thread(void *argument)
{
    struct thread_start *start = argument;
    (void)pthread_setname_np(pthread_self(), "client");
    start->body(start->index, start->context);
    return NULL;
}

enum err client_threads(unsigned count, void (*body)(unsigned index, void *context), void *context)
{
    struct thread_start *starts = calloc(count ? count : 1, sizeof(*starts));
    unsigned started = 0;
    if (!starts)
        return ERR_LIMIT;
    for (; started < count; started++) {
        starts[started] = (struct thread_start){.index = started, .body = body, .context = context};
        if (pthread_create(&starts[started].thread, NULL, run_thread, &starts[started]) != 0)
            break;
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(starts[i].thread, NULL);
    free(starts);
    return started == count ? ERR_OK : ERR_LIMIT;
}
