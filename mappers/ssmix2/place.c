/* SPDX-License-Identifier: Apache-2.0
 *
 * Places by type of resource (see place.h). What an order is of is said by its code system, its
 * category, its specimen, or by what was made of it; when nothing says it, it has no place, because
 * a wrong kind would be a wrong statement.
 */
#include "mappers/ssmix2/place.h"

#include "mappers/hl7v2/terms.h"
#include "mappers/ssmix2/relate.h"
#include "mappers/ssmix2/segment.h"

#include "base/banned.h"

#define INSTANCE "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
#define JLAC10 "urn:oid:1.2.392.200119.4.504"

/* ---- parts of resources ---- */

struct slice place_instance(const struct json *resource, unsigned n)
{
    struct slice rest = segment_identifier(json_get(resource, "identifier"), INSTANCE);
    struct slice part = SLICE_NONE;
    unsigned i = 0;

    for (; i <= n && rest.ptr; i++)
        part = slice_cut(&rest, ':');
    return i > n ? part : SLICE_NONE;
}

static struct slice first_of(struct slice a, struct slice b, struct slice c, struct slice d)
{
    return a.len > 0 ? a : b.len > 0 ? b : c.len > 0 ? c : d;
}

bool place_has_category(const struct json *resource, const char *code)
{
    const struct json *list = json_get(resource, "category");

    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        const struct json *codings = json_get(c, "coding");
        for (const struct json *i = codings ? codings->first : NULL; i; i = i->next) {
            if (slice_is(json_str(i, "code"), code))
                return true;
        }
    }
    return false;
}

struct slice place_taken(const struct json *resource)
{
    struct slice at = json_str(resource, "effectiveDateTime");

    return at.len > 0 ? at : json_str(json_get(resource, "effectivePeriod"), "start");
}

static const struct json *contained_drug(const struct json *resource)
{
    const struct json *list = json_get(resource, "contained");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(json_str(i, "resourceType"), "Medication"))
            return i;
    }
    return NULL;
}

const struct json *place_ingredients(const struct json *request)
{
    return json_get(contained_drug(request), "ingredient");
}

const struct json *place_drug(const struct json *resource)
{
    const struct json *drug = json_get(resource, "medicationCodeableConcept");

    return drug ? drug : json_get(contained_drug(resource), "code");
}

static bool is_one_of(struct slice s, const char *const *words)
{
    for (; *words; words++) {
        if (slice_is(s, *words))
            return true;
    }
    return false;
}

static bool is_taken_back(const struct json *resource)
{
    static const char *const words[] = {"revoked", "cancelled", "entered-in-error", NULL};

    return is_one_of(json_str(resource, "status"), words);
}

/* What nobody has ordered yet, or said not to do. */
static bool is_no_order(const struct json *r)
{
    static const char *const intents[] = {"order",        "original-order", "reflex-order",
                                          "filler-order", "instance-order", NULL};

    return !is_one_of(json_str(r, "intent"), intents) || slice_is(json_str(r, "status"), "draft") ||
           json_is_true(json_get(r, "doNotPerform"));
}

static bool is_refuted(const struct json *resource)
{
    const struct json *status = json_path(resource, "verificationStatus", "coding", "0", NULL);

    return slice_is(json_str(status, "code"), "refuted");
}

/* ---- the patient's own ---- */

static void basics(struct place_book *book, struct write_item *item)
{
    book->put(book, item, &(struct place){.kind = "ADT-00"});
}

/* IN1 says insurances that hold. */
static void insurance(struct place_book *book, struct write_item *item)
{
    if (slice_is(json_str(item->resource, "status"), "active"))
        basics(book, item);
}

/* What was ruled out has no form in the standard: it would read as if it were so. */
static void allergy(struct place_book *book, struct write_item *item)
{
    if (!is_refuted(item->resource))
        book->put(book, item, &(struct place){.kind = "ADT-61"});
}

static void diagnosis(struct place_book *book, struct write_item *item)
{
    if (!is_refuted(item->resource))
        book->put(book, item, &(struct place){.kind = "PPR-01"});
}

/* ---- orders ---- */

/* Ids of records are no numbers of orders, nor are references to them. */
static bool is_number(struct slice order, struct slice id)
{
    return !slice_eq(order, id) && slice_find(order, '/', 0) == order.len &&
           slice_find(order, '_', 0) == order.len;
}

