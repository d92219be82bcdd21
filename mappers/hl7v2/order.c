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
#include "mappers/hl7v2/terms.h"
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
    static const char *const names[] = {"OBX", "RXE", "RXA", "ODS", "ODT", "IPC", "ZE1"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (mapping_is(s, names[i]))
            return true;
    }
    return false;
}

static void take_specimen(struct cutter *c, size_t at, enum order_style style)
{
    const struct hl7_segment *s = &c->mp->m->segments[at];

    if (c->open && style == ORDER_ORC_FIRST && c->now.obr) {
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
        bool joins = style == ORDER_OBR_FIRST && c->now.obr && !c->now.orc;
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
    scope = mapping_format(mp, "%.*s:%.*s%s%.*s", SLICE_ARG(mp->out->message), SLICE_ARG(o->number),
                           extra.len ? ":" : "", SLICE_ARG(extra));
    mapping_replaces(mp, scope);
    return scope;
}

static const struct row nte_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {3, 0, build_string, "text", NULL},
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

static const struct row orc_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_order_number, "identifier[]", "PLAC"},
    {3, 0, build_order_number, "identifier[]", "FILL"},
    {8, 0, build_requisition, "requisition", NULL},
    {9, 0, build_datetime, "authoredOn", NULL},
    {12, 0, xpn_build_person, "requester", NULL},
    {16, 0, cwe_build, "reasonCode[]", NULL},
    {17, 0, cwe_build_extension, "extension[]",
     "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_Department"},
    {29, 0, cwe_build, "category[]", "HL70482"},
    ROW_END,
};
static const struct row obr_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, build_order_number, "identifier[]", "PLAC"},
    {3, 0, build_order_number, "identifier[]", "FILL"},
    {4, 0, cwe_build, "code", NULL},
    {13, 1, build_text_object, "note[]", NULL},
    {16, 0, xpn_build_person, "requester", NULL},
    {29, 0, build_requisition, "requisition", NULL},
    {31, 0, cwe_build, "reasonCode[]", NULL},
    ROW_END,
};
static const struct row tq1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {7, 0, build_datetime, "occurrencePeriod.start", NULL},
    {8, 0, build_datetime, "occurrencePeriod.end", NULL},
    {9, 0, cwe_build_code, "priority", terms_priority},
    ROW_END,
};

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
        mapping_format(mp, "SR:%s:%.*s:%.*s", kind, SLICE_ARG(o->number), SLICE_ARG(code)));
    r->create_only = mentioned;
    r->scope = mentioned ? SLICE_NONE : o->scope;
    json_put_text(mp->a, r->resource, "status", request_status(mp, o, mentioned));
    json_put_text(mp->a, r->resource, "intent", "order");
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "encounter");
    mapping_walk(mp, o->orc, orc_rows, r->resource);
    mapping_walk(mp, o->obr, obr_rows, r->resource);
    mapping_walk(mp, order_find(mp, o, "TQ1", 1), tq1_rows, r->resource);
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
