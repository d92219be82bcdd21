/* SPDX-License-Identifier: Apache-2.0
 *
 * RDE^O11, prescriptions (SS-MIX2 OMP-01) and injections (OMP-02), and OMP^O09, orders the pharmacy
 * has not yet encoded: MedicationRequest (JP_MedicationRequest, _Injection) from ORC, RXE or RXO,
 * TQ1, RXR, RXC. An injection's drugs are its RXC, as a contained Medication of several
 * ingredients; RXE-2 then only says what kind of injection it is. No dose is ever computed.
 */
#include "mappers/hl7v2/family.h"

#include <stdlib.h>

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/pv1.h"
#include "mappers/hl7v2/rp.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/timing.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define DOSE "dosageInstruction[0].doseAndRate[0]."
#define DOSAGE_EXTENSION                                                                           \
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_"
#define UCUM "http://unitsofmeasure.org"

static const struct row orc_rows[] = {
    {1, 0, build_structure, "status", NULL},
    {2, 0, build_structure, NULL, NULL},
    {3, 0, build_identifier, "identifier[]", "filler-order"},
    {9, 0, build_datetime, "authoredOn", NULL},
    {10, 0, xpn_build_person, "recorder", NULL},
    {12, 0, xpn_build_person, "requester", NULL},
    {16, 0, cwe_build, "reasonCode[]", NULL},
    {17, 0, cwe_build_extension, "extension[]",
     "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_Department"},
    {28, 0, extend_build_security, "meta.security[]", NULL},
    {29, 0, cwe_build, "category[]", "HL70482"},
    ROW_END,
};
/* ORC-5 is looked at together with ORC-1, words in RXE-3 instead of the number it should be. */
static const struct row state_rows[] = {{5, 0, build_elsewhere, "status", NULL}, ROW_END};

/* RXE-19 (CQ): the amount of one day, as a rate. */
static bool build_per_day(struct spot *at)
{
    struct json *denominator;

    if (!build_quantity(at))
        return false;
    denominator = mapping_object_at(at->mp->a, at->target, DOSE "rateRatio.denominator");
    json_set(denominator, "value", json_int(at->mp->a, 1));
    json_put_text(at->mp->a, denominator, "unit", "日");
    json_put_text(at->mp->a, denominator, "system", UCUM);
    return json_put_text(at->mp->a, denominator, "code", "d") != NULL;
}

/* RXE-21: codes of MR9P name kinds of prescription here, of which JP Core has its own system. */
static bool build_category(struct spot *at)
{
    struct cwe c;
    struct json *concept, *coding;

    cwe_read(at->mp, at->raw, &c);
    concept = cwe_concept(at->mp, &c);
    coding = json_path(concept, "coding", "0", NULL);
    if (coding && slice_is(c.system, "MR9P"))
        json_put_text(at->mp->a, coding, "system",
                      "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationCategoryMERIT9_CS");
    return mapping_put(at, concept);
}

/* RXE-31: the same drug in another system, beside RXE-2. */
static bool build_more_code(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct json *drug = json_get(at->target, "medicationCodeableConcept");
    struct cwe c;

    cwe_read(mp, at->raw, &c);
    return drug && mapping_put_at(mp->a, drug, "coding[]",
                                  cwe_coding(mp, cwe_system(mp, c.system), c.code, c.text));
}

/* Tables 0161 and 0167: whether another product may be given, or has been. */
static bool build_substitution(struct spot *at)
{
    struct slice code = mapping_part(at->mp, at->raw, 1);
    struct json *allowed;

    if (code.len == 0)
        return false;
    allowed = json_new(at->mp->a, JSON_OBJECT);
    json_set(allowed, "allowedCodeableConcept",
             cwe_constant(at->mp, at->row->arg, arena_str(at->mp->a, code), NULL));
    return mapping_put(at, allowed);
}

static const struct row rxe_rows[] = {
    {9, 0, build_substitution, "substitution", "http://terminology.hl7.org/CodeSystem/v2-0167"},
    {10, 0, build_decimal, "dispenseRequest.quantity.value", NULL},
    {12, 1, build_integer, "dispenseRequest.numberOfRepeatsAllowed", NULL},
    {13, 0, extend_build_person, "extension[]", EXTEND_OWN "prescriber"},
    {14, 0, extend_build_person, "extension[]", EXTEND_OWN "verified-by"},
    {15, 0, build_identifier, "identifier[]", "prescription"},
    {21, 0, build_category, "category[]", NULL},
    {27, 0, cwe_build, "reasonCode[]", NULL},
    {7, 0, cwe_build, "dosageInstruction[0].additionalInstruction[]", NULL},
    {19, 0, build_per_day, DOSE "rateRatio.numerator", NULL},
    {32, 0, build_datetime, "authoredOn", NULL},
    ROW_END,
};
static const struct row dispense_unit[] = {{11, 0, build_unit, "dispenseRequest.quantity", NULL},
                                           ROW_END};
