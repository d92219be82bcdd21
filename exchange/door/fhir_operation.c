/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of operations, and their definitions (see fhir_operation.h). A Parameters resource
 * becomes the text of a form, so that one reader serves GET and POST.
 */
#include "exchange/door/fhir_operation.h"

#include "exchange/door/fhir_form.h"
#include "exchange/door/fhir_page.h"
#include "exchange/gate/refs.h"
#include "exchange/version.h"
#include "mappers/fhir/fold.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

#define ID_PREFIX "tasuki-"
#define TYPE "OperationDefinition"

/* ── rows ────────────────────────────────────────────────────────────────────────────────────── */

static unsigned where_of(enum fhir_shape shape)
{
    switch (shape) {
    case FHIR_SYSTEM_OPERATION:
        return OPERATION_SYSTEM;
    case FHIR_TYPE_OPERATION:
        return OPERATION_TYPE;
    case FHIR_INSTANCE_OPERATION:
    case FHIR_VERSION_OPERATION:
        return OPERATION_INSTANCE;
    default:
        return 0;
    }
}

static bool is_of_type(const struct fhir_operation *op, const char *type)
{
    struct slice rest = slice_str(op->types ? op->types : "");
    if (!op->types || !type)
        return !type && (!op->types || strcmp(op->types, "Resource") == 0);
    while (rest.ptr)
        if (slice_is(slice_cut(&rest, ' '), type))
            return true;
    return false;
}

const struct fhir_operation *fhir_operation_of(const struct fhir_route *route)
{
    unsigned where = where_of(route->shape);
    for (const struct fhir_operation *op = fhir_operations; where && op->name; op++)
        if (strcmp(op->name, route->name) == 0 && (op->where & where) &&
            is_of_type(op, route->type))
            return op;
    return NULL;
}

/* ── parameters ──────────────────────────────────────────────────────────────────────────────── */

static void add_pair(struct buf *out, struct slice name, struct slice first, struct slice second,
                     bool both)
{
    if (out->len)
        buf_addc(out, '&');
    fhir_page_escape(out, name);
    buf_addc(out, '=');
    fhir_page_escape(out, first);
    if (both)
        buf_adds(out, "%7C");
    fhir_page_escape(out, second);
}

/* A value that has a text: a primitive, an identifier, a code, a reference. */
static void add_value(struct buf *out, struct slice name, const struct json *value)
{
    struct slice system = json_str(value, "system");
    switch (value->kind) {
    case JSON_STRING:
    case JSON_NUMBER:
        add_pair(out, name, value->text, SLICE_NONE, false);
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        add_pair(out, name, slice_str(value->kind == JSON_TRUE ? "true" : "false"), SLICE_NONE,
                 false);
        return;
    case JSON_OBJECT:
        if (json_str(value, "reference").len)
            add_pair(out, name, json_str(value, "reference"), SLICE_NONE, false);
        else if (json_str(value, "code").len)
            add_pair(out, name, system, json_str(value, "code"), system.len > 0);
        else if (json_str(value, "value").len)
            add_pair(out, name, system, json_str(value, "value"), system.len > 0);
        return;
    default:
        return;
    }
}

/* An operation that asks for a resource may be given it as it is (R4 operations.html#request). */
static bool is_own_resource(const struct fhir_operation *op, const struct json *body)
{
    for (const struct fhir_operation_param *p = op ? op->params : NULL; p && p->name; p++)
        if (!p->out && p->type && strcmp(p->name, "resource") == 0 &&
            slice_is(json_str(body, "resourceType"), p->type))
            return true;
    return false;
}

static enum err take_body(struct request *r, const struct fhir_operation *op)
{
    struct fhir_input *in = r->input;
    struct buf text;
    enum err err = fhir_form_parse(r);
    if (!err && is_own_resource(op, in->resource))
        return validate_resource(in->resource, json_str(in->resource, "resourceType"), &r->errors);
    if (!err && !slice_is(json_str(in->resource, "resourceType"), "Parameters"))
        err = err_add(&r->errors, ERR_INVALID, "resourceType", "Parameters");
    if (!err)
        err = validate_resource(in->resource, SLICE("Parameters"), &r->errors);
    if (err)
        return err;
    buf_init(&text, LIMIT_HTTP_BODY * 3);
    const struct json *list = json_get(in->resource, "parameter");
    for (const struct json *p = list ? list->first : NULL; p; p = p->next)
        for (const struct json *m = p->first; m; m = m->next)
            if (slice_starts(m->key, SLICE("value")))
                add_value(&text, json_str(p, "name"), m);
    err = buf_err(&text);
    in->form = arena_dup(r->arena, buf_slice(&text));
    buf_fini(&text);
    if (!err)
        err = fhir_form_params(r, in->form);
    return err && in->refusal_place ? err_add(&r->errors, err, in->refusal_place, NULL) : err;
}

