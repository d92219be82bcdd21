/* SPDX-License-Identifier: Apache-2.0
 *
 * Examinations: orders of the laboratory (OML-01), of imaging, endoscopy and physiology (OMG-01 to
 * -03), what was done (OMG-11, -12), results (OML-11, OMG-13). Results are gathered by specimen and
 * by report, so that what came as one panel goes out as one, in whatever order its records lie.
 */
#include "mappers/ssmix2/place.h"
#include "mappers/ssmix2/relate.h"
#include "mappers/ssmix2/writer.h"

#include "base/banned.h"

/* The number of an order that has one; of the file otherwise. */
static struct slice number_of(struct writer *w, const struct json *request)
{
    struct slice own = place_request_number(request, SLICE_NONE);

    return own.len > 0 ? segment_escape(w->s.arena, own) : writer_number(w);
}

static struct slice reference_of(const struct json *resource, const char *member)
{
    const struct json *at = json_get(resource, member);

    return json_str(at && at->kind == JSON_ARRAY ? json_at(at, 0) : at, "reference");
}

/* ---- specimens ---- */

static struct slice print_available(struct arena *a, const struct json *value, const void *arg)
{
    (void)a;
    (void)arg;
    if (slice_is(value->text, "available"))
        return SLICE("Y");
    return slice_is(value->text, "unavailable") ? SLICE("N") : SLICE_NONE;
}

static struct slice print_period(struct arena *a, const struct json *value, const void *arg)
{
    struct slice from = segment_time(a, json_str(value, "start"));
    struct slice to = segment_time(a, json_str(value, "end"));

    (void)arg;
    return from.len > 0 ? segment_format(a, "%.*s^%.*s", SLICE_ARG(from), SLICE_ARG(to))
                        : SLICE_NONE;
}

static const struct field spm_rows[] = {
    {2, field_identifier, "identifier[]", "specimen"},
    {3, field_text, "parent[0].identifier.value", NULL},
    {4, field_concept, "type", NULL},
    {6, field_concept, "container[0].additiveCodeableConcept", NULL},
    {7, field_concept, "collection.method", NULL},
    {8, field_concept, "collection.bodySite", NULL},
    {9, field_extension, "collection.extension[]", WRITER_OWN "body-site-modifier"},
    {12, field_amount, "collection.quantity", NULL},
    {14, field_text, "note[].text", NULL},
    {17, print_period, "collection.collectedPeriod", NULL},
    {17, field_time, "collection.collectedDateTime", NULL},
    {18, field_time, "receivedTime", NULL},
    {20, print_available, "status", NULL},
    {24, field_concept, "condition[]", NULL},
    {27, field_concept, "container[0].type", NULL},
    {30, field_text, "accessionIdentifier.value", NULL},
    FIELD_END,
};

void writer_specimen(struct writer *w, const struct json *specimen, unsigned n, struct slice taken)
{
    const struct json *collection = json_get(specimen, "collection");
    bool told =
        json_get(collection, "collectedDateTime") || json_get(collection, "collectedPeriod");
    struct field_given given[] = {
        {1, writer_set_id(w, n), false},
        {4, SLICE_NONE, true},
        {17, told ? SLICE_NONE : segment_time(w->s.arena, taken), false},
        {0, SLICE_NONE, false},
    };

    field_segment(&w->s, "SPM", spm_rows, specimen, given);
}

/* ---- orders ---- */

/* What was told along with an order. */
static void put_given_with(struct writer *w, const struct json *request)
{
    const struct json *list = json_get(request, "supportingInfo");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct write_item *item = relate_follow(w->plan->relate, i);
        if (!item || !slice_is(item->type, "Observation"))
            continue;
        item->written = true;
        writer_result(w, item->resource);
    }
}

/* Items asked for: OBX with the status of what is not done yet. */
static void put_items(struct writer *w, const struct json *request)
{
    const struct json *list = json_get(request, "orderDetail");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct field_given given[] = {
            {1, writer_set_id(w, ++w->n), false},
            {3, segment_concept(w->s.arena, i), true},
            {11, SLICE("O"), false},
            {0, SLICE_NONE, false},
        };
        field_segment(&w->s, "OBX", NULL, NULL, given);
    }
}

static void put_lab_order(struct writer *w, const struct json *r)
{
    writer_orc(w, r, writer_number(w));
    writer_timing(w, r);
    writer_obr(w, r, writer_number(w));
    writer_notes(w, r);
    w->n = 0;
    put_items(w, r);
    put_given_with(w, r);
}

