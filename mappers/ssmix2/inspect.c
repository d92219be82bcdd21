/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks on one file of a standard storage (see inspect.h). Each check has a list of its own, so
 * that one kind of fault cannot hide another; a fault that repeats in a message is said once, at
 * its first place. Rules are tables (rule.h), names of fields are those of mappers/hl7v2/names.h.
 */
#include "mappers/ssmix2/inspect.h"

#include <assert.h>

#include "mappers/hl7v2/names.h"
#include "mappers/ssmix2/jis.h"
#include "mappers/ssmix2/order.h"
#include "mappers/ssmix2/rule.h"

#include "base/banned.h"

struct file {
    struct inspection *in;
    struct arena *arena;
    const struct hl7_message *m;
    struct slice type; /* code^trigger */
};

static const struct {
    const char *name, *en, *ja;
} checks[] = {
#define X(id, name, en, ja) {name, en, ja},
    INSPECT_TABLE(X)
#undef X
};

const char *inspect_name(enum inspect_check check)
{
    return checks[check].name;
}

const char *inspect_en(enum inspect_check check)
{
    return checks[check].en;
}

const char *inspect_ja(enum inspect_check check)
{
    return checks[check].ja;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void say(struct file *f, enum inspect_check check, enum err_severity severity, enum err code,
                const char *place, const char *en, const char *ja)
{
    (void)err_say(&f->in->found[check], severity, code, or_empty(place), or_empty(en),
                  or_empty(ja));
}

static const char *place_of(struct file *f, const struct hl7_segment *s, unsigned field)
{
    return arena_printf(f->arena, "%.*s[%u]-%u", SLICE_ARG(s->name), s->ordinal, field);
}

/* ---- path ---- */

/* The kind and flag a file claims by its name, else by its folder, so that it can be counted. */
static void claim(struct inspection *in, struct slice path)
{
    struct slice rest = path, folder = SLICE_NONE, name = SLICE_NONE;

    while (rest.ptr) {
        folder = name;
        name = slice_cut(&rest, '/');
    }
    in->kind = folder;
    for (unsigned i = 0; name.ptr; i++) {
        struct slice part = slice_cut(&name, '_');
        if (i == 2)
            in->kind = part;
        if (i == 6 && part.len == 1)
            in->flag = part;
    }
}

static void check_path(struct file *f, struct slice path)
{
    struct inspection *in = f->in;

    claim(in, path);
    in->judged[INSPECT_PATH] = true;
    in->named = ssmix2_parse(path, &in->found[INSPECT_PATH], &in->path) == ERR_OK;
}

/* ---- care date ---- */

static const char *date_field(const struct file *f)
{
    for (const struct rule_date *d = rule_dates; d->message; d++) {
        if (slice_is(f->type, d->message))
            return d->field;
    }
    for (const struct ssmix2_kind *k = ssmix2_kinds; k->code; k++) {
        bool ours = slice_is(f->in->path.kind, k->code);
        if (ours && (slice_is(f->type, k->insert) || (k->cancel && slice_is(f->type, k->cancel))))
            return k->care_date[0] == '-' ? NULL : k->care_date;
    }
    return NULL;
}

/* Every segment that has the field must name the path's day; one that leaves it open does not. */
static void check_date(struct file *f)
{
    const char *field = f->in->named ? date_field(f) : NULL;
    struct slice name = slice_sub(slice_str(field), 0, 3);
    uint64_t number = 0;
    unsigned agree = 0;

    if (!field || !slice_u64(slice_sub(slice_str(field), 4, 3), &number))
        return;
    f->in->judged[INSPECT_DATE] = true;
    for (size_t i = 0; i < f->m->segment_count; i++) {
        const struct hl7_segment *s = &f->m->segments[i];
        if (!slice_eq(s->name, name))
            continue;
        struct slice day = slice_sub(slice_trim(hl7_field(s, (unsigned)number)), 0, 8);
        agree += slice_eq(day, f->in->path.care_date);
        if (day.len == 0 || slice_eq(day, f->in->path.care_date))
            continue;
        const char *detail =
            arena_printf(f->arena, "%.*s <> %.*s", SLICE_ARG(day), SLICE_ARG(f->in->path.care_date));
        (void)err_add(&f->in->found[INSPECT_DATE], ERR_INVALID,
                      or_empty(place_of(f, s, (unsigned)number)), "%s", or_empty(detail));
        return;
    }
    if (agree == 0)
        say(f, INSPECT_DATE, ERR_SEVERITY_WARNING, ERR_REQUIRED, field,
            "the field that gives the care date is empty", "診療日のもとになる項目が空です");
}

/* ---- required ---- */

static void say_missing(struct file *f, enum err_severity severity, const struct hl7_segment *first,
                        unsigned field, unsigned missing)
{
    const struct names_pair *n = names_field(first->name, field);

    say(f, INSPECT_REQUIRED, severity, ERR_REQUIRED, place_of(f, first, field),
        arena_printf(f->arena, "%s is missing in %u segment(s)", n ? n->en : "", missing),
        arena_printf(f->arena, "%sがないセグメントが %u 個あります", n ? n->ja : "", missing));
}

static void check_rule(struct file *f, const struct rule_required *rule)
{
    const struct hl7_segment *first = NULL;
    unsigned missing = 0;

    for (size_t i = 0; i < f->m->segment_count; i++) {
        const struct hl7_segment *s = &f->m->segments[i];
        if (!slice_is(s->name, rule->segment) || hl7_field(s, rule->field).len > 0)
            continue;
        first = first ? first : s;
        missing++;
    }
    if (first)
        say_missing(f, ERR_SEVERITY_ERROR, first, rule->field, missing);
}

/* OBX-5 may be empty only where OBX-11 says that there is no value (X) or it was deleted (D). */
static void check_values(struct file *f)
{
    const struct hl7_segment *first = NULL;
    unsigned missing = 0;

    for (size_t i = 0; i < f->m->segment_count; i++) {
        const struct hl7_segment *s = &f->m->segments[i];
        struct slice status = hl7_field(s, 11);
        if (!slice_is(s->name, "OBX") || hl7_field(s, 5).len > 0 || slice_is(status, "X") ||
            slice_is(status, "D"))
            continue;
        first = first ? first : s;
        missing++;
    }
    if (first)
        say_missing(f, ERR_SEVERITY_WARNING, first, 5, missing);
}

static void check_required(struct file *f)
{
    uint32_t bit = rule_bit(f->in->kind);

    f->in->judged[INSPECT_REQUIRED] = true;
    for (const struct rule_required *rule = rule_required; rule->segment; rule++) {
        if (rule->kinds & bit)
            check_rule(f, rule);
    }
    check_values(f);
}

/* ---- numbers ---- */

/* [+-] digits [. digits] with a digit somewhere (HL7 v2.5 section 2.A.46). */
static bool is_number(struct slice s)
{
    unsigned digits = 0, points = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && c != '.' && !(i == 0 && (c == '+' || c == '-')))
            return false;
        digits += digit;
        points += c == '.';
    }
    return digits > 0 && points <= 1;
}

