/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the tree of an expression (hl7.org/fhirpath/N1, sections 4 to 6). Every operator is a
 * function in one table; each node, item and comparison takes steps from one allowance, so that no
 * expression over no resource runs long. Empty operands make empty results; many items where one is
 * meant are an error.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include <assert.h>
#include <inttypes.h>

#include "mappers/fhir/decimal.h"

#include "base/banned.h"

enum err fhirpath_eval_fail(struct fhirpath_run *run, const struct fhirpath_node *n, enum err code,
                            const char *en, const char *ja)
{
    run->fault = (struct fhirpath_fault){n->column, en, ja};
    return code;
}

enum err fhirpath_eval_charge(struct fhirpath_run *run, uint64_t count)
{
    if (run->steps > count) {
        run->steps -= count;
        return ERR_OK;
    }
    run->steps = 0;
    if (!run->fault.en) {
        run->fault.en = "the expression takes too many steps on this resource";
        run->fault.ja = "このリソースに対する式の処理量が多すぎます";
    }
    return ERR_LIMIT;
}

/* ── results ─────────────────────────────────────────────────────────────────────────────────── */

static enum err make_room(struct fhirpath_run *run, struct fhirpath_values *values)
{
    size_t room = values->room ? values->room * 2 : 4;
    struct fhirpath_value *items = arena_array(run->arena, room, sizeof(*items));
    if (!items)
        return ERR_LIMIT;
    if (values->count > 0)
        memcpy(items, values->items, values->count * sizeof(*items));
    values->items = items;
    values->room = room;
    return ERR_OK;
}

enum err fhirpath_eval_push(struct fhirpath_run *run, struct fhirpath_values *values,
                            const struct fhirpath_value *value)
{
    enum err err = fhirpath_eval_charge(run, 1);
    if (!err && values->count == values->room)
        err = make_room(run, values);
    if (!err)
        values->items[values->count++] = *value;
    return err;
}

enum err fhirpath_eval_push_text(struct fhirpath_run *run, struct fhirpath_values *values,
                                 enum fhirpath_kind kind, struct slice text)
{
    struct fhirpath_value v = {.kind = kind, .text = text, .position = -1};
    return fhirpath_eval_push(run, values, &v);
}

enum err fhirpath_eval_push_bool(struct fhirpath_run *run, struct fhirpath_values *values,
                                 bool truth)
{
    struct fhirpath_value v = {.kind = FHIRPATH_BOOLEAN, .truth = truth, .position = -1};
    return fhirpath_eval_push(run, values, &v);
}

enum err fhirpath_eval_push_int(struct fhirpath_run *run, struct fhirpath_values *values,
                                int64_t number)
{
    const char *text = arena_printf(run->arena, "%" PRId64, number);
    if (!text)
        return ERR_LIMIT;
    return fhirpath_eval_push_text(run, values, FHIRPATH_INTEGER, slice_str(text));
}

static enum err many(struct fhirpath_run *run, const struct fhirpath_node *n)
{
    return fhirpath_eval_fail(run, n, ERR_INVALID, "one item is expected here, there are several",
                              "1つの値が必要ですが、複数あります");
}

static enum err unfit(struct fhirpath_run *run, const struct fhirpath_node *n)
{
    return fhirpath_eval_fail(run, n, ERR_INVALID, "the operands do not fit this operator",
                              "演算子に合わない型です");
}

/* ── operands ────────────────────────────────────────────────────────────────────────────────── */

/* What an operator works on. */
struct operands {
    struct fhirpath_values left;
    struct fhirpath_values right;
};

typedef enum err (*operator_cb)(struct fhirpath_run *run, const struct fhirpath_node *n,
                                const struct operands *o, struct fhirpath_values *ret_values);

/* Both single: true. One empty: false. More: ERR_INVALID. */
static enum err singles(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct operands *o, bool *ret_both)
{
    *ret_both = o->left.count == 1 && o->right.count == 1;
    return o->left.count > 1 || o->right.count > 1 ? many(run, n) : ERR_OK;
}

