/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches and the numbers a message is about (see batch.h). A batch is an envelope and nothing more:
 * each message in it is a message like any other, with an acknowledgement of its own.
 */
#include "mappers/hl7v2/batch.h"

#include "base/limits.h"
#include "base/when.h"
#include "mappers/hl7v2/raw.h"

#include "base/banned.h"

struct cutting {
    struct hl7_batch *b;
    struct err_list *errors;
    struct arena *arena;
    size_t line;
};

static bool is_end(char c)
{
    return c == '\r' || c == '\n';
}

/* The next line of *REST, without its end and the blank lines behind it. */
static struct slice next_line(struct slice *rest)
{
    struct slice line = raw_line(*rest);
    size_t n = line.len;

    while (n < rest->len && is_end(rest->ptr[n]))
        n++;
    *rest = slice_sub(*rest, n, rest->len);
    return line;
}

static bool is_segment(struct slice line, const char *name)
{
    return line.len > 3 && slice_starts(line, slice_str(name)) && raw_may_delimit(line.ptr[3]);
}

bool hl7_is_batch(struct slice raw)
{
    struct slice line = raw_line(raw_trim(raw));
    return is_segment(line, "FHS") || is_segment(line, "BHS");
}

/* Field N of a line whose first field delimiter is its first field, as in MSH. */
static struct slice header_field(struct slice line, unsigned n)
{
    char delimiter = line.ptr[3];
    struct slice rest = slice_sub(line, 4, line.len);

    for (unsigned i = 2; i < n && rest.ptr; i++)
        (void)slice_cut(&rest, delimiter);
    return rest.ptr ? slice_cut(&rest, delimiter) : SLICE_NONE;
}

/* FHS and BHS are built like MSH up to MSH-2. */
static void read_header(struct cutting *c, struct slice line)
{
    static const struct hl7_delimiters usual = {'|', '^', '~', '\\', '&'};
    struct slice two = header_field(line, 2);
    struct slice id = header_field(line, 11);

    if (c->b->delimiters.field == '\0') {
        c->b->delimiters = usual;
        c->b->delimiters.field = line.ptr[3];
        if (two.len >= 3)
            c->b->delimiters = (struct hl7_delimiters){line.ptr[3], two.ptr[0], two.ptr[1],
                                                       two.ptr[2], two.len > 3 ? two.ptr[3] : '\0'};
        c->b->application = header_field(line, 3);
        c->b->facility = header_field(line, 4);
    }
    if (id.len > 0)
        c->b->control_id = id;
}

static void read_trailer(struct cutting *c, struct slice line)
{
    struct slice rest = slice_sub(line, 4, line.len);
    int64_t count = 0;

    if (slice_i64(slice_cut(&rest, line.ptr[3]), &count) && count >= 0 && count < 1000000)
        c->b->announced = (c->b->announced < 0 ? 0 : c->b->announced) + count;
}

/* True when LINE is part of the envelope. */
static bool take_envelope(struct cutting *c, struct slice line)
{
    if (is_segment(line, "FHS") || is_segment(line, "BHS")) {
        c->b->file = c->b->file || is_segment(line, "FHS");
        read_header(c, line);
        return true;
    }
    if (is_segment(line, "BTS"))
        read_trailer(c, line);
    return is_segment(line, "BTS") || is_segment(line, "FTS") || slice_is(line, "BTS") ||
           slice_is(line, "FTS");
}

/* LINE belongs to the message that is open, or opens one. */
static enum err take_line(struct cutting *c, struct slice line, bool *inside)
{
    struct hl7_batch *b = c->b;

    if (is_segment(line, "MSH")) {
        if (b->count == LIMIT_HL7_SEGMENTS)
            return err_add(c->errors, ERR_TOO_LARGE, "BHS", "more than %u messages",
                           LIMIT_HL7_SEGMENTS);
        b->messages[b->count++] = line;
        *inside = true;
        return ERR_OK;
    }
    if (!*inside) {
        const char *place = arena_printf(c->arena, "line %zu", c->line);
        return err_say(c->errors, ERR_SEVERITY_ERROR, ERR_MALFORMED, place ? place : "",
                       "a line of the batch that belongs to no message",
                       "どのメッセージにも属さない行がバッチにあります");
    }
    struct slice *last = &b->messages[b->count - 1];
    last->len = (size_t)(line.ptr + line.len - last->ptr);
    return ERR_OK;
}

static size_t count_messages(struct slice rest)
{
    size_t count = 0;

    while (rest.len > 0)
        count += is_segment(next_line(&rest), "MSH");
    return count < LIMIT_HL7_SEGMENTS ? count : LIMIT_HL7_SEGMENTS;
}

