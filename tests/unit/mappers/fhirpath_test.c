/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIRPath as tables: an expression, the resource it runs on, and its result as text (items between
 * commas, texts in quotes, objects as JSON). A result that begins with ! is the error and its
 * column.
 */
#include "lib/fhir_t.h"

#include "base/limits.h"
#include "mappers/fhir/fhirpath.h"

#include "base/banned.h"

static const char patient[] =
    "{'resourceType':'Patient','id':'p1','active':true,'name':[{'use':'official','family':'山田',"
    "'given':['太郎','Taro']},{'use':'usual','given':['たろ'],'_given':[{'extension':[{'url':'u:x',"
    "'valueString':'kana'}]}]}],'_birthDate':{'extension':[{'url':'u:t','valueDateTime':"
    "'1974-12-25T14:35:45-05:00'}]},'birthDate':'1974-12-25','gender':'male','deceasedBoolean':"
    "false,"
    "'multipleBirthInteger':2,'telecom':[{'system':'phone','value':'03-1234-5678','rank':1},"
    "{'system':'email','value':'t@example.org'}],'contained':[{'resourceType':'Organization','id':'"
    "o1'"
    ",'name':'Clinic'}],'managingOrganization':{'reference':'#o1'},'generalPractitioner':[{"
    "'reference':'Practitioner/d1'},{'reference':'http://x.org/fhir/Organization/o2/_history/3'},"
    "{'reference':'urn:uuid:1','type':'PractitionerRole'},{'reference':'urn:uuid:2'}],"
    "'contact':[{'relationship':[{'text':'wife'}],'name':{'family':'山田'}}],"
    "'maritalStatus':{'coding':[{'system':'s','code':'M'},{'system':'s','code':'M'}]}}";

static const char observation[] =
    "{'resourceType':'Observation','id':'b1','status':'final','code':{'coding':[{'system':"
    "'http://loinc.org','code':'718-7'},{'system':'local','code':'HGB','display':'Hb'}]},"
    "'effectiveDateTime':'2026-11-22T09:30:00+09:00','valueQuantity':{'value':13.50,'unit':'g/dL',"
    "'system':'http://unitsofmeasure.org','code':'g/dL'},'referenceRange':[{'low':{'value':12},"
    "'high':{'value':17.5}}],'component':[{'code':{'text':'a'},'valueInteger':3},{'code':{'text':'"
    "b'},"
    "'valueString':'x'},{'code':{'text':'c'},'valueQuantity':{'value':5,'comparator':'<'}}],"
    "'issued':'2026-11-22T00:40:00Z','_status':{'id':'s1'}}";

struct row {
    const char *expression;
    const char *want;
};

static void print_value(struct buf *out, const struct fhirpath_value *v)
{
    switch (v->kind) {
    case FHIRPATH_BOOLEAN:
        buf_adds(out, v->truth ? "true" : "false");
        break;
    case FHIRPATH_STRING:
        buf_addf(out, "'%.*s'", SLICE_ARG(v->text));
        break;
    case FHIRPATH_QUANTITY:
        buf_addf(out, "%.*s '%.*s'", SLICE_ARG(v->text), SLICE_ARG(v->unit));
        break;
    case FHIRPATH_OBJECT:
        if (v->node)
            json_print(out, v->node);
        else
            buf_adds(out, "(no value)");
        break;
    default:
        buf_add(out, v->text);
    }
}

static struct json *find_it(void *context, const struct json *reference)
{
    return slice_is(json_str(reference, "reference"), "urn:uuid:2") ? context : NULL;
}

static void evaluate(struct arena *a, struct json *resource, const char *expression,
                     struct buf *out)
{
    struct fhirpath *path = NULL;
    struct fhirpath_fault fault = {0};
    struct fhirpath_values values = {0};
    struct json *other = t_json(a, "{'resourceType':'Practitioner','id':'far'}");
    struct fhirpath_scene scene = {resource, NULL, find_it, other, NULL};
    enum err err = fhirpath_compile(a, slice_str(expression), &path, &fault);
    if (!err)
        err = fhirpath_eval(path, a, &scene, &values, &fault);
    if (err) {
        assert_true(fault.en && fault.ja && fault.column > 0);
        buf_addf(out, "!%s %u", err_name(err), fault.column);
    }
    for (size_t i = 0; i < values.count; i++) {
        buf_adds(out, i ? ", " : "");
        print_value(out, &values.items[i]);
    }
}

