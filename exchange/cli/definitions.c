/* SPDX-License-Identifier: Apache-2.0
 *
 * definitions load|list: StructureDefinitions, ValueSets, CodeSystems and the like, as the
 * operator, through the same requests as every write. The id is made from the canonical, so that
 * loading the same again changes nothing, and another version is another record. What else a
 * package holds (examples, implementation guides) is passed over and counted. Empty texts, which R4
 * forbids and published packages have, are left out and counted; anything else that is broken is
 * refused.
 */
#include <stdio.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/when.h"
#include "exchange/batch.h"
#include "exchange/cli/cli.h"
#include "exchange/cli/files.h"
#include "exchange/cli/table.h"
#include "mappers/fhir/definition.h"
#include "storage/search.h"

#include "base/banned.h"

#define PROGRESS_MS 1000
#define ID_NAME 40u /* characters of the canonical's last part kept in an id */
#define LIST_PAGE 100u
#define ID_DIGEST 6u /* bytes of the digest after it */

static const char *const loaded_types[] = {"CodeSystem",      "ConceptMap",          "NamingSystem",
                                           "SearchParameter", "StructureDefinition", "ValueSet"};
#define TYPES (sizeof(loaded_types) / sizeof(loaded_types[0]))

struct load {
    const struct args *args;
    struct cli_place place;
    struct batch batch;
    unsigned created, changed, unchanged, refused, passed_over, emptied;
    int64_t began_ms, said_ms;
    enum err first; /* of the refusals */
};

/* ── load ────────────────────────────────────────────────────────────────────────────────────── */

static bool is_loaded(struct slice type)
{
    for (size_t i = 0; i < TYPES; i++)
        if (slice_is(type, loaded_types[i]))
            return true;
    return false;
}

static void refuse(struct load *l, enum err err, const char *name, const char *place,
                   const char *en, const char *ja)
{
    if (l->refused++ == 0)
        l->first = err;
    (void)printf("%s: %s %s %s\n", name, err_name(err), place, cli_pick(l->args, en, ja));
}

static void say_progress(struct load *l)
{
    int64_t now = clock_monotonic_ms();
    if (now - l->began_ms < 2 * PROGRESS_MS || now - l->said_ms < PROGRESS_MS)
        return;
    l->said_ms = now;
    (void)fprintf(stderr, l->args->ja ? "%u 件済み\n" : "%u done\n",
                  l->created + l->changed + l->unchanged + l->refused);
}

static void ended(void *context, struct request *r, void *tag)
{
    struct load *l = context;
    const struct err_item *first = r->errors.first;
    while (first && first->severity != ERR_SEVERITY_ERROR)
        first = first->next;
    if (r->job.err)
        refuse(l, r->job.err, tag ? tag : "", first ? first->place : "",
               first ? first->en : err_en(r->job.err), first ? first->ja : err_ja(r->job.err));
    else if (r->status == 201)
        l->created++;
    else if (r->answer_updated_ms == r->grant.now_ms)
        l->changed++;
    else
        l->unchanged++;
    say_progress(l);
}

/* "JP-Patient-0123456789ab": readable, and one for each type, canonical and version. */
static struct slice make_id(struct arena *arena, const struct json *resource)
{
    unsigned char digest[DIGEST_LEN];
    struct slice url = json_str(resource, "url");
    struct slice name = url.len ? url : json_str(resource, "name");
    struct buf text, id;
    size_t start = name.len;
    buf_init(&text, 8u * LIMIT_KIB);
    buf_init(&id, LIMIT_FHIR_ID + 1);
    buf_addf(&text, "%.*s|%.*s|%.*s", SLICE_ARG(json_str(resource, "resourceType")),
             SLICE_ARG(name), SLICE_ARG(json_str(resource, "version")));
    digest_sha256(buf_slice(&text), digest);
    while (start > 0 && name.ptr[start - 1] != '/' && name.ptr[start - 1] != ':')
        start--;
    for (size_t i = start; i < name.len && i < start + ID_NAME; i++) {
        char c = name.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        buf_addc(&id, plain || c == '.' ? c : '-');
    }
    buf_addc(&id, '-');
    digest_hex(&id, slice_of(digest, ID_DIGEST));
    struct slice made = buf_err(&text) ? SLICE_NONE : arena_dup(arena, buf_slice(&id));
    buf_fini(&text);
    buf_fini(&id);
    return made;
}

