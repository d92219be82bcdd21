/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIR XML both ways: what XML gives which JSON, what is refused and where, what is printed for
 * what HTML and JSON allow and XML does not; then every example through JSON, XML, JSON, digit for
 * digit, each XML checked against HL7's own schema; then the W3C's files, which must all end well.
 */
#include "lib/fhir_t.h"

#include <dirent.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>

#include "mappers/fhir/validate.h"
#include "mappers/fhir/xml_print.h"
#include "mappers/fhir/xml_read.h"
#include "mappers/xml.h"

#include "base/banned.h"

#define NS "xmlns='http://hl7.org/fhir'"
#define DIV "<div xmlns=\"http://www.w3.org/1999/xhtml\">"

/* ── small cases ─────────────────────────────────────────────────────────────────────────────── */

static const struct {
    const char *what, *xml, *json;
} read_table[] = {
    {"primitives as they are",
     "<?xml version='1.0'?><!-- x --><Observation " NS
     "><?x y?><id value='a'/><status value='final'/>"
     "<valueQuantity><value value='1.500'/><unit "
     "value='m&lt;&#10;'/></valueQuantity></Observation>",
     "{'resourceType':'Observation','id':'a','status':'final','valueQuantity':{'value':1.500,"
     "'unit':'m<\\n'}}"},
    {"booleans and integers, and what is neither stays text for validation",
     "<Patient " NS "><active value='true'/><deceasedBoolean value='false'/>"
     "<multipleBirthInteger value='2'/></Patient>",
     "{'resourceType':'Patient','active':true,'deceasedBoolean':false,'multipleBirthInteger':2}"},
    {"wrong kinds",
     "<Patient " NS "><active value='yes'/><multipleBirthInteger value='02'/></Patient>",
     "{'resourceType':'Patient','active':'yes','multipleBirthInteger':'02'}"},
    {"lists, ids and extensions beside primitives",
     "<Patient " NS "><name id='n'><given value='a'/><given id='g' value='b'/><given>"
     "<extension url='urn:x'><valueCode value='c'/></extension></given></name><birthDate id='b'/>"
     "</Patient>",
     "{'resourceType':'Patient','name':[{'id':'n','given':['a','b',null],'_given':[null,{'id':'g'},"
     "{'extension':[{'url':'urn:x','valueCode':'c'}]}]}],'_birthDate':{'id':'b'}}"},
    {"a list of extensions only", "<Patient " NS "><name><given id='g'/></name></Patient>",
     "{'resourceType':'Patient','name':[{'_given':[{'id':'g'}]}]}"},
    {"contained resources, and any prefix",
     "<f:Patient xmlns:f='http://hl7.org/fhir' "
     "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
     " xsi:schemaLocation='http://hl7.org/fhir x.xsd'><f:contained><f:Organization><f:id "
     "value='o'/>"
     "</f:Organization></f:contained><f:contained><f:Patient/></f:contained></f:Patient>",
     "{'resourceType':'Patient','contained':[{'resourceType':'Organization','id':'o'},"
     "{'resourceType':'Patient'}]}"},
    {"resources in a Bundle",
     "<Bundle " NS "><type value='collection'/><entry><resource><Patient><active value='true'/>"
     "</Patient></resource></entry></Bundle>",
     "{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'resourceType':'Patient',"
     "'active':true}}]}"},
    {"a narrative as sent",
     "<Patient " NS "><text><status value='empty'/><div xmlns=\"http://www.w3.org/1999/xhtml\" "
     "class=\"a\" >x<br />&quot;&#160;<!-- <div> --><div>y</div></div></text></Patient>",
     "{'resourceType':'Patient','text':{'status':'empty','div':'<div "
     "xmlns=\\\"http://www.w3.org/1999/"
     "xhtml\\\" class=\\\"a\\\" >x<br />&quot;&#160;<!-- <div> --><div>y</div></div>'}}"},
    {"a narrative with a prefix",
     "<Patient " NS " xmlns:h='http://www.w3.org/1999/xhtml'><text><status value='empty'/><h:div>"
     "<h:p title='&quot;' "
     "xml:lang='ja'>a&lt;<![CDATA[<]]></h:p><?x?><h:br/></h:div></text></Patient>",
     "{'resourceType':'Patient','text':{'status':'empty','div':'<div "
     "xmlns=\\\"http://www.w3.org/1999/"
     "xhtml\\\"><p title=\\\"&quot;\\\" xml:lang=\\\"ja\\\">a&lt;&lt;</p><br/></div>'}}"},
    {"two narratives, one in a contained resource",
     "<Patient " NS
     "><text><status value='empty'/><div xmlns=\"http://www.w3.org/1999/xhtml\"/></text>"
     "<contained><Basic><text><status value='empty'/><div xmlns=\"http://www.w3.org/1999/xhtml\">b"
     "</div></text></Basic></contained></Patient>",
     "{'resourceType':'Patient','text':{'status':'empty','div':'<div "
     "xmlns=\\\"http://www.w3.org/1999/"
     "xhtml\\\"/>'},'contained':[{'resourceType':'Basic','text':{'status':'empty','div':'<div "
     "xmlns="
     "\\\"http://www.w3.org/1999/xhtml\\\">b</div>'}}]}"},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(read_table); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct json *got = NULL, *want = t_json(a, read_table[i].json);
        struct err_list errors;
        struct buf out;
        buf_init(&out, T_ARENA_MAX);
        err_list_init(&errors, a);
        if (xml_read_resource(a, slice_str(read_table[i].xml), &got, &errors))
            fail_msg("%s: %s: %s", read_table[i].what, errors.first->place, errors.first->en);
        json_print(&out, got);
        if (!json_equal(got, want))
            fail_msg("%s: %.*s", read_table[i].what, SLICE_ARG(buf_slice(&out)));
        buf_fini(&out);
        arena_free(a);
    }
}