/* OMD and OMx-0n; what was done of an order has its own time, or is nothing that was done. */
static bool is_order(const char *kind)
{
    return kind && (kind[3] == '\0' || kind[4] == '0');
}

static void put_order(struct place_book *book, struct write_item *item, const char *kind,
                      struct slice at, struct slice order)
{
    struct place place = {.kind = kind,
                          .day = segment_day(book->arena, at),
                          .order = order,
                          .numbered = is_number(order, item->id),
                          .undated = at.len == 0 && is_order(kind),
                          .cancelled = is_taken_back(item->resource)};

    if (kind && (place.day.len > 0 || place.undated))
        book->put(book, item, &place);
}

static void prescription(struct place_book *book, struct write_item *item)
{
    const struct json *r = item->resource, *identifiers = json_get(r, "identifier");
    bool mixed = !json_get(r, "medicationCodeableConcept");

    if (is_no_order(r) || (mixed && !place_ingredients(r)))
        return;
    put_order(book, item, mixed ? "OMP-02" : "OMP-01", json_str(r, "authoredOn"),
              first_of(place_instance(r, 1), segment_identifier(identifiers, "order"),
                       json_str(json_get(r, "groupIdentifier"), "value"), item->id));
}

/* Into a vein or a muscle, at a rate, or ordered as a mixture: an injection. */
static bool is_injected(struct place_book *book, const struct json *r)
{
    static const char *const routes[] = {"IV", "IM", "SC",  "ID",  "IA", "IT", "IVP", "IVB",
                                         "IP", "EP", "IVD", "IAR", "IU", "IH", NULL};
    const struct json *dosage = json_get(r, "dosage");
    const struct json *route = json_path(dosage, "route", "coding", "0", NULL);
    const struct write_item *request = relate_follow(book->relate, json_get(r, "request"));

    return json_get(dosage, "rateQuantity") || json_get(dosage, "rateRatio") ||
           is_one_of(json_str(route, "code"), routes) ||
           (request && place_ingredients(request->resource));
}

static struct slice given_order(struct place_book *book, const struct json *r)
{
    const struct write_item *request = relate_follow(book->relate, json_get(r, "request"));
    struct slice named = json_str(json_path(r, "request", "identifier", NULL), "value");
    struct slice own = segment_identifier(json_get(r, "identifier"), "order");

    if (own.len > 0 || named.len > 0 || !request)
        return own.len > 0 ? own : named;
    return first_of(place_instance(request->resource, 1),
                    segment_identifier(json_get(request->resource, "identifier"), "order"),
                    request->id, SLICE_NONE);
}

static void administration(struct place_book *book, struct write_item *item)
{
    const struct json *r = item->resource;

    if (place_drug(r))
        put_order(book, item, is_injected(book, r) ? "OMP-12" : "OMP-11", place_taken(r),
                  first_of(given_order(book, r), item->id, SLICE_NONE, SLICE_NONE));
}

static void meal(struct place_book *book, struct write_item *item)
{
    const struct json *r = item->resource;

    if (!is_no_order(r) && (json_get(r, "oralDiet") || json_get(r, "supplement")))
        put_order(book, item, "OMD", json_str(r, "dateTime"),
                  first_of(segment_identifier(json_get(r, "identifier"), "order"), item->id,
                           SLICE_NONE, SLICE_NONE));
}

/* ---- examinations ---- */

struct slice place_request_number(const struct json *request, struct slice id)
{
    const struct json *list = json_get(request, "identifier");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        const struct json *type = json_path(i, "type", "coding", "0", NULL);
        if (slice_is(json_str(type, "code"), "PLAC"))
            return json_str(i, "value");
    }
    return first_of(segment_identifier(list, "order"), id, SLICE_NONE, SLICE_NONE);
}

/* The kind a code of this system is of; JLAC10 numbers physiology from 9 on. */
static const char *kind_of_code(struct arena *a, const struct json *concept)
{
    static const struct {
        const char *system, *begins, *kind;
    } known[] = {
        {"LENDO", "", "OMG-02"},
        {"JJ1017", "", "OMG-01"},
        {"JC10", "9", "OMG-03"},
        {"JC10", "", "OML-01"},
    };
    const struct json *list = json_get(concept, "coding");

    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        struct slice system = segment_system(a, json_str(c, "system"));
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (slice_is(system, known[i].system) &&
                slice_starts(json_str(c, "code"), slice_str(known[i].begins)))
                return known[i].kind;
        }
    }
    return NULL;
}