void write_lab_order(struct writer *w)
{
    struct write_member *at = w->group->first, *m;
    unsigned specimens = 0;

    writer_msh(w, "OML^O33^OML_O33");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, "ServiceRequest"));
    while ((m = writer_next(&at, "ServiceRequest")) != NULL) {
        const struct json *r = m->item->resource;
        struct slice specimen = reference_of(r, "specimen");
        struct write_member *rest = at, *other;
        writer_specimen(w, writer_follow(w, json_path(r, "specimen", "0", NULL)), ++specimens,
                     SLICE_NONE);
        put_lab_order(w, r);
        for (; (other = writer_peek(&rest, "ServiceRequest")) != NULL; rest = other->next) {
            if (!slice_eq(reference_of(other->item->resource, "specimen"), specimen))
                continue;
            other->done = other->item->written = true;
            put_lab_order(w, other->item->resource);
        }
    }
}

static void put_exam_order(struct writer *w, const struct json *r)
{
    const struct json *specimen = writer_follow(w, json_path(r, "specimen", "0", NULL));

    writer_orc(w, r, number_of(w, r));
    writer_timing(w, r);
    writer_obr(w, r, number_of(w, r));
    writer_notes(w, r);
    w->n = 0;
    put_given_with(w, r);
    if (specimen)
        writer_specimen(w, specimen, 1, SLICE_NONE);
}

/* The whole comes before its parts: its number is that of the file. */
void write_exam_order(struct writer *w)
{
    writer_msh(w, "OMG^O19^OMG_O19");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, "ServiceRequest"));
    for (unsigned parts = 0; parts < 2; parts++) {
        struct write_member *at = w->group->first, *m;
        for (; (m = writer_peek(&at, "ServiceRequest")) != NULL; at = m->next) {
            if ((json_get(m->item->resource, "requisition") != NULL) != (parts == 1))
                continue;
            m->done = m->item->written = true;
            put_exam_order(w, m->item->resource);
        }
    }
}

/* ---- results ---- */

/* NDL: a name as the sub-components of the first component. */
static struct slice print_reader(struct arena *a, const struct json *value, const void *arg)
{
    struct slice xcn = segment_person(a, value), number = slice_cut(&xcn, '^');
    struct slice family = slice_cut(&xcn, '^'), given = slice_cut(&xcn, '^');

    (void)arg;
    if (number.len == 0 && family.len == 0)
        return SLICE_NONE;
    return segment_format(a, "%.*s&%.*s&%.*s", SLICE_ARG(number), SLICE_ARG(family),
                          SLICE_ARG(given));
}

/* "item:sub-id:value" */
static struct slice print_parent_result(struct arena *a, const struct json *value, const void *arg)
{
    struct slice rest = json_str(value, "valueString");
    struct slice item = slice_cut(&rest, ':'), sub = slice_cut(&rest, ':');

    if (!slice_is(json_str(value, "url"), arg))
        return SLICE_NONE;
    return segment_format(a, "%.*s^%.*s^%.*s", SLICE_ARG(segment_escape(a, item)),
                          SLICE_ARG(segment_escape(a, sub)), SLICE_ARG(segment_escape(a, rest)));
}

static const struct field report_rows[] = {
    {3, field_identifier, "identifier[]", "filler-order"},
    {7, field_time, "effectiveDateTime", NULL},
    {7, field_time, "effectivePeriod.start", NULL},
    {8, field_time, "effectivePeriod.end", NULL},
    {22, field_time, "issued", NULL},
    {24, field_code, "category[1]", NULL},
    {25, field_back, "status", terms_report_status},
    {26, print_parent_result, "extension[]", WRITER_OWN "parent-result"},
    {32, print_reader, "resultsInterpreter[]", NULL},
    {34, print_reader, "performer[]", NULL},
    FIELD_END,
};

/* The panel that our identifiers name where nothing else does: facility:LAB:order:day:panel:item,
 * without the day for examinations. */
static struct slice panel_of(const struct json *o)
{
    bool laboratory = slice_is(place_instance(o, 1), "LAB");

    return place_instance(o, laboratory ? 4 : 3);
}

struct panel {
    struct slice specimen, name;
    const struct write_item *report;
    const struct json *request; /* whose result it is, when known */
    struct slice basis;         /* what basedOn says */
    const struct json *first;   /* its first result */
};

static struct panel panel_at(struct writer *w, const struct write_item *item)
{
    struct relate *relate = w->plan->relate;
    const struct json *o = item->resource;
    const struct write_item *order = relate_follow(relate, json_path(o, "basedOn", "0", NULL));

    return (struct panel){.specimen = reference_of(o, "specimen"),
                          .name = panel_of(o),
                          .report = relate_of(relate, RELATE_REPORT, item),
                          .request = order ? order->resource : NULL,
                          .basis = reference_of(o, "basedOn"),
                          .first = o};
}

