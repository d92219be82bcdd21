/* SPDX-License-Identifier: Apache-2.0
 *
 * Required fields of the SS-MIX2 standard storage (guide section 1.6; the field table of the
 * National Hospital Organization's data testing tool, specification 1.2c). Where a message carries
 * two kinds of data (RDE^O11 is OMP-01 and OMP-02) only what both require is here. MSH-7, 9 to 12
 * and PID-3 are not in the table: they have rules of their own in check.c.
 */
#include "mappers/hl7v2/check_table.h"

#include <stddef.h>

#include "base/banned.h"

const struct check_field check_fields[] = {
    {"MSH", 18, NULL, "Character Set", "文字セット"},
    {"EVN", 2, NULL, "Recorded Date/Time", "事象記録日時"},
    {"PID", 5, NULL, "Patient Name", "患者氏名"},
    {"PID", 7, NULL, "Date/Time of Birth", "生年月日"},
    {"PID", 8, NULL, "Administrative Sex", "性別"},
    {"NK1", 1, NULL, "Set ID - NK1", "セットID"},
    {"PV1", 2, NULL, "Patient Class", "患者区分"},
    {"DB1", 1, NULL, "Set ID - DB1", "セットID"},
    {"DB1", 2, NULL, "Disabled Person Code", "身体障害情報"},
    {"DB1", 4, NULL, "Disabled Indicator", "身体障害の有無"},
    {"OBX", 2, "OMG^O19", "Value Type", "値型"},
    {"OBX", 2, "OMI^Z23", "Value Type", "値型"},
    {"OBX", 2, "ORU^R01", "Value Type", "値型"},
    {"OBX", 3, NULL, "Observation Identifier", "検査項目"},
    {"OBX", 5, "OMI^Z23", "Observation Value", "検査値"},
    {"OBX", 11, NULL, "Observation Result Status", "検査結果状態"},
    {"AL1", 1, NULL, "Set ID - AL1", "セットID"},
    {"AL1", 3, NULL, "Allergen Code/Mnemonic/Description", "アレルゲン情報"},
    {"IN1", 1, NULL, "Set ID - IN1", "セットID"},
    {"IN1", 2, NULL, "Insurance Plan ID", "保険プラン ID"},
    {"IAM", 1, NULL, "Set ID - IAM", "セットID"},
    {"IAM", 3, NULL, "Allergen Code/Mnemonic/Description", "アレルゲン情報"},
    {"IAM", 6, NULL, "Allergy Action Code", "アレルギーアクションコード"},
    {"PRB", 1, NULL, "Action Code", "アクションコード"},
    {"PRB", 2, NULL, "Action Date/Time", "アクション日付／時刻"},
    {"PRB", 3, NULL, "Problem ID", "プロブレム ID"},
    {"PRB", 4, NULL, "Problem Instance ID", "プロブレムインスタンス ID"},
    {"ZPR", 2, NULL, "Disease Code", "病名管理番号"},
    {"ORC", 1, NULL, "Order Control", "オーダ制御"},
    {"ORC", 2, NULL, "Placer Order Number", "依頼者オーダ番号"},
    {"ORC", 4, "RDE^O11", "Placer Group Number", "依頼者グループ番号"},
    {"ORC", 4, "RAS^O17", "Placer Group Number", "依頼者グループ番号"},
    {"ORC", 9, "OMG^O19", "Date/Time of Transaction", "トランザクション日時"},
    {"ORC", 9, "OMI^Z23", "Date/Time of Transaction", "トランザクション日時"},
    {"ORC", 9, "ORU^R01", "Date/Time of Transaction", "トランザクション日時"},
    {"ORC", 12, "OMG^O19", "Ordering Provider", "依頼者"},
    {"ORC", 12, "OMI^Z23", "Ordering Provider", "依頼者"},
    {"ORC", 12, "ORU^R01", "Ordering Provider", "依頼者"},
    {"ORC", 17, "ORU^R01", "Entering Organization", "入力組織"},
    {"TQ1", 1, "OML^O33", "Set ID - TQ1", "セットID"},
    {"TQ1", 1, "OMG^O19", "Set ID - TQ1", "セットID"},
    {"TQ1", 1, "OMI^Z23", "Set ID - TQ1", "セットID"},
    {"TQ1", 1, "ORU^R01", "Set ID - TQ1", "セットID"},
    {"TQ1", 9, "OMG^O19", "Priority", "優先度"},
    {"TQ1", 9, "OMI^Z23", "Priority", "優先度"},
    {"TQ1", 9, "ORU^R01", "Priority", "優先度"},
    {"ODS", 1, NULL, "Type", "タイプ"},
    {"ODS", 3, NULL, "Diet, Supplement, or Preference Code", "食事、補食、嗜好コード"},
    {"RXE", 2, NULL, "Give Code", "与薬コード"},
    {"RXE", 3, NULL, "Give Amount - Minimum", "与薬量－最小"},
    {"RXE", 5, NULL, "Give Units", "与薬単位"},
    {"RXR", 1, NULL, "Route", "経路"},
    {"RXA", 1, NULL, "Give Sub-ID Counter", "与薬サブ ID カウンター"},
    {"RXA", 2, NULL, "Administration Sub-ID Counter", "投薬サブ ID カウンター"},
    {"RXA", 3, NULL, "Date/Time Start of Administration", "投薬開始日時"},
    {"RXA", 4, NULL, "Date/Time End of Administration", "投薬終了日時"},
    {"RXA", 5, NULL, "Administered Code", "投薬コード"},
    {"RXA", 6, NULL, "Administered Amount", "投薬量"},
    {"RXC", 1, NULL, "RX Component Type", "RX 成分タイプ"},
    {"RXC", 2, NULL, "Component Code", "成分コード"},
    {"RXC", 3, NULL, "Component Amount", "成分量"},
    {"RXC", 4, NULL, "Component Units", "成分単位"},
    {"CTI", 1, NULL, "Sponsor Study ID", "後援者試験識別子"},
    {"SPM", 4, NULL, "Specimen Type", "検体タイプ"},
    {"OBR", 1, "ORU^R01", "Set ID - OBR", "セットID"},
    {"OBR", 2, NULL, "Placer Order Number", "依頼者オーダ番号"},
    {"OBR", 4, NULL, "Universal Service Identifier", "検査項目 ID"},
    {"IPC", 1, NULL, "Accession Identifier", "受付番号"},
    {"IPC", 3, NULL, "Study Instance UID", "検査インスタンス UID"},
    {"IPC", 5, NULL, "Modality", "モダリティ"},
    {"ZE1", 2, "OMI^Z23", "Control Code", "制御コード"},
    {"ZE1", 3, "OMI^Z23", "Procedure Code", "手技"},
    {NULL, 0, NULL, NULL, NULL},
};