static const char *valid_names(struct request *r, const struct fhir_operation *op)
{
    const char *text = "";
    for (const struct fhir_operation_param *p = op->params; p->name; p++)
        if (!p->out && !p->part_of)
            text = arena_printf(r->arena, "%s%s, ", text, p->name);
    return arena_printf(r->arena, "%s_format, _pretty", text);
}

static unsigned times_given(const struct fhir_input *in, const char *name)
{
    unsigned n = 0;
    for (unsigned i = 0; i < in->param_count; i++)
        n += slice_is(in->params[i].name, name);
    return n;
}

static bool is_parameter(const struct fhir_operation *op, struct slice name)
{
    bool pages = false;
    for (const struct fhir_operation_param *p = op->params; p->name; p++) {
        if (!p->out && slice_is(name, p->name))
            return true;
        pages = pages || strcmp(p->name, "_count") == 0;
    }
    return pages && slice_is(name, "_cursor");
}

enum err fhir_operation_names(struct request *r, const struct json *parameters)
{
    const struct fhir_input *in = r->input;
    const struct fhir_operation *op = fhir_operation_of(in->route);
    const struct json *list = json_get(parameters, "parameter");
    for (const struct json *p = list ? list->first : NULL; p && !in->lenient; p = p->next)
        if (!is_parameter(op, json_str(p, "name")))
            return err_add(&r->errors, ERR_UNKNOWN_PARAM,
                           arena_printf(r->arena, "%.*s", SLICE_ARG(json_str(p, "name"))), "%s",
                           valid_names(r, op));
    return ERR_OK;
}

/* Values that only a body can hold are the operation's own to ask for. */
static bool has_text(const struct fhir_operation_param *p)
{
    return strcmp(p->type, "Resource") != 0 && strcmp(p->type, "Patient") != 0 &&
           strcmp(p->type, "Meta") != 0;
}

static enum err check_params(struct request *r, const struct fhir_operation *op)
{
    const struct fhir_input *in = r->input;
    for (unsigned i = 0; i < in->param_count; i++) {
        const struct fhir_param *p = &in->params[i];
        if (fhir_param_is_format(p) || is_parameter(op, p->name) || op->search || in->lenient)
            continue;
        return err_add(&r->errors, ERR_UNKNOWN_PARAM,
                       arena_printf(r->arena, "%.*s", SLICE_ARG(p->name)), "%s",
                       valid_names(r, op));
    }
    for (const struct fhir_operation_param *p = op->params; p->name; p++) {
        unsigned n = p->out || p->part_of ? 0 : times_given(in, p->name);
        if (n > 1 && strcmp(p->max, "1") == 0 && !p->out)
            return err_add_words(&r->errors, ERR_BAD_PARAM, p->name, "given more than once",
                                 "複数指定されています");
        if (!p->out && !p->part_of && p->min > n && has_text(p))
            return err_add_words(&r->errors, ERR_BAD_PARAM, p->name, "is required", "必須です");
    }
    return ERR_OK;
}

enum err fhir_operation_params(struct request *r)
{
    const struct fhir_input *in = r->input;
    const struct fhir_operation *op = in->route ? fhir_operation_of(in->route) : NULL;
    if (!in->route) /* a page of the portal asks, with nothing to check */
        return fhir_params(r);
    enum err err = r->body.len && slice_is(r->method, "POST") ? take_body(r, op) : ERR_OK;
    if (!err)
        err = fhir_params(r);
    if (err)
        return err;
    return op ? check_params(r, op) : ERR_INTERNAL;
}

