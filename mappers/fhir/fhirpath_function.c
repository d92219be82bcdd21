/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIRPath's functions on collections (hl7.org/fhirpath/N1, section 5; R4 fhirpath.html for
 * extension(), hasValue() and resolve()). One table; a row without code is a function that exists
 * but is left out on purpose: regular expressions have no bound on time, clocks and terminologies
 * are not for mappers.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include "base/banned.h"

/* $this and $index as they were, while a criterion is evaluated on each item. */
struct outside {
    struct fhirpath_value self;
    int64_t index;
};

static struct outside enter(const struct fhirpath_run *run)
{
    return (struct outside){run->self, run->index};
}

static void leave(struct fhirpath_run *run, const struct outside *outside)
{
    run->self = outside->self;
    run->index = outside->index;
}

static enum err each(struct fhirpath_run *run, const struct fhirpath_values *in, size_t i,
                     const struct fhirpath_node *criterion, int *ret_truth)
{
    run->self = in->items[i];
    run->index = (int64_t)i;
    return fhirpath_eval_condition(run, criterion, ret_truth);
}

static enum err push_range(struct fhirpath_run *run, const struct fhirpath_values *in, size_t from,
                           size_t to, struct fhirpath_values *ret_values)
{
    enum err err = ERR_OK;
    for (size_t i = from; i < to && i < in->count && !err; i++)
        err = fhirpath_eval_push(run, ret_values, &in->items[i]);
    return err;
}

static enum err f_where(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct outside outside = enter(run);
    enum err err = ERR_OK;
    for (size_t i = 0; i < in->count && !err; i++) {
        int truth = -1;
        err = each(run, in, i, n->args, &truth);
        if (!err && truth == 1)
            err = fhirpath_eval_push(run, ret_values, &in->items[i]);
    }
    leave(run, &outside);
    return err;
}

static enum err f_select(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct outside outside = enter(run);
    enum err err = ERR_OK;
    for (size_t i = 0; i < in->count && !err; i++) {
        struct fhirpath_values some = {0};
        run->self = in->items[i];
        run->index = (int64_t)i;
        err = fhirpath_eval_node(run, n->args, &some);
        if (!err)
            err = push_range(run, &some, 0, some.count, ret_values);
    }
    leave(run, &outside);
    return err;
}

static enum err f_exists(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct outside outside = enter(run);
    enum err err = ERR_OK;
    bool exists = in->count > 0 && !n->args;
    for (size_t i = 0; i < in->count && n->args && !exists && !err; i++) {
        int truth = -1;
        err = each(run, in, i, n->args, &truth);
        exists = truth == 1;
    }
    leave(run, &outside);
    return err ? err : fhirpath_eval_push_bool(run, ret_values, exists);
}

static enum err f_all(struct fhirpath_run *run, const struct fhirpath_node *n,
                      const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct outside outside = enter(run);
    enum err err = ERR_OK;
    bool all = true;
    for (size_t i = 0; i < in->count && all && !err; i++) {
        int truth = -1;
        err = each(run, in, i, n->args, &truth);
        all = truth == 1;
    }
    leave(run, &outside);
    return err ? err : fhirpath_eval_push_bool(run, ret_values, all);
}

static enum err f_empty(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    (void)n;
    return fhirpath_eval_push_bool(run, ret_values, in->count == 0);
}

static enum err f_count(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    (void)n;
    return fhirpath_eval_push_int(run, ret_values, (int64_t)in->count);
}

static enum err f_first(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    (void)n;
    return push_range(run, in, 0, 1, ret_values);
}

static enum err f_last(struct fhirpath_run *run, const struct fhirpath_node *n,
                       const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    (void)n;
    return push_range(run, in, in->count ? in->count - 1 : 0, in->count, ret_values);
}

static enum err f_tail(struct fhirpath_run *run, const struct fhirpath_node *n,
                       const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    (void)n;
    return push_range(run, in, 1, in->count, ret_values);
}

