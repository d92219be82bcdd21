/* SPDX-License-Identifier: Apache-2.0
 *
 * Value sets over a few small code systems: expansions as lists of codes, memberships, and what
 * cannot be worked out. Cycles and fans of value sets must end.
 */
#include "lib/fhir_t.h"

#include "mappers/fhir/valueset.h"

#include "base/banned.h"

#define S "{'resourceType':'CodeSystem','url':"
#define V "{'resourceType':'ValueSet','url':"
#define ALL(system) "'compose':{'include':[{'system':'" system "'}]}}"

static const char *const stored[] = {
    S "'u:animals','status':'active','content':'complete','concept':["
      "{'code':'animal','display':'動物','property':[{'code':'notSelectable','valueBoolean':true}],"
      "'concept':[{'code':'dog','display':'犬','concept':[{'code':'akita'},{'code':'shiba'}]},"
      "{'code':'cat','display':'猫','property':[{'code':'legs','valueInteger':4},"
      "{'code':'inactive','valueBoolean':true}]}]},"
      "{'code':'snake','property':[{'code':'parent','valueCode':'animal'},"
      "{'code':'legs','valueInteger':0}]}]}",
    S "'u:loop','status':'active','content':'complete','concept':["
      "{'code':'a','property':[{'code':'parent','valueCode':'b'}]},"
      "{'code':'b','property':[{'code':'parent','valueCode':'a'}]}]}",
    S "'u:part','status':'active','content':'fragment','concept':[{'code':'x'}]}",
    S "'u:lazy','status':'active','content':'complete','caseSensitive':false,'concept':[{'code':"
      "'Abc'}]}",
    V "'v:dogs','compose':{'include':[{'system':'u:animals','filter':[{'property':'concept',"
      "'op':'is-a','value':'dog'}]}]}}",
    V "'v:self','compose':{'include':[{'valueSet':['v:self2']}]}}",
    V "'v:self2','compose':{'include':[{'valueSet':['v:self']}]}}",
    V "'v:fan1','compose':{'include':[{'valueSet':['v:fan2']},{'valueSet':['v:fan2']},"
      "{'valueSet':['v:fan2']}]}}",
    V "'v:fan2','compose':{'include':[{'valueSet':['v:fan3']},{'valueSet':['v:fan3']},"
      "{'valueSet':['v:fan3']}]}}",
    V "'v:fan3','compose':{'include':[{'valueSet':['v:dogs']},{'valueSet':['v:dogs']}]}}",
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

static const struct {
    const char *set;
    enum err err;
    const char *codes; /* of the expansion, or the word of the error */
} expansions[] = {
    {V "'x'," ALL("u:animals"), ERR_OK, "animal dog akita shiba cat snake "},
    {V "'x','compose':{'include':[{'system':'u:animals','concept':[{'code':'cat'},{'code':'cat'},"
       "{'code':'new'}]}]}}",
     ERR_OK, "cat new "},
    {V "'x','compose':{'include':[{'system':'u:animals','filter':[{'property':'concept','op':'"
       "descendent-of','value':'animal'}]}]}}",
     ERR_OK, "dog akita shiba cat snake "},
    {V "'x','compose':{'include':[{'system':'u:animals','filter':[{'property':'concept','op':'"
       "is-not-a','value':'dog'}]}]}}",
     ERR_OK, "animal cat snake "},
    {V "'x','compose':{'include':[{'system':'u:animals','filter':[{'property':'concept','op':'"
       "generalizes','value':'akita'}]}]}}",
     ERR_OK, "animal dog akita "},
    {V "'x','compose':{'include':[{'system':'u:animals','filter':[{'property':'legs','op':'=',"
       "'value':'4'}]}]}}",
     ERR_OK, "cat "},
    {V "'x','compose':{'include':[{'system':'u:animals','filter':[{'property':'legs','op':'exists',"
       "'value':'true'},{'property':'code','op':'in','value':'snake, dog'}]}]}}",
     ERR_OK, "snake "},
    {V "'x','compose':{'include':[{'system':'u:animals','filter':[{'property':'parent','op':'=',"
       "'value':'animal'}]}]}}",
     ERR_OK, "dog cat snake "},
    {V "'x','compose':{'include':[{'system':'u:animals','filter':[{'property':'code','op':'regex',"
       "'value':'.*'}]}]}}",
     ERR_NOT_SUPPORTED, "filter"},
    {V "'x','compose':{'include':[{'system':'u:animals'}],'exclude':[{'valueSet':['v:dogs']}]}}",
     ERR_OK, "animal cat snake "},
    {V "'x','compose':{'include':[{'system':'u:animals','concept':[{'code':'dog'},{'code':'cat'}],"
       "'valueSet':['v:dogs']}]}}",
     ERR_OK, "dog "},
    {V "'x','compose':{'include':[{'valueSet':['v:fan1']}]}}", ERR_OK, "dog akita shiba "},
    {V "'x','compose':{'include':[{'valueSet':['v:self']}]}}", ERR_INVALID, "itself"},
    {V "'v:dogs','compose':{'include':[{'valueSet':['v:dogs']}]}}", ERR_INVALID, "itself"},
    {V "'x','compose':{'include':[{'system':'u:loop','filter':[{'property':'concept','op':'is-a',"
       "'value':'a'}]}]}}",
     ERR_OK, "a b "},
    {V "'x'," ALL("u:none"), ERR_NOT_FOUND, "not stored"},
    {V "'x'," ALL("u:part"), ERR_NOT_SUPPORTED, "complete"},
    {V "'x','compose':{'include':[{'valueSet':['v:none']}]}}", ERR_NOT_FOUND, "not stored"},
    {V "'x'}", ERR_NOT_SUPPORTED, "defines no codes"},
    {V "'x','expansion':{'contains':[{'display':'g','contains':[{'system':'s','code':'1'},"
       "{'system':'s','code':'2'}]}]}}",
     ERR_OK, "1 2 "},
    {V "'x','expansion':{'contains':[{'system':'u:none','code':'1'}]}," ALL("u:none"), ERR_OK,
     "1 "},
};

static void expands(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(expansions); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct err_list errors;
        struct valueset_code *codes = NULL;
        size_t count = 0;
        struct buf text;
        buf_init(&text, 4096);
        err_list_init(&errors, a);
        enum err err =
            valueset_expand(a, t_json(a, expansions[i].set), &source, &errors, &codes, &count);
        for (size_t n = 0; n < count; n++)
            buf_addf(&text, "%.*s ", SLICE_ARG(codes[n].code));
        if (err != expansions[i].err)
            fail_msg("%s: %s", expansions[i].set, err_name(err));
        if (err)
            assert_non_null(strstr(errors.first->en, expansions[i].codes));
        else
            assert_slice(buf_slice(&text), expansions[i].codes);
        buf_fini(&text);
        arena_free(a);
    }
}

