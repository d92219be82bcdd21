/* SPDX-License-Identifier: Apache-2.0
 *
 * Walk of a standard-storage root (see ssmix2_scan.h). What was seen is kept in an open-addressed
 * table of path hashes with size and time, so that a walk over files already dealt with costs one
 * stat each and no read. After a restart the store (intake_file) knows what was dealt with.
 */
#include "exchange/door/ssmix2_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"

#include "base/banned.h"

#define DEPTH_MAX 12

struct seen {
    uint64_t hash; /* 0: free */
    int64_t size;
    int64_t mtime_ns;
};

struct ssmix2_scan {
    char *root;
    struct seen *table;
    size_t room; /* a power of two */
    size_t used;
};

struct walk {
    struct ssmix2_scan *scan;
    struct ssmix2_batch batch;
    unsigned limit;
    int64_t rest_before_ns;
    enum err err;
};

struct ssmix2_scan *ssmix2_scan_new(const char *root)
{
    struct ssmix2_scan *scan = calloc(1, sizeof(*scan));
    if (!scan)
        return NULL;
    scan->room = 1024;
    scan->root = strdup(root);
    scan->table = calloc(scan->room, sizeof(*scan->table));
    if (!scan->root || !scan->table) {
        ssmix2_scan_free(scan);
        return NULL;
    }
    return scan;
}

void ssmix2_scan_free(struct ssmix2_scan *scan)
{
    if (!scan)
        return;
    free(scan->root);
    free(scan->table);
    free(scan);
}

/* FNV-1a, 64 bit; never 0. A collision would hide a file until the next start: 1 in 10^10 at a
 * million files. */
static uint64_t hash_path(const char *path)
{
    uint64_t h = 14695981039346656037u;
    for (const unsigned char *p = (const unsigned char *)path; *p; p++)
        h = (h ^ *p) * 1099511628211u;
    return h ? h : 1;
}

static struct seen *find_slot(struct seen *table, size_t room, uint64_t hash)
{
    size_t i = (size_t)hash & (room - 1);
    while (table[i].hash && table[i].hash != hash)
        i = (i + 1) & (room - 1);
    return &table[i];
}

static bool grow(struct ssmix2_scan *scan)
{
    size_t room = scan->room * 2;
    struct seen *table = calloc(room, sizeof(*table));
    if (!table)
        return false;
    for (size_t i = 0; i < scan->room; i++)
        if (scan->table[i].hash)
            *find_slot(table, room, scan->table[i].hash) = scan->table[i];
    free(scan->table);
    scan->table = table;
    scan->room = room;
    return true;
}

/* True when the file is new or changed; remembers it. */
static bool remember(struct ssmix2_scan *scan, const char *path, int64_t size, int64_t mtime_ns)
{
    if (scan->used * 2 >= scan->room && !grow(scan))
        return false;
    struct seen *slot = find_slot(scan->table, scan->room, hash_path(path));
    if (slot->hash && slot->size == size && slot->mtime_ns == mtime_ns)
        return false;
    if (!slot->hash)
        scan->used++;
    *slot = (struct seen){hash_path(path), size, mtime_ns};
    return true;
}

void ssmix2_scan_forget(struct ssmix2_scan *scan, const char *path)
{
    struct seen *slot = find_slot(scan->table, scan->room, hash_path(path));
    if (slot->hash)
        slot->mtime_ns = -1;
}

static enum err read_file(int fd, struct ssmix2_file *file)
{
    size_t done = 0, size = (size_t)file->size;
    if (size > LIMIT_SSMIX2_FILE)
        return ERR_TOO_LARGE;
    file->bytes = malloc(size ? size : 1);
    if (!file->bytes)
        return ERR_LIMIT;
    while (done < size) {
        ssize_t n = read(fd, file->bytes + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        done += (size_t)n;
    }
    return ERR_OK;
}

static void take_file(struct walk *w, int dir, const char *name, const char *path,
                      const struct stat *st)
{
    int64_t mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    int64_t ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
    if (mtime_ns > w->rest_before_ns || ctime_ns > w->rest_before_ns)
        return; /* still being written, perhaps */
    if (w->batch.count == w->limit) {
        w->batch.more = true;
        return;
    }
    if (!remember(w->scan, path, st->st_size, mtime_ns))
        return;
    struct ssmix2_file file = {.path = strdup(path), .size = st->st_size, .mtime_ns = mtime_ns};
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    file.err = fd < 0 ? ERR_IO : read_file(fd, &file);
    if (fd >= 0)
        close(fd);
    if (!file.path) {
        free(file.bytes);
        w->err = ERR_LIMIT;
        return;
    }
    w->batch.files[w->batch.count++] = file;
}

static void walk_dir(struct walk *w, int fd, const char *prefix, unsigned depth);

static void walk_entry(struct walk *w, int dir, const char *prefix, const char *name,
                       unsigned depth)
{
    char path[LIMIT_SSMIX2_PATH];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "", name);
    if (n < 0 || (size_t)n >= sizeof(path) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (S_ISREG(st.st_mode)) {
        take_file(w, dir, name, path, &st);
    } else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
        int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0)
            walk_dir(w, fd, path, depth + 1);
    }
}

/* Takes FD over. Skips hidden names (temporary files) and our own rejected/ folder. */
static void walk_dir(struct walk *w, int fd, const char *prefix, unsigned depth)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return;
    }
    for (struct dirent *e = readdir(dir); e && !w->err && !w->batch.more; e = readdir(dir)) {
        if (e->d_name[0] == '.' || (depth == 0 && strcmp(e->d_name, "rejected") == 0))
            continue;
        walk_entry(w, dirfd(dir), prefix, e->d_name, depth);
    }
    closedir(dir);
}

enum err ssmix2_scan_walk(struct ssmix2_scan *scan, unsigned limit, unsigned rest_ms,
                          struct ssmix2_batch *ret_batch)
{
    struct walk w = {.scan = scan, .limit = limit};
    struct timespec now;
    int fd = open(scan->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    clock_gettime(CLOCK_REALTIME, &now);
    w.rest_before_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)rest_ms * 1000000;
    w.batch.files = calloc(limit, sizeof(*w.batch.files));
    if (!w.batch.files) {
        close(fd);
        return ERR_LIMIT;
    }
    walk_dir(&w, fd, "", 0);
    if (w.err) {
        ssmix2_batch_fini(&w.batch);
        return w.err;
    }
    *ret_batch = w.batch;
    return ERR_OK;
}

void ssmix2_batch_fini(struct ssmix2_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->files[i].path);
        free(batch->files[i].bytes);
    }
    free(batch->files);
    *batch = (struct ssmix2_batch){0};
}
