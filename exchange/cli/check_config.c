/* SPDX-License-Identifier: Apache-2.0
 *
 * check-config: the configuration and what it points to, before the server is started. One line for
 * each finding, with the remedy. Changes nothing.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "exchange/cli/cli.h"
#include "exchange/demo/pki.h"
#include "exchange/net/quota.h"

#include "base/banned.h"

#define CRL_WARN_DAYS 7

struct check {
    const struct args *args;
    unsigned findings;
};

static void find(struct check *c, const char *what, const char *en, const char *ja)
{
    (void)printf("%s: %s\n", what, cli_pick(c->args, en, ja));
    c->findings++;
}

static void check_readable(struct check *c, const char *path)
{
    if (access(path, R_OK) != 0)
        find(c, path,
             "cannot be read; create it or correct the path (tasuki init makes all of them)",
             "読めません。作成するかパスを直してください（tasuki init で作れます）");
}

static void check_private(struct check *c, const char *path)
{
    struct stat st;

    check_readable(c, path);
    if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        find(c, path, "others may read it; chmod 600",
             "他の利用者が読めます。chmod 600 してください");
}

static void check_parent(struct check *c, const char *path)
{
    char copy[PATH_MAX];
    int n = snprintf(copy, sizeof(copy), "%s", path);

    if (n <= 0 || n >= (int)sizeof(copy) || access(dirname(copy), W_OK) != 0)
        find(c, path, "its folder is missing or not writable; mkdir -p it",
             "フォルダーが無いか書き込めません。作成してください");
}

static void check_crl(struct check *c, const struct conf *conf)
{
    char copy[PATH_MAX];
    int days = 0;
    int n = snprintf(copy, sizeof(copy), "%s", conf->crl);

    if (access(conf->crl, R_OK) != 0 || n <= 0 || n >= (int)sizeof(copy))
        return; /* said already */
    if (pki_crl_days(dirname(copy), &days) != ERR_OK)
        find(c, conf->crl, "is not a revocation list; tasuki cert crl signs one",
             "失効リストではありません。tasuki cert crl で署名できます");
    else if (days < CRL_WARN_DAYS)
        find(c, conf->crl,
             "expires within a week; tasuki cert crl (or your own authority) signs a new one",
             "1週間以内に期限が切れます。tasuki cert crl（または外部の認証局）で更新してください");
}

static void check_watches(struct check *c, const struct conf *conf)
{
    for (unsigned i = 0; i < conf->watch_count; i++) {
        struct stat st;

        if (stat(conf->watches[i].root, &st) != 0 || !S_ISDIR(st.st_mode))
            find(c, conf->watches[i].root, "the watched folder is missing; mkdir -p it",
                 "監視するフォルダーがありません。作成してください");
    }
}

static bool is_this_machine(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           slice_starts(slice_str(host), SLICE("127."));
}

static void check_feeds(struct check *c, const struct conf *conf)
{
    for (unsigned i = 0; i < conf->feed_count; i++) {
        const struct conf_feed *f = &conf->feeds[i];

        if (f->cert[0]) {
            check_readable(c, f->cert);
            check_private(c, f->key);
        }
        if (f->ca[0])
            check_readable(c, f->ca);
        if (!f->tls && !f->allow_plain && !is_this_machine(f->host))
            find(c, f->host,
                 "a feed without TLS goes to this machine only; set tls = on, or allow-plain = on "
                 "where another layer protects the line",
                 "TLS なしの送信はこの計算機にだけ届きます。tls = on にするか、回線が別に保護されて"
                 "いるなら allow-plain = on としてください");
    }
}

/* The server raises its soft limit itself; the hard one is for whoever starts it. */
static void check_files(struct check *c, const struct conf *conf)
{
    char en[200], ja[240];
    unsigned room = quota_room_raised();

    if (room >= (unsigned)conf->connections)
        return;
    snprintf(
        en, sizeof(en),
        "the limit of open files leaves room for %u of %d connections; raise it to %d (ulimit -Hn, "
        "LimitNOFILE=) or set connections = %u",
        room, conf->connections, conf->connections + (int)LIMIT_SPARE_FILES, room);
    snprintf(ja, sizeof(ja),
             "開けるファイル数の上限のため %d 接続のうち %u しか使えません。上限を %d "
             "に上げる（ulimit -Hn、LimitNOFILE=）か connections = %u としてください",
             conf->connections, room, conf->connections + (int)LIMIT_SPARE_FILES, room);
    find(c, "[listen] connections", en, ja);
}

static void check_all(struct check *c, const struct conf *conf)
{
    check_readable(c, conf->server_cert);
    check_private(c, conf->server_key);
    check_readable(c, conf->ca);
    check_readable(c, conf->crl);
    check_crl(c, conf);
    check_private(c, conf->master_key);
    check_parent(c, conf->store);
    check_parent(c, conf->checkpoints);
    if (strcmp(conf->log, "-") != 0)
        check_parent(c, conf->log);
    check_watches(c, conf);
    check_feeds(c, conf);
    check_files(c, conf);
    if (conf->system_port < 0 && conf->portal_port < 0 && conf->mllps_port < 0 &&
        conf->mllp_port < 0)
        find(c, "[listen]", "every door is off; set a port",
             "どの入口も off です。ポートを指定してください");
}

int cli_check_config(const struct args *args)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct check check = {.args = args};
    struct err_list errors;
    struct conf conf;

    if (!arena)
        return cli_fail(args, ERR_LIMIT, "memory");
    err_list_init(&errors, arena);
    if (conf_read(arena, args->operands[0], &errors, &conf) == ERR_OK) {
        check_all(&check, &conf);
    } else {
        for (const struct err_item *i = errors.first; i; i = i->next)
            find(&check, i->place, i->en, i->ja);
    }
    arena_free(arena);
    if (check.findings == 0)
        (void)printf("%s\n", cli_pick(args, "ok", "正常です"));
    return check.findings == 0 ? CLI_OK : CLI_FAILED;
}
