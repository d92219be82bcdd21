/* SPDX-License-Identifier: Apache-2.0
 *
 * IN1 to Coverage (JP_Coverage). IN1-10 carries symbol, number and branch as repetitions or as
 * components; older senders put the symbol there and the number into IN1-11. Publicly paid
 * treatment (JHSD0001 10-25, 51 ...) is a Coverage too, but never the insurance that identifies a
 * person. Insurer numbers of 6 digits (municipal insurance) are padded to 8.
 */
#include "mappers/hl7v2/in1.h"

#include "mappers/hl7v2/build.h"
#include "mappers/hl7v2/cwe.h"
#include "mappers/hl7v2/extend.h"
#include "mappers/hl7v2/family.h"
#include "mappers/hl7v2/terms.h"
#include "mappers/hl7v2/xpn.h"
#include "base/banned.h"

#define EXTENSION                                                                                  \
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPerson"
#define MHLW "http://jpfhir.jp/fhir/core/mhlw/IdSystem/"

struct insured {
    struct slice insurer, symbol, number, branch;
    bool public_payer;
};

static struct slice pad_insurer(struct mapping *mp, struct slice number)
{
    uint64_t value;

    if (number.len == 6 && slice_u64(number, &value))
        return mapping_format(mp, "00%.*s", SLICE_ARG(number));
    return number;
}

static void read_insured(struct mapping *mp, const struct hl7_segment *in1, struct insured *ret)
{
    struct slice field = hl7_field(in1, 10), parts[3] = {SLICE_NONE, SLICE_NONE, SLICE_NONE};
    unsigned repeats = hl7_repeats(mp->m, field), filled = 0;
    struct slice eleven = mapping_value(mp, in1, 11, 1);

    for (unsigned i = 0; i < 3; i++) {
        if (repeats > 1)
            parts[i] = i < repeats ? mapping_part(mp, hl7_repeat(mp->m, field, i), 1) : SLICE_NONE;
        else
            parts[i] = mapping_part(mp, field, i + 1);
        filled += parts[i].len > 0;
    }
    ret->symbol = parts[0];
    ret->number = parts[1];
    ret->branch = parts[2];
    if (filled == 1 && parts[0].len && eleven.len) {
        ret->number = eleven;
    } else if (filled == 1 && parts[0].len && repeats == 1) {
        ret->number = parts[0];
        ret->symbol = SLICE_NONE;
    }
    ret->insurer = pad_insurer(mp, mapping_value(mp, in1, 3, 1));
    ret->public_payer = terms_find(terms_public_payer, mapping_value(mp, in1, 2, 1)) != NULL;
}

void in1_identify(struct mapping *mp)
{
    struct mapped_patient *p = &mp->out->patient;

    for (size_t i = 0; i < mp->m->segment_count; i++) {
        const struct hl7_segment *s = &mp->m->segments[i];
        struct insured in;

        if (!mapping_is(s, "IN1"))
            continue;
        read_insured(mp, s, &in);
        if (in.public_payer || in.insurer.len == 0)
            continue;
        p->insurer = in.insurer;
        p->symbol = in.symbol;
        p->number = in.number;
        p->branch = in.branch;
        return;
    }
}

/* IN1-15 (JHSD0002) and other plan types as Coverage.class. */
static bool build_class(struct spot *at)
{
    struct cwe c;
    struct json *class;

    cwe_read(at->mp, at->raw, &c);
    if (c.code.len == 0)
        return false;
    class = json_new(at->mp->a, JSON_OBJECT);
    json_set(class, "type",
             cwe_constant(at->mp, "http://terminology.hl7.org/CodeSystem/coverage-class", "plan",
                          "Plan"));
    json_put_str(at->mp->a, class, "value", c.code);
    json_put_str(at->mp->a, class, "name", c.text);
    return mapping_put(at, class);
}

static bool build_subscriber(struct spot *at)
{
    struct slice name = xpn_text(at->mp, at->raw);
    struct json *reference;

    if (name.len == 0)
        return false;
    reference = json_new(at->mp->a, JSON_OBJECT);
    json_put_str(at->mp->a, reference, "display", name);
    return mapping_put(at, reference);
}

static const struct row in1_rows[] = {
    {1, 0, build_structure, NULL, NULL},
    {2, 0, cwe_build, "type", "JHSD0001"},
    {4, 1, build_string, "payor[0].display", NULL},
    {12, 0, build_date, "period.start", NULL},
    {13, 0, build_date, "period.end", NULL},
    {15, 0, build_class, "class[]", NULL},
    {16, 0, build_subscriber, "subscriber", NULL},
    {17, 0, cwe_build, "relationship", "HL70063"},
    {22, 0, build_integer, "order", "positive"},
    {49, 0, extend_build_number, "identifier[]", "MB insured"},
    ROW_END,
};
/* How the numbers are cut up is seen only together (read_insured). */
static const struct row number_rows[] = {
    {3, 0, build_elsewhere, "payor[0].identifier", NULL},
    {10, 0, build_elsewhere, "subscriberId", NULL},
    {10, 0, build_elsewhere, "dependent", NULL},
    {11, 0, build_elsewhere, "subscriberId", NULL},
    ROW_END,
};
/* An address is no reason to make a payor of its own. */
static const struct row payor_rows[] = {
    {5, 0, extend_build_address, "payor[0].extension[]", EXTEND_OWN "payor-address"},
    ROW_END,
};

