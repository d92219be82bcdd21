/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of the segments in use and of their fields, in order from field 1. Data only. English is the
 * standard's (HL7 v2.5; ZPR, ZE1, ZI1 SS-MIX2's), Japanese what engineers at hospitals say.
 */
#include "mappers/hl7v2/names.h"

#include <stddef.h>

#include "base/banned.h"

/* clang-format off */
#define END {NULL, NULL}

static const struct names_pair ais[] = {
    {"Set ID - AIS", "セットID"}, {"Segment Action Code", "アクションコード"}, {"Universal Service Identifier", "サービスID"},
    {"Start Date/Time", "開始日時"}, {"Start Date/Time Offset", "開始時刻のずれ"}, {"Start Date/Time Offset Units", "ずれの単位"},
    {"Duration", "所要時間"}, {"Duration Units", "所要時間の単位"}, {"Allow Substitution Code", "代替可否"}, {"Filler Status Code", "状態"}, END};
static const struct names_pair al1[] = {
    {"Set ID - AL1", "セットID"}, {"Allergen Type Code", "アレルギー分類"}, {"Allergen Code/Mnemonic/Description", "アレルゲン情報"},
    {"Allergy Severity Code", "重症度"}, {"Allergy Reaction Code", "アレルギー反応"}, {"Identification Date", "確認日"}, END};
static const struct names_pair bhs[] = {
    {"Batch Field Separator", "フィールド区切り文字"}, {"Batch Encoding Characters", "コード化文字"}, {"Batch Sending Application", "送信アプリケーション"},
    {"Batch Sending Facility", "送信施設"}, {"Batch Receiving Application", "受信アプリケーション"}, {"Batch Receiving Facility", "受信施設"},
    {"Batch Creation Date/Time", "バッチ作成日時"}, {"Batch Security", "セキュリティ"}, {"Batch Name/ID/Type", "バッチ名"}, {"Batch Comment", "コメント"},
    {"Batch Control ID", "バッチ制御ID"}, {"Reference Batch Control ID", "参照バッチ制御ID"}, END};
static const struct names_pair cti[] = {
    {"Sponsor Study ID", "治験ID"}, {"Study Phase Identifier", "治験の相"}, {"Study Scheduled Time Point", "予定時点"}, END};
static const struct names_pair db1[] = {
    {"Set ID - DB1", "セットID"}, {"Disabled Person Code", "身体障害情報"}, {"Disabled Person Identifier", "障害者ID"}, {"Disabled Indicator", "身体障害の有無"},
    {"Disability Start Date", "障害開始日"}, {"Disability End Date", "障害終了日"}, {"Disability Return to Work Date", "復職日"},
    {"Disability Unable to Work Date", "就労不能日"}, END};
static const struct names_pair dg1[] = {
    {"Set ID - DG1", "セットID"}, {"Diagnosis Coding Method", "診断コード体系"}, {"Diagnosis Code", "診断コード"}, {"Diagnosis Description", "診断名"},
    {"Diagnosis Date/Time", "診断日時"}, {"Diagnosis Type", "診断種別"}, END};
static const struct names_pair err_[] = {
    {"Error Code and Location", "エラーコードと位置"}, {"Error Location", "エラー位置"}, {"HL7 Error Code", "HL7エラーコード"}, {"Severity", "重大度"},
    {"Application Error Code", "アプリケーションエラーコード"}, {"Application Error Parameter", "エラーパラメータ"}, {"Diagnostic Information", "診断情報"},
    {"User Message", "利用者向け文章"}, END};
static const struct names_pair evn[] = {
    {"Event Type Code", "イベント型"}, {"Recorded Date/Time", "事象記録日時"}, {"Date/Time Planned Event", "予定日時"}, {"Event Reason Code", "イベント理由"},
    {"Operator ID", "操作者ID"}, {"Event Occurred", "イベント発生日時"}, {"Event Facility", "イベント発生施設"}, END};
