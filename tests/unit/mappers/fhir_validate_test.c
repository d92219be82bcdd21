/* SPDX-License-Identifier: Apache-2.0
 *
 * Resources with one thing wrong: the code, the place and a word of the message. And the twists of
 * FHIR's JSON that must pass: extensions beside primitives, nulls in pairs, contained resources,
 * choices.
 */
#include "lib/fhir_t.h"

#include "base/limits.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

#define P "{'resourceType':'Patient',"
#define O "{'resourceType':'Observation','status':'final','code':{'text':'x'},"
#define DIV "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>"

static const char *const good[] = {
    "{'resourceType':'Patient'}",
    P
    "'id':'a','active':true,'name':[{'family':'山田','given':['太郎']}],'birthDate':'1970-01-01'}",
    P "'birthDate':'1970','_birthDate':{'extension':[{'url':'http://x','valueTime':'10:00:00'}]}}",
    P "'_birthDate':{'extension':[{'url':'http://x','valueCode':'x'}]}}",
    P "'name':[{'given':['a',null],'_given':[{'id':'x'},{'extension':[{'url':'u:x',"
      "'valueCode':'x'}]}]}]}",
    P "'name':[{'_given':[{'extension':[{'url':'u:x','valueCode':'x'}]}]}]}",
    P "'text':{'status':'generated','div':'" DIV "'}}",
    P "'deceasedBoolean':false,'_deceasedBoolean':{'id':'x'}}",
    P "'generalPractitioner':[{'reference':'Practitioner/1'},{'reference':'#p'},"
      "{'reference':'http://x/fhir/Practitioner/2/_history/"
      "3'},{'reference':'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9'},"
      "{'reference':'Practitioner/1/_history/2'},{'reference':'Practitioner?identifier=x'},"
      "{'identifier':{'value':'x'}},{'display':'x'},{'reference':'#'}],"
      "'contained':[{'resourceType':'Practitioner','id':'p'}]}",
    P "'extension':[{'url':'http://x','extension':[{'url':'a','valueQuantity':{'value':1.0}}]}]}",
    O "'subject':{'reference':'Patient/@'},'valueQuantity':{'value':1.50,'unit':'mg'}}",
    O "'component':[{'code':{'text':'x'},'valueInteger':3}]}",
    "{'resourceType':'Bundle','type':'collection','entry':[{'resource':" P "'contained':["
    "{'resourceType':'Organization','id':'o','name':'x'}],'managingOrganization':{'reference':'#o'}"
    "}}]}",
    "{'resourceType':'Questionnaire','status':'draft','item':[{'linkId':'1','type':'group',"
    "'item':[{'linkId':'2','type':'string'}]}]}",
    "{'resourceType':'Parameters'}",
    "{'resourceType':'Condition','subject':{'reference':'Patient/1'},'clinicalStatus':"
    "{'coding':[{'code':'other'},{'system':"
    "'http://terminology.hl7.org/CodeSystem/condition-clinical','code':'active'}]}}",
    "{'resourceType':'ExampleScenario','status':'draft','instance':[{'resourceId':'1',"
    "'resourceType':'Patient'}]}",
    "{'resourceType':'Binary','contentType':'text/plain','data':'AAAA'}",
};

struct row {
    const char *json;
    enum err err;
    const char *place;
    const char *word; /* in the English message, or NULL */
};