static void check_number(struct file *f, const struct hl7_segment *s, unsigned field,
                         unsigned component, struct slice value)
{
    value = slice_trim(value);
    if (value.len == 0 || hl7_is_null(value) || is_number(value))
        return;
    const char *place = component == 0 ? place_of(f, s, field)
                                       : arena_printf(f->arena, "%.*s[%u]-%u.%u", SLICE_ARG(s->name),
                                                      s->ordinal, field, component);
    say(f, INSPECT_NUMERIC, ERR_SEVERITY_ERROR, ERR_INVALID, place,
        arena_printf(f->arena, "not a number: %.*s", SLICE_ARG(slice_sub(value, 0, 60))),
        arena_printf(f->arena, "数値ではありません: %.*s", SLICE_ARG(slice_sub(value, 0, 60))));
}

static void check_repeat(struct file *f, const struct hl7_segment *s, const struct rule_numeric *rule,
                         struct slice repeat)
{
    if (rule->whole) {
        check_number(f, s, rule->field, 0, repeat);
        return;
    }
    for (unsigned c = 1; rule->components >> (c - 1); c++) {
        if ((rule->components >> (c - 1)) & 1)
            check_number(f, s, rule->field, c, hl7_component(f->m, repeat, c));
    }
}

static void check_numbers_of(struct file *f, const struct hl7_segment *s)
{
    for (const struct rule_numeric *rule = rule_numeric; rule->segment; rule++) {
        struct slice field = SLICE_NONE;
        if (memcmp(s->name.ptr, rule->segment, 3) == 0)
            field = hl7_field(s, rule->field);
        for (unsigned r = 0; field.len > 0 && r < hl7_repeats(f->m, field); r++)
            check_repeat(f, s, rule, hl7_repeat(f->m, field, r));
    }
    if (slice_is(s->name, "OBX") && slice_is(hl7_field(s, 2), "NM"))
        check_number(f, s, 5, 0, hl7_field(s, 5));
}

