/* SPDX-License-Identifier: Apache-2.0
 *
 * restore: puts a backup in place of the store. Everything that can be refused is refused before
 * anything changes, the key's file included, which the row about it needs. That row is the first
 * the restored chain gets and says where the replaced one ended.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/when.h"
#include "exchange/cli/cli.h"
#include "storage/lock.h"
#include "storage/restore.h"

#include "base/banned.h"

static int refuse(const struct args *args, enum err err, const struct restore_account *a)
{
    (void)fprintf(stderr, "tasuki: %s: %s%s%s%s\n", args->operands[0],
                  a->en[0] ? cli_pick(args, a->en, a->ja)
                           : cli_pick(args, err_en(err), err_ja(err)),
                  a->detail[0] ? " (" : "", a->detail, a->detail[0] ? ")" : "");
    cli_say(args, "the store is as it was", "保存領域は元のままです");
    return err == ERR_UNAVAILABLE || err == ERR_BUSY ? CLI_REFUSED : cli_exit(err);
}

static int take_lock(const struct args *args, const char *store, int *ret_lock)
{
    enum err err = lock_take(store, ret_lock);

    if (err == ERR_UNAVAILABLE) {
        cli_say(args, "a server is running on this store: stop it first; nothing was changed",
                "この保存領域でサーバーが動いています。先に止めてください。何も変えていません");
        return CLI_REFUSED;
    }
    return err ? cli_fail(args, err, store) : CLI_OK;
}

/* The files alone, under the lock. */
static int replace(const struct args *args, struct cli_place *place,
                   struct restore_account *ret_account)
{
    struct restore_order order = {.file = args->operands[0],
                                  .store = place->conf.store,
                                  .heads = place->conf.checkpoints,
                                  .now_ms = clock_system.now_ms(&clock_system)};
    char text[256] = "";
    enum err err = exchange_keys(&place->exchange, &place->conf, text, sizeof(text));

    if (err) {
        (void)fprintf(stderr, "tasuki: %s\n", text);
        return CLI_FAILED;
    }
    if (args_flag(args, "verify"))
        order.key = place->exchange.key_audit;
    err = restore_run(&order, ret_account);
    return err ? refuse(args, err, ret_account) : CLI_OK;
}

struct recording {
    const struct restore_account *account;
    const char *file;
    char reason[160];
};

static enum err restore_look(struct session *s, struct request *r)
{
    struct recording *in = r->input;
    const struct restore_account *a = in->account;
    const char *slash = strrchr(in->file, '/');

    (void)s;
    (void)snprintf(in->reason, sizeof(in->reason), "backup: rows to %" PRId64 "; replaced: %s",
                   a->last_row, a->replaced_row < 0 ? "not readable" : "rows to ");
    if (a->replaced_row >= 0)
        (void)snprintf(in->reason + strlen(in->reason), sizeof(in->reason) - strlen(in->reason),
                       "%" PRId64, a->replaced_row);
    r->entity = slash ? slash + 1 : in->file;
    r->reason = in->reason;
    return ERR_OK;
}

static const struct use restore_use = {
    .event = "restore", .actors = 1u << GRANT_OPERATOR, .look = restore_look};

static int record(const struct args *args, const struct restore_account *account)
{
    struct recording in = {.account = account, .file = args->operands[0]};
    struct cli_place place;
    int code = cli_open(args, &place);

    if (!code)
        code = cli_use(&place, &restore_use, SLICE_NONE, &in);
    if (code)
        cli_say(args, "the backup is in place, but its audit row could not be written",
                "控えは戻しましたが、監査記録を書けませんでした");
    else
        (void)printf(args->ja ? "戻しました: スキーマ %d、監査記録 %" PRId64 " 行まで\n"
                              : "restored: schema %d, audit rows to %" PRId64 "\n",
                     account->schema, account->last_row);
    if (account->replaced_row != 0)
        (void)printf("%s: *%s\n", cli_pick(args, "what was there", "前のもの"), account->mark);
    cli_close(&place);
    return code;
}

int cli_restore(const struct args *args)
{
    struct restore_account account = {.en = "", .ja = ""};
    struct cli_place place;
    int lock = -1;
    int code = cli_configure(args, &place);

    if (!code)
        code = take_lock(args, place.conf.store, &lock);
    if (!code)
        code = replace(args, &place, &account);
    explicit_bzero(&place.exchange, sizeof(place.exchange));
    cli_close(&place);
    if (!code)
        code = record(args, &account);
    lock_release(lock);
    return code;
}
