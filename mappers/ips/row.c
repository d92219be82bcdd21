/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes rows. Numbers keep the digits they came with; units are never converted; a value with a
 * comparator keeps it. Codes that R4 requires (criticality, severity, status, interpretation)
 * become words of both languages by table; any other text is passed on as recorded. Nothing is
 * judged here beyond what the sender's flags say.
 */
#include "mappers/ips/row.h"

#include "base/when.h"

#include "base/banned.h"

struct word {
    const char *code;
    const char *ja;
    const char *en;
};

static const struct word criticalities[] = {
    {"high", "重大なリスクあり", "high risk"}, {"low", "低リスク", "low risk"}, {NULL, NULL, NULL}};
static const struct word severities[] = {{"severe", "重症", "severe"},
                                         {"moderate", "中等症", "moderate"},
                                         {"mild", "軽症", "mild"},
                                         {NULL, NULL, NULL}};
static const struct word verdicts[] = {{"unconfirmed", "未確認", "unconfirmed"},
                                       {"provisional", "疑い", "provisional"},
                                       {"differential", "疑い", "differential"},
                                       {NULL, NULL, NULL}};
static const struct word statuses[] = {
    {"stopped", "中止", "stopped"},         {"on-hold", "休止中", "on hold"},
    {"preliminary", "暫定", "preliminary"}, {"registered", "結果待ち", "pending"},
    {"inactive", "現在はなし", "inactive"}, {"resolved", "解消", "resolved"},
    {"remission", "寛解", "in remission"},  {NULL, NULL, NULL}};
static const struct word visits[] = {{"AMB", "外来", "outpatient"},
                                     {"IMP", "入院", "inpatient"},
                                     {"ACUTE", "入院", "inpatient"},
                                     {"NONAC", "入院", "inpatient"},
                                     {"EMER", "救急", "emergency"},
                                     {"HH", "在宅", "home care"},
                                     {"VR", "オンライン", "virtual"},
                                     {"SS", "短期滞在", "short stay"},
                                     {NULL, NULL, NULL}};
static const struct word vitals[] = {{"85354-9", "血圧", "Blood pressure"},
                                     {"8480-6", "収縮期血圧", "Systolic pressure"},
                                     {"8462-4", "拡張期血圧", "Diastolic pressure"},
                                     {"8867-4", "脈拍", "Pulse"},
                                     {"8310-5", "体温", "Temperature"},
                                     {"29463-7", "体重", "Weight"},
                                     {"8302-2", "身長", "Height"},
                                     {"39156-5", "BMI", "BMI"},
                                     {"59408-5", "SpO2", "SpO2"},
                                     {"2708-6", "SpO2", "SpO2"},
                                     {"9279-1", "呼吸数", "Respiration"},
                                     {"41950-7", "歩数", "Steps"},
                                     {"55423-8", "歩数", "Steps"},
                                     {"41982-0", "体脂肪率", "Body fat"},
                                     {NULL, NULL, NULL}};

static const struct word *find(const struct word *table, struct slice code)
{
    for (; code.len && table->code; table++)
        if (slice_is(code, table->code))
            return table;
    return NULL;
}

static const struct word *find_concept(const struct word *table, const struct json *concept)
{
    const struct json *coding = json_get(concept, "coding");
    const struct word *found = NULL;
    for (const struct json *c = coding ? coding->first : NULL; c && !found; c = c->next)
        found = find(table, json_str(c, "code"));
    return found;
}

/* A with B behind it, SEPARATOR between when both are there. */
static struct slice join(struct arena *arena, struct slice a, const char *separator, struct slice b)
{
    if (!a.len || !b.len)
        return a.len ? a : b;
    return slice_str(arena_printf(arena, "%.*s%s%.*s", SLICE_ARG(a), separator, SLICE_ARG(b)));
}

struct row {
    struct arena *a;
    struct json *json;
    struct slice note_ja;
    struct slice note_en;
};

static void note(struct row *r, const struct word *word)
{
    if (!word)
        return;
    r->note_ja = join(r->a, r->note_ja, "・", slice_str(word->ja));
    r->note_en = join(r->a, r->note_en, ", ", slice_str(word->en));
}

static void put(struct row *r, const char *key, struct slice text)
{
    json_put_str(r->a, r->json, key, text);
}

struct slice row_date(struct arena *arena, struct slice text, bool time)
{
    struct when when;
    struct buf out;
    if (text.len <= 10)
        return text;
    if (!when_parse_fhir(text, true, &when))
        return slice_sub(text, 0, 10);
    buf_init(&out, 64);
    when_print_instant(&out, when.lo_ms);
    struct slice day = arena_dup(arena, slice_sub(buf_slice(&out), 0, 10));
    struct slice hour = arena_dup(arena, slice_sub(buf_slice(&out), 11, 5));
    buf_fini(&out);
    return time ? join(arena, day, " ", hour) : day;
}

