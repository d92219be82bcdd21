/* SPDX-License-Identifier: Apache-2.0
 *
 * The doors of the FHIRPath compiler: bounds are checked here, and a fault always has a place and a
 * text. Lexing, parsing, members, comparing, functions and evaluation have files of their own.
 */
#include "mappers/fhir/fhirpath_impl.h"

#include "base/limits.h"

#include "base/banned.h"

/* Tells what went wrong, also where nobody on the way said it. */
static enum err tell(enum err err, const struct fhirpath_fault *fault,
                     struct fhirpath_fault *ret_fault)
{
    struct fhirpath_fault said = *fault;
    if (!said.en) {
        said.en = err_en(err);
        said.ja = err_ja(err);
    }
    if (said.column == 0)
        said.column = 1;
    if (ret_fault)
        *ret_fault = said;
    return err;
}

enum err fhirpath_compile(struct arena *arena, struct slice text, struct fhirpath **ret_path,
                          struct fhirpath_fault *ret_fault)
{
    struct fhirpath_fault fault = {0};
    struct fhirpath_node *root = NULL;
    if (text.len > LIMIT_FHIRPATH_TEXT)
        return tell(ERR_TOO_LARGE, &fault, ret_fault);
    if (!slice_is_utf8(text))
        return tell(ERR_CHARSET, &fault, ret_fault);
    struct fhirpath *path = ARENA_NEW(arena, struct fhirpath);
    struct slice copy = arena_dup(arena, text);
    if (!path || (text.len > 0 && !copy.ptr))
        return tell(ERR_LIMIT, &fault, ret_fault);
    enum err err = fhirpath_parse_text(arena, copy, &root, &fault);
    if (err)
        return tell(err, &fault, ret_fault);
    path->root = root;
    *ret_path = path;
    return ERR_OK;
}

enum err fhirpath_eval(const struct fhirpath *path, struct arena *arena,
                       const struct fhirpath_scene *scene, struct fhirpath_values *ret_values,
                       struct fhirpath_fault *ret_fault)
{
    struct fhirpath_values values = {0};
    struct fhirpath_run run = {.arena = arena,
                               .scene = scene,
                               .root = fhirpath_member_root(scene->resource),
                               .index = -1,
                               .steps = scene->steps ? *scene->steps : LIMIT_FHIRPATH_STEPS};
    run.self = scene->focus ? *scene->focus : run.root;
    enum err err = path->root ? fhirpath_eval_node(&run, path->root, &values)
                              : fhirpath_eval_push(&run, &values, &run.self);
    if (scene->steps)
        *scene->steps = run.steps;
    if (err)
        return tell(err, &run.fault, ret_fault);
    *ret_values = values;
    return ERR_OK;
}

bool fhirpath_split(const struct fhirpath *path, struct fhirpath *ret_owner, struct slice *ret_name)
{
    const struct fhirpath_node *last = path->root;
    if (!last || last->op != FHIRPATH_OP_MEMBER)
        return false;
    ret_owner->root = last->left;
    *ret_name = last->name;
    return true;
}

enum err fhirpath_truth(const struct fhirpath_values *values, bool *ret_truth)
{
    if (values->count > 1)
        return ERR_INVALID;
    const struct fhirpath_value *only = values->count == 1 ? values->items : NULL;
    *ret_truth = only && (only->kind != FHIRPATH_BOOLEAN || only->truth);
    return ERR_OK;
}