static enum err op_union(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct operands *o, struct fhirpath_values *ret_values)
{
    const struct fhirpath_values *sides[] = {&o->left, &o->right};
    enum err err = ERR_OK;
    (void)n;
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < sides[s]->count && !err; i++) {
            bool among = false;
            err = fhirpath_compare_among(run, ret_values, &sides[s]->items[i], &among);
            if (!err && !among)
                err = fhirpath_eval_push(run, ret_values, &sides[s]->items[i]);
        }
    }
    return err;
}

static bool is_number(const struct fhirpath_value *v)
{
    return v->kind == FHIRPATH_INTEGER || v->kind == FHIRPATH_DECIMAL;
}

#define INTEGER_LIMIT 2147483648 /* System.Integer has 32 bits */

/* An overflow has no result. */
static enum err push_number(struct fhirpath_run *run, enum fhirpath_kind kind, struct decimal value,
                            struct fhirpath_values *ret_values)
{
    if (kind == FHIRPATH_INTEGER &&
        (value.mantissa >= INTEGER_LIMIT || value.mantissa < -INTEGER_LIMIT))
        return ERR_OK;
    struct slice text = decimal_print(run->arena, value);
    return text.ptr ? fhirpath_eval_push_text(run, ret_values, kind, text) : ERR_LIMIT;
}

static enum err concat(struct fhirpath_run *run, struct slice a, struct slice b,
                       struct fhirpath_values *ret_values)
{
    char *out = arena_alloc(run->arena, a.len + b.len + 1);
    if (!out)
        return ERR_LIMIT;
    if (a.len > 0)
        memcpy(out, a.ptr, a.len);
    if (b.len > 0)
        memcpy(out + a.len, b.ptr, b.len);
    enum err err = fhirpath_eval_charge(run, (a.len + b.len) / 64);
    return err ? err
               : fhirpath_eval_push_text(run, ret_values, FHIRPATH_STRING,
                                         slice_of(out, a.len + b.len));
}

static enum err op_arithmetic(struct fhirpath_run *run, const struct fhirpath_node *n,
                              const struct operands *o, struct fhirpath_values *ret_values)
{
    enum decimal_op op = (enum decimal_op)(DECIMAL_ADD + (n->op - FHIRPATH_OP_ADD));
    struct decimal x, y, z;
    bool both;
    enum err err = singles(run, n, o, &both);
    if (err || !both)
        return err;
    const struct fhirpath_value *a = o->left.items;
    const struct fhirpath_value *b = o->right.items;
    if (op == DECIMAL_ADD && a->kind == FHIRPATH_STRING && b->kind == FHIRPATH_STRING)
        return concat(run, a->text, b->text, ret_values);
    if (!is_number(a) || !is_number(b))
        return unfit(run, n);
    if (!decimal_parse(a->text, &x) || !decimal_parse(b->text, &y) || !decimal_apply(op, x, y, &z))
        return ERR_OK;
    bool whole = a->kind == FHIRPATH_INTEGER && b->kind == FHIRPATH_INTEGER;
    enum fhirpath_kind kind =
        op == DECIMAL_DIV || (whole && op != DECIMAL_DIVIDE) ? FHIRPATH_INTEGER : FHIRPATH_DECIMAL;
    return push_number(run, kind, z, ret_values);
}

static enum err op_concat(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct operands *o, struct fhirpath_values *ret_values)
{
    const struct fhirpath_value none = {.kind = FHIRPATH_STRING, .position = -1};
    bool both;
    enum err err = singles(run, n, o, &both);
    if (err)
        return err;
    const struct fhirpath_value *a = o->left.count ? o->left.items : &none;
    const struct fhirpath_value *b = o->right.count ? o->right.items : &none;
    if (a->kind != FHIRPATH_STRING || b->kind != FHIRPATH_STRING)
        return unfit(run, n);
    return concat(run, a->text, b->text, ret_values);
}