static const struct names_pair iam[] = {
    {"Set ID - IAM", "セットID"}, {"Allergen Type Code", "アレルギー分類"}, {"Allergen Code/Mnemonic/Description", "アレルゲン情報"},
    {"Allergy Severity Code", "重症度"}, {"Allergy Reaction Code", "アレルギー反応"}, {"Allergy Action Code", "アレルギーアクションコード"},
    {"Allergy Unique Identifier", "アレルギー識別子"}, {"Action Reason", "アクション理由"}, {"Sensitivity to Causative Agent Code", "原因物質への感受性"},
    {"Allergen Group Code/Mnemonic/Description", "アレルゲン群"}, {"Onset Date", "発症日"}, {"Onset Date Text", "発症日（テキスト）"},
    {"Reported Date/Time", "報告日時"}, {"Reported By", "報告者"}, {"Relationship to Patient Code", "患者との関係"}, {"Alert Device Code", "警告媒体"},
    {"Allergy Clinical Status Code", "臨床状態"}, {"Statused by Person", "状態の決定者"}, {"Statused by Organization", "状態の決定組織"},
    {"Statused at Date/Time", "状態の決定日時"}, END};
static const struct names_pair in1[] = {
    {"Set ID - IN1", "セットID"}, {"Insurance Plan ID", "保険プラン ID"}, {"Insurance Company ID", "保険者番号"}, {"Insurance Company Name", "保険者名"},
    {"Insurance Company Address", "保険者住所"}, {"Insurance Co Contact Person", "保険者の連絡先"}, {"Insurance Co Phone Number", "保険者電話番号"},
    {"Group Number", "グループ番号"}, {"Group Name", "グループ名"}, {"Insured's Group Emp ID", "被保険者証記号・番号・枝番"}, {"Insured's Group Emp Name", "被保険者の事業所名"},
    {"Plan Effective Date", "有効開始日"}, {"Plan Expiration Date", "有効終了日"}, {"Authorization Information", "認可情報"}, {"Plan Type", "本人・家族等の区分"},
    {"Name Of Insured", "被保険者氏名"}, {"Insured's Relationship To Patient", "患者との続柄"}, {"Insured's Date Of Birth", "被保険者生年月日"},
    {"Insured's Address", "被保険者住所"}, END};
static const struct names_pair ipc[] = {
    {"Accession Identifier", "受付番号"}, {"Requested Procedure ID", "依頼手技ID"}, {"Study Instance UID", "検査インスタンスUID"},
    {"Scheduled Procedure Step ID", "予定手技ステップID"}, {"Modality", "モダリティ"}, {"Protocol Code", "プロトコル"}, {"Scheduled Station Name", "予定装置名"},
    {"Scheduled Procedure Step Location", "予定実施場所"}, {"Scheduled AE Title", "予定AEタイトル"}, END};
static const struct names_pair mrg[] = {
    {"Prior Patient Identifier List", "旧患者IDリスト"}, {"Prior Alternate Patient ID", "旧代替患者ID"}, {"Prior Patient Account Number", "旧患者会計番号"},
    {"Prior Patient ID", "旧患者ID"}, {"Prior Visit Number", "旧来院番号"}, {"Prior Alternate Visit ID", "旧代替来院ID"}, {"Prior Patient Name", "旧患者氏名"}, END};
static const struct names_pair msa[] = {
    {"Acknowledgment Code", "応答コード"}, {"Message Control ID", "メッセージ制御ID"}, {"Text Message", "テキスト"}, {"Expected Sequence Number", "期待順序番号"},
    {"Delayed Acknowledgment Type", "遅延応答型"}, {"Error Condition", "エラー条件"}, END};
