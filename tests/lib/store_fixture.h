/* SPDX-License-Identifier: Apache-2.0
 *
 * A store in a folder of its own for one test, with a clock the test moves, and short ways to run
 * a step on its threads, to make facilities, persons and charts, and to put records. Everything
 * fails the test at the spot. Include after cmocka.h.
 */
#ifndef TESTS_LIB_STORE_FIXTURE_H
#define TESTS_LIB_STORE_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "storage/audit.h"
#include "storage/consent.h"
#include "storage/person.h"
#include "storage/record.h"
#include "storage/registry.h"
#include "storage/search.h"
#include "storage/store.h"

#define FIXTURE_NOW INT64_C(1795334400000) /* 2026-11-22T17:00+09:00 */

struct fixture_clock {
    struct clock clock;
    int64_t ms;
};

struct fixture {
    char folder[64];
    char path[96];
    char checkpoint[96];
    unsigned char key[32];
    struct fixture_clock clock;
    struct store *store;
    struct arena *arena;
};

static inline int64_t fixture_now(const struct clock *clock)
{
    return ((const struct fixture_clock *)(const void *)clock)->ms;
}

static inline enum err fixture_try_open(struct fixture *f, unsigned readers)
{
    const struct store_options options = {.path = f->path,
                                          .checkpoint_path = f->checkpoint,
                                          .key = f->key,
                                          .readers = readers,
                                          .clock = &f->clock.clock};
    return store_open(&options, &f->store);
}

static inline void fixture_new(struct fixture *f)
{
    *f = (struct fixture){.folder = "/tmp/tasuki-store-XXXXXX",
                          .clock = {{fixture_now}, FIXTURE_NOW}};
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/store.db", f->folder);
    (void)snprintf(f->checkpoint, sizeof f->checkpoint, "%s/heads.txt", f->folder);
    memset(f->key, 7, sizeof f->key);
    f->arena = arena_new(LIMIT_ARENA_REQUEST);
    assert_non_null(f->arena);
}

static inline void fixture_open(struct fixture *f)
{
    fixture_new(f);
    assert_int_equal(fixture_try_open(f, 2), ERR_OK);
}

