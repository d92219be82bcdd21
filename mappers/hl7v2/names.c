/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of segments, and names for places (see names.h). Segments are those of the SS-MIX2
 * messages and of the other families that are taken in.
 */
#include "mappers/hl7v2/names.h"

#include "base/banned.h"

static const struct names_segment segments[] = {
    {"AIG", "Appointment Information - General Resource", "予約情報（一般資源）"},
    {"AIL", "Appointment Information - Location Resource", "予約情報（場所）"},
    {"AIP", "Appointment Information - Personnel Resource", "予約情報（担当者）"},
    {"AIS", "Appointment Information - Service", "予約情報（サービス）"},
    {"AL1", "Patient Allergy Information", "患者アレルギー情報"},
    {"ARQ", "Appointment Request", "予約要求"},
    {"CTI", "Clinical Trial Identification", "臨床試験識別"},
    {"DB1", "Disability", "障害情報"},
    {"DG1", "Diagnosis", "診断"},
    {"DSC", "Continuation Pointer", "継続ポインタ"},
    {"ERR", "Error", "エラー"},
    {"EVN", "Event Type", "事象型"},
    {"GT1", "Guarantor", "保証人"},
    {"IAM", "Patient Adverse Reaction Information", "患者アレルギー（有害反応）情報"},
    {"IN1", "Insurance", "保険"},
    {"IN2", "Insurance Additional Information", "保険追加情報"},
    {"IN3", "Insurance Additional Information, Certification", "保険追加情報（証明）"},
    {"IPC", "Imaging Procedure Control", "画像検査手続制御"},
    {"MRG", "Merge Patient Information", "患者情報の統合"},
    {"MSA", "Message Acknowledgment", "メッセージ応答"},
    {"MSH", "Message Header", "メッセージヘッダ"},
    {"NK1", "Next of Kin / Associated Parties", "近親者・関係者"},
    {"NTE", "Notes and Comments", "注釈・コメント"},
    {"OBR", "Observation Request", "検査依頼"},
    {"OBX", "Observation/Result", "検査結果"},
    {"ODS", "Dietary Orders, Supplements, and Preferences", "食事オーダ・補食・嗜好"},
    {"ODT", "Diet Tray Instructions", "配膳指示"},
    {"ORC", "Common Order", "共通オーダ"},
    {"PD1", "Patient Additional Demographic", "患者追加基本情報"},
    {"PID", "Patient Identification", "患者識別"},
    {"PRB", "Problem Details", "プロブレム（病名）詳細"},
    {"PV1", "Patient Visit", "来院・入院情報"},
    {"PV2", "Patient Visit - Additional Information", "来院・入院追加情報"},
    {"QAK", "Query Acknowledgment", "問い合わせ応答"},
    {"QPD", "Query Parameter Definition", "問い合わせ条件"},
    {"RCP", "Response Control Parameter", "応答制御"},
    {"RGS", "Resource Group", "資源グループ"},
    {"RXA", "Pharmacy/Treatment Administration", "薬剤投与実施"},
    {"RXC", "Pharmacy/Treatment Component Order", "薬剤成分オーダ"},
    {"RXE", "Pharmacy/Treatment Encoded Order", "コード化された薬剤オーダ"},
    {"RXO", "Pharmacy/Treatment Order", "薬剤オーダ"},
    {"RXR", "Pharmacy/Treatment Route", "薬剤投与経路"},
    {"SCH", "Scheduling Activity Information", "予約活動情報"},
    {"SFT", "Software", "ソフトウェア"},
    {"SPM", "Specimen", "検体"},
    {"TQ1", "Timing/Quantity", "タイミング・数量"},
    {"TQ2", "Timing/Quantity Relationship", "タイミング・数量の関係"},
    {"TXA", "Transcription Document Header", "文書ヘッダ"},
    {"ZE1", "Examination Procedure (SS-MIX2)", "実施手技（SS-MIX2）"},
    {"ZE2", "Examination Drug and Material (SS-MIX2)", "実施薬剤・器材（SS-MIX2）"},
    {"ZI1", "Insurance of the Problem (SS-MIX2)", "病名の保険（SS-MIX2）"},
    {"ZPD", "Problem Modifier Details (SS-MIX2)", "病名修飾語の詳細（SS-MIX2）"},
    {"ZPR", "Problem Name Parts (SS-MIX2)", "病名と修飾語の構成（SS-MIX2）"},
};

const struct names_segment *names_of_segment(struct slice segment)
{
    for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
        if (slice_is(segment, segments[i].segment))
            return &segments[i];
    }
    return NULL;
}

const struct names_field *names_of_fields(struct slice segment, unsigned *ret_count)
{
    size_t low = 0, high = names_count;
    unsigned count = 0;

    while (low < high) { /* the first row not before SEGMENT */
        size_t middle = (low + high) / 2;
        if (slice_cmp(slice_str(names_fields[middle].segment), segment) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct names_field *first = &names_fields[low];
    while (first[count].segment && slice_is(segment, first[count].segment))
        count++;
    *ret_count = count;
    return count > 0 ? first : NULL;
}

const struct names_field *names_of_field(struct slice segment, unsigned field)
{
    unsigned count = 0;
    const struct names_field *rows = names_of_fields(segment, &count);

    for (unsigned i = 0; i < count; i++) {
        if (rows[i].field == field)
            return &rows[i];
    }
    return NULL;
}

/* The field number behind "SEG[n]-"; 0 when the place names a segment only. */
static unsigned field_of(struct slice place)
{
    size_t dash = slice_find(place, '-', 3);
    struct slice rest = slice_sub(place, dash + 1, place.len);
    uint64_t number = 0;

    if (dash >= place.len)
        return 0;
    rest = slice_sub(rest, 0, slice_find(rest, '.', 0));
    return slice_u64(rest, &number) && number < 1000 ? (unsigned)number : 0;
}

void names_explain(struct arena *arena, struct slice place, struct slice *ret_en,
                   struct slice *ret_ja)
{
    struct slice segment = slice_sub(place, 0, 3);
    const struct names_segment *s = names_of_segment(segment);
    const struct names_field *f = names_of_field(segment, field_of(place));
    bool ends = place.len == 3 || (place.len > 3 && (place.ptr[3] == '[' || place.ptr[3] == '-'));

    *ret_en = *ret_ja = SLICE_NONE;
    if (!s || !ends)
        return;
    *ret_en = slice_str(arena_printf(arena, "%s%s%s", s->en, f ? ": " : "", f ? f->en : ""));
    *ret_ja = slice_str(arena_printf(arena, "%s%s%s", s->ja, f ? ": " : "", f ? f->ja : ""));
}
