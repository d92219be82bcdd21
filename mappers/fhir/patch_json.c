/* SPDX-License-Identifier: Apache-2.0
 *
 * Works on a copy of the target, so that a refused operation leaves nothing half done. Copying and
 * walking take steps from one allowance and every insertion checks the depth: a patch that copies
 * the document into itself again and again ends at a bound, not at the end of memory or stack.
 */
#include "mappers/fhir/patch_json.h"

#include "base/limits.h"
#include "mappers/fhir/decimal.h"

#include "base/banned.h"

struct work {
    struct arena *arena;
    struct json *root;
    uint64_t steps; /* left */
    struct err_list *errors;
    const struct json *operation;
    unsigned index;
};

/* Where a pointer leads: CHILD of PARENT, or the place where it would be. */
struct spot {
    struct json *parent; /* NULL: the whole document */
    struct json *child;  /* NULL: nothing there yet */
    struct slice token;  /* its last part, decoded */
    unsigned depth;      /* of CHILD: 1 for the root */
};

static enum err fail(struct work *w, enum err code, const char *en, const char *ja)
{
    const char *place = arena_printf(w->arena, "operation[%u] %.*s", w->index,
                                     SLICE_ARG(json_str(w->operation, "path")));
    return err_add_words(w->errors, code, place ? place : "operation", en, ja);
}

static enum err charge(struct work *w, uint64_t count)
{
    if (w->steps > count) {
        w->steps -= count;
        return ERR_OK;
    }
    w->steps = 0;
    return fail(w, ERR_TOO_LARGE, "the patch does too much", "パッチの処理量が多すぎます");
}

/* ── pointers ────────────────────────────────────────────────────────────────────────────────── */

/* A token with ~1 and ~0 decoded; false when a ~ stands for nothing. */
static bool decode(struct work *w, struct slice raw, struct slice *ret_token)
{
    if (slice_find(raw, '~', 0) == raw.len) {
        *ret_token = raw;
        return true;
    }
    char *out = arena_str(w->arena, raw);
    size_t len = 0;
    for (size_t i = 0; out && i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '~') {
            char next = i + 1 < raw.len ? raw.ptr[++i] : '\0';
            if (next != '0' && next != '1')
                return false;
            c = next == '0' ? '~' : '/';
        }
        out[len++] = c;
    }
    *ret_token = slice_of(out, len);
    return out != NULL;
}

/* A position without leading zeros. */
static bool read_position(struct slice token, uint64_t *ret_position)
{
    return token.len > 0 && token.ptr[0] >= '0' && token.ptr[0] <= '9' &&
           (token.len == 1 || token.ptr[0] != '0') && slice_u64(token, ret_position);
}

static enum err step(struct work *w, struct json *parent, struct slice token,
                     struct json **ret_child)
{
    uint64_t at;
    enum err err = charge(w, 1 + parent->count / 8);
    *ret_child = NULL;
    if (err)
        return err;
    if (parent->kind == JSON_OBJECT)
        *ret_child = json_get_slice(parent, token);
    else if (parent->kind == JSON_ARRAY && read_position(token, &at) && at < parent->count)
        *ret_child = json_at(parent, (uint32_t)at);
    return ERR_OK;
}

static enum err follow(struct work *w, struct slice pointer, struct spot *ret_spot)
{
    struct spot s = {NULL, w->root, SLICE_NONE, 1};
    struct slice rest = pointer;
    if (pointer.len == 0) {
        *ret_spot = s;
        return ERR_OK;
    }
    if (pointer.ptr[0] != '/')
        return fail(w, ERR_MALFORMED, "a pointer begins with /", "ポインターは / で始まります");
    (void)slice_cut(&rest, '/');
    while (rest.ptr) {
        struct slice raw = slice_cut(&rest, '/');
        if (!s.child || (s.child->kind != JSON_OBJECT && s.child->kind != JSON_ARRAY))
            return fail(w, ERR_INVALID, "the place does not exist", "この場所はありません");
        s.parent = s.child;
        s.depth++;
        if (!decode(w, raw, &s.token))
            return fail(w, ERR_MALFORMED, "after ~ only 0 and 1 are allowed",
                        "~ の後は 0 か 1 だけです");
        enum err err = step(w, s.parent, s.token, &s.child);
        if (err)
            return err;
    }
    *ret_spot = s;
    return ERR_OK;
}

