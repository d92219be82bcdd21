/* SPDX-License-Identifier: Apache-2.0
 *
 * Links and audit rows of answers in pages (see fhir_page.h); the cursor is fhir_cursor.c.
 */
#include "exchange/door/fhir_page.h"

#include "base/banned.h"

void fhir_page_escape(struct buf *out, struct slice text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/,";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c && memchr(plain, c, sizeof(plain) - 1))
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static void add_segment(struct buf *out, struct slice text)
{
    if (!text.len)
        return;
    buf_addc(out, '/');
    if (slice_is(text, "*"))
        buf_addc(out, '*');
    else
        fhir_page_escape(out, text);
}

static void add_path(struct request *r, struct buf *out)
{
    const struct fhir_input *in = r->input;
    buf_adds(out, r->base_url);
    add_segment(out, in->type);
    add_segment(out, in->id);
    add_segment(out, in->inner);
    if (in->name.len)
        buf_addf(out, "/$%.*s", SLICE_ARG(in->name));
    if (fhir_is_history(in))
        buf_adds(out, "/_history");
}

static struct slice page_url(struct request *r, const bool *ignored, struct slice cursor)
{
    const struct fhir_input *in = r->input;
    struct buf out;
    char sep = '?';
    buf_init(&out, LIMIT_HTTP_BODY * 4);
    add_path(r, &out);
    for (unsigned i = 0; i < in->param_count; i++) {
        const struct fhir_param *p = &in->params[i];
        if ((ignored && ignored[i]) || slice_is(p->name, "_cursor"))
            continue;
        buf_addc(&out, sep);
        fhir_page_escape(&out, p->name);
        if (p->modifier.len) {
            buf_addc(&out, ':');
            fhir_page_escape(&out, p->modifier);
        }
        buf_addc(&out, '=');
        fhir_page_escape(&out, p->value);
        sep = '&';
    }
    if (cursor.len)
        buf_addf(&out, "%c_cursor=%.*s", sep, SLICE_ARG(cursor));
    struct slice url = buf_err(&out) ? SLICE_NONE : arena_dup(r->arena, buf_slice(&out));
    buf_fini(&out);
    return url;
}

static struct slice own_cursor(const struct fhir_input *in)
{
    for (unsigned i = 0; i < in->param_count; i++)
        if (slice_is(in->params[i].name, "_cursor"))
            return in->params[i].value;
    return SLICE_NONE;
}

enum err fhir_page_links(struct request *r, const bool *ignored, const struct fhir_cursor *next,
                         bool *ret_too_long)
{
    struct buf *b = &r->answer_buf;
    struct slice self = page_url(r, ignored, own_cursor(r->input)), following = SLICE_NONE;
    const char *cursor = next ? fhir_cursor_print(r, next) : NULL;
    if (cursor)
        following = page_url(r, ignored, slice_str(cursor));
    if (!self.ptr || (next && !following.ptr))
        return ERR_LIMIT;
    buf_adds(b, ",\"link\":[{\"relation\":\"self\",\"url\":");
    json_print_string(b, self);
    buf_adds(b, "}");
    /* A long form has pages that no request line can ask for. */
    *ret_too_long = following.len + 64 > LIMIT_HTTP_LINE;
    if (following.len && !*ret_too_long) {
        buf_adds(b, ",{\"relation\":\"next\",\"url\":");
        json_print_string(b, following);
        buf_adds(b, "}");
    }
    buf_addc(b, ']');
    return ERR_OK;
}

enum err fhir_page_audit(struct request *r, const struct record *records, size_t count)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && !err; i++) {
        int64_t person = records[i].person;
        struct request_audit *a = r->audits;
        while (a && a->row.person != person)
            a = a->next;
        if (a)
            a->row.count++;
        else
            err = request_audit(r, person, r->entity, 1);
    }
    return err;
}
