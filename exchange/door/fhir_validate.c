/* SPDX-License-Identifier: Apache-2.0
 *
 * $validate (R4 resource-operation-validate.html): what a write would say, and what the profiles
 * say, without storing anything. The verdict is the answer, 200 with an OperationOutcome; only what
 * is wrong with the question itself is refused. With a mode, the interaction's own look runs, so
 * that the verdict cannot differ from it.
 */
#include "exchange/door/fhir.h"
#include "exchange/door/fhir_canonical.h"
#include "exchange/door/fhir_form.h"
#include "exchange/gate/own_id.h"
#include "exchange/gate/refs.h"
#include "mappers/fhir/claims.h"
#include "mappers/fhir/outcome.h"
#include "mappers/fhir/profile.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

#define EVERYBODY ((1u << GRANT_FACILITY) | (1u << GRANT_RESIDENT) | (1u << GRANT_OPERATOR))

struct question {
    struct slice mode, profile;
    struct json *resource;
};

/* ── the question ────────────────────────────────────────────────────────────────────────────── */

static enum err read_params(struct request *r, struct question *q)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_params(r);
    for (unsigned i = 0; i < in->param_count && !err; i++) {
        const struct fhir_param *p = &in->params[i];
        if (slice_is(p->name, "mode"))
            q->mode = p->value;
        else if (slice_is(p->name, "profile"))
            q->profile = p->value;
        else if (!fhir_param_is_format(p) && !in->lenient)
            err = err_add(&r->errors, ERR_UNKNOWN_PARAM,
                          arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)),
                          "mode, profile, _format");
    }
    return err;
}

static struct slice text_of(const struct json *parameter)
{
    for (const struct json *m = parameter->first; m; m = m->next)
        if (slice_starts(m->key, SLICE("value")))
            return m->text;
    return SLICE_NONE;
}

static bool wraps_resource(const struct json *body)
{
    const struct json *list = json_get(body, "parameter");
    for (const struct json *p = list ? list->first : NULL; p; p = p->next)
        if (slice_is(json_str(p, "name"), "resource") || slice_is(json_str(p, "name"), "mode"))
            return true;
    return false;
}

/* Takes mode, profile and resource out of the operation's Parameters. */
static enum err read_parameters(struct request *r, struct json *body, struct question *q)
{
    struct json *list = json_get(body, "parameter");
    enum err err = validate_resource(body, SLICE("Parameters"), &r->errors);
    q->resource = NULL;
    if (err && json_path(list, "0", "resource", NULL) == NULL)
        return err;
    err_list_init(&r->errors, r->arena); /* what is wrong with the resource is said once, below */
    for (struct json *p = list->first; p; p = p->next) {
        if (slice_is(json_str(p, "name"), "resource"))
            q->resource = json_get(p, "resource");
        else if (slice_is(json_str(p, "name"), "mode"))
            q->mode = text_of(p);
        else if (slice_is(json_str(p, "name"), "profile"))
            q->profile = text_of(p);
        else
            return err_add(&r->errors, ERR_UNKNOWN_PARAM,
                           arena_printf(r->arena, "%.*s", SLICE_ARG(json_str(p, "name"))),
                           "resource, mode, profile");
    }
    return ERR_OK;
}

static enum err read_body(struct request *r, struct question *q)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_form_parse(r);
    if (err)
        return err;
    q->resource = in->resource;
    if (slice_is(json_str(q->resource, "resourceType"), "Parameters") &&
        wraps_resource(q->resource))
        err = read_parameters(r, q->resource, q);
    return err;
}

/* What is stored, as this reader sees it. */
static enum err read_stored(struct session *s, struct request *r, struct question *q)
{
    struct fhir_input *in = r->input;
    struct json_fault fault;
    struct record record;
    struct buf text;
    int64_t person = 0;
    enum err err;
    if (slice_is(in->type, "Patient")) {
        err = fhir_instance_person(s, r, &person);
        if (!err)
            err = record_read_patient(s, r->arena, person, &record);
    } else {
        err = own_id_read(s, r, in->type, in->id, &record);
    }
    if (err)
        return err;
    r->person = record.person;
    r->count = 1;
    buf_init(&text, LIMIT_HTTP_ANSWER);
    err = refs_outward(s, r, &record, &text);
    struct slice kept = arena_dup(r->arena, buf_slice(&text));
    buf_fini(&text);
    return err ? err : json_parse(r->arena, kept, &q->resource, &fault);
}

/* ── the verdict ─────────────────────────────────────────────────────────────────────────────── */