static const struct names_pair msh[] = {
    {"Field Separator", "フィールド区切り文字"}, {"Encoding Characters", "コード化文字"}, {"Sending Application", "送信アプリケーション"}, {"Sending Facility", "送信施設"},
    {"Receiving Application", "受信アプリケーション"}, {"Receiving Facility", "受信施設"}, {"Date/Time Of Message", "メッセージ日時"}, {"Security", "セキュリティ"},
    {"Message Type", "メッセージ型"}, {"Message Control ID", "メッセージ制御ID"}, {"Processing ID", "処理ID"}, {"Version ID", "バージョンID"},
    {"Sequence Number", "順序番号"}, {"Continuation Pointer", "継続ポインタ"}, {"Accept Acknowledgment Type", "受諾応答型"}, {"Application Acknowledgment Type", "アプリケーション応答型"},
    {"Country Code", "国コード"}, {"Character Set", "文字セット"}, {"Principal Language Of Message", "使用言語"}, {"Alternate Character Set Handling Scheme", "文字セットの切替方式"},
    {"Message Profile Identifier", "メッセージプロファイルID"}, END};
static const struct names_pair nk1[] = {
    {"Set ID - NK1", "セットID"}, {"Name", "氏名"}, {"Relationship", "続柄"}, {"Address", "住所"}, {"Phone Number", "電話番号"}, {"Business Phone Number", "勤務先電話番号"},
    {"Contact Role", "連絡先の役割"}, {"Start Date", "開始日"}, {"End Date", "終了日"}, {"Job Title", "役職"}, {"Job Code/Class", "職種"}, {"Employee Number", "従業員番号"},
    {"Organization Name", "勤務先名"}, {"Marital Status", "婚姻状態"}, {"Administrative Sex", "性別"}, {"Date/Time of Birth", "生年月日"}, END};
static const struct names_pair nte[] = {
    {"Set ID - NTE", "セットID"}, {"Source of Comment", "コメントの出所"}, {"Comment", "コメント"}, {"Comment Type", "コメント型"}, END};
static const struct names_pair obr[] = {
    {"Set ID - OBR", "セットID"}, {"Placer Order Number", "依頼者オーダ番号"}, {"Filler Order Number", "実施者オーダ番号"}, {"Universal Service Identifier", "検査項目ID"},
    {"Priority", "優先度"}, {"Requested Date/Time", "依頼日時"}, {"Observation Date/Time", "検査日時"}, {"Observation End Date/Time", "検査終了日時"},
    {"Collection Volume", "採取量"}, {"Collector Identifier", "採取者ID"}, {"Specimen Action Code", "検体処置コード"}, {"Danger Code", "危険コード"},
    {"Relevant Clinical Information", "関連臨床情報"}, {"Specimen Received Date/Time", "検体受領日時"}, {"Specimen Source", "検体材料"}, {"Ordering Provider", "依頼医"},
    {"Order Callback Phone Number", "連絡先電話番号"}, {"Placer Field 1", "依頼者フィールド1"}, {"Placer Field 2", "依頼者フィールド2"}, {"Filler Field 1", "実施者フィールド1"},
    {"Filler Field 2", "実施者フィールド2"}, {"Results Rpt/Status Chng Date/Time", "結果報告・状態変更日時"}, {"Charge to Practice", "課金"}, {"Diagnostic Serv Sect ID", "検査部門"},
    {"Result Status", "結果状態"}, {"Parent Result", "親結果"}, {"Quantity/Timing", "数量・タイミング"}, {"Result Copies To", "結果の写しの送付先"}, {"Parent", "親オーダ"},
    {"Transportation Mode", "移送方法"}, {"Reason for Study", "検査理由"}, {"Principal Result Interpreter", "主たる読影者"}, {"Assistant Result Interpreter", "副読影者"},
    {"Technician", "技師"}, {"Transcriptionist", "転記者"}, {"Scheduled Date/Time", "予定日時"}, END};
