/* SPDX-License-Identifier: Apache-2.0
 *
 * The constraints of a profile's elements (ElementDefinition.constraint), by their FHIRPath. Those
 * that R4's own types carry are left to invariant.h. An expression outside the subset of
 * fhirpath.h, or one that cannot be evaluated here, is told as not checked.
 */
#include "base/limits.h"
#include "mappers/fhir/fhirpath.h"
#include "mappers/fhir/invariant.h"
#include "mappers/fhir/profile_impl.h"

#include "base/banned.h"

#define HUMAN_SHOWN 300 /* bytes of a constraint's own text in a message */

/* A constraint compiled once in a run; PATH is NULL when it cannot be. */
struct profile_rule {
    const struct json *constraint;
    struct fhirpath *path;
    struct profile_rule *next;
};

static enum err find_rule(struct profile_run *run, const struct json *constraint,
                          const struct profile_rule **ret_rule)
{
    struct slice expression = json_str(constraint, "expression");
    struct fhirpath_fault fault = {0};
    struct profile_rule *rule = run->rules;
    while (rule && rule->constraint != constraint)
        rule = rule->next;
    if (!rule) {
        rule = ARENA_NEW(run->arena, struct profile_rule);
        if (!rule)
            return ERR_LIMIT;
        *rule = (struct profile_rule){constraint, NULL, run->rules};
        run->rules = rule;
        if (expression.len && fhirpath_compile(run->arena, expression, &rule->path, &fault))
            rule->path = NULL;
    }
    *ret_rule = rule;
    return ERR_OK;
}

/* Does the rule hold for ITEM? *RET_KNOWN: could that be worked out? */
static bool holds(struct profile_run *run, const struct profile_rule *rule,
                  const struct profile_item *item, bool *ret_known)
{
    struct fhirpath_value focus =
        fhirpath_member_value(profile_item_type(item), (struct json *)(uintptr_t)item->value,
                              (struct json *)(uintptr_t)item->beside);
    struct fhirpath_scene scene = {.resource = (struct json *)(uintptr_t)run->root,
                                   .focus = &focus,
                                   .steps = &run->rule_steps};
    struct fhirpath_values values = {0};
    struct fhirpath_fault fault = {0};
    bool truth = false;
    *ret_known = rule->path && !fhirpath_eval(rule->path, run->arena, &scene, &values, &fault) &&
                 !fhirpath_truth(&values, &truth);
    return truth;
}

static void say_broken(struct profile_run *run, const struct json *constraint,
                       const struct profile_item *item)
{
    bool warning = slice_is(json_str(constraint, "severity"), "warning");
    struct slice key = json_str(constraint, "key"), human = json_str(constraint, "human");
    struct slice shown = slice_sub(human, 0, HUMAN_SHOWN);
    shown = slice_sub(shown, 0, slice_utf8_len(shown));
    const char *text = arena_printf(run->arena, "%.*s: %.*s", SLICE_ARG(key), SLICE_ARG(shown));
    profile_say(run, warning ? ERR_SEVERITY_WARNING : ERR_SEVERITY_ERROR, ERR_INVARIANT,
                &item->place, text, text);
}

static enum err check_constraint(struct profile_run *run, const struct json *constraint,
                                 const struct profile_item *item)
{
    const struct profile_rule *rule = NULL;
    bool known = false, unknown = run->unknown;
    if (invariant_known(json_str(constraint, "key")))
        return ERR_OK;
    enum err err = find_rule(run, constraint, &rule);
    if (err)
        return err;
    if (!holds(run, rule, item, &known) && known)
        say_broken(run, constraint, item);
    if (!known)
        profile_unchecked(run, &item->place, "the constraint", "制約", json_str(constraint, "key"));
    run->unknown = unknown;
    return ERR_OK;
}

enum err profile_rule_check(struct profile_run *run, const struct profile_node *node,
                            const struct profile_item *item)
{
    enum err err = ERR_OK;
    if (run->silent)
        return ERR_OK; /* they sort nothing into slices */
    for (const struct profile_layer *l = node->layers; l && !err; l = l->older) {
        const struct json *list = json_get(l->element, "constraint");
        for (const struct json *c = list ? list->first : NULL; c && !err; c = c->next)
            err = check_constraint(run, c, item);
    }
    return err;
}