struct slice fhir_operation_value(const struct fhir_input *in, const char *name)
{
    for (unsigned i = 0; i < in->param_count; i++)
        if (slice_is(in->params[i].name, name))
            return in->params[i].value;
    return SLICE_NONE;
}

/* ── definitions ─────────────────────────────────────────────────────────────────────────────── */

const char *fhir_operation_id(struct arena *arena, const struct fhir_operation *operation)
{
    struct slice type = slice_str(operation->types ? operation->types : "System");
    type = slice_sub(type, 0, slice_find(type, ' ', 0));
    const char *id = arena_printf(arena, ID_PREFIX "%.*s-%s", SLICE_ARG(type), operation->name);
    return id ? id : "";
}

const char *fhir_operation_url(struct arena *arena, const char *base_url,
                               const struct fhir_operation *operation)
{
    return arena_printf(arena, "%s/" TYPE "/%s", base_url, fhir_operation_id(arena, operation));
}

static const struct fhir_operation *by_id(struct arena *arena, struct slice id)
{
    if (!slice_starts(id, SLICE(ID_PREFIX)))
        return NULL;
    for (const struct fhir_operation *op = fhir_operations; op->name; op++)
        if (slice_is(id, fhir_operation_id(arena, op)))
            return op;
    return NULL;
}

bool fhir_operation_is_ours(struct arena *arena, struct slice type, struct slice id)
{
    return slice_is(type, TYPE) && by_id(arena, id);
}

/* A name that programs can use: "PatientEverything". */
static const char *computable_name(struct arena *arena, const struct fhir_operation *op)
{
    struct slice own = slice_str(fhir_operation_id(arena, op)), prefix = SLICE(ID_PREFIX);
    const char *id = slice_starts(own, prefix) ? own.ptr + prefix.len : own.ptr;
    char *name = arena_alloc(arena, own.len + 1), *out = name;
    bool upper = true;
    for (; name && *id; id++) {
        if (*id != '-')
            *out++ = upper && *id >= 'a' && *id <= 'z' ? (char)(*id - 'a' + 'A') : *id;
        upper = *id == '-';
    }
    if (name)
        *out = '\0';
    return name ? name : "";
}

static void put_param(struct arena *a, struct json *list, const struct fhir_operation *op,
                      const struct fhir_operation_param *p)
{
    struct json *item = json_push_object(a, list);
    json_put_text(a, item, "name", p->name);
    json_put_text(a, item, "use", p->out ? "out" : "in");
    json_put_int(a, item, "min", p->min);
    json_put_text(a, item, "max", p->max);
    json_put_text(a, item, "documentation", arena_printf(a, "%s / %s", p->ja, p->en));
    if (p->type) {
        json_put_text(a, item, "type", p->type);
        if (p->search)
            json_put_text(a, item, "searchType", p->search);
        return;
    }
    struct json *parts = json_put_array(a, item, "part");
    for (const struct fhir_operation_param *part = op->params; part->name; part++)
        if (part->part_of && strcmp(part->part_of, p->name) == 0)
            put_param(a, parts, op, part);
}

static struct json *definition(struct request *r, const struct fhir_operation *op)
{
    struct arena *a = r->arena;
    struct json *d = json_new(a, JSON_OBJECT);
    struct slice rest = slice_str(op->types ? op->types : "Resource");
    json_put_text(a, d, "resourceType", TYPE);
    json_put_text(a, d, "url", fhir_operation_url(a, r->base_url, op));
    json_put_text(a, d, "version", TASUKI_VERSION);
    json_put_text(a, d, "name", computable_name(a, op));
    json_put_text(a, d, "title", arena_printf(a, "$%s", op->name));
    json_put_text(a, d, "status", "active");
    json_put_text(a, d, "kind", "operation");
    json_put_text(a, d, "publisher", "Tasuki");
    json_put_text(a, d, "description", arena_printf(a, "%s / %s", op->ja, op->en));
    json_put_bool(a, d, "affectsState", op->affects_state);
    json_put_text(a, d, "code", op->name);
    if (op->base)
        json_put_text(a, d, "base", op->base);
    struct json *types = json_put_array(a, d, "resource");
    while (rest.ptr)
        json_push(types, json_string(a, slice_cut(&rest, ' ')));
    json_put_bool(a, d, "system", op->where & OPERATION_SYSTEM);
    json_put_bool(a, d, "type", op->where & OPERATION_TYPE);
    json_put_bool(a, d, "instance", op->where & OPERATION_INSTANCE);
    struct json *params = json_put_array(a, d, "parameter");
    for (const struct fhir_operation_param *p = op->params; p->name; p++)
        if (!p->part_of)
            put_param(a, params, op, p);
    return d;
}

