/* SPDX-License-Identifier: Apache-2.0
 *
 * index ssmix2 ROOT: the storage's index (SSMIXIDX, guide section 1.10) made anew from its tree, as
 * tab-separated text ROOT/SSMIXIDX.tsv with the standard's columns; --check reads the one there and
 * says in what it differs. The tree is what counts: nothing else here reads an index. Standard and
 * extended storages alike.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/files.h"
#include "exchange/cli/index_ssmix2.h"
#include "mappers/ssmix2/extended.h"
#include "mappers/ssmix2/path.h"

#include "base/banned.h"

#define NAME "SSMIXIDX.tsv"
#define LABEL "STD01"
#define INDEX_MAX (1024u * (size_t)LIMIT_MIB)
#define HEAD                                                                                       \
    "VolumeLabel\tFacilityID\tPatientID\tOrderDate\tDataKind\tOrderNo\tProcessingType\t"           \
    "EnterOrgCD\tTransactionDatetime\tOutRelDirectory\tFileName\tUpdateDatetime\n"

struct index {
    struct slice label, facility;
    size_t root_len;
    struct buf text;
    char last[LIMIT_SSMIX2_PATH * 2]; /* content folder already entered */
    unsigned rows, skipped;
};

struct row {
    struct slice patient, date, kind, order, department, sent, folder, name;
    bool deleted;
};

static void put(struct buf *out, struct slice text)
{
    buf_add(out, text.len > 0 ? text : SLICE("-"));
    buf_addc(out, '\t');
}

static void put_row(struct index *x, const struct row *row, int64_t updated_ms)
{
    const struct slice cells[] = {x->label,
                                  x->facility,
                                  row->patient,
                                  row->date,
                                  row->kind,
                                  row->order,
                                  row->deleted ? SLICE("DEL") : SLICE("INS"),
                                  row->department,
                                  row->sent,
                                  row->folder,
                                  row->name};

    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        put(&x->text, cells[i]);
    when_print_stamp(&x->text, updated_ms);
    buf_addc(&x->text, '\n');
    x->rows++;
}

/* The folder of PATH and the name below it, cut at the N-th slash. */
static void cut_at(struct slice path, unsigned n, struct row *row)
{
    size_t at = 0;

    for (unsigned i = 0; i < n; i++)
        at = slice_find(path, '/', at) + 1;
    row->folder = slice_sub(path, 0, at - 1);
    row->name = slice_sub(path, at, path.len);
}

static bool read_path(struct arena *arena, struct slice path, struct row *ret_row)
{
    struct err_list dropped;
    struct ssmix2_path p;
    struct extended_path e;

    err_list_init(&dropped, arena);
    if (!extended_is(path)) {
        if (ssmix2_parse(path, &dropped, &p) != ERR_OK)
            return false;
        *ret_row = (struct row){p.patient_id, p.care_date,  p.kind,
                                p.order_no,   p.department, p.sent_at,
                                SLICE_NONE,   SLICE_NONE,   p.flag == SSMIX2_DELETED};
        cut_at(path, 5, ret_row);
        return true;
    }
    if (extended_parse(arena, path, &dropped, &e) != ERR_OK)
        return false;
    *ret_row = (struct row){e.patient_id, e.care_date,  SLICE_NONE,
                            e.key,        e.department, e.sent_at,
                            SLICE_NONE,   SLICE_NONE,   e.flag == SSMIX2_DELETED};
    cut_at(path, 5, ret_row);
    ret_row->name = slice_sub(ret_row->name, 0, slice_find(ret_row->name, '/', 0));
    size_t kind = ret_row->folder.len;
    while (kind > 0 && ret_row->folder.ptr[kind - 1] != '/')
        kind--;
    ret_row->kind = slice_sub(ret_row->folder, kind, ret_row->folder.len);
    return true;
}

/* A content folder is one row however many files it has. */
static bool is_repeated(struct index *x, const struct row *row)
{
    char now[sizeof(x->last)];

    snprintf(now, sizeof(now), "%.*s/%.*s", SLICE_ARG(row->folder), SLICE_ARG(row->name));
    if (strcmp(now, x->last) == 0)
        return true;
    memcpy(x->last, now, sizeof(now));
    return false;
}

static enum err index_one(void *context, const char *path)
{
    struct index *x = context;
    struct slice relative = slice_str(path + x->root_len);
    struct arena *arena = arena_new(LIMIT_MIB);
    struct stat st;
    struct row row = {0};

