/* SPDX-License-Identifier: Apache-2.0
 *
 * Import of a standard storage: the messages that one hospital has of the region's invented
 * residents, a file each, taken in as `tasuki import ssmix2` does. Warm: every file has just been
 * written, so the page cache holds it; cold: it was asked to let go of the files' contents (names
 * and folders stay). The floor reads every file once and writes the rows.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "exchange/batch_tree.h"
#include "exchange/bench/bench.h"
#include "exchange/demo/clinical.h"
#include "exchange/door/ssmix2_scan.h"
#include "exchange/exchange.h"
#include "mappers/hl7v2/lex.h"
#include "mappers/ssmix2/write.h"

#include "base/banned.h"

#define HOSPITAL DEMO_HOSPITAL_A

/* ── the tree ────────────────────────────────────────────────────────────────────────────────── */

static enum err put_file(char *path, struct slice bytes)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0750) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made)
            return ERR_IO;
    }
    FILE *file = fopen(path, "we");
    bool ok = file && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len;
    if (file)
        ok = fclose(file) == 0 && ok;
    return ok ? ERR_OK : ERR_IO;
}

/* The path that the standard gives MESSAGE (guide section 1.2); NULL: none, it has no kind of data.
 */
static char *path_of(struct arena *arena, const char *root, const char *local_no,
                     const struct hl7_message *message)
{
    struct write_group key = {0};
    if (!write_key(arena, message, &key))
        return NULL;
    struct slice sent = write_sent(arena, message), department = write_department(arena, message);
    return arena_printf(arena, "%s/%.3s/%.3s/%s/%s/%s/%s_%s_%s_%s_%.*s_%.*s_1", root, local_no,
                        local_no + 3, local_no, key.care_date, key.kind, local_no, key.care_date,
                        key.kind, key.order_no, SLICE_ARG(sent), SLICE_ARG(department));
}

static enum err put_message(void *context, const struct demo_person *person,
                            const struct demo_document *document)
{
    const char *root = context;
    struct err_list errors;
    struct hl7_message *message = NULL;
    if (document->kind != DEMO_HL7 || document->facility != HOSPITAL)
        return ERR_OK;
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    if (!arena)
        return ERR_LIMIT;
    err_list_init(&errors, arena);
    enum err err = hl7_lex(arena, document->bytes, &errors, &message);
    char *path = err ? NULL : path_of(arena, root, person->local[HOSPITAL], message);
    if (path)
        err = put_file(path, document->bytes);
    arena_free(arena);
    return err;
}

static enum err make_tree(const struct exchange *x, const char *root, unsigned residents)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct demo_person *people = NULL;
    char place[512];
    int64_t now_ms = x->clock->now_ms(x->clock);
    snprintf(place, sizeof(place), "%s", root);
    enum err err = arena ? people_make(arena, BENCH_SEED, residents, now_ms, &people) : ERR_LIMIT;
    for (unsigned i = 0; i < residents && !err; i++)
        err = clinical_emit(&people[i], now_ms, put_message, place);
    arena_free(arena);
    return err;
}

/* ── walking it for nothing ──────────────────────────────────────────────────────────────────── */

static int forget_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
    return 0;
}

static int read_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    char room[64 * LIMIT_KIB];
    (void)st;
    (void)at;
    int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    while (fd >= 0 && read(fd, room, sizeof(room)) > 0)
        continue;
    if (fd >= 0)
        close(fd);
    return 0;
}

static void forget_tree(const char *root)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && syncfs(fd) == 0) /* what is not on disk cannot be let go of */
        (void)nftw(root, forget_file, 16, FTW_PHYS);
    if (fd >= 0)
        close(fd);
}

static double seconds_to_read(const char *root)
{
    double began = bench_seconds(CLOCK_MONOTONIC);
    (void)nftw(root, read_file, 16, FTW_PHYS);
    return bench_seconds(CLOCK_MONOTONIC) - began;
}

/* ── import ──────────────────────────────────────────────────────────────────────────────────── */

static void ended(void *context, struct request *r, void *tag)
{
    enum err *first = context;
    if (r->job.err && !*first) {
        const struct err_item *item = r->errors.first;
        fprintf(stderr, "bench: %s: %s %s %s\n", (const char *)tag, err_name(r->job.err),
                item ? item->place : "", item ? item->en : "");
        *first = r->job.err;
    }
}

static void unreadable(void *context, const struct ssmix2_file *file)
{
    enum err *first = context;
    *first = *first ? *first : file->err;
}

static enum err import_tree(struct exchange *x, const char *root, struct bench_site *site)
{
    struct batch batch;
    enum err failed = ERR_OK;
    struct batch_tree tree = {.batch = &batch,
                              .facility_key = slice_str(demo_facilities[HOSPITAL].key),
                              .unreadable = unreadable};
    batch_init(&batch, x, ended, &failed);
    bench_cost_begin(x, &site->load);
    enum err err = batch_tree(&tree, root);
    bench_cost_end(x, &site->load);
    site->loaded = batch.started;
    return err ? err : failed;
}

static enum err load(struct exchange *x, struct bench_site *site, bool cold)
{
    char root[512];
    double before = 0, after = 0;
    snprintf(root, sizeof(root), "%s/tree", site->dir);
    enum err err = access(root, F_OK) == 0 ? ERR_OK : make_tree(x, root, site->residents);
    site->cold = cold;
    if (!err && cold)
        forget_tree(root);
    if (!err)
        err = bench_store_bytes(site, &before);
    if (!err)
        err = import_tree(x, root, site);
    if (!err)
        err = bench_store_bytes(site, &after);
    site->grown = after - before;
    return err;
}

enum err bench_ssmix2_load(struct exchange *x, struct bench_site *site)
{
    return load(x, site, false);
}

enum err bench_ssmix2_load_cold(struct exchange *x, struct bench_site *site)
{
    return load(x, site, true);
}

enum err bench_ssmix2(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_figure figure = {.name = site->cold ? "ssmix2-cold" : "ssmix2", .unit = "files/s"};
    double files = site->loaded, rows = 0;
    char root[512];
    snprintf(root, sizeof(root), "%s/tree", site->dir);
    if (site->cold)
        forget_tree(root);
    double reading = seconds_to_read(root);
    enum err err = bench_rows_floor(site, files, site->load.commits, &rows);
    if (!err && rows > 0 && files > 0) {
        bench_cost_each(&site->load, site->loaded, &figure);
        figure.floor_rate = files / (reading + files / rows);
        figure.bytes_each = site->grown / files;
    }
    if (!err)
        *ret_figure = figure;
    return err;
}
