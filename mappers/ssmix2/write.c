/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file of a standard storage holds what (see write.h): rules by type, and keys read from
 * messages. Order numbers must be 15 digits; one that is not made of digits becomes 15 digits of
 * its SHA-256, so that the same order always has the same file.
 */
#include "mappers/ssmix2/write.h"

#include <assert.h>
#include <stdio.h>

#include "base/digest.h"
#include "mappers/ssmix2/path.h"
#include "mappers/ssmix2/rule.h"
#include "mappers/ssmix2/segment.h"

#include "base/banned.h"

#define INSTANCE "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"

/* Where one resource belongs. */
struct place {
    const char *kind;
    struct slice day;   /* empty: kinds without a date */
    struct slice order; /* empty: kinds without an order */
};

/* ---- order numbers ---- */

static void put_order(struct slice number, char ret_order[16])
{
    unsigned char sha[DIGEST_LEN];
    bool digits = number.len > 0 && number.len <= 15;

    for (size_t i = 0; i < number.len; i++)
        digits = digits && number.ptr[i] >= '0' && number.ptr[i] <= '9';
    memset(ret_order, '0', 15);
    ret_order[15] = '\0';
    if (digits) {
        memcpy(ret_order + 15 - number.len, number.ptr, number.len);
        return;
    }
    digest_sha256(number, sha);
    for (size_t i = 0; i < 15; i++)
        ret_order[i] = (char)('0' + sha[i] % 10);
}

/* Part N (from 0) of the instance identifier that our mapper makes of an order's numbers:
 * facility:order:..., or facility:LAB:order:... of a result. */
static struct slice instance_part(const struct json *resource, unsigned n)
{
    struct slice rest = segment_identifier(json_get(resource, "identifier"), INSTANCE);
    struct slice part = SLICE_NONE;

    for (unsigned i = 0; i <= n && rest.ptr; i++)
        part = slice_cut(&rest, ':');
    return part;
}

static struct slice based_on(const struct json *resource)
{
    const struct json *first = json_path(resource, "basedOn", "0", NULL);
    struct slice value = json_str(json_get(first, "identifier"), "value");

    return value.len > 0 ? value : json_str(first, "reference");
}

static struct slice first_of(struct slice a, struct slice b, struct slice c, struct slice d)
{
    return a.len > 0 ? a : b.len > 0 ? b : c.len > 0 ? c : d;
}

/* ---- places by type ---- */

static bool whole_chart(struct arena *a, const struct write_item *item, struct place *ret)
{
    static const struct {
        const char *type, *kind;
    } kinds[] = {{"Patient", "ADT-00"},
                 {"Coverage", "ADT-00"},
                 {"AllergyIntolerance", "ADT-61"},
                 {"Condition", "PPR-01"}};

    (void)a;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (slice_is(item->type, kinds[i].type)) {
            ret->kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}

/* A visit by its class and how far it is. Leave and transfers are said in it, not told apart. */
static bool visit(struct arena *a, const struct write_item *item, struct place *ret)
{
    const struct json *period = json_get(item->resource, "period");
    struct slice class = json_str(json_get(item->resource, "class"), "code");
    struct slice status = json_str(item->resource, "status");
    bool finished = slice_is(status, "finished");

    /* unknown: a visit that orders and results mention; nobody said that it took place so */
    if (!slice_is(item->type, "Encounter") || slice_is(status, "cancelled") ||
        slice_is(status, "entered-in-error") || slice_is(status, "unknown"))
        return false;
    ret->day = segment_day(a, json_str(period, "start"));
    if (slice_is(class, "AMB"))
        ret->kind = "ADT-12";
    else if (!slice_is(class, "IMP"))
        return false;
    else if (slice_is(status, "planned"))
        ret->kind = "ADT-21";
    else
        ret->kind = finished ? "ADT-52" : "ADT-22";
    if (strcmp(ret->kind, "ADT-52") == 0)
        ret->day = segment_day(a, json_str(period, "end"));
    return ret->day.len > 0;
}

const struct json *write_ingredients(const struct json *request)
{
    const struct json *list = json_get(request, "contained");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (json_get(i, "ingredient"))
            return json_get(i, "ingredient");
    }
    return NULL;
}

