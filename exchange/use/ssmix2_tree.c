/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing a standard storage (see ssmix2_tree.h). Order for each patient: all new files under
 * hidden names, one sync of the file system, then the renames; another sync comes before the number
 * of the change is noted. A registration turns the old file into history before it takes its name,
 * so that no key ever has two valid files; a cancellation takes its name first, because from then
 * on the old files alone tell a next run that they still have to be invalidated. Hidden names are
 * no part of the standard and skipped by every reader; what is left of them is removed, also when
 * writing fails.
 */
#include "exchange/use/ssmix2_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/when.h"
#include "mappers/ssmix2/write.h"
#include "mappers/ssmix2/path.h"

#include "base/banned.h"

#define TEMPORARY ".tasuki-new"
#define FILES_MAX 200000u

struct entry {
    struct slice path; /* relative to the root; its last byte is the flag */
    struct slice key;  /* patient_date_kind_order: the file name's first four parts */
    bool wanted;
};

/* A new file under a hidden name, and what happens to others of its key when it gets its own. */
struct staged {
    struct slice path;
    const char *hidden;
    const char *from; /* flags that change */
    char to;          /* into this */
    bool placed;
};

struct tree {
    int root;
    struct arena *arena;
    struct entry *entries;
    size_t count;
    struct staged *staged;
    size_t staged_count, staged_room;
    struct ssmix2_tree_counts *counts;
};

/* ── small files ─────────────────────────────────────────────────────────────────────────────── */

static enum err write_whole(int dir, const char *name, struct slice bytes)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    size_t done = 0;

    while (fd >= 0 && done < bytes.len) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    bool good = fd >= 0 && done == bytes.len;
    int why = errno;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    if (!good && fd >= 0)
        (void)unlinkat(dir, name, 0);
    errno = why;
    return good ? ERR_OK : ERR_IO;
}

static enum err read_whole(struct arena *arena, int dir, const char *name, struct slice *ret_bytes)
{
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    enum err err = ERR_IO;
    char *bytes = NULL;

    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= LIMIT_SSMIX2_FILE) {
        bytes = arena_alloc(arena, (size_t)st.st_size + 1);
        err = bytes ? ERR_OK : ERR_LIMIT;
    }
    if (!err && read(fd, bytes, (size_t)st.st_size) != st.st_size)
        err = ERR_IO;
    close(fd);
    if (!err)
        *ret_bytes = slice_of(bytes, (size_t)st.st_size);
    return err;
}

/* ── folders ─────────────────────────────────────────────────────────────────────────────────── */

static struct slice folder_of(struct slice path)
{
    size_t n = path.len;

    while (n > 0 && path.ptr[n - 1] != '/')
        n--;
    return slice_sub(path, 0, n > 0 ? n - 1 : 0);
}

/* Opens the folder of PATH below the root; with MAKE, makes what is missing. */
static int open_folder(struct tree *t, struct slice path, bool make)
{
    struct slice rest = folder_of(path);
    int at = dup(t->root);

    while (at >= 0 && rest.ptr && rest.len > 0) {
        const char *name = arena_str(t->arena, slice_cut(&rest, '/'));
        int next = -1;
        if (name && make)
            (void)mkdirat(at, name, 0750); /* what is wrong with it, opening it says */
        if (name)
            next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        close(at);
        at = next;
    }
    return at;
}

static const char *name_of(struct tree *t, struct slice path)
{
    size_t folder = folder_of(path).len;
    const char *name = arena_str(t->arena, slice_sub(path, folder + 1, path.len));

    return name ? name : "";
}

/* patient_date_kind_order of a file name. */
static struct slice key_of(struct slice path)
{
    struct slice name = slice_sub(path, folder_of(path).len + 1, path.len);
    size_t at = 0;

    for (unsigned i = 0; i < 4; i++)
        at = slice_find(name, '_', at) + 1;
    return slice_sub(name, 0, at - 1);
}

static char flag_of(const struct entry *e)
{
    return e->path.ptr[e->path.len - 1];
}

/* ── what is there ───────────────────────────────────────────────────────────────────────────── */

static enum err add_entry(struct tree *t, const char *folder, const char *name)
{
    struct slice path = slice_str(arena_printf(t->arena, "%s/%s", folder, name));
    struct ssmix2_path parts;
    struct err_list dropped;

    err_list_init(&dropped, t->arena);
    if (ssmix2_parse(path, &dropped, &parts) != ERR_OK)
        return ERR_OK; /* not ours: left alone */
    if (t->count == FILES_MAX)
        return ERR_TOO_LARGE;
    t->entries[t->count++] = (struct entry){.path = path, .key = key_of(path)};
    return ERR_OK;
}

