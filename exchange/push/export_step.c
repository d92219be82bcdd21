/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a bulk export (see export_step.h). A job's position is a change number while it goes through the log, and
 * from SORTING on the number of the list to be sorted: sorted by row, so that one person's records are sent together, and
 * without the versions of one millisecond that were overtaken. Everything here may be done twice: a list is written at
 * the place that its stored length says, and sorting what is sorted changes nothing.
 */
#include "exchange/push/export_step.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/door/fhir_query.h"
#include "exchange/push/export_query.h"
#include "storage/change.h"
#include "storage/person.h"

#include "base/banned.h"

#define SORTING (INT64_MAX - (int64_t)LIMIT_EXPORT_FILES - 1)

/* Lists of the job while a step works. */
struct export_lists {
    struct list {
        struct export_file file;
        struct export_line *added; /* of this step */
        size_t added_count;
        bool changed;
    } items[LIMIT_EXPORT_FILES];
    size_t count;
};

struct work {
    struct session *s;
    struct request *r;
    struct export_step *step;
    struct export_query query;
    int64_t *members; /* of a Group, ascending */
    size_t member_count;
    int64_t last_person; /* whose chart was asked for last */
    bool last_is_ours;
};

/* ── files ───────────────────────────────────────────────────────────────────────────────────── */

const char *export_step_folder(struct arena *arena, const struct exchange *x, struct slice id)
{
    return arena_printf(arena, "%s/%.*s", x->conf.export_folder, SLICE_ARG(id));
}

const char *export_step_file(struct arena *arena, const struct exchange *x, struct slice id,
                             unsigned number)
{
    return arena_printf(arena, "%s/%.*s/%u", x->conf.export_folder, SLICE_ARG(id), number);
}

void export_step_remove(struct arena *arena, const struct exchange *x, struct slice id)
{
    const char *folder = export_step_folder(arena, x, id);
    DIR *dir = folder ? opendir(folder) : NULL;
    if (!dir)
        return;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
    (void)rmdir(folder);
}

static void put_i64(unsigned char *to, int64_t value)
{
    for (int i = 7; i >= 0; i--) {
        to[i] = (unsigned char)(value & 0xff);
        value = (int64_t)((uint64_t)value >> 8);
    }
}

static int64_t get_i64(const unsigned char *from)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | from[i];
    return (int64_t)value;
}

/* LINES at line FROM of the file at PATH, durable. */
static enum err write_lines(struct arena *arena, const char *path, uint64_t from,
                            const struct export_line *lines, size_t count)
{
    unsigned char *bytes = arena_array(arena, count, EXPORT_LINE_BYTES);
    int fd = bytes && path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    size_t done = 0, size = count * EXPORT_LINE_BYTES;
    if (fd < 0)
        return bytes ? ERR_IO : ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        put_i64(bytes + i * EXPORT_LINE_BYTES, lines[i].rid);
        put_i64(bytes + i * EXPORT_LINE_BYTES + 8, lines[i].version);
    }
    while (done < size) {
        ssize_t n = pwrite(fd, bytes + done, size - done,
                           (off_t)(from * EXPORT_LINE_BYTES + done));
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    bool good = done == size && fdatasync(fd) == 0;
    good = close(fd) == 0 && good;
    return good ? ERR_OK : ERR_IO;
}

enum err export_step_read(struct arena *arena, const char *path, uint64_t from, size_t max,
                          struct export_line **ret_lines, size_t *ret_count)
{
    struct export_line *lines = arena_array(arena, max, sizeof(*lines));
    unsigned char *bytes = arena_array(arena, max, EXPORT_LINE_BYTES);
    int fd = lines && bytes && path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return lines && bytes ? ERR_IO : ERR_LIMIT;
    ssize_t n = pread(fd, bytes, max * EXPORT_LINE_BYTES, (off_t)(from * EXPORT_LINE_BYTES));
    close(fd);
    if (n < 0)
        return ERR_IO;
    size_t count = (size_t)n / EXPORT_LINE_BYTES;
    for (size_t i = 0; i < count; i++)
        lines[i] = (struct export_line){get_i64(bytes + i * EXPORT_LINE_BYTES),
                                        get_i64(bytes + i * EXPORT_LINE_BYTES + 8)};
    *ret_lines = lines;
    *ret_count = count;
    return ERR_OK;
}