static const struct names_pair obx[] = {
    {"Set ID - OBX", "セットID"}, {"Value Type", "値型"}, {"Observation Identifier", "検査項目"}, {"Observation Sub-ID", "検査副ID"}, {"Observation Value", "検査値"},
    {"Units", "単位"}, {"References Range", "基準値範囲"}, {"Abnormal Flags", "異常フラグ"}, {"Probability", "確率"}, {"Nature of Abnormal Test", "異常検査の性質"},
    {"Observation Result Status", "検査結果状態"}, {"Effective Date of Reference Range", "基準値の有効日"}, {"User Defined Access Checks", "アクセス点検"},
    {"Date/Time of the Observation", "検査日時"}, {"Producer's ID", "実施者ID"}, {"Responsible Observer", "検査責任者"}, {"Observation Method", "検査方法"},
    {"Equipment Instance Identifier", "機器ID"}, {"Date/Time of the Analysis", "分析日時"}, END};
static const struct names_pair ods[] = {
    {"Type", "区分"}, {"Service Period", "食事の時期"}, {"Diet, Supplement, or Preference Code", "食種"}, {"Text Instruction", "指示"}, END};
static const struct names_pair orc[] = {
    {"Order Control", "オーダ制御"}, {"Placer Order Number", "依頼者オーダ番号"}, {"Filler Order Number", "実施者オーダ番号"}, {"Placer Group Number", "依頼者グループ番号"},
    {"Order Status", "オーダ状態"}, {"Response Flag", "応答フラグ"}, {"Quantity/Timing", "数量・タイミング"}, {"Parent Order", "親オーダ"}, {"Date/Time of Transaction", "トランザクション日時"},
    {"Entered By", "入力者"}, {"Verified By", "検証者"}, {"Ordering Provider", "依頼者"}, {"Enterer's Location", "入力場所"}, {"Call Back Phone Number", "連絡先電話番号"},
    {"Order Effective Date/Time", "オーダ有効日時"}, {"Order Control Code Reason", "オーダ制御理由"}, {"Entering Organization", "入力組織"}, {"Entering Device", "入力装置"},
    {"Action By", "発動者"}, {"Advanced Beneficiary Notice Code", "受益者通知"}, {"Ordering Facility Name", "依頼施設名"}, {"Ordering Facility Address", "依頼施設住所"},
    {"Ordering Facility Phone Number", "依頼施設電話番号"}, {"Ordering Provider Address", "依頼者住所"}, {"Order Status Modifier", "オーダ状態修飾"},
    {"Advanced Beneficiary Notice Override Reason", "受益者通知の変更理由"}, {"Filler's Expected Availability Date/Time", "実施予定日時"}, {"Confidentiality Code", "守秘コード"},
    {"Order Type", "オーダ型"}, END};
static const struct names_pair pid[] = {
    {"Set ID - PID", "セットID"}, {"Patient ID", "患者ID（旧）"}, {"Patient Identifier List", "患者IDリスト"}, {"Alternate Patient ID", "代替患者ID"}, {"Patient Name", "患者氏名"},
    {"Mother's Maiden Name", "母の旧姓"}, {"Date/Time of Birth", "生年月日"}, {"Administrative Sex", "性別"}, {"Patient Alias", "別名"}, {"Race", "人種"}, {"Patient Address", "患者住所"},
    {"County Code", "郡コード"}, {"Phone Number - Home", "自宅電話番号"}, {"Phone Number - Business", "勤務先電話番号"}, {"Primary Language", "使用言語"}, {"Marital Status", "婚姻状態"},
    {"Religion", "宗教"}, {"Patient Account Number", "会計番号"}, {"SSN Number", "社会保障番号"}, {"Driver's License Number", "運転免許証番号"}, {"Mother's Identifier", "母のID"},
    {"Ethnic Group", "民族"}, {"Birth Place", "出生地"}, {"Multiple Birth Indicator", "多胎の有無"}, {"Birth Order", "出生順"}, {"Citizenship", "国籍"}, {"Veterans Military Status", "軍歴"},
    {"Nationality", "出身国"}, {"Patient Death Date and Time", "死亡日時"}, {"Patient Death Indicator", "死亡の有無"}, {"Identity Unknown Indicator", "身元不明"},
    {"Identity Reliability Code", "身元の確かさ"}, {"Last Update Date/Time", "最終更新日時"}, {"Last Update Facility", "最終更新施設"}, END};
