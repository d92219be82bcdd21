/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles of a few lines, each with resources and what must be found: "e" error, "w" warning, "i"
 * must-support, "?" not checked, and the place. Written with ' for ".
 */
#include "lib/fhir_t.h"

#include "mappers/fhir/profile.h"

#include "base/banned.h"

#define SD(url, type, base)                                                                        \
    "{'resourceType':'StructureDefinition','url':'" url "','type':'" type                          \
    "','baseDefinition':'" base "','derivation':'constraint',"
#define CORE "http://hl7.org/fhir/StructureDefinition/"
#define DIFF "'differential':{'element':["
#define END "]}}"
#define CS(url, code)                                                                              \
    "{'resourceType':'CodeSystem','url':'" url "','content':'complete','concept':[{'code':'" code  \
    "'}]}"
#define OBS "{'resourceType':'Observation','status':'final','code':{'text':'x'}"
#define PAT "{'resourceType':'Patient'"

static const char *const stored[] = {
    SD("p:name", "Patient", CORE "Patient") DIFF
    "{'id':'Patient'},{'id':'Patient.name','min':1,'max':'2','mustSupport':true},"
    "{'id':'Patient.name.family','min':1,'maxLength':4},"
    "{'id':'Patient.photo','max':'0'},{'id':'Patient.birthDate','mustSupport':true,"
    "'minValueDate':'1900-01-01'},{'id':'Patient.gender','fixedCode':'female'}" END,
    SD("p:derived", "Patient", "p:name") DIFF
    "{'id':'Patient'},{'id':'Patient.name','max':'1'},{'id':'Patient.telecom','min':1}" END,
    SD("p:slices", "Patient", CORE "Patient") DIFF
    "{'id':'Patient.identifier','min':1,'slicing':{'discriminator':[{'type':'value',"
    "'path':'system'}],'rules':'closed'}},"
    "{'id':'Patient.identifier:card','sliceName':'card','min':1,'max':'1'},"
    "{'id':'Patient.identifier:card.system','fixedUri':'u:card'},"
    "{'id':'Patient.identifier:card.value','min':1},"
    "{'id':'Patient.identifier:local','sliceName':'local','type':[{'code':'Identifier','profile':"
    "['p:local']}]}" END,
    SD("p:local", "Identifier", CORE "Identifier") DIFF
    "{'id':'Identifier.system','min':1,'fixedUri':'u:local'},{'id':'Identifier.value',"
    "'maxLength':3}" END,
    SD("p:open", "Patient", "p:slices") DIFF
    "{'id':'Patient.identifier','slicing':{'discriminator':[{'type':'value','path':'system'}],"
    "'rules':'open'}},{'id':'Patient.identifier:more','max':'0'},"
    "{'id':'Patient.identifier:more.system','patternUri':'u:more'}" END,
    SD("p:value", "Observation", CORE "Observation") DIFF
    "{'id':'Observation.value[x]','type':[{'code':'Quantity'},{'code':'string'}]},"
    "{'id':'Observation.value[x]:valueQuantity','min':1,'type':[{'code':'Quantity'}]},"
    "{'id':'Observation.value[x]:valueQuantity.unit','min':1,'patternString':'mg'},"
    "{'id':'Observation.subject','min':1,'type':[{'code':'Reference','targetProfile':['p:name',"
    "'" CORE "Group']}]},"
    "{'id':'Observation.category','slicing':{'discriminator':[{'type':'pattern','path':'$this'}],"
    "'rules':'open'}},{'id':'Observation.category:lab','min':1,'patternCodeableConcept':{'coding':"
    "[{'system':'u:c','code':'lab'}]}}" END,
    SD("p:bound", "Observation", CORE "Observation") DIFF
    "{'id':'Observation.code','binding':{'strength':'required','valueSet':'v:animals'}},"
    "{'id':'Observation.method','binding':{'strength':'extensible','valueSet':'v:animals'}},"
    "{'id':'Observation.interpretation','binding':{'strength':'required','valueSet':'v:none'}},"
    "{'id':'Observation.status','constraint':[{'key':'my-1','expression':'matches(1)'},"
    "{'key':'obs-6'}]},"
    "{'id':'Observation.valueInteger','minValueInteger':0,'maxValueInteger':10}" END,
    SD("e:one", "Extension", CORE "Extension") DIFF
    "{'id':'Extension.url','fixedUri':'e:one'},{'id':'Extension.value[x]','min':1,'type':"
    "[{'code':'string'}]}" END,
    SD("p:ext", "Patient", CORE "Patient") DIFF
    "{'id':'Patient.extension:one','min':1,'max':'1','type':[{'code':'Extension','profile':"
    "['e:one']}]},{'id':'Patient.birthDate.extension:one','min':1,'type':[{'code':'Extension',"
    "'profile':['e:one']}]}" END,
    SD("p:exists", "Patient", CORE "Patient") DIFF
    "{'id':'Patient.telecom','slicing':{'discriminator':[{'type':'exists','path':'period'}],"
    "'rules':'open'}},{'id':'Patient.telecom:old','max':'1'},"
    "{'id':'Patient.telecom:old.period','min':1},{'id':'Patient.telecom:new','min':1},"
    "{'id':'Patient.telecom:new.period','max':'0'}" END,
    SD("p:resolve", "Observation", CORE "Observation") DIFF
    "{'id':'Observation.performer','slicing':{'discriminator':[{'type':'type','path':"
    "'resolve()'}],'rules':'open'}},{'id':'Observation.performer:a','min':1,'type':[{'code':"
    "'Reference'}]}" END,
    SD("p:bundle", "Bundle", CORE "Bundle") DIFF
    "{'id':'Bundle.entry','slicing':{'discriminator':[{'type':'type','path':'resource'}],"
    "'rules':'closed'}},{'id':'Bundle.entry:p','min':1,'max':'1'},"
    "{'id':'Bundle.entry:p.resource','min':1,'type':[{'code':'Patient','profile':['p:name']}]}" END,
    SD("p:paths", "Patient", CORE "Patient") DIFF
    "{'path':'Patient'},{'path':'Patient.contact','slicing':{'discriminator':[{'type':'value',"
    "'path':'gender'}],'rules':'open'}},{'path':'Patient.contact','sliceName':'f','max':'1'},"
    "{'path':'Patient.contact.gender','fixedCode':'female'}" END,
    SD("p:nobase", "Patient", "p:none") DIFF "{'id':'Patient.name','min':1}" END,
    SD("p:loop", "Patient", "p:loop") DIFF "{'id':'Patient.name','min':1}" END,
    SD("p:deep", "Extension", CORE "Extension") DIFF
    "{'id':'Extension.extension','type':[{'code':'Extension','profile':['p:deep']}]}" END,
    SD("p:deeper", "Patient", CORE "Patient") DIFF
    "{'id':'Patient.extension','type':[{'code':'Extension','profile':['p:deep']}]}" END,
    SD("p:rules", "Patient", CORE "Patient") DIFF
    "{'id':'Patient','constraint':[{'key':'my-2','severity':'error','human':'two names',"
    "'expression':'name.count() = 2'}]},{'id':'Patient.birthDate','constraint':[{'key':'my-3',"
    "'severity':'warning','human':'day','expression':'$this.toString().length() = 10'}]},"
    "{'id':'Patient.contact','constraint':[{'key':'my-4','severity':'error','human':'same',"
    "'expression':'gender = %resource.gender'}]}" END,
    SD("p:simple", "Observation", CORE "Observation") DIFF
    "{'id':'Observation.valueQuantity','type':[{'code':'Quantity','profile':['" CORE
    "SimpleQuantity']}]}" END,
    SD("p:snap", "Questionnaire",
       CORE "Questionnaire") "'snapshot':{'element':[{'id':'Questionnaire','path':'Questionnaire'},"
                             "{'id':'Questionnaire.item"
                             "','min':1},{'id':'Questionnaire.item.text','min':1},{'id':'"
                             "Questionnaire.item.item',"
                             "'contentReference':'#Questionnaire.item'}]}}",
    CS("u:animals", "dog"),
    "{'resourceType':'ValueSet','url':'v:animals','compose':{'include':[{'system':'u:animals'}]}}",
};