/* ── values ───────────────────────────────────────────────────────────────────────────────────────
 */

static struct slice literal(const struct json *value)
{
    return value && (value->kind == JSON_NUMBER || value->kind == JSON_STRING) ? value->text
                                                                               : SLICE_NONE;
}

/* The unit as people write it; the number stays what it was. */
static struct slice unit_of(const struct json *quantity)
{
    static const struct word spellings[] = {
        {"mm[Hg]", "mmHg", ""},     {"mm(hg)", "mmHg", ""},
        {"Cel", "℃", ""},           {"cel", "℃", ""},
        {"/uL", "/µL", ""},         {"10*3/uL", "×10³/µL", ""},
        {"10*4/uL", "×10⁴/µL", ""}, {".10*4/uL", "×10⁴/µL", ""},
        {"10*6/uL", "×10⁶/µL", ""}, {".10*3/uL", "×10³/µL", ""},
        {"kg/m2", "kg/m²", ""},     {"mL/min/{1.73_m2}", "mL/min/1.73m²", ""},
        {"{steps}/d", "/日", ""},   {"{steps}", "", ""},
        {NULL, NULL, NULL}};
    struct slice unit = json_str(quantity, "unit");
    if (!unit.len)
        unit = json_str(quantity, "code");
    const struct word *known = find(spellings, unit);
    if (known)
        return slice_str(known->ja);
    if (unit.len > 2 && unit.ptr[0] == '{' && unit.ptr[unit.len - 1] == '}')
        return slice_sub(unit, 1, unit.len - 2); /* a UCUM annotation: {INR} */
    return unit;
}

static struct slice number_of(struct arena *arena, const struct json *quantity)
{
    return join(arena, json_str(quantity, "comparator"), "", literal(json_get(quantity, "value")));
}

static struct slice range_of(struct arena *arena, const struct json *range)
{
    struct slice low = number_of(arena, json_get(range, "low"));
    struct slice high = number_of(arena, json_get(range, "high"));
    if (!low.len && !high.len)
        return json_str(range, "text");
    return slice_str(arena_printf(arena, "%.*s–%.*s", SLICE_ARG(low), SLICE_ARG(high)));
}

/* The value of an Observation or of a component, without its unit. */
static struct slice value_of(struct arena *arena, const struct json *holder)
{
    static const char *const plain[] = {"valueString", "valueInteger", "valueTime", NULL};
    const struct json *truth = json_get(holder, "valueBoolean");
    if (json_get(holder, "valueQuantity"))
        return number_of(arena, json_get(holder, "valueQuantity"));
    if (json_get(holder, "valueCodeableConcept"))
        return facts_text(json_get(holder, "valueCodeableConcept"));
    if (json_get(holder, "valueRange"))
        return range_of(arena, json_get(holder, "valueRange"));
    if (json_get(holder, "valueDateTime"))
        return row_date(arena, json_str(holder, "valueDateTime"), true);
    if (json_get(holder, "valueRatio")) {
        const struct json *ratio = json_get(holder, "valueRatio");
        return join(arena, number_of(arena, json_get(ratio, "numerator")), ":",
                    number_of(arena, json_get(ratio, "denominator")));
    }
    if (truth)
        return json_is_true(truth) ? SLICE("+") : SLICE("−");
    for (const char *const *p = plain; *p; p++)
        if (json_get(holder, *p))
            return literal(json_get(holder, *p));
    return facts_text(json_get(holder, "dataAbsentReason"));
}

static const struct json *component(const struct json *observation, const char *code)
{
    const struct json *list = json_get(observation, "component");
    for (const struct json *c = list ? list->first : NULL; c; c = c->next)
        if (facts_has_code(json_get(c, "code"), code))
            return c;
    return NULL;
}

/* Components side by side: 132/84 for a blood pressure, "name value unit" for others. */
static struct slice components_of(struct arena *arena, const struct json *observation,
                                  struct slice *ret_unit)
{
    const struct json *high = component(observation, "8480-6");
    const struct json *low = component(observation, "8462-4");
    const struct json *list = json_get(observation, "component");
    struct slice all = SLICE_NONE;
    if (high && low) {
        *ret_unit = unit_of(json_get(high, "valueQuantity"));
        return join(arena, value_of(arena, high), "/", value_of(arena, low));
    }
    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        struct slice one = join(arena, facts_text(json_get(c, "code")), " ", value_of(arena, c));
        one = join(arena, one, " ", unit_of(json_get(c, "valueQuantity")));
        all = join(arena, all, "、", one);
    }
    return all;
}