static enum err f_single(struct fhirpath_run *run, const struct fhirpath_node *n,
                         const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    if (in->count > 1)
        return fhirpath_eval_fail(run, n, ERR_INVALID, "single() found several items",
                                  "single() に複数の値があります");
    return push_range(run, in, 0, 1, ret_values);
}

/* The whole number that the argument is; a negative one counts as 0. */
static enum err number_argument(struct fhirpath_run *run, const struct fhirpath_node *n,
                                size_t *ret_number)
{
    struct fhirpath_values values = {0};
    int64_t number;
    enum err err = fhirpath_eval_node(run, n->args, &values);
    if (err)
        return err;
    if (values.count != 1 || values.items->kind != FHIRPATH_INTEGER ||
        !slice_i64(values.items->text, &number))
        return fhirpath_eval_fail(run, n, ERR_INVALID, "the argument must be one whole number",
                                  "引数は1つの整数です");
    *ret_number = number < 0 ? 0 : (size_t)number;
    return ERR_OK;
}

static enum err f_skip(struct fhirpath_run *run, const struct fhirpath_node *n,
                       const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    size_t number = 0;
    enum err err = number_argument(run, n, &number);
    return err ? err : push_range(run, in, number, in->count, ret_values);
}

static enum err f_take(struct fhirpath_run *run, const struct fhirpath_node *n,
                       const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    size_t number = 0;
    enum err err = number_argument(run, n, &number);
    return err ? err : push_range(run, in, 0, number, ret_values);
}

/* Appends what of IN is not there yet. */
static enum err push_new(struct fhirpath_run *run, const struct fhirpath_values *in,
                         struct fhirpath_values *values)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < in->count && !err; i++) {
        bool among = false;
        err = fhirpath_compare_among(run, values, &in->items[i], &among);
        if (!err && !among)
            err = fhirpath_eval_push(run, values, &in->items[i]);
    }
    return err;
}

static enum err f_distinct(struct fhirpath_run *run, const struct fhirpath_node *n,
                           const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    (void)n;
    return push_new(run, in, ret_values);
}

static enum err f_is_distinct(struct fhirpath_run *run, const struct fhirpath_node *n,
                              const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct fhirpath_values some = {0};
    (void)n;
    enum err err = push_new(run, in, &some);
    return err ? err : fhirpath_eval_push_bool(run, ret_values, some.count == in->count);
}

static enum err f_union(struct fhirpath_run *run, const struct fhirpath_node *n,
                        const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct fhirpath_values other = {0};
    enum err err = fhirpath_eval_node(run, n->args, &other);
    if (!err)
        err = push_new(run, in, ret_values);
    return err ? err : push_new(run, &other, ret_values);
}

static enum err f_combine(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct fhirpath_values other = {0};
    enum err err = fhirpath_eval_node(run, n->args, &other);
    if (!err)
        err = push_range(run, in, 0, in->count, ret_values);
    return err ? err : push_range(run, &other, 0, other.count, ret_values);
}

/* Those of IN that are, or are not, in the argument. */
static enum err sift(struct fhirpath_run *run, const struct fhirpath_node *n,
                     const struct fhirpath_values *in, bool wanted,
                     struct fhirpath_values *ret_values)
{
    struct fhirpath_values other = {0};
    enum err err = fhirpath_eval_node(run, n->args, &other);
    for (size_t i = 0; i < in->count && !err; i++) {
        bool among = false;
        err = fhirpath_compare_among(run, &other, &in->items[i], &among);
        if (!err && among == wanted)
            err = fhirpath_eval_push(run, ret_values, &in->items[i]);
    }
    return err;
}

static enum err f_intersect(struct fhirpath_run *run, const struct fhirpath_node *n,
                            const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct fhirpath_values both = {0};
    enum err err = sift(run, n, in, true, &both);
    return err ? err : push_new(run, &both, ret_values);
}

static enum err f_exclude(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    return sift(run, n, in, false, ret_values);
}

static enum err f_not(struct fhirpath_run *run, const struct fhirpath_node *n,
                      const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    bool truth;
    if (in->count == 0)
        return ERR_OK;
    if (fhirpath_truth(in, &truth) != ERR_OK)
        return fhirpath_eval_fail(run, n, ERR_INVALID, "not() found several items",
                                  "not() に複数の値があります");
    return fhirpath_eval_push_bool(run, ret_values, !truth);
}

