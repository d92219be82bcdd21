/* SPDX-License-Identifier: Apache-2.0
 *
 * Category, label, patient and time of resources; and that no Reference escapes the walk over them.
 */
#include "lib/fhir_t.h"

#include "mappers/fhir/classify.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

#define S "'subject':{'reference':'Patient/1'}"
#define O "{'resourceType':'Observation'," S ","
#define CAT(c) "'category':[{'coding':[{'code':'" c "'}]}]"
#define TAG(c) "'meta':{'tag':[{'system':'urn:tasuki:tag','code':'" c "'}]}"

static const struct {
    const char *json;
    enum category category;
} categories[] = {
    {"{'resourceType':'Patient'}", CATEGORY_DEMOGRAPHICS},
    {"{'resourceType':'Organization'}", CATEGORY_NONE},
    {"{'resourceType':'Practitioner'}", CATEGORY_NONE},
    {"{'resourceType':'Medication'}", CATEGORY_NONE},
    {"{'resourceType':'Device'}", CATEGORY_NONE},
    {"{'resourceType':'Device','patient':{'reference':'Patient/1'}}", CATEGORY_PROCEDURE},
    {"{'resourceType':'Schedule','actor':[{'reference':'Practitioner/1'}]}", CATEGORY_NONE},
    {"{'resourceType':'Schedule','actor':[{'reference':'Patient/1'}]}", CATEGORY_APPOINTMENT},
    {"{'resourceType':'Binary'}", CATEGORY_DOCUMENT},
    {"{'resourceType':'Bundle','type':'document'}", CATEGORY_DOCUMENT},
    {"{'resourceType':'Encounter'," S "}", CATEGORY_ENCOUNTER},
    {"{'resourceType':'Condition'}", CATEGORY_CONDITION},
    {"{'resourceType':'AllergyIntolerance'}", CATEGORY_ALLERGY},
    {"{'resourceType':'MedicationRequest'}", CATEGORY_MEDICATION},
    {"{'resourceType':'Consent'}", CATEGORY_CONSENT},
    {"{'resourceType':'AuditEvent'}", CATEGORY_AUDIT},
    {"{'resourceType':'Coverage'}", CATEGORY_COVERAGE},
    {"{'resourceType':'ExplanationOfBenefit'}", CATEGORY_EXPENSE},
    {"{'resourceType':'ImagingStudy'}", CATEGORY_IMAGING},
    {"{'resourceType':'Immunization'}", CATEGORY_IMMUNIZATION},
    {"{'resourceType':'Immunization'," TAG("school") "}", CATEGORY_SCHOOL},
    {"{'resourceType':'Consent'," TAG("school") "}", CATEGORY_CONSENT},
    {"{'resourceType':'Nothing'}", CATEGORY_NONE},
    {"{}", CATEGORY_NONE},
    {O CAT("laboratory") "}", CATEGORY_LABORATORY},
    {O CAT("vital-signs") "}", CATEGORY_PROCEDURE},
    {O CAT("vital-signs") "," TAG("patient-generated") "}", CATEGORY_HOME_VITAL},
    {O TAG("patient-generated") "}", CATEGORY_HOME_VITAL},
    {O CAT("vital-signs") ",'performer':[{'reference':'Patient/1'}]}", CATEGORY_HOME_VITAL},
    {O CAT("vital-signs") ",'performer':[{'reference':'Practitioner/1'}]}", CATEGORY_PROCEDURE},
    {O CAT("laboratory") ",'performer':[{'reference':'Patient/1'}]}", CATEGORY_LABORATORY},
    {O CAT("laboratory") "," TAG("checkup") "}", CATEGORY_CHECKUP},
    {O "'meta':{'tag':[{'system':'other','code':'checkup'}]}}", CATEGORY_OTHER},
    {O CAT("imaging") "}", CATEGORY_IMAGING},
    {O CAT("exam") "}", CATEGORY_PROCEDURE},
    {O CAT("social-history") "}", CATEGORY_OTHER},
    {O CAT("unheard-of") "}", CATEGORY_OTHER},
    {O "'specimen':{'reference':'Specimen/1'}}", CATEGORY_LABORATORY},
    {O "'id':'x'}", CATEGORY_OTHER},
    {"{'resourceType':'DiagnosticReport'," S "}", CATEGORY_LABORATORY},
    {"{'resourceType':'DiagnosticReport'," S "," CAT("LAB") "}", CATEGORY_LABORATORY},
    {"{'resourceType':'DiagnosticReport'," S "," CAT("RAD") "}", CATEGORY_IMAGING},
    {"{'resourceType':'DiagnosticReport'," S "," CAT("LP29684-5") "}", CATEGORY_IMAGING},
    {"{'resourceType':'DiagnosticReport'," S "," CAT("LP7796-8") "}", CATEGORY_IMAGING},
    {"{'resourceType':'DiagnosticReport'," S "," CAT("EC") "}", CATEGORY_PROCEDURE},
    {"{'resourceType':'ServiceRequest'," S "}", CATEGORY_PROCEDURE},
    {"{'resourceType':'ServiceRequest'," S "," CAT("108252007") "}", CATEGORY_LABORATORY},
    {"{'resourceType':'Composition'," S "}", CATEGORY_DOCUMENT},
    {"{'resourceType':'Composition'," S ",'type':{'coding':[{'code':'53576-5'}]}}",
     CATEGORY_CHECKUP},
};