static struct slice observed(struct arena *arena, const struct json *observation,
                             struct slice *ret_unit)
{
    struct slice value = value_of(arena, observation);
    *ret_unit = unit_of(json_get(observation, "valueQuantity"));
    if (!value.len)
        value = components_of(arena, observation, ret_unit);
    return value;
}

/* The sender's flag: R4 interpretation codes and the letters of HL7 v2. */
static const char *flag_of(const struct json *observation)
{
    static const struct word flags[] = {{"HH", "critical-high", ""}, {"LL", "critical-low", ""},
                                        {"H", "high", ""},           {"HU", "critical-high", ""},
                                        {"LU", "critical-low", ""},  {"L", "low", ""},
                                        {"AA", "critical", ""},      {"A", "abnormal", ""},
                                        {"POS", "abnormal", ""},     {NULL, NULL, NULL}};
    const struct json *list = json_get(observation, "interpretation");
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        const struct word *found = find_concept(flags, i);
        if (found)
            return found->ja;
    }
    return NULL;
}

/* ── sections ─────────────────────────────────────────────────────────────────────────────────────
 */

static void row_allergy(struct row *r, const struct json *x)
{
    const struct json *reactions = json_get(x, "reaction");
    put(r, "detail", facts_reaction(r->a, x));
    note(r, find(criticalities, json_str(x, "criticality")));
    for (const struct json *n = reactions ? reactions->first : NULL; n; n = n->next)
        note(r, find(severities, json_str(n, "severity")));
    note(r, find_concept(statuses, json_get(x, "clinicalStatus")));
    note(r, find_concept(verdicts, json_get(x, "verificationStatus")));
}

static void row_condition(struct row *r, const struct json *x)
{
    put(r, "detail", facts_text(json_path(x, "bodySite", "0", NULL)));
    note(r, find_concept(statuses, json_get(x, "clinicalStatus")));
    note(r, find_concept(verdicts, json_get(x, "verificationStatus")));
    note(r, find(severities, facts_code(json_get(x, "severity"), NULL)));
}

/* "2.5 錠", unless TEXT says the unit and so the dose itself. */
static struct slice dose_of(struct row *r, const struct json *dosage, struct slice text)
{
    const struct json *quantity = json_path(dosage, "doseAndRate", "0", "doseQuantity", NULL);
    if (!quantity)
        quantity = json_get(dosage, "dose"); /* MedicationAdministration */
    struct slice unit = unit_of(quantity), number = number_of(r->a, quantity);
    if (!number.len || (unit.len && slice_search(text, unit, 0) < text.len))
        return SLICE_NONE;
    return join(r->a, number, " ", unit);
}

/* How long the drug lasts: "35日分", unless TEXT says it. */
static struct slice supply_of(struct row *r, const struct json *x, struct slice text)
{
    struct slice days =
        literal(json_path(x, "dispenseRequest", "expectedSupplyDuration", "value", NULL));
    struct slice code =
        json_str(json_path(x, "dispenseRequest", "expectedSupplyDuration", NULL), "code");
    if (!days.len || !slice_is(code, "d") || slice_search(text, SLICE("日分"), 0) < text.len)
        return SLICE_NONE;
    return slice_str(arena_printf(r->a, "%.*s日分", SLICE_ARG(days)));
}

static void row_medication(struct row *r, const struct json *x)
{
    static const struct word forbidden = {"", "投与しないこと", "do not give"};
    const struct json *dosage = json_path(x, "dosageInstruction", "0", NULL);
    if (!dosage)
        dosage = json_path(x, "dosage", "0", NULL) ? json_path(x, "dosage", "0", NULL)
                                                   : json_get(x, "dosage");
    struct slice text = json_str(dosage, "text");
    if (!text.len)
        text = facts_text(json_path(dosage, "timing", "code", NULL));
    put(r, "value", dose_of(r, dosage, text));
    put(r, "detail", join(r->a, text, " ", supply_of(r, x, text)));
    note(r, find(statuses, json_str(x, "status")));
    if (json_is_true(json_get(x, "doNotPerform")))
        note(r, &forbidden);
}

static void row_observation(struct row *r, const struct json *x)
{
    struct slice unit = SLICE_NONE;
    put(r, "value", observed(r->a, x, &unit));
    put(r, "unit", unit);
    put(r, "range", range_of(r->a, json_path(x, "referenceRange", "0", NULL)));
    json_put_text(r->a, r->json, "mark", flag_of(x));
    note(r, find(statuses, json_str(x, "status")));
}