static const struct names_pair prb[] = {
    {"Action Code", "アクションコード"}, {"Action Date/Time", "アクション日付／時刻"}, {"Problem ID", "プロブレム ID"}, {"Problem Instance ID", "プロブレムインスタンスID"},
    {"Episode of Care ID", "診療エピソードID"}, {"Problem List Priority", "優先順"}, {"Problem Established Date/Time", "設定日時"}, {"Anticipated Problem Resolution Date/Time", "解決予定日時"},
    {"Actual Problem Resolution Date/Time", "解決日時"}, {"Problem Classification", "分類"}, {"Problem Management Discipline", "担当部門"}, {"Problem Persistence", "持続性"},
    {"Problem Confirmation Status", "確定状態"}, {"Problem Life Cycle Status", "転帰"}, {"Problem Life Cycle Status Date/Time", "転帰日時"}, {"Problem Date of Onset", "発症日"},
    {"Problem Onset Text", "病名（テキスト）"}, {"Problem Ranking", "主病名区分"}, {"Certainty of Problem", "確かさ"}, {"Probability of Problem", "確率"},
    {"Individual Awareness of Problem", "本人の認識"}, {"Problem Prognosis", "予後"}, {"Individual Awareness of Prognosis", "予後の認識"},
    {"Family/Significant Other Awareness of Problem/Prognosis", "家族の認識"}, {"Security/Sensitivity", "守秘区分"}, END};
static const struct names_pair pv1[] = {
    {"Set ID - PV1", "セットID"}, {"Patient Class", "患者区分"}, {"Assigned Patient Location", "患者所在場所"}, {"Admission Type", "入院区分"}, {"Preadmit Number", "入院前番号"},
    {"Prior Patient Location", "転棟前の場所"}, {"Attending Doctor", "主治医"}, {"Referring Doctor", "紹介医"}, {"Consulting Doctor", "コンサルト医"}, {"Hospital Service", "診療科"},
    {"Temporary Location", "一時的な場所"}, {"Preadmit Test Indicator", "入院前検査"}, {"Re-admission Indicator", "再入院"}, {"Admit Source", "入院経路"}, {"Ambulatory Status", "歩行状態"},
    {"VIP Indicator", "要人"}, {"Admitting Doctor", "入院を決めた医師"}, {"Patient Type", "患者型"}, {"Visit Number", "来院番号"}, {"Financial Class", "支払区分"},
    {"Charge Price Indicator", "課金区分"}, {"Courtesy Code", "優待"}, {"Credit Rating", "信用"}, {"Contract Code", "契約"}, {"Contract Effective Date", "契約有効日"},
    {"Contract Amount", "契約額"}, {"Contract Period", "契約期間"}, {"Interest Code", "利息"}, {"Transfer to Bad Debt Code", "貸倒れ"}, {"Transfer to Bad Debt Date", "貸倒れ日"},
    {"Bad Debt Agency Code", "回収機関"}, {"Bad Debt Transfer Amount", "貸倒れ額"}, {"Bad Debt Recovery Amount", "回収額"}, {"Delete Account Indicator", "会計削除"},
    {"Delete Account Date", "会計削除日"}, {"Discharge Disposition", "退院区分"}, {"Discharged to Location", "退院先"}, {"Diet Type", "食種"}, {"Servicing Facility", "サービス施設"},
    {"Bed Status", "病床状態"}, {"Account Status", "会計状態"}, {"Pending Location", "予定の場所"}, {"Prior Temporary Location", "以前の一時的な場所"}, {"Admit Date/Time", "入院日時"},
    {"Discharge Date/Time", "退院日時"}, END};
