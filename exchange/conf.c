/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing the configuration. One table says what keys there are; reading walks the
 * file's lines against it, writing walks the commented sample (conf/tasuki.conf, embedded) and puts
 * values in, so that what is explained and what is understood cannot drift apart. Everything wrong
 * is reported with its line and what to do, not only the first thing. Nothing is opened or created
 * here but the file itself: whether keys and folders exist is for `tasuki check-config`.
 */
#include "exchange/conf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/asset.h"
#include "base/buf.h"
#include "base/category.h"
#include "base/limits.h"
#include "base/slice.h"
#include "exchange/push/target.h"

#include "base/banned.h"

#define CONF_SAMPLE "conf/tasuki.conf"
#define CONF_BYTES_MAX (256u * LIMIT_KIB) /* a configuration is a page or two */
#define CONF_NAME_MAX 40

#define KEYS_MAX 32 /* of one section */

enum value_kind {
    VALUE_TEXT,
    VALUE_PATH,
    VALUE_PORT,
    VALUE_READERS,
    VALUE_HOURS,
    VALUE_CONNECTIONS,
    VALUE_SECONDS,
    VALUE_SWITCH
};

struct key {
    const char *section;
    const char *name;
    enum value_kind kind;
    size_t offset;      /* into struct conf, of a feed's into struct conf_feed */
    const char *preset; /* NULL: must be given */
};

#define KEY(section, name, kind, member, preset)                                                   \
    {                                                                                              \
        section, name, kind, offsetof(struct conf, member), preset                                 \
    }
static const struct key keys[] = {
    KEY("region", "name", VALUE_TEXT, region, "Tasuki"),
    KEY("listen", "host", VALUE_TEXT, host, "127.0.0.1"),
    KEY("listen", "system", VALUE_PORT, system_port, "off"),
    KEY("listen", "portal", VALUE_PORT, portal_port, "off"),
    KEY("listen", "mllps", VALUE_PORT, mllps_port, "off"),
    KEY("listen", "mllp", VALUE_PORT, mllp_port, "off"),
    KEY("listen", "mllp-facility", VALUE_TEXT, mllp_facility, ""),
    KEY("listen", "ops", VALUE_PORT, ops_port, "off"),
    KEY("listen", "connections", VALUE_CONNECTIONS, connections, "16384"),
    KEY("tls", "certificate", VALUE_PATH, server_cert, NULL),
    KEY("tls", "key", VALUE_PATH, server_key, NULL),
    KEY("tls", "ca", VALUE_PATH, ca, NULL),
    KEY("tls", "crl", VALUE_PATH, crl, NULL),
    KEY("store", "file", VALUE_PATH, store, NULL),
    KEY("store", "master-key", VALUE_PATH, master_key, NULL),
    KEY("store", "checkpoints", VALUE_PATH, checkpoints, NULL),
    KEY("store", "readers", VALUE_READERS, readers, "2"),
    KEY("push", "targets", VALUE_TEXT, push_targets, ""),
    KEY("push", "ca", VALUE_PATH, push_ca, ""),
    KEY("push", "exports", VALUE_PATH, export_folder, "data/exports"),
    KEY("push", "export-hours", VALUE_HOURS, export_hours, "24"),
    KEY("log", "file", VALUE_PATH, log, "-"),
};
#undef KEY
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))
static const char *const sections[] = {"region", "listen", "tls",  "store",
                                       "push",   "log",    "feed", "watch"};

#define KEY(name, kind, member, preset)                                                            \
    {                                                                                              \
        "feed", name, kind, offsetof(struct conf_feed, member), preset                             \
    }
static const struct key feed_keys[] = {
    KEY("facility", VALUE_TEXT, facility, NULL),
    KEY("host", VALUE_TEXT, host, NULL),
    KEY("port", VALUE_PORT, port, NULL),
    KEY("tls", VALUE_SWITCH, tls, "on"),
    KEY("allow-plain", VALUE_SWITCH, allow_plain, "off"),
    KEY("certificate", VALUE_PATH, cert, ""),
    KEY("key", VALUE_PATH, key, ""),
    KEY("ca", VALUE_PATH, ca, ""),
    KEY("send", VALUE_TEXT, send, "laboratory"),
    KEY("charset", VALUE_TEXT, charset, "iso-2022-jp"),
    KEY("application", VALUE_TEXT, application, ""),
    KEY("receiver", VALUE_TEXT, place, ""),
    KEY("connect-seconds", VALUE_SECONDS, connect_s, "10"),
    KEY("answer-seconds", VALUE_SECONDS, answer_s, "30"),
};
#undef KEY
#define FEED_KEY_COUNT (sizeof(feed_keys) / sizeof(feed_keys[0]))
static_assert(KEY_COUNT <= KEYS_MAX && FEED_KEY_COUNT <= KEYS_MAX, "see struct given");