static bool prescription(struct arena *a, const struct write_item *item, struct place *ret)
{
    const struct json *identifiers = json_get(item->resource, "identifier");
    bool drug = json_get(item->resource, "medicationCodeableConcept") != NULL;

    if (!slice_is(item->type, "MedicationRequest") ||
        !slice_is(json_str(item->resource, "intent"), "order"))
        return false;
    if (!drug && !write_ingredients(item->resource))
        return false;
    ret->kind = drug ? "OMP-01" : "OMP-02";
    ret->day = segment_day(a, json_str(item->resource, "authoredOn"));
    ret->order =
        first_of(instance_part(item->resource, 1), segment_identifier(identifiers, "order"),
                 json_str(json_get(item->resource, "groupIdentifier"), "value"), item->id);
    return ret->day.len > 0;
}

static bool has_category(const struct json *resource, const char *code)
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

static struct slice taken(const struct json *resource)
{
    struct slice at = json_str(resource, "effectiveDateTime");

    return at.len > 0 ? at : json_str(json_get(resource, "effectivePeriod"), "start");
}

/* A result with components alone has no form in OBX; a code is what names it. */
static bool result(struct arena *a, const struct write_item *item, struct place *ret)
{
    if (!slice_is(item->type, "Observation") || !has_category(item->resource, "laboratory") ||
        slice_is(json_str(item->resource, "status"), "entered-in-error") ||
        segment_concept(a, json_get(item->resource, "code")).len == 0)
        return false;
    ret->kind = "OML-11";
    ret->day = segment_day(a, taken(item->resource));
    ret->order =
        first_of(instance_part(item->resource, 2), based_on(item->resource), item->id, item->id);
    return ret->day.len > 0;
}

/* Height, weight and blood type belong to the basic data (JLAC10 9N001, 9N006, 5H010, 5H020). */
static bool basic_result(struct arena *a, const struct write_item *item, struct place *ret)
{
    static const char *const codes[] = {"9N001", "9N006", "5H010", "5H020"};
    const struct json *coding = json_path(item->resource, "code", "coding", "0", NULL);

    (void)a;
    if (!slice_is(item->type, "Observation") || json_get(item->resource, "basedOn") ||
        json_get(item->resource, "identifier") || taken(item->resource).len > 0 ||
        !slice_is(json_str(coding, "system"), "urn:oid:1.2.392.200119.4.504"))
        return false;
    ret->kind = "ADT-00";
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (slice_starts(json_str(coding, "code"), slice_str(codes[i])))
            return true;
    }
    return false;
}

static bool find_place(struct arena *a, const struct write_item *item, struct place *ret)
{
    static bool (*const rules[])(struct arena *, const struct write_item *, struct place *) = {
        whole_chart, visit, prescription, basic_result, result};

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        *ret = (struct place){0};
        if (rules[i](a, item, ret))
            return true;
    }
    return false;
}

/* ---- the plan ---- */

static struct write_group *find_group(struct arena *a, struct write_group **first,
                                      const struct place *place)
{
    struct write_group key = {.kind = place->kind, .care_date = "-", .order_no = WRITE_NO_ORDER};
    struct write_group **at = first;

    if (place->day.len == 8)
        memcpy(key.care_date, place->day.ptr, 8);
    if (place->order.len > 0)
        put_order(place->order, key.order_no);
    /* An order has one file, whatever days its parts were given on; results have one a day. */
    bool any_day = place->order.len > 0 && strcmp(place->kind, "OML-11") != 0;
    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->kind, key.kind) == 0 && strcmp((*at)->order_no, key.order_no) == 0 &&
            (any_day || strcmp((*at)->care_date, key.care_date) == 0))
            return *at;
    }
    *at = ARENA_NEW(a, struct write_group);
    if (*at)
        **at = key;
    return *at;
}

enum err write_plan(struct arena *arena, struct write_item *items, size_t count,
                    struct write_group **ret_first)
{
    struct write_group *first = NULL;

    for (size_t i = 0; i < count; i++) {
        struct place place;
        items[i].group = NULL;
        items[i].rides = false;
        if (!items[i].pool || !find_place(arena, &items[i], &place))
            continue;
        struct write_group *group = find_group(arena, &first, &place);
        if (!group)
            return ERR_LIMIT;
        group->count++;
        if (items[i].updated_ms > group->updated_ms)
            group->updated_ms = items[i].updated_ms;
        items[i].group = group;
    }
    *ret_first = first;
    return ERR_OK;
}