static const struct names_pair pv2[] = {
    {"Prior Pending Location", "予定していた場所"}, {"Accommodation Code", "病室区分"}, {"Admit Reason", "入院理由"}, {"Transfer Reason", "転棟理由"}, {"Patient Valuables", "貴重品"},
    {"Patient Valuables Location", "貴重品の場所"}, {"Visit User Code", "来院区分"}, {"Expected Admit Date/Time", "入院予定日時"}, {"Expected Discharge Date/Time", "退院予定日時"}, END};
static const struct names_pair qak[] = {
    {"Query Tag", "問合せタグ"}, {"Query Response Status", "問合せ結果状態"}, {"Message Query Name", "問合せ名"}, {"Hit Count", "該当件数"}, {"This Payload", "今回の件数"},
    {"Hits Remaining", "残り件数"}, END};
static const struct names_pair qpd[] = {
    {"Message Query Name", "問合せ名"}, {"Query Tag", "問合せタグ"}, {"Person Identifier / Demographics Fields", "患者ID／検索項目"}, {"What Domains Returned", "返す番号の発行者"},
    {"Search Algorithm", "検索方法"}, {"Search Algorithm Version", "検索方法の版"}, {"Search Algorithm Description", "検索方法の説明"}, {"What Domains Returned", "返す番号の発行者"}, END};
static const struct names_pair rcp[] = {
    {"Query Priority", "優先度"}, {"Quantity Limited Request", "件数の上限"}, {"Response Modality", "応答形式"}, END};
static const struct names_pair rxa[] = {
    {"Give Sub-ID Counter", "与薬副ID"}, {"Administration Sub-ID Counter", "投与副ID"}, {"Date/Time Start of Administration", "投与開始日時"},
    {"Date/Time End of Administration", "投与終了日時"}, {"Administered Code", "投与薬剤"}, {"Administered Amount", "投与量"}, {"Administered Units", "投与量単位"},
    {"Administered Dosage Form", "剤形"}, {"Administration Notes", "投与注記"}, {"Administering Provider", "投与者"}, {"Administered-at Location", "投与場所"},
    {"Administered Per (Time Unit)", "単位時間"}, {"Administered Strength", "力価"}, {"Administered Strength Units", "力価単位"}, {"Substance Lot Number", "ロット番号"},
    {"Substance Expiration Date", "使用期限"}, {"Substance Manufacturer Name", "製造会社"}, {"Substance/Treatment Refusal Reason", "拒否理由"}, {"Indication", "適応"},
    {"Completion Status", "完了状態"}, {"Action Code", "アクションコード"}, {"System Entry Date/Time", "入力日時"}, END};
static const struct names_pair rxc[] = {
    {"RX Component Type", "成分区分"}, {"Component Code", "成分薬剤"}, {"Component Amount", "成分量"}, {"Component Units", "成分量単位"}, {"Component Strength", "力価"},
    {"Component Strength Units", "力価単位"}, END};
static const struct names_pair rxe[] = {
    {"Quantity/Timing", "数量・タイミング"}, {"Give Code", "与薬コード"}, {"Give Amount - Minimum", "与薬量（最小）"}, {"Give Amount - Maximum", "与薬量（最大）"}, {"Give Units", "与薬単位"},
    {"Give Dosage Form", "剤形"}, {"Provider's Administration Instructions", "投与指示"}, {"Deliver-To Location", "配達場所"}, {"Substitution Status", "代替状態"},
    {"Dispense Amount", "調剤量"}, {"Dispense Units", "調剤単位"}, {"Number Of Refills", "リフィル回数"}, {"Ordering Provider's DEA Number", "処方者の免許番号"},
    {"Pharmacist/Treatment Supplier's Verifier ID", "薬剤師ID"}, {"Prescription Number", "処方番号"}, {"Number of Refills Remaining", "残りのリフィル回数"},
    {"Number of Refills/Doses Dispensed", "調剤済回数"}, {"D/T of Most Recent Refill or Dose Dispensed", "直近の調剤日時"}, {"Total Daily Dose", "1日量"},
    {"Needs Human Review", "確認要否"}, {"Pharmacy/Treatment Supplier's Special Dispensing Instructions", "調剤の特別指示"}, {"Give Per (Time Unit)", "与薬間隔"},
    {"Give Rate Amount", "与薬速度"}, {"Give Rate Units", "与薬速度単位"}, {"Give Strength", "力価"}, {"Give Strength Units", "力価単位"}, {"Give Indication", "適応"}, END};