/* ── what belongs to it ──────────────────────────────────────────────────────────────────────── */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Chart of a member's reference as kept: "Patient/@7". */
static enum err add_member(struct work *w, struct slice reference, size_t room)
{
    int64_t chart = 0, person = 0, facility = 0;
    if (!slice_starts(reference, SLICE("Patient/@")) ||
        !slice_i64(slice_sub(reference, 9, reference.len), &chart))
        return ERR_OK;
    enum err err = person_of_chart(w->s, chart, &person, &facility);
    if (!err && w->member_count < room)
        w->members[w->member_count++] = person;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err read_members(struct work *w)
{
    struct json_fault fault = {0};
    struct json *group = NULL;
    struct record record;
    enum err err = record_read(w->s, w->r->arena, SLICE("Group"), w->step->job.group_id, &record);
    if (!err)
        err = json_parse(w->r->arena, record.body, &group, &fault);
    if (err)
        return err;
    const struct json *list = json_get(group, "member");
    size_t room = list ? list->count : 0;
    w->members = arena_array(w->r->arena, room + 1, sizeof(*w->members));
    if (!w->members)
        return ERR_LIMIT;
    for (const struct json *m = list ? list->first : NULL; m && !err; m = m->next) {
        struct slice reference = json_str(json_get(m, "entity"), "reference");
        if (json_is_true(json_get(m, "inactive")))
            continue;
        if (slice_is(reference, "Patient/@") && record.person)
            w->members[w->member_count++] = record.person;
        else
            err = add_member(w, reference, room);
    }
    qsort(w->members, w->member_count, sizeof(*w->members), by_number);
    return err;
}

/* Is PERSON one of the facility's own patients? */
static enum err is_ours(struct work *w, int64_t person, bool *ret_is)
{
    int64_t chart = 0;
    enum err err = ERR_OK;
    if (person != w->last_person) {
        err = person_chart(w->s, w->r->grant.facility, person, &chart);
        if (err && err != ERR_NOT_FOUND)
            return err;
        w->last_person = person;
        w->last_is_ours = !err;
    }
    *ret_is = w->last_is_ours;
    return ERR_OK;
}

static enum err is_of_level(struct work *w, const struct record *record, bool *ret_is)
{
    const struct grant *g = &w->r->grant;
    *ret_is = false;
    switch (w->step->job.level) {
    case EXPORT_SYSTEM:
        *ret_is = g->actor == GRANT_OPERATOR || record->facility == g->facility;
        break;
    case EXPORT_PATIENT:
        return record->person > 0 ? is_ours(w, record->person, ret_is) : ERR_OK;
    case EXPORT_GROUP:
        *ret_is = record->person > 0 && bsearch(&record->person, w->members, w->member_count,
                                                sizeof(*w->members), by_number);
        break;
    }
    return ERR_OK;
}

static enum err passes_filters(struct work *w, const struct record *record, bool *ret_passes)
{
    bool any = false;
    *ret_passes = false;
    for (size_t i = 0; i < w->query.filter_count && !*ret_passes; i++) {
        if (!slice_eq(w->query.filters[i].type, record->type))
            continue;
        any = true;
        enum err err = search_matches(w->s, &w->query.filters[i].search, record->rid, ret_passes);
        if (err)
            return err;
    }
    *ret_passes = *ret_passes || !any;
    return ERR_OK;
}

/* One Patient per resident, as everywhere (notify.c, search). */
static enum err is_shown(struct work *w, const struct record *record, bool *ret_is)
{
    struct record shown;
    *ret_is = true;
    if (!slice_is(record->type, "Patient") || record->deleted)
        return ERR_OK;
    enum err err = record_read_patient(w->s, w->r->arena, record->person, &shown);
    *ret_is = !err && shown.rid == record->rid;
    return err == ERR_NOT_FOUND || err == ERR_GONE ? ERR_OK : err;
}

static enum err belongs(struct work *w, const struct record *record, bool *ret_does)
{
    *ret_does = false;
    if (record->deleted && !w->query.since_given)
        return ERR_OK;
    enum err err = is_of_level(w, record, ret_does);
    if (!err && *ret_does && !record->deleted)
        err = passes_filters(w, record, ret_does);
    if (!err && *ret_does)
        err = is_shown(w, record, ret_does);
    return err;
}

/* ── lists ───────────────────────────────────────────────────────────────────────────────────── */

static struct list *list_for(struct work *w, const struct record *record)
{
    struct export_lists *lists = w->step->lists;
    for (size_t i = lists->count; i > 0; i--) {
        struct list *l = &lists->items[i - 1];
        if (l->file.deleted == record->deleted && slice_eq(l->file.type, record->type) &&
            l->file.lines + l->added_count < LIMIT_EXPORT_LINES)
            return l;
    }
    if (lists->count == LIMIT_EXPORT_FILES)
        return NULL;
    struct list *l = &lists->items[lists->count++];
    l->file = (struct export_file){.number = (unsigned)lists->count,
                                   .type = record->type,
                                   .deleted = record->deleted};
    return l;
}

static enum err add_line(struct work *w, const struct record *record)
{
    struct list *l = list_for(w, record);
    if (!l)
        return ERR_TOO_LARGE;
    if (!l->added &&
        !(l->added = arena_array(w->r->arena, LIMIT_EXPORT_STEP, sizeof(*l->added))))
        return ERR_LIMIT;
    l->added[l->added_count++] = (struct export_line){record->rid, record->version};
    l->changed = true;
    return ERR_OK;
}

static enum err write_lists(struct work *w)
{
    const struct exchange *x = w->r->exchange;
    struct arena *arena = w->r->arena;
    struct slice id = w->step->job.id;
    const char *folder = export_step_folder(arena, x, id);
    enum err err = folder ? ERR_OK : ERR_LIMIT;
    if (!err) {
        (void)mkdir(x->conf.export_folder, 0700);
        (void)mkdir(folder, 0700);
    }
    for (size_t i = 0; i < w->step->lists->count && !err; i++) {
        struct list *l = &w->step->lists->items[i];
        if (!l->added_count)
            continue;
        err = write_lines(arena, export_step_file(arena, x, id, l->file.number), l->file.lines,
                          l->added, l->added_count);
        l->file.lines += l->added_count;
    }
    return err;
}

static enum err load_lists(struct work *w)
{
    struct export_file *files = NULL;
    size_t count = 0;
    struct export_lists *lists = ARENA_NEW(w->r->arena, struct export_lists);
    enum err err = lists ? export_files(w->s, w->r->arena, w->step->id, &files, &count) : ERR_LIMIT;
    for (size_t i = 0; i < count && i < LIMIT_EXPORT_FILES && !err; i++)
        lists->items[lists->count++].file = files[i];
    w->step->lists = lists;
    return err;
}

/* ── steps ───────────────────────────────────────────────────────────────────────────────────── */

static enum err scan(struct work *w)
{
    struct export_job *job = &w->step->job;
    struct change_query query = {.types = w->query.types,
                                 .type_count = w->query.type_count,
                                 .since = w->query.since_given ? change_at(w->query.since_ms + 1) : 0,
                                 .at_lo = job->snapshot_ms,
                                 .at_hi = job->snapshot_ms + 1,
                                 .oldest_first = true,
                                 .after_given = true,
                                 .after = job->position,
                                 .limit = LIMIT_EXPORT_STEP};
    struct change_result found = {0};
    enum err err = change_list(w->s, w->r->arena, &query, &found);
    bool ended = !found.more;
    for (size_t i = 0; i < found.count && !err; i++) {
        const struct record *record = &found.records[i];
        bool ours = false;
        if (change_ms(record->seq) > job->snapshot_ms) {
            ended = true;
            break;
        }
        job->position = record->seq;
        err = belongs(w, record, &ours);
        if (!err && ours)
            err = add_line(w, record);
    }
    if (!err && ended)
        job->position = SORTING;
    return err ? err : write_lists(w);
}

static int by_row(const void *a, const void *b)
{
    const struct export_line *x = a, *y = b;
    if (x->rid != y->rid)
        return x->rid < y->rid ? -1 : 1;
    return x->version < y->version ? -1 : x->version > y->version;
}

static enum err sort_list(struct work *w, struct list *l)
{
    const struct exchange *x = w->r->exchange;
    struct arena *arena = w->r->arena;
    const char *path = export_step_file(arena, x, w->step->job.id, l->file.number);
    const char *fresh = arena_printf(arena, "%s.new", path);
    struct export_line *lines = NULL;
    size_t count = 0, kept = 0;
    enum err err = export_step_read(arena, path, 0, l->file.lines, &lines, &count);
    if (err)
        return err;
    qsort(lines, count, sizeof(*lines), by_row);
    for (size_t i = 0; i < count; i++) /* of one row the last version */
        if (i + 1 == count || lines[i + 1].rid != lines[i].rid)
            lines[kept++] = lines[i];
    (void)unlink(fresh);
    err = write_lines(arena, fresh, 0, lines, kept);
    if (!err && rename(fresh, path) != 0)
        err = ERR_IO;
    l->file.lines = kept;
    l->changed = true;
    return err;
}

static enum err sort(struct work *w)
{
    struct export_job *job = &w->step->job;
    size_t at = (size_t)(job->position - SORTING);
    if (at < w->step->lists->count) {
        job->position++;
        return sort_list(w, &w->step->lists->items[at]);
    }
    job->state = EXPORT_DONE;
    job->expires_ms = w->r->grant.now_ms + (int64_t)w->r->exchange->conf.export_hours * 3600 * 1000;
    return ERR_OK;
}

static enum err step_look(struct session *s, struct request *r)
{
    struct export_step *step = r->input;
    struct work *w = ARENA_NEW(r->arena, struct work);
    enum err err = w ? export_get(s, r->arena, step->id, &step->job) : ERR_LIMIT;
    r->audit_default_off = true;
    if (err)
        return err;
    w->s = s;
    w->r = r;
    w->step = step;
    if (step->job.state != EXPORT_RUNNING)
        return ERR_GONE;
    err = load_lists(w);
    if (!err && step->job.position >= SORTING)
        return sort(w);
    if (!err)
        err = export_query_read(s, r, step->job.query, true, &w->query);
    if (!err && step->job.level == EXPORT_GROUP)
        err = read_members(w);
    return err ? err : scan(w);
}

static enum err step_apply(struct session *s, struct request *r)
{
    const struct export_step *step = r->input;
    enum err err = export_step(s, &step->job);
    for (size_t i = 0; i < step->lists->count && !err; i++)
        if (step->lists->items[i].changed)
            err = export_put_file(s, step->id, &step->lists->items[i].file);
    return err;
}

/* Cancelled under way: what this step wrote goes too. */
static enum err step_refused(struct session *s, struct request *r)
{
    const struct export_step *step = r->input;
    (void)s;
    if (r->job.err == ERR_NOT_FOUND)
        export_step_remove(r->arena, r->exchange, step->id);
    return ERR_OK;
}

#define CALLERS ((1u << GRANT_FACILITY) | (1u << GRANT_OPERATOR))

const struct use export_step_use = {.event = "export-step",
                                    .actors = CALLERS,
                                    .writes = true,
                                    .look = step_look,
                                    .apply = step_apply,
                                    .refused = step_refused};

/* ── all of them, and their end ──────────────────────────────────────────────────────────────── */

static enum err jobs_look(struct session *s, struct request *r)
{
    struct export_jobs *in = r->input;
    return export_list(s, r->arena, &in->jobs, &in->count);
}

const struct use export_jobs_use = {.event = "export-jobs", .anyone = true, .look = jobs_look};

static enum err end_look(struct session *s, struct request *r)
{
    const struct export_end *in = r->input;
    (void)s;
    export_step_remove(r->arena, r->exchange, in->id);
    r->audit_default_off = true;
    return ERR_OK;
}

static enum err end_apply(struct session *s, struct request *r)
{
    const struct export_end *in = r->input;
    struct export_job job;
    if (!in->reason)
        return export_drop(s, in->id);
    enum err err = export_get(s, r->arena, in->id, &job);
    if (err)
        return err;
    job.state = EXPORT_FAILED;
    job.reason = slice_str(in->reason);
    job.expires_ms = r->grant.now_ms + (int64_t)r->exchange->conf.export_hours * 3600 * 1000;
    return export_step(s, &job);
}

const struct use export_end_use = {
    .event = "export-end", .actors = CALLERS, .writes = true, .look = end_look, .apply = end_apply};