#define NAME "<Patient " NS "><name>"
#define END "</name></Patient>"

static const struct {
    const char *xml;
    enum err err;
    const char *place; /* NULL: not looked at */
} refused_table[] = {
    {"", ERR_MALFORMED, ""},
    {"<Patient " NS ">", ERR_MALFORMED, NULL},
    {"<!DOCTYPE Patient><Patient " NS "/>", ERR_MALFORMED, "line 1 column 1"},
    {"<?xml version='1.0' encoding='Shift_JIS'?><Patient " NS "/>", ERR_CHARSET, ""},
    {"<Patient/>", ERR_UNKNOWN_ELEMENT, "Patient"},
    {"<Patient xmlns='urn:hl7-org:v3'/>", ERR_UNKNOWN_ELEMENT, "Patient"},
    {"<Nobody " NS "/>", ERR_UNKNOWN_ELEMENT, "Nobody"},
    {"<HumanName " NS "/>", ERR_UNKNOWN_ELEMENT, "HumanName"},
    {"<Patient " NS " id='a'/>", ERR_UNKNOWN_ELEMENT, "Patient.id"},
    {"<Patient " NS " value='a'/>", ERR_UNKNOWN_ELEMENT, "Patient.value"},
    {"<Patient " NS " xmlns:x='urn:x' x:y='a'/>", ERR_UNKNOWN_ELEMENT, "Patient.y"},
    {"<Patient " NS "><color value='a'/></Patient>", ERR_UNKNOWN_ELEMENT, "Patient.color"},
    {"<Patient " NS "><x:active xmlns:x='urn:x' value='true'/></Patient>", ERR_UNKNOWN_ELEMENT,
     "Patient.active"},
    {"<Patient " NS "><value value='a'/></Patient>", ERR_UNKNOWN_ELEMENT, "Patient.value"},
    {"<Patient " NS "><deceased value='true'/></Patient>", ERR_UNKNOWN_ELEMENT, "Patient.deceased"},
    {"<Patient " NS "><gender value='male'/><active value='true'/></Patient>", ERR_INVALID,
     "Patient.active"},
    {"<Patient " NS "><active value='true'/><active value='true'/></Patient>", ERR_INVALID,
     "Patient.active"},
    {"<Patient " NS "><name/><active value='true'/><name/></Patient>", ERR_INVALID, NULL},
    {"<Patient " NS ">x</Patient>", ERR_INVALID, "Patient"},
    {"<Patient " NS "><![CDATA[ ]]></Patient>", ERR_INVALID, "Patient"},
    {NAME "<family value=''/>" END, ERR_INVALID, "Patient.name[0].family"},
    {NAME "<family/>" END, ERR_INVALID, "Patient.name[0].family"},
    {NAME "<family>x</family>" END, ERR_INVALID, "Patient.name[0].family"},
    {NAME "<family value='x'>x</family>" END, ERR_INVALID, "Patient.name[0].family"},
    {NAME "<id value='x'/>" END, ERR_UNKNOWN_ELEMENT, "Patient.name[0].id"},
    {NAME "<given value='x'/><given value=''/>" END, ERR_INVALID, "Patient.name[0].given[1]"},
    {NAME "<given value='x' use='x'/>" END, ERR_UNKNOWN_ELEMENT, "Patient.name[0].given[0].use"},
    {NAME "<extension><url value='x'/></extension>" END, ERR_UNKNOWN_ELEMENT,
     "Patient.name[0].extension[0].url"},
    {NAME "<given id=''/>" END, ERR_INVALID, "Patient.name[0].given[0].id"},
    {"<Patient " NS "><contained/></Patient>", ERR_INVALID, "Patient.contained[0]"},
    {"<Patient " NS "><contained id='a'><Patient/></contained></Patient>", ERR_UNKNOWN_ELEMENT,
     "Patient.contained[0].id"},
    {"<Patient " NS "><contained><Patient/><Patient/></contained></Patient>", ERR_INVALID,
     "Patient.contained[0]"},
    {"<Patient " NS "><contained><name/></contained></Patient>", ERR_UNKNOWN_ELEMENT,
     "Patient.contained[0]"},
    {"<Patient " NS "><text><status value='empty'/><div>x</div></text></Patient>",
     ERR_UNKNOWN_ELEMENT, "Patient.text.div"},
    {"<Patient " NS "><text><status value='empty'/><div xmlns='http://www.w3.org/1999/xhtml'><x "
     "xmlns='urn:x'/></div></text></Patient>",
     ERR_INVALID, "Patient.text.div"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(refused_table); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct json *got = NULL;
        struct err_list errors;
        err_list_init(&errors, a);
        enum err err = xml_read_resource(a, slice_str(refused_table[i].xml), &got, &errors);
        const char *place = errors.first ? errors.first->place : "(none)";
        if (err != refused_table[i].err || errors.kept != 1 || got ||
            (refused_table[i].place && strcmp(place, refused_table[i].place) != 0))
            fail_msg("%s: %s at %s", refused_table[i].xml, err_name(err), place);
        arena_free(a);
    }
}

