/* SPDX-License-Identifier: Apache-2.0
 *
 * Walk of a storage root (see ssmix2_scan.h). Folders to look at stand in a list; looking at one
 * puts its subfolders there. A patient's folder is looked at whole, so that his files can be sorted
 * by the time they were sent. What was seen is kept in an open-addressed table of path hashes with
 * size and time: a file already dealt with costs one stat and no read. After a restart the store
 * (intake_file) knows what was dealt with.
 */
#include "exchange/door/ssmix2_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"

#include "base/banned.h"

#define DEPTH_MAX 12u
#define PATIENT_DEPTH 3u /* ID[0:3]/ID[3:6]/ID */
#define EVENTS                                                                                     \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE_SELF | IN_ATTRIB |       \
     IN_ONLYDIR | IN_DONT_FOLLOW)
#define CIFS_MAGIC 0xFF534D42
#define SMB2_MAGIC 0xFE534D42
#define FUSE_MAGIC 0x65735546

struct seen {
    uint64_t hash; /* 0: free */
    int64_t size;
    int64_t mtime_ns;
};

/* A list of owned strings. */
struct names {
    char **items;
    size_t count, room;
};

struct ssmix2_scan {
    char *root;
    struct seen *table;
    size_t room; /* a power of two */
    size_t used;
    struct names folders; /* to look at, last first */
    struct names files;   /* found, to be read, last first */
    struct names later;   /* folders with files not at rest */
    bool began;
    int events;           /* inotify; -1: nobody tells */
    bool deaf;            /* it does not tell all */
    struct names watched; /* folder by watch descriptor */
};

struct walk {
    struct ssmix2_scan *scan;
    struct ssmix2_batch batch;
    int root;
    unsigned limit;
    int64_t rest_before_ns;
    enum err err;
};

/* ── lists ───────────────────────────────────────────────────────────────────────────────────── */

static bool names_room(struct names *n, size_t at)
{
    size_t room = n->room ? n->room : 64;

    while (room <= at)
        room *= 2;
    if (room == n->room)
        return true;
    char **items = realloc(n->items, room * sizeof(*items));
    if (!items)
        return false;
    memset(items + n->room, 0, (room - n->room) * sizeof(*items));
    n->items = items;
    n->room = room;
    return true;
}

static bool names_push(struct names *n, const char *text)
{
    char *copy = names_room(n, n->count) ? strdup(text) : NULL;

    if (!copy)
        return false;
    n->items[n->count++] = copy;
    return true;
}

/* The last one, now the caller's; NULL when there is none. */
static char *names_pop(struct names *n)
{
    return n->count > 0 ? n->items[--n->count] : NULL;
}

static void names_fini(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->items[i]);
    free(n->items);
    *n = (struct names){0};
}

/* ── life ────────────────────────────────────────────────────────────────────────────────────── */

struct ssmix2_scan *ssmix2_scan_new(const char *root)
{
    struct ssmix2_scan *scan = calloc(1, sizeof(*scan));
    if (!scan)
        return NULL;
    scan->room = 1024;
    scan->events = -1;
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
    if (scan->events >= 0)
        close(scan->events);
    names_fini(&scan->folders);
    names_fini(&scan->files);
    names_fini(&scan->later);
    names_fini(&scan->watched);
    free(scan->root);
    free(scan->table);
    free(scan);
}

void ssmix2_scan_again(struct ssmix2_scan *scan)
{
    if (scan->folders.count == 0 && scan->files.count == 0)
        scan->began = false;
}

/* ── what was seen ───────────────────────────────────────────────────────────────────────────── */

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

static bool is_known(struct ssmix2_scan *scan, const char *path, int64_t size, int64_t mtime_ns)
{
    struct seen *slot = find_slot(scan->table, scan->room, hash_path(path));
    return slot->hash && slot->size == size && slot->mtime_ns == mtime_ns;
}

/* False when memory is out: the file waits for another walk. */
static bool remember(struct ssmix2_scan *scan, const char *path, int64_t size, int64_t mtime_ns)
{
    if (scan->used * 2 >= scan->room && !grow(scan))
        return false;
    struct seen *slot = find_slot(scan->table, scan->room, hash_path(path));
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
    char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) {
        *slash = '\0';
        (void)names_push(&scan->later, folder); /* full memory: the next whole walk finds it */
    }
    free(folder);
}

/* ── folders ─────────────────────────────────────────────────────────────────────────────────── */

