/* SPDX-License-Identifier: Apache-2.0
 *
 * Kick-off parameters (see export_query.h): one row per parameter. _typeFilter holds whole searches, separated by commas
 * that may stand in their values too: a comma separates where a type and a question mark follow it.
 */
#include "exchange/push/export_query.h"

#include <ctype.h>

#include "exchange/door/fhir_query.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define TYPES_MAX 200

struct reading {
    struct session *s;
    struct request *r;
    struct export_query *out;
};

static bool is_type(struct slice name)
{
    const struct definition_type *type = definition_type(name);
    return type && type->kind == DEFINITION_RESOURCE && !slice_is(name, "AuditEvent");
}

static enum err read_types(struct reading *in, struct slice value)
{
    struct export_query *q = in->out;
    struct slice rest = value;
    if (!q->types && !(q->types = arena_array(in->r->arena, TYPES_MAX, sizeof(*q->types))))
        return ERR_LIMIT;
    while (rest.ptr) {
        struct slice name = slice_trim(slice_cut(&rest, ','));
        if (!is_type(name) || q->type_count == TYPES_MAX)
            return err_add(&in->r->errors, ERR_BAD_PARAM, "_type", "%.*s", SLICE_ARG(name));
        q->types[q->type_count++] = name;
    }
    return ERR_OK;
}

static enum err read_since(struct reading *in, struct slice value)
{
    struct when when;
    if (!when_parse_fhir(value, false, &when) || slice_find(value, 'T', 0) == value.len)
        return err_add(&in->r->errors, ERR_BAD_PARAM, "_since", "2026-01-31T00:00:00+09:00");
    in->out->since_given = true;
    in->out->since_ms = when.lo_ms;
    return ERR_OK;
}

static enum err read_format(struct reading *in, struct slice value)
{
    static const char *const names[] = {"application/fhir+ndjson", "application/ndjson", "ndjson"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(value, names[i]))
            return ERR_OK;
    return err_add(&in->r->errors, ERR_BAD_PARAM, "_outputFormat", "application/fhir+ndjson");
}

/* Where the search that begins TEXT ends. */
static size_t filter_end(struct slice text)
{
    for (size_t i = slice_find(text, ',', 0); i < text.len; i = slice_find(text, ',', i + 1)) {
        struct slice rest = slice_sub(text, i + 1, text.len);
        size_t question = slice_find(rest, '?', 0);
        if (question < rest.len && is_type(slice_sub(rest, 0, question)))
            return i;
    }
    return text.len;
}

static enum err read_filters(struct reading *in, struct slice value)
{
    struct export_query *q = in->out;
    enum err err = ERR_OK;
    if (!q->filters &&
        !(q->filters = arena_array(in->r->arena, LIMIT_SEARCH_PARAMS, sizeof(*q->filters))))
        return ERR_LIMIT;
    while (value.len && !err) {
        struct slice one = slice_sub(value, 0, filter_end(value));
        value = slice_sub(value, one.len + 1, value.len);
        size_t question = slice_find(one, '?', 0);
        struct slice type = slice_sub(one, 0, question);
        if (question == one.len || !is_type(type) || q->filter_count == LIMIT_SEARCH_PARAMS)
            return err_add(&in->r->errors, ERR_BAD_PARAM, "_typeFilter", "%.*s", SLICE_ARG(one));
        struct export_filter *f = &q->filters[q->filter_count++];
        f->type = type;
        err = fhir_query_parse(in->s, in->r, type, slice_sub(one, question + 1, one.len),
                               &f->search);
    }
    return err;
}

static const struct {
    const char *name;
    enum err (*read)(struct reading *in, struct slice value); /* NULL: nothing to do */
} params[] = {
    {"_type", read_types},           {"_since", read_since}, {"_typeFilter", read_filters},
    {"_outputFormat", read_format},  {"_format", NULL},
};
#define PARAM_COUNT (sizeof(params) / sizeof(params[0]))

static enum err read_pair(struct reading *in, struct slice name, struct slice value, bool lenient)
{
    for (size_t i = 0; i < PARAM_COUNT; i++)
        if (slice_is(name, params[i].name))
            return params[i].read ? params[i].read(in, value) : ERR_OK;
    if (lenient)
        return ERR_OK;
    return err_add(&in->r->errors, ERR_UNKNOWN_PARAM,
                   arena_printf(in->r->arena, "%.*s", SLICE_ARG(name)),
                   "_type, _since, _typeFilter, _outputFormat");
}

enum err export_query_read(struct session *s, struct request *r, struct slice query, bool lenient,
                           struct export_query *ret_query)
{
    struct export_query out = {0};
    struct reading in = {s, r, &out};
    int64_t person = r->person;
    enum err err = ERR_OK;
    for (struct slice rest = query; rest.ptr && rest.len && !err;) {
        struct slice pair = slice_cut(&rest, '&'), name, value;
        if (!pair.len)
            continue;
        name = slice_sub(pair, 0, slice_find(pair, '=', 0));
        value = slice_sub(pair, name.len + 1, pair.len);
        if (!http1_decode(r->arena, name, true, &name) || !http1_decode(r->arena, value, true, &value))
            return err_add(&r->errors, ERR_BAD_PARAM, "", "escapes");
        err = read_pair(&in, name, value, lenient);
    }
    r->person = person; /* whom a filter names is no disclosure */
    if (!err)
        *ret_query = out;
    return err;
}

static void add_encoded(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (isalnum(c) || c == '_' || c == '-' || c == '.')
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

enum err export_query_body(struct request *r, const struct json *parameters,
                           struct slice *ret_query)
{
    const struct json *list = json_get(parameters, "parameter");
    struct buf text;
    if (!slice_is(json_str(parameters, "resourceType"), "Parameters"))
        return err_add(&r->errors, ERR_INVALID, "", "Parameters");
    buf_init(&text, LIMIT_HTTP_LINE);
    for (const struct json *p = list ? list->first : NULL; p; p = p->next) {
        struct slice value = SLICE_NONE;
        for (const struct json *v = p->first; v; v = v->next)
            if (slice_starts(v->key, SLICE("value")))
                value = v->text;
        buf_adds(&text, text.len ? "&" : "");
        add_encoded(&text, json_str(p, "name"));
        buf_addc(&text, '=');
        add_encoded(&text, value);
    }
    enum err err = buf_err(&text);
    *ret_query = arena_dup(r->arena, buf_slice(&text));
    buf_fini(&text);
    return err;
}