/* ---- keys of messages ---- */

static struct slice value_at(const struct hl7_message *m, const char *place)
{
    uint64_t field = 0;
    char name[4] = {place[0], place[1], place[2], '\0'};
    const struct hl7_segment *s = hl7_find(m, name, 1);

    if (!s || !slice_u64(slice_str(place + 4), &field))
        return SLICE_NONE;
    return slice_trim(hl7_value(m, s, (unsigned)field, 1));
}

/* RDE, RAS, OMG and OMI serve two or three kinds each; what they carry tells which. */
static const char *kind_of(const struct hl7_message *m, struct slice type)
{
    struct slice system = hl7_value(m, hl7_find(m, "OBR", 1), 4, 3);
    bool endoscopy = slice_is(system, "LENDO"), physiology = slice_is(system, "JC10");

    if (slice_is(type, "RDE^O11"))
        return hl7_find(m, "RXC", 1) ? "OMP-02" : "OMP-01";
    if (slice_is(type, "RAS^O17"))
        return slice_find(value_at(m, "ORC-4"), '_', 0) < value_at(m, "ORC-4").len ? "OMP-12"
                                                                                   : "OMP-11";
    if (slice_is(type, "OMG^O19"))
        return endoscopy ? "OMG-02" : physiology ? "OMG-03" : "OMG-01";
    if (slice_is(type, "OMI^Z23"))
        return endoscopy ? "OMG-12" : "OMG-11";
    for (const struct ssmix2_kind *k = ssmix2_kinds; k->code; k++) {
        if (slice_is(type, k->insert) || (k->cancel && slice_is(type, k->cancel)))
            return k->code;
    }
    return NULL;
}

static const struct ssmix2_kind *row_of(const char *kind)
{
    const struct ssmix2_kind *k = ssmix2_kinds;

    while (k->code && strcmp(k->code, kind) != 0)
        k++;
    assert(k->code);
    return k;
}

static struct slice type_of(struct arena *a, const struct hl7_message *m)
{
    struct hl7_header h;

    hl7_header_of(m, &h);
    return segment_format(a, "%.*s^%.*s", SLICE_ARG(h.type), SLICE_ARG(h.trigger));
}

/* A cancellation may say its day elsewhere. */
static const char *care_field(struct arena *a, const struct hl7_message *m,
                              const struct ssmix2_kind *row)
{
    struct slice type = type_of(a, m);

    for (const struct rule_date *d = rule_dates; d->message; d++) {
        if (slice_is(type, d->message))
            return d->field;
    }
    return row->care_date;
}

bool write_key(struct arena *arena, const struct hl7_message *m, struct write_group *ret_key)
{
    const char *kind = kind_of(m, type_of(arena, m));
    struct write_group key = {.kind = kind, .care_date = "-", .order_no = WRITE_NO_ORDER};

    if (!kind)
        return false;
    const struct ssmix2_kind *row = row_of(kind);
    if (row->care_date[0] != '-') {
        struct slice day = value_at(m, care_field(arena, m, row));
        if (day.len < 8)
            return false;
        memcpy(key.care_date, day.ptr, 8);
    }
    if (kind[0] == 'O') {
        struct slice order = first_of(value_at(m, "ORC-2"), value_at(m, "OBR-2"),
                                      value_at(m, "ORC-3"), SLICE_NONE);
        if (order.len > 0)
            put_order(order, key.order_no);
    }
    *ret_key = key;
    return true;
}

struct slice write_sent(struct arena *arena, const struct hl7_message *m)
{
    struct slice at = hl7_value(m, &m->segments[0], 7, 1);
    char *out = arena_alloc(arena, 18);
    size_t n = 0;

    if (!out)
        return SLICE_NONE;
    memset(out, '0', 17);
    for (size_t i = 0; i < at.len && n < 17 && at.ptr[i] != '+' && at.ptr[i] != '-'; i++) {
        if (at.ptr[i] >= '0' && at.ptr[i] <= '9')
            out[n++] = at.ptr[i];
    }
    for (; n < 8; n++) /* no time at all: a day that every reader takes */
        out[n] = "19000101"[n];
    return slice_of(out, 17);
}

struct slice write_department(struct arena *arena, const struct hl7_message *m)
{
    struct slice code = first_of(value_at(m, "PV1-10"), value_at(m, "ORC-17"), SLICE_NONE, SLICE_NONE);