static unsigned depth_of(const char *folder)
{
    unsigned depth = folder[0] ? 1 : 0;

    for (const char *p = folder; *p; p++)
        depth += *p == '/';
    return depth;
}

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int open_below(int root, const char *path, int flags)
{
    return openat(root, path[0] ? path : ".", flags | O_CLOEXEC | O_NOFOLLOW);
}

/* Watched before it is read, so that nothing falls between. */
static void watch(struct ssmix2_scan *scan, const char *folder)
{
    char path[LIMIT_SSMIX2_PATH * 2];
    int n = snprintf(path, sizeof(path), "%s/%s", scan->root, folder);
    int wd = -1;

    if (scan->events < 0)
        return;
    if (n > 0 && (size_t)n < sizeof(path))
        wd = inotify_add_watch(scan->events, path, EVENTS);
    if (wd < 0 || !names_room(&scan->watched, (size_t)wd)) {
        scan->deaf = scan->deaf || errno != ENOENT;
        return;
    }
    free(scan->watched.items[wd]);
    scan->watched.items[wd] = strdup(folder);
    if ((size_t)wd >= scan->watched.count)
        scan->watched.count = (size_t)wd + 1;
}

static void look_file(struct walk *w, const char *folder, const char *path, const struct stat *st)
{
    if (is_known(w->scan, path, st->st_size, ns_of(st->st_mtim)))
        return;
    if (ns_of(st->st_mtim) > w->rest_before_ns || ns_of(st->st_ctim) > w->rest_before_ns) {
        struct names *later = &w->scan->later; /* still being written, perhaps */
        if (later->count == 0 || strcmp(later->items[later->count - 1], folder) != 0)
            w->err = names_push(later, folder) ? w->err : ERR_LIMIT;
        return;
    }
    if (!names_push(&w->scan->files, path))
        w->err = ERR_LIMIT;
}

/* Not ours to read: temporary names, what we refused, the storage's index. */
static bool is_skipped(const char *name, unsigned depth)
{
    return name[0] == '.' ||
           (depth == 0 && (strcmp(name, "rejected") == 0 || strncmp(name, "SSMIXIDX", 8) == 0));
}

/* Looks at FOLDER; below a patient's folder at once, elsewhere subfolders wait their turn. */
static void look(struct walk *w, const char *folder)
{
    unsigned depth = depth_of(folder);
    int fd = -1;
    DIR *dir = NULL;

    watch(w->scan, folder);
    fd = open_below(w->root, folder, O_RDONLY | O_DIRECTORY);
    dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0)
        close(fd);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e && !w->err; e = readdir(dir)) {
        char path[LIMIT_SSMIX2_PATH];
        struct stat st;
        int n = snprintf(path, sizeof(path), "%s%s%s", folder, depth ? "/" : "", e->d_name);
        if (is_skipped(e->d_name, depth) || n < 0 || (size_t)n >= sizeof(path) ||
            fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(st.st_mode))
            look_file(w, folder, path, &st);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX && depth >= PATIENT_DEPTH)
            look(w, path);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX && !names_push(&w->scan->folders, path))
            w->err = ERR_LIMIT;
    }
    if (dir)
        closedir(dir);
}

/* ── order ───────────────────────────────────────────────────────────────────────────────────── */

/* The fifth part of the file name, the time of sending; "" when there is none. */
static const char *sent_of(const char *path)
{
    const char *name = strrchr(path, '/');

    name = name ? name + 1 : path;
    for (unsigned i = 0; name && i < 4; i++) {
        name = strchr(name, '_');
        name = name ? name + 1 : NULL;
    }
    return name ? name : "";
}

static bool is_main(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strncmp(slash ? slash + 1 : path, "main_document", 13) == 0;
}

/* Last first, as the list is taken from its end: newest sent first. What lies beside a document of the extended storage comes after it,
 * since it is filed only if that is. */
static int by_sent(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = strncmp(sent_of(y), sent_of(x), 17);

    if (order == 0)
        order = (int)is_main(x) - (int)is_main(y);
    return order ? order : strcmp(y, x);
}

/* ── events ──────────────────────────────────────────────────────────────────────────────────── */