/* A resource whose JSON form would be nested more deeply than our JSON reader goes. */
static void refuses_depth(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct json *got = NULL;
    struct err_list errors;
    struct buf text;
    (void)state;
    buf_init(&text, T_ARENA_MAX);
    err_list_init(&errors, a);
    buf_adds(&text, "<Patient " NS ">");
    for (unsigned i = 0; i < 40; i++)
        buf_adds(&text, "<extension url='urn:x'>");
    for (unsigned i = 0; i < 40; i++)
        buf_adds(&text, "</extension>");
    buf_adds(&text, "</Patient>");
    assert_int_equal(xml_read_resource(a, buf_slice(&text), &got, &errors), ERR_TOO_DEEP);
    buf_fini(&text);
    arena_free(a);
}

static const struct {
    const char *what, *json, *xml; /* without the XML declaration; NULL: refused */
} print_table[] = {
    {"R4's order, attributes, escapes, control characters",
     "{'resourceType':'Patient','name':[{'extension':[{'valueCode':'c','url':'urn:x'}],'given':['a'"
     ",null],"
     "'_given':[null,{'id':'g'}],'family':'<&>\\n\\t\\r\\u0001\\uFFFF𠮷','id':'n'}],'active':true,'"
     "id':'1'}",
     "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"1\"/><active value=\"true\"/><name "
     "id=\"n\">"
     "<extension url=\"urn:x\"><valueCode value=\"c\"/></extension><family "
     "value=\"&lt;&amp;&gt;&#10;"
     "&#9;&#13;\xEF\xBF\xBD\xEF\xBF\xBD𠮷\"/><given value=\"a\"/><given "
     "id=\"g\"/></name></Patient>"},
    {"decimals as written", "{'resourceType':'Observation','valueQuantity':{'value':1.50e0}}",
     "<Observation xmlns=\"http://hl7.org/fhir\"><valueQuantity><value value=\"1.50e0\"/>"
     "</valueQuantity></Observation>"},
    {"a resource within",
     "{'resourceType':'Parameters','parameter':[{'resource':{'resourceType':'Patient'},'name':'a'}]"
     "}",
     "<Parameters xmlns=\"http://hl7.org/fhir\"><parameter><name value=\"a\"/><resource><Patient>"
     "</Patient></resource></parameter></Parameters>"},
    {"a narrative: namespace, HTML's entities, what XML forbids",
     "{'resourceType':'Basic','text':{'status':'empty','div':'<!-- x --> <div "
     "title=\\\"xmlns=\\\">&nbsp;"
     "&lt;&#0;&bogus;]]><!-- & \\u0001 --> </div>'}}",
     "<Basic xmlns=\"http://hl7.org/fhir\"><text><status value=\"empty\"/>"
     "<div xmlns=\"http://www.w3.org/1999/xhtml\" "
     "title=\"xmlns=\">&#160;&lt;&#65533;&amp;bogus;]]&gt;"
     "<!-- & \xEF\xBF\xBD --> </div></text></Basic>"},
    {"a member that R4 does not know", "{'resourceType':'Patient','color':'a'}", NULL},
    {"a type that R4 does not know", "{'resourceType':'Nobody'}", NULL},
    {"no type", "{'id':'a'}", NULL},
    {"a list where there is none", "{'resourceType':'Patient','active':[true]}", NULL},
    {"a value where a list is", "{'resourceType':'Patient','name':{}}", NULL},
    {"a narrative that is none", "{'resourceType':'Basic','text':{'div':'x'}}", NULL},
};

