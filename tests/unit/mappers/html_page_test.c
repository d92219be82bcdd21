/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages: nothing in a record becomes markup, names that are no XML names, characters XML cannot
 * hold, both languages have every word, no script and no inline style, the emergency page's size,
 * and four threads on the same sheets. With TASUKI_PAGES=DIR the pages are also written there, to
 * be looked at in a browser.
 */
#include "lib/t.h"

#include <pthread.h>

#include "base/asset.h"
#include "base/category.h"
#include "base/limits.h"
#include "mappers/html/label.h"
#include "mappers/html/page.h"
#include "mappers/ips/summary.h"
#include "unit/mappers/ips_story.h"

#include "base/banned.h"

#define SUMMARY "mappers/html/summary.xsl"
#define ACCESS "mappers/html/access.xsl"
#define LANDING "mappers/html/landing.xsl"
#define SECTION "mappers/html/section.xsl"
#define BUNDLE "mappers/html/bundle.xsl"
#define PAGE_MAX (4u * LIMIT_MIB)

static void make_id(char ret_id[37])
{
    snprintf(ret_id, 37, "00000000-0000-4000-8000-000000000001");
}

static struct json *parse(struct arena *a, const char *text)
{
    struct json *root = NULL;
    assert_int_equal(json_parse(a, slice_str(text), &root, NULL), ERR_OK);
    return root;
}

static struct json *summary(struct arena *a, const char *resources, bool emergency,
                            uint64_t withheld)
{
    struct json *list = parse(a, resources), *bundle = NULL, *view = NULL;
    const struct json **items = arena_array(a, list->count + 1, sizeof(*items));
    struct summary_input input = {.patient = parse(a, story_patient),
                                  .resources = items,
                                  .base_url = SLICE("https://x/fhir"),
                                  .author = SLICE("みなと地域連携"),
                                  .now_ms = STORY_NOW,
                                  .emergency = emergency,
                                  .withheld = withheld};
    for (const struct json *r = list->first; r; r = r->next)
        items[input.count++] = r;
    assert_int_equal(summary_bundle(a, &input, make_id, &bundle), ERR_OK);
    assert_int_equal(summary_view(a, bundle, STORY_NOW, &view), ERR_OK);
    return view;
}

static void render(const char *sheet, const struct json *view, const char *lang, struct buf *out)
{
    buf_init(out, PAGE_MAX);
    assert_int_equal(page_render(sheet, view, lang, false, out), ERR_OK);
    assert_true(slice_is_utf8(buf_slice(out)));
}

static bool holds(const struct buf *page, const char *needle)
{
    return slice_search(buf_slice(page), slice_str(needle), 0) < page->len;
}

static void keep(const char *name, const struct buf *page)
{
    char path[4096];
    const char *folder = getenv("TASUKI_PAGES");
    if (!folder)
        return;
    snprintf(path, sizeof(path), "%s/%s.html", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(page->ptr, 1, page->len, file), page->len);
    fclose(file);
}

/* What our strict Content-Security-Policy would refuse, and what every page must have. */
static void assert_clean(const struct buf *page, const char *lang)
{
    char html[64];
    snprintf(html, sizeof(html), "<!DOCTYPE html>\n<html lang=\"%s\">", lang);
    assert_true(slice_starts(buf_slice(page), slice_str(html)));
    assert_false(holds(page, "<script"));
    assert_false(holds(page, "<style"));
    assert_false(holds(page, "style="));
    assert_false(holds(page, "javascript:"));
    assert_false(holds(page, "<b onclick"));
    assert_true(holds(page, "charset="));
    assert_true(holds(page, "href=\"/assets/tasuki.css\""));
}

static void renders_the_summary(void **state)
{
    static const struct {
        const char *name, *resources, *lang;
        uint64_t withheld;
        bool emergency;
        const char *said[5];
    } cases[] = {
        {"emergency-ja",
         story_resources,
         "ja",
         0,
         true,
         {"救急サマリー", "既知のアレルギーあり", "抗凝固薬あり", "77歳", "1234-5678-9012"}},
        {"emergency-en",
         story_resources,
         "en",
         0,
         true,
         {"Emergency summary", "Known allergies", "On anticoagulant", "77 y", "last 3 months"}},
        {"summary-ja",
         story_resources,
         "ja",
         0,
         false,
         {"患者サマリー", "胃潰瘍", "インフルエンザHA", "髙橋 美咲", "タカハシ ミサキ"}},
        {"empty-ja",
         "[]",
         "ja",
         0,
         true,
         {"allergies unavailable", "記録なし", "意味ではありません", "髙橋", "昭和23年"}},
        {"withheld-ja",
         "[]",
         "ja",
         CATEGORY_ALL,
         false,
         {"allergies withheld", "表示不可", "この利用者には表示できません", "髙橋", "女性"}},
        {"partly-ja",
         story_resources,
         "ja",
         CATEGORY_ALL,
         false,
         {"allergies present", "同意の範囲により表示していません", "髙橋", "ワルファリン", "▲高"}},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
        struct buf page;
        render(SUMMARY, summary(a, cases[i].resources, cases[i].emergency, cases[i].withheld),
               cases[i].lang, &page);
        keep(cases[i].name, &page);
        assert_clean(&page, cases[i].lang);
        for (size_t n = 0; n < 5; n++)
            if (!holds(&page, cases[i].said[n]))
                fail_msg("%s does not say: %s", cases[i].name, cases[i].said[n]);
        if (cases[i].resources == story_resources)
            assert_true(holds(&page, "&lt;script&gt;alert(1)"));
        assert_true(page.len < 20000); /* the bound is 14 KB compressed; this story is far below */
        buf_fini(&page);
        arena_free(a);
    }
}

