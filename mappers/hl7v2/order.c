/* SPDX-License-Identifier: Apache-2.0
 *
 * Cutting a message into order groups, and the order itself as ServiceRequest
 * (JP_ServiceRequest_Common). Parent and children of one order (ORC-1 PA and CH) share a
 * requisition. An order number alone is unique only within one kind of order of an institution,
 * hence KIND in the key.
 */
#include "mappers/hl7v2/order.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/timing.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

/* Without any order number: the time of it, so that a repeat meets the same ids; else the message's
 * control id. */
static struct slice number_by_time(struct mapping *mp, const struct order *o)
{
    struct slice choice[] = {mapping_value(mp, o->obr, 7, 1),
                             mapping_value(mp, order_find(mp, o, "OBX", 1), 14, 1),
                             mapping_value(mp, o->spm, 17, 1)};

    for (size_t i = 0; i < sizeof(choice) / sizeof(choice[0]); i++) {
        if (choice[i].len)
            return mapping_format(mp, "at:%.*s", SLICE_ARG(choice[i]));
    }
    return mapping_value(mp, &mp->m->segments[0], 10, 1);
}

static void finish_group(struct mapping *mp, struct order *o)
{
    const struct hl7_segment *where[] = {o->orc, o->obr, o->orc, o->obr};
    static const unsigned field[] = {2, 2, 3, 3};
    struct slice control;

    o->number = SLICE_NONE;
    for (size_t i = 0; i < 4 && o->number.len == 0; i++)
        o->number = mapping_value(mp, where[i], field[i], 1);
    o->numbered = o->number.len > 0;
    if (!o->numbered)
        o->number = number_by_time(mp, o);
    control = mapping_value(mp, o->orc, 1, 1);
    o->cancelled = terms_find(terms_medication_control, control) && !slice_is(control, "HD") &&
                   !slice_is(control, "OH") && !slice_is(control, "HR");
}

struct cutter {
    struct mapping *mp;
    order_cb fn;
    struct order now;
    const struct hl7_segment *specimen; /* SPM that stands before orders */
    bool open;
    unsigned count;
};

/* Results taken back: what the group made in its scope is to be removed. BEFORE: the last resource
 * before it. */
static void withdraw(struct mapping *mp, const struct order *o, struct mapped_resource *before)
{
    for (struct mapped_resource *r = before ? before->next : mp->out->first; r; r = r->next)
        r->remove = r->remove || (r->scope.len && slice_eq(r->scope, o->scope));
}

static void close_group(struct cutter *c, size_t end)
{
    struct mapped_resource *before = c->mp->out->last;

    if (!c->open)
        return;
    c->now.to = end;
    c->now.index = ++c->count;
    if (!c->now.spm)
        c->now.spm = c->specimen;
    finish_group(c->mp, &c->now);
    c->fn(c->mp, &c->now);
    if (c->now.result && c->now.cancelled)
        withdraw(c->mp, &c->now, before);
    c->open = false;
}

static void open_group(struct cutter *c, size_t at)
{
    close_group(c, at);
    c->now = (struct order){.from = at};
    c->open = true;
}

static bool is_body(const struct hl7_segment *s)
{
    static const char *const names[] = {"OBX", "RXE", "RXO", "RXD", "RXA",
                                        "ODS", "ODT", "IPC", "ZE1"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (mapping_is(s, names[i]))
            return true;
    }
    return false;
}

static void take_specimen(struct cutter *c, size_t at, enum order_style style)
{
    const struct hl7_segment *s = &c->mp->m->segments[at];

    if (c->open && (style == ORDER_ORC_FIRST || style == ORDER_RESULT_FIRST) && c->now.obr) {
        if (!c->now.spm)
            c->now.spm = s; /* the specimen stands behind its results */
        return;
    }
    close_group(c, at);
    c->specimen = s;
}

/* Only OBX of the specimen so far: they belong to the first order of it. */
static bool is_lead(const struct cutter *c, enum order_style style)
{
    return style != ORDER_ORC_FIRST && !c->now.orc && !c->now.obr;
}

