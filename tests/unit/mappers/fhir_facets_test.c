/* SPDX-License-Identifier: Apache-2.0
 *
 * Search values: for each kind of leaf the facets a resource must give, exactly these and no
 * others. A facet is written by its kind: token "system|code", quantity "lo,hi system|code unit",
 * date as two FHIR dates; of a composite after "group.part "; of another kind than the parameter's
 * after the kind.
 */
#include "lib/fhir_t.h"

#include <math.h>

#include "base/limits.h"
#include "base/when.h"
#include "mappers/fhir/facets.h"

#include "base/banned.h"

struct row {
    const char *json;
    const char *code; /* parameter */
    const char *rows; /* expected, each followed by ';' */
};

#define O "{'resourceType':'Observation','status':'final',"
#define PATIENT "{'resourceType':'Patient',"

static const struct row rows[] = {
    /* tokens */
    {PATIENT "'gender':'male'}", "gender", "|male;"},
    {PATIENT "'active':true}", "active", "|true;"},
    {PATIENT "'identifier':[{'system':'urn:x','value':'1'},{'value':'2'},{'system':'y'}]}",
     "identifier", "urn:x|1;|2;"},
    {PATIENT
     "'identifier':[{'value':'1','type':{'coding':[{'system':'t','code':'MR'}],'text':'カルテ'}}]}",
     "identifier", "|1;typed t|MR=1;text カルテ;"},
    {PATIENT "'telecom':[{'system':'phone','value':'03'},{'system':'email','value':'a@b'}]}",
     "phone", "|03;"},
    {PATIENT "'telecom':[{'system':'phone','value':'03'},{'system':'email','value':'a@b'}]}",
     "email", "|a@b;"},
    {PATIENT "'telecom':[{'system':'phone','value':'03'},{'value':'x'}]}", "telecom", "|03;|x;"},
    {PATIENT "'id':'1'}", "deceased", "|false;"},
    {PATIENT "'deceasedBoolean':true}", "deceased", "|true;"},
    {PATIENT "'deceasedBoolean':false}", "deceased", "|false;"},
    {PATIENT "'deceasedDateTime':'2026'}", "deceased", "|true;"},
    {PATIENT "'id':'1'}", "_id", ""},
    {PATIENT "'id':'1'}", "gender", ""},
    {PATIENT "'multipleBirthInteger':2}", "birthOrderBoolean", "|2;"},
    {PATIENT "'meta':{'tag':[{'system':'s','code':'c'}],'security':[{'code':'R'}]}}", "_tag",
     "s|c;"},
    {PATIENT "'meta':{'security':[{'code':'R'}]}}", "_security", "|R;"},
    {O "'code':{'coding':[{'system':'a','code':'1'},{'code':'2'},{'system':'b'}],'text':'t'}}",
     "code", "a|1;|2;text t;"},
    {O "'code':{'text':'t'}}", "code", "text t;"},
    {O "'code':{'coding':[{'code':'1','display':'Ｄ'}]}}", "code", "|1;text d;"},
    {O "'code':{'coding':[{'code':'1'}]},'component':[{'code':{'coding':[{'code':'2'}]}}]}",
     "combo-code", "|1;|2;"},
    {O "'category':[{'coding':[{'code':'a'}]},{'coding':[{'code':'b'}]}]}", "category", "|a;|b;"},
    {O "'id':'x'}", "status", "|final;"},
    {O "'valueCodeableConcept':{'coding':[{'code':'1'}]}}", "value-concept", "|1;"},
    {"{'resourceType':'MedicationRequest','medicationCodeableConcept':{'coding':[{'code':'m'}]}}",
     "code", "|m;"},
    /* strings */
    {PATIENT "'name':[{'family':'山田','given':['太郎','Ａ']}]}", "family", "山田;"},
    {PATIENT "'name':[{'family':'山田','given':['太郎','Ａ']}]}", "given", "太郎;a;"},
    {PATIENT "'name':[{'family':'ヤマダ','given':['ﾀﾛｳ']}]}", "name",
     "ヤマダ;タロウ;ヤマダ タロウ;ヤマダタロウ;"},
    {PATIENT "'name':[{'text':'山田　太郎','family':'山田'}]}", "name", "山田;山田 太郎;山田太郎;"},
    {PATIENT "'name':[{'text':'山田'},{'prefix':['Dr']}]}", "name", "山田;dr;"},
    {PATIENT "'address':[{'line':['1-2'],'city':'東京','text':'x'}]}", "address", "x;1-2;東京;"},
    {PATIENT "'address':[{'postalCode':'１００'}]}", "address-postalcode", "100;"},
    {O "'valueCodeableConcept':{'text':'Abc'}}", "value-string", "abc;"},
    /* dates */
    {PATIENT "'birthDate':'1970-01'}", "birthdate", "1970-01-01..1970-02-01;"},
    {O "'effectiveDateTime':'2026-11-22'}", "date", "2026-11-22..2026-11-23;"},
    {O "'effectivePeriod':{'start':'2026-11-22','end':'2026-11-23'}}", "date",
     "2026-11-22..2026-11-24;"},
    {O "'effectivePeriod':{'start':'2026-11-22'}}", "date", "2026-11-22..;"},
    {O "'effectivePeriod':{'end':'2026'}}", "date", "..2027-01-01;"},
    {O "'effectivePeriod':{'start':'2026-11-25','end':'2026-11-23'}}", "date",
     "2026-11-23..2026-11-26;"},
    {O "'effectivePeriod':{'id':'x'}}", "date", ""},
    {O "'effectiveTiming':{'event':['2026-11-22','2026-11-20'],'repeat':{'boundsPeriod':{"
       "'start':'2026-11-21','end':'2026-11-21'}}}}",
     "date", "2026-11-20..2026-11-23;"},
    {O "'effectiveTiming':{'repeat':{'count':3}}}", "date", ""},
    {O "'effectiveInstant':'2026-11-22T00:00:00+09:00'}", "date", "2026-11-22..2026-11-22;"},
    {O "'effectiveDateTime':'22.11.2026'}", "date", ""},
    {"{'resourceType':'Procedure','performedString':'2026'}", "date", ""},
    /* quantities and numbers */
    {O "'valueQuantity':{'value':5.4,'unit':'mg','system':'u','code':'mg'}}", "value-quantity",
     "5.4,5.4 u|mg mg;"},
    {O "'valueQuantity':{'value':100,'unit':'回'}}", "value-quantity", "100,100 | 回;"},
    {O "'valueQuantity':{'value':1,'unit':'℃','system':'u','code':'Cel'}}", "value-quantity",
     "1,1 u|Cel ℃;"},
    {O "'valueQuantity':{'unit':'mg'}}", "value-quantity", ""},
    {O "'valueQuantity':{'value':5,'comparator':'<','code':'g'}}", "value-quantity", "min,5- |g ;"},
    {O "'valueQuantity':{'value':5,'comparator':'>=','code':'g'}}", "value-quantity", "5,max |g ;"},
    {O "'component':[{'valueQuantity':{'value':1}},{'valueQuantity':{'value':2}}]}",
     "component-value-quantity", "1,1 | ;2,2 | ;"},
    {"{'resourceType':'Condition','onsetAge':{'value':3,'code':'a'}}", "onset-age", "3,3 |a ;"},
    {"{'resourceType':'Condition','onsetRange':{'low':{'value':3,'code':'a'},'high':{'value':5}}}",
     "onset-age", "3,5 |a ;"},
    {"{'resourceType':'Condition','onsetRange':{'high':{'value':5}}}", "onset-age", "min,5 | ;"},
    {"{'resourceType':'Invoice','totalGross':{'value':10,'currency':'JPY'}}", "totalgross",
     "10,10 urn:iso:std:iso:4217|JPY JPY;"},
    {"{'resourceType':'RiskAssessment','prediction':[{'probabilityDecimal':0.10}]}", "probability",
     "0.1,0.1;"},
    /* references */
    {O "'subject':{'reference':'Patient/1'}}", "patient", "Patient/1;"},
    {O "'subject':{'reference':'Patient/@'}}", "patient", "Patient/@;"},
    {O "'subject':{'reference':'Patient/1/_history/2'}}", "subject", "Patient/1;"},
    {O "'subject':{'reference':'http://h/Patient/1/_history/2'}}", "patient",
     "uri http://h/Patient/1;"},
    {O "'subject':{'reference':'Device/1'}}", "patient", ""},
    {O "'subject':{'reference':'Device/1'}}", "subject", "Device/1;"},
    {O "'subject':{'reference':'urn:uuid:1'}}", "patient", ""},
    {O "'subject':{'reference':'urn:uuid:1','type':'Patient'}}", "patient", "uri urn:uuid:1;"},
    {O "'subject':{'identifier':{'value':'1','type':{'text':'t'}},'display':'Ａ'}}", "subject",
     "token |1;text a;"},
    {O "'subject':{'identifier':{'value':'1'}}}", "patient", ""},
    {O "'subject':{'identifier':{'value':'1'},'type':'Patient'}}", "patient", "token |1;"},
    {O "'subject':{'reference':'#p'}}", "subject", ""},
    {O "'encounter':{'reference':'Encounter/e'}}", "encounter", "Encounter/e;"},
    {O "'performer':[{'reference':'Practitioner/1'},{'reference':'Organization/2'}]}", "performer",
     "Practitioner/1;Organization/2;"},
    {"{'resourceType':'Appointment','participant':[{'actor':{'reference':'Practitioner/1'}},"
     "{'actor':{'reference':'Patient/2'}}]}",
     "patient", "Patient/2;"},
    /* addresses of definitions */
    {PATIENT "'meta':{'profile':['http://p|1.0','http://q']}}", "_profile",
     "http://p|1.0;http://p;http://q;"},
    {"{'resourceType':'PlanDefinition','relatedArtifact':[{'type':'depends-on','resource':'http://"
     "a'},"
     "{'type':'successor','resource':'http://b'}]}",
     "successor", "uri http://b;"},
    {"{'resourceType':'QuestionnaireResponse','questionnaire':'http://q|2'}", "questionnaire",
     "uri http://q|2;uri http://q;"},
    {"{'resourceType':'QuestionnaireResponse','questionnaire':'Questionnaire/q'}", "questionnaire",
     "Questionnaire/q;"},
    {"{'resourceType':'QuestionnaireResponse','questionnaire':'#q'}", "questionnaire", ""},
    {"{'resourceType':'ValueSet','url':'http://v|x'}", "url", "http://v|x;"},
    /* filters of steps */
    {"{'resourceType':'Bundle','entry':[{'resource':{'resourceType':'Composition','id':'c'}},{"
     "'resource':{'resourceType':'Composition','id':'d'}}]}",
     "composition", "Composition/c;"},
    {"{'resourceType':'Bundle','entry':[{'resource':{'resourceType':'Patient','id':'c'}}]}",
     "composition", ""},
    {"{'resourceType':'ValueSet','extension':[{'url':'x','valueString':'n'},{'url':'http://hl7.org/"
     "fhir/StructureDefinition/valueset-keyWord','valueString':'Y'}]}",
     "keyword", "y;"},
    {"{'resourceType':'QuestionnaireResponse','item':[{'answer':[{'valueReference':{'reference':"
     "'Patient/no'}}]},{'extension':[{'url':'http://hl7.org/fhir/StructureDefinition/"
     "questionnaireresponse-isSubject','valueBoolean':true}],'answer':[{'valueReference':{"
     "'reference':'Patient/yes'}}]}]}",
     "item-subject", "Patient/yes;"},
    {"{'resourceType':'Location','position':{'longitude':139.7,'latitude':35.6}}", "near",
     "35.6,139.7;"},
    /* composites: groups that have all components */
    {O "'code':{'coding':[{'code':'1'},{'code':'2'}],'text':'t'},'valueQuantity':{'value':5}}",
     "code-value-quantity", "1.0 token |1;1.0 token |2;1.1 quantity 5,5 | ;"},
    {O "'code':{'coding':[{'code':'1'}]},'valueQuantity':{'value':5}}", "code-value-concept", ""},
    {O "'valueDateTime':'2026-11-22','code':{'coding':[{'code':'1'}]}}", "code-value-date",
     "1.1 date 2026-11-22..2026-11-23;1.0 token |1;"},
    {O
     "'component':[{'code':{'coding':[{'code':'1'}]},'valueQuantity':{'value':1}},{'code':{'coding'"
     ":[{'code':'2'}]}},{'code':{'coding':[{'code':'3'}]},'valueQuantity':{'value':3}}]}",
     "component-code-value-quantity",
     "2.0 token |1;2.1 quantity 1,1 | ;3.0 token |3;3.1 quantity 3,3 | ;"},
    {O "'code':{'coding':[{'code':'0'}]},'valueQuantity':{'value':7},'component':[{'code':{'coding'"
       ":[{'code':'1'}]},'valueQuantity':{'value':1}}]}",
     "combo-code-value-quantity",
     "1.0 token |0;1.1 quantity 7,7 | ;2.0 token |1;2.1 quantity 1,1 | ;"},
    {"{'resourceType':'ValueSet','useContext':[{'code':{'code':'age'},'valueRange':{'low':{'value':"
     "1"
     "}}}]}",
     "context-type-quantity", "1.0 token |age;1.1 quantity 1,max | ;"},
    {"{'resourceType':'DocumentReference','relatesTo':[{'code':'replaces','target':{'reference':"
     "'DocumentReference/1','display':'x'}}]}",
     "relationship", "1.1 token |replaces;1.0 reference DocumentReference/1;"},
    {"{'resourceType':'MolecularSequence','variant':[{'start':1,'end':2},{'start':3,'end':4}],"
     "'referenceSeq':{'chromosome':{'coding':[{'code':'7'}]}}}",
     "chromosome-variant-coordinate",
     "1.1 number 1,1;1.2 number 2,2;1.0 token |7;2.1 number 3,3;2.2 number 4,4;2.0 token |7;"},
};