static enum err op_order(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct operands *o, struct fhirpath_values *ret_values)
{
    bool both;
    enum err err = singles(run, n, o, &both);
    if (err || !both)
        return err;
    enum fhirpath_order order = fhirpath_compare_order(o->left.items, o->right.items);
    if (order == FHIRPATH_UNLIKE)
        return unfit(run, n);
    if (order == FHIRPATH_UNKNOWN)
        return ERR_OK;
    bool truth = order == FHIRPATH_SAME;
    if (n->op == FHIRPATH_OP_LESS || n->op == FHIRPATH_OP_GREATER)
        truth = false;
    truth |= order == (n->op <= FHIRPATH_OP_LESS_EQUAL ? FHIRPATH_LESS : FHIRPATH_GREATER);
    return fhirpath_eval_push_bool(run, ret_values, truth);
}

static enum err op_equal(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct operands *o, struct fhirpath_values *ret_values)
{
    bool known = true;
    int equal = o->left.count == o->right.count;
    enum err err = ERR_OK;
    if (o->left.count == 0 || o->right.count == 0)
        return ERR_OK;
    for (size_t i = 0; i < o->left.count && equal != 0 && !err; i++) {
        err = fhirpath_compare_equal(run, &o->left.items[i], &o->right.items[i], &equal);
        known &= equal != -1;
    }
    if (err || (equal != 0 && !known))
        return err;
    return fhirpath_eval_push_bool(run, ret_values, (n->op == FHIRPATH_OP_EQUAL) == (equal == 1));
}

/* Every item of A has one of its own in B. USED marks those of B that are taken. */
static enum err pair_up(struct fhirpath_run *run, const struct operands *o, bool *used,
                        bool *ret_alike)
{
    enum err err = ERR_OK;
    bool alike = true;
    for (size_t i = 0; i < o->left.count && alike && !err; i++) {
        alike = false;
        for (size_t j = 0; j < o->right.count && !alike && !err; j++) {
            if (used[j])
                continue;
            err = fhirpath_compare_alike(run, &o->left.items[i], &o->right.items[j], &alike);
            used[j] = alike;
        }
    }
    *ret_alike = alike;
    return err;
}

static enum err op_alike(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct operands *o, struct fhirpath_values *ret_values)
{
    bool alike = o->left.count == o->right.count;
    if (alike && o->left.count > 0) {
        bool *used = arena_array(run->arena, o->right.count, sizeof(*used));
        enum err err = used ? pair_up(run, o, used, &alike) : ERR_LIMIT;
        if (err)
            return err;
    }
    return fhirpath_eval_push_bool(run, ret_values, alike == (n->op == FHIRPATH_OP_ALIKE));
}

static enum err op_among(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct operands *o, struct fhirpath_values *ret_values)
{
    bool in = n->op == FHIRPATH_OP_IN;
    const struct fhirpath_values *one = in ? &o->left : &o->right;
    const struct fhirpath_values *all = in ? &o->right : &o->left;
    bool among = false;
    if (one->count != 1)
        return one->count > 1 ? many(run, n) : ERR_OK;
    enum err err = fhirpath_compare_among(run, all, one->items, &among);
    return err ? err : fhirpath_eval_push_bool(run, ret_values, among);
}

/* ── three-valued logic ──────────────────────────────────────────────────────────────────────── */

static enum err truth_of(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct fhirpath_values *values, int *ret_truth)
{
    if (values->count > 1)
        return many(run, n);
    const struct fhirpath_value *v = values->items;
    *ret_truth = values->count == 0 ? -1 : v->kind != FHIRPATH_BOOLEAN || v->truth;
    return ERR_OK;
}

enum err fhirpath_eval_condition(struct fhirpath_run *run, const struct fhirpath_node *n,
                                 int *ret_truth)
{
    struct fhirpath_values values;
    enum err err = fhirpath_eval_node(run, n, &values);
    return err ? err : truth_of(run, n, &values, ret_truth);
}