static void run_rows(const char *json, const struct row *rows, size_t count)
{
    unsigned failed = 0;
    for (size_t i = 0; i < count; i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct buf out;
        buf_init(&out, 1 << 20);
        evaluate(a, t_json(a, json), rows[i].expression, &out);
        if (!slice_is(buf_slice(&out), rows[i].want)) {
            print_error("%s\n  got  %.*s\n  want %s\n", rows[i].expression,
                        SLICE_ARG(buf_slice(&out)), rows[i].want);
            failed++;
        }
        buf_fini(&out);
        arena_free(a);
    }
    assert_int_equal(failed, 0);
}

static const struct row path_rows[] = {
    {"Patient.id", "'p1'"},
    {"id", "'p1'"},
    {"Resource.id", "'p1'"},
    {"DomainResource.id", "'p1'"},
    {"Observation.id", ""},
    {"Patient.name.given", "'太郎', 'Taro', 'たろ'"},
    {"name[1].given", "'たろ'"},
    {"name[2]", ""},
    {"name[-1]", ""},
    {"name.given[1]", "'Taro'"},
    {"Patient.name.first().given.last()", "'Taro'"},
    {"name.family", "'山田'"},
    {"deceased", "false"},
    {"deceasedBoolean", ""},
    {"multipleBirth", "2"},
    {"nothing", ""},
    {"resourceType", ""},
    {"name.nothing.more", ""},
    {"`name`.`use`", "'official', 'usual'"},
    {"birthDate.extension.value", "1974-12-25T14:35:45-05:00"},
    {"birthDate.extension('u:t').value is dateTime", "true"},
    {"name.given.extension('u:x').value", "'kana'"},
    {"name[1].given.hasExtension('u:x')", "true"},
    {"name[1].given.hasExtension('u:y')", "false"},
    {"contained.name", "'Clinic'"},
    {"contained.children()", "'o1', 'Clinic'"},
    {"managingOrganization.resolve().name", "'Clinic'"},
    {"generalPractitioner.where(resolve() is Practitioner).reference",
     "'Practitioner/d1', 'urn:uuid:2'"},
    {"generalPractitioner.where(resolve() is Organization).reference",
     "'http://x.org/fhir/Organization/o2/_history/3'"},
    {"generalPractitioner.resolve().ofType(PractitionerRole).count()", "1"},
    {"generalPractitioner[3].resolve().id", "'far'"},
    {"maritalStatus.coding.code.distinct()", "'M'"},
    {"contact.relationship.text | contact.name.family", "'wife', '山田'"},
    {"%resource.id", "'p1'"},
    {"name.where(use = 'usual').given & %context.id", "'たろp1'"},
    {"// a note\n Patient /* inner */ . id", "'p1'"},
};

static void paths(void **state)
{
    (void)state;
    run_rows(patient, path_rows, T_COUNT(path_rows));
}

