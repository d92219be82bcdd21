/* SPDX-License-Identifier: Apache-2.0
 *
 * _summary and _elements: what stays, what goes, that the tag says so, that contained resources
 * follow the references; and that whatever is left of every R4 example is still valid R4.
 */
#include "lib/fhir_t.h"

#include <dirent.h>

#include "mappers/fhir/subset.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

#define TAG                                                                                        \
    "{'system':'http://terminology.hl7.org/CodeSystem/v3-ObservationValue','code':'SUBSETTED'}"
#define META "'meta':{'tag':[" TAG "]}"

static const struct {
    const char *what, *summary, *elements, *in, *out;
} cuts_table[] = {
    {"nothing asked", "", "", "{'resourceType':'Patient','language':'ja'}",
     "{'resourceType':'Patient','language':'ja'}"},
    {"false", "false", "", "{'resourceType':'Patient','language':'ja'}",
     "{'resourceType':'Patient','language':'ja'}"},
    {"summary: marked elements, at every depth", "true", "",
     "{'resourceType':'Patient','id':'1','language':'ja','text':{'status':'empty','div':'x'},"
     "'name':[{'family':'山田','extension':[{'url':'urn:x','valueCode':'a'}]}],"
     "'_birthDate':{'extension':[{'url':'urn:x','valueCode':'a'}]},'birthDate':'1950-01-01',"
     "'photo':[{'data':'AAAA','contentType':'image/png'}],"
     "'contact':[{'name':{'family':'x'}}]}",
     "{'resourceType':'Patient','id':'1','name':[{'family':'山田'}],"
     "'_birthDate':{'extension':[{'url':'urn:x','valueCode':'a'}]},'birthDate':'1950-01-01'," META
     "}"},
    {"summary: mandatory elements stay though they are not marked; what is empty goes", "true", "",
     "{'resourceType':'Consent','status':'active','scope':{'text':'x'},'category':["
     "{'extension':[{'url':'urn:x','valueCode':'a'}]}],'patient':{'extension':[{'url':'urn:x',"
     "'valueCode':'a'}]}}",
     "{'resourceType':'Consent','status':'active','scope':{'text':'x'},'category':["
     "{'extension':[{'url':'urn:x','valueCode':'a'}]}]," META "}"},
    {"text", "text", "",
     "{'resourceType':'Observation','id':'1','meta':{'versionId':'1'},'implicitRules':'urn:x',"
     "'text':{'status':'empty','div':'x'},'status':'final','code':{'text':'x','id':'a'},"
     "'valueString':'x'}",
     "{'resourceType':'Observation','id':'1','meta':{'versionId':'1','tag':[" TAG "]},"
     "'text':{'status':'empty','div':'x'},'status':'final','code':{'text':'x','id':'a'}}"},
    {"data", "data", "",
     "{'resourceType':'Patient','text':{'status':'empty','div':'x'},'gender':'male'}",
     "{'resourceType':'Patient','gender':'male'," META "}"},
    {"elements: mandatory, modifying, id and meta stay", "", "valueQuantity,subject",
     "{'resourceType':'Observation','id':'1','meta':{'tag':[" TAG "]},'implicitRules':'urn:x',"
     "'modifierExtension':[{'url':'urn:x','valueCode':'a'}],'status':'final','code':{},"
     "'subject':{'display':'x'},'valueQuantity':{'value':1.50},'note':[{'text':'x'}]}",
     "{'resourceType':'Observation','id':'1','meta':{'tag':[" TAG "]},'implicitRules':'urn:x',"
     "'modifierExtension':[{'url':'urn:x','valueCode':'a'}],'status':'final','code':{},"
     "'subject':{'display':'x'},'valueQuantity':{'value':1.50}}"},
    {"elements: a choice by its common name, a prefix, a deeper path, another type's prefix", "",
     "Patient.name.family,deceased,Observation.birthDate, contact.name.given",
     "{'resourceType':'Patient','birthDate':'1950-01-01','deceasedBoolean':false,'name':["
     "{'family':'a','given':['b']},{'given':['c']}],'contact':[{'name':{'given':['d'],"
     "'_given':[{'id':'1'}],'family':'e'}}]}",
     "{'resourceType':'Patient','deceasedBoolean':false,'name':[{'family':'a'}],'contact':["
     "{'name':{'given':['d'],'_given':[{'id':'1'}]}}]," META "}"},
    {"contained resources follow references, through others", "", "generalPractitioner",
     "{'resourceType':'Patient','contained':[{'resourceType':'Practitioner','id':'a'},"
     "{'resourceType':'PractitionerRole','id':'b','practitioner':{'reference':'#a'}},"
     "{'resourceType':'Organization','id':'c'}],'generalPractitioner':[{'reference':'#b'}],"
     "'managingOrganization':{'reference':'#c'}}",
     "{'resourceType':'Patient','contained':[{'resourceType':'Practitioner','id':'a'},"
     "{'resourceType':'PractitionerRole','id':'b','practitioner':{'reference':'#a'}}],"
     "'generalPractitioner':[{'reference':'#b'}]," META "}"},
    {"contained resources that nobody needs go", "text", "",
     "{'resourceType':'Patient','contained':[{'resourceType':'Organization','id':'c'}],"
     "'managingOrganization':{'reference':'#c'}}",
     "{'resourceType':'Patient'," META "}"},
    {"resources in a Bundle", "true", "",
     "{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'resourceType':"
     "'Patient','language':'ja','gender':'male'}}]}",
     "{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'resourceType':"
     "'Patient','gender':'male'," META "}}]," META "}"},
};