static void put_number(struct buf *out, double v)
{
    if (v < -1e300)
        buf_adds(out, "min");
    else if (v > 1e300)
        buf_adds(out, "max");
    else if (nearbyint(v) != v && fabs(nearbyint(v) - v) < 1e-9)
        buf_addf(out, "%g%c", nearbyint(v), v < nearbyint(v) ? '-' : '+');
    else
        buf_addf(out, "%.10g", v);
}

static void put_day(struct buf *out, int64_t ms)
{
    if (ms != WHEN_MIN && ms != WHEN_MAX)
        when_print_date(out, ms);
}

static void put_place(struct buf *out, const struct facet *f, enum facet_kind usual)
{
    static const char *const kinds[] = {
        [FACET_TOKEN] = "token ",       [FACET_STRING] = "text ",
        [FACET_DATE] = "date ",         [FACET_NUMBER] = "number ",
        [FACET_QUANTITY] = "quantity ", [FACET_REFERENCE] = "reference ",
        [FACET_URI] = "uri ",           [FACET_TYPED] = "typed ",
        [FACET_COMPOSITE] = "?",        [FACET_SPECIAL] = "special ",
    };
    if (f->group > 0)
        buf_addf(out, "%u.%u ", f->group, f->part);
    if (f->kind != usual)
        buf_adds(out, kinds[f->kind]);
}