static const struct row function_rows[] = {
    {"name.where(use = 'official').family", "'山田'"},
    {"name.where(given.count() > 1).use", "'official'"},
    {"name.where($index = 1).use", "'usual'"},
    {"name.select(given.first())", "'太郎', 'たろ'"},
    {"name.select($index)", "0, 1"},
    {"name.exists()", "true"},
    {"photo.exists()", "false"},
    {"name.exists(use = 'nickname')", "false"},
    {"name.all(given.exists())", "true"},
    {"name.all(family.exists())", "false"},
    {"photo.all(false)", "true"},
    {"photo.empty()", "true"},
    {"name.given.first()", "'太郎'"},
    {"name.given.last()", "'たろ'"},
    {"name.given.tail()", "'Taro', 'たろ'"},
    {"name.given.skip(2)", "'たろ'"},
    {"name.given.skip(9)", ""},
    {"name.given.take(2)", "'太郎', 'Taro'"},
    {"name.given.take(-1)", ""},
    {"name.single()", "!ERR_INVALID 6"},
    {"photo.single()", ""},
    {"telecom.count()", "2"},
    {"maritalStatus.coding.distinct().count()", "1"},
    {"maritalStatus.coding.isDistinct()", "false"},
    {"active.not()", "false"},
    {"photo.not()", ""},
    {"birthDate.hasValue()", "true"},
    {"name.hasValue()", "false"},
    {"birthDate.getValue() is Date", "true"},
    {"deceased.ofType(boolean)", "false"},
    {"deceased.ofType(dateTime)", ""},
    {"deceased.is(boolean)", "true"},
    {"deceased as boolean", "false"},
    {"(deceased as dateTime).exists()", "false"},
    {"contact.children().count()", "2"},
    {"contact.descendants().count()", "4"},
    {"telecom.descendants().ofType(positiveInt)", "1"},
    {"iif(active, 'yes', 'no')", "'yes'"},
    {"iif(photo.exists(), 'yes')", ""},
    {"name.iif(true, 1, 2)", "!ERR_INVALID 6"},
    {"iif(true, 1, 1/0 = 'x' + 1)", "1"},
    {"name.given.union('x' | 'Taro')", "'太郎', 'Taro', 'たろ', 'x'"},
    {"(1 | 2).combine(2)", "1, 2, 2"},
    {"(1 | 2 | 3).intersect(2 | 3 | 4)", "2, 3"},
    {"(1 | 2 | 3).exclude(2)", "1, 3"},
    {"gender.startsWith('ma')", "true"},
    {"gender.startsWith('')", "true"},
    {"gender.endsWith('le')", "true"},
    {"gender.contains('al')", "true"},
    {"gender.contains('x')", "false"},
    {"'太郎です'.indexOf('で')", "2"},
    {"'abc'.indexOf('x')", "-1"},
    {"'太郎'.length()", "2"},
    {"'太郎です'.substring(1, 2)", "'郎で'"},
    {"'abc'.substring(1)", "'bc'"},
    {"'abc'.substring(3)", ""},
    {"'abc'.substring(-1)", ""},
    {"'abc'.substring(0, 0)", "''"},
    {"'aBc郎'.upper() + 'aBc郎'.lower()", "'ABC郎abc郎'"},
    {"'a-b-c'.replace('-', '+')", "'a+b+c'"},
    {"'abc'.replace('x', 'y')", "'abc'"},
    {"'太a'.replace('', '.')", "'.太.a.'"},
    {"photo.length()", ""},
    {"name.given.length()", "!ERR_INVALID 12"},
    {"1.toString()", "'1'"},
    {"true.toString()", "'true'"},
    {"'12'.toInteger() + 1", "13"},
    {"'x'.toInteger()", ""},
    {"'4294967296'.toInteger()", ""},
    {"'1.50'.toDecimal()", "1.50"},
    {"'.5'.toDecimal()", ""},
    {"5.toDecimal() is Decimal", "true"},
    {"true.toInteger()", "1"},
    {"name.where(given.where($this = 'Taro').exists()).use", "'official'"},
};

static void functions(void **state)
{
    (void)state;
    run_rows(patient, function_rows, T_COUNT(function_rows));
}

