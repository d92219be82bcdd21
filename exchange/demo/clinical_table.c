/* SPDX-License-Identifier: Apache-2.0
 *
 * Illnesses, examinations and drugs of the invented region. Sources of the facts: disease numbers
 * of the MEDIS master where they are known here (20061593, 20058911, 20054174), ICD-10 otherwise;
 * JLAC10 codes from the published list of the core laboratory items and the checkup item list; HOT9
 * numbers as they stand in published examples, other drugs by the hospital's own code (99TSK);
 * usage codes of JAMI.
 */
#include "exchange/demo/clinical_parts.h"

#include "base/banned.h"

/* clang-format off */
const struct illness_row illness_table[] = {
    {DEMO_HYPERTENSION, "20061593", "高血圧症", "MDCDX2", "I10", "01", false},
    {DEMO_DIABETES, "E119", "２型糖尿病", "I10", "E119", "01", false},
    {DEMO_LIPIDS, "E785", "脂質異常症", "I10", "E785", "01", false},
    {DEMO_FIBRILLATION, "I489", "心房細動", "I10", "I489", "08", false},
    {DEMO_ASTHMA, "J459", "気管支喘息", "I10", "J459", "05", false},
    {DEMO_KIDNEY, "N189", "慢性腎臓病", "I10", "N189", "01", false},
    {DEMO_ULCER, "20054174", "胃炎", "MDCDX2", "K297", "06", false},
    {DEMO_BONE, "M8199", "骨粗鬆症", "I10", "M8199", "11", false},
    {DEMO_ANGINA, "20058911", "狭心症", "MDCDX2", "I209", "08", false},
    {DEMO_GOUT, "E790", "高尿酸血症", "I10", "E790", "01", false},
    {DEMO_POLLEN, "J301", "花粉症", "I10", "J301", "01", false},
    {DEMO_KNEE, "M179", "変形性膝関節症", "I10", "M179", "11", false},
    {DEMO_BRONCHITIS, "J209", "急性気管支炎", "I10", "J209", "01", true},
};
const size_t illness_count = sizeof(illness_table) / sizeof(illness_table[0]);

#define SERUM "023", "血清"
#define PLASMA "022", "血漿"
#define BLOOD "019", "全血（添加物入り）"
#define URINE "001", "尿（含むその他）"
const struct lab_row lab_table[] = {
    {"3B035000002327201", "AST", "U/L", 13, 30, 22, 5, -2, 0, 0, 0, 0, SERUM},
    {"3B045000002327201", "ALT", "U/L", 7, 42, 20, 8, -4, 0, DEMO_DIABETES | DEMO_LIPIDS, 9, 0, SERUM},
    {"3C015000002327101", "クレアチニン", "mg/dL", 0.46, 1.07, 0.86, 0.12, -0.22, 0, DEMO_KIDNEY, 0.62, 2, SERUM},
    {"8A065000002391901", "eGFR", "mL/min/1.73m2", 60, 120, 0, 0, 0, 0, 0, 0, 1, SERUM},
    {"3H010000002326101", "ナトリウム", "mmol/L", 138, 145, 141, 1.6, 0, DEMO_HYPERTENSION | DEMO_KIDNEY, 0, 0, 0, SERUM},
    {"3H015000002326101", "カリウム", "mmol/L", 3.6, 4.8, 4.2, 0.28, 0, 0, DEMO_KIDNEY, 0.5, 1, SERUM},
    {"3C025000002327101", "尿素窒素", "mg/dL", 8, 20, 14, 3, -1, DEMO_KIDNEY | DEMO_HYPERTENSION, DEMO_KIDNEY, 12, 1, SERUM},
    {"3A015000002327101", "アルブミン", "g/dL", 4.1, 5.1, 4.5, 0.25, 0, DEMO_KIDNEY | DEMO_DIABETES, DEMO_KIDNEY, -0.5, 1, SERUM},
    {"3C020000002327101", "尿酸", "mg/dL", 2.6, 7.8, 5.6, 0.9, -1.2, DEMO_GOUT, DEMO_GOUT, 1.6, 1, SERUM},
    {"3F077000002327101", "LDLコレステロール", "mg/dL", 65, 163, 116, 22, 4, DEMO_LIPIDS | DEMO_DIABETES, DEMO_LIPIDS, 26, 0, SERUM},
    {"3F070000002327101", "HDLコレステロール", "mg/dL", 38, 103, 56, 11, 11, DEMO_LIPIDS | DEMO_DIABETES, DEMO_DIABETES, -6, 0, SERUM},
    {"3F015000002327101", "中性脂肪", "mg/dL", 30, 234, 108, 38, -18, DEMO_LIPIDS | DEMO_DIABETES, DEMO_LIPIDS, 55, 0, SERUM},
    {"5C070000002306201", "CRP", "mg/dL", 0, 0.14, 0.06, 0.04, 0, DEMO_BRONCHITIS, DEMO_BRONCHITIS, 1.9, 2, SERUM},
    {"2A990000001930952", "白血球数", "/uL", 3300, 8600, 5900, 1100, -200, 0, DEMO_BRONCHITIS, 2300, 0, BLOOD},
    {"2A990000001930953", "ヘモグロビン", "g/dL", 11.6, 16.8, 15.0, 0.9, -1.8, 0, DEMO_KIDNEY, -2.2, 1, BLOOD},
    {"2A990000001930955", "血小板数", ".10*4/uL", 15.8, 34.8, 23.5, 4.2, 0, 0, 0, 0, 1, BLOOD},
    {"3D046000001906202", "HbA1c(NGSP)", "%", 4.9, 6.0, 5.5, 0.2, 0, DEMO_DIABETES, 0, 0, 1, BLOOD},
    {"3D010000002227101", "血糖", "mg/dL", 73, 109, 94, 7, 0, DEMO_DIABETES, 0, 0, 0, PLASMA},
    {"2B030000002231157", "PT-INR", "", 0.9, 1.1, 1.0, 0.05, 0, DEMO_FIBRILLATION, 0, 0, 2, PLASMA},
    {"4Z271000002205101", "BNP", "pg/mL", 0, 18.4, 10, 4, 3, DEMO_FIBRILLATION | DEMO_ANGINA, DEMO_FIBRILLATION | DEMO_ANGINA, 84, 1, PLASMA},
    {"1A010000000191111", "尿蛋白定性", "", 0, 0, 0, 0, 0, DEMO_KIDNEY | DEMO_DIABETES, DEMO_KIDNEY, 2, 0, URINE},
};
const size_t lab_count = sizeof(lab_table) / sizeof(lab_table[0]);