static const struct row one_dose[] = {
    {3, 0, build_decimal, DOSE "doseQuantity.value", NULL},
    {4, 0, build_decimal, DOSE "doseQuantity.value", NULL},
    {5, 0, build_unit, DOSE "doseQuantity", NULL},
    ROW_END,
};
static const struct row dose_range[] = {
    {3, 0, build_decimal, DOSE "doseRange.low.value", NULL},
    {4, 0, build_decimal, DOSE "doseRange.high.value", NULL},
    {5, 0, build_unit, DOSE "doseRange.low", NULL},
    {5, 0, build_unit, DOSE "doseRange.high", NULL},
    ROW_END,
};
static const struct row rate_rows[] = {
    {23, 0, build_decimal, DOSE "rateQuantity.value", NULL},
    {24, 0, build_unit, DOSE "rateQuantity", NULL},
    ROW_END,
};
static const struct row drug_rows[] = {{2, 0, cwe_build, "medicationCodeableConcept", NULL},
                                       ROW_END};
static const struct row more_drug[] = {
    {31, 0, build_more_code, "medicationCodeableConcept.coding[]", NULL}, ROW_END};
static const struct row injection_kind[] = {{2, 0, cwe_build, "category[]", NULL}, ROW_END};
static const struct row form_rows[] = {{6, 0, cwe_build, "form", NULL}, ROW_END};

/* RXO asks for what RXE has encoded: the same facts under other numbers. */
static const struct row rxo_rows[] = {
    {6, 0, cwe_build, "dosageInstruction[0].additionalInstruction[]", NULL},
    {7, 0, cwe_build, "dosageInstruction[0].additionalInstruction[]", NULL},
    {9, 0, build_substitution, "substitution", "http://terminology.hl7.org/CodeSystem/v2-0161"},
    {11, 0, build_decimal, "dispenseRequest.quantity.value", NULL},
    {13, 1, build_integer, "dispenseRequest.numberOfRepeatsAllowed", NULL},
    {14, 0, extend_build_person, "extension[]", EXTEND_OWN "prescriber"},
    {15, 0, extend_build_person, "extension[]", EXTEND_OWN "verified-by"},
    {20, 0, cwe_build, "reasonCode[]", NULL},
    {23, 0, build_per_day, DOSE "rateRatio.numerator", NULL},
    ROW_END,
};
static const struct row rxo_dispense_unit[] = {
    {12, 0, build_unit, "dispenseRequest.quantity", NULL}, ROW_END};
static const struct row rxo_one_dose[] = {
    {2, 0, build_decimal, DOSE "doseQuantity.value", NULL},
    {3, 0, build_decimal, DOSE "doseQuantity.value", NULL},
    {4, 0, build_unit, DOSE "doseQuantity", NULL},
    ROW_END,
};
static const struct row rxo_dose_range[] = {
    {2, 0, build_decimal, DOSE "doseRange.low.value", NULL},
    {3, 0, build_decimal, DOSE "doseRange.high.value", NULL},
    {4, 0, build_unit, DOSE "doseRange.low", NULL},
    {4, 0, build_unit, DOSE "doseRange.high", NULL},
    ROW_END,
};
static const struct row rxo_rate_rows[] = {
    {21, 0, build_decimal, DOSE "rateQuantity.value", NULL},
    {22, 0, build_unit, DOSE "rateQuantity", NULL},
    ROW_END,
};
static const struct row rxo_drug_rows[] = {{1, 0, cwe_build, "medicationCodeableConcept", NULL},
                                           ROW_END};
static const struct row rxo_more_drug[] = {
    {10, 0, build_more_code, "medicationCodeableConcept.coding[]", NULL},
    {24, 0, build_more_code, "medicationCodeableConcept.coding[]", NULL},
    ROW_END,
};
static const struct row rxo_injection_kind[] = {{1, 0, cwe_build, "category[]", NULL}, ROW_END};
static const struct row rxo_form_rows[] = {{5, 0, cwe_build, "form", NULL}, ROW_END};