static const struct row operator_rows[] = {
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"-1 + 3", "2"},
    {"2 - -1", "3"},
    {"0.1 + 0.2", "0.3"},
    {"1.10 + 2", "3.10"},
    {"10 / 4", "2.5"},
    {"1 / 3", "0.33333333"},
    {"2 / 3", "0.66666667"},
    {"1 / 0", ""},
    {"7 div 2", "3"},
    {"-7 mod 3", "-1"},
    {"7.5 mod 2", "1.5"},
    {"5 mod 0", ""},
    {"2147483647 + 1", ""},
    {"99999999999999999999999999999 * 99999999999999999999999999999.0", ""},
    {"-(1.5)", "-1.5"},
    {"'a' + 'b' & {} & 'c'", "'abc'"},
    {"'a' + {}", ""},
    {"'a' + 1", "!ERR_INVALID 5"},
    {"(1 | 2) + 1", "!ERR_INVALID 9"},
    {"1 = 1.0", "true"},
    {"1.0 = 1.00", "true"},
    {"12345678901234567890123456789012345678.1 = 12345678901234567890123456789012345678.10",
     "true"},
    {"12345678901234567890123456789012345678.1 < 12345678901234567890123456789012345678.2", "true"},
    {"-0 = 0", "true"},
    {"1 != 2", "true"},
    {"1 = 'a'", "false"},
    {"{} = 1", ""},
    {"(1 | 2) = (1 | 2)", "true"},
    {"(1 | 2) = (2 | 1)", "false"},
    {"(1 | 2) ~ (2 | 1)", "true"},
    {"{} ~ {}", "true"},
    {"1 ~ {}", "false"},
    {"1.5 ~ 1.54", "true"},
    {"1.5 !~ 1.56", "true"},
    {"'A  b' ~ 'a B '", "true"},
    {"'a' = 'A'", "false"},
    {"'a' < 'b'", "true"},
    {"1 < 'b'", "!ERR_INVALID 3"},
    {"1 <= 1", "true"},
    {"2 >= 3", "false"},
    {"2 > {}", ""},
    {"2 in (1 | 2)", "true"},
    {"{} in (1 | 2)", ""},
    {"2 in {}", "false"},
    {"(1 | 2) contains 3", "false"},
    {"true and {}", ""},
    {"false and {}", "false"},
    {"true or {}", "true"},
    {"false or {}", ""},
    {"true xor true", "false"},
    {"true xor {}", ""},
    {"false implies {}", "true"},
    {"{} implies true", "true"},
    {"{} implies false", ""},
    {"true implies {}", ""},
    {"true implies false", "false"},
    {"1 and true", "true"},
    {"(1 | 2) and true", "!ERR_INVALID 9"},
    {"1 is Integer", "true"},
    {"1 is System.Integer", "true"},
    {"1 is integer", "false"},
    {"1.0 is Decimal", "true"},
    {"'a' is String and 'a' is string", "false"},
    {"@2014 is Date", "true"},
    {"@2014T is DateTime", "true"},
    {"@T10:00 is Time", "true"},
    {"4 'mg' is Quantity", "false"},
    {"4 'mg' is System.Quantity", "true"},
    {"4 'mg' = 4.0 'mg'", "true"},
    {"4 'mg' < 5 'g'", ""},
    {"7 days = 7 'd'", "true"},
    {"1 year > 1 month", ""},
    {"%ucum", "'http://unitsofmeasure.org'"},
    {"'it\\'s \\u592a'", "'it's 太'"},
    {"1 | 1.0 | 2", "1, 2"},
};

static void operators(void **state)
{
    (void)state;
    run_rows(patient, operator_rows, T_COUNT(operator_rows));
}

static const struct row time_rows[] = {
    {"@2012 = @2012", "true"},
    {"@2012 = @2013", "false"},
    {"@2012-01 = @2012", ""},
    {"@2012-01 ~ @2012", "false"},
    {"@2012-01 < @2013", "true"},
    {"@2012-01-01 > @2012", ""},
    {"@2012-01-31 < @2012-02", "true"},
    {"@2012-01-01T10:00 = @2012-01-01T10:00:00", ""},
    {"@2012-01-01T10:00:00 = @2012-01-01T10:00:00.0", "true"},
    {"@2012-01-01T10:00:00 < @2012-01-01T10:00:00.5", "true"},
    {"@2012-01-01T10:00:00+09:00 = @2012-01-01T01:00:00Z", "true"},
    {"@2012-01-01T10:00:00 = @2012-01-01T01:00:00Z", "true"},
    {"@2012-01-01T23:30:00Z > @2012-01-01", "true"},
    {"@2012-01-01T10 < @2012-01-01T11:30", "true"},
    {"@2012-01-01T10 = @2012-01-01T10", "true"},
    {"@2012-01-01T10 < @2012-01-01T10:30", ""},
    {"@T10:30 < @T10:31", "true"},
    {"@T10:30:00.5 > @T10:30:00", "true"},
    {"@T10 = @T10:00", ""},
    {"@T10:30 = @2012-01-01", "false"},
    {"@2012 = '2012'", "false"},
    {"@2012-13", "!ERR_INVALID 1"},
    {"@2012-02-30", "!ERR_INVALID 1"},
    {"@", "!ERR_INVALID 1"},
    {"@T", "!ERR_INVALID 1"},
    {"@T25:00", "!ERR_INVALID 1"},
    {"@T10:00Z", "!ERR_INVALID 1"},
    {"Observation.effective > @2026-11-22", ""},
    {"Observation.effective > @2026-11-21", "true"},
    {"Observation.effective = @2026-11-22T00:30:00Z", "true"},
    {"Observation.issued > effective", "true"},
    {"Observation.issued is instant", "true"},
};

