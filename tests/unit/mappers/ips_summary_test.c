/* SPDX-License-Identifier: Apache-2.0
 *
 * The summary document: IPS sections and their order, what is left out and that it is said, what is empty and why, that
 * every reference resolves; and the view the emergency page is made of.
 */
#include "lib/t.h"

#include "base/category.h"
#include "base/limits.h"
#include "mappers/html/page.h"
#include "mappers/ips/banner.h"
#include "mappers/ips/row.h"
#include "mappers/ips/summary.h"
#include "unit/mappers/ips_story.h"
#if __has_include("mappers/fhir/narrative.h")
#include "mappers/fhir/validate.h"
#define VALIDATOR 1
#endif

#include "base/banned.h"

#define BASE "https://region.example/fhir"

static unsigned made;

static void make_id(char ret_id[37])
{
    snprintf(ret_id, 37, "00000000-0000-4000-8000-%012u", ++made % 1000000u);
}

static struct json *parse(struct arena *a, const char *text)
{
    struct json *root = NULL;
    assert_int_equal(json_parse(a, slice_str(text), &root, NULL), ERR_OK);
    return root;
}

static struct json *summarize(struct arena *a, const char *resources, bool emergency,
                              uint64_t withheld)
{
    struct json *list = parse(a, resources), *bundle = NULL;
    const struct json **items = arena_array(a, list->count + 1, sizeof(*items));
    size_t count = 0;
    for (const struct json *r = list->first; r; r = r->next)
        items[count++] = r;
    struct summary_input input = {
        .patient = parse(a, story_patient), .resources = items, .count = count,
        .base_url = SLICE(BASE), .author = SLICE("みなと地域連携"), .now_ms = STORY_NOW,
        .emergency = emergency, .withheld = withheld};
    made = 0;
    assert_int_equal(summary_bundle(a, &input, make_id, &bundle), ERR_OK);
    return bundle;
}

static struct json *view_of(struct arena *a, const struct json *bundle)
{
    struct json *view = NULL;
    assert_int_equal(summary_view(a, bundle, STORY_NOW, &view), ERR_OK);
    return view;
}

static struct json *section(const struct json *bundle, const char *loinc)
{
    struct json *list = json_path(bundle, "entry", "0", "resource", "section", NULL);
    for (struct json *s = list ? list->first : NULL; s; s = s->next)
        if (slice_is(json_str(json_path(s, "code", "coding", "0", NULL), "code"), loinc))
            return s;
    return NULL;
}

static struct json *view_section(const struct json *view, const char *key)
{
    struct json *list = json_get(view, "sections");
    for (struct json *s = list ? list->first : NULL; s; s = s->next)
        if (slice_is(json_str(s, "key"), key))
            return s;
    return NULL;
}

/* The ids of a section's entries, with commas. */
static void assert_entries(const struct json *bundle, const char *loinc, const char *want)
{
    struct buf got;
    struct json *list = json_get(section(bundle, loinc), "entry");
    buf_init(&got, 10000);
    for (const struct json *e = list ? list->first : NULL; e; e = e->next) {
        struct slice reference = json_str(e, "reference");
        size_t slash = slice_find(reference, '/', 0);
        buf_adds(&got, got.len ? "," : "");
        buf_add(&got, slice_sub(reference, slash + 1, reference.len));
    }
    assert_buf(&got, want);
    buf_fini(&got);
}

static void assert_codes(const struct json *bundle, const char *want)
{
    struct buf got;
    struct json *list = json_path(bundle, "entry", "0", "resource", "section", NULL);
    buf_init(&got, 10000);
    for (const struct json *s = list->first; s; s = s->next) {
        buf_adds(&got, got.len ? " " : "");
        buf_add(&got, json_str(json_path(s, "code", "coding", "0", NULL), "code"));
    }
    assert_buf(&got, want);
    buf_fini(&got);
}

static bool holds(struct slice text, const char *needle)
{
    return slice_search(text, slice_str(needle), 0) < text.len;
}

static void assert_resolves(const struct json *bundle, struct slice reference)
{
    struct json *list = json_get(bundle, "entry");
    char want[200];
    snprintf(want, sizeof(want), BASE "/%.*s", SLICE_ARG(reference));
    for (const struct json *e = list->first; e; e = e->next)
        if (slice_is(json_str(e, "fullUrl"), want))
            return;
    print_error("not in the document: %s\n", want);
    fail();
}

static void check_references(const struct json *bundle, const struct json *value)
{
    struct slice reference = json_str(value, "reference");
    if (reference.len && reference.ptr[0] != '#')
        assert_resolves(bundle, reference);
    for (const struct json *c = value->first; c; c = c->next)
        check_references(bundle, c);
}