    if (!arena)
        return ERR_LIMIT;
    if (ssmix2_is_aside(relative))
        row = (struct row){0};
    else if (stat(path, &st) != 0 || !read_path(arena, relative, &row))
        x->skipped++;
    else if (!is_repeated(x, &row))
        put_row(x, &row, (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
    arena_free(arena);
    return buf_err(&x->text);
}

static enum err write_index(const char *root, struct slice text)
{
    char path[4096], hidden[4096];
    int n = snprintf(path, sizeof(path), "%s/" NAME, root);
    int m = snprintf(hidden, sizeof(hidden), "%s/." NAME, root);
    int fd = n > 0 && m > 0 && (size_t)m < sizeof(hidden)
                 ? open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)
                 : -1;
    size_t done = 0;

    while (fd >= 0 && done < text.len) {
        ssize_t written = write(fd, text.ptr + done, text.len - done);
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    bool good = fd >= 0 && done == text.len && fsync(fd) == 0;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good && rename(hidden, path) == 0 ? ERR_OK : ERR_IO;
}

static int compare_lines(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Lines of TEXT without their last column, which is when the row was made; sorted. */
static size_t lines_of(struct slice text, struct slice **ret_lines)
{
    size_t count = 0, room = 1;

    for (size_t i = 0; i < text.len; i++)
        room += text.ptr[i] == '\n';
    *ret_lines = calloc(room, sizeof(**ret_lines));
    for (struct slice rest = text; *ret_lines && rest.len > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        size_t end = line.len;
        while (end > 0 && line.ptr[end - 1] != '\t')
            end--;
        if (end > 0)
            (*ret_lines)[count++] = slice_sub(line, 0, end);
    }
    if (count > 1)
        qsort(*ret_lines, count, sizeof(**ret_lines), compare_lines);
    return count;
}

static unsigned say_difference(struct slice stored, struct slice actual)
{
    struct slice *a = NULL, *b = NULL;
    size_t na = lines_of(stored, &a), nb = lines_of(actual, &b), i = 0, j = 0;
    unsigned differences = 0;

    while (a && b && (i < na || j < nb)) {
        int order = i == na ? 1 : j == nb ? -1 : slice_cmp(a[i], b[j]);
        if (order != 0) {
            struct slice line = order < 0 ? a[i] : b[j];
            (void)printf("%s %.*s\n", order < 0 ? "-" : "+", SLICE_ARG(line));
            differences++;
        }
        i += order <= 0;
        j += order >= 0;
    }
    free(a);
    free(b);
    return differences;
}

static int check(const struct args *args, struct index *x, const char *root)
{
    char path[4096];
    struct buf stored;
    unsigned differences = 0;
    int n = snprintf(path, sizeof(path), "%s/" NAME, root);
    enum err err = n > 0 && (size_t)n < sizeof(path) ? ERR_OK : ERR_TOO_LARGE;

    buf_init(&stored, INDEX_MAX);
    if (!err)
        err = files_read(path, &stored);
    if (!err)
        differences = say_difference(buf_slice(&stored), buf_slice(&x->text));
    buf_fini(&stored);
    if (err)
        return cli_fail(args, err, path);
    return differences > 0 ? CLI_INVALID : CLI_OK;
}

/* All rows of ROOT into X; its text is the caller's to end. */
static enum err make_index(struct index *x, const char *root)
{
    size_t len = strlen(root);

    x->root_len = len > 0 && root[len - 1] == '/' ? len : len + 1;
    buf_init(&x->text, INDEX_MAX);
    buf_adds(&x->text, HEAD);
    return files_walk(root, index_one, x);
}

enum err index_ssmix2_write(const char *root, struct slice code)
{
    struct index x = {.label = SLICE(LABEL), .facility = code};
    enum err err = make_index(&x, root);

    if (!err)
        err = write_index(root, buf_slice(&x.text));
    buf_fini(&x.text);
    return err;
}

bool index_ssmix2_is_newer(const char *root, const char *name)
{
    struct stat index, other;
    int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool newer = dir >= 0 && fstatat(dir, NAME, &index, 0) == 0 &&
                 fstatat(dir, name, &other, 0) == 0 &&
                 (index.st_mtim.tv_sec > other.st_mtim.tv_sec ||
                  (index.st_mtim.tv_sec == other.st_mtim.tv_sec &&
                   index.st_mtim.tv_nsec >= other.st_mtim.tv_nsec));

    if (dir >= 0)
        close(dir);
    return newer;
}

int cli_index_ssmix2(const struct args *args)
{
    const char *root = args->operands[0];
    struct index x = {.label = slice_str(args_value(args, "label")),
                      .facility = slice_str(args_value(args, "code"))};
    enum err err;
    int code = CLI_OK;

    if (x.label.len == 0)
        x.label = SLICE(LABEL);
    err = make_index(&x, root);
    if (err)
        code = cli_fail(args, err, root);
    else if (args_flag(args, "check"))
        code = check(args, &x, root);
    else if ((err = write_index(root, buf_slice(&x.text))) != ERR_OK)
        code = cli_fail(args, err, root);
    (void)fprintf(stderr,
                  args->ja ? "%u 行、規則に合わないファイル %u 件\n"
                           : "%u rows, %u files without a place in it\n",
                  x.rows, x.skipped);
    buf_fini(&x.text);
    return code;
}
