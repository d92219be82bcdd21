/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints acknowledgements (HL7 v2.5 sections 2.9.2, 2.15.5 ERR, 2.15.8 MSA). Senders before v2.5
 * know only ERR-1. Nothing of the message but its header and the errors' places goes back.
 */
#include "mappers/hl7v2/ack.h"

#include "base/limits.h"

#include <assert.h>
#include <stdio.h>

#include "base/banned.h"

#define MSA_TEXT_MAX 80u /* MSA-3 in v2.5 */

/* HL7 table 0357, as far as the error table uses it. */
static const struct {
    const char *code;
    const char *text;
} conditions[] = {
    {"0", "Message accepted"},           {"100", "Segment sequence error"},
    {"101", "Required field missing"},   {"102", "Data type error"},
    {"103", "Table value not found"},    {"200", "Unsupported message type"},
    {"201", "Unsupported event code"},   {"202", "Unsupported processing id"},
    {"203", "Unsupported version id"},   {"204", "Unknown key identifier"},
    {"205", "Duplicate key identifier"}, {"207", "Application internal error"},
};

static const char *condition_text(const char *code)
{
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        if (slice_is(slice_str(code), conditions[i].code))
            return conditions[i].text;
    }
    return "";
}

/* ---- segments ---- */

/* At most MAX bytes of TEXT, not cutting through a character. */
static struct slice shorten(struct slice text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xC0) == 0x80)
        max--;
    return slice_sub(text, 0, max);
}

static const struct err_item *first_error(const struct err_list *errors)
{
    const struct err_item *i = errors ? errors->first : NULL;

    while (i && i->severity != ERR_SEVERITY_ERROR)
        i = i->next;
    return i;
}

static void add_msa(struct reply *a, const char *code, const struct err_list *errors)
{
    const struct err_item *first = first_error(errors);

    buf_adds(&a->text, "MSA");
    reply_field(a);
    buf_adds(&a->text, code);
    reply_field(a);
    reply_echo(a, a->h->control_id);
    if (first && code[1] != 'A') {
        reply_field(a);
        reply_text(a, shorten(slice_str(first->en), MSA_TEXT_MAX));
    }
    reply_end(a);
}

/* A place such as "PID[1]-3.1": segment, which one, field, component, sub-component; 0 where not
 * said. */
struct place {
    struct slice segment;
    unsigned number[4];
};

static bool take_number(struct slice *rest, unsigned *ret_number)
{
    unsigned n = 0;
    size_t i = 0;

    while (i < rest->len && rest->ptr[i] >= '0' && rest->ptr[i] <= '9' && n < 100000000)
        n = n * 10 + (unsigned)(rest->ptr[i++] - '0');
    *rest = slice_sub(*rest, i, rest->len - i);
    *ret_number = n;
    return i > 0;
}

static bool take_char(struct slice *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = slice_sub(*rest, 1, rest->len - 1);
    return true;
}

static bool is_segment_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool letter = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z';
        bool digit = i > 0 && s.ptr[i] >= '0' && s.ptr[i] <= '9';
        if (!letter && !digit)
            return false;
    }
    return s.len == 3;
}

static bool parse_place(struct slice text, struct place *ret_place)
{
    struct place p = {.segment = slice_sub(text, 0, 3), .number = {1, 0, 0, 0}};
    struct slice rest = slice_sub(text, 3, text.len);

    if (!is_segment_name(p.segment))
        return false;
    if (take_char(&rest, '[') && !(take_number(&rest, &p.number[0]) && take_char(&rest, ']')))
        return false;
    if (take_char(&rest, '-') && !take_number(&rest, &p.number[1]))
        return false;
    for (size_t i = 2; i < 4 && take_char(&rest, '.'); i++) {
        if (!take_number(&rest, &p.number[i]))
            return false;
    }
    if (rest.len > 0)
        return false;
    *ret_place = p;
    return true;
}

/* ERL (v2.5 section 2.A.28): segment, sequence, field, repetition, component, sub-component. */
static void add_location(struct reply *a, const struct place *p)
{
    reply_text(a, p->segment);
    reply_component(a);
    buf_addf(&a->text, "%u", p->number[0]);
    if (p->number[1] == 0)
        return;
    reply_component(a);
    buf_addf(&a->text, "%u", p->number[1]);
    if (p->number[2] == 0)
        return;
    reply_component(a);
    buf_adds(&a->text, "1");
    reply_component(a);
    buf_addf(&a->text, "%u", p->number[2]);
    if (p->number[3] == 0)
        return;
    reply_component(a);
    buf_addf(&a->text, "%u", p->number[3]);
}