/* Walks DEPTH levels below FOLDER: care date, kind, files. */
static enum err list(struct tree *t, const char *folder, unsigned depth)
{
    int fd = openat(t->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    enum err err = ERR_OK;

    if (!dir) {
        bool absent = fd < 0 && errno == ENOENT;
        if (fd >= 0)
            close(fd);
        return absent ? ERR_OK : ERR_IO;
    }
    for (struct dirent *e = readdir(dir); e && !err; e = readdir(dir)) {
        if (strncmp(e->d_name, TEMPORARY, strlen(TEMPORARY)) == 0 && depth == 0)
            (void)unlinkat(dirfd(dir), e->d_name, 0); /* of a run that was stopped */
        if (e->d_name[0] == '.')
            continue;
        if (depth == 0)
            err = add_entry(t, folder, e->d_name);
        else if (e->d_type == DT_DIR)
            err = list(t, arena_printf(t->arena, "%s/%s", folder, e->d_name), depth - 1);
    }
    closedir(dir);
    return err;
}

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = slice_cmp(x->key, y->key);

    return order != 0 ? order : slice_cmp(x->path, y->path);
}

/* The first entry of KEY, and behind the last: entries are in order of their keys. */
static struct entry *entries_of(struct tree *t, struct slice key, struct entry **ret_end)
{
    size_t from = 0, to = t->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (slice_cmp(t->entries[middle].key, key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    while (to < t->count && slice_eq(t->entries[to].key, key))
        to++;
    *ret_end = t->entries + to;
    return t->entries + from;
}

/* ── changing it ─────────────────────────────────────────────────────────────────────────────── */

/* Gives E the flag FLAG by renaming it. */
static enum err reflag(struct tree *t, int dir, struct entry *e, char flag)
{
    char *to = arena_str(t->arena, e->path);
    enum err err = ERR_OK;

    if (!to)
        return ERR_LIMIT;
    to[e->path.len - 1] = flag;
    struct slice path = slice_of(to, e->path.len);
    if (renameat(dir, name_of(t, e->path), dir, name_of(t, path)) != 0)
        err = ERR_IO;
    e->path = path;
    return err;
}

static enum err reflag_key(struct tree *t, int dir, struct slice key, struct slice but,
                           const char *from, char to)
{
    enum err err = ERR_OK;

    for (struct entry *end, *e = entries_of(t, key, &end); e < end && !err; e++) {
        if (strchr(from, flag_of(e)) && !slice_eq(e->path, but))
            err = reflag(t, dir, e, to);
    }
    return err;
}

/* Writes BYTES under a hidden name where PATH will be. */
static enum err stage(struct tree *t, struct slice path, struct slice bytes, const char *from,
                      char to)
{
    struct staged *staged = &t->staged[t->staged_count];
    int dir = t->staged_count < t->staged_room ? open_folder(t, path, true) : -1;
    enum err err = ERR_IO;

    if (dir < 0)
        return err;
    staged->hidden = arena_printf(t->arena, TEMPORARY "-%zu", t->staged_count);
    staged->path = arena_dup(t->arena, path);
    staged->from = from;
    staged->to = to;
    err = staged->hidden ? write_whole(dir, staged->hidden, bytes) : ERR_LIMIT;
    close(dir);
    t->staged_count += !err;
    return err;
}

static enum err take_name(struct tree *t, int dir, const struct staged *staged)
{
    return renameat(dir, staged->hidden, dir, name_of(t, staged->path)) == 0 ? ERR_OK : ERR_IO;
}

/* INS: the old one becomes history, then the new one gets its name. DEL the other way round. */
static enum err put_in_place(struct tree *t, struct staged *staged)
{
    int dir = open_folder(t, staged->path, false);
    bool deletes = staged->to == '0';
    enum err err = dir >= 0 ? ERR_OK : ERR_IO;

    if (!err && deletes)
        err = take_name(t, dir, staged);
    if (!err)
        err = reflag_key(t, dir, key_of(staged->path), staged->path, staged->from, staged->to);
    if (!err && !deletes)
        err = take_name(t, dir, staged);
    if (dir >= 0)
        close(dir);
    staged->placed = !err;
    return err;
}

/* What did not come into place leaves nothing behind. */
static void clean_up(struct tree *t)
{
    int why = errno;

    for (size_t i = 0; i < t->staged_count; i++) {
        int dir = t->staged[i].placed ? -1 : open_folder(t, t->staged[i].path, false);
        if (dir < 0)
            continue;
        (void)unlinkat(dir, t->staged[i].hidden, 0);
        close(dir);
    }
    errno = why;
}

static enum err same_there(struct tree *t, const struct ssmix2_tree_file *file, bool *ret_same)
{
    struct slice bytes = SLICE_NONE;
    struct arena *spare = arena_new(LIMIT_SSMIX2_FILE + LIMIT_MIB);
    int dir = spare ? open_folder(t, file->path, false) : -1;
    enum err err = !spare ? ERR_LIMIT : ERR_NOT_FOUND;

    if (dir >= 0)
        err = read_whole(spare, dir, name_of(t, file->path), &bytes);
    if (dir >= 0)
        close(dir);
    *ret_same = !err && slice_eq(bytes, file->bytes);
    arena_free(spare);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err want(struct tree *t, const struct ssmix2_tree_file *file)
{
    struct slice key = key_of(file->path);
    bool valid = slice_ends(file->path, SLICE("1")), same = false, other = false;
    enum err err = ERR_OK;

    for (struct entry *end, *e = entries_of(t, key, &end); e < end; e++) {
        e->wanted = true;
        other = other || (!slice_eq(e->path, file->path) &&
                          (flag_of(e) == '1' || (!valid && flag_of(e) == '2')));
    }
    err = same_there(t, file, &same);
    if (err)
        return err;
    if (same && !other) {
        t->counts->same++;
        return ERR_OK;
    }
    t->counts->written++;
    t->counts->replaced += other && valid;
    t->counts->deleted += other && !valid;
    return stage(t, file->path, file->bytes, valid ? "1" : "12", valid ? '2' : '0');
}

/* The time of sending in a file's name. */
static struct slice sent_of(struct slice path)
{
    struct slice name = slice_sub(path, folder_of(path).len + 1, path.len), part = SLICE_NONE;

    for (unsigned i = 0; i < 5; i++)
        part = slice_cut(&name, '_');
    return part;
}

/* A cancellation that is there already, of a run that was stopped before all had its flag. */
static const struct entry *cancelled_by(struct tree *t, const struct entry *e)
{
    for (struct entry *end, *other = entries_of(t, e->key, &end); other < end; other++) {
        if (flag_of(other) == '0' && slice_cmp(sent_of(other->path), sent_of(e->path)) > 0)
            return other;
    }
    return NULL;
}

static enum err complete_drop(struct tree *t, const struct entry *e, const struct entry *by)
{
    int dir = open_folder(t, e->path, false);
    enum err err = dir >= 0 ? reflag_key(t, dir, e->key, by->path, "12", '0') : ERR_IO;

    if (dir >= 0)
        close(dir);
    t->counts->deleted += !err;
    return err;
}

/* DEL: a cancelling message with flag 0, then all of the key get that flag. */
static enum err drop(struct tree *t, struct entry *e, int64_t now_ms)
{
    struct ssmix2_path parts;
    struct err_list dropped;
    struct hl7_message *m = NULL;
    struct slice bytes = SLICE_NONE;
    struct buf text, coded, path;
    size_t replaced = 0;
    int dir = open_folder(t, e->path, false);
    enum err err = dir >= 0 ? read_whole(t->arena, dir, name_of(t, e->path), &bytes) : ERR_IO;

    if (dir >= 0)
        close(dir);
    if (err)
        return err;
    err_list_init(&dropped, t->arena);
    buf_init(&text, 4u * LIMIT_SSMIX2_FILE);
    buf_init(&coded, 4u * LIMIT_SSMIX2_FILE);
    buf_init(&path, LIMIT_SSMIX2_PATH);
    err = ssmix2_parse(e->path, &dropped, &parts);
    if (!err)
        err = hl7_lex(t->arena, bytes, &dropped, &m);
    if (!err)
        err = write_cancel(m, arena_str(t->arena, parts.kind), &text);
    if (!err)
        err = write_encode(buf_slice(&text), &coded, &replaced);
    buf_add(&path, folder_of(e->path));
    buf_addf(&path, "/%.*s_", SLICE_ARG(e->key));
    when_print_stamp(&path, now_ms);
    buf_addf(&path, "_%.*s_0", SLICE_ARG(parts.department));
    if (!err)
        err = stage(t, buf_slice(&path), buf_slice(&coded), "12", '0');
    buf_fini(&text);
    buf_fini(&coded);
    buf_fini(&path);
    t->counts->deleted++;
    return err;
}

enum err ssmix2_tree_sync(const char *root, struct slice local_no,
                          const struct ssmix2_tree_file *files, size_t count, int64_t now_ms,
                          struct ssmix2_tree_counts *counts)
{
    struct tree t = {.arena = arena_new(LIMIT_ARENA_CHART), .counts = counts};
    enum err err = ERR_LIMIT;

    t.root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t.root < 0 || !t.arena) {
        arena_free(t.arena);
        if (t.root >= 0)
            close(t.root);
        return t.arena ? ERR_IO : ERR_LIMIT;
    }
    t.entries = arena_array(t.arena, FILES_MAX, sizeof(*t.entries));
    struct slice first = slice_sub(local_no, 0, 3), second = slice_sub(local_no, 3, 3);
    const char *folder = arena_printf(t.arena, "%.*s/%.*s/%.*s", SLICE_ARG(first),
                                      SLICE_ARG(second), SLICE_ARG(local_no));
    if (t.entries && folder)
        err = list(&t, folder, 2);
    if (t.count > 1)
        qsort(t.entries, t.count, sizeof(*t.entries), by_key);
    t.staged_room = count + t.count;
    t.staged = arena_array(t.arena, t.staged_room + 1, sizeof(*t.staged));
    if (!t.staged)
        err = ERR_LIMIT;
    for (size_t i = 0; i < count && !err; i++)
        err = want(&t, &files[i]);
    for (size_t i = 0; i < t.count && !err; i++) {
        const struct entry *by = NULL;
        if (flag_of(&t.entries[i]) != '1' || t.entries[i].wanted)
            continue;
        by = cancelled_by(&t, &t.entries[i]);
        err = by ? complete_drop(&t, &t.entries[i], by) : drop(&t, &t.entries[i], now_ms);
    }
    if (!err && t.staged_count > 0 && syncfs(t.root) != 0)
        err = ERR_IO;
    for (size_t i = 0; i < t.staged_count && !err; i++)
        err = put_in_place(&t, &t.staged[i]);
    if (err)
        clean_up(&t);
    if (err == ERR_IO)
        counts->os_error = errno;
    close(t.root);
    arena_free(t.arena);
    return err;
}

/* ── state ───────────────────────────────────────────────────────────────────────────────────── */

static bool is_empty(int root)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool empty = true;

    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        empty = empty && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                          strcmp(e->d_name, TEMPORARY) == 0); /* stopped before it began */
    if (dir)
        closedir(dir);
    return dir && empty;
}

