/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints acknowledgements (HL7 v2.5 sections 2.9.2, 2.15.5 ERR, 2.15.8 MSA). The answer is written
 * in UTF-8 with the sender's delimiters and encoded as a whole at the end. What the sender wrote is
 * echoed as he escaped it; our own texts are escaped here. Senders before v2.5 know only ERR-1.
 * Nothing of the message but its header and the errors' places goes back.
 */
#include "mappers/hl7v2/ack.h"

#include "base/limits.h"
#include "base/when.h"

#include <assert.h>
#include <stdio.h>

#include "base/banned.h"

#define ACK_MAX (1024u * 1024u)
#define MSA_TEXT_MAX 80u /* MSA-3 in v2.5 */

struct answer {
    const struct hl7_header *h;
    struct hl7_delimiters d;
    enum charset set;
    bool known_set;
    bool japanese; /* the set can say it */
    struct buf text;
};

/* HL7 table 0357, as far as the error table uses it. */
static const struct {
    const char *code;
    const char *text;
} conditions[] = {
    {"0", "Message accepted"},           {"100", "Segment sequence error"},
    {"101", "Required field missing"},   {"102", "Data type error"},
    {"103", "Table value not found"},    {"200", "Unsupported message type"},
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

/* ---- pieces ---- */

static void field(struct answer *a)
{
    buf_addc(&a->text, a->d.field);
}

static void component(struct answer *a)
{
    buf_addc(&a->text, a->d.component);
}

/* The escape letter for C, or '\0'. */
static char escape_letter(const struct answer *a, char c)
{
    if (c == a->d.field)
        return 'F';
    if (c == a->d.component)
        return 'S';
    if (c == a->d.repeat)
        return 'R';
    if (c == a->d.escape)
        return 'E';
    return c == a->d.sub && c != '\0' ? 'T' : '\0';
}

static void add_escaped(struct answer *a, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        char letter = escape_letter(a, text.ptr[i]);
        if (letter != '\0')
            buf_addf(&a->text, "%c%c%c", a->d.escape, letter, a->d.escape);
        else if (c == '\r' || c == '\n')
            buf_addc(&a->text, ' ');
        else if (c >= 0x20)
            buf_addc(&a->text, text.ptr[i]);
    }
}

/* What the sender wrote and escaped himself; control characters would only harm. */
static void add_echo(struct answer *a, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x20)
            buf_addc(&a->text, text.ptr[i]);
    }
}

static void echo_or(struct answer *a, struct slice text, const char *otherwise)
{
    if (text.len > 0)
        add_echo(a, text);
    else
        buf_adds(&a->text, otherwise);
}

/* ---- segments ---- */

static void add_type(struct answer *a)
{
    buf_adds(&a->text, "ACK");
    if (a->h->trigger.len == 0)
        return;
    component(a);
    add_echo(a, a->h->trigger);
    component(a);
    buf_adds(&a->text, "ACK");
}

/* MSH-18 as the sender wrote it. The two names that may be ours (see hl7_peek) must fit his
 * delimiters. */
static void add_charset(struct answer *a)
{
    struct slice name = a->known_set ? a->h->charset : SLICE("UNICODE UTF-8");

    if (slice_is(name, "~ISO IR87")) {
        buf_addc(&a->text, a->d.repeat);
        buf_adds(&a->text, "ISO IR87");
    } else if (slice_is(name, "UNICODE UTF-8") && escape_letter(a, '-') != '\0') {
        buf_adds(&a->text, "UNICODE");
    } else {
        add_echo(a, name);
    }
}

static void add_msh(struct answer *a, struct slice control_id, int64_t now_ms)
{
    const struct slice parties[] = {a->h->receiving_application, a->h->receiving_facility,
                                    a->h->sending_application, a->h->sending_facility};

    buf_addf(&a->text, "MSH%c%c%c%c", a->d.field, a->d.component, a->d.repeat, a->d.escape);
    if (a->d.sub != '\0')
        buf_addc(&a->text, a->d.sub);
    for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++) {
        field(a);
        add_echo(a, parties[i]);
    }
    field(a);
    when_print_hl7(&a->text, now_ms);
    field(a);
    field(a);
    add_type(a);
    field(a);
    add_escaped(a, control_id);
    field(a);
    echo_or(a, a->h->processing_id, "P");
    field(a);
    echo_or(a, a->h->version, "2.5");
    if (a->h->charset.len > 0) {
        for (int n = 13; n <= 18; n++)
            field(a);
        add_charset(a);
    }
    buf_addc(&a->text, '\r');
}

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