/* The segment that names the drug, and which of its fields say what. */
struct wording {
    const char *segment;
    unsigned drug, least, most, amount, rate;
    const struct row *rows, *dispense_unit, *one_dose, *dose_range, *rate_rows, *drug_rows,
        *more_drug, *injection_kind, *form;
};
static const struct wording encoded = {
    "RXE",         2,        3,          4,         10,        23,        rxe_rows,
    dispense_unit, one_dose, dose_range, rate_rows, drug_rows, more_drug, injection_kind,
    form_rows};
static const struct wording asked = {"RXO",
                                     1,
                                     2,
                                     3,
                                     11,
                                     21,
                                     rxo_rows,
                                     rxo_dispense_unit,
                                     rxo_one_dose,
                                     rxo_dose_range,
                                     rxo_rate_rows,
                                     rxo_drug_rows,
                                     rxo_more_drug,
                                     rxo_injection_kind,
                                     rxo_form_rows};

struct drug {
    const struct wording *w;
    const struct hl7_segment *s;
};

static const struct row rxr_rows[] = {
    {1, 0, cwe_build, "dosageInstruction[0].route", "HL70162"},
    {2, 0, cwe_build, "dosageInstruction[0].site", NULL},
    {4, 0, cwe_build, "dosageInstruction[0].method", NULL},
    {5, 0, cwe_build, "dosageInstruction[0].additionalInstruction[]", NULL},
    ROW_END,
};

/* RXR-3: the device is contained in the request, the extension sits in the dosage. */
static bool build_device(struct spot *at)
{
    struct row to_request = {3, 0, rp_build_device, "dosageInstruction[0].extension[]", NULL};
    struct spot moved = *at;

    moved.row = &to_request;
    return rp_build_device(&moved);
}
static const struct row device_rows[] = {{3, 0, build_device, NULL, NULL}, ROW_END};

/* The first repetition is the usage itself, further ones supplement it. Its texts are the dosage's
 * text. */
static bool build_usage(struct spot *at)
{
    struct mapping *mp = at->mp;
    struct json *dosage = mapping_object_at(mp->a, at->target, "dosageInstruction[0]"), *concept;
    struct slice text = json_str(dosage, "text");
    struct cwe c;

    cwe_read_sub(mp, hl7_component(mp->m, at->raw, 1), &c);
    concept = cwe_concept(mp, &c);
    if (!concept)
        return false;
    json_put_str(mp->a, dosage, "text",
                 text.len
                     ? mapping_format(mp, "%.*s %.*s", SLICE_ARG(text), SLICE_ARG(cwe_text(&c)))
                     : cwe_text(&c));
    if (at->repeat == 0)
        return json_set(json_put_object(mp->a, dosage, "timing"), "code", concept) != NULL;
    return mapping_put_at(mp->a, dosage, "additionalInstruction[]", concept);
}

static const char *duration_unit(struct slice code, const char **ret_ja)
{
    static const struct {
        const char *code, *ucum, *ja;
    } units[] = {{"d", "d", "日"},  {"D", "d", "日"},   {"w", "wk", "週"},  {"wk", "wk", "週"},
                 {"W", "wk", "週"}, {"mo", "mo", "月"}, {"h", "h", "時間"}, {"hr", "h", "時間"}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (slice_is(code, units[i].code)) {
            *ret_ja = units[i].ja;
            return units[i].ucum;
        }
    }
    return NULL;
}

/* TQ1-6: so many days of use, JP_MedicationDosage_UsageDuration, and the supply they need. */
static bool build_duration(struct spot *at)
{
    struct mapping *mp = at->mp;
    const char *ja = NULL, *ucum = duration_unit(mapping_part(mp, at->raw, 2), &ja);
    struct slice literal;
    struct json *duration, *extension;

    if (at->repeat > 0 || !ucum || !build_decimal_of(mp, mapping_part(mp, at->raw, 1), &literal))
        return false;
    duration = json_new(mp->a, JSON_OBJECT);
    json_set(duration, "value", json_number(mp->a, literal));
    json_put_text(mp->a, duration, "unit", ja);
    json_put_text(mp->a, duration, "system", UCUM);
    json_put_text(mp->a, duration, "code", ucum);
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", DOSAGE_EXTENSION "UsageDuration");
    json_set(extension, "valueDuration", duration);
    mapping_put_at(mp->a, at->target, "dispenseRequest.expectedSupplyDuration",
                   json_clone(mp->a, duration));
    return mapping_put_at(mp->a, at->target, "dosageInstruction[0].extension[]", extension);
}