/* In the form that stored records have, so that they are printed the same way. */
static enum err make_record(struct request *r, const struct fhir_operation *op,
                            struct record *ret_record)
{
    struct slice body = SLICE_NONE;
    enum err err = refs_body(r->arena, definition(r, op), &body);
    if (err)
        return arena_exhausted(r->arena) ? ERR_LIMIT : err;
    *ret_record = (struct record){.type = SLICE(TYPE),
                                  .id = slice_str(fhir_operation_id(r->arena, op)),
                                  .version = 1,
                                  .updated_ms = r->exchange->started_ms,
                                  .body = body};
    return ERR_OK;
}

enum err fhir_operation_record(struct request *r, struct slice id, struct record *ret_record)
{
    const struct fhir_operation *op = by_id(r->arena, id);
    return op ? make_record(r, op, ret_record) : ERR_NOT_FOUND;
}

/* ── search ──────────────────────────────────────────────────────────────────────────────────── */

static bool is_url(struct request *r, const struct fhir_operation *op, struct slice value)
{
    return slice_is(value, fhir_operation_url(r->arena, r->base_url, op)) ||
           (op->base && slice_is(value, op->base));
}

static bool is_name(struct request *r, const struct fhir_operation *op, struct slice value)
{
    struct slice name = fold_text(r->arena, slice_str(computable_name(r->arena, op)));
    return slice_starts(name, fold_text(r->arena, value));
}

static bool is_code(struct request *r, const struct fhir_operation *op, struct slice value)
{
    (void)r;
    return slice_is(value, op->name);
}

static bool is_id(struct request *r, const struct fhir_operation *op, struct slice value)
{
    return slice_is(value, fhir_operation_id(r->arena, op));
}

static bool is_active(struct request *r, const struct fhir_operation *op, struct slice value)
{
    (void)r;
    (void)op;
    return slice_is(value, "active");
}

static bool is_kind(struct request *r, const struct fhir_operation *op, struct slice value)
{
    (void)r;
    (void)op;
    return slice_is(value, "operation");
}

static const struct {
    const char *name;
    bool (*is)(struct request *r, const struct fhir_operation *op, struct slice value);
} searches[] = {{"url", is_url}, {"name", is_name},     {"code", is_code},
                {"_id", is_id},  {"status", is_active}, {"kind", is_kind}};

/* Parameters that do not choose. */
static bool only_shapes(const struct fhir_param *p)
{
    static const char *const names[] = {"_count", "_summary", "_elements", "_total", "_cursor"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_is(p->name, names[i]))
            return true;
    return fhir_param_is_format(p);
}

static bool passes(struct request *r, const struct fhir_operation *op, const struct fhir_param *p)
{
    for (size_t i = 0; i < sizeof(searches) / sizeof(*searches); i++) {
        struct slice rest = p->value;
        if (!slice_is(p->name, searches[i].name) || p->modifier.len)
            continue;
        while (rest.ptr)
            if (searches[i].is(r, op, slice_cut(&rest, ',')))
                return true;
    }
    return only_shapes(p);
}

enum err fhir_operation_search(struct request *r, struct record **ret_records, size_t *ret_count)
{
    const struct fhir_input *in = r->input;
    size_t room = 0, n = 0;
    enum err err = ERR_OK;
    while (fhir_operations[room].name)
        room++;
    struct record *records = arena_array(r->arena, room, sizeof(*records));
    if (!records)
        return ERR_LIMIT;
    for (const struct fhir_operation *op = fhir_operations; op->name && !err; op++) {
        bool all = true;
        for (unsigned i = 0; i < in->param_count && all; i++)
            all = passes(r, op, &in->params[i]);
        if (all)
            err = make_record(r, op, &records[n++]);
    }
    *ret_records = records;
    *ret_count = n;
    return err;
}