static bool has_value(const struct fhirpath_values *in)
{
    return in->count == 1 && in->items->kind != FHIRPATH_OBJECT;
}

static enum err f_has_value(struct fhirpath_run *run, const struct fhirpath_node *n,
                            const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    (void)n;
    return fhirpath_eval_push_bool(run, ret_values, has_value(in));
}

static enum err f_get_value(struct fhirpath_run *run, const struct fhirpath_node *n,
                            const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    (void)n;
    if (!has_value(in))
        return ERR_OK;
    struct fhirpath_value v = {.kind = in->items->kind,
                               .truth = in->items->truth,
                               .text = in->items->text,
                               .unit = in->items->unit,
                               .position = -1};
    return fhirpath_eval_push(run, ret_values, &v);
}

static enum err f_is(struct fhirpath_run *run, const struct fhirpath_node *n,
                     const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    if (in->count > 1)
        return fhirpath_eval_fail(run, n, ERR_INVALID, "is() found several items",
                                  "is() に複数の値があります");
    if (in->count == 0)
        return ERR_OK;
    return fhirpath_eval_push_bool(run, ret_values, fhirpath_type_is(in->items, &n->type));
}

/* Also as(): R4's own search parameters use it on elements that repeat. */
static enum err f_of_type(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < in->count && !err; i++) {
        if (fhirpath_type_is(&in->items[i], &n->type))
            err = fhirpath_eval_push(run, ret_values, &in->items[i]);
    }
    return err;
}

static enum err f_children(struct fhirpath_run *run, const struct fhirpath_node *n,
                           const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    enum err err = ERR_OK;
    (void)n;
    for (size_t i = 0; i < in->count && !err; i++)
        err = fhirpath_member_add(run, &in->items[i], SLICE_NONE, ret_values);
    return err;
}

/* The list is its own queue: level after level. */
static enum err f_descendants(struct fhirpath_run *run, const struct fhirpath_node *n,
                              const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    enum err err = f_children(run, n, in, ret_values);
    for (size_t i = 0; i < ret_values->count && !err; i++) {
        struct fhirpath_value item = ret_values->items[i]; /* the array may move */
        err = fhirpath_member_add(run, &item, SLICE_NONE, ret_values);
    }
    return err;
}

static enum err f_extension(struct fhirpath_run *run, const struct fhirpath_node *n,
                            const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct fhirpath_values url = {0};
    struct fhirpath_values all = {0};
    enum err err = fhirpath_eval_node(run, n->args, &url);
    if (!err && (url.count > 1 || (url.count == 1 && url.items->kind != FHIRPATH_STRING)))
        err = fhirpath_eval_fail(run, n, ERR_INVALID, "extension() wants one text",
                                 "extension() の引数は1つの文字列です");
    for (size_t i = 0; i < in->count && url.count == 1 && !err; i++)
        err = fhirpath_member_add(run, &in->items[i], SLICE("extension"), &all);
    for (size_t i = 0; i < all.count && !err; i++) {
        if (slice_eq(json_str(all.items[i].node, "url"), url.items->text))
            err = fhirpath_eval_push(run, ret_values, &all.items[i]);
    }
    return err;
}

static enum err f_has_extension(struct fhirpath_run *run, const struct fhirpath_node *n,
                                const struct fhirpath_values *in,
                                struct fhirpath_values *ret_values)
{
    struct fhirpath_values found = {0};
    enum err err = f_extension(run, n, in, &found);
    return err ? err : fhirpath_eval_push_bool(run, ret_values, found.count > 0);
}

static enum err f_resolve(struct fhirpath_run *run, const struct fhirpath_node *n,
                          const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    enum err err = ERR_OK;
    (void)n;
    for (size_t i = 0; i < in->count && !err; i++)
        err = fhirpath_member_resolve(run, &in->items[i], ret_values);
    return err;
}