static void times(void **state)
{
    (void)state;
    run_rows(observation, time_rows, T_COUNT(time_rows));
}

static const struct row type_rows[] = {
    {"value.unit", "'g/dL'"},
    {"Observation.value.value", "13.50"},
    {"value = 13.5 'g/dL'", "true"},
    {"value > 13 'g/dL'", "true"},
    {"value > 13 'mg/dL'", ""},
    {"value > 13", ""},
    {"value.value > 13", "true"},
    {"referenceRange.low = 12", "true"},
    {"referenceRange.low < referenceRange.high", "true"},
    {"value is Quantity", "true"},
    {"value is FHIR.Quantity", "true"},
    {"value is System.Quantity", "false"},
    {"value is Element", "true"},
    {"status is code", "true"},
    {"status is string", "true"},
    {"status is uri", "false"},
    {"status is String", "false"},
    {"Observation is DomainResource", "true"},
    {"Observation is Resource", "true"},
    {"Observation is Patient", "false"},
    {"component is BackboneElement", "!ERR_INVALID 11"},
    {"component.first() is BackboneElement", "true"},
    {"component.value.ofType(string)", "'x'"},
    {"component.value.ofType(integer)", "3"},
    {"(component.value as Quantity).value", "5"},
    {"component.where(value is string).code.text", "'b'"},
    {"component.value.ofType(Quantity) > 4", "!ERR_INVALID 34"},
    {"status.id", "'s1'"},
    {"code.coding.where(system = %loinc).code", "'718-7'"},
    {"code.coding.where(system = 'local').display.exists()", "true"},
    {"value.toString()", "'13.50 'g/dL''"},
    {"effective is Period", "false"},
    {"value is Nonsense", "!ERR_INVALID 10"},
    {"ofType(FHIR.Nonsense)", "!ERR_INVALID 8"},
};

static void types(void **state)
{
    (void)state;
    run_rows(observation, type_rows, T_COUNT(type_rows));
}

static const struct row refusal_rows[] = {
    {"", "!ERR_INVALID 1"},
    {"name.", "!ERR_INVALID 6"},
    {"name..given", "!ERR_INVALID 6"},
    {"name given", "!ERR_INVALID 6"},
    {"(name", "!ERR_INVALID 6"},
    {"name)", "!ERR_INVALID 5"},
    {"name[0", "!ERR_INVALID 7"},
    {"name['a']", "!ERR_INVALID 5"},
    {"'open", "!ERR_INVALID 1"},
    {"'a\\x'", "!ERR_INVALID 3"},
    {"'a\\ud800'", "!ERR_INVALID 3"},
    {"/* open", "!ERR_INVALID 1"},
    {"a # b", "!ERR_INVALID 3"},
    {"{ 1 }", "!ERR_INVALID 3"},
    {"$that", "!ERR_NOT_SUPPORTED 1"},
    {"%nothing", "!ERR_NOT_SUPPORTED 1"},
    {"name.frobnicate()", "!ERR_INVALID 6"},
    {"name.matches('a+')", "!ERR_NOT_SUPPORTED 6"},
    {"now()", "!ERR_NOT_SUPPORTED 1"},
    {"name.where()", "!ERR_INVALID 6"},
    {"name.count(1)", "!ERR_INVALID 6"},
    {"name.where(a, b)", "!ERR_INVALID 6"},
    {"Unknown.name", "!ERR_INVALID 1"},
    {"name.skip('a')", "!ERR_INVALID 6"},
    {"name.where(given)", "!ERR_INVALID 12"},
    {"1 and", "!ERR_INVALID 6"},
    {"name.extension(1)", "!ERR_INVALID 6"},
};