static enum err pointer_of(struct work *w, const char *member, struct slice *ret_pointer)
{
    const struct json *p = json_get(w->operation, member);
    if (!p || p->kind != JSON_STRING) {
        const char *en = arena_printf(w->arena, "%s is required, as a text", member);
        const char *ja = arena_printf(w->arena, "%s(文字列)が必要です", member);
        return fail(w, ERR_MALFORMED, en ? en : "", ja ? ja : "");
    }
    *ret_pointer = p->text;
    return ERR_OK;
}

/* Follows the pointer in MEMBER to something that is there. */
static enum err find(struct work *w, const char *member, struct spot *ret_spot)
{
    struct slice pointer;
    enum err err = pointer_of(w, member, &pointer);
    if (!err)
        err = follow(w, pointer, ret_spot);
    if (!err && !ret_spot->child)
        err =
            fail(w, ERR_INVALID,
                 strcmp(member, "from") == 0 ? "there is nothing at from" : "there is nothing here",
                 strcmp(member, "from") == 0 ? "from の場所に何もありません"
                                             : "この場所に何もありません");
    return err;
}

static enum err value_of(struct work *w, const struct json **ret_value)
{
    *ret_value = json_get(w->operation, "value");
    return *ret_value ? ERR_OK : fail(w, ERR_MALFORMED, "value is required", "value が必要です");
}

/* ── changes ─────────────────────────────────────────────────────────────────────────────────── */

/* Levels of VALUE, counting each value below it as a step. */
static enum err measure(struct work *w, const struct json *value, unsigned *ret_height)
{
    unsigned height = 0;
    enum err err = charge(w, 1);
    for (const struct json *c = value->first; c && !err; c = c->next) {
        unsigned below = 0;
        err = measure(w, c, &below);
        height = below > height ? below : height;
    }
    if (!err)
        *ret_height = height + 1;
    return err;
}

static enum err copy_of(struct work *w, const struct json *value, struct json **ret_copy)
{
    unsigned height;
    enum err err = measure(w, value, &height);
    if (err)
        return err;
    *ret_copy = json_clone(w->arena, value);
    return *ret_copy ? ERR_OK : ERR_LIMIT;
}

/* Puts VALUE, which has no place yet, where SPOT is. */
static enum err put(struct work *w, const struct spot *s, struct json *value)
{
    unsigned height;
    uint64_t at;
    enum err err = measure(w, value, &height);
    if (err)
        return err;
    if (s->depth + height - 1 > LIMIT_JSON_DEPTH)
        return fail(w, ERR_TOO_DEEP, "the result is nested too deeply", "結果の入れ子が深すぎます");
    if (!s->parent) {
        w->root = value;
        value->key = SLICE_NONE;
        return ERR_OK;
    }
    if (s->parent->kind == JSON_OBJECT) {
        json_set_slice(s->parent, s->token, value);
        return ERR_OK;
    }
    if (slice_is(s->token, "-"))
        at = s->parent->count;
    else if (!read_position(s->token, &at) || at > s->parent->count)
        return fail(w, ERR_INVALID, "the list has no such position", "一覧にこの位置はありません");
    json_insert(s->parent, (uint32_t)at, value);
    return ERR_OK;
}

static enum err add(struct work *w, struct json *value)
{
    struct slice pointer;
    struct spot s;
    enum err err = pointer_of(w, "path", &pointer);
    if (!err)
        err = follow(w, pointer, &s);
    return err ? err : put(w, &s, value);
}