static void finds_the_category(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(categories); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct classify class;
        classify_resource(t_json(a, categories[i].json), &class);
        if (class.category != categories[i].category)
            fail_msg("%s is %s", categories[i].json, category_code(class.category));
        arena_free(a);
    }
}

static const struct {
    const char *json;
    const char *subject; /* reference text; "" one without text; NULL none */
} subjects[] = {
    {O "'id':'x'}", "Patient/1"},
    {"{'resourceType':'Observation'}", NULL},
    {"{'resourceType':'Observation','subject':{'reference':'Group/1'}}", NULL},
    {"{'resourceType':'Observation','subject':{'reference':'http://x/Device/1'}}", NULL},
    {"{'resourceType':'Observation','subject':{'reference':'http://x/Patient/1'}}",
     "http://x/Patient/1"},
    {"{'resourceType':'Observation','subject':{'reference':'urn:uuid:1'}}", "urn:uuid:1"},
    {"{'resourceType':'Observation','subject':{'reference':'urn:uuid:1','type':'Group'}}", NULL},
    {"{'resourceType':'Observation','subject':{'identifier':{'value':'1'}}}", ""},
    {"{'resourceType':'Observation','subject':{'display':'x'}}", NULL},
    {"{'resourceType':'Observation','subject':'x'}", NULL},
    {"{'resourceType':'Appointment','participant':[{'actor':{'reference':'urn:uuid:1'}},"
     "{'actor':{'reference':'Patient/2'}}]}",
     "Patient/2"},
    {"{'resourceType':'Coverage','subscriber':{'reference':'Patient/3'},'beneficiary':{'reference':"
     "'Patient/2'}}",
     "Patient/2"},
    {"{'resourceType':'Consent','patient':{'reference':'Patient/2'}}", "Patient/2"},
    {"{'resourceType':'Task','for':{'reference':'Patient/2'}}", "Patient/2"},
    {"{'resourceType':'Patient','link':[{'other':{'reference':'Patient/2'}}]}", NULL},
};

static void finds_the_patient(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(subjects); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct classify class;
        classify_resource(t_json(a, subjects[i].json), &class);
        if (!!class.subject != !!subjects[i].subject)
            fail_msg("%s", subjects[i].json);
        if (class.subject)
            assert_slice(json_str(class.subject, "reference"), subjects[i].subject);
        arena_free(a);
    }
}