static void is_a_document(void **state)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *b = summarize(a, story_resources, false, 0);
    struct json *c = json_path(b, "entry", "0", "resource", NULL);
    (void)state;
    assert_slice(json_str(b, "type"), "document");
    assert_slice(json_str(b, "timestamp"), "2025-11-22T17:00:00.000+09:00");
    assert_true(json_str(json_get(b, "identifier"), "value").len > 0);
    assert_slice(json_str(c, "resourceType"), "Composition");
    assert_slice(json_str(c, "status"), "final");
    assert_slice(json_str(json_path(c, "type", "coding", "0", NULL), "code"), "60591-5");
    assert_slice(json_str(json_get(c, "subject"), "reference"), "Patient/p1");
    assert_slice(json_str(json_path(b, "entry", "1", NULL), "fullUrl"), BASE "/Patient/p1");
    assert_slice(json_str(json_path(b, "entry", "2", "resource", NULL), "name"), "みなと地域連携");
    check_references(b, b);
    struct json *list = json_get(b, "entry");
    for (const struct json *e = list->first; e; e = e->next)
        for (const struct json *f = e->next; f; f = f->next)
            assert_false(slice_eq(json_str(e, "fullUrl"), json_str(f, "fullUrl")));
    arena_free(a);
}

static void chooses_and_orders(void **state)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *b = summarize(a, story_resources, false, 0);
    (void)state;
    assert_codes(b, "11450-4 10160-0 48765-2 30954-2 8716-3 47519-4 11348-0 11369-6 46240-8");
    assert_entries(b, "48765-2", "a-high,a-low");
    assert_entries(b, "10160-0", "m-new,m-markup,m-warf,m-old");
    assert_entries(b, "11450-4", "c1");
    assert_entries(b, "11348-0", "c2");
    assert_entries(b, "30954-2", "l-inr,l-new,l-prev,l-abo");
    assert_entries(b, "8716-3", "v-home,v-ward");
    assert_entries(b, "46240-8", "e-new,e-old");
    assert_null(json_get(section(b, "46240-8"), "extension"));

    b = summarize(a, story_resources, true, 0);
    assert_codes(b, "48765-2 10160-0 11450-4 11348-0 30954-2 8716-3 47519-4 46240-8 11369-6");
    assert_entries(b, "48765-2", "a-high,a-low");
    assert_entries(b, "10160-0", "m-new,m-markup,m-warf"); /* the anticoagulant is older, but stays */
    assert_entries(b, "46240-8", "e-new");
    assert_entries(b, "47519-4", "pr1");
    struct json *left = json_path(section(b, "46240-8"), "extension", "0", "valueInteger", NULL);
    assert_slice(left->text, "1");
    assert_true(holds(json_str(json_get(section(b, "46240-8"), "text"), "div"), "1 件"));
    arena_free(a);
}

/* Each of the states, and what the reason says. */
static void says_what_is_absent(void **state)
{
    static const char none_known[] =
        "[{\"resourceType\":\"AllergyIntolerance\",\"id\":\"n\",\"code\":{\"coding\":[{\"system\":"
        "\"http://snomed.info/sct\",\"code\":\"716186003\"}],\"text\":\"既知のアレルギーなし\"},"
        "\"patient\":{\"reference\":\"Patient/p1\"},\"recordedDate\":\"2025-01-01\"}]";
    static const struct {
        const char *resources;
        uint64_t withheld;
        const char *reason; /* NULL: none, because there is an entry */
        const char *state;
        const char *said;
    } cases[] = {
        {"[]", 0, "unavailable", "unavailable", "意味ではありません"},
        {"[]", CATEGORY_BIT(CATEGORY_ALLERGY), "withheld", "withheld", "表示できません"},
        {none_known, 0, NULL, "nilknown", "アレルギーなしと確認"},
        {story_resources, 0, NULL, "present", "ペニシリン系抗菌薬"},
        {story_resources, CATEGORY_BIT(CATEGORY_ALLERGY), NULL, "present", "表示していません"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
        struct json *b = summarize(a, cases[i].resources, false, cases[i].withheld);
        struct json *s = section(b, "48765-2");
        struct json *reason = json_path(s, "emptyReason", "coding", "0", NULL);
        assert_non_null(s);
        assert_true((reason == NULL) != (json_get(s, "entry") == NULL));
        if (cases[i].reason)
            assert_slice(json_str(reason, "code"), cases[i].reason);
        assert_true(holds(json_str(json_get(s, "text"), "div"), cases[i].said));
        assert_slice(json_str(view_section(view_of(a, b), "allergies"), "state"), cases[i].state);
        assert_non_null(section(b, "11450-4")); /* the required ones are always there */
        assert_non_null(section(b, "10160-0"));
        arena_free(a);
    }
}

static void says_what_is_withheld(void **state)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *b = summarize(a, "[]", false, CATEGORY_ALL);
    struct json *list = json_path(b, "entry", "0", "resource", "section", NULL);
    (void)state;
    assert_codes(b, "11450-4 10160-0 48765-2 30954-2 8716-3 47519-4 11369-6 46240-8");
    for (const struct json *s = list->first; s; s = s->next) {
        struct json *reason = json_get(s, "emptyReason");
        assert_slice(json_str(json_path(reason, "coding", "0", NULL), "code"), "withheld");
        assert_true(holds(json_str(reason, "text"), "not available to this reader"));
    }
    arena_free(a);
}