/* "tasuki ssmix2 export 1\nWHAT\nNUMBER\n" */
static enum err read_state(struct arena *arena, int root, const char *what, int64_t *ret_after)
{
    struct slice text = SLICE_NONE;
    enum err err = read_whole(arena, root, SSMIX2_TREE_STATE, &text);

    if (err)
        return err;
    bool ours = slice_is(slice_cut(&text, '\n'), "tasuki ssmix2 export 1") &&
                slice_is(slice_cut(&text, '\n'), what);
    return ours && slice_i64(slice_cut(&text, '\n'), ret_after) ? ERR_OK : ERR_CONFLICT;
}

enum err ssmix2_tree_open(const char *root, const char *what, int64_t *ret_after, int *ret_lock)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    int64_t after = 0;
    int fd = -1;
    enum err err = ERR_IO;

    if (arena && (mkdir(root, 0750) == 0 || errno == EEXIST))
        fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO;
    else if (fd >= 0)
        err = read_state(arena, fd, what, &after);
    if (err == ERR_NOT_FOUND)
        err = is_empty(fd) ? ssmix2_tree_note(root, what, 0) : ERR_CONFLICT;
    if (fd >= 0 && err)
        close(fd);
    arena_free(arena);
    if (err)
        return err;
    *ret_after = after;
    *ret_lock = fd;
    return ERR_OK;
}

enum err ssmix2_tree_note(const char *root, const char *what, int64_t after)
{
    struct buf text;
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err err = ERR_IO;

    buf_init(&text, LIMIT_KIB);
    buf_addf(&text, "tasuki ssmix2 export 1\n%s\n%" PRId64 "\n", what, after);
    if (fd >= 0 && !buf_err(&text))
        err = write_whole(fd, TEMPORARY, buf_slice(&text));
    if (!err && syncfs(fd) != 0) /* all that the number stands for, before the number */
        err = ERR_IO;
    if (!err && (renameat(fd, TEMPORARY, fd, SSMIX2_TREE_STATE) != 0 || fsync(fd) != 0))
        err = ERR_IO;
    int why = errno;
    if (fd >= 0 && err)
        (void)unlinkat(fd, TEMPORARY, 0);
    if (fd >= 0)
        close(fd);
    errno = why;
    buf_fini(&text);
    return err;
}