static void add_condition(struct reply *a, enum err code, char separator)
{
    buf_adds(&a->text, err_hl7(code));
    buf_addc(&a->text, separator);
    reply_text(a, slice_str(condition_text(err_hl7(code))));
    buf_addc(&a->text, separator);
    buf_adds(&a->text, "HL70357");
}

static void add_person_text(struct reply *a, const char *en, const char *ja)
{
    if (a->japanese) {
        reply_text(a, slice_str(ja));
        reply_text(a, SLICE(" / "));
    }
    reply_text(a, slice_str(en));
}

static void add_err(struct reply *a, const struct err_item *item)
{
    static const char severities[] = {'E', 'W', 'I'};
    struct place place;
    bool located = parse_place(slice_str(item->place), &place);

    buf_adds(&a->text, "ERR");
    reply_field(a);
    reply_field(a);
    if (located)
        add_location(a, &place);
    reply_field(a);
    add_condition(a, item->code, a->d.component);
    reply_field(a);
    buf_addc(&a->text, severities[item->severity]);
    reply_field(a);
    reply_text(a, slice_str(err_name(item->code)));
    reply_component(a);
    reply_text(a, slice_str(err_en(item->code)));
    reply_component(a);
    buf_adds(&a->text, "L");
    reply_field(a);
    reply_field(a);
    if (!located) /* ERR-7: a place that is not a field, such as "line 7" */
        reply_text(a, slice_str(item->place));
    reply_field(a);
    add_person_text(a, item->en, item->ja);
    reply_end(a);
}

/* ERR-1 of v2.1 to v2.4: segment, sequence, field, condition. */
static void add_old_err(struct reply *a, const struct err_item *item)
{
    struct place place;

    buf_adds(&a->text, "ERR");
    reply_field(a);
    if (parse_place(slice_str(item->place), &place)) {
        place.number[2] = 0;
        add_location(a, &place);
        if (place.number[1] == 0)
            reply_component(a);
    } else {
        reply_component(a);
        reply_component(a);
    }
    reply_component(a);
    if (a->d.sub != '\0')
        add_condition(a, item->code, a->d.sub);
    else
        buf_adds(&a->text, err_hl7(item->code));
    reply_end(a);
}

static void add_rest(struct reply *a, const struct err_list *errors)
{
    unsigned all = errors->errors + errors->warnings;
    char en[64];
    char ja[96];

    if (all <= errors->kept)
        return;
    (void)snprintf(en, sizeof(en), "%u more are not listed", all - errors->kept);
    (void)snprintf(ja, sizeof(ja), "ほかに %u 件あります", all - errors->kept);
    struct err_item item = {
        .code = ERR_LIMIT, .severity = ERR_SEVERITY_INFORMATION, .place = "", .en = en, .ja = ja};
    add_err(a, &item);
}

static void add_errors(struct reply *a, const struct err_list *errors)
{
    struct slice version = a->h->version;
    bool old = version.len >= 3 && slice_starts(version, SLICE("2.")) && version.ptr[2] < '5';

    if (!errors)
        return;
    /* Errors first: a sender may look at the first ERR only. */
    for (const struct err_item *i = errors->first; i; i = i->next) {
        if (i->severity == ERR_SEVERITY_ERROR)
            (old ? add_old_err : add_err)(a, i);
    }
    for (const struct err_item *i = errors->first; i && !old; i = i->next) {
        if (i->severity != ERR_SEVERITY_ERROR)
            add_err(a, i);
    }
    if (!old)
        add_rest(a, errors);
}

/* ---- whole ---- */

static bool is_code(struct slice code)
{
    return code.len == 2 && (code.ptr[0] == 'A' || code.ptr[0] == 'C') &&
           (code.ptr[1] == 'A' || code.ptr[1] == 'E' || code.ptr[1] == 'R');
}

void ack_status(struct reply *a, const char *code, const struct err_list *errors)
{
    assert(is_code(slice_str(code)));
    add_msa(a, code, errors);
    add_errors(a, errors);
}

enum err hl7_ack(const struct hl7_header *header, const char *code, const struct err_list *errors,
                 struct slice control_id, int64_t now_ms, struct buf *out)
{
    struct reply a;

    reply_init(&a, header);
    reply_msh(&a, "ACK", header->trigger, header->trigger.len ? "ACK" : "", control_id, now_ms);
    ack_status(&a, code, errors);
    enum err err = reply_finish(&a, out);
    reply_fini(&a);
    return err;
}