static void prints(void **state)
{
    struct slice head = SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    (void)state;
    for (size_t i = 0; i < T_COUNT(print_table); i++) {
        struct arena *a = arena_new(T_ARENA_MAX);
        struct buf out;
        struct _xmlDoc *doc = NULL;
        buf_init(&out, T_ARENA_MAX);
        enum err err = xml_print_resource(&out, t_json(a, print_table[i].json), false);
        assert_int_equal(err, print_table[i].xml ? ERR_OK : ERR_INTERNAL);
        if (print_table[i].xml) {
            assert_true(slice_starts(buf_slice(&out), head));
            assert_slice(slice_sub(buf_slice(&out), head.len, out.len), print_table[i].xml);
            assert_int_equal(xml_parse(buf_slice(&out), &doc, NULL), ERR_OK);
            xml_free(doc);
        }
        buf_fini(&out);
        arena_free(a);
    }
}

static void prints_pretty(void **state)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct json *r = t_json(a, "{'resourceType':'Patient','name':[{'family':'a'}],'text':{'status':"
                               "'empty','div':'<div>x</div>'}}");
    struct buf out;
    (void)state;
    buf_init(&out, T_ARENA_MAX);
    assert_int_equal(xml_print_resource(&out, r, true), ERR_OK);
    assert_buf(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<Patient xmlns=\"http://hl7.org/fhir\">\n"
                     "  <text>\n"
                     "    <status value=\"empty\"/>\n"
                     "    " DIV "x</div>\n"
                     "  </text>\n"
                     "  <name>\n"
                     "    <family value=\"a\"/>\n"
                     "  </name>\n"
                     "</Patient>\n");
    buf_fini(&out);
    arena_free(a);
}

/* ── corpora ─────────────────────────────────────────────────────────────────────────────────── */