static const struct names_pair rxr[] = {
    {"Route", "投与経路"}, {"Administration Site", "投与部位"}, {"Administration Device", "投与器具"}, {"Administration Method", "投与方法"}, {"Routing Instruction", "経路の指示"}, END};
static const struct names_pair sch[] = {
    {"Placer Appointment ID", "依頼者予約番号"}, {"Filler Appointment ID", "実施者予約番号"}, {"Occurrence Number", "回数"}, {"Placer Group Number", "依頼者グループ番号"},
    {"Schedule ID", "予約枠"}, {"Event Reason", "イベント理由"}, {"Appointment Reason", "予約理由"}, {"Appointment Type", "予約型"}, {"Appointment Duration", "所要時間"},
    {"Appointment Duration Units", "所要時間の単位"}, {"Appointment Timing Quantity", "予約日時"}, END};
static const struct names_pair spm[] = {
    {"Set ID - SPM", "セットID"}, {"Specimen ID", "検体ID"}, {"Specimen Parent IDs", "親検体ID"}, {"Specimen Type", "検体材料"}, {"Specimen Type Modifier", "検体材料の修飾"},
    {"Specimen Additives", "添加物"}, {"Specimen Collection Method", "採取方法"}, {"Specimen Source Site", "採取部位"}, {"Specimen Source Site Modifier", "採取部位の修飾"},
    {"Specimen Collection Site", "採取場所"}, {"Specimen Role", "検体の役割"}, {"Specimen Collection Amount", "採取量"}, {"Grouped Specimen Count", "検体数"},
    {"Specimen Description", "検体の記述"}, {"Specimen Handling Code", "取扱い"}, {"Specimen Risk Code", "危険"}, {"Specimen Collection Date/Time", "採取日時"},
    {"Specimen Received Date/Time", "受領日時"}, END};
static const struct names_pair tq1[] = {
    {"Set ID - TQ1", "セットID"}, {"Quantity", "数量"}, {"Repeat Pattern", "繰返しパターン（用法）"}, {"Explicit Time", "指定時刻"}, {"Relative Time and Units", "相対時間"},
    {"Service Duration", "期間"}, {"Start date/time", "開始日時"}, {"End date/time", "終了日時"}, {"Priority", "優先度"}, {"Condition text", "条件"}, {"Text instruction", "指示"},
    {"Conjunction", "接続"}, {"Occurrence duration", "1回の時間"}, {"Total occurrences", "総回数"}, END};
static const struct names_pair txa[] = {
    {"Set ID- TXA", "セットID"}, {"Document Type", "文書型"}, {"Document Content Presentation", "文書の形式"}, {"Activity Date/Time", "活動日時"},
    {"Primary Activity Provider Code/Name", "主たる実施者"}, {"Origination Date/Time", "作成日時"}, {"Transcription Date/Time", "転記日時"}, {"Edit Date/Time", "編集日時"},
    {"Originator Code/Name", "作成者"}, {"Assigned Document Authenticator", "認証予定者"}, {"Transcriptionist Code/Name", "転記者"}, {"Unique Document Number", "文書番号"},
    {"Parent Document Number", "親文書番号"}, {"Placer Order Number", "依頼者オーダ番号"}, {"Filler Order Number", "実施者オーダ番号"}, {"Unique Document File Name", "文書ファイル名"},
    {"Document Completion Status", "完成状態"}, {"Document Confidentiality Status", "守秘状態"}, {"Document Availability Status", "利用可否"}, END};
static const struct names_pair ze1[] = {
    {"Set ID - ZE1", "セットID"}, {"Item Type", "項目区分"}, {"Item Code", "項目コード"}, {"Item Value", "項目値"}, END};
