/* SPDX-License-Identifier: Apache-2.0
 *
 * What a facility may write into an endpoint and its headers, before any of it is printed into a request: absolute URLs
 * (RFC 3986) without user, fragment, dot segments or encoded slashes, so that a prefix of the path means what it says;
 * fields (RFC 9110 section 5) without line breaks and not those that frame or route. Pure.
 */
#include "exchange/net/outbound.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/banned.h"

static const char path_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "-._~!$&'()*+,;=:@/?%";
static const char host_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
static const char token_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "!#$%&'*+-.^_`|~";

static bool only(struct slice text, const char *chars)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr(chars, text.ptr[i]))
            return false;
    return true;
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Escapes are whole, and none hides a dot, a slash or a control. */
static bool escapes_ok(struct slice path)
{
    for (size_t i = slice_find(path, '%', 0); i < path.len; i = slice_find(path, '%', i + 1)) {
        if (i + 2 >= path.len || hex_of(path.ptr[i + 1]) < 0 || hex_of(path.ptr[i + 2]) < 0)
            return false;
        int c = hex_of(path.ptr[i + 1]) * 16 + hex_of(path.ptr[i + 2]);
        if (c < 0x20 || c == 0x7f || c == '.' || c == '/' || c == '\\')
            return false;
    }
    return true;
}

static bool segments_ok(struct slice path)
{
    struct slice rest = slice_sub(path, 0, slice_find(path, '?', 0));
    while (rest.ptr) {
        struct slice segment = slice_cut(&rest, '/');
        if (slice_is(segment, ".") || slice_is(segment, ".."))
            return false;
    }
    return true;
}

static bool read_host(struct slice *rest, struct outbound_target *t)
{
    bool v6 = rest->len > 0 && rest->ptr[0] == '[';
    size_t len = v6 ? slice_find(*rest, ']', 0) : slice_find(*rest, ':', 0);
    struct slice host = slice_sub(*rest, v6, v6 ? len - 1 : len);
    struct in6_addr any;
    if ((v6 && len == rest->len) || host.len == 0 || host.len > LIMIT_PUSH_HOST)
        return false;
    for (size_t i = 0; i < host.len; i++)
        t->host[i] = (char)(host.ptr[i] >= 'A' && host.ptr[i] <= 'Z' ? host.ptr[i] + 32
                                                                     : host.ptr[i]);
    t->host[host.len] = '\0';
    *rest = slice_sub(*rest, len + v6, rest->len);
    if (memchr(host.ptr, '\0', host.len))
        return false;
    if (v6)
        return inet_pton(AF_INET6, t->host, &any) == 1;
    return only(slice_str(t->host), host_chars) && t->host[0] != '.' && t->host[0] != '-';
}

enum err outbound_url(struct slice url, struct outbound_target *ret_target)
{
    struct outbound_target t = {.port = 80};
    uint64_t port = 0;
    if (url.len > LIMIT_PUSH_URL)
        return ERR_INVALID;
    t.tls = slice_ieq(slice_sub(url, 0, 8), SLICE("https://"));
    if (t.tls)
        t.port = 443;
    else if (!slice_ieq(slice_sub(url, 0, 7), SLICE("http://")))
        return ERR_INVALID;
    struct slice rest = slice_sub(url, t.tls ? 8 : 7, url.len);
    size_t slash = slice_find(rest, '/', 0), question = slice_find(rest, '?', 0);
    size_t end = slash < question ? slash : question;
    struct slice place = slice_sub(rest, 0, end), path = slice_sub(rest, end, rest.len);
    if (!read_host(&place, &t))
        return ERR_INVALID;
    if (place.len) {
        if (place.ptr[0] != ':' || !slice_u64(slice_sub(place, 1, place.len), &port) || !port ||
            port > 65535)
            return ERR_INVALID;
        t.port = (unsigned short)port;
    }
    if (!only(path, path_chars) || !escapes_ok(path) || !segments_ok(path))
        return ERR_INVALID;
    snprintf(t.path, sizeof(t.path), "%s%.*s", path.len && path.ptr[0] == '/' ? "" : "/",
             SLICE_ARG(path));
    *ret_target = t;
    return ERR_OK;
}

bool outbound_field_ok(struct slice line)
{
    static const char *const ours[] = {"Host",       "Content-Length", "Transfer-Encoding",
                                       "Connection", "Content-Type",   "Expect",
                                       "Upgrade",    "TE",             "Trailer",
                                       "Keep-Alive", "Proxy-Authorization"};
    size_t colon = slice_find(line, ':', 0);
    struct slice name = slice_sub(line, 0, colon);
    if (colon == line.len || !name.len || line.len > LIMIT_PUSH_HEADER || !only(name, token_chars))
        return false;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (slice_ieq(name, slice_str(ours[i])))
            return false;
    for (size_t i = 0; i < line.len; i++)
        if ((unsigned char)line.ptr[i] < 0x20 || (unsigned char)line.ptr[i] > 0x7e)
            return false;
    return true;
}