static void take(struct cutter *c, size_t at, enum order_style style)
{
    const struct hl7_segment *s = &c->mp->m->segments[at];

    if (mapping_is(s, "ORC")) {
        bool joins =
            (style == ORDER_OBR_FIRST || style == ORDER_RESULT_FIRST) && c->now.obr && !c->now.orc;
        if (!c->open || !(joins || is_lead(c, style)))
            open_group(c, at);
        c->now.orc = s;
    } else if (mapping_is(s, "OBR")) {
        if (!c->open || c->now.obr || !(c->now.orc || is_lead(c, style)))
            open_group(c, at);
        c->now.obr = s;
    } else if (mapping_is(s, "SPM")) {
        take_specimen(c, at, style);
    } else if (is_body(s) && !c->open) {
        open_group(c, at);
    }
}

void order_each(struct mapping *mp, enum order_style style, order_cb fn)
{
    struct cutter c = {.mp = mp, .fn = fn};
    bool patient_seen = false;

    for (size_t i = 0; i < mp->m->segment_count; i++) {
        /* OBX before any order, behind the patient's segments, are results without a request */
        patient_seen = patient_seen || mapping_is(&mp->m->segments[i], "PID");
        if (patient_seen)
            take(&c, i, style);
    }
    close_group(&c, mp->m->segment_count);
}

const struct hl7_segment *order_find(struct mapping *mp, const struct order *o, const char *name,
                                     unsigned n)
{
    for (size_t i = o->from; i < o->to; i++) {
        if (mapping_is(&mp->m->segments[i], name) && --n == 0)
            return &mp->m->segments[i];
    }
    return NULL;
}

const struct hl7_segment *order_next(struct mapping *mp, const struct order *o,
                                     const struct hl7_segment *s, const char *name)
{
    for (size_t i = (size_t)(s - mp->m->segments) + 1; i < o->to; i++) {
        if (mapping_is(&mp->m->segments[i], name))
            return &mp->m->segments[i];
    }
    return NULL;
}

struct slice order_scope(struct mapping *mp, const struct order *o, struct slice extra)
{
    struct slice scope;

    if (!o->numbered)
        return SLICE_NONE;
    scope = ARENA_JOIN(mp->a, mp->out->message, SLICE(":"), o->number,
                       extra.len ? SLICE(":") : SLICE_NONE, extra);
    mapping_replaces(mp, scope);
    return scope;
}

static const struct row nte_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {3, 0, build_string, "text", NULL},
    {4, 0, cwe_build_extension, "extension[]", EXTEND_OWN "comment-type"},
    {5, 0, xpn_build_person, "authorReference", NULL},
    {6, 0, build_datetime, "time", NULL},
    ROW_END,
};

void order_notes(struct mapping *mp, const struct hl7_segment *s, struct json *resource)
{
    if (!s)
        return;
    for (size_t i = (size_t)(s - mp->m->segments) + 1; i < mp->m->segment_count; i++) {
        const struct hl7_segment *nte = &mp->m->segments[i];
        struct json *note;

        if (!mapping_is(nte, "NTE"))
            return;
        note = json_new(mp->a, JSON_OBJECT);
        mapping_walk(mp, nte, nte_rows, note);
        if (json_get(note, "text"))
            mapping_put_at(mp->a, resource, "note[]", note);
    }
}

static struct json *order_identifier(struct mapping *mp, const char *type, struct slice number)
{
    struct json *identifier = json_new(mp->a, JSON_OBJECT);

    json_set(identifier, "type",
             cwe_constant(mp, "http://terminology.hl7.org/CodeSystem/v2-0203", type, NULL));
    json_put_str(mp->a, identifier, "system", cwe_local(mp, SLICE("order")));
    json_put_str(mp->a, identifier, "value", number);
    return identifier;
}

/* arg: PLAC or FILL. The same number from ORC and OBR is said once. */
static bool build_order_number(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice number = mapping_part(mp, at->raw, 1);
    struct json *list = json_get(at->target, "identifier");

    if (number.len == 0)
        return false;
    for (struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_eq(json_str(i, "value"), number) &&
            slice_is(json_str(json_path(i, "type", "coding", "0", NULL), "code"), at->row->arg))
            return true;
    }
    return mapping_put(at, order_identifier(mp, at->row->arg, number));
}

/* ORC-8 / OBR-29 (EIP): the parent's placer number. */
static bool build_requisition(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct slice eip = hl7_component(mp->m, at->raw, 1);
    struct slice number = mapping_clean(mp, hl7_sub(mp->m, eip, 1));

    if (number.len == 0)
        return false;
    return mapping_put(at, order_identifier(mp, "PGN", number));
}