/* What a section's lines may say, and where it goes. */
struct target {
    const struct key *keys;
    size_t count;
    void *into;
    unsigned given[KEYS_MAX]; /* line each key was given on */
};

struct reading {
    struct arena *arena;
    struct err_list *errors;
    const char *path;
    const char *folder; /* of path, "" for the current one */
    unsigned line;      /* 0: no line in particular */
    struct slice section;
    bool section_seen;       /* some heading came */
    bool section_known;      /* and it was one of ours */
    struct target all, feed; /* feed.into: the one being read, NULL: none */
    struct conf conf;
};

static enum err say(const struct reading *r, enum err code, const char *en, const char *ja)
{
    const char *slash = strrchr(r->path, '/');
    const char *name = slash ? slash + 1 : r->path;
    const char *place = r->line ? arena_printf(r->arena, "%s:%u", name, r->line) : name;

    return err_say(r->errors, ERR_SEVERITY_ERROR, code, place ? place : "", en ? en : "",
                   ja ? ja : "");
}

/* Edit distance between short names: how a typing error finds the key that was meant. */
static unsigned distance(struct slice a, struct slice b)
{
    unsigned row[CONF_NAME_MAX + 1];

    if (a.len > CONF_NAME_MAX || b.len > CONF_NAME_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned best = diagonal + (a.ptr[i - 1] == b.ptr[j - 1] ? 0u : 1u);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b.len];
}

static const struct key *find_key(const struct target *t, struct slice section, struct slice name)
{
    for (size_t i = 0; i < t->count; i++)
        if (slice_is(section, t->keys[i].section) && slice_is(name, t->keys[i].name))
            return &t->keys[i];
    return NULL;
}

static void say_unknown_key(const struct reading *r, const struct target *t, struct slice name)
{
    const struct key *nearest = NULL;
    unsigned least = UINT_MAX;

    for (size_t i = 0; i < t->count; i++) {
        unsigned d = distance(name, slice_str(t->keys[i].name));

        if (!slice_is(r->section, t->keys[i].section))
            d = d < UINT_MAX - 1 ? d + 1 : d; /* prefer a key of the same section */
        if (d < least) {
            least = d;
            nearest = &t->keys[i];
        }
    }
    if (!nearest)
        nearest = &t->keys[0];
    (void)say(r, ERR_UNKNOWN_ELEMENT,
              arena_printf(r->arena, "unknown key \"%.*s\" in [%.*s]; did you mean \"%s\" in [%s]?",
                           SLICE_ARG(name), SLICE_ARG(r->section), nearest->name, nearest->section),
              arena_printf(r->arena,
                           "[%.*s] に「%.*s」というキーはありません。[%s] の「%s」ではありませんか",
                           SLICE_ARG(r->section), SLICE_ARG(name), nearest->section,
                           nearest->name));
}

static void apply_presets(struct reading *r, struct target *t);

/* What was not said of the feed whose lines have ended. */
static void end_feed(struct reading *r)
{
    if (r->feed.into)
        apply_presets(r, &r->feed);
    r->feed.into = NULL;
}

/* "[feed NAME]": NAME is what commands, figures and the store call it. */
static void begin_feed(struct reading *r, struct slice name)
{
    bool good = name.len > 0 && name.len <= CONF_NAME_MAX;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0));
    }
    for (unsigned i = 0; i < r->conf.feed_count; i++)
        good = good && !slice_is(name, r->conf.feeds[i].name);
    r->section_known = good && r->conf.feed_count < LIMIT_FEEDS;
    if (!r->section_known) {
        (void)say(
            r, good ? ERR_LIMIT : ERR_INVALID,
            good ? "too many feeds"
                 : "write [feed NAME], each name once, of small letters, digits and '-'",
            good ? "送信（feed）が多すぎます"
                 : "[feed 名前] と書いてください。名前は小文字・数字・「-」で、重ならないこと");
        return;
    }
    r->feed = (struct target){
        .keys = feed_keys, .count = FEED_KEY_COUNT, .into = &r->conf.feeds[r->conf.feed_count]};
    r->conf.feeds[r->conf.feed_count++].name = arena_str(r->arena, name);
}