static const struct row {
    const char *profile, *resource, *findings;
} rows[] = {
    {"p:name", PAT ",'name':[{'family':'x'}],'birthDate':'2000','gender':'female'}", ""},
    {"p:name", PAT ",'name':[{'family':'x'}],'gender':'female'}", "i Patient.birthDate\n"},
    {"p:name", PAT ",'birthDate':'2000'}", "e Patient.name\n"},
    {"p:name", PAT ",'name':[{'family':'x'},{'family':'y'},{'family':'z'}],'birthDate':'2000'}",
     "e Patient.name\n"},
    {"p:name", PAT ",'name':[{'family':'x'},{'text':'y'}],'birthDate':'2000'}",
     "e Patient.name[1].family\n"},
    {"p:name", PAT ",'name':[{'family':'山田太郎子'}],'birthDate':'2000'}",
     "e Patient.name[0].family\n"},
    {"p:name", PAT ",'name':[{'family':'山田太郎'}],'birthDate':'1899'}", "e Patient.birthDate\n"},
    {"p:name", PAT ",'name':[{'family':'x'}],'birthDate':'2000','gender':'male'}",
     "e Patient.gender\n"},
    {"p:name", PAT ",'name':[{'family':'x'}],'birthDate':'2000','photo':[{'url':'u:x'}]}",
     "e Patient.photo\n"},
    {"p:name", OBS "}", "e Observation\n"},
    {"p:derived", PAT ",'name':[{'family':'x'}],'birthDate':'2000','telecom':[{'id':'x'}]}", ""},
    {"p:derived", PAT ",'name':[{'family':'x'},{'family':'y'}],'birthDate':'2000'}",
     "e Patient.name\ne Patient.telecom\n"},
    {"p:slices", PAT ",'identifier':[{'system':'u:card','value':'1'}]}", ""},
    {"p:slices",
     PAT ",'identifier':[{'system':'u:card','value':'1'},{'system':'u:local',"
         "'value':'123'}]}",
     ""},
    {"p:slices", PAT "}", "e Patient.identifier\ne Patient.identifier\n"},
    {"p:slices", PAT ",'identifier':[{'system':'u:card'}]}", "e Patient.identifier[0].value\n"},
    {"p:slices",
     PAT ",'identifier':[{'system':'u:card','value':'1'},{'system':'u:card',"
         "'value':'2'}]}",
     "e Patient.identifier\n"},
    {"p:slices",
     PAT ",'identifier':[{'system':'u:card','value':'1'},{'system':'u:local',"
         "'value':'1234'}]}",
     "e Patient.identifier[1].value\n"},
    {"p:slices", PAT ",'identifier':[{'system':'u:card','value':'1'},{'system':'u:other'}]}",
     "e Patient.identifier[1]\n"},
    {"p:open", PAT ",'identifier':[{'system':'u:card','value':'1'},{'system':'u:other'}]}", ""},
    {"p:open", PAT ",'identifier':[{'system':'u:card','value':'1'},{'system':'u:more'}]}",
     "e Patient.identifier\n"},
    {"p:value",
     OBS ",'subject':{'reference':'Patient/1'},'valueQuantity':{'unit':'mg'},'category':"
         "[{'coding':[{'system':'u:x'},{'system':'u:c','code':'lab','display':'x'}]}]}",
     ""},
    {"p:value",
     OBS ",'subject':{'reference':'Device/1'},'valueQuantity':{'unit':'mg'},'category':"
         "[{'coding':[{'system':'u:c','code':'lab'}]}]}",
     "e Observation.subject\n"},
    {"p:value",
     OBS ",'contained':[{'resourceType':'Group','id':'g'}],'subject':{'reference':'#g'},"
         "'valueQuantity':{'unit':'g'},'category':[{'coding':[{'system':'u:c','code':"
         "'lab'}]}]}",
     "e Observation.value.ofType(Quantity).unit\n"},
    {"p:value", OBS ",'subject':{'display':'x'},'valueInteger':1,'category':[{'text':'lab'}]}",
     "e Observation.value.ofType(integer)\ne Observation.value\ne Observation.category\n"},
    {"p:value",
     OBS ",'subject':{'display':'x'},'valueString':'x','category':[{'coding':[{'system':"
         "'u:c','code':'lab'}]}]}",
     "e Observation.value\n"},
    {"p:bound",
     "{'resourceType':'Observation','status':'final','code':{'coding':[{'system':"
     "'u:animals','code':'dog'}]},'method':{'text':'x'}}",
     "? Observation.status\n"},
    {"p:bound",
     "{'resourceType':'Observation','status':'final','code':{'coding':[{'system':"
     "'u:animals','code':'cat'}]},'method':{'coding':[{'system':'u:x','code':'cat'}]},"
     "'interpretation':[{'text':'x'}]}",
     "e Observation.code\nw Observation.method\n? Observation.interpretation[0]\n? "
     "Observation.status\n"},
    {"p:bound", OBS ",'valueInteger':11}",
     "e Observation.code\ne Observation.value.ofType(integer)\n? Observation.status\n"},
    {"p:ext",
     PAT ",'extension':[{'url':'e:one','valueString':'x'},{'url':'e:two'}],'birthDate':"
         "'2000','_birthDate':{'extension':[{'url':'e:one','valueString':'x'}]}}",
     ""},
    {"p:ext", PAT ",'extension':[{'url':'e:one','valueCode':'x'}]}",
     "e Patient.extension[0].value.ofType(code)\n"},
    {"p:ext", PAT ",'extension':[{'url':'e:two'}],'birthDate':'2000'}",
     "e Patient.extension\ne Patient.birthDate.extension\n"},
    {"p:exists", PAT ",'telecom':[{'period':{}},{'value':'x'}]}", ""},
    {"p:exists", PAT ",'telecom':[{'period':{}},{'period':{}}]}",
     "e Patient.telecom\ne Patient.telecom\n"},
    {"p:resolve", OBS ",'performer':[{'reference':'Patient/1'}]}", "? Observation.performer\n"},
    {"p:bundle",
     "{'resourceType':'Bundle','type':'collection','entry':[{'resource':" PAT
     ",'name':[{'family':'x'}],'birthDate':'2000'}}]}",
     ""},
    {"p:bundle",
     "{'resourceType':'Bundle','type':'collection','entry':[{'resource':" PAT
     ",'birthDate':'2000'}},{'resource':" OBS "}}]}",
     "e Bundle.entry[0].resource.name\ne Bundle.entry[1]\n"},
    {"p:paths", PAT ",'contact':[{'gender':'female'},{'gender':'male'},{'gender':'male'}]}", ""},
    {"p:paths", PAT ",'contact':[{'gender':'female'},{'gender':'female'}]}", "e Patient.contact\n"},
    {"p:nobase", PAT "}", "e Patient.name\n? Patient\n"},
    {"p:rules",
     PAT ",'name':[{'text':'a'},{'text':'b'}],'birthDate':'2000-01-01','gender':'male',"
         "'contact':[{'gender':'male'}]}",
     ""},
    {"p:rules",
     PAT ",'name':[{'text':'a'}],'birthDate':'2000','gender':'male','contact':["
         "{'gender':'male'},{'gender':'female'}]}",
     "e Patient\nw Patient.birthDate\ne Patient.contact[1]\n"},
    {"p:simple", OBS ",'valueQuantity':{'value':1,'comparator':'<'}}",
     "e Observation.value.ofType(Quantity)\n"},
    {"p:snap",
     "{'resourceType':'Questionnaire','item':[{'text':'x','item':[{'item':[{'text':'x'}]}"
     "]}]}",
     "e Questionnaire.item[0].item[0].text\n"},
    {"p:snap", "{'resourceType':'Questionnaire'}", "e Questionnaire.item\n"},
};