/* HL7 v2.1 to v2.8 segment names, and ZE1 ZE2 ZI1 ZPD ZPR of SS-MIX2. */
const char *const check_segments[] = {
    "ABS", "ACC", "ADD", "ADJ", "AFF", "AIG", "AIL", "AIP", "AIS", "AL1", "APR", "ARQ", "ARV",
    "AUT", "BHS", "BLC", "BLG", "BPO", "BPX", "BTS", "BTX", "BUI", "CDM", "CDO", "CER", "CM0",
    "CM1", "CM2", "CNS", "CON", "CSP", "CSR", "CSS", "CTD", "CTI", "CTR", "DB1", "DEV", "DG1",
    "DMI", "DON", "DPS", "DRG", "DSC", "DSP", "DST", "ECD", "ECR", "EDU", "EQP", "EQU", "ERR",
    "EVN", "FAC", "FHS", "FT1", "FTS", "GOL", "GP1", "GP2", "GT1", "IAM", "IAR", "IIM", "ILT",
    "IN1", "IN2", "IN3", "INV", "IPC", "IPR", "ISD", "ITM", "IVC", "IVT", "LAN", "LCC", "LCH",
    "LDP", "LOC", "LRL", "MCP", "MFA", "MFE", "MFI", "MRG", "MSA", "MSH", "NCK", "NDS", "NK1",
    "NPU", "NSC", "NST", "NTE", "OBR", "OBX", "ODS", "ODT", "OH1", "OH2", "OH3", "OH4", "OM1",
    "OM2", "OM3", "OM4", "OM5", "OM6", "OM7", "OMC", "ORC", "ORG", "OVR", "PAC", "PCE", "PCR",
    "PD1", "PDA", "PDC", "PEO", "PES", "PID", "PKG", "PM1", "PMT", "PR1", "PRA", "PRB", "PRC",
    "PRD", "PRT", "PSG", "PSH", "PSL", "PSS", "PTH", "PV1", "PV2", "PYE", "QAK", "QID", "QPD",
    "QRD", "QRF", "QRI", "RCP", "RDF", "RDT", "REL", "RF1", "RFI", "RGS", "RMI", "ROL", "RQ1",
    "RQD", "RXA", "RXC", "RXD", "RXE", "RXG", "RXO", "RXR", "RXV", "SAC", "SCD", "SCH", "SCP",
    "SDD", "SFT", "SGH", "SGT", "SHP", "SID", "SLT", "SPM", "SPR", "STF", "STZ", "TCC", "TCD",
    "TQ1", "TQ2", "TXA", "UAC", "UB1", "UB2", "URD", "URS", "VAR", "VND", "VTQ", "ZE1", "ZE2",
    "ZI1", "ZPD", "ZPR", NULL,
};

const char *const check_patient_messages[] = {
    "ADT", "PPR", "OMD", "RDE", "RAS", "RDS", "OMP", "OML",
    "OUL", "OMG", "OMI", "ORU", "ORM", "MDM", "VXU", NULL,
};