    for (size_t i = 0; i < code.len; i++) {
        char c = code.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return SLICE("-");
    }
    return code.len >= 2 && code.len <= 5 ? arena_dup(arena, code) : SLICE("-");
}

enum err write_encode(struct slice text, struct buf *out, size_t *ret_replaced)
{
    return charset_encode(CHARSET_ISO2022JP, text, out, ret_replaced);
}

/* ---- cancelling ---- */

static const char *cancel_type(const char *kind)
{
    static const struct {
        const char *message, *whole;
    } structures[] = {
        {"ADT^A23", "ADT^A23^ADT_A21"}, {"ADT^A55", "ADT^A55^ADT_A52"}, {"ADT^A27", "ADT^A27^ADT_A21"},
        {"ADT^A11", "ADT^A11^ADT_A09"}, {"ADT^A52", "ADT^A52^ADT_A52"}, {"ADT^A53", "ADT^A53^ADT_A52"},
        {"ADT^A26", "ADT^A26^ADT_A21"}, {"ADT^A12", "ADT^A12^ADT_A09"}, {"ADT^A25", "ADT^A25^ADT_A21"},
        {"ADT^A13", "ADT^A13^ADT_A01"},
    };
    const char *cancel = row_of(kind)->cancel;

    for (size_t i = 0; cancel && i < sizeof(structures) / sizeof(structures[0]); i++) {
        if (strcmp(structures[i].message, cancel) == 0)
            return structures[i].whole;
    }
    return NULL;
}

/* Segment S with field N replaced. */
static void put_changed(struct buf *out, const struct hl7_segment *s, unsigned n, const char *value)
{
    bool header = slice_is(s->name, "MSH");

    buf_add(out, s->name);
    for (unsigned i = 1; i < s->field_count || i <= n; i++) {
        if (!(header && i == 2)) /* MSH-1 is the delimiter in front of MSH-2 */
            buf_addc(out, '|');
        if (i == n)
            buf_adds(out, value);
        else if (!(header && i == 1))
            buf_add(out, hl7_field(s, i));
    }
    buf_addc(out, '\r');
}

enum err write_cancel(const struct hl7_message *message, const char *kind, struct buf *out)
{
    const char *type = cancel_type(kind);

    for (size_t i = 0; i < message->segment_count; i++) {
        const struct hl7_segment *s = &message->segments[i];
        bool visit = slice_is(s->name, "EVN") || slice_is(s->name, "PID") ||
                     slice_is(s->name, "PV1") || slice_is(s->name, "PV2");
        if (slice_is(s->name, "MSH") && type && s->field_count > 1) {
            put_changed(out, s, 9, type);
        } else if (slice_is(s->name, "ORC") && kind[0] == 'O') {
            put_changed(out, s, 1, "CA");
        } else if (!type || visit) {
            buf_add(out, s->text);
            buf_addc(out, '\r');
        }
    }
    return buf_err(out);
}

bool write_is_cancel(const struct hl7_message *m, const char *kind)
{
    struct hl7_header h;
    const char *cancel = row_of(kind)->cancel;
    bool any = false;

    hl7_header_of(m, &h);
    if (cancel)
        return slice_is(h.trigger, cancel + 4) && slice_is(h.type, "ADT");
    for (size_t i = 0; kind[0] == 'O' && i < m->segment_count; i++) {
        if (!slice_is(m->segments[i].name, "ORC"))
            continue;
        struct slice control = hl7_field(&m->segments[i], 1);
        any = true;
        if (!slice_is(control, "CA") && !slice_is(control, "OC"))
            return false;
    }
    return any;
}

enum err write_recode(const struct hl7_message *m, struct buf *out, size_t *ret_replaced)
{
    struct buf text;

    buf_init(&text, 2 * m->text.len + 4096);
    for (size_t i = 0; i < m->segment_count; i++) {
        if (i == 0) {
            put_changed(&text, &m->segments[0], 18, "~ISO IR87");
        } else {
            buf_add(&text, m->segments[i].text);
            buf_addc(&text, '\r');
        }
    }
    enum err err = buf_err(&text);
    if (err == ERR_OK)
        err = write_encode(buf_slice(&text), out, ret_replaced);
    buf_fini(&text);
    return err;
}