static const char access_story[] =
    "{\"name\":\"髙橋 美咲\",\"home\":\"/\",\"bundle\":{\"resourceType\":\"Bundle\",\"type\":"
    "\"searchset\",\"entry\":["
    "{\"resource\":{\"resourceType\":\"AuditEvent\",\"recorded\":\"2025-11-22T03:12:45.000+09:00\","
    "\"outcome\":\"0\",\"subtype\":[{\"code\":\"operation\"},{\"system\":\"urn:tasuki:audit-"
    "event\","
    "\"code\":\"break-glass\"}],\"agent\":[{\"who\":{\"display\":\"港救命救急センター\"},"
    "\"purposeOfUse\":[{\"coding\":[{\"code\":\"BTG\"}]}]},{\"who\":{\"display\":\"Tasuki\"}},{"
    "\"who\""
    ":{\"identifier\":{\"value\":\"dr-07\"}},\"role\":[{\"coding\":[{\"code\":\"doctor\"}]}],"
    "\"purposeOfUse\":[{\"coding\":[{\"code\":\"BTG\"}]}]}],\"entity\":[{\"what\":{\"reference\":"
    "\"Patient/p1\"},\"type\":{\"code\":\"1\"},\"detail\":[{\"type\":\"reason\",\"valueString\":"
    "\"意識障害 <img src=x>\"}]}]}},"
    "{\"resource\":{\"resourceType\":\"AuditEvent\",\"recorded\":\"2025-11-20T10:00:00.000+09:00\","
    "\"outcome\":\"4\",\"subtype\":[{\"system\":\"urn:tasuki:audit-event\",\"code\":\"read\"}],"
    "\"agent\":[{\"who\":{\"display\":\"青葉クリニック\"},\"purposeOfUse\":[{\"coding\":[{\"code\":"
    "\"TREAT\"}]}]}],\"entity\":[{\"what\":{\"reference\":\"Observation/"
    "9\"},\"type\":{\"code\":\"2\"}"
    "}]}},"
    "{\"resource\":{\"resourceType\":\"AuditEvent\",\"recorded\":\"2025-11-19T09:00:00.000+09:00\","
    "\"outcome\":\"0\",\"subtype\":[{\"system\":\"urn:tasuki:audit-event\",\"code\":\"search\"}],"
    "\"agent\":[{\"who\":{\"display\":\"みなと総合病院\"},\"purposeOfUse\":[{\"coding\":[{\"code\":"
    "\"TREAT\"}]}]}],\"entity\":[{\"what\":{\"reference\":\"Patient/"
    "p1\"},\"type\":{\"code\":\"1\"},"
    "\"detail\":[{\"type\":\"count\",\"valueString\":\"12\"}]}]}}]}}";

static void renders_the_access_history(void **state)
{
    static const char *const said[] = {"港救命救急センター",
                                       "2025-11-22 03:12",
                                       "緊急時の閲覧",
                                       "医師",
                                       "意識障害 &lt;img",
                                       "拒否",
                                       "検査・測定",
                                       "診療のため",
                                       "(12 件)",
                                       "緊急閲覧が <b>1</b> 件"};
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *view = parse(a, access_story);
    struct buf page;
    (void)state;
    render(ACCESS, view, "ja", &page);
    keep("access-ja", &page);
    assert_clean(&page, "ja");
    for (size_t i = 0; i < T_COUNT(said); i++)
        if (!holds(&page, said[i]))
            fail_msg("not said: %s", said[i]);
    buf_fini(&page);
    render(ACCESS, json_get(view, "bundle"), "en", &page); /* the Bundle alone will do */
    keep("access-en", &page);
    assert_clean(&page, "en");
    assert_true(holds(&page, "Emergency access (break-glass)") && holds(&page, "Refused"));
    buf_fini(&page);
    render(ACCESS, parse(a, "{\"resourceType\":\"Bundle\"}"), "ja", &page);
    assert_true(holds(&page, "まだ閲覧の記録はありません"));
    buf_fini(&page);
    arena_free(a);
}

