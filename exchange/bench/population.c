/* SPDX-License-Identifier: Apache-2.0
 *
 * The invented population (see population.h). Codes are LOINC's and ICD-10's own; names and values
 * are made up.
 */
#include "exchange/bench/population.h"

#include <stdio.h>
#include <time.h>

#include "base/limits.h"
#include "exchange/batch.h"
#include "exchange/bench/bench.h"

#include "base/banned.h"

#define ENCOUNTERS 4u
#define CONDITIONS 3u
#define PRESCRIPTIONS 3u
#define OTHERS (1 + ENCOUNTERS + CONDITIONS + PRESCRIPTIONS)
#define LOCAL_SYSTEM "urn:oid:1.2.392.100495.20.3.51.12210001018"

static const struct {
    const char *code, *display, *unit, *category;
    double low, high;
} kinds[] = {
    {"718-7", "Hemoglobin", "g/dL", "laboratory", 9, 17},
    {"4548-4", "Hemoglobin A1c", "%", "laboratory", 4.5, 11},
    {"2160-0", "Creatinine", "mg/dL", "laboratory", 0.4, 2.5},
    {"1742-6", "ALT", "U/L", "laboratory", 8, 90},
    {"1920-8", "AST", "U/L", "laboratory", 8, 90},
    {"2823-3", "Potassium", "mmol/L", "laboratory", 3, 6},
    {"2951-2", "Sodium", "mmol/L", "laboratory", 128, 150},
    {"6690-2", "Leukocytes", "10*3/uL", "laboratory", 2, 15},
    {"777-3", "Platelets", "10*3/uL", "laboratory", 80, 400},
    {"1988-5", "C reactive protein", "mg/L", "laboratory", 0, 90},
    {"8480-6", "Systolic blood pressure", "mm[Hg]", "vital-signs", 90, 190},
    {"8462-4", "Diastolic blood pressure", "mm[Hg]", "vital-signs", 50, 110},
    {"8867-4", "Heart rate", "/min", "vital-signs", 50, 120},
    {"8310-5", "Body temperature", "Cel", "vital-signs", 35.5, 39.5},
    {"29463-7", "Body weight", "kg", "vital-signs", 40, 110},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static const char *const families[] = {"浜辺", "峰岸",   "汐入", "桐生", "早瀬",   "野分",
                                       "藤波", "岩清水", "小夜", "朝霧", "水無瀬", "鹿目",
                                       "瀬尾", "遠野",   "七海", "若葉"};
static const char *const givens[] = {"一郎", "花子", "健", "さくら", "誠", "由美", "翔太", "美咲"};
static const char *const diagnoses[][2] = {{"I10", "本態性高血圧症"}, {"E11", "2型糖尿病"},
                                           {"J45", "気管支喘息"},     {"M17", "膝関節症"},
                                           {"K21", "胃食道逆流症"},   {"N18", "慢性腎臓病"}};

/* A small mixing step: values differ, runs repeat. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = a * UINT64_C(0x9e3779b97f4a7c15) + b;
    h ^= h >> 29;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

void population_local_no(unsigned n, char ret_text[16])
{
    (void)snprintf(ret_text, 16, "B%08u", n);
}

const char *population_code(unsigned n)
{
    return kinds[n % KINDS].code;
}

static void begin_entry(struct buf *b, bool first, const char *type)
{
    buf_adds(b, first ? "{" : ",{");
    buf_addf(
        b,
        "\"request\":{\"method\":\"POST\",\"url\":\"%s\"},\"resource\":{\"resourceType\":\"%s\",",
        type, type);
}

static void add_date(struct buf *b, uint64_t h)
{
    buf_addf(b, "20%02u-%02u-%02uT%02u:%02u:00+09:00", (unsigned)(18 + h % 8),
             (unsigned)(1 + h / 8 % 12), (unsigned)(1 + h / 96 % 28), (unsigned)(8 + h / 2688 % 10),
             (unsigned)(h / 26880 % 60));
}

static void add_subject(struct buf *b)
{
    buf_adds(b, "\"subject\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000001\"}");
}

static void add_patient(struct buf *b, uint64_t n, const char *local_no)
{
    uint64_t h = mix(n, 1);
    buf_adds(
        b, "{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000001\",\"request\":{"
           "\"method\":\"POST\",\"url\":\"Patient\"},\"resource\":{\"resourceType\":\"Patient\",");
    buf_addf(b,
             "\"identifier\":[{\"system\":\"" LOCAL_SYSTEM "\",\"value\":\"%s\"}],\"active\":true,"
             "\"name\":[{\"use\":\"official\",\"family\":\"%s\",\"given\":[\"%s\"]}],"
             "\"telecom\":[{\"system\":\"phone\",\"value\":\"0%u-%u\"}],\"gender\":\"%s\","
             "\"birthDate\":\"19%02u-%02u-%02u\",\"address\":[{\"city\":\"汐見市\",\"line\":[\"%u-%"
             "u\"]}]}}",
             local_no, families[h % 16], givens[h / 16 % 8], (unsigned)(h % 90 + 10),
             (unsigned)(h / 7 % 900000 + 100000), h & 1 ? "female" : "male",
             (unsigned)(30 + h % 70), (unsigned)(1 + h / 3 % 12), (unsigned)(1 + h / 5 % 28),
             (unsigned)(h % 30 + 1), (unsigned)(h / 30 % 20 + 1));
}

static void add_observation(struct buf *b, uint64_t n, unsigned i)
{
    uint64_t h = mix(n, 100 + i);
    size_t k = (n + i) % KINDS;
    double value = kinds[k].low + (kinds[k].high - kinds[k].low) * (double)(h % 1000) / 1000;
    begin_entry(b, false, "Observation");
    buf_addf(b,
             "\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":"
             "\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"%s\"}]}],"
             "\"code\":{\"coding\":[{\"system\":\"http://"
             "loinc.org\",\"code\":\"%s\",\"display\":\"%s\"}]},",
             kinds[k].category, kinds[k].code, kinds[k].display);
    add_subject(b);
    buf_adds(b, ",\"effectiveDateTime\":\"");
    add_date(b, h / 1000);
    buf_addf(
        b,
        "\",\"performer\":[{\"reference\":\"Organization/hospital-a\"}],\"valueQuantity\":{"
        "\"value\":%.1f,\"unit\":\"%s\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"%s\"},"
        "\"referenceRange\":[{\"low\":{\"value\":%.1f},\"high\":{\"value\":%.1f}}]}}",
        value, kinds[k].unit, kinds[k].unit, kinds[k].low, kinds[k].high);
}

static void add_encounter(struct buf *b, uint64_t n, unsigned i)
{
    begin_entry(b, false, "Encounter");
    buf_adds(b, "\"status\":\"finished\",\"class\":{\"system\":"
                "\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"AMB\"},");
    add_subject(b);
    buf_adds(b, ",\"period\":{\"start\":\"");
    add_date(b, mix(n, 200 + i));
    buf_adds(b, "\"},\"serviceProvider\":{\"reference\":\"Organization/hospital-a\"}}}");
}

static void add_condition(struct buf *b, uint64_t n, unsigned i)
{
    uint64_t h = mix(n, 300 + i);
    begin_entry(b, false, "Condition");
    buf_addf(b,
             "\"clinicalStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
             "condition-clinical\",\"code\":\"active\"}]},\"code\":{\"coding\":[{\"system\":"
             "\"http://hl7.org/fhir/sid/icd-10\",\"code\":\"%s\"}],\"text\":\"%s\"},",
             diagnoses[h % 6][0], diagnoses[h % 6][1]);
    add_subject(b);
    buf_adds(b, ",\"onsetDateTime\":\"");
    add_date(b, h / 6);
    buf_adds(b, "\"}}");
}

static void add_prescription(struct buf *b, uint64_t n, unsigned i)
{
    uint64_t h = mix(n, 400 + i);
    begin_entry(b, false, "MedicationRequest");
    buf_addf(
        b,
        "\"status\":\"active\",\"intent\":\"order\",\"medicationCodeableConcept\":{\"coding\":[{"
        "\"system\":\"urn:oid:1.2.392.200119.4.403.1\",\"code\":\"1%08u01\"}],\"text\":\"調剤薬%"
        "u\"},",
        (unsigned)(h % 500), (unsigned)(h % 500));
    add_subject(b);
    buf_adds(b, ",\"authoredOn\":\"");
    add_date(b, h / 500);
    buf_adds(b, "\",\"dosageInstruction\":[{\"text\":\"1日1回朝食後 14日分\"}]}}");
}

static void begin_bundle(struct buf *b)
{
    buf_adds(b, "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[");
}

void population_bundle(struct buf *out, unsigned n, unsigned resources)
{
    char local_no[16];
    population_local_no(n, local_no);
    begin_bundle(out);
    add_patient(out, n, local_no);
    for (unsigned i = 0; i < ENCOUNTERS; i++)
        add_encounter(out, n, i);
    for (unsigned i = 0; i < CONDITIONS; i++)
        add_condition(out, n, i);
    for (unsigned i = 0; i < PRESCRIPTIONS; i++)
        add_prescription(out, n, i);
    for (unsigned i = 0; i + OTHERS < resources; i++)
        add_observation(out, n, i);
    buf_adds(out, "]}");
}

void population_pair(struct buf *out, uint64_t n)
{
    char local_no[32];
    (void)snprintf(local_no, sizeof(local_no), "P%llu", (unsigned long long)n);
    begin_bundle(out);
    add_patient(out, n, local_no);
    add_observation(out, n, 0);
    buf_adds(out, "]}");
}

/* ── loading ─────────────────────────────────────────────────────────────────────────────────── */

static void ended(void *context, struct request *r, void *tag)
{
    enum err *first = context;
    (void)tag;
    if (r->job.err && !*first) {
        const struct err_item *item = r->errors.first;
        fprintf(stderr, "bench: %s %s %s\n", err_name(r->job.err), item ? item->place : "",
                item ? item->en : "");
        *first = r->job.err;
    }
}

enum err population_load(struct exchange *x, unsigned from, unsigned to, unsigned resources,
                         struct bench_cost *ret_cost)
{
    struct batch batch;
    struct buf text;
    enum err failed = ERR_OK, err = ERR_OK;
    batch_init(&batch, x, ended, &failed);
    buf_init(&text, LIMIT_HTTP_BODY);
    bench_cost_begin(x, ret_cost);
    for (unsigned n = from; n < to && !err && !failed; n++) {
        buf_clear(&text);
        population_bundle(&text, n, resources);
        err = batch_bundle(&batch, SLICE(POPULATION_FACILITY), buf_slice(&text), NULL);
    }
    batch_finish(&batch);
    bench_cost_end(x, ret_cost);
    buf_fini(&text);
    return err ? err : failed;
}
