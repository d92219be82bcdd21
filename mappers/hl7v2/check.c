/* SPDX-License-Identifier: Apache-2.0
 *
 * What an exchange must be able to rely on before it files anything (HL7 v2.5 section 2.15.9 for
 * MSH, guide section 1.6 for the rest). Errors only where a message could be misfiled or not be
 * answered; all else that a table calls required is a warning, because real senders leave it out.
 * Errors come first in the list, which is bounded, so that warnings cannot push them out.
 */
#include "mappers/hl7v2/map.h"

#include "base/when.h"
#include "mappers/hl7v2/check_table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/banned.h"

#define CONTROL_ID_MAX 199u /* v2.7; earlier versions say 20 and senders exceed it */

struct check {
    const struct hl7_message *m;
    const struct hl7_segment *msh;
    struct err_list *errors;
    enum err first;
};

static void fault(struct check *c, enum err code, const char *place, const char *en, const char *ja)
{
    (void)err_say(c->errors, ERR_SEVERITY_ERROR, code, place, en, ja);
    if (c->first == ERR_OK)
        c->first = code;
}

static void warn(struct check *c, enum err code, const char *place, const char *en, const char *ja)
{
    (void)err_say(c->errors, ERR_SEVERITY_WARNING, code, place, en, ja);
}

/* A value that says something: neither empty, blank, nor the HL7 null. */
static bool has_content(struct slice value)
{
    return slice_trim(value).len > 0 && !hl7_is_null(value);
}

static struct slice msh_value(const struct check *c, unsigned field, unsigned component)
{
    return slice_trim(hl7_value(c->m, c->msh, field, component));
}

/* Three capital letters or digits. */
static bool is_code(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') && !(s.ptr[i] >= '0' && s.ptr[i] <= '9'))
            return false;
    }
    return s.len == 3;
}

/* ---- MSH ---- */

static void check_time(struct check *c)
{
    struct when when;

    if (!when_parse_hl7(msh_value(c, 7, 1), &when))
        warn(c, ERR_INVALID, "MSH-7", "the message's time is missing or malformed",
             "メッセージ日時がないか形式が不正です");
}

static void check_type(struct check *c)
{
    struct slice type = msh_value(c, 9, 1);
    struct slice trigger = msh_value(c, 9, 2);

    if (!has_content(type))
        fault(c, ERR_HEADER_MISSING, "MSH-9", "the message type is missing",
              "メッセージ型がありません");
    else if (!is_code(type))
        fault(c, ERR_HEADER_VALUE, "MSH-9.1", "the message type must be three capital letters",
              "メッセージ型は英大文字 3 文字でなければなりません");
    else if (trigger.len > 0 && !is_code(trigger))
        fault(c, ERR_HEADER_VALUE, "MSH-9.2",
              "the trigger event must be three capital letters or digits",
              "イベント型は英大文字と数字の 3 文字でなければなりません");
}

static void check_control_id(struct check *c)
{
    struct slice id = hl7_unescape(c->m, hl7_field(c->msh, 10));

    if (!has_content(id))
        fault(c, ERR_HEADER_MISSING, "MSH-10", "the message control id is missing",
              "メッセージ制御IDがありません");
    else if (id.len > CONTROL_ID_MAX)
        fault(c, ERR_HEADER_VALUE, "MSH-10", "the message control id is longer than 199 bytes",
              "メッセージ制御IDが 199 バイトを超えています");
}

static void check_processing(struct check *c)
{
    struct slice id = msh_value(c, 11, 1);

    if (!has_content(id))
        fault(c, ERR_HEADER_MISSING, "MSH-11", "the processing id is missing",
              "処理IDがありません");
    else if (!slice_is(id, "P") && !slice_is(id, "T") && !slice_is(id, "D"))
        fault(c, ERR_PROCESSING_ID, "MSH-11", "the processing id must be P, T or D",
              "処理IDは P、T、D のいずれかでなければなりません");
}

/* 2.1 to 2.8, with or without a third number. */
static bool is_supported_version(struct slice v)
{
    bool two =
        v.len >= 3 && v.ptr[0] == '2' && v.ptr[1] == '.' && v.ptr[2] >= '1' && v.ptr[2] <= '8';
    bool third = v.len == 5 && v.ptr[3] == '.' && v.ptr[4] >= '0' && v.ptr[4] <= '9';
    return two && (v.len == 3 || third);
}

static void check_version(struct check *c)
{
    struct slice version = msh_value(c, 12, 1);

    if (!has_content(version))
        fault(c, ERR_HEADER_MISSING, "MSH-12", "the HL7 version is missing",
              "HL7 バージョンがありません");
    else if (!is_supported_version(version))
        fault(c, ERR_VERSION, "MSH-12", "only HL7 versions 2.1 to 2.8 are supported",
              "対応している HL7 バージョンは 2.1〜2.8 です");
}

/* ---- patient ---- */

static bool is_patient_message(const struct check *c)
{
    struct slice type = msh_value(c, 9, 1);

    for (size_t i = 0; check_patient_messages[i]; i++) {
        if (slice_is(type, check_patient_messages[i]))
            return true;
    }
    return false;
}