static void put_row(struct buf *out, const struct facet *f, enum facet_kind usual)
{
    bool range = f->kind == FACET_NUMBER || f->kind == FACET_QUANTITY || f->kind == FACET_SPECIAL;
    put_place(out, f, usual);
    if (range) {
        put_number(out, f->lo);
        buf_addc(out, ',');
        put_number(out, f->hi);
        buf_adds(out, f->kind == FACET_QUANTITY ? " " : "");
    }
    if (f->kind == FACET_DATE) {
        put_day(out, f->lo_ms);
        buf_adds(out, "..");
        put_day(out, f->hi_ms);
    }
    buf_add(out, f->system);
    if (f->kind == FACET_TOKEN || f->kind == FACET_QUANTITY || f->kind == FACET_TYPED)
        buf_addc(out, '|');
    buf_add(out, f->text);
    if (f->kind == FACET_QUANTITY || f->kind == FACET_TYPED)
        buf_addf(out, "%c%.*s", f->kind == FACET_TYPED ? '=' : ' ', SLICE_ARG(f->raw));
    buf_addc(out, ';');
}

static void makes_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct buf out;
        struct arena *a = arena_new(T_ARENA_MAX);
        struct json *r = t_json(a, rows[i].json);
        struct facet_list list = {NULL, 0};
        const struct definition_param *p =
            definition_param(json_str(r, "resourceType"), slice_str(rows[i].code));
        assert_non_null(p);
        buf_init(&out, 10000);
        assert_int_equal(facets_extract(a, r, &list), ERR_OK);
        for (size_t k = 0; k < list.count; k++) {
            if (list.items[k].param == p->number)
                put_row(&out, &list.items[k], p->kind);
        }
        if (!slice_is(buf_slice(&out), rows[i].rows))
            fail_msg("%s\n%s: %.*s", rows[i].json, rows[i].code, SLICE_ARG(buf_slice(&out)));
        buf_fini(&out);
        arena_free(a);
    }
}