static enum err op_logic(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct operands *o, struct fhirpath_values *ret_values)
{
    /* Rows and columns: empty, false, true; -1 is empty. */
    static const signed char tables[4][3][3] = {
        {{-1, 0, -1}, {0, 0, 0}, {-1, 0, 1}},   /* and */
        {{-1, -1, 1}, {-1, 0, 1}, {1, 1, 1}},   /* or */
        {{-1, -1, -1}, {-1, 0, 1}, {-1, 1, 0}}, /* xor */
        {{-1, -1, 1}, {1, 1, 1}, {-1, 0, 1}},   /* implies */
    };
    int a;
    int b;
    enum err err = truth_of(run, n, &o->left, &a);
    if (!err)
        err = truth_of(run, n, &o->right, &b);
    if (err)
        return err;
    int truth = tables[n->op - FHIRPATH_OP_AND][a + 1][b + 1];
    return truth < 0 ? ERR_OK : fhirpath_eval_push_bool(run, ret_values, truth == 1);
}

/* ── unary, types, paths ─────────────────────────────────────────────────────────────────────── */

static enum err op_sign(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct operands *o, struct fhirpath_values *ret_values)
{
    struct decimal value;
    if (o->left.count != 1)
        return o->left.count > 1 ? many(run, n) : ERR_OK;
    struct fhirpath_value v = *o->left.items;
    if (v.kind != FHIRPATH_QUANTITY && !is_number(&v))
        return unfit(run, n);
    if (n->op == FHIRPATH_OP_NEGATE) {
        if (!decimal_parse(v.text, &value))
            return ERR_OK;
        value.mantissa = -value.mantissa;
        struct slice text = decimal_print(run->arena, value);
        if (!text.ptr)
            return ERR_LIMIT;
        v = (struct fhirpath_value){.kind = v.kind, .text = text, .unit = v.unit, .position = -1};
    }
    return fhirpath_eval_push(run, ret_values, &v);
}

static enum err op_is(struct fhirpath_run *run, const struct fhirpath_node *n,
                      const struct operands *o, struct fhirpath_values *ret_values)
{
    if (o->left.count != 1)
        return o->left.count > 1 ? many(run, n) : ERR_OK;
    return fhirpath_eval_push_bool(run, ret_values, fhirpath_type_is(o->left.items, &n->type));
}

/* R4's own search parameters say "as" of elements that repeat, so it filters as ofType does. Also
 * the head of a path: only what is of the type goes on. */
static enum err op_as(struct fhirpath_run *run, const struct fhirpath_node *n,
                      const struct operands *o, struct fhirpath_values *ret_values)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < o->left.count && !err; i++) {
        if (fhirpath_type_is(&o->left.items[i], &n->type))
            err = fhirpath_eval_push(run, ret_values, &o->left.items[i]);
    }
    return err;
}

static enum err op_member(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct operands *o, struct fhirpath_values *ret_values)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < o->left.count && !err && n->name.len > 0; i++)
        err = fhirpath_member_add(run, &o->left.items[i], n->name, ret_values);
    return err;
}

static enum err op_call(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct operands *o, struct fhirpath_values *ret_values)
{
    return fhirpath_function_call(run, n, &o->left, ret_values);
}

static enum err op_indexer(struct fhirpath_run *run, const struct fhirpath_node *n,
                           const struct operands *o, struct fhirpath_values *ret_values)
{
    uint64_t at;
    if (o->right.count != 1)
        return o->right.count > 1 ? many(run, n) : ERR_OK;
    if (o->right.items->kind != FHIRPATH_INTEGER)
        return unfit(run, n);
    if (!slice_u64(o->right.items->text, &at) || at >= o->left.count)
        return ERR_OK;
    return fhirpath_eval_push(run, ret_values, &o->left.items[at]);
}

