/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample region's organisations and staff. Written for this project; any likeness of a name is
 * chance.
 */
#include "exchange/demo/facility_table.h"

#include "base/banned.h"

const struct demo_facility_row demo_facilities[DEMO_FACILITY_COUNT] = {
    [DEMO_HOSPITAL_A] = {"hospital-a", FACILITY_HOSPITAL, "2210001018", "汐見中央病院",
                         "Shiomi Central Hospital", true},
    [DEMO_HOSPITAL_B] = {"hospital-b", FACILITY_HOSPITAL, "2210002024", "松原総合病院",
                         "Matsubara General Hospital", true},
    [DEMO_CLINIC_C] = {"clinic-c", FACILITY_CLINIC, "2210103038", "緑ヶ丘内科クリニック",
                       "Midorigaoka Clinic", true},
    [DEMO_EMERGENCY_E] = {"emergency-e", FACILITY_EMERGENCY, "2210005050", "汐見救命救急センター",
                          "Shiomi Emergency Center", true},
    [DEMO_PHARMACY_P] = {"pharmacy-p", FACILITY_PHARMACY, "2241000013", "港町調剤薬局",
                         "Minatomachi Pharmacy", true},
    [DEMO_CITY_M] = {"city-m", FACILITY_CITY, "2290000013", "汐見市健康推進課", "City of Shiomi",
                     true},
    [DEMO_INSURER_I] = {"insurer-i", FACILITY_INSURER, "2290000021", "汐見健康保険組合",
                        "Shiomi Health Insurance", true},
    [DEMO_GATEWAY_V] = {"gateway-v", FACILITY_GATEWAY, "2290000039", "家庭健康ゲートウェイ",
                        "Home Vital Gateway", false},
    [DEMO_OPERATOR] = {"operator", FACILITY_OPERATOR, "2290000047", "汐見地域医療連携協議会",
                       "Shiomi Health Record Exchange", false},
    [DEMO_HOME] = {"home", FACILITY_HOME, "0000000000", "本人の記録", "Home", false},
};

const struct demo_staff_row demo_staff[] = {
    {DEMO_HOSPITAL_A, "a-dr-01", "森川 直樹", STAFF_DOCTOR},
    {DEMO_HOSPITAL_A, "a-dr-02", "沢田 千春", STAFF_DOCTOR},
    {DEMO_HOSPITAL_A, "a-dr-03", "水谷 宏", STAFF_DOCTOR},
    {DEMO_HOSPITAL_A, "a-ns-01", "野口 明美", STAFF_NURSE},
    {DEMO_HOSPITAL_A, "a-ph-01", "平井 祐子", STAFF_PHARMACIST},
    {DEMO_HOSPITAL_A, "a-cl-01", "北村 さやか", STAFF_CLERK},
    {DEMO_HOSPITAL_A, "a-sys", "電子カルテシステム", STAFF_SYSTEM},
    {DEMO_HOSPITAL_B, "b-dr-01", "黒田 誠", STAFF_DOCTOR},
    {DEMO_HOSPITAL_B, "b-dr-02", "片山 理恵", STAFF_DOCTOR},
    {DEMO_HOSPITAL_B, "b-ns-01", "永井 真由美", STAFF_NURSE},
    {DEMO_HOSPITAL_B, "b-cl-01", "大塚 亮", STAFF_CLERK},
    {DEMO_HOSPITAL_B, "b-sys", "電子カルテシステム", STAFF_SYSTEM},
    {DEMO_CLINIC_C, "c-dr-01", "岩崎 文子", STAFF_DOCTOR},
    {DEMO_CLINIC_C, "c-dr-02", "岩崎 淳", STAFF_DOCTOR},
    {DEMO_CLINIC_C, "c-ns-01", "本田 久美", STAFF_NURSE},
    {DEMO_CLINIC_C, "c-cl-01", "秋山 美咲", STAFF_CLERK},
    {DEMO_CLINIC_C, "c-sys", "診療所システム", STAFF_SYSTEM},
    {DEMO_EMERGENCY_E, "e-dr-01", "関口 洋平", STAFF_DOCTOR},
    {DEMO_EMERGENCY_E, "e-dr-02", "村瀬 香織", STAFF_DOCTOR},
    {DEMO_EMERGENCY_E, "e-ns-01", "田辺 恵", STAFF_NURSE},
    {DEMO_EMERGENCY_E, "e-pm-01", "早川 剛", STAFF_PARAMEDIC},
    {DEMO_EMERGENCY_E, "e-pm-02", "須藤 航", STAFF_PARAMEDIC},
    {DEMO_EMERGENCY_E, "e-cl-01", "宮田 智子", STAFF_CLERK},
    {DEMO_EMERGENCY_E, "e-sys", "救急情報システム", STAFF_SYSTEM},
    {DEMO_PHARMACY_P, "p-ph-01", "浅野 純子", STAFF_PHARMACIST},
    {DEMO_PHARMACY_P, "p-ph-02", "堀内 敦", STAFF_PHARMACIST},
    {DEMO_PHARMACY_P, "p-sys", "調剤システム", STAFF_SYSTEM},
    {DEMO_CITY_M, "m-ns-01", "辻 由紀子", STAFF_NURSE},
    {DEMO_CITY_M, "m-cl-01", "原田 学", STAFF_CLERK},
    {DEMO_CITY_M, "m-sys", "健康管理システム", STAFF_SYSTEM},
    {DEMO_INSURER_I, "i-cl-01", "杉本 香", STAFF_CLERK},
    {DEMO_INSURER_I, "i-sys", "保険者システム", STAFF_SYSTEM},
    {DEMO_GATEWAY_V, "v-sys", "家庭測定ゲートウェイ", STAFF_SYSTEM},
    {DEMO_OPERATOR, "o-cl-01", "久保田 望", STAFF_CLERK},
    {DEMO_OPERATOR, "o-sys", "運用システム", STAFF_SYSTEM},
};
const size_t demo_staff_count = sizeof(demo_staff) / sizeof(demo_staff[0]);