static void keeps_text_as_written(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct facet_list list;
    (void)state;
    assert_int_equal(facets_extract(a, t_json(a, PATIENT "'name':[{'family':'ＡＢ'}]}"), &list),
                     ERR_OK);
    bool seen = false;
    for (size_t i = 0; i < list.count; i++) {
        if (list.items[i].kind == FACET_STRING) {
            assert_slice(list.items[i].raw, "ＡＢ");
            assert_slice(list.items[i].text, "ab");
            seen = true;
        }
    }
    assert_true(seen);
    arena_free(a);
}

static void long_text_is_cut(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct facet_list list;
    struct buf text;
    (void)state;
    buf_init(&text, 100000);
    buf_adds(&text, PATIENT "'address':[{'city':'x");
    for (int i = 0; i < 5000; i++)
        buf_adds(&text, "あ");
    buf_adds(&text, "'}]}");
    buf_addc(&text, '\0');
    assert_int_equal(facets_extract(a, t_json(a, text.ptr), &list), ERR_OK);
    for (size_t i = 0; i < list.count; i++) {
        assert_true(list.items[i].raw.len <= LIMIT_FACET_TEXT);
        assert_true(slice_is_utf8(list.items[i].raw) && slice_is_utf8(list.items[i].text));
    }
    buf_fini(&text);
    arena_free(a);
}

