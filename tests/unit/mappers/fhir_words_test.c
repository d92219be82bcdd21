/* SPDX-License-Identifier: Apache-2.0
 *
 * Text for _text and _content: what people read is there, folded, without markup; what machines
 * read is not.
 */
#include "lib/fhir_t.h"

#include "mappers/fhir/words.h"

#include "base/banned.h"

#define DIV(x)                                                                                     \
    "'text':{'status':'generated','div':'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">" x       \
    "</div>'}"
#define PATIENT "{'resourceType':'Patient','id':'p1'"

static const struct {
    const char *json, *words, *content;
} rows[] = {
    {PATIENT "}", "", ""},
    {PATIENT "," DIV("<p>Ｈ<sub>2</sub>O</p><p>やまだ&lt;&#x5c71;&#30000;</p>") "}",
     "h2o ヤマダ<山田", "h2o ヤマダ<山田"},
    {PATIENT "," DIV("a<!-- no --><br/>b<img src=\\\"x>y\\\" alt=\\\"no\\\"/>c&nbsp;d & e") "}",
     "a b c d & e", "a b c d & e"},
    {PATIENT
     ",'gender':'male','birthDate':'2000-01-01','name':[{'family':'山田','given':['太郎']}],"
     "'identifier':[{'system':'urn:x','value':'no','type':{'text':'番号'}}],'language':'ja',"
     "'photo':[{'data':'AAAA','url':'http://no','title':'顔'}],"
     "'generalPractitioner':[{'reference':'Practitioner/no','display':'Dr X'}]}",
     "", "山田 太郎 番号 ja 顔 dr x"},
    {PATIENT ",'_birthDate':{'extension':[{'url':'http://no','valueString':'ext'}]},"
             "'contained':[{'resourceType':'Organization','id':'no','name':'Org'}],"
             "'name':[{'_given':[null,{'extension':[{'url':'no','valueMarkdown':'m'}]}]}]}",
     "", "ext org m"},
    {"{'resourceType':'Composition','section':[{'title':'T'," DIV("s") "}]}", "s", "t s"},
    {"{'resourceType':'Nothing','name':'x'}", "", ""},
    {PATIENT ",'name':7,'text':{'div':'<'},'contact':[['x']]}", "", ""},
    {PATIENT ",'text':{'div':'a &amp &#xZZ; &#99999999; <!-- b'}}", "a &amp", "a &amp"},
};

static void finds_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct slice words;
        struct slice content;
        assert_int_equal(words_extract(a, t_json(a, rows[i].json), &words, &content), ERR_OK);
        assert_slice(words, rows[i].words);
        assert_slice(content, rows[i].content);
        arena_free(a);
    }
}

static void a_full_arena_is_told(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct arena *small = arena_new(8);
    struct slice words = SLICE("kept");
    struct slice content = SLICE_NONE;
    (void)state;
    assert_int_equal(words_extract(small, t_json(a, PATIENT "," DIV("a long enough text") "}"),
                                   &words, &content),
                     ERR_LIMIT);
    assert_slice(words, "kept");
    arena_free(a);
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_words),
        cmocka_unit_test(a_full_arena_is_told),
    };
    return T_RUN(tests);
}