static void add_msa(struct answer *a, const char *code, const struct err_list *errors)
{
    const struct err_item *first = first_error(errors);

    buf_adds(&a->text, "MSA");
    field(a);
    buf_adds(&a->text, code);
    field(a);
    add_echo(a, a->h->control_id);
    if (first && !slice_is(slice_str(code), "AA")) {
        field(a);
        add_escaped(a, shorten(slice_str(first->en), MSA_TEXT_MAX));
    }
    buf_addc(&a->text, '\r');
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
static void add_location(struct answer *a, const struct place *p)
{
    add_escaped(a, p->segment);
    component(a);
    buf_addf(&a->text, "%u", p->number[0]);
    if (p->number[1] == 0)
        return;
    component(a);
    buf_addf(&a->text, "%u", p->number[1]);
    if (p->number[2] == 0)
        return;
    component(a);
    buf_adds(&a->text, "1");
    component(a);
    buf_addf(&a->text, "%u", p->number[2]);
    if (p->number[3] == 0)
        return;
    component(a);
    buf_addf(&a->text, "%u", p->number[3]);
}

static void add_condition(struct answer *a, enum err code, char separator)
{
    buf_adds(&a->text, err_hl7(code));
    buf_addc(&a->text, separator);
    add_escaped(a, slice_str(condition_text(err_hl7(code))));
    buf_addc(&a->text, separator);
    buf_adds(&a->text, "HL70357");
}

static void add_person_text(struct answer *a, const char *en, const char *ja)
{
    if (a->japanese) {
        add_escaped(a, slice_str(ja));
        add_escaped(a, SLICE(" / "));
    }
    add_escaped(a, slice_str(en));
}

static void add_err(struct answer *a, const struct err_item *item)
{
    static const char severities[] = {'E', 'W', 'I'};
    struct place place;
    bool located = parse_place(slice_str(item->place), &place);

    buf_adds(&a->text, "ERR");
    field(a);
    field(a);
    if (located)
        add_location(a, &place);
    field(a);
    add_condition(a, item->code, a->d.component);
    field(a);
    buf_addc(&a->text, severities[item->severity]);
    field(a);
    add_escaped(a, slice_str(err_name(item->code)));
    component(a);
    add_escaped(a, slice_str(err_en(item->code)));
    component(a);
    buf_adds(&a->text, "L");
    field(a);
    field(a);
    if (!located) /* ERR-7: a place that is not a field, such as "line 7" */
        add_escaped(a, slice_str(item->place));
    field(a);
    add_person_text(a, item->en, item->ja);
    buf_addc(&a->text, '\r');
}

/* ERR-1 of v2.1 to v2.4: segment, sequence, field, condition. */
static void add_old_err(struct answer *a, const struct err_item *item)
{
    struct place place;

    buf_adds(&a->text, "ERR");
    field(a);
    if (parse_place(slice_str(item->place), &place)) {
        place.number[2] = 0;
        add_location(a, &place);
        if (place.number[1] == 0)
            component(a);
    } else {
        component(a);
        component(a);
    }
    component(a);
    if (a->d.sub != '\0')
        add_condition(a, item->code, a->d.sub);
    else
        buf_adds(&a->text, err_hl7(item->code));
    buf_addc(&a->text, '\r');
}

static void add_rest(struct answer *a, const struct err_list *errors)
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

static void add_errors(struct answer *a, const struct err_list *errors)
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

static void choose_charset(struct answer *a)
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

enum err hl7_ack(const struct hl7_header *header, const char *code, const struct err_list *errors,
                 struct slice control_id, int64_t now_ms, struct buf *out)
{
    struct answer a = {.h = header, .d = header->delimiters};

    assert(slice_is(slice_str(code), "AA") || slice_is(slice_str(code), "AE") ||
           slice_is(slice_str(code), "AR"));
    if (a.d.field == '\0')
        a.d = (struct hl7_delimiters){'|', '^', '~', '\\', '&'};
    choose_charset(&a);
    buf_init(&a.text, ACK_MAX);
    add_msh(&a, control_id, now_ms);
    add_msa(&a, code, errors);
    add_errors(&a, errors);
    enum err err = buf_err(&a.text);
    if (err == ERR_OK)
        err = charset_encode(a.set, buf_slice(&a.text), out, NULL);
    buf_fini(&a.text);
    return err;
}