static void read_section(struct reading *r, struct slice line)
{
    const char *nearest = sections[0];
    unsigned least = UINT_MAX;

    end_feed(r);
    r->section = line.len > 2 && line.ptr[line.len - 1] == ']'
                     ? slice_trim(slice_sub(line, 1, line.len - 2))
                     : SLICE_NONE;
    r->section_seen = true;
    r->section_known = false;
    if (slice_is(r->section, "feed") || slice_starts(r->section, SLICE("feed "))) {
        struct slice name = slice_trim(slice_sub(r->section, 4, r->section.len));
        r->section = SLICE("feed");
        begin_feed(r, name);
        return;
    }
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        unsigned d = distance(r->section, slice_str(sections[i]));

        if (d == 0)
            r->section_known = true;
        if (d < least) {
            least = d;
            nearest = sections[i];
        }
    }
    if (!r->section_known)
        (void)say(r, ERR_UNKNOWN_ELEMENT,
                  arena_printf(r->arena, "unknown section %.*s; did you mean [%s]?",
                               SLICE_ARG(line), nearest),
                  arena_printf(r->arena, "「%.*s」という節はありません。[%s] ではありませんか",
                               SLICE_ARG(line), nearest));
}

/* A path as the program uses it: beside the configuration file unless absolute or "-". */
static const char *resolve(const struct reading *r, struct slice value)
{
    if (value.len == 0 || value.ptr[0] == '/' || slice_is(value, "-") || r->folder[0] == '\0')
        return arena_str(r->arena, value);
    return arena_printf(r->arena, "%s/%.*s", r->folder, SLICE_ARG(value));
}

/* The kinds whose values are numbers (low <= high). */
static const struct {
    uint64_t low, high;
    const char *en, *ja;
} number_kinds[] = {
    [VALUE_TEXT] = {1, 0, NULL, NULL},
    [VALUE_PATH] = {1, 0, NULL, NULL},
    [VALUE_PORT] = {0, 65535, "a port (0 to 65535) or off", "ポート番号（0〜65535）か off "},
    [VALUE_READERS] = {1, 8, "a number from 1 to 8", " 1〜8 の数"},
    [VALUE_HOURS] = {1, 720, "hours, 1 to 720", " 1〜720 時間"},
    [VALUE_SECONDS] = {1, 600, "seconds, 1 to 600", " 1〜600 秒"},
    [VALUE_SWITCH] = {1, 0, NULL, NULL},
    [VALUE_CONNECTIONS] = {16, LIMIT_CONNECTIONS_MAX, "a number from 16 to 1000000",
                           " 16〜1000000 の数"},
};

static bool is_number(enum value_kind kind)
{
    return number_kinds[kind].low <= number_kinds[kind].high;
}

static bool read_number(struct slice value, enum value_kind kind, int *ret_number)
{
    uint64_t n = 0;
    uint64_t low = number_kinds[kind].low;
    uint64_t high = number_kinds[kind].high;

    if (kind == VALUE_PORT && slice_is(value, "off")) {
        *ret_number = -1;
        return true;
    }
    if (!slice_u64(value, &n) || n < low || n > high)
        return false;
    *ret_number = (int)n;
    return true;
}

static enum err set_switch(struct reading *r, const struct key *key, struct slice value, void *at)
{
    bool on = slice_is(value, "on") || slice_is(value, "yes");

    if (!on && !slice_is(value, "off") && !slice_is(value, "no"))
        return say(r, ERR_INVALID, arena_printf(r->arena, "\"%s\" must be on or off", key->name),
                   arena_printf(r->arena, "「%s」は on か off で指定してください", key->name));
    memcpy(at, &on, sizeof(on));
    return ERR_OK;
}

static enum err set_value(struct reading *r, const struct target *t, const struct key *key,
                          struct slice value)
{
    char *at = (char *)t->into + key->offset;
    const char *text = NULL;