static const struct row bad[] = {
    /* structure */
    {"[]", ERR_INVALID, "resourceType", NULL},
    {"{}", ERR_REQUIRED, "resourceType", NULL},
    {"{'resourceType':1}", ERR_INVALID, "resourceType", NULL},
    {"{'resourceType':'Patientx'}", ERR_INVALID, "resourceType", NULL},
    {"{'resourceType':'HumanName'}", ERR_INVALID, "resourceType", NULL},
    {P "'nam':[]}", ERR_UNKNOWN_ELEMENT, "Patient.nam", NULL},
    {P "'fhir_comments':['x']}", ERR_UNKNOWN_ELEMENT, "Patient.fhir_comments", NULL},
    {P "'a\\u0001<b':1}", ERR_UNKNOWN_ELEMENT, "Patient.a??b", NULL},
    {P "'_name':[{'id':'x'}]}", ERR_UNKNOWN_ELEMENT, "Patient._name", NULL},
    {P "'_':1}", ERR_UNKNOWN_ELEMENT, "Patient._", NULL},
    {P "'contact':[{'resourceType':'Patient','name':{'text':'x'}}]}", ERR_UNKNOWN_ELEMENT,
     "Patient.contact[0].resourceType", NULL},
    {P "'name':{'family':'x'}}", ERR_INVALID, "Patient.name", "list"},
    {P "'name':[]}", ERR_INVALID, "Patient.name", "empty"},
    {P "'name':['x']}", ERR_INVALID, "Patient.name[0]", "object"},
    {P "'name':[{}]}", ERR_INVALID, "Patient.name[0]", "empty"},
    {P "'name':[null]}", ERR_INVALID, "Patient.name[0]", "null"},
    {P "'name':null}", ERR_INVALID, "Patient.name", NULL},
    {P "'gender':['male']}", ERR_INVALID, "Patient.gender", "single"},
    {P "'gender':null}", ERR_INVALID, "Patient.gender", "null"},
    {P "'name':[{'family':'a'},{'family':7}]}", ERR_INVALID, "Patient.name[1].family", "text"},
    {P "'text':{'div':'" DIV "'}}", ERR_REQUIRED, "Patient.text.status", NULL},
    /* primitives and what stands beside them */
    {P "'birthDate':'1970-13-01'}", ERR_INVALID, "Patient.birthDate", "2026-11-22"},
    {P "'active':'true'}", ERR_INVALID, "Patient.active", NULL},
    {P "'id':'a b'}", ERR_INVALID, "Patient.id", NULL},
    {P "'_birthDate':{}}", ERR_INVALID, "Patient.birthDate", "empty"},
    {P "'_birthDate':{'value':'x'}}", ERR_UNKNOWN_ELEMENT, "Patient.birthDate.value", NULL},
    {P "'_birthDate':'x'}", ERR_INVALID, "Patient.birthDate", "object"},
    {P "'_birthDate':{'extension':[{'valueCode':'x'}]}}", ERR_REQUIRED,
     "Patient.birthDate.extension[0].url", NULL},
    {P "'name':[{'given':['a',null]}]}", ERR_INVALID, "Patient.name[0].given[1]", "null"},
    {P "'name':[{'given':['a',null],'_given':[null,null]}]}", ERR_INVALID,
     "Patient.name[0].given[1]", NULL},
    {P "'name':[{'given':['a'],'_given':[{'id':'x'},{'extension':[{'url':'u:x','valueCode':'x'}]}]}"
       "]}",
     ERR_INVALID, "Patient.name[0].given", "length"},
    {P "'name':[{'_given':[null]}]}", ERR_INVALID, "Patient.name[0].given[0]", NULL},
    {P "'name':[{'_given':{'id':'x'}}]}", ERR_INVALID, "Patient.name[0].given", "list"},
    {P "'text':{'status':'generated','div':'<div><script/></div>'}}", ERR_INVALID,
     "Patient.text.div", "tag"},
    /* codes */
    {P "'gender':'m'}", ERR_INVALID, "Patient.gender", "female, male, other, unknown"},
    {"{'resourceType':'Observation','status':'done','code':{'text':'x'}}", ERR_INVALID,
     "Observation.status", "final"},
    {"{'resourceType':'Condition','subject':{'reference':'Patient/1'},'clinicalStatus':"
     "{'coding':[{'code':'other'}]}}",
     ERR_INVALID, "Condition.clinicalStatus", "active"},
    {"{'resourceType':'SearchParameter','url':'u','name':'n','status':'draft','description':'d',"
     "'code':'c','base':['Nothing'],'type':'token'}",
     ERR_INVALID, "SearchParameter.base[0]", "value set"},
    /* choices */
    {O "'value':1}", ERR_UNKNOWN_ELEMENT, "Observation.value", NULL},
    {O "'valueString':'a','valueInteger':1}", ERR_INVALID, "Observation.value.ofType(integer)",
     "choice"},
    {O "'valueString':'a','_valueInteger':{'extension':[{'url':'u:x','valueCode':'x'}]}}",
     ERR_INVALID, "Observation.value.ofType(integer)", "choice"},
    {O "'valueQuantity':{'value':'1'}}", ERR_INVALID, "Observation.value.ofType(Quantity).value",
     "number"},
    {O "'valueDecimal':1}", ERR_UNKNOWN_ELEMENT, "Observation.valueDecimal", NULL},
    {"{'resourceType':'MedicationRequest','status':'active','intent':'order',"
     "'subject':{'reference':'Patient/1'}}",
     ERR_REQUIRED, "MedicationRequest.medication", "medicationReference"},
    {"{'resourceType':'Observation','code':{'text':'x'}}", ERR_REQUIRED, "Observation.status",
     NULL},
    /* references */
    {O "'subject':{'reference':'Patient'}}", ERR_INVALID, "Observation.subject.reference", NULL},
    {O "'subject':{'reference':'Patient/'}}", ERR_INVALID, "Observation.subject.reference", NULL},
    {O "'subject':{'reference':'Patient/a b'}}", ERR_INVALID, "Observation.subject.reference",
     NULL},
    {O "'subject':{'reference':'Nobody/1'}}", ERR_INVALID, "Observation.subject.reference", NULL},
    {O "'subject':{'reference':'HumanName/1'}}", ERR_INVALID, "Observation.subject.reference",
     NULL},
    {O "'subject':{'reference':'/Patient/1'}}", ERR_INVALID, "Observation.subject.reference", NULL},
    {O "'subject':{'reference':'Patient/1/2'}}", ERR_INVALID, "Observation.subject.reference",
     NULL},
    {O "'subject':{'reference':'Patient/1/_history/'}}", ERR_INVALID,
     "Observation.subject.reference", NULL},
    {O "'subject':{'reference':'Device/@'}}", ERR_INVALID, "Observation.subject.reference", NULL},
    {O "'subject':{'reference':'Nobody?x=y'}}", ERR_INVALID, "Observation.subject.reference", NULL},
    {O "'subject':{'reference':'#none'}}", ERR_INVALID, "Observation.subject.reference",
     "contained"},
    {O "'subject':{'reference':3}}", ERR_INVALID, "Observation.subject.reference", "text"},
    /* contained and inner resources */
    {P "'contained':[{'resourceType':'Organization','name':'x'}]}", ERR_REQUIRED,
     "Patient.contained[0].id", NULL},
    {P "'contained':['x']}", ERR_INVALID, "Patient.contained[0]", "resource"},
    {P "'managingOrganization':{'reference':'#x'},'contained':[{'id':'x'}]}", ERR_REQUIRED,
     "Patient.contained[0].resourceType", NULL},
    {P "'managingOrganization':{'reference':'#o'},'contained':[{'resourceType':'Organization',"
       "'id':'o','name':'x','contained':[{'resourceType':'Organization','id':'p','name':'x',"
       "'partOf':{'reference':'#'}}]}]}",
     ERR_INVALID, "Patient.contained[0].contained[0]", "contained"},
    {P "'managingOrganization':{'reference':'#o'},'contained':[{'resourceType':'Organization',"
       "'id':'o','name':'x','nam':'x'}]}",
     ERR_UNKNOWN_ELEMENT, "Patient.contained[0].nam", NULL},
    {"{'resourceType':'Bundle','type':'collection','entry':[{'resource':" P "'x':1}}]}",
     ERR_UNKNOWN_ELEMENT, "Bundle.entry[0].resource.x", NULL},
    {"{'resourceType':'Bundle','type':'collection','entry':[{'resource':" P
     "'id':'a','managingOrganization':"
     "{'reference':'#o'},'contained':[{'resourceType':'Organization','id':'o','name':'x'}]}},{'"
     "resource':" P "'managingOrganization':{'reference':'#o'}}}]}",
     ERR_INVALID, "Bundle.entry[1].resource.managingOrganization.reference", "contained"},
};