static struct json *parsed[T_COUNT(stored)];

static enum err resolve(void *context, const char *type, struct slice canonical,
                        struct json **ret_definition)
{
    (void)context;
    for (size_t i = 0; i < T_COUNT(stored); i++) {
        if (slice_is(json_str(parsed[i], "resourceType"), type) &&
            slice_eq(json_str(parsed[i], "url"), canonical_url(canonical))) {
            *ret_definition = parsed[i];
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static const struct canonical_source source = {resolve, NULL};

static struct json *profile_of(const char *url)
{
    struct json *profile = NULL;
    assert_int_equal(resolve(NULL, "StructureDefinition", slice_str(url), &profile), ERR_OK);
    return profile;
}

static void print_findings(struct buf *out, const struct err_list *errors)
{
    for (const struct err_item *i = errors->first; i; i = i->next) {
        const char *letter = i->severity == ERR_SEVERITY_ERROR     ? "e"
                             : i->severity == ERR_SEVERITY_WARNING ? "w"
                             : i->code == ERR_OK                   ? "i"
                                                                   : "?";
        buf_addf(out, "%s %s\n", letter, i->place);
    }
}

static void finds_what_breaks_a_profile(void **state)
{
    unsigned failed = 0;
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct err_list errors;
        struct buf got;
        buf_init(&got, 65536);
        err_list_init(&errors, a);
        enum err err = profile_check(t_json(a, rows[i].resource), profile_of(rows[i].profile),
                                     &source, &errors);
        print_findings(&got, &errors);
        if (!slice_is(buf_slice(&got), rows[i].findings) ||
            (err != ERR_OK) != (errors.errors > 0)) {
            failed++;
            print_error("%s %s\ngot:\n%.*swanted:\n%s", rows[i].profile, rows[i].resource,
                        SLICE_ARG(buf_slice(&got)), rows[i].findings);
        }
        buf_fini(&got);
        arena_free(a);
    }
    printf("profiles: %zu rows, %u failed\n", T_COUNT(rows), failed);
    assert_int_equal(failed, 0);
}

/* Profiles that derive from or contain themselves end, with an error or without. */
static void ends_on_loops(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct err_list errors;
    struct buf text;
    (void)state;
    err_list_init(&errors, a);
    assert_int_equal(profile_check(t_json(a, PAT "}"), profile_of("p:loop"), &source, &errors),
                     ERR_TOO_DEEP);
    buf_init(&text, 65536);
    buf_adds(&text, PAT);
    for (int i = 0; i < 20; i++)
        buf_adds(&text, ",'extension':[{'url':'u:x'");
    for (int i = 0; i < 20; i++)
        buf_adds(&text, "}]");
    buf_adds(&text, "}");
    buf_addc(&text, '\0');
    assert_int_equal(profile_check(t_json(a, text.ptr), profile_of("p:deeper"), &source, &errors),
                     ERR_TOO_DEEP);
    buf_fini(&text);
    arena_free(a);
}

static struct arena *kept;

static int setup(void **state)
{
    (void)state;
    kept = arena_new(T_ARENA_MAX);
    for (size_t i = 0; i < T_COUNT(stored); i++)
        parsed[i] = t_json(kept, stored[i]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(kept);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_breaks_a_profile),
        cmocka_unit_test(ends_on_loops),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