static bool has_patient_id(const struct hl7_message *m, const struct hl7_segment *pid)
{
    struct slice rest = hl7_field(pid, 3);

    while (rest.ptr) {
        struct slice repeat = slice_cut(&rest, m->delimiters.repeat);
        if (has_content(hl7_unescape(m, hl7_component(m, repeat, 1))))
            return true;
    }
    return false;
}

static const char *place_of(const struct check *c, const struct hl7_segment *s, unsigned field)
{
    const char *place =
        arena_printf(c->m->arena, "%.*s[%u]-%u", SLICE_ARG(s->name), s->ordinal, field);
    return place ? place : "";
}

static void check_patient(struct check *c)
{
    for (size_t i = 0; i < c->m->segment_count; i++) {
        const struct hl7_segment *s = &c->m->segments[i];
        if (!slice_is(s->name, "PID"))
            continue;
        /* A further PID without any field names nobody and is only warned about by the table. */
        bool bare = s->field_count == 1 && s->ordinal > 1;
        if (!bare && !has_patient_id(c->m, s))
            fault(c, ERR_REQUIRED, place_of(c, s, 3), "the patient identifier is missing",
                  "患者IDがありません");
    }
    if (!hl7_find(c->m, "PID", 1) && is_patient_message(c))
        fault(c, ERR_REQUIRED, "PID[1]", "the message does not say whose it is (PID)",
              "患者を示す PID がありません");
}

/* ---- tables ---- */

static int compare_names(const void *key, const void *entry)
{
    const struct slice *name = key;
    const char *const *known = entry;
    return slice_cmp(*name, slice_str(*known));
}

static bool is_known_segment(struct slice name)
{
    size_t count = 0;

    while (check_segments[count])
        count++;
    return bsearch(&name, check_segments, count, sizeof(*check_segments), compare_names) != NULL;
}

static void check_names(struct check *c)
{
    for (size_t i = 0; i < c->m->segment_count; i++) {
        const struct hl7_segment *s = &c->m->segments[i];
        if (s->ordinal > 1 || is_known_segment(s->name))
            continue;
        const char *place = arena_printf(c->m->arena, "%.*s[1]", SLICE_ARG(s->name));
        warn(c, ERR_UNKNOWN_ELEMENT, place ? place : "",
             "this segment is not known; it is kept with the original only",
             "知らないセグメントです。原本にだけ残ります");
    }
}

/* One warning a rule, at the first place, however many segments break it. */
static void check_rule(struct check *c, const struct check_field *rule)
{
    const struct hl7_segment *first = NULL;
    struct slice name = slice_str(rule->segment);
    unsigned missing = 0;

    for (size_t i = 0; i < c->m->segment_count; i++) {
        const struct hl7_segment *s = &c->m->segments[i];
        if (!slice_eq(s->name, name) || hl7_field(s, rule->field).len > 0)
            continue;
        first = first ? first : s;
        missing++;
    }
    if (!first)
        return;
    const char *en = arena_printf(c->m->arena, "%s (%s-%u) is missing in %u segment(s)", rule->en,
                                  rule->segment, rule->field, missing);
    const char *ja = arena_printf(c->m->arena, "%s (%s-%u) がないセグメントが %u 個あります",
                                  rule->ja, rule->segment, rule->field, missing);
    warn(c, ERR_REQUIRED, place_of(c, first, rule->field), en, ja);
}

static void check_required(struct check *c)
{
    struct slice type = hl7_repeat(c->m, hl7_field(c->msh, 9), 0);
    struct slice code = hl7_component(c->m, type, 1);
    struct slice trigger = hl7_component(c->m, type, 2);

    for (const struct check_field *rule = check_fields; rule->segment; rule++) {
        struct slice rest = slice_str(rule->message);
        bool applies =
            !rule->message || (slice_eq(slice_cut(&rest, '^'), code) && slice_eq(rest, trigger));
        if (applies)
            check_rule(c, rule);
    }
}

enum err hl7_check(const struct hl7_message *message, struct err_list *errors)
{
    struct check c = {.m = message, .errors = errors};

    assert(message && message->segment_count > 0 && errors);
    c.msh = &message->segments[0];
    check_type(&c);
    check_control_id(&c);
    check_processing(&c);
    check_version(&c);
    check_patient(&c);
    check_time(&c);
    check_names(&c);
    check_required(&c);
    return c.first;
}

struct slice hl7_kind(const struct hl7_message *message)
{
    struct hl7_header h;

    hl7_header_of(message, &h);
    struct slice order = hl7_field(hl7_find(message, "ORC", 1), 2);
    if (order.len == 0)
        order = hl7_field(hl7_find(message, "OBR", 1), 2);
    const char *text =
        arena_printf(message->arena, "%.*s^%.*s%s%.*s", SLICE_ARG(h.type), SLICE_ARG(h.trigger),
                     order.len > 0 ? " " : "", SLICE_ARG(order));
    return slice_str(text);
}
