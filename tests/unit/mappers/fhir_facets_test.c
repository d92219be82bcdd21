/* SPDX-License-Identifier: Apache-2.0
 *
 * Search rows: for each kind of leaf the rows a resource must give, exactly these and no others. A
 * row is written kind-wise: token "system|code", quantity "lo,hi system|unit", date as two FHIR
 * dates.
 */
#include "lib/fhir_t.h"

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
    {PATIENT "'meta':{'tag':[{'system':'s','code':'c'}],'security':[{'code':'R'}]}}", "_tag",
     "s|c;"},
    {PATIENT "'meta':{'security':[{'code':'R'}]}}", "_security", "|R;"},
    {O "'code':{'coding':[{'system':'a','code':'1'},{'code':'2'},{'system':'b'}],'text':'t'}}",
     "code", "a|1;|2;"},
    {O "'code':{'text':'t'}}", "code", ""},
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
     "5.35,5.45 u|mg;"},
    {O "'valueQuantity':{'value':100,'unit':'回'}}", "value-quantity", "99.5,100.5 |回;"},
    {O "'valueQuantity':{'value':1,'unit':'℃','system':'u','code':'Cel'}}", "value-quantity",
     "0.5,1.5 u|Cel;0.5,1.5 |℃;"},
    {O "'valueQuantity':{'unit':'mg'}}", "value-quantity", ""},
    {O "'valueQuantity':{'value':5,'comparator':'<','code':'g'}}", "value-quantity", "min,5.5 |g;"},
    {O "'valueQuantity':{'value':5,'comparator':'>=','code':'g'}}", "value-quantity",
     "4.5,max |g;"},
    {O "'component':[{'valueQuantity':{'value':1}},{'valueQuantity':{'value':2}}]}",
     "component-value-quantity", "0.5,1.5 |;1.5,2.5 |;"},
    {"{'resourceType':'Condition','onsetAge':{'value':3,'code':'a'}}", "onset-age", "2.5,3.5 |a;"},
    {"{'resourceType':'Condition','onsetRange':{'low':{'value':3,'code':'a'},'high':{'value':5}}}",
     "onset-age", "2.5,5.5 |a;"},
    {"{'resourceType':'Condition','onsetRange':{'high':{'value':5}}}", "onset-age", "min,5.5 |;"},
    {"{'resourceType':'Invoice','totalGross':{'value':10,'currency':'JPY'}}", "totalgross",
     "9.5,10.5 urn:iso:std:iso:4217|JPY;"},
    {"{'resourceType':'RiskAssessment','prediction':[{'probabilityDecimal':0.10}]}", "probability",
     "0.095,0.105;"},
    /* references */
    {O "'subject':{'reference':'Patient/1'}}", "patient", "Patient/1;"},
    {O "'subject':{'reference':'Patient/@'}}", "patient", "Patient/@;"},
    {O "'subject':{'reference':'Patient/1/_history/2'}}", "subject", "Patient/1;"},
    {O "'subject':{'reference':'http://h/Patient/1/_history/2'}}", "patient",
     "http://h/Patient/1;"},
    {O "'subject':{'reference':'Device/1'}}", "patient", ""},
    {O "'subject':{'reference':'Device/1'}}", "subject", "Device/1;"},
    {O "'subject':{'reference':'urn:uuid:1'}}", "patient", ""},
    {O "'subject':{'reference':'urn:uuid:1','type':'Patient'}}", "patient", "urn:uuid:1;"},
    {O "'subject':{'identifier':{'value':'1'}}}", "subject", ""},
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
     "successor", "http://b;"},
};

static void put_number(struct buf *out, double v)
{
    if (v < -1e300)
        buf_adds(out, "min");
    else if (v > 1e300)
        buf_adds(out, "max");
    else
        buf_addf(out, "%.10g", v);
}

static void put_day(struct buf *out, int64_t ms)
{
    if (ms != WHEN_MIN && ms != WHEN_MAX)
        when_print_date(out, ms);
}

static void put_row(struct buf *out, const struct facet *f)
{
    if (f->kind == FACET_NUMBER || f->kind == FACET_QUANTITY) {
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
    buf_adds(out, f->kind == FACET_TOKEN || f->kind == FACET_QUANTITY ? "|" : "");
    buf_add(out, f->text);
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
            if (list.items[k].param == p->number) {
                assert_int_equal(list.items[k].kind, p->kind);
                put_row(&out, &list.items[k]);
            }
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

static void reads_precision(void **state)
{
    static const struct {
        const char *text;
        double lo, hi;
    } good[] = {{"100", 99.5, 100.5}, {"1.50", 1.495, 1.505},  {"-2", -2.5, -1.5},
                {"1e2", 50, 150},     {"1.0E+2", 95, 105},     {"5e-1", 0.45, 0.55},
                {"0", -0.5, 0.5},     {"0.00", -0.005, 0.005}, {"5.0e-1", 0.495, 0.505}};
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
        ".",
        "--1",
        "1 ",
        "11111111111111111111111111111111111111111111111111111111111111111"};
    double lo;
    double hi;
    (void)state;
    for (size_t i = 0; i < T_COUNT(good); i++) {
        assert_true(facets_number(slice_str(good[i].text), &lo, &hi));
        assert_true(lo - good[i].lo < 1e-9 && good[i].lo - lo < 1e-9);
        assert_true(hi - good[i].hi < 1e-9 && good[i].hi - hi < 1e-9);
    }
    for (size_t i = 0; i < T_COUNT(bad); i++)
        assert_false(facets_number(slice_str(bad[i]), &lo, &hi));
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