static const char *kind_of_result(const struct json *o)
{
    static const struct {
        const char *category, *kind;
    } known[] = {{"laboratory", "OML-01"}, {"procedure", "OMG-03"}, {"imaging", "OMG-01"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (place_has_category(o, known[i].category))
            return known[i].kind;
    }
    return NULL;
}

const char *place_request_kind(struct arena *a, struct relate *relate,
                               const struct write_item *item)
{
    const struct json *r = item->resource;
    const struct write_item *result = relate_of(relate, RELATE_RESULT, item);
    const char *kind = kind_of_code(a, json_get(r, "code"));

    if (!kind && place_has_category(r, "108252007")) /* SNOMED CT: laboratory procedure */
        kind = "OML-01";
    if (!kind && place_has_category(r, "363679005")) /* SNOMED CT: imaging */
        kind = "OMG-01";
    if (!kind && json_get(r, "specimen"))
        kind = "OML-01";
    if (!kind)
        kind = kind_of_code(a, json_path(r, "orderDetail", "0", NULL));
    if (!kind && relate_of(relate, RELATE_STUDY, item))
        kind = "OMG-01";
    return kind || !result ? kind : kind_of_result(result->resource);
}

/* An order that results speak for, and that says nothing they do not say: it is written with them.
 */
static bool is_only_mentioned(struct place_book *book, const struct write_item *item)
{
    static const char *const own[] = {"specimen", "orderDetail", "supportingInfo", "note"};

    if (!relate_of(book->relate, RELATE_RESULT, item) &&
        !relate_of(book->relate, RELATE_STUDY, item))
        return false;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (json_get(item->resource, own[i]))
            return false;
    }
    return !is_taken_back(item->resource);
}

static void request(struct place_book *book, struct write_item *item)
{
    const struct json *r = item->resource;
    const char *kind = place_request_kind(book->arena, book->relate, item);
    struct slice group = json_str(json_get(r, "requisition"), "value");
    struct slice number = place_request_number(r, item->id);

    if (is_no_order(r) || segment_concept(book->arena, json_get(r, "code")).len == 0 || !kind ||
        is_only_mentioned(book, item))
        return;
    /* an examination and its parts are one file, under the number of the whole */
    put_order(book, item, kind, json_str(r, "authoredOn"),
              strcmp(kind, "OML-01") != 0 && group.len > 0 ? group : number);
}

static bool is_endoscopy(struct arena *a, const struct json *study)
{
    const char *kind = kind_of_code(a, json_path(study, "procedureCode", "0", NULL));
    struct slice modality = json_str(json_path(study, "modality", "0", NULL), "code");

    return slice_is(modality, "ES") || (kind && strcmp(kind, "OMG-02") == 0);
}

static struct slice study_order(struct place_book *book, const struct write_item *study)
{
    const struct json *list = json_get(study->resource, "basedOn");
    struct slice number = SLICE_NONE;

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        const struct write_item *order = relate_follow(book->relate, i);
        struct slice group;
        if (!order)
            continue;
        group = json_str(json_get(order->resource, "requisition"), "value");
        if (group.len > 0)
            return group;
        if (number.len == 0)
            number = place_request_number(order->resource, order->id);
    }
    return first_of(number, study->id, SLICE_NONE, SLICE_NONE);
}

static void study_place(struct place_book *book, struct write_item *item,
                        const struct write_item *study)
{
    struct place place = {
        .kind = is_endoscopy(book->arena, study->resource) ? "OMG-12" : "OMG-11",
        .day = segment_day(book->arena, json_str(study->resource, "started")),
        .order = study_order(book, study),
        .numbered = is_number(study_order(book, study), study->id),
        .cancelled = is_taken_back(study->resource),
    };

    if (place.day.len > 0 && json_get(study->resource, "identifier"))
        book->put(book, item, &place);
}

static void study(struct place_book *book, struct write_item *item)
{
    study_place(book, item, item);
}

/* The study that was made for the same order. */
static const struct write_item *study_of(struct place_book *book, const struct json *r)
{
    const struct json *order = json_path(r, "basedOn", "0", NULL);

    return relate_find(book->relate, RELATE_STUDY, json_str(order, "reference"));
}

static void act(struct place_book *book, struct write_item *item)
{
    const struct write_item *made = study_of(book, item->resource);

    if (made)
        study_place(book, item, made);
}