static bool is_same_panel(const struct panel *a, const struct panel *b)
{
    return a->report == b->report && slice_eq(a->basis, b->basis) && slice_eq(a->name, b->name) &&
           slice_eq(a->specimen, b->specimen);
}

static struct slice panel_code(struct writer *w, const struct panel *p)
{
    struct arena *a = w->s.arena;
    const struct json *report = p->report ? p->report->resource : NULL;
    struct slice code = segment_concept(a, json_get(report, "code"));

    if (code.len == 0)
        code = segment_concept(a, json_get(p->request, "code"));
    if (code.len == 0)
        code = segment_escape(a, p->name);
    return code.len > 0 ? code : segment_concept(a, json_get(p->first, "code"));
}

/* OBR-24, where neither the report nor a code of JLAC10 says what kind of results these are. */
static struct slice section_of(struct writer *w, const struct panel *p)
{
    static const struct {
        const char *category, *section;
    } known[] = {{"procedure", "PF"}, {"exam", "PHY"}, {"imaging", "RAD"}};
    const char *kind = w->group->kind;

    if (strcmp(kind, "OMG-13") != 0 || p->report)
        return SLICE_NONE;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (place_has_category(p->first, known[i].category))
            return slice_str(known[i].section);
    }
    return SLICE_NONE;
}

static void put_panel_obr(struct writer *w, const struct panel *p, const struct json *specimen)
{
    struct arena *a = w->s.arena;
    const struct json *report = p->report ? p->report->resource : NULL;
    struct slice requester = segment_person(a, json_get(p->request, "requester"));
    struct slice group = segment_escape(a, json_str(json_get(p->request, "requisition"), "value"));
    bool dated = place_taken(report).len > 0;
    struct field_given given[] = {
        {1, SLICE("1"), false},
        {2, writer_number(w), false},
        {4, panel_code(w, p), true},
        {7, dated ? SLICE_NONE : segment_time(a, place_taken(p->first)), false},
        {10, segment_person(a, json_path(specimen, "collection", "collector", NULL)), false},
        {16, requester, false},
        {24, section_of(w, p), false},
        {29, group, false},
        {0, SLICE_NONE, false},
    };

    field_segment(&w->s, "OBR", report_rows, report, given);
}

/* All results of the panel, of which FROM is the first. */
static void put_panel_results(struct writer *w, const struct panel *panel,
                              struct write_member *from)
{
    struct write_member *at = from, *m;

    w->n = 0;
    for (; (m = writer_peek(&at, "Observation")) != NULL; at = m->next) {
        struct panel other = panel_at(w, m->item);
        if (!is_same_panel(&other, panel))
            continue;
        m->done = m->item->written = true;
        writer_result(w, m->item->resource);
    }
}

static void put_panel(struct writer *w, struct write_member *from, const struct json *specimen)
{
    struct panel panel = panel_at(w, from->item);
    const struct json *basis = json_path(from->item->resource, "basedOn", "0", NULL);
    bool laboratory = strcmp(w->group->kind, "OML-11") == 0;

    (void)writer_follow(w, basis);
    if (panel.report) {
        struct write_item *report = relate_of(w->plan->relate, RELATE_REPORT, from->item);
        report->written = true;
    }
    if (!laboratory && panel.request)
        writer_orc(w, panel.request, writer_number(w));
    put_panel_obr(w, &panel, specimen);
    if (laboratory)
        writer_orc(w, panel.request, writer_number(w));
    writer_timing(w, panel.request);
    put_panel_results(w, &panel, from);
}

/* A new specimen begins a group of SPM, another panel one of OBR. */
void write_lab_results(struct writer *w)
{
    struct write_member *at = w->group->first, *m;
    unsigned specimens = 0;

    writer_msh(w, "OUL^R22^OUL_R22");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, "Observation"));
    for (; (m = writer_peek(&at, "Observation")) != NULL; at = m->next) {
        const struct json *specimen = writer_follow(w, json_get(m->item->resource, "specimen"));
        struct slice name = reference_of(m->item->resource, "specimen");
        struct write_member *rest = m, *other;
        writer_specimen(w, specimen, ++specimens, place_taken(m->item->resource));
        for (; (other = writer_peek(&rest, "Observation")) != NULL; rest = other->next) {
            if (slice_eq(reference_of(other->item->resource, "specimen"), name))
                put_panel(w, other, specimen);
        }
    }
}

void write_exam_results(struct writer *w)
{
    struct write_member *at = w->group->first, *m;

    writer_msh(w, "ORU^R01^ORU_R01");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, "Observation"));
    for (; (m = writer_peek(&at, "Observation")) != NULL; at = m->next) {
        const struct json *specimen = writer_follow(w, json_get(m->item->resource, "specimen"));
        put_panel(w, m, specimen);
        if (specimen)
            writer_specimen(w, specimen, 1, place_taken(m->item->resource));
    }
}