/* Only the branch that is taken is evaluated, with the input as $this. */
static enum err f_iif(struct fhirpath_run *run, const struct fhirpath_node *n,
                      const struct fhirpath_values *in, struct fhirpath_values *ret_values)
{
    struct outside outside = enter(run);
    int truth = -1;
    if (in->count > 1)
        return fhirpath_eval_fail(run, n, ERR_INVALID, "iif() found several items",
                                  "iif() に複数の値があります");
    if (in->count == 1 && n->left)
        run->self = in->items[0];
    enum err err = fhirpath_eval_condition(run, n->args, &truth);
    const struct fhirpath_node *branch = truth == 1 ? n->args->next : n->args->next->next;
    if (!err && branch)
        err = fhirpath_eval_node(run, branch, ret_values);
    leave(run, &outside);
    return err;
}

static const struct fhirpath_function functions[] = {
    {"where", 1, 1, false, f_where},
    {"select", 1, 1, false, f_select},
    {"exists", 0, 1, false, f_exists},
    {"all", 1, 1, false, f_all},
    {"empty", 0, 0, false, f_empty},
    {"count", 0, 0, false, f_count},
    {"first", 0, 0, false, f_first},
    {"last", 0, 0, false, f_last},
    {"tail", 0, 0, false, f_tail},
    {"single", 0, 0, false, f_single},
    {"skip", 1, 1, false, f_skip},
    {"take", 1, 1, false, f_take},
    {"distinct", 0, 0, false, f_distinct},
    {"isDistinct", 0, 0, false, f_is_distinct},
    {"union", 1, 1, false, f_union},
    {"combine", 1, 1, false, f_combine},
    {"intersect", 1, 1, false, f_intersect},
    {"exclude", 1, 1, false, f_exclude},
    {"not", 0, 0, false, f_not},
    {"hasValue", 0, 0, false, f_has_value},
    {"getValue", 0, 0, false, f_get_value},
    {"is", 1, 1, true, f_is},
    {"as", 1, 1, true, f_of_type},
    {"ofType", 1, 1, true, f_of_type},
    {"children", 0, 0, false, f_children},
    {"descendants", 0, 0, false, f_descendants},
    {"extension", 1, 1, false, f_extension},
    {"hasExtension", 1, 1, false, f_has_extension},
    {"resolve", 0, 0, false, f_resolve},
    {"iif", 2, 3, false, f_iif},
    {"matches", 1, 1, false, NULL},
    {"replaceMatches", 2, 2, false, NULL},
    {"now", 0, 0, false, NULL},
    {"today", 0, 0, false, NULL},
    {"timeOfDay", 0, 0, false, NULL},
    {"trace", 1, 2, false, NULL},
    {"repeat", 1, 1, false, NULL},
    {"aggregate", 1, 2, false, NULL},
    {"memberOf", 1, 1, false, NULL},
    {"subsumes", 1, 1, false, NULL},
    {"subsumedBy", 1, 1, false, NULL},
    {"conformsTo", 1, 1, false, NULL},
    {"htmlChecks", 0, 0, false, NULL},
    {"elementDefinition", 0, 0, false, NULL},
    {"slice", 2, 2, false, NULL},
    {"checkModifiers", 1, 1, false, NULL},
    {"toDate", 0, 0, false, NULL},
    {"toDateTime", 0, 0, false, NULL},
    {"toTime", 0, 0, false, NULL},
    {"toQuantity", 0, 1, false, NULL},
    {"toChars", 0, 0, false, NULL},
    {"type", 0, 0, false, NULL},
};

const struct fhirpath_function *fhirpath_function_find(struct slice name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (slice_is(name, functions[i].name))
            return &functions[i];
    }
    for (const struct fhirpath_function *f = fhirpath_string_functions; f->name; f++) {
        if (slice_is(name, f->name))
            return f;
    }
    return NULL;
}

enum err fhirpath_function_call(struct fhirpath_run *run, const struct fhirpath_node *n,
                                const struct fhirpath_values *in,
                                struct fhirpath_values *ret_values)
{
    return n->function->call(run, n, in, ret_values);
}