#define MORNING "1011000400000000", "内服・経口・１日１回朝食後"
#define EVENING "1011040000000000", "内服・経口・１日１回夕食後"
#define TWICE "1012040400000000", "内服・経口・１日２回朝夕食後"
#define THRICE "1013044400000000", "内服・経口・１日３回朝昼夕食後"
#define BEDTIME "1011100000000000", "内服 １日１回 就寝前"
#define TABLET "TAB", "錠"
#define ORAL "PO", "口"
const struct drug_row drug_table[] = {
    {DEMO_HYPERTENSION, "103299401", "ノルバスク錠５ｍｇ", "HOT9", "1", TABLET, "1", MORNING, 56, ORAL},
    {DEMO_DIABETES, "D1001", "メトホルミン塩酸塩錠２５０ｍｇ", "99TSK", "1", TABLET, "2", TWICE, 56, ORAL},
    {DEMO_DIABETES, "D1002", "シタグリプチンリン酸塩錠５０ｍｇ", "99TSK", "1", TABLET, "1", MORNING, 56, ORAL},
    {DEMO_LIPIDS, "D1003", "ロスバスタチン錠２．５ｍｇ", "99TSK", "1", TABLET, "1", EVENING, 56, ORAL},
    {DEMO_FIBRILLATION, "D1004", "ワルファリンカリウム錠１ｍｇ", "99TSK", "2.5", TABLET, "2.5", EVENING, 35, ORAL},
    {DEMO_FIBRILLATION, "D1005", "ビソプロロールフマル酸塩錠２．５ｍｇ", "99TSK", "1", TABLET, "1", MORNING, 35, ORAL},
    {DEMO_ASTHMA, "D1006", "モンテルカスト錠１０ｍｇ", "99TSK", "1", TABLET, "1", BEDTIME, 56, ORAL},
    {DEMO_ULCER, "D1007", "ランソプラゾールＯＤ錠１５ｍｇ", "99TSK", "1", TABLET, "1", MORNING, 56, ORAL},
    {DEMO_BONE, "D1008", "エルデカルシトール錠０．７５ｕｇ", "99TSK", "1", TABLET, "1", MORNING, 56, ORAL},
    {DEMO_ANGINA, "D1009", "アスピリン腸溶錠１００ｍｇ", "99TSK", "1", TABLET, "1", MORNING, 56, ORAL},
    {DEMO_GOUT, "D1010", "フェブキソスタット錠２０ｍｇ", "99TSK", "1", TABLET, "1", MORNING, 56, ORAL},
    {DEMO_POLLEN, "D1011", "フェキソフェナジン塩酸塩錠６０ｍｇ", "99TSK", "1", TABLET, "2", TWICE, 28, ORAL},
    {DEMO_KNEE, "D1012", "アセトアミノフェン錠５００ｍｇ", "99TSK", "1", TABLET, "2", TWICE, 28, ORAL},
    {DEMO_BRONCHITIS, "103835401", "ムコダイン錠２５０ｍｇ", "HOT9", "2", TABLET, "6", THRICE, 5, ORAL},
    {DEMO_BRONCHITIS, "123812902", "カロナール錠５００", "HOT9", "1", TABLET, "3", THRICE, 5, ORAL},
};
const size_t drug_count = sizeof(drug_table) / sizeof(drug_table[0]);
/* clang-format on */
