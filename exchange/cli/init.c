/* SPDX-License-Identifier: Apache-2.0
 *
 * init: a new installation. A folder with its own authority, the server's and the operator's
 * certificate, keys, configuration and an empty store in which the operator is registered. No
 * people, no facilities.
 */
#include <limits.h>
#include <stdio.h>

#include "base/limits.h"
#include "exchange/cli/cli.h"
#include "exchange/demo/region.h"
#include "storage/audit.h"

#include "base/banned.h"

#define OPERATOR_CODE "0000000018" /* none of a real institution; valid check digit */

struct founding {
    struct store_job job;
    struct pki_cert cert;
    const char *name;
};

static enum err found_apply(struct session *s, struct store_job *job)
{
    const struct founding *f = (const struct founding *)job;
    struct facility facility = {.key = SLICE("operator"),
                                .code = SLICE(OPERATOR_CODE),
                                .name = slice_str(f->name),
                                .kind = FACILITY_OPERATOR,
                                .active = true};
    int64_t id = 0;
    enum err err = registry_put_facility(s, &facility, &id);

    return err ? err
               : registry_put_cert(s, f->cert.fingerprint, SLICE("operator"),
                                   slice_str(f->cert.serial_hex), id, 0);
}

static enum err found_audit(struct session *s, struct store_job *job)
{
    struct audit_row row = {.event = "register",
                            .outcome = job->err,
                            .door = "command",
                            .actor = "operator",
                            .entity = "region",
                            .reason = "init"};

    return audit_append(s, &row);
}

static enum err write_conf(const struct args *args, const char *dir, const char *name, int base)
{
    const char *host = args_value(args, "host");
    struct conf conf = {
        .region = name,
        .host = host ? host : "127.0.0.1",
        .system_port = base,
        .portal_port = base + 1,
        .mllps_port = base + 2,
        .mllp_port = -1,
        .ops_port = base + 4,
        .mllp_facility = "",
        .server_cert = "pki/server.pem",
        .server_key = "pki/server.key",
        .ca = "pki/ca.pem",
        .crl = "pki/crl.pem",
        .store = "data/tasuki.db",
        .master_key = "master.key",
        .checkpoints = "log/audit-heads.txt",
        .log = "log/tasuki.log",
        .readers = 2,
        .connections = LIMIT_CONNECTIONS,
        .push_targets = "",
        .push_ca = "",
        .export_folder = "data/exports",
        .export_hours = 24,
    };
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/tasuki.conf", dir);

    return n > 0 && n < (int)sizeof(path) ? conf_write(&conf, path) : ERR_TOO_LARGE;
}

static enum err found(const char *dir, struct founding *f, char *text, size_t size)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf conf;
    struct exchange x;
    const char *path = arena ? arena_printf(arena, "%s/tasuki.conf", dir) : NULL;
    enum err err = path ? ERR_OK : ERR_LIMIT;

    if (!err) {
        err_list_init(&errors, arena);
        err = conf_read(arena, path, &errors, &conf);
    }
    if (!err)
        err = exchange_open(&x, &conf, NULL, NULL, text, size);
    if (!err) {
        err = store_run(x.store, &f->job);
        exchange_close(&x);
    }
    arena_free(arena);
    return err;
}

static void print_next(const struct args *args, const char *dir)
{
    const char *key = cli_pick(args, "KEY", "キー");

    (void)printf("%s/tasuki.conf\n", dir);
    (void)fprintf(stderr, "%s:\n", cli_pick(args, "next", "次に"));
    (void)fprintf(stderr, "  tasuki facility add %s --code CODE --name NAME --kind KIND --dir %s\n",
                  key, dir);
    (void)fprintf(stderr, "  tasuki cert issue %s --facility %s --dir %s\n", key, key, dir);
    (void)fprintf(stderr, "  tasuki serve --dir %s\n", dir);
}

int cli_init(const struct args *args)
{
    const char *dir = args->operands[0];
    const char *name = args_value(args, "name") ? args_value(args, "name") : "Tasuki";
    struct pki_subject operator_subject = {.name = "operator", .organization = name};
    struct founding f = {.job = {.apply = found_apply, .audit = found_audit}, .name = name};
    char text[512] = "", pki[PATH_MAX];
    uint64_t base = 0;
    enum err err = ERR_OK;
    int n = snprintf(pki, sizeof(pki), "%s/pki", dir);

    if (!args_number(args, "port-base", 1, 65531, 18000, &base))
        return cli_usage(args, "--port-base: 1 to 65531", "--port-base は 1〜65531 です");
    if (n <= 0 || n >= (int)sizeof(pki))
        return cli_fail(args, ERR_TOO_LARGE, "DIR");
    err = region_make_folders(dir, name, args_value(args, "host"), text, sizeof(text));
    if (!err)
        err = pki_issue(pki, PKI_CLIENT, &operator_subject, &f.cert);
    if (!err)
        err = write_conf(args, dir, name, (int)base);
    if (!err)
        err = found(dir, &f, text, sizeof(text));
    if (err) {
        (void)fprintf(stderr, "tasuki: %s\n",
                      text[0] ? text : cli_pick(args, err_en(err), err_ja(err)));
        return CLI_FAILED;
    }
    print_next(args, dir);
    return CLI_OK;
}