static enum err validate(struct arena *a, const char *text, struct err_list *errors)
{
    err_list_init(errors, a);
    return validate_resource(t_json(a, text), SLICE_NONE, errors);
}

static void takes_the_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(good); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct err_list errors;
        enum err err = validate(a, good[i], &errors);
        if (err != ERR_OK || errors.errors > 0 || errors.warnings > 0)
            fail_msg("%s\n%s at %s: %s", good[i], err_name(err), errors.first->place,
                     errors.first->en);
        arena_free(a);
    }
}

static void names_what_is_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct err_list errors;
        enum err err = validate(a, bad[i].json, &errors);
        if (err != bad[i].err || errors.errors != 1 ||
            strcmp(errors.first->place, bad[i].place) != 0 ||
            (bad[i].word && !strstr(errors.first->en, bad[i].word)))
            fail_msg("%s\n%s, %u at %s: %s", bad[i].json, err_name(err), errors.errors,
                     errors.first ? errors.first->place : "-",
                     errors.first ? errors.first->en : "-");
        assert_int_equal(err_list_code(&errors), err);
        arena_free(a);
    }
}

static void expects_a_type(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct err_list errors;
    struct json *p = t_json(a, "{'resourceType':'Patient'}");
    (void)state;
    err_list_init(&errors, a);
    assert_int_equal(validate_resource(p, SLICE("Patient"), &errors), ERR_OK);
    assert_int_equal(validate_resource(p, SLICE("Observation"), &errors), ERR_INVALID);
    assert_string_equal(errors.first->place, "resourceType");
    assert_non_null(strstr(errors.first->en, "Observation"));
    arena_free(a);
}