/* ---- what was done ---- */

static struct slice print_uid(struct arena *a, const struct json *value, const void *arg)
{
    struct slice uid = json_str(value, "value");

    (void)arg;
    if (!slice_is(json_str(value, "system"), "urn:dicom:uid") ||
        !slice_starts(uid, SLICE("urn:oid:")))
        return SLICE_NONE;
    return segment_escape(a, slice_sub(uid, strlen("urn:oid:"), uid.len));
}

static const struct field ipc_rows[] = {
    {1, field_typed, "identifier[]", "ACSN"},
    {2, field_identifier, "identifier[]", "requested-procedure"},
    {3, print_uid, "identifier[]", NULL},
    {5, field_coding, "modality[]", NULL},
    FIELD_END,
};

static struct slice print_performer(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_person(a, json_get(value, "actor"));
}

static const struct field ze1_rows[] = {
    {3, field_concept, "code", NULL},
    {8, print_performer, "performer[]", NULL},
    FIELD_END,
};

/* OBX of one whole (the study or an act of it), for the order whose reference is BASIS. */
static void put_findings(struct writer *w, const struct write_member *whole, struct slice basis)
{
    struct relate *relate = w->plan->relate;
    struct write_member *at = w->group->first, *m;

    for (; (m = writer_peek(&at, "Observation")) != NULL; at = m->next) {
        const struct json *o = m->item->resource;
        if (relate_follow(relate, json_path(o, "partOf", "0", NULL)) != whole->item ||
            (basis.len > 0 && !slice_eq(reference_of(o, "basedOn"), basis)))
            continue;
        m->done = m->item->written = true;
        writer_result(w, o);
    }
}

static void put_acts(struct writer *w, struct slice basis)
{
    struct write_member *at = w->group->first, *m;
    unsigned n = 0;

    for (; (m = writer_peek(&at, "Procedure")) != NULL; at = m->next) {
        struct field_given given[] = {
            {1, writer_set_id(w, ++n), false},
            {2, SLICE("RS"), false},
            {3, SLICE_NONE, true},
            {0, SLICE_NONE, false},
        };
        if (!slice_eq(reference_of(m->item->resource, "basedOn"), basis))
            continue;
        m->done = m->item->written = true;
        field_segment(&w->s, "ZE1", ze1_rows, m->item->resource, given);
        w->n = 0;
        put_findings(w, m, SLICE_NONE);
    }
}

/* One order of a study (NULL: none is known), the nth of them. */
static void put_done(struct writer *w, const struct write_member *study, const struct json *request,
                     unsigned n)
{
    struct arena *a = w->s.arena;
    const struct json *s = study->item->resource;
    const struct json *basis = json_at(json_get(s, "basedOn"), n);
    struct slice code = segment_concept(a, json_get(request, "code"));
    struct slice number = request ? number_of(w, request) : writer_number(w);
    struct slice group = segment_escape(a, json_str(json_get(request, "requisition"), "value"));
    struct field_given obr[] = {
        {1, SLICE("1"), false},
        {2, writer_other_number(a, request, number), false},
        {4, code.len > 0 ? code : segment_concept(a, json_at(json_get(s, "procedureCode"), n)),
         true},
        {7, segment_time(a, json_str(s, "started")), false},
        {16, segment_person(a, json_get(request, "requester")), false},
        {29, group, false},
        {0, SLICE_NONE, false},
    };
    struct field_given ipc[] = {{1, SLICE_NONE, true},
                                {3, SLICE_NONE, true},
                                {5, SLICE_NONE, true},
                                {0, SLICE_NONE, false}};

    writer_orc(w, request, number);
    writer_timing(w, request);
    field_segment(&w->s, "OBR", NULL, NULL, obr);
    w->n = 0;
    put_findings(w, study, json_str(basis, "reference"));
    put_acts(w, json_str(basis, "reference"));
    field_segment(&w->s, "IPC", ipc_rows, s, ipc);
}

void write_exam_done(struct writer *w)
{
    struct write_member *at = w->group->first, *m;

    writer_msh(w, "OMI^Z23^OMI_Z23");
    writer_pid(w, false);
    writer_visit(w, writer_first(w, "ImagingStudy"));
    while ((m = writer_next(&at, "ImagingStudy")) != NULL) {
        const struct json *list = json_get(m->item->resource, "basedOn");
        unsigned n = 0;
        for (const struct json *i = json_at(list, 0); i; i = i->next)
            put_done(w, m, writer_follow(w, i), n++);
        if (n == 0)
            put_done(w, m, NULL, 0);
    }
}