static void renders_the_first_page(void **state)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *view =
        parse(a, "{\"region\":\"みなと地域連携\",\"demo\":true,\"other\":\"/?lang=en\"}");
    struct buf page;
    (void)state;
    render(LANDING, view, "ja", &page);
    keep("landing-ja", &page);
    assert_clean(&page, "ja");
    assert_true(holds(&page, "共通診察券") && holds(&page, "架空") && holds(&page, "/?lang=en"));
    buf_fini(&page);
    json_set(
        view, "resident",
        parse(a, "{\"name\":\"髙橋 美咲\",\"kana\":\"タカハシ ミサキ\",\"summary\":\"/s?a=1&b=2\","
                 "\"history\":\"/h\"}"));
    render(LANDING, view, "en", &page);
    keep("landing-en", &page);
    assert_clean(&page, "en");
    assert_true(holds(&page, "Who looked") && holds(&page, "href=\"/s?a=1&amp;b=2\""));
    buf_fini(&page);
    arena_free(a);
}

static void renders_any_bundle(void **state)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *bundle = parse(a, "{\"resourceType\":\"Bundle\"}");
    struct json *entries = json_put_array(a, bundle, "entry");
    struct json *list = parse(a, story_resources);
    struct buf page;
    (void)state;
    for (const struct json *r = list->first; r; r = r->next)
        json_set(json_push_object(a, entries), "resource", json_clone(a, r));
    render(BUNDLE, bundle, "ja", &page);
    keep("bundle-ja", &page);
    assert_clean(&page, "ja");
    assert_true(holds(&page, "<dt>authoredOn</dt><dd>2025-11-10</dd>"));
    assert_true(holds(&page, "&lt;script&gt;alert(1)") && holds(&page, "1.20"));
    buf_fini(&page);
    arena_free(a);
}

/* As text in every place, markup stays text and broken bytes are seen to be broken. */
static void keeps_text_text(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"a\x01z", "a\xEF\xBF\xBDz"},
        {"a\xEF\xBF\xBEz", "a\xEF\xBF\xBDz"},
        {"\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"a\xE3\x81", "a\xEF\xBF\xBD"},
        {"</td><script>", "&lt;/td&gt;&lt;script&gt;"},
        {"&amp;&#65;", "&amp;amp;&amp;#65;"},
        {"葛\xF3\xA0\x84\x80城", "葛\xF3\xA0\x84\x80城"},
        {"]]>", "]]&gt;"},
        {"{{7*7}}", "{{7*7}}"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct arena *a = arena_new(100000);
        struct json *view = parse(a, "{\"state\":\"present\",\"rows\":[{}]}");
        struct buf out;
        json_put_str(a, json_path(view, "rows", "0", NULL), "label", slice_str(cases[i].text));
        buf_init(&out, PAGE_MAX);
        assert_int_equal(page_render(SECTION, view, "ja", true, &out), ERR_OK);
        assert_true(
            slice_starts(buf_slice(&out), SLICE("<div xmlns=\"http://www.w3.org/1999/xhtml\"")));
        if (!holds(&out, cases[i].shown))
            fail_msg("%s: %.*s", cases[i].text, (int)out.len, out.ptr);
        buf_fini(&out);
        arena_free(a);
    }
}

static void takes_any_view(void **state)
{
    static const char *const views[] = {
        "{}",
        "[]",
        "null",
        "3",
        "\"x\"",
        "{\"a b\":1,\"\":2,\"1x\":{\"x:y\":[[],[null]]},\"<\":3}",
        "{\"sections\":[{\"key\":\"allergies\",\"state\":\"?\",\"rows\":3}],\"patient\":[1,2]}",
    };
    static const char *const pages[] = {SUMMARY, ACCESS, LANDING, SECTION, BUNDLE};
    (void)state;
    for (size_t i = 0; i < T_COUNT(views); i++) {
        for (size_t p = 0; p < T_COUNT(pages); p++) {
            struct arena *a = arena_new(100000);
            struct buf out;
            render(pages[p], parse(a, views[i]), "ja", &out);
            buf_fini(&out);
            arena_free(a);
        }
    }
}