static const struct row tq1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {3, 0, build_usage, NULL, NULL},
    {6, 0, build_duration, NULL, NULL},
    {9, 0, cwe_build_code, "priority", terms_priority},
    {10, 1, build_text_object, "note[]", NULL},
    {11, 1, build_string, "dosageInstruction[0].patientInstruction", NULL},
    ROW_END,
};
static const struct row bounds_rows[] = {
    {7, 0, build_datetime, "dosageInstruction[0].timing.repeat.boundsPeriod.start", NULL},
    {8, 0, build_datetime, "dosageInstruction[0].timing.repeat.boundsPeriod.end", NULL},
    ROW_END,
};
static const struct row period_rows[] = {
    {7, 0, build_date, "start", NULL},
    {8, 0, build_date, "end", NULL},
    ROW_END,
};

/* TQ1-7 and -8 of a prescription: the days of use, JP_MedicationDosage_PeriodOfUse. */
static void put_period_of_use(struct mapping *mp, const struct hl7_segment *tq1,
                              struct json *request)
{
    struct json *period = json_new(mp->a, JSON_OBJECT), *extension;

    mapping_walk(mp, tq1, period_rows, period);
    if (!period || period->count == 0)
        return;
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", DOSAGE_EXTENSION "PeriodOfUse");
    json_set(extension, "valuePeriod", period);
    mapping_put_at(mp->a, request, "dosageInstruction[0].extension[]", extension);
}

static const struct row rxc_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, cwe_build, "itemCodeableConcept", NULL},
    {3, 0, build_decimal, "strength.numerator.value", NULL},
    {4, 0, build_unit, "strength.numerator", NULL},
    ROW_END,
};

static void put_ingredients(struct mapping *mp, const struct order *o, const struct drug *d,
                            struct json *request)
{
    struct json *medication = rp_contained(mp, request, "Medication", "medication"), *per_time;

    mapping_walk(mp, d->s, d->w->form, medication);
    for (size_t i = o->from; i < o->to; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct json *ingredient;

        if (!mapping_is(s, "RXC"))
            continue;
        ingredient = json_new(mp->a, JSON_OBJECT);
        mapping_walk(mp, s, rxc_rows, ingredient);
        if (!json_get(ingredient, "itemCodeableConcept"))
            continue;
        if (json_get(ingredient, "strength")) {
            per_time = mapping_object_at(mp->a, ingredient, "strength.denominator");
            json_set(per_time, "value", json_int(mp->a, 1));
            json_put_text(mp->a, per_time, "unit", "回");
            json_put_text(mp->a, per_time, "system", "urn:oid:1.2.392.100495.20.2.101");
            json_put_text(mp->a, per_time, "code", "TIME");
        }
        /* A strength without a number is no strength */
        if (json_get(ingredient, "strength") &&
            !json_path(ingredient, "strength", "numerator", "value", NULL))
            json_remove(ingredient, "strength");
        mapping_put_at(mp->a, medication, "ingredient[]", ingredient);
    }
    json_put_text(mp->a, json_put_object(mp->a, request, "medicationReference"), "reference",
                  "#medication");
}

static bool is_injection(struct mapping *mp, const struct order *o, const struct drug *d)
{
    struct slice system = mapping_value(mp, d->s, d->w->drug, 3);

    return order_find(mp, o, "RXC", 1) || slice_is(system, "99I02") || slice_is(system, "JHSI0002");
}

/* From the least to the most, in this order; whatever else was meant, it is no dose to go by. */
static bool is_range(struct mapping *mp, const struct drug *d)
{
    struct slice low, high;
    const char *a, *b;

    if (!build_decimal_of(mp, mapping_value(mp, d->s, d->w->least, 1), &low) ||
        !build_decimal_of(mp, mapping_value(mp, d->s, d->w->most, 1), &high))
        return true; /* said where it is read */
    a = arena_str(mp->a, low);
    b = arena_str(mp->a, high);
    if (a && b && strtod(a, NULL) <= strtod(b, NULL))
        return true;
    mapping_warn(mp, d->s, d->w->least, 0,
                 "the smallest dose is above the largest; both were left out",
                 "最小与薬量が最大与薬量を超えるため除きました");
    return false;
}