static const struct {
    const char *set, *system, *code;
    enum valueset_answer answer;
    const char *display;
} members[] = {
    {V "'x'," ALL("u:animals"), "u:animals", "dog", VALUESET_IN, "犬"},
    {V "'x'," ALL("u:animals"), "", "dog", VALUESET_IN, "犬"},
    {V "'x'," ALL("u:animals"), "u:animals", "Dog", VALUESET_OUT, ""},
    {V "'x'," ALL("u:lazy"), "u:lazy", "aBC", VALUESET_IN, ""},
    {V "'x'," ALL("u:animals"), "u:other", "dog", VALUESET_OUT, ""},
    {V "'x'," ALL("u:none"), "u:none", "dog", VALUESET_UNKNOWN, ""},
    {V "'x'," ALL("u:none"), "u:animals", "dog", VALUESET_OUT, ""},
    {V "'x','compose':{'include':[{'system':'u:none'},{'system':'u:none','concept':[{'code':'1',"
       "'display':'one'}]}]}}",
     "u:none", "1", VALUESET_IN, "one"},
    {V "'x','compose':{'include':[{'system':'u:animals'}],'exclude':[{'valueSet':['v:dogs']}]}}",
     "u:animals", "shiba", VALUESET_OUT, ""},
    {V "'x','compose':{'include':[{'system':'u:animals'}],'exclude':[{'valueSet':['v:none']}]}}",
     "u:animals", "shiba", VALUESET_UNKNOWN, ""},
    {V "'x','compose':{'include':[{'valueSet':['v:fan1']}]}}", "u:animals", "akita", VALUESET_IN,
     ""},
    {V "'x','compose':{'include':[{'valueSet':['v:self']}]}}", "u:animals", "akita",
     VALUESET_UNKNOWN, ""},
    {V "'x'}", "u", "1", VALUESET_UNKNOWN, ""},
};

static void knows_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(members); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct valueset_code found = {0};
        enum valueset_answer answer = VALUESET_OUT;
        assert_int_equal(valueset_member(a, t_json(a, members[i].set), &source,
                                         slice_str(members[i].system), slice_str(members[i].code),
                                         &answer, &found),
                         ERR_OK);
        if (answer != members[i].answer)
            fail_msg("%s: %s: %d", members[i].set, members[i].code, answer);
        assert_slice(found.display, members[i].display);
        arena_free(a);
    }
}

static void marks_and_looks_up(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct valueset_code *codes = NULL;
    struct err_list errors;
    const struct json *concept = NULL;
    size_t count = 0;
    (void)state;
    err_list_init(&errors, a);
    assert_int_equal(
        valueset_expand(a, t_json(a, V "'x'," ALL("u:animals")), &source, &errors, &codes, &count),
        ERR_OK);
    assert_true(codes[0].abstract && !codes[1].abstract && codes[4].inactive);
    assert_int_equal(valueset_concept(a, parsed[0], SLICE("cat"), &concept), ERR_OK);
    assert_slice(json_str(concept, "display"), "猫");
    assert_int_equal(valueset_concept(a, parsed[0], SLICE("cow"), &concept), ERR_OK);
    assert_null(concept);
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
        cmocka_unit_test(expands),
        cmocka_unit_test(knows_members),
        cmocka_unit_test(marks_and_looks_up),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