    if (key->kind == VALUE_SWITCH)
        return set_switch(r, key, value, at);
    if (is_number(key->kind)) {
        int number = 0;

        if (!read_number(value, key->kind, &number))
            return say(
                r, ERR_INVALID,
                arena_printf(r->arena, "\"%s\" must be %s", key->name, number_kinds[key->kind].en),
                arena_printf(r->arena, "「%s」は%sで指定してください", key->name,
                             number_kinds[key->kind].ja));
        memcpy(at, &number, sizeof(number));
        return ERR_OK;
    }
    text = key->kind == VALUE_PATH ? resolve(r, value) : arena_str(r->arena, value);
    if (!text)
        return err_add(r->errors, ERR_LIMIT, key->name, NULL);
    if (!key->preset && value.len == 0)
        return say(r, ERR_REQUIRED, arena_printf(r->arena, "\"%s\" needs a value", key->name),
                   arena_printf(r->arena, "「%s」に値がありません", key->name));
    memcpy(at, &text, sizeof(text));
    return ERR_OK;
}

static void read_watch(struct reading *r, struct slice facility, struct slice folder)
{
    struct conf_watch *watch = NULL;

    for (unsigned i = 0; i < r->conf.watch_count; i++)
        if (slice_is(facility, r->conf.watches[i].facility)) {
            (void)say(r, ERR_CONFLICT, "this facility is watched already; remove one of the lines",
                      "この施設はすでに指定されています。片方を消してください");
            return;
        }
    if (facility.len == 0 || folder.len == 0) {
        (void)say(r, ERR_REQUIRED, "write \"facility-key = folder\"",
                  "「施設のキー = フォルダー」の形で書いてください");
        return;
    }
    if (r->conf.watch_count == CONF_WATCHES_MAX) {
        (void)say(r, ERR_LIMIT, "too many watched folders", "監視するフォルダーが多すぎます");
        return;
    }
    watch = &r->conf.watches[r->conf.watch_count];
    watch->facility = arena_str(r->arena, facility);
    watch->root = resolve(r, folder);
    if (watch->facility && watch->root)
        r->conf.watch_count++;
    else
        (void)err_add(r->errors, ERR_LIMIT, "watch", NULL);
}

static void read_pair(struct reading *r, struct slice line)
{
    struct slice value = line;
    struct slice name = slice_trim(slice_cut(&value, '='));
    struct target *t = r->feed.into ? &r->feed : &r->all;
    const struct key *key = NULL;

    if (!value.ptr) {
        (void)say(r, ERR_MALFORMED, "write \"key = value\"", "「キー = 値」の形で書いてください");
        return;
    }
    value = slice_trim(value);
    if (!r->section_seen)
        (void)say(r, ERR_MALFORMED, "the line stands before any [section]; put it under one",
                  "どの [節] にも属していません。節の下に書いてください");
    if (!r->section_known)
        return; /* said here or at the section's line */
    if (slice_is(r->section, "watch")) {
        read_watch(r, name, value);
        return;
    }
    key = find_key(t, r->section, name);
    if (!key) {
        say_unknown_key(r, t, name);
        return;
    }
    unsigned *given = &t->given[key - t->keys];
    if (*given) {
        (void)say(
            r, ERR_CONFLICT,
            arena_printf(r->arena, "\"%s\" is already given on line %u", key->name, *given),
            arena_printf(r->arena, "「%s」は %u 行目ですでに指定されています", key->name, *given));
        return;
    }
    *given = r->line;
    (void)set_value(r, t, key, value);
}

static void read_lines(struct reading *r, struct slice text)
{
    while (text.ptr) {
        struct slice line = slice_trim(slice_cut(&text, '\n'));

        r->line++;
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (!slice_is_utf8(line) || memchr(line.ptr, '\0', line.len))
            (void)say(r, ERR_CHARSET, "the line is not UTF-8 text", "UTF-8 の文字列ではありません");
        else if (line.ptr[0] == '[')
            read_section(r, line);
        else
            read_pair(r, line);
    }
}

static void apply_presets(struct reading *r, struct target *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct key *key = &t->keys[i];

        if (t->given[i])
            continue;
        if (key->preset)
            (void)set_value(r, t, key, slice_str(key->preset));
        else
            (void)say(r, ERR_REQUIRED,
                      arena_printf(r->arena, "\"%s\" is missing in [%s]; add it", key->name,
                                   key->section),
                      arena_printf(r->arena, "[%s] に「%s」がありません。書き加えてください",
                                   key->section, key->name));
    }
}

