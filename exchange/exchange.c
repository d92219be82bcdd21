/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing what every request needs: keys, store, the pseudo-facility of residents' own
 * entries.
 */
#include "exchange/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/ids.h"
#include "storage/registry.h"

#include "base/limits.h"

#include "base/banned.h"

/* The master key lives outside the database, in a file nobody else may read: a copy of the database
 * alone resolves no Patient id. */
static enum err read_master(const char *path, unsigned char ret_key[32], char *ret_text,
                            size_t size)
{
    char hex[65] = {0};
    struct stat st;
    enum err err = ERR_INVALID;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        snprintf(ret_text, size, "master key %s: cannot be read / 読めません", path);
        err = ERR_IO;
    } else if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        snprintf(ret_text, size,
                 "master key %s: others may read it, chmod 600 / 他の利用者が読めます", path);
    } else if (read(fd, hex, 64) != 64 || !digest_unhex(slice_str(hex), ret_key, 32)) {
        snprintf(ret_text, size, "master key %s: not 64 hex digits / 16進64桁ではありません", path);
    } else {
        err = ERR_OK;
    }
    if (fd >= 0)
        close(fd);
    return err;
}

struct home_job {
    struct store_job job;
    int64_t facility;
};

static enum err home_apply(struct session *s, struct store_job *job)
{
    struct home_job *h = (struct home_job *)job;
    struct facility home = {
        .key = SLICE("home"),
        .code = SLICE("0000000000"),
        .name = SLICE("本人の入力"),
        .kind = FACILITY_HOME,
        .active = true,
    };
    return registry_put_facility(s, &home, &h->facility);
}

static enum err no_audit(struct session *s, struct store_job *job)
{
    (void)s;
    (void)job;
    return ERR_OK;
}

enum err exchange_keys(struct exchange *x, const struct conf *conf, char *ret_text,
                       size_t text_size)
{
    *x = (struct exchange){.conf = *conf, .clock = &clock_system};
    enum err err = read_master(conf->master_key, x->master, ret_text, text_size);
    if (err)
        return err;
    ids_derive(x->master, "resource-id", SLICE("exchange"), x->key_resource);
    ids_derive(x->master, "cursor", SLICE("exchange"), x->key_cursor);
    ids_derive(x->master, "audit-checkpoint", SLICE("exchange"), x->key_audit);
    return ERR_OK;
}

enum err exchange_open(struct exchange *x, const struct conf *conf, void (*wake)(void *),
                       void *context, char *ret_text, size_t text_size)
{
    struct home_job home = {.job = {.apply = home_apply, .audit = no_audit}};
    enum err err = exchange_keys(x, conf, ret_text, text_size);
    (void)pthread_mutex_init(&x->wires.lock, NULL);
    (void)pthread_mutex_init(&x->kept.lock, NULL);
    for (size_t i = 0; i < EXCHANGE_KEPT_COUNT * 2; i++)
        buf_init(&x->kept.text[i / 2][i % 2], LIMIT_HTTP_ANSWER);
    if (err)
        return err;
    struct store_options options = {
        .path = conf->store,
        .checkpoint_path = conf->checkpoints,
        .key = x->key_audit,
        .readers = conf->readers > 0 ? (unsigned)conf->readers : 0,
        .clock = x->clock,
        .wake = wake,
        .wake_context = context,
    };
    err = store_open(&options, &x->store);
    if (err) {
        snprintf(ret_text, text_size, "store %s: %s / %s", conf->store, err_en(err), err_ja(err));
        return err;
    }
    err = store_run(x->store, &home.job);
    if (err) {
        snprintf(ret_text, text_size, "store %s: %s / %s", conf->store, err_en(err), err_ja(err));
        exchange_close(x);
        return err;
    }
    x->home_facility = home.facility;
    x->started_ms = x->clock->now_ms(x->clock);
    return ERR_OK;
}

void exchange_close(struct exchange *x)
{
    store_close(x->store);
    x->store = NULL;
    (void)pthread_mutex_destroy(&x->wires.lock);
    (void)pthread_mutex_destroy(&x->kept.lock);
    for (size_t i = 0; i < EXCHANGE_KEPT_COUNT * 2; i++)
        buf_fini(&x->kept.text[i / 2][i % 2]);
    explicit_bzero(x->wires.entries, sizeof(x->wires.entries));
    explicit_bzero(x->master, sizeof(x->master));
}