/* ORC-4: the group that several orders belong to. Where ORC-8 names a parent, that is the group. */
static bool build_group_number(struct spot *at)
{
    struct slice number = mapping_part(at->mp, at->raw, 1);

    if (number.len == 0)
        return false;
    if (json_get(at->target, "requisition"))
        return mapping_put_at(at->mp->a, at->target, "identifier[]",
                              order_identifier(at->mp, "PGN", number));
    return mapping_put(at, order_identifier(at->mp, "PGN", number));
}

/* OBR-11 (0065): a reflex order was made by a result; all others are plain orders. */
static bool build_intent(struct spot *at)
{
    struct slice code = mapping_part(at->mp, at->raw, 1);

    if (slice_is(code, "G"))
        return mapping_put(at, json_string(at->mp->a, SLICE("reflex-order")));
    return slice_is(code, "L") || slice_is(code, "O") || slice_is(code, "A") ||
           slice_is(code, "P") || slice_is(code, "S");
}

static const struct row orc_rows[] = {
    {1, 0, build_structure, "status", NULL},
    {2, 0, build_order_number, "identifier[]", "PLAC"},
    {3, 0, build_order_number, "identifier[]", "FILL"},
    {8, 0, build_requisition, "requisition", NULL},
    {4, 0, build_group_number, "requisition", NULL},
    {9, 0, build_datetime, "authoredOn", NULL},
    {10, 0, extend_build_person, "extension[]", EXTEND_OWN "entered-by"},
    {11, 0, extend_build_person, "extension[]", EXTEND_OWN "verified-by"},
    {12, 0, xpn_build_person, "requester", NULL},
    {14, 0, extend_build_contact, "extension[]", EXTEND_OWN "call-back"},
    {15, 0, build_datetime, "occurrenceDateTime", NULL},
    {16, 0, cwe_build, "reasonCode[]", NULL},
    {17, 0, cwe_build_extension, "extension[]",
     "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_Department"},
    {18, 0, cwe_build_extension, "extension[]", EXTEND_OWN "entering-device"},
    {21, 0, extend_build_organization, "extension[]", EXTEND_OWN "ordering-facility"},
    {22, 0, extend_build_address, "extension[]", EXTEND_OWN "ordering-facility-address"},
    {23, 0, extend_build_contact, "extension[]", EXTEND_OWN "ordering-facility-telecom"},
    {24, 0, extend_build_address, "extension[]", EXTEND_OWN "ordering-provider-address"},
    {25, 0, cwe_build_extension, "extension[]", EXTEND_OWN "order-status-modifier"},
    {28, 0, extend_build_security, "meta.security[]", NULL},
    {29, 0, cwe_build, "category[]", "HL70482"},
    {31, 0, cwe_build_extension, "extension[]", EXTEND_OWN "parent-service"},
    {33, 0, extend_build_number, "identifier[]", "PLAC alternate-order"},
    {38, 0, extend_build_number, "identifier[]", "FGN filler-order-group"},
    ROW_END,
};
/* ORC-5 is looked at together with ORC-1 (request_status). */
static const struct row state_rows[] = {{5, 0, build_elsewhere, "status", NULL}, ROW_END};
static const struct row obr_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_order_number, "identifier[]", "PLAC"},
    {3, 0, build_order_number, "identifier[]", "FILL"},
    {4, 0, cwe_build_item, "code", NULL},
    {5, 0, cwe_build_code, "priority", terms_priority},
    {6, 0, build_datetime, "occurrenceDateTime", NULL},
    {11, 0, build_intent, "intent", NULL},
    {13, 1, build_text_object, "note[]", NULL},
    {16, 0, xpn_build_person, "requester", NULL},
    {17, 0, extend_build_contact, "extension[]", EXTEND_OWN "call-back"},
    {29, 0, build_requisition, "requisition", NULL},
    {31, 0, cwe_build, "reasonCode[]", NULL},
    {46, 0, cwe_build, "orderDetail[]", NULL},
    {47, 0, cwe_build, "orderDetail[]", NULL},
    {53, 0, extend_build_number, "identifier[]", "PLAC alternate-order"},
    ROW_END,
};
/* Before v2.5 the timing is one field (TQ): start, priority and text of its parts. */
static const struct row old_orc_timing[] = {
    {7, 4, build_datetime, "occurrenceDateTime", NULL},
    {7, 6, cwe_build_code, "priority", terms_priority},
    {7, 8, build_text_object, "note[]", NULL},
    ROW_END,
};
static const struct row old_obr_timing[] = {
    {27, 4, build_datetime, "occurrenceDateTime", NULL},
    {27, 6, cwe_build_code, "priority", terms_priority},
    {27, 8, build_text_object, "note[]", NULL},
    ROW_END,
};
static const struct row tq1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_quantity, "quantityQuantity", NULL},
    {9, 0, cwe_build_code, "priority", terms_priority},
    {10, 1, build_text_object, "note[]", NULL},
    {11, 1, build_text_object, "note[]", NULL},
    ROW_END,
};
/* occurrence[x] is one element: a time only, or a timing where TQ1 says how often. */
static const struct row tq1_period[] = {
    {7, 0, build_datetime, "occurrencePeriod.start", NULL},
    {8, 0, build_datetime, "occurrencePeriod.end", NULL},
    ROW_END,
};