static void too_many_are_refused(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct facet_list list = {NULL, 7};
    struct buf text;
    (void)state;
    buf_init(&text, 10000000);
    buf_adds(&text, PATIENT "'identifier':[{'value':'x'}");
    for (unsigned i = 0; i < LIMIT_FACETS; i++)
        buf_adds(&text, ",{'value':'x'}");
    buf_adds(&text, "]}");
    buf_addc(&text, '\0');
    assert_int_equal(facets_extract(a, t_json(a, text.ptr), &list), ERR_TOO_LARGE);
    assert_int_equal(list.count, 7);
    buf_fini(&text);
    arena_free(a);
}

static void odd_shapes_do_no_harm(void **state)
{
    static const char *const odd[] = {
        "{'resourceType':'Nothing','code':1}",
        "{'resourceType':7}",
        "{}",
        O "'code':[],'subject':'x','category':{'coding':{'code':'x'}},'valueQuantity':[1],"
          "'effectiveDateTime':{'start':1},'performer':{'reference':1},'component':[null,[],1]}",
        PATIENT
        "'name':[[{'family':'x'}],7,{'family':['x'],'given':'y'}],'telecom':['x'],'gender':{}}",
    };
    struct arena *a = arena_new(T_ARENA_MAX);
    struct facet_list list;
    (void)state;
    for (size_t i = 0; i < T_COUNT(odd); i++)
        assert_int_equal(facets_extract(a, t_json(a, odd[i]), &list), ERR_OK);
    arena_free(a);
}

/* Bounds are the doubles nearest to their decimals: equal to what the compiler makes of them. */
static void reads_precision(void **state)
{
    static const struct {
        const char *text;
        double lo, hi, exact;
    } good[] = {{"100", 99.5, 100.5, 100},
                {"1.50", 1.495, 1.505, 1.5},
                {"-2", -2.5, -1.5, -2},
                {"1e2", 50, 150, 100},
                {"1.0E+2", 95, 105, 100},
                {"5e-1", 0.45, 0.55, 0.5},
                {"0", -0.5, 0.5, 0},
                {"0.00", -0.005, 0.005, 0},
                {"5.0e-1", 0.495, 0.505, 0.5},
                {"5.4", 5.35, 5.45, 5.4},
                {"-5.40", -5.405, -5.395, -5.4},
                {"0.1", 0.05, 0.15, 0.1},
                {"1.000", 0.9995, 1.0005, 1},
                {"72.0", 71.95, 72.05, 72},
                {"-0", -0.5, 0.5, 0},
                {"5.40e-3", 5.395e-3, 5.405e-3, 5.4e-3},
                {"9.99", 9.985, 9.995, 9.99},
                {"1e-22", 0.5e-22, 1.5e-22, 1e-22}};
    static const char *const bad[] = {
        "",
        "x",
        "1x",
        "0x10",
        "nan",
        "inf",
        "1e999",
        "-1e999",
        "1e",
        "1e+",
        "1.2.3",
        ".",
        "--1",
        "+-1",
        "1 ",
        "1e+-1",
        "11111111111111111111111111111111111111111111111111111111111111111"};
    double lo;
    double hi;
    double exact;
    (void)state;
    for (size_t i = 0; i < T_COUNT(good); i++) {
        assert_true(facets_number(slice_str(good[i].text), &lo, &hi, &exact));
        if (lo != good[i].lo || hi != good[i].hi || exact != good[i].exact)
            fail_msg("%s: %.20g %.20g %.20g", good[i].text, lo, hi, exact);
    }
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        if (facets_number(slice_str(bad[i]), &lo, &hi, &exact))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_rows),
        cmocka_unit_test(keeps_text_as_written),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(odd_shapes_do_no_harm),
        cmocka_unit_test(reads_precision),
    };
    return T_RUN(tests);
}