static const struct names_pair zpr[] = {
    {"Set ID - ZPR", "セットID"}, {"Disease Name Component", "病名・修飾語の構成"}, END};
static const struct names_pair none[] = {END};

const struct names_table names_tables[] = {
    {"AIS", {"Appointment Information", "予約サービス情報"}, ais},
    {"AL1", {"Patient Allergy Information", "患者アレルギー情報"}, al1},
    {"BHS", {"Batch Header", "バッチヘッダ"}, bhs},
    {"BTS", {"Batch Trailer", "バッチトレーラ"}, none},
    {"CTI", {"Clinical Trial Identification", "治験識別"}, cti},
    {"DB1", {"Disability", "障害情報"}, db1},
    {"DG1", {"Diagnosis", "診断"}, dg1},
    {"ERR", {"Error", "エラー"}, err_},
    {"EVN", {"Event Type", "イベント型"}, evn},
    {"FHS", {"File Header", "ファイルヘッダ"}, none},
    {"FTS", {"File Trailer", "ファイルトレーラ"}, none},
    {"IAM", {"Patient Adverse Reaction Information", "患者有害反応情報"}, iam},
    {"IN1", {"Insurance", "保険情報"}, in1},
    {"IPC", {"Imaging Procedure Control", "画像手技制御"}, ipc},
    {"MRG", {"Merge Patient Information", "患者統合情報"}, mrg},
    {"MSA", {"Message Acknowledgment", "メッセージ応答"}, msa},
    {"MSH", {"Message Header", "メッセージヘッダ"}, msh},
    {"NK1", {"Next of Kin / Associated Parties", "近親者・連絡先"}, nk1},
    {"NTE", {"Notes and Comments", "注釈・コメント"}, nte},
    {"OBR", {"Observation Request", "検査要求"}, obr},
    {"OBX", {"Observation/Result", "検査結果"}, obx},
    {"ODS", {"Dietary Orders, Supplements, and Preferences", "食事オーダ"}, ods},
    {"ORC", {"Common Order", "共通オーダ"}, orc},
    {"PD1", {"Patient Additional Demographic", "患者追加情報"}, none},
    {"PID", {"Patient Identification", "患者基本情報"}, pid},
    {"PRB", {"Problem Details", "プロブレム詳細"}, prb},
    {"PV1", {"Patient Visit", "来院情報"}, pv1},
    {"PV2", {"Patient Visit - Additional Information", "来院追加情報"}, pv2},
    {"QAK", {"Query Acknowledgment", "問合せ応答"}, qak},
    {"QPD", {"Query Parameter Definition", "問合せ条件"}, qpd},
    {"RCP", {"Response Control Parameter", "応答制御"}, rcp},
    {"RXA", {"Pharmacy/Treatment Administration", "投薬実施"}, rxa},
    {"RXC", {"Pharmacy/Treatment Component Order", "薬剤成分オーダ"}, rxc},
    {"RXE", {"Pharmacy/Treatment Encoded Order", "薬剤コード化オーダ"}, rxe},
    {"RXR", {"Pharmacy/Treatment Route", "投与経路"}, rxr},
    {"SCH", {"Scheduling Activity Information", "予約情報"}, sch},
    {"SFT", {"Software", "ソフトウェア"}, none},
    {"SPM", {"Specimen", "検体"}, spm},
    {"TQ1", {"Timing/Quantity", "タイミング・数量"}, tq1},
    {"TXA", {"Transcription Document Header", "文書ヘッダ"}, txa},
    {"ZE1", {"Extension (SS-MIX2)", "実施項目情報"}, ze1},
    {"ZI1", {"Insurance Selection (SS-MIX2)", "使用保険情報"}, none},
    {"ZPR", {"Problem Components (SS-MIX2)", "病名構成情報"}, zpr},
    {NULL, END, NULL},
};
/* clang-format on */