static void put_occurrence(struct mapping *mp, const struct order *o, struct json *request)
{
    const struct hl7_segment *tq1 = order_find(mp, o, "TQ1", 1);
    struct json *timing = json_new(mp->a, JSON_OBJECT);

    if (!tq1 && hl7_field(o->obr, 27).len)
        mapping_walk(mp, o->obr, old_obr_timing, request);
    else if (!tq1)
        mapping_walk(mp, o->orc, old_orc_timing, request);
    mapping_walk(mp, tq1, tq1_rows, request);
    if (timing_says(tq1)) {
        timing_rows(mp, tq1, timing);
        if (timing->count) {
            json_remove(request, "occurrenceDateTime");
            json_set(request, "occurrenceTiming", timing);
            return;
        }
    }
    if (tq1 && (hl7_field(tq1, 7).len || hl7_field(tq1, 8).len))
        json_remove(request, "occurrenceDateTime");
    mapping_walk(mp, tq1, tq1_period, request);
}

/* ORC-5 says it, ORC-1 decides a cancellation; a result on the side means the order was carried
 * out. */
static const char *request_status(struct mapping *mp, const struct order *o, bool mentioned)
{
    const struct term *control = terms_find(terms_order_control, mapping_value(mp, o->orc, 1, 1));
    const struct term *status = terms_find(terms_order_status, mapping_value(mp, o->orc, 5, 1));

    if (status)
        mapping_mark(mp, o->orc, 5, MAPPING_USED);
    if (control)
        return control->to;
    if (status)
        return status->to;
    return mentioned ? "completed" : "active";
}

struct mapped_resource *order_request(struct mapping *mp, const struct order *o, const char *kind,
                                      bool mentioned)
{
    struct slice code = mapping_value(mp, o->obr, 4, 1);
    struct mapped_resource *r;

    if (!o->numbered || !cwe_says(mp, o->obr, 4))
        return NULL;
    if (code.len == 0)
        code = mapping_value(mp, o->obr, 4, 2);
    r = mapping_resource(
        mp, "ServiceRequest", "JP_ServiceRequest_Common",
        ARENA_JOIN(mp->a, SLICE("SR:"), slice_str(kind), SLICE(":"), o->number, SLICE(":"), code));
    r->create_only = mentioned;
    r->scope = mentioned ? SLICE_NONE : o->scope;
    json_put_text(mp->a, r->resource, "status", request_status(mp, o, mentioned));
    json_put_text(mp->a, r->resource, "intent", "order");
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "encounter");
    mapping_walk(mp, o->orc, orc_rows, r->resource);
    mapping_walk(mp, o->obr, obr_rows, r->resource);
    put_occurrence(mp, o, r->resource);
    if (!mentioned)
        order_notes(mp, o->obr, r->resource);
    return r;
}

void order_based_on(struct mapping *mp, const struct mapped_resource *request,
                    struct json *resource)
{
    if (request && mapping_once(mp, resource, json_str(request->resource, "id")))
        mapping_put_at(mp->a, resource, "basedOn[]", mapping_reference(mp, request));
}

const struct row_set order_sets[] = {
    {"ORC", "ServiceRequest", orc_rows, NULL},
    {"ORC", "ServiceRequest", state_rows, NULL},
    {"OBR", "ServiceRequest", obr_rows, NULL},
    {"ORC", "ServiceRequest", old_orc_timing, NULL},
    {"OBR", "ServiceRequest", old_obr_timing, NULL},
    {"TQ1", "ServiceRequest", tq1_rows, NULL},
    {"TQ1", "ServiceRequest", tq1_period, NULL},
    ROW_SET_END,
};
const struct row_set order_note_sets[] = {
    {"NTE", "note of what it stands behind", nte_rows, NULL},
    ROW_SET_END,
};
