/* SPDX-License-Identifier: Apache-2.0
 *
 * The pen that answers are written with (see reply.h): delimiters, escapes, MSH and the character
 * set. It knows nothing of what is said.
 */
#include "mappers/hl7v2/reply.h"

#include "base/limits.h"
#include "base/when.h"
#include "mappers/hl7v2/print.h"

#include "base/banned.h"

void reply_field(struct reply *a)
{
    buf_addc(&a->text, a->d.field);
}

void reply_component(struct reply *a)
{
    buf_addc(&a->text, a->d.component);
}

void reply_skip(struct reply *a, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        reply_field(a);
}

/* Is C one of the delimiters? */
static bool is_delimiter(const struct reply *a, char c)
{
    return c == a->d.field || c == a->d.component || c == a->d.repeat || c == a->d.escape ||
           (c == a->d.sub && c != '\0');
}

/* A line end is a blank: hardly a sender breaks lines in what he shows of an answer. */
void reply_text(struct reply *a, struct slice text)
{
    while (text.len > 0) {
        size_t n = 0;
        while (n < text.len && text.ptr[n] != '\r' && text.ptr[n] != '\n')
            n++;
        hl7_escape(&a->d, slice_sub(text, 0, n), &a->text);
        if (n < text.len)
            buf_addc(&a->text, ' ');
        text = slice_sub(text, n < text.len ? n + 1 : n, text.len);
    }
}

/* Control characters would only harm. */
void reply_echo(struct reply *a, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x20)
            buf_addc(&a->text, text.ptr[i]);
    }
}

void reply_end(struct reply *a)
{
    buf_addc(&a->text, '\r');
}

static void echo_or(struct reply *a, struct slice text, const char *otherwise)
{
    if (text.len > 0)
        reply_echo(a, text);
    else
        buf_adds(&a->text, otherwise);
}

static void add_type(struct reply *a, const char *type, struct slice trigger,
                     const char *structure)
{
    buf_adds(&a->text, type);
    if (trigger.len == 0)
        return;
    reply_component(a);
    reply_echo(a, trigger);
    if (structure[0] == '\0')
        return;
    reply_component(a);
    buf_adds(&a->text, structure);
}

/* MSH-18 as the sender wrote it. The two names that may be ours (see hl7_peek) must fit his
 * delimiters. */
static void add_charset(struct reply *a)
{
    struct slice name = a->known_set ? a->h->charset : SLICE("UNICODE UTF-8");

    if (slice_is(name, "~ISO IR87")) {
        buf_addc(&a->text, a->d.repeat);
        buf_adds(&a->text, "ISO IR87");
    } else if (slice_is(name, "UNICODE UTF-8") && is_delimiter(a, '-')) {
        buf_adds(&a->text, "UNICODE");
    } else {
        reply_echo(a, name);
    }
}

static void add_delimiters(struct reply *a)
{
    buf_addf(&a->text, "MSH%c%c%c%c", a->d.field, a->d.component, a->d.repeat, a->d.escape);
    if (a->d.sub != '\0')
        buf_addc(&a->text, a->d.sub);
}

void reply_msh(struct reply *a, const char *type, struct slice trigger, const char *structure,
               struct slice control_id, int64_t now_ms)
{
    const struct slice parties[] = {a->h->receiving_application, a->h->receiving_facility,
                                    a->h->sending_application, a->h->sending_facility};

    add_delimiters(a);
    for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++) {
        reply_field(a);
        reply_echo(a, parties[i]);
    }
    reply_field(a);
    when_print_hl7(&a->text, now_ms);
    reply_skip(a, 2);
    add_type(a, type, trigger, structure);
    reply_field(a);
    reply_text(a, control_id);
    reply_field(a);
    echo_or(a, a->h->processing_id, "P");
    reply_field(a);
    echo_or(a, a->h->version, "2.5");
    if (a->h->charset.len > 0) {
        reply_skip(a, 6);
        add_charset(a);
    }
    reply_end(a);
}

static void choose_charset(struct reply *a)
{
    char name[64];
    struct slice given = slice_trim(a->h->charset);

    a->set = CHARSET_UTF8;
    a->known_set = false;
    if (given.len <= sizeof(name)) {
        for (size_t i = 0; i < given.len; i++)
            name[i] = (char)(given.ptr[i] == a->d.repeat ? '~' : given.ptr[i]);
        a->known_set = charset_from_hl7(slice_of(name, given.len), &a->set) == ERR_OK;
    }
    a->japanese = a->set != CHARSET_ASCII && a->set != CHARSET_LATIN1;
}

void reply_init(struct reply *a, const struct hl7_header *header)
{
    *a = (struct reply){.h = header, .d = header->delimiters};
    if (a->d.field == '\0')
        a->d = (struct hl7_delimiters){'|', '^', '~', '\\', '&'};
    choose_charset(a);
    buf_init(&a->text, LIMIT_MLLP_FRAME);
}

void reply_fini(struct reply *a)
{
    buf_fini(&a->text);
}

enum err reply_finish(struct reply *a, struct buf *out)
{
    enum err err = buf_err(&a->text);
    return err ? err : charset_encode(a->set, buf_slice(&a->text), out, NULL);
}