uint64_t conf_feed_categories(const char *text)
{
    struct slice rest = slice_str(text);
    uint64_t mask = 0;

    while (rest.ptr) {
        struct slice word = slice_trim(slice_cut(&rest, ' '));
        enum category found = CATEGORY_NONE;
        if (word.len == 0)
            continue;
        if (!category_find(word, &found) || found == CATEGORY_NONE || found == CATEGORY_CONSENT ||
            found == CATEGORY_AUDIT)
            return 0;
        mask |= CATEGORY_BIT(found);
    }
    return mask;
}

static void check_feed(struct reading *r, const struct conf_feed *f)
{
    const struct {
        bool wrong;
        const char *en, *ja;
    } checks[] = {
        {f->port < 1, "\"port\" must be 1 to 65535", "「port」は 1〜65535 で指定してください"},
        {!conf_feed_categories(f->send),
         "\"send\" must name data categories (laboratory, imaging, procedure ...)",
         "「send」にはデータの区分（laboratory、imaging、procedure など）を書いてください"},
        {strcmp(f->charset, "iso-2022-jp") != 0 && strcmp(f->charset, "utf-8") != 0,
         "\"charset\" must be iso-2022-jp or utf-8",
         "「charset」は iso-2022-jp か utf-8 で指定してください"},
        {(f->cert[0] == '\0') != (f->key[0] == '\0'), "give both \"certificate\" and \"key\"",
         "「certificate」と「key」は両方指定してください"},
        {!f->tls && f->cert[0], "\"certificate\" needs tls = on",
         "「certificate」には tls = on が必要です"},
    };

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (checks[i].wrong)
            (void)say(r, ERR_INVALID, arena_printf(r->arena, "[feed %s] %s", f->name, checks[i].en),
                      arena_printf(r->arena, "[feed %s] %s", f->name, checks[i].ja));
}

static void check_targets(struct reading *r)
{
    struct slice bad = SLICE_NONE;
    if (target_list_ok(r->conf.push_targets, &bad))
        return;
    (void)say(
        r, ERR_INVALID,
        arena_printf(r->arena,
                     "\"targets\" in [push]: \"%.*s\" is neither \"loopback\" nor an https URL "
                     "(http: only this machine)",
                     SLICE_ARG(bad)),
        arena_printf(r->arena,
                     "[push] の「targets」: 「%.*s」は loopback でも https の URL "
                     "でもありません（http はこの計算機だけ）",
                     SLICE_ARG(bad)));
}

/* What no single line shows. */
static void check_whole(struct reading *r)
{
    static const size_t ports[] = {
        offsetof(struct conf, system_port), offsetof(struct conf, portal_port),
        offsetof(struct conf, mllps_port),  offsetof(struct conf, mllp_port),
        offsetof(struct conf, ops_port),
    };
    const size_t count = sizeof(ports) / sizeof(ports[0]);

    check_targets(r);
    for (unsigned i = 0; i < r->conf.feed_count && r->errors->errors == 0; i++)
        check_feed(r, &r->conf.feeds[i]);
    if (r->conf.mllp_port >= 0 && (!r->conf.mllp_facility || r->conf.mllp_facility[0] == '\0'))
        (void)say(r, ERR_REQUIRED,
                  "mllp is on but mllp-facility is empty; name the facility or set mllp = off",
                  "mllp を使うには mllp-facility に施設のキーが必要です。使わないなら mllp = off");
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            int a = 0, b = 0;

            memcpy(&a, (const char *)&r->conf + ports[i], sizeof(a));
            memcpy(&b, (const char *)&r->conf + ports[j], sizeof(b));
            if (a > 0 && a == b)
                (void)say(r, ERR_CONFLICT,
                          arena_printf(r->arena, "port %d is used twice in [listen]", a),
                          arena_printf(r->arena, "[listen] でポート %d が重なっています", a));
        }
}

static enum err read_file(struct arena *arena, const char *path, struct slice *ret_text)
{
    enum err err = ERR_IO;
    struct stat st;
    ssize_t got = 0;
    char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        goto out;
    if ((uint64_t)st.st_size > CONF_BYTES_MAX) {
        err = ERR_TOO_LARGE;
        goto out;
    }
    bytes = arena_alloc(arena, (size_t)st.st_size + 1);
    if (!bytes) {
        err = ERR_LIMIT;
        goto out;
    }
    got = read(fd, bytes, (size_t)st.st_size);
    if (got == (ssize_t)st.st_size) {
        *ret_text = slice_of(bytes, (size_t)got);
        err = ERR_OK;
    }
out:
    (void)close(fd);
    return err;
}