/* Takes out members whose text is empty: they say nothing, and R4 knows no empty texts. */
static unsigned drop_empty(struct arena *arena, struct json *json)
{
    unsigned dropped = 0;
    struct json *next = NULL;
    for (struct json *i = json->first; i; i = next) {
        next = i->next;
        if (i->kind == JSON_OBJECT || i->kind == JSON_ARRAY) {
            dropped += drop_empty(arena, i);
        } else if (json->kind == JSON_OBJECT && i->kind == JSON_STRING && i->text.len == 0) {
            const char *key = arena_str(arena, i->key);
            dropped += key && json_remove(json, key);
        }
    }
    return dropped;
}

static enum err load_one(struct load *l, struct arena *arena, const char *name,
                         struct json *resource)
{
    struct slice id = make_id(arena, resource);
    struct buf text;
    if (!id.len) {
        refuse(l, ERR_TOO_LARGE, name, "url", err_en(ERR_TOO_LARGE), err_ja(ERR_TOO_LARGE));
        return ERR_OK;
    }
    if (!json_str(resource, "url").len && !json_str(resource, "name").len) {
        refuse(l, ERR_REQUIRED, name, "url", err_en(ERR_REQUIRED), err_ja(ERR_REQUIRED));
        return ERR_OK;
    }
    l->emptied += drop_empty(arena, resource);
    json_set(resource, "id", json_string(arena, id));
    buf_init(&text, LIMIT_HTTP_BODY);
    json_print(&text, resource);
    enum err err = buf_err(&text);
    if (err == ERR_TOO_LARGE) {
        refuse(l, err, name, "", err_en(err), err_ja(err));
        err = ERR_OK;
    } else if (!err) {
        err = batch_resource(&l->batch, l->place.operator_key, 0, buf_slice(&text),
                             arena_str(l->place.arena, slice_str(name)));
    }
    buf_fini(&text);
    return err;
}

/* A definition, or a Bundle of them; all else is passed over. */
static enum err load_json(struct load *l, struct arena *arena, const char *name, struct json *root)
{
    const struct json *entries = json_get(root, "entry");
    struct slice type = json_str(root, "resourceType");
    enum err err = ERR_OK;
    if (is_loaded(type))
        return load_one(l, arena, name, root);
    if (!slice_is(type, "Bundle")) {
        l->passed_over++;
        return ERR_OK;
    }
    for (const struct json *e = entries ? entries->first : NULL; e && !err; e = e->next) {
        struct json *resource = json_get(e, "resource");
        if (resource && is_loaded(json_str(resource, "resourceType")))
            err = load_one(l, arena, name, resource);
        else
            l->passed_over++;
    }
    return err;
}

static enum err load_bytes(struct load *l, const char *name, struct slice bytes)
{
    struct arena *arena = arena_new((size_t)4 * LIMIT_ARENA_REQUEST);
    struct json_fault fault = {0};
    struct json *root = NULL;
    if (!arena)
        return ERR_LIMIT;
    enum err err = json_parse(arena, bytes, &root, &fault);
    if (err == ERR_MALFORMED || err == ERR_TOO_DEEP) {
        char place[48];
        (void)snprintf(place, sizeof(place), "%u:%u", fault.line, fault.column);
        refuse(l, err, name, place, fault.en ? fault.en : err_en(err),
               fault.ja ? fault.ja : err_ja(err));
        err = ERR_OK;
    } else if (!err) {
        err = load_json(l, arena, name, root);
    }
    arena_free(arena);
    return err;
}

static enum err load_file(void *context, const char *path)
{
    struct load *l = context;
    struct buf bytes;
    enum err err;
    if (slice_ends(slice_str(path), SLICE(".tgz")) || slice_ends(slice_str(path), SLICE(".gz"))) {
        refuse(l, ERR_MEDIA_TYPE, path, "", "unpack the package first and give its folder",
               "パッケージは展開してから、そのフォルダーを指定してください");
        return ERR_OK;
    }
    if (!slice_ends(slice_str(path), SLICE(".json"))) {
        l->passed_over++;
        return ERR_OK;
    }
    buf_init(&bytes, LIMIT_HTTP_ANSWER);
    err = files_read(path, &bytes);
    if (!err)
        err = load_bytes(l, path, buf_slice(&bytes));
    buf_fini(&bytes);
    return err;
}