static void put_dose(struct mapping *mp, const struct drug *d, struct json *request)
{
    const struct wording *w = d->w;
    bool least = hl7_field(d->s, w->least).len > 0, most = hl7_field(d->s, w->most).len > 0;
    struct slice amount = mapping_value(mp, d->s, w->least, 1), literal;

    if (amount.len && !most && !build_decimal_of(mp, amount, &literal)) {
        mapping_mark(mp, d->s, w->least, MAPPING_USED); /* 適量 and the like: words, not a dose */
        mapping_put_at(mp->a, request, "dosageInstruction[0].text", json_string(mp->a, amount));
    } else if ((least || most) && (!(least && most) || is_range(mp, d))) {
        mapping_walk(mp, d->s, least && most ? w->dose_range : w->one_dose, request);
    }
    if (hl7_field(d->s, w->amount).len)
        mapping_walk(mp, d->s, w->dispense_unit, request);
}

/* rate[x] is one element: a rate per hour stands for itself, the daily amount is then left. */
static void put_rate(struct mapping *mp, const struct drug *d, struct json *request)
{
    if (hl7_field(d->s, d->w->rate).len &&
        !json_path(request, "dosageInstruction", "0", "doseAndRate", "0", "rateRatio", NULL))
        mapping_walk(mp, d->s, d->w->rate_rows, request);
}

static const char *request_status(struct mapping *mp, const struct order *o)
{
    const struct term *control =
        terms_find(terms_medication_control, mapping_value(mp, o->orc, 1, 1));
    struct slice state = mapping_value(mp, o->orc, 5, 1);

    if (control)
        return control->to;
    if (slice_is(state, "CM")) {
        mapping_mark(mp, o->orc, 5, MAPPING_USED);
        return "completed";
    }
    return "active";
}

/* Place of a drug in its RP: said in ORC-4, else counted over the message. */
static struct slice index_in_rp(struct mapping *mp, const struct order *o, const struct rp *rp)
{
    struct slice name;
    struct keys_slot *slot;

    if (rp->index.len)
        return rp->index;
    name = mapping_format(mp, "rp:%.*s:%.*s", SLICE_ARG(o->number), SLICE_ARG(rp->group));
    slot = keys_at(mp->a, &mp->asked, name);
    return slot ? mapping_format(mp, "%u", ++slot->count) : SLICE_NONE;
}

/* Further TQ1 of one drug are further dosage instructions. */
static void put_more_timings(struct mapping *mp, const struct order *o, bool injection,
                             struct json *request)
{
    const struct hl7_segment *first = order_find(mp, o, "TQ1", 1), *tq1;

    for (tq1 = first; tq1 && (tq1 = order_next(mp, o, tq1, "TQ1")) != NULL;) {
        struct json *apart = json_new(mp->a, JSON_OBJECT), *dosage;

        mapping_walk(mp, tq1, tq1_rows, apart);
        if (injection)
            mapping_walk(mp, tq1, bounds_rows, apart);
        else
            put_period_of_use(mp, tq1, apart);
        dosage = json_path(apart, "dosageInstruction", "0", NULL);
        if (dosage)
            mapping_put_at(mp->a, request, "dosageInstruction[]", json_clone(mp->a, dosage));
    }
}