static enum err check_profile(struct request *r, const struct question *q,
                              const struct canonical_source *source)
{
    struct fhir_input *in = r->input;
    struct json *profile = NULL;
    if (!q->profile.len || claims_is_core(q->profile, in->type))
        return ERR_OK;
    enum err err = source->resolve(source->context, "StructureDefinition", q->profile, &profile);
    if (err == ERR_NOT_FOUND)
        return err_add_words(&r->errors, err, "profile", "this profile is not stored here",
                             "このプロファイルは保存されていません");
    if (!err)
        err = profile_check(q->resource, profile, source, &r->errors);
    if (err == ERR_NOT_SUPPORTED || err == ERR_TOO_DEEP)
        err = err_add_words(&r->errors, err, "profile", "the stored profile cannot be used",
                            "保存されたプロファイルを使えません");
    return err;
}

static const struct use *use_of(const struct question *q)
{
    static const struct {
        const char *mode;
        const struct use *use;
    } modes[] = {
        {"create", &fhir_use_create}, {"update", &fhir_use_update}, {"delete", &fhir_use_delete}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (slice_is(q->mode, modes[i].mode))
            return modes[i].use;
    return NULL;
}

/* Runs the look of the interaction itself on a copy of the resource, and keeps its errors. */
static enum err ask_interaction(struct session *s, struct request *r, const struct question *q)
{
    struct fhir_input *in = r->input;
    const struct use *use = use_of(q);
    struct err_list errors = r->errors;
    if (!use)
        return ERR_OK;
    if (!in->id.len && use == &fhir_use_update)
        in->id = json_str(q->resource, "id");
    in->query = in->form = SLICE_NONE;
    in->resource = json_clone(r->arena, q->resource);
    in->checked = true;
    err_list_init(&r->errors, r->arena);
    enum err err = use->look(s, r);
    struct err_list said = r->errors;
    r->errors = errors;
    if (err && !said.errors)
        (void)err_add(&r->errors, err, "", NULL);
    for (const struct err_item *i = said.first; i; i = i->next)
        if (i->severity == ERR_SEVERITY_ERROR)
            (void)err_say(&r->errors, i->severity, i->code, i->place, i->en, i->ja);
    return err == ERR_LIMIT || err == ERR_IO || err == ERR_UNAVAILABLE ? err : ERR_OK;
}

/* A verdict is no failure of the request. */
static bool is_failure(enum err err)
{
    return err == ERR_LIMIT || err == ERR_IO || err == ERR_UNAVAILABLE || err == ERR_TIMEOUT ||
           err == ERR_INTERNAL;
}

static enum err judge(struct session *s, struct request *r, const struct question *q)
{
    struct fhir_input *in = r->input;
    struct fhir_canonical_context context = {s, r};
    struct canonical_source source = fhir_canonical_source(&context);
    enum err err = ERR_OK, profiles;
    if (q->resource) {
        err = validate_resource(q->resource, in->type, &r->errors);
        if (is_failure(err))
            return err;
    }
    if (q->resource && !err) {
        profiles = check_profile(r, q, &source);
        if (!is_failure(profiles))
            profiles = claims_check(q->resource, &source, &r->errors);
        if (is_failure(profiles))
            return profiles;
    }
    return err ? ERR_OK : ask_interaction(s, r, q);
}

static enum err validate_look(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct question q = {0};
    bool on_stored = false;
    enum err err = read_params(r, &q);
    r->entity = in->id.len ? fhir_entity(r, in->type, in->id) : arena_str(r->arena, in->type);
    if (!err && r->body.len)
        err = read_body(r, &q);
    if (!err && q.mode.len && !use_of(&q) && !slice_is(q.mode, "profile"))
        err = err_add(&r->errors, ERR_BAD_PARAM, "mode", "create, update, delete, profile");
    if (!err && slice_is(q.mode, "profile") && !q.profile.len)
        err = err_add(&r->errors, ERR_REQUIRED, "profile", NULL);
    on_stored = !q.resource && in->id.len && !slice_is(q.mode, "delete");
    if (!err && on_stored)
        err = read_stored(s, r, &q);
    if (!err && !q.resource && !slice_is(q.mode, "delete"))
        err = err_add(&r->errors, ERR_REQUIRED, "resource", NULL);
    if (!err)
        err = judge(s, r, &q);
    return err ? err : fhir_answer_json(r, outcome_json(r->arena, ERR_OK, &r->errors));
}

const struct use fhir_use_validate = {
    .event = "validate", .actors = EVERYBODY, .look = validate_look};
