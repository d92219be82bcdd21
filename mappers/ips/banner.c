/* SPDX-License-Identifier: Apache-2.0
 *
 * Patient (JP Core) to banner. Names carry their script in the ISO 21090 representation extension:
 * IDE kanji, SYL kana, ABC Latin. An age is computed only from a full birth date; infants' in
 * months or days. Eras since Meiji; the first year of an era is 元年. No silent replacement of
 * characters.
 */
#include "mappers/ips/banner.h"

#include "base/when.h"

#include "base/banned.h"

#define REPRESENTATION "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
#define CARD_SYSTEM "urn:tasuki:clinic-card"
#define LOCAL_SYSTEM "urn:oid:1.2.392.100495.20.3.51."

static struct slice person_name(struct arena *arena, const struct json *name)
{
    const struct json *given = json_get(name, "given");
    struct slice family = json_str(name, "family");
    struct slice all = family;
    if (!family.len && !given)
        return json_str(name, "text");
    for (const struct json *g = given ? given->first : NULL; g; g = g->next)
        if (g->kind == JSON_STRING)
            all = slice_str(arena_printf(arena, "%.*s%s%.*s", SLICE_ARG(all), all.len ? " " : "",
                                         SLICE_ARG(g->text)));
    return all;
}

static struct slice representation(const struct json *name)
{
    const struct json *list = json_get(name, "extension");
    for (const struct json *e = list ? list->first : NULL; e; e = e->next)
        if (slice_is(json_str(e, "url"), REPRESENTATION))
            return json_str(e, "valueCode");
    return SLICE_NONE;
}

static void put_names(struct arena *a, struct json *banner, const struct json *patient)
{
    const struct json *list = json_get(patient, "name");
    for (const struct json *n = list ? list->first : NULL; n; n = n->next) {
        struct slice script = representation(n);
        const char *member = slice_is(script, "SYL")   ? "kana"
                             : slice_is(script, "ABC") ? "roman"
                                                       : "name";
        if (!json_get(banner, member) && !slice_is(json_str(n, "use"), "old"))
            json_put_str(a, banner, member, person_name(a, n));
    }
}

struct day {
    int year, month, day; /* 0: not said */
};

static struct day day_of(struct slice date)
{
    struct day d = {0};
    uint64_t n = 0;
    if (slice_u64(slice_sub(date, 0, 4), &n))
        d.year = (int)n;
    if (date.len >= 7 && slice_u64(slice_sub(date, 5, 2), &n))
        d.month = (int)n;
    if (date.len >= 10 && slice_u64(slice_sub(date, 8, 2), &n))
        d.day = (int)n;
    return d;
}

/* 昭和23年; empty when the day is not fully known or before Meiji's solar calendar. */
static struct slice era_of(struct arena *a, struct day d)
{
    static const struct {
        int from;
        const char *name;
    } eras[] = {{20190501, "令和"},
                {19890108, "平成"},
                {19261225, "昭和"},
                {19120730, "大正"},
                {18730101, "明治"}};
    int number = d.year * 10000 + d.month * 100 + d.day;
    for (size_t i = 0; d.day && i < sizeof(eras) / sizeof(*eras); i++) {
        if (number < eras[i].from)
            continue;
        int first = i == 4 ? 1868 : eras[i].from / 10000;
        int year = d.year - first + 1;
        return slice_str(year == 1 ? arena_printf(a, "%s元年", eras[i].name)
                                   : arena_printf(a, "%s%d年", eras[i].name, year));
    }
    return SLICE_NONE;
}

static void put_birth(struct arena *a, struct json *banner, struct slice birth)
{
    struct day d = day_of(birth);
    struct slice era = era_of(a, d);
    if (!d.year)
        return;
    if (era.len)
        json_put_text(
            a, banner, "birth_ja",
            arena_printf(a, "%d年%d月%d日（%.*s）", d.year, d.month, d.day, SLICE_ARG(era)));
    else if (d.day)
        json_put_text(a, banner, "birth_ja",
                      arena_printf(a, "%d年%d月%d日", d.year, d.month, d.day));
    else if (d.month)
        json_put_text(a, banner, "birth_ja",
                      arena_printf(a, "%d年%d月（日は不明）", d.year, d.month));
    else
        json_put_text(a, banner, "birth_ja", arena_printf(a, "%d年（月日は不明）", d.year));
    json_put_str(a, banner, "birth_en", slice_sub(birth, 0, 10));
}

