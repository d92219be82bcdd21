/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the folder of a region (contract: "The demo region"). Everything is created, nothing
 * replaced: a folder that holds a region already is left alone.
 */
#include "exchange/demo/region.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/when.h"

#include "base/banned.h"

#define REGION_ARENA (512u * LIMIT_MIB)
#define REGION_JSON_MAX (256u * LIMIT_MIB)

static enum err complain(char *text, size_t size, enum err err, const char *what)
{
    (void)snprintf(text, size, "%s: %s / %s", what, err_en(err), err_ja(err));
    return err;
}

/* ── folders and files ───────────────────────────────────────────────────────────────────────── */

static bool join(char path[PATH_MAX], const char *dir, const char *name)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

    return n > 0 && n < PATH_MAX;
}

/* A folder under DIR; already there is fine. */
static enum err make_folder(const char *dir, const char *name, mode_t mode)
{
    char path[PATH_MAX];

    if (!join(path, dir, name))
        return ERR_TOO_LARGE;
    return mkdir(path, mode) == 0 || errno == EEXIST ? ERR_OK : ERR_IO;
}

/* DIR itself, with the folders above it. */
static enum err make_parents(const char *dir)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s", dir);

    if (n <= 0 || n >= (int)sizeof(path))
        return ERR_TOO_LARGE;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return ERR_IO;
        *slash = '/';
    }
    return mkdir(path, 0755) == 0 || errno == EEXIST ? ERR_OK : ERR_IO;
}

static enum err write_file(const char *dir, const char *name, mode_t mode, struct slice bytes)
{
    char path[PATH_MAX];
    enum err err = ERR_OK;
    int fd = -1;

    if (!join(path, dir, name))
        return ERR_TOO_LARGE;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return errno == EEXIST ? ERR_CONFLICT : ERR_IO;
    while (!err && bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n > 0)
            bytes = slice_sub(bytes, (size_t)n, bytes.len);
        else if (errno != EINTR)
            err = ERR_IO;
    }
    if (close(fd) != 0)
        err = ERR_IO;
    return err;
}

static enum err make_master_key(const char *dir)
{
    unsigned char key[32];
    struct buf hex;
    enum err err = ERR_OK;

    ids_random(key, sizeof(key));
    buf_init(&hex, 128);
    digest_hex(&hex, slice_of(key, sizeof(key)));
    buf_addc(&hex, '\n');
    err = buf_err(&hex) ? buf_err(&hex) : write_file(dir, "master.key", 0600, buf_slice(&hex));
    if (hex.ptr)
        explicit_bzero(hex.ptr, hex.len);
    explicit_bzero(key, sizeof(key));
    buf_fini(&hex);
    return err;
}

bool region_exists(const char *dir)
{
    char path[PATH_MAX];

    return join(path, dir, "tasuki.conf") && access(path, F_OK) == 0;
}

enum err region_make_folders(const char *dir, const char *region_name, const char *host,
                             char *ret_text, size_t text_size)
{
    struct pki_subject server = {.name = "server",
                                 .organization = region_name,
                                 .common_name = host && host[0] ? host : "localhost",
                                 .host = host};
    struct pki_cert made;
    char pki[PATH_MAX];
    enum err err = ERR_OK;

    if (region_exists(dir))
        return complain(ret_text, text_size, ERR_CONFLICT, dir);
    err = make_parents(dir);
    if (!err)
        err = make_folder(dir, "pki", 0700);
    if (!err)
        err = make_folder(dir, "inbox", 0755);
    if (!err)
        err = make_folder(dir, "data", 0700);
    if (!err)
        err = make_folder(dir, "log", 0755);
    if (!err)
        err = make_master_key(dir);
    if (!err && !join(pki, dir, "pki"))
        err = ERR_TOO_LARGE;
    if (!err)
        err = pki_make_ca(pki, region_name);
    if (!err)
        err = pki_issue(pki, PKI_SERVER, &server, &made);
    return err ? complain(ret_text, text_size, err, dir) : ERR_OK;
}