static enum err op_leaf(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct operands *o, struct fhirpath_values *ret_values)
{
    (void)o;
    const struct fhirpath_value *focus = run->scene->focus ? run->scene->focus : &run->root;
    switch (n->op) {
    case FHIRPATH_OP_EMPTY:
        return ERR_OK;
    case FHIRPATH_OP_LITERAL:
        return fhirpath_eval_push(run, ret_values, &n->literal);
    case FHIRPATH_OP_THIS:
        return fhirpath_eval_push(run, ret_values, &run->self);
    case FHIRPATH_OP_INDEX:
        return run->index < 0 ? ERR_OK : fhirpath_eval_push_int(run, ret_values, run->index);
    case FHIRPATH_OP_RESOURCE:
        return fhirpath_eval_push(run, ret_values, &run->root);
    default:
        assert(n->op == FHIRPATH_OP_CONTEXT);
        return fhirpath_eval_push(run, ret_values, focus);
    }
}

static const operator_cb operators[] = {
    [FHIRPATH_OP_EMPTY] = op_leaf,
    [FHIRPATH_OP_LITERAL] = op_leaf,
    [FHIRPATH_OP_THIS] = op_leaf,
    [FHIRPATH_OP_INDEX] = op_leaf,
    [FHIRPATH_OP_RESOURCE] = op_leaf,
    [FHIRPATH_OP_CONTEXT] = op_leaf,
    [FHIRPATH_OP_MEMBER] = op_member,
    [FHIRPATH_OP_HEAD] = op_as,
    [FHIRPATH_OP_CALL] = op_call,
    [FHIRPATH_OP_INDEXER] = op_indexer,
    [FHIRPATH_OP_NEGATE] = op_sign,
    [FHIRPATH_OP_PLUS] = op_sign,
    [FHIRPATH_OP_IS] = op_is,
    [FHIRPATH_OP_AS] = op_as,
    [FHIRPATH_OP_UNION] = op_union,
    [FHIRPATH_OP_ADD] = op_arithmetic,
    [FHIRPATH_OP_SUBTRACT] = op_arithmetic,
    [FHIRPATH_OP_MULTIPLY] = op_arithmetic,
    [FHIRPATH_OP_DIVIDE] = op_arithmetic,
    [FHIRPATH_OP_DIV] = op_arithmetic,
    [FHIRPATH_OP_MOD] = op_arithmetic,
    [FHIRPATH_OP_CONCAT] = op_concat,
    [FHIRPATH_OP_LESS] = op_order,
    [FHIRPATH_OP_LESS_EQUAL] = op_order,
    [FHIRPATH_OP_GREATER] = op_order,
    [FHIRPATH_OP_GREATER_EQUAL] = op_order,
    [FHIRPATH_OP_EQUAL] = op_equal,
    [FHIRPATH_OP_NOT_EQUAL] = op_equal,
    [FHIRPATH_OP_ALIKE] = op_alike,
    [FHIRPATH_OP_NOT_ALIKE] = op_alike,
    [FHIRPATH_OP_IN] = op_among,
    [FHIRPATH_OP_CONTAINS] = op_among,
    [FHIRPATH_OP_AND] = op_logic,
    [FHIRPATH_OP_OR] = op_logic,
    [FHIRPATH_OP_XOR] = op_logic,
    [FHIRPATH_OP_IMPLIES] = op_logic,
};

/* Does a path begin here, on $this? */
static bool begins(const struct fhirpath_node *n)
{
    return !n->left &&
           (n->op == FHIRPATH_OP_MEMBER || n->op == FHIRPATH_OP_HEAD || n->op == FHIRPATH_OP_CALL);
}

enum err fhirpath_eval_node(struct fhirpath_run *run, const struct fhirpath_node *n,
                            struct fhirpath_values *ret_values)
{
    struct operands o = {{0}, {0}};
    struct fhirpath_values values = {0};
    enum err err = fhirpath_eval_charge(run, 1);
    if (!err && begins(n))
        err = fhirpath_eval_push(run, &o.left, &run->self);
    if (!err && n->left)
        err = fhirpath_eval_node(run, n->left, &o.left);
    if (!err && n->right)
        err = fhirpath_eval_node(run, n->right, &o.right);
    if (!err)
        err = operators[n->op](run, n, &o, &values);
    if (err && run->fault.column == 0)
        run->fault.column = n->column;
    if (!err)
        *ret_values = values;
    return err;
}