static void refusals(void **state)
{
    (void)state;
    run_rows(patient, refusal_rows, T_COUNT(refusal_rows));
}

/* An item tells where it hangs, so that a patch can change it there. */
static void places(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct json *root = t_json(a, patient);
    struct fhirpath_scene scene = {root, NULL, NULL, NULL, NULL};
    struct fhirpath_values values;
    struct fhirpath *path;
    (void)state;
    assert_int_equal(fhirpath_compile(a, SLICE("name[1].given"), &path, NULL), ERR_OK);
    assert_int_equal(fhirpath_eval(path, a, &scene, &values, NULL), ERR_OK);
    assert_int_equal(values.count, 1);
    const struct fhirpath_value *v = values.items;
    assert_ptr_equal(v->parent, json_path(root, "name", "1", NULL));
    assert_ptr_equal(v->node, json_path(root, "name", "1", "given", "0", NULL));
    assert_ptr_equal(v->shadow, json_path(root, "name", "1", "_given", "0", NULL));
    assert_string_equal(v->element->name, "given");
    assert_int_equal(v->position, 0);
    /* From an item as the focus. */
    scene.focus = v;
    assert_int_equal(fhirpath_compile(a, SLICE("extension.url & %context"), &path, NULL), ERR_OK);
    assert_int_equal(fhirpath_eval(path, a, &scene, &values, NULL), ERR_OK);
    assert_slice(values.items->text, "u:xたろ");
    arena_free(a);
}

static enum err compile_repeated(const char *begin, const char *middle, const char *end,
                                 size_t times_)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct buf text;
    struct fhirpath *path;
    struct fhirpath_fault fault;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < times_; i++)
        buf_adds(&text, begin);
    buf_adds(&text, middle);
    for (size_t i = 0; i < times_; i++)
        buf_adds(&text, end);
    enum err err = fhirpath_compile(a, buf_slice(&text), &path, &fault);
    buf_fini(&text);
    arena_free(a);
    return err;
}

static void bounds(void **state)
{
    (void)state;
    assert_int_equal(compile_repeated("(", "1", ")", 150), ERR_OK);
    assert_int_equal(compile_repeated("(", "1", ")", 5000), ERR_TOO_DEEP);
    assert_int_equal(compile_repeated("-", "1", "", 5000), ERR_TOO_DEEP);
    assert_int_equal(compile_repeated("", "a", ".a", 5000), ERR_TOO_DEEP);
    assert_int_equal(compile_repeated("", "1", "|1", 150), ERR_OK);
    assert_int_equal(compile_repeated("", "1", "|1", 5000), ERR_TOO_DEEP);
    assert_int_equal(compile_repeated("not(", "1", ")", 2000), ERR_TOO_DEEP);
    assert_int_equal(compile_repeated(" ", "1", " ", LIMIT_FHIRPATH_TEXT), ERR_TOO_LARGE);
    static const char *const costly[] = {
        "descendants().select(%resource.descendants().select(%resource.descendants()))",
        "descendants().where(%resource.descendants().where(%resource.descendants().where("
        "%resource.descendants().count() > 1).count() > 1).count() > 1)",
        "'aaaaaaaaaaaaaaaa'.replace('a','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb').replace('b',"
        "'cccccccccccccccccccccccccccccccccccccccc').replace('c',"
        "'dddddddddddddddddddddddddddddddddddddddddddddddddddddddd').length()",
    };
    for (size_t i = 0; i < T_COUNT(costly); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct buf out;
        buf_init(&out, 1 << 20);
        evaluate(a, t_json(a, patient), costly[i], &out);
        const char *want = i == 2 ? "!ERR_TOO_LARGE" : "!ERR_LIMIT";
        assert_true(slice_starts(buf_slice(&out), slice_str(want)));
        buf_fini(&out);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),  cmocka_unit_test(functions), cmocka_unit_test(operators),
        cmocka_unit_test(times),  cmocka_unit_test(types),     cmocka_unit_test(refusals),
        cmocka_unit_test(places), cmocka_unit_test(bounds),
    };
    return T_RUN(tests);
}