static inline void fixture_remove(struct fixture *f)
{
    DIR *dir = opendir(f->folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[400];
        (void)snprintf(path, sizeof path, "%s/%s", f->folder, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(dir);
    assert_int_equal(rmdir(f->folder), 0);
}

static inline void fixture_close(struct fixture *f)
{
    store_close(f->store);
    fixture_remove(f);
    arena_free(f->arena);
}

/* ── steps ─────────────────────────────────────────────────────────────────────────────────── */

typedef enum err (*fixture_cb)(struct session *s, void *context);

struct fixture_job {
    struct store_job job;
    fixture_cb look, apply, audit;
    void *context;
};

static inline enum err fixture_look(struct session *s, struct store_job *job)
{
    struct fixture_job *fj = (struct fixture_job *)(void *)job;
    return fj->look(s, fj->context);
}
static inline enum err fixture_apply(struct session *s, struct store_job *job)
{
    struct fixture_job *fj = (struct fixture_job *)(void *)job;
    return fj->apply(s, fj->context);
}
static inline enum err fixture_audit(struct session *s, struct store_job *job)
{
    struct fixture_job *fj = (struct fixture_job *)(void *)job;
    if (fj->audit)
        return fj->audit(s, fj->context);
    const struct audit_row row = {.event = "test", .outcome = job->err, .door = "test"};
    return audit_append(s, &row);
}

static inline struct fixture_job fixture_job(fixture_cb look, fixture_cb apply, fixture_cb audit,
                                             void *context)
{
    return (struct fixture_job){.job = {.look = look ? fixture_look : NULL,
                                        .apply = apply ? fixture_apply : NULL,
                                        .audit = fixture_audit},
                                .look = look,
                                .apply = apply,
                                .audit = audit,
                                .context = context};
}

static inline enum err fixture_read(struct fixture *f, fixture_cb look, void *context)
{
    struct fixture_job job = fixture_job(look, NULL, NULL, context);
    return store_run(f->store, &job.job);
}
static inline enum err fixture_write(struct fixture *f, fixture_cb apply, void *context)
{
    struct fixture_job job = fixture_job(NULL, apply, NULL, context);
    return store_run(f->store, &job.job);
}

/* ── grants ────────────────────────────────────────────────────────────────────────────────── */

static inline struct grant fixture_facility(int64_t facility, enum grant_purpose purpose)
{
    return (struct grant){.magic = GRANT_MAGIC,
                          .actor = GRANT_FACILITY,
                          .facility = facility,
                          .purpose = purpose,
                          .may_write = true,
                          .now_ms = FIXTURE_NOW};
}
static inline struct grant fixture_resident(int64_t person)
{
    return (struct grant){.magic = GRANT_MAGIC,
                          .actor = GRANT_RESIDENT,
                          .person = person,
                          .purpose = GRANT_PATRQT,
                          .may_write = true,
                          .now_ms = FIXTURE_NOW};
}
static inline struct grant fixture_actor(enum grant_actor actor, int64_t facility)
{
    struct grant grant = fixture_facility(facility, GRANT_TREAT);
    grant.actor = actor;
    return grant;
}

/* ── people and records ────────────────────────────────────────────────────────────────────── */

struct fixture_seed {
    int64_t facility, person, chart;
    enum facility_kind kind;
};

static inline enum err fixture_seed_facility(struct session *s, void *context)
{
    struct fixture_seed *seed = context;
    char key[32], code[16];
    (void)snprintf(key, sizeof key, "f%lld", (long long)seed->facility);
    (void)snprintf(code, sizeof code, "13%08lld", (long long)seed->facility);
    const struct facility facility = {.key = slice_str(key),
                                      .code = slice_str(code),
                                      .name = SLICE("A facility"),
                                      .kind = seed->kind,
                                      .active = true};
    return registry_put_facility(s, &facility, &seed->facility);
}
/* A facility; N tells them apart. */
static inline int64_t fixture_add_facility(struct fixture *f, int n, enum facility_kind kind)
{
    struct fixture_seed seed = {.facility = n, .kind = kind};
    assert_int_equal(fixture_write(f, fixture_seed_facility, &seed), ERR_OK);
    return seed.facility;
}

static inline enum err fixture_seed_person(struct session *s, void *context)
{
    struct fixture_seed *seed = context;
    const struct person_claim claim = {.name = SLICE("name")};
    return person_register(s, &claim, &seed->person);
}
static inline int64_t fixture_add_person(struct fixture *f)
{
    struct fixture_seed seed = {0};
    assert_int_equal(fixture_write(f, fixture_seed_person, &seed), ERR_OK);
    return seed.person;
}

static inline enum err fixture_seed_chart(struct session *s, void *context)
{
    struct fixture_seed *seed = context;
    return person_open_chart(s, seed->facility, seed->person, &seed->chart);
}
static inline int64_t fixture_add_chart(struct fixture *f, int64_t facility, int64_t person)
{
    struct fixture_seed seed = {.facility = facility, .person = person};
    assert_int_equal(fixture_write(f, fixture_seed_chart, &seed), ERR_OK);
    return seed.chart;
}

struct fixture_put {
    struct grant grant;
    struct record_new record;
    int64_t expect;
    struct record_mark mark;
};
static inline enum err fixture_put_step(struct session *s, void *context)
{
    struct fixture_put *put = context;
    session_bind(s, &put->grant);
    return record_put(s, &put->record, put->expect, &put->mark);
}
static inline enum err fixture_try_put(struct fixture *f, struct fixture_put *put)
{
    return fixture_write(f, fixture_put_step, put);
}
/* A record of FACILITY in CHART; answers its rid. */
static inline int64_t fixture_put(struct fixture *f, int64_t facility,
                                  const struct record_new *record)
{
    struct fixture_put put = {.grant = fixture_facility(facility, GRANT_TREAT), .record = *record};
    assert_int_equal(fixture_try_put(f, &put), ERR_OK);
    return put.mark.rid;
}

struct fixture_rules {
    int64_t chart, rid;
    const struct consent_rule *rules;
    size_t count;
};
static inline enum err fixture_rules_step(struct session *s, void *context)
{
    struct fixture_rules *fr = context;
    return consent_put_rules(s, fr->chart, fr->rid, fr->rules, fr->count);
}
/* The rules of the N-th Consent in CHART. */
static inline void fixture_rules(struct fixture *f, int64_t chart, int n,
                                 const struct consent_rule *rules, size_t count)
{
    struct fixture_rules fr = {chart, (int64_t)((uint64_t)chart << 32) + 1000 + n, rules, count};
    assert_int_equal(fixture_write(f, fixture_rules_step, &fr), ERR_OK);
}

struct fixture_search {
    const struct grant *grant; /* NULL: none bound */
    struct arena *arena;
    struct search search;
    struct search_result result;
};
static inline enum err fixture_search_step(struct session *s, void *context)
{
    struct fixture_search *fs = context;
    session_bind(s, fs->grant);
    return search_run(s, fs->arena, &fs->search, &fs->result);
}
static inline enum err fixture_search(struct fixture *f, const struct grant *grant,
                                      const struct search *search, struct search_result *ret_result)
{
    struct fixture_search fs = {.grant = grant, .arena = f->arena, .search = *search};
    enum err err = fixture_read(f, fixture_search_step, &fs);
    if (err == ERR_OK)
        *ret_result = fs.result;
    return err;
}

#endif