static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return "";
    return arena_str(arena, slice_of(path, slash == path ? 1 : (size_t)(slash - path)));
}

enum err conf_read(struct arena *arena, const char *path, struct err_list *errors,
                   struct conf *ret_conf)
{
    unsigned before = errors->errors;
    struct slice text = SLICE_NONE;
    struct reading *r = ARENA_NEW(arena, struct reading);
    enum err err = r ? read_file(arena, path, &text) : ERR_LIMIT;

    if (err)
        return err_add(errors, err, path, NULL);
    r->arena = arena;
    r->errors = errors;
    r->path = path;
    r->folder = folder_of(arena, path);
    if (!r->folder)
        return err_add(errors, ERR_LIMIT, path, NULL);
    r->all = (struct target){.keys = keys, .count = KEY_COUNT, .into = &r->conf};
    read_lines(r, text);
    r->line = 0;
    end_feed(r);
    apply_presets(r, &r->all);
    check_whole(r);
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    if (errors->errors > before)
        return err_list_code(errors);
    *ret_conf = r->conf;
    return ERR_OK;
}

/* ── writing ─────────────────────────────────────────────────────────────────────────────────── */

static void write_value(struct buf *out, const void *from, const struct key *key)
{
    const char *at = (const char *)from + key->offset;

    buf_addf(out, "%s =", key->name);
    if (key->kind == VALUE_SWITCH) {
        bool on = false;

        memcpy(&on, at, sizeof(on));
        buf_adds(out, on ? " on" : " off");
    } else if (is_number(key->kind)) {
        int number = 0;

        memcpy(&number, at, sizeof(number));
        if (number < 0)
            buf_adds(out, " off");
        else
            buf_addf(out, " %d", number);
    } else {
        const char *text = NULL;

        memcpy(&text, at, sizeof(text));
        if (text && text[0])
            buf_addf(out, " %s", text);
    }
    buf_addc(out, '\n');
}

static void write_from_sample(struct buf *out, const struct conf *conf, struct slice sample)
{
    const struct target all = {.keys = keys, .count = KEY_COUNT};
    struct slice section = SLICE_NONE;

    while (sample.ptr && sample.len > 0) {
        struct slice line = slice_cut(&sample, '\n');
        struct slice rest = line;
        const struct key *key = NULL;

        if (line.len > 1 && line.ptr[0] == '[')
            section = slice_sub(line, 1, line.len - 2);
        else if (line.len > 0 && line.ptr[0] != '#')
            key = find_key(&all, section, slice_trim(slice_cut(&rest, '=')));
        if (key) {
            write_value(out, conf, key);
        } else {
            buf_add(out, line);
            buf_addc(out, '\n');
        }
    }
    for (unsigned i = 0; i < conf->watch_count; i++) /* [watch] is the sample's last section */
        buf_addf(out, "%s = %s\n", conf->watches[i].facility, conf->watches[i].root);
    for (unsigned i = 0; i < conf->feed_count; i++) {
        buf_addf(out, "\n[feed %s]\n", conf->feeds[i].name);
        for (size_t k = 0; k < FEED_KEY_COUNT; k++)
            write_value(out, &conf->feeds[i], &feed_keys[k]);
    }
}

static enum err write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        bytes = slice_sub(bytes, (size_t)n, bytes.len);
    }
    return ERR_OK;
}

enum err conf_write(const struct conf *conf, const char *path)
{
    const struct asset *sample = asset_find(exchange_assets, CONF_SAMPLE);
    struct buf out;
    enum err err = ERR_IO;
    int fd = -1;

    assert(sample);
    buf_init(&out, CONF_BYTES_MAX);
    write_from_sample(&out, conf, slice_of(sample->bytes, sample->len));
    err = buf_err(&out);
    if (err)
        goto out;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    err = fd < 0 ? ERR_IO : write_all(fd, buf_slice(&out));
    if (fd >= 0 && close(fd) != 0)
        err = ERR_IO;
out:
    buf_fini(&out);
    return err;
}