static void empty_narrative_is_a_warning(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct err_list errors;
    (void)state;
    assert_int_equal(validate(a, P "'text':{'status':'empty','div':'<div></div>'}}", &errors),
                     ERR_OK);
    assert_int_equal(errors.warnings, 1);
    assert_int_equal(errors.errors, 0);
    arena_free(a);
}

static void another_target_is_a_warning(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct err_list errors;
    (void)state;
    assert_int_equal(validate(a, O "'subject':{'reference':'Practitioner/1'}}", &errors), ERR_OK);
    assert_int_equal(errors.warnings, 1);
    assert_string_equal(errors.first->place, "Observation.subject.reference");
    assert_non_null(strstr(errors.first->en, "Device Group Location Patient"));
    assert_int_equal(validate(a, O "'subject':{'reference':'http://x/fhir/Group/1'}}", &errors),
                     ERR_OK);
    assert_int_equal(errors.warnings, 0);
    arena_free(a);
}

/* Thousands of findings: all counted, a few kept, memory bounded. */
static void survives_a_flood(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct err_list errors;
    struct buf text;
    (void)state;
    buf_init(&text, T_ARENA_MAX);
    buf_adds(&text, "{'resourceType':'Patient','name':[{}");
    for (int i = 0; i < 50000; i++)
        buf_adds(&text, ",{'use':'x'}");
    buf_adds(&text, "]}");
    buf_addc(&text, '\0');
    struct json *p = t_json(a, text.ptr);
    size_t before = arena_used(a);
    err_list_init(&errors, a);
    assert_int_equal(validate_resource(p, SLICE_NONE, &errors), ERR_INVALID);
    assert_int_equal(errors.errors, 50001);
    assert_int_equal(errors.kept, LIMIT_ERR_ITEMS);
    assert_true(arena_used(a) - before < 100000);
    buf_fini(&text);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_good),
        cmocka_unit_test(names_what_is_bad),
        cmocka_unit_test(expects_a_type),
        cmocka_unit_test(empty_narrative_is_a_warning),
        cmocka_unit_test(another_target_is_a_warning),
        cmocka_unit_test(survives_a_flood),
    };
    return T_RUN(tests);
}