static void map_drug(struct mapping *mp, const struct order *o, const struct drug *d)
{
    bool injection = is_injection(mp, o, d);
    const struct hl7_segment *tq1 = order_find(mp, o, "TQ1", 1), *rxr = order_find(mp, o, "RXR", 1);
    struct rp rp;
    struct slice index, key;
    struct mapped_resource *r;

    rp_read(mp, o, &rp);
    index = index_in_rp(mp, o, &rp);
    key = mapping_format(mp, "RX:%s:%.*s:%.*s:%.*s", injection ? "injection" : "drug",
                         SLICE_ARG(o->number), SLICE_ARG(rp.group), SLICE_ARG(index));
    r = mapping_resource(mp, "MedicationRequest",
                         injection ? "JP_MedicationRequest_Injection" : "JP_MedicationRequest",
                         mapping_unique(mp, "MedicationRequest", key));
    r->scope = o->scope;
    rp_identify(mp, o, &rp, index, r->resource);
    json_put_text(mp->a, r->resource, "status", request_status(mp, o));
    json_put_text(mp->a, r->resource, "intent", "order");
    mapping_subject(mp, r->resource, "subject");
    mapping_in_encounter(mp, r->resource, "encounter");
    mapping_walk(mp, o->orc, orc_rows, r->resource);
    mapping_walk(mp, d->s, d->w->rows, r->resource);
    put_dose(mp, d, r->resource);
    put_rate(mp, d, r->resource);
    mapping_walk(mp, tq1, tq1_rows, r->resource);
    mapping_walk(mp, rxr, rxr_rows, r->resource);
    mapping_walk(mp, rxr, device_rows, r->resource);
    if (injection) {
        mapping_walk(mp, tq1, bounds_rows, r->resource);
        mapping_walk(mp, d->s, d->w->injection_kind, r->resource);
        put_ingredients(mp, o, d, r->resource);
    } else {
        put_period_of_use(mp, tq1, r->resource);
        mapping_walk(mp, d->s, d->w->drug_rows, r->resource);
        mapping_walk(mp, d->s, d->w->more_drug, r->resource);
    }
    if (tq1 && (hl7_field(tq1, 4).len || hl7_field(tq1, 13).len || hl7_field(tq1, 14).len))
        timing_repeat(mp, tq1,
                      mapping_object_at(mp->a, r->resource, "dosageInstruction[0].timing"));
    put_more_timings(mp, o, injection, r->resource);
    order_notes(mp, d->s, r->resource);
}

bool rde_order(struct mapping *mp, struct order *o)
{
    struct drug d = {&encoded, order_find(mp, o, encoded.segment, 1)};

    if (!d.s)
        d = (struct drug){&asked, order_find(mp, o, asked.segment, 1)};
    if (!d.s)
        return false;
    if (!cwe_says(mp, d.s, d.w->drug) && !order_find(mp, o, "RXC", 1))
        mapping_warn(mp, d.s, d.w->drug, 0, "a prescription without a drug was left out",
                     "薬剤のない処方を除きました");
    else
        map_drug(mp, o, &d);
    return true;
}

static void map_order(struct mapping *mp, struct order *o)
{
    if (!mp->encounter)
        pv1_mention(mp, mapping_value(mp, o->orc, 9, 1));
    o->scope = order_scope(mp, o, SLICE_NONE);
    (void)rde_order(mp, o);
}

void rde_map(struct mapping *mp)
{
    order_each(mp, ORDER_ORC_FIRST, map_order);
}

const struct row_set rxo_sets[] = {
    {"RXO", "MedicationRequest", rxo_rows, NULL},
    {"RXO", "MedicationRequest", rxo_dispense_unit, NULL},
    {"RXO", "MedicationRequest", rxo_one_dose, NULL},
    {"RXO", "MedicationRequest", rxo_dose_range, NULL},
    {"RXO", "MedicationRequest", rxo_rate_rows, NULL},
    {"RXO", "MedicationRequest", rxo_drug_rows, NULL},
    {"RXO", "MedicationRequest", rxo_more_drug, NULL},
    {"RXO", "MedicationRequest", rxo_injection_kind, NULL},
    {"RXO", "Medication", rxo_form_rows, NULL},
    ROW_SET_END,
};
const struct row_set rde_sets[] = {
    {"ORC", "MedicationRequest", orc_rows, NULL},
    {"ORC", "MedicationRequest", state_rows, NULL},
    {"RXE", "MedicationRequest", rxe_rows, NULL},
    {"RXE", "MedicationRequest", dispense_unit, NULL},
    {"RXE", "MedicationRequest", one_dose, NULL},
    {"RXE", "MedicationRequest", dose_range, NULL},
    {"RXE", "MedicationRequest", rate_rows, NULL},
    {"RXE", "MedicationRequest", drug_rows, NULL},
    {"RXE", "MedicationRequest", more_drug, NULL},
    {"RXE", "MedicationRequest", injection_kind, NULL},
    {"RXE", "Medication", form_rows, NULL},
    {"RXR", "MedicationRequest", rxr_rows, NULL},
    {"RXR", "MedicationRequest", device_rows, NULL},
    {"TQ1", "MedicationRequest", tq1_rows, NULL},
    {"TQ1", "MedicationRequest", bounds_rows, NULL},
    {"TQ1", "MedicationRequest", period_rows, NULL},
    {"RXC", "Medication.ingredient", rxc_rows, NULL},
    ROW_SET_END,
};