static struct json *row(const struct json *view, const char *key, unsigned n)
{
    return json_at(json_get(view_section(view, key), "rows"), n);
}

static void shows_rows(void **state)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *v = view_of(a, summarize(a, story_resources, true, 0));
    static const struct {
        const char *section;
        unsigned row;
        const char *member, *text;
    } cases[] = {
        {"allergies", 0, "label", "ペニシリン系抗菌薬"},
        {"allergies", 0, "mark", "high-risk"},
        {"allergies", 0, "detail", "アナフィラキシー"},
        {"allergies", 0, "note_ja", "重大なリスクあり・重症"},
        {"allergies", 0, "date", "2019-06-12"},
        {"allergies", 0, "source", "みなと総合病院"},
        {"medications", 2, "mark", "anticoagulant"},
        {"medications", 0, "detail", "1日1回 朝食後 1回1錠 56日分"},
        {"results", 0, "unit", "INR"},
        {"results", 1, "label", "クレアチニン"},
        {"results", 1, "value", "1.20"}, /* digits kept */
        {"results", 1, "unit", "mg/dL"},
        {"results", 1, "range", "0.46–1.07"},
        {"results", 1, "mark", "high"},
        {"results", 1, "previous", "1.02"},
        {"results", 1, "previous_date", "2025-08-04"},
        {"results", 2, "note_ja", "参考・要再検査"},
        {"vitals", 0, "label", "血圧"},
        {"vitals", 0, "value", "132/84"},
        {"vitals", 0, "unit", "mmHg"},
        {"vitals", 0, "date", "2025-11-22 07:10"}, /* JST */
        {"vitals", 0, "note_en", "measured at home"},
        {"encounters", 0, "label", "外来 循環器内科"},
        {"encounters", 0, "label_en", "outpatient 循環器内科"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++)
        assert_slice(json_str(row(v, cases[i].section, cases[i].row), cases[i].member),
                     cases[i].text);
    assert_true(json_is_true(json_get(v, "emergency")));
    assert_slice(json_str(v, "made"), "2025-11-22 17:00");
    assert_null(json_get(row(v, "medications", 0), "mark"));
    assert_null(row(v, "encounters", 1));
    arena_free(a);
}

/* The same allergen from two hospitals is one line, unless the other says more. */
static void says_an_allergy_once(void **state)
{
#define ALLERGY(id, name, rest)                                                                    \
    "{\"resourceType\":\"AllergyIntolerance\",\"id\":\"" id "\",\"code\":{\"text\":\"" name         \
    "\"},\"patient\":{\"reference\":\"Patient/p1\"}" rest "}"
#define REACTION(what, how)                                                                        \
    ",\"reaction\":[{\"manifestation\":[{\"text\":\"" what "\"}],\"severity\":\"" how "\"}]"
    static const char list[] =
        "[" ALLERGY("1", "ＰＣ", "") "," ALLERGY("2", "PC", REACTION("発疹", "mild")) ","
        ALLERGY("3", "pc", REACTION("ショック", "severe")) ","
        ALLERGY("4", "PC", REACTION("ショック", "severe")) "," ALLERGY("5", "卵", "") "]";
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *b = summarize(a, list, true, 0), *v = view_of(a, b);
    (void)state;
    assert_int_equal(json_get(section(b, "48765-2"), "entry")->count, 5);
    assert_int_equal(json_get(view_section(v, "allergies"), "rows")->count, 3);
    assert_slice(json_str(row(v, "allergies", 0), "detail"), "ショック");
    assert_slice(json_str(row(v, "allergies", 1), "detail"), "発疹");
    assert_slice(json_str(row(v, "allergies", 2), "label"), "卵");
    arena_free(a);
}