/* ---- results ---- */

/* Height, weight and blood type belong to the basic data. */
static bool is_basic(const struct json *o)
{
    static const char *const codes[] = {"9N001", "9N006", "5H010", "5H020"};
    const struct json *coding = json_path(o, "code", "coding", "0", NULL);

    if (json_get(o, "basedOn") || json_get(o, "identifier") || place_taken(o).len > 0 ||
        !slice_is(json_str(coding, "system"), JLAC10))
        return false;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (slice_starts(json_str(coding, "code"), slice_str(codes[i])))
            return true;
    }
    return false;
}

static struct slice result_order(struct place_book *book, const struct write_item *item,
                                 const struct write_item *report)
{
    const struct json *first = json_path(item->resource, "basedOn", "0", NULL);
    const struct write_item *order = relate_follow(book->relate, first);
    struct slice named = json_str(json_get(first, "identifier"), "value");

    if (order)
        named = place_request_number(order->resource, order->id);
    if (report && named.len == 0)
        named = first_of(segment_identifier(json_get(report->resource, "identifier"), "order"),
                         report->id, SLICE_NONE, SLICE_NONE);
    return first_of(place_instance(item->resource, 2), named, json_str(first, "reference"),
                    item->id);
}

static const char *result_kind(struct place_book *book, const struct json *o)
{
    const char *kind = kind_of_code(book->arena, json_get(o, "code"));

    if (place_has_category(o, "laboratory"))
        return "OML-11";
    if (place_has_category(o, "vital-signs"))
        return NULL; /* the extended storage's */
    if (place_has_category(o, "procedure") || slice_is(place_instance(o, 1), "IMG") ||
        (kind && strcmp(kind, "OMG-03") == 0))
        return "OMG-13";
    return NULL;
}

/* When the specimen of a result was taken. */
static struct slice collected(struct place_book *book, const struct json *o)
{
    const struct write_item *specimen = relate_follow(book->relate, json_get(o, "specimen"));
    const struct json *collection = specimen ? json_get(specimen->resource, "collection") : NULL;
    struct slice at = json_str(collection, "collectedDateTime");

    return at.len > 0 ? at : json_str(json_get(collection, "collectedPeriod"), "start");
}

/* A result with components alone has no form in OBX; a code is what names it. Those given with an
 * order are written there. */
static void result(struct place_book *book, struct write_item *item)
{
    const struct json *o = item->resource, *whole = json_path(o, "partOf", "0", NULL);
    const struct write_item *report = relate_of(book->relate, RELATE_REPORT, item);
    const struct write_item *of = relate_follow(book->relate, whole);
    const char *kind = result_kind(book, o);
    struct slice at = place_taken(o);

    if (slice_is(json_str(o, "status"), "entered-in-error") ||
        segment_concept(book->arena, json_get(o, "code")).len == 0)
        return;
    if (is_basic(o)) {
        basics(book, item);
        return;
    }
    if (relate_of(book->relate, RELATE_ASKER, item))
        return;
    if (of && slice_is(of->type, "ImagingStudy")) {
        study_place(book, item, of);
        return;
    }
    if (of && slice_is(of->type, "Procedure")) {
        const struct write_item *made = study_of(book, of->resource);
        if (made)
            study_place(book, item, made);
        return;
    }
    if (kind && strcmp(kind, "OMG-13") == 0 && report && place_taken(report->resource).len > 0)
        at = place_taken(report->resource); /* OBR-7 */
    if (kind && strcmp(kind, "OML-11") == 0 && collected(book, o).len > 0)
        at = collected(book, o); /* SPM-17 */
    put_order(book, item, kind, at, result_order(book, item, report));
}

/* ---- by type ---- */

void place_each(struct place_book *book, struct write_item *item)
{
    static const struct {
        const char *type;
        void (*put)(struct place_book *, struct write_item *);
    } rules[] = {
        {"Patient", basics},
        {"Coverage", insurance},
        {"AllergyIntolerance", allergy},
        {"Condition", diagnosis},
        {"Encounter", place_visit},
        {"NutritionOrder", meal},
        {"MedicationRequest", prescription},
        {"MedicationAdministration", administration},
        {"ServiceRequest", request},
        {"ImagingStudy", study},
        {"Procedure", act},
        {"Observation", result},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (slice_is(item->type, rules[i].type))
            rules[i].put(book, item);
    }
}