static void refuses_what_is_too_much(void **state)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *deep = json_new(a, JSON_ARRAY), *at = deep;
    struct buf out;
    (void)state;
    for (unsigned i = 0; i < LIMIT_JSON_DEPTH + 2; i++)
        at = json_push(at, json_new(a, JSON_ARRAY));
    buf_init(&out, PAGE_MAX);
    assert_int_equal(page_render(SECTION, deep, "ja", false, &out), ERR_TOO_DEEP);
    buf_fini(&out);
    buf_init(&out, 100);
    assert_int_equal(page_render(SUMMARY, json_new(a, JSON_OBJECT), "ja", false, &out),
                     ERR_TOO_LARGE);
    buf_fini(&out);
    arena_free(a);
}

static void assert_word(const char *sheet, struct slice id)
{
    const struct label *l = label_table;
    while (l->id && !slice_is(id, l->id))
        l++;
    if (!l->id)
        fail_msg("%s asks for the word %.*s", sheet, SLICE_ARG(id));
}

/* Every word a sheet asks for is in the table, and every word of the table is there once and says
 * something. */
static void has_every_word(void **state)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    struct slice mark = SLICE("$l/");
    unsigned asked = 0;
    (void)state;
    for (const struct label *l = label_table; l->id; l++) {
        assert_true(l->ja[0] || l->en[0]);
        for (const struct label *m = l + 1; m->id; m++)
            assert_string_not_equal(l->id, m->id);
    }
    for (const struct asset *s = mappers_assets; s->path; s++) {
        struct slice text = slice_of(s->bytes, s->len);
        for (size_t at = slice_search(text, mark, 0); at < text.len;
             at = slice_search(text, mark, at + 1)) {
            size_t len = strspn(text.ptr + at + mark.len, name);
            if (len == 0)
                continue; /* the id is made from a code */
            assert_word(s->path, slice_sub(text, at + mark.len, len));
            asked++;
        }
    }
    assert_true(asked > 60);
}

#define THREADS 4
#define ROUNDS 25
struct job {
    pthread_t thread;
    const struct json *view;
    struct buf first;
    unsigned different;
};

static void *work(void *context)
{
    struct job *job = context;
    for (int i = 0; i < ROUNDS; i++) {
        struct buf out;
        buf_init(&out, PAGE_MAX);
        enum err err = page_render(SUMMARY, job->view, "ja", false, &out);
        job->different += err != ERR_OK || !slice_eq(buf_slice(&out), buf_slice(&job->first));
        buf_fini(&out);
    }
    return NULL;
}

static void serves_threads(void **state)
{
    struct job jobs[THREADS] = {0};
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *view = summary(a, story_resources, true, 0);
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        jobs[i].view = view;
        render(SUMMARY, view, "ja", &jobs[i].first);
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_int_equal(jobs[i].different, 0);
        buf_fini(&jobs[i].first);
    }
    arena_free(a);
}

static void check_naughty(struct slice text)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST);
    struct json *view = summary(a, story_resources, true, 0);
    struct json *medications = json_at(json_get(view, "sections"), 1);
    struct buf page, fragment;
    json_put_str(a, json_path(medications, "rows", "0", NULL), "label", text);
    json_put_str(a, json_path(view, "patient", NULL), "name", text);
    render(SUMMARY, view, "ja", &page);
    assert_false(holds(&page, "<script"));
    assert_false(holds(&page, "<img"));
    assert_false(holds(&page, "<svg"));
    assert_false(holds(&page, "<a href=\"j"));
    buf_init(&fragment, PAGE_MAX);
    assert_int_equal(page_render(SECTION, medications, "ja", true, &fragment), ERR_OK);
    assert_false(holds(&fragment, "<script"));
    buf_fini(&fragment);
    buf_fini(&page);
    arena_free(a);
}

/* Strings that break programs, as the name of a drug and of a patient. */
static void survives_naughty_strings(void **state)
{
    char path[4096];
    static char line[70000];
    unsigned passed = 0;
    (void)state;
    if (!t_corpus("torture/naughty-strings/blns.txt", path, sizeof(path)))
        skip();
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        check_naughty(slice_trim(slice_str(line)));
        passed++;
    }
    fclose(file);
    printf("naughty strings: %u passed, 0 failed\n", passed);
    assert_true(passed > 500);
}

static int start(void **state)
{
    (void)state;
    return page_init() == ERR_OK && page_init() == ERR_OK ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    page_fini();
    page_fini();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_the_summary),      cmocka_unit_test(renders_the_access_history),
        cmocka_unit_test(renders_the_first_page),   cmocka_unit_test(renders_any_bundle),
        cmocka_unit_test(keeps_text_text),          cmocka_unit_test(takes_any_view),
        cmocka_unit_test(refuses_what_is_too_much), cmocka_unit_test(has_every_word),
        cmocka_unit_test(serves_threads),           cmocka_unit_test(survives_naughty_strings),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