static void cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(cuts_table); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct json *r = t_json(a, cuts_table[i].in);
        struct json *want = t_json(a, cuts_table[i].out);
        struct subset how;
        struct buf out;
        buf_init(&out, T_ARENA_MAX);
        assert_int_equal(subset_parse(a, slice_str(cuts_table[i].summary),
                                      slice_str(cuts_table[i].elements), &how),
                         ERR_OK);
        json_print(&out, r);
        struct slice body = arena_dup(a, buf_slice(&out));
        assert_int_equal(subset_apply(a, r, &how), ERR_OK);
        buf_clear(&out);
        json_print(&out, r);
        if (!json_equal(r, want))
            fail_msg("%s: %.*s", cuts_table[i].what, SLICE_ARG(buf_slice(&out)));
        struct slice first = arena_dup(a, buf_slice(&out));
        buf_clear(&out);
        assert_int_equal(subset_text(a, body, &how, &out), ERR_OK);
        assert_true(slice_eq(first, buf_slice(&out)));
        buf_fini(&out);
        arena_free(a);
    }
}

static void reads_parameters(void **state)
{
    static const struct {
        const char *summary, *elements;
        enum err err;
        enum subset_mode mode;
        size_t count;
    } cases[] = {
        {"", "", ERR_OK, SUBSET_ALL, 0},
        {"true", "", ERR_OK, SUBSET_SUMMARY, 0},
        {"text", "", ERR_OK, SUBSET_TEXT, 0},
        {"data", "", ERR_OK, SUBSET_DATA, 0},
        {"count", "", ERR_OK, SUBSET_COUNT, 0},
        {"false", "a", ERR_OK, SUBSET_ELEMENTS, 1},
        {"", "a, b,c.d", ERR_OK, SUBSET_ELEMENTS, 3},
        {"True", "", ERR_BAD_PARAM, 0, 0},
        {"yes", "", ERR_BAD_PARAM, 0, 0},
        {"true", "a", ERR_BAD_PARAM, 0, 0},
        {"", ",", ERR_BAD_PARAM, 0, 0},
        {"", "a,", ERR_BAD_PARAM, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct subset how = {0};
        assert_int_equal(
            subset_parse(a, slice_str(cases[i].summary), slice_str(cases[i].elements), &how),
            cases[i].err);
        assert_int_equal(how.mode, cases[i].mode);
        assert_int_equal(how.count, cases[i].count);
        arena_free(a);
    }
}

static void knows_elements(void **state)
{
    static const struct {
        const char *type, *element;
        bool known;
    } cases[] = {
        {"Patient", "name", true},
        {"Patient", "name.family", true},
        {"Patient", "name.family.x", false},
        {"Patient", "Patient.name", true},
        {"Patient", "Observation.value", true},
        {"Observation", "value", true},
        {"Observation", "value[x]", true},
        {"Observation", "valueQuantity.value", true},
        {"Patient", "value", false},
        {"Patient", "", false},
        {"Patient", "Patient", false},
        {"Patient", "Nobody.name", false},
        {"Nobody", "name", false},
        {"Bundle", "entry.resource", true},
        {"Bundle", "entry.resource.name", false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++)
        if (subset_known(slice_str(cases[i].type), slice_str(cases[i].element)) != cases[i].known)
            fail_msg("%s %s", cases[i].type, cases[i].element);
}

static void full_arena(void **state)
{
    static const struct slice elements[] = {{"name", 4}};
    const struct subset how = {SUBSET_ELEMENTS, elements, 1};
    struct arena *a = arena_new(T_ARENA_MAX), *small = arena_new(1);
    (void)state;
    assert_int_equal(subset_apply(small, t_json(a, "{'resourceType':'Patient'}"), &how), ERR_LIMIT);
    arena_free(small);
    arena_free(a);
}

/* ── every example ───────────────────────────────────────────────────────────────────────────── */

struct tally {
    unsigned passed, failed, skipped;
};

static bool read_file(const char *path, struct buf *out)
{
    char piece[65536];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(out, slice_of(piece, n));
    fclose(file);
    return buf_err(out) == ERR_OK;
}

/* The first error that is no broken invariant: those speak of the whole resource (what one element
 * asks of another may have been left out). */
static const struct err_item *form_error(const struct err_list *errors)
{
    const struct err_item *i = errors->first;
    while (i && (i->severity != ERR_SEVERITY_ERROR || i->code == ERR_INVARIANT))
        i = i->next;
    return i;
}

static void check_mode(const char *name, struct slice text, struct subset how, struct tally *t)
{
    struct arena *a = arena_new(T_ARENA_MAX * 4);
    struct json *root = NULL;
    struct err_list before, after;
    err_list_init(&before, a);
    err_list_init(&after, a);
    assert_int_equal(json_parse(a, text, &root, NULL), ERR_OK);
    if (validate_resource(root, SLICE_NONE, &before)) {
        t->skipped++;
    } else {
        assert_int_equal(subset_apply(a, root, &how), ERR_OK);
        if (validate_resource(root, SLICE_NONE, &after) == ERR_OK || !form_error(&after)) {
            t->passed++;
        } else {
            t->failed++;
            print_error("%s, mode %d: %s: %s\n", name, how.mode, form_error(&after)->place,
                        form_error(&after)->en);
        }
    }
    arena_free(a);
}

static void what_is_left_is_valid(void **state)
{
    static const struct slice elements[] = {{"code", 4}, {"subject.reference", 17}};
    char folder[2048], path[4096];
    struct tally t = {0};
    (void)state;
    if (!t_corpus("fhir/r4-examples", folder, sizeof(folder)))
        skip();
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        struct buf text;
        if (!slice_ends(slice_str(e->d_name), SLICE(".json")))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        buf_init(&text, T_ARENA_MAX);
        assert_true(read_file(path, &text));
        for (enum subset_mode mode = SUBSET_SUMMARY; mode <= SUBSET_ELEMENTS; mode++)
            check_mode(e->d_name, buf_slice(&text),
                       (struct subset){mode, elements, mode == SUBSET_ELEMENTS ? 2 : 0}, &t);
        buf_fini(&text);
    }
    closedir(dir);
    printf("subsets of R4 examples: %u passed, %u failed, %u skipped (not valid before)\n",
           t.passed, t.failed, t.skipped);
    assert_int_equal(t.failed, 0);
    assert_true(t.passed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts),
        cmocka_unit_test(reads_parameters),
        cmocka_unit_test(knows_elements),
        cmocka_unit_test(full_arena),
        cmocka_unit_test(what_is_left_is_valid),
    };
    return T_RUN(tests);
}