static enum err take_out(struct work *w, const struct spot *s)
{
    if (!s->parent)
        return fail(w, ERR_INVALID, "the whole document cannot be taken away",
                    "文書全体は取り除けません");
    json_detach(s->parent, s->child);
    return ERR_OK;
}

static enum err op_add(struct work *w)
{
    const struct json *value;
    struct json *copy;
    enum err err = value_of(w, &value);
    if (!err)
        err = copy_of(w, value, &copy);
    return err ? err : add(w, copy);
}

static enum err op_remove(struct work *w)
{
    struct spot s;
    enum err err = find(w, "path", &s);
    return err ? err : take_out(w, &s);
}

/* The member keeps its place among the others: json_set replaces in place. */
static enum err op_replace(struct work *w)
{
    struct spot s;
    const struct json *value;
    struct json *copy;
    enum err err = find(w, "path", &s);
    if (!err)
        err = value_of(w, &value);
    if (!err)
        err = copy_of(w, value, &copy);
    if (!err && s.parent && s.parent->kind == JSON_ARRAY)
        err = take_out(w, &s);
    return err ? err : put(w, &s, copy);
}

static enum err op_move(struct work *w)
{
    struct slice from;
    struct slice path;
    struct spot s;
    enum err err = find(w, "from", &s);
    if (!err)
        err = pointer_of(w, "from", &from);
    if (!err)
        err = pointer_of(w, "path", &path);
    if (err || slice_eq(from, path))
        return err;
    if (slice_starts(path, from) && path.ptr[from.len] == '/')
        return fail(w, ERR_INVALID, "a value cannot move into itself",
                    "値をその中へは移動できません");
    err = take_out(w, &s);
    return err ? err : add(w, s.child);
}

static enum err op_copy(struct work *w)
{
    struct spot s;
    struct json *copy;
    enum err err = find(w, "from", &s);
    if (!err)
        err = copy_of(w, s.child, &copy);
    return err ? err : add(w, copy);
}

static enum err op_test(struct work *w)
{
    struct spot s;
    const struct json *value;
    enum err err = find(w, "path", &s);
    if (!err)
        err = value_of(w, &value);
    if (err || decimal_json_equal(s.child, value, &w->steps))
        return err;
    if (w->steps == 0)
        return charge(w, 1);
    return fail(w, ERR_INVALID, "the value is another one: the test failed",
                "値が異なります(test の失敗)");
}

static const struct {
    const char *name;
    enum err (*apply)(struct work *w);
} operations[] = {
    {"add", op_add},   {"remove", op_remove}, {"replace", op_replace},
    {"move", op_move}, {"copy", op_copy},     {"test", op_test},
};

static enum err apply_one(struct work *w)
{
    struct slice op = json_str(w->operation, "op");
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (slice_is(op, operations[i].name))
            return operations[i].apply(w);
    }
    return fail(w, ERR_MALFORMED, "op must be add, remove, replace, move, copy or test",
                "op は add、remove、replace、move、copy、test のいずれかです");
}

enum err patch_json_apply(struct arena *arena, const struct json *target, const struct json *patch,
                          struct json **ret_patched, struct err_list *errors)
{
    struct work w = {.arena = arena, .steps = LIMIT_PATCH_STEPS, .errors = errors};
    if (patch->kind != JSON_ARRAY)
        return err_add_words(errors, ERR_MALFORMED, "patch", "a JSON Patch is a list of operations",
                             "JSON Patch は操作の一覧です");
    if (patch->count > LIMIT_PATCH_OPERATIONS)
        return err_add_words(errors, ERR_TOO_LARGE, "patch", "too many operations",
                             "操作が多すぎます");
    w.root = json_clone(arena, target);
    if (!w.root)
        return ERR_LIMIT;
    for (const struct json *o = patch->first; o; o = o->next, w.index++) {
        w.operation = o;
        enum err err = apply_one(&w);
        if (err)
            return err;
    }
    *ret_patched = w.root;
    return ERR_OK;
}
