/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator's list of places (see target.h). Compared after both sides went through outbound_url, so that there is one
 * reading of a URL; what is sent to is what was compared.
 */
#include "exchange/push/target.h"

#include <arpa/inet.h>

#include "base/banned.h"

#define LOOPBACK "loopback"

/* An address, not a name that looks like one. */
static bool is_loopback(const struct outbound_target *t)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, t->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcmp(t->host, "::1") == 0 || strcmp(t->host, "localhost") == 0;
}

/* "/hook" covers "/hook", "/hook/x" and "/hook?x", not "/hooks". */
static bool covers(const char *prefix, const char *path)
{
    size_t len = strlen(prefix);
    if (strncmp(prefix, path, len) != 0)
        return false;
    return path[len] == '\0' || path[len] == '/' || path[len] == '?' || prefix[len - 1] == '/';
}

static bool entry_allows(struct slice entry, const struct outbound_target *t)
{
    struct outbound_target e;
    if (slice_is(entry, LOOPBACK))
        return is_loopback(t);
    return outbound_url(entry, &e) == ERR_OK && e.tls == t->tls && e.port == t->port &&
           strcmp(e.host, t->host) == 0 && covers(e.path, t->path);
}

bool target_allowed(const char *list, const struct outbound_target *t)
{
    struct slice rest = slice_str(list);
    while (rest.ptr) {
        struct slice entry = slice_trim(slice_cut(&rest, ' '));
        if (entry.len && entry_allows(entry, t))
            return true;
    }
    return false;
}

bool target_list_ok(const char *list, struct slice *ret_bad)
{
    struct slice rest = slice_str(list);
    while (rest.ptr) {
        struct slice entry = slice_trim(slice_cut(&rest, ' '));
        struct outbound_target t;
        if (!entry.len || slice_is(entry, LOOPBACK))
            continue;
        if (outbound_url(entry, &t) || (!t.tls && !is_loopback(&t))) {
            *ret_bad = entry;
            return false;
        }
    }
    return true;
}