/* The dose and the days stand in the row, once. */
static void says_the_dose_once(void **state)
{
    static const struct {
        const char *text, *value, *detail;
    } cases[] = {
        {"１日１回夕食後", "2.5 錠", "１日１回夕食後 35日分"},
        {"１日１回夕食後 １回2.5錠", NULL, "１日１回夕食後 １回2.5錠 35日分"},
        {"夕食後 35日分", "2.5 錠", "夕食後 35日分"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
        struct json *m = parse(a, "{\"resourceType\":\"MedicationRequest\",\"status\":\"active\","
                                  "\"dosageInstruction\":[{\"doseAndRate\":[{\"doseQuantity\":{"
                                  "\"value\":2.5,\"unit\":\"錠\"}}]}],\"dispenseRequest\":{"
                                  "\"expectedSupplyDuration\":{\"value\":35,\"code\":\"d\"}}}");
        json_put_text(a, json_path(m, "dosageInstruction", "0", NULL), "text", cases[i].text);
        struct json *r = row_make(a, FACTS_MEDICATIONS, m, NULL);
        assert_slice(json_str(r, "detail"), cases[i].detail);
        if (cases[i].value)
            assert_slice(json_str(r, "value"), cases[i].value);
        else
            assert_null(json_get(r, "value"));
        arena_free(a);
    }
}

/* An outpatient who "arrived" last year has left; a stay without an end goes on. */
static void knows_who_is_still_there(void **state)
{
    static const char list[] =
        "[{\"resourceType\":\"Encounter\",\"id\":\"out\",\"status\":\"arrived\",\"class\":{\"code\":"
        "\"AMB\"},\"period\":{\"start\":\"2025-01-05\"}},{\"resourceType\":\"Encounter\",\"id\":\"in\","
        "\"status\":\"in-progress\",\"class\":{\"code\":\"IMP\"},\"period\":{\"start\":\"2025-01-05\"}}]";
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    (void)state;
    assert_entries(summarize(a, list, true, 0), "46240-8", "in");
    arena_free(a);
}

static void finds_anticoagulants(void **state)
{
    static const struct {
        const char *name;
        bool is;
    } cases[] = {
        {"ワーファリン錠1mg", true},  {"ﾜｰﾌｧﾘﾝ錠", true},           {"ＷＡＲＦＡＲＩＮ", true},
        {"エリキュース錠5mg", true},  {"Rivaroxaban 15 mg", true},  {"リクシアナOD錠", true},
        {"プラザキサカプセル", true}, {"ヘパリンＮａ注", true},     {"ヘパリン類似物質クリーム", false},
        {"バイアスピリン錠", false},  {"", false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *a = arena_new(100000);
        struct json *m = json_new(a, JSON_OBJECT);
        json_put_text(a, json_put_object(a, m, "medicationCodeableConcept"), "text", cases[i].name);
        if (facts_is_anticoagulant(a, m) != cases[i].is)
            fail_msg("%s", cases[i].name);
        arena_free(a);
    }
}

static void shows_the_banner(void **state)
{
    static const struct {
        const char *patient, *member, *text;
    } cases[] = {
        {story_patient, "name", "髙橋 美咲"},
        {story_patient, "kana", "タカハシ ミサキ"},
        {story_patient, "birth_ja", "1948年4月5日（昭和23年）"},
        {story_patient, "birth_en", "1948-04-05"},
        {story_patient, "age_ja", "77歳"},
        {story_patient, "sex_ja", "女性"},
        {"{\"birthDate\":\"2019-05-01\"}", "birth_ja", "2019年5月1日（令和元年）"},
        {"{\"birthDate\":\"1989-01-07\"}", "birth_ja", "1989年1月7日（昭和64年）"},
        {"{\"birthDate\":\"1912-07-29\"}", "birth_ja", "1912年7月29日（明治45年）"},
        {"{\"birthDate\":\"1950\"}", "birth_ja", "1950年（月日は不明）"},
        {"{\"birthDate\":\"1950\"}", "age_ja", NULL},
        {"{\"birthDate\":\"2024-09-23\"}", "age_ja", "1歳1か月"},
        {"{\"birthDate\":\"2025-11-20\"}", "age_ja", "生後2日"},
        {"{\"birthDate\":\"2026-11-20\"}", "age_ja", NULL},
        {"{\"birthDate\":\"2000-11-23\"}", "age_ja", "24歳"},
        {"{\"birthDate\":\"2000-11-22\"}", "age_ja", "25歳"},
        {"{\"birthDate\":\"1930-01-01\",\"deceasedDateTime\":\"2020-06-01\"}", "age_ja", "90歳"},
        {"{\"name\":[{\"text\":\"John Smith\"}]}", "name", "John Smith"},
        {"{}", "name", NULL},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *a = arena_new(100000);
        struct json *banner = banner_make(a, parse(a, cases[i].patient), STORY_NOW);
        if (cases[i].text)
            assert_slice(json_str(banner, cases[i].member), cases[i].text);
        else
            assert_null(json_get(banner, cases[i].member));
        arena_free(a);
    }
}

static void shows_dates(void **state)
{
    struct arena *a = arena_new(100000);
    (void)state;
    assert_slice(row_date(a, SLICE("2021-03"), true), "2021-03");
    assert_slice(row_date(a, SLICE("2025-11-21T20:00:00Z"), false), "2025-11-22");
    assert_slice(row_date(a, SLICE("2025-11-21T20:00:00Z"), true), "2025-11-22 05:00");
    assert_slice(row_date(a, SLICE("2025-11-2xT20:00:00Z"), true), "2025-11-2x");
    arena_free(a);
}

/* Full memory and odd shapes end with an error or a document, never otherwise. */
static void survives(void **state)
{
    static const char *const odd[] = {
        "[{\"resourceType\":\"Observation\",\"id\":\"o\",\"valueQuantity\":3,\"code\":[1]}]",
        "[{\"resourceType\":\"AllergyIntolerance\",\"id\":\"o\",\"reaction\":{\"x\":1},\"code\":5}]",
        ("[{\"resourceType\":\"MedicationRequest\",\"id\":\"o\",\"medicationReference\":{\"reference\":"
         "\"#\"},\"dosageInstruction\":[3],\"status\":7}]"),
        "[{\"resourceType\":\"Encounter\",\"id\":\"o\",\"period\":\"x\",\"class\":[]}]",
        "[{\"id\":\"o\"},{},3,null,\"x\"]",
    };
    struct json *view = NULL;
    (void)state;
    for (size_t i = 0; i < T_COUNT(odd); i++) {
        struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
        view_of(a, summarize(a, odd[i], true, 0));
        arena_free(a);
    }
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    assert_int_equal(summary_view(a, parse(a, "{}"), STORY_NOW, &view), ERR_INVALID);
    struct json *list = parse(a, story_resources), *patient = parse(a, story_patient);
    const struct json *items[100];
    struct summary_input input = {.patient = patient, .resources = items, .base_url = SLICE(BASE),
                                  .now_ms = STORY_NOW};
    for (const struct json *r = list->first; r; r = r->next)
        items[input.count++] = r;
    for (size_t room = 0; room < 200000; room += 2500) {
        struct arena *small = arena_new(room);
        struct json *bundle = NULL;
        enum err err = summary_bundle(small, &input, make_id, &bundle);
        assert_true(err == ERR_LIMIT || (err == ERR_OK && bundle));
        if (!err) {
            err = summary_view(small, bundle, STORY_NOW, &view);
            assert_true(err == ERR_LIMIT || err == ERR_OK);
        }
        arena_free(small);
    }
    arena_free(a);
}

static void is_valid_r4(void **state)
{
    (void)state;
#ifdef VALIDATOR
    for (int emergency = 0; emergency < 2; emergency++) {
        struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
        struct err_list errors;
        err_list_init(&errors, a);
        struct json *b = summarize(a, story_resources, emergency, CATEGORY_BIT(CATEGORY_IMAGING));
        enum err err = validate_resource(b, SLICE("Bundle"), &errors);
        for (const struct err_item *i = errors.first; i; i = i->next)
            print_message("%s: %s\n", i->place, i->en);
        assert_int_equal(err, ERR_OK);
        arena_free(a);
    }
#else
    print_message("skipped: validator is not here\n");
    skip();
#endif
}

static int start(void **state)
{
    (void)state;
    return page_init() == ERR_OK ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    page_fini();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_document),       cmocka_unit_test(chooses_and_orders),
        cmocka_unit_test(says_what_is_absent), cmocka_unit_test(says_what_is_withheld),
        cmocka_unit_test(shows_rows),          cmocka_unit_test(says_an_allergy_once),
        cmocka_unit_test(knows_who_is_still_there), cmocka_unit_test(says_the_dose_once),
        cmocka_unit_test(finds_anticoagulants),
        cmocka_unit_test(shows_the_banner),    cmocka_unit_test(shows_dates),
        cmocka_unit_test(survives),            cmocka_unit_test(is_valid_r4),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
