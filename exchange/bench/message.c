/* SPDX-License-Identifier: Apache-2.0
 *
 * ORU^R01 as a laboratory system sends it (see message.h).
 */
#include "exchange/bench/message.h"

#include "base/banned.h"

#define PATIENTS 1000u

static const struct {
    const char *code, *name, *unit;
} results[] = {
    {"3A010000002327101", "総蛋白", "g/dL"},
    {"3B035000002327201", "AST", "U/L"},
    {"3B045000002327201", "ALT", "U/L"},
    {"3C015000002327101", "クレアチニン", "mg/dL"},
    {"3D046000001906202", "HbA1c", "%"},
    {"3A015000002327101", "アルブミン", "g/dL"},
    {"3B050000002327201", "LD", "U/L"},
    {"3B070000002327101", "ALP", "U/L"},
    {"3B090000002327101", "γ-GT", "U/L"},
    {"3B160000002327101", "アミラーゼ", "U/L"},
    {"3C025000002327101", "尿素窒素", "mg/dL"},
    {"3C020000002327101", "尿酸", "mg/dL"},
    {"3D010000001926101", "グルコース", "mg/dL"},
    {"3F015000002327101", "中性脂肪", "mg/dL"},
    {"3F050000002327101", "総コレステロール", "mg/dL"},
    {"3F070000002327101", "HDL-C", "mg/dL"},
    {"3H010000002326101", "ナトリウム", "mmol/L"},
    {"3H015000002326101", "カリウム", "mmol/L"},
    {"3H020000002326101", "クロール", "mmol/L"},
    {"3J010000002327101", "総ビリルビン", "mg/dL"},
};
#define RESULTS (sizeof(results) / sizeof(*results))

void bench_message(struct buf *out, unsigned connection, uint64_t n, unsigned count)
{
    unsigned patient = ((unsigned)n * 61 + connection * 13) % PATIENTS;
    unsigned long long order = (unsigned long long)connection * 1000000000ull + n;
    buf_addf(out,
             "MSH|^~\\&|BENCH|LAB%u|GW|TASUKI|20261101093000||ORU^R01^ORU_R01|B%u-%llu|P|2.5||||||"
             "UNICODE UTF-8\r",
             connection, connection, (unsigned long long)n);
    buf_addf(out, "PID|0001||9%06u^^^^PI||負荷^太郎%u^^^^^L^I~フカ^タロウ^^^^^L^P||19600101|M\r",
             patient, patient);
    buf_addf(out,
             "PV1|0001|O|01^^^^^C\rORC|RE|%015llu|S%015llu\r"
             "OBR|1|%015llu|S%015llu|E002^生化学的検査^99O03|||20261101090000|||||||||||||||"
             "20261101093000||LAB|F\r",
             order, order, order, order);
    for (unsigned i = 0; i < count; i++)
        buf_addf(out, "OBX|%u|NM|%s^%s^JC10||%u.%u|%s^%s^ISO+|1.0-9.0||||F|||20261101090000\r",
                 i + 1, results[i % RESULTS].code, results[i % RESULTS].name,
                 (unsigned)((n + i) % 9 + 1), (unsigned)(n % 10), results[i % RESULTS].unit,
                 results[i % RESULTS].unit);
}