static void row_result(struct row *r, const struct json *x)
{
    static const struct word unverified = {"", "参考・要再検査", "unverified, retest required"};
    if (slice_is(json_str(x, "resourceType"), "DiagnosticReport")) {
        put(r, "detail", json_str(x, "conclusion"));
        note(r, find(statuses, json_str(x, "status")));
        return;
    }
    row_observation(r, x);
    if (facts_is_blood_type(r->a, x))
        note(r, &unverified);
}

static void row_vital(struct row *r, const struct json *x)
{
    static const struct word home = {"", "家庭で測定", "measured at home"};
    const struct word *known = find_concept(vitals, json_get(x, "code"));
    if (known) {
        json_put_text(r->a, r->json, "label", known->ja);
        json_put_text(r->a, r->json, "label_en", known->en);
    }
    row_observation(r, x);
    if (facts_is_home(x))
        note(r, &home);
}

static void row_encounter(struct row *r, const struct json *x)
{
    const struct word *kind = find(visits, json_str(json_get(x, "class"), "code"));
    struct slice what = facts_text(json_get(x, "serviceType"));
    if (!what.len)
        what = facts_text(json_path(x, "type", "0", NULL));
    if (kind) {
        put(r, "label", join(r->a, slice_str(kind->ja), " ", what));
        put(r, "label_en", join(r->a, slice_str(kind->en), " ", what));
    } else {
        put(r, "label", join(r->a, json_str(json_get(x, "class"), "display"), " ", what));
    }
    put(r, "detail", facts_text(json_path(x, "reasonCode", "0", NULL)));
}

static void row_plain(struct row *r, const struct json *x)
{
    struct slice detail = facts_text(json_path(x, "bodySite", "0", NULL));
    if (!detail.len)
        detail = json_str(x, "description");
    if (!detail.len)
        detail = json_str(x, "lotNumber");
    put(r, "detail", detail);
    note(r, find(statuses, json_str(x, "status")));
}

typedef void (*row_cb)(struct row *r, const struct json *x);
static const row_cb makers[FACTS_SECTIONS] = {
    [FACTS_ALLERGIES] = row_allergy,   [FACTS_MEDICATIONS] = row_medication,
    [FACTS_PROBLEMS] = row_condition,  [FACTS_PAST] = row_condition,
    [FACTS_RESULTS] = row_result,      [FACTS_VITALS] = row_vital,
    [FACTS_PROCEDURES] = row_plain,    [FACTS_DEVICES] = row_plain,
    [FACTS_IMMUNIZATIONS] = row_plain, [FACTS_ENCOUNTERS] = row_encounter,
    [FACTS_PLAN] = row_plain,          [FACTS_SOCIAL] = row_observation,
};

static void put_name(struct row *r, const struct json *x)
{
    struct slice name = facts_text(facts_concept(x));
    if (!name.len)
        name = json_str(json_get(x, "medicationReference"), "display");
    if (!name.len)
        name = json_str(json_get(x, "device"), "display");
    if (!name.len)
        name = json_str(x, "title");
    put(r, "label", name);
}

static void put_previous(struct row *r, const struct json *previous)
{
    struct slice unit = SLICE_NONE;
    struct slice date = row_date(r->a, facts_date(previous), false);
    if (!previous)
        return;
    put(r, "previous", observed(r->a, previous, &unit));
    put(r, "previous_date", date);
}

static void put_mark(struct row *r, enum facts_section section, const struct json *x)
{
    static const char *const urgent[FACTS_SECTIONS] = {
        [FACTS_ALLERGIES] = "high-risk", [FACTS_MEDICATIONS] = "anticoagulant"};
    enum facts_rank rank = facts_rank_of(r->a, section, x);
    if (rank == FACTS_URGENT)
        json_put_text(r->a, r->json, "mark", urgent[section]);
    else if (rank == FACTS_OVER)
        json_put_text(r->a, r->json, "mark",
                      section == FACTS_ALLERGIES && facts_is_none_known(x) ? "none-known" : "over");
}

struct json *row_make(struct arena *arena, enum facts_section section, const struct json *resource,
                      const struct json *previous)
{
    struct row r = {.a = arena, .json = json_new(arena, JSON_OBJECT)};
    bool time = section == FACTS_VITALS;
    put_name(&r, resource);
    makers[section](&r, resource);
    put_mark(&r, section, resource);
    put_previous(&r, previous);
    put(&r, "note_ja", r.note_ja);
    put(&r, "note_en", r.note_en);
    put(&r, "date", row_date(arena, facts_date(resource), time));
    put(&r, "until", row_date(arena, facts_date_until(resource), time));
    put(&r, "source", facts_source(resource));
    return arena_exhausted(arena) ? NULL : r.json;
}
