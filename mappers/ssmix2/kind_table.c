/* SPDX-License-Identifier: Apache-2.0
 *
 * The kinds of data of the SS-MIX2 standard storage (guide section 1.4): folder name, what it
 * holds, the message that registers it and the one that cancels it, and the field its care date
 * comes from. Orders are cancelled by ORC-1 inside the same message, so they have no cancel
 * message.
 */
#include "mappers/ssmix2/path.h"

#include "base/banned.h"

const struct ssmix2_kind ssmix2_kinds[] = {
    {"ADT-00", "患者基本情報", "ADT^A08", "ADT^A23", "-"},
    {"ADT-01", "担当医の変更", "ADT^A54", "ADT^A55", "-"},
    {"ADT-12", "外来診察の受付", "ADT^A04", NULL, "PV1-44"},
    {"ADT-21", "入院予定", "ADT^A14", "ADT^A27", "PV2-8"},
    {"ADT-22", "入院実施", "ADT^A01", "ADT^A11", "PV1-44"},
    {"ADT-31", "外出泊実施", "ADT^A21", "ADT^A52", "EVN-6"},
    {"ADT-32", "外出泊帰院実施", "ADT^A22", "ADT^A53", "EVN-6"},
    {"ADT-41", "転科・転棟予定", "ADT^A15", "ADT^A26", "PV2-8"},
    {"ADT-42", "転科・転棟実施", "ADT^A02", "ADT^A12", "EVN-6"},
    {"ADT-51", "退院予定", "ADT^A16", "ADT^A25", "PV2-9"},
    {"ADT-52", "退院実施", "ADT^A03", "ADT^A13", "PV1-45"},
    {"ADT-61", "アレルギー情報", "ADT^A60", NULL, "-"},
    {"PPR-01", "病名(歴)情報", "PPR^ZD1", NULL, "-"},
    {"OMD", "食事オーダ", "OMD^O03", NULL, "ORC-9"},
    {"OMP-01", "処方オーダ", "RDE^O11", NULL, "ORC-9"},
    {"OMP-11", "処方実施", "RAS^O17", NULL, "RXA-3"},
    {"OMP-02", "注射オーダ", "RDE^O11", NULL, "ORC-9"},
    {"OMP-12", "注射実施", "RAS^O17", NULL, "RXA-3"},
    {"OML-01", "検体検査オーダ", "OML^O33", NULL, "ORC-9"},
    {"OML-11", "検体検査結果", "OUL^R22", NULL, "SPM-17"},
    {"OMG-01", "放射線検査オーダ", "OMG^O19", NULL, "ORC-9"},
    {"OMG-11", "放射線検査実施", "OMI^Z23", NULL, "OBR-7"},
    {"OMG-02", "内視鏡検査オーダ", "OMG^O19", NULL, "ORC-9"},
    {"OMG-12", "内視鏡検査実施", "OMI^Z23", NULL, "OBR-7"},
    {"OMG-03", "生理検査オーダ", "OMG^O19", NULL, "ORC-9"},
    {"OMG-13", "生理検査結果", "ORU^R01", NULL, "OBR-7"},
    {NULL, NULL, NULL, NULL, NULL},
};
