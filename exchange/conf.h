/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuration: "key = value" lines under "[section]" headings, '#' comments. Unknown keys are
 * errors that name the line and the nearest known key. Relative paths are relative to the
 * configuration file.
 */
#ifndef EXCHANGE_CONF_H
#define EXCHANGE_CONF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

#define CONF_WATCHES_MAX 64

struct conf_watch {
    const char *facility; /* key */
    const char *root;     /* watched SS-MIX2 root */
};

/* [feed NAME]: HL7 v2 messages to a facility's system (exchange/push/feed.h). */
struct conf_feed {
    const char *name;
    const char *facility; /* key: on whose behalf, and whose patients */
    const char *host;
    int port;
    bool tls;
    bool allow_plain;                /* without TLS also beyond this machine */
    const char *cert, *key, *ca;     /* PEM; empty: none, the system's store */
    const char *send;                /* data categories, separated by spaces */
    const char *charset;             /* "iso-2022-jp" or "utf-8" */
    const char *application, *place; /* MSH-5, MSH-6 */
    int connect_s, answer_s;
};

struct conf {
    const char *region;                                            /* name shown to people */
    const char *host;                                              /* address to listen on */
    int system_port, portal_port, mllps_port, mllp_port, ops_port; /* -1 = off, 0 = any */
    int connections;                                               /* of all listeners together */
    const char *mllp_facility; /* facility key of the plain MLLP port */
    const char *server_cert, *server_key, *ca, *crl;
    const char *store;       /* database file */
    const char *master_key;  /* 32 bytes in hex, file mode 0600 */
    const char *checkpoints; /* audit heads outside the store */
    const char *log;         /* file, or "-" for stderr */
    int readers;
    const char *push_targets; /* where Subscriptions may be delivered (push/target.h) */
    const char *push_ca;      /* PEM; empty: the system's store */
    const char *export_folder;
    int export_hours; /* finished exports are kept */
    struct conf_watch watches[CONF_WATCHES_MAX];
    unsigned watch_count;
    struct conf_feed feeds[LIMIT_FEEDS];
    unsigned feed_count;
};

/* Reads PATH into ARENA strings. Findings (line, problem, remedy) go to ERRORS. */
enum err conf_read(struct arena *arena, const char *path, struct err_list *errors,
                   struct conf *ret_conf) ERR_CHECKED;
/* Categories that TEXT names, as mask; 0 when one is not known or there is none. */
uint64_t conf_feed_categories(const char *text);
/* Writes CONF as a commented file. */
enum err conf_write(const struct conf *conf, const char *path) ERR_CHECKED;

#endif