/* ── parties ─────────────────────────────────────────────────────────────────────────────────── */

static enum err issue_all(struct region *r, const char *pki)
{
    enum err err = ERR_OK;

    for (int f = 0; f < DEMO_FACILITY_COUNT && !err; f++) {
        struct pki_subject subject = {.name = demo_facilities[f].key,
                                      .organization = demo_facilities[f].name_en};

        if (f != DEMO_HOME)
            err = pki_issue(pki, PKI_CLIENT, &subject, &r->facility_certs[f]);
    }
    for (unsigned i = 0; i < DEMO_STORY_COUNT && !err; i++) {
        struct pki_subject subject = {.name = r->people[i].key, .unit = "clinic card"};

        err = pki_issue(pki, PKI_CLIENT, &subject, &r->resident_certs[i]);
    }
    return err;
}

static enum err make_inboxes(const char *dir)
{
    enum err err = ERR_OK;

    for (int f = 0; f < DEMO_FACILITY_COUNT && !err; f++) {
        char name[64];

        if (!demo_facilities[f].inbox)
            continue;
        (void)snprintf(name, sizeof(name), "inbox/%s", demo_facilities[f].key);
        err = make_folder(dir, name, 0755);
        if (err)
            break;
        (void)snprintf(name, sizeof(name), "inbox/%s.cda", demo_facilities[f].key);
        err = make_folder(dir, name, 0755);
    }
    return err;
}

static enum err write_conf(struct region *r)
{
    int base = r->options.port_base;
    struct conf conf = {
        .region = DEMO_REGION,
        .host = "127.0.0.1",
        .system_port = base,
        .portal_port = base ? base + 1 : 0,
        .mllps_port = base ? base + 2 : 0,
        .mllp_port = base ? base + 3 : 0,
        .ops_port = base ? base + 4 : 0,
        .mllp_facility = demo_facilities[DEMO_HOSPITAL_A].key,
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
        .push_targets = "loopback",
        .push_ca = "pki/ca.pem",
        .export_folder = "data/exports",
        .export_hours = 24,
    };

    for (int f = 0; f < DEMO_FACILITY_COUNT; f++)
        if (demo_facilities[f].inbox)
            conf.watches[conf.watch_count++] = (struct conf_watch){
                demo_facilities[f].key, arena_printf(r->arena, "inbox/%s", demo_facilities[f].key)};
    if (arena_exhausted(r->arena))
        return ERR_LIMIT;
    return conf_write(&conf, r->conf_path);
}

/* ── demo.json ───────────────────────────────────────────────────────────────────────────────── */

static void describe_facilities(struct region *r, struct json *root)
{
    struct json *list = json_put_array(r->arena, root, "facilities");

    for (int f = 0; f < DEMO_FACILITY_COUNT; f++) {
        struct json *item = json_push_object(r->arena, list);

        json_put_text(r->arena, item, "key", demo_facilities[f].key);
        json_put_text(r->arena, item, "id", demo_facilities[f].key);
        json_put_text(r->arena, item, "code", demo_facilities[f].code);
        json_put_text(r->arena, item, "name", demo_facilities[f].name);
    }
}

static void describe_resident(struct region *r, struct json *item, const struct demo_person *p)
{
    struct arena *a = r->arena;
    struct json *numbers = NULL;

    json_put_text(a, item, "key", p->key);
    json_put_text(a, item, "name", arena_printf(a, "%s %s", p->family, p->given));
    json_put_text(a, item, "kana", arena_printf(a, "%s %s", p->family_kana, p->given_kana));
    json_put_text(a, item, "birthDate",
                  arena_printf(a, "%.4s-%.2s-%.2s", p->birth, p->birth + 4, p->birth + 6));
    json_put_text(a, item, "gender", p->sex == 'M' ? "male" : "female");
    json_put_text(a, item, "card", p->card);
    json_put_text(a, item, "insurance",
                  arena_printf(a, "%s:%s:%s:%s", p->insurer, p->symbol, p->number, p->branch));
    numbers = json_put_object(a, item, "localNumbers");
    for (int f = 0; f < DEMO_FACILITY_COUNT; f++)
        if (p->local[f][0])
            json_put_text(a, numbers, demo_facilities[f].key, p->local[f]);
    json_put_text(a, item, "story", people_story(p->story));
}