static void put_extension(struct mapping *mp, struct json *coverage, const char *url,
                          struct slice value)
{
    struct json *extension;

    if (value.len == 0)
        return;
    extension = json_new(mp->a, JSON_OBJECT);
    json_put_text(mp->a, extension, "url", url);
    json_put_str(mp->a, extension, "valueString", value);
    mapping_put_at(mp->a, coverage, "extension[]", extension);
}

/* Symbol, number, branch: as JP Core's extensions, and quoted together as its examples do. */
static void put_numbers(struct mapping *mp, const struct hl7_segment *in1, const struct insured *in,
                        struct json *coverage)
{
    struct json *identifier;

    if (in->symbol.len == 0 && in->number.len == 0)
        return;
    mapping_mark(mp, in1, 10, MAPPING_USED);
    if (slice_eq(in->number, mapping_value(mp, in1, 11, 1)))
        mapping_mark(mp, in1, 11, MAPPING_USED);
    put_extension(mp, coverage, EXTENSION "Symbol", in->symbol);
    put_extension(mp, coverage, EXTENSION "Number", in->number);
    put_extension(mp, coverage, EXTENSION "SubNumber", in->branch);
    identifier = json_new(mp->a, JSON_OBJECT);
    if (in->symbol.len == 0) {
        json_put_str(mp->a, identifier, "value", in->number);
        json_put_str(mp->a, coverage, "subscriberId", in->number);
    } else {
        json_put_str(mp->a, identifier, "value",
                     mapping_format(mp, "\"%.*s\",\"%.*s\",\"%.*s\"", SLICE_ARG(in->symbol),
                                    SLICE_ARG(in->number), SLICE_ARG(in->branch)));
        json_put_str(
            mp->a, coverage, "subscriberId",
            mapping_format(mp, "\"%.*s\",\"%.*s\"", SLICE_ARG(in->symbol), SLICE_ARG(in->number)));
    }
    mapping_put_at(mp->a, coverage, "identifier[]", identifier);
    json_put_str(mp->a, coverage, "dependent", in->branch);
}

static void put_payor(struct mapping *mp, const struct insured *in, struct json *coverage)
{
    struct json *payor = mapping_object_at(mp->a, coverage, "payor[0]"), *identifier;

    if (in->insurer.len) {
        identifier = json_put_object(mp->a, payor, "identifier");
        json_put_text(mp->a, identifier, "system",
                      in->public_payer ? MHLW "PublicPayerNumber" : MHLW "InsurerNumber");
        json_put_str(mp->a, identifier, "value", in->insurer);
        if (!json_get(payor, "display"))
            json_put_str(mp->a, payor, "display", in->insurer);
        return;
    }
    if (!json_get(payor, "display")) /* R4 wants a payor: 自費, 労災 ... name the type */
        json_put_str(mp->a, payor, "display", json_str(json_get(coverage, "type"), "text"));
}

static void coverage_of(struct mapping *mp, const struct hl7_segment *in1, struct slice scope,
                        bool mentioned)
{
    struct slice type = mapping_value(mp, in1, 2, 1);
    struct insured in;
    struct mapped_resource *r;
    struct slice key;

    read_insured(mp, in1, &in);
    if (type.len == 0 && in.insurer.len == 0) {
        mapping_warn(mp, in1, 2, 0, "an insurance without type and insurer was left out",
                     "種別も保険者番号もない保険情報を除きました");
        return;
    }
    key = mapping_format(mp, "IN1:%.*s:%.*s", SLICE_ARG(type), SLICE_ARG(in.insurer));
    r = mapping_resource(mp, "Coverage", "JP_Coverage", mapping_unique(mp, "Coverage", key));
    r->scope = scope;
    r->create_only = mentioned;
    json_put_text(mp->a, r->resource, "status", "active");
    mapping_subject(mp, r->resource, "beneficiary");
    mapping_walk(mp, in1, in1_rows, r->resource);
    mapping_mark(mp, in1, 3, MAPPING_USED);
    put_numbers(mp, in1, &in, r->resource);
    put_payor(mp, &in, r->resource);
    mapping_walk(mp, in1, payor_rows, r->resource);
}

static void each_coverage(struct mapping *mp, struct slice scope, bool mentioned)
{
    for (size_t i = 0; i < mp->m->segment_count; i++) {
        if (mapping_is(&mp->m->segments[i], "IN1"))
            coverage_of(mp, &mp->m->segments[i], scope, mentioned);
    }
}

void in1_coverages(struct mapping *mp, struct slice scope)
{
    each_coverage(mp, scope, false);
}

void in1_mention(struct mapping *mp, struct slice scope)
{
    each_coverage(mp, scope, true);
}

const struct row_set in1_sets[] = {
    {"IN1", "Coverage", in1_rows, NULL},
    {"IN1", "Coverage", number_rows, NULL},
    {"IN1", "Coverage", payor_rows, NULL},
    ROW_SET_END,
};
