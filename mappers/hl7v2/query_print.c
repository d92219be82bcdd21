/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to queries (see query.h): RSP^K22 (structure RSP_K21) and RSP^K23. PID is made from the
 * Patient as this reader may see him; a field nobody said stays empty. Numbers are those the caller
 * gives, never the Patient's own list.
 */
#include "mappers/hl7v2/query.h"

#include "mappers/hl7v2/ack.h"

#include "base/banned.h"

#define REPRESENTATION "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"

static void add_qak(struct reply *a, const struct hl7_query *q, enum query_outcome outcome,
                    const struct query_hits *hits)
{
    static const char *const codes[] = {
        [QUERY_OK] = "OK", [QUERY_NONE] = "NF", [QUERY_ERROR] = "AE"};

    buf_adds(&a->text, "QAK");
    reply_field(a);
    reply_echo(a, q->tag);
    reply_field(a);
    buf_adds(&a->text, codes[outcome]);
    reply_field(a);
    reply_echo(a, q->name);
    if (outcome == QUERY_OK && hits) {
        reply_field(a);
        buf_addf(&a->text, "%u", hits->found);
        reply_field(a);
        buf_addf(&a->text, "%u", hits->shown);
        reply_field(a);
        buf_addf(&a->text, "%u", hits->left);
    }
    reply_end(a);
}

void query_begin(struct reply *a, const struct hl7_query *query, enum query_outcome outcome,
                 const struct err_list *errors, const struct query_hits *hits,
                 struct slice control_id, int64_t now_ms)
{
    if (query->pix)
        reply_msh(a, "RSP", SLICE("K23"), "RSP_K23", control_id, now_ms);
    else
        reply_msh(a, "RSP", SLICE("K22"), "RSP_K21", control_id, now_ms);
    ack_status(a, outcome == QUERY_ERROR ? "AE" : "AA", errors);
    add_qak(a, query, outcome, hits);
    if (query->whole.len > 0) {
        reply_echo(a, query->whole);
        reply_end(a);
    }
}

void query_goes_on(struct reply *a, struct slice pointer)
{
    buf_adds(&a->text, "DSC");
    reply_field(a);
    reply_text(a, pointer);
    reply_field(a);
    buf_addc(&a->text, 'I'); /* interactive: the asker fetches it */
    reply_end(a);
}

/* ---- PID ---- */

static void add_number(struct reply *a, const struct query_number *n)
{
    reply_text(a, n->value);
    for (int i = 0; i < 3; i++)
        reply_component(a);
    reply_text(a, n->name);
    if (n->universal.len > 0 && a->d.sub != '\0') {
        buf_addc(&a->text, a->d.sub);
        reply_text(a, n->universal);
        buf_addc(&a->text, a->d.sub);
        reply_text(a, n->type);
    }
    reply_component(a);
    reply_text(a, n->kind);
}

/* XPN.8: I ideographic, P phonetic, A alphabetic. */
static const char *script_of(const struct json *name)
{
    const struct json *ext = json_get(name, "extension");

    for (const struct json *e = ext ? ext->first : NULL; e; e = e->next) {
        struct slice code = json_str(e, "valueCode");
        if (!slice_is(json_str(e, "url"), REPRESENTATION))
            continue;
        return slice_is(code, "IDE") ? "I" : slice_is(code, "SYL") ? "P" : "A";
    }
    return "";
}

static void add_name(struct reply *a, const struct json *name)
{
    struct json *given = json_path(name, "given", "0", NULL);
    struct slice family = json_str(name, "family");
    const char *script = script_of(name);

    reply_text(a, family.len ? family : json_str(name, "text"));
    reply_component(a);
    reply_text(a, given ? given->text : SLICE_NONE);
    for (int i = 0; i < 5; i++)
        reply_component(a);
    buf_addc(&a->text, 'L');
    if (script[0] != '\0') {
        reply_component(a);
        buf_adds(&a->text, script);
    }
}

/* XAD: the whole line in XAD.8, as SS-MIX2 has it, where there is one. */
static void add_address(struct reply *a, const struct json *address)
{
    struct json *line = json_path(address, "line", "0", NULL);
    struct slice text = json_str(address, "text");

    reply_text(a, line ? line->text : SLICE_NONE);
    reply_component(a);
    reply_component(a);
    reply_text(a, json_str(address, "city"));
    reply_component(a);
    reply_text(a, json_str(address, "state"));
    reply_component(a);
    reply_text(a, json_str(address, "postalCode"));
    reply_component(a);
    reply_text(a, json_str(address, "country"));
    reply_component(a);
    buf_addc(&a->text, slice_is(json_str(address, "use"), "work") ? 'O' : 'H');
    if (text.len > 0) {
        reply_component(a);
        reply_text(a, text);
    }
}

static bool is_phone(const struct json *telecom)
{
    return slice_is(json_str(telecom, "system"), "phone") &&
           !slice_is(json_str(telecom, "use"), "work");
}

/* XTN.12: the number as it is written. */
static void add_phone(struct reply *a, const struct json *telecom)
{
    reply_component(a);
    buf_adds(&a->text, "PRN");
    reply_component(a);
    buf_adds(&a->text, "PH");
    for (int i = 0; i < 9; i++)
        reply_component(a);
    reply_text(a, json_str(telecom, "value"));
}

/* Every element of LIST that IS takes, as repetitions. */
static void add_all(struct reply *a, const struct json *list,
                    bool (*is)(const struct json *element),
                    void (*add)(struct reply *a, const struct json *element))
{
    bool first = true;

    for (const struct json *e = list ? list->first : NULL; e; e = e->next) {
        if (is && !is(e))
            continue;
        if (!first)
            buf_addc(&a->text, a->d.repeat);
        first = false;
        add(a, e);
    }
}

/* 1965-04-15 as 19650415. */
static void add_date(struct reply *a, struct slice date)
{
    for (size_t i = 0; i < date.len && i < 10; i++) {
        if (date.ptr[i] >= '0' && date.ptr[i] <= '9')
            buf_addc(&a->text, date.ptr[i]);
    }
}

static const char *sex_of(const struct json *patient)
{
    struct slice gender = json_str(patient, "gender");

    if (slice_is(gender, "male"))
        return "M";
    if (slice_is(gender, "female"))
        return "F";
    return slice_is(gender, "other") ? "O" : gender.len ? "U" : "";
}

static void add_person(struct reply *a, const struct json *patient)
{
    struct slice died = json_str(patient, "deceasedDateTime");

    add_all(a, json_get(patient, "name"), NULL, add_name);
    reply_skip(a, 2);
    add_date(a, json_str(patient, "birthDate"));
    reply_field(a);
    buf_adds(&a->text, sex_of(patient));
    reply_skip(a, 3);
    add_all(a, json_get(patient, "address"), NULL, add_address);
    reply_skip(a, 2);
    add_all(a, json_get(patient, "telecom"), is_phone, add_phone);
    if (died.len > 0) {
        reply_skip(a, 16);
        add_date(a, died);
        reply_field(a);
        buf_addc(&a->text, 'Y');
    }
}

void query_pid(struct reply *a, unsigned set, const struct query_number *numbers, size_t count,
               const struct json *patient)
{
    buf_addf(&a->text, "PID%c%u", a->d.field, set);
    reply_skip(a, 2);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_addc(&a->text, a->d.repeat);
        add_number(a, &numbers[i]);
    }
    reply_skip(a, 2);
    if (patient)
        add_person(a, patient);
    else
        buf_addc(&a->text, ' '); /* PIX says numbers only; PID-5 must not be empty (ITI-9) */
    reply_end(a);
}