static void finds_label_and_time(void **state)
{
    static const struct {
        const char *json;
        unsigned label;
        int day; /* of lo; 0 unknown */
    } rows[] = {
        {O "'effectiveDateTime':'2026-11-22'}", 0, 20261122},
        {O "'issued':'2026-11-23T00:00:00Z','effectivePeriod':{'start':'2026-11-22'}}", 0,
         20261122},
        {O "'issued':'2026-11-23T00:00:00Z'}", 0, 20261123},
        {O "'effectiveDateTime':'x'}", 0, 0},
        {"{'resourceType':'DocumentReference','date':'2026-11-23T00:00:00Z','context':{'period':{'"
         "start':"
         "'2026-11-22'}}}",
         0, 20261122},
        {"{'resourceType':'Patient','birthDate':'1970-01-01'}", 0, 0},
        {O "'meta':{'security':[{'code':'R','system':'http://terminology.hl7.org/CodeSystem/"
           "v3-Confidentiality'}]}}",
         1, 0},
        {O "'meta':{'security':[{'code':'V'}]}}", 1, 0},
        {O "'meta':{'security':[{'code':'N'}]}}", 0, 0},
        {O "'meta':{'security':[{'code':'R','system':'other'}]}}", 0, 0},
        {O
         "'meta':{'tag':[{'system':'http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication',"
         "'code':'UNINFORMED'}],'security':[{'code':'R'}]}}",
         2, 0},
        {O "'meta':{'tag':[{'system':'x','code':'UNINFORMED'}]}}", 0, 0},
        {"{'resourceType':'Bundle','entry':[{'resource':{'meta':{'security':[{'code':'R'}]}}}]}", 1,
         0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct classify class;
        classify_resource(t_json(a, rows[i].json), &class);
        if (class.label != rows[i].label)
            fail_msg("%s", rows[i].json);
        if (rows[i].day)
            assert_int_equal(when_day_number(class.when.lo_ms), rows[i].day);
        else
            assert_true(class.when.lo_ms == WHEN_MIN && class.when.hi_ms == WHEN_MAX);
        arena_free(a);
    }
}

/* Every type of the compartment has a category and somewhere to look for its patient. */
static void knows_every_patient_type(void **state)
{
    size_t count;
    const struct definition_type *const *types = definition_resources(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct classify class;
        struct json *r = json_new(a, JSON_OBJECT);
        json_put_text(a, r, "resourceType", types[i]->name);
        classify_resource(r, &class);
        bool exempt = strcmp(types[i]->name, "Schedule") == 0;
        assert_int_equal(class.patient_type,
                         definition_in_patient(slice_str(types[i]->name)) && !exempt);
        if (class.patient_type && class.category == CATEGORY_NONE)
            fail_msg("%s has no category", types[i]->name);
        arena_free(a);
    }
}

/* ── references ──────────────────────────────────────────────────────────────────────────────── */

static enum err note(void *context, struct json *reference, const char *place)
{
    buf_addf(context, "%s=%.*s;", place, SLICE_ARG(json_str(reference, "reference")));
    return slice_is(json_str(reference, "reference"), "stop") ? ERR_FORBIDDEN : ERR_OK;
}

static void walks_all_references(void **state)
{
    static const struct {
        const char *json;
        const char *found;
        enum err err;
    } rows[] = {
        {"{'resourceType':'Patient','managingOrganization':{'reference':'a','identifier':{'"
         "assigner':"
         "{'reference':'b'}}},'link':[{'other':{'reference':'c'}}]}",
         "Patient.managingOrganization.identifier.assigner=b;Patient.managingOrganization=a;"
         "Patient.link[0].other=c;",
         ERR_OK},
        {"{'resourceType':'Patient','extension':[{'url':'x','valueReference':{'reference':'a'}}],"
         "'_birthDate':{'extension':[{'url':'x','valueReference':{'reference':'b'}}]},"
         "'name':[{'_given':[null,{'extension':[{'valueReference':{'reference':'c'}}]}]}]}",
         "Patient.extension[0].value.ofType(Reference)=a;"
         "Patient.birthDate.extension[0].value.ofType(Reference)=b;"
         "Patient.name[0].given[1].extension[0].value.ofType(Reference)=c;",
         ERR_OK},
        {"{'resourceType':'Patient','contained':[{'resourceType':'Observation','subject':{'"
         "reference':"
         "'#'}}]}",
         "Patient.contained[0].subject=#;", ERR_OK},
        {"{'resourceType':'Bundle','entry':[{'resource':{'resourceType':'Observation','subject':"
         "{'reference':'a'}}},{'resource':{'resourceType':'Nothing'}}]}",
         "Bundle.entry[0].resource.subject=a;", ERR_OK},
        {"{'resourceType':'Observation','subject':{'reference':'stop'},'encounter':{'reference':'x'"
         "}}",
         "Observation.subject=stop;", ERR_FORBIDDEN},
        {"{'resourceType':'Observation','subject':'x','performer':['y',{'reference':'z'}],'unknown'"
         ":"
         "{'reference':'u'},'code':{'reference':'v'}}",
         "Observation.performer[1]=z;", ERR_OK},
        {"{'resourceType':'Nothing','subject':{'reference':'x'}}", "", ERR_OK},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct buf out;
        struct arena *a = arena_new(T_ARENA_MAX);
        buf_init(&out, 10000);
        assert_int_equal(classify_references(t_json(a, rows[i].json), a, note, &out), rows[i].err);
        assert_buf(&out, rows[i].found);
        buf_fini(&out);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_category),   cmocka_unit_test(finds_the_patient),
        cmocka_unit_test(finds_label_and_time), cmocka_unit_test(knows_every_patient_type),
        cmocka_unit_test(walks_all_references),
    };
    return T_RUN(tests);
}