enum err hl7_batch_split(struct arena *arena, struct slice raw, struct err_list *errors,
                         struct hl7_batch *ret_batch)
{
    struct hl7_batch b = {.announced = -1};
    struct cutting c = {.b = &b, .errors = errors, .arena = arena};
    struct slice rest = raw_trim(raw);
    bool inside = false;
    enum err err = ERR_OK;

    b.messages = arena_array(arena, count_messages(rest) + 1, sizeof(*b.messages));
    if (!b.messages)
        return err_add(errors, ERR_LIMIT, "BHS", NULL);
    while (rest.len > 0 && !err) {
        struct slice line = next_line(&rest);
        c.line++;
        if (take_envelope(&c, line))
            inside = false;
        else
            err = take_line(&c, line, &inside);
    }
    *ret_batch = b; /* also then: the answer needs its header */
    return err;
}

/* ---- the answer ---- */

static void add_header(const struct hl7_batch *b, const char *name, const char *comment,
                       struct slice control_id, int64_t now_ms, struct buf *out)
{
    const struct hl7_delimiters *d = &b->delimiters;

    buf_addf(out, "%s%c%c%c%c", name, d->field, d->component, d->repeat, d->escape);
    if (d->sub != '\0')
        buf_addc(out, d->sub);
    buf_addf(out, "%c%c%c", d->field, d->field, d->field);
    for (size_t i = 0; i < b->application.len; i++)
        if (b->application.ptr[i] >= 0x20 && b->application.ptr[i] < 0x7F)
            buf_addc(out, b->application.ptr[i]);
    buf_addc(out, d->field);
    for (size_t i = 0; i < b->facility.len; i++)
        if (b->facility.ptr[i] >= 0x20 && b->facility.ptr[i] < 0x7F)
            buf_addc(out, b->facility.ptr[i]);
    buf_addc(out, d->field);
    when_print_hl7(out, now_ms);
    buf_addf(out, "%c%c%c%s%c%.*s%c", d->field, d->field, d->field, comment, d->field,
             SLICE_ARG(control_id), d->field);
    for (size_t i = 0; i < b->control_id.len; i++)
        if (b->control_id.ptr[i] >= 0x20 && b->control_id.ptr[i] < 0x7F)
            buf_addc(out, b->control_id.ptr[i]);
    buf_addc(out, '\r');
}

void hl7_batch_head(const struct hl7_batch *batch, const char *comment, struct slice control_id,
                    int64_t now_ms, struct buf *out)
{
    if (batch->file)
        add_header(batch, "FHS", "", control_id, now_ms, out);
    add_header(batch, "BHS", comment, control_id, now_ms, out);
}

void hl7_batch_tail(const struct hl7_batch *batch, size_t answers, struct buf *out)
{
    buf_addf(out, "BTS%c%zu\r", batch->delimiters.field, answers);
    if (batch->file)
        buf_addf(out, "FTS%c1\r", batch->delimiters.field);
}

/* ---- whom it is about ---- */

/* The only PID; empty when there are several, none, or others it is to become one with. */
static struct slice only_pid(struct slice rest, char field)
{
    struct slice pid = SLICE_NONE;

    while (rest.len > 0) {
        struct slice line = next_line(&rest);
        bool mine = slice_starts(line, SLICE("PID")) && raw_is_segment(line, field);
        if ((mine && pid.len > 0) || slice_starts(line, SLICE("MRG")))
            return SLICE_NONE;
        if (mine)
            pid = line;
    }
    return pid;
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7E)
            return false;
    }
    return true;
}

unsigned hl7_patient_numbers(struct slice raw, struct slice *ret_numbers, unsigned max)
{
    struct hl7_delimiters d;
    struct slice trimmed = raw_trim(raw);
    unsigned count = 0;

    if (raw_delimiters(raw_line(trimmed), NULL, &d) != ERR_OK)
        return 0;
    struct slice rest = only_pid(trimmed, d.field);
    for (unsigned i = 0; i < 3 && rest.ptr; i++)
        (void)slice_cut(&rest, d.field);
    struct slice numbers = rest.ptr ? slice_cut(&rest, d.field) : SLICE_NONE;
    if (!is_ascii(numbers) || slice_find(numbers, d.escape, 0) < numbers.len)
        return 0;
    while (numbers.len > 0) {
        struct slice cx = slice_cut(&numbers, d.repeat);
        struct slice number = slice_trim(slice_cut(&cx, d.component));
        if (number.len > 0 && count == max)
            return 0;
        if (number.len > 0)
            ret_numbers[count++] = number;
    }
    return count;
}