static int finish(struct load *l, enum err err)
{
    batch_finish(&l->batch);
    (void)fprintf(stderr,
                  l->args->ja ? "新規 %u、変更 %u、変更なし %u、拒否 %u、対象外 %u\n"
                              : "%u new, %u changed, %u unchanged, %u refused, %u passed over\n",
                  l->created, l->changed, l->unchanged, l->refused, l->passed_over);
    if (l->emptied)
        (void)fprintf(stderr,
                      l->args->ja ? "空の文字列 %u 個を省きました\n" : "%u empty texts left out\n",
                      l->emptied);
    if (l->batch.failed)
        err = l->batch.failed;
    if (!err && l->refused > 0)
        err = l->first;
    return cli_exit(err);
}

int cli_definitions_load(const struct args *args)
{
    struct load l = {.args = args, .began_ms = clock_monotonic_ms()};
    enum err err = ERR_OK;
    int code = cli_open(args, &l.place);
    if (!code && !l.place.operator_key.len) {
        cli_say(args, "no operator is registered: tasuki facility add operator --kind operator",
                "運用者が登録されていません");
        code = CLI_REFUSED;
    }
    if (!code) {
        batch_init(&l.batch, &l.place.exchange, ended, &l);
        for (unsigned i = 0; i < args->operand_count && !err; i++) {
            err = files_walk(args->operands[i], load_file, &l);
            if (err)
                (void)cli_fail(args, err, args->operands[i]);
        }
        code = finish(&l, err);
    }
    cli_close(&l.place);
    return code;
}

/* ── list ────────────────────────────────────────────────────────────────────────────────────── */

struct listing {
    struct table table;
    struct arena *arena;
};

/* RECORD as a row; the cells are the table's own. */
static enum err list_record(struct listing *list, const struct record *record)
{
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    struct json *json = NULL;
    struct json_fault fault;
    enum err err = arena ? json_parse(arena, record->body, &json, &fault) : ERR_LIMIT;
    if (!err) {
        struct slice url = json_str(json, "url");
        table_row(&list->table);
        table_cell(&list->table, record->type);
        table_cell(&list->table, url.len ? url : json_str(json, "name"));
        table_cell(&list->table, json_str(json, "version"));
        table_cell(&list->table, json_str(json, "status"));
        table_cell(&list->table, record->id);
    }
    arena_free(arena);
    return err;
}

/* One page after another: definitions are large, and there may be thousands. */
static enum err list_type(struct session *s, struct listing *list, const char *type)
{
    const struct slice name = slice_str(type);
    struct search search = {.types = &name, .type_count = 1, .limit = LIST_PAGE};
    struct search_result found = {0};
    enum err err = ERR_OK;
    do {
        struct arena *page = arena_new((size_t)4 * LIMIT_ARENA_REQUEST);
        err = page ? search_run(s, page, &search, &found) : ERR_LIMIT;
        for (size_t i = 0; !err && i < found.count; i++)
            err = list_record(list, &found.records[i]);
        search.after_given = true;
        search.after_key = SLICE_NONE; /* unsorted: the place is the row alone */
        search.after_rid = found.last_rid;
        arena_free(page);
    } while (!err && found.more);
    return err;
}

static enum err list_look(struct session *s, struct request *r)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < TYPES && !err; i++)
        err = list_type(s, r->input, loaded_types[i]);
    return err;
}

static const struct use list_use = {
    .event = "search", .actors = 1u << GRANT_OPERATOR, .look = list_look};

int cli_definitions_list(const struct args *args)
{
    static const char *const columns[] = {"type", "canonical", "version", "status", "id", NULL};
    struct cli_place place;
    struct listing list = {.arena = arena_new(LIMIT_ARENA_REQUEST)};
    int code = cli_open(args, &place);
    if (!list.arena)
        code = code ? code : cli_fail(args, ERR_LIMIT, args->verb->name);
    if (!code) {
        table_init(&list.table, list.arena, columns);
        code = cli_use(&place, &list_use, SLICE_NONE, &list);
    }
    if (!code) {
        enum err err = table_print(&list.table, args_flag(args, "json"));
        code = err ? cli_fail(args, err, args->verb->name) : CLI_OK;
    }
    cli_close(&place);
    arena_free(list.arena);
    return code;
}