struct tally {
    unsigned passed, failed, skipped;
    xmlSchemaPtr schema; /* NULL: not here */
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

/* Once, before anything of ours forbids libxml2 to open files. */
static int load_schema(void **state)
{
    char path[2048];
    if (!t_corpus("fhir/r4-schemas/hl7.fhir.r4.corexml/package/xml/fhir-single.xsd", path,
                  sizeof(path)))
        return 0;
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(path);
    *state = xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
    return *state ? 0 : -1;
}

static int free_schema(void **state)
{
    xmlSchemaFree(*state);
    xmlSchemaCleanupTypes();
    return 0;
}

/* Valid R4 that HL7's schema refuses all the same. */
static bool schema_is_wrong(const char *name)
{
    static const struct {
        const char *file, *why;
    } known[] = {{"Bundle-bundle-ips-all-sections.json",
                  "it gives MedicationStatement the status codes of Medication, and narrative ids "
                  "must not begin with a digit"}};
    for (size_t i = 0; i < T_COUNT(known); i++) {
        if (strcmp(name, known[i].file) == 0) {
            printf("  %s: not checked against the schema: %s\n", name, known[i].why);
            return true;
        }
    }
    return false;
}

static __attribute__((format(printf, 2, 3))) void say(void *context, const char *format, ...)
{
    char line[512];
    va_list args;
    (void)context;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    print_error("  %s", line);
}

static bool schema_accepts(xmlSchemaPtr schema, struct slice xml)
{
    struct _xmlDoc *doc = NULL;
    if (!schema)
        return true;
    if (xml_parse(xml, &doc, NULL))
        return false;
    xmlSchemaValidCtxtPtr ctxt = xmlSchemaNewValidCtxt(schema);
    xmlSchemaSetValidErrors(ctxt, say, say, NULL);
    bool ok = xmlSchemaValidateDoc(ctxt, doc) == 0;
    xmlSchemaFreeValidCtxt(ctxt);
    xml_free(doc);
    return ok;
}

static bool comes_back(struct arena *a, const struct json *root, struct slice xml)
{
    struct err_list errors;
    struct json *back = NULL;
    err_list_init(&errors, a);
    if (xml_read_resource(a, xml, &back, &errors) == ERR_OK)
        return json_equal(root, back);
    print_error("  %s: %s\n", errors.first->place, errors.first->en);
    return false;
}

static void round_trip(const char *path, const char *name, struct tally *t)
{
    struct arena *a = arena_new(T_ARENA_MAX * 4);
    struct json *root = NULL;
    struct err_list errors;
    struct buf text, compact, pretty;
    buf_init(&text, T_ARENA_MAX);
    buf_init(&compact, T_ARENA_MAX);
    buf_init(&pretty, T_ARENA_MAX);
    err_list_init(&errors, a);
    assert_true(read_file(path, &text));
    assert_int_equal(json_parse(a, buf_slice(&text), &root, NULL), ERR_OK);
    if (!json_get(root, "resourceType")) {
        t->skipped++; /* package.json */
    } else {
        bool valid = validate_resource(root, SLICE_NONE, &errors) == ERR_OK;
        bool ok =
            xml_print_resource(&compact, root, false) == ERR_OK &&
            xml_print_resource(&pretty, root, true) == ERR_OK &&
            comes_back(a, root, buf_slice(&compact)) && comes_back(a, root, buf_slice(&pretty)) &&
            (!valid || schema_is_wrong(name) || schema_accepts(t->schema, buf_slice(&compact)));
        t->passed += ok;
        t->failed += !ok;
        if (!ok)
            print_error("%s\n", name);
    }
    buf_fini(&pretty);
    buf_fini(&compact);
    buf_fini(&text);
    arena_free(a);
}

static void each_file(const char *folder, const char *end, struct tally *t,
                      void (*visit)(const char *path, const char *name, struct tally *t))
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char path[4096];
        struct stat info;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] == '.' || stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode))
            each_file(path, end, t, visit);
        else if (slice_ends(slice_str(e->d_name), slice_str(end)))
            visit(path, e->d_name, t);
    }
    closedir(dir);
}

static void check_corpus(void **state, const char *corpus)
{
    char folder[2048];
    struct tally t = {.schema = *state};
    if (!t_corpus(corpus, folder, sizeof(folder)))
        skip();
    each_file(folder, ".json", &t, round_trip);
    printf("%s: %u passed, %u failed, %u skipped%s\n", corpus, t.passed, t.failed, t.skipped,
           t.schema ? "" : " (HL7's schema is not here)");
    assert_int_equal(t.failed, 0);
    assert_true(t.passed > 20);
}

static void r4_examples(void **state)
{
    check_corpus(state, "fhir/r4-examples");
}

static void jp_core_examples(void **state)
{
    check_corpus(state, "japan/jp-core-examples");
}

static void ips_examples(void **state)
{
    check_corpus(state, "fhir/ips-examples");
}

/* None of them is FHIR: each must be refused, with one reason. */
static void refuse_file(const char *path, const char *name, struct tally *t)
{
    struct arena *a = arena_new(T_ARENA_MAX);
    struct json *root = NULL;
    struct err_list errors;
    struct buf text;
    buf_init(&text, T_ARENA_MAX);
    err_list_init(&errors, a);
    assert_true(read_file(path, &text));
    enum err err = xml_read_resource(a, buf_slice(&text), &root, &errors);
    bool ok = err != ERR_OK && !root && errors.kept == 1 && err_http(err) < 500;
    t->passed += ok;
    t->failed += !ok;
    if (!ok)
        print_error("%s: %s\n", name, err_name(err));
    buf_fini(&text);
    arena_free(a);
}

static void conformance_files(void **state)
{
    char folder[2048];
    struct tally t = {0};
    (void)state;
    if (!t_corpus("torture/xml-conformance", folder, sizeof(folder)))
        skip();
    each_file(folder, ".xml", &t, refuse_file);
    printf("W3C XML conformance as FHIR: %u refused as they should be, %u failed\n", t.passed,
           t.failed);
    assert_int_equal(t.failed, 0);
    assert_true(t.passed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r4_examples),
        cmocka_unit_test(jp_core_examples),
        cmocka_unit_test(ips_examples),
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_depth),
        cmocka_unit_test(prints),
        cmocka_unit_test(prints_pretty),
        cmocka_unit_test(conformance_files),
    };
    return cmocka_run_group_tests(tests, load_schema, free_schema);
}
