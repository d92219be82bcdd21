/* SPDX-License-Identifier: Apache-2.0
 *
 * HL7's official R4 examples, JP Core's and IPS's: all must validate, but for the few that break R4
 * themselves (named below with the reason); all must give search rows and a class. Prints counts
 * and speed.
 */
#include "lib/fhir_t.h"

#include <dirent.h>
#include <time.h>

#include "base/when.h"
#include "mappers/fhir/classify.h"
#include "mappers/fhir/facets.h"
#include "mappers/fhir/validate.h"

#include "base/banned.h"

/* Examples that are not R4, and where. */
static const struct {
    const char *file;
    const char *place;
    const char *why;
} broken[] = {
    {"Questionnaire-qs1.json", "Questionnaire.item[0].item[0].linkId",
     "items without the required linkId"},
    {"SearchParameter-valueset-extensions-ValueSet-author.json", "SearchParameter.base",
     "template without the required base"},
    {"SearchParameter-valueset-extensions-ValueSet-end.json", "SearchParameter.base",
     "template without the required base"},
};

struct tally {
    unsigned passed, failed, broken, skipped;
    size_t bytes, facets;
    double validate_s, facets_s;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

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

static bool is_broken(const char *name, const struct err_list *errors)
{
    for (size_t i = 0; i < T_COUNT(broken); i++) {
        if (strcmp(name, broken[i].file) == 0) {
            printf("  %s: %s\n", name, broken[i].why);
            return strcmp(errors->first->place, broken[i].place) == 0;
        }
    }
    return false;
}

static void check_resource(struct arena *a, const char *name, const struct json *r, struct tally *t)
{
    struct err_list errors;
    struct facet_list facets = {NULL, 0};
    struct classify class;
    err_list_init(&errors, a);
    double start = now_s();
    enum err err = validate_resource(r, SLICE_NONE, &errors);
    double middle = now_s();
    assert_int_equal(facets_extract(a, r, &facets), ERR_OK);
    t->validate_s += middle - start;
    t->facets_s += now_s() - middle;
    t->facets += facets.count;
    classify_resource(r, &class);
    assert_true(!class.patient_type || class.category != CATEGORY_NONE);
    if (err == ERR_OK) {
        t->passed++;
    } else if (is_broken(name, &errors)) {
        t->broken++;
    } else {
        t->failed++;
        print_error("%s: %s at %s: %s\n", name, err_name(err), errors.first->place,
                    errors.first->en);
    }
}

static void check_file(const char *folder, const char *name, struct tally *t)
{
    char path[4096];
    struct buf text;
    struct json *root = NULL;
    struct arena *a = arena_new(T_ARENA_MAX * 4);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    buf_init(&text, T_ARENA_MAX);
    assert_true(read_file(path, &text));
    assert_int_equal(json_parse(a, buf_slice(&text), &root, NULL), ERR_OK);
    if (json_get(root, "resourceType")) {
        t->bytes += text.len;
        check_resource(a, name, root, t);
    } else {
        t->skipped++; /* package.json */
    }
    buf_fini(&text);
    arena_free(a);
}

static void check_folder(const char *corpus, unsigned wanted_broken)
{
    char path[2048];
    struct tally t = {0};
    if (!t_corpus(corpus, path, sizeof(path)))
        skip();
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        size_t len = strlen(e->d_name);
        if (len > 5 && strcmp(e->d_name + len - 5, ".json") == 0)
            check_file(path, e->d_name, &t);
    }
    closedir(dir);
    printf("%s: %u passed, %u failed, %u break R4 themselves, %u skipped; validate %.0f MB/s, %zu "
           "rows "
           "at %.0f MB/s\n",
           corpus, t.passed, t.failed, t.broken, t.skipped, (double)t.bytes / t.validate_s / 1e6,
           t.facets, (double)t.bytes / t.facets_s / 1e6);
    assert_int_equal(t.failed, 0);
    assert_int_equal(t.broken, wanted_broken);
    assert_true(t.passed > 20 && t.facets > 100);
}

static void r4_examples(void **state)
{
    (void)state;
    check_folder("fhir/r4-examples", T_COUNT(broken));
}

static void jp_core_examples(void **state)
{
    (void)state;
    check_folder("japan/jp-core-examples", 0);
}

static void ips_examples(void **state)
{
    (void)state;
    check_folder("fhir/ips-examples", 0);
}

/* The budget for one small Observation: validate and rows, in microseconds (printed, not judged:
 * the machine may be busy and sanitizers on). */
static void small_observation(void **state)
{
    static const char json[] =
        "{'resourceType':'Observation','id':'c0ffee','meta':{'profile':['http://jpfhir.jp/fhir/"
        "core/"
        "StructureDefinition/"
        "JP_Observation_LabResult']},'identifier':[{'system':'urn:oid:1.2.392.100495"
        ".20.3.31','value':'1311234567-1'}],'status':'final','category':[{'coding':[{'system':'"
        "http://"
        "jpfhir.jp/fhir/core/CodeSystem/"
        "JP_SimpleObservationCategory_CS','code':'laboratory','display':"
        "'Laboratory'}]}],'code':{'coding':[{'system':'urn:oid:1.2.392.200119.4.504','code':"
        "'3F015000002326101','display':'総コレステロール'}],'text':'総コレステロール'},'subject':{'"
        "reference':"
        "'Patient/"
        "@'},'effectiveDateTime':'2026-11-22T09:30:00+09:00','issued':'2026-11-22T12:00:00.000"
        "+09:00','performer':[{'reference':'Practitioner/"
        "doctor-1'}],'specimen':{'reference':'Specimen/1'},"
        "'valueQuantity':{'value':194.0,'unit':'mg/dL','system':'http://"
        "unitsofmeasure.org','code':'mg/dL'"
        "},'interpretation':[{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/"
        "v3-ObservationInterpretation','code':'N'}]}],'referenceRange':[{'low':{'value':150,'unit':"
        "'mg/dL'"
        "},'high':{'value':219,'unit':'mg/dL'},'text':'150-219'}]}";
    struct arena *a = arena_new(T_ARENA_MAX);
    struct json *r = t_json(a, json);
    struct facet_list facets = {NULL, 0};
    const int times = 2000;
    (void)state;
    double start = now_s();
    for (int i = 0; i < times; i++) {
        struct arena *b = arena_new(T_ARENA_MAX);
        struct err_list errors;
        err_list_init(&errors, b);
        assert_int_equal(validate_resource(r, SLICE("Observation"), &errors), ERR_OK);
        assert_int_equal(facets_extract(b, r, &facets), ERR_OK);
        arena_free(b);
    }
    printf("%zu bytes of Observation, %zu rows: %.1f us\n", sizeof(json), facets.count,
           (now_s() - start) * 1e6 / times);
    assert_true(facets.count > 10);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r4_examples),
        cmocka_unit_test(jp_core_examples),
        cmocka_unit_test(ips_examples),
        cmocka_unit_test(small_observation),
    };
    return T_RUN(tests);
}