static void describe_staff(struct region *r, struct json *root)
{
    struct json *list = json_put_array(r->arena, root, "staff");

    for (size_t i = 0; i < demo_staff_count; i++) {
        struct json *item = json_push_object(r->arena, list);

        json_put_text(r->arena, item, "facility", demo_facilities[demo_staff[i].facility].key);
        json_put_text(r->arena, item, "id", demo_staff[i].user);
        json_put_text(r->arena, item, "name", demo_staff[i].name);
        json_put_text(r->arena, item, "role", staff_role_code(demo_staff[i].role));
    }
}

static enum err write_description(struct region *r)
{
    struct json *root = json_new(r->arena, JSON_OBJECT);
    struct json *residents = NULL;
    struct buf out;
    enum err err = ERR_OK;

    describe_facilities(r, root);
    residents = json_put_array(r->arena, root, "residents");
    for (unsigned i = 0; i < r->options.patients; i++)
        describe_resident(r, json_push_object(r->arena, residents), &r->people[i]);
    describe_staff(r, root);
    if (!root || arena_exhausted(r->arena))
        return ERR_LIMIT;
    buf_init(&out, REGION_JSON_MAX);
    json_print(&out, root);
    buf_addc(&out, '\n');
    err = buf_err(&out);
    if (!err)
        err = write_file(r->options.dir, "demo.json", 0644, buf_slice(&out));
    buf_fini(&out);
    return err;
}

/* ── all of it ───────────────────────────────────────────────────────────────────────────────── */

static enum err fill(struct region *r)
{
    char pki[PATH_MAX];
    enum err err = ERR_OK;

    if (!join(pki, r->options.dir, "pki"))
        return ERR_TOO_LARGE;
    err = people_make(r->arena, r->options.seed, r->options.patients, r->now_ms, &r->people);
    if (!err)
        err = issue_all(r, pki);
    if (!err)
        err = make_inboxes(r->options.dir);
    if (!err)
        err = write_description(r);
    if (!err)
        err = write_conf(r); /* last: its presence says the region is complete */
    return err;
}

static struct region *new_region(const struct region_options *options, int64_t now_ms)
{
    struct arena *arena = arena_new(REGION_ARENA);
    struct region *r = arena ? ARENA_NEW(arena, struct region) : NULL;

    if (!r) {
        arena_free(arena);
        return NULL;
    }
    r->arena = arena;
    r->options = *options;
    if (r->options.patients < DEMO_STORY_COUNT)
        r->options.patients = DEMO_STORY_COUNT;
    r->options.dir = arena_str(arena, slice_str(options->dir));
    r->now_ms = now_ms;
    r->conf_path = arena_printf(arena, "%s/tasuki.conf", options->dir);
    r->persons = arena_array(arena, r->options.patients, sizeof(*r->persons));
    if (arena_exhausted(arena)) {
        arena_free(arena);
        return NULL;
    }
    return r;
}

enum err region_make(const struct region_options *options, int64_t now_ms, char *ret_text,
                     size_t text_size, struct region **ret_region)
{
    struct region *r = new_region(options, now_ms);
    enum err err = r ? ERR_OK : ERR_LIMIT;

    if (err)
        return complain(ret_text, text_size, err, options->dir);
    err = region_make_folders(options->dir, DEMO_REGION, NULL, ret_text, text_size);
    if (err)
        goto out;
    err = fill(r);
    if (err)
        (void)complain(ret_text, text_size, err, options->dir);
out:
    if (err)
        region_free(r);
    else
        *ret_region = r;
    return err;
}

void region_free(struct region *region)
{
    if (region)
        arena_free(region->arena); /* the region lives in it */
}