static void put_age(struct arena *a, struct json *banner, struct slice birth, int64_t until_ms)
{
    struct day b = day_of(birth);
    int now = when_day_number(until_ms);
    struct day t = {now / 10000, now / 100 % 100, now % 100};
    int months = (t.year - b.year) * 12 + t.month - b.month - (t.day < b.day);
    if (!b.day || months < 0)
        return;
    if (months >= 36) {
        json_put_text(a, banner, "age_ja", arena_printf(a, "%d歳", months / 12));
        json_put_text(a, banner, "age_en", arena_printf(a, "%d y", months / 12));
    } else if (months >= 1) {
        json_put_text(a, banner, "age_ja",
                      months >= 12 ? arena_printf(a, "%d歳%dか月", months / 12, months % 12)
                                   : arena_printf(a, "%dか月", months));
        json_put_text(a, banner, "age_en", arena_printf(a, "%d mo", months));
    } else {
        int64_t born = when_from_date(b.year, b.month, b.day);
        long long days = (long long)((until_ms - born) / 86400000);
        json_put_text(a, banner, "age_ja", arena_printf(a, "生後%lld日", days));
        json_put_text(a, banner, "age_en", arena_printf(a, "%lld d", days));
    }
}

/* A dead person's age is the age at death, where the time is known. */
static int64_t put_deceased(struct arena *a, struct json *banner, const struct json *patient,
                            int64_t now_ms)
{
    struct slice date = json_str(patient, "deceasedDateTime");
    struct when when;
    if (json_is_true(json_get(patient, "deceasedBoolean")) || date.len) {
        json_put_bool(a, banner, "deceased", true);
        json_put_str(a, banner, "deceased_date", slice_sub(date, 0, 10));
    }
    return when_parse_fhir(date, true, &when) ? when.lo_ms : now_ms;
}

static void put_sex(struct arena *a, struct json *banner, struct slice gender)
{
    static const struct {
        const char *code, *ja, *en;
    } sexes[] = {{"male", "男性", "male"},
                 {"female", "女性", "female"},
                 {"other", "その他", "other"},
                 {"unknown", "不明", "unknown"}};
    for (size_t i = 0; i < sizeof(sexes) / sizeof(*sexes); i++) {
        if (slice_is(gender, sexes[i].code)) {
            json_put_text(a, banner, "sex_ja", sexes[i].ja);
            json_put_text(a, banner, "sex_en", sexes[i].en);
        }
    }
}

static void put_id(struct arena *a, struct json *ids, const char *ja, const char *en,
                   struct slice value)
{
    struct json *id = json_push_object(a, ids);
    json_put_text(a, id, "label_ja", ja);
    json_put_text(a, id, "label_en", en);
    json_put_str(a, id, "value", value);
}

static void put_ids(struct arena *a, struct json *banner, const struct json *patient)
{
    const struct json *list = json_get(patient, "identifier");
    struct json *ids = json_put_array(a, banner, "ids");
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct slice value = json_str(i, "value");
        if (slice_is(json_str(i, "system"), CARD_SYSTEM) && value.len == 12)
            put_id(a, ids, "診察券", "Card",
                   slice_str(
                       arena_printf(a, "%.4s-%.4s-%.4s", value.ptr, value.ptr + 4, value.ptr + 8)));
    }
    for (const struct json *i = list ? list->first : NULL; i; i = i->next)
        if (slice_starts(json_str(i, "system"), SLICE(LOCAL_SYSTEM)))
            put_id(a, ids, "患者番号", "Patient no.", json_str(i, "value"));
}

static struct slice phone_of(const struct json *holder)
{
    const struct json *list = json_get(holder, "telecom");
    for (const struct json *t = list ? list->first : NULL; t; t = t->next)
        if (slice_is(json_str(t, "system"), "phone"))
            return json_str(t, "value");
    return SLICE_NONE;
}

static void put_contacts(struct arena *a, struct json *banner, const struct json *patient)
{
    const struct json *list = json_get(patient, "contact");
    struct json *contacts = json_put_array(a, banner, "contacts");
    json_put_str(a, banner, "phone", phone_of(patient));
    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        struct json *contact = json_push_object(a, contacts);
        json_put_str(a, contact, "name", person_name(a, json_get(c, "name")));
        json_put_str(a, contact, "phone", phone_of(c));
    }
}

struct json *banner_make(struct arena *arena, const struct json *patient, int64_t now_ms)
{
    struct json *banner = json_new(arena, JSON_OBJECT);
    struct slice birth = json_str(patient, "birthDate");
    put_names(arena, banner, patient);
    put_birth(arena, banner, birth);
    int64_t until = put_deceased(arena, banner, patient, now_ms);
    put_age(arena, banner, birth, until);
    put_sex(arena, banner, json_str(patient, "gender"));
    put_ids(arena, banner, patient);
    put_contacts(arena, banner, patient);
    return arena_exhausted(arena) ? NULL : banner;
}