bool ssmix2_scan_listen(struct ssmix2_scan *scan)
{
    static const unsigned long remote[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_MAGIC,
                                           SMB2_MAGIC,      FUSE_MAGIC,      CODA_SUPER_MAGIC};
    struct statfs fs;
    unsigned long type;

    if (statfs(scan->root, &fs) != 0)
        return false;
    type = (unsigned long)fs.f_type & 0xFFFFFFFFu;
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        if (type == remote[i])
            return false; /* what another host writes there, this kernel does not see */
    }
    scan->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return scan->events >= 0;
}

bool ssmix2_scan_hears(const struct ssmix2_scan *scan)
{
    return scan->events >= 0 && !scan->deaf;
}

static void take_event(struct walk *w, const struct inotify_event *e)
{
    struct ssmix2_scan *scan = w->scan;
    char *folder =
        e->wd >= 0 && (size_t)e->wd < scan->watched.count ? scan->watched.items[e->wd] : NULL;
    struct names *folders = &scan->folders;

    if ((e->mask & IN_Q_OVERFLOW) || ((e->mask & IN_MOVED_FROM) && (e->mask & IN_ISDIR))) {
        ssmix2_scan_again(scan); /* events were lost, or folders are not where they were */
        return;
    }
    if (!folder)
        return;
    if (e->mask & (IN_IGNORED | IN_DELETE_SELF)) {
        if (e->mask & IN_IGNORED) {
            free(folder);
            scan->watched.items[e->wd] = NULL;
        }
        return;
    }
    if (folders->count > 0 && strcmp(folders->items[folders->count - 1], folder) == 0)
        return;
    if (!names_push(folders, folder))
        w->err = ERR_LIMIT;
}

static void take_events(struct walk *w)
{
    _Alignas(struct inotify_event) char room[16 * 1024];

    while (w->scan->events >= 0 && !w->err) {
        ssize_t n = read(w->scan->events, room, sizeof(room));
        if (n <= 0)
            return;
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(room + at);
            take_event(w, e);
            at += (ssize_t)(sizeof(*e) + e->len);
        }
    }
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────── */

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

/* Takes PATH over. A file that went meanwhile is no error. */
static void take_file(struct walk *w, char *path)
{
    struct ssmix2_file file = {.path = path};
    struct stat st;
    int fd = open_below(w->root, path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        is_known(w->scan, path, st.st_size, ns_of(st.st_mtim)) ||
        !remember(w->scan, path, st.st_size, ns_of(st.st_mtim))) {
        if (fd >= 0)
            close(fd);
        free(path);
        return;
    }
    file.size = st.st_size;
    file.mtime_ns = ns_of(st.st_mtim);
    file.err = read_file(fd, &file);
    close(fd);
    w->batch.files[w->batch.count++] = file;
}

/* ── one walk ────────────────────────────────────────────────────────────────────────────────── */

static void begin(struct walk *w)
{
    struct ssmix2_scan *scan = w->scan;

    if (!scan->began && !names_push(&scan->folders, ""))
        w->err = ERR_LIMIT;
    scan->began = true;
    for (char *folder = names_pop(&scan->later); folder; folder = names_pop(&scan->later)) {
        if (!names_push(&scan->folders, folder))
            w->err = ERR_LIMIT;
        free(folder);
    }
    take_events(w);
}

static void go_on(struct walk *w)
{
    struct ssmix2_scan *scan = w->scan;

    begin(w);
    while (!w->err && w->batch.count < w->limit) {
        char *next = names_pop(&scan->files);
        if (next) {
            take_file(w, next);
            continue;
        }
        next = names_pop(&scan->folders);
        if (!next)
            break;
        look(w, next);
        free(next);
        if (scan->files.count > 1)
            qsort(scan->files.items, scan->files.count, sizeof(*scan->files.items), by_sent);
    }
    w->batch.more = scan->files.count > 0 || scan->folders.count > 0;
    w->batch.waiting = scan->later.count > 0;
}

enum err ssmix2_scan_walk(struct ssmix2_scan *scan, unsigned limit, unsigned rest_ms,
                          struct ssmix2_batch *ret_batch)
{
    struct walk w = {.scan = scan, .limit = limit};
    struct timespec now;
    w.root = open(scan->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w.root < 0)
        return ERR_IO;
    clock_gettime(CLOCK_REALTIME, &now);
    w.rest_before_ns = ns_of(now) - (int64_t)rest_ms * 1000000;
    w.batch.files = calloc(limit, sizeof(*w.batch.files));
    if (w.batch.files)
        go_on(&w);
    else
        w.err = ERR_LIMIT;
    close(w.root);
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