static void check_numeric(struct file *f)
{
    f->in->judged[INSPECT_NUMERIC] = true;
    for (size_t i = 0; i < f->m->segment_count; i++)
        check_numbers_of(f, &f->m->segments[i]);
}

/* ---- order ---- */

static const char *pattern_of(struct slice type)
{
    for (const struct rule_order *o = rule_orders; o->message; o++) {
        if (slice_is(type, o->message))
            return o->pattern;
    }
    return NULL;
}

/* A Z segment the pattern does not know is a sender's own and may stand anywhere. */
static void check_order(struct file *f)
{
    const char *pattern = pattern_of(f->type);
    struct order *order = pattern ? order_read(f->arena, pattern) : NULL;
    struct slice *names = arena_array(f->arena, f->m->segment_count, sizeof(*names));
    size_t *indexes = arena_array(f->arena, f->m->segment_count, sizeof(*indexes));
    size_t count = 0;

    if (!order || !names || !indexes)
        return;
    f->in->judged[INSPECT_ORDER] = true;
    for (size_t i = 0; i < f->m->segment_count; i++) {
        struct slice name = f->m->segments[i].name;
        if (name.ptr[0] == 'Z' && !order_knows(order, name))
            continue;
        indexes[count] = i;
        names[count++] = name;
    }
    size_t bad = order_match(order, names, count);
    if (bad > count)
        return;
    const struct hl7_segment *s = &f->m->segments[bad < count ? indexes[bad] : f->m->segment_count - 1];
    const char *place = arena_printf(f->arena, "%.*s[%u]", SLICE_ARG(s->name), s->ordinal);
    say(f, INSPECT_ORDER, ERR_SEVERITY_ERROR, ERR_MALFORMED, place,
        bad < count ? "this segment may not stand here"
                    : "the message ends before a segment that must follow",
        bad < count ? "このセグメントはここに置けません"
                    : "続くはずのセグメントがないまま終わっています");
}

/* ---- fields ---- */

static const struct rule_segment *segment_rule(struct slice name)
{
    for (const struct rule_segment *r = rule_segments; r->segment; r++) {
        if (slice_is(name, r->segment))
            return r;
    }
    return NULL;
}

static void check_fields(struct file *f)
{
    f->in->judged[INSPECT_FIELDS] = true;
    for (size_t i = 0; i < f->m->segment_count; i++) {
        const struct hl7_segment *s = &f->m->segments[i];
        const struct rule_segment *rule = segment_rule(s->name);
        if (!rule && s->ordinal == 1 && !names_segment(s->name) && s->name.ptr[0] != 'Z')
            say(f, INSPECT_FIELDS, ERR_SEVERITY_WARNING, ERR_UNKNOWN_ELEMENT,
                arena_printf(f->arena, "%.*s[1]", SLICE_ARG(s->name)),
                "the standard does not use this segment", "標準で使わないセグメントです");
        for (unsigned n = rule ? rule->highest + 1 : 0; rule && n < s->field_count; n++) {
            if (hl7_field(s, n).len == 0)
                continue;
            say(f, INSPECT_FIELDS, ERR_SEVERITY_WARNING, ERR_UNKNOWN_ELEMENT, place_of(f, s, n),
                "the standard's segment has no field of this number",
                "標準のセグメントにこの番号の項目はありません");
            break;
        }
    }
}

/* ---- one file ---- */

static void check_content(struct file *f, struct slice bytes)
{
    static void (*const content[])(struct file *f) = {check_date, check_required, check_numeric,
                                                      check_order, check_fields};
    struct hl7_header h;

    f->in->judged[INSPECT_JIS] = true;
    jis_check(f->arena, bytes, &f->in->found[INSPECT_JIS]);
    if (hl7_lex(f->arena, bytes, &f->in->found[INSPECT_INTAKE], &f->in->message) != ERR_OK)
        return;
    f->m = f->in->message;
    hl7_header_of(f->m, &h);
    f->type = slice_str(
        arena_printf(f->arena, "%.*s^%.*s", SLICE_ARG(h.type), SLICE_ARG(h.trigger)));
    for (size_t i = 0; i < sizeof(content) / sizeof(content[0]); i++)
        content[i](f);
}

void inspect_file(struct arena *arena, struct slice path, struct slice bytes,
                  struct inspection *ret_inspection)
{
    struct file f = {.in = ret_inspection, .arena = arena};

    assert(arena && ret_inspection);
    *ret_inspection = (struct inspection){0};
    for (unsigned i = 0; i < INSPECT_CHECKS; i++)
        err_list_init(&ret_inspection->found[i], arena);
    check_path(&f, path);
    check_content(&f, bytes);
}
